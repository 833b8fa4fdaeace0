/* SPDX-License-Identifier: Apache-2.0 */
/* test_latency - the histogram of latencies against sorted values. */
#include "tests/test.h"

#include "base/prng.h"
#include "report/host_result.h"

#include <string.h>

enum { VALUES = 2000, ROUNDS = 40 };

/* --- the example ------------------------------------------------------- */

static void test_a_quantile_is_a_bound_that_so_many_keep(void **state)
{
    struct bl_latency l = { 0 };

    (void)state;
    assert_true(bl_latency_quantile(&l, 500000) == 0); /* empty */
    for (int64_t ns = 1; ns <= 10; ns++)
        bl_latency_add(&l, ns);
    assert_true(bl_latency_quantile(&l, 500000) == 5);
    assert_true(bl_latency_quantile(&l, 500001) == 6);
    assert_true(bl_latency_quantile(&l, 0) == 1);
    assert_true(bl_latency_quantile(&l, 1000000) == 10);
    bl_latency_add(&l, 1000000); /* 983,040 .. 1,015,807 share a bucket */
    assert_true(bl_latency_quantile(&l, 1000000) == 1000000);
    bl_latency_add(&l, 2000000);
    assert_true(bl_latency_quantile(&l, 11 * 1000000 / 12) == 1015807);
    assert_true(l.max_ns == 2000000);
    assert_true(l.sum_ns == 3000055);
    assert_true(l.count == 12);
}

static void test_misuse_asserts(void **state)
{
    struct bl_latency l = { 0 };

    (void)state;
    expect_assert_failure(bl_latency_add(&l, -1));
    expect_assert_failure(bl_latency_quantile(&l, 1000001));
}

/* --- what does not fit -------------------------------------------------- */

static void
test_values_beyond_the_last_bucket_are_bounded_by_the_largest(void **state)
{
    const int64_t limit = INT64_C(1) << 47;
    struct bl_latency l = { 0 };

    (void)state;
    bl_latency_add(&l, limit - 1);
    bl_latency_add(&l, limit);
    bl_latency_add(&l, INT64_MAX);
    assert_int_equal(l.bucket[BL_LATENCY_BUCKETS - 1], 3);
    assert_true(bl_latency_quantile(&l, 1) == INT64_MAX);
    assert_true(l.sum_ns == INT64_MAX); /* stays there */
}

static void test_a_full_bucket_takes_no_more(void **state)
{
    struct bl_latency l = { .count = UINT32_MAX, .bucket[3] = UINT32_MAX };
    struct bl_latency more = { 0 };

    (void)state;
    bl_latency_add(&l, 3);
    assert_true(l.count == UINT32_MAX);
    bl_latency_add(&more, 3);
    bl_latency_add(&more, 4);
    bl_latency_merge(&l, &more);
    assert_true(l.count == UINT64_C(1) + UINT32_MAX);
    assert_true(bl_latency_quantile(&l, 1000000) == 4);
}

/* --- oracle: sorting ---------------------------------------------------- */

static int by_size(const void *x, const void *y)
{
    const int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return (a > b) - (a < b);
}

/* The least value that at least @ppm of all do not exceed. */
static int64_t exact(const int64_t *sorted, uint64_t n, uint32_t ppm)
{
    uint64_t rank = 1;

    while (rank * 1000000 < n * ppm)
        rank++;
    return sorted[rank - 1];
}

static void check_against(const struct bl_latency *l, int64_t *value,
                          uint32_t n)
{
    static const uint32_t ppm[] = { 0,      1,      100000, 500000,
                                    900000, 990000, 999000, 1000000 };

    qsort(value, n, sizeof(value[0]), by_size);
    for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
        const int64_t want = exact(value, n, ppm[i]);
        const int64_t got = bl_latency_quantile(l, ppm[i]);

        assert_true(got >= want);
        assert_true(got <= want + want / 16);
        assert_true(want >= 16 || got == want);
        assert_true(got <= value[n - 1]);
    }
}

static void test_every_quantile_is_within_a_sixteenth(void **state)
{
    struct bl_prng p = { test_seed() };
    static int64_t value[VALUES];

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const uint32_t n = 1 + (uint32_t)bl_prng_below(&p, VALUES);
        struct bl_latency half[2] = { 0 }, all = { 0 };
        int64_t sum = 0;

        for (uint32_t i = 0; i < n; i++) {
            const uint64_t bits = 1 + bl_prng_below(&p, 46);

            value[i] = (int64_t)bl_prng_below(&p, UINT64_C(1) << bits);
            sum += value[i];
            bl_latency_add(&half[i % 2], value[i]);
            bl_latency_add(&all, value[i]);
        }
        check_against(&all, value, n);
        assert_true(all.sum_ns == sum);
        bl_latency_merge(&half[0], &half[1]);
        assert_memory_equal(&half[0], &all, sizeof(all));
    }
}

/* The bounds of neighbouring buckets touch: no value between two of them. */
static void test_the_bounds_of_buckets_are_one_apart(void **state)
{
    (void)state;
    for (int bit = 4; bit < 47; bit++) {
        for (int64_t step = 0; step < 16; step++) {
            const int64_t first = (16 + step) << (bit - 4);
            struct bl_latency l = { 0 };

            bl_latency_add(&l, first);
            if (first > 16)
                bl_latency_add(&l, first - 1); /* in the one before */
            l.max_ns = INT64_MAX;
            assert_true(bl_latency_quantile(&l, 1) == first - (first > 16));
        }
    }
}

/* --- the arrays of a result --------------------------------------------- */

static void test_a_result_needs_all_of_its_memory(void **state)
{
    long fail_after = 0;

    (void)state;
    for (bl_err e = BL_ERR_NOMEM; e != BL_ERR_OK; fail_after++) {
        struct bl_arena a;
        struct bl_host_result *r = NULL;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = fail_after;
        e = bl_host_result_create(&a, 4, 2, 3, 12, &r);
        if (e != BL_ERR_OK) {
            assert_int_equal(e, BL_ERR_NOMEM);
            assert_null(r);
        } else {
            assert_int_equal(r->vcpu_count, 12);
        }
        bl_arena_free(&a);
    }
    assert_int_equal(fail_after - 1, 5); /* allocations; growth is on purpose */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_quantile_is_a_bound_that_so_many_keep),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(
            test_values_beyond_the_last_bucket_are_bounded_by_the_largest),
        cmocka_unit_test(test_a_full_bucket_takes_no_more),
        cmocka_unit_test(test_every_quantile_is_within_a_sixteenth),
        cmocka_unit_test(test_the_bounds_of_buckets_are_one_apart),
        cmocka_unit_test(test_a_result_needs_all_of_its_memory),
    };

    return cmocka_run_group_tests_name("latency", tests, test_group_setup,
                                       NULL);
}
