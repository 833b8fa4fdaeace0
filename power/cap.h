/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/cap.h - power caps: what a host may do under its budget when nobody
 * knows its load: at level host. Where the load is known, at level cluster,
 * power/cap_load.h says so, of which this is the arithmetic; a budget of
 * several hosts is divided by power/capping.c (and cap_divide.h at the start).
 *
 * Source     DESIGN.md 5.5; entitlement (hv/entitle.h) with watts in the place
 *            of MHz; frequency before bandwidth, as RAPL and published cappers
 *            do (Lefurgy, Wang and Ware, ICAC 2007 [recalled]).
 * Idea       a host never draws more than its table says at full load of its
 *            fastest allowed P-state. So a cap is kept by construction: choose
 *            the fastest P-state whose full load fits the budget; where not
 *            even the slowest fits, allow of it only the load that does.
 * Bound      the power of any load up to the ceiling is within the budget, and
 *            the next P-state up, or 1 ppm more of bandwidth, is not
 *            (test_cap). At level host loads are not even: bl_cap_uneven()
 *            first.
 * Deviation  the published cappers close a loop around measured power; ours
 *            relies on the power model and needs no settling time. On hardware
 *            RAPL closes that loop below it.
 * Cost       O(P-states).
 *
 * Layer        power (L2).     Units  _mw, _khz, _ppm.
 * Allocation   none.           Errors a budget below idle power: ceiling says
 *              so; nothing else can fail.
 */
#ifndef BL_POWER_CAP_H
#define BL_POWER_CAP_H

#include "hv/pstate.h"

#include <stdbool.h>

#define BL_NO_CAP UINT64_MAX

struct bl_cap_ceiling {
    bool feasible;          /* false: even idle it draws more; the rest is as
                               if it drew that */
    uint32_t fastest;       /* P-state: this one and slower ones are allowed */
    uint32_t bandwidth_ppm; /* of the time of its cores, at that P-state;
                               1000000: all */
    uint64_t khz;           /* what the host can do then, all cores */
    uint64_t full_mw;       /* the most that it can draw then */
};

/** bl_cap_ceiling - what a host of @core_count cores may do under @budget_mw.
 * @freq  pstate_count at least 1. */
struct bl_cap_ceiling bl_cap_ceiling(const struct bl_freq *freq,
                                     uint32_t core_count, uint64_t budget_mw);

/* The least budget under which a host can do @khz of work: frequency first, so
 * the full load of the slowest P-state that has it, or part of the slowest one.
 * UINT64_MAX: no P-state has it. */
uint64_t bl_cap_budget_for(const struct bl_freq *freq, uint32_t core_count,
                           uint64_t khz);

/* @freq for a load that is not even: cores work or do not, so over time a host
 * draws what is on a line between loads, which may be above its table where
 * that bends upwards. Each table is replaced by the least one above it that
 * does not. */
void bl_cap_uneven(struct bl_freq *out, const struct bl_freq *freq);

/* What a host can do under @budget_mw, and the least budget for @khz, whoever
 * does it when: of the uneven tables. So no more than bl_cap_ceiling().khz. */
uint64_t bl_cap_sure_khz(const struct bl_freq *freq, uint32_t core_count,
                         uint64_t budget_mw);
uint64_t bl_cap_sure_budget(const struct bl_freq *freq, uint32_t core_count,
                            uint64_t khz);

#endif /* BL_POWER_CAP_H */
