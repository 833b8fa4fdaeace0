/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_floor_milp - how far below the best placement the energy floor is.
 *
 * On toy clusters of 4 to 8 hosts of two kinds and 8 to 20 VMs the cheapest
 * placement is found by GLPK's branch and bound: a host is on or off, a VM is
 * on one host, whole,
 *
 *     z_vh, y_h in {0, 1},  sum_h z_vh = 1
 *     sum_v cpu_v z_vh <= C_h y_h,  sum_v mem_v z_vh <= M_h y_h
 *     P_h >= asleep_h + (a_k - asleep_h) y_h + b_k sum_v cpu_v z_vh
 *
 * for every line a_k + b_k x of the power curve, which is convex here. The
 * table of what comes out is in doc/models/floor.md; the test fails when the
 * page says something else. BL_FLOOR_PRINT=1 prints it anew.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/floor.h"

#include <glpk.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAGE "doc/models/floor.md"

enum {
    CLUSTERS = 20,
    HOSTS_MAX = 8,
    VMS_MAX = 20,
    LINES = BL_POWER_POINTS - 1,
    ROW_BYTES = 160
};

struct vm {
    double mhz, mib;
};

struct toy {
    struct bl_dc dc;
    uint32_t hosts, vms;
    uint8_t group[HOSTS_MAX];
    struct vm vm[VMS_MAX];
    double mhz, mib; /* of all VMs */
};

/* ---- toy clusters
 * ---------------------------------------------------------- */

static void draw_group(struct bl_prng *p, struct bl_host_group *g)
{
    const uint32_t step = 200 + (uint32_t)bl_prng_below(p, 800);

    *g = (struct bl_host_group){
        .host_count = 2 + (uint32_t)bl_prng_below(p, 3),
        .core_count = 4 + 4 * (uint32_t)bl_prng_below(p, 3),
        .core_khz = 2000000 + bl_prng_below(p, 15) * 100000,
        .mem_bytes = (UINT64_C(16) + 8 * bl_prng_below(p, 5)) << 30,
        .standby = { .power_mw = 10000 },
        .off = { .power_mw = 5000 },
    };
    g->power.mw[0] = 60000 + 1000 * (uint32_t)bl_prng_below(p, 60);
    for (uint32_t i = 1; i < BL_POWER_POINTS; i++) /* convex */
        g->power.mw[i] = g->power.mw[i - 1] + 4000 + step * i;
}

static double host_mhz(const struct bl_host_group *g)
{
    return (double)(g->core_count * g->core_khz) / 1000;
}

static double host_mib(const struct bl_host_group *g)
{
    return (double)g->mem_bytes / BL_MIB;
}

/* @kind 0: CPU is short, 1: memory is, 2: either. */
static void draw_vm(struct bl_prng *p, uint64_t kind, struct vm *v)
{
    const double cpu_most = kind == 1 ? 900 : 3500;
    const double mem_most = kind == 0 ? 2048 : 8192;

    v->mhz = 100 + floor(cpu_most * (double)bl_prng_below(p, 1001) / 1000);
    v->mib = 256 + floor(mem_most * (double)bl_prng_below(p, 1001) / 1000);
}

static void draw_toy(struct bl_prng *p, struct toy *t)
{
    const uint64_t kind = bl_prng_below(p, 3);
    double mhz = 0, mib = 0;

    *t = (struct toy){ .dc = { .host_group_count = 2 } };
    for (uint32_t g = 0; g < 2; g++) {
        struct bl_host_group *x = &t->dc.host_group[g];

        draw_group(p, x);
        for (uint32_t h = 0; h < x->host_count; h++)
            t->group[t->hosts++] = (uint8_t)g;
        mhz += host_mhz(x) * x->host_count;
        mib += host_mib(x) * x->host_count;
    }
    t->vms = 8 + (uint32_t)bl_prng_below(p, VMS_MAX - 8 + 1);
    for (uint32_t v = 0; v < t->vms; v++) {
        draw_vm(p, kind, &t->vm[v]);
        if (t->mhz + t->vm[v].mhz > mhz * 0.8 ||
            t->mib + t->vm[v].mib > mib * 0.8) {
            t->vms = v; /* enough */
            break;
        }
        t->mhz += t->vm[v].mhz;
        t->mib += t->vm[v].mib;
    }
}

