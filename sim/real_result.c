/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_result - the figures of a run, and the hash of its final state.
 *
 * Source     doc/models/host.md: SLATAH, PDM and the energy floor.
 * Idea       sums over all hosts are kept as rates and integrated here, beside
 *            each host's own account; the two must agree in the end.
 * Bound      energy is never below the floor of what was served (asserted at
 *            the end of every run, for power tables that never fall).
 * Deviation  both definitions of SLATAH are the same here: a host is violated
 *            only while a VM gets less than it asks for within its limit.
 */
#include "base/units.h"
#include "sim/real_priv.h"

#define KHZ_NS_PER_MCYCLE UINT64_C(1000000000000)
#define PJ_PER_KWH 3.6e18
#define J_PER_KWH 3.6e6
#define PJ_PER_J 1e12
#define BYTE_NS_PER_MIB_S ((bl_u128)BL_MIB * (uint64_t)BL_NS_PER_S)

static double mcycles(bl_u128 work)
{
    return (double)work / (double)KHZ_NS_PER_MCYCLE;
}

static double kwh(bl_u128 pj)
{
    return (double)pj / PJ_PER_KWH;
}

static double ratio(bl_u128 part, bl_u128 all)
{
    return all > 0 ? (double)part / (double)all : 0;
}

/* ---- sums over time
 * ------------------------------------------------------------- */

static uint64_t floor_mw(const struct bl_real *r, uint64_t khz, bl_u128 bytes)
{
    return (uint64_t)(bl_floor_watts(&r->floor, (double)khz / 1000,
                                     (double)bytes / (double)BL_MIB) *
                      1000);
}

void bl__real_pass_time(struct bl_sim *sim, int64_t until_ns)
{
    struct bl_real *r = bl__real(sim);
    const bl_u128 dt = (uint64_t)(until_ns - r->sum_ns);
    struct bl_real_sums *s = &r->sum;

    BL_ASSERT(until_ns >= sim->now_ns);
    BL_ASSERT(r->dirty_count == 0);
    sim->now_ns = until_ns;
    if (dt == 0)
        return;
    if (r->floor_stale) {
        r->floor_mw = floor_mw(r, r->rate.demand_khz, r->rate.mem_bytes);
        r->floor_served_mw =
            floor_mw(r, r->rate.served_khz, r->rate.mem_have_bytes);
        r->floor_stale = false;
    }
    if (r->speeds != NULL)
        bl__real_caps_pass_time(r);
    s->demand += dt * r->rate.demand_khz;
    s->served += dt * r->rate.served_khz;
    s->energy_pj += dt * r->rate.power_mw;
    s->floor_pj += dt * r->floor_mw;
    s->floor_served_pj += dt * r->floor_served_mw;
    s->mem_used += dt * r->rate.mem_bytes;
    s->mem_run += dt * r->rate.mem_run_bytes;
    s->mem_have += dt * r->rate.mem_have_bytes;
    r->sum_ns = until_ns;
}

/* The row's means, for the floor with transitions. Where hosts are at the end
 * of a warm-up is not known to it. */
static void add_cycle_step(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_real_sums *a = &r->row_start, *b = &r->sum;
    const double ns = (double)(sim->now_ns - r->row_ns);
    const double khz_ns = ns * 1000, byte_ns = ns * (double)BL_MIB;
    struct bl_floor_step step = { .time_s = ns / (double)BL_NS_PER_S };

    if (sim->opts.warmup_ns > 0)
        return;
    step.cpu_mhz = (double)(b->demand - a->demand) / khz_ns;
    step.mem_mib = (double)(b->mem_used - a->mem_used) / byte_ns;
    bl_floor_cycle_step(&r->cycle, &step);
    step.cpu_mhz = (double)(b->served - a->served) / khz_ns;
    step.mem_mib = (double)(b->mem_have - a->mem_have) / byte_ns;
    bl_floor_cycle_step(&r->cycle_served, &step);
}

