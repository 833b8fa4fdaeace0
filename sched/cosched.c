/* SPDX-License-Identifier: Apache-2.0 */
#include "sched/cosched.h"

bool bl__yield_to_sibling(struct bl_sched *s, uint32_t v, int64_t ahead_ns)
{
    struct bl__vm *m = &s->vm[s->vcpu[v].vm];
    const uint32_t p = s->vcpu[v].pcpu;

    if (p == BL_NO_PCPU || bl__is_spoken_for(s, p))
        return false;
    for (uint32_t i = 1; i <= m->count; i++) {
        const uint32_t at = m->first + (m->cursor + i) % m->count;

        if (s->vcpu[at].state != BL_VCPU_READY || !bl__may_run(s, at, p) ||
            bl_sched_lag_ns(s, at) < -ahead_ns)
            continue;
        m->cursor = at - m->first;
        s->total.urgent_count++;
        bl__force(s, p, at,
                  &(struct bl__why){ BL_SCHED_YIELDED_TO,
                                     { bl_sched_lag_ns(s, at), v } });
        return true;
    }
    return false;
}

/* The lower the better: idle, then the one that has had most. */
static int64_t price(const struct bl_sched *s, uint32_t p)
{
    const uint32_t c = s->pcpu[p].curr;

    return c == BL_NO_VCPU ? INT64_MIN : bl_sched_lag_ns(s, c);
}

uint32_t bl__find_room(const struct bl_sched *s, uint32_t v, uint32_t near,
                       const struct bl_cpuset *except, bl__yields_fn yields)
{
    const struct bl_topo *t = s->topo;
    enum bl_topo_reach best_reach = BL_REACH_COUNT;
    uint32_t best = BL_NO_PCPU;
    int64_t best_price = 0;

    for (uint32_t p = 0; p < t->pcpu_count; p++) {
        const bool idle = bl__is_idle(s, p);

        if (!bl__may_run(s, v, p) || bl_cpuset_has(except, p) ||
            bl__is_spoken_for(s, p) || !(idle || yields(s, p, v)))
            continue;

        /* within an LLC distance is not worth a worse victim */
        enum bl_topo_reach reach = bl_topo_reach(t, near, p);

        reach = reach < BL_REACH_LLC ? BL_REACH_LLC : reach;

        const int64_t cost = price(s, p);

        if (best == BL_NO_PCPU ||
            (cost == INT64_MIN) > (best_price == INT64_MIN) ||
            ((cost == INT64_MIN) == (best_price == INT64_MIN) &&
             (reach < best_reach ||
              (reach == best_reach && cost < best_price)))) {
            best = p;
            best_price = cost;
            best_reach = reach;
        }
    }
    return best;
}
