/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/pool.h - resource pools: who gets how much when settings nest.
 *
 * A pool has shares, a reservation and a limit of its own; its children are
 * pools and VMs, VMs are the leaves. Bottom-up a pool claims what its children
 * can use, hi = min(limit, sum of hi), and is sure of lo = min(R, hi), where R
 * is its reservation, or, when that is expandable, the larger of it and the sum
 * of its children's lo: what they lack it borrows from its parent. Top-down
 * each pool's entitlement is divided among its children by bl_entitle(), with
 * the claim (shares, R, limit, hi) for a pool. So shares compare siblings only,
 * what a pool does not use goes to its siblings, and VMs without a pool are
 * divided as before.
 *
 * Layer        hv (L1).
 * Units        as in hv/entitle.h: one for all amounts.
 * Ownership    all arrays are the caller's.
 * Allocation   none; scratch is the caller's.
 * Errors       none: any input in range has exactly one result.
 * Threads      reentrant.
 * Determinism  exact integers; in each pool remainders go to child pools first,
 *              then to VMs, lowest index first: pass them by id.
 * Limits       those of hv/entitle.h for all leaves and pools together; a
 *              pool's parent has a lower index. Beyond is a bug: BL_ASSERT.
 * Cost         O(pools + leaves) expected.
 */
#ifndef BL_HV_POOL_H
#define BL_HV_POOL_H

#include "hv/entitle.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_POOL_ROOT UINT32_MAX /* as a parent: the capacity itself */

struct bl_pool {
    uint32_t parent; /* a lower index, or BL_POOL_ROOT */
    bool expandable; /* may borrow for its children's reservations */
    uint64_t shares;
    uint64_t reservation;
    uint64_t limit; /* BL_NO_LIMIT: none */
};

struct bl_pool_tree {
    const struct bl_pool *pool; /* [pool_count] */
    uint32_t pool_count;
    const struct bl_claim *leaf; /* [leaf_count] the VMs */
    const uint32_t *leaf_pool;   /* [leaf_count] an index, or BL_POOL_ROOT */
    uint32_t leaf_count;
};

enum bl_resource { BL_RESOURCE_CPU, BL_RESOURCE_MEM };

/* The pools of @s as their settings for @resource say: out[0 .. s->count). */
void bl_pools_of(const struct bl_pool_set *s, enum bl_resource resource,
                 struct bl_pool *out);

/* As an index for hv/pool.h what model.h keeps as 1 + index. */
static inline uint32_t bl_pool_index(uint32_t one_up)
{
    return one_up == 0 ? BL_POOL_ROOT : one_up - 1;
}

/* Nodes: pools + leaves. Overwritten, but pool_claim and pool_out stay for the
 * caller to read: what each pool claimed (demand: hi) and what it got. */
struct bl_pool_scratch {
    struct bl_claim *claim;      /* [nodes] */
    uint64_t *got;               /* [nodes] */
    uint32_t *work;              /* [nodes] */
    uint32_t *child;             /* [nodes] */
    uint32_t *first;             /* [pools + 2] */
    struct bl_claim *pool_claim; /* [pools] */
    uint64_t *pool_out;          /* [pools] */
};

/** bl_pool_entitle - divide @capacity among the leaves of @t.
 * @out  [leaf_count] entitlements
 * Returns the worst outcome of any pool: BL_ENTITLED_ALL when every leaf gets
 * min(limit, demand); BL_ENTITLED_RESERVED when somewhere reservations do not
 * fit. */
enum bl_entitled bl_pool_entitle(uint64_t capacity,
                                 const struct bl_pool_tree *t, uint64_t *out,
                                 const struct bl_pool_scratch *s);

/* BL_ASSERT that @out is what the contract says, pool by pool
 * (bl_entitle_check()); @s as for bl_pool_entitle(), overwritten. */
void bl_pool_check(uint64_t capacity, const struct bl_pool_tree *t,
                   const uint64_t *out, const struct bl_pool_scratch *s);

#endif /* BL_HV_POOL_H */
