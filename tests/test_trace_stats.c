/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_stats - the figures of a trace: by hand, by brute force. */
#include "tests/test.h"

#include "base/prng.h"
#include "trace/trace_priv.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SLOTS_MAX = 8, STEPS_MAX = 64 };
#define EMPTY UINT32_MAX

/* A trace in memory: cell[step][slot], EMPTY where no VM lives. @born[step]
 * marks slots whose VM is another than in the step before. */
struct fake {
    struct bl_trace base;
    uint32_t cell[STEPS_MAX][SLOTS_MAX];
    bool born[STEPS_MAX][SLOTS_MAX];
    bool no_cpu;
    uint32_t fail_at; /* step that cannot be read; EMPTY: none */
    uint32_t row[SLOTS_MAX], departed[SLOTS_MAX];
    struct bl_trace_vm arrived[SLOTS_MAX];
};

static bl_err fake_next(struct bl_trace *t, struct bl_trace_step *out,
                        struct bl_diag *diag)
{
    struct fake *f = (struct fake *)t;
    const uint32_t s = t->step_next;

    if (s == f->fail_at)
        return bl_diag_set(diag, BL_ERR_PARSE, "fake", s, "is damaged");
    *out = (struct bl_trace_step){ .index = s,
                                   .departed = f->departed,
                                   .arrived = f->arrived,
                                   .cpu_ppm = f->no_cpu ? NULL : f->row,
                                   .mem_ppm = f->no_cpu ? f->row : NULL };
    for (uint32_t i = 0; i < t->info.vms_alive_max; i++) {
        const bool was = s > 0 && f->cell[s - 1][i] != EMPTY;
        const bool is = f->cell[s][i] != EMPTY;

        if (was && (!is || f->born[s][i]))
            f->departed[out->departed_count++] = i;
        if (is && (!was || f->born[s][i]))
            f->arrived[out->arrived_count++] =
                (struct bl_trace_vm){ .name = "vm", .slot = i };
        f->row[i] = is ? f->cell[s][i] : 0;
    }
    return BL_ERR_OK;
}

static bl_err fake_rewind(struct bl_trace *t, struct bl_diag *diag)
{
    (void)t;
    (void)diag;
    return BL_ERR_OK;
}

static void fake_close(struct bl_trace *t)
{
    free(t);
}

static const struct bl_trace_ops fake_ops = { fake_next, fake_rewind,
                                              fake_close };

static struct fake *fake_new(uint32_t slots, uint32_t steps)
{
    struct fake *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->base.ops = &fake_ops;
    f->base.info.step_count = steps;
    f->base.info.step_ns = 1;
    f->base.info.vms_alive_max = slots;
    f->base.info.has_cpu = true;
    f->fail_at = EMPTY;
    for (uint32_t s = 0; s < STEPS_MAX; s++)
        for (uint32_t i = 0; i < SLOTS_MAX; i++)
            f->cell[s][i] = EMPTY;
    return f;
}

static struct bl_trace_stats measure(struct fake *f)
{
    struct bl_trace_stats s;
    struct bl_diag diag;

    assert_ok(bl_trace_stats(&f->base, &s, &diag));
    return s;
}

static void assert_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * (1.0 + fabs(want))))
        fail_msg("%.17g, expected %.17g", got, want);
}

/* --- the example -------------------------------------------------------- */

static void test_two_vms_by_hand(void **state)
{
    static const uint32_t pct[2][4] = { { 10, 20, 10, 20 }, { 0, 0, 50, 50 } };
    struct fake *f = fake_new(2, 4);

    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t s = 0; s < 4; s++)
            f->cell[s][i] = pct[i][s] * 10000;

    const struct bl_trace_stats s = measure(f);

    assert_int_equal(s.sample_count, 8);
    assert_near(s.cpu_mean, 20.0);
    assert_near(s.cpu_sd, sqrt(350.0));
    assert_near(s.cpu_p50, 10.0); /* 0 0 10 10 | 20 20 50 50 */
    assert_near(s.cpu_p75, 20.0);
    assert_near(s.cpu_p90, 50.0);
    assert_near(s.cpu_p99, 50.0);
    assert_near(s.cpu_lag1, (-0.75 + 0.25) / 2);
    assert_near(s.total_peak, 70.0 / 40.0); /* 10 20 60 70 */
    assert_int_equal(s.zero_count, 2);
    bl_trace_close(&f->base);
}

/* --- edges -------------------------------------------------------------- */

static void test_a_constant_vm_has_no_autocorrelation(void **state)
{
    static const uint32_t pct[2][4] = { { 7, 7, 7, 7 }, { 10, 20, 10, 20 } };
    struct fake *f = fake_new(2, 4);

    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t s = 0; s < 4; s++)
            f->cell[s][i] = pct[i][s] * 10000;
    assert_near(measure(f).cpu_lag1, -0.75); /* of the other alone */
    bl_trace_close(&f->base);
}

