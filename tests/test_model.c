/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_model - which host and which VM is of which group, shares as numbers,
 * and the ranges that bl_dc_check() guards.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "hv/model.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A data centre that passes bl_dc_check(); on the heap because it is large. */
static struct bl_dc *dc_new(uint32_t host_groups, uint32_t vm_groups)
{
    struct bl_dc *dc = calloc(1, sizeof(*dc));
    const struct bl_settings none = { { true, BL_CPU_SHARES_NORMAL },
                                      0,
                                      BL_NO_LIMIT };

    assert_non_null(dc);
    dc->host_group_count = host_groups;
    for (uint32_t g = 0; g < host_groups; g++) {
        struct bl_host_group *h = &dc->host_group[g];

        *h = (struct bl_host_group){
            .name = "hosts",
            .host_count = 2,
            .core_count = 4,
            .core_khz = 2000000,
            .mem_bytes = 8u << 20,
            .node_count = 2,
            .power = { .name = "flat" },
            .net_bytes_per_s = 125000000,
        };
        for (int i = 0; i < BL_POWER_POINTS; i++)
            h->power.mw[i] = 100000;
    }
    dc->vm_group_count = vm_groups;
    for (uint32_t g = 0; g < vm_groups; g++)
        dc->vm_group[g] = (struct bl_vm_group){
            .name = "vms",
            .vcpu_count = 2,
            .vcpu_khz = 1000000,
            .mem_bytes = 1u << 20,
            .cpu = none,
            .mem = none,
        };
    dc->migration =
        (struct bl_migration){ .rounds_max = 30, .parallel_max = 4 };
    return dc;
}

/* --- the example -------------------------------------------------------- */

static void test_planetlab_set_up(void **state)
{
    struct bl_dc *dc = dc_new(2, 4);
    uint8_t group[800];

    (void)state;
    dc->host_order = BL_ORDER_ROUND_ROBIN;
    dc->host_group[0].host_count = dc->host_group[1].host_count = 400;
    bl_dc_check(dc);
    assert_int_equal(bl_dc_host_count(dc), 800);
    bl_dc_host_groups(dc, group);
    for (uint32_t h = 0; h < 800; h++)
        assert_int_equal(group[h], h % 2);

    /* 1052 VMs in four blocks of 263; 1061 in blocks of 266, the last 263 */
    assert_int_equal(bl_dc_vm_count(dc), 0);
    assert_int_equal(bl_dc_vm_group(dc, 262, 1052), 0);
    assert_int_equal(bl_dc_vm_group(dc, 263, 1052), 1);
    assert_int_equal(bl_dc_vm_group(dc, 1051, 1052), 3);
    assert_int_equal(bl_dc_vm_group(dc, 265, 1061), 0);
    assert_int_equal(bl_dc_vm_group(dc, 266, 1061), 1);
    assert_int_equal(bl_dc_vm_group(dc, 798, 1061), 3);
    assert_int_equal(bl_dc_vm_group(dc, 1060, 1061), 3);
    free(dc);
}

/* --- groups ------------------------------------------------------------- */

static void test_few_vms_for_many_groups(void **state)
{
    struct bl_dc *dc = dc_new(1, 4);

    (void)state;
    for (uint32_t vm = 0; vm < 5; vm++) /* blocks of 2, 2, 1, 0 */
        assert_int_equal(bl_dc_vm_group(dc, vm, 5), vm / 2);
    assert_int_equal(bl_dc_vm_group(dc, 0, 1), 0);
    dc->vm_order = BL_ORDER_ROUND_ROBIN;
    for (uint32_t vm = 0; vm < 5; vm++)
        assert_int_equal(bl_dc_vm_group(dc, vm, 5), vm % 4);
    free(dc);
}

/* The obvious way: deal ids out one by one, going round. */
static void deal(const uint32_t *count, uint32_t groups, enum bl_order order,
                 uint8_t *out)
{
    uint32_t left[BL_HOST_GROUPS_MAX], n = 0, all = 0;

    for (uint32_t g = 0; g < groups; g++) {
        left[g] = count[g];
        all += count[g];
    }
    for (uint32_t g = 0; n < all; g = (g + 1) % groups) {
        while (left[g] > 0) {
            left[g]--;
            out[n++] = (uint8_t)g;
            if (order == BL_ORDER_ROUND_ROBIN)
                break;
        }
    }
}

