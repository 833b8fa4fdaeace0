/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize_cost - watts, joules, and what they are weighed against.
 *
 * Source     Lin, Wierman, Andrew, Thereska, INFOCOM 2011: a data centre is
 *            right-sized where what is saved by a server that is off pays for
 *            switching it; the prices of service and wear are the operator's.
 * Idea       everything in joules. A host's power is its measured table. The
 *            kinds of servers are ranked by watts for each average VM when
 *            filled with such VMs, by the resource that they run out of first:
 *            where memory is scarce, the cheapest idle machine wins, where CPU
 *            is, the one with the best load.
 * Bound      best load and rank against hand-made tables
 *            (test_rightsize_place).
 * Cost       O(1) for each question, O(groups^2) for a ranking.
 */
#include "cluster/rightsize_priv.h"

#include <math.h>

#define GIGABIT 1e9
/* A VM that migrates runs a tenth slower: Voorsluys et al., CloudCom 2009, as
 * used by Beloglazov and Buyya, 2012. */
#define MOVE_SLOWS 0.1
#define MIB 1048576.0

static double best_load(const struct bl_power_table *t)
{
    uint32_t best = BL_POWER_POINTS - 1;

    for (uint32_t i = best - 1; i >= 1; i--) /* P(i) / i, without division */
        if ((uint64_t)t->mw[i] * best < (uint64_t)t->mw[best] * i)
            best = i;
    return best / 10.0;
}

/* CPU time at both ends, at the slope of the whole table. */
static double migration_j_per_byte(const struct bl_dc *dc,
                                   const struct bl_host_group *g)
{
    const double cores_s = dc->migration.cpu_ppm_per_gbit / 1e6 * 8 / GIGABIT;
    const double watts =
        ((double)g->power.mw[BL_POWER_POINTS - 1] - g->power.mw[0]) / 1000;

    return 2 * cores_s * watts / g->core_count;
}

static double cycle_j(const struct bl_sleep_state *s)
{
    return ((double)s->enter.energy_uj + (double)s->leave.energy_uj) / 1e6;
}

static double flattest_w_per_mhz(const struct rs_group *g)
{
    double least = 0;

    for (uint32_t i = 0; i + 1 < BL_POWER_POINTS; i++) {
        const double w =
            (g->curve.watt[i + 1] - g->curve.watt[i]) * 10 / g->capacity_mhz;

        least = i == 0 || w < least ? w : least;
    }
    return least;
}

void bl__rs_cost_create(struct rs *rs)
{
    for (uint32_t i = 0; i < rs->dc->host_group_count; i++) {
        const struct bl_host_group *from = &rs->dc->host_group[i];
        const struct bl_sleep_state *sleep =
            rs->opts.sleep == RS_SLEEP_OFF ? &from->off : &from->standby;
        struct rs_group *g = &rs->group[i];

        bl_power_curve_init(&g->curve, &from->power);
        g->count = from->host_count;
        g->capacity_mhz =
            (double)from->core_count * (double)from->core_khz / 1000;
        g->best_load =
            rs->opts.target > 0 ? rs->opts.target : best_load(&from->power);
        g->j_per_byte = migration_j_per_byte(rs->dc, from);
        g->off = rs->opts.sleep == RS_SLEEP_OFF;
        g->asleep_w = sleep->power_mw / 1e3;
        g->cycle_j = cycle_j(sleep);
        if (rs->opts.sleep == RS_SLEEP_NONE) { /* it stays as it is */
            g->asleep_w = g->curve.watt[0];
            g->cycle_j = 0;
        }
        g->wake_s = (double)sleep->leave.time_ns / 1e9;
        rs->by_rank[i] = i;
        if (i == 0 || flattest_w_per_mhz(g) < rs->least_w_per_mhz)
            rs->least_w_per_mhz = flattest_w_per_mhz(g);
    }
}

/* How many average VMs fill a host, by the resource that ends first. */
static double filling_vms(const struct rs *rs, uint32_t group)
{
    const struct rs_fleet *f = &rs->fleet;
    const struct rs_group *g = &rs->group[group];
    const double mem = (double)rs->dc->host_group[group].mem_bytes;
    double vms = rs->slot_count;

    if (f->level_mhz > 0 && g->capacity_mhz * g->best_load / f->level_mhz < vms)
        vms = g->capacity_mhz * g->best_load / f->level_mhz;
    if (rs->s->can & BL_CAN_ENFORCE_MEMORY && f->mem_bytes > 0 &&
        mem / f->mem_bytes < vms)
        vms = mem / f->mem_bytes;
    return vms > 1 ? vms : 1;
}

