/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/tasks.h - what a guest does, read from files that describe tasks: a
 * program (hv/guest.h) for each task, to be run by one vCPU each.
 *
 *     rt-app JSON              bl_tasks_read_rtapp()    doc/formats/rt-app.md
 *     sched_switch captures    bl_tasks_read_switches() doc/formats/switches.md
 *     parallel job logs (SWF)  bl_jobs_read_swf()       doc/formats/swf.md
 *
 * All tasks of a set belong to one VM: locks, conditions and barriers join
 * them. Task i is meant for vCPU i.
 *
 * Layer        trace (L2); includes base and hv only.
 * Units        _ns; work is time on a core at full speed.
 * Ownership    a set's arrays belong to the arena it was read into.
 * Allocation   the result is one piece of the caller's arena; while reading,
 *              malloc. On error the arena has given nothing.
 * Errors       bl_err and one line in the diag, FILE:LINE: what is wrong, what
 *              was expected. BL_ERR_IO, BL_ERR_PARSE (malformed, or not a part
 *              of the format that can be run), BL_ERR_FULL (a limit),
 *              BL_ERR_NOMEM.
 * Threads      none inside; one thread per call.
 * Determinism  the same bytes and options give the same set: see
 *              bl_task_set_hash().
 * Limits       BL_TASKS_MAX, BL_TASK_OPS_MAX, BL_JOBS_MAX, BL_RTAPP_BYTES_MAX,
 *              and those of hv/guest.h.
 */
#ifndef BL_TRACE_TASKS_H
#define BL_TRACE_TASKS_H

#include "base/arena.h"
#include "base/diag.h"
#include "hv/guest.h"
#include "hv/model.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_TASKS_MAX 65536u
#define BL_TASK_OPS_MAX (1u << 24) /* of all tasks of a set */
#define BL_JOBS_MAX 10000000u
#define BL_RTAPP_BYTES_MAX (1u << 22)

/* ---- tasks -------------------------------------------------------------- */

struct bl_task {
    char name[BL_NAME_BYTES]; /* rt-app: its key; switches: "comm-pid" */
    struct bl_program program;
    int64_t work_ns; /* rt-app: RUN of one pass of the outer loop; switches:
                        all CPU time that it used */
    bool endless;    /* rt-app: the outer loop has no end */
};

struct bl_task_set {
    char format[BL_NAME_BYTES]; /* "rt-app", "lttng-csv", "trace-cmd" */
    const struct bl_task *task;
    uint32_t task_count;
    uint64_t op_count;        /* of all tasks */
    int64_t work_ns;          /* sum over the tasks */
    int64_t span_ns;          /* rt-app: its duration, 0 when it has none;
                                 switches: from the first event to the last */
    uint32_t lock_count;      /* objects are 0 .. count - 1 */
    uint32_t condition_count; /* likewise */
    bool has_barrier;

    /* Of a capture; 0 for rt-app. */
    uint32_t cpu_count;
    uint64_t switch_count;
    uint64_t wake_count;      /* waking and wakeup events */
    uint64_t skipped_count;   /* lines of other events */
    uint32_t left_out_count;  /* tasks beyond task_count_max */
    int64_t left_out_work_ns; /* their CPU time */
};

/** bl_tasks_read_rtapp - the tasks of an rt-app file, in its order, each as
 * often as its `instance` says. */
BL_NODISCARD bl_err bl_tasks_read_rtapp(const char *path, struct bl_arena *a,
                                        struct bl_task_set *out,
                                        struct bl_diag *diag);

struct bl_switches_opts {
    uint32_t task_count_max; /* 1 .. BL_TASKS_MAX */
};

/** bl_tasks_read_switches - the tasks of a capture, most CPU time first (ties:
 * lower pid first), without the idle tasks and without tasks that never ran.
 * The format is found from the first line; .zst and .gz are unpacked. */
BL_NODISCARD bl_err bl_tasks_read_switches(const char *path,
                                           const struct bl_switches_opts *opts,
                                           struct bl_arena *a,
                                           struct bl_task_set *out,
                                           struct bl_diag *diag);

/* Of all that a run depends on: names, operations, counts. */
uint64_t bl_task_set_hash(const struct bl_task_set *s);

/* ---- jobs --------------------------------------------------------------- */

struct bl_job {
    int64_t arrive_ns; /* after the first job of the set; never falls */
    int64_t run_ns;    /* at least 1 */
    uint32_t width;    /* processors, all at once; at least 1 */
};

struct bl_job_set {
    const struct bl_job *job;
    uint32_t job_count;
    uint32_t width_max;      /* of the jobs of the set */
    uint32_t machine_width;  /* MaxProcs of the header; 0: it does not say */
    uint64_t record_count;   /* job lines of the whole file */
    uint64_t unknown_count;  /* left out: run time or width unknown, or 0 */
    uint64_t too_wide_count; /* left out: wider than opts->width_max */
};

struct bl_swf_opts {
    uint32_t job_first;      /* leave out the first so many job lines */
    uint32_t job_count_max;  /* 1 .. BL_JOBS_MAX: stop after so many jobs */
    uint32_t width_max;      /* >= 1; wider jobs are left out */
    uint32_t time_scale_ppm; /* 1 .. 1,000,000 (as it is): of arrivals and run
                                times; 1000 makes a minute 60 ms */
};

/** bl_jobs_read_swf - jobs of a log in the Standard Workload Format, in its
 * order; .gz and .zst are unpacked. */
BL_NODISCARD bl_err bl_jobs_read_swf(const char *path,
                                     const struct bl_swf_opts *opts,
                                     struct bl_arena *a, struct bl_job_set *out,
                                     struct bl_diag *diag);

#endif /* BL_TRACE_TASKS_H */
