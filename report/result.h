/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/result.h - what a run came to: the one structure that a world fills
 * in and every report (text, JSON, CSV, comparison) prints.
 *
 * Layer        report (L3).
 * Units        in the names; fractions are 0 .. 1 unless they end in _ppm.
 *              Energy is double kWh here: results are for reading, accounting
 *              stays in integers where it happens.
 * Ownership    the arrays belong to the arena of the run; result and strings
 *              live as long as it does.
 * Allocation   bl_result_create() only.
 * Determinism  every field but wall_s, user_s, peak_kib and thread_count is a
 *              function of the run's identity.
 */
#ifndef BL_REPORT_RESULT_H
#define BL_REPORT_RESULT_H

#include "base/arena.h"
#include "hv/plan.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_WORST_MAX 10u

/* Who a run is: printed first, enough to replay it. */
struct bl_identity {
    char version[32];
    char scenario[BL_NAME_BYTES];
    uint64_t scenario_hash;
    char trace[BL_NAME_BYTES];
    char trace_format[BL_NAME_BYTES];
    uint64_t trace_hash;
    char policy[BL_NAME_BYTES];
    char policy_params[256];
    char physics[BL_NAME_BYTES];
    bool demand_oracle;
    uint64_t seed;
    uint32_t thread_count;
};

/* Why work was not done; the sums over causes are the unserved demand. */
#define BL_CAUSE_MAP(X)                                                        \
    X(CONTENTION, "its host was full")                                         \
    X(MIGRATION, "live migration slowed or stopped it")                        \
    X(WAITING, "it had no running host")                                       \
    X(FREQUENCY, "its host ran too slowly")

enum bl_cause {
#define BL_CAUSE_ENUM(name, text) BL_CAUSE_##name,
    BL_CAUSE_MAP(BL_CAUSE_ENUM)
#undef BL_CAUSE_ENUM
        BL_CAUSE_COUNT
};

const char *bl_cause_text(enum bl_cause c);

/* Work is counted in megacycles: 1 MHz for 1 s. Demand above a limit is not
 * demand here; it is in over_limit. */
struct bl_vm_result {
    char name[BL_NAME_BYTES];
    uint32_t group;
    int64_t alive_ns;
    uint64_t demand_mcycles;
    uint64_t over_limit_mcycles;
    uint64_t unserved_mcycles[BL_CAUSE_COUNT];
    uint64_t mem_unserved_mib_s; /* entitled memory it did not have */
    /* of its reservation, demanded and not served while it ran; rounded up */
    uint64_t reserved_unserved_mcycles;
    uint32_t migrations;
    int64_t downtime_ns;
    /* the full host that it lost most on, for the reason line */
    uint32_t worst_host;
    int64_t worst_at_ns;
    uint32_t worst_host_load_ppm; /* demand over capacity there and then */
};

struct bl_class_result { /* one VM group */
    char name[BL_NAME_BYTES];
    uint32_t vms;
    uint64_t demand_mcycles;
    uint64_t over_limit_mcycles;
    uint64_t unserved_mcycles[BL_CAUSE_COUNT];
    uint64_t mem_unserved_mib_s;
    uint64_t reserved_unserved_mcycles;
    uint32_t migrations;
};

struct bl_group_result { /* one host group */
    char name[BL_NAME_BYTES];
    uint32_t hosts;
    double energy_kwh;
    uint32_t pstate_count; /* 0 or 1: its hosts have one speed */
    uint64_t pstate_khz[BL_PSTATES_MAX];
    double pstate_share[BL_PSTATES_MAX]; /* of the time its hosts were on */
    double mean_mhz;                     /* of a core, over that time */
};

struct bl_cap_result { /* one power cap */
    char name[BL_NAME_BYTES];
    uint32_t racks, hosts; /* racks under it; hosts of all of them */
    double budget_w;       /* of a rack */
    double worst_w;        /* most that a rack drew over one second */
};

