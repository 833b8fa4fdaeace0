/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PlanetLab and GCD have in common: a folder or archive with one file for
 * each VM, one line for each step, the same number of lines in all. VMs are
 * numbered in the byte order of their file names.
 */
#include "trace/trace_priv.h"

#include <stdio.h>

enum { STEP_S = 300 };

struct members {
    const struct bl__members *what;
    struct bl__input *in;
    struct bl__table *t;
    struct bl__table_end end;
    char first[BL_NAME_BYTES]; /* the file that says how many steps there are */
};

static bl_err check_count(struct members *m, const char *name, uint32_t n,
                          struct bl_diag *diag)
{
    if (n == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(m->in), 0,
                           "holds no line, expected one for each step");
    if (m->end.step_count == 0) {
        m->end.step_count = n;
        snprintf(m->first, sizeof(m->first), "%s", name);
    }
    if (n != m->end.step_count)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(m->in), 0,
                           "%u lines, expected %u as in '%s'", n,
                           m->end.step_count, m->first);
    return BL_ERR_OK;
}

static bl_err read_vm(struct members *m, const char *name, struct bl__text body,
                      struct bl_diag *diag)
{
    const struct bl__text vm = { name, strlen(name) };
    struct bl__life life = { .arrive = 0 };
    struct bl__member v = { .body = body, .repairs = &m->end.repairs };
    const size_t room = body.size_bytes / m->what->line_bytes_min + 1;

    if (!bl__name_ok(vm))
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(m->in), 0,
                           "its name is not UTF-8 text");
    v.step_max =
        room < BL_TRACE_STEPS_MAX ? (uint32_t)room : BL_TRACE_STEPS_MAX;
    BL_TRY(bl__table_cells(m->t, v.step_max, v.cell, diag));
    BL_TRY(m->what->parse(m->in, &v, diag));
    bl__table_shrink(m->t, v.step_max - v.step_count);
    BL_TRY(check_count(m, name, v.step_count, diag));
    life.step_count = v.step_count;
    return bl__table_life(m->t, vm, 1, &life, diag);
}

static bl_err read_all(struct members *m, struct bl_trace **out,
                       struct bl_diag *diag)
{
    const char *name;
    struct bl__text body;
    bl_err e;

    while ((e = bl__input_member(m->in, &name, &body, diag)) == BL_ERR_OK)
        BL_TRY(read_vm(m, name, body, diag));
    if (e != BL_ERR_END)
        return e;
    return bl__table_finish(m->t, &m->end, out, diag);
}

bl_err bl__members_read(struct bl__input *in, const struct bl__members *what,
                        const struct bl_trace_opts *opts, struct bl_trace **out,
                        struct bl_diag *diag)
{
    const struct bl__table_opts table = { .has_cpu = true,
                                          .has_mem = what->has_mem,
                                          .tmp_dir = opts->tmp_dir };
    struct members m = {
        .what = what,
        .in = in,
        .end = { .sort_by_name = true,
                 .step_ns = STEP_S * INT64_C(1000000000),
                 .path = bl__input_path(in),
                 .format = what->format->name },
    };
    bl_err e;

    if (bl__input_kind(in) == BL__INPUT_STREAM)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "is a single file, expected a folder or archive "
                           "with one file for each VM");
    BL_TRY(bl__table_create(&table, &m.t, diag));
    e = read_all(&m, out, diag);
    if (e != BL_ERR_OK)
        bl__table_close(m.t);
    return e;
}

bl_err bl__members_full(const struct bl__input *in, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_FULL, bl__input_label(in), 0,
                       "more than %u lines", BL_TRACE_STEPS_MAX);
}
