/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_replay - the field's standard experiment, whole processes: what the
 * program costs its user, from its start to its last line.
 *
 * Runs `ballast sim examples/planetlab.yaml` under each policy and physics on
 * the measured day when the traces are there, else on the scenario's generated
 * one, and prints the median of user seconds and peak memory beside the bar
 * where there is one. Energy, migrations and the hash come from one run more,
 * with --json.
 *
 *     BL_BIN=PROGRAM bench_replay [--smoke] [--runs N]
 *
 * Without BL_BIN, the program is looked for beside the folder of this one.
 */
#define _DEFAULT_SOURCE
#include "bench/support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCENARIO "examples/planetlab.yaml"
#define DAY "../shared/traces/planetlab/20110303.tar.zst"

struct experiment {
    const char *physics, *policy;
    double bar_s;     /* user time at most; 0: no bar */
    uint64_t bar_kib; /* memory at most; 0: no bar */
};

static const struct experiment experiments[] = {
    { "cloudsim303", "lr-mmt-1.2", 0.30, 32768 },
    { "cloudsim303", "lr-mmt-1.2-2012", 0, 0 },
    { "cloudsim303", "lrr-mmt-1.2", 0, 0 },
    { "cloudsim303", "thr-mmt-0.8", 0, 0 },
    { "cloudsim303", "iqr-mmt-1.5", 0, 0 },
    { "cloudsim303", "mad-mmt-2.5", 0, 0 },
    { "cloudsim303", "thr-mc-0.8", 0, 0 },
    { "cloudsim303", "thr-mu-0.8", 0, 0 },
    { "cloudsim303", "lr-mc-1.2", 0, 0 },
    { "cloudsim303", "lr-mu-1.2", 0, 0 },
    { "cloudsim303", "npa", 0, 0 },
    { "cloudsim303", "dvfs", 0, 0 },
    { "real", "static", 0.03, 0 },
    { "real", "lr-mmt-1.2", 0, 0 },
    { "real", "thr-mmt-0.8", 0, 0 },
};

enum { ARGS_MAX = 12 };

/* The command line of @x; @json: for the figures. */
static void command(char *arg[ARGS_MAX], const char *bin,
                    const struct experiment *x, bool json)
{
    const bool day = access(DAY, R_OK) == 0;
    const char *const want[ARGS_MAX] = { bin,
                                         "sim",
                                         SCENARIO,
                                         "--physics",
                                         x->physics,
                                         "--policy",
                                         x->policy,
                                         json ? "--json" : "--ascii",
                                         day ? "--trace" : NULL,
                                         DAY };

    for (int i = 0; i < ARGS_MAX; i++)
        arg[i] = want[i] == NULL ? NULL : strdup(want[i]);
}

static void free_command(char *arg[ARGS_MAX])
{
    for (int i = 0; i < ARGS_MAX; i++)
        free(arg[i]);
}

static void print_figures(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    json_t *sum = json_object_get(root, "summary");
    const char *hash = json_string_value(json_object_get(sum, "state_hash"));

    if (hash == NULL)
        bench_fail("the program's JSON has no summary.state_hash");
    printf("%.2f,%lld,%s\n",
           json_number_value(json_object_get(sum, "energy_kwh")),
           (long long)json_integer_value(json_object_get(sum, "migrations")),
           hash);
    json_decref(root);
}

/* Returns whether it kept to its bars. */
static bool measure(const char *bin, const struct experiment *x, uint32_t runs)
{
    char *arg[ARGS_MAX], *json = NULL;
    bool kept;

    command(arg, bin, x, true);
    (void)bench_exec(arg, &json); /* the first one also warms the file up */
    free_command(arg);
    command(arg, bin, x, false);

    const struct bench_cost c = bench_exec_median(arg, runs);

    free_command(arg);
    kept = (x->bar_s <= 0 || c.user_s <= x->bar_s) &&
           (x->bar_kib == 0 || c.peak_kib <= x->bar_kib);
    printf("%s,%s,%.3f,%.3f,%.3f,%llu,", x->physics, x->policy, c.user_s,
           c.system_s, c.wall_s, (unsigned long long)c.peak_kib);
    if (x->bar_s > 0)
        printf("%.2f", x->bar_s);
    putchar(',');
    if (x->bar_kib > 0)
        printf("%llu", (unsigned long long)x->bar_kib);
    putchar(',');
    print_figures(json);
    fflush(stdout);
    free(json);
    return kept;
}

/* $BL_BIN, or BUILD/ballast when this is BUILD/bench/bench_replay. */
static const char *program(const char *argv0, char *buf, size_t size)
{
    const char *bin = getenv("BL_BIN");
    const char *slash = strrchr(argv0, '/');

    if (bin != NULL)
        return bin;
    if (slash == NULL)
        bench_fail("say which program: BL_BIN=PROGRAM %s", argv0);
    snprintf(buf, size, "%.*s/../ballast", (int)(slash - argv0), argv0);
    return buf;
}

int main(int argc, char **argv)
{
    const size_t count = sizeof(experiments) / sizeof(experiments[0]);
    bool smoke = false;
    uint32_t runs = 9, over = 0;
    char buf[4096];
    const char *bin = program(argv[0], buf, sizeof(buf));

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0)
            smoke = true;
        else if (strcmp(argv[i], "--runs") == 0)
            runs = bench_number(argv[++i], BENCH_RUNS_MAX);
        else
            bench_fail("no option '%s': --smoke, --runs N", argv[i]);
    }
    if (access(DAY, R_OK) != 0)
        fprintf(stderr, "SKIP: no %s here, a generated day takes its place\n",
                DAY);
    puts(
        "physics,policy,user_s,system_s,wall_s,peak_kib,bar_user_s,bar_kib,"
        "energy_kwh,migrations,hash");
    for (size_t i = 0; i < count; i++) {
        /* the two with bars are enough to see that all of this works */
        if (smoke && experiments[i].bar_s <= 0)
            continue;
        over += !measure(bin, &experiments[i], smoke ? 1 : runs);
    }
    if (over > 0 && !smoke)
        fprintf(stderr, "bench_replay: %u above their bars\n", over);
    return EXIT_SUCCESS;
}
