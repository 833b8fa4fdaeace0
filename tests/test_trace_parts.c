/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_parts - the pieces that readers are made of. */
#include "tests/test.h"

#include "base/prng.h"
#include "tests/support_files.h"
#include "trace/trace_priv.h"

#include <stdio.h>

static struct bl__text text(const char *s)
{
    return (struct bl__text){ s, strlen(s) };
}

/* --- numbers --------------------------------------------------------- */

static void test_percentages(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t ppm;
    } rows[] = {
        { "0", true, 0 },
        { "100", true, 1000000 },
        { "007", true, 70000 },
        { "12.5", true, 125000 },
        { "6.763", true, 67630 },
        { "5.1209999999999996", true, 51210 },
        { "0.00004", true, 0 },
        { "0.00005", true, 1 }, /* half up */
        { "99.99995", true, 1000000 },
        { "182.31", true, 1823100 },
        { "99999.9999", true, 999999999 },
        { "", false, 0 },
        { ".", false, 0 },
        { ".5", false, 0 },
        { "5.", false, 0 },
        { "-1", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "1e2", false, 0 },
        { "0x1", false, 0 },
        { "1,5", false, 0 },
        { "1.5.2", false, 0 },
        { "nan", false, 0 },
        { "inf", false, 0 },
        { "100000", false, 0 }, /* no percentage is so large */
        { "99999999999999999999", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ppm = 77;

        if (bl__parse_pct(text(rows[i].text), &ppm) != rows[i].ok)
            fail_msg("'%s'", rows[i].text);
        assert_int_equal(ppm, rows[i].ok ? rows[i].ppm : 77);
    }
}

