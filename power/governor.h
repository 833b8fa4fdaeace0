/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/governor.h - what a DVFS governor is: at which P-state a frequency
 * domain should run, from what was measured of it.
 *
 * A governor is one const table in power/governor_NAME.c with its card; the
 * build makes the registry from the files that are there. It is the deciding
 * code of both worlds: the virtual host calls it at every sampling instant,
 * ballastd will do so through cpufreq.
 *
 *     init(state, params, freq)             once for each domain
 *     pick(state, params, view) -> index    at every sampling instant
 *
 * A reservation is a promise in kHz of work: a slower P-state takes more time
 * for it. Whoever fills in the view says how fast a core must be so that no
 * vCPU is the bottleneck of its VM (core_khz_min), and how much may be claimed
 * at any moment without notice (reserved_khz).
 *
 * Layer        power (L2).
 * Units        _khz of work per second, summed over the cores of the domain,
 *              unless it says "of a core"; _ppm of the time of all its cores.
 * Ownership    tables are static and const; state is the caller's,
 *              BL_GOVERNOR_STATE_BYTES for each domain, aligned for int64_t.
 * Allocation   none.
 * Errors       none; an answer outside the allowed range is the governor's bug
 *              (BL_ASSERT in bl_governor_pick()).
 * Threads      one thread for one domain.
 * Determinism  integers only; ties go to the slower P-state.
 */
#ifndef BL_POWER_GOVERNOR_H
#define BL_POWER_GOVERNOR_H

#include "hv/param.h"
#include "hv/pstate.h"

#define BL_GOVERNOR_STATE_BYTES 64u

struct bl_domain_view {
    const struct bl_freq *freq;
    uint32_t core_count;      /* of this domain */
    uint32_t host_core_count; /* of the whole host */
    uint32_t pstate;          /* in force: index, 0 the fastest */
    /* What is allowed (a power cap, a user's bounds): fastest <= slowest. */
    uint32_t fastest, slowest;
    int64_t now_ns;
    int64_t window_ns; /* that what follows was measured over; > 0 */
    /* of the time of all its cores, not idle; and of the busiest one */
    uint32_t busy_ppm, busy_core_ppm;
    uint64_t usage_khz;    /* work done */
    uint64_t demand_khz;   /* usage, and what time spent ready adds */
    uint64_t entitled_khz; /* of demand, with all at full speed; may be the
                              mean of some windows */
    uint64_t reserved_khz; /* reservations of all VMs here, demanded or not */
    uint64_t core_khz_min; /* of a core: so that one vCPU is fast enough for
                              what is entitled or reserved of it, and for its
                              bursts, and the core for all that is reserved by
                              VMs that may run nowhere else; 0: any */
};

struct bl_governor {
    const char *name, *summary, *source;
    const struct bl_param *params;
    uint32_t param_count;
    void (*init)(void *state, const struct bl_params *p,
                 const struct bl_freq *freq); /* or NULL: all zero */
    uint32_t (*pick)(void *state, const struct bl_params *p,
                     const struct bl_domain_view *v);
};

/* The i-th governor in name order; NULL past the last one. By name: NULL, no
 * such. */
const struct bl_governor *bl_governor_at(uint32_t i);
const struct bl_governor *bl_governor_find(const char *name);

/* init() on zeroed state; pick() with its answer checked. */
void bl_governor_init(const struct bl_governor *g, void *state,
                      const struct bl_params *p, const struct bl_freq *freq);
uint32_t bl_governor_pick(const struct bl_governor *g, void *state,
                          const struct bl_params *p,
                          const struct bl_domain_view *v);

/* The slowest allowed P-state at which the domain has @khz of work per second
 * and a core at least @core_khz; the fastest allowed one where none has. */
uint32_t bl_pstate_for(const struct bl_domain_view *v, uint64_t khz,
                       uint64_t core_khz);

/* mW that this domain draws at @pstate while it does @khz of work: its part of
 * the host's table, rounded down; at most its capacity counts. */
uint64_t bl_domain_mw(const struct bl_domain_view *v, uint32_t pstate,
                      uint64_t khz);

#endif /* BL_POWER_GOVERNOR_H */
