/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entitle - proportional shares between a floor and a ceiling, exactly.
 *
 * Source     DESIGN.md 5.1; the semantics of shares, reservation and limit of
 *            Waldspurger, OSDI 2002. The search is the prune-and-search of
 *            Megiddo for weighted medians (SIAM J. Comput. 1983), its first
 *            pivots from a sample as in Floyd and Rivest, "Expected time bounds
 *            for selection" (Comm. ACM 1975).
 * Idea       the sum of clamp(lambda * s, lo, hi) grows with lambda and bends
 *            at the 2n points lo/s and hi/s. Try one of them as a pivot: the
 *            sum there says on which side the right lambda lies, and every
 *            client whose bend is on the other side is settled for good. Where
 *            there are many clients, a sample of them says between which two
 *            lambdas the right one should be: one pass settles all but the few
 *            that bend there. A guess that is wrong costs time, no more.
 * Bound      sums to min(C, sum of hi) exactly; one lambda for all in between
 *            (bl_entitle_check; test_entitle compares with exact fractions).
 * Deviation  pivots come from a fixed random stream, so the cost is O(n)
 *            expected for every input, not in the worst case.
 * Cost       O(n) expected; one pass when nothing is short; three and a little
 *            for many clients (bench_entitle).
 */
#include "hv/entitle.h"

#include "base/prng.h"
#include "base/u128.h"

#include <stddef.h>

#define HAS_LO (UINT32_C(1) << 30)
#define HAS_HI (UINT32_C(1) << 31)
#define INDEX_MASK (HAS_LO - 1)
#define SUM_MAX (UINT64_C(1) << 63)

/* From MANY clients on a sample pays. The sum over a sample is off by about
 * the square root of its size times what one client differs from the mean; we
 * allow four times that, which with 1024 clients is an eighth of what they
 * differ together. */
enum { MANY = 8192, SAMPLE = 1024, SAMPLE_PART = 8 };

struct bounds {
    uint64_t lo, hi, shares;
};

struct fraction {
    uint64_t over, under; /* over / under */
};

static bool less(struct fraction a, struct fraction b)
{
    return (bl_u128)a.over * b.under < (bl_u128)b.over * a.under;
}

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
static inline struct bounds bounds_of(const struct bl_claim *c, bool alarm)
{
    if (alarm)
        return (struct bounds){ 0, claim_lo(c), c->reservation };
    return (struct bounds){ claim_lo(c), claim_hi(c), c->shares };
}

struct search {
    const struct bl_claim *claim;
    bool alarm;
    unsigned up;      /* all shares together, shifted by it, are below 2^64 */
    uint32_t *active; /* index | HAS_LO | HAS_HI: bounds not yet settled */
    uint32_t active_count;
    uint64_t rest;         /* capacity not given to settled clients */
    uint64_t free_shares;  /* of clients known to be between their bounds */
    struct fraction below; /* the largest lambda known to be within rest */
    struct bl_prng prng;
};

/* Is the sum of what all unsettled clients get at lambda @f within rest? */
static bool fits(const struct search *s, struct fraction f)
{
    bl_u128 fixed = 0, scaled = s->free_shares;

    for (uint32_t k = 0; k < s->active_count; k++) {
        const uint32_t a = s->active[k];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);
        const bl_u128 at = (bl_u128)f.over * b.shares;

        if ((a & HAS_LO) && (bl_u128)b.lo * f.under >= at)
            fixed += b.lo;
        else if ((a & HAS_HI) && (bl_u128)b.hi * f.under <= at)
            fixed += b.hi;
        else
            scaled += b.shares;
    }
    return fixed * f.under + scaled * f.over <= (bl_u128)s->rest * f.under;
}

static void settle(struct search *s, uint64_t value)
{
    BL_ASSERT(value <= s->rest);
    s->rest -= value;
}

/* The right lambda is on one side of @f: settle what that decides. */
static void prune(struct search *s, struct fraction f, bool above)
{
    uint32_t kept = 0;

    if (above && less(s->below, f))
        s->below = f;
    for (uint32_t k = 0; k < s->active_count; k++) {
        uint32_t a = s->active[k];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);
        const bl_u128 at = (bl_u128)f.over * b.shares;

        if (above && (a & HAS_HI) && (bl_u128)b.hi * f.under <= at) {
            settle(s, b.hi);
            continue;
        }
        if (!above && (a & HAS_LO) && (bl_u128)b.lo * f.under >= at) {
            settle(s, b.lo);
            continue;
        }
        if (above && (bl_u128)b.lo * f.under <= at)
            a &= ~HAS_LO;
        if (!above && (bl_u128)b.hi * f.under >= at)
            a &= ~HAS_HI;
        if (a & (HAS_LO | HAS_HI))
            s->active[kept++] = a;
        else
            s->free_shares += b.shares;
    }
    s->active_count = kept;
}

