/* SPDX-License-Identifier: Apache-2.0 */
/* sched/setup.c - making a dispatcher and its VMs, reading its accounts. */
#include "sched/sched_priv.h"

static bl_err take_memory(struct bl_sched *s, struct bl_arena *a)
{
    const size_t pcpus = s->topo->pcpu_count;
    const size_t vcpus = s->opts.vcpu_count_max, vms = s->opts.vm_count_max;

    s->pcpu = bl_arena_get(a, pcpus, sizeof(*s->pcpu));
    s->busy = bl_arena_get(a, s->topo->core_count, sizeof(*s->busy));
    s->vm = bl_arena_get(a, vms, sizeof(*s->vm));
    s->limited = bl_arena_get(a, vms, sizeof(*s->limited));
    s->vcpu = bl_arena_get(a, vcpus, sizeof(*s->vcpu));
    s->node = bl_arena_get(a, vcpus, sizeof(*s->node));
    s->account = bl_arena_get(a, vcpus, sizeof(*s->account));
    s->affinity = bl_arena_get(a, vcpus, sizeof(*s->affinity));
    if (s->pcpu == NULL || s->busy == NULL || s->vm == NULL ||
        s->limited == NULL || s->vcpu == NULL || s->node == NULL ||
        s->account == NULL || s->affinity == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t p = 0; p < pcpus; p++) {
        s->pcpu[p] = (struct bl__pcpu){ .curr = BL_NO_VCPU,
                                        .forced = BL_NO_VCPU,
                                        .back = BL_NO_VCPU,
                                        .rate_ppm = (uint32_t)BL_PPM,
                                        .speed_ppm = (uint32_t)BL_PPM,
                                        .why = BL_SCHED_SLICE_END };
        bl_cpuset_add(&s->all, p);
    }
    s->idle = s->all;
    s->idle_count = s->topo->pcpu_count;
    return BL_ERR_OK;
}

static void take_params(struct bl_params *out, const struct bl_params *given,
                        const struct bl_sched_info *info)
{
    bl_params_init(out, info->params, info->param_count);
    if (given == NULL)
        return;
    BL_ASSERT(given->count == info->param_count);
    *out = *given;
}

static bl_err find_names(struct bl_sched *s, struct bl_diag *diag)
{
    s->policy = bl__policy_find(s->opts.policy);
    if (s->policy == NULL)
        return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                           "no dispatch policy '%.40s', expected one of "
                           "--policy help",
                           s->opts.policy);
    s->mode = bl__mode_find(s->opts.mode);
    if (s->mode == NULL)
        return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                           "no co-scheduling mode '%.40s', expected one of "
                           "--mode help",
                           s->opts.mode);
    take_params(&s->policy_params, s->opts.policy_params, &s->policy->info);
    take_params(&s->mode_params, s->opts.mode_params, &s->mode->info);
    BL_TRY(bl_sched_params_check(&s->policy->info, &s->policy_params, NULL, 0,
                                 diag));
    return bl_sched_params_check(&s->mode->info, &s->mode_params, NULL, 0,
                                 diag);
}

bl_err bl_sched_create(struct bl_arena *a, const struct bl_sched_opts *opts,
                       struct bl_sched **out, struct bl_diag *diag)
{
    struct bl_sched *s = bl_arena_get(a, 1, sizeof(*s));
    bl_err e;

