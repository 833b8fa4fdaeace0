/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support_fit - from real days to the tables of the generator.
 *
 * Per VM: the median splits off bursts (more than BURST_ABOVE above it); what
 * is left has a mean, the VM's level, and a variance. VMs are sorted by level
 * and cut into bands, each band is sorted by relative variance and cut into
 * kinds: all cuts give equal counts. A kind's shape pools its VMs' samples,
 * each divided by the VM's level, sorts them and takes the means of equal
 * slices. Data is whole percents: a sample is first spread evenly over the
 * percent it was rounded from, by a fixed sequence, so that the shape of a VM
 * that idles at 1 % is not three spikes.
 */
#include "tests/support_fit.h"

#include "tests/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define BURST_ABOVE 30.0 /* percent of the VM's size */
#define PPM_PER_PERCENT 10000.0

struct fit_vm {
    uint32_t vm;
    double median, level, unrest; /* unrest: variance / level^2 */
    double burst_rate;            /* share of its steps */
};

void fit_load(struct bl_trace *t, struct fit_days *d)
{
    const struct bl_trace_info *info = bl_trace_info(t);
    const uint32_t steps = info->step_count, first = d->vm_count;
    const uint32_t vms = first + info->vms_alive_max;
    const size_t bytes = (size_t)vms * steps * sizeof(uint32_t);
    struct bl_trace_step step;
    struct bl_diag diag;

    assert_int_equal(info->vms_alive_max, info->vm_count_total);
    assert_true(first == 0 || steps == d->step_count);
    d->vm_count = vms;
    d->step_count = steps;
    d->cpu_ppm = realloc(d->cpu_ppm, bytes);
    d->mem_ppm = realloc(d->mem_ppm, bytes);
    assert_non_null(d->cpu_ppm);
    assert_non_null(d->mem_ppm);
    for (uint32_t s = 0; s < steps; s++) {
        assert_ok(bl_trace_next(t, &step, &diag));
        for (uint32_t i = first; i < vms; i++) {
            const size_t at = (size_t)i * steps + s;

            d->cpu_ppm[at] = step.cpu_ppm[i - first];
            d->mem_ppm[at] = step.mem_ppm == NULL ? 0 : step.mem_ppm[i - first];
        }
    }
}

void fit_free(struct fit_days *d)
{
    free(d->cpu_ppm);
    free(d->mem_ppm);
    *d = (struct fit_days){ 0 };
}

static int by_double(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int by_level(const void *a, const void *b)
{
    const struct fit_vm *x = a, *y = b;

    if (x->level != y->level)
        return x->level > y->level ? 1 : -1;
    return (x->vm > y->vm) - (x->vm < y->vm);
}

static int by_unrest(const void *a, const void *b)
{
    const struct fit_vm *x = a, *y = b;

    if (x->unrest != y->unrest)
        return x->unrest > y->unrest ? 1 : -1;
    return (x->vm > y->vm) - (x->vm < y->vm);
}

static void *array_new(size_t count, size_t elem_bytes)
{
    void *p = calloc(count, elem_bytes);

    assert_non_null(p);
    return p;
}

/* Nearest integer of a table cell, which must fit. */
static uint16_t cell(double v)
{
    assert_true(v >= 0.0 && v < 65535.5);
    return (uint16_t)(v + 0.5);
}

/* Means of @parts equal slices of the sorted @v. */
static void slices(const double *v, size_t n, uint32_t parts, double *out)
{
    for (uint32_t k = 0; k < parts; k++) {
        const size_t lo = n * k / parts, hi = n * (k + 1) / parts;
        double sum = 0.0;

        assert_true(hi > lo);
        for (size_t i = lo; i < hi; i++)
            sum += v[i];
        out[k] = sum / (double)(hi - lo);
    }
}

/* Quantiles 0, 1/parts .. 1 of the sorted @v, between neighbours. */
static void knots(const double *v, size_t n, uint32_t parts, double *out)
{
    for (uint32_t k = 0; k <= parts; k++) {
        const double at = (double)k * (double)(n - 1) / parts;
        const size_t lo = (size_t)at;
        const double frac = at - (double)lo;

        out[k] = lo + 1 < n ? v[lo] + frac * (v[lo + 1] - v[lo]) : v[lo];
    }
}

static double percent(const struct fit_days *d, uint32_t vm, uint32_t s)
{
    return d->cpu_ppm[(size_t)vm * d->step_count + s] / PPM_PER_PERCENT;
}

static bool is_burst(const struct fit_vm *v, double x)
{
    return x > v->median + BURST_ABOVE;
}

static void measure_vm(const struct fit_days *d, uint32_t vm, double *scratch,
                       struct fit_vm *out)
{
    const uint32_t n = d->step_count;
    double sum = 0.0, sum2 = 0.0;
    uint32_t calm = 0;

    for (uint32_t s = 0; s < n; s++)
        scratch[s] = percent(d, vm, s);
    qsort(scratch, n, sizeof(*scratch), by_double);
    *out = (struct fit_vm){ .vm = vm, .median = scratch[(n - 1) / 2] };
    for (uint32_t s = 0; s < n; s++) {
        const double x = percent(d, vm, s);

        if (is_burst(out, x))
            continue;
        sum += x;
        sum2 += x * x;
        calm++;
    }
    out->level = sum / calm;
    assert_true(out->level > 0.0); /* a VM that never ran has no shape */
    out->unrest = (sum2 / calm) / (out->level * out->level) - 1.0;
    out->burst_rate = (double)(n - calm) / n;
}

/* -0.5 .. 0.5, evenly spread over consecutive @s: the golden-ratio sequence. */
static double dither(uint32_t s)
{
    return (double)(s * UINT32_C(2654435769)) / 4294967296.0 - 0.5;
}

static void fit_kind(const struct fit_days *d, const struct fit_vm *v,
                     uint32_t count, uint16_t *shape, double *rate)
{
    double *pool = array_new((size_t)count * d->step_count, sizeof(double));
    double mean[BL__GEN_RANKS], sum = 0.0;
    size_t n = 0;

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t s = 0; s < d->step_count; s++) {
            const double x = percent(d, v[i].vm, s);
            const double y = x + dither(s);

            if (!is_burst(&v[i], x))
                pool[n++] = y > 0.0 ? y / v[i].level : 0.0;
        }
    qsort(pool, n, sizeof(*pool), by_double);
    slices(pool, n, BL__GEN_RANKS, mean);
    for (uint32_t k = 0; k < BL__GEN_RANKS; k++)
        sum += mean[k] / BL__GEN_RANKS;
    for (uint32_t k = 0; k < BL__GEN_RANKS; k++)
        shape[k] = cell(mean[k] / sum * BL__GEN_SHAPE_ONE);
    for (uint32_t i = 0; i < count; i++)
        pool[i] = v[i].burst_rate;
    qsort(pool, count, sizeof(*pool), by_double);
    slices(pool, count, BL__GEN_RATES, rate);
    free(pool);
}

