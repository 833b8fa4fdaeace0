/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a columnar file as a stream, one group at a time. Everything that a
 * header says is checked before it is believed, and bounded by the bytes that
 * are really there before anything is allocated for it: a file may be damaged,
 * or made to do damage.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/columnar_priv.h"

#include "base/par.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { KEPT_BYTES = 1 << 20 }; /* a buffer so small is never given back */

struct buf {
    unsigned char *p;
    size_t size_bytes;
};

/* The head of a group, as numbers. */
struct group {
    uint32_t step_count, slot_count;
    uint32_t departed_count, arrived_count;
    uint32_t events_bytes, events_frame_bytes;
    uint32_t width[BL__COLUMNS];
    uint64_t payload_bytes, data_hash;
    uint32_t frames; /* of cells, over all columns */
};

struct columnar {
    struct bl_trace t;
    int fd;
    char label[BL__LABEL_BYTES];
    uint32_t thread_count;
    uint64_t file_bytes, at;
    uint32_t group_count, group_next;
    uint32_t *row[BL__COLUMNS]; /* [vms_alive_max], in ppm */
    uint32_t row_slots;         /* all cells from here on are 0 */
    struct bl__slots slots;
    uint64_t vm_count; /* arrived so far */
    ZSTD_DCtx **dctx;  /* [thread_count] */

    /* the group that is being read */
    struct group g;
    uint32_t step_next; /* in the group */
    struct buf payload, events;
    struct buf raw[BL__COLUMNS];
    size_t event_at;
    uint32_t departed_left, arrived_left;
    struct buf departed, arrived; /* arrays of one step */
};

static bl_err damaged(const struct columnar *c, struct bl_diag *diag,
                      const char *what)
{
    return bl_diag_set(diag, BL_ERR_PARSE, c->label, 0,
                       "damaged: %s near byte %llu, expected a columnar trace "
                       "as ballast wrote it",
                       what, (unsigned long long)c->at);
}

static bl_err need(struct columnar *c, struct buf *b, size_t size_bytes,
                   struct bl_diag *diag)
{
    unsigned char *p;

    if (b->p != NULL && size_bytes <= b->size_bytes &&
        (b->size_bytes <= KEPT_BYTES || size_bytes >= b->size_bytes / 8))
        return BL_ERR_OK;
    p = bl__grow(b->p, size_bytes); /* also gives back what is far too much */
    if (p == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, c->label, 0,
                           "out of memory while reading it: %zu bytes",
                           size_bytes);
    b->p = p;
    b->size_bytes = size_bytes;
    return BL_ERR_OK;
}