    if (s == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    s->opts = *opts;
    s->topo = opts->topo;
    bl_topo_check(s->topo);
    if (opts->vcpu_count_max < 1 || opts->vcpu_count_max > BL_SCHED_VCPUS_MAX ||
        opts->vm_count_max < 1 || opts->vm_count_max > opts->vcpu_count_max)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "%u VMs with %u vCPUs, expected 1 .. %u vCPUs and "
                           "no more VMs",
                           opts->vm_count_max, opts->vcpu_count_max,
                           BL_SCHED_VCPUS_MAX);
    if (opts->smt_ppm < BL_PPM || opts->smt_ppm > BL_PPM * s->topo->smt_max)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "a core does %u.%06u of what one of its threads "
                           "does alone, expected 1 .. %u",
                           opts->smt_ppm / 1000000u, opts->smt_ppm % 1000000u,
                           s->topo->smt_max);
    BL_TRY(find_names(s, diag));
    e = take_memory(s, a);
    s->poll_next_ns = INT64_MAX;
    s->refill_ns = 0;
    s->all_vms.ppm = BL_NO_LIMIT;
    if (e == BL_ERR_OK) {
        bl__speed_size_host(s);
        bl__fluid_init(s);
        e = s->policy->create(s, a);
    }
    if (e == BL_ERR_OK && s->mode->create != NULL)
        e = s->mode->create(s, a);
    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, NULL, 0, "%s for the dispatcher",
                           bl_err_text(e));
    if (s->mode->poll_ns != NULL)
        s->poll_next_ns = s->mode->poll_ns(s);
    *out = s;
    return BL_ERR_OK;
}

/* ---- VMs ---------------------------------------------------------------- */

static bool settings_fit(const struct bl_sched_settings *set)
{
    return set->shares >= 1 && set->shares <= BL_SHARES_MAX &&
           set->reservation_ppm <= set->limit_ppm && set->limit_ppm > 0;
}

bl_err bl_sched_vm_add(struct bl_sched *s, const struct bl_sched_settings *set,
                       uint32_t vcpu_count, const struct bl_cpuset *affinity,
                       uint32_t *vm)
{
    const struct bl_cpuset *may = affinity != NULL ? affinity : &s->all;

    if (vcpu_count < 1 || vcpu_count > BL_SCHED_VM_VCPUS_MAX ||
        !settings_fit(set) ||
        bl_cpuset_next(may, &s->all, 0, s->topo->pcpu_count) == BL_NO_PCPU)
        return BL_ERR_INVAL;
    if (s->vm_count == s->opts.vm_count_max ||
        vcpu_count > s->opts.vcpu_count_max - s->vcpu_count)
        return BL_ERR_FULL;

    struct bl__vm *m = &s->vm[s->vm_count];

    *m = (struct bl__vm){ .first = s->vcpu_count,
                          .count = vcpu_count,
                          .set = *set,
                          .limit_index = BL__NO_INDEX,
                          .refilled_ns = s->now_ns };
    *vm = s->vm_count++;
    for (uint32_t i = 0; i < vcpu_count; i++) {
        const uint32_t v = s->vcpu_count++;
        struct bl__vcpu *x = &s->vcpu[v];

        *x = (struct bl__vcpu){ .vm = *vm,
                                .id = v,
                                .pcpu = BL_NO_PCPU,
                                .last = BL_NO_PCPU,
                                .state = BL_VCPU_BLOCKED,
                                .since_ns = s->now_ns,
                                .weight = 1,
                                .queue = BL__NO_INDEX };
        s->node[v] =
            (struct bl__node){ .left = BL_NO_VCPU, .right = BL_NO_VCPU };
        for (uint32_t k = 0; k < BL_CPUSET_WORDS; k++)
            s->affinity[v].word[k] = may->word[k] & s->all.word[k];
        x->pinned = !bl_cpuset_equal(&s->affinity[v], &s->all);
        s->pinned_count += x->pinned;
    }
    s->in_state[BL_VCPU_BLOCKED] += vcpu_count;
    bl__limit_set(s, *vm);
    bl__fluid_update(s, *vm);
    return BL_ERR_OK;
}

uint32_t bl_sched_vm_first(const struct bl_sched *s, uint32_t vm)
{
    BL_ASSERT(vm < s->vm_count);
    return s->vm[vm].first;
}

uint32_t bl_sched_vm_size(const struct bl_sched *s, uint32_t vm)
{
    BL_ASSERT(vm < s->vm_count);
    return s->vm[vm].count;
}

uint32_t bl_sched_vm_of(const struct bl_sched *s, uint32_t vcpu)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    return s->vcpu[vcpu].vm;
}

/* ---- accounts ----------------------------------------------------------- */