/* Random bends as pivots, until every client is settled or free. Returns the
 * right lambda; when nobody is free, one at which all have what they get. */
static struct fraction finish(struct search *s)
{
    while (s->active_count > 0) {
        const uint64_t r = bl_prng_next(&s->prng);
        const uint32_t a = s->active[(r >> 1) % s->active_count];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);
        const bool use_hi = (a & HAS_HI) && (!(a & HAS_LO) || (r & 1));
        const struct fraction f = { use_hi ? b.hi : b.lo, b.shares };

        prune(s, f, fits(s, f));
    }
    if (s->free_shares == 0)
        return s->below;
    return (struct fraction){ s->rest, s->free_shares };
}

/* ---- many clients: between two lambdas ------------------------------------
 */

/* lo <= lambda * 2^shift <= hi, presumably. With shift = 64 - s->up one half of
 * a product is the amount: (shares << up) * lo / 2^64. */
struct bracket {
    uint64_t lo, hi;
    unsigned shift;
};

static struct fraction bracket_end(const struct bracket *b, bool hi)
{
    return (struct fraction){ hi ? b->hi : b->lo, UINT64_C(1) << b->shift };
}

/* floor(f * 2^shift), or as much as 64 bits hold: a bracket that is wrong then
 * is found out like any other. */
static uint64_t fixed_point(struct fraction f, unsigned shift)
{
    const bl_u128 x = ((bl_u128)f.over << shift) / f.under;

    return x > UINT64_MAX ? UINT64_MAX : (uint64_t)x;
}

static struct bracket bracket_of(const struct search *s, struct fraction lo,
                                 struct fraction hi)
{
    const unsigned shift = 64 - s->up;
    const uint64_t end = fixed_point(hi, shift);

    return (struct bracket){ .lo = fixed_point(lo, shift),
                             .hi = end < UINT64_MAX ? end + 1 : end,
                             .shift = shift };
}

static inline uint64_t high_half(uint64_t a, uint64_t b)
{
    return (uint64_t)(((bl_u128)a * b) >> 64);
}

/* The search among some of the clients only, and how far off it may be. */
struct sample {
    struct search part;
    uint32_t list[SAMPLE];
    uint64_t floor; /* the least that they can get */
};

/* One of each SAMPLE-th part of @count clients: all of them are different, so
 * sums stay in range. */
static void draw_sample(struct search *s, uint32_t count, bool all,
                        struct sample *out)
{
    const uint32_t stride = count / SAMPLE;
    struct search *p = &out->part;

    *p = *s;
    p->active_count = 0;
    p->rest = bl_muldiv(s->rest, SAMPLE, count);
    p->free_shares = bl_muldiv(s->free_shares, SAMPLE, count);
    out->floor = 0;
    for (uint32_t k = 0; k < SAMPLE; k++) {
        const uint32_t i =
            k * stride + (uint32_t)bl_prng_below(&s->prng, stride);
        const uint32_t a = all ? i | HAS_LO | HAS_HI : s->active[i];
        const struct bounds b = bounds_of(&s->claim[a & INDEX_MASK], s->alarm);

        if (b.lo == b.hi) {
            p->rest -= min_u64(p->rest, b.lo);
            continue;
        }
        out->floor += (a & HAS_LO) ? b.lo : 0;
        out->list[p->active_count++] = a;
    }
}

/* The lambda that would be right if the sample had @rest. */
static struct fraction solve_sample(const struct sample *x, uint64_t rest)
{
    uint32_t active[SAMPLE];
    struct search s = x->part;

    for (uint32_t k = 0; k < s.active_count; k++)
        active[k] = x->list[k];
    s.active = active;
    s.rest = rest > x->floor ? rest : x->floor;
    return finish(&s);
}

/* What the clients of the sample differ from their mean at @f, all together. */
static uint64_t spread(const struct sample *x, struct fraction f)
{
    const uint32_t n = x->part.active_count;
    uint64_t got[SAMPLE], sum = 0, off = 0;

    for (uint32_t k = 0; k < n; k++) {
        const uint32_t i = x->list[k] & INDEX_MASK;
        const struct bounds b = bounds_of(&x->part.claim[i], x->part.alarm);
        const bl_u128 at = (bl_u128)f.over * b.shares / f.under;

        got[k] = at >= b.hi ? b.hi : at <= b.lo ? b.lo : (uint64_t)at;
        sum += got[k];
    }
    for (uint32_t k = 0; k < n; k++)
        off += got[k] > sum / n ? got[k] - sum / n : sum / n - got[k];
    return off;
}

