/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public face of traces: which format is it, which source serves it, are
 * calls made in order.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/columnar_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bl__format columnar = {
    .name = "columnar",
    .text = "what ballast trace import and generate write",
};

/* In the order in which they are tried: each is sure of itself. */
static const struct bl__format *const formats[] = {
    &columnar,         &bl__format_planetlab, &bl__format_gcd,
    &bl__format_azure, &bl__format_bitbrains, &bl__format_csv,
};
enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

bool bl_trace_format(uint32_t i, const char **name, const char **text)
{
    if (i >= FORMAT_COUNT)
        return false;
    *name = formats[i]->name;
    *text = formats[i]->text;
    return true;
}

static const char *format_list(char *buf, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < FORMAT_COUNT; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s%s", i > 0 ? " " : "",
                              formats[i]->name);
    return buf;
}

void bl__trace_name(char out[BL_NAME_BYTES], const char *path)
{
    static const char *const endings[] = { ".zst", ".gz",  ".tgz",
                                           ".tar", ".csv", ".blt" };
    size_t end = strlen(path), begin;
    struct bl__text name;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (begin = end; begin > 0 && path[begin - 1] != '/'; begin--)
        continue;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t n = strlen(endings[i]);

        if (end - begin > n && memcmp(path + end - n, endings[i], n) == 0)
            end -= n;
    }
    name = (struct bl__text){ path + begin, end - begin };
    if (!bl__name_ok(name))
        name = (struct bl__text){ "trace", 5 };
    bl__name_make(out, name, 1);
}

/* ---- opening ---------------------------------------------------------- */

static bool is_columnar(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned char magic[8];
    struct stat st;
    bool is = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic))
        is = col_get(magic, 8) == COL_MAGIC;
    close(fd);
    return is;
}

/* The beginning of the first member or line, which is then read again. */
static bl_err peek(struct bl__input *in, struct bl__text *head,
                   struct bl_diag *diag)
{
    const char *name;
    bl_err e;

    if (bl__input_kind(in) == BL__INPUT_STREAM)
        e = bl__input_line(in, head, diag);
    else
        e = bl__input_member(in, &name, head, diag);
    if (e == BL_ERR_END)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "holds no data, expected a trace");
    if (e != BL_ERR_OK)
        return e;
    if (bl__input_kind(in) == BL__INPUT_STREAM)
        bl__input_line_again(in);
    else
        bl__input_member_again(in);
    return BL_ERR_OK;
}

static bl_err read_foreign(struct bl__input *in, const struct bl__format *f,
                           const struct bl_trace_opts *opts,
                           struct bl_trace **out, struct bl_diag *diag)
{
    struct bl__text head;
    char list[128];

    BL_TRY(peek(in, &head, diag));
    for (size_t i = 0; f == NULL && i < FORMAT_COUNT; i++)
        if (formats[i]->detect != NULL && formats[i]->detect(in, head))
            f = formats[i];
    if (f == NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "is in no format that is known, expected one of: %s",
                           format_list(list, sizeof(list)));
    return f->read(in, opts, out, diag);
}

static bl_err find_format(const char *name, const struct bl__format **f,
                          struct bl_diag *diag)
{
    char list[128];

    *f = NULL;
    if (name == NULL)
        return BL_ERR_OK;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(name, formats[i]->name) == 0)
            *f = formats[i];
    if (*f != NULL)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                       "no trace format is called '%s', expected one of: %s",
                       name, format_list(list, sizeof(list)));
}

bl_err bl_trace_open(const char *path, const struct bl_trace_opts *opts,
                     struct bl_trace **out, struct bl_diag *diag)
{
    const struct bl__format *f;
    struct bl__input *in;
    bl_err e;

