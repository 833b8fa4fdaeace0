/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/host.h - what a scenario of `level: host` describes: one host seen in
 * nanoseconds, its dispatcher, what things cost there, and its VMs with what
 * runs inside them.
 *
 * Plain description, filled in by config/, turned into a running host by sim/.
 *
 * Layer        hv (L1).
 * Units        _ns, _khz, _ppm.
 * Ownership    a value; no pointers are owned.
 * Allocation   none.
 * Errors       bl_host_spec_check() asserts every documented range.
 * Threads      read-only during a run.
 * Determinism  VM numbers follow from the order of groups and their counts.
 * Limits       BL_VM_GROUPS_MAX groups, BL_HOST_VMS_MAX VMs.
 */
#ifndef BL_HV_HOST_H
#define BL_HV_HOST_H

#include "hv/guest.h"
#include "hv/topo.h"

#define BL_HOST_VMS_MAX 16384u
#define BL_HOST_VCPUS_MAX 16384u
#define BL_HOST_NS_MAX INT64_C(86400000000000) /* a day */
#define BL_HOST_PATH_BYTES 4096

/* Sources and ranges of the defaults: doc/models/dispatch.md. */
struct bl_host_costs {
    int64_t dispatch_ns;   /* from the decision until an idle pCPU runs it */
    int64_t switch_ns;     /* from one vCPU to another on a pCPU */
    int64_t cache_ns[5];   /* to warm up again, by enum bl_topo_reach; SAME:
                              after another vCPU ran there */
    int64_t exit_ns;       /* one VM exit and entry: IPI, halt, timer, PLE */
    int64_t ipi_ns;        /* from sending an IPI to its arrival */
    int64_t pause_ns;      /* spinning before a pause-loop exit; 0: never */
    uint32_t emulator_ppm; /* of each VM's run time, taken by its emulator
                              threads (charged to the VM, no work) */
    uint32_t smt_ppm;      /* a core with all threads busy, of one alone */
};

struct bl_host_vm_group {
    char name[BL_NAME_BYTES];
    uint32_t vm_count, vcpu_count;
    struct bl_settings cpu; /* kHz; shares as at level cluster */
    uint32_t pool;          /* index, or BL_NO_POOL_INDEX */
    bool has_affinity;
    struct bl_cpuset affinity;
    struct bl_guest guest;
    char path[BL_HOST_PATH_BYTES]; /* RTAPP, SWITCHES: the file */
    unsigned long path_line;       /* where it is named; 0: nowhere */
    int64_t start_ns;              /* when its VMs start */
    int64_t stagger_ns;            /* and each one after the one before */
    unsigned long line;            /* in the scenario; 0: none */
};

#define BL_NO_POOL_INDEX UINT32_MAX

/* VMs are called as their group where they are alone in it, else STEM-N with
 * that much of its name, N from 0; jobs are the group "job" and job-N. */
#define BL_HOST_JOB_NAME "job"
#define BL_HOST_STEM_BYTES 50

/* Gangs that arrive: one VM for each job of a Standard Workload Format log. */
struct bl_host_jobs {
    char path[BL_HOST_PATH_BYTES]; /* empty: none */
    unsigned long path_line;
    uint32_t count_max, width_max; /* jobs; vCPUs (wider ones are skipped) */
    uint32_t skip;                 /* jobs at the start of the log */
    uint32_t time_ppm;      /* of the log's times: arrivals and run times */
    struct bl_settings cpu; /* of each VM */
    struct bl_guest guest;  /* a barrier workload; ends after run time */
    unsigned long line;     /* in the scenario; 0: none */
};

struct bl_host_spec {
    struct bl_topo topo;
    char topo_text[256]; /* as given: the synthetic string or the file */
    uint64_t core_khz;
    struct bl_host_costs costs;
    char policy[BL_NAME_BYTES], mode[BL_NAME_BYTES];
    struct bl_host_param { /* explicit parameters, as text, with their line */
        char name[BL_NAME_BYTES], text[BL_NAME_BYTES];
        unsigned long line;
    } policy_param[16], mode_param[16];
    uint32_t policy_param_count, mode_param_count;
    unsigned long policy_line, mode_line;
    int64_t control_ns; /* between two divisions among pools */
    /* Power: P-states with their tables; pstate_count 0: not modelled, and
     * nothing of the next five counts. */
    struct bl_freq freq;
    char governor[BL_NAME_BYTES];
    struct bl_host_param governor_param[16];
    uint32_t governor_param_count;
    unsigned long governor_line;
    int64_t governor_ns; /* between two samples of a governor */
    uint64_t cap_mw;     /* of the whole host; UINT64_MAX: none */
    int64_t duration_ns, warmup_ns;
    int64_t timeline_ns; /* at the end of the run, for the timeline; 0: none */
    uint32_t group_count;
    struct bl_host_vm_group group[BL_VM_GROUPS_MAX];
    struct bl_host_jobs jobs;
};

/* VMs of all groups, without jobs. */
uint32_t bl_host_spec_vms(const struct bl_host_spec *s);

void bl_host_spec_check(const struct bl_host_spec *s);

#endif /* BL_HV_HOST_H */
