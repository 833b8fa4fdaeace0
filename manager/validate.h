/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager/validate.h - what must hold for an action before a world sees it.
 *
 * The invariants are those of every world: ids exist, the policy may write
 * this kind of action, a VM is in one place and moves once at a time, a host
 * that gets a VM is on or waking, memory is never overcommitted where it is
 * real, reservations on a host never exceed it, nor what a host draws whatever
 * it is told its power cap. What only a world can know (its own transitions)
 * it checks itself; what the caps of a rack can back, the manager asks their
 * area (power/capping.h).
 *
 * Layer        manager (L5).   Allocation  none.   Cost  O(1).
 */
#ifndef BL_MANAGER_VALIDATE_H
#define BL_MANAGER_VALIDATE_H

#include "hv/policy.h"

enum bl_verdict bl_validate(const struct bl_snapshot *s,
                            const struct bl_overlay *o,
                            const struct bl_policy *policy,
                            const struct bl_action *a);

#endif /* BL_MANAGER_VALIDATE_H */
