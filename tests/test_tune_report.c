/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tune_report - what a search found, as text, CSV, JSON, page and policy
 * file: digits that read back, names that stay names.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "config/scenario.h"
#include "manager/registry.h"
#include "report/tune_report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 4, TEXT_BYTES = 1 << 20 };

static struct bl_space space;
static struct bl_params point[POINTS];
static struct bl_tune_row row[POINTS];
static const uint32_t front[] = { 1, 0 };
static const struct bl_tune_day day = { "mon,\"day\"", 0xabc, 288 };
static const struct bl_tune_day other_day = { "tue</script>", 0xdef, 288 };
static struct bl_tune_report report;
static struct bl_diag diag;

/* Baseline, a better one, a worse one, and one that was not finished. */
static int set_up(void **state)
{
    static const double tuned[POINTS][BL_OBJECTIVE_COUNT] = {
        { 20, 1e-5, 0.1 + 0.2, 7, 9 },
        { 10.1, 5e-324, 1.0 / 3, 1e15, 0 },
        { 30, 1, 1, INFINITY, 1 },
        { 0 },
    };
    const struct bl_policy *policy = NULL;
    struct bl_params base;

    (void)state;
    assert_ok(bl_registry_find("lr-mmt-1.2", NULL, 0, &policy, &base, &diag));
    bl_space_init(&space, &base);
    assert_ok(bl_space_vary(&space, "safety", "1:3:1", NULL, 0, &diag));
    assert_ok(bl_space_vary(&space, "sleep", "off,none", NULL, 0, &diag));
    for (uint32_t i = 0; i < POINTS; i++) {
        bl_space_grid(&space, i, &point[i]);
        row[i] = (struct bl_tune_row){ .policy = "lr-mmt-1.2",
                                       .params = &point[i],
                                       .complete = i < 3,
                                       .twin = BL_NONE };
        memcpy(row[i].tuned, tuned[i], sizeof(tuned[i]));
    }
    row[1].place = 1;
    row[0].place = 2;
    row[1].validated = true;
    memcpy(row[1].other, tuned[0], sizeof(tuned[0]));
    report = (struct bl_tune_report){
        .version = "1.0",
        .scenario = "<b>&\"</script><!--",
        .physics = "real",
        .strategy = "grid of 3 points",
        .scenario_hash = 0x123,
        .seed = 5,
        .space = &space,
        .day = &day,
        .other_day = &other_day,
        .day_count = 1,
        .other_count = 1,
        .objectives = { 2, { BL_OBJECTIVE_ENERGY, BL_OBJECTIVE_UNSERVED } },
        .pick = { .rule = BL_PICK_ENERGY },
        .row = row,
        .row_count = POINTS,
        .front = front,
        .front_count = 2,
        .chosen = 1,
        .runs_done = 4,
        .runs_all = 4,
    };
    return 0;
}

static char *text_of(void (*write)(FILE *f))
{
    char *text = malloc(TEXT_BYTES);
    FILE *f = tmpfile();
    size_t n;

    assert_non_null(text);
    assert_non_null(f);
    write(f);
    rewind(f);
    n = fread(text, 1, TEXT_BYTES, f);
    assert_in_range(n, 1, TEXT_BYTES - 1);
    text[n] = '\0';
    fclose(f);
    assert_int_equal(strlen(text), n);
    return text;
}

static void write_text(FILE *f)
{
    const struct bl_style style = { .utf8 = false };

    bl_tune_text(f, &report, &style);
}

static void write_front(FILE *f)
{
    bl_tune_csv_front(f, &report);
}

static void write_points(FILE *f)
{
    bl_tune_csv_points(f, &report);
}

static void write_json(FILE *f)
{
    assert_ok(bl_tune_json(f, &report));
}

static void write_html(FILE *f)
{
    assert_ok(bl_tune_html(f, &report));
}

static void write_policy(FILE *f)
{
    bl_tune_policy(f, &report);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in: %.2000s", part, text);
}

static void test_the_table(void **state)
{
    char *text = text_of(write_text);

    (void)state;
    assert_has(text, "ballast 1.0\n");
    assert_has(text, "tuned on   mon,\"day\"");
    assert_has(text, "vary       safety=1:3:1\n             sleep=off,none\n");
    assert_has(text, "*    1        10.1    0.333333          20         0.3");
    assert_has(text,
               " b   2          20         0.3           -           -"
               "  lr-mmt-1.2 as it is\n");
    assert_has(text, "* picked: least energy that leaves no more unserved");
    assert_null(strstr(text, "PARTIAL"));
    for (const char *c = text; *c != '\0'; c++)
        assert_true((*c >= ' ' && *c <= '~') || *c == '\n');
    free(text);
    report.partial = true;
    report.runs_done = 3;
    text = text_of(write_text);
    assert_has(text, "PARTIAL: interrupted; 3 of 4 runs are complete");
    free(text);
    report.front_count = 0;
    text = text_of(write_text);
    assert_has(text, "there is no front");
    free(text);
}

