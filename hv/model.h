/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/model.h - what a data centre is made of, before anything happens in it.
 *
 * Plain descriptions: host groups, VM groups, settings, the cost of a live
 * migration. A scenario fills them in (config/), a world turns them into
 * hosts and VMs (sim/, later kvm/); nobody changes them during a run.
 *
 * Layer        hv (L1).
 * Units        _khz CPU speed (work per second), _bytes, _ns, _mw, _uj, _ppm.
 * Ownership    values; no pointers are owned.
 * Allocation   none.
 * Errors       bl_dc_check() says what cannot be; the others cannot fail.
 * Threads      read-only during a run.
 * Determinism  ids follow from order and counts alone (bl_dc_host_groups()).
 * Limits       BL_HOST_GROUPS_MAX, BL_VM_GROUPS_MAX, BL_HOSTS_MAX, BL_VMS_MAX,
 *              BL_POOLS_MAX, BL_CAPS_MAX.
 */
#ifndef BL_HV_MODEL_H
#define BL_HV_MODEL_H

#include "base/err.h"
#include "hv/pstate.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_NAME_BYTES 64
#define BL_HOST_GROUPS_MAX 64u
#define BL_VM_GROUPS_MAX 64u
#define BL_HOSTS_MAX 4000000u
#define BL_VMS_MAX 40000000u
#define BL_HOST_CORES_MAX 4096u
#define BL_HOST_NODES_MAX 64u
#define BL_CORE_KHZ_MAX UINT64_C(10000000)   /* 10 GHz */
#define BL_MEM_BYTES_MAX (UINT64_C(1) << 50) /* 1 PiB */
#define BL_SHARES_MAX UINT64_C(1000000000)
#define BL_POWER_MW_MAX UINT32_C(100000000)     /* 100 kW */
#define BL_NET_BYTES_PER_S_MIN UINT64_C(125000) /* 1 Mbit/s */
#define BL_NET_BYTES_PER_S_MAX UINT64_C(1000000000000)
#define BL_TRANSITION_NS_MAX INT64_C(86400000000000)     /* a day */
#define BL_TRANSITION_UJ_MAX UINT64_C(10000000000000000) /* 10 GJ */
#define BL_MIGRATION_CPU_PPM_MAX UINT32_C(10000000)      /* 10 cores */
#define BL_MIGRATION_DIRTY_MAX UINT64_C(1000000000000)   /* bytes/s */
#define BL_MIGRATION_DOWNTIME_NS_MAX INT64_C(3600000000000)
#define BL_MIGRATION_ROUNDS_MAX 1000u
#define BL_MIGRATION_PARALLEL_MAX 10000u
#define BL_POOLS_MAX 64u
#define BL_POOL_AMOUNT_MAX (UINT64_C(1) << 56) /* kHz or bytes */
#define BL_NO_LIMIT UINT64_MAX
#define BL_CAPS_MAX 64u
#define BL_CAP_ALL UINT32_MAX
#define BL_CAP_MW_MAX UINT64_C(1000000000000) /* 1 GW */

struct bl_power_table {
    char name[BL_NAME_BYTES];
    uint32_t mw[BL_POWER_POINTS];
};

/* Going into or out of a sleep state: how long, and the energy of all of it. */
struct bl_transition {
    int64_t time_ns;
    uint64_t energy_uj;
};

/* What a host draws all through it: energy over time, rounded down; the rest
 * comes at its end, and all of it where there is no time. At most
 * BL_TRANSITION_MW_MAX. */
#define BL_TRANSITION_MW_MAX UINT64_C(1000000000000)
uint64_t bl_transition_mw(const struct bl_transition *t);

struct bl_sleep_state {
    uint32_t power_mw; /* drawn while in it */
    struct bl_transition enter, leave;
};

struct bl_host_group {
    char name[BL_NAME_BYTES];
    uint32_t host_count;
    uint32_t core_count; /* per host; admission counts cores, not threads */
    uint64_t core_khz;
    uint64_t mem_bytes;
    uint32_t node_count; /* NUMA nodes; cores and memory split evenly */
    struct bl_power_table power;
    struct bl_freq freq;           /* its P-states; [0] is core_khz and power */
    struct bl_sleep_state standby; /* suspend to RAM */
    struct bl_sleep_state off;
    uint64_t net_bytes_per_s; /* of the migration network */
};

/* How consecutive ids map to groups: all of one, then all of the next; or one
 * of each in turn while they last. VM groups whose counts come from the trace
 * are cut into equal blocks of it (the last one may be smaller). */
enum bl_order { BL_ORDER_BLOCKS, BL_ORDER_ROUND_ROBIN };

/* A preset is per vCPU (CPU) or per MiB (memory); a number is per VM. */
struct bl_shares {
    bool per_unit;
    uint64_t value; /* 1 .. BL_SHARES_MAX */
};

