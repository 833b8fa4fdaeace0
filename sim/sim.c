/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world: creation, the port, and trace steps turned into
 * arrivals and departures. Physics is in the profiles. */
#include "sim/sim_priv.h"

#include <string.h>

static const struct bl_profile *const profiles[] = {
    &bl__profile_real,
    &bl__profile_cloudsim303,
};

enum {
    PROFILE_COUNT = sizeof(profiles) / sizeof(profiles[0]),
    EVENTS_EXTRA = 1024
};

const char *bl_sim_physics_name(uint32_t i)
{
    return i < PROFILE_COUNT ? profiles[i]->name : NULL;
}

const char *bl_sim_physics_help(uint32_t i)
{
    return i < PROFILE_COUNT ? profiles[i]->help : NULL;
}

static bl_err find_profile(const char *name, const struct bl_profile **out,
                           struct bl_diag *diag)
{
    for (uint32_t i = 0; i < PROFILE_COUNT; i++) {
        if (strcmp(profiles[i]->name, name) == 0) {
            *out = profiles[i];
            return BL_ERR_OK;
        }
    }
    return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                       "unknown physics '%.60s', expected real or cloudsim303",
                       name);
}

/* ---- arrivals and departures ----------------------------------------------
 */

void bl__sim_event(struct bl_sim *sim, enum bl_event_kind kind, uint32_t vm,
                   uint32_t host)
{
    BL_ASSERT(sim->event_count < sim->event_max);
    sim->event[sim->event_count++] = (struct bl_event){
        .kind = kind, .vm = vm, .host = host, .at_ns = sim->now_ns
    };
}

static void depart(struct bl_sim *sim, uint32_t slot)
{
    struct bl_columns *c = &sim->col;
    const uint32_t host = c->vm_host[slot];

    BL_ASSERT(slot < c->slot_count);
    if (c->vm_state[slot] == BL_VM_ABSENT)
        return; /* the physics removed it before */
    sim->profile->departed(sim, slot);
    c->vm_state[slot] = BL_VM_ABSENT;
    c->vm_host[slot] = BL_NONE;
    c->vm_generation[slot]++;
    sim->vms_ended++;
    bl__sim_event(sim, BL_EVENT_VM_DEPARTED, slot, host);
}

/* Names of a trace are shorter than BL_NAME_BYTES (trace/trace.h). */
static void copy_name(char *to, const char *from)
{
    const size_t n = strlen(from);

    BL_ASSERT(n < BL_NAME_BYTES);
    memcpy(to, from, n + 1);
}

/* Sizes come from the VM's group or, where that says so, from the trace. */
static bl_err arrive(struct bl_sim *sim, const struct bl_trace_vm *vm,
                     struct bl_diag *diag)
{
    struct bl_columns *c = &sim->col;
    const struct bl_dc *dc = sim->opts.dc;
    const uint32_t v = vm->slot;
    const uint64_t total =
        bl_dc_vm_count(dc) > 0 ? bl_dc_vm_count(dc) : sim->info->vm_count_total;
    const uint32_t group =
        bl_dc_vm_group(dc, (uint32_t)sim->vms_arrived, (uint32_t)total);
    const struct bl_vm_group *g = &dc->vm_group[group];
    const uint32_t vcpus = g->size_from_trace ? vm->vcpu_count : g->vcpu_count;
    uint64_t khz = g->size_from_trace ? vm->vcpu_khz : g->vcpu_khz;
    const uint64_t mem = g->size_from_trace ? vm->mem_bytes : g->mem_bytes;

    if (khz == 0) /* the trace knows counts but not speeds (Azure) */
        khz = g->vcpu_khz > 0 ? g->vcpu_khz : dc->host_group[0].core_khz;
    if (vcpus == 0 || mem == 0)
        return bl_diag_set(diag, BL_ERR_INVAL, sim->info->name, 0,
                           "VM '%.60s' has no size, expected a trace with "
                           "sizes for 'size: from-trace'",
                           vm->name);
    if (vcpus > BL_HOST_CORES_MAX || khz > BL_CORE_KHZ_MAX ||
        mem > BL_MEM_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_INVAL, sim->info->name, 0,
                           "VM '%.60s' is larger than any host can be, "
                           "expected at most %u vCPUs",
                           vm->name, BL_HOST_CORES_MAX);
    BL_ASSERT(c->vm_state[v] == BL_VM_ABSENT);
    c->vm_state[v] = BL_VM_PENDING;
    c->vm_group[v] = (uint8_t)group;
    c->vm_vcpu_count[v] = vcpus;
    c->vm_size_khz[v] = vcpus * khz;
    c->vm_vcpu_mhz[v] = (double)khz / 1000;
    c->vm_size_mhz[v] = vcpus * c->vm_vcpu_mhz[v];
    c->vm_mem_size_bytes[v] = mem;
    c->vm_mem_used_bytes[v] = mem;
    c->vm_demand_mhz[v] = c->vm_size_mhz[v];
    c->vm_util[v] = 1;
    c->vm_arrived_ns[v] = sim->now_ns;
    c->history_count[v] = 0;
    copy_name(c->vm_name[v], vm->name);
    sim->vms_arrived++;
    if (sim->profile->arrived != NULL)
        sim->profile->arrived(sim, v);
    bl__sim_event(sim, BL_EVENT_VM_ARRIVED, v, BL_NONE);
    sim->arrivals_pending = true;
    return BL_ERR_OK;
}