static bl_err read_at(struct columnar *c, uint64_t at, unsigned char *p,
                      size_t size_bytes, struct bl_diag *diag)
{
    while (size_bytes > 0) {
        const ssize_t n = pread(c->fd, p, size_bytes, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return bl_diag_set(diag, BL_ERR_IO, c->label, 0,
                               "cannot be read: %s", strerror(errno));
        if (n == 0)
            return damaged(c, diag, "it ends too early");
        p += n;
        at += (uint64_t)n;
        size_bytes -= (size_t)n;
    }
    return BL_ERR_OK;
}

/* ---- a group's head and payload --------------------------------------- */

static uint32_t blocks_of(uint32_t slot_count)
{
    return bl_par_blocks(slot_count, COL_BLOCK_SLOTS);
}

static bool width_ok(const struct columnar *c, int column, uint32_t width)
{
    return c->row[column] != NULL ? width >= 1 && width <= 3 : width == 0;
}

/* Could the events of @g be so many, given what a step can bring? */
static bool events_ok(const struct group *g)
{
    const uint64_t most =
        (uint64_t)g->step_count * COL_STEP_EVENT_BYTES_MAX +
        (uint64_t)g->departed_count * COL_DEPARTURE_BYTES_MAX +
        (uint64_t)g->arrived_count * COL_ARRIVAL_BYTES_MAX;

    return g->events_bytes <= most &&
           g->events_frame_bytes <= g->payload_bytes &&
           g->events_bytes / COL_ZSTD_RATIO_MAX <= g->events_frame_bytes;
}

static bl_err parse_head(struct columnar *c, const unsigned char *h,
                         struct bl_diag *diag)
{
    struct group *g = &c->g;

    if (col_get32(h + COL_GROUP_AT_MAGIC) != COL_GROUP_MAGIC ||
        col_get32(h + COL_GROUP_AT_INDEX) != c->group_next ||
        col_get(h + COL_GROUP_AT_HASH, 8) !=
            XXH64(h, COL_GROUP_AT_HASH, c->group_next))
        return damaged(c, diag, "no intact group of steps");
    g->step_count = col_get32(h + COL_GROUP_AT_STEPS);
    g->slot_count = col_get32(h + COL_GROUP_AT_SLOTS);
    g->departed_count = col_get32(h + COL_GROUP_AT_DEPARTED);
    g->arrived_count = col_get32(h + COL_GROUP_AT_ARRIVED);
    g->events_bytes = col_get32(h + COL_GROUP_AT_EVENTS);
    g->events_frame_bytes = col_get32(h + COL_GROUP_AT_EVENTS_Z);
    g->payload_bytes = col_get(h + COL_GROUP_AT_PAYLOAD, 8);
    g->data_hash = col_get(h + COL_GROUP_AT_DATA_HASH, 8);
    g->frames = 0;
    for (int k = 0; k < BL__COLUMNS; k++) {
        g->width[k] = h[COL_GROUP_AT_WIDTHS + k];
        if (!width_ok(c, k, g->width[k]))
            return damaged(c, diag, "cells of an unknown width");
        if (g->width[k] > 0)
            g->frames += blocks_of(g->slot_count);
    }
    if (g->step_count == 0 || g->step_count > COL_GROUP_STEPS_MAX ||
        g->slot_count > c->t.info.vms_alive_max ||
        (g->step_count > 1 &&
         (uint64_t)g->step_count * g->slot_count > COL_GROUP_CELLS_MAX) ||
        g->payload_bytes > c->file_bytes - c->at - COL_GROUP_BYTES ||
        g->payload_bytes / 4 < g->frames || !events_ok(g))
        return damaged(c, diag, "a group of steps with impossible sizes");
    return BL_ERR_OK;
}

/* ---- unpacking a group, block by block, on several threads ------------ */

struct frame {
    const unsigned char *from;
    size_t from_bytes;
    unsigned char *to;
    size_t to_bytes;
};

struct unpack {
    struct columnar *c;
    struct frame *frame;
    bool *failed; /* [threads] */
};

static bool unpack_frame(ZSTD_DCtx *dctx, const struct frame *f)
{
    const size_t n =
        ZSTD_decompressDCtx(dctx, f->to, f->to_bytes, f->from, f->from_bytes);

    return !ZSTD_isError(n) && n == f->to_bytes;
}

static void unpack_frames(void *ctx, uint32_t thread, uint32_t lo, uint32_t hi)
{
    struct unpack *u = ctx;

    for (uint32_t i = lo; i < hi && !u->failed[thread]; i++)
        u->failed[thread] = !unpack_frame(u->c->dctx[thread], &u->frame[i]);
}

/* Finds each frame in the payload and its place in raw. */
static bl_err place_frames(struct columnar *c, struct frame *frame,
                           struct bl_diag *diag)
{
    const struct group *g = &c->g;
    const uint32_t blocks = blocks_of(g->slot_count);
    size_t at = (size_t)g->frames * 4 + g->events_frame_bytes;
    uint32_t i = 0;

    for (int k = 0; k < BL__COLUMNS; k++) {
        size_t raw_at = 0;

        for (uint32_t b = 0; g->width[k] > 0 && b < blocks; b++, i++) {
            const uint32_t left = g->slot_count - b * COL_BLOCK_SLOTS;
            const uint32_t n = left < COL_BLOCK_SLOTS ? left : COL_BLOCK_SLOTS;
            const size_t bytes = col_get32(c->payload.p + 4 * (size_t)i);
            const size_t to_bytes = (size_t)g->step_count * n * g->width[k];

            if (at > g->payload_bytes || bytes > g->payload_bytes - at ||
                to_bytes / COL_ZSTD_RATIO_MAX > bytes)
                return damaged(c, diag, "a block with impossible sizes");
            frame[i] = (struct frame){ .from = c->payload.p + at,
                                       .from_bytes = bytes,
                                       .to_bytes = to_bytes };
            at += bytes;
            raw_at += to_bytes;
        }
        if (g->width[k] > 0)
            BL_TRY(need(c, &c->raw[k], raw_at + 1, diag));
    }
    if (at != g->payload_bytes)
        return damaged(c, diag, "bytes that belong to no block");
    i = 0;
    for (int k = 0; k < BL__COLUMNS; k++) {
        unsigned char *to = c->raw[k].p;

        for (uint32_t b = 0; g->width[k] > 0 && b < blocks; b++, i++) {
            frame[i].to = to;
            to += frame[i].to_bytes;
        }
    }
    return BL_ERR_OK;
}

static bl_err unpack_cells(struct columnar *c, struct bl_diag *diag)
{
    const uint32_t per_thread = bl_par_blocks(c->g.frames, c->thread_count);
    struct unpack u = { .c = c };
    bl_err e = BL_ERR_OK;

    if (c->g.frames == 0)
        return BL_ERR_OK;
    u.frame = bl__alloc(c->g.frames, sizeof(u.frame[0]));
    u.failed = bl__alloc(c->thread_count, sizeof(u.failed[0]));
    if (u.frame == NULL || u.failed == NULL)
        e = bl_diag_set(diag, BL_ERR_NOMEM, c->label, 0, "out of memory");
    else
        e = place_frames(c, u.frame, diag);
    if (e == BL_ERR_OK)
        bl_par_for(c->g.frames, per_thread, c->thread_count, unpack_frames, &u);
    for (uint32_t i = 0; i < c->thread_count && e == BL_ERR_OK; i++)
        if (u.failed[i])
            e = damaged(c, diag, "a block that cannot be unpacked");
    free(u.frame);
    free(u.failed);
    return e;
}

static bl_err unpack_events(struct columnar *c, struct bl_diag *diag)
{
    const struct group *g = &c->g;

    /* one byte more, so that the last name is always ended */
    BL_TRY(need(c, &c->events, (size_t)g->events_bytes + 1, diag));
    c->events.p[g->events_bytes] = '\0';
    if (!unpack_frame(
            c->dctx[0],
            &(struct frame){ .from = c->payload.p + (size_t)g->frames * 4,
                             .from_bytes = g->events_frame_bytes,
                             .to = c->events.p,
                             .to_bytes = g->events_bytes }))
        return damaged(c, diag, "events that cannot be unpacked");
    c->event_at = 0;
    c->departed_left = g->departed_count;
    c->arrived_left = g->arrived_count;
    return BL_ERR_OK;
}

static bl_err read_group(struct columnar *c, struct bl_diag *diag)
{
    unsigned char h[COL_GROUP_BYTES] = { 0 };

    if (c->group_next == c->group_count ||
        c->file_bytes - c->at < COL_GROUP_BYTES)
        return damaged(c, diag, "fewer steps than its header says");
    BL_TRY(read_at(c, c->at, h, sizeof(h), diag));
    BL_TRY(parse_head(c, h, diag));
    BL_TRY(need(c, &c->payload, c->g.payload_bytes + 1, diag));
    BL_TRY(read_at(c, c->at + COL_GROUP_BYTES, c->payload.p, c->g.payload_bytes,
                   diag));
    if (XXH64(c->payload.p, c->g.payload_bytes, 0) != c->g.data_hash)
        return damaged(c, diag, "wrong checksum");
    if ((size_t)c->g.frames * 4 + c->g.events_frame_bytes > c->g.payload_bytes)
        return damaged(c, diag, "a group of steps with impossible sizes");
    BL_TRY(unpack_events(c, diag));
    BL_TRY(unpack_cells(c, diag));
    c->at += COL_GROUP_BYTES + c->g.payload_bytes;
    c->group_next++;
    c->step_next = 0;
    for (int k = 0; k < BL__COLUMNS; k++)
        if (c->row[k] != NULL) /* the first row of a group has none before */
            memset(c->row[k], 0, c->row_slots * sizeof(c->row[k][0]));
    c->row_slots = c->g.slot_count;
    return BL_ERR_OK;
}

/* ---- events of a step ------------------------------------------------- */

static bool get_varint(struct columnar *c, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char b;

        if (c->event_at == c->g.events_bytes)
            return false;
        b = c->events.p[c->event_at++];
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return v <= max;
        }
    }
    return false;
}

