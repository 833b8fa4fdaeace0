/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tune - which points are tried, for how long, and which one is picked:
 * ranges and lists, grids and draws, rungs of halving, objectives and rules.
 */
#include "tests/test.h"

#include "hv/snapshot.h"
#include "manager/registry.h"
#include "tune/halving.h"
#include "tune/pick.h"
#include "tune/space.h"

#include <stdio.h>
#include <string.h>

static struct bl_space space;
static struct bl_diag diag;

static void begin(const char *policy)
{
    const struct bl_policy *p = NULL;
    struct bl_params base;

    assert_ok(bl_registry_find(policy, NULL, 0, &p, &base, &diag));
    bl_space_init(&space, &base);
}

static bl_err vary(const char *name, const char *text)
{
    diag.text[0] = '\0';
    return bl_space_vary(&space, name, text, "x.yaml", 7, &diag);
}

static int64_t at(const struct bl_params *p, const char *name)
{
    return bl_params_get(p, name);
}

/* ---- ranges ------------------------------------------------------------- */

static void test_a_grid(void **state)
{
    struct bl_params p;
    char text[256];

    (void)state;
    begin("lr-mmt-1.2");
    assert_ok(vary("safety", "1.0:1.2:0.1"));
    assert_ok(vary("select", "mmt,mu"));
    assert_int_equal(bl_space_grid_count(&space), 6);
    bl_space_grid(&space, 0, &p);
    assert_int_equal(at(&p, "safety"), 1000000);
    assert_int_equal(at(&p, "select"), 0);
    assert_int_equal(at(&p, "overload"), 3); /* lr, as the name says */
    bl_space_grid(&space, 3, &p);
    assert_int_equal(at(&p, "safety"), 1100000);
    assert_int_equal(at(&p, "select"), 3);
    bl_space_grid(&space, 5, &p);
    assert_int_equal(at(&p, "safety"), 1200000);
    expect_assert_failure(bl_space_grid(&space, 6, &p));
    bl_space_dim_print(&space, 0, text, sizeof(text));
    assert_string_equal(text, "safety=1:1.2:0.1");
    bl_space_dim_print(&space, 1, text, sizeof(text));
    assert_string_equal(text, "select=mmt,mu");
}

static void test_a_step_need_not_reach_the_end(void **state)
{
    struct bl_params p;

    (void)state;
    begin("consolidate");
    assert_ok(vary("fallback", "50%:90%:25%"));
    assert_int_equal(bl_space_grid_count(&space), 2);
    bl_space_grid(&space, 1, &p);
    assert_int_equal(at(&p, "fallback"), 750000);
}

static void test_a_range_without_a_step_has_no_grid(void **state)
{
    struct bl_params p;
    char text[64];

    (void)state;
    begin("consolidate");
    assert_ok(vary("safety", "0.5:1.5"));
    assert_int_equal(bl_space_grid_count(&space), 0);
    bl_space_dim_print(&space, 0, text, sizeof(text));
    assert_string_equal(text, "safety=0.5:1.5");
    for (uint64_t i = 0; i < 100; i++) {
        bl_space_draw(&space, 1, i, &p);
        assert_in_range(at(&p, "safety"), 500000, 1500000);
    }
}

static void test_nothing_varied_is_one_point(void **state)
{
    struct bl_params p;

    (void)state;
    begin("consolidate");
    assert_int_equal(bl_space_grid_count(&space), 1);
    bl_space_grid(&space, 0, &p);
    assert_memory_equal(&p, &space.base, sizeof(p));
}

static void test_a_grid_that_cannot_be_counted(void **state)
{
    (void)state;
    begin("consolidate");
    assert_ok(vary("safety", "0:10:0.000001"));
    assert_int_equal(bl_space_grid_count(&space), 10000001);
    assert_ok(vary("fallback", "0.01:1:0.000001"));
    /* pretend: the widest that counts can be */
    space.dim[0].count = UINT64_MAX / 2;
    assert_true(bl_space_grid_count(&space) == UINT64_MAX);
}

/* A seed gives the same points, whatever else is drawn. */
static void test_draws_are_functions_of_seed_and_number(void **state)
{
    struct bl_params a, b;
    uint32_t same = 0, seen[4] = { 0 };

    (void)state;
    begin("consolidate");
    assert_ok(vary("safety", "0.5:1.5"));
    assert_ok(vary("select", "mmt,mc,rs,mu"));
    for (uint64_t i = 0; i < 1000; i++) {
        bl_space_draw(&space, 7, i, &a);
        bl_space_draw(&space, 7, i, &b);
        assert_memory_equal(&a, &b, sizeof(a));
        seen[at(&a, "select")]++;
        bl_space_draw(&space, 8, i, &b);
        same += at(&a, "safety") == at(&b, "safety");
    }
    assert_true(same < 10);
    for (int i = 0; i < 4; i++) /* 250 expected: 6 sd are 82 */
        assert_in_range(seen[i], 168, 332);
}

