/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_switches - tasks of a sched_switch capture as programs.
 *
 * Source     the kernel's events sched_switch, sched_waking and sched_wakeup,
 *            as CSV made from an LTTng trace or as text of `trace-cmd report`
 *            (its lines are taken apart in switches_text.c).
 * Idea       what a task did by itself is how long it computed and how long it
 *            slept; when it had to wait for a CPU is what a simulator finds
 *            out. So a program has RUN for a burst and SLEEP from its end to
 *            the wake-up behind it. A task that was preempted (it leaves the
 *            CPU still runnable) goes on with the same burst.
 * Bound      CPU time is conserved: bursts and idle time add up to CPUs times
 *            span (test_tasks_switches adds them up in another way).
 * Deviation  without wake-up events a wake-up is taken to be when the task is
 *            switched in. A task that runs on a CPU when the capture begins is
 *            taken to have begun there and then; one first seen later slept
 *            until then. What woke whom is not followed: sleeps have the length
 *            that they had. A unit of work is a burst.
 * Cost       linear in the file, and sorting the tasks.
 */
#include "trace/switches_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CPUS_MAX = 4096,
    THREADS_MAX = 1 << 20,
    COMM_BYTES = 32,
    CSV_FIELDS = 10,
};

#define CAPTURE "a capture (LTTng CSV or text of trace-cmd report)"
#define NOBODY UINT32_MAX
#define IDLE (UINT32_MAX - 1)
#define STEPS_MAX BL_TASK_OPS_MAX

enum state {
    RUNNING,    /* since */
    READY,      /* preempted, or woken */
    ASLEEP,     /* since */
    FIRST_WOKEN /* at since; not known what it did before */
};

struct thread {
    uint32_t pid;
    enum state state;
    char comm[COMM_BYTES];
    uint64_t since_ns;
    uint64_t burst_ns; /* so far */
    uint64_t work_ns;
    uint32_t step_count;
};

/* A burst or a sleep, in the order in which they became known. */
struct step {
    uint32_t thread;
    bool is_run;
    uint64_t ns;
};

struct reader {
    struct bl__input *in;
    struct bl_diag *diag;
    struct bl__names pids; /* the key of a thread is its pid, as bytes */
    struct thread *thread; /* [pids.count] */
    struct step *step;
    size_t thread_capacity, step_capacity, step_count;
    uint32_t current[CPUS_MAX]; /* thread, IDLE, or NOBODY: not known */
    bool any;                   /* an event so far */
    uint64_t first_ns, now_ns;  /* now_ns: after the first event */
    struct bl_task_set set;
};

struct party {
    struct bl__text comm;
    uint32_t pid;
};

struct record {
    uint64_t t_ns;
    uint32_t cpu;
    bool still_runnable;
    struct party prev, next; /* of a wake-up: next */
};

static bl_err bad(const struct reader *r, const char *what, struct bl__text t,
                  const char *expected)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in), "%s '%s', expected %s",
                       what, bl__quote(&(struct bl__quote){ "" }, t), expected);
}

static bl_err failed(const struct reader *r, bl_err e)
{
    return bl__tasks_failed(e, bl__input_label(r->in),
                            bl__input_line_number(r->in), r->diag);
}

/* ---- what happened ------------------------------------------------------ */

static bl_err add_step(struct reader *r, uint32_t thread, bool is_run,
                       uint64_t ns)
{
    void *p = r->step;

    if (ns == 0)
        return BL_ERR_OK;
    if (r->step_count == STEPS_MAX)
        return failed(r, BL_ERR_FULL);
    BL_TRY(failed(r, bl__reserve(&p, &r->step_capacity, r->step_count + 1,
                                 sizeof(*r->step))));
    r->step = p;
    r->step[r->step_count++] = (struct step){ thread, is_run, ns };
    r->thread[thread].step_count++;
    return BL_ERR_OK;
}

/* The thread of @who, and whether it was not known so far. Its name is the
 * latest: exec changes it. */
static bl_err find_thread(struct reader *r, const struct party *who,
                          uint32_t *thread, bool *is_new)
{
    const struct bl__text key = { (const char *)&who->pid, sizeof(who->pid) };
    const size_t n = who->comm.size_bytes < COMM_BYTES ? who->comm.size_bytes
                                                       : COMM_BYTES - 1;
    void *p = r->thread;

    BL_TRY(failed(r, bl__names_add(&r->pids, key, thread, is_new)));
    if (*thread >= THREADS_MAX)
        return bl_diag_set(r->diag, BL_ERR_FULL, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "more than %d tasks in one capture", THREADS_MAX);
    BL_TRY(failed(r, bl__reserve(&p, &r->thread_capacity, r->pids.count,
                                 sizeof(*r->thread))));
    r->thread = p;
    if (*is_new)
        r->thread[*thread] = (struct thread){ .pid = who->pid };
    memcpy(r->thread[*thread].comm, who->comm.p, n);
    r->thread[*thread].comm[n] = '\0';
    return BL_ERR_OK;
}

