/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_powercap - the parts of kvm/powercap and kvm/energy that touch no file.
 *
 * Order: an example, every way a counter may wrap, every refusal, hostile
 * text, then noise. The files are tests/test_powercap_tree.c.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "kvm/powercap_priv.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define INTEL_RANGE_UJ UINT64_C(262143328850)

/* --- the example -------------------------------------------------------- */

/* A package near the end of its range, read once a second: 85 J, then 90 J. */
static void test_two_seconds_over_the_wrap(void **state)
{
    struct bl_energy c;
    uint64_t delta = 77;

    (void)state;
    bl_energy_start(&c, INTEL_RANGE_UJ);
    assert_ok(bl_energy_add(&c, INTEL_RANGE_UJ - 100000000, &delta));
    assert_true(delta == 0);
    assert_ok(bl_energy_add(&c, INTEL_RANGE_UJ - 15000000, &delta));
    assert_true(delta == 85000000);
    assert_true(bl_energy_power_uw(delta, 1000000000) == 85000000);
    assert_ok(bl_energy_add(&c, 75000000 - 1, &delta));
    assert_true(delta == 90000000);
    assert_true(c.wrap_count == 1);
    assert_true(c.total_uj == 175000000);
}

/* --- wraps -------------------------------------------------------------- */

/* Every pair of readings of every small counter, against remainders. */
static void test_every_pair_of_small_counters(void **state)
{
    (void)state;
    for (uint64_t range = 1; range <= 40; range++)
        for (uint64_t a = 0; a <= range; a++)
            for (uint64_t b = 0; b <= range; b++) {
                const uint64_t want = (b + range + 1 - a) % (range + 1);
                struct bl_energy c;
                uint64_t delta = 99;

                bl_energy_start(&c, range);
                assert_ok(bl_energy_add(&c, a, &delta));
                assert_ok(bl_energy_add(&c, b, &delta));
                assert_true(delta == want);
                assert_true(c.wrap_count == (b < a));
                assert_true(c.total_uj == want);
            }
}

static void test_every_step_around_the_wrap(void **state)
{
    static const uint64_t ranges[] = { INTEL_RANGE_UJ, UINT64_C(65532610987),
                                       UINT32_MAX, INT64_MAX };

    (void)state;
    for (size_t r = 0; r < COUNT(ranges); r++)
        for (uint64_t before = 0; before < 64; before++)
            for (uint64_t after = 0; after < 64; after++) {
                struct bl_energy c;
                uint64_t delta;

                bl_energy_start(&c, ranges[r]);
                assert_ok(bl_energy_add(&c, ranges[r] - before, &delta));
                assert_ok(bl_energy_add(&c, after, &delta));
                assert_true(delta == before + after + 1);
                assert_true(c.wrap_count == 1);
            }
}

/* Steps of less than a turn add up to what was truly used; a turn that nobody
 * looked at is lost, and only that. */
static void test_totals_against_a_true_sum(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int run = 0; run < 200; run++) {
        const uint64_t turn = 2 + bl_prng_below(&prng, UINT32_MAX);
        uint64_t true_uj = bl_prng_below(&prng, turn - 1);
        const uint64_t first_uj = true_uj;
        struct bl_energy c;
        uint64_t delta;

        bl_energy_start(&c, turn - 1);
        assert_ok(bl_energy_add(&c, true_uj % turn, &delta));
        for (int i = 0; i < 100; i++) {
            const uint64_t step = bl_prng_next(&prng) % turn;

            true_uj += step;
            assert_ok(bl_energy_add(&c, true_uj % turn, &delta));
            assert_true(delta == step);
        }
        assert_true(c.total_uj == true_uj - first_uj);
        assert_true(c.wrap_count == true_uj / turn);
        assert_ok(bl_energy_add(&c, (true_uj + 2 * turn) % turn, &delta));
        assert_true(delta == 0);
    }
}

/* What the hardware does: 32 bits in units of 61.035 uJ, rounded down by the
 * kernel. Each wrap may come out short by less than a unit. */
