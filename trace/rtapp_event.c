/* SPDX-License-Identifier: Apache-2.0 */
/* trace/rtapp_event.c - one event of an rt-app task as operations of a program;
 * what each means is in doc/formats/rt-app.md. */
#include "trace/rtapp_priv.h"

#include <stdio.h>

#define US_NS INT64_C(1000)
#define LOOPS_MAX 1000000000u

static const char *const event_name[BL__EV_COUNT] = {
    "run",    "runtime", "sleep", "timer",  "suspend", "resume",  "lock",
    "unlock", "wait",    "sync",  "signal", "broad",   "barrier", "yield",
};

bl_err bl__rtapp_failed(const struct bl__rtapp *r, bl_err e, unsigned long line)
{
    return bl__tasks_failed(e, r->label, line, r->diag);
}

/* ---- values ------------------------------------------------------------- */

bl_err bl__rtapp_need_map(const struct bl__rtapp *r,
                          const struct bl__json_node *n)
{
    if (n->kind == BL__JSON_MAP)
        return BL_ERR_OK;
    return BL__BAD(r, n->line, "'%s' is no map, expected { ... }",
                   BL__QUOTE(n->key));
}

/* A value as a message shows it: '5', a list, ... */
static const char *shown(struct bl__quote *q, const struct bl__json_node *n)
{
    struct bl__quote text;

    switch (n->kind) {
    case BL__JSON_ABSENT:
        return "without a value";
    case BL__JSON_STRING:
        return "a string";
    case BL__JSON_MAP:
        return "a map";
    case BL__JSON_LIST:
        return "a list";
    case BL__JSON_WORD:
        break;
    }
    (void)snprintf(q->text, sizeof(q->text), "'%.30s'",
                   bl__quote(&text, n->text));
    return q->text;
}
#define SHOWN(n) shown(&(struct bl__quote){ "" }, n)

bl_err bl__rtapp_string(const struct bl__rtapp *r,
                        const struct bl__json_node *n, struct bl__text *out)
{
    if (n->kind != BL__JSON_STRING || n->text.size_bytes == 0)
        return BL__BAD(r, n->line, "'%s' has no name, expected a string",
                       BL__QUOTE(n->key));
    *out = n->text;
    return BL_ERR_OK;
}

bl_err bl__rtapp_number(const struct bl__rtapp *r,
                        const struct bl__json_node *n, uint64_t max,
                        uint64_t *out)
{
    if (n->kind != BL__JSON_WORD || !bl__parse_u64(n->text, max, out))
        return BL__BAD(r, n->line,
                       "'%s' is %s, expected a number from 0 to %llu",
                       BL__QUOTE(n->key), SHOWN(n), (unsigned long long)max);
    return BL_ERR_OK;
}

bl_err bl__rtapp_us(const struct bl__rtapp *r, const struct bl__json_node *n,
                    uint64_t *ns)
{
    BL_TRY(bl__rtapp_number(r, n, (uint64_t)(BL_GUEST_NS_MAX / US_NS), ns));
    *ns *= (uint64_t)US_NS;
    return BL_ERR_OK;
}

bl_err bl__rtapp_loop(const struct bl__rtapp *r, const struct bl__json_node *n,
                      uint32_t *loop)
{
    uint64_t v = 0;

    if (n->kind == BL__JSON_WORD && bl__text_is(n->text, "-1")) {
        *loop = BL__RTAPP_FOREVER;
        return BL_ERR_OK;
    }
    if (n->kind != BL__JSON_WORD || !bl__parse_u64(n->text, LOOPS_MAX, &v) ||
        v == 0)
        return BL__BAD(r, n->line,
                       "'loop' is %s, expected -1 (for ever) or 1 to %u",
                       SHOWN(n), LOOPS_MAX);
    *loop = (uint32_t)v;
    return BL_ERR_OK;
}

