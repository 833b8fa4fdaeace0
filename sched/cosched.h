/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/cosched.h - what co-scheduling modes share: finding a pCPU for a vCPU
 * whose siblings need it.
 *
 * Layer        sched, private.   Allocation  none.
 * Cost         O(pCPUs).
 */
#ifndef BL_SCHED_COSCHED_H
#define BL_SCHED_COSCHED_H

#include "sched/sched_priv.h"

/* May a pCPU be taken from what runs on it? Asked only for allowed ones. */
typedef bool (*bl__yields_fn)(const struct bl_sched *s, uint32_t p, uint32_t v);

/** bl__find_room - a pCPU for @v: an idle one, else of those that yield the one
 * whose vCPU has the least lag, near @near first; BL_NO_PCPU.
 * @except  pCPUs that are out of the question */
uint32_t bl__find_room(const struct bl_sched *s, uint32_t v, uint32_t near,
                       const struct bl_cpuset *except, bl__yields_fn yields);

/* The sibling that waits, is no further ahead than @ahead_ns and whose turn it
 * is to be helped runs where @v, which spins, does; false: none. */
bool bl__yield_to_sibling(struct bl_sched *s, uint32_t v, int64_t ahead_ns);

/* Is a forced vCPU on its way to @p already? */
static inline bool bl__is_spoken_for(const struct bl_sched *s, uint32_t p)
{
    return s->pcpu[p].forced != BL_NO_VCPU;
}

static inline const struct bl__vm *bl__vm_of(const struct bl_sched *s,
                                             uint32_t v)
{
    return &s->vm[s->vcpu[v].vm];
}

#endif /* BL_SCHED_COSCHED_H */
