/* SPDX-License-Identifier: Apache-2.0 */
/* The same host with several seeds, as many at a time as there are threads:
 * mean, least and most of the main figures. */
#include "cli/sim_priv.h"

#include "base/par.h"
#include "report/host_report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_FIGURES = 6,
    GROUP_FIGURES = 3,
    FIGURES_MAX = HOST_FIGURES + (BL_VM_GROUPS_MAX + 1) * GROUP_FIGURES,
    NAME_BYTES = BL_NAME_BYTES + 32,
    HASH_DIGITS = 17,
};

#define PERCENT 100.0
#define NS_PER_US 1e3
#define P99_PPM 990000u

struct row {
    bool complete;
    uint64_t seed, state_hash;
    uint32_t count;
    double value[FIGURES_MAX]; /* NAN: nothing to measure in this run */
    char name[FIGURES_MAX][NAME_BYTES]; /* the same in every row */
};

struct seeds {
    const struct bl_sim_args *args;
    const struct bl_scenario *scenario;
    struct bl_progress progress;
    uint32_t done;
    struct row *row;
    bl_err *err;
    struct bl_diag *diag;
};

/* ---- one run ------------------------------------------------------------ */

static void add(struct row *row, const char *of, const char *what, double v)
{
    snprintf(row->name[row->count], NAME_BYTES, "%s%s%s", of,
             of[0] != '\0' ? ": " : "", what);
    row->value[row->count++] = v;
}

/* The largest difference between received and ideal of any VM over 1 s. */
static double worst_error_ns(const struct bl_host_result *r)
{
    int64_t worst = 0;

    for (uint32_t i = 0; i < r->vm_count; i++) {
        const struct bl_host_error *e = &r->vm[i].error[BL_WINDOW_1S];

        worst = e->max_ns > worst ? e->max_ns : worst;
        worst = -e->min_ns > worst ? -e->min_ns : worst;
    }
    return (double)worst;
}

static void take_host(const struct bl_host_result *r, struct row *row)
{
    const double ns = (double)r->duration_ns, s = ns / (double)BL_NS_PER_S;
    const double all = ns * r->pcpu_count / PERCENT;

    add(row, "", "busy, % of all pCPUs", (double)bl_host_busy_ns(r) / all);
    add(row, "", "overhead, % of all pCPUs",
        (double)bl_host_overhead_ns(r) / all);
    add(row, "", "idle although a vCPU was ready, %",
        (double)r->totals.idle_while_ready_ns / all);
    add(row, "", "switches a second", (double)r->totals.switch_count / s);
    add(row, "", "migrations a second", (double)bl_host_moves(r) / s);
    add(row, "", "worst error over 1 s, ms", worst_error_ns(r) / 1e6);
}

/* NAN where no vCPU woke up. */
static double wake_p99_us(const struct bl_latency *wake)
{
    return wake->count > 0
               ? (double)bl_latency_quantile(wake, P99_PPM) / NS_PER_US
               : (double)NAN;
}

static void take_groups(const struct bl_host_result *r, struct row *row)
{
    const double ns = (double)r->duration_ns;

    for (uint32_t g = 0; g < r->group_count; g++) {
        const struct bl_host_group_row *group = &r->group[g];
        struct bl_host_vm_row all;

        bl_host_total(r, group->vm_first, group->vm_count, &all);
        add(row, group->name, "received, pCPUs", (double)all.received_ns / ns);
        add(row, group->name, "units a second",
            (double)all.units / (ns / (double)BL_NS_PER_S));
        add(row, group->name, "wake-up p99, us", wake_p99_us(&all.wake));
    }
}

static bl_err one_seed(struct seeds *all, uint32_t i)
{
    const struct bl_host_run_opts opts = {
        .scenario = all->scenario,
        .seed = all->scenario->seed + i,
        .paranoid = all->args->paranoid,
    };
    struct row *row = &all->row[i];
    struct bl_host_run run;

    BL_TRY(bl_host_run_create(&opts, &run, &all->diag[i]));
    bl_host_run_go(&run);
    if (!run.result->partial) {
        row->seed = opts.seed;
        row->state_hash = run.result->state_hash;
        take_host(run.result, row);
        take_groups(run.result, row);
        row->complete = true;
    }
    bl_host_run_destroy(&run);
    return BL_ERR_OK;
}

static void run_block(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    struct seeds *all = ctx;

    (void)block;
    for (uint32_t i = lo; i < hi; i++) {
        if (bl_cli_stop == 0)
            all->err[i] = one_seed(all, i);
#pragma omp critical(bl_host_seeds_progress)
        bl_progress_show(&all->progress, ++all->done, all->args->seeds);
    }
}

/* ---- all of them -------------------------------------------------------- */

/* Complete rows come first; how many there are. */
static uint32_t pack(struct seeds *all)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < all->args->seeds; i++)
        if (all->row[i].complete)
            all->row[n++] = all->row[i];
    return n;
}

/* Of @count runs that measured it; 0: none did, and the figures mean nothing.
 */
struct spread {
    uint32_t count;
    double mean, min, max;
};

static struct spread spread_of(const struct row *row, uint32_t n, uint32_t f)
{
    struct spread s = { 0, 0, 0, 0 };

