/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pool - entitlement in nested resource pools.
 *
 * Order: an example; each sentence of the contract; a published observation (KB
 * 341557); misuse; properties of random trees: bounds, conservation, order,
 * shares, trees that must equal a flat division; and wrong results that
 * bl_pool_check() must notice. test_pool_lp has the linear programs.
 */
#include "tests/test.h"

#include "tests/support_pool.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE BL_NO_LIMIT
#define ROOT BL_POOL_ROOT

/* ---- the example -------------------------------------------------------- */

/* Production has three times the shares of test. One busy test VM does not feel
 * that there are four production VMs; production's idle half goes to test. */
static void test_shares_count_among_siblings(void **state)
{
    struct tree t = {
        .pool = { { ROOT, true, 3000, 0, NONE },
                  { ROOT, true, 1000, 0, NONE } },
        .pool_count = 2,
        .leaf = { { 1000, 0, NONE, 9000 },
                  { 1000, 0, NONE, 9000 },
                  { 1000, 0, NONE, 9000 },
                  { 2000, 0, NONE, 9000 },
                  { 1000, 0, NONE, 9000 } },
        .leaf_pool = { 0, 0, 0, 0, 1 },
        .leaf_count = 5,
    };

    (void)state;
    assert_int_equal(tree_divide(&t, 8000), BL_ENTITLED_SHARED);
    assert_int_equal(t.pool_out[0], 6000);
    assert_int_equal(t.out[3], 2400);
    assert_int_equal(t.out[0], 1200);
    assert_int_equal(t.out[4], 2000);
    for (int i = 0; i < 4; i++)
        t.leaf[i].demand = 750;
    assert_int_equal(tree_divide(&t, 8000), BL_ENTITLED_SHARED);
    assert_int_equal(t.pool_out[0], 3000);
    assert_int_equal(t.out[4], 5000);
}

/* ---- the contract, one sentence each ------------------------------------ */

struct row {
    const char *what;
    uint64_t capacity;
    struct bl_pool pool[3];
    uint32_t pools;
    struct bl_claim leaf[4];
    uint32_t leaf_pool[4];
    uint32_t leaves;
    enum bl_entitled verdict;
    uint64_t want[4];
};

#define PLAIN                                                                  \
    {                                                                          \
        1, 0, NONE, 100                                                        \
    }

