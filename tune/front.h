/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune/front.h - which of many points no other point is better than.
 *
 * Values are laid out point by point: value[i * objectives + k], less is
 * better. One point dominates another when it is nowhere worse and somewhere
 * better; equal points do not dominate each other.
 *
 * Layer        tune (L1).      Units  none.
 * Ownership    all arrays are the caller's.      Allocation  none.
 * Errors       none; no value is NAN (BL_ASSERT).
 * Threads      pure functions.
 * Determinism  comparisons of doubles only, but for the crowding distance, in
 *              a fixed order; ties go to the lower index.
 */
#ifndef BL_TUNE_FRONT_H
#define BL_TUNE_FRONT_H

#include <stdbool.h>
#include <stdint.h>

bool bl_dominates(const double *a, const double *b, uint32_t objectives);

/* The points to sort; order[] and scratch[] have room for count. */
struct bl_front {
    const double *value;
    uint32_t count, objectives;
    uint32_t *order, *scratch;
};

/** bl_front_rank - rank[i]: 0 when nothing dominates point i, else 1 + the
 * highest rank of what does. f->order becomes the indices in order of their
 * values, first objective first, equal ones by index. */
void bl_front_rank(const struct bl_front *f, uint32_t *rank);

/** bl_front_best - the indices of all points into f->order, best first: lower
 * rank, then the larger crowding distance, then the lower index.
 * @distance  out: of each point */
void bl_front_best(const struct bl_front *f, const uint32_t *rank,
                   double *distance);

#endif /* BL_TUNE_FRONT_H */
