/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune/pick.h - the one point of a front that becomes policy.yaml.
 *
 *     energy     least energy among those that leave no more demand unserved
 *                than the baseline
 *     unserved   least unserved demand among those that use no more energy than
 *                the baseline
 *     knee       nearest to the point that would have the best value of every
 *                objective, each objective scaled to 0 .. 1 over the front
 *     N          the N-th of the front, from 1
 *
 * Layer        tune (L1).      Units  those of the objectives.
 * Allocation   none.           Threads  pure.
 * Errors       BL_ERR_PARSE, BL_ERR_INVAL with a diag.
 * Determinism  ties go to the earlier point of the front.
 */
#ifndef BL_TUNE_PICK_H
#define BL_TUNE_PICK_H

#include "tune/objective.h"

enum bl_tune_rule {
    BL_PICK_ENERGY,
    BL_PICK_UNSERVED,
    BL_PICK_KNEE,
    BL_PICK_NUMBER
};

struct bl_tune_pick {
    enum bl_tune_rule rule;
    uint32_t number; /* BL_PICK_NUMBER, from 1 */
};

/** bl_tune_pick_parse - read @text; energy and unserved need both as
 * objectives. */
BL_NODISCARD bl_err bl_tune_pick_parse(const char *text,
                                       const struct bl_objectives *objectives,
                                       const char *file, unsigned long line,
                                       struct bl_tune_pick *out,
                                       struct bl_diag *diag);

/** bl_tune_pick_choose - which of @count points, value[i][BL_OBJECTIVE_COUNT].
 * @baseline  a point that some of the front is at least as good as
 * @return    its index; BL_NONE of hv/snapshot.h when there is no N-th */
uint32_t bl_tune_pick_choose(const struct bl_tune_pick *p,
                             const struct bl_objectives *objectives,
                             const double (*value)[BL_OBJECTIVE_COUNT],
                             uint32_t count, const double *baseline);

/* "energy: least energy with no more unserved demand than the baseline" */
const char *bl_tune_pick_text(const struct bl_tune_pick *p);

#endif /* BL_TUNE_PICK_H */
