/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entitle - proportional shares between a floor and a ceiling, exactly.
 *
 * Source     DESIGN.md 5.1; the semantics of shares, reservation and limit of
 *            Waldspurger, OSDI 2002. The search is the prune-and-search of
 *            Megiddo for weighted medians (SIAM J. Comput. 1983).
 * Idea       the sum of clamp(lambda * s, lo, hi) grows with lambda and bends
 *            at the 2n points lo/s and hi/s. Try one of them as a pivot: the
 *            sum there says on which side the right lambda lies, and every
 *            client whose bend is on the other side is settled for good.
 * Bound      sums to min(C, sum of hi) exactly; one lambda for all in between
 *            (bl_entitle_check; test_entitle compares with bisection).
 * Deviation  pivots come from a fixed random stream, so the cost is O(n)
 *            expected for every input, not in the worst case.
 * Cost       O(n) expected; three passes when nothing is short.
 */
#include "hv/entitle.h"

#include "base/prng.h"
#include "base/u128.h"

#define HAS_LO (UINT32_C(1) << 30)
#define HAS_HI (UINT32_C(1) << 31)
#define INDEX_MASK (HAS_LO - 1)
#define FREE UINT64_MAX /* out[i] of a client between its bounds */
#define SUM_MAX (UINT64_C(1) << 63)

struct bounds {
    uint64_t lo, hi, shares;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t claim_lo(const struct bl_claim *c)
{
    return min_u64(c->reservation, c->demand);
}

static uint64_t claim_hi(const struct bl_claim *c)
{
    return min_u64(c->limit, c->demand);
}

/* The alarm is the same problem once more: reservations are the shares and
 * what they can claim is the ceiling. */
static struct bounds bounds_of(const struct bl_claim *c, bool alarm)
{
    if (alarm)
        return (struct bounds){ 0, claim_lo(c), c->reservation };
    return (struct bounds){ claim_lo(c), claim_hi(c), c->shares };
}

struct search {
    const struct bl_claim *claim;
    bool alarm;
    uint64_t *out;
    uint32_t *active; /* index | HAS_LO | HAS_HI: bounds not yet settled */
    uint32_t active_count;
    uint64_t rest;        /* capacity not given to settled clients */
    uint64_t free_shares; /* of clients known to be between their bounds */
};

/* Is the sum of what all unsettled clients get at lambda = p/q within rest? */
static bool fits(const struct search *s, uint64_t p, uint64_t q)
{
    bl_u128 fixed = 0, scaled = s->free_shares;

    for (uint32_t k = 0; k < s->active_count; k++) {
        const uint32_t a = s->active[k];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);
        const bl_u128 at = (bl_u128)p * b.shares;

        if ((a & HAS_LO) && (bl_u128)b.lo * q >= at)
            fixed += b.lo;
        else if ((a & HAS_HI) && (bl_u128)b.hi * q <= at)
            fixed += b.hi;
        else
            scaled += b.shares;
    }
    return fixed * q + scaled * p <= (bl_u128)s->rest * q;
}

static void settle(struct search *s, uint32_t index, uint64_t value)
{
    BL_ASSERT(value <= s->rest);
    s->out[index] = value;
    s->rest -= value;
}

/* The right lambda is on one side of p/q: settle what that decides. */
static void prune(struct search *s, uint64_t p, uint64_t q, bool above)
{
    uint32_t kept = 0;

    for (uint32_t k = 0; k < s->active_count; k++) {
        uint32_t a = s->active[k];
        const uint32_t i = a & INDEX_MASK;
        const struct bounds b = bounds_of(&s->claim[i], s->alarm);
        const bl_u128 at = (bl_u128)p * b.shares;

        if (above && (a & HAS_HI) && (bl_u128)b.hi * q <= at) {
            settle(s, i, b.hi);
            continue;
        }
        if (!above && (a & HAS_LO) && (bl_u128)b.lo * q >= at) {
            settle(s, i, b.lo);
            continue;
        }
        if (above && (bl_u128)b.lo * q <= at)
            a &= ~HAS_LO;
        if (!above && (bl_u128)b.hi * q >= at)
            a &= ~HAS_HI;
        if (a & (HAS_LO | HAS_HI)) {
            s->active[kept++] = a;
        } else {
            s->out[i] = FREE;
            s->free_shares += b.shares;
        }
    }
    s->active_count = kept;
}