static const struct {
    const char *name, *text, *says;
} refused[] = {
    { "saftey", "1:2:0.1", "x.yaml:7: unknown parameter 'saftey'" },
    { "safety", "", "x.yaml:7: safety: '', expected LO:HI:STEP" },
    { "safety", ":", "expected LO:HI:STEP" },
    { "safety", "1:", "expected LO:HI:STEP" },
    { "safety", "1::0.1", "expected LO:HI:STEP" },
    { "safety", ",", "expected LO:HI:STEP" },
    { "safety", "1,", "expected LO:HI:STEP" },
    { "safety", "1,,2", "expected LO:HI:STEP" },
    { "safety", "1,1.0", "expected each value once" },
    { "safety", "2:1:0.1", "expected a range from less to more" },
    { "safety", "1:1:0.1", "expected a range from less to more" },
    { "safety", "1:2:0", "expected a step above 0" },
    { "safety", "1:2:", "expected a step above 0" },
    { "safety", "1:2:-1", "expected a step above 0" },
    { "safety", "1:2:0.0000001", "expected a step above 0" },
    { "safety", "1:2:0.1:3", "expected a step above 0" },
    { "safety", "1:2:one", "expected a step above 0" },
    { "safety", "1:11:1", "safety: 11 is out of range, expected 0 .. 10" },
    { "safety", "-1:1:1", "safety: '-1', expected" },
    { "safety", "1e0:2:1", "safety: '1e0', expected" },
    { "safety", "99999999999999999999999:2", "expected" },
    { "safety", "nan:inf", "safety: 'nan', expected" },
    { "safety", "mmt", "safety: 'mmt', expected" },
    { "select", "mmt:mu", "expected a list such as a,b" },
    { "select", "mmt,nothing", "select: 'nothing', expected one of mmt mc" },
    { "select", "mmt, mu", "select: ' mu', expected one of mmt" },
};

static void test_what_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct bl_space before;

        begin("consolidate");
        before = space;
        if (vary(refused[i].name, refused[i].text) == BL_ERR_OK)
            fail_msg("%s=%s was taken", refused[i].name, refused[i].text);
        if (strstr(diag.text, refused[i].says) == NULL)
            fail_msg("%s=%s: '%s', not '%s'", refused[i].name, refused[i].text,
                     diag.text, refused[i].says);
        assert_memory_equal(&before, &space, sizeof(space));
    }
}

static void test_twice_and_too_many(void **state)
{
    char list[2048] = "0.01";

    (void)state;
    begin("consolidate");
    assert_ok(vary("safety", "1,2"));
    assert_int_equal(vary("safety", "1:2:1"), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "expected each parameter once"));
    for (int i = 2; i <= 65; i++) {
        const size_t used = strlen(list);

        snprintf(list + used, sizeof(list) - used, ",0.%02d", i);
    }
    assert_int_equal(vary("fallback", list), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "at most 64 values"));
    memset(list, '9', sizeof(list) - 1);
    list[sizeof(list) - 1] = '\0';
    assert_int_equal(vary("fallback", list), BL_ERR_PARSE);
}

static void test_a_policy_without_parameters(void **state)
{
    const struct bl_params none = { .count = 0 };

    (void)state;
    bl_space_init(&space, &none);
    assert_int_equal(vary("safety", "1,2"), BL_ERR_NOENT);
    assert_non_null(strstr(diag.text, "expected none"));
}

/* ---- halving ------------------------------------------------------------ */

static void test_rungs(void **state)
{
    struct bl_rungs r;

    (void)state;
    bl_halving_plan(81, 288, 12, &r);
    assert_int_equal(r.count, 3); /* a fourth would have 11 steps */
    assert_int_equal(r.rung[0].points, 81);
    assert_int_equal(r.rung[0].steps, 32);
    assert_int_equal(r.rung[1].points, 27);
    assert_int_equal(r.rung[1].steps, 96);
    assert_int_equal(r.rung[2].points, 9);
    assert_int_equal(r.rung[2].steps, 288);
    bl_halving_plan(2, 288, 12, &r);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.rung[0].points, 2);
    assert_int_equal(r.rung[0].steps, 288);
    bl_halving_plan(1000, 3, 12, &r);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.rung[0].steps, 3);
}

static void test_rungs_of_any_size(void **state)
{
    (void)state;
    for (uint32_t points = 1; points < 3000; points += 37) {
        for (uint64_t steps = 1; steps < 1000000; steps = steps * 5 + 1) {
            struct bl_rungs r;

            bl_halving_plan(points, steps, 12, &r);
            assert_in_range(r.count, 1, BL_RUNGS_MAX);
            assert_int_equal(r.rung[0].points, points);
            assert_true(r.rung[r.count - 1].steps == steps);
            for (uint32_t i = 1; i < r.count; i++) {
                assert_true(r.rung[i].points <= r.rung[i - 1].points);
                assert_true(r.rung[i].points >= 1);
                assert_true(r.rung[i].steps >= r.rung[i - 1].steps);
                assert_true(r.rung[i - 1].steps >= 12);
            }
        }
    }
}

