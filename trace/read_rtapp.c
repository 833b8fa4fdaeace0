/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_rtapp - tasks of an rt-app file as programs.
 *
 * Source     scheduler-tools/rt-app: its tutorial and the examples beside it;
 *            where those are silent its code as remembered [recalled]: resume
 *            and broad wake all, sync is signal and then wait, a timer's mode
 *            is relative unless it says absolute, a missed relative timer
 *            starts again from now, suspend and wait on a name share one
 *            condition.
 * Idea       keys are ordered and may repeat, so an object is a list of
 *            events. Each event becomes operations; a phase and a task become
 *            loops. doc/formats/rt-app.md lists every key.
 * Bound      what is accepted keeps bl_program_check() and gives back the locks
 *            that it takes (test_tasks_rtapp, fuzz_tasks_rtapp).
 * Deviation  `runtime` is work like `run`; a program of one task on a vCPU of
 *            its own has no use for priorities, policies, affinities and yield,
 *            which are read over. Refused because they cannot be told truly:
 *            mem, iorun, fork; a signal that could choose among several
 *            waiters; a barrier that is not the same in all tasks; a timer
 *            shared by tasks, or a second one in a task.
 * Cost       linear in the file and in the number of instances.
 */
#include "trace/rtapp_priv.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)
#define RTAPP_FILE "an rt-app file (JSON)"
#define WORK_MAX "more than 11 days of work in one pass, expected less"

/* Events of rt-app that no program can stand for. */
static const char *const event_refused[] = { "mem", "iorun", "fork" };

/* What a task or phase may say to the guest's scheduler. */
static const char *const attribute[] = {
    "priority",    "policy",    "cpus",      "nodes_membind", "dl-runtime",
    "dl-deadline", "dl-period", "taskgroup", "util_min",      "util_max",
};

/* What concerns rt-app as a program. */
static const char *const global_ignored[] = {
    "calibration",      "default_policy", "pi_enabled", "lock_pages",
    "logdir",           "log_basename",   "log_size",   "ftrace",
    "gnuplot",          "frag",           "io_device",  "mem_buffer_size",
    "cumulative_slack",
};

static const char *const resource_type[] = {
    "mutex", "wait",  "signal",  "broadcast", "sync",
    "timer", "sleep", "barrier", "suspend",   "resume",
};

