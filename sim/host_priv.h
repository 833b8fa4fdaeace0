/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/host_priv.h - what the files of the host level share.
 *
 * host.c          the event loop, starting and stopping vCPUs
 * host_create.c   creation
 * host_guest.c    the interpreter: what each operation of a program does
 * host_compile.c  workloads to programs
 * host_cost.c     what a start costs, how fast a vCPU works
 * host_account.c  measuring: windows, the fluid ideal, the result
 * host_pool.c     resource pools as settings of VMs
 * host_admit.c    whether all reservations can be kept
 * host_power.c    P-states, energy; host_governor.c, host_cap.c,
 *                 host_served.c
 *
 * The life of a vCPU as the engine sees it: halted (`pcpu` none, its instant
 * in the heap is when it wakes), runnable (none), running (the instant at
 * which something happens to it if nothing else does). A running vCPU first
 * pays what it owes (`owed_ns`: costs), then works or spins; bl__host_settle()
 * brings it up to date, bl__host_arm() finds its next instant.
 */
#ifndef BL_SIM_HOST_PRIV_H
#define BL_SIM_HOST_PRIV_H

#include "base/heap.h"
#include "base/u128.h"
#include "base/units.h"
#include "hv/pool.h"
#include "sim/host.h"
#include "trace/tasks.h"

#define HOST_NONE UINT32_MAX
#define HOST_SAMPLE_NS INT64_C(1000000)
#define HOST_STEPS_MAX 4096u /* operations at one instant; see host_guest.c */
#define HOST_NEVER INT64_C(-1)
#define HOST_JOB_NAME BL_HOST_JOB_NAME

/* ---- programs ----------------------------------------------------------- */

struct host_program {
    const struct bl_op *op;
    uint32_t count;
    uint32_t loop_count;  /* loops that end */
    const uint32_t *loop; /* [loop_count] their operations, rising */
};

/* What all VMs of a group (or one job) have in common. */
struct host_class {
    const struct host_program
        *program; /* of vCPU i; the last one of the rest */
    uint32_t program_count;
    uint32_t lock_count, condition_count;
    const struct bl_guest *guest;
    const struct bl_settings *cpu;
    const struct bl_cpuset *affinity; /* NULL: everywhere */
    uint32_t group, vcpu_count;
    uint32_t vm_count; /* VMs of this class */
    int64_t start_ns, stagger_ns;
};

/* ---- vCPUs -------------------------------------------------------------- */

enum host_act {
    HOST_RUN,  /* works: left_ns of work; then on to the next operation */
    HOST_SPIN, /* waits for `wait`, left_ns before it halts */
    HOST_HALT,
};

enum host_wait { HOST_NOTHING, HOST_BARRIER, HOST_LOCK };

struct host_vcpu {
    _Alignas(64) int64_t mark_ns; /* up to date until then, while running */
    int64_t owed_ns;              /* costs to pay before anything else */
    int64_t left_ns;              /* work, or spinning before a halt */
    int64_t pause_ns;             /* spinning before a pause-loop exit */
    int64_t woken_ns; /* waits for its first instruction since, or NEVER */
    int64_t since_ns; /* began what the next UNIT ends, or NEVER */
    int64_t timer_ns; /* last expiry */
    int64_t work_ns, drawn_ns, spin_ns;
    uint64_t unit_count;
    struct bl_prng prng;
    const struct host_program *program;
    uint32_t pc;
    uint32_t part_ppm; /* of a ns of work, done beyond work_ns */
    uint32_t rate_ppm; /* how fast it works where it runs */
    uint32_t vm;
    uint32_t pcpu;             /* BL_NO_PCPU: does not run */
    uint32_t list, next, prev; /* the list that it is in, or HOST_NONE */
    uint32_t from;             /* pCPU of whoever wakes it */
    uint32_t phase;            /* the barrier's, when it arrived */
    uint32_t object;
    uint8_t act, wait;
    bool ended;
};

struct host_list {
    uint32_t head, tail;
};

/* Lists of a VM, from its list_first: the barrier's spinning and halted ones,
 * idle servers; two for each lock; one for each condition. */
enum {
    HOST_LIST_BARRIER,
    HOST_LIST_BARRIER_HALTED,
    HOST_LIST_SERVERS,
    HOST_LISTS
};

