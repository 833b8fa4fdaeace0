/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/trace_walk.h - reads a trace to its end and asserts every promise of
 * trace/trace.h on the way, with its own, plainer bookkeeping. For tests and
 * fuzz targets.
 */
#ifndef BL_TESTS_TRACE_WALK_H
#define BL_TESTS_TRACE_WALK_H

#include "trace/trace_priv.h"

#include <stdlib.h>

struct walk {
    bl_err end; /* BL_ERR_END, or what went wrong */
    uint32_t steps;
    uint64_t arrived, departed, samples;
    uint64_t cpu_sum, mem_sum;
    uint64_t content_hash;
};

/* The lowest free slot must be the one that an arrival took. */
static inline void walk_arrivals(const struct bl_trace_info *info,
                                 const struct bl_trace_step *s, bool *alive)
{
    uint32_t low = 0;

    for (uint32_t i = 0; i < s->arrived_count; i++) {
        const struct bl_trace_vm *vm = &s->arrived[i];
        const size_t n = strlen(vm->name);

        while (low < info->vms_alive_max && alive[low])
            low++;
        BL_ASSERT(vm->slot == low && low < info->vms_alive_max);
        BL_ASSERT(n < BL_NAME_BYTES);
        BL_ASSERT(bl__name_ok((struct bl__text){ vm->name, n }));
        BL_ASSERT(vm->vcpu_count <= BL_HOST_CORES_MAX);
        BL_ASSERT(vm->vcpu_khz <= BL_CORE_KHZ_MAX);
        BL_ASSERT(vm->mem_bytes <= BL_MEM_BYTES_MAX);
        BL_ASSERT(info->has_size || vm->vcpu_count == 0);
        alive[low] = true;
    }
}

static inline uint64_t walk_row(const uint32_t *row, const bool *alive,
                                uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        BL_ASSERT(row[i] <= 1000000);
        BL_ASSERT(alive[i] || row[i] == 0);
        sum += row[i];
    }
    return sum;
}

static inline void walk_step(struct walk *w, const struct bl_trace_info *info,
                             const struct bl_trace_step *s, bool *alive)
{
    BL_ASSERT(s->index == w->steps);
    for (uint32_t i = 0; i < s->departed_count; i++) {
        BL_ASSERT(i == 0 || s->departed[i] > s->departed[i - 1]);
        BL_ASSERT(s->departed[i] < info->vms_alive_max);
        BL_ASSERT(alive[s->departed[i]]);
        alive[s->departed[i]] = false;
    }
    walk_arrivals(info, s, alive);
    BL_ASSERT((s->cpu_ppm != NULL) == info->has_cpu);
    BL_ASSERT((s->mem_ppm != NULL) == info->has_mem);
    if (s->cpu_ppm != NULL)
        w->cpu_sum += walk_row(s->cpu_ppm, alive, info->vms_alive_max);
    if (s->mem_ppm != NULL)
        w->mem_sum += walk_row(s->mem_ppm, alive, info->vms_alive_max);
    w->arrived += s->arrived_count;
    w->departed += s->departed_count;
    w->samples += w->arrived - w->departed;
    w->steps++;
}

/* From the first step on; stops early after about @cells_max cells. */
static inline struct walk walk_some(struct bl_trace *t, uint64_t cells_max,
                                    struct bl_diag *diag)
{
    const struct bl_trace_info *info = bl_trace_info(t);
    bool *alive = calloc(info->vms_alive_max, sizeof(alive[0]));
    struct walk w = { .end = bl_trace_rewind(t, diag) };
    struct bl__content content;
    struct bl_trace_step s;
    uint64_t cells = 0;
    bl_err e = BL_ERR_OK;

    BL_ASSERT(alive != NULL && w.end == BL_ERR_OK);
    bl__content_init(&content);
    while (cells <= cells_max &&
           (e = bl_trace_next(t, &s, diag)) == BL_ERR_OK) {
        walk_step(&w, info, &s, alive);
        BL_ASSERT(bl__content_step(&content, &s) == BL_ERR_OK);
        cells += info->vms_alive_max;
    }
    w.end = e;
    w.content_hash = bl__content_value(&content, info);
    if (e == BL_ERR_END) {
        BL_ASSERT(w.steps == info->step_count);
        BL_ASSERT(w.arrived == info->vm_count_total);
        BL_ASSERT(content.vms_alive_max == info->vms_alive_max);
        BL_ASSERT(bl_trace_next(t, &s, diag) == BL_ERR_END);
    }
    bl__content_free(&content);
    free(alive);
    return w;
}

static inline struct walk walk(struct bl_trace *t, struct bl_diag *diag)
{
    return walk_some(t, UINT64_MAX, diag);
}

#endif /* BL_TESTS_TRACE_WALK_H */
