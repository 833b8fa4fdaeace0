/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_entitle - shares, reservations and limits: who gets how much.
 *
 * Order: an example; each sentence of the contract; the contract's limits; then
 * an oracle in exact fractions, on every small problem and on random ones; and
 * wrong results that bl_entitle_check() must notice.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/u128.h"
#include "hv/entitle.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE BL_NO_LIMIT
#define CLAIMS_MAX 40000

static uint64_t got[CLAIMS_MAX];

static enum bl_entitled divide(uint64_t capacity, const struct bl_claim *claim,
                               uint32_t n)
{
    static uint32_t scratch[CLAIMS_MAX];
    enum bl_entitled verdict;

    assert_true(n <= CLAIMS_MAX);
    memset(got, 0x5a, n * sizeof(got[0]));
    memset(scratch, 0x5a, n * sizeof(scratch[0]));
    verdict = bl_entitle(capacity, claim, n, got, scratch);
    bl_entitle_check(capacity, claim, n, got);
    return verdict;
}

/* ---- the example -------------------------------------------------------- */

/* A host of 6000 MHz. The database wants all of it and has twice the shares of
 * each other VM; the batch VM may not have more than 500; the web VM is sure of
 * 2000 and wants 2500. */
static void test_four_vms_on_one_host(void **state)
{
    const struct bl_claim claim[] = {
        /* shares, reservation, limit, demand */
        { 2000, 0, NONE, 6000 },    /* database */
        { 1000, 2000, NONE, 2500 }, /* web */
        { 1000, 0, 500, 3000 },     /* batch */
        { 1000, 0, NONE, 1000 },    /* office */
    };

    (void)state;
    assert_int_equal(divide(6000, claim, 4), BL_ENTITLED_SHARED);
    /* batch is held at 500 and web at its 2000; 3500 are left for shares 2:1,
     * of which office takes no more than it wants */
    assert_int_equal(got[0], 2500);
    assert_int_equal(got[1], 2000);
    assert_int_equal(got[2], 500);
    assert_int_equal(got[3], 1000);
}

/* ---- the contract, one sentence each ------------------------------------ */

struct row {
    const char *what;
    uint64_t capacity;
    uint32_t n;
    struct bl_claim claim[4];
    enum bl_entitled verdict;
    uint64_t want[4];
};

