/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eevdf - earliest eligible virtual deadline first.
 *
 * Source     Stoica, Abdel-Wahab, "Earliest Eligible Virtual Deadline First: A
 *            Flexible and Accurate Mechanism for Proportional Share Resource
 *            Allocation", TR-95-22, Old Dominion University, 1995.
 * Idea       each member has got service worth v (service / weight) and asks
 *            for requests of one slice; it is eligible while v is not beyond
 *            the queue's virtual time V = sum(w v) / sum(w), and its request
 *            has the deadline v + slice / weight. V is a mean, so the sum of
 *            all lags w (V - v) is always 0 and somebody is always eligible.
 * Bound      members and weights constant: -r <= lag <= max(r, q), r the
 *            member's slice, q the longest in the queue, and one switch more;
 *            joins, leaves and new weights move V, so then: |lag| <= 2 max(r,
 *            q) because what is beyond is forgiven (test_sched_lag, every
 *            step).
 * Deviation  requests are counted in CPU time received; a member that is
 *            preempted keeps its deadline. Forgiving is ours.
 * Cost       a treap by deadline with minima over subtrees: O(log n) expected.
 *
 * Exactness: sum changes by whole units only. v is service * 2^30 / weight with
 * the remainder kept in v_rest, so a member's service is never rounded.
 */
#include "sched/eevdf.h"

/* ---- the tree ----------------------------------------------------------- */

/* The heap order: any bijection that scatters ids will do, whatever their
 * pattern. */
static uint32_t rank_of(uint32_t v)
{
    uint32_t z = v * UINT32_C(0x9e3779b1);

    z ^= z >> 15;
    return z * UINT32_C(0x85ebca77);
}

static bool ranks_before(uint32_t a, uint32_t b)
{
    return rank_of(a) < rank_of(b);
}

static bool due_before(const struct bl__node *all, uint32_t a, uint32_t b)
{
    return all[a].deadline != all[b].deadline
               ? bl__v_before(all[a].deadline, all[b].deadline)
               : a < b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return bl__v_before(b, a) ? b : a;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return bl__v_before(a, b) ? b : a;
}

/* Without a branch: which one is less is anybody's guess. */
static void see_child(struct bl__node *x, const struct bl__node *c)
{
    x->min_v = earlier(x->min_v, c->min_v);
    x->min_hi = earlier(x->min_hi, c->min_hi);
    x->max_lo = later(x->max_lo, c->max_lo);
    x->max_slice_ns =
        x->max_slice_ns > c->max_slice_ns ? x->max_slice_ns : c->max_slice_ns;
}

/* Twice its own slice on either side: beyond it, lag may have to be forgiven.
 */
static void renew(struct bl__node *all, struct bl__node *x)
{
    struct bl__node sum; /* in registers: only what is over the subtree */

    sum.min_v = x->v;
    sum.min_hi = x->v + 2 * x->span;
    sum.max_lo = x->v - 2 * x->span;
    sum.max_slice_ns = x->slice_ns;
    if (x->left != BL_NO_VCPU)
        see_child(&sum, &all[x->left]);
    if (x->right != BL_NO_VCPU)
        see_child(&sum, &all[x->right]);
    x->min_v = sum.min_v;
    x->min_hi = sum.min_hi;
    x->max_lo = sum.max_lo;
    x->max_slice_ns = sum.max_slice_ns;
}

/* Everything below @at into those due before @v and the others. */
static void split(struct bl__node *all, uint32_t at, uint32_t v,
                  uint32_t *before, uint32_t *after)
{
    if (at == BL_NO_VCPU) {
        *before = *after = BL_NO_VCPU;
    } else if (due_before(all, at, v)) {
        *before = at;
        split(all, all[at].right, v, &all[at].right, after);
        renew(all, &all[at]);
    } else {
        *after = at;
        split(all, all[at].left, v, before, &all[at].left);
        renew(all, &all[at]);
    }
}

static void insert(struct bl__node *all, uint32_t *root, uint32_t v)
{
    struct bl__node *x = &all[v];
    const uint32_t rank = rank_of(v);
    uint32_t *at = root;

    x->left = x->right = BL_NO_VCPU;
    renew(all, x);
    while (*at != BL_NO_VCPU && rank_of(*at) < rank) {
        struct bl__node *up = &all[*at];

        see_child(up, x);
        at = due_before(all, v, *at) ? &up->left : &up->right;
    }
    if (*at != BL_NO_VCPU) {
        split(all, *at, v, &x->left, &x->right);
        renew(all, x);
    }
    *at = v;
}

