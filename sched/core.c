/* SPDX-License-Identifier: Apache-2.0 */
/* sched/core.c - the life of a vCPU: wake, start, stop, halt; and what of it is
 * the same under every policy and mode. */
#include "sched/sched_priv.h"

static void add_time(int64_t *sum, uint32_t idle, uint32_t *left, int64_t dt)
{
    const uint32_t n = idle < *left ? idle : *left;

    *sum += n * dt;
    *left -= n;
}

/* Idle pCPUs beside vCPUs that could use them: work not conserved. Those that
 * may not run everywhere are left out, because nobody knows without a search
 * whether an idle pCPU is among theirs. */
void bl__integrate(const struct bl_sched *s, struct bl_sched_totals *t,
                   int64_t now_ns)
{
    const int64_t dt = now_ns - s->total_ns;
    uint32_t idle = s->idle_count;

    if (idle == 0 || dt == 0)
        return;
    add_time(s->mode->whole_cores ? &t->lost_to_core_ns
                                  : &t->idle_while_ready_ns,
             s->in_state[BL_VCPU_READY] - s->waiting_pinned, &idle, dt);
    add_time(&t->idle_while_costop_ns, s->in_state[BL_VCPU_COSTOP], &idle, dt);
    add_time(&t->idle_while_limited_ns, s->in_state[BL_VCPU_LIMITED], &idle,
             dt);
}

/* One now for each call. */
static void enter(struct bl_sched *s, int64_t now_ns)
{
    BL_ASSERT(now_ns >= s->now_ns);
    BL_ASSERT(now_ns < BL_SCHED_NS_MAX);
    bl__integrate(s, &s->total, now_ns);
    s->total_ns = s->now_ns = now_ns;
}

/* ---- states ------------------------------------------------------------- */

/* @by: 1 or UINT32_MAX, which is - 1. */
static void count_state(struct bl_sched *s, const struct bl__vcpu *x,
                        uint32_t by)
{
    s->in_state[x->state] += by;
    if (x->pinned && x->state == BL_VCPU_READY)
        s->waiting_pinned += by;
}

static void set_state(struct bl_sched *s, uint32_t v, enum bl_vcpu_state to)
{
    struct bl__vcpu *x = &s->vcpu[v];

    count_state(s, x, UINT32_MAX);
    s->account[v].sum.state_ns[x->state] += s->now_ns - x->since_ns;
    x->since_ns = s->now_ns;
    x->state = (uint8_t)to;
    count_state(s, x, 1);
}

void bl__tell_sink(struct bl_sched *s, uint32_t v, uint32_t p,
                   enum bl_vcpu_state from, const struct bl__why *why)
{
    const struct bl_sched_event e = { .now_ns = s->now_ns,
                                      .vcpu = v,
                                      .pcpu = p,
                                      .from = from,
                                      .to = s->vcpu[v].state,
                                      .reason = why->reason,
                                      .figure = { why->figure[0],
                                                  why->figure[1] } };

    s->opts.sink(s->opts.sink_ctx, &e);
}

/* ---- pCPUs -------------------------------------------------------------- */

void bl__kick(struct bl_sched *s, uint32_t p, enum bl_sched_reason why)
{
    if (!bl_cpuset_has(&s->kick, p)) {
        bl_cpuset_add(&s->kick, p);
        s->kick_count++;
    }
    s->pcpu[p].why = why;
}

static void unkick(struct bl_sched *s, uint32_t p)
{
    if (bl_cpuset_has(&s->kick, p)) {
        bl_cpuset_remove(&s->kick, p);
        s->kick_count--;
    }
}

static void set_idle(struct bl_sched *s, uint32_t p, bool idle)
{
    if (bl__is_idle(s, p) == idle)
        return;
    if (idle)
        bl_cpuset_add(&s->idle, p);
    else
        bl_cpuset_remove(&s->idle, p);
    s->idle_count += idle ? 1 : UINT32_MAX;
}

