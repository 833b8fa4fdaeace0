/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign files as members or lines: libarchive unpacks (tar, zstd, gzip and
 * nothing else is switched on), this file bounds what comes out of it. A file
 * that is no archive is a stream of lines; an archive or a folder is a
 * sequence of members that are small enough to be read whole.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/trace_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 17, /* asked from the system at once */
    NAME_BYTES_MAX = 4096,
    LABEL_PATH_BYTES = 90,
};

struct bl__input {
    enum bl__input_kind kind;
    char *path;
    const char *expected; /* what it should be, for messages */
    char label[BL__LABEL_BYTES];
    int fd; /* the file or folder; -1 when closed */
    uint64_t read_bytes;

    struct archive *archive;
    struct archive_entry *entry; /* header that was read ahead, or NULL */
    char **file;                 /* of a folder */
    uint32_t file_count, file_next;

    char *buf; /* the member, or the unread part of the stream */
    size_t buf_bytes;
    char name[NAME_BYTES_MAX];
    size_t member_bytes;
    bool again;

    size_t begin, end; /* unread part of buf */
    size_t line_begin; /* the line that bl__input_line() returned last */
    unsigned long line_number;
    bool at_end, has_nul;
};

/* ---- labels and errors ------------------------------------------------ */

static void set_label(struct bl__input *in, const char *member)
{
    const size_t n = strlen(in->path);
    const bool cut = n > LABEL_PATH_BYTES;
    const char *path = cut ? in->path + n - LABEL_PATH_BYTES + 3 : in->path;

    if (member == NULL)
        snprintf(in->label, sizeof(in->label), "%s%s", cut ? "..." : "", path);
    else
        snprintf(in->label, sizeof(in->label), "%s%s(%.60s)", cut ? "..." : "",
                 path, member);
}

static bl_err no_memory(const struct bl__input *in, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, in->label, 0,
                       "out of memory while reading it");
}

static bl_err archive_failed(struct bl__input *in, struct bl_diag *diag)
{
    const char *why = archive_error_string(in->archive);

    return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                       "cannot be unpacked: %s",
                       why != NULL ? why : "damaged or truncated");
}

static bl_err count_bytes(struct bl__input *in, size_t n, struct bl_diag *diag)
{
    in->read_bytes += n;
    if (in->read_bytes > BL_TRACE_SOURCE_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, in->label, 0,
                           "unpacks to more than %llu bytes",
                           (unsigned long long)BL_TRACE_SOURCE_BYTES_MAX);
    return BL_ERR_OK;
}

/* Makes room for at least @want bytes in buf. */
static bl_err need_buf(struct bl__input *in, size_t want, struct bl_diag *diag)
{
    char *buf;
    size_t size = in->buf_bytes > 0 ? in->buf_bytes : READ_BYTES;

    if (want <= in->buf_bytes)
        return BL_ERR_OK;
    while (size < want)
        size *= 2;
    buf = bl__grow(in->buf, size);
    if (buf == NULL)
        return no_memory(in, diag);
    in->buf = buf;
    in->buf_bytes = size;
    return BL_ERR_OK;
}

/* ---- opening ---------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bl_err add_file(struct bl__input *in, const char *name,
                       uint32_t *capacity, struct bl_diag *diag)
{
    const size_t n = strlen(name) + 1;

    if (in->file_count == *capacity) {
        const uint32_t grown = *capacity > 0 ? 2 * *capacity : 256;
        char **file = bl__grow(in->file, grown * sizeof(file[0]));

        if (file == NULL)
            return no_memory(in, diag);
        in->file = file;
        *capacity = grown;
    }
    if (in->file_count == BL_TRACE_VMS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, in->label, 0,
                           "more than %u files", BL_TRACE_VMS_MAX);
    in->file[in->file_count] = bl__alloc(n, 1);
    if (in->file[in->file_count] == NULL)
        return no_memory(in, diag);
    memcpy(in->file[in->file_count++], name, n);
    return BL_ERR_OK;
}

static bl_err list_folder(struct bl__input *in, DIR *dir, struct bl_diag *diag)
{
    uint32_t capacity = 0;
    const struct dirent *d;

    while (errno = 0, (d = readdir(dir)) != NULL)
        if (d->d_name[0] != '.') /* hidden: not part of the trace */
            BL_TRY(add_file(in, d->d_name, &capacity, diag));
    if (errno != 0)
        return bl_diag_set(diag, BL_ERR_IO, in->label, 0,
                           "cannot be listed: %s", strerror(errno));
    if (in->file_count > 0)
        qsort(in->file, in->file_count, sizeof(in->file[0]), compare_names);
    return BL_ERR_OK;
}

