/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/admission.h - admission to the resource pools of a data centre, CPU and
 * memory together: what is placed holds its reservations, may one VM more?
 *
 * The capacity is that of all hosts, asleep or not: whether a host has room is
 * asked of the overlay (bl_overlay_reservation_fits()).
 *
 * Layer        hv (L1).
 * Units        kHz, bytes.
 * Ownership    a value; it keeps a pointer to the snapshot of the last reset.
 * Allocation   none.
 * Errors       none: a refusal is an answer.
 * Threads      one thread.
 * Determinism  exact integers.
 * Limits       BL_POOLS_MAX. Where the scenario has no pools everybody fits,
 *              and nothing is counted.
 * Cost         reset O(hosts + VMs), fits and take O(depth of the pool).
 */
#ifndef BL_HV_ADMISSION_H
#define BL_HV_ADMISSION_H

#include "hv/admit.h"
#include "hv/snapshot.h"

#define BL_RESOURCE_COUNT 2

struct bl_admission {
    const struct bl_snapshot *snap;
    struct bl_admit admit[BL_RESOURCE_COUNT]; /* by enum bl_resource */
    struct bl_pool pool[BL_RESOURCE_COUNT][BL_POOLS_MAX];
    uint64_t used[BL_RESOURCE_COUNT][BL_POOLS_MAX + 1];
};

/* Count what is placed in @s. */
void bl_admission_reset(struct bl_admission *x, const struct bl_snapshot *s);

/* Do the reservations of @vm, which is not placed yet, fit its pool? */
bool bl_admission_fits(const struct bl_admission *x, uint32_t vm);

/* @vm has been placed. */
void bl_admission_take(struct bl_admission *x, uint32_t vm);

#endif /* BL_HV_ADMISSION_H */