bl_err bl__sim_load_step(struct bl_sim *sim, struct bl_diag *diag)
{
    const uint32_t vm_limit = bl_dc_vm_count(sim->opts.dc);

    BL_ASSERT(sim->step_loaded < sim->step_count);
    BL_TRY(bl_trace_next(sim->opts.trace, &sim->step, diag));
    sim->step_loaded++;
    for (uint32_t i = 0; i < sim->step.departed_count; i++)
        depart(sim, sim->step.departed[i]);
    for (uint32_t i = 0; i < sim->step.arrived_count; i++) {
        /* a scenario with its own VM counts takes the first VMs only */
        if (vm_limit > 0 && sim->vms_arrived >= vm_limit)
            sim->vms_refused++;
        else
            BL_TRY(arrive(sim, &sim->step.arrived[i], diag));
    }
    return BL_ERR_OK;
}

void bl__sim_vm_row(const struct bl_sim *sim, uint32_t vm,
                    struct bl_vm_result *row)
{
    *row = (struct bl_vm_result){ .group = sim->col.vm_group[vm],
                                  .worst_host = BL_NONE };
    copy_name(row->name, sim->col.vm_name[vm]);
}

/* ---- the port ---------------------------------------------------------------
 */

static bl_err sim_wait(struct bl_world *w, int64_t until_ns,
                       struct bl_wait *out, struct bl_diag *diag)
{
    struct bl_sim *sim = (struct bl_sim *)w;

    sim->event_count = 0;
    if (sim->now_ns >= sim->end_ns)
        return BL_ERR_END;
    BL_ASSERT(until_ns >= sim->now_ns);
    if (until_ns > sim->end_ns)
        until_ns = sim->end_ns;
    sim->arrivals_pending = false;
    BL_TRY(sim->profile->advance(sim, until_ns, diag));
    BL_ASSERT(sim->now_ns == until_ns || sim->arrivals_pending);
    if (sim->now_ns == sim->end_ns)
        return BL_ERR_END; /* what is decided now would happen after the end */
    *out = (struct bl_wait){ .now_ns = sim->now_ns,
                             .event = sim->event,
                             .event_count = sim->event_count };
    return BL_ERR_OK;
}

static const struct bl_snapshot *sim_observe(struct bl_world *w)
{
    struct bl_sim *sim = (struct bl_sim *)w;

    sim->profile->observe(sim);
    sim->snap.now_ns = sim->now_ns;
    sim->snap.sequence++;
    sim->snap.history.offset = sim->col.history_offset;
    return &sim->snap;
}

static enum bl_verdict sim_apply(struct bl_world *w, const struct bl_action *a)
{
    struct bl_sim *sim = (struct bl_sim *)w;

    return sim->profile->apply(sim, a);
}

static void sim_check(const struct bl_world *w)
{
    const struct bl_sim *sim = (const struct bl_sim *)w;

    bl_snapshot_check(&sim->snap);
    sim->profile->check(sim);
}

static const struct bl_world_ops sim_ops = {
    .wait = sim_wait,
    .observe = sim_observe,
    .apply = sim_apply,
    .check = sim_check,
};

/* ---- creation ---------------------------------------------------------------
 */

