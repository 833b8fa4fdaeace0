/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_generate - the trace generator: refusals, knobs, determinism, failures.
 * How close it comes to real data is measured in test_generate_page.c.
 */
#include "tests/test.h"

#include "base/hash.h"
#include "base/prng.h"
#include "base/units.h"
#include "tests/support_fit.h"
#include "trace/trace_priv.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static struct bl_trace_spec default_spec(void)
{
    struct bl_trace_spec spec;

    bl_trace_spec_default(&spec);
    return spec;
}

static struct bl_trace *open_spec(const struct bl_trace_spec *spec,
                                  uint32_t thread_count)
{
    struct bl_trace *t = NULL;
    struct bl_diag diag = { "" };

    if (bl_trace_open_generated(spec, thread_count, &t, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    return t;
}

static struct bl_trace_stats stats_of(const struct bl_trace_spec *spec)
{
    struct bl_trace *t = open_spec(spec, 1);
    struct bl_trace_stats s;
    struct bl_diag diag;

    assert_ok(bl_trace_stats(t, &s, &diag));
    bl_trace_close(t);
    return s;
}

/* Of every cell, arrival and size. */
static uint64_t hash_of(struct bl_trace *t)
{
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace_step step;
    struct bl_diag diag;
    struct bl_hash h;

    bl_hash_init(&h);
    while (bl_trace_next(t, &step, &diag) == BL_ERR_OK) {
        for (uint32_t i = 0; i < step.arrived_count; i++) {
            bl_hash_text(&h, step.arrived[i].name);
            bl_hash_u64(&h, step.arrived[i].slot);
            bl_hash_u64(&h, step.arrived[i].vcpu_count);
            bl_hash_u64(&h, step.arrived[i].vcpu_khz);
            bl_hash_u64(&h, step.arrived[i].mem_bytes);
        }
        for (uint32_t i = 0; i < info->vms_alive_max; i++) {
            bl_hash_u64(&h, step.cpu_ppm[i]);
            bl_hash_u64(&h, step.mem_ppm != NULL ? step.mem_ppm[i] : 0);
        }
    }
    return bl_hash_value(&h);
}

static int by_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%g, expected %g within %g", got, want, tolerance);
}

/* --- the example -------------------------------------------------------- */

static void test_default_is_a_day_of_1052_vms(void **state)
{
    struct bl_trace_spec spec = default_spec();
    struct bl_trace_step step;
    struct bl_diag diag;

    (void)state;
    spec.has_mem = true;

    struct bl_trace *t = open_spec(&spec, 1);
    const struct bl_trace_info *info = bl_trace_info(t);

    assert_int_equal(info->step_count, 288);
    assert_int_equal(info->step_ns, 300 * BL_NS_PER_S);
    assert_int_equal(info->vms_alive_max, 1052);
    assert_true(info->has_cpu && info->has_mem && !info->has_size);
    assert_string_equal(info->format, "generated");
    for (uint32_t s = 0; s < 288; s++) {
        assert_ok(bl_trace_next(t, &step, &diag));
        assert_int_equal(step.index, s);
        assert_int_equal(step.departed_count, 0);
        assert_int_equal(step.arrived_count, s == 0 ? 1052 : 0);
        for (uint32_t i = 0; i < 1052; i++) {
            assert_int_equal(step.cpu_ppm[i] % 10000, 0); /* whole percents */
            assert_int_equal(step.mem_ppm[i] % 100, 0);
            assert_true(step.cpu_ppm[i] <= 1000000);
            assert_true(step.mem_ppm[i] <= 1000000);
        }
        if (s == 0) {
            assert_string_equal(step.arrived[1051].name, "vm-00001051");
            assert_int_equal(step.arrived[1051].slot, 1051);
            assert_int_equal(step.arrived[1051].mem_bytes, 0);
        }
    }
    assert_int_equal(bl_trace_next(t, &step, &diag), BL_ERR_END);
    bl_trace_close(t);
}

/* --- what is refused, and in which words -------------------------------- */

enum knob {
    VMS,
    STEPS,
    STEP_NS,
    MEAN,
    DIURNAL,
    AUTOCORR,
    BURST,
    MEAN_AND_BURST
};

static void set_knob(struct bl_trace_spec *spec, enum knob knob, int64_t value)
{
    switch (knob) {
    case VMS:
        spec->vm_count = (uint32_t)value;
        break;
    case STEPS:
        spec->step_count = (uint32_t)value;
        break;
    case STEP_NS:
        spec->step_ns = value;
        break;
    case MEAN_AND_BURST:
        spec->burst_ppm = 65000;
        spec->mean_ppm = (uint32_t)value;
        break;
    case MEAN:
        spec->mean_ppm = (uint32_t)value;
        break;
    case DIURNAL:
        spec->diurnal_ppm = (uint32_t)value;
        break;
    case AUTOCORR:
        spec->autocorr_ppm = (uint32_t)value;
        break;
    case BURST:
        spec->burst_ppm = (uint32_t)value;
        break;
    }
}

static void test_refuses_what_it_cannot_make(void **state)
{
    static const struct {
        enum knob knob;
        int64_t value;
        const char *want;
    } rows[] = {
        { VMS, 0, "trace: vms 0 is out of range, expected 1 .. 40000000" },
        { VMS, 40000001,
          "trace: vms 40000001 is out of range, expected 1 .. 40000000" },
        { STEPS, 0, "trace: steps 0 is out of range, expected 1 .. 10000000" },
        { STEPS, 10000001,
          "trace: steps 10000001 is out of range, expected 1 .. 10000000" },
        { STEP_NS, -BL_NS_PER_S,
          "trace: a step of -1 s is out of range, expected 1s .. 1d" },
        { STEP_NS, BL_NS_PER_S - 1,
          "trace: a step of 0.999999999 s is out of range, expected 1s .. 1d" },
        { STEP_NS, 86401 * BL_NS_PER_S,
          "trace: a step of 86401 s is out of range, expected 1s .. 1d" },
        { MEAN, 9999,
          "trace: mean 0.009999 is out of range, expected 0.01 .. 0.6" },
        { MEAN, 600001,
          "trace: mean 0.600001 is out of range, expected 0.01 .. 0.6" },
        { DIURNAL, 1000001,
          "trace: diurnal 1.000001 is out of range, expected 0 .. 1" },
        { AUTOCORR, 1200000,
          "trace: autocorr 1.2 is out of range, expected 0 .. 0.99" },
        { AUTOCORR, 990001,
          "trace: autocorr 0.990001 is out of range, expected 0 .. 0.99" },
        { BURST, 65001,
          "trace: burst 0.065001 is out of range, expected 0 .. 0.065" },
        { MEAN_AND_BURST, 10000,
          "trace: mean 0.01 is out of reach with burst 0.065 and diurnal "
          "0.06, expected 0.0367 .. 0.6000" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bl_trace_spec spec = default_spec();
        struct bl_trace *t = NULL;
        struct bl_diag diag = { "" };

        set_knob(&spec, rows[i].knob, rows[i].value);
        assert_int_equal(bl__trace_generate_open(&spec, 1, &t, &diag),
                         BL_ERR_INVAL);
        assert_string_equal(diag.text, rows[i].want);
        assert_null(t);
    }
}

static void test_refuses_more_than_292_years(void **state)
{
    struct bl_trace_spec spec = default_spec();
    struct bl_trace *t = NULL;
    struct bl_diag diag = { "" };

    (void)state;
    spec.step_count = 10000000;
    spec.step_ns = 86400 * BL_NS_PER_S;
    assert_int_equal(bl__trace_generate_open(&spec, 1, &t, &diag),
                     BL_ERR_INVAL);
    assert_string_equal(diag.text,
                        "trace: 10000000 steps of 86400 s last too "
                        "long, expected less than 292 years");
    assert_null(t);
}

/* --- the knobs ---------------------------------------------------------- */

static void test_mean_is_the_population_mean(void **state)
{
    static const uint32_t mean_ppm[] = { 10000,  50000,  123100,
                                         300000, 450000, 600000 };

    (void)state;
    for (size_t i = 0; i < sizeof(mean_ppm) / sizeof(mean_ppm[0]); i++) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 4096; /* four whole populations */
        spec.mean_ppm = mean_ppm[i];
        spec.burst_ppm = 5000;
        assert_near(stats_of(&spec).cpu_mean, mean_ppm[i] / 1e4,
                    0.01 * mean_ppm[i] / 1e4 + 0.02);
    }
}

/* What a burst or a swing adds is taken off the levels. */
static void test_mean_holds_whatever_the_other_knobs_say(void **state)
{
    static const uint32_t rows[][3] = {
        { 1000000, 97000, 14800 }, /* diurnal, autocorr, burst */
        { 60000, 97000, 65000 },
        { 60000, 900000, 14800 },
        { 800000, 500000, 40000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 4096;
        set_knob(&spec, DIURNAL, rows[i][0]);
        set_knob(&spec, AUTOCORR, rows[i][1]);
        set_knob(&spec, BURST, rows[i][2]);
        assert_near(stats_of(&spec).cpu_mean, 12.31, 0.2);
    }
}

static void test_diurnal_is_the_swing_of_the_total(void **state)
{
    (void)state;
    for (uint32_t swing = 0; swing <= 1000000; swing += 250000) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 30000; /* noise: 0.4 % */
        spec.diurnal_ppm = swing;
        spec.burst_ppm = 0; /* bursts have no hours */
        /* A VM near 100 % cannot swing up: some of it is lost. */
        assert_near(stats_of(&spec).total_peak, 1.0 + swing / 1e6,
                    0.01 + 0.07 * swing / 1e6);
    }
}

/* Daily means do not swing, and the mean is that of any other step. */
static void test_a_step_of_a_day_has_no_swing(void **state)
{
    struct bl_trace_spec spec = default_spec();

    (void)state;
    spec.vm_count = 10240;
    spec.step_ns = 86400 * BL_NS_PER_S;
    spec.step_count = 30;
    spec.diurnal_ppm = 1000000;

    const struct bl_trace_stats s = stats_of(&spec);

    assert_near(s.cpu_mean, 12.31, 0.15);
    assert_near(s.total_peak, 1.0, 0.03);
}

static void test_peak_is_at_noon(void **state)
{
    struct bl_trace_spec spec = default_spec();
    uint64_t total, most = 0, least = UINT64_MAX;
    uint32_t peak = 0, trough = 0;
    struct bl_trace_step step;
    struct bl_diag diag;

    (void)state;
    spec.vm_count = 5000;
    spec.step_count = 24;
    spec.step_ns = 3600 * BL_NS_PER_S;
    spec.diurnal_ppm = 500000;

    struct bl_trace *t = open_spec(&spec, 1);

    while (bl_trace_next(t, &step, &diag) == BL_ERR_OK) {
        total = 0;
        for (uint32_t i = 0; i < spec.vm_count; i++)
            total += step.cpu_ppm[i];
        if (total > most) {
            most = total;
            peak = step.index;
        }
        if (total < least) {
            least = total;
            trough = step.index;
        }
    }
    bl_trace_close(t);
    assert_in_range(peak, 11, 13);
    assert_true(trough <= 1 || trough >= 23);
}

/* Two weeks, so that the sample's bias (of the order of the anchor's life over
 * the trace's length) is small; no swing, which correlates all VMs. */
static void test_autocorr_is_the_lag_1_autocorrelation(void **state)
{
    static const uint32_t ppm[] = { 0, 97000, 300000, 600000, 900000, 990000 };

    (void)state;
    for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 512;
        spec.step_count = 14 * 288;
        spec.diurnal_ppm = 0;
        spec.autocorr_ppm = ppm[i];
        assert_near(stats_of(&spec).cpu_lag1, ppm[i] / 1e6, 0.012);
    }
}

