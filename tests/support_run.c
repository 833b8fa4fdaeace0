/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_run.h"

#include "base/units.h"
#include "manager/registry.h"

#include <math.h>

#define ARENA_BYTES (UINT64_C(1) << 28)
#define MIB_PER_S 62.5 /* half of 1 Gbit/s, of 8000 kbit to a megabyte */

/* Who moved, and when last. */
struct ways {
    const struct bl_dc *dc;
    uint32_t vms;
    int64_t *last_ns; /* [vm] */
    double sum_s;
    uint64_t count;
};

static void note_way(void *ctx, const struct bl_journal_entry *e)
{
    struct ways *w = ctx;
    const uint32_t vm = e->action->vm;

    if (e->action->kind != BL_ACTION_MIGRATE ||
        !bl_verdict_accepted(e->verdict) || w->last_ns[vm] == e->at_ns)
        return;
    w->last_ns[vm] = e->at_ns;
    w->sum_s +=
        (double)w->dc->vm_group[bl_dc_vm_group(w->dc, vm, w->vms)].mem_bytes /
        (double)BL_MIB / MIB_PER_S;
    w->count++;
}

static void take_figures(struct test_run *run, struct bl_sim *sim,
                         struct bl_result *r, const struct bl_manager *m)
{
    bl_sim_finish(sim, r);
    run->host_kwh = 0;
    for (uint32_t h = 0; h < r->hosts; h++)
        run->host_kwh += r->host[h].energy_kwh;
    run->counts = *bl_manager_counts(m);
    run->result = *r;
    run->result.group = NULL;
    run->result.class_ = NULL;
    run->result.host = NULL;
    run->result.step = NULL;
}

static bl_err run_in(struct bl_arena *a, struct test_run *run,
                     struct bl_trace *trace)
{
    const struct bl_policy *policy = NULL;
    struct bl_params params;
    struct bl_sim *sim = NULL;
    struct bl_manager *m = NULL;
    struct bl_result *r = NULL;
    struct ways ways = { .dc = run->dc,
                         .vms =
                             (uint32_t)bl_trace_info(trace)->vm_count_total };
    bool stopped;

    BL_TRY(
        bl_registry_find(run->policy, NULL, 0, &policy, &params, &run->diag));
    BL_TRY(bl_trace_rewind(trace, &run->diag));
    BL_TRY(bl_sim_create(
        a,
        &(struct bl_sim_opts){ .dc = run->dc,
                               .trace = trace,
                               .physics = run->physics,
                               .seed = run->seed,
                               .thread_count = 1,
                               .interval_ns = run->interval_ns,
                               .warmup_ns = run->warmup_ns,
                               .history_count = policy->history_count },
        &sim, &run->diag));
    BL_TRY(bl_manager_create(
        a,
        &(struct bl_manager_opts){ .world = bl_sim_world(sim),
                                   .policy = policy,
                                   .params = &params,
                                   .seed = run->seed,
                                   .journal = note_way,
                                   .journal_ctx = &ways,
                                   .paranoid = run->paranoid },
        &m));
    ways.last_ns = bl_arena_get(a, ways.vms, sizeof(*ways.last_ns));
    if (ways.last_ns == NULL)
        return BL_ERR_NOMEM;
    BL_TRY(bl_result_create(a, run->dc, bl_dc_host_count(run->dc),
                            bl_trace_info(trace)->step_count, &r));
    bl_arena_seal(a);
    BL_TRY(bl_manager_run(m, &stopped, &run->diag));
    take_figures(run, sim, r, m);
    run->migration_s =
        ways.count > 0 ? ways.sum_s / (double)ways.count : (double)NAN;
    return BL_ERR_OK;
}

bl_err test_run_go(struct test_run *run, struct bl_trace *trace)
{
    struct bl_arena a;
    bl_err e;

    run->diag.text[0] = '\0';
    BL_TRY(bl_arena_init(&a, ARENA_BYTES));
    e = run_in(&a, run, trace);
    bl_arena_free(&a);
    return e;
}
