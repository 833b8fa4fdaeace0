/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_cap - a power cap on one host: never exceeded over any second, not
 * wasted either, reservations first, and given back when demand falls.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "tests/support_files.h"
#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

static struct test_host *capped(uint32_t cores, uint64_t cap_w)
{
    struct test_host *t = test_host_new(cores, 1);

    test_host_freq(t);
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    t->spec.cap_mw = cap_w * 1000;
    t->spec.duration_ns = 2000 * TEST_MS;
    return t;
}

static struct bl_host_vm_group *cpu(struct test_host *t, const char *name,
                                    uint32_t vms)
{
    return test_host_group(t, name, vms, 1, BL_GUEST_CPU);
}

static uint64_t mean_mw(const struct bl_host_result *r)
{
    return r->power->energy_uj / (uint64_t)(r->duration_ns / TEST_MS);
}

/* ---- readable examples -------------------------------------------------- */

/* 150 W: full load of the second P-state, 140 W, is the most that fits. */
static void test_frequency_first(void **state)
{
    struct test_host *t = capped(2, 150);
    struct bl_host_result *r;

    (void)state;
    (void)cpu(t, "a", 2);
    test_host_open(t);
    assert_int_equal(bl_host_sim_pstate(t->sim, 0), 1);
    r = test_host_finish(t);
    assert_int_equal(r->power->second_most_mw, 140000);
    assert_int_equal(r->power->cap_fastest, 1);
    assert_int_equal(r->power->cap_bandwidth_ppm, 1000000);
    assert_int_equal(r->vm[0].work_ns, 1000 * TEST_MS);
    assert_int_equal(r->vm[0].state_ns[BL_VCPU_LIMITED], 0);
    test_host_free(t);
}

/* 110 W: the slowest draws 116 W at full load, so for 10 / 16 of the time. */
static void test_bandwidth_second(void **state)
{
    struct test_host *t = capped(4, 110);
    struct bl_host_result *r;

    (void)state;
    (void)cpu(t, "a", 6);
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->power->cap_bandwidth_ppm, 625000);
    assert_in_range(r->power->second_most_mw, 109500, 110600);
    assert_in_range(mean_mw(r), 109500, 110200);
    for (uint32_t i = 0; i < 6; i++) /* 4 x 0.25 x 0.625 / 6 of a pCPU */
        assert_in_range(r->vm[i].received_ns, 199 * TEST_MS, 214 * TEST_MS);
    test_host_free(t);
}

static void test_reservations_win(void **state)
{
    struct test_host *t = capped(4, 110);
    struct bl_host_vm_group *g;
    struct bl_host_result *r;

    (void)state;
    g = cpu(t, "r", 2);
    g->cpu.reservation = 200000;
    g->cpu.shares.value = 1;
    (void)cpu(t, "a", 6);
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 2100 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(r->vm[i].promised_ns, 400 * TEST_MS);
        assert_true(r->vm[i].received_ns >= 392 * TEST_MS);
    }
    for (uint32_t i = 2; i < 8; i++)
        assert_in_range(r->vm[i].received_ns, 60 * TEST_MS, 80 * TEST_MS);
    assert_true(r->power->second_most_mw <= 111000);
    test_host_free(t);
}

/* 4 ms of work every 100 ms, beside four that take all there is: 20 ms of what
 * is reserved, at once, though it demanded nothing in the 10 ms before. */
static void test_reserved_and_idle(void **state)
{
    struct test_host *t = capped(4, 110);
    struct bl_host_vm_group *g =
        test_host_group(t, "r", 1, 1, BL_GUEST_PERIODIC);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = test_fixed(4 * TEST_MS);
    g->guest.rest = test_fixed(100 * TEST_MS);
    g->cpu.reservation = 200000;
    g->cpu.shares.value = 1;
    (void)cpu(t, "a", 8);
    test_host_open(t);
    r = test_host_finish(t);
    assert_true(r->vm[0].done.count >= 19);
    /* 16 ms of a core at 0.25 GHz, and a slice of another */
    assert_true(r->vm[0].done.max_ns <= 19 * TEST_MS);
    assert_int_equal(r->vm[0].broken_ns, 0);
    test_host_free(t);
}

/* One of two stops for good after 30 ms of work; from 10 ms later on the other
 * one has it all. */
