/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_floor_lp - the joint energy floor against linear programs (GLPK), and
 * against placements.
 *
 * The oracle knows no envelopes, no prices and no groups' order: a column for
 * every measured point of every group says how many hosts are at it,
 *
 *     min  sum_g H_g s_g + sum_gi a_gi (p_gi - s_g)
 *     sum_gi a_gi x_gi = CPU,  sum_gi a_gi M_g >= memory,  sum_i a_gi <= H_g
 *
 * and is solved in rational arithmetic; in units of 0.1 MHz, GiB and mW all of
 * its coefficients are whole numbers (GLPK rounds others to some 1e-9).
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/floor.h"

#include <glpk.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = BL_POWER_POINTS };

/* A group's points, also in slower P-states. */
static uint32_t table_count(const struct bl_host_group *g)
{
    return g->freq.pstate_count > 0 ? g->freq.pstate_count : 1;
}

static const uint32_t *table_mw(const struct bl_host_group *g, uint32_t t)
{
    return g->freq.pstate_count > 0 ? g->freq.pstate[t].mw : g->power.mw;
}

static uint64_t table_khz(const struct bl_host_group *g, uint32_t t)
{
    return g->freq.pstate_count > 0 ? g->freq.pstate[t].khz : g->core_khz;
}

/* Between 0 and 1, in millionths. */
static double part(struct bl_prng *p)
{
    return (double)bl_prng_below(p, 1000001) / 1e6;
}

/* Powers that do not fall, some convex, some with their best point in the
 * middle, some in jumps. */
static void draw_table(struct bl_prng *p, uint32_t *mw)
{
    const uint64_t kind = bl_prng_below(p, 3);
    const uint64_t step = 1 + bl_prng_below(p, 20000);

    mw[0] = 20000 + (uint32_t)bl_prng_below(p, 80000);
    for (uint32_t i = 1; i < POINTS; i++) {
        uint64_t more = bl_prng_below(p, step);

        if (kind == 1)
            more = i * step / 4;
        else if (kind == 2 && bl_prng_below(p, 3) > 0)
            more = 0;
        mw[i] = mw[i - 1] + (uint32_t)more;
    }
}

/* Slower ones draw less, at idle and in all; the first is as without. */
static void draw_pstates(struct bl_prng *p, struct bl_host_group *g)
{
    struct bl_freq *f = &g->freq;

    f->domain_count = 1;
    f->pstate_count = 1 + (uint32_t)bl_prng_below(p, BL_PSTATES_MAX);
    for (uint32_t t = 0; t < f->pstate_count; t++) {
        struct bl_pstate *s = &f->pstate[t];
        const uint64_t less = t * (10 + bl_prng_below(p, 50));

        s->khz = g->core_khz - UINT64_C(50000) * t;
        for (uint32_t i = 0; i < POINTS; i++)
            s->mw[i] = (uint32_t)(g->power.mw[i] * (1000 - less) / 1000);
    }
}

static void draw_group(struct bl_prng *p, struct bl_host_group *g)
{
    *g = (struct bl_host_group){
        .host_count = 1 + (uint32_t)bl_prng_below(p, 200),
        .core_count = 1 + (uint32_t)bl_prng_below(p, 64),
        .core_khz = 1000000 + bl_prng_below(p, 3000) * 1000,
        .mem_bytes = (1 + bl_prng_below(p, 256)) << 30,
    };
    draw_table(p, g->power.mw);
    if (bl_prng_below(p, 2) == 0)
        draw_pstates(p, g);
    g->standby.power_mw = (uint32_t)bl_prng_below(p, 15000);
    g->off.power_mw = (uint32_t)bl_prng_below(p, 10000);
}

static void draw_fleet(struct bl_prng *p, uint32_t groups, struct bl_dc *dc)
{
    *dc = (struct bl_dc){ .host_group_count = groups };
    for (uint32_t g = 0; g < groups; g++) {
        draw_group(p, &dc->host_group[g]);
        if (g > 0 && bl_prng_below(p, 8) == 0) /* one like the one before */
            dc->host_group[g] = dc->host_group[g - 1];
    }
}

static double host_mhz(const struct bl_host_group *g)
{
    return (double)(g->core_count * g->core_khz) / 1000;
}

static double host_mib(const struct bl_host_group *g)
{
    return (double)g->mem_bytes / BL_MIB;
}

static double asleep_mw(const struct bl_host_group *g)
{
    const uint32_t a = g->standby.power_mw, b = g->off.power_mw;

    return a < b ? a : b;
}

