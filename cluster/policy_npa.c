/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npa - non-power-aware: first fit, and every host at full power always.
 *
 * Source     Beloglazov and Buyya, CCPE 24(13), 2012, section 6.4: the NPA
 *            benchmark, the most a data centre can draw.
 * Idea       before the first VM is placed, power saving is given up on every
 *            host: each draws P(100 %) whatever its load.
 * Bound      energy = hosts * P(100 %) * time (test_cloudsim303, test_real).
 * Deviation  none.
 * Cost       O(hosts) once, then as static.
 */
#include "cluster/first_fit.h"

extern const struct bl_policy bl_policy_npa;

struct npa {
    void *first_fit;
    bool announced;
};

static bl_err npa_create(struct bl_arena *a, const struct bl_policy_env *env,
                         void **state)
{
    struct npa *n = bl_arena_get(a, 1, sizeof(*n));

    if (n == NULL)
        return BL_ERR_NOMEM;
    BL_TRY(bl_first_fit_policy_create(a, env, &n->first_fit));
    *state = n;
    return BL_ERR_OK;
}

static void npa_place(void *state, const struct bl_snapshot *s,
                      struct bl_overlay *o, uint32_t vm, struct bl_plan *plan)
{
    struct npa *n = state;

    for (uint32_t h = 0; h < s->host.count && !n->announced; h++)
        bl_plan_add(plan, &(struct bl_action){
                              .kind = BL_ACTION_POWER_UNMANAGED,
                              .reason = BL_REASON_NO_POWER_SAVING,
                              .vm = BL_NONE,
                              .host = h,
                              .source = BL_NONE,
                          });
    n->announced = true;
    bl_first_fit_policy_place(n->first_fit, s, o, vm, plan);
}

const struct bl_policy bl_policy_npa = {
    .name = "npa",
    .syntax = "npa",
    .summary = "first fit, all hosts at full power: the most it can cost",
    .source = "Beloglazov and Buyya, CCPE 2012",
    .params = bl_first_fit_params,
    .param_count = BL_FIRST_FIT_PARAM_COUNT,
    .writes = 1u << BL_ACTION_PLACE | 1u << BL_ACTION_POWER_UNMANAGED,
    .create = npa_create,
    .place = npa_place,
};
