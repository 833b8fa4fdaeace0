/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credit2 - Xen's default scheduler, as its documentation describes it.
 *
 * Source     public documentation of Xen's credit2 and the constants of
 *            FIELD.md B1; no code of it was used.
 * Idea       a run queue for each group of at most 16 pCPUs that share a cache,
 *            ordered by credit. Running burns credit, the faster the smaller
 *            the weight; the most credit runs next. When the next one in line
 *            has none left, everybody in the queue gets 10 ms more. A vCPU that
 *            wakes preempts the least credit of its queue; queues are evened
 *            out by their mean load.
 * Bound      no vCPU of a queue runs dry while another one there has credit
 *            (test_sched_policies); the rest is measured.
 * Deviation  weights are those of fluid.c (a VM's, split over its vCPUs), caps
 *            those of limit.c; hard affinity only; the run queue follows the
 *            LLC (credit2: socket); queues are compared when one of their pCPUs
 *            picks, at most once in 1 ms, and one vCPU moves at a time.
 * Cost       enqueue O(waiting in the queue), pick O(1), reset O(vCPUs of the
 *            queue).
 */
#include "sched/place.h"

enum { RATELIMIT, RESIST, PARAMS };

static const struct bl_param params[PARAMS] = {
    [RATELIMIT] = { .name = "ratelimit",
                    .dim = BL_DIM_TIME,
                    .min = 0,
                    .max = BL__SLICE_NS_MAX,
                    .def = 1000000,
                    .meaning = "nobody is preempted before it ran this long" },
    [RESIST] = { .name = "migrate_resist",
                 .dim = BL_DIM_TIME,
                 .min = 0,
                 .max = BL__SLICE_NS_MAX,
                 .def = 500000,
                 .meaning = "credit that staying on a pCPU is worth" },
};

#define CREDIT_INIT_NS INT64_C(10000000)
#define CARRYOVER_NS_MAX INT64_C(500000)
#define TIMER_NS_MIN INT64_C(500000)
#define TIMER_NS_MAX INT64_C(10000000)
#define QUEUE_PCPUS_MAX 16u
#define LOAD_WINDOW_SHIFT 30     /* ns */
#define LOAD_ONE INT64_C(262144) /* 18 bits of precision */
#define BALANCE_NS INT64_C(1000000)

struct queue {
    uint32_t head; /* of those that wait, most credit first */
    uint32_t waiting, runnable;
    uint64_t weight_max;   /* of its vCPUs since the last reset */
    uint16_t first, count; /* pCPUs */
    int64_t load, load_ns; /* mean of runnable, in LOAD_ONE; until when */
    int64_t balanced_ns;
};

struct credit2 {
    struct queue *queue;
    uint32_t queue_count;
    uint16_t *queue_of; /* [pcpu] */
};

static struct credit2 *state_of(const struct bl_sched *s)
{
    return s->policy_state;
}

static struct queue *queue_at(const struct bl_sched *s, uint32_t p)
{
    return &state_of(s)->queue[state_of(s)->queue_of[p]];
}

static bl_err credit2_create(struct bl_sched *s, struct bl_arena *a)
{
    const struct bl_topo *t = s->topo;
    struct credit2 *c = bl_arena_get(a, 1, sizeof(*c));

    if (c == NULL)
        return BL_ERR_NOMEM;
    c->queue = bl_arena_get(a, t->pcpu_count, sizeof(*c->queue));
    c->queue_of = bl_arena_get(a, t->pcpu_count, sizeof(*c->queue_of));
    if (c->queue == NULL || c->queue_of == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t p = 0; p < t->pcpu_count; p++) {
        struct queue *q = &c->queue[c->queue_count];

        if (p == 0 || t->llc_of[p] != t->llc_of[p - 1] ||
            q[-1].count == QUEUE_PCPUS_MAX) {
            *q = (struct queue){ .head = BL_NO_VCPU, .first = (uint16_t)p };
            c->queue_count++;
        }
        c->queue[c->queue_count - 1].count++;
        c->queue_of[p] = (uint16_t)(c->queue_count - 1);
    }
    s->policy_state = c;
    return BL_ERR_OK;
}

/* ---- load --------------------------------------------------------------- */

static void update_load(const struct bl_sched *s, struct queue *q,
                        int32_t change)
{
    const int64_t window = INT64_C(1) << LOAD_WINDOW_SHIFT;
    int64_t dt = s->now_ns - q->load_ns;

    dt = dt < window ? dt : window;
    q->load += ((int64_t)q->runnable * LOAD_ONE - q->load) *
               (dt >> (LOAD_WINDOW_SHIFT - 18)) / LOAD_ONE;
    q->load_ns = s->now_ns;
    q->runnable += (uint32_t)change;
}

/* ---- the queue ---------------------------------------------------------- */

static void insert(struct bl_sched *s, struct queue *q, uint32_t v)
{
    struct bl__vcpu *x = &s->vcpu[v];
    uint32_t before = BL_NO_VCPU, at = q->head;

    while (at != BL_NO_VCPU && s->vcpu[at].credit_ns >= x->credit_ns) {
        before = at;
        at = s->vcpu[at].next;
    }
    x->prev = before;
    x->next = at;
    if (at != BL_NO_VCPU)
        s->vcpu[at].prev = v;
    if (before != BL_NO_VCPU)
        s->vcpu[before].next = v;
    else
        q->head = v;
    q->waiting++;
}

static void take_out(struct bl_sched *s, struct queue *q, uint32_t v)
{
    const struct bl__vcpu *x = &s->vcpu[v];

    if (x->prev != BL_NO_VCPU)
        s->vcpu[x->prev].next = x->next;
    else
        q->head = x->next;
    if (x->next != BL_NO_VCPU)
        s->vcpu[x->next].prev = x->prev;
    q->waiting--;
}

static void burn(const struct queue *q, struct bl__vcpu *x, int64_t ns)
{
    const bl_u128 n = (bl_u128)(uint64_t)ns * q->weight_max + x->v_rest;

    x->credit_ns -= (int64_t)(n / x->weight);
    x->v_rest = (uint64_t)(n % x->weight);
}

static void refill(struct bl__vcpu *x)
{
    if (x->credit_ns > CARRYOVER_NS_MAX)
        x->credit_ns = CARRYOVER_NS_MAX;
    x->credit_ns += CREDIT_INIT_NS;
}

/* Everybody of @q gets more: those that wait keep their order, because the same
 * is added to all and what is cut off is cut at the top. */
static void reset(struct bl_sched *s, struct queue *q)
{
    uint64_t most = 1;

    for (uint32_t p = q->first; p < (uint32_t)q->first + q->count; p++)
        if (s->pcpu[p].curr != BL_NO_VCPU) {
            bl__account(s, p);
            refill(&s->vcpu[s->pcpu[p].curr]);
            if (s->vcpu[s->pcpu[p].curr].weight > most)
                most = s->vcpu[s->pcpu[p].curr].weight;
        }
    for (uint32_t v = q->head; v != BL_NO_VCPU; v = s->vcpu[v].next) {
        refill(&s->vcpu[v]);
        if (s->vcpu[v].weight > most)
            most = s->vcpu[v].weight;
    }
    q->weight_max = most;
}

/* ---- waking ------------------------------------------------------------- */

/* The pCPU of @q that runs the least credit, staying where one ran last being
 * worth some; BL_NO_PCPU when all run more than @v has. */
static uint32_t victim(struct bl_sched *s, const struct queue *q, uint32_t v)
{
    const int64_t limit = bl__param(&s->policy_params, RATELIMIT);
    const int64_t resist = bl__param(&s->policy_params, RESIST);
    int64_t least = s->vcpu[v].credit_ns;
    uint32_t best = BL_NO_PCPU;

    for (uint32_t p = q->first; p < (uint32_t)q->first + q->count; p++) {
        const uint32_t c = s->pcpu[p].curr;

        if (c == BL_NO_VCPU || !bl__may_run(s, v, p) ||
            s->pcpu[p].protect_ns > s->now_ns ||
            s->now_ns - s->vcpu[c].picked_ns < limit)
            continue;
        bl__account(s, p);

        const int64_t here = s->vcpu[v].last == p ? 0 : resist;

        if (s->vcpu[c].credit_ns + here < least) {
            least = s->vcpu[c].credit_ns + here;
            best = p;
        }
    }
    return best;
}

static void credit2_enqueue(struct bl_sched *s, uint32_t v)
{
    struct bl__vcpu *x = &s->vcpu[v];
    const bool here = x->last != BL_NO_PCPU && bl__may_run(s, v, x->last);
    const uint32_t near = here ? x->last : bl__place_any(s, v);
    const uint32_t idle = bl__place_idle(s, v, near);
    struct queue *q = queue_at(s, idle != BL_NO_PCPU ? idle : near);
    uint32_t p;

    if (x->queue == BL__NO_INDEX)
        x->credit_ns = CREDIT_INIT_NS;
    if (x->weight > q->weight_max)
        q->weight_max = x->weight;
    x->queue = (uint32_t)(q - state_of(s)->queue);
    update_load(s, q, 1);
    insert(s, q, v);
    if (idle != BL_NO_PCPU) {
        bl__claim_idle(s, idle);
        return;
    }
    p = victim(s, q, v);
    if (p != BL_NO_PCPU)
        bl__kick(s, p, BL_SCHED_PREEMPTED);
}

static void credit2_dequeue(struct bl_sched *s, uint32_t v)
{
    struct queue *q = &state_of(s)->queue[s->vcpu[v].queue];

    take_out(s, q, v);
    update_load(s, q, -1);
}

/* ---- picking ------------------------------------------------------------ */

/* The first in @q that may run on @p. */
static uint32_t first_for(const struct bl_sched *s, const struct queue *q,
                          uint32_t p)
{
    uint32_t v = q->head;

    while (v != BL_NO_VCPU && !bl__may_run(s, v, p))
        v = s->vcpu[v].next;
    return v;
}

/* One vCPU from the queue with the most load comes here, when that one has more
 * than this by at least an eighth of a vCPU and one; or when nobody waits here
 * at all. */
static void balance(struct bl_sched *s, struct queue *q, uint32_t p, bool empty)
{
    struct credit2 *c = state_of(s);
    struct queue *busiest = NULL;
    uint32_t v = BL_NO_VCPU;

    if (!empty && s->now_ns - q->balanced_ns < BALANCE_NS)
        return;
    q->balanced_ns = s->now_ns;
    update_load(s, q, 0);
    for (uint32_t i = 0; i < c->queue_count; i++) {
        struct queue *other = &c->queue[i];

        if (other == q || first_for(s, other, p) == BL_NO_VCPU)
            continue;
        update_load(s, other, 0);
        if (busiest == NULL || other->load > busiest->load)
            busiest = other;
    }
    if (busiest == NULL ||
        (!empty && busiest->load <= q->load + LOAD_ONE + (LOAD_ONE >> 3)))
        return;
    v = first_for(s, busiest, p);
    credit2_dequeue(s, v);
    s->vcpu[v].queue = (uint32_t)(q - c->queue);
    if (s->vcpu[v].weight > q->weight_max)
        q->weight_max = s->vcpu[v].weight;
    update_load(s, q, 1);
    insert(s, q, v);
    s->total.steal_idle_count += empty;
}

static uint32_t credit2_pick(struct bl_sched *s, uint32_t p)
{
    struct queue *q = queue_at(s, p);
    uint32_t v = first_for(s, q, p);

    balance(s, q, p, v == BL_NO_VCPU);
    v = first_for(s, q, p);
    if (v == BL_NO_VCPU)
        return v;
    take_out(s, q, v);
    if (s->vcpu[v].credit_ns <= 0) {
        refill(&s->vcpu[v]);
        reset(s, q);
    }
    return v;
}

static void credit2_take(struct bl_sched *s, uint32_t p, uint32_t v)
{
    struct queue *from = &state_of(s)->queue[s->vcpu[v].queue];
    struct queue *q = queue_at(s, p);

    take_out(s, from, v);
    if (from == q)
        return;
    update_load(s, from, -1);
    update_load(s, q, 1);
    s->vcpu[v].queue = (uint32_t)(q - state_of(s)->queue);
    if (q->weight_max == 0) /* nobody was in it before */
        q->weight_max = s->vcpu[v].weight;
}

static void credit2_account(struct bl_sched *s, uint32_t p, uint32_t v,
                            int64_t ns)
{
    s->vcpu[v].awake_ns += ns;
    burn(queue_at(s, p), &s->vcpu[v], ns);
}

static void credit2_stop(struct bl_sched *s, uint32_t p, uint32_t v, bool again)
{
    struct queue *q = queue_at(s, p);

    if (again)
        insert(s, q, v);
    else
        update_load(s, q, -1);
}

/* Until it has no more credit than the next one in line. */
static int64_t credit2_slice(struct bl_sched *s, uint32_t p, uint32_t v)
{
    const struct queue *q = queue_at(s, p);
    const struct bl__vcpu *x = &s->vcpu[v];
    int64_t ns = x->credit_ns;

    if (q->head != BL_NO_VCPU && s->vcpu[q->head].credit_ns > 0)
        ns -= s->vcpu[q->head].credit_ns;
    if (ns <= 0)
        return TIMER_NS_MIN;
    ns = (int64_t)((bl_u128)(uint64_t)ns * x->weight / q->weight_max);
    if (ns < TIMER_NS_MIN)
        return TIMER_NS_MIN;
    return ns < TIMER_NS_MAX ? ns : TIMER_NS_MAX;
}

static void credit2_reweight(struct bl_sched *s, uint32_t v, uint64_t weight)
{
    struct bl__vcpu *x = &s->vcpu[v];

    x->weight = weight;
    x->v_rest = 0;
    if (x->queue != BL__NO_INDEX &&
        weight > state_of(s)->queue[x->queue].weight_max)
        state_of(s)->queue[x->queue].weight_max = weight;
}

static void credit2_hash(const struct bl_sched *s, struct bl_hash *h)
{
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        bl_hash_u64(h, (uint64_t)s->vcpu[v].credit_ns);
    for (uint32_t i = 0; i < state_of(s)->queue_count; i++)
        bl_hash_u64(h, (uint64_t)state_of(s)->queue[i].load);
}

static void credit2_check(const struct bl_sched *s)
{
    const struct credit2 *c = state_of(s);
    uint32_t waiting = 0, ready = 0;

    for (uint32_t i = 0; i < c->queue_count; i++) {
        const struct queue *q = &c->queue[i];
        uint32_t n = 0, running = 0, before = BL_NO_VCPU;

        for (uint32_t v = q->head; v != BL_NO_VCPU; v = s->vcpu[v].next) {
            BL_ASSERT(s->vcpu[v].state == BL_VCPU_READY);
            BL_ASSERT(s->vcpu[v].queue == i);
            BL_ASSERT(s->vcpu[v].prev == before);
            if (before != BL_NO_VCPU)
                BL_ASSERT(s->vcpu[before].credit_ns >= s->vcpu[v].credit_ns);
            before = v;
            n++;
        }
        for (uint32_t p = q->first; p < (uint32_t)q->first + q->count; p++)
            running += s->pcpu[p].curr != BL_NO_VCPU;
        BL_ASSERT(n == q->waiting);
        BL_ASSERT(n + running == q->runnable);
        waiting += n;
    }
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        ready += s->vcpu[v].state == BL_VCPU_READY;
    BL_ASSERT(waiting == ready);
}

const struct bl__policy bl__policy_credit2 = {
    .info = { .name = "credit2",
              .summary = "peer: Xen's default, credit by weight",
              .source = "public documentation of Xen",
              .params = params,
              .param_count = PARAMS },
    .conserving = true,
    .create = credit2_create,
    .enqueue = credit2_enqueue,
    .dequeue = credit2_dequeue,
    .pick = credit2_pick,
    .take = credit2_take,
    .account = credit2_account,
    .stop = credit2_stop,
    .slice = credit2_slice,
    .reweight = credit2_reweight,
    .hash = credit2_hash,
    .check = credit2_check,
};
