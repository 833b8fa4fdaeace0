/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include "manager/registry.h"

#include <stdio.h>
#include <string.h>

/* Address space, not memory: what no policy and no physics profile exceeds. */
#define ARENA_BASE_BYTES ((size_t)64 << 20)
#define ARENA_HOST_BYTES ((size_t)4096)
#define ARENA_VM_BYTES ((size_t)8192)
#define ARENA_STEP_BYTES ((size_t)1024)

#define MICRO 1e6
#define MG_PER_G 1e3

bl_err bl_run_trace(const struct bl_scenario *scenario, uint32_t thread_count,
                    struct bl_trace **out, struct bl_diag *diag)
{
    const struct bl_trace_opts opts = { .thread_count = thread_count,
                                        .seed = scenario->seed };

    if (scenario->trace_source == BL_TRACE_FILE)
        return bl_trace_open(scenario->trace_path, &opts, out, diag);
    return bl_trace_open_generated(&scenario->trace_spec, thread_count, out,
                                   diag);
}

bl_err bl_run_policy(const struct bl_scenario *scenario,
                     const struct bl_policy_choice *choice,
                     const struct bl_policy **out, struct bl_params *params,
                     struct bl_diag *diag)
{
    const char *from = choice->file == NULL ? scenario->path : choice->file;
    /* line 0: it came from the command line */
    const char *option = choice->file == NULL ? "--policy" : choice->file;
    const char *file = choice->line > 0 ? from : option;

    BL_TRY(
        bl_registry_find(choice->name, file, choice->line, out, params, diag));
    for (uint32_t i = 0; i < choice->param_count; i++) {
        const unsigned long line = choice->param[i].line;

        BL_TRY(bl_params_set(params, choice->param[i].name,
                             choice->param[i].text, line > 0 ? from : "--param",
                             line, diag));
    }
    return BL_ERR_OK;
}

bool bl_run_param(struct bl_policy_choice *c, const char *name,
                  const char *text)
{
    uint32_t i = 0;

    while (i < c->param_count && strcmp(c->param[i].name, name) != 0)
        i++;
    if (i == BL_PARAMS_MAX)
        return false;
    c->param_count += i == c->param_count;
    c->param[i].line = 0;
    snprintf(c->param[i].name, BL_NAME_BYTES, "%s", name);
    snprintf(c->param[i].text, BL_NAME_BYTES, "%s", text);
    return true;
}

static bl_err make_arena(struct bl_run *run, struct bl_diag *diag)
{
    const struct bl_trace_info *info = bl_trace_info(run->trace);
    const size_t hosts = bl_dc_host_count(&run->opts.scenario->dc);
    const size_t bytes = ARENA_BASE_BYTES + hosts * ARENA_HOST_BYTES +
                         info->vms_alive_max * ARENA_VM_BYTES +
                         info->step_count * ARENA_STEP_BYTES;
    const bl_err e = bl_arena_init(&run->arena, bytes);

    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, NULL, 0,
                           "out of memory: %zu MiB of address space for %zu "
                           "hosts and %u VMs",
                           bytes >> 20, hosts, info->vms_alive_max);
    return BL_ERR_OK;
}

static void sink_vm(void *ctx, const struct bl_vm_result *vm)
{
    const struct bl_run *run = ctx;

    run->opts.vm_sink(run->opts.ctx, vm);
}

static void sink_journal(void *ctx, const struct bl_journal_entry *e)
{
    const struct bl_run *run = ctx;

    run->opts.journal(run->opts.ctx, e);
}

static void sink_progress(void *ctx, int64_t now_ns)
{
    const struct bl_run *run = ctx;
    uint32_t done = 0, all = 0;

    (void)now_ns;
    bl_sim_progress(run->sim, &done, &all);
    run->opts.progress(run->opts.ctx, done, all);
}

static bl_err make_sim(struct bl_run *run, struct bl_diag *diag)
{
    const struct bl_scenario *s = run->opts.scenario;
    const struct bl_sim_opts opts = {
        .dc = &s->dc,
        .trace = run->trace,
        .physics = s->physics,
        .demand_oracle = s->demand_oracle,
        .seed = s->seed,
        .thread_count = run->opts.thread_count,
        .interval_ns = s->interval_ns,
        .duration_ns = s->duration_ns,
        .warmup_ns = s->warmup_ns,
        .history_count = run->policy->history_count,
        .governor = run->governor,
        .governor_params = &run->governor_params,
        .vm_sink = run->opts.vm_sink != NULL ? sink_vm : NULL,
        .vm_sink_ctx = run,
    };
    uint32_t done = 0, steps = 0;
    bl_err e;

    BL_TRY(bl_sim_create(&run->arena, &opts, &run->sim, diag));
    bl_sim_progress(run->sim, &done, &steps);
    e = bl_result_create(&run->arena, &s->dc, bl_dc_host_count(&s->dc), steps,
                         &run->result);
    return e != BL_ERR_OK ? bl_diag_set(diag, e, NULL, 0, "out of memory") : e;
}

