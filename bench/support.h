/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/support.h - what the benchmarks share: a clock, work in a process of
 * its own, medians, and a simulated data centre to measure in.
 *
 * Layer        bench: like a test, outside the library.
 * Units        _s seconds, _kib KiB of resident memory.
 * Errors       whatever goes wrong ends the benchmark: a line on stderr and
 *              exit status 1.
 */
#ifndef BL_BENCH_SUPPORT_H
#define BL_BENCH_SUPPORT_H

#include "manager/manager.h"
#include "sim/sim.h"

#include <stddef.h>

#define BENCH_RUNS_MAX 32u

/* "bench_NAME: why" on stderr, exit status 1. */
BL_NORETURN void bench_fail(const char *fmt, ...) BL_PRINTF(1, 2);

/* BENCH_TRY(call(..., &diag), &diag): fails with the words of the diag. */
void bench_try(bl_err e, const struct bl_diag *diag);

/* A number from 1 to @max; anything else (NULL, too) fails. */
uint32_t bench_number(const char *text, uint32_t max);

/* A monotonic clock. */
double bench_now_s(void);

/* Sorts @x; the lower of the middle two when @n is even. */
double bench_median(double *x, uint32_t n);

/* ---- work in a process of its own ------------------------------------------
 */

/* What the kernel charged a process for, from its start to its end. */
struct bench_cost {
    double wall_s, user_s, system_s;
    uint64_t peak_kib;
};

/** bench_fork - call @fn in a child process: its memory is not ours.
 * @out  [out_bytes] copied from the child's; at most BENCH_OUT_BYTES */
#define BENCH_OUT_BYTES 4096u
typedef void (*bench_fn)(void *ctx, void *out);
struct bench_cost bench_fork(bench_fn fn, void *ctx, void *out,
                             size_t out_bytes);

/** bench_exec - run a program, stdin and (unless @out) stdout on /dev/null.
 * @out  its standard output, NUL-terminated, to be freed; or NULL */
struct bench_cost bench_exec(char *const argv[], char **out);

/** bench_exec_median - the same @runs times: the median of each figure. */
struct bench_cost bench_exec_median(char *const argv[], uint32_t runs);

/* ---- a simulated data centre
 * ---------------------------------------------- */

/* How ten VMs of 1 vCPU at 2.5 GHz and 4 GiB come to a host: on 16 cores, until
 * its memory is full (no core ever is), or on 2, overcommitted five times (they
 * often are full, and shares decide; there is memory for two VMs more). */
#define BENCH_VMS_PER_HOST 10u
enum bench_load { BENCH_ROOMY, BENCH_CROWDED };
const char *bench_load_name(enum bench_load load);

struct bench_world {
    struct bl_dc dc;
    struct bl_arena arena;
    struct bl_trace *trace;
    struct bl_sim *sim;
    struct bl_manager *manager;
    struct bl_result *result; /* after bench_world_run() */
};

struct bench_world_opts {
    enum bench_load load;
    uint32_t hosts;
    uint32_t threads;
    uint32_t history_count; /* samples to keep for a policy */
    uint32_t steps;         /* control instants; 0: the whole trace */
};

/* The generated trace that a world of @hosts replays. */
struct bl_trace_spec bench_trace_spec(uint32_t hosts, uint32_t steps);

/* @trace becomes the world's. Policy static, physics real, all set up. */
struct bench_world *bench_world_new(const struct bench_world_opts *opts,
                                    struct bl_trace *trace);

/* To the end, and fills in the result. */
void bench_world_run(struct bench_world *w);

void bench_world_free(struct bench_world *w);

#endif /* BL_BENCH_SUPPORT_H */
