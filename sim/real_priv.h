/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/real_priv.h - what the files of the physics profile `real` share.
 *
 * real.c          the profile: creation, the flow of time, trace steps
 * real_serve.c    who gets how much CPU and memory, and the account of it
 * real_pools.c    resource pools, as bounds of VMs
 * real_host.c     power draw, and the way into and out of sleep
 * real_speed.c    P-states: which one, what a host can do at it and draws
 * real_caps.c     power caps: budgets of hosts, and what a cap draws in all
 * real_migrate.c  pre-copy live migration
 * real_apply.c    the actions
 * real_observe.c  what a manager can measure
 * real_result.c   the figures of a run, and its state hash
 * real_check.c    every invariant
 *
 * Between two events nothing changes, so everything is kept as a rate and
 * added up when a rate is about to change: bl__real_touch() closes a host's
 * account at this instant, then the caller changes what it wants, and
 * bl__real_settle(), once for all changes of one instant, finds the new rates.
 *
 * Units: work is kHz ns (1e12 of them are a megacycle), energy is mW ns = pJ,
 * memory over time is byte ns; all in 128 bits, so nothing is ever rounded
 * before it is printed.
 */
#ifndef BL_SIM_REAL_PRIV_H
#define BL_SIM_REAL_PRIV_H

#include "base/hash.h"
#include "base/heap.h"
#include "base/u128.h"
#include "hv/pool.h"
#include "power/cap_load.h"
#include "power/governor.h"
#include "report/floor_cycle.h"
#include "sim/sim_priv.h"

/* Hosts with VMs that make one unit of parallel work. */
#define REAL_BLOCK_HOSTS 64u

/* What a step reads and writes of every VM: one cache line. */
struct bl_real_vm {
    bl_u128 demand;    /* kHz ns asked for within limit, since counting began */
    bl_u128 mark;      /* demand when this interval began */
    bl_u128 seen;      /* kHz ns that a manager measured in the last one */
    uint64_t want_khz; /* current demand within limit */
    uint64_t cap_khz;  /* most that it can be given where it is */
};
_Static_assert(sizeof(struct bl_real_vm) == 64, "one cache line");

/* Flags of a VM. */
enum {
    REAL_SHORT = 1,    /* a rate of its struct bl_real_rare is not 0 */
    REAL_OVER = 2,     /* its over_khz is not 0 */
    REAL_SEEN = 4,     /* its seen_more is not 0 */
    REAL_NEW = 8,      /* no complete interval seen yet */
    REAL_PART = 16,    /* and it was placed in the middle of this one */
    REAL_STOPPED = 32, /* in stop-and-copy */
    REAL_RARE = 64,    /* its struct bl_real_rare has been written to */
};

/* What only some VMs ever need: shortages, migrations. Written through
 * bl__real_rare(), so that it costs no memory for the others. */
struct bl_real_rare {
    uint64_t short_khz[BL_CAUSE_COUNT]; /* current rates */
    uint64_t over_khz;
    uint64_t mem_short_bytes;
    uint64_t ready_khz;  /* runnable beyond its demand: what ready time adds */
    uint64_t still_khz;  /* demanded while stopped: nobody can measure it */
    uint64_t broken_khz; /* of its reservation, demanded and not served */
    bl_u128 lost[BL_CAUSE_COUNT];
    bl_u128 over, mem_short, broken;
    bl_u128 seen_more; /* of this interval; modulo 2^128 */
    bl_u128 worst;     /* most lost in one go on a full host: 0, nowhere */
    int64_t worst_at_ns;
    uint32_t worst_host, worst_load_ppm;
    int64_t downtime_ns;
    uint32_t migrations;
};

enum bl_real_phase { REAL_NO_MOVE, REAL_WAIT, REAL_COPY, REAL_STOP };

/* One migration for each VM at most, so it is found by the VM's slot. */
struct bl_real_move {
    enum bl_real_phase phase;
    uint32_t host[2];          /* source, target */
    uint32_t next[2], prev[2]; /* in the lists of both; slot * 2 + end */
    uint32_t round;            /* 1: the first, all used memory */
    uint64_t asked;            /* order of acceptance */
    uint64_t rate_bytes_per_s;
    bl_u128 left;    /* byte ns/s: bytes * 1e9 */
    int64_t left_ns; /* when left was true */
    bl_u128 work0;   /* kHz ns that the VM had received when the round began */
    int64_t stop_ns; /* when stop-and-copy began */
};

