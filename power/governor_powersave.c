/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powersave - always the slowest.
 *
 * Source     the kernel's cpufreq documentation.
 * Idea       the slowest P-state that is allowed, whatever the load.
 * Bound      none: what it cannot serve stays unserved, reservations too.
 * Deviation  none.
 * Cost       O(1).
 */
#include "power/governor.h"

static uint32_t powersave_pick(void *state, const struct bl_params *p,
                               const struct bl_domain_view *v)
{
    (void)state;
    (void)p;
    return v->slowest;
}

extern const struct bl_governor bl__governor_powersave;
const struct bl_governor bl__governor_powersave = {
    .name = "powersave",
    .summary = "always the slowest P-state, promises or not",
    .source = "Linux cpufreq",
    .pick = powersave_pick,
};
