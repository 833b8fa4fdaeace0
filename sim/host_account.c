/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_account - measuring: windows, the fluid ideal, the result.
 *
 * Source     generalised processor sharing as the ideal of a scheduler (Parekh,
 *            Gallager 1993), weights that cannot be used up readjusted (Chandra
 *            et al., OSDI 2000); doc/models/dispatch.md, Ideal.
 * Idea       from the end of the warm-up on time is cut into windows of 10 ms,
 *            100 ms and 1 s. In each 10 ms a vCPU demanded the part of the time
 *            for which it was charged while it was not kept waiting (ready,
 *            co-stop, limited), extended to all of it; where work comes at its
 *            own times, what came. What it should have had is what
 *            bl_entitle(), or the pool tree, gives it of the host's capacity in
 *            charged time, by shares, reservation, limit and those demands;
 *            what it had is the time charged to it. Received less ideal is the
 *            error. Longer windows and the run have the sums of their 10 ms. A
 *            VM counts while it lives.
 *            Where power is modelled the ideal is one at full speed: time lost
 *            to a slow P-state is time in which a vCPU was kept waiting.
 * Bound      on loads whose demand does not depend on what they got, entitled
 *            and bl_entitle() of the whole agree within 1 % (test_host_shares).
 * Deviation  demand is an estimate, as it is on a real host: of 10 ms in which
 *            a vCPU did nothing but wait, as much as it ran before in the 100
 *            ms in which it had work; under SMT, of one that did not wait, what
 *            it was charged. Capacity under SMT is that of full cores, also
 *            while there is not work for all threads. Affinity does not count.
 * Cost       O(vCPUs) a ms for the skew of VMs with several vCPUs; O(vCPUs +
 *            VMs) for 10 ms.
 */
#include "sim/host_priv.h"

#include <stdio.h>
#include <string.h>

static const int64_t window_ns[BL_WINDOWS] = {
    [BL_WINDOW_10MS] = 10 * INT64_C(1000000),
    [BL_WINDOW_100MS] = 100 * INT64_C(1000000),
    [BL_WINDOW_1S] = 1000 * INT64_C(1000000),
};

bl_err bl__host_measure_create(struct bl_arena *a, struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;
    const uint32_t n = s->vm_count;

    m->sample_ns = m->start_ns = s->spec->warmup_ns;
    m->now = bl_arena_get(a, s->vcpu_count, sizeof(*m->now));
    m->ideal_ns = bl_arena_get(a, n, sizeof(*m->ideal_ns));
    m->claim = bl_arena_get(a, n, sizeof(*m->claim));
    m->given = bl_arena_get(a, n, sizeof(*m->given));
    m->mark = bl_arena_get(a, s->vcpu_count, sizeof(*m->mark));
    m->want_ns = bl_arena_get(a, s->vcpu_count, sizeof(*m->want_ns));
    m->lead_ns = bl_arena_get(a, s->vcpu_count, sizeof(*m->lead_ns));
    m->habit = bl_arena_get(a, s->vcpu_count, sizeof(*m->habit));
    m->scratch = bl_arena_get(a, n, sizeof(*m->scratch));
    m->skew_max_ns = bl_arena_get(a, s->vcpu_count, sizeof(*m->skew_max_ns));
    m->base = bl_arena_get(a, s->vcpu_count, sizeof(*m->base));
    for (int w = 0; w < BL_WINDOWS; w++) {
        m->ahead_ns[w] = bl_arena_get(a, n, sizeof(*m->ahead_ns[w]));
        m->error[w] = bl_arena_get(a, n, sizeof(*m->error[w]));
        if (m->ahead_ns[w] == NULL || m->error[w] == NULL)
            return BL_ERR_NOMEM;
    }
    if (m->now == NULL || m->ideal_ns == NULL || m->claim == NULL ||
        m->given == NULL || m->scratch == NULL || m->skew_max_ns == NULL ||
        m->mark == NULL || m->want_ns == NULL || m->lead_ns == NULL ||
        m->habit == NULL || m->base == NULL)
        return BL_ERR_NOMEM;
    return BL_ERR_OK;
}

/* ---- windows ------------------------------------------------------------ */

static int64_t waited_ns(const struct bl_sched_account *a)
{
    return a->state_ns[BL_VCPU_READY] + a->state_ns[BL_VCPU_LIMITED] +
           a->state_ns[BL_VCPU_COSTOP];
}

