/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/rightsize_priv.h - the parts of the policy `rightsize`, which its
 * card (policy_rightsize.c) and doc/models/rightsize.md describe.
 *
 * policy_rightsize.c   parameters, life cycle, the order of a step
 * rightsize_load.c     what hosts and VMs ask for: sums of histories
 * rightsize_tree.c     hosts by room, and the search in them
 * rightsize_cost.c     watts, joules, what a plan is worth
 * rightsize_pack.c     relief, evacuation: who goes where
 * rightsize_power.c    which hosts sleep, which wake
 *
 * Layer        cluster (L4).   Units  MHz, W, J, s as double; bytes.
 * Allocation   bl__rs_*_create() only.
 * Determinism  plain doubles in a fixed order; ties go to the lower id.
 */
#ifndef BL_CLUSTER_RIGHTSIZE_PRIV_H
#define BL_CLUSTER_RIGHTSIZE_PRIV_H

#include "cluster/forecast.h"
#include "hv/policy.h"
#include "power/curve.h"

#define RS_FAILOVER_MAX 16u

enum rs_sleep { RS_SLEEP_OFF, RS_SLEEP_STANDBY, RS_SLEEP_NONE };

struct rs_opts {
    double quantile, smoothing, headroom, late, target, margin, budget,
        overcommit;
    double unserved_j; /* a megacycle that is not served */
    double move_s;     /* of a VM's part of an idle host: price of a move */
    double horizon_s;
    int64_t horizon_ns, up_ns, down_ns;
    uint32_t window, failover;
    enum rs_sleep sleep;
};

/* What VMs that are, or would be, together ask for. */
struct rs_load {
    double now_mhz;      /* demand as it is shown now */
    double mean_mhz;     /* over the window */
    double level_mhz;    /* quantile of the sum, rise and ignorance added */
    double loss_j;       /* expected in an interval, by the samples */
    double size_mhz;     /* sum of sizes: more cannot be asked for */
    double spread2;      /* sum of the VMs' own variances, MHz^2 */
    double unknown_var;  /* of VMs with few samples, MHz^2 */
    double mem_bytes;    /* sum of what each has lately used at the most */
    uint64_t size_bytes; /* sum of their configured memory */
    uint32_t vms, samples;
};

enum {
    RS_GAVE = 1,    /* has been relieved in this step */
    RS_EMPTIED = 2, /* loses its last VM by this plan */
    RS_WOKEN = 4,   /* the plan wakes it */
    RS_SLEEPS = 8,  /* the plan puts it to sleep */
};

struct rs_host {
    struct rs_load load;
    int64_t changed_ns; /* when it was taken into service or out of it */
    uint64_t stamp;     /* of the list that the load is of */
    uint32_t leaf;
    uint32_t coming; /* VMs planned onto it */
    uint8_t flags;
    uint8_t service; /* enum rs_service */
};

enum rs_service { RS_NEVER, RS_IN, RS_OUT };

struct rs_move {
    uint32_t vm, source, target;
    enum bl_reason reason;
    double figure[BL_FIGURES];
};

/* Of hosts: the most that one below a node could still take. */
struct rs_room {
    double now_mhz, mean_mhz, level_mhz, mem_bytes;
};

struct rs_group {
    struct bl_power_curve curve;
    double capacity_mhz;
    double best_load;  /* 0 .. 1: least watts for each MHz */
    double j_per_byte; /* of a migration, both ends */
    double asleep_w;   /* in the state that is chosen */
    double cycle_j;    /* into it and out of it, beyond its power */
    double wake_s;
    double lead;           /* samples until one that wakes could help */
    bool off;              /* the state that is chosen is off, not standby */
    double filling_vms;    /* average VMs that fill it */
    double move_j;         /* price of a migration besides what it draws */
    double watts_per_vm;   /* filled with the fleet's average VM */
    uint32_t rank;         /* by watts_per_vm */
    uint32_t first, count; /* its leaves: hosts by id */
    uint32_t on_at, asleep_at; /* leaves before hold no spare host */
};

/* The VMs of now, on average: what a VM nobody has seen yet is taken for. */
struct rs_fleet {
    double util_mean, util_sd; /* between VMs */
    double spread;             /* of one VM in time, part of its size */
    double level_mhz, mem_bytes, move_bytes, demand_mhz;
    uint32_t vms;
    bool known;
};

/* One VM's samples, and what stands for those that it does not have. */
struct rs_view {
    const double *util;
    uint32_t n, vm;
    double size_mhz, fill_mhz, smooth_mhz, unknown_var;
};

struct rs {
    struct rs_opts opts;
    const struct bl_dc *dc;
    uint32_t host_count, slot_count, leaf0;
    const struct bl_snapshot *s; /* of this instant */
    struct bl_overlay *o;
    struct rs_group group[BL_HOST_GROUPS_MAX];
    uint32_t by_rank[BL_HOST_GROUPS_MAX];
    double least_w_per_mhz;      /* the flattest piece of any power table */
    double gain[BL_HISTORY_MAX]; /* of smoothing, oldest sample first */
    struct rs_host *host;
    double *sum;               /* [host * window + sample], newest first */
    struct rs_room *room;      /* tournament tree: 2 * leaf0 */
    uint32_t *host_of;         /* [leaf] */
    struct rs_view *seen;      /* the VM that was asked about last */
    float *spread2;            /* [vm] variance in time, of size 1 */
    float *mem_peak;           /* [vm], MiB */
    uint32_t *peak_generation; /* [vm] */
    uint8_t *moved;            /* [vm] by this plan */
    uint32_t *vm, *vm_scratch;
    uint32_t *order, *order_scratch; /* hosts */
    double *key;                     /* [vm] or [host] */
    struct rs_move *move;
    uint32_t move_count, move_budget;
    double move_credit; /* of VMs that may move, unused ones included */
    double spare;       /* places beyond the reserve */
    /* hosts that arrivals took into service, an interval each, newest first */
    double arrival[BL_HISTORY_MAX];
    double arrival_opened; /* since the last instant */
    uint32_t arrival_count;
    bool stepped; /* who was there at the start did not arrive */
    struct rs_fleet fleet;
    struct bl_season season;
    double season_rise;
    double normal;                         /* quantile in standard deviations */
    uint32_t opened_count, occupied_count; /* within `up`; in all */
    int64_t calm_ns;                       /* since when none has been */
    double horizon_s;                      /* the longer of horizon and calm */
    uint64_t sequence;                     /* snapshot that loads are of */
    uint32_t placed_last;
};

