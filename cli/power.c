/* SPDX-License-Identifier: Apache-2.0 */
/* cli/power.c - ballast power: what this machine draws, and how much it may. */
#define _POSIX_C_SOURCE 200809L
#include "cli/power.h"

#include "base/units.h"
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* 65.5 kJ, the smallest range seen, last 65 s at 1 kW: a counter that is read
 * once a minute never turns unseen. */
#define INTERVAL_MIN_NS (INT64_C(1000000))
#define INTERVAL_MAX_NS (INT64_C(60) * BL_NS_PER_S)
#define COUNT_MAX INT64_C(1000000000)
#define UW_PER_MW 1000
#define NS_PER_US 1000
#define ZONE_TEXT_BYTES 128

static const char help[] =
    "usage: ballast power [--zone ZONE] [--interval TIME] [--count N]\n"
    "                     [--json | --csv]\n"
    "       ballast power --limit ZONE=WATTS [--constraint NAME]\n"
    "                     [--window TIME] [--force]\n"
    "\n"
    "  ballast power                          zones, their draw, their limits\n"
    "  ballast power --count 60               a row a second for a minute\n"
    "  ballast power --zone package-0 --csv   one package and what is in it\n"
    "  ballast power --limit package-0=95W    at most 95 W from now on\n"
    "\n"
    "Reads the energy counters and power limits of the processors (RAPL), as "
    "the\n"
    "kernel shows them below /sys/class/powercap. The draw is the mean between "
    "two\n"
    "readings. A zone is a package, or a part of one: package-0/dram. A "
    "package\n"
    "counts what its core and uncore use; dram comes on top; psys is all of "
    "it.\n"
    "\n"
    "A limit is a mean over a time window: long_term, about a second, is what\n"
    "cooling and supply bear; short_term, some milliseconds, allows bursts "
    "above it.\n"
    "\n"
    "  --zone ZONE        only this zone and those in it: its name "
    "(package-0/dram),\n"
    "                     or its id (intel-rapl:0:0)\n"
    "  --interval TIME    between two readings (1s), 1ms to 60s\n"
    "  --count N          N intervals, a row for each\n"
    "  --json             JSON, in uW, uJ and us\n"
    "  --csv              CSV, a line for each zone and interval\n"
    "  --limit ZONE=WATTS sets a limit; prints what it was, and what the "
    "kernel\n"
    "                     made of it. Not kept over a reboot\n"
    "  --constraint NAME  which one: long_term (the default), short_term, "
    "peak_power\n"
    "  --window TIME      sets its time window, too\n"
    "  --force            also a limit above the maximum that the kernel "
    "names, or\n"
    "                     below a tenth of it, or a window outside 1ms to "
    "1000s\n"
    "  --help             this text\n"
    "\n"
    "Energy is readable by root alone since Linux 5.10. AMD has no limits "
    "here. A\n"
    "VM has no zones at all. See ballast-power(1).\n"
    "\n"
    "Exit status: 0 done, 1 no zones, or something could not be read or set "
    "(a\n"
    "line says what), or the kernel keeps another limit than the one asked "
    "for,\n"
    "2 bad options, 130 interrupted.\n";

enum {
    OPT_ZONE = 256,
    OPT_INTERVAL,
    OPT_COUNT,
    OPT_JSON,
    OPT_CSV,
    OPT_LIMIT,
    OPT_CONSTRAINT,
    OPT_WINDOW,
    OPT_FORCE,
    OPT_HELP,
};

struct args {
    const char *zone;
    const char *limit; /* ZONE=WATTS as given */
    char limit_zone[ZONE_TEXT_BYTES];
    int64_t interval_ns, count;
    bool interval_given, json, csv;
    bool limit_only; /* an option was given that only --limit has */
    struct bl_powercap_limit want;
};

/* ---- options ----------------------------------------------------------- */

static int bad_value(const char *option, const char *text, const char *why)
{
    return bl_cli_usage("power", "%s '%.100s' is not valid, expected %s",
                        option, text, why);
}