struct bl_dc_host_result { /* one host of the data centre */
    uint32_t group;
    double energy_kwh;
    int64_t on_ns;       /* powered */
    int64_t active_ns;   /* serving VMs */
    int64_t violated_ns; /* active and serving less than it was asked for */
    uint32_t on_count, off_count;
    uint32_t migrations_in, migrations_out;
    uint32_t vms_max;
};

struct bl_step_result { /* one interval of the time series */
    int64_t at_ns;      /* its start */
    uint32_t vms;       /* alive */
    uint32_t hosts_on;  /* powered */
    uint32_t hosts_active;
    double demand_mhz; /* mean over the interval, as the next two */
    double served_mhz;
    double power_w;
    double floor_w;      /* least power that could have served the demand */
    uint32_t migrations; /* started in it */
};

struct bl_result {
    struct bl_identity id;
    bool partial; /* interrupted: figures cover simulated_ns only */
    bool has_mem; /* the trace has a memory column */
    uint32_t hosts, vms, steps;
    int64_t simulated_ns, interval_ns;
    int64_t warmup_ns; /* simulated before that: in no figure but actions */

    double energy_kwh; /* everything; the next two are parts of it */
    double transition_kwh;
    double migration_kwh;
    double floor_kwh;        /* of the demand */
    double floor_served_kwh; /* of what was served */
    double floor_cycle_kwh;  /* of the demand, with transitions; 0: not known */
    double price_per_kwh;    /* 0: not asked for */
    char currency[8];
    double co2_g_per_kwh; /* 0: not asked for */

    uint64_t migrations;
    int64_t downtime_ns; /* total over migrations */
    uint64_t host_on_count, host_off_count;
    uint64_t vms_ended;   /* departed, or removed by the physics */
    uint64_t vms_refused; /* arrivals beyond what the world has slots for */
    uint64_t vms_waited;  /* arrivals that found no host at once */

    double slatah, slatah_corrected, pdm, slav, esv;
    double overall_sla, average_sla; /* cloudsim303's two more, else 0 */
    double before_shutdown_s;        /* mean time a host was on before */
    double demand_mcycles, served_mcycles, over_limit_mcycles;
    double unserved_ppm; /* of the demand, all causes */
    bool has_speeds; /* P-states or caps: what follows, and cause FREQUENCY */
    double capped_s; /* time of hosts whose cap kept them from work */
    uint32_t cap_count;
    struct bl_cap_result *cap;
    double mem_unserved_ppm; /* of the memory demand */

    uint64_t actions[BL_ACTION_COUNT]; /* accepted */
    uint64_t reasons[BL_REASON_COUNT]; /* accepted */
    uint64_t refusals[BL_VERDICT_COUNT];
    bool policy_replaced; /* by the reference policy, after too many faults */

    uint32_t group_count, class_count, worst_count;
    struct bl_group_result *group;
    struct bl_class_result *class_;
    struct bl_vm_result worst[BL_WORST_MAX];
    struct bl_dc_host_result *host; /* [hosts] */
    struct bl_step_result *step;    /* [steps] */

    uint64_t state_hash;
    double wall_s, user_s; /* 0 in anything that is compared or hashed */
    uint64_t peak_kib;
};

/** bl_result_create - room for @hosts, @steps and the groups of @dc. */
BL_NODISCARD bl_err bl_result_create(struct bl_arena *a, const struct bl_dc *dc,
                                     uint32_t hosts, uint32_t steps,
                                     struct bl_result **out);

/* Rows of the per-VM table as VMs end: adds up the classes and keeps the worst
 * BL_WORST_MAX of those that lost work, most lost work first, then most lost
 * memory, then the earlier row. */
void bl_result_vm(struct bl_result *r, const struct bl_vm_result *vm);

uint64_t bl_vm_unserved(const struct bl_vm_result *vm); /* all causes */

#endif /* BL_REPORT_RESULT_H */