static void test_a_counter_in_units_of_61_uj(void **state)
{
    const uint64_t unit_pj_1000 = 61035;
    uint64_t raw = 0, used_units = 0;
    struct bl_energy c;
    uint64_t delta;

    (void)state;
    bl_energy_start(&c, (uint64_t)UINT32_MAX * unit_pj_1000 / 1000);
    assert_true(c.range_uj == INTEL_RANGE_UJ);
    assert_ok(bl_energy_add(&c, 0, &delta));
    for (int i = 0; i < 100; i++) {
        raw += UINT32_C(3000000019);
        used_units += UINT32_C(3000000019);
        assert_ok(bl_energy_add(&c, (raw & UINT32_MAX) * unit_pj_1000 / 1000,
                                &delta));
    }
    {
        const uint64_t true_uj = used_units * unit_pj_1000 / 1000;

        assert_true(c.wrap_count == raw >> 32);
        assert_true(c.wrap_count > 60);
        assert_true(c.total_uj <= true_uj);
        assert_true(true_uj - c.total_uj <= c.wrap_count * 62);
    }
}

static void test_impossible_readings_change_nothing(void **state)
{
    struct bl_energy c, before;
    uint64_t delta = 77;

    (void)state;
    bl_energy_start(&c, 1000);
    assert_ok(bl_energy_add(&c, 900, &delta));
    before = c;
    delta = 77;
    assert_int_equal(bl_energy_add(&c, 1001, &delta), BL_ERR_INVAL);
    assert_int_equal(bl_energy_add(&c, UINT64_MAX, &delta), BL_ERR_INVAL);
    assert_memory_equal(&c, &before, sizeof(c));
    assert_true(delta == 77);

    /* no range: it may grow, not go back */
    bl_energy_start(&c, 0);
    assert_ok(bl_energy_add(&c, 500, &delta));
    assert_ok(bl_energy_add(&c, 700, &delta));
    assert_true(delta == 200);
    assert_int_equal(bl_energy_add(&c, 699, &delta), BL_ERR_INVAL);
    assert_true(c.last_uj == 700);

    /* a total beyond 64 bits */
    bl_energy_start(&c, INT64_MAX);
    assert_ok(bl_energy_add(&c, 1, &delta));
    assert_ok(bl_energy_add(&c, 0, &delta)); /* 2^63 - 1 */
    assert_ok(bl_energy_add(&c, INT64_MAX, &delta));
    assert_true(c.total_uj == UINT64_MAX - 1);
    assert_int_equal(bl_energy_add(&c, 1, &delta), BL_ERR_FULL);
    assert_true(c.last_uj == INT64_MAX);
    assert_ok(bl_energy_add(&c, 0, &delta));
    assert_true(c.total_uj == UINT64_MAX);
    expect_assert_failure(bl_energy_start(&c, (uint64_t)INT64_MAX + 1));
}

/* --- power -------------------------------------------------------------- */

static void test_power_and_the_safe_interval(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    assert_true(bl_energy_power_uw(0, 1) == 0);
    assert_true(bl_energy_power_uw(85300000, 1000000000) == 85300000);
    assert_true(bl_energy_power_uw(1, 3) == 333333333);
    assert_true(bl_energy_power_uw(UINT64_MAX, 1) == INT64_MAX);
    assert_true(bl_energy_safe_ns(INTEL_RANGE_UJ, 500000000) ==
                UINT64_C(524286657700));
    assert_true(bl_energy_safe_ns(INT64_MAX, 1) == INT64_MAX);
    expect_assert_failure((void)bl_energy_power_uw(1, 0));
    expect_assert_failure((void)bl_energy_safe_ns(0, 1));
    expect_assert_failure((void)bl_energy_safe_ns(1, 0));
    /* at that power for that long: never a whole turn */
    for (int i = 0; i < 10000; i++) {
        const uint64_t range = 1 + (bl_prng_next(&prng) >> 24);
        const uint64_t uw = 1 + bl_prng_below(&prng, UINT32_MAX);
        const uint64_t ns = bl_energy_safe_ns(range, uw);

        if (ns < INT64_MAX)
            assert_true((double)uw * ((double)ns / 1e9) <=
                        (double)range * (1 + 1e-12));
        assert_true(ns > 0 || uw / 1000000000 >= range);
    }
}

