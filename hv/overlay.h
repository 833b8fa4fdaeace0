/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/overlay.h - what-if: the snapshot with planned actions laid on it.
 *
 * A policy tries moves here and takes them back; the manager lays accepted
 * actions on it, so that the next policy of the same instant sees them. What
 * a changed host would serve is the world's own sharing rule, asked through
 * the snapshot.
 *
 * Layer        hv (L1).
 * Units        _mhz, _bytes.
 * Ownership    lives in the arena given to bl_overlay_create().
 * Allocation   bl_overlay_create() only.
 * Errors       no call fails; capacity follows from the snapshot's pool.
 *              Exceeding it is a bug (BL_ASSERT), as is taking a VM from a host
 *              that does not have it.
 * Threads      one thread.
 * Determinism  lists keep their order: put appends, undo restores exactly.
 * Cost         reset O(hosts + residents); put, take, undo O(VMs of the host).
 */
#ifndef BL_HV_OVERLAY_H
#define BL_HV_OVERLAY_H

#include "base/arena.h"
#include "hv/snapshot.h"

struct bl_overlay; /* opaque */

/** @move_max  most put/take outstanding at once: made and not undone. More are
 * a bug of the policy and trip BL_ASSERT. BL_ERR_NOMEM. */
BL_NODISCARD bl_err bl_overlay_create(struct bl_arena *a, uint32_t host_count,
                                      uint32_t resident_max, uint32_t move_max,
                                      struct bl_overlay **out);

/* Back to what @s says. A migrating VM counts on its target alone. */
void bl_overlay_reset(struct bl_overlay *o, const struct bl_snapshot *s);

/* Re-read one host from the snapshot (after the world changed it). Every put
 * and take has been undone before. */
void bl_overlay_refresh(struct bl_overlay *o, uint32_t host);

void bl_overlay_put(struct bl_overlay *o, uint32_t host, uint32_t vm);
void bl_overlay_take(struct bl_overlay *o, uint32_t host, uint32_t vm);

/* A point to come back to; undo takes back everything since, newest first. */
uint32_t bl_overlay_mark(const struct bl_overlay *o);
void bl_overlay_undo(struct bl_overlay *o, uint32_t mark);

/* What the host would serve, could still give, and is asked for (sum of its
 * VMs' demand in list order). Memory in use at the most while the plan is
 * carried out: a VM that comes needs it at once, one that goes keeps it until
 * it has gone, so put adds and take frees nothing. */
double bl_overlay_served_mhz(const struct bl_overlay *o, uint32_t host);
double bl_overlay_free_mhz(const struct bl_overlay *o, uint32_t host);
double bl_overlay_demand_mhz(const struct bl_overlay *o, uint32_t host);
uint64_t bl_overlay_mem_used_bytes(const struct bl_overlay *o, uint32_t host);

/* Would the reservations of the host's VMs and @vm together still fit it? Of no
 * concern to a VM that has none. */
bool bl_overlay_reservation_fits(const struct bl_overlay *o, uint32_t host,
                                 uint32_t vm);

/* Would the reservation of @vm, which is to start, fit its resource pools, with
 * all hosts as the capacity? Where the scenario has no pools, always. And from
 * now on it counts, because it starts. */
bool bl_overlay_pool_fits(const struct bl_overlay *o, uint32_t vm);
void bl_overlay_pool_take(struct bl_overlay *o, uint32_t vm);

/* The VMs of @host in list order; valid until the list changes. */
const uint32_t *bl_overlay_vms(const struct bl_overlay *o, uint32_t host,
                               uint32_t *count);

/* Identifies the content of a host's list: equal stamps, equal lists (also
 * after an undo). For caches. Never 0. */
uint64_t bl_overlay_stamp(const struct bl_overlay *o, uint32_t host);

/* BL_ASSERT that lists lie in their runs and sums are those of the lists. */
void bl_overlay_check(const struct bl_overlay *o);

#endif /* BL_HV_OVERLAY_H */
