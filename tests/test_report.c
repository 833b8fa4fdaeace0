/* SPDX-License-Identifier: Apache-2.0 */
/* test_report - a result in every form: text, JSON, CSV. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/report_priv.h"
#include "tests/support_golden.h"
#include "tests/support_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { ARENA = 1 << 22, TEXT = 1 << 18 };

/* What @write puts into a file, as a string. */
static char *text_of(const struct bl_result *r, const struct bl_result *base,
                     struct bl_style style)
{
    const struct bl_baselines one = { .count = 1, .r = { base } };
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    assert_non_null(f);
    bl_report_text(f, r, base != NULL ? &one : NULL, &style);
    assert_int_equal(fclose(f), 0);
    return text;
}

static json_t *json_of(const struct bl_result *r, const struct bl_result *base)
{
    const struct bl_baselines one = { .count = 1, .r = { base } };
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");
    json_error_t why;
    json_t *doc;

    assert_non_null(f);
    assert_ok(bl_report_json(f, r, base != NULL ? &one : NULL));
    assert_int_equal(fclose(f), 0);
    doc = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (doc == NULL)
        fail_msg("line %d: %s", why.line, why.text);
    free(text);
    return doc;
}

static void test_text_is_what_we_want_people_to_read(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    char *got = text_of(r, NULL, (struct bl_style){ false, false });

    (void)state;
    support_golden("tests/golden/report.txt", got);
    free(got);
    bl_arena_free(&a);
}

/* ---- text --------------------------------------------------------------- */

static char *text_beside(const struct bl_result *r,
                         const struct bl_baselines *base, bool utf8)
{
    const struct bl_style style = { utf8, false };
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    assert_non_null(f);
    bl_report_text(f, r, base, &style);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void test_several_baselines_are_a_table_and_a_picture(void **state)
{
    struct bl_arena a, b;
    struct bl_result *r = support_report(&a), *other = support_report(&b);
    const struct bl_baselines base = { .count = 2, .r = { other, other } };
    char *text;
    const char *row;

    (void)state;
    snprintf(other->id.policy, sizeof(other->id.policy), "other");
    other->energy_kwh = 2 * r->energy_kwh;
    text = text_beside(r, &base, false);
    row = strstr(text, "Beside other policies, on the same input");
    assert_non_null(row);
    /* twice in the table, twice in the picture, where its bar is the longest */
    for (int i = 0; i < 4; i++) {
        row = strstr(row + 1, "\n  other ");
        assert_non_null(row);
    }
    assert_null(strstr(row + 1, "\n  other "));
    row = strrchr(row, '#');
    assert_non_null(row);
    assert_non_null(strstr(text, "\n  energy floor "));
    free(text);
    text = text_beside(r, &base, true);
    assert_non_null(strstr(text, "\xe2\x96\x88"));
    free(text);
    bl_arena_free(&b);
    bl_arena_free(&a);
}

static void widen(struct bl_result *r)
{
    memset(r->id.scenario, 'S', sizeof(r->id.scenario) - 1);
    memset(r->id.trace, 'T', sizeof(r->id.trace) - 1);
    memset(r->id.policy, 'P', sizeof(r->id.policy) - 1);
    for (uint32_t i = 0; i < r->group_count; i++)
        memset(r->group[i].name, 'g', BL_NAME_BYTES - 1);
    for (uint32_t i = 0; i < r->class_count; i++)
        memset(r->class_[i].name, 'c', BL_NAME_BYTES - 1);
    for (uint32_t i = 0; i < r->worst_count; i++)
        memset(r->worst[i].name, 'v', BL_NAME_BYTES - 1);
    r->vms = r->hosts;
}

static void test_no_line_is_too_wide_and_the_hash_is_last(void **state)
{
    struct bl_arena a, b;
    struct bl_result *r = support_report(&a), *base = support_report(&b);

    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            char *text = text_of(r, base, (struct bl_style){ utf8, false });

            support_layout(text);
            if (!utf8)
                for (const char *c = text; *c != '\0'; c++)
                    assert_true((unsigned char)*c < 0x80);
            free(text);
        }
        widen(r);
        widen(base);
    }
    bl_arena_free(&a);
    bl_arena_free(&b);
}

