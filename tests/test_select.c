/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_select - which VM leaves an overloaded host: each rule by hand, then
 * against a plain version on random hosts.
 */
#include "tests/test.h"

#include "cluster/numeric.h"
#include "cluster/select.h"
#include "tests/support_table.h"

#include <math.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct test_table *t;
    struct bl_overlay *ov;
    struct bl_select *c;
};

static struct fixture fixture_new(uint32_t hosts, uint32_t slots,
                                  enum bl_select_rule rule, uint64_t seed)
{
    struct fixture f = { .t = test_table_new(hosts, slots, BL_HISTORY_MAX) };

    assert_ok(
        bl_overlay_create(&f.t->arena, hosts, f.t->c.resident_max, 64, &f.ov));
    assert_ok(bl_select_create(&f.t->arena, rule, seed, &f.c));
    bl_overlay_reset(f.ov, &f.t->s);
    return f;
}

static uint32_t chosen(struct fixture *f, uint32_t host)
{
    return bl_select_vm(f->c, &f->t->s, f->ov, host);
}

/* ---- by hand ------------------------------------------------------------ */

static void test_the_one_with_the_least_memory_leaves(void **state)
{
    struct fixture f = fixture_new(2, 8, BL_SELECT_MMT, 1);

    (void)state;
    assert_int_equal(chosen(&f, 0), BL_NONE); /* nobody is there */
    test_table_put(f.t, 3, 0, 100);           /* 4 GiB */
    test_table_put(f.t, 2, 0, 100);           /* 2 GiB */
    test_table_put(f.t, 1, 0, 100); /* 2 GiB: the same, later in the list */
    test_table_look(f.t);
    bl_overlay_reset(f.ov, &f.t->s);
    assert_int_equal(chosen(&f, 0), 2);
    f.t->c.vm_mem_used_bytes[3] = 1; /* what it is configured with decides */
    assert_int_equal(chosen(&f, 0), 2);
    /* it is taken on the overlay alone: the next one */
    bl_overlay_take(f.ov, 0, 2);
    assert_int_equal(chosen(&f, 0), 1);
    bl_overlay_take(f.ov, 0, 1);
    assert_int_equal(chosen(&f, 0), 3);
    bl_overlay_take(f.ov, 0, 3);
    assert_int_equal(chosen(&f, 0), BL_NONE);
    test_table_free(f.t);
}

static void test_the_least_used_one_leaves(void **state)
{
    struct fixture f = fixture_new(2, 8, BL_SELECT_MU, 1);

    (void)state;
    test_table_put(f.t, 1, 0, 600); /* of 2000 */
    test_table_put(f.t, 0, 0, 250); /* of 1000 */
    test_table_put(f.t, 2, 0, 500); /* of 2000: the same, later */
    test_table_look(f.t);
    bl_overlay_reset(f.ov, &f.t->s);
    assert_int_equal(chosen(&f, 0), 0);
    f.t->c.vm_demand_mhz[2] = 499;
    assert_int_equal(chosen(&f, 0), 2);
    test_table_free(f.t);
}

/* The peaks of VM 0 and 2 coincide; VM 1 goes its own way. */
static void test_the_one_whose_peaks_coincide_leaves(void **state)
{
    struct fixture f = fixture_new(2, 8, BL_SELECT_MC, 1);

    (void)state;
    test_table_put(f.t, 1, 0, 0);
    test_table_put(f.t, 2, 0, 0);
    test_table_put(f.t, 0, 0, 0);
    for (uint32_t i = 0; i < 20; i++) {
        f.t->c.vm_util[0] = i % 5 / 10.0;
        f.t->c.vm_util[2] = i % 5 / 8.0 + (i == 7 ? 0.01 : 0);
        f.t->c.vm_util[1] = (i * i % 7) / 10.0;
        bl__columns_push_history(&f.t->c);
    }
    test_table_look(f.t);
    bl_overlay_reset(f.ov, &f.t->s);
    assert_int_not_equal(chosen(&f, 0), 1);
    test_table_free(f.t);
}

