/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_tune - the section `tune` of a scenario, and policy files: what
 * is kept of them, and what is refused (more of it under tests/scenarios/). */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "config/config_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bl_scenario scenario; /* too large for a stack */
static struct bl_diag diag;

static const char small[] =
    "hosts: {groups: [{name: a, count: 2, cores: 4, speed: 2GHz,\n"
    "  memory: 8GiB, power: HpProLiantMl110G5Xeon3075}]}\n"
    "vms: {groups: [{name: web, vcpus: 2, speed: 1GHz, memory: 2GiB}]}\n";

static const char tune[] =
    "policy: lr-mmt\n"
    "tune:\n"
    "  vary:\n"
    "    safety: 0.8:1.6:0.1\n"
    "    select: [mmt, mu]\n"
    "  strategy: halving\n"
    "  runs: 81\n"
    "  objectives: [energy, slav]\n"
    "  pick: knee\n"
    "  baseline: static\n"
    "  traces: [mon.csv, /tue.csv]\n"
    "  validate: wed.csv\n";

/* `small` with more at its end. */
static const char *with(const char *more)
{
    static char text[8192];

    snprintf(text, sizeof(text), "%s%s", small, more);
    return text;
}

static bl_err parse(const char *text, const char *label)
{
    diag.text[0] = '\0';
    return bl_scenario_parse(text, strlen(text), label, &scenario, &diag);
}

static void test_what_to_tune(void **state)
{
    const struct bl_tune_choice *t = &scenario.tune;

    (void)state;
    if (parse(with(tune), "dir/x.yaml") != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(t->line, 5);
    assert_int_equal(t->vary_count, 2);
    assert_string_equal(t->vary[0].name, "safety");
    assert_string_equal(t->vary[0].range.text, "0.8:1.6:0.1");
    assert_int_equal(t->vary[0].range.line, 7);
    assert_string_equal(t->vary[1].range.text, "mmt,mu");
    assert_int_equal(t->strategy, BL_TUNE_HALVING);
    assert_int_equal(t->run_count, 81);
    assert_string_equal(t->objectives.text, "energy,slav");
    assert_string_equal(t->pick.text, "knee");
    assert_int_equal(t->pick.line, 12);
    assert_string_equal(t->baseline.text, "static");
    assert_int_equal(t->traces.count, 2);
    assert_string_equal(t->traces.path[0], "dir/mon.csv"); /* beside it */
    assert_string_equal(t->traces.path[1], "/tue.csv");
    assert_int_equal(t->validate.count, 1);
    assert_string_equal(t->validate.path[0], "dir/wed.csv");
}

static void test_nothing_to_tune(void **state)
{
    const struct bl_tune_choice *t = &scenario.tune;

    (void)state;
    assert_ok(parse(small, "x.yaml"));
    assert_int_equal(t->line, 0);
    assert_int_equal(t->vary_count, 0);
    assert_int_equal(t->strategy, BL_TUNE_GRID);
    assert_int_equal(t->run_count, 100);
    assert_string_equal(t->objectives.text, "");
    assert_string_equal(t->pick.text, "");
    assert_int_equal(t->traces.count + t->validate.count, 0);
}

/* Another range is no other scenario; anything else is. */
static void test_the_hash_leaves_out_what_to_tune(void **state)
{
    static const char *const same[] = {
        "tune: {vary: {a: 1:2}}\n",
        "tune:\n  vary:\n    a: 1:3\n\n  # of it\n  pick: knee\n",
        "'tune':\n  pick: knee\n",
    };
    uint64_t plain;
    char text[512];

    (void)state;
    assert_ok(parse(with("seed: 2\n"), "x.yaml"));
    plain = scenario.content_hash;
    for (size_t i = 0; i < COUNT(same); i++) {
        snprintf(text, sizeof(text), "seed: 2\n%s", same[i]);
        assert_ok(parse(with(text), "x.yaml"));
        assert_true(scenario.content_hash == plain);
        snprintf(text, sizeof(text), "%sseed: 2\n", same[i]);
        assert_ok(parse(with(text), "x.yaml"));
        assert_true(scenario.content_hash == plain);
    }
    assert_ok(parse(with("tune: {pick: knee}\nseed: 3\n"), "x.yaml"));
    assert_true(scenario.content_hash != plain);
}

/* On one line with others, all of the line counts. */
static void test_a_line_that_others_are_on_counts(void **state)
{
    static const char form[] =
        "{hosts: {groups: [{name: a, count: 2, cores: 4, speed: 2GHz,"
        " memory: 8GiB, power: HpProLiantMl110G5Xeon3075}]}, vms: {groups:"
        " [{name: web, vcpus: 2, speed: 1GHz, memory: 2GiB}]},"
        " tune: {pick: knee}, seed: %d}\n";
    char text[1024];
    uint64_t first;

    (void)state;
    snprintf(text, sizeof(text), form, 1);
    if (parse(text, "x.yaml") != BL_ERR_OK)
        fail_msg("%s", diag.text);
    first = scenario.content_hash;
    snprintf(text, sizeof(text), form, 2);
    assert_ok(parse(text, "x.yaml"));
    assert_true(scenario.content_hash != first);
}

static void test_scenarios_survive_lack_of_memory(void **state)
{
    const char *text = with(tune);
    struct bl_scenario *out = calloc(1, sizeof(*out));
    bl_err e = BL_ERR_NOMEM;
    long n;

    (void)state;
    assert_non_null(out);
    for (n = 0; e == BL_ERR_NOMEM; n++) {
        struct bl_arena a;

        assert_ok(bl_arena_init(&a, 8 << 20));
        a.fail_after = n;
        e = bl__scenario_read(&a, text, strlen(text), "x.yaml", out, &diag);
        assert_true(e == BL_ERR_OK || out->tune.line == 0);
        bl_arena_free(&a);
    }
    assert_ok(e);
    assert_true(n > 2);
    assert_int_equal(out->tune.vary_count, 2);
    free(out);
}

/* ---- policy files ------------------------------------------------------- */

static void test_a_policy_file(void **state)
{
    static const char text[] =
        "# of a search\n"
        "policy:\n"
        "  name: 'lr-mmt-1.2'\n"
        "  safety: '1.3'\n"
        "  select: mu\n";
    struct bl_policy_choice c;

    (void)state;
    assert_ok(bl_policy_file_parse(text, strlen(text), "p.yaml", &c, &diag));
    assert_string_equal(c.file, "p.yaml");
    assert_string_equal(c.name, "lr-mmt-1.2");
    assert_int_equal(c.line, 3);
    assert_int_equal(c.param_count, 2);
    assert_string_equal(c.param[0].name, "safety");
    assert_string_equal(c.param[0].text, "1.3");
    assert_int_equal(c.param[1].line, 5);
}

static void test_policy_files_that_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "", "p.yaml:" },
        { "policy:\n", "p.yaml:1: name: no value" },
        { "name: x\n", "p.yaml:1: unknown key 'name', expected one of policy" },
        { "policies: x\n",
          "p.yaml:1: unknown key 'policies', did you mean 'policy'?" },
        { "policy: x\nseed: 1\n", "p.yaml:2: unknown key 'seed'" },
        { "policy: [x]\n", "p.yaml:1: policy: a list, expected a map" },
        { "policy: {safety: 1}\n", "p.yaml:1: missing key 'name' in policy" },
        { "policy: {name: x, a: [1]}\n", "p.yaml:1: a: a list, expected" },
        { "policy: x\npolicy: y\n", "p.yaml:2: " },
        { "policy: &a x\n", "p.yaml:1: " },
        { "policy: {name: x\n", "p.yaml:" },
        { "- policy\n", "p.yaml:" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_policy_choice c = { .line = 9 };

        if (bl_policy_file_parse(rows[i].text, strlen(rows[i].text), "p.yaml",
                                 &c, &diag) == BL_ERR_OK)
            fail_msg("taken: %s", rows[i].text);
        if (strncmp(diag.text, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("'%s', not '%s'", diag.text, rows[i].says);
        assert_int_equal(c.line, 9); /* untouched */
    }
}

static void test_which_files_are_policy_files(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        { "policy: x\n", true },
        { "policy: {name: x, a: 1}\nother: 1\n", true }, /* a wrong one */
        { "policy: x\nhosts: {}\n", false },
        { "policy: x\nvms: {}\n", false },
        { "level: host\nhost: {}\nvms: {}\n", false },
        { "name: x\n", false },
        { "policy: {\n", false },
        { "", false },
    };
    char path[] = "/tmp/test_config_tune.XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0),
                         strlen(rows[i].text));
        if (bl_policy_file_is(path) != rows[i].is)
            fail_msg("%s", rows[i].text);
    }
    close(fd);
    unlink(path);
    assert_false(bl_policy_file_is(path));
}

