/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_guest - the interpreter: what a guest does, operation by operation.
 *
 * Source     barriers and locks that spin and then halt: what OpenMP runtimes,
 *            pthreads and paravirtual spin locks do; lock-holder preemption:
 *            Uhlig et al., VM 2004; pause-loop exits: KVM's ple_window
 *            [recalled].
 * Idea       a program's operations follow one another until one takes time.
 *            What a vCPU waits for it notices only while it runs: a barrier
 *            that opened, a lock that was given back. Locks are unfair
 *            test-and-set locks (what Linux uses in a guest without paravirtual
 *            locks): given back, a lock goes to whoever spins on a pCPU at that
 *            moment, the longest first; else one that halted is woken; else the
 *            next one that looks has it. So a preempted holder stops everyone
 *            by itself, and a preempted waiter nobody but itself.
 * Bound      work done and left is what the programs drew (bl__host_check);
 *            waits on two vCPUs by hand (test_hostsim).
 * Deviation  what a vCPU owes when it halts (the exits of IPIs that it just
 *            sent) it pays when it runs again. After HOST_STEPS_MAX operations
 *            at one instant a vCPU works for 1 ns, so that programs that only
 *            meet themselves at barriers make progress, too.
 * Cost       O(1) an operation; releasing n waiters O(n log vCPUs).
 */
#include "sim/host_priv.h"

enum next {
    NEXT_OP,   /* the operation took no time */
    NEXT_BUSY, /* it works or spins */
    NEXT_HALT, /* it waits for its instant, or in a list */
};

/* ---- lists -------------------------------------------------------------- */

static void push(struct bl_host_sim *s, uint32_t list, uint32_t v)
{
    struct host_list *l = &s->list[list];
    struct host_vcpu *x = &s->vcpu[v];

    BL_ASSERT(x->list == HOST_NONE);
    x->list = list;
    x->next = HOST_NONE;
    x->prev = l->tail;
    if (l->tail == HOST_NONE)
        l->head = v;
    else
        s->vcpu[l->tail].next = v;
    l->tail = v;
}

void bl__host_unlist(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];

    if (x->list == HOST_NONE)
        return;

    struct host_list *l = &s->list[x->list];

    if (x->prev == HOST_NONE)
        l->head = x->next;
    else
        s->vcpu[x->prev].next = x->next;
    if (x->next == HOST_NONE)
        l->tail = x->prev;
    else
        s->vcpu[x->next].prev = x->prev;
    x->list = HOST_NONE;
}

static uint32_t pop(struct bl_host_sim *s, uint32_t list)
{
    const uint32_t v = s->list[list].head;

    if (v != HOST_NONE)
        bl__host_unlist(s, v);
    return v;
}

/* Where @x waits while it spins; one further while it is halted. */
static uint32_t wait_list(const struct bl_host_sim *s,
                          const struct host_vcpu *x)
{
    const struct host_vm *m = &s->vm[x->vm];

    if (x->wait == HOST_LOCK)
        return m->list_first + HOST_LISTS + 2 * x->object;
    return m->list_first + HOST_LIST_BARRIER;
}

static uint32_t condition_list(const struct host_vm *m, uint32_t object)
{
    return m->list_first + HOST_LISTS + 2 * m->class->lock_count + object;
}

/* ---- waking ------------------------------------------------------------- */

/* @v sends an interrupt to @w, which is halted. The dispatcher hears of it when
 * @v is done with this instant. */
static void send_ipi(struct bl_host_sim *s, uint32_t v, uint32_t w)
{
    s->vcpu[w].from = s->vcpu[v].pcpu;
    bl__host_at(s, w, s->now_ns + s->spec->costs.ipi_ns);
    s->vcpu[v].owed_ns += s->spec->costs.exit_ns;
    s->sender = v;
    s->sent[s->sent_count++] = w;
}

/* @w spins on a pCPU and sees at once that it may go on. */
static void go_on(struct bl_host_sim *s, uint32_t w)
{
    struct host_vcpu *x = &s->vcpu[w];

    bl__host_settle(s, w);
    x->act = HOST_RUN;
    x->wait = HOST_NOTHING;
    x->left_ns = 0;
    bl__host_arm(s, w);
}

