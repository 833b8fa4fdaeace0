/* SPDX-License-Identifier: Apache-2.0 */
/* sim/host_create.c - a host from its description: parameters, admission, the
 * dispatcher, and everything that a run needs. */
#include "sim/host_priv.h"

#include <stdio.h>
#include <string.h>

/* Streams of random numbers: one for each vCPU, then one for each VM. */
#define VM_STREAM UINT64_C(1000000)

/* ---- parameters --------------------------------------------------------- */

static bl_err set_params(struct bl_params *p, const struct bl_sched_info *info,
                         const struct bl_host_param *param, uint32_t count,
                         const char *file, struct bl_diag *diag)
{
    bl_params_init(p, info->params, info->param_count);
    for (uint32_t i = 0; i < count; i++)
        BL_TRY(bl_params_set(p, param[i].name, param[i].text, file,
                             param[i].line, diag));
    return BL_ERR_OK;
}

static bl_err read_params(struct bl_host_sim *s, struct bl_diag *diag)
{
    const struct bl_host_spec *spec = s->spec;
    const struct bl_sched_info *policy = bl_sched_policy_find(spec->policy);
    const struct bl_sched_info *mode = bl_sched_mode_find(spec->mode);

    if (policy == NULL)
        return bl_diag_set(diag, BL_ERR_NOENT, s->opts.file, spec->policy_line,
                           "no policy %s", spec->policy);
    if (mode == NULL)
        return bl_diag_set(diag, BL_ERR_NOENT, s->opts.file, spec->mode_line,
                           "no co-scheduling mode %s", spec->mode);
    BL_TRY(set_params(&s->policy_params, policy, spec->policy_param,
                      spec->policy_param_count, s->opts.file, diag));
    return set_params(&s->mode_params, mode, spec->mode_param,
                      spec->mode_param_count, s->opts.file, diag);
}

/* ---- settings ----------------------------------------------------------- */

/* kHz of a VM as time on a pCPU: what is reserved rounded up, limits down. */
static struct bl_sched_settings settings_of(const struct bl_host_sim *s,
                                            const struct host_class *c)
{
    const uint64_t khz = s->spec->core_khz, ppm = (uint64_t)BL_PPM;
    struct bl_sched_settings set = {
        .shares = bl_cpu_shares(c->cpu, c->vcpu_count),
        .reservation_ppm = bl_muldiv(c->cpu->reservation, ppm, khz),
        .limit_ppm = BL_NO_LIMIT,
    };

    if (bl_muldiv(set.reservation_ppm, khz, ppm) < c->cpu->reservation)
        set.reservation_ppm++;
    if (c->cpu->limit != BL_NO_LIMIT) {
        set.limit_ppm = bl_muldiv(c->cpu->limit, ppm, khz);
        set.limit_ppm = set.limit_ppm > 0 ? set.limit_ppm : 1;
        if (set.reservation_ppm > set.limit_ppm)
            set.reservation_ppm = set.limit_ppm;
    }
    return set;
}

static bool is_job(const struct bl_host_sim *s, const struct host_class *c)
{
    return c->group == s->spec->group_count;
}

void bl__host_name_vm(const struct bl_host_sim *s, uint32_t class_index,
                      uint32_t index, char name[BL_NAME_BYTES])
{
    const struct host_class *c = &s->class[class_index];

    if (is_job(s, c))
        (void)snprintf(name, BL_NAME_BYTES, "%s-%u", HOST_JOB_NAME,
                       class_index - s->spec->group_count);
    else if (c->vm_count == 1)
        (void)snprintf(name, BL_NAME_BYTES, "%s",
                       s->spec->group[c->group].name);
    else
        (void)snprintf(name, BL_NAME_BYTES, "%.*s-%u", BL_HOST_STEM_BYTES,
                       s->spec->group[c->group].name, index);
}

unsigned long bl__host_class_line(const struct bl_host_sim *s,
                                  const struct host_class *c)
{
    return is_job(s, c) ? s->spec->jobs.line : s->spec->group[c->group].line;
}

uint32_t bl__host_pool_of(const struct bl_host_sim *s,
                          const struct host_class *c)
{
    return is_job(s, c) ? BL_POOL_ROOT : s->spec->group[c->group].pool;
}

/* ---- admission ---------------------------------------------------------- */