static uint32_t merge(struct bl__node *all, uint32_t a, uint32_t b)
{
    if (a == BL_NO_VCPU)
        return b;
    if (b == BL_NO_VCPU)
        return a;
    if (ranks_before(a, b)) {
        all[a].right = merge(all, all[a].right, b);
        renew(all, &all[a]);
        return a;
    }
    all[b].left = merge(all, a, all[b].left);
    renew(all, &all[b]);
    return b;
}

/* Far deeper than a treap of BL_SCHED_VCPUS_MAX ever gets. */
#define DEPTH_MAX 256u

static uint32_t leftmost(const struct bl__node *all, uint32_t at)
{
    while (at != BL_NO_VCPU && all[at].left != BL_NO_VCPU)
        at = all[at].left;
    return at;
}

/* The leftmost one, without a comparison; returns the next one, BL_NO_VCPU. */
static uint32_t take_first(struct bl__node *all, uint32_t *root, uint32_t v)
{
    uint32_t path[DEPTH_MAX], depth = 0;
    uint32_t *at = root, next;

    while (*at != v) {
        BL_ASSERT(*at != BL_NO_VCPU && depth < DEPTH_MAX);
        path[depth++] = *at;
        at = &all[*at].left;
    }
    *at = all[v].right;
    next = depth > 0 ? path[depth - 1] : BL_NO_VCPU;
    if (*at != BL_NO_VCPU)
        next = leftmost(all, *at);
    while (depth > 0)
        renew(all, &all[path[--depth]]);
    return next;
}

static void take_out(struct bl__node *all, uint32_t *root, uint32_t v)
{
    uint32_t path[DEPTH_MAX], depth = 0;
    uint32_t *at = root;

    while (*at != v) {
        BL_ASSERT(*at != BL_NO_VCPU && depth < DEPTH_MAX);
        path[depth++] = *at;
        at = due_before(all, v, *at) ? &all[*at].left : &all[*at].right;
    }
    *at = merge(all, all[v].left, all[v].right);
    while (depth > 0)
        renew(all, &all[path[--depth]]);
}

static void link_in(struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    insert(s->node, &q->root, v);
    if (q->first == BL_NO_VCPU || due_before(s->node, v, q->first))
        q->first = v;
    q->count++;
}

static void unlink_from(struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    if (v == q->first)
        q->first = take_first(s->node, &q->root, v);
    else
        take_out(s->node, &q->root, v);
    q->count--;
}

/* ---- virtual time ------------------------------------------------------- */

/* floor(a / b), b > 0; most sums fit 64 bits. */
static int64_t floor_div(bl__i128 a, uint64_t b)
{
    if (a >= INT64_MIN && a <= INT64_MAX && b <= INT64_MAX) {
        const int64_t n = (int64_t)a, d = (int64_t)b;

        return n / d - (n % d < 0);
    }

    const bl__i128 n = a / (bl__i128)b;

    return (int64_t)(n - (a % (bl__i128)b < 0));
}

uint64_t bl__eevdf_value(const struct bl__mean *m)
{
    return m->weight > 0 ? m->zero + (uint64_t)floor_div(m->sum, m->weight)
                         : m->zero;
}

uint64_t bl__eevdf_virtual(const struct bl__queue *q)
{
    BL_ASSERT(q->mean.weight > 0);
    return bl__eevdf_value(&q->mean);
}

static void add(struct bl__mean *m, uint64_t v, uint64_t weight)
{
    if (m->weight == 0) {
        m->zero = v;
        m->sum = 0;
    }
    m->sum += (bl__i128)weight * (int64_t)(v - m->zero);
    m->weight += weight;
}

static void subtract(struct bl__mean *m, uint64_t v, uint64_t weight)
{
    m->sum -= (bl__i128)weight * (int64_t)(v - m->zero);
    m->weight -= weight;
    if (m->weight == 0)
        m->zero = v;
}

/* An origin near its members keeps the sum short; so near is near enough. */
#define NEAR_SHIFT 38

static void move_zero(struct bl__mean *m, uint64_t to)
{
    const int64_t by = (int64_t)(to - m->zero);

    if (by >> NEAR_SHIFT == 0 || by >> NEAR_SHIFT == -1)
        return;
    m->sum -= (bl__i128)by * (bl__i128)m->weight;
    m->zero = to;
}

static void count_in(const struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    add(&q->mean, s->node[v].v, s->vcpu[v].weight);
    if (q->host != NULL)
        add(q->host, s->node[v].v, s->vcpu[v].weight);
}

