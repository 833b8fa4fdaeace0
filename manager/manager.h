/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager/manager.h - the control loop: observe, decide, validate, act, note.
 *
 * The only loop of ballast, the same over a simulated and a real world: wait
 * for the next instant, give arrivals to place() and due instants to step(),
 * check every action against what must hold, apply it, and write down what was
 * done, why, and with which figures. Where there are power caps, their area
 * (power/capping.h) comes after the policy: at control instants, and wherever
 * something was done.
 *
 * Layer        manager (L5).
 * Units        _ns of the world's time.
 * Ownership    the manager lives in the arena; world and sinks are the
 *              caller's.
 * Allocation   bl_manager_create() only; the caller seals the arena after it.
 * Errors       bl_manager_run(): what the world's wait() failed with. A policy
 *              that misbehaves is no error: see bl_manager_counts.
 * Threads      one.
 * Determinism  nothing here reads a clock; @stop only ends a run early.
 */
#ifndef BL_MANAGER_MANAGER_H
#define BL_MANAGER_MANAGER_H

#include "hv/world.h"

#include <signal.h>

/* Faults of a policy before it is replaced: refused actions, actions beyond the
 * plan's length, moves left on the overlay. */
#define BL_MANAGER_FAULTS_MAX 100u

/* One line of the journal. */
struct bl_journal_entry {
    int64_t at_ns;
    const char *policy; /* the spec, or the name of the one that replaced it */
    const struct bl_action *action;
    enum bl_verdict verdict;
};

typedef void (*bl_journal_sink)(void *ctx, const struct bl_journal_entry *e);

struct bl_manager_counts {
    uint64_t accepted[BL_ACTION_COUNT];
    uint64_t reasons[BL_REASON_COUNT];  /* of accepted actions */
    uint64_t refused[BL_VERDICT_COUNT]; /* FULL: or beyond the plan's length */
    uint64_t unplaced; /* arrivals for which the policy planned nothing */
    bool replaced;     /* the policy, by the reference policy */
};

struct bl_manager_opts {
    struct bl_world *world;
    const struct bl_policy *policy;
    const char *spec; /* as its user named it; NULL: the policy's name */
    const struct bl_params *params;
    uint64_t seed;
    bl_journal_sink journal; /* or NULL */
    void *journal_ctx;
    /* After each control instant, for a progress bar; or NULL. */
    void (*progress)(void *ctx, int64_t now_ns);
    void *progress_ctx;
    const volatile sig_atomic_t *stop; /* not 0: end early; or NULL */
    bool paranoid; /* run every _check() after each instant */
};

struct bl_manager; /* opaque */

BL_NODISCARD bl_err bl_manager_create(struct bl_arena *a,
                                      const struct bl_manager_opts *opts,
                                      struct bl_manager **out);

/** bl_manager_run - until the world ends or @stop is set.
 * @stopped  out: true when it was @stop. */
BL_NODISCARD bl_err bl_manager_run(struct bl_manager *m, bool *stopped,
                                   struct bl_diag *diag);

const struct bl_manager_counts *bl_manager_counts(const struct bl_manager *m);

#endif /* BL_MANAGER_MANAGER_H */