static void test_given_back(void **state)
{
    struct test_host *t = capped(1, 110);
    struct bl_host_vm_group *g =
        test_host_group(t, "stops", 1, 1, BL_GUEST_INTERACTIVE);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = test_fixed(30 * TEST_MS);
    g->guest.rest = test_fixed(10000 * TEST_MS);
    g->start_ns = 0;
    (void)cpu(t, "stays", 1);
    t->spec.duration_ns = 500 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    /* thinks first: the other one has had all from the second interval on */
    assert_in_range(r->vm[1].received_ns, 76 * TEST_MS, 80 * TEST_MS);
    assert_int_equal(r->vm[0].work_ns, 0);
    test_host_free(t);

    t = capped(1, 110);
    g = test_host_group(t, "stops", 1, 1, BL_GUEST_PERIODIC);
    g->guest.work = test_fixed(10 * TEST_MS);
    g->guest.rest = test_fixed(1000 * TEST_MS);
    (void)cpu(t, "stays", 1);
    /* released at 1 s, done by 1.15 s with half of 0.156 */
    t->spec.warmup_ns = 1150 * TEST_MS;
    t->spec.duration_ns = 1650 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].received_ns, 0);
    assert_in_range(r->vm[1].received_ns, 77 * TEST_MS, 80 * TEST_MS);
    test_host_free(t);
}

/* A job ends after 5 ms, and the VM that is left has all from 10 ms later on:
 * nobody divides among the dead. */
static void test_given_back_by_a_job(void **state)
{
    static const char text[] = "1 100 0 5 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n";
    struct test_host *t = capped(1, 110);
    struct bl_host_result *r;

    (void)state;
    (void)snprintf(t->spec.jobs.path, sizeof(t->spec.jobs.path), "%s",
                   test_text("one.swf", text));
    t->spec.jobs.count_max = 1;
    t->spec.jobs.width_max = 1;
    t->spec.jobs.time_ppm = 1000; /* a second becomes a ms */
    t->spec.jobs.cpu =
        (struct bl_settings){ .shares = { true, 2000 }, .limit = BL_NO_LIMIT };
    t->spec.jobs.guest.kind = BL_GUEST_BARRIER;
    t->spec.jobs.guest.work = test_fixed(TEST_MS);
    (void)cpu(t, "stays", 1);
    /* the job takes 48 ms of 2 / 3 of 0.156 */
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 200 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[1].alive_ns, 0);
    assert_in_range(r->vm[0].received_ns, 15 * TEST_MS, 16 * TEST_MS);
    assert_in_range(r->power->energy_uj, 10900000, 11050000);
    test_host_free(t);
}

/* Many VMs with a small reservation each wake up at once, having saved what
 * limits let them, beside VMs that take all there is. */
static void all_at_once(uint32_t vms, uint32_t vcpus)
{
    struct test_host *t = capped(8, 80);
    struct bl_host_vm_group *g;
    struct bl_host_result *r;

    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
            t->spec.freq.pstate[i].mw[k] = 50000 + k * (30000u >> i);
    g = test_host_group(t, "r", vms, vcpus, BL_GUEST_PERIODIC);
    g->guest.work = test_fixed(3 * TEST_MS);
    g->guest.rest = test_fixed(1500 * TEST_MS);
    g->cpu.reservation = 1000;
    (void)cpu(t, "bg", 8);
    t->opts.paranoid = false;
    t->spec.duration_ns = 4000 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    if (r->power->second_most_mw > 81600)
        fail_msg("%u VMs: %llu mW over a second, 81600 at most", vms,
                 (unsigned long long)r->power->second_most_mw);
    assert_true(mean_mw(r) >= 79000);
    test_host_free(t);
}

static void test_reserved_all_at_once(void **state)
{
    (void)state;
    all_at_once(20, 4);
    all_at_once(80, 1);
    all_at_once(320, 4);
}

static struct bl_dc *two_pools(uint64_t reservation)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));

    assert_non_null(dc);
    for (uint32_t i = 0; i < 2; i++) {
        struct bl_pool_desc *p = &dc->pools.pool[dc->pools.count++];

        (void)snprintf(p->name, sizeof(p->name), "pool%u", i);
        p->parent = 0;
        p->cpu.set = (struct bl_settings){ .shares = { true, 1000 },
                                           .limit = BL_NO_LIMIT };
    }
    dc->pools.pool[0].cpu.set.reservation = reservation;
    return dc;
}