/* A run in which nothing happened still has a report. */
static void test_an_empty_result_can_be_printed(void **state)
{
    static const struct bl_dc dc = { .host_group_count = 1,
                                     .vm_group_count = 1,
                                     .host_group[0].host_count = 1 };
    struct bl_arena a;
    struct bl_result *r = NULL;
    char *text;
    json_t *doc;

    (void)state;
    assert_ok(bl_arena_init(&a, ARENA));
    assert_ok(bl_result_create(&a, &dc, 1, 1, &r));
    r->steps = 0;
    r->partial = true;
    text = text_of(r, NULL, (struct bl_style){ true, false });
    support_layout(text);
    assert_non_null(strstr(text, "PARTIAL"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    doc = json_of(r, NULL);
    assert_true(json_is_null(
        json_object_get(json_object_get(doc, "summary"), "floor_ratio")));
    json_decref(doc);
    free(text);
    bl_arena_free(&a);
}

static void test_colour_is_only_there_when_asked_for(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    char *plain = text_of(r, NULL, (struct bl_style){ true, false });
    char *colour = text_of(r, NULL, (struct bl_style){ true, true });

    (void)state;
    assert_null(strchr(plain, '\033'));
    assert_non_null(strchr(colour, '\033'));
    free(plain);
    free(colour);
    bl_arena_free(&a);
}

static void test_times_read_as_people_say_them(void **state)
{
    static const struct {
        int64_t ns;
        const char *duration, *clock;
    } row[] = {
        { 0, "0 ns", "00:00" },
        { 500, "500 ns", "00:00" },
        { 15000, "15 us", "00:00" },
        { 30000000, "30 ms", "00:00" },
        { INT64_C(12500000000), "12.5 s", "00:00" },
        { INT64_C(60000000000), "1 min", "00:01" },
        { INT64_C(300000000000), "5 min", "00:05" },
        { INT64_C(20100000000000), "5 h 35 min", "05:35" },
        { INT64_C(86400000000000), "1 d", "1d 00:00" },
        { INT64_C(93600000000000), "1 d 2 h", "1d 02:00" },
    };
    char buf[BL_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        bl__duration(row[i].ns, buf, sizeof(buf));
        assert_string_equal(buf, row[i].duration);
        bl__clock(row[i].ns, buf, sizeof(buf));
        assert_string_equal(buf, row[i].clock);
    }
}

static void test_names_cannot_harm_a_terminal(void **state)
{
    static const struct {
        const char *name;
        uint32_t width;
        bool utf8;
        const char *want;
    } row[] = {
        { "plain", 0, false, "plain" },
        { "exactly-ten", 11, false, "exactly-ten" },
        { "one-too-long", 11, false, "one-too-lo~" },
        { "one-too-long", 11, true, "one-too-lo\xe2\x80\xa6" },
        { "a\033[31mb\x7f", 0, true, "a?[31mb?" },
        { "gr\xc3\xbc\xc3\x9f", 0, true, "gr\xc3\xbc\xc3\x9f" },
        { "gr\xc3\xbc\xc3\x9f", 0, false, "gr??" },
        { "\xc2\x9b"
          "1m",
          0, true, "?1m" },                      /* C1 control */
        { "\xff\xc3", 0, true, "??" },           /* not UTF-8 */
        { "\xc0\x80", 0, true, "??" },           /* overlong */
        { "\xed\xa0\x80", 0, true, "???" },      /* a surrogate */
        { "\xf4\x90\x80\x80", 0, true, "????" }, /* beyond Unicode */
        { "\xf0\x9f\x98\x80", 0, true, "\xf0\x9f\x98\x80" },
        { "", 5, true, "" },
    };
    char buf[BL_TEXT_BYTES], tiny[4];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        bl__name(row[i].name, row[i].width, row[i].utf8, buf, sizeof(buf));
        assert_string_equal(buf, row[i].want);
    }
    bl__name("gr\xc3\xbc\xc3\x9f", 0, true, tiny, sizeof(tiny));
    assert_string_equal(tiny, "gr"); /* never half a character */
}

static void test_a_decision_is_one_line(void **state)
{
    const struct bl_style plain = { false, false };
    const struct bl_action move = { .kind = BL_ACTION_MIGRATE,
                                    .reason = BL_REASON_OVERLOAD,
                                    .figure = { 0.93, 0.8, 1.5 } };
    const struct bl_action sleep = { .kind = BL_ACTION_HOST_STANDBY,
                                     .reason = BL_REASON_NO_POWER_SAVING };
    const struct bl_decision refused = { .at_ns = INT64_C(300100000000),
                                         .policy = "lr",
                                         .vm = "web\n3",
                                         .from = "g4-1",
                                         .to = "g5-0",
                                         .action = &move,
                                         .verdict = BL_VERDICT_NO_MEMORY };
    const struct bl_decision accepted = { .policy = "lr",
                                          .vm = "",
                                          .from = "",
                                          .to = "g5-0",
                                          .action = &sleep,
                                          .verdict = BL_VERDICT_OK };
    char text[512] = "";
    FILE *f = fmemopen(text, sizeof(text), "w");

    (void)state;
    bl_report_decision(f, &refused, &plain);
    bl_report_decision(f, &accepted, &plain);
    fclose(f);
    assert_string_equal(
        text,
        "00:05:00.100  migrate web?3 from g4-1 to g5-0: source host "
        "overloaded (level=0.93 threshold=0.8 rise_w=1.5); not enough "
        "memory on the host\n"
        "00:00:00.000  host-standby g5-0: policy does not manage power; "
        "accepted\n");
}

/* ---- JSON --------------------------------------------------------------- */

static void test_json_parses_back_to_the_same_figures(void **state)
{
    static const char *const required[] = {
        "energy_kwh", "floor_kwh", "migrations",       "host_off_count",
        "slav",       "slatah",    "slatah_corrected", "pdm",
        "esv",        "hosts",     "unserved_ppm",     "vms",
        "steps",
    };
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    json_t *doc = json_of(r, r);
    const json_t *s = json_object_get(doc, "summary");
    double value[BL_FIGURE_COUNT];

    (void)state;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        assert_true(json_is_number(json_object_get(s, required[i])));
    bl_figures(r, value);
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++) {
        const json_t *v = json_object_get(s, bl_figure_def(i)->key);

        assert_true(json_number_value(v) == value[i]); /* to the last bit */
        if (bl_figure_def(i)->whole)
            assert_true(json_is_integer(v));
    }
    assert_string_equal(json_string_value(json_object_get(s, "state_hash")),
                        "00c0ffee00c0ffee");
    assert_int_equal(json_array_size(json_object_get(doc, "series")),
                     SUPPORT_STEPS);
    assert_int_equal(json_array_size(json_object_get(doc, "worst")),
                     BL_WORST_MAX);
    assert_int_equal(json_array_size(json_object_get(doc, "groups")), 2);
    assert_int_equal(json_array_size(json_object_get(doc, "classes")), 3);
    assert_true(json_equal(json_object_get(doc, "baseline"), s));
    json_decref(doc);
    bl_arena_free(&a);
}

