/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/cap_plan.h - can hosts that are all on keep their reservations under
 * one budget? Asked before anything runs, when nobody knows yet which VM will
 * be where.
 *
 * Source     the fractional relaxation of the multiple-choice knapsack: Sinha
 *            and Zoltners, Operations Research 1979 [recalled].
 * Idea       a host does some work for some power: each tenth of each P-state
 *            is a point of its tables. The lower hull of these points is what
 *            it can do at best if fractions of a host could be chosen. Take the
 *            edges of all hosts' hulls, the cheapest work first: no way to
 *            spread the work over the hosts needs less, however caps are kept
 *            there, so a budget below that is short for certain.
 * Bound      least power: below every choice of one point for each host, and
 *            within one host's edge of the best of them (test_cap_plan tries
 *            all).
 * Deviation  what cores draw above the deepest idle state is left out, and
 *            hosts are not switched off, so that the answer is sure one way:
 *            whoever is refused could not have been served with all hosts on.
 * Cost       O(kinds * points) for each edge taken; when a scenario is read.
 *
 * Layer        power (L2).     Units  _mw, _khz.
 * Ownership    the caller's.   Allocation none.    Errors none.
 */
#ifndef BL_POWER_CAP_PLAN_H
#define BL_POWER_CAP_PLAN_H

#include "hv/pstate.h"

#define BL_CAP_KINDS_MAX 64u

/* Hosts that are alike. */
struct bl_cap_kind {
    const struct bl_freq *freq; /* pstate_count at least 1 */
    uint32_t core_count;
    uint32_t host_count;
};

/* What they draw while nobody works, each at its slowest P-state. */
uint64_t bl_cap_idle_mw(const struct bl_cap_kind *kind, uint32_t n);

/* The least power with which they can do @khz of work together, rounded down;
 * UINT64_MAX: with none. */
uint64_t bl_cap_least_mw(const struct bl_cap_kind *kind, uint32_t n,
                         uint64_t khz);

/* The most work that they can do within @budget_mw, rounded up; 0: they draw
 * more even idle. */
uint64_t bl_cap_most_khz(const struct bl_cap_kind *kind, uint32_t n,
                         uint64_t budget_mw);

#endif /* BL_POWER_CAP_PLAN_H */