/* ---- the cheapest placement
 * ------------------------------------------------ */

/* Columns: y and P of each host, then z by VM and host. */
static int column_y(uint32_t host)
{
    return 1 + (int)host;
}

static int column_p(const struct toy *t, uint32_t host)
{
    return 1 + (int)(t->hosts + host);
}

static int column_z(const struct toy *t, uint32_t vm, uint32_t host)
{
    return 1 + (int)(2 * t->hosts + vm * t->hosts + host);
}

static double asleep_w(const struct bl_host_group *g)
{
    return g->off.power_mw / 1000.0;
}

/* Terms of a row as GLPK wants them: from 1. */
struct row {
    int n, column[VMS_MAX + HOSTS_MAX + 3];
    double x[VMS_MAX + HOSTS_MAX + 3];
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

static void add_host(glp_prob *lp, const struct toy *t, uint32_t h)
{
    const struct bl_host_group *g = &t->dc.host_group[t->group[h]];
    struct row cpu = { .n = 0 }, mem = { .n = 0 };

    term(&cpu, column_y(h), -host_mhz(g));
    term(&mem, column_y(h), -host_mib(g));
    for (uint32_t v = 0; v < t->vms; v++) {
        term(&cpu, column_z(t, v, h), t->vm[v].mhz);
        term(&mem, column_z(t, v, h), t->vm[v].mib);
    }
    add_row(lp, &cpu, GLP_UP, 0);
    add_row(lp, &mem, GLP_UP, 0);
    for (uint32_t k = 0; k < LINES; k++) {
        const double from = g->power.mw[k] / 1000.0;
        const double b =
            (g->power.mw[k + 1] / 1000.0 - from) / (host_mhz(g) / LINES);
        const double a = from - b * host_mhz(g) * k / LINES;
        struct row line = { .n = 0 };

        term(&line, column_p(t, h), 1);
        term(&line, column_y(h), asleep_w(g) - a);
        for (uint32_t v = 0; v < t->vms; v++)
            term(&line, column_z(t, v, h), -b * t->vm[v].mhz);
        add_row(lp, &line, GLP_LO, asleep_w(g));
    }
    if (h > 0 && t->group[h] == t->group[h - 1]) { /* alike: in order */
        struct row order = { .n = 0 };

        term(&order, column_y(h - 1), 1);
        term(&order, column_y(h), -1);
        add_row(lp, &order, GLP_LO, 0);
    }
}

static glp_prob *make(const struct toy *t)
{
    glp_prob *lp = glp_create_prob();

    glp_add_cols(lp, (int)(2 * t->hosts + t->vms * t->hosts));
    for (uint32_t h = 0; h < t->hosts; h++) {
        glp_set_col_kind(lp, column_y(h), GLP_BV);
        glp_set_col_bnds(lp, column_p(t, h), GLP_LO, 0, 0);
        glp_set_obj_coef(lp, column_p(t, h), 1);
    }
    for (uint32_t v = 0; v < t->vms; v++) {
        struct row one = { .n = 0 };

        for (uint32_t h = 0; h < t->hosts; h++) {
            glp_set_col_kind(lp, column_z(t, v, h), GLP_BV);
            term(&one, column_z(t, v, h), 1);
        }
        add_row(lp, &one, GLP_FX, 1);
    }
    for (uint32_t h = 0; h < t->hosts; h++)
        add_host(lp, t, h);
    return lp;
}

/* At most @gap above the optimum; NAN: no placement. */
static double placed_w(const struct toy *t, double gap)
{
    glp_prob *lp = make(t);
    double watts = NAN;
    glp_iocp parm;

    glp_init_iocp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    parm.presolve = GLP_ON;
    parm.mir_cuts = parm.cov_cuts = GLP_ON;
    parm.mip_gap = gap;
    glp_term_out(GLP_OFF);

    const int end = glp_intopt(lp, &parm);

    assert_true(end == 0 || end == GLP_EMIPGAP);
    if (end == GLP_EMIPGAP || glp_mip_status(lp) == GLP_OPT)
        watts = glp_mip_obj_val(lp);
    glp_delete_prob(lp);
    return watts;
}

/* ---- the table
 * ------------------------------------------------------------- */

struct ratios {
    double joint[CLUSTERS], apart[CLUSTERS]; /* bound / placement */
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts @x; the mean of the two in the middle. */
static double median(double *x)
{
    qsort(x, CLUSTERS, sizeof(*x), by_value);
    return (x[CLUSTERS / 2 - 1] + x[CLUSTERS / 2]) / 2;
}

static void one_row(const struct toy *t, int i, struct ratios *r, char *row)
{
    struct bl_floor f;

    bl_floor_build(&f, &t->dc, true, true);

    const double best = placed_w(t, 0.002);
    const double joint = bl_floor_watts(&f, t->mhz, t->mib);
    const double apart = bl_floor_watts_apart(&f, t->mhz, t->mib);

    assert_true(best > 0); /* NAN is not */
    assert_true(joint <= best * (1 + 1e-9));
    assert_true(apart <= joint);
    r->joint[i] = joint / best;
    r->apart[i] = apart / best;
    snprintf(row, ROW_BYTES,
             "| %d | %u | %u | %.1f | %.1f | %.2f | %.1f | %.2f |", i + 1,
             t->hosts, t->vms, best, joint, joint / best, apart, apart / best);
}

static void expect(const char *page, const char *row)
{
    if (getenv("BL_FLOOR_PRINT") != NULL)
        printf("%s\n", row);
    else if (strstr(page, row) == NULL)
        fail_msg(PAGE " lacks: %s", row);
}

static char *read_page(void)
{
    enum { PAGE_BYTES = 1 << 16 };
    char *text = calloc(1, PAGE_BYTES);
    FILE *f = fopen(PAGE, "r");

    assert_non_null(text);
    assert_non_null(f);
    assert_true(fread(text, 1, PAGE_BYTES, f) < PAGE_BYTES);
    fclose(f);
    return text;
}

static void test_the_table_of_the_page(void **state)
{
    struct bl_prng p = { 1 };
    char row[ROW_BYTES];
    struct ratios r;
    char *page = read_page();

    (void)state;
    for (int i = 0; i < CLUSTERS; i++) {
        struct toy t;

        draw_toy(&p, &t);
        one_row(&t, i, &r, row);
        expect(page, row);
    }

    const double joint = median(r.joint), apart = median(r.apart);

    snprintf(row, sizeof(row), "| median | | | | | %.2f | | %.2f |", joint,
             apart);
    expect(page, row);
    snprintf(row, sizeof(row), "| worst | | | | | %.2f | | %.2f |", r.joint[0],
             r.apart[0]);
    expect(page, row);
    free(page);
    glp_free_env();
}

/* Other clusters than those of the table: never above what can be placed. */
static void test_never_above_a_whole_placement(void **state)
{
    struct bl_prng p = { test_seed() };
    uint32_t placed = 0;

    (void)state;
    for (int i = 0; i < 60; i++) {
        struct toy t;
        struct bl_floor f;

        draw_toy(&p, &t);
        bl_floor_build(&f, &t.dc, true, true);

        const double best = placed_w(&t, 0.05);

        if (isnan(best))
            continue; /* there is room, but not for whole VMs */
        placed++;
        if (bl_floor_watts(&f, t.mhz, t.mib) > best * (1 + 1e-9))
            fail_msg("placed at %.17g W, floor %.17g W", best,
                     bl_floor_watts(&f, t.mhz, t.mib));
    }
    assert_true(placed > 40);
    glp_free_env();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_of_the_page),
        cmocka_unit_test(test_never_above_a_whole_placement),
    };

    return cmocka_run_group_tests_name("floor-milp", tests, test_group_setup,
                                       NULL);
}
