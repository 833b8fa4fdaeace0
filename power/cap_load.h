/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/cap_load.h - budgets by the load that there is.
 *
 * Source     power/cap.h, one P-state at a time.
 * Idea       bl_cap_ceiling() allows a P-state by its full load, for whoever
 *            cannot know the load. Where it is known, any P-state may be used
 *            as far as its load is within the budget: frequency first, down to
 *            the P-state at which most is done; bandwidth second, of that one
 *            as much as the budget allows.
 * Bound      no load up to bl_cap_load_khz() draws more than the budget, 2 ppm
 *            more do; bl_cap_load_mw() is the least budget under which one of
 *            the P-states does the work, to 1 mW (test_cap_load).
 * Deviation  none.
 * Cost       O(1) for a P-state, O(P-states) for a budget.
 *
 * Layer        power (L2).     Units  _khz of work of all cores, _mw.
 * Ownership    a value.        Allocation  none.
 * Errors       none.           Threads  read-only after init.
 */
#ifndef BL_POWER_CAP_LOAD_H
#define BL_POWER_CAP_LOAD_H

#include "power/cap.h"

struct bl_cap_load {
    uint32_t core_count, pstate_count;
    struct bl_freq one[BL_PSTATES_MAX]; /* each as if there were no other */
};

/* @freq  pstate_count at least 1. */
void bl_cap_load_init(struct bl_cap_load *c, const struct bl_freq *freq,
                      uint32_t core_count);

/* What the host can do at @pstate under @budget_mw (BL_NO_CAP: all); 0 where
 * that does not even cover idling at it. */
uint64_t bl_cap_load_khz(const struct bl_cap_load *c, uint32_t pstate,
                         uint64_t budget_mw);

/* The least budget for @khz of work on cores of at least @core_khz; at most all
 * that the host has of both. */
uint64_t bl_cap_load_mw(const struct bl_cap_load *c, uint64_t khz,
                        uint64_t core_khz);

#endif /* BL_POWER_CAP_LOAD_H */
