/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_cost - what the start of a run costs, and how fast a vCPU works.
 *
 * Source     doc/models/dispatch.md, Costs: where each figure comes from.
 * Idea       a start costs time of the pCPU in which nothing useful is done:
 *            an idle pCPU reacts (dispatch) or one vCPU makes room for another
 *            (switch); the caches are filled again, by how far the vCPU moved;
 *            and the exit by which it left a pCPU, with its entry now. Then
 *            work goes on at the core's speed (that of its P-state), shared
 *            with busy threads of the core, less what the VM's emulator threads
 *            take.
 * Bound      run time is costs, work and spinning, to the nanosecond, on every
 *            pCPU (bl__host_check; test_hostsim works examples out by hand).
 * Deviation  costs are times, not work: neither a busy sibling thread nor a
 *            slow P-state makes them longer. The caches of the same pCPU are
 *            cold when any other vCPU ran there, however short.
 * Cost       O(1); no division at full speed.
 */
#include "sim/host_priv.h"

int64_t bl__host_start_cost(const struct bl_host_costs *c,
                            const struct host_pcpu *p, uint32_t v,
                            enum bl_topo_reach moved)
{
    int64_t ns = c->exit_ns + (p->idle ? c->dispatch_ns : c->switch_ns);

    if (moved != BL_REACH_SAME || p->last != v)
        ns += c->cache_ns[moved];
    return ns;
}

/* Of what runs on @p beside the other busy threads of its core; at least one
 * in a million, so that all work ends. */
uint32_t bl__host_rate_ppm(const struct bl_host_sim *s, uint32_t p)
{
    const struct bl_host_costs *c = &s->spec->costs;
    const uint32_t core = s->spec->topo.core_of[p];
    const uint32_t threads = s->spec->topo.core[core].count;
    uint64_t rate = (uint64_t)BL_PPM;

    if (threads > 1)
        rate = bl_smt_rate_ppm(c->smt_ppm, threads, s->core_busy[core]);
    if (s->power != NULL)
        rate = rate * bl__host_power_speed(s, p) / (uint64_t)BL_PPM;
    rate = rate * ((uint64_t)BL_PPM - c->emulator_ppm) / (uint64_t)BL_PPM;
    return rate > 0 ? (uint32_t)rate : 1;
}

int64_t bl__host_work(int64_t dt_ns, uint32_t rate_ppm, uint32_t *part_ppm)
{
    if (rate_ppm == BL_PPM)
        return dt_ns; /* what there is of a part stays */

    const bl_u128 x = (bl_u128)dt_ns * rate_ppm + *part_ppm;

    *part_ppm = (uint32_t)(x % (bl_u128)BL_PPM);
    return (int64_t)(x / (bl_u128)BL_PPM);
}

int64_t bl__host_time(int64_t left_ns, uint32_t rate_ppm, uint32_t part_ppm)
{
    if (rate_ppm == BL_PPM || left_ns == 0)
        return left_ns;

    const bl_u128 x = (bl_u128)left_ns * (bl_u128)BL_PPM - part_ppm;
    const bl_u128 ns = (x + rate_ppm - 1) / rate_ppm;

    return ns < (bl_u128)BL_SCHED_NS_MAX ? (int64_t)ns : BL_SCHED_NS_MAX;
}