void bl__claim_idle(struct bl_sched *s, uint32_t p)
{
    set_idle(s, p, false);
    bl__kick(s, p, BL_SCHED_PICKED);
}

void bl__force(struct bl_sched *s, uint32_t p, uint32_t v,
               const struct bl__why *why)
{
    BL_ASSERT(s->vcpu[v].state == BL_VCPU_READY);
    BL_ASSERT(bl__may_run(s, v, p));
    s->pcpu[p].forced = v;
    s->pcpu[p].forced_why = *why;
    set_idle(s, p, false);
    bl__kick(s, p, BL_SCHED_PREEMPTED);
}

void bl__account(struct bl_sched *s, uint32_t p)
{
    struct bl__pcpu *c = &s->pcpu[p];
    const int64_t ran = s->now_ns - c->account_ns;
    const uint32_t v = c->curr;
    int64_t charged = ran;

    c->account_ns = s->now_ns;
    if (v == BL_NO_VCPU || ran == 0)
        return;
    if (c->rate_ppm != BL_PPM) {
        const uint64_t work = (uint64_t)ran * c->rate_ppm + c->charge_rest;

        charged = (int64_t)(work / (uint64_t)BL_PPM);
        c->charge_rest = (uint32_t)(work % (uint64_t)BL_PPM);
    }
    s->account[v].sum.charged_ns += charged;
    s->vcpu[v].progress_ns += ran;
    s->policy->account(s, p, v, charged);
    bl__limit_charge(s, s->vcpu[v].vm, charged);
}

/* A thread of a core started or went idle: the others are charged by another
 * rate from now on. */
static void set_busy(struct bl_sched *s, uint32_t p, bool busy)
{
    const uint32_t core = s->topo->core_of[p];
    const struct bl_topo_range r = s->topo->core[core];

    if (s->pcpu[p].busy == busy)
        return;
    s->pcpu[p].busy = busy;
    if (r.count == 1)
        return;
    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        bl__account(s, q);
    s->busy[core] = (uint8_t)(s->busy[core] + (busy ? 1 : -1));
    if (s->busy[core] == 0)
        return;

    const uint32_t rate =
        bl_smt_rate_ppm(s->opts.smt_ppm, r.count, s->busy[core]);

    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++)
        s->pcpu[q].rate_ppm = bl__speed_rate(&s->pcpu[q], rate);
}

/* What runs on @p, and is accounted for, leaves it; the policy forgets or keeps
 * it. */
static uint32_t take_off(struct bl_sched *s, uint32_t p, bool again)
{
    const uint32_t v = s->pcpu[p].curr;

    s->policy->stop(s, p, v, again);
    s->pcpu[p].curr = BL_NO_VCPU;
    s->vcpu[v].pcpu = BL_NO_PCPU;
    s->vcpu[v].leaving = false;
    s->vm[s->vcpu[v].vm].running--;
    return v;
}

/* ---- co-stop and limit -------------------------------------------------- */

/* From running or held to @to, where the policy does not hold it. */
static enum bl_vcpu_state withdraw(struct bl_sched *s, uint32_t v,
                                   enum bl_vcpu_state to,
                                   enum bl_sched_reason why)
{
    struct bl__vcpu *x = &s->vcpu[v];
    const enum bl_vcpu_state from = x->state;

    if (from == BL_VCPU_RUN) {
        const uint32_t p = x->pcpu;

        bl__account(s, p);
        (void)take_off(s, p, false);
        bl__kick(s, p, why);
    } else {
        BL_ASSERT(from == BL_VCPU_READY);
        s->policy->dequeue(s, v);
    }
    set_state(s, v, to);
    return from;
}

/* Back to the policy. */
static void give_back(struct bl_sched *s, uint32_t v)
{
    s->vcpu[v].came_from = s->vcpu[v].state;
    set_state(s, v, BL_VCPU_READY);
    s->policy->enqueue(s, v);
}