/* ---- objectives and rules ----------------------------------------------- */

static void test_objectives(void **state)
{
    static const char *const wrong[] = { "",       ",",           "energy,",
                                         "watts",  "energy slav", "energ",
                                         "Energy", "energy,,slav" };
    struct bl_objectives o = { .count = 9 };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(bl_objectives_parse(wrong[i], "x.yaml", 3, &o, &diag),
                         BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "x.yaml:3: objectives: "));
        assert_int_equal(o.count, 9);
    }
    assert_int_equal(bl_objectives_parse("slav,slav", NULL, 0, &o, &diag),
                     BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "twice"));
    assert_ok(bl_objectives_parse("unserved,energy", NULL, 0, &o, &diag));
    assert_int_equal(o.count, 2);
    assert_int_equal(o.of[0], BL_OBJECTIVE_UNSERVED);
    assert_int_equal(o.of[1], BL_OBJECTIVE_ENERGY);
    assert_true(bl_objectives_has(&o, BL_OBJECTIVE_ENERGY));
    assert_false(bl_objectives_has(&o, BL_OBJECTIVE_SLAV));
    assert_ok(bl_objectives_parse("energy,slav,unserved,migrations,transitions",
                                  NULL, 0, &o, &diag));
    assert_int_equal(o.count, BL_OBJECTIVE_COUNT);
}

/* energy, slav, unserved, migrations, transitions */
static const double front[][BL_OBJECTIVE_COUNT] = {
    { 10, 0, 90, 0, 0 }, { 11, 0, 30, 0, 0 }, { 12, 0, 25, 0, 0 },
    { 19, 0, 20, 0, 0 }, { 20, 0, 0, 0, 0 },
};

static uint32_t pick(const char *rule, double energy, double unserved)
{
    const double baseline[BL_OBJECTIVE_COUNT] = {
        [BL_OBJECTIVE_ENERGY] = energy, [BL_OBJECTIVE_UNSERVED] = unserved
    };
    struct bl_objectives o;
    struct bl_tune_pick p;

    assert_ok(bl_objectives_parse("energy,unserved", NULL, 0, &o, &diag));
    assert_ok(bl_tune_pick_parse(rule, &o, NULL, 0, &p, &diag));
    return bl_tune_pick_choose(&p, &o, front, 5, baseline);
}

static void test_which_point_is_picked(void **state)
{
    (void)state;
    assert_int_equal(pick("energy", 13, 26), 2);
    assert_int_equal(pick("energy", 13, 25), 2);
    assert_int_equal(pick("energy", 13, 24), 3);
    assert_int_equal(pick("unserved", 13, 26), 2);
    assert_int_equal(pick("unserved", 11, 30), 1);
    assert_int_equal(pick("unserved", 99, 99), 4);
    assert_int_equal(pick("knee", 13, 26), 2); /* 0.20 and 0.28 away */
    assert_int_equal(pick("1", 13, 26), 0);
    assert_int_equal(pick("5", 13, 26), 4);
    assert_int_equal(pick("6", 13, 26), BL_NONE);
}

static void test_rules_that_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "0", "-1", "best", "1.5", "99999999999999999999", "energy "
    };
    struct bl_objectives o;
    struct bl_tune_pick p;

    (void)state;
    assert_ok(bl_objectives_parse("energy,unserved", NULL, 0, &o, &diag));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(
            bl_tune_pick_parse(wrong[i], &o, "x.yaml", 4, &p, &diag),
            BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "x.yaml:4: pick: '"));
    }
    assert_ok(bl_objectives_parse("energy,slav", NULL, 0, &o, &diag));
    assert_int_equal(bl_tune_pick_parse("energy", &o, NULL, 0, &p, &diag),
                     BL_ERR_INVAL);
    assert_int_equal(bl_tune_pick_parse("unserved", &o, NULL, 0, &p, &diag),
                     BL_ERR_INVAL);
    assert_ok(bl_tune_pick_parse("knee", &o, NULL, 0, &p, &diag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_grid),
        cmocka_unit_test(test_a_step_need_not_reach_the_end),
        cmocka_unit_test(test_a_range_without_a_step_has_no_grid),
        cmocka_unit_test(test_nothing_varied_is_one_point),
        cmocka_unit_test(test_a_grid_that_cannot_be_counted),
        cmocka_unit_test(test_draws_are_functions_of_seed_and_number),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_twice_and_too_many),
        cmocka_unit_test(test_a_policy_without_parameters),
        cmocka_unit_test(test_rungs),
        cmocka_unit_test(test_rungs_of_any_size),
        cmocka_unit_test(test_objectives),
        cmocka_unit_test(test_which_point_is_picked),
        cmocka_unit_test(test_rules_that_are_refused),
    };

    return cmocka_run_group_tests_name("tune", tests, test_group_setup, NULL);
}
