/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/place.h - on which idle pCPU a vCPU that wakes should run: near to
 * where it ran, and on a core of its own before a thread of a busy one.
 *
 * Layer        sched, private.   Allocation  none.
 * Determinism  from the pCPU where it ran upwards, then around.
 * Cost         O(pCPUs / 64) bit operations for each reach.
 */
#ifndef BL_SCHED_PLACE_H
#define BL_SCHED_PLACE_H

#include "sched/sched_priv.h"

/* An idle pCPU that @v may use, nearest to @near; BL_NO_PCPU: none. */
uint32_t bl__place_idle(const struct bl_sched *s, uint32_t v, uint32_t near);

/* A pCPU that @v may use: those that never ran are spread by their number. */
uint32_t bl__place_any(const struct bl_sched *s, uint32_t v);

#endif /* BL_SCHED_PLACE_H */
