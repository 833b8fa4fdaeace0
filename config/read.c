/* SPDX-License-Identifier: Apache-2.0 */
/* config/read.c - one map of a file into one struct, as a table of fields
 * says: the only place that knows how keys, kinds and ranges are checked. */
#include "config/config_priv.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */
#define EXPECT_BYTES 320

/* --- what was expected -------------------------------------------------- */

/* Appends; what does not fit is cut. */
static void add(char *buf, size_t size, const char *s)
{
    const size_t used = strlen(buf);

    snprintf(buf + used, size - used, "%s", s);
}

void bl__field_expect(const struct bl__field *f, char *buf, size_t size)
{
    buf[0] = '\0';
    if (f->expect != NULL) {
        add(buf, size, f->expect);
    } else if (f->kind == BL__QUANTITY) {
        add(buf, size, bl_units_expect(f->dim));
    } else if (f->choices != NULL) {
        add(buf, size, "one of");
        for (int i = 0; f->choices[i] != NULL; i++) {
            add(buf, size, " ");
            add(buf, size, f->choices[i]);
        }
    } else if (f->kind == BL__NAME) {
        add(buf, size, "a name of letters, digits, '.', '_' and '-'");
    } else {
        add(buf, size, "a text");
    }
    if (f->word != NULL) {
        add(buf, size, ", or ");
        add(buf, size, f->word);
    }
}

bl_err bl__refuse(struct bl__reader *r, unsigned long line, const char *key,
                  const char *what, const char *expect)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, line,
                       "%s: %s, expected %s", key, what, expect);
}

static const char *kind_name(enum bl__node_kind kind)
{
    switch (kind) {
    case BL__TEXT:
        return "a single value";
    case BL__LIST:
        return "a list";
    case BL__MAP:
        break;
    }
    return "a map (KEY: VALUE lines)";
}

bl_err bl__expect_kind(struct bl__reader *r, const struct bl__node *n,
                       enum bl__node_kind kind)
{
    const char *got = kind_name(n->kind);

    if (n->kind == kind)
        return BL_ERR_OK;
    if (n->kind == BL__TEXT && n->text[0] == '\0')
        got = "nothing";
    return bl_diag_set(
        r->diag, BL_ERR_PARSE, r->file, n->line, "%.*s: %s, expected %s", SHOWN,
        n->key != NULL ? n->key : "list entry", got, kind_name(kind));
}

/* --- did you mean ------------------------------------------------------- */

/* Levenshtein's distance; texts longer than a name are far from everything. */
static uint32_t distance(const char *a, const char *b)
{
    const size_t na = strlen(a), nb = strlen(b);
    uint32_t row[BL_NAME_BYTES];

    if (na >= BL_NAME_BYTES || nb >= BL_NAME_BYTES)
        return UINT32_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= na; i++) {
        uint32_t diagonal = row[0];

        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            const uint32_t swap = diagonal + (a[i - 1] != b[j - 1]);
            uint32_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            if (swap < best)
                best = swap;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[nb];
}

void bl__nearest_see(struct bl__nearest *n, const char *name)
{
    const uint32_t d = distance(n->text, name);
    const uint32_t near = (uint32_t)strlen(name) / 3 + 1;

    if (d <= near && (n->best == NULL || d < n->best_distance)) {
        n->best = name;
        n->best_distance = d;
    }
}

static bool has_field(const struct bl__section *s, const char *name)
{
    for (uint32_t i = 0; i < s->field_count; i++)
        if (strcmp(s->field[i].name, name) == 0)
            return true;
    return false;
}

static bl_err refuse_unknown(struct bl__reader *r, const struct bl__section *s,
                             const struct bl__node *n)
{
    struct bl__nearest near = { .text = n->key };
    char known[EXPECT_BYTES] = "";

    if (s->twin != NULL && has_field(s->twin, n->key))
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "key '%s'%s%s belongs to level: %s, expected keys "
                           "of the level that this file has",
                           n->key, s->name[0] != '\0' ? " in " : "", s->name,
                           s->twin_level);
    for (uint32_t i = 0; i < s->field_count; i++) {
        bl__nearest_see(&near, s->field[i].name);
        add(known, sizeof(known), " ");
        add(known, sizeof(known), s->field[i].name);
    }
    if (near.best != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "unknown key '%.*s'%s%s, did you mean '%s'?", SHOWN,
                           n->key, s->name[0] != '\0' ? " in " : "", s->name,
                           near.best);
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "unknown key '%.*s'%s%s, expected one of%s", SHOWN,
                       n->key, s->name[0] != '\0' ? " in " : "", s->name,
                       known);
}

static bl_err refuse_missing(struct bl__reader *r, const struct bl__section *s,
                             const struct bl__field *f, unsigned long line)
{
    char expect[EXPECT_BYTES];

    bl__field_expect(f, expect, sizeof(expect));
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, line,
                       "missing key '%s'%s%s, expected %s", f->name,
                       s->name[0] != '\0' ? " in " : "", s->name, expect);
}

/* --- values ------------------------------------------------------------- */

