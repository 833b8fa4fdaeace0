/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_run.h - one whole run: data centre, trace, policy and physics
 * in, figures out. Any number of them in parallel.
 */
#ifndef BL_TESTS_SUPPORT_RUN_H
#define BL_TESTS_SUPPORT_RUN_H

#include "manager/manager.h"
#include "sim/sim.h"

struct test_run {
    const struct bl_dc *dc;
    const char *physics, *policy; /* a spec */
    uint64_t seed;
    int64_t interval_ns, warmup_ns; /* 0: as the trace, none */
    bool paranoid;
    /* out */
    struct bl_result result; /* its arrays are gone */
    double host_kwh;         /* sum over hosts */
    /* Mean time on the way, as cloudsim303 has it: a VM that is named twice in
     * one instant is on one way. Not a number when nobody moved. */
    double migration_s;
    struct bl_manager_counts counts;
    struct bl_diag diag; /* when it failed */
};

/* The trace is the caller's, and runs from its first step. */
BL_NODISCARD bl_err test_run_go(struct test_run *run, struct bl_trace *trace);

#endif /* BL_TESTS_SUPPORT_RUN_H */
