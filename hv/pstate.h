/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/pstate.h - the speeds that a host's cores can run at, what it draws at
 * each of them, and what its cores draw while they have nothing to do.
 *
 * Source     ACPI 6.4, 8.4.5 (P-states; the fastest is number 0) and 8.4.1
 *            (idle states) [recalled]; the kernel's frequency domains.
 * Idea       a host has domains of cores that share a clock. Every P-state has
 *            a speed and a whole power table (watts of the whole host at 0, 10
 *            ... 100 % of that speed), so that accounting needs no formula; how
 *            a table is made from volts and hertz is power/dvfs.h. A domain
 *            draws its part (its cores of all cores) of the table of its own
 *            P-state at its own load.
 *            A core that has just become idle draws more than one that has been
 *            idle for long: the table's 0 % is all cores in the deepest state.
 *
 * Layer        hv (L1).
 * Units        _khz of one core, _uv, _mw, _ns.
 * Ownership    a value; no pointers.
 * Allocation   none.
 * Errors       bl_freq_check() asserts every documented range.
 * Threads      read-only during a run.
 */
#ifndef BL_HV_PSTATE_H
#define BL_HV_PSTATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Power at 0, 10, ... 100 % utilisation: the shape of a SPECpower result. */
#define BL_POWER_POINTS 11
#define BL_PSTATES_MAX 16u
#define BL_IDLE_STATES_MAX 4u
#define BL_FREQ_DOMAINS_MAX 1024u
#define BL_FREQ_SWITCH_NS_MAX INT64_C(1000000000)
#define BL_IDLE_NS_MAX INT64_C(1000000000)

struct bl_pstate {
    uint64_t khz;                 /* of every core at it */
    uint32_t uv;                  /* microvolts; 0: not known */
    uint32_t mw[BL_POWER_POINTS]; /* of the whole host, all cores at it; never
                                     falls with load */
};

struct bl_idle_state {
    char name[16];
    uint32_t extra_mw; /* of one core in it, above the deepest state */
    int64_t after_ns;  /* of idling until the core is in it; the first: 0 */
    int64_t exit_ns;   /* until it does work again */
};

struct bl_freq {
    /* [0] is the fastest and at the group's own speed and table; strictly
     * falling khz. 1: the host has one speed. 0: so, too, and nothing else here
     * counts. */
    uint32_t pstate_count;
    struct bl_pstate pstate[BL_PSTATES_MAX];
    /* Cores are cut into this many equal runs by number (the last ones one
     * smaller where it does not divide); at least 1, at most one a core. */
    uint32_t domain_count;
    int64_t switch_ns; /* its cores stand still for so long at a change */
    /* shallowest first, rising after_ns, falling extra_mw; the last one's
     * extra_mw is 0. 0: cores are in the deepest state at once. */
    uint32_t idle_count;
    struct bl_idle_state idle[BL_IDLE_STATES_MAX];
};

/* The run of cores [first, first + count) of @domain on a host of
 * @core_count; and the domain of @core. */
static inline uint32_t bl_freq_domain_first(const struct bl_freq *f,
                                            uint32_t core_count,
                                            uint32_t domain)
{
    return (uint32_t)((uint64_t)domain * core_count / f->domain_count);
}

static inline uint32_t bl_freq_domain_of(const struct bl_freq *f,
                                         uint32_t core_count, uint32_t core)
{
    /* the largest d with d * cores / domains <= core */
    return (uint32_t)((((uint64_t)core + 1) * f->domain_count - 1) /
                      core_count);
}

/* A host of one speed: one P-state, one domain, no idle states. */
void bl_freq_single(struct bl_freq *f, uint64_t core_khz,
                    const uint32_t mw[BL_POWER_POINTS]);

/* BL_ASSERT every documented range, for a host of @core_count cores. */
void bl_freq_check(const struct bl_freq *f, uint32_t core_count);

#endif /* BL_HV_PSTATE_H */
