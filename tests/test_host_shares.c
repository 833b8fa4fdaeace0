/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_shares - who gets how much at the host level: what the dispatcher
 * gives in 10 s is what entitlement says, for VMs alone and in pools; and what
 * the ideal says of VMs that do not compute all the time, or not all the run.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "hv/entitle.h"
#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

static struct bl_host_vm_group *add_cpu(struct test_host *t, const char *name,
                                        uint32_t vms)
{
    return test_host_group(t, name, vms, 1, BL_GUEST_CPU);
}

/* ---- both levels -------------------------------------------------------- */

/* Loads that do not depend on what they get, by shares, reservation and limit:
 * what the dispatcher gives in 10 s is what bl_entitle() says. */
static void test_levels_agree(void **state)
{
    struct test_host *t = test_host_new(4, 1);
    struct bl_host_vm_group *g;
    struct bl_host_result *r;

    (void)state;
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    t->opts.paranoid = false;
    (void)add_cpu(t, "normal", 6);
    add_cpu(t, "high", 2)->cpu.shares.value = BL_CPU_SHARES_HIGH;
    add_cpu(t, "reserved", 1)->cpu.reservation = 700000;
    add_cpu(t, "limited", 1)->cpu.limit = 200000;
    g = test_host_group(t, "periodic", 2, 1, BL_GUEST_PERIODIC);
    g->guest.work = test_fixed(TEST_MS);
    g->guest.rest = test_fixed(20 * TEST_MS);
    g->cpu.shares.value = BL_CPU_SHARES_HIGH;
    t->spec.duration_ns = 10000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);

    struct bl_claim claim[12];
    uint64_t out[12];
    uint32_t scratch[12];

    for (uint32_t i = 0; i < 12; i++) {
        const bool periodic = r->vm[i].group == 4;

        claim[i] = (struct bl_claim){
            .shares = r->vm[i].shares,
            .reservation = r->vm[i].reservation_ppm,
            .limit = r->vm[i].limit_ppm,
            .demand = periodic ? 50000 : 1000000,
        };
    }
    (void)bl_entitle(4000000, claim, 12, out, scratch);
    for (uint32_t i = 0; i < 12; i++) {
        const double want = (double)out[i] * 10000;
        const double got = (double)r->vm[i].received_ns;

        if (got < 0.99 * want || got > 1.01 * want)
            fail_msg("%s received %.4f of %.4f pCPUs", r->vm[i].name,
                     got / 1e10, want / 1e10);
    }
    test_host_free(t);
}

/* ---- the ideal ---------------------------------------------------------- */

static struct test_host *fair(uint32_t cores, uint32_t threads)
{
    struct test_host *t = test_host_new(cores, threads);

    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    t->opts.paranoid = false;
    return t;
}

static void expect_pcpus(const struct bl_host_result *r, uint32_t first,
                         uint32_t count, double want)
{
    double got = 0, entitled = 0;

    for (uint32_t i = first; i < first + count; i++) {
        got += (double)r->vm[i].received_ns / (double)r->duration_ns;
        entitled += (double)r->vm[i].entitled_ns / (double)r->duration_ns;
    }
    if (got < 0.99 * want || got > 1.01 * want)
        fail_msg("VMs from %s on received %.4f pCPUs, wanted %.4f",
                 r->vm[first].name, got, want);
    if (entitled < 0.99 * want || entitled > 1.01 * want)
        fail_msg("VMs from %s on are entitled to %.4f pCPUs, wanted %.4f",
                 r->vm[first].name, entitled, want);
}

/* One vCPU each: @work_ms, then @rest_ms idle, or (periodic) in every so many.
 */
static struct bl_host_vm_group *add_part(struct test_host *t, const char *name,
                                         uint32_t vms, enum bl_guest_kind kind,
                                         int64_t work_ms, int64_t rest_ms)
{
    struct bl_host_vm_group *g = test_host_group(t, name, vms, 1, kind);

    g->guest.work = test_fixed(work_ms * TEST_MS);
    g->guest.rest = test_fixed(rest_ms * TEST_MS);
    return g;
}

