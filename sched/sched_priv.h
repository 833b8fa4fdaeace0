/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched/sched_priv.h - what the files of sched/ share: the state of VMs, vCPUs
 * and pCPUs, and the two tables that a policy and a co-scheduling mode are.
 *
 * core.c      life of a vCPU, picking, the accounts
 * fluid.c     the weight of each VM: shares between reservation and limit
 * limit.c     bandwidth of VMs with a limit, and of all together
 * speed.c     pCPUs of different and changing speed
 * eevdf.c     one run queue in virtual time
 * drift.c     which queue is furthest behind, by topology
 * registry.c  names
 * policy_NAME.c, mode_NAME.c   one policy, one mode each
 *
 * The life of a vCPU as a policy sees it:
 *
 *     enqueue(v)              it became runnable: the policy holds it
 *     dequeue(v)              the core takes it back: not picked, not running
 *     pick(p) == v            the policy gives it away, or
 *     take(p, v)              a mode chose it: the same, with v given
 *     account(p, v, ns)       it ran: any number of times
 *     stop(p, v, again)       it no longer runs; again: it is runnable and the
 *                             policy holds it once more, else it is gone
 */
#ifndef BL_SCHED_SCHED_PRIV_H
#define BL_SCHED_SCHED_PRIV_H

#include "base/u128.h"
#include "sched/sched.h"

__extension__ typedef __int128 bl__i128;

/* Virtual time is service divided by weight, in 2^-30 ns per unit of weight,
 * modulo 2^64: only differences mean something, and between runnable vCPUs
 * they stay below 2^62. */
#define BL__V_SHIFT 30
#define BL__WEIGHT_PER_SHARE 16u
#define BL__WEIGHT_MAX (UINT64_C(1) << 40)
#define BL__CAPACITY_SHIFT 20 /* a pCPU is 2^20 */
#define BL__SLICE_NS_MIN INT64_C(10000)
#define BL__SLICE_NS_MAX INT64_C(1000000000)

static inline bool bl__v_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

/* Two cache lines; what every pick touches is in the first. */
struct bl__vcpu {
    /* core's */
    _Alignas(64) uint32_t vm;
    uint32_t id;
    uint32_t pcpu;     /* runs there; or BL_NO_PCPU */
    uint32_t last;     /* ran there last; BL_NO_PCPU: never ran */
    uint8_t state;     /* enum bl_vcpu_state */
    uint8_t came_from; /* the state before it became READY */
    bool pinned;       /* may not run everywhere */
    bool leaving;      /* its pCPU was taken from its affinity */
    /* policies */
    uint32_t queue; /* is in it, or was */
    uint64_t weight;
    int64_t since_ns; /* in its state */
    uint64_t v_rest;  /* < weight: service that is not yet in node.v */
    int64_t used_ns;  /* of the current request */
    int64_t awake_ns; /* this run between halts; the mean of those before */
    int64_t burst_ns;
    int64_t picked_ns;   /* began to run */
    int64_t progress_ns; /* of the guest: ran or halted */
    int64_t lag_ns;      /* when it halted */
    int64_t credit_ns;   /* credit2 */
    uint32_t next, prev; /* policies with lists */
};
_Static_assert(sizeof(struct bl__vcpu) <= 128, "two cache lines");

/* A vCPU as a node of a queue in virtual time: what a search touches, in one
 * cache line. */
struct bl__node {
    uint64_t v, deadline;
    uint64_t span;                  /* slice in virtual time */
    uint64_t min_v, min_hi, max_lo; /* over its subtree */
    uint32_t left, right;
    uint32_t slice_ns, max_slice_ns; /* max: over its subtree */
};
_Static_assert(sizeof(struct bl__node) == 64, "one cache line");
_Static_assert(BL__SLICE_NS_MAX <= UINT32_MAX, "slices fit 32 bits");

struct bl__account {
    _Alignas(64) struct bl_sched_account sum;
};

enum bl__fluid_class { BL__FLUID_NONE, BL__FLUID_FREE, BL__FLUID_FIXED };

