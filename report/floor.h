/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/floor.h - the least energy any policy could have used.
 *
 * Source     DESIGN.md 5.5; the linear-programming relaxation of placement:
 *            hosts and VMs may be cut in pieces, each host's power is the lower
 *            convex envelope of its measured points. doc/models/floor.md has
 *            the proofs.
 * Idea       demand x (CPU) and m (memory) must be carried by hosts that are
 *            awake, and what an awake host draws depends on its load. Without
 *            memory the cheapest way takes pieces of the envelopes in order of
 *            slope: built once, looked up in O(log n). With memory the two are
 *            priced: at any price of CPU and of memory, what hosts would draw
 *            less what their room is worth is a lower bound (weak duality);
 *            floor_joint.c finds the prices for which it is the least of all
 *            placements.
 * Bound      a policy's energy is never below it (tested on every golden run),
 *            nor any placement's power (tests/test_floor_lp.c); it equals the
 *            optimum that GLPK finds.
 * Deviation  none in the bound; migration and bin-packing losses are ignored,
 *            so it is optimistic. floor_cycle.h adds transitions.
 * Cost       build O(groups * segments) on a few KiB of stack; query O(log
 *            segments) without memory, with it about six rounds of O(groups *
 *            corners).
 *
 * Layer        report (L3).       Units  MHz or MiB in, W out.
 * Ownership    a value; no allocation.    Threads  read-only after build.
 * Errors       none.
 * Determinism  the same doubles in, the same double out: no state, + - * /
 *              only.          Limits  BL_FLOOR_CORNERS_MAX corners of all
 *              groups.
 */
#ifndef BL_REPORT_FLOOR_H
#define BL_REPORT_FLOOR_H

#include "hv/model.h"

/* Measured points of a host group. */
#define BL_FLOOR_POINTS_MAX (BL_POWER_POINTS * BL_PSTATES_MAX)
#define BL_FLOOR_CORNERS_MAX (BL_HOST_GROUPS_MAX * BL_FLOOR_POINTS_MAX)
#define BL_FLOOR_SEGMENTS_MAX BL_FLOOR_CORNERS_MAX

/* A host group as the joint bound sees it: corner[first .. first + count) is
 * the lower convex envelope of one host that is awake. */
struct bl_floor_group {
    double hosts, mem_mib; /* how many; of one host */
    double size_w;         /* the largest of its corners, without sign */
    uint32_t first, count;
};

struct bl_floor_corner {
    double mhz, w; /* load; power above that of a sleeping host */
};

/* Sleeping hosts draw nothing under cloudsim303, their deepest state's power
 * under real. A host that holds memory is awake, at any load. */
struct bl_floor {
    double base_w,
        mem_base_w; /* all hosts asleep, or idle where that is less */
    uint32_t cpu_count, mem_count;
    /* cumulative capacity and power up to and with segment i, by slope */
    double cpu_mhz[BL_FLOOR_SEGMENTS_MAX], cpu_w[BL_FLOOR_SEGMENTS_MAX];
    double mem_mib[BL_HOST_GROUPS_MAX], mem_w[BL_HOST_GROUPS_MAX];
    /* the joint bound */
    uint32_t group_count, corner_count;
    double asleep_w;  /* all hosts asleep */
    double price_top; /* W per MHz at which all hosts are worth their power */
    struct bl_floor_group group[BL_HOST_GROUPS_MAX];
    struct bl_floor_corner corner[BL_FLOOR_CORNERS_MAX];
};

/** bl_floor_build - the segments of every host of @dc, in order.
 * @sleep_draws: count the power of the deepest sleep state.
 * @enforce_memory: memory can force hosts on; else it is ignored. */
void bl_floor_build(struct bl_floor *f, const struct bl_dc *dc,
                    bool sleep_draws, bool enforce_memory);

/* Watts needed at least to carry @cpu_mhz and @mem_mib at once. Never below
 * bl_floor_watts_apart(). Demand beyond all capacity counts as all capacity. */
double bl_floor_watts(const struct bl_floor *f, double cpu_mhz, double mem_mib);

/* The weaker bound, for comparison: the larger of CPU alone and memory alone.
 * Without memory to enforce, the two are the same. */
double bl_floor_watts_apart(const struct bl_floor *f, double cpu_mhz,
                            double mem_mib);

#endif /* BL_REPORT_FLOOR_H */