static bl_err end_burst(struct reader *r, uint32_t thread)
{
    const uint64_t ns = r->thread[thread].burst_ns;

    r->thread[thread].burst_ns = 0;
    return add_step(r, thread, true, ns);
}

static void add_work(struct thread *t, uint64_t ns)
{
    t->burst_ns += ns;
    t->work_ns += ns;
}

static bl_err lost(const struct reader *r, const struct record *e,
                   const struct party *who, const char *why)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in),
                       "task %u on CPU %u %s; expected every switch, but "
                       "events were lost",
                       who->pid, e->cpu, why);
}

static bl_err leave(struct reader *r, const struct record *e)
{
    const uint32_t current = r->current[e->cpu];
    const uint32_t idle = e->prev.pid == 0 ? IDLE : NOBODY;
    struct thread *t;
    uint32_t thread = 0;
    bool is_new = false;

    if (idle == IDLE || current == IDLE) {
        if (current != NOBODY && current != idle)
            return lost(r, e, &e->prev, "did not run there");
        return BL_ERR_OK;
    }
    BL_TRY(find_thread(r, &e->prev, &thread, &is_new));
    t = &r->thread[thread];
    if (current != NOBODY && current != thread)
        return lost(r, e, &e->prev, "did not run there");
    if (current == NOBODY) {
        if (!is_new && t->state != FIRST_WOKEN)
            return lost(r, e, &e->prev, "did not run");
        t->since_ns = 0; /* it has run since before the capture */
    }
    add_work(t, r->now_ns - t->since_ns);
    t->since_ns = r->now_ns;
    t->state = e->still_runnable ? READY : ASLEEP;
    return e->still_runnable ? BL_ERR_OK : end_burst(r, thread);
}

static bl_err enter(struct reader *r, const struct record *e)
{
    struct thread *t;
    uint32_t thread = 0;
    bool is_new = false;

    r->current[e->cpu] = IDLE;
    if (e->next.pid == 0)
        return BL_ERR_OK;
    BL_TRY(find_thread(r, &e->next, &thread, &is_new));
    t = &r->thread[thread];
    if (!is_new && t->state == RUNNING)
        return lost(r, e, &e->next, "runs on another CPU already");
    if (is_new)
        BL_TRY(add_step(r, thread, false, r->now_ns));
    else if (t->state == FIRST_WOKEN)
        BL_TRY(add_step(r, thread, false, t->since_ns));
    else if (t->state == ASLEEP)
        BL_TRY(add_step(r, thread, false, r->now_ns - t->since_ns));
    t->state = RUNNING;
    t->since_ns = r->now_ns;
    r->current[e->cpu] = thread;
    return BL_ERR_OK;
}

static bl_err wake(struct reader *r, const struct record *e)
{
    struct thread *t;
    uint32_t thread = 0;
    bool is_new = false;

    r->set.wake_count++;
    if (e->next.pid == 0)
        return BL_ERR_OK;
    BL_TRY(find_thread(r, &e->next, &thread, &is_new));
    t = &r->thread[thread];
    if (is_new) {
        t->state = FIRST_WOKEN;
        t->since_ns = r->now_ns;
    } else if (t->state == ASLEEP) {
        t->state = READY;
        return add_step(r, thread, false, r->now_ns - t->since_ns);
    }
    return BL_ERR_OK;
}

static bl_err take_time(struct reader *r, const struct record *e,
                        struct bl__text text)
{
    if (!r->any) {
        r->any = true;
        r->first_ns = e->t_ns;
    }
    if (e->t_ns < r->first_ns + r->now_ns)
        return bad(r, "time", text, "one not before the event above");
    if (e->t_ns - r->first_ns > (uint64_t)BL_GUEST_NS_MAX)
        return bad(r, "time", text, "at most 11 days of capture");
    r->now_ns = e->t_ns - r->first_ns;
    if (e->cpu >= r->set.cpu_count)
        r->set.cpu_count = e->cpu + 1;
    return BL_ERR_OK;
}

static bl_err take_switch(struct reader *r, const struct record *e)
{
    r->set.switch_count++;
    BL_TRY(leave(r, e));
    return enter(r, e);
}

