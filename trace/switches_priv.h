/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/switches_priv.h - one line of `trace-cmd report`, taken apart.
 *
 * read_switches.c   what happened -> programs; its card tells about both
 * switches_text.c   this
 *
 * Everything points into the line.
 */
#ifndef BL_TRACE_SWITCHES_PRIV_H
#define BL_TRACE_SWITCHES_PRIV_H

#include "trace/tasks_priv.h"

/* A state whose low byte is 0 is "runnable": the bits above it are how kernels
 * mark preemption (0x100 to 0x1000, by version). */
#define BL__STATE_MASK 0xffu

enum bl__report_kind {
    BL__REPORT_EVENT,
    BL__REPORT_TEXT,   /* of another event, which goes on */
    BL__REPORT_LOST,   /* it says that events were lost */
    BL__REPORT_BROKEN, /* cut off, or no line of a report */
};

/* "COMM-PID [CPU] FLAGS? SECONDS: EVENT: WHAT". */
struct bl__report_line {
    struct bl__text time, event, what;
    uint64_t cpu, pid, t_ns;
};

enum bl__report_kind bl__report_line(struct bl__text line,
                                     struct bl__report_line *out);

/* What is wrong: "WHAT 'TEXT', expected EXPECTED". */
struct bl__report_fault {
    const char *what, *expected;
    struct bl__text text;
};

struct bl__report_task {
    struct bl__text comm, pid;
};

struct bl__report_switch {
    struct bl__report_task prev, next;
    bool still_runnable; /* prev */
};

/* WHAT of a sched_switch, as "COMM:PID [PRIO] STATE ==> COMM:PID [PRIO]" or as
 * "prev_comm=COMM prev_pid=PID ..."; false: *f. */
bool bl__report_switch(struct bl__text what, struct bl__report_switch *out,
                       struct bl__report_fault *f);

/* WHAT of a wake-up, as "COMM:PID [PRIO] ..." or as "comm=COMM pid=PID ...";
 * false: *f. */
bool bl__report_wake(struct bl__text what, struct bl__report_task *out,
                     struct bl__report_fault *f);

struct bl__text bl__report_trim(struct bl__text t);

#endif /* BL_TRACE_SWITCHES_PRIV_H */
