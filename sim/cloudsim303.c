/* SPDX-License-Identifier: Apache-2.0 */
/* cloudsim303: the program's time line, seen through the port. The card is in
 * cloudsim303_priv.h. */
#include "sim/cloudsim303_priv.h"

#include <math.h>

/* ---- the trace
 * --------------------------------------------------------------- */

static void shift_samples(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);

    for (uint32_t v = 0; v < sim->col.slot_count; v++)
        st->vm[v].data = st->vm[v].data_next;
}

static void read_samples(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);
    const uint32_t *ppm = sim->step.cpu_ppm;

    for (uint32_t v = 0; v < sim->col.slot_count; v++)
        st->vm[v].data_next = ppm != NULL ? ppm[v] / 1e6 : 1;
}

/* Samples k and k + 1 for the frame in trace step k, and their slope.
 * QUIRK: sample 0 is never used, and the one after the last repeats it. */
static bl_err load_samples(struct bl_sim *sim, struct bl_diag *diag)
{
    struct cs_state *st = cs_state(sim);
    const uint32_t k = (uint32_t)floor(st->next_s / CS_INTERVAL_S);

    while (sim->step_loaded < sim->step_count && sim->step_loaded <= k + 1) {
        shift_samples(sim);
        BL_TRY(bl__sim_load_step(sim, diag));
        if (sim->step.arrived_count > 0 || sim->step.departed_count > 0)
            return bl_diag_set(diag, BL_ERR_INVAL, sim->info->name, 0,
                               "VMs arrive or depart at step %u, expected "
                               "VMs that live from start to end: cloudsim303 "
                               "knows no others",
                               sim->step.index);
        read_samples(sim);
    }
    if (k + 1 >= sim->step_count)
        shift_samples(sim);
    st->step_s = k * CS_INTERVAL_S;
    for (uint32_t v = 0; v < sim->col.slot_count; v++) {
        struct cs_vm *vm = &st->vm[v];

        vm->delta = (vm->data_next - vm->data) / CS_INTERVAL_S;
    }
    return BL_ERR_OK;
}

/* ---- migrations
 * -------------------------------------------------------------- */

/* QUIRK: half of the bandwidth, and a megabyte is 8000 kbit. */
static double mb_per_s(const struct bl_host_group *target)
{
    const uint64_t kbit_per_s = target->net_bytes_per_s / 125;

    return (double)kbit_per_s / (2 * 8000);
}

static double migration_s(const struct bl_sim *sim, uint32_t vm,
                          uint32_t target)
{
    const double ram_mb =
        (double)sim->col.vm_mem_size_bytes[vm] / (double)BL_MIB;

    return ram_mb /
           mb_per_s(&sim->opts.dc->host_group[sim->col.host_group[target]]);
}

static enum bl_verdict start_migration(struct bl_sim *sim,
                                       const struct bl_action *a)
{
    struct cs_state *st = cs_state(sim);
    struct bl_columns *c = &sim->col;
    const uint32_t source = c->vm_host[a->vm];
    struct bl_resident *home = bl__columns_find(c, source, a->vm, BL_ROLE_HERE);

    if (st->move_count == st->move_max)
        return BL_VERDICT_FULL;
    if (home != NULL)
        home->role = BL_ROLE_OUT;
    c->vm_migrating[a->vm] = 1;
    st->move[st->move_count++] = (struct cs_move){
        .vm = a->vm,
        .target = a->host,
        .end_s = st->now_s + migration_s(sim, a->vm, a->host),
    };
    st->migrations++;
    st->vm[a->vm].migrations++;
    st->host[source].migrations_out++;
    st->host[a->host].migrations_in++;
    if (st->series_count > 0)
        st->series[st->series_count - 1].migrations++;
    if (bl__columns_find(c, a->host, a->vm, BL_ROLE_IN) == NULL) {
        bl__columns_link(c, a->host, a->vm, BL_ROLE_IN, false);
        bl__columns_commit(c, a->host, a->vm);
        bl__cs_update_host(sim, a->host);
    }
    bl__cs_update_host(sim, source);
    sim->snap.in_flight_count = st->move_count;
    return BL_VERDICT_OK;
}

/* QUIRK: the VM joins the end of its new host's list; if it was named twice,
 * it leaves its first target for the second at the same instant. */
