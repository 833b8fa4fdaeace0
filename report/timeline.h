/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/timeline.h - what every vCPU and every pCPU did, as a picture.
 *
 * Takes the events of a dispatcher (bl_sched_event) as they happen, keeps the
 * state of each vCPU and writes a piece whenever one ends. Two forms:
 *
 *   CHROME  the trace-event JSON that Perfetto (ui.perfetto.dev) and
 *           chrome://tracing open: a process for each VM with a thread for each
 *           vCPU and its states, one process with a thread for each pCPU and
 *           the vCPU on it, marks for migrations and co-stops. Blocked is left
 *           empty.
 *   SVG     one picture for a report: a lane for each pCPU, a bar for each run
 *           in the colour of its VM, a line under it while a vCPU that ran
 *           there last is co-stopped or limited. At most
 *           BL_TIMELINE_SVG_RECTS_MAX bars and lines; a picture that is full
 *           says so. For short windows and up to some tens of pCPUs.
 *
 * Layer        report (L3).
 * Units        _ns of virtual time; in the file us (CHROME) and ms (SVG).
 * Ownership    the FILE is the caller's and stays open; nothing of an event is
 *              kept. Names are asked for when they are first needed and not
 *              kept either.
 * Allocation   bl_timeline_open() only, from the arena.
 * Errors       open: BL_ERR_NOMEM, nothing written then. Failed writes stay in
 *              the FILE (ferror). An event that does not follow from the one
 *              before it is a bug: BL_ASSERT.
 * Threads      one thread for one timeline.
 * Determinism  the same events give the same bytes.
 * Limits       BL_PCPUS_MAX, BL_SCHED_VCPUS_MAX. Memory does not grow with the
 *              number of events. The file is complete after bl_timeline_close()
 *              at any point of the run.
 */
#ifndef BL_REPORT_TIMELINE_H
#define BL_REPORT_TIMELINE_H

#include "base/arena.h"
#include "sched/sched.h"

#include <stdio.h>

#define BL_TIMELINE_SVG_RECTS_MAX 4000u

struct bl_timeline; /* opaque */

enum bl_timeline_format { BL_TIMELINE_CHROME, BL_TIMELINE_SVG };

/* Whose @vcpu is. */
struct bl_timeline_vcpu {
    uint32_t vm, index; /* the index-th of its VM, from 0 */
    const char *vm_name;
};

typedef struct bl_timeline_vcpu (*bl_timeline_names)(void *ctx, uint32_t vcpu);

struct bl_timeline_opts {
    enum bl_timeline_format format;
    FILE *f;
    const char *title; /* not kept */
    bl_timeline_names names;
    void *names_ctx;
    uint32_t pcpu_count, vm_count, vcpu_count; /* upper bounds */
    int64_t from_ns, until_ns;                 /* the window, from < until */
};

/** bl_timeline_open - a timeline that starts with every vCPU blocked.
 * Writes what stands before the first piece. */
BL_NODISCARD bl_err bl_timeline_open(struct bl_arena *a,
                                     const struct bl_timeline_opts *opts,
                                     struct bl_timeline **out);

/** bl_timeline_event - the next event: every one from the start of the run, in
 * order, those outside the window too. */
void bl_timeline_event(struct bl_timeline *t, const struct bl_sched_event *e);

/** bl_timeline_close - what is still going on ends at @now_ns or with the
 * window; writes the end of the file. The last call for @t. */
void bl_timeline_close(struct bl_timeline *t, int64_t now_ns);

#endif /* BL_REPORT_TIMELINE_H */
