/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "report/compare.h"

#include "report/host_report.h"
#include "report/report_priv.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

/* ---- reading ------------------------------------------------------------ */

struct source {
    FILE *f;
    uint64_t bytes;
};

/* jansson reads what we hand it: no more than the limit. */
static size_t read_some(void *buffer, size_t size, void *ctx)
{
    struct source *s = ctx;
    const size_t n = fread(buffer, 1, size, s->f);

    s->bytes += n;
    return ferror(s->f) || s->bytes > BL_COMPARE_BYTES_MAX ? (size_t)-1 : n;
}

static bl_err parse(const char *path, FILE *f, json_t **out,
                    struct bl_diag *diag)
{
    struct source source = { f, 0 };
    json_error_t why;
    json_t *doc =
        json_load_callback(read_some, &source, JSON_REJECT_DUPLICATES, &why);

    if (doc != NULL) {
        *out = doc;
        return BL_ERR_OK;
    }
    if (ferror(f))
        return bl_diag_set(diag, BL_ERR_IO, path, 0, "cannot read: %s",
                           strerror(errno));
    if (source.bytes > BL_COMPARE_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, path, 0,
                           "larger than %llu MiB, expected a report of "
                           "'ballast sim --json'",
                           (unsigned long long)(BL_COMPARE_BYTES_MAX >> 20));
    return bl_diag_set(diag, BL_ERR_PARSE, path,
                       why.line > 0 ? (unsigned long)why.line : 1,
                       "not JSON (%.100s), expected a report of "
                       "'ballast sim --json'",
                       why.text);
}

static bl_err open_report(const char *path, char *file, FILE **out,
                          struct bl_diag *diag)
{
    struct stat st;
    FILE *f;
    int n = snprintf(file, BL_COMPARE_PATH_BYTES, "%s", path);

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        n = snprintf(file, BL_COMPARE_PATH_BYTES, "%s/report.json", path);
    if (n < 0 || n >= BL_COMPARE_PATH_BYTES)
        return bl_diag_set(diag, BL_ERR_FULL, NULL, 0,
                           "path of %zu bytes, expected less than %d",
                           strlen(path), BL_COMPARE_PATH_BYTES);
    f = fopen(file, "rb");
    if (f == NULL)
        return bl_diag_set(diag, BL_ERR_IO, file, 0, "cannot open: %s",
                           strerror(errno));
    *out = f;
    return BL_ERR_OK;
}

static bl_err read_text(const char *path, const json_t *object, const char *key,
                        char *out, size_t size, struct bl_diag *diag)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, path, 0,
                           "no text '%s', expected a report of "
                           "'ballast sim --json'",
                           key);
    snprintf(out, size, "%s", text);
    return BL_ERR_OK;
}

static bl_err read_identity(const char *path, const json_t *id,
                            struct bl_compared *c, struct bl_diag *diag)
{
    const struct {
        const char *key;
        char *out;
        size_t size;
    } field[] = {
        { "version", c->version, sizeof(c->version) },
        { "scenario", c->scenario, sizeof(c->scenario) },
        { "trace", c->trace, sizeof(c->trace) },
        { "trace_hash", c->trace_hash, sizeof(c->trace_hash) },
        { "policy", c->policy, sizeof(c->policy) },
        { "policy_params", c->policy_params, sizeof(c->policy_params) },
        { "physics", c->physics, sizeof(c->physics) },
        { "demand", c->demand, sizeof(c->demand) },
    };

    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        BL_TRY(read_text(path, id, field[i].key, field[i].out, field[i].size,
                         diag));
    return BL_ERR_OK;
}

static bl_err read_summary(const char *path, const json_t *summary,
                           struct bl_compared *c, struct bl_diag *diag)
{
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++) {
        const char *key = bl_figure_def(i)->key;
        const json_t *v = json_object_get(summary, key);

        if (!json_is_number(v) && !json_is_null(v))
            return bl_diag_set(diag, BL_ERR_PARSE, path, 0,
                               "no number '%s' in the summary, expected a "
                               "report of 'ballast sim --json'",
                               key);
        c->value[i] = json_is_null(v) ? NAN : json_number_value(v);
    }
    c->partial = json_is_true(json_object_get(summary, "partial"));
    return read_text(path, summary, "state_hash", c->state_hash,
                     sizeof(c->state_hash), diag);
}

static bl_err read_document(const char *path, const json_t *doc,
                            struct bl_compared *c, struct bl_diag *diag)
{
    const char *format = json_string_value(json_object_get(doc, "format"));

    if (format != NULL && strcmp(format, BL_JSON_SEEDS) == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, path, 0,
                           "a report of several seeds, expected one run");
    if (format != NULL && (strcmp(format, BL_JSON_HOST) == 0 ||
                           strcmp(format, BL_JSON_HOST_SEEDS) == 0))
        return bl_diag_set(diag, BL_ERR_PARSE, path, 0,
                           "a report of level host, which compare does not "
                           "read, expected one of level cluster");
    if (format == NULL || strcmp(format, BL_JSON_RUN) != 0)
        return bl_diag_set(diag, BL_ERR_PARSE, path, 0,
                           "no \"format\": \"%s\", expected a report of "
                           "'ballast sim --json'",
                           BL_JSON_RUN);
    snprintf(c->path, sizeof(c->path), "%s", path);
    BL_TRY(read_identity(path, json_object_get(doc, "identity"), c, diag));
    return read_summary(path, json_object_get(doc, "summary"), c, diag);
}