static void end_migration(struct bl_sim *sim, const struct cs_move *m)
{
    struct cs_state *st = cs_state(sim);
    struct bl_columns *c = &sim->col;
    const uint32_t source = c->vm_host[m->vm];
    const bool was_out =
        bl__columns_find(c, source, m->vm, BL_ROLE_OUT) != NULL;

    bl__columns_unlink(c, source, m->vm, was_out ? BL_ROLE_OUT : BL_ROLE_HERE);
    bl__columns_release(c, source, m->vm);
    if (bl__columns_find(c, m->target, m->vm, BL_ROLE_IN) != NULL)
        bl__columns_unlink(c, m->target, m->vm, BL_ROLE_IN);
    else
        bl__columns_commit(c, m->target, m->vm);
    bl__columns_link(c, m->target, m->vm, BL_ROLE_HERE, false);
    c->vm_host[m->vm] = m->target;
    c->vm_migrating[m->vm] = 0;
    st->host[source].touched = true;
    st->host[m->target].touched = true;
    bl__sim_event(sim, BL_EVENT_MIGRATION_DONE, m->vm, m->target);
}

/* The least end time in flight; +inf when nothing is. */
static double next_end_s(const struct cs_state *st)
{
    double end_s = INFINITY;

    for (uint32_t i = 0; i < st->move_count; i++)
        if (st->move[i].end_s < end_s)
            end_s = st->move[i].end_s;
    return end_s;
}

/* All migrations of one instant: everyone is brought up to date before the
 * first, and once more after the last (only the hosts concerned: at the same
 * time nothing else can differ). */
static void end_migrations_at(struct bl_sim *sim, double at_s)
{
    struct cs_state *st = cs_state(sim);
    uint32_t kept = 0;

    st->now_s = at_s;
    bl__cs_update_all(sim);
    for (uint32_t i = 0; i < st->move_count; i++) {
        if (st->move[i].end_s == at_s)
            end_migration(sim, &st->move[i]);
        else
            st->move[kept++] = st->move[i];
    }
    st->move_count = kept;
    sim->snap.in_flight_count = kept;
    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        if (!st->host[h].touched)
            continue;
        st->host[h].touched = false;
        bl__cs_update_host(sim, h);
    }
}

/* ---- frames
 * ------------------------------------------------------------------ */

/* QUIRK D: a VM that asks for exactly nothing at a frame is gone for ever. */
static void remove_idle_vms(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);
    struct bl_columns *c = &sim->col;

    for (uint32_t v = 0; v < c->slot_count; v++) {
        if (c->vm_state[v] != BL_VM_PLACED || c->vm_migrating[v] ||
            st->vm[v].request != 0)
            continue;

        const uint32_t h = c->vm_host[v];

        bl__columns_unlink(c, h, v, BL_ROLE_HERE);
        bl__columns_release(c, h, v);
        c->vm_state[v] = BL_VM_ABSENT;
        c->vm_host[v] = BL_NONE;
        c->vm_demand_mhz[v] = c->vm_util[v] = 0;
        sim->vms_ended++;
        bl__sim_event(sim, BL_EVENT_VM_DEPARTED, v, h);
    }
}

/* What policies see at a frame: requests, and memory that costs nothing.
 * QUIRK: after its creation a VM asks for no memory at all. */
static void refresh_columns(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);
    struct bl_columns *c = &sim->col;

    for (uint32_t v = 0; v < c->slot_count; v++) {
        if (c->vm_state[v] != BL_VM_PLACED)
            continue;
        c->vm_demand_mhz[v] = st->vm[v].request;
        c->vm_util[v] =
            st->vm[v].data + st->vm[v].delta * (st->now_s - st->step_s);
        c->vm_mem_used_bytes[v] = 0;
    }
    for (uint32_t h = 0; h < c->host_count; h++)
        c->host_mem_used_bytes[h] = 0;
}

