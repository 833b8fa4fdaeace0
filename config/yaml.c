/* SPDX-License-Identifier: Apache-2.0 */
/* config/yaml.c - text into a small tree. Of YAML we take maps, lists and
 * one-line texts; what could make a short file mean a long one (anchors,
 * aliases, tags, several documents) is refused by name. */
#include "config/config_priv.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#define KEY_SHOWN 60 /* bytes of a user's text in a message */

struct builder {
    const char *source; /* the whole file */
    size_t source_size;
    struct fy_parser *fyp;
    struct fy_diag *collected; /* libfyaml's own messages */
    const char *label;
    struct bl_diag *diag;
    struct bl__node *node;
    uint32_t node_count;
    char *text; /* pool; text_used of text_size bytes are taken */
    size_t text_used, text_size;
    unsigned long line; /* of the last event that had one */
    struct {
        struct bl__node *node;
        struct bl__node *last; /* its last child so far */
        const char *key;       /* read, its value not yet */
        unsigned long key_line;
    } stack[BL__DEPTH_MAX];
    uint32_t depth;
    bool done; /* the document has ended */
};

static bl_err refuse(const struct builder *b, const char *what)
{
    return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line, "%s", what);
}

/* --- before libfyaml sees it -------------------------------------------- */

/* Bytes of the UTF-8 character at @s, of @left; 0 when it is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t n = s[0] < 0x80             ? 1
                     : (s[0] & 0xe0) == 0xc0 ? 2
                     : (s[0] & 0xf0) == 0xe0 ? 3
                     : (s[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    uint32_t c = s[0];

    if (n <= 1 || n > left)
        return n == 1 ? 1 : 0;
    c &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return n;
}

/* A tab between the start of a line and its first word? Moves *at behind. */
static bool tab_in_indentation(const char *text, size_t size, size_t at)
{
    bool tab = false;

    for (; at < size && (text[at] == ' ' || text[at] == '\t'); at++)
        tab = tab || text[at] == '\t';
    return tab && at < size && text[at] != '\n' && text[at] != '\r' &&
           text[at] != '#';
}

/* Text that people can have meant: UTF-8, no control characters, no tabs for
 * indentation. */
static bl_err scan_text(struct builder *b, const char *text, size_t size)
{
    bool line_starts = true;

    b->line = 1;
    for (size_t i = 0; i < size;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t n = utf8_length((const unsigned char *)text + i, size - i);

        if (line_starts && tab_in_indentation(text, size, i))
            return refuse(b, "a tab in the indentation, expected spaces");
        if (n == 0)
            return refuse(b, "a byte that is not UTF-8, expected a text file");
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f ||
            (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
            return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                               "a control character (byte 0x%02x), expected a "
                               "text file",
                               c);
        line_starts = c == '\n';
        b->line += line_starts;
        i += n;
    }
    return BL_ERR_OK;
}

/* --- the tree ----------------------------------------------------------- */

/* Where @token's text stands in the file, between its quotes. On one line, and
 * without escapes, it is what was meant, byte by byte; so nothing has to be
 * formatted, which libfyaml 0.7.12 does not do without losing memory. */
static bl_err find_text(const struct builder *b, struct fy_token *token,
                        const char **text, size_t *size)
{
    const struct fy_mark *from = fy_token_start_mark(token);
    const struct fy_mark *to = fy_token_end_mark(token);
    const enum fy_scalar_style style = fy_token_scalar_style(token);

    *text = b->source;
    *size = 0;
    if (from == NULL || to == NULL)
        return BL_ERR_OK; /* an absent value */
    if (from->line != to->line || style == FYSS_LITERAL ||
        style == FYSS_FOLDED || from->input_pos > to->input_pos ||
        to->input_pos > b->source_size)
        return refuse(b, "a text of several lines, expected it on one line");
    *text = b->source + from->input_pos;
    *size = to->input_pos - from->input_pos;
    if (style == FYSS_DOUBLE_QUOTED && memchr(*text, '\\', *size) != NULL)
        return refuse(b,
                      "an escape (\\) in a text, expected the characters "
                      "themselves");
    return BL_ERR_OK;
}

