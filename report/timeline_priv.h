/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/timeline_priv.h - between the keeper of states (timeline.c) and the
 * two writers.
 */
#ifndef BL_REPORT_TIMELINE_PRIV_H
#define BL_REPORT_TIMELINE_PRIV_H

#include "report/timeline.h"

/* What a vCPU has been doing. */
struct bl_timeline_lane {
    int64_t since_ns;
    enum bl_vcpu_state state;
    enum bl_sched_reason reason; /* why it came into this state */
    int64_t figure[2];
    uint32_t pcpu; /* where it runs or ran last; BL_NO_PCPU: nowhere yet */
    bool named;    /* the writer knows it */
};

/* The part of a state that lies in the window; never BLOCKED, never empty. */
struct bl_timeline_piece {
    uint32_t vcpu;
    int64_t from_ns, until_ns;
    const struct bl_timeline_lane *lane;
    bool ended;               /* else it was cut at the end of the window */
    enum bl_sched_reason end; /* why, where it ended */
};

/* @vcpu runs elsewhere than before, or has been co-stopped: now. */
struct bl_timeline_mark {
    uint32_t vcpu;
    int64_t now_ns;
    uint32_t from_pcpu; /* BL_NO_PCPU: no migration, a co-stop */
    const struct bl_sched_event *e;
};

struct bl_timeline_writer {
    bl_err (*open)(struct bl_arena *a, struct bl_timeline *t);
    void (*piece)(struct bl_timeline *t, const struct bl_timeline_piece *p);
    /* NULL: there is nowhere to put them */
    void (*mark)(struct bl_timeline *t, const struct bl_timeline_mark *m);
    void (*close)(struct bl_timeline *t, int64_t end_ns);
};

struct bl_timeline {
    FILE *f;
    const char *title; /* during open() only */
    bl_timeline_names names;
    void *names_ctx;
    uint32_t pcpu_count, vm_count, vcpu_count;
    int64_t from_ns, until_ns, now_ns;
    const struct bl_timeline_writer *writer;
    struct bl_timeline_lane *lane; /* [vcpu_count] */
    void *own;                     /* the writer's */
};

extern const struct bl_timeline_writer bl__timeline_chrome;
extern const struct bl_timeline_writer bl__timeline_svg;

#endif /* BL_REPORT_TIMELINE_PRIV_H */
