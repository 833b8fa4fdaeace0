/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a search: each trace decoded once, each run in one thread, each
 * result in the database as soon as it is there. */
#include "cli/tune_priv.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* ---- traces ------------------------------------------------------------- */

static bl_err load_trace(const struct bl_scenario *s, const char *path,
                         struct bl_tune_trace *out, struct bl_diag *diag)
{
    const struct bl_trace_opts opts = { .thread_count = 1, .seed = s->seed };
    struct bl_trace *trace = NULL;
    const struct bl_trace_info *info;
    bl_err e;

    if (path != NULL)
        BL_TRY(bl_trace_open(path, &opts, &trace, diag));
    else
        BL_TRY(bl_run_trace(s, 1, &trace, diag));
    e = bl_trace_store_create(trace, &out->store, diag);
    bl_trace_close(trace);
    if (e != BL_ERR_OK)
        return e;
    info = bl_trace_store_info(out->store);
    out->steps = info->step_count;
    out->warmup = (uint32_t)(s->warmup_ns / info->step_ns);
    if (s->duration_ns > 0 && s->duration_ns / info->step_ns < out->steps)
        out->steps = (uint32_t)(s->duration_ns / info->step_ns);
    if (out->warmup >= out->steps)
        return bl_diag_set(diag, BL_ERR_INVAL, info->name, 0,
                           "%u steps, expected more than the %u of warm-up",
                           out->steps, out->warmup);
    return BL_ERR_OK;
}

/* What was tuned on says nothing of other days. */
static bl_err check_other(const struct bl_tune *t, struct bl_diag *diag)
{
    const struct bl_tune_trace *other = t->trace + t->trace_count;

    for (uint32_t k = 0; k < t->other_count; k++) {
        const uint64_t hash = bl_trace_store_info(other[k].store)->content_hash;

        for (uint32_t i = 0; i < t->trace_count; i++)
            if (bl_trace_store_info(t->trace[i].store)->content_hash == hash)
                return bl_diag_set(diag, BL_ERR_INVAL,
                                   t->scenario->tune.validate.path[k], 0,
                                   "is to be validated on, but is what is "
                                   "tuned on, expected another trace");
    }
    return BL_ERR_OK;
}

/* Can a run be made of it (duration, warm-up, physics)? Some traces come late
 * in a search: what is wrong with them is to be known now. */
static bl_err try_trace(const struct bl_tune *t, const struct bl_tune_trace *at,
                        struct bl_diag *diag)
{
    struct bl_run_opts opts = { .scenario = t->scenario,
                                .policy = &t->plan.baseline,
                                .thread_count = 1 };
    struct bl_run run;
    bl_err e;

    BL_TRY(bl_trace_store_open(at->store, &opts.trace, diag));
    e = bl_run_create(&opts, &run, diag);
    if (e == BL_ERR_OK)
        bl_run_destroy(&run);
    bl_trace_close(opts.trace);
    return e;
}

bl_err bl_tune_traces(struct bl_tune *t, struct bl_diag *diag)
{
    const struct bl_tune_choice *c = &t->scenario->tune;
    const uint32_t own = c->traces.count > 0 ? c->traces.count : 1;

    for (uint32_t i = 0; i < own; i++)
        BL_TRY(load_trace(t->scenario,
                          c->traces.count > 0 ? c->traces.path[i] : NULL,
                          &t->trace[i], diag));
    t->trace_count = own;
    for (uint32_t i = 0; i < c->validate.count; i++)
        BL_TRY(load_trace(t->scenario, c->validate.path[i], &t->trace[own + i],
                          diag));
    t->other_count = c->validate.count;
    for (uint32_t i = 0; i < own + t->other_count; i++)
        BL_TRY(try_trace(t, &t->trace[i], diag));
    return check_other(t, diag);
}

void bl_tune_traces_free(struct bl_tune *t)
{
    for (uint32_t i = 0; i < 2 * BL_TUNE_TRACES_MAX; i++)
        bl_trace_store_free(t->trace[i].store);
}

