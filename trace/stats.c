/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats - what a whole trace looks like, in one pass.
 *
 * Idea       a histogram of each column (one bin for each ppm) gives mean,
 *            deviation and percentiles exactly; seven integers for each slot
 *            give the autocorrelation of the VM in it.
 * Definition percentile p: the smallest value that at least p % of the samples
 *            do not exceed (nearest rank). Deviation: of the population
 *            (divided by n). Autocorrelation of a VM of n steps with mean m:
 *            sum (x[t] - m)(x[t+1] - m) over sum (x[t] - m)^2; a VM whose load
 *            never changes has none and is left out of the mean.
 *            A column that the trace lacks counts as 100 %, as trace.h says.
 * Cost       16 MB, 48 bytes for each slot, and some ns for each sample.
 */
#include "trace/trace_priv.h"

#include "base/u128.h"

#include <math.h>
#include <stdlib.h>

#define PPM_MAX 1000000u
#define PPM_PER_PERCENT 10000.0

enum { P50, P75, P90, P95, P99, PERCENTILES };
static const uint32_t percent[PERCENTILES] = { 50, 75, 90, 95, 99 };

/* The VM in a slot so far; n = 0: the slot is empty. Sums of squares of at
 * most BL_TRACE_STEPS_MAX samples fit 64 bits: 10^7 * 10^12 < 2^64. */
struct stay {
    uint64_t sum, sum_squares, sum_products;
    uint32_t first, last;
    uint32_t n;
    bool alive;
};

_Static_assert(BL_TRACE_STEPS_MAX <= UINT64_MAX / PPM_MAX / PPM_MAX,
               "the sums of a stay fit 64 bits");

struct stats {
    uint64_t *cpu_bins, *mem_bins; /* [PPM_MAX + 1] */
    struct stay *stay;             /* [vms_alive_max] */
    uint64_t sample_count;
    double lag1_sum;
    uint64_t lag1_count;
    bl_u128 total_sum;
    uint64_t total_max;
};

/* The VM has left, or the trace has ended. */
static void end_stay(struct stats *s, struct stay *v)
{
    const bl_u128 n = v->n, sum = v->sum;
    const bl_u128 scatter = n * v->sum_squares - sum * sum; /* n * variance */

    if (scatter > 0) {
        /* n^2 * sum (x[t] - m)(x[t+1] - m), where m = sum / n. */
        const bl_u128 plus = n * n * v->sum_products + (n - 1) * sum * sum;
        const bl_u128 minus = n * sum * (2 * sum - v->first - v->last);
        const double above =
            plus >= minus ? (double)(plus - minus) : -(double)(minus - plus);

        s->lag1_sum += above / (double)(n * scatter);
        s->lag1_count++;
    }
    *v = (struct stay){ .n = 0 };
}

static void count_cpu(struct stay *v, uint32_t x)
{
    if (v->n == 0)
        v->first = x;
    else
        v->sum_products += (uint64_t)v->last * x;
    v->sum += x;
    v->sum_squares += (uint64_t)x * x;
    v->last = x;
    v->n++;
}

static void count_step(struct stats *s, const struct bl_trace_step *step,
                       uint32_t slots)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < step->departed_count; i++)
        end_stay(s, &s->stay[step->departed[i]]);
    for (uint32_t i = 0; i < step->arrived_count; i++)
        s->stay[step->arrived[i].slot].alive = true;
    for (uint32_t i = 0; i < slots; i++) {
        const uint32_t cpu = step->cpu_ppm ? step->cpu_ppm[i] : PPM_MAX;
        const uint32_t mem = step->mem_ppm ? step->mem_ppm[i] : PPM_MAX;

        if (!s->stay[i].alive)
            continue;
        BL_ASSERT(cpu <= PPM_MAX && mem <= PPM_MAX);
        s->sample_count++;
        s->cpu_bins[cpu]++;
        s->mem_bins[mem]++;
        count_cpu(&s->stay[i], cpu);
        total += cpu;
    }
    s->total_sum += total;
    s->total_max = total > s->total_max ? total : s->total_max;
}

/* Of one column. */
struct figures {
    double mean, sd, percentile[PERCENTILES];
};