void bl__costop(struct bl_sched *s, uint32_t v, const struct bl__why *why)
{
    const uint32_t p = s->vcpu[v].pcpu;
    const enum bl_vcpu_state from = withdraw(s, v, BL_VCPU_COSTOP, why->reason);

    s->vm[s->vcpu[v].vm].stopped++;
    s->account[v].sum.costop_count++;
    s->total.costop_count++;
    bl__event(s, v, p, from, why->reason, why->figure[0], why->figure[1]);
}

void bl__costart(struct bl_sched *s, uint32_t v, const struct bl__why *why)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];

    BL_ASSERT(s->vcpu[v].state == BL_VCPU_COSTOP);
    m->stopped--;
    if (bl__is_throttled(s, m))
        set_state(s, v, BL_VCPU_LIMITED);
    else
        give_back(s, v);
    bl__event(s, v, BL_NO_PCPU, BL_VCPU_COSTOP, why->reason, why->figure[0],
              why->figure[1]);
}

void bl__throttle(struct bl_sched *s, uint32_t v)
{
    const uint32_t p = s->vcpu[v].pcpu;
    const enum bl_vcpu_state from =
        withdraw(s, v, BL_VCPU_LIMITED, BL_SCHED_THROTTLED);

    s->account[v].sum.throttle_count++;
    s->total.throttle_count++;
    bl__event(s, v, p, from, BL_SCHED_THROTTLED,
              -s->vm[s->vcpu[v].vm].budget_ns, 0);
    if (from == BL_VCPU_RUN && s->mode->halted != NULL)
        s->mode->halted(s, p, v);
}

void bl__unthrottle(struct bl_sched *s, uint32_t v)
{
    give_back(s, v);
    bl__event(s, v, BL_NO_PCPU, BL_VCPU_LIMITED, BL_SCHED_REFILLED,
              s->vm[s->vcpu[v].vm].budget_ns, 0);
    if (s->mode->woke != NULL)
        s->mode->woke(s, v, BL_NO_PCPU);
}

/* The policy holds what ran on @p, and is accounted for, again: there, or
 * elsewhere if it may not run there any more. */
static void lay_down(struct bl_sched *s, uint32_t p)
{
    const bool leaves = s->vcpu[s->pcpu[p].curr].leaving;
    const uint32_t v = take_off(s, p, !leaves);

    set_state(s, v, BL_VCPU_READY);
    s->vcpu[v].came_from = BL_VCPU_READY;
    if (leaves)
        s->policy->enqueue(s, v);
}

void bl__evict(struct bl_sched *s, uint32_t p, enum bl_sched_reason why)
{
    const uint32_t v = s->pcpu[p].curr;

    bl__account(s, p);
    lay_down(s, p);
    s->total.preempt_count++;
    bl__event(s, v, p, BL_VCPU_RUN, why, s->now_ns - s->vcpu[v].picked_ns, 0);
    bl__kick(s, p, why);
}

/* ---- guest time --------------------------------------------------------- */

static int64_t progress_ns(const struct bl_sched *s, const struct bl__vcpu *x,
                           int64_t now_ns)
{
    const bool run = x->state == BL_VCPU_RUN;

    return x->progress_ns + (run ? now_ns - s->pcpu[x->pcpu].account_ns : 0);
}

int64_t bl__skew_ns(const struct bl_sched *s, uint32_t v, int64_t now_ns)
{
    const struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    const int64_t own = progress_ns(s, &s->vcpu[v], now_ns);
    int64_t least = own;

    if (s->vcpu[v].state == BL_VCPU_BLOCKED || m->runnable < 2)
        return 0;
    for (uint32_t i = m->first; i < m->first + m->count; i++) {
        const int64_t other = progress_ns(s, &s->vcpu[i], now_ns);

        if (s->vcpu[i].state != BL_VCPU_BLOCKED && other < least)
            least = other;
    }
    return own - least;
}

