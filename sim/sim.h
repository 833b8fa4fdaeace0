/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/sim.h - a data centre in virtual time: the world behind the port that
 * needs no machine.
 *
 * One simulator, several physics: a profile supplies the sharing rule, the
 * energy accounting, the migration rule and what actions exist.
 *     real         fluid hosts, enforced memory, pre-copy migration with shared
 *                  bandwidth, power states that take time and energy
 *     cloudsim303  the field's standard experiment, quirks included
 *
 * Layer        sim (L6).
 * Units        virtual time in ns from 0.
 * Ownership    a bl_sim lives in the arena; the trace stays the caller's and
 *              must outlive it.
 * Allocation   bl_sim_create() only.
 * Errors       create: BL_ERR_NOENT (no such physics), BL_ERR_INVAL (a profile
 *              that cannot do this scenario, or a scenario that does not fit
 *              the trace), BL_ERR_NOMEM, all with a diag.
 * Threads      one caller; thread_count threads inside a step.
 * Determinism  (dc, trace, opts) gives the same result for any thread_count.
 */
#ifndef BL_SIM_SIM_H
#define BL_SIM_SIM_H

#include "hv/world.h"
#include "power/governor.h"
#include "report/result.h"
#include "trace/trace.h"

struct bl_sim; /* opaque */

/* Called with each VM's final figures when it ends; in id order at the end. */
typedef void (*bl_vm_sink)(void *ctx, const struct bl_vm_result *vm);

struct bl_sim_opts {
    const struct bl_dc *dc;
    struct bl_trace *trace;
    const char *physics;
    bool demand_oracle;
    uint64_t seed;
    uint32_t thread_count;
    int64_t interval_ns; /* 0: the trace's step */
    int64_t duration_ns; /* 0: the trace's length */
    int64_t warmup_ns;
    uint32_t history_count; /* the active policy's need */
    /* of hosts with P-states, under `real`; NULL: always the fastest allowed */
    const struct bl_governor *governor;
    const struct bl_params *governor_params;
    bl_vm_sink vm_sink; /* or NULL */
    void *vm_sink_ctx;
};

BL_NODISCARD bl_err bl_sim_create(struct bl_arena *a,
                                  const struct bl_sim_opts *opts,
                                  struct bl_sim **out, struct bl_diag *diag);

struct bl_world *bl_sim_world(struct bl_sim *sim);

/* Fills in everything but the identity and what the manager counts. May be
 * called before the end of the run: partial figures up to now. */
void bl_sim_finish(struct bl_sim *sim, struct bl_result *r);

/* Steps done and in all, for a progress bar. */
void bl_sim_progress(const struct bl_sim *sim, uint32_t *done, uint32_t *all);

/* The name of the VM in slot @vm, also of the last one that left it; "" for a
 * slot that never had one or does not exist. */
const char *bl_sim_vm_name(const struct bl_sim *sim, uint32_t vm);

/* The i-th physics profile: name and one line; NULL past the last one. */
const char *bl_sim_physics_name(uint32_t i);
const char *bl_sim_physics_help(uint32_t i);

#endif /* BL_SIM_SIM_H */
