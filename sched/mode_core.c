/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core - the threads of a core run one VM at a time.
 *
 * Source     core scheduling of Linux (cookies) and of Xen (sched-gran=core),
 *            as their documentation describes it.
 * Idea       threads of a core share caches that leak; so no two VMs on one
 *            core at once. One busy thread of a core leads, each for 10 ms in
 *            turn: it picks as the policy wants. The others run siblings of
 *            what it runs, the one furthest behind first, or idle; they follow
 *            when it changes VM.
 * Bound      at no time do two VMs run on one core (bl_sched_check).
 * Deviation  Linux lets the thread with the highest-priority task decide; a
 *            leader that changes by the clock is simpler and starves no queue.
 * Cost       pick O(VM size).
 */
#include "sched/cosched.h"

/* For how long the same thread of a core leads. */
#define TURN_NS INT64_C(10000000)

/* The VM on the core of @p, on other threads than @p; BL__NO_INDEX: none. */
static uint32_t vm_beside(const struct bl_sched *s, uint32_t p)
{
    const struct bl_topo_range r = s->topo->core[s->topo->core_of[p]];

    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        if (q != p && s->pcpu[q].curr != BL_NO_VCPU)
            return s->vcpu[s->pcpu[q].curr].vm;
    return BL__NO_INDEX;
}

/* Is @p the first busy thread of its core, or would it be? The count starts
 * with each thread in turn, so that what waits for any of them has its time. */
static bool leads(const struct bl_sched *s, uint32_t p)
{
    const struct bl_topo_range r = s->topo->core[s->topo->core_of[p]];
    const uint32_t turn = (uint32_t)(s->now_ns / TURN_NS % r.count);

    for (uint32_t i = 0; i < r.count; i++) {
        const uint32_t q = r.first + (turn + i) % r.count;

        if (q == p)
            return true;
        if (s->pcpu[q].curr != BL_NO_VCPU)
            return false;
    }
    return true;
}

/* A vCPU of @vm that waits and may run on @p, furthest behind first. */
static uint32_t sibling_for(const struct bl_sched *s, uint32_t vm, uint32_t p)
{
    const struct bl__vm *m = &s->vm[vm];
    uint32_t best = BL_NO_VCPU;

    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        const struct bl__vcpu *x = &s->vcpu[v];

        if (x->state == BL_VCPU_READY && bl__may_run(s, v, p) &&
            (best == BL_NO_VCPU || x->progress_ns < s->vcpu[best].progress_ns))
            best = v;
    }
    return best;
}

static void call_others(struct bl_sched *s, uint32_t p)
{
    const struct bl_topo_range r = s->topo->core[s->topo->core_of[p]];

    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        if (q != p)
            bl__kick(s, q, BL_SCHED_PREEMPTED);
}

/* Only those with nothing to do: two that run would call one another for ever.
 */
static void call_idle(struct bl_sched *s, uint32_t p)
{
    const struct bl_topo_range r = s->topo->core[s->topo->core_of[p]];

    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        if (q != p && s->pcpu[q].curr == BL_NO_VCPU)
            bl__kick(s, q, BL_SCHED_PREEMPTED);
}

static uint32_t core_choose(struct bl_sched *s, uint32_t p)
{
    const uint32_t vm = vm_beside(s, p);
    uint32_t v;

    if (vm == BL__NO_INDEX || leads(s, p))
        return BL_NO_VCPU; /* as the policy wants */
    v = sibling_for(s, vm, p);
    if (v == BL_NO_VCPU)
        return BL__IDLE;
    s->pcpu[p].start_why = (struct bl__why){ BL_SCHED_CORE_GRANT, { vm, 0 } };
    return v;
}

/* Another VM than beside it: those have to go first. A leader's choice is what
 * counts; so they do, at once. */
static bool core_may_start(struct bl_sched *s, uint32_t p, uint32_t v)
{
    const struct bl_topo_range r = s->topo->core[s->topo->core_of[p]];

    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        if (q != p && s->pcpu[q].curr != BL_NO_VCPU &&
            s->vcpu[s->pcpu[q].curr].vm != s->vcpu[v].vm)
            bl__evict(s, q, BL_SCHED_CORE_GRANT);
    return true;
}

static void core_started(struct bl_sched *s, uint32_t p, uint32_t v,
                         int64_t *until_ns)
{
    const struct bl__vm *m = bl__vm_of(s, v);

    (void)until_ns;
    if (m->count > 1 && m->running < m->runnable)
        call_idle(s, p);
}

/* A core without its leader: another thread leads now and may pick freely. */
static void core_halted(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)v;
    call_others(s, p);
}

static void core_woke(struct bl_sched *s, uint32_t v, uint32_t from)
{
    const struct bl__vm *m = bl__vm_of(s, v);

    (void)from;
    if (s->vcpu[v].state != BL_VCPU_READY)
        return;
    for (uint32_t i = m->first; i < m->first + m->count; i++)
        if (s->vcpu[i].state == BL_VCPU_RUN)
            call_others(s, s->vcpu[i].pcpu);
}

static int64_t core_poll_ns(const struct bl_sched *s)
{
    (void)s;
    return TURN_NS;
}

/* A thread that idles does not know that it is its turn. */
static void core_poll(struct bl_sched *s)
{
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        if (bl__is_idle(s, p))
            bl__kick(s, p, BL_SCHED_PICKED);
}

static void core_check(const struct bl_sched *s)
{
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++) {
        const uint32_t vm = vm_beside(s, p);

        if (s->pcpu[p].curr != BL_NO_VCPU && vm != BL__NO_INDEX)
            BL_ASSERT(s->vcpu[s->pcpu[p].curr].vm == vm);
    }
}

const struct bl__mode bl__mode_core = {
    .info = { .name = "core",
              .summary = "no two VMs on one core at the same time",
              .source = "core scheduling of Linux and Xen" },
    .whole_cores = true,
    .poll_ns = core_poll_ns,
    .poll = core_poll,
    .choose = core_choose,
    .holds_back = true,
    .may_start = core_may_start,
    .started = core_started,
    .halted = core_halted,
    .woke = core_woke,
    .check = core_check,
};
