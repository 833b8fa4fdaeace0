/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/sched.h - the dispatcher: which vCPU runs on which pCPU, and until
 * when.
 *
 * A library without a clock, threads or allocation. Whoever owns the pCPUs (the
 * virtual host in sim/, a benchmark) tells it what happened and asks what to
 * run:
 *
 *     bl_sched_wake(v)            a vCPU has something to do
 *     bl_sched_block(p)           what runs on pCPU p halted
 *     bl_sched_tick()             its timer is due (bl_sched_next_ns())
 *     bl_sched_hint(...)          an IPI, a pause-loop exit: what a host sees
 *     bl_sched_set(...)           weight, bandwidth, affinity, speed changed
 *   after each of them, and when the time that pick() gave has come:
 *     while (bl_sched_kicked(&p)) bl_sched_pick(p)
 *
 * Policy and co-scheduling mode are chosen by name; each is one file with its
 * card (sched/policy_*.c, sched/mode_*.c).
 *
 * Layer        sched (L2).
 * Units        _ns of the caller's time, which never goes back; capacity in ppm
 *              of one pCPU (2.5 pCPUs are 2,500,000); lag and skew in ns of
 *              CPU time.
 * Ownership    a bl_sched lives in the arena given to bl_sched_create() and
 *              ends with it. The topology is the caller's and outlives it.
 * Allocation   bl_sched_create() only.
 * Errors       create: bl_err with a diag; vm_add: bl_err alone, the caller
 *              knows where the VM comes from. Nothing changed. Anything else
 *              that cannot be (an id never handed out, time that goes back) is
 *              a bug: BL_ASSERT.
 * Threads      one thread for one bl_sched; two are independent.
 * Determinism  decisions follow from the options and the sequence of calls.
 *              Ties go to the lower id.
 * Limits       BL_SCHED_VCPUS_MAX, BL_SCHED_VM_VCPUS_MAX, BL_PCPUS_MAX.
 * Cost         each policy's card; `fair`: O(log n).
 */
#ifndef BL_SCHED_SCHED_H
#define BL_SCHED_SCHED_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/hash.h"
#include "hv/param.h"
#include "hv/topo.h"

#define BL_SCHED_VCPUS_MAX 65536u
#define BL_SCHED_VM_VCPUS_MAX 256u
#define BL_SCHED_NS_MAX (INT64_C(1) << 56) /* two years */
#define BL_NO_VCPU UINT32_MAX

struct bl_sched; /* opaque */

/* A vCPU is in exactly one of these. */
#define BL_VCPU_STATE_MAP(X)                                                   \
    X(RUN, "run")                                                              \
    X(READY, "ready")     /* runnable, not running */                          \
    X(LIMITED, "limited") /* its VM has used up its limit */                   \
    X(COSTOP, "co-stop")  /* held back for its siblings */                     \
    X(BLOCKED, "blocked")

enum bl_vcpu_state {
#define BL_VCPU_STATE_ENUM(name, text) BL_VCPU_##name,
    BL_VCPU_STATE_MAP(BL_VCPU_STATE_ENUM)
#undef BL_VCPU_STATE_ENUM
        BL_VCPU_STATE_COUNT
};

/* Why a vCPU changed its state or its pCPU; then the names of two figures. */
#define BL_SCHED_REASON_MAP(X)                                                 \
    X(PICKED, "its turn", "lag_ns", "slice_ns")                                \
    X(SLICE_END, "slice used up", "ran_ns", "")                                \
    X(PREEMPTED, "preempted", "ran_ns", "by_vcpu")                             \
    X(BLOCKED, "halted", "ran_ns", "")                                         \
    X(WOKE, "woken", "blocked_ns", "lag_ns")                                   \
    X(STOLEN_IDLE, "pCPU had nothing to do", "from_pcpu", "")                  \
    X(STOLEN_FAIR, "behind the host's virtual time", "from_pcpu", "behind_ns") \
    X(THROTTLED, "limit used up", "over_ns", "")                               \
    X(REFILLED, "limit refilled", "budget_ns", "")                             \
    X(COSTOP_SKEW, "ahead of its slowest sibling", "skew_ns", "threshold_ns")  \
    X(COSTART_GAP, "siblings have caught up", "skew_ns", "threshold_ns")       \
    X(HANDOFF, "got the pCPU of a leading sibling", "skew_ns", "from_vcpu")    \
    X(GANG_WAITS, "not enough pCPUs for the gang", "needed", "available")      \
    X(GANG_RETRY, "looks for pCPUs again", "waited_ns", "")                    \
    X(GANG_START, "started with its gang", "gang_size", "slice_ns")            \
    X(GANG_END, "the gang's time is up", "ran_ns", "")                         \
    X(URGENT, "a sibling waits for it", "lag_ns", "for_vcpu")                  \
    X(YIELDED_TO, "a spinning sibling yielded to it", "lag_ns", "from_vcpu")   \
    X(CORE_GRANT, "only its VM may use this core", "vm", "")