static const struct row rows[] = {
    { .what = "nobody", .verdict = BL_ENTITLED_ALL },
    { .what = "a pool without VMs gets nothing",
      .capacity = 10,
      .pool = { { ROOT, true, 9, 5, NONE } },
      .pools = 1,
      .leaf = { PLAIN },
      .leaf_pool = { ROOT },
      .leaves = 1,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 10 } },
    { .what = "VMs without a pool are siblings of pools",
      .capacity = 9,
      .pool = { { ROOT, true, 2, 0, NONE } },
      .pools = 1,
      .leaf = { PLAIN, PLAIN, PLAIN },
      .leaf_pool = { 0, 0, ROOT },
      .leaves = 3,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 3, 3, 3 } },
    { .what = "a pool's reservation holds against any shares",
      .capacity = 10,
      .pool = { { ROOT, true, 1, 7, NONE }, { ROOT, true, 1000, 0, NONE } },
      .pools = 2,
      .leaf = { PLAIN, PLAIN },
      .leaf_pool = { 0, 1 },
      .leaves = 2,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 7, 3 } },
    { .what = "as far as its VMs want it; the rest is lent",
      .capacity = 10,
      .pool = { { ROOT, true, 1, 7, NONE }, { ROOT, true, 1000, 0, NONE } },
      .pools = 2,
      .leaf = { { 1, 0, NONE, 4 }, PLAIN },
      .leaf_pool = { 0, 1 },
      .leaves = 2,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 4, 6 } },
    { .what = "a pool's limit holds with capacity to spare",
      .capacity = 100,
      .pool = { { ROOT, true, 9, 0, 12 } },
      .pools = 1,
      .leaf = { PLAIN, PLAIN, { 1, 0, NONE, 2 } },
      .leaf_pool = { 0, 0, 0 },
      .leaves = 3,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 5, 5, 2 } },
    { .what = "a limit above counts below",
      .capacity = 100,
      .pool = { { ROOT, true, 9, 0, 6 }, { 0, true, 2, 0, NONE } },
      .pools = 2,
      .leaf = { PLAIN, PLAIN, PLAIN },
      .leaf_pool = { 1, 0, ROOT },
      .leaves = 3,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 4, 2, 94 } },
    { .what = "a VM's reservation counts for its expandable pool",
      .capacity = 10,
      .pool = { { ROOT, true, 1, 2, NONE }, { ROOT, true, 1000, 0, NONE } },
      .pools = 2,
      .leaf = { { 1, 8, NONE, 100 }, PLAIN },
      .leaf_pool = { 0, 1 },
      .leaves = 2,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 8, 2 } },
    { .what = "not for one that may not borrow",
      .capacity = 10,
      .pool = { { ROOT, false, 1, 2, NONE }, { ROOT, true, 4, 0, NONE } },
      .pools = 2,
      .leaf = { { 1, 8, NONE, 100 }, PLAIN },
      .leaf_pool = { 0, 1 },
      .leaves = 2,
      .verdict = BL_ENTITLED_RESERVED, /* inside that pool */
      .want = { 2, 8 } },
    { .what = "borrowing goes all the way up",
      .capacity = 10,
      .pool = { { ROOT, true, 1, 0, NONE },
                { 0, true, 1, 0, NONE },
                { ROOT, true, 1000, 0, NONE } },
      .pools = 3,
      .leaf = { { 1, 6, NONE, 100 }, PLAIN },
      .leaf_pool = { 1, 2 },
      .leaves = 2,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 6, 4 } },
    { .what = "a reservation of a pool is shared inside it",
      .capacity = 10,
      .pool = { { ROOT, true, 1, 6, NONE }, { ROOT, true, 1000, 0, NONE } },
      .pools = 2,
      .leaf = { { 2, 0, NONE, 100 }, { 1, 0, NONE, 100 }, PLAIN },
      .leaf_pool = { 0, 0, 1 },
      .leaves = 3,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 4, 2, 4 } },
    { .what = "pools that do not fit: by what they are sure of",
      .capacity = 9,
      .pool = { { ROOT, true, 1, 12, NONE }, { ROOT, true, 1, 6, NONE } },
      .pools = 2,
      .leaf = { PLAIN, PLAIN },
      .leaf_pool = { 0, 1 },
      .leaves = 2,
      .verdict = BL_ENTITLED_RESERVED,
      .want = { 6, 3 } },
    { .what = "remainders: pools first, then VMs, by index",
      .capacity = 5,
      .pool = { { ROOT, true, 1, 0, NONE }, { ROOT, true, 1, 0, NONE } },
      .pools = 2,
      .leaf = { PLAIN, PLAIN, PLAIN },
      .leaf_pool = { ROOT, 1, 0 },
      .leaves = 3,
      .verdict = BL_ENTITLED_SHARED,
      .want = { 1, 2, 2 } },
};

static void run_row(const struct row *r)
{
    struct tree t = { .pool_count = r->pools, .leaf_count = r->leaves };

    print_message("    row: %s\n", r->what);
    memcpy(t.pool, r->pool, sizeof(r->pool));
    memcpy(t.leaf, r->leaf, sizeof(r->leaf));
    memcpy(t.leaf_pool, r->leaf_pool, sizeof(r->leaf_pool));
    assert_int_equal(tree_divide(&t, r->capacity), r->verdict);
    for (uint32_t i = 0; i < r->leaves; i++)
        assert_int_equal(t.out[i], r->want[i]);
}

static void test_each_sentence_of_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
}

/* ---- KB 341557 ---------------------------------------------------------- */

/* VMware's article: on an overcommitted host one VM is limited. What it gives
 * up is spread over the others; the host's utilisation does not fall. */
static void test_a_limit_moves_cpu_and_loses_none(void **state)
{
    struct tree t = { .leaf_count = 8 };
    uint64_t before[8], sum = 0;

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        t.leaf[i] = (struct bl_claim){ 1000, 0, NONE, 2000000 };
        t.leaf_pool[i] = ROOT;
    }
    assert_int_equal(tree_divide(&t, 8000000), BL_ENTITLED_SHARED);
    memcpy(before, t.out, sizeof(before));
    assert_int_equal(before[3], 1000000);
    t.leaf[3].limit = 300000;
    assert_int_equal(tree_divide(&t, 8000000), BL_ENTITLED_SHARED);
    assert_int_equal(t.out[3], 300000);
    for (uint32_t i = 0; i < 8; i++) {
        sum += t.out[i];
        if (i != 3)
            assert_int_equal(t.out[i], before[i] + 100000);
    }
    assert_int_equal(sum, 8000000);
}

/* ---- misuse ------------------------------------------------------------- */

