/* SPDX-License-Identifier: Apache-2.0 */
/* The same run with several seeds, as many at a time as there are threads. */
#define _POSIX_C_SOURCE 200809L
#include "cli/sim_priv.h"

#include "base/par.h"
#include "report/seeds.h"

#include <stdlib.h>

struct seeds {
    const struct bl_sim_args *args;
    const struct bl_scenario *scenario;
    struct bl_progress progress;
    uint32_t done;
    struct bl_identity *id;
    struct bl_seed_run *row;
    bool *complete;
    bl_err *err;
    struct bl_diag *diag;
};

static bl_err one_seed(struct seeds *all, uint32_t i,
                       struct bl_scenario *scenario)
{
    const struct bl_run_opts opts = {
        .scenario = scenario,
        .thread_count = 1,
        .paranoid = all->args->paranoid,
        .stop = &bl_cli_stop,
    };
    struct bl_run run;
    bl_err e;

    *scenario = *all->scenario;
    scenario->seed += i;
    scenario->trace_spec.seed = scenario->seed;
    BL_TRY(bl_run_create(&opts, &run, &all->diag[i]));
    e = bl_run_go(&run, &all->diag[i]);
    if (e == BL_ERR_OK && !run.result->partial) {
        all->row[i].seed = scenario->seed;
        all->row[i].state_hash = run.result->state_hash;
        bl_figures(run.result, all->row[i].value);
        all->id[i] = run.result->id;
        all->complete[i] = true;
    }
    bl_run_destroy(&run);
    return e;
}

static void run_block(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    struct seeds *all = ctx;
    struct bl_scenario *scenario = malloc(sizeof(*scenario));

    (void)block;
    for (uint32_t i = lo; i < hi; i++) {
        if (bl_cli_stop != 0)
            continue;
        if (scenario == NULL)
            all->err[i] = bl_diag_set(&all->diag[i], BL_ERR_NOMEM, NULL, 0,
                                      "out of memory");
        else
            all->err[i] = one_seed(all, i, scenario);
#pragma omp critical(bl_seeds_progress)
        bl_progress_show(&all->progress, ++all->done, all->args->seeds);
    }
    free(scenario);
}

static bl_err write_json(FILE *f, const void *what)
{
    return bl_seeds_json(f, what);
}

/* Complete rows, and who they are, move together. */
static uint32_t pack(struct seeds *all)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < all->args->seeds; i++) {
        if (!all->complete[i])
            continue;
        all->id[n] = all->id[i];
        all->row[n++] = all->row[i];
    }
    return n;
}

static int report(struct seeds *all)
{
    const struct bl_sim_args *args = all->args;
    const struct bl_seeds s = { .id = all->id,
                                .run = all->row,
                                .count = pack(all),
                                .wanted = args->seeds };
    struct bl_diag diag = { "" };

    if (s.count == 0) {
        fputs("ballast sim: interrupted before any run was complete\n", stderr);
        return BL_EXIT_INTERRUPTED;
    }
    if (args->json && args->json_path == NULL) {
        const bl_err e = bl_seeds_json(stdout, &s);

        if (e != BL_ERR_OK) {
            (void)bl_diag_set(&diag, e, NULL, 0, "%s", bl_err_text(e));
            return bl_cli_fail(&diag);
        }
    } else {
        bl_seeds_text(stdout, &s, &args->style);
    }
    if (args->json_path != NULL &&
        bl_output_file(args->json_path, write_json, &s, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    return bl_cli_flush();
}

static int run_all(struct seeds *all)
{
    const uint32_t n = all->args->seeds;

    bl_progress_start(&all->progress);
    bl_par_for(n, 1, all->args->threads, run_block, all);
    bl_progress_end(&all->progress);
    for (uint32_t i = 0; i < n; i++)
        if (all->err[i] != BL_ERR_OK)
            return bl_cli_fail(&all->diag[i]);

    const int status = report(all);

    return status == BL_EXIT_OK && bl_cli_stop != 0 ? BL_EXIT_INTERRUPTED
                                                    : status;
}

int bl_sim_seeds(const struct bl_sim_args *args, const struct bl_scenario *s)
{
    const uint32_t n = args->seeds;
    struct seeds all = {
        .args = args,
        .scenario = s,
        .id = calloc(n, sizeof(*all.id)),
        .row = calloc(n, sizeof(*all.row)),
        .complete = calloc(n, sizeof(*all.complete)),
        .err = calloc(n, sizeof(*all.err)),
        .diag = calloc(n, sizeof(*all.diag)),
    };
    int status;

    if (all.id == NULL || all.row == NULL || all.complete == NULL ||
        all.err == NULL || all.diag == NULL) {
        struct bl_diag diag;

        (void)bl_diag_set(&diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
        status = bl_cli_fail(&diag);
    } else {
        status = run_all(&all);
    }
    free(all.id);
    free(all.row);
    free(all.complete);
    free(all.err);
    free(all.diag);
    return status;
}