static bl_err take_text(struct builder *b, struct fy_token *token,
                        const char **out)
{
    const bool doubled =
        fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED; /* '' is ' */
    char *copy = b->text + b->text_used;
    const char *s;
    size_t size, n = 0;

    BL_TRY(find_text(b, token, &s, &size));
    if (size >= BL__TEXT_BYTES)
        return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                           "a text of %zu bytes, expected at most %d", size,
                           BL__TEXT_BYTES - 1);
    BL_ASSERT(size < b->text_size - b->text_used);
    for (size_t i = 0; i < size; i++) {
        if (s[i] == '\t')
            return refuse(b, "a tab in a text, expected spaces");
        copy[n++] = s[i];
        i += doubled && s[i] == '\'';
    }
    copy[n] = '\0';
    b->text_used += n + 1;
    *out = copy;
    return BL_ERR_OK;
}

/* A first text in a map is a key. */
static bl_err take_key(struct builder *b, struct fy_token *token)
{
    const struct bl__node *map = b->stack[b->depth - 1].node;
    const char *key;

    BL_TRY(take_text(b, token, &key));
    for (const struct bl__node *n = map->first; n != NULL; n = n->next)
        if (strcmp(n->key, key) == 0)
            return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                               "duplicate key '%.*s', expected each key once "
                               "(first at line %lu)",
                               KEY_SHOWN, key, n->line);
    b->stack[b->depth - 1].key = key;
    b->stack[b->depth - 1].key_line = b->line;
    return BL_ERR_OK;
}

/* A node in the place that the parser has come to. */
static bl_err add_node(struct builder *b, enum bl__node_kind kind,
                       struct bl__node **out)
{
    struct bl__node *n;

    if (b->node_count == BL__NODES_MAX)
        return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                           "too much text, expected at most %u keys and values",
                           BL__NODES_MAX);
    n = &b->node[b->node_count++];
    *n = (struct bl__node){ .kind = kind, .line = b->line };
    *out = n;
    if (b->depth == 0)
        return BL_ERR_OK;

    struct bl__node *parent = b->stack[b->depth - 1].node;

    if (++parent->child_count > BL__CHILDREN_MAX)
        return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                           "too many entries, expected at most %u in one list "
                           "or map",
                           BL__CHILDREN_MAX);
    if (parent->kind == BL__MAP) {
        n->key = b->stack[b->depth - 1].key;
        b->stack[b->depth - 1].key = NULL;
        if (kind != BL__TEXT)
            n->line = b->stack[b->depth - 1].key_line;
    }
    if (b->stack[b->depth - 1].last == NULL)
        parent->first = n;
    else
        b->stack[b->depth - 1].last->next = n;
    b->stack[b->depth - 1].last = n;
    return BL_ERR_OK;
}

static bool wants_key(const struct builder *b)
{
    return b->depth > 0 && b->stack[b->depth - 1].node->kind == BL__MAP &&
           b->stack[b->depth - 1].key == NULL;
}

static bl_err open_node(struct builder *b, enum bl__node_kind kind)
{
    struct bl__node *n;

    if (wants_key(b))
        return refuse(b, "a list or map as a key, expected a word");
    BL_TRY(add_node(b, kind, &n));
    if (b->depth == BL__DEPTH_MAX)
        return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                           "nested too deeply, expected at most %u levels",
                           BL__DEPTH_MAX);
    memset(&b->stack[b->depth], 0, sizeof(b->stack[0]));
    b->stack[b->depth++].node = n;
    return BL_ERR_OK;
}

static bl_err take_value(struct builder *b, struct fy_token *token)
{
    struct bl__node *n;

    BL_TRY(add_node(b, BL__TEXT, &n));
    return take_text(b, token, &n->text);
}

static bl_err refuse_decoration(struct builder *b,
                                const struct fy_token *anchor,
                                const struct fy_token *tag)
{
    if (anchor != NULL)
        return refuse(b, "an anchor (&), expected every value written out");
    if (tag != NULL)
        return refuse(b, "a tag (!), expected plain values");
    return BL_ERR_OK;
}

static bl_err take_event(struct builder *b, const struct fy_event *e)
{
    switch (e->type) {
    case FYET_DOCUMENT_START:
        if (b->done)
            return refuse(b,
                          "a second document (---), expected one scenario "
                          "a file");
        return BL_ERR_OK;
    case FYET_DOCUMENT_END:
        b->done = true;
        return BL_ERR_OK;
    case FYET_MAPPING_START:
        BL_TRY(refuse_decoration(b, e->mapping_start.anchor,
                                 e->mapping_start.tag));
        return open_node(b, BL__MAP);
    case FYET_SEQUENCE_START:
        BL_TRY(refuse_decoration(b, e->sequence_start.anchor,
                                 e->sequence_start.tag));
        return open_node(b, BL__LIST);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        BL_ASSERT(b->depth > 0);
        b->depth--;
        return BL_ERR_OK;
    case FYET_SCALAR:
        BL_TRY(refuse_decoration(b, e->scalar.anchor, e->scalar.tag));
        if (wants_key(b))
            return take_key(b, e->scalar.value);
        return take_value(b, e->scalar.value);
    case FYET_ALIAS:
        return refuse(b, "an alias (*), expected every value written out");
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
        break;
    }
    return BL_ERR_OK;
}

