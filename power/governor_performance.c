/* SPDX-License-Identifier: Apache-2.0 */
/*
 * performance - always the fastest.
 *
 * Source     the kernel's cpufreq documentation.
 * Idea       the fastest P-state that is allowed, whatever the load.
 * Bound      serves what any governor can serve (test_governor).
 * Deviation  none.
 * Cost       O(1).
 */
#include "power/governor.h"

static uint32_t performance_pick(void *state, const struct bl_params *p,
                                 const struct bl_domain_view *v)
{
    (void)state;
    (void)p;
    return v->fastest;
}

extern const struct bl_governor bl__governor_performance;
const struct bl_governor bl__governor_performance = {
    .name = "performance",
    .summary = "always the fastest P-state",
    .source = "Linux cpufreq",
    .pick = performance_pick,
};
