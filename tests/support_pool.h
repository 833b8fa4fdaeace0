/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support_pool.h - trees of resource pools, drawn at random, with all
 * arrays that entitlement of them needs. */
#ifndef BL_TESTS_SUPPORT_POOL_H
#define BL_TESTS_SUPPORT_POOL_H

#include "base/prng.h"
#include "hv/pool.h"

#define TREE_POOLS_MAX 12u
#define TREE_LEAVES_MAX 64u

struct tree {
    struct bl_pool pool[TREE_POOLS_MAX];
    struct bl_claim leaf[TREE_LEAVES_MAX];
    uint32_t leaf_pool[TREE_LEAVES_MAX];
    uint32_t pool_count, leaf_count;
    /* results of tree_divide() */
    uint64_t out[TREE_LEAVES_MAX];
    uint64_t pool_out[TREE_POOLS_MAX];
    struct bl_claim pool_claim[TREE_POOLS_MAX];
};

/* Divides @capacity, checks the result, and keeps it in @t. */
enum bl_entitled tree_divide(struct tree *t, uint64_t capacity);

/* BL_ASSERTs unless t->out is right. */
void tree_check(struct tree *t, uint64_t capacity);

struct tree_opts {
    uint32_t pools, leaves; /* at most */
    uint64_t amount_max;    /* of a leaf's settings and demand */
    uint64_t shares_max;
};

/* With reservations that admission control would accept when there is enough
 * capacity: those of children are within what their pool may hold. */
void tree_draw(struct bl_prng *prng, const struct tree_opts *o,
               struct tree *out);

/* What all pools and leaves at the top are sure of, and what they can use. */
uint64_t tree_lo(const struct tree *t);
uint64_t tree_hi(const struct tree *t);

/* How many divisions lie between the capacity and leaf @leaf: at least 1. */
uint32_t tree_depth(const struct tree *t, uint32_t leaf);

#endif /* BL_TESTS_SUPPORT_POOL_H */
