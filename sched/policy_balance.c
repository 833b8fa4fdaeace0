/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balance - siblings wait in different queues.
 *
 * Source     Sukwong, Kim, "Is co-scheduling too expensive for SMP VMs?",
 *            EuroSys 2011: balance scheduling on top of CFS.
 * Idea       two vCPUs of a VM in one queue run one after the other, so nothing
 *            that one of them waits for can happen while it waits. Each vCPU
 *            that becomes runnable goes to a queue without a sibling in it;
 *            that alone makes it likely that siblings run at about the same
 *            time.
 * Bound      while a VM has no more vCPUs than there are pCPUs that it may use,
 *            a vCPU that becomes runnable joins a queue without siblings
 *            (test_sched_policies); in a queue that of eevdf.c.
 * Deviation  the queues are ours (EEVDF) instead of CFS's red-black trees;
 *            queues are evened out when a vCPU becomes runnable and when a pCPU
 *            has nothing to do, not by a periodic balancer.
 * Cost       enqueue O(pCPUs + VM size), pick O(log n).
 */
#include "sched/fair.h"
#include "sched/place.h"

static const struct bl_param params[] = {
    BL__FAIR_SLICE_PARAM,
    BL__FAIR_SLICE_MIN_PARAM,
};

/* pCPUs whose queue has a sibling of @v, waiting or running. */
static struct bl_cpuset taken_by_siblings(const struct bl_sched *s, uint32_t v)
{
    const struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    struct bl_cpuset set = { { 0 } };

    for (uint32_t i = m->first; i < m->first + m->count; i++)
        if (i != v && (s->vcpu[i].state == BL_VCPU_READY ||
                       s->vcpu[i].state == BL_VCPU_RUN))
            bl_cpuset_add(&set, s->vcpu[i].queue);
    return set;
}

static uint32_t members(const struct bl_sched *s, uint32_t p)
{
    const uint32_t n =
        bl__fair_queue(s, p)->count + (s->pcpu[p].curr != BL_NO_VCPU);

    return n > 0 ? n : !bl__is_idle(s, p); /* somebody is on its way there */
}

/* Of the pCPUs that @v may use the one with the shortest queue, without
 * siblings if there is one, near @near if several are as short. */
static uint32_t shortest(const struct bl_sched *s, uint32_t v, uint32_t near)
{
    const struct bl_cpuset taken = taken_by_siblings(s, v);
    uint32_t best = BL_NO_PCPU;
    uint64_t best_cost = UINT64_MAX;

    for (uint32_t p = 0; p < s->topo->pcpu_count; p++) {
        const uint64_t far = bl_topo_reach(s->topo, near, p);
        const uint64_t cost = (uint64_t)bl_cpuset_has(&taken, p) << 48 |
                              (uint64_t)members(s, p) << 16 | far;

        if (bl__may_run(s, v, p) && cost < best_cost) {
            best_cost = cost;
            best = p;
        }
    }
    return best;
}

static void balance_enqueue(struct bl_sched *s, uint32_t v)
{
    const uint32_t last = s->vcpu[v].last;
    const bool here = last != BL_NO_PCPU && bl__may_run(s, v, last);

    bl__fair_join(s, shortest(s, v, here ? last : bl__place_any(s, v)), v);
}

/* Somebody who waits elsewhere, nearest first. */
static uint32_t pull(struct bl_sched *s, uint32_t p)
{
    const struct bl_topo *t = s->topo;
    const struct bl_topo_range near[] = { t->llc[t->llc_of[p]],
                                          t->node[t->node_of[p]],
                                          { 0, (uint16_t)t->pcpu_count } };

    for (int i = 0; i < 3; i++) {
        const uint32_t v = bl__fair_first_in(s, near[i], p);

        if (v != BL_NO_VCPU) {
            s->pcpu[p].start_why.reason = BL_SCHED_STOLEN_IDLE;
            s->pcpu[p].start_why.figure[0] = s->vcpu[v].queue;
            s->pcpu[p].start_why.figure[1] = 0;
            s->total.steal_idle_count++;
            return v;
        }
    }
    return BL_NO_VCPU;
}

static uint32_t balance_pick(struct bl_sched *s, uint32_t p)
{
    uint32_t v = bl__eevdf_best(s, bl__fair_queue(s, p));

    if (v != BL_NO_VCPU) {
        bl__fair_start(s, p, v);
        return v;
    }
    v = pull(s, p);
    if (v != BL_NO_VCPU)
        bl__fair_take(s, p, v);
    return v;
}

static bl_err balance_create(struct bl_sched *s, struct bl_arena *a)
{
    return bl__fair_create(s, a, false);
}

const struct bl__policy bl__policy_balance = {
    .info = { .name = "balance",
              .summary = "siblings wait in different queues",
              .source = "Sukwong, Kim, EuroSys 2011",
              .params = params,
              .param_count = 2,
              .low = BL__FAIR_SLICE_MIN,
              .high = BL__FAIR_SLICE },
    .conserving = true,
    .create = balance_create,
    .enqueue = balance_enqueue,
    .dequeue = bl__fair_dequeue,
    .pick = balance_pick,
    .take = bl__fair_take,
    .account = bl__fair_account,
    .stop = bl__fair_stop,
    .slice = bl__fair_slice,
    .reweight = bl__fair_reweight,
    .lag = bl__fair_lag,
    .hash = bl__fair_hash,
    .check = bl__fair_check,
};