/* The number of a lock or condition. */
static bl_err get_object(const struct bl__rtapp *r, struct bl__names *names,
                         struct bl__text name, unsigned long line,
                         uint32_t *number)
{
    bool is_new = false;
    const bl_err e = bl__names_add(names, name, number, &is_new);

    if (e == BL_ERR_OK && *number >= BL_GUEST_OBJECTS_MAX)
        return bl_diag_set(r->diag, BL_ERR_FULL, r->label, line,
                           "'%s' is one too many, expected at most %u mutexes "
                           "and as many conditions",
                           BL__QUOTE(name), BL_GUEST_OBJECTS_MAX);
    return bl__rtapp_failed(r, e, line);
}

/* ---- operations --------------------------------------------------------- */

bl_err bl__rtapp_op(struct bl__rtapp *r, unsigned long line,
                    enum bl_op_kind kind, uint32_t object)
{
    const struct bl_op op = { .kind = kind, .object = object };

    return bl__rtapp_failed(r, bl__tasks_op(&r->tasks, &op), line);
}

bl_err bl__rtapp_time_op(struct bl__rtapp *r, struct bl__rtapp_task *t,
                         unsigned long line, struct bl_op op, uint64_t ns)
{
    op.time = (struct bl_dist){ BL_DIST_FIXED, 0, (int64_t)ns };
    if (ns == 0)
        return BL_ERR_OK;
    t->takes_time = true;
    return bl__rtapp_failed(r, bl__tasks_op(&r->tasks, &op), line);
}

static bl_err emit_lock(struct bl__rtapp *r, struct bl__rtapp_task *t,
                        const struct bl__json_node *n, bool take)
{
    struct bl__text name = { NULL, 0 };
    uint32_t number = 0;

    BL_TRY(bl__rtapp_string(r, n, &name));
    BL_TRY(get_object(r, &r->locks, name, n->line, &number));

    const uint64_t bit = UINT64_C(1) << number;

    if (((t->held & bit) != 0) == take)
        return BL__BAD(r, n->line,
                       "mutex '%s' is %s here, expected it to be %s",
                       BL__QUOTE(name), take ? "held" : "not held",
                       take ? "free" : "locked before");
    t->held ^= bit;
    return bl__rtapp_op(r, n->line, take ? BL_OP_LOCK : BL_OP_UNLOCK, number);
}

static bl_err emit_signal(struct bl__rtapp *r, struct bl__rtapp_task *t,
                          uint32_t cond, unsigned long line)
{
    const uint64_t bit = UINT64_C(1) << cond;
    void *p = r->signaller;

    if ((t->signals & bit) == 0 && t->instances > 0) {
        if (bl__reserve(&p, &r->signaller_capacity, r->signaller_count + 1,
                        sizeof(*r->signaller)) != BL_ERR_OK)
            return bl__rtapp_failed(r, BL_ERR_NOMEM, line);
        r->signaller = p;
        r->signaller[r->signaller_count++] =
            (struct bl__rtapp_signaller){ line, cond, 0 };
        t->signals |= bit;
    }
    return bl__rtapp_op(r, line, BL_OP_RESUME, cond);
}

/* { "ref" : CONDITION, "mutex" : MUTEX }, the mutex being held. */
static bl_err emit_wait(struct bl__rtapp *r, struct bl__rtapp_task *t,
                        const struct bl__json_node *n, bool signal_first)
{
    struct bl__text ref = { NULL, 0 }, mutex = { NULL, 0 };
    uint32_t cond = 0, lock = 0;

    BL_TRY(bl__rtapp_need_map(r, n));
    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        if (bl__text_is(child->key, "ref"))
            BL_TRY(bl__rtapp_string(r, child, &ref));
        else if (bl__text_is(child->key, "mutex"))
            BL_TRY(bl__rtapp_string(r, child, &mutex));
        else
            return BL__BAD(r, child->line,
                           "unknown key '%s', expected ref, mutex",
                           BL__QUOTE(child->key));
    }
    if (ref.p == NULL || mutex.p == NULL)
        return BL__BAD(r, n->line, "'%s' lacks %s, expected ref and mutex",
                       BL__QUOTE(n->key), ref.p == NULL ? "ref" : "mutex");
    BL_TRY(get_object(r, &r->conds, ref, n->line, &cond));
    BL_TRY(get_object(r, &r->locks, mutex, n->line, &lock));
    if ((t->held & UINT64_C(1) << lock) == 0)
        return BL__BAD(r, n->line,
                       "mutex '%s' is not held here, expected it to be locked "
                       "before",
                       BL__QUOTE(mutex));
    if (signal_first)
        BL_TRY(emit_signal(r, t, cond, n->line));
    t->waits |= UINT64_C(1) << cond;
    t->takes_time = true;
    BL_TRY(bl__rtapp_op(r, n->line, BL_OP_UNLOCK, lock));
    BL_TRY(bl__rtapp_op(r, n->line, BL_OP_SUSPEND, cond));
    return bl__rtapp_op(r, n->line, BL_OP_LOCK, lock);
}

