/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cap_plan - the least power for work that may be anywhere: an example
 * worked out by hand, then all ways to spread it over a few small hosts.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "power/cap.h"
#include "power/cap_plan.h"

#define HOSTS 3u
#define KINDS 2u

/* 2 cores: 10 W idle, 20 W at 1 GHz, 60 W at 2 GHz. */
static struct bl_freq two_speeds(void)
{
    struct bl_freq f = { .pstate_count = 2, .domain_count = 1 };

    f.pstate[0].khz = 2000000;
    f.pstate[1].khz = 1000000;
    for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
        f.pstate[0].mw[k] = 10000 + 5000 * k;
        f.pstate[1].mw[k] = 10000 + 1000 * k;
    }
    return f;
}

/* Ten hosts idle draw 100 W. 15 GHz come at 5 W for each GHz; the slowest
 * P-state has 20 of them; then one GHz is 20 W. */
static void test_ten_hosts(void **state)
{
    const struct bl_freq f = two_speeds();
    const struct bl_cap_kind k = { &f, 2, 10 };

    (void)state;
    assert_int_equal(bl_cap_idle_mw(&k, 1), 100000);
    assert_int_equal(bl_cap_least_mw(&k, 1, 0), 100000);
    assert_int_equal(bl_cap_least_mw(&k, 1, 15000000), 175000);
    assert_int_equal(bl_cap_least_mw(&k, 1, 20000000), 200000);
    assert_int_equal(bl_cap_least_mw(&k, 1, 25000000), 300000);
    assert_int_equal(bl_cap_least_mw(&k, 1, 40000000), 600000);
    assert_true(bl_cap_least_mw(&k, 1, 40000001) == UINT64_MAX);
    assert_true(bl_cap_least_mw(&k, 1, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(bl_cap_most_khz(&k, 1, 99999), 0);
    assert_int_equal(bl_cap_most_khz(&k, 1, 600000), 40000000);
    assert_int_equal(bl_cap_most_khz(&k, 1, UINT64_MAX), 40000000);
    assert_in_range(bl_cap_most_khz(&k, 1, 175000), 15000000, 15000001);
    expect_assert_failure(bl_cap_least_mw(&k, BL_CAP_KINDS_MAX + 1, 1));
}

static void random_freq(struct bl_prng *p, struct bl_freq *f)
{
    uint64_t khz = 100 + bl_prng_below(p, 900);

    *f = (struct bl_freq){ .domain_count = 1 };
    f->pstate_count = (uint32_t)(1 + bl_prng_below(p, 3));
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        uint32_t mw = 500;

        f->pstate[i].khz = khz;
        khz -= 1 + bl_prng_below(p, 33);
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            f->pstate[i].mw[k] = mw;
            if (bl_prng_below(p, 3) > 0)
                mw += (uint32_t)bl_prng_below(p, 300);
        }
    }
}

struct toy {
    struct bl_freq freq[KINDS];
    struct bl_cap_kind kind[KINDS];
    uint32_t of[HOSTS]; /* kind of each host */
    uint32_t hosts;
    uint64_t khz, budget;
    uint64_t least_mw, most_khz; /* of all ways tried so far */
};

/* Host @h and those after it, when the ones before have done @khz for @mw. */
static void try_all(struct toy *t, uint32_t h, uint64_t khz, uint64_t mw)
{
    if (h == t->hosts) {
        if (khz >= t->khz && mw < t->least_mw)
            t->least_mw = mw;
        if (mw <= t->budget && khz > t->most_khz)
            t->most_khz = khz;
        return;
    }

    const struct bl_cap_kind *k = &t->kind[t->of[h]];

    for (uint32_t i = 0; i < k->freq->pstate_count; i++) {
        const struct bl_pstate *p = &k->freq->pstate[i];

        for (uint32_t tenth = 0; tenth < BL_POWER_POINTS; tenth++)
            try_all(t, h + 1, khz + p->khz * k->core_count * tenth / 10,
                    mw + p->mw[tenth]);
    }
}

/* What power/cap.h gives a host its budget for is a way, too. */
static void check_caps(const struct toy *t, uint64_t least)
{
    uint64_t mw = 0, left = t->khz;

    for (uint32_t h = 0; h < t->hosts; h++) {
        const struct bl_cap_kind *k = &t->kind[t->of[h]];
        const uint64_t all = k->freq->pstate[0].khz * k->core_count;
        const uint64_t khz = left < all ? left : all;

        mw += bl_cap_budget_for(k->freq, k->core_count, khz);
        left -= khz;
    }
    assert_true(least <= mw);
}

static void test_no_way_is_cheaper(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 1);

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct toy t = { .hosts = HOSTS, .least_mw = UINT64_MAX };
        uint64_t all = 0, edge = 0, least, most;

        for (uint32_t g = 0; g < KINDS; g++) {
            random_freq(&p, &t.freq[g]);
            t.kind[g].freq = &t.freq[g];
            t.kind[g].core_count = (uint32_t)(1 + bl_prng_below(&p, 4));
        }
        for (uint32_t h = 0; h < HOSTS; h++) {
            struct bl_cap_kind *k;

            t.of[h] = (uint32_t)bl_prng_below(&p, KINDS);
            k = &t.kind[t.of[h]];
            k->host_count++;
            all += k->freq->pstate[0].khz * k->core_count;
            for (uint32_t s = 0; s < k->freq->pstate_count; s++)
                if (k->freq->pstate[s].mw[10] > edge)
                    edge = k->freq->pstate[s].mw[10];
        }
        t.khz = bl_prng_below(&p, all + 1);
        t.budget = bl_prng_below(&p, HOSTS * edge);
        try_all(&t, 0, 0, 0);
        least = bl_cap_least_mw(t.kind, KINDS, t.khz);
        most = bl_cap_most_khz(t.kind, KINDS, t.budget);
        assert_true(least <= t.least_mw);
        check_caps(&t, least);
        assert_true(t.least_mw <= least + edge);
        assert_true(most >= t.most_khz);
        /* the two are inverse, but for rounding up to a whole kHz */
        if (most > 0 && most < all)
            assert_true(bl_cap_least_mw(t.kind, KINDS, most - 1) <= t.budget);
        if (t.budget < bl_cap_idle_mw(t.kind, KINDS))
            assert_int_equal(most, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_hosts),
        cmocka_unit_test(test_no_way_is_cheaper),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
