/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena.h - the only allocator of everything that decides or simulates.
 *
 * An arena is one reserved range of address space with a bump pointer and two
 * states: open, then sealed. Modules take what they need in *_create(); the
 * run seals the arena before the first event. Asking a sealed arena for memory
 * is a bug and trips BL_ASSERT, so "no allocation in the hot path" is checked
 * in every run. Pages cost memory only once touched, so the reservation is a
 * limit, not a size.
 *
 * Layer        base (L0).
 * Units        bytes.
 * Ownership    the arena owns its range; objects in it end with it.
 * Errors       bl_arena_init(): BL_ERR_NOMEM. bl_arena_get(): NULL when the
 *              limit is reached (callers return BL_ERR_NOMEM).
 * Threads      one thread while open; read-only once sealed.
 * Determinism  nothing may depend on an address.
 */
#ifndef BL_BASE_ARENA_H
#define BL_BASE_ARENA_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct bl_arena {
    unsigned char *base;
    size_t size_bytes;
    size_t used_bytes;
    bool sealed;
    long fail_after; /* test hook: allocations still allowed; -1 = no limit */
};

/* Reserves @size_bytes_max of address space. */
BL_NODISCARD bl_err bl_arena_init(struct bl_arena *a, size_t size_bytes_max);

/* Gives everything back. Idempotent; allowed on a zeroed arena. */
void bl_arena_free(struct bl_arena *a);

/* Zeroed, 64-byte aligned (a cache line). NULL when the limit is reached. */
void *bl_arena_get(struct bl_arena *a, size_t count, size_t elem_bytes);

void bl_arena_seal(struct bl_arena *a);

#endif /* BL_BASE_ARENA_H */
