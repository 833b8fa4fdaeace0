/* SPDX-License-Identifier: Apache-2.0 */
/* sched/gang.c - the mechanics of a gang, for the modes `strict` and `demand`;
 * their cards say when a VM is one. */
#include "sched/gang.h"

static bool in_gang(const struct bl_sched *s, uint32_t v)
{
    return v != BL_NO_VCPU && bl__vm_of(s, v)->gang;
}

/* Under a policy that does not say who is owed what, a pCPU that was sent to so
 * many times in a row chooses for itself once: who waits there would wait for
 * ever. */
#define SENT_MAX 16

/* Not taken from a gang that runs, nor from who has been chosen this instant: a
 * gang that starts beside it each time would leave it nothing, for ever. */
static bool yields(const struct bl_sched *s, uint32_t p, uint32_t v)
{
    const uint32_t c = s->pcpu[p].curr;

    (void)v;
    if (s->policy->owed == NULL && s->pcpu[p].forced_row >= SENT_MAX)
        return false;
    return c == BL_NO_VCPU ||
           (!in_gang(s, c) && s->vcpu[c].picked_ns < s->now_ns);
}

struct rooms {
    uint32_t found;
    uint32_t taken; /* of them, not idle */
};

/* A pCPU for each vCPU of @m that waits, but @first, which gets @p. With @send
 * they are told to start there. */
static struct rooms find_rooms(struct bl_sched *s, const struct bl__vm *m,
                               uint32_t first, uint32_t p, bool send)
{
    const struct bl__why why = { BL_SCHED_GANG_START,
                                 { m->runnable, m->gang_end_ns - s->now_ns } };
    struct bl_cpuset used = { { 0 } };
    struct rooms r = { 1, 0 };

    bl_cpuset_add(&used, p);
    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        const struct bl__vcpu *x = &s->vcpu[v];
        uint32_t room;

        if (v == first ||
            (x->state != BL_VCPU_READY && x->state != BL_VCPU_COSTOP))
            continue;
        room = bl__find_room(s, v, x->last != BL_NO_PCPU ? x->last : p, &used,
                             yields);
        if (room == BL_NO_PCPU)
            continue;
        r.found++;
        r.taken += !bl__is_idle(s, room);
        bl_cpuset_add(&used, room);
        if (!send)
            continue;
        if (x->state == BL_VCPU_COSTOP)
            bl__costart(s, v, &why);
        /* what its siblings ran before may just have used up the limit */
        if (x->state == BL_VCPU_READY)
            bl__force(s, room, v, &why);
    }
    return r;
}

/* Is the VM as a whole due? A gang that started whenever one of its vCPUs is
 * would run at the pace of whoever got least. */
static bool is_due(const struct bl_sched *s, const struct bl__vm *m)
{
    int64_t owed = 0;

    for (uint32_t v = m->first;
         s->policy->owed != NULL && v < m->first + m->count; v++)
        if (s->vcpu[v].state != BL_VCPU_BLOCKED)
            owed += s->policy->owed(s, v);
    return owed >= 0;
}

/* Those of @m that run already stay where they are. */
static uint32_t to_place(const struct bl__vm *m)
{
    return m->runnable - m->running;
}

void bl__gang_retry(struct bl_sched *s)
{
    for (uint32_t vm = 0; vm < s->vm_count && s->in_state[BL_VCPU_COSTOP] > 0;
         vm++) {
        const struct bl__vm *m = &s->vm[vm];

        for (uint32_t v = m->first; m->stopped > 0 && v < m->first + m->count;
             v++)
            if (s->vcpu[v].state == BL_VCPU_COSTOP)
                bl__costart(s, v,
                            &(struct bl__why){
                                BL_SCHED_GANG_RETRY,
                                { s->now_ns - s->vcpu[v].since_ns, 0 } });
    }
}

/* Its time is up, but those that run have not been asked yet. */
static void stop_gang(struct bl_sched *s, struct bl__vm *m)
{
    m->gang = false;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_RUN)
            bl__evict(s, s->vcpu[v].pcpu, BL_SCHED_GANG_END);
    bl__gang_retry(s);
}

