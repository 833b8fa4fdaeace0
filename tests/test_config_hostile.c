/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config_hostile - what nobody meant as a scenario: bombs, noise, bytes
 * that are no text, files that are none, damaged ones. Always one line, never
 * a crash, never a long time.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "config/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bl_scenario scenario; /* too large for a stack */
static struct bl_diag diag;

static const char small[] =
    "hosts:\n"
    "  groups:\n"
    "    - name: a\n"
    "      count: 2\n"
    "      cores: 4\n"
    "      speed: 2GHz\n"
    "      memory: 8GiB\n"
    "      power: HpProLiantMl110G5Xeon3075\n"
    "vms:\n"
    "  groups:\n"
    "    - name: web\n"
    "      vcpus: 2\n"
    "      speed: 1GHz\n"
    "      memory: 2GiB\n";

static void expect_line(const char *text, size_t size, const char *want)
{
    memset(&diag, 0, sizeof(diag));

    const bl_err e = bl_scenario_parse(text, size, "x.yaml", &scenario, &diag);

    assert_int_equal(e, BL_ERR_PARSE);
    if (strstr(diag.text, want) == NULL)
        fail_msg("'%s' is not in '%s'", want, diag.text);
}

/* @unit again and again, to @size bytes. */
static char *repeat(const char *unit, size_t size)
{
    const size_t n = strlen(unit);
    char *text = malloc(size + 1);

    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = unit[i % n];
    text[size] = '\0';
    return text;
}

static void test_a_mebibyte_of_anything_ends_in_one_line(void **state)
{
    static const struct {
        const char *unit, *want;
    } rows[] = {
        { "[", ":1: nested too deeply" },
        { "{", ":1: a list or map as a key" },
        { "- ", ":1: nested too deeply" },
        { "? ", ":1: a list or map as a key" },
        { "a: ", ":1: not YAML" },
        { "\"", ":1: not YAML" },
        { "a\n", ":1: a text of several lines" },
        { "a: 1\n", ":2: duplicate key 'a'" },
        { "---\n", ":2: a second document" },
        { "#\n", ":1: no scenario in it" },
        { "\n", ":1: no scenario in it" },
        { " ", ":1: no scenario in it" },
        { "\t", ":1: not YAML" },
        { "&a ", ":1: " },
        { "*a ", ":1: " },
        { "!a ", ":1: " },
        { "%TAG ! a\n", ":2: not YAML" },
        { "|\n a\n", ": a text of several lines" },
        { "a: ''''''''''''''\n", ":2: duplicate key" },
        { "'", ":1: a text of 1048574 bytes" },
        { "x", ":1: a text of 1048576 bytes, expected at most 4095" },
        { "\xc3\xbc", ":1: a text of 1048576 bytes" },
        { "\xff", ":1: a byte that is not UTF-8" },
        { "\x01", ":1: a control character (byte 0x01)" },
        { "\x7f", ":1: a control character (byte 0x7f)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeat(rows[i].unit, BL_SCENARIO_BYTES_MAX);

        expect_line(text, BL_SCENARIO_BYTES_MAX, rows[i].want);
        free(text);
    }
}

static void test_many_keys_and_long_lists(void **state)
{
    char *text = malloc(BL_SCENARIO_BYTES_MAX);
    size_t n = 0;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, 32, "k%d: 1\n", i);
    expect_line(text, n, ":257: too many entries, expected at most 256");

    n = (size_t)snprintf(text, 32, "hosts:\n  groups: [");
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, 32, "1, ");
    n += (size_t)snprintf(text + n, 32, "]\n");
    expect_line(text, n, ":2: too many entries, expected at most 256");

    n = 0; /* 250 maps of 100 values */
    for (int i = 0; i < 250; i++) {
        n += (size_t)snprintf(text + n, 32, "k%d: [", i);
        for (int k = 0; k < 100; k++)
            n += (size_t)snprintf(text + n, 32, "1,");
        n += (size_t)snprintf(text + n, 32, "]\n");
    }
    expect_line(text, n, "too much text, expected at most 20000 keys");
    free(text);
}

