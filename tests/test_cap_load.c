/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cap_load - what a P-state may do within a budget: an example worked out
 * by hand, then random tables against the power of every load.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "power/cap_load.h"
#include "power/curve.h"

enum { CORES = 4 };

/* 100 .. 200 W at 2 GHz, 80 .. 120 W at 1 GHz. */
static struct bl_freq two_speeds(void)
{
    struct bl_freq f = { .pstate_count = 2, .domain_count = 1 };

    f.pstate[0].khz = 2000000;
    f.pstate[1].khz = 1000000;
    for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
        f.pstate[0].mw[k] = 100000 + 10000 * k;
        f.pstate[1].mw[k] = 80000 + 4000 * k;
    }
    return f;
}

static void test_by_hand(void **state)
{
    const struct bl_freq f = two_speeds();
    struct bl_cap_load c;

    (void)state;
    bl_cap_load_init(&c, &f, CORES);
    assert_int_equal(bl_cap_load_khz(&c, 0, BL_NO_CAP), 8000000);
    assert_int_equal(bl_cap_load_khz(&c, 0, 200000), 8000000);
    assert_int_equal(bl_cap_load_khz(&c, 0, 150000), 4000000);
    assert_int_equal(bl_cap_load_khz(&c, 0, 100000), 0);
    assert_int_equal(bl_cap_load_khz(&c, 0, 99999), 0);
    assert_int_equal(bl_cap_load_khz(&c, 1, 99999), 1999900);
    assert_int_equal(bl_cap_load_khz(&c, 1, 150000), 4000000);
    /* 2 GHz: a quarter at 2 GHz, 125 W; half at 1 GHz, 100 W */
    assert_int_equal(bl_cap_load_mw(&c, 2000000, 0), 100000);
    assert_int_equal(bl_cap_load_mw(&c, 2000000, 1000000), 100000);
    assert_int_equal(bl_cap_load_mw(&c, 2000000, 1000001), 125000);
    assert_int_equal(bl_cap_load_mw(&c, 4000001, 0), 150001);
    assert_int_equal(bl_cap_load_mw(&c, 0, 0), 80000);
    assert_int_equal(bl_cap_load_mw(&c, UINT64_MAX, UINT64_MAX), 200000);
}

static void random_freq(struct bl_prng *p, struct bl_freq *f)
{
    uint64_t khz = 1000000 + bl_prng_below(p, 2000000);

    *f = (struct bl_freq){ .domain_count = 1 };
    f->pstate_count = 1 + (uint32_t)bl_prng_below(p, 4);
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        uint32_t mw = 10000 + (uint32_t)bl_prng_below(p, 50000);

        f->pstate[i].khz = khz;
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            f->pstate[i].mw[k] = mw;
            mw += (uint32_t)bl_prng_below(p, 20000);
        }
        khz -= 1 + bl_prng_below(p, khz / 2);
    }
}

/* Power at @khz of P-state @p, as the world draws it. */
static uint64_t draws(const struct bl_freq *f, uint32_t p, uint64_t khz)
{
    struct bl_power_table t = { .name = "" };
    struct bl_power_curve c;

    for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
        t.mw[k] = f->pstate[p].mw[k];
    bl_power_curve_init(&c, &t);
    return bl_power_mw(&c,
                       (uint32_t)(khz * 1000000 / (f->pstate[p].khz * CORES)));
}

static void test_no_load_is_above_its_budget(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct bl_freq f;
        struct bl_cap_load c;

        random_freq(&prng, &f);
        bl_cap_load_init(&c, &f, CORES);
        for (int i = 0; i < 20; i++) {
            const uint64_t mw = bl_prng_below(&prng, 250000);
            const uint32_t p = (uint32_t)bl_prng_below(&prng, f.pstate_count);
            const uint64_t all = f.pstate[p].khz * CORES;
            const uint64_t khz = bl_cap_load_khz(&c, p, mw);
            const uint64_t ppm_khz = all / 1000000 + 2;

            if (khz > 0)
                assert_true(draws(&f, p, khz) <= mw);
            if (khz < all && khz > 0 && khz + 2 * ppm_khz <= all)
                assert_true(draws(&f, p, khz + 2 * ppm_khz) >= mw);
        }
    }
}

/* Under the budget for it some P-state that is fast enough does the work, and
 * under 2 mW less none does. */
static void test_a_budget_is_enough_and_no_more(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct bl_freq f;
        struct bl_cap_load c;
        uint64_t khz, core, mw, most[2] = { 0, 0 };

        random_freq(&prng, &f);
        bl_cap_load_init(&c, &f, CORES);
        khz = bl_prng_below(&prng, f.pstate[0].khz * CORES + 1);
        core = bl_prng_below(&prng, f.pstate[0].khz + 1);
        mw = bl_cap_load_mw(&c, khz, core);
        for (uint32_t p = 0; p < f.pstate_count; p++)
            for (uint64_t less = 0; less < 2; less++) {
                const uint64_t can = bl_cap_load_khz(&c, p, mw - 2 * less);
                const bool feasible = f.pstate[p].mw[0] <= mw - 2 * less;

                if (f.pstate[p].khz >= core && feasible && can >= most[less])
                    most[less] = can + 1;
            }
        assert_true(most[0] > khz);
        assert_true(most[1] <= khz + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_no_load_is_above_its_budget),
        cmocka_unit_test(test_a_budget_is_enough_and_no_more),
    };

    return cmocka_run_group_tests_name("cap_load", tests, test_group_setup,
                                       NULL);
}
