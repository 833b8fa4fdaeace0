/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host - one host in virtual time: the event loop, and vCPUs that start and
 * stop.
 *
 * Source     a discrete-event simulation in the classical form: one clock, one
 *            queue of what happens next (Knuth, TAOCP 1, 2.2.5).
 * Idea       pCPUs, vCPUs and VMs have at most one instant each in a heap: when
 *            a pick ends, what a running vCPU comes to next or when a halted
 *            one wakes, when a VM starts or its next request arrives. Running
 *            vCPUs are brought up to date only when something happens to them.
 *            At one instant measuring comes first, then pools, governors and
 *            the power cap, the dispatcher's own timer, VMs, vCPUs and pCPUs,
 *            each by number; after each event the dispatcher picks for every
 *            pCPU that it kicked.
 * Bound      every invariant by bl__host_check(); conservation of time and work
 *            in test_hostsim, random hosts in test_hostsim_storm.
 * Deviation  the dispatcher itself takes no time beyond the costs of a start.
 * Cost       O(log n) an event, n of pCPUs, vCPUs and VMs; a sample (1 ms) is
 *            O(vCPUs), a window (10 ms) O(vCPUs + VMs).
 */
#include "sim/host_priv.h"

#include <stdio.h>
#include <string.h>

/* Picks after one event: a dispatcher that kicks for ever is broken. */
#define PICKS_MAX (64 * BL_PCPUS_MAX)

/* ---- running vCPUs ------------------------------------------------------ */

/* It has paid what it owed: the first instruction since it was woken. */
static void first_instruction(struct bl_host_sim *s, struct host_vcpu *x,
                              int64_t at_ns)
{
    bl_latency_add(&s->vm[x->vm].wake, at_ns - x->woken_ns);
    x->woken_ns = HOST_NEVER;
}

static void spend(int64_t *left_ns, int64_t dt_ns)
{
    if (*left_ns != BL_SPIN_FOREVER)
        *left_ns -= dt_ns;
}

void bl__host_settle(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    int64_t dt_ns = s->now_ns - x->mark_ns;
    const int64_t pay_ns = dt_ns < x->owed_ns ? dt_ns : x->owed_ns;

    if (s->power != NULL)
        bl__host_power_ran(s, v, dt_ns);
    x->owed_ns -= pay_ns;
    s->pcpu[x->pcpu].overhead_ns += pay_ns;
    if (x->woken_ns != HOST_NEVER && x->owed_ns == 0)
        first_instruction(s, x, x->mark_ns + pay_ns);
    x->mark_ns = s->now_ns;
    dt_ns -= pay_ns;
    if (dt_ns == 0)
        return;
    if (x->act == HOST_RUN) {
        int64_t done_ns = bl__host_work(dt_ns, x->rate_ppm, &x->part_ppm);

        BL_ASSERT(done_ns <= x->left_ns);
        x->left_ns -= done_ns;
        x->work_ns += done_ns;
    } else {
        x->spin_ns += dt_ns;
        spend(&x->left_ns, dt_ns);
        spend(&x->pause_ns, dt_ns);
    }
}

/* @v runs and is up to date: what it comes to next. */
void bl__host_arm(struct bl_host_sim *s, uint32_t v)
{
    const struct host_vcpu *x = &s->vcpu[v];
    int64_t at_ns = x->mark_ns + x->owed_ns;

    if (x->act == HOST_RUN) {
        at_ns += bl__host_time(x->left_ns, x->rate_ppm, x->part_ppm);
    } else if (x->list != HOST_NONE) {
        const int64_t ns = x->left_ns < x->pause_ns ? x->left_ns : x->pause_ns;

        if (ns == BL_SPIN_FOREVER) {
            bl_heap_remove(&s->heap, s->vcpu_base + v);
            return;
        }
        at_ns += ns;
    }
    bl__host_at(s, v, at_ns);
}

