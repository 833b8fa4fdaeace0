/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a columnar file, step by step, in one pass: what only the end tells
 * (number of VMs, content hash) goes into the header last, which also makes a
 * half-written file invalid.
 *
 * A column of a group gets the narrowest cells that are exact for it. A row is
 * stored as differences to the row before, zigzag, one plane per byte: the
 * upper planes of a calm trace are zeros. Compression level 1: higher ones cost
 * five times the time and win two percent (doc/trace-format.md has figures).
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/columnar_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 1, STRIDE_MIN = 64 };

struct buf {
    unsigned char *p;
    size_t size_bytes;
};

struct bl__writer {
    int fd;
    const char *label;
    struct bl_trace_info info;
    bool has[BL__COLUMNS];
    struct bl__content content;
    uint64_t file_bytes;
    uint32_t group_count;

    /* the group that is being filled */
    uint32_t step_count, step_max;
    uint32_t stride, slot_max;
    uint32_t *cell[BL__COLUMNS]; /* [step_max][stride] */
    size_t cell_capacity;
    struct buf events;
    size_t events_bytes;
    uint32_t departed_count, arrived_count;

    struct buf raw, out; /* a block before, the payload after compression */
    ZSTD_CCtx *cctx;
};

static bl_err no_memory(const struct bl__writer *w, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, w->label, 0,
                       "out of memory while writing it");
}

static bl_err need(struct bl__writer *w, struct buf *b, size_t size_bytes,
                   struct bl_diag *diag)
{
    size_t size = b->size_bytes > 0 ? b->size_bytes : 4096;
    unsigned char *p;

    if (size_bytes <= b->size_bytes)
        return BL_ERR_OK;
    while (size < size_bytes)
        size *= 2;
    p = bl__grow(b->p, size);
    if (p == NULL)
        return no_memory(w, diag);
    b->p = p;
    b->size_bytes = size;
    return BL_ERR_OK;
}