/* --- text of files ------------------------------------------------------ */

static void test_numbers(void **state)
{
    static const struct {
        const char *bytes;
        size_t n; /* 0: strlen */
        uint64_t want;
    } good[] = {
        { "0", 0, 0 },
        { "1\n", 0, 1 },
        { "262143328850\n", 0, INTEL_RANGE_UJ },
        { "9223372036854775807", 0, INT64_MAX },
        { "0000000000000000000000000000012", 0, 12 },
        /* what libpowercap writes, as seen: the byte at 16 is off its stack */
        { "95000000\0\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0", 24, 95000000 },
        { "95000000\000100\n", 13, 95000000 },
    };
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        { "", 0 },
        { "\n", 1 },
        { "\0", 1 },
        { "-5", 2 },
        { "+5", 2 },
        { " 5", 2 },
        { "5 ", 2 },
        { "5\n\n", 3 },
        { "5\r\n", 3 },
        { "0x10", 4 },
        { "abc", 3 },
        { "12abc", 5 },
        { "1e3", 3 },
        { "1.5", 3 },
        { "9223372036854775808", 19 },
        { "99999999999999999999999", 23 },
        { "18446744073709551616", 20 },
        { "5\001", 2 },
        { "\377\376", 2 },
        { "5\n6", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const size_t n = good[i].n != 0 ? good[i].n : strlen(good[i].bytes);
        uint64_t v = 77;

        assert_true(bl__powercap_number(good[i].bytes, n, &v));
        assert_true(v == good[i].want);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t v = 77;

        if (bl__powercap_number(bad[i].bytes, bad[i].n, &v) || v != 77)
            fail_msg("'%s' was taken for a number", bad[i].bytes);
    }
}

static void test_names(void **state)
{
    static const char *const good[] = { "package-0\n", "dram", "psys",
                                        "package-1-die-0\n", "long_term\n" };
    static const char *const bad[] = {
        "",
        "\n",
        "a b",
        "a/b",
        "a=b",
        "\033[1m",
        "p\303\244ck",
        "a,b",
        "\"a\"",
        "a\tb",
        "12345678901234567890123456789012",
    };
    char name[BL_POWERCAP_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(bl__powercap_name(good[i], strlen(good[i]), name));
        assert_int_equal(strlen(name), strcspn(good[i], "\n"));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (bl__powercap_name(bad[i], strlen(bad[i]), name))
            fail_msg("'%s' was taken for a name", bad[i]);
    assert_true(bl__powercap_name("1234567890123456789012345678901", 31, name));
}

static void test_noise(void **state)
{
    static const char alphabet[] = "0123456789019\n\0- abc_/\033\377";
    struct bl_prng prng = { test_seed() };
    uint32_t numbers = 0, names = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        const size_t n = bl_prng_below(&prng, 40);
        char bytes[40], name[BL_POWERCAP_NAME_BYTES];
        uint64_t v = 77;

        for (size_t k = 0; k < n; k++)
            bytes[k] = alphabet[bl_prng_below(&prng, sizeof(alphabet) - 1)];
        if (bl__powercap_number(bytes, n, &v)) {
            numbers++;
            assert_true(v <= INT64_MAX);
        } else {
            assert_true(v == 77);
        }
        if (bl__powercap_name(bytes, n, name)) {
            names++;
            assert_true(strlen(name) > 0 && strlen(name) <= n);
        }
    }
    assert_true(numbers > 1000 && names > 1000);
}

/* --- limits ------------------------------------------------------------- */

