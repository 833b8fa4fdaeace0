/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest - draws of times, and what a program must keep. */
#include "tests/test.h"

#include "base/prng.h"
#include "hv/guest.h"

#include <string.h>

#define DRAWS 1000000
#define FIXED(ns)                                                              \
    {                                                                          \
        BL_DIST_FIXED, 0, (ns)                                                 \
    }

/* --- the example: a lock that is held for a while, ten times ------------ */

static const struct bl_op example[] = {
    { .kind = BL_OP_RUN, .time = { BL_DIST_EXPONENTIAL, 0, 50000 } },
    { .kind = BL_OP_LOCK, .object = 3 },
    { .kind = BL_OP_RUN, .time = { BL_DIST_UNIFORM, 100000, 2000 } },
    { .kind = BL_OP_UNLOCK, .object = 3 },
    { .kind = BL_OP_UNIT },
    { .kind = BL_OP_LOOP, .target = 0, .count = 10 },
    { .kind = BL_OP_END },
};

static void test_a_program_that_is_right(void **state)
{
    const struct bl_program p = { example, 7 };

    (void)state;
    bl_program_check(&p);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(bl_guest_name(BL_GUEST_CPU), "cpu");
    assert_string_equal(bl_guest_name(BL_GUEST_RTAPP), "rt-app");
    for (int k = 0; k < BL_GUEST_COUNT; k++) {
        assert_true(strlen(bl_guest_help((enum bl_guest_kind)k)) > 10);
        for (int i = 0; i < k; i++)
            assert_string_not_equal(bl_guest_name((enum bl_guest_kind)i),
                                    bl_guest_name((enum bl_guest_kind)k));
    }
    expect_assert_failure(bl_guest_name(BL_GUEST_COUNT));
    expect_assert_failure(bl_guest_help(BL_GUEST_COUNT));
}

/* --- what is no program ------------------------------------------------- */

static void check_ops(const struct bl_op *op, uint32_t count)
{
    const struct bl_program p = { op, count };

    bl_program_check(&p);
}

/* In a function of its own: a loop's variable does not survive longjmp(). */
static __attribute__((noinline)) void refuse(const struct bl_op *op,
                                             uint32_t count)
{
    expect_assert_failure(check_ops(op, count));
}

