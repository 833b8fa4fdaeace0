/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_admit - who may reserve what in nested pools, and who says no.
 *
 * Order: the example of the field's documentation; each kind of answer, with
 * its text; changes of a pool; misuse; random requests, compared with sums that
 * are made anew for each.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "hv/admit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE BL_NO_LIMIT
#define ROOT BL_POOL_ROOT
#define GHZ UINT64_C(1000000)
#define POOLS_MAX 8

static uint64_t sum[POOLS_MAX + 1];

static struct bl_admit_answer start(struct bl_admit *a, struct bl_pool *pool,
                                    uint32_t n, uint64_t capacity)
{
    static uint64_t used[POOLS_MAX + 1];

    *a = (struct bl_admit){ pool, n, capacity, used };
    return bl_admit_reset(a, NULL);
}

/* Reserve if it fits. */
static bool try_take(struct bl_admit *a, uint32_t pool, uint64_t amount)
{
    const bool fits = bl_admit_ask(a, pool, amount).why == BL_ADMIT_FITS;

    if (fits)
        bl_admit_take(a, pool, amount);
    bl_admit_check(a, sum);
    return fits;
}

static void expect_text(const struct bl_admit_answer *answer, const char *name,
                        const char *want)
{
    char text[200];

    bl_admit_text(answer, name, BL_DIM_FREQ, text, sizeof(text));
    assert_string_equal(text, want);
}

/* ---- the example: FIELD.md A4 ------------------------------------------- */

enum { MOM, KID };

static void family(struct bl_admit *a)
{
    static struct bl_pool pool[2];

    pool[MOM] = (struct bl_pool){ ROOT, false, 1000, 6 * GHZ, NONE };
    pool[KID] = (struct bl_pool){ MOM, true, 1000, 2 * GHZ, NONE };
    assert_int_equal(start(a, pool, 2, 10 * GHZ).why, BL_ADMIT_FITS);
}

/* RP-MOM has 6 GHz, VM-M1 takes 1, RP-KID 2: VM-K1 fills RP-KID, VM-K2 borrows
 * 2 of the 3 that are left. */
static void test_a_child_borrows_from_its_parent(void **state)
{
    struct bl_admit a;

    (void)state;
    family(&a);
    assert_true(try_take(&a, MOM, 1 * GHZ));
    assert_true(try_take(&a, KID, 2 * GHZ));
    assert_true(try_take(&a, KID, 2 * GHZ));
    assert_int_equal(a.used[1 + MOM], 5 * GHZ);
    assert_int_equal(a.used[1 + KID], 4 * GHZ);
    assert_int_equal(a.used[0], 6 * GHZ);
}

/* With 3 GHz of VMs in RP-MOM, 1 is left: VM-K1 starts, VM-K2 does not. */
static void test_and_is_refused_what_the_parent_has_not(void **state)
{
    struct bl_admit a;
    struct bl_admit_answer no;

    (void)state;
    family(&a);
    assert_true(try_take(&a, MOM, 1 * GHZ));
    assert_true(try_take(&a, MOM, 2 * GHZ));
    assert_true(try_take(&a, KID, 2 * GHZ));
    no = bl_admit_ask(&a, KID, 2 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, MOM);
    assert_int_equal(no.need, 2 * GHZ);
    assert_int_equal(no.have, 1 * GHZ);
    assert_int_equal(no.shortfall, 1 * GHZ);
    expect_text(&no, "RP-MOM",
                "resource pool 'RP-MOM' has 1GHz left to reserve, 2GHz needed: "
                "1GHz short");
    /* once VM-M1 is gone there are 2 */
    bl_admit_give(&a, MOM, 1 * GHZ);
    assert_true(try_take(&a, KID, 2 * GHZ));
}

/* ---- each answer -------------------------------------------------------- */

