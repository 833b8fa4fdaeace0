/* SPDX-License-Identifier: Apache-2.0 */
#include "power/cap_divide.h"

#include <stddef.h>

static uint64_t idle_mw(const struct bl_cap_member *m)
{
    if (m->freq == NULL)
        return m->fixed_mw;
    return m->freq->pstate[m->freq->pstate_count - 1].mw[0];
}

/* For @khz, above idling; at most all that it has. */
static uint64_t above_idle_mw(const struct bl_cap_member *m, uint64_t khz)
{
    const uint64_t all = m->freq->pstate[0].khz * m->core_count;

    return bl_cap_budget_for(m->freq, m->core_count, khz < all ? khz : all) -
           idle_mw(m);
}

static struct bl_claim claim_of(const struct bl_cap_member *m)
{
    struct bl_claim c = { .shares = m->shares > 0 ? m->shares : 1 };

    if (m->freq == NULL)
        return c;
    c.reservation = above_idle_mw(m, m->reserved_khz);
    c.limit = above_idle_mw(m, UINT64_MAX);
    c.demand = above_idle_mw(
        m, m->demand_khz > m->reserved_khz ? m->demand_khz : m->reserved_khz);
    return c;
}

struct bl_cap_division bl_cap_divide(uint64_t budget_mw,
                                     const struct bl_cap_member *member,
                                     uint32_t n, uint64_t *out,
                                     struct bl_claim *claim, uint32_t *scratch)
{
    struct bl_cap_division d = { .entitled = BL_ENTITLED_ALL };
    uint64_t idle = 0, need = 0, rest;

    for (uint32_t i = 0; i < n; i++) {
        claim[i] = claim_of(&member[i]);
        idle += idle_mw(&member[i]);
        need += claim[i].reservation;
    }
    rest = budget_mw > idle ? budget_mw - idle : 0;
    d.entitled = bl_entitle(rest, claim, n, out, scratch);
    if (budget_mw < idle + need) {
        d.entitled = BL_ENTITLED_RESERVED;
        d.short_mw = idle + need - budget_mw;
    } else {
        /* lend what is left over */
        for (uint32_t i = 0; i < n; i++) {
            claim[i].reservation = out[i];
            claim[i].demand = claim[i].limit;
        }
        bl_entitle(rest, claim, n, out, scratch);
    }
    for (uint32_t i = 0; i < n; i++)
        out[i] += idle_mw(&member[i]);
    return d;
}