/* How many VMs and hosts there are is that of the row's last instant. */
void bl__real_close_row(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_real_sums *a = &r->row_start, *b = &r->sum;

    if (sim->now_ns == r->row_ns)
        return;
    BL_ASSERT(r->row_count < r->row_max);
    r->row[r->row_count++] = (struct bl_real_row){
        .at_ns = r->row_ns,
        .length_ns = sim->now_ns - r->row_ns,
        .demand = b->demand - a->demand,
        .served = b->served - a->served,
        .energy_pj = b->energy_pj - a->energy_pj,
        .floor_pj = b->floor_pj - a->floor_pj,
        .vms = r->alive,
        .hosts_on = r->on_count,
        .hosts_busy = r->rate.busy_count,
        .moves = (uint32_t)(b->move_count - a->move_count),
    };
    add_cycle_step(sim);
    r->row_start = r->sum;
    r->row_ns = sim->now_ns;
}

static void forget_rare(struct bl_real_rare *x)
{
    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        x->lost[c] = 0;
    x->over = 0;
    x->mem_short = 0;
    x->broken = 0;
    x->worst = 0;
    x->downtime_ns = 0;
    x->migrations = 0;
}

static void forget_vm(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);

    if (r->move[vm].phase != REAL_NO_MOVE)
        r->move[vm].work0 -= bl__real_received(r, vm);
    if (r->move[vm].phase == REAL_STOP)
        r->move[vm].stop_ns = sim->now_ns;
    r->vm[vm].mark -= r->vm[vm].demand; /* modulo 2^128, as work0 above */
    r->vm[vm].demand = 0;
    if (r->vm_flags[vm] & REAL_RARE)
        forget_rare(&r->rare[vm]);
}

static void forget_host(const struct bl_sim *sim, struct bl_real_host *host)
{
    host->energy_pj = 0;
    host->trans_pj = 0;
    host->copy_pj = 0;
    host->on_ns = 0;
    host->trans_ns = 0;
    host->active_ns = 0;
    host->violated_ns = 0;
    host->on_count = 0;
    host->off_count = 0;
    host->moves_in = 0;
    host->moves_out = 0;
    host->vms_max = host->vms;
    host->on_since_ns = sim->now_ns;
}

/* The warm-up is over: what was counted so far is forgotten. */
void bl__real_start_counting(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);

    bl__real_close_all(sim);
    for (uint32_t vm = 0; vm < sim->col.slot_count; vm++)
        if (sim->col.vm_state[vm] != BL_VM_ABSENT)
            forget_vm(sim, vm);
    for (uint32_t h = 0; h < sim->col.host_count; h++)
        forget_host(sim, &r->host[h]);
    if (r->speeds != NULL)
        bl__real_speeds_forget(sim);
    r->sum = (struct bl_real_sums){ .demand = 0 };
    r->row_start = r->sum;
    r->row_count = 0;
    r->row_ns = sim->now_ns;
    r->counted_ns = sim->now_ns;
}

/* ---- VMs
 * ------------------------------------------------------------------------ */

/* Words for a hash, fed in one go: a million VMs have a dozen each. */
struct words {
    unsigned char byte[256];
    uint32_t used;
};

static void put_u64(struct words *w, uint64_t v)
{
    BL_ASSERT(w->used + 8 <= sizeof(w->byte));
    for (int i = 0; i < 8; i++)
        w->byte[w->used++] = (unsigned char)(v >> (8 * i));
}

static void put_u128(struct words *w, bl_u128 v)
{
    put_u64(w, (uint64_t)v);
    put_u64(w, (uint64_t)(v >> 64));
}

static void put_rare(struct words *w, const struct bl_real_rare *x, bool speeds)
{
    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        if (speeds || c != BL_CAUSE_FREQUENCY)
            put_u128(w, x->lost[c]);
    put_u128(w, x->over);
    put_u128(w, x->mem_short);
    put_u64(w, x->migrations);
    put_u64(w, (uint64_t)x->downtime_ns);
}

