/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_front - who is dominated by nobody, in which order, and who stays when
 * not all can.
 *
 * The oracle peels one front after the other off, comparing all with all.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "tune/front.h"

#include <math.h>
#include <string.h>

enum { POINTS_MAX = 200, OBJECTIVES_MAX = 5 };

static uint32_t order[POINTS_MAX], scratch[POINTS_MAX], rank[POINTS_MAX];
static double distance[POINTS_MAX];

static void rank_all(const double *value, uint32_t count, uint32_t objectives)
{
    const struct bl_front f = { value, count, objectives, order, scratch };

    bl_front_rank(&f, rank);
}

/* Energy and unserved demand of five policies. */
static void test_a_front_by_hand(void **state)
{
    static const double v[] = { 10, 5, 12, 3, 11, 6, 9, 9, 12, 3 };

    (void)state;
    rank_all(v, 5, 2);
    assert_int_equal(rank[0], 0);
    assert_int_equal(rank[1], 0);
    assert_int_equal(rank[2], 1); /* 0 is better in both */
    assert_int_equal(rank[3], 0);
    assert_int_equal(rank[4], 0);  /* equal to 1: neither dominates */
    assert_int_equal(order[0], 3); /* by the first objective */
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 2);
    assert_int_equal(order[3], 1); /* then by number */
    assert_int_equal(order[4], 4);
}

static void test_domination(void **state)
{
    static const double a[] = { 1, 2 }, b[] = { 1, 3 }, c[] = { 2, 1 };

    (void)state;
    assert_true(bl_dominates(a, b, 2));
    assert_false(bl_dominates(b, a, 2));
    assert_false(bl_dominates(a, a, 2));
    assert_false(bl_dominates(a, c, 2));
    assert_false(bl_dominates(c, a, 2));
    assert_true(bl_dominates(a, b, 1) == false); /* equal in the first */
}

static void test_none_and_one(void **state)
{
    static const double v[] = { 3 };

    (void)state;
    rank_all(v, 0, 1);
    rank_all(v, 1, 1);
    assert_int_equal(rank[0], 0);
}

static void test_nothing_known_is_worst(void **state)
{
    static const double v[] = { 1, INFINITY, 1, 5, INFINITY, INFINITY };

    (void)state;
    rank_all(v, 3, 2);
    assert_int_equal(rank[1], 0);
    assert_int_equal(rank[0], 1);
    assert_int_equal(rank[2], 2);
}

static void test_nan_is_a_bug(void **state)
{
    static const double v[] = { 1, NAN };
    const struct bl_front f = { v, 1, 2, order, scratch };

    (void)state;
    expect_assert_failure(bl_front_rank(&f, rank));
}

/* ---- the oracle --------------------------------------------------------- */

static void peel(const double *v, uint32_t n, uint32_t k, uint32_t *out)
{
    uint32_t left = n;

    for (uint32_t i = 0; i < n; i++)
        out[i] = UINT32_MAX;
    for (uint32_t r = 0; left > 0; r++) {
        bool front[POINTS_MAX];

        for (uint32_t i = 0; i < n; i++) {
            front[i] = out[i] == UINT32_MAX;
            for (uint32_t j = 0; j < n && front[i]; j++)
                front[i] =
                    out[j] != UINT32_MAX ||
                    !bl_dominates(v + (size_t)j * k, v + (size_t)i * k, k);
        }
        for (uint32_t i = 0; i < n; i++) {
            if (front[i]) {
                out[i] = r;
                left--;
            }
        }
    }
}

static void test_ranks_are_those_of_peeling(void **state)
{
    struct bl_prng prng = { test_seed() };
    static double v[POINTS_MAX * OBJECTIVES_MAX];
    static uint32_t want[POINTS_MAX];

    (void)state;
    for (int round = 0; round < 400; round++) {
        const uint32_t n = (uint32_t)bl_prng_below(&prng, POINTS_MAX);
        const uint32_t k = 1 + (uint32_t)bl_prng_below(&prng, OBJECTIVES_MAX);
        const uint64_t values = 1 + bl_prng_below(&prng, 40); /* many equal */

        for (uint32_t i = 0; i < n * k; i++)
            v[i] = (double)bl_prng_below(&prng, values);
        rank_all(v, n, k);
        peel(v, n, k, want);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(rank[i], want[i]);
        for (uint32_t i = 1; i < n; i++) {
            const double *a = v + (size_t)order[i - 1] * k;
            const double *b = v + (size_t)order[i] * k;
            uint32_t d = 0;

            while (d < k && a[d] == b[d])
                d++;
            assert_true(d < k ? a[d] < b[d] : order[i - 1] < order[i]);
        }
    }
}

