/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest - draws of times, and what every program of a vCPU keeps.
 *
 * Source     inversion: with U uniform in (0, 1], -ln U is exponential with
 *            mean 1 (Devroye, Non-Uniform Random Variate Generation, 1986,
 *            II.2); ln m = 2 artanh((m - 1) / (m + 1)) and the series of
 *            artanh.
 * Idea       integers throughout, for the same draw everywhere; no table that
 *            could be wrong. U = u / 2^64 with u in 1 .. 2^64 is a power of two
 *            and an m between sqrt 1/2 and sqrt 2, where ten terms are enough.
 * Bound      -ln U is at most 2^-50 off and at most 64 ln 2 = 44.4 (test_guest
 *            compares with figures computed to 60 digits elsewhere); moments of
 *            1e6 draws within five standard errors (test_guest).
 * Deviation  a draw is a whole number of ns, rounded to the nearest.
 * Cost       an exponential draw is a division and a dozen products; no memory.
 */
#include "hv/guest.h"

#include "base/u128.h"

#include <stddef.h>

#define PPM_FULL 1000000u
#define X_DIGITS 57 /* of -ln U, behind the point: 44.4 has 6 before it */
#define Z_DIGITS 62 /* of what is at most 1 */
#define M_DIGITS 61 /* of what is less than 4 */

/* ln 2 = 0.b17217f7d1cf79abc9e3b39... (hexadecimal), rounded down */
#define LN2 (UINT64_C(0xb17217f7d1cf79ab) >> (64 - X_DIGITS))
#define SQRT2 (UINT64_C(0xb504f333f9de6484) >> (63 - M_DIGITS))

static const char *const guest_name[BL_GUEST_COUNT] = {
#define BL_GUEST_TEXT(name, text, help) [BL_GUEST_##name] = (text),
    BL_GUEST_MAP(BL_GUEST_TEXT)
#undef BL_GUEST_TEXT
};

static const char *const guest_help[BL_GUEST_COUNT] = {
#define BL_GUEST_TEXT(name, text, help) [BL_GUEST_##name] = (help),
    BL_GUEST_MAP(BL_GUEST_TEXT)
#undef BL_GUEST_TEXT
};

const char *bl_guest_name(enum bl_guest_kind k)
{
    BL_ASSERT((unsigned)k < BL_GUEST_COUNT);
    return guest_name[k];
}

const char *bl_guest_help(enum bl_guest_kind k)
{
    BL_ASSERT((unsigned)k < BL_GUEST_COUNT);
    return guest_help[k];
}

/* ---- distributions ------------------------------------------------------ */

/* 2 artanh(num / den), X_DIGITS behind the point; num / den <= 0.172. */
static uint64_t twice_artanh(uint64_t num, uint64_t den)
{
#define TERM(k) ((UINT64_C(1) << Z_DIGITS) / (2 * (k) + 1))
    static const uint64_t term[] = { TERM(9), TERM(8), TERM(7), TERM(6),
                                     TERM(5), TERM(4), TERM(3), TERM(2),
                                     TERM(1), TERM(0) };
#undef TERM
    const uint64_t z = (uint64_t)(((bl_u128)num << Z_DIGITS) / den);
    const uint64_t square = (uint64_t)((bl_u128)z * z >> Z_DIGITS);
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof(term) / sizeof(term[0]); i++)
        sum = term[i] + (uint64_t)((bl_u128)sum * square >> Z_DIGITS);
    return (uint64_t)((bl_u128)z * sum >> (2 * Z_DIGITS - X_DIGITS - 1));
}

/* -ln(@u / 2^64), X_DIGITS behind the point; 0 stands for 2^64. */
static uint64_t minus_ln(uint64_t u)
{
    const uint64_t one = UINT64_C(1) << M_DIGITS;
    uint64_t halvings, m;

    if (u == 0)
        return 0;
    halvings = (uint64_t)__builtin_clzll(u); /* u = m * 2^(63 - halvings) */
    m = u << halvings >> (63 - M_DIGITS);
    if (m > SQRT2) /* m / 2, and one halving less to come */
        return halvings * LN2 + twice_artanh(2 * one - m, 2 * one + m);
    return (halvings + 1) * LN2 - twice_artanh(m - one, m + one);
}

static void check_dist(const struct bl_dist *d)
{
    BL_ASSERT((unsigned)d->kind <= BL_DIST_EXPONENTIAL);
    BL_ASSERT(d->mean_ns >= 0);
    BL_ASSERT(d->mean_ns <= BL_GUEST_NS_MAX);
    BL_ASSERT(d->kind != BL_DIST_UNIFORM || d->spread_ppm <= PPM_FULL);
}

int64_t bl_dist_draw(const struct bl_dist *d, struct bl_prng *p)
{
    const uint64_t mean = (uint64_t)d->mean_ns;

    check_dist(d);
    if (d->kind == BL_DIST_UNIFORM) {
        const uint64_t half = bl_muldiv(mean, d->spread_ppm, PPM_FULL);

        return (int64_t)(mean - half + bl_prng_below(p, 2 * half + 1));
    }
    if (d->kind == BL_DIST_EXPONENTIAL) {
        const uint64_t x = minus_ln(bl_prng_next(p) + 1);
        const uint64_t rounding = UINT64_C(1) << (X_DIGITS - 1);

        return (int64_t)(((bl_u128)x * mean + rounding) >> X_DIGITS);
    }
    return d->mean_ns;
}

/* ---- programs ----------------------------------------------------------- */

static bool takes_time(const struct bl_op *op)
{
    switch (op->kind) {
    case BL_OP_RUN:
    case BL_OP_SLEEP:
    case BL_OP_TIMER:
        return op->time.mean_ns > 0;
    case BL_OP_BARRIER:
    case BL_OP_SUSPEND:
    case BL_OP_REQUEST:
        return true;
    case BL_OP_LOCK:
    case BL_OP_UNLOCK:
    case BL_OP_RESUME:
    case BL_OP_UNIT:
    case BL_OP_LOOP:
    case BL_OP_END:
    case BL_OP_COUNT:
        break;
    }
    return false;
}

static bool has_object(const struct bl_op *op)
{
    return op->kind == BL_OP_LOCK || op->kind == BL_OP_UNLOCK ||
           op->kind == BL_OP_SUSPEND || op->kind == BL_OP_RESUME;
}

/* A loop goes through all between its target and itself, so the last operation
 * that takes time tells whether it does. */
void bl_program_check(const struct bl_program *p)
{
    bool any = false;
    uint32_t last = 0;

    BL_ASSERT(p->op != NULL);
    BL_ASSERT(p->count >= 1);
    BL_ASSERT(p->count <= BL_GUEST_OPS_MAX);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct bl_op *op = &p->op[i];

        BL_ASSERT((unsigned)op->kind < BL_OP_COUNT);
        if (op->kind == BL_OP_RUN || op->kind == BL_OP_SLEEP ||
            op->kind == BL_OP_TIMER)
            check_dist(&op->time);
        BL_ASSERT(op->kind != BL_OP_TIMER || op->count <= 1);
        BL_ASSERT(!has_object(op) || op->object < BL_GUEST_OBJECTS_MAX);
        if (takes_time(op)) {
            any = true;
            last = i;
        }
        if (op->kind == BL_OP_LOOP) {
            BL_ASSERT(op->target < i);
            BL_ASSERT(any && last >= op->target);
        }
    }
}