static void count_out(const struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    subtract(&q->mean, s->node[v].v, s->vcpu[v].weight);
    if (q->host != NULL)
        subtract(q->host, s->node[v].v, s->vcpu[v].weight);
}

static uint64_t to_virtual(int64_t ns, uint64_t weight)
{
    return ((uint64_t)ns << BL__V_SHIFT) / weight;
}

/* Service worth @dv at @weight. */
static int64_t to_service(int64_t dv, uint64_t weight)
{
    return (int64_t)(((bl__i128)dv * (bl__i128)weight) >> BL__V_SHIFT);
}

void bl__eevdf_init(struct bl__queue *q, struct bl__mean *host)
{
    *q = (struct bl__queue){ .root = BL_NO_VCPU,
                             .first = BL_NO_VCPU,
                             .curr = BL_NO_VCPU,
                             .host = host };
}

void bl__eevdf_slice(struct bl_sched *s, uint32_t v, int64_t slice_ns)
{
    s->node[v].slice_ns = (uint32_t)slice_ns;
    s->node[v].span = to_virtual(slice_ns, s->vcpu[v].weight);
}

int64_t bl__eevdf_slice_max(const struct bl_sched *s, const struct bl__queue *q)
{
    int64_t most = 0;

    if (q->root != BL_NO_VCPU)
        most = s->node[q->root].max_slice_ns;
    if (q->curr != BL_NO_VCPU && s->node[q->curr].slice_ns > most)
        most = s->node[q->curr].slice_ns;
    return most;
}

int64_t bl__eevdf_lag_ns(const struct bl_sched *s, const struct bl__queue *q,
                         uint32_t v)
{
    return to_service((int64_t)(bl__eevdf_virtual(q) - s->node[v].v),
                      s->vcpu[v].weight);
}

int64_t bl__eevdf_behind_ns(const struct bl_sched *s,
                            const struct bl__mean *host, uint32_t v,
                            uint64_t at)
{
    return to_service((int64_t)(bl__eevdf_value(host) - at), s->vcpu[v].weight);
}

/* ---- forgiving ---------------------------------------------------------- */

static void forgive(struct bl_sched *s, int64_t ns)
{
    s->total.forgiven_count++;
    s->total.forgiven_ns += ns > 0 ? ns : -ns;
}

/* Somebody below @at who is too far from V, first by deadline or last;
 * BL_NO_VCPU. */
static uint32_t find_far(const struct bl_sched *s, const struct bl__queue *q,
                         uint32_t at, int64_t most, bool last)
{
    if (at == BL_NO_VCPU)
        return BL_NO_VCPU;

    const struct bl__node *x = &s->node[at];

    if (bl__eevdf_reached(q, x->max_lo) && !bl__eevdf_reached(q, x->min_hi))
        return BL_NO_VCPU;

    const uint32_t found =
        find_far(s, q, last ? x->right : x->left, most, last);

    if (found != BL_NO_VCPU)
        return found;

    const int64_t lag = bl__eevdf_lag_ns(s, q, at);

    if (lag > most || lag < -most)
        return at;
    return find_far(s, q, last ? x->left : x->right, most, last);
}

/* New virtual time for @v, a member of @q, at which its lag is @to_ns or
 * -@to_ns instead of more: moving it moves V by its part of the weight. */
static void pull_in(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                    int64_t to_ns)
{
    struct bl__node *x = &s->node[v];
    const uint64_t weight = s->vcpu[v].weight;
    const int64_t lag = bl__eevdf_lag_ns(s, q, v);
    const int64_t new_lag = lag > 0 ? to_ns : -to_ns;
    const uint64_t others = q->mean.weight - weight;
    const bool waits = q->curr != v;

    if (waits)
        unlink_from(s, q, v);
    count_out(s, q, v);
    forgive(s, lag - new_lag);
    if (others > 0) {
        /* alone they are at V0; V0 - v times the part of the others is the
         * lag: solve for v */
        const bl__i128 want = (bl__i128)new_lag * (INT64_C(1) << BL__V_SHIFT);
        const bl__i128 dv = want / (bl__i128)weight + want / (bl__i128)others;
        const uint64_t v0 =
            q->mean.zero + (uint64_t)floor_div(q->mean.sum, others);
        const uint64_t to = v0 - (uint64_t)(int64_t)dv;

        x->deadline += to - x->v;
        x->v = to;
    }
    count_in(s, q, v);
    if (waits)
        link_in(s, q, v);
}

