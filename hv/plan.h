/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/plan.h - what a policy wants done: typed actions, each with its reason
 * and the figures that led to it.
 *
 * Layer        hv (L1).
 * Units        figures carry their unit in their name (BL_REASON_MAP).
 * Ownership    a plan's array belongs to whoever created it.
 * Allocation   bl_plan_create() only, from an arena.
 * Errors       a plan that is full counts what it drops (dropped_count); the
 *              manager treats that as the policy's fault.
 * Determinism  actions are applied in the order in which they were added.
 */
#ifndef BL_HV_PLAN_H
#define BL_HV_PLAN_H

#include "base/arena.h"
#include "hv/snapshot.h"

#include <stdint.h>

#define BL_ACTION_MAP(X)                                                       \
    X(PLACE, "place", "start a VM on a host")                                  \
    X(MIGRATE, "migrate", "live-migrate a VM to another host")                 \
    X(HOST_ON, "host-on", "bring a host out of standby or off")                \
    X(HOST_STANDBY, "host-standby", "suspend an empty host to RAM")            \
    X(HOST_OFF, "host-off", "switch an empty host off")                        \
    X(POWER_UNMANAGED, "power-unmanaged", "give up power saving on a host")    \
    X(POWER_CAP, "power-cap", "set the most that a host may draw")

enum bl_action_kind {
#define BL_ACTION_ENUM(name, text, help) BL_ACTION_##name,
    BL_ACTION_MAP(BL_ACTION_ENUM)
#undef BL_ACTION_ENUM
        BL_ACTION_COUNT
};

#define BL_FIGURES 3

/* code, what is printed, then the names of up to three figures ("" = none) */
#define BL_REASON_MAP(X)                                                       \
    X(FIRST_FIT, "first host with room", "need_mhz", "uncommitted_mhz", "")    \
    X(LEAST_POWER, "power rises least there", "rise_w", "need_mhz",            \
      "free_mhz")                                                              \
    X(OVERLOAD, "source host overloaded", "level", "threshold", "rise_w")      \
    X(UNDERLOAD, "emptying a little-used host", "source_util", "vm_util",      \
      "rise_w")                                                                \
    X(EMPTIED, "host left without VMs", "util_before", "vms_moved", "")        \
    X(WAKE, "needed by the moves that follow", "vms_coming", "", "")           \
    X(NO_POWER_SAVING, "policy does not manage power", "", "", "")             \
    X(FALLBACK, "the reference policy takes over", "faults", "", "")           \
    X(CAP_DIVIDED, "its part of a power budget", "budget_w", "demand_w",       \
      "reserved_w")                                                            \
    X(CAP_CHANGE, "a power budget makes way for a host that changes state",    \
      "budget_w", "demand_w", "reserved_w")                                    \
    X(FORECAST_FIT, "fits there by forecast", "level_mhz", "limit_mhz",        \
      "mean_mhz")                                                              \
    X(RELIEF, "source would serve less than asked for", "demand_mhz",          \
      "level_mhz", "risk_j")                                                   \
    X(PREVENTION, "source likely to be short of CPU", "level_mhz", "gain_j",   \
      "cost_j")                                                                \
    X(RIGHTSIZE, "emptying a host that does not pay", "saved_j", "cost_j",     \
      "target_level")                                                          \
    X(NOT_NEEDED, "empty and beyond the reserve", "util_before",               \
      "spare_slots", "reserve_slots")                                          \
    X(RESERVE, "room for the VMs of hosts that may fail", "free_slots",        \
      "reserve_slots", "")                                                     \
    X(ARRIVALS, "for VMs that are likely to arrive", "empty_hosts",            \
      "needed_hosts", "")

enum bl_reason {
#define BL_REASON_ENUM(name, text, f0, f1, f2) BL_REASON_##name,
    BL_REASON_MAP(BL_REASON_ENUM)
#undef BL_REASON_ENUM
        BL_REASON_COUNT
};

struct bl_action {
    enum bl_action_kind kind;
    enum bl_reason reason;
    uint32_t vm;     /* BL_NONE for host actions */
    uint32_t host;   /* the target, or the host acted on */
    uint32_t source; /* MIGRATE: where the VM is now; else BL_NONE */
    uint64_t amount; /* POWER_CAP: mW; else 0 */
    double figure[BL_FIGURES];
};

/* Why an action was not done. Every code but OK and LATER leaves the world
 * as it was. */
#define BL_VERDICT_MAP(X)                                                      \
    X(OK, "accepted")                                                          \
    X(LATER, "accepted, waits for its host or its VMs")                        \
    X(NO_SUCH_VM, "no such VM")                                                \
    X(NO_SUCH_HOST, "no such host")                                            \
    X(VM_BUSY, "the VM is already migrating")                                  \
    X(VM_STATE, "the VM is not in a state for it")                             \
    X(SAME_HOST, "the VM is already there")                                    \
    X(HOST_STATE, "the host is not in a state for it")                         \
    X(HOST_BUSY, "the host has VMs, migrations or a transition under way")     \
    X(NO_CPU, "not enough CPU on the host")                                    \
    X(NO_MEMORY, "not enough memory on the host")                              \
    X(NO_RESERVATION, "the reservations on the host would exceed it")          \
    X(NO_POOL, "a resource pool cannot back the reservation")                  \
    X(NO_POWER, "the power cap cannot back it")                                \
    X(NO_SUCH_ACTION, "this world does not know the action")                   \
    X(NOT_ALLOWED, "the policy does not declare this kind of action")          \
    X(FULL, "a limit of the world was reached")

enum bl_verdict {
#define BL_VERDICT_ENUM(name, text) BL_VERDICT_##name,
    BL_VERDICT_MAP(BL_VERDICT_ENUM)
#undef BL_VERDICT_ENUM
        BL_VERDICT_COUNT
};

static inline bool bl_verdict_accepted(enum bl_verdict v)
{
    return v == BL_VERDICT_OK || v == BL_VERDICT_LATER;
}

struct bl_plan {
    struct bl_action *action;
    uint32_t count, count_max;
    uint32_t dropped_count;
};

BL_NODISCARD bl_err bl_plan_create(struct bl_arena *a, uint32_t count_max,
                                   struct bl_plan *out);

static inline void bl_plan_add(struct bl_plan *p, const struct bl_action *a)
{
    if (p->count == p->count_max)
        p->dropped_count++;
    else
        p->action[p->count++] = *a;
}

/* Static strings: "migrate", "source host overloaded", "rise_w", "accepted".
 * bl_reason_figure() is "" for a figure that the reason does not have. */
const char *bl_action_name(enum bl_action_kind k);
const char *bl_action_help(enum bl_action_kind k);
const char *bl_reason_text(enum bl_reason r);
const char *bl_reason_figure(enum bl_reason r, uint32_t i);
const char *bl_verdict_text(enum bl_verdict v);

#endif /* BL_HV_PLAN_H */
