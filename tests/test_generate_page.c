/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_generate_page - the calibration of the generator is as its doc page
 * says.
 *
 * The table of doc/models/generator.md is the list of expectations. Generated
 * days are compared with it; its "data" column, and the generator's tables, are
 * recomputed from the real days where ../shared/traces is present
 * (BL_FIT_PRINT=1 prints the tables anew).
 */
#include "tests/test.h"

#include "tests/support_fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PAGE "doc/models/generator.md"
#define REAL_CPU "../shared/traces/planetlab/20110303.tar.zst"
#define REAL_MEM "../shared/traces/google-gcd/day%d.tar.zst"

enum { FIGURES_MAX = 32, TEXT_BYTES = 64 };

static struct bl_trace *open_seed(uint64_t seed, bool has_mem)
{
    struct bl_trace_spec spec;
    struct bl_trace *t = NULL;
    struct bl_diag diag = { "" };

    bl_trace_spec_default(&spec);
    spec.seed = seed;
    spec.has_mem = has_mem;
    if (bl_trace_open_generated(&spec, 1, &t, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    return t;
}

/* --- figures ------------------------------------------------------------ */

struct figures {
    uint32_t count;
    struct {
        const char *name;
        double value;
    } row[FIGURES_MAX];
};

static void add(struct figures *f, const char *name, double value)
{
    assert_true(f->count < FIGURES_MAX);
    f->row[f->count].name = name;
    f->row[f->count++].value = value;
}

static int by_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Nearest rank, as bl_trace_stats() defines percentiles; sorts @v. */
static double percentile(uint32_t *v, size_t n, size_t p)
{
    qsort(v, n, sizeof(*v), by_u32);

    const size_t rank = (n * p + 99) / 100;

    return v[rank - 1] / 10000.0;
}

/* The mean over a day of each VM; the caller frees. */
static uint32_t *vm_means(const struct fit_days *d, const uint32_t *cell)
{
    uint32_t *mean = calloc(d->vm_count, sizeof(*mean));

    assert_non_null(mean);
    for (uint32_t i = 0; i < d->vm_count; i++) {
        uint64_t sum = 0;

        for (uint32_t s = 0; s < d->step_count; s++)
            sum += cell[(size_t)i * d->step_count + s];
        mean[i] = (uint32_t)(sum / d->step_count);
    }
    return mean;
}

static void cpu_figures(struct bl_trace *t, struct figures *f)
{
    struct fit_days d = { 0 };
    struct bl_trace_stats s;
    struct bl_diag diag;

    assert_ok(bl_trace_stats(t, &s, &diag));
    fit_load(t, &d);

    uint32_t *mean = vm_means(&d, d.cpu_ppm);

    add(f, "CPU mean", s.cpu_mean);
    add(f, "CPU sd", s.cpu_sd);
    add(f, "CPU p50", s.cpu_p50);
    add(f, "CPU p75", s.cpu_p75);
    add(f, "CPU p90", s.cpu_p90);
    add(f, "CPU p95", s.cpu_p95);
    add(f, "CPU p99", s.cpu_p99);
    add(f, "CPU lag-1 autocorrelation", s.cpu_lag1);
    add(f, "peak / mean of the total", s.total_peak);
    add(f, "samples that are 0",
        100.0 * (double)s.zero_count / (double)s.sample_count);
    add(f, "VMs with two zeros in a row", fit_zero_pairs(&d) / 10000.0);
    add(f, "VM means, p10", percentile(mean, d.vm_count, 10));
    add(f, "VM means, p50", percentile(mean, d.vm_count, 50));
    add(f, "VM means, p90", percentile(mean, d.vm_count, 90));
    add(f, "VM means, p99", percentile(mean, d.vm_count, 99));
    free(mean);
    fit_free(&d);
}

/* Deviation over the day in each VM, in ppm, as whole numbers. */
static uint32_t *vm_deviations(const struct fit_days *d, const uint32_t *cell,
                               const uint32_t *mean)
{
    uint32_t *out = calloc(d->vm_count, sizeof(*out));

    assert_non_null(out);
    for (uint32_t i = 0; i < d->vm_count; i++) {
        double sum = 0.0;

        for (uint32_t s = 0; s < d->step_count; s++) {
            const double x =
                (double)cell[(size_t)i * d->step_count + s] - mean[i];

            sum += x * x;
        }
        out[i] = (uint32_t)sqrt(sum / d->step_count);
    }
    return out;
}

static double mem_lag1(const struct fit_days *d)
{
    double all = 0.0;
    uint32_t vms = 0;

    for (uint32_t i = 0; i < d->vm_count; i++) {
        const uint32_t *x = d->mem_ppm + (size_t)i * d->step_count;
        double mean = 0.0, above = 0.0, below = 0.0;

        for (uint32_t s = 0; s < d->step_count; s++)
            mean += (double)x[s] / d->step_count;
        for (uint32_t s = 0; s < d->step_count; s++) {
            below += (x[s] - mean) * (x[s] - mean);
            above += s > 0 ? (x[s] - mean) * (x[s - 1] - mean) : 0.0;
        }
        if (below > 1.0) { /* not constant, whatever the rounding of mean */
            all += above / below;
            vms++;
        }
    }
    return all / vms;
}

static void mem_figures(struct fit_days *d, struct figures *f)
{
    const size_t n = (size_t)d->vm_count * d->step_count;
    uint32_t *mean = vm_means(d, d->mem_ppm);
    uint32_t *deviation = vm_deviations(d, d->mem_ppm, mean);
    double sum = 0.0;

    for (uint32_t i = 0; i < d->vm_count; i++)
        sum += mean[i];
    add(f, "memory mean", sum / d->vm_count / 10000.0);
    add(f, "memory lag-1 autocorrelation", mem_lag1(d));
    add(f, "VM memory deviation in a day, p50",
        percentile(deviation, d->vm_count, 50));
    add(f, "VM memory deviation in a day, p90",
        percentile(deviation, d->vm_count, 90));
    add(f, "memory p50", percentile(d->mem_ppm, n, 50));
    add(f, "memory p95", percentile(d->mem_ppm, n, 95));
    free(deviation);
    free(mean);
}

/* --- the page ----------------------------------------------------------- */

/* A row:  | name | data | generated | tolerance | unit | */
struct page_row {
    char name[TEXT_BYTES], data[TEXT_BYTES], generated[TEXT_BYTES],
        tolerance[TEXT_BYTES];
};

static bool page_cell(const char **line, char out[TEXT_BYTES])
{
    const char *p = *line + (**line == '|');
    const char *end = strchr(p, '|');

    if (end == NULL)
        return false;
    *line = end;
    while (*p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    if (end - p >= TEXT_BYTES)
        return false;
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = '\0';
    return true;
}

static uint32_t page_rows(struct page_row row[FIGURES_MAX])
{
    char line[512];
    uint32_t n = 0;
    bool inside = false;
    FILE *page = fopen(PAGE, "r");

    assert_non_null(page);
    while (fgets(line, sizeof(line), page) != NULL) {
        const char *p = line;
        struct page_row r;

        if (strstr(line, "| figure | data | generated") != NULL) {
            inside = true;
            assert_non_null(fgets(line, sizeof(line), page)); /* |---| */
            continue;
        }
        inside = inside && line[0] == '|';
        if (!inside)
            continue;
        assert_true(page_cell(&p, r.name) && page_cell(&p, r.data) &&
                    page_cell(&p, r.generated) && page_cell(&p, r.tolerance));
        assert_true(n < FIGURES_MAX);
        row[n++] = r;
    }
    fclose(page);
    return n;
}

static const struct page_row *page_find(const struct page_row *row, uint32_t n,
                                        const char *name)
{
    const struct page_row *found = NULL;

    for (uint32_t i = 0; i < n; i++)
        if (strcmp(row[i].name, name) == 0) {
            assert_null(found); /* twice */
            found = &row[i];
        }
    if (found == NULL)
        fail_msg("no row '%s' in %s", name, PAGE);
    return found;
}

/* As many decimals as the page shows. */
static bool prints_as(double value, const char *text)
{
    const char *point = strchr(text, '.');
    char buf[TEXT_BYTES];

    snprintf(buf, sizeof(buf), "%.*f",
             point != NULL ? (int)strlen(point + 1) : 0, value);
    return strcmp(buf, text) == 0;
}

static void all_figures(uint64_t seed, struct figures *f)
{
    struct bl_trace *t = open_seed(seed, true);
    struct fit_days d = { 0 };

    cpu_figures(t, f);
    assert_ok(bl_trace_rewind(t, &(struct bl_diag){ "" }));
    fit_load(t, &d);
    mem_figures(&d, f);
    fit_free(&d);
    bl_trace_close(t);
}

static bool is_close(double value, const struct page_row *r)
{
    const double tolerance = strtod(r->tolerance, NULL);

    return tolerance > 0.0 && fabs(value - strtod(r->data, NULL)) <= tolerance;
}

static void test_a_generated_day_is_as_the_page_says(void **state)
{
    struct page_row row[FIGURES_MAX];
    const uint32_t rows = page_rows(row);
    struct figures f = { 0 };
    uint32_t wrong = 0;

    (void)state;
    all_figures(1, &f);
    for (uint32_t i = 0; i < f.count; i++) {
        const struct page_row *r = page_find(row, rows, f.row[i].name);

        if (is_close(f.row[i].value, r) &&
            prints_as(f.row[i].value, r->generated))
            continue;
        print_error(
            "%s: generated %.6f; the page: data %s, generated %s, "
            "tolerance %s\n",
            f.row[i].name, f.row[i].value, r->data, r->generated, r->tolerance);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(rows, f.count); /* the page has no row of its own */
}

/* Other seeds are other populations, within the same tolerances. */
static void test_other_seeds_are_as_good(void **state)
{
    struct page_row row[FIGURES_MAX];
    const uint32_t rows = page_rows(row);
    uint32_t wrong = 0;

    (void)state;
    for (uint64_t seed = 2; seed < 8; seed++) {
        struct figures f = { 0 };

        all_figures(seed, &f);
        for (uint32_t i = 0; i < f.count; i++) {
            const struct page_row *r = page_find(row, rows, f.row[i].name);

            if (is_close(f.row[i].value, r))
                continue;
            print_error("seed %d, %s: %g, expected %s within %s\n", (int)seed,
                        f.row[i].name, f.row[i].value, r->data, r->tolerance);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* --- the real days ------------------------------------------------------ */

static void load_real(const char *path, struct fit_days *d, struct figures *f)
{
    const struct bl_trace_opts opts = { .thread_count = 1 };
    struct bl_trace *t = NULL;
    struct bl_diag diag;

    if (bl_trace_open(path, &opts, &t, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    if (f != NULL)
        cpu_figures(t, f);
    assert_ok(bl_trace_rewind(t, &diag));
    fit_load(t, d);
    bl_trace_close(t);
}

static void test_page_and_tables_are_those_of_the_real_days(void **state)
{
    static struct bl__gen_tables tables;
    struct fit_days cpu = { 0 }, mem = { 0 };
    struct figures f = { 0 };
    struct page_row row[FIGURES_MAX];
    const uint32_t rows = page_rows(row);
    FILE *probe = fopen(REAL_CPU, "r");
    uint32_t wrong = 0;

    (void)state;
    if (probe == NULL) {
        print_message("SKIP: no %s to compare with\n", REAL_CPU);
        skip();
    }
    fclose(probe);
    load_real(REAL_CPU, &cpu, &f);
    for (int day = 1; day <= 5; day++) {
        char path[TEXT_BYTES];

        snprintf(path, sizeof(path), REAL_MEM, day);
        load_real(path, &mem, NULL);
    }
    fit_cpu(&cpu, &tables);
    fit_mem(&mem, &tables);
    mem_figures(&mem, &f); /* sorts */
    for (uint32_t i = 0; i < f.count; i++) {
        const struct page_row *r = page_find(row, rows, f.row[i].name);

        if (prints_as(f.row[i].value, r->data))
            continue;
        print_error("%s: data %.6f, the page says %s\n", f.row[i].name,
                    f.row[i].value, r->data);
        wrong++;
    }
    if (getenv("BL_FIT_PRINT") != NULL)
        fit_print(&tables);
    assert_memory_equal(&tables, &bl__gen_tables, sizeof(tables));
    assert_int_equal(wrong, 0);
    fit_free(&cpu);
    fit_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_generated_day_is_as_the_page_says),
        cmocka_unit_test(test_other_seeds_are_as_good),
        cmocka_unit_test(test_page_and_tables_are_those_of_the_real_days),
    };

    return cmocka_run_group_tests_name("generate_page", tests, test_group_setup,
                                       NULL);
}
