/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a run at level cluster. */
#include "cli/observe.h"

#include <string.h>

bl_err bl_output_open(struct bl_output *o, const char *path, bool whole,
                      const struct bl_dc *dc, struct bl_diag *diag)
{
    bl_err e;

    *o = (struct bl_output){ .whole = whole };
    BL_TRY(bl_outdir_open(&o->dir, path, diag));
    e = bl_outdir_create(&o->dir, "vms.csv", &o->vms, diag);
    if (e == BL_ERR_OK && whole)
        e = bl_outdir_create(&o->dir, "journal.csv", &o->journal, diag);
    if (e != BL_ERR_OK) {
        bl_output_abandon(o);
        return e;
    }
    bl_csv_vms_head(o->vms, bl_dc_has_speeds(dc));
    if (whole)
        bl_csv_journal_head(o->journal);
    return BL_ERR_OK;
}

void bl_output_vm(struct bl_output *o, const struct bl_result *r,
                  const struct bl_vm_result *vm)
{
    if (o->vms != NULL)
        bl_csv_vm(o->vms, r, vm);
}

void bl_output_decision(struct bl_output *o, const struct bl_decision *d)
{
    if (o->journal != NULL)
        bl_csv_decision(o->journal, d);
}

struct content {
    const struct bl_result *r;
    const struct bl_baselines *base;
    struct bl_style style;
};

static bl_err write_text(FILE *f, const void *what)
{
    const struct content *c = what;

    bl_report_text(f, c->r, c->base, &c->style);
    return BL_ERR_OK;
}

static bl_err write_json(FILE *f, const void *what)
{
    const struct content *c = what;

    return bl_report_json(f, c->r, c->base);
}

static bl_err write_steps(FILE *f, const void *what)
{
    bl_csv_steps(f, ((const struct content *)what)->r);
    return BL_ERR_OK;
}

static bl_err write_hosts(FILE *f, const void *what)
{
    bl_csv_hosts(f, ((const struct content *)what)->r);
    return BL_ERR_OK;
}

static bl_err close_streams(struct bl_output *o, struct bl_diag *diag)
{
    FILE *vms = o->vms, *journal = o->journal;
    bl_err e;

    o->vms = NULL;
    o->journal = NULL;
    e = bl_outdir_close(&o->dir, vms, diag);
    if (journal != NULL) {
        const bl_err closed = bl_outdir_close(&o->dir, journal, diag);

        e = e != BL_ERR_OK ? e : closed;
    }
    return e;
}

static bl_err write_all(struct bl_output *o, const struct content *c,
                        struct bl_diag *diag)
{
    struct bl_outdir *d = &o->dir;

    BL_TRY(close_streams(o, diag));
    BL_TRY(bl_outdir_write(d, "steps.csv", write_steps, c, diag));
    BL_TRY(bl_outdir_write(d, "hosts.csv", write_hosts, c, diag));
    if (o->whole) {
        BL_TRY(bl_outdir_write(d, "report.txt", write_text, c, diag));
        BL_TRY(bl_outdir_write(d, "report.json", write_json, c, diag));
    }
    return bl_outdir_finish(d, diag);
}

bl_err bl_output_finish(struct bl_output *o, const struct bl_result *r,
                        const struct bl_baselines *base,
                        const struct bl_style *style, struct bl_diag *diag)
{
    const struct content c = { r, base, { style->utf8, false } };
    bl_err e = BL_ERR_OK;

    if (!o->dir.open)
        return BL_ERR_OK;
    e = write_all(o, &c, diag);
    if (e != BL_ERR_OK)
        bl_output_abandon(o);
    return e;
}

void bl_output_abandon(struct bl_output *o)
{
    if (o->vms != NULL)
        fclose(o->vms);
    if (o->journal != NULL)
        fclose(o->journal);
    bl_outdir_abandon(&o->dir);
    *o = (struct bl_output){ .vms = NULL };
}
