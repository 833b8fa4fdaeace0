/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/select.h - which VM leaves an overloaded host.
 *
 * Source     Beloglazov and Buyya, CCPE 24(13), 2012, sections 5.5 to 5.7 and
 *            the MU rule of CloudSim 3.0.3.
 * Idea       mmt  the one that migrates fastest: least memory
 *            mc   the one whose history the others' histories explain best
 *                 (largest R^2): its peaks coincide with theirs
 *            rs   any one, uniformly
 *            mu   the one with the lowest utilisation
 * Bound      decisions of the published program (test_cloudsim303); each rule
 *            against a plain version (test_select).
 * Deviation  rs draws from our seeded generator; the program's is unseeded and
 *            not repeatable. As there, mc falls back to mmt when the
 *            regression has too few samples or dependent predictors.
 * Cost       mmt, mu, rs O(VMs on the host); mc O(VMs^4) at worst, 30 samples.
 *
 * Layer        cluster (L4).     Allocation  bl_select_create() only.
 * Determinism  ties go to the first VM in the host's list.
 */
#ifndef BL_CLUSTER_SELECT_H
#define BL_CLUSTER_SELECT_H

#include "hv/policy.h"

enum bl_select_rule {
    BL_SELECT_MMT,
    BL_SELECT_MC,
    BL_SELECT_RS,
    BL_SELECT_MU,
};

struct bl_select; /* opaque */

BL_NODISCARD bl_err bl_select_create(struct bl_arena *a,
                                     enum bl_select_rule rule, uint64_t seed,
                                     struct bl_select **out);

/* A VM that the overlay has on @host and that is not migrating; BL_NONE when
 * there is none. */
uint32_t bl_select_vm(struct bl_select *c, const struct bl_snapshot *s,
                      const struct bl_overlay *ov, uint32_t host);

#endif /* BL_CLUSTER_SELECT_H */
