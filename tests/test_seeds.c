/* SPDX-License-Identifier: Apache-2.0 */
/* test_seeds - means and confidence intervals over several seeds. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "report/seeds.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 1 << 16 };

/* 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32, 7 degrees of freedom. */
static void test_spread_of_a_small_sample(void **state)
{
    static const double x[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
    struct bl_spread s;

    (void)state;
    bl_spread_of(x, 8, &s);
    assert_true(s.mean == 5);
    assert_true(fabs(s.sd - sqrt(32.0 / 7)) < 1e-12);
    assert_true(s.min == 2);
    assert_true(s.max == 9);
    assert_true(fabs(s.half_width - 2.365 * sqrt(32.0 / 7 / 8)) < 1e-12);
}

static void test_equal_values_have_no_spread_at_all(void **state)
{
    double x[10];
    struct bl_spread s;

    (void)state;
    for (int i = 0; i < 10; i++)
        x[i] = 163.48103999999998;
    bl_spread_of(x, 10, &s);
    assert_true(s.sd == 0);
    assert_true(s.half_width == 0);
    assert_true(s.mean == x[0]);
    bl_spread_of(x, 1, &s);
    assert_true(isnan(s.half_width));
}

/* The probability of |T| <= t by Simpson's rule on the density. */
static double within(double t, double freedom)
{
    const double scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) /
                         sqrt(freedom * 3.14159265358979323846);
    const int n = 20000;
    double sum = 0;

    for (int i = 0; i <= n; i++) {
        const double x = t * i / n;
        const double y = pow(1 + x * x / freedom, -(freedom + 1) / 2);

        sum += y * (i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2);
    }
    return 2 * scale * sum * t / n / 3;
}

static void test_quantiles_hold_95_percent(void **state)
{
    static const uint32_t far[] = { 31, 35,  40,  47,   60,    61,
                                    80, 120, 121, 1000, 100000 };

    (void)state;
    for (uint32_t f = 1; f <= 30; f++)
        assert_true(fabs(within(bl_student_t95(f), f) - 0.95) < 1e-4);
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        assert_true(fabs(within(bl_student_t95(far[i]), far[i]) - 0.95) < 1e-4);
    expect_assert_failure(bl_student_t95(0));
}

/* What the word "95 %" promises: of many samples, 95 in 100 intervals hold the
 * true mean. Sums of twelve uniform numbers are nearly normal. */
static void test_intervals_hold_the_mean_as_often_as_they_say(void **state)
{
    enum { SAMPLES = 20000, N = 5 };
    struct bl_prng p = { test_seed() };
    uint32_t hits = 0;

    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        double x[N];
        struct bl_spread s;

        for (int k = 0; k < N; k++) {
            x[k] = -6;
            for (int u = 0; u < 12; u++)
                x[k] += (double)bl_prng_below(&p, 1 << 20) / (1 << 20);
        }
        bl_spread_of(x, N, &s);
        hits += fabs(s.mean) <= s.half_width;
    }
    assert_in_range(hits, SAMPLES * 94 / 100, SAMPLES * 96 / 100);
}

static void fill(struct bl_seed_run *run, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        run[i] = (struct bl_seed_run){ .seed = 5 + i, .state_hash = 77 };
        for (uint32_t k = 0; k < BL_FIGURE_COUNT; k++)
            run[i].value[k] = k;
        run[i].value[BL_FIGURE_energy_kwh] = 100 + i;
        run[i].value[BL_FIGURE_energy_cost] = NAN; /* not asked for */
    }
}

static void test_text_and_json_say_the_same(void **state)
{
    static struct bl_seed_run run[3];
    static const struct bl_identity id = { .policy = "rs" };
    struct bl_seeds s = { &id, run, 3, 3 };
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");
    const json_t *energy;
    json_t *doc;

    (void)state;
    fill(run, 3);
    run[2].state_hash++;
    bl_seeds_text(f, &s, &(struct bl_style){ false, false });
    fclose(f);
    assert_non_null(strstr(text,
                           "energy_kwh                      101          "
                           "  1      98.51566 ..    103.4843\n"));
    assert_null(strstr(text, "energy_cost"));
    assert_null(strstr(text, "The seed changed nothing"));
    assert_null(strstr(text, "PARTIAL"));
    f = fmemopen(text, TEXT, "w");
    assert_ok(bl_seeds_json(f, &s));
    fclose(f);
    doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    energy = json_object_get(json_object_get(doc, "statistics"), "energy_kwh");
    assert_true(json_number_value(json_object_get(energy, "mean")) == 101);
    assert_true(json_number_value(json_object_get(energy, "sd")) == 1);
    assert_int_equal(json_array_size(json_object_get(doc, "runs")), 3);
    assert_true(json_is_true(json_object_get(doc, "seed_matters")));
    assert_true(json_is_false(json_object_get(doc, "partial")));
    json_decref(doc);
    free(text);
}

static void test_says_when_the_seed_cannot_matter_and_when_cut_short(void **st)
{
    static struct bl_seed_run run[3];
    static const struct bl_identity id = { .policy = "static" };
    struct bl_seeds s = { &id, run, 3, 10 };
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    (void)st;
    fill(run, 3);
    bl_seeds_text(f, &s, &(struct bl_style){ false, false });
    fclose(f);
    assert_non_null(strstr(text, "The seed changed nothing"));
    assert_non_null(strstr(text, "PARTIAL: interrupted; 3 of 10 runs"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread_of_a_small_sample),
        cmocka_unit_test(test_equal_values_have_no_spread_at_all),
        cmocka_unit_test(test_quantiles_hold_95_percent),
        cmocka_unit_test(test_intervals_hold_the_mean_as_often_as_they_say),
        cmocka_unit_test(test_text_and_json_say_the_same),
        cmocka_unit_test(
            test_says_when_the_seed_cannot_matter_and_when_cut_short),
    };

    return cmocka_run_group_tests_name("seeds", tests, test_group_setup, NULL);
}
