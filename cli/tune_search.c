/* SPDX-License-Identifier: Apache-2.0 */
/* What is run next, and what comes out: the strategies, means over traces, the
 * front, validation, the choice. */
#include "cli/tune_priv.h"

#include "tune/front.h"
#include "tune/halving.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MIN = 12 }; /* of a rung: an hour of 5 minutes' steps */

struct search {
    struct bl_tune *t;
    struct bl_tune_outcome *out;
    struct bl_diag *diag;
    /* rooms for point_count of each */
    uint32_t *candidate, *order, *scratch, *rank;
    double *value, *distance;
    struct bl_tune_job *job; /* [point_count * traces] */
    uint32_t candidate_count;
};

/* ---- means -------------------------------------------------------------- */

/* Less is better, and nothing known is worst. */
static double worst_if_nan(double x)
{
    return isnan(x) ? (double)INFINITY : x;
}

/*
 * Of one point over its traces: means over the traces, so that a set of five
 * days can be compared with one of two; of unserved demand the share of all
 * demand. One trace's figures are its own to the last bit.
 */
static bool average(const struct bl_tune_job *job, uint32_t count, double *out)
{
    double demand = 0, lost = 0;

    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        out[o] = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct bl_tune_figures *f = &job[i].figures;

        if (!job[i].done)
            return false;
        out[BL_OBJECTIVE_ENERGY] += f->energy_kwh;
        out[BL_OBJECTIVE_SLAV] += f->slav;
        out[BL_OBJECTIVE_MIGRATIONS] += (double)f->migrations;
        out[BL_OBJECTIVE_TRANSITIONS] += (double)f->transitions;
        demand += f->demand_mcycles;
        lost += f->unserved_ppm * f->demand_mcycles;
    }
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        out[o] /= count;
    out[BL_OBJECTIVE_UNSERVED] = demand > 0 ? lost / demand : 0;
    if (count == 1)
        out[BL_OBJECTIVE_UNSERVED] = job->figures.unserved_ppm;
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        out[o] = worst_if_nan(out[o]);
    return true;
}

/* ---- batches ------------------------------------------------------------ */

/* Candidate @k on @count traces from @first, in full. */
static uint32_t add_full(struct search *s, uint32_t n, uint32_t point,
                         uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        s->job[n++] = (struct bl_tune_job){
            .point = point,
            .trace = first + i,
            .steps = s->t->trace[first + i].steps,
        };
    return n;
}

static void expect_jobs(struct bl_tune *t, const struct bl_tune_job *job,
                        uint32_t n)
{
    t->runs_all += n;
    for (uint32_t i = 0; i < n; i++)
        t->steps_all += job[i].steps;
}

/* Every candidate in full; their figures go into the rows. */
static bl_err run_full(struct search *s)
{
    const uint32_t traces = s->t->trace_count;
    uint32_t n = 0;

    for (uint32_t c = 0; c < s->candidate_count; c++)
        n = add_full(s, n, s->candidate[c], 0, traces);
    BL_TRY(bl_tune_batch(s->t, s->job, n, s->diag));
    for (uint32_t c = 0; c < s->candidate_count; c++) {
        struct bl_tune_row *row = &s->out->row[s->candidate[c]];

        row->complete =
            average(s->job + (size_t)c * traces, traces, row->tuned);
    }
    return BL_ERR_OK;
}

/* ---- halving ------------------------------------------------------------ */

/* The first @steps of all traces that count, day after day: how many of @trace.
 */
static uint32_t share_of(const struct bl_tune_trace *trace, uint64_t *steps)
{
    const uint32_t most = trace->steps - trace->warmup;
    const uint32_t taken = *steps < most ? (uint32_t)*steps : most;

    *steps -= taken;
    return taken;
}

static uint64_t steps_in_all(const struct bl_tune *t)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->trace_count; i++)
        sum += t->trace[i].steps - t->trace[i].warmup;
    return sum;
}

/* The jobs of one rung; how many each candidate has. */
static uint32_t lay_rung(struct search *s, uint64_t steps, uint32_t *each)
{
    uint32_t n = 0;

    for (uint32_t c = 0; c < s->candidate_count; c++) {
        uint64_t left = steps;

        *each = 0;
        for (uint32_t i = 0; i < s->t->trace_count && left > 0; i++) {
            const struct bl_tune_trace *trace = &s->t->trace[i];

            s->job[n++] = (struct bl_tune_job){
                .point = s->candidate[c],
                .trace = i,
                .steps = trace->warmup + share_of(trace, &left),
            };
            (*each)++;
        }
    }
    return n;
}

