/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dvfs - tables of P-states from a measured one and from a model, against
 * the plain formula; hosts of one speed.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "power/catalog.h"
#include "power/dvfs.h"

#include <math.h>
#include <string.h>

static struct bl_freq two_speeds(void)
{
    struct bl_freq f = { .pstate_count = 2, .domain_count = 1 };

    f.pstate[0].khz = 2000000;
    f.pstate[0].uv = 1000000;
    f.pstate[1].khz = 1000000;
    f.pstate[1].uv = 800000;
    return f;
}

/* ---- the example -------------------------------------------------------- */

/* Half the speed at 0.8 of the voltage: 0.32 of the switching. */
static void test_a_measured_table_is_scaled(void **state)
{
    const uint32_t table[BL_POWER_POINTS] = { 50000,  60000,  70000,  80000,
                                              90000,  100000, 110000, 120000,
                                              130000, 140000, 150000 };
    struct bl_freq f = two_speeds();

    (void)state;
    assert_ok(bl_dvfs_scale(&f, table));
    assert_memory_equal(f.pstate[0].mw, table, sizeof(table));
    assert_int_equal(f.pstate[1].mw[0], 50000);
    assert_int_equal(f.pstate[1].mw[5], 66000);
    assert_int_equal(f.pstate[1].mw[10], 82000);
    bl_freq_check(&f, 4);
}

static void test_a_model_becomes_tables(void **state)
{
    const struct bl_dvfs_model m = { .static_mw = 40000,
                                     .leak_mw = 1000,
                                     .switch_mw = 5000 };
    struct bl_freq f = two_speeds();

    (void)state;
    assert_ok(bl_dvfs_apply(&f, 8, &m));
    assert_int_equal(f.pstate[0].mw[0], 40000);
    assert_int_equal(f.pstate[0].mw[5], 64000);
    assert_int_equal(f.pstate[0].mw[10], 88000);
    assert_int_equal(f.pstate[1].mw[0], 40000);
    assert_int_equal(f.pstate[1].mw[10], 40000 + 8 * (800 + 1600));
    bl_freq_check(&f, 8);
}

static void test_without_voltages_only_the_speed_scales(void **state)
{
    struct bl_freq f = two_speeds();
    const uint32_t table[BL_POWER_POINTS] = { 10, 10, 10, 10, 10, 10,
                                              10, 10, 10, 10, 31 };

    (void)state;
    f.pstate[0].uv = f.pstate[1].uv = 0;
    assert_ok(bl_dvfs_scale(&f, table));
    assert_int_equal(f.pstate[1].mw[9], 10);
    assert_int_equal(f.pstate[1].mw[10], 21); /* 10.5 up */
}

static void test_one_speed(void **state)
{
    const struct bl_power_table *t = &bl_power_catalog_entry(3)->table;
    struct bl_freq f;

    (void)state;
    bl_freq_single(&f, 2933000, t->mw);
    bl_freq_check(&f, 4);
    assert_int_equal(f.pstate_count, 1);
    assert_int_equal(f.pstate[0].khz, 2933000);
    assert_memory_equal(f.pstate[0].mw, t->mw, sizeof(t->mw));
}

/* ---- errors ------------------------------------------------------------- */

static void test_too_much_power_changes_nothing(void **state)
{
    uint32_t table[BL_POWER_POINTS];
    struct bl_freq f = two_speeds(), before;
    const struct bl_dvfs_model m = { .static_mw = 1,
                                     .switch_mw = BL_POWER_MW_MAX / 2 };

    (void)state;
    /* a slower P-state at ten times the voltage */
    f.pstate[1].uv = 10000000;
    for (int k = 0; k < BL_POWER_POINTS; k++)
        table[k] = (uint32_t)k * (BL_POWER_MW_MAX / 10);
    before = f;
    assert_int_equal(bl_dvfs_scale(&f, table), BL_ERR_INVAL);
    assert_memory_equal(&f, &before, sizeof(f));
    assert_int_equal(bl_dvfs_apply(&f, 2, &m), BL_ERR_INVAL);
    assert_memory_equal(&f, &before, sizeof(f));
    /* so much that 64 bits do not hold it: at 10^7 times the voltage */
    f.pstate[0].uv = 1;
    table[0] = 1000;
    for (int k = 1; k < BL_POWER_POINTS; k++)
        table[k] = BL_POWER_MW_MAX;
    before = f;
    assert_int_equal(bl_dvfs_scale(&f, table), BL_ERR_INVAL);
    assert_int_equal(bl_dvfs_apply(&f, 2, &m), BL_ERR_INVAL);
    assert_memory_equal(&f, &before, sizeof(f));
}