static struct host_mark mark_of(const struct bl_host_sim *s, uint32_t v)
{
    const struct bl_sched_account a =
        bl_sched_vcpu_times(s->sched, v, s->now_ns);
    const int64_t slow_ns = s->power != NULL ? bl__host_power_slow_ns(s, v) : 0;

    return (struct host_mark){ .charged_ns = a.charged_ns,
                               .wait_ns = waited_ns(&a) + slow_ns };
}

/* Waiting as it would have been charged: with all threads busy, as otherwise
 * there would have been no need to wait. */
static int64_t charge_of_wait(const struct bl_host_sim *s, int64_t wait_ns)
{
    const uint64_t all = s->spec->topo.pcpu_count * (uint64_t)BL_PPM;

    return (int64_t)bl_muldiv((uint64_t)wait_ns, s->capacity_ppm, all);
}

int64_t bl__host_demand_ns(const struct bl_host_sim *s, uint32_t vm)
{
    const struct host_vm *m = &s->vm[vm];
    int64_t sum = 0;

    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        const struct host_mark x = mark_of(s, v);

        sum += x.charged_ns + charge_of_wait(s, x.wait_ns);
    }
    return sum;
}

static void read_now(struct bl_host_sim *s)
{
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        s->measure.now[v] = mark_of(s, v);
}

int64_t bl__host_alive_ns(const struct bl_host_sim *s, const struct host_vm *m,
                          int64_t from_ns)
{
    const int64_t from = m->start_ns > from_ns ? m->start_ns : from_ns;
    const int64_t to = m->end_ns < s->now_ns ? m->end_ns : s->now_ns;

    return to > from ? to - from : 0;
}

/* Of 10 ms in which vCPU @v only waited: the part for which it was charged so
 * far while it had work and was not kept waiting; all, of one not known yet. */
static int64_t waiting_demand(const struct bl_host_sim *s, uint32_t v,
                              int64_t waited)
{
    const struct host_habit *h = &s->measure.habit[v];

    if (h->charged_ns == 0 || h->free_ns <= 0)
        return charge_of_wait(s, waited);
    return (int64_t)bl_muldiv((uint64_t)waited, (uint64_t)h->charged_ns,
                              (uint64_t)h->free_ns);
}

/* Does its work come at its own times, however long it had to wait? Of think
 * times and files of tasks this is said where power is modelled, only: there it
 * does not count that less work comes when it is done late. */
static bool comes_anyway(const struct bl_host_sim *s, const struct host_vm *m)
{
    const enum bl_guest_kind kind = m->class->guest->kind;

    if (s->power != NULL &&
        (kind == BL_GUEST_RTAPP || kind == BL_GUEST_INTERACTIVE))
        return true;
    return kind == BL_GUEST_PERIODIC || kind == BL_GUEST_SERVER ||
           kind == BL_GUEST_IDLE;
}

bool bl__host_all_done(const struct bl_host_sim *s, const struct host_vm *m)
{
    if (!comes_anyway(s, m))
        return false;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].act != HOST_HALT)
            return false;
    return true;
}

/* Work of vCPU @v of @m that came and is not done, as it will be charged: what
 * it is at, and what waits for it. */
static int64_t begun_ns(const struct bl_host_sim *s, const struct host_vm *m,
                        uint32_t v)
{
    const struct bl_guest *g = m->class->guest;
    const struct host_vcpu *x = &s->vcpu[v];
    const uint64_t own = (uint64_t)BL_PPM - s->spec->costs.emulator_ppm;
    uint64_t ns = x->act == HOST_RUN ? (uint64_t)x->left_ns : 0;

    if (x->pcpu != BL_NO_PCPU && x->act == HOST_RUN) {
        uint32_t part = x->part_ppm;
        const int64_t dt_ns = s->now_ns - x->mark_ns - x->owed_ns;

        if (dt_ns > 0)
            ns -= (uint64_t)bl__host_work(dt_ns, x->rate_ppm, &part);
    }
    if (g->kind == BL_GUEST_SERVER)
        ns += (uint64_t)g->work.mean_ns * m->queue_count / m->count;
    if (g->kind == BL_GUEST_PERIODIC && g->rest.mean_ns > 0 &&
        s->now_ns > x->timer_ns)
        ns += (uint64_t)((s->now_ns - x->timer_ns) / g->rest.mean_ns) *
              (uint64_t)g->work.mean_ns;
    return own > 0 ? (int64_t)bl_muldiv(ns, (uint64_t)BL_PPM, own)
                   : (int64_t)ns;
}

