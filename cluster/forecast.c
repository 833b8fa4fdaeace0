/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/forecast.h"

#include <math.h>
#include <string.h>

/* |slope| over its standard error that counts as a trend: 1 % by chance for
 * the window's 28 degrees of freedom (Student's t, one-sided). */
#define TREND_T 2.467
/* A correlation of two days of 96 bins above this is a pattern: days without
 * one stay below 0.27 in 99 of 100 cases (1 / sqrt(96) * 2.6). */
#define PATTERN_R 0.5
#define DAY_NS INT64_C(86400000000000)

/* The largest @top values, in falling order, into @best. */
static void take_top(const double *y, uint32_t n, uint32_t top, double *best)
{
    uint32_t have = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at;

        if (have == top && y[i] <= best[top - 1])
            continue;
        at = have < top ? have++ : top - 1;
        while (at > 0 && best[at - 1] < y[i]) {
            best[at] = best[at - 1];
            at--;
        }
        best[at] = y[i];
    }
}

double bl_forecast_quantile(const double *y, uint32_t n, double q)
{
    double best[BL_HISTORY_MAX] = { 0 };

    BL_ASSERT(n > 0);
    BL_ASSERT(n <= BL_HISTORY_MAX);
    BL_ASSERT(q >= 0.5);
    BL_ASSERT(q <= 1);

    const double from_top = (1 - q) * (n - 1);
    const uint32_t above = (uint32_t)from_top;
    const double part = from_top - above;

    take_top(y, n, above + 2 <= n ? above + 2 : n, best);
    if (part == 0)
        return best[above];
    return best[above] + (best[above + 1] - best[above]) * part;
}

double bl_forecast_normal(double q)
{
    /* Rational approximation of the central part, error below 1.2e-9
     * (P. Acklam's coefficients) [recalled]. */
    static const double a[] = { -3.969683028665376e+01, 2.209460984245205e+02,
                                -2.759285104469687e+02, 1.383577518672690e+02,
                                -3.066479806614716e+01, 2.506628277459239e+00 };
    static const double b[] = { -5.447609879822406e+01, 1.615858368580409e+02,
                                -1.556989798598866e+02, 6.680131188771972e+01,
                                -1.328068155288572e+01 };
    const double u = (q < 0.97575 ? q : 0.97575) - 0.5, r = u * u;

    BL_ASSERT(q >= 0.5);
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r +
            a[5]) *
           u /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

void bl_forecast_gains(double smoothing, double *gain)
{
    for (uint32_t i = 0; i < BL_HISTORY_MAX; i++)
        gain[i] = smoothing * (i + 1) > 1 ? smoothing : 1.0 / (i + 1);
}

/* Of the line through y, per sample; 0 where it does not rise or does not stand
 * out. Sums about the newest sample, so that they stay small. */
static double rising_slope(const double *y, uint32_t n)
{
    const double middle = (n - 1) / 2.0;
    const double xx = (double)n * ((double)n * n - 1) / 12;
    double sum = 0, xy = 0, yy = 0;

    if (n < 4)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        const double d = y[i] - y[0];

        sum += d;
        xy += (middle - i) * d; /* newest first */
        yy += d * d;
    }

    const double slope = xy / xx, rest = yy - sum * sum / n - slope * xy;

    /* slope > t * sqrt(rest / (n - 2) / xx), without the root */
    if (slope <= 0 || slope * slope * xx * (n - 2) <= TREND_T * TREND_T * rest)
        return 0;
    return slope;
}

void bl_forecast_series(const double *y, uint32_t n,
                        const struct bl_forecast_opts *opts,
                        struct bl_forecast *out)
{
    double smooth, at;

    BL_ASSERT(n > 0);
    BL_ASSERT(n <= BL_HISTORY_MAX);
    if (n == 1) { /* quickly: the first instant asks most */
        out->mean = out->level = out->next[0] = y[0];
        out->rise = out->confidence = 0;
        out->next_count = 1;
        return;
    }
    smooth = y[n - 1];
    out->next[0] = 0;
    for (uint32_t i = 1; i < n; i++) {            /* oldest first */
        out->next[i - 1] = y[n - 1 - i] - smooth; /* the error */
        smooth += opts->gain[i] * out->next[i - 1];
    }
    out->mean = smooth;
    out->rise = rising_slope(y, n) * opts->lead;
    out->confidence = (double)(n - 1) / (n + 1);
    out->next_count = n > 1 ? n - 1 : 1;
    at = out->mean + out->rise;
    for (uint32_t i = 0; i < out->next_count; i++)
        out->next[i] += at;
    out->level =
        bl_forecast_quantile(out->next, out->next_count, opts->quantile);
}

/* ---- time of day
 * -------------------------------------------------------------- */

void bl_season_init(struct bl_season *s)
{
    *s = (struct bl_season){ .day = 0 };
}

static double clip01(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Mean of the bins that have samples; 0 when a bin has none. */
static double day_mean(const struct bl_season *s)
{
    double sum = 0;

    for (uint32_t i = 0; i < BL_SEASON_BINS; i++) {
        if (s->bin_count[i] == 0)
            return 0;
        sum += s->bin_sum[i] / s->bin_count[i];
    }
    return sum / BL_SEASON_BINS;
}

/* A day is over: how well did the profile tell it, and what is it now? */
static void end_day(struct bl_season *s)
{
    const double mean = day_mean(s);
    double ab = 0, aa = 0, bb = 0;

    if (mean > 0) {
        for (uint32_t i = 0; i < BL_SEASON_BINS; i++) {
            const double b = s->bin_sum[i] / s->bin_count[i] / mean;
            const double a = s->profile[i];

            ab += (a - 1) * (b - 1);
            aa += (a - 1) * (a - 1);
            bb += (b - 1) * (b - 1);
            s->profile[i] = s->days == 0 ? b : a + (b - a) / 2;
        }
        if (s->days > 0 && aa > 0 && bb > 0) {
            const double r = ab / sqrt(aa * bb);

            s->confidence = clip01((r - PATTERN_R) / (1 - PATTERN_R));
        }
        s->days++;
    }
    memset(s->bin_sum, 0, sizeof(s->bin_sum));
    memset(s->bin_count, 0, sizeof(s->bin_count));
}

static uint32_t bin_of(int64_t at_ns)
{
    return (uint32_t)(at_ns % DAY_NS / (DAY_NS / BL_SEASON_BINS));
}

void bl_season_add(struct bl_season *s, int64_t at_ns, double demand)
{
    const int64_t day = at_ns / DAY_NS;

    if (day != s->day) {
        end_day(s);
        s->day = day;
    }
    s->bin = bin_of(at_ns);
    s->bin_sum[s->bin] += demand;
    s->bin_count[s->bin]++;
}

double bl_season_rise(const struct bl_season *s, int64_t at_ns,
                      int64_t ahead_ns)
{
    const int64_t width_ns = DAY_NS / BL_SEASON_BINS;
    const double now = s->profile[bin_of(at_ns)];
    double most = now;

    if (s->confidence == 0 || now <= 0)
        return 1;
    for (int64_t t = width_ns; t < ahead_ns + width_ns && t < DAY_NS;
         t += width_ns) {
        const double p = s->profile[bin_of(at_ns + t)];

        most = p > most ? p : most;
    }
    return 1 + s->confidence * (most / now - 1);
}
