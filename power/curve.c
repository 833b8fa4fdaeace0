/* SPDX-License-Identifier: Apache-2.0 */
#include "power/curve.h"

void bl_power_curve_init(struct bl_power_curve *c,
                         const struct bl_power_table *table)
{
    for (uint32_t i = 0; i < BL_POWER_POINTS; i++) {
        c->mw[i] = table->mw[i];
        c->watt[i] = table->mw[i] / 1000.0;
        c->tenth[i] = i / 10.0;
    }
    for (uint32_t i = 0; i + 1 < BL_POWER_POINTS; i++)
        c->delta[i] = (c->watt[i + 1] - c->watt[i]) / 10;
    c->delta[BL_POWER_POINTS - 1] = 0;
}
