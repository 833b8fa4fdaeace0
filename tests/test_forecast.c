/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_forecast - the quantile of a sum, its trend, and the time of day: by
 * hand, then against plain second versions on random series.
 */
#include "base/prng.h"
#include "cluster/forecast.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR_NS INT64_C(3600000000000)
#define DAY_NS (24 * HOUR_NS)

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

static struct bl_forecast forecast(const double *y, uint32_t n, double q,
                                   double smoothing)
{
    double gain[BL_HISTORY_MAX];
    const struct bl_forecast_opts opts = { .quantile = q,
                                           .gain = gain,
                                           .lead = 1 };
    struct bl_forecast f;

    bl_forecast_gains(smoothing, gain);
    bl_forecast_series(y, n, &opts, &f);
    return f;
}

/* ---- by hand
 * ------------------------------------------------------------------ */

static void test_quantiles_by_hand(void **state)
{
    static const double y[] = { 30, 10, 50, 20, 40 };

    (void)state;
    assert_true(bl_forecast_quantile(y, 5, 1) == 50);
    assert_true(bl_forecast_quantile(y, 5, 0.5) == 30);
    assert_true(bl_forecast_quantile(y, 5, 0.75) == 40);
    assert_true(near(bl_forecast_quantile(y, 5, 0.9), 46));
    assert_true(bl_forecast_quantile(y, 1, 0.9) == 30);
}

static void test_normal_quantiles(void **state)
{
    (void)state; /* of any table of the normal distribution */
    assert_true(bl_forecast_normal(0.5) == 0);
    assert_true(fabs(bl_forecast_normal(0.9) - 1.2815516) < 1e-6);
    assert_true(fabs(bl_forecast_normal(0.95) - 1.6448536) < 1e-6);
    assert_true(bl_forecast_normal(0.99) == bl_forecast_normal(1));
}

static void test_a_steady_series_is_its_own_forecast(void **state)
{
    static const double y[] = { 7, 7, 7, 7, 7, 7 };
    const struct bl_forecast f = forecast(y, COUNT(y), 0.95, 0.2);

    (void)state;
    assert_true(f.mean == 7 && f.level == 7 && f.rise == 0);
    assert_true(f.next_count == 5);
    assert_true(near(f.confidence, 5.0 / 7));
}

static void test_one_sample_is_not_much(void **state)
{
    static const double y[] = { 7 };
    const struct bl_forecast f = forecast(y, 1, 0.95, 0.2);

    (void)state;
    assert_true(f.mean == 7 && f.level == 7 && f.confidence == 0);
    assert_true(f.next_count == 1 && f.next[0] == 7);
}

/* Oldest first 10, 20, 10: the level starts at 10, misses 20 by 10, takes half
 * of that, then misses 10 by -5 and, at a gain of a half, ends at 12.5. */
static void test_errors_of_smoothing_by_hand(void **state)
{
    static const double y[] = { 10, 20, 10 };
    const struct bl_forecast f = forecast(y, 3, 1, 0.5);

    (void)state;
    assert_true(near(f.mean, 12.5));
    assert_true(f.next_count == 2);
    assert_true(near(f.next[0], 22.5) && near(f.next[1], 7.5));
    assert_true(near(f.level, 22.5));
}

/* What the level is made of comes from recent samples: when a fleet calms down,
 * so does its forecast, long before the window has passed. */
static void test_a_fall_is_followed(void **state)
{
    double y[BL_HISTORY_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT(y); i++)
        y[i] = i < 12 ? 50 : 100; /* newest first */
    assert_true(forecast(y, COUNT(y), 0.9, 0.2).mean < 55);
    assert_true(forecast(y, COUNT(y), 0.9, 0.01).mean > 75);
}

static void test_a_rise_is_extended(void **state)
{
    double y[BL_HISTORY_MAX];
    struct bl_forecast f;

    (void)state;
    for (uint32_t i = 0; i < COUNT(y); i++)
        y[i] = 100 - 2.0 * i + (i % 2); /* newest first: up by 2 a sample */
    f = forecast(y, COUNT(y), 0.5, 0.2);
    assert_true(fabs(f.rise - 2) < 0.02);
    for (uint32_t i = 0; i < COUNT(y); i++)
        y[i] = 100 + 2.0 * i + (i % 2);
    assert_true(forecast(y, COUNT(y), 0.5, 0.2).rise == 0);
}

static void test_noise_is_no_trend(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t rises = 0;

    (void)state;
    for (uint32_t k = 0; k < 2000; k++) {
        double y[BL_HISTORY_MAX];

        for (uint32_t i = 0; i < COUNT(y); i++)
            y[i] = (double)bl_prng_below(&prng, 1000);
        rises += forecast(y, COUNT(y), 0.9, 0.2).rise > 0;
    }
    assert_in_range(rises, 1, 60); /* 1 % expected, half of the cases rise */
}

/* ---- sums
 * --------------------------------------------------------------------- */

/* Two VMs that take turns need no more together than one at its peak; two that
 * do the same need twice as much. A sum of quantiles could not tell. */
