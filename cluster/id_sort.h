/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/id_sort.h - order hosts or VMs by a column of the snapshot.
 *
 * Source     bottom-up merge sort (Knuth, vol. 3, 5.2.4).
 * Idea       stable, so that ids with equal keys keep the order they had: the
 *            published programs rely on it for their ties.
 * Bound      the order of an insertion sort (test_numeric).
 * Cost       O(n log n), no allocation: scratch is the caller's.
 */
#ifndef BL_CLUSTER_ID_SORT_H
#define BL_CLUSTER_ID_SORT_H

#include <stdbool.h>
#include <stdint.h>

/* Sorts id[0 .. n) by key[id]; @scratch holds n ids. */
void bl_id_sort(uint32_t *id, uint32_t n, const double *key, bool descending,
                uint32_t *scratch);

#endif /* BL_CLUSTER_ID_SORT_H */
