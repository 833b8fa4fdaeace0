/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_overload - is a host overloaded? Each test by hand, then all of them
 * against their formulas on random hosts, and the sums that are kept from one
 * question to the next against none.
 */
#include "tests/test.h"

#include "cluster/numeric.h"
#include "cluster/overload.h"
#include "tests/support_table.h"

#include <math.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct test_table *t;
    struct bl_overlay *ov;
    struct bl_overload *o;
};

static struct bl_overload *overload_new(struct bl_arena *a,
                                        const struct test_table *t,
                                        enum bl_overload_test test,
                                        double safety)
{
    const struct bl_overload_opts opts = { .test = test,
                                           .safety = safety,
                                           .fallback = 0.7,
                                           .host_count = t->c.host_count,
                                           .vm_slot_count = t->c.slot_count };
    struct bl_overload *o = NULL;

    assert_ok(bl_overload_create(a, &opts, &o));
    return o;
}

static void look_again(struct fixture *f)
{
    test_table_look(f->t);
    bl_overlay_reset(f->ov, &f->t->s);
    bl_overload_begin(f->o, &f->t->s, f->ov);
}

static struct fixture fixture_new(uint32_t hosts, uint32_t slots,
                                  enum bl_overload_test test, double safety)
{
    struct fixture f = { .t = test_table_new(hosts, slots, BL_HISTORY_MAX) };

    assert_ok(
        bl_overlay_create(&f.t->arena, hosts, f.t->c.resident_max, 64, &f.ov));
    f.o = overload_new(&f.t->arena, f.t, test, safety);
    look_again(&f);
    return f;
}

/* @util[0] is the oldest sample; the VM now asks for the newest one. */
static void live_through(struct fixture *f, uint32_t vm, const double *util,
                         uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        f->t->c.vm_util[vm] = util[i];
        f->t->c.vm_demand_mhz[vm] = util[i] * f->t->c.vm_size_mhz[vm];
        bl__columns_push_history(&f->t->c);
    }
    look_again(f);
}

/* ---- by hand: host 0 has 4000 MHz --------------------------------------- */

static void test_a_fixed_threshold(void **state)
{
    struct fixture f = fixture_new(2, 4, BL_OVERLOAD_THR, 0.75);
    struct bl_overload_verdict v;

    (void)state;
    test_table_put(f.t, 1, 0, 2000);
    test_table_put(f.t, 0, 0, 1000);
    test_table_arrive(f.t, 2);
    f.t->c.vm_demand_mhz[2] = 1;
    look_again(&f);
    v = bl_overload_host(f.o, 0, BL_NONE);
    assert_true(v.level == 0.75 && v.threshold == 0.75);
    assert_false(v.overloaded); /* above, not at */
    v = bl_overload_host(f.o, 0, 2);
    assert_true(v.overloaded);
    assert_true(v.level == 3001.0 / 4000);
    /* the VM asked about need not be anywhere, and changes nothing */
    assert_false(bl_overload_host(f.o, 0, BL_NONE).overloaded);
    assert_true(bl_overload_host(f.o, 1, 2).level == 1.0 / 12000);
    assert_true(bl_overload_host(f.o, 1, BL_NONE).level == 0);
    test_table_free(f.t);
}

/* A line from 0.1 to 1.0 of the VM's 2000 MHz, so 0.05 to 0.5 of the host: one
 * step on it is at 0.55. */
static void test_a_line_into_the_future(void **state)
{
    static const double rising[] = { 0.1, 0.2, 0.3, 0.4, 0.5,
                                     0.6, 0.7, 0.8, 0.9, 1 };
    struct fixture f = fixture_new(1, 2, BL_OVERLOAD_LR, 1.2);
    struct bl_overload_verdict v;

    (void)state;
    test_table_put(f.t, 1, 0, 0);
    live_through(&f, 1, rising, 10);
    v = bl_overload_host(f.o, 0, BL_NONE);
    assert_true(fabs(v.level - 1.2 * 0.55) < 1e-12);
    assert_true(v.threshold == 1);
    assert_false(v.overloaded);
    /* its 2 GiB take 2048 s: 7 intervals, not 1 */
    f.t->s.migration_mb_per_s = 1;
    v = bl_overload_host(f.o, 0, BL_NONE);
    assert_true(fabs(v.level - 1.2 * 0.85) < 1e-12);
    assert_true(v.overloaded);
    test_table_free(f.t);
}