static int get_time(const char *option, const char *text, int64_t *ns)
{
    const char *why = "";

    if (bl_units_parse(BL_DIM_TIME, text, ns, &why) != BL_ERR_OK)
        return bad_value(option, text, why);
    return BL_EXIT_OK;
}

/* The last '=': what is before it names a zone. */
static int get_limit(struct args *a, const char *text)
{
    const char *equals = strrchr(text, '=');
    const char *why = "";
    int64_t mw = 0;
    size_t length;

    if (a->limit != NULL)
        return bl_cli_usage("power", "--limit is given twice, expected one");
    if (equals == NULL || equals == text)
        return bad_value("--limit", text, "ZONE=WATTS such as package-0=95W");
    length = (size_t)(equals - text);
    if (length >= sizeof(a->limit_zone))
        return bad_value("--limit", text, "a zone such as package-0");
    if (bl_units_parse(BL_DIM_POWER, equals + 1, &mw, &why) != BL_ERR_OK)
        return bad_value("--limit", text, why);
    if (mw > INT64_MAX / UW_PER_MW)
        return bad_value("--limit", text, "a smaller power");
    memcpy(a->limit_zone, text, length);
    a->limit_zone[length] = '\0';
    a->limit = text;
    a->want.limit_uw = (uint64_t)(mw * UW_PER_MW);
    return BL_EXIT_OK;
}

static int get_interval(struct args *a, const char *text)
{
    const int status = get_time("--interval", text, &a->interval_ns);

    a->interval_given = true;
    if (status == BL_EXIT_OK &&
        (a->interval_ns < INTERVAL_MIN_NS || a->interval_ns > INTERVAL_MAX_NS))
        return bad_value("--interval", text,
                         "1ms to 60s (a counter wraps in little more)");
    return status;
}

static int get_count(struct args *a, const char *text)
{
    const char *why = "";

    if (bl_units_parse(BL_DIM_COUNT, text, &a->count, &why) != BL_ERR_OK ||
        a->count < 1 || a->count > COUNT_MAX)
        return bad_value("--count", text, "a whole number from 1");
    return BL_EXIT_OK;
}

static int get_window(struct args *a, const char *text)
{
    int64_t ns = 0;
    const int status = get_time("--window", text, &ns);

    if (status == BL_EXIT_OK && ns < NS_PER_US)
        return bad_value("--window", text, "a time of at least 1us");
    a->want.window_us = (uint64_t)(ns / NS_PER_US);
    return status;
}

static int use_option(struct args *a, int opt, const char *text)
{
    a->limit_only |=
        opt == OPT_CONSTRAINT || opt == OPT_WINDOW || opt == OPT_FORCE;
    switch (opt) {
    case OPT_ZONE:
        a->zone = text;
        return BL_EXIT_OK;
    case OPT_INTERVAL:
        return get_interval(a, text);
    case OPT_COUNT:
        return get_count(a, text);
    case OPT_JSON:
        a->json = true;
        return BL_EXIT_OK;
    case OPT_CSV:
        a->csv = true;
        return BL_EXIT_OK;
    case OPT_LIMIT:
        return get_limit(a, text);
    case OPT_CONSTRAINT:
        a->want.constraint = text;
        return BL_EXIT_OK;
    case OPT_WINDOW:
        return get_window(a, text);
    default:
        a->want.force = true;
        return BL_EXIT_OK;
    }
}

/* What does not go together; the exit status. */
static int check_options(const struct args *a, int argc, char **argv)
{
    if (optind < argc)
        return bl_cli_usage("power", "unexpected '%.100s', expected options",
                            argv[optind]);
    if (a->json && a->csv)
        return bl_cli_usage("power",
                            "--json and --csv both write to standard "
                            "output, expected one");
    if (a->limit == NULL && a->limit_only)
        return bl_cli_usage("power",
                            "--constraint, --window and --force go "
                            "with --limit");
    if (a->limit != NULL && (a->zone != NULL || a->interval_given ||
                             a->count > 0 || a->json || a->csv))
        return bl_cli_usage("power",
                            "--limit sets and does not measure; --zone, "
                            "--interval, --count, --json and --csv do not go "
                            "with it");
    return BL_EXIT_OK;
}

