/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_migrate - pre-copy live migration.
 *
 * Source     Clark et al., "Live Migration of Virtual Machines", NSDI 2005: the
 *            rounds, the stop, and the bounded writable working set;
 *            doc/models/migration.md has the equations and every number.
 * Idea       round 1 sends all used memory while the VM runs, each further one
 *            what was dirtied meanwhile; when the rest fits in the allowed
 *            downtime, or after rounds_max rounds, the VM stops and the rest
 *            is sent. Each end divides its network evenly among its
 *            migrations; a migration runs at the smaller of its two parts.
 * Bound      equals the closed form by hand, alone and sharing a link
 *            (test_real); a migration ends after at most rounds_max rounds.
 * Deviation  bandwidth that a migration cannot use at its other end is not
 *            lent to its neighbours; device state and switch-over take no time
 *            of their own.
 * Cost       O(migrations at both ends * log) when one starts or ends, O(log)
 *            a round.
 */
#include "base/units.h"
#include "sim/real_priv.h"

/* rate * 8 bits * core_khz * ppm / (1e9 bits * 1e6): see copy_khz(). */
#define OVERHEAD_DIVISOR UINT64_C(1000000000000000)

/* ---- membership of lists
 * ------------------------------------------------------ */

void bl__real_link(struct bl_sim *sim, uint32_t h, uint32_t vm,
                   enum bl_role role)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];

    bl__real_touch(sim, h);
    bl__columns_link(&sim->col, h, vm, role, true);
    bl__columns_commit(&sim->col, h, vm);
    sim->col.host_mem_used_bytes[h] += sim->col.vm_mem_used_bytes[vm];
    if (role == BL_ROLE_IN) {
        host->coming++;
        return;
    }
    host->mem_run_bytes += sim->col.vm_mem_used_bytes[vm];
    host->vms++;
    if (host->vms > host->vms_max)
        host->vms_max = host->vms;
    host->cold |= (r->vm_flags[vm] & REAL_SHORT) != 0;
}

void bl__real_unlink(struct bl_sim *sim, uint32_t h, uint32_t vm,
                     enum bl_role role)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];

    bl__real_touch(sim, h);
    bl__columns_unlink(&sim->col, h, vm, role);
    bl__columns_release(&sim->col, h, vm);
    sim->col.host_mem_used_bytes[h] -= sim->col.vm_mem_used_bytes[vm];
    if (role == BL_ROLE_IN) {
        host->coming--;
        return;
    }
    host->mem_run_bytes -= sim->col.vm_mem_used_bytes[vm];
    host->vms--;
}

/* The migrations at a host are a list through next[] and prev[] of that end. */
static void list_add(struct bl_real *r, uint32_t vm, int end)
{
    struct bl_real_move *m = &r->move[vm];
    struct bl_real_host *host = &r->host[m->host[end]];
    const uint32_t first = host->move_first;

    m->prev[end] = BL_NONE;
    m->next[end] = first;
    if (first != BL_NONE)
        r->move[first / 2].prev[first % 2] = vm * 2 + (uint32_t)end;
    host->move_first = vm * 2 + (uint32_t)end;
}

static void list_remove(struct bl_real *r, uint32_t vm, int end)
{
    const struct bl_real_move *m = &r->move[vm];
    const uint32_t prev = m->prev[end], next = m->next[end];

    if (prev != BL_NONE)
        r->move[prev / 2].next[prev % 2] = next;
    else
        r->host[m->host[end]].move_first = next;
    if (next != BL_NONE)
        r->move[next / 2].prev[next % 2] = prev;
}

static uint32_t event_id(const struct bl_sim *sim, uint32_t vm)
{
    return sim->col.host_count + vm;
}

/* ---- bandwidth
 * ------------------------------------------------------------------ */

