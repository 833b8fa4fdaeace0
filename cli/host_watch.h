/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/host_watch.h - who sees every change of a vCPU's state: --explain on
 * stdout, timelines into files.
 *
 * Layer        cli (L7).
 * Ownership    the run is the caller's; temporary files are closed by
 *              bl_host_watch_end().
 * Errors       BL_ERR_NOENT (no such VM), BL_ERR_IO, BL_ERR_NOMEM, each with a
 *              diag.
 * Threads      one run each.
 */
#ifndef BL_CLI_HOST_WATCH_H
#define BL_CLI_HOST_WATCH_H

#include "cli/host.h"
#include "cli/observe.h"
#include "report/timeline.h"

struct bl_host_watch {
    struct bl_host_run *run;
    const struct bl_explain *explain;
    const struct bl_style *style;
    uint32_t *vm_of;    /* by vCPU; in the run's arena, like the next */
    uint32_t *first_of; /* first vCPU, by VM */
    uint32_t vm_id;     /* of --explain=vm=NAME */
    uint64_t explained; /* lines so far */
    /* By enum bl_timeline_format; NULL: not wanted. */
    struct bl_timeline *timeline[2];
    FILE *file[2]; /* temporary, without a name */
};

/** bl_host_watch_start - before the first event of @w->run, which gives memory.
 * @wanted  which timelines, by enum bl_timeline_format */
BL_NODISCARD bl_err bl_host_watch_start(struct bl_host_watch *w,
                                        const bool wanted[2],
                                        struct bl_diag *diag);

/* A bl_sched_sink's work. */
void bl_host_watch_event(struct bl_host_watch *w,
                         const struct bl_sched_event *e);

/* After the last event: timelines are complete and can be copied. */
void bl_host_watch_stop(struct bl_host_watch *w);

/* A bl_write_fn: @what is the temporary FILE of a timeline. */
bl_err bl_host_watch_copy(FILE *f, const void *what);

/* Closes the temporary files. Idempotent. */
void bl_host_watch_end(struct bl_host_watch *w);

#endif /* BL_CLI_HOST_WATCH_H */