/* The best @keep candidates stay, in order of their numbers. */
static void drop(struct search *s, uint32_t each, uint32_t keep)
{
    const struct bl_objectives *obj = &s->t->plan.objectives;
    const struct bl_front f = { s->value, s->candidate_count, obj->count,
                                s->order, s->scratch };
    uint32_t n = 0;

    for (uint32_t c = 0; c < s->candidate_count; c++) {
        double mean[BL_OBJECTIVE_COUNT];

        (void)average(s->job + (size_t)c * each, each, mean);
        for (uint32_t k = 0; k < obj->count; k++)
            s->value[(size_t)c * obj->count + k] = mean[obj->of[k]];
    }
    bl_front_rank(&f, s->rank);
    bl_front_best(&f, s->rank, s->distance);
    for (uint32_t c = 0; c < s->candidate_count; c++)
        s->rank[c] = 0;
    for (uint32_t k = 0; k < keep; k++)
        s->rank[s->order[k]] = 1;
    for (uint32_t c = 0; c < s->candidate_count; c++)
        if (s->rank[c] == 1)
            s->candidate[n++] = s->candidate[c];
    s->candidate_count = n;
}

static bool all_done(const struct bl_tune_job *job, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!job[i].done)
            return false;
    return true;
}

static void rungs_of(const struct bl_tune *t, uint32_t points,
                     struct bl_rungs *out)
{
    if (t->scenario->tune.strategy == BL_TUNE_HALVING) {
        bl_halving_plan(points, steps_in_all(t), STEPS_MIN, out);
        return;
    }
    *out = (struct bl_rungs){ .count = 1 };
    out->rung[0].points = points;
    out->rung[0].steps = steps_in_all(t);
}

/* How much there is to do but for validation, which depends on the front. */
static void announce(struct search *s)
{
    struct bl_tune *t = s->t;
    struct bl_rungs plan;

    rungs_of(t, s->candidate_count, &plan);
    plan.rung[plan.count - 1].points++; /* the baseline */
    for (uint32_t k = 0; k < plan.count; k++) {
        uint64_t left = plan.rung[k].steps;

        for (uint32_t i = 0; i < t->trace_count && left > 0; i++) {
            const uint32_t steps =
                t->trace[i].warmup + share_of(&t->trace[i], &left);

            t->runs_all += plan.rung[k].points;
            t->steps_all += (uint64_t)steps * plan.rung[k].points;
        }
    }
}

/* All rungs but the last; what is left are the candidates of that one. */
static bl_err climb(struct search *s)
{
    struct bl_rungs plan;

    rungs_of(s->t, s->candidate_count, &plan);
    for (uint32_t i = 0; i + 1 < plan.count; i++) {
        uint32_t each = 0;
        const uint32_t n = lay_rung(s, plan.rung[i].steps, &each);

        BL_TRY(bl_tune_batch(s->t, s->job, n, s->diag));
        if (!all_done(s->job, n)) {
            s->candidate_count = 0; /* interrupted: nobody can be judged */
            return BL_ERR_OK;
        }
        drop(s, each, plan.rung[i + 1].points);
    }
    return BL_ERR_OK;
}

/* ---- the front ---------------------------------------------------------- */

static bool same_values(const double *a, const double *b)
{
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        if (a[o] < b[o] || a[o] > b[o])
            return false;
    return true;
}

/* Those of rank 0, in order of their values; of equal ones the first. */
static void make_front(struct search *s)
{
    const struct bl_objectives *obj = &s->t->plan.objectives;
    struct bl_tune_row *row = s->out->row;
    struct bl_front f = { s->value, 0, obj->count, s->order, s->scratch };

    for (uint32_t i = 0; i < s->t->plan.point_count; i++) {
        if (!row[i].complete)
            continue;
        s->candidate[f.count] = i;
        for (uint32_t k = 0; k < obj->count; k++)
            s->value[(size_t)f.count * obj->count + k] =
                row[i].tuned[obj->of[k]];
        f.count++;
    }
    bl_front_rank(&f, s->rank);
    for (uint32_t k = 0; k < f.count; k++) {
        const uint32_t i = s->candidate[s->order[k]];
        uint32_t *n = &s->out->front_count;

        if (s->rank[s->order[k]] > 0)
            continue;
        for (uint32_t j = 0; j < *n; j++)
            if (row[i].twin == BL_NONE &&
                same_values(row[i].tuned, row[s->out->front[j]].tuned))
                row[i].twin = s->out->front[j];
        if (row[i].twin != BL_NONE)
            continue;
        s->out->front[(*n)++] = i;
        row[i].place = *n;
    }
}

