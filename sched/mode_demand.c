/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demand - siblings run together when they need one another.
 *
 * Source     Kim, Kim, Jeong, Lee, Maeng, "Demand-based coordinated scheduling
 *            for SMP VMs", ASPLOS 2013 [recalled]; a rate of talks from which
 *            on contexts are related: ESX's CommRateThreshold (FIELD.md A1).
 * Idea       a hypervisor sees when siblings talk: an interrupt from one to the
 *            other, a wake by a sibling, a pause-loop exit. Who is being waited
 *            for is urgent: it gets a pCPU at once, from whoever has had most,
 *            and keeps it for a moment; at a pause-loop exit for which there is
 *            no such pCPU, the one that spins gives up its own, as under
 *            `yield`. A VM that talks so often that moments are not enough
 *            becomes a gang (gang.h) for a while, unless it is wider than half
 *            of the host; running together it does not need to talk, so it is
 *            asked anew from time to time. VMs whose vCPUs do not talk are left
 *            alone.
 * Bound      an urgent start never puts a vCPU further ahead of its share than
 *            `ahead`, and never cuts a run shorter than `least`; a VM that
 *            talks less than `rate` is never a gang (test_sched_modes). A wide
 *            VM that talks still costs narrow ones beside it: its urgent starts
 *            are judged by the lag at the last look (doc/models/dispatch.md).
 * Deviation  the paper keeps an urgent queue in each pCPU and tells urgent
 *            interrupts (reschedule, TLB shoot-down) apart; we see one kind and
 *            start at once instead of queueing. Gangs on demand are ours.
 * Cost       a hint O(VM size * pCPUs), only while siblings wait.
 */
#include "sched/gang.h"

/* Talks are counted over this time. */
#define EPOCH_NS INT64_C(10000000)

enum { AHEAD, LEAST, HOLD, RATE, TOGETHER, SLICE, PARAMS };

static const struct bl_param params[PARAMS] = {
    [AHEAD] = { .name = "ahead",
                .dim = BL_DIM_TIME,
                .min = 0,
                .max = BL__SLICE_NS_MAX,
                .def = 1000000,
                .meaning = "how far ahead of its share an urgent vCPU may be" },
    [LEAST] = { .name = "least",
                .dim = BL_DIM_TIME,
                .min = 0,
                .max = BL__SLICE_NS_MAX,
                .def = 200000,
                .meaning = "nobody is stopped for it before it ran this long" },
    [HOLD] = { .name = "hold",
               .dim = BL_DIM_TIME,
               .min = 0,
               .max = BL__SLICE_NS_MAX,
               .def = 500000,
               .meaning = "no other urgent one takes its pCPU before" },
    [RATE] = { .name = "rate",
               .dim = BL_DIM_COUNT,
               .min = 1,
               .max = 1000000,
               .def = 1500,
               .meaning = "talks of a vCPU a second that make its VM a gang" },
    [TOGETHER] = { .name = "together",
                   .dim = BL_DIM_TIME,
                   .min = EPOCH_NS,
                   .max = 1000 * BL__SLICE_NS_MAX,
                   .def = 100000000,
                   .meaning = "for how long; then it is asked anew" },
    [SLICE] = { .name = "gang_slice",
                .dim = BL_DIM_TIME,
                .min = BL__SLICE_NS_MIN,
                .max = BL__SLICE_NS_MAX,
                .def = 3000000,
                .meaning = "time that such a VM runs together" },
};

/* ---- who talks ---------------------------------------------------------- */

/* @vm's vCPUs talk so often that they should start and stop together. */
static bool close_knit(const struct bl_sched *s, const struct bl__vm *m)
{
    return s->now_ns < m->together_ns;
}

static void count_talk(struct bl_sched *s, struct bl__vm *m)
{
    const uint64_t enough = (uint64_t)bl__param(&s->mode_params, RATE) *
                            m->count * EPOCH_NS / (uint64_t)BL_NS_PER_S;

    if (s->now_ns - m->epoch_ns >= EPOCH_NS) {
        m->epoch_ns = s->now_ns;
        m->talk_count = 0;
    }
    if (++m->talk_count >= enough)
        m->together_ns = s->now_ns + bl__param(&s->mode_params, TOGETHER);
}

/* ---- urgent starts ------------------------------------------------------ */