static void test_nothing_to_measure_gives_zeros(void **state)
{
    struct fake *f = fake_new(1, 3);
    struct bl_trace_stats s = measure(f); /* no VM at all */

    (void)state;
    assert_int_equal(s.sample_count, 0);
    assert_near(s.cpu_mean, 0.0);
    assert_near(s.cpu_sd, 0.0);
    assert_near(s.cpu_p99, 0.0);
    assert_near(s.cpu_lag1, 0.0);
    assert_near(s.total_peak, 0.0);
    f->cell[1][0] = 0; /* one sample, and it is 0 */
    s = measure(f);
    assert_int_equal(s.sample_count, 1);
    assert_int_equal(s.zero_count, 1);
    assert_near(s.cpu_sd, 0.0);
    assert_near(s.cpu_lag1, 0.0);
    assert_near(s.total_peak, 0.0);
    bl_trace_close(&f->base);
}

static void test_a_missing_column_counts_as_full(void **state)
{
    struct fake *f = fake_new(1, 2);

    (void)state;
    f->cell[0][0] = 100000;
    f->cell[1][0] = 300000;
    assert_near(measure(f).mem_mean, 100.0);
    f->no_cpu = true; /* the numbers become memory */
    assert_near(measure(f).cpu_mean, 100.0);
    assert_near(measure(f).mem_mean, 20.0);
    assert_near(measure(f).mem_p50, 10.0);
    assert_near(measure(f).mem_p95, 30.0);
    bl_trace_close(&f->base);
}

static bl_err square_wave(struct bl_trace *t, struct bl_trace_step *out,
                          struct bl_diag *diag)
{
    struct fake *f = (struct fake *)t;

    (void)diag;
    f->row[0] = t->step_next % 2 * 1000000;
    *out = (struct bl_trace_step){ .index = t->step_next,
                                   .arrived = f->arrived,
                                   .arrived_count = t->step_next == 0,
                                   .cpu_ppm = f->row };
    return BL_ERR_OK;
}

/* The largest sums that a VM can have: nothing overflows. */
static void test_the_longest_trace_is_exact(void **state)
{
    static const struct bl_trace_ops ops = { square_wave, fake_rewind,
                                             fake_close };
    const double n = BL_TRACE_STEPS_MAX;
    struct fake *f = fake_new(1, BL_TRACE_STEPS_MAX);

    (void)state;
    f->base.ops = &ops;

    const struct bl_trace_stats s = measure(f);

    assert_int_equal(s.sample_count, BL_TRACE_STEPS_MAX);
    assert_near(s.cpu_mean, 50.0);
    assert_near(s.cpu_sd, 50.0);
    assert_near(s.cpu_lag1, -(n - 1.0) / n);
    assert_near(s.total_peak, 2.0);
    bl_trace_close(&f->base);
}

/* --- brute force -------------------------------------------------------- */

/* Autocorrelation of the life that begins at @from in slot @i; false when it
 * has none. *end is the step after its last. */
static bool naive_lag1(const struct fake *f, uint32_t from, uint32_t i,
                       uint32_t *end, double *out)
{
    double mean = 0.0, above = 0.0, below = 0.0;
    uint32_t to = from;

    do
        mean += f->cell[to++][i];
    while (to < f->base.info.step_count && f->cell[to][i] != EMPTY &&
           !f->born[to][i]);
    mean /= to - from;
    for (uint32_t s = from; s < to; s++) {
        const double x = f->cell[s][i] - mean;

        below += x * x;
        above += s > from ? x * (f->cell[s - 1][i] - mean) : 0.0;
    }
    *end = to;
    *out = below > 1e-3 ? above / below : 0.0;
    return below > 1e-3; /* cells are whole numbers: else all are equal */
}

static double naive_mean_lag1(const struct fake *f)
{
    double sum = 0.0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < f->base.info.vms_alive_max; i++)
        for (uint32_t s = 0, end; s < f->base.info.step_count; s = end) {
            double lag1 = 0.0;

            end = s + 1;
            if (f->cell[s][i] != EMPTY && naive_lag1(f, s, i, &end, &lag1)) {
                sum += lag1;
                count++;
            }
        }
    return count > 0 ? sum / count : 0.0;
}