static bl_err open_folder(struct bl__input *in, struct bl_diag *diag)
{
    const int fd = dup(in->fd);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bl_err e;

    in->kind = BL__INPUT_FOLDER;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return bl_diag_set(diag, BL_ERR_IO, in->label, 0,
                           "cannot be listed: %s", strerror(errno));
    }
    e = list_folder(in, dir, diag);
    closedir(dir);
    return e;
}

/* Reads the first header, because it tells an archive from a stream. */
static bl_err open_file(struct bl__input *in, struct bl_diag *diag)
{
    struct archive *a = archive_read_new();
    int r;

    if (a == NULL)
        return no_memory(in, diag);
    in->archive = a;
    if (archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK ||
        archive_read_support_format_raw(a) != ARCHIVE_OK ||
        archive_read_open_fd(a, in->fd, READ_BYTES) != ARCHIVE_OK)
        return archive_failed(in, diag);
    r = archive_read_next_header(a, &in->entry);
    if (r == ARCHIVE_EOF)
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                           "an archive without members, or a file of NUL "
                           "bytes; expected %s",
                           in->expected);
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
        return archive_failed(in, diag);
    in->kind = archive_format(a) == ARCHIVE_FORMAT_RAW ? BL__INPUT_STREAM
                                                       : BL__INPUT_ARCHIVE;
    return BL_ERR_OK;
}

static bl_err open_path(struct bl__input *in, struct bl_diag *diag)
{
    struct stat st;

    /* NONBLOCK: a FIFO is refused below, not waited for */
    in->fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in->fd < 0 || fstat(in->fd, &st) != 0)
        return bl_diag_set(diag, BL_ERR_IO, in->label, 0,
                           "cannot be opened: %s; expected %s", strerror(errno),
                           in->expected);
    if (S_ISDIR(st.st_mode))
        return open_folder(in, diag);
    if (!S_ISREG(st.st_mode))
        return bl_diag_set(diag, BL_ERR_IO, in->label, 0,
                           "is neither a file nor a folder, expected %s",
                           in->expected);
    if (st.st_size == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                           "is empty, expected %s", in->expected);
    return open_file(in, diag);
}

bl_err bl__input_open(const char *path, struct bl__input **out,
                      struct bl_diag *diag)
{
    return bl__input_open_as(path, "a trace", out, diag);
}

bl_err bl__input_open_as(const char *path, const char *expected,
                         struct bl__input **out, struct bl_diag *diag)
{
    struct bl__input *in = bl__alloc(1, sizeof(*in));
    const size_t n = strlen(path) + 1;
    bl_err e;

    if (in == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    in->fd = -1;
    in->path = bl__alloc(n, 1);
    if (in->path == NULL) {
        free(in);
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    }
    memcpy(in->path, path, n);
    in->expected = expected;
    set_label(in, NULL);
    e = open_path(in, diag);
    if (e != BL_ERR_OK)
        bl__input_close(in);
    else
        *out = in;
    return e;
}

bl_err bl__input_open_in(const struct bl__input *folder, const char *name,
                         struct bl__input **out, struct bl_diag *diag)
{
    const size_t size = strlen(folder->path) + strlen(name) + 2;
    char *path = bl__alloc(size, 1);
    bl_err e;

