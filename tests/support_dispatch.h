/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_dispatch.h - the smallest owner of pCPUs: it lets virtual time
 * pass for a dispatcher whose vCPUs compute for ever or burst and think,
 * without any cost. What happens between two events is nothing.
 */
#ifndef BL_TESTS_SUPPORT_DISPATCH_H
#define BL_TESTS_SUPPORT_DISPATCH_H

#include "base/heap.h"
#include "base/prng.h"
#include "sched/sched.h"

struct dispatch_load {
    int64_t burst_ns; /* mean, uniform from 0 to twice that; 0: computes */
    int64_t think_ns; /* the same */
};

struct dispatch {
    struct bl_arena arena;
    struct bl_topo topo;
    struct bl_sched *sched;
    struct bl_heap heap; /* pCPUs, then vCPUs, then the dispatcher's own */
    struct bl_prng prng;
    int64_t now_ns;
    uint64_t event_count;
    struct dispatch_load *load; /* [vcpu] */
    int64_t *goal_ns;           /* [vcpu] run time that ends its burst */
    uint32_t vm_count, vcpu_count;
    void (*each)(struct dispatch *d); /* after every event; or NULL */
    void *ctx;
};

struct dispatch_opts {
    const char *policy, *mode;
    uint32_t nodes, llcs, cores, threads;
    uint32_t vm_max, vcpu_max;
    uint32_t smt_ppm; /* 0: threads of a core do not share it */
    uint64_t seed;
    bl_sched_sink sink;
    void *sink_ctx;
};

void dispatch_create(struct dispatch *d, const struct dispatch_opts *o);
void dispatch_destroy(struct dispatch *d);

/* A VM of @vcpus that all do @load (NULL: compute) from now on. */
uint32_t dispatch_vm(struct dispatch *d, uint64_t shares, uint64_t reserve_ppm,
                     uint64_t limit_ppm, uint32_t vcpus,
                     const struct dispatch_load *load);

/* Lets time pass; paranoid when bl_sched_check() is to run at each event. */
void dispatch_run(struct dispatch *d, int64_t until_ns, bool paranoid);

/* Halts or wakes @v whatever its load; picks what has to be picked. */
void dispatch_halt(struct dispatch *d, uint32_t v);
void dispatch_wake(struct dispatch *d, uint32_t v);
void dispatch_settle(struct dispatch *d);

/* One random call: new settings, another affinity, a hint, a halt or a wake;
 * and other speeds or another bandwidth. */
enum {
    DISPATCH_SET = 1,
    DISPATCH_PIN = 2,
    DISPATCH_HINT = 4,
    DISPATCH_HALT = 8,
    DISPATCH_ANY = 15,
    DISPATCH_SPEED = 16,    /* of some pCPUs */
    DISPATCH_BANDWIDTH = 32 /* of all VMs together */
};
void dispatch_shake(struct dispatch *d, unsigned what);

/* @steps of them with random pauses below @pause_ns, bl_sched_check() and
 * each() after every event. */
void dispatch_storm(struct dispatch *d, unsigned what, uint32_t steps,
                    int64_t pause_ns);

int64_t dispatch_vm_ns(const struct dispatch *d, uint32_t vm);

#endif /* BL_TESTS_SUPPORT_DISPATCH_H */
