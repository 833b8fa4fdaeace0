/* SPDX-License-Identifier: Apache-2.0 */
/* cloudsim303: the SLA figures of the published experiment, and the result. */
#include "sim/cloudsim303_priv.h"

#include "base/hash.h"

#include <math.h>

/* What the last entry said held until @now_s; then a new one begins. */
void bl__cs_vm_entry(struct cs_vm *vm, double now_s, bool in_migration)
{
    if (vm->has_entry && vm->entry_s != now_s) {
        const double dt_s = now_s - vm->entry_s;

        vm->sum_alloc += vm->entry_alloc * dt_s;
        vm->sum_request += vm->entry_request * dt_s;
        if (vm->entry_alloc < vm->entry_request) {
            const double missing = vm->entry_request - vm->entry_alloc;

            vm->sum_short += missing / vm->entry_request;
            vm->short_count++;
            if (vm->entry_in_migration)
                vm->sum_migration_loss += missing * dt_s;
        }
    }
    vm->has_entry = true;
    vm->entry_s = now_s;
    vm->entry_alloc = vm->alloc;
    vm->entry_request = vm->request;
    vm->entry_in_migration = in_migration;
}

/* An entry is final once a later one exists: only then do switches count. */
static void settle_entry(struct cs_state *st, struct cs_host *h)
{
    if (h->was_active && !h->entry_active) {
        st->before_shutdown_s += h->entry_s - h->switched_on_s;
        st->shutdowns++;
        h->off_count++;
    }
    if (!h->was_active && h->entry_active) {
        h->switched_on_s = h->entry_s;
        h->on_count++;
    }
    h->was_active = h->entry_active;
}

void bl__cs_host_entry(struct cs_state *st, struct cs_host *h, double now_s)
{
    if (h->has_entry && h->entry_s != now_s) {
        const double dt_s = now_s - h->entry_s;

        settle_entry(st, h);
        if (h->entry_active) {
            h->active_s += dt_s;
            if (h->entry_alloc < h->entry_request)
                h->violated_s += dt_s;
            if (h->entry_alloc < h->entry_fair)
                h->violated_fair_s += dt_s;
        }
    }
    h->has_entry = true;
    h->entry_s = now_s;
    h->entry_alloc = h->util_mips;
    h->entry_request = h->request;
    h->entry_fair = h->request_fair;
    h->entry_active = h->util_mips > 0;
}

void bl__cs_close_row(struct cs_state *st)
{
    if (st->series_count > 0) {
        struct bl_step_result *row = &st->series[st->series_count - 1];

        row->power_w = (st->energy_j - st->frame_energy_j) / CS_INTERVAL_S;
        row->floor_w = (st->floor_j - st->frame_floor_j) / CS_INTERVAL_S;
    }
    st->frame_energy_j = st->energy_j;
    st->frame_floor_j = st->floor_j;
}

/* ---- the result
 * ---------------------------------------------------------------- */

static uint64_t whole(double x)
{
    return x > 0 ? (uint64_t)floor(x + 0.5) : 0;
}

static void finish_vms(const struct bl_sim *sim, struct bl_result *r)
{
    const struct cs_state *st = sim->state;
    double request = 0, alloc = 0, loss = 0, short_sum = 0;
    uint64_t short_count = 0;

    for (uint32_t v = 0; v < sim->col.slot_count; v++) {
        const struct cs_vm *vm = &st->vm[v];
        struct bl_vm_result row;
        const double missing = vm->sum_request - vm->sum_alloc;

        request += vm->sum_request;
        alloc += vm->sum_alloc;
        loss += vm->sum_migration_loss;
        short_sum += vm->sum_short;
        short_count += vm->short_count;
        bl__sim_vm_row(sim, v, &row);
        row.alive_ns = vm->has_entry ? (int64_t)(vm->entry_s * 1e9) : 0;
        row.demand_mcycles = whole(vm->sum_request);
        row.unserved_mcycles[BL_CAUSE_MIGRATION] =
            whole(vm->sum_migration_loss);
        row.unserved_mcycles[BL_CAUSE_CONTENTION] =
            whole(missing - vm->sum_migration_loss);
        row.migrations = vm->migrations;
        if (vm->worst_short > 0) {
            row.worst_host = vm->worst_host;
            row.worst_at_ns = (int64_t)(vm->worst_s * 1e9);
            row.worst_host_load_ppm = (uint32_t)(vm->worst_load * 1e6);
        }
        if (sim->opts.vm_sink != NULL)
            sim->opts.vm_sink(sim->opts.vm_sink_ctx, &row);
        bl_result_vm(r, &row);
    }
    r->demand_mcycles = request;
    r->served_mcycles = alloc;
    r->pdm = request > 0 ? loss / request : 0;
    r->overall_sla = request > 0 ? (request - alloc) / request : 0;
    r->average_sla = short_count > 0 ? short_sum / (double)short_count : 0;
    r->unserved_ppm = r->overall_sla * 1e6;
}