/* Who halted had nothing to do: it is level with its leading sibling. */
static void catch_up(struct bl_sched *s, struct bl__vcpu *x)
{
    const struct bl__vm *m = &s->vm[x->vm];

    for (uint32_t i = m->first; i < m->first + m->count; i++) {
        const int64_t other = progress_ns(s, &s->vcpu[i], s->now_ns);

        if (other > x->progress_ns)
            x->progress_ns = other;
    }
}

/* ---- what happened ------------------------------------------------------ */

void bl_sched_wake(struct bl_sched *s, uint32_t vcpu, uint32_t from,
                   int64_t now_ns)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    enter(s, now_ns);

    struct bl__vcpu *x = &s->vcpu[vcpu];
    struct bl__vm *m = &s->vm[x->vm];
    const int64_t blocked_ns = now_ns - x->since_ns;

    if (x->state != BL_VCPU_BLOCKED)
        return;
    s->total.wake_count++;
    m->runnable++;
    if (m->count > 1)
        catch_up(s, x);
    bl__fluid_update(s, x->vm);
    bl__fluid_sweep(s);
    if (bl__is_throttled(s, m)) {
        set_state(s, vcpu, BL_VCPU_LIMITED);
        bl__event(s, vcpu, BL_NO_PCPU, BL_VCPU_BLOCKED, BL_SCHED_THROTTLED,
                  -m->budget_ns, 0);
        return;
    }
    give_back(s, vcpu);
    if (s->opts.sink != NULL)
        bl__event(s, vcpu, BL_NO_PCPU, BL_VCPU_BLOCKED, BL_SCHED_WOKE,
                  blocked_ns, bl_sched_lag_ns(s, vcpu));
    if (s->mode->woke != NULL)
        s->mode->woke(s, vcpu, from);
}

void bl_sched_block(struct bl_sched *s, uint32_t pcpu, int64_t now_ns)
{
    BL_ASSERT(pcpu < s->topo->pcpu_count);
    BL_ASSERT(s->pcpu[pcpu].curr != BL_NO_VCPU);
    enter(s, now_ns);

    bl__account(s, pcpu);

    const uint32_t v = take_off(s, pcpu, false);
    struct bl__vcpu *x = &s->vcpu[v];

    set_state(s, v, BL_VCPU_BLOCKED);
    x->burst_ns += (x->awake_ns - x->burst_ns) / 4;
    x->awake_ns = 0;
    s->total.block_count++;
    s->vm[x->vm].runnable--;
    bl__event(s, v, pcpu, BL_VCPU_RUN, BL_SCHED_BLOCKED, now_ns - x->picked_ns,
              0);
    bl__fluid_update(s, x->vm);
    bl__kick(s, pcpu, BL_SCHED_BLOCKED);
    if (s->mode->halted != NULL)
        s->mode->halted(s, pcpu, v);
}

void bl_sched_hint(struct bl_sched *s, enum bl_sched_hint hint, uint32_t vcpu,
                   uint32_t other, int64_t now_ns)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    BL_ASSERT(hint == BL_HINT_PAUSE || other < s->vcpu_count);
    enter(s, now_ns);
    if (s->mode->hint != NULL)
        s->mode->hint(s, hint, vcpu, other);
}

int64_t bl_sched_next_ns(const struct bl_sched *s)
{
    const bool limits = s->limited_vms > 0 || s->all_vms.ppm != BL_NO_LIMIT;
    const int64_t refill = limits ? s->refill_ns : INT64_MAX;

    return refill < s->poll_next_ns ? refill : s->poll_next_ns;
}

void bl_sched_tick(struct bl_sched *s, int64_t now_ns)
{
    enter(s, now_ns);
    if (now_ns >= s->refill_ns &&
        (s->limited_vms > 0 || s->all_vms.ppm != BL_NO_LIMIT))
        bl__limit_refill(s);
    if (now_ns >= s->poll_next_ns) {
        s->poll_next_ns = now_ns + s->mode->poll_ns(s);
        s->mode->poll(s);
    }
}

