/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/prng.h - the only source of randomness in the tree (SplitMix64).
 *
 * Source       Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
 *              Generators", OOPSLA 2014 (public reference constants).
 * Layer        base (L0).
 * Determinism  integer-only, so that a seed means the same run on every
 *              compiler and CPU. One generator per independent stream:
 *              bl_prng_stream(seed, id) makes them from one seed, so that
 *              adding a VM does not change the numbers of the others.
 * Threads      one bl_prng per thread.
 */
#ifndef BL_BASE_PRNG_H
#define BL_BASE_PRNG_H

#include <stdint.h>

struct bl_prng {
    uint64_t s;
};

static inline uint64_t bl_prng_next(struct bl_prng *p)
{
    uint64_t z = (p->s += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* An independent generator for stream @id of @seed. */
static inline struct bl_prng bl_prng_stream(uint64_t seed, uint64_t id)
{
    struct bl_prng p = { seed };
    const uint64_t a = bl_prng_next(&p);

    p.s = a ^ (id * UINT64_C(0xd1342543de82ef95) + 1);
    p.s = bl_prng_next(&p);
    return p;
}

/* Uniform in [0, n); n > 0. Bias < n / 2^64, irrelevant to us and portable. */
static inline uint64_t bl_prng_below(struct bl_prng *p, uint64_t n)
{
    return bl_prng_next(p) % n;
}

#endif /* BL_BASE_PRNG_H */
