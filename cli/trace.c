/* SPDX-License-Identifier: Apache-2.0 */
/* cli/trace.c - ballast trace import | info | generate. */
#define _POSIX_C_SOURCE 200809L
#include "base/units.h"
#include "cli/cli.h"
#include "cli/observe.h"
#include "trace/trace.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help_head[] =
    "usage: ballast trace info [OPTIONS] PATH\n"
    "       ballast trace import [OPTIONS] SOURCE OUT\n"
    "       ballast trace generate [OPTIONS] OUT\n"
    "       ballast trace --help\n"
    "\n"
    "A trace says, step by step, which VMs arrive and depart and what each "
    "one\n"
    "uses. 'info' reads one and tells what is in it; 'import' stores it in\n"
    "ballast's own columnar format, which opens at once and is read as a\n"
    "stream however long it is; 'generate' makes an artificial one. All other\n"
    "commands take any of these formats directly:\n"
    "\n";

static const char help_options[] =
    "\n"
    "Archives are .tar, .tar.zst or .tar.gz; CSV files may be .zst or .gz.\n"
    "\n"
    "Options of info and import:\n"
    "  --format NAME     do not look at the content, take it to be NAME\n"
    "  --seed N          draws what a format leaves open: lifetimes of azure "
    "(1)\n";

static const char help_tail[] =
    "Options of all:\n"
    "  -j N              threads (1); results do not depend on it\n"
    "  --help            this text\n"
    "\n"
    "Examples:\n"
    "  ballast trace info 20110303.tar.zst\n"
    "  ballast trace import 20110303.tar.zst day.blt\n"
    "  ballast trace generate --vms 10000 --memory --sizes big.blt\n"
    "\n"
    "Exit status: 0 done, 1 the input was refused (one line says why), 2 "
    "wrong\n"
    "options, 130 interrupted. The formats are explained in "
    "ballast-trace(5).\n";

enum {
    OPT_FORMAT = 256,
    OPT_SEED,
    OPT_VMS,
    OPT_STEPS,
    OPT_STEP,
    OPT_MEAN,
    OPT_DIURNAL,
    OPT_AUTOCORR,
    OPT_BURST,
    OPT_MEMORY,
    OPT_SIZES,
    OPT_THREADS = 'j',
    OPT_HELP = 'h',
    THREADS_MAX = 1024,
};

struct command {
    const char *name;
    struct bl_trace_opts opts;
    struct bl_trace_spec spec;
    const char *foreign; /* an option that only the other commands have */
};

/* What an option of generate stands at when it is not given. */
static void print_knob(const char *option, const char *what, enum bl_dim dim,
                       int64_t value)
{
    char text[40];

    bl_units_print(dim, value, text, sizeof(text));
    printf("  %-17s %s (%s)\n", option, what, text);
}

static void print_knobs(void)
{
    struct bl_trace_spec s;

    bl_trace_spec_default(&s);
    puts("Options of generate (in parentheses: without the option):");
    print_knob("--vms N", "VMs, alive from the first step to the last",
               BL_DIM_COUNT, s.vm_count);
    print_knob("--steps N", "number of steps", BL_DIM_COUNT, s.step_count);
    print_knob("--step TIME", "length of a step", BL_DIM_TIME, s.step_ns);
    print_knob("--seed N", "another seed, another trace", BL_DIM_COUNT,
               (int64_t)s.seed);
    print_knob("--mean RATIO", "mean CPU use of the population", BL_DIM_RATIO,
               s.mean_ppm);
    print_knob("--diurnal RATIO", "how far the daily peak is above the mean",
               BL_DIM_RATIO, s.diurnal_ppm);
    print_knob("--autocorr RATIO", "lag-1 autocorrelation of a VM's CPU use",
               BL_DIM_RATIO, s.autocorr_ppm);
    print_knob("--burst RATIO", "chance for each VM and step of a burst",
               BL_DIM_RATIO, s.burst_ppm);
    puts(
        "  --memory          make a memory column, too\n"
        "  --sizes           draw sizes: vCPUs, speed, memory");
}