/* suspend, resume, signal, broad: the name of a condition; suspend alone waits
 * for the one called like the task. */
static bl_err emit_condition(struct bl__rtapp *r, struct bl__rtapp_task *t,
                             const struct bl__json_node *n,
                             enum bl__rtapp_event ev)
{
    struct bl__text name = t->name;
    uint32_t cond = 0;

    if (ev != BL__EV_SUSPEND || n->kind != BL__JSON_ABSENT)
        BL_TRY(bl__rtapp_string(r, n, &name));
    BL_TRY(get_object(r, &r->conds, name, n->line, &cond));
    if (ev == BL__EV_SIGNAL)
        return emit_signal(r, t, cond, n->line);
    if (ev != BL__EV_SUSPEND)
        return bl__rtapp_op(r, n->line, BL_OP_RESUME, cond);
    t->waits |= UINT64_C(1) << cond;
    t->takes_time = true;
    return bl__rtapp_op(r, n->line, BL_OP_SUSPEND, cond);
}

/* A timer of a name belongs to the first task that uses it. */
static bl_err own_timer(struct bl__rtapp *r, struct bl__rtapp_task *t,
                        const struct bl__json_node *n, struct bl__text ref)
{
    uint32_t number = 0;
    bool is_new = false;
    void *p = r->timer_task;

    if (bl__text_is(ref, "unique"))
        ref.size_bytes = 0;
    if (t->has_timer && (t->timer.size_bytes != ref.size_bytes ||
                         memcmp(t->timer.p, ref.p, ref.size_bytes) != 0))
        return BL__BAD(r, n->line, "a second timer in task '%s', expected one",
                       BL__QUOTE(t->name));
    t->has_timer = true;
    t->timer = ref;
    if (ref.size_bytes == 0)
        return BL_ERR_OK;
    BL_TRY(bl__rtapp_failed(r, bl__names_add(&r->timers, ref, &number, &is_new),
                            n->line));
    if (is_new) {
        if (bl__reserve(&p, &r->timer_capacity, r->timers.count,
                        sizeof(*r->timer_task)) != BL_ERR_OK)
            return bl__rtapp_failed(r, BL_ERR_NOMEM, n->line);
        r->timer_task = p;
        r->timer_task[number] = t->number;
    }
    if (r->timer_task[number] != t->number || t->instances > 1)
        return BL__BAD(r, n->line,
                       "timer '%s' is shared by tasks, expected one for each "
                       "(\"ref\" : \"unique\")",
                       BL__QUOTE(ref));
    return BL_ERR_OK;
}

