/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dvfs - frequency scaling alone: first fit, never moves.
 *
 * Source     Beloglazov and Buyya, CCPE 24(13), 2012, section 6.4: the DVFS
 *            benchmark, in which power follows utilisation and no VM moves.
 * Idea       the measured power tables of the hosts contain what their own
 *            frequency scaling saves at part load; this policy adds nothing.
 *            It differs from `static` in name only, and exists because the
 *            published tables have a row for it.
 * Bound      figures of the published program (test_cloudsim303).
 * Deviation  none; an explicit choice of P-states is not part of that
 *            benchmark.
 * Cost       as static.
 */
#include "cluster/first_fit.h"

extern const struct bl_policy bl_policy_dvfs;

const struct bl_policy bl_policy_dvfs = {
    .name = "dvfs",
    .syntax = "dvfs",
    .summary = "first fit, power follows load, never moves",
    .source = "Beloglazov and Buyya, CCPE 2012",
    .params = bl_first_fit_params,
    .param_count = BL_FIRST_FIT_PARAM_COUNT,
    .writes = 1u << BL_ACTION_PLACE,
    .create = bl_first_fit_policy_create,
    .place = bl_first_fit_policy_place,
};
