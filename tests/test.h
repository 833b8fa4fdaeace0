/* SPDX-License-Identifier: Apache-2.0 */
/* tests/test.h - cmocka plus the three things every test of ours needs. */
#ifndef BL_TESTS_TEST_H
#define BL_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/err.h"

/* 1. BL_ASSERT becomes observable: expect_assert_failure(call). */
static BL_NORETURN void test_assert_hook(const char *expr, const char *file,
                                         int line)
{
    mock_assert(0, expr, file, line);
    abort(); /* unreachable: mock_assert does not return */
}

/* 2. One seed per run, always printed; BL_SEED=n replays it. */
static inline uint64_t test_seed(void)
{
    const char *s = getenv("BL_SEED");
    const uint64_t seed = s != NULL ? strtoull(s, NULL, 0) : 42;

    print_message("    seed: BL_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* 3. The setup of every group. */
static inline int test_group_setup(void **state)
{
    (void)state;
    bl_assert_fail = test_assert_hook;
    return 0;
}

#define assert_ok(expr) assert_int_equal((expr), BL_ERR_OK)

#endif /* BL_TESTS_TEST_H */