static void finish_hosts(struct bl_sim *sim, struct bl_result *r)
{
    struct cs_state *st = cs_state(sim);
    double active = 0, violated = 0, fair = 0;

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        struct cs_host *host = &st->host[h];
        const uint8_t group = sim->col.host_group[h];

        if (host->has_entry)
            settle_entry(st, host);
        active += host->active_s;
        violated += host->violated_s;
        fair += host->violated_fair_s;
        r->host[h] = (struct bl_dc_host_result){
            .group = group,
            .energy_kwh = host->energy_j / 3.6e6,
            .on_ns = (int64_t)(host->active_s * 1e9),
            .active_ns = (int64_t)(host->active_s * 1e9),
            .violated_ns = (int64_t)(host->violated_s * 1e9),
            .on_count = host->on_count,
            .off_count = host->off_count,
            .migrations_in = host->migrations_in,
            .migrations_out = host->migrations_out,
            .vms_max = host->vms_max,
        };
        r->group[group].energy_kwh += r->host[h].energy_kwh;
        r->host_on_count += host->on_count;
    }
    r->slatah = active > 0 ? violated / active : 0;
    r->slatah_corrected = active > 0 ? fair / active : 0;
}

static uint64_t state_hash(const struct bl_sim *sim, const struct bl_result *r)
{
    const struct cs_state *st = sim->state;
    struct bl_hash hash;

    bl_hash_init(&hash);
    bl_hash_double(&hash, st->energy_j);
    bl_hash_double(&hash, st->floor_j);
    bl_hash_double(&hash, r->slatah);
    bl_hash_double(&hash, r->slatah_corrected);
    bl_hash_double(&hash, r->pdm);
    bl_hash_u64(&hash, st->migrations);
    bl_hash_u64(&hash, st->shutdowns);
    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        bl_hash_double(&hash, st->host[h].energy_j);
        bl_hash_double(&hash, st->host[h].active_s);
        bl_hash_double(&hash, st->host[h].violated_s);
    }
    for (uint32_t v = 0; v < sim->col.slot_count; v++) {
        bl_hash_double(&hash, st->vm[v].sum_request);
        bl_hash_double(&hash, st->vm[v].sum_alloc);
        bl_hash_u64(&hash, sim->col.vm_host[v]);
    }
    for (uint32_t i = 0; i < st->series_count; i++) {
        bl_hash_double(&hash, st->series[i].power_w);
        bl_hash_u64(&hash, st->series[i].hosts_active);
    }
    return bl_hash_value(&hash);
}

void bl__cs_finish(struct bl_sim *sim, struct bl_result *r)
{
    struct cs_state *st = cs_state(sim);

    bl__cs_close_row(st);
    finish_vms(sim, r);
    finish_hosts(sim, r);
    r->steps = st->series_count;
    for (uint32_t i = 0; i < st->series_count; i++)
        r->step[i] = st->series[i];
    r->energy_kwh = st->energy_j / 3.6e6;
    r->floor_kwh = st->floor_j / 3.6e6;
    r->floor_served_kwh = st->floor_served_j / 3.6e6;
    r->migrations = st->migrations;
    r->host_off_count = st->shutdowns;
    r->before_shutdown_s =
        st->shutdowns > 0 ? st->before_shutdown_s / (double)st->shutdowns : 0;
    r->slav = r->slatah * r->pdm;
    r->esv = r->energy_kwh * r->slav;
    r->state_hash = state_hash(sim, r);
}
