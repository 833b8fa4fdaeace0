/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cap - what a host may do under a power budget, the budget that work
 * needs, and a budget divided among hosts.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/u128.h"
#include "power/cap.h"
#include "power/cap_divide.h"
#include "power/catalog.h"
#include "power/dvfs.h"

#include <string.h>

#define GHZ UINT64_C(1000000)
#define N 12u

/* Idle 20 W; full 60, 44, 33 and 24 W at 2, 1.6, 1.2 and 0.8 GHz; 4 cores. */
static struct bl_freq four_speeds(void)
{
    static const uint64_t khz[] = { 2000000, 1600000, 1200000, 800000 };
    static const uint32_t full[] = { 60000, 44000, 33000, 24000 };
    struct bl_freq f = { .pstate_count = 4, .domain_count = 1 };

    for (uint32_t i = 0; i < 4; i++) {
        f.pstate[i].khz = khz[i];
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
            f.pstate[i].mw[k] = 20000 + (full[i] - 20000) * k / 10;
    }
    return f;
}

/* ---- the example -------------------------------------------------------- */

static void test_frequency_first_then_bandwidth(void **state)
{
    const struct bl_freq f = four_speeds();
    struct bl_cap_ceiling c = bl_cap_ceiling(&f, 4, 50000);

    (void)state;
    assert_true(c.feasible);
    assert_int_equal(c.fastest, 1);
    assert_int_equal(c.bandwidth_ppm, 1000000);
    assert_int_equal(c.khz, 4 * UINT64_C(1600000));
    assert_int_equal(c.full_mw, 44000);
    /* 23 W: three quarters of the slowest one's way from 20 to 24 */
    c = bl_cap_ceiling(&f, 4, 23000);
    assert_true(c.feasible);
    assert_int_equal(c.fastest, 3);
    assert_int_equal(c.bandwidth_ppm, 750000);
    assert_int_equal(c.khz, 4 * UINT64_C(600000));
    assert_int_equal(c.full_mw, 23000);
    c = bl_cap_ceiling(&f, 4, BL_NO_CAP);
    assert_true(c.feasible && c.fastest == 0 && c.khz == 4 * UINT64_C(2000000));
}

static void test_below_idle(void **state)
{
    const struct bl_freq f = four_speeds();
    const struct bl_cap_ceiling c = bl_cap_ceiling(&f, 4, 19999);

    (void)state;
    assert_false(c.feasible);
    assert_int_equal(c.fastest, 3);
    assert_int_equal(c.bandwidth_ppm, 0);
    assert_int_equal(c.khz, 0);
    assert_int_equal(c.full_mw, 20000);
    assert_true(bl_cap_ceiling(&f, 4, 20000).feasible);
}

static void test_budget_for_work(void **state)
{
    const struct bl_freq f = four_speeds();

    (void)state;
    assert_int_equal(bl_cap_budget_for(&f, 4, 0), 20000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 4 * UINT64_C(600000)), 23000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 4 * UINT64_C(800000)), 24000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 4 * UINT64_C(800000) + 1), 33000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 8 * GHZ), 60000);
    assert_true(bl_cap_budget_for(&f, 4, 8 * GHZ + 1) == UINT64_MAX);
}

/* Cores that have just stopped draw 1 W each: with 0.5 W to spare a host may
 * not work at all; with all four idle after work it may draw 24 W. */
static void test_idle_states_count(void **state)
{
    struct bl_freq f = four_speeds();

    (void)state;
    f.idle_count = 2;
    f.idle[0].extra_mw = 2000;
    f.idle[1].after_ns = 1000;
    bl_freq_check(&f, 4);
    /* any load of the slowest may draw 28 W: 20, and 2 for each core */
    assert_int_equal(bl_cap_ceiling(&f, 4, 27999).khz, 0);
    assert_int_equal(bl_cap_ceiling(&f, 4, 27999).full_mw, 20000);
    assert_true(bl_cap_ceiling(&f, 4, 27999).feasible);
    assert_int_equal(bl_cap_ceiling(&f, 4, 28000).bandwidth_ppm, 1000000);
    assert_int_equal(bl_cap_ceiling(&f, 4, 28000).full_mw, 28000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 1), 28000);
    assert_int_equal(bl_cap_budget_for(&f, 4, 4 * UINT64_C(1200000)), 33000);
}

