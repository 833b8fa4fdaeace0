/* SPDX-License-Identifier: Apache-2.0 */
/* One run of `ballast sim`, watched: decisions, files, progress, report. */
#define _DEFAULT_SOURCE
#include "cli/sim_priv.h"

#include <string.h>
#include <sys/resource.h>

struct one {
    const struct bl_sim_args *args;
    const struct bl_scenario *scenario;
    struct bl_names names;
    struct bl_explain explain;
    uint64_t explained;
    struct bl_output out, csv;
    struct bl_progress progress;
    struct bl_trace *trace;
    struct bl_run run, base[BL_BASELINES_MAX];
    struct bl_baselines beside; /* of those that ended */
    double start_s;
};

/* ---- watching ----------------------------------------------------------- */

static void watch_vm(void *ctx, const struct bl_vm_result *vm)
{
    struct one *one = ctx;

    bl_output_vm(&one->out, one->run.result, vm);
    bl_output_vm(&one->csv, one->run.result, vm);
}

static void watch_decision(void *ctx, const struct bl_journal_entry *e)
{
    struct one *one = ctx;
    const struct bl_action *a = e->action;
    char from[2 * BL_NAME_BYTES], to[2 * BL_NAME_BYTES];
    const struct bl_decision d = {
        .at_ns = e->at_ns,
        .policy = e->policy,
        .vm = bl_sim_vm_name(one->run.sim, a->vm),
        .from = bl_names_host(&one->names, a->source, from, sizeof(from)),
        .to = bl_names_host(&one->names, a->host, to, sizeof(to)),
        .action = a,
        .verdict = e->verdict,
    };

    bl_output_decision(&one->out, &d);
    if (!bl_explain_wants(&one->explain, a, d.vm))
        return;
    bl_report_decision(stdout, &d, &one->args->style);
    one->explained++;
}

static void watch_progress(void *ctx, uint32_t done, uint32_t all)
{
    struct one *one = ctx;

    bl_progress_show(&one->progress, done, all);
}

/* ---- running ------------------------------------------------------------ */

static bl_err run_main(struct one *one, struct bl_diag *diag)
{
    const bool journal = one->explain.on || one->args->out != NULL;
    const bool rows = one->args->out != NULL || one->args->csv != NULL;
    const struct bl_run_opts opts = {
        .scenario = one->scenario,
        .trace = one->trace,
        .thread_count = one->args->threads,
        .paranoid = one->args->paranoid,
        .vm_sink = rows ? watch_vm : NULL,
        .journal = journal ? watch_decision : NULL,
        .progress = watch_progress,
        .ctx = one,
        .stop = &bl_cli_stop,
    };

    BL_TRY(bl_run_create(&opts, &one->run, diag));
    return bl_run_go(&one->run, diag);
}

/* The same input under another policy; nobody watches but the progress bar. */
static bl_err run_base(struct one *one, uint32_t i, struct bl_diag *diag)
{
    struct bl_policy_choice choice = { .line = 0 };
    const struct bl_run_opts opts = {
        .scenario = one->scenario,
        .policy = &choice,
        .trace = one->trace,
        .thread_count = one->args->threads,
        .paranoid = one->args->paranoid,
        .progress = watch_progress,
        .ctx = one,
        .stop = &bl_cli_stop,
    };

    snprintf(choice.name, sizeof(choice.name), "%s", one->args->baseline[i]);
    BL_TRY(bl_run_create(&opts, &one->base[i], diag));
    BL_TRY(bl_run_go(&one->base[i], diag));
    if (!one->base[i].result->partial)
        one->beside.r[one->beside.count++] = one->base[i].result;
    return BL_ERR_OK;
}

/* Once interrupted, what has not begun is left out. */
static bl_err run_bases(struct one *one, struct bl_diag *diag)
{
    for (uint32_t i = 0; i < one->args->baseline_count; i++) {
        if (one->run.result->partial || bl_cli_stop != 0)
            break;
        BL_TRY(run_base(one, i, diag));
    }
    return BL_ERR_OK;
}