static void test_each_refusal_names_its_pool(void **state)
{
    struct bl_pool pool[] = {
        { ROOT, true, 1, 3 * GHZ, 5 * GHZ }, /* may borrow 2 */
        { 0, true, 1, 1 * GHZ, NONE },
        { 0, false, 1, 1 * GHZ, NONE },
    };
    struct bl_admit a;
    struct bl_admit_answer no;

    (void)state;
    assert_int_equal(start(&a, pool, 3, 4 * GHZ).why, BL_ADMIT_FITS);
    assert_int_equal(a.used[0], 3 * GHZ);

    no = bl_admit_ask(&a, 2, 1 * GHZ + 1);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, 2);
    assert_int_equal(no.shortfall, 1);

    /* 1 of its own, and 4 where its parent's limit allows 3: of these the
     * capacity would have 3, when there is more of it */
    a.capacity = 5 * GHZ;
    no = bl_admit_ask(&a, 1, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_LIMIT);
    assert_int_equal(no.pool, 0);
    assert_int_equal(no.need, 4 * GHZ);
    assert_int_equal(no.have, 3 * GHZ);
    expect_text(&no, "top",
                "the limit of resource pool 'top' leaves 3GHz to reserve, 4GHz "
                "needed: 1GHz short");

    /* with less, that is what is missing most */
    a.capacity = 4 * GHZ;
    no = bl_admit_ask(&a, 1, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, ROOT);
    assert_int_equal(no.need, 3 * GHZ);
    assert_int_equal(no.shortfall, 2 * GHZ);

    /* 1 + 1 + 1 of the capacity, where one more is missing */
    no = bl_admit_ask(&a, 1, 4 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, ROOT);
    assert_int_equal(no.need, 2 * GHZ);
    assert_int_equal(no.have, 1 * GHZ);
    expect_text(&no, NULL,
                "the hosts have 1GHz left to reserve, 2GHz needed: 1GHz short");
    assert_true(try_take(&a, 1, 3 * GHZ));
    assert_false(try_take(&a, ROOT, 1));
    assert_true(try_take(&a, ROOT, 0));

    no = bl_admit_ask(&a, 2, 1);
    assert_int_equal(no.why, BL_ADMIT_FITS);
    expect_text(&no, NULL, "it fits");
}

/* Not its limit, which is farther away, but what it has reserved. */
static void test_the_smaller_bound_decides(void **state)
{
    struct bl_pool pool[] = { { ROOT, false, 1, 1 * GHZ, 4 * GHZ } };
    struct bl_admit a;
    struct bl_admit_answer no;

    (void)state;
    assert_int_equal(start(&a, pool, 1, 8 * GHZ).why, BL_ADMIT_FITS);
    no = bl_admit_ask(&a, 0, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.have, 1 * GHZ);
    assert_int_equal(no.shortfall, 4 * GHZ);
    pool[0].expandable = true;
    no = bl_admit_ask(&a, 0, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_LIMIT);
    assert_int_equal(no.have, 4 * GHZ);
    assert_int_equal(no.shortfall, 1 * GHZ);
}

static void test_pools_themselves_may_not_fit(void **state)
{
    struct bl_pool pool[] = {
        { ROOT, true, 1, 3 * GHZ, NONE },
        { ROOT, true, 1, 3 * GHZ, NONE },
        { 0, false, 1, 4 * GHZ, NONE },
    };
    struct bl_admit a;
    struct bl_admit_answer no;
    uint32_t who = 99;

    (void)state;
    no = start(&a, pool, 3, 6 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, ROOT);
    assert_int_equal(no.shortfall, 1 * GHZ);
    (void)bl_admit_reset(&a, &who);
    assert_int_equal(who, 2);
    pool[0].expandable = false;
    no = start(&a, pool, 3, 6 * GHZ);
    assert_int_equal(no.pool, 0);
    a.capacity = 5 * GHZ;
    no = bl_admit_reset(&a, &who);
    assert_int_equal(no.pool, ROOT);
    assert_int_equal(who, 1);
}

static void test_less_capacity_refuses_and_takes_nothing_back(void **state)
{
    struct bl_pool pool[] = { { ROOT, true, 1, 0, NONE } };
    struct bl_admit a;

    (void)state;
    assert_int_equal(start(&a, pool, 1, 10).why, BL_ADMIT_FITS);
    assert_true(try_take(&a, 0, 8));
    a.capacity = 5; /* a host died */
    assert_int_equal(bl_admit_ask(&a, 0, 1).have, 0);
    assert_int_equal(bl_admit_ask(&a, 0, 0).why, BL_ADMIT_FITS);
    bl_admit_give(&a, 0, 4);
    assert_true(try_take(&a, 0, 1));
    assert_false(try_take(&a, 0, 1));
}

/* Found running when nobody had asked: it counts all the same. */
static void test_what_runs_counts(void **state)
{
    struct bl_admit a;

    (void)state;
    family(&a);
    bl_admit_count(&a, KID, 7 * GHZ);
    assert_int_equal(a.used[1 + MOM], 7 * GHZ);
    assert_int_equal(bl_admit_ask(&a, MOM, 0).why, BL_ADMIT_FITS);
    assert_int_equal(bl_admit_ask(&a, MOM, 1).have, 0);
    assert_int_equal(bl_admit_ask(&a, KID, 1).why, BL_ADMIT_UNRESERVED);
    bl_admit_give(&a, KID, 2 * GHZ);
    assert_true(try_take(&a, MOM, 1 * GHZ));
    expect_assert_failure(bl_admit_count(&a, 2, 1));
}

/* ---- a pool's reservation changes --------------------------------------- */