/* The share of samples that are more than 40 points above the median of their
 * VM, as calm loads seldom are: it grows with the knob. */
static double share_far_above_median(const struct bl_trace_spec *spec)
{
    struct bl_trace *t = open_spec(spec, 1);
    struct fit_days d = { 0 };
    uint64_t far = 0;

    fit_load(t, &d);
    bl_trace_close(t);
    for (uint32_t i = 0; i < d.vm_count; i++) {
        uint32_t *x = d.cpu_ppm + (size_t)i * d.step_count;

        qsort(x, d.step_count, sizeof(*x), by_u32);
        for (uint32_t s = d.step_count / 2; s < d.step_count; s++)
            far += x[s] > x[d.step_count / 2] + 400000;
    }

    const double cells = (double)d.vm_count * d.step_count;

    fit_free(&d);
    return (double)far / cells;
}

static void test_burst_is_the_share_of_bursts(void **state)
{
    double share[3];

    (void)state;
    for (uint32_t k = 0; k < 3; k++) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 4096;
        spec.burst_ppm = k * 10000;
        share[k] = share_far_above_median(&spec);
    }
    assert_near(share[0], 0.0, 0.002);
    assert_near(share[1] - share[0], 0.006, 0.001); /* 6 bursts in 10 are */
    assert_near(share[2] - share[0], 0.012, 0.002); /* that high */
}