struct host_vm {
    const struct host_class *class;
    struct bl_sched_settings set;
    uint32_t first, count;         /* vCPUs */
    uint32_t alive_count;          /* vCPUs that have not ended */
    uint32_t arrived_count, phase; /* of the barrier */
    uint32_t list_first, lock_first;
    uint32_t queue_head, queue_count, queue_max;
    int64_t *queue; /* arrivals of requests that wait */
    int64_t spin_ns;
    int64_t start_ns, end_ns; /* end: INT64_MAX while it lives */
    bool started;
    uint64_t late_count;
    struct bl_prng prng; /* arrivals */
    struct bl_latency wake, done, skew;
    struct bl_sched_settings control; /* set, or what its pools made of it */
    uint64_t cap_ppm; /* a limit for the power cap's sake; BL_NO_LIMIT */
};

/* ---- pCPUs -------------------------------------------------------------- */

struct host_pcpu {
    uint32_t curr, last; /* BL_NO_VCPU: none; the last one that ran */
    bool idle;           /* nothing was picked, the last time */
    int64_t until_ns;    /* pick again then */
    int64_t since_ns;    /* curr runs since; busy_ns is up to date */
    int64_t busy_ns, overhead_ns;
    uint64_t switch_count, move_in_count;
};

/* ---- measuring ---------------------------------------------------------- */

/* What a vCPU had so far. */
struct host_mark {
    int64_t charged_ns, wait_ns;
};

/* What a vCPU did so far in those 100 ms in which it had work. */
struct host_habit {
    struct host_mark mark; /* at the start of these 100 ms */
    int64_t charged_ns;
    int64_t free_ns; /* not kept waiting */
};

struct host_measure {
    int64_t sample_ns; /* the next sample */
    int64_t start_ns;  /* of the counted part; the warm-up's end */
    bool counting;
    int64_t window_ns[BL_WINDOWS]; /* start of each window */
    struct host_mark *mark, *now;  /* [vcpu] at the last window of 10 ms; now */
    int64_t *want_ns, *lead_ns;    /* [vcpu] demand; see host_account.c */
    struct host_habit *habit;      /* [vcpu] */
    int64_t *ahead_ns[BL_WINDOWS]; /* [vm] received less ideal, so far */
    struct bl_host_error *error[BL_WINDOWS];
    int64_t *ideal_ns;             /* [vm] */
    int64_t *skew_max_ns;          /* [vcpu] */
    struct bl_sched_account *base; /* [vcpu] at the start */
    struct bl_sched_totals totals; /* at the start */
    struct bl_claim *claim;        /* scratch, [vm] */
    uint64_t *given;
    uint32_t *scratch;
};

/* ---- the host ----------------------------------------------------------- */

struct host_pools;
struct host_power;

struct bl_host_sim {
    struct bl_host_sim_opts opts;
    const struct bl_host_spec *spec;
    struct bl_sched *sched;
    int64_t now_ns;
    int64_t control_ns;       /* the next division among pools */
    struct host_pools *pools; /* NULL: none */
    int64_t power_ns;         /* the next look of governor or cap */
    struct host_power *power; /* NULL: not modelled */
    uint64_t event_count;
    uint32_t vm_count, vcpu_count;
    uint32_t vcpu_base, pcpu_base; /* ids in the heap; a VM's is its number */
    struct bl_heap heap;
    uint32_t due; /* whose instant this is, until it has another one */
    struct host_pcpu *pcpu;
    uint8_t *core_busy; /* [core] threads that run something */
    struct host_vcpu *vcpu;
    struct host_vm *vm;
    struct host_list *list;
    uint32_t list_count;
    uint32_t *holder;     /* [lock] the vCPU that has it */
    uint32_t *loop;       /* counters of all vCPUs */
    uint32_t *loop_first; /* [vcpu] its first */
    uint32_t *sent;       /* IPIs of this instant */
    uint32_t sent_count;
    uint32_t sender;
    struct host_measure measure;
    uint64_t admitted_ppm, overhead_ppm, capacity_ppm;
    uint64_t promised_ppm; /* admitted, with what pools hold */
    struct bl_params policy_params, mode_params;
    char (*name)[BL_NAME_BYTES]; /* [vm] */
    struct host_class *class;
    uint32_t class_count;
};

/* ---- host.c ------------------------------------------------------------- */

void bl__host_settle(struct bl_host_sim *s, uint32_t v);
void bl__host_settle_all(struct bl_host_sim *s);
void bl__host_arm(struct bl_host_sim *s, uint32_t v);
void bl__host_halt(struct bl_host_sim *s, uint32_t v);

