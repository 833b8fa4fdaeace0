/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_script.h - a manager over a world that a test scripts, with a
 * policy that does whatever the test tells it, above all what it must not.
 *
 * The world: a test_table of 4 hosts (0 and 2 with 4000 MHz and 8 GiB, 1 and 3
 * with 12000 and 16) and 12 VM slots. Control instants at 10 s, 20 s ... before
 * the end at 95 s. Actions take effect at once, but migrations never end.
 */
#ifndef BL_TESTS_SUPPORT_SCRIPT_H
#define BL_TESTS_SUPPORT_SCRIPT_H

#include "tests/test.h"

#include "manager/manager.h"
#include "tests/support_table.h"

#define TEST_S INT64_C(1000000000)

enum {
    TEST_HOSTS = 4,
    TEST_SLOTS = 12,
    TEST_LOG_MAX = 4096,
    TEST_EVENTS_MAX = 64
};

/* ---- the world ------------------------------------------------------------
 */

struct happening {
    int64_t at_ns;
    enum bl_event_kind kind; /* VM_ARRIVED or VM_DEPARTED */
    uint32_t vm;
};

#define ARRIVES(at, slot)                                                      \
    {                                                                          \
        (at) * TEST_S, BL_EVENT_VM_ARRIVED, (slot)                             \
    }
#define DEPARTS(at, slot)                                                      \
    {                                                                          \
        (at) * TEST_S, BL_EVENT_VM_DEPARTED, (slot)                            \
    }

struct script {
    struct bl_world world; /* first: a bl_world is a script */
    struct test_table *t;
    const struct happening *todo; /* by time */
    uint32_t todo_count, done;
    int64_t now_ns, end_ns;
    struct bl_prng *stir;    /* or NULL: random changes before each stop */
    bl_err fails;            /* what wait() says at the end, when not OK */
    enum bl_verdict verdict; /* of every action, when not OK */
    struct bl_event event[TEST_EVENTS_MAX];
    uint32_t observed, applied, checked; /* how often */
};

/* ---- the policy -----------------------------------------------------------
 */

/* @vm is BL_NONE in a step. */
typedef void (*act_fn)(const struct bl_snapshot *s, struct bl_overlay *o,
                       uint32_t vm, struct bl_plan *plan);

enum { LOG_PLACE = 1000, LOG_EVENT = 2000, LOG_STEP = 3000 };
#define LOG_EVENT_OF(kind, vm) (LOG_EVENT + 100 * (uint32_t)(kind) + (vm))

/* There is one at a time: a const table of functions has no state. */
struct puppet {
    act_fn place, step; /* or NULL: does nothing */
    uint32_t created, steps, checks;
    uint32_t log[TEST_LOG_MAX]; /* what it was told and asked, in order */
    int64_t at_ns[TEST_LOG_MAX];
    uint32_t log_count;
};
extern struct puppet puppet;

void plan_place(struct bl_plan *plan, uint32_t vm, uint32_t host);
void plan_migrate(struct bl_plan *plan, uint32_t vm, uint32_t source,
                  uint32_t host);

/* ---- both, under a manager ------------------------------------------------
 */

struct entry { /* of the journal */
    struct bl_action action;
    enum bl_verdict verdict;
    int64_t at_ns;
    char policy[16];
};

struct fixture {
    struct script w;
    struct bl_policy policy; /* the puppet, to be changed before run() */
    struct bl_params params;
    struct bl_manager_opts opts; /* everything on, paranoid */
    struct bl_manager *m;
    struct entry journal[TEST_LOG_MAX];
    uint32_t entries;
    int64_t progress_ns[TEST_EVENTS_MAX];
    uint32_t progress;
    volatile sig_atomic_t stop;
    uint32_t stop_after; /* control instants, when not 0 */
};

struct fixture *fixture_new(void);
void fixture_free(struct fixture *f);

/* Another policy, by its name in the registry. */
void fixture_use(struct fixture *f, const char *spec);

/* The whole script; what the manager has counted. */
const struct bl_manager_counts *fixture_run(struct fixture *f);

#define SCRIPT(f, ...)                                                         \
    do {                                                                       \
        static const struct happening todo_[] = { __VA_ARGS__ };               \
                                                                               \
        (f)->w.todo = todo_;                                                   \
        (f)->w.todo_count = sizeof(todo_) / sizeof(todo_[0]);                  \
    } while (0)

#endif /* BL_TESTS_SUPPORT_SCRIPT_H */
