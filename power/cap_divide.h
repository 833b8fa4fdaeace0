/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/cap_divide.h - a power budget divided among hosts whose P-states are
 * allowed by their full load (power/cap.h). A world divides its caps so before
 * anybody decides; from then on power/capping.c does.
 *
 * Source     DESIGN.md 5.5: the entitlement function (hv/entitle.h) once more.
 * Idea       every host draws its idle power whatever it is given, so what is
 *            divided is the rest. Of it everyone first gets what its
 *            reservations need, whether they are demanded now or not: watts
 *            come back only at the next division, but a reservation may be
 *            claimed before. Then shares decide about what demand needs; what
 *            then is left over is lent by shares, up to the most that each can
 *            draw, so that demand that rises before the next division finds
 *            it.
 * Bound      budgets add up to min(budget, the most that all can draw), to the
 *            mW; everyone's reservations are within its own; else the alarm
 *            (test_cap).
 * Deviation  a P-state is allowed by its full load, so the watts between two
 *            P-states stay undrawn with the host that was given them.
 * Cost       two times bl_entitle(), O(P-states) for each host.
 *
 * Layer        power (L2).     Units  _mw, _khz.
 * Ownership    all arrays are the caller's.
 * Allocation   none.
 * Errors       none: a budget that is too small is an answer.
 * Determinism  what rounding leaves over goes to the lower index.
 */
#ifndef BL_POWER_CAP_DIVIDE_H
#define BL_POWER_CAP_DIVIDE_H

#include "hv/entitle.h"
#include "power/cap.h"

struct bl_cap_member {
    const struct bl_freq *freq; /* NULL: it does not run and draws fixed_mw */
    uint32_t core_count;
    uint64_t fixed_mw;
    uint64_t shares;       /* of all its VMs; 0: like 1 */
    uint64_t reserved_khz; /* of all its VMs; more than it has: all it has */
    uint64_t demand_khz;   /* likewise */
};

struct bl_cap_division {
    enum bl_entitled entitled; /* RESERVED: the alarm, and... */
    uint64_t short_mw;         /* ... what idling and reservations lack */
};

/** bl_cap_divide - divide @budget_mw among @n hosts.
 * Where it does not even cover what they draw idle, everyone gets that.
 * @out      [n] mW: the budget for bl_cap_ceiling(); never below idle power
 * @claim    [n], overwritten
 * @scratch  [n], overwritten */
struct bl_cap_division bl_cap_divide(uint64_t budget_mw,
                                     const struct bl_cap_member *member,
                                     uint32_t n, uint64_t *out,
                                     struct bl_claim *claim, uint32_t *scratch);

#endif /* BL_POWER_CAP_DIVIDE_H */