static uint64_t khz_of(const struct bl_host_sim *s, uint64_t ppm)
{
    return bl_muldiv(ppm, s->spec->core_khz, (uint64_t)BL_PPM);
}

static void print_khz(uint64_t khz, char buf[40])
{
    bl_units_print(BL_DIM_FREQ, (int64_t)khz, buf, 40);
}

void bl__host_full_text(const struct bl_host_sim *s, uint64_t need,
                        uint64_t have, char *buf, size_t size)
{
    char needed[40], left[40], all[40], lacks[40];

    print_khz(need, needed);
    print_khz(have, left);
    print_khz(need - have, lacks);
    print_khz(khz_of(s, s->capacity_ppm), all);
    (void)snprintf(
        buf, size,
        "the host has %s left to reserve (%s less %llu %% "
        "overhead), %s needed: %s short",
        left, all,
        (unsigned long long)(s->overhead_ppm * 100 / s->capacity_ppm), needed,
        lacks);
}

static void why_not(const struct bl_host_sim *s, const struct host_admission *a,
                    char *buf, size_t size)
{
    const struct host_class *c = &s->class[a->demand];
    /* what is reserved as described, not as rounded up to ppm */
    const uint64_t need_khz = c->cpu->reservation;
    char need[40], have[40];

    print_khz(khz_of(s, a->need_ppm), need);
    print_khz(khz_of(s, a->have_ppm), have);
    switch (a->refusal) {
    case HOST_ADMITTED:
        break;
    case HOST_REFUSED_VCPU:
        (void)snprintf(buf, size,
                       "each of its vCPUs reserves %s, expected at most the "
                       "%s of a core",
                       need, have);
        return;
    case HOST_REFUSED_GANG:
        (void)snprintf(buf, size,
                       "mode strict runs all its %u vCPUs at once, expected "
                       "at most %llu: the pCPUs that it may use",
                       c->vcpu_count,
                       (unsigned long long)(a->have_ppm / (uint64_t)BL_PPM));
        return;
    case HOST_REFUSED_SUM:
        bl__host_full_text(s, need_khz, khz_of(s, a->have_ppm), buf, size);
        return;
    case HOST_REFUSED_AFFINITY:
        print_khz(need_khz, need);
        (void)snprintf(buf, size,
                       "the pCPUs that it may use have %s left to reserve, "
                       "%s needed",
                       have, need);
        return;
    }
    BL_ASSERT(false);
}

static bl_err refused(const struct bl_host_sim *s,
                      const struct host_admission *a, struct bl_diag *diag)
{
    char name[BL_NAME_BYTES], text[256];

    bl__host_name_vm(s, a->demand, a->vm, name);
    why_not(s, a, text, sizeof(text));
    return bl_diag_set(diag, BL_ERR_INVAL, s->opts.file,
                       bl__host_class_line(s, &s->class[a->demand]),
                       "VM %s is not admitted: %s", name, text);
}

static bl_err admit(struct bl_arena *a, struct bl_host_sim *s,
                    struct bl_diag *diag)
{
    struct host_demand *d = bl_arena_get(a, s->class_count, sizeof(*d));
    struct host_admission out;

    if (d == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < s->class_count; i++)
        d[i] = (struct host_demand){
            .ppm = settings_of(s, &s->class[i]).reservation_ppm,
            .vm_count = s->class[i].vm_count,
            .vcpu_count = s->class[i].vcpu_count,
            .affinity = s->class[i].affinity,
        };
    BL_TRY(bl__host_admit(a, s->spec, d, s->class_count, &out));
    s->admitted_ppm = out.admitted_ppm;
    s->overhead_ppm = out.overhead_ppm;
    s->capacity_ppm = out.capacity_ppm;
    if (out.refusal != HOST_ADMITTED)
        return refused(s, &out, diag);
    s->promised_ppm = out.admitted_ppm;
    BL_TRY(bl__host_pools_admit(s, diag));
    return bl__host_power_admit(a, s, d, diag);
}

/* ---- VMs ---------------------------------------------------------------- */