static bl_err make_manager(struct bl_run *run, struct bl_diag *diag)
{
    const struct bl_manager_opts opts = {
        .world = bl_sim_world(run->sim),
        .policy = run->policy,
        .spec = run->opts.policy->name,
        .params = &run->params,
        .seed = run->opts.scenario->seed,
        .journal = run->opts.journal != NULL ? sink_journal : NULL,
        .journal_ctx = run,
        .progress = run->opts.progress != NULL ? sink_progress : NULL,
        .progress_ctx = run,
        .stop = run->opts.stop,
        .paranoid = run->opts.paranoid,
    };
    const bl_err e = bl_manager_create(&run->arena, &opts, &run->manager);

    return e != BL_ERR_OK ? bl_diag_set(diag, e, NULL, 0, "%s for policy %s",
                                        bl_err_text(e), run->policy->name)
                          : e;
}

static bl_err create(struct bl_run *run, struct bl_diag *diag)
{
    const struct bl_run_opts *o = &run->opts;

    BL_TRY(bl_run_policy(o->scenario, o->policy, &run->policy, &run->params,
                         diag));
    BL_TRY(bl_governor_choose(&o->scenario->governor, o->scenario->path,
                              &run->governor, &run->governor_params, diag));
    if (o->trace != NULL)
        BL_TRY(bl_trace_rewind(run->trace, diag));
    else
        BL_TRY(bl_run_trace(o->scenario, o->thread_count, &run->trace, diag));
    BL_TRY(make_arena(run, diag));
    BL_TRY(make_sim(run, diag));
    BL_TRY(make_manager(run, diag));
    bl_arena_seal(&run->arena);
    return BL_ERR_OK;
}

bl_err bl_run_create(const struct bl_run_opts *opts, struct bl_run *out,
                     struct bl_diag *diag)
{
    bl_err e;

    *out = (struct bl_run){ .opts = *opts, .trace = opts->trace };
    if (opts->policy == NULL)
        out->opts.policy = &opts->scenario->policy;
    e = create(out, diag);
    if (e != BL_ERR_OK)
        bl_run_destroy(out);
    return e;
}

static void identify(const struct bl_run *run, struct bl_identity *id)
{
    const struct bl_scenario *s = run->opts.scenario;
    const struct bl_trace_info *trace = bl_trace_info(run->trace);
    struct bl_world *world = bl_sim_world(run->sim);

    snprintf(id->version, sizeof(id->version), "%s", BL_VERSION);
    snprintf(id->scenario, sizeof(id->scenario), "%s", s->name);
    id->scenario_hash = s->content_hash;
    snprintf(id->trace, sizeof(id->trace), "%s", trace->name);
    snprintf(id->trace_format, sizeof(id->trace_format), "%s", trace->format);
    id->trace_hash = trace->content_hash;
    snprintf(id->policy, sizeof(id->policy), "%s", run->opts.policy->name);
    bl_params_print(&run->params, id->policy_params, sizeof(id->policy_params));
    snprintf(id->physics, sizeof(id->physics), "%s", s->physics);
    id->demand_oracle = world->ops->observe(world)->demand_is_oracle;
    id->seed = s->seed;
    id->thread_count = run->opts.thread_count;
}

static void take_counts(const struct bl_manager_counts *c, struct bl_result *r)
{
    for (uint32_t i = 0; i < BL_ACTION_COUNT; i++)
        r->actions[i] = c->accepted[i];
    for (uint32_t i = 0; i < BL_REASON_COUNT; i++)
        r->reasons[i] = c->reasons[i];
    for (uint32_t i = 0; i < BL_VERDICT_COUNT; i++)
        r->refusals[i] = c->refused[i];
    r->vms_waited = c->unplaced;
    r->policy_replaced = c->replaced;
}

bl_err bl_run_go(struct bl_run *run, struct bl_diag *diag)
{
    const struct bl_scenario *s = run->opts.scenario;
    struct bl_result *r = run->result;
    bool stopped = false;

    BL_TRY(bl_manager_run(run->manager, &stopped, diag));
    bl_sim_finish(run->sim, r);
    take_counts(bl_manager_counts(run->manager), r);
    identify(run, &r->id);
    r->partial = stopped;
    r->price_per_kwh = (double)s->price_micro_per_kwh / MICRO;
    snprintf(r->currency, sizeof(r->currency), "%s", s->currency);
    r->co2_g_per_kwh = (double)s->co2_mg_per_kwh / MG_PER_G;
    return BL_ERR_OK;
}

void bl_run_destroy(struct bl_run *run)
{
    if (run->opts.trace == NULL)
        bl_trace_close(run->trace);
    bl_arena_free(&run->arena);
    *run = (struct bl_run){ .trace = NULL };
}

bool bl_run_physics(const char *name)
{
    const char *known;

    for (uint32_t i = 0; (known = bl_sim_physics_name(i)) != NULL; i++)
        if (strcmp(known, name) == 0)
            return true;
    return false;
}
