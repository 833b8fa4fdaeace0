/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dvfs_data - the DVFS model against measured cores: phones' whose
 * voltages are known (freqbench). What they draw says nothing about servers;
 * how it follows voltage and speed does. The figures are those of
 * doc/models/power.md.
 */
#include "tests/test.h"

#include "power/dvfs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA "../shared/traces/cpu-freq-power/"
#define PAGE "doc/models/power.md"
#define POINTS_MAX 32u
#define CORES_MAX 3u
#define PAGE_BYTES 65536

struct point {
    uint64_t khz;
    uint32_t uv;
    double mw;
    double model, speed; /* mW as the two models have it */
};

struct core {
    unsigned cpu; /* the first of its cluster */
    struct point point[POINTS_MAX];
    uint32_t n;
    double static_mw, switch_mw; /* at the fastest */
};

struct soc {
    const char *name;
    struct core core[CORES_MAX];
    uint32_t n;
};

static FILE *must_open(const char *soc, const char *suffix)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), DATA "%s%s", soc, suffix);
    f = fopen(path, "r");
    if (f == NULL)
        fail_msg("%s: cannot be opened", path);
    return f;
}

static struct core *core_of(struct soc *s, unsigned cpu)
{
    if (s->n == 0 || s->core[s->n - 1].cpu != cpu) {
        assert_true(s->n < CORES_MAX);
        s->core[s->n++].cpu = cpu;
    }
    return &s->core[s->n - 1];
}

/* CPU,kHz,CoreMarks,CoreMarks/MHz,mW,...; clusters and speeds rise. */
static void read_power(struct soc *s)
{
    FILE *f = must_open(s->name, "_main_results.csv");
    char line[256];

    assert_non_null(fgets(line, sizeof(line), f));
    while (fgets(line, sizeof(line), f) != NULL) {
        char *at = line;
        const unsigned cpu = (unsigned)strtoul(at, &at, 10);
        struct core *c = core_of(s, cpu);
        struct point *p = &c->point[c->n++];

        assert_true(c->n <= POINTS_MAX);
        p->khz = strtoull(at + 1, &at, 10);
        for (int skip = 0; skip < 2; skip++)
            strtod(at + 1, &at);
        p->mw = strtod(at + 1, &at);
        assert_true(p->khz > 0 && p->mw > 0);
    }
    fclose(f);
}

/* CPU.kHz=uV ... */
static void read_voltages(struct soc *s)
{
    FILE *f = must_open(s->name, "_voltages.txt");
    char word[64];

    while (fscanf(f, "%63s", word) == 1) {
        char *at = word;
        const unsigned cpu = (unsigned)strtoul(at, &at, 10);
        const uint64_t khz = strtoull(at + 1, &at, 10);
        const uint32_t uv = (uint32_t)strtoul(at + 1, NULL, 10);

        for (uint32_t k = 0; k < s->n; k++)
            for (uint32_t i = 0; i < s->core[k].n; i++)
                if (s->core[k].cpu == cpu && s->core[k].point[i].khz == khz)
                    s->core[k].point[i].uv = uv;
    }
    fclose(f);
    for (uint32_t k = 0; k < s->n; k++)
        for (uint32_t i = 0; i < s->core[k].n; i++)
            assert_true(s->core[k].point[i].uv > 0);
}

/* V^2 f, or f alone, against the fastest. */
static double part(const struct core *c, uint32_t i, bool volts)
{
    const struct point *p = &c->point[i], *top = &c->point[c->n - 1];
    const double v = (double)p->uv / top->uv;
    const double f = (double)p->khz / (double)top->khz;

    return volts ? v * v * f : f;
}

/* static + switching * part(): least squares of the relative error. */
static void fit(struct core *c, bool volts)
{
    double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;

    for (uint32_t i = 0; i < c->n; i++) {
        const double x = part(c, i, volts), y = c->point[i].mw;
        const double weight = 1 / (y * y);

        w += weight;
        wx += weight * x;
        wy += weight * y;
        wxx += weight * x * x;
        wxy += weight * x * y;
    }
    c->switch_mw = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    c->static_mw = (wy - c->switch_mw * wx) / w;
}

