/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_alloc - no allocation after set-up: linked with
 * --wrap=malloc,calloc,realloc, every policy and mode simulates a busy host
 * while any such call is counted. The arena is sealed as well.
 */
#include "tests/test.h"

#include "tests/support_host.h"

#include <stdio.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static unsigned long calls;

void *__wrap_malloc(size_t n)
{
    calls++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    calls++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    calls++;
    return __real_realloc(p, n);
}

static void busy_host(struct test_host *t)
{
    struct bl_host_vm_group *g;

    t->opts.paranoid = false;
    t->spec.costs.smt_ppm = 1250000;
    t->spec.costs.ipi_ns = 2000;
    t->spec.costs.exit_ns = 1000;
    t->spec.costs.pause_ns = 20 * TEST_US;
    (void)test_host_group(t, "cpu", 4, 1, BL_GUEST_CPU);
    g = test_host_group(t, "lim", 2, 1, BL_GUEST_CPU);
    g->cpu.limit = 300000;
    g = test_host_group(t, "i", 8, 1, BL_GUEST_INTERACTIVE);
    g->guest.work = test_fixed(TEST_MS);
    g->guest.rest = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, 3 * TEST_MS };
    g = test_host_group(t, "b", 4, 4, BL_GUEST_BARRIER);
    g->guest.work = (struct bl_dist){ BL_DIST_UNIFORM, 200000, TEST_MS };
    g->guest.spin_ns = 50 * TEST_US;
    g = test_host_group(t, "l", 2, 2, BL_GUEST_LOCK);
    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, 50 * TEST_US };
    g->guest.rest = test_fixed(10 * TEST_US);
    g->guest.spin_ns = BL_SPIN_FOREVER;
    g = test_host_group(t, "s", 2, 2, BL_GUEST_SERVER);
    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, TEST_MS };
    g->guest.rest = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, TEST_MS };
    g->guest.queue_max = 16;
    t->spec.duration_ns = 100 * TEST_MS;
    test_host_freq(t);
    t->spec.freq.switch_ns = 10 * TEST_US;
    t->spec.cap_mw = 112000; /* bandwidth, too */
}

static void run(const char *policy, const char *mode)
{
    struct test_host *t = test_host_new(4, 2);
    unsigned long before;

    busy_host(t);
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "%s", policy);
    (void)snprintf(t->spec.mode, BL_NAME_BYTES, "%s", mode);
    test_host_open(t);
    before = calls;
    assert_true(before > 0); /* the wrapper is there */
    (void)bl_host_sim_run(t->sim, t->spec.duration_ns, NULL);
    bl_host_sim_finish(t->sim, t->r);
    assert_int_equal(calls, before);
    assert_true(t->r->event_count > 1000);
    test_host_free(t);
}

static void test_no_allocation(void **state)
{
    const struct bl_sched_info *policy, *mode;

    (void)state;
    for (uint32_t i = 0; (policy = bl_sched_policy(i)) != NULL; i++)
        for (uint32_t k = 0; (mode = bl_sched_mode(k)) != NULL; k++)
            run(policy->name, mode->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