static void test_too_little_history_means_the_fixed_fallback(void **state)
{
    static const struct {
        enum bl_overload_test test;
        uint32_t samples_min;
    } rows[] = { { BL_OVERLOAD_IQR, 12 },
                 { BL_OVERLOAD_MAD, 12 },
                 { BL_OVERLOAD_LR, 10 },
                 { BL_OVERLOAD_LRR, 10 } };
    double flat[BL_HISTORY_MAX];

    (void)state;
    for (uint32_t i = 0; i < BL_HISTORY_MAX; i++)
        flat[i] = 0.25;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t n = 1; n <= 14; n++) {
            struct fixture f = fixture_new(1, 2, rows[i].test, 1);
            struct bl_overload_verdict v;

            test_table_put(f.t, 1, 0, 0);
            live_through(&f, 1, flat, n);
            v = bl_overload_host(f.o, 0, BL_NONE);
            assert_true((v.threshold == 0.7) == (n < rows[i].samples_min));
            test_table_free(f.t);
        }
    }
}

/* Samples of 0 at the old end do not count, those in between do. */
static void test_the_zero_tail_is_no_history(void **state)
{
    double util[20] = { 0 };

    (void)state;
    for (uint32_t i = 8; i < 20; i++)
        util[i] = i % 2 ? 0.2 : 0;
    for (uint32_t first = 8; first <= 9; first++) {
        struct fixture f = fixture_new(1, 2, BL_OVERLOAD_MAD, 1);

        util[8] = first == 8 ? 0.2 : 0;
        test_table_put(f.t, 1, 0, 0);
        live_through(&f, 1, util, 20);
        assert_true((bl_overload_host(f.o, 0, BL_NONE).threshold == 0.7) ==
                    (first == 9)); /* 12 and 11 samples */
        test_table_free(f.t);
    }
}

/* 15 samples, of which the 4th and 12th smallest are 0.1 and 0.5 of the VM and
 * half of that of the host: the threshold is 1 - 2 * 0.2. */
static void test_the_interquartile_range(void **state)
{
    static const double util[] = { 0.5, 0.1, 0.3, 0.05, 0.1, 0.9, 0.1, 0.3,
                                   0.3, 0.3, 0.5, 0.6,  0.8, 0.1, 0.5 };
    struct fixture f = fixture_new(1, 2, BL_OVERLOAD_IQR, 2);
    struct bl_overload_verdict v;

    (void)state;
    test_table_put(f.t, 1, 0, 0);
    live_through(&f, 1, util, 15);
    v = bl_overload_host(f.o, 0, BL_NONE);
    assert_true(fabs(v.threshold - 0.6) < 1e-12);
    assert_true(v.level == 0.25);
    assert_false(v.overloaded);
    test_table_free(f.t);
}

/* Of 13 samples the median is 0.4, and that of their distances to it 0.2. */
static void test_the_median_absolute_deviation(void **state)
{
    static const double util[] = { 0.4, 0.1, 0.2, 0.6, 0.9, 0.4, 0.6,
                                   0.2, 0.4, 0.3, 0.8, 1,   0.2 };
    struct fixture f = fixture_new(1, 2, BL_OVERLOAD_MAD, 2.5);
    struct bl_overload_verdict v;

    (void)state;
    test_table_put(f.t, 1, 0, 0);
    live_through(&f, 1, util, 13);
    v = bl_overload_host(f.o, 0, BL_NONE);
    assert_true(fabs(v.threshold - (1 - 2.5 * 0.1)) < 1e-12);
    test_table_free(f.t);
}

