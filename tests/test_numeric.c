/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_numeric - the statistics that published policies are made of, each
 * against textbook values and a plain second version in long double; and the
 * stable sort of ids.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "cluster/id_sort.h"
#include "cluster/numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE(a, b, by) assert_true(fabsl((long double)(a) - (b)) <= (by))

enum { N_MAX = BL_NUMERIC_MAX, COLUMNS_MAX = 12 };

static double scratch[(COLUMNS_MAX + 2) * N_MAX + COLUMNS_MAX + 1];

static double uniform(struct bl_prng *prng)
{
    return (double)(bl_prng_next(prng) >> 11) / 0x1p53;
}

/* As utilisations are: often equal, often 0. */
static void fill(struct bl_prng *prng, double *y, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        y[i] = bl_prng_below(prng, 2) ? (double)bl_prng_below(prng, 5) / 4
                                      : uniform(prng);
}

/* ---- textbook values ---------------------------------------------------- */

/* Anscombe, "Graphs in Statistical Analysis", The American Statistician 27(1),
 * 1973: the first of the four. */
static const double anscombe_x[] = { 10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5 };
static const double anscombe_y[] = { 8.04, 6.95, 7.58,  8.81, 8.33, 9.96,
                                     7.24, 4.26, 10.84, 4.82, 5.68 };

static void test_textbook_values(void **state)
{
    const double line[] = { 5, 7, 9, 11 }; /* 3 + 2 x */
    const double noisy[] = { 1, 2, 2, 4 };
    const double odd[] = { 7, 1, 3 }, even[] = { 4, 1, 3, 2 };
    const double eleven[] = { 6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49 };
    const double outlier[] = { 1, 1, 2, 2, 4, 6, 9 };
    const double *x[] = { anscombe_x };
    struct bl_line fit;
    double r2;

    (void)state;
    fit = bl_fit_line(line, 4);
    assert_true(fit.intercept == 3 && fit.slope == 2);
    fit = bl_fit_line(noisy, 4); /* sums: x 10, y 9, xy 27, xx 30 */
    CLOSE(fit.slope, 0.9L, 1e-15L);
    CLOSE(fit.intercept, 0, 1e-15L);
    assert_true(bl_median(odd, 3) == 3);
    assert_true(bl_median(even, 4) == 2.5);
    assert_true(bl_median(odd, 1) == 7);
    assert_true(bl_median_deviation(outlier, 7) == 1); /* the classic example */
    assert_true(bl_interquartile(eleven, 11) == 43 - 15);
    assert_true(bl_r_squared(anscombe_y, x, 1, 11, scratch, &r2));
    CLOSE(r2, 0.666542459508775L, 1e-12L);
}

/* ---- second versions ---------------------------------------------------- */

