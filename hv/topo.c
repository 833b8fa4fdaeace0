/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/topo.h"

#include "base/units.h"

#define DISTANCE_OTHER 20u

void bl_topo_grid(uint32_t nodes, uint32_t llcs, uint32_t cores,
                  uint32_t threads, struct bl_topo *out)
{
    const uint64_t all = (uint64_t)nodes * llcs * cores * threads;

    BL_ASSERT(nodes >= 1 && nodes <= BL_HOST_NODES_MAX);
    BL_ASSERT(llcs >= 1 && cores >= 1 && threads >= 1);
    BL_ASSERT(all <= BL_PCPUS_MAX);
    *out = (struct bl_topo){ .pcpu_count = (uint32_t)all,
                             .core_count = nodes * llcs * cores,
                             .llc_count = nodes * llcs,
                             .node_count = nodes,
                             .smt_max = threads };
    for (uint32_t p = 0; p < out->pcpu_count; p++) {
        out->core_of[p] = (uint16_t)(p / threads);
        out->llc_of[p] = (uint16_t)(p / (threads * cores));
        out->node_of[p] = (uint16_t)(p / (threads * cores * llcs));
    }
    for (uint32_t i = 0; i < out->core_count; i++)
        out->core[i] = (struct bl_topo_range){ (uint16_t)(i * threads),
                                               (uint16_t)threads };
    for (uint32_t i = 0; i < out->llc_count; i++)
        out->llc[i] = (struct bl_topo_range){ (uint16_t)(i * threads * cores),
                                              (uint16_t)(threads * cores) };
    for (uint32_t i = 0; i < nodes; i++) {
        const uint32_t size = threads * cores * llcs;

        out->node[i] =
            (struct bl_topo_range){ (uint16_t)(i * size), (uint16_t)size };
        for (uint32_t k = 0; k < nodes; k++)
            out->distance[i][k] = i == k ? BL_DISTANCE_LOCAL : DISTANCE_OTHER;
    }
}

enum bl_topo_reach bl_topo_reach(const struct bl_topo *t, uint32_t a,
                                 uint32_t b)
{
    BL_ASSERT(a < t->pcpu_count && b < t->pcpu_count);
    if (a == b)
        return BL_REACH_SAME;
    if (t->core_of[a] == t->core_of[b])
        return BL_REACH_CORE;
    if (t->llc_of[a] == t->llc_of[b])
        return BL_REACH_LLC;
    return t->node_of[a] == t->node_of[b] ? BL_REACH_NODE : BL_REACH_HOST;
}

uint32_t bl_smt_rate_ppm(uint32_t smt_ppm, uint32_t threads, uint32_t busy)
{
    BL_ASSERT(busy >= 1 && busy <= threads);
    BL_ASSERT(smt_ppm >= BL_PPM);
    if (busy == 1)
        return (uint32_t)BL_PPM;

    const uint64_t more = (uint64_t)(smt_ppm - (uint32_t)BL_PPM) * (busy - 1);

    return (uint32_t)(((uint64_t)BL_PPM + more / (threads - 1)) / busy);
}

/* The ranges of one level tile 0 .. pcpu_count - 1 and agree with @of. */
static void check_level(const struct bl_topo *t,
                        const struct bl_topo_range *range, uint32_t count,
                        const uint16_t *of)
{
    uint32_t next = 0;

    BL_ASSERT(count >= 1);
    for (uint32_t i = 0; i < count; i++) {
        BL_ASSERT(range[i].first == next);
        BL_ASSERT(range[i].count >= 1);
        for (uint32_t k = 0; k < range[i].count; k++)
            BL_ASSERT(of[next + k] == i);
        next += range[i].count;
    }
    BL_ASSERT(next == t->pcpu_count);
}

void bl_topo_check(const struct bl_topo *t)
{
    uint32_t most = 0;

    BL_ASSERT(t->pcpu_count >= 1 && t->pcpu_count <= BL_PCPUS_MAX);
    BL_ASSERT(t->node_count <= BL_HOST_NODES_MAX);
    check_level(t, t->core, t->core_count, t->core_of);
    check_level(t, t->llc, t->llc_count, t->llc_of);
    check_level(t, t->node, t->node_count, t->node_of);
    for (uint32_t i = 0; i < t->core_count; i++)
        most = t->core[i].count > most ? t->core[i].count : most;
    BL_ASSERT(t->smt_max == most);
    for (uint32_t i = 0; i < t->node_count; i++)
        for (uint32_t k = 0; k < t->node_count; k++)
            BL_ASSERT(t->distance[i][k] >= BL_DISTANCE_LOCAL);
}

struct bl_cpuset bl_cpuset_range(uint32_t first, uint32_t count)
{
    struct bl_cpuset s = { { 0 } };

    BL_ASSERT(first + count <= BL_PCPUS_MAX);
    for (uint32_t p = first; p < first + count; p++)
        bl_cpuset_add(&s, p);
    return s;
}

uint32_t bl_cpuset_count(const struct bl_cpuset *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < BL_CPUSET_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(s->word[i]);
    return n;
}

bool bl_cpuset_equal(const struct bl_cpuset *a, const struct bl_cpuset *b)
{
    for (uint32_t i = 0; i < BL_CPUSET_WORDS; i++)
        if (a->word[i] != b->word[i])
            return false;
    return true;
}

uint32_t bl_cpuset_next(const struct bl_cpuset *a, const struct bl_cpuset *b,
                        uint32_t from, uint32_t end)
{
    while (from < end) {
        const uint64_t rest =
            (a->word[from / 64] & b->word[from / 64]) >> (from % 64);

        if (rest != 0) {
            from += (uint32_t)__builtin_ctzll(rest);
            return from < end ? from : BL_NO_PCPU;
        }
        from = (from / 64 + 1) * 64;
    }
    return BL_NO_PCPU;
}