    BL_ASSERT(path != NULL);
    BL_ASSERT(opts->thread_count > 0);
    BL_TRY(find_format(opts->format, &f, diag));
    if (f == &columnar || (f == NULL && is_columnar(path)))
        return bl__columnar_open(path, opts->thread_count, out, diag);
    BL_TRY(bl__input_open(path, &in, diag));
    e = read_foreign(in, f, opts, out, diag);
    bl__input_close(in);
    return e;
}

bl_err bl_trace_open_generated(const struct bl_trace_spec *spec,
                               uint32_t thread_count, struct bl_trace **out,
                               struct bl_diag *diag)
{
    BL_ASSERT(thread_count > 0);
    return bl__trace_generate_open(spec, thread_count, out, diag);
}

/* ---- reading ---------------------------------------------------------- */

const struct bl_trace_info *bl_trace_info(const struct bl_trace *t)
{
    return &t->info;
}

bl_err bl_trace_next(struct bl_trace *t, struct bl_trace_step *out,
                     struct bl_diag *diag)
{
    bl_err e;

    if (t->failed != BL_ERR_OK)
        return bl_diag_set(diag, t->failed, NULL, 0,
                           "trace '%s' could not be read beyond step %u",
                           t->info.name, t->step_next);
    if (t->step_next == t->info.step_count)
        return BL_ERR_END;
    *out = (struct bl_trace_step){ .index = t->step_next };
    e = t->ops->next(t, out, diag);
    BL_ASSERT(e != BL_ERR_END);
    if (e == BL_ERR_OK)
        t->step_next++;
    else
        t->failed = e;
    return e;
}

bl_err bl_trace_rewind(struct bl_trace *t, struct bl_diag *diag)
{
    t->step_next = 0;
    t->failed = t->ops->rewind(t, diag);
    return t->failed;
}

void bl_trace_close(struct bl_trace *t)
{
    if (t != NULL)
        t->ops->close(t);
}

/* ---- writing ---------------------------------------------------------- */

static bl_err write_steps(struct bl_trace *t, struct bl__writer *w,
                          bl_progress_fn progress, void *ctx,
                          struct bl_diag *diag)
{
    struct bl_trace_step step;
    bl_err e;

    BL_TRY(bl_trace_rewind(t, diag));
    while ((e = bl_trace_next(t, &step, diag)) == BL_ERR_OK) {
        BL_TRY(bl__writer_step(w, &step, diag));
        if (progress != NULL &&
            !progress(ctx, step.index + 1, t->info.step_count))
            return bl_diag_set(diag, BL_ERR_IO, t->info.name, 0,
                               "interrupted after %u of %u steps",
                               step.index + 1, t->info.step_count);
    }
    if (e != BL_ERR_END)
        return e;
    return bl__writer_finish(w, &t->info.repairs, diag);
}

static bl_err write_file(struct bl_trace *t, int fd, const char *path,
                         bl_progress_fn progress, void *ctx,
                         struct bl_diag *diag)
{
    struct bl__writer *w;
    bl_err e = bl__writer_create(fd, path, &t->info, &w, diag);

    if (e == BL_ERR_OK) {
        e = write_steps(t, w, progress, ctx, diag);
        bl__writer_close(w);
    }
    return e;
}

bl_err bl_trace_write(struct bl_trace *t, const char *path,
                      bl_progress_fn progress, void *ctx, struct bl_diag *diag)
{
    const size_t size = strlen(path) + 32;
    char *part = bl__alloc(size, 1);
    bl_err e;
    int fd;

    if (part == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    snprintf(part, size, "%s.part-%ld", path, (long)getpid());
    fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        e = bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot be written: %s",
                        strerror(errno));
        free(part);
        return e;
    }
    e = write_file(t, fd, path, progress, ctx, diag);
    if (close(fd) != 0 && e == BL_ERR_OK)
        e = bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot be written: %s",
                        strerror(errno));
    if (e == BL_ERR_OK && rename(part, path) != 0)
        e = bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot be written: %s",
                        strerror(errno));
    if (e != BL_ERR_OK)
        unlink(part);
    free(part);
    return e;
}