/* -1: go on; else the exit status. */
static int read_options(struct args *a, int argc, char **argv)
{
    static const struct option options[] = {
        { "zone", required_argument, NULL, OPT_ZONE },
        { "interval", required_argument, NULL, OPT_INTERVAL },
        { "count", required_argument, NULL, OPT_COUNT },
        { "json", no_argument, NULL, OPT_JSON },
        { "csv", no_argument, NULL, OPT_CSV },
        { "limit", required_argument, NULL, OPT_LIMIT },
        { "constraint", required_argument, NULL, OPT_CONSTRAINT },
        { "window", required_argument, NULL, OPT_WINDOW },
        { "force", no_argument, NULL, OPT_FORCE },
        { "help", no_argument, NULL, OPT_HELP },
        { NULL, 0, NULL, 0 },
    };
    int opt, status;

    opterr = 0;
    optind = 1;
    while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (opt == OPT_HELP) {
            fputs(help, stdout);
            return bl_cli_flush();
        }
        if (opt == '?' || opt == ':')
            return bl_cli_bad_option("power", opt, argv);
        status = use_option(a, opt, optarg);
        if (status != BL_EXIT_OK)
            return status;
    }
    status = check_options(a, argc, argv);
    return status == BL_EXIT_OK ? -1 : status;
}

/* ---- limits ------------------------------------------------------------ */

static void print_change(const char *what, enum bl_dim dim, uint64_t before,
                         uint64_t after)
{
    char a[40], b[40];

    bl_units_print(dim, (int64_t)before, a, sizeof(a));
    bl_units_print(dim, (int64_t)after, b, sizeof(b));
    printf("  %-7s %s -> %s\n", what, a, b);
}

static int set_limit(const struct bl_powercap *p, const struct args *a)
{
    struct bl_powercap_change change;
    const struct bl_powercap_zone *z;
    struct bl_diag diag = { "" };
    uint32_t index = 0;
    bl_err e = bl_powercap_find(p, a->limit_zone, &index, &diag);

    z = &p->zone[index];
    if (e == BL_ERR_OK)
        e = bl_powercap_limit_set(z, &a->want, &change, &diag);
    if (e != BL_ERR_OK)
        return bl_cli_fail(&diag);
    printf("%s (%s) %s\n", z->path, z->id,
           a->want.constraint != NULL ? a->want.constraint : "long_term");
    print_change("limit", BL_DIM_POWER, change.limit_before_uw / UW_PER_MW,
                 change.limit_after_uw / UW_PER_MW);
    if (change.window_before_us > 0 &&
        change.window_before_us <= INT64_MAX / NS_PER_US &&
        change.window_after_us <= INT64_MAX / NS_PER_US)
        print_change("window", BL_DIM_TIME, change.window_before_us * NS_PER_US,
                     change.window_after_us * NS_PER_US);
    if (!z->enabled)
        puts("  note    the zone is off (enabled = 0): nothing is limited");
    if (a->want.window_us != 0 && change.window_after_us != a->want.window_us)
        puts("  note    the kernel took the nearest window that it can keep");
    if (bl_powercap_kept(a->want.limit_uw, change.limit_after_uw))
        return bl_cli_flush();
    (void)bl_diag_set(&diag, BL_ERR_INVAL, z->path, 0,
                      "the kernel keeps %.3f W, not the %.3f W asked for",
                      (double)change.limit_after_uw / 1e6,
                      (double)a->want.limit_uw / 1e6);
    return bl_cli_fail(&diag);
}