static void put_at(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                   uint64_t at)
{
    struct bl__node *x = &s->node[v];

    forgive(s, to_service((int64_t)(at - x->v), s->vcpu[v].weight));
    count_out(s, q, v);
    x->deadline += at - x->v;
    x->v = at;
    count_in(s, q, v);
}

/* Everybody of @q is where V is: no lag is left. */
static void level(struct bl_sched *s, struct bl__queue *q)
{
    const uint64_t at = bl__eevdf_virtual(q);
    uint32_t list = BL_NO_VCPU;

    while (q->root != BL_NO_VCPU) {
        const uint32_t v = q->root;

        unlink_from(s, q, v);
        s->vcpu[v].next = list;
        list = v;
    }
    if (q->curr != BL_NO_VCPU)
        put_at(s, q, q->curr, at);
    for (uint32_t v = list; v != BL_NO_VCPU; v = s->vcpu[v].next) {
        put_at(s, q, v, at);
        link_in(s, q, v);
    }
}

/* V moved: bring in whoever it left too far behind or ahead; hardly ever more
 * than one. Each time V moves towards those brought in, which may leave another
 * one out; so each is brought in a little further than the one before, and from
 * both ends in turn: who is behind is due first, who is ahead last. */
#define ROUNDS_MAX 64u

/* Certainly nobody is further than twice his own slice from V. */
static bool all_near(const struct bl_sched *s, const struct bl__queue *q)
{
    if (q->curr != BL_NO_VCPU) {
        const struct bl__node *x = &s->node[q->curr];

        if (!bl__eevdf_reached(q, x->v - 2 * x->span) ||
            bl__eevdf_reached(q, x->v + 2 * x->span))
            return false;
    }
    return q->root == BL_NO_VCPU ||
           (bl__eevdf_reached(q, s->node[q->root].max_lo) &&
            !bl__eevdf_reached(q, s->node[q->root].min_hi));
}

static void bring_in(struct bl_sched *s, struct bl__queue *q)
{
    for (uint32_t i = 0; i < q->count + ROUNDS_MAX; i++) {
        const int64_t most = 2 * bl__eevdf_slice_max(s, q);
        uint32_t far = BL_NO_VCPU;

        if (q->curr != BL_NO_VCPU) {
            const int64_t lag = bl__eevdf_lag_ns(s, q, q->curr);

            far = lag > most || lag < -most ? q->curr : BL_NO_VCPU;
        }
        if (far == BL_NO_VCPU)
            far = find_far(s, q, q->root, most, i % 2 == 1);
        if (far == BL_NO_VCPU)
            return;
        pull_in(s, q, far,
                most - 1 - (i < ROUNDS_MAX ? i : ROUNDS_MAX) * (most / 1024));
    }
    /* Many light ones on one side, each within its bound, can hold a few heavy
     * ones beyond theirs on the other. */
    level(s, q);
}

static inline void settle(struct bl_sched *s, struct bl__queue *q)
{
    if (q->mean.weight > 0 && !all_near(s, q))
        bring_in(s, q);
}

/* ---- joining and leaving ------------------------------------------------ */

/* The virtual time nearest to @v at which @x can join @q with a lag of at most
 * @most: joining moves V towards it, so that only w W / (w + W) of the distance
 * counts, W the weight of those in @q. */
static uint64_t pull_near(struct bl_sched *s, const struct bl__queue *q,
                          uint32_t id, uint64_t v, int64_t most)
{
    const uint64_t at = bl__eevdf_virtual(q);
    const uint64_t weight = s->vcpu[id].weight;
    const int64_t dv = (int64_t)(at - v);
    int64_t lag = to_service(dv, weight);

    if (lag <= most && lag >= -most)
        return v;

    const uint64_t both = (uint64_t)((bl_u128)weight * q->mean.weight /
                                     (weight + q->mean.weight));

    lag = to_service(dv, both);
    if (lag <= most && lag >= -most)
        return v;

    /* most / both in two parts that are rounded down: never beyond */
    const bl__i128 want = (bl__i128)most << BL__V_SHIFT;
    const int64_t reach =
        (int64_t)(want / (bl__i128)weight + want / (bl__i128)q->mean.weight);

    forgive(s, lag > 0 ? lag - most : lag + most);
    return lag > 0 ? at - (uint64_t)reach + 1 : at + (uint64_t)reach - 1;
}

