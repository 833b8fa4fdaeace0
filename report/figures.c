/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a run, from the one table of report.h. */
#include "report/report.h"

enum { REAL, WHOLE };

const struct bl_figure_def *bl_figure_def(uint32_t i)
{
    static const struct bl_figure_def def[BL_FIGURE_COUNT] = {
#define FIGURE_DEF(key, kind, unit, text, value)                               \
    { #key, unit, text, (kind) == WHOLE },
        BL_FIGURE_MAP(FIGURE_DEF)
#undef FIGURE_DEF
    };

    BL_ASSERT(i < BL_FIGURE_COUNT);
    return &def[i];
}

void bl_figures(const struct bl_result *r, double *value)
{
#define FIGURE_VALUE(key, kind, unit, text, expr)                              \
    value[BL_FIGURE_##key] = (expr);
    BL_FIGURE_MAP(FIGURE_VALUE)
#undef FIGURE_VALUE
}

double bl_result_hosts_on_mean(const struct bl_result *r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->steps; i++)
        sum += r->step[i].hosts_on;
    return r->steps > 0 ? (double)sum / r->steps : 0;
}

uint64_t bl_result_refused(const struct bl_result *r)
{
    uint64_t sum = 0;

    for (uint32_t v = 0; v < BL_VERDICT_COUNT; v++)
        if (!bl_verdict_accepted((enum bl_verdict)v))
            sum += r->refusals[v];
    return sum;
}