/* What a host spends on its migrations: CPU in proportion to their rate. */
static uint64_t copy_khz(const struct bl_sim *sim, uint32_t h, uint64_t rate)
{
    const uint64_t ppm = sim->opts.dc->migration.cpu_ppm_per_gbit;
    const uint64_t all = sim->col.host_capacity_khz[h];
    const uint64_t khz = bl_muldiv(bl__real_group(sim, h)->core_khz * ppm,
                                   rate * 8, OVERHEAD_DIVISOR);

    return khz < all ? khz : all;
}

/* A rate is about to change: what has been sent so far is sent. */
static void bring_up_to_date(struct bl_sim *sim, struct bl_real_move *m)
{
    const bl_u128 sent =
        (bl_u128)m->rate_bytes_per_s * (uint64_t)(sim->now_ns - m->left_ns);

    m->left = m->left > sent ? m->left - sent : 0;
    m->left_ns = sim->now_ns;
}

static void set_event(struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real_move *m = &bl__real(sim)->move[vm];
    const bl_u128 rate = m->rate_bytes_per_s;
    const bl_u128 ns = (m->left + rate - 1) / rate;
    const bl_u128 most = (uint64_t)(INT64_MAX - sim->now_ns);

    bl_heap_set(&bl__real(sim)->heap, event_id(sim, vm),
                ns < most ? sim->now_ns + (int64_t)ns : INT64_MAX);
}

static void add_rate(struct bl_sim *sim, uint32_t h, uint64_t change)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];

    bl__real_touch(sim, h);
    host->copy_bytes_per_s += change; /* modulo 2^64 */
    host->copy_khz = copy_khz(sim, h, host->copy_bytes_per_s);
    if (r->speeds != NULL) /* and settling says how much of it there is */
        r->speeds->host[h].copy_khz = host->copy_khz;
}

static void set_rate(struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real *r = bl__real(sim);
    struct bl_real_move *m = &r->move[vm];
    uint64_t rate = UINT64_MAX;

    for (int end = 0; end < 2; end++) {
        const uint32_t h = m->host[end];
        const uint64_t part =
            bl__real_group(sim, h)->net_bytes_per_s / r->host[h].copy_count;

        if (part < rate)
            rate = part;
    }
    if (rate == 0) /* more migrations than bytes per second */
        rate = 1;
    if (rate == m->rate_bytes_per_s)
        return;
    add_rate(sim, m->host[REAL_SOURCE], rate - m->rate_bytes_per_s);
    add_rate(sim, m->host[REAL_TARGET], rate - m->rate_bytes_per_s);
    bring_up_to_date(sim, m);
    m->rate_bytes_per_s = rate;
    set_event(sim, vm);
}

void bl__real_set_rates(struct bl_sim *sim, uint32_t h)
{
    struct bl_real *r = bl__real(sim);

    r->host[h].dirty_rates = false;
    for (uint32_t i = r->host[h].move_first; i != BL_NONE;
         i = r->move[i / 2].next[i % 2])
        if (r->move[i / 2].phase != REAL_WAIT)
            set_rate(sim, i / 2);
}

/* A migration begins (+1) or ceases (-1) to use the network of both ends. */
static void count_copy(struct bl_sim *sim, const struct bl_real_move *m,
                       uint32_t change)
{
    for (int end = 0; end < 2; end++) {
        struct bl_real_host *host = &bl__real(sim)->host[m->host[end]];

        bl__real_touch(sim, m->host[end]);
        host->copy_count += change;
        host->dirty_rates = true;
    }
}

/* ---- rounds
 * ---------------------------------------------------------------------- */

static void begin_copy(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_move *m = &r->move[vm];

    m->phase = REAL_COPY;
    m->round = 1;
    m->rate_bytes_per_s = 0;
    m->left = (bl_u128)sim->col.vm_mem_used_bytes[vm] * BL_NS_PER_S;
    m->left_ns = sim->now_ns;
    count_copy(sim, m, 1);
    m->work0 = bl__real_received(r, vm);
    bl__real_rare(r, vm)->migrations++;
    r->host[m->host[REAL_SOURCE]].moves_out++;
    r->host[m->host[REAL_TARGET]].moves_in++;
    r->sum.move_count++;
}

