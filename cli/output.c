/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a run: complete under their name, or not there at all. */
#define _DEFAULT_SOURCE
#include "cli/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_SUFFIX ".tmp.XXXXXX"

static const char *const all_files[] = { "report.txt", "report.json",
                                         "steps.csv",  "hosts.csv",
                                         "vms.csv",    "journal.csv" };

/* mkstemp and mkdtemp are stricter than what the user's umask asks for. */
static mode_t allowed(mode_t mode)
{
    const mode_t mask = umask(0);

    umask(mask);
    return mode & ~mask;
}

static bl_err cannot(struct bl_diag *diag, const char *path, const char *what)
{
    return bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot be %s: %s", what,
                       strerror(errno));
}

/* Closes @f; a write that failed earlier counts as well. */
static bl_err close_file(FILE *f, const char *path, struct bl_diag *diag)
{
    const bool failed = ferror(f) != 0;

    if (fclose(f) != 0 || failed)
        return cannot(diag, path, "written");
    return BL_ERR_OK;
}

/* ---- a directory -------------------------------------------------------- */

static bl_err open_in(struct bl_output *o, const char *name, FILE **out,
                      struct bl_diag *diag)
{
    char path[BL_OUTPUT_PATH_BYTES + 32];

    snprintf(path, sizeof(path), "%s/%s", o->temp, name);
    *out = fopen(path, "w");
    return *out == NULL ? cannot(diag, path, "created") : BL_ERR_OK;
}

/* "dir/" names the same directory as "dir"; its temporary one is beside it. */
static bl_err set_paths(struct bl_output *o, const char *path,
                        struct bl_diag *diag)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0 || n + sizeof(TEMP_SUFFIX) > sizeof(o->temp))
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "a path of %zu bytes, expected 1 to %zu", n,
                           sizeof(o->temp) - sizeof(TEMP_SUFFIX));
    snprintf(o->path, sizeof(o->path), "%.*s", (int)n, path);
    snprintf(o->temp, sizeof(o->temp), "%.*s%s", (int)n, path, TEMP_SUFFIX);
    return BL_ERR_OK;
}

bl_err bl_output_open(struct bl_output *o, const char *path, bool whole,
                      struct bl_diag *diag)
{
    struct stat st;
    bl_err e;

    *o = (struct bl_output){ .whole = whole };
    BL_TRY(set_paths(o, path, diag));
    if (lstat(o->path, &st) == 0)
        return bl_diag_set(diag, BL_ERR_INVAL, o->path, 0,
                           "exists already, expected the name of a new "
                           "directory");
    if (mkdtemp(o->temp) == NULL)
        return cannot(diag, o->path, "created");
    o->open = true;
    e = open_in(o, "vms.csv", &o->vms, diag);
    if (e == BL_ERR_OK && whole)
        e = open_in(o, "journal.csv", &o->journal, diag);
    if (e != BL_ERR_OK) {
        bl_output_abandon(o);
        return e;
    }
    bl_csv_vms_head(o->vms);
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
    const struct bl_result *r, *base;
    struct bl_style style;
};

static bl_err write_text(FILE *f, const struct content *c)
{
    bl_report_text(f, c->r, c->base, &c->style);
    return BL_ERR_OK;
}

static bl_err write_json(FILE *f, const struct content *c)
{
    return bl_report_json(f, c->r, c->base);
}

static bl_err write_steps(FILE *f, const struct content *c)
{
    bl_csv_steps(f, c->r);
    return BL_ERR_OK;
}

static bl_err write_hosts(FILE *f, const struct content *c)
{
    bl_csv_hosts(f, c->r);
    return BL_ERR_OK;
}

static bl_err write_one(struct bl_output *o, const char *name,
                        bl_err (*write)(FILE *f, const struct content *c),
                        const struct content *c, struct bl_diag *diag)
{
    FILE *f = NULL;
    bl_err e, closed;

    BL_TRY(open_in(o, name, &f, diag));
    e = write(f, c);
    if (e != BL_ERR_OK)
        (void)bl_diag_set(diag, e, o->path, 0, "%s", bl_err_text(e));
    closed = close_file(f, o->path, diag);
    return e != BL_ERR_OK ? e : closed;
}

