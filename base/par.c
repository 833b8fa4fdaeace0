/* SPDX-License-Identifier: Apache-2.0 */
#include "base/par.h"

#include "base/err.h"

void bl_par_for(uint32_t n, uint32_t block_size, uint32_t thread_count,
                bl_par_fn fn, void *ctx)
{
    BL_ASSERT(block_size > 0);
    BL_ASSERT(thread_count > 0);

    const uint32_t blocks = bl_par_blocks(n, block_size);

    if (thread_count == 1 || blocks <= 1) {
        for (uint32_t b = 0; b < blocks; b++)
            fn(ctx, b, b * block_size,
               b + 1 == blocks ? n : (b + 1) * block_size);
        return;
    }
#pragma omp parallel for schedule(static) num_threads((int)thread_count)
    for (uint32_t b = 0; b < blocks; b++)
        fn(ctx, b, b * block_size, b + 1 == blocks ? n : (b + 1) * block_size);
}