/* "key" in the documentation, for every key of every object in the document. */
static void check_documented(const json_t *v, const char *doc)
{
    const char *key;
    json_t *item;
    size_t i;
    char quoted[128];

    json_array_foreach(v, i, item)
    {
        check_documented(item, doc);
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
    {
        snprintf(quoted, sizeof(quoted), "`%s`", key);
        if (strstr(doc, quoted) == NULL && strchr(key, ' ') == NULL)
            fail_msg("doc/report.md does not explain %s", quoted);
        check_documented(item, doc);
    }
}

static void test_every_key_is_documented(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    json_t *doc = json_of(r, r);
    char *page = calloc(1, TEXT);
    FILE *f = fopen("doc/report.md", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(page, 1, TEXT - 1, f) > 0);
    fclose(f);
    check_documented(doc, page);
    free(page);
    json_decref(doc);
    bl_arena_free(&a);
}

static void test_json_survives_names_that_are_not_utf8(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    const json_t *id;
    json_t *doc;

    (void)state;
    snprintf(r->id.trace, sizeof(r->id.trace), "a\xff\"b\\\x01");
    doc = json_of(r, NULL);
    id = json_object_get(doc, "identity");
    assert_string_equal(json_string_value(json_object_get(id, "trace")),
                        "a?\"b\\\x01");
    json_decref(doc);
    bl_arena_free(&a);
}

/* jansson's malloc: fails once, at the allocation with this number. */
static long until_failure;

static void *failing_malloc(size_t n)
{
    return until_failure-- == 0 ? NULL : malloc(n);
}

static void test_json_reports_every_allocation_that_fails(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    const struct bl_baselines base = { .count = 2, .r = { r, r } };
    char *text = calloc(1, TEXT);
    json_malloc_t get;
    json_free_t put;
    bl_err e = BL_ERR_NOMEM;

    (void)state;
    r->steps = 2;
    json_get_alloc_funcs(&get, &put);
    json_set_alloc_funcs(failing_malloc, free);
    for (long n = 0; e != BL_ERR_OK; n++) {
        FILE *f = fmemopen(text, TEXT, "w");

        until_failure = n;
        e = bl_report_json(f, r, &base);
        fclose(f);
        if (until_failure < 0) /* it was reached */
            assert_int_equal(e, BL_ERR_NOMEM);
    }
    json_set_alloc_funcs(get, put);
    free(text);
    bl_arena_free(&a);
}

/* ---- CSV ---------------------------------------------------------------- */
/* Commas outside quotes. */
static uint32_t fields(const char *line, size_t n)
{
    uint32_t count = 1;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        quoted ^= line[i] == '"';
        count += line[i] == ',' && !quoted;
    }
    assert_false(quoted);
    return count;
}

