/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_policy - ns per operation of what decides, against its size:
 *
 *     entitle    bl_entitle() against claims, its three outcomes apart
 *     first-fit  filling empty hosts, against hosts: find, then place
 *     overload   each test against hosts: a list that has changed (cold), one
 *                that has not (warm), and "with one VM more" (with)
 *     pabfd      one bl_pabfd_find() against hosts, both published forms
 *     rightsize  a whole decision against hosts, ns for each VM: of the first
 *                instant, which packs everything anew (first), and of later
 *                ones, at which little is left to do (again); and the bytes of
 *                memory that the policy has for each VM
 *
 * Overload and PABFD run on a simulated data centre (ten VMs on hosts of two
 * cores, 30 samples of history). The hash column keeps the optimiser honest,
 * and us: same hash, same decisions.
 *
 *     bench_policy [--smoke]
 */
#include "bench/support.h"

#include "base/hash.h"
#include "base/prng.h"
#include "cluster/first_fit.h"
#include "cluster/pabfd.h"
#include "hv/entitle.h"
#include "manager/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 5, STEPS = 31 };

static void *take(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);

    if (p == NULL)
        bench_fail("out of memory");
    return p;
}

static void print_row(const char *what, const char *variant, uint32_t n,
                      double ns, uint64_t hash)
{
    printf("%s,%s,%u,%.2f,%016llx\n", what, variant, n, ns,
           (unsigned long long)hash);
    fflush(stdout);
}

/* ---- entitlement
 * ------------------------------------------------------------ */

static void draw_claims(struct bl_claim *claim, uint32_t n)
{
    struct bl_prng prng = bl_prng_stream(1, n);

    for (uint32_t i = 0; i < n; i++) {
        const uint64_t r = bl_prng_next(&prng);

        claim[i] = (struct bl_claim){
            .shares = 500u << (r % 3),
            .reservation = r >> 8 & 1 ? bl_prng_below(&prng, 1000000) : 0,
            .limit = r >> 16 & 3 ? BL_NO_LIMIT
                                 : 1000000 + bl_prng_below(&prng, 1000000),
            .demand = bl_prng_below(&prng, 2500000),
        };
    }
}

