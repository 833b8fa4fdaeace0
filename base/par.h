/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/par.h - split a loop over threads so that the result cannot depend on
 * how many there are.
 *
 * Layer        base (L0); OpenMP underneath.
 * Determinism  the range [0, n) is cut into the same blocks for any thread
 *              count; @fn may write only to what its block owns, and whoever
 *              needs a sum adds per-block results in block order (integers).
 * Threads      bl_par_for() returns when every block is done.
 */
#ifndef BL_BASE_PAR_H
#define BL_BASE_PAR_H

#include <stdint.h>

/* Called once for each block; @block counts from 0, its range is [lo, hi). */
typedef void (*bl_par_fn)(void *ctx, uint32_t block, uint32_t lo, uint32_t hi);

/* How many blocks [0, n) is cut into: the size of a per-block result array. */
static inline uint32_t bl_par_blocks(uint32_t n, uint32_t block_size)
{
    return n / block_size + (n % block_size != 0);
}

void bl_par_for(uint32_t n, uint32_t block_size, uint32_t thread_count,
                bl_par_fn fn, void *ctx);

#endif /* BL_BASE_PAR_H */
