/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/tasks_fuzz.h - what the fuzz targets of task readers share: bytes read
 * twice give the same set, which keeps the promises of trace/tasks.h, or the
 * same error and an arena as it was. Needs _GNU_SOURCE.
 */
#ifndef BL_FUZZ_TASKS_FUZZ_H
#define BL_FUZZ_TASKS_FUZZ_H

#include "fuzz/trace_fuzz.h"
#include "tests/tasks_walk.h"

#define FUZZ_ARENA_BYTES ((size_t)1 << 30)

/* A path of @fd, for one call. */
static inline const char *fuzz_path(int fd, char path[32])
{
    BL_ASSERT(lseek(fd, 0, SEEK_SET) == 0);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return path;
}

static inline void fuzz_failed(bl_err e, const struct bl_arena *a,
                               const struct bl_diag *diag)
{
    BL_ASSERT(e == BL_ERR_PARSE || e == BL_ERR_FULL || e == BL_ERR_IO);
    BL_ASSERT(diag->text[0] != '\0' && strchr(diag->text, '\n') == NULL);
    BL_ASSERT(a->used_bytes == 0);
}

typedef bl_err (*fuzz_tasks_fn)(const char *path, struct bl_arena *a,
                                struct bl_task_set *out, struct bl_diag *diag);

static inline void fuzz_tasks(const uint8_t *data, size_t size,
                              fuzz_tasks_fn read_tasks)
{
    const int fd = fuzz_file(data, size);
    uint64_t hash[2] = { 0, 0 };
    struct bl_diag diag[2] = { { "" }, { "" } };
    bl_err e[2];

    for (int i = 0; i < 2; i++) {
        struct bl_task_set s;
        struct bl_arena a;
        char path[32];

        BL_ASSERT(bl_arena_init(&a, FUZZ_ARENA_BYTES) == BL_ERR_OK);
        e[i] = read_tasks(fuzz_path(fd, path), &a, &s, &diag[i]);
        if (e[i] == BL_ERR_OK) {
            tasks_check(&s);
            hash[i] = bl_task_set_hash(&s);
        } else {
            fuzz_failed(e[i], &a, &diag[i]);
        }
        bl_arena_free(&a);
    }
    BL_ASSERT(e[0] == e[1] && hash[0] == hash[1]);
    BL_ASSERT(strcmp(diag[0].text, diag[1].text) == 0);
    close(fd);
}

#endif /* BL_FUZZ_TASKS_FUZZ_H */
