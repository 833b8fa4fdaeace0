/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tune_priv.h - the files of `ballast tune`: tune.c reads the command line,
 * tune_plan.c says which points there are, tune_batch.c runs them in threads,
 * tune_ranks.c in the ranks of an MPI job, tune_db.c keeps what is done,
 * tune_search.c decides what is run next, tune_files.c writes what came out.
 *
 * A run is (point, trace, steps): a combination of parameters on a trace for
 * that many steps from its beginning. Runs are independent of each other and of
 * who makes them, so the figures do not depend on threads, ranks or kills.
 */
#ifndef BL_CLI_TUNE_PRIV_H
#define BL_CLI_TUNE_PRIV_H

#include "cli/cli.h"
#include "cli/observe.h"
#include "cli/run.h"
#include "cli/tune_ranks.h"
#include "report/tune_report.h"
#include "trace/store.h"

#define BL_TUNE_POINTS_MAX 10000u
#define BL_TUNE_PARAMS_BYTES 2048

/* The command line; strings are argv's. Ranges, traces and so on are laid on
 * the scenario's own section. */
struct bl_tune_args {
    const char *scenario, *out;
    uint32_t threads;
    bool verbose; /* a line on stderr as a run starts and ends */
    struct bl_style style;
};

/* ---- which points (tune_plan.c) ----------------------------------------- */

struct bl_tune_plan {
    struct bl_space space;
    struct bl_objectives objectives;
    struct bl_tune_pick pick;
    struct bl_policy_choice baseline;
    uint32_t point_count;    /* with the baseline, which is point 0 */
    struct bl_params *point; /* [point_count] */
    /* Of what was looked at last: where it stands; 0: the command line. */
    unsigned long blame;
};

/** bl_tune_plan_check - ranges, objectives, rule and baseline of @s; makes no
 * points. @needs_vary  nothing to vary is an error */
BL_NODISCARD bl_err bl_tune_plan_check(const struct bl_scenario *s,
                                       bool needs_vary,
                                       struct bl_tune_plan *out,
                                       struct bl_diag *diag);

/** bl_tune_plan_points - and the points. BL_ERR_FULL, BL_ERR_NOMEM. */
BL_NODISCARD bl_err bl_tune_plan_points(const struct bl_scenario *s,
                                        struct bl_tune_plan *plan,
                                        struct bl_diag *diag);
void bl_tune_plan_free(struct bl_tune_plan *plan);

/* ---- what is done (tune_db.c) ------------------------------------------- */

struct bl_tune_db;

/* What identifies a run beside what the whole file is about. */
struct bl_tune_key {
    uint64_t trace_hash, seed;
    const char *physics, *policy, *params;
    uint32_t steps;
};

/** bl_tune_db_open - the file at @path, made when it is not there. BL_ERR_INVAL
 * when it holds runs of another scenario or version; BL_ERR_BUSY when another
 * process has it; BL_ERR_IO. */
BL_NODISCARD bl_err bl_tune_db_open(const char *path, uint64_t scenario_hash,
                                    const char *version,
                                    struct bl_tune_db **out,
                                    struct bl_diag *diag);
void bl_tune_db_close(struct bl_tune_db *db); /* NULL is fine */

/** bl_tune_db_find - BL_ERR_NOENT without a diag when it is not there. */
BL_NODISCARD bl_err bl_tune_db_find(struct bl_tune_db *db,
                                    const struct bl_tune_key *key,
                                    struct bl_tune_figures *out,
                                    struct bl_diag *diag);

/** bl_tune_db_put - one row, one transaction: it is there afterwards. */
BL_NODISCARD bl_err bl_tune_db_put(struct bl_tune_db *db,
                                   const struct bl_tune_key *key,
                                   const struct bl_tune_figures *f,
                                   struct bl_diag *diag);

/* ---- running (tune_batch.c, tune_ranks.c) ------------------------------- */

struct bl_tune_trace {
    struct bl_trace_store *store;
    uint32_t steps;  /* of a run in full */
    uint32_t warmup; /* of these, not counted */
};

struct bl_tune_job {
    uint32_t point, trace, steps;
    bool done;
    struct bl_tune_figures figures;
};

