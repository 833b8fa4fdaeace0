/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/fair.h - what `fair` and `balance` share: a queue in virtual time for
 * each pCPU, and everything a policy does with them but choosing a queue.
 *
 * Layer        sched, private.   Allocation  bl__fair_create() only.
 */
#ifndef BL_SCHED_FAIR_H
#define BL_SCHED_FAIR_H

#include "sched/drift.h"

struct bl__fair {
    struct bl__queue *queue; /* [pcpu] */
    struct bl__drift drift;
    bool common;          /* queues share one virtual time */
    struct bl__mean host; /* and this is it */
};

/* The first parameters of both policies, in this order. */
enum { BL__FAIR_SLICE, BL__FAIR_SLICE_MIN, BL__FAIR_PARAMS };

#define BL__FAIR_SLICE_PARAM                                                   \
    {                                                                          \
        .name = "slice", .dim = BL_DIM_TIME, .min = BL__SLICE_NS_MIN,          \
        .max = BL__SLICE_NS_MAX,                                               \
        .def = 3000000, /* Linux: 2.8 ms from 8 CPUs on, FIELD.md B3 */        \
            .meaning = "request of a vCPU that computes"                       \
    }
#define BL__FAIR_SLICE_MIN_PARAM                                               \
    {                                                                          \
        .name = "slice_min", .dim = BL_DIM_TIME, .min = BL__SLICE_NS_MIN,      \
        .max = BL__SLICE_NS_MAX,                                               \
        .def = 500000, /* credit2: MIN_TIMER, FIELD.md B1 */                   \
            .meaning = "shortest request, of a vCPU that halts early"          \
    }

static inline struct bl__fair *bl__fair_of(const struct bl_sched *s)
{
    return s->policy_state;
}

static inline struct bl__queue *bl__fair_queue(const struct bl_sched *s,
                                               uint32_t p)
{
    return &bl__fair_of(s)->queue[p];
}

/* @common: virtual time is the same in all queues, kept so by stealing. */
bl_err bl__fair_create(struct bl_sched *s, struct bl_arena *a, bool common);

/* @v, READY and in no queue, joins that of @p; p is told when that should make
 * a difference to what it runs. */
void bl__fair_join(struct bl_sched *s, uint32_t p, uint32_t v);

/* Moves @v from the queue in which it waits to that of @p. */
void bl__fair_move(struct bl_sched *s, uint32_t p, uint32_t v);

/* Of those that wait in the queues of @r and may run on @p the one with the
 * earliest deadline; BL_NO_VCPU. With pinned vCPUs the queue of @p itself is
 * left out. */
uint32_t bl__fair_first_in(const struct bl_sched *s, struct bl_topo_range r,
                           uint32_t p);

/* @v, which waits in the queue of @p, runs there from now on. */
void bl__fair_start(struct bl_sched *s, uint32_t p, uint32_t v);

void bl__fair_dequeue(struct bl_sched *s, uint32_t v);
void bl__fair_take(struct bl_sched *s, uint32_t p, uint32_t v);
void bl__fair_account(struct bl_sched *s, uint32_t p, uint32_t v, int64_t ns);
void bl__fair_stop(struct bl_sched *s, uint32_t p, uint32_t v, bool again);
int64_t bl__fair_slice(struct bl_sched *s, uint32_t p, uint32_t v);
void bl__fair_reweight(struct bl_sched *s, uint32_t v, uint64_t weight);
int64_t bl__fair_owed(const struct bl_sched *s, uint32_t v);
int64_t bl__fair_lag(const struct bl_sched *s, uint32_t v);
void bl__fair_hash(const struct bl_sched *s, struct bl_hash *h);
void bl__fair_check(const struct bl_sched *s);

#endif /* BL_SCHED_FAIR_H */