static struct bracket guess(struct search *s, uint32_t count, bool all)
{
    struct sample x;

    draw_sample(s, count, all, &x);

    const uint64_t rest = x.part.rest;
    const uint64_t off = spread(&x, solve_sample(&x, rest)) / SAMPLE_PART;

    return bracket_of(s, solve_sample(&x, rest - min_u64(rest, off)),
                      solve_sample(&x, rest + off));
}

static void list_all(struct search *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&s->claim[i], s->alarm);

        if (b.lo == b.hi) /* also: shares 0 in an alarm */
            settle(s, b.lo);
        else
            s->active[s->active_count++] = i | HAS_LO | HAS_HI;
    }
}

/* Settles all clients but those that bend in @r. Without a branch: which of
 * the four cases a client is has no pattern. Returns false, and nothing has
 * changed, when the right lambda is not inside. */
static bool list_inside(struct search *s, uint32_t n, const struct bracket *r)
{
    const struct bl_claim *claim = s->claim;
    const struct bracket x = *r; /* in registers */
    const uint64_t rest = s->rest;
    const bool alarm = s->alarm;
    const unsigned up = s->up;
    uint32_t *active = s->active;
    uint64_t fixed = 0, shares = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&claim[i], alarm);
        const uint64_t lo = high_half(b.shares << up, x.lo);
        const uint64_t hi = high_half(b.shares << up, x.hi);
        const bool top = (b.hi <= lo) | (b.lo == b.hi);
        const bool bottom = (b.lo > hi) & !top;
        const bool between = (b.lo <= lo) & (b.hi > hi);

        fixed += (top ? b.hi : 0) + (bottom ? b.lo : 0);
        shares += between ? b.shares : 0;
        active[kept] = i | (uint32_t)(b.lo > lo) * HAS_LO |
                       (uint32_t)(b.hi <= hi) * HAS_HI;
        kept += !(top | bottom | between);
    }
    s->active_count = kept;
    s->free_shares = shares;
    s->rest = rest - fixed;
    s->below = bracket_end(r, false);
    if (fixed <= rest && fits(s, s->below) && !fits(s, bracket_end(r, true)))
        return true;
    *s = (struct search){ .claim = s->claim,
                          .alarm = s->alarm,
                          .up = s->up,
                          .active = s->active,
                          .rest = rest,
                          .below = { 0, 1 },
                          .prng = s->prng };
    return false;
}

/* Returns whether it went well enough to go on like that. */
static bool narrow(struct search *s)
{
    const uint32_t before = s->active_count;
    const struct bracket r = guess(s, before, false);
    const struct fraction lo = bracket_end(&r, false);
    const struct fraction hi = bracket_end(&r, true);

    prune(s, lo, fits(s, lo));
    prune(s, hi, fits(s, hi));
    return s->active_count < before / 2;
}

static struct fraction find_lambda(struct search *s, uint32_t n)
{
    bool listed = false;

    if (n >= MANY) {
        const struct bracket r = guess(s, n, true);

        listed = list_inside(s, n, &r);
    }
    if (!listed)
        list_all(s, n);
    while (s->active_count >= MANY && narrow(s)) {
    }
    return finish(s);
}

/* ---- from lambda to whole units
 * ------------------------------------------- */

/* floor(shares * f) and what is left, without a division for each client:
 * shares * part / 2^64 is less than one below the quotient's fraction. */
struct multiply {
    struct fraction f;
    uint64_t whole, left; /* f.over = whole * f.under + left */
    uint64_t part;        /* floor(2^64 * left / under) */
};

static inline uint64_t times(const struct multiply *m, uint64_t shares,
                             bool *fraction)
{
    uint64_t q = (uint64_t)(((bl_u128)shares * m->part) >> 64);
    uint64_t left = shares * m->left - q * m->f.under;
    const bool more = left >= m->f.under;
    bl_u128 all;

    q += more;
    left -= more ? m->f.under : 0;
    *fraction = left != 0;
    all = (bl_u128)shares * m->whole + q;
    return all >> 64 != 0 ? UINT64_MAX : (uint64_t)all;
}

