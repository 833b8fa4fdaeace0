/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/host_result.h - the figures of a run at `level: host`.
 *
 * Layer        report (L3).
 * Units        _ns of virtual time; rates in ppm of one pCPU; counts.
 * Ownership    arrays belong to the arena given to bl_host_result_create();
 *              power, to whoever filled it in.
 * Allocation   bl_host_result_create() only.
 * Errors       create: BL_ERR_NOMEM.
 * Threads      none shared.
 * Determinism  filled in by sim/ from integers; percentiles are exact bounds of
 *              a histogram (bl_latency), 1/16 wide at most.
 */
#ifndef BL_REPORT_HOST_RESULT_H
#define BL_REPORT_HOST_RESULT_H

#include "base/arena.h"
#include "hv/pstate.h"
#include "hv/topo.h"
#include "sched/sched.h"

/* ---- latencies ---------------------------------------------------------- */

/* A histogram with 16 steps in each power of two: values below 16 exactly, up
 * to 2^47 ns to 6 %; larger ones share the last bucket. A bucket that has
 * counted to 2^32 - 1 takes no more. */
#define BL_LATENCY_BUCKETS 704u

struct bl_latency {
    uint64_t count;
    int64_t max_ns, sum_ns;
    uint32_t bucket[BL_LATENCY_BUCKETS];
};

void bl_latency_add(struct bl_latency *l, int64_t ns);
void bl_latency_merge(struct bl_latency *into, const struct bl_latency *l);
/* The least bound that @ppm of all values do not exceed; 0 when empty. */
int64_t bl_latency_quantile(const struct bl_latency *l, uint32_t ppm);

/* ---- rows --------------------------------------------------------------- */

enum { BL_WINDOW_10MS, BL_WINDOW_100MS, BL_WINDOW_1S, BL_WINDOWS };

/* Received less ideal over all windows of one length, VM by VM. */
struct bl_host_error {
    uint64_t window_count;
    int64_t max_ns, min_ns; /* most ahead (>= 0), most behind (<= 0) */
    int64_t abs_sum_ns;
};

struct bl_host_vcpu_row {
    uint32_t vm, index;
    struct bl_sched_account account; /* of the counted part of the run */
    int64_t skew_max_ns;
    uint64_t units;
    int64_t spin_ns; /* run time spent spinning */
};

struct bl_host_vm_row {
    char name[BL_NAME_BYTES];
    uint32_t group, vcpu_count, vcpu_first;
    int64_t alive_ns;
    uint64_t shares;
    uint64_t reservation_ppm, limit_ppm; /* of one pCPU */
    int64_t entitled_ns; /* what the fluid schedule gave it: ideal */
    int64_t received_ns; /* charged */
    int64_t state_ns[BL_VCPU_STATE_COUNT]; /* of all its vCPUs, alive */
    struct bl_host_error error[BL_WINDOWS];
    uint64_t units;
    uint64_t late_count; /* missed deadlines; lost requests */
    /* Where power is modelled: what it was entitled to at full speed and did
     * not get within 10 ms, 100 ms, 1 s; what it demanded of its reservation,
     * and of that what it did not get within 100 ms. */
    int64_t unserved_ns[BL_WINDOWS];
    int64_t promised_ns, broken_ns;
    int64_t work_ns, spin_ns; /* of its run time: useful; wasted */
    struct bl_latency wake;   /* from wake to the first instruction */
    struct bl_latency done;   /* response time of a unit */
    struct bl_latency skew;   /* of leading vCPUs, sampled every ms */
};

struct bl_host_pcpu_row {
    int64_t busy_ns, overhead_ns; /* overhead: switches, exits, cold caches */
    uint64_t switch_count, move_in_count;
};

struct bl_host_group_row {
    char name[BL_NAME_BYTES];
    const char *workload;
    uint32_t vm_count, vm_first;
};

/* ---- power -------------------------------------------------------------- */

struct bl_host_domain_row {
    uint32_t core_first, core_count;
    uint32_t pstate;                     /* at the end */
    int64_t stay_ns[BL_PSTATES_MAX];     /* at each P-state */
    int64_t busy_ns;                     /* of all its cores */
    int64_t idle_ns[BL_IDLE_STATES_MAX]; /* of all its cores in each state */
    uint64_t idle_count[BL_IDLE_STATES_MAX]; /* times that one was left */
    uint64_t switch_count;
    uint64_t energy_uj; /* idle states included */
};

/* Of the counted part of a run. */
struct bl_host_power {
    char governor[BL_NAME_BYTES], governor_params[256];
    int64_t governor_ns;
    uint64_t cap_mw;            /* UINT64_MAX: none */
    uint32_t cap_fastest;       /* P-state that the cap allows */
    uint32_t cap_bandwidth_ppm; /* and how much of the cores' time */
    const struct bl_freq *freq; /* the scenario's */
    uint64_t energy_uj;         /* of the whole host */
    uint64_t idle_extra_uj;     /* in it: cores not in the deepest state */
    uint64_t second_most_mw;    /* mean of the worst second; 0: too short */
    uint32_t domain_count;
    struct bl_host_domain_row *domain;
};

struct bl_host_result {
    char scenario[BL_NAME_BYTES], version[16];
    uint64_t scenario_hash, seed, state_hash;
    char topo[256];
    uint32_t pcpu_count, core_count, llc_count, node_count;
    char policy[BL_NAME_BYTES], mode[BL_NAME_BYTES];
    char policy_params[256], mode_params[256];
    int64_t duration_ns; /* counted */
    int64_t warmup_ns;
    uint64_t event_count;
    bool partial;
    double wall_s, user_s;
    uint64_t peak_kib;
    uint32_t vm_count, vcpu_count, group_count;
    uint32_t pinned_count; /* VMs that may not use every pCPU */
    struct bl_host_vm_row *vm;
    struct bl_host_vcpu_row *vcpu;
    struct bl_host_pcpu_row *pcpu; /* [pcpu_count] */
    struct bl_host_group_row *group;
    struct bl_sched_totals totals; /* of the counted part */
    uint64_t admitted_ppm, admission_overhead_ppm;
    const struct bl_host_power *power; /* NULL: not modelled */
};

BL_NODISCARD bl_err bl_host_result_create(
    struct bl_arena *a, uint32_t pcpu_count, uint32_t group_count,
    uint32_t vm_count, uint32_t vcpu_count, struct bl_host_result **out);

#endif /* BL_REPORT_HOST_RESULT_H */