/* As the tables of P-states have it; a phone's mW are read as W here, or
 * rounding would count. */
static double table_mw(const struct core *c, uint32_t i)
{
    const struct point *p = &c->point[i], *top = &c->point[c->n - 1];
    const struct bl_dvfs_model m = {
        .static_mw = (uint32_t)(c->static_mw * 1000 + 0.5),
        .switch_mw = (uint32_t)(c->switch_mw * 1000 + 0.5),
    };
    struct bl_freq f = { .pstate_count = 2, .domain_count = 1 };

    f.pstate[0].khz = top->khz;
    f.pstate[0].uv = top->uv;
    f.pstate[1].khz = p->khz;
    f.pstate[1].uv = p->uv;
    assert_ok(bl_dvfs_apply(&f, 1, &m));
    return f.pstate[1].mw[BL_POWER_POINTS - 1] / 1000.0;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct errors {
    double mean, p95, max; /* of |model / measured - 1| */
};

static struct errors errors_of(const struct soc *s, bool volts)
{
    double e[POINTS_MAX * CORES_MAX], sum = 0;
    uint32_t n = 0;

    for (uint32_t k = 0; k < s->n; k++) {
        for (uint32_t i = 0; i < s->core[k].n; i++) {
            const struct point *p = &s->core[k].point[i];

            e[n] = fabs((volts ? p->model : p->speed) / p->mw - 1);
            sum += e[n++];
        }
    }
    qsort(e, n, sizeof(e[0]), by_size);
    return (struct errors){ sum / n, e[(n * 95 + 99) / 100 - 1], e[n - 1] };
}

static void measure(struct soc *s)
{
    read_power(s);
    read_voltages(s);
    for (uint32_t k = 0; k < s->n; k++) {
        struct core *c = &s->core[k];

        fit(c, false);
        for (uint32_t i = 0; i < c->n; i++)
            c->point[i].speed = c->static_mw + c->switch_mw * part(c, i, false);
        fit(c, true);
        assert_true(c->static_mw > 0 && c->switch_mw > 0);
        for (uint32_t i = 0; i < c->n; i++) {
            c->point[i].model = table_mw(c, i);
            assert_true(fabs(c->point[i].model - c->static_mw -
                             c->switch_mw * part(c, i, true)) < 0.002);
        }
    }
}

/* The row of the page, made anew. */
static void check_row(const struct soc *s, const char *page)
{
    const struct errors m = errors_of(s, true), f = errors_of(s, false);
    uint32_t points = 0;
    char row[200];

    for (uint32_t k = 0; k < s->n; k++)
        points += s->core[k].n;
    snprintf(row, sizeof(row),
             "| %s | %u | %u | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %.1f %% "
             "|\n",
             s->name, s->n, points, m.mean * 100, m.p95 * 100, m.max * 100,
             f.mean * 100, f.p95 * 100);
    print_message("%s", row);
    if (strstr(page, row) == NULL)
        fail_msg("not in %s: %s", PAGE, row);
    assert_true(m.mean < 0.07);
    assert_true(m.mean < f.mean);
}

static void test_cores_of_phones(void **state)
{
    static const char *const name[] = { "sm7250ab", "sm8150", "sm8150ac" };
    static char page[PAGE_BYTES];
    FILE *f;
    size_t n;

    (void)state;
    if (access(DATA "sm8150_voltages.txt", R_OK) != 0) {
        print_message("SKIP: no " DATA "\n");
        skip();
    }
    f = fopen(PAGE, "r");
    assert_non_null(f);
    n = fread(page, 1, sizeof(page) - 1, f);
    assert_true(n > 0 && n < sizeof(page) - 1);
    fclose(f);
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        static struct soc s;

        s = (struct soc){ .name = name[i] };
        measure(&s);
        check_row(&s, page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cores_of_phones),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
