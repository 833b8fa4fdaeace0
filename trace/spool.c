/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the trace module: an allocator that tests can make fail, and an
 * array that moves into an unlinked file when it grows beyond memory's due.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/trace_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SPOOL_BYTES_MIN = 1 << 16,
    SPOOL_MEMORY_BYTES_MAX = 1 << 25, /* 32 MiB; a table has a few spools */
};
#define SPOOL_BYTES_MAX (UINT64_C(1) << 40)

long bl__trace_fail_after = -1;

static bool may_allocate(void)
{
    if (bl__trace_fail_after == 0)
        return false;
    if (bl__trace_fail_after > 0)
        bl__trace_fail_after--;
    return true;
}

void *bl__alloc(size_t count, size_t elem_bytes)
{
    return may_allocate() ? calloc(count > 0 ? count : 1, elem_bytes) : NULL;
}

void *bl__grow(void *p, size_t size_bytes)
{
    return may_allocate() ? realloc(p, size_bytes > 0 ? size_bytes : 1) : NULL;
}

void bl__spool_init(struct bl__spool *s, const char *tmp_dir)
{
    *s = (struct bl__spool){ .fd = -1, .tmp_dir = tmp_dir };
}

void bl__spool_free(struct bl__spool *s)
{
    if (s->in_file) {
        munmap(s->base, s->size_bytes);
        close(s->fd);
    } else {
        free(s->base);
    }
    bl__spool_init(s, s->tmp_dir);
}

static int open_unlinked(const char *dir)
{
    char path[4096];
    int fd;

    if (snprintf(path, sizeof(path), "%s/ballast-XXXXXX", dir) >=
        (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkstemp(path);
    if (fd >= 0) {
        unlink(path);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
}

bl_err bl__tmp_file(const char *tmp_dir, int *fd, struct bl_diag *diag)
{
    const char *dir = tmp_dir != NULL ? tmp_dir : "/var/tmp";
    int f = open_unlinked(dir);

    if (f < 0 && tmp_dir == NULL)
        f = open_unlinked("/tmp");
    if (f < 0)
        return bl_diag_set(diag, BL_ERR_IO, dir, 0,
                           "cannot create a temporary file: %s",
                           strerror(errno));
    *fd = f;
    return BL_ERR_OK;
}

static bl_err no_memory(struct bl_diag *diag, size_t size_bytes)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0,
                       "out of memory: %zu bytes for a trace", size_bytes);
}

/* Blocks are allocated at once: a full disk is an error here, not a signal at
 * some later store. */
static bl_err map_file(struct bl__spool *s, int fd, size_t size_bytes,
                       unsigned char **base, struct bl_diag *diag)
{
    const int e = posix_fallocate(fd, 0, (off_t)size_bytes);
    void *p;

    if (e != 0)
        return bl_diag_set(diag, BL_ERR_IO,
                           s->tmp_dir != NULL ? s->tmp_dir : "/var/tmp", 0,
                           "no room for a temporary file of %zu bytes: %s",
                           size_bytes, strerror(e));
    p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return no_memory(diag, size_bytes);
    *base = p;
    return BL_ERR_OK;
}

static bl_err move_to_file(struct bl__spool *s, size_t size_bytes,
                           struct bl_diag *diag)
{
    unsigned char *base = NULL;
    int fd = -1;
    bl_err e;

    BL_TRY(bl__tmp_file(s->tmp_dir, &fd, diag));
    e = map_file(s, fd, size_bytes, &base, diag);
    if (base == NULL) {
        close(fd);
        return e;
    }
    memcpy(base, s->base, s->used_bytes);
    free(s->base);
    s->base = base;
    s->fd = fd;
    s->in_file = true;
    s->size_bytes = size_bytes;
    return BL_ERR_OK;
}

static bl_err grow(struct bl__spool *s, size_t size_bytes, struct bl_diag *diag)
{
    unsigned char *base = NULL;

    if (size_bytes > SPOOL_MEMORY_BYTES_MAX && !s->in_file && s->base != NULL)
        return move_to_file(s, size_bytes, diag);
    if (s->in_file) {
        BL_TRY(map_file(s, s->fd, size_bytes, &base, diag));
        munmap(s->base, s->size_bytes);
    } else {
        base = bl__grow(s->base, size_bytes);
        if (base == NULL)
            return no_memory(diag, size_bytes);
    }
    s->base = base;
    s->size_bytes = size_bytes;
    return BL_ERR_OK;
}

bl_err bl__spool_take(struct bl__spool *s, size_t size_bytes, void **out,
                      struct bl_diag *diag)
{
    if (size_bytes > s->size_bytes - s->used_bytes) {
        size_t want = s->size_bytes > 0 ? s->size_bytes : SPOOL_BYTES_MIN;

        if (size_bytes > SPOOL_BYTES_MAX - s->used_bytes)
            return bl_diag_set(diag, BL_ERR_FULL, NULL, 0,
                               "trace too large to convert: import it in "
                               "pieces");
        while (want - s->used_bytes < size_bytes)
            want *= 2;
        BL_TRY(grow(s, want, diag));
    }
    *out = s->base + s->used_bytes;
    s->used_bytes += size_bytes;
    return BL_ERR_OK;
}
