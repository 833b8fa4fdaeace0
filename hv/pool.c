/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool - entitlement of a tree: claims upward, capacity downward.
 *
 * Source     DESIGN.md 5.1; the two passes ("divvy") of Gulati et al., "VMware
 *            distributed resource management", VMware Technical Journal 2012
 *            [recalled]; attributes of pools: FIELD.md A4.
 * Idea       a pool looks to its parent like one VM: shares, what it is sure
 *            of, a limit, and what its children can use. Parents come before
 *            children, so one loop from the end sums claims up and one from the
 *            start divides capacity; children are grouped by a counting sort.
 * Bound      in each pool what bl_entitle() promises; what children get sums to
 *            what the pool got; a tree without pools is bl_entitle() itself
 *            (bl_pool_check; test_pool, with a linear program as the oracle).
 * Deviation  where reservations do not fit, the weight of an expandable pool is
 *            the larger of its reservation and the reservations its children
 *            use, not those they have.
 * Cost       O(pools + leaves) expected.
 */
#include "hv/pool.h"

#include "base/err.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void bl_pools_of(const struct bl_pool_set *s, enum bl_resource resource,
                 struct bl_pool *out)
{
    const bool mem = resource == BL_RESOURCE_MEM;

    for (uint32_t p = 0; p < s->count; p++) {
        const struct bl_pool_desc *d = &s->pool[p];
        const struct bl_pool_settings *x = mem ? &d->mem : &d->cpu;

        out[p] = (struct bl_pool){
            .parent = bl_pool_index(d->parent),
            .expandable = x->expandable,
            .shares = mem ? bl_mem_shares(&x->set, BL_POOL_MEM_BYTES)
                          : bl_cpu_shares(&x->set, BL_POOL_VCPUS),
            .reservation = x->set.reservation,
            .limit = x->set.limit,
        };
    }
}

/* The root's children come first in the lists. */
static uint32_t slot_of(uint32_t pool)
{
    return pool == BL_POOL_ROOT ? 0 : pool + 1;
}

static void check_parent(const struct bl_pool_tree *t, uint32_t pool)
{
    const uint32_t parent = t->pool[pool].parent;

    BL_ASSERT(parent == BL_POOL_ROOT || parent < pool);
    BL_ASSERT(t->pool[pool].reservation <= t->pool[pool].limit);
}

/* Lists the children of each pool: child pools, then leaves (as pool_count +
 * leaf), by index; those of slot k are child[first[k] .. first[k + 1]). */
static void group(const struct bl_pool_tree *t, const struct bl_pool_scratch *s)
{
    uint32_t at = 0;

    for (uint32_t k = 0; k < t->pool_count + 2; k++)
        s->first[k] = 0;
    for (uint32_t p = 0; p < t->pool_count; p++) {
        check_parent(t, p);
        s->first[slot_of(t->pool[p].parent) + 1]++;
    }
    for (uint32_t i = 0; i < t->leaf_count; i++) {
        const uint32_t slot = slot_of(t->leaf_pool[i]);

        BL_ASSERT(slot <= t->pool_count);
        s->first[slot + 1]++;
    }
    for (uint32_t k = 0; k < t->pool_count + 2; k++)
        s->first[k] = at += s->first[k];
    /* first[k] moves to the end of its list while that is filled ... */
    for (uint32_t p = 0; p < t->pool_count; p++)
        s->child[s->first[slot_of(t->pool[p].parent)]++] = p;
    for (uint32_t i = 0; i < t->leaf_count; i++)
        s->child[s->first[slot_of(t->leaf_pool[i])]++] = t->pool_count + i;
    /* ... which is where the next one begins. */
    for (uint32_t k = t->pool_count + 1; k > 0; k--)
        s->first[k] = s->first[k - 1];
    s->first[0] = 0;
}

/* @c claims from its parent @pool. Until a pool is closed its claim holds the
 * sums over its children: of hi as the demand, of lo as the reservation. */