static void test_who_peaks_with_whom(void **state)
{
    double a[BL_HISTORY_MAX], turns[BL_HISTORY_MAX], same[BL_HISTORY_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT(a); i++) {
        a[i] = i % 2 ? 100 : 0;
        turns[i] = a[i] + (i % 2 ? 0 : 100);
        same[i] = 2 * a[i];
    }

    const double alone = forecast(a, COUNT(a), 0.95, 0.2).level;

    assert_true(near(forecast(turns, COUNT(a), 0.95, 0.2).level, 100));
    assert_true(near(forecast(same, COUNT(a), 0.95, 0.2).level, 2 * alone));
    assert_true(alone > 75);
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double plain_quantile(const double *y, uint32_t n, double q)
{
    double sorted[BL_HISTORY_MAX], at = q * (n - 1);
    uint32_t i;

    memcpy(sorted, y, n * sizeof(*y));
    qsort(sorted, n, sizeof(*sorted), rising);
    i = (uint32_t)floor(at);
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i])
                     : sorted[n - 1];
}

static void test_quantiles_of_random_series(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (uint32_t k = 0; k < 5000; k++) {
        const uint32_t n = 1 + (uint32_t)bl_prng_below(&prng, BL_HISTORY_MAX);
        const double q = 0.5 + (double)bl_prng_below(&prng, 501) / 1000;
        double y[BL_HISTORY_MAX];

        for (uint32_t i = 0; i < n; i++)
            y[i] = (double)bl_prng_below(&prng, 50); /* ties, too */
        assert_true(
            near(bl_forecast_quantile(y, n, q), plain_quantile(y, n, q)));
    }
}

/* ---- time of day
 * -------------------------------------------------------------- */

/* 100 by night, 200 from 8 to 16 o'clock, and a little of its own each day. */
static double office(int64_t at_ns, uint32_t day)
{
    const int64_t hour = at_ns % DAY_NS / HOUR_NS;

    return (hour >= 8 && hour < 16 ? 200 : 100) +
           3.0 * (double)((hour + day) % 3);
}

static void run_days(struct bl_season *s, uint32_t days, bool pattern,
                     struct bl_prng *prng)
{
    for (int64_t t = 0; t < days * DAY_NS; t += HOUR_NS / 12)
        bl_season_add(s, t,
                      pattern ? office(t, (uint32_t)(t / DAY_NS))
                              : 100 + (double)bl_prng_below(prng, 100));
}

static void test_a_day_must_be_seen_twice(void **state)
{
    struct bl_season s;

    (void)state;
    bl_season_init(&s);
    run_days(&s, 2, true, NULL);
    /* the second day is not over before the third begins */
    assert_true(s.confidence == 0);
    assert_true(bl_season_rise(&s, 7 * HOUR_NS, 2 * HOUR_NS) == 1);
    bl_season_add(&s, 2 * DAY_NS, 100);
    assert_true(s.confidence > 0.9);
    assert_int_equal(s.days, 2);
    /* at seven, eight is near; at eleven nothing more will come */
    assert_true(bl_season_rise(&s, 2 * DAY_NS + 7 * HOUR_NS, 2 * HOUR_NS) >
                1.8);
    assert_true(bl_season_rise(&s, 2 * DAY_NS + 1 * HOUR_NS, 2 * HOUR_NS) <
                1.1);
    assert_true(bl_season_rise(&s, 2 * DAY_NS + 11 * HOUR_NS, 2 * HOUR_NS) <
                1.1);
}

static void test_noise_is_no_time_of_day(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct bl_season s;

    (void)state;
    bl_season_init(&s);
    run_days(&s, 4, false, &prng);
    bl_season_add(&s, 4 * DAY_NS, 100);
    assert_true(s.confidence == 0);
    assert_true(bl_season_rise(&s, 4 * DAY_NS, HOUR_NS) == 1);
}

/* A day with a hole says nothing about any day. */
static void test_a_day_with_a_hole(void **state)
{
    struct bl_season s;

    (void)state;
    bl_season_init(&s);
    for (int64_t t = 0; t < 2 * DAY_NS; t += HOUR_NS)
        bl_season_add(&s, t, 100); /* a quarter of an hour in each */
    bl_season_add(&s, 2 * DAY_NS, 100);
    assert_int_equal(s.days, 0);
    assert_true(bl_season_rise(&s, 2 * DAY_NS, HOUR_NS) == 1);
}

static void test_what_is_a_bug(void **state)
{
    static const double y[] = { 1, 2 };

    (void)state;
    expect_assert_failure((void)bl_forecast_quantile(y, 0, 0.9));
    expect_assert_failure((void)bl_forecast_quantile(y, 2, 0.4));
    expect_assert_failure((void)bl_forecast_quantile(y, 2, 1.1));
    expect_assert_failure((void)forecast(y, 0, 0.9, 0.2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_by_hand),
        cmocka_unit_test(test_normal_quantiles),
        cmocka_unit_test(test_a_steady_series_is_its_own_forecast),
        cmocka_unit_test(test_one_sample_is_not_much),
        cmocka_unit_test(test_errors_of_smoothing_by_hand),
        cmocka_unit_test(test_a_fall_is_followed),
        cmocka_unit_test(test_a_rise_is_extended),
        cmocka_unit_test(test_noise_is_no_trend),
        cmocka_unit_test(test_who_peaks_with_whom),
        cmocka_unit_test(test_quantiles_of_random_series),
        cmocka_unit_test(test_a_day_must_be_seen_twice),
        cmocka_unit_test(test_noise_is_no_time_of_day),
        cmocka_unit_test(test_a_day_with_a_hole),
        cmocka_unit_test(test_what_is_a_bug),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