enum { REAL_SOURCE, REAL_TARGET };

struct bl_real_host {
    /* current rates */
    uint64_t demand_khz, served_khz, copy_khz; /* copy: migration overhead */
    uint64_t mem_run_bytes;     /* used by VMs that run here (not coming in) */
    uint64_t mem_have_bytes;    /* of it, backed by memory */
    uint64_t power_mw, copy_mw; /* all of it; the part due to migration */
    bool busy;                  /* on and has VMs: counts in active_ns */
    bool violated; /* some VM gets less than it asks for within its limit */
    bool cold;     /* some VM here is REAL_SHORT */
    bool later;    /* too many VMs for a thread's scratch: see real_serve.c */
    bool unmanaged;
    bool dirty, dirty_rates;
    bool wake_later;
    uint8_t sleep;       /* the sleep state it is in or on its way into or out
                            of: BL_HOST_STANDBY or BL_HOST_OFF */
    uint8_t sleep_later; /* goes there when its last VM has left; or 0 (on) */
    uint32_t vms, coming, stopped; /* run here, migrate in, in stop-and-copy */
    uint32_t vms_max;
    uint32_t move_first, copy_count; /* all migrations; those that copy */
    uint64_t copy_bytes_per_s;       /* sum of their rates */
    bl_u128 rest_pj;                 /* of a transition: added at its end */
    uint64_t trans_mw;
    int64_t account_ns; /* everything below is complete up to here */
    int64_t on_since_ns;
    bl_u128 energy_pj, trans_pj, copy_pj;
    bl_u128 used, used_seen; /* kHz ns of this interval and the last one */
    int64_t on_ns, active_ns, violated_ns, trans_ns;
    uint32_t on_count, off_count, moves_in, moves_out;
};

/* Sums over hosts and pending VMs of current rates. Changes are added modulo
 * 2^64 and 2^128, so an intermediate value may wrap. */
struct bl_real_rates {
    uint64_t demand_khz, served_khz, power_mw;
    bl_u128 mem_bytes;      /* used by all living VMs */
    bl_u128 mem_run_bytes;  /* by those on hosts that are on */
    bl_u128 mem_have_bytes; /* and had by them */
    uint32_t busy_count;
    uint32_t later_count, dark_count; /* of one pass: hosts left for later;
                                         hosts that are not lit any more */
};

/* The same over time, since counting began. */
struct bl_real_sums {
    bl_u128 demand, served;
    bl_u128 energy_pj, floor_pj, floor_served_pj;
    bl_u128 mem_used, mem_run, mem_have;
    uint64_t move_count;
    bl_u128 on_before_sleep_ns;
};

struct bl_real_total { /* over VMs whose accounts are closed */
    bl_u128 demand, over, mem_short;
    bl_u128 lost[BL_CAUSE_COUNT];
    int64_t downtime_ns;
};

struct bl_real_row { /* one interval of the time series */
    int64_t at_ns, length_ns;
    bl_u128 demand, served, energy_pj, floor_pj;
    uint32_t vms, hosts_on, hosts_busy, moves;
};

/* Room to divide one host among its VMs. */
struct bl_real_scratch {
    uint32_t *vm, *work;
    struct bl_claim *claim;
    uint64_t *got, *alone;
};

/* Settings of a VM on its host, with what its pools do to them. */
struct bl_real_bound {
    uint64_t shares, reservation, limit;
};

#define BL_REAL_RESOURCES 2 /* by enum bl_resource */

/* See real_pools.c. */
struct bl_real_pools {
    uint32_t count;
    bool stale; /* somebody was placed, or can use more or less elsewhere */
    struct bl_pool pool[BL_REAL_RESOURCES][BL_POOLS_MAX];
    struct bl_real_bound *bound[BL_REAL_RESOURCES]; /* [slot] */
    uint64_t *counted[BL_REAL_RESOURCES]; /* [slot] demand in the last division;
                                             UINT64_MAX: was not in it */
    /* of one division: the placed VMs, their claims, what limits leave them and
     * what they are sure of */
    uint32_t leaf_count;
    uint32_t *vm, *leaf_pool;
    struct bl_claim *leaf;
    uint64_t *most, *sure;
    struct bl_pool_scratch scratch;
};

