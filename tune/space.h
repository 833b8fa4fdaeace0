/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune/space.h - which values of which parameters a policy is tried with.
 *
 *     NAME = LO:HI:STEP   LO, LO + STEP, ... up to HI
 *     NAME = a,b,c        these
 *     NAME = LO:HI        any value from LO to HI: only drawn at random
 *
 * A point is a struct bl_params: one value for every parameter of the policy,
 * those that are not varied included.
 *
 * Layer        tune (L1).
 * Units        those of hv/param.h.
 * Ownership    a bl_space is a value; it points to the policy's static table.
 * Allocation   none.
 * Errors       BL_ERR_NOENT (no such parameter), BL_ERR_PARSE, BL_ERR_INVAL
 *              (outside the parameter's range, an empty range), each with a
 *              diag FILE:LINE. Nothing changed.
 * Threads      read-only once made.
 * Determinism  point i of a grid, and of a seed's draws, is a function of the
 *              space (and seed) alone.
 * Limits       BL_SPACE_LIST_MAX values in a list.
 */
#ifndef BL_TUNE_SPACE_H
#define BL_TUNE_SPACE_H

#include "hv/param.h"

#include <stdbool.h>

#define BL_SPACE_LIST_MAX 64u

struct bl_space_dim {
    uint32_t param; /* index in the policy's table */
    enum { BL_SPACE_LIST, BL_SPACE_STEPS, BL_SPACE_ANY } kind;
    int64_t lo, hi, step; /* STEPS; ANY has no step */
    uint64_t count;       /* values; of ANY hi - lo + 1 */
    int64_t value[BL_SPACE_LIST_MAX];
    unsigned long line; /* where it stands; 0: not in a file */
};

struct bl_space {
    struct bl_params base; /* what is not varied */
    uint32_t dim_count;
    struct bl_space_dim dim[BL_PARAMS_MAX];
};

void bl_space_init(struct bl_space *s, const struct bl_params *base);

/** bl_space_vary - vary @name over @text.
 * @file, @line  where it stands, for the diag; NULL and 0 for an option. */
BL_NODISCARD bl_err bl_space_vary(struct bl_space *s, const char *name,
                                  const char *text, const char *file,
                                  unsigned long line, struct bl_diag *diag);

/* Points of the full grid, UINT64_MAX when they do not fit; 0 when a range has
 * no step. */
uint64_t bl_space_grid_count(const struct bl_space *s);

/* Point @i of the grid: the last parameter varies fastest. */
void bl_space_grid(const struct bl_space *s, uint64_t i, struct bl_params *out);

/* Draw @i of @seed: each parameter uniformly over its values. */
void bl_space_draw(const struct bl_space *s, uint64_t seed, uint64_t i,
                   struct bl_params *out);

/* "safety=0.8:1.6:0.1": as the report prints a dimension. */
void bl_space_dim_print(const struct bl_space *s, uint32_t dim, char *buf,
                        size_t size);

#endif /* BL_TUNE_SPACE_H */