static void begin_series_row(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);
    uint32_t active = 0, alive = 0;

    for (uint32_t h = 0; h < sim->col.host_count; h++)
        active += st->host[h].util_mips > 0;
    for (uint32_t v = 0; v < sim->col.slot_count; v++)
        alive += sim->col.vm_state[v] == BL_VM_PLACED;
    bl__cs_close_row(st);
    if (st->series_count == st->series_max)
        return;
    st->series[st->series_count++] = (struct bl_step_result){
        .at_ns = st->next_ns,
        .vms = alive,
        .hosts_on = active,
        .hosts_active = active,
        .demand_mhz = st->demand_mhz,
        .served_mhz = st->served_mhz,
    };
}

static bl_err frame(struct bl_sim *sim, struct bl_diag *diag)
{
    struct cs_state *st = cs_state(sim);

    BL_TRY(load_samples(sim, diag));
    st->now_s = st->next_s;
    bl__cs_update_all(sim);
    remove_idle_vms(sim);
    refresh_columns(sim);
    bl__columns_push_history(&sim->col);
    begin_series_row(sim);
    st->next_s += CS_INTERVAL_S;
    st->next_ns += CS_INTERVAL_NS;
    return BL_ERR_OK;
}

/* The program's seconds as the world's ns; only for telling the manager. */
static int64_t to_ns(double s)
{
    return (int64_t)floor(s * 1e9 + 0.5);
}

static bl_err cs_advance(struct bl_sim *sim, int64_t until_ns,
                         struct bl_diag *diag)
{
    struct cs_state *st = cs_state(sim);

    if (sim->step_loaded == 0) {
        BL_TRY(bl__sim_load_step(sim, diag));
        read_samples(sim);
        return BL_ERR_OK;
    }
    for (;;) {
        const double end_s = next_end_s(st);

        if (end_s <= st->next_s && to_ns(end_s) <= until_ns) {
            sim->now_ns = to_ns(end_s);
            end_migrations_at(sim, end_s);
        } else if (st->next_ns <= until_ns && st->next_ns < sim->end_ns) {
            sim->now_ns = st->next_ns;
            BL_TRY(frame(sim, diag));
        } else {
            break;
        }
    }
    sim->now_ns = until_ns;
    return BL_ERR_OK;
}

/* ---- the port
 * ---------------------------------------------------------------- */

/* At t = 0 a placed VM holds its full size in the scheduler, while its work,
 * and with it its request, starts a moment later. */
static enum bl_verdict place(struct bl_sim *sim, const struct bl_action *a)
{
    struct bl_columns *c = &sim->col;
    const uint32_t v = a->vm, h = a->host;

    if (c->host_free_mhz[h] < c->vm_size_mhz[v])
        return BL_VERDICT_NO_CPU;
    bl__columns_link(c, h, v, BL_ROLE_HERE, false);
    bl__columns_commit(c, h, v);
    c->vm_state[v] = BL_VM_PLACED;
    c->vm_host[v] = h;
    c->host_free_mhz[h] -= c->vm_size_mhz[v];
    c->host_served_mhz[h] += c->vm_size_mhz[v];
    c->host_mem_used_bytes[h] += c->vm_mem_used_bytes[v];
    c->vm_demand_mhz[v] = 0;
    c->vm_util[v] = 0;
    return BL_VERDICT_OK;
}

static enum bl_verdict cs_apply(struct bl_sim *sim, const struct bl_action *a)
{
    switch (a->kind) {
    case BL_ACTION_PLACE:
        return place(sim, a);
    case BL_ACTION_MIGRATE:
        return start_migration(sim, a);
    case BL_ACTION_POWER_UNMANAGED:
        cs_state(sim)->host[a->host].unmanaged = true;
        return BL_VERDICT_OK;
    case BL_ACTION_HOST_ON:
    case BL_ACTION_HOST_STANDBY:
    case BL_ACTION_HOST_OFF:
    case BL_ACTION_POWER_CAP:
    case BL_ACTION_COUNT:
        break;
    }
    return BL_VERDICT_NO_SUCH_ACTION;
}

static void cs_observe(struct bl_sim *sim)
{
    (void)sim; /* columns are current after each frame and each placement */
}

static void cs_arrived(struct bl_sim *sim, uint32_t v)
{
    cs_state(sim)->vm[v].mips = sim->col.vm_size_mhz[v];
}

static void cs_departed(struct bl_sim *sim, uint32_t v)
{
    (void)sim; /* load_samples() refuses such traces */
    (void)v;
}

