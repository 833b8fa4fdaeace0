/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/numeric.h"

#include <math.h>
#include <string.h>

struct bl_line bl_fit_line(const double *y, uint32_t n)
{
    double x_mean = 0, y_mean = 0, sum_x = 0, sum_y = 0;
    double xx = 0, xy = 0;

    BL_ASSERT(n >= 2);
    for (uint32_t i = 0; i < n; i++) {
        const double x = i + 1;

        if (i == 0) {
            x_mean = x;
            y_mean = y[i];
        } else {
            const double grown = 1.0 + i, part = i / (1.0 + i);
            const double dx = x - x_mean, dy = y[i] - y_mean;

            xx += dx * dx * part;
            xy += dx * dy * part;
            x_mean += dx / grown;
            y_mean += dy / grown;
        }
        sum_x += x;
        sum_y += y[i];
    }

    const double slope = xy / xx;

    return (struct bl_line){ (sum_y - slope * sum_x) / n, slope };
}

static void sort_into(double *to, const double *from, uint32_t n)
{
    BL_ASSERT(n > 0);
    BL_ASSERT(n <= BL_NUMERIC_MAX);
    memcpy(to, from, n * sizeof(*to));
    for (uint32_t i = 1; i < n; i++) {
        const double x = to[i];
        uint32_t k = i;

        for (; k > 0 && to[k - 1] > x; k--)
            to[k] = to[k - 1];
        to[k] = x;
    }
}

static uint32_t quartile_index(double p, uint32_t n)
{
    return (uint32_t)floor(p * (n + 1) + 0.5) - 1;
}

double bl_interquartile(const double *x, uint32_t n)
{
    double sorted[BL_NUMERIC_MAX] = { 0 };

    BL_ASSERT(n >= 2);
    sort_into(sorted, x, n);
    return sorted[quartile_index(0.75, n)] - sorted[quartile_index(0.25, n)];
}

double bl_median(const double *x, uint32_t n)
{
    double sorted[BL_NUMERIC_MAX] = { 0 };

    sort_into(sorted, x, n);

    const double at = 0.5 * (n + 1);
    const double whole = floor(at);
    const uint32_t i = (uint32_t)whole;

    if (i >= n)
        return sorted[n - 1];
    return sorted[i - 1] + (at - whole) * (sorted[i] - sorted[i - 1]);
}

double bl_median_deviation(const double *x, uint32_t n)
{
    const double median = bl_median(x, n);
    double deviation[BL_NUMERIC_MAX];

    for (uint32_t i = 0; i < n; i++)
        deviation[i] = fabs(median - x[i]);
    return bl_median(deviation, n);
}

/* ---- R squared
 * ------------------------------------------------------------------ */

/* q holds @cols columns of n rows; afterwards the reflectors below and the
 * upper triangle above the diagonal, with diag apart. */
static void householder(double *q, uint32_t cols, uint32_t n, double *diag)
{
    for (uint32_t k = 0; k < cols; k++) {
        double *v = q + (uint64_t)k * n;
        double norm2 = 0;

        for (uint32_t i = k; i < n; i++)
            norm2 += v[i] * v[i];
        diag[k] = v[k] > 0 ? -sqrt(norm2) : sqrt(norm2);
        if (diag[k] == 0)
            continue;
        v[k] -= diag[k];
        for (uint32_t c = k + 1; c < cols; c++) {
            double *w = q + (uint64_t)c * n;
            double alpha = 0;

            for (uint32_t i = k; i < n; i++)
                alpha -= w[i] * v[i];
            alpha /= diag[k] * v[k];
            for (uint32_t i = k; i < n; i++)
                w[i] -= alpha * v[i];
        }
    }
}

/* Solves R b = Q' y; y becomes b in its first @cols places. */
static void back_solve(const double *q, uint32_t cols, uint32_t n,
                       const double *diag, double *y)
{
    for (uint32_t k = 0; k < cols; k++) {
        const double *v = q + (uint64_t)k * n;
        double dot = 0;

        for (uint32_t i = k; i < n; i++)
            dot += y[i] * v[i];
        dot /= diag[k] * v[k];
        for (uint32_t i = k; i < n; i++)
            y[i] += dot * v[i];
    }
    for (uint32_t k = cols; k-- > 0;) {
        const double *v = q + (uint64_t)k * n;

        y[k] /= diag[k];
        for (uint32_t i = 0; i < k; i++)
            y[i] -= y[k] * v[i];
    }
}

/* Sum of squares about the mean, by running mean. */
static double total_squares(const double *y, uint32_t n)
{
    double mean = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        const double dev = y[i] - mean;
        const double part = dev / (i + 1.0);

        mean += part;
        squares += i * dev * part;
    }
    return squares;
}

static double residual_squares(const double *y, const double *const *x,
                               uint32_t count, uint32_t n, const double *b)
{
    double squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        double fitted = b[0];

        for (uint32_t c = 0; c < count; c++)
            fitted += x[c][i] * b[c + 1];
        squares += (y[i] - fitted) * (y[i] - fitted);
    }
    return squares;
}

bool bl_r_squared(const double *y, const double *const *x, uint32_t count,
                  uint32_t n, double *scratch, double *out)
{
    const uint32_t cols = count + 1;
    double *q = scratch, *b = q + (uint64_t)cols * n, *diag = b + n;

    if (n < cols)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        q[i] = 1;
        b[i] = y[i];
    }
    for (uint32_t c = 0; c < count; c++)
        for (uint32_t i = 0; i < n; i++)
            q[(uint64_t)(c + 1) * n + i] = x[c][i];
    householder(q, cols, n, diag);
    for (uint32_t c = 0; c < cols; c++)
        if (diag[c] == 0)
            return false;
    back_solve(q, cols, n, diag, b);
    *out = 1 - residual_squares(y, x, count, n, b) / total_squares(y, n);
    return true;
}