static void test_whole_and_fixed_numbers(void **state)
{
    static const struct {
        const char *text;
        unsigned digits;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "0", 0, true, 0 },
        { "12", 3, true, 12000 },
        { "2.5", 3, true, 2500 },
        { "0.000000001", 9, true, 1 },
        { "18446744073", 9, true, UINT64_C(18446744073000000000) },
        { "18446744074", 9, false, 0 }, /* not in 64 bits */
        { "1.0005", 3, false, 0 },
        { "1.", 3, false, 0 },
        { ".1", 3, false, 0 },
        { "", 3, false, 0 },
        { "1.x", 3, false, 0 },
        { "1.5", 0, false, 0 },
    };
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        v = 77;
        if (bl__parse_fixed(text(rows[i].text), rows[i].digits, &v) !=
            rows[i].ok)
            fail_msg("'%s'", rows[i].text);
        if (rows[i].ok)
            assert_int_equal(v, rows[i].value);
    }
    assert_true(bl__parse_u64(text("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_false(bl__parse_u64(text("18446744073709551616"), UINT64_MAX, &v));
    assert_false(bl__parse_u64(text("99999999999999999999"), UINT64_MAX, &v));
    assert_true(bl__parse_u64(text("7"), 7, &v));
    assert_false(bl__parse_u64(text("8"), 7, &v));
    assert_false(bl__parse_u64(text(""), 7, &v));
}

static void test_cutting(void **state)
{
    struct bl__text rest = text("a,,bc");

    (void)state;
    assert_int_equal(bl__cut(&rest, ',').size_bytes, 1);
    assert_int_equal(bl__cut(&rest, ',').size_bytes, 0);
    assert_int_equal(rest.size_bytes, 2);
    assert_int_equal(bl__cut(&rest, ',').size_bytes, 2);
    assert_int_equal(rest.size_bytes, 0);
    assert_int_equal(bl__cut(&rest, ',').size_bytes, 0);
}

static void test_quotes_are_short(void **state)
{
    struct bl__quote q;
    char longer[100];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    assert_string_equal(bl__quote(&q, text("short")), "short");
    assert_string_equal(bl__quote(&q, (struct bl__text){ NULL, 0 }), "");
    assert_string_equal(bl__quote(&q, (struct bl__text){ longer, 100 }),
                        "xxxxxxxxxxxxxxxxxxxxxxxx...");
}

/* --- names ----------------------------------------------------------- */

static void test_good_and_bad_names(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "vm-1", true },
        { "a b", true },
        { "caf\xc3\xa9", true },
        { "\xe4\xb8\xad\xe6\x96\x87", true },
        { "\xf0\x9f\x98\x80", true },
        { "\xf4\x8f\xbf\xbf", true },
        { "", false },
        { "a\nb", false },
        { "a\x7f", false },
        { "\x1b[31m", false },
        { "\xc3", false },             /* cut short */
        { "\xc3(", false },            /* no continuation */
        { "\x80", false },             /* a continuation alone */
        { "\xc0\xaf", false },         /* overlong */
        { "\xe0\x80\xaf", false },     /* overlong */
        { "\xf0\x80\x80\xaf", false }, /* overlong */
        { "\xed\xa0\x80", false },     /* a surrogate */
        { "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
        { "\xf8\x88\x80\x80\x80", false },
        { "\xc2\x85", false }, /* a control character */
        { "\xff", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (bl__name_ok(text(rows[i].text)) != rows[i].ok)
            fail_msg("row %zu", i);
    assert_false(bl__name_ok((struct bl__text){ "a\0b", 3 }));
}

static void test_long_names_are_cut_and_stay_unique(void **state)
{
    char in[BL_NAME_BYTES + 40], a[BL_NAME_BYTES], b[BL_NAME_BYTES];

    (void)state;
    memset(in, 'x', sizeof(in));
    bl__name_make(a, (struct bl__text){ in, BL_NAME_BYTES - 1 }, 1);
    assert_int_equal(strlen(a), BL_NAME_BYTES - 1); /* fits as it is */
    assert_null(strchr(a, '~'));

    bl__name_make(a, (struct bl__text){ in, sizeof(in) }, 1);
    in[sizeof(in) - 1] = 'y';
    bl__name_make(b, (struct bl__text){ in, sizeof(in) }, 1);
    assert_int_equal(strlen(a), BL_NAME_BYTES - 1);
    assert_string_not_equal(a, b);
    bl__name_make(a, (struct bl__text){ in, sizeof(in) }, 4294967295u);
    assert_int_equal(strlen(a), BL_NAME_BYTES - 1);
    assert_non_null(strstr(a, "#4294967295"));

    bl__name_make(a, text("web"), 2);
    assert_string_equal(a, "web#2");

    for (size_t i = 0; i < sizeof(in); i++) /* never half of a character */
        in[i] = i % 2 == 0 ? '\xc3' : '\xa9';
    for (size_t n = BL_NAME_BYTES; n < sizeof(in); n += 2) {
        bl__name_make(a, (struct bl__text){ in, n }, (uint32_t)n);
        assert_true(bl__name_ok(text(a)));
    }
}

static void test_file_names_become_trace_names(void **state)
{
    static const char *const rows[][2] = {
        { "20110303.tar.zst", "20110303" },
        { "/a/b.c/day1.tgz", "day1" },
        { "a/rnd-2013-8.csv.zst", "rnd-2013-8" },
        { "a/folder///", "folder" },
        { "x.blt", "x" },
        { ".csv", ".csv" },
        { "/", "trace" },
        { "a/\xff", "trace" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[BL_NAME_BYTES];

        bl__trace_name(name, rows[i][0]);
        assert_string_equal(name, rows[i][1]);
    }
}

static void test_names_have_numbers(void **state)
{
    enum { N = 5000 };
    struct bl__names names;
    struct bl_prng p = { test_seed() };

    (void)state;
    bl__names_init(&names);
    for (uint32_t i = 0; i < N; i++) {
        char name[32];
        uint32_t number;
        bool is_new;

        snprintf(name, sizeof(name), "vm-%u", i);
        assert_ok(bl__names_add(&names, text(name), &number, &is_new));
        assert_true(is_new);
        assert_int_equal(number, i);
        snprintf(name, sizeof(name), "vm-%u",
                 (uint32_t)bl_prng_below(&p, i + 1));
        assert_ok(bl__names_add(&names, text(name), &number, &is_new));
        assert_false(is_new);
        assert_int_equal(
            strncmp(bl__names_text(&names, number).p, name, strlen(name)), 0);
    }
    assert_int_equal(names.count, N);
    bl__names_free(&names);
}

/* --- slots: against an array of flags -------------------------------- */

static void test_slots_are_the_lowest_free_ones(void **state)
{
    enum { N = 700, ROUNDS = 20000 };
    static bool taken[N];
    struct bl__slots s = { .word = NULL };
    struct bl_prng p = { test_seed() };
    uint32_t alive = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const bool fill = round / 1000 % 2 == 0; /* now fuller, now emptier */
        uint32_t slot = 0, end = N;

        if (alive < N && bl_prng_below(&p, 10) < (fill ? 7 : 3)) {
            uint32_t low = 0;

            while (taken[low])
                low++;
            assert_ok(bl__slots_take(&s, &slot));
            assert_int_equal(slot, low);
            taken[slot] = true;
            alive++;
        } else if (alive > 0) {
            do
                slot = (uint32_t)bl_prng_below(&p, N);
            while (!taken[slot]);
            bl__slots_give(&s, slot);
            taken[slot] = false;
            alive--;
        }
        while (end > 0 && !taken[end - 1])
            end--;
        assert_int_equal(s.end, end);
        assert_true(bl__slots_taken(&s, slot) == taken[slot]);
    }
    bl__slots_clear(&s);
    assert_int_equal(s.end, 0);
    expect_assert_failure(bl__slots_give(&s, 3));
    bl__slots_free(&s);
}

/* --- a spool keeps its bytes when it moves to a file ----------------- */

static void test_spool_moves_to_a_file(void **state)
{
    enum { CHUNK = 1 << 20, CHUNKS = 70 };
    struct bl__spool s;
    struct bl_diag diag;
    void *p;

    (void)state;
    bl__spool_init(&s, test_folder());
    for (int i = 0; i < CHUNKS; i++) {
        assert_ok(bl__spool_take(&s, CHUNK, &p, &diag));
        memset(p, i + 1, CHUNK);
    }
    assert_true(s.in_file);
    assert_int_equal(test_file_count(), 0); /* it has no name any more */
    for (size_t i = 0; i < CHUNKS; i++) {
        assert_int_equal(s.base[i * CHUNK], i + 1);
        assert_int_equal(s.base[(i + 1) * CHUNK - 1], i + 1);
    }
    bl__spool_free(&s);

    bl__spool_init(&s, "no/such/folder");
    assert_ok(bl__spool_take(&s, CHUNK, &p, &diag));
    assert_int_equal(bl__spool_take(&s, (size_t)64 * CHUNK, &p, &diag),
                     BL_ERR_IO);
    assert_non_null(strstr(diag.text, "no/such/folder: cannot create"));
    assert_int_equal(bl__spool_take(&s, SIZE_MAX / 2, &p, &diag), BL_ERR_FULL);
    bl__spool_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_whole_and_fixed_numbers),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_quotes_are_short),
        cmocka_unit_test(test_good_and_bad_names),
        cmocka_unit_test(test_long_names_are_cut_and_stay_unique),
        cmocka_unit_test(test_file_names_become_trace_names),
        cmocka_unit_test(test_names_have_numbers),
        cmocka_unit_test(test_slots_are_the_lowest_free_ones),
        cmocka_unit_test(test_spool_moves_to_a_file),
    };

    return cmocka_run_group_tests_name("trace_parts", tests, test_group_setup,
                                       test_folder_remove);
}
