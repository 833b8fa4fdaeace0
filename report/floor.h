/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/floor.h - the least energy any policy could have used.
 *
 * Source     DESIGN.md 5.5; the linear-programming relaxation of bin packing
 *            with each host's power replaced by its lower convex envelope.
 * Idea       at every instant the demand x must be carried by some hosts; with
 *            env_h the lower convex envelope of {asleep, power curve}, no
 *            placement can draw less than min sum env_h(x_h), sum x_h = x. As
 *            every env_h is convex and piecewise linear, the minimum takes
 *            segments in order of slope: built once, looked up in O(log n).
 * Bound      a policy's energy is never below it (tested on every golden run).
 * Deviation  none in the bound; migration, transition and bin-packing losses
 *            are ignored, so it is optimistic.
 * Cost       build O(groups * points log), query O(log segments).
 *
 * Layer        report (L3).       Units  MHz or MiB in, W out.
 * Ownership    a value; no allocation.    Threads  read-only after build.
 */
#ifndef BL_REPORT_FLOOR_H
#define BL_REPORT_FLOOR_H

#include "hv/model.h"

#define BL_FLOOR_SEGMENTS_MAX (BL_HOST_GROUPS_MAX * BL_POWER_POINTS)

/* Sleeping hosts draw nothing under cloudsim303, their deepest state's power
 * under real. A host that holds memory is awake, at any load. */
struct bl_floor {
    double base_w,
        mem_base_w; /* all hosts asleep, or idle where that is less */
    uint32_t cpu_count, mem_count;
    /* cumulative capacity and power up to and with segment i, by slope */
    double cpu_mhz[BL_FLOOR_SEGMENTS_MAX], cpu_w[BL_FLOOR_SEGMENTS_MAX];
    double mem_mib[BL_HOST_GROUPS_MAX], mem_w[BL_HOST_GROUPS_MAX];
};

/** bl_floor_build - the segments of every host of @dc, sorted.
 * @sleep_draws: count the power of the deepest sleep state.
 * @enforce_memory: memory can force hosts on; else it is ignored. */
void bl_floor_build(struct bl_floor *f, const struct bl_dc *dc,
                    bool sleep_draws, bool enforce_memory);

/* Watts needed at least to carry @cpu_mhz and @mem_mib at once: the larger of
 * the two bounds. Demand beyond all capacity counts as all capacity. */
double bl_floor_watts(const struct bl_floor *f, double cpu_mhz, double mem_mib);

#endif /* BL_REPORT_FLOOR_H */
