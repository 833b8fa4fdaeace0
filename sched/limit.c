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
 *            All VMs together may have a limit, too (a power cap): a budget of
 *            the same kind, 2 ms deep; when it is used up vCPUs are LIMITED.
 *            But a VM with a reservation goes on with a reserve: that grows at
 *            the rate of the reservation, up to 20 ms worth, and what is used
 *            beyond the reservation while there is enough for all takes all of
 *            it but 2 ms worth. What such VMs take the rest pays back.
 * Bound      over any window T: limit * T + one refill + one slice for each
 *            vCPU (test_sched_fair); of all VMs see bl_sched_set_bandwidth()
 *            (test_sched_speed).
 * Deviation  credit2 refills at the period only; growing all the time keeps a
 *            burst before and one after a refill from adding up.
 * Cost       O(1) a charge; O(VMs with a limit) every 2 ms, with a limit of
 *            all O(pCPUs + VMs) more, and O(vCPUs) when it was used up.
 */
#include "sched/sched_priv.h"

/* How often throttled VMs are looked at. */
#define LOOK_NS INT64_C(2000000)

/* No shorter run than this for the sake of a budget: it is overdrawn instead.
 */
#define RUN_NS_MIN INT64_C(100000)

/* What waiting for a turn must not cost: for each vCPU. */
#define PATIENCE_NS INT64_C(2000000)

/* So much of a reservation is saved. */
#define RESERVE_NS INT64_C(20000000)

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

static void let_go(struct bl_sched *s, const struct bl__vm *m)
{
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_LIMITED && !bl__is_throttled(s, m))
            bl__unthrottle(s, v);
}

static void release(struct bl_sched *s, struct bl__vm *m)
{
    m->throttled = false;
    let_go(s, m);
}

static void kick_vm(struct bl_sched *s, const struct bl__vm *m)
{
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_RUN)
            bl__kick(s, s->vcpu[v].pcpu, BL_SCHED_THROTTLED);
}

/* What is reserved of @ns. */
static int64_t reserved_of(const struct bl__vm *m, int64_t ns)
{
    return (int64_t)bl_muldiv(m->set.reservation_ppm, (uint64_t)ns,
                              (uint64_t)BL_PPM);
}

/* There is less to save, or nothing, than with another reservation. */
static void cut_reserve(struct bl_sched *s, struct bl__vm *m)
{
    const int64_t most = reserved_of(m, RESERVE_NS);

    if (m->reserve_ns <= most)
        return;
    m->reserve_ns = most;
    if (s->all_vms.used_up && most == 0)
        kick_vm(s, m);
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
    cut_reserve(s, m);
}

