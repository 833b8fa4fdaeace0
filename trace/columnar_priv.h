/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/columnar_priv.h - the bytes of a columnar file: doc/trace-format.md.
 *
 *     header | group 0 | group 1 | ...
 *     group: head | frame sizes | events frame | frames of column 0, 1
 *
 * A group holds consecutive steps; its cells are cut into blocks of slots,
 * each a zstd frame of its own, so that threads can share the decoding.
 */
#ifndef BL_TRACE_COLUMNAR_PRIV_H
#define BL_TRACE_COLUMNAR_PRIV_H

#include "trace/trace_priv.h"

#define COL_MAGIC UINT64_C(0x3145434152544c42) /* "BLTRACE1" */
#define COL_GROUP_MAGIC UINT32_C(0x50475242)   /* "BRGP" */

enum {
    COL_HEADER_BYTES = 320,
    COL_GROUP_BYTES = 64,
    COL_BLOCK_SLOTS = 32768,
    COL_GROUP_STEPS_MAX = 1024,
    COL_GROUP_CELLS_MAX = 1 << 25, /* of one column; unless one step is more */
    COL_BLOCK_CELLS_MAX = 1 << 19,
    COL_PPM_MAX = 1000000,
    /* two counts per step; five bytes per departure; per arrival a name and
     * three numbers: no events are larger */
    COL_STEP_EVENT_BYTES_MAX = 10,
    COL_DEPARTURE_BYTES_MAX = 5,
    COL_ARRIVAL_BYTES_MAX = BL_NAME_BYTES + 5 + 10 + 10,
    /* A zstd block of 4 bytes can stand for 128 KiB, and no more. */
    COL_ZSTD_RATIO_MAX = 1 << 15,
};

enum { COL_HAS_CPU = 1, COL_HAS_MEM = 2, COL_HAS_SIZE = 4 };

/* Offsets in the header; every number is little-endian. */
enum {
    COL_AT_MAGIC = 0,         /* u64 */
    COL_AT_FLAGS = 8,         /* u32 */
    COL_AT_GROUPS = 12,       /* u32 */
    COL_AT_FILE_BYTES = 16,   /* u64 */
    COL_AT_STEPS = 24,        /* u32 */
    COL_AT_ALIVE_MAX = 28,    /* u32 */
    COL_AT_STEP_NS = 32,      /* u64 */
    COL_AT_VMS = 40,          /* u64 */
    COL_AT_CONTENT_HASH = 48, /* u64 */
    COL_AT_REPAIRS = 56,      /* u64 [COL_REPAIRS] */
    COL_AT_NAME = 128,        /* char [BL_NAME_BYTES], NUL-padded */
    COL_AT_ORIGIN = 192,      /* char [BL_NAME_BYTES], NUL-padded */
    COL_AT_HASH = 312,        /* u64: xxHash64 of all bytes before */
};
enum { COL_REPAIRS = 7 };

/* Offsets in the head of a group. */
enum {
    COL_GROUP_AT_MAGIC = 0,      /* u32 */
    COL_GROUP_AT_INDEX = 4,      /* u32 */
    COL_GROUP_AT_STEPS = 8,      /* u32 */
    COL_GROUP_AT_SLOTS = 12,     /* u32 */
    COL_GROUP_AT_DEPARTED = 16,  /* u32 */
    COL_GROUP_AT_ARRIVED = 20,   /* u32 */
    COL_GROUP_AT_EVENTS = 24,    /* u32, bytes unpacked */
    COL_GROUP_AT_EVENTS_Z = 28,  /* u32, bytes in the file */
    COL_GROUP_AT_WIDTHS = 32,    /* u8 [2]: 0 (no column), 1, 2 or 3 */
    COL_GROUP_AT_PAYLOAD = 40,   /* u64, bytes of all frames */
    COL_GROUP_AT_DATA_HASH = 48, /* u64: of frame sizes and frames */
    COL_GROUP_AT_HASH = 56,      /* u64: of the bytes before; seed: index */
};

/* Cells of width 1, 2, 3 bytes count units of so many ppm. */
static inline uint32_t col_quantum(uint32_t width)
{
    return width == 1 ? 10000 : width == 2 ? 100 : 1;
}

static inline void col_put(unsigned char *p, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static inline uint64_t col_get(const unsigned char *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static inline uint32_t col_get32(const unsigned char *p)
{
    return (uint32_t)col_get(p, 4);
}

/* The repairs in the order of the file. */
static inline void col_repairs(struct bl_trace_repairs *r,
                               uint64_t *field[COL_REPAIRS])
{
    field[0] = &r->cpu_clamped_count;
    field[1] = &r->mem_clamped_count;
    field[2] = &r->repeated_count;
    field[3] = &r->crowded_count;
    field[4] = &r->gap_count;
    field[5] = &r->held_count;
    field[6] = &r->off_count;
}

#endif /* BL_TRACE_COLUMNAR_PRIV_H */