static struct bl_powercap_zone package(void)
{
    return (struct bl_powercap_zone){
        .id = "intel-rapl:0",
        .path = "package-0",
        .control = "intel-rapl",
        .depth = 1,
        .parent = BL_POWERCAP_NO_PARENT,
        .enabled = true,
        .range_uj = INTEL_RANGE_UJ,
        .constraint_count = 3,
        .constraint = { { .id = 0,
                          .name = "long_term",
                          .limit_uw = 125000000,
                          .window_us = 999424,
                          .max_uw = 200000000 },
                        { .id = 1,
                          .name = "short_term",
                          .limit_uw = 150000000,
                          .min_uw = 40000000 },
                        { .id = 2, .name = "peak_power" } },
    };
}

static void test_absurd_limits(void **state)
{
    static const struct {
        const char *constraint;
        uint64_t limit_uw, window_us;
        bl_err want, forced;
        const char *words;
    } rows[] = {
        { NULL, 95000000, 0, BL_ERR_OK, BL_ERR_OK, "" },
        { NULL, 20000000, 0, BL_ERR_OK, BL_ERR_OK, "" },
        { NULL, 200000000, 1000000, BL_ERR_OK, BL_ERR_OK, "" },
        { NULL, 19999999, 0, BL_ERR_INVAL, BL_ERR_OK, "below 20.000 W" },
        { NULL, 200000001, 0, BL_ERR_INVAL, BL_ERR_OK, "above the 200.000 W" },
        { NULL, 0, 0, BL_ERR_INVAL, BL_ERR_INVAL, "of 0 W" },
        { NULL, 95000000, 999, BL_ERR_INVAL, BL_ERR_OK, "0.001 to 1000 s" },
        { NULL, 95000000, 1000000001, BL_ERR_INVAL, BL_ERR_OK, "window" },
        { NULL, UINT64_MAX, 0, BL_ERR_INVAL, BL_ERR_INVAL, "2^63" },
        { "short_term", 39999999, 0, BL_ERR_INVAL, BL_ERR_OK, "40.000 W" },
        { "short_term", 40000000, 0, BL_ERR_OK, BL_ERR_OK, "" },
        { "short_term", 900000000, 0, BL_ERR_OK, BL_ERR_OK, "" },
        { "peak_power", 999999, 0, BL_ERR_INVAL, BL_ERR_OK, "below 1.000 W" },
        { "peak_power", 1000000, 0, BL_ERR_OK, BL_ERR_OK, "" },
        { "middle_term", 95000000, 0, BL_ERR_NOENT, BL_ERR_NOENT,
          "long_term, short_term, peak_power" },
    };
    const struct bl_powercap_zone z = package();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_powercap_limit l = { rows[i].constraint, rows[i].limit_uw,
                                       rows[i].window_us, false };
        struct bl_diag diag = { "" };

        assert_int_equal(bl_powercap_limit_check(&z, &l, &diag), rows[i].want);
        if (strstr(diag.text, rows[i].words) == NULL)
            fail_msg("row %zu: '%s'", i, diag.text);
        l.force = true;
        assert_int_equal(bl_powercap_limit_check(&z, &l, &diag),
                         rows[i].forced);
    }
}

static void test_amd_has_no_limits(void **state)
{
    const struct bl_powercap_limit l = { NULL, 95000000, 0, true };
    struct bl_powercap_zone z = package();
    struct bl_diag diag;

    (void)state;
    z.constraint_count = 0;
    assert_int_equal(bl_powercap_limit_check(&z, &l, &diag), BL_ERR_NOENT);
    assert_non_null(strstr(diag.text, "cannot be limited"));
}

static void test_kept_but_for_a_step(void **state)
{
    (void)state;
    assert_true(bl_powercap_kept(95000000, 95000000));
    assert_true(bl_powercap_kept(95060000, 95000000));
    assert_true(bl_powercap_kept(95000000, 95125000));
    assert_false(bl_powercap_kept(95000000, 95125001));
    assert_false(bl_powercap_kept(95000000, 94874999));
    assert_false(bl_powercap_kept(0, UINT64_MAX));
}

/* --- finding, and intervals --------------------------------------------- */

static void put(struct bl_powercap *p, const char *id, const char *path)
{
    struct bl_powercap_zone *z = &p->zone[p->zone_count++];

    *z = package();
    snprintf(z->id, sizeof(z->id), "%s", id);
    snprintf(z->path, sizeof(z->path), "%s", path);
}