static void test_misuse_asserts(void **state)
{
    const uint32_t falls[BL_POWER_POINTS] = { 9, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9 };
    const struct bl_dvfs_model m = { .static_mw = 1 };
    struct bl_freq f = two_speeds();

    (void)state;
    expect_assert_failure(assert_ok(bl_dvfs_scale(&f, falls)));
    expect_assert_failure(assert_ok(bl_dvfs_apply(&f, 0, &m)));
    f.pstate[1].uv = 0; /* of one, but not of the other */
    expect_assert_failure(assert_ok(bl_dvfs_apply(&f, 1, &m)));
    f = two_speeds();
    f.pstate_count = 0;
    expect_assert_failure(assert_ok(bl_dvfs_apply(&f, 1, &m)));
}

/* ---- against the formula ------------------------------------------------ */

static void random_freq(struct bl_prng *p, struct bl_freq *f)
{
    const bool volts = bl_prng_below(p, 4) > 0;
    uint64_t khz = 1000000 + bl_prng_below(p, 3000000);
    uint32_t uv = (uint32_t)(900000 + bl_prng_below(p, 400000));

    *f = (struct bl_freq){ .domain_count = 1 };
    f->pstate_count = (uint32_t)(1 + bl_prng_below(p, BL_PSTATES_MAX));
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        f->pstate[i].khz = khz;
        f->pstate[i].uv = volts ? uv : 0;
        khz -= 1 + bl_prng_below(p, 60000);
        uv -= (uint32_t)bl_prng_below(p, 30000);
    }
}

/* @x to the nearest; a double is off by less than 1e-6 of a mW here. */
static void assert_nearest(uint32_t got, double x)
{
    assert_true(fabs(got - x) <= 0.5 + 1e-5);
}

static void test_formula(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 1);
    struct bl_freq f, g;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const struct bl_power_table *t =
            &bl_power_catalog_entry((uint32_t)bl_prng_below(&p, 18))->table;
        const uint32_t cores = (uint32_t)(1 + bl_prng_below(&p, 128));
        const struct bl_dvfs_model m = {
            .static_mw = (uint32_t)bl_prng_below(&p, 200000),
            .leak_mw = (uint32_t)bl_prng_below(&p, 3000),
            .switch_mw = (uint32_t)bl_prng_below(&p, 9000),
        };

        random_freq(&p, &f);
        g = f;
        assert_ok(bl_dvfs_scale(&f, t->mw));
        assert_ok(bl_dvfs_apply(&g, cores, &m));
        bl_freq_check(&f, 1);
        bl_freq_check(&g, 1);
        assert_memory_equal(f.pstate[0].mw, t->mw, sizeof(t->mw));
        for (uint32_t i = 0; i < f.pstate_count; i++) {
            const double hz = (double)f.pstate[i].khz / (double)f.pstate[0].khz;
            const double v = f.pstate[0].uv > 0
                                 ? (double)f.pstate[i].uv / f.pstate[0].uv
                                 : 1;

            for (int k = 0; k < BL_POWER_POINTS; k++) {
                assert_nearest(f.pstate[i].mw[k],
                               t->mw[0] + (t->mw[k] - t->mw[0]) * v * v * hz);
                assert_nearest(g.pstate[i].mw[k],
                               m.static_mw + cores * (k / 10.0) *
                                                 (m.leak_mw * v +
                                                  m.switch_mw * v * v * hz));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_measured_table_is_scaled),
        cmocka_unit_test(test_a_model_becomes_tables),
        cmocka_unit_test(test_without_voltages_only_the_speed_scales),
        cmocka_unit_test(test_one_speed),
        cmocka_unit_test(test_too_much_power_changes_nothing),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_formula),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
