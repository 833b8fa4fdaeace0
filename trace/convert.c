/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats that come step by step (generic CSV, Azure) go through an unlinked
 * columnar file: one pass over the source, then a stream like any other, with
 * the header's figures known before the first step.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/trace_priv.h"

#include <unistd.h>

bl_err bl__convert_begin(struct bl__convert *c, const char *path,
                         const struct bl_trace_opts *opts,
                         struct bl_trace_info *info, struct bl_diag *diag)
{
    bl_err e;

    *c = (struct bl__convert){ .fd = -1 };
    bl__trace_name(info->name, path);
    BL_TRY(bl__tmp_file(opts->tmp_dir, &c->fd, diag));
    e = bl__writer_create(c->fd, path, info, &c->w, diag);
    if (e != BL_ERR_OK) {
        close(c->fd);
        c->fd = -1;
    }
    return e;
}

bl_err bl__convert_end(struct bl__convert *c, bl_err e,
                       const struct bl_trace_repairs *repairs,
                       const struct bl_trace_opts *opts, struct bl_trace **out,
                       struct bl_diag *diag)
{
    if (e == BL_ERR_OK)
        e = bl__writer_finish(c->w, repairs, diag);
    bl__writer_close(c->w);
    c->w = NULL;
    if (e != BL_ERR_OK && c->fd >= 0)
        close(c->fd);
    if (e == BL_ERR_OK)
        e = bl__columnar_open_fd(c->fd, "temporary file", opts->thread_count,
                                 out, diag);
    c->fd = -1;
    if (e == BL_ERR_OK)
        memcpy((*out)->info.format, (*out)->info.origin, BL_NAME_BYTES);
    return e;
}
