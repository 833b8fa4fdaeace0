/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories that are complete under their name, or not there at
 * all. */
#define _DEFAULT_SOURCE
#include "cli/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_SUFFIX ".tmp.XXXXXX"

/* Whatever a run of any level writes. */
static const char *const all_files[] = {
    "report.txt",    "report.json",  "steps.csv",  "hosts.csv",
    "vms.csv",       "journal.csv",  "vcpus.csv",  "pcpus.csv",
    "timeline.json", "timeline.svg", "domains.csv"
};

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

/* "dir/" names the same directory as "dir"; its temporary one is beside it. */
static bl_err set_paths(struct bl_outdir *o, const char *path,
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

/* Nothing may be called @o yet. */
static bl_err expect_free(const struct bl_outdir *o, struct bl_diag *diag)
{
    struct stat st;

    if (lstat(o->path, &st) != 0)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_INVAL, o->path, 0,
                       "exists already, expected the name of a new directory");
}

bl_err bl_outdir_open(struct bl_outdir *o, const char *path,
                      struct bl_diag *diag)
{
    *o = (struct bl_outdir){ .open = false };
    BL_TRY(set_paths(o, path, diag));
    BL_TRY(expect_free(o, diag));
    if (mkdtemp(o->temp) == NULL)
        return cannot(diag, o->path, "created");
    o->open = true;
    return BL_ERR_OK;
}

bl_err bl_outdir_create(struct bl_outdir *o, const char *name, FILE **out,
                        struct bl_diag *diag)
{
    char path[BL_OUTPUT_PATH_BYTES + 32];

    snprintf(path, sizeof(path), "%s/%s", o->temp, name);
    *out = fopen(path, "w");
    return *out == NULL ? cannot(diag, path, "created") : BL_ERR_OK;
}

bl_err bl_outdir_close(struct bl_outdir *o, FILE *f, struct bl_diag *diag)
{
    return close_file(f, o->path, diag);
}

bl_err bl_outdir_write(struct bl_outdir *o, const char *name, bl_write_fn write,
                       const void *what, struct bl_diag *diag)
{
    FILE *f = NULL;
    bl_err e, closed;

    BL_TRY(bl_outdir_create(o, name, &f, diag));
    e = write(f, what);
    if (e != BL_ERR_OK)
        (void)bl_diag_set(diag, e, o->path, 0, "%s", bl_err_text(e));
    closed = close_file(f, o->path, diag);
    return e != BL_ERR_OK ? e : closed;
}

bl_err bl_outdir_finish(struct bl_outdir *o, struct bl_diag *diag)
{
    BL_TRY(expect_free(o, diag)); /* it may have come while we ran */
    if (chmod(o->temp, allowed(0777)) != 0 || rename(o->temp, o->path) != 0)
        return cannot(diag, o->path, "created");
    o->open = false;
    return BL_ERR_OK;
}

void bl_outdir_abandon(struct bl_outdir *o)
{
    char path[BL_OUTPUT_PATH_BYTES + 32];

    if (!o->open)
        return;
    for (size_t i = 0; i < sizeof(all_files) / sizeof(all_files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", o->temp, all_files[i]);
        unlink(path);
    }
    rmdir(o->temp);
    o->open = false;
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

/* A pipe or a device: nothing may take its place. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* A new file beside @path, to be renamed. */
static bl_err create_temp(const char *path, char temp[BL_OUTPUT_PATH_BYTES],
                          int *fd, struct bl_diag *diag)
{
    if (strlen(path) + sizeof(TEMP_SUFFIX) > BL_OUTPUT_PATH_BYTES)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "a path of %zu bytes, expected at most %zu",
                           strlen(path),
                           BL_OUTPUT_PATH_BYTES - sizeof(TEMP_SUFFIX));
    snprintf(temp, BL_OUTPUT_PATH_BYTES, "%s%s", path, TEMP_SUFFIX);
    *fd = mkstemp(temp);
    return *fd < 0 ? cannot(diag, path, "created") : BL_ERR_OK;
}

bl_err bl_output_check(const char *path, struct bl_diag *diag)
{
    char temp[BL_OUTPUT_PATH_BYTES];
    struct stat st;
    int fd = -1;

    if (is_special(path)) {
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            errno = EISDIR;
            return cannot(diag, path, "opened");
        }
        return access(path, W_OK) == 0 ? BL_ERR_OK
                                       : cannot(diag, path, "opened");
    }
    BL_TRY(create_temp(path, temp, &fd, diag));
    close(fd);
    unlink(temp);
    return BL_ERR_OK;
}

bl_err bl_output_file(const char *path, bl_write_fn write, const void *what,
                      struct bl_diag *diag)
{
    char temp[BL_OUTPUT_PATH_BYTES];
    int fd = -1;
    FILE *f;
    bl_err e;

    if (is_special(path)) {
        f = fopen(path, "w");
        return f == NULL ? cannot(diag, path, "opened")
                         : write_and_close(f, path, write, what, diag);
    }
    BL_TRY(create_temp(path, temp, &fd, diag));
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