/* --- sizes -------------------------------------------------------------- */

static int by_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void test_sizes_are_heavy_tailed(void **state)
{
    enum { COUNT = 49700 };
    static const struct {
        uint32_t cores, count;
    } want[] = { { 1, 22800 }, { 2, 9200 }, { 4, 11600 }, { 8, 5500 },
                 { 6, 200 },   { 16, 100 }, { 32, 300 } };
    static uint64_t mem[COUNT];
    uint32_t got[33] = { 0 };
    struct bl_trace_spec spec = default_spec();
    struct bl_trace_step step;
    struct bl_diag diag;
    uint64_t all = 0, top = 0;

    (void)state;
    spec.vm_count = COUNT;
    spec.step_count = 1;
    spec.has_size = true;

    struct bl_trace *t = open_spec(&spec, 1);

    assert_true(bl_trace_info(t)->has_size);
    assert_ok(bl_trace_next(t, &step, &diag));
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct bl_trace_vm *vm = &step.arrived[i];

        assert_true(vm->vcpu_count <= 32);
        assert_true(vm->vcpu_khz >= 2400000 && vm->vcpu_khz <= 2926000);
        assert_true(vm->mem_bytes > 0 && vm->mem_bytes % (16 * BL_MIB) == 0);
        got[vm->vcpu_count]++;
        mem[i] = vm->mem_bytes;
    }
    bl_trace_close(t);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_near(got[want[i].cores], want[i].count,
                    4.0 * sqrt(want[i].count));
    qsort(mem, COUNT, sizeof(mem[0]), by_u64);
    for (uint32_t i = 0; i < COUNT; i++) {
        all += mem[i];
        top += i >= COUNT - COUNT / 10 ? mem[i] : 0;
    }
    assert_true(top > all / 5 * 2); /* the data: 0.49 */
    assert_near((double)all / COUNT / (double)(1 << 30), 8.7, 0.4);
}