/* One unit each for the first @spare clients whose bit is set. */
static void hand_out(uint64_t spare, const uint32_t *bits, uint32_t n,
                     uint64_t *out)
{
    for (uint32_t i = 0; i < n && spare > 0; i += 32) {
        for (uint32_t w = bits[i / 32]; w != 0 && spare > 0; w &= w - 1) {
            out[i + (uint32_t)__builtin_ctz(w)]++;
            spare--;
        }
    }
    BL_ASSERT(spare == 0);
}

/* Everyone what @f says, rounded down; then whole units by index. @bits says
 * whose part is no whole number. */
static void share_out(const struct search *s, struct fraction f,
                      uint64_t capacity, uint32_t n, uint64_t *out)
{
    uint32_t *bits = s->active; /* nobody is active any more */
    const struct multiply m = {
        .f = f,
        .whole = f.over / f.under,
        .left = f.over % f.under,
        .part = (uint64_t)(((bl_u128)(f.over % f.under) << 64) / f.under),
    };
    uint64_t given = 0;

    for (uint32_t i = 0; i < n; i += 32) {
        const uint32_t end = n - i < 32 ? n - i : 32;
        uint32_t word = 0;

        for (uint32_t k = 0; k < end; k++) {
            const struct bounds b = bounds_of(&s->claim[i + k], s->alarm);
            bool fraction;
            const uint64_t at = times(&m, b.shares, &fraction);
            const bool free = (at >= b.lo) & (at < b.hi);
            const uint64_t bound = at < b.lo ? b.lo : b.hi;

            out[i + k] = free ? at : bound;
            given += out[i + k];
            word |= (uint32_t)(free & fraction) << k;
        }
        bits[i / 32] = word;
    }
    BL_ASSERT(given <= capacity);
    hand_out(capacity - given, bits, n, out);
}

/* ---- the whole
 * ------------------------------------------------------------ */

struct sums {
    uint64_t lo, hi, shares, reserved;
};

/* And everything that the arithmetic above needs so that nothing overflows 128
 * bits. A sum that leaves its range does so by one addend: the top bit of that
 * addend or of the sum tells. @out may be NULL. */
static struct sums sum_up(const struct bl_claim *claim, uint32_t n,
                          uint64_t *out)
{
    uint64_t shares = 0, reserved = 0, top = 0;
    struct sums sum = { 0, 0, 0, 0 };
    bool crossed = false, none = false;

    BL_ASSERT(n <= INDEX_MASK);
    for (uint32_t i = 0; i < n; i++) {
        const struct bl_claim c = claim[i];
        const uint64_t hi = claim_hi(&c);

        none |= c.shares == 0;
        crossed |= c.reservation > c.limit;
        shares += c.shares;
        reserved += c.reservation;
        sum.lo += claim_lo(&c);
        sum.hi += hi;
        top |= c.shares | c.reservation | hi | shares | reserved | sum.hi;
        if (out != NULL)
            out[i] = hi;
    }
    BL_ASSERT(!none);
    BL_ASSERT(!crossed);
    BL_ASSERT(top < SUM_MAX);
    sum.shares = shares;
    sum.reserved = reserved;
    return sum;
}

static unsigned spare_bits(uint64_t x)
{
    return x > 0 ? (unsigned)__builtin_clzll(x) : 1;
}

enum bl_entitled bl_entitle(uint64_t capacity, const struct bl_claim *claim,
                            uint32_t n, uint64_t *out, uint32_t *scratch)
{
    const struct sums sum = sum_up(claim, n, out);

    if (sum.hi <= capacity)
        return BL_ENTITLED_ALL;

    const bool alarm = sum.lo > capacity;
    struct search s = { .claim = claim,
                        .alarm = alarm,
                        .up = spare_bits(alarm ? sum.reserved : sum.shares),
                        .active = scratch,
                        .rest = capacity,
                        .below = { 0, 1 },
                        .prng = { n } };

    share_out(&s, find_lambda(&s, n), capacity, n, out);
    return s.alarm ? BL_ENTITLED_RESERVED : BL_ENTITLED_SHARED;
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
    const struct sums all = sum_up(claim, n, NULL);
    const bool alarm = all.lo > capacity;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct bounds b = bounds_of(&claim[i], alarm);

        BL_ASSERT(out[i] >= b.lo);
        BL_ASSERT(out[i] <= b.hi);
        sum += out[i];
    }
    BL_ASSERT(sum == min_u64(all.hi, capacity));
    check_lambda(claim, n, alarm, out);
}
