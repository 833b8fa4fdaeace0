/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_compile - workloads, by kind or from files, to one program for each
 * vCPU.
 *
 * Source     doc/models/dispatch.md, Guests.
 * Idea       a kind is a loop of a few operations. VMs of a group share their
 *            programs; what differs are the draws, each vCPU having a stream of
 *            its own. A job of a log is a VM that works in phases until it has
 *            done what the log says, then ends.
 * Bound      test_hostsim: each kind does what its program drew.
 * Deviation  an idle guest's ticks do not all come at once: each vCPU's first
 *            one comes somewhere in the first period. Phases of a job are equal
 *            parts of its run time, as near as possible to the mean asked for.
 * Cost       O(operations), at creation.
 */
#include "sim/host_priv.h"

#include <string.h>

enum { OPS_MAX = 6 };

#define UNIT_NS INT64_C(1000000) /* of work: CPU guests count it */

static struct bl_op timed(enum bl_op_kind kind, const struct bl_dist *time)
{
    return (struct bl_op){ .kind = kind, .time = *time };
}

static struct bl_op plain(enum bl_op_kind kind)
{
    return (struct bl_op){ .kind = kind };
}

/* ---- kinds -------------------------------------------------------------- */

static uint32_t tick(const struct bl_guest *g, struct bl_op *op)
{
    const int64_t half_ns = g->rest.mean_ns / 2;
    const struct bl_dist first = { BL_DIST_UNIFORM, (uint32_t)BL_PPM, half_ns };

    op[0] = timed(BL_OP_TIMER, &first);
    op[1] = timed(BL_OP_RUN, &g->work);
    op[2] = timed(BL_OP_TIMER, &g->rest);
    op[2].count = 1;
    op[3] = plain(BL_OP_LOOP);
    op[3].target = 1;
    return 4;
}

static uint32_t contend(const struct bl_guest *g, struct bl_op *op)
{
    op[0] = timed(BL_OP_RUN, &g->work);
    op[1] = plain(BL_OP_LOCK);
    op[2] = timed(BL_OP_RUN, &g->rest);
    op[3] = plain(BL_OP_UNLOCK);
    op[4] = plain(BL_OP_UNIT);
    op[5] = plain(BL_OP_LOOP);
    return 6;
}

/* What comes first, then work, a unit, and again. */
static uint32_t serve(struct bl_op first, const struct bl_guest *g,
                      struct bl_op *op)
{
    op[0] = first;
    op[1] = timed(BL_OP_RUN, &g->work);
    op[2] = plain(BL_OP_UNIT);
    op[3] = plain(BL_OP_LOOP);
    return 4;
}

static uint32_t phases(const struct bl_guest *g, struct bl_op *op)
{
    op[0] = timed(BL_OP_RUN, &g->work);
    op[1] = plain(BL_OP_BARRIER);
    op[2] = plain(BL_OP_UNIT);
    op[3] = plain(BL_OP_LOOP);
    return 4;
}

static uint32_t ops_of(const struct bl_guest *g, struct bl_op *op)
{
    const struct bl_dist unit = { BL_DIST_FIXED, 0, UNIT_NS };

    switch (g->kind) {
    case BL_GUEST_CPU:
        op[0] = timed(BL_OP_RUN, &unit);
        op[1] = plain(BL_OP_UNIT);
        op[2] = plain(BL_OP_LOOP);
        return 3;
    case BL_GUEST_INTERACTIVE:
        return serve(timed(BL_OP_SLEEP, &g->rest), g, op);
    case BL_GUEST_PERIODIC:
        return serve(timed(BL_OP_TIMER, &g->rest), g, op);
    case BL_GUEST_SERVER:
        return serve(plain(BL_OP_REQUEST), g, op);
    case BL_GUEST_BARRIER:
        return phases(g, op);
    case BL_GUEST_LOCK:
        return contend(g, op);
    case BL_GUEST_IDLE:
        return tick(g, op);
    case BL_GUEST_RTAPP:
    case BL_GUEST_SWITCHES:
    case BL_GUEST_COUNT:
        break;
    }
    BL_ASSERT(false);
    return 0;
}

/* ---- programs ----------------------------------------------------------- */

