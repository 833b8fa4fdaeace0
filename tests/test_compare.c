/* SPDX-License-Identifier: Apache-2.0 */
/* test_compare - two runs side by side, from files that may be anything. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "report/compare.h"
#include "tests/support_files.h"
#include "tests/support_report.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 1 << 18 };

/* The run's JSON, in a file. */
static const char *save(const struct bl_result *r)
{
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");
    const char *path;

    assert_non_null(f);
    assert_ok(bl_report_json(f, r, NULL));
    fclose(f);
    path = test_text("run.json", text);
    free(text);
    return path;
}

static void test_compare_reads_back_what_was_written(void **state)
{
    static struct bl_compared x, y;
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    struct bl_diag diag;
    char text[TEXT / 8] = "";
    double value[BL_FIGURE_COUNT];
    FILE *f;

    (void)state;
    assert_ok(bl_compare_load(save(r), &x, &diag));
    bl_figures(r, value);
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++)
        assert_true(x.value[i] == value[i]);
    assert_string_equal(x.policy, "lr-mmt-1.2");
    r->energy_kwh = 2 * r->energy_kwh;
    assert_ok(bl_compare_load(save(r), &y, &diag));
    assert_ok(bl_compare_check(&x, &y, &diag));
    f = fmemopen(text, sizeof(text), "w");
    bl_compare_text(f, &x, &y, &(struct bl_style){ false, false });
    fclose(f);
    assert_non_null(strstr(text,
                           "energy_kwh                  163.48104       "
                           " 326.96208        163.481   2.0000\n"));
    assert_non_null(strstr(text, "=\n"));
    bl_arena_free(&a);
}

static void test_compare_refuses_other_input(void **state)
{
    static struct bl_compared x, y;
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    struct bl_diag diag;

    (void)state;
    assert_ok(bl_compare_load(save(r), &x, &diag));
#define DIFFERS(change, word)                                                  \
    do {                                                                       \
        y = x;                                                                 \
        change;                                                                \
        assert_int_equal(bl_compare_check(&x, &y, &diag), BL_ERR_INVAL);       \
        assert_non_null(strstr(diag.text, word));                              \
    } while (0)
    DIFFERS(y.trace_hash[0] = 'x', "trace");
    DIFFERS(y.physics[0] = 'x', "physics");
    DIFFERS(y.demand[0] = 'x', "demand");
    DIFFERS(y.value[BL_FIGURE_hosts]++, "hosts");
    DIFFERS(y.value[BL_FIGURE_simulated_s]++, "time replayed");
#undef DIFFERS
    y = x;
    y.policy[0] = 'x';
    assert_ok(bl_compare_check(&x, &y, &diag));
    bl_arena_free(&a);
}

static void test_compare_says_what_is_wrong_with_a_file(void **state)
{
    static const struct {
        const char *text;
        size_t bytes; /* 0: strlen */
        const char *says;
    } row[] = {
        { "", 0, ":1: not JSON" },
        { "{\n\"format\": }", 0, ":2: not JSON" },
        { "[1, 2", 0, ":1: not JSON" },
        { "{\"a\": 1, \"a\": 2}", 0, "not JSON" },
        { "\0\0\0\0", 4, "not JSON" },
        { "\xff\xfe\xfd", 0, "not JSON" },
        { "[]", 0, "no \"format\"" },
        { "{\"format\": 1}", 0, "no \"format\"" },
        { "{\"format\": \"ballast-seeds-1\"}", 0, "several seeds" },
        { "{\"format\": \"ballast-host-1\"}", 0, "report of level host" },
        { "{\"format\": \"ballast-host-seeds-1\"}", 0, "report of level host" },
        { "{\"format\": \"ballast-run-1\"}", 0, "no text 'version'" },
        { "{\"format\": \"ballast-run-1\", \"identity\": {\"version\": \"1\","
          "\"scenario\": \"s\", \"trace\": \"t\", \"trace_hash\": \"h\","
          "\"policy\": \"p\", \"policy_params\": \"\", \"physics\": \"real\","
          "\"demand\": \"observed\"}, \"summary\": {\"energy_kwh\": true}}",
          0, "no number 'energy_kwh'" },
    };
    static struct bl_compared c;
    struct bl_diag diag;

    (void)state;
    memset(&c, 0x5a, sizeof(c));
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *path =
            test_file("bad.json", row[i].text,
                      row[i].bytes > 0 ? row[i].bytes : strlen(row[i].text));

        assert_int_equal(bl_compare_load(path, &c, &diag), BL_ERR_PARSE);
        if (strstr(diag.text, row[i].says) == NULL)
            fail_msg("'%s' does not say '%s'", diag.text, row[i].says);
        assert_int_equal(strncmp(diag.text, path, strlen(path)), 0);
        assert_null(strchr(diag.text, '\n'));
    }
    assert_int_equal(bl_compare_load("/nonexistent", &c, &diag), BL_ERR_IO);
    assert_int_equal(bl_compare_load("tests", &c, &diag), BL_ERR_IO);
    assert_int_equal(c.path[0], 0x5a); /* untouched */
}

static void test_compare_does_not_read_without_end(void **state)
{
    static struct bl_compared c;
    struct bl_diag diag;
    char block[1 << 16];
    FILE *f;

    (void)state;
    f = fopen(test_path("endless.json"), "w");
    assert_non_null(f);
    memset(block, ' ', sizeof(block));
    for (uint64_t n = 0; n <= BL_COMPARE_BYTES_MAX; n += sizeof(block))
        assert_int_equal(fwrite(block, 1, sizeof(block), f), sizeof(block));
    fclose(f);
    assert_int_equal(bl_compare_load(test_path("endless.json"), &c, &diag),
                     BL_ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare_reads_back_what_was_written),
        cmocka_unit_test(test_compare_refuses_other_input),
        cmocka_unit_test(test_compare_says_what_is_wrong_with_a_file),
        cmocka_unit_test(test_compare_does_not_read_without_end),
    };

    return cmocka_run_group_tests_name("compare", tests, test_group_setup,
                                       test_folder_remove);
}
