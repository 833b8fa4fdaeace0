/* SPDX-License-Identifier: Apache-2.0 */
/*
 * halving - successive halving.
 *
 * Source     Jamieson and Talwalkar, "Non-stochastic best arm identification
 *            and hyperparameter optimization", AISTATS 2016; with the ratio eta
 *            = 3 and rungs counted from the last one, as in Li, Jamieson,
 *            DeSalvo, Rostamizadeh, Talwalkar, "Hyperband", JMLR 18, 2018.
 * Idea       begin with many points and a little of the trace, keep the best
 *            third, give them three times as much, until those that are left
 *            are run in full.
 * Bound      with rungs 0 .. k it costs about (k + 1) / 3^k of running every
 *            point in full; the last rung sees the whole trace, and what it
 *            says of a point is what a full grid would have said (test_tune).
 * Deviation  theirs has one loss; here who is kept is decided by rank and
 *            crowding distance (front.c), so a third may not hold a whole
 *            front. A point's runs of different rungs start anew: a shorter
 *            run is not continued.
 * Cost       O(rungs).
 */
#include "tune/halving.h"

#include "base/err.h"

static uint64_t over(uint64_t n, uint64_t by)
{
    BL_ASSERT(by > 0);
    return n / by + (n % by != 0);
}

void bl_halving_plan(uint32_t points, uint64_t steps, uint64_t steps_min,
                     struct bl_rungs *out)
{
    uint64_t by = 1;

    BL_ASSERT(points >= 1 && steps >= 1);
    *out = (struct bl_rungs){ .count = 1 };
    while (out->count < BL_RUNGS_MAX && by * BL_HALVING_ETA <= points &&
           over(steps, by * BL_HALVING_ETA) >= steps_min) {
        by *= BL_HALVING_ETA;
        out->count++;
    }
    for (uint32_t i = 0; i < out->count; i++) {
        out->rung[i].steps = over(steps, by);
        by /= BL_HALVING_ETA;
    }
    by = 1;
    for (uint32_t i = 0; i < out->count; i++) {
        out->rung[i].points = (uint32_t)over(points, by);
        by *= BL_HALVING_ETA;
    }
}
