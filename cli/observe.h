/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/observe.h - who watches a run: --explain on stdout, the files of --out
 * and --csv, the progress bar on stderr.
 *
 * Layer        cli (L7).
 * Ownership    host names are allocated by bl_names_create() and freed by
 *              bl_names_destroy(); an output directory is removed unless it is
 *              finished.
 * Errors       BL_ERR_NOMEM, BL_ERR_IO, BL_ERR_NOENT, BL_ERR_INVAL, each with
 *              a diag. Nothing appears under its final name on error.
 * Threads      one run each.
 */
#ifndef BL_CLI_OBSERVE_H
#define BL_CLI_OBSERVE_H

#include "base/diag.h"
#include "hv/model.h"
#include "report/report.h"
#include "trace/trace.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- names of hosts: GROUP-N, the N-th host of its group from 0 --------- */

struct bl_names {
    const struct bl_dc *dc;
    uint32_t host_count;
    uint8_t *group;
    uint32_t *number;
};

BL_NODISCARD bl_err bl_names_create(const struct bl_dc *dc,
                                    struct bl_names *out, struct bl_diag *diag);
void bl_names_destroy(struct bl_names *n);

/* "" for BL_NONE and hosts that do not exist. */
const char *bl_names_host(const struct bl_names *n, uint32_t host, char *buf,
                          size_t size);

/** bl_names_find - the host called @name: GROUP-N, or hID. BL_ERR_NOENT. */
BL_NODISCARD bl_err bl_names_find(const struct bl_names *n, const char *name,
                                  uint32_t *out, struct bl_diag *diag);

/* ---- --explain: which decisions are printed ----------------------------- */

struct bl_explain {
    bool on;
    const char *vm;   /* only this VM's; or NULL */
    const char *host; /* only this host's; or NULL */
    uint32_t host_id;
};

/** bl_explain_check - do the VM and the host exist? Reads through @trace for
 * the VM and rewinds it. BL_ERR_NOENT. */
BL_NODISCARD bl_err bl_explain_check(struct bl_explain *e,
                                     const struct bl_names *names,
                                     struct bl_trace *trace,
                                     struct bl_diag *diag);

bool bl_explain_wants(const struct bl_explain *e, const struct bl_action *a,
                      const char *vm_name);

/* ---- --out, --csv, --json=FILE ------------------------------------------ */

#define BL_OUTPUT_PATH_BYTES 4352

/** bl_output_file - let @write fill @path; a regular file appears complete or
 * not at all. */
typedef bl_err (*bl_write_fn)(FILE *f, const void *what);
BL_NODISCARD bl_err bl_output_file(const char *path, bl_write_fn write,
                                   const void *what, struct bl_diag *diag);

/** bl_output_check - could bl_output_file() write @path now? Leaves nothing
 * behind. */
BL_NODISCARD bl_err bl_output_check(const char *path, struct bl_diag *diag);

/* A directory that is written beside its final name and renamed at the end. */
struct bl_outdir {
    bool open;
    char path[BL_OUTPUT_PATH_BYTES], temp[BL_OUTPUT_PATH_BYTES];
};

/** bl_outdir_open - BL_ERR_INVAL when @path exists already. */
BL_NODISCARD bl_err bl_outdir_open(struct bl_outdir *o, const char *path,
                                   struct bl_diag *diag);

/** bl_outdir_create - a file in it, to be closed with bl_outdir_close(), which
 * knows of writes that failed. */
BL_NODISCARD bl_err bl_outdir_create(struct bl_outdir *o, const char *name,
                                     FILE **out, struct bl_diag *diag);
BL_NODISCARD bl_err bl_outdir_close(struct bl_outdir *o, FILE *f,
                                    struct bl_diag *diag);

/** bl_outdir_write - a file in it, filled by @write. */
BL_NODISCARD bl_err bl_outdir_write(struct bl_outdir *o, const char *name,
                                    bl_write_fn write, const void *what,
                                    struct bl_diag *diag);

/** bl_outdir_finish - give the directory its name. */
BL_NODISCARD bl_err bl_outdir_finish(struct bl_outdir *o, struct bl_diag *diag);

/* Removes what has not been finished. Idempotent. */
void bl_outdir_abandon(struct bl_outdir *o);

/* The files of a run at level cluster. */
struct bl_output {
    struct bl_outdir dir;
    bool whole; /* --out: reports and journal too, not the tables alone */
    FILE *vms, *journal;
};

/** bl_output_open - BL_ERR_INVAL when @path exists already. */
BL_NODISCARD bl_err bl_output_open(struct bl_output *o, const char *path,
                                   bool whole, const struct bl_dc *dc,
                                   struct bl_diag *diag);

/* Rows as they come; harmless on an output that is not open. */
void bl_output_vm(struct bl_output *o, const struct bl_result *r,
                  const struct bl_vm_result *vm);
void bl_output_decision(struct bl_output *o, const struct bl_decision *d);

/** bl_output_finish - write the rest, give the directory its name. */
BL_NODISCARD bl_err bl_output_finish(struct bl_output *o,
                                     const struct bl_result *r,
                                     const struct bl_baselines *base,
                                     const struct bl_style *style,
                                     struct bl_diag *diag);

/* Removes what has not been finished. Idempotent. */
void bl_output_abandon(struct bl_output *o);

/* ---- the progress bar --------------------------------------------------- */

struct bl_progress {
    bool on; /* stderr is a terminal */
    bool drawn;
    uint32_t columns; /* of the bar itself: what the terminal has room for */
    double start_s;   /* of the clock; nothing is drawn for the first 0.5 s */
    uint32_t percent;
    bool remaining; /* also say how long it will take, if it goes on so */
    uint32_t first; /* done when the bar was drawn first */
    double first_s;
    bool timed;
};

double bl_clock_s(void); /* monotonic */
void bl_progress_start(struct bl_progress *p);
void bl_progress_show(struct bl_progress *p, uint32_t done, uint32_t all);
void bl_progress_end(struct bl_progress *p); /* takes the bar away */

#endif /* BL_CLI_OBSERVE_H */
