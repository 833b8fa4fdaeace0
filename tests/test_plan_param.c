/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plan_param - plans and the words for what is in them; the parameters
 * that a policy declares.
 */
#include "tests/test.h"

#include "hv/param.h"
#include "hv/plan.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- plans -------------------------------------------------------------- */

static void test_a_plan_keeps_its_order_and_counts_what_it_drops(void **state)
{
    struct bl_arena a;
    struct bl_plan p;

    (void)state;
    assert_ok(bl_arena_init(&a, 1 << 16));
    assert_ok(bl_plan_create(&a, 3, &p));
    for (uint32_t i = 0; i < 5; i++)
        bl_plan_add(&p, &(struct bl_action){ .kind = BL_ACTION_HOST_ON,
                                             .host = 10 + i });
    assert_int_equal(p.count, 3);
    assert_int_equal(p.dropped_count, 2);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(p.action[i].host, 10 + i);
    bl_arena_free(&a);
}

static void test_a_plan_of_no_memory(void **state)
{
    struct bl_arena a;
    struct bl_plan p = { .count = 77 };

    (void)state;
    assert_ok(bl_arena_init(&a, 1 << 16));
    a.fail_after = 0;
    assert_int_equal(bl_plan_create(&a, 3, &p), BL_ERR_NOMEM);
    assert_int_equal(p.count, 77); /* untouched */
    a.fail_after = -1;
    assert_ok(bl_plan_create(&a, 0, &p)); /* a plan for nothing drops all */
    bl_plan_add(&p, &(struct bl_action){ .host = 1 });
    assert_int_equal(p.dropped_count, 1);
    bl_arena_free(&a);
}

typedef const char *(*word_fn)(int code);

static const char *action_name(int k)
{
    return bl_action_name((enum bl_action_kind)k);
}

static const char *action_help(int k)
{
    return bl_action_help((enum bl_action_kind)k);
}

static const char *reason_text(int r)
{
    return bl_reason_text((enum bl_reason)r);
}

static const char *verdict_text(int v)
{
    return bl_verdict_text((enum bl_verdict)v);
}

static void test_every_code_has_words_of_its_own(void **state)
{
    static const struct {
        word_fn word;
        int count;
    } rows[] = {
        { action_name, BL_ACTION_COUNT },
        { action_help, BL_ACTION_COUNT },
        { reason_text, BL_REASON_COUNT },
        { verdict_text, BL_VERDICT_COUNT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int k = 0; k < rows[i].count; k++) {
            assert_true(strlen(rows[i].word(k)) > 0);
            for (int before = 0; before < k; before++)
                assert_string_not_equal(rows[i].word(before), rows[i].word(k));
        }
    }
    assert_string_equal(bl_action_name(BL_ACTION_MIGRATE), "migrate");
    assert_string_equal(bl_verdict_text(BL_VERDICT_OK), "accepted");
}

/* Figures have names, without a hole, and names say the unit where one is. */
static void test_figures_of_reasons_are_named(void **state)
{
    (void)state;
    for (int r = 0; r < BL_REASON_COUNT; r++) {
        bool ended = false;

        for (uint32_t i = 0; i < BL_FIGURES; i++) {
            const char *name = bl_reason_figure((enum bl_reason)r, i);

            assert_non_null(name);
            assert_false(ended && name[0] != '\0');
            ended = name[0] == '\0';
        }
    }
    assert_string_equal(bl_reason_figure(BL_REASON_LEAST_POWER, 0), "rise_w");
    assert_string_equal(bl_reason_figure(BL_REASON_LEAST_POWER, 2), "free_mhz");
    assert_string_equal(bl_reason_figure(BL_REASON_NO_POWER_SAVING, 0), "");
}

static void test_only_two_verdicts_accept(void **state)
{
    (void)state;
    for (int v = 0; v < BL_VERDICT_COUNT; v++)
        assert_int_equal(bl_verdict_accepted((enum bl_verdict)v),
                         v == BL_VERDICT_OK || v == BL_VERDICT_LATER);
}

