/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a search: its database, and what is written at the end. */
#define _POSIX_C_SOURCE 200809L
#include "cli/tune_priv.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "runs.sqlite"

static char directory[BL_OUTPUT_PATH_BYTES];

/* "/DIR/NAME" in a buffer with room for both. */
static const char *file_in(const char *name, char *buf, size_t size)
{
    snprintf(buf, size, "%s/%s", directory, name);
    return buf;
}

/* NAME.tune, where the scenario's name may be anything. */
static void name_directory(const struct bl_tune *t)
{
    const char *out = t->args->out;

    snprintf(directory, sizeof(directory), "%s%s",
             out != NULL ? out : t->scenario->name, out != NULL ? "" : ".tune");
    if (out != NULL)
        return;
    for (char *c = directory; *c != '\0'; c++)
        if (*c == '/' || (unsigned char)*c <= ' ' ||
            (*c == '.' && c == directory) || (*c == '-' && c == directory))
            *c = '_';
}

static bool is_empty(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    bool empty = true;

    if (d == NULL)
        return false;
    while ((e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            empty = false;
    closedir(d);
    return empty;
}

bl_err bl_tune_out_open(struct bl_tune *t, struct bl_diag *diag)
{
    static char path[BL_OUTPUT_PATH_BYTES + 32];
    struct stat st;

    if (t->args->out != NULL && strlen(t->args->out) >= sizeof(directory))
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "--out of %zu bytes, expected at most %zu",
                           strlen(t->args->out), sizeof(directory) - 1);
    name_directory(t);
    if (mkdir(directory, 0777) != 0) {
        if (errno != EEXIST)
            return bl_diag_set(diag, BL_ERR_IO, directory, 0,
                               "cannot be created: %s", strerror(errno));
        if (stat(file_in(DATABASE, path, sizeof(path)), &st) != 0 &&
            !is_empty(directory))
            return bl_diag_set(diag, BL_ERR_INVAL, directory, 0,
                               "exists already and holds no " DATABASE
                               ", expected a new directory or one that ballast "
                               "tune has written");
    }
    return bl_tune_db_open(file_in(DATABASE, path, sizeof(path)),
                           t->scenario->content_hash, BL_VERSION, &t->db, diag);
}

/* ---- at the end --------------------------------------------------------- */

struct what {
    const struct bl_tune_report *report;
    const struct bl_style *style;
};

static bl_err write_front(FILE *f, const void *what)
{
    bl_tune_csv_front(f, ((const struct what *)what)->report);
    return BL_ERR_OK;
}

static bl_err write_points(FILE *f, const void *what)
{
    bl_tune_csv_points(f, ((const struct what *)what)->report);
    return BL_ERR_OK;
}

static bl_err write_json(FILE *f, const void *what)
{
    return bl_tune_json(f, ((const struct what *)what)->report);
}

static bl_err write_html(FILE *f, const void *what)
{
    return bl_tune_html(f, ((const struct what *)what)->report);
}

static bl_err write_policy(FILE *f, const void *what)
{
    bl_tune_policy(f, ((const struct what *)what)->report);
    return BL_ERR_OK;
}

static bl_err write_text(FILE *f, const void *what)
{
    const struct what *w = what;
    const struct bl_style plain = { w->style->utf8, false };

    bl_tune_text(f, w->report, &plain);
    return BL_ERR_OK;
}

static bl_err write_all(const struct bl_tune_report *r,
                        const struct bl_style *style, struct bl_diag *diag)
{
    static const struct {
        const char *name;
        bl_write_fn write;
    } file[] = {
        { "front.txt", write_text },    { "front.csv", write_front },
        { "points.csv", write_points }, { "front.json", write_json },
        { "front.html", write_html },   { "policy.yaml", write_policy },
    };
    const struct what what = { r, style };
    char path[BL_OUTPUT_PATH_BYTES + 32];

    for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
        file_in(file[i].name, path, sizeof(path));
        if (file[i].write == write_policy && r->chosen == BL_NONE) {
            unlink(path); /* of an earlier search, for another front */
            continue;
        }
        BL_TRY(bl_output_file(path, file[i].write, &what, diag));
    }
    return BL_ERR_OK;
}

static const char *describe(const struct bl_tune *t, char *buf, size_t size)
{
    const unsigned n = t->plan.point_count - 1;

    switch ((enum bl_tune_strategy)t->scenario->tune.strategy) {
    case BL_TUNE_GRID:
        snprintf(buf, size, "grid of %u point%s", n, n == 1 ? "" : "s");
        break;
    case BL_TUNE_RANDOM:
        snprintf(buf, size, "%u point%s at random", n, n == 1 ? "" : "s");
        break;
    case BL_TUNE_HALVING:
        snprintf(buf, size, "successive halving from %u point%s at random", n,
                 n == 1 ? "" : "s");
        break;
    }
    return buf;
}

static void name_days(const struct bl_tune *t, struct bl_tune_day *day)
{
    for (uint32_t i = 0; i < t->trace_count + t->other_count; i++) {
        const struct bl_trace_info *info =
            bl_trace_store_info(t->trace[i].store);

        day[i] = (struct bl_tune_day){ .name = info->name,
                                       .hash = info->content_hash,
                                       .steps = t->trace[i].steps };
    }
}

bl_err bl_tune_out_write(const struct bl_tune *t,
                         const struct bl_tune_outcome *o, struct bl_diag *diag)
{
    struct bl_tune_day day[2 * BL_TUNE_TRACES_MAX];
    char strategy[128];
    const struct bl_tune_report r = {
        .version = BL_VERSION,
        .scenario = t->scenario->name,
        .physics = t->scenario->physics,
        .strategy = describe(t, strategy, sizeof(strategy)),
        .scenario_hash = t->scenario->content_hash,
        .seed = t->scenario->seed,
        .space = &t->plan.space,
        .day = day,
        .other_day = day + t->trace_count,
        .day_count = t->trace_count,
        .other_count = t->other_count,
        .objectives = t->plan.objectives,
        .pick = t->plan.pick,
        .row = o->row,
        .row_count = t->plan.point_count,
        .front = o->front,
        .front_count = o->front_count,
        .chosen = o->chosen,
        .partial = t->runs_done < t->runs_all,
        .runs_done = t->runs_done,
        .runs_all = t->runs_all,
    };

    name_days(t, day);
    BL_TRY(write_all(&r, &t->args->style, diag));
    bl_tune_text(stdout, &r, &t->args->style);
    printf(
        "\n%llu runs were there already, %llu were made. In %s:\n"
        "front.html, front.csv, points.csv, front.json, front.txt%s\n",
        (unsigned long long)t->runs_kept,
        (unsigned long long)(t->runs_done - t->runs_kept), directory,
        o->chosen != BL_NONE ? ", policy.yaml" : "");
    return BL_ERR_OK;
}
