/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/trace_fuzz.h - what the fuzz targets of trace readers share: bytes
 * become a file without a name, and what opens must keep the promises of
 * trace/trace.h, twice, and survive being stored. Needs _GNU_SOURCE.
 */
#ifndef BL_FUZZ_TRACE_FUZZ_H
#define BL_FUZZ_TRACE_FUZZ_H

#include "tests/trace_walk.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_CELLS_MAX UINT64_C(4000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline int fuzz_file(const void *bytes, size_t size)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);

    BL_ASSERT(fd >= 0);
    for (size_t at = 0; at < size;) {
        const ssize_t n = write(fd, (const char *)bytes + at, size - at);

        BL_ASSERT(n > 0);
        at += (size_t)n;
    }
    return fd;
}

/* Stored as a columnar file it says the same. */
static inline void fuzz_store(struct bl_trace *t, uint64_t content_hash)
{
    const int fd = fuzz_file("", 0);
    struct bl_diag diag = { "" };
    struct bl__writer *w = NULL;
    struct bl_trace *u = NULL;
    struct bl_trace_step s;
    bl_err e;

    BL_ASSERT(bl_trace_rewind(t, &diag) == BL_ERR_OK);
    BL_ASSERT(bl__writer_create(fd, "fuzz", bl_trace_info(t), &w, &diag) ==
              BL_ERR_OK);
    while ((e = bl_trace_next(t, &s, &diag)) == BL_ERR_OK)
        BL_ASSERT(bl__writer_step(w, &s, &diag) == BL_ERR_OK);
    BL_ASSERT(e == BL_ERR_END);
    BL_ASSERT(bl__writer_finish(w, &bl_trace_info(t)->repairs, &diag) ==
              BL_ERR_OK);
    bl__writer_close(w);
    BL_ASSERT(bl__columnar_open_fd(fd, "fuzz", 2, &u, &diag) == BL_ERR_OK);
    BL_ASSERT(bl_trace_info(u)->content_hash == content_hash);
    BL_ASSERT(walk(u, &diag).content_hash == content_hash);
    bl_trace_close(u);
}

/* An error comes with one line; success keeps every promise. */
static inline void fuzz_open(const char *path, const char *format)
{
    const struct bl_trace_opts opts = { .thread_count = 1,
                                        .format = format,
                                        .seed = 1 };
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;
    const bl_err e = bl_trace_open(path, &opts, &t, &diag);
    struct walk w;

    if (e != BL_ERR_OK) {
        BL_ASSERT(t == NULL);
        BL_ASSERT(diag.text[0] != '\0' && strchr(diag.text, '\n') == NULL);
        BL_ASSERT(e == BL_ERR_PARSE || e == BL_ERR_FULL || e == BL_ERR_IO);
        return;
    }
    w = walk_some(t, FUZZ_CELLS_MAX, &diag);
    if (w.end == BL_ERR_END) {
        const struct walk again = walk(t, &diag);

        BL_ASSERT(again.content_hash == w.content_hash);
        if (strcmp(bl_trace_info(t)->format, "columnar") != 0)
            BL_ASSERT(w.content_hash == bl_trace_info(t)->content_hash);
        fuzz_store(t, w.content_hash);
    } else if (w.end != BL_ERR_OK) {
        BL_ASSERT(w.end == BL_ERR_PARSE && diag.text[0] != '\0');
        BL_ASSERT(strcmp(bl_trace_info(t)->format, "columnar") == 0);
    }
    bl_trace_close(t);
}

static inline void fuzz_bytes(const void *bytes, size_t size,
                              const char *format)
{
    const int fd = fuzz_file(bytes, size);
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    fuzz_open(path, format);
    close(fd);
}

/* Where the next part of the input ends: at a form feed. */
static inline size_t fuzz_part(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;

    return end != NULL ? (size_t)(end - data) : size;
}

/* One member of a tar: header, bytes, padding; returns its size. */
static inline size_t fuzz_tar_member(unsigned char *to, unsigned number,
                                     const uint8_t *body, size_t size)
{
    const size_t padded = (size + 511) / 512 * 512;
    unsigned sum = 0;

    memset(to, 0, 512 + padded);
    snprintf((char *)to, 100, "vm%u", number);
    memcpy(to + 100, "0000644", 7);
    snprintf((char *)to + 124, 12, "%011zo", size);
    memcpy(to + 136, "00000000000", 11);
    memset(to + 148, ' ', 8);
    to[156] = '0';
    memcpy(to + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++)
        sum += to[i];
    snprintf((char *)to + 148, 8, "%06o", sum);
    if (size > 0)
        memcpy(to + 512, body, size);
    return 512 + padded;
}

/* The parts of the input as members of an archive. */
static inline void fuzz_members(const uint8_t *data, size_t size,
                                const char *format)
{
    enum { MEMBERS_MAX = 64 };
    unsigned char *tar = calloc(1, size + (MEMBERS_MAX + 2) * 1024);
    size_t used = 0;

    BL_ASSERT(tar != NULL);
    for (unsigned i = 0; i < MEMBERS_MAX && size > 0; i++) {
        const size_t n = fuzz_part(data, size);

        used += fuzz_tar_member(tar + used, i, data, n);
        data += n < size ? n + 1 : n;
        size -= n < size ? n + 1 : n;
    }
    fuzz_bytes(tar, used + 1024, format);
    free(tar);
}

#endif /* BL_FUZZ_TRACE_FUZZ_H */
