/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit - a VM never gets more than its limit.
 *
 * Source     token bucket; the shared budget with parked vCPUs is that of Xen's
 *            credit2 (FIELD.md B1, cap period 10 ms).
 * Idea       each VM with a limit has a budget of run time that grows at the
 *            rate of the limit, up to one refill (10 ms worth) and 2 ms for
 *            each vCPU: a turn that comes a slice late loses nothing. Running
 *            takes from it; at or below zero, the VM's vCPUs are LIMITED until
 *            the next multiple of 2 ms at which there is budget again. What was
 *            overdrawn is paid back first.
 * Bound      over any window T: limit * T + one refill + one slice for each
 *            vCPU (test_sched_fair).
 * Deviation  credit2 refills at the period only; growing all the time keeps a
 *            burst before and one after a refill from adding up.
 * Cost       O(1) a charge; O(VMs with a limit) every 2 ms.
 */
#include "sched/sched_priv.h"

/* How often throttled VMs are looked at. */
#define LOOK_NS INT64_C(2000000)

/* No shorter run than this for the sake of a budget: it is overdrawn instead.
 */
#define RUN_NS_MIN INT64_C(100000)

/* What waiting for a turn must not cost: for each vCPU. */
#define PATIENCE_NS INT64_C(2000000)

/* The most that a budget grows to. */
static int64_t most_of(const struct bl__vm *m)
{
    return (int64_t)(m->set.limit_ppm * (uint64_t)BL__REFILL_NS /
                     (uint64_t)BL_PPM) +
           m->count * PATIENCE_NS;
}

static void grow(struct bl_sched *s, struct bl__vm *m)
{
    const uint64_t dt = (uint64_t)(s->now_ns - m->refilled_ns);
    const bl_u128 more = (bl_u128)dt * m->set.limit_ppm + m->refill_rest;
    const int64_t most = most_of(m);
    const bl_u128 ns = more / (uint64_t)BL_PPM;

    m->refilled_ns = s->now_ns;
    m->refill_rest = (uint64_t)(more % (uint64_t)BL_PPM);
    if (ns > (bl_u128)(most - m->budget_ns)) {
        m->budget_ns = most;
        m->refill_rest = 0;
    } else {
        m->budget_ns += (int64_t)ns;
    }
}

static void forget(struct bl_sched *s, struct bl__vm *m)
{
    const uint32_t last = s->limited[--s->limited_vms];

    s->limited[m->limit_index] = last;
    s->vm[last].limit_index = m->limit_index;
    m->limit_index = BL__NO_INDEX;
}

static void release(struct bl_sched *s, struct bl__vm *m)
{
    m->throttled = false;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_LIMITED)
            bl__unthrottle(s, v);
}

void bl__limit_settle(struct bl_sched *s, uint32_t vm)
{
    if (s->vm[vm].limit_index != BL__NO_INDEX)
        grow(s, &s->vm[vm]);
}

void bl__limit_set(struct bl_sched *s, uint32_t vm)
{
    struct bl__vm *m = &s->vm[vm];
    const bool limit = m->set.limit_ppm < m->count * (uint64_t)BL_PPM;

    if (limit && m->limit_index == BL__NO_INDEX) {
        m->limit_index = s->limited_vms;
        s->limited[s->limited_vms++] = vm;
        m->budget_ns = most_of(m);
        m->refilled_ns = s->now_ns;
        m->refill_rest = 0;
        if (s->refill_ns <= s->now_ns)
            s->refill_ns = (s->now_ns / LOOK_NS + 1) * LOOK_NS;
    } else if (limit) {
        if (m->budget_ns > most_of(m))
            m->budget_ns = most_of(m);
    } else if (m->limit_index != BL__NO_INDEX) {
        forget(s, m);
        if (m->throttled)
            release(s, m);
    }
}

/* The others of the VM have to stop, too. */
static void stop_all(struct bl_sched *s, struct bl__vm *m)
{
    m->throttled = true;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_RUN)
            bl__kick(s, s->vcpu[v].pcpu, BL_SCHED_THROTTLED);
}

void bl__limit_take(struct bl_sched *s, uint32_t vm, int64_t ns)
{
    struct bl__vm *m = &s->vm[vm];

    m->budget_ns -= ns; /* first: what grew meanwhile must not be cut off */
    grow(s, m);
    if (m->budget_ns <= 0 && !m->throttled)
        stop_all(s, m);
}

int64_t bl__limit_left(struct bl_sched *s, uint32_t vm)
{
    struct bl__vm *m = &s->vm[vm];
    int64_t ns;

    grow(s, m);
    ns = m->budget_ns / (m->running + 1);
    return ns > RUN_NS_MIN ? ns : RUN_NS_MIN;
}

void bl__limit_refill(struct bl_sched *s)
{
    s->refill_ns = (s->now_ns / LOOK_NS + 1) * LOOK_NS;
    for (uint32_t i = 0; i < s->limited_vms; i++) {
        struct bl__vm *m = &s->vm[s->limited[i]];

        if (!m->throttled) /* what it used now is not charged yet */
            continue;
        grow(s, m);
        if (m->budget_ns > 0)
            release(s, m);
    }
}
