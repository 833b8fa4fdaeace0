/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "cli/host.h"

#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

/* Address space, not memory: task files of some hundred MiB, and rows with
 * three histograms for each VM. */
#define ARENA_BYTES ((size_t)2 << 30)

#define STEPS 1000

static bl_err create(struct bl_host_run *run, struct bl_diag *diag)
{
    const struct bl_scenario *s = run->opts.scenario;
    const struct bl_host_sim_opts opts = {
        .spec = &s->host,
        .pools = &s->dc,
        .file = s->path,
        .seed = run->opts.seed,
        .paranoid = run->opts.paranoid,
        .sink = run->opts.sink,
        .sink_ctx = run->opts.ctx,
    };
    const uint32_t groups =
        s->host.group_count + (s->host.jobs.path[0] != '\0' ? 1 : 0);
    bl_err e = bl_arena_init(&run->arena, ARENA_BYTES);

    if (e == BL_ERR_OK) {
        BL_TRY(bl_host_sim_create(&run->arena, &opts, &run->sim, diag));
        e = bl_host_result_create(&run->arena, s->host.topo.pcpu_count, groups,
                                  bl_host_sim_vms(run->sim),
                                  bl_host_sim_vcpus(run->sim), &run->result);
    }
    return e == BL_ERR_OK ? e : bl_diag_set(diag, e, NULL, 0, "out of memory");
}

bl_err bl_host_run_create(const struct bl_host_run_opts *opts,
                          struct bl_host_run *out, struct bl_diag *diag)
{
    bl_err e;

    *out = (struct bl_host_run){ .opts = *opts };
    e = create(out, diag);
    if (e != BL_ERR_OK)
        bl_host_run_destroy(out);
    return e;
}

void bl_host_run_go(struct bl_host_run *run)
{
    const struct bl_scenario *s = run->opts.scenario;
    const int64_t end_ns = s->host.duration_ns;
    struct bl_host_result *r = run->result;

    bl_arena_seal(&run->arena);
    for (uint32_t i = 1; i <= STEPS && bl_cli_stop == 0; i++) {
        const int64_t until_ns = end_ns / STEPS * i;

        run->now_ns = bl_host_sim_run(run->sim, i < STEPS ? until_ns : end_ns,
                                      &bl_cli_stop);
        if (run->opts.progress != NULL)
            run->opts.progress(run->opts.ctx, i, STEPS);
    }
    bl_host_sim_finish(run->sim, r);
    snprintf(r->scenario, sizeof(r->scenario), "%s", s->name);
    snprintf(r->version, sizeof(r->version), "%s", BL_VERSION);
    r->scenario_hash = s->content_hash;
    r->partial = run->now_ns < end_ns;
}

void bl_host_run_destroy(struct bl_host_run *run)
{
    bl_arena_free(&run->arena);
    *run = (struct bl_host_run){ .sim = NULL };
}

bl_err bl_host_admission_check(const struct bl_scenario *s,
                               struct bl_diag *diag)
{
    const struct bl_host_sim_opts opts = { .spec = &s->host,
                                           .pools = &s->dc,
                                           .file = s->path };
    const char *jobs = s->host.jobs.path;
    const bool with_jobs = jobs[0] != '\0' && access(jobs, R_OK) == 0;
    struct bl_arena a;
    bl_err e = bl_arena_init(&a, ARENA_BYTES);

    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, NULL, 0, "out of memory");
    e = bl_host_sim_admit(&a, &opts, with_jobs, diag);
    bl_arena_free(&a);
    return e;
}
