/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/store.h - a trace decoded once, for many readers at a time.
 *
 * A bl_trace is a stream with one place in it. Who replays the same trace
 * hundreds of times, in several threads, decodes it once into a store and gives
 * each replay a stream of its own that only points into the store: nothing is
 * parsed or copied again.
 *
 * Layer        trace (L2).
 * Units        as in trace/trace.h.
 * Ownership    bl_trace_store_create() allocates, bl_trace_store_free() frees;
 *              streams from bl_trace_store_open() end before the store does.
 * Allocation   malloc: steps times vms_alive_max cells of 4 bytes for each
 *              column, and each VM once.
 * Errors       BL_ERR_NOMEM, BL_ERR_FULL (beyond BL_TRACE_STORE_BYTES_MAX),
 *              what reading the trace gives; with a diag. *out untouched.
 * Threads      a store is read-only once created: any number of threads may
 *              open and read streams of it, each its own.
 * Determinism  a stream gives what the trace gave, info included.
 */
#ifndef BL_TRACE_STORE_H
#define BL_TRACE_STORE_H

#include "trace/trace.h"

#define BL_TRACE_STORE_BYTES_MAX (UINT64_C(1) << 33) /* 8 GiB */

struct bl_trace_store; /* opaque */

/** bl_trace_store_create - all of @t, which is rewound first and may be closed
 * afterwards. */
BL_NODISCARD bl_err bl_trace_store_create(struct bl_trace *t,
                                          struct bl_trace_store **out,
                                          struct bl_diag *diag);
void bl_trace_store_free(struct bl_trace_store *s); /* NULL is fine */

const struct bl_trace_info *bl_trace_store_info(const struct bl_trace_store *s);

/** bl_trace_store_open - a stream from its first step; bl_trace_close(). */
BL_NODISCARD bl_err bl_trace_store_open(const struct bl_trace_store *s,
                                        struct bl_trace **out,
                                        struct bl_diag *diag);

#endif /* BL_TRACE_STORE_H */