static bool get_departures(struct columnar *c, uint32_t *slot, uint32_t count)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t d;

        if (!get_varint(c, BL_TRACE_VMS_MAX, &d) || (i > 0 && d == 0))
            return false;
        at += d;
        if (at >= BL_TRACE_VMS_MAX || !bl__slots_taken(&c->slots, (uint32_t)at))
            return false;
        slot[i] = (uint32_t)at;
        bl__slots_give(&c->slots, slot[i]);
    }
    return true;
}

static bool get_arrival(struct columnar *c, struct bl_trace_vm *vm)
{
    const char *name = (const char *)c->events.p + c->event_at;
    const size_t n = strlen(name); /* ends at the byte after the events */
    uint64_t v[3] = { 0 };

    if (n >= BL_NAME_BYTES || n >= c->g.events_bytes - c->event_at ||
        !bl__name_ok((struct bl__text){ name, n }))
        return false;
    c->event_at += n + 1;
    if (c->t.info.has_size && (!get_varint(c, BL_HOST_CORES_MAX, &v[0]) ||
                               !get_varint(c, BL_CORE_KHZ_MAX, &v[1]) ||
                               !get_varint(c, BL_MEM_BYTES_MAX, &v[2])))
        return false;
    *vm = (struct bl_trace_vm){ .name = name,
                                .vcpu_count = (uint32_t)v[0],
                                .vcpu_khz = v[1],
                                .mem_bytes = v[2] };
    return bl__slots_take(&c->slots, &vm->slot) == BL_ERR_OK &&
           vm->slot < c->g.slot_count;
}

