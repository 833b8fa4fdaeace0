/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/sim_priv.h - what the files of sim/ share: the columns behind the
 * snapshot, the resident lists, and the table that a physics profile is.
 *
 * sim.c       creation, the port, trace steps (arrivals and departures)
 * columns.c   the snapshot's columns, resident lists, history
 * cloudsim303*.c, real*.c   the profiles
 */
#ifndef BL_SIM_SIM_PRIV_H
#define BL_SIM_SIM_PRIV_H

#include "power/curve.h"
#include "sim/sim.h"

/* The columns that bl_snapshot shows read-only, writable here. */
struct bl_columns {
    uint32_t host_count, slot_count;
    /* hosts */
    uint8_t *host_group, *host_state;
    double *host_util, *host_served_mhz, *host_free_mhz;
    double *host_capacity_mhz, *host_core_mhz;
    uint64_t *host_capacity_khz, *host_mem_bytes, *host_mem_used_bytes;
    uint64_t *host_committed_khz, *host_mem_committed_bytes;
    uint64_t *host_power_cap_mw, *host_power_min_mw; /* NULL: no caps */
    uint32_t *host_first, *host_last;
    uint64_t *host_stamp;
    /* VMs, by slot */
    uint8_t *vm_state, *vm_migrating, *vm_group;
    uint32_t *vm_host, *vm_generation, *vm_vcpu_count;
    uint64_t *vm_size_khz, *vm_mem_size_bytes, *vm_mem_used_bytes;
    double *vm_size_mhz, *vm_vcpu_mhz, *vm_demand_mhz, *vm_util;
    char (*vm_name)[BL_NAME_BYTES];
    int64_t *vm_arrived_ns;
    /* shared by host and VM */
    struct bl_settings cpu[BL_VM_GROUPS_MAX], mem[BL_VM_GROUPS_MAX];
    struct bl_resident *resident;
    uint32_t resident_max, resident_free; /* free list through .next */
    uint64_t stamp_next;
    double *history;
    uint32_t *history_count;
    uint32_t history_depth, history_stride, history_offset;
};

struct bl_sim;

struct bl_profile {
    const char *name, *help;
    uint32_t can; /* BL_CAN_* */
    bl_serve_fn serve;
    bool oracle_only; /* policies see true demand whatever was asked for */
    /* Allocate sim->state; set world.first_due_ns when it is not interval. */
    bl_err (*create)(struct bl_sim *sim, struct bl_arena *a,
                     struct bl_diag *diag);
    /* Let time pass from sim->now_ns to @until_ns; loads trace steps on the
     * way (bl__sim_load_step) and stops at one that brings arrivals. */
    bl_err (*advance)(struct bl_sim *sim, int64_t until_ns,
                      struct bl_diag *diag);
    /* Bring measured columns up to date before a policy looks. */
    void (*observe)(struct bl_sim *sim);
    enum bl_verdict (*apply)(struct bl_sim *sim, const struct bl_action *a);
    void (*arrived)(struct bl_sim *sim, uint32_t vm);  /* or NULL */
    void (*departed)(struct bl_sim *sim, uint32_t vm); /* before it is gone */
    void (*finish)(struct bl_sim *sim, struct bl_result *r);
    void (*check)(const struct bl_sim *sim);
};

struct bl_sim {
    struct bl_world world; /* first: a bl_world is a bl_sim */
    struct bl_sim_opts opts;
    const struct bl_profile *profile;
    void *state; /* the profile's */
    const struct bl_trace_info *info;
    struct bl_columns col;
    struct bl_snapshot snap;
    struct bl_power_curve curve[BL_HOST_GROUPS_MAX];
    int64_t now_ns;
    int64_t end_ns;            /* nothing happens at or after it */
    uint32_t step_count;       /* trace steps of this run */
    uint32_t step_loaded;      /* how many have been loaded */
    struct bl_trace_step step; /* the last one loaded */
    uint64_t vms_arrived, vms_refused, vms_ended;
    struct bl_event *event;
    uint32_t event_count, event_max;
    bool arrivals_pending; /* advance() must return */
};

extern const struct bl_profile bl__profile_real;
extern const struct bl_profile bl__profile_cloudsim303;

/* columns.c */
bl_err bl__columns_create(struct bl_arena *a, const struct bl_dc *dc,
                          uint32_t host_count, uint32_t slot_count,
                          uint32_t history_count, struct bl_columns *out);
/* Appended at the end of the host's list, or before the first higher id. */
void bl__columns_link(struct bl_columns *c, uint32_t host, uint32_t vm,
                      enum bl_role role, bool sorted);
void bl__columns_unlink(struct bl_columns *c, uint32_t host, uint32_t vm,
                        enum bl_role role);
struct bl_resident *bl__columns_find(struct bl_columns *c, uint32_t host,
                                     uint32_t vm, enum bl_role role);
/* Commit or release a VM's configured size on a host. */
void bl__columns_commit(struct bl_columns *c, uint32_t host, uint32_t vm);
void bl__columns_release(struct bl_columns *c, uint32_t host, uint32_t vm);
/* One more sample of vm_util for every placed VM. */
void bl__columns_push_history(struct bl_columns *c);
void bl__columns_view(const struct bl_columns *c, struct bl_snapshot *s);

/* sim.c */
/* Loads trace step sim->step_loaded: departures, arrivals, demand arrays. */
bl_err bl__sim_load_step(struct bl_sim *sim, struct bl_diag *diag);
/* An event for the manager; the oldest wait until it calls wait() again. */
void bl__sim_event(struct bl_sim *sim, enum bl_event_kind kind, uint32_t vm,
                   uint32_t host);
/* Common part of a VM's row: name, group. The profile fills the rest and
 * hands it to opts.vm_sink and bl_result_vm(). */
void bl__sim_vm_row(const struct bl_sim *sim, uint32_t vm,
                    struct bl_vm_result *row);

#endif /* BL_SIM_SIM_PRIV_H */