struct bl_tune {
    const struct bl_tune_args *args;
    const struct bl_scenario *scenario;
    struct bl_tune_plan plan;
    uint32_t trace_count, other_count; /* to tune on, to validate on */
    struct bl_tune_trace trace[2 * BL_TUNE_TRACES_MAX];
    struct bl_tune_db *db;  /* of rank 0 */
    struct bl_ranks *ranks; /* NULL: no MPI */
    struct bl_progress progress;
    uint64_t steps_done, steps_all; /* for the bar */
    uint64_t runs_done, runs_kept, runs_all;
};

/** bl_tune_traces - every trace of the plan, decoded once; runs of each can be
 * made. */
BL_NODISCARD bl_err bl_tune_traces(struct bl_tune *t, struct bl_diag *diag);
void bl_tune_traces_free(struct bl_tune *t);

/** bl_tune_batch - make or find every run of @job[0 .. count). After Ctrl-C,
 * BL_ERR_OK with some of them not done. */
BL_NODISCARD bl_err bl_tune_batch(struct bl_tune *t, struct bl_tune_job *job,
                                  uint32_t count, struct bl_diag *diag);

/* One run. *done is false when it was interrupted. Any thread. */
BL_NODISCARD bl_err bl_tune_run(const struct bl_tune *t,
                                const struct bl_tune_job *job, bool *done,
                                struct bl_tune_figures *out,
                                struct bl_diag *diag);

/* What is not done yet of a batch; taken in order, by one thread at a time. */
struct bl_tune_queue {
    struct bl_tune *t;
    struct bl_tune_job *job;
    const uint32_t *pending; /* indices of jobs */
    uint32_t count, next;
    bl_err err; /* the first that went wrong; nothing is taken after it */
    struct bl_diag diag;
};

/* The next job, BL_NONE when there is none. Inside the critical section. */
uint32_t bl_tune_queue_take(struct bl_tune_queue *q);

/* Job @i came to an end (or, with @e, did not). Inside the critical section. */
void bl_tune_queue_end(struct bl_tune_queue *q, uint32_t i, bl_err e, bool done,
                       const struct bl_tune_figures *f,
                       const struct bl_diag *diag);

/* Takes a run and makes it; false: there was none. */
bool bl_tune_queue_step(struct bl_tune_queue *q);

/* The same until there are none. */
void bl_tune_queue_work(struct bl_tune_queue *q);

/* Rank 0: the same with the help of all other ranks. */
void bl_tune_ranks_batch(struct bl_ranks *r, struct bl_tune_queue *q);
/* Rank 0: the others may end. */
void bl_tune_ranks_quit(struct bl_ranks *r);
/* Any rank that does not come as far as a search, instead of the two: nobody
 * waits for it. @why  for rank 0 to say, where this is another one */
void bl_tune_ranks_leave(struct bl_ranks *r, const char *why);
/* Any other rank: works until rank 0 says that all is done. @e and @diag: what
 * kept it from starting, or BL_ERR_OK. */
void bl_tune_ranks_serve(struct bl_tune *t, bl_err e,
                         const struct bl_diag *diag);

/* Of what all ranks must agree on: scenario, points, traces, version. */
uint64_t bl_tune_hash(const struct bl_tune *t);

/* ---- searching and writing (tune_search.c, tune_files.c) ---------------- */

/* Fills row[point_count], the front and the choice. */
struct bl_tune_outcome {
    struct bl_tune_row *row;
    uint32_t *front;
    uint32_t front_count, chosen;
};

BL_NODISCARD bl_err bl_tune_search(struct bl_tune *t,
                                   struct bl_tune_outcome *out,
                                   struct bl_diag *diag);
void bl_tune_outcome_free(struct bl_tune_outcome *o);

/** bl_tune_out_open - the directory of the results, made when it is not there,
 * and its database. */
BL_NODISCARD bl_err bl_tune_out_open(struct bl_tune *t, struct bl_diag *diag);

/** bl_tune_out_write - every file in it; the table on stdout. */
BL_NODISCARD bl_err bl_tune_out_write(const struct bl_tune *t,
                                      const struct bl_tune_outcome *o,
                                      struct bl_diag *diag);

/* `ballast tune` in rank @ranks->rank, or alone (NULL). */
int bl_tune_main(int argc, char **argv, struct bl_ranks *ranks);

#endif /* BL_CLI_TUNE_PRIV_H */
