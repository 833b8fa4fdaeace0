/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_report.h"

#include "base/units.h"

#include <stdio.h>

enum { ARENA = 1 << 22 };

void support_report_dc(struct bl_dc *dc)
{
    *dc = (struct bl_dc){ .host_group_count = 2,
                          .vm_group_count = 3,
                          .host_order = BL_ORDER_ROUND_ROBIN };
    snprintf(dc->host_group[0].name, BL_NAME_BYTES, "g4");
    snprintf(dc->host_group[1].name, BL_NAME_BYTES, "g5");
    dc->host_group[0].host_count = dc->host_group[1].host_count =
        SUPPORT_HOSTS / 2;
    snprintf(dc->vm_group[0].name, BL_NAME_BYTES, "web");
    snprintf(dc->vm_group[1].name, BL_NAME_BYTES, "batch, \"night\"");
    snprintf(dc->vm_group[2].name, BL_NAME_BYTES, "database");
}

static void sample_identity(struct bl_identity *id)
{
    *id = (struct bl_identity){ .scenario_hash = 0x0123456789abcdef,
                                .trace_hash = 0xfedcba9876543210,
                                .seed = 7,
                                .thread_count = 1 };
    snprintf(id->version, sizeof(id->version), "1.2.3");
    snprintf(id->scenario, sizeof(id->scenario), "sample");
    snprintf(id->trace, sizeof(id->trace), "20110303.tar.zst");
    snprintf(id->trace_format, sizeof(id->trace_format), "planetlab");
    snprintf(id->policy, sizeof(id->policy), "lr-mmt-1.2");
    snprintf(id->policy_params, sizeof(id->policy_params),
             "overload=lr select=mmt safety=1.2 placement=3.0.2 fallback=0.7 "
             "sleep=standby");
    snprintf(id->physics, sizeof(id->physics), "real");
}

static void sample_series(struct bl_result *r)
{
    for (uint32_t i = 0; i < r->steps; i++) {
        const double swing = i < SUPPORT_STEPS / 2 ? i : SUPPORT_STEPS - i;

        r->step[i] = (struct bl_step_result){
            .at_ns = (int64_t)i * 300 * BL_NS_PER_S,
            .vms = 40,
            .hosts_on = 2 + i % 3,
            .hosts_active = 2,
            .demand_mhz = 1000 + swing * 10,
            .served_mhz = 999 + swing * 10,
            .power_w = 200 + swing,
            .floor_w = 90 + swing / 2,
            .migrations = i % 5 == 0,
        };
    }
}

static void sample_vms(struct bl_result *r)
{
    for (uint32_t i = 0; i < 40; i++) {
        struct bl_vm_result vm = { .group = i % 3,
                                   .alive_ns = 86400 * BL_NS_PER_S,
                                   .demand_mcycles = 1000000,
                                   .worst_host = BL_NONE,
                                   .migrations = i };

        snprintf(vm.name, sizeof(vm.name), "planetlab-%u.example.org", i);
        if (i % 4 == 0) {
            vm.unserved_mcycles[i / 4 % BL_CAUSE_FREQUENCY] =
                UINT64_C(1000) * (i + 1);
            vm.worst_host = i % SUPPORT_HOSTS;
            vm.worst_at_ns = (int64_t)i * 3600 * BL_NS_PER_S;
            vm.worst_host_load_ppm = 1340000;
        }
        bl_result_vm(r, &vm);
    }
}

struct bl_result *support_report(struct bl_arena *a)
{
    struct bl_dc dc;
    struct bl_result *r = NULL;

    support_report_dc(&dc);
    if (bl_arena_init(a, ARENA) != BL_ERR_OK ||
        bl_result_create(a, &dc, SUPPORT_HOSTS, SUPPORT_STEPS, &r) != BL_ERR_OK)
        return NULL;
    sample_identity(&r->id);
    sample_series(r);
    sample_vms(r);
    for (uint32_t h = 0; h < SUPPORT_HOSTS; h++)
        r->host[h] = (struct bl_dc_host_result){ .group = h % 2,
                                                 .energy_kwh = 1.5 + h,
                                                 .on_ns = BL_NS_PER_S / 10,
                                                 .off_count = h };
    r->vms = 40;
    r->interval_ns = 300 * BL_NS_PER_S;
    r->simulated_ns = 86400 * BL_NS_PER_S;
    r->energy_kwh = 163.48103999999998;
    r->transition_kwh = 0.0625;
    r->migration_kwh = 0.5;
    r->floor_kwh = 71.25;
    r->floor_served_kwh = 71;
    r->floor_cycle_kwh = 71.5;
    r->price_per_kwh = 0.25;
    snprintf(r->currency, sizeof(r->currency), "EUR");
    r->co2_g_per_kwh = 400;
    r->migrations = 27859;
    r->downtime_ns = 3725 * BL_NS_PER_S;
    r->host_on_count = 4998;
    r->host_off_count = 5053;
    r->slatah = 0.0586;
    r->slatah_corrected = 0.0077;
    r->pdm = 0.0007917;
    r->slav = r->slatah * r->pdm;
    r->esv = r->energy_kwh * r->slav;
    r->demand_mcycles = 4e7;
    r->served_mcycles = 3.98e7;
    r->over_limit_mcycles = 1e5;
    r->unserved_ppm = 5000;
    r->actions[BL_ACTION_MIGRATE] = 27859;
    r->reasons[BL_REASON_OVERLOAD] = 20000;
    r->reasons[BL_REASON_UNDERLOAD] = 7859;
    r->refusals[BL_VERDICT_NO_MEMORY] = 12;
    r->group[0].energy_kwh = 80.5;
    r->group[1].energy_kwh = 82.98;
    r->state_hash = 0x00c0ffee00c0ffee;
    return r;
}