/* Where power is modelled, of work that comes: what came, less what the ideal
 * did of it before; of what came since it woke, no more than fits. */
static int64_t came_ns(const struct bl_host_sim *s, const struct host_vm *m,
                       uint32_t v, int64_t ns)
{
    const struct host_measure *k = &s->measure;
    const int64_t had_ns = k->mark[v].charged_ns + k->lead_ns[v];
    int64_t came = k->now[v].charged_ns - had_ns + begun_ns(s, m, v);
    int64_t charged_ns = 0, most = ns;
    const int64_t woken_ns = bl__host_power_woken_ns(s, v, &charged_ns);

    /* a file's timers may be late, and nobody knows what they would start */
    if (m->class->guest->kind == BL_GUEST_RTAPP &&
        s->now_ns - woken_ns > 100 * HOST_SAMPLE_NS)
        return ns;

    if (woken_ns > k->window_ns[BL_WINDOW_10MS]) {
        most = charged_ns > had_ns ? charged_ns - had_ns : 0;
        most += s->now_ns - woken_ns;
        most = most < ns ? most : ns;
    }
    return came < 0 ? 0 : came < most ? came : most;
}

/* What vCPU @v of @m asked for since the last window, in which @m was alive for
 * @ns. If it has done all work that came, that, less what the ideal did of it
 * before. Else: while it was not kept waiting it was charged for a part of the
 * time, and would have been for that part of all of it. */
static int64_t demand_ns(const struct bl_host_sim *s, const struct host_vm *m,
                         uint32_t v, int64_t ns)
{
    const struct host_mark *from = &s->measure.mark[v];
    const struct host_mark *to = &s->measure.now[v];
    const int64_t charged = to->charged_ns - from->charged_ns;
    const int64_t waited = to->wait_ns - from->wait_ns;
    const int64_t left = charged - s->measure.lead_ns[v];

    if (comes_anyway(s, m) && s->vcpu[v].act == HOST_HALT)
        return left < 0 ? 0 : left < ns ? left : ns;
    if (comes_anyway(s, m) && s->power != NULL)
        return came_ns(s, m, v, ns);
    if (charged == 0 || waited >= ns)
        return waiting_demand(s, v, waited);
    return (int64_t)bl_muldiv((uint64_t)ns, (uint64_t)charged,
                              (uint64_t)(ns - waited));
}

static uint64_t of_time(uint64_t ppm, int64_t ns)
{
    return ppm == BL_NO_LIMIT ? BL_NO_LIMIT
                              : bl_muldiv(ppm, (uint64_t)ns, (uint64_t)BL_PPM);
}

struct bl_claim bl__host_claim(const struct bl_sched_settings *set, int64_t ns)
{
    return (struct bl_claim){
        .shares = set->shares,
        .reservation = of_time(set->reservation_ppm, ns),
        .limit = of_time(set->limit_ppm, ns),
    };
}

/* What each VM should have had since the last window of 10 ms, into given[]. */
static void divide(struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;
    const int64_t from_ns = m->window_ns[BL_WINDOW_10MS];

    for (uint32_t i = 0; i < s->vm_count; i++) {
        const struct host_vm *vm = &s->vm[i];
        const int64_t ns = bl__host_alive_ns(s, vm, from_ns);

        m->claim[i] = bl__host_claim(&vm->set, ns);
        for (uint32_t v = vm->first; v < vm->first + vm->count; v++) {
            m->want_ns[v] = demand_ns(s, vm, v, ns);
            m->claim[i].demand += (uint64_t)m->want_ns[v];
        }
    }
    bl__host_divide(s, m->claim, s->now_ns - from_ns, m->given);
}

static void add_error(struct bl_host_error *e, int64_t ns)
{
    e->window_count++;
    e->max_ns = ns > e->max_ns ? ns : e->max_ns;
    e->min_ns = ns < e->min_ns ? ns : e->min_ns;
    e->abs_sum_ns += ns < 0 ? -ns : ns;
}

