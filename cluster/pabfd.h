/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/pabfd.h - power-aware best fit: the host whose power rises least.
 *
 * Source     Beloglazov, Abawajy, Buyya, FGCS 28(5), 2012 (PABFD), in the two
 *            forms that were published as programs: CloudSim 3.0.2 and later,
 *            and 3.0 - 3.0.1, the code of the CCPE 2012 paper ("2012").
 * Idea       of all hosts with room that would not be overloaded, take the one
 *            with the least P(with the VM) - P(measured before). "2012" takes
 *            the measured utilisation as its starting point; the later form
 *            takes the tentative one, so that stacking several VMs on a host in
 *            one pass counts against it although "before" does not move.
 * Bound      finds the host that a scan of all hosts by id finds (test_pabfd
 *            compares them); figures of the program (test_cloudsim303).
 * Deviation  where sleeping is a state, a host that is awake wins over a
 *            sleeping one with the same rise, and what was measured of that
 *            one before it slept does not count. The scan is bounded: empty
 *            hosts of one group are alike, so only the first one awake and the
 *            first one asleep are looked at, and the overload test runs only
 *            for a host that would win.
 * Cost       O(hosts with VMs and memory for it) for each VM, O(hosts) for each
 *            instant.
 *
 * Layer        cluster (L4).    Units  W for rises.
 * Allocation   bl_pabfd_create() only.
 * Determinism  ties go to who is awake, then to the lower host id.
 */
#ifndef BL_CLUSTER_PABFD_H
#define BL_CLUSTER_PABFD_H

#include "cluster/overload.h"

struct bl_pabfd; /* opaque */

struct bl_pabfd_opts {
    const struct bl_dc *dc;
    uint32_t host_count;
    bool from_measured; /* the "2012" form */
};

BL_NODISCARD bl_err bl_pabfd_create(struct bl_arena *a,
                                    const struct bl_pabfd_opts *opts,
                                    struct bl_pabfd **out);

/* A new instant: nothing excluded, everything read afresh. */
void bl_pabfd_begin(struct bl_pabfd *p, const struct bl_snapshot *s,
                    const struct bl_overlay *ov, struct bl_overload *overload);

void bl_pabfd_exclude(struct bl_pabfd *p, uint32_t host);

/* The overlay has changed @host. */
void bl_pabfd_refresh(struct bl_pabfd *p, uint32_t host);

/* @rise_w: by how much the host's power would rise. BL_NONE: no host. */
uint32_t bl_pabfd_find(struct bl_pabfd *p, uint32_t vm, double *rise_w);

/* The same without the overload test: for a VM that must run somewhere. */
uint32_t bl_pabfd_find_any(struct bl_pabfd *p, uint32_t vm, double *rise_w);

#endif /* BL_CLUSTER_PABFD_H */
