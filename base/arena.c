/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "base/arena.h"

#include <stdint.h>
#include <sys/mman.h>

enum { ARENA_ALIGN_BYTES = 64 };

bl_err bl_arena_init(struct bl_arena *a, size_t size_bytes_max)
{
    void *p = mmap(NULL, size_bytes_max, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return BL_ERR_NOMEM;
    *a = (struct bl_arena){ .base = p,
                            .size_bytes = size_bytes_max,
                            .fail_after = -1 };
    return BL_ERR_OK;
}

void bl_arena_free(struct bl_arena *a)
{
    if (a->base != NULL)
        munmap(a->base, a->size_bytes);
    *a = (struct bl_arena){ .base = NULL };
}

void *bl_arena_get(struct bl_arena *a, size_t count, size_t elem_bytes)
{
    BL_ASSERT(!a->sealed);
    BL_ASSERT(elem_bytes > 0);
    if (a->fail_after == 0)
        return NULL;
    if (a->fail_after > 0)
        a->fail_after--;
    if (count > (SIZE_MAX - ARENA_ALIGN_BYTES) / elem_bytes)
        return NULL;

    const size_t need = (count * elem_bytes + ARENA_ALIGN_BYTES - 1) /
                        ARENA_ALIGN_BYTES * ARENA_ALIGN_BYTES;

    if (need > a->size_bytes - a->used_bytes)
        return NULL;

    void *p = a->base + a->used_bytes; /* fresh pages: zero already */

    a->used_bytes += need;
    return p;
}

void bl_arena_seal(struct bl_arena *a)
{
    BL_ASSERT(!a->sealed);
    a->sealed = true;
}
