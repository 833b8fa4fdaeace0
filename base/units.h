/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/units.h - quantities as people write them, as the integers we keep.
 *
 * Accepted: a decimal number and a unit of the dimension, with at most one
 * space between them: 4GiB, 2.4 GHz, 300s, 35W. A number without a unit is
 * refused where the dimension has one (except 0), because a guess is how
 * wrong runs are made. No sign (no quantity here can be negative), no
 * exponent, no comma, no hexadecimal, nothing after the unit.
 *
 *   dimension        kept as       units
 *   BL_DIM_COUNT     integer       (none), exact integers only
 *   BL_DIM_RATIO     ppm           (none) or %       0.8 = 80% = 800000
 *   BL_DIM_TIME      ns            ns us ms s min h d
 *   BL_DIM_BYTES     bytes         B kB MB GB TB KiB MiB GiB TiB
 *   BL_DIM_FREQ      kHz           kHz MHz GHz       (below 1 kHz refused)
 *   BL_DIM_POWER     mW            mW W kW
 *   BL_DIM_ENERGY    uJ            J kJ Wh kWh
 *   BL_DIM_VOLTAGE   uV            uV mV V
 *   BL_DIM_RATE      bytes/s       bit/s kbit/s Mbit/s Gbit/s B/s kB/s MB/s
 *                                  GB/s KiB/s MiB/s GiB/s
 *   BL_DIM_MONEY     micro-units   (none)            0.25 = 250000
 *   BL_DIM_CO2       mg per kWh    g/kWh kg/kWh
 *   BL_DIM_BOOL      0 or 1        true false yes no on off
 *   BL_DIM_CHOICE    index         one of a parameter's choices
 *
 * Layer        base (L0).
 * Errors       BL_ERR_PARSE with *why set to a static string that names what
 *              was expected ("a size such as 4GiB (B kB MB ... TiB)");
 *              BL_ERR_FULL when the value does not fit int64_t. *out untouched.
 * Determinism  exact decimal arithmetic: a value that is not a whole number of
 *              the kept unit is rounded half up. No locale.
 */
#ifndef BL_BASE_UNITS_H
#define BL_BASE_UNITS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum bl_dim {
    BL_DIM_COUNT,
    BL_DIM_RATIO,
    BL_DIM_TIME,
    BL_DIM_BYTES,
    BL_DIM_FREQ,
    BL_DIM_POWER,
    BL_DIM_ENERGY,
    BL_DIM_VOLTAGE,
    BL_DIM_RATE,
    BL_DIM_MONEY,
    BL_DIM_CO2,
    BL_DIM_BOOL,
    BL_DIM_CHOICE,
};

#define BL_NS_PER_S INT64_C(1000000000)
#define BL_PPM INT64_C(1000000)
#define BL_MIB INT64_C(1048576)

/** bl_units_parse - read @text as a quantity of @dim (not BL_DIM_CHOICE).
 * @why  set on error only; a static string saying what was expected. */
BL_NODISCARD bl_err bl_units_parse(enum bl_dim dim, const char *text,
                                   int64_t *out, const char **why);

/** bl_units_print - the shortest exact text of @value that bl_units_parse()
 * reads back to the same value; at most @size bytes with the NUL. A ratio is a
 * decimal, a time a whole number of its unit. */
void bl_units_print(enum bl_dim dim, int64_t value, char *buf, size_t size);

/* "a time such as 300s (ns us ms s min h d)": for help and error texts. */
const char *bl_units_expect(enum bl_dim dim);

#endif /* BL_BASE_UNITS_H */