/* The others of the VM have to stop, too. */
static void stop_all(struct bl_sched *s, struct bl__vm *m)
{
    m->throttled = true;
    kick_vm(s, m);
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

/* ---- all VMs together --------------------------------------------------- */

static int64_t most_of_all(const struct bl_sched *s)
{
    return (int64_t)bl_muldiv(s->all_vms.ppm, LOOK_NS, (uint64_t)BL_PPM);
}

static void grow_all(struct bl_sched *s)
{
    struct bl__bandwidth *b = &s->all_vms;
    const uint64_t dt = (uint64_t)(s->now_ns - b->refilled_ns);
    const bl_u128 more = (bl_u128)dt * b->ppm + b->refill_rest;

    b->refilled_ns = s->now_ns;
    b->refill_rest = (uint64_t)(more % (uint64_t)BL_PPM);
    b->budget_ns += (int64_t)(more / (uint64_t)BL_PPM);
}

/* What is saved is cut off only when all that was used is charged. */
static void cut_all(struct bl_sched *s)
{
    const int64_t most = most_of_all(s);

    grow_all(s);
    if (s->all_vms.budget_ns > most)
        s->all_vms.budget_ns = most;
}

static void release_all(struct bl_sched *s)
{
    s->all_vms.used_up = false;
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        if (s->vcpu[v].state == BL_VCPU_LIMITED &&
            !s->vm[s->vcpu[v].vm].throttled)
            bl__unthrottle(s, v);
}

static void kick_running(struct bl_sched *s, enum bl_sched_reason why)
{
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        if (s->pcpu[p].curr != BL_NO_VCPU)
            bl__kick(s, p, why);
}

/* While there is enough for all, the time of a look stays. */
static void take_reserve(struct bl_sched *s, struct bl__vm *m, int64_t ns)
{
    const int64_t before = m->reserve_ns;

    m->reserve_ns -= ns;
    if (!s->all_vms.used_up) {
        const int64_t look = reserved_of(m, LOOK_NS);
        const int64_t least = look < before ? look : before;

        m->reserve_ns = m->reserve_ns > least ? m->reserve_ns : least;
    } else if (before > 0 && m->reserve_ns <= 0) {
        kick_vm(s, m);
    }
}

void bl__limit_take_all(struct bl_sched *s, uint32_t vm, int64_t ns)
{
    struct bl__bandwidth *b = &s->all_vms;

    take_reserve(s, &s->vm[vm], ns);
    b->budget_ns -= ns;
    grow_all(s);
    if (b->budget_ns > 0 || b->used_up)
        return;
    b->used_up = true;
    kick_running(s, BL_SCHED_THROTTLED);
}

/* Of what there is, a part for each pCPU: what the others use now is not
 * charged yet; or the reserve. */
int64_t bl__limit_left_all(struct bl_sched *s, uint32_t vm)
{
    const struct bl__vm *m = &s->vm[vm];
    const int64_t reserve = m->reserve_ns / (m->running + 1);
    int64_t ns;

    grow_all(s);
    ns = s->all_vms.budget_ns / s->topo->pcpu_count;
    ns = ns > reserve ? ns : reserve;
    return ns > RUN_NS_MIN ? ns : RUN_NS_MIN;
}

void bl__limit_set_all(struct bl_sched *s, uint64_t ppm)
{
    struct bl__bandwidth *b = &s->all_vms;
    const bool before = b->ppm != BL_NO_LIMIT;

    if (before)
        grow_all(s); /* at the old rate */
    b->ppm = ppm;
    if (ppm == BL_NO_LIMIT) {
        if (b->used_up)
            release_all(s);
        return;
    }
    if (!before || b->budget_ns > most_of_all(s))
        b->budget_ns = most_of_all(s);
    if (!before) {
        for (uint32_t i = 0; i < s->vm_count; i++)
            s->vm[i].reserve_ns = reserved_of(&s->vm[i], RESERVE_NS);
        b->refilled_ns = b->grown_ns = s->now_ns;
        b->refill_rest = 0;
        kick_running(s, BL_SCHED_SLICE_END); /* theirs may be too long */
    }
    if (s->refill_ns <= s->now_ns)
        s->refill_ns = (s->now_ns / LOOK_NS + 1) * LOOK_NS;
}

static void grow_reserves(struct bl_sched *s)
{
    const int64_t ns = s->now_ns - s->all_vms.grown_ns;

    s->all_vms.grown_ns = s->now_ns;
    for (uint32_t i = 0; i < s->vm_count; i++) {
        struct bl__vm *m = &s->vm[i];
        const int64_t most = reserved_of(m, RESERVE_NS);

        if (most == 0)
            continue;
        m->reserve_ns += reserved_of(m, ns);
        m->reserve_ns = m->reserve_ns < most ? m->reserve_ns : most;
        if (s->all_vms.used_up)
            let_go(s, m);
    }
}

static void refill_all(struct bl_sched *s)
{
    if (s->all_vms.ppm == BL_NO_LIMIT)
        return;
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        bl__account(s, p);
    cut_all(s);
    if (s->all_vms.used_up && s->all_vms.budget_ns > 0)
        release_all(s);
    grow_reserves(s);
}

void bl__limit_refill(struct bl_sched *s)
{
    s->refill_ns = (s->now_ns / LOOK_NS + 1) * LOOK_NS;
    refill_all(s);
    for (uint32_t i = 0; i < s->limited_vms; i++) {
        struct bl__vm *m = &s->vm[s->limited[i]];

        if (!m->throttled) /* what it used now is not charged yet */
            continue;
        grow(s, m);
        if (m->budget_ns > 0)
            release(s, m);
    }
}