/* ---- brute force -------------------------------------------------------- */

/* Steep here and flat there, as measured ones; sometimes with idle states, and
 * sometimes a slower P-state draws more. */
static void random_freq(struct bl_prng *p, struct bl_freq *f)
{
    uint64_t khz = 1000000 + bl_prng_below(p, 3000000);
    const uint32_t base = (uint32_t)bl_prng_below(p, 50000);

    *f = (struct bl_freq){ .domain_count = 1 };
    f->pstate_count = (uint32_t)(1 + bl_prng_below(p, 6));
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        uint32_t mw = base;

        f->pstate[i].khz = khz;
        khz -= 1 + bl_prng_below(p, 150000);
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            f->pstate[i].mw[k] = mw;
            if (bl_prng_below(p, 3) > 0)
                mw += (uint32_t)bl_prng_below(p, 20000) / (i + 1);
        }
    }
    if (bl_prng_below(p, 2) > 0)
        return;
    f->idle_count = 2;
    f->idle[0].extra_mw = (uint32_t)(1 + bl_prng_below(p, 4000));
    f->idle[1].after_ns = 5;
}

/* 10^6 times the mW at @ppm of P-state @i, with idle cores as costly as can be:
 * the plain line, in exact integers. */
static bl_u128 draw(const struct bl_freq *f, uint32_t cores, uint32_t i,
                    uint32_t ppm)
{
    const uint32_t k = ppm / 100000, part = ppm % 100000;
    const uint32_t *mw = f->pstate[i].mw;
    const uint64_t extra =
        f->idle_count > 0 && ppm > 0 ? f->idle[0].extra_mw : 0;
    bl_u128 d = (bl_u128)mw[k] * (100000 - part) * 10;

    if (part > 0)
        d += (bl_u128)mw[k + 1] * part * 10;
    return d + (bl_u128)extra * cores * (1000000 - ppm);
}

/* Is everything that a host may do within @budget? Loads: the corners of the
 * line, and random ones. */
static bool within(const struct bl_freq *f, uint32_t cores, uint32_t i,
                   uint32_t ppm, uint64_t budget)
{
    const bl_u128 most = (bl_u128)budget * 1000000;

    if (draw(f, cores, i, 0) > most || draw(f, cores, i, ppm) > most)
        return false;
    if (ppm > 0 && draw(f, cores, i, 1) > most)
        return false;
    for (uint32_t x = 100000; x < ppm; x += 100000)
        if (draw(f, cores, i, x) > most)
            return false;
    return true;
}

/* With P-state @i, all slower ones are allowed too. */
static bool all_within(const struct bl_freq *f, uint32_t cores, uint32_t i,
                       uint64_t budget)
{
    for (; i < f->pstate_count; i++)
        if (!within(f, cores, i, 1000000, budget))
            return false;
    return true;
}

static void check_ceiling(const struct bl_freq *f, uint32_t cores,
                          uint64_t budget, const struct bl_cap_ceiling *c)
{
    const uint32_t last = f->pstate_count - 1;

    assert_int_equal(c->feasible, f->pstate[last].mw[0] <= budget);
    assert_int_equal(c->khz, f->pstate[c->fastest].khz * cores *
                                 c->bandwidth_ppm / 1000000);
    if (!c->feasible) {
        assert_true(c->full_mw >= f->pstate[last].mw[0]);
        return;
    }
    assert_true(c->full_mw <= budget);
    if (c->bandwidth_ppm < 1000000) {
        assert_int_equal(c->fastest, last);
        assert_true(within(f, cores, last, c->bandwidth_ppm, budget));
        assert_false(within(f, cores, last, c->bandwidth_ppm + 1, budget));
        return;
    }
    assert_true(all_within(f, cores, c->fastest, budget));
    assert_true(all_within(f, cores, c->fastest, c->full_mw));
    if (c->full_mw > 0)
        assert_false(all_within(f, cores, c->fastest, c->full_mw - 1));
    if (c->fastest > 0)
        assert_false(all_within(f, cores, c->fastest - 1, budget));
}

