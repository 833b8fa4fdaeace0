/* SPDX-License-Identifier: Apache-2.0 */
/* real_check - every invariant of the profile, at any instant. What follows
 * from rates is looked at only while no change waits to be settled. */
#include "base/units.h"
#include "sim/real_priv.h"

/* Lists of migrations: each is in the list of both its ends, once. */
static void check_moves_at(const struct bl_sim *sim, uint32_t h, uint32_t *seen)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_host *host = &r->host[h];
    uint32_t prev = BL_NONE, copying = 0;
    uint64_t rate = 0;

    for (uint32_t i = host->move_first; i != BL_NONE;
         i = r->move[i / 2].next[i % 2]) {
        const struct bl_real_move *m = &r->move[i / 2];

        BL_ASSERT(++*seen <= 2 * r->move_count);
        BL_ASSERT(m->phase != REAL_NO_MOVE);
        BL_ASSERT(m->host[i % 2] == h);
        BL_ASSERT(m->prev[i % 2] == prev);
        if (m->phase != REAL_WAIT) {
            copying++;
            rate += m->rate_bytes_per_s;
        }
        prev = i;
    }
    BL_ASSERT(host->copy_count == copying);
    BL_ASSERT(copying <= sim->opts.dc->migration.parallel_max);
    BL_ASSERT(host->copy_bytes_per_s == rate);
    if (!host->dirty_rates && r->dirty_count == 0 && copying > 0)
        BL_ASSERT(rate <= bl__real_group(sim, h)->net_bytes_per_s ||
                  rate == copying);
}

static void check_move(const struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    const struct bl_real_move *m = &r->move[vm];
    const bool stopped = (r->vm_flags[vm] & REAL_STOPPED) != 0;

    BL_ASSERT(c->vm_migrating[vm] == (m->phase != REAL_NO_MOVE));
    BL_ASSERT(stopped == (m->phase == REAL_STOP));
    if (m->phase == REAL_NO_MOVE)
        return;
    BL_ASSERT(c->vm_state[vm] == BL_VM_PLACED);
    BL_ASSERT(c->vm_host[vm] == m->host[REAL_SOURCE]);
    BL_ASSERT(c->host_state[m->host[REAL_SOURCE]] == BL_HOST_ON);
    /* who waits has a reason: a host that is not on, or a full link */
    BL_ASSERT((m->phase == REAL_WAIT) ||
              c->host_state[m->host[REAL_TARGET]] == BL_HOST_ON);
    BL_ASSERT(m->phase != REAL_WAIT ||
              c->host_state[m->host[REAL_TARGET]] != BL_HOST_ON ||
              r->host[m->host[REAL_SOURCE]].copy_count >=
                  sim->opts.dc->migration.parallel_max ||
              r->host[m->host[REAL_TARGET]].copy_count >=
                  sim->opts.dc->migration.parallel_max);
    BL_ASSERT(m->phase == REAL_WAIT ||
              m->round <= sim->opts.dc->migration.rounds_max);
}

/* The host's sums against its list. */
static void check_list(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    const struct bl_real_host *host = &r->host[h];
    uint64_t used = 0, run = 0, committed = 0, want = 0, lost = 0, mem_lost = 0;
    uint32_t vms = 0, coming = 0, stopped = 0, last = 0;

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next) {
        const uint32_t vm = c->resident[i].vm;
        const struct bl_real_rare *x = &r->rare[vm];
        uint64_t short_khz = 0;

        BL_ASSERT(vm >= last); /* in the order of ids */
        last = vm;
        used += c->vm_mem_used_bytes[vm];
        committed += c->vm_mem_size_bytes[vm];
        if (c->resident[i].role == BL_ROLE_IN) {
            coming++;
            continue;
        }
        vms++;
        run += c->vm_mem_used_bytes[vm];
        stopped += (r->vm_flags[vm] & REAL_STOPPED) != 0;
        want += r->vm[vm].want_khz;
        if (!(r->vm_flags[vm] & REAL_SHORT))
            continue;
        BL_ASSERT(host->cold);
        for (int k = 0; k < BL_CAUSE_COUNT; k++)
            short_khz += x->short_khz[k];
        BL_ASSERT(short_khz <= r->vm[vm].want_khz || host->dirty);
        lost += short_khz;
        mem_lost += x->mem_short_bytes;
    }
    BL_ASSERT(c->host_mem_used_bytes[h] == used);
    BL_ASSERT(c->host_mem_committed_bytes[h] == committed);
    BL_ASSERT(host->mem_run_bytes == run);
    BL_ASSERT(host->vms == vms);
    BL_ASSERT(host->coming == coming);
    BL_ASSERT(host->stopped == stopped);
    BL_ASSERT(host->vms <= host->vms_max);
    BL_ASSERT(r->lit[h] || (vms == 0 && coming == 0));
    if (host->dirty)
        return;
    BL_ASSERT(host->demand_khz == want);
    BL_ASSERT(host->served_khz == want - lost);
    if (c->host_state[h] == BL_HOST_ON)
        BL_ASSERT(host->mem_have_bytes == run - mem_lost);
    else
        BL_ASSERT(host->mem_have_bytes == 0);
}

