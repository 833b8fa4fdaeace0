/* SPDX-License-Identifier: Apache-2.0 */
/* sched/fair.c - queues in virtual time, one for each pCPU, and how vCPUs go in
 * and out of them. The cards are in policy_fair.c and policy_balance.c. */
#include "sched/fair.h"

bl_err bl__fair_create(struct bl_sched *s, struct bl_arena *a, bool common)
{
    const uint32_t n = s->topo->pcpu_count;
    struct bl__fair *f = bl_arena_get(a, 1, sizeof(*f));

    if (f == NULL)
        return BL_ERR_NOMEM;
    f->queue = bl_arena_get(a, n, sizeof(*f->queue));
    if (f->queue == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t p = 0; p < n; p++)
        bl__eevdf_init(&f->queue[p], common ? &f->host : NULL);
    f->common = common;
    s->policy_state = f;
    return bl__drift_create(a, n, &f->drift);
}

static void changed(struct bl_sched *s, uint32_t p)
{
    struct bl__fair *f = bl__fair_of(s);

    bl__drift_update(s, &f->drift, p, &f->queue[p]);
}

/* ---- joining ------------------------------------------------------------ */

/* Whoever halts after short bursts asks for short requests: an earlier
 * deadline, for no more service. */
static int64_t request_ns(const struct bl_sched *s, const struct bl__vcpu *x)
{
    const int64_t most = bl__param(&s->policy_params, BL__FAIR_SLICE);
    const int64_t least = bl__param(&s->policy_params, BL__FAIR_SLICE_MIN);
    const int64_t want = x->burst_ns + x->burst_ns / 4;

    if (x->burst_ns == 0 || want >= most || least >= most)
        return most;
    return want > least ? want : least;
}

static bool is_protected(const struct bl_sched *s, uint32_t p)
{
    return s->pcpu[p].protect_ns > s->now_ns;
}

/* @v waits in the queue of @p: does that change what should run there? */
static void tell(struct bl_sched *s, uint32_t p, uint32_t v)
{
    if (bl__is_idle(s, p))
        bl__claim_idle(s, p);
    else if (s->pcpu[p].curr != BL_NO_VCPU && !is_protected(s, p) &&
             bl__eevdf_preempts(s, bl__fair_queue(s, p), v))
        bl__kick(s, p, BL_SCHED_PREEMPTED);
}

/* A pCPU idles and nobody waits, but one that is on its way: everybody has all
 * that it asks for, as in the fluid schedule, so nobody is behind or ahead. */
static bool has_room(const struct bl_sched *s)
{
    return s->idle_count > 0 && s->in_state[BL_VCPU_READY] <= 1 &&
           s->in_state[BL_VCPU_COSTOP] == 0;
}

/* Who wakes continues where its VM is: a VM's shares are its own, whichever of
 * its vCPUs use them. Were it where the vCPU itself was, a VM could run ahead
 * with some and sleep it off while the others have all of its weight; were it
 * where the host is, it would lose what few vCPUs cannot use. */
static void follow_vm(struct bl_sched *s, uint32_t v)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    const uint64_t host = bl__eevdf_value(&bl__fair_of(s)->host);
    const uint64_t span = s->node[v].span;

    if (has_room(s))
        m->v = host;
    if (bl__v_before(m->v, host - span))
        m->v = host - span;
    s->node[v].v = m->v;
    s->vcpu[v].lag_ns = 0;
}

void bl__fair_join(struct bl_sched *s, uint32_t p, uint32_t v)
{
    struct bl__fair *f = bl__fair_of(s);
    struct bl__queue *q = &f->queue[p];
    struct bl__vcpu *x = &s->vcpu[v];
    const bool halted = x->came_from == BL_VCPU_BLOCKED;
    const enum bl__join how = halted ? BL__JOIN_WAKE
                              : x->came_from == BL_VCPU_LIMITED
                                  ? BL__JOIN_RESUME
                                  : BL__JOIN_STEAL;

    if (halted || s->node[v].slice_ns == 0)
        bl__eevdf_slice(s, v, request_ns(s, x));
    if (halted && f->common && s->vm[x->vm].count > 1)
        follow_vm(s, v);
    if (s->pcpu[p].curr != BL_NO_VCPU)
        bl__account(s, p);
    x->queue = p;
    bl__eevdf_join(s, q, v, how);
    changed(s, p);
    tell(s, p, v);
}

void bl__fair_dequeue(struct bl_sched *s, uint32_t v)
{
    const uint32_t p = s->vcpu[v].queue;

    bl__eevdf_leave(s, bl__fair_queue(s, p), v);
    changed(s, p);
}

void bl__fair_move(struct bl_sched *s, uint32_t p, uint32_t v)
{
    struct bl__fair *f = bl__fair_of(s);

    bl__fair_dequeue(s, v);
    s->vcpu[v].queue = p;
    bl__eevdf_join(s, &f->queue[p], v, BL__JOIN_STEAL);
    changed(s, p);
}

/* ---- searching ---------------------------------------------------------- */

/* The first by deadline below @at that may run on @p. */
static uint32_t first_for(const struct bl_sched *s, uint32_t at, uint32_t p)
{
    uint32_t v;

    if (at == BL_NO_VCPU)
        return BL_NO_VCPU;
    v = first_for(s, s->node[at].left, p);
    if (v != BL_NO_VCPU)
        return v;
    return bl__may_run(s, at, p) ? at : first_for(s, s->node[at].right, p);
}

