/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_world.h - a small simulated data centre for tests that act as
 * the manager themselves, through the port.
 *
 * The standard host: 4 cores of 2 GHz, 8 GB, 100 W idle and 10 W more for each
 * tenth of load, 1 Gbit/s for migrations, standby 10 W (60 s and 9 kJ in, 30 s
 * and 6 kJ out), off 2 W (120 s and 18 kJ in, 240 s and 48 kJ out).
 * The standard VM: 2 vCPUs of 2 GHz, 1.25 GB, which takes 10 s to send.
 */
#ifndef BL_TESTS_SUPPORT_WORLD_H
#define BL_TESTS_SUPPORT_WORLD_H

#include "sim/sim.h"
#include "tests/support_trace.h"

#define TEST_S INT64_C(1000000000)
#define TEST_STEP_NS (300 * TEST_S)
#define TEST_HOMES_MAX 40000u

struct test_world {
    struct bl_arena arena;
    struct bl_dc dc; /* to be changed before test_world_open() */
    struct bl_sim_opts opts;
    struct bl_trace *trace;
    struct bl_sim *sim;
    struct bl_world *w;
    struct bl_result *result;      /* after test_world_finish() */
    uint32_t home[TEST_HOMES_MAX]; /* where go() places who arrives */
    uint32_t event_count[4];       /* by kind, of the last go() */
    int64_t now_ns;
};

/* @hosts standard hosts, one group of standard VMs; all homes are host 0. */
struct test_world *test_world_new(uint32_t hosts);

/* Makes the world and its trace; nothing has happened yet. */
void test_world_open(struct test_world *t, const struct test_trace *trace);

/* The same with any trace, which now belongs to the world. */
void test_world_open_trace(struct test_world *t, struct bl_trace *trace);

/* Waits until @until_ns, places who arrives at its home (BL_NONE: nowhere),
 * and checks every invariant at every stop. */
void test_world_go(struct test_world *t, int64_t until_ns);

enum bl_verdict test_world_act(struct test_world *t, enum bl_action_kind kind,
                               uint32_t vm, uint32_t host);

/* Runs to the end, and fills in the result. */
const struct bl_result *test_world_finish(struct test_world *t);

void test_world_free(struct test_world *t);

#endif /* BL_TESTS_SUPPORT_WORLD_H */
