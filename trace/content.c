/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace says, whatever it is stored in, as one number: xxHash64 over
 * its events and cells in the order of steps. doc/trace-format.md has the
 * exact bytes. On the way it counts what a header must know.
 */
#include "trace/trace_priv.h"

void bl__content_init(struct bl__content *c)
{
    *c = (struct bl__content){ .step_count = 0 };
    bl_hash_init(&c->hash);
}

void bl__content_free(struct bl__content *c)
{
    bl__slots_free(&c->slots);
}

/* A row of cells up to the highest slot in use, as little-endian u32. */
static void hash_cells(struct bl_hash *h, const uint32_t *cell, uint32_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    bl_hash_bytes(h, cell, (size_t)count * sizeof(cell[0]));
#else
    for (uint32_t i = 0; i < count; i++) {
        unsigned char b[4];

        for (int k = 0; k < 4; k++)
            b[k] = (unsigned char)(cell[i] >> (8 * k));
        bl_hash_bytes(h, b, sizeof(b));
    }
#endif
}

static bl_err follow(struct bl__content *c, const struct bl_trace_step *s)
{
    for (uint32_t i = 0; i < s->departed_count; i++) {
        bl_hash_u64(&c->hash, s->departed[i]);
        bl__slots_give(&c->slots, s->departed[i]);
    }
    for (uint32_t i = 0; i < s->arrived_count; i++) {
        const struct bl_trace_vm *vm = &s->arrived[i];
        uint32_t slot;

        bl_hash_text(&c->hash, vm->name);
        bl_hash_u64(&c->hash, vm->vcpu_count);
        bl_hash_u64(&c->hash, vm->vcpu_khz);
        bl_hash_u64(&c->hash, vm->mem_bytes);
        BL_TRY(bl__slots_take(&c->slots, &slot));
        BL_ASSERT(slot == vm->slot);
    }
    return BL_ERR_OK;
}

bl_err bl__content_step(struct bl__content *c, const struct bl_trace_step *s)
{
    bl_hash_u64(&c->hash, s->departed_count);
    bl_hash_u64(&c->hash, s->arrived_count);
    BL_TRY(follow(c, s));
    if (s->cpu_ppm != NULL)
        hash_cells(&c->hash, s->cpu_ppm, c->slots.end);
    if (s->mem_ppm != NULL)
        hash_cells(&c->hash, s->mem_ppm, c->slots.end);
    c->step_count++;
    c->vm_count_total += s->arrived_count;
    if (c->slots.end > c->vms_alive_max)
        c->vms_alive_max = c->slots.end;
    return BL_ERR_OK;
}

uint64_t bl__content_value(const struct bl__content *c,
                           const struct bl_trace_info *info)
{
    struct bl_hash h = c->hash;

    bl_hash_u64(&h, c->step_count);
    bl_hash_u64(&h, (uint64_t)info->step_ns);
    bl_hash_u64(&h, (info->has_cpu ? 1u : 0u) | (info->has_mem ? 2u : 0u) |
                        (info->has_size ? 4u : 0u));
    return bl_hash_value(&h);
}