/* The next operation is to work: begin with it, which saves an event. */
static void begin_work(struct host_vcpu *x)
{
    const struct host_program *p = x->program;

    x->left_ns = 0;
    if (x->pc < p->count && p->op[x->pc].kind == BL_OP_RUN) {
        x->left_ns = bl_dist_draw(&p->op[x->pc].time, &x->prng);
        x->drawn_ns += x->left_ns;
        x->pc++;
    }
}

void bl__host_woken(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];

    BL_ASSERT(x->act == HOST_HALT && !x->ended);
    x->woken_ns = s->now_ns;
    if (s->power != NULL)
        bl__host_power_woken(s, v);
    if (x->wait == HOST_LOCK) {
        x->act = HOST_SPIN;
        x->left_ns = s->vm[x->vm].spin_ns;
    } else {
        x->act = HOST_RUN;
        x->wait = HOST_NOTHING;
        begin_work(x);
    }
    bl_sched_wake(s->sched, v, x->from, s->now_ns);
}

/* ---- waiting ------------------------------------------------------------ */

static enum next halt_waiting(struct bl_host_sim *s, uint32_t v)
{
    bl__host_unlist(s, v);
    push(s, wait_list(s, &s->vcpu[v]) + 1, v);
    return NEXT_HALT;
}

/* It runs and sees what it waits for; or spins on, seen by whoever ends its
 * wait from now on. */
static enum next look(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    const struct host_vm *m = &s->vm[x->vm];
    bool done = m->phase != x->phase;

    if (x->wait == HOST_LOCK) {
        uint32_t *holder = &s->holder[m->lock_first + x->object];

        done = *holder == BL_NO_VCPU;
        if (done)
            *holder = v;
    }
    if (done) {
        x->act = HOST_RUN;
        x->wait = HOST_NOTHING;
        x->left_ns = 0;
        return NEXT_OP;
    }
    if (x->left_ns == 0)
        return halt_waiting(s, v);
    x->pause_ns =
        s->spec->costs.pause_ns > 0 ? s->spec->costs.pause_ns : BL_SPIN_FOREVER;
    push(s, wait_list(s, x), v);
    return NEXT_BUSY;
}

/* From now on @v waits. It looks once it owes nothing. */
static enum next begin_wait(struct bl_host_sim *s, uint32_t v,
                            enum host_wait wait)
{
    struct host_vcpu *x = &s->vcpu[v];

    x->act = HOST_SPIN;
    x->wait = (uint8_t)wait;
    x->left_ns = s->vm[x->vm].spin_ns;
    if (x->left_ns > 0 && x->owed_ns > 0)
        return NEXT_BUSY;
    return look(s, v);
}

/* ---- barrier, locks, conditions ----------------------------------------- */

static void open_barrier(struct bl_host_sim *s, uint32_t v)
{
    struct host_vm *m = &s->vm[s->vcpu[v].vm];
    uint32_t w;

    m->arrived_count = 0;
    m->phase++;
    while ((w = pop(s, m->list_first + HOST_LIST_BARRIER)) != HOST_NONE)
        go_on(s, w);
    while ((w = pop(s, m->list_first + HOST_LIST_BARRIER_HALTED)) != HOST_NONE)
        send_ipi(s, v, w);
}

static enum next meet(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    struct host_vm *m = &s->vm[x->vm];

    x->phase = m->phase;
    if (++m->arrived_count < m->alive_count)
        return begin_wait(s, v, HOST_BARRIER);
    open_barrier(s, v);
    return NEXT_OP;
}

static enum next lock(struct bl_host_sim *s, uint32_t v, uint32_t object)
{
    struct host_vcpu *x = &s->vcpu[v];
    uint32_t *holder = &s->holder[s->vm[x->vm].lock_first + object];

    x->object = object;
    if (*holder != BL_NO_VCPU)
        return begin_wait(s, v, HOST_LOCK);
    *holder = v;
    return NEXT_OP;
}

