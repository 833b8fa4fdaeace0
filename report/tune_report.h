/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/tune_report.h - what `ballast tune` found: the front as a table, all
 * points as CSV and JSON, a page to look at, and the policy that was picked.
 *
 * Layer        report (L3).
 * Units        those of the objectives (tune/objective.h).
 * Ownership    everything is the caller's; nothing is kept.
 * Allocation   JSON and the page: inside the call. Others: none.
 * Errors       writers leave failures in the FILE (ferror); BL_ERR_NOMEM from
 *              those that allocate.
 * Threads      no shared state.
 * Determinism  the same report gives the same bytes: no time, no host, no
 *              number of threads is in it. Doubles in CSV and JSON have 17
 *              digits, so they are read back exactly.
 */
#ifndef BL_REPORT_TUNE_REPORT_H
#define BL_REPORT_TUNE_REPORT_H

#include "hv/param.h"
#include "hv/snapshot.h"
#include "report/report.h"
#include "tune/objective.h"
#include "tune/pick.h"
#include "tune/space.h"

#define BL_JSON_TUNE "ballast-tune-1"

/* One point: the baseline, or a combination of parameters. */
struct bl_tune_row {
    const char *policy;             /* as typed */
    const struct bl_params *params; /* all of them */
    bool complete;  /* every trace replayed in full: the figures hold */
    bool validated; /* the same of the other traces */
    double tuned[BL_OBJECTIVE_COUNT]; /* means over the traces */
    double other[BL_OBJECTIVE_COUNT]; /* on those for validation */
    uint32_t place;                   /* on the front, from 1; 0: not on it */
    uint32_t twin; /* an earlier row with equal figures; BL_NONE: none */
};

struct bl_tune_day { /* a trace */
    const char *name;
    uint64_t hash;
    uint32_t steps;
};

struct bl_tune_report {
    const char *version, *scenario, *physics, *strategy;
    uint64_t scenario_hash, seed;
    const struct bl_space *space;
    const struct bl_tune_day *day, *other_day;
    uint32_t day_count, other_count;
    struct bl_objectives objectives;
    struct bl_tune_pick pick;
    const struct bl_tune_row *row; /* row 0 is the baseline */
    uint32_t row_count;
    const uint32_t *front; /* rows in order of their place; no twins */
    uint32_t front_count;
    uint32_t chosen; /* a row; BL_NONE: nothing to choose from */
    bool partial;    /* interrupted */
    uint64_t runs_done, runs_all;
};

/* The front, at most BL_REPORT_COLUMNS wide where parameters allow it. */
void bl_tune_text(FILE *f, const struct bl_tune_report *t,
                  const struct bl_style *style);

/* One line for each row of the front, and for each row that was completed. */
void bl_tune_csv_front(FILE *f, const struct bl_tune_report *t);
void bl_tune_csv_points(FILE *f, const struct bl_tune_report *t);

BL_NODISCARD bl_err bl_tune_json(FILE *f, const struct bl_tune_report *t);

/* A page that needs nothing but a browser. */
BL_NODISCARD bl_err bl_tune_html(FILE *f, const struct bl_tune_report *t);

/* The chosen row, as `ballast sim --policy-file` reads it. */
void bl_tune_policy(FILE *f, const struct bl_tune_report *t);

#endif /* BL_REPORT_TUNE_REPORT_H */
