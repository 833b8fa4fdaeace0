/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/host_power_priv.h - what the files about power of the host level share.
 *
 * host_power.c     P-states in force, energy, idle states
 * host_governor.c  what a governor sees, and what becomes of its answer
 * host_cap.c       a power cap: which P-states, how much of their time
 * host_served.c    what was not served in time
 */
#ifndef BL_SIM_HOST_POWER_PRIV_H
#define BL_SIM_HOST_POWER_PRIV_H

#include "power/cap.h"
#include "power/curve.h"
#include "power/governor.h"
#include "sim/host_priv.h"

/* A second, in the windows of measuring. */
#define HOST_SECOND_WINDOWS 100u

/* Since the start of the run. */
struct host_sums {
    bl_u128 drawn; /* mW of the whole host's table, times ns */
    bl_u128 extra; /* mW of idle cores above the table, times ns */
    int64_t stay_ns[BL_PSTATES_MAX];
    int64_t busy_ns; /* of all its cores */
    int64_t idle_ns[BL_IDLE_STATES_MAX];
    uint64_t idle_count[BL_IDLE_STATES_MAX];
    uint64_t switch_count;
};

struct host_domain {
    _Alignas(64) unsigned char state[BL_GOVERNOR_STATE_BYTES];
    struct bl_topo_range pcpus;
    uint32_t core_first, core_count;
    uint32_t pstate, speed_ppm;
    uint32_t busy_count;        /* cores that run something */
    int64_t mark_ns;            /* all sums are up to date until then */
    struct host_sums sum, base; /* so far; when counting began */
    /* of this window of the governor */
    uint64_t need_khz;           /* of one core */
    int64_t pending_ns, over_ns; /* wanted, not done; owed, not done */
    uint64_t reserved_ppm;
    int64_t owed_ns; /* in a window, on average */
};

struct host_core {
    int64_t since_ns;    /* idle, or busy */
    int64_t mark_ns;     /* idle: up to date until then */
    int64_t busy_ns;     /* of this window of the governor */
    uint64_t pinned_ppm; /* reserved of it by VMs that may run nowhere else */
    uint32_t domain;
};

/* How a vCPU gets on: for governors, and for what it was owed at full speed. */
struct host_pace {
    int64_t slow_ns;    /* run time less what it is at full speed, so far */
    uint32_t slow_rest; /* ppm */
    uint32_t domain;    /* where it ran last; HOST_NONE */
    int64_t woken_ns;   /* when it stopped to be halted, the last time */
    int64_t woken_charged_ns;   /* what it had been charged until then */
    int64_t woken_sum_ns;       /* the same, and time spent ready */
    int64_t pending_ns;         /* came, and was not done, at the last sample */
    int64_t burst_ns;           /* charged between two halts, on average */
    int64_t mean_ns;            /* entitled to in a window, on average */
    int64_t charged_ns, run_ns; /* at the start of the window */
    int64_t want_ns;            /* scratch */
};

struct host_cap {
    struct bl_cap_ceiling ceiling;
    uint64_t rate_ppm;  /* of one pCPU, bandwidth in force; BL_NO_LIMIT: all */
    int64_t next_ns;    /* control; INT64_MAX: never */
    int64_t learnt_ppm; /* time of the cores that draws the cap */
    int64_t allowance_uj; /* not drawn so far; below 0: drawn too much */
    /* until the last control */
    uint64_t last_uj, throttle_count;
    int64_t busy_ns, charged_ns;
    int64_t *demand_ns; /* [vm] */
    /* scratch, [vm] */
    struct bl_claim *claim;
    uint64_t *given;
    uint32_t *order;
};

/* host_served.c: a queue of what was due. */
struct host_served {
    int64_t queue_ns[BL_WINDOWS];
    int64_t due_ns[HOST_SECOND_WINDOWS]; /* by window, a ring */
    int64_t last_ns[BL_WINDOWS];         /* due in the last ones */
    int64_t late_ns[BL_WINDOWS];         /* in all */
};

struct host_power {
    const struct bl_freq *freq;
    const struct bl_governor *governor;
    struct bl_params params;
    uint32_t domain_count, core_count;
    struct host_domain *domain;
    struct host_core *core;
    struct host_pace *pace; /* [vcpu] */
    struct bl_power_curve curve[BL_PSTATES_MAX];
    int64_t sample_ns, last_ns; /* of the governor: next, and the one before */
    struct bl_claim *claim;     /* [vm] */
    uint64_t *given;            /* [vm] */
    uint32_t *pin;              /* [vm] the one core it may use; HOST_NONE */
    struct host_cap cap;
    /* windows of 10 ms: the energy of the last second's */
    uint64_t ring_uj[HOST_SECOND_WINDOWS], ring_sum_uj, last_uj, most_uj;
    uint32_t ring_count, ring_at;
    struct host_served *ideal, *promised; /* [vm] */
    int64_t *promised_sum_ns;             /* [vm] */
    struct bl_host_power result;
};

/* ---- host_power.c ------------------------------------------------------- */

/* What is drawn and where time went up to now, O(cores). */
void bl__host_power_settle(struct bl_host_sim *s);

/* Since the start of the run; settled. */
uint64_t bl__host_energy_uj(const struct host_power *w);

/* @domain goes on at P-state @index. */
void bl__host_set_pstate(struct bl_host_sim *s, uint32_t domain,
                         uint32_t index);

/* ---- host_governor.c ---------------------------------------------------- */

BL_NODISCARD bl_err bl__host_governor_create(struct bl_arena *a,
                                             struct bl_host_sim *s,
                                             struct bl_diag *diag);
void bl__host_govern(struct bl_host_sim *s);

/* ---- host_cap.c --------------------------------------------------------- */

BL_NODISCARD bl_err bl__host_cap_create(struct bl_arena *a,
                                        struct bl_host_sim *s);
void bl__host_cap(struct bl_host_sim *s);

#endif /* BL_SIM_HOST_POWER_PRIV_H */
