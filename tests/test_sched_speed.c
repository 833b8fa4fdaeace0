/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_speed - pCPUs of other speeds, and a bound on all VMs together:
 * what is charged is work, and shares, reservations and limits are in it.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)

static struct dispatch_opts opts(uint32_t cores, uint32_t threads)
{
    return (struct dispatch_opts){ .policy = "fair",
                                   .mode = "none",
                                   .nodes = 1,
                                   .llcs = 1,
                                   .cores = cores,
                                   .threads = threads,
                                   .vm_max = 16,
                                   .vcpu_max = 64 };
}

static void speed(struct dispatch *d, uint32_t first, uint32_t count,
                  uint32_t ppm)
{
    const struct bl_topo_range r = { (uint16_t)first, (uint16_t)count };

    bl_sched_set_speed(d->sched, r, ppm, d->now_ns);
    bl_sched_check(d->sched);
    dispatch_settle(d);
}

static void bandwidth(struct dispatch *d, uint64_t ppm)
{
    bl_sched_set_bandwidth(d->sched, ppm, d->now_ns);
    dispatch_settle(d);
}

static int64_t run_ns(const struct dispatch *d, uint32_t v)
{
    return bl_sched_vcpu(d->sched, v, d->now_ns).state_ns[BL_VCPU_RUN];
}

