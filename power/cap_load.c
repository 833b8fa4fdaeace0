/* SPDX-License-Identifier: Apache-2.0 */
#include "power/cap_load.h"

void bl_cap_load_init(struct bl_cap_load *c, const struct bl_freq *freq,
                      uint32_t core_count)
{
    BL_ASSERT(freq->pstate_count >= 1);
    c->core_count = core_count;
    c->pstate_count = freq->pstate_count;
    for (uint32_t p = 0; p < freq->pstate_count; p++) {
        c->one[p] = *freq;
        c->one[p].pstate_count = 1;
        c->one[p].pstate[0] = freq->pstate[p];
    }
}

uint64_t bl_cap_load_khz(const struct bl_cap_load *c, uint32_t pstate,
                         uint64_t budget_mw)
{
    const struct bl_cap_ceiling most =
        bl_cap_ceiling(&c->one[pstate], c->core_count, budget_mw);

    return most.feasible ? most.khz : 0;
}

static uint64_t core_khz_of(const struct bl_cap_load *c, uint32_t pstate)
{
    return c->one[pstate].pstate[0].khz;
}

uint64_t bl_cap_load_mw(const struct bl_cap_load *c, uint64_t khz,
                        uint64_t core_khz)
{
    const uint64_t most = core_khz_of(c, 0) * c->core_count;
    uint64_t least = UINT64_MAX;

    if (khz > most)
        khz = most;
    for (uint32_t p = 0; p < c->pstate_count; p++) {
        uint64_t mw;

        if (p > 0 && (core_khz_of(c, p) < core_khz ||
                      core_khz_of(c, p) * c->core_count < khz))
            break;
        mw = bl_cap_budget_for(&c->one[p], c->core_count, khz);
        if (mw < least)
            least = mw;
    }
    return least;
}