static void test_bytes_that_are_no_text(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *want;
    } rows[] = {
        { "", 0, ":1: no scenario in it" },
        { "\0", 1, ":1: a control character (byte 0x00)" },
        { "a: 1\nb\0: 2\n", 11, ":2: a control character (byte 0x00)" },
        { "a: \xc3", 4, ":1: a byte that is not UTF-8" },
        { "a: \xc3(", 5, ":1: a byte that is not UTF-8" },
        { "a: \xc0\xaf", 5, ":1: a byte that is not UTF-8" },
        { "a: \xed\xa0\x80", 6, ":1: a byte that is not UTF-8" },
        { "a: \xf4\x90\x80\x80", 7, ":1: a byte that is not UTF-8" },
        { "\x28\xb5\x2f\xfd\x04\x00", 6, ":1: a byte that is not UTF-8" },
        { "\x1f\x8b\x08\x00", 4, ":1: a control character (byte 0x1f)" },
        { "a: b\n\x1b[31m", 10, ":2: a control character (byte 0x1b)" },
        { "a: \"\\e[31m\"", 11, ":1: an escape (\\) in a text" },
        { "a: b\tc", 6, ":1: a tab in a text" },
        { "a: \xc2\x9b", 5, ":1: a control character (byte 0xc2)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_line(rows[i].bytes, rows[i].size, rows[i].want);
}

static void test_size_limit(void **state)
{
    static char text[BL_SCENARIO_BYTES_MAX + 1];

    (void)state;
    memset(text, '#', sizeof(text));
    memcpy(text, small, sizeof(small) - 1);
    assert_ok(bl_scenario_parse(text, BL_SCENARIO_BYTES_MAX, "x.yaml",
                                &scenario, &diag));
    expect_line(text, BL_SCENARIO_BYTES_MAX + 1,
                "x.yaml: larger than 1048576 bytes");
}

/* --- files
 * ----------------------------------------------------------------------- */

static void test_files_that_are_none(void **state)
{
    static const struct {
        const char *path;
        bl_err want;
        const char *text;
    } rows[] = {
        { "tests/no-such-file.yaml", BL_ERR_IO,
          "tests/no-such-file.yaml: cannot be opened" },
        { "tests", BL_ERR_IO, "tests: cannot be read" },
        { "/dev/null", BL_ERR_PARSE, "/dev/null:1: no scenario in it" },
        { "/dev/zero", BL_ERR_PARSE, "/dev/zero: larger than" },
        { "", BL_ERR_IO, "cannot be opened" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const bl_err e = bl_scenario_load(rows[i].path, &scenario, &diag);

        if (e != rows[i].want || strstr(diag.text, rows[i].text) == NULL)
            fail_msg("'%s': %s: %s", rows[i].path, bl_err_name(e), diag.text);
    }
}

static void test_long_paths(void **state)
{
    char *label = repeat("d/", BL_PATH_BYTES - 1);
    char text[sizeof(small) + 64];

    (void)state;
    snprintf(text, sizeof(text), "%strace: {file: t.csv}\n", small);
    assert_int_equal(
        bl_scenario_parse(text, strlen(text), label, &scenario, &diag),
        BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "expected at most 4095"));
    free(label);
    label = repeat("d/", BL_PATH_BYTES);
    assert_int_equal(
        bl_scenario_parse(text, strlen(text), label, &scenario, &diag),
        BL_ERR_INVAL);
    free(label);
}

/* --- random damage
 * --------------------------------------------------------------------- */

static void check_outcome(bl_err e)
{
    if (e == BL_ERR_OK) {
        bl_dc_check(&scenario.dc);
        return;
    }
    assert_true(e == BL_ERR_PARSE || e == BL_ERR_INVAL);
    assert_memory_equal(diag.text, "x.yaml", 6);
    assert_null(strchr(diag.text, '\n'));
}

static void test_every_prefix_of_an_example(void **state)
{
    const char *text = bl_scenario_embedded();
    uint32_t sound = 0;

    (void)state;
    for (size_t n = 0; n <= strlen(text); n++) {
        const bl_err e = bl_scenario_parse(text, n, "x.yaml", &scenario, &diag);

        check_outcome(e);
        sound += e == BL_ERR_OK;
    }
    assert_true(sound > 1); /* the last lines can be left out */
}

static void test_random_damage(void **state)
{
    static const char bytes[] = "\0\n\t :-[]{},&*!|>'\"%@#09azGW\x80\xff";
    const char *text = bl_scenario_embedded();
    const size_t size = strlen(text);
    struct bl_prng prng = { test_seed() };
    char *copy = malloc(size + 1);
    uint32_t refused = 0;

    (void)state;
    assert_non_null(copy);
    for (int i = 0; i < 1500; i++) {
        memcpy(copy, text, size + 1);
        for (uint64_t k = bl_prng_below(&prng, 4) + 1; k > 0; k--)
            copy[bl_prng_below(&prng, size)] =
                bytes[bl_prng_below(&prng, sizeof(bytes) - 1)];

        const bl_err e =
            bl_scenario_parse(copy, size, "x.yaml", &scenario, &diag);

        check_outcome(e);
        refused += e != BL_ERR_OK;
    }
    assert_true(refused > 400);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mebibyte_of_anything_ends_in_one_line),
        cmocka_unit_test(test_many_keys_and_long_lists),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_files_that_are_none),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_every_prefix_of_an_example),
        cmocka_unit_test(test_random_damage),
    };

    return cmocka_run_group_tests_name("config_hostile", tests,
                                       test_group_setup, NULL);
}