/* The front and the baseline on the other traces. */
static bl_err validate(struct search *s)
{
    struct bl_tune *t = s->t;
    struct bl_tune_outcome *o = s->out;
    uint32_t n = 0, c = 0;

    if (t->other_count == 0 || bl_cli_stop != 0)
        return BL_ERR_OK;
    for (uint32_t i = 0; i < o->front_count; i++)
        s->candidate[c++] = o->front[i];
    if (o->row[0].place == 0)
        s->candidate[c++] = 0;
    for (uint32_t i = 0; i < c; i++)
        n = add_full(s, n, s->candidate[i], t->trace_count, t->other_count);
    expect_jobs(t, s->job, n);
    BL_TRY(bl_tune_batch(t, s->job, n, s->diag));
    for (uint32_t i = 0; i < c; i++) {
        struct bl_tune_row *row = &o->row[s->candidate[i]];

        row->validated = average(s->job + (size_t)i * t->other_count,
                                 t->other_count, row->other);
    }
    return BL_ERR_OK;
}

static bl_err choose(struct search *s)
{
    const struct bl_tune_plan *p = &s->t->plan;
    struct bl_tune_outcome *o = s->out;
    double(*value)[BL_OBJECTIVE_COUNT] =
        calloc((size_t)o->front_count + 1, sizeof(*value));
    uint32_t at;

    o->chosen = BL_NONE;
    if (value == NULL)
        return bl_diag_set(s->diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    for (uint32_t i = 0; i < o->front_count; i++)
        memcpy(value[i], o->row[o->front[i]].tuned, sizeof(value[i]));
    if (o->front_count > 0 && o->row[0].complete) {
        at = bl_tune_pick_choose(&p->pick, &p->objectives,
                                 (const double(*)[BL_OBJECTIVE_COUNT])value,
                                 o->front_count, o->row[0].tuned);
        if (at != BL_NONE)
            o->chosen = o->front[at];
    }
    free(value);
    return BL_ERR_OK;
}

/* ---- all of it ---------------------------------------------------------- */

static bl_err search(struct search *s)
{
    const struct bl_tune *t = s->t;
    const uint32_t points = t->plan.point_count;

    for (uint32_t i = 0; i < points; i++)
        s->out->row[i] = (struct bl_tune_row){
            .policy = i == 0 ? t->plan.baseline.name : t->scenario->policy.name,
            .params = &t->plan.point[i],
            .twin = BL_NONE,
        };
    for (uint32_t i = 1; i < points; i++)
        s->candidate[s->candidate_count++] = i;
    announce(s);
    BL_TRY(climb(s));
    /* the baseline first: every rule compares with it */
    memmove(s->candidate + 1, s->candidate,
            s->candidate_count * sizeof(*s->candidate));
    s->candidate[0] = 0;
    s->candidate_count++;
    BL_TRY(run_full(s));
    make_front(s);
    BL_TRY(validate(s));
    return choose(s);
}

bl_err bl_tune_search(struct bl_tune *t, struct bl_tune_outcome *out,
                      struct bl_diag *diag)
{
    const size_t n = (size_t)t->plan.point_count + 1;
    const size_t traces = (size_t)t->trace_count + t->other_count;
    struct search s = {
        .t = t,
        .out = out,
        .diag = diag,
        .candidate = calloc(n, sizeof(*s.candidate)),
        .order = calloc(n, sizeof(*s.order)),
        .scratch = calloc(n, sizeof(*s.scratch)),
        .rank = calloc(n, sizeof(*s.rank)),
        .value = calloc(n * BL_OBJECTIVE_COUNT, sizeof(*s.value)),
        .distance = calloc(n, sizeof(*s.distance)),
        .job = calloc(n * traces, sizeof(*s.job)),
    };
    bl_err e;

    *out = (struct bl_tune_outcome){
        .row = calloc(n, sizeof(*out->row)),
        .front = calloc(n, sizeof(*out->front)),
        .chosen = BL_NONE,
    };
    if (s.candidate == NULL || s.order == NULL || s.scratch == NULL ||
        s.rank == NULL || s.value == NULL || s.distance == NULL ||
        s.job == NULL || out->row == NULL || out->front == NULL)
        e = bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    else
        e = search(&s);
    free(s.candidate);
    free(s.order);
    free(s.scratch);
    free(s.rank);
    free(s.value);
    free(s.distance);
    free(s.job);
    return e;
}

void bl_tune_outcome_free(struct bl_tune_outcome *o)
{
    free(o->row);
    free(o->front);
    *o = (struct bl_tune_outcome){ .chosen = BL_NONE };
}
