/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/gang.h - the runnable vCPUs of a VM start together, run for one gang
 * slice without being preempted, and stop together.
 *
 * A gang that does not fit beside those that run, or would take pCPUs from
 * others although the VM as a whole is not due, waits in co-stop. A pCPU whose
 * vCPU halts is filled by others and taken back at its wake. Each function is
 * the mode's hook of the same name, for a VM that is a gang or still running as
 * one.
 *
 * Layer        sched, private.   Allocation  none.
 * Cost         a start O(VM size * pCPUs).
 */
#ifndef BL_SCHED_GANG_H
#define BL_SCHED_GANG_H

#include "sched/cosched.h"

/* @v of a gang is proposed on @p: starts all of it, if there is room. */
bool bl__gang_may_start(struct bl_sched *s, uint32_t p, uint32_t v,
                        int64_t slice_ns);

/* Gangs that wait are proposed again: when one ends, and every ms, because they
 * may be due by now. */
void bl__gang_retry(struct bl_sched *s);
#define BL__GANG_RETRY_NS INT64_C(1000000)

void bl__gang_started(struct bl_sched *s, uint32_t p, uint32_t v,
                      int64_t *until_ns);
void bl__gang_put_back(struct bl_sched *s, uint32_t p, uint32_t v);
void bl__gang_halted(struct bl_sched *s, uint32_t v);
void bl__gang_woke(struct bl_sched *s, uint32_t v);

#endif /* BL_SCHED_GANG_H */