/* Half as fast: half the work in the same time, shares as ever. */
static void test_example(void **state)
{
    const struct dispatch_opts o = opts(1, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 3000, 0, BL_NO_LIMIT, 1, NULL);
    (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    dispatch_run(&d, 12 * MS, true);
    speed(&d, 0, 1, 500000);
    dispatch_run(&d, 36 * MS, true);
    assert_int_equal(dispatch_vm_ns(&d, 0), 18 * MS);
    assert_int_equal(dispatch_vm_ns(&d, 1), 6 * MS);
    assert_int_equal(run_ns(&d, 0), 27 * MS);
    speed(&d, 0, 1, 1000000);
    dispatch_run(&d, 48 * MS, true);
    assert_int_equal(dispatch_vm_ns(&d, 0) + dispatch_vm_ns(&d, 1), 36 * MS);
    dispatch_destroy(&d);
}

/* A change in the middle of a slice: what ran until then is charged at the old
 * speed, and the slice, 30 ms long at a tenth of the speed, ends earlier. */
static void test_change_within_a_slice(void **state)
{
    const struct dispatch_opts o = opts(1, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    speed(&d, 0, 1, 100000);
    for (int i = 0; i < 2; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    dispatch_run(&d, 5 * MS, true);
    assert_int_equal(run_ns(&d, 0), 5 * MS);
    speed(&d, 0, 1, 1000000);
    assert_int_equal(dispatch_vm_ns(&d, 0) + dispatch_vm_ns(&d, 1), MS / 2);
    dispatch_run(&d, 10 * MS, true);
    assert_true(run_ns(&d, 1) >= 2 * MS);
    assert_int_equal(dispatch_vm_ns(&d, 0) + dispatch_vm_ns(&d, 1),
                     5 * MS + MS / 2);
    dispatch_destroy(&d);
}

/* 0.4 of a pCPU at full speed are 0.8 of the time at half speed. */
static void test_reservation(void **state)
{
    const struct dispatch_opts o = opts(1, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 10, 400000, BL_NO_LIMIT, 1, NULL);
    for (int i = 0; i < 4; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    speed(&d, 0, 1, 500000);
    dispatch_run(&d, SECOND, true);
    assert_true(dispatch_vm_ns(&d, 0) >= 400 * MS - 6 * MS);
    assert_true(run_ns(&d, 0) >= 800 * MS - 12 * MS);
    dispatch_destroy(&d);
}

static void test_limit(void **state)
{
    const struct dispatch_opts o = opts(1, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 1000, 0, 300000, 1, NULL);
    speed(&d, 0, 1, 500000);
    dispatch_run(&d, SECOND, true);
    assert_in_range(dispatch_vm_ns(&d, 0), 299 * MS, 308 * MS);
    assert_in_range(run_ns(&d, 0), 598 * MS, 616 * MS);
    dispatch_destroy(&d);
}

/* Three equal ones on a pCPU and on one of half the speed. */
static void test_unequal(void **state)
{
    const struct dispatch_opts o = opts(2, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    for (int i = 0; i < 3; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    speed(&d, 1, 1, 500000);
    dispatch_run(&d, SECOND, true);
    for (uint32_t vm = 0; vm < 3; vm++)
        assert_in_range(dispatch_vm_ns(&d, vm), 494 * MS, 506 * MS);
    dispatch_destroy(&d);
}

/* Two threads on a core that do 1.25 of it together, at 0.4 of its speed. */
static void test_smt(void **state)
{
    struct dispatch_opts o = opts(1, 2);
    struct dispatch d;

    (void)state;
    o.smt_ppm = 1250000;
    dispatch_create(&d, &o);
    for (int i = 0; i < 2; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    speed(&d, 0, 2, 400000);
    dispatch_run(&d, 100 * MS, true);
    assert_in_range(dispatch_vm_ns(&d, 0), 25 * MS - 1, 25 * MS);
    assert_in_range(dispatch_vm_ns(&d, 1), 25 * MS - 1, 25 * MS);
    dispatch_halt(&d, 1);
    dispatch_settle(&d);
    dispatch_run(&d, 200 * MS, true);
    assert_in_range(dispatch_vm_ns(&d, 0), 65 * MS - 2, 65 * MS);
    dispatch_destroy(&d);
}

/* ---- all VMs together --------------------------------------------------- */

static int64_t all_ns(const struct dispatch *d)
{
    int64_t sum = 0;

    for (uint32_t vm = 0; vm < d->vm_count; vm++)
        sum += dispatch_vm_ns(d, vm);
    return sum;
}

static void test_bandwidth(void **state)
{
    const struct dispatch_opts o = opts(4, 1);
    struct dispatch d;
    int64_t before;

    (void)state;
    dispatch_create(&d, &o);
    for (int i = 0; i < 6; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    bandwidth(&d, 2000000);
    dispatch_run(&d, SECOND, true);
    assert_in_range(all_ns(&d), 2 * SECOND - 4 * MS, 2 * SECOND + 9 * MS);
    before = all_ns(&d);
    bandwidth(&d, 500000); /* what was saved is cut off */
    dispatch_run(&d, 2 * SECOND, true);
    assert_in_range(all_ns(&d) - before, SECOND / 2 - 4 * MS,
                    SECOND / 2 + 2 * MS);
    before = all_ns(&d);
    bandwidth(&d, BL_NO_LIMIT);
    dispatch_run(&d, 3 * SECOND, true);
    assert_int_equal(all_ns(&d) - before, 4 * SECOND);
    dispatch_destroy(&d);
}

/* Who has a reservation goes on, and the others pay for it. */
static void test_bandwidth_and_reservations(void **state)
{
    const struct dispatch_opts o = opts(4, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 1, 900000, 950000, 1, NULL);
    for (int i = 0; i < 6; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    bandwidth(&d, 2000000);
    dispatch_run(&d, SECOND, true);
    assert_true(dispatch_vm_ns(&d, 0) >= 880 * MS);
    assert_in_range(all_ns(&d), 2 * SECOND - 4 * MS, 2 * SECOND + 9 * MS);
    dispatch_destroy(&d);
}

/* Forty have 0.01 reserved each and compute: when all is used up each goes on
 * at that rate, not more. */
static void test_reserves_are_bounded(void **state)
{
    struct dispatch_opts o = opts(4, 1);
    struct dispatch d;

    (void)state;
    o.vm_max = 40;
    dispatch_create(&d, &o);
    for (int i = 0; i < 40; i++)
        (void)dispatch_vm(&d, 1000, 10000, BL_NO_LIMIT, 1, NULL);
    bandwidth(&d, 500000);
    for (int i = 1; i <= 20; i++) {
        const int64_t before = all_ns(&d);

        /* 20 ms of all reservations saved, and 40 times 0.1 ms overdrawn */
        dispatch_run(&d, (int64_t)i * 100 * MS, true);
        assert_in_range(all_ns(&d) - before, 41 * MS, 58 * MS);
    }
    for (uint32_t vm = 0; vm < 40; vm++)
        assert_true(dispatch_vm_ns(&d, vm) >= 20 * MS - MS / 2);
    dispatch_destroy(&d);
}

/* In every window of 20 ms of a storm, whatever else happens. */
static void bounded(uint64_t seed)
{
    struct dispatch_opts o = opts(4, 1);
    struct dispatch d;

    o.seed = seed;
    dispatch_create(&d, &o);

    const uint64_t ppm = 200000 + bl_prng_below(&d.prng, 3000000);
    const int64_t most = (int64_t)(ppm * 24) + 4 * MS / 10;

    for (uint64_t i = 0; i < 8; i++)
        (void)dispatch_vm(&d, 500 + 500 * i, 0,
                          i % 3 == 0 ? 700000 : BL_NO_LIMIT,
                          1 + (uint32_t)i % 3, NULL);
    bandwidth(&d, ppm);
    for (int i = 0; i < 20; i++) {
        const int64_t before = all_ns(&d), end = d.now_ns + 20 * MS;

        while (d.now_ns < end - 2 * MS)
            dispatch_storm(&d,
                           DISPATCH_PIN | DISPATCH_HINT | DISPATCH_HALT |
                               DISPATCH_SPEED,
                           2, MS);
        dispatch_run(&d, end, true);
        assert_in_range(all_ns(&d) - before, 0, (uint64_t)most);
    }
    dispatch_destroy(&d);
}

static void test_bandwidth_bound(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 20; i++)
        bounded(seed + i);
}

/* ---- storms ------------------------------------------------------------- */

static void test_storms(void **state)
{
    const uint64_t seed = test_seed();
    const struct bl_sched_info *policy, *mode;

    (void)state;
    for (uint32_t i = 0; (policy = bl_sched_policy(i)) != NULL; i++)
        for (uint32_t k = 0; (mode = bl_sched_mode(k)) != NULL; k++)
            for (uint64_t n = 0; n < 6; n++) {
                struct dispatch_opts o = opts(4, 1 + n % 2);
                struct dispatch d;

                o.policy = policy->name;
                o.mode = mode->name;
                o.seed = seed + n;
                o.smt_ppm = n % 2 > 0 ? 1300000 : 1000000;
                dispatch_create(&d, &o);
                for (uint64_t vm = 0; vm < 6; vm++) {
                    const struct dispatch_load load = {
                        (int64_t)(vm % 2) * 900000, 2 * MS
                    };

                    (void)dispatch_vm(&d, 1000 * (1 + vm), 100000 * (vm % 3),
                                      vm == 4 ? 600000 : BL_NO_LIMIT,
                                      1 + (uint32_t)vm % 3, &load);
                }
                dispatch_storm(
                    &d, DISPATCH_ANY | DISPATCH_SPEED | DISPATCH_BANDWIDTH, 300,
                    MS);
                dispatch_destroy(&d);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_change_within_a_slice),
        cmocka_unit_test(test_reservation),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_unequal),
        cmocka_unit_test(test_smt),
        cmocka_unit_test(test_bandwidth),
        cmocka_unit_test(test_bandwidth_and_reservations),
        cmocka_unit_test(test_reserves_are_bounded),
        cmocka_unit_test(test_bandwidth_bound),
        cmocka_unit_test(test_storms),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