/* ---- by formula --------------------------------------------------------- */

/* The history of @n VMs together, as long as it is not all 0 from there on. */
static uint32_t plain_history(const struct test_table *t, uint32_t host,
                              const uint32_t *vm, uint32_t n, double *sum)
{
    uint32_t length = BL_HISTORY_MAX;

    for (uint32_t k = 0; k < BL_HISTORY_MAX; k++) {
        sum[k] = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t samples;
            const double *util = bl_vm_history(&t->s, vm[i], &samples);

            if (k < samples)
                sum[k] += util[k] * t->s.vm.size_mhz[vm[i]] /
                          t->s.host.capacity_mhz_now[host];
        }
    }
    while (length > 0 && sum[length - 1] == 0)
        length--;
    return length;
}

static struct bl_overload_verdict plain_line(const struct test_table *t,
                                             const uint32_t *vm, uint32_t n,
                                             const double *sum, double safety)
{
    double y[10];
    uint64_t most = 0;
    struct bl_line line;
    struct bl_overload_verdict v = { .threshold = 1 };

    for (uint32_t i = 0; i < 10; i++)
        y[i] = sum[9 - i];
    for (uint32_t i = 0; i < n; i++)
        if (t->s.vm.mem_size_bytes[vm[i]] > most)
            most = t->s.vm.mem_size_bytes[vm[i]];
    line = bl_fit_line(y, 10);
    v.level =
        (line.intercept +
         line.slope * (10 + ceil((double)most / (double)BL_MIB /
                                 t->s.migration_mb_per_s / t->s.interval_s))) *
        safety;
    v.overloaded = v.level >= 1;
    return v;
}

static struct bl_overload_verdict plain(const struct test_table *t,
                                        uint32_t host, const uint32_t *vm,
                                        uint32_t n, enum bl_overload_test test,
                                        double safety)
{
    const bool line = test == BL_OVERLOAD_LR || test == BL_OVERLOAD_LRR;
    struct bl_overload_verdict v = { .threshold = safety };
    double sum[BL_HISTORY_MAX];
    const uint32_t length = plain_history(t, host, vm, n, sum);

    for (uint32_t i = 0; i < n; i++)
        v.level += t->s.vm.demand_mhz[vm[i]];
    v.level /= t->s.host.capacity_mhz_now[host];
    if (test != BL_OVERLOAD_THR) {
        if (length < (line ? 10 : 12))
            v.threshold = 0.7;
        else if (line)
            return plain_line(t, vm, n, sum, safety);
        else if (test == BL_OVERLOAD_IQR)
            v.threshold = 1 - safety * bl_interquartile(sum, length);
        else
            v.threshold = 1 - safety * bl_median_deviation(sum, length);
    }
    v.overloaded = v.level > v.threshold;
    return v;
}

static void expect_same(struct bl_overload_verdict a,
                        struct bl_overload_verdict b)
{
    assert_int_equal(a.overloaded, b.overloaded);
    assert_true(a.level == b.level);
    assert_true(a.threshold == b.threshold);
}

/* @host with @extra or alone: the formula, an object that has never been asked
 * before, and the one that has been asked all the time. */
static void ask(const struct fixture *f, uint32_t host, uint32_t extra,
                enum bl_overload_test test, double safety)
{
    const struct bl_overload_verdict v = bl_overload_host(f->o, host, extra);
    uint32_t n, vm[128];
    const uint32_t *list = bl_overlay_vms(f->ov, host, &n);
    struct bl_arena a;
    struct bl_overload *fresh;

    assert_true(n < COUNT(vm));
    memcpy(vm, list, n * sizeof(*vm));
    if (extra != BL_NONE)
        vm[n++] = extra;
    expect_same(v, plain(f->t, host, vm, n, test, safety));

    assert_ok(bl_arena_init(&a, 1 << 20));
    fresh = overload_new(&a, f->t, test, safety);
    bl_overload_begin(fresh, &f->t->s, f->ov);
    expect_same(v, bl_overload_host(fresh, host, extra));
    bl_arena_free(&a);
}

