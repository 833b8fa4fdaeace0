/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_alloc - the dispatcher allocates nothing once it is set up. Linked
 * with --wrap: every malloc(), calloc() and realloc() of the program comes
 * through here and is counted.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#define MS INT64_C(1000000)

/* Volatile: a compiler knows that malloc() changes nothing of ours. */
static volatile unsigned long alloc_count;

/* The linker's names: __wrap_NAME is called, __real_NAME is what was. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
    alloc_count++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    alloc_count++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    alloc_count++;
    return __real_realloc(p, size);
}

/* The wrappers are there at all. */
static void test_allocations_are_counted(void **state)
{
    const unsigned long before = alloc_count;
    void *volatile p = malloc(1);

    (void)state;
    p = realloc(p, 2);
    free(p);
    p = calloc(1, 1);
    free(p);
    assert_int_equal(alloc_count, before + 3);
}

static void storm(const char *policy, const char *mode)
{
    const struct dispatch_opts o = { .policy = policy,
                                     .mode = mode,
                                     .nodes = 2,
                                     .llcs = 1,
                                     .cores = 2,
                                     .threads = 2,
                                     .vm_max = 12,
                                     .vcpu_max = 48,
                                     .smt_ppm = 1250000,
                                     .seed = 1 };
    struct dispatch d;
    unsigned long before;

    dispatch_create(&d, &o);
    before = alloc_count;
    for (uint32_t i = 0; i < 12; i++) {
        const struct dispatch_load load = { MS * (i % 3), 2 * MS };

        (void)dispatch_vm(&d, 500 + 100 * i, 0,
                          i % 4 == 1 ? 600000 : BL_NO_LIMIT, 1 + i % 4, &load);
    }
    dispatch_storm(&d, DISPATCH_ANY, 300, MS);
    assert_int_equal(alloc_count, before);
    dispatch_destroy(&d);
}

static void test_storms_allocate_nothing(void **state)
{
    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++)
        for (uint32_t m = 0; bl_sched_mode(m) != NULL; m++)
            storm(bl_sched_policy(k)->name, bl_sched_mode(m)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_are_counted),
        cmocka_unit_test(test_storms_allocate_nothing),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
