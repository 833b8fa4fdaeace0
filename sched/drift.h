/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/drift.h - of all queues, the one in which a waiting vCPU has the
 * earliest virtual deadline; in the whole host or in any range of pCPUs, so by
 * LLC and by node.
 *
 * A tournament tree over pCPUs, one leaf for each queue.
 *
 * Layer        sched, private.
 * Allocation   bl__drift_create() only.
 * Determinism  equal deadlines: lower pCPU first.
 * Cost         update and range O(log pCPUs), the whole host O(1).
 */
#ifndef BL_SCHED_DRIFT_H
#define BL_SCHED_DRIFT_H

#include "sched/eevdf.h"

struct bl__drift_node {
    uint64_t deadline;
    uint32_t pcpu; /* BL_NO_PCPU: nobody waits below */
};

struct bl__drift {
    struct bl__drift_node *node; /* [1] is the root */
    uint32_t leaf0;
};

BL_NODISCARD bl_err bl__drift_create(struct bl_arena *a, uint32_t pcpu_count,
                                     struct bl__drift *out);

/* What waits in the queue of @p changed. */
void bl__drift_update(const struct bl_sched *s, struct bl__drift *d, uint32_t p,
                      const struct bl__queue *q);

/* Of the pCPUs of @r. */
struct bl__drift_node bl__drift_range(const struct bl__drift *d,
                                      struct bl_topo_range r);

static inline struct bl__drift_node bl__drift_all(const struct bl__drift *d)
{
    return d->node[1];
}

#endif /* BL_SCHED_DRIFT_H */