void bl_sched_set(struct bl_sched *s, uint32_t vm,
                  const struct bl_sched_settings *set, int64_t now_ns)
{
    BL_ASSERT(vm < s->vm_count);
    BL_ASSERT(set->shares >= 1 && set->shares <= BL_SHARES_MAX);
    BL_ASSERT(set->reservation_ppm <= set->limit_ppm);
    enter(s, now_ns);

    struct bl__vm *m = &s->vm[vm];

    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_RUN)
            bl__account(s, s->vcpu[v].pcpu);
    bl__limit_settle(s, vm); /* what grew until now did so at the old rate */
    m->set = *set;
    bl__limit_set(s, vm);
    bl__fluid_update(s, vm);
}

void bl_sched_set_bandwidth(struct bl_sched *s, uint64_t ppm, int64_t now_ns)
{
    BL_ASSERT(ppm > 0);
    enter(s, now_ns);
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        bl__account(s, p);
    bl__limit_set_all(s, ppm);
    bl__speed_size_host(s);
    bl__fluid_resize(s);
}

void bl_sched_set_speed(struct bl_sched *s, struct bl_topo_range pcpus,
                        uint32_t speed_ppm, int64_t now_ns)
{
    BL_ASSERT(speed_ppm >= 1 && speed_ppm <= (uint32_t)BL_PPM);
    BL_ASSERT(pcpus.first + pcpus.count <= s->topo->pcpu_count);
    enter(s, now_ns);
    for (uint32_t p = pcpus.first; p < (uint32_t)pcpus.first + pcpus.count;
         p++) {
        struct bl__pcpu *c = &s->pcpu[p];
        const uint32_t core = s->topo->core_of[p];
        const uint32_t n = s->topo->core[core].count;
        const uint32_t busy = s->busy[core] > 0 ? s->busy[core] : 1;

        if (c->speed_ppm == speed_ppm)
            continue;
        bl__account(s, p);
        c->speed_ppm = speed_ppm;
        c->rate_ppm =
            bl__speed_rate(c, n > 1 ? bl_smt_rate_ppm(s->opts.smt_ppm, n, busy)
                                    : (uint32_t)BL_PPM);
        if (c->curr != BL_NO_VCPU)
            bl__kick(s, p, BL_SCHED_SLICE_END);
    }
    bl__speed_size_host(s);
    bl__fluid_resize(s);
}

void bl_sched_set_affinity(struct bl_sched *s, uint32_t vcpu,
                           const struct bl_cpuset *pcpus, int64_t now_ns)
{
    BL_ASSERT(vcpu < s->vcpu_count);

    struct bl__vcpu *x = &s->vcpu[vcpu];

    BL_ASSERT(bl_cpuset_next(pcpus, &s->all, 0, s->topo->pcpu_count) !=
              BL_NO_PCPU);
    enter(s, now_ns);

    const bool held = x->state == BL_VCPU_READY;

    if (held)
        s->policy->dequeue(s, vcpu);
    count_state(s, x, UINT32_MAX);
    s->pinned_count -= x->pinned;
    for (uint32_t i = 0; i < BL_CPUSET_WORDS; i++)
        s->affinity[vcpu].word[i] = pcpus->word[i] & s->all.word[i];
    x->pinned = !bl_cpuset_equal(&s->affinity[vcpu], &s->all);
    s->pinned_count += x->pinned;
    count_state(s, x, 1);
    if (held)
        s->policy->enqueue(s, vcpu);
    x->leaving = x->state == BL_VCPU_RUN && !bl__may_run(s, vcpu, x->pcpu);
    if (x->leaving)
        bl__kick(s, x->pcpu, BL_SCHED_PREEMPTED);
}

/* ---- picking ------------------------------------------------------------ */

bool bl_sched_kicked(struct bl_sched *s, uint32_t *pcpu)
{
    if (s->kick_count == 0)
        return false;
    *pcpu = bl_cpuset_next(&s->kick, &s->all, 0, s->topo->pcpu_count);
    unkick(s, *pcpu);
    return true;
}