/* How long the run is, in trace steps; the trace must be long enough. */
static bl_err set_length(struct bl_sim *sim, struct bl_diag *diag)
{
    const struct bl_trace_info *info = sim->info;
    const int64_t length_ns = info->step_ns * info->step_count;
    const int64_t duration_ns =
        sim->opts.duration_ns > 0 ? sim->opts.duration_ns : length_ns;

    if (duration_ns > length_ns)
        return bl_diag_set(diag, BL_ERR_INVAL, info->name, 0,
                           "the trace lasts %lld s, expected at least the "
                           "run's duration of %lld s",
                           (long long)(length_ns / BL_NS_PER_S),
                           (long long)(duration_ns / BL_NS_PER_S));
    if (sim->opts.warmup_ns >= duration_ns)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "warmup of %lld s, expected less than the run's "
                           "duration of %lld s",
                           (long long)(sim->opts.warmup_ns / BL_NS_PER_S),
                           (long long)(duration_ns / BL_NS_PER_S));
    sim->end_ns = duration_ns;
    sim->step_count =
        (uint32_t)((duration_ns + info->step_ns - 1) / info->step_ns);
    sim->world.interval_ns =
        sim->opts.interval_ns > 0 ? sim->opts.interval_ns : info->step_ns;
    sim->world.first_due_ns = sim->world.interval_ns;
    return BL_ERR_OK;
}

/* The whole network of the slowest host; a profile may know better. */
static double planned_mb_per_s(const struct bl_dc *dc)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t g = 0; g < dc->host_group_count; g++)
        if (dc->host_group[g].net_bytes_per_s < least)
            least = dc->host_group[g].net_bytes_per_s;
    return (double)least / (double)BL_MIB;
}

static bl_err fill_world(struct bl_arena *a, struct bl_sim *sim)
{
    const struct bl_dc *dc = sim->opts.dc;
    const uint32_t hosts = bl_dc_host_count(dc);
    const uint32_t slots = sim->info->vms_alive_max;

    sim->world.ops = &sim_ops;
    sim->world.dc = dc;
    sim->world.host_count = hosts;
    sim->world.vm_slot_count = slots;
    BL_TRY(bl__columns_create(a, dc, hosts, slots, sim->opts.history_count,
                              &sim->col));
    sim->world.resident_max = sim->col.resident_max;
    sim->event_max = 4 * slots + 2 * hosts + EVENTS_EXTRA;
    sim->event = bl_arena_get(a, sim->event_max, sizeof(*sim->event));
    if (sim->event == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        bl_power_curve_init(&sim->curve[g], &dc->host_group[g].power);
    bl__columns_view(&sim->col, &sim->snap);
    sim->snap.dc = dc;
    sim->snap.serve = sim->profile->serve;
    sim->snap.serve_ctx = sim;
    sim->snap.can = sim->profile->can;
    sim->snap.demand_is_oracle =
        sim->opts.demand_oracle || sim->profile->oracle_only;
    sim->snap.migration_mb_per_s = planned_mb_per_s(dc);
    sim->snap.interval_s = (double)sim->world.interval_ns / 1e9;
    return BL_ERR_OK;
}

bl_err bl_sim_create(struct bl_arena *a, const struct bl_sim_opts *opts,
                     struct bl_sim **out, struct bl_diag *diag)
{
    struct bl_sim *sim = bl_arena_get(a, 1, sizeof(*sim));
    const struct bl_profile *profile = NULL;
    bl_err e;

    BL_ASSERT(opts->thread_count >= 1);
    BL_TRY(find_profile(opts->physics, &profile, diag));
    BL_ASSERT(profile != NULL);
    if (sim == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    sim->opts = *opts;
    sim->profile = profile;
    sim->info = bl_trace_info(opts->trace);
    BL_TRY(set_length(sim, diag));
    e = fill_world(a, sim);
    if (e != BL_ERR_OK)
        return bl_diag_set(
            diag, e, NULL, 0, "%s for %u hosts and %u VMs alive at once",
            bl_err_text(e), sim->world.host_count, sim->world.vm_slot_count);
    BL_TRY(profile->create(sim, a, diag));
    *out = sim;
    return BL_ERR_OK;
}

struct bl_world *bl_sim_world(struct bl_sim *sim)
{
    return &sim->world;
}

void bl_sim_finish(struct bl_sim *sim, struct bl_result *r)
{
    r->hosts = sim->world.host_count;
    r->vms = (uint32_t)sim->vms_arrived;
    r->interval_ns = sim->info->step_ns;
    r->simulated_ns = sim->now_ns;
    r->warmup_ns = 0;
    r->has_mem = sim->info->has_mem;
    r->vms_ended = sim->vms_ended;
    r->vms_refused = sim->vms_refused;
    sim->profile->finish(sim, r);
}

const char *bl_sim_vm_name(const struct bl_sim *sim, uint32_t vm)
{
    return vm < sim->col.slot_count ? sim->col.vm_name[vm] : "";
}

void bl_sim_progress(const struct bl_sim *sim, uint32_t *done, uint32_t *all)
{
    *done = sim->step_loaded;
    *all = sim->step_count;
}