/* --- libfyaml ----------------------------------------------------------- */

/* The parser stopped: why, in one line of ours. */
static bl_err explain_stop(struct builder *b)
{
    const struct fy_diag_error *found;
    const char *msg = "it cannot be read";
    void *at = NULL;

    found = fy_diag_errors_iterate(b->collected, &at);
    if (found != NULL) {
        msg = found->msg;
        if (found->line > 0)
            b->line = (unsigned long)found->line;
    }
    return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                       "not YAML (%.200s), expected KEY: VALUE lines indented "
                       "with spaces",
                       msg);
}

static bl_err take_events(struct builder *b)
{
    struct fy_event *e;

    while ((e = fy_parser_parse(b->fyp)) != NULL) {
        const struct fy_mark *mark = fy_event_start_mark(e);

        if (mark != NULL)
            b->line = (unsigned long)mark->line + 1;

        const bl_err err = take_event(b, e);

        fy_parser_event_free(b->fyp, e);
        BL_TRY(err);
    }
    return fy_parser_get_stream_error(b->fyp) ? explain_stop(b) : BL_ERR_OK;
}

static bl_err parse(struct builder *b, const char *text, size_t size)
{
    struct fy_diag_cfg diag_cfg;
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
                 FYPCF_JSON_NONE,
    };
    bl_err err = BL_ERR_NOMEM;

    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL; /* collected, never printed */
    diag_cfg.colorize = false;
    cfg.diag = fy_diag_create(&diag_cfg);
    if (cfg.diag == NULL)
        return BL_ERR_NOMEM;
    fy_diag_set_collect_errors(cfg.diag, true);
    b->collected = cfg.diag;
    b->fyp = fy_parser_create(&cfg);
    if (b->fyp != NULL) {
        if (fy_parser_set_string(b->fyp, text, size) == 0)
            err = take_events(b);
        fy_parser_destroy(b->fyp);
    }
    fy_diag_destroy(cfg.diag);
    return err;
}

bl_err bl__yaml_read(struct bl_arena *a, const char *text, size_t size_bytes,
                     const char *label, const struct bl__node **root,
                     struct bl_diag *diag)
{
    struct builder b = {
        .source = text,
        .source_size = size_bytes,
        .label = label,
        .diag = diag,
        .line = 1,
    };
    bl_err err;

    if (size_bytes > BL_SCENARIO_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_PARSE, label, 0,
                           "larger than %u bytes, expected a scenario",
                           BL_SCENARIO_BYTES_MAX);
    BL_TRY(scan_text(&b, text, size_bytes));
    b.line = 1;
    /* Texts are parts of the file, each with a NUL; a node is at most a key
     * and a value, one more key can wait for its value. */
    b.text_size = size_bytes + BL__NODES_MAX * (size_t)2 + 1;
    b.text = bl_arena_get(a, b.text_size, 1);
    b.node = bl_arena_get(a, BL__NODES_MAX, sizeof(b.node[0]));
    err = b.text == NULL || b.node == NULL ? BL_ERR_NOMEM
                                           : parse(&b, text, size_bytes);
    if (err == BL_ERR_NOMEM)
        return bl_diag_set(diag, err, label, 0, "out of memory");
    BL_TRY(err);
    if (b.node_count == 0 || b.node[0].kind != BL__MAP ||
        b.node[0].child_count == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, label, 1,
                           "no scenario in it, expected KEY: VALUE lines "
                           "(hosts: and vms: at least)");
    *root = &b.node[0];
    return BL_ERR_OK;
}

const struct bl__node *bl__node_get(const struct bl__node *map, const char *key)
{
    for (const struct bl__node *n = map->first; n != NULL; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

unsigned long bl__node_line(const struct bl__node *map, const char *key)
{
    const struct bl__node *n = bl__node_get(map, key);

    return n != NULL ? n->line : map->line;
}
