/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/floor_cycle.h - the energy floor with what sleeping and waking cost.
 *
 * Steps are fed one by one: demand and memory as means over the step. At each
 * step the joint bound (floor.h) says how many hosts the cheapest placement
 * keeps awake; where that number rises, some host must have gone to sleep and
 * woken again, or must have been awake all along. doc/models/floor.md proves
 * that no schedule, however clever and however well it knows the future, can
 * use less than what comes out.
 *
 * Layer        report (L3).       Units  MHz, MiB, s in; J out.
 * Ownership    a value; keeps a pointer to the floor it was begun with.
 * Allocation   none.              Errors  none.
 * Threads      one for each value.
 * Determinism  the same steps in, the same double out.
 * Limits       all hosts are awake before the first step, as worlds begin, and
 *              a transition draws no less than a sleeping host.
 */
#ifndef BL_REPORT_FLOOR_CYCLE_H
#define BL_REPORT_FLOOR_CYCLE_H

#include "report/floor.h"

struct bl_floor_step {
    double cpu_mhz, mem_mib, time_s;
};

struct bl_floor_cycle {
    const struct bl_floor *floor;
    double cycle_j[BL_HOST_GROUPS_MAX]; /* least cost of one, over sleep */
    double price_j[BL_HOST_GROUPS_MAX]; /* of a rise at the next boundary */
    double awake[BL_HOST_GROUPS_MAX];   /* hosts, in the step that waits */
    struct bl_floor_step step;          /* the last one: waits for the next */
    bool waiting;
    double step_j; /* its floor without transitions */
    /* since no price was above 0: without transitions and with them */
    double plain_j, priced_j;
    double sum_j;
};

/* @f and @dc are those of bl_floor_build(), with sleep_draws. */
void bl_floor_cycle_begin(struct bl_floor_cycle *c, const struct bl_floor *f,
                          const struct bl_dc *dc);

void bl_floor_cycle_step(struct bl_floor_cycle *c,
                         const struct bl_floor_step *step);

/* Joules of all steps so far: never below their floor without transitions. */
double bl_floor_cycle_joules(const struct bl_floor_cycle *c);

#endif /* BL_REPORT_FLOOR_CYCLE_H */