static void test_ranges(void **state)
{
    static const struct bl_op bad[] = {
        { .kind = BL_OP_COUNT },
        { .kind = BL_OP_LOCK, .object = BL_GUEST_OBJECTS_MAX },
        { .kind = BL_OP_UNLOCK, .object = BL_GUEST_OBJECTS_MAX },
        { .kind = BL_OP_SUSPEND, .object = BL_GUEST_OBJECTS_MAX },
        { .kind = BL_OP_RESUME, .object = UINT32_MAX },
        { .kind = BL_OP_RUN, .time = FIXED(-1) },
        { .kind = BL_OP_SLEEP, .time = FIXED(BL_GUEST_NS_MAX + 1) },
        { .kind = BL_OP_RUN, .time = { BL_DIST_UNIFORM, 1000001, 5 } },
        { .kind = BL_OP_TIMER,
          .time = { (enum bl_dist_kind)(BL_DIST_EXPONENTIAL + 1), 0, 5 } },
        { .kind = BL_OP_TIMER, .count = 2, .time = FIXED(5) },
        { .kind = BL_OP_LOOP, .target = 0 },
        { .kind = BL_OP_LOOP, .target = 7 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuse(&bad[i], 1);
    expect_assert_failure(check_ops(example, 0));
    expect_assert_failure(check_ops(example, BL_GUEST_OPS_MAX + 1));
    expect_assert_failure(check_ops(NULL, 1));
}

static void test_a_loop_takes_time(void **state)
{
    static const enum bl_op_kind waits[] = { BL_OP_BARRIER, BL_OP_SUSPEND,
                                             BL_OP_REQUEST };
    static const enum bl_op_kind timed[] = { BL_OP_RUN, BL_OP_SLEEP,
                                             BL_OP_TIMER };
    struct bl_op op[3] = { { .kind = BL_OP_RUN, .time = FIXED(5) },
                           { .kind = BL_OP_RESUME },
                           { .kind = BL_OP_LOOP, .target = 1 } };

    (void)state;
    refuse(op, 3); /* what is before is not in it */
    op[2].target = 0;
    check_ops(op, 3);
    op[2].target = 1;
    for (size_t i = 0; i < 3; i++) {
        op[1] = (struct bl_op){ .kind = waits[i] };
        check_ops(op, 3);
        op[1] = (struct bl_op){ .kind = timed[i], .time = FIXED(1) };
        check_ops(op, 3);
        op[1] = (struct bl_op){ .kind = timed[i], .time = FIXED(0) };
        refuse(op, 3);
    }
}

/* --- draws -------------------------------------------------------------- */

static uint64_t unshift(uint64_t z, unsigned by)
{
    uint64_t x = z;

    for (unsigned n = by; n < 64; n += by)
        x = z ^ (x >> by);
    return x;
}

/* 1 / @odd modulo 2^64: each step doubles the digits that are right. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;

    for (int i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

/* A generator whose next number is @z: SplitMix64 backwards. */
static struct bl_prng just_before(uint64_t z)
{
    struct bl_prng p;

    z = unshift(z, 31) * inverse(UINT64_C(0x94d049bb133111eb));
    z = unshift(z, 27) * inverse(UINT64_C(0xbf58476d1ce4e5b9));
    p.s = unshift(z, 30) - UINT64_C(0x9e3779b97f4a7c15);
    return p;
}

/* -ln((next + 1) / 2^64) * 1e15, with 60 decimal digits (Python's decimal). */
static void test_logarithm(void **state)
{
    static const struct {
        uint64_t next;
        int64_t x_ns;
    } table[] = {
        { UINT64_C(0x0), INT64_C(44361419555836500) },
        { UINT64_C(0x1), INT64_C(43668272375276554) },
        { UINT64_C(0x2), INT64_C(43262807267168390) },
        { UINT64_C(0xfffffffe), INT64_C(22180709778151081) },
        { UINT64_C(0xffffffff), INT64_C(22180709777918250) },
        { UINT64_C(0x123456789abcdee), INT64_C(5416100402204420) },
        { UINT64_C(0x7ffffffffffffffe), INT64_C(693147180559945) },
        { UINT64_C(0x7fffffffffffffff), INT64_C(693147180559945) },
        { UINT64_C(0x8000000000000000), INT64_C(693147180559945) },
        { UINT64_C(0xb504f333f9de6483), INT64_C(346573590279973) },
        { UINT64_C(0xdeadbeefcafebabd), INT64_C(139447542899167) },
        { UINT64_C(0xfffffffffffffffd), INT64_C(0) },
        { UINT64_C(0xfffffffffffffffe), INT64_C(0) },
        { UINT64_C(0xffffffffffffffff), INT64_C(0) },
    };
    const struct bl_dist d = { BL_DIST_EXPONENTIAL, 0, BL_GUEST_NS_MAX };
    const int64_t most_ns = 1 + (BL_GUEST_NS_MAX >> 50); /* rounding */

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct bl_prng p = just_before(table[i].next), q = p;
        const int64_t x_ns = bl_dist_draw(&d, &p);

        assert_true(bl_prng_next(&q) == table[i].next);
        assert_true(x_ns - table[i].x_ns <= most_ns);
        assert_true(table[i].x_ns - x_ns <= most_ns);
        assert_true(x_ns >= 0 && x_ns <= 45 * BL_GUEST_NS_MAX);
        assert_true(p.s == q.s); /* one number a draw */
    }
}

/* Five standard errors: for 1e6 draws 0.5 % of the standard deviation. */
static void assert_moments(const struct bl_dist *d, double var,
                           double var_error)
{
    struct bl_prng p = bl_prng_stream(test_seed(), d->kind);
    const double mean = (double)d->mean_ns;
    double sum = 0, squares = 0;

    for (int i = 0; i < DRAWS; i++) {
        const double x = (double)bl_dist_draw(d, &p) - mean;

        sum += x / DRAWS;
        squares += x * x / DRAWS;
    }
    assert_true(sum * sum <= 25 * var / DRAWS);
    assert_true(squares - var <= var_error && var - squares <= var_error);
}

static void test_moments(void **state)
{
    const struct bl_dist e = { BL_DIST_EXPONENTIAL, 0, 300000 };
    const struct bl_dist u = { BL_DIST_UNIFORM, 250000, 1000000 };

    (void)state;
    /* of the squares: E(x^4) = 9 mean^4 about the mean, so sd = sqrt(8) */
    assert_moments(&e, 9e10, 5 * 2.83 * 9e10 / 1000);
    /* half = 250000: variance half^2/3, E(x^4) = half^4/5 */
    assert_moments(&u, 6.25e10 / 3, 5 * 0.2981 * 6.25e10 / 1000);
}

/* Below k mean / 10 lies 1 - exp(-k / 10) of an exponential. */
static void test_shape(void **state)
{
    static const struct {
        int64_t tenth;
        double share;
    } want[] = { { 1, 0.0951626 },  { 5, 0.3934693 },  { 10, 0.6321206 },
                 { 20, 0.8646647 }, { 50, 0.9932621 }, { 100, 0.9999546 } };
    const struct bl_dist d = { BL_DIST_EXPONENTIAL, 0, 10000000 };
    uint32_t below[6] = { 0 };
    struct bl_prng p = bl_prng_stream(test_seed(), 7);

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        const int64_t x_ns = bl_dist_draw(&d, &p);

        for (size_t k = 0; k < 6; k++)
            below[k] += x_ns < want[k].tenth * 1000000;
    }
    for (size_t k = 0; k < 6; k++) {
        const double off = (double)below[k] / DRAWS - want[k].share;

        assert_true(off * off <=
                    25 * want[k].share * (1 - want[k].share) / DRAWS);
    }
}