static void test_codes_out_of_range_assert(void **state)
{
    (void)state;
    expect_assert_failure(bl_action_name(BL_ACTION_COUNT));
    expect_assert_failure(bl_action_help(BL_ACTION_COUNT));
    expect_assert_failure(bl_reason_text(BL_REASON_COUNT));
    expect_assert_failure(bl_reason_figure(BL_REASON_COUNT, 0));
    expect_assert_failure(bl_reason_figure(BL_REASON_WAKE, BL_FIGURES));
    expect_assert_failure(bl_verdict_text(BL_VERDICT_COUNT));
}

/* ---- parameters --------------------------------------------------------- */

static const char *const colours[] = { "red", "green", "dark-blue", NULL };

static const struct bl_param table[] = {
    { .name = "safety",
      .dim = BL_DIM_RATIO,
      .min = 10000,
      .max = 10000000,
      .def = 1200000,
      .meaning = "s" },
    { .name = "colour",
      .dim = BL_DIM_CHOICE,
      .max = 2,
      .def = 1,
      .meaning = "c",
      .choices = colours },
    { .name = "delay",
      .dim = BL_DIM_TIME,
      .max = 60 * BL_NS_PER_S,
      .def = 5 * BL_NS_PER_S,
      .meaning = "d" },
    { .name = "strict", .dim = BL_DIM_BOOL, .max = 1, .meaning = "b" },
};

static struct bl_params fresh(void)
{
    struct bl_params p;

    bl_params_init(&p, table, COUNT(table));
    return p;
}

static void test_defaults_then_what_is_set(void **state)
{
    struct bl_params p = fresh();
    struct bl_diag diag;
    char text[128];

    (void)state;
    bl_params_print(&p, text, sizeof(text));
    assert_string_equal(text, "safety=1.2 colour=green delay=5s strict=no");
    assert_ok(bl_params_set(&p, "safety", "250%", NULL, 0, &diag));
    assert_ok(bl_params_set(&p, "colour", "dark-blue", "x.yaml", 7, &diag));
    assert_ok(bl_params_set(&p, "delay", "1500 ms", NULL, 0, &diag));
    assert_ok(bl_params_set(&p, "strict", "yes", NULL, 0, &diag));
    assert_int_equal(bl_params_get(&p, "safety"), 2500000);
    assert_int_equal(bl_params_get(&p, "colour"), 2);
    assert_int_equal(bl_params_get(&p, "delay"), 1500000000);
    assert_int_equal(bl_params_get(&p, "strict"), 1);
    bl_params_print(&p, text, sizeof(text));
    assert_string_equal(text,
                        "safety=2.5 colour=dark-blue delay=1500ms strict=yes");
}

static void test_refusals_say_what_was_expected(void **state)
{
    static const struct {
        const char *name, *text;
        bl_err want;
        const char *said;
    } rows[] = {
        { "safty", "1", BL_ERR_NOENT,
          "x.yaml:7: unknown parameter 'safty', expected one of safety colour "
          "delay strict" },
        { "", "1", BL_ERR_NOENT,
          "x.yaml:7: unknown parameter '', expected one of safety colour delay "
          "strict" },
        { "colour", "gre", BL_ERR_PARSE,
          "x.yaml:7: colour: 'gre', expected one of red green dark-blue" },
        { "colour", "greenish", BL_ERR_PARSE,
          "x.yaml:7: colour: 'greenish', expected one of red green dark-blue" },
        { "colour", "1", BL_ERR_PARSE,
          "x.yaml:7: colour: '1', expected one of red green dark-blue" },
        { "safety", "0.001", BL_ERR_INVAL,
          "x.yaml:7: safety: 0.001 is out of range, expected 0.01 .. 10" },
        { "safety", "10.000001", BL_ERR_INVAL,
          "x.yaml:7: safety: 10.000001 is out of range, expected 0.01 .. 10" },
        { "delay", "2min", BL_ERR_INVAL,
          "x.yaml:7: delay: 2min is out of range, expected 0 .. 60s" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_params p = fresh();
        const struct bl_params before = p;
        struct bl_diag diag = { "" };

        print_message("    row: %s=%s\n", rows[i].name, rows[i].text);
        assert_int_equal(
            bl_params_set(&p, rows[i].name, rows[i].text, "x.yaml", 7, &diag),
            rows[i].want);
        assert_string_equal(diag.text, rows[i].said);
        assert_memory_equal(&p, &before, sizeof(p));
    }
}

/* What the dimension does not know comes with the dimension's own words. */
static void test_refusals_of_a_dimension(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "safety", "" },     { "safety", "-1" },  { "safety", "1.2x" },
        { "safety", "1,2" },  { "safety", "nan" }, { "delay", "5" },
        { "delay", "5 sec" }, { "strict", "2" },   { "strict", "maybe" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_params p = fresh();
        struct bl_diag diag = { "" };

        print_message("    row: %s=%s\n", rows[i].name, rows[i].text);
        assert_int_equal(
            bl_params_set(&p, rows[i].name, rows[i].text, NULL, 0, &diag),
            BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, rows[i].name));
        assert_non_null(strstr(diag.text, "expected"));
    }
}