/* BL_ASSERT every invariant, O(n). */
void bl__host_check(const struct bl_host_sim *s);

/* The next instant of @id. */
static inline void bl__host_set(struct bl_host_sim *s, uint32_t id, int64_t ns)
{
    if (s->due == id)
        s->due = HOST_NONE;
    bl_heap_set(&s->heap, id, ns);
}

static inline void bl__host_at(struct bl_host_sim *s, uint32_t v, int64_t ns)
{
    bl__host_set(s, s->vcpu_base + v, ns);
}

/* ---- host_power.c ------------------------------------------------------- */

/* What pCPUs may do under the cap: of capacity_ppm. */
uint64_t bl__host_cap_capacity_ppm(const struct bl_host_sim *s);

/* After the VMs. */
BL_NODISCARD bl_err bl__host_power_create(struct bl_arena *a,
                                          struct bl_host_sim *s,
                                          struct bl_diag *diag);

/* The instant of governor or cap has come. */
void bl__host_power_event(struct bl_host_sim *s);

/* A thread of @core became busy, the first one, or the last one idle. */
void bl__host_power_turn(struct bl_host_sim *s, uint32_t core, bool idle);

/* What it takes the core of @p, where a vCPU is about to start, to leave its
 * idle state. */
int64_t bl__host_power_exit_ns(const struct bl_host_sim *s, uint32_t p);

/* ppm of full speed at which @p works. */
uint32_t bl__host_power_speed(const struct bl_host_sim *s, uint32_t p);

/* @v ran for @dt_ns; and so far: run time lost to slow P-states. */
void bl__host_power_ran(struct bl_host_sim *s, uint32_t v, int64_t dt_ns);
int64_t bl__host_power_slow_ns(const struct bl_host_sim *s, uint32_t v);

/* @v was woken; and when that was the last time, and what it had been charged
 * until then. */
void bl__host_power_woken(struct bl_host_sim *s, uint32_t v);
int64_t bl__host_power_woken_ns(const struct bl_host_sim *s, uint32_t v,
                                int64_t *charged_ns);

/* Counting begins; 10 ms of it have passed; it ends. */
void bl__host_power_begin(struct bl_host_sim *s);
void bl__host_power_window(struct bl_host_sim *s);
void bl__host_power_finish(struct bl_host_sim *s, struct bl_host_result *r);

/* In 10 ms @vm should have had @ideal_ns and had @got_ns. */
void bl__host_served_add(struct bl_host_sim *s, uint32_t vm, int64_t ideal_ns,
                         int64_t got_ns);
void bl__host_served_fill(const struct bl_host_sim *s, uint32_t vm,
                          struct bl_host_vm_row *row);

void bl__host_power_hash(const struct bl_host_sim *s, struct bl_hash *h);
void bl__host_power_check(const struct bl_host_sim *s);

/* ---- host_guest.c ------------------------------------------------------- */

/* Takes @v out of the list that it is in, if any. */
void bl__host_unlist(struct bl_host_sim *s, uint32_t v);

/* @v runs, owes nothing, and what it did is done: on with its program. */
void bl__host_act(struct bl_host_sim *s, uint32_t v);

/* @v halts and its instant has come: what it does when it runs again. */
void bl__host_woken(struct bl_host_sim *s, uint32_t v);

/* The instant of @vm has come: it starts, or a request arrives. */
void bl__host_vm_event(struct bl_host_sim *s, uint32_t vm);

/* ---- host_compile.c ----------------------------------------------------- */

/* What groups, and jobs if @with_jobs, are, without programs of groups. */
BL_NODISCARD bl_err bl__host_classes(struct bl_arena *a, struct bl_host_sim *s,
                                     bool with_jobs, struct bl_diag *diag);
BL_NODISCARD bl_err bl__host_compile(struct bl_arena *a, struct bl_host_sim *s,
                                     struct bl_diag *diag);

/* ---- host_cost.c -------------------------------------------------------- */

int64_t bl__host_start_cost(const struct bl_host_costs *c,
                            const struct host_pcpu *p, uint32_t v,
                            enum bl_topo_reach moved);
uint32_t bl__host_rate_ppm(const struct bl_host_sim *s, uint32_t p);

/* Work done in @dt_ns at @rate_ppm; @part_ppm keeps what is less than a ns. */
int64_t bl__host_work(int64_t dt_ns, uint32_t rate_ppm, uint32_t *part_ppm);