/* Three cache lines; what every pick touches is in the first. */
struct bl__vm {
    _Alignas(64) uint32_t first;
    uint32_t count;
    uint32_t runnable;    /* not blocked */
    uint32_t running;     /* on pCPUs */
    uint32_t stopped;     /* in co-stop */
    uint32_t limit_index; /* in sched->limited; BL__NO_INDEX */
    uint64_t v; /* of the VM: service of all its vCPUs / weight of all */
    /* fluid.c; capacity in 2^-20 pCPU */
    uint64_t share_weight; /* shares as weight */
    uint64_t fixed;        /* what it gets, when FIXED */
    uint8_t fluid;         /* enum bl__fluid_class */
    bool at_limit;         /* FIXED because of its limit */
    bool throttled;        /* limit.c */
    bool gang;             /* gang.c: has its pCPUs */
    uint32_t cursor;       /* yield: who was helped last */
    struct bl_sched_settings set;
    /* limit.c */
    int64_t budget_ns, refilled_ns;
    uint64_t refill_rest;
    int64_t reserve_ns; /* for when what all may use is used up */
    /* modes */
    int64_t gang_end_ns;
    bool gang_waits; /* for room, since */
    int64_t gang_wait_ns;
    int64_t epoch_ns, together_ns; /* demand: talks since; close-knit until */
    uint32_t talk_count;
};
_Static_assert(sizeof(struct bl__vm) <= 192, "three cache lines");

#define BL__NO_INDEX UINT32_MAX

struct bl__why {
    enum bl_sched_reason reason;
    int64_t figure[2];
};

struct bl__pcpu {
    uint32_t curr, forced; /* or BL_NO_VCPU */
    uint32_t forced_row;   /* picks in a row that were forced */
    uint32_t back;      /* ran until this pick and is held again; BL_NO_VCPU */
    int64_t account_ns; /* curr's account is complete up to here */
    int64_t until_ns;   /* what pick() answered */
    int64_t protect_ns; /* a wake may not preempt before */
    int64_t held_ns;    /* demand: nor an urgent vCPU */
    uint32_t rate_ppm;  /* at which run time is charged: SMT and speed */
    uint32_t speed_ppm; /* of the fastest */
    uint32_t charge_rest; /* ppm ns not charged yet */
    bool busy;
    /* for the journal: why curr has to go, why a forced one comes, why the
     * one that is about to start does */
    enum bl_sched_reason why;
    struct bl__why forced_why, start_why;
};

struct bl__policy {
    struct bl_sched_info info;
    bool conserving; /* no pCPU idles while a vCPU that may use it waits */
    bl_err (*create)(struct bl_sched *s, struct bl_arena *a);
    void (*enqueue)(struct bl_sched *s, uint32_t v);
    void (*dequeue)(struct bl_sched *s, uint32_t v);
    uint32_t (*pick)(struct bl_sched *s, uint32_t p);
    void (*take)(struct bl_sched *s, uint32_t p, uint32_t v);
    void (*account)(struct bl_sched *s, uint32_t p, uint32_t v, int64_t ns);
    void (*stop)(struct bl_sched *s, uint32_t p, uint32_t v, bool again);
    int64_t (*slice)(struct bl_sched *s, uint32_t p, uint32_t v);
    void (*reweight)(struct bl_sched *s, uint32_t v, uint64_t weight);
    int64_t (*lag)(const struct bl_sched *s, uint32_t v); /* or NULL */
    /* The same of any vCPU against the whole host; or NULL. */
    int64_t (*owed)(const struct bl_sched *s, uint32_t v);
    void (*hash)(const struct bl_sched *s, struct bl_hash *h); /* or NULL */
    void (*check)(const struct bl_sched *s);
};

struct bl__mode {
    struct bl_sched_info info;
    bl_err (*create)(struct bl_sched *s, struct bl_arena *a); /* or NULL */
    int64_t (*poll_ns)(const struct bl_sched *s); /* or NULL: no poll */
    void (*poll)(struct bl_sched *s);
    /* @v became runnable and is held by the policy. */
    void (*woke)(struct bl_sched *s, uint32_t v, uint32_t from);
    /* @v halted on @p, or used up its VM's limit there. */
    void (*halted)(struct bl_sched *s, uint32_t p, uint32_t v);
    /* May @v, which the policy proposes, start on @p? No: into co-stop, with
     * the reason wait_why. */
    bool (*may_start)(struct bl_sched *s, uint32_t p, uint32_t v);
    enum bl_sched_reason wait_why;
    bool holds_back;  /* siblings may have to wait for what they are owed */
    bool whole_cores; /* a pCPU may have to idle for its core's sake */
    /* @p chooses: a vCPU that the policy holds, BL_NO_VCPU: as the policy
     * wants; BL__IDLE: nothing. */
    uint32_t (*choose)(struct bl_sched *s, uint32_t p);
    /* @v starts or goes on on @p; may shorten or lengthen its time. */
    void (*started)(struct bl_sched *s, uint32_t p, uint32_t v,
                    int64_t *until_ns);
    /* The time of @v on @p is up for now; it may go on, though. */
    void (*put_back)(struct bl_sched *s, uint32_t p, uint32_t v);
    void (*hint)(struct bl_sched *s, enum bl_sched_hint hint, uint32_t v,
                 uint32_t other);
    void (*check)(const struct bl_sched *s); /* or NULL */
};

