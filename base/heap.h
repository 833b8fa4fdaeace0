/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/heap.h - what happens next: a binary heap of at most one instant for
 * each id, which can be moved or taken away.
 *
 * Layer        base (L0).
 * Units        _ns, from any origin.
 * Ownership    the arrays live in the arena given to bl_heap_create().
 * Allocation   bl_heap_create() only.
 * Errors       create: BL_ERR_NOMEM. An id out of range is a bug (BL_ASSERT).
 * Threads      one thread.
 * Determinism  equal instants leave in the order of their ids.
 * Limits       id_max < UINT32_MAX.
 * Cost         set and remove O(log n), top O(1); memory is touched only for
 *              ids that are used.
 */
#ifndef BL_BASE_HEAP_H
#define BL_BASE_HEAP_H

#include "base/arena.h"

#include <stdint.h>

struct bl_heap_item {
    int64_t at_ns;
    uint32_t id;
};

struct bl_heap {
    struct bl_heap_item *item;
    uint32_t *place; /* [id] position in item, plus 1; 0: not in the heap */
    uint32_t count, id_max;
};

/** bl_heap_create - an empty heap for the ids 0 .. @id_max - 1. */
BL_NODISCARD static inline bl_err
bl_heap_create(struct bl_arena *a, uint32_t id_max, struct bl_heap *out)
{
    struct bl_heap h = { .id_max = id_max };

    h.item = bl_arena_get(a, id_max, sizeof(*h.item));
    h.place = bl_arena_get(a, id_max, sizeof(*h.place));
    if (h.item == NULL || h.place == NULL)
        return BL_ERR_NOMEM;
    *out = h;
    return BL_ERR_OK;
}

static inline bool bl_heap_before(struct bl_heap_item a, struct bl_heap_item b)
{
    return a.at_ns != b.at_ns ? a.at_ns < b.at_ns : a.id < b.id;
}

static inline void bl_heap_put(struct bl_heap *h, uint32_t i,
                               struct bl_heap_item x)
{
    h->item[i] = x;
    h->place[x.id] = i + 1;
}

/* Let @x find its place from the hole at @i. */
static inline void bl_heap_sift(struct bl_heap *h, uint32_t i,
                                struct bl_heap_item x)
{
    while (i > 0 && bl_heap_before(x, h->item[(i - 1) / 2])) {
        bl_heap_put(h, i, h->item[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count &&
            bl_heap_before(h->item[child + 1], h->item[child]))
            child++;
        if (!bl_heap_before(h->item[child], x))
            break;
        bl_heap_put(h, i, h->item[child]);
        i = child;
    }
    bl_heap_put(h, i, x);
}

/* The instant of @id, whether it had one or not. */
static inline void bl_heap_set(struct bl_heap *h, uint32_t id, int64_t at_ns)
{
    BL_ASSERT(id < h->id_max);

    const uint32_t i = h->place[id] > 0 ? h->place[id] - 1 : h->count++;

    bl_heap_sift(h, i, (struct bl_heap_item){ at_ns, id });
}

/* Idempotent: an id without an instant stays so. */
static inline void bl_heap_remove(struct bl_heap *h, uint32_t id)
{
    BL_ASSERT(id < h->id_max);
    if (h->place[id] == 0)
        return;

    const uint32_t i = h->place[id] - 1;
    const struct bl_heap_item last = h->item[--h->count];

    h->place[id] = 0;
    if (last.id != id)
        bl_heap_sift(h, i, last);
}

/* The earliest instant; INT64_MAX when there is none. */
static inline int64_t bl_heap_next_ns(const struct bl_heap *h)
{
    return h->count > 0 ? h->item[0].at_ns : INT64_MAX;
}

/* Takes the earliest away and says whose it was. */
static inline uint32_t bl_heap_pop(struct bl_heap *h)
{
    BL_ASSERT(h->count > 0);

    const uint32_t id = h->item[0].id;

    bl_heap_remove(h, id);
    return id;
}

/* BL_ASSERT order and places, O(n). */
static inline void bl_heap_check(const struct bl_heap *h)
{
    BL_ASSERT(h->count <= h->id_max);
    for (uint32_t i = 0; i < h->count; i++) {
        BL_ASSERT(h->place[h->item[i].id] == i + 1);
        if (i > 0)
            BL_ASSERT(bl_heap_before(h->item[(i - 1) / 2], h->item[i]));
    }
}

#endif /* BL_BASE_HEAP_H */
