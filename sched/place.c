/* SPDX-License-Identifier: Apache-2.0 */
#include "sched/place.h"

static bool core_idle(const struct bl_sched *s, uint32_t p)
{
    return s->busy[s->topo->core_of[p]] == 0;
}

/* An idle pCPU of @r for @v, from @near upwards, then from its start. */
static uint32_t find_in(const struct bl_sched *s, uint32_t v, uint32_t near,
                        struct bl_topo_range r, bool whole)
{
    const uint32_t first = r.first, end = first + r.count;
    uint32_t from = near >= first && near < end ? near : first;
    const uint32_t stop = from;
    bool around = false;

    for (;;) {
        const uint32_t p = bl_cpuset_next(&s->idle, &s->affinity[v], from,
                                          around ? stop : end);

        if (p != BL_NO_PCPU && (!whole || core_idle(s, p)))
            return p;
        if (p != BL_NO_PCPU) {
            from = p + 1;
        } else if (around) {
            return BL_NO_PCPU;
        } else {
            around = true;
            from = first;
        }
    }
}

static uint32_t find_near(const struct bl_sched *s, uint32_t v, uint32_t near,
                          bool whole)
{
    const struct bl_topo *t = s->topo;
    const struct bl_topo_range host = { 0, (uint16_t)t->pcpu_count };
    uint32_t p = find_in(s, v, near, t->llc[t->llc_of[near]], whole);

    if (p == BL_NO_PCPU && t->llc_count > t->node_count)
        p = find_in(s, v, near, t->node[t->node_of[near]], whole);
    if (p == BL_NO_PCPU && t->node_count > 1)
        p = find_in(s, v, near, host, whole);
    return p;
}

uint32_t bl__place_idle(const struct bl_sched *s, uint32_t v, uint32_t near)
{
    uint32_t p;

    if (s->idle_count == 0)
        return BL_NO_PCPU;
    if (s->topo->smt_max == 1)
        return find_near(s, v, near, false);
    p = find_near(s, v, near, true);
    return p != BL_NO_PCPU ? p : find_near(s, v, near, false);
}

uint32_t bl__place_any(const struct bl_sched *s, uint32_t v)
{
    const uint32_t n = s->topo->pcpu_count;
    const uint32_t p = bl_cpuset_next(&s->affinity[v], &s->all, v % n, n);

    return p != BL_NO_PCPU ? p : bl_cpuset_next(&s->affinity[v], &s->all, 0, n);
}
