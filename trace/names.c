/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to numbers: open addressing over xxHash64, never deleted from, so that
 * a name that comes back is known. Numbers count from 0 in order of arrival.
 */
#include "trace/trace_priv.h"

#include <stdlib.h>

struct name {
    size_t at; /* in text */
    uint32_t size_bytes;
    uint32_t tag; /* upper half of the hash */
};

enum { NAME_BYTES_MAX = 4096, SLOTS_MIN = 1024 };

void bl__names_init(struct bl__names *n)
{
    *n = (struct bl__names){ .slot = NULL };
    bl__spool_init(&n->text, NULL);
}

void bl__names_free(struct bl__names *n)
{
    bl__spool_free(&n->text);
    free(n->name);
    free(n->slot);
    *n = (struct bl__names){ .slot = NULL };
}

/* Where @name is, or would be: slots hold number + 1, 0 is free. */
static uint32_t find(const struct bl__names *n, struct bl__text name,
                     uint64_t hash)
{
    const uint32_t mask = n->slot_count - 1;
    uint32_t i = (uint32_t)hash & mask;

    for (; n->slot[i] != 0; i = (i + 1) & mask) {
        const struct name *have = &n->name[n->slot[i] - 1];

        if (have->tag == (uint32_t)(hash >> 32) &&
            have->size_bytes == name.size_bytes &&
            memcmp(n->text.base + have->at, name.p, name.size_bytes) == 0)
            break;
    }
    return i;
}

/* Twice the slots; at most half of them are ever taken. */
static bl_err grow(struct bl__names *n)
{
    const uint32_t count = n->slot_count > 0 ? 2 * n->slot_count : SLOTS_MIN;
    uint32_t *slot = bl__alloc(count, sizeof(slot[0]));
    struct name *name = bl__grow(n->name, count / 2 * sizeof(name[0]));

    if (name != NULL)
        n->name = name;
    if (slot == NULL || name == NULL) {
        free(slot);
        return BL_ERR_NOMEM;
    }
    free(n->slot);
    n->slot = slot;
    n->slot_count = count;
    for (uint32_t k = 0; k < n->count; k++) {
        const struct bl__text t = { (const char *)n->text.base + name[k].at,
                                    name[k].size_bytes };

        slot[find(n, t, XXH64(t.p, t.size_bytes, 0))] = k + 1;
    }
    return BL_ERR_OK;
}

bl_err bl__names_add(struct bl__names *n, struct bl__text name,
                     uint32_t *number, bool *is_new)
{
    const uint64_t hash = XXH64(name.p, name.size_bytes, 0);
    struct bl_diag unused;
    uint32_t i;
    void *p;

    BL_ASSERT(name.size_bytes > 0);
    if (n->count == n->slot_count / 2)
        BL_TRY(grow(n));
    i = find(n, name, hash);
    *is_new = n->slot[i] == 0;
    if (*is_new) {
        if (n->count == BL_TRACE_VMS_MAX || name.size_bytes > NAME_BYTES_MAX)
            return BL_ERR_FULL;
        BL_TRY(bl__spool_take(&n->text, name.size_bytes, &p, &unused));
        memcpy(p, name.p, name.size_bytes);
        n->name[n->count] = (struct name){
            .at = n->text.used_bytes - name.size_bytes,
            .size_bytes = (uint32_t)name.size_bytes,
            .tag = (uint32_t)(hash >> 32),
        };
        n->slot[i] = ++n->count;
    }
    *number = n->slot[i] - 1;
    return BL_ERR_OK;
}

struct bl__text bl__names_text(const struct bl__names *n, uint32_t number)
{
    BL_ASSERT(number < n->count);
    return (struct bl__text){
        (const char *)n->text.base + n->name[number].at,
        n->name[number].size_bytes,
    };
}