static void hash_vm(const struct bl_sim *sim, uint32_t vm, struct bl_hash *h)
{
    const struct bl_real *r = bl__real(sim);
    struct words w = { .used = 0 };

    put_u64(&w, vm);
    put_u64(&w, sim->col.vm_generation[vm]);
    put_u64(&w, sim->col.vm_host[vm]);
    put_u128(&w, r->vm[vm].demand);
    put_u64(&w, (r->vm_flags[vm] & REAL_RARE) != 0);
    if (r->vm_flags[vm] & REAL_RARE)
        put_rare(&w, &r->rare[vm], r->speeds != NULL);
    bl_hash_bytes(h, w.byte, w.used);
}

static void hash_host(const struct bl_sim *sim, uint32_t host,
                      struct bl_hash *h)
{
    const struct bl_real_host *x = &bl__real(sim)->host[host];
    struct words w = { .used = 0 };

    put_u64(&w, sim->col.host_state[host]);
    put_u128(&w, x->energy_pj);
    put_u128(&w, x->trans_pj);
    put_u128(&w, x->copy_pj);
    put_u64(&w, (uint64_t)x->on_ns);
    put_u64(&w, (uint64_t)x->active_ns);
    put_u64(&w, (uint64_t)x->violated_ns);
    bl_hash_bytes(h, w.byte, w.used);
    if (bl__real(sim)->speeds != NULL)
        bl__real_speed_hash(sim, host, h);
}

static void hash_row(const struct bl_real_row *x, struct bl_hash *h)
{
    struct words w = { .used = 0 };

    put_u128(&w, x->demand);
    put_u128(&w, x->served);
    put_u128(&w, x->energy_pj);
    put_u64(&w, x->vms);
    put_u64(&w, x->hosts_on);
    put_u64(&w, x->hosts_busy);
    put_u64(&w, x->moves);
    bl_hash_bytes(h, w.byte, w.used);
}

/* The row of a VM whose account is closed. */
static void vm_row(const struct bl_sim *sim, uint32_t vm,
                   struct bl_vm_result *row)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_rare *x = bl__real_rare_of(r, vm);
    const int64_t arrived_ns = sim->col.vm_arrived_ns[vm];

    bl__sim_vm_row(sim, vm, row);
    row->alive_ns =
        sim->now_ns - (arrived_ns > r->counted_ns ? arrived_ns : r->counted_ns);
    row->demand_mcycles = (uint64_t)(r->vm[vm].demand / KHZ_NS_PER_MCYCLE);
    row->over_limit_mcycles = (uint64_t)(x->over / KHZ_NS_PER_MCYCLE);
    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        row->unserved_mcycles[c] = (uint64_t)(x->lost[c] / KHZ_NS_PER_MCYCLE);
    row->mem_unserved_mib_s = (uint64_t)(x->mem_short / BYTE_NS_PER_MIB_S);
    row->reserved_unserved_mcycles =
        (uint64_t)((x->broken + KHZ_NS_PER_MCYCLE - 1) / KHZ_NS_PER_MCYCLE);
    row->migrations = x->migrations;
    row->downtime_ns = x->downtime_ns;
    if (r->move[vm].phase == REAL_STOP)
        row->downtime_ns += sim->now_ns - r->move[vm].stop_ns;
    if (x->worst > 0) {
        row->worst_host = x->worst_host;
        row->worst_at_ns = x->worst_at_ns;
        row->worst_host_load_ppm = x->worst_load_ppm;
    }
}

void bl__real_add_total(const struct bl_sim *sim, uint32_t vm,
                        struct bl_real_total *t)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_rare *x = bl__real_rare_of(r, vm);

    t->demand += r->vm[vm].demand;
    t->over += x->over;
    t->mem_short += x->mem_short;
    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        t->lost[c] += x->lost[c];
    t->downtime_ns += x->downtime_ns;
    if (r->move[vm].phase == REAL_STOP)
        t->downtime_ns += sim->now_ns - r->move[vm].stop_ns;
}

