/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/compare.h - two runs side by side, read back from their JSON.
 *
 * Layer        report (L3).
 * Units        those of the figures.
 * Ownership    a bl_compared is a value.
 * Allocation   inside load and read only.
 * Errors       BL_ERR_IO (cannot read), BL_ERR_PARSE (not JSON, or not a
 *              report of ours), BL_ERR_FULL (too large), with a diag line
 *              "FILE:LINE: what is wrong, what was expected". *out untouched.
 * Determinism  a function of the two files.
 * Limits       BL_COMPARE_BYTES_MAX of JSON.
 */
#ifndef BL_REPORT_COMPARE_H
#define BL_REPORT_COMPARE_H

#include "base/diag.h"
#include "report/report.h"

#define BL_COMPARE_BYTES_MAX (UINT64_C(64) << 20)
#define BL_COMPARE_PATH_BYTES 4096

/* Identity as text, as it stands in the file. */
struct bl_compared {
    char path[BL_COMPARE_PATH_BYTES];
    char policy[BL_NAME_BYTES], policy_params[256];
    char scenario[BL_NAME_BYTES], trace[BL_NAME_BYTES];
    char trace_hash[BL_NAME_BYTES], physics[BL_NAME_BYTES];
    char demand[BL_NAME_BYTES], version[BL_NAME_BYTES];
    char state_hash[BL_NAME_BYTES];
    bool partial;
    double value[BL_FIGURE_COUNT]; /* NAN where the file has null */
};

/** bl_compare_load - @path: a JSON report, or a directory made by --out. */
BL_NODISCARD bl_err bl_compare_load(const char *path, struct bl_compared *out,
                                    struct bl_diag *diag);

/** bl_compare_read - the same from @f, which stays open; @file is its name. */
BL_NODISCARD bl_err bl_compare_read(FILE *f, const char *file,
                                    struct bl_compared *out,
                                    struct bl_diag *diag);

/** bl_compare_check - may these two be compared? BL_ERR_INVAL with a diag when
 * they differ in more than what was decided: trace, physics, demand, hosts,
 * time replayed. */
BL_NODISCARD bl_err bl_compare_check(const struct bl_compared *a,
                                     const struct bl_compared *b,
                                     struct bl_diag *diag);

void bl_compare_text(FILE *f, const struct bl_compared *a,
                     const struct bl_compared *b, const struct bl_style *style);

#endif /* BL_REPORT_COMPARE_H */