/* What a pool has reserved it has under the cap, too: 0.6 of the 0.976 that are
 * left, by the slowest P-state; then with part of its time. */
static void test_pools(void **state)
{
    static const uint64_t cap_w[] = { 116, 113 };
    struct bl_dc *dc = two_pools(600000);

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct test_host *t = capped(4, cap_w[i]);
        struct bl_host_result *r;
        int64_t got_ns = 0;

        t->opts.pools = dc;
        cpu(t, "a", 4)->pool = 0;
        cpu(t, "b", 8)->pool = 1;
        t->spec.control_ns = 100 * TEST_MS;
        test_host_open(t);
        r = test_host_finish(t);
        assert_int_equal(r->power->cap_bandwidth_ppm, i > 0 ? 812500 : 1000000);
        for (uint32_t v = 0; v < 4; v++)
            got_ns += r->vm[v].received_ns;
        assert_in_range(got_ns, 1180 * TEST_MS, 1250 * TEST_MS);
        test_host_free(t);
    }
    free(dc);
}

/* ---- errors ------------------------------------------------------------- */

static void expect_error(struct test_host *t, const char *text)
{
    assert_int_equal(test_host_try(t), BL_ERR_INVAL);
    if (strstr(t->diag.text, text) == NULL)
        fail_msg("\"%s\" not in \"%s\"", text, t->diag.text);
    assert_null(t->sim);
    test_host_free(t);
}

static void test_errors(void **state)
{
    struct test_host *t = capped(2, 90);

    (void)state;
    (void)cpu(t, "a", 1);
    expect_error(t,
                 "host.yaml: a power cap of 90W is less than what the host "
                 "draws idle, expected at least 100W");

    t = capped(2, 110); /* 2 x 0.25 x 0.625 */
    cpu(t, "a", 2)->cpu.reservation = 160000;
    expect_error(t,
                 "a power cap of 110W leaves 306.25MHz to reserve "
                 "(312.5MHz less 2 % overhead), but 320MHz are reserved, "
                 "expected at least 110.449W");

    t = capped(4, 120);
    cpu(t, "a", 1)->cpu.reservation = 300000;
    expect_error(t,
                 "a power cap of 120W keeps cores at 250MHz, but a vCPU has "
                 "0.3GHz reserved, expected at least 140W");

    t = capped(4, 140);
    cpu(t, "a", 1)->cpu.reservation = 300000;
    assert_ok(test_host_try(t));
    test_host_free(t);
}

/* 8 x 2 W in the shallow state for 300 ms, more than the cap and without any
 * work: what is drawn cannot be bounded by how little is done. */
static struct test_host *shallow(uint64_t cap_w)
{
    struct test_host *t = capped(8, cap_w);

    t->spec.freq.idle_count = 2;
    t->spec.freq.idle[0].extra_mw = 2000;
    t->spec.freq.idle[1].after_ns = 300 * TEST_MS;
    for (uint32_t k = 1; k < BL_POWER_POINTS; k++)
        t->spec.freq.pstate[2].mw[k] += 8000;
    (void)cpu(t, "a", 8);
    return t;
}

static void test_no_time_for_work(void **state)
{
    struct test_host *t;

    (void)state;
    expect_error(shallow(115),
                 "host.yaml: a power cap of 115W leaves no time "
                 "for work, expected at least 116.001W");
    t = shallow(117);
    test_host_open(t);
    assert_true(test_host_finish(t)->power->second_most_mw <= 119340);
    test_host_free(t);
}

/* 100 W up to 90 % of the slowest P-state, 116 W with all: 104 W are 92 % of
 * the cores, but all of them may want to work at once, for a quarter of the
 * time. */
static struct test_host *bent(uint64_t reserved)
{
    struct test_host *t = capped(2, 104);
    struct bl_host_vm_group *g;

    for (uint32_t k = 1; k + 1 < BL_POWER_POINTS; k++)
        t->spec.freq.pstate[2].mw[k] = 100000;
    g = test_host_group(t, "r", 2, 1, BL_GUEST_PERIODIC);
    g->guest.work = test_fixed(60 * TEST_MS);
    g->guest.rest = test_fixed(1000 * TEST_MS);
    g->cpu.reservation = reserved;
    (void)cpu(t, "a", 4);
    return t;
}