static void test_any_one_may_leave_and_a_seed_repeats_it(void **state)
{
    struct fixture f = fixture_new(2, 8, BL_SELECT_RS, 7);
    struct bl_select *again, *other;
    uint32_t times[8] = { 0 }, differ = 0;

    (void)state;
    assert_ok(bl_select_create(&f.t->arena, BL_SELECT_RS, 7, &again));
    assert_ok(bl_select_create(&f.t->arena, BL_SELECT_RS, 8, &other));
    for (uint32_t vm = 0; vm < 5; vm++)
        test_table_put(f.t, vm, 1, 100);
    test_table_migrate(f.t, 4, 0);
    test_table_look(f.t);
    bl_overlay_reset(f.ov, &f.t->s);
    for (int i = 0; i < 4000; i++) {
        const uint32_t vm = chosen(&f, 1);

        assert_in_range(vm, 0, 3);
        times[vm]++;
        assert_int_equal(bl_select_vm(again, &f.t->s, f.ov, 1), vm);
        differ += bl_select_vm(other, &f.t->s, f.ov, 1) != vm;
    }
    for (int vm = 0; vm < 4; vm++)
        assert_in_range(times[vm], 900, 1100);
    assert_in_range(differ, 2800, 3200);      /* three times in four */
    assert_int_equal(chosen(&f, 0), BL_NONE); /* it migrates already */
    test_table_free(f.t);
}

/* ---- a plain version of each rule --------------------------------------- */

static uint32_t movable(const struct fixture *f, uint32_t host, uint32_t *vm)
{
    uint32_t n, count = 0;
    const uint32_t *list = bl_overlay_vms(f->ov, host, &n);

    for (uint32_t i = 0; i < n; i++)
        if (!f->t->s.vm.migrating[list[i]])
            vm[count++] = list[i];
    return count;
}

/* The first of those with the least @key. */
static uint32_t first_least(const uint32_t *vm, uint32_t n, const double *key)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++)
        if (key[vm[i]] < key[vm[best]])
            best = i;
    return n > 0 ? vm[best] : BL_NONE;
}

static uint32_t plain_mc(const struct fixture *f, const uint32_t *vm,
                         uint32_t n, uint32_t least_memory)
{
    static double scratch[64 * 64];
    double most = 0;
    uint32_t best = 0, samples = BL_HISTORY_MAX;

    if (n < 2 || n > BL_HISTORY_MAX)
        return least_memory;
    for (uint32_t i = 0; i < n; i++)
        if (f->t->s.history.count[vm[i]] < samples)
            samples = f->t->s.history.count[vm[i]];
    for (uint32_t i = 0; i < n; i++) {
        const double *x[64];
        uint32_t k = 0, unused;
        double r2;

        for (uint32_t j = 0; j < n; j++)
            if (j != i)
                x[k++] = bl_vm_history(&f->t->s, vm[j], &unused);
        if (!bl_r_squared(bl_vm_history(&f->t->s, vm[i], &unused), x, k,
                          samples, scratch, &r2))
            return least_memory;
        if (r2 > most) {
            most = r2;
            best = i;
        }
    }
    return vm[best];
}

static void compare(struct fixture *f, enum bl_select_rule rule, uint32_t host)
{
    static double memory[64], util[64];
    uint32_t vm[64], least_memory;
    const uint32_t n = movable(f, host, vm), got = chosen(f, host);
    bool there = n == 0 && got == BL_NONE;

    for (uint32_t i = 0; i < n; i++) {
        memory[vm[i]] = (double)f->t->s.vm.mem_size_bytes[vm[i]];
        util[vm[i]] = f->t->s.vm.demand_mhz[vm[i]] / f->t->s.vm.size_mhz[vm[i]];
        there = there || vm[i] == got;
    }
    assert_true(there);
    least_memory = first_least(vm, n, memory);
    if (rule == BL_SELECT_MMT)
        assert_int_equal(got, least_memory);
    else if (rule == BL_SELECT_MU)
        assert_int_equal(got, first_least(vm, n, util));
    else if (rule == BL_SELECT_MC)
        assert_int_equal(got, plain_mc(f, vm, n, least_memory));
}

