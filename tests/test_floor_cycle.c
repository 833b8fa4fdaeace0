/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_floor_cycle - the energy floor with transitions against one linear
 * program over all steps (GLPK), and against schedules.
 *
 * The oracle: a_gki hosts of group g are at point i in step k, r_gk wake up
 * between k - 1 and k,
 *
 *     min  sum_k t_k (sum_g H_g s_g + sum_gi a_gki (p_gi - s_g)) + e_g r_gk
 *     sum_gi a_gki x_gi = CPU_k,  sum_gi a_gki M_g >= memory_k
 *     sum_i a_gki <= H_g,  r_gk >= sum_i a_gki - sum_i a_g(k-1)i
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/floor_cycle.h"

#include <glpk.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = BL_POWER_POINTS, GROUPS_MAX = 3, STEPS_MAX = 12 };

struct story {
    struct bl_dc dc;
    uint32_t steps;
    struct bl_floor_step step[STEPS_MAX];
};

static double part(struct bl_prng *p)
{
    return (double)bl_prng_below(p, 1000001) / 1e6;
}

static double host_mhz(const struct bl_host_group *g)
{
    return (double)(g->core_count * g->core_khz) / 1000;
}

static double host_mib(const struct bl_host_group *g)
{
    return (double)g->mem_bytes / BL_MIB;
}

static double asleep_w(const struct bl_host_group *g)
{
    return (g->standby.power_mw < g->off.power_mw ? g->standby.power_mw
                                                  : g->off.power_mw) /
           1000.0;
}

static double cycle_j(const struct bl_host_group *g)
{
    const struct bl_sleep_state *s[] = { &g->standby, &g->off };
    double least = INFINITY;

    for (int i = 0; i < 2; i++) {
        const double j =
            (double)(s[i]->enter.energy_uj + s[i]->leave.energy_uj) / 1e6 -
            asleep_w(g) * (double)(s[i]->enter.time_ns + s[i]->leave.time_ns) /
                1e9;

        least = j < least ? j : least;
    }
    return least;
}

/* ---- by hand
 * --------------------------------------------------------------- */

/* One kind of host: 1000 MHz, 100 W idle, 200 W full, 0 W asleep; a cycle is
 * 3 s in, 7 s out, 2000 J in all. */
static void by_hand(struct bl_dc *dc, struct bl_floor *f, uint64_t cycle_uj)
{
    *dc = (struct bl_dc){ .host_group_count = 1 };
    dc->host_group[0] = (struct bl_host_group){
        .host_count = 10,
        .core_count = 1,
        .core_khz = 1000000,
        .mem_bytes = 1 << 30,
        .standby = { .power_mw = 0,
                     .enter = { 3 * BL_NS_PER_S, cycle_uj / 4 },
                     .leave = { 7 * BL_NS_PER_S, cycle_uj / 4 * 3 } },
        .off = { .enter = { 30 * BL_NS_PER_S, cycle_uj * 2 } },
    };
    for (uint32_t i = 0; i < POINTS; i++)
        dc->host_group[0].power.mw[i] = 100000 + 10000 * i;
    bl_floor_build(f, dc, true, true);
}

static double told(const struct bl_dc *dc, const struct bl_floor *f,
                   const struct bl_floor_step *step, uint32_t count)
{
    struct bl_floor_cycle c;

    bl_floor_cycle_begin(&c, f, dc);
    for (uint32_t i = 0; i < count; i++)
        bl_floor_cycle_step(&c, &step[i]);
    return bl_floor_cycle_joules(&c);
}

static void near(double got, double want)
{
    if (fabs(got - want) > 1e-9 * (1 + fabs(want)))
        fail_msg("%.17g, expected %.17g", got, want);
}

static void test_what_is_woken_is_paid_for(void **state)
{
    const struct bl_floor_step step[] = {
        { 4000, 0, 300 }, { 1000, 0, 300 }, { 3000, 0, 300 }, { 2000, 0, 300 }
    };
    struct bl_dc dc;
    struct bl_floor f;

    (void)state;
    by_hand(&dc, &f, 2000000000);
    near(told(&dc, &f, step, 0), 0);
    near(told(&dc, &f, step, 1), 4 * 200 * 300);
    /* from 4 to 1: they fall asleep, which nobody need ever undo */
    near(told(&dc, &f, step, 2), 5 * 200 * 300);
    /* two of them wake: 2000 J each */
    near(told(&dc, &f, step, 3), 8 * 200 * 300 + 2 * 2000);
    near(told(&dc, &f, step, 4), 10 * 200 * 300 + 2 * 2000);
    /* a cycle for more than 300 s of idling: the two stay awake instead */
    by_hand(&dc, &f, 50000000000);
    near(told(&dc, &f, step, 4), 10 * 200 * 300 + 2 * 100 * 300);
    /* which is also the most for steps of no length and steps cut in two */
    by_hand(&dc, &f, 0);
    near(told(&dc, &f, step, 4), 10 * 200 * 300);
}