static bl_err read_events(struct columnar *c, struct bl_trace_step *out,
                          struct bl_diag *diag)
{
    uint64_t departed, arrived;

    if (!get_varint(c, c->departed_left, &departed) ||
        !get_varint(c, c->arrived_left, &arrived))
        return damaged(c, diag, "events cut short");
    c->departed_left -= (uint32_t)departed;
    c->arrived_left -= (uint32_t)arrived;
    BL_TRY(need(c, &c->departed, departed * sizeof(uint32_t) + 1, diag));
    BL_TRY(
        need(c, &c->arrived, arrived * sizeof(struct bl_trace_vm) + 1, diag));

    uint32_t *slot = (uint32_t *)(void *)c->departed.p;
    struct bl_trace_vm *vm = (struct bl_trace_vm *)(void *)c->arrived.p;

    if (!get_departures(c, slot, (uint32_t)departed))
        return damaged(c, diag, "a departure of no VM");
    for (uint64_t i = 0; i < arrived; i++)
        if (!get_arrival(c, &vm[i]))
            return damaged(c, diag, "an impossible arrival");
    c->vm_count += arrived;
    out->departed = slot;
    out->departed_count = (uint32_t)departed;
    out->arrived = vm;
    out->arrived_count = (uint32_t)arrived;
    return BL_ERR_OK;
}

/* ---- cells of a step -------------------------------------------------- */

/*
 * x becomes x + quantum * difference, in ppm, in place. The sign bit of *bad
 * collects whether any x left 0 .. COL_PPM_MAX: a negative x is a large one.
 * The inner loops have a fixed length so that compilers turn them into vectors.
 */
#define LANES 16
#define ADD_DIFFERENCES(name, quantum, zigzag)                                 \
    static uint32_t name(uint32_t *x, const unsigned char *p, size_t plane,    \
                         uint32_t n)                                           \
    {                                                                          \
        uint32_t bad[LANES] = { 0 };                                           \
        uint32_t all = 0, i = 0;                                               \
                                                                               \
        (void)plane; /* one byte wide: there is only one */                    \
        for (; i + LANES <= n; i += LANES) {                                   \
            for (uint32_t k = 0; k < LANES; k++) {                             \
                const uint32_t z = zigzag(p, plane, i + k);                    \
                                                                               \
                x[i + k] += (quantum) * (z >> 1 ^ (0 - (z & 1)));              \
                bad[k] |= x[i + k] | (COL_PPM_MAX - x[i + k]);                 \
            }                                                                  \
        }                                                                      \
        for (; i < n; i++) {                                                   \
            const uint32_t z = zigzag(p, plane, i);                            \
                                                                               \
            x[i] += (quantum) * (z >> 1 ^ (0 - (z & 1)));                      \
            all |= x[i] | (COL_PPM_MAX - x[i]);                                \
        }                                                                      \
        for (uint32_t k = 0; k < LANES; k++)                                   \
            all |= bad[k];                                                     \
        return all;                                                            \
    }
