/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/host.h - one run at level host, from scenario to result: what `ballast
 * sim` does once and --seeds many times.
 *
 *     bl_host_run_create()    arena, simulated host, result
 *     bl_host_run_go()        to the end, or until bl_cli_stop
 *     bl_host_run_destroy()
 *
 * Layer        cli (L7).
 * Ownership    the scenario and the watcher are the caller's and outlive the
 *              run; the result lives in the arena until bl_host_run_destroy().
 * Allocation   one arena for each run; sealed by bl_host_run_go().
 * Errors       those of the modules below, with their diag. After a failed
 *              create nothing is left to destroy (and destroy is harmless).
 * Threads      several runs may go on in parallel, each in one thread.
 * Determinism  the result is a function of scenario and seed; how often
 *              progress is shown changes nothing.
 */
#ifndef BL_CLI_HOST_H
#define BL_CLI_HOST_H

#include "config/scenario.h"
#include "sim/host.h"

struct bl_host_run_opts {
    const struct bl_scenario *scenario; /* with the command line laid on it */
    uint64_t seed;
    bool paranoid;
    bl_sched_sink sink;                                       /* or NULL */
    void (*progress)(void *ctx, uint32_t done, uint32_t all); /* or NULL */
    void *ctx;                                                /* of both */
};

struct bl_host_run {
    struct bl_host_run_opts opts;
    struct bl_arena arena;
    struct bl_host_sim *sim;
    struct bl_host_result *result;
    int64_t now_ns;
};

BL_NODISCARD bl_err bl_host_run_create(const struct bl_host_run_opts *opts,
                                       struct bl_host_run *out,
                                       struct bl_diag *diag);
void bl_host_run_go(struct bl_host_run *run);
void bl_host_run_destroy(struct bl_host_run *run);

/** bl_host_scheduler_check - are policy, mode and all their parameters what the
 * registry of sched/ knows, and is there nothing that is not simulated?
 * BL_ERR_NOENT, BL_ERR_PARSE, BL_ERR_INVAL.
 * @file  of the scenario; what has no line there came from an option */
BL_NODISCARD bl_err bl_host_scheduler_check(const struct bl_host_spec *s,
                                            const char *file,
                                            struct bl_diag *diag);

/** bl_host_admission_check - can all that VMs and pools reserve be kept? After
 * bl_host_scheduler_check(). Jobs count when their file is there.
 * BL_ERR_INVAL; what the reader of jobs says; BL_ERR_NOMEM. */
BL_NODISCARD bl_err bl_host_admission_check(const struct bl_scenario *s,
                                            struct bl_diag *diag);

#endif /* BL_CLI_HOST_H */