/* Who runs, or has work left to do, when the capture ends. */
static bl_err end_all(struct reader *r)
{
    for (uint32_t i = 0; i < r->pids.count; i++) {
        if (r->thread[i].state == RUNNING)
            add_work(&r->thread[i], r->now_ns - r->thread[i].since_ns);
        BL_TRY(end_burst(r, i));
    }
    return BL_ERR_OK;
}

/* ---- CSV from LTTng ----------------------------------------------------- */

static const char csv_head[] =
    "t_ns,cpu,event,prev_comm,prev_tid,prev_prio,"
    "prev_state,next_comm,next_tid,next_prio";

enum csv {
    T_NS,
    CPU,
    EVENT,
    PREV_COMM,
    PREV_TID,
    PREV_PRIO,
    PREV_STATE,
    NEXT_COMM,
    NEXT_TID,
};

static bl_err get_party(const struct reader *r, struct bl__text comm,
                        struct bl__text pid, struct party *out)
{
    uint64_t v = 0;

    if (!bl__parse_u64(pid, INT32_MAX, &v))
        return bad(r, "task", pid, "a pid");
    if (!bl__name_ok(comm))
        return bad(r, "task name", comm, "UTF-8 text, at least one character");
    *out = (struct party){ comm, (uint32_t)v };
    return BL_ERR_OK;
}

static bl_err csv_switch(struct reader *r, const struct bl__text *field,
                         struct record *e)
{
    uint64_t state = 0;

    BL_TRY(get_party(r, field[PREV_COMM], field[PREV_TID], &e->prev));
    BL_TRY(get_party(r, field[NEXT_COMM], field[NEXT_TID], &e->next));
    if (!bl__parse_u64(field[PREV_STATE], UINT32_MAX, &state))
        return bad(r, "state", field[PREV_STATE], "a number");
    e->still_runnable = (state & BL__STATE_MASK) == 0;
    return take_switch(r, e);
}

static bl_err csv_line(struct reader *r, struct bl__text line)
{
    struct bl__text field[CSV_FIELDS];
    struct record e = { 0 };
    uint64_t cpu;

    for (int i = 0; i < CSV_FIELDS; i++) {
        const char *begin = line.p;

        field[i] = bl__cut(&line, ',');
        if ((i < CSV_FIELDS - 1) == (line.p == begin + field[i].size_bytes))
            return bad(r, "line beginning", field[0], "10 fields");
    }
    if (!bl__parse_u64(field[T_NS], INT64_MAX, &e.t_ns))
        return bad(r, "time", field[T_NS], "ns");
    if (!bl__parse_u64(field[CPU], CPUS_MAX - 1, &cpu))
        return bad(r, "cpu", field[CPU], "0 to 4095");
    e.cpu = (uint32_t)cpu;
    BL_TRY(take_time(r, &e, field[T_NS]));
    if (bl__text_is(field[EVENT], "switch"))
        return csv_switch(r, field, &e);
    if (bl__text_is(field[EVENT], "waking") ||
        bl__text_is(field[EVENT], "wakeup") ||
        bl__text_is(field[EVENT], "wakeup_new")) {
        BL_TRY(get_party(r, field[NEXT_COMM], field[NEXT_TID], &e.next));
        return wake(r, &e);
    }
    r->set.skipped_count++;
    return BL_ERR_OK;
}

/* ---- text of trace-cmd report ------------------------------------------- */

static bl_err text_fault(const struct reader *r,
                         const struct bl__report_fault *f)
{
    return bad(r, f->what, f->text, f->expected);
}

static bl_err text_switch(struct reader *r, const struct bl__report_line *l,
                          struct record *e)
{
    struct bl__report_switch w;
    struct bl__report_fault f;

    if (!bl__report_switch(l->what, &w, &f))
        return text_fault(r, &f);
    BL_TRY(get_party(r, w.prev.comm, w.prev.pid, &e->prev));
    BL_TRY(get_party(r, w.next.comm, w.next.pid, &e->next));
    if (e->prev.pid != l->pid)
        return bad(r, "switch", l->what, "the task that the line begins with");
    e->still_runnable = w.still_runnable;
    return take_switch(r, e);
}

static bl_err text_wake(struct reader *r, const struct bl__report_line *l,
                        struct record *e)
{
    struct bl__report_task who;
    struct bl__report_fault f;

    if (!bl__report_wake(l->what, &who, &f))
        return text_fault(r, &f);
    BL_TRY(get_party(r, who.comm, who.pid, &e->next));
    return wake(r, e);
}

