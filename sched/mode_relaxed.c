/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relaxed - siblings may run apart, but not far.
 *
 * Source     published options of ESX and what its documentation says of them
 *            (FIELD.md A1): co-stop 3 ms, co-start 2 ms, poll 1 ms, hand-off to
 *            a lagging sibling; later papers of others call it skew-bounded
 *            co-scheduling.
 * Idea       guest time of a vCPU passes while it runs and while it is halted.
 *            Its skew is how far that is ahead of its slowest runnable sibling.
 *            At each poll, a vCPU whose skew exceeds the co-stop threshold
 *            stops and hands its pCPU to the sibling furthest behind; it may go
 *            on when its skew is below the co-start threshold.
 * Bound      a vCPU's skew exceeds the co-stop threshold by at most one poll,
 *            while a sibling can run (test_sched_modes).
 * Deviation  a vCPU that wakes is level with its leading sibling: it had
 *            nothing to do. Co-starts are also looked for when a sibling halts.
 * Cost       a poll O(vCPUs of VMs with more than one).
 */
#include "sched/cosched.h"

enum { COSTOP, COSTART, POLL, HANDOFF_SKIP, PARAMS };

static const struct bl_param params[PARAMS] = {
    [COSTOP] = { .name = "costop",
                 .dim = BL_DIM_TIME,
                 .min = 0,
                 .max = 100000000,
                 .def = 3000000,
                 .meaning = "skew beyond which a vCPU stops" },
    [COSTART] = { .name = "costart",
                  .dim = BL_DIM_TIME,
                  .min = 0,
                  .max = 100000000,
                  .def = 2000000,
                  .meaning = "skew below which it may go on" },
    [POLL] = { .name = "poll",
               .dim = BL_DIM_TIME,
               .min = 100000,
               .max = 100000000,
               .def = 1000000,
               .meaning = "between two looks at the skew" },
    [HANDOFF_SKIP] = { .name = "handoff_skip",
                       .dim = BL_DIM_TIME,
                       .min = 0,
                       .max = 100000000,
                       .def = 10000,
                       .meaning = "no hand-off to whoever waits less long" },
};

static int64_t relaxed_poll_ns(const struct bl_sched *s)
{
    return bl__param(&s->mode_params, POLL);
}

/* The sibling of @m that waits furthest behind and may run on @p. */
static uint32_t laggard(const struct bl_sched *s, const struct bl__vm *m,
                        uint32_t p)
{
    const int64_t skip = bl__param(&s->mode_params, HANDOFF_SKIP);
    uint32_t best = BL_NO_VCPU;

    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        const struct bl__vcpu *x = &s->vcpu[v];

        if (x->state != BL_VCPU_READY || !bl__may_run(s, v, p) ||
            s->now_ns - x->since_ns < skip)
            continue;
        if (best == BL_NO_VCPU || x->progress_ns < s->vcpu[best].progress_ns)
            best = v;
    }
    return best;
}

static void stop_leader(struct bl_sched *s, uint32_t v, int64_t skew_ns)
{
    const uint32_t p = s->vcpu[v].pcpu;
    uint32_t next;

    bl__costop(
        s, v,
        &(struct bl__why){ BL_SCHED_COSTOP_SKEW,
                           { skew_ns, bl__param(&s->mode_params, COSTOP) } });
    if (p == BL_NO_PCPU)
        return;
    next = laggard(s, bl__vm_of(s, v), p);
    if (next != BL_NO_VCPU)
        bl__force(s, p, next,
                  &(struct bl__why){ BL_SCHED_HANDOFF, { skew_ns, v } });
}

static void let_go(struct bl_sched *s, const struct bl__vm *m)
{
    const int64_t costart = bl__param(&s->mode_params, COSTART);

    for (uint32_t v = m->first; m->stopped > 0 && v < m->first + m->count;
         v++) {
        const int64_t skew = bl__skew_ns(s, v, s->now_ns);

        if (s->vcpu[v].state == BL_VCPU_COSTOP && (skew < costart || skew == 0))
            bl__costart(
                s, v,
                &(struct bl__why){ BL_SCHED_COSTART_GAP, { skew, costart } });
    }
}

static void relaxed_poll(struct bl_sched *s)
{
    const int64_t costop = bl__param(&s->mode_params, COSTOP);

    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const struct bl__vm *m = &s->vm[vm];

        if (m->count == 1 || m->runnable < 2)
            continue;
        for (uint32_t v = m->first; v < m->first + m->count; v++) {
            const uint8_t state = s->vcpu[v].state;
            int64_t skew;

            if (state != BL_VCPU_RUN && state != BL_VCPU_READY)
                continue;
            skew = bl__skew_ns(s, v, s->now_ns);
            if (skew > costop)
                stop_leader(s, v, skew);
        }
        let_go(s, m);
    }
}

/* The slowest one may be gone. */
static void relaxed_halted(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    let_go(s, bl__vm_of(s, v));
}

/* The slowest vCPU of a VM is never held back. */
static void relaxed_check(const struct bl_sched *s)
{
    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const struct bl__vm *m = &s->vm[vm];

        if (m->stopped > 0)
            BL_ASSERT(m->stopped < m->runnable);
    }
}

const struct bl__mode bl__mode_relaxed = {
    .info = { .name = "relaxed",
              .summary = "a vCPU far ahead of its slowest sibling waits",
              .source = "published options of ESX",
              .params = params,
              .param_count = PARAMS,
              .low = COSTART, /* else a vCPU stops that may go on */
              .high = COSTOP },
    .poll_ns = relaxed_poll_ns,
    .poll = relaxed_poll,
    .halted = relaxed_halted,
    .check = relaxed_check,
};