static void test_limits(void **state)
{
    const struct bl_floor_step backwards = { 1, 0, -1 };
    const struct bl_floor_step nothing = { 1, 0, 0 };
    struct bl_floor_cycle c;
    struct bl_floor f;
    struct bl_dc dc;

    (void)state;
    by_hand(&dc, &f, 2000000000);
    bl_floor_cycle_begin(&c, &f, &dc);
    bl_floor_cycle_step(&c, &nothing);
    assert_true(bl_floor_cycle_joules(&c) <= 0);
    expect_assert_failure(bl_floor_cycle_step(&c, &backwards));
    dc.host_group_count = 2;
    expect_assert_failure(bl_floor_cycle_begin(&c, &f, &dc));
}

/* ---- random stories
 * -------------------------------------------------------- */

static void draw_group(struct bl_prng *p, uint64_t dear,
                       struct bl_host_group *g)
{
    *g = (struct bl_host_group){
        .host_count = 1 + (uint32_t)bl_prng_below(p, 30),
        .core_count = 1 + (uint32_t)bl_prng_below(p, 32),
        .core_khz = 1000000 + bl_prng_below(p, 3000) * 1000,
        .mem_bytes = (1 + bl_prng_below(p, 128)) << 30,
    };
    g->power.mw[0] = 50000 + (uint32_t)bl_prng_below(p, 50000);
    for (uint32_t i = 1; i < POINTS; i++)
        g->power.mw[i] = g->power.mw[i - 1] + (uint32_t)bl_prng_below(p, 20000);
    for (int i = 0; i < 2; i++) {
        struct bl_sleep_state *s = i == 0 ? &g->standby : &g->off;

        s->power_mw = (uint32_t)bl_prng_below(p, 10000);
        s->enter.time_ns = (int64_t)bl_prng_below(p, 20) * BL_NS_PER_S;
        s->leave.time_ns = (int64_t)bl_prng_below(p, 60) * BL_NS_PER_S;
        s->enter.energy_uj = (uint64_t)s->enter.time_ns / 1000 * 100;
        s->leave.energy_uj = (uint64_t)s->leave.time_ns / 1000 * 200 * dear;
    }
}

/* Loads that come and go, up to 90 % of all. */
static void draw_story(struct bl_prng *p, struct story *s)
{
    const uint64_t dear = bl_prng_below(p, 3) == 0 ? 10 : 1;
    double mhz = 0, mib = 0;

    *s = (struct story){ .steps = 2 + (uint32_t)bl_prng_below(p, STEPS_MAX - 2 +
                                                                     1) };
    s->dc.host_group_count = 1 + (uint32_t)bl_prng_below(p, GROUPS_MAX);
    for (uint32_t g = 0; g < s->dc.host_group_count; g++) {
        struct bl_host_group *x = &s->dc.host_group[g];

        draw_group(p, dear, x);
        mhz += host_mhz(x) * x->host_count;
        mib += host_mib(x) * x->host_count;
    }

    const double cpu = part(p) * 0.9, mem = part(p) * 0.9;

    for (uint32_t k = 0; k < s->steps; k++)
        s->step[k] = (struct bl_floor_step){
            .cpu_mhz = mhz * cpu * part(p),
            .mem_mib = mib * mem * (0.7 + 0.3 * part(p)),
            .time_s = 60 + (double)bl_prng_below(p, 600),
        };
}

/* ---- the oracle
 * ------------------------------------------------------------ */

/* Terms of a row as GLPK wants them: from 1. */
struct row {
    int n, column[2 * POINTS * GROUPS_MAX + 2];
    double x[2 * POINTS * GROUPS_MAX + 2];
};

static void term(struct row *r, int column, double x)
{
    r->column[++r->n] = column;
    r->x[r->n] = x;
}

static void add_row(glp_prob *lp, const struct row *r, int type, double bound)
{
    const int i = glp_add_rows(lp, 1);

    glp_set_row_bnds(lp, i, type, bound, bound);
    glp_set_mat_row(lp, i, r->n, r->column, r->x);
}

