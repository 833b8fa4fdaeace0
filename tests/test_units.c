/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_units - quantities as text and back.
 *
 * Order: an example, every accepted form, every refusal, then the property
 * that what is printed reads back to the same value, then noise.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- the example -------------------------------------------------------- */

static void test_four_gib(void **state)
{
    const char *why = NULL;
    int64_t v = 0;
    char text[32];

    (void)state;
    assert_ok(bl_units_parse(BL_DIM_BYTES, "4GiB", &v, &why));
    assert_true(v == INT64_C(4294967296));
    bl_units_print(BL_DIM_BYTES, v, text, sizeof(text));
    assert_string_equal(text, "4GiB");
    assert_null(why);
}

/* --- every accepted form ------------------------------------------------ */

static const struct {
    enum bl_dim dim;
    const char *text;
    int64_t want;
} good[] = {
    { BL_DIM_COUNT, "0", 0 },
    { BL_DIM_COUNT, "800", 800 },
    { BL_DIM_COUNT, "007", 7 },
    { BL_DIM_COUNT, "9223372036854775807", INT64_MAX },
    { BL_DIM_RATIO, "0.8", 800000 },
    { BL_DIM_RATIO, "80%", 800000 },
    { BL_DIM_RATIO, "80 %", 800000 },
    { BL_DIM_RATIO, "12.3%", 123000 },
    { BL_DIM_RATIO, "1.2", 1200000 },
    { BL_DIM_RATIO, "0.00000049999", 0 }, /* half up */
    { BL_DIM_RATIO, "0.0000005", 1 },
    { BL_DIM_RATIO, "0.33333333333333333333333", 333333 },
    { BL_DIM_TIME, "0", 0 },
    { BL_DIM_TIME, "0s", 0 },
    { BL_DIM_TIME, "0.000", 0 },
    { BL_DIM_TIME, "300s", INT64_C(300000000000) },
    { BL_DIM_TIME, "300 s", INT64_C(300000000000) },
    { BL_DIM_TIME, "5min", INT64_C(300000000000) },
    { BL_DIM_TIME, "300ms", 300000000 },
    { BL_DIM_TIME, "1.5us", 1500 },
    { BL_DIM_TIME, "7ns", 7 },
    { BL_DIM_TIME, "0.4ns", 0 },
    { BL_DIM_TIME, "0.5ns", 1 },
    { BL_DIM_TIME, "24h", INT64_C(86400000000000) },
    { BL_DIM_TIME, "1d", INT64_C(86400000000000) },
    { BL_DIM_TIME, "9223372036854775807ns", INT64_MAX },
    { BL_DIM_TIME, "9223372036.854775807s", INT64_MAX },
    { BL_DIM_BYTES, "1B", 1 },
    { BL_DIM_BYTES, "1kB", 1000 },
    { BL_DIM_BYTES, "1MB", 1000000 },
    { BL_DIM_BYTES, "1GB", 1000000000 },
    { BL_DIM_BYTES, "1TB", INT64_C(1000000000000) },
    { BL_DIM_BYTES, "1KiB", 1024 },
    { BL_DIM_BYTES, "613MiB", INT64_C(613) * BL_MIB },
    { BL_DIM_BYTES, "1.5 GiB", INT64_C(1610612736) },
    { BL_DIM_BYTES, "1TiB", INT64_C(1) << 40 },
    { BL_DIM_FREQ, "0", 0 },
    { BL_DIM_FREQ, "0MHz", 0 },
    { BL_DIM_FREQ, "1kHz", 1 },
    { BL_DIM_FREQ, "1860MHz", 1860000 },
    { BL_DIM_FREQ, "2.4GHz", 2400000 },
    { BL_DIM_FREQ, "2.4 GHz", 2400000 },
    { BL_DIM_POWER, "35W", 35000 },
    { BL_DIM_POWER, "89.4W", 89400 },
    { BL_DIM_POWER, "5mW", 5 },
    { BL_DIM_POWER, "1.2kW", 1200000 },
    { BL_DIM_ENERGY, "400J", 400000000 },
    { BL_DIM_ENERGY, "52kJ", INT64_C(52000000000) },
    { BL_DIM_ENERGY, "1Wh", INT64_C(3600000000) },
    { BL_DIM_ENERGY, "1kWh", INT64_C(3600000000000) },
    { BL_DIM_VOLTAGE, "1.10V", 1100000 },
    { BL_DIM_VOLTAGE, "850mV", 850000 },
    { BL_DIM_VOLTAGE, "5uV", 5 },
    { BL_DIM_RATE, "8bit/s", 1 },
    { BL_DIM_RATE, "3bit/s", 0 },
    { BL_DIM_RATE, "4bit/s", 1 },
    { BL_DIM_RATE, "1kbit/s", 125 },
    { BL_DIM_RATE, "1Mbit/s", 125000 },
    { BL_DIM_RATE, "1Gbit/s", 125000000 },
    { BL_DIM_RATE, "1B/s", 1 },
    { BL_DIM_RATE, "1kB/s", 1000 },
    { BL_DIM_RATE, "40MB/s", 40000000 },
    { BL_DIM_RATE, "1GB/s", 1000000000 },
    { BL_DIM_RATE, "1KiB/s", 1024 },
    { BL_DIM_RATE, "1MiB/s", BL_MIB },
    { BL_DIM_RATE, "1GiB/s", 1024 * BL_MIB },
    { BL_DIM_MONEY, "0.25", 250000 },
    { BL_DIM_MONEY, "3", 3000000 },
    { BL_DIM_CO2, "400 g/kWh", 400000 },
    { BL_DIM_CO2, "0.4kg/kWh", 400000 },
    { BL_DIM_CO2, "0", 0 },
    { BL_DIM_BOOL, "true", 1 },
    { BL_DIM_BOOL, "false", 0 },
    { BL_DIM_BOOL, "yes", 1 },
    { BL_DIM_BOOL, "no", 0 },
    { BL_DIM_BOOL, "on", 1 },
    { BL_DIM_BOOL, "off", 0 },
};

