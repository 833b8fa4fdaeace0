/* SPDX-License-Identifier: Apache-2.0 */
#include "sched/drift.h"

static struct bl__drift_node winner(struct bl__drift_node a,
                                    struct bl__drift_node b)
{
    if (a.pcpu == BL_NO_PCPU || b.pcpu == BL_NO_PCPU)
        return a.pcpu == BL_NO_PCPU ? b : a;
    if (a.deadline != b.deadline)
        return bl__v_before(a.deadline, b.deadline) ? a : b;
    return a.pcpu < b.pcpu ? a : b;
}

bl_err bl__drift_create(struct bl_arena *a, uint32_t pcpu_count,
                        struct bl__drift *out)
{
    uint32_t leaf0 = 1;

    while (leaf0 < pcpu_count)
        leaf0 *= 2;
    out->leaf0 = leaf0;
    out->node = bl_arena_get(a, 2 * (size_t)leaf0, sizeof(*out->node));
    if (out->node == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < 2 * leaf0; i++)
        out->node[i] = (struct bl__drift_node){ 0, BL_NO_PCPU };
    return BL_ERR_OK;
}

void bl__drift_update(const struct bl_sched *s, struct bl__drift *d, uint32_t p,
                      const struct bl__queue *q)
{
    uint32_t i = d->leaf0 + p;
    struct bl__drift_node x = { 0, BL_NO_PCPU };

    if (q->root != BL_NO_VCPU)
        x = (struct bl__drift_node){ s->node[q->first].deadline, p };
    while (d->node[i].deadline != x.deadline || d->node[i].pcpu != x.pcpu) {
        d->node[i] = x;
        if (i == 1)
            return;
        i /= 2;
        x = winner(d->node[2 * (size_t)i], d->node[2 * (size_t)i + 1]);
    }
}

struct bl__drift_node bl__drift_range(const struct bl__drift *d,
                                      struct bl_topo_range r)
{
    struct bl__drift_node best = { 0, BL_NO_PCPU };
    uint32_t lo = d->leaf0 + r.first, hi = lo + r.count;

    for (; lo < hi; lo /= 2, hi /= 2) {
        if (lo & 1)
            best = winner(best, d->node[lo++]);
        if (hi & 1)
            best = winner(best, d->node[--hi]);
    }
    return best;
}
