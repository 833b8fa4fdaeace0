/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fair - proportional share on many pCPUs: one queue in virtual time for each,
 * and one virtual time for all.
 *
 * Source     within a queue: EEVDF (eevdf.c). Across queues: global virtual
 *            time kept together by stealing, as in Kim, Choi, Huh, "GVTS:
 *            Global Virtual Time Fair Scheduling to Support Strict Fairness on
 *            Many Cores", IEEE TPDS 30(1), 2019 [recalled]. Weights: fluid.c.
 * Idea       virtual times of all queues are on one scale, and their mean is
 *            the host's. A pCPU that picks takes its own best vCPU, unless the
 *            deadline of one that waits elsewhere has passed in its queue's
 *            virtual time (by more, the further away): then it takes that one.
 *            So queues cannot run apart, although each decides alone; and 17
 *            vCPUs on 16 pCPUs take turns at sharing. A pCPU with nothing to do
 *            takes whoever is due first, near ones first.
 *            A vCPU that wakes goes to an idle pCPU (near where it ran, on an
 *            idle core), else where what runs has the latest deadline of a few;
 *            it preempts when its own is earlier. It starts from where its VM
 *            is in the host's virtual time, owed at most one request; requests
 *            are as long as its usual bursts, so short ones come soon. Who is
 *            owed a whole pCPU keeps it.
 * Bound      in a queue that of eevdf.c (test_sched_lag); on the host |received
 *            - ideal| <= 0.5 % + 2 slices over 1 s, 0.5 % over 10 s
 *            (test_sched_fair); no pCPU idles beside a waiting vCPU that it may
 *            run (bl_sched_check).
 * Deviation  GVTS throttles who is ahead and keeps a target for each level of
 *            the topology; we let whoever picks steal, with a threshold for
 *            each level.
 * Cost       pick O(log n + log pCPUs); with pinned vCPUs O(waiting).
 */
#include "sched/fair.h"
#include "sched/place.h"

enum { PATIENCE = BL__FAIR_PARAMS, WIDTH, PARAMS };

static const struct bl_param params[PARAMS] = {
    [BL__FAIR_SLICE] = BL__FAIR_SLICE_PARAM,
    [BL__FAIR_SLICE_MIN] = BL__FAIR_SLICE_MIN_PARAM,
    [PATIENCE] = { .name = "patience",
                   .dim = BL_DIM_RATIO,
                   .min = 0,
                   .max = 100 * BL_PPM,
                   .def = 500000, /* see doc/models/dispatch.md */
                   .meaning = "slices overdue, for another LLC" },
    [WIDTH] = { .name = "width",
                .dim = BL_DIM_COUNT,
                .min = 1,
                .max = BL_PCPUS_MAX,
                .def = 4, /* ESX: WakeupMigrateIdlePcpus, FIELD.md A1 */
                .meaning = "pCPUs looked at for one that wakes" },
};

/* ---- waking ------------------------------------------------------------- */

/* May @v wait behind what runs on @p? Not behind one that is owed a whole pCPU:
 * it could never make up for what it misses. */
static bool shares_pcpu(const struct bl_sched *s, uint32_t v, uint32_t p)
{
    const uint32_t c = s->pcpu[p].curr;

    return c != BL_NO_VCPU && bl__may_run(s, v, p) &&
           s->pcpu[p].protect_ns <= s->now_ns &&
           !bl__fluid_at_cap(s, s->vcpu[c].vm);
}

/* Of @width pCPUs of @r from @p on, around, the one where what runs has the
 * latest deadline; BL_NO_PCPU when @v may share none. */
static uint32_t most_ahead(const struct bl_sched *s, uint32_t v, uint32_t p,
                           struct bl_topo_range r, uint32_t width)
{
    uint32_t best = BL_NO_PCPU, at = p;