static void add_claim(const struct bl_pool_scratch *s, uint32_t pool,
                      const struct bl_claim *c)
{
    const uint64_t most = UINT64_MAX / 2; /* bl_entitle()'s own range */

    if (pool == BL_POOL_ROOT)
        return;

    struct bl_claim *sum = &s->pool_claim[pool];
    const uint64_t hi = min_u64(c->limit, c->demand);
    const uint64_t lo = min_u64(c->reservation, c->demand);

    BL_ASSERT(hi <= most - sum->demand);
    BL_ASSERT(lo <= most - sum->reservation);
    sum->demand += hi;
    sum->reservation += lo;
}

static void claim_upward(const struct bl_pool_tree *t,
                         const struct bl_pool_scratch *s)
{
    for (uint32_t p = 0; p < t->pool_count; p++)
        s->pool_claim[p] = (struct bl_claim){
            .shares = t->pool[p].shares,
            .limit = t->pool[p].limit,
        };
    for (uint32_t i = 0; i < t->leaf_count; i++)
        add_claim(s, t->leaf_pool[i], &t->leaf[i]);
    for (uint32_t p = t->pool_count; p-- > 0;) {
        struct bl_claim *c = &s->pool_claim[p];
        const uint64_t own = t->pool[p].reservation;

        c->reservation = t->pool[p].expandable && c->reservation > own
                             ? min_u64(c->reservation, c->limit)
                             : own;
        add_claim(s, t->pool[p].parent, c);
    }
}

/* The claims of slot @k's children, side by side; returns how many. */
static uint32_t gather(const struct bl_pool_tree *t,
                       const struct bl_pool_scratch *s, uint32_t k)
{
    const uint32_t from = s->first[k], to = s->first[k + 1];

    for (uint32_t i = from; i < to; i++) {
        const uint32_t c = s->child[i];

        s->claim[i] =
            c < t->pool_count ? s->pool_claim[c] : t->leaf[c - t->pool_count];
    }
    return to - from;
}

static uint64_t capacity_of(uint64_t capacity, const struct bl_pool_scratch *s,
                            uint32_t slot)
{
    return slot == 0 ? capacity : s->pool_out[slot - 1];
}

enum bl_entitled bl_pool_entitle(uint64_t capacity,
                                 const struct bl_pool_tree *t, uint64_t *out,
                                 const struct bl_pool_scratch *s)
{
    enum bl_entitled worst = BL_ENTITLED_ALL;

    group(t, s);
    claim_upward(t, s);
    for (uint32_t k = 0; k <= t->pool_count; k++) {
        const uint32_t from = s->first[k];
        const uint32_t n = gather(t, s, k);
        const enum bl_entitled got =
            bl_entitle(capacity_of(capacity, s, k), &s->claim[from], n,
                       &s->got[from], &s->work[from]);

        worst = got > worst ? got : worst;
        for (uint32_t i = from; i < from + n; i++) {
            const uint32_t c = s->child[i];

            if (c < t->pool_count)
                s->pool_out[c] = s->got[i];
            else
                out[c - t->pool_count] = s->got[i];
        }
    }
    return worst;
}

void bl_pool_check(uint64_t capacity, const struct bl_pool_tree *t,
                   const uint64_t *out, const struct bl_pool_scratch *s)
{
    group(t, s);
    claim_upward(t, s);
    for (uint32_t p = 0; p < t->pool_count; p++)
        s->pool_out[p] = 0;
    for (uint32_t i = 0; i < t->leaf_count; i++)
        if (t->leaf_pool[i] != BL_POOL_ROOT)
            s->pool_out[t->leaf_pool[i]] += out[i];
    for (uint32_t p = t->pool_count; p-- > 0;)
        if (t->pool[p].parent != BL_POOL_ROOT)
            s->pool_out[t->pool[p].parent] += s->pool_out[p];
    for (uint32_t k = 0; k <= t->pool_count; k++) {
        const uint32_t from = s->first[k];
        const uint32_t n = gather(t, s, k);

        for (uint32_t i = from; i < from + n; i++) {
            const uint32_t c = s->child[i];

            s->got[i] =
                c < t->pool_count ? s->pool_out[c] : out[c - t->pool_count];
        }
        bl_entitle_check(capacity_of(capacity, s, k), &s->claim[from], n,
                         &s->got[from]);
    }
}
