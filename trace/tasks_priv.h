/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/tasks_priv.h - for trace/ only: a task set under construction, and an
 * rt-app file as a tree.
 */
#ifndef BL_TRACE_TASKS_PRIV_H
#define BL_TRACE_TASKS_PRIV_H

#include "trace/tasks.h"
#include "trace/trace_priv.h"

/* ---- a set under construction (tasks.c) -------------------------------- */

/* Tasks, each with a stretch of the operations; instances of one rt-app task
 * have the same stretch. All zero is an empty one. */
struct bl__tasks {
    struct bl_task *task; /* [task_count], program.op not set */
    uint64_t *op_first;   /* [task_count] */
    struct bl_op *op;     /* [op_count] */
    size_t task_capacity, op_capacity;
    uint32_t task_count;
    uint64_t op_count;
};

void bl__tasks_free(struct bl__tasks *b);

/* An operation behind the others. BL_ERR_NOMEM, BL_ERR_FULL. */
BL_NODISCARD bl_err bl__tasks_op(struct bl__tasks *b, const struct bl_op *op);

/* A task whose program is the operations from @op_first on. BL_ERR_NOMEM,
 * BL_ERR_FULL (tasks, or operations of one). */
BL_NODISCARD bl_err bl__tasks_task(struct bl__tasks *b,
                                   const struct bl_task *task,
                                   uint64_t op_first);

/* Moves all into one piece of @a, sets task, task_count, op_count and work_ns
 * of @out and checks every program. BL_ERR_NOMEM, BL_ERR_FULL (the sum of the
 * work). */
BL_NODISCARD bl_err bl__tasks_finish(const struct bl__tasks *b,
                                     struct bl_arena *a,
                                     struct bl_task_set *out);

/* The words for NOMEM and FULL of these; others are returned as they are. */
bl_err bl__tasks_failed(bl_err e, const char *label, unsigned long line,
                        struct bl_diag *diag);

/* Room for @count elements in all in the malloc'd @p; BL_ERR_NOMEM. */
BL_NODISCARD bl_err bl__reserve(void **p, size_t *capacity, size_t count,
                                size_t elem_bytes);

static inline bool bl__text_is(struct bl__text t, const char *s)
{
    return t.size_bytes == strlen(s) && memcmp(t.p, s, t.size_bytes) == 0;
}

/* ---- an rt-app file as a tree (rtapp_json.c) --------------------------- */

enum bl__json_kind {
    BL__JSON_ABSENT, /* a key alone */
    BL__JSON_STRING,
    BL__JSON_WORD, /* a number, true, false: what has no quotes */
    BL__JSON_MAP,
    BL__JSON_LIST,
};

/* Entries of a map are in the order of the file and may repeat a key. */
struct bl__json_node {
    enum bl__json_kind kind;
    unsigned long line; /* of the key, where it has one */
    struct bl__text key, text;
    uint32_t first, next; /* nodes; 0: none */
};

struct bl__json {
    char *text;                 /* the file, comments blanked */
    struct bl__json_node *node; /* [count]; node[0] is the root, a map */
    uint32_t count;
    size_t size_bytes, text_capacity, node_capacity;
};

/** bl__json_read - the tree of what is left of stream @in; bl__json_free()
 * afterwards, also on error. */
BL_NODISCARD bl_err bl__json_read(struct bl__input *in, struct bl__json *j,
                                  struct bl_diag *diag);
void bl__json_free(struct bl__json *j);

/* The first entry of a map or list, and the next in the same; NULL: none. */
static inline const struct bl__json_node *
bl__json_first(const struct bl__json *j, const struct bl__json_node *n)
{
    return n->first != 0 ? &j->node[n->first] : NULL;
}

static inline const struct bl__json_node *
bl__json_next(const struct bl__json *j, const struct bl__json_node *n)
{
    return n->next != 0 ? &j->node[n->next] : NULL;
}

#endif /* BL_TRACE_TASKS_PRIV_H */
