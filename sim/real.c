/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real - the physics profile of real hosts: the flow of time.
 *
 * Source     doc/models/host.md, doc/models/migration.md.
 * Idea       advance() jumps from one instant to the next at which anything
 *            can change: the start of a trace step, a control instant, the end
 *            of a migration round or of a power transition, the end of the
 *            warm-up, the end of a row of the time series. Within one instant:
 *            sums are closed first, then what ends (hosts before migrations,
 *            by id), then the trace's step, then measuring; rates are found
 *            once, after all of it.
 * Bound      every invariant of bl__real_check() after each call (test_real).
 * Deviation  none known; limits of the models are in their pages.
 * Cost       a step O(VMs) plus a byte for each empty host; an event O(VMs of
 *            the hosts concerned + log events).
 */
#include "base/par.h"
#include "sim/real_priv.h"

/* ---- arrivals and departures
 * ------------------------------------------------- */

static void real_arrived(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);

    r->vm[vm] = (struct bl_real_vm){ .demand = 0 };
    if (r->vm_flags[vm] & REAL_RARE) /* by who had the slot before */
        r->rare[vm] = (struct bl_real_rare){ .worst = 0 };
    r->vm_flags[vm] = REAL_NEW;
    sim->col.vm_mem_used_bytes[vm] = bl__real_mem_used(sim, vm);
    if (r->pools != NULL)
        bl__real_pools_arrived(sim, vm);
    bl__real_pending_add(sim, vm);
    r->alive++;
}

static void real_departed(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);
    const uint32_t host = sim->col.vm_host[vm];

    if (sim->col.vm_state[vm] == BL_VM_PENDING)
        bl__real_pending_remove(sim, vm);
    else if (r->move[vm].phase != REAL_NO_MOVE)
        bl__real_move_cancel(sim, vm);
    else
        bl__real_unlink(sim, host, vm, BL_ROLE_HERE);
    r->alive--;
    bl__real_departed_row(sim, vm);
    if (host != BL_NONE)
        bl__real_left(sim, host);
}

/* ---- time
 * ---------------------------------------------------------------------- */

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_step_ns(const struct bl_sim *sim)
{
    return sim->step_loaded < sim->step_count
               ? sim->info->step_ns * sim->step_loaded
               : INT64_MAX;
}

static int64_t next_row_ns(const struct bl_sim *sim)
{
    return bl__real(sim)->row_ns + sim->info->step_ns;
}

/* While warming up, its end; then never. */
static int64_t next_count_ns(const struct bl_sim *sim)
{
    const int64_t warmup_ns = sim->opts.warmup_ns;

    return bl__real(sim)->counted_ns < warmup_ns ? warmup_ns : INT64_MAX;
}

static int64_t next_instant_ns(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    int64_t t = bl_heap_next_ns(&r->heap);

    t = min_ns(t, next_step_ns(sim));
    t = min_ns(t, next_row_ns(sim));
    t = min_ns(t, next_count_ns(sim));
    return min_ns(t, r->control_ns + sim->world.interval_ns);
}

/* A control instant: the interval is over. Rows of the columns are filled in
 * only when a policy keeps a history; others ask when they need them. */
static void control(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);

    r->sample_count++;
    r->control_ns = sim->now_ns;
    if (sim->col.history_depth > 0) {
        bl__real_observe(sim);
        bl__columns_push_history(&sim->col);
    }
}

/* All that happens at this instant. */
static bl_err pass_instant(struct bl_sim *sim, struct bl_diag *diag)
{
    struct bl_real *r = bl__real(sim);
    const int64_t now = sim->now_ns;
    const bool due = now == r->control_ns + sim->world.interval_ns;
    const bool step = now == next_step_ns(sim);

    if (now == next_count_ns(sim))
        bl__real_start_counting(sim);
    if (now == next_row_ns(sim))
        bl__real_close_row(sim);
    while (bl_heap_next_ns(&r->heap) <= now) {
        const uint32_t id = bl_heap_pop(&r->heap);

        if (id < sim->col.host_count)
            bl__real_transition_end(sim, id);
        else
            bl__real_move_event(sim, id - sim->col.host_count);
    }
    if (step)
        BL_TRY(bl__sim_load_step(sim, diag));
    if (step && r->pools != NULL)
        bl__real_pools_update(sim, true);
    if (step || due)
        bl__real_pass(sim, due);
    if (due)
        control(sim);
    bl__real_settle(sim);
    return BL_ERR_OK;
}