static void unlock(struct bl_host_sim *s, uint32_t v, uint32_t object)
{
    const struct host_vm *m = &s->vm[s->vcpu[v].vm];
    const uint32_t list = m->list_first + HOST_LISTS + 2 * object;
    uint32_t *holder = &s->holder[m->lock_first + object];
    uint32_t w;

    BL_ASSERT(*holder == v);
    *holder = w = pop(s, list);
    if (w != HOST_NONE)
        go_on(s, w);
    else if ((w = pop(s, list + 1)) != HOST_NONE)
        send_ipi(s, v, w);
}

static void resume(struct bl_host_sim *s, uint32_t v, uint32_t object)
{
    const uint32_t list = condition_list(&s->vm[s->vcpu[v].vm], object);
    uint32_t w;

    while ((w = pop(s, list)) != HOST_NONE)
        send_ipi(s, v, w);
}

static enum next end(struct bl_host_sim *s, uint32_t v)
{
    struct host_vm *m = &s->vm[s->vcpu[v].vm];

    s->vcpu[v].ended = true;
    m->alive_count--;
    if (m->alive_count == 0) {
        m->end_ns = s->now_ns;
        bl_heap_remove(&s->heap, s->vcpu[v].vm); /* no more requests */
    } else if (m->arrived_count == m->alive_count) {
        open_barrier(s, v);
    }
    return NEXT_HALT;
}

/* ---- time --------------------------------------------------------------- */

static enum next run(struct host_vcpu *x, const struct bl_op *op)
{
    x->left_ns = bl_dist_draw(&op->time, &x->prng);
    x->drawn_ns += x->left_ns;
    return x->left_ns > 0 ? NEXT_BUSY : NEXT_OP;
}

static enum next halt_until(struct bl_host_sim *s, uint32_t v, int64_t at_ns)
{
    struct host_vcpu *x = &s->vcpu[v];

    x->from = BL_NO_PCPU;
    x->since_ns = at_ns;
    if (at_ns <= s->now_ns)
        return NEXT_OP;
    bl__host_at(s, v, at_ns);
    return NEXT_HALT;
}

static enum next timer(struct bl_host_sim *s, uint32_t v,
                       const struct bl_op *op)
{
    struct host_vcpu *x = &s->vcpu[v];
    const int64_t at_ns = x->timer_ns + bl_dist_draw(&op->time, &x->prng);
    const bool late = at_ns < s->now_ns;

    s->vm[x->vm].late_count += late;
    x->timer_ns = late && op->count == 1 ? s->now_ns : at_ns;
    return halt_until(s, v, at_ns);
}

/* ---- requests and units ------------------------------------------------- */

static enum next request(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    struct host_vm *m = &s->vm[x->vm];

    if (m->queue_count == 0) {
        x->from = BL_NO_PCPU;
        push(s, m->list_first + HOST_LIST_SERVERS, v);
        return NEXT_HALT;
    }
    x->since_ns = m->queue[m->queue_head];
    m->queue_head = (m->queue_head + 1) % m->queue_max;
    m->queue_count--;
    x->pc++;
    return NEXT_OP;
}

static void arrive(struct bl_host_sim *s, uint32_t vm)
{
    struct host_vm *m = &s->vm[vm];
    const int64_t gap_ns = bl_dist_draw(&m->class->guest->rest, &m->prng);

    bl__host_set(s, vm, s->now_ns + (gap_ns > 0 ? gap_ns : 1));
    if (m->queue_count == m->queue_max) {
        m->late_count++;
        return;
    }
    m->queue[(m->queue_head + m->queue_count) % m->queue_max] = s->now_ns;
    m->queue_count++;

    const uint32_t w = pop(s, m->list_first + HOST_LIST_SERVERS);

    if (w != HOST_NONE)
        bl__host_at(s, w, s->now_ns);
}

void bl__host_vm_event(struct bl_host_sim *s, uint32_t vm)
{
    struct host_vm *m = &s->vm[vm];

    if (m->started) {
        arrive(s, vm);
        return;
    }
    m->started = true;
    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        struct host_vcpu *x = &s->vcpu[v];

        x->timer_ns = s->now_ns;
        x->ended = x->program->op[0].kind == BL_OP_END; /* no task for it */
        if (x->ended)
            m->alive_count--;
        else
            bl__host_at(s, v, s->now_ns);
    }
    if (m->alive_count == 0)
        m->end_ns = s->now_ns;
    if (m->queue_max > 0) {
        const struct bl_dist *rest = &m->class->guest->rest;

        bl__host_set(s, vm, s->now_ns + bl_dist_draw(rest, &m->prng));
    }
}