#define ZIGZAG1(p, plane, i) ((uint32_t)(p)[i])
#define ZIGZAG2(p, plane, i)                                                   \
    (ZIGZAG1(p, plane, i) | (uint32_t)(p)[(plane) + (i)] << 8)
#define ZIGZAG3(p, plane, i)                                                   \
    (ZIGZAG2(p, plane, i) | (uint32_t)(p)[2 * (plane) + (i)] << 16)

ADD_DIFFERENCES(add_differences1, 10000u, ZIGZAG1)
ADD_DIFFERENCES(add_differences2, 100u, ZIGZAG2)
ADD_DIFFERENCES(add_differences3, 1u, ZIGZAG3)

struct advance {
    struct columnar *c;
    int column;
    uint32_t *bad; /* [blocks] */
};

/* One block's part of the next row. */
static void advance_block(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    const struct advance *a = ctx;
    const struct group *g = &a->c->g;
    const uint32_t n = hi - lo;
    const uint32_t width = g->width[a->column];
    const size_t plane = (size_t)g->step_count * n;
    const unsigned char *p = a->c->raw[a->column].p +
                             (size_t)g->step_count * width * lo +
                             (size_t)a->c->step_next * n;
    uint32_t *x = a->c->row[a->column] + lo;

    a->bad[block] = width == 1   ? add_differences1(x, p, plane, n)
                    : width == 2 ? add_differences2(x, p, plane, n)
                                 : add_differences3(x, p, plane, n);
}

/* Empty slots must hold 0. */
static bool holes_are_zero(const struct columnar *c, const uint32_t *row)
{
    for (uint32_t at = 0; at < c->g.slot_count; at += 64) {
        const uint32_t w = at / 64;
        const uint64_t taken = w < c->slots.word_count ? c->slots.word[w] : 0;
        const uint32_t n =
            c->g.slot_count - at < 64 ? c->g.slot_count - at : 64;

        if (taken == UINT64_MAX)
            continue;
        for (uint32_t i = 0; i < n; i++)
            if (row[at + i] != 0 && (taken >> i & 1) == 0)
                return false;
    }
    return true;
}

static bl_err read_column(struct columnar *c, int column, uint32_t *bad,
                          struct bl_diag *diag)
{
    const uint32_t blocks = blocks_of(c->g.slot_count);
    struct advance a = { c, column, bad };

    bl_par_for(c->g.slot_count, COL_BLOCK_SLOTS, c->thread_count, advance_block,
               &a);
    for (uint32_t b = 0; b < blocks; b++)
        if (bad[b] >> 31 != 0)
            return damaged(c, diag, "a value above 100 %");
    if (!holes_are_zero(c, c->row[column]))
        return damaged(c, diag, "a value of no VM");
    return BL_ERR_OK;
}

static bl_err read_cells(struct columnar *c, struct bl_trace_step *out,
                         struct bl_diag *diag)
{
    uint32_t few[8];
    const uint32_t blocks = blocks_of(c->g.slot_count);
    uint32_t *bad = few;
    bl_err e = BL_ERR_OK;

    if (blocks > sizeof(few) / sizeof(few[0]))
        bad = bl__alloc(blocks, sizeof(bad[0]));
    if (bad == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, c->label, 0, "out of memory");
    for (int k = 0; k < BL__COLUMNS && e == BL_ERR_OK; k++)
        if (c->row[k] != NULL)
            e = read_column(c, k, bad, diag);
    out->cpu_ppm = c->row[BL__CPU];
    out->mem_ppm = c->row[BL__MEM];
    if (bad != few)
        free(bad);
    return e;
}

/* ---- the source ------------------------------------------------------- */

