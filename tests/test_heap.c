/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap - the heap of instants. */
#include "tests/test.h"

#include "base/heap.h"
#include "base/prng.h"

#define IDS 200u

static void open_heap(struct bl_arena *a, struct bl_heap *h, uint32_t ids)
{
    assert_ok(bl_arena_init(a, 1 << 20));
    assert_ok(bl_heap_create(a, ids, h));
    bl_arena_seal(a);
}

/* --- the example ------------------------------------------------------- */

static void test_earliest_first_then_lowest_id(void **state)
{
    struct bl_arena a;
    struct bl_heap h;

    (void)state;
    open_heap(&a, &h, 4);
    assert_true(bl_heap_next_ns(&h) == INT64_MAX);
    bl_heap_set(&h, 3, 20);
    bl_heap_set(&h, 1, 10);
    bl_heap_set(&h, 2, 30);
    bl_heap_set(&h, 0, 20);
    bl_heap_set(&h, 2, 10); /* moved */
    assert_int_equal(bl_heap_pop(&h), 1);
    assert_int_equal(bl_heap_pop(&h), 2);
    bl_heap_remove(&h, 0);
    bl_heap_remove(&h, 0); /* again: nothing happens */
    assert_true(bl_heap_next_ns(&h) == 20);
    assert_int_equal(bl_heap_pop(&h), 3);
    assert_int_equal(h.count, 0);
    bl_arena_free(&a);
}

/* --- documented errors and contract violations ------------------------- */

static void test_misuse_asserts(void **state)
{
    struct bl_arena a;
    struct bl_heap h;

    (void)state;
    open_heap(&a, &h, 4);
    expect_assert_failure(bl_heap_set(&h, 4, 0));
    expect_assert_failure(bl_heap_remove(&h, 4));
    expect_assert_failure(bl_heap_pop(&h));
    bl_arena_free(&a);
}

/* --- oracle: an array, searched from end to end ------------------------- */

struct model {
    bool in[IDS];
    int64_t at_ns[IDS];
};

static uint32_t first_of(const struct model *m)
{
    uint32_t best = IDS;

    for (uint32_t id = 0; id < IDS; id++)
        if (m->in[id] && (best == IDS || m->at_ns[id] < m->at_ns[best]))
            best = id;
    return best;
}

static void test_random_sequences_equal_a_search(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct model m = { .in = { false } };
    struct bl_arena a;
    struct bl_heap h;

    (void)state;
    open_heap(&a, &h, IDS);
    for (int i = 0; i < 20000; i++) {
        const uint32_t id = (uint32_t)bl_prng_below(&prng, IDS);
        const uint32_t first = first_of(&m);

        switch (bl_prng_below(&prng, 4)) {
        case 0:
            bl_heap_remove(&h, id);
            m.in[id] = false;
            break;
        case 1:
            if (first == IDS)
                break;
            assert_true(bl_heap_next_ns(&h) == m.at_ns[first]);
            assert_int_equal(bl_heap_pop(&h), first);
            m.in[first] = false;
            break;
        default: /* few instants, so that many are equal */
            m.at_ns[id] = (int64_t)bl_prng_below(&prng, 50) - 25;
            m.in[id] = true;
            bl_heap_set(&h, id, m.at_ns[id]);
        }
        bl_heap_check(&h);
    }
    bl_arena_free(&a);
}

/* --- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    long n = 0;

    (void)state;
    for (;; n++) {
        struct bl_arena a;
        struct bl_heap h;
        bl_err e;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = n;
        e = bl_heap_create(&a, IDS, &h);
        bl_arena_free(&a);
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
    }
    assert_int_equal(n, 2); /* the allocation budget, pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_earliest_first_then_lowest_id),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_random_sequences_equal_a_search),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("heap", tests, test_group_setup, NULL);
}
