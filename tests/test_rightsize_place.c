/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rightsize_place - which kind of host the policy `rightsize` prefers, and
 * where it starts VMs, in worlds written down by hand.
 */
#include "tests/support_rightsize.h"
#include "tests/test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { SAMPLES = BL_HISTORY_MAX };

/* ---- kinds of hosts
 * ----------------------------------------------------------- */

/* The bent table of the fast host is best at 80 %: 270 W / 0.8. */
static void test_the_most_efficient_load(void **state)
{
    struct hand w = hand_open(2, 8, false);

    (void)state;
    hand_start(&w);
    assert_true(w.rs->group[0].best_load == 1);
    assert_true(w.rs->group[1].best_load == 0.8);
    hand_set(&w, "target", "60%");
    hand_start(&w);
    assert_true(w.rs->group[1].best_load == 0.6);
    hand_shut(&w);
}

/* Fewer watts for each VM: where CPU runs out first, the fast host (270 W for
 * 9600 MHz), where memory does, two slow ones for one fast. */
static void test_the_kind_that_costs_less(void **state)
{
    for (int memory = 0; memory < 2; memory++) {
        struct hand w = hand_open(2, 8, false);

        hand_start(&w);
        test_table_put(w.t, 1, 0, memory ? 10 : 1000);
        w.t->c.vm_mem_used_bytes[1] = memory ? 4 * TEST_GIB : 0;
        w.t->dc.host_group[0].power.mw[0] = 50000;
        for (uint32_t i = 1; memory && i < BL_POWER_POINTS; i++)
            w.t->dc.host_group[0].power.mw[i] = 55000 + 10000 * i;
        hand_start(&w);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(w.rs->by_rank[0], memory ? 0 : 1);
        hand_shut(&w);
    }
    (void)state;
}

/* A host of a worse kind is exchanged for one of a better one, where nobody
 * else has room and the difference pays. */
static void test_a_worse_host_is_exchanged(void **state)
{
    struct hand w = hand_open(2, 16, false);

    (void)state;
    hand_set(&w, "horizon", "6h");
    w.t->dc.host_group[1].power.mw[0] = 20000; /* idles at next to nothing */
    for (uint32_t i = 1; i < BL_POWER_POINTS; i++)
        w.t->dc.host_group[1].power.mw[i] = 20000 + 8000 * i;
    hand_start(&w);
    test_table_put(w.t, 1, 0, 1000);
    test_table_put(w.t, 5, 0, 1000);
    test_table_state(w.t, 1, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 2);
    assert_int_equal(hand_action(&w, BL_ACTION_HOST_ON)->host, 1);
    assert_int_equal(hand_action(&w, BL_ACTION_HOST_OFF)->host, 0);
    hand_shut(&w);
}

/* ---- arrivals
 * ----------------------------------------------------------------- */

/* Before anything is known a VM may want all of its size; afterwards it is
 * taken for an average one. */
static void test_arrivals_before_and_after_anything_is_known(void **state)
{
    struct hand w = hand_open(3, 16, true);

    (void)state;
    hand_set(&w, "mem_overcommit", "100");
    hand_start(&w);
    for (uint32_t v = 0; v < 16; v++)
        w.t->c.vm_mem_used_bytes[v] = 0;
    assert_int_equal(hand_place(&w, 1), 0);
    test_table_place(w.t, 1, 0);
    assert_int_equal(hand_place(&w, 2), 0);
    test_table_place(w.t, 2, 0);            /* 2000 + 2000 of 4000, and */
    assert_int_equal(hand_place(&w, 5), 2); /* host 1 is of another group */
    test_table_place(w.t, 5, 2);
    hand_ask(&w, 1, 200);
    hand_ask(&w, 2, 200);
    hand_ask(&w, 5, 200);
    hand_repeat(&w, SAMPLES);
    hand_step(&w); /* now it is: a tenth */
    for (uint32_t v = 6; v < 16; v += 4) {
        const uint32_t h = hand_place(&w, v);

        assert_true(h == 0 || h == 2);
        test_table_place(w.t, v, h);
    }
    hand_shut(&w);
}