/* After the last step nothing may be left over. */
static bl_err check_end(const struct columnar *c, struct bl_diag *diag)
{
    if (c->step_next != c->g.step_count || c->group_next != c->group_count ||
        c->at != c->file_bytes || c->vm_count != c->t.info.vm_count_total)
        return damaged(c, diag, "more than its header says");
    return BL_ERR_OK;
}

static bl_err columnar_next(struct bl_trace *base, struct bl_trace_step *out,
                            struct bl_diag *diag)
{
    struct columnar *c = (struct columnar *)base;

    if (c->step_next == c->g.step_count)
        BL_TRY(read_group(c, diag));
    BL_TRY(read_events(c, out, diag));
    if (c->slots.end > c->g.slot_count)
        return damaged(c, diag, "a VM without cells");
    BL_TRY(read_cells(c, out, diag));
    c->step_next++;
    if (c->step_next == c->g.step_count &&
        (c->departed_left > 0 || c->arrived_left > 0 ||
         c->event_at != c->g.events_bytes))
        return damaged(c, diag, "more events than its steps");
    if (base->step_next + 1 == base->info.step_count)
        return check_end(c, diag);
    return BL_ERR_OK;
}

static bl_err columnar_rewind(struct bl_trace *base, struct bl_diag *diag)
{
    struct columnar *c = (struct columnar *)base;

    (void)diag;
    c->at = COL_HEADER_BYTES;
    c->group_next = 0;
    c->step_next = 0;
    c->vm_count = 0;
    c->g.step_count = 0;
    bl__slots_clear(&c->slots);
    return BL_ERR_OK;
}

static void columnar_close(struct bl_trace *base)
{
    struct columnar *c = (struct columnar *)base;

    if (c->fd >= 0)
        close(c->fd);
    for (int k = 0; k < BL__COLUMNS; k++) {
        free(c->row[k]);
        free(c->raw[k].p);
    }
    for (uint32_t i = 0; c->dctx != NULL && i < c->thread_count; i++)
        ZSTD_freeDCtx(c->dctx[i]);
    free(c->dctx);
    free(c->payload.p);
    free(c->events.p);
    free(c->departed.p);
    free(c->arrived.p);
    bl__slots_free(&c->slots);
    free(c);
}

static const struct bl_trace_ops columnar_ops = {
    .next = columnar_next,
    .rewind = columnar_rewind,
    .close = columnar_close,
};

/* A NUL-padded name of the header. */
static bool get_name(char out[BL_NAME_BYTES], const unsigned char *p)
{
    memcpy(out, p, BL_NAME_BYTES);
    return out[BL_NAME_BYTES - 1] == '\0' &&
           bl__name_ok((struct bl__text){ out, strlen(out) });
}

static bool info_ok(const struct columnar *c)
{
    const struct bl_trace_info *info = &c->t.info;

    return info->step_count > 0 && info->step_count <= BL_TRACE_STEPS_MAX &&
           info->step_ns > 0 && info->step_ns <= INT64_MAX / info->step_count &&
           info->vms_alive_max > 0 && info->vms_alive_max <= BL_TRACE_VMS_MAX &&
           info->vm_count_total >= info->vms_alive_max && c->group_count > 0 &&
           c->group_count <= info->step_count;
}

static bl_err parse_header(struct columnar *c, const unsigned char *h,
                           struct bl_diag *diag)
{
    struct bl_trace_info *info = &c->t.info;
    const uint32_t flags = col_get32(h + COL_AT_FLAGS);
    uint64_t *field[COL_REPAIRS];

