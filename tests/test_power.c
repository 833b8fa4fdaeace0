/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_power - what a host draws: the curve between measured loads, and the
 * catalogue of measured servers.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "power/catalog.h"
#include "power/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the example -------------------------------------------------------- */

static void test_a_server_of_2008(void **state)
{
    const struct bl_power_table *t =
        bl_power_catalog_find("HpProLiantMl110G5Xeon3075");
    struct bl_power_curve c;

    (void)state;
    assert_non_null(t);
    bl_power_curve_init(&c, t);
    assert_int_equal(bl_power_mw(&c, 0), 93700);
    assert_int_equal(bl_power_mw(&c, 500000), 116000);
    assert_int_equal(bl_power_mw(&c, 450000), 113000); /* 110 and 116 W */
    assert_int_equal(bl_power_mw(&c, 1000000), 135000);
    assert_true(bl_power_watts(&c, 0) == 93.7);
    assert_true(bl_power_watts(&c, 0.5) == 116);
    assert_true(fabs(bl_power_watts(&c, 0.45) - 113) < 1e-9);
    assert_true(bl_power_watts(&c, 1) == 135);
}

static void test_utilisation_out_of_range_asserts(void **state)
{
    struct bl_power_curve c;

    (void)state;
    bl_power_curve_init(&c, &bl_power_catalog_entry(0)->table);
    expect_assert_failure(bl_power_mw(&c, 1000001));
    expect_assert_failure(bl_power_watts(&c, -1e-300));
    expect_assert_failure(bl_power_watts(&c, 1.0000000000000002));
    expect_assert_failure(bl_power_watts(&c, NAN));
}

/* ---- the integer reading: the real line, rounded down ------------------- */

/* Tables from flat to steep, and one that falls, which no scenario may have. */
static const struct bl_power_table shapes[] = {
    { "flat", { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } },
    { "nothing", { 0 } },
    { "by one", { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } },
    { "steep", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, BL_POWER_MW_MAX } },
    { "uneven",
      { 7, 100003, 100003, 250001, 250002, 999999, 1000000, 1000003, 1999993,
        3000017, 3000018 } },
    { "falls", { 1000, 901, 800, 799, 650, 13, 12, 11, 10, 5, 0 } },
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static void expect_line(const struct bl_power_table *t, uint32_t step_ppm)
{
    struct bl_power_curve c;
    uint32_t before = 0;
    const bool rises = t->mw[0] <= t->mw[BL_POWER_POINTS - 1];

    bl_power_curve_init(&c, t);
    for (uint32_t ppm = 0; ppm <= 1000000; ppm += step_ppm) {
        const uint32_t i = ppm == 1000000 ? 9 : ppm / 100000;
        const uint64_t part = ppm - i * 100000;
        const uint64_t sum =
            t->mw[i] * (100000 - part) + (uint64_t)t->mw[i + 1] * part;
        const uint32_t mw = bl_power_mw(&c, ppm);

        if (mw != sum / 100000)
            fail_msg("%s at %u ppm: %u mW, expected %llu", t->name, ppm, mw,
                     (unsigned long long)(sum / 100000));
        assert_true(!rises || mw >= before);
        before = mw;
    }
}

static void test_mw_is_the_line_rounded_down(void **state)
{
    const struct bl_power_entry *e;

    (void)state;
    for (uint32_t i = 0; i < SHAPES; i++)
        expect_line(&shapes[i], 1);
    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++)
        expect_line(&e->table, 25);
}

/* ---- the double reading: the published program's, bit for bit ----------- */

/* As that program has it, branch and all; @u is within 0 .. 1. */
static double program_watts(const struct bl_power_table *t, double u)
{
    const int below = (int)floor(u * 10), above = (int)ceil(u * 10);
    const double p1 = t->mw[below] / 1000.0, p2 = t->mw[above] / 1000.0;
    const double delta = (p2 - p1) / 10;

    if (fmod(u, 0.1) == 0)
        return t->mw[(int)(u * 10)] / 1000.0;
    return p1 + delta * (u - (double)below / 10) * 100;
}

static void expect_program(const struct bl_power_table *t,
                           const struct bl_power_curve *c, double u)
{
    const double want = program_watts(t, u), got = bl_power_watts(c, u);

    if (want != got)
        fail_msg("%s at %.17g: %.17g W, expected %.17g", t->name, u, got, want);
}

/* All doubles for which fmod(u, 0.1) is 0, found by trying: multiples of 0.1
 * and what lies next to them. */
static void test_the_branch_left_out_changes_nothing(void **state)
{
    struct bl_power_curve c;
    uint32_t taken = 0;

    (void)state;
    for (uint32_t i = 0; i < SHAPES; i++) {
        bl_power_curve_init(&c, &shapes[i]);
        for (int k = 0; k <= 10; k++) {
            double u = k * 0.1;

            for (int back = 0; back < 8 && u > 0; back++)
                u = nextafter(u, 0);
            for (int n = 0; n < 17 && u <= 1; n++, u = nextafter(u, 2)) {
                expect_program(&shapes[i], &c, u);
                taken += fmod(u, 0.1) == 0;
            }
        }
    }
    assert_int_equal(taken, SHAPES * 5); /* 0, 0.1, 0.2, 0.4 and 0.8 */
}