/* Numbers do not matter: a permutation of the points permutes the ranks. */
static void test_ranks_do_not_depend_on_the_order(void **state)
{
    struct bl_prng prng = { test_seed() };
    double v[60 * 3], w[60 * 3];
    uint32_t to[60], first[60];

    (void)state;
    for (uint32_t i = 0; i < 180; i++)
        v[i] = (double)bl_prng_below(&prng, 9);
    for (uint32_t i = 0; i < 60; i++)
        to[i] = i;
    for (uint32_t i = 59; i > 0; i--) {
        const uint32_t j = (uint32_t)bl_prng_below(&prng, i + 1);
        const uint32_t swap = to[i];

        to[i] = to[j];
        to[j] = swap;
    }
    for (uint32_t i = 0; i < 60; i++)
        memcpy(w + (size_t)to[i] * 3, v + (size_t)i * 3, 3 * sizeof(double));
    rank_all(v, 60, 3);
    memcpy(first, rank, sizeof(first));
    rank_all(w, 60, 3);
    for (uint32_t i = 0; i < 60; i++)
        assert_int_equal(first[i], rank[to[i]]);
}

/* ---- who stays ---------------------------------------------------------- */

/* Four on one front: the ends first, then the one with more room around it. */
static void test_the_ends_and_the_lonely_stay(void **state)
{
    static const double v[] = { 0, 10, 1, 8, 2, 7, 10, 0, 5, 20 };
    const struct bl_front f = { v, 5, 2, order, scratch };

    (void)state;
    bl_front_rank(&f, rank);
    assert_int_equal(rank[4], 1);
    bl_front_best(&f, rank, distance);
    assert_true(isinf(distance[0]) && isinf(distance[3]));
    assert_true(distance[1] == 2.0 / 10 + 3.0 / 10);
    assert_true(distance[2] == 9.0 / 10 + 8.0 / 10);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 3);
    assert_int_equal(order[2], 2);
    assert_int_equal(order[3], 1);
    assert_int_equal(order[4], 4); /* dominated: after all of the front */
}

static void test_the_best_are_in_order_of_rank(void **state)
{
    struct bl_prng prng = { test_seed() };
    static double v[POINTS_MAX * 2];
    const struct bl_front f = { v, POINTS_MAX, 2, order, scratch };
    bool seen[POINTS_MAX] = { false };

    (void)state;
    for (uint32_t i = 0; i < 2 * POINTS_MAX; i++)
        v[i] = (double)bl_prng_below(&prng, 1000);
    bl_front_rank(&f, rank);
    bl_front_best(&f, rank, distance);
    for (uint32_t i = 0; i < POINTS_MAX; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        if (i == 0)
            continue;
        assert_true(rank[order[i - 1]] <= rank[order[i]]);
        if (rank[order[i - 1]] == rank[order[i]])
            assert_true(distance[order[i - 1]] >= distance[order[i]]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_front_by_hand),
        cmocka_unit_test(test_domination),
        cmocka_unit_test(test_none_and_one),
        cmocka_unit_test(test_nothing_known_is_worst),
        cmocka_unit_test(test_nan_is_a_bug),
        cmocka_unit_test(test_ranks_are_those_of_peeling),
        cmocka_unit_test(test_ranks_do_not_depend_on_the_order),
        cmocka_unit_test(test_the_ends_and_the_lonely_stay),
        cmocka_unit_test(test_the_best_are_in_order_of_rank),
    };

    return cmocka_run_group_tests_name("front", tests, test_group_setup, NULL);
}