static void test_misuse_asserts(void **state)
{
    struct tree t = { .pool = { { ROOT, true, 1, 0, NONE } },
                      .pool_count = 1,
                      .leaf = { PLAIN, PLAIN },
                      .leaf_count = 2 };

    (void)state;
    t.pool[0].parent = 0;
    expect_assert_failure(tree_divide(&t, 1));
    t.pool[0] = (struct bl_pool){ ROOT, true, 1, 6, 5 };
    expect_assert_failure(tree_divide(&t, 1));
    t.pool[0] = (struct bl_pool){ ROOT, true, 0, 0, NONE };
    expect_assert_failure(tree_divide(&t, 1));
    t.pool[0].shares = 1;
    t.leaf_pool[1] = 1;
    expect_assert_failure(tree_divide(&t, 1));
    t.leaf_pool[1] = 0;
    t.leaf[0].demand = t.leaf[1].demand = UINT64_C(1) << 62;
    expect_assert_failure(tree_divide(&t, 1));
}

/* ---- properties of random trees ----------------------------------------- */

static const struct tree_opts small = { 4, 6, 6, 4 },
                              large = { 12, 64, 1000, 100 };

/* From nothing to more than enough. */
static uint64_t draw_capacity(struct bl_prng *prng, struct tree *t)
{
    (void)tree_divide(t, 0); /* fills in what the pools claim */

    const uint64_t lo = tree_lo(t), hi = tree_hi(t);

    switch (bl_prng_below(prng, 4)) {
    case 0:
        return bl_prng_below(prng, lo + 1);
    case 1:
        return lo;
    default:
        return lo + bl_prng_below(prng, hi - lo + 3);
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void expect_bounds(const struct tree *t, uint64_t capacity)
{
    const bool enough = capacity >= tree_lo(t);
    uint64_t in[TREE_POOLS_MAX] = { 0 };

    for (uint32_t i = 0; i < t->leaf_count; i++) {
        const struct bl_claim *c = &t->leaf[i];

        assert_true(t->out[i] <= least(c->limit, c->demand));
        if (enough)
            assert_true(t->out[i] >= least(c->reservation, c->demand));
        for (uint32_t p = t->leaf_pool[i]; p != ROOT; p = t->pool[p].parent)
            in[p] += t->out[i];
    }
    for (uint32_t p = 0; p < t->pool_count; p++) {
        assert_true(in[p] == t->pool_out[p]);
        assert_true(in[p] <= t->pool[p].limit);
        if (enough)
            assert_true(in[p] >= least(t->pool[p].reservation,
                                       least(t->pool_claim[p].limit,
                                             t->pool_claim[p].demand)));
    }
}

static void test_bounds_and_conservation(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t outcome[3] = { 0 };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t sum = 0;
        struct tree t;

        tree_draw(&prng, round % 4 ? &small : &large, &t);

        const uint64_t capacity = draw_capacity(&prng, &t);

        outcome[tree_divide(&t, capacity)]++;
        expect_bounds(&t, capacity);
        for (uint32_t i = 0; i < t.leaf_count; i++)
            sum += t.out[i];
        assert_true(sum == least(capacity, tree_hi(&t)));
    }
    for (int k = 0; k < 3; k++)
        assert_true(outcome[k] > 1000);
}

/* A depth of one: the same numbers as without pools. */
static void test_without_pools_it_is_the_flat_division(void **state)
{
    struct bl_prng prng = { test_seed() };
    const struct tree_opts flat = { 0, 64, 1000, 100 };

    (void)state;
    for (int round = 0; round < 3000; round++) {
        uint64_t out[TREE_LEAVES_MAX];
        uint32_t scratch[TREE_LEAVES_MAX];
        struct tree t;

        tree_draw(&prng, &flat, &t);

        const uint64_t capacity = draw_capacity(&prng, &t);
        const enum bl_entitled verdict =
            bl_entitle(capacity, t.leaf, t.leaf_count, out, scratch);

        assert_int_equal(tree_divide(&t, capacity), verdict);
        assert_memory_equal(t.out, out, t.leaf_count * sizeof(out[0]));
    }
}

/* Nor does it change anything to wrap everybody in one more pool. */
static void test_a_pool_around_everything_changes_nothing(void **state)
{
    struct bl_prng prng = { test_seed() };
    const struct tree_opts less = { 8, 32, 1000, 100 };

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct tree t, wrapped;

        tree_draw(&prng, &less, &t);

        const uint64_t capacity = draw_capacity(&prng, &t);

        wrapped = t;
        wrapped.pool[0] = (struct bl_pool){ ROOT, true, 5, 0, NONE };
        wrapped.pool_count++;
        for (uint32_t p = 0; p < t.pool_count; p++) {
            wrapped.pool[p + 1] = t.pool[p];
            wrapped.pool[p + 1].parent =
                t.pool[p].parent == ROOT ? 0 : t.pool[p].parent + 1;
        }
        for (uint32_t i = 0; i < t.leaf_count; i++)
            wrapped.leaf_pool[i] =
                t.leaf_pool[i] == ROOT ? 0 : t.leaf_pool[i] + 1;
        assert_int_equal(tree_divide(&wrapped, capacity),
                         tree_divide(&t, capacity));
        assert_memory_equal(t.out, wrapped.out,
                            t.leaf_count * sizeof(t.out[0]));
    }
}