static bl_err real_advance(struct bl_sim *sim, int64_t until_ns,
                           struct bl_diag *diag)
{
    bl__real_settle(sim); /* what was applied since */
    while (next_instant_ns(sim) <= until_ns) {
        bl__real_pass_time(sim, next_instant_ns(sim));
        BL_TRY(pass_instant(sim, diag));
        if (sim->arrivals_pending)
            return BL_ERR_OK;
    }
    bl__real_pass_time(sim, until_ns);
    return BL_ERR_OK;
}

/* ---- creation
 * ------------------------------------------------------------------- */

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

static bool take(struct bl_arena *a, struct bl_real *r, uint32_t hosts,
                 uint32_t slots)
{
    bool ok = true;

    TAKE(a, r->host, hosts, ok);
    TAKE(a, r->vm, slots, ok);
    TAKE(a, r->rare, slots, ok);
    TAKE(a, r->move, slots, ok);
    TAKE(a, r->vm_flags, slots, ok);
    TAKE(a, r->lit, hosts, ok);
    TAKE(a, r->lit_list, hosts, ok);
    TAKE(a, r->block, bl_par_blocks(hosts, REAL_BLOCK_HOSTS), ok);
    TAKE(a, r->pending, slots, ok);
    TAKE(a, r->pending_at, slots, ok);
    TAKE(a, r->dirty, hosts, ok);
    TAKE(a, r->stamp_shown, hosts, ok);
    TAKE(a, r->scratch.vm, slots, ok);
    TAKE(a, r->scratch.work, slots, ok);
    TAKE(a, r->scratch.claim, slots, ok);
    TAKE(a, r->scratch.got, slots, ok);
    TAKE(a, r->scratch.alone, slots, ok);
    TAKE(a, r->row, r->row_max, ok);
    return ok && bl_heap_create(a, hosts + slots, &r->heap) == BL_ERR_OK;
}

/* All hosts are on. */
static void start_hosts(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        r->host[h].move_first = BL_NONE;
        if (r->speeds != NULL)
            (void)bl__real_govern(sim, h);
        bl__real_set_power(sim, h);
        r->rate.power_mw += r->host[h].power_mw;
    }
    r->on_count = sim->col.host_count;
    if (r->speeds != NULL)
        bl__real_caps_draw_all(sim);
}

static bl_err real_create(struct bl_sim *sim, struct bl_arena *a,
                          struct bl_diag *diag)
{
    const struct bl_dc *dc = sim->opts.dc;
    struct bl_real *r = bl_arena_get(a, 1, sizeof(*r));
    const int64_t counted_ns = sim->end_ns - sim->opts.warmup_ns;

    if (r == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    r->row_max =
        (uint32_t)((counted_ns + sim->info->step_ns - 1) / sim->info->step_ns);
    if (r->row_max < sim->step_count)
        r->row_max = sim->step_count; /* the warm-up has rows, too */
    if (!take(a, r, sim->col.host_count, sim->col.slot_count) ||
        bl_result_create(a, dc, 1, 1, &r->gone) != BL_ERR_OK)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0,
                           "out of memory for %u hosts and %u VMs at once",
                           sim->col.host_count, sim->col.slot_count);
    bl_floor_build(&r->floor, dc, true, true);
    bl_floor_cycle_begin(&r->cycle, &r->floor, dc);
    bl_floor_cycle_begin(&r->cycle_served, &r->floor, dc);
    bl_hash_init(&r->gone_hash);
    r->floor_stale = true;
    sim->state = r;
    for (uint32_t h = 0; h < sim->col.host_count; h++)
        sim->col.host_state[h] = BL_HOST_ON;
    BL_TRY(bl__real_pools_create(sim, a, diag));
    BL_TRY(bl__real_speeds_create(sim, a, diag));
    start_hosts(sim);
    return BL_ERR_OK;
}

const struct bl_profile bl__profile_real = {
    .name = "real",
    .help = "fluid hosts, enforced memory, pre-copy migration, power states",
    .can = BL_CAN_SWITCH_HOSTS | BL_CAN_ENFORCE_MEMORY,
    .serve = bl__real_serve,
    .create = real_create,
    .advance = real_advance,
    .observe = bl__real_observe,
    .apply = bl__real_apply,
    .arrived = real_arrived,
    .departed = real_departed,
    .finish = bl__real_finish,
    .check = bl__real_check,
};