/* Charged to @vm since the last window of 10 ms. */
static int64_t got_ns(const struct bl_host_sim *s, const struct host_vm *vm)
{
    const struct host_measure *m = &s->measure;
    int64_t sum = 0;

    for (uint32_t v = vm->first; v < vm->first + vm->count; v++)
        sum += m->now[v].charged_ns - m->mark[v].charged_ns;
    return sum;
}

/* How far the ideal is ahead of vCPU @v with the work that comes. It cannot be
 * ahead of one that has nothing left to do. */
static void set_lead(struct bl_host_sim *s, uint32_t v)
{
    struct host_measure *m = &s->measure;
    const uint32_t i = s->vcpu[v].vm;
    const struct host_vm *vm = &s->vm[i];
    const uint64_t all = m->claim[i].demand;
    int64_t ns = m->lead_ns[v] + m->mark[v].charged_ns - m->now[v].charged_ns;

    if (all > 0)
        ns += (int64_t)bl_muldiv(m->given[i], (uint64_t)m->want_ns[v], all);
    if (!comes_anyway(s, vm) || (ns > 0 && s->vcpu[v].act == HOST_HALT))
        ns = 0;
    m->lead_ns[v] = ns;
}

/* 10 ms have passed: every window that lasts has them, too. */
static void add_window(struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;

    divide(s);
    for (uint32_t i = 0; i < s->vm_count; i++) {
        const int64_t ideal = (int64_t)m->given[i];
        const int64_t ahead = got_ns(s, &s->vm[i]) - ideal;

        m->ideal_ns[i] += ideal;
        if (s->power != NULL)
            bl__host_served_add(s, i, ideal, ahead + ideal);
        for (int w = 0; w < BL_WINDOWS; w++)
            m->ahead_ns[w][i] += ahead;
    }
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        set_lead(s, v);
    memcpy(m->mark, m->now, s->vcpu_count * sizeof(*m->now));
}

/* 100 ms have passed. Those in which a vCPU had nothing to do say nothing of
 * what it does when it has. */
static void learn(struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;

    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        const struct host_vm *vm = &s->vm[s->vcpu[v].vm];
        struct host_habit *h = &m->habit[v];
        const int64_t charged = m->now[v].charged_ns - h->mark.charged_ns;
        const int64_t waited = m->now[v].wait_ns - h->mark.wait_ns;

        if (charged + waited > 0) {
            h->charged_ns += charged;
            h->free_ns +=
                bl__host_alive_ns(s, vm, m->window_ns[BL_WINDOW_100MS]) -
                waited;
        }
        h->mark = m->now[v];
    }
}

static void end_window(struct bl_host_sim *s, int w)
{
    struct host_measure *m = &s->measure;

    for (uint32_t i = 0; i < s->vm_count; i++) {
        if (bl__host_alive_ns(s, &s->vm[i], m->window_ns[w]) > 0)
            add_error(&m->error[w][i], m->ahead_ns[w][i]);
        m->ahead_ns[w][i] = 0;
    }
    if (w == BL_WINDOW_100MS)
        learn(s);
    m->window_ns[w] = s->now_ns;
}

/* ---- samples ------------------------------------------------------------ */

/* Everything before does not count. */
static void begin_counting(struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;

    m->counting = true;
    m->start_ns = s->now_ns;
    bl__host_settle_all(s);
    read_now(s);
    memcpy(m->mark, m->now, s->vcpu_count * sizeof(*m->now));
    for (int w = 0; w < BL_WINDOWS; w++)
        m->window_ns[w] = s->now_ns;
    if (s->power != NULL)
        bl__host_power_begin(s);
    m->totals = bl_sched_totals(s->sched, s->now_ns);
    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        struct host_vcpu *x = &s->vcpu[v];

        m->base[v] = bl_sched_vcpu(s->sched, v, s->now_ns);
        m->habit[v].mark = m->now[v];
        x->work_ns = x->spin_ns = 0;
        x->drawn_ns = x->act == HOST_RUN ? x->left_ns : 0;
        x->unit_count = 0;
    }
    for (uint32_t i = 0; i < s->vm_count; i++) {
        struct host_vm *vm = &s->vm[i];

        memset(&vm->wake, 0, sizeof(vm->wake));
        memset(&vm->done, 0, sizeof(vm->done));
        vm->late_count = 0;
    }
    for (uint32_t p = 0; p < s->spec->topo.pcpu_count; p++) {
        struct host_pcpu *c = &s->pcpu[p];

        c->busy_ns = c->overhead_ns = 0;
        c->switch_count = c->move_in_count = 0;
    }
}