/* Finds the loops that end: they need a counter on each vCPU. */
static bl_err make_program(struct bl_arena *a, const struct bl_op *op,
                           uint32_t count, struct host_program *out)
{
    const struct bl_program check = { op, count };
    uint32_t n = 0, *loop;

    bl_program_check(&check);
    *out = (struct host_program){ .op = op, .count = count };
    for (uint32_t i = 0; i < count; i++)
        n += op[i].kind == BL_OP_LOOP && op[i].count > 0;
    if (n == 0)
        return BL_ERR_OK;
    loop = bl_arena_get(a, n, sizeof(*loop));
    if (loop == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        if (op[i].kind == BL_OP_LOOP && op[i].count > 0)
            loop[out->loop_count++] = i;
    out->loop = loop;
    return BL_ERR_OK;
}

static bl_err class_of_kind(struct bl_arena *a, const struct bl_guest *g,
                            struct host_class *c)
{
    struct bl_op *op = bl_arena_get(a, OPS_MAX, sizeof(*op));
    struct host_program *p = bl_arena_get(a, 1, sizeof(*p));

    if (op == NULL || p == NULL)
        return BL_ERR_NOMEM;
    c->program = p;
    c->program_count = 1;
    c->lock_count = g->kind == BL_GUEST_LOCK;
    return make_program(a, op, ops_of(g, op), p);
}

/* A file that cannot be read at all: whoever named it may have meant another,
 * so the scenario's line leads. */
static bl_err named_at(bl_err e, const struct bl_host_sim *s,
                       unsigned long line, struct bl_diag *diag)
{
    const struct bl_diag why = *diag;

    if (e != BL_ERR_IO || s->opts.file == NULL || line == 0)
        return e;
    return bl_diag_set(diag, e, s->opts.file, line, "file: %s", why.text);
}

static bl_err class_of_file(struct bl_arena *a, const struct bl_host_sim *s,
                            const struct bl_host_vm_group *g,
                            struct host_class *c, struct bl_diag *diag)
{
    static const struct bl_op end = { .kind = BL_OP_END };
    const struct bl_switches_opts opts = { .task_count_max = g->vcpu_count };
    struct host_program *p;
    struct bl_task_set set;
    bl_err e;

    if (g->guest.kind == BL_GUEST_RTAPP)
        e = bl_tasks_read_rtapp(g->path, a, &set, diag);
    else
        e = bl_tasks_read_switches(g->path, &opts, a, &set, diag);
    BL_TRY(named_at(e, s, g->path_line, diag));
    if (set.task_count > g->vcpu_count)
        return bl_diag_set(diag, BL_ERR_INVAL, g->path, 0,
                           "%u tasks, expected at most %u: one on each vCPU of "
                           "%s",
                           set.task_count, g->vcpu_count, g->name);
    p = bl_arena_get(a, set.task_count + 1, sizeof(*p));
    if (p == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < set.task_count; i++)
        BL_TRY(make_program(a, set.task[i].program.op,
                            set.task[i].program.count, &p[i]));
    BL_TRY(make_program(a, &end, 1, &p[set.task_count]));
    c->program = p;
    c->program_count = set.task_count + 1;
    c->lock_count = set.lock_count;
    c->condition_count = set.condition_count;
    return BL_ERR_OK;
}

/* ---- jobs --------------------------------------------------------------- */

static bl_err class_of_job(struct bl_arena *a, const struct bl_host_jobs *jobs,
                           const struct bl_job *job, struct host_class *c)
{
    const int64_t mean_ns = jobs->guest.work.mean_ns;
    struct bl_guest g = jobs->guest;
    int64_t n = 1;
    struct bl_op *op = bl_arena_get(a, OPS_MAX, sizeof(*op));
    struct host_program *p = bl_arena_get(a, 1, sizeof(*p));

    if (op == NULL || p == NULL)
        return BL_ERR_NOMEM;
    if (mean_ns > 0 && mean_ns < job->run_ns)
        n = (job->run_ns - 1) / mean_ns + 1;
    n = n < UINT32_MAX ? n : UINT32_MAX;
    g.work.mean_ns = job->run_ns / n;
    g.work.mean_ns =
        g.work.mean_ns < BL_GUEST_NS_MAX ? g.work.mean_ns : BL_GUEST_NS_MAX;

    const uint32_t last = phases(&g, op) - 1;

    op[last].count = (uint32_t)n;
    op[last + 1] = plain(BL_OP_END);
    c->program = p;
    c->program_count = 1;
    c->guest = &jobs->guest;
    c->cpu = &jobs->cpu;
    c->vcpu_count = job->width;
    c->vm_count = 1;
    c->start_ns = job->arrive_ns;
    return make_program(a, op, last + 2, p);
}

static bl_err read_jobs(struct bl_arena *a, const struct bl_host_sim *s,
                        struct bl_job_set *out, struct bl_diag *diag)
{
    const struct bl_host_jobs *jobs = &s->spec->jobs;
    const struct bl_swf_opts opts = { .job_first = jobs->skip,
                                      .job_count_max = jobs->count_max,
                                      .width_max = jobs->width_max,
                                      .time_scale_ppm = jobs->time_ppm };

    *out = (struct bl_job_set){ 0 };
    if (jobs->path[0] == '\0')
        return BL_ERR_OK;
    return named_at(bl_jobs_read_swf(jobs->path, &opts, a, out, diag), s,
                    jobs->path_line, diag);
}

/* ---- all of them -------------------------------------------------------- */

/* All but its programs. */
static void describe_group(const struct bl_host_vm_group *g,
                           struct host_class *c)
{
    c->guest = &g->guest;
    c->cpu = &g->cpu;
    c->affinity = g->has_affinity ? &g->affinity : NULL;
    c->vcpu_count = g->vcpu_count;
    c->vm_count = g->vm_count;
    c->start_ns = g->start_ns;
    c->stagger_ns = g->stagger_ns;
}

static bl_err count_all(struct bl_host_sim *s, struct bl_diag *diag)
{
    uint64_t vms = 0, vcpus = 0;

    for (uint32_t i = 0; i < s->class_count; i++) {
        vms += s->class[i].vm_count;
        vcpus += (uint64_t)s->class[i].vm_count * s->class[i].vcpu_count;
    }
    if (vms > BL_HOST_VMS_MAX || vcpus > BL_HOST_VCPUS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, s->opts.file, 0,
                           "%llu VMs with %llu vCPUs, expected at most %u and "
                           "%u",
                           (unsigned long long)vms, (unsigned long long)vcpus,
                           BL_HOST_VMS_MAX, BL_HOST_VCPUS_MAX);
    s->vm_count = (uint32_t)vms;
    s->vcpu_count = (uint32_t)vcpus;
    return BL_ERR_OK;
}

bl_err bl__host_classes(struct bl_arena *a, struct bl_host_sim *s,
                        bool with_jobs, struct bl_diag *diag)
{
    const struct bl_host_spec *spec = s->spec;
    struct bl_job_set jobs = { 0 };

    if (with_jobs)
        BL_TRY(read_jobs(a, s, &jobs, diag));
    s->class =
        bl_arena_get(a, spec->group_count + jobs.job_count, sizeof(*s->class));
    if (s->class == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < spec->group_count; i++) {
        s->class[i].group = i;
        describe_group(&spec->group[i], &s->class[i]);
    }
    for (uint32_t i = 0; i < jobs.job_count; i++) {
        struct host_class *c = &s->class[spec->group_count + i];

        c->group = spec->group_count;
        BL_TRY(class_of_job(a, &spec->jobs, &jobs.job[i], c));
    }
    s->class_count = spec->group_count + jobs.job_count;
    return count_all(s, diag);
}

bl_err bl__host_compile(struct bl_arena *a, struct bl_host_sim *s,
                        struct bl_diag *diag)
{
    BL_TRY(bl__host_classes(a, s, true, diag));
    for (uint32_t i = 0; i < s->spec->group_count; i++) {
        const struct bl_host_vm_group *g = &s->spec->group[i];
        const enum bl_guest_kind kind = g->guest.kind;

        if (kind == BL_GUEST_RTAPP || kind == BL_GUEST_SWITCHES)
            BL_TRY(class_of_file(a, s, g, &s->class[i], diag));
        else
            BL_TRY(class_of_kind(a, &g->guest, &s->class[i]));
    }
    return BL_ERR_OK;
}
