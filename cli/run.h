/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/run.h - one run from scenario to result: what `ballast sim` does once,
 * --baseline twice and --seeds many times.
 *
 *     bl_run_create()    trace, policy, arena, world, manager; sealed
 *     bl_run_go()        the loop, then every figure of run->result
 *     bl_run_destroy()
 *
 * Layer        cli (L7).
 * Ownership    scenario, opts' contexts and a trace that is passed in are the
 *              caller's and outlive the run. The result lives in the arena
 *              until bl_run_destroy(). A bl_run stays where it was created: the
 *              world's sinks point to it.
 * Allocation   an arena for each run, of address space in proportion to hosts,
 *              VMs and steps; sealed by bl_run_create().
 * Errors       those of the modules below, with their diag. After a failed
 *              create nothing is left to destroy (and destroy is harmless).
 * Threads      several runs may go on in parallel, each in one thread, with
 *              thread_count 1; a sink is called in its run's thread.
 * Determinism  the result is a function of scenario, policy and seed.
 */
#ifndef BL_CLI_RUN_H
#define BL_CLI_RUN_H

#include "config/scenario.h"
#include "manager/manager.h"
#include "sim/sim.h"

struct bl_run_opts {
    const struct bl_scenario *scenario; /* with the command line laid on it */
    const struct bl_policy_choice *policy; /* NULL: the scenario's */
    struct bl_trace *trace; /* open, anywhere; NULL: the run opens its own */
    uint32_t thread_count;
    bool paranoid;           /* every _check() after every instant */
    bl_vm_sink vm_sink;      /* as in sim.h; or NULL */
    bl_journal_sink journal; /* as in manager.h; or NULL */
    void (*progress)(void *ctx, uint32_t done, uint32_t all); /* or NULL */
    void *ctx;                                                /* of all three */
    const volatile sig_atomic_t *stop;
};

struct bl_run {
    struct bl_run_opts opts;
    struct bl_arena arena;
    struct bl_trace *trace;
    const struct bl_policy *policy;
    struct bl_params params;
    const struct bl_governor *governor;
    struct bl_params governor_params;
    struct bl_sim *sim;
    struct bl_manager *manager;
    struct bl_result *result;
};

BL_NODISCARD bl_err bl_run_create(const struct bl_run_opts *opts,
                                  struct bl_run *out, struct bl_diag *diag);
BL_NODISCARD bl_err bl_run_go(struct bl_run *run, struct bl_diag *diag);
void bl_run_destroy(struct bl_run *run);

/** bl_run_trace - the trace that @scenario binds, opened. */
BL_NODISCARD bl_err bl_run_trace(const struct bl_scenario *scenario,
                                 uint32_t thread_count, struct bl_trace **out,
                                 struct bl_diag *diag);

/** bl_run_policy - what a choice means: the policy and all its parameters. */
BL_NODISCARD bl_err bl_run_policy(const struct bl_scenario *scenario,
                                  const struct bl_policy_choice *choice,
                                  const struct bl_policy **out,
                                  struct bl_params *params,
                                  struct bl_diag *diag);

/** bl_run_param - @name=@text of the command line into @c, in the place of what
 * it says of @name. False: it has BL_PARAMS_MAX others. */
bool bl_run_param(struct bl_policy_choice *c, const char *name,
                  const char *text);

/* Is there a physics called @name? */
bool bl_run_physics(const char *name);

#endif /* BL_CLI_RUN_H */