static uint32_t check_table(const char *text)
{
    const size_t first = strcspn(text, "\n");
    const uint32_t want = fields(text, first);
    uint32_t rows = 0;

    for (const char *p = text + first + 1; *p != '\0'; rows++) {
        const size_t n = strcspn(p, "\n");

        assert_int_equal(fields(p, n), want);
        assert_int_equal(p[n], '\n');
        p += n + 1;
    }
    return rows;
}

static void test_csv_rows_match_their_heads(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    (void)state;
    bl_csv_steps(f, r);
    fclose(f);
    assert_int_equal(check_table(text), SUPPORT_STEPS);
    f = fmemopen(text, TEXT, "w");
    bl_csv_hosts(f, r);
    fclose(f);
    assert_int_equal(check_table(text), SUPPORT_HOSTS);
    assert_non_null(strstr(text, "\n3,g5-1,g5,4.5,0.1,"));
    f = fmemopen(text, TEXT, "w");
    bl_csv_vms_head(f, false);
    for (uint32_t i = 0; i < r->worst_count; i++)
        bl_csv_vm(f, r, &r->worst[i]);
    fclose(f);
    assert_int_equal(check_table(text), BL_WORST_MAX);
    free(text);
    bl_arena_free(&a);
}

static void test_csv_quotes_what_needs_it(void **state)
{
    struct bl_arena a;
    struct bl_result *r = support_report(&a);
    const struct bl_vm_result vm = { .name = "a,b",
                                     .group = 1,
                                     .worst_host = BL_NONE };
    const struct bl_action act = { .kind = BL_ACTION_PLACE,
                                   .reason = BL_REASON_FIRST_FIT,
                                   .figure = { 1, 2.5, 0 } };
    char text[1024] = "";
    FILE *f = fmemopen(text, sizeof(text), "w");

    (void)state;
    bl_csv_vm(f, r, &vm);
    bl_csv_decision(f, &(struct bl_decision){ .at_ns = 1,
                                              .policy = "p",
                                              .vm = "two\nlines",
                                              .from = "",
                                              .to = "g4-0",
                                              .action = &act,
                                              .verdict = BL_VERDICT_OK });
    fclose(f);
    assert_string_equal(text,
                        "\"a,b\",\"batch, \"\"night\"\"\",0,0,0,0,0,0,0,0,0,0,"
                        ",,\n"
                        "0.000000001,p,place,\"two\nlines\",,g4-0,first host "
                        "with room,need_mhz=1 uncommitted_mhz=2.5,accepted\n");
    bl_arena_free(&a);
}

/* ---- the worst served --------------------------------------------------- */