static void test_an_arrival_wakes_a_host(void **state)
{
    struct hand w = hand_open(2, 8, true);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 1, 0, 2000);
    test_table_put(w.t, 2, 0, 2000);
    test_table_state(w.t, 1, BL_HOST_OFF);
    assert_int_equal(hand_place(&w, 5), 1);
    assert_int_equal(w.plan.action[0].kind, BL_ACTION_HOST_ON);
    hand_shut(&w);
}

/* Rather crowded than not at all; but memory must be there. */
static void test_an_arrival_where_nothing_fits(void **state)
{
    struct hand w = hand_open(1, 16, false);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 1, 0, 2000);
    test_table_put(w.t, 5, 0, 2000);
    assert_int_equal(hand_place(&w, 9), 0);
    test_table_place(w.t, 9, 0);
    assert_int_equal(hand_place(&w, 2), 0);
    test_table_place(w.t, 2, 0); /* 8 of 8 GiB */
    assert_int_equal(hand_place(&w, 6), BL_NONE);
    hand_shut(&w);
}

/* ---- many hosts
 * --------------------------------------------------------------- */

enum { FULL_HOSTS = 140, FEW_HOSTS = 16, CROWD = 8, LATE = 40 };

/* Hosts of both groups are alike, so the numbers of VM slots of 2 GHz are all
 * that matters: 1, 5, 9 ... */
static uint32_t big_vm(uint32_t i)
{
    return 4 * i + 1;
}

/* Everybody may want all of its size, and all hosts are full of that. The first
 * ones to come then are put together, up to eight times what a host has; who
 * comes after them is one too many everywhere, but not many too many anywhere.
 */
static void test_who_fits_nowhere_is_spread(void **state)
{
    const uint32_t most = 2 * CROWD, all = FEW_HOSTS * most + LATE;
    struct hand w = hand_open(FEW_HOSTS, 4 * all, true);
    uint32_t vms[FEW_HOSTS] = { 0 };

    (void)state;
    hand_set(&w, "mem_overcommit", "100");
    hand_start(&w);
    for (uint32_t i = 0; i < all; i++) {
        const uint32_t h = hand_place(&w, big_vm(i));

        assert_true(h < FEW_HOSTS);
        test_table_place(w.t, big_vm(i), h);
        w.t->c.vm_mem_used_bytes[big_vm(i)] = 0;
        vms[h]++;
        if (i == 2 * FEW_HOSTS - 1)
            for (uint32_t k = 0; k < FEW_HOSTS; k++)
                assert_int_equal(vms[k], 2);
    }
    for (uint32_t h = 0; h < FEW_HOSTS; h++)
        assert_in_range(vms[h], most - 1, most + LATE / FEW_HOSTS + 1);
    hand_shut(&w);
}

/* More hosts than are ever tried have a little room for what may be asked for,
 * as their VMs rise and fall together; one has enough. */
static void test_a_host_behind_many_full_ones_is_found(void **state)
{
    struct hand w = hand_open(FULL_HOSTS + 2, 4 * (2 * FULL_HOSTS + 4), true);
    const uint32_t vm = big_vm(2 * FULL_HOSTS);

    (void)state;
    hand_start(&w);
    for (uint32_t i = 0; i < 2 * FULL_HOSTS; i++)
        test_table_put(w.t, big_vm(i), i / 2, 0);
    test_table_put(w.t, vm, FULL_HOSTS, 250);
    test_table_put(w.t, vm + 4, FULL_HOSTS + 1, 250);
    for (uint32_t k = 0; k < SAMPLES; k++) {
        for (uint32_t i = 0; i < 2 * FULL_HOSTS; i++)
            hand_ask(&w, big_vm(i), k % 2 == 0 ? 1900 : 1000);
        hand_repeat(&w, 1);
    }
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 1);
    assert_true(hand_action(&w, BL_ACTION_MIGRATE)->host >= FULL_HOSTS);
    hand_shut(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_efficient_load),
        cmocka_unit_test(test_the_kind_that_costs_less),
        cmocka_unit_test(test_a_worse_host_is_exchanged),
        cmocka_unit_test(test_arrivals_before_and_after_anything_is_known),
        cmocka_unit_test(test_an_arrival_wakes_a_host),
        cmocka_unit_test(test_an_arrival_where_nothing_fits),
        cmocka_unit_test(test_who_fits_nowhere_is_spread),
        cmocka_unit_test(test_a_host_behind_many_full_ones_is_found),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