/* What a host can do now. See real_speed.c. */
struct bl_real_speed {
    uint64_t khz;      /* all cores, at its P-state and within its budget */
    uint64_t copy_khz; /* what its migrations would take: host.copy_khz is what
                          they do take */
    /* all cores at each P-state within its budget, and the most of that */
    uint64_t most_khz[BL_PSTATES_MAX], ceiling_khz;
    uint16_t allowed; /* bit p: its budget covers idling at P-state p */
    uint8_t pstate;
    bool held; /* its budget keeps it from work that it is asked for */
    int64_t held_ns;
    int64_t pstate_ns[BL_PSTATES_MAX]; /* on, at each */
};

/* A rack under a power cap: sums over its hosts. See real_caps.c. */
struct bl_real_rack {
    uint32_t cap; /* index into dc->cap */
    uint32_t hosts;
    uint64_t given_mw, min_mw; /* of the snapshot's columns */
    uint64_t draw_mw, worst_mw;
};

/* Only where some host has P-states, or there are caps. */
struct bl_real_speeds {
    struct bl_real_speed *host; /* [host] */
    struct bl_freq *freq;       /* [group] at least one P-state */
    struct bl_cap_load *load;   /* [group] */
    struct bl_power_curve (*curve)[BL_PSTATES_MAX]; /* [group] */
    uint32_t host_count, cap_count, rack_count;
    struct bl_real_rack *rack; /* those of cap 0, then of cap 1, ... */
    uint32_t *rack_of; /* [cap * host_count + host]: index of rack; BL_NONE */
    /* whose draw has changed since time last passed; or all of them */
    uint32_t *changed, changed_count;
    uint8_t *is_changed;
    bool all_changed;
};

struct bl_real {
    struct bl_real_pools *pools;   /* NULL: the scenario has none */
    struct bl_real_speeds *speeds; /* NULL: one speed, and no caps */
    struct bl_real_host *host;
    struct bl_real_vm *vm;
    struct bl_real_rare *rare;
    struct bl_real_move *move;
    uint8_t *vm_flags;
    uint8_t *lit;                /* [host] has VMs, or something to roll over */
    uint32_t *lit_list;          /* what lit says, unless lit_stale */
    uint32_t *pending;           /* VMs without a host */
    uint32_t *pending_at;        /* [vm] where in it */
    uint32_t *dirty;             /* hosts to settle */
    struct bl_real_rates *block; /* per block of a parallel pass */
    uint32_t lit_count, pending_count, dirty_count;
    bool lit_stale, floor_stale;
    struct bl_real_scratch scratch;
    struct bl_heap heap; /* ids: hosts, then VM slots */

    bl_u128 pending_mem_bytes;
    uint64_t pending_khz;
    int64_t pending_ns; /* their accounts are complete up to here */
    uint64_t floor_mw, floor_served_mw;
    struct bl_real_rates rate;
    struct bl_real_sums sum, row_start;
    struct bl_real_row *row;
    int64_t sum_ns; /* the sums are complete up to here */
    int64_t row_ns; /* start of the row under way */
    uint32_t row_count, row_max;

    int64_t counted_ns; /* where counting began: 0, then the warm-up's end */
    int64_t control_ns; /* last control instant */
    uint64_t sample_count, sample_shown;
    uint64_t *stamp_shown; /* [host] */
    uint32_t alive, on_count, move_count, trans_count;
    uint64_t asked_next;

    struct bl_result *gone; /* classes and worst of VMs that departed */
    struct bl_real_total gone_total;
    struct bl_hash gone_hash;
    struct bl_floor floor;
    struct bl_floor_cycle cycle, cycle_served; /* without a warm-up only */
};

static inline struct bl_real *bl__real(const struct bl_sim *sim)
{
    return sim->state;
}

static inline const struct bl_host_group *
bl__real_group(const struct bl_sim *sim, uint32_t h)
{
    return &sim->opts.dc->host_group[sim->col.host_group[h]];
}

static inline struct bl_real_rare *bl__real_rare(struct bl_real *r, uint32_t vm)
{
    r->vm_flags[vm] |= REAL_RARE;
    return &r->rare[vm];
}

/* The same for reading: nothing is lost by a VM of which nothing was written.
 */
