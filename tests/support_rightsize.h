/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_rightsize.h - the policy `rightsize` in a world written down by
 * hand (tests/support_table.h), driven without a manager.
 *
 * The hosts: 2 cores of 2 GHz, 8 GiB, 100 W and 10 W more for each tenth of
 * load, 2 W when off; every second one "fast", where a test wants them, as in
 * support_table.h. VM slots 0, 4, 8 ... are of 1 GHz and 1 GiB, 1, 5, 9 ... of
 * 2 GHz and 2 GiB, 2, 6, 10 ... of 2 x 1 GHz and 2 GiB, 3, 7 ... of 4 x 2.5
 * GHz, half of it reserved.
 */
#ifndef BL_TESTS_SUPPORT_RIGHTSIZE_H
#define BL_TESTS_SUPPORT_RIGHTSIZE_H

#include "cluster/rightsize_priv.h"
#include "tests/support_table.h"

extern const struct bl_policy bl_policy_rightsize;
#define HAND_POLICY (&bl_policy_rightsize)
#define HAND_S INT64_C(1000000000)

struct hand {
    struct test_table *t;
    struct bl_overlay *o;
    struct bl_plan plan;
    struct bl_params params;
    struct rs *rs;
};

/* It is 10 o'clock; demand is known as it comes. @alike: no fast hosts. */
struct hand hand_open(uint32_t hosts, uint32_t slots, bool alike);
void hand_set(struct hand *w, const char *name, const char *value);
/* Creates the policy with what was set. */
void hand_start(struct hand *w);
void hand_shut(struct hand *w);

void hand_ask(struct hand *w, uint32_t vm, double mhz);
/* What is asked for now has been asked for @samples times. */
void hand_repeat(struct hand *w, uint32_t samples);

/* One control instant, five minutes after the last; fills the plan. */
void hand_step(struct hand *w);
/* @vm arrives: the host it is given, or BL_NONE; fills the plan. */
uint32_t hand_place(struct hand *w, uint32_t vm);
uint32_t hand_count(const struct hand *w, enum bl_action_kind kind);
/* The first of its kind in the plan. */
const struct bl_action *hand_action(const struct hand *w,
                                    enum bl_action_kind kind);

#endif /* BL_TESTS_SUPPORT_RIGHTSIZE_H */