static bl_err add_vm(struct bl_arena *a, struct bl_host_sim *s, uint32_t vm,
                     const struct host_class *c)
{
    struct host_vm *m = &s->vm[vm];
    uint32_t number;

    m->class = c;
    m->set = settings_of(s, c);
    BL_TRY(bl_sched_vm_add(s->sched, &m->set, c->vcpu_count, c->affinity,
                           &number));
    BL_ASSERT(number == vm);
    m->first = bl_sched_vm_first(s->sched, vm);
    m->count = m->alive_count = c->vcpu_count;
    m->spin_ns = c->guest->spin_ns;
    m->end_ns = INT64_MAX;
    m->control = m->set;
    m->cap_ppm = BL_NO_LIMIT;
    m->prng = bl_prng_stream(s->opts.seed, VM_STREAM + vm);
    if (c->guest->kind == BL_GUEST_SERVER) {
        m->queue_max = c->guest->queue_max > 0 ? c->guest->queue_max : 1;
        m->queue = bl_arena_get(a, m->queue_max, sizeof(*m->queue));
        if (m->queue == NULL)
            return BL_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        const uint32_t last = c->program_count - 1;

        s->vcpu[m->first + i] = (struct host_vcpu){
            .act = HOST_HALT,
            .wait = HOST_NOTHING,
            .woken_ns = HOST_NEVER,
            .since_ns = HOST_NEVER,
            .prng = bl_prng_stream(s->opts.seed, m->first + i),
            .program = &c->program[i < last ? i : last],
            .vm = vm,
            .pcpu = BL_NO_PCPU,
            .list = HOST_NONE,
            .from = BL_NO_PCPU,
            .rate_ppm = (uint32_t)BL_PPM,
        };
    }
    return BL_ERR_OK;
}

static bl_err add_vms(struct bl_arena *a, struct bl_host_sim *s)
{
    uint32_t vm = 0;

    for (uint32_t k = 0; k < s->class_count; k++) {
        const struct host_class *c = &s->class[k];

        for (uint32_t i = 0; i < c->vm_count; i++, vm++) {
            BL_TRY(add_vm(a, s, vm, c));
            bl__host_name_vm(s, k, i, s->name[vm]);
            s->vm[vm].start_ns = c->start_ns + i * c->stagger_ns;
            bl_heap_set(&s->heap, vm, s->vm[vm].start_ns);
        }
    }
    return BL_ERR_OK;
}

/* ---- lists, locks, counters --------------------------------------------- */

static bl_err make_objects(struct bl_arena *a, struct bl_host_sim *s)
{
    uint32_t lists = 0, locks = 0, loops = 0;

    for (uint32_t i = 0; i < s->vm_count; i++) {
        const struct host_class *c = s->vm[i].class;

        s->vm[i].list_first = lists;
        s->vm[i].lock_first = locks;
        lists += HOST_LISTS + 2 * c->lock_count + c->condition_count;
        locks += c->lock_count;
    }
    s->loop_first = bl_arena_get(a, s->vcpu_count, sizeof(*s->loop_first));
    if (s->loop_first == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        s->loop_first[v] = loops;
        loops += s->vcpu[v].program->loop_count;
    }
    s->list_count = lists;
    s->list = bl_arena_get(a, lists, sizeof(*s->list));
    s->holder = bl_arena_get(a, locks + 1, sizeof(*s->holder));
    s->loop = bl_arena_get(a, loops + 1, sizeof(*s->loop));
    if (s->list == NULL || s->holder == NULL || s->loop == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < lists; i++)
        s->list[i] = (struct host_list){ HOST_NONE, HOST_NONE };
    for (uint32_t i = 0; i < locks; i++)
        s->holder[i] = BL_NO_VCPU;
    return BL_ERR_OK;
}

static bl_err make_sched(struct bl_arena *a, struct bl_host_sim *s,
                         struct bl_diag *diag)
{
    const struct bl_sched_opts opts = {
        .topo = &s->spec->topo,
        .policy = s->spec->policy,
        .mode = s->spec->mode,
        .policy_params = &s->policy_params,
        .mode_params = &s->mode_params,
        .vm_count_max = s->vm_count,
        .vcpu_count_max = s->vcpu_count,
        .smt_ppm = s->spec->costs.smt_ppm,
        .sink = s->opts.sink,
        .sink_ctx = s->opts.sink_ctx,
    };

    return bl_sched_create(a, &opts, &s->sched, diag);
}

