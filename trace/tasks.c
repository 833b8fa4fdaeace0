/* SPDX-License-Identifier: Apache-2.0 */
/* trace/tasks.c - what the readers of tasks share: a set that grows while a
 * file is read, moved into the caller's arena when all of it was right. */
#include "trace/tasks_priv.h"

#include "base/hash.h"

#include <stdlib.h>

bl_err bl__reserve(void **p, size_t *capacity, size_t count, size_t elem_bytes)
{
    size_t grown = *capacity > 0 ? *capacity : 64;
    void *moved;

    if (count <= *capacity)
        return BL_ERR_OK;
    while (grown < count)
        grown *= 2;
    moved = bl__grow(*p, grown * elem_bytes);
    if (moved == NULL)
        return BL_ERR_NOMEM;
    *p = moved;
    *capacity = grown;
    return BL_ERR_OK;
}

void bl__tasks_free(struct bl__tasks *b)
{
    free(b->task);
    free(b->op_first);
    free(b->op);
    *b = (struct bl__tasks){ 0 };
}

bl_err bl__tasks_op(struct bl__tasks *b, const struct bl_op *op)
{
    void *p = b->op;

    if (b->op_count == BL_TASK_OPS_MAX)
        return BL_ERR_FULL;
    BL_TRY(bl__reserve(&p, &b->op_capacity, b->op_count + 1, sizeof(*op)));
    b->op = p;
    b->op[b->op_count++] = *op;
    return BL_ERR_OK;
}

bl_err bl__tasks_task(struct bl__tasks *b, const struct bl_task *task,
                      uint64_t op_first)
{
    const size_t count = (size_t)b->task_count + 1;
    const uint64_t op_count = b->op_count - op_first;
    size_t first_capacity = b->task_capacity;
    void *p = b->op_first;

    if (b->task_count == BL_TASKS_MAX || op_count > BL_GUEST_OPS_MAX)
        return BL_ERR_FULL;
    BL_TRY(bl__reserve(&p, &first_capacity, count, sizeof(b->op_first[0])));
    b->op_first = p;
    p = b->task;
    BL_TRY(bl__reserve(&p, &b->task_capacity, count, sizeof(*task)));
    b->task = p;
    b->task[b->task_count] = *task;
    b->task[b->task_count].program.count = (uint32_t)op_count;
    b->op_first[b->task_count++] = op_first;
    return BL_ERR_OK;
}

bl_err bl__tasks_finish(const struct bl__tasks *b, struct bl_arena *a,
                        struct bl_task_set *out)
{
    const size_t op_bytes = b->op_count * sizeof(struct bl_op);
    const size_t task_bytes = b->task_count * sizeof(struct bl_task);
    unsigned char *all;
    struct bl_op *op;
    struct bl_task *task;
    uint64_t work_ns = 0;

    BL_ASSERT(b->task_count > 0);
    for (uint32_t i = 0; i < b->task_count; i++) {
        work_ns += (uint64_t)b->task[i].work_ns;
        if (work_ns > INT64_MAX)
            return BL_ERR_FULL;
    }
    /* one piece, so that an arena that is too small gives nothing */
    all = bl_arena_get(a, 1, op_bytes + task_bytes);
    if (all == NULL)
        return BL_ERR_NOMEM;
    op = (struct bl_op *)(void *)all;
    task = (struct bl_task *)(void *)(all + op_bytes);
    memcpy(op, b->op, op_bytes);
    memcpy(task, b->task, task_bytes);
    for (uint32_t i = 0; i < b->task_count; i++) {
        task[i].program.op = op + b->op_first[i];
        bl_program_check(&task[i].program);
    }
    out->task = task;
    out->task_count = b->task_count;
    out->op_count = b->op_count;
    out->work_ns = (int64_t)work_ns;
    return BL_ERR_OK;
}

bl_err bl__tasks_failed(bl_err e, const char *label, unsigned long line,
                        struct bl_diag *diag)
{
    if (e == BL_ERR_NOMEM)
        return bl_diag_set(diag, e, label, line, "out of memory");
    if (e == BL_ERR_FULL)
        return bl_diag_set(diag, e, label, line,
                           "too much, expected at most %u tasks, %u operations "
                           "in one and %u in all, and 292 years of work",
                           BL_TASKS_MAX, BL_GUEST_OPS_MAX, BL_TASK_OPS_MAX);
    return e;
}

static void hash_op(struct bl_hash *h, const struct bl_op *op)
{
    bl_hash_u64(h, (uint64_t)op->kind << 32 | op->object);
    bl_hash_u64(h, (uint64_t)op->target << 32 | op->count);
    bl_hash_u64(h, (uint64_t)op->time.kind << 32 | op->time.spread_ppm);
    bl_hash_u64(h, (uint64_t)op->time.mean_ns);
}

uint64_t bl_task_set_hash(const struct bl_task_set *s)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_hash_text(&h, s->format);
    bl_hash_u64(&h, s->task_count);
    for (uint32_t i = 0; i < s->task_count; i++) {
        const struct bl_task *t = &s->task[i];

        bl_hash_text(&h, t->name);
        bl_hash_u64(&h, (uint64_t)t->work_ns);
        bl_hash_u64(&h, t->endless);
        bl_hash_u64(&h, t->program.count);
        for (uint32_t k = 0; k < t->program.count; k++)
            hash_op(&h, &t->program.op[k]);
    }
    bl_hash_u64(&h, (uint64_t)s->span_ns);
    bl_hash_u64(&h, (uint64_t)s->lock_count << 32 | s->condition_count);
    bl_hash_u64(&h, s->has_barrier);
    return bl_hash_value(&h);
}