/* Half way into the range of capacities that end in @want. */
static uint64_t capacity_for(enum bl_entitled want,
                             const struct bl_claim *claim, uint32_t n)
{
    uint64_t lo = 0, hi = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint64_t d = claim[i].demand, r = claim[i].reservation;

        lo += r < d ? r : d;
        hi += claim[i].limit < d ? claim[i].limit : d;
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

static void bench_entitle(enum bl_entitled want, uint32_t n, uint32_t calls)
{
    static const char *const name[] = { "all", "shared", "reserved" };
    struct bl_claim *claim = take(n, sizeof(*claim));
    uint64_t *out = take(n, sizeof(*out));
    uint32_t *scratch = take(n, sizeof(*scratch));
    double ns[REPEATS];
    struct bl_hash h;

    draw_claims(claim, n);

    const uint64_t capacity = capacity_for(want, claim, n);

    bl_hash_init(&h);
    for (int k = 0; k < REPEATS; k++) {
        const double start_s = bench_now_s();
        enum bl_entitled got = want;

        for (uint32_t i = 0; i < calls && got == want; i++)
            got = bl_entitle(capacity, claim, n, out, scratch);
        ns[k] = (bench_now_s() - start_s) * 1e9 / calls / n;
        if (got != want)
            bench_fail("bl_entitle() of %u claims ended in %s", n, name[got]);
    }
    bl_entitle_check(capacity, claim, n, out);
    for (uint32_t i = 0; i < n; i++)
        bl_hash_u64(&h, out[i]);
    print_row("entitle/claim", name[want], n, bench_median(ns, REPEATS),
              bl_hash_value(&h));
    free(claim);
    free(out);
    free(scratch);
}

/* ---- first fit
 * -------------------------------------------------------------- */

static struct bl_trace *generated(uint32_t hosts, uint32_t steps)
{
    const struct bl_trace_spec spec = bench_trace_spec(hosts, steps);
    struct bl_diag diag = { .text = "" };
    struct bl_trace *trace = NULL;

    bench_try(bl_trace_open_generated(&spec, 1, &trace, &diag), &diag);
    return trace;
}

/* An overlay and whatever else is measured, in an arena of their own. */
static struct bl_overlay *lay_overlay(struct bl_arena *a,
                                      const struct bl_snapshot *s)
{
    struct bl_overlay *o = NULL;

    if (bl_arena_init(a, (size_t)1 << 34) != BL_ERR_OK ||
        bl_overlay_create(a, s->host.count, s->resident_max, 64, &o) !=
            BL_ERR_OK)
        bench_fail("out of memory");
    bl_overlay_reset(o, s);
    return o;
}

/* Finds a host for each VM and places it there, as the manager would. */
static double place_all(struct bl_world *world, struct bl_hash *hash)
{
    const struct bl_snapshot *s = world->ops->observe(world);
    const struct bl_first_fit_opts opts = { .host_count = s->host.count,
                                            .cpu_ppm = 1000000,
                                            .mem_ppm = 1000000 };
    struct bl_first_fit *f = NULL;
    struct bl_arena a;
    struct bl_overlay *o = lay_overlay(&a, s);

    if (bl_first_fit_create(&a, &opts, &f) != BL_ERR_OK)
        bench_fail("out of memory");

    const double start_s = bench_now_s();

    for (uint32_t vm = 0; vm < s->vm.slot_count; vm++) {
        const uint32_t h = bl_first_fit_find(f, s, o, vm);
        const struct bl_action action = {
            .kind = BL_ACTION_PLACE, .vm = vm, .host = h, .source = BL_NONE
        };

        if (h == BL_NONE ||
            !bl_verdict_accepted(world->ops->apply(world, &action)))
            bench_fail("VM %u was not placed", vm);
        bl_overlay_refresh(o, h);
        bl_hash_u64(hash, h);
    }

    const double ns = (bench_now_s() - start_s) * 1e9 / s->vm.slot_count;

    bl_arena_free(&a);
    return ns;
}

static void bench_first_fit(uint32_t hosts)
{
    const struct bench_world_opts opts = { .load = BENCH_ROOMY,
                                           .hosts = hosts,
                                           .threads = 1 };
    double ns[REPEATS];
    uint64_t hash = 0;

    for (int k = 0; k < REPEATS; k++) {
        struct bench_world *w = bench_world_new(&opts, generated(hosts, 1));
        struct bl_world *world = bl_sim_world(w->sim);
        struct bl_diag diag = { .text = "" };
        struct bl_wait wait;
        struct bl_hash h;

        bl_hash_init(&h);
        bench_try(world->ops->wait(world, world->first_due_ns, &wait, &diag),
                  &diag);
        ns[k] = place_all(world, &h);
        hash = bl_hash_value(&h);
        bench_world_free(w);
    }
    print_row("first-fit/vm", "fill", hosts, bench_median(ns, REPEATS), hash);
}

/* ---- overload tests and PABFD
 * ------------------------------------------------ */

struct scene {
    const struct bl_snapshot *snap;
    const struct bl_dc *dc;
    struct bl_overlay *overlay;
    struct bl_arena arena; /* not sealed: for what is measured */
};

static struct bench_world *make_scene(struct scene *s, uint32_t hosts)
{
    const struct bench_world_opts opts = { .load = BENCH_CROWDED,
                                           .hosts = hosts,
                                           .threads = 1,
                                           .history_count = BL_HISTORY_MAX };
    struct bench_world *w = bench_world_new(&opts, generated(hosts, STEPS));
    struct bl_world *world;

    bench_world_run(w);
    world = bl_sim_world(w->sim);
    s->snap = world->ops->observe(world);
    s->dc = &w->dc;
    s->overlay = lay_overlay(&s->arena, s->snap);
    return w;
}

static struct bl_overload *
new_overload(struct scene *s, enum bl_overload_test test, double safety)
{
    struct bl_overload *o = NULL;

    if (bl_overload_create(&s->arena,
                           &(struct bl_overload_opts){
                               .test = test,
                               .safety = safety,
                               .fallback = 0.7,
                               .host_count = s->snap->host.count,
                               .vm_slot_count = s->snap->vm.slot_count },
                           &o) != BL_ERR_OK)
        bench_fail("out of memory");
    bl_overload_begin(o, s->snap, s->overlay);
    return o;
}

/* ns per host of one round over all hosts. */
static double test_hosts(struct bl_overload *o, uint32_t hosts, uint32_t vm,
                         uint64_t *hash)
{
    const double start_s = bench_now_s();
    struct bl_hash h;

    bl_hash_init(&h);
    for (uint32_t i = 0; i < hosts; i++) {
        const struct bl_overload_verdict v = bl_overload_host(o, i, vm);

        bl_hash_u64(&h, v.overloaded);
        bl_hash_double(&h, v.level);
    }
    *hash = bl_hash_value(&h);
    return (bench_now_s() - start_s) * 1e9 / hosts;
}

static void bench_overload(struct scene *s, enum bl_overload_test test)
{
    static const char *const name[] = { "thr", "iqr", "mad", "lr", "lrr" };
    static const double safety[] = { 0.8, 1.5, 2.5, 1.2, 1.2 };
    static const char *const state[] = { "cold", "warm", "with" };
    const uint32_t hosts = s->snap->host.count;
    double ns[3][REPEATS];
    uint64_t hash[3] = { 0 };

    for (int k = 0; k < REPEATS; k++) {
        struct bl_overload *o = new_overload(s, test, safety[test]);

        for (int i = 0; i < 3; i++)
            ns[i][k] = test_hosts(o, hosts, i == 2 ? 0 : BL_NONE, &hash[i]);
    }
    for (int i = 0; i < 3; i++) {
        char variant[32];

        snprintf(variant, sizeof(variant), "%s-%s", name[test], state[i]);
        print_row("overload/host", variant, hosts, bench_median(ns[i], REPEATS),
                  hash[i]);
    }
}

static void bench_pabfd(struct scene *s, bool from_measured, uint32_t finds)
{
    const uint32_t hosts = s->snap->host.count;
    struct bl_overload *overload = new_overload(s, BL_OVERLOAD_LR, 1.2);
    struct bl_pabfd *p = NULL;
    double ns[REPEATS];
    uint64_t hash = 0;

    if (bl_pabfd_create(
            &s->arena,
            &(struct bl_pabfd_opts){ .dc = s->dc,
                                     .host_count = hosts,
                                     .from_measured = from_measured },
            &p) != BL_ERR_OK)
        bench_fail("out of memory");
    for (int k = 0; k < REPEATS; k++) {
        struct bl_hash h;

        bl_hash_init(&h);
        bl_pabfd_begin(p, s->snap, s->overlay, overload);

        const double start_s = bench_now_s();

        for (uint32_t i = 0; i < finds; i++) {
            double rise_w;

            bl_hash_u64(
                &h, bl_pabfd_find(p, i * 7 % s->snap->vm.slot_count, &rise_w));
        }
        ns[k] = (bench_now_s() - start_s) * 1e9 / finds;
        hash = bl_hash_value(&h);
    }
    print_row("pabfd/find", from_measured ? "2012" : "3.0.2", hosts,
              bench_median(ns, REPEATS), hash);
}

static uint64_t hash_plan(const struct bl_plan *plan)
{
    struct bl_hash h;

    bl_hash_init(&h);
    for (uint32_t i = 0; i < plan->count; i++) {
        bl_hash_u64(&h, plan->action[i].kind);
        bl_hash_u64(&h, plan->action[i].vm);
        bl_hash_u64(&h, plan->action[i].host);
    }
    return bl_hash_value(&h);
}

/* No move pays, so that what is left is looking. */
static void make_still(struct bl_params *params)
{
    struct bl_diag diag = { .text = "" };

    bench_try(bl_params_set(params, "move", "7d", NULL, 0, &diag), &diag);
}

static void bench_rightsize(struct scene *s, bool still)
{
    const struct bl_policy *ops = NULL;
    const uint32_t hosts = s->snap->host.count;
    const uint32_t slots = s->snap->vm.slot_count;
    struct bl_diag diag = { .text = "" };
    struct bl_params params;
    double ns[REPEATS];
    uint64_t hash = 0, bytes = 0;

    bench_try(bl_registry_find("rightsize", NULL, 0, &ops, &params, &diag),
              &diag);
    if (still)
        make_still(&params);
    for (int k = 0; k < REPEATS; k++) {
        const struct bl_policy_env env = { .dc = s->dc,
                                           .host_count = hosts,
                                           .vm_slot_count = slots,
                                           .params = &params,
                                           .seed = 1 };
        struct bl_overlay *o = NULL;
        struct bl_plan plan;
        struct bl_arena a;
        void *state = NULL;
        size_t before;

        if (bl_arena_init(&a, (size_t)1 << 35) != BL_ERR_OK ||
            bl_overlay_create(&a, hosts, s->snap->resident_max, 4 * slots,
                              &o) != BL_ERR_OK ||
            bl_plan_create(&a, 2 * hosts + 2 * slots, &plan) != BL_ERR_OK)
            bench_fail("out of memory");
        before = a.used_bytes;
        if (ops->create(&a, &env, &state) != BL_ERR_OK)
            bench_fail("out of memory");
        bytes = a.used_bytes - before;
        bl_overlay_reset(o, s->snap);

        const double start_s = bench_now_s();

        ops->step(state, s->snap, o, &plan);
        ns[k] = (bench_now_s() - start_s) * 1e9 / slots;
        hash = hash_plan(&plan);
        bl_arena_free(&a);
    }
    print_row("rightsize/vm", still ? "again" : "first", hosts,
              bench_median(ns, REPEATS), hash);
    if (!still)
        print_row("rightsize/vm", "bytes", hosts, (double)bytes / slots, 0);
}

static void bench_cluster(uint32_t hosts, bool smoke)
{
    struct scene s;
    struct bench_world *w = make_scene(&s, hosts);

    for (int t = BL_OVERLOAD_THR; t <= BL_OVERLOAD_LRR; t++)
        bench_overload(&s, (enum bl_overload_test)t);
    for (int form = 0; form < 2; form++)
        bench_pabfd(&s, form == 1, smoke ? 10 : 1000);
    bl_arena_free(&s.arena);
    bench_world_free(w);
}

static void bench_ours(uint32_t hosts)
{
    struct scene s;
    struct bench_world *w = make_scene(&s, hosts);

    for (int still = 0; still < 2; still++)
        bench_rightsize(&s, still == 1);
    bl_arena_free(&s.arena);
    bench_world_free(w);
}

int main(int argc, char **argv)
{
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t claims_max = smoke ? 512 : 1u << 21;
    const uint32_t hosts_max = smoke ? 20 : 10000;

    puts("what,variant,n,ns,hash");
    for (int want = BL_ENTITLED_ALL; want <= BL_ENTITLED_RESERVED; want++)
        for (uint32_t n = 8; n <= claims_max; n *= 8)
            bench_entitle((enum bl_entitled)want, n,
                          smoke ? 10 : 1 + (1u << 21) / n);
    for (uint32_t n = 10; n <= 10 * hosts_max; n *= 10)
        bench_first_fit(n);
    for (uint32_t n = smoke ? 20 : 10; n <= hosts_max; n *= 10)
        bench_cluster(n, smoke);
    for (uint32_t n = smoke ? 20 : 1000; n <= 10 * hosts_max; n *= 10)
        bench_ours(n);
    return EXIT_SUCCESS;
}