static bool is_one_of(struct bl__text t, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bl__text_is(t, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(t, list) is_one_of(t, list, sizeof(list) / sizeof((list)[0]))

/* ---- phases and tasks --------------------------------------------------- */

/* A key that is no event: read over, or refused. */
static bl_err other_key(const struct bl__rtapp *r,
                        const struct bl__json_node *n, const char *where)
{
    struct bl__text key = n->key;

    if (IS_ONE_OF(key, attribute)) {
        if (n->kind == BL__JSON_STRING || n->kind == BL__JSON_WORD ||
            n->kind == BL__JSON_LIST)
            return BL_ERR_OK;
        return BL__BAD(r, n->line,
                       "'%s' has no value, expected a string, number or list",
                       BL__QUOTE(key));
    }
    while (key.size_bytes > 0 && key.p[key.size_bytes - 1] >= '0' &&
           key.p[key.size_bytes - 1] <= '9')
        key.size_bytes--;
    if (IS_ONE_OF(key, event_refused))
        return BL__BAD(r, n->line,
                       "event '%s' cannot be simulated, expected work, waiting "
                       "and locks only",
                       BL__QUOTE(n->key));
    return BL__BAD(r, n->line,
                   "unknown key '%s' in %s, expected an event of rt-app (run, "
                   "sleep, timer, ...), loop or an attribute",
                   BL__QUOTE(n->key), where);
}

/* Ends a loop that began at operation @op_first of the whole set. */
static bl_err close_loop(struct bl__rtapp *r, const struct bl__rtapp_task *t,
                         uint64_t op_first, uint32_t loop, unsigned long line)
{
    const struct bl_op op = { .kind = BL_OP_LOOP,
                              .target = (uint32_t)(op_first - t->op_first),
                              .count = loop };

    if (loop == 1)
        return BL_ERR_OK;
    if (!t->takes_time)
        return BL__BAD(r, line,
                       "a loop that takes no time, expected run, sleep, timer, "
                       "suspend, wait, sync or barrier in it");
    return bl__rtapp_failed(r, bl__tasks_op(&r->tasks, &op), line);
}

/* The events of @n, a phase or a task without phases, @loop times. */
static bl_err read_phase(struct bl__rtapp *r, struct bl__rtapp_task *t,
                         const struct bl__json_node *n, bool is_phase)
{
    const uint64_t op_first = r->tasks.op_count;
    const uint64_t held = t->held;
    const bool took_time = t->takes_time, had_barrier = t->has_barrier;
    uint32_t loop = 1;
    bool any = false;

    t->phase_ns = 0;
    t->takes_time = false;
    t->has_barrier = false;
    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        const enum bl__rtapp_event ev = bl__rtapp_event_of(child->key);

        if (ev != BL__EV_COUNT) {
            any = true;
            BL_TRY(bl__rtapp_event(r, t, child, ev));
        } else if (is_phase && bl__text_is(child->key, "loop")) {
            BL_TRY(bl__rtapp_loop(r, child, &loop));
        } else if (is_phase) {
            BL_TRY(other_key(r, child, "a phase"));
        }
    }
    if (!any)
        return BL__BAD(r, n->line,
                       "no events in '%s', expected run, sleep, timer or "
                       "another event of rt-app",
                       BL__QUOTE(n->key));
    if (loop != 1 && t->held != held)
        return BL__BAD(r, n->line,
                       "phase '%s' loops, but does not leave the mutexes as it "
                       "found them, expected a lock and unlock of each",
                       BL__QUOTE(n->key));
    if (t->has_barrier)
        bl_hash_u64(&t->barriers, loop);
    t->has_barrier = t->has_barrier || had_barrier;
    BL_TRY(close_loop(r, t, op_first, loop, n->line));
    t->takes_time = t->takes_time || took_time;
    if (loop != BL__RTAPP_FOREVER && t->phase_ns > 0 &&
        (uint64_t)BL_GUEST_NS_MAX / loop < t->phase_ns)
        return BL__BAD(r, n->line, WORK_MAX);
    t->pass_ns += t->phase_ns * (loop != BL__RTAPP_FOREVER ? loop : 1);
    if (t->pass_ns > (uint64_t)BL_GUEST_NS_MAX)
        return BL__BAD(r, n->line, WORK_MAX);
    return BL_ERR_OK;
}

/* All that is no event; *phases: its phases, or NULL. */
static bl_err read_task_keys(struct bl__rtapp *r, struct bl__rtapp_task *t,
                             const struct bl__json_node *n,
                             const struct bl__json_node **phases)
{
    const struct bl__json_node *first_event = NULL;
    uint64_t v = 0;

    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        if (bl__text_is(child->key, "loop")) {
            BL_TRY(bl__rtapp_loop(r, child, &t->loop));
        } else if (bl__text_is(child->key, "instance")) {
            BL_TRY(bl__rtapp_number(r, child, BL_TASKS_MAX, &v));
            t->instances = (uint32_t)v;
        } else if (bl__text_is(child->key, "delay")) {
            BL_TRY(bl__rtapp_us(r, child, &t->delay_ns));
        } else if (bl__text_is(child->key, "phases")) {
            BL_TRY(bl__rtapp_need_map(r, child));
            if (*phases != NULL)
                return BL__BAD(r, child->line,
                               "phases again, expected them once "
                               "in a task");
            *phases = child;
        } else if (bl__rtapp_event_of(child->key) == BL__EV_COUNT) {
            BL_TRY(other_key(r, child, "a task"));
        } else if (first_event == NULL) {
            first_event = child;
        }
    }
    if (*phases != NULL && first_event != NULL)
        return BL__BAD(r, first_event->line,
                       "event '%s' beside phases, expected it in one of them",
                       BL__QUOTE(first_event->key));
    if (*phases != NULL && (*phases)->first == 0)
        return BL__BAD(r, (*phases)->line,
                       "no phases in '%s', expected one at least",
                       BL__QUOTE(t->name));
    return BL_ERR_OK;
}

/* The first operation, and what ends a pass and the program. A timer counts
 * from the end of the delay, so in a task with one the timer makes it. */
static bl_err read_body(struct bl__rtapp *r, struct bl__rtapp_task *t,
                        const struct bl__json_node *n,
                        const struct bl__json_node *phases)
{
    const struct bl_op sleep = { .kind = BL_OP_SLEEP };
    uint64_t loop_first;

    t->op_first = r->tasks.op_count;
    BL_TRY(bl__rtapp_time_op(r, t, n->line, sleep, t->delay_ns));
    t->takes_time = false;
    loop_first = r->tasks.op_count;
    if (phases == NULL) {
        BL_TRY(read_phase(r, t, n, false));
    } else {
        for (const struct bl__json_node *phase =
                 bl__json_first(r->json, phases);
             phase != NULL; phase = bl__json_next(r->json, phase)) {
            BL_TRY(bl__rtapp_need_map(r, phase));
            BL_TRY(read_phase(r, t, phase, true));
        }
    }
    if (t->held != 0)
        return BL__BAD(r, n->line,
                       "task '%s' ends with mutex '%s' held, expected unlock",
                       BL__QUOTE(t->name),
                       BL__QUOTE(bl__names_text(
                           &r->locks, (uint32_t)__builtin_ctzll(t->held))));
    if (t->has_timer && t->delay_ns > 0)
        r->tasks.op[t->op_first].kind = BL_OP_TIMER;
    bl_hash_u64(&t->barriers, t->loop);
    BL_TRY(bl__rtapp_op(r, n->line, BL_OP_UNIT, 0));
    BL_TRY(close_loop(r, t, loop_first, t->loop, n->line));
    return bl__rtapp_op(r, n->line, BL_OP_END, 0);
}