static void capacity(const struct bl_dc *dc, double *mhz, double *mib)
{
    *mhz = *mib = 0;
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        *mhz += host_mhz(&dc->host_group[g]) * dc->host_group[g].host_count;
        *mib += host_mib(&dc->host_group[g]) * dc->host_group[g].host_count;
    }
}

/* ---- the oracle
 * ------------------------------------------------------------ */

/* Columns and the row of group @g; rows 1 and 2 are CPU and memory. */
static void add_group(glp_prob *lp, const struct bl_host_group *g)
{
    const int row = glp_add_rows(lp, 1);

    glp_set_row_bnds(lp, row, GLP_UP, 0, g->host_count);
    for (uint32_t k = 0; k < table_count(g) * POINTS; k++) {
        const uint32_t t = k / POINTS, i = k % POINTS;
        const int rows[] = { 0, 1, 2, row };
        const double mhz = (double)(g->core_count * table_khz(g, t)) / 1000;
        const double x[] = { 0, mhz * i, host_mib(g) / 1024, 1 };
        const int column = glp_add_cols(lp, 1);

        glp_set_mat_col(lp, column, 3, rows, x);
        glp_set_col_bnds(lp, column, GLP_LO, 0, 0);
        glp_set_obj_coef(lp, column, (double)table_mw(g, t)[i] - asleep_mw(g));
    }
    glp_set_obj_coef(lp, 0,
                     glp_get_obj_coef(lp, 0) + asleep_mw(g) * g->host_count);
}

static double solve(const struct bl_dc *dc, double mhz, double mib)
{
    glp_prob *lp = glp_create_prob();
    glp_smcp parm;

    glp_add_rows(lp, 2);
    glp_set_row_bnds(lp, 1, GLP_FX, mhz * 10, 0);
    glp_set_row_bnds(lp, 2, GLP_LO, mib / 1024, 0);
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        add_group(lp, &dc->host_group[g]);
    glp_init_smcp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    glp_term_out(GLP_OFF);
    glp_std_basis(lp);
    assert_int_equal(glp_simplex(lp, &parm), 0);
    assert_int_equal(glp_exact(lp, &parm), 0);
    assert_int_equal(glp_get_status(lp), GLP_OPT);

    const double watts = glp_get_obj_val(lp) / 1000;

    glp_delete_prob(lp);
    return watts;
}

/* ---- tests
 * ----------------------------------------------------------------- */

/* Two kinds of host. A has 1000 MHz and 1 GiB at 100 to 200 W, B has 1000 MHz
 * and 4 GiB at 150 to 250 W; asleep 0 W. 1000 MHz and 4 GiB: one B at full load
 * is 250 W; four A at 250 MHz each are 500. CPU alone says 200 (A), memory
 * alone 150 (B). */
static void test_both_at_once_by_hand(void **state)
{
    struct bl_dc dc = { .host_group_count = 2 };
    struct bl_floor f;

    (void)state;
    for (uint32_t g = 0; g < 2; g++) {
        dc.host_group[g] = (struct bl_host_group){
            .host_count = 10,
            .core_count = 1,
            .core_khz = 1000000,
            .mem_bytes = UINT64_C(1) << (g == 0 ? 30 : 32),
        };
        for (uint32_t i = 0; i < POINTS; i++)
            dc.host_group[g].power.mw[i] = 100000 + 50000 * g + 10000 * i;
    }
    bl_floor_build(&f, &dc, true, true);
    assert_true(fabs(bl_floor_watts(&f, 1000, 4096) - 250) < 1e-9);
    assert_true(fabs(bl_floor_watts_apart(&f, 1000, 4096) - 200) < 1e-9);
    assert_true(fabs(solve(&dc, 1000, 4096) - 250) < 1e-9);
    /* 2000 MHz and 5 GiB: one of each */
    assert_true(fabs(bl_floor_watts(&f, 2000, 5120) - 450) < 1e-9);
    /* 1500 MHz and 4 GiB: a + b = 1.5 hosts, a + 4 b = 4 */
    assert_true(fabs(bl_floor_watts(&f, 1500, 4096) -
                     (200 * 2 / 3.0 + 250 * 5 / 6.0)) < 1e-9);
    /* without memory to enforce, CPU alone */
    bl_floor_build(&f, &dc, true, false);
    assert_true(fabs(bl_floor_watts(&f, 1000, 4096) - 200) < 1e-9);
}

struct compared {
    uint32_t equal, above; /* queries; of them, more than apart */
    double worst;          /* relative difference */
};

static void compare(const struct bl_dc *dc, const struct bl_floor *f,
                    struct bl_prng *p, struct compared *c)
{
    double mhz, mib;

