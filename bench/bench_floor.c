/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_floor - what one query of the energy floor costs, against the number of
 * host groups; a run asks twice for each change of load.
 *
 *     apart   CPU alone and memory alone, the larger of them
 *     joint   both at once
 *
 * Fleets, demands and their order are drawn from a fixed seed; half of the
 * queries have memory for the bottleneck. Medians of CPU time. The hash column
 * keeps the optimiser honest, and us: same hash, same floors.
 *
 *     bench_floor [--smoke]
 *     bench_floor --only GROUPS QUERIES   (for counting instructions)
 */
#include "bench/support.h"

#include "base/hash.h"
#include "base/prng.h"
#include "base/units.h"
#include "report/floor.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 11 };

typedef double (*floor_fn)(const struct bl_floor *, double, double);

static struct bl_dc dc;
static struct bl_floor least;

static void draw_group(struct bl_prng *p, struct bl_host_group *g)
{
    *g = (struct bl_host_group){
        .host_count = 1 + (uint32_t)bl_prng_below(p, 200),
        .core_count = 4 + (uint32_t)bl_prng_below(p, 60),
        .core_khz = 2000000 + bl_prng_below(p, 2000) * 1000,
        .mem_bytes = (16 + bl_prng_below(p, 240)) << 30,
        .standby = { .power_mw = 10000 },
        .off = { .power_mw = 5000 },
    };
    g->power.mw[0] = 50000 + (uint32_t)bl_prng_below(p, 50000);
    for (uint32_t i = 1; i < BL_POWER_POINTS; i++)
        g->power.mw[i] =
            g->power.mw[i - 1] + 3000 + i * (uint32_t)bl_prng_below(p, 2000);
}

static void draw(uint32_t groups)
{
    struct bl_prng p = bl_prng_stream(1, groups);

    dc = (struct bl_dc){ .host_group_count = groups };
    for (uint32_t g = 0; g < groups; g++)
        draw_group(&p, &dc.host_group[g]);
    bl_floor_build(&least, &dc, true, true);
}

static double part(struct bl_prng *p)
{
    return (double)bl_prng_below(p, 1001) / 1000;
}

/* Returns a hash of all answers. */
static uint64_t ask(floor_fn fn, uint32_t queries)
{
    struct bl_prng p = { 1 };
    double mhz = 0, mib = 0;
    struct bl_hash h;

    for (uint32_t g = 0; g < dc.host_group_count; g++) {
        const struct bl_host_group *x = &dc.host_group[g];

        mhz += (double)(x->core_count * x->core_khz) / 1000 * x->host_count;
        mib += (double)x->mem_bytes / BL_MIB * x->host_count;
    }
    bl_hash_init(&h);
    for (uint32_t i = 0; i < queries; i++) {
        const double a = part(&p), b = part(&p);

        bl_hash_double(&h, fn(&least, mhz * a, mib * b));
    }
    return bl_hash_value(&h);
}

/* CPU time, so that whatever else the machine does counts little. */
static double cpu_now_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Returns ns for each query. */
static double measure(const char *name, floor_fn fn, uint32_t queries,
                      double apart_ns)
{
    double ns[REPEATS];
    uint64_t hash = 0;

    for (int k = 0; k < REPEATS; k++) {
        const double start_s = cpu_now_s();

        hash = ask(fn, queries);
        ns[k] = (cpu_now_s() - start_s) * 1e9 / queries;
    }

    const double median = bench_median(ns, REPEATS);

    printf("floor,%s,%u,%.0f,%.2f,%016llx\n", name, dc.host_group_count, median,
           apart_ns > 0 ? median / apart_ns : 1, (unsigned long long)hash);
    fflush(stdout);
    return median;
}

int main(int argc, char **argv)
{
    static const uint32_t size[] = { 1, 2, 4, 10, BL_HOST_GROUPS_MAX };
    const bool smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;

    if (argc == 4 && strcmp(argv[1], "--only") == 0) {
        draw(bench_number(argv[2], BL_HOST_GROUPS_MAX));
        printf("%016llx\n",
               (unsigned long long)ask(bl_floor_watts,
                                       bench_number(argv[3], 1u << 30)));
        return 0;
    }
    if (argc > (smoke ? 2 : 1))
        bench_fail("usage: bench_floor [--smoke | --only GROUPS QUERIES]");
    printf("what,bound,groups,ns,ratio_to_apart,hash\n");
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        const uint32_t queries = smoke ? 100 : 200000 / (size[i] + 10) * 10;

        draw(size[i]);

        const double apart_ns =
            measure("apart", bl_floor_watts_apart, queries, 0);

        measure("joint", bl_floor_watts, queries, apart_ns);
    }
    return 0;
}