static void test_a_pool_is_resized(void **state)
{
    struct bl_admit a;
    struct bl_admit_answer no;

    (void)state;
    family(&a);
    assert_true(try_take(&a, KID, 3 * GHZ));
    /* what it borrowed becomes its own: nothing changes above it */
    assert_int_equal(bl_admit_resize(&a, KID, 3 * GHZ).why, BL_ADMIT_FITS);
    assert_int_equal(a.used[1 + MOM], 3 * GHZ);
    assert_int_equal(bl_admit_resize(&a, KID, 6 * GHZ).why, BL_ADMIT_FITS);
    assert_int_equal(a.used[1 + MOM], 6 * GHZ);
    no = bl_admit_resize(&a, KID, 7 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_UNRESERVED);
    assert_int_equal(no.pool, MOM);
    assert_int_equal(no.shortfall, 1 * GHZ);
    assert_int_equal(a.pool[KID].reservation, 6 * GHZ);
    no = bl_admit_resize(&a, MOM, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_IN_USE);
    assert_int_equal(no.shortfall, 1 * GHZ);
    expect_text(&no, "RP-MOM",
                "resource pool 'RP-MOM' has 6GHz in use, more than the 5GHz "
                "that it would keep: 1GHz short");
    assert_int_equal(bl_admit_resize(&a, KID, 0).why, BL_ADMIT_FITS);
    assert_int_equal(a.used[1 + MOM], 3 * GHZ);
    assert_int_equal(bl_admit_resize(&a, MOM, 3 * GHZ).why, BL_ADMIT_FITS);
    assert_int_equal(a.used[0], 3 * GHZ);
    a.pool[KID].limit = 4 * GHZ;
    no = bl_admit_resize(&a, KID, 5 * GHZ);
    assert_int_equal(no.why, BL_ADMIT_LIMIT);
    assert_int_equal(no.pool, KID);
    bl_admit_check(&a, sum);
}

/* More runs in it than it has, which nobody had asked for. */
static void test_a_pool_with_too_much_in_it_may_grow(void **state)
{
    struct bl_pool pool[] = { { ROOT, false, 1, 1 * GHZ, NONE } };
    struct bl_admit a;
    struct bl_admit_answer no;

    (void)state;
    assert_int_equal(start(&a, pool, 1, 4 * GHZ).why, BL_ADMIT_FITS);
    bl_admit_count(&a, 0, 3 * GHZ);
    assert_int_equal(bl_admit_resize(&a, 0, 2 * GHZ).why, BL_ADMIT_FITS);
    assert_int_equal(pool[0].reservation, 2 * GHZ);
    assert_int_equal(a.used[0], 2 * GHZ);
    assert_int_equal(bl_admit_resize(&a, 0, 2 * GHZ).why, BL_ADMIT_FITS);
    no = bl_admit_resize(&a, 0, 2 * GHZ - 1);
    assert_int_equal(no.why, BL_ADMIT_IN_USE);
    assert_int_equal(no.shortfall, 1 * GHZ + 1);
    assert_int_equal(bl_admit_resize(&a, 0, 3 * GHZ).why, BL_ADMIT_FITS);
    bl_admit_check(&a, sum);
    assert_int_equal(bl_admit_resize(&a, 0, 5 * GHZ).why, BL_ADMIT_UNRESERVED);
}

/* ---- misuse ------------------------------------------------------------- */

static void test_misuse_asserts(void **state)
{
    struct bl_pool late[] = { { 0, true, 1, 0, NONE } };
    struct bl_pool crossed[] = { { ROOT, true, 1, 6, 5 } };
    struct bl_admit a;

    (void)state;
    expect_assert_failure(start(&a, late, 1, 10));
    expect_assert_failure(start(&a, crossed, 1, 10));
    family(&a);
    expect_assert_failure(bl_admit_ask(&a, 2, 1));
    expect_assert_failure(bl_admit_ask(&a, 0, UINT64_MAX));
    expect_assert_failure(bl_admit_take(&a, MOM, 7 * GHZ));
    expect_assert_failure(bl_admit_give(&a, KID, 1));
    expect_assert_failure(bl_admit_resize(&a, 2, 1));
    a.used[1 + MOM]--; /* less than RP-KID holds */
    expect_assert_failure(bl_admit_check(&a, sum));
    a.used[1 + MOM] = 6 * GHZ + 1;
    expect_assert_failure(bl_admit_check(&a, sum));
}

/* ---- sums made anew ----------------------------------------------------- */

#define VMS_MAX 40

struct vm {
    uint32_t pool;
    uint64_t reservation; /* 0: not running */
};