static inline const struct bl_real_rare *
bl__real_rare_of(const struct bl_real *r, uint32_t vm)
{
    static const struct bl_real_rare none;

    return (r->vm_flags[vm] & REAL_RARE) ? &r->rare[vm] : &none;
}

/* kHz ns that a VM has received since counting began, up to its account. */
static inline bl_u128 bl__real_received(const struct bl_real *r, uint32_t vm)
{
    const struct bl_real_rare *x = bl__real_rare_of(r, vm);
    bl_u128 w = r->vm[vm].demand;

    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        w -= x->lost[c];
    return w;
}

/* ---- real_serve.c ---- */
/* Close the account of @h and its VMs, and remember to settle it. */
void bl__real_touch(struct bl_sim *sim, uint32_t h);
void bl__real_settle(struct bl_sim *sim);
/* All hosts that have VMs, and all pending VMs, at a new trace step or (@roll)
 * a control instant; in parallel. */
void bl__real_pass(struct bl_sim *sim, bool roll);
void bl__real_close_all(struct bl_sim *sim);
/* VM @vm runs on @h from now on, or (BL_NONE) on none. */
void bl__real_set_cap(struct bl_sim *sim, uint32_t vm, uint32_t h);
uint64_t bl__real_mem_used(const struct bl_sim *sim, uint32_t vm);
void bl__real_pending_add(struct bl_sim *sim, uint32_t vm);
void bl__real_pending_remove(struct bl_sim *sim, uint32_t vm);

/* What @vm asks for at this trace step, and the most that its vCPUs can use on
 * @h (BL_NONE: anywhere). */
uint64_t bl__real_raw_khz(const struct bl_sim *sim, uint32_t vm);
uint64_t bl__real_core_cap_khz(const struct bl_sim *sim, uint32_t vm,
                               uint32_t h);

/* ---- real_pools.c: only where there are pools ---- */
bl_err bl__real_pools_create(struct bl_sim *sim, struct bl_arena *a,
                             struct bl_diag *diag);
void bl__real_pools_arrived(struct bl_sim *sim, uint32_t vm);
/* @vm is on @h now: does that concern the division? */
void bl__real_pools_moved(struct bl_sim *sim, uint32_t vm, uint32_t h);
/* Find all bounds anew. @pass  bl__real_pass() comes next, so that hosts need
 * not be touched. */
void bl__real_pools_update(struct bl_sim *sim, bool pass);
void bl__real_pools_check(const struct bl_sim *sim);

/* ---- real_speed.c: only where there are P-states or caps ---- */
bl_err bl__real_speeds_create(struct bl_sim *sim, struct bl_arena *a,
                              struct bl_diag *diag);
/* Finds the P-state of @h, which is on, at the demand of its VMs, and what it
 * can do at it; true when some VM's vCPUs would run faster than its cores. */
bool bl__real_govern(struct bl_sim *sim, uint32_t h);
/* What the cores of @h run at now. */
uint64_t bl__real_core_khz(const struct bl_sim *sim, uint32_t h);
/* What @h may do with @budget_mw, at each P-state. */
void bl__real_set_ceiling(struct bl_sim *sim, uint32_t h, uint64_t budget_mw);
/* MHz that @h would serve of VMs that could use @asks(ctx, core_mhz) MHz of
 * cores of that speed; at the P-state that serves most. */
typedef double (*bl_real_asks_fn)(const void *ctx, double core_mhz);
double bl__real_would_serve(const struct bl_sim *sim, uint32_t h,
                            bl_real_asks_fn asks, const void *ctx);
/* mW that @h draws, on, while it does @khz. */
uint64_t bl__real_draw(const struct bl_sim *sim, uint32_t h, uint64_t khz);
void bl__real_speed_close(struct bl_real *r, uint32_t h, bool on,
                          uint64_t dt_ns);
/* Counting begins anew. */
void bl__real_speeds_forget(struct bl_sim *sim);
void bl__real_speed_hash(const struct bl_sim *sim, uint32_t h,
                         struct bl_hash *hash);
void bl__real_speeds_result(const struct bl_sim *sim, struct bl_result *out);
/* Shows what @h could do now: after its state or its budget changed. */
void bl__real_show_capacity(struct bl_sim *sim, uint32_t h);
void bl__real_speed_check(const struct bl_sim *sim, uint32_t h);