static void leave(struct bl_host_sim *s, uint32_t p)
{
    struct host_pcpu *c = &s->pcpu[p];
    struct host_vcpu *x = &s->vcpu[c->curr];

    c->busy_ns += s->now_ns - c->since_ns;
    c->since_ns = s->now_ns;
    c->curr = BL_NO_VCPU;
    x->pcpu = BL_NO_PCPU;
}

/* @v, which runs, halts. Its instant in the heap, if any, wakes it. */
void bl__host_halt(struct bl_host_sim *s, uint32_t v)
{
    const uint32_t p = s->vcpu[v].pcpu;

    s->vcpu[v].act = HOST_HALT;
    leave(s, p);
    bl_sched_block(s->sched, p, s->now_ns);
}

/* @v, which runs, has to make room. */
static void preempt(struct bl_host_sim *s, uint32_t v)
{
    bl__host_settle(s, v);
    if (s->vcpu[v].act == HOST_SPIN)
        bl__host_unlist(s, v);
    bl_heap_remove(&s->heap, s->vcpu_base + v);
    leave(s, s->vcpu[v].pcpu);
}

/* One thread more or less of @p's core is busy: the others change speed. */
static void set_idle(struct bl_host_sim *s, uint32_t p, bool idle)
{
    const uint32_t core = s->spec->topo.core_of[p];
    const struct bl_topo_range r = s->spec->topo.core[core];

    if (s->pcpu[p].idle == idle)
        return;
    s->pcpu[p].idle = idle;
    s->core_busy[core] = (uint8_t)(s->core_busy[core] + (idle ? -1 : 1));
    if (s->power != NULL && s->core_busy[core] == (idle ? 0 : 1))
        bl__host_power_turn(s, core, idle);
    if (r.count == 1)
        return;
    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++) {
        const uint32_t v = s->pcpu[q].curr;

        if (q == p || v == BL_NO_VCPU)
            continue;
        bl__host_settle(s, v);
        s->vcpu[v].rate_ppm = bl__host_rate_ppm(s, q);
        bl__host_arm(s, v);
    }
}

static void start(struct bl_host_sim *s, uint32_t p, const struct bl_pick *pick)
{
    struct host_pcpu *c = &s->pcpu[p];
    struct host_vcpu *x = &s->vcpu[pick->vcpu];

    x->owed_ns +=
        bl__host_start_cost(&s->spec->costs, c, pick->vcpu, pick->moved);
    if (s->power != NULL)
        x->owed_ns += bl__host_power_exit_ns(s, p);
    x->mark_ns = s->now_ns;
    x->pcpu = p;
    c->curr = c->last = pick->vcpu;
    c->since_ns = s->now_ns;
    c->switch_count++;
    c->move_in_count += pick->moved != BL_REACH_SAME;
    set_idle(s, p, false);
    x->rate_ppm = bl__host_rate_ppm(s, p);
    bl__host_arm(s, pick->vcpu);
}

static void pick_for(struct bl_host_sim *s, uint32_t p)
{
    struct host_pcpu *c = &s->pcpu[p];
    const struct bl_pick pick = bl_sched_pick(s->sched, p, s->now_ns);

    if (pick.until_ns != c->until_ns) {
        c->until_ns = pick.until_ns;
        if (pick.until_ns == INT64_MAX)
            bl_heap_remove(&s->heap, s->pcpu_base + p);
        else
            bl__host_set(s, s->pcpu_base + p, pick.until_ns);
    }
    if (pick.vcpu == c->curr) {
        if (pick.vcpu == BL_NO_VCPU)
            set_idle(s, p, true);
        return;
    }
    if (c->curr != BL_NO_VCPU)
        preempt(s, c->curr);
    if (pick.vcpu == BL_NO_VCPU) {
        set_idle(s, p, true);
        return;
    }
    /* Held back and let go again at one instant, and chosen elsewhere. */
    if (s->vcpu[pick.vcpu].pcpu != BL_NO_PCPU)
        preempt(s, pick.vcpu);
    start(s, p, &pick);
}

/* ---- events ------------------------------------------------------------- */

