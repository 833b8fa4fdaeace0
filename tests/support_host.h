/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_host.h - a small host at `level: host` for tests: described
 * with few words, run with every invariant checked after every event.
 *
 * The standard host: nothing costs anything, a pause-loop exit never happens,
 * policy fifo with a quantum of 10 ms, mode none, 1 s without warm-up.
 */
#ifndef BL_TESTS_SUPPORT_HOST_H
#define BL_TESTS_SUPPORT_HOST_H

#include "sim/host.h"

#define TEST_US INT64_C(1000)
#define TEST_MS INT64_C(1000000)
#define TEST_KHZ 1000000u /* of a core: 1 ppm of a pCPU is 1 kHz */

struct test_host {
    struct bl_host_spec spec; /* to be changed before test_host_open() */
    struct bl_host_sim_opts opts;
    struct bl_arena arena;
    struct bl_diag diag;
    struct bl_host_sim *sim;
    struct bl_host_result *r; /* after test_host_finish() */
};

/* One node, one cache, @cores of @threads. */
struct test_host *test_host_new(uint32_t cores, uint32_t threads);

/* @vms VMs of @vcpus vCPUs that run @kind; no work, no rest, no spinning. */
struct bl_host_vm_group *test_host_group(struct test_host *t, const char *name,
                                         uint32_t vms, uint32_t vcpus,
                                         enum bl_guest_kind kind);

/* Runs on pCPU @pcpu only. */
void test_host_pin(struct bl_host_vm_group *g, uint32_t pcpu);

/* Three P-states of 1, 0.5 and 0.25 GHz in one domain: the host draws 100 W
 * idle and 100, 40 and 16 W more with all cores busy. Changes take no time, no
 * idle states, governor performance every 10 ms, no cap. */
void test_host_freq(struct test_host *t);

/* An explicit parameter of the policy. */
void test_host_param(struct test_host *t, const char *name, const char *text);

struct bl_dist test_fixed(int64_t ns);

bl_err test_host_try(struct test_host *t);
void test_host_open(struct test_host *t);
void test_host_go(struct test_host *t, int64_t until_ns);

/* To the end of the run, and fills in the result. */
struct bl_host_result *test_host_finish(struct test_host *t);
void test_host_free(struct test_host *t);

/* On every pCPU run time, costs and idle time make up all; all states of a vCPU
 * make up its VM's life; costs, work and spinning make up the time all vCPUs
 * ran. */
void test_host_conserved(const struct bl_host_result *r);

#endif /* BL_TESTS_SUPPORT_HOST_H */