static void unit(struct bl_host_sim *s, struct host_vcpu *x)
{
    x->unit_count++;
    if (x->since_ns != HOST_NEVER)
        bl_latency_add(&s->vm[x->vm].done, s->now_ns - x->since_ns);
    x->since_ns = HOST_NEVER;
}

/* ---- programs ----------------------------------------------------------- */

static void loop(struct bl_host_sim *s, uint32_t v, const struct bl_op *op)
{
    struct host_vcpu *x = &s->vcpu[v];
    const struct host_program *p = x->program;
    const uint32_t at = x->pc++;

    if (op->count > 0) {
        uint32_t low = 0, high = p->loop_count - 1;

        while (low < high) {
            const uint32_t middle = (low + high) / 2;

            if (p->loop[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }

        uint32_t *count = &s->loop[s->loop_first[v] + low];

        *count = *count + 1 < op->count ? *count + 1 : 0;
        if (*count == 0)
            return;
    }
    x->pc = op->target;
}

static enum next perform(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    const struct bl_op *op = &x->program->op[x->pc];

    if (x->pc == x->program->count)
        return end(s, v);
    if (op->kind == BL_OP_REQUEST)
        return request(s, v);
    if (op->kind == BL_OP_LOOP) {
        loop(s, v, op);
        return NEXT_OP;
    }
    x->pc++;
    switch (op->kind) {
    case BL_OP_RUN:
        return run(x, op);
    case BL_OP_SLEEP:
        return halt_until(s, v, s->now_ns + bl_dist_draw(&op->time, &x->prng));
    case BL_OP_TIMER:
        return timer(s, v, op);
    case BL_OP_BARRIER:
        return meet(s, v);
    case BL_OP_LOCK:
        return lock(s, v, op->object);
    case BL_OP_UNLOCK:
        unlock(s, v, op->object);
        return NEXT_OP;
    case BL_OP_SUSPEND:
        push(s, condition_list(&s->vm[x->vm], op->object), v);
        return NEXT_HALT;
    case BL_OP_RESUME:
        resume(s, v, op->object);
        return NEXT_OP;
    case BL_OP_UNIT:
        unit(s, x);
        return NEXT_OP;
    case BL_OP_END:
        return end(s, v);
    case BL_OP_REQUEST:
    case BL_OP_LOOP:
    case BL_OP_COUNT:
        break;
    }
    BL_ASSERT(false);
    return NEXT_HALT;
}

/* Where spinning has come to: it looks, has spun enough, or the hypervisor
 * notices. */
static enum next spin(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];

    if (x->list == HOST_NONE)
        return look(s, v);
    if (x->left_ns == 0)
        return halt_waiting(s, v);
    BL_ASSERT(x->pause_ns == 0);
    bl__host_unlist(s, v);
    x->owed_ns += s->spec->costs.exit_ns;
    bl_sched_hint(s->sched, BL_HINT_PAUSE, v, BL_NO_VCPU, s->now_ns);
    return NEXT_BUSY;
}

void bl__host_act(struct bl_host_sim *s, uint32_t v)
{
    struct host_vcpu *x = &s->vcpu[v];
    enum next next = NEXT_OP;
    uint32_t steps = 0;

    BL_ASSERT(x->owed_ns == 0);
    BL_ASSERT(x->act == HOST_SPIN || x->left_ns == 0);
    if (x->act == HOST_SPIN)
        next = spin(s, v);
    while (next == NEXT_OP && steps++ < HOST_STEPS_MAX)
        next = perform(s, v);
    if (next == NEXT_OP) {
        x->left_ns = 1;
        x->drawn_ns++;
    }
    if (next == NEXT_HALT)
        bl__host_halt(s, v);
    else
        bl__host_arm(s, v);
    for (uint32_t i = 0; i < s->sent_count; i++)
        bl_sched_hint(s->sched, BL_HINT_IPI, s->sender, s->sent[i], s->now_ns);
    s->sent_count = 0;
}
