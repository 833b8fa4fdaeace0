/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fifo - first in, first out.
 *
 * Source     the obvious thing: one line for all pCPUs, one quantum for all.
 * Idea       whoever became runnable or used up its quantum joins the end of
 *            the line; a pCPU takes the first one in it that it may run.
 * Bound      nobody waits longer than (vCPUs ahead / pCPUs + 1) quanta and as
 *            many switches, in mode none (test_sched_policies). A mode that
 *            sends vCPUs past the line, or drives one away at the instant it
 *            was chosen, may keep one waiting for ever: the line does not know
 *            who has had what.
 * Deviation  none. No shares, no reservations, no wake-up preemption; limits
 *            and affinity hold, because they are the core's business.
 * Cost       O(1); O(waiting) where vCPUs are pinned.
 */
#include "sched/place.h"

enum { QUANTUM };

static const struct bl_param params[] = {
    { .name = "quantum",
      .dim = BL_DIM_TIME,
      .min = BL__SLICE_NS_MIN,
      .max = BL__SLICE_NS_MAX,
      .def = 10000000,
      .meaning = "time on a pCPU before the next one's turn" },
};

struct fifo {
    uint32_t head, tail, count; /* BL_NO_VCPU: empty */
};

static struct fifo *line_of(const struct bl_sched *s)
{
    return s->policy_state;
}

static bl_err fifo_create(struct bl_sched *s, struct bl_arena *a)
{
    struct fifo *f = bl_arena_get(a, 1, sizeof(*f));

    if (f == NULL)
        return BL_ERR_NOMEM;
    *f = (struct fifo){ BL_NO_VCPU, BL_NO_VCPU, 0 };
    s->policy_state = f;
    return BL_ERR_OK;
}

static void append(struct bl_sched *s, uint32_t v)
{
    struct fifo *f = line_of(s);
    struct bl__vcpu *x = &s->vcpu[v];

    x->next = BL_NO_VCPU;
    x->prev = f->tail;
    if (f->tail != BL_NO_VCPU)
        s->vcpu[f->tail].next = v;
    else
        f->head = v;
    f->tail = v;
    f->count++;
}

static void fifo_dequeue(struct bl_sched *s, uint32_t v)
{
    struct fifo *f = line_of(s);
    const struct bl__vcpu *x = &s->vcpu[v];

    if (x->prev != BL_NO_VCPU)
        s->vcpu[x->prev].next = x->next;
    else
        f->head = x->next;
    if (x->next != BL_NO_VCPU)
        s->vcpu[x->next].prev = x->prev;
    else
        f->tail = x->prev;
    f->count--;
}

static void fifo_enqueue(struct bl_sched *s, uint32_t v)
{
    const uint32_t last = s->vcpu[v].last;
    const uint32_t near = last != BL_NO_PCPU ? last : bl__place_any(s, v);
    const uint32_t p = bl__place_idle(s, v, near);

    append(s, v);
    if (p != BL_NO_PCPU)
        bl__claim_idle(s, p);
}

static uint32_t fifo_pick(struct bl_sched *s, uint32_t p)
{
    uint32_t v = line_of(s)->head;

    while (v != BL_NO_VCPU && !bl__may_run(s, v, p))
        v = s->vcpu[v].next;
    if (v != BL_NO_VCPU)
        fifo_dequeue(s, v);
    return v;
}

static void fifo_take(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    fifo_dequeue(s, v);
}

static void fifo_account(struct bl_sched *s, uint32_t p, uint32_t v, int64_t ns)
{
    (void)p;
    s->vcpu[v].used_ns += ns;
}

static void fifo_stop(struct bl_sched *s, uint32_t p, uint32_t v, bool again)
{
    (void)p;
    s->vcpu[v].used_ns = 0;
    if (again)
        append(s, v);
}

static int64_t fifo_slice(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    (void)v;
    return bl__param(&s->policy_params, QUANTUM);
}

static void fifo_reweight(struct bl_sched *s, uint32_t v, uint64_t weight)
{
    s->vcpu[v].weight = weight;
}

static void fifo_check(const struct bl_sched *s)
{
    const struct fifo *f = line_of(s);
    uint32_t n = 0, ready = 0, before = BL_NO_VCPU;

    for (uint32_t v = f->head; v != BL_NO_VCPU; v = s->vcpu[v].next) {
        BL_ASSERT(s->vcpu[v].state == BL_VCPU_READY);
        BL_ASSERT(s->vcpu[v].prev == before);
        before = v;
        n++;
    }
    BL_ASSERT(f->tail == before);
    BL_ASSERT(n == f->count);
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        ready += s->vcpu[v].state == BL_VCPU_READY;
    BL_ASSERT(n == ready);
}

const struct bl__policy bl__policy_fifo = {
    .info = { .name = "fifo",
              .summary = "reference: one line for all, one quantum each",
              .source = "the obvious thing",
              .params = params,
              .param_count = 1 },
    .conserving = true,
    .create = fifo_create,
    .enqueue = fifo_enqueue,
    .dequeue = fifo_dequeue,
    .pick = fifo_pick,
    .take = fifo_take,
    .account = fifo_account,
    .stop = fifo_stop,
    .slice = fifo_slice,
    .reweight = fifo_reweight,
    .check = fifo_check,
};
