/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_power_page - how far simple models of power are from what was measured.
 *
 * The tables of doc/models/power.md, "Measured curves", are recomputed from
 * the published results where ../shared/traces is present (BL_CURVES_PRINT=1
 * prints them). What is computed is checked on curves made by hand.
 */
#include "tests/test.h"

#include "config/servers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PAGE "doc/models/power.md"
#define CURVES "../shared/traces/specpower/specpower_curves.csv"

enum { CLASSES = 4, PAGE_BYTES = 1 << 18, SAMPLES_MAX = 8192 };

static const struct {
    const char *title;
    uint32_t from, to;
} age[CLASSES] = {
    { "to 2009", 0, 2009 },
    { "2010 to 2012", 2010, 2012 },
    { "2013 to 2016", 2013, 2016 },
    { "from 2017", 2017, UINT32_MAX },
};

/* --- models: mW at load @i / 10, from what they know of @mw ------------- */

static double between(const uint32_t *mw, double part)
{
    return mw[0] + ((double)mw[10] - mw[0]) * part;
}

static double linear(const uint32_t *mw, int i)
{
    return between(mw, i / 10.0);
}

static double square(const uint32_t *mw, int i)
{
    return between(mw, i / 10.0 * i / 10.0);
}

static double cubic(const uint32_t *mw, int i)
{
    return between(mw, i / 10.0 * i / 10.0 * i / 10.0);
}

static double root(const uint32_t *mw, int i)
{
    return between(mw, sqrt(i / 10.0));
}

/* Our interpolation, given 5 of the 11 points. */
static double five_points(const uint32_t *mw, int i)
{
    static const int kept[] = { 0, 1, 5, 8, 10 };
    int k = 0;

    while (kept[k + 1] < i)
        k++;

    const int a = kept[k], b = kept[k + 1];

    return mw[a] + ((double)mw[b] - mw[a]) * (i - a) / (b - a);
}

static const struct {
    const char *title;
    double (*mw)(const uint32_t *mw, int i);
} model[] = {
    { "linear from idle to full", linear },
    { "square", square },
    { "cubic", cubic },
    { "square root", root },
    { "the table, 5 of 11 points", five_points },
};

#define MODELS (sizeof(model) / sizeof(model[0]))

/* --- figures ------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct error {
    double mean, p95; /* % of full power */
};

static bool is_of(const struct bl_server *s, int a)
{
    return s->year >= age[a].from && s->year <= age[a].to;
}

/* Over the 11 loads of every server of one age. */
static struct error error_of(const struct bl_servers *all, size_t m, int a)
{
    static double sample[SAMPLES_MAX];
    struct error e = { 0, 0 };
    size_t n = 0;

    for (uint32_t k = 0; k < all->count; k++) {
        const uint32_t *mw = all->server[k].power.mw;

        if (!is_of(&all->server[k], a))
            continue;
        for (int i = 0; i < BL_POWER_POINTS; i++) {
            assert_true(n < SAMPLES_MAX);
            sample[n] = fabs(model[m].mw(mw, i) - mw[i]) / mw[10] * 100;
            e.mean += sample[n++];
        }
    }
    assert_true(n > 0);
    qsort(sample, n, sizeof(sample[0]), by_value);
    e.mean /= (double)n;
    e.p95 = sample[(n * 95 + 99) / 100 - 1];
    return e;
}

/* How many servers of an age do most per joule at @from .. @to %. */
static uint32_t best_between(const struct bl_servers *all, int a, uint32_t from,
                             uint32_t to)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < all->count; k++) {
        const uint32_t best = bl_server_best_load(&all->server[k]);

        n += is_of(&all->server[k], a) && best >= from && best <= to;
    }
    return n;
}

/* --- the page ----------------------------------------------------------- */

static char page[PAGE_BYTES];

static void expect_row(const char *row)
{
    if (getenv("BL_CURVES_PRINT") != NULL)
        printf("%s\n", row);
    else if (strstr(page, row) == NULL)
        fail_msg("%s has no row '%s'", PAGE, row);
}