/* --- the population ----------------------------------------------------- */

/* One VM from each 1/1024 of it in each 1024: seeds differ in the order. */
static void test_every_block_is_a_whole_population(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct bl_trace_spec spec = default_spec();

        spec.vm_count = 1024;
        spec.seed = seed;
        /* A day of 1024 independent draws would be off by 0.46 (1 sigma). */
        assert_near(stats_of(&spec).cpu_mean, 12.31, 0.25);
    }
}

static void test_more_vms_or_columns_change_no_other(void **state)
{
    struct bl_trace_spec few = default_spec(), many = few;
    struct bl_trace_step a, b;
    struct bl_diag diag;

    (void)state;
    few.vm_count = 100;
    many.vm_count = 3000;
    many.has_mem = true;
    many.has_size = true;

    struct bl_trace *s = open_spec(&few, 1), *t = open_spec(&many, 1);

    while (bl_trace_next(s, &a, &diag) == BL_ERR_OK) {
        assert_ok(bl_trace_next(t, &b, &diag));
        assert_null(a.mem_ppm);
        assert_memory_equal(a.cpu_ppm, b.cpu_ppm, 100 * sizeof(uint32_t));
        for (uint32_t i = 0; i < a.arrived_count; i++)
            assert_string_equal(a.arrived[i].name, b.arrived[i].name);
    }
    bl_trace_close(s);
    bl_trace_close(t);
}