/* Bytes that the VM has dirtied in this round: in proportion to the CPU that
 * it received, and never more than its writable working set. */
static uint64_t dirtied_bytes(const struct bl_sim *sim, uint32_t vm)
{
    const struct bl_migration *cost = &sim->opts.dc->migration;
    const struct bl_real *r = bl__real(sim);
    const bl_u128 work = bl__real_received(r, vm) - r->move[vm].work0;
    const bl_u128 full =
        (bl_u128)sim->col.vm_size_khz[vm] * (uint64_t)BL_NS_PER_S;
    const uint64_t most = bl_muldiv(sim->col.vm_mem_used_bytes[vm],
                                    cost->working_set_ppm, (uint64_t)BL_PPM);
    /* dirty < 2^40 and work < 2^36 kHz * 2^63 ns: whole seconds of full
     * speed first, or the product could pass 2^128 */
    const bl_u128 s = work / full;
    const bl_u128 dirty = s * cost->dirty_bytes_per_s +
                          work % full * cost->dirty_bytes_per_s / full;

    return dirty < most ? (uint64_t)dirty : most;
}

/* Both ends are on and have a place free among those that copy at once. */
static bool may_copy(const struct bl_sim *sim, const struct bl_real_move *m)
{
    const uint32_t most = sim->opts.dc->migration.parallel_max;

    for (int end = 0; end < 2; end++) {
        const uint32_t h = m->host[end];

        if (sim->col.host_state[h] != BL_HOST_ON ||
            bl__real(sim)->host[h].copy_count >= most)
            return false;
    }
    return true;
}

/* Of those that wait at @h and may copy, the one asked for first. */
static uint32_t first_waiting(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real *r = bl__real(sim);
    uint32_t first = BL_NONE;

    for (uint32_t i = r->host[h].move_first; i != BL_NONE;
         i = r->move[i / 2].next[i % 2]) {
        const struct bl_real_move *m = &r->move[i / 2];

        if (m->phase == REAL_WAIT && may_copy(sim, m) &&
            (first == BL_NONE || m->asked < r->move[first].asked))
            first = i / 2;
    }
    return first;
}

void bl__real_start_waiting(struct bl_sim *sim, uint32_t h)
{
    uint32_t vm;

    while ((vm = first_waiting(sim, h)) != BL_NONE)
        begin_copy(sim, vm);
}

static void land(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);
    struct bl_columns *c = &sim->col;
    struct bl_real_move *m = &r->move[vm];
    const uint32_t source = m->host[REAL_SOURCE];
    const uint32_t target = m->host[REAL_TARGET];

    count_copy(sim, m, UINT32_MAX);
    add_rate(sim, source, -m->rate_bytes_per_s);
    add_rate(sim, target, -m->rate_bytes_per_s);
    list_remove(r, vm, REAL_SOURCE);
    list_remove(r, vm, REAL_TARGET);
    r->host[source].stopped--;
    r->vm_flags[vm] &= (uint8_t)~REAL_STOPPED;
    r->rare[vm].downtime_ns += sim->now_ns - m->stop_ns;
    m->phase = REAL_NO_MOVE;
    r->move_count--;
    bl__real_unlink(sim, source, vm, BL_ROLE_OUT);
    bl__real_unlink(sim, target, vm, BL_ROLE_IN);
    bl__real_link(sim, target, vm, BL_ROLE_HERE);
    c->vm_host[vm] = target;
    c->vm_migrating[vm] = false;
    bl__real_set_cap(sim, vm, target);
    bl__sim_event(sim, BL_EVENT_MIGRATION_DONE, vm, target);
    bl__real_start_waiting(sim, source);
    bl__real_start_waiting(sim, target);
    bl__real_left(sim, source);
}