static int print_help(void)
{
    const char *name, *text;

    fputs(help_head, stdout);
    for (uint32_t i = 0; bl_trace_format(i, &name, &text); i++)
        printf("  %-10s %s\n", name, text);
    fputs(help_options, stdout);
    print_knobs();
    fputs(help_tail, stdout);
    return bl_cli_flush();
}

/* ---- options ---------------------------------------------------------- */

static int bad_value(const char *option, const char *text, const char *why)
{
    return bl_cli_usage("trace", "--%s '%s' is not valid, expected %s", option,
                        text, why);
}

/* A count in [@min, @max]. */
static int get_count(const char *option, const char *text, int64_t min,
                     int64_t max, int64_t *out)
{
    const char *why = "";
    int64_t v;

    if (bl_units_parse(BL_DIM_COUNT, text, &v, &why) != BL_ERR_OK || v < min ||
        v > max)
        return bl_cli_usage("trace",
                            "%s '%s' is not valid, expected a whole number "
                            "from %" PRId64 " to %" PRId64,
                            option, text, min, max);
    *out = v;
    return BL_EXIT_OK;
}

static int get_ratio(const char *option, const char *text, uint32_t *ppm)
{
    const char *why = "";
    int64_t v;

    if (bl_units_parse(BL_DIM_RATIO, text, &v, &why) != BL_ERR_OK || v > BL_PPM)
        return bad_value(option, text, "0 to 1, or a percentage");
    *ppm = (uint32_t)v;
    return BL_EXIT_OK;
}

static int get_step(const char *text, int64_t *step_ns)
{
    const char *why = "";
    int64_t v;

    if (bl_units_parse(BL_DIM_TIME, text, &v, &why) != BL_ERR_OK)
        return bad_value("step", text, why);
    if (v == 0)
        return bad_value("step", text, "a time above 0");
    *step_ns = v;
    return BL_EXIT_OK;
}

/* Options that set the generator's knobs. */
static int generate_option(struct command *c, int opt, const char *text)
{
    struct bl_trace_spec *s = &c->spec;
    int64_t v = 0;
    int status = BL_EXIT_OK;

    switch (opt) {
    case OPT_VMS:
        status = get_count("--vms", text, 1, BL_TRACE_VMS_MAX, &v);
        s->vm_count = (uint32_t)v;
        return status;
    case OPT_STEPS:
        status = get_count("--steps", text, 1, BL_TRACE_STEPS_MAX, &v);
        s->step_count = (uint32_t)v;
        return status;
    case OPT_STEP:
        return get_step(text, &s->step_ns);
    case OPT_MEAN:
        return get_ratio("mean", text, &s->mean_ppm);
    case OPT_DIURNAL:
        return get_ratio("diurnal", text, &s->diurnal_ppm);
    case OPT_AUTOCORR:
        return get_ratio("autocorr", text, &s->autocorr_ppm);
    case OPT_BURST:
        return get_ratio("burst", text, &s->burst_ppm);
    case OPT_MEMORY:
        s->has_mem = true;
        return BL_EXIT_OK;
    default:
        s->has_size = true;
        return BL_EXIT_OK;
    }
}

static int use_option(struct command *c, int opt, const char *text)
{
    int64_t v = 0;
    int status = BL_EXIT_OK;

    switch (opt) {
    case OPT_FORMAT:
        c->opts.format = text;
        return BL_EXIT_OK;
    case OPT_SEED:
        status = get_count("--seed", text, 0, INT64_MAX, &v);
        c->opts.seed = (uint64_t)v;
        c->spec.seed = (uint64_t)v;
        return status;
    case OPT_THREADS:
        status = get_count("-j", text, 1, THREADS_MAX, &v);
        c->opts.thread_count = (uint32_t)v;
        return status;
    default:
        return generate_option(c, opt, text);
    }
}