/* Clients between their bounds divide the rest; whole units by index. */
static void share_rest(struct search *s, uint32_t n)
{
    const uint64_t rest = s->rest, shares = s->free_shares;
    uint64_t given = 0;

    if (shares == 0) {
        BL_ASSERT(rest == 0);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (s->out[i] == FREE)
            given += bl_muldiv(rest, bounds_of(&s->claim[i], s->alarm).shares,
                               shares);

    uint64_t spare = rest - given;

    for (uint32_t i = 0; i < n; i++) {
        if (s->out[i] != FREE)
            continue;

        const bl_u128 part =
            (bl_u128)rest * bounds_of(&s->claim[i], s->alarm).shares;
        const bool fraction = part % shares != 0;

        s->out[i] = (uint64_t)(part / shares) + (spare > 0 && fraction);
        spare -= spare > 0 && fraction;
    }
    BL_ASSERT(spare == 0);
}

static void search_lambda(struct search *s, uint32_t n)
{
    struct bl_prng prng = { n };

    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&s->claim[i], s->alarm);

        if (b.lo == b.hi) /* also: shares 0 in an alarm */
            settle(s, i, b.lo);
        else
            s->active[s->active_count++] = i | HAS_LO | HAS_HI;
    }
    while (s->active_count > 0) {
        const uint64_t r = bl_prng_next(&prng);
        const uint32_t a = s->active[(r >> 1) % s->active_count];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);
        const bool use_hi = (a & HAS_HI) && (!(a & HAS_LO) || (r & 1));
        const uint64_t p = use_hi ? b.hi : b.lo;

        prune(s, p, b.shares, fits(s, p, b.shares));
    }
    share_rest(s, n);
}

/* What the arithmetic above needs so that nothing overflows 128 bits. */
static void check_limits(const struct bl_claim *claim, uint32_t n)
{
    bl_u128 shares = 0, reserved = 0, hi = 0;

    BL_ASSERT(n <= INDEX_MASK);
    for (uint32_t i = 0; i < n; i++) {
        BL_ASSERT(claim[i].shares > 0);
        BL_ASSERT(claim[i].reservation <= claim[i].limit);
        shares += claim[i].shares;
        reserved += claim[i].reservation;
        hi += claim_hi(&claim[i]);
    }
    BL_ASSERT(shares < SUM_MAX);
    BL_ASSERT(reserved < SUM_MAX);
    BL_ASSERT(hi < SUM_MAX);
}

enum bl_entitled bl_entitle(uint64_t capacity, const struct bl_claim *claim,
                            uint32_t n, uint64_t *out, uint32_t *scratch)
{
    uint64_t lo = 0, hi = 0;

    check_limits(claim, n);
    for (uint32_t i = 0; i < n; i++) {
        lo += claim_lo(&claim[i]);
        hi += out[i] = claim_hi(&claim[i]);
    }
    if (hi <= capacity)
        return BL_ENTITLED_ALL;

    struct search s = { .claim = claim,
                        .alarm = lo > capacity,
                        .out = out,
                        .active = scratch,
                        .rest = capacity };

    search_lambda(&s, n);
    return s.alarm ? BL_ENTITLED_RESERVED : BL_ENTITLED_SHARED;
}

struct fraction {
    uint64_t over, under; /* over / under */
};

static bool less(struct fraction a, struct fraction b)
{
    return (bl_u128)a.over * b.under < (bl_u128)b.over * a.under;
}

/* Whole units hide up to one of each client's exact part: lambda is above
 * (e - 1) / s of whoever is above their floor, and below (e + 1) / s of whoever
 * is below their ceiling. */
static void check_lambda(const struct bl_claim *claim, uint32_t n, bool alarm,
                         const uint64_t *out)
{
    struct fraction above = { 0, 1 }, below = { 1, 0 }; /* 0 and no bound */
    bool bounded = false;

    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&claim[i], alarm);

        if (out[i] > b.lo) {
            const struct fraction f = { out[i] - 1, b.shares };

            above = bounded && !less(above, f) ? above : f;
            bounded = true;
        }
        if (out[i] < b.hi) {
            const struct fraction f = { out[i] + 1, b.shares };

            below = less(f, below) ? f : below;
        }
    }
    BL_ASSERT(!bounded || less(above, below));
}

void bl_entitle_check(uint64_t capacity, const struct bl_claim *claim,
                      uint32_t n, const uint64_t *out)
{
    uint64_t lo = 0, hi = 0, sum = 0;

    check_limits(claim, n);
    for (uint32_t i = 0; i < n; i++) {
        lo += claim_lo(&claim[i]);
        hi += claim_hi(&claim[i]);
    }

    const bool alarm = lo > capacity;

    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&claim[i], alarm);

        BL_ASSERT(out[i] >= b.lo);
        BL_ASSERT(out[i] <= b.hi);
        sum += out[i];
    }
    BL_ASSERT(sum == (hi < capacity ? hi : capacity));
    check_lambda(claim, n, alarm, out);
}