/* mc without a regression is mmt: too many VMs, too few, too few samples,
 * predictors that explain nothing. */
static void test_correlation_falls_back_on_memory(void **state)
{
    static const struct {
        uint32_t vms, samples;
        bool flat;
        bool falls_back;
    } rows[] = { { 1, 20, false, true },   { 3, 2, false, true },
                 { 3, 3, false, false },   { 3, 20, true, true },
                 { 30, 30, false, false }, { 31, 30, false, true } };
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f = fixture_new(2, 64, BL_SELECT_MC, 1);
        const uint32_t first = 3; /* 4 GiB: never what mmt takes, if it can */
        uint32_t vm;

        print_message("    row: %zu\n", i);
        for (uint32_t v = 0; v < rows[i].vms; v++)
            test_table_put(f.t, first + v, 0, 0);
        for (uint32_t s = 0; s < rows[i].samples; s++) {
            for (uint32_t v = 0; v < rows[i].vms; v++)
                f.t->c.vm_util[first + v] =
                    rows[i].flat && v == 1
                        ? 0
                        : (double)bl_prng_below(&prng, 1000) / 1000;
            /* what explains everything: the first one is the sum of two */
            if (rows[i].vms > 2 && !rows[i].flat)
                f.t->c.vm_util[first] =
                    f.t->c.vm_util[first + 1] + f.t->c.vm_util[first + 2];
            bl__columns_push_history(&f.t->c);
        }
        test_table_look(f.t);
        bl_overlay_reset(f.ov, &f.t->s);
        vm = chosen(&f, 0);
        if (rows[i].falls_back)
            assert_int_equal(vm, rows[i].vms == 1 ? first : first + 1);
        else
            compare(&f, BL_SELECT_MC, 0);
        test_table_free(f.t);
    }
}

/* One leaves after the other, as from an overloaded host. */
static void empty_host(struct fixture *f, enum bl_select_rule rule, uint32_t h)
{
    for (uint32_t vm = 0; vm != BL_NONE;) {
        compare(f, rule, h);
        vm = chosen(f, h);
        if (vm != BL_NONE)
            bl_overlay_take(f->ov, h, vm);
    }
}

static void test_every_rule_matches_a_plain_version(void **state)
{
    static const enum bl_select_rule rules[] = { BL_SELECT_MMT, BL_SELECT_MC,
                                                 BL_SELECT_RS, BL_SELECT_MU };
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct fixture f = fixture_new(4, 24, rules[i], 3);

        for (int instant = 0; instant < 300; instant++) {
            test_table_stir(f.t, &prng);
            bl_overlay_reset(f.ov, &f.t->s);
            for (uint32_t h = 0; h < 4; h++)
                empty_host(&f, rules[i], h);
        }
        test_table_free(f.t);
    }
}

/* ---- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    struct bl_select *c = NULL;
    long n = 0;

    (void)state;
    for (; c == NULL; n++) {
        struct bl_arena a;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = n;
        assert_int_equal(bl_select_create(&a, BL_SELECT_MC, 1, &c),
                         n < 2 ? BL_ERR_NOMEM : BL_ERR_OK);
        bl_arena_free(&a);
    }
    assert_int_equal(n - 1, 2); /* the module's allocation budget, pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_one_with_the_least_memory_leaves),
        cmocka_unit_test(test_the_least_used_one_leaves),
        cmocka_unit_test(test_the_one_whose_peaks_coincide_leaves),
        cmocka_unit_test(test_any_one_may_leave_and_a_seed_repeats_it),
        cmocka_unit_test(test_correlation_falls_back_on_memory),
        cmocka_unit_test(test_every_rule_matches_a_plain_version),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("select", tests, test_group_setup, NULL);
}
