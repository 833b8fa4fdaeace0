/* SPDX-License-Identifier: Apache-2.0 */
/* One run of `ballast sim` at level host, watched: changes of state, files,
 * progress, report. */
#define _DEFAULT_SOURCE
#include "base/units.h"
#include "cli/host_watch.h"
#include "cli/sim_priv.h"
#include "report/host_report.h"

#include <string.h>
#include <sys/resource.h>

struct one {
    const struct bl_sim_args *args;
    const struct bl_scenario *scenario;
    struct bl_explain explain;
    struct bl_host_run run;
    struct bl_host_watch watch;
    struct bl_outdir out, csv;
    struct bl_progress progress;
    double start_s;
};

/* ---- running ------------------------------------------------------------ */

static void watch_event(void *ctx, const struct bl_sched_event *e)
{
    struct one *one = ctx;

    bl_host_watch_event(&one->watch, e);
}

static void watch_progress(void *ctx, uint32_t done, uint32_t all)
{
    struct one *one = ctx;

    bl_progress_show(&one->progress, done, all);
}

static bool ends_in(const char *text, const char *suffix)
{
    const size_t n = strlen(text), k = strlen(suffix);

    return n >= k && strcmp(text + n - k, suffix) == 0;
}

static enum bl_timeline_format format_of(const char *path)
{
    return ends_in(path, ".svg") ? BL_TIMELINE_SVG : BL_TIMELINE_CHROME;
}

static bl_err prepare(struct one *one, struct bl_diag *diag)
{
    const struct bl_sim_args *args = one->args;
    const bool all = args->out != NULL && one->scenario->host.timeline_ns > 0;
    bool wanted[2] = { all, all };
    const bool sink = args->explain.on || all || args->timeline != NULL;
    const struct bl_host_run_opts opts = {
        .scenario = one->scenario,
        .seed = one->scenario->seed,
        .paranoid = args->paranoid,
        .sink = sink ? watch_event : NULL,
        .progress = watch_progress,
        .ctx = one,
    };

    BL_TRY(bl_host_run_create(&opts, &one->run, diag));
    if (args->timeline != NULL)
        wanted[format_of(args->timeline)] = true;
    one->watch = (struct bl_host_watch){ .run = &one->run,
                                         .explain = &one->explain,
                                         .style = &args->style };
    BL_TRY(bl_host_watch_start(&one->watch, wanted, diag));
    /* `| head` may leave: the files are still wanted, and no half directory */
    if (args->out != NULL || args->csv != NULL || args->timeline != NULL)
        signal(SIGPIPE, SIG_IGN);
    if (args->out != NULL)
        BL_TRY(bl_outdir_open(&one->out, args->out, diag));
    if (args->csv != NULL)
        BL_TRY(bl_outdir_open(&one->csv, args->csv, diag));
    return BL_ERR_OK;
}