    for (uint32_t i = 0; i < n; i++)
        s.count += isnan(row[i].value[f]) ? 0 : 1;
    for (uint32_t i = 0, seen = 0; i < n; i++) {
        const double v = row[i].value[f];

        if (isnan(v))
            continue;
        s.mean += v / s.count;
        s.min = seen == 0 || v < s.min ? v : s.min;
        s.max = seen == 0 || v > s.max ? v : s.max;
        seen++;
    }
    return s;
}

struct table {
    const struct bl_scenario *scenario;
    const struct row *row;
    uint32_t count, wanted;
};

/* The seed itself is part of the hash: figures are what counts. */
static bool all_same(const struct table *t)
{
    for (uint32_t i = 0; i < t->row[0].count; i++) {
        const struct spread s = spread_of(t->row, t->count, i);

        if (s.max > s.min || (s.count > 0 && s.count < t->count))
            return false;
    }
    return true;
}

static void print_text(FILE *f, const struct table *t)
{
    const struct bl_host_spec *h = &t->scenario->host;

    fprintf(f, "%s: %u runs, seeds %llu .. %llu, policy %s, mode %s\n",
            t->scenario->name, t->count, (unsigned long long)t->row[0].seed,
            (unsigned long long)t->row[t->count - 1].seed, h->policy, h->mode);
    if (t->count < t->wanted)
        fprintf(f, "PARTIAL: %u runs were wanted\n", t->wanted);
    if (all_same(t))
        fputs("All runs are the same: the seed makes no difference.\n", f);
    fprintf(f, "\n%-44s %11s %11s %11s\n", "", "mean", "least", "most");
    for (uint32_t i = 0; i < t->row[0].count; i++) {
        const struct spread s = spread_of(t->row, t->count, i);

        if (s.count == 0)
            fprintf(f, "%-44.44s %11s %11s %11s\n", t->row[0].name[i], "-", "-",
                    "-");
        else
            fprintf(f, "%-44.44s %11.3f %11.3f %11.3f\n", t->row[0].name[i],
                    s.mean, s.min, s.max);
    }
}

static json_t *real_or_null(const struct spread *s, double v)
{
    return s->count > 0 ? json_real(v) : json_null();
}

static json_t *json_figures(const struct table *t)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->row[0].count; i++) {
        const struct spread s = spread_of(t->row, t->count, i);

        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "name",
                                              t->row[0].name[i], "mean",
                                              real_or_null(&s, s.mean), "min",
                                              real_or_null(&s, s.min), "max",
                                              real_or_null(&s, s.max)));
    }
    return list;
}

static json_t *json_runs(const struct table *t)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->count; i++) {
        char hash[HASH_DIGITS];

        snprintf(hash, sizeof(hash), "%016llx",
                 (unsigned long long)t->row[i].state_hash);
        json_array_append_new(list, json_pack("{s:I, s:s}", "seed",
                                              (json_int_t)t->row[i].seed,
                                              "state_hash", hash));
    }
    return list;
}

static bl_err write_json(FILE *f, const void *what)
{
    const struct table *t = what;
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "format", BL_JSON_HOST_SEEDS,
        "scenario", t->scenario->name, "policy", t->scenario->host.policy,
        "mode", t->scenario->host.mode, "partial", t->count < t->wanted, "runs",
        json_runs(t), "figures", json_figures(t));
    const bool done = root != NULL && json_dumpf(root, f, JSON_INDENT(2)) == 0;

    json_decref(root);
    fputc('\n', f);
    return done ? BL_ERR_OK : BL_ERR_NOMEM;
}

static int report(struct seeds *all)
{
    const struct bl_sim_args *args = all->args;
    const struct table t = { all->scenario, all->row, pack(all), args->seeds };
    struct bl_diag diag = { "" };

    if (t.count == 0) {
        fputs("ballast sim: interrupted before any run was complete\n", stderr);
        return BL_EXIT_INTERRUPTED;
    }
    if (!args->json || args->json_path != NULL) {
        print_text(stdout, &t);
    } else if (write_json(stdout, &t) != BL_ERR_OK) {
        (void)bl_diag_set(&diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
        return bl_cli_fail(&diag);
    }
    if (args->json_path != NULL &&
        bl_output_file(args->json_path, write_json, &t, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    return bl_cli_flush();
}

static int run_all(struct seeds *all)
{
    const uint32_t n = all->args->seeds;
    int status;

    bl_progress_start(&all->progress);
    bl_par_for(n, 1, all->args->threads, run_block, all);
    bl_progress_end(&all->progress);
    for (uint32_t i = 0; i < n; i++)
        if (all->err[i] != BL_ERR_OK)
            return bl_cli_fail(&all->diag[i]);
    status = report(all);
    return status == BL_EXIT_OK && bl_cli_stop != 0 ? BL_EXIT_INTERRUPTED
                                                    : status;
}

int bl_sim_host_seeds(const struct bl_sim_args *args,
                      const struct bl_scenario *s)
{
    const uint32_t n = args->seeds;
    struct seeds all = {
        .args = args,
        .scenario = s,
        .row = calloc(n, sizeof(*all.row)),
        .err = calloc(n, sizeof(*all.err)),
        .diag = calloc(n, sizeof(*all.diag)),
    };
    int status;

    if (all.row == NULL || all.err == NULL || all.diag == NULL) {
        struct bl_diag diag;

        (void)bl_diag_set(&diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
        status = bl_cli_fail(&diag);
    } else {
        status = run_all(&all);
    }
    free(all.row);
    free(all.err);
    free(all.diag);
    return status;
}