static void test_extremes(void **state)
{
    struct bl_prng p = bl_prng_stream(1, 1);
    const struct bl_prng before = p;
    struct bl_dist d = { BL_DIST_FIXED, 0, BL_GUEST_NS_MAX };
    int64_t lo = INT64_MAX, hi = 0;

    (void)state;
    assert_true(bl_dist_draw(&d, &p) == BL_GUEST_NS_MAX);
    assert_true(p.s == before.s); /* a fixed time needs no chance */
    d = (struct bl_dist){ BL_DIST_UNIFORM, 1000000, 3 };
    for (int i = 0; i < 1000; i++) {
        const int64_t x_ns = bl_dist_draw(&d, &p);

        lo = x_ns < lo ? x_ns : lo;
        hi = x_ns > hi ? x_ns : hi;
    }
    assert_true(lo == 0 && hi == 6); /* both ends can be drawn */
    d = (struct bl_dist){ BL_DIST_UNIFORM, 1000000, BL_GUEST_NS_MAX };
    for (int i = 0; i < 1000; i++)
        assert_in_range(bl_dist_draw(&d, &p), 0, 2 * BL_GUEST_NS_MAX);
    for (int k = BL_DIST_FIXED; k <= BL_DIST_EXPONENTIAL; k++) {
        d = (struct bl_dist){ (enum bl_dist_kind)k, 1000000, 0 };
        assert_true(bl_dist_draw(&d, &p) == 0);
    }
    d.mean_ns = -1;
    expect_assert_failure(bl_dist_draw(&d, &p));
    d.mean_ns = BL_GUEST_NS_MAX + 1;
    expect_assert_failure(bl_dist_draw(&d, &p));
    d = (struct bl_dist){ BL_DIST_UNIFORM, 1000001, 1 };
    expect_assert_failure(bl_dist_draw(&d, &p));
}

/* The same on every compiler: computed outside, may never change. */
static void test_draws_are_for_ever(void **state)
{
    const struct bl_dist d = { BL_DIST_EXPONENTIAL, 0, 1000000 };
    const struct bl_dist u = { BL_DIST_UNIFORM, 100000, 1000000 };
    struct bl_prng p = bl_prng_stream(42, 0);

    (void)state;
    assert_int_equal(bl_dist_draw(&d, &p), 549695);
    assert_int_equal(bl_dist_draw(&d, &p), 2255546);
    assert_int_equal(bl_dist_draw(&u, &p), 988062);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_that_is_right),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_a_loop_takes_time),
        cmocka_unit_test(test_logarithm),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_draws_are_for_ever),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
