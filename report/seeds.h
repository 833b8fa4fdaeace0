/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/seeds.h - the same run with several seeds: what of its figures is
 * chance.
 *
 * Mean, standard deviation (n - 1) and a 95 % confidence interval of the mean
 * with Student's t, as the runs are few and their spread is not known.
 *
 * Layer        report (L3).       Units  those of the figures.
 * Ownership    rows are the caller's.     Allocation  JSON writing only.
 * Errors       BL_ERR_NOMEM from the JSON; the FILE keeps its own.
 * Determinism  a function of the rows, in their order.
 * Limits       BL_SEEDS_MAX runs.
 */
#ifndef BL_REPORT_SEEDS_H
#define BL_REPORT_SEEDS_H

#include "report/report.h"

#define BL_SEEDS_MAX 10000u

struct bl_seed_run {
    uint64_t seed;
    uint64_t state_hash;
    double value[BL_FIGURE_COUNT];
};

struct bl_spread {
    double mean, sd, min, max;
    double half_width; /* the interval is mean -/+ it; NAN with one value */
};

/* The 97.5 % quantile of Student's t with @freedom >= 1 degrees. */
double bl_student_t95(uint32_t freedom);

/* Of @count >= 1 finite values; sd of equal values is exactly 0. */
void bl_spread_of(const double *x, uint32_t count, struct bl_spread *out);

/** bl_seeds_spread - of one figure over all runs.
 * @return false when it does not apply to each of them. */
bool bl_seeds_spread(const struct bl_seed_run *run, uint32_t count,
                     enum bl_figure figure, struct bl_spread *out);

/* Did the seed change anything at all? */
bool bl_seeds_matter(const struct bl_seed_run *run, uint32_t count);

/* Complete runs in order of their seeds, and how many there were to be: fewer
 * rows than that make a partial report. @id: of the first row. */
struct bl_seeds {
    const struct bl_identity *id;
    const struct bl_seed_run *run;
    uint32_t count, wanted;
};

/* The last line is the hash of all state hashes. */
void bl_seeds_text(FILE *f, const struct bl_seeds *s,
                   const struct bl_style *style);
BL_NODISCARD bl_err bl_seeds_json(FILE *f, const struct bl_seeds *s);

#endif /* BL_REPORT_SEEDS_H */