static void test_ceilings(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 1);
    struct bl_freq f;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const uint32_t cores = (uint32_t)(1 + bl_prng_below(&p, 16));

        random_freq(&p, &f);

        const uint32_t base = f.pstate[0].mw[0];
        const uint64_t budget =
            base + bl_prng_below(&p, 200000) - bl_prng_below(&p, base + 1);
        const struct bl_cap_ceiling c = bl_cap_ceiling(&f, cores, budget);

        check_ceiling(&f, cores, budget, &c);
    }
}

/* The least: one mW less, and it is not there. */
/* Half of the cores all the time, or all for half of it, or any two loads. */
static void test_whenever_it_is_done(void **state)
{
    struct bl_prng p = { test_seed() };
    struct bl_freq f;

    (void)state;
    for (uint32_t n = 0; n < 300; n++) {
        const uint32_t cores = 1 + (uint32_t)bl_prng_below(&p, 16);
        uint64_t budget, khz, all;
        uint32_t last;

        random_freq(&p, &f);
        last = f.pstate_count - 1;
        all = f.pstate[last].khz * cores;
        budget = f.pstate[last].mw[0] + bl_prng_below(&p, 100000);
        khz = bl_cap_sure_khz(&f, cores, budget);
        assert_true(khz <= bl_cap_ceiling(&f, cores, budget).khz);
        assert_true(bl_cap_sure_budget(&f, cores, khz) <= budget + 1);
        if (bl_cap_ceiling(&f, cores, budget).bandwidth_ppm == 1000000)
            continue;
        for (uint32_t i = 0; i < 100; i++) {
            const uint64_t a = bl_prng_below(&p, 1000001);
            const uint64_t b = bl_prng_below(&p, 1000001);
            const uint64_t part = bl_prng_below(&p, 1001);
            const bl_u128 mw =
                (bl_u128)draw(&f, cores, last, (uint32_t)a) * part +
                (bl_u128)draw(&f, cores, last, (uint32_t)b) * (1000 - part);
            const uint64_t done = (a * part + b * (1000 - part)) / 1000;

            if (done < khz * 1000000 / all && done > 0)
                assert_true(mw <= ((bl_u128)budget + 1) * 1000000 * 1000);
        }
        if (khz > 0) /* and no less */
            assert_true(bl_cap_sure_budget(
                            &f, cores, khz + khz / 1000 + all / 1000) > budget);
    }
}

static void test_budgets(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 2);
    struct bl_freq f;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const uint32_t cores = (uint32_t)(1 + bl_prng_below(&p, 16));
        uint64_t khz, mw;

        random_freq(&p, &f);
        khz = bl_prng_below(&p, f.pstate[0].khz * cores + 1);
        if (bl_prng_below(&p, 3) == 0)
            khz %= f.pstate[f.pstate_count - 1].khz;
        mw = bl_cap_budget_for(&f, cores, khz);
        assert_true(bl_cap_ceiling(&f, cores, mw).feasible);
        assert_true(bl_cap_ceiling(&f, cores, mw).khz >= khz);
        if (mw > f.pstate[f.pstate_count - 1].mw[0])
            assert_true(bl_cap_ceiling(&f, cores, mw - 1).khz < khz);
        assert_true(bl_cap_budget_for(&f, cores, f.pstate[0].khz * cores + 1) ==
                    UINT64_MAX);
    }
}

/* ---- division ----------------------------------------------------------- */

static struct bl_cap_division divide(uint64_t budget,
                                     const struct bl_cap_member *m, uint32_t n,
                                     uint64_t *out)
{
    struct bl_claim claim[N];
    uint32_t scratch[N];

    return bl_cap_divide(budget, m, n, out, claim, scratch);
}

/* Two hosts, idle 20 W each and 60 W at the most; shares 3 and 1. */
static void test_shares_divide_what_is_above_idle(void **state)
{
    const struct bl_freq f = four_speeds();
    const struct bl_cap_member m[] = {
        { &f, 4, 0, 3000, 0, 8 * GHZ },
        { &f, 4, 0, 1000, 0, 8 * GHZ },
    };
    uint64_t mw[2];
    const struct bl_cap_division d = divide(80000, m, 2, mw);

    (void)state;
    assert_int_equal(d.entitled, BL_ENTITLED_SHARED);
    assert_int_equal(d.short_mw, 0);
    assert_int_equal(mw[0], 50000);
    assert_int_equal(mw[1], 30000);
}

