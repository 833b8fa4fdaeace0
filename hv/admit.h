/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/admit.h - admission control: may this be reserved, and who says no?
 *
 * A running VM reserves from its pool. A pool has what it reserved from its
 * parent when it was made, whether its children need it or not; what they need
 * beyond that an expandable pool borrows from its parent, which may borrow in
 * turn, up to the capacity. An answer names the pool that refuses, what was
 * asked of it (less than the VM asked for when pools below it gave a part), and
 * what it had; where several refuse, the one that lacks most: with that much
 * less it would fit.
 *
 * Layer        hv (L1).
 * Units        one for all amounts: kHz or bytes.
 * Ownership    all arrays are the caller's.
 * Allocation   none.
 * Errors       a refusal is an answer (bl_admit_answer), nothing has changed.
 * Threads      reentrant; one writer for one bl_admit.
 * Determinism  exact integers.
 * Limits       pools as in hv/pool.h; all reservations together below 2^63.
 *              Taking what was refused, or giving back what was not taken, is a
 *              bug: BL_ASSERT.
 * Cost         O(depth of the pool); bl_admit_reset() O(pools * depth).
 */
#ifndef BL_HV_ADMIT_H
#define BL_HV_ADMIT_H

#include "base/units.h"
#include "hv/pool.h"

#include <stddef.h>

struct bl_admit {
    struct bl_pool *pool; /* [pool_count]; reservations: bl_admit_resize() */
    uint32_t pool_count;
    uint64_t capacity; /* that the root can give; may change at any time */
    uint64_t *used;    /* [pool_count + 1] reserved by the children of: the
                          root, then each pool */
};

enum bl_admit_why {
    BL_ADMIT_FITS,
    BL_ADMIT_UNRESERVED, /* too little of its reservation is left, and it is
                            not expandable or it is the root */
    BL_ADMIT_LIMIT,      /* its limit does not allow that much */
    BL_ADMIT_IN_USE,     /* its children hold more than it would keep */
};

struct bl_admit_answer {
    enum bl_admit_why why;
    uint32_t pool;      /* who refuses; BL_POOL_ROOT: the capacity */
    uint64_t need;      /* asked of that pool; IN_USE: what it has to keep */
    uint64_t have;      /* what it could give; IN_USE: what it would keep */
    uint64_t shortfall; /* need - have */
};

/** bl_admit_reset - nobody runs, the pools reserve.
 * Pools reserve from their parents by index. All count, also those that do not
 * fit; the answer is about the first of these, @who (may be NULL). */
struct bl_admit_answer bl_admit_reset(struct bl_admit *a, uint32_t *who);

/** bl_admit_ask - would @amount more fit in @pool (BL_POOL_ROOT: none)?
 * For a VM that starts: its reservation; for one that changes: the rise. */
struct bl_admit_answer bl_admit_ask(const struct bl_admit *a, uint32_t pool,
                                    uint64_t amount);

/* What runs already holds @amount in @pool, whether that would fit or not. */
void bl_admit_count(struct bl_admit *a, uint32_t pool, uint64_t amount);

/* Reserve @amount in @pool, which bl_admit_ask() found to fit; give it back. */
void bl_admit_take(struct bl_admit *a, uint32_t pool, uint64_t amount);
void bl_admit_give(struct bl_admit *a, uint32_t pool, uint64_t amount);

/** bl_admit_resize - change the reservation of @pool if that fits.
 * Raising it is not refused because more is in use (a host died, or VMs were
 * found running): it leaves less uncovered. */
struct bl_admit_answer bl_admit_resize(struct bl_admit *a, uint32_t pool,
                                       uint64_t reservation);

/** bl_admit_text - an answer in words: "resource pool 'x' has 1GHz left to
 * reserve, 2GHz needed: 1GHz short".
 * @name  of the pool that refuses; not read when it is the root
 * Returns the length as snprintf() does. */
int bl_admit_text(const struct bl_admit_answer *answer, const char *name,
                  enum bl_dim dim, char *buf, size_t size);

/* BL_ASSERT that no pool gave more than it may and that what pools hold is in
 * their parents' accounts. @sum [pool_count + 1] is overwritten. O(pools). */
void bl_admit_check(const struct bl_admit *a, uint64_t *sum);

#endif /* BL_HV_ADMIT_H */