    for (uint32_t i = 0; i < width && i < r.count; i++) {
        if (shares_pcpu(s, v, at) &&
            (best == BL_NO_PCPU ||
             bl__v_before(s->node[s->pcpu[best].curr].deadline,
                          s->node[s->pcpu[at].curr].deadline)))
            best = at;
        at = at + 1 < (uint32_t)r.first + r.count ? at + 1 : r.first;
    }
    return best;
}

/* Where @v waits when no pCPU is idle. */
static uint32_t choose_queue(const struct bl_sched *s, uint32_t v,
                             uint32_t near)
{
    const struct bl_topo *t = s->topo;
    const struct bl_topo_range host = { 0, (uint16_t)t->pcpu_count };
    uint32_t p = most_ahead(s, v, near, t->llc[t->llc_of[near]],
                            (uint32_t)bl__param(&s->policy_params, WIDTH));

    if (p == BL_NO_PCPU)
        p = most_ahead(s, v, near, host, t->pcpu_count);
    return p != BL_NO_PCPU ? p : near;
}

static void fair_enqueue(struct bl_sched *s, uint32_t v)
{
    const uint32_t last = s->vcpu[v].last;
    const bool here = last != BL_NO_PCPU && bl__may_run(s, v, last);
    const uint32_t near = here ? last : bl__place_any(s, v);
    uint32_t p = bl__place_idle(s, v, near);

    if (p == BL_NO_PCPU)
        p = choose_queue(s, v, near);
    bl__fair_join(s, p, v);
}

/* ---- picking ------------------------------------------------------------ */

static uint64_t part_of(uint64_t v, uint64_t ppm)
{
    return v / 1024 * (ppm * 1024 / (uint64_t)BL_PPM);
}

static struct bl_topo_range reach_range(const struct bl_topo *t, uint32_t p,
                                        enum bl_topo_reach reach)
{
    if (reach == BL_REACH_LLC)
        return t->llc[t->llc_of[p]];
    if (reach == BL_REACH_NODE)
        return t->node[t->node_of[p]];
    return (struct bl_topo_range){ 0, (uint16_t)t->pcpu_count };
}

/* Levels that are the same range are looked at once. */
static enum bl_topo_reach next_reach(const struct bl_topo *t,
                                     enum bl_topo_reach r)
{
    if (r == BL_REACH_LLC && t->llc_count > t->node_count)
        return BL_REACH_NODE;
    return r < BL_REACH_HOST && t->llc_count > 1 ? BL_REACH_HOST
                                                 : BL_REACH_COUNT;
}

/* With how far it is behind the virtual time of this queue, in its CPU time. */
static void say_stolen(struct bl_sched *s, uint32_t p, uint32_t v,
                       enum bl_sched_reason why)
{
    const struct bl__queue *q = bl__fair_queue(s, p);
    struct bl__why *w = &s->pcpu[p].start_why;

    w->reason = why;
    w->figure[0] = s->vcpu[v].queue;
    w->figure[1] = s->opts.sink != NULL && q->mean.weight > 0
                       ? bl__eevdf_lag_ns(s, q, v)
                       : 0;
}

/* Somebody who waits elsewhere although its deadline has passed in the virtual
 * time of this queue: by @by_ppm of its slices within the LLC, by `patience`
 * more further away; BL_NO_VCPU. */
static uint32_t overdue(struct bl_sched *s, uint32_t p, uint64_t by_ppm)
{
    const struct bl__queue *q = bl__fair_queue(s, p);
    const struct bl__drift_node all = bl__drift_all(&bl__fair_of(s)->drift);

    if (all.pcpu == BL_NO_PCPU || !bl__eevdf_reached(q, all.deadline))
        return BL_NO_VCPU;
    for (enum bl_topo_reach r = BL_REACH_LLC; r <= BL_REACH_HOST;
         r = next_reach(s->topo, r)) {
        const uint32_t v = bl__fair_first_in(s, reach_range(s->topo, p, r), p);
        const uint64_t late =
            by_ppm + (r > BL_REACH_LLC
                          ? (uint64_t)bl__param(&s->policy_params, PATIENCE)
                          : 0);

        if (v != BL_NO_VCPU && s->vcpu[v].queue != p &&
            bl__eevdf_reached(q, s->node[v].deadline +
                                     part_of(s->node[v].span, late))) {
            say_stolen(s, p, v, BL_SCHED_STOLEN_FAIR);
            s->total.steal_fair_count++;
            return v;
        }
    }
    return BL_NO_VCPU;
}