static void test_find(void **state)
{
    static struct bl_powercap p;
    static const struct {
        const char *text;
        uint32_t want; /* UINT32_MAX: none */
        const char *words;
    } rows[] = {
        { "intel-rapl:0", 0, "" },
        { "package-0", UINT32_MAX, "intel-rapl-mmio:0 (package-0)" },
        { "intel-rapl-mmio:0", 4, "" },
        { "package-1", 2, "" },
        { "package-1/dram", 3, "" },
        { "dram", UINT32_MAX,
          "intel-rapl:0:0 (package-0/dram), intel-rapl:1:0" },
        { "psys", 5, "" },
        { "", UINT32_MAX, "no zone ''" },
        { "package", UINT32_MAX, "expected one of intel-rapl:0 (package-0)" },
        { "\033[31mred", UINT32_MAX, "?[31mred" },
        { "package-0/", UINT32_MAX, "no zone" },
    };

    (void)state;
    p.zone_count = 0;
    put(&p, "intel-rapl:0", "package-0");
    put(&p, "intel-rapl:0:0", "package-0/dram");
    put(&p, "intel-rapl:1", "package-1");
    put(&p, "intel-rapl:1:0", "package-1/dram");
    put(&p, "intel-rapl-mmio:0", "package-0");
    put(&p, "intel-rapl:2", "psys");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_diag diag = { "" };
        uint32_t index = UINT32_MAX;
        const bl_err e = bl_powercap_find(&p, rows[i].text, &index, &diag);

        assert_int_equal(e,
                         rows[i].want == UINT32_MAX ? BL_ERR_NOENT : BL_ERR_OK);
        assert_true(index == rows[i].want);
        if (strstr(diag.text, rows[i].words) == NULL)
            fail_msg("'%s': '%s'", rows[i].text, diag.text);
    }
    /* a list that does not fit is cut, not overrun */
    while (p.zone_count < BL_POWERCAP_ZONES_MAX)
        put(&p, "intel-rapl:63:7", "package-63-die-7/uncore");
    {
        struct bl_diag diag;
        uint32_t index = 0;

        assert_int_equal(bl_powercap_find(&p, "none", &index, &diag),
                         BL_ERR_NOENT);
        assert_non_null(strstr(diag.text, ", ..."));
    }
}

static void test_intervals_that_are_too_long(void **state)
{
    static struct bl_powercap p;
    struct bl_diag diag = { "" };
    const uint64_t safe_ns = UINT64_C(1310716644250); /* at 200 W */

    (void)state;
    p.zone_count = 0;
    put(&p, "intel-rapl:0", "package-0");
    assert_ok(bl_powercap_meter_check(&p, safe_ns, &diag));
    assert_int_equal(bl_powercap_meter_check(&p, safe_ns + 1, &diag),
                     BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "intel-rapl:0: "));
    assert_non_null(strstr(diag.text, "1310.717 s"));
    p.zone[0].range_uj = 0; /* nothing known, nothing said */
    assert_ok(bl_powercap_meter_check(&p, safe_ns + 1, &diag));
    p.zone[0] = package();
    p.zone[0].constraint_count = 0;
    assert_ok(bl_powercap_meter_check(&p, safe_ns + 1, &diag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_seconds_over_the_wrap),
        cmocka_unit_test(test_every_pair_of_small_counters),
        cmocka_unit_test(test_every_step_around_the_wrap),
        cmocka_unit_test(test_totals_against_a_true_sum),
        cmocka_unit_test(test_a_counter_in_units_of_61_uj),
        cmocka_unit_test(test_impossible_readings_change_nothing),
        cmocka_unit_test(test_power_and_the_safe_interval),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_absurd_limits),
        cmocka_unit_test(test_amd_has_no_limits),
        cmocka_unit_test(test_kept_but_for_a_step),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_intervals_that_are_too_long),
    };

    return cmocka_run_group_tests_name("powercap", tests, test_group_setup,
                                       NULL);
}
