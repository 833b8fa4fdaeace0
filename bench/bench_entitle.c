/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_entitle - how long entitlement takes, from 1,000 clients to 1,000,000,
 * and how long it takes to read and write the same arrays once:
 *
 *     pass      sum up all claims and write one word for each
 *     all       bl_entitle() when all demand fits
 *     shared    when shares decide between floors and ceilings: the hard case,
 *               shares, reservations, limits and demands all random
 *     reserved  when not even reservations fit: the alarm
 *     pools     the hard case in a tree of 64 pools, four levels deep
 *
 * Medians of CPU time; ratio is to the pass of the same size. The hash column
 * keeps the optimiser honest, and us: same hash, same entitlements.
 *
 *     bench_entitle [--smoke]
 */
#include "bench/support.h"

#include "base/hash.h"
#include "base/prng.h"
#include "hv/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 11, POOLS = 64, WAY = 4 };

struct arrays {
    uint32_t n, calls; /* clients; divisions for one figure */
    struct bl_claim *claim;
    uint64_t *out;
    uint32_t *scratch;
    struct bl_pool pool[POOLS];
    uint32_t *pool_of;
    struct bl_pool_scratch tree;
};

static void *take(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);

    if (p == NULL)
        bench_fail("out of memory");
    return p;
}

static struct arrays take_arrays(uint32_t n, uint32_t calls)
{
    const size_t nodes = (size_t)n + POOLS;

    return (struct arrays){
        .n = n,
        .calls = calls,
        .claim = take(n, sizeof(struct bl_claim)),
        .out = take(n, sizeof(uint64_t)),
        .scratch = take(n, sizeof(uint32_t)),
        .pool_of = take(n, sizeof(uint32_t)),
        .tree = { .claim = take(nodes, sizeof(struct bl_claim)),
                  .got = take(nodes, sizeof(uint64_t)),
                  .work = take(nodes, sizeof(uint32_t)),
                  .child = take(nodes, sizeof(uint32_t)),
                  .pool_claim = take(POOLS, sizeof(struct bl_claim)),
                  .pool_out = take(POOLS, sizeof(uint64_t)),
                  .first = take(POOLS + 2, sizeof(uint32_t)) },
    };
}

static void give_back(struct arrays *a)
{
    free(a->claim);
    free(a->out);
    free(a->scratch);
    free(a->pool_of);
    free(a->tree.claim);
    free(a->tree.got);
    free(a->tree.work);
    free(a->tree.child);
    free(a->tree.pool_claim);
    free(a->tree.pool_out);
    free(a->tree.first);
}

static void draw(struct arrays *a)
{
    struct bl_prng prng = bl_prng_stream(1, a->n);

    for (uint32_t i = 0; i < a->n; i++) {
        const uint64_t r = bl_prng_next(&prng);
        const uint64_t reserved = bl_prng_below(&prng, 1000000);

        a->claim[i] = (struct bl_claim){
            .shares = 1 + bl_prng_below(&prng, 1000000),
            .reservation = r & 1 ? reserved : 0,
            .limit =
                r & 6 ? BL_NO_LIMIT : reserved + bl_prng_below(&prng, 1000000),
            .demand = bl_prng_below(&prng, 2500000),
        };
        a->pool_of[i] = (uint32_t)(r >> 32) % (POOLS + 1);
        if (a->pool_of[i] == POOLS)
            a->pool_of[i] = BL_POOL_ROOT;
    }
    for (uint32_t p = 0; p < POOLS; p++)
        a->pool[p] = (struct bl_pool){
            .parent = p < WAY ? BL_POOL_ROOT : p / WAY - 1,
            .expandable = p % 3 != 0,
            .shares = 1 + bl_prng_below(&prng, 1000000),
            .reservation = bl_prng_below(&prng, 4) * a->n * 1000,
            .limit = BL_NO_LIMIT,
        };
}

