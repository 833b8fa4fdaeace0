/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include "base/u128.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Mantissa and scale stay below 10^24, multipliers below 10^14: every product
 * fits 128 bits, so the arithmetic is exact. */
#define DIGITS_MAX 24u
#define TEXT_BYTES 48 /* of a printed quantity */

/* One unit is num / den of the kept unit. */
struct unit {
    const char *name;
    uint64_t num;
    uint64_t den;
};

/* In each table: ties in length are printed in the unit listed first. */
static const struct unit unit_count[] = { { "", 1, 1 } };
static const struct unit unit_ratio[] = { { "", 1000000, 1 },
                                          { "%", 10000, 1 } };
static const struct unit unit_time[] = {
    { "s", 1000000000, 1 },
    { "ms", 1000000, 1 },
    { "us", 1000, 1 },
    { "ns", 1, 1 },
    { "min", UINT64_C(60000000000), 1 },
    { "h", UINT64_C(3600000000000), 1 },
    { "d", UINT64_C(86400000000000), 1 },
};
static const struct unit unit_bytes[] = {
    { "B", 1, 1 },
    { "KiB", UINT64_C(1) << 10, 1 },
    { "MiB", UINT64_C(1) << 20, 1 },
    { "GiB", UINT64_C(1) << 30, 1 },
    { "TiB", UINT64_C(1) << 40, 1 },
    { "kB", 1000, 1 },
    { "MB", 1000000, 1 },
    { "GB", 1000000000, 1 },
    { "TB", UINT64_C(1000000000000), 1 },
};
static const struct unit unit_freq[] = { { "GHz", 1000000, 1 },
                                         { "MHz", 1000, 1 },
                                         { "kHz", 1, 1 } };
static const struct unit unit_power[] = { { "W", 1000, 1 },
                                          { "mW", 1, 1 },
                                          { "kW", 1000000, 1 } };
static const struct unit unit_energy[] = {
    { "J", 1000000, 1 },
    { "kJ", 1000000000, 1 },
    { "Wh", UINT64_C(3600000000), 1 },
    { "kWh", UINT64_C(3600000000000), 1 },
};
static const struct unit unit_voltage[] = { { "V", 1000000, 1 },
                                            { "mV", 1000, 1 },
                                            { "uV", 1, 1 } };
static const struct unit unit_rate[] = {
    { "bit/s", 1, 8 },
    { "kbit/s", 125, 1 },
    { "Mbit/s", 125000, 1 },
    { "Gbit/s", 125000000, 1 },
    { "B/s", 1, 1 },
    { "kB/s", 1000, 1 },
    { "MB/s", 1000000, 1 },
    { "GB/s", 1000000000, 1 },
    { "KiB/s", UINT64_C(1) << 10, 1 },
    { "MiB/s", UINT64_C(1) << 20, 1 },
    { "GiB/s", UINT64_C(1) << 30, 1 },
};
static const struct unit unit_money[] = { { "", 1000000, 1 } };
static const struct unit unit_co2[] = { { "g/kWh", 1000, 1 },
                                        { "kg/kWh", 1000000, 1 } };

#define UNITS(table) (table), sizeof(table) / sizeof((table)[0])

static const struct dim {
    const struct unit *unit;
    size_t unit_count;
    const char *expect;
} dims[] = {
    [BL_DIM_COUNT] = { UNITS(unit_count), "a whole number such as 12" },
    [BL_DIM_RATIO] = { UNITS(unit_ratio), "a ratio such as 0.8 or 80%" },
    [BL_DIM_TIME] = { UNITS(unit_time),
                      "a time such as 300s (ns us ms s min h d)" },
    [BL_DIM_BYTES] = { UNITS(unit_bytes),
                       "a size such as 4GiB (B kB MB GB TB KiB MiB GiB TiB)" },
    [BL_DIM_FREQ] = { UNITS(unit_freq),
                      "a speed such as 2.4GHz (kHz MHz GHz)" },
    [BL_DIM_POWER] = { UNITS(unit_power), "a power such as 35W (mW W kW)" },
    [BL_DIM_ENERGY] = { UNITS(unit_energy),
                        "an energy such as 400J (J kJ Wh kWh)" },
    [BL_DIM_VOLTAGE] = { UNITS(unit_voltage),
                         "a voltage such as 0.9V (uV mV V)" },
    [BL_DIM_RATE] = { UNITS(unit_rate),
                      "a rate such as 1Gbit/s (bit/s kbit/s Mbit/s Gbit/s "
                      "B/s kB/s MB/s GB/s KiB/s MiB/s GiB/s)" },
    [BL_DIM_MONEY] = { UNITS(unit_money), "an amount such as 0.25" },
    [BL_DIM_CO2] = { UNITS(unit_co2),
                     "an intensity such as 400g/kWh (g/kWh kg/kWh)" },
    [BL_DIM_BOOL] = { NULL, 0, "one of true false yes no on off" },
    [BL_DIM_CHOICE] = { NULL, 0, "one of its choices" },
};

const char *bl_units_expect(enum bl_dim dim)
{
    BL_ASSERT((size_t)dim < sizeof(dims) / sizeof(dims[0]));
    return dims[dim].expect;
}

/* --- reading ------------------------------------------------------------ */