static void load_page(void)
{
    FILE *f = fopen(PAGE, "r");
    size_t n;

    assert_non_null(f);
    n = fread(page, 1, sizeof(page) - 1, f);
    fclose(f);
    page[n] = '\0';
}

static void expect_errors(const struct bl_servers *all)
{
    char row[512];

    for (size_t m = 0; m < MODELS; m++) {
        int n = snprintf(row, sizeof(row), "| %s |", model[m].title);

        for (int a = 0; a < CLASSES; a++) {
            const struct error e = error_of(all, m, a);

            n += snprintf(row + n, sizeof(row) - (size_t)n, " %.1f / %.1f |",
                          e.mean, e.p95);
        }
        expect_row(row);
    }
}

static void expect_best_loads(const struct bl_servers *all)
{
    static const struct {
        const char *title;
        uint32_t from, to;
    } load[] = {
        { "100 %", 100, 100 }, { "90 %", 90, 90 },        { "80 %", 80, 80 },
        { "70 %", 70, 70 },    { "60 % or less", 0, 60 },
    };
    char row[512];

    for (size_t i = 0; i < sizeof(load) / sizeof(load[0]); i++) {
        int n = snprintf(row, sizeof(row), "| %s |", load[i].title);

        for (int a = 0; a < CLASSES; a++)
            n += snprintf(row + n, sizeof(row) - (size_t)n, " %u |",
                          best_between(all, a, load[i].from, load[i].to));
        expect_row(row);
    }
}

static void test_the_page_has_the_figures(void **state)
{
    struct bl_diag diag = { "" };
    struct bl_servers all;
    struct bl_arena a;
    char row[512];
    int n;

    (void)state;
    assert_ok(bl_arena_init(&a, BL_SERVERS_ARENA_BYTES));
    if (bl_servers_load(&a, CURVES, &all, &diag) != BL_ERR_OK) {
        print_message("SKIP: %s\n", diag.text);
        bl_arena_free(&a);
        skip();
        return;
    }
    load_page();
    n = snprintf(row, sizeof(row), "| servers |");
    for (int c = 0; c < CLASSES; c++)
        n += snprintf(row + n, sizeof(row) - (size_t)n, " %u |",
                      best_between(&all, c, 0, 100));
    expect_row(row);
    expect_errors(&all);
    expect_best_loads(&all);
    bl_arena_free(&a);
}

/* --- by hand ------------------------------------------------------------ */

static void test_errors_by_hand(void **state)
{
    /* a straight line, and one that jumps to half of full power at 10 % */
    static const struct bl_server two[] = {
        { .year = 2000,
          .power.mw = { 100, 110, 120, 130, 140, 150, 160, 170, 180, 190,
                        200 } },
        { .year = 2020,
          .power.mw = { 0, 500, 500, 500, 500, 500, 600, 700, 800, 900,
                        1000 } },
    };
    const struct bl_servers all = { two, 2, 0 };

    (void)state;
    assert_float_equal(error_of(&all, 0, 0).mean, 0, 1e-9);
    assert_float_equal(error_of(&all, 4, 0).p95, 0, 1e-9);
    /* 40 + 30 + 20 + 10 % at 10 .. 40 % load */
    assert_float_equal(error_of(&all, 0, 3).mean, 100.0 / 11, 1e-9);
    assert_float_equal(error_of(&all, 0, 3).p95, 40, 1e-9);
    assert_float_equal(error_of(&all, 4, 3).p95, 0, 1e-9);
    assert_float_equal(model[1].mw(two[0].power.mw, 5), 125, 1e-9);
    assert_float_equal(model[2].mw(two[0].power.mw, 5), 112.5, 1e-9);
    assert_float_equal(model[3].mw(two[1].power.mw, 10), 1000, 1e-9);
    assert_int_equal(best_between(&all, 0, 100, 100), 1);
    assert_int_equal(best_between(&all, 3, 50, 50), 1);
    assert_int_equal(best_between(&all, 1, 0, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_by_hand),
        cmocka_unit_test(test_the_page_has_the_figures),
    };

    return cmocka_run_group_tests_name("power_page", tests, test_group_setup,
                                       NULL);
}
