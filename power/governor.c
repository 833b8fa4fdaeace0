/* SPDX-License-Identifier: Apache-2.0 */
/* power/governor.c - governors by name, and what they all need. Which files
 * there are the Makefile knows: governors.inc is made of them. */
#include "power/governor.h"

#include "base/u128.h"

#include <string.h>

#define X(name) extern const struct bl_governor bl__governor_##name;
#include "governors.inc"
#undef X

static const struct bl_governor *const governors[] = {
#define X(name) &bl__governor_##name,
#include "governors.inc"
#undef X
};

#define GOVERNORS (sizeof(governors) / sizeof(governors[0]))

const struct bl_governor *bl_governor_at(uint32_t i)
{
    return i < GOVERNORS ? governors[i] : NULL;
}

const struct bl_governor *bl_governor_find(const char *name)
{
    for (size_t i = 0; i < GOVERNORS; i++)
        if (strcmp(governors[i]->name, name) == 0)
            return governors[i];
    return NULL;
}

void bl_governor_init(const struct bl_governor *g, void *state,
                      const struct bl_params *p, const struct bl_freq *freq)
{
    BL_ASSERT(freq->pstate_count >= 1);
    memset(state, 0, BL_GOVERNOR_STATE_BYTES);
    if (g->init != NULL)
        g->init(state, p, freq);
}

uint32_t bl_governor_pick(const struct bl_governor *g, void *state,
                          const struct bl_params *p,
                          const struct bl_domain_view *v)
{
    BL_ASSERT(v->fastest <= v->slowest);
    BL_ASSERT(v->slowest < v->freq->pstate_count);
    BL_ASSERT(v->pstate < v->freq->pstate_count);
    BL_ASSERT(v->core_count >= 1 && v->core_count <= v->host_core_count);
    BL_ASSERT(v->window_ns > 0);
    BL_ASSERT(v->busy_ppm <= 1000000 && v->busy_core_ppm <= 1000000);

    const uint32_t i = g->pick(state, p, v);

    BL_ASSERT(i >= v->fastest && i <= v->slowest);
    return i;
}

uint32_t bl_pstate_for(const struct bl_domain_view *v, uint64_t khz,
                       uint64_t core_khz)
{
    for (uint32_t i = v->slowest; i > v->fastest; i--) {
        const uint64_t speed = v->freq->pstate[i].khz;

        if (speed >= core_khz && speed * v->core_count >= khz)
            return i;
    }
    return v->fastest;
}

uint64_t bl_domain_mw(const struct bl_domain_view *v, uint32_t pstate,
                      uint64_t khz)
{
    const struct bl_pstate *s = &v->freq->pstate[pstate];
    const uint64_t all = s->khz * v->core_count;
    const uint64_t done = khz < all ? khz : all;
    const uint64_t tenths = done * (BL_POWER_POINTS - 1);
    const uint64_t i = tenths / all, part = tenths % all;
    bl_u128 sum = (bl_u128)s->mw[i] * (all - part); /* mW * all */

    if (part > 0)
        sum += (bl_u128)s->mw[i + 1] * part;
    return (uint64_t)(sum * v->core_count /
                      ((bl_u128)all * v->host_core_count));
}
