/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tune_db - results of a search in their file: what is found again, what
 * is refused. That a killed search loses nothing is tests/cli_tune.sh.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "cli/tune_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE "/tmp/test_tune_db.XXXXXX"

static struct bl_diag diag;
static char path[] = TEMPLATE;

static const struct bl_tune_key key = { .trace_hash = 0xfedcba9876543210,
                                        .seed = INT64_MAX,
                                        .physics = "real",
                                        .policy = "lr-mmt-1.2",
                                        .params = "safety=1.2",
                                        .steps = 288 };
static const struct bl_tune_figures figures = {
    .energy_kwh = 0.1 + 0.2,
    .slav = 5e-324,
    .unserved_ppm = NAN,
    .demand_mcycles = 1e300,
    .migrations = UINT64_C(1) << 53,
    .transitions = 7,
    .state_hash = 0x8000000000000001,
};

static struct bl_tune_db *open_db(uint64_t scenario, const char *version)
{
    struct bl_tune_db *db = NULL;

    diag.text[0] = '\0';
    return bl_tune_db_open(path, scenario, version, &db, &diag) == BL_ERR_OK
               ? db
               : NULL;
}

static int new_file(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    close(fd);
    return fd < 0;
}

static int old_file(void **state)
{
    char other[sizeof(path) + 8];

    (void)state;
    unlink(path);
    snprintf(other, sizeof(other), "%s-wal", path);
    unlink(other);
    snprintf(path, sizeof(path), "%s", TEMPLATE);
    return 0;
}

static void test_a_row_is_found_again(void **state)
{
    struct bl_tune_db *db = open_db(1, "1.0");
    struct bl_tune_figures got;

    (void)state;
    assert_non_null(db);
    assert_int_equal(bl_tune_db_find(db, &key, &got, &diag), BL_ERR_NOENT);
    assert_ok(bl_tune_db_put(db, &key, &figures, &diag));
    bl_tune_db_close(db);
    db = open_db(1, "1.0");
    assert_non_null(db);
    assert_ok(bl_tune_db_find(db, &key, &got, &diag));
    assert_true(got.energy_kwh == figures.energy_kwh); /* every bit */
    assert_true(got.slav == figures.slav);
    assert_true(isnan(got.unserved_ppm));
    assert_true(got.demand_mcycles == figures.demand_mcycles);
    assert_true(got.migrations == figures.migrations);
    assert_true(got.transitions == figures.transitions);
    assert_true(got.state_hash == figures.state_hash);
    bl_tune_db_close(db);
    bl_tune_db_close(NULL);
}

/* Whatever of the identity differs, it is another run. */
static void test_every_part_of_the_key_counts(void **state)
{
    struct bl_tune_db *db = open_db(1, "1.0");
    struct bl_tune_figures got;

    (void)state;
    assert_non_null(db);
    assert_ok(bl_tune_db_put(db, &key, &figures, &diag));
    for (int i = 0; i < 6; i++) {
        struct bl_tune_key other = key;

        other.trace_hash += i == 0;
        other.seed -= i == 1;
        other.physics = i == 2 ? "cloudsim303" : other.physics;
        other.policy = i == 3 ? "lr-mmt" : other.policy;
        other.params = i == 4 ? "safety=1.3" : other.params;
        other.steps -= i == 5;
        assert_int_equal(bl_tune_db_find(db, &other, &got, &diag),
                         BL_ERR_NOENT);
    }
    bl_tune_db_close(db);
}

static void test_another_scenario_or_version_is_refused(void **state)
{
    struct bl_tune_db *db = open_db(0xabc, "1.0");

    (void)state;
    assert_non_null(db);
    bl_tune_db_close(db);
    assert_null(open_db(0xabd, "1.0"));
    assert_non_null(strstr(diag.text,
                           "holds runs of another scenario (0000000000000abc), "
                           "expected 0000000000000abd"));
    assert_null(open_db(0xabc, "1.1"));
    assert_non_null(
        strstr(diag.text, "holds runs of ballast 1.0, expected 1.1"));
    db = open_db(0xabc, "1.0"); /* and the refusals have left no lock */
    assert_non_null(db);
    bl_tune_db_close(db);
}

static void test_one_process_at_a_time(void **state)
{
    struct bl_tune_db *db = open_db(1, "1.0"), *other = NULL;

    (void)state;
    assert_non_null(db);
    assert_ok(bl_tune_db_put(db, &key, &figures, &diag));
    assert_int_equal(bl_tune_db_open(path, 1, "1.0", &other, &diag),
                     BL_ERR_BUSY);
    assert_non_null(strstr(diag.text, "in use by another ballast tune"));
    bl_tune_db_close(db);
}

static void test_what_is_no_database(void **state)
{
    FILE *f = fopen(path, "w");
    struct bl_tune_db *db = NULL;

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 2000; i++)
        fputs("scenario: no\n", f);
    fclose(f);
    assert_int_equal(bl_tune_db_open(path, 1, "1.0", &db, &diag), BL_ERR_IO);
    assert_non_null(strstr(diag.text, "not a database"));
    assert_int_equal(bl_tune_db_open("/", 1, "1.0", &db, &diag), BL_ERR_IO);
    assert_null(db);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, new_file, old_file)
    const struct CMUnitTest tests[] = {
        EACH(test_a_row_is_found_again),
        EACH(test_every_part_of_the_key_counts),
        EACH(test_another_scenario_or_version_is_refused),
        EACH(test_one_process_at_a_time),
        EACH(test_what_is_no_database),
    };

    return cmocka_run_group_tests_name("tune_db", tests, test_group_setup,
                                       NULL);
}