/* Half way into the range of capacities that end in @want. */
static uint64_t capacity_for(enum bl_entitled want, const struct arrays *a)
{
    uint64_t lo = 0, hi = 0;

    for (uint32_t i = 0; i < a->n; i++) {
        const struct bl_claim c = a->claim[i];

        lo += c.reservation < c.demand ? c.reservation : c.demand;
        hi += c.limit < c.demand ? c.limit : c.demand;
    }
    switch (want) {
    case BL_ENTITLED_ALL:
        return hi;
    case BL_ENTITLED_SHARED:
        return lo + (hi - lo) / 2;
    case BL_ENTITLED_RESERVED:
        break;
    }
    return lo / 2;
}

/* What memory alone costs: every claim read, every result written. */
static uint64_t pass(const struct arrays *a)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < a->n; i++) {
        sum += a->claim[i].shares + a->claim[i].reservation +
               a->claim[i].limit + a->claim[i].demand;
        a->out[i] = sum;
    }
    return sum;
}

enum what { PASS, FLAT, POOLED };

static void call(enum what what, uint64_t capacity, enum bl_entitled want,
                 struct arrays *a)
{
    const struct bl_pool_tree tree = {
        .pool = a->pool,
        .pool_count = POOLS,
        .leaf = a->claim,
        .leaf_pool = a->pool_of,
        .leaf_count = a->n,
    };
    enum bl_entitled got = want;

    switch (what) {
    case PASS:
        (void)pass(a);
        break;
    case FLAT:
        got = bl_entitle(capacity, a->claim, a->n, a->out, a->scratch);
        break;
    case POOLED:
        (void)bl_pool_entitle(capacity, &tree, a->out, &a->tree);
        break;
    }
    if (got != want)
        bench_fail("bl_entitle() of %u claims ended in outcome %d", a->n, got);
}

/* CPU time, so that whatever else the machine does counts little. */
static double cpu_now_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Returns ms; @pass_ms 0: this is the pass. */
static double measure(enum what what, const char *name, enum bl_entitled want,
                      struct arrays *a, double pass_ms)
{
    const uint64_t capacity = capacity_for(want, a);
    double ms[REPEATS];
    struct bl_hash h;

    call(what, capacity, want, a); /* touches the pages for the first time */
    for (int k = 0; k < REPEATS; k++) {
        const double start_s = cpu_now_s();

        for (uint32_t i = 0; i < a->calls; i++)
            call(what, capacity, want, a);
        ms[k] = (cpu_now_s() - start_s) * 1e3 / a->calls;
    }
    bl_hash_init(&h);
    for (uint32_t i = 0; i < a->n; i++)
        bl_hash_u64(&h, a->out[i]);

    const double median = bench_median(ms, REPEATS);

    printf("entitle,%s,%u,%.4f,%.2f,%.2f,%016llx\n", name, a->n, median,
           median * 1e6 / a->n, pass_ms > 0 ? median / pass_ms : 1,
           (unsigned long long)bl_hash_value(&h));
    fflush(stdout);
    return median;
}

int main(int argc, char **argv)
{
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t most = smoke ? 10000 : 1000000;

    if (argc > (smoke ? 2 : 1))
        bench_fail("usage: bench_entitle [--smoke]");
    printf("what,outcome,clients,ms,ns_per_client,ratio_to_pass,hash\n");
    for (uint32_t n = 1000; n <= most; n *= 10) {
        struct arrays a = take_arrays(n, smoke ? 2 : 1000000 / n);

        draw(&a);

        const double pass_ms = measure(PASS, "pass", BL_ENTITLED_ALL, &a, 0);

        measure(FLAT, "all", BL_ENTITLED_ALL, &a, pass_ms);
        measure(FLAT, "shared", BL_ENTITLED_SHARED, &a, pass_ms);
        measure(FLAT, "reserved", BL_ENTITLED_RESERVED, &a, pass_ms);
        measure(POOLED, "pools", BL_ENTITLED_SHARED, &a, pass_ms);
        give_back(&a);
    }
    return 0;
}