    if (path == NULL)
        return no_memory(folder, diag);
    snprintf(path, size, "%s/%s", folder->path, name);
    e = bl__input_open(path, out, diag);
    if (e == BL_ERR_OK && (*out)->kind != BL__INPUT_STREAM) {
        e = bl_diag_set(diag, BL_ERR_PARSE, (*out)->label, 0,
                        "is not a file of lines");
        bl__input_close(*out);
    }
    free(path);
    return e;
}

void bl__input_close(struct bl__input *in)
{
    if (in == NULL)
        return;
    if (in->archive != NULL)
        archive_read_free(in->archive);
    if (in->fd >= 0)
        close(in->fd);
    for (uint32_t i = 0; i < in->file_count; i++)
        free(in->file[i]);
    free(in->file);
    free(in->buf);
    free(in->path);
    free(in);
}

enum bl__input_kind bl__input_kind(const struct bl__input *in)
{
    return in->kind;
}

const char *bl__input_path(const struct bl__input *in)
{
    return in->path;
}

const char *bl__input_label(const struct bl__input *in)
{
    return in->label;
}

uint32_t bl__input_file_count(const struct bl__input *in)
{
    return in->file_count;
}

const char *bl__input_file(const struct bl__input *in, uint32_t i)
{
    BL_ASSERT(i < in->file_count);
    return in->file[i];
}

/* ---- members ---------------------------------------------------------- */

/* Reads until the end of the member, whichever way it comes. */
typedef ssize_t (*read_fn)(void *from, void *to, size_t n);

static ssize_t read_archive(void *from, void *to, size_t n)
{
    return archive_read_data(from, to, n);
}

static ssize_t read_fd(void *from, void *to, size_t n)
{
    return read(*(const int *)from, to, n);
}

static bl_err slurp(struct bl__input *in, read_fn fn, void *from,
                    struct bl_diag *diag)
{
    size_t used = 0;
    ssize_t n;

    do {
        if (used > BL__MEMBER_BYTES_MAX)
            return bl_diag_set(diag, BL_ERR_FULL, in->label, 0,
                               "holds more than %u bytes for one VM",
                               BL__MEMBER_BYTES_MAX);
        BL_TRY(need_buf(in, used + READ_BYTES / 2, diag));
        n = fn(from, in->buf + used, in->buf_bytes - used);
        if (n < 0 && in->archive != NULL)
            return archive_failed(in, diag);
        if (n < 0)
            return bl_diag_set(diag, BL_ERR_IO, in->label, 0,
                               "cannot be read: %s", strerror(errno));
        BL_TRY(count_bytes(in, (size_t)n, diag));
        used += (size_t)n;
    } while (n > 0);
    in->member_bytes = used;
    return BL_ERR_OK;
}

/* false: nothing that could be a VM (a folder, a hidden file). */
static bl_err member_name(struct bl__input *in, bool *wanted,
                          struct bl_diag *diag)
{
    const char *path = archive_entry_pathname(in->entry);
    const char *base;

    if (path == NULL)
        path = archive_entry_pathname_utf8(in->entry);
    if (path == NULL || strlen(path) >= sizeof(in->name))
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                           "a member has no name, or one of %d bytes or more",
                           NAME_BYTES_MAX);
    base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    *wanted = archive_entry_filetype(in->entry) != AE_IFDIR && base[0] != '.';
    if (!*wanted)
        return BL_ERR_OK;
    memcpy(in->name, base, strlen(base) + 1);
    set_label(in, in->name);
    if (archive_entry_filetype(in->entry) != AE_IFREG ||
        archive_entry_hardlink(in->entry) != NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                           "is not a plain file, expected one for each VM");
    return BL_ERR_OK;
}

static bl_err next_entry(struct bl__input *in, struct bl_diag *diag)
{
    bool wanted = false;

    while (!wanted) {
        if (in->entry == NULL) {
            const int r = archive_read_next_header(in->archive, &in->entry);

            if (r == ARCHIVE_EOF) {
                in->entry = NULL;
                set_label(in, NULL);
                return BL_ERR_END;
            }
            if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return archive_failed(in, diag);
        }
        BL_TRY(member_name(in, &wanted, diag));
        in->entry = NULL;
    }
    return slurp(in, read_archive, in->archive, diag);
}

