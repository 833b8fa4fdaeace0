/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_trace.h"

#include "trace/trace_priv.h"

#include <stdio.h>
#include <stdlib.h>

struct memory {
    struct bl_trace trace; /* first: a memory is a bl_trace */
    struct test_trace spec;
    uint32_t *slot_of; /* [vm] */
    uint32_t *departed, *cpu_ppm, *mem_ppm;
    struct bl_trace_vm *arrived;
    char (*name)[BL_NAME_BYTES];
};

static void *get(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);

    if (p == NULL)
        abort();
    return p;
}

/* The lowest slot that nobody has in @step, given who came before @vm. */
static uint32_t lowest_slot(const struct memory *m, uint32_t vm)
{
    const struct test_vm *v = m->spec.vm;
    const uint32_t step = v[vm].arrive;

    for (uint32_t slot = 0;; slot++) {
        bool taken = false;

        for (uint32_t i = 0; i < m->spec.vm_count && !taken; i++) {
            const bool before =
                v[i].arrive < step || (v[i].arrive == step && i < vm);

            taken = before && v[i].arrive + v[i].steps > step &&
                    m->slot_of[i] == slot;
        }
        if (!taken)
            return slot;
    }
}

static void give_slots(struct memory *m)
{
    for (uint32_t step = 0; step < m->spec.step_count; step++)
        for (uint32_t i = 0; i < m->spec.vm_count; i++)
            if (m->spec.vm[i].arrive == step) {
                m->slot_of[i] = lowest_slot(m, i);
                if (m->slot_of[i] >= m->trace.info.vms_alive_max)
                    m->trace.info.vms_alive_max = m->slot_of[i] + 1;
            }
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bl_err memory_next(struct bl_trace *t, struct bl_trace_step *out,
                          struct bl_diag *diag)
{
    struct memory *m = (struct memory *)t;
    const uint32_t step = t->step_next;
    uint32_t arrived = 0, departed = 0;

    (void)diag;
    for (uint32_t i = 0; i < m->spec.vm_count; i++) {
        const struct test_vm *v = &m->spec.vm[i];

        if (v->arrive + v->steps == step) {
            m->cpu_ppm[m->slot_of[i]] = 0;
            m->mem_ppm[m->slot_of[i]] = 0;
            m->departed[departed++] = m->slot_of[i];
        }
    }
    for (uint32_t i = 0; i < m->spec.vm_count; i++) {
        const struct test_vm *v = &m->spec.vm[i];
        const uint32_t at = step - v->arrive, slot = m->slot_of[i];

        if (step < v->arrive || at >= v->steps)
            continue;
        m->cpu_ppm[slot] = v->cpu != NULL ? v->cpu[at] : v->cpu_ppm;
        m->mem_ppm[slot] = v->mem != NULL ? v->mem[at] : v->mem_ppm;
        if (at == 0)
            m->arrived[arrived++] =
                (struct bl_trace_vm){ m->name[i], slot, v->vcpu_count,
                                      v->vcpu_khz, v->mem_bytes };
    }
    qsort(m->departed, departed, sizeof(*m->departed), ascending);
    *out = (struct bl_trace_step){
        .index = step,
        .departed = m->departed,
        .departed_count = departed,
        .arrived = m->arrived,
        .arrived_count = arrived,
        .cpu_ppm = m->cpu_ppm,
        .mem_ppm = m->spec.has_mem ? m->mem_ppm : NULL,
    };
    return BL_ERR_OK;
}

static bl_err memory_rewind(struct bl_trace *t, struct bl_diag *diag)
{
    struct memory *m = (struct memory *)t;
    const size_t bytes = m->spec.vm_count * sizeof(*m->cpu_ppm);

    (void)diag;
    memset(m->cpu_ppm, 0, bytes); /* empty slots read 0 */
    memset(m->mem_ppm, 0, bytes);
    return BL_ERR_OK;
}

static void memory_close(struct bl_trace *t)
{
    struct memory *m = (struct memory *)t;

    free(m->slot_of);
    free(m->departed);
    free(m->cpu_ppm);
    free(m->mem_ppm);
    free(m->arrived);
    free(m->name);
    free(m);
}

static const struct bl_trace_ops memory_ops = {
    .next = memory_next,
    .rewind = memory_rewind,
    .close = memory_close,
};

struct bl_trace *test_trace_open(const struct test_trace *spec)
{
    struct memory *m = get(1, sizeof(*m));
    const uint32_t n = spec->vm_count;

    m->spec = *spec;
    m->slot_of = get(n, sizeof(*m->slot_of));
    m->departed = get(n, sizeof(*m->departed));
    m->cpu_ppm = get(n, sizeof(*m->cpu_ppm));
    m->mem_ppm = get(n, sizeof(*m->mem_ppm));
    m->arrived = get(n, sizeof(*m->arrived));
    m->name = get(n, sizeof(*m->name));
    for (uint32_t i = 0; i < n; i++)
        snprintf(m->name[i], sizeof(m->name[i]), "vm-%u", i);
    m->trace.ops = &memory_ops;
    m->trace.info = (struct bl_trace_info){
        .name = "test",
        .format = "memory",
        .step_count = spec->step_count,
        .step_ns = spec->step_ns,
        .vm_count_total = n,
        .has_cpu = true,
        .has_mem = spec->has_mem,
        .has_size = true,
    };
    give_slots(m);
    return &m->trace;
}