/* What the children of @slot hold, recursively, from settings alone. */
static uint64_t held_in(const struct bl_admit *a, const struct vm *vm,
                        uint32_t pool)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < VMS_MAX; i++)
        all += vm[i].pool == pool ? vm[i].reservation : 0;
    for (uint32_t p = 0; p < a->pool_count; p++) {
        const struct bl_pool *x = &a->pool[p];

        if (x->parent != pool)
            continue;

        const uint64_t in = held_in(a, vm, p);

        all += x->expandable && in > x->reservation ? in : x->reservation;
    }
    return all;
}

/* Would all rules hold with the VMs as they are? */
static bool rules_hold(const struct bl_admit *a, const struct vm *vm)
{
    for (uint32_t p = 0; p < a->pool_count; p++) {
        const uint64_t in = held_in(a, vm, p);

        if (in > a->pool[p].limit ||
            (!a->pool[p].expandable && in > a->pool[p].reservation))
            return false;
    }
    return held_in(a, vm, ROOT) <= a->capacity;
}

/* The least by which @amount is too much. */
static void expect_exact_shortfall(const struct bl_admit *a, struct vm *vm,
                                   uint32_t i, uint64_t amount)
{
    const struct bl_admit_answer no = bl_admit_ask(a, vm[i].pool, amount);

    assert_true(no.shortfall > 0);
    assert_true(no.shortfall <= amount);
    assert_int_equal(no.shortfall, no.need - no.have);
    assert_int_equal(bl_admit_ask(a, vm[i].pool, amount - no.shortfall).why,
                     BL_ADMIT_FITS);
    assert_int_not_equal(
        bl_admit_ask(a, vm[i].pool, amount - no.shortfall + 1).why,
        BL_ADMIT_FITS);
}

static void draw_pools(struct bl_prng *prng, struct bl_pool *pool, uint32_t n)
{
    for (uint32_t p = 0; p < n; p++) {
        const uint64_t parent = bl_prng_below(prng, p + 1);

        pool[p] = (struct bl_pool){
            .parent = parent == p ? ROOT : (uint32_t)parent,
            .expandable = bl_prng_below(prng, 3) > 0,
            .shares = 1,
            .reservation = bl_prng_below(prng, 30),
            .limit = NONE,
        };
        if (bl_prng_below(prng, 3) == 0)
            pool[p].limit = pool[p].reservation + bl_prng_below(prng, 40);
    }
}

static void test_random_requests(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t taken = 0, refused = 0;

    (void)state;
    for (int round = 0; round < 400; round++) {
        struct bl_pool pool[POOLS_MAX];
        struct vm vm[VMS_MAX] = { { 0, 0 } };
        const uint32_t n = (uint32_t)bl_prng_below(&prng, POOLS_MAX + 1);
        struct bl_admit a;

        draw_pools(&prng, pool, n);
        for (uint32_t i = 0; i < VMS_MAX; i++) {
            const uint64_t p = bl_prng_below(&prng, n + 1);

            vm[i].pool = p == n ? ROOT : (uint32_t)p;
        }
        if (start(&a, pool, n, 100).why != BL_ADMIT_FITS) {
            assert_false(rules_hold(&a, vm));
            continue;
        }
        for (int step = 0; step < 200; step++) {
            const uint32_t i = (uint32_t)bl_prng_below(&prng, VMS_MAX);
            const uint64_t amount = 1 + bl_prng_below(&prng, 12);

            if (vm[i].reservation > 0) {
                bl_admit_give(&a, vm[i].pool, vm[i].reservation);
                vm[i].reservation = 0;
                continue;
            }
            vm[i].reservation = amount;
            if (rules_hold(&a, vm)) {
                vm[i].reservation =
                    try_take(&a, vm[i].pool, amount) ? amount : 0;
                assert_int_equal(vm[i].reservation, amount);
                taken++;
            } else {
                vm[i].reservation = 0;
                expect_exact_shortfall(&a, vm, i, amount);
                refused++;
            }
            assert_int_equal(a.used[0], held_in(&a, vm, ROOT));
            bl_admit_check(&a, sum);
        }
    }
    print_message("    %u taken, %u refused\n", taken, refused);
    assert_true(taken > 1000);
    assert_true(refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_child_borrows_from_its_parent),
        cmocka_unit_test(test_and_is_refused_what_the_parent_has_not),
        cmocka_unit_test(test_each_refusal_names_its_pool),
        cmocka_unit_test(test_the_smaller_bound_decides),
        cmocka_unit_test(test_pools_themselves_may_not_fit),
        cmocka_unit_test(test_less_capacity_refuses_and_takes_nothing_back),
        cmocka_unit_test(test_what_runs_counts),
        cmocka_unit_test(test_a_pool_is_resized),
        cmocka_unit_test(test_a_pool_with_too_much_in_it_may_grow),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_random_requests),
    };

    return cmocka_run_group_tests_name("admit", tests, test_group_setup, NULL);
}