static uint64_t place(struct bl_sched *s, const struct bl__queue *q,
                      uint32_t id, enum bl__join how)
{
    const int64_t longest = bl__eevdf_slice_max(s, q);
    const int64_t own = s->node[id].slice_ns;
    uint64_t v = s->node[id].v;

    if (how != BL__JOIN_STEAL) {
        const uint64_t at =
            bl__eevdf_value(q->host != NULL ? q->host : &q->mean);
        const int64_t lag = s->vcpu[id].lag_ns;
        const int64_t owed = lag > 0 ? lag : 0;
        const int64_t credit = how == BL__JOIN_WAKE && own > owed ? own : owed;
        const uint64_t least = at - to_virtual(credit, s->vcpu[id].weight);

        if (bl__v_before(v, least))
            v = least;
    }
    if (q->mean.weight == 0) /* alone it has no lag */
        return v;
    return pull_near(s, q, id, v, 2 * (own > longest ? own : longest));
}

void bl__eevdf_join(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                    enum bl__join how)
{
    struct bl__node *x = &s->node[v];
    const uint64_t at = place(s, q, v, how);

    if (how != BL__JOIN_STEAL) { /* a request of its own */
        x->deadline = at + x->span;
        s->vcpu[v].used_ns = 0;
    } else {
        x->deadline += at - x->v;
    }
    x->v = at;
    count_in(s, q, v);
    link_in(s, q, v);
    settle(s, q);
}

void bl__eevdf_leave(struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    s->vcpu[v].lag_ns = bl__eevdf_lag_ns(s, q, v);
    unlink_from(s, q, v);
    count_out(s, q, v);
    settle(s, q);
}

/* The mean of the members is not before all of them: while nothing runs from
 * @q, one that waits is eligible. */
uint32_t bl__eevdf_best(const struct bl_sched *s, const struct bl__queue *q)
{
    uint32_t at = q->root;

    if (q->first != BL_NO_VCPU && bl__eevdf_reached(q, s->node[q->first].v))
        return q->first; /* nearly always */
    while (at != BL_NO_VCPU) {
        const struct bl__node *x = &s->node[at];

        if (x->left != BL_NO_VCPU &&
            bl__eevdf_reached(q, s->node[x->left].min_v))
            at = x->left;
        else if (bl__eevdf_reached(q, x->v))
            return at;
        else
            at = x->right;
    }
    return BL_NO_VCPU;
}

void bl__eevdf_start(struct bl_sched *s, struct bl__queue *q, uint32_t v)
{
    BL_ASSERT(q->curr == BL_NO_VCPU);
    unlink_from(s, q, v);
    q->curr = v;
    move_zero(&q->mean, s->node[v].v);
    if (q->host != NULL)
        move_zero(q->host, s->node[v].v);
}

void bl__eevdf_restart(struct bl_sched *s, struct bl__queue *q)
{
    const uint32_t v = q->curr;
    struct bl__node *x = &s->node[v];
    uint64_t to;

    BL_ASSERT(q->count == 0 && q->host != NULL);
    to = bl__eevdf_value(q->host);
    if (!bl__v_before(x->v + x->span, to) && !bl__v_before(to + x->span, x->v))
        return;
    count_out(s, q, v);
    x->deadline += to - x->v;
    x->v = to;
    count_in(s, q, v);
}

/* Virtual time that @ns are worth to @x, exactly: in parts that fit 64 bits. */
static uint64_t spend(struct bl__vcpu *x, int64_t ns)
{
    const uint64_t part = BL__SLICE_NS_MAX;
    uint64_t dv = 0;

    while (ns > 0) {
        const uint64_t now = (uint64_t)ns < part ? (uint64_t)ns : part;
        const uint64_t n = (now << BL__V_SHIFT) + x->v_rest;

        dv += n / x->weight;
        x->v_rest = n % x->weight;
        ns -= (int64_t)now;
    }
    return dv;
}

uint64_t bl__eevdf_charge(struct bl_sched *s, struct bl__queue *q, int64_t ns)
{
    struct bl__vcpu *x = &s->vcpu[q->curr];
    struct bl__node *node = &s->node[q->curr];
    const uint64_t dv = spend(x, ns);
    const bl__i128 more = (bl__i128)dv * (bl__i128)x->weight;

    x->used_ns += ns;
    x->awake_ns += ns;
    node->v += dv;
    q->mean.sum += more;
    if (q->host != NULL)
        q->host->sum += more;
    while (x->used_ns >= node->slice_ns) { /* the next request */
        x->used_ns -= node->slice_ns;
        node->deadline += node->span;
    }
    settle(s, q); /* what moves V may move somebody beyond the bound */
    return dv;
}