static bl_err emit_timer(struct bl__rtapp *r, struct bl__rtapp_task *t,
                         const struct bl__json_node *n)
{
    struct bl_op op = { .kind = BL_OP_TIMER, .count = 1 };
    struct bl__text ref = { NULL, 0 }, mode = { "relative", 8 };
    uint64_t period_ns = UINT64_MAX;

    BL_TRY(bl__rtapp_need_map(r, n));
    for (const struct bl__json_node *child = bl__json_first(r->json, n);
         child != NULL; child = bl__json_next(r->json, child)) {
        if (bl__text_is(child->key, "ref"))
            BL_TRY(bl__rtapp_string(r, child, &ref));
        else if (bl__text_is(child->key, "mode"))
            BL_TRY(bl__rtapp_string(r, child, &mode));
        else if (bl__text_is(child->key, "period"))
            BL_TRY(bl__rtapp_us(r, child, &period_ns));
        else
            return BL__BAD(r, child->line,
                           "unknown key '%s', expected ref, period, mode",
                           BL__QUOTE(child->key));
    }
    if (ref.p == NULL || period_ns == UINT64_MAX)
        return BL__BAD(r, n->line, "'%s' lacks %s, expected ref and period",
                       BL__QUOTE(n->key), ref.p == NULL ? "ref" : "period");
    if (bl__text_is(mode, "absolute"))
        op.count = 0;
    else if (!bl__text_is(mode, "relative"))
        return BL__BAD(r, n->line, "mode '%s', expected relative or absolute",
                       BL__QUOTE(mode));
    BL_TRY(own_timer(r, t, n, ref));
    return bl__rtapp_time_op(r, t, n->line, op, period_ns);
}

static bl_err emit_work(struct bl__rtapp *r, struct bl__rtapp_task *t,
                        const struct bl__json_node *n)
{
    uint64_t ns = 0;

    BL_TRY(bl__rtapp_us(r, n, &ns));
    if (ns > (uint64_t)BL_GUEST_NS_MAX - t->phase_ns)
        return BL__BAD(r, n->line,
                       "more than 11 days of work in one pass, expected less");
    t->phase_ns += ns;
    return bl__rtapp_time_op(r, t, n->line, (struct bl_op){ .kind = BL_OP_RUN },
                             ns);
}

static bl_err emit_barrier(struct bl__rtapp *r, struct bl__rtapp_task *t,
                           const struct bl__json_node *n)
{
    struct bl__text name = { NULL, 0 };

    BL_TRY(bl__rtapp_string(r, n, &name));
    bl_hash_u64(&t->barriers, name.size_bytes);
    bl_hash_bytes(&t->barriers, name.p, name.size_bytes);
    t->has_barrier = true;
    t->takes_time = true;
    return bl__rtapp_op(r, n->line, BL_OP_BARRIER, 0);
}

bl_err bl__rtapp_event(struct bl__rtapp *r, struct bl__rtapp_task *t,
                       const struct bl__json_node *n, enum bl__rtapp_event ev)
{
    uint64_t ns = 0;

    switch (ev) {
    case BL__EV_RUN:
    case BL__EV_RUNTIME:
        return emit_work(r, t, n);
    case BL__EV_SLEEP:
        BL_TRY(bl__rtapp_us(r, n, &ns));
        return bl__rtapp_time_op(r, t, n->line,
                                 (struct bl_op){ .kind = BL_OP_SLEEP }, ns);
    case BL__EV_TIMER:
        return emit_timer(r, t, n);
    case BL__EV_LOCK:
    case BL__EV_UNLOCK:
        return emit_lock(r, t, n, ev == BL__EV_LOCK);
    case BL__EV_WAIT:
    case BL__EV_SYNC:
        return emit_wait(r, t, n, ev == BL__EV_SYNC);
    case BL__EV_SUSPEND:
    case BL__EV_RESUME:
    case BL__EV_SIGNAL:
    case BL__EV_BROAD:
        return emit_condition(r, t, n, ev);
    case BL__EV_BARRIER:
        return emit_barrier(r, t, n);
    case BL__EV_YIELD: /* to nobody: the vCPU has one task */
    case BL__EV_COUNT:
        break;
    }
    return BL_ERR_OK;
}

/* rt-app numbers events that a strict parser would merge: run1, run2. */
enum bl__rtapp_event bl__rtapp_event_of(struct bl__text key)
{
    while (key.size_bytes > 0 && key.p[key.size_bytes - 1] >= '0' &&
           key.p[key.size_bytes - 1] <= '9')
        key.size_bytes--;
    for (int ev = 0; ev < BL__EV_COUNT; ev++)
        if (bl__text_is(key, event_name[ev]))
            return (enum bl__rtapp_event)ev;
    return BL__EV_COUNT;
}