static bl_err refuse_scenario(const struct bl_sim *sim, struct bl_diag *diag)
{
    const struct bl_dc *dc = sim->opts.dc;

    if (sim->info->step_ns != CS_INTERVAL_NS ||
        sim->world.interval_ns != CS_INTERVAL_NS)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "cloudsim303: trace step %lld s and interval %lld "
                           "s, expected 300 s for both",
                           (long long)(sim->info->step_ns / BL_NS_PER_S),
                           (long long)(sim->world.interval_ns / BL_NS_PER_S));
    if (sim->opts.warmup_ns > 0)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "cloudsim303: a warm-up, expected none");
    if (dc->pools.count > 0)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "cloudsim303: resource pools, expected none");
    for (uint32_t g = 0; g < dc->vm_group_count; g++)
        if (dc->vm_group[g].size_from_trace || dc->vm_group[g].vcpu_count != 1)
            return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                               "cloudsim303: VM group '%s', expected VMs of "
                               "one vCPU with a size of their own",
                               dc->vm_group[g].name);
    return BL_ERR_OK;
}

static bl_err cs_create(struct bl_sim *sim, struct bl_arena *a,
                        struct bl_diag *diag)
{
    struct cs_state *st = bl_arena_get(a, 1, sizeof(*st));
    const struct bl_columns *c = &sim->col;

    BL_TRY(refuse_scenario(sim, diag));
    if (st == NULL)
        return BL_ERR_NOMEM;
    sim->state = st;
    st->move_max = 2 * c->slot_count; /* a plan may name a VM twice */
    st->series_max = sim->step_count;
    st->vm = bl_arena_get(a, c->slot_count, sizeof(*st->vm));
    st->host = bl_arena_get(a, c->host_count, sizeof(*st->host));
    st->move = bl_arena_get(a, st->move_max, sizeof(*st->move));
    st->series = bl_arena_get(a, st->series_max, sizeof(*st->series));
    st->claim_max = 2 * c->slot_count; /* at home and on its way in */
    st->claim = bl_arena_get(a, st->claim_max, sizeof(*st->claim));
    st->alloc = bl_arena_get(a, st->claim_max, sizeof(*st->alloc));
    if (st->vm == NULL || st->host == NULL || st->move == NULL ||
        st->series == NULL || st->claim == NULL || st->alloc == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    for (uint32_t h = 0; h < c->host_count; h++) {
        st->host[h].total = c->host_capacity_mhz[h];
        st->host[h].core = c->host_core_mhz[h];
        st->host[h].was_active = true; /* QUIRK: assumed before t = 0 */
    }
    bl_floor_build(&st->floor, sim->opts.dc, false, false);
    st->next_s = CS_MIN_EVENT_S + CS_INTERVAL_S;
    st->next_ns = CS_MIN_EVENT_NS + CS_INTERVAL_NS;
    sim->world.first_due_ns = st->next_ns;
    sim->snap.migration_mb_per_s = mb_per_s(&sim->opts.dc->host_group[0]);
    return BL_ERR_OK;
}

static void cs_check(const struct bl_sim *sim)
{
    const struct cs_state *st = sim->state;

    BL_ASSERT(st->energy_j >= 0);
    BL_ASSERT(st->move_count <= st->move_max);
    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        BL_ASSERT(st->host[h].violated_s <= st->host[h].active_s);
        BL_ASSERT(st->host[h].violated_fair_s <= st->host[h].violated_s);
        BL_ASSERT(sim->col.host_served_mhz[h] <=
                  st->host[h].total * (1 + 1e-9));
    }
    for (uint32_t v = 0; v < sim->col.slot_count; v++)
        BL_ASSERT(st->vm[v].sum_alloc <=
                  st->vm[v].sum_request * (1 + 1e-9) + 1e-9);
}

const struct bl_profile bl__profile_cloudsim303 = {
    .name = "cloudsim303",
    .help = "CloudSim 3.0.3's power experiments, digit for digit",
    .can = BL_CAN_MOVE_TWICE,
    .serve = bl__cs_serve,
    .oracle_only = true,
    .create = cs_create,
    .advance = cs_advance,
    .observe = cs_observe,
    .apply = cs_apply,
    .arrived = cs_arrived,
    .departed = cs_departed,
    .finish = bl__cs_finish,
    .check = cs_check,
};