static void store(const struct bl__field *f, void *target, int64_t v)
{
    unsigned char *at = (unsigned char *)target + f->offset;
    const uint32_t v32 = (uint32_t)v;
    const bool v1 = v != 0;

    if (f->size == sizeof(v)) {
        memcpy(at, &v, sizeof(v));
    } else if (f->size == sizeof(v32)) {
        memcpy(at, &v32, sizeof(v32));
    } else {
        BL_ASSERT(f->size == sizeof(v1));
        memcpy(at, &v1, sizeof(v1));
    }
}

static bl_err refuse_value(struct bl__reader *r, const struct bl__field *f,
                           const struct bl__node *n)
{
    char expect[EXPECT_BYTES];

    bl__field_expect(f, expect, sizeof(expect));
    if (n->text[0] == '\0')
        return bl__refuse(r, n->line, f->name, "no value", expect);
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "%s: '%.*s' is not valid, expected %s", f->name, SHOWN,
                       n->text, expect);
}

static bl_err read_quantity(struct bl__reader *r, const struct bl__field *f,
                            const struct bl__node *n, void *target)
{
    const char *why = NULL;
    char lo[40], hi[40];
    int64_t v = 0;
    bl_err e;

    if (f->word != NULL && strcmp(n->text, f->word) == 0) {
        store(f, target, f->word_value);
        return BL_ERR_OK;
    }
    e = bl_units_parse(f->dim, n->text, &v, &why);
    if (e == BL_ERR_PARSE && why == bl_units_expect(f->dim))
        return refuse_value(r, f, n);
    if (e == BL_ERR_PARSE)
        return bl_diag_set(r->diag, e, r->file, n->line,
                           "%s: '%.*s' is not valid, expected %s", f->name,
                           SHOWN, n->text, why);
    if (e != BL_ERR_OK || v < f->min || v > f->max) {
        bl_units_print(f->dim, f->min, lo, sizeof(lo));
        bl_units_print(f->dim, f->max, hi, sizeof(hi));
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                           "%s: %.*s is out of range, expected %s .. %s",
                           f->name, SHOWN, n->text, lo, hi);
    }
    store(f, target, v);
    return BL_ERR_OK;
}

/* Which of its choices the text is; -1: none. */
static int64_t find_choice(const struct bl__field *f, const char *text)
{
    for (int64_t i = 0; f->choices[i] != NULL; i++)
        if (strcmp(f->choices[i], text) == 0)
            return i;
    return -1;
}

static bl_err read_choice(struct bl__reader *r, const struct bl__field *f,
                          const struct bl__node *n, void *target)
{
    const int64_t i = find_choice(f, n->text);

    if (i < 0)
        return refuse_value(r, f, n);
    store(f, target, i);
    return BL_ERR_OK;
}

static bool is_name(const char *s)
{
    return s[strspn(s,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789._-")] == '\0';
}

static bl_err read_string(struct bl__reader *r, const struct bl__field *f,
                          const struct bl__node *n, void *target)
{
    const size_t len = strlen(n->text);

    if (len == 0 || (f->kind == BL__NAME && !is_name(n->text)) ||
        (f->choices != NULL && find_choice(f, n->text) < 0))
        return refuse_value(r, f, n);
    if (len >= f->size)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "%s: a text of %zu bytes, expected at most %zu",
                           f->name, len, f->size - 1);
    memcpy((char *)target + f->offset, n->text, len + 1);
    return BL_ERR_OK;
}

static bl_err read_value(struct bl__reader *r, const struct bl__field *f,
                         const struct bl__node *n, void *target)
{
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    switch (f->kind) {
    case BL__QUANTITY:
        return read_quantity(r, f, n, target);
    case BL__CHOICE:
        return read_choice(r, f, n, target);
    case BL__STRING:
    case BL__NAME:
        return read_string(r, f, n, target);
    case BL__SECTION:
        break;
    }
    BL_ASSERT(0 && "sections are not values");
    return BL_ERR_INVAL;
}

static bl_err read_field(struct bl__reader *r, const struct bl__section *s,
                         const struct bl__field *f, const struct bl__node *map,
                         void *target)
{
    const struct bl__node *n = map != NULL ? bl__node_get(map, f->name) : NULL;
    const struct bl__node def = { .kind = BL__TEXT,
                                  .key = f->name,
                                  .text = f->def };

    if (n == NULL && f->def == NULL && f->shown == NULL)
        return refuse_missing(r, s, f, map != NULL ? map->line : 0);
    if (f->kind == BL__SECTION)
        return f->read(r, n, (unsigned char *)target + f->offset);
    if (n == NULL)
        n = f->def != NULL ? &def : NULL;
    return n != NULL ? read_value(r, f, n, target) : BL_ERR_OK;
}

bl_err bl__read_map(struct bl__reader *r, const struct bl__section *s,
                    const struct bl__node *map, void *target)
{
    if (map != NULL) {
        BL_TRY(bl__expect_kind(r, map, BL__MAP));
        for (const struct bl__node *n = map->first; n != NULL; n = n->next)
            if (!has_field(s, n->key))
                return refuse_unknown(r, s, n);
    }
    for (uint32_t i = 0; i < s->field_count; i++)
        BL_TRY(read_field(r, s, &s->field[i], map, target));
    return BL_ERR_OK;
}
