/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_registry - policies by name: the family of specs, what is refused, and
 * that every table a policy declares is sound.
 */
#include "tests/test.h"

#include "manager/registry.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the example -------------------------------------------------------- */

static void test_a_spec_sets_parameters(void **state)
{
    const struct bl_policy *p = NULL;
    struct bl_params params;
    struct bl_diag diag;
    char text[256];

    (void)state;
    assert_ok(
        bl_registry_find("mad-rs-2.75-2012", NULL, 0, &p, &params, &diag));
    assert_string_equal(p->name, "consolidate");
    bl_params_print(&params, text, sizeof(text));
    assert_string_equal(text,
                        "overload=mad select=rs safety=2.75 "
                        "placement=2012 fallback=0.7 sleep=standby");
    assert_ok(bl_registry_find("static", NULL, 0, &p, &params, &diag));
    assert_string_equal(p->name, "static");
    bl_params_print(&params, text, sizeof(text));
    assert_string_equal(text, "cpu_overcommit=1 mem_overcommit=1");
}

/* ---- the whole family --------------------------------------------------- */

static void test_every_spec_of_the_family(void **state)
{
    static const char *const tests[] = { "thr", "iqr", "mad", "lr", "lrr" };
    static const char *const rules[] = { "mmt", "mc", "rs", "mu" };
    static const int64_t safety_ppm[] = { 800000, 1500000, 2500000, 1200000,
                                          1200000 };
    static const struct {
        const char *text;
        int64_t safety_ppm; /* 0: the default of the test */
        int64_t form;
    } ends[] = { { "", 0, 0 },
                 { "-0.9", 900000, 0 },
                 { "-2012", 0, 1 },
                 { "-1-2012", 1000000, 1 },
                 { "-1.3-3.0.2", 1300000, 0 } };

    (void)state;
    for (size_t t = 0; t < COUNT(tests); t++) {
        for (size_t r = 0; r < COUNT(rules); r++) {
            for (size_t e = 0; e < COUNT(ends); e++) {
                const struct bl_policy *p = NULL;
                struct bl_params params;
                struct bl_diag diag;
                char spec[64];

                snprintf(spec, sizeof(spec), "%s-%s%s", tests[t], rules[r],
                         ends[e].text);
                assert_ok(bl_registry_find(spec, NULL, 0, &p, &params, &diag));
                assert_int_equal(bl_params_get(&params, "overload"), t);
                assert_int_equal(bl_params_get(&params, "select"), r);
                assert_int_equal(bl_params_get(&params, "safety"),
                                 ends[e].safety_ppm > 0 ? ends[e].safety_ppm
                                                        : safety_ppm[t]);
                assert_int_equal(bl_params_get(&params, "placement"),
                                 ends[e].form);
            }
        }
    }
}

/* ---- refusals ----------------------------------------------------------- */

static void test_other_names_are_refused(void **state)
{
    static const char *const specs[] = {
        "",
        "stati",
        "statics",
        "Static",
        "lr",
        "lr-",
        "lr-mm",
        "lr-mmtt",
        "lr--mmt",
        "-lr-mmt",
        "mmt-lr",
        "lr-mmt-",
        "lr-mmt-1.2-",
        "lr-mmt-x",
        "lr-mmt-2012-",
        "lr-mmt--2012",
        "lr-mmt-2012-1.2",
        "lr-mmt-1.2-2013",
        "lr-mmt-0",
        "lr-mmt-11",
        "lr-mmt-1.2-2012-2012",
        "lr-mmt 1.2",
        " static",
        "consolidate-mmt",
        "lr-mmt-1.2345678901234567890123456789012345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++) {
        const struct bl_policy *p = NULL;
        struct bl_params params = { .count = 99 };
        struct bl_diag diag = { "" };

        print_message("    row: '%s'\n", specs[i]);
        assert_int_equal(
            bl_registry_find(specs[i], "x.yaml", 3, &p, &params, &diag),
            BL_ERR_NOENT);
        assert_non_null(strstr(diag.text, "x.yaml:3: unknown policy '"));
        assert_non_null(strstr(diag.text, "expected one of: "));
        assert_null(p); /* untouched, both */
        assert_int_equal(params.count, 99);
    }
}

static void test_a_refusal_lists_what_there_is(void **state)
{
    const struct bl_policy *p;
    struct bl_params params;
    struct bl_diag diag = { "" };
    static char text[3000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1); /* however long the wrong name */
    assert_int_equal(bl_registry_find(text, NULL, 0, &p, &params, &diag),
                     BL_ERR_NOENT);
    for (uint32_t i = 0; bl_registry_policy(i) != NULL; i++)
        assert_non_null(strstr(diag.text, bl_registry_policy(i)->syntax));
}

