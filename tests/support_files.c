/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "tests/support_files.h"

#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS = 16, PATH_BYTES = 512 };

static char folder[256];

const char *test_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    if (folder[0] != '\0')
        return folder;
    snprintf(folder, sizeof(folder), "%s/ballast-test-XXXXXX",
             tmp != NULL ? tmp : P_tmpdir);
    BL_ASSERT(mkdtemp(folder) != NULL);
    return folder;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *d;

    if (dir == NULL) {
        unlink(path);
        return;
    }
    while ((d = readdir(dir)) != NULL) {
        char sub[2 * PATH_BYTES];
        struct stat st;

        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        snprintf(sub, sizeof(sub), "%s/%s", path, d->d_name);
        if (lstat(sub, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(sub);
        else
            unlink(sub);
    }
    closedir(dir);
    rmdir(path);
}

int test_folder_remove(void **state)
{
    (void)state;
    if (folder[0] != '\0')
        remove_tree(folder);
    folder[0] = '\0';
    return 0;
}

const char *test_path(const char *name)
{
    static char path[PATHS][PATH_BYTES];
    static unsigned next;
    char *p = path[next++ % PATHS];
    const int n = snprintf(p, PATH_BYTES, "%s/%s", test_folder(), name);

    BL_ASSERT(n > 0 && n < PATH_BYTES);
    return p;
}

const char *test_file(const char *name, const void *bytes, size_t size_bytes)
{
    const char *path = test_path(name);
    FILE *f;

    unlink(path); /* some file systems sync what replaces a file */
    f = fopen(path, "wb");
    BL_ASSERT(f != NULL);
    BL_ASSERT(fwrite(bytes, 1, size_bytes, f) == size_bytes);
    BL_ASSERT(fclose(f) == 0);
    return path;
}

const char *test_text(const char *name, const char *text)
{
    return test_file(name, text, strlen(text));
}

const char *test_subfolder(const char *name)
{
    const char *path = test_path(name);

    remove_tree(path);
    BL_ASSERT(mkdir(path, 0777) == 0);
    return path;
}

unsigned test_file_count(void)
{
    DIR *dir = opendir(test_folder());
    const struct dirent *d;
    unsigned n = 0;

    BL_ASSERT(dir != NULL);
    while ((d = readdir(dir)) != NULL) {
        struct stat st;

        if (fstatat(dirfd(dir), d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            n++;
    }
    closedir(dir);
    return n;
}

unsigned char *test_slurp(const char *path, size_t *size_bytes)
{
    FILE *f = fopen(path, "rb");
    unsigned char *p;
    long n;

    BL_ASSERT(f != NULL && fseek(f, 0, SEEK_END) == 0);
    n = ftell(f);
    BL_ASSERT(n >= 0 && fseek(f, 0, SEEK_SET) == 0);
    p = malloc(n > 0 ? (size_t)n : 1);
    BL_ASSERT(p != NULL && fread(p, 1, (size_t)n, f) == (size_t)n);
    fclose(f);
    *size_bytes = (size_t)n;
    return p;
}

static void add_member(struct archive *a, const struct test_member *m)
{
    struct archive_entry *e = archive_entry_new();
    const size_t n = m->size_bytes > 0 ? m->size_bytes
                     : m->text != NULL ? strlen(m->text)
                                       : 0;

    archive_entry_set_pathname(e, m->name);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_filetype(e, m->kind == '/'   ? AE_IFDIR
                                  : m->kind == '@' ? AE_IFLNK
                                                   : AE_IFREG);
    if (m->kind == '@')
        archive_entry_set_symlink(e, m->text);
    archive_entry_set_size(e, m->kind == 0 ? (la_int64_t)n : 0);
    BL_ASSERT(archive_write_header(a, e) == ARCHIVE_OK);
    if (m->kind == 0)
        BL_ASSERT(archive_write_data(a, m->text, n) == (la_ssize_t)n);
    archive_entry_free(e);
}

const char *test_tar(const char *name, const char *filter,
                     const struct test_member *member, size_t count)
{
    const char *path = test_path(name);
    struct archive *a = archive_write_new();

    archive_write_set_format_pax_restricted(a);
    if (filter != NULL)
        BL_ASSERT(archive_write_add_filter_by_name(a, filter) == ARCHIVE_OK);
    BL_ASSERT(archive_write_open_filename(a, path) == ARCHIVE_OK);
    for (size_t i = 0; i < count; i++)
        add_member(a, &member[i]);
    BL_ASSERT(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
    return path;
}

const char *test_packed(const char *name, const char *filter, const char *text)
{
    const char *path = test_path(name);
    const struct test_member m = { .name = "data", .text = text };
    struct archive *a = archive_write_new();

    archive_write_set_format_raw(a);
    BL_ASSERT(archive_write_add_filter_by_name(a, filter) == ARCHIVE_OK);
    BL_ASSERT(archive_write_open_filename(a, path) == ARCHIVE_OK);
    add_member(a, &m);
    BL_ASSERT(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
    return path;
}