enum bl_sched_reason {
#define BL_SCHED_REASON_ENUM(name, text, f0, f1) BL_SCHED_##name,
    BL_SCHED_REASON_MAP(BL_SCHED_REASON_ENUM)
#undef BL_SCHED_REASON_ENUM
        BL_SCHED_REASON_COUNT
};

struct bl_sched_event {
    int64_t now_ns;
    uint32_t vcpu;
    uint32_t pcpu; /* BL_NO_PCPU when none is concerned */
    enum bl_vcpu_state from, to;
    enum bl_sched_reason reason;
    int64_t figure[2];
};

/* Called at every change of a vCPU's state, in order. */
typedef void (*bl_sched_sink)(void *ctx, const struct bl_sched_event *e);

struct bl_sched_opts {
    const struct bl_topo *topo;
    const char *policy, *mode;             /* names; not kept */
    const struct bl_params *policy_params; /* NULL: all at their defaults */
    const struct bl_params *mode_params;   /* NULL: all at their defaults */
    uint32_t vm_count_max, vcpu_count_max;
    uint32_t smt_ppm; /* what a core does with all threads busy, of what it does
                         with one: 1,000,000 .. threads * 1,000,000 */
    bl_sched_sink sink; /* or NULL */
    void *sink_ctx;
};

/** bl_sched_create - a dispatcher without VMs.
 * @return BL_ERR_NOENT (no such policy or mode), BL_ERR_NOMEM, BL_ERR_INVAL */
BL_NODISCARD bl_err bl_sched_create(struct bl_arena *a,
                                    const struct bl_sched_opts *opts,
                                    struct bl_sched **out,
                                    struct bl_diag *diag);

/* ---- VMs and vCPUs ------------------------------------------------------ */

/* What a VM is owed. Shares are the VM's, split evenly over its runnable vCPUs,
 * each capped at one pCPU. */
struct bl_sched_settings {
    uint64_t shares;          /* 1 .. BL_SHARES_MAX */
    uint64_t reservation_ppm; /* of one pCPU; 0: none */
    uint64_t limit_ppm;       /* of one pCPU; BL_NO_LIMIT: none */
};

/** bl_sched_vm_add - a VM with @vcpu_count vCPUs, all blocked.
 * @affinity  of all of them; NULL: every pCPU
 * @vm        out: its number, counted from 0
 * @return BL_ERR_FULL; BL_ERR_INVAL (a setting out of range, no pCPU left) */
BL_NODISCARD bl_err bl_sched_vm_add(struct bl_sched *s,
                                    const struct bl_sched_settings *set,
                                    uint32_t vcpu_count,
                                    const struct bl_cpuset *affinity,
                                    uint32_t *vm);

/* The vCPUs of @vm are first .. first + count - 1. */
uint32_t bl_sched_vm_first(const struct bl_sched *s, uint32_t vm);
uint32_t bl_sched_vm_size(const struct bl_sched *s, uint32_t vm);
uint32_t bl_sched_vm_of(const struct bl_sched *s, uint32_t vcpu);

/* Take effect at once; reservation <= limit. */
void bl_sched_set(struct bl_sched *s, uint32_t vm,
                  const struct bl_sched_settings *set, int64_t now_ns);
void bl_sched_set_affinity(struct bl_sched *s, uint32_t vcpu,
                           const struct bl_cpuset *pcpus, int64_t now_ns);

/** bl_sched_set_speed - pCPUs become slower or faster.
 * What is charged is work, not time: at half the speed a vCPU is charged for
 * half of its run time, so that weights, reservations and limits mean the same
 * at every speed. What ran until now is charged at the old speed; who runs
 * there picks anew. The host's capacity is the sum of present speeds.
 * @speed_ppm  of the fastest: 1 .. 1,000,000, which all have at first */
void bl_sched_set_speed(struct bl_sched *s, struct bl_topo_range pcpus,
                        uint32_t speed_ppm, int64_t now_ns);

/** bl_sched_set_bandwidth - what all VMs together may be charged, whatever
 * their own limits. Over any window T: ppm * T and what may be saved, 4 ms of
 * it, and overdrawn, 0.1 ms for each pCPU, which is paid back. A VM with a
 * reservation is charged to it, too, but may go on when all is used up: over T
 * for reservation * T, 20 ms of it that it saved, and 0.1 ms for each vCPU.
 * @ppm  of one pCPU at full speed; BL_NO_LIMIT: no bound */
void bl_sched_set_bandwidth(struct bl_sched *s, uint64_t ppm, int64_t now_ns);

/* ---- what happened ------------------------------------------------------ */

/** bl_sched_wake - @vcpu has something to do. Idempotent.
 * @from  pCPU of whoever woke it, a hint; BL_NO_PCPU: a device or a timer */
void bl_sched_wake(struct bl_sched *s, uint32_t vcpu, uint32_t from,
                   int64_t now_ns);

/* What runs on @pcpu halted. (Then @pcpu is kicked.) */
void bl_sched_block(struct bl_sched *s, uint32_t pcpu, int64_t now_ns);

/* When bl_sched_tick() is due next; INT64_MAX: not at all. */
int64_t bl_sched_next_ns(const struct bl_sched *s);
void bl_sched_tick(struct bl_sched *s, int64_t now_ns);

