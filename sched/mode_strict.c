/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strict - gang scheduling: the runnable vCPUs of a VM run all together or not
 * at all.
 *
 * Source     Ousterhout, "Scheduling techniques for concurrent systems", ICDCS
 *            1982; ESX 2.x co-scheduled like this (FIELD.md A1).
 * Idea       when the policy proposes a vCPU of a VM with several, the whole
 *            gang starts: every other runnable vCPU is sent to a pCPU of its
 *            own, idle ones first. Their time ends together, one gang slice
 *            later; until then nothing preempts them. What does not fit beside
 *            the gangs that run waits in co-stop, and so does a VM that as a
 *            whole is not due, unless pCPUs are idle. A pCPU whose vCPU halts
 *            is filled by others and taken back at its wake.
 * Bound      while a gang runs, each of its runnable vCPUs runs or is on its
 *            way to a pCPU (test_sched_modes).
 * Deviation  the matrix of time slots is not fixed: the policy's order decides
 *            which gang is next. Gangs that fit admission always fit an empty
 *            host, so none waits for ever.
 * Cost       a gang start O(VM size * pCPUs).
 */
#include "sched/gang.h"

enum { SLICE };

static const struct bl_param params[] = {
    [SLICE] = { .name = "gang_slice",
                .dim = BL_DIM_TIME,
                .min = BL__SLICE_NS_MIN,
                .max = BL__SLICE_NS_MAX,
                .def = 3000000, /* a slice: more would have to be forgiven */
                .meaning = "time that a gang runs together" },
};

static bool strict_may_start(struct bl_sched *s, uint32_t p, uint32_t v)
{
    return bl__vm_of(s, v)->count == 1 ||
           bl__gang_may_start(s, p, v, bl__param(&s->mode_params, SLICE));
}

static void strict_halted(struct bl_sched *s, uint32_t p, uint32_t v)
{
    (void)p;
    bl__gang_halted(s, v);
}

static void strict_woke(struct bl_sched *s, uint32_t v, uint32_t from)
{
    (void)from;
    bl__gang_woke(s, v);
}

static void strict_check(const struct bl_sched *s)
{
    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const struct bl__vm *m = &s->vm[vm];

        if (m->count > 1 && !m->gang)
            for (uint32_t v = m->first; v < m->first + m->count; v++)
                if (s->vcpu[v].state == BL_VCPU_RUN)
                    BL_ASSERT(bl_cpuset_has(&s->kick, s->vcpu[v].pcpu));
    }
}

static int64_t strict_poll_ns(const struct bl_sched *s)
{
    (void)s;
    return BL__GANG_RETRY_NS;
}

const struct bl__mode bl__mode_strict = {
    .info = { .name = "strict",
              .summary = "gangs: all runnable vCPUs of a VM, or none",
              .source = "Ousterhout 1982",
              .params = params,
              .param_count = 1 },
    .wait_why = BL_SCHED_GANG_WAITS,
    .poll_ns = strict_poll_ns,
    .poll = bl__gang_retry,
    .holds_back = true,
    .may_start = strict_may_start,
    .put_back = bl__gang_put_back,
    .halted = strict_halted,
    .started = bl__gang_started,
    .woke = strict_woke,
    .check = strict_check,
};