/* A VM is complete: into the classes, the worst, the sums and the hash. */
static void end_vm(const struct bl_sim *sim, uint32_t vm, struct bl_result *to,
                   struct bl_real_total *total, struct bl_hash *hash)
{
    struct bl_vm_result row;

    vm_row(sim, vm, &row);
    bl_result_vm(to, &row);
    if (sim->opts.vm_sink != NULL)
        sim->opts.vm_sink(sim->opts.vm_sink_ctx, &row);
    bl__real_add_total(sim, vm, total);
    hash_vm(sim, vm, hash);
}

void bl__real_departed_row(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);

    if (r->counted_ns == sim->opts.warmup_ns) /* not while warming up */
        end_vm(sim, vm, r->gone, &r->gone_total, &r->gone_hash);
}

/* ---- the result
 * ------------------------------------------------------------------ */

static void fill_hosts(const struct bl_sim *sim, struct bl_result *out,
                       struct bl_hash *hash)
{
    const struct bl_real *r = bl__real(sim);
    bl_u128 active = 0, violated = 0, trans_pj = 0, copy_pj = 0;
    bl_u128 group_pj[BL_HOST_GROUPS_MAX] = { 0 };

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        const struct bl_real_host *x = &r->host[h];
        const uint32_t g = sim->col.host_group[h];

        out->host[h] = (struct bl_dc_host_result){
            .group = g,
            .energy_kwh = kwh(x->energy_pj),
            .on_ns = x->on_ns,
            .active_ns = x->active_ns,
            .violated_ns = x->violated_ns,
            .on_count = x->on_count,
            .off_count = x->off_count,
            .migrations_in = x->moves_in,
            .migrations_out = x->moves_out,
            .vms_max = x->vms_max,
        };
        group_pj[g] += x->energy_pj;
        trans_pj += x->trans_pj;
        copy_pj += x->copy_pj;
        active += (uint64_t)x->active_ns;
        violated += (uint64_t)x->violated_ns;
        out->host_on_count += x->on_count;
        out->host_off_count += x->off_count;
        hash_host(sim, h, hash);
    }
    for (uint32_t g = 0; g < out->group_count; g++)
        out->group[g].energy_kwh = kwh(group_pj[g]);
    out->transition_kwh = kwh(trans_pj);
    out->migration_kwh = kwh(copy_pj);
    out->slatah = ratio(violated, active);
    out->slatah_corrected = out->slatah;
    if (out->host_off_count > 0)
        out->before_shutdown_s = (double)r->sum.on_before_sleep_ns /
                                 (double)BL_NS_PER_S /
                                 (double)out->host_off_count;
}

static void fill_rows(const struct bl_real *r, struct bl_result *out,
                      struct bl_hash *hash)
{
    BL_ASSERT(r->row_count <= out->steps);
    for (uint32_t i = 0; i < r->row_count; i++) {
        const struct bl_real_row *x = &r->row[i];
        const double ns = (double)x->length_ns;

        out->step[i] = (struct bl_step_result){
            .at_ns = x->at_ns,
            .vms = x->vms,
            .hosts_on = x->hosts_on,
            .hosts_active = x->hosts_busy,
            .demand_mhz = (double)x->demand / ns / 1000,
            .served_mhz = (double)x->served / ns / 1000,
            .power_w = (double)x->energy_pj / ns / 1000,
            .floor_w = (double)x->floor_pj / ns / 1000,
            .migrations = x->moves,
        };
        hash_row(x, hash);
    }
    out->steps = r->row_count;
}

/* Both are bounds; the one with transitions is from means of rows, so that it
 * can be the lower one. */
static double floor_cycle_kwh(const struct bl_real *r)
{
    const double cycle = bl_floor_cycle_joules(&r->cycle) / J_PER_KWH;
    const double plain = kwh(r->sum.floor_pj);

    return cycle > plain ? cycle : plain;
}