/* Entitled and received differ by at most @ppm, windows by @ns. */
static void expect_ideal(const struct bl_host_result *r, uint32_t vm,
                         int64_t ppm, int64_t ns)
{
    const struct bl_host_vm_row *row = &r->vm[vm];
    const int64_t off = row->received_ns - row->entitled_ns;

    if ((off < 0 ? -off : off) > row->received_ns / 1000000 * ppm)
        fail_msg("%s is entitled to %.3f ms and received %.3f", row->name,
                 (double)row->entitled_ns / 1e6,
                 (double)row->received_ns / 1e6);
    for (int w = 0; w < BL_WINDOWS; w++)
        if (row->error[w].max_ns > ns || row->error[w].min_ns < -ns)
            fail_msg("%s is off by %.3f to %.3f ms", row->name,
                     (double)row->error[w].min_ns / 1e6,
                     (double)row->error[w].max_ns / 1e6);
}

/* A thread for everyone: nobody waits, so each is owed what it is charged, 4 ms
 * in every 10 ms, and not the 6.4 ms for which it has its thread. */
static void test_ideal_of_threads(void **state)
{
    struct test_host *t = fair(4, 2);
    const struct bl_host_result *r;
    int64_t beside_ns = 0;

    (void)state;
    t->spec.costs.smt_ppm = 1250000;
    (void)add_part(t, "timer", 6, BL_GUEST_PERIODIC, 4, 10);
    (void)add_part(t, "think", 2, BL_GUEST_INTERACTIVE, 4, 6);
    t->spec.duration_ns = 2000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    for (uint32_t i = 0; i < 8; i++) {
        beside_ns += r->vm[i].state_ns[BL_VCPU_RUN] - r->vm[i].received_ns;
        assert_int_equal(r->vm[i].state_ns[BL_VCPU_READY], 0);
        expect_ideal(r, i, 1, 100);
    }
    assert_true(beside_ns > 1000 * TEST_MS); /* threads were slower */
    expect_pcpus(r, 0, 6, 2.4);
    test_host_free(t);
}

/* Two VMs whose work of 4 ms (40 ms) comes every 10 ms (100 ms), at the same
 * time: one waits for the other, and both do all of it in time. */
static void test_ideal_of_work_that_comes(void **state)
{
    (void)state;
    for (int64_t scale = 1; scale <= 10; scale += 9) {
        struct test_host *t = fair(1, 1);
        const struct bl_host_result *r;

        (void)add_part(t, "timer", 2, BL_GUEST_PERIODIC, 4 * scale, 10 * scale);
        t->spec.duration_ns = 2000 * TEST_MS;
        test_host_open(t);
        r = test_host_finish(t);
        expect_ideal(r, 0, 1, 3 * TEST_MS);
        expect_ideal(r, 1, 1, 3 * TEST_MS);
        assert_int_equal(r->vm[0].late_count + r->vm[1].late_count, 0);
        assert_true(r->vm[0].units >= 19 && r->vm[1].units >= 19);
        test_host_free(t);
    }
}

/* Alone for 1.5 s, then against four VMs of two vCPUs: no
 * window counts what was before them. */
static void test_ideal_of_late_starters(void **state)
{
    struct test_host *t = fair(4, 1);
    const struct bl_host_result *r;
    struct bl_host_vm_group *g;

    (void)state;
    (void)add_cpu(t, "early", 1);
    g = test_host_group(t, "late", 4, 2, BL_GUEST_CPU);
    g->start_ns = 1500 * TEST_MS;
    t->spec.duration_ns = 2000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    expect_ideal(r, 0, 5000, 6 * TEST_MS);
    assert_int_equal(r->vm[0].alive_ns, 2000 * TEST_MS);
    for (uint32_t i = 1; i < 5; i++) {
        const int64_t *ns = r->vm[i].state_ns;

        expect_ideal(r, i, 15000, 6 * TEST_MS);
        /* Before it starts it is not blocked: it is not there. */
        assert_int_equal(r->vm[i].alive_ns, 500 * TEST_MS);
        assert_int_equal(ns[BL_VCPU_BLOCKED], 0);
        assert_int_equal(ns[BL_VCPU_RUN] + ns[BL_VCPU_READY], 1000 * TEST_MS);
    }
    test_host_free(t);
}

/* Bursts of 1 s against a VM that computes all the time. */
static void test_ideal_of_long_bursts(void **state)
{
    struct test_host *t = fair(1, 1);
    const struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "steady", 1);
    (void)add_part(t, "burst", 1, BL_GUEST_INTERACTIVE, 1000, 700);
    t->spec.duration_ns = 10000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    expect_ideal(r, 0, 5000, 9 * TEST_MS);
    expect_ideal(r, 1, 5000, 9 * TEST_MS);
    test_host_free(t);
}

