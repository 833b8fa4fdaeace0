/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_pool.h"

#include "hv/admit.h"

#include <string.h>

#define NODES (TREE_POOLS_MAX + TREE_LEAVES_MAX)

static struct bl_pool_tree view(const struct tree *t)
{
    return (struct bl_pool_tree){ .pool = t->pool,
                                  .pool_count = t->pool_count,
                                  .leaf = t->leaf,
                                  .leaf_pool = t->leaf_pool,
                                  .leaf_count = t->leaf_count };
}

/* As large as any tree, and full of rubbish. */
static struct bl_pool_scratch scratch_for(struct tree *t)
{
    static struct bl_claim claim[NODES];
    static uint64_t got[NODES];
    static uint32_t work[NODES], child[NODES], first[TREE_POOLS_MAX + 2];

    memset(claim, 0x5a, sizeof(claim));
    memset(got, 0x5a, sizeof(got));
    memset(work, 0x5a, sizeof(work));
    memset(child, 0x5a, sizeof(child));
    memset(first, 0x5a, sizeof(first));
    return (struct bl_pool_scratch){ .claim = claim,
                                     .got = got,
                                     .work = work,
                                     .child = child,
                                     .first = first,
                                     .pool_claim = t->pool_claim,
                                     .pool_out = t->pool_out };
}

void tree_check(struct tree *t, uint64_t capacity)
{
    const struct bl_pool_tree v = view(t);
    const struct bl_pool_scratch s = scratch_for(t);

    bl_pool_check(capacity, &v, t->out, &s);
}

enum bl_entitled tree_divide(struct tree *t, uint64_t capacity)
{
    const struct bl_pool_tree v = view(t);
    const struct bl_pool_scratch s = scratch_for(t);
    enum bl_entitled verdict;

    memset(t->out, 0x5a, sizeof(t->out));
    memset(t->pool_out, 0x5a, sizeof(t->pool_out));
    verdict = bl_pool_entitle(capacity, &v, t->out, &s);
    tree_check(t, capacity);
    return verdict;
}

static void draw_pool(struct bl_prng *prng, const struct tree_opts *o,
                      uint32_t p, struct bl_pool *out)
{
    const uint64_t parent = bl_prng_below(prng, p + 1);

    *out = (struct bl_pool){
        .parent = parent == p ? BL_POOL_ROOT : (uint32_t)parent,
        .expandable = bl_prng_below(prng, 3) > 0,
        .shares = 1 + bl_prng_below(prng, o->shares_max),
        .limit = BL_NO_LIMIT,
    };
    if (bl_prng_below(prng, 2))
        out->reservation = bl_prng_below(prng, 2 * o->amount_max);
    if (bl_prng_below(prng, 3) == 0)
        out->limit = out->reservation + bl_prng_below(prng, 3 * o->amount_max);
}

static void draw_leaf(struct bl_prng *prng, const struct tree_opts *o,
                      struct bl_claim *out)
{
    const uint64_t most = o->amount_max + 1;

    *out = (struct bl_claim){ .shares = 1 + bl_prng_below(prng, o->shares_max),
                              .limit = BL_NO_LIMIT,
                              .demand = bl_prng_below(prng, most) };
    if (bl_prng_below(prng, 3) == 0)
        out->limit = bl_prng_below(prng, most);
    if (bl_prng_below(prng, 2))
        out->reservation = bl_prng_below(
            prng, 1 + (out->limit < most ? out->limit : most - 1));
}

/* Reserves for pools and leaves as they come, what does not fit not at all. */
void tree_draw(struct bl_prng *prng, const struct tree_opts *o,
               struct tree *out)
{
    uint64_t used[TREE_POOLS_MAX + 1] = { 0 };
    struct bl_admit a = { .pool = out->pool,
                          .capacity = UINT64_MAX / 4,
                          .used = used };

    *out = (struct tree){ .pool_count =
                              (uint32_t)bl_prng_below(prng, o->pools + 1),
                          .leaf_count =
                              1 + (uint32_t)bl_prng_below(prng, o->leaves) };
    for (uint32_t p = 0; p < out->pool_count; p++) {
        draw_pool(prng, o, p, &out->pool[p]);
        a.pool_count = p + 1;
        if (bl_admit_reset(&a, NULL).why != BL_ADMIT_FITS)
            out->pool[p].reservation = 0;
    }
    a.pool_count = out->pool_count;
    (void)bl_admit_reset(&a, NULL);
    for (uint32_t i = 0; i < out->leaf_count; i++) {
        const uint64_t p = bl_prng_below(prng, out->pool_count + 1);
        struct bl_claim *c = &out->leaf[i];

        out->leaf_pool[i] = p < out->pool_count ? (uint32_t)p : BL_POOL_ROOT;
        draw_leaf(prng, o, c);
        if (bl_admit_ask(&a, out->leaf_pool[i], c->reservation).why ==
            BL_ADMIT_FITS)
            bl_admit_take(&a, out->leaf_pool[i], c->reservation);
        else
            c->reservation = 0;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t tree_lo(const struct tree *t)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->leaf_count; i++)
        if (t->leaf_pool[i] == BL_POOL_ROOT)
            sum += least(t->leaf[i].reservation, t->leaf[i].demand);
    for (uint32_t p = 0; p < t->pool_count; p++)
        if (t->pool[p].parent == BL_POOL_ROOT)
            sum +=
                least(t->pool_claim[p].reservation,
                      least(t->pool_claim[p].limit, t->pool_claim[p].demand));
    return sum;
}

uint64_t tree_hi(const struct tree *t)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->leaf_count; i++)
        if (t->leaf_pool[i] == BL_POOL_ROOT)
            sum += least(t->leaf[i].limit, t->leaf[i].demand);
    for (uint32_t p = 0; p < t->pool_count; p++)
        if (t->pool[p].parent == BL_POOL_ROOT)
            sum += least(t->pool_claim[p].limit, t->pool_claim[p].demand);
    return sum;
}

uint32_t tree_depth(const struct tree *t, uint32_t leaf)
{
    uint32_t depth = 1;

    for (uint32_t p = t->leaf_pool[leaf]; p != BL_POOL_ROOT;
         p = t->pool[p].parent)
        depth++;
    return depth;
}