static void test_worst_are_those_that_a_full_sort_finds(void **state)
{
    enum { VMS = 200, ROUNDS = 200 };
    struct bl_prng p = { test_seed() };
    struct bl_vm_result vm[VMS];

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct bl_arena a;
        struct bl_dc dc;
        struct bl_result *r = NULL;
        uint64_t sum = 0, got = 0;
        const uint32_t n = (uint32_t)bl_prng_below(&p, VMS + 1);

        support_report_dc(&dc);
        assert_ok(bl_arena_init(&a, ARENA));
        assert_ok(bl_result_create(&a, &dc, SUPPORT_HOSTS, SUPPORT_STEPS, &r));
        for (uint32_t i = 0; i < n; i++) {
            vm[i] = (struct bl_vm_result){ .group = i % 3, .migrations = i };
            vm[i].unserved_mcycles[bl_prng_below(&p, BL_CAUSE_COUNT)] =
                bl_prng_below(&p, 6); /* many ties */
            vm[i].mem_unserved_mib_s = bl_prng_below(&p, 3);
            sum += bl_vm_unserved(&vm[i]);
            bl_result_vm(r, &vm[i]);
        }
        for (uint32_t k = 0; k < r->worst_count; k++) {
            uint32_t best = VMS; /* the first of the worst that are left */

            for (uint32_t i = 0; i < n; i++) {
                const uint64_t lost = bl_vm_unserved(&vm[i]);

                if (vm[i].alive_ns < 0 ||
                    (lost == 0 && vm[i].mem_unserved_mib_s == 0))
                    continue;
                if (best == VMS || lost > bl_vm_unserved(&vm[best]) ||
                    (lost == bl_vm_unserved(&vm[best]) &&
                     vm[i].mem_unserved_mib_s > vm[best].mem_unserved_mib_s))
                    best = i;
            }
            assert_int_not_equal(best, VMS);
            assert_int_equal(r->worst[k].migrations, best);
            vm[best].alive_ns = -1; /* taken */
        }
        for (uint32_t c = 0; c < 3; c++)
            for (uint32_t k = 0; k < BL_CAUSE_COUNT; k++)
                got += r->class_[c].unserved_mcycles[k];
        assert_int_equal(got, sum);
        assert_int_equal(r->class_[0].vms + r->class_[1].vms + r->class_[2].vms,
                         n);
        bl_arena_free(&a);
    }
}

static void test_result_needs_all_of_its_memory(void **state)
{
    struct bl_dc dc;
    long fail_after = 0;

    (void)state;
    support_report_dc(&dc);
    for (bl_err e = BL_ERR_NOMEM; e != BL_ERR_OK; fail_after++) {
        struct bl_arena a;
        struct bl_result *r = NULL;

        assert_ok(bl_arena_init(&a, ARENA));
        a.fail_after = fail_after;
        e = bl_result_create(&a, &dc, SUPPORT_HOSTS, SUPPORT_STEPS, &r);
        if (e != BL_ERR_OK) {
            assert_int_equal(e, BL_ERR_NOMEM);
            assert_null(r);
        }
        bl_arena_free(&a);
    }
    assert_int_equal(fail_after - 1, 5); /* allocations; growth is on purpose */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_baselines_are_a_table_and_a_picture),
        cmocka_unit_test(test_text_is_what_we_want_people_to_read),
        cmocka_unit_test(test_no_line_is_too_wide_and_the_hash_is_last),
        cmocka_unit_test(test_an_empty_result_can_be_printed),
        cmocka_unit_test(test_colour_is_only_there_when_asked_for),
        cmocka_unit_test(test_times_read_as_people_say_them),
        cmocka_unit_test(test_names_cannot_harm_a_terminal),
        cmocka_unit_test(test_a_decision_is_one_line),
        cmocka_unit_test(test_json_parses_back_to_the_same_figures),
        cmocka_unit_test(test_every_key_is_documented),
        cmocka_unit_test(test_json_survives_names_that_are_not_utf8),
        cmocka_unit_test(test_json_reports_every_allocation_that_fails),
        cmocka_unit_test(test_csv_rows_match_their_heads),
        cmocka_unit_test(test_csv_quotes_what_needs_it),
        cmocka_unit_test(test_worst_are_those_that_a_full_sort_finds),
        cmocka_unit_test(test_result_needs_all_of_its_memory),
    };

    return cmocka_run_group_tests_name("report", tests, test_group_setup, NULL);
}