static void test_lines_of_csv(void **state)
{
    char *text = text_of(write_front);

    (void)state;
    assert_string_equal(
        text,
        "place,chosen,policy,safety,sleep,energy,slav,unserved,migrations,"
        "transitions,validated_energy,validated_slav,validated_unserved,"
        "validated_migrations,validated_transitions\n"
        "1,1,lr-mmt-1.2,1,none,10.1,4.9406564584124654e-324,"
        "0.33333333333333331,1000000000000000,0,20,1.0000000000000001e-05,"
        "0.30000000000000004,7,9\n"
        "2,0,lr-mmt-1.2,1,off,20,1.0000000000000001e-05,"
        "0.30000000000000004,7,9,,,,,\n");
    free(text);
    text = text_of(write_points);
    assert_has(text, "\n,0,lr-mmt-1.2,2,off,30,1,1,,1,,,,,\n");
    assert_null(strstr(text, ",3,")); /* what was not finished */
    free(text);
}

static void test_doubles_of_json_read_back(void **state)
{
    char *text = text_of(write_json);
    json_t *o = json_loads(text, 0, NULL), *points, *first;

    (void)state;
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "format")),
                        BL_JSON_TUNE);
    assert_string_equal(json_string_value(json_object_get(o, "scenario")),
                        "<b>&\"</script><!--");
    points = json_object_get(o, "points");
    assert_int_equal(json_array_size(points), 3);
    first = json_array_get(points, 1);
    assert_int_equal(json_integer_value(json_object_get(first, "place")), 1);
    assert_true(json_is_true(json_object_get(first, "chosen")));
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(first, "parameters"), "overload")),
                        "lr");
    first = json_object_get(first, "tuned");
    assert_true(json_real_value(json_object_get(first, "slav")) == 5e-324);
    assert_true(json_real_value(json_object_get(first, "unserved")) == 1.0 / 3);
    first = json_object_get(json_array_get(points, 2), "tuned");
    assert_true(json_is_null(json_object_get(first, "migrations")));
    assert_true(
        json_is_null(json_object_get(json_array_get(points, 2), "validated")));
    json_decref(o);
    free(text);
}

/* How often @part is in @text. */
static int count(const char *text, const char *part)
{
    int n = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void test_names_stay_names_in_a_page(void **state)
{
    char *text = text_of(write_html), *data, *end;

    (void)state;
    assert_has(text,
               "<h1>ballast tune: &lt;b&gt;&amp;&quot;&lt;/script&gt;"
               "&lt;!--</h1>");
    assert_int_equal(count(text, "<script>"), 2); /* dygraphs and ours */
    assert_int_equal(count(text, "</script>"), 2);
    assert_null(strstr(text, "<!--"));
    assert_has(text, "\\u003cb>&\\\"\\u003c/script>\\u003c!--");
    assert_has(text, "<dd>tue&lt;/script&gt;");
    /* the data is JSON and says the same */
    data = strstr(text, "const tune=");
    assert_non_null(data);
    data += strlen("const tune=");
    end = strstr(data, ";\n");
    assert_non_null(end);
    *end = '\0';

    json_t *o = json_loads(data, 0, NULL);

    assert_string_equal(json_string_value(json_object_get(o, "scenario")),
                        "<b>&\"</script><!--");
    json_decref(o);
    free(text);
}

static void test_the_policy_file_is_read_back(void **state)
{
    char *text = text_of(write_policy);
    const struct bl_policy *policy = NULL;
    struct bl_policy_choice c;
    struct bl_params p;

    (void)state;
    if (bl_policy_file_parse(text, strlen(text), "p.yaml", &c, &diag) !=
        BL_ERR_OK)
        fail_msg("%s in: %s", diag.text, text);
    assert_string_equal(c.file, "p.yaml");
    assert_ok(bl_registry_find(c.name, c.file, c.line, &policy, &p, &diag));
    assert_int_equal(c.param_count, p.count); /* all of them */
    for (uint32_t i = 0; i < c.param_count; i++)
        assert_ok(bl_params_set(&p, c.param[i].name, c.param[i].text, c.file,
                                c.param[i].line, &diag));
    assert_memory_equal(p.value, point[1].value, p.count * sizeof(p.value[0]));
    free(text);
    report.chosen = BL_NONE;
    expect_assert_failure(bl_tune_policy(stdout, &report));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        EACH(test_the_table),
        EACH(test_lines_of_csv),
        EACH(test_doubles_of_json_read_back),
        EACH(test_names_stay_names_in_a_page),
        EACH(test_the_policy_file_is_read_back),
    };

    return cmocka_run_group_tests_name("tune_report", tests, test_group_setup,
                                       NULL);
}