/* A stranger that ran long enough and is no more behind than @v. */
static bool yields(const struct bl_sched *s, uint32_t p, uint32_t v)
{
    const uint32_t c = s->pcpu[p].curr;

    return c != BL_NO_VCPU && s->vcpu[c].vm != s->vcpu[v].vm &&
           s->pcpu[p].protect_ns <= s->now_ns &&
           s->pcpu[p].held_ns <= s->now_ns && !bl__vm_of(s, c)->gang &&
           s->now_ns - s->vcpu[c].picked_ns >=
               bl__param(&s->mode_params, LEAST) &&
           bl_sched_lag_ns(s, c) <= bl_sched_lag_ns(s, v);
}

static bool urgent(struct bl_sched *s, uint32_t v, uint32_t waits)
{
    const struct bl__vcpu *x = &s->vcpu[v];
    const struct bl_cpuset none = { { 0 } };
    int64_t lag;
    uint32_t p;

    if (x->state != BL_VCPU_READY || bl__vm_of(s, v)->gang ||
        close_knit(s, bl__vm_of(s, v)))
        return false;
    lag =
        s->policy->owed != NULL ? s->policy->owed(s, v) : bl_sched_lag_ns(s, v);
    if (lag < -bl__param(&s->mode_params, AHEAD))
        return false;
    p = bl__find_room(s, v, x->last != BL_NO_PCPU ? x->last : 0, &none, yields);
    if (p == BL_NO_PCPU)
        return false;
    s->total.urgent_count++;
    bl__force(s, p, v, &(struct bl__why){ BL_SCHED_URGENT, { lag, waits } });
    return true;
}

/* @v spins, for any of its siblings that wait: all of them are urgent. If no
 * room is found for any, one runs where @v only wastes time. */
static void help(struct bl_sched *s, const struct bl__vm *m, uint32_t v)
{
    bool found = false;

    if (m->running == m->runnable)
        return;
    for (uint32_t i = m->first; i < m->first + m->count; i++)
        found |= urgent(s, i, v);
    if (!found && !m->gang)
        (void)bl__yield_to_sibling(s, v, bl__param(&s->mode_params, AHEAD));
}

static void demand_hint(struct bl_sched *s, enum bl_sched_hint hint, uint32_t v,
                        uint32_t other)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];

    count_talk(s, m);
    if (hint == BL_HINT_IPI)
        (void)urgent(s, other, v);
    else
        help(s, m, v);
}

/* Woken by a sibling: somebody waits for it, or it was waited for. */
static void demand_woke(struct bl_sched *s, uint32_t v, uint32_t from)
{
    const uint32_t waker = from != BL_NO_PCPU ? s->pcpu[from].curr : BL_NO_VCPU;

    bl__gang_woke(s, v);
    if (waker != BL_NO_VCPU && s->vcpu[waker].vm == s->vcpu[v].vm)
        (void)urgent(s, v, waker);
}

/* ---- starting and stopping together ------------------------------------- */

/* Of more than half of the host no two fit side by side, and what such a gang
 * leaves would idle while it waits for another. */
static bool is_wide(const struct bl_sched *s, const struct bl__vm *m)
{
    return 2 * m->count > s->topo->pcpu_count;
}

static bool demand_may_start(struct bl_sched *s, uint32_t p, uint32_t v)
{
    const struct bl__vm *m = bl__vm_of(s, v);

    return m->count == 1 || is_wide(s, m) || !(m->gang || close_knit(s, m)) ||
           bl__gang_may_start(s, p, v, bl__param(&s->mode_params, SLICE));
}

static void demand_started(struct bl_sched *s, uint32_t p, uint32_t v,
                           int64_t *until_ns)
{
    if (s->pcpu[p].start_why.reason == BL_SCHED_URGENT)
        s->pcpu[p].held_ns = s->now_ns + bl__param(&s->mode_params, HOLD);
    bl__gang_started(s, p, v, until_ns);
}

static void demand_halted(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    bl__gang_halted(s, v);
}

static int64_t demand_poll_ns(const struct bl_sched *s)
{
    (void)s;
    return BL__GANG_RETRY_NS;
}

const struct bl__mode bl__mode_demand = {
    .info = { .name = "demand",
              .summary = "siblings that need one another run together",
              .source = "Kim et al., ASPLOS 2013",
              .params = params,
              .param_count = PARAMS },
    .hint = demand_hint,
    .woke = demand_woke,
    .started = demand_started,
    .poll_ns = demand_poll_ns,
    .poll = bl__gang_retry,
    .holds_back = true,
    .may_start = demand_may_start,
    .wait_why = BL_SCHED_GANG_WAITS,
    .put_back = bl__gang_put_back,
    .halted = demand_halted,
};
