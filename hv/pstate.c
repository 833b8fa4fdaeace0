/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/pstate.h"

void bl_freq_single(struct bl_freq *f, uint64_t core_khz,
                    const uint32_t mw[BL_POWER_POINTS])
{
    *f = (struct bl_freq){ .pstate_count = 1, .domain_count = 1 };
    f->pstate[0].khz = core_khz;
    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        f->pstate[0].mw[i] = mw[i];
}

static void check_idle(const struct bl_freq *f)
{
    BL_ASSERT(f->idle_count <= BL_IDLE_STATES_MAX);
    for (uint32_t i = 0; i < f->idle_count; i++) {
        const struct bl_idle_state *s = &f->idle[i];

        BL_ASSERT(s->after_ns >= 0 && s->after_ns <= BL_IDLE_NS_MAX);
        BL_ASSERT(s->exit_ns >= 0 && s->exit_ns <= BL_IDLE_NS_MAX);
        if (i == 0) {
            BL_ASSERT(s->after_ns == 0);
            continue;
        }
        BL_ASSERT(s->after_ns > f->idle[i - 1].after_ns);
        BL_ASSERT(s->extra_mw < f->idle[i - 1].extra_mw);
    }
    if (f->idle_count > 0)
        BL_ASSERT(f->idle[f->idle_count - 1].extra_mw == 0);
}

void bl_freq_check(const struct bl_freq *f, uint32_t core_count)
{
    BL_ASSERT(f->pstate_count <= BL_PSTATES_MAX);
    if (f->pstate_count == 0)
        return;
    BL_ASSERT(f->domain_count >= 1 && f->domain_count <= BL_FREQ_DOMAINS_MAX);
    BL_ASSERT(f->domain_count <= core_count);
    BL_ASSERT(f->switch_ns >= 0 && f->switch_ns <= BL_FREQ_SWITCH_NS_MAX);
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        BL_ASSERT(f->pstate[i].khz > 0);
        if (i > 0)
            BL_ASSERT(f->pstate[i].khz < f->pstate[i - 1].khz);
        for (uint32_t k = 1; k < BL_POWER_POINTS; k++)
            BL_ASSERT(f->pstate[i].mw[k] >= f->pstate[i].mw[k - 1]);
    }
    check_idle(f);
}