static void test_whenever_it_is_done(void **state)
{
    struct test_host *t;

    (void)state;
    expect_error(bent(75000),
                 "a power cap of 104W leaves 122.5MHz to reserve (125MHz less "
                 "2 % overhead), but 150MHz are reserved, expected at least "
                 "104.898W");
    t = bent(60000);
    test_host_open(t);
    assert_true(test_host_finish(t)->power->second_most_mw <= 106080);
    test_host_free(t);
}

/* Four of 0.2 on one core, which is at 0.25 GHz with a cap of 120 W: one fits,
 * and 45 MHz are left. */
static void test_pinned(void **state)
{
    static const uint64_t cap_w[] = { 120, 140, 200 };

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct test_host *t = capped(4, cap_w[i]);
        struct bl_host_vm_group *g = cpu(t, "a", 4);

        g->cpu.reservation = 200000;
        test_host_pin(g, 0);
        if (i == 0)
            expect_error(t,
                         "a power cap of 120W keeps cores at 250MHz, and the "
                         "pCPUs that VM a-1 may use have 45MHz left to "
                         "reserve, 0.2GHz needed, expected at least 200W");
        else if (i == 1)
            expect_error(t, "VM a-2 may use have 90MHz left");
        else
            test_host_open(t);
        if (i < 2)
            continue;
        test_host_free(t);
    }
}

static void test_pools_are_refused(void **state)
{
    struct bl_dc *dc = two_pools(990000);
    struct test_host *t = capped(4, 116);

    (void)state;
    t->opts.pools = dc;
    cpu(t, "a", 1)->pool = 0;
    expect_error(t,
                 "a power cap of 116W leaves 980MHz to reserve (1GHz less "
                 "2 % overhead), but 990MHz are reserved, expected at "
                 "least 140W");
    free(dc);
}

/* ---- random hosts ------------------------------------------------------- */

static uint64_t below(struct bl_prng *p, uint64_t n)
{
    return bl_prng_below(p, n);
}

/* A table that rises in any way, idle states, threads, bursts. */
static struct test_host *some_host(uint64_t seed)
{
    struct bl_prng p = { seed };
    const uint32_t cores = 1 + (uint32_t)below(&p, 8);
    const uint32_t threads = 1 + (uint32_t)below(&p, 2);
    struct test_host *t = test_host_new(cores, threads);
    struct bl_freq *f = &t->spec.freq;
    uint32_t mw = 50000 + (uint32_t)below(&p, 50000);

    test_host_freq(t);
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    t->spec.costs.smt_ppm = threads > 1 ? 1300000 : 1000000;
    f->pstate_count = 1 + (uint32_t)below(&p, 3);
    for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
        for (uint32_t i = f->pstate_count; i-- > 0;)
            f->pstate[i].mw[k] =
                i + 1 == f->pstate_count
                    ? (mw +=
                       k > 0 ? (uint32_t)(below(&p, 3) * below(&p, 20000)) : 0)
                    : f->pstate[i + 1].mw[k] + k * 1000;
    f->idle_count = 2 * (uint32_t)below(&p, 2);
    f->idle[0].extra_mw = 1 + (uint32_t)below(&p, 2000);
    f->idle[1].after_ns = (int64_t)(1 + below(&p, 3000000));
    f->domain_count = 1 + (uint32_t)below(&p, cores);
    /* between the most when all idle and the slowest's full load */
    {
        const uint32_t *slow = f->pstate[f->pstate_count - 1].mw;
        const uint64_t least = slow[0] + (uint64_t)cores * f->idle[0].extra_mw;

        t->spec.cap_mw = least + 1000;
        if (slow[BL_POWER_POINTS - 1] > t->spec.cap_mw)
            t->spec.cap_mw +=
                below(&p, slow[BL_POWER_POINTS - 1] - t->spec.cap_mw);
    }
    for (uint32_t i = 0; i < 4; i++) {
        static const char *const name[] = { "a", "b", "c", "d" };
        struct bl_host_vm_group *g = test_host_group(
            t, name[i], 1 + (uint32_t)below(&p, UINT64_C(2) * cores),
            1 + (uint32_t)below(&p, cores < 3 ? cores : 3),
            below(&p, 2) ? BL_GUEST_CPU : BL_GUEST_INTERACTIVE);

        g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0,
                                          (int64_t)below(&p, 300000000) };
        g->guest.rest = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0,
                                          (int64_t)below(&p, 600000000) };
        g->cpu.shares.value = 1 + below(&p, 4000);
        if (below(&p, 3) == 0)
            g->cpu.reservation = 1 + below(&p, 50000);
    }
    t->opts.paranoid = false;
    t->opts.seed = seed;
    t->spec.duration_ns = 4000 * TEST_MS;
    return t;
}