void bl__real_move_event(struct bl_sim *sim, uint32_t vm)
{
    const struct bl_migration *cost = &sim->opts.dc->migration;
    struct bl_real *r = bl__real(sim);
    struct bl_real_move *m = &r->move[vm];

    bl__real_touch(sim, m->host[REAL_SOURCE]);
    if (m->phase == REAL_STOP) {
        land(sim, vm);
        return;
    }
    BL_ASSERT(m->phase == REAL_COPY);
    m->left = (bl_u128)dirtied_bytes(sim, vm) * BL_NS_PER_S;
    m->left_ns = sim->now_ns;
    m->work0 = bl__real_received(r, vm);
    if (m->round >= cost->rounds_max ||
        m->left <=
            (bl_u128)m->rate_bytes_per_s * (uint64_t)cost->downtime_ns_max) {
        m->phase = REAL_STOP;
        m->stop_ns = sim->now_ns;
        r->vm_flags[vm] |= REAL_STOPPED;
        r->host[m->host[REAL_SOURCE]].stopped++;
    } else {
        m->round++;
    }
    set_event(sim, vm);
}

/* ---- beginning and breaking off
 * -------------------------------------------------- */

enum bl_verdict bl__real_migrate_start(struct bl_sim *sim, uint32_t vm,
                                       uint32_t target)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_move *m = &r->move[vm];
    const enum bl_verdict v = bl__real_takes_vms(sim, target);
    const uint32_t source = sim->col.vm_host[vm];
    struct bl_resident *e;

    BL_ASSERT(m->phase == REAL_NO_MOVE);
    BL_ASSERT(bl_verdict_accepted(v));
    *m =
        (struct bl_real_move){ .phase = REAL_WAIT, .host = { source, target } };
    bl__real_touch(sim, source);
    e = bl__columns_find(&sim->col, source, vm, BL_ROLE_HERE);
    BL_ASSERT(e != NULL);
    e->role = BL_ROLE_OUT;
    sim->col.host_stamp[source] = sim->col.stamp_next++;
    sim->col.vm_migrating[vm] = true;
    bl__real_link(sim, target, vm, BL_ROLE_IN);
    bl__real_stay_on(sim, target); /* it is wanted again */
    list_add(r, vm, REAL_SOURCE);
    list_add(r, vm, REAL_TARGET);
    r->move_count++;
    m->asked = r->asked_next++;
    if (!may_copy(sim, m))
        return BL_VERDICT_LATER;
    begin_copy(sim, vm);
    return BL_VERDICT_OK;
}

/* The VM departs: both ends are rid of it. */
void bl__real_move_cancel(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_move *m = &r->move[vm];
    const uint32_t source = m->host[REAL_SOURCE];
    const uint32_t target = m->host[REAL_TARGET];

    BL_ASSERT(m->phase != REAL_NO_MOVE);
    bl__real_touch(sim, source);
    if (m->phase != REAL_WAIT) {
        count_copy(sim, m, UINT32_MAX);
        add_rate(sim, source, -m->rate_bytes_per_s);
        add_rate(sim, target, -m->rate_bytes_per_s);
    }
    if (m->phase == REAL_STOP) {
        r->host[source].stopped--;
        r->vm_flags[vm] &= (uint8_t)~REAL_STOPPED;
        r->rare[vm].downtime_ns += sim->now_ns - m->stop_ns;
    }
    list_remove(r, vm, REAL_SOURCE);
    list_remove(r, vm, REAL_TARGET);
    bl_heap_remove(&r->heap, event_id(sim, vm));
    m->phase = REAL_NO_MOVE;
    r->move_count--;
    sim->col.vm_migrating[vm] = false;
    bl__real_unlink(sim, source, vm, BL_ROLE_OUT);
    bl__real_unlink(sim, target, vm, BL_ROLE_IN);
    bl__real_start_waiting(sim, source);
    bl__real_start_waiting(sim, target);
}