/* Names and texts of any length: one line, cut. */
static void test_long_input_is_cut(void **state)
{
    struct bl_params p = fresh();
    struct bl_diag diag = { "" };
    static char text[5000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(bl_params_set(&p, text, "1", NULL, 0, &diag),
                     BL_ERR_NOENT);
    assert_non_null(strstr(diag.text, "expected one of safety"));
    assert_int_equal(bl_params_set(&p, "colour", text, NULL, 0, &diag),
                     BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "dark-blue"));
}

static void test_a_policy_without_parameters(void **state)
{
    struct bl_params p;
    struct bl_diag diag = { "" };
    char text[8] = "x";

    (void)state;
    bl_params_init(&p, NULL, 0);
    bl_params_print(&p, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(bl_params_set(&p, "safety", "1", NULL, 0, &diag),
                     BL_ERR_NOENT);
    assert_string_equal(diag.text, "unknown parameter 'safety', expected none");
}

static void test_printing_stops_at_the_end_of_the_buffer(void **state)
{
    const struct bl_params p = fresh();
    char whole[128], part[128];

    (void)state;
    bl_params_print(&p, whole, sizeof(whole));
    for (size_t n = 1; n <= strlen(whole) + 1; n++) {
        memset(part, '#', sizeof(part));
        bl_params_print(&p, part, n);
        assert_int_equal(strlen(part), n - 1);
        assert_memory_equal(part, whole, n - 1);
        assert_int_equal(part[n], '#');
    }
}

static void test_misuse_asserts(void **state)
{
    struct bl_params p = fresh();
    char text[8];

    (void)state;
    expect_assert_failure(bl_params_get(&p, "safty"));
    expect_assert_failure(bl_params_print(&p, text, 0));
    expect_assert_failure(bl_params_init(&p, table, BL_PARAMS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plan_keeps_its_order_and_counts_what_it_drops),
        cmocka_unit_test(test_a_plan_of_no_memory),
        cmocka_unit_test(test_every_code_has_words_of_its_own),
        cmocka_unit_test(test_figures_of_reasons_are_named),
        cmocka_unit_test(test_only_two_verdicts_accept),
        cmocka_unit_test(test_codes_out_of_range_assert),
        cmocka_unit_test(test_defaults_then_what_is_set),
        cmocka_unit_test(test_refusals_say_what_was_expected),
        cmocka_unit_test(test_refusals_of_a_dimension),
        cmocka_unit_test(test_long_input_is_cut),
        cmocka_unit_test(test_a_policy_without_parameters),
        cmocka_unit_test(test_printing_stops_at_the_end_of_the_buffer),
        cmocka_unit_test(test_misuse_asserts),
    };

    return cmocka_run_group_tests_name("plan and parameters", tests,
                                       test_group_setup, NULL);
}