#define BL__IDLE (BL_NO_VCPU - 1)

/* limit.c: what all VMs together may use. */
struct bl__bandwidth {
    uint64_t ppm; /* BL_NO_LIMIT: there is no bound */
    int64_t budget_ns, refilled_ns;
    uint64_t refill_rest;
    int64_t grown_ns; /* reserves of VMs, up to then */
    bool used_up;
};

struct bl_sched {
    struct bl_sched_opts opts;
    const struct bl_topo *topo;
    const struct bl__policy *policy;
    const struct bl__mode *mode;
    struct bl_params policy_params, mode_params;
    int64_t now_ns;
    uint32_t vm_count, vcpu_count, pinned_count;
    uint32_t in_state[BL_VCPU_STATE_COUNT]; /* vCPUs */
    uint32_t waiting_pinned;                /* READY and pinned */
    uint32_t idle_count, kick_count;        /* pCPUs in idle and in kick */
    struct bl__vm *vm;
    struct bl__vcpu *vcpu;
    struct bl__node *node;       /* [vcpu] */
    struct bl__account *account; /* [vcpu] */
    struct bl_cpuset *affinity;  /* [vcpu] */
    struct bl__pcpu *pcpu;
    struct bl_cpuset all, idle, kick;
    uint8_t *busy; /* [core] threads that run something */
    /* fluid.c */
    uint64_t capacity, vcpu_cap; /* 2^-20 pCPU: of the host, of one vCPU */
    uint64_t free_weight, fixed_weight, fixed_sum;
    uint32_t sweep, sweep_left; /* VM to look at next; how many */
    /* limit.c */
    uint32_t *limited;
    uint32_t limited_vms;
    int64_t refill_ns; /* next */
    struct bl__bandwidth all_vms;
    int64_t poll_next_ns;
    struct bl_sched_totals total;
    int64_t total_ns; /* totals' integrals are complete up to here */
    void *policy_state, *mode_state;
};

/* ---- core.c: services for policies and modes ---------------------------- */

static inline bool bl__may_run(const struct bl_sched *s, uint32_t v, uint32_t p)
{
    return !s->vcpu[v].pinned || bl_cpuset_has(&s->affinity[v], p);
}

static inline bool bl__is_idle(const struct bl_sched *s, uint32_t p)
{
    return bl_cpuset_has(&s->idle, p);
}

static inline int64_t bl__param(const struct bl_params *p, uint32_t i)
{
    return p->value[i];
}

/* @v will probably start: let the processor fetch what that needs. */
static inline void bl__expect(const struct bl_sched *s, uint32_t v)
{
    __builtin_prefetch(&s->vcpu[v], 1);
    __builtin_prefetch(&s->account[v], 1);
    __builtin_prefetch(&s->vcpu[v].picked_ns, 1);
    __builtin_prefetch(&s->account[v].sum.switch_count, 1);
}

/* @p has to pick anew; why: what becomes of who runs there. */
void bl__kick(struct bl_sched *s, uint32_t p, enum bl_sched_reason why);
/* The same for an idle pCPU that is to find a vCPU in its queue: no other wake
 * will be sent there. */
void bl__claim_idle(struct bl_sched *s, uint32_t p);

/* @v, held by the policy, is to run on @p next, whatever the policy thinks. */
void bl__force(struct bl_sched *s, uint32_t p, uint32_t v,
               const struct bl__why *why);

/* Into co-stop (running or held by the policy), and out of it again (the policy
 * holds it then). */
void bl__costop(struct bl_sched *s, uint32_t v, const struct bl__why *why);
void bl__costart(struct bl_sched *s, uint32_t v, const struct bl__why *why);

/* What runs on @p stops now and is held by the policy; @p picks anew. */
void bl__evict(struct bl_sched *s, uint32_t p, enum bl_sched_reason why);

/* Run time of what runs on @p, up to now, into all accounts. */
void bl__account(struct bl_sched *s, uint32_t p);

/* How far @v's guest time is ahead of its slowest sibling's. */
int64_t bl__skew_ns(const struct bl_sched *s, uint32_t v, int64_t now_ns);

/* The integrals of @t up to @now_ns. */
void bl__integrate(const struct bl_sched *s, struct bl_sched_totals *t,
                   int64_t now_ns);

/* To the sink, if there is one. */
void bl__tell_sink(struct bl_sched *s, uint32_t v, uint32_t p,
                   enum bl_vcpu_state from, const struct bl__why *why);

