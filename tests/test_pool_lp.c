/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pool_lp - entitlement of pools against linear programs (GLPK).
 *
 * The oracle knows no lambda, no claims that go up and no capacity that comes
 * down, only what an allocation x of a whole tree has to obey:
 *
 *     x of a pool = sum of x of its children     x of the root <= C
 *     min(reservation, demand) <= x of a VM <= min(limit, demand)
 *     min(reservation, most) <= x of a pool <= its limit
 *
 * where `most` is the largest x that the pool can have at all (an LP of its
 * own). Reservations are such that admission control accepts them, so that what
 * expandable pools borrow is nothing but feasibility of the whole tree.
 *
 * Among those, the entitlement is weighted max-min fair, parents first. In each
 * pool, from the root on: raise t, the least x / shares of the children that
 * are not settled, as far as any x allows; then settle each child that could
 * have neither more nor less while the others keep at least t; again, until all
 * children are settled. (A child whose floor is above t * shares is settled at
 * its floor when nothing is left for it.) In each round at least one child is:
 * either one reached its ceiling, or there is nothing left to give.
 *
 * Whole units: each division between the capacity and a VM may differ from the
 * exact fraction by less than one.
 */
#include "tests/test.h"

#include "tests/support_pool.h"

#include <glpk.h>
#include <math.h>
#include <string.h>

#define ROOT BL_POOL_ROOT

/* The solver is off by about 1e-7 (EPS). What is settled may move by SLACK, so
 * that such errors leave the next program feasible; together that is less than
 * SAME, below which two values are one. A unit is 1. */
#define EPS 1e-7
#define SLACK 1e-4
#define SAME 1e-2