enum bl_vcpu_state bl_sched_state(const struct bl_sched *s, uint32_t vcpu)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    return s->vcpu[vcpu].state;
}

uint32_t bl_sched_running(const struct bl_sched *s, uint32_t pcpu)
{
    BL_ASSERT(pcpu < s->topo->pcpu_count);
    return s->pcpu[pcpu].curr;
}

uint32_t bl_sched_pcpu(const struct bl_sched *s, uint32_t vcpu)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    return s->vcpu[vcpu].pcpu;
}

/* Run time since the last account of what runs on @p, charged. */
static int64_t open_charge(const struct bl_sched *s, uint32_t p, int64_t now_ns)
{
    const struct bl__pcpu *c = &s->pcpu[p];
    const uint64_t ran = (uint64_t)(now_ns - c->account_ns);

    return (int64_t)((ran * c->rate_ppm + c->charge_rest) / (uint64_t)BL_PPM);
}

struct bl_sched_account bl_sched_vcpu_times(const struct bl_sched *s,
                                            uint32_t vcpu, int64_t now_ns)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    BL_ASSERT(now_ns >= s->now_ns);

    const struct bl__vcpu *x = &s->vcpu[vcpu];
    struct bl_sched_account a = s->account[vcpu].sum;

    a.state_ns[x->state] += now_ns - x->since_ns;
    if (x->state == BL_VCPU_RUN)
        a.charged_ns += open_charge(s, x->pcpu, now_ns);
    a.skew_ns = 0;
    return a;
}

struct bl_sched_account bl_sched_vcpu(const struct bl_sched *s, uint32_t vcpu,
                                      int64_t now_ns)
{
    struct bl_sched_account a = bl_sched_vcpu_times(s, vcpu, now_ns);

    a.skew_ns = bl__skew_ns(s, vcpu, now_ns);
    return a;
}

struct bl_sched_totals bl_sched_totals(const struct bl_sched *s, int64_t now_ns)
{
    struct bl_sched_totals t = s->total;

    BL_ASSERT(now_ns >= s->now_ns);
    bl__integrate(s, &t, now_ns);
    return t;
}

int64_t bl_sched_lag_ns(const struct bl_sched *s, uint32_t vcpu)
{
    BL_ASSERT(vcpu < s->vcpu_count);
    return s->policy->lag != NULL ? s->policy->lag(s, vcpu) : 0;
}

void bl_sched_hash(const struct bl_sched *s, struct bl_hash *h)
{
    bl_hash_u64(h, (uint64_t)s->now_ns);
    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        const struct bl__vcpu *x = &s->vcpu[v];

        bl_hash_u64(h, x->state);
        bl_hash_u64(h, x->pcpu);
        bl_hash_u64(h, x->last);
        bl_hash_u64(h, x->weight);
        bl_hash_u64(h, (uint64_t)x->since_ns);
        bl_hash_u64(h, (uint64_t)x->progress_ns);
        for (int i = 0; i < BL_VCPU_STATE_COUNT; i++)
            bl_hash_u64(h, (uint64_t)s->account[v].sum.state_ns[i]);
        bl_hash_u64(h, (uint64_t)s->account[v].sum.charged_ns);
    }
    for (uint32_t vm = 0; vm < s->vm_count; vm++)
        bl_hash_u64(h, (uint64_t)s->vm[vm].budget_ns);
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        if (s->pcpu[p].speed_ppm != BL_PPM)
            bl_hash_u64(h, (uint64_t)p << 32 | s->pcpu[p].speed_ppm);
    if (s->all_vms.ppm != BL_NO_LIMIT) {
        bl_hash_u64(h, (uint64_t)s->all_vms.budget_ns);
        for (uint32_t vm = 0; vm < s->vm_count; vm++)
            bl_hash_u64(h, (uint64_t)s->vm[vm].reserve_ns);
    }
    if (s->policy->hash != NULL)
        s->policy->hash(s, h);
}

/* ---- invariants --------------------------------------------------------- */