/* What a hypervisor sees of the guest beside wakes and halts. */
enum bl_sched_hint {
    BL_HINT_IPI,   /* @vcpu sends an interrupt to its sibling @other */
    BL_HINT_PAUSE, /* @vcpu spins (pause-loop exit) */
};
void bl_sched_hint(struct bl_sched *s, enum bl_sched_hint hint, uint32_t vcpu,
                   uint32_t other, int64_t now_ns);

/* ---- what to do --------------------------------------------------------- */

/* Takes the lowest pCPU that has to pick anew; false: none. */
bool bl_sched_kicked(struct bl_sched *s, uint32_t *pcpu);

struct bl_pick {
    uint32_t vcpu; /* BL_NO_VCPU: idle */
    uint32_t prev; /* what ran there until now; BL_NO_VCPU: nothing */
    int64_t
        until_ns; /* pick again then at the latest; INT64_MAX: when kicked */
    enum bl_topo_reach moved; /* from where it ran last; SAME the first time */
};

/** bl_sched_pick - what runs on @pcpu from now on (may be what ran before). */
struct bl_pick bl_sched_pick(struct bl_sched *s, uint32_t pcpu, int64_t now_ns);

/* ---- what was ----------------------------------------------------------- */

enum bl_vcpu_state bl_sched_state(const struct bl_sched *s, uint32_t vcpu);

/* The vCPU on @pcpu, and the pCPU of a running vCPU; or BL_NO_*. */
uint32_t bl_sched_running(const struct bl_sched *s, uint32_t pcpu);
uint32_t bl_sched_pcpu(const struct bl_sched *s, uint32_t vcpu);

struct bl_sched_account {
    int64_t state_ns[BL_VCPU_STATE_COUNT]; /* sum: time since it was added */
    int64_t charged_ns;    /* work: run time at the pCPU's speed and SMT rate */
    uint64_t switch_count; /* times it got a pCPU */
    uint64_t move_count[BL_REACH_COUNT]; /* by how far; SAME: none */
    uint64_t costop_count, throttle_count;
    int64_t skew_ns; /* ahead of its slowest sibling now; see mode_relaxed.c */
};

/* Up to @now_ns, which changes nothing. O(vCPUs of the VM); without skew_ns,
 * which is 0 then, O(1). */
struct bl_sched_account bl_sched_vcpu(const struct bl_sched *s, uint32_t vcpu,
                                      int64_t now_ns);
struct bl_sched_account bl_sched_vcpu_times(const struct bl_sched *s,
                                            uint32_t vcpu, int64_t now_ns);

struct bl_sched_totals {
    uint64_t pick_count, switch_count, preempt_count, wake_count, block_count;
    uint64_t steal_idle_count, steal_fair_count;
    uint64_t move_count[BL_REACH_COUNT];
    uint64_t costop_count, throttle_count, urgent_count;
    uint64_t forgiven_count;
    int64_t forgiven_ns; /* of lag beyond its bound */
    /* pCPU time in which a pCPU was idle although a vCPU was ...; by reason */
    int64_t idle_while_ready_ns, idle_while_costop_ns, idle_while_limited_ns;
    int64_t lost_to_core_ns; /* idle because its core is another VM's */
};

struct bl_sched_totals bl_sched_totals(const struct bl_sched *s,
                                       int64_t now_ns);

/* How far @vcpu is behind (> 0) or ahead of what its queue owes it; 0 where the
 * policy has no such notion, or it is not runnable. */
int64_t bl_sched_lag_ns(const struct bl_sched *s, uint32_t vcpu);

/* Everything that decides, into @h. */
void bl_sched_hash(const struct bl_sched *s, struct bl_hash *h);

/* BL_ASSERT every invariant of core, policy and mode, O(n). */
void bl_sched_check(const struct bl_sched *s);

/* ---- the registry ------------------------------------------------------- */

struct bl_sched_info {
    const char *name, *summary, *source;
    const struct bl_param *params;
    uint32_t param_count;
    uint32_t low, high; /* parameters: low <= high; the same: no such pair */
};

/* The i-th policy or mode, in name order; NULL past the last one. */
const struct bl_sched_info *bl_sched_policy(uint32_t i);
const struct bl_sched_info *bl_sched_mode(uint32_t i);
const struct bl_sched_info *bl_sched_policy_find(const char *name);
const struct bl_sched_info *bl_sched_mode_find(const char *name);

/** bl_sched_params_check - do values that are fine one by one go together?
 * @file, @line  where they stand, for the diag; NULL and 0 for none.
 * BL_ERR_INVAL. */
BL_NODISCARD bl_err bl_sched_params_check(const struct bl_sched_info *info,
                                          const struct bl_params *p,
                                          const char *file, unsigned long line,
                                          struct bl_diag *diag);

const char *bl_vcpu_state_name(enum bl_vcpu_state state);
const char *bl_sched_reason_text(enum bl_sched_reason r);
const char *bl_sched_reason_figure(enum bl_sched_reason r, uint32_t i);

#endif /* BL_SCHED_SCHED_H */