static void sample_skew(struct bl_host_sim *s)
{
    for (uint32_t i = 0; i < s->vm_count; i++) {
        struct host_vm *m = &s->vm[i];

        for (uint32_t v = m->first; m->count > 1 && v < m->first + m->count;
             v++) {
            const int64_t ns = bl_sched_vcpu(s->sched, v, s->now_ns).skew_ns;
            int64_t *max_ns = &s->measure.skew_max_ns[v];

            if (ns <= 0)
                continue;
            bl_latency_add(&m->skew, ns);
            *max_ns = ns > *max_ns ? ns : *max_ns;
        }
    }
}

void bl__host_sample(struct bl_host_sim *s)
{
    struct host_measure *m = &s->measure;

    m->sample_ns += HOST_SAMPLE_NS;
    if (!m->counting) {
        begin_counting(s);
        return;
    }
    sample_skew(s);

    const int64_t counted_ns = s->now_ns - m->start_ns;

    if (counted_ns % window_ns[BL_WINDOW_10MS] != 0)
        return;
    if (s->power != NULL)
        bl__host_power_window(s);
    read_now(s);
    add_window(s);
    for (int w = 0; w < BL_WINDOWS; w++)
        if (counted_ns % window_ns[w] == 0)
            end_window(s, w);
}

/* ---- the result --------------------------------------------------------- */

/* Counters of the dispatcher since the end of the warm-up. */
static struct bl_sched_account since_base(const struct bl_host_sim *s,
                                          uint32_t v)
{
    struct bl_sched_account a = bl_sched_vcpu(s->sched, v, s->now_ns);
    const struct bl_sched_account *b = &s->measure.base[v];

    for (int i = 0; i < BL_VCPU_STATE_COUNT; i++)
        a.state_ns[i] -= b->state_ns[i];
    for (int i = 0; i < BL_REACH_COUNT; i++)
        a.move_count[i] -= b->move_count[i];
    a.charged_ns -= b->charged_ns;
    a.switch_count -= b->switch_count;
    a.costop_count -= b->costop_count;
    a.throttle_count -= b->throttle_count;
    return a;
}

static struct bl_sched_totals totals_since_base(const struct bl_host_sim *s)
{
    struct bl_sched_totals t = bl_sched_totals(s->sched, s->now_ns);
    const struct bl_sched_totals *b = &s->measure.totals;

    t.pick_count -= b->pick_count;
    t.switch_count -= b->switch_count;
    t.preempt_count -= b->preempt_count;
    t.wake_count -= b->wake_count;
    t.block_count -= b->block_count;
    t.steal_idle_count -= b->steal_idle_count;
    t.steal_fair_count -= b->steal_fair_count;
    for (int i = 0; i < BL_REACH_COUNT; i++)
        t.move_count[i] -= b->move_count[i];
    t.costop_count -= b->costop_count;
    t.throttle_count -= b->throttle_count;
    t.urgent_count -= b->urgent_count;
    t.forgiven_count -= b->forgiven_count;
    t.forgiven_ns -= b->forgiven_ns;
    t.idle_while_ready_ns -= b->idle_while_ready_ns;
    t.idle_while_costop_ns -= b->idle_while_costop_ns;
    t.idle_while_limited_ns -= b->idle_while_limited_ns;
    t.lost_to_core_ns -= b->lost_to_core_ns;
    return t;
}

static void fill_vcpu(const struct bl_host_sim *s, uint32_t v,
                      struct bl_host_vcpu_row *row, struct bl_host_vm_row *vm)
{
    const struct host_vcpu *x = &s->vcpu[v];

    /* Before its VM starts and after it ends it is not blocked: it is not. */
    const int64_t absent_ns = s->now_ns - s->measure.start_ns - vm->alive_ns;