static bl_err close_streams(struct bl_output *o, struct bl_diag *diag)
{
    FILE *vms = o->vms, *journal = o->journal;
    bl_err e;

    o->vms = NULL;
    o->journal = NULL;
    e = close_file(vms, o->path, diag);
    if (journal != NULL) {
        const bl_err closed = close_file(journal, o->path, diag);

        e = e != BL_ERR_OK ? e : closed;
    }
    return e;
}

static bl_err write_all(struct bl_output *o, const struct content *c,
                        struct bl_diag *diag)
{
    struct stat st;

    BL_TRY(close_streams(o, diag));
    BL_TRY(write_one(o, "steps.csv", write_steps, c, diag));
    BL_TRY(write_one(o, "hosts.csv", write_hosts, c, diag));
    if (o->whole) {
        BL_TRY(write_one(o, "report.txt", write_text, c, diag));
        BL_TRY(write_one(o, "report.json", write_json, c, diag));
    }
    if (lstat(o->path, &st) == 0) /* it came while we ran */
        return bl_diag_set(diag, BL_ERR_INVAL, o->path, 0,
                           "exists already, expected the name of a new "
                           "directory");
    if (chmod(o->temp, allowed(0777)) != 0 || rename(o->temp, o->path) != 0)
        return cannot(diag, o->path, "created");
    o->open = false;
    return BL_ERR_OK;
}

bl_err bl_output_finish(struct bl_output *o, const struct bl_result *r,
                        const struct bl_result *base,
                        const struct bl_style *style, struct bl_diag *diag)
{
    const struct content c = { r, base, { style->utf8, false } };
    bl_err e = BL_ERR_OK;

    if (!o->open)
        return BL_ERR_OK;
    e = write_all(o, &c, diag);
    if (e != BL_ERR_OK)
        bl_output_abandon(o);
    return e;
}

void bl_output_abandon(struct bl_output *o)
{
    char path[BL_OUTPUT_PATH_BYTES + 32];

    if (!o->open)
        return;
    if (o->vms != NULL)
        fclose(o->vms);
    if (o->journal != NULL)
        fclose(o->journal);
    for (size_t i = 0; i < sizeof(all_files) / sizeof(all_files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", o->temp, all_files[i]);
        unlink(path);
    }
    rmdir(o->temp);
    *o = (struct bl_output){ .open = false };
}

/* ---- a file ------------------------------------------------------------- */

static bl_err write_and_close(FILE *f, const char *path, bl_write_fn write,
                              const void *what, struct bl_diag *diag)
{
    const bl_err e = write(f, what);
    bl_err closed;

    if (e != BL_ERR_OK)
        (void)bl_diag_set(diag, e, path, 0, "%s", bl_err_text(e));
    closed = close_file(f, path, diag);
    return e != BL_ERR_OK ? e : closed;
}

bl_err bl_output_file(const char *path, bl_write_fn write, const void *what,
                      struct bl_diag *diag)
{
    char temp[BL_OUTPUT_PATH_BYTES];
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    int fd;
    FILE *f;
    bl_err e;

    if (strlen(path) + sizeof(TEMP_SUFFIX) > sizeof(temp))
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "a path of %zu bytes, expected at most %zu",
                           strlen(path), sizeof(temp) - sizeof(TEMP_SUFFIX));
    if (special) { /* a pipe or a device: nothing may take its place */
        f = fopen(path, "w");
        return f == NULL ? cannot(diag, path, "opened")
                         : write_and_close(f, path, write, what, diag);
    }
    snprintf(temp, sizeof(temp), "%s%s", path, TEMP_SUFFIX);
    fd = mkstemp(temp);
    if (fd < 0)
        return cannot(diag, path, "created");
    f = fdopen(fd, "w");
    if (f == NULL) {
        close(fd);
        unlink(temp);
        return cannot(diag, path, "created");
    }
    e = write_and_close(f, path, write, what, diag);
    if (e == BL_ERR_OK &&
        (chmod(temp, allowed(0666)) != 0 || rename(temp, path) != 0))
        e = cannot(diag, path, "created");
    if (e != BL_ERR_OK)
        unlink(temp);
    return e;
}