/* Nodes of an LP: the root, pools, leaves; columns from 1, as GLPK counts. */
struct lp {
    const struct tree *t;
    glp_prob *p;
    uint32_t nodes;
    int t_column; /* of the common x / shares */
    double lo[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
    double hi[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
};

static double least(uint64_t a, uint64_t b)
{
    return (double)(a < b ? a : b);
}

static uint32_t node_of(uint32_t pool)
{
    return pool == ROOT ? 0 : pool + 1;
}

static uint32_t parent_of(const struct tree *t, uint32_t node)
{
    if (node <= t->pool_count)
        return node_of(t->pool[node - 1].parent);
    return node_of(t->leaf_pool[node - 1 - t->pool_count]);
}

static double shares_of(const struct tree *t, uint32_t node)
{
    if (node <= t->pool_count)
        return (double)t->pool[node - 1].shares;
    return (double)t->leaf[node - 1 - t->pool_count].shares;
}

static void bound(struct lp *l, uint32_t node, double lo, double hi)
{
    l->lo[node] = lo;
    l->hi[node] = hi;
    glp_set_col_bnds(l->p, (int)node + 1,
                     hi >= HUGE_VAL ? GLP_LO
                     : hi > lo      ? GLP_DB
                                    : GLP_FX,
                     lo, hi);
}

/* One row for the root and each pool: children - itself = 0. */
static void add_conservation(struct lp *l)
{
    const uint32_t pools = l->t->pool_count;

    glp_add_rows(l->p, (int)pools + 1);
    for (uint32_t k = 0; k <= pools; k++) {
        int column[2 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
        double one[2 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
        int n = 1;

        column[1] = (int)k + 1;
        one[1] = -1;
        for (uint32_t c = 1; c < l->nodes; c++) {
            if (parent_of(l->t, c) != k)
                continue;
            column[++n] = (int)c + 1;
            one[n] = 1;
        }
        glp_set_mat_row(l->p, (int)k + 1, n, column, one);
        glp_set_row_bnds(l->p, (int)k + 1, GLP_FX, 0, 0);
    }
}

/* The best value of column @column; NAN: not feasible. */
static double best(struct lp *l, int column, int direction)
{
    glp_smcp parm;

    glp_init_smcp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    for (int c = 1; c <= glp_get_num_cols(l->p); c++)
        glp_set_obj_coef(l->p, c, c == column);
    glp_set_obj_dir(l->p, direction);
    glp_std_basis(l->p);
    assert_int_equal(glp_simplex(l->p, &parm), 0);
    return glp_get_status(l->p) == GLP_OPT ? glp_get_obj_val(l->p) : NAN;
}

static struct lp make(const struct tree *t, uint64_t capacity)
{
    const uint32_t pools = t->pool_count;
    struct lp l = { .t = t,
                    .p = glp_create_prob(),
                    .nodes = 1 + pools + t->leaf_count };

    l.t_column = (int)l.nodes + 1;
    glp_add_cols(l.p, l.t_column);
    glp_set_col_bnds(l.p, l.t_column, GLP_LO, 0, 0);
    add_conservation(&l);
    bound(&l, 0, 0, HUGE_VAL);
    for (uint32_t p = 0; p < pools; p++)
        bound(&l, 1 + p, 0,
              t->pool[p].limit == BL_NO_LIMIT ? HUGE_VAL
                                              : (double)t->pool[p].limit);
    for (uint32_t i = 0; i < t->leaf_count; i++)
        bound(&l, 1 + pools + i, 0, least(t->leaf[i].limit, t->leaf[i].demand));
    for (uint32_t p = 0; p < pools; p++) {
        const double most = best(&l, (int)p + 2, GLP_MAX);
        const double own = (double)t->pool[p].reservation;

        l.lo[1 + p] = own < most ? own : most;
    }
    for (uint32_t p = 0; p < pools; p++)
        bound(&l, 1 + p, l.lo[1 + p], l.hi[1 + p]);
    for (uint32_t i = 0; i < t->leaf_count; i++)
        bound(&l, 1 + pools + i,
              least(t->leaf[i].reservation, t->leaf[i].demand),
              l.hi[1 + pools + i]);
    bound(&l, 0, 0, (double)capacity);
    return l;
}

/* Rows x - shares * t >= 0 for children of @k that are not settled; returns how
 * many there are. */
static int add_fairness(struct lp *l, uint32_t k, const bool *settled)
{
    int rows = 0;

    for (uint32_t c = 1; c < l->nodes; c++) {
        const int column[] = { 0, (int)c + 1, l->t_column };
        const double x[] = { 0, 1, -shares_of(l->t, c) };

        if (parent_of(l->t, c) != k || settled[c])
            continue;

        const int row = glp_add_rows(l->p, 1);

        glp_set_mat_row(l->p, row, 2, column, x);
        glp_set_row_bnds(l->p, row, GLP_LO, 0, 0);
        rows++;
    }
    return rows;
}

static void drop_rows(struct lp *l, int count)
{
    const int all = glp_get_num_rows(l->p);
    int row[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];

    for (int i = 1; i <= count; i++)
        row[i] = all - count + i;
    if (count > 0)
        glp_del_rows(l->p, count, row);
}

/* Settles at least one child of @k; false: all are. */
static bool settle_some(struct lp *l, uint32_t k, bool *settled)
{
    const int rows = add_fairness(l, k, settled);
    double value[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
    bool now[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX] = { false };
    bool any = false;

    if (rows == 0)
        return false;

    const double most = best(l, l->t_column, GLP_MAX);

    assert_true(most >= 0); /* NAN is not */
    glp_set_col_bnds(l->p, l->t_column, GLP_LO, most - EPS, 0);
    for (uint32_t c = 1; c < l->nodes; c++) {
        if (parent_of(l->t, c) != k || settled[c])
            continue;

        const double lo = best(l, (int)c + 1, GLP_MIN);
        const double hi = best(l, (int)c + 1, GLP_MAX);

        value[c] = lo;
        now[c] = hi - lo < SAME;
        any |= now[c];
    }
    glp_set_col_bnds(l->p, l->t_column, GLP_LO, 0, 0);
    drop_rows(l, rows);
    assert_true(any);
    for (uint32_t c = 1; c < l->nodes; c++) {
        if (!now[c])
            continue;
        settled[c] = true;
        l->lo[c] = l->hi[c] = value[c];
        glp_set_col_bnds(l->p, (int)c + 1, GLP_DB, value[c] - SLACK,
                         value[c] + SLACK);
    }
    return true;
}

/* False: not even reservations fit. */
static bool solve(struct lp *l, double *x)
{
    bool settled[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX] = { false };
    const double all = best(l, 1, GLP_MAX);

    if (isnan(all))
        return false;
    /* work conservation: nothing is left over that somebody could use */
    glp_set_col_bnds(l->p, 1, GLP_DB, all - SLACK, all + SLACK);
    for (uint32_t k = 0; k <= l->t->pool_count; k++)
        while (settle_some(l, k, settled)) {
        }
    for (uint32_t c = 1; c < l->nodes; c++)
        x[c] = l->lo[c];
    return true;
}

/* ---- the example: what the solver says where the answer is known --------- */

static void test_the_oracle_itself(void **state)
{
    const struct tree t = {
        .pool = { { ROOT, true, 3, 0, 50 },
                  { ROOT, true, 1, 30, BL_NO_LIMIT } },
        .pool_count = 2,
        .leaf = { { 2, 0, BL_NO_LIMIT, 90 },
                  { 1, 0, BL_NO_LIMIT, 90 },
                  { 1, 0, BL_NO_LIMIT, 40 },
                  { 1, 10, BL_NO_LIMIT, 90 } },
        .leaf_pool = { 0, 0, 1, ROOT },
        .leaf_count = 4,
    };
    double x[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
    struct lp l = make(&t, 90);

    (void)state;
    assert_true(solve(&l, x));
    /* 30 are reserved, 10 for the VM alone; 50 more at shares 3:1:1 */
    assert_true(fabs(x[1] - 45) < 0.001);
    assert_true(fabs(x[2] - 30) < 0.001);
    assert_true(fabs(x[3] - 30) < 0.001);
    assert_true(fabs(x[4] - 15) < 0.001);
    assert_true(fabs(x[5] - 30) < 0.001);
    assert_true(fabs(x[6] - 15) < 0.001);
    glp_delete_prob(l.p);
    l = make(&t, 39); /* reservations are 40 */
    assert_false(solve(&l, x));
    glp_delete_prob(l.p);
}

/* ---- random trees ------------------------------------------------------- */

static void compare(struct tree *t, uint64_t capacity, const double *x)
{
    assert_int_not_equal(tree_divide(t, capacity), BL_ENTITLED_RESERVED);
    for (uint32_t i = 0; i < t->leaf_count; i++) {
        const double want = x[1 + t->pool_count + i];
        const double off = fabs((double)t->out[i] - want);

        if (off > tree_depth(t, i) + 2 * SAME)
            fail_msg("leaf %u: %llu, expected %.4f", i,
                     (unsigned long long)t->out[i], want);
    }
}

static void test_random_trees(void **state)
{
    const struct tree_opts opts = { 4, 8, 1000, 5 };
    struct bl_prng prng = { test_seed() };
    uint32_t compared = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        double x[1 + TREE_POOLS_MAX + TREE_LEAVES_MAX];
        struct tree t;

        tree_draw(&prng, &opts, &t);
        (void)tree_divide(&t, 0);

        const uint64_t lo = tree_lo(&t), hi = tree_hi(&t);
        const uint64_t capacity = lo + bl_prng_below(&prng, hi - lo + 2);
        struct lp l = make(&t, capacity);

        assert_true(solve(&l, x));
        compare(&t, capacity, x);
        compared += capacity < hi;
        glp_delete_prob(l.p);
        if (lo == 0)
            continue;
        l = make(&t, lo - 1);
        assert_false(solve(&l, x));
        assert_int_equal(tree_divide(&t, lo - 1), BL_ENTITLED_RESERVED);
        glp_delete_prob(l.p);
    }
    assert_true(compared > 1000);
    glp_free_env();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oracle_itself),
        cmocka_unit_test(test_random_trees),
    };

    return cmocka_run_group_tests_name("pool-lp", tests, test_group_setup,
                                       NULL);
}