static bl_err make_arrays(struct bl_arena *a, struct bl_host_sim *s)
{
    const struct bl_topo *topo = &s->spec->topo;

    s->pcpu = bl_arena_get(a, topo->pcpu_count, sizeof(*s->pcpu));
    s->core_busy = bl_arena_get(a, topo->core_count, sizeof(*s->core_busy));
    s->vcpu = bl_arena_get(a, s->vcpu_count, sizeof(*s->vcpu));
    s->vm = bl_arena_get(a, s->vm_count, sizeof(*s->vm));
    s->name = bl_arena_get(a, s->vm_count, sizeof(*s->name));
    s->sent = bl_arena_get(a, BL_SCHED_VM_VCPUS_MAX, sizeof(*s->sent));
    if (s->pcpu == NULL || s->core_busy == NULL || s->vcpu == NULL ||
        s->vm == NULL || s->name == NULL || s->sent == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t p = 0; p < topo->pcpu_count; p++)
        s->pcpu[p] = (struct host_pcpu){ .curr = BL_NO_VCPU,
                                         .last = BL_NO_VCPU,
                                         .idle = true,
                                         .until_ns = INT64_MAX };
    s->due = HOST_NONE;
    s->vcpu_base = s->vm_count;
    s->pcpu_base = s->vm_count + s->vcpu_count;
    return bl_heap_create(a, s->pcpu_base + topo->pcpu_count, &s->heap);
}

static bl_err create(struct bl_arena *a, struct bl_host_sim *s,
                     struct bl_diag *diag)
{
    bl_host_spec_check(s->spec);
    BL_TRY(read_params(s, diag));
    BL_TRY(bl__host_compile(a, s, diag));
    BL_TRY(admit(a, s, diag));
    BL_TRY(make_sched(a, s, diag));
    BL_TRY(make_arrays(a, s));
    BL_TRY(add_vms(a, s));
    BL_TRY(bl__host_pools_create(a, s));
    BL_TRY(bl__host_power_create(a, s, diag));
    BL_TRY(make_objects(a, s));
    return bl__host_measure_create(a, s);
}

bl_err bl_host_sim_admit(struct bl_arena *a,
                         const struct bl_host_sim_opts *opts, bool with_jobs,
                         struct bl_diag *diag)
{
    struct bl_host_sim *s = bl_arena_get(a, 1, sizeof(*s));
    bl_err e = BL_ERR_NOMEM;

    diag->text[0] = '\0';
    if (s != NULL) {
        s->opts = *opts;
        s->spec = opts->spec;
        bl_host_spec_check(s->spec);
        e = bl__host_classes(a, s, with_jobs, diag);
        if (e == BL_ERR_OK)
            e = admit(a, s, diag);
    }
    if (e == BL_ERR_NOMEM && diag->text[0] == '\0')
        return bl_diag_set(diag, e, opts->file, 0, "%s", bl_err_text(e));
    return e;
}

bl_err bl_host_sim_create(struct bl_arena *a,
                          const struct bl_host_sim_opts *opts,
                          struct bl_host_sim **out, struct bl_diag *diag)
{
    struct bl_host_sim *s = bl_arena_get(a, 1, sizeof(*s));
    bl_err e = BL_ERR_NOMEM;

    diag->text[0] = '\0';
    if (s != NULL) {
        s->opts = *opts;
        s->spec = opts->spec;
        e = create(a, s, diag);
    }
    if (e == BL_ERR_NOMEM && diag->text[0] == '\0')
        return bl_diag_set(diag, e, opts->file, 0, "%s", bl_err_text(e));
    if (e == BL_ERR_OK)
        *out = s;
    return e;
}

uint32_t bl_host_sim_vms(const struct bl_host_sim *s)
{
    return s->vm_count;
}

uint32_t bl_host_sim_vcpus(const struct bl_host_sim *s)
{
    return s->vcpu_count;
}

const char *bl_host_sim_vm_name(const struct bl_host_sim *s, uint32_t vm)
{
    BL_ASSERT(vm < s->vm_count);
    return s->name[vm];
}

void bl_host_sim_vcpu_name(const struct bl_host_sim *s, uint32_t vcpu,
                           char *buf, size_t size)
{
    BL_ASSERT(vcpu < s->vcpu_count);

    const uint32_t vm = s->vcpu[vcpu].vm;

    (void)snprintf(buf, size, "%s/%u", s->name[vm], vcpu - s->vm[vm].first);
}