static void test_line_is_least_squares(void **state)
{
    struct bl_prng prng = { test_seed() };
    double y[N_MAX];

    (void)state;
    for (int round = 0; round < 5000; round++) {
        const uint32_t n = 2 + (uint32_t)bl_prng_below(&prng, N_MAX - 1);
        long double sy = 0, sxy = 0, sx = 0, sxx = 0, slope;
        struct bl_line fit;

        fill(&prng, y, n);
        for (uint32_t i = 0; i < n; i++) {
            const long double x = i + 1;

            sx += x;
            sxx += x * x;
            sy += y[i];
            sxy += x * y[i];
        }
        slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
        fit = bl_fit_line(y, n);
        CLOSE(fit.slope, slope, 1e-13L);
        CLOSE(fit.intercept, (sy - slope * sx) / n, 1e-12L);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static const double *sorted(const double *x, uint32_t n)
{
    static double copy[N_MAX];

    memcpy(copy, x, n * sizeof(*x));
    qsort(copy, n, sizeof(*copy), ascending);
    return copy;
}

static double plain_median(const double *x, uint32_t n)
{
    const double *s = sorted(x, n);

    return n % 2 ? s[n / 2] : s[n / 2 - 1] + (s[n / 2] - s[n / 2 - 1]) / 2;
}

static void test_order_statistics(void **state)
{
    struct bl_prng prng = { test_seed() };
    double x[N_MAX], away[N_MAX], kept[N_MAX];

    (void)state;
    for (uint32_t n = 1; n <= N_MAX; n++) {
        for (int round = 0; round < 40; round++) {
            double median;

            fill(&prng, x, n);
            memcpy(kept, x, sizeof(kept));
            median = plain_median(x, n);
            assert_true(bl_median(x, n) == median);
            for (uint32_t i = 0; i < n; i++)
                away[i] = fabs(x[i] - median);
            assert_true(bl_median_deviation(x, n) == plain_median(away, n));
            if (n >= 2) {
                /* round(q (n + 1) / 4) - 1, in integers */
                const uint32_t q1 = (n + 1 + 2) / 4 - 1;
                const uint32_t q3 = (3 * (n + 1) + 2) / 4 - 1;
                const double *s = sorted(x, n);

                assert_true(q3 < n);
                assert_true(bl_interquartile(x, n) == s[q3] - s[q1]);
            }
            assert_memory_equal(x, kept, n * sizeof(*x));
        }
    }
}

/* Normal equations by elimination with pivots: no QR in sight. */
static bool solve(long double a[][COLUMNS_MAX + 2], uint32_t n)
{
    for (uint32_t c = 0; c < n; c++) {
        uint32_t best = c;

        for (uint32_t r = c + 1; r < n; r++)
            if (fabsl(a[r][c]) > fabsl(a[best][c]))
                best = r;
        if (fabsl(a[best][c]) < 1e-10L)
            return false;
        for (uint32_t k = 0; k <= n; k++) {
            const long double t = a[c][k];

            a[c][k] = a[best][k];
            a[best][k] = t;
        }
        for (uint32_t r = 0; r < n; r++) {
            const long double f = a[r][c] / a[c][c];

            for (uint32_t k = c; k <= n && r != c; k++)
                a[r][k] -= f * a[c][k];
        }
    }
    return true;
}

static long double column(const double *const *x, uint32_t c, uint32_t i)
{
    return c == 0 ? 1 : x[c - 1][i];
}

/* Not a number where the plain version had better not be trusted. */
static long double plain_r_squared(const double *y, const double *const *x,
                                   uint32_t count, uint32_t n)
{
    static long double a[COLUMNS_MAX + 1][COLUMNS_MAX + 2];
    const uint32_t cols = count + 1;
    long double mean = 0, total = 0, left = 0;

    memset(a, 0, sizeof(a));
    for (uint32_t i = 0; i < n; i++) {
        mean += y[i] / (long double)n;
        for (uint32_t r = 0; r < cols; r++) {
            for (uint32_t c = 0; c < cols; c++)
                a[r][c] += column(x, r, i) * column(x, c, i);
            a[r][cols] += column(x, r, i) * y[i];
        }
    }
    if (!solve(a, cols))
        return NAN;
    for (uint32_t i = 0; i < n; i++) {
        long double fitted = 0;

        for (uint32_t c = 0; c < cols; c++)
            fitted += a[c][cols] / a[c][c] * column(x, c, i);
        total += (y[i] - mean) * (y[i] - mean);
        left += (y[i] - fitted) * (y[i] - fitted);
    }
    return total < 1e-3L ? (long double)NAN : 1 - left / total;
}

static void test_r_squared_is_that_of_the_normal_equations(void **state)
{
    static double samples[COLUMNS_MAX + 1][N_MAX];
    const double *x[COLUMNS_MAX];
    struct bl_prng prng = { test_seed() };
    int compared = 0;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        const uint32_t count = (uint32_t)bl_prng_below(&prng, COLUMNS_MAX + 1);
        const uint32_t n =
            count + 2 + (uint32_t)bl_prng_below(&prng, N_MAX - count - 1);
        long double want;
        double r2 = -77;

        for (uint32_t c = 0; c <= count; c++)
            fill(&prng, samples[c], n);
        for (uint32_t c = 0; c < count; c++)
            x[c] = samples[c + 1];
        want = plain_r_squared(samples[0], x, count, n);
        if (isnan(want))
            continue;
        assert_true(bl_r_squared(samples[0], x, count, n, scratch, &r2));
        CLOSE(r2, want, 1e-6L);
        compared++;
    }
    assert_true(compared > 2000);
}

/* ---- R squared where there is none -------------------------------------- */

static void test_r_squared_of_singular_problems(void **state)
{
    const double y[] = { 0.1, 0.5, 0.2, 0.9 }, flat[] = { 0.5, 0.5, 0.5, 0.5 };
    const double zero[] = { 0, 0, 0, 0 }, ones[] = { 1, 1, 1, 1 };
    const double ramp[] = { 1, 2, 3, 4 }, bend[] = { 1, 4, 9, 16 };
    const double *of_zero[] = { ramp, zero }, *of_ones[] = { ones };
    const double *of_three[] = { ramp, bend, y }, *of_ramp[] = { ramp };
    double r2 = -77;

    (void)state;
    /* a predictor that is always 0, or always the constant itself */
    assert_false(bl_r_squared(y, of_zero, 2, 4, scratch, &r2));
    assert_false(bl_r_squared(y, of_ones, 1, 4, scratch, &r2));
    /* fewer samples than unknowns */
    assert_false(bl_r_squared(y, of_three, 3, 3, scratch, &r2));
    assert_false(bl_r_squared(y, of_ramp, 1, 1, scratch, &r2));
    assert_true(r2 == -77); /* untouched */
    /* as many: a fit without error */
    assert_true(bl_r_squared(y, of_three, 2, 3, scratch, &r2));
    CLOSE(r2, 1, 1e-9L);
    /* nothing to explain: never a figure that would win */
    assert_true(bl_r_squared(flat, of_ramp, 1, 4, scratch, &r2));
    assert_false(r2 > 0);
    assert_true(bl_r_squared(zero, of_ramp, 1, 4, scratch, &r2));
    assert_false(r2 > 0);
}

static void test_misuse_asserts(void **state)
{
    static const double x[N_MAX + 1];

    (void)state;
    expect_assert_failure((void)bl_fit_line(x, 1));
    expect_assert_failure((void)bl_interquartile(x, 1));
    expect_assert_failure((void)bl_median(x, 0));
    expect_assert_failure((void)bl_median(x, N_MAX + 1));
    expect_assert_failure((void)bl_median_deviation(x, 0));
}

/* ---- the sort ----------------------------------------------------------- */

enum { IDS_MAX = 700 };

static void plain_sort(uint32_t *id, uint32_t n, const double *key, bool down)
{
    for (uint32_t i = 1; i < n; i++) {
        for (uint32_t k = i; k > 0; k--) {
            const double a = key[id[k - 1]], b = key[id[k]];
            const uint32_t x = id[k];

            if (down ? !(b > a) : !(b < a))
                break;
            id[k] = id[k - 1];
            id[k - 1] = x;
        }
    }
}

static void test_ids_are_sorted_and_ties_keep_their_order(void **state)
{
    static double key[IDS_MAX];
    static uint32_t id[IDS_MAX], want[IDS_MAX], space[IDS_MAX + 1];
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        const uint32_t most = round % 8 == 0 ? IDS_MAX : 60;
        const uint32_t n =
            round < 40 ? round : (uint32_t)bl_prng_below(&prng, most + 1);
        const uint64_t kinds = 1 + bl_prng_below(&prng, 40);

        for (uint32_t i = 0; i < IDS_MAX; i++)
            key[i] = bl_prng_below(&prng, 20)
                         ? (double)bl_prng_below(&prng, kinds) - 3
                         : (bl_prng_below(&prng, 2) ? (double)INFINITY : -0.0);
        for (uint32_t i = 0; i < n; i++) /* any ids, in any order */
            want[i] = id[i] = (uint32_t)bl_prng_below(&prng, IDS_MAX);
        space[n] = 0xfeed;
        bl_id_sort(id, n, key, round % 2, space);
        plain_sort(want, n, key, round % 2);
        assert_memory_equal(id, want, n * sizeof(*id));
        assert_int_equal(space[n], 0xfeed); /* no more scratch than promised */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_textbook_values),
        cmocka_unit_test(test_line_is_least_squares),
        cmocka_unit_test(test_order_statistics),
        cmocka_unit_test(test_r_squared_is_that_of_the_normal_equations),
        cmocka_unit_test(test_r_squared_of_singular_problems),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_ids_are_sorted_and_ties_keep_their_order),
    };

    return cmocka_run_group_tests_name("numeric", tests, test_group_setup,
                                       NULL);
}