static bool due_before(const struct bl_sched *s, uint32_t a, uint32_t b)
{
    return b == BL_NO_VCPU ||
           bl__v_before(s->node[a].deadline, s->node[b].deadline);
}

uint32_t bl__fair_first_in(const struct bl_sched *s, struct bl_topo_range r,
                           uint32_t p)
{
    uint32_t best = BL_NO_VCPU;

    if (s->pinned_count == 0) {
        const struct bl__drift *d = &bl__fair_of(s)->drift;
        const struct bl__drift_node n = r.count == s->topo->pcpu_count
                                            ? bl__drift_all(d)
                                            : bl__drift_range(d, r);

        return n.pcpu != BL_NO_PCPU ? bl__fair_queue(s, n.pcpu)->first
                                    : BL_NO_VCPU;
    }
    for (uint32_t q = r.first; q < (uint32_t)r.first + r.count; q++) {
        const uint32_t v =
            q != p ? first_for(s, bl__fair_queue(s, q)->root, p) : BL_NO_VCPU;

        if (v != BL_NO_VCPU && due_before(s, v, best))
            best = v;
    }
    return best;
}

/* ---- running ------------------------------------------------------------ */

/* A vCPU alone on a pCPU that it is owed as a whole gets what it is owed; how
 * far its weight, which is not exact, takes its virtual time away from that of
 * the host means nothing. */
void bl__fair_start(struct bl_sched *s, uint32_t p, uint32_t v)
{
    struct bl__fair *f = bl__fair_of(s);

    bl__eevdf_start(s, &f->queue[p], v);
    if (f->common && f->queue[p].count == 0 &&
        (has_room(s) || bl__fluid_at_cap(s, s->vcpu[v].vm)))
        bl__eevdf_restart(s, &f->queue[p]);
    changed(s, p);
}

void bl__fair_take(struct bl_sched *s, uint32_t p, uint32_t v)
{
    if (s->vcpu[v].queue != p)
        bl__fair_move(s, p, v);
    bl__fair_start(s, p, v);
}

void bl__fair_account(struct bl_sched *s, uint32_t p, uint32_t v, int64_t ns)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    const uint64_t before = s->total.forgiven_count;
    const uint64_t dv = bl__eevdf_charge(s, bl__fair_queue(s, p), ns);

    m->v += m->runnable > 1 ? dv / m->runnable : dv;
    if (s->total.forgiven_count != before) /* who waits has been moved */
        changed(s, p);
}

void bl__fair_stop(struct bl_sched *s, uint32_t p, uint32_t v, bool again)
{
    (void)v;
    bl__eevdf_stop(s, bl__fair_queue(s, p), again);
    changed(s, p); /* also when it left: others may have been forgiven */
}

int64_t bl__fair_slice(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    return s->node[v].slice_ns - s->vcpu[v].used_ns;
}

/* The queue of which @v is a member. */
static struct bl__queue *member_of(const struct bl_sched *s, uint32_t v)
{
    const struct bl__vcpu *x = &s->vcpu[v];
    const bool in = x->state == BL_VCPU_READY || x->state == BL_VCPU_RUN;

    return in ? bl__fair_queue(s, x->queue) : NULL;
}

void bl__fair_reweight(struct bl_sched *s, uint32_t v, uint64_t weight)
{
    struct bl__queue *q = member_of(s, v);
    const bool more = weight > s->vcpu[v].weight;

    bl__eevdf_reweight(s, q, v, weight);
    if (q == NULL)
        return;
    changed(s, s->vcpu[v].queue);
    if (more && q->curr != v)
        tell(s, s->vcpu[v].queue, v);
}

/* Of a VM with siblings: its part of what the VM is owed. */
int64_t bl__fair_owed(const struct bl_sched *s, uint32_t v)
{
    const struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    const uint64_t at = m->count > 1 ? m->v : s->node[v].v;

    return bl__eevdf_behind_ns(s, &bl__fair_of(s)->host, v, at);
}

int64_t bl__fair_lag(const struct bl_sched *s, uint32_t v)
{
    const struct bl__queue *q = member_of(s, v);

    return q != NULL ? bl__eevdf_lag_ns(s, q, v) : 0;
}

void bl__fair_hash(const struct bl_sched *s, struct bl_hash *h)
{
    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        bl_hash_u64(h, s->node[v].v);
        bl_hash_u64(h, s->node[v].deadline);
        bl_hash_u64(h, s->vcpu[v].queue);
    }
}

void bl__fair_check(const struct bl_sched *s)
{
    const struct bl__fair *f = bl__fair_of(s);
    uint32_t waiting = 0, ready = 0;

    for (uint32_t p = 0; p < s->topo->pcpu_count; p++) {
        const struct bl__queue *q = &f->queue[p];
        const struct bl__drift_node leaf = f->drift.node[f->drift.leaf0 + p];

        bl__eevdf_check(s, q);
        BL_ASSERT(q->curr == s->pcpu[p].curr);
        BL_ASSERT((leaf.pcpu == p) == (q->root != BL_NO_VCPU));
        if (q->root != BL_NO_VCPU)
            BL_ASSERT(leaf.deadline == s->node[q->first].deadline);
        waiting += q->count;
    }
    for (uint32_t v = 0; v < s->vcpu_count; v++) {
        ready += s->vcpu[v].state == BL_VCPU_READY;
        if (s->vcpu[v].state == BL_VCPU_RUN)
            BL_ASSERT(s->vcpu[v].queue == s->vcpu[v].pcpu);
    }
    BL_ASSERT(waiting == ready);
}
