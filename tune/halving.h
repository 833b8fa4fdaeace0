/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune/halving.h - successive halving: how many points get how much of the
 * trace. The card is in halving.c.
 *
 * Layer        tune (L1).      Units  steps of the traces, all days together.
 * Allocation   none.           Errors  none.
 * Threads      pure.           Determinism  integers.
 */
#ifndef BL_TUNE_HALVING_H
#define BL_TUNE_HALVING_H

#include <stdint.h>

#define BL_RUNGS_MAX 16u
#define BL_HALVING_ETA 3u

struct bl_rungs {
    uint32_t count;
    struct {
        uint32_t points; /* that are run */
        uint64_t steps;  /* that each of them gets */
    } rung[BL_RUNGS_MAX];
};

/** bl_halving_plan - @points >= 1 to begin with, @steps >= 1 of traces in all,
 * no rung of fewer than @steps_min (unless there is but one). */
void bl_halving_plan(uint32_t points, uint64_t steps, uint64_t steps_min,
                     struct bl_rungs *out);

#endif /* BL_TUNE_HALVING_H */
