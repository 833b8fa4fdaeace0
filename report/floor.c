/* SPDX-License-Identifier: Apache-2.0 */
#include "report/floor.h"

#include "base/units.h"

#include <stdlib.h>

enum { TENTHS = BL_POWER_POINTS - 1 };

/* One piece of the envelope of all hosts of a group, or, for memory, all of
 * the group at once. */
struct segment {
    double slope; /* W per unit of load: the order in which loads are given */
    double load, watts;
    uint32_t group, index;
};

static int by_slope(const void *x, const void *y)
{
    const struct segment *a = x, *b = y;

    if (a->slope != b->slope)
        return a->slope < b->slope ? -1 : 1;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t asleep_mw(const struct bl_host_group *g, bool sleep_draws)
{
    return sleep_draws ? least(g->standby.power_mw, g->off.power_mw) : 0;
}

/* The lower convex envelope of (0, asleep or idle), (1, mw[1]) .. (10, mw[10]):
 * indices of its corners in corner[], their number returned. Exact: a corner
 * goes when it is not below the line from the one before it to the new one. */
static uint32_t envelope(const int64_t *mw, uint32_t *corner)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < BL_POWER_POINTS; i++) {
        while (n >= 2) {
            const uint32_t a = corner[n - 2], b = corner[n - 1];

            if ((mw[b] - mw[a]) * (i - a) < (mw[i] - mw[a]) * (b - a))
                break;
            n--;
        }
        corner[n++] = i;
    }
    return n;
}

static uint32_t cpu_segments(const struct bl_host_group *g, uint32_t group,
                             uint32_t asleep, struct segment *out)
{
    const double tenth_mhz =
        (double)(g->core_count * g->core_khz) / 1000 / TENTHS;
    int64_t mw[BL_POWER_POINTS];
    uint32_t corner[BL_POWER_POINTS];

    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        mw[i] = g->power.mw[i];
    mw[0] = least(asleep, g->power.mw[0]);

    const uint32_t corners = envelope(mw, corner);

    for (uint32_t k = 0; k + 1 < corners; k++) {
        const uint32_t a = corner[k], b = corner[k + 1];
        const double load = tenth_mhz * (b - a) * g->host_count;
        const double watts = (double)(mw[b] - mw[a]) / 1000 * g->host_count;

        out[k] = (struct segment){ .slope = watts / load,
                                   .load = load,
                                   .watts = watts,
                                   .group = group,
                                   .index = k };
    }
    return corners - 1;
}

static uint32_t awake_mw(const struct bl_host_group *g)
{
    uint32_t mw = g->power.mw[0];

    for (uint32_t i = 1; i < BL_POWER_POINTS; i++)
        mw = least(mw, g->power.mw[i]);
    return mw;
}

/* Sorts, and leaves running sums in load_sum[] and watt_sum[]. */
static void accumulate(struct segment *seg, uint32_t n, double base_w,
                       double *load_sum, double *watt_sum)
{
    double load = 0, watts = base_w;

    qsort(seg, n, sizeof(*seg), by_slope);
    for (uint32_t i = 0; i < n; i++) {
        load += seg[i].load;
        watts += seg[i].watts;
        load_sum[i] = load;
        watt_sum[i] = watts;
    }
}

void bl_floor_build(struct bl_floor *f, const struct bl_dc *dc,
                    bool sleep_draws, bool enforce_memory)
{
    struct segment seg[BL_FLOOR_SEGMENTS_MAX], mem[BL_HOST_GROUPS_MAX];

    BL_ASSERT(dc->host_group_count <= BL_HOST_GROUPS_MAX);
    *f = (struct bl_floor){ .cpu_count = 0 };
    for (uint32_t i = 0; i < dc->host_group_count; i++) {
        const struct bl_host_group *g = &dc->host_group[i];
        const uint32_t asleep = asleep_mw(g, sleep_draws);
        const uint32_t awake = awake_mw(g);
        const uint32_t low = least(asleep, awake);

        f->base_w +=
            (double)least(asleep, g->power.mw[0]) / 1000 * g->host_count;
        f->mem_base_w += (double)low / 1000 * g->host_count;
        f->cpu_count += cpu_segments(g, i, asleep, seg + f->cpu_count);
        if (!enforce_memory)
            continue;

        const double mib = (double)g->mem_bytes / BL_MIB * g->host_count;
        const double watts = (double)(awake - low) / 1000 * g->host_count;

        mem[f->mem_count++] = (struct segment){
            .slope = watts / mib, .load = mib, .watts = watts, .group = i
        };
    }
    accumulate(seg, f->cpu_count, f->base_w, f->cpu_mhz, f->cpu_w);
    accumulate(mem, f->mem_count, f->mem_base_w, f->mem_mib, f->mem_w);
}

/* The point at @load on the line through (0, base_w) and the sums. */
static double look_up(const double *load_sum, const double *watt_sum,
                      uint32_t n, double base_w, double load)
{
    uint32_t lo = 0, hi = n; /* the first sum >= load is in [lo, hi] */

    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;

        if (load_sum[mid] < load)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == n)
        return n > 0 ? watt_sum[n - 1] : base_w;

    const double from = lo > 0 ? load_sum[lo - 1] : 0;
    const double watts = lo > 0 ? watt_sum[lo - 1] : base_w;

    return watts +
           (watt_sum[lo] - watts) * ((load - from) / (load_sum[lo] - from));
}

double bl_floor_watts(const struct bl_floor *f, double cpu_mhz, double mem_mib)
{
    BL_ASSERT(cpu_mhz >= 0);
    BL_ASSERT(mem_mib >= 0);

    const double cpu_w =
        look_up(f->cpu_mhz, f->cpu_w, f->cpu_count, f->base_w, cpu_mhz);
    const double mem_w =
        look_up(f->mem_mib, f->mem_w, f->mem_count, f->mem_base_w, mem_mib);

    return cpu_w > mem_w ? cpu_w : mem_w;
}
