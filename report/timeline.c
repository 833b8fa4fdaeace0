/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what each vCPU is doing; gives each piece of it to the writer as it
 * ends, cut to the window. A pCPU needs no state of its own: what ran on it is
 * what its vCPUs ran. */
#include "report/timeline_priv.h"

bl_err bl_timeline_open(struct bl_arena *a, const struct bl_timeline_opts *opts,
                        struct bl_timeline **out)
{
    struct bl_timeline *t;

    BL_ASSERT(opts->pcpu_count > 0 && opts->pcpu_count <= BL_PCPUS_MAX);
    BL_ASSERT(opts->vcpu_count <= BL_SCHED_VCPUS_MAX);
    BL_ASSERT(opts->vm_count <= opts->vcpu_count);
    BL_ASSERT(opts->from_ns >= 0 && opts->from_ns < opts->until_ns);
    t = bl_arena_get(a, 1, sizeof(*t));
    if (t == NULL)
        return BL_ERR_NOMEM;
    t->lane = bl_arena_get(a, opts->vcpu_count, sizeof(*t->lane));
    if (t->lane == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t v = 0; v < opts->vcpu_count; v++) {
        t->lane[v].state = BL_VCPU_BLOCKED;
        t->lane[v].pcpu = BL_NO_PCPU;
    }
    t->f = opts->f;
    t->title = opts->title;
    t->names = opts->names;
    t->names_ctx = opts->names_ctx;
    t->pcpu_count = opts->pcpu_count;
    t->vm_count = opts->vm_count;
    t->vcpu_count = opts->vcpu_count;
    t->from_ns = opts->from_ns;
    t->until_ns = opts->until_ns;
    t->writer = opts->format == BL_TIMELINE_SVG ? &bl__timeline_svg
                                                : &bl__timeline_chrome;
    BL_TRY(t->writer->open(a, t));
    t->title = NULL;
    *out = t;
    return BL_ERR_OK;
}

/* What @vcpu did until @now_ns. @e: what ended it; NULL: nothing did. */
static void piece_ends(struct bl_timeline *t, uint32_t vcpu, int64_t now_ns,
                       const struct bl_sched_event *e)
{
    const struct bl_timeline_lane *l = &t->lane[vcpu];
    struct bl_timeline_piece p = { .vcpu = vcpu, .lane = l };

    p.from_ns = l->since_ns > t->from_ns ? l->since_ns : t->from_ns;
    p.until_ns = now_ns < t->until_ns ? now_ns : t->until_ns;
    if (l->state == BL_VCPU_BLOCKED || p.from_ns >= p.until_ns)
        return;
    if (e != NULL && now_ns <= t->until_ns) {
        p.ended = true;
        p.end = e->reason;
    }
    t->writer->piece(t, &p);
}

static void mark_what_happened(struct bl_timeline *t,
                               const struct bl_sched_event *e)
{
    const uint32_t last = t->lane[e->vcpu].pcpu;
    struct bl_timeline_mark m = {
        .vcpu = e->vcpu, .now_ns = e->now_ns, .from_pcpu = BL_NO_PCPU, .e = e
    };

    if (t->writer->mark == NULL || e->now_ns < t->from_ns ||
        e->now_ns >= t->until_ns)
        return;
    if (e->to == BL_VCPU_RUN && last != BL_NO_PCPU && last != e->pcpu) {
        m.from_pcpu = last;
        t->writer->mark(t, &m);
    } else if (e->to == BL_VCPU_COSTOP && e->from != BL_VCPU_COSTOP) {
        t->writer->mark(t, &m);
    }
}

void bl_timeline_event(struct bl_timeline *t, const struct bl_sched_event *e)
{
    struct bl_timeline_lane *l;

    BL_ASSERT(e->vcpu < t->vcpu_count);
    l = &t->lane[e->vcpu];
    BL_ASSERT(e->now_ns >= t->now_ns);
    BL_ASSERT(e->from == l->state);
    BL_ASSERT((uint32_t)e->to < BL_VCPU_STATE_COUNT);
    BL_ASSERT((uint32_t)e->reason < BL_SCHED_REASON_COUNT);
    BL_ASSERT(e->to != BL_VCPU_RUN || e->pcpu < t->pcpu_count);
    t->now_ns = e->now_ns;
    piece_ends(t, e->vcpu, e->now_ns, e);
    mark_what_happened(t, e);
    l->since_ns = e->now_ns;
    l->state = e->to;
    l->reason = e->reason;
    l->figure[0] = e->figure[0];
    l->figure[1] = e->figure[1];
    if (e->to == BL_VCPU_RUN)
        l->pcpu = e->pcpu;
}

void bl_timeline_close(struct bl_timeline *t, int64_t now_ns)
{
    BL_ASSERT(now_ns >= t->now_ns);
    for (uint32_t v = 0; v < t->vcpu_count; v++)
        piece_ends(t, v, now_ns, NULL);
    t->writer->close(t, now_ns < t->until_ns ? now_ns : t->until_ns);
}
