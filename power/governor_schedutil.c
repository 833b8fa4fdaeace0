/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedutil - a quarter more than the busiest core used.
 *
 * Source     Linux's default governor: "Schedutil" in the kernel's scheduler
 *            documentation, next = 1.25 * f_max * util / max, with
 *            frequency-invariant utilisation [recalled].
 * Idea       time busy at the speed in force is work done; ask for the slowest
 *            speed at which that would be 80 % of one core's time. A core that
 *            is busy all the time asks for 1.25 of what it has, so rising load
 *            climbs the P-states one sample after the other.
 * Bound      the speed is the least one not below 1.25 * work of the busiest
 *            core, and changes are rate_limit apart (test_governor).
 * Deviation  utilisation is that of the last window, where the kernel has
 *            geometric averages (PELT, half-life 32 ms) and the enqueued
 *            estimate on top; no boost after waiting for input or output, no
 *            deadline bandwidth, no uclamp.
 * Cost       O(P-states).
 */
#include "power/governor.h"

#include "base/u128.h"

enum { HEADROOM, RATE_LIMIT, PARAMS };

static const struct bl_param params[PARAMS] = {
    [HEADROOM] = { .name = "headroom",
                   .dim = BL_DIM_RATIO,
                   .min = 1000000,
                   .max = 4000000,
                   .def = 1250000,
                   .meaning = "speed for each unit of work" },
    [RATE_LIMIT] = { .name = "rate_limit",
                     .dim = BL_DIM_TIME,
                     .min = 0,
                     .max = 10000000000,
                     .def = 1000000,
                     .meaning = "between two changes" },
};

struct schedutil {
    int64_t changed_ns;
    bool changed; /* at all */
};

_Static_assert(sizeof(struct schedutil) <= BL_GOVERNOR_STATE_BYTES,
               "state too large");

static uint32_t schedutil_pick(void *state, const struct bl_params *p,
                               const struct bl_domain_view *v)
{
    struct schedutil *s = state;
    const uint64_t now_khz = v->freq->pstate[v->pstate].khz;
    const uint64_t work = bl_muldiv(now_khz, v->busy_core_ppm, 1000000);
    const uint64_t want =
        bl_muldiv(work, (uint64_t)p->value[HEADROOM], 1000000);
    const uint32_t next = bl_pstate_for(v, 0, want);

    /* what is not allowed any more is left at once */
    const bool allowed = v->pstate >= v->fastest && v->pstate <= v->slowest;

    if (next == v->pstate)
        return next;
    if (allowed && s->changed &&
        v->now_ns - s->changed_ns < p->value[RATE_LIMIT])
        return v->pstate;
    s->changed = true;
    s->changed_ns = v->now_ns;
    return next;
}

extern const struct bl_governor bl__governor_schedutil;
const struct bl_governor bl__governor_schedutil = {
    .name = "schedutil",
    .summary = "1.25 of the busiest core's work",
    .source = "Linux's scheduler documentation, \"Schedutil\"",
    .params = params,
    .param_count = PARAMS,
    .pick = schedutil_pick,
};
