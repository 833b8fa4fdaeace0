/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostsim_storm - random hosts: topology, costs, every policy and mode,
 * every kind of guest, with settings, pinning, warm-up and late starts;
 * P-states of every governor and at random, idle states and power caps. Every
 * invariant of dispatcher and host after every event; time and work add up at
 * the end; twice the same.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "tests/support_files.h"
#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

enum { STORMS = 7 }; /* of each policy and mode */

static int64_t below(struct bl_prng *p, int64_t n)
{
    return (int64_t)bl_prng_below(p, (uint64_t)n);
}

/* From 1 us to @max_ns, small ones as often as large ones. */
static int64_t some_time(struct bl_prng *p, int64_t max_ns)
{
    int64_t ns = max_ns;

    for (int64_t n = below(p, 8); n > 0 && ns > 4 * TEST_US; n--)
        ns /= 4;
    return TEST_US + below(p, ns);
}

static struct bl_dist some_dist(struct bl_prng *p, int64_t max_ns)
{
    struct bl_dist d = { .kind = (enum bl_dist_kind)below(p, 3) };

    d.mean_ns = some_time(p, max_ns);
    d.spread_ppm = (uint32_t)below(p, 1000001);
    return d;
}

static void some_costs(struct bl_prng *p, struct test_host *t)
{
    struct bl_host_costs *c = &t->spec.costs;

    if (below(p, 4) == 0)
        return;
    c->dispatch_ns = below(p, 10000);
    c->switch_ns = below(p, 5000);
    for (int i = 0; i < BL_REACH_COUNT; i++)
        c->cache_ns[i] = below(p, 100000);
    c->exit_ns = below(p, 5000);
    c->ipi_ns = below(p, 5000);
    c->pause_ns = below(p, 2) * (1000 + below(p, 50000));
    c->emulator_ppm = (uint32_t)(below(p, 2) * below(p, 300000));
}

static void some_settings(struct bl_prng *p, struct bl_host_vm_group *g)
{
    g->cpu.shares.value = 1 + (uint64_t)below(p, 4000);
    if (below(p, 4) == 0)
        g->cpu.reservation = (uint64_t)below(p, 400000);
    if (below(p, 4) == 0)
        g->cpu.limit = g->cpu.reservation + 50000 + (uint64_t)below(p, 2000000);
}

/* Tasks that meet forty times at a barrier, or that wake one another; with a
 * vCPU to spare now and then. */
static void rtapp(struct bl_prng *p, struct bl_host_vm_group *g)
{
    static const char meet[] =
        "{ \"tasks\" : {"
        "    \"a\" : { \"loop\" : 40, \"run1\" : 100, \"lock\" : \"m\", "
        "\"run2\" : 30,"
        "              \"unlock\" : \"m\", \"barrier\" : \"x\" },"
        "    \"b\" : { \"loop\" : 40, \"run1\" : 300, \"lock\" : \"m\", "
        "\"run2\" : 30,"
        "              \"unlock\" : \"m\", \"barrier\" : \"x\" },"
        "    \"c\" : { \"loop\" : 40, \"run1\" : 100, \"barrier\" : \"x\" }"
        "} }";
    static const char wake[] =
        "{ \"tasks\" : {"
        "    \"ping\" : { \"phases\" : {"
        "       \"work\" : { \"loop\" : 5, \"run\" : 10, \"sleep\" : 2 },"
        "       \"tell\" : { \"resume\" : \"pong\", \"suspend\" : \"ping\" } } "
        "},"
        "    \"pong\" : { \"suspend\" : \"pong\", \"lock\" : \"m\","
        "       \"run\" : 20, \"unlock\" : \"m\", \"resume\" : \"ping\" },"
        "    \"timed\" : { \"run\" : 100, \"resume\" : \"pong\","
        "       \"timer\" : { \"ref\" : \"unique\", \"period\" : 300 } } } }";
    const bool first = below(p, 2) == 0;

    g->vcpu_count = 3 + (uint32_t)below(p, 2);
    (void)snprintf(
        g->path, sizeof(g->path), "%s",
        test_text(first ? "meet.json" : "wake.json", first ? meet : wake));
}

static void some_group(struct bl_prng *p, struct test_host *t, uint32_t i)
{
    static const int64_t spin[] = { 0, 50 * TEST_US, BL_SPIN_FOREVER };
    const enum bl_guest_kind kind =
        (enum bl_guest_kind)below(p, BL_GUEST_SWITCHES);
    const uint32_t pcpus = t->spec.topo.pcpu_count;
    const uint32_t vms = 1 + (uint32_t)below(p, 4);
    const uint32_t vcpus = 1 + (uint32_t)below(p, pcpus < 6 ? pcpus : 6);
    struct bl_host_vm_group *g;
    char name[16];

    (void)snprintf(name, sizeof(name), "g%u", i);
    g = test_host_group(t, name, vms, vcpus, kind);
    g->guest.work = some_dist(p, 5 * TEST_MS);
    g->guest.rest = some_dist(p, 20 * TEST_MS);
    g->guest.spin_ns = spin[below(p, 3)];
    g->guest.queue_max = 1 + (uint32_t)below(p, 20);
    g->start_ns = below(p, 2) * below(p, 20 * TEST_MS);
    g->stagger_ns = below(p, 2) * below(p, 5 * TEST_MS);
    some_settings(p, g);
    if (kind == BL_GUEST_RTAPP)
        rtapp(p, g);
    if (below(p, 4) == 0 && g->vcpu_count <= pcpus)
        for (uint32_t k = 0; k < g->vcpu_count; k++)
            test_host_pin(g, pcpus - 1 - k);
}