/* How much of the way from the VM's median up to 100 % a burst goes. */
static void fit_heights(const struct fit_days *d, const struct fit_vm *v,
                        uint16_t *height)
{
    double *pool =
        array_new((size_t)d->vm_count * d->step_count, sizeof(double));
    double mean[BL__GEN_RANKS];
    size_t n = 0;

    for (uint32_t i = 0; i < d->vm_count; i++)
        for (uint32_t s = 0; s < d->step_count; s++) {
            const double x = percent(d, v[i].vm, s);

            if (is_burst(&v[i], x))
                pool[n++] = (x - v[i].median) / (100.0 - v[i].median);
        }
    qsort(pool, n, sizeof(*pool), by_double);
    slices(pool, n, BL__GEN_RANKS, mean);
    for (uint32_t k = 0; k < BL__GEN_RANKS; k++)
        height[k] = cell(mean[k] * (BL__GEN_HEIGHT_ONE - 1));
    free(pool);
}

static void fit_levels(const struct fit_vm *v, uint32_t n, uint16_t *level)
{
    double *sorted = array_new(n, sizeof(double));
    double knot[BL__GEN_SEGMENTS + 1];

    for (uint32_t i = 0; i < n; i++)
        sorted[i] = v[i].level;
    knots(sorted, n, BL__GEN_SEGMENTS, knot);
    for (uint32_t k = 0; k <= BL__GEN_SEGMENTS; k++)
        level[k] = cell(knot[k] * BL__GEN_LEVEL_ONE);
    free(sorted);
}

void fit_cpu(const struct fit_days *d, struct bl__gen_tables *out)
{
    const uint32_t n = d->vm_count, cells = BL__GEN_KINDS * BL__GEN_RATES;
    struct fit_vm *v = array_new(n, sizeof(*v));
    double *scratch = array_new(d->step_count, sizeof(*scratch));
    double rate[BL__GEN_CELLS];
    double mean = 0.0;

    for (uint32_t i = 0; i < n; i++)
        measure_vm(d, i, scratch, &v[i]);
    qsort(v, n, sizeof(*v), by_level);
    fit_levels(v, n, out->level);
    fit_heights(d, v, out->height);
    for (uint32_t b = 0; b < BL__GEN_BANDS; b++) {
        const uint32_t first = b > 0 ? bl__gen_band_end[b - 1] : 0;
        const uint32_t lo = n * first / BL__GEN_SEGMENTS;
        const uint32_t m = n * bl__gen_band_end[b] / BL__GEN_SEGMENTS - lo;

        qsort(v + lo, m, sizeof(*v), by_unrest);
        for (uint32_t k = 0; k < BL__GEN_KINDS; k++) {
            const uint32_t from = lo + m * k / BL__GEN_KINDS;
            const uint32_t to = lo + m * (k + 1) / BL__GEN_KINDS;
            const uint32_t class = b * BL__GEN_KINDS + k;

            fit_kind(d, v + from, to - from, out->shape[class],
                     rate + (size_t) class * BL__GEN_RATES);
        }
    }
    /* Segments have the same number of VMs, bands have not. */
    for (uint32_t s = 0; s < BL__GEN_SEGMENTS; s++)
        for (uint32_t i = 0; i < cells; i++)
            mean +=
                rate[bl__gen_band(s) * cells + i] / (BL__GEN_SEGMENTS * cells);
    for (uint32_t c = 0; c < BL__GEN_CELLS; c++)
        out->rate[c] = cell(rate[c] / mean * BL__GEN_RATE_ONE);
    free(scratch);
    free(v);
}