/* rightsize_load.c */
BL_NODISCARD bl_err bl__rs_load_create(struct bl_arena *a, struct rs *rs);
void bl__rs_measure_fleet(struct rs *rs, bool learn);
void bl__rs_load_host(struct rs *rs, uint32_t host);
/* @vm has been put on the overlay's @host, which then is @after. */
void bl__rs_load_add(struct rs *rs, uint32_t host, uint32_t vm,
                     const struct rs_load *after);
/* What @host would be asked for with @vm (BL_NONE: as it is) and without
 * @without. */
struct rs_load bl__rs_load_if(const struct rs *rs, uint32_t host, uint32_t vm,
                              uint32_t without);
/* @host is asked for too much now with @vm; not so, with @by_size, where all
 * sizes together are not too much. Quicker than to forecast. */
bool bl__rs_too_full(const struct rs *rs, uint32_t host, uint32_t vm,
                     bool by_size);
double bl__rs_vm_mean(const struct rs *rs, uint32_t vm);
/* What it may ask for, with nobody to steady it. */
double bl__rs_vm_level(const struct rs *rs, uint32_t vm);
double bl__rs_mem_peak(const struct rs *rs, uint32_t vm);
/* What a migration of it sends: configured memory where use is not real. */
double bl__rs_move_bytes(const struct rs *rs, uint32_t vm);

/* rightsize_tree.c */
enum rs_fit {
    RS_FIT_FULL,  /* quantile, mean below the best load, memory */
    RS_FIT_PEAK,  /* quantile and memory */
    RS_FIT_NOW,   /* what is asked for now, and memory */
    RS_FIT_CROWD, /* memory, and an eighth of what may be asked for */
    RS_FIT_ANY,   /* memory alone */
};
BL_NODISCARD bl_err bl__rs_tree_create(struct bl_arena *a, struct rs *rs);
void bl__rs_tree_build(struct rs *rs);
void bl__rs_tree_refresh(struct rs *rs, uint32_t host);
/* An occupied host for @vm, not @source; BL_NONE. @after: its load then. */
uint32_t bl__rs_find(const struct rs *rs, uint32_t vm, uint32_t source,
                     enum rs_fit fit, struct rs_load *after);
/* An empty host that is on; of the kinds that are ranked before @rank (BL_NONE:
 * any). */
uint32_t bl__rs_find_awake(struct rs *rs, uint32_t vm, uint32_t rank,
                           enum rs_fit fit, struct rs_load *after);
/* The same, or else one that may be woken. */
uint32_t bl__rs_find_empty(struct rs *rs, uint32_t vm, uint32_t rank,
                           enum rs_fit fit, struct rs_load *after);
/* The largest empty host, if it has more than @above_mhz. */
uint32_t bl__rs_find_largest(struct rs *rs, uint32_t vm, double above_mhz,
                             struct rs_load *after);
void bl__rs_tree_check(const struct rs *rs);

/* rightsize_cost.c */
void bl__rs_cost_create(struct rs *rs);
void bl__rs_rank_groups(struct rs *rs);
double bl__rs_watts(const struct rs *rs, uint32_t host, double mhz);
double bl__rs_move_j(const struct rs *rs, uint32_t vm, uint32_t host);
double bl__rs_risk_j(const struct rs *rs, uint32_t host,
                     const struct rs_load *l);
double bl__rs_limit_mhz(const struct rs *rs, uint32_t host);
double bl__rs_safe_mhz(const struct rs *rs, uint32_t host);
double bl__rs_target_mhz(const struct rs *rs, uint32_t host);

/* rightsize_pack.c */
void bl__rs_relieve(struct rs *rs);
void bl__rs_prevent(struct rs *rs);
void bl__rs_evacuate(struct rs *rs);

/* rightsize_power.c */
bool bl__rs_may_wake(const struct rs *rs, uint32_t host);
bool bl__rs_may_empty(const struct rs *rs, uint32_t host);
/* It is taken into service now. */
void bl__rs_in_service(struct rs *rs, uint32_t host);
/* Average VMs that it would hold if it were full. */
double bl__rs_places(const struct rs *rs, uint32_t host);
void bl__rs_learn_arrivals(struct rs *rs);
void bl__rs_measure_spare(struct rs *rs);
void bl__rs_plan_reserve(struct rs *rs, struct bl_plan *plan);
void bl__rs_plan_wakes(struct rs *rs, struct bl_plan *plan);
void bl__rs_plan_sleep(struct rs *rs, struct bl_plan *plan);

static inline const struct rs_group *rs_group_of(const struct rs *rs,
                                                 uint32_t host)
{
    return &rs->group[rs->s->host.group[host]];
}

#endif /* BL_CLUSTER_RIGHTSIZE_PRIV_H */