    *row = (struct bl_host_vcpu_row){
        .vm = x->vm,
        .index = v - s->vm[x->vm].first,
        .account = since_base(s, v),
        .skew_max_ns = s->measure.skew_max_ns[v],
        .units = x->unit_count,
        .spin_ns = x->spin_ns,
    };
    row->account.state_ns[BL_VCPU_BLOCKED] -= absent_ns;
    BL_ASSERT(row->account.state_ns[BL_VCPU_BLOCKED] >= 0);
    for (int i = 0; i < BL_VCPU_STATE_COUNT; i++)
        vm->state_ns[i] += row->account.state_ns[i];
    vm->received_ns += row->account.charged_ns;
    vm->units += x->unit_count;
    vm->work_ns += x->work_ns;
    vm->spin_ns += x->spin_ns;
}

static void fill_vm(const struct bl_host_sim *s, uint32_t i,
                    struct bl_host_result *r)
{
    const struct host_vm *m = &s->vm[i];
    struct bl_host_vm_row *row = &r->vm[i];

    memset(row, 0, sizeof(*row));
    memcpy(row->name, s->name[i], sizeof(row->name));
    row->group = m->class->group;
    row->vcpu_count = m->count;
    row->vcpu_first = m->first;
    row->alive_ns = bl__host_alive_ns(s, m, s->measure.start_ns);
    row->shares = m->set.shares;
    row->reservation_ppm = m->set.reservation_ppm;
    row->limit_ppm = m->set.limit_ppm;
    /* given[] is of the last, incomplete window. */
    row->entitled_ns = s->measure.ideal_ns[i] + (int64_t)s->measure.given[i];
    for (int w = 0; w < BL_WINDOWS; w++)
        row->error[w] = s->measure.error[w][i];
    row->late_count = m->late_count;
    if (s->power != NULL)
        bl__host_served_fill(s, i, row);
    row->wake = m->wake;
    row->done = m->done;
    row->skew = m->skew;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        fill_vcpu(s, v, &r->vcpu[v], row);
}

/* Are there pCPUs that @vm may not use? */
static bool is_pinned(const struct bl_host_sim *s, uint32_t vm)
{
    const struct bl_cpuset *set = s->vm[vm].class->affinity;

    for (uint32_t p = 0; set != NULL && p < s->spec->topo.pcpu_count; p++)
        if (!bl_cpuset_has(set, p))
            return true;
    return false;
}

static void fill_groups(const struct bl_host_sim *s, struct bl_host_result *r)
{
    for (uint32_t g = 0; g < r->group_count; g++) {
        const bool jobs = g == s->spec->group_count;
        const struct bl_guest *guest =
            jobs ? &s->spec->jobs.guest : &s->spec->group[g].guest;

        BL_ASSERT(g <= s->spec->group_count);
        r->group[g] =
            (struct bl_host_group_row){ .workload = bl_guest_name(guest->kind),
                                        .vm_first = s->vm_count };
        (void)snprintf(r->group[g].name, sizeof(r->group[g].name), "%s",
                       jobs ? HOST_JOB_NAME : s->spec->group[g].name);
    }
    for (uint32_t i = s->vm_count; i-- > 0;) {
        const uint32_t g = s->vm[i].class->group;

        if (g < r->group_count) {
            r->group[g].vm_first = i;
            r->group[g].vm_count++;
        }
    }
}

/* ---- the state hash ----------------------------------------------------- */

static void hash_ns(struct bl_hash *h, int64_t ns)
{
    bl_hash_u64(h, (uint64_t)ns);
}

static void hash_latency(struct bl_hash *h, const struct bl_latency *l)
{
    bl_hash_u64(h, l->count);
    hash_ns(h, l->max_ns);
    hash_ns(h, l->sum_ns);
    for (uint32_t i = 0; i < BL_LATENCY_BUCKETS; i++)
        if (l->bucket[i] > 0) {
            bl_hash_u64(h, i);
            bl_hash_u64(h, l->bucket[i]);
        }
}

static void hash_vcpu(const struct bl_host_sim *s, uint32_t v,
                      struct bl_hash *h)
{
    const struct host_vcpu *x = &s->vcpu[v];
    const struct bl_sched_account a = since_base(s, v);

    for (int i = 0; i < BL_VCPU_STATE_COUNT; i++)
        hash_ns(h, a.state_ns[i]);
    hash_ns(h, a.charged_ns);
    bl_hash_u64(h, a.switch_count);
    hash_ns(h, x->owed_ns);
    hash_ns(h, x->left_ns);
    hash_ns(h, x->timer_ns);
    hash_ns(h, x->since_ns);
    hash_ns(h, x->work_ns);
    hash_ns(h, x->spin_ns);
    bl_hash_u64(h, x->unit_count);
    bl_hash_u64(h, x->prng.s);
    bl_hash_u64(h, x->pc);
    bl_hash_u64(h, x->part_ppm);
    bl_hash_u64(h, x->act);
    bl_hash_u64(h, x->wait);
    bl_hash_u64(h, x->pcpu);
}