static bool within(uint64_t a, uint64_t b, uint64_t units)
{
    return a <= b + units && b <= a + units;
}

/* Leaves the other way round: the same amounts, but for one unit of remainder
 * in each division above a leaf. */
static void test_order_decides_remainders_only(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct tree t, turned;

        tree_draw(&prng, round % 4 ? &small : &large, &t);

        const uint64_t capacity = draw_capacity(&prng, &t);
        const uint32_t last = t.leaf_count - 1;

        turned = t;
        for (uint32_t i = 0; i <= last; i++) {
            turned.leaf[last - i] = t.leaf[i];
            turned.leaf_pool[last - i] = t.leaf_pool[i];
        }
        (void)tree_divide(&t, capacity);
        (void)tree_divide(&turned, capacity);
        for (uint32_t i = 0; i <= last; i++)
            assert_true(
                within(t.out[i], turned.out[last - i], tree_depth(&t, i)));
    }
}

/* More shares, not less of anything, but for one unit. */
static void test_monotone_in_shares(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct tree t, more;

        tree_draw(&prng, round % 4 ? &small : &large, &t);

        const uint64_t capacity = draw_capacity(&prng, &t);
        const uint32_t i = (uint32_t)bl_prng_below(&prng, t.leaf_count);
        const uint32_t p = t.leaf_pool[i];

        more = t;
        more.leaf[i].shares += 1 + bl_prng_below(&prng, 50);
        (void)tree_divide(&t, capacity);
        (void)tree_divide(&more, capacity);
        assert_true(more.out[i] + 1 >= t.out[i]);
        if (p == ROOT)
            continue;
        more = t;
        more.pool[p].shares += 1 + bl_prng_below(&prng, 50);
        (void)tree_divide(&more, capacity);
        assert_true(more.pool_out[p] + 1 >= t.pool_out[p]);
    }
}

/* ---- bl_pool_check() notices wrong results ------------------------------ */

/* Of its own, so that no local variable lives across the longjmp. */
__attribute__((noinline)) static void expect_noticed(struct tree *t,
                                                     uint64_t capacity)
{
    expect_assert_failure(tree_check(t, capacity));
}

static void test_check_notices_what_is_wrong(void **state)
{
    struct tree t = { .pool = { { ROOT, true, 3, 0, 70 },
                                { ROOT, true, 1, 0, NONE },
                                { 0, true, 1, 0, NONE } },
                      .pool_count = 3,
                      .leaf = { PLAIN, PLAIN, PLAIN, PLAIN },
                      .leaf_pool = { 0, 2, 1, ROOT },
                      .leaf_count = 4 };

    (void)state;
    (void)tree_divide(&t, 200); /* 35 35 65 65 */
    assert_int_equal(t.out[0], 35);
    assert_int_equal(t.out[2], 65);
    for (uint32_t from = 0; from < 4; from++) {
        for (uint32_t to = 0; to < 4; to++) {
            if (from == to)
                continue;
            (void)tree_divide(&t, 200);
            t.out[from] -= 3;
            t.out[to] += 3;
            expect_noticed(&t, 200);
        }
    }
    (void)tree_divide(&t, 200);
    t.out[2]--; /* a unit nobody has */
    expect_noticed(&t, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_count_among_siblings),
        cmocka_unit_test(test_each_sentence_of_the_contract),
        cmocka_unit_test(test_a_limit_moves_cpu_and_loses_none),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_bounds_and_conservation),
        cmocka_unit_test(test_without_pools_it_is_the_flat_division),
        cmocka_unit_test(test_a_pool_around_everything_changes_nothing),
        cmocka_unit_test(test_order_decides_remainders_only),
        cmocka_unit_test(test_monotone_in_shares),
        cmocka_unit_test(test_check_notices_what_is_wrong),
    };

    return cmocka_run_group_tests_name("pool", tests, test_group_setup, NULL);
}
