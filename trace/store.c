/* SPDX-License-Identifier: Apache-2.0 */
/* A whole trace in memory, step after step, and streams that point into it. */
#include "trace/store.h"

#include "trace/trace_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stored_step {
    uint32_t departed_at, departed_count; /* in departed[] */
    uint32_t arrived_at, arrived_count;   /* in arrived[] */
};

struct bl_trace_store {
    struct bl_trace_info info;
    struct stored_step *step;    /* [step_count] */
    uint32_t *cell[BL__COLUMNS]; /* [step_count][vms_alive_max], or NULL */
    uint32_t *departed;          /* of all steps, in order */
    struct bl_trace_vm *arrived; /* of all steps, in order */
    char *name;                  /* BL_NAME_BYTES for each arrival */
    uint32_t departed_count, arrived_count;
};

struct stream {
    struct bl_trace t;
    const struct bl_trace_store *store;
};

/* ---- a stream ----------------------------------------------------------- */

static bl_err stream_next(struct bl_trace *t, struct bl_trace_step *out,
                          struct bl_diag *diag)
{
    const struct bl_trace_store *s = ((struct stream *)t)->store;
    const struct stored_step *step = &s->step[t->step_next];
    const size_t at = (size_t)t->step_next * s->info.vms_alive_max;

    (void)diag;
    out->departed = s->departed + step->departed_at;
    out->departed_count = step->departed_count;
    out->arrived = s->arrived + step->arrived_at;
    out->arrived_count = step->arrived_count;
    if (s->cell[BL__CPU] != NULL)
        out->cpu_ppm = s->cell[BL__CPU] + at;
    if (s->cell[BL__MEM] != NULL)
        out->mem_ppm = s->cell[BL__MEM] + at;
    return BL_ERR_OK;
}

static bl_err stream_rewind(struct bl_trace *t, struct bl_diag *diag)
{
    (void)t;
    (void)diag;
    return BL_ERR_OK;
}

static void stream_close(struct bl_trace *t)
{
    free(t);
}

static const struct bl_trace_ops stream_ops = {
    .next = stream_next,
    .rewind = stream_rewind,
    .close = stream_close,
};

bl_err bl_trace_store_open(const struct bl_trace_store *s,
                           struct bl_trace **out, struct bl_diag *diag)
{
    struct stream *stream = bl__alloc(1, sizeof(*stream));

    if (stream == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, s->info.name, 0,
                           "out of memory");
    stream->t.ops = &stream_ops;
    stream->t.info = s->info;
    stream->store = s;
    *out = &stream->t;
    return BL_ERR_OK;
}

const struct bl_trace_info *bl_trace_store_info(const struct bl_trace_store *s)
{
    return &s->info;
}

/* ---- the store ---------------------------------------------------------- */

void bl_trace_store_free(struct bl_trace_store *s)
{
    if (s == NULL)
        return;
    free(s->step);
    for (int c = 0; c < BL__COLUMNS; c++)
        free(s->cell[c]);
    free(s->departed);
    free(s->arrived);
    free(s->name);
    free(s);
}

static bl_err no_memory(const struct bl_trace_store *s, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, s->info.name, 0,
                       "out of memory: %u steps of %u VMs", s->info.step_count,
                       s->info.vms_alive_max);
}

/* A VM that arrives in the trace arrives once here; so it departs. */
static bl_err make_room(struct bl_trace_store *s, struct bl_diag *diag)
{
    const uint64_t cells = (uint64_t)s->info.step_count * s->info.vms_alive_max;
    const bool has[BL__COLUMNS] = {
        [BL__CPU] = s->info.has_cpu, [BL__MEM] = s->info.has_mem
    };
    const uint64_t bytes = cells * sizeof(uint32_t) *
                           ((uint64_t)s->info.has_cpu + s->info.has_mem);
    const size_t vms = (size_t)s->info.vm_count_total;

    if (bytes > BL_TRACE_STORE_BYTES_MAX || vms > UINT32_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, s->info.name, 0,
                           "%u steps of %u VMs need %llu MiB, expected a trace "
                           "that needs at most %llu MiB",
                           s->info.step_count, s->info.vms_alive_max,
                           (unsigned long long)(bytes >> 20),
                           (unsigned long long)BL_TRACE_STORE_BYTES_MAX >> 20);
    s->step = bl__alloc(s->info.step_count, sizeof(*s->step));
    s->departed = bl__alloc(vms + 1, sizeof(*s->departed));
    s->arrived = bl__alloc(vms + 1, sizeof(*s->arrived));
    s->name = bl__alloc(vms + 1, BL_NAME_BYTES);
    if (s->step == NULL || s->departed == NULL || s->arrived == NULL ||
        s->name == NULL)
        return no_memory(s, diag);
    for (int c = 0; c < BL__COLUMNS; c++) {
        if (!has[c])
            continue;
        s->cell[c] = bl__alloc((size_t)cells, sizeof(uint32_t));
        if (s->cell[c] == NULL)
            return no_memory(s, diag);
    }
    return BL_ERR_OK;
}

static void keep_arrivals(struct bl_trace_store *s,
                          const struct bl_trace_step *step)
{
    BL_ASSERT(step->arrived_count <= s->info.vm_count_total - s->arrived_count);
    for (uint32_t i = 0; i < step->arrived_count; i++) {
        const uint32_t at = s->arrived_count++;
        char *name = s->name + (size_t)at * BL_NAME_BYTES;

        snprintf(name, BL_NAME_BYTES, "%s", step->arrived[i].name);
        s->arrived[at] = step->arrived[i];
        s->arrived[at].name = name;
    }
}

static void keep_step(struct bl_trace_store *s,
                      const struct bl_trace_step *step)
{
    const size_t stride = s->info.vms_alive_max;
    const size_t at = step->index * stride;

    s->step[step->index] = (struct stored_step){
        .departed_at = s->departed_count,
        .departed_count = step->departed_count,
        .arrived_at = s->arrived_count,
        .arrived_count = step->arrived_count,
    };
    BL_ASSERT(step->departed_count <= s->arrived_count - s->departed_count);
    if (step->departed_count > 0)
        memcpy(s->departed + s->departed_count, step->departed,
               step->departed_count * sizeof(*s->departed));
    s->departed_count += step->departed_count;
    keep_arrivals(s, step);
    if (s->cell[BL__CPU] != NULL)
        memcpy(s->cell[BL__CPU] + at, step->cpu_ppm, stride * sizeof(uint32_t));
    if (s->cell[BL__MEM] != NULL)
        memcpy(s->cell[BL__MEM] + at, step->mem_ppm, stride * sizeof(uint32_t));
}

static bl_err keep_all(struct bl_trace *t, struct bl_trace_store *s,
                       struct bl_diag *diag)
{
    struct bl_trace_step step;
    bl_err e;

    BL_TRY(make_room(s, diag));
    BL_TRY(bl_trace_rewind(t, diag));
    while ((e = bl_trace_next(t, &step, diag)) == BL_ERR_OK)
        keep_step(s, &step);
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

bl_err bl_trace_store_create(struct bl_trace *t, struct bl_trace_store **out,
                             struct bl_diag *diag)
{
    struct bl_trace_store *s = bl__alloc(1, sizeof(*s));
    bl_err e;

    if (s == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, bl_trace_info(t)->name, 0,
                           "out of memory");
    s->info = *bl_trace_info(t);
    e = keep_all(t, s, diag);
    if (e != BL_ERR_OK) {
        bl_trace_store_free(s);
        return e;
    }
    *out = s;
    return BL_ERR_OK;
}