static void test_watts_are_the_programs(void **state)
{
    struct bl_prng prng = { test_seed() };
    const struct bl_power_entry *e;
    struct bl_power_curve c;

    (void)state;
    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++) {
        bl_power_curve_init(&c, &e->table);
        for (int n = 0; n <= 10000; n++)
            expect_program(&e->table, &c, n / 10000.0);
        for (int n = 0; n < 20000; n++)
            expect_program(&e->table, &c,
                           (double)(bl_prng_next(&prng) >> 11) / 0x1p53);
    }
}

/* Two readings of one table differ by the rounding of the first. */
static void test_both_readings_agree(void **state)
{
    struct bl_power_curve c;

    (void)state;
    for (uint32_t i = 0; i < SHAPES; i++) {
        bl_power_curve_init(&c, &shapes[i]);
        for (uint32_t ppm = 0; ppm <= 1000000; ppm += 7) {
            const double mw = bl_power_watts(&c, ppm / 1e6) * 1000;

            assert_true(bl_power_mw(&c, ppm) <= mw + 1e-3);
            assert_true(bl_power_mw(&c, ppm) >= mw - 1 - 1e-3);
        }
    }
}

/* ---- the catalogue ------------------------------------------------------ */

static int year_of(const struct bl_power_entry *e)
{
    return (int)strtol(strrchr(e->about, ' '), NULL, 10);
}

/* The load, in tenths, at which a server does the most for its energy. */
static int best_load(const struct bl_power_entry *e)
{
    int best = 1;

    for (int i = 2; i < BL_POWER_POINTS; i++)
        if ((uint64_t)i * e->table.mw[best] > (uint64_t)best * e->table.mw[i])
            best = i;
    return best;
}

static void test_every_entry_is_sound(void **state)
{
    const struct bl_power_entry *e;
    uint32_t n = 0;

    (void)state;
    for (; (e = bl_power_catalog_entry(n)) != NULL; n++) {
        assert_true(memchr(e->table.name, '\0', BL_NAME_BYTES) != NULL);
        assert_in_range(year_of(e), 2000, 2100);
        assert_ptr_equal(bl_power_catalog_find(e->table.name), &e->table);
        assert_true(e->table.mw[0] > 0);
        for (int i = 1; i < BL_POWER_POINTS; i++)
            assert_true(e->table.mw[i - 1] <= e->table.mw[i]);
        assert_true(e->table.mw[BL_POWER_POINTS - 1] <= BL_POWER_MW_MAX);
        if (n > 0)
            assert_true(year_of(bl_power_catalog_entry(n - 1)) <= year_of(e));
    }
    assert_true(n > 7);
    assert_null(bl_power_catalog_entry(n));
    assert_null(bl_power_catalog_entry(UINT32_MAX));
    assert_null(bl_power_catalog_find(""));
    assert_null(bl_power_catalog_find("HpProLiantMl110G5Xeon307"));
    assert_null(bl_power_catalog_find("hpProLiantMl110G5Xeon3075"));
}

/* What catalog.h says of old and new servers. */
static void test_new_servers_are_best_below_full_load(void **state)
{
    const struct bl_power_entry *e;
    int newer = 0, below = 0;

    (void)state;
    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++) {
        if (year_of(e) <= 2009)
            assert_int_equal(best_load(e), 10);
        if (year_of(e) > 2012) {
            newer++;
            below += best_load(e) == 7 || best_load(e) == 8;
        }
    }
    assert_true(newer >= 5);
    assert_true(2 * below > newer);
}

/* One server of a published table: its name, then watts at 11 loads. */
static void expect_published(char *line)
{
    const struct bl_power_table *t;
    char *at = strchr(line, ',');

    assert_non_null(at);
    *at++ = '\0';
    t = bl_power_catalog_find(line);
    if (t == NULL)
        fail_msg("%s is not in the catalogue", line);
    for (int i = 0; i < BL_POWER_POINTS; i++, at++)
        assert_int_equal(t->mw[i], lround(strtod(at, &at) * 1000));
}

static void test_the_papers_servers_are_as_published(void **state)
{
    static const char path[] =
        "../shared/traces/specpower/cloudsim_servers.csv";
    FILE *f = fopen(path, "r");
    char line[512];
    int n = 0;

    (void)state;
    if (f == NULL) {
        print_message("    skipped: no %s\n", path);
        skip();
    }
    assert_non_null(fgets(line, sizeof(line), f)); /* the heading */
    for (; fgets(line, sizeof(line), f) != NULL; n++)
        expect_published(line);
    assert_int_equal(n, 7);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_of_2008),
        cmocka_unit_test(test_utilisation_out_of_range_asserts),
        cmocka_unit_test(test_mw_is_the_line_rounded_down),
        cmocka_unit_test(test_the_branch_left_out_changes_nothing),
        cmocka_unit_test(test_watts_are_the_programs),
        cmocka_unit_test(test_both_readings_agree),
        cmocka_unit_test(test_every_entry_is_sound),
        cmocka_unit_test(test_new_servers_are_best_below_full_load),
        cmocka_unit_test(test_the_papers_servers_are_as_published),
    };

    return cmocka_run_group_tests_name("power", tests, test_group_setup, NULL);
}
