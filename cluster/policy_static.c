/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static - the reference policy: place once, never touch again.
 *
 * Source     none needed; it is what a data centre without a manager does.
 * Idea       first fit by full size, all hosts on, no migration. Obviously
 *            right, so it is the baseline of every comparison and what the
 *            manager falls back to when a policy misbehaves.
 * Bound      with overcommit ratios of 1 no VM is ever short of what its
 *            settings and size entitle it to (test_first_fit).
 * Deviation  none.
 * Cost       O(log hosts) for each arrival, nothing at control instants.
 */
#include "cluster/first_fit.h"

extern const struct bl_policy bl_policy_static;

const struct bl_policy bl_policy_static = {
    .name = "static",
    .syntax = "static",
    .summary = "first fit by size, all hosts on, never moves: the reference",
    .source = "the baseline of the field",
    .params = bl_first_fit_params,
    .param_count = BL_FIRST_FIT_PARAM_COUNT,
    .writes = 1u << BL_ACTION_PLACE,
    .create = bl_first_fit_policy_create,
    .place = bl_first_fit_policy_place,
};