static inline void bl__event(struct bl_sched *s, uint32_t v, uint32_t p,
                             enum bl_vcpu_state from, enum bl_sched_reason why,
                             int64_t f0, int64_t f1)
{
    if (s->opts.sink != NULL)
        bl__tell_sink(s, v, p, from, &(struct bl__why){ why, { f0, f1 } });
}

/* ---- speed.c ------------------------------------------------------------ */

/* Capacity of the host and of a vCPU from SMT and present speeds. */
void bl__speed_size_host(struct bl_sched *s);
void bl__speed_check(const struct bl_sched *s);

/* At which run time on @c is charged, the SMT rate being @smt_ppm. */
static inline uint32_t bl__speed_rate(const struct bl__pcpu *c,
                                      uint32_t smt_ppm)
{
    uint64_t rate;

    if (c->speed_ppm == BL_PPM)
        return smt_ppm;
    rate = (uint64_t)smt_ppm * c->speed_ppm / (uint64_t)BL_PPM;
    return rate > 0 ? (uint32_t)rate : 1;
}

/* How long on @c it takes until @ns are charged, but for SMT. */
static inline int64_t bl__speed_time(const struct bl__pcpu *c, int64_t ns)
{
    return c->speed_ppm == BL_PPM
               ? ns
               : (int64_t)bl_muldiv((uint64_t)ns, (uint64_t)BL_PPM,
                                    c->speed_ppm);
}

/* ---- fluid.c ------------------------------------------------------------ */

void bl__fluid_init(struct bl_sched *s);
/* The host's capacity changed. */
void bl__fluid_resize(struct bl_sched *s);
/* @vm's settings or number of runnable vCPUs changed. */
void bl__fluid_update(struct bl_sched *s, uint32_t vm);
/* Two more VMs are looked at whose class may have changed with the others'. */
void bl__fluid_look(struct bl_sched *s);

static inline void bl__fluid_sweep(struct bl_sched *s)
{
    if (s->sweep_left > 0)
        bl__fluid_look(s);
}
/* Is each runnable vCPU of @vm owed a whole pCPU? With pinned vCPUs, and for
 * gangs, nobody can tell: what the host has need not be where they may run, nor
 * can two of them have it side by side. */
bool bl__fluid_at_cap(const struct bl_sched *s, uint32_t vm);
void bl__fluid_check(const struct bl_sched *s);

/* ---- limit.c ------------------------------------------------------------ */

#define BL__REFILL_NS INT64_C(10000000)

void bl__limit_set(struct bl_sched *s, uint32_t vm);
/* Before the settings change: the budget is up to date. */
void bl__limit_settle(struct bl_sched *s, uint32_t vm);
void bl__limit_take(struct bl_sched *s, uint32_t vm, int64_t ns);

void bl__limit_set_all(struct bl_sched *s, uint64_t ppm);
void bl__limit_take_all(struct bl_sched *s, uint32_t vm, int64_t ns);

static inline void bl__limit_charge(struct bl_sched *s, uint32_t vm, int64_t ns)
{
    if (s->vm[vm].limit_index != BL__NO_INDEX)
        bl__limit_take(s, vm, ns);
    if (s->all_vms.ppm != BL_NO_LIMIT)
        bl__limit_take_all(s, vm, ns);
}

/* May no vCPU of @m run, for a limit's sake? The bound on all does not stop who
 * has something left of its reservation. */
static inline bool bl__is_throttled(const struct bl_sched *s,
                                    const struct bl__vm *m)
{
    return m->throttled || (s->all_vms.used_up && m->reserve_ns <= 0);
}
/* How long a vCPU of @vm may run before its budget must be looked at. */
int64_t bl__limit_left(struct bl_sched *s, uint32_t vm);
int64_t bl__limit_left_all(struct bl_sched *s, uint32_t vm);

static inline int64_t bl__limit_slice(struct bl_sched *s, uint32_t vm)
{
    int64_t ns = s->vm[vm].limit_index != BL__NO_INDEX ? bl__limit_left(s, vm)
                                                       : INT64_MAX;

    if (s->all_vms.ppm != BL_NO_LIMIT) {
        const int64_t all_ns = bl__limit_left_all(s, vm);

        ns = all_ns < ns ? all_ns : ns;
    }
    return ns;
}
void bl__limit_refill(struct bl_sched *s);

/* Into the state LIMITED, from running on or from being held. */
void bl__throttle(struct bl_sched *s, uint32_t v);
void bl__unthrottle(struct bl_sched *s, uint32_t v);

/* ---- registry.c --------------------------------------------------------- */

const struct bl__policy *bl__policy_find(const char *name);
const struct bl__mode *bl__mode_find(const char *name);

#endif /* BL_SCHED_SCHED_PRIV_H */
