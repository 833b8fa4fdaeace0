/* SPDX-License-Identifier: Apache-2.0 */
/* test_floor - the least energy: against every way to spread a load. */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/floor.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* SPECpower tables of two servers, and one whose best point is at 70 %. */
static const uint32_t straight[BL_POWER_POINTS] = { 86000,  89400,  92600,
                                                    96000,  99500,  102000,
                                                    106000, 108000, 112000,
                                                    114000, 117000 };
static const uint32_t best_at_70[BL_POWER_POINTS] = { 50000,  60000, 66000,
                                                      70000,  73000, 75000,
                                                      77000,  78000, 100000,
                                                      125000, 160000 };

static struct bl_host_group group_of(uint32_t hosts, uint64_t mhz,
                                     const uint32_t *mw)
{
    struct bl_host_group g = { .host_count = hosts,
                               .core_count = 1,
                               .core_khz = mhz * 1000,
                               .mem_bytes = UINT64_C(4096) << 20,
                               .standby = { .power_mw = 5000 },
                               .off = { .power_mw = 2000 } };

    memcpy(g.power.mw, mw, sizeof(g.power.mw));
    return g;
}

static void near(double got, double want)
{
    if (fabs(got - want) > 1e-9 * (1 + fabs(want)))
        fail_msg("%.17g, expected %.17g", got, want);
}

/* One server of 1000 MHz: asleep 2 W; the straight line from there to full
 * load is the least, because its own curve lies above. */
static void test_one_host_by_hand(void **state)
{
    struct bl_dc dc = { .host_group_count = 1 };
    struct bl_floor f;

    (void)state;
    dc.host_group[0] = group_of(1, 1000, straight);
    bl_floor_build(&f, &dc, true, false);
    near(bl_floor_watts(&f, 0, 0), 2);
    near(bl_floor_watts(&f, 1000, 0), 117);
    near(bl_floor_watts(&f, 500, 0), 2 + 115 * 0.5);
    near(bl_floor_watts(&f, 5000, 0), 117); /* more than there is */
    bl_floor_build(&f, &dc, false, false);
    near(bl_floor_watts(&f, 0, 0), 0);
    near(bl_floor_watts(&f, 250, 0), 117 * 0.25);
}

/* With the best point at 70 %: ten hosts carry the load of seven full ones at
 * that point, and only then climb the steep part. */
static void test_the_most_efficient_load_is_used_first(void **state)
{
    struct bl_dc dc = { .host_group_count = 1 };
    struct bl_floor f;

    (void)state;
    dc.host_group[0] = group_of(10, 1000, best_at_70);
    bl_floor_build(&f, &dc, false, false);
    near(bl_floor_watts(&f, 700, 0), 78);
    near(bl_floor_watts(&f, 7000, 0), 780);
    near(bl_floor_watts(&f, 3500, 0), 390);
    near(bl_floor_watts(&f, 8000, 0), 1000);
    near(bl_floor_watts(&f, 10000, 0), 1600);
}

static void test_memory_forces_hosts_on(void **state)
{
    struct bl_dc dc = { .host_group_count = 2 };
    struct bl_floor f;

    (void)state;
    dc.host_group[0] = group_of(2, 1000, straight);   /* idle 86 W */
    dc.host_group[1] = group_of(2, 1000, best_at_70); /* idle 50 W: first */
    bl_floor_build(&f, &dc, true, true);
    near(bl_floor_watts(&f, 0, 4096), 4 * 2 + 48);
    near(bl_floor_watts(&f, 0, 2048), 4 * 2 + 24);
    near(bl_floor_watts(&f, 0, 3 * 4096), 4 * 2 + 2 * 48 + 84);
    near(bl_floor_watts(&f, 0, 1e9), 4 * 2 + 2 * 48 + 2 * 84);
    near(bl_floor_watts(&f, 2000, 4096), bl_floor_watts(&f, 2000, 0));
    bl_floor_build(&f, &dc, true, false);
    near(bl_floor_watts(&f, 0, 4096), 4 * 2);
}

/* ---- every spread of a load --------------------------------------------- */

enum { GRID = 10, HOSTS_MAX = 4 };