/* A guest that thinks for 20 ms and works for 1 ms waits for 20 ms behind three
 * others. All the time it waits it does not want a pCPU, but what it wants of
 * one when nobody keeps it: 1 ms in 21, 48 of 1000. */
static void test_ideal_of_long_waits(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    const struct bl_host_result *r;

    (void)state;
    t->opts.paranoid = false;
    (void)add_cpu(t, "hog", 3);
    (void)add_part(t, "short", 1, BL_GUEST_INTERACTIVE, 1, 20);
    t->spec.duration_ns = 10000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_true(r->vm[3].received_ns < 300 * TEST_MS);
    assert_in_range(r->vm[3].entitled_ns, 400 * TEST_MS, 700 * TEST_MS);
    test_host_free(t);
}

/* The report warns of VMs that may not run everywhere. */
static void test_pinned_are_counted(void **state)
{
    struct test_host *t = fair(2, 1);
    struct bl_host_vm_group *g;

    (void)state;
    test_host_pin(add_cpu(t, "pinned", 3), 1);
    g = add_cpu(t, "everywhere", 1);
    test_host_pin(g, 0);
    test_host_pin(g, 1);
    (void)add_cpu(t, "free", 1);
    test_host_open(t);
    assert_int_equal(test_host_finish(t)->pinned_count, 3);
    test_host_free(t);
}

/* ---- pools -------------------------------------------------------------- */

static struct bl_pool_desc *add_pool(struct bl_dc *dc, uint32_t parent,
                                     uint64_t shares)
{
    struct bl_pool_desc *p = &dc->pools.pool[dc->pools.count++];

    (void)snprintf(p->name, sizeof(p->name), "pool%u", dc->pools.count);
    p->parent = parent;
    p->cpu.set = (struct bl_settings){ .shares = { false, shares },
                                       .limit = BL_NO_LIMIT };
    p->mem.set = p->cpu.set;
    return p;
}

/* Four pCPUs. Pool 1 (3000 shares) has six VMs, pool 2 (1000 shares) two, and
 * pool 3, with the same shares, is limited to half a pCPU: 3.5 are left, 3:1.
 */
static struct test_host *pooled(struct bl_dc *dc)
{
    struct test_host *t = test_host_new(4, 1);

    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    (void)add_pool(dc, 0, 3000);
    (void)add_pool(dc, 0, 1000);
    add_pool(dc, 0, 3000)->cpu.set.limit = 500000;
    add_cpu(t, "one", 6)->pool = 0;
    add_cpu(t, "two", 2)->pool = 1;
    add_cpu(t, "three", 2)->pool = 2;
    t->opts.pools = dc;
    t->spec.control_ns = 100 * TEST_MS;
    t->spec.duration_ns = 10000 * TEST_MS;
    return t;
}

static void test_pools(void **state)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    struct test_host *t;
    const struct bl_host_result *r;

    (void)state;
    assert_non_null(dc);
    t = pooled(dc);
    t->opts.paranoid = false;
    test_host_open(t);
    r = test_host_finish(t);
    expect_pcpus(r, 0, 6, 2.625);
    expect_pcpus(r, 6, 2, 0.875);
    expect_pcpus(r, 8, 2, 0.5);
    assert_int_equal(r->vm[0].shares, 1000); /* as described */
    test_host_free(t);
    free(dc);
}

/* One of the two VMs of pool 2 is idle: the other one gets its part. */
static void test_pool_mates_come_first(void **state)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    struct test_host *t;
    const struct bl_host_result *r;

    (void)state;
    assert_non_null(dc);
    t = pooled(dc);
    t->opts.paranoid = false;
    t->spec.warmup_ns = 200 * TEST_MS;
    t->spec.group[1].guest.kind = BL_GUEST_IDLE;
    t->spec.group[1].guest.rest = test_fixed(1000 * TEST_MS);
    t->spec.group[1].guest.work = test_fixed(TEST_US);
    (void)add_cpu(t, "busy", 1);
    t->spec.group[3].pool = 1;
    test_host_open(t);
    r = test_host_finish(t);
    expect_pcpus(r, 0, 6, 2.625);
    expect_pcpus(r, 10, 1, 0.875);
    test_host_free(t);
    free(dc);
}

/* ---- limits of pools ---------------------------------------------------- */

static double received(const struct bl_host_result *r, uint32_t first,
                       uint32_t count)
{
    double got = 0;

    for (uint32_t i = first; i < first + count; i++)
        got += (double)r->vm[i].received_ns / (double)r->duration_ns;
    return got;
}