static void test_policy_files_survive_lack_of_memory(void **state)
{
    static const char text[] = "policy: {name: x, a: 1}\n";
    struct bl_policy_choice c = { .line = 9 };
    bl_err e = BL_ERR_NOMEM;

    (void)state;
    for (long n = 0; e == BL_ERR_NOMEM; n++) {
        struct bl_arena a;

        assert_ok(bl_arena_init(&a, 8 << 20));
        a.fail_after = n;
        e = bl__policy_file_read(&a, text, strlen(text), "p.yaml", &c, &diag);
        assert_true(e == BL_ERR_OK || (n < 100 && c.line == 9));
        bl_arena_free(&a);
    }
    assert_ok(e);
    assert_int_equal(c.param_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_to_tune),
        cmocka_unit_test(test_nothing_to_tune),
        cmocka_unit_test(test_the_hash_leaves_out_what_to_tune),
        cmocka_unit_test(test_a_line_that_others_are_on_counts),
        cmocka_unit_test(test_scenarios_survive_lack_of_memory),
        cmocka_unit_test(test_a_policy_file),
        cmocka_unit_test(test_policy_files_that_are_refused),
        cmocka_unit_test(test_which_files_are_policy_files),
        cmocka_unit_test(test_policy_files_survive_lack_of_memory),
    };

    return cmocka_run_group_tests_name("config_tune", tests, test_group_setup,
                                       NULL);
}