struct pair {
    uint64_t cpu, mem; /* sums over the day, then ranks */
};

static int by_cpu(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static int by_mem(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return (x->mem > y->mem) - (x->mem < y->mem);
}

/* Spearman's, of the day's means. */
static void test_memory_goes_a_little_with_cpu(void **state)
{
    enum { COUNT = 4096 };
    static struct pair p[COUNT];
    struct bl_trace_spec spec = default_spec();
    struct bl_trace_step step;
    struct bl_diag diag;
    double sum = 0.0;

    (void)state;
    spec.vm_count = COUNT;
    spec.has_mem = true;

    struct bl_trace *t = open_spec(&spec, 1);

    while (bl_trace_next(t, &step, &diag) == BL_ERR_OK)
        for (uint32_t i = 0; i < COUNT; i++) {
            p[i].cpu += step.cpu_ppm[i];
            p[i].mem += step.mem_ppm[i];
        }
    bl_trace_close(t);
    qsort(p, COUNT, sizeof(p[0]), by_cpu);
    for (uint32_t i = 0; i < COUNT; i++)
        p[i].cpu = i;
    qsort(p, COUNT, sizeof(p[0]), by_mem);
    for (uint32_t i = 0; i < COUNT; i++)
        sum += ((double)p[i].cpu - i) * ((double)p[i].cpu - i);
    assert_near(1.0 - 6.0 * sum / COUNT / ((double)COUNT * COUNT - 1.0), 0.24,
                0.04);
}

/* --- determinism -------------------------------------------------------- */

static void test_threads_and_rewind_change_nothing(void **state)
{
    struct bl_trace_spec spec = default_spec();
    struct bl_diag diag;

    (void)state;
    spec.vm_count = 70000; /* two blocks of every kind */
    spec.step_count = 19;  /* not a whole number of batches */
    spec.seed = test_seed();
    spec.has_mem = true;
    spec.has_size = true;

    struct bl_trace *one = open_spec(&spec, 1);
    const uint64_t want = hash_of(one);

    assert_ok(bl_trace_rewind(one, &diag));
    assert_true(hash_of(one) == want);
    bl_trace_close(one);
    for (uint32_t threads = 2; threads <= 3; threads++) {
        struct bl_trace *t = open_spec(&spec, threads);

        assert_true(hash_of(t) == want);
        bl_trace_close(t);
    }
    spec.seed++;

    struct bl_trace *other = open_spec(&spec, 1);

    assert_true(hash_of(other) != want);
    bl_trace_close(other);
}

/* Pinned: a change here changes everybody's results, and needs a new
 * GEN_VERSION and a line under "Model changes" in the changelog. */
static void test_output_is_what_it_was(void **state)
{
    struct bl_trace_spec spec = default_spec();
    uint64_t hash, content;

    (void)state;
    spec.has_mem = true;
    spec.has_size = true;

    struct bl_trace *t = open_spec(&spec, 1);

    content = bl_trace_info(t)->content_hash;
    hash = hash_of(t);
    bl_trace_close(t);
    print_message("    cells %016llx, spec %016llx\n", (unsigned long long)hash,
                  (unsigned long long)content);
    assert_true(hash == UINT64_C(0x7e7a081758ed1c5a));
    assert_true(content == UINT64_C(0xe01aca90862d8589));
}

static void test_content_hash_tells_specs_apart(void **state)
{
    uint64_t hash[BURST + 3];
    enum { N = sizeof(hash) / sizeof(hash[0]) };

    (void)state;
    for (size_t i = 0; i < N; i++) {
        struct bl_trace_spec spec = default_spec();

        if (i <= BURST)
            set_knob(&spec, (enum knob)i, i == STEP_NS ? BL_NS_PER_S : 20000);
        spec.has_mem = i == BURST + 1;
        spec.has_size = i == BURST + 2;

        struct bl_trace *t = open_spec(&spec, 1);

        hash[i] = bl_trace_info(t)->content_hash;
        bl_trace_close(t);
        for (size_t j = 0; j < i; j++)
            assert_true(hash[i] != hash[j]);
    }
}

/* Any spec that is accepted gives a trace that keeps the contract. */
static void test_random_specs_keep_the_contract(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t made = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        const struct bl_trace_spec spec = {
            .vm_count = 1 + (uint32_t)bl_prng_below(&prng, 1500),
            .step_count = 1 + (uint32_t)bl_prng_below(&prng, 40),
            .step_ns = (1 + (int64_t)bl_prng_below(&prng, 86400)) * BL_NS_PER_S,
            .seed = bl_prng_next(&prng),
            .mean_ppm = 10000 + (uint32_t)bl_prng_below(&prng, 590001),
            .diurnal_ppm = (uint32_t)bl_prng_below(&prng, 1000001),
            .autocorr_ppm = (uint32_t)bl_prng_below(&prng, 990001),
            .burst_ppm = (uint32_t)bl_prng_below(&prng, 65001),
            .has_mem = bl_prng_below(&prng, 2) != 0,
            .has_size = bl_prng_below(&prng, 2) != 0,
        };
        struct bl_trace *t = NULL;
        struct bl_trace_step step;
        struct bl_diag diag = { "" };
        uint32_t steps = 0;

        if (bl_trace_open_generated(&spec, 1, &t, &diag) != BL_ERR_OK) {
            assert_non_null(strstr(diag.text, "is out of reach"));
            continue;
        }
        made++;
        for (; bl_trace_next(t, &step, &diag) == BL_ERR_OK; steps++) {
            assert_true((step.mem_ppm != NULL) == spec.has_mem);
            for (uint32_t i = 0; i < spec.vm_count; i++) {
                assert_true(step.cpu_ppm[i] <= 1000000);
                assert_true(!spec.has_mem || step.mem_ppm[i] <= 1000000);
            }
        }
        assert_int_equal(steps, spec.step_count);
        bl_trace_close(t);
    }
    assert_true(made > 150);
}

