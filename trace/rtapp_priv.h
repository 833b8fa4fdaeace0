/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/rtapp_priv.h - an rt-app file on its way to programs.
 *
 * rtapp_json.c   text -> tree
 * rtapp_event.c  one event of a task -> operations
 * read_rtapp.c   tasks, phases, the file; its card tells about all three
 */
#ifndef BL_TRACE_RTAPP_PRIV_H
#define BL_TRACE_RTAPP_PRIV_H

#include "base/hash.h"
#include "trace/tasks_priv.h"

#define BL__RTAPP_FOREVER 0u /* as in BL_OP_LOOP */

enum bl__rtapp_event {
    BL__EV_RUN,
    BL__EV_RUNTIME,
    BL__EV_SLEEP,
    BL__EV_TIMER,
    BL__EV_SUSPEND,
    BL__EV_RESUME,
    BL__EV_LOCK,
    BL__EV_UNLOCK,
    BL__EV_WAIT,
    BL__EV_SYNC,
    BL__EV_SIGNAL,
    BL__EV_BROAD,
    BL__EV_BARRIER,
    BL__EV_YIELD,
    BL__EV_COUNT
};

/* Somebody who signals @cond; @self: he waits for it, too, but not then. */
struct bl__rtapp_signaller {
    unsigned long line;
    uint32_t cond, self;
};

/* The task that is being read. */
struct bl__rtapp_task {
    struct bl__text name;
    unsigned long line;
    uint32_t number;          /* of tasks with a name in the file */
    uint32_t instances, loop; /* BL__RTAPP_FOREVER */
    uint64_t delay_ns;
    uint64_t op_first;
    uint64_t held;           /* locks, one bit each */
    uint64_t waits, signals; /* conditions, one bit each */
    bool takes_time;         /* so far, in the phase or outer loop */
    bool has_timer, has_barrier;
    struct bl__text timer; /* its name; no bytes: it is of this thread */
    uint64_t phase_ns;     /* work of one pass of the phase */
    uint64_t pass_ns;
    struct bl_hash barriers;
};

struct bl__rtapp {
    const char *label;
    const struct bl__json *json;
    struct bl_diag *diag;
    struct bl__tasks tasks;
    struct bl__names locks, conds, timers, names;
    uint32_t *timer_task; /* [timers.count] */
    uint32_t *name_lives; /* [names.count]: tasks of that name */
    struct bl__rtapp_signaller *signaller;
    size_t timer_capacity, name_capacity, signaller_capacity, signaller_count;
    uint32_t waiters[BL_GUEST_OBJECTS_MAX]; /* tasks that wait, by condition */
    uint64_t duration_ns;
    uint32_t defined; /* tasks in the file, instances or not */
    bool has_barrier;
    uint64_t barriers; /* of the first task: all others must have the same */
    struct bl__text barriers_of;
};

#define BL__BAD(r, line, ...)                                                  \
    bl_diag_set((r)->diag, BL_ERR_PARSE, (r)->label, line, __VA_ARGS__)
#define BL__QUOTE(t) bl__quote(&(struct bl__quote){ "" }, t)

/* What is wrong when @e is an error of bl__tasks_*() or bl__names_add(). */
bl_err bl__rtapp_failed(const struct bl__rtapp *r, bl_err e,
                        unsigned long line);

/* ---- values: or what was expected at their line ------------------------- */

BL_NODISCARD bl_err bl__rtapp_need_map(const struct bl__rtapp *r,
                                       const struct bl__json_node *n);
BL_NODISCARD bl_err bl__rtapp_string(const struct bl__rtapp *r,
                                     const struct bl__json_node *n,
                                     struct bl__text *out);
BL_NODISCARD bl_err bl__rtapp_number(const struct bl__rtapp *r,
                                     const struct bl__json_node *n,
                                     uint64_t max, uint64_t *out);
BL_NODISCARD bl_err bl__rtapp_us(const struct bl__rtapp *r,
                                 const struct bl__json_node *n, uint64_t *ns);
BL_NODISCARD bl_err bl__rtapp_loop(const struct bl__rtapp *r,
                                   const struct bl__json_node *n,
                                   uint32_t *loop);

/* ---- operations --------------------------------------------------------- */

BL_NODISCARD bl_err bl__rtapp_op(struct bl__rtapp *r, unsigned long line,
                                 enum bl_op_kind kind, uint32_t object);
/* @op for @ns, or none for 0: a time of 0 is allowed and does nothing. */
BL_NODISCARD bl_err bl__rtapp_time_op(struct bl__rtapp *r,
                                      struct bl__rtapp_task *t,
                                      unsigned long line, struct bl_op op,
                                      uint64_t ns);

/* The event that @key names; BL__EV_COUNT: none. */
enum bl__rtapp_event bl__rtapp_event_of(struct bl__text key);
BL_NODISCARD bl_err bl__rtapp_event(struct bl__rtapp *r,
                                    struct bl__rtapp_task *t,
                                    const struct bl__json_node *n,
                                    enum bl__rtapp_event ev);

#endif /* BL_TRACE_RTAPP_PRIV_H */