static void measure(struct one *one)
{
    struct rusage use;
    struct bl_host_result *r = one->run.result;

    getrusage(RUSAGE_SELF, &use);
    r->wall_s = bl_clock_s() - one->start_s;
    r->user_s =
        (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec / 1e6;
    r->peak_kib = (uint64_t)use.ru_maxrss;
}

/* ---- reporting ---------------------------------------------------------- */

static bl_err write_text(FILE *f, const void *what)
{
    const struct one *one = what;
    const struct bl_style plain = { one->args->style.utf8, false };

    bl_host_report_text(f, one->run.result, &plain);
    return BL_ERR_OK;
}

static bl_err write_json(FILE *f, const void *what)
{
    return bl_host_report_json(f, ((const struct one *)what)->run.result);
}

static bl_err write_vms(FILE *f, const void *what)
{
    bl_host_report_csv_vms(f, ((const struct one *)what)->run.result);
    return BL_ERR_OK;
}

static bl_err write_vcpus(FILE *f, const void *what)
{
    bl_host_report_csv_vcpus(f, ((const struct one *)what)->run.result);
    return BL_ERR_OK;
}

static bl_err write_pcpus(FILE *f, const void *what)
{
    bl_host_report_csv_pcpus(f, ((const struct one *)what)->run.result);
    return BL_ERR_OK;
}

static bl_err write_domains(FILE *f, const void *what)
{
    bl_host_report_csv_domains(f, ((const struct one *)what)->run.result);
    return BL_ERR_OK;
}

static bl_err write_tables(struct one *one, struct bl_outdir *o,
                           struct bl_diag *diag)
{
    BL_TRY(bl_outdir_write(o, "vms.csv", write_vms, one, diag));
    BL_TRY(bl_outdir_write(o, "vcpus.csv", write_vcpus, one, diag));
    BL_TRY(bl_outdir_write(o, "pcpus.csv", write_pcpus, one, diag));
    return one->run.result->power != NULL
               ? bl_outdir_write(o, "domains.csv", write_domains, one, diag)
               : BL_ERR_OK;
}

static bl_err write_out(struct one *one, struct bl_diag *diag)
{
    static const char *const name[] = {
        [BL_TIMELINE_CHROME] = "timeline.json",
        [BL_TIMELINE_SVG] = "timeline.svg",
    };
    struct bl_outdir *o = &one->out;

    BL_TRY(write_tables(one, o, diag));
    BL_TRY(bl_outdir_write(o, "report.txt", write_text, one, diag));
    BL_TRY(bl_outdir_write(o, "report.json", write_json, one, diag));
    for (int f = BL_TIMELINE_CHROME; f <= BL_TIMELINE_SVG; f++)
        if (one->watch.file[f] != NULL)
            BL_TRY(bl_outdir_write(o, name[f], bl_host_watch_copy,
                                   one->watch.file[f], diag));
    return bl_outdir_finish(o, diag);
}

static bl_err write_files(struct one *one, struct bl_diag *diag)
{
    const struct bl_sim_args *args = one->args;

    if (args->json_path != NULL)
        BL_TRY(bl_output_file(args->json_path, write_json, one, diag));
    if (args->timeline != NULL)
        BL_TRY(bl_output_file(args->timeline, bl_host_watch_copy,
                              one->watch.file[format_of(args->timeline)],
                              diag));
    if (args->csv != NULL) {
        BL_TRY(write_tables(one, &one->csv, diag));
        BL_TRY(bl_outdir_finish(&one->csv, diag));
    }
    return args->out != NULL ? write_out(one, diag) : BL_ERR_OK;
}

static bl_err report(struct one *one, struct bl_diag *diag)
{
    const struct bl_sim_args *args = one->args;
    bl_err e = BL_ERR_OK;

    measure(one);
    if (one->explain.on)
        printf("%llu changes of state explained\n\n",
               (unsigned long long)one->watch.explained);
    if (args->json && args->json_path == NULL)
        e = bl_host_report_json(stdout, one->run.result);
    else
        bl_host_report_text(stdout, one->run.result, &args->style);
    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, NULL, 0, "%s", bl_err_text(e));
    return write_files(one, diag);
}

static void say_empty(const struct one *one, const char *path,
                      const char *which)
{
    const struct bl_host_spec *h = &one->scenario->host;
    struct bl_diag line; /* takes out what would garble a terminal */
    char window[40];

    bl_units_print(BL_DIM_TIME, h->timeline_ns, window, sizeof(window));
    (void)bl_diag_set(&line, BL_ERR_INVAL, "timeline", 0,
                      "the run ended at %.3f s, before the last %s that it "
                      "covers; %s%s empty",
                      (double)one->run.now_ns / 1e9, window, path, which);
    fprintf(stderr, "%s\n", line.text);
}

/* A window is at the end of the whole run: who interrupts it before may look
 * for it in vain. */
static void say_empty_timelines(const struct one *one)
{
    const struct bl_host_spec *h = &one->scenario->host;

    if (one->run.now_ns > h->duration_ns - h->timeline_ns ||
        h->timeline_ns == 0)
        return;
    if (one->args->timeline != NULL)
        say_empty(one, one->args->timeline, " is");
    if (one->args->out != NULL)
        say_empty(one, one->args->out, "/timeline.json and timeline.svg are");
}

static bl_err all_steps(struct one *one, struct bl_diag *diag)
{
    BL_TRY(prepare(one, diag));
    bl_progress_start(&one->progress);
    bl_host_run_go(&one->run);
    bl_progress_end(&one->progress);
    bl_host_watch_stop(&one->watch);
    BL_TRY(report(one, diag));
    say_empty_timelines(one);
    return BL_ERR_OK;
}

int bl_sim_host(const struct bl_sim_args *args, const struct bl_scenario *s)
{
    static struct one one; /* its paths alone are large */
    struct bl_diag diag = { "" };
    int status;

    one = (struct one){ .args = args,
                        .scenario = s,
                        .explain = args->explain,
                        .start_s = bl_clock_s() };
    if (all_steps(&one, &diag) != BL_ERR_OK)
        status = bl_cli_fail(&diag);
    else
        status = bl_cli_flush();
    if (status == BL_EXIT_OK && bl_cli_stop != 0)
        status = BL_EXIT_INTERRUPTED;
    bl_host_watch_end(&one.watch);
    bl_outdir_abandon(&one.out);
    bl_outdir_abandon(&one.csv);
    bl_host_run_destroy(&one.run);
    return status;
}