static bl_err write_at(struct bl__writer *w, uint64_t at,
                       const unsigned char *p, size_t size_bytes,
                       struct bl_diag *diag)
{
    while (size_bytes > 0) {
        const ssize_t n = pwrite(w->fd, p, size_bytes, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return bl_diag_set(diag, BL_ERR_IO, w->label, 0,
                               "cannot be written: %s", strerror(errno));
        p += n;
        at += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return BL_ERR_OK;
}

/* ---- one group -------------------------------------------------------- */

static size_t put_varint(unsigned char *p, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        p[n++] = (unsigned char)(v | 0x80);
    p[n++] = (unsigned char)v;
    return n;
}

static bl_err add_events(struct bl__writer *w, const struct bl_trace_step *s,
                         struct bl_diag *diag)
{
    unsigned char *p;
    uint32_t before = 0;

    BL_TRY(need(w, &w->events,
                w->events_bytes + COL_STEP_EVENT_BYTES_MAX +
                    (size_t)s->departed_count * COL_DEPARTURE_BYTES_MAX +
                    (size_t)s->arrived_count * COL_ARRIVAL_BYTES_MAX,
                diag));
    p = w->events.p + w->events_bytes;
    p += put_varint(p, s->departed_count);
    p += put_varint(p, s->arrived_count);
    for (uint32_t i = 0; i < s->departed_count; i++) {
        p += put_varint(p, s->departed[i] - before);
        before = s->departed[i];
    }
    for (uint32_t i = 0; i < s->arrived_count; i++) {
        const struct bl_trace_vm *vm = &s->arrived[i];
        const size_t n = strlen(vm->name) + 1;

        BL_ASSERT(n > 1 && n <= BL_NAME_BYTES);
        memcpy(p, vm->name, n);
        p += n;
        if (!w->info.has_size)
            continue;
        p += put_varint(p, vm->vcpu_count);
        p += put_varint(p, vm->vcpu_khz);
        p += put_varint(p, vm->mem_bytes);
    }
    w->events_bytes = (size_t)(p - w->events.p);
    w->departed_count += s->departed_count;
    w->arrived_count += s->arrived_count;
    return BL_ERR_OK;
}

/* The narrowest width that is exact for all cells of column @c. */
static uint32_t find_width(const struct bl__writer *w, int c)
{
    uint32_t width = 1;

    for (uint32_t s = 0; s < w->step_count; s++) {
        const uint32_t *row = w->cell[c] + (size_t)s * w->stride;

        for (uint32_t i = 0; i < w->slot_max; i++) {
            while (row[i] % col_quantum(width) != 0)
                width++;
        }
        if (width == 3)
            break;
    }
    return width;
}

/* Planes of zigzag differences of slots [lo, lo + n) of column @c. */
static void encode_block(struct bl__writer *w, int c, uint32_t width,
                         uint32_t lo, uint32_t n)
{
    const uint32_t quantum = col_quantum(width);
    const size_t plane = (size_t)w->step_count * n;
    unsigned char *to = w->raw.p;

    for (uint32_t s = 0; s < w->step_count; s++) {
        const uint32_t *row = w->cell[c] + (size_t)s * w->stride + lo;
        const uint32_t *before = s > 0 ? row - w->stride : NULL;

        for (uint32_t i = 0; i < n; i++, to++) {
            const uint32_t old = before != NULL ? before[i] / quantum : 0;
            const uint32_t d = row[i] / quantum - old;
            const uint32_t zigzag = d << 1 ^ (0 - (d >> 31));

            for (uint32_t b = 0; b < width; b++)
                to[b * plane] = (unsigned char)(zigzag >> (8 * b));
        }
    }
}

/* Appends a zstd frame of @from to the payload at @*used. */
static bl_err add_frame(struct bl__writer *w, const unsigned char *from,
                        size_t size_bytes, size_t *used, uint32_t *frame_bytes,
                        struct bl_diag *diag)
{
    size_t n;

    BL_TRY(need(w, &w->out, *used + ZSTD_compressBound(size_bytes), diag));
    n = ZSTD_compressCCtx(w->cctx, w->out.p + *used, w->out.size_bytes - *used,
                          from, size_bytes, LEVEL);
    if (ZSTD_isError(n))
        return bl_diag_set(diag, BL_ERR_NOMEM, w->label, 0,
                           "cannot be compressed: %s", ZSTD_getErrorName(n));
    *frame_bytes = (uint32_t)n;
    *used += n;
    return BL_ERR_OK;
}

static bl_err add_columns(struct bl__writer *w, unsigned char *head,
                          size_t sizes_at, size_t *used, struct bl_diag *diag)
{
    const uint32_t blocks =
        (w->slot_max + COL_BLOCK_SLOTS - 1) / COL_BLOCK_SLOTS;
    uint32_t frame = 0;

    for (int c = 0; c < BL__COLUMNS; c++) {
        const uint32_t width = w->has[c] ? find_width(w, c) : 0;

        head[COL_GROUP_AT_WIDTHS + c] = (unsigned char)width;
        for (uint32_t b = 0; w->has[c] && b < blocks; b++, frame++) {
            const uint32_t lo = b * COL_BLOCK_SLOTS;
            const uint32_t n = w->slot_max - lo < COL_BLOCK_SLOTS
                                   ? w->slot_max - lo
                                   : COL_BLOCK_SLOTS;
            const size_t size = (size_t)w->step_count * n * width;
            uint32_t frame_bytes = 0;

            BL_TRY(need(w, &w->raw, size, diag));
            encode_block(w, c, width, lo, n);
            BL_TRY(add_frame(w, w->raw.p, size, used, &frame_bytes, diag));
            col_put(w->out.p + sizes_at + 4 * (size_t)frame, 4, frame_bytes);
        }
    }
    return BL_ERR_OK;
}

static bl_err flush_group(struct bl__writer *w, struct bl_diag *diag)
{
    unsigned char head[COL_GROUP_BYTES] = { 0 };
    const uint32_t columns =
        (w->has[BL__CPU] ? 1u : 0u) + (w->has[BL__MEM] ? 1u : 0u);
    const size_t sizes_bytes =
        (size_t)columns * 4 *
        ((w->slot_max + COL_BLOCK_SLOTS - 1) / COL_BLOCK_SLOTS);
    size_t used = sizes_bytes;
    uint32_t events_bytes = 0;

    if (w->step_count == 0)
        return BL_ERR_OK;
    BL_TRY(need(w, &w->out, used + 1, diag));
    BL_TRY(
        add_frame(w, w->events.p, w->events_bytes, &used, &events_bytes, diag));
    BL_TRY(add_columns(w, head, 0, &used, diag));
    col_put(head + COL_GROUP_AT_MAGIC, 4, COL_GROUP_MAGIC);
    col_put(head + COL_GROUP_AT_INDEX, 4, w->group_count);
    col_put(head + COL_GROUP_AT_STEPS, 4, w->step_count);
    col_put(head + COL_GROUP_AT_SLOTS, 4, w->slot_max);
    col_put(head + COL_GROUP_AT_DEPARTED, 4, w->departed_count);
    col_put(head + COL_GROUP_AT_ARRIVED, 4, w->arrived_count);
    col_put(head + COL_GROUP_AT_EVENTS, 4, w->events_bytes);
    col_put(head + COL_GROUP_AT_EVENTS_Z, 4, events_bytes);
    col_put(head + COL_GROUP_AT_PAYLOAD, 8, used);
    col_put(head + COL_GROUP_AT_DATA_HASH, 8, XXH64(w->out.p, used, 0));
    col_put(head + COL_GROUP_AT_HASH, 8,
            XXH64(head, COL_GROUP_AT_HASH, w->group_count));
    BL_TRY(write_at(w, w->file_bytes, head, sizeof(head), diag));
    BL_TRY(write_at(w, w->file_bytes + sizeof(head), w->out.p, used, diag));
    w->file_bytes += sizeof(head) + used;
    w->group_count++;
    w->step_count = 0;
    w->slot_max = 0;
    w->events_bytes = 0;
    w->departed_count = 0;
    w->arrived_count = 0;
    return BL_ERR_OK;
}

/* ---- the whole file --------------------------------------------------- */

bl_err bl__writer_create(int fd, const char *label,
                         const struct bl_trace_info *info,
                         struct bl__writer **out, struct bl_diag *diag)
{
    struct bl__writer *w = bl__alloc(1, sizeof(*w));

    if (w == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
    w->fd = fd;
    w->label = label;
    w->info = *info;
    w->has[BL__CPU] = info->has_cpu;
    w->has[BL__MEM] = info->has_mem;
    w->file_bytes = COL_HEADER_BYTES;
    bl__content_init(&w->content);
    w->cctx = ZSTD_createCCtx();
    if (w->cctx == NULL) {
        bl__writer_close(w);
        return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
    }
    *out = w;
    return BL_ERR_OK;
}

void bl__writer_close(struct bl__writer *w)
{
    if (w == NULL)
        return;
    bl__content_free(&w->content);
    for (int c = 0; c < BL__COLUMNS; c++)
        free(w->cell[c]);
    free(w->events.p);
    free(w->raw.p);
    free(w->out.p);
    ZSTD_freeCCtx(w->cctx);
    free(w);
}

/* An empty group for rows of @slots: as many steps as its bounds allow. */
static bl_err begin_group(struct bl__writer *w, uint32_t slots,
                          struct bl_diag *diag)
{
    uint32_t stride = STRIDE_MIN;
    uint32_t block, steps;
    size_t cells;

    while (stride < slots)
        stride *= 2;
    block = stride < COL_BLOCK_SLOTS ? stride : COL_BLOCK_SLOTS;
    steps = COL_BLOCK_CELLS_MAX / block;
    if (steps > COL_GROUP_CELLS_MAX / stride)
        steps = COL_GROUP_CELLS_MAX / stride;
    if (steps > COL_GROUP_STEPS_MAX)
        steps = COL_GROUP_STEPS_MAX;
    w->stride = stride;
    w->step_max = steps > 0 ? steps : 1;
    cells = (size_t)w->stride * w->step_max;
    if (cells <= w->cell_capacity)
        return BL_ERR_OK;
    for (int c = 0; c < BL__COLUMNS; c++) {
        uint32_t *p;

        if (!w->has[c])
            continue;
        p = bl__grow(w->cell[c], cells * sizeof(p[0]));
        if (p == NULL)
            return no_memory(w, diag);
        w->cell[c] = p;
    }
    w->cell_capacity = cells;
    return BL_ERR_OK;
}

static void add_row(struct bl__writer *w, int c, const uint32_t *from,
                    uint32_t slots)
{
    uint32_t *to = w->cell[c] + (size_t)w->step_count * w->stride;

    memcpy(to, from, slots * sizeof(to[0]));
    memset(to + slots, 0, (w->stride - slots) * sizeof(to[0]));
    for (uint32_t i = 0; i < slots; i++)
        BL_ASSERT(to[i] <= COL_PPM_MAX);
}

bl_err bl__writer_step(struct bl__writer *w, const struct bl_trace_step *s,
                       struct bl_diag *diag)
{
    bl_err e = bl__content_step(&w->content, s);
    uint32_t slots;

    if (e != BL_ERR_OK)
        return bl_diag_set(
            diag, e, w->label, 0, "%s with %u VMs alive at once (at most %u)",
            bl_err_text(e), w->content.slots.end, BL_TRACE_VMS_MAX);
    if (w->content.step_count > BL_TRACE_STEPS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, w->label, 0, "more than %u steps",
                           BL_TRACE_STEPS_MAX);
    slots = w->content.slots.end;
    if (w->step_count > 0 &&
        (w->step_count == w->step_max || slots > w->stride))
        BL_TRY(flush_group(w, diag));
    if (w->step_count == 0)
        BL_TRY(begin_group(w, slots, diag));
    BL_TRY(add_events(w, s, diag));
    if (w->has[BL__CPU])
        add_row(w, BL__CPU, s->cpu_ppm, slots);
    if (w->has[BL__MEM])
        add_row(w, BL__MEM, s->mem_ppm, slots);
    w->step_count++;
    if (slots > w->slot_max)
        w->slot_max = slots;
    return BL_ERR_OK;
}

/* @name and zeros up to BL_NAME_BYTES, which are there already. */
static void put_name(unsigned char *p, const char *name)
{
    while (*name != '\0')
        *p++ = (unsigned char)*name++;
}

bl_err bl__writer_finish(struct bl__writer *w,
                         const struct bl_trace_repairs *repairs,
                         struct bl_diag *diag)
{
    unsigned char h[COL_HEADER_BYTES] = { 0 };
    const struct bl_trace_info *info = &w->info;
    struct bl_trace_repairs r = *repairs;
    uint64_t *field[COL_REPAIRS];

    BL_TRY(flush_group(w, diag));
    col_put(h + COL_AT_MAGIC, 8, COL_MAGIC);
    col_put(h + COL_AT_FLAGS, 4,
            (info->has_cpu ? COL_HAS_CPU : 0u) |
                (info->has_mem ? COL_HAS_MEM : 0u) |
                (info->has_size ? COL_HAS_SIZE : 0u));
    col_put(h + COL_AT_GROUPS, 4, w->group_count);
    col_put(h + COL_AT_FILE_BYTES, 8, w->file_bytes);
    col_put(h + COL_AT_STEPS, 4, w->content.step_count);
    col_put(h + COL_AT_ALIVE_MAX, 4, w->content.vms_alive_max);
    col_put(h + COL_AT_STEP_NS, 8, (uint64_t)info->step_ns);
    col_put(h + COL_AT_VMS, 8, w->content.vm_count_total);
    col_put(h + COL_AT_CONTENT_HASH, 8, bl__content_value(&w->content, info));
    col_repairs(&r, field);
    for (unsigned i = 0; i < COL_REPAIRS; i++)
        col_put(h + COL_AT_REPAIRS + 8 * (size_t)i, 8, *field[i]);
    put_name(h + COL_AT_NAME, info->name);
    put_name(h + COL_AT_ORIGIN,
             info->origin[0] != '\0' ? info->origin : info->format);
    col_put(h + COL_AT_HASH, 8, XXH64(h, COL_AT_HASH, 0));
    return write_at(w, 0, h, sizeof(h), diag);
}