static bl_err text_event(struct reader *r, const struct bl__report_line *l,
                         struct bl__text line)
{
    struct record e = { .t_ns = l->t_ns };

    if (l->cpu >= r->set.cpu_count)
        return bad(r, "line", line, "a CPU of those of cpus=");
    e.cpu = (uint32_t)l->cpu;
    BL_TRY(take_time(r, &e, l->time));
    if (bl__text_is(l->event, "sched_switch"))
        return text_switch(r, l, &e);
    if (bl__text_is(l->event, "sched_waking") ||
        bl__text_is(l->event, "sched_wakeup") ||
        bl__text_is(l->event, "sched_wakeup_new"))
        return text_wake(r, l, &e);
    r->set.skipped_count++;
    return BL_ERR_OK;
}

static bl_err text_record(struct reader *r, struct bl__text line)
{
    struct bl__report_line l;

    switch (bl__report_line(line, &l)) {
    case BL__REPORT_EVENT:
        return text_event(r, &l, bl__report_trim(line));
    case BL__REPORT_TEXT:
        break;
    case BL__REPORT_LOST:
        return bad(r, "line", bl__report_trim(line),
                   "every switch, but events were lost");
    case BL__REPORT_BROKEN:
        return bad(r, "line", bl__report_trim(line),
                   "COMM-PID [CPU] SECONDS: EVENT: ...");
    }
    r->set.skipped_count++; /* text of another event goes on */
    return BL_ERR_OK;
}

/* ---- programs ----------------------------------------------------------- */

/* A task of the result, for sorting. */
struct rank {
    uint64_t work_ns;
    uint32_t pid, thread;
};

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;

    if (x->work_ns != y->work_ns)
        return x->work_ns > y->work_ns ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* @order[first[i]] and on: the steps of thread i. */
static void sort_steps(const struct reader *r, uint32_t *first, uint32_t *order)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < r->pids.count; i++) {
        first[i] = at;
        at += r->thread[i].step_count;
    }
    for (uint32_t s = 0; s < r->step_count; s++)
        order[first[r->step[s].thread]++] = s;
    for (uint32_t i = 0; i < r->pids.count; i++)
        first[i] -= r->thread[i].step_count;
}

static bl_err make_task(const struct reader *r, struct bl__tasks *b,
                        uint32_t thread, const uint32_t *order)
{
    const struct thread *t = &r->thread[thread];
    const uint64_t op_first = b->op_count;
    uint32_t count = t->step_count;
    struct bl_task task = { .work_ns = (int64_t)t->work_ns };
    char name[COMM_BYTES + 16];

    while (!r->step[order[count - 1]].is_run)
        count--; /* a last wake-up that led to nothing */
    for (uint32_t i = 0; i < count; i++) {
        const struct step *s = &r->step[order[i]];
        const struct bl_op unit = { .kind = BL_OP_UNIT };
        const struct bl_op op = {
            .kind = s->is_run ? BL_OP_RUN : BL_OP_SLEEP,
            .time = { BL_DIST_FIXED, 0, (int64_t)s->ns },
        };

        BL_TRY(bl__tasks_op(b, &op));
        if (s->is_run)
            BL_TRY(bl__tasks_op(b, &unit));
    }
    BL_TRY(bl__tasks_op(b, &(struct bl_op){ .kind = BL_OP_END }));
    snprintf(name, sizeof(name), "%s-%u", t->comm, t->pid);
    bl__name_make(task.name, (struct bl__text){ name, strlen(name) }, 1);
    return bl__tasks_task(b, &task, op_first);
}

/* @rank has room for a thread each, @first likewise, @order for a step each. */
static bl_err make_tasks(struct reader *r, uint32_t task_count_max,
                         struct rank *rank, uint32_t *first, uint32_t *order,
                         struct bl__tasks *b)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->pids.count; i++)
        if (r->thread[i].work_ns > 0)
            rank[count++] =
                (struct rank){ r->thread[i].work_ns, r->thread[i].pid, i };
    if (count > 0)
        qsort(rank, count, sizeof(*rank), compare_ranks);
    sort_steps(r, first, order);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t thread = rank[i].thread;

        if (i < task_count_max) {
            BL_TRY(make_task(r, b, thread, order + first[thread]));
            continue;
        }
        r->set.left_out_count++;
        r->set.left_out_work_ns += (int64_t)rank[i].work_ns;
    }
    return BL_ERR_OK;
}