/* ---- draw -------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * BL_NS_PER_S + t.tv_nsec;
}

/* False when interrupted. */
static bool wait_until(int64_t at_ns)
{
    const struct timespec at = { .tv_sec = (time_t)(at_ns / BL_NS_PER_S),
                                 .tv_nsec = (long)(at_ns % BL_NS_PER_S) };

    while (bl_cli_stop == 0 &&
           clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
    return bl_cli_stop == 0;
}

/* Zone @keep and those in it. */
static void select_zone(struct bl_powercap *p, uint32_t keep)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < p->zone_count; i++)
        if (i == keep || p->zone[i].parent == keep)
            p->zone[count++] = p->zone[i];
    for (uint32_t i = 0; i < count; i++)
        p->zone[i].parent = i == 0 ? BL_POWERCAP_NO_PARENT : 0;
    p->zone_count = count;
}

/* What could not be read, once; how many more there were. */
static void complain(const struct bl_diag *fault, uint32_t count)
{
    fprintf(stderr, "%s", fault->text);
    if (count > 1)
        fprintf(stderr, " (and %" PRIu32 " more)", count - 1);
    fputc('\n', stderr);
}

/* Reads all counters; the first time that one fails, says which. */
static void read_meter(struct bl_powercap_meter *m, const struct bl_powercap *p,
                       int64_t t_ns, bool *faulty)
{
    bl_powercap_meter_read(m, p, t_ns);
    if (m->fault_count > 0 && !*faulty)
        complain(&m->fault, m->fault_count);
    *faulty |= m->fault_count > 0;
}

static enum bl_power_form form_of(const struct args *a)
{
    if (a->json)
        return BL_POWER_JSON;
    if (a->csv)
        return BL_POWER_CSV;
    return a->count > 0 ? BL_POWER_ROWS : BL_POWER_TABLE;
}

static int measure(const struct bl_powercap *p, const struct args *a)
{
    static struct bl_powercap_meter meter;
    struct bl_power_out out = { .f = stdout,
                                .form = form_of(a),
                                .colour = bl_cli_colour(stdout) };
    const int64_t count = a->count > 0 ? a->count : 1;
    int64_t last_ns = now_ns();
    bool faulty = false, going = true;

    bl_powercap_meter_start(&meter, p);
    read_meter(&meter, p, last_ns, &faulty);
    bl_power_begin(&out, p);
    for (int64_t i = 1; i <= count && going && !ferror(stdout); i++) {
        int64_t t_ns;

        going = wait_until(last_ns + a->interval_ns);
        if (!going && i > 1)
            break;
        t_ns = now_ns();
        read_meter(&meter, p, t_ns, &faulty);
        bl_power_sample(&out, p, &meter, t_ns - last_ns);
        last_ns = t_ns;
    }
    bl_power_end(&out, !going);
    if (bl_cli_flush() != BL_EXIT_OK)
        return BL_EXIT_FAILED;
    if (!going)
        return BL_EXIT_INTERRUPTED;
    return faulty || p->fault_count > 0 ? BL_EXIT_FAILED : BL_EXIT_OK;
}

int bl_cli_power(int argc, char **argv)
{
    static struct bl_powercap zones;
    struct args a = { .interval_ns = BL_NS_PER_S };
    struct bl_diag diag = { "" };
    uint32_t index = 0;
    const int status = read_options(&a, argc, argv);

    if (status >= 0)
        return status;
    if (bl_powercap_scan(&zones, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    if (zones.fault_count > 0)
        complain(&zones.fault, zones.fault_count);
    if (a.limit != NULL)
        return set_limit(&zones, &a);
    if (a.zone != NULL) {
        if (bl_powercap_find(&zones, a.zone, &index, &diag) != BL_ERR_OK)
            return bl_cli_fail(&diag);
        select_zone(&zones, index);
    }
    if (bl_powercap_meter_check(&zones, (uint64_t)a.interval_ns, &diag) !=
        BL_ERR_OK)
        return bl_cli_fail(&diag);
    return measure(&zones, &a);
}