void bl__host_settle_all(struct bl_host_sim *s)
{
    for (uint32_t p = 0; p < s->spec->topo.pcpu_count; p++) {
        struct host_pcpu *c = &s->pcpu[p];

        if (c->curr == BL_NO_VCPU)
            continue;
        bl__host_settle(s, c->curr);
        c->busy_ns += s->now_ns - c->since_ns;
        c->since_ns = s->now_ns;
    }
}

static void act_on(struct bl_host_sim *s, uint32_t id)
{
    const uint32_t v = id - s->vcpu_base;

    if (id >= s->pcpu_base) {
        s->pcpu[id - s->pcpu_base].until_ns = INT64_MAX;
        pick_for(s, id - s->pcpu_base);
    } else if (id < s->vcpu_base) {
        bl__host_vm_event(s, id);
    } else if (s->vcpu[v].pcpu == BL_NO_PCPU) {
        bl__host_woken(s, v);
    } else {
        bl__host_settle(s, v);
        bl__host_act(s, v);
    }
}

/* The earliest one stays at the top until it gets its next instant: most do,
 * and moving it down once is cheaper than taking it out and putting it in. */
static void queued_event(struct bl_host_sim *s)
{
    const uint32_t id = s->heap.item[0].id;

    s->due = id;
    act_on(s, id);
    if (s->due == id)
        bl_heap_remove(&s->heap, id);
    s->due = HOST_NONE;
}

/* What happens next happens, unless that is after @until_ns. */
static bool event(struct bl_host_sim *s, int64_t until_ns)
{
    const int64_t tick_ns = bl_sched_next_ns(s->sched);
    int64_t at_ns = bl_heap_next_ns(&s->heap);
    uint32_t p;

    at_ns = tick_ns < at_ns ? tick_ns : at_ns;
    at_ns = s->control_ns < at_ns ? s->control_ns : at_ns;
    at_ns = s->power_ns < at_ns ? s->power_ns : at_ns;
    if (s->measure.sample_ns <= at_ns) {
        if (s->measure.sample_ns > until_ns)
            return false;
        s->now_ns = s->measure.sample_ns;
        bl__host_sample(s);
        return true;
    }
    if (at_ns > until_ns)
        return false;
    s->now_ns = at_ns;
    if (s->control_ns == at_ns)
        bl__host_control(s);
    else if (s->power_ns == at_ns)
        bl__host_power_event(s);
    else if (tick_ns == at_ns)
        bl_sched_tick(s->sched, at_ns);
    else
        queued_event(s);
    for (uint32_t n = 0; bl_sched_kicked(s->sched, &p); n++) {
        BL_ASSERT(n < PICKS_MAX);
        pick_for(s, p);
    }
    s->event_count++;
    if (s->opts.paranoid) {
        bl_sched_check(s->sched);
        bl__host_check(s);
    }
    return true;
}

int64_t bl_host_sim_run(struct bl_host_sim *s, int64_t until_ns,
                        const volatile sig_atomic_t *stop)
{
    BL_ASSERT(until_ns >= s->now_ns);
    BL_ASSERT(until_ns <= BL_HOST_NS_MAX);
    while (stop == NULL || !*stop)
        if (!event(s, until_ns)) {
            s->now_ns = until_ns;
            break;
        }
    return s->now_ns;
}

/* ---- invariants --------------------------------------------------------- */

static void check_pcpus(const struct bl_host_sim *s)
{
    uint32_t busy[BL_PCPUS_MAX] = { 0 };

    for (uint32_t p = 0; p < s->spec->topo.pcpu_count; p++) {
        const struct host_pcpu *c = &s->pcpu[p];

        BL_ASSERT(c->curr == bl_sched_running(s->sched, p));
        BL_ASSERT(c->idle == (c->curr == BL_NO_VCPU));
        BL_ASSERT(c->busy_ns + s->now_ns - c->since_ns >= c->overhead_ns);
        busy[s->spec->topo.core_of[p]] += !c->idle;
        if (c->curr != BL_NO_VCPU)
            BL_ASSERT(s->vcpu[c->curr].pcpu == p);
    }
    for (uint32_t i = 0; i < s->spec->topo.core_count; i++)
        BL_ASSERT(s->core_busy[i] == busy[i]);
}

