/* SPDX-License-Identifier: Apache-2.0 */
#include "power/dvfs.h"

#include "base/u128.h"

#define TENTHS (BL_POWER_POINTS - 1)

/* What follows V^2 f, or V: of P-state @i against the fastest one. */
struct ratio {
    bl_u128 over, under;
};

static uint64_t volt(const struct bl_pstate *p)
{
    return p->uv > 0 ? p->uv : 1;
}

static struct ratio switching(const struct bl_freq *f, uint32_t i)
{
    const struct bl_pstate *p = &f->pstate[i], *top = &f->pstate[0];

    return (struct ratio){ (bl_u128)(volt(p) * volt(p)) * p->khz,
                           (bl_u128)(volt(top) * volt(top)) * top->khz };
}

static void check(const struct bl_freq *f)
{
    BL_ASSERT(f->pstate_count >= 1 && f->pstate_count <= BL_PSTATES_MAX);
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        BL_ASSERT(f->pstate[i].khz >= 1);
        BL_ASSERT(f->pstate[i].khz <= BL_CORE_KHZ_MAX);
        BL_ASSERT(f->pstate[i].uv <= BL_VOLT_UV_MAX);
        BL_ASSERT((f->pstate[i].uv > 0) == (f->pstate[0].uv > 0));
    }
}

/* over / under to the nearest, halves up; 2^63 stands for more, so that a power
 * may be added. */
static uint64_t nearest(bl_u128 over, bl_u128 under)
{
    BL_ASSERT(under > 0);

    const bl_u128 q = (over + under / 2) / under;

    return q > UINT64_MAX / 2 ? UINT64_MAX / 2 + 1 : (uint64_t)q;
}

bl_err bl_dvfs_scale(struct bl_freq *f, const uint32_t table[BL_POWER_POINTS])
{
    struct bl_freq made = *f;

    check(f);
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        const struct ratio r = switching(f, i);

        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            BL_ASSERT(table[k] >= table[0]);

            const uint64_t mw =
                table[0] + nearest((table[k] - table[0]) * r.over, r.under);

            if (mw > BL_POWER_MW_MAX)
                return BL_ERR_INVAL;
            made.pstate[i].mw[k] = (uint32_t)mw;
        }
    }
    *f = made;
    return BL_ERR_OK;
}

bl_err bl_dvfs_apply(struct bl_freq *f, uint32_t core_count,
                     const struct bl_dvfs_model *m)
{
    struct bl_freq made = *f;

    check(f);
    BL_ASSERT(core_count >= 1 && core_count <= BL_HOST_CORES_MAX);
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        const struct ratio r = switching(f, i);
        /* leakage over the same denominator: V/V0 = V V0 f0 / (V0^2 f0) */
        const bl_u128 leak =
            (bl_u128)(volt(&f->pstate[i]) * volt(&f->pstate[0])) *
            f->pstate[0].khz;
        const bl_u128 core = m->leak_mw * leak + m->switch_mw * r.over;

        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            const uint64_t mw =
                m->static_mw + nearest(core * core_count * k, r.under * TENTHS);

            if (mw > BL_POWER_MW_MAX)
                return BL_ERR_INVAL;
            made.pstate[i].mw[k] = (uint32_t)mw;
        }
    }
    *f = made;
    return BL_ERR_OK;
}