/* The time of what ran on @p is up, for now: the policy holds it again, unless
 * it may not run or not run here. */
static void put_back(struct bl_sched *s, uint32_t p)
{
    const uint32_t v = s->pcpu[p].curr;
    struct bl__vcpu *x = &s->vcpu[v];

    bl__account(s, p);
    if (bl__is_throttled(s, &s->vm[x->vm])) {
        bl__throttle(s, v);
        return;
    }
    lay_down(s, p);
    s->pcpu[p].back = v;
    if (s->mode->put_back != NULL)
        s->mode->put_back(s, p, v);
}

static uint32_t propose(struct bl_sched *s, uint32_t p)
{
    struct bl__pcpu *c = &s->pcpu[p];
    uint32_t v = c->forced;

    c->forced = BL_NO_VCPU;
    c->start_why.reason = BL_SCHED_PICKED;
    if (v != BL_NO_VCPU && s->vcpu[v].state == BL_VCPU_READY &&
        bl__may_run(s, v, p)) {
        c->start_why = c->forced_why;
        c->forced_row++;
        s->policy->take(s, p, v);
        return v;
    }
    c->forced_row = 0;
    v = s->mode->choose != NULL ? s->mode->choose(s, p) : BL_NO_VCPU;
    if (v == BL__IDLE)
        return BL_NO_VCPU;
    if (v != BL_NO_VCPU) {
        s->policy->take(s, p, v);
        return v;
    }
    return s->policy->pick(s, p);
}

/* What runs next: what is proposed, unless its VM has used up its limit or the
 * mode holds it back. If that happens to @prev, which ran until now, this has
 * been said then, and @prev is nobody. */
static uint32_t choose(struct bl_sched *s, uint32_t p, uint32_t *prev)
{
    uint32_t v;

    while ((v = propose(s, p)) != BL_NO_VCPU) {
        const uint32_t vm = s->vcpu[v].vm;
        const enum bl_vcpu_state from =
            v == *prev ? BL_VCPU_RUN : BL_VCPU_READY;

        if (bl__is_throttled(s, &s->vm[vm])) {
            s->policy->stop(s, p, v, false);
            set_state(s, v, BL_VCPU_LIMITED);
            s->account[v].sum.throttle_count++;
            s->total.throttle_count++;
            bl__event(s, v, p, from, BL_SCHED_THROTTLED, -s->vm[vm].budget_ns,
                      0);
            *prev = v == *prev ? BL_NO_VCPU : *prev;
            continue;
        }
        if (s->mode->may_start == NULL || s->mode->may_start(s, p, v))
            return v;
        s->policy->stop(s, p, v, false);
        set_state(s, v, BL_VCPU_COSTOP);
        s->vm[vm].stopped++;
        s->account[v].sum.costop_count++;
        s->total.costop_count++;
        bl__event(s, v, p, from, s->mode->wait_why, s->vm[vm].runnable,
                  s->idle_count);
        *prev = v == *prev ? BL_NO_VCPU : *prev;
    }
    return BL_NO_VCPU;
}

static void say_started(struct bl_sched *s, uint32_t p, uint32_t v,
                        int64_t slice_ns)
{
    struct bl__why *why = &s->pcpu[p].start_why;

    if (s->opts.sink == NULL)
        return;
    if (why->reason == BL_SCHED_PICKED) {
        why->figure[0] = bl_sched_lag_ns(s, v);
        why->figure[1] = slice_ns;
    }
    bl__event(s, v, p, BL_VCPU_READY, why->reason, why->figure[0],
              why->figure[1]);
}