static const struct row rows[] = {
    { "nobody", 10, 0, { { 0 } }, BL_ENTITLED_ALL, { 0 } },
    { "it fits exactly",
      10,
      2,
      { { 1, 0, NONE, 4 }, { 9, 0, NONE, 6 } },
      BL_ENTITLED_ALL,
      { 4, 6 } },
    { "a limit makes it fit",
      10,
      2,
      { { 1, 0, 4, 100 }, { 1, 0, NONE, 6 } },
      BL_ENTITLED_ALL,
      { 4, 6 } },
    { "shares decide",
      9,
      2,
      { { 2, 0, NONE, 100 }, { 1, 0, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 6, 3 } },
    { "what one does not want goes to the others by their shares",
      9,
      3,
      { { 10, 0, NONE, 3 }, { 2, 0, NONE, 100 }, { 1, 0, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 3, 4, 2 } },
    { "a reservation holds against any shares",
      10,
      2,
      { { 1, 7, NONE, 100 }, { 1000000000, 0, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 7, 3 } },
    { "a reservation is a floor, not an extra",
      10,
      2,
      { { 3, 2, NONE, 100 }, { 2, 2, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 6, 4 } },
    { "what is reserved and not wanted is lent",
      10,
      2,
      { { 1, 8, NONE, 1 }, { 1, 0, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 1, 9 } },
    { "and comes back at once",
      10,
      2,
      { { 1, 8, NONE, 8 }, { 1, 0, NONE, 100 } },
      BL_ENTITLED_SHARED,
      { 8, 2 } },
    { "a limit holds with capacity to spare",
      100,
      1,
      { { 5, 0, 3, 50 } },
      BL_ENTITLED_ALL,
      { 3 } },
    { "a limit of nothing",
      10,
      2,
      { { 5, 0, 0, 50 }, { 1, 0, NONE, 50 } },
      BL_ENTITLED_SHARED,
      { 0, 10 } },
    { "reservations fill the host",
      10,
      2,
      { { 1, 6, NONE, 9 }, { 9, 4, NONE, 9 } },
      BL_ENTITLED_SHARED,
      { 6, 4 } },
    { "reservations exceed it: in their proportion",
      10,
      3,
      { { 9, 12, NONE, 99 }, { 1, 8, NONE, 99 }, { 50, 0, NONE, 99 } },
      BL_ENTITLED_RESERVED,
      { 6, 4, 0 } },
    { "then, too, nobody gets more than is wanted",
      10,
      3,
      { { 1, 30, NONE, 2 }, { 1, 12, NONE, 12 }, { 1, 4, NONE, 4 } },
      BL_ENTITLED_RESERVED,
      { 2, 6, 2 } },
    { "no capacity at all",
      0,
      2,
      { { 1, 0, NONE, 5 }, { 1, 0, NONE, 5 } },
      BL_ENTITLED_SHARED,
      { 0, 0 } },
    { "no capacity and a reservation",
      0,
      2,
      { { 1, 1, NONE, 5 }, { 1, 0, NONE, 5 } },
      BL_ENTITLED_RESERVED,
      { 0, 0 } },
    { "remainders go to the lowest index",
      11,
      4,
      { { 1, 0, NONE, 9 },
        { 1, 0, NONE, 9 },
        { 1, 0, NONE, 9 },
        { 1, 0, NONE, 9 } },
      BL_ENTITLED_SHARED,
      { 3, 3, 3, 2 } },
    { "but not to one whose part is whole", /* 3, 1.5, 1.5 */
      6,
      3,
      { { 2, 0, NONE, 9 }, { 1, 0, NONE, 9 }, { 1, 0, NONE, 9 } },
      BL_ENTITLED_SHARED,
      { 3, 2, 1 } },
    { "nor to one who is held at a bound", /* 4, 2.5, 2.5 */
      9,
      3,
      { { 9, 0, 4, 9 }, { 1, 0, NONE, 9 }, { 1, 0, NONE, 9 } },
      BL_ENTITLED_SHARED,
      { 4, 3, 2 } },
    { "remainders in an alarm",
      5,
      3,
      { { 1, 4, NONE, 9 }, { 1, 4, NONE, 9 }, { 1, 4, NONE, 9 } },
      BL_ENTITLED_RESERVED,
      { 2, 2, 1 } },
};

static void test_each_sentence_of_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("    row: %s\n", rows[i].what);
        assert_int_equal(divide(rows[i].capacity, rows[i].claim, rows[i].n),
                         rows[i].verdict);
        for (uint32_t k = 0; k < rows[i].n; k++)
            assert_int_equal(got[k], rows[i].want[k]);
    }
}

/* ---- misuse ------------------------------------------------------------- */

static void test_misuse_asserts(void **state)
{
    const uint64_t half = UINT64_C(1) << 62;
    const struct bl_claim no_shares = { 0, 0, NONE, 5 };
    const struct bl_claim crossed = { 1, 6, 5, 9 };
    const struct bl_claim shares[] = { { half, 0, NONE, 5 },
                                       { half, 0, NONE, 5 } };
    const struct bl_claim reserved[] = { { 1, half, NONE, 5 },
                                         { 1, half, NONE, 5 } };
    const struct bl_claim wanted[] = { { 1, 0, NONE, half },
                                       { 1, 0, half, UINT64_MAX } };
    const struct bl_claim wraps[] = { { 1, 0, NONE, UINT64_MAX },
                                      { 1, 0, NONE, 2 } };
    uint64_t out[2];
    uint32_t scratch[2];

    (void)state;
    expect_assert_failure(bl_entitle(3, &no_shares, 1, out, scratch));
    expect_assert_failure(bl_entitle(3, &crossed, 1, out, scratch));
    expect_assert_failure(bl_entitle(3, shares, 2, out, scratch));
    expect_assert_failure(bl_entitle(3, reserved, 2, out, scratch));
    expect_assert_failure(bl_entitle(3, wanted, 2, out, scratch));
    expect_assert_failure(bl_entitle(3, wraps, 2, out, scratch));
}

/* ---- the oracle: the one lambda, as an exact fraction ------------------- */

struct fraction {
    uint64_t over, under;
};

/* What a claim is held between, and by which weight it grows. */
struct held {
    uint64_t lo, hi, weight;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct held held_of(const struct bl_claim *c, bool alarm)
{
    const uint64_t lo = least(c->reservation, c->demand);

    if (alarm)
        return (struct held){ 0, lo, c->reservation };
    return (struct held){ lo, least(c->limit, c->demand), c->shares };
}

/* What @h gets at @lambda is a bound of its own or lambda * weight. */
static bool is_free(struct held h, struct fraction lambda)
{
    const bl_u128 part = (bl_u128)lambda.over * h.weight;

    return (bl_u128)h.lo * lambda.under < part &&
           part < (bl_u128)h.hi * lambda.under;
}

static uint64_t bound_at(struct held h, struct fraction lambda)
{
    return (bl_u128)h.lo * lambda.under >= (bl_u128)lambda.over * h.weight
               ? h.lo
               : h.hi;
}

/* The sum at @lambda minus @capacity: -1, 0, 1; all in lambda.under-ths. */
static int compare_sum(const struct held *h, uint32_t n, struct fraction lambda,
                       uint64_t capacity)
{
    bl_u128 sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += is_free(h[i], lambda)
                   ? (bl_u128)lambda.over * h[i].weight
                   : (bl_u128)bound_at(h[i], lambda) * lambda.under;
    const bl_u128 all = (bl_u128)capacity * lambda.under;

    return (sum > all) - (sum < all);
}

static bool is_less(struct fraction a, struct fraction b)
{
    return (bl_u128)a.over * b.under < (bl_u128)b.over * a.under;
}

static int by_size(const void *a, const void *b)
{
    const struct fraction *x = a, *y = b;

    return is_less(*y, *x) - is_less(*x, *y);
}

/* The largest point where the sum bends and does not exceed @capacity: from
 * there to lambda it is a straight line. */
static struct fraction last_bend(const struct held *h, uint32_t n,
                                 uint64_t capacity)
{
    static struct fraction bend[2 * CLAIMS_MAX];
    uint32_t from = 0, to = 0;

    for (uint32_t i = 0; i < 2 * n; i++)
        if (h[i / 2].weight > 0)
            bend[to++] = (struct fraction){ i % 2 ? h[i / 2].hi : h[i / 2].lo,
                                            h[i / 2].weight };
    qsort(bend, to, sizeof(bend[0]), by_size);
    while (from < to) { /* those before it fit, those from it on do not */
        const uint32_t middle = from + (to - from) / 2;

        if (compare_sum(h, n, bend[middle], capacity) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 ? bend[from - 1] : (struct fraction){ 0, 1 };
}

/* Who grows from @bend on: starts at or above the floor, below the ceiling. */
static bool grows_from(struct held h, struct fraction bend)
{
    const bl_u128 part = (bl_u128)bend.over * h.weight;

    return h.lo < h.hi && (bl_u128)h.lo * bend.under <= part &&
           part < (bl_u128)h.hi * bend.under;
}

static enum bl_entitled oracle(uint64_t capacity, const struct bl_claim *claim,
                               uint32_t n, uint64_t *want)
{
    static struct held h[CLAIMS_MAX];
    uint64_t lo = 0, hi = 0, rest = capacity, weight = 0;

    for (uint32_t i = 0; i < n; i++) {
        h[i] = held_of(&claim[i], false);
        lo += h[i].lo;
        hi += want[i] = h[i].hi;
    }
    if (hi <= capacity)
        return BL_ENTITLED_ALL;
    for (uint32_t i = 0; i < n; i++)
        h[i] = held_of(&claim[i], lo > capacity);

    const struct fraction bend = last_bend(h, n, capacity);

    for (uint32_t i = 0; i < n; i++) {
        want[i] = bound_at(h[i], bend);
        if (grows_from(h[i], bend))
            weight += h[i].weight;
        else
            rest -= want[i];
    }

    uint64_t spare = rest;

    for (uint32_t i = 0; i < n; i++)
        if (grows_from(h[i], bend))
            spare -= want[i] = bl_muldiv(rest, h[i].weight, weight);
    for (uint32_t i = 0; i < n && spare > 0; i++) {
        if (grows_from(h[i], bend) &&
            (bl_u128)rest * h[i].weight % weight != 0) {
            want[i]++;
            spare--;
        }
    }
    return lo > capacity ? BL_ENTITLED_RESERVED : BL_ENTITLED_SHARED;
}

static void compare(uint64_t capacity, const struct bl_claim *claim, uint32_t n)
{
    static uint64_t want[CLAIMS_MAX];
    const enum bl_entitled verdict = oracle(capacity, claim, n, want);

    assert_int_equal(divide(capacity, claim, n), verdict);
    for (uint32_t i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("capacity %llu, client %u of %u: %llu, expected %llu",
                     (unsigned long long)capacity, i, n,
                     (unsigned long long)got[i], (unsigned long long)want[i]);
}

/* The @k-th claim with shares 1 .. 3 and amounts up to 3; false: no claim. */
enum { SMALL_CLAIMS = 3 * 4 * 4 * 4 };

static bool small_claim(uint32_t k, struct bl_claim *out)
{
    *out = (struct bl_claim){ .shares = 1 + k / 64,
                              .reservation = k / 16 % 4,
                              .limit = k / 4 % 4,
                              .demand = k % 4 };
    return out->reservation <= out->limit;
}

static void test_every_small_problem_of_two(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < SMALL_CLAIMS; a++) {
        for (uint32_t b = 0; b < SMALL_CLAIMS; b++) {
            struct bl_claim claim[2];

            if (!small_claim(a, &claim[0]) || !small_claim(b, &claim[1]))
                continue;
            for (uint64_t capacity = 0; capacity <= 7; capacity++)
                compare(capacity, claim, 2);
        }
    }
}

static uint64_t up_to(struct bl_prng *prng, uint64_t most)
{
    return bl_prng_below(prng, most + 1);
}

static struct bl_claim random_claim(struct bl_prng *prng, uint64_t shares_max,
                                    uint64_t amount_max)
{
    struct bl_claim c = { .shares = 1 + bl_prng_below(prng, shares_max),
                          .limit = NONE,
                          .demand = up_to(prng, amount_max) };

    if (bl_prng_below(prng, 2))
        c.limit = up_to(prng, amount_max);
    if (bl_prng_below(prng, 2))
        c.reservation = up_to(prng, least(c.limit, amount_max));
    return c;
}

static void test_small_problems_of_up_to_eight(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const uint32_t n = (uint32_t)up_to(&prng, 8);
        struct bl_claim claim[8];

        for (uint32_t i = 0; i < n; i++)
            claim[i] = random_claim(&prng, 5, 6);
        for (uint64_t capacity = 0; capacity <= 30; capacity += 3)
            compare(capacity, claim, n);
    }
}

/* Up to where the contract ends: sums just below 2^63. */
static void test_large_problems(void **state)
{
    static struct bl_claim claim[1000];
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 60; round++) {
        const uint32_t n = round < 50 ? 1 + (uint32_t)up_to(&prng, 60) : 1000;
        const uint64_t amount = (UINT64_C(1) << 63) / n - 1;
        const uint64_t shares = round % 2 ? amount : BL_SHARES_MAX;

        for (uint32_t i = 0; i < n; i++)
            claim[i] = random_claim(&prng, shares, amount);
        for (int part = 0; part < 3; part++)
            compare(up_to(&prng, amount) * up_to(&prng, n) / 2, claim, n);
    }
}

enum crowd { RANDOM, ALIKE, ONE_GIANT, SORTED, STEEP, HALF_HELD, CROWDS };

/* Clients in such numbers that a sample of them is asked first: among them
 * crowds for which it is a bad guess. */
static struct bl_claim claim_in(enum crowd crowd, uint32_t i, uint32_t n,
                                struct bl_prng *prng)
{
    struct bl_claim c = random_claim(prng, 1000000, 1000000);

    switch (crowd) {
    case RANDOM:
    case CROWDS:
        break;
    case ALIKE:
        c = (struct bl_claim){ 7, 3, 11, 20 };
        break;
    case ONE_GIANT:
        if (i == n / 3)
            c = (struct bl_claim){ (UINT64_C(1) << 62), 0, NONE,
                                   UINT64_C(1) << 62 };
        break;
    case SORTED:
        c.shares = i + 1;
        break;
    case STEEP: /* lambda far below one, and far above it */
        c.shares = i % 2 ? (UINT64_C(1) << 63) / n - 1 : 1;
        c.demand = c.limit = c.demand % 1000;
        c.reservation = least(c.reservation, c.limit);
        break;
    case HALF_HELD:
        if (i < n / 2)
            c.reservation = c.demand = c.limit = 900000;
        break;
    }
    return c;
}

static void test_many_clients(void **state)
{
    static struct bl_claim claim[CLAIMS_MAX];
    static const uint32_t count[] = { 8191, 8192, 9001, CLAIMS_MAX };
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (uint32_t k = 0; k < COUNT(count) * CROWDS; k++) {
        const uint32_t n = count[k / CROWDS];
        uint64_t lo = 0, hi = 0;

        for (uint32_t i = 0; i < n; i++) {
            claim[i] = claim_in((enum crowd)(k % CROWDS), i, n, &prng);
            lo += held_of(&claim[i], false).lo;
            hi += held_of(&claim[i], false).hi;
        }
        compare(lo + (hi - lo) / 2, claim, n);
        compare(lo + (hi - lo) / 100, claim, n);
        compare(lo, claim, n);
        compare(hi - 1, claim, n);
        compare(lo / 2, claim, n);
        compare(1, claim, n);
        compare(0, claim, n);
    }
}

/* Two clients at the ends of every range, and the numbers worked out. */
static void test_the_ends_of_the_ranges(void **state)
{
    const uint64_t most = (UINT64_C(1) << 62) - 1;
    const struct bl_claim claim[] = { { BL_SHARES_MAX, 0, NONE, most },
                                      { 1, 0, NONE, most } };
    const struct bl_claim reserved[] = { { 1, most, NONE, most },
                                         { 1, 1, NONE, most } };

    (void)state;
    assert_int_equal(divide(BL_SHARES_MAX + 1, claim, 2), BL_ENTITLED_SHARED);
    assert_int_equal(got[0], BL_SHARES_MAX);
    assert_int_equal(got[1], 1);
    assert_int_equal(divide(most + 5, claim, 2), BL_ENTITLED_SHARED);
    /* (2^62 + 4) / (1e9 + 1) = 4611686013.8 */
    assert_true(got[1] == 4611686013);
    assert_true(got[0] == most + 5 - 4611686013);
    assert_int_equal(divide(most, reserved, 2), BL_ENTITLED_RESERVED);
    /* 2^62 - 1 units for 2^62 - 1 and 1: one too few, and the first has the
     * first claim on what rounding leaves over */
    assert_true(got[0] == most);
    assert_true(got[1] == 0);
}

/* The same claims again, in another order: the same amounts, but for single
 * units of remainder. */
static void test_order_decides_remainders_only(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct bl_claim claim[12], turned[12];
        uint64_t first[12];
        const uint64_t capacity = up_to(&prng, 6000);

        for (uint32_t i = 0; i < 12; i++)
            turned[11 - i] = claim[i] = random_claim(&prng, 100, 1000);
        (void)divide(capacity, claim, 12);
        memcpy(first, got, sizeof(first));
        (void)divide(capacity, turned, 12);
        for (uint32_t i = 0; i < 12; i++) {
            assert_true(got[11 - i] <= first[i] + 1);
            assert_true(first[i] <= got[11 - i] + 1);
        }
    }
}

/* ---- bl_entitle_check() notices wrong results --------------------------- */

/* Of its own, so that no local variable lives across the longjmp. */
__attribute__((noinline)) static void
expect_noticed(uint64_t capacity, const struct bl_claim *claim, uint32_t n)
{
    expect_assert_failure(bl_entitle_check(capacity, claim, n, got));
}

static void test_check_notices_what_is_wrong(void **state)
{
    const struct bl_claim claim[] = { { 2, 0, NONE, 90 },
                                      { 1, 0, 20, 90 },
                                      { 1, 30, NONE, 90 },
                                      { 1, 0, NONE, 90 },
                                      { 3, 0, NONE, 5 } };

    (void)state;
    /* 60 + 20 + 30 + 30 + 5 */
    assert_int_equal(divide(145, claim, 5), BL_ENTITLED_SHARED);
    for (uint32_t from = 0; from < 5; from++) {
        for (uint32_t to = 0; to < 5; to++) {
            for (uint64_t units = 1; units <= 5 && from != to; units++) {
                (void)divide(145, claim, 5);
                got[from] -= units;
                got[to] += units;
                /* half of one's lambda is the other's: one unit is in doubt */
                if (units > 1 || claim[from].shares >= claim[to].shares)
                    expect_noticed(145, claim, 5);
            }
        }
    }
    (void)divide(145, claim, 5);
    got[0]--; /* a unit nobody has */
    expect_noticed(145, claim, 5);
    got[0] += 2; /* a unit too many */
    expect_noticed(145, claim, 5);
}

/* In an array where only clients far apart show that shares were ignored. */
static void test_check_compares_all_with_all(void **state)
{
    struct bl_claim claim[9];

    (void)state;
    for (uint32_t i = 0; i < 9; i++) /* those in between are held at 10 */
        claim[i] = (struct bl_claim){ 1, 0, NONE, 10 };
    claim[2].demand = claim[6].demand = 100;
    assert_int_equal(divide(120, claim, 9), BL_ENTITLED_SHARED);
    assert_int_equal(got[2], 25);
    assert_int_equal(got[6], 25);
    got[2] = 40;
    got[6] = 10;
    expect_noticed(120, claim, 9);
}

static void test_check_notices_a_wrong_alarm(void **state)
{
    const struct bl_claim claim[] = { { 1, 20, NONE, 50 },
                                      { 9, 10, NONE, 50 } };

    (void)state;
    assert_int_equal(divide(15, claim, 2), BL_ENTITLED_RESERVED);
    assert_int_equal(got[0], 10);
    assert_int_equal(got[1], 5);
    got[0] = 6; /* as if shares had decided */
    got[1] = 9;
    expect_noticed(15, claim, 2);
    got[0] = 4; /* more than reserved */
    got[1] = 11;
    expect_noticed(15, claim, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_vms_on_one_host),
        cmocka_unit_test(test_each_sentence_of_the_contract),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_every_small_problem_of_two),
        cmocka_unit_test(test_small_problems_of_up_to_eight),
        cmocka_unit_test(test_large_problems),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_the_ends_of_the_ranges),
        cmocka_unit_test(test_order_decides_remainders_only),
        cmocka_unit_test(test_check_notices_what_is_wrong),
        cmocka_unit_test(test_check_compares_all_with_all),
        cmocka_unit_test(test_check_notices_a_wrong_alarm),
    };

    return cmocka_run_group_tests_name("entitle", tests, test_group_setup,
                                       NULL);
}