static bl_err next_file(struct bl__input *in, struct bl_diag *diag)
{
    struct stat st;
    bl_err e;
    int fd;

    if (in->file_next == in->file_count) {
        set_label(in, NULL);
        return BL_ERR_END;
    }

    const char *name = in->file[in->file_next++];

    set_label(in, name);
    if (strlen(name) >= sizeof(in->name))
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                           "name of %d bytes or more", NAME_BYTES_MAX);
    memcpy(in->name, name, strlen(name) + 1);
    fd = openat(in->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        e = bl_diag_set(diag, BL_ERR_IO, in->label, 0, "cannot be opened: %s",
                        strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        e = bl_diag_set(diag, BL_ERR_PARSE, in->label, 0,
                        "is not a plain file, expected one for each VM");
    } else {
        e = slurp(in, read_fd, &fd, diag);
    }
    if (fd >= 0)
        close(fd);
    return e;
}

bl_err bl__input_member(struct bl__input *in, const char **name,
                        struct bl__text *body, struct bl_diag *diag)
{
    BL_ASSERT(in->kind != BL__INPUT_STREAM);
    if (in->again)
        in->again = false;
    else if (in->kind == BL__INPUT_ARCHIVE)
        BL_TRY(next_entry(in, diag));
    else
        BL_TRY(next_file(in, diag));
    *name = in->name;
    *body = (struct bl__text){ in->buf, in->member_bytes };
    return BL_ERR_OK;
}

void bl__input_member_again(struct bl__input *in)
{
    in->again = true;
}

/* ---- lines ------------------------------------------------------------ */

/* More bytes behind the unread ones, which move to the front of buf. */
static bl_err fill(struct bl__input *in, struct bl_diag *diag)
{
    const size_t unread = in->end - in->begin;
    ssize_t n;

    if (unread > BL__LINE_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, in->line_number + 1,
                           "line of more than %u bytes", BL__LINE_BYTES_MAX);
    if (unread > 0)
        memmove(in->buf, in->buf + in->begin, unread);
    in->begin = 0;
    in->end = unread;
    BL_TRY(need_buf(in, unread + READ_BYTES, diag));
    n = archive_read_data(in->archive, in->buf + unread,
                          in->buf_bytes - unread);
    if (n < 0)
        return archive_failed(in, diag);
    in->at_end = n == 0;
    in->end += (size_t)n;
    in->has_nul = in->end > 0 && memchr(in->buf, '\0', in->end) != NULL;
    return count_bytes(in, (size_t)n, diag);
}

bl_err bl__input_line(struct bl__input *in, struct bl__text *line,
                      struct bl_diag *diag)
{
    const char *newline = NULL;
    size_t n;

    BL_ASSERT(in->kind == BL__INPUT_STREAM);
    for (;;) {
        if (in->end > in->begin)
            newline = memchr(in->buf + in->begin, '\n', in->end - in->begin);
        if (newline != NULL || in->at_end)
            break;
        BL_TRY(fill(in, diag));
    }
    if (in->begin == in->end)
        return BL_ERR_END;
    in->line_number++;
    n = newline != NULL ? (size_t)(newline - in->buf) - in->begin
                        : in->end - in->begin;
    *line = (struct bl__text){ in->buf + in->begin, n };
    in->line_begin = in->begin;
    in->begin += n + (newline != NULL);
    if (in->has_nul && memchr(line->p, '\0', n) != NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, in->label, in->line_number,
                           "NUL byte, expected text");
    if (n > 0 && line->p[n - 1] == '\r')
        line->size_bytes--;
    return BL_ERR_OK;
}

void bl__input_line_again(struct bl__input *in)
{
    BL_ASSERT(in->line_number > 0);
    in->begin = in->line_begin;
    in->line_number--;
}

unsigned long bl__input_line_number(const struct bl__input *in)
{
    return in->line_number;
}