#define BL_CPU_SHARES_HIGH 2000u /* per vCPU; 4:2:1, FIELD.md A1 */
#define BL_CPU_SHARES_NORMAL 1000u
#define BL_CPU_SHARES_LOW 500u
#define BL_MEM_SHARES_HIGH 20u /* per MiB */
#define BL_MEM_SHARES_NORMAL 10u
#define BL_MEM_SHARES_LOW 5u

/* Shares, reservation, limit of one resource of one VM; kHz or bytes. */
struct bl_settings {
    struct bl_shares shares;
    uint64_t reservation; /* 0: none */
    uint64_t limit;       /* BL_NO_LIMIT: none */
};

/* A resource pool: settings for all its VMs together. Preset shares are those
 * of a VM of BL_POOL_VCPUS and BL_POOL_MEM_BYTES. */
#define BL_POOL_VCPUS 4u
#define BL_POOL_MEM_BYTES (UINT64_C(16) << 30)

struct bl_pool_settings {
    struct bl_settings set;
    bool expandable; /* may borrow from its parent for its VMs' reservations */
};

struct bl_pool_desc {
    char name[BL_NAME_BYTES];
    uint32_t parent;             /* 1 + index of a pool before it; 0: none */
    struct bl_pool_settings cpu; /* kHz */
    struct bl_pool_settings mem; /* bytes */
    unsigned long line;          /* in the scenario; 0: none */
};

struct bl_pool_set {
    uint32_t count;
    struct bl_pool_desc pool[BL_POOLS_MAX];
};

struct bl_vm_group {
    char name[BL_NAME_BYTES];
    uint32_t vm_count;    /* 0: as many as the trace gives */
    bool size_from_trace; /* then the three below are 0 */
    uint32_t vcpu_count;
    uint64_t vcpu_khz; /* speed at which the trace's 100 % was measured */
    uint64_t mem_bytes;
    struct bl_settings cpu; /* kHz */
    struct bl_settings mem; /* bytes */
    uint32_t pool;          /* 1 + index of its resource pool; 0: none */
};

/* Pre-copy live migration: doc/models/migration.md has sources and ranges. */
struct bl_migration {
    uint32_t cpu_ppm_per_gbit;  /* of one core at each end, per 1 Gbit/s */
    uint64_t dirty_bytes_per_s; /* by a VM at 100 % of its vCPUs */
    uint32_t working_set_ppm;   /* of used memory: what can be dirtied */
    int64_t downtime_ns_max;    /* stop-and-copy when the rest fits in it */
    uint32_t rounds_max;        /* then stop and copy whatever is left */
    uint32_t parallel_max;      /* that copy at one host; more wait */
};

/* A power cap of each rack of hosts: the hosts of a group, or all of them, in
 * order of their numbers, hosts_each at a time (the last rack may be smaller).
 * A host may be under several caps. */
struct bl_power_cap {
    char name[BL_NAME_BYTES];
    uint64_t mw;         /* of one rack */
    uint32_t group;      /* index of the host group; BL_CAP_ALL: all hosts */
    uint32_t hosts_each; /* 0: all of them are one rack */
    unsigned long line;  /* in the scenario; 0: none */
};

struct bl_dc {
    uint32_t host_group_count, vm_group_count;
    struct bl_host_group host_group[BL_HOST_GROUPS_MAX];
    struct bl_vm_group vm_group[BL_VM_GROUPS_MAX];
    struct bl_pool_set pools;
    enum bl_order host_order, vm_order;
    struct bl_migration migration;
    uint32_t cap_count;
    struct bl_power_cap cap[BL_CAPS_MAX];
};

uint32_t bl_dc_host_count(const struct bl_dc *dc);

/* Does some host have more than one P-state, or is there a power cap? */
bool bl_dc_has_speeds(const struct bl_dc *dc);

/* Sum of the VM groups' own counts; 0 when they come from the trace. */
uint32_t bl_dc_vm_count(const struct bl_dc *dc);

/* Fills group[0 .. bl_dc_host_count()) with each host's group index. */
void bl_dc_host_groups(const struct bl_dc *dc, uint8_t *group);

/* Fills rack[0 .. bl_dc_host_count()) with each host's rack under cap number
 * @cap, UINT32_MAX where it is not under it; @group is of bl_dc_host_groups().
 * Returns how many racks there are. */
uint32_t bl_dc_cap_racks(const struct bl_dc *dc, uint32_t cap,
                         const uint8_t *group, uint32_t *rack);

/* The group of the VM with number @vm out of @vm_count in all. Equal blocks:
 * per = ceil(vm_count / groups), group = vm / per (cloudsim's rule too). Where
 * groups have their own counts, @vm is below their sum. */
uint32_t bl_dc_vm_group(const struct bl_dc *dc, uint32_t vm, uint32_t vm_count);

/* A VM's shares as one number, presets multiplied out; at least 1. */
uint64_t bl_cpu_shares(const struct bl_settings *s, uint32_t vcpu_count);
uint64_t bl_mem_shares(const struct bl_settings *s, uint64_t mem_bytes);

/* BL_ASSERT every documented range. */
void bl_dc_check(const struct bl_dc *dc);

#endif /* BL_HV_MODEL_H */