/* --- faults ------------------------------------------------------------- */

static void test_open_survives_every_allocation_failure(void **state)
{
    struct bl_trace_spec spec = default_spec();
    long n = 0;

    (void)state;
    spec.has_mem = true;
    for (;; n++) {
        struct bl_trace *t = NULL;
        struct bl_diag diag = { "" };

        bl__trace_fail_after = n;

        const bl_err e = bl_trace_open_generated(&spec, 1, &t, &diag);

        bl__trace_fail_after = -1;
        if (e == BL_ERR_OK) {
            bl_trace_close(t);
            break;
        }
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_string_equal(diag.text,
                            "trace: not enough memory for 1052 generated VMs");
        assert_null(t);
    }
    assert_int_equal(n, 9); /* the generator's allocation budget, pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_a_day_of_1052_vms),
        cmocka_unit_test(test_refuses_what_it_cannot_make),
        cmocka_unit_test(test_refuses_more_than_292_years),
        cmocka_unit_test(test_mean_is_the_population_mean),
        cmocka_unit_test(test_mean_holds_whatever_the_other_knobs_say),
        cmocka_unit_test(test_diurnal_is_the_swing_of_the_total),
        cmocka_unit_test(test_a_step_of_a_day_has_no_swing),
        cmocka_unit_test(test_peak_is_at_noon),
        cmocka_unit_test(test_autocorr_is_the_lag_1_autocorrelation),
        cmocka_unit_test(test_burst_is_the_share_of_bursts),
        cmocka_unit_test(test_sizes_are_heavy_tailed),
        cmocka_unit_test(test_every_block_is_a_whole_population),
        cmocka_unit_test(test_more_vms_or_columns_change_no_other),
        cmocka_unit_test(test_memory_goes_a_little_with_cpu),
        cmocka_unit_test(test_threads_and_rewind_change_nothing),
        cmocka_unit_test(test_output_is_what_it_was),
        cmocka_unit_test(test_content_hash_tells_specs_apart),
        cmocka_unit_test(test_random_specs_keep_the_contract),
        cmocka_unit_test(test_open_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("generate", tests, test_group_setup,
                                       NULL);
}