static void test_accepted_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *why = NULL;
        int64_t v = -1;
        const bl_err e = bl_units_parse(good[i].dim, good[i].text, &v, &why);

        if (e != BL_ERR_OK || v != good[i].want || why != NULL)
            fail_msg("'%s': %s, %lld", good[i].text, bl_err_name(e),
                     (long long)v);
    }
}

/* --- refusals ----------------------------------------------------------- */

static const struct {
    const char *text;
    const char *why; /* must be in the explanation */
    enum bl_dim dim;
    bl_err want;
} bad[] = {
    { "", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "10x", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "1.0", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "-1", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "+1", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "1e3", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "0x10", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "1_000", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { " 1", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "1 ", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "0 ", "a whole number", BL_DIM_COUNT, BL_ERR_PARSE },
    { "9223372036854775808", "smaller", BL_DIM_COUNT, BL_ERR_FULL },
    { "99999999999999999999999999999999999999999999999999", "smaller",
      BL_DIM_COUNT, BL_ERR_FULL },
    { "0,5", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { ".5", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "5.", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "1.2.3", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "50%%", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "nan", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "inf", "0.8 or 80%", BL_DIM_RATIO, BL_ERR_PARSE },
    { "0.1234567890123456789012345", "digits", BL_DIM_RATIO, BL_ERR_PARSE },
    { "9223372036855", "smaller", BL_DIM_RATIO, BL_ERR_FULL },
    { "300", "300s", BL_DIM_TIME, BL_ERR_PARSE },
    { "300S", "300s", BL_DIM_TIME, BL_ERR_PARSE },
    { "4 parsecs", "300s", BL_DIM_TIME, BL_ERR_PARSE },
    { "5 min 3s", "300s", BL_DIM_TIME, BL_ERR_PARSE },
    { "-3s", "300s", BL_DIM_TIME, BL_ERR_PARSE },
    { "200000d", "smaller", BL_DIM_TIME, BL_ERR_FULL },
    { "999999999999999999999999d", "smaller", BL_DIM_TIME, BL_ERR_FULL },
    { "4", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4G", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4gib", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4GiBs", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4  GiB", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4\tGiB", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "4GiB ", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "GiB", "4GiB", BL_DIM_BYTES, BL_ERR_PARSE },
    { "8388608TiB", "smaller", BL_DIM_BYTES, BL_ERR_FULL },
    { "0.5kHz", "1kHz", BL_DIM_FREQ, BL_ERR_PARSE },
    { "0.0001MHz", "1kHz", BL_DIM_FREQ, BL_ERR_PARSE },
    { "300Hz", "2.4GHz", BL_DIM_FREQ, BL_ERR_PARSE },
    { "2,4GHz", "2.4GHz", BL_DIM_FREQ, BL_ERR_PARSE },
    { "35w", "35W", BL_DIM_POWER, BL_ERR_PARSE },
    { "35 watts", "35W", BL_DIM_POWER, BL_ERR_PARSE },
    { "400", "400J", BL_DIM_ENERGY, BL_ERR_PARSE },
    { "1.1", "0.9V", BL_DIM_VOLTAGE, BL_ERR_PARSE },
    { "1.1v", "0.9V", BL_DIM_VOLTAGE, BL_ERR_PARSE },
    { "1Gbit", "1Gbit/s", BL_DIM_RATE, BL_ERR_PARSE },
    { "1Gb/s", "1Gbit/s", BL_DIM_RATE, BL_ERR_PARSE },
    { "0.25EUR", "0.25", BL_DIM_MONEY, BL_ERR_PARSE },
    { "400", "400g/kWh", BL_DIM_CO2, BL_ERR_PARSE },
    { "True", "true false", BL_DIM_BOOL, BL_ERR_PARSE },
    { "1", "true false", BL_DIM_BOOL, BL_ERR_PARSE },
    { "", "true false", BL_DIM_BOOL, BL_ERR_PARSE },
};

static void test_refusals_say_what_was_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why = NULL;
        int64_t v = 77;
        const bl_err e = bl_units_parse(bad[i].dim, bad[i].text, &v, &why);

        if (e != bad[i].want || v != 77 || why == NULL ||
            strstr(why, bad[i].why) == NULL)
            fail_msg("'%s': %s, %lld, %s", bad[i].text, bl_err_name(e),
                     (long long)v, why != NULL ? why : "(no reason)");
    }
}

static void test_misuse_asserts(void **state)
{
    const char *why;
    int64_t v;
    char text[32];

    (void)state;
    expect_assert_failure((void)!bl_units_parse(BL_DIM_CHOICE, "x", &v, &why));
    expect_assert_failure(bl_units_print(BL_DIM_TIME, -1, text, 32));
    expect_assert_failure(bl_units_print(BL_DIM_BOOL, 2, text, 32));
    expect_assert_failure((void)bl_units_expect((enum bl_dim)99));
}

/* --- printing ----------------------------------------------------------- */

static void test_the_shortest_exact_text_is_printed(void **state)
{
    static const struct {
        enum bl_dim dim;
        int64_t value;
        const char *want;
    } rows[] = {
        { BL_DIM_COUNT, 0, "0" },
        { BL_DIM_COUNT, 1052, "1052" },
        { BL_DIM_RATIO, 800000, "0.8" },
        { BL_DIM_RATIO, 1200000, "1.2" },
        { BL_DIM_RATIO, 10000, "0.01" },
        { BL_DIM_RATIO, 123000, "0.123" },
        { BL_DIM_RATIO, 1, "0.000001" },
        { BL_DIM_RATIO, 950000, "0.95" },
        { BL_DIM_TIME, 0, "0" },
        { BL_DIM_TIME, INT64_C(300000000000), "300s" },
        { BL_DIM_TIME, INT64_C(86400000000000), "1d" },
        { BL_DIM_TIME, INT64_C(3600000000000), "1h" },
        { BL_DIM_TIME, 300000000, "300ms" },
        { BL_DIM_TIME, INT64_C(1800000000000), "1800s" },
        { BL_DIM_TIME, INT64_MAX, "9223372036854775807ns" },
        { BL_DIM_BYTES, 870 * BL_MIB, "870MiB" },
        { BL_DIM_BYTES, 870000000, "870MB" },
        { BL_DIM_BYTES, 4096 * BL_MIB, "4GiB" },
        { BL_DIM_BYTES, 500, "500B" },
        { BL_DIM_FREQ, 2400000, "2.4GHz" },
        { BL_DIM_FREQ, 1, "1kHz" },
        { BL_DIM_POWER, 89400, "89.4W" },
        { BL_DIM_POWER, 1, "1mW" },
        { BL_DIM_ENERGY, INT64_C(3600000000000), "1kWh" },
        { BL_DIM_ENERGY, 400000000, "400J" },
        { BL_DIM_VOLTAGE, 1100000, "1.1V" },
        { BL_DIM_VOLTAGE, 85000, "85mV" },
        { BL_DIM_RATE, 125000000, "1Gbit/s" },
        { BL_DIM_RATE, 40000000, "40MB/s" },
        { BL_DIM_RATE, 1, "1B/s" },
        { BL_DIM_MONEY, 250000, "0.25" },
        { BL_DIM_CO2, 400000, "400g/kWh" },
        { BL_DIM_BOOL, 1, "yes" },
        { BL_DIM_BOOL, 0, "no" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[48];

        bl_units_print(rows[i].dim, rows[i].value, text, sizeof(text));
        assert_string_equal(text, rows[i].want);
    }
}

static void test_a_short_buffer_is_not_overrun(void **state)
{
    char text[8] = "#######";

    (void)state;
    bl_units_print(BL_DIM_BYTES, 4096 * BL_MIB, text, 3);
    assert_string_equal(text, "4G");
    assert_int_equal(text[3], '#');
}

/* --- property: print, then parse, gives the same value ------------------ */

static void check_round_trip(enum bl_dim dim, int64_t value)
{
    const char *why = NULL;
    int64_t back = -1;
    char text[48];

    bl_units_print(dim, value, text, sizeof(text));
    if (bl_units_parse(dim, text, &back, &why) != BL_ERR_OK || back != value)
        fail_msg("dimension %d: %lld -> %s -> %lld", (int)dim, (long long)value,
                 text, (long long)back);
}

static void test_what_is_printed_reads_back(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int d = BL_DIM_COUNT; d < BL_DIM_BOOL; d++) {
        const enum bl_dim dim = (enum bl_dim)d;

        check_round_trip(dim, INT64_MAX);
        for (int64_t v = 0; v < 2000; v++)
            check_round_trip(dim, v);
        for (int i = 0; i < 20000; i++) {
            /* every magnitude equally likely, half of them round numbers */
            int64_t v = (int64_t)(bl_prng_next(&prng) >>
                                  (1 + bl_prng_below(&prng, 63)));
            const int64_t round = v < 1000 ? 1 : v < 1000000 ? 1000 : 1000000;

            if (bl_prng_below(&prng, 2) == 0)
                v -= v % round;
            check_round_trip(dim, v);
        }
    }
}

/* --- noise: never a crash, and what is accepted is printable ------------ */

static void test_noise(void **state)
{
    static const char alphabet[] = "0123456789..%  kKMGTiBbHzsmnudhWJ/,-+eEx\t";
    struct bl_prng prng = { test_seed() };
    uint32_t accepted = 0;

    (void)state;
    for (int i = 0; i < 300000; i++) {
        const enum bl_dim dim = (enum bl_dim)bl_prng_below(&prng, BL_DIM_BOOL);
        const size_t n = bl_prng_below(&prng, 9);
        const char *why = NULL;
        int64_t v = -1;
        char text[16] = "";

        for (size_t k = 0; k < n; k++)
            text[k] = alphabet[bl_prng_below(&prng, sizeof(alphabet) - 1)];
        if (bl_units_parse(dim, text, &v, &why) == BL_ERR_OK) {
            accepted++;
            assert_true(v >= 0);
            assert_null(why);
            check_round_trip(dim, v);
        } else {
            assert_non_null(why);
            assert_true(v == -1);
        }
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_gib),
        cmocka_unit_test(test_accepted_forms),
        cmocka_unit_test(test_refusals_say_what_was_expected),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_the_shortest_exact_text_is_printed),
        cmocka_unit_test(test_a_short_buffer_is_not_overrun),
        cmocka_unit_test(test_what_is_printed_reads_back),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests_name("units", tests, test_group_setup, NULL);
}
