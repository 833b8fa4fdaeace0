/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/policy.h - what a control policy is: a const table of functions.
 *
 * The life of a policy:
 *
 *     create(arena, env)                   once; the only place to allocate
 *     while (the run lasts) {
 *         event(e)                         what happened since: optional
 *         place(vm)                        for each VM that arrived, at once
 *         step()                           at every control instant
 *         check()                          after each of them in tests
 *     }                                    it ends with its arena
 *
 * place() and step() read the snapshot and the overlay and add actions to the
 * plan. They may try moves on the overlay and must leave it as they found it:
 * the manager lays accepted actions on it itself. A policy is a pure function
 * of (snapshot, parameters, its own state): no clock, no I/O, no allocation
 * after create, no file-scope variable. What its plan gets wrong is refused by
 * the manager, counted and, past a limit, answered by replacing it with the
 * reference policy (`static`). Breaking the contract of the overlay itself (an
 * id that does not exist, more moves than fit) trips an assertion.
 *
 * To add one: write cluster/policy_NAME.c with `const struct bl_policy
 * bl_policy_NAME` and its card; the build puts it in the registry.
 *
 * Layer        hv (L1). A policy includes base/, hv/ and modules below its own,
 *              never sim/, kvm/, trace/ or config/.
 * Ownership    tables are const and static; state lives in the arena.
 * Threads      one thread for one instance; two instances are independent.
 * Determinism  ties go to the lower id unless the policy's source says
 *              otherwise; randomness only from env->seed (base/prng.h).
 */
#ifndef BL_HV_POLICY_H
#define BL_HV_POLICY_H

#include "hv/overlay.h"
#include "hv/param.h"
#include "hv/plan.h"

enum bl_event_kind {
    BL_EVENT_VM_ARRIVED,
    BL_EVENT_VM_DEPARTED,
    BL_EVENT_MIGRATION_DONE,
    BL_EVENT_HOST_CHANGED, /* a power transition ended */
};

struct bl_event {
    enum bl_event_kind kind;
    uint32_t vm;   /* or BL_NONE */
    uint32_t host; /* or BL_NONE */
    int64_t at_ns;
};

/* What create() may know: sizes to allocate for, parameters, the seed. */
struct bl_policy_env {
    const struct bl_dc *dc;
    uint32_t host_count;
    uint32_t vm_slot_count;
    const struct bl_params *params;
    uint64_t seed;
};

struct bl_policy {
    const char *name;    /* as typed: "static", or the family's "thr-mmt" */
    const char *syntax;  /* of a spec: "TEST-SELECTION[-SAFETY][-2012]" */
    const char *summary; /* one line */
    const char *source;  /* paper or program */
    const struct bl_param *params;
    uint32_t param_count;
    uint32_t writes;        /* bit (1 << kind) for each action it may plan */
    uint32_t history_count; /* VM samples it reads, up to BL_HISTORY_MAX */
    /* Does @spec name this policy? Sets the parameters it encodes. NULL: only
     * the exact name does. */
    bool (*matches)(const char *spec, struct bl_params *params);
    bl_err (*create)(struct bl_arena *a, const struct bl_policy_env *env,
                     void **state);
    void (*place)(void *state, const struct bl_snapshot *s,
                  struct bl_overlay *o, uint32_t vm, struct bl_plan *plan);
    void (*step)(void *state, const struct bl_snapshot *s, struct bl_overlay *o,
                 struct bl_plan *plan); /* or NULL */
    void (*event)(void *state, const struct bl_snapshot *s,
                  const struct bl_event *e); /* or NULL */
    void (*check)(const void *state);        /* or NULL */
};

#endif /* BL_HV_POLICY_H */
