/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_consolidate_real - whole runs of the consolidation family under real
 * physics, where figures are means of an interval, sleeping takes time and idle
 * VMs keep their host on: it must come to rest, and it must not be refused.
 */
#include "base/prng.h"
#include "tests/support_run.h"
#include "tests/support_trace.h"
#include "tests/test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GIB (UINT64_C(1) << 30)
#define S INT64_C(1000000000)

enum { HOSTS = 13, VMS = 12, STEPS = 20, QUARTER = 250000 };

/* 4 cores of 1 GHz, 8 GiB, 50 W and 5 W more for each tenth of load; VMs of one
 * core and 8 GiB, of which most use a quarter: four fill a host. */
static struct bl_dc small_dc(void)
{
    struct bl_dc dc = {
        .host_group_count = 1,
        .vm_group_count = 1,
        .host_group[0] = { .name = "host",
                           .host_count = HOSTS,
                           .core_count = 4,
                           .core_khz = 1000000,
                           .mem_bytes = 8 * GIB,
                           .node_count = 1,
                           .standby = { 5000, { 5 * S, 0 }, { 10 * S, 0 } },
                           .off = { 2000, { 30 * S, 0 }, { 260 * S, 0 } },
                           .net_bytes_per_s = 125000000 },
        .vm_group[0] = { .name = "vm",
                         .vcpu_count = 1,
                         .vcpu_khz = 1000000,
                         .mem_bytes = 8 * GIB,
                         .cpu = { { true, 1000 }, 0, BL_NO_LIMIT },
                         .mem = { { true, 10 }, 0, BL_NO_LIMIT } },
        .migration = { .cpu_ppm_per_gbit = 300000,
                       .dirty_bytes_per_s = 40000000,
                       .working_set_ppm = 900000,
                       .downtime_ns_max = 300000000,
                       .rounds_max = 30,
                       .parallel_max = 1000 }
    };

    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        dc.host_group[0].power.mw[i] = 50000 + 5000 * i;
    dc.host_group[0].power.name[0] = 'p';
    bl_dc_check(&dc);
    return dc;
}

static struct test_run go(const struct test_vm *vm, uint32_t vms,
                          const char *policy, int64_t interval_ns)
{
    const struct bl_dc dc = small_dc();
    struct test_run run = { .dc = &dc,
                            .physics = "real",
                            .policy = policy,
                            .seed = 1,
                            .interval_ns = interval_ns,
                            .paranoid = true };
    struct bl_trace *t =
        test_trace_open(&(struct test_trace){ .vm = vm,
                                              .vm_count = vms,
                                              .step_count = STEPS,
                                              .step_ns = 300 * S,
                                              .has_mem = true });

    if (test_run_go(&run, t) != BL_ERR_OK)
        fail_msg("%s", run.diag.text);
    bl_trace_close(t);
    run.dc = NULL; /* it was ours */
    return run;
}

static uint64_t refused(const struct test_run *run)
{
    uint64_t n = 0;

    for (uint32_t v = 0; v < BL_VERDICT_COUNT; v++)
        n += run->counts.refused[v];
    return n;
}

static const char *const policies[] = { "thr-mmt-0.8", "iqr-mc-1.5",
                                        "mad-rs",      "lr-mmt-1.2",
                                        "lrr-mu",      "lr-mmt-1.2-2012" };

/* No host is ever overloaded and nobody arrives, so nobody need be woken: a
 * host that has just fallen asleep, and was busy in the interval that was
 * measured, is no target. */
static void test_emptying_wakes_nobody(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t cpu[HOSTS][STEPS + 1];
    struct test_vm vm[HOSTS];

    (void)state;
    for (uint32_t i = 0; i < HOSTS; i++) {
        for (uint32_t k = 0; k <= STEPS; k++)
            cpu[i][k] = (uint32_t)bl_prng_below(&prng, 300000);
        vm[i] = (struct test_vm){ .steps = STEPS + 1,
                                  .mem_ppm = QUARTER,
                                  .cpu = cpu[i] };
    }
    /* the least used host of all comes first, but its VM fits no other one
     * that is awake */
    vm[0] = (struct test_vm){ .steps = STEPS + 1,
                              .mem_ppm = 4 * QUARTER,
                              .cpu_ppm = 1000 };
    for (size_t i = 0; i < COUNT(policies); i++) {
        const struct test_run run = go(vm, HOSTS, policies[i], 0);

        assert_int_equal(refused(&run), 0);
        assert_int_equal(run.result.host_on_count, 0);
        assert_in_range(run.result.host_off_count, HOSTS - 8, HOSTS - 4);
    }
}

/* A host whose VMs do nothing at all is the first that should be emptied. */
static void test_idle_vms_are_packed_too(void **state)
{
    struct test_vm vm[VMS];

    (void)state;
    for (uint32_t i = 0; i < VMS; i++)
        vm[i] = (struct test_vm){ .steps = STEPS + 1,
                                  .mem_ppm = QUARTER,
                                  .cpu_ppm = 0 };
    for (size_t i = 0; i < COUNT(policies); i++) {
        const struct test_run run = go(vm, VMS, policies[i], 0);

        assert_int_equal(refused(&run), 0);
        assert_int_equal(run.result.host_on_count, 0);
        assert_in_range(run.result.host_off_count, HOSTS - 6, HOSTS - 3);
    }
}

/* Who waits for a host on its way to on cannot be moved yet, however loaded
 * that host will be. */
static void test_a_waking_host_is_not_relieved(void **state)
{
    struct test_vm vm[VMS + 1];

    (void)state;
    vm[0] = (struct test_vm){ .steps = STEPS + 1,
                              .mem_ppm = QUARTER,
                              .cpu_ppm = 100000 };
    for (uint32_t i = 1; i < COUNT(vm); i++) /* more than one host at once */
        vm[i] = (struct test_vm){ .arrive = STEPS / 2,
                                  .steps = STEPS,
                                  .mem_ppm = QUARTER,
                                  .cpu_ppm = 950000 };
    for (size_t i = 0; i < COUNT(policies); i++) {
        const struct test_run run = go(vm, COUNT(vm), policies[i], 3 * S);

        assert_int_equal(refused(&run), 0);
        assert_int_equal(run.counts.replaced, false);
        assert_true(run.result.host_on_count > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emptying_wakes_nobody),
        cmocka_unit_test(test_idle_vms_are_packed_too),
        cmocka_unit_test(test_a_waking_host_is_not_relieved),
    };

    return cmocka_run_group_tests_name("consolidate under real", tests,
                                       test_group_setup, NULL);
}