static void test_groups_with_counts_match_dealing_them_out(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 400; round++) {
        const uint32_t groups =
            1 + (uint32_t)bl_prng_below(&prng, BL_HOST_GROUPS_MAX);
        struct bl_dc *dc = dc_new(groups, groups);
        uint32_t count[BL_HOST_GROUPS_MAX], all = 0;
        static uint8_t want[BL_HOST_GROUPS_MAX * 40], got[sizeof(want)];

        for (uint32_t g = 0; g < groups; g++) {
            count[g] = 1 + (uint32_t)bl_prng_below(&prng, 40);
            all += count[g];
            dc->host_group[g].host_count = count[g];
            dc->vm_group[g].vm_count = count[g];
        }
        dc->host_order = dc->vm_order =
            round % 2 == 0 ? BL_ORDER_BLOCKS : BL_ORDER_ROUND_ROBIN;
        bl_dc_check(dc);
        assert_int_equal(bl_dc_host_count(dc), all);
        assert_int_equal(bl_dc_vm_count(dc), all);
        deal(count, groups, dc->host_order, want);
        bl_dc_host_groups(dc, got);
        assert_memory_equal(got, want, all);
        for (uint32_t vm = 0; vm < all; vm++)
            assert_int_equal(bl_dc_vm_group(dc, vm, all), want[vm]);
        free(dc);
    }
}

static void test_misuse_asserts(void **state)
{
    struct bl_dc *dc = dc_new(1, 2);

    (void)state;
    expect_assert_failure((void)bl_dc_vm_group(dc, 5, 5));
    dc->vm_group[0].vm_count = dc->vm_group[1].vm_count = 2;
    expect_assert_failure((void)bl_dc_vm_group(dc, 4, 5));
    dc->vm_order = BL_ORDER_ROUND_ROBIN;
    expect_assert_failure((void)bl_dc_vm_group(dc, 4, 5));
    free(dc);
}

/* --- shares ------------------------------------------------------------- */

static void test_presets_are_per_vcpu_and_per_mib(void **state)
{
    const struct bl_settings high = { { true, BL_CPU_SHARES_HIGH }, 0, 1 };
    const struct bl_settings low = { { true, BL_MEM_SHARES_LOW }, 0, 1 };
    const struct bl_settings number = { { false, 777 }, 0, 1 };

    (void)state;
    assert_int_equal(bl_cpu_shares(&high, 1), 2000);
    assert_int_equal(bl_cpu_shares(&high, 8), 16000);
    assert_int_equal(bl_cpu_shares(&number, 8), 777);
    assert_int_equal(bl_mem_shares(&low, 4096 * (uint64_t)BL_MIB), 20480);
    assert_int_equal(bl_mem_shares(&number, 4096 * (uint64_t)BL_MIB), 777);
    /* never 0, whatever the size */
    assert_int_equal(bl_cpu_shares(&high, 0), 1);
    assert_int_equal(bl_mem_shares(&low, 1000), 1);
    assert_true(bl_mem_shares(&low, BL_MEM_BYTES_MAX) == UINT64_C(5) << 30);
}

/* --- ranges: one wrong field at a time ---------------------------------- */

#define BREAK(name, statement)                                                 \
    static void name(struct bl_dc *dc)                                         \
    {                                                                          \
        statement;                                                             \
    }
BREAK(no_hosts, dc->host_group_count = 0)
BREAK(many_host_groups, dc->host_group_count = BL_HOST_GROUPS_MAX + 1)
BREAK(no_vms, dc->vm_group_count = 0)
BREAK(host_name, dc->host_group[0].name[0] = '\0')
BREAK(host_name_end, memset(dc->host_group[0].name, 'x', BL_NAME_BYTES))
BREAK(host_count, dc->host_group[1].host_count = 0)
BREAK(host_sum, dc->host_group[1].host_count = BL_HOSTS_MAX)
BREAK(cores, dc->host_group[0].core_count = 0)
BREAK(cores_max, dc->host_group[0].core_count = BL_HOST_CORES_MAX + 2)
BREAK(speed, dc->host_group[0].core_khz = 0)
BREAK(speed_max, dc->host_group[0].core_khz = BL_CORE_KHZ_MAX + 1)
BREAK(mem, dc->host_group[0].mem_bytes = 0)
BREAK(nodes, dc->host_group[0].node_count = 3)
BREAK(nodes_0, dc->host_group[0].node_count = 0)
BREAK(power, dc->host_group[0].power.mw[10] = BL_POWER_MW_MAX + 1)
BREAK(power_falls, dc->host_group[0].power.mw[5]--)
BREAK(sleep_time, dc->host_group[0].off.leave.time_ns = -1)
BREAK(sleep_energy,
      dc->host_group[0].standby.enter.energy_uj = BL_TRANSITION_UJ_MAX + 1)
