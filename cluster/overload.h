/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/overload.h - is a host overloaded, or about to be?
 *
 * Source     Beloglazov and Buyya, CCPE 24(13), 2012, sections 5.1 to 5.4; the
 *            arithmetic is that of CloudSim 3.0.3, which differs from the
 *            paper where noted.
 * Idea       thr   utilisation above a fixed threshold
 *            iqr   threshold 1 - s * interquartile range of the host's history
 *            mad   threshold 1 - s * median absolute deviation of it
 *            lr    a line through the last 10 samples, extended by the time of
 *                  the longest migration, reaches 1 when multiplied by s
 *            lrr   the paper's robust version of it
 *            A host's history is the sum of its present VMs' histories.
 * Bound      decisions of the published program, figure for figure
 *            (test_cloudsim303); each test against a plain version of its
 *            formula (test_overload).
 * Deviation  as CloudSim: below 12 (iqr, mad) or 10 (lr, lrr) samples a fixed
 *            threshold of 0.7; lr and lrr are ordinary least squares, because
 *            that program computes the tricube and bisquare weights and then
 *            does not use them. So lr == lrr.
 * Cost       thr O(1). Others O(VMs * samples) when the host's list has
 *            changed, else O(samples) for one more VM: sums over a host's list
 *            are kept by the overlay's stamp.
 *
 * Layer        cluster (L4).     Allocation  bl_overload_create() only.
 * Determinism  sums run in list order; the VM asked about is added last.
 */
#ifndef BL_CLUSTER_OVERLOAD_H
#define BL_CLUSTER_OVERLOAD_H

#include "hv/policy.h"

enum bl_overload_test {
    BL_OVERLOAD_THR,
    BL_OVERLOAD_IQR,
    BL_OVERLOAD_MAD,
    BL_OVERLOAD_LR,
    BL_OVERLOAD_LRR,
};

struct bl_overload; /* opaque */

struct bl_overload_opts {
    enum bl_overload_test test;
    double safety;   /* the threshold of thr, the s of the others */
    double fallback; /* threshold while there are too few samples */
    uint32_t host_count, vm_slot_count;
};

BL_NODISCARD bl_err bl_overload_create(struct bl_arena *a,
                                       const struct bl_overload_opts *opts,
                                       struct bl_overload **out);

/* A new instant: histories have moved on. */
void bl_overload_begin(struct bl_overload *o, const struct bl_snapshot *s,
                       const struct bl_overlay *ov);

struct bl_overload_verdict {
    bool overloaded;
    double level, threshold; /* what was compared: the reason's figures */
};

/* @host with the VMs that the overlay has on it and, unless BL_NONE, @vm. */
struct bl_overload_verdict bl_overload_host(struct bl_overload *o,
                                            uint32_t host, uint32_t vm);

#endif /* BL_CLUSTER_OVERLOAD_H */