static void test_reservations_come_first(void **state)
{
    const struct bl_freq f = four_speeds();
    struct bl_cap_member m[] = {
        { &f, 4, 0, 3000, 0, 8 * GHZ },
        { &f, 4, 0, 1000, 4 * UINT64_C(1200000),
          0 }, /* and nobody demands it now */
    };
    uint64_t mw[2];
    struct bl_cap_division d = divide(70000, m, 2, mw);

    (void)state;
    assert_int_equal(mw[0], 37000);
    assert_int_equal(mw[1], 33000);
    /* 20 + 20 idle, 13 for the reservation: 53 W, and one mW is missing */
    d = divide(52999, m, 2, mw);
    assert_int_equal(d.entitled, BL_ENTITLED_RESERVED);
    assert_int_equal(d.short_mw, 1);
    assert_int_equal(mw[0], 20000);
    assert_int_equal(mw[1], 32999);
    /* not even idle: everybody draws that all the same */
    d = divide(30000, m, 2, mw);
    assert_int_equal(d.entitled, BL_ENTITLED_RESERVED);
    assert_int_equal(d.short_mw, 23000);
    assert_true(mw[0] == 20000 && mw[1] == 20000);
    /* all that it has is the most that can be reserved of it */
    m[1].reserved_khz = UINT64_MAX;
    assert_int_equal(divide(200000, m, 2, mw).short_mw, 0);
    assert_int_equal(mw[1], 60000);
}

static void test_what_is_left_over_is_lent(void **state)
{
    const struct bl_freq f = four_speeds();
    const struct bl_cap_member m[] = {
        { &f, 4, 0, 1000, 0, 0 },
        { &f, 4, 0, 1000, 0, 4 * UINT64_C(800000) },
        { NULL, 0, 5000, 0, 0, 0 }, /* asleep */
    };
    uint64_t mw[3];

    (void)state;
    assert_int_equal(divide(65000, m, 3, mw).entitled, BL_ENTITLED_ALL);
    assert_int_equal(mw[0] + mw[1] + mw[2], 65000);
    assert_int_equal(mw[0], 30000);
    assert_int_equal(mw[1], 30000);
    assert_int_equal(mw[2], 5000);
    divide(1000000, m, 3, mw); /* no one can draw more than all */
    assert_true(mw[0] == 60000 && mw[1] == 60000 && mw[2] == 5000);
}

struct rack {
    struct bl_freq freq[N];
    struct bl_cap_member member[N];
    uint32_t n;
    uint64_t idle, most;      /* of all */
    uint64_t reserved, asked; /* mW of all: reservations; with demand */
};

static void random_rack(struct bl_prng *p, struct rack *r)
{
    r->n = (uint32_t)(1 + bl_prng_below(p, N));
    r->idle = r->most = r->reserved = r->asked = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        struct bl_cap_member *m = &r->member[i];
        const uint32_t cores = (uint32_t)(1 + bl_prng_below(p, 16));
        uint64_t all, lo, hi;

        random_freq(p, &r->freq[i]);
        all = r->freq[i].pstate[0].khz * cores;
        *m = (struct bl_cap_member){
            .freq = &r->freq[i],
            .core_count = cores,
            .shares = bl_prng_below(p, 5000),
            .reserved_khz =
                bl_prng_below(p, 2) > 0 ? 0 : bl_prng_below(p, all / 2),
            .demand_khz = bl_prng_below(p, all + all / 4),
        };
        if (bl_prng_below(p, 8) == 0)
            *m = (struct bl_cap_member){ .fixed_mw = bl_prng_below(p, 9000) };
        if (m->freq == NULL) {
            r->idle += m->fixed_mw;
            r->most += m->fixed_mw;
            r->reserved += m->fixed_mw;
            r->asked += m->fixed_mw;
            continue;
        }
        lo = bl_cap_budget_for(m->freq, cores, m->reserved_khz);
        hi = bl_cap_budget_for(m->freq, cores,
                               m->demand_khz < all ? m->demand_khz : all);
        r->idle += r->freq[i].pstate[r->freq[i].pstate_count - 1].mw[0];
        r->most += bl_cap_budget_for(m->freq, cores, all);
        r->reserved += lo;
        r->asked += hi > lo ? hi : lo;
    }
}