    if (col_get(h + COL_AT_MAGIC, 8) != COL_MAGIC)
        return damaged(c, diag, "no header");
    if (col_get(h + COL_AT_HASH, 8) != XXH64(h, COL_AT_HASH, 0))
        return damaged(c, diag, "wrong checksum of the header");
    if (col_get(h + COL_AT_FILE_BYTES, 8) != c->file_bytes)
        return bl_diag_set(
            diag, BL_ERR_PARSE, c->label, 0,
            "truncated or damaged: %llu bytes, expected %llu",
            (unsigned long long)c->file_bytes,
            (unsigned long long)col_get(h + COL_AT_FILE_BYTES, 8));
    info->has_cpu = (flags & COL_HAS_CPU) != 0;
    info->has_mem = (flags & COL_HAS_MEM) != 0;
    info->has_size = (flags & COL_HAS_SIZE) != 0;
    c->group_count = col_get32(h + COL_AT_GROUPS);
    info->step_count = col_get32(h + COL_AT_STEPS);
    info->vms_alive_max = col_get32(h + COL_AT_ALIVE_MAX);
    info->step_ns = (int64_t)col_get(h + COL_AT_STEP_NS, 8);
    info->vm_count_total = col_get(h + COL_AT_VMS, 8);
    info->content_hash = col_get(h + COL_AT_CONTENT_HASH, 8);
    col_repairs(&info->repairs, field);
    for (unsigned i = 0; i < COL_REPAIRS; i++)
        *field[i] = col_get(h + COL_AT_REPAIRS + 8 * (size_t)i, 8);
    if (flags >= 2 * COL_HAS_SIZE || !get_name(info->name, h + COL_AT_NAME) ||
        !get_name(info->origin, h + COL_AT_ORIGIN) || !info_ok(c))
        return damaged(c, diag, "a header with impossible values");
    snprintf(info->format, sizeof(info->format), "columnar");
    return BL_ERR_OK;
}

static bl_err prepare(struct columnar *c, struct bl_diag *diag)
{
    const struct bl_trace_info *info = &c->t.info;
    const bool has[BL__COLUMNS] = { info->has_cpu, info->has_mem };
    bool enough = true;

    c->dctx = bl__alloc(c->thread_count, sizeof(void *));
    enough = c->dctx != NULL;
    for (uint32_t i = 0; enough && i < c->thread_count; i++) {
        c->dctx[i] = ZSTD_createDCtx();
        enough = c->dctx[i] != NULL;
    }
    for (int k = 0; enough && k < BL__COLUMNS; k++) {
        if (!has[k])
            continue;
        c->row[k] = bl__alloc(info->vms_alive_max, sizeof(uint32_t));
        enough = c->row[k] != NULL;
    }
    if (enough)
        enough = bl__slots_reserve(&c->slots, info->vms_alive_max) == BL_ERR_OK;
    if (!enough)
        return bl_diag_set(diag, BL_ERR_NOMEM, c->label, 0,
                           "out of memory: %u VMs", info->vms_alive_max);
    return columnar_rewind(&c->t, diag);
}

bl_err bl__columnar_open_fd(int fd, const char *label, uint32_t thread_count,
                            struct bl_trace **out, struct bl_diag *diag)
{
    struct columnar *c = bl__alloc(1, sizeof(*c));
    unsigned char h[COL_HEADER_BYTES] = { 0 };
    struct stat st;
    bl_err e;

    if (c == NULL) {
        close(fd);
        return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
    }
    c->fd = fd;
    c->thread_count = thread_count;
    c->t.ops = &columnar_ops;
    snprintf(c->label, sizeof(c->label), "%s", label);
    if (fstat(fd, &st) != 0)
        e = bl_diag_set(diag, BL_ERR_IO, label, 0, "cannot be read: %s",
                        strerror(errno));
    else if (!S_ISREG(st.st_mode))
        e = bl_diag_set(diag, BL_ERR_IO, label, 0,
                        "is not a file, expected a columnar trace");
    else if (st.st_size < COL_HEADER_BYTES)
        e = bl_diag_set(diag, BL_ERR_PARSE, label, 0,
                        "truncated: shorter than the header of a columnar "
                        "trace, expected %d bytes or more",
                        COL_HEADER_BYTES);
    else
        e = read_at(c, 0, h, sizeof(h), diag);
    if (e == BL_ERR_OK) {
        c->file_bytes = (uint64_t)st.st_size;
        e = parse_header(c, h, diag);
    }
    if (e == BL_ERR_OK)
        e = prepare(c, diag);
    if (e == BL_ERR_OK)
        *out = &c->t;
    else
        columnar_close(&c->t);
    return e;
}

bl_err bl__columnar_open(const char *path, uint32_t thread_count,
                         struct bl_trace **out, struct bl_diag *diag)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot be opened: %s",
                           strerror(errno));
    return bl__columnar_open_fd(fd, path, thread_count, out, diag);
}