/* @vms periodic VMs in pool 0, which is limited to @ppm of a pCPU. */
static struct test_host *bursty(struct bl_dc *dc, uint64_t ppm, int64_t work_ns,
                                uint32_t vms)
{
    struct test_host *t = test_host_new(4, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "burst", vms, 1, BL_GUEST_PERIODIC);

    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    add_pool(dc, 0, 4000)->cpu.set.limit = ppm;
    g->pool = 0;
    g->guest.work = test_fixed(work_ns);
    g->guest.rest = test_fixed(200 * TEST_MS);
    t->opts.pools = dc;
    t->opts.paranoid = false;
    t->spec.control_ns = 100 * TEST_MS;
    t->spec.duration_ns = 20000 * TEST_MS;
    return t;
}

/* VMs that all want much, for a moment, and nothing in the interval before. */
static void test_a_limit_holds_for_bursts(void **state)
{
    static const struct {
        uint64_t ppm;
        int64_t work_ns;
    } cases[] = {
        { 250000, 80 * TEST_MS },
        { 500000, 90 * TEST_MS },
        { 500000, 45 * TEST_MS },
        { 100000, 20 * TEST_MS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bl_dc *dc = calloc(1, sizeof(*dc));
        struct test_host *t;
        double got;

        assert_non_null(dc);
        t = bursty(dc, cases[i].ppm, cases[i].work_ns, 4);
        test_host_open(t);
        got = received(test_host_finish(t), 0, 4) * 1e6;
        if (got > 1.01 * (double)cases[i].ppm ||
            got < 0.97 * (double)cases[i].ppm)
            fail_msg("case %zu: %.0f of %llu ppm", i, got,
                     (unsigned long long)cases[i].ppm);
        test_host_free(t);
        free(dc);
    }
}

/* The bound of the card, to the letter, for random loads in a pool inside the
 * limited one: from the start nothing is saved, so limit * T and budgets. */
static void test_a_limit_holds_below_it(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 20; round++) {
        struct bl_dc *dc = calloc(1, sizeof(*dc));
        const uint32_t vms = 1 + (uint32_t)bl_prng_below(&prng, 8);
        const uint64_t ppm = 20000 + bl_prng_below(&prng, 1500000);
        struct test_host *t;
        double got, most;

        assert_non_null(dc);
        t = bursty(dc, ppm,
                   (int64_t)bl_prng_below(&prng, 120 * TEST_MS) + TEST_MS, vms);
        add_pool(dc, 1, 1000);
        t->spec.group[0].pool = 1;
        t->spec.group[0].guest.rest =
            test_fixed((int64_t)bl_prng_below(&prng, 900 * TEST_MS) + TEST_MS);
        t->spec.group[0].stagger_ns =
            (int64_t)bl_prng_below(&prng, 300 * TEST_MS);
        add_cpu(t, "busy", 2)->pool =
            bl_prng_below(&prng, 2) > 0 ? BL_NO_POOL_INDEX : 0;
        t->spec.duration_ns =
            (int64_t)bl_prng_below(&prng, 5000 * TEST_MS) + 500 * TEST_MS;
        test_host_open(t);

        const struct bl_host_result *r = test_host_finish(t);
        const uint32_t in = t->spec.group[1].pool == 0 ? vms + 2 : vms;
        const double ns = (double)r->duration_ns;

        got = received(r, 0, in) * ns;
        most = (double)ppm / 1e6 * (ns + 110e6) + in * 5e6 + in * ns / 1e6;
        if (got > most)
            fail_msg("round %d: %.0f of %.0f ns", round, got, most);
        test_host_free(t);
        free(dc);
    }
}

/* One of four wants something: it gets what the limit gives them all. */
static void test_one_vm_has_the_whole_limit(void **state)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    struct test_host *t;

    (void)state;
    assert_non_null(dc);
    t = bursty(dc, 250000, TEST_US, 3);
    t->spec.group[0].guest.kind = BL_GUEST_IDLE;
    t->spec.group[0].guest.rest = test_fixed(1000 * TEST_MS);
    add_cpu(t, "one", 1)->pool = 0;
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 10100 * TEST_MS;
    test_host_open(t);
    expect_pcpus(test_host_finish(t), 3, 1, 0.25);
    test_host_free(t);
    free(dc);
}

/* A pool limited to 3.5 cores of four with two threads. Its VMs are charged 3.2
 * for what they do, on threads for about 5: the limit does not cut. */