/* What one host draws at @tenths of its capacity, or less: a host can switch
 * between any two loads, or sleep, for parts of the time. */
static double blended_mw(const double *mw, uint32_t tenths)
{
    double least = mw[tenths];

    for (uint32_t i = 0; i <= tenths; i++)
        for (uint32_t j = tenths; j <= GRID; j++)
            if (i < j) {
                const double part = (double)(tenths - i) / (j - i);
                const double w = mw[i] + (mw[j] - mw[i]) * part;

                least = w < least ? w : least;
            }
    return least;
}

struct fleet {
    uint32_t hosts;
    uint32_t unit[HOSTS_MAX]; /* capacity in units of 100 MHz per tenth */
    double mw[HOSTS_MAX][GRID + 1];
};

/* The least over all ways to give whole tenths to hosts from @h on. */
static double least_mw(const struct fleet *f, uint32_t h, uint32_t load)
{
    double least = INFINITY;

    if (h == f->hosts)
        return load == 0 ? 0 : INFINITY;
    for (uint32_t t = 0; t <= GRID && t * f->unit[h] <= load; t++) {
        const double w =
            blended_mw(f->mw[h], t) + least_mw(f, h + 1, load - t * f->unit[h]);

        least = w < least ? w : least;
    }
    return least;
}

static void random_table(struct bl_prng *p, uint32_t *mw)
{
    mw[0] = 20000 + (uint32_t)bl_prng_below(p, 80000);
    for (uint32_t i = 1; i < BL_POWER_POINTS; i++) {
        mw[i] = mw[i - 1] + (uint32_t)bl_prng_below(p, 30000);
        if (bl_prng_below(p, 6) == 0) /* some measured tables fall */
            mw[i] -= (uint32_t)bl_prng_below(p, 15000);
    }
}

static void random_fleet(struct bl_prng *p, struct bl_dc *dc, struct fleet *f)
{
    *f = (struct fleet){ .hosts = 0 };
    *dc =
        (struct bl_dc){ .host_group_count = 1 + (uint32_t)bl_prng_below(p, 2) };
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        const uint32_t unit = 1; /* so that every corner is on the grid */
        uint32_t mw[BL_POWER_POINTS];

        random_table(p, mw);
        dc->host_group[g] = group_of(1 + (uint32_t)bl_prng_below(p, 2),
                                     UINT64_C(1000) * unit, mw);
        dc->host_group[g].off.power_mw = (uint32_t)bl_prng_below(p, 10000);
        for (uint32_t i = 0; i < dc->host_group[g].host_count; i++) {
            const uint32_t off = dc->host_group[g].off.power_mw;

            for (uint32_t t = 0; t <= GRID; t++)
                f->mw[f->hosts][t] = mw[t];
            if (off < 5000)
                f->mw[f->hosts][0] = off < mw[0] ? off : mw[0];
            else
                f->mw[f->hosts][0] = 5000 < mw[0] ? 5000 : mw[0];
            f->unit[f->hosts++] = unit;
        }
    }
}

/* The optimum of a convex piecewise linear problem lies on the corners, and
 * with loads in tenths all corners are on the grid: the two must be equal. */
static void test_floor_is_the_least_of_all_spreads(void **state)
{
    struct bl_prng p = { test_seed() };

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct bl_dc dc;
        struct fleet fleet;
        struct bl_floor f;

        random_fleet(&p, &dc, &fleet);
        bl_floor_build(&f, &dc, true, false);
        for (uint32_t load = 0; load <= GRID * fleet.hosts; load++)
            near(bl_floor_watts(&f, load * 100.0, 0),
                 least_mw(&fleet, 0, load) / 1000);
    }
}

/* Convex, so that no change of load within an interval can beat its mean. */
static void test_floor_is_convex_and_continuous(void **state)
{
    struct bl_prng p = { test_seed() };

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct bl_dc dc;
        struct fleet fleet;
        struct bl_floor f;

        random_fleet(&p, &dc, &fleet);
        bl_floor_build(&f, &dc, true, true);
        for (int i = 0; i < 200; i++) {
            const double top = fleet.hosts * 1000.0;
            const double a = top * (double)bl_prng_below(&p, 1001) / 1000;
            const double b = top * (double)bl_prng_below(&p, 1001) / 1000;
            const double wa = bl_floor_watts(&f, a, 0);
            const double wb = bl_floor_watts(&f, b, 0);

            assert_true(bl_floor_watts(&f, (a + b) / 2, 0) <=
                        (wa + wb) / 2 + 1e-9);
            near(bl_floor_watts(&f, a + 1e-10, 0), wa);
        }
    }
}