static void check_division(const struct rack *r, uint64_t budget,
                           const struct bl_cap_division *d, const uint64_t *mw)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->n; i++)
        sum += mw[i];
    if (budget < r->idle) {
        assert_int_equal(sum, r->idle);
    } else {
        assert_int_equal(sum, d->entitled == BL_ENTITLED_RESERVED ? budget
                              : budget < r->most                  ? budget
                                                                  : r->most);
    }
    assert_int_equal(d->entitled, budget < r->reserved ? BL_ENTITLED_RESERVED
                                  : budget < r->asked  ? BL_ENTITLED_SHARED
                                                       : BL_ENTITLED_ALL);
    assert_int_equal(d->short_mw,
                     budget < r->reserved ? r->reserved - budget : 0);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct bl_cap_member *m = &r->member[i];
        struct bl_cap_ceiling c;

        if (m->freq == NULL) {
            assert_int_equal(mw[i], m->fixed_mw);
            continue;
        }
        c = bl_cap_ceiling(m->freq, m->core_count, mw[i]);
        assert_true(c.feasible);
        if (budget >= r->reserved)
            assert_true(c.khz >= m->reserved_khz);
        if (budget >= r->asked && c.khz < m->demand_khz)
            assert_int_equal(c.khz, m->freq->pstate[0].khz * m->core_count);
    }
}

static void test_divisions(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 3);
    struct rack r;
    uint64_t mw[N];

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct bl_cap_division d;
        uint64_t budget;

        random_rack(&p, &r);
        budget = bl_prng_below(&p, r.most + r.most / 4 + 2);
        d = divide(budget, r.member, r.n, mw);
        check_division(&r, budget, &d, mw);
    }
}

/* ---- loads that are not even
 * -------------------------------------------- */

/* 10 W idle, 11 W half busy, 20 W full. A quarter of the load is 10.5 W where
 * one of four cores works all the time, and 12.5 W where all four work for a
 * quarter of it. */
static void test_uneven_by_hand(void **state)
{
    static const uint32_t bent[] = { 10000, 10200, 10400, 10600, 10800, 11000,
                                     12800, 14600, 16400, 18200, 20000 };
    struct bl_freq f = { .pstate_count = 1, .domain_count = 1 }, u;

    (void)state;
    f.pstate[0].khz = 1000000;
    memcpy(f.pstate[0].mw, bent, sizeof(bent));
    bl_cap_uneven(&u, &f);
    for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
        assert_int_equal(u.pstate[0].mw[k], 10000 + 1000 * k);
    assert_int_equal(bl_cap_ceiling(&f, 4, 11000).bandwidth_ppm, 500000);
    assert_int_equal(bl_cap_ceiling(&u, 4, 11000).bandwidth_ppm, 100000);
}

/* No mixture of two loads draws more, and some draws as much. */
static void test_uneven(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 7);

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct bl_freq f = { .pstate_count = 1, .domain_count = 1 }, u;
        uint32_t mw = (uint32_t)bl_prng_below(&p, 1000);

        f.pstate[0].khz = 1000000;
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            f.pstate[0].mw[k] = mw;
            mw += (uint32_t)bl_prng_below(&p, 500);
        }
        bl_cap_uneven(&u, &f);
        bl_freq_check(&u, 1);
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            double most = f.pstate[0].mw[k];

            for (uint32_t a = 0; a < k; a++)
                for (uint32_t b = k + 1; b < BL_POWER_POINTS; b++) {
                    const double part = (double)(k - a) / (b - a);
                    const double w = f.pstate[0].mw[a] * (1 - part) +
                                     f.pstate[0].mw[b] * part;

                    most = w > most ? w : most;
                }
            assert_true(u.pstate[0].mw[k] > most - 1e-6);
            assert_true(u.pstate[0].mw[k] < most + 1 + 1e-6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequency_first_then_bandwidth),
        cmocka_unit_test(test_below_idle),
        cmocka_unit_test(test_budget_for_work),
        cmocka_unit_test(test_idle_states_count),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_whenever_it_is_done),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_shares_divide_what_is_above_idle),
        cmocka_unit_test(test_reservations_come_first),
        cmocka_unit_test(test_what_is_left_over_is_lent),
        cmocka_unit_test(test_divisions),
        cmocka_unit_test(test_uneven_by_hand),
        cmocka_unit_test(test_uneven),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