/* The first of a name is "thread", then come "thread#2", "thread#3". */
static bl_err add_instances(struct bl__rtapp *r, const struct bl__rtapp_task *t)
{
    struct bl_task made = { .work_ns = (int64_t)t->pass_ns,
                            .endless = t->loop == BL__RTAPP_FOREVER };
    uint32_t number = 0;
    bool is_new = false;
    void *p = r->name_lives;

    BL_TRY(bl__rtapp_failed(
        r, bl__names_add(&r->names, t->name, &number, &is_new), t->line));
    if (bl__reserve(&p, &r->name_capacity, r->names.count,
                    sizeof(*r->name_lives)) != BL_ERR_OK)
        return bl__rtapp_failed(r, BL_ERR_NOMEM, t->line);
    r->name_lives = p;
    if (is_new)
        r->name_lives[number] = 0;
    for (uint32_t i = 0; i < t->instances; i++) {
        bl__name_make(made.name, t->name, ++r->name_lives[number]);
        BL_TRY(bl__rtapp_failed(
            r, bl__tasks_task(&r->tasks, &made, t->op_first), t->line));
    }
    return BL_ERR_OK;
}

/* A barrier of a program is for all vCPUs of the VM, so all must meet the same
 * ones, in the same loops. */
static bl_err check_barriers(struct bl__rtapp *r,
                             const struct bl__rtapp_task *t)
{
    const uint64_t barriers = bl_hash_value(&t->barriers);

    if (r->barriers_of.p == NULL) {
        r->has_barrier = t->has_barrier;
        r->barriers = barriers;
        r->barriers_of = t->name;
    }
    if (t->has_barrier != r->has_barrier ||
        (t->has_barrier && barriers != r->barriers))
        return BL__BAD(r, t->line,
                       "task '%s' meets other barriers than '%s', expected the "
                       "same in every task",
                       BL__QUOTE(t->name), BL__QUOTE(r->barriers_of));
    return BL_ERR_OK;
}

static bl_err read_task(struct bl__rtapp *r, const struct bl__json_node *n)
{
    const struct bl__json_node *phases = NULL;
    struct bl__rtapp_task t = { .name = n->key,
                                .line = n->line,
                                .number = r->defined++,
                                .instances = 1,
                                .loop = BL__RTAPP_FOREVER };
    const uint64_t op_first = r->tasks.op_count;
    const size_t signaller_first = r->signaller_count;

    bl_hash_init(&t.barriers);
    BL_TRY(bl__rtapp_need_map(r, n));
    BL_TRY(read_task_keys(r, &t, n, &phases));
    BL_TRY(read_body(r, &t, n, phases));
    if (t.instances == 0) { /* only a fork would start it */
        r->tasks.op_count = op_first;
        return BL_ERR_OK;
    }
    BL_TRY(check_barriers(r, &t));
    for (uint32_t c = 0; c < BL_GUEST_OBJECTS_MAX; c++)
        if (t.waits >> c & 1)
            r->waiters[c] += t.instances;
    for (size_t i = signaller_first; i < r->signaller_count; i++)
        r->signaller[i].self = t.waits >> r->signaller[i].cond & 1;
    return add_instances(r, &t);
}

/* A program's RESUME wakes all; signal wakes one: the same when there is at
 * most one. */
static bl_err check_signals(const struct bl__rtapp *r)
{
    for (size_t i = 0; i < r->signaller_count; i++) {
        const struct bl__rtapp_signaller *s = &r->signaller[i];

        if (r->waiters[s->cond] - s->self > 1)
            return BL__BAD(
                r, s->line,
                "signal of '%s', for which %u tasks wait, expected one "
                "at most (or broad, which wakes all)",
                BL__QUOTE(bl__names_text(&r->conds, s->cond)),
                r->waiters[s->cond] - s->self);
    }
    return BL_ERR_OK;
}

/* ---- the file ----------------------------------------------------------- */