/* The least time in which @left_ns get done. */
int64_t bl__host_time(int64_t left_ns, uint32_t rate_ppm, uint32_t part_ppm);

/* ---- host_account.c ----------------------------------------------------- */

BL_NODISCARD bl_err bl__host_measure_create(struct bl_arena *a,
                                            struct bl_host_sim *s);
void bl__host_sample(struct bl_host_sim *s);

/* What @vm's vCPUs wanted to be charged up to now. */
int64_t bl__host_demand_ns(const struct bl_host_sim *s, uint32_t vm);

/* Has @m, whose work comes at its own times, done all that came? */
bool bl__host_all_done(const struct bl_host_sim *s, const struct host_vm *m);

/* For how long @m lived since @from_ns. */
int64_t bl__host_alive_ns(const struct bl_host_sim *s, const struct host_vm *m,
                          int64_t from_ns);

/* @set in @ns of time, without demand. */
struct bl_claim bl__host_claim(const struct bl_sched_settings *set, int64_t ns);

/* ---- host_create.c ------------------------------------------------------ */

/* The name of VM @index of class @class_index. */
void bl__host_name_vm(const struct bl_host_sim *s, uint32_t class_index,
                      uint32_t index, char name[BL_NAME_BYTES]);

/* Where the scenario describes @c. */
unsigned long bl__host_class_line(const struct bl_host_sim *s,
                                  const struct host_class *c);

/* The index of the pool of @c, or BL_POOL_ROOT. */
uint32_t bl__host_pool_of(const struct bl_host_sim *s,
                          const struct host_class *c);

/* "the host has 1GHz left to reserve (8GHz less 2 % overhead), 3GHz needed:
 * 2GHz short"; all in kHz. */
void bl__host_full_text(const struct bl_host_sim *s, uint64_t need,
                        uint64_t have, char *buf, size_t size);

/* ---- host_pool.c -------------------------------------------------------- */

/* Do the pools admit all VMs? After bl__host_admit(). */
BL_NODISCARD bl_err bl__host_pools_admit(struct bl_host_sim *s,
                                         struct bl_diag *diag);

/* After the VMs. */
BL_NODISCARD bl_err bl__host_pools_create(struct bl_arena *a,
                                          struct bl_host_sim *s);

/* Divides @ns of the host among @claim, one for each VM, through the pools. */
void bl__host_divide(struct bl_host_sim *s, const struct bl_claim *claim,
                     int64_t ns, uint64_t *out);
void bl__host_control(struct bl_host_sim *s);

/* Settings of @vm from its pools' and the cap's, to the dispatcher. */
void bl__host_apply(struct bl_host_sim *s, uint32_t vm);

/* ---- host_admit.c ------------------------------------------------------- */

struct host_demand {
    uint64_t ppm;                     /* reservation of one VM */
    uint32_t vm_count, vcpu_count;    /* of equal VMs; of each */
    const struct bl_cpuset *affinity; /* NULL: everywhere */
};

struct host_admission {
    uint64_t admitted_ppm, capacity_ppm, overhead_ppm;
    enum host_refusal {
        HOST_ADMITTED,
        HOST_REFUSED_VCPU,     /* a vCPU's part is more than a core */
        HOST_REFUSED_GANG,     /* more vCPUs than pCPUs it may use */
        HOST_REFUSED_SUM,      /* the host is full */
        HOST_REFUSED_AFFINITY, /* the pCPUs that it may use are */
    } refusal;
    uint32_t demand, vm; /* which one is refused */
    uint64_t need_ppm, have_ppm;
};

/** bl__host_admit - can all reservations be kept?
 * @gangs  mode strict: all vCPUs of a VM at once
 * @return BL_ERR_NOMEM; whether it is admitted stands in @out */
BL_NODISCARD bl_err bl__host_admit(struct bl_arena *a,
                                   const struct bl_host_spec *spec,
                                   const struct host_demand *demand,
                                   uint32_t count, struct host_admission *out);

/* Can @demand, one for each class, be kept under the cap? After
 * bl__host_admit() and bl__host_pools_admit(). */
BL_NODISCARD bl_err bl__host_power_admit(struct bl_arena *a,
                                         const struct bl_host_sim *s,
                                         const struct host_demand *demand,
                                         struct bl_diag *diag);

#endif /* BL_SIM_HOST_PRIV_H */
