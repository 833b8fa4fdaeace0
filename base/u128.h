/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/u128.h - the one place that names the compilers' 128-bit integer.
 * Products of two 64-bit quantities (khz * shares, mW * ns) need it; results
 * are brought back to 64 bits at once, under an assertion.
 */
#ifndef BL_BASE_U128_H
#define BL_BASE_U128_H

#include "base/err.h"

#include <stdint.h>

__extension__ typedef unsigned __int128 bl_u128;

/* floor(a * b / d); d > 0 and the result must fit. */
static inline uint64_t bl_muldiv(uint64_t a, uint64_t b, uint64_t d)
{
    const bl_u128 q = (bl_u128)a * b / d;

    BL_ASSERT(q <= UINT64_MAX);
    return (uint64_t)q;
}

#endif /* BL_BASE_U128_H */