/* ---- every table that a policy declares --------------------------------- */

static uint32_t choice_count(const struct bl_param *d)
{
    uint32_t n = 0;

    while (d->choices[n] != NULL)
        n++;
    return n;
}

/* Every end of a parameter's range can be written down and read again. */
static void expect_sound(const struct bl_policy *policy, uint32_t i)
{
    const struct bl_param *d = &policy->params[i];
    const int64_t ends[] = { d->min, d->def, d->max };
    struct bl_params params;
    struct bl_diag diag = { "" };

    print_message("    row: %s.%s\n", policy->name, d->name);
    assert_true(d->name[0] != '\0' && d->meaning[0] != '\0');
    assert_true(d->min <= d->def && d->def <= d->max);
    for (uint32_t k = 0; k < i; k++)
        assert_string_not_equal(policy->params[k].name, d->name);
    if (d->dim == BL_DIM_CHOICE) {
        assert_int_equal(d->min, 0);
        assert_int_equal(choice_count(d), d->max + 1);
    }
    bl_params_init(&params, policy->params, policy->param_count);
    assert_int_equal(bl_params_get(&params, d->name), d->def);
    for (size_t k = 0; k < COUNT(ends); k++) {
        char text[64];

        if (d->dim == BL_DIM_CHOICE)
            snprintf(text, sizeof(text), "%s", d->choices[ends[k]]);
        else
            bl_units_print(d->dim, ends[k], text, sizeof(text));
        if (bl_params_set(&params, d->name, text, NULL, 0, &diag) != BL_ERR_OK)
            fail_msg("%s", diag.text);
        assert_int_equal(bl_params_get(&params, d->name), ends[k]);
    }
}

static void test_every_policy_is_sound(void **state)
{
    const struct bl_policy *p;
    uint32_t n = 0;

    (void)state;
    for (; (p = bl_registry_policy(n)) != NULL; n++) {
        const struct bl_policy *found = NULL;
        struct bl_params params;
        struct bl_diag diag;

        if (n > 0) /* in order of name */
            assert_true(strcmp(bl_registry_policy(n - 1)->name, p->name) < 0);
        assert_ok(bl_registry_find(p->name, NULL, 0, &found, &params, &diag));
        assert_ptr_equal(found, p);
        assert_non_null(p->create);
        assert_non_null(p->place);
        assert_true(p->summary[0] != '\0' && p->source[0] != '\0');
        assert_true(p->writes & 1u << BL_ACTION_PLACE);
        assert_true(p->writes < 1u << BL_ACTION_COUNT);
        assert_true(p->history_count <= BL_HISTORY_MAX);
        assert_true(p->param_count <= BL_PARAMS_MAX);
        for (uint32_t i = 0; i < p->param_count; i++)
            expect_sound(p, i);
    }
    assert_true(n >= 4); /* consolidate, dvfs, npa, static */
    assert_null(bl_registry_policy(UINT32_MAX));
}

/* ---- faults: every policy, every allocation ----------------------------- */

static void test_policies_survive_every_allocation_failure(void **state)
{
    static struct bl_dc dc;
    const struct bl_policy *p;

    (void)state;
    dc.host_group_count = 1;
    for (uint32_t i = 0; (p = bl_registry_policy(i)) != NULL; i++) {
        bl_err e = BL_ERR_NOMEM;

        for (long n = 0; e != BL_ERR_OK; n++) {
            struct bl_params params;
            const struct bl_policy_env env = { .dc = &dc,
                                               .host_count = 3,
                                               .vm_slot_count = 5,
                                               .params = &params };
            void *made = NULL;
            struct bl_arena a;

            assert_true(n < 100);
            bl_params_init(&params, p->params, p->param_count);
            assert_ok(bl_arena_init(&a, 1 << 24));
            a.fail_after = n;
            e = p->create(&a, &env, &made);
            assert_true(e == BL_ERR_OK || e == BL_ERR_NOMEM);
            assert_true((e == BL_ERR_OK) == (made != NULL));
            bl_arena_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_spec_sets_parameters),
        cmocka_unit_test(test_every_spec_of_the_family),
        cmocka_unit_test(test_other_names_are_refused),
        cmocka_unit_test(test_a_refusal_lists_what_there_is),
        cmocka_unit_test(test_every_policy_is_sound),
        cmocka_unit_test(test_policies_survive_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("registry", tests, test_group_setup,
                                       NULL);
}
