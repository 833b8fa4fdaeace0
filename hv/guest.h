/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/guest.h - what runs inside a VM at `level: host`: a program for each
 * vCPU, made of few operations.
 *
 * A vCPU works (needs a pCPU), sleeps (needs none), and meets its siblings at
 * barriers, locks and conditions of its VM. Everything that a host sees of a
 * guest - wakes, halts, IPIs, spinning - follows from these operations and
 * from when the host let the vCPU run. A scenario describes workloads by kind
 * (bl_guest), sim/ compiles them to programs; readers of rt-app files and of
 * sched_switch captures make programs directly.
 *
 * Layer        hv (L1).
 * Units        _ns: work is the time it takes alone on a core at full speed.
 * Ownership    a program's operations belong to whoever made them.
 * Allocation   none.
 * Errors       bl_program_check() asserts; bl_dist_draw() cannot fail, and
 *              asserts the ranges of its bl_dist.
 * Threads      read-only during a run.
 * Determinism  draws are integer arithmetic on a bl_prng: the same for every
 *              compiler.
 * Limits       BL_GUEST_OBJECTS_MAX objects of a kind in a VM, BL_GUEST_OPS_MAX
 *              operations in a program, BL_GUEST_NS_MAX for a time.
 */
#ifndef BL_HV_GUEST_H
#define BL_HV_GUEST_H

#include "base/err.h"
#include "base/prng.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_GUEST_OPS_MAX 1000000u
#define BL_GUEST_OBJECTS_MAX 64u
#define BL_GUEST_NS_MAX INT64_C(1000000000000000) /* 11 days */

/* ---- distributions ------------------------------------------------------ */

enum bl_dist_kind {
    BL_DIST_FIXED,       /* mean */
    BL_DIST_UNIFORM,     /* mean * (1 - spread .. 1 + spread) */
    BL_DIST_EXPONENTIAL, /* mean, by inversion in fixed point */
};

struct bl_dist {
    enum bl_dist_kind kind;
    uint32_t spread_ppm; /* of UNIFORM: 0 .. 1,000,000 */
    int64_t mean_ns;     /* 0 .. BL_GUEST_NS_MAX */
};

/* A draw, at least 0 and at most 45 means; the mean of many is mean_ns. */
int64_t bl_dist_draw(const struct bl_dist *d, struct bl_prng *p);

/* ---- programs ----------------------------------------------------------- */

/* Operations that take no time follow one another at once: between an UNLOCK
 * and the SUSPEND behind it (which is how one waits for a condition) no other
 * vCPU acts, so that no RESUME is missed. A program gives back exactly the
 * locks that it took. */
enum bl_op_kind {
    BL_OP_RUN,     /* work for a draw of `time` */
    BL_OP_SLEEP,   /* halt for a draw of `time` */
    BL_OP_TIMER,   /* halt until a draw of `time` after the previous expiry of
                      the program's timer (the first: after the program began);
                      when that is past already, go on at once: a missed
                      deadline. `count` 0: the next period counts from the
                      deadline that was missed, 1: from now */
    BL_OP_BARRIER, /* until all vCPUs of the VM that have not ended are here:
                      spin for the VM's spin time, then halt */
    BL_OP_LOCK,    /* take lock `object`; while it is held: spin for the VM's
                      spin time, then halt (spin time BL_SPIN_FOREVER: never) */
    BL_OP_UNLOCK,
    BL_OP_SUSPEND, /* halt until somebody resumes condition `object` */
    BL_OP_RESUME,  /* wake everyone suspended on `object`; an IPI each */
    BL_OP_REQUEST, /* take the oldest request of the VM; halt while none */
    BL_OP_UNIT,    /* one unit of work is done (count for throughput); ends a
                      request that was taken: its response time is known */
    BL_OP_LOOP,    /* back to operation `target`, `count` times in all (0: for
                      ever), then on */
    BL_OP_END,     /* halt for ever; implied after the last operation */
    BL_OP_COUNT
};

struct bl_op {
    enum bl_op_kind kind;
    uint32_t object; /* lock or condition: 0 .. BL_GUEST_OBJECTS_MAX - 1 */
    uint32_t target; /* LOOP: an earlier operation */
    uint32_t count;  /* LOOP: see there; TIMER: 0 or 1 */
    struct bl_dist time;
};

struct bl_program {
    const struct bl_op *op;
    uint32_t count; /* 1 .. BL_GUEST_OPS_MAX */
};

/* BL_ASSERT ranges, and that every way round a loop takes time: at least one
 * BARRIER, SUSPEND or REQUEST in it, or a RUN, SLEEP or TIMER whose mean is not
 * 0. */
void bl_program_check(const struct bl_program *p);

/* ---- workloads by kind -------------------------------------------------- */

#define BL_SPIN_FOREVER INT64_MAX

/* name, what it does; the keys that each understands are in config/ */
#define BL_GUEST_MAP(X)                                                        \
    X(CPU, "cpu", "computes all the time; a unit is 1 ms of work")             \
    X(INTERACTIVE, "interactive", "bursts of work between think times")        \
    X(PERIODIC, "periodic", "work at the start of every period, in real time") \
    X(BARRIER, "barrier", "phases that end when all vCPUs are done")           \
    X(LOCK, "lock", "critical sections under one spin lock")                   \
    X(SERVER, "server",                                                        \
      "requests that arrive, wait in a queue and are served")                  \
    X(IDLE, "idle", "nothing but the guest's timer tick")                      \
    X(RTAPP, "rt-app", "the tasks of an rt-app file, one on each vCPU")        \
    X(SWITCHES, "switches", "tasks of a sched_switch capture, one on each vCPU")

enum bl_guest_kind {
#define BL_GUEST_ENUM(name, text, help) BL_GUEST_##name,
    BL_GUEST_MAP(BL_GUEST_ENUM)
#undef BL_GUEST_ENUM
        BL_GUEST_COUNT
};

struct bl_guest {
    enum bl_guest_kind kind;
    struct bl_dist work; /* INTERACTIVE burst, PERIODIC work, BARRIER phase
                            (imbalance = its spread), LOCK outside the section,
                            SERVER service time, IDLE work of a tick */
    struct bl_dist rest; /* INTERACTIVE think, PERIODIC period, LOCK inside,
                            SERVER between arrivals, IDLE tick period */
    int64_t spin_ns;     /* before a wait halts; BL_SPIN_FOREVER: never */
    uint32_t queue_max;  /* SERVER: requests that wait; more are lost */
};

const char *bl_guest_name(enum bl_guest_kind k);
const char *bl_guest_help(enum bl_guest_kind k);

#endif /* BL_HV_GUEST_H */