/* digits * 10^-scale, exactly. */
struct decimal {
    bl_u128 digits;
    bl_u128 ten_to_scale;
    bool has_point;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bl_err fail(bl_err e, const char **why, const char *text)
{
    *why = text;
    return e;
}

/* Digits, then perhaps a point and digits; moves *at behind them. */
static bl_err take_decimal(const char **at, struct decimal *out,
                           const char *expect, const char **why)
{
    struct decimal d = { 0, 1, false };
    const char *c = *at;
    unsigned used = 0;

    if (!is_digit(*c))
        return fail(BL_ERR_PARSE, why, expect);
    for (; is_digit(*c); c++) {
        if (used > 0 || *c != '0')
            used++;
        if (used > DIGITS_MAX)
            return fail(BL_ERR_FULL, why, "a smaller number");
        d.digits = d.digits * 10 + (unsigned)(*c - '0');
    }
    if (*c == '.') {
        d.has_point = true;
        if (!is_digit(*++c))
            return fail(BL_ERR_PARSE, why, expect);
        for (; is_digit(*c); c++) {
            if (++used > DIGITS_MAX)
                return fail(BL_ERR_PARSE, why, "a number of fewer digits");
            d.digits = d.digits * 10 + (unsigned)(*c - '0');
            d.ten_to_scale *= 10;
        }
    }
    *at = c;
    *out = d;
    return BL_ERR_OK;
}

static bl_err parse_bool(const char *text, int64_t *out, const char **why)
{
    static const char *const word[] = { "false", "true", "no",
                                        "yes",   "off",  "on" };

    for (int64_t i = 0; i < 6; i++) {
        if (strcmp(text, word[i]) == 0) {
            *out = i % 2;
            return BL_ERR_OK;
        }
    }
    return fail(BL_ERR_PARSE, why, bl_units_expect(BL_DIM_BOOL));
}

static const struct unit *find_unit(const struct dim *d, const char *name)
{
    for (size_t i = 0; i < d->unit_count; i++)
        if (strcmp(d->unit[i].name, name) == 0)
            return &d->unit[i];
    return NULL;
}

bl_err bl_units_parse(enum bl_dim dim, const char *text, int64_t *out,
                      const char **why)
{
    const char *const expect = bl_units_expect(dim);
    const struct unit *u;
    struct decimal d;
    const char *c = text;
    bl_u128 whole, part;

    BL_ASSERT(dim != BL_DIM_CHOICE);
    if (dim == BL_DIM_BOOL)
        return parse_bool(text, out, why);
    BL_TRY(take_decimal(&c, &d, expect, why));
    if (*c == ' ' && c[1] != '\0')
        c++;
    u = find_unit(&dims[dim], c);
    if (u == NULL && d.digits == 0 && *c == '\0')
        u = &dims[dim].unit[0]; /* nothing is nothing in every unit */
    if (u == NULL || (dim == BL_DIM_COUNT && d.has_point))
        return fail(BL_ERR_PARSE, why, expect);

    /* Half up: add half of what we divide by. */
    const bl_u128 by = d.ten_to_scale * u->den;

    whole = d.digits * u->num / by;
    part = d.digits * u->num % by;
    if (dim == BL_DIM_FREQ && whole == 0 && part > 0)
        return fail(BL_ERR_PARSE, why, "a speed of at least 1kHz");
    if (part * 2 >= by)
        whole++;
    if (whole > INT64_MAX)
        return fail(BL_ERR_FULL, why, "a smaller number");
    *out = (int64_t)whole;
    return BL_ERR_OK;
}

/* --- printing ----------------------------------------------------------- */

/* @value in @u as an exact decimal; false when that is too long to be nice. */
static bool print_in(const struct unit *u, int64_t value, char *buf,
                     size_t size)
{
    const bl_u128 scaled = (bl_u128)value * u->den;
    const bl_u128 whole = scaled / u->num;
    uint64_t rest = (uint64_t)(scaled % u->num);
    char part[20] = "."; /* the point and its digits */
    size_t used = 1;

    if (whole > INT64_MAX)
        return false;
    for (; rest > 0; rest %= u->num) {
        if (used + 1 == sizeof(part))
            return false;
        rest *= 10; /* fits: num is below 10^14 */
        part[used++] = (char)('0' + rest / u->num);
        part[used] = '\0';
    }
    snprintf(buf, size, "%lld%s%s", (long long)whole, used > 1 ? part : "",
             u->name);
    return true;
}

/* Values that stand one below the other are to look alike: no 95% below 0.9, no
 * 0.5h below 1h. */
static bool is_even(enum bl_dim dim, const char *text)
{
    if (dim == BL_DIM_RATIO)
        return strchr(text, '%') == NULL;
    return dim != BL_DIM_TIME || strchr(text, '.') == NULL;
}

void bl_units_print(enum bl_dim dim, int64_t value, char *buf, size_t size)
{
    char best[TEXT_BYTES] = "", text[TEXT_BYTES];

    BL_ASSERT(value >= 0);
    BL_ASSERT(dim != BL_DIM_CHOICE);
    if (dim == BL_DIM_BOOL) {
        BL_ASSERT(value <= 1);
        snprintf(buf, size, "%s", value != 0 ? "yes" : "no");
        return;
    }
    for (size_t i = 0; value > 0 && i < dims[dim].unit_count; i++) {
        if (!print_in(&dims[dim].unit[i], value, text, sizeof(text)) ||
            !is_even(dim, text))
            continue;
        if (best[0] == '\0' || strlen(text) < strlen(best))
            memcpy(best, text, sizeof(best));
    }
    snprintf(buf, size, "%s", value > 0 ? best : "0");
}