/* Anybody who waits, near ones first; BL_NO_VCPU. */
static uint32_t anybody(struct bl_sched *s, uint32_t p)
{
    if (bl__drift_all(&bl__fair_of(s)->drift).pcpu == BL_NO_PCPU)
        return BL_NO_VCPU;
    for (enum bl_topo_reach r = BL_REACH_LLC; r <= BL_REACH_HOST;
         r = next_reach(s->topo, r)) {
        const uint32_t v = bl__fair_first_in(s, reach_range(s->topo, p, r), p);

        if (v != BL_NO_VCPU) {
            say_stolen(s, p, v, BL_SCHED_STOLEN_IDLE);
            s->total.steal_idle_count++;
            return v;
        }
    }
    return BL_NO_VCPU;
}

/* What ran here until now is owed a whole pCPU and should go on, unless that
 * has put it a slice ahead of others in the queue. */
static bool goes_on(const struct bl_sched *s, uint32_t p)
{
    const uint32_t v = s->pcpu[p].back;

    return v != BL_NO_VCPU && s->vcpu[v].state == BL_VCPU_READY &&
           s->vcpu[v].queue == p && bl__fluid_at_cap(s, s->vcpu[v].vm) &&
           bl__eevdf_lag_ns(s, bl__fair_queue(s, p), v) >=
               -(int64_t)s->node[v].slice_ns;
}

/* So late is nobody unless there are pCPUs that are not for everybody: then
 * what the host owes is not what this pCPU can give. */
#define VERY_LATE_PPM UINT64_C(2000000)

static uint32_t fair_pick(struct bl_sched *s, uint32_t p)
{
    const uint32_t own = bl__eevdf_best(s, bl__fair_queue(s, p));
    const bool same = own != BL_NO_VCPU && goes_on(s, p);
    uint32_t v;

    if (own != BL_NO_VCPU)
        bl__expect(s, own);
    if (own == BL_NO_VCPU)
        v = anybody(s, p);
    else
        v = overdue(s, p, same ? VERY_LATE_PPM : 0);
    if (v == BL_NO_VCPU && same)
        v = s->pcpu[p].back;
    if (v == BL_NO_VCPU)
        v = own;
    if (v != BL_NO_VCPU)
        bl__fair_take(s, p, v);
    return v;
}

static bl_err fair_create(struct bl_sched *s, struct bl_arena *a)
{
    return bl__fair_create(s, a, true);
}

const struct bl__policy bl__policy_fair = {
    .info = { .name = "fair",
              .summary = "proportional share: EEVDF queues, one virtual time",
              .source = "Stoica, Abdel-Wahab 1995; Kim, Choi, Huh 2019",
              .params = params,
              .param_count = PARAMS,
              .low = BL__FAIR_SLICE_MIN,
              .high = BL__FAIR_SLICE },
    .conserving = true,
    .create = fair_create,
    .enqueue = fair_enqueue,
    .dequeue = bl__fair_dequeue,
    .pick = fair_pick,
    .take = bl__fair_take,
    .account = bl__fair_account,
    .stop = bl__fair_stop,
    .slice = bl__fair_slice,
    .reweight = bl__fair_reweight,
    .lag = bl__fair_lag,
    .owed = bl__fair_owed,
    .hash = bl__fair_hash,
    .check = bl__fair_check,
};