uint64_t bl_tune_hash(const struct bl_tune *t)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_hash_text(&h, BL_VERSION);
    bl_hash_u64(&h, t->scenario->content_hash);
    bl_hash_u64(&h, t->scenario->seed);
    bl_hash_text(&h, t->scenario->physics);
    bl_hash_text(&h, t->scenario->policy.name);
    bl_hash_text(&h, t->plan.baseline.name);
    for (uint32_t i = 0; i < t->plan.point_count; i++)
        for (uint32_t k = 0; k < t->plan.point[i].count; k++)
            bl_hash_u64(&h, (uint64_t)t->plan.point[i].value[k]);
    for (uint32_t i = 0; i < t->trace_count + t->other_count; i++) {
        bl_hash_u64(&h, bl_trace_store_info(t->trace[i].store)->content_hash);
        bl_hash_u64(&h, t->trace[i].steps);
    }
    return bl_hash_value(&h);
}

/* ---- one run ------------------------------------------------------------ */

/* A point as a scenario could have written it: every parameter, so that what is
 * not varied does not depend on defaults. */
static void choose(const struct bl_tune *t, uint32_t point,
                   struct bl_policy_choice *out)
{
    const struct bl_params *p = &t->plan.point[point];
    const char *name =
        point == 0 ? t->plan.baseline.name : t->scenario->policy.name;

    *out = (struct bl_policy_choice){ .param_count = p->count };
    snprintf(out->name, sizeof(out->name), "%s", name);
    for (uint32_t i = 0; i < p->count; i++) {
        snprintf(out->param[i].name, BL_NAME_BYTES, "%s", p->table[i].name);
        bl_param_print(&p->table[i], p->value[i], out->param[i].text,
                       BL_NAME_BYTES);
    }
}

static void take_figures(const struct bl_result *r, struct bl_tune_figures *f)
{
    *f = (struct bl_tune_figures){
        .energy_kwh = r->energy_kwh,
        .slav = r->slav,
        .unserved_ppm = r->unserved_ppm,
        .demand_mcycles = r->demand_mcycles,
        .migrations = r->migrations,
        .transitions = r->host_on_count + r->host_off_count,
        .state_hash = r->state_hash,
    };
}

static bl_err run_in(struct bl_scenario *s, const struct bl_policy_choice *c,
                     struct bl_trace *trace, bool *done,
                     struct bl_tune_figures *out, struct bl_diag *diag)
{
    const struct bl_run_opts opts = {
        .scenario = s,
        .policy = c,
        .trace = trace,
        .thread_count = 1,
        .stop = &bl_cli_stop,
    };
    struct bl_run run;
    bl_err e;

    BL_TRY(bl_run_create(&opts, &run, diag));
    e = bl_run_go(&run, diag);
    *done = e == BL_ERR_OK && !run.result->partial;
    if (*done)
        take_figures(run.result, out);
    bl_run_destroy(&run);
    return e;
}

bl_err bl_tune_run(const struct bl_tune *t, const struct bl_tune_job *job,
                   bool *done, struct bl_tune_figures *out,
                   struct bl_diag *diag)
{
    const struct bl_tune_trace *from = &t->trace[job->trace];
    struct bl_scenario *s = malloc(sizeof(*s)); /* too large for a stack */
    struct bl_policy_choice choice;
    struct bl_trace *trace = NULL;
    bl_err e;