/* -1: go on with the operands from optind; else the exit status. */
static int read_options(struct command *c, int argc, char **argv)
{
    static const struct option options[] = {
        { "format", required_argument, NULL, OPT_FORMAT },
        { "seed", required_argument, NULL, OPT_SEED },
        { "vms", required_argument, NULL, OPT_VMS },
        { "steps", required_argument, NULL, OPT_STEPS },
        { "step", required_argument, NULL, OPT_STEP },
        { "mean", required_argument, NULL, OPT_MEAN },
        { "diurnal", required_argument, NULL, OPT_DIURNAL },
        { "autocorr", required_argument, NULL, OPT_AUTOCORR },
        { "burst", required_argument, NULL, OPT_BURST },
        { "memory", no_argument, NULL, OPT_MEMORY },
        { "sizes", no_argument, NULL, OPT_SIZES },
        { "help", no_argument, NULL, OPT_HELP },
        { NULL, 0, NULL, 0 },
    };
    const bool generate = strcmp(c->name, "generate") == 0;
    int opt, which = 0;

    opterr = 0;
    optind = 1;
    while ((opt = getopt_long(argc, argv, ":j:", options, &which)) != -1) {
        int status;

        if (opt == OPT_HELP)
            return print_help();
        if (opt == '?' || opt == ':')
            return bl_cli_bad_option("trace", opt, argv);
        if (generate ? opt == OPT_FORMAT : opt >= OPT_VMS)
            return bl_cli_usage("trace", "--%s is not an option of '%s'",
                                options[which].name, c->name);
        status = use_option(c, opt, optarg);
        if (status != BL_EXIT_OK)
            return status;
    }
    return -1;
}

/* ---- writing ---------------------------------------------------------- */

static bool show_progress(void *ctx, uint64_t done, uint64_t total)
{
    bl_progress_show(ctx, (uint32_t)done, (uint32_t)total); /* steps fit */
    return bl_cli_stop == 0;
}

static bl_err write_trace(struct bl_trace *t, const char *path,
                          struct bl_diag *diag)
{
    struct bl_progress p;
    bl_err e;

    bl_progress_start(&p);
    e = bl_trace_write(t, path, show_progress, &p, diag);
    bl_progress_end(&p);
    return e;
}

/* ---- what is in a trace ----------------------------------------------- */

static void print_shape(const struct bl_trace_info *info)
{
    char step[40], all[40];

    bl_units_print(BL_DIM_TIME, info->step_ns, step, sizeof(step));
    bl_units_print(BL_DIM_TIME, info->step_ns * info->step_count, all,
                   sizeof(all));
    printf("name       %s\n", info->name);
    if (strcmp(info->format, info->origin) != 0 && info->origin[0] != '\0')
        printf("format     %s, from %s\n", info->format, info->origin);
    else
        printf("format     %s\n", info->format);
    printf("content    %016" PRIx64 "\n", info->content_hash);
    printf("steps      %" PRIu32 " of %s: %s\n", info->step_count, step, all);
    printf("VMs        %" PRIu64 " in all, at most %" PRIu32 " alive at once\n",
           info->vm_count_total, info->vms_alive_max);
    printf("columns    %s, %s, %s\n", info->has_cpu ? "CPU" : "no CPU",
           info->has_mem ? "memory" : "no memory",
           info->has_size ? "sizes" : "no sizes");
}

static void print_repairs(const struct bl_trace_repairs *r)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        { r->cpu_clamped_count, "rows above 100 % CPU, taken as 100 %" },
        { r->mem_clamped_count, "rows above 100 % memory, taken as 100 %" },
        { r->repeated_count, "rows dropped: the time of the row before" },
        { r->crowded_count, "rows dropped: a second one in a step" },
        { r->gap_count, "silences of more than two steps" },
        { r->held_count, "steps filled with the value before" },
        { r->off_count, "rows of VMs that are switched off" },
    };
    const char *label = "mended";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].count == 0)
            continue;
        printf("%-10s %" PRIu64 " %s\n", label, rows[i].count, rows[i].what);
        label = "";
    }
}

