/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/first_fit.h - the first host, by id, with room for a VM's full size.
 *
 * Source     first fit, as every placement baseline of the field defines it
 *            (Johnson et al., SIAM J. Comput. 3(4), 1974, for bin packing).
 * Idea       a tournament tree over hosts keeps the largest free CPU and the
 *            largest free memory below each node; the search walks down to the
 *            leftmost leaf that has both.
 * Bound      finds exactly what a scan in id order finds (test_first_fit
 *            compares them after every random step).
 * Deviation  none.
 * Cost       O(log hosts) for a search in the common case (CPU and memory free
 *            on the same hosts), O(hosts) once for each instant.
 *
 * Layer        cluster (L4).   Units  kHz, bytes; ratios in ppm.
 * Allocation   bl_first_fit_create() only.
 */
#ifndef BL_CLUSTER_FIRST_FIT_H
#define BL_CLUSTER_FIRST_FIT_H

#include "hv/policy.h"

struct bl_first_fit; /* opaque */

/* Committed sizes may reach capacity times these ratios. */
struct bl_first_fit_opts {
    uint32_t host_count;
    uint32_t cpu_ppm, mem_ppm; /* 1000000: no overcommit */
};

BL_NODISCARD bl_err bl_first_fit_create(struct bl_arena *a,
                                        const struct bl_first_fit_opts *opts,
                                        struct bl_first_fit **out);

/* The lowest running host whose cores are at least as fast as the VM's vCPUs
 * and that has room for its size, its reservations and, where memory is
 * enforced, for what it uses of it now; BL_NONE when there is none. Notices by
 * their stamps which hosts have changed: any between two observations, and
 * until the next one the host that it named last. */
uint32_t bl_first_fit_find(struct bl_first_fit *f, const struct bl_snapshot *s,
                           const struct bl_overlay *o, uint32_t vm);

/* The parameters and functions that first-fit policies share. */
#define BL_FIRST_FIT_PARAM_COUNT 2
extern const struct bl_param bl_first_fit_params[BL_FIRST_FIT_PARAM_COUNT];
BL_NODISCARD bl_err bl_first_fit_policy_create(struct bl_arena *a,
                                               const struct bl_policy_env *env,
                                               void **state);
void bl_first_fit_policy_place(void *state, const struct bl_snapshot *s,
                               struct bl_overlay *o, uint32_t vm,
                               struct bl_plan *plan);

#endif /* BL_CLUSTER_FIRST_FIT_H */