static bl_err prepare(struct one *one, struct bl_diag *diag)
{
    const struct bl_sim_args *args = one->args;

    BL_TRY(bl_names_create(&one->scenario->dc, &one->names, diag));
    BL_TRY(bl_run_trace(one->scenario, args->threads, &one->trace, diag));
    BL_TRY(bl_explain_check(&one->explain, &one->names, one->trace, diag));
    /* `| head` may leave: the files are still wanted, and no half directory */
    if (args->out != NULL || args->csv != NULL)
        signal(SIGPIPE, SIG_IGN);
    if (args->out != NULL)
        BL_TRY(bl_output_open(&one->out, args->out, true, &one->scenario->dc,
                              diag));
    if (args->csv != NULL)
        BL_TRY(bl_output_open(&one->csv, args->csv, false, &one->scenario->dc,
                              diag));
    return BL_ERR_OK;
}

static void measure(struct one *one)
{
    struct rusage use;
    struct bl_result *r = one->run.result;

    getrusage(RUSAGE_SELF, &use);
    r->wall_s = bl_clock_s() - one->start_s;
    r->user_s =
        (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec / 1e6;
    r->peak_kib = (uint64_t)use.ru_maxrss;
}

/* ---- reporting ---------------------------------------------------------- */

struct pair {
    const struct bl_result *r;
    const struct bl_baselines *base;
};

static bl_err write_json(FILE *f, const void *what)
{
    const struct pair *p = what;

    return bl_report_json(f, p->r, p->base);
}

static bl_err report(struct one *one, struct bl_diag *diag)
{
    const struct bl_sim_args *args = one->args;
    const struct pair p = { one->run.result, &one->beside };
    bl_err e = BL_ERR_OK;

    measure(one);
    if (one->explain.on)
        printf("%llu decisions explained\n\n",
               (unsigned long long)one->explained);
    if (args->json && args->json_path == NULL)
        e = bl_report_json(stdout, p.r, p.base);
    else
        bl_report_text(stdout, p.r, p.base, &args->style);
    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, NULL, 0, "%s", bl_err_text(e));
    if (args->json_path != NULL)
        BL_TRY(bl_output_file(args->json_path, write_json, &p, diag));
    BL_TRY(bl_output_finish(&one->csv, p.r, p.base, &args->style, diag));
    return bl_output_finish(&one->out, p.r, p.base, &args->style, diag);
}

static bl_err all_steps(struct one *one, struct bl_diag *diag)
{
    bl_err e;

    BL_TRY(prepare(one, diag));
    bl_progress_start(&one->progress);
    e = run_main(one, diag);
    if (e == BL_ERR_OK)
        e = run_bases(one, diag);
    bl_progress_end(&one->progress);
    return e == BL_ERR_OK ? report(one, diag) : e;
}

int bl_sim_one(const struct bl_sim_args *args, const struct bl_scenario *s)
{
    static struct one one; /* its paths alone are large */
    struct bl_diag diag = { "" };
    bl_err e;
    int status;

    one = (struct one){ .args = args,
                        .scenario = s,
                        .explain = args->explain,
                        .start_s = bl_clock_s() };
    e = all_steps(&one, &diag);
    if (e != BL_ERR_OK)
        status = bl_cli_fail(&diag);
    else
        status = bl_cli_flush();
    if (status == BL_EXIT_OK && bl_cli_stop != 0)
        status = BL_EXIT_INTERRUPTED;
    bl_output_abandon(&one.out);
    bl_output_abandon(&one.csv);
    for (uint32_t i = 0; i < args->baseline_count; i++)
        bl_run_destroy(&one.base[i]);
    bl_run_destroy(&one.run);
    bl_trace_close(one.trace);
    bl_names_destroy(&one.names);
    return status;
}