static void check_vcpus(const struct bl_sched *s)
{
    uint32_t in[BL_VCPU_STATE_COUNT] = { 0 }, pinned = 0, waiting_pinned = 0;

    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        const struct bl__vcpu *x = &s->vcpu[v];

        BL_ASSERT(x->id == v);
        BL_ASSERT(x->state < BL_VCPU_STATE_COUNT);
        BL_ASSERT(x->since_ns <= s->now_ns);
        BL_ASSERT((x->state == BL_VCPU_RUN) == (x->pcpu != BL_NO_PCPU));
        if (x->state == BL_VCPU_RUN) {
            BL_ASSERT(s->pcpu[x->pcpu].curr == v);
            BL_ASSERT(x->leaving || bl__may_run(s, v, x->pcpu));
        }
        in[x->state]++;
        pinned += x->pinned;
        waiting_pinned += x->pinned && x->state == BL_VCPU_READY;
    }
    for (uint32_t i = 0; i < BL_VCPU_STATE_COUNT; i++)
        BL_ASSERT(in[i] == s->in_state[i]);
    BL_ASSERT(pinned == s->pinned_count);
    BL_ASSERT(waiting_pinned == s->waiting_pinned);
}

static void check_vms(const struct bl_sched *s)
{
    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const struct bl__vm *m = &s->vm[vm];
        uint32_t runnable = 0, running = 0, stopped = 0;

        for (uint32_t v = m->first; v < m->first + m->count; v++) {
            BL_ASSERT(s->vcpu[v].vm == vm);
            runnable += s->vcpu[v].state != BL_VCPU_BLOCKED;
            running += s->vcpu[v].state == BL_VCPU_RUN;
            stopped += s->vcpu[v].state == BL_VCPU_COSTOP;
            if (m->throttled)
                BL_ASSERT(m->limit_index != BL__NO_INDEX);
            if (s->vcpu[v].state == BL_VCPU_LIMITED)
                BL_ASSERT(bl__is_throttled(s, m));
        }
        BL_ASSERT(runnable == m->runnable);
        BL_ASSERT(running == m->running);
        BL_ASSERT(stopped == m->stopped);
    }
}

static void check_pcpus(const struct bl_sched *s)
{
    uint32_t idle = 0, kicked = 0;

    for (uint32_t p = 0; p < s->topo->pcpu_count; p++) {
        const struct bl__pcpu *c = &s->pcpu[p];

        idle += bl__is_idle(s, p);
        kicked += bl_cpuset_has(&s->kick, p);
        if (bl__is_idle(s, p))
            BL_ASSERT(c->curr == BL_NO_VCPU);
        if (c->curr == BL_NO_VCPU)
            BL_ASSERT(bl__is_idle(s, p) || bl_cpuset_has(&s->kick, p));
        else
            BL_ASSERT(s->vcpu[c->curr].pcpu == p);
    }
    BL_ASSERT(idle == s->idle_count);
    BL_ASSERT(kicked == s->kick_count);
}

/* A vCPU that waits and an idle pCPU that it may use do not go together, once
 * every kicked pCPU has picked; of modes that keep pCPUs free on purpose, only
 * the other invariants are asked. */
static void check_conserving(const struct bl_sched *s)
{
    if (!s->policy->conserving || s->mode->whole_cores)
        return;
    if (s->kick_count > 0)
        return;
    for (uint32_t v = 0; v < s->vcpu_count && s->idle_count > 0; v++) {
        const struct bl_cpuset *may = &s->affinity[v];

        if (s->vcpu[v].state == BL_VCPU_READY)
            BL_ASSERT(bl_cpuset_next(&s->idle, may, 0, s->topo->pcpu_count) ==
                      BL_NO_PCPU);
    }
}

void bl_sched_check(const struct bl_sched *s)
{
    check_vcpus(s);
    check_vms(s);
    check_pcpus(s);
    check_conserving(s);
    bl__fluid_check(s);
    bl__speed_check(s);
    s->policy->check(s);
    if (s->mode->check != NULL)
        s->mode->check(s);
}