static void check_host(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    const struct bl_real_host *host = &r->host[h];
    const uint8_t state = c->host_state[h];
    const bool moving = state == BL_HOST_ENTERING || state == BL_HOST_LEAVING;

    BL_ASSERT((r->heap.place[h] > 0) == moving);
    BL_ASSERT(host->account_ns <= sim->now_ns);
    BL_ASSERT(host->trans_pj + host->copy_pj <= host->energy_pj);
    BL_ASSERT(host->violated_ns <= host->active_ns);
    BL_ASSERT(host->active_ns <= host->on_ns);
    BL_ASSERT(host->on_ns + host->trans_ns <= sim->now_ns - r->counted_ns);
    BL_ASSERT(host->wake_later <= (state == BL_HOST_ENTERING));
    BL_ASSERT(host->sleep_later == BL_HOST_ON ||
              (state == BL_HOST_ON && host->vms > 0 && host->coming == 0));
    if (state == BL_HOST_ENTERING)
        BL_ASSERT(host->vms == 0 || host->wake_later);
    if (state == BL_HOST_STANDBY || state == BL_HOST_OFF)
        BL_ASSERT(c->host_first[h] == BL_NONE);
    check_list(sim, h);
    if (host->dirty)
        return;
    BL_ASSERT(host->served_khz <= host->demand_khz);
    BL_ASSERT(host->served_khz + host->copy_khz <= c->host_capacity_khz[h]);
    if (r->speeds != NULL)
        bl__real_speed_check(sim, h);
    BL_ASSERT(host->mem_have_bytes <= c->host_mem_bytes[h]);
    BL_ASSERT(host->busy == (state == BL_HOST_ON && host->vms > 0));
    BL_ASSERT(!host->violated || host->busy);
    BL_ASSERT(host->copy_mw <= host->power_mw);
}

/* What all hosts and VMs account for is what the sums over time say. */
static void check_sums(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    struct bl_real_rates t = { .demand_khz = r->pending_khz,
                               .mem_bytes = r->pending_mem_bytes };
    bl_u128 energy_pj = 0;
    uint32_t on = 0;

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        const struct bl_real_host *x = &r->host[h];
        const bl_u128 open_ns = (uint64_t)(sim->now_ns - x->account_ns);

        t.demand_khz += x->demand_khz;
        t.served_khz += x->served_khz;
        t.power_mw += x->power_mw;
        t.mem_bytes += x->mem_run_bytes;
        t.mem_have_bytes += x->mem_have_bytes;
        t.busy_count += x->busy;
        on += sim->col.host_state[h] == BL_HOST_ON;
        energy_pj += x->energy_pj + open_ns * x->power_mw;
    }
    BL_ASSERT(on == r->on_count);
    if (r->dirty_count > 0)
        return;
    BL_ASSERT(r->rate.demand_khz == t.demand_khz);
    BL_ASSERT(r->rate.served_khz == t.served_khz);
    BL_ASSERT(r->rate.power_mw == t.power_mw);
    BL_ASSERT(r->rate.mem_bytes == t.mem_bytes);
    BL_ASSERT(r->rate.mem_have_bytes == t.mem_have_bytes);
    BL_ASSERT(r->rate.busy_count == t.busy_count);
    BL_ASSERT(r->sum.energy_pj == energy_pj);
}

/* Served plus lost is demand, over all VMs and all time, to the last kHz ns. */
static void check_work(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    struct bl_real_total t = r->gone_total;
    bl_u128 served;
    uint32_t alive = 0, moves = 0;

    for (uint32_t vm = 0; vm < sim->col.slot_count; vm++) {
        const uint32_t h = sim->col.vm_host[vm];
        uint64_t lost_khz = 0;

        check_move(sim, vm);
        if (sim->col.vm_state[vm] == BL_VM_ABSENT)
            continue;
        alive++;
        moves += r->move[vm].phase != REAL_NO_MOVE;
        BL_ASSERT(r->vm[vm].want_khz <= r->vm[vm].cap_khz ||
                  (h != BL_NONE && r->host[h].dirty));
        bl__real_add_total(sim, vm, &t);

        const int64_t from_ns =
            h != BL_NONE ? r->host[h].account_ns : r->pending_ns;
        const bl_u128 open_ns = (uint64_t)(sim->now_ns - from_ns);

        if (h == BL_NONE)
            lost_khz = r->vm[vm].want_khz;
        else if (r->vm_flags[vm] & REAL_SHORT)
            for (int c = 0; c < BL_CAUSE_COUNT; c++)
                lost_khz += r->rare[vm].short_khz[c];
        t.demand += open_ns * r->vm[vm].want_khz;
        t.lost[0] += open_ns * lost_khz;
    }
    BL_ASSERT(alive == r->alive);
    BL_ASSERT(moves == r->move_count);
    served = t.demand;
    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        served -= t.lost[c];
    if (r->counted_ns < sim->opts.warmup_ns)
        return; /* those that departed are not in the totals yet */
    BL_ASSERT(t.demand == r->sum.demand);
    BL_ASSERT(served == r->sum.served);
}

void bl__real_check(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    uint32_t seen = 0;

    bl_heap_check(&r->heap);
    BL_ASSERT(bl_heap_next_ns(&r->heap) >= sim->now_ns);
    BL_ASSERT(r->sum_ns == sim->now_ns);
    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        check_moves_at(sim, h, &seen);
        check_host(sim, h);
    }
    BL_ASSERT(seen == 2 * r->move_count);
    for (uint32_t i = 0; i < r->pending_count; i++) {
        BL_ASSERT(r->pending_at[r->pending[i]] == i);
        BL_ASSERT(sim->col.vm_state[r->pending[i]] == BL_VM_PENDING);
    }
    check_sums(sim);
    check_work(sim);
    if (r->pools != NULL)
        bl__real_pools_check(sim);
    if (r->speeds != NULL)
        bl__real_caps_check(sim);
}
