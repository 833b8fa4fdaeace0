/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/param.h - the parameters that a policy declares: one table that feeds
 * `--policy help`, the scenario reader and `ballast tune`.
 *
 * Layer        hv (L1).
 * Units        values are int64_t in the dimension's kept unit (base/units.h):
 *              ratios in ppm, times in ns, choices as an index.
 * Ownership    tables are const and static; values belong to the caller.
 * Allocation   none.
 * Errors       bl_params_set(): BL_ERR_NOENT (no such name), BL_ERR_PARSE (not
 *              a value of its dimension), BL_ERR_INVAL (outside its range);
 *              the diag says which and what was expected. Values unchanged.
 */
#ifndef BL_HV_PARAM_H
#define BL_HV_PARAM_H

#include "base/diag.h"
#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

#define BL_PARAMS_MAX 16u

struct bl_param {
    const char *name;
    enum bl_dim dim;
    int64_t min, max, def; /* BL_DIM_CHOICE: 0 .. number of choices - 1 */
    const char *meaning;
    const char *const *choices; /* BL_DIM_CHOICE only; NULL-terminated */
};

struct bl_params {
    const struct bl_param *table; /* NULL when the policy has none */
    uint32_t count;
    int64_t value[BL_PARAMS_MAX];
};

/* Every parameter at its default. */
void bl_params_init(struct bl_params *p, const struct bl_param *table,
                    uint32_t count);

/** bl_params_set - read @text into the parameter called @name.
 * @file, @line  where it stands, for the diag; NULL and 0 for an option. */
BL_NODISCARD bl_err bl_params_set(struct bl_params *p, const char *name,
                                  const char *text, const char *file,
                                  unsigned long line, struct bl_diag *diag);

/* The value called @name; BL_ASSERTs that the table has it. */
int64_t bl_params_get(const struct bl_params *p, const char *name);

/* One value of the parameter @d, as bl_params_set() reads it back. */
void bl_param_print(const struct bl_param *d, int64_t value, char *buf,
                    size_t size);

/* "safety=1.2 overload=lr": as the report prints them. */
void bl_params_print(const struct bl_params *p, char *buf, size_t size);

#endif /* BL_HV_PARAM_H */
