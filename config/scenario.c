/* SPDX-License-Identifier: Apache-2.0 */
/* config/scenario.c - a whole scenario: its sections beyond hosts and VMs, and
 * where its text comes from. */
#include "config/config_priv.h"

#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EMBEDDED "(embedded)"
#define TEXT_BYTES_MAX ((size_t)BL_SCENARIO_BYTES_MAX)

/* Address space, of which a scenario touches little: the tree with its texts,
 * the files, the structure. */
#define ARENA_BYTES ((size_t)16 << 20)

/* --- sections ----------------------------------------------------------- */

bl_err bl__read_generate(struct bl__reader *r, const struct bl__node *n,
                         void *spec)
{
    return bl__read_map(r, &bl__section_generate, n, spec);
}

/* "dir/day.tar.zst" written in "scenarios/x.yaml" is a file beside that. */
bl_err bl__resolve_path(struct bl__reader *r, const struct bl__node *n,
                        char *out, size_t size)
{
    const char *slash = strrchr(r->file, '/');
    const size_t dir = slash != NULL ? (size_t)(slash - r->file) + 1 : 0;
    const size_t len = strlen(n->text);

    if (n->text[0] == '/' || dir == 0)
        return BL_ERR_OK;
    if (dir + len >= size)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "%s: a path of %zu bytes, expected at most %zu",
                           n->key, dir + len, size - 1);
    memcpy(out, r->file, dir);
    memcpy(out + dir, n->text, len + 1);
    return BL_ERR_OK;
}

bl_err bl__read_trace(struct bl__reader *r, const struct bl__node *n,
                      void *scenario)
{
    struct bl_scenario *s = scenario;
    const struct bl__node *file, *generate;

    bl_trace_spec_default(&s->trace_spec);
    s->trace_spec.seed = s->seed;
    if (bl_dc_vm_count(&s->dc) > 0)
        s->trace_spec.vm_count = bl_dc_vm_count(&s->dc);
    s->trace_source = BL_TRACE_GENERATED;
    BL_TRY(bl__read_map(r, &bl__section_trace, n, s));
    if (n == NULL)
        return BL_ERR_OK;
    file = bl__node_get(n, "file");
    generate = bl__node_get(n, "generate");
    if (file != NULL && generate != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, generate->line,
                           "generate: there is a file already, expected 'file' "
                           "or 'generate'");
    if (file == NULL)
        return BL_ERR_OK;
    s->trace_source = BL_TRACE_FILE;
    return bl__resolve_path(r, file, s->trace_path, sizeof(s->trace_path));
}

bl_err bl__read_migration(struct bl__reader *r, const struct bl__node *n,
                          void *migration)
{
    return bl__read_map(r, &bl__section_migration, n, migration);
}

/* A policy's parameters are its own business: kept as text, given meaning by
 * the table that the policy declares. */
static bl_err read_params(struct bl__reader *r, const struct bl__node *map,
                          const char *what, struct bl_policy_choice *out)
{
    for (const struct bl__node *n = map->first; n != NULL; n = n->next) {
        const uint32_t i = out->param_count;

        if (strcmp(n->key, "name") == 0)
            continue;
        BL_TRY(bl__expect_kind(r, n, BL__TEXT));
        if (i == BL_PARAMS_MAX)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                               "%s: too many parameters, expected at most %u",
                               what, BL_PARAMS_MAX);
        if (strlen(n->key) >= BL_NAME_BYTES || strlen(n->text) >= BL_NAME_BYTES)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                               "%s: a parameter of more than %d bytes, "
                               "expected NAME: VALUE",
                               what, BL_NAME_BYTES - 1);
        memcpy(out->param[i].name, n->key, strlen(n->key) + 1);
        memcpy(out->param[i].text, n->text, strlen(n->text) + 1);
        out->param[i].line = n->line;
        out->param_count++;
    }
    return BL_ERR_OK;
}

bl_err bl__read_choice(struct bl__reader *r, const struct bl__section *s,
                       const struct bl__node *n, const char *def,
                       struct bl_policy_choice *out)
{
    struct bl__node name = { .kind = BL__TEXT, .text = def, .key = "name" };
    struct bl__node only = { .kind = BL__MAP, .child_count = 1 };

    /* `policy: NAME` is short for a map with a name alone. */
    if (n == NULL || n->kind == BL__TEXT) {
        if (n != NULL)
            name.text = n->text;
        name.line = only.line = n != NULL ? n->line : 0;
        only.first = &name;
        out->line = name.line;
        return bl__read_map(r, s, &only, out);
    }
    BL_TRY(bl__expect_kind(r, n, BL__MAP));

    const struct bl__node *given = bl__node_get(n, "name");

    /* Parameters are no keys of the table: read the name, then all the rest. */
    only.line = n->line;
    if (given != NULL) {
        name = *given;
        name.next = NULL;
        only.first = &name;
    }
    BL_TRY(bl__read_map(r, s, &only, out));
    out->line = name.line;
    return read_params(r, n, n->key, out);
}

bl_err bl__read_policy(struct bl__reader *r, const struct bl__node *n,
                       void *choice)
{
    return bl__read_choice(r, &bl__section_policy, n, "static", choice);
}

