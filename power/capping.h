/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/capping.h - the area of power caps: who may draw how much.
 *
 * A control policy beside that of the cluster: it runs after it, at every
 * control instant and after arrivals, and is the only one that may write
 * power-cap actions. Two questions are put to it besides: whether the caps can
 * back an action of the other area, and how to make way for one.
 *
 *     backs(action)     may this be asked for at all?
 *     prepare(action)   budgets under which the world will accept it
 *     step()            budgets until the next instant
 *
 * Layer        power (L2).
 * Units        _mw.
 * Ownership    the state lives in the arena given to create().
 * Allocation   create() only.
 * Errors       create: BL_ERR_NOMEM.
 * Threads      one.
 * Determinism  integers; ties go to the lower host.
 */
#ifndef BL_POWER_CAPPING_H
#define BL_POWER_CAPPING_H

#include "hv/policy.h"

/* Its name is "capping"; it places nothing. Only for a world that has
 * BL_CAN_CAP_POWER. */
extern const struct bl_policy bl_capping_policy;

/* Would reservations, idle power and transitions still be within all caps of
 * the host that @a acts on? Of no concern to actions that raise none of them.
 */
bool bl_capping_backs(void *state, const struct bl_snapshot *s,
                      const struct bl_action *a);

/* Adds budgets under which @a, which is backed, can begin; nothing where it can
 * already. */
void bl_capping_prepare(void *state, const struct bl_snapshot *s,
                        const struct bl_action *a, struct bl_plan *plan);

#endif /* BL_POWER_CAPPING_H */
