/* SPDX-License-Identifier: Apache-2.0 */
/* config/tune.c - the section `tune`: kept as text with its lines; what ranges,
 * objectives and rules mean is tune/'s business, what parameters a policy has
 * the registry's. */
#include "config/config_priv.h"

#include <stdio.h>
#include <string.h>

/* A text, or a list of texts joined by commas. */
static bl_err join(struct bl__reader *r, const struct bl__node *n,
                   struct bl_tune_text *out)
{
    const struct bl__node *part = n->kind == BL__LIST ? n->first : n;
    size_t used = 0;

    if (n->kind == BL__LIST && n->first == NULL)
        return bl__refuse(r, n->line, n->key, "an empty list",
                          "at least one entry");
    out->line = n->line;
    for (; part != NULL; part = n->kind == BL__LIST ? part->next : NULL) {
        const size_t size = strlen(part->text == NULL ? "" : part->text);

        BL_TRY(bl__expect_kind(r, part, BL__TEXT));
        if (size == 0)
            return bl__refuse(r, part->line, n->key, "no value", "a text");
        if (used + size + 2 > sizeof(out->text))
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, part->line,
                               "%.60s: a text of more than %zu bytes", n->key,
                               sizeof(out->text) - 1);
        if (used > 0)
            out->text[used++] = ',';
        memcpy(out->text + used, part->text, size + 1);
        used += size;
    }
    return BL_ERR_OK;
}

bl_err bl__read_tune_text(struct bl__reader *r, const struct bl__node *n,
                          void *text)
{
    struct bl_tune_text *out = text;

    if (n == NULL)
        return BL_ERR_OK;
    if (n->kind == BL__MAP)
        return bl__expect_kind(r, n, BL__TEXT);
    return join(r, n, out);
}

bl_err bl__read_vary(struct bl__reader *r, const struct bl__node *n, void *tune)
{
    struct bl_tune_choice *out = tune;

    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_kind(r, n, BL__MAP));
    for (const struct bl__node *p = n->first; p != NULL; p = p->next) {
        const uint32_t i = out->vary_count;

        if (i == BL_PARAMS_MAX)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, p->line,
                               "vary: too many parameters, expected at most %u",
                               BL_PARAMS_MAX);
        if (strlen(p->key) >= BL_NAME_BYTES)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, p->line,
                               "vary: a name of more than %d bytes",
                               BL_NAME_BYTES - 1);
        if (p->kind == BL__MAP)
            return bl__expect_kind(r, p, BL__TEXT);
        memcpy(out->vary[i].name, p->key, strlen(p->key) + 1);
        BL_TRY(join(r, p, &out->vary[i].range));
        out->vary_count++;
    }
    return BL_ERR_OK;
}

bl_err bl__read_tune_paths(struct bl__reader *r, const struct bl__node *n,
                           void *paths)
{
    struct bl_tune_paths *out = paths;
    const struct bl__node *part;

    if (n == NULL)
        return BL_ERR_OK;
    if (n->kind == BL__MAP)
        return bl__expect_kind(r, n, BL__LIST);
    part = n->kind == BL__LIST ? n->first : n;
    for (; part != NULL; part = n->kind == BL__LIST ? part->next : NULL) {
        const uint32_t i = out->count;
        struct bl__node named = *part; /* for messages: entries have no key */

        named.key = n->key;
        BL_TRY(bl__expect_kind(r, part, BL__TEXT));
        if (part->text[0] == '\0')
            return bl__refuse(r, part->line, n->key, "no value", "a path");
        if (i == BL_TUNE_TRACES_MAX)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, part->line,
                               "%.60s: too many traces, expected at most %u",
                               n->key, BL_TUNE_TRACES_MAX);
        memcpy(out->path[i], part->text, strlen(part->text) + 1);
        BL_TRY(bl__resolve_path(r, &named, out->path[i], BL_PATH_BYTES));
        out->count++;
    }
    return BL_ERR_OK;
}

bl_err bl__read_tune(struct bl__reader *r, const struct bl__node *n, void *tune)
{
    struct bl_tune_choice *out = tune;

    BL_TRY(bl__read_map(r, &bl__section_tune, n, out));
    if (n != NULL)
        out->line = n->line;
    return BL_ERR_OK;
}