static void test_pool_of_threads(void **state)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    struct test_host *t = fair(4, 2);
    const struct bl_host_result *r;

    (void)state;
    assert_non_null(dc);
    t->spec.costs.smt_ppm = 1250000;
    add_pool(dc, 0, 1000)->cpu.set.limit = 3500000;
    add_part(t, "large", 4, BL_GUEST_PERIODIC, 5, 10)->pool = 0;
    add_part(t, "small", 4, BL_GUEST_PERIODIC, 3, 10)->pool = 0;
    t->opts.pools = dc;
    t->spec.control_ns = 100 * TEST_MS;
    t->spec.warmup_ns = 2000 * TEST_MS;
    t->spec.duration_ns = 4000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(r->vm[i].state_ns[BL_VCPU_LIMITED], 0);
    expect_pcpus(r, 0, 4, 2);
    expect_pcpus(r, 4, 4, 1.2);
    test_host_free(t);
    free(dc);
}

static int64_t unit_p99_ns(const struct bl_host_result *r, uint32_t vms)
{
    struct bl_latency all = { 0 };

    for (uint32_t i = 0; i < vms; i++)
        bl_latency_merge(&all, &r->vm[i].done);
    return bl_latency_quantile(&all, 990000);
}

/* Four interactive VMs in a pool beside four that are always busy: a limit that
 * is far away, or none at all, and one beyond what can be multiplied out. */
static void test_a_limit_far_away_changes_nothing(void **state)
{
    static const uint64_t limit[] = { BL_NO_LIMIT, 1000000,
                                      UINT64_C(72057594037927936) };
    int64_t p99_ns[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bl_dc *dc = calloc(1, sizeof(*dc));
        struct test_host *t;
        struct bl_guest *g;

        assert_non_null(dc);
        t = bursty(dc, limit[i], TEST_MS, 4);
        g = &t->spec.group[0].guest;
        g->kind = BL_GUEST_INTERACTIVE;
        g->rest.mean_ns = 9 * TEST_MS;
        g->work.kind = g->rest.kind = BL_DIST_EXPONENTIAL;
        g->work.spread_ppm = g->rest.spread_ppm = 1000000;
        (void)add_cpu(t, "busy", 4);
        test_host_open(t);
        p99_ns[i] = unit_p99_ns(test_host_finish(t), 4);
        test_host_free(t);
        free(dc);
    }
    assert_in_range(p99_ns[1], p99_ns[0] * 8 / 10, p99_ns[0] * 12 / 10);
    assert_int_equal(p99_ns[2], p99_ns[0]);
}

static void test_pool_refuses(void **state)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    struct test_host *t;

    (void)state;
    assert_non_null(dc);
    t = pooled(dc);
    dc->pools.pool[1].cpu.set.reservation = 500000;
    t->spec.group[1].cpu.reservation = 300000;
    t->spec.group[1].line = 12;
    assert_int_equal(test_host_try(t), BL_ERR_INVAL);
    assert_non_null(strstr(t->diag.text,
                           "host.yaml:12: VM two-1 is not admitted: resource "
                           "pool 'pool2' has"));
    dc->pools.pool[1].cpu.set.reservation = 5000000;
    dc->pools.pool[1].line = 8;
    assert_int_equal(test_host_try(t), BL_ERR_INVAL);
    assert_string_equal(t->diag.text,
                        "host.yaml:8: pool pool2 is not admitted: the host has "
                        "3.92GHz left to reserve (4GHz less 2 % overhead), "
                        "5GHz needed: 1.08GHz short");
    test_host_free(t);
    free(dc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_agree),
        cmocka_unit_test(test_ideal_of_threads),
        cmocka_unit_test(test_ideal_of_work_that_comes),
        cmocka_unit_test(test_ideal_of_late_starters),
        cmocka_unit_test(test_ideal_of_long_bursts),
        cmocka_unit_test(test_ideal_of_long_waits),
        cmocka_unit_test(test_pinned_are_counted),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_pool_mates_come_first),
        cmocka_unit_test(test_a_limit_holds_for_bursts),
        cmocka_unit_test(test_a_limit_holds_below_it),
        cmocka_unit_test(test_one_vm_has_the_whole_limit),
        cmocka_unit_test(test_a_limit_far_away_changes_nothing),
        cmocka_unit_test(test_pool_of_threads),
        cmocka_unit_test(test_pool_refuses),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