/* --- the whole ---------------------------------------------------------- */

/* Until the file says otherwise: its own name, without folder and suffix. */
static void name_after_file(const char *path, char *name)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t n = dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base);

    if (n >= BL_NAME_BYTES)
        n = BL_NAME_BYTES - 1;
    memcpy(name, base, n);
    name[n] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static const struct bl__section *top_of(const struct bl__node *root)
{
    const struct bl__node *n = bl__node_get(root, "level");

    return n != NULL && n->kind == BL__TEXT && strcmp(n->text, "host") == 0
               ? &bl__section_host_top
               : &bl__section_top;
}

/* Where line @line (from 1) of @text begins; its end when there is none. */
static size_t line_start(const char *text, size_t size, unsigned long line)
{
    size_t at = 0;

    for (; line > 1 && at < size; line--) {
        const char *end = memchr(text + at, '\n', size - at);

        at = end != NULL ? (size_t)(end - text) + 1 : size;
    }
    return at;
}

/* No run depends on what `tune` says, so its lines do not count: another range
 * is no other scenario. Where it shares a line with other keys, all counts. */
static void hash_text(struct bl_hash *h, const struct bl__node *root,
                      const char *text, size_t size)
{
    const struct bl__node *tune = bl__node_get(root, "tune");
    size_t from = size, to = size;

    if (tune != NULL) {
        from = line_start(text, size, tune->line);
        if (tune->next != NULL)
            to = line_start(text, size, tune->next->line);
        for (const struct bl__node *n = root->first; n != NULL; n = n->next)
            if (n != tune && n->line == tune->line)
                from = to = size;
    }
    bl_hash_init(h);
    bl_hash_bytes(h, text, from);
    bl_hash_bytes(h, text + to, size - to);
}

bl_err bl__scenario_read(struct bl_arena *a, const char *text,
                         size_t size_bytes, const char *label,
                         struct bl_scenario *out, struct bl_diag *diag)
{
    struct bl_scenario *s = bl_arena_get(a, 1, sizeof(*s));
    struct bl__reader r = { .file = label, .diag = diag, .out = s, .arena = a };
    const struct bl__node *root = NULL;
    struct bl_hash h;

    if (s == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
    if (strlen(label) >= sizeof(s->path))
        return bl_diag_set(diag, BL_ERR_INVAL, label, 0,
                           "a path of %zu bytes, expected at most %zu",
                           strlen(label), sizeof(s->path) - 1);
    BL_TRY(bl__yaml_read(a, text, size_bytes, label, &root, diag));
    memcpy(s->path, label, strlen(label) + 1);
    name_after_file(label, s->name);
    hash_text(&h, root, text, size_bytes);
    s->content_hash = bl_hash_value(&h);
    BL_TRY(bl__read_map(&r, top_of(root), root, s));
    if (r.servers.count > 0) {
        bl_hash_u64(&h, r.servers.content_hash);
        s->content_hash = bl_hash_value(&h);
    }
    if (s->level == BL_LEVEL_HOST) {
        BL_TRY(bl__check_host_rules(&r, root));
        bl_host_spec_check(&s->host);
    } else {
        BL_TRY(bl__check_rules(&r, root));
        bl_dc_check(&s->dc);
    }
    *out = *s;
    return BL_ERR_OK;
}

bl_err bl_scenario_parse(const char *text, size_t size_bytes, const char *label,
                         struct bl_scenario *out, struct bl_diag *diag)
{
    struct bl_arena a;
    bl_err e = bl_arena_init(&a, ARENA_BYTES);

    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, label, 0, "out of memory");
    e = bl__scenario_read(&a, text, size_bytes, label, out, diag);
    bl_arena_free(&a);
    return e;
}

/* --- files -------------------------------------------------------------- */

/* One byte more than allowed tells too large from just large enough. */
bl_err bl__file_read(const char *path, const char *expected, char *text,
                     size_t *size, struct bl_diag *diag)
{
    FILE *f = fopen(path, "rb");
    bl_err e = BL_ERR_OK;

    if (f == NULL)
        return bl_diag_set(diag, BL_ERR_IO, path, 0,
                           "cannot be opened (%s), expected %s",
                           strerror(errno), expected);
    errno = 0;
    *size = fread(text, 1, TEXT_BYTES_MAX + 1, f);
    if (ferror(f))
        e = bl_diag_set(diag, BL_ERR_IO, path, 0,
                        "cannot be read (%s), expected %s", strerror(errno),
                        expected);
    fclose(f);
    return e;
}

bl_err bl_scenario_load(const char *path, struct bl_scenario *out,
                        struct bl_diag *diag)
{
    struct bl_arena a;
    size_t size = 0;
    bl_err e = bl_arena_init(&a, ARENA_BYTES);
    char *text =
        e == BL_ERR_OK ? bl_arena_get(&a, TEXT_BYTES_MAX + 1, 1) : NULL;

    if (text == NULL)
        e = bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    if (e == BL_ERR_OK)
        e = bl__file_read(path, "a scenario file", text, &size, diag);
    if (e == BL_ERR_OK)
        e = bl__scenario_read(&a, text, size, path, out, diag);
    bl_arena_free(&a);
    return e;
}
