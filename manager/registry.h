/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager/registry.h - every policy that this build has, by name.
 *
 * The list is made by the build from the files cluster/policy_*.c, sorted.
 *
 * Layer        manager (L5).      Ownership  tables are static and const.
 * Allocation   none.              Threads    read-only.
 */
#ifndef BL_MANAGER_REGISTRY_H
#define BL_MANAGER_REGISTRY_H

#include "base/diag.h"
#include "hv/policy.h"

/* The i-th policy, in order of file name; NULL past the last one. */
const struct bl_policy *bl_registry_policy(uint32_t i);

/** bl_registry_find - the policy that @spec names, e.g. lr-mmt-1.2-2012.
 * @params  out: its table, defaults, and what the spec encodes.
 * @return  BL_ERR_NOENT with a diag that lists what there is. */
BL_NODISCARD bl_err bl_registry_find(const char *spec, const char *file,
                                     unsigned long line,
                                     const struct bl_policy **out,
                                     struct bl_params *params,
                                     struct bl_diag *diag);

#endif /* BL_MANAGER_REGISTRY_H */
