/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/dvfs.h - the power tables of P-states: from one that was measured, or
 * from a model.
 *
 * Source     dynamic power C V^2 f: Chandrakasan, Sheng, Brodersen, "Low-power
 *            CMOS digital design", IEEE JSSC 1992; Weiser, Welch, Demers,
 *            Shenker, "Scheduling for reduced CPU energy", OSDI 1994. Leakage
 *            that follows the voltage: Butts and Sohi, "A static power model
 *            for architects", MICRO 2000. [all recalled]
 * Idea       scaled: what a measured table has above idle is taken as
 *            switching, so it scales with V^2 f; idle stays. Model: what the
 *            host draws anyway, and for the part of time that a core works its
 *            leakage (with V) and its switching (with V^2 f); an idle core is
 *            in the deepest state and draws nothing, so power is linear in
 *            utilisation.
 * Bound      the exact fraction, rounded to the nearest mW (test_dvfs).
 * Deviation  scaled: memory, disks and power supplies are in the part above
 *            idle but do not follow the cores' voltage, which makes slow
 *            P-states look better than they are; leakage is in the idle part,
 *            which makes them look worse. Tables of SPECpower were measured
 *            with the machine's own governor at work, so its savings at part
 *            load are in them already and are counted twice. Without voltages
 *            only f scales: the least that can be saved. Model: no temperature,
 *            no memory traffic. Errors against real cores: doc/models/power.md.
 * Cost       once, when a scenario is read.
 *
 * Layer        power (L2).     Units  _khz, _uv, _mw.
 * Ownership    values.         Allocation none.
 * Errors       BL_ERR_INVAL: a power above BL_POWER_MW_MAX; nothing changed.
 */
#ifndef BL_POWER_DVFS_H
#define BL_POWER_DVFS_H

#include "hv/model.h"

#define BL_VOLT_UV_MAX UINT32_C(10000000) /* 10 V */

/* Of a whole host; the last two of one core at the fastest P-state. */
struct bl_dvfs_model {
    uint32_t static_mw;
    uint32_t leak_mw;   /* a core that works, of the part that follows V */
    uint32_t switch_mw; /* of the part that follows V^2 f */
};

/** bl_dvfs_scale - fill in pstate[].mw from @table, which is that of pstate[0];
 * pstate[].khz and .uv are given (.uv of all, or 0 of all). */
BL_NODISCARD bl_err bl_dvfs_scale(struct bl_freq *f,
                                  const uint32_t table[BL_POWER_POINTS]);

/** bl_dvfs_apply - fill in pstate[].mw from a model, for @core_count cores. */
BL_NODISCARD bl_err bl_dvfs_apply(struct bl_freq *f, uint32_t core_count,
                                  const struct bl_dvfs_model *m);

#endif /* BL_POWER_DVFS_H */
