/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/tasks_walk.h - runs programs alone, without any host, and asserts every
 * promise of trace/tasks.h on the way. For tests and fuzz targets.
 */
#ifndef BL_TESTS_TASKS_WALK_H
#define BL_TESTS_TASKS_WALK_H

#include "trace/tasks.h"

#include <stdlib.h>
#include <string.h>

struct tasks_walk {
    uint64_t ops;               /* that were done */
    uint64_t run_ns, sleep_ns;  /* of RUN; of SLEEP */
    uint64_t kind[BL_OP_COUNT]; /* how often each */
    bool ended;
};

/* At most @ops_max operations of task @t of @s. Locks are taken and given back
 * in turn; objects are those that were counted. */
static inline struct tasks_walk tasks_walk_one(const struct bl_task_set *s,
                                               const struct bl_task *t,
                                               uint64_t ops_max)
{
    const struct bl_program *p = &t->program;
    uint32_t *done = calloc(p->count, sizeof(*done));
    struct tasks_walk w = { 0 };
    uint64_t held = 0;
    uint32_t at = 0;

    BL_ASSERT(done != NULL);
    while (at < p->count && w.ops < ops_max && !w.ended) {
        const struct bl_op *op = &p->op[at];
        const uint64_t bit = UINT64_C(1) << (op->object % 64);

        w.ops++;
        w.kind[op->kind]++;
        if (op->kind == BL_OP_LOCK || op->kind == BL_OP_UNLOCK) {
            BL_ASSERT(op->object < s->lock_count);
            BL_ASSERT(((held & bit) != 0) == (op->kind == BL_OP_UNLOCK));
            held ^= bit;
        }
        if (op->kind == BL_OP_SUSPEND || op->kind == BL_OP_RESUME)
            BL_ASSERT(op->object < s->condition_count);
        if (op->kind == BL_OP_BARRIER)
            BL_ASSERT(s->has_barrier);
        if (op->kind == BL_OP_RUN)
            w.run_ns += (uint64_t)op->time.mean_ns;
        if (op->kind == BL_OP_SLEEP)
            w.sleep_ns += (uint64_t)op->time.mean_ns;
        w.ended = op->kind == BL_OP_END;
        if (op->kind == BL_OP_LOOP &&
            (op->count == 0 || ++done[at] < op->count)) {
            at = op->target;
            continue;
        }
        if (op->kind == BL_OP_LOOP)
            done[at] = 0;
        at++;
    }
    w.ended = w.ended || at == p->count;
    BL_ASSERT(!w.ended || held == 0);
    free(done);
    return w;
}

/* The sums of a set are those of its tasks; every program is one. */
static inline void tasks_check(const struct bl_task_set *s)
{
    uint64_t work_ns = 0;

    BL_ASSERT(s->task_count >= 1 && s->task_count <= BL_TASKS_MAX);
    BL_ASSERT(s->lock_count <= BL_GUEST_OBJECTS_MAX);
    BL_ASSERT(s->condition_count <= BL_GUEST_OBJECTS_MAX);
    BL_ASSERT(s->span_ns >= 0 && s->span_ns <= BL_GUEST_NS_MAX);
    for (uint32_t i = 0; i < s->task_count; i++) {
        const struct bl_task *t = &s->task[i];

        BL_ASSERT(strlen(t->name) >= 1 && strlen(t->name) < BL_NAME_BYTES);
        BL_ASSERT(t->work_ns >= 0);
        work_ns += (uint64_t)t->work_ns;
        bl_program_check(&t->program);
        tasks_walk_one(s, t, 5000);
    }
    BL_ASSERT(work_ns == (uint64_t)s->work_ns);
}

#endif /* BL_TESTS_TASKS_WALK_H */
