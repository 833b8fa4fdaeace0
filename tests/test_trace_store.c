/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_store - a trace in memory: streams of it give what it gave. */
#include "tests/test.h"

#include "base/units.h"
#include "tests/support_trace.h"
#include "tests/trace_walk.h"
#include "trace/store.h"

#include <stdio.h>
#include <string.h>

static struct bl_diag diag;

static const uint32_t rising[] = { 100000, 200000, 300000, 400000 };

/* Two that share a slot one after the other, one from beginning to end. */
static const struct test_vm vms[] = {
    { .arrive = 0, .steps = 5, .cpu_ppm = 500000, .mem_ppm = 250000 },
    { .arrive = 0, .steps = 2, .cpu_ppm = 900000, .mem_ppm = 10 },
    { .arrive = 2,
      .steps = 3,
      .vcpu_count = 2,
      .vcpu_khz = 1000000,
      .mem_bytes = 1 << 30,
      .cpu = rising },
};

static struct bl_trace *open_small(void)
{
    const struct test_trace spec = { .vm = vms,
                                     .vm_count = 3,
                                     .step_count = 5,
                                     .step_ns = 300 * BL_NS_PER_S,
                                     .has_mem = true };

    return test_trace_open(&spec);
}

static void assert_same_step(const struct bl_trace_info *info,
                             const struct bl_trace_step *a,
                             const struct bl_trace_step *b)
{
    const size_t cells = info->vms_alive_max * sizeof(uint32_t);

    assert_int_equal(a->index, b->index);
    assert_int_equal(a->departed_count, b->departed_count);
    for (uint32_t i = 0; i < a->departed_count; i++)
        assert_int_equal(a->departed[i], b->departed[i]);
    assert_int_equal(a->arrived_count, b->arrived_count);
    for (uint32_t i = 0; i < a->arrived_count; i++) {
        assert_string_equal(a->arrived[i].name, b->arrived[i].name);
        assert_int_equal(a->arrived[i].slot, b->arrived[i].slot);
        assert_int_equal(a->arrived[i].vcpu_count, b->arrived[i].vcpu_count);
        assert_true(a->arrived[i].vcpu_khz == b->arrived[i].vcpu_khz);
        assert_true(a->arrived[i].mem_bytes == b->arrived[i].mem_bytes);
    }
    assert_int_equal(a->cpu_ppm == NULL, b->cpu_ppm == NULL);
    assert_int_equal(a->mem_ppm == NULL, b->mem_ppm == NULL);
    if (a->cpu_ppm != NULL)
        assert_memory_equal(a->cpu_ppm, b->cpu_ppm, cells);
    if (a->mem_ppm != NULL)
        assert_memory_equal(a->mem_ppm, b->mem_ppm, cells);
}

/* @a from its beginning, beside @b. */
static void assert_same(struct bl_trace *a, struct bl_trace *b)
{
    struct bl_trace_step one, two;
    bl_err e;

    assert_memory_equal(bl_trace_info(a), bl_trace_info(b),
                        sizeof(struct bl_trace_info));
    assert_ok(bl_trace_rewind(a, &diag));
    while ((e = bl_trace_next(a, &one, &diag)) == BL_ERR_OK) {
        assert_ok(bl_trace_next(b, &two, &diag));
        assert_same_step(bl_trace_info(a), &one, &two);
    }
    assert_int_equal(e, BL_ERR_END);
    assert_int_equal(bl_trace_next(b, &two, &diag), BL_ERR_END);
}

static void test_a_stream_gives_what_the_trace_gave(void **state)
{
    struct bl_trace *t = open_small(), *s = NULL;
    struct bl_trace_store *store = NULL;

    (void)state;
    assert_ok(bl_trace_store_create(t, &store, &diag));
    assert_memory_equal(bl_trace_store_info(store), bl_trace_info(t),
                        sizeof(struct bl_trace_info));
    assert_ok(bl_trace_store_open(store, &s, &diag));
    assert_same(t, s);
    assert_ok(bl_trace_rewind(s, &diag)); /* and again */
    assert_same(t, s);
    bl_trace_close(s);
    bl_trace_close(t);
    bl_trace_store_free(store);
}

static void test_the_trace_may_be_anywhere(void **state)
{
    struct bl_trace *t = open_small(), *s = NULL;
    struct bl_trace_store *store = NULL;
    struct bl_trace_step step;

    (void)state;
    assert_ok(bl_trace_next(t, &step, &diag));
    assert_ok(bl_trace_next(t, &step, &diag));
    assert_ok(bl_trace_store_create(t, &store, &diag));
    assert_ok(bl_trace_store_open(store, &s, &diag));
    assert_same(t, s);
    bl_trace_close(s);
    bl_trace_close(t);
    bl_trace_store_free(store);
}

/* Each where it wants to be, the original long closed. */
static void test_streams_do_not_know_each_other(void **state)
{
    struct bl_trace_spec spec;
    struct bl_trace *t = NULL, *a = NULL, *b = NULL;
    struct bl_trace_store *store = NULL;
    struct bl_trace_step one, two;
    struct walk w;

    (void)state;
    bl_trace_spec_default(&spec);
    spec.vm_count = 50;
    spec.step_count = 40;
    spec.has_mem = spec.has_size = true;
    assert_ok(bl_trace_open_generated(&spec, 1, &t, &diag));
    assert_ok(bl_trace_store_create(t, &store, &diag));
    bl_trace_close(t);
    assert_ok(bl_trace_store_open(store, &a, &diag));
    assert_ok(bl_trace_store_open(store, &b, &diag));
    for (int i = 0; i < 10; i++)
        assert_ok(bl_trace_next(a, &one, &diag));
    assert_ok(bl_trace_next(b, &two, &diag));
    assert_int_equal(one.index, 9);
    assert_int_equal(two.index, 0);
    bl_trace_close(a);
    w = walk(b, &diag);
    assert_int_equal(w.end, BL_ERR_END);
    assert_int_equal(w.steps, 40);
    assert_int_equal(w.arrived, 50);
    bl_trace_close(b);
    bl_trace_store_free(store);
    bl_trace_store_free(NULL);
}

static void test_every_allocation_may_fail(void **state)
{
    struct bl_trace *t = open_small(), *s = NULL;
    struct bl_trace_store *store = NULL;
    long n = 0;

    (void)state;
    for (;; n++) {
        bl__trace_fail_after = n;

        const bl_err e = bl_trace_store_create(t, &store, &diag);

        bl__trace_fail_after = -1;
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_non_null(strstr(diag.text, "out of memory"));
        assert_null(store);
    }
    assert_int_equal(n, 7); /* the module's allocation budget, pinned */
    bl__trace_fail_after = 0;
    assert_int_equal(bl_trace_store_open(store, &s, &diag), BL_ERR_NOMEM);
    bl__trace_fail_after = -1;
    assert_null(s);
    bl_trace_store_free(store);
    bl_trace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_gives_what_the_trace_gave),
        cmocka_unit_test(test_the_trace_may_be_anywhere),
        cmocka_unit_test(test_streams_do_not_know_each_other),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("trace_store", tests, test_group_setup,
                                       NULL);
}