/* Returns how far @v came; until when it runs is c->until_ns. */
static enum bl_topo_reach start(struct bl_sched *s, uint32_t p, uint32_t v,
                                uint32_t prev)
{
    enum bl_topo_reach moved = BL_REACH_SAME;
    struct bl__pcpu *c = &s->pcpu[p];
    struct bl__vcpu *x = &s->vcpu[v];
    const int64_t limit_ns = bl__limit_slice(s, x->vm);
    int64_t slice_ns = s->policy->slice(s, p, v);

    slice_ns = bl__speed_time(c, slice_ns < limit_ns ? slice_ns : limit_ns);
    set_state(s, v, BL_VCPU_RUN);
    c->curr = v;
    c->account_ns = s->now_ns;
    x->pcpu = p;
    s->vm[x->vm].running++;
    c->until_ns = s->now_ns + slice_ns;
    if (v != prev) {
        if (x->last != BL_NO_PCPU)
            moved = bl_topo_reach(s->topo, x->last, p);
        s->account[v].sum.move_count[moved]++;
        s->total.move_count[moved]++;
        s->account[v].sum.switch_count++;
        s->total.switch_count++;
        x->picked_ns = s->now_ns;
        x->last = p;
        c->protect_ns = s->now_ns;
        say_started(s, p, v, slice_ns);
    }
    if (s->mode->started != NULL)
        s->mode->started(s, p, v, &c->until_ns);
    return moved;
}

/* @prev had to go although it is runnable: say so. */
static void say_stopped(struct bl_sched *s, uint32_t p, uint32_t prev,
                        uint32_t next)
{
    struct bl__pcpu *c = &s->pcpu[p];
    const int64_t ran = s->now_ns - s->vcpu[prev].picked_ns;

    if (s->vcpu[prev].state != BL_VCPU_READY)
        return;
    if (c->why == BL_SCHED_PREEMPTED)
        s->total.preempt_count++;
    bl__event(s, prev, p, BL_VCPU_RUN, c->why, ran, next);
}

/* Where vCPUs are pinned, one may drive another away beside an idle pCPU, or
 * take the one that was meant for it: once all have picked, whoever waits and
 * could use an idle pCPU is placed anew. */
static void conserve(struct bl_sched *s)
{
    uint32_t left = s->in_state[BL_VCPU_READY];

    if (s->pinned_count == 0 || s->mode->whole_cores || s->kick_count > 0)
        return;
    for (uint32_t v = 0; left > 0 && s->idle_count > 0; v++) {
        if (s->vcpu[v].state != BL_VCPU_READY)
            continue;
        left--;
        if (bl_cpuset_next(&s->idle, &s->affinity[v], 0, s->topo->pcpu_count) !=
            BL_NO_PCPU) {
            s->policy->dequeue(s, v);
            s->policy->enqueue(s, v);
        }
    }
}

struct bl_pick bl_sched_pick(struct bl_sched *s, uint32_t pcpu, int64_t now_ns)
{
    BL_ASSERT(pcpu < s->topo->pcpu_count);
    enter(s, now_ns);

    struct bl__pcpu *c = &s->pcpu[pcpu];
    const uint32_t ran = c->curr;
    enum bl_topo_reach moved = BL_REACH_SAME;
    uint32_t prev = ran;

    s->total.pick_count++;
    if (prev != BL_NO_VCPU)
        put_back(s, pcpu);
    unkick(s, pcpu);

    const uint32_t next = choose(s, pcpu, &prev);

    c->back = BL_NO_VCPU;
    if (prev != BL_NO_VCPU && next != prev)
        say_stopped(s, pcpu, prev, next);
    set_busy(s, pcpu, next != BL_NO_VCPU);
    set_idle(s, pcpu, next == BL_NO_VCPU);
    if (next != BL_NO_VCPU)
        moved = start(s, pcpu, next, prev);
    c->why = BL_SCHED_SLICE_END;
    conserve(s);
    bl__fluid_sweep(s);
    return (struct bl_pick){ .vcpu = next,
                             .prev = ran,
                             .until_ns =
                                 next != BL_NO_VCPU ? c->until_ns : INT64_MAX,
                             .moved = moved };
}