static void test_never_exceeded(void **state)
{
    const uint64_t seed = test_seed();
    uint64_t worst_ppm = 0;

    (void)state;
    for (uint64_t i = 0; i < 60; i++) {
        struct test_host *t = some_host(seed + i);
        struct bl_host_result *r;
        uint64_t ppm;

        for (uint32_t k = 0;
             k < 4 && bl_host_sim_admit(&t->arena, &t->opts, false, &t->diag);
             k++)
            t->spec.group[k].cpu.reservation = 0;
        test_host_open(t);
        r = test_host_finish(t);
        ppm = r->power->second_most_mw * 1000000 / r->power->cap_mw;
        worst_ppm = ppm > worst_ppm ? ppm : worst_ppm;
        if (ppm > 1020000)
            fail_msg("seed %llu: %llu of %llu mW over a second",
                     (unsigned long long)(seed + i),
                     (unsigned long long)r->power->second_most_mw,
                     (unsigned long long)r->power->cap_mw);
        test_host_free(t);
    }
    print_message("    worst second: %.3f of the cap\n",
                  (double)worst_ppm / 1e6);
}

/* The largest part of what is reserved for a VM of the first group that it did
 * not receive within 100 ms; UINT64_MAX: the host was refused. */
static uint64_t missing_ppm(struct test_host *t)
{
    const struct bl_host_result *r;
    const bl_err e = test_host_try(t);
    uint64_t most = 0;

    if (e != BL_ERR_OK) {
        assert_int_equal(e, BL_ERR_INVAL);
        return UINT64_MAX;
    }
    test_host_open(t);
    r = test_host_finish(t);
    for (uint32_t v = 0; v < t->spec.group[0].vm_count; v++) {
        const uint64_t ppm = (uint64_t)r->vm[v].broken_ns * 1000000 /
                             (uint64_t)r->vm[v].promised_ns;

        most = ppm > most ? ppm : most;
    }
    return most;
}

/* What is reserved is received within 100 ms, all but 4 % of it, or refused
 * beforehand: whichever way tables bend, and whoever else wants the same time.
 */
static void test_admitted_is_kept(void **state)
{
    const uint64_t seed = test_seed();
    uint64_t worst_ppm = 0;
    uint32_t kept = 0;

    (void)state;
    for (uint64_t i = 0; i < 120; i++) {
        struct test_host *t = some_host(seed + i);
        struct bl_prng p = bl_prng_stream(seed, i);
        struct bl_host_vm_group *g = &t->spec.group[0];
        uint64_t ppm;

        g->guest.kind = BL_GUEST_CPU;
        g->vcpu_count = 1;
        g->cpu.reservation = 1 + bl_prng_below(&p, 100000);
        ppm = missing_ppm(t);
        test_host_free(t);
        if (ppm == UINT64_MAX)
            continue;
        kept++;
        worst_ppm = ppm > worst_ppm ? ppm : worst_ppm;
        if (ppm > 40000)
            fail_msg("seed %llu: %llu ppm are missing",
                     (unsigned long long)(seed + i), (unsigned long long)ppm);
    }
    assert_in_range(kept, 20, 110);
    print_message("    %u hosts; most that was missing: %llu ppm\n", kept,
                  (unsigned long long)worst_ppm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequency_first),
        cmocka_unit_test(test_bandwidth_second),
        cmocka_unit_test(test_reservations_win),
        cmocka_unit_test(test_reserved_and_idle),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_given_back_by_a_job),
        cmocka_unit_test(test_reserved_all_at_once),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_time_for_work),
        cmocka_unit_test(test_whenever_it_is_done),
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_pools_are_refused),
        cmocka_unit_test(test_never_exceeded),
        cmocka_unit_test(test_admitted_is_kept),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
