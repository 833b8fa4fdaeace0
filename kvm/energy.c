/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm/energy.h"

#include "base/u128.h"
#include "base/units.h"

void bl_energy_start(struct bl_energy *c, uint64_t range_uj)
{
    BL_ASSERT(range_uj <= INT64_MAX);
    *c = (struct bl_energy){ .range_uj = range_uj };
}

bl_err bl_energy_add(struct bl_energy *c, uint64_t reading_uj,
                     uint64_t *delta_uj)
{
    const bool back = c->started && reading_uj < c->last_uj;
    uint64_t delta = 0;

    if (c->range_uj != 0 && reading_uj > c->range_uj)
        return BL_ERR_INVAL;
    if (back && c->range_uj == 0)
        return BL_ERR_INVAL;
    if (back)
        delta = c->range_uj - c->last_uj + reading_uj + 1;
    else if (c->started)
        delta = reading_uj - c->last_uj;
    if (delta > UINT64_MAX - c->total_uj)
        return BL_ERR_FULL;
    c->started = true;
    c->last_uj = reading_uj;
    c->total_uj += delta;
    c->wrap_count += back ? 1 : 0;
    *delta_uj = delta;
    return BL_ERR_OK;
}

/* a * 10^9 / b, at most 2^63 - 1. */
static uint64_t per_ns(uint64_t a, uint64_t b)
{
    const bl_u128 q = (bl_u128)a * (uint64_t)BL_NS_PER_S / b;

    return q > INT64_MAX ? INT64_MAX : (uint64_t)q;
}

uint64_t bl_energy_power_uw(uint64_t delta_uj, uint64_t elapsed_ns)
{
    BL_ASSERT(elapsed_ns > 0);
    return per_ns(delta_uj, elapsed_ns);
}

uint64_t bl_energy_safe_ns(uint64_t range_uj, uint64_t power_max_uw)
{
    BL_ASSERT(range_uj > 0);
    BL_ASSERT(power_max_uw > 0);
    return per_ns(range_uj, power_max_uw);
}