void bl__eevdf_stop(struct bl_sched *s, struct bl__queue *q, bool again)
{
    const uint32_t v = q->curr;

    if (again) {
        q->curr = BL_NO_VCPU;
        link_in(s, q, v);
        return;
    }
    s->vcpu[v].lag_ns = bl__eevdf_lag_ns(s, q, v);
    q->curr = BL_NO_VCPU;
    count_out(s, q, v);
    settle(s, q);
}

static void set_weight(struct bl_sched *s, uint32_t v, uint64_t weight)
{
    s->vcpu[v].weight = weight;
    s->vcpu[v].v_rest = 0;
    bl__eevdf_slice(s, v, s->node[v].slice_ns);
}

/* @dv at weight @old is as much CPU time as this at weight @now. */
static uint64_t rescale(uint64_t dv, uint64_t old, uint64_t now)
{
    return (uint64_t)(int64_t)((int64_t)dv * (bl__i128)old / (bl__i128)now);
}

void bl__eevdf_reweight(struct bl_sched *s, struct bl__queue *q, uint32_t v,
                        uint64_t weight)
{
    struct bl__node *x = &s->node[v];
    const bool waits = q != NULL && q->curr != v;
    const uint64_t old = s->vcpu[v].weight;

    if (q == NULL) {
        set_weight(s, v, weight);
        return;
    }
    if (waits)
        unlink_from(s, q, v);

    /* lag and what is left of the request stay what they are in CPU time */
    const uint64_t at = bl__eevdf_virtual(q);
    const uint64_t behind = rescale(at - x->v, old, weight);
    const uint64_t left = rescale(x->deadline - x->v, old, weight);

    count_out(s, q, v);
    set_weight(s, v, weight);
    x->v = at - behind;
    x->deadline = x->v + left;
    count_in(s, q, v);
    if (waits)
        link_in(s, q, v);
    settle(s, q);
}

bool bl__eevdf_preempts(const struct bl_sched *s, const struct bl__queue *q,
                        uint32_t v)
{
    return q->curr == BL_NO_VCPU || (bl__eevdf_reached(q, s->node[v].v) &&
                                     due_before(s->node, v, q->curr));
}

/* ---- invariants --------------------------------------------------------- */

struct walk {
    bl__i128 sum;
    uint64_t weight;
    uint32_t count;
    uint32_t last; /* BL_NO_VCPU: none yet */
};

static void walk_in(const struct bl_sched *s, const struct bl__queue *q,
                    uint32_t v, struct walk *w)
{
    w->sum +=
        (bl__i128)s->vcpu[v].weight * (int64_t)(s->node[v].v - q->mean.zero);
    w->weight += s->vcpu[v].weight;
    BL_ASSERT(s->vcpu[v].v_rest < s->vcpu[v].weight);
}

static void check_node(const struct bl_sched *s, const struct bl__queue *q,
                       uint32_t at, struct walk *w)
{
    if (at == BL_NO_VCPU)
        return;

    const struct bl__node *x = &s->node[at];
    struct bl__node again = *x;

    BL_ASSERT(s->vcpu[at].state == BL_VCPU_READY);
    BL_ASSERT(x->left == BL_NO_VCPU || ranks_before(at, x->left));
    BL_ASSERT(x->right == BL_NO_VCPU || ranks_before(at, x->right));
    check_node(s, q, x->left, w);
    BL_ASSERT(w->last == BL_NO_VCPU || due_before(s->node, w->last, at));
    w->last = at;
    w->count++;
    walk_in(s, q, at, w);
    renew(s->node, &again);
    BL_ASSERT(again.min_v == x->min_v && again.min_hi == x->min_hi);
    BL_ASSERT(again.max_lo == x->max_lo);
    BL_ASSERT(again.max_slice_ns == x->max_slice_ns);
    check_node(s, q, x->right, w);
}

void bl__eevdf_check(const struct bl_sched *s, const struct bl__queue *q)
{
    struct walk w = { .last = BL_NO_VCPU };

    check_node(s, q, q->root, &w);
    if (q->curr != BL_NO_VCPU)
        walk_in(s, q, q->curr, &w);
    BL_ASSERT(leftmost(s->node, q->root) == q->first);
    BL_ASSERT(w.count == q->count);
    BL_ASSERT(w.weight == q->mean.weight);
    BL_ASSERT(q->mean.weight == 0 || w.sum == q->mean.sum);
}
