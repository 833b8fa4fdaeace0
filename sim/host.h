/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/host.h - one host in virtual nanoseconds: guests with workloads, the
 * dispatcher of sched/ below them, and what things cost.
 *
 *     bl_host_sim_create()   compiles workloads to programs, checks admission
 *     bl_host_sim_run()      until an instant
 *     bl_host_sim_finish()   the figures
 *
 * Layer        sim (L6).
 * Units        virtual time in ns from 0.
 * Ownership    a bl_host_sim lives in the arena; the spec is the caller's and
 *              must outlive it.
 * Allocation   bl_host_sim_create() and _admit() (files are read then).
 * Errors       create: BL_ERR_NOENT (no such policy, mode or governor),
 *              BL_ERR_INVAL (not admitted: the diag says which VM and by how
 *              much; a power cap below what is needed), what the
 *              readers of files say, BL_ERR_NOMEM; all with a diag.
 * Threads      one caller, one thread.
 * Determinism  the same (spec, seed) gives the same run.
 */
#ifndef BL_SIM_HOST_H
#define BL_SIM_HOST_H

#include "hv/host.h"
#include "power/governor.h"
#include "report/host_result.h"

#include <signal.h>

struct bl_host_sim; /* opaque */

struct bl_host_sim_opts {
    const struct bl_host_spec *spec;
    const struct bl_dc *pools; /* its pools; NULL or none: flat */
    const char *file;          /* of the scenario, for a diag */
    uint64_t seed;
    bool paranoid;      /* bl_sched_check() after every event */
    bl_sched_sink sink; /* every change of a vCPU's state; or NULL */
    void *sink_ctx;
    /* P-states of domains, in the place of the spec's governor; or NULL */
    uint32_t (*pick)(void *ctx, uint32_t domain,
                     const struct bl_domain_view *v);
    void *pick_ctx;
};

BL_NODISCARD bl_err bl_host_sim_create(struct bl_arena *a,
                                       const struct bl_host_sim_opts *opts,
                                       struct bl_host_sim **out,
                                       struct bl_diag *diag);

/** bl_host_sim_admit - would bl_host_sim_create() find that all reservations
 * can be kept? With the same words where not; files of workloads are not read.
 * @with_jobs  the file of the jobs is read, and they count, too */
BL_NODISCARD bl_err bl_host_sim_admit(struct bl_arena *a,
                                      const struct bl_host_sim_opts *opts,
                                      bool with_jobs, struct bl_diag *diag);

/* VMs and vCPUs of this run, jobs included: for bl_host_result_create(). */
uint32_t bl_host_sim_vms(const struct bl_host_sim *s);
uint32_t bl_host_sim_vcpus(const struct bl_host_sim *s);

/* Lets time pass to @until_ns; earlier when *@stop (or NULL) is set. Returns
 * the time reached. Figures count from the spec's warm-up on. */
int64_t bl_host_sim_run(struct bl_host_sim *s, int64_t until_ns,
                        const volatile sig_atomic_t *stop);

/* The P-state in force; 0 where power is not modelled. */
uint32_t bl_host_sim_pstate(const struct bl_host_sim *s, uint32_t domain);

/* Fills in everything but scenario, version, wall clock and memory. */
void bl_host_sim_finish(struct bl_host_sim *s, struct bl_host_result *r);

/* "gang-3" and "gang-3/1"; stable for the run. */
const char *bl_host_sim_vm_name(const struct bl_host_sim *s, uint32_t vm);
void bl_host_sim_vcpu_name(const struct bl_host_sim *s, uint32_t vcpu,
                           char *buf, size_t size);

#endif /* BL_SIM_HOST_H */