static void fill_sums(const struct bl_sim *sim, const struct bl_real_total *t,
                      struct bl_result *out)
{
    const struct bl_real *r = bl__real(sim);
    bl_u128 lost = 0;

    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        lost += t->lost[c];
    BL_ASSERT(t->demand == r->sum.demand);
    BL_ASSERT(t->demand - lost == r->sum.served);
    out->energy_kwh = kwh(r->sum.energy_pj);
    out->floor_kwh = kwh(r->sum.floor_pj);
    out->floor_served_kwh = kwh(r->sum.floor_served_pj);
    if (sim->opts.warmup_ns == 0)
        out->floor_cycle_kwh = floor_cycle_kwh(r);
    out->migrations = r->sum.move_count;
    out->downtime_ns = t->downtime_ns;
    out->pdm = ratio(t->lost[BL_CAUSE_MIGRATION], t->demand);
    out->slav = out->slatah * out->pdm;
    out->esv = out->energy_kwh * out->slav;
    out->demand_mcycles = mcycles(t->demand);
    out->served_mcycles = mcycles(r->sum.served);
    out->over_limit_mcycles = mcycles(t->over);
    out->unserved_ppm = ratio(lost, t->demand) * 1e6;
    out->mem_unserved_ppm =
        ratio(r->sum.mem_run - r->sum.mem_have, r->sum.mem_run) * 1e6;
}

/* The steepest rise between two points of @mw; UINT32_MAX: it falls. */
static uint32_t steepest_mw(const uint32_t *mw)
{
    uint32_t rise_mw = 0;

    for (uint32_t i = 1; i < BL_POWER_POINTS; i++) {
        if (mw[i] < mw[i - 1])
            return UINT32_MAX;
        if (mw[i] - mw[i - 1] > rise_mw)
            rise_mw = mw[i] - mw[i - 1];
    }
    return rise_mw;
}

/* No placement draws less than the floor of what was served. A transition is
 * not in the floor's account: there a host draws its sleep power. Draws are
 * whole mW of whole ppm, rounded down. */
static void check_floor(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    const bl_u128 counted_ns = (uint64_t)(sim->now_ns - r->counted_ns);
    bl_u128 most_pj = r->sum.energy_pj;

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        const struct bl_host_group *g = bl__real_group(sim, h);
        uint32_t rise_mw = steepest_mw(g->power.mw);

        for (uint32_t p = 1; p < g->freq.pstate_count; p++) {
            const uint32_t rise = steepest_mw(g->freq.pstate[p].mw);

            rise_mw = rise > rise_mw ? rise : rise_mw;
        }
        if (rise_mw == UINT32_MAX)
            return; /* migration overhead could lower the draw */
        most_pj += (2 + rise_mw / 100000) * counted_ns;
        most_pj += (bl_u128)r->host[h].trans_ns * g->standby.power_mw;
    }
    BL_ASSERT(r->sum.floor_served_pj <= most_pj);
    BL_ASSERT(bl_floor_cycle_joules(&r->cycle_served) * PJ_PER_J <=
              (double)most_pj);
}

void bl__real_finish(struct bl_sim *sim, struct bl_result *out)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_total total = r->gone_total;
    struct bl_hash hash = r->gone_hash;

    out->warmup_ns = r->counted_ns;
    out->simulated_ns = sim->now_ns - r->counted_ns;
    bl__real_close_all(sim);
    bl__real_close_row(sim);
    for (uint32_t g = 0; g < out->class_count; g++)
        out->class_[g] = r->gone->class_[g];
    memcpy(out->worst, r->gone->worst, sizeof(out->worst));
    out->worst_count = r->gone->worst_count;
    for (uint32_t vm = 0; vm < sim->col.slot_count; vm++)
        if (sim->col.vm_state[vm] != BL_VM_ABSENT)
            end_vm(sim, vm, out, &total, &hash);
    fill_hosts(sim, out, &hash);
    if (r->speeds != NULL)
        bl__real_speeds_result(sim, out);
    fill_rows(r, out, &hash);
    fill_sums(sim, &total, out);
    check_floor(sim);
    bl_hash_u64(&hash, (uint64_t)sim->now_ns);
    out->state_hash = bl_hash_value(&hash);
}