/* Declares what the events name anyway; only its grammar matters here. */
static bl_err read_resource(const struct bl__rtapp *r,
                            const struct bl__json_node *n)
{
    struct bl__text type = { NULL, 0 }, target = { NULL, 0 };

    BL_TRY(bl__rtapp_need_map(r, n));
    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        if (bl__text_is(child->key, "type"))
            BL_TRY(bl__rtapp_string(r, child, &type));
        else if (bl__text_is(child->key, "target"))
            BL_TRY(bl__rtapp_string(r, child, &target));
        else
            return BL__BAD(r, child->line,
                           "unknown key '%s', expected type, target",
                           BL__QUOTE(child->key));
    }
    if (type.p == NULL || !IS_ONE_OF(type, resource_type))
        return BL__BAD(r, n->line,
                       "resource '%s' has no type that is known, expected "
                       "mutex, wait, timer, barrier or another of rt-app",
                       BL__QUOTE(n->key));
    return BL_ERR_OK;
}

static bl_err read_global(struct bl__rtapp *r, const struct bl__json_node *n)
{
    const uint64_t most_s = (uint64_t)(BL_GUEST_NS_MAX / SECOND_NS);

    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        if (bl__text_is(child->key, "duration")) {
            r->duration_ns = 0;
            if (child->kind == BL__JSON_WORD && bl__text_is(child->text, "-1"))
                continue;
            BL_TRY(bl__rtapp_number(r, child, most_s, &r->duration_ns));
            r->duration_ns *= (uint64_t)SECOND_NS;
        } else if (!IS_ONE_OF(child->key, global_ignored)) {
            return BL__BAD(
                r, child->line,
                "unknown key '%s' in global, expected one of rt-app's",
                BL__QUOTE(child->key));
        }
    }
    return BL_ERR_OK;
}

static bl_err read_section(struct bl__rtapp *r, const struct bl__json_node *n)
{
    BL_TRY(bl__rtapp_need_map(r, n));
    if (bl__text_is(n->key, "global"))
        return read_global(r, n);
    if (bl__text_is(n->key, "tasks")) {
        for (const struct bl__json_node *task = bl__json_first(r->json, n);
             task != NULL; task = bl__json_next(r->json, task))
            BL_TRY(read_task(r, task));
        return BL_ERR_OK;
    }
    if (!bl__text_is(n->key, "resources"))
        return BL__BAD(r, n->line,
                       "unknown key '%s', expected tasks, resources, global",
                       BL__QUOTE(n->key));
    for (const struct bl__json_node *resource = bl__json_first(r->json, n);
         resource != NULL; resource = bl__json_next(r->json, resource))
        BL_TRY(read_resource(r, resource));
    return BL_ERR_OK;
}

static bl_err read_all(struct bl__rtapp *r, struct bl_arena *a,
                       struct bl_task_set *out)
{
    struct bl_task_set made = { .format = "rt-app" };

    for (const struct bl__json_node *section =
             bl__json_first(r->json, &r->json->node[0]);
         section != NULL; section = bl__json_next(r->json, section))
        BL_TRY(read_section(r, section));
    if (r->tasks.task_count == 0)
        return BL__BAD(r, 0,
                       "no tasks to run in it, expected \"tasks\" : { ... }");
    BL_TRY(check_signals(r));
    made.span_ns = (int64_t)r->duration_ns;
    made.lock_count = r->locks.count;
    made.condition_count = r->conds.count;
    made.has_barrier = r->has_barrier;
    BL_TRY(bl__rtapp_failed(r, bl__tasks_finish(&r->tasks, a, &made), 0));
    *out = made;
    return BL_ERR_OK;
}

static bl_err read_stream(struct bl__input *in, struct bl_arena *a,
                          struct bl_task_set *out, struct bl_diag *diag)
{
    struct bl__json json;
    struct bl__rtapp r = { .label = bl__input_label(in),
                           .json = &json,
                           .diag = diag };
    bl_err e = bl__json_read(in, &json, diag);

    bl__names_init(&r.locks);
    bl__names_init(&r.conds);
    bl__names_init(&r.timers);
    bl__names_init(&r.names);
    if (e == BL_ERR_OK)
        e = read_all(&r, a, out);
    bl__names_free(&r.locks);
    bl__names_free(&r.conds);
    bl__names_free(&r.timers);
    bl__names_free(&r.names);
    bl__tasks_free(&r.tasks);
    bl__json_free(&json);
    free(r.timer_task);
    free(r.name_lives);
    free(r.signaller);
    return e;
}

bl_err bl_tasks_read_rtapp(const char *path, struct bl_arena *a,
                           struct bl_task_set *out, struct bl_diag *diag)
{
    struct bl__input *in;
    bl_err e;

    BL_TRY(bl__input_open_as(path, RTAPP_FILE, &in, diag));
    if (bl__input_kind(in) == BL__INPUT_STREAM)
        e = read_stream(in, a, out, diag);
    else
        e = bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(in), 0,
                        "is a folder or an archive, expected " RTAPP_FILE);
    bl__input_close(in);
    return e;
}
