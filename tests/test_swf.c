/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_swf - logs of parallel jobs. The real one is not part of the project;
 * ../shared/traces is looked for.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "tests/support_files.h"
#include "trace/tasks.h"
#include "trace/trace_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATA "../shared/traces/swf/NASA-iPSC-1993-3.1-cln.swf.gz"
#define S INT64_C(1000000000)
#define REST " -1 -1 1 1 1 1 -1 -1 -1 -1\n" /* fields 9 to 18 */

static const struct bl_swf_opts all = { .job_count_max = BL_JOBS_MAX,
                                        .width_max = UINT32_MAX,
                                        .time_scale_ppm = 1000000 };

static bl_err read_file(const char *path, const struct bl_swf_opts *opts,
                        struct bl_arena *a, struct bl_job_set *set,
                        struct bl_diag *diag)
{
    assert_ok(bl_arena_init(a, (size_t)64 << 20));
    diag->text[0] = '\0';
    return bl_jobs_read_swf(path, opts, a, set, diag);
}

static struct bl_job_set
read_good(const char *path, const struct bl_swf_opts *opts, struct bl_arena *a)
{
    struct bl_job_set set;
    struct bl_diag diag;

    if (read_file(path, opts, a, &set, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    return set;
}

/* --- the example -------------------------------------------------------- */

static const char example[] =
    "; Version: 2.2\n"
    ";  MaxProcs:  128 (all)\n"
    "\n"
    "1 100 -1 60 4 59.5 -1 -1" REST
    "2 105 10 -1 4 -1 -1 4" REST /* no run time */
    "3 105 10 30 0 -1 -1 8" REST /* asked for 8 */
    "4\t110 10 1 64 -1 -1 64" REST
    "5 120 10 5 -1 -1 -1 -1" REST /* no processors */
    "6 130 10 7 1 -1 -1 1" REST;

static void test_example(void **state)
{
    struct bl_arena a;
    const struct bl_job_set set =
        read_good(test_text("a.swf", example), &all, &a);

    (void)state;
    assert_int_equal(set.record_count, 6);
    assert_int_equal(set.unknown_count, 2);
    assert_int_equal(set.too_wide_count, 0);
    assert_int_equal(set.machine_width, 128);
    assert_int_equal(set.width_max, 64);
    assert_int_equal(set.job_count, 4);
    assert_true(set.job[0].arrive_ns == 0 && set.job[0].run_ns == 60 * S);
    assert_int_equal(set.job[0].width, 4);
    assert_true(set.job[1].arrive_ns == 5 * S && set.job[1].run_ns == 30 * S);
    assert_int_equal(set.job[1].width, 8);
    assert_int_equal(set.job[2].width, 64);
    assert_true(set.job[3].arrive_ns == 30 * S && set.job[3].run_ns == 7 * S);
    bl_arena_free(&a);
}

/* Whatever stands in fields that are not used, if it is a number. */
static void test_unused_fields(void **state)
{
    struct bl_arena a;
    const struct bl_job_set set = read_good(
        test_text("u.swf",
                  "123456789012345678901234567890 0 -7 5 4 "
                  "0.12345678901234567890 123456789012 -99" REST
                  "2 1 99999999999999999999.5 5 4 -1 99999999999 -1" REST),
        &all, &a);

    (void)state;
    assert_int_equal(set.job_count, 2);
    assert_true(set.job[1].arrive_ns == S && set.job[1].run_ns == 5 * S);
    assert_int_equal(set.job[1].width, 4);
    bl_arena_free(&a);
}

static void test_window_width_and_scale(void **state)
{
    struct bl_swf_opts opts = all;
    struct bl_arena a;
    struct bl_job_set set;

    (void)state;
    test_text("a.swf", example);
    opts.width_max = 8;
    opts.job_first = 1; /* the first is a line, not a job that is kept */
    set = read_good(test_path("a.swf"), &opts, &a);
    assert_int_equal(set.job_count, 2);
    assert_int_equal(set.too_wide_count, 1);
    assert_int_equal(set.unknown_count, 2);
    assert_int_equal(set.record_count, 6);
    assert_true(set.job[0].arrive_ns == 0 && set.job[0].width == 8);
    assert_true(set.job[1].arrive_ns == 25 * S && set.job[1].width == 1);
    bl_arena_free(&a);
    opts = all;
    opts.job_count_max = 2;
    opts.time_scale_ppm = 1000;
    set = read_good(test_path("a.swf"), &opts, &a);
    assert_int_equal(set.job_count, 2);
    assert_int_equal(set.width_max, 8);
    assert_int_equal(set.job[0].run_ns, 60000000);
    assert_int_equal(set.job[1].arrive_ns, 5000000);
    bl_arena_free(&a);
    opts.time_scale_ppm = 1; /* 1 s is 1 us */
    opts.job_count_max = 4;
    set = read_good(test_path("a.swf"), &opts, &a);
    assert_int_equal(set.job[2].run_ns, 1000);
    bl_arena_free(&a);
}

/* --- what is refused ----------------------------------------------------- */

static void test_refused(void **state)
{
    static const struct {
        unsigned line;
        bl_err e;
        const char *text, *why;
    } table[] = {
        { 0, BL_ERR_PARSE, "; nothing\n", "no job to use among 0" },
        { 0, BL_ERR_PARSE, "1 0 -1 -1 4 -1 -1 4" REST,
          "no job to use among 1" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4\n", "fewer than 18 fields" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4 -1 -1 4 1" REST, "more than 18 fields" },
        { 2, BL_ERR_PARSE, ";\n1 0 -1 5 4 x -1 4" REST, "field 6 is 'x'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4 - -1 4" REST, "field 6 is '-'" },
        { 1, BL_ERR_PARSE, "1 -1 -1 5 4 -1 -1 4" REST, "field 2 is '-1'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5.5 4 -1 -1 4" REST, "field 4 is '5.5'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 1000000001 -1 -1 4" REST, "field 5" },
        { 2, BL_ERR_PARSE, "1 7 -1 5 4 -1 -1 4" REST "2 6 -1 5 4 -1 -1 4" REST,
          "field 2 is '6', expected a submit time that is known and not" },
        { 1, BL_ERR_PARSE, "1 0 -1 99999999999 4 -1 -1 4" REST,
          "field 4 is '99999999999', expected a whole number up to 1000000000, "
          "or -1 (unknown)" },
        { 1, BL_ERR_PARSE, "1 99999999999 -1 5 4 -1 -1 4" REST,
          "field 2 is '99999999999', expected a whole number up to "
          "1000000000" },
        { 1, BL_ERR_PARSE, "1 0 -1 -2 4 -1 -1 4" REST, "field 4 is '-2'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 -3 -1 -1 4" REST, "field 5 is '-3'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 0 -1 -1 -4" REST, "field 8 is '-4'" },
        { 1, BL_ERR_PARSE, "1 0 -1 -1.0 4 -1 -1 4" REST, "field 4 is '-1.0'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4 1. -1 4" REST, "field 6 is '1.'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4 .5 -1 4" REST, "field 6 is '.5'" },
        { 1, BL_ERR_PARSE, "1 0 -1 5 4 --5 -1 4" REST, "field 6 is '--5'" },
        { 1, BL_ERR_FULL, "1 0 -1 1000001 4 -1 -1 4" REST, "11 days" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *path = test_text("bad.swf", table[i].text);
        char where[300];
        struct bl_arena a;
        struct bl_job_set set, before;
        struct bl_diag diag;

        memset(&set, 0x5a, sizeof(set));
        before = set;
        assert_int_equal(read_file(path, &all, &a, &set, &diag), table[i].e);
        if (table[i].line > 0)
            snprintf(where, sizeof(where), "%s:%u: ", path, table[i].line);
        else
            snprintf(where, sizeof(where), "%s: ", path);
        if (strncmp(diag.text, where, strlen(where)) != 0 ||
            strstr(diag.text, table[i].why) == NULL)
            fail_msg("'%s', expected line %u: %s", diag.text, table[i].line,
                     table[i].why);
        assert_memory_equal(&set, &before, sizeof(set));
        assert_int_equal(a.used_bytes, 0);
        bl_arena_free(&a);
    }
}

static void read_with(struct bl_swf_opts opts)
{
    struct bl_arena a = { 0 };
    struct bl_job_set set;
    struct bl_diag diag;

    assert_int_equal(bl_jobs_read_swf("none", &opts, &a, &set, &diag),
                     BL_ERR_INVAL); /* not reached */
}

static void test_options(void **state)
{
    struct bl_swf_opts opts = all;
    struct bl_arena a;
    struct bl_job_set set;
    struct bl_diag diag;

    (void)state;
    opts.job_count_max = 0;
    expect_assert_failure(read_with(opts));
    opts.job_count_max = BL_JOBS_MAX + 1;
    expect_assert_failure(read_with(opts));
    opts = all;
    opts.width_max = 0;
    expect_assert_failure(read_with(opts));
    opts = all;
    opts.time_scale_ppm = 0;
    expect_assert_failure(read_with(opts));
    opts.time_scale_ppm = 1000001;
    expect_assert_failure(read_with(opts));
    assert_int_equal(read_file(test_path("none"), &all, &a, &set, &diag),
                     BL_ERR_IO);
    bl_arena_free(&a);
    assert_int_equal(read_file(test_folder(), &all, &a, &set, &diag),
                     BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "is a folder or an archive"));
    bl_arena_free(&a);
    assert_int_equal(read_file(test_text("none", ""), &all, &a, &set, &diag),
                     BL_ERR_PARSE);
    assert_non_null(
        strstr(diag.text, "is empty, expected a workload log (SWF)"));
    bl_arena_free(&a);
}

/* --- damage, memory, and every line counted once ------------------------- */

static void test_damaged(void **state)
{
    static const char other[] = "-;x. \n0";

    (void)state;
    for (size_t i = 0; i < sizeof(example) - 1; i++) {
        char text[sizeof(example)];
        struct bl_arena a;
        struct bl_job_set set;
        struct bl_diag diag;

        memcpy(text, example, sizeof(text));
        text[i] = other[i % (sizeof(other) - 1)];
        if (read_file(test_text("flip.swf", text), &all, &a, &set, &diag) ==
            BL_ERR_OK)
            assert_int_equal(set.record_count,
                             set.job_count + set.unknown_count);
        else
            assert_non_null(strstr(diag.text, "flip.swf"));
        bl_arena_free(&a);
    }
}

static void test_out_of_memory(void **state)
{
    const char *path = test_text("m.swf", example);
    struct bl_arena a;
    struct bl_job_set set;
    struct bl_diag diag;
    bl_err e = BL_ERR_NOMEM;

    (void)state;
    for (long n = 0; e == BL_ERR_NOMEM; n++) {
        bl__trace_fail_after = n;
        e = read_file(path, &all, &a, &set, &diag);
        bl__trace_fail_after = -1;
        assert_true(e == BL_ERR_OK || a.used_bytes == 0);
        bl_arena_free(&a);
    }
    assert_ok(e);
    assert_ok(bl_arena_init(&a, (size_t)1 << 20));
    a.fail_after = 0;
    assert_int_equal(bl_jobs_read_swf(path, &all, &a, &set, &diag),
                     BL_ERR_NOMEM);
    bl_arena_free(&a);
}

/* --- the real log: counts and sums by awk -------------------------------- */

static void test_nasa(void **state)
{
    struct bl_swf_opts opts = all;
    struct bl_arena a;
    struct bl_job_set set;
    int64_t run_s = 0, area_s = 0;

    (void)state;
    if (access(DATA, R_OK) != 0) {
        print_message("SKIP: no %s\n", DATA);
        skip();
    }
    set = read_good(DATA, &all, &a);
    assert_int_equal(set.record_count, 18239);
    assert_int_equal(set.unknown_count, 173); /* ran for 0 s */
    assert_int_equal(set.job_count, 18066);
    assert_int_equal(set.machine_width, 128);
    assert_int_equal(set.width_max, 128);
    for (uint32_t i = 0; i < set.job_count; i++) {
        run_s += set.job[i].run_ns / S;
        area_s += set.job[i].run_ns / S * set.job[i].width;
        assert_int_equal(set.job[i].width & (set.job[i].width - 1), 0);
    }
    assert_int_equal(run_s, 13950781);
    assert_int_equal(area_s, 474238015);
    assert_true(set.job[set.job_count - 1].arrive_ns == 7948936 * S);
    bl_arena_free(&a);
    opts.job_first = 1000;
    opts.job_count_max = 100;
    opts.width_max = 16;
    set = read_good(DATA, &opts, &a);
    assert_int_equal(set.job_count, 100);
    assert_true(set.width_max <= 16 && set.too_wide_count > 0);
    bl_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_unused_fields),
        cmocka_unit_test(test_window_width_and_scale),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_nasa),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
