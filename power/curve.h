/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/curve.h - power of a host as a function of its utilisation.
 *
 * Source     SPECpower_ssj2008 reports measure 11 loads; between two of them
 *            we interpolate linearly, as the published experiments do.
 * Idea       two readings of one table: exact integers for accounting, and
 *            doubles, in the order of operations of CloudSim 3.0.3, for the
 *            algorithms and the physics that compute with them.
 * Bound      the integer reading equals the real interpolation rounded down
 *            (test_power); it never decreases where the table does not.
 * Deviation  CloudSim tests fmod(u, 0.1) first; that branch gives the same
 *            table value as the interpolation wherever it is taken (test_power
 *            walks all of them), so it is left out.
 * Cost       O(1), no division in the double reading.
 *
 * Layer        power (L2).       Units  _mw and _ppm; watts and 0..1 as double.
 * Ownership    values.           Errors  none; u outside 0..1 is a bug.
 */
#ifndef BL_POWER_CURVE_H
#define BL_POWER_CURVE_H

#include "base/err.h"
#include "hv/model.h"

struct bl_power_curve {
    uint32_t mw[BL_POWER_POINTS];
    double watt[BL_POWER_POINTS];
    double delta[BL_POWER_POINTS]; /* (watt[i+1] - watt[i]) / 10; last 0 */
    double tenth[BL_POWER_POINTS]; /* i / 10 */
};

void bl_power_curve_init(struct bl_power_curve *c,
                         const struct bl_power_table *table);

/* mW at @util_ppm (0 .. 1000000), rounded down. */
static inline uint32_t bl_power_mw(const struct bl_power_curve *c,
                                   uint32_t util_ppm)
{
    BL_ASSERT(util_ppm <= 1000000);

    const uint32_t i = util_ppm / 100000;

    if (i == BL_POWER_POINTS - 1)
        return c->mw[i];

    const int64_t rise = (int64_t)c->mw[i + 1] - c->mw[i];
    const int64_t part = (int64_t)(util_ppm - i * 100000);

    if (rise >= 0)
        return c->mw[i] + (uint32_t)(rise * part / 100000);
    return c->mw[i] - (uint32_t)((-rise * part + 99999) / 100000);
}

/* Watts at utilisation @u (0 .. 1). */
static inline double bl_power_watts(const struct bl_power_curve *c, double u)
{
    BL_ASSERT(u >= 0);
    BL_ASSERT(u <= 1);

    const double tenths = u * 10;
    const uint32_t i = (uint32_t)tenths;

    if (tenths == i)
        return c->watt[i];
    return c->watt[i] + c->delta[i] * (u - c->tenth[i]) * 100;
}

#endif /* BL_POWER_CURVE_H */