static int column_a(const struct story *s, uint32_t k, uint32_t g, int i)
{
    return 1 + (int)(k * s->dc.host_group_count + g) * (POINTS + 1) + i;
}

static int column_r(const struct story *s, uint32_t k, uint32_t g)
{
    return column_a(s, k, g, POINTS);
}

static void add_hosts(glp_prob *lp, const struct story *s, uint32_t k,
                      uint32_t g)
{
    const struct bl_host_group *x = &s->dc.host_group[g];
    struct row all = { .n = 0 }, rise = { .n = 0 };

    term(&rise, column_r(s, k, g), 1);
    for (int i = 0; i < POINTS; i++) {
        const int a = column_a(s, k, g, i);

        glp_set_col_bnds(lp, a, GLP_LO, 0, 0);
        glp_set_obj_coef(
            lp, a, (x->power.mw[i] / 1000.0 - asleep_w(x)) * s->step[k].time_s);
        term(&all, a, 1);
        term(&rise, a, -1);
        if (k > 0)
            term(&rise, column_a(s, k - 1, g, i), 1);
    }
    glp_set_col_bnds(lp, column_r(s, k, g), GLP_LO, 0, 0);
    glp_set_obj_coef(lp, column_r(s, k, g), cycle_j(x));
    add_row(lp, &all, GLP_UP, x->host_count);
    if (k > 0)
        add_row(lp, &rise, GLP_LO, 0);
    glp_set_obj_coef(lp, 0,
                     glp_get_obj_coef(lp, 0) +
                         asleep_w(x) * x->host_count * s->step[k].time_s);
}

static void add_step(glp_prob *lp, const struct story *s, uint32_t k)
{
    struct row cpu = { .n = 0 }, mem = { .n = 0 };

    for (uint32_t g = 0; g < s->dc.host_group_count; g++) {
        const struct bl_host_group *x = &s->dc.host_group[g];

        for (int i = 0; i < POINTS; i++) {
            term(&cpu, column_a(s, k, g, i), host_mhz(x) * i / 10);
            term(&mem, column_a(s, k, g, i), host_mib(x));
        }
        add_hosts(lp, s, k, g);
    }
    add_row(lp, &cpu, GLP_FX, s->step[k].cpu_mhz);
    add_row(lp, &mem, GLP_LO, s->step[k].mem_mib);
}

static double solve(const struct story *s)
{
    glp_prob *lp = glp_create_prob();
    glp_smcp parm;

    glp_add_cols(lp, (int)(s->steps * s->dc.host_group_count * (POINTS + 1)));
    for (uint32_t k = 0; k < s->steps; k++)
        add_step(lp, s, k);
    glp_init_smcp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    glp_term_out(GLP_OFF);
    glp_scale_prob(lp, GLP_SF_AUTO);
    glp_std_basis(lp);
    assert_int_equal(glp_simplex(lp, &parm), 0);
    assert_int_equal(glp_get_status(lp), GLP_OPT);

    const double joules = glp_get_obj_val(lp);

    glp_delete_prob(lp);
    return joules;
}

/* How much of what transitions add to the optimum the bound has. */
struct found {
    double ours, all;
    uint32_t exact;
};

static void compare(const struct story *s, struct found *found)
{
    struct bl_floor f;
    double plain = 0;

    bl_floor_build(&f, &s->dc, true, true);
    for (uint32_t k = 0; k < s->steps; k++)
        plain += bl_floor_watts(&f, s->step[k].cpu_mhz, s->step[k].mem_mib) *
                 s->step[k].time_s;

    const double most = solve(s);
    const double got = told(&s->dc, &f, s->step, s->steps);

    if (got > most * (1 + 1e-8))
        fail_msg("%.17g J, the optimum is %.17g J", got, most);
    assert_true(got >= plain * (1 - 1e-12));
    found->ours += (got - plain) / most;
    found->all += (most - plain) / most;
    found->exact += got >= most * (1 - 1e-8);
}

static void test_between_plain_and_optimum(void **state)
{
    struct bl_prng p = { test_seed() };
    struct found found = { .exact = 0 };

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct story s;

        draw_story(&p, &s);
        compare(&s, &found);
    }
    print_message(
        "    %u of 300 exact; %.1f %% of %.2f %% that transitions "
        "add on average\n",
        found.exact, 100 * found.ours / found.all, found.all / 3);
    glp_free_env();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_woken_is_paid_for),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_between_plain_and_optimum),
    };

    return cmocka_run_group_tests_name("floor-cycle", tests, test_group_setup,
                                       NULL);
}
