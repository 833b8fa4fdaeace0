/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/world.h - the port: all that the manager can see and do, in a simulated
 * data centre as on real hosts.
 *
 *     wait(until) -> now, events      let time pass
 *     observe()   -> snapshot         look
 *     apply(action) -> verdict        ask for something
 *
 * The manager's loop is the only loop; a world only answers. Actions take
 * time: an accepted one is in flight until an event says it is done.
 *
 * Layer        hv (L1).
 * Units        _ns of the world's time, from 0 at its start.
 * Ownership    a world's maker destroys it; events belong to the world and are
 *              valid until the next wait().
 * Allocation   none after the world is made.
 * Errors       wait: BL_ERR_END when the run is over, others with a diag (the
 *              trace turned out damaged). apply: a verdict; refused means
 *              nothing changed.
 * Threads      one caller; a world may use threads inside a call.
 */
#ifndef BL_HV_WORLD_H
#define BL_HV_WORLD_H

#include "base/diag.h"
#include "hv/policy.h"

struct bl_world;

struct bl_wait {
    int64_t now_ns; /* <= until_ns; earlier when a VM arrived */
    const struct bl_event *event;
    uint32_t event_count;
};

struct bl_world_ops {
    /* Let time pass to @until_ns, or to the first instant at which a VM
     * arrives. */
    bl_err (*wait)(struct bl_world *w, int64_t until_ns, struct bl_wait *out,
                   struct bl_diag *diag);
    const struct bl_snapshot *(*observe)(struct bl_world *w);
    /* Called for actions that passed the manager's validation. */
    enum bl_verdict (*apply)(struct bl_world *w, const struct bl_action *a);
    /* BL_ASSERT the world's own invariants. */
    void (*check)(const struct bl_world *w);
};

/* The head of every world's own structure. */
struct bl_world {
    const struct bl_world_ops *ops;
    int64_t first_due_ns; /* first control instant; then every interval_ns */
    int64_t interval_ns;
    uint32_t host_count, vm_slot_count, resident_max;
    const struct bl_dc *dc;
};

#endif /* BL_HV_WORLD_H */