/* ---- real_caps.c: only where there are caps ---- */
bl_err bl__real_caps_create(struct bl_sim *sim, struct bl_arena *a,
                            struct bl_diag *diag);
enum bl_verdict bl__real_set_budget(struct bl_sim *sim, uint32_t h,
                                    uint64_t mw);
/* Is the budget of @h enough to go to sleep, or to wake? */
bool bl__real_backs_sleep(const struct bl_sim *sim, uint32_t h,
                          enum bl_host_state state);
bool bl__real_backs_wake(const struct bl_sim *sim, uint32_t h);
/* What @h is about has changed: so has the least that it must be given. */
void bl__real_set_min(struct bl_sim *sim, uint32_t h);
/* The draw of @h is left out of its cap's (@add false), or counted again. */
void bl__real_cap_draw(struct bl_real *r, uint32_t h, bool add);
void bl__real_caps_draw_all(struct bl_sim *sim);
/* A stretch of time begins in which nothing changes. */
void bl__real_caps_pass_time(struct bl_real *r);
void bl__real_caps_check(const struct bl_sim *sim);

/* ---- real_host.c ---- */
/* The power of @h at its current rates. */
void bl__real_set_power(const struct bl_sim *sim, uint32_t h);
enum bl_verdict bl__real_sleep(struct bl_sim *sim, uint32_t h,
                               enum bl_host_state state);
enum bl_verdict bl__real_wake(struct bl_sim *sim, uint32_t h);
void bl__real_transition_end(struct bl_sim *sim, uint32_t h);
/* A sleep that waits for the last VM is called off, if there is one. */
void bl__real_stay_on(struct bl_sim *sim, uint32_t h);
/* After a VM has left: goes to sleep if that was asked for. */
void bl__real_left(struct bl_sim *sim, uint32_t h);
/* OK: VMs may come and run; LATER: it is on its way; else refused. */
enum bl_verdict bl__real_takes_vms(const struct bl_sim *sim, uint32_t h);

/* ---- real_migrate.c ---- */
enum bl_verdict bl__real_migrate_start(struct bl_sim *sim, uint32_t vm,
                                       uint32_t target);
void bl__real_move_event(struct bl_sim *sim, uint32_t vm);
void bl__real_move_cancel(struct bl_sim *sim, uint32_t vm);
/* @h is on: migrations that waited for it begin. */
void bl__real_start_waiting(struct bl_sim *sim, uint32_t h);
/* Divide the bandwidth of @h anew among the migrations at it. */
void bl__real_set_rates(struct bl_sim *sim, uint32_t h);
/* VM @vm joins or leaves the list of @h, with all sums. */
void bl__real_link(struct bl_sim *sim, uint32_t h, uint32_t vm,
                   enum bl_role role);
void bl__real_unlink(struct bl_sim *sim, uint32_t h, uint32_t vm,
                     enum bl_role role);

/* ---- real_apply.c ---- */
enum bl_verdict bl__real_apply(struct bl_sim *sim, const struct bl_action *a);
/* Room for @vm on @h: memory, and our own limits. */
enum bl_verdict bl__real_room(const struct bl_sim *sim, uint32_t vm,
                              uint32_t h);

/* ---- real_observe.c ---- */
void bl__real_observe(struct bl_sim *sim);
void bl__real_show_placed(struct bl_sim *sim, uint32_t vm, uint32_t h);
double bl__real_serve(const struct bl_snapshot *s, uint32_t host,
                      const uint32_t *vm, uint32_t vm_count, double *free_mhz);

/* ---- real_result.c ---- */
void bl__real_pass_time(struct bl_sim *sim, int64_t until_ns);
void bl__real_close_row(struct bl_sim *sim);
void bl__real_start_counting(struct bl_sim *sim);
void bl__real_departed_row(struct bl_sim *sim, uint32_t vm);
/* Adds a VM whose account is closed. */
void bl__real_add_total(const struct bl_sim *sim, uint32_t vm,
                        struct bl_real_total *t);
void bl__real_finish(struct bl_sim *sim, struct bl_result *r);

/* ---- real_check.c ---- */
void bl__real_check(const struct bl_sim *sim);

#endif /* BL_SIM_REAL_PRIV_H */