static void print_stats(const struct bl_trace_info *info,
                        const struct bl_trace_stats *s)
{
    printf("samples    %" PRIu64 "\n", s->sample_count);
    if (info->has_cpu) {
        printf(
            "CPU %%      mean %.2f  sd %.2f  p50 %.2f  p75 %.2f  p90 %.2f  "
            "p95 %.2f  p99 %.2f\n",
            s->cpu_mean, s->cpu_sd, s->cpu_p50, s->cpu_p75, s->cpu_p90,
            s->cpu_p95, s->cpu_p99);
        printf("           lag-1 autocorrelation %.3f, %" PRIu64
               " samples of 0, total peaks at %.2f of its mean\n",
               s->cpu_lag1, s->zero_count, s->total_peak);
    }
    if (info->has_mem)
        printf("memory %%   mean %.2f  p50 %.2f  p95 %.2f\n", s->mem_mean,
               s->mem_p50, s->mem_p95);
}

/* ---- the three commands ----------------------------------------------- */

static int run_info(const struct command *c, const char *path)
{
    struct bl_diag diag = { "" };
    struct bl_trace_stats stats;
    struct bl_trace *t = NULL;
    bl_err e = bl_trace_open(path, &c->opts, &t, &diag);

    if (e == BL_ERR_OK)
        e = bl_trace_stats(t, &stats, &diag);
    if (e != BL_ERR_OK) {
        bl_trace_close(t);
        return bl_cli_fail(&diag);
    }
    print_shape(bl_trace_info(t));
    print_repairs(&bl_trace_info(t)->repairs);
    print_stats(bl_trace_info(t), &stats);
    bl_trace_close(t);
    return bl_cli_flush();
}

/* Writes @t to @path and says what it was; closes @t. */
static int store(struct bl_trace *t, const char *path)
{
    struct bl_diag diag = { "" };
    const struct bl_trace_info *info = bl_trace_info(t);
    const bl_err e = write_trace(t, path, &diag);

    if (e == BL_ERR_OK) {
        printf("%s: %" PRIu64 " VMs, %" PRIu32 " steps\n", path,
               info->vm_count_total, info->step_count);
        print_repairs(&info->repairs);
    }
    bl_trace_close(t);
    if (e == BL_ERR_OK)
        return bl_cli_flush();
    (void)bl_cli_fail(&diag);
    return bl_cli_stop != 0 ? BL_EXIT_INTERRUPTED : BL_EXIT_FAILED;
}

static int run_import(const struct command *c, const char *source,
                      const char *path)
{
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;

    if (bl_trace_open(source, &c->opts, &t, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    return store(t, path);
}

static int run_generate(const struct command *c, const char *path)
{
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;

    if (bl_trace_open_generated(&c->spec, c->opts.thread_count, &t, &diag) !=
        BL_ERR_OK)
        return bl_cli_fail(&diag);
    return store(t, path);
}

int bl_cli_trace(int argc, char **argv)
{
    struct command c = {
        .opts = { .thread_count = 1, .seed = 1, .tmp_dir = getenv("TMPDIR") },
    };
    int status, operands;

    bl_trace_spec_default(&c.spec);
    if (argc < 2)
        return bl_cli_usage("trace", "expected one of info, import, generate");
    if (strcmp(argv[1], "--help") == 0)
        return print_help();
    c.name = argv[1];
    operands = strcmp(c.name, "import") == 0 ? 2 : 1;
    if (operands == 1 && strcmp(c.name, "info") != 0 &&
        strcmp(c.name, "generate") != 0)
        return bl_cli_usage(
            "trace", "'%s' is not one of info, import, generate", c.name);
    argc--;
    argv++;
    status = read_options(&c, argc, argv);
    if (status >= 0)
        return status;
    if (argc - optind != operands)
        return bl_cli_usage("trace", "'%s' takes %s, %d given", c.name,
                            operands == 2      ? "SOURCE and OUT"
                            : c.name[0] == 'i' ? "one PATH"
                                               : "one OUT",
                            argc - optind);
    if (operands == 2)
        return run_import(&c, argv[optind], argv[optind + 1]);
    return c.name[0] == 'i' ? run_info(&c, argv[optind])
                            : run_generate(&c, argv[optind]);
}
