/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/snapshot.h - what a policy may know: read-only tables of hosts and VMs.
 *
 * A world (sim/, later kvm/) owns the columns and fills them; `observe` hands
 * out this view. Configured values are integers; measured and estimated ones
 * are doubles in MHz, as a published algorithm computes with them (1 MHz is
 * one MIPS of the CloudSim papers). Real accounting is the world's, in
 * integers.
 *
 * Layer        hv (L1).
 * Units        _mhz _khz _bytes _ns; util and history are 0 .. 1 of the VM's
 *              or host's own capacity.
 * Ownership    the world's; valid until its next wait() or apply().
 * Allocation   none here.
 * Errors       an id out of range is a bug: BL_ASSERT in the accessors.
 * Threads      read-only.
 * Determinism  the order of a host's residents is part of the snapshot.
 * Limits       BL_HISTORY_MAX samples for each VM.
 */
#ifndef BL_HV_SNAPSHOT_H
#define BL_HV_SNAPSHOT_H

#include "hv/model.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_NONE UINT32_MAX /* no host, no VM, end of a list */
#define BL_HISTORY_MAX 30u

enum bl_host_state {
    BL_HOST_ON,
    BL_HOST_STANDBY,
    BL_HOST_OFF,
    BL_HOST_ENTERING, /* on its way into standby or off */
    BL_HOST_LEAVING,  /* on its way to on */
};

enum bl_vm_state {
    BL_VM_ABSENT,  /* the slot is empty */
    BL_VM_PENDING, /* arrived, no host yet */
    BL_VM_PLACED,
};

/* A VM that migrates is resident on its source (OUT) and its target (IN). */
enum bl_role { BL_ROLE_HERE, BL_ROLE_OUT, BL_ROLE_IN };

/* One entry of a host's resident list; a pool of them is part of the world. */
struct bl_resident {
    uint32_t vm;
    uint32_t next; /* BL_NONE at the end */
    enum bl_role role;
};

struct bl_host_table {
    uint32_t count;
    const uint8_t *group;             /* index into dc->host_group */
    const uint8_t *state;             /* enum bl_host_state */
    const double *util;               /* measured, of capacity_mhz_now */
    const double *served_mhz;         /* what its VMs receive now */
    const double *free_mhz;           /* what its scheduler could still give */
    const double *capacity_mhz_now;   /* within its power budget; above 0 */
    const double *core_mhz;           /* speed of one pCPU, at its fastest */
    const uint64_t *capacity_khz_max; /* at the highest P-state */
    const uint64_t *mem_bytes;
    const uint64_t *mem_used_bytes;      /* what its VMs use now */
    const uint64_t *committed_khz;       /* sum of its VMs' sizes */
    const uint64_t *mem_committed_bytes; /* sum of their configured memory */
    /* Only with BL_CAN_CAP_POWER: what it may draw (UINT64_MAX: no cap), and
     * the least that it must be let draw for what it is about now. */
    const uint64_t *power_cap_mw, *power_min_mw;
    const uint32_t *first; /* head of the resident list, or BL_NONE */
    const uint64_t *stamp; /* grows when state, list or cap change: compare
                              with the stamp last seen to find changed rows */
};

struct bl_vm_table {
    uint32_t slot_count;
    const uint8_t *state; /* enum bl_vm_state */
    const uint8_t *migrating;
    const uint32_t *host;       /* where it runs; BL_NONE while pending */
    const uint32_t *generation; /* of the slot: slot + generation is the id */
    const uint8_t *group;       /* index into dc->vm_group */
    const uint32_t *vcpu_count;
    const uint64_t *size_khz; /* all vCPUs at full speed */
    const double *size_mhz;   /* the same, for double arithmetic */
    const double *vcpu_mhz;   /* one vCPU at full speed */
    const double *demand_mhz; /* observed or oracle: see demand_is_oracle */
    const double *util;       /* demand over size, 0 .. 1 */
    const uint64_t *mem_size_bytes;
    const uint64_t *mem_used_bytes; /* counted against mem_used of a host */
    const struct bl_settings *cpu;  /* [vm_group] */
    const struct bl_settings *mem;  /* [vm_group] */
};

/* util of the last samples of each VM, newest first; filled only as far as
 * the active policy asks (bl_policy.history_count). */
struct bl_history {
    const double *sample; /* [slot * stride + offset], newest at offset */
    const uint32_t *count;
    uint32_t stride, offset, depth;
};

struct bl_snapshot;

/** bl_serve_fn - the world's sharing rule: what @host would serve in MHz if it
 * had exactly these VMs, in this order, nothing in flight.
 * @free_mhz  out: what would be left for one more VM. */
typedef double (*bl_serve_fn)(const struct bl_snapshot *s, uint32_t host,
                              const uint32_t *vm, uint32_t vm_count,
                              double *free_mhz);

/* What the world can do; a policy plans nothing it cannot. */
#define BL_CAN_SWITCH_HOSTS 1u   /* host on / standby / off are actions */
#define BL_CAN_MOVE_TWICE 2u     /* one VM may be named twice in a plan */
#define BL_CAN_ENFORCE_MEMORY 4u /* memory is real: never overcommit use */
#define BL_CAN_CAP_POWER 8u      /* power-cap is an action: there are caps */

struct bl_snapshot {
    int64_t now_ns;
    uint64_t sequence; /* counts observations */
    const struct bl_dc *dc;
    struct bl_host_table host;
    struct bl_vm_table vm;
    struct bl_history history;
    const struct bl_resident *resident; /* the pool that lists index */
    uint32_t resident_max;              /* entries of the pool */
    uint32_t in_flight_count;           /* migrations and transitions */
    bl_serve_fn serve;
    void *serve_ctx;           /* the world's; only serve looks at it */
    uint32_t can;              /* BL_CAN_* */
    bool demand_is_oracle;     /* else estimated from usage and ready time */
    double migration_mb_per_s; /* MiB/s at which a migration is planned */
    double interval_s;         /* between two control instants */
};

/* In a sleep state, not on its way into or out of one. */
static inline bool bl_host_asleep(const struct bl_snapshot *s, uint32_t host)
{
    return s->host.state[host] == BL_HOST_STANDBY ||
           s->host.state[host] == BL_HOST_OFF;
}

/* The @n newest utilisation samples of @vm, newest first. */
static inline const double *bl_vm_history(const struct bl_snapshot *s,
                                          uint32_t vm, uint32_t *n)
{
    BL_ASSERT(vm < s->vm.slot_count);
    *n = s->history.count[vm];
    return s->history.sample + (uint64_t)vm * s->history.stride +
           s->history.offset;
}

/* BL_ASSERT every invariant, O(hosts + VMs): lists reach each placed VM once
 * (twice while it migrates), states and sums agree. */
void bl_snapshot_check(const struct bl_snapshot *s);

#endif /* BL_HV_SNAPSHOT_H */