void fit_mem(const struct fit_days *d, struct bl__gen_tables *out)
{
    const uint32_t n = d->vm_count, steps = d->step_count;
    double *level = array_new(n, sizeof(*level));
    double *spread = array_new(n, sizeof(*spread));
    double *pool = array_new((size_t)n * steps, sizeof(*pool));
    double knot[BL__GEN_SEGMENTS + 1], mean[BL__GEN_RANKS];
    size_t used = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *x = d->mem_ppm + (size_t)i * steps;
        double sum = 0.0, var = 0.0;

        for (uint32_t s = 0; s < steps; s++)
            sum += x[s];
        sum /= steps;
        for (uint32_t s = 0; s < steps; s++)
            var += (x[s] - sum) * (x[s] - sum) / steps;
        level[i] = sum / PPM_PER_PERCENT;
        spread[i] = sqrt(var) / sum;
        for (uint32_t s = 0; s < steps && var > 0.0; s++)
            pool[used++] = (x[s] - sum) / sqrt(var);
    }
    qsort(level, n, sizeof(*level), by_double);
    knots(level, n, BL__GEN_SEGMENTS, knot);
    for (uint32_t k = 0; k <= BL__GEN_SEGMENTS; k++)
        out->mem_level[k] = cell(knot[k] * BL__GEN_LEVEL_ONE);
    qsort(spread, n, sizeof(*spread), by_double);
    slices(spread, n, BL__GEN_RANKS, mean);
    for (uint32_t k = 0; k < BL__GEN_RANKS; k++)
        out->mem_spread[k] = cell(mean[k] * BL__GEN_SPREAD_ONE);
    qsort(pool, used, sizeof(*pool), by_double);
    slices(pool, used, BL__GEN_RANKS, mean);
    for (uint32_t k = 0; k < BL__GEN_RANKS; k++) {
        const double x = mean[k] * BL__GEN_DEVIATE_ONE;

        out->mem_shape[k] = (int16_t)(x < 0.0 ? x - 0.5 : x + 0.5);
    }
    free(level);
    free(spread);
    free(pool);
}

static void print_values(const uint16_t *v, uint32_t n, bool is_signed,
                         int indent)
{
    for (uint32_t i = 0; i < n; i++) {
        const int x = is_signed && v[i] > INT16_MAX ? v[i] - 65536 : v[i];
        const bool last = i % 8 == 7 || i + 1 == n;

        printf("%*s%d,%s", i % 8 == 0 ? indent : 1, "", x, last ? "\n" : "");
    }
}

static void print_row(const char *name, const uint16_t *v, uint32_t n)
{
    printf("    .%s = {\n", name);
    print_values(v, n, false, 8);
    printf("    },\n");
}

void fit_print(const struct bl__gen_tables *t)
{
    uint16_t mem_shape[BL__GEN_RANKS];

    for (uint32_t k = 0; k < BL__GEN_RANKS; k++)
        mem_shape[k] = (uint16_t)t->mem_shape[k];
    printf("const struct bl__gen_tables bl__gen_tables = {\n");
    print_row("level", t->level, BL__GEN_SEGMENTS + 1);
    printf("    .shape = {\n");
    for (uint32_t c = 0; c < BL__GEN_CLASSES; c++) {
        printf("        {\n");
        print_values(t->shape[c], BL__GEN_RANKS, false, 12);
        printf("        },\n");
    }
    printf("    },\n");
    print_row("rate", t->rate, BL__GEN_CELLS);
    print_row("height", t->height, BL__GEN_RANKS);
    print_row("mem_level", t->mem_level, BL__GEN_SEGMENTS + 1);
    print_row("mem_spread", t->mem_spread, BL__GEN_RANKS);
    printf("    .mem_shape = {\n");
    print_values(mem_shape, BL__GEN_RANKS, true, 8);
    printf("    },\n};\n");
}

uint32_t fit_zero_pairs(const struct fit_days *d)
{
    uint32_t vms = 0;

    for (uint32_t i = 0; i < d->vm_count; i++) {
        const uint32_t *x = d->cpu_ppm + (size_t)i * d->step_count;
        bool pair = false;

        for (uint32_t s = 1; s < d->step_count; s++)
            pair = pair || (x[s] == 0 && x[s - 1] == 0);
        vms += pair;
    }
    return (uint32_t)((uint64_t)vms * 1000000 / d->vm_count);
}