static void check_against_brute_force(struct fake *f)
{
    const struct bl_trace_stats got = measure(f);
    double sum = 0.0, squares = 0.0, most = 0.0;
    uint64_t n = 0, below = 0, upto = 0;

    for (uint32_t s = 0; s < f->base.info.step_count; s++) {
        double total = 0.0;

        for (uint32_t i = 0; i < f->base.info.vms_alive_max; i++) {
            const uint32_t x = f->cell[s][i];

            if (x == EMPTY)
                continue;
            n++;
            total += x;
            below += x / 10000.0 < got.cpu_p75 - 1e-6;
            upto += x / 10000.0 < got.cpu_p75 + 1e-6;
        }
        sum += total;
        most = total > most ? total : most;
    }
    for (uint32_t s = 0; s < f->base.info.step_count; s++)
        for (uint32_t i = 0; i < f->base.info.vms_alive_max; i++)
            if (f->cell[s][i] != EMPTY)
                squares += (f->cell[s][i] - sum / (double)n) *
                           (f->cell[s][i] - sum / (double)n);
    assert_int_equal(got.sample_count, n);
    if (n == 0)
        return;
    assert_near(got.cpu_mean, sum / (double)n / 1e4);
    assert_near(got.cpu_sd, sqrt(squares / (double)n) / 1e4);
    assert_true(4 * below < 3 * n && 4 * upto >= 3 * n);
    assert_near(got.total_peak,
                sum > 0.0 ? most / (sum / f->base.info.step_count) : 0.0);
    assert_near(got.cpu_lag1, naive_mean_lag1(f));
}

static void test_random_traces_match_brute_force(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 100; round++) {
        const uint32_t slots = 1 + (uint32_t)bl_prng_below(&prng, SLOTS_MAX);
        const uint32_t steps = 1 + (uint32_t)bl_prng_below(&prng, STEPS_MAX);
        const uint64_t grain = round % 2 == 0 ? 1 : 250000; /* ties */
        struct fake *f = fake_new(slots, steps);

        for (uint32_t s = 0; s < steps; s++)
            for (uint32_t i = 0; i < slots; i++) {
                const bool lives = bl_prng_below(&prng, 10) > 0;
                const uint64_t x = bl_prng_below(&prng, 1000001) / grain;

                f->cell[s][i] = lives ? (uint32_t)(x * grain) : EMPTY;
                f->born[s][i] = bl_prng_below(&prng, 20) == 0;
            }
        check_against_brute_force(f);
        bl_trace_close(&f->base);
    }
}

/* --- from wherever the trace stands, and for any number of threads ------ */

static void test_stats_read_from_the_first_step(void **state)
{
    struct bl_trace_stats first, again;
    struct bl_trace_step step;
    struct bl_trace_spec spec;
    struct bl_diag diag;

    (void)state;
    bl_trace_spec_default(&spec);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct bl_trace *t = NULL;

        assert_ok(bl_trace_open_generated(&spec, threads, &t, &diag));
        for (int i = 0; i < 10; i++)
            assert_ok(bl_trace_next(t, &step, &diag));
        assert_ok(bl_trace_stats(t, &again, &diag));
        if (threads == 1)
            first = again;
        assert_memory_equal(&first, &again, sizeof(first));
        assert_ok(bl_trace_next(t, &step, &diag)); /* rewound */
        assert_int_equal(step.index, 0);
        bl_trace_close(t);
    }
}

/* --- faults ------------------------------------------------------------- */

static void test_a_damaged_trace_gives_no_figures(void **state)
{
    struct fake *f = fake_new(2, 4);
    struct bl_trace_stats s = { .sample_count = 77 };
    struct bl_diag diag = { "" };

    (void)state;
    f->fail_at = 2;
    assert_int_equal(bl_trace_stats(&f->base, &s, &diag), BL_ERR_PARSE);
    assert_string_equal(diag.text, "fake:2: is damaged");
    assert_int_equal(s.sample_count, 77);
    bl_trace_close(&f->base);
}

static void test_stats_survive_every_allocation_failure(void **state)
{
    struct fake *f = fake_new(2, 4);
    long n = 0;

    (void)state;
    for (;; n++) {
        struct bl_trace_stats s = { .sample_count = 77 };
        struct bl_diag diag = { "" };

        bl__trace_fail_after = n;

        const bl_err e = bl_trace_stats(&f->base, &s, &diag);

        bl__trace_fail_after = -1;
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_string_equal(
            diag.text, "trace: not enough memory for the figures of 2 VMs");
        assert_int_equal(s.sample_count, 77);
    }
    assert_int_equal(n, 3);
    bl_trace_close(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_vms_by_hand),
        cmocka_unit_test(test_a_constant_vm_has_no_autocorrelation),
        cmocka_unit_test(test_nothing_to_measure_gives_zeros),
        cmocka_unit_test(test_a_missing_column_counts_as_full),
        cmocka_unit_test(test_the_longest_trace_is_exact),
        cmocka_unit_test(test_random_traces_match_brute_force),
        cmocka_unit_test(test_stats_read_from_the_first_step),
        cmocka_unit_test(test_a_damaged_trace_gives_no_figures),
        cmocka_unit_test(test_stats_survive_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("trace_stats", tests, test_group_setup,
                                       NULL);
}