/* Watts for each average VM on a host that is filled with them. */
static double watts_per_vm(const struct rs *rs, uint32_t group)
{
    const struct rs_group *g = &rs->group[group];
    const double load = g->filling_vms * rs->fleet.level_mhz / g->capacity_mhz;

    return bl_power_watts(&g->curve, load < 1 ? load : 1) / g->filling_vms;
}

/* Before anything is known: watts for each MHz at the best load. */
static double watts_per_mhz(const struct rs_group *g)
{
    return bl_power_watts(&g->curve, g->best_load) /
           (g->best_load * g->capacity_mhz);
}

void bl__rs_rank_groups(struct rs *rs)
{
    const uint32_t n = rs->dc->host_group_count;

    for (uint32_t i = 0; i < n; i++) {
        struct rs_group *g = &rs->group[i];

        g->filling_vms = filling_vms(rs, i);
        g->move_j = g->curve.watt[0] / g->filling_vms * rs->opts.move_s;
        g->watts_per_vm =
            rs->fleet.known ? watts_per_vm(rs, i) : watts_per_mhz(g);
    }
    for (uint32_t i = 0; i < n; i++)
        rs->by_rank[i] = i;
    for (uint32_t i = 1; i < n; i++) {
        const uint32_t g = rs->by_rank[i];
        uint32_t k = i;

        while (k > 0 && rs->group[rs->by_rank[k - 1]].watts_per_vm >
                            rs->group[g].watts_per_vm) {
            rs->by_rank[k] = rs->by_rank[k - 1];
            k--;
        }
        rs->by_rank[k] = g;
    }
    for (uint32_t i = 0; i < n; i++)
        rs->group[rs->by_rank[i]].rank = i;
}

double bl__rs_watts(const struct rs *rs, uint32_t host, double mhz)
{
    const double u = mhz / rs->s->host.capacity_mhz_now[host];

    return bl_power_watts(&rs_group_of(rs, host)->curve, u < 0   ? 0
                                                         : u < 1 ? u
                                                                 : 1);
}

/* Seconds of its demand that a VM loses by a migration. Where memory is real it
 * is copied ahead, and the VM stops for the rest. */
static double lost_s(const struct rs *rs, uint32_t vm)
{
    if (rs->s->can & BL_CAN_ENFORCE_MEMORY)
        return (double)rs->dc->migration.downtime_ns_max / 1e9;
    return MOVE_SLOWS * bl__rs_move_bytes(rs, vm) /
           (rs->s->migration_mb_per_s * MIB);
}

/* What it draws, what is lost, and what it is thought to cost besides. */
double bl__rs_move_j(const struct rs *rs, uint32_t vm, uint32_t host)
{
    const struct rs_group *g = rs_group_of(rs, host);

    return g->move_j + g->j_per_byte * bl__rs_move_bytes(rs, vm) +
           lost_s(rs, vm) * rs->s->vm.demand_mhz[vm] * rs->opts.unserved_j;
}

/* What is likely not to be served within the horizon: what is not served now
 * for one interval, and then what the samples say. */
double bl__rs_risk_j(const struct rs *rs, uint32_t host,
                     const struct rs_load *l)
{
    const double excess = l->now_mhz - rs->s->host.capacity_mhz_now[host];
    const double rest = rs->horizon_s / rs->s->interval_s - 1;
    double j = 0;

    if (excess > 0)
        j = excess * rs->s->interval_s * rs->opts.unserved_j;
    return j + (rest > 0 ? rest * l->loss_j : 0);
}

/* Demand that is measured is seen an interval late: more must be kept free. */
double bl__rs_limit_mhz(const struct rs *rs, uint32_t host)
{
    const double late = rs->s->demand_is_oracle ? 0 : rs->opts.late;

    return rs->s->host.capacity_mhz_now[host] * (1 - rs->opts.headroom - late);
}

/* What a host may be asked for without a loss being likely: it is late when
 * more than half of what is kept free for lateness is gone. */
double bl__rs_safe_mhz(const struct rs *rs, uint32_t host)
{
    const double late = rs->s->demand_is_oracle ? 0 : rs->opts.late / 2;

    return rs->s->host.capacity_mhz_now[host] * (1 - late);
}

double bl__rs_target_mhz(const struct rs *rs, uint32_t host)
{
    return rs->s->host.capacity_mhz_now[host] *
           rs_group_of(rs, host)->best_load;
}