static void hash_vm(const struct bl_host_sim *s, uint32_t i, struct bl_hash *h)
{
    const struct host_vm *m = &s->vm[i];

    hash_ns(h, s->measure.ideal_ns[i]);
    for (int w = 0; w < BL_WINDOWS; w++) {
        const struct bl_host_error *e = &s->measure.error[w][i];

        bl_hash_u64(h, e->window_count);
        hash_ns(h, e->max_ns);
        hash_ns(h, e->min_ns);
        hash_ns(h, e->abs_sum_ns);
    }
    bl_hash_u64(h, m->alive_count);
    bl_hash_u64(h, m->arrived_count);
    bl_hash_u64(h, m->queue_count);
    bl_hash_u64(h, m->late_count);
    bl_hash_u64(h, m->prng.s);
    hash_latency(h, &m->wake);
    hash_latency(h, &m->done);
    hash_latency(h, &m->skew);
}

static uint64_t state_hash(const struct bl_host_sim *s)
{
    struct bl_hash h;

    bl_hash_init(&h);
    hash_ns(&h, s->now_ns);
    bl_hash_u64(&h, s->event_count);
    bl_sched_hash(s->sched, &h);
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        hash_vcpu(s, v, &h);
    for (uint32_t i = 0; i < s->vm_count; i++)
        hash_vm(s, i, &h);
    for (uint32_t p = 0; p < s->spec->topo.pcpu_count; p++) {
        bl_hash_u64(&h, s->pcpu[p].curr);
        hash_ns(&h, s->pcpu[p].busy_ns);
        hash_ns(&h, s->pcpu[p].overhead_ns);
        bl_hash_u64(&h, s->pcpu[p].switch_count);
    }
    if (s->power != NULL)
        bl__host_power_hash(s, &h);
    return bl_hash_value(&h);
}

void bl_host_sim_finish(struct bl_host_sim *s, struct bl_host_result *r)
{
    const struct bl_topo *topo = &s->spec->topo;

    BL_ASSERT(r->pcpu_count == topo->pcpu_count);
    BL_ASSERT(r->vm_count == s->vm_count && r->vcpu_count == s->vcpu_count);
    if (!s->measure.counting)
        begin_counting(s);
    bl__host_settle_all(s);
    read_now(s);
    divide(s);
    r->pinned_count = 0;
    for (uint32_t i = 0; i < s->vm_count; i++) {
        fill_vm(s, i, r);
        r->pinned_count += is_pinned(s, i);
    }
    for (uint32_t p = 0; p < r->pcpu_count; p++) {
        const struct host_pcpu *c = &s->pcpu[p];

        r->pcpu[p] =
            (struct bl_host_pcpu_row){ c->busy_ns, c->overhead_ns,
                                       c->switch_count, c->move_in_count };
    }
    fill_groups(s, r);
    r->power = NULL;
    if (s->power != NULL)
        bl__host_power_finish(s, r);
    r->totals = totals_since_base(s);
    r->seed = s->opts.seed;
    r->state_hash = state_hash(s);
    r->core_count = topo->core_count;
    r->llc_count = topo->llc_count;
    r->node_count = topo->node_count;
    (void)snprintf(r->topo, sizeof(r->topo), "%s", s->spec->topo_text);
    (void)snprintf(r->policy, sizeof(r->policy), "%s", s->spec->policy);
    (void)snprintf(r->mode, sizeof(r->mode), "%s", s->spec->mode);
    bl_params_print(&s->policy_params, r->policy_params,
                    sizeof(r->policy_params));
    bl_params_print(&s->mode_params, r->mode_params, sizeof(r->mode_params));
    r->warmup_ns = s->measure.start_ns;
    r->duration_ns = s->now_ns - s->measure.start_ns;
    r->partial = s->now_ns < s->spec->duration_ns;
    r->event_count = s->event_count;
    r->admitted_ppm = s->admitted_ppm;
    r->admission_overhead_ppm = s->overhead_ppm;
}