    *done = false;
    if (s == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    *s = *t->scenario;
    if (job->steps < from->steps)
        s->duration_ns = job->steps * bl_trace_store_info(from->store)->step_ns;
    choose(t, job->point, &choice);
    e = bl_trace_store_open(from->store, &trace, diag);
    if (e == BL_ERR_OK)
        e = run_in(s, &choice, trace, done, out, diag);
    bl_trace_close(trace);
    free(s);
    return e;
}

/* ---- the queue ---------------------------------------------------------- */

struct identity {
    struct bl_tune_key key;
    char params[BL_TUNE_PARAMS_BYTES];
};

static void identify(const struct bl_tune *t, const struct bl_tune_job *job,
                     struct identity *out)
{
    bl_params_print(&t->plan.point[job->point], out->params,
                    sizeof(out->params));
    out->key = (struct bl_tune_key){
        .trace_hash =
            bl_trace_store_info(t->trace[job->trace].store)->content_hash,
        .seed = t->scenario->seed,
        .physics = t->scenario->physics,
        .policy =
            job->point == 0 ? t->plan.baseline.name : t->scenario->policy.name,
        .params = out->params,
        .steps = job->steps,
    };
}

static void say(const struct bl_tune_queue *q, uint32_t i, const char *what)
{
    const struct bl_tune_job *job = &q->job[i];
    char params[BL_TUNE_PARAMS_BYTES];

    if (!q->t->args->verbose)
        return;
    bl_params_print(&q->t->plan.point[job->point], params, sizeof(params));
    fprintf(stderr, "%s point %u trace %u steps %u: %s\n", what, job->point,
            job->trace, job->steps, params);
}

uint32_t bl_tune_queue_take(struct bl_tune_queue *q)
{
    uint32_t i;

    if (q->next == q->count || q->err != BL_ERR_OK || bl_cli_stop != 0)
        return BL_NONE;
    i = q->pending[q->next++];
    say(q, i, "started");
    return i;
}

static void show(struct bl_tune *t)
{
    /* the bar's numbers are 32 bits wide, steps of many runs may not be */
    const uint64_t unit = t->steps_all / UINT32_MAX + 1;

    bl_progress_show(&t->progress, (uint32_t)(t->steps_done / unit),
                     (uint32_t)(t->steps_all / unit));
}

void bl_tune_queue_end(struct bl_tune_queue *q, uint32_t i, bl_err e, bool done,
                       const struct bl_tune_figures *f,
                       const struct bl_diag *diag)
{
    struct bl_tune_job *job = &q->job[i];
    struct bl_diag why = *diag;
    struct identity id;

    if (e == BL_ERR_OK && done) {
        identify(q->t, job, &id);
        e = bl_tune_db_put(q->t->db, &id.key, f, &why);
    }
    if (e != BL_ERR_OK) {
        if (q->err == BL_ERR_OK) {
            q->err = e;
            q->diag = why;
        }
        return;
    }
    if (!done)
        return;
    job->figures = *f;
    job->done = true;
    q->t->runs_done++;
    q->t->steps_done += job->steps;
    say(q, i, "finished");
    show(q->t);
}

bool bl_tune_queue_step(struct bl_tune_queue *q)
{
    struct bl_tune_figures figures = { .energy_kwh = 0 };
    struct bl_diag diag = { "" };
    bool done = false;
    uint32_t i;
    bl_err e;

#pragma omp critical(bl_tune_queue)
    i = bl_tune_queue_take(q);
    if (i == BL_NONE)
        return false;
    e = bl_tune_run(q->t, &q->job[i], &done, &figures, &diag);
#pragma omp critical(bl_tune_queue)
    bl_tune_queue_end(q, i, e, done, &figures, &diag);
    return true;
}

void bl_tune_queue_work(struct bl_tune_queue *q)
{
    while (bl_tune_queue_step(q))
        continue;
}

/* ---- a batch ------------------------------------------------------------ */

/* What the database knows is done; the rest is pending. */
static bl_err find_done(struct bl_tune *t, struct bl_tune_job *job,
                        uint32_t count, uint32_t *pending, uint32_t *n,
                        struct bl_diag *diag)
{
    struct identity id;

    *n = 0;
    for (uint32_t i = 0; i < count; i++) {
        bl_err e;

        identify(t, &job[i], &id);
        e = bl_tune_db_find(t->db, &id.key, &job[i].figures, diag);
        if (e == BL_ERR_NOENT) {
            pending[(*n)++] = i;
            continue;
        }
        if (e != BL_ERR_OK)
            return e;
        job[i].done = true;
        t->runs_done++;
        t->runs_kept++;
        t->steps_all -= job[i].steps; /* the bar is about what is left */
    }
    return BL_ERR_OK;
}

static void work_in(struct bl_tune_queue *q, uint32_t threads)
{
#pragma omp parallel num_threads((int)threads)
    bl_tune_queue_work(q);
}

bl_err bl_tune_batch(struct bl_tune *t, struct bl_tune_job *job, uint32_t count,
                     struct bl_diag *diag)
{
    uint32_t *pending = calloc((size_t)count + 1, sizeof(*pending));
    struct bl_tune_queue q = { .t = t, .job = job, .pending = pending };
    bl_err e;

    if (pending == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    e = find_done(t, job, count, pending, &q.count, diag);
    if (e == BL_ERR_OK && q.count > 0) {
        if (t->ranks != NULL)
            bl_tune_ranks_batch(t->ranks, &q);
        else
            work_in(&q,
                    t->args->threads < q.count ? t->args->threads : q.count);
        e = q.err;
        if (e != BL_ERR_OK)
            *diag = q.diag;
    }
    free(pending);
    return e;
}