static void check_vcpu(const struct bl_host_sim *s, uint32_t v)
{
    const struct host_vcpu *x = &s->vcpu[v];
    const enum bl_vcpu_state state = bl_sched_state(s->sched, v);
    const bool queued = s->heap.place[s->vcpu_base + v] > 0;

    BL_ASSERT(x->owed_ns >= 0 && x->left_ns >= 0);
    BL_ASSERT(x->pcpu == bl_sched_pcpu(s->sched, v));
    BL_ASSERT((x->pcpu != BL_NO_PCPU) == (state == BL_VCPU_RUN));
    BL_ASSERT((x->act == HOST_HALT) == (state == BL_VCPU_BLOCKED));
    BL_ASSERT(x->work_ns + (x->act == HOST_RUN ? x->left_ns : 0) ==
              x->drawn_ns);
    if (state == BL_VCPU_BLOCKED) /* somebody or something wakes it, or never */
        BL_ASSERT(!(queued && x->list != HOST_NONE));
    else if (state != BL_VCPU_RUN)
        BL_ASSERT(!queued && x->list == HOST_NONE);
    else
        BL_ASSERT(queued || x->act == HOST_SPIN);
    if (x->list != HOST_NONE && x->act == HOST_SPIN)
        BL_ASSERT(x->owed_ns == 0 || x->mark_ns == s->now_ns);
    BL_ASSERT(!x->ended || (x->act == HOST_HALT && !queued));
}

static void check_lists(const struct bl_host_sim *s)
{
    uint32_t listed = 0, linked = 0;

    for (uint32_t v = 0; v < s->vcpu_count; v++)
        listed += s->vcpu[v].list != HOST_NONE;
    for (uint32_t i = 0; i < s->list_count; i++) {
        uint32_t prev = HOST_NONE;

        for (uint32_t v = s->list[i].head; v != HOST_NONE;
             v = s->vcpu[v].next) {
            BL_ASSERT(s->vcpu[v].list == i);
            BL_ASSERT(s->vcpu[v].prev == prev);
            BL_ASSERT(++linked <= listed);
            prev = v;
        }
        BL_ASSERT(s->list[i].tail == prev);
    }
    BL_ASSERT(linked == listed);
}

/* A barrier never stays shut once all are there, a lock is held by one of its
 * own VM. */
static void check_vm(const struct bl_host_sim *s, const struct host_vm *m)
{
    uint32_t alive = 0;

    for (uint32_t v = m->first; v < m->first + m->count; v++)
        alive += !s->vcpu[v].ended;
    BL_ASSERT(alive == m->alive_count);
    BL_ASSERT(alive == 0 || m->arrived_count < alive);
    BL_ASSERT(m->queue_count <= m->queue_max);
    for (uint32_t i = 0; i < m->class->lock_count; i++) {
        const uint32_t v = s->holder[m->lock_first + i];
        const uint32_t list = m->list_first + HOST_LISTS + 2 * i;

        BL_ASSERT(v == BL_NO_VCPU || s->vcpu[v].vm == (uint32_t)(m - s->vm));
        if (v == BL_NO_VCPU) /* whoever spins here would have taken it */
            BL_ASSERT(s->list[list].head == HOST_NONE);
    }
}

void bl__host_check(const struct bl_host_sim *s)
{
    bl_heap_check(&s->heap);
    BL_ASSERT(bl_heap_next_ns(&s->heap) >= s->now_ns);
    BL_ASSERT(s->sent_count == 0);
    check_pcpus(s);
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        check_vcpu(s, v);
    check_lists(s);
    if (s->power != NULL)
        bl__host_power_check(s);
    for (uint32_t i = 0; i < s->vm_count; i++)
        check_vm(s, &s->vm[i]);
}