/* As many groups and corners as there can be fit. */
static void test_limits_are_reached(void **state)
{
    struct bl_dc dc = { .host_group_count = BL_HOST_GROUPS_MAX };
    uint32_t bent[BL_POWER_POINTS];
    struct bl_floor f;

    (void)state;
    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        bent[i] = 1000 * i * i; /* every point is a corner */
    for (uint32_t g = 0; g < BL_HOST_GROUPS_MAX; g++)
        dc.host_group[g] = group_of(1 + g, 1000 + g, bent);
    bl_floor_build(&f, &dc, false, true);
    assert_int_equal(f.cpu_count, BL_HOST_GROUPS_MAX * (BL_POWER_POINTS - 1));
    assert_int_equal(f.mem_count, BL_HOST_GROUPS_MAX);
    expect_assert_failure(bl_floor_watts(&f, -1, 0));
    dc.host_group_count++;
    expect_assert_failure(bl_floor_build(&f, &dc, false, true));
}

/* All groups with all P-states: the most points that there can be. */
static void fill(struct bl_dc *dc)
{
    uint32_t mw[BL_POWER_POINTS];

    dc->host_group_count = BL_HOST_GROUPS_MAX;
    for (uint32_t g = 0; g < BL_HOST_GROUPS_MAX; g++) {
        struct bl_host_group *h = &dc->host_group[g];

        for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
            mw[k] = 2500 + (100 + 7 * (g % 5)) * k * k;
        *h = group_of(1 + g % 3, 1600, mw);
        h->freq.pstate_count = BL_PSTATES_MAX;
        for (uint32_t i = 0; i < BL_PSTATES_MAX; i++) {
            struct bl_pstate *p = &h->freq.pstate[i];

            p->khz = 1600000 - 90001 * i;
            for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
                p->mw[k] = mw[k] - (mw[k] - mw[0]) / 20 * i;
        }
    }
}

struct build {
    struct bl_dc dc;
    struct bl_floor floor;
};

static void *build(void *arg)
{
    struct build *b = arg;

    bl_floor_build(&b->floor, &b->dc, true, true);
    return NULL;
}

/* Runs are begun by threads, which may have little stack: more than this one
 * ends the test at the guard page. */
static void test_a_small_stack_will_do(void **state)
{
    static struct build b;
    const struct bl_floor *f = &b.floor;
    pthread_attr_t attr;
    pthread_t thread;

    (void)state;
    fill(&b.dc);
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, (size_t)160 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attr, build, &b), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
    assert_in_range(f->cpu_count, 2 * BL_HOST_GROUPS_MAX,
                    BL_FLOOR_SEGMENTS_MAX);
    /* convex: pieces in order of slope, whichever group they are of */
    for (uint32_t i = 2; i < f->cpu_count; i++)
        assert_true((f->cpu_w[i] - f->cpu_w[i - 1]) /
                        (f->cpu_mhz[i] - f->cpu_mhz[i - 1]) * (1 + 1e-9) >=
                    (f->cpu_w[i - 1] - f->cpu_w[i - 2]) /
                        (f->cpu_mhz[i - 1] - f->cpu_mhz[i - 2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host_by_hand),
        cmocka_unit_test(test_the_most_efficient_load_is_used_first),
        cmocka_unit_test(test_memory_forces_hosts_on),
        cmocka_unit_test(test_floor_is_the_least_of_all_spreads),
        cmocka_unit_test(test_floor_is_convex_and_continuous),
        cmocka_unit_test(test_limits_are_reached),
        cmocka_unit_test(test_a_small_stack_will_do),
    };

    return cmocka_run_group_tests_name("floor", tests, test_group_setup, NULL);
}