static bl_err finish(struct reader *r, uint32_t task_count_max,
                     struct bl_arena *a, struct bl_task_set *out)
{
    struct rank *rank = bl__alloc(r->pids.count + 1, sizeof(*rank));
    uint32_t *first = bl__alloc(r->pids.count + 1, sizeof(*first));
    uint32_t *order = bl__alloc(r->step_count + 1, sizeof(*order));
    struct bl__tasks tasks = { 0 };
    bl_err e = BL_ERR_NOMEM;

    if (rank != NULL && first != NULL && order != NULL)
        e = make_tasks(r, task_count_max, rank, first, order, &tasks);
    if (e == BL_ERR_OK && tasks.task_count == 0)
        e = bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in), 0,
                        "no task ran in it, expected sched_switch events");
    else if (e == BL_ERR_OK)
        e = bl__tasks_finish(&tasks, a, &r->set);
    if (e != BL_ERR_PARSE)
        e = failed(r, e);
    if (e == BL_ERR_OK)
        *out = r->set;
    bl__tasks_free(&tasks);
    free(rank);
    free(first);
    free(order);
    return e;
}

/* ---- the file ----------------------------------------------------------- */

/* "cpus=N", the first line of a report or the one behind its version. */
static bl_err read_cpus(struct reader *r, struct bl__text line)
{
    uint64_t v = 0;

    if (line.size_bytes < 6 || memcmp(line.p, "cpus=", 5) != 0)
        return bad(r, "first line", line,
                   "t_ns,cpu,event,... of an LTTng CSV, or cpus=N of a "
                   "trace-cmd report");
    line.p += 5;
    line.size_bytes -= 5;
    if (!bl__parse_u64(line, CPUS_MAX, &v) || v == 0)
        return bad(r, "cpus=", line, "1 to 4096");
    r->set.cpu_count = (uint32_t)v;
    return BL_ERR_OK;
}

static bl_err read_head(struct reader *r, bool *is_csv)
{
    static const char version[] = "version = ";
    struct bl__text line = { "", 0 };
    bl_err e = bl__input_line(r->in, &line, r->diag);

    if (e != BL_ERR_OK && e != BL_ERR_END)
        return e;
    *is_csv = bl__text_is(line, csv_head);
    if (*is_csv) {
        memcpy(r->set.format, "lttng-csv", sizeof("lttng-csv"));
        return BL_ERR_OK;
    }
    memcpy(r->set.format, "trace-cmd", sizeof("trace-cmd"));
    if (line.size_bytes >= sizeof(version) - 1 &&
        memcmp(line.p, version, sizeof(version) - 1) == 0) {
        line = (struct bl__text){ "", 0 };
        e = bl__input_line(r->in, &line, r->diag);
        if (e != BL_ERR_OK && e != BL_ERR_END)
            return e;
    }
    return read_cpus(r, line);
}

static bl_err read_all(struct reader *r, const struct bl_switches_opts *opts,
                       struct bl_arena *a, struct bl_task_set *out)
{
    struct bl__text line;
    bool is_csv = false;
    bl_err e;

    BL_TRY(read_head(r, &is_csv));
    while ((e = bl__input_line(r->in, &line, r->diag)) == BL_ERR_OK)
        BL_TRY(is_csv ? csv_line(r, line) : text_record(r, line));
    if (e != BL_ERR_END)
        return e;
    BL_TRY(end_all(r));
    r->set.span_ns = (int64_t)r->now_ns;
    return finish(r, opts->task_count_max, a, out);
}

bl_err bl_tasks_read_switches(const char *path,
                              const struct bl_switches_opts *opts,
                              struct bl_arena *a, struct bl_task_set *out,
                              struct bl_diag *diag)
{
    struct reader *r;
    bl_err e;

    BL_ASSERT(opts->task_count_max >= 1);
    BL_ASSERT(opts->task_count_max <= BL_TASKS_MAX);
    r = bl__alloc(1, sizeof(*r));
    if (r == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    r->diag = diag;
    for (int i = 0; i < CPUS_MAX; i++)
        r->current[i] = NOBODY;
    bl__names_init(&r->pids);
    e = bl__input_open_as(path, CAPTURE, &r->in, diag);
    if (e == BL_ERR_OK && bl__input_kind(r->in) != BL__INPUT_STREAM)
        e = bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in), 0,
                        "is a folder or an archive, expected " CAPTURE);
    else if (e == BL_ERR_OK)
        e = read_all(r, opts, a, out);
    bl__input_close(r->in);
    bl__names_free(&r->pids);
    free(r->thread);
    free(r->step);
    free(r);
    return e;
}
