/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/numeric.h - the statistics that published policies are made of.
 *
 * Source     textbook: least squares with running means (Welford, 1962),
 *            Householder QR (Golub and Van Loan, ch. 5), order statistics.
 * Idea       plain doubles, + - * / sqrt floor only, in a fixed order, so that
 *            a decision is the same bits on every compiler.
 * Bound      each against a plain second version (test_numeric).
 * Deviation  quantile positions and update order are those of the library that
 *            the published experiments used (Apache Commons Math 3).
 * Cost       line O(n); quartiles and deviations O(n^2), n <= 30; R^2 O(rows *
 *            columns^2).
 *
 * Layer        cluster (L4).   Allocation  none.   Errors  n == 0 is a bug.
 */
#ifndef BL_CLUSTER_NUMERIC_H
#define BL_CLUSTER_NUMERIC_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_NUMERIC_MAX 64u /* values in one call */

struct bl_line {
    double intercept, slope;
};

/* Least squares through (1, y[0]) .. (n, y[n - 1]); n >= 2. */
struct bl_line bl_fit_line(const double *y, uint32_t n);

/* x[q3] - x[q1] of the sorted values, q = round(p * (n + 1)) - 1; n >= 2. */
double bl_interquartile(const double *x, uint32_t n);

/* median(|median(x) - x|). */
double bl_median_deviation(const double *x, uint32_t n);
double bl_median(const double *x, uint32_t n);

/** bl_r_squared - coefficient of determination of the least-squares fit of y
 * by a constant and @count predictors.
 * @x        [count] pointers to n samples each
 * @scratch  at least (count + 2) * n + count + 1 doubles
 * @return   false, *out untouched: fewer samples than unknowns, or predictors
 *           that come out as dependent to the last bit (one that is always 0 or
 *           1 does, a multiple of another only by chance). *out is at most 1;
 *           -inf or not a number where y is constant. */
bool bl_r_squared(const double *y, const double *const *x, uint32_t count,
                  uint32_t n, double *scratch, double *out);

#endif /* BL_CLUSTER_NUMERIC_H */
