/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_files.h - files that a test makes: a scratch folder that goes
 * away again, and archives. Nothing here fails: a test without a disk is none.
 */
#ifndef BL_TESTS_SUPPORT_FILES_H
#define BL_TESTS_SUPPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scratch folder of this process; made at the first call. */
const char *test_folder(void);

/* Removes it and all that is in it; the teardown of a group. */
int test_folder_remove(void **state);

/* FOLDER/NAME; valid until the 16th next call. */
const char *test_path(const char *name);

/* Writes (or overwrites) a file; returns its path. */
const char *test_file(const char *name, const void *bytes, size_t size_bytes);
const char *test_text(const char *name, const char *text);

/* An empty folder in the folder. */
const char *test_subfolder(const char *name);

/* How many files there are in the scratch folder (not in folders in it). */
unsigned test_file_count(void);

/* Reads a file whole; the caller frees. */
unsigned char *test_slurp(const char *path, size_t *size_bytes);

struct test_member {
    const char *name;
    const char *text;
    size_t size_bytes; /* 0: strlen(text) */
    char kind;         /* 0: a file, '/': a folder, '@': a symbolic link */
};

/* A .tar; @filter is NULL, "gzip" or "zstd". */
const char *test_tar(const char *name, const char *filter,
                     const struct test_member *member, size_t count);

/* @text packed by @filter. */
const char *test_packed(const char *name, const char *filter, const char *text);

#endif /* BL_TESTS_SUPPORT_FILES_H */