BREAK(net, dc->host_group[0].net_bytes_per_s = 1)
BREAK(vcpus, dc->vm_group[0].vcpu_count = 0)
BREAK(traced_size, dc->vm_group[0].size_from_trace = true)
BREAK(shares, dc->vm_group[0].cpu.shares.value = 0)
BREAK(shares_max, dc->vm_group[0].mem.shares.value = BL_SHARES_MAX + 1)
BREAK(over_limit, dc->vm_group[0].cpu.limit = 5;
      dc->vm_group[0].cpu.reservation = 6)
BREAK(over_size, dc->vm_group[0].mem.reservation = (1u << 20) + 1)
BREAK(limit_over_size, dc->vm_group[0].mem.limit = (1u << 20) + 1)
BREAK(no_such_pool, dc->vm_group[1].pool = 2)
BREAK(many_pools, dc->pools.count = BL_POOLS_MAX + 1)
BREAK(pool_name, dc->pools.pool[0].name[0] = '\0')
BREAK(pool_parent, dc->pools.pool[0].parent = 1)
BREAK(pool_shares, dc->pools.pool[0].mem.set.shares.value = 0)
BREAK(pool_over_limit, dc->pools.pool[0].cpu.set.limit = 5;
      dc->pools.pool[0].cpu.set.reservation = 6)
BREAK(pool_amount,
      dc->pools.pool[0].mem.set.reservation = BL_POOL_AMOUNT_MAX + 1)
BREAK(half_counted, dc->vm_group[1].vm_count = 7)
BREAK(order, dc->vm_order = (enum bl_order)7)
BREAK(rounds, dc->migration.rounds_max = 0)
BREAK(parallel, dc->migration.parallel_max = 0)
BREAK(working_set, dc->migration.working_set_ppm = 1000001)
BREAK(downtime, dc->migration.downtime_ns_max = -1)
#undef BREAK

/* Of its own, so that no local variable lives across the longjmp. */
__attribute__((noinline)) static void expect_refused(struct bl_dc *dc)
{
    expect_assert_failure(bl_dc_check(dc));
}

static void test_check_guards_every_range(void **state)
{
    static void (*const rows[])(struct bl_dc * dc) = {
        no_hosts,      many_host_groups,
        no_vms,        host_name,
        host_name_end, host_count,
        host_sum,      cores,
        cores_max,     speed,
        speed_max,     mem,
        nodes,         nodes_0,
        power,         power_falls,
        sleep_time,    sleep_energy,
        net,           vcpus,
        traced_size,   shares,
        shares_max,    over_limit,
        over_size,     limit_over_size,
        no_such_pool,  many_pools,
        pool_name,     pool_parent,
        pool_shares,   pool_over_limit,
        pool_amount,   half_counted,
        order,         rounds,
        parallel,      working_set,
        downtime,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_dc *dc = dc_new(2, 2);

        print_message("    row: %zu\n", i);
        dc->pools.count = 1;
        dc->pools.pool[0] = (struct bl_pool_desc){
            .name = "pool",
            .cpu = { { { true, 1 }, 0, BL_NO_LIMIT }, true },
            .mem = { { { true, 1 }, 0, BL_NO_LIMIT }, true },
        };
        bl_dc_check(dc); /* sound before */
        rows[i](dc);
        expect_refused(dc);
        free(dc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planetlab_set_up),
        cmocka_unit_test(test_few_vms_for_many_groups),
        cmocka_unit_test(test_groups_with_counts_match_dealing_them_out),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_presets_are_per_vcpu_and_per_mib),
        cmocka_unit_test(test_check_guards_every_range),
    };

    return cmocka_run_group_tests_name("model", tests, test_group_setup, NULL);
}