/* Squares are summed around a whole number near the mean, so that nothing
 * cancels when the figures become floating point. */
static double deviation(const uint64_t *bins, uint64_t n, bl_u128 sum)
{
    const uint32_t middle = (uint32_t)(sum / n);
    const double offset = (double)(sum % n) / (double)n;
    bl_u128 squares = 0;

    for (uint32_t x = 0; x <= PPM_MAX; x++) {
        const bl_u128 d = x > middle ? x - middle : middle - x;

        if (bins[x] > 0)
            squares += bins[x] * d * d;
    }
    return sqrt((double)squares / (double)n - offset * offset);
}

static struct figures column_figures(const uint64_t *bins, uint64_t n)
{
    struct figures f = { .mean = 0.0 };
    bl_u128 sum = 0, seen = 0;
    uint32_t p = 0;

    if (n == 0)
        return f;
    for (uint32_t x = 0; x <= PPM_MAX; x++) {
        if (bins[x] == 0)
            continue;
        sum += (bl_u128)bins[x] * x;
        seen += bins[x];
        for (; p < PERCENTILES && seen * 100 >= (bl_u128)n * percent[p]; p++)
            f.percentile[p] = x / PPM_PER_PERCENT;
    }
    f.mean = (double)sum / (double)n / PPM_PER_PERCENT;
    f.sd = deviation(bins, n, sum) / PPM_PER_PERCENT;
    return f;
}

static void conclude(const struct stats *s, uint32_t step_count,
                     struct bl_trace_stats *out)
{
    const uint64_t n = s->sample_count;
    const struct figures cpu = column_figures(s->cpu_bins, n);
    const struct figures mem = column_figures(s->mem_bins, n);
    const double mean = (double)s->total_sum / step_count;

    *out = (struct bl_trace_stats){
        .sample_count = n,
        .cpu_mean = cpu.mean,
        .cpu_sd = cpu.sd,
        .cpu_p50 = cpu.percentile[P50],
        .cpu_p75 = cpu.percentile[P75],
        .cpu_p90 = cpu.percentile[P90],
        .cpu_p95 = cpu.percentile[P95],
        .cpu_p99 = cpu.percentile[P99],
        .mem_mean = mem.mean,
        .mem_p50 = mem.percentile[P50],
        .mem_p95 = mem.percentile[P95],
        .cpu_lag1 =
            s->lag1_count > 0 ? s->lag1_sum / (double)s->lag1_count : 0.0,
        .total_peak = mean > 0.0 ? (double)s->total_max / mean : 0.0,
        .zero_count = s->cpu_bins[0],
    };
}

/* From the first step to the last; leaves @t before its first step. */
static bl_err count_all(struct stats *s, struct bl_trace *t,
                        struct bl_diag *diag)
{
    const uint32_t slots = bl_trace_info(t)->vms_alive_max;
    struct bl_trace_step step;
    bl_err e;

    BL_TRY(bl_trace_rewind(t, diag));
    while ((e = bl_trace_next(t, &step, diag)) == BL_ERR_OK)
        count_step(s, &step, slots);
    if (e != BL_ERR_END)
        return e;
    for (uint32_t i = 0; i < slots; i++)
        end_stay(s, &s->stay[i]);
    return bl_trace_rewind(t, diag);
}

bl_err bl_trace_stats(struct bl_trace *t, struct bl_trace_stats *out,
                      struct bl_diag *diag)
{
    const struct bl_trace_info *info = bl_trace_info(t);
    struct stats s = {
        .cpu_bins = bl__alloc(PPM_MAX + 1, sizeof(uint64_t)),
        .mem_bins = bl__alloc(PPM_MAX + 1, sizeof(uint64_t)),
        .stay = bl__alloc(info->vms_alive_max, sizeof(struct stay)),
    };
    bl_err e;

    if (s.cpu_bins == NULL || s.mem_bins == NULL || s.stay == NULL) {
        e = bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0,
                        "trace: not enough memory for the figures of %u VMs",
                        info->vms_alive_max);
    } else {
        e = count_all(&s, t, diag);
        if (e == BL_ERR_OK)
            conclude(&s, info->step_count, out);
    }
    free(s.cpu_bins);
    free(s.mem_bins);
    free(s.stay);
    return e;
}
