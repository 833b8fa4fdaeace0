/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/eevdf.h - one run queue in virtual time, for policies of this folder.
 *
 * Members are the vCPUs that wait in it and the one that runs from it. The
 * queue's virtual time is the mean of its members' service divided by weight,
 * weighted; whoever is not ahead of it is eligible, and of the eligible ones
 * the earliest virtual deadline is next.
 *
 * Layer        sched, private.
 * Units        virtual time as in sched_priv.h.
 * Allocation   none: nodes are the vCPUs.
 * Errors       none; BL_ASSERT.
 * Determinism  equal deadlines: lower id first.
 * Cost         O(log n) expected for each call, eevdf_virtual_ns() a division.
 */
#ifndef BL_SCHED_EEVDF_H
#define BL_SCHED_EEVDF_H

#include "sched/sched_priv.h"

/* The mean virtual time of members: sum / weight after zero. */
struct bl__mean {
    uint64_t weight; /* of all members */
    uint64_t zero;   /* origin of sum */
    bl__i128 sum;    /* of weight * (v - zero) over all members */
};

struct bl__queue {
    uint32_t root;         /* of those that wait; BL_NO_VCPU: none */
    uint32_t first;        /* of them by deadline; BL_NO_VCPU */
    uint32_t count;        /* that wait */
    uint32_t curr;         /* runs from it; BL_NO_VCPU: none */
    struct bl__mean mean;  /* of its members: V */
    struct bl__mean *host; /* of those of all queues; NULL: each for itself */
};

/* What joining does to a vCPU's lag. */
enum bl__join {
    BL__JOIN_WAKE,   /* it halted: what passed meanwhile it is owed, up to one
                        request */
    BL__JOIN_RESUME, /* it was throttled: lag as then */
    BL__JOIN_STEAL,  /* from another queue: keeps its virtual time */
};

void bl__eevdf_init(struct bl__queue *q, struct bl__mean *host);

/* Sets slice and span of @v, which is in no queue. */
void bl__eevdf_slice(struct bl_sched *s, uint32_t v, int64_t slice_ns);

/** bl__eevdf_join - @v comes to wait in @q; lag beyond twice the longest slice
 * is forgiven and counted.
 */
void bl__eevdf_join(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                    enum bl__join how);

/* @v, which waits in @q, leaves it: with its lag in lag_ns, for a wake. */
void bl__eevdf_leave(struct bl_sched *s, struct bl__queue *q, uint32_t v);

/* The next one: eligible, earliest deadline; BL_NO_VCPU when nobody waits. */
uint32_t bl__eevdf_best(const struct bl_sched *s, const struct bl__queue *q);

/* @v, which waits in @q, runs from it from now on. */
void bl__eevdf_start(struct bl_sched *s, struct bl__queue *q, uint32_t v);

/* What runs from @q, alone, is put where the host is, if it is more than a
 * request away: its lag is 0 either way. */
void bl__eevdf_restart(struct bl_sched *s, struct bl__queue *q);

/* What runs from @q got @ns; returns what that is in virtual time. */
uint64_t bl__eevdf_charge(struct bl_sched *s, struct bl__queue *q, int64_t ns);

/* What runs from @q stops; again: it waits there, else it has left. */
void bl__eevdf_stop(struct bl_sched *s, struct bl__queue *q, bool again);

/* @v is a member of @q (or of none, @q NULL): its lag stays. */
void bl__eevdf_reweight(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                        uint64_t weight);

/* Of a mean without members: where it was last. */
uint64_t bl__eevdf_value(const struct bl__mean *m);

/* The virtual time of a queue with members. */
uint64_t bl__eevdf_virtual(const struct bl__queue *q);

/* Is the virtual time of @q, a queue with members, at @v or beyond? Without a
 * division. */
static inline bool bl__eevdf_reached(const struct bl__queue *q, uint64_t v)
{
    return (bl__i128)(int64_t)(v - q->mean.zero) * (bl__i128)q->mean.weight <=
           q->mean.sum;
}

/* Would @v, which waits in @q, be preferred to what runs from it? */
bool bl__eevdf_preempts(const struct bl_sched *s, const struct bl__queue *q,
                        uint32_t v);

/* @v is a member of @q. */
int64_t bl__eevdf_lag_ns(const struct bl_sched *s, const struct bl__queue *q,
                         uint32_t v);

/* How far virtual time @at is behind the mean of all queues, in CPU time of @v.
 */
int64_t bl__eevdf_behind_ns(const struct bl_sched *s,
                            const struct bl__mean *host, uint32_t v,
                            uint64_t at);

/* The longest slice of a member; 0 without members. */
int64_t bl__eevdf_slice_max(const struct bl_sched *s,
                            const struct bl__queue *q);

void bl__eevdf_check(const struct bl_sched *s, const struct bl__queue *q);

#endif /* BL_SCHED_EEVDF_H */