/* Something is tried on the overlay, or taken back. */
static void try_something(struct fixture *f, struct bl_prng *prng)
{
    const uint32_t h = (uint32_t)bl_prng_below(prng, f->t->c.host_count);
    const uint32_t vm = (uint32_t)bl_prng_below(prng, f->t->c.slot_count);
    const uint32_t mark = bl_overlay_mark(f->ov);
    uint32_t n;
    const uint32_t *list = bl_overlay_vms(f->ov, h, &n);

    if (mark >= 60 || bl_prng_below(prng, 3) == 0)
        bl_overlay_undo(f->ov, (uint32_t)bl_prng_below(prng, mark + 1));
    else if (n > 0 && bl_prng_below(prng, 2))
        bl_overlay_take(f->ov, h, list[bl_prng_below(prng, n)]);
    else
        bl_overlay_put(f->ov, h, vm);
}

/* Every host, as it is and with @vm; returns how many that would overload. */
static uint32_t ask_everywhere(const struct fixture *f, uint32_t vm,
                               enum bl_overload_test test, double safety)
{
    uint32_t overloaded = 0;

    for (uint32_t h = 0; h < 5; h++) {
        ask(f, h, BL_NONE, test, safety);
        ask(f, h, vm, test, safety);
        overloaded += bl_overload_host(f->o, h, vm).overloaded;
    }
    return overloaded;
}

static void test_every_test_matches_its_formula(void **state)
{
    static const struct {
        enum bl_overload_test test;
        double safety;
    } rows[] = { { BL_OVERLOAD_THR, 0.8 },
                 { BL_OVERLOAD_IQR, 1.5 },
                 { BL_OVERLOAD_MAD, 2.5 },
                 { BL_OVERLOAD_LR, 1.2 },
                 { BL_OVERLOAD_LRR, 1.2 } };
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f = fixture_new(5, 14, rows[i].test, rows[i].safety);
        uint32_t overloaded = 0;

        f.t->s.migration_mb_per_s = 3; /* so that memory makes a difference */
        for (int instant = 0; instant < 80; instant++) {
            test_table_stir(f.t, &prng);
            look_again(&f);
            for (int step = 0; step < 12; step++) {
                overloaded +=
                    ask_everywhere(&f, (uint32_t)bl_prng_below(&prng, 14),
                                   rows[i].test, rows[i].safety);
                try_something(&f, &prng);
            }
        }
        assert_in_range(overloaded, 100, 80 * 12 * 5 - 100);
        test_table_free(f.t);
    }
}

/* ---- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    static const struct {
        enum bl_overload_test test;
        long budget;
    } rows[] = { { BL_OVERLOAD_THR, 1 }, { BL_OVERLOAD_LR, 3 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bl_overload_opts opts = { .test = rows[i].test,
                                               .safety = 1,
                                               .fallback = 0.7,
                                               .host_count = 3,
                                               .vm_slot_count = 7 };
        struct bl_overload *o = NULL;
        long n = 0;

        for (; o == NULL; n++) {
            struct bl_arena a;

            assert_ok(bl_arena_init(&a, 1 << 20));
            a.fail_after = n;
            assert_int_equal(bl_overload_create(&a, &opts, &o),
                             n < rows[i].budget ? BL_ERR_NOMEM : BL_ERR_OK);
            bl_arena_free(&a);
        }
        assert_int_equal(n - 1, rows[i].budget);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fixed_threshold),
        cmocka_unit_test(test_a_line_into_the_future),
        cmocka_unit_test(test_too_little_history_means_the_fixed_fallback),
        cmocka_unit_test(test_the_zero_tail_is_no_history),
        cmocka_unit_test(test_the_interquartile_range),
        cmocka_unit_test(test_the_median_absolute_deviation),
        cmocka_unit_test(test_every_test_matches_its_formula),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("overload", tests, test_group_setup,
                                       NULL);
}
