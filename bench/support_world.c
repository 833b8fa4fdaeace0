/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/support.h"

#include "base/units.h"
#include "manager/registry.h"
#include "power/catalog.h"

#include <stdio.h>
#include <stdlib.h>

/* Address space, not memory: far more than a host and its VMs need. */
#define ARENA_BYTES_MIN ((size_t)1 << 26)
#define ARENA_BYTES_PER_HOST ((size_t)1 << 16)
#define GIB (UINT64_C(1) << 30)

const char *bench_load_name(enum bench_load load)
{
    return load == BENCH_CROWDED ? "crowded" : "roomy";
}

struct bl_trace_spec bench_trace_spec(uint32_t hosts, uint32_t steps)
{
    struct bl_trace_spec spec;

    bl_trace_spec_default(&spec);
    spec.vm_count = hosts * BENCH_VMS_PER_HOST;
    spec.step_count = steps;
    spec.has_mem = false;
    spec.has_size = false;
    return spec;
}

/* Hosts of the catalogue's server @power, which is their name, too. */
static struct bl_host_group host_group(enum bench_load load, uint32_t hosts,
                                       const char *power)
{
    const struct bl_power_table *table = bl_power_catalog_find(power);

    BL_ASSERT(table != NULL);
    struct bl_host_group g = {
        .host_count = hosts,
        .core_count = load == BENCH_CROWDED ? 2 : 16,
        .core_khz = 2500000,
        .mem_bytes = (load == BENCH_CROWDED ? 48 : 40) * GIB,
        .node_count = 1,
        .power = *table,
        .standby = { .power_mw = 5000,
                     .enter = { 10 * BL_NS_PER_S, 1000000000 },
                     .leave = { 15 * BL_NS_PER_S, 1500000000 } },
        .off = { .power_mw = 1000,
                 .enter = { 60 * BL_NS_PER_S, 6000000000 },
                 .leave = { 120 * BL_NS_PER_S, 12000000000 } },
        .net_bytes_per_s = 125000000,
    };

    snprintf(g.name, sizeof(g.name), "%s", power);
    return g;
}

static struct bl_vm_group vm_group(const char *name, uint32_t shares,
                                   uint64_t reservation_khz, uint64_t limit_khz)
{
    struct bl_vm_group g = {
        .vcpu_count = 1,
        .vcpu_khz = 2500000,
        .mem_bytes = 4 * GIB,
        .cpu = { { true, shares }, reservation_khz, limit_khz },
        .mem = { { true, BL_MEM_SHARES_NORMAL }, 0, BL_NO_LIMIT },
    };

    snprintf(g.name, sizeof(g.name), "%s", name);
    return g;
}

/* Two ages of hosts, four kinds of VM, mixed as finely as can be. */
static void fill_dc(struct bl_dc *dc, enum bench_load load, uint32_t hosts)
{
    dc->host_group_count = 2;
    dc->host_group[0] =
        host_group(load, hosts - hosts / 2, "HpProLiantMl110G5Xeon3075");
    dc->host_group[1] =
        host_group(load, hosts / 2, "HpProLiantMl110G4Xeon3040");
    dc->vm_group_count = 4;
    dc->vm_group[0] = vm_group("high", BL_CPU_SHARES_HIGH, 250000, BL_NO_LIMIT);
    dc->vm_group[1] = vm_group("normal", BL_CPU_SHARES_NORMAL, 0, BL_NO_LIMIT);
    dc->vm_group[2] = vm_group("limited", BL_CPU_SHARES_NORMAL, 0, 2000000);
    dc->vm_group[3] = vm_group("low", BL_CPU_SHARES_LOW, 0, BL_NO_LIMIT);
    for (uint32_t g = 0; g < dc->vm_group_count; g++)
        dc->vm_group[g].vm_count =
            (hosts * BENCH_VMS_PER_HOST + 3 - g) / dc->vm_group_count;
    dc->host_order = BL_ORDER_ROUND_ROBIN;
    dc->vm_order = BL_ORDER_ROUND_ROBIN;
    dc->migration = (struct bl_migration){ .cpu_ppm_per_gbit = 300000,
                                           .dirty_bytes_per_s = 12500000,
                                           .working_set_ppm = 100000,
                                           .downtime_ns_max = 300000000,
                                           .rounds_max = 30,
                                           .parallel_max = 4 };
    bl_dc_check(dc);
}

static void create_sim(struct bench_world *w,
                       const struct bench_world_opts *opts)
{
    const struct bl_trace_info *info = bl_trace_info(w->trace);
    const uint32_t steps = opts->steps > 0 ? opts->steps : info->step_count;
    const struct bl_sim_opts sim = {
        .dc = &w->dc,
        .trace = w->trace,
        .physics = "real",
        .demand_oracle = opts->history_count > 0,
        .seed = 1,
        .thread_count = opts->threads,
        .duration_ns = steps * info->step_ns,
        .history_count = opts->history_count,
    };
    struct bl_diag diag = { .text = "" };

    bench_try(bl_sim_create(&w->arena, &sim, &w->sim, &diag), &diag);
    bench_try(
        bl_result_create(&w->arena, &w->dc, opts->hosts, steps + 1, &w->result),
        &diag);
}

static void create_manager(struct bench_world *w, enum bench_load load)
{
    struct bl_diag diag = { .text = "" };
    struct bl_params params;
    struct bl_manager_opts opts = { .world = bl_sim_world(w->sim),
                                    .params = &params,
                                    .seed = 1 };

    bench_try(bl_registry_find("static", NULL, 0, &opts.policy, &params, &diag),
              &diag);
    if (load == BENCH_CROWDED)
        bench_try(bl_params_set(&params, "cpu_overcommit", "5", NULL, 0, &diag),
                  &diag);
    bench_try(bl_manager_create(&w->arena, &opts, &w->manager), &diag);
}

struct bench_world *bench_world_new(const struct bench_world_opts *opts,
                                    struct bl_trace *trace)
{
    struct bench_world *w = calloc(1, sizeof(*w));

    if (w == NULL ||
        bl_arena_init(&w->arena,
                      ARENA_BYTES_MIN + opts->hosts * ARENA_BYTES_PER_HOST) !=
            BL_ERR_OK)
        bench_fail("out of memory");
    w->trace = trace;
    fill_dc(&w->dc, opts->load, opts->hosts);
    create_sim(w, opts);
    create_manager(w, opts->load);
    bl_arena_seal(&w->arena);
    return w;
}

void bench_world_run(struct bench_world *w)
{
    struct bl_diag diag = { .text = "" };
    bool stopped;

    bench_try(bl_manager_run(w->manager, &stopped, &diag), &diag);
    bl_sim_finish(w->sim, w->result);
    if (bl_manager_counts(w->manager)->unplaced > 0)
        bench_fail("some VMs found no host: not the work that was meant");
}

void bench_world_free(struct bench_world *w)
{
    bl_trace_close(w->trace);
    bl_arena_free(&w->arena);
    free(w);
}
