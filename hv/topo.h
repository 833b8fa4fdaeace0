/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/topo.h - the pCPUs of one host and how near they are to one another.
 *
 * pCPUs (hardware threads) are numbered in topology order: the threads of a
 * core are neighbours, then the cores of a last-level cache (LLC), then the
 * caches of a NUMA node. So every core, LLC and node is a contiguous range.
 * Plain data: config/ makes it from hwloc (a synthetic string or the XML of a
 * captured machine), tests by hand with bl_topo_grid().
 *
 * Layer        hv (L1).
 * Units        distances as in an ACPI SLIT: 10 is local.
 * Ownership    a bl_topo is a value; no pointers.
 * Allocation   none.
 * Errors       bl_topo_grid() asserts its ranges; bl_topo_check() asserts the
 *              invariants above.
 * Threads      read-only once made.
 * Determinism  numbers follow from the topology alone.
 * Limits       BL_PCPUS_MAX, BL_HOST_NODES_MAX.
 */
#ifndef BL_HV_TOPO_H
#define BL_HV_TOPO_H

#include "hv/model.h"

#define BL_PCPUS_MAX 256u
#define BL_DISTANCE_LOCAL 10u

struct bl_topo_range {
    uint16_t first, count; /* pCPUs */
};

/* How far a vCPU moves, near to far; indexes counts of migrations. */
enum bl_topo_reach {
    BL_REACH_SAME, /* the same pCPU */
    BL_REACH_CORE, /* an SMT sibling */
    BL_REACH_LLC,
    BL_REACH_NODE,
    BL_REACH_HOST,
    BL_REACH_COUNT
};

struct bl_topo {
    uint32_t pcpu_count, core_count, llc_count, node_count;
    uint32_t smt_max; /* most threads on one core */
    uint16_t core_of[BL_PCPUS_MAX], llc_of[BL_PCPUS_MAX];
    uint16_t node_of[BL_PCPUS_MAX];
    struct bl_topo_range core[BL_PCPUS_MAX], llc[BL_PCPUS_MAX];
    struct bl_topo_range node[BL_HOST_NODES_MAX];
    uint32_t distance[BL_HOST_NODES_MAX][BL_HOST_NODES_MAX];
};

/** bl_topo_grid - a regular machine: @nodes of @llcs of @cores of @threads,
 * every other node at distance 20. */
void bl_topo_grid(uint32_t nodes, uint32_t llcs, uint32_t cores,
                  uint32_t threads, struct bl_topo *out);

/* How far pCPU @b is from pCPU @a. */
enum bl_topo_reach bl_topo_reach(const struct bl_topo *t, uint32_t a,
                                 uint32_t b);

/** bl_smt_rate_ppm - how fast each of @busy threads of a core of @threads runs,
 * of one alone, when all together do @smt_ppm of one alone; in between linear:
 * (1 + (smt - 1) * (busy - 1) / (threads - 1)) / busy. */
uint32_t bl_smt_rate_ppm(uint32_t smt_ppm, uint32_t threads, uint32_t busy);

/* BL_ASSERT every invariant, O(pCPUs + nodes^2). */
void bl_topo_check(const struct bl_topo *t);

/* ---- sets of pCPUs ------------------------------------------------------ */

#define BL_CPUSET_WORDS (BL_PCPUS_MAX / 64)

struct bl_cpuset {
    uint64_t word[BL_CPUSET_WORDS];
};

static inline bool bl_cpuset_has(const struct bl_cpuset *s, uint32_t p)
{
    return (s->word[p / 64] >> (p % 64)) & 1;
}

static inline void bl_cpuset_add(struct bl_cpuset *s, uint32_t p)
{
    s->word[p / 64] |= UINT64_C(1) << (p % 64);
}

static inline void bl_cpuset_remove(struct bl_cpuset *s, uint32_t p)
{
    s->word[p / 64] &= ~(UINT64_C(1) << (p % 64));
}

/* The pCPUs @first .. @first + @count - 1. */
struct bl_cpuset bl_cpuset_range(uint32_t first, uint32_t count);
uint32_t bl_cpuset_count(const struct bl_cpuset *s);
bool bl_cpuset_equal(const struct bl_cpuset *a, const struct bl_cpuset *b);

/* The lowest member of both @a and @b that is at least @from and below @end;
 * BL_NO_PCPU when there is none. */
#define BL_NO_PCPU UINT32_MAX
uint32_t bl_cpuset_next(const struct bl_cpuset *a, const struct bl_cpuset *b,
                        uint32_t from, uint32_t end);

#endif /* BL_HV_TOPO_H */
