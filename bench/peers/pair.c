/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair - time two programs on the same machine in the same minutes.
 *
 *     pair RUNS NAME COMMAND... -- NAME COMMAND...
 *
 * Runs them in turn, so that whatever else the machine does meets both, and
 * prints the medians as CSV. The first run of each is not counted: it warms
 * the files up.
 */
#define _DEFAULT_SOURCE
#include "bench/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    const char *name;
    char **argv;
    double wall_s[BENCH_RUNS_MAX], user_s[BENCH_RUNS_MAX];
    double system_s[BENCH_RUNS_MAX], peak_kib[BENCH_RUNS_MAX];
};

static void run_once(struct side *s, uint32_t i)
{
    const struct bench_cost c = bench_exec(s->argv, NULL);

    s->wall_s[i] = c.wall_s;
    s->user_s[i] = c.user_s;
    s->system_s[i] = c.system_s;
    s->peak_kib[i] = (double)c.peak_kib;
}

static void print_side(struct side *s, uint32_t runs)
{
    printf("%s,%.3f,%.3f,%.3f,%.1f\n", s->name, bench_median(s->user_s, runs),
           bench_median(s->system_s, runs), bench_median(s->wall_s, runs),
           bench_median(s->peak_kib, runs) / 1024);
}

int main(int argc, char **argv)
{
    static struct side side[2];
    int split = 3;

    while (split < argc && strcmp(argv[split], "--") != 0)
        split++;
    if (split < 4 || argc - split < 3)
        bench_fail("usage: pair RUNS NAME COMMAND... -- NAME COMMAND...");

    const uint32_t runs = bench_number(argv[1], BENCH_RUNS_MAX);

    argv[split] = NULL;
    side[0].name = argv[2];
    side[0].argv = argv + 3;
    side[1].name = argv[split + 1];
    side[1].argv = argv + split + 2;
    for (uint32_t k = 0; k < 2; k++)
        (void)bench_exec(side[k].argv, NULL);
    for (uint32_t i = 0; i < runs; i++)
        for (uint32_t k = 0; k < 2; k++)
            run_once(&side[k], i);
    puts("program,user_s,system_s,wall_s,peak_mib");
    for (uint32_t k = 0; k < 2; k++)
        print_side(&side[k], runs);
    return EXIT_SUCCESS;
}
