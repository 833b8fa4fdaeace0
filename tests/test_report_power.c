/* SPDX-License-Identifier: Apache-2.0 */
/* test_report_power - what a report says where there are P-states and power
 * caps, and only there. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "report/report_priv.h"
#include "tests/support_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 1 << 18 };

static struct bl_cap_result caps[] = {
    { "row-of-racks", 4, 160, 12000, 11999.5 },
    { "host", 200, 200, 230, 228.125 },
};

/* The sample of test_report, with two speeds and two caps. */
static struct bl_result *with_power(struct bl_arena *a)
{
    struct bl_result *r = support_report(a);

    r->has_speeds = true;
    r->capped_s = 5430;
    r->cap_count = 2;
    r->cap = caps;
    r->group[0].pstate_count = 2;
    r->group[0].pstate_khz[0] = 2600000;
    r->group[0].pstate_khz[1] = 1300000;
    r->group[0].pstate_share[0] = 0.25;
    r->group[0].pstate_share[1] = 0.75;
    r->group[0].mean_mhz = 1625;
    r->class_[0].unserved_mcycles[BL_CAUSE_FREQUENCY] = 777;
    r->worst[0].unserved_mcycles[BL_CAUSE_FREQUENCY] = 99000000;
    return r;
}

static char *text_of(const struct bl_result *r)
{
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    assert_non_null(f);
    bl_report_text(f, r, NULL, &(struct bl_style){ false, false });
    assert_int_equal(fclose(f), 0);
    return text;
}

static void test_text_has_speeds_and_caps(void **state)
{
    struct bl_arena a;
    struct bl_result *r = with_power(&a);
    char *text = text_of(r);

    (void)state;
    assert_non_null(strstr(
        text, "at 1625 MHz on average: 2600 MHz 25.0 %, 1300 MHz 75.0 %"));
    assert_non_null(strstr(text,
                           "  row-of-racks               4     160"
                           "        12000.0        11999.5\n"));
    assert_non_null(strstr(text, "1 h 30 min of hosts' time were held back"));
    assert_non_null(strstr(text, "its host ran too slowly"));
    assert_non_null(strstr(text, "slow host\n"));
    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n");

        if (n > BL_REPORT_COLUMNS)
            fail_msg("too wide: %.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
    free(text);
    bl_arena_free(&a);
}

/* Keys of P-states and caps are documented, and elsewhere there are none. */
static void test_json_has_speeds_and_caps(void **state)
{
    static const char *const key[] = { "power_caps",
                                       "capped_s",
                                       "racks",
                                       "budget_w",
                                       "worst_w",
                                       "pstates",
                                       "mean_core_mhz",
                                       "unserved_frequency_mcycles",
                                       "reserved_unserved_mcycles" };
    char *page = calloc(1, TEXT);
    FILE *f = fopen("doc/report.md", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(page, 1, TEXT - 1, f) > 0);
    fclose(f);
    for (int power = 0; power < 2; power++) {
        struct bl_arena a;
        const struct bl_result *r = power ? with_power(&a) : support_report(&a);
        char *text = calloc(1, TEXT);

        f = fmemopen(text, TEXT, "w");
        assert_ok(bl_report_json(f, r, NULL));
        fclose(f);
        for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
            char quoted[64];

            snprintf(quoted, sizeof(quoted), "\"%s\":", key[i]);
            assert_int_equal(strstr(text, quoted) != NULL, power);
            snprintf(quoted, sizeof(quoted), "`%s`", key[i]);
            if (strstr(page, quoted) == NULL)
                fail_msg("doc/report.md does not explain %s", quoted);
        }
        if (power) {
            json_t *doc = json_loads(text, 0, NULL);
            const json_t *first;

            assert_non_null(doc);
            first = json_array_get(json_object_get(doc, "power_caps"), 0);
            assert_true(json_number_value(json_object_get(first, "worst_w")) ==
                        11999.5);
            first = json_array_get(json_object_get(doc, "groups"), 0);
            first = json_array_get(json_object_get(first, "pstates"), 1);
            assert_int_equal(json_integer_value(json_array_get(first, 0)),
                             1300000);
            json_decref(doc);
        }
        free(text);
        bl_arena_free(&a);
    }
    free(page);
}

static void test_csv_has_the_cause(void **state)
{
    (void)state;
    for (int power = 0; power < 2; power++) {
        struct bl_arena a;
        const struct bl_result *r = power ? with_power(&a) : support_report(&a);
        char *text = calloc(1, TEXT);
        FILE *f = fmemopen(text, TEXT, "w");
        uint32_t comma[2] = { 0 }, line = 0;

        bl_csv_vms_head(f, r->has_speeds);
        bl_csv_vm(f, r, &r->worst[0]);
        fclose(f);
        for (const char *c = text; *c != '\0' && line < 2; c++) {
            comma[line] += *c == ',';
            line += *c == '\n';
        }
        assert_int_equal(comma[0], comma[1]);
        assert_int_equal(comma[0], 14 + power);
        free(text);
        bl_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_has_speeds_and_caps),
        cmocka_unit_test(test_json_has_speeds_and_caps),
        cmocka_unit_test(test_csv_has_the_cause),
    };

    return cmocka_run_group_tests_name("report_power", tests, NULL, NULL);
}