    capacity(dc, &mhz, &mib);
    mhz *= bl_prng_below(p, 8) == 0 ? 1 : part(p);
    mib *= bl_prng_below(p, 8) == 0 ? 1 : part(p);
    if (bl_prng_below(p, 8) == 0)
        mhz = 0;
    if (bl_prng_below(p, 8) == 0)
        mib /= 1e4;
    mhz = floor(mhz * 10) / 10;
    mib = floor(mib / 1024) * 1024;

    const double want = solve(dc, mhz, mib);
    const double got = bl_floor_watts(f, mhz, mib);
    const double apart = bl_floor_watts_apart(f, mhz, mib);
    const double off = fabs(got - want) / (1e-3 + want);

    if (off > 1e-11)
        fail_msg("%.17g, expected %.17g (%u groups, %.17g MHz, %.17g MiB)", got,
                 want, dc->host_group_count, mhz, mib);
    assert_true(got >= apart);
    assert_true(got <= want * (1 + 1e-13)); /* CPU alone is rounded */
    if (got > apart)
        assert_true(got <= want * (1 + 1e-15));
    c->equal++;
    c->above += got > apart * (1 + 1e-6);
    c->worst = off > c->worst ? off : c->worst;
}

static void test_floor_is_the_optimum(void **state)
{
    struct bl_prng p = { test_seed() };
    struct compared c = { .equal = 0 };

    (void)state;
    for (int round = 0; round < 400; round++) {
        struct bl_dc dc;
        struct bl_floor f;

        draw_fleet(&p, 1 + (uint32_t)bl_prng_below(&p, 10), &dc);
        bl_floor_build(&f, &dc, true, true);
        for (int i = 0; i < 5; i++)
            compare(&dc, &f, &p, &c);
    }
    for (int round = 0; round < 5; round++) {
        struct bl_dc dc;
        struct bl_floor f;

        draw_fleet(&p, BL_HOST_GROUPS_MAX, &dc);
        bl_floor_build(&f, &dc, true, true);
        compare(&dc, &f, &p, &c);
    }
    print_message(
        "    %u optima, %u of them above the separate bounds; off by "
        "%.2g at most\n",
        c.equal, c.above, c.worst);
    assert_true(c.above > c.equal / 3);
    glp_free_env();
}

/* ---- placements
 * ------------------------------------------------------------ */

/* The table at load @u, linear in between. */
static double draw_w(const uint32_t *mw, double u)
{
    const uint32_t i = u < 1 ? (uint32_t)(u * 10) : 9;
    const double a = mw[i] / 1000.0, b = mw[i + 1] / 1000.0;

    return a + (b - a) * (u * 10 - i);
}

/* What all hosts of a placement come to. */
struct placed {
    double watts, mhz, mib;
    double asleep, full; /* how likely */
};

/* A host of @g sleeps, or has any load and as much memory as fits. */
static void place(struct bl_prng *p, const struct bl_host_group *g,
                  struct placed *to)
{
    const double u = part(p) < to->full ? 1 : part(p);
    const uint32_t t = (uint32_t)bl_prng_below(p, table_count(g));

    if (part(p) < to->asleep) {
        to->watts += asleep_mw(g) / 1000;
        return;
    }
    to->watts += draw_w(table_mw(g, t), u);
    to->mhz += u * (double)(g->core_count * table_khz(g, t)) / 1000;
    to->mib += (part(p) < to->full ? 1 : part(p)) * host_mib(g);
}

static void test_no_placement_draws_less(void **state)
{
    struct bl_prng p = { test_seed() };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct placed all = { .asleep = part(&p), .full = part(&p) };
        struct bl_dc dc;
        struct bl_floor f;

        draw_fleet(&p, 1 + (uint32_t)bl_prng_below(&p, 6), &dc);
        for (uint32_t k = 0; k < dc.host_group_count; k++) {
            struct bl_host_group *g = &dc.host_group[k];

            g->host_count = 1 + g->host_count % 8;
            for (uint32_t h = 0; h < g->host_count; h++)
                place(&p, g, &all);
        }
        bl_floor_build(&f, &dc, true, true);

        const double least = bl_floor_watts(&f, all.mhz, all.mib);

        if (least > all.watts * (1 + 1e-12))
            fail_msg("placed at %.17g W, floor %.17g W", all.watts, least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_at_once_by_hand),
        cmocka_unit_test(test_floor_is_the_optimum),
        cmocka_unit_test(test_no_placement_draws_less),
    };

    return cmocka_run_group_tests_name("floor-lp", tests, test_group_setup,
                                       NULL);
}