bl_err bl_compare_read(FILE *f, const char *file, struct bl_compared *out,
                       struct bl_diag *diag)
{
    struct bl_compared c = { .partial = false };
    json_t *doc = NULL;
    bl_err e = parse(file, f, &doc, diag);

    if (e == BL_ERR_OK)
        e = read_document(file, doc, &c, diag);
    json_decref(doc);
    if (e == BL_ERR_OK)
        *out = c;
    return e;
}

bl_err bl_compare_load(const char *path, struct bl_compared *out,
                       struct bl_diag *diag)
{
    char file[BL_COMPARE_PATH_BYTES];
    FILE *f = NULL;
    bl_err e;

    BL_TRY(open_report(path, file, &f, diag));
    e = bl_compare_read(f, file, out, diag);
    fclose(f);
    return e;
}

/* ---- comparing ---------------------------------------------------------- */

static bl_err differ(const struct bl_compared *a, const struct bl_compared *b,
                     const char *what, const char *in_a, const char *in_b,
                     struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                       "%.80s and %.80s differ in their %s (%.60s, %.60s), "
                       "expected the same input",
                       a->path, b->path, what, in_a, in_b);
}

bl_err bl_compare_check(const struct bl_compared *a,
                        const struct bl_compared *b, struct bl_diag *diag)
{
    static const enum bl_figure same[] = { BL_FIGURE_hosts,
                                           BL_FIGURE_simulated_s };

    if (strcmp(a->trace_hash, b->trace_hash) != 0)
        return differ(a, b, "trace", a->trace, b->trace, diag);
    if (strcmp(a->physics, b->physics) != 0)
        return differ(a, b, "physics", a->physics, b->physics, diag);
    if (strcmp(a->demand, b->demand) != 0)
        return differ(a, b, "demand", a->demand, b->demand, diag);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        char x[BL_TEXT_BYTES], y[BL_TEXT_BYTES];

        if (a->value[same[i]] == b->value[same[i]])
            continue;
        snprintf(x, sizeof(x), "%.12g", a->value[same[i]]);
        snprintf(y, sizeof(y), "%.12g", b->value[same[i]]);
        return differ(a, b, bl_figure_def(same[i])->text, x, y, diag);
    }
    return BL_ERR_OK;
}

static void side(FILE *f, char letter, const struct bl_compared *c,
                 const struct bl_style *s)
{
    char path[BL_COMPARE_PATH_BYTES], words[512];

    bl__name(c->path, BL_REPORT_COLUMNS - 4, s->utf8, path, sizeof(path));
    fprintf(f, "%s%c%s  %s\n", bl__sgr(s, BL_SGR_BOLD), letter,
            bl__sgr(s, BL_SGR_OFF), path);
    snprintf(words, sizeof(words), "policy %s %s", c->policy, c->policy_params);
    bl__name(words, BL_REPORT_COLUMNS - 4, s->utf8, path, sizeof(path));
    fprintf(f, "   %s\n", path);
    snprintf(words, sizeof(words), "%s, demand %s, trace %s", c->physics,
             c->demand, c->trace);
    bl__name(words, BL_REPORT_COLUMNS - 4, s->utf8, path, sizeof(path));
    fprintf(f, "   %s\n", path);
    if (c->partial)
        fprintf(f, "   PARTIAL: this run was interrupted\n");
}

static void row(FILE *f, const char *key, double a, double b)
{
    if (isnan(a) && isnan(b))
        return;
    fprintf(f, "%-20s", key);
    if (isnan(a))
        fprintf(f, " %16s", "-");
    else
        fprintf(f, " %16.9g", a);
    if (isnan(b))
        fprintf(f, " %16s", "-");
    else
        fprintf(f, " %16.9g", b);
    if (a == b)
        fprintf(f, " %14s", "=");
    else if (!isnan(a) && !isnan(b))
        fprintf(f, " %14.6g", b - a);
    if (a != b && a > 0 && !isnan(b))
        fprintf(f, b / a < 1000 && b >= 0 ? " %8.4f" : " %8.2g", b / a);
    fputc('\n', f);
}

void bl_compare_text(FILE *f, const struct bl_compared *a,
                     const struct bl_compared *b, const struct bl_style *style)
{
    char hash_a[BL_TEXT_BYTES], hash_b[BL_TEXT_BYTES];

    side(f, 'A', a, style);
    side(f, 'B', b, style);
    fprintf(f, "\n%s%-20s %16s %16s %14s %8s%s\n", bl__sgr(style, BL_SGR_BOLD),
            "figure", "A", "B", "B - A", "B / A", bl__sgr(style, BL_SGR_OFF));
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++)
        row(f, bl_figure_def(i)->key, a->value[i], b->value[i]);
    bl__name(a->state_hash, 16, false, hash_a, sizeof(hash_a));
    bl__name(b->state_hash, 16, false, hash_b, sizeof(hash_b));
    fprintf(f, "%-20s %16s %16s %14s\n", "state_hash", hash_a, hash_b,
            strcmp(a->state_hash, b->state_hash) == 0 ? "=" : "differs");
}