/* Any P-state at any time. */
static uint32_t any_pstate(void *ctx, uint32_t domain,
                           const struct bl_domain_view *v)
{
    (void)domain;
    BL_ASSERT(v->usage_khz <= v->demand_khz);
    return v->fastest + (uint32_t)below(ctx, v->slowest - v->fastest + 1);
}

/* Some P-states, domains, idle states and now and then a cap. */
static void some_power(struct bl_prng *p, struct test_host *t)
{
    struct bl_freq *f = &t->spec.freq;
    const struct bl_governor *g;
    uint32_t governors = 0;

    test_host_freq(t);
    f->domain_count = 1 + (uint32_t)below(p, t->spec.topo.core_count);
    f->switch_ns = below(p, 2) * some_time(p, TEST_MS);
    f->idle_count = (uint32_t)below(p, 3);
    for (uint32_t i = 0; i < f->idle_count; i++) {
        f->idle[i].after_ns = i * (1 + some_time(p, TEST_MS));
        f->idle[i].exit_ns = below(p, 100 * TEST_US);
        f->idle[i].extra_mw =
            i + 1 < f->idle_count ? (uint32_t)below(p, 5000) : 0;
    }
    if (f->idle_count == 2 && f->idle[0].extra_mw == 0)
        f->idle[0].extra_mw = 1;
    while (bl_governor_at(governors) != NULL)
        governors++;
    g = bl_governor_at((uint32_t)below(p, governors));
    (void)snprintf(t->spec.governor, BL_NAME_BYTES, "%s", g->name);
    t->spec.governor_ns = some_time(p, 5 * TEST_MS);
    if (below(p, 3) == 0)
        t->spec.cap_mw = 105000 + (uint64_t)below(p, 60000);
}

static struct test_host *some_host(uint64_t seed, const char *policy,
                                   const char *mode)
{
    struct bl_prng p = { seed };
    const uint32_t cores = 2 + (uint32_t)below(&p, 4);
    const uint32_t threads = 1 + (uint32_t)below(&p, 2);
    const int64_t groups = 1 + below(&p, 6);
    struct test_host *t = test_host_new(cores, threads);

    if (below(&p, 2))
        bl_topo_grid(2, 1, cores / 2, threads, &t->spec.topo);
    t->spec.costs.smt_ppm =
        1000000 + (uint32_t)below(&p, 1 + 1000000 * (threads - 1));
    some_costs(&p, t);
    if (below(&p, 3) > 0)
        some_power(&p, t);
    for (uint32_t i = 0; i < (uint32_t)groups; i++)
        some_group(&p, t, i);
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "%s", policy);
    (void)snprintf(t->spec.mode, BL_NAME_BYTES, "%s", mode);
    t->spec.warmup_ns = below(&p, 2) * below(&p, 20 * TEST_MS);
    t->spec.duration_ns = t->spec.warmup_ns + 60 * TEST_MS;
    t->opts.seed = seed;
    return t;
}

/* 0 when the host could not keep its reservations. */
static uint64_t storm(uint64_t seed, const char *policy, const char *mode)
{
    struct test_host *t = some_host(seed, policy, mode);
    struct bl_prng p = { seed + 1 };
    uint64_t hash = 0;
    bl_err e;

    if (below(&p, 2)) {
        t->opts.pick = any_pstate;
        t->opts.pick_ctx = &p;
    }
    e = test_host_try(t);
    if (e == BL_ERR_INVAL) {
        assert_true(strstr(t->diag.text, "is not admitted") != NULL ||
                    strstr(t->diag.text, "a power cap of") != NULL);
        test_host_free(t);
        return 0;
    }
    if (e != BL_ERR_OK)
        fail_msg("%s", t->diag.text);
    assert_ok(bl_host_result_create(
        &t->arena, t->spec.topo.pcpu_count, t->spec.group_count,
        bl_host_sim_vms(t->sim), bl_host_sim_vcpus(t->sim), &t->r));
    bl_arena_seal(&t->arena);
    hash = test_host_finish(t)->state_hash;
    test_host_free(t);
    return hash;
}

static void test_storms(void **state)
{
    const uint64_t seed = test_seed();
    const struct bl_sched_info *policy, *mode;
    uint32_t refused = 0, ran = 0;

    (void)state;
    for (uint32_t i = 0; (policy = bl_sched_policy(i)) != NULL; i++)
        for (uint32_t k = 0; (mode = bl_sched_mode(k)) != NULL; k++)
            for (uint64_t n = 0; n < STORMS; n++) {
                const uint64_t hash = storm(seed + n, policy->name, mode->name);

                if (hash != storm(seed + n, policy->name, mode->name))
                    fail_msg("%s/%s, seed %llu: two runs differ", policy->name,
                             mode->name, (unsigned long long)(seed + n));
                ran += hash != 0;
                refused += hash == 0;
            }
    print_message("    %u storms, %u more not admitted\n", ran, refused);
    assert_true(ran > refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storms),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