/* Gangs that end one after the other never leave room for a larger one. So one
 * that has waited for many slices keeps others from starting; not for ever, it
 * may be that its vCPUs may not run side by side at all. */
#define PATIENCE 64
#define PERSISTENCE 72

static bool another_is_first(struct bl_sched *s, const struct bl__vm *m,
                             int64_t slice_ns)
{
    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        struct bl__vm *w = &s->vm[vm];

        if (w == m || !w->gang_waits || w->gang || w->throttled ||
            w->runnable < 2)
            continue;
        if (s->now_ns - w->gang_wait_ns > PERSISTENCE * slice_ns)
            w->gang_wait_ns = s->now_ns;
        if (s->now_ns - w->gang_wait_ns > PATIENCE * slice_ns &&
            !(m->gang_waits && m->gang_wait_ns <= w->gang_wait_ns))
            return true;
    }
    return false;
}

static void start_waiting(const struct bl_sched *s, struct bl__vm *m)
{
    if (!m->gang_waits)
        m->gang_wait_ns = s->now_ns;
    m->gang_waits = true;
}

bool bl__gang_may_start(struct bl_sched *s, uint32_t p, uint32_t v,
                        int64_t slice_ns)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    struct rooms room;

    if (m->gang && s->now_ns >= m->gang_end_ns)
        stop_gang(s, m);
    if (m->gang)
        return true;
    room = find_rooms(s, m, v, p, false);
    if (room.taken > 0 && !is_due(s, m))
        return false;
    if (room.found < to_place(m) || another_is_first(s, m, slice_ns)) {
        start_waiting(s, m);
        return false;
    }
    m->gang_waits = false;
    m->gang = true;
    m->gang_end_ns = s->now_ns + slice_ns;
    (void)find_rooms(s, m, v, p, true);
    s->pcpu[p].start_why =
        (struct bl__why){ BL_SCHED_GANG_START,
                          { m->runnable, m->gang_end_ns - s->now_ns } };
    return true;
}

static void end_gang(struct bl_sched *s, struct bl__vm *m)
{
    m->gang = false;
    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state == BL_VCPU_RUN) {
            s->pcpu[s->vcpu[v].pcpu].protect_ns = s->now_ns;
            bl__kick(s, s->vcpu[v].pcpu, BL_SCHED_GANG_END);
        }
    bl__gang_retry(s);
}

void bl__gang_put_back(struct bl_sched *s, uint32_t p, uint32_t v)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];

    if (!m->gang || s->now_ns < m->gang_end_ns)
        return;
    s->pcpu[p].why = BL_SCHED_GANG_END;
    end_gang(s, m);
}

void bl__gang_halted(struct bl_sched *s, uint32_t v)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];

    if (m->gang && m->running == 0)
        end_gang(s, m);
}

void bl__gang_started(struct bl_sched *s, uint32_t p, uint32_t v,
                      int64_t *until_ns)
{
    const struct bl__vm *m = bl__vm_of(s, v);

    if (!m->gang)
        return;
    s->pcpu[p].protect_ns = m->gang_end_ns;
    if (m->limit_index == BL__NO_INDEX || *until_ns > m->gang_end_ns)
        *until_ns = m->gang_end_ns;
}

/* Back to its gang, if that runs. */
void bl__gang_woke(struct bl_sched *s, uint32_t v)
{
    const struct bl__vm *m = bl__vm_of(s, v);
    const struct bl_cpuset none = { { 0 } };
    const uint32_t last = s->vcpu[v].last;
    uint32_t p;

    if (!m->gang || s->vcpu[v].state != BL_VCPU_READY)
        return;
    p = bl__find_room(s, v, last != BL_NO_PCPU ? last : 0, &none, yields);
    if (p == BL_NO_PCPU)
        return;
    bl__force(s, p, v,
              &(struct bl__why){ BL_SCHED_GANG_START,
                                 { m->runnable, m->gang_end_ns - s->now_ns } });
}
