/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/hash.h - state hashes and content hashes: xxHash64, streamed.
 *
 * Layer        base (L0).
 * Determinism  numbers are fed as little-endian 64-bit words, doubles as their
 *              IEEE bits (never through printf), so a hash is the same for
 *              every compiler, optimisation level and thread count.
 * Allocation   none; struct bl_hash lives where the caller puts it.
 */
#ifndef BL_BASE_HASH_H
#define BL_BASE_HASH_H

#define XXH_STATIC_LINKING_ONLY /* state by value: no allocation */
#include <xxhash.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bl_hash {
    XXH64_state_t state;
};

static inline void bl_hash_init(struct bl_hash *h)
{
    XXH64_reset(&h->state, 0);
}

static inline void bl_hash_bytes(struct bl_hash *h, const void *p, size_t n)
{
    XXH64_update(&h->state, p, n);
}

static inline void bl_hash_u64(struct bl_hash *h, uint64_t v)
{
    unsigned char b[8];

    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(v >> (8 * i));
    XXH64_update(&h->state, b, sizeof(b));
}

static inline void bl_hash_double(struct bl_hash *h, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    bl_hash_u64(h, bits);
}

static inline void bl_hash_text(struct bl_hash *h, const char *s)
{
    const size_t n = strlen(s);

    bl_hash_u64(h, n);
    bl_hash_bytes(h, s, n);
}

static inline uint64_t bl_hash_value(const struct bl_hash *h)
{
    return XXH64_digest(&h->state);
}

#endif /* BL_BASE_HASH_H */
