/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/rtapp_json.c - an rt-app file as a tree. What people write there is
 * looser than JSON: comments, commas before a closing brace, keys without a
 * value, and the same key twice, where each counts. libfyaml reads all that as
 * YAML in flow style once the comments are blanked (to spaces, so that lines
 * stay what they are); the rest of YAML is kept out before it gets there, by
 * the characters that it would need.
 */
#include "trace/tasks_priv.h"

#include <libfyaml.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8, STRING_BYTES_MAX = 1000 };

struct builder {
    struct bl__json *j;
    struct fy_parser *fyp;
    struct fy_diag *collected; /* libfyaml's own messages */
    const char *label;
    struct bl_diag *diag;
    unsigned long line; /* of the last event that had one */
    struct {
        uint32_t node, last; /* its last child so far */
        struct bl__text key; /* read, its value not yet: p is not NULL */
        unsigned long key_line;
    } stack[DEPTH_MAX];
    uint32_t depth;
};

static bl_err refuse(const struct builder *b, const char *what)
{
    return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line, "%s", what);
}

/* ---- text --------------------------------------------------------------- */

static bl_err slurp(struct bl__input *in, struct bl__json *j,
                    struct bl_diag *diag)
{
    const char *label = bl__input_label(in);
    struct bl__text line;
    bl_err e;

    while ((e = bl__input_line(in, &line, diag)) == BL_ERR_OK) {
        const size_t size = j->size_bytes + line.size_bytes + 1;
        void *p = j->text;

        if (size > BL_RTAPP_BYTES_MAX)
            return bl_diag_set(diag, BL_ERR_FULL, label, 0,
                               "larger than %u bytes, expected an rt-app file",
                               BL_RTAPP_BYTES_MAX);
        if (bl__reserve(&p, &j->text_capacity, size, 1) != BL_ERR_OK)
            return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
        j->text = p;
        memcpy(j->text + j->size_bytes, line.p, line.size_bytes);
        j->text[size - 1] = '\n';
        j->size_bytes = size;
    }
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

/* From the second character of a comment on; moves *at to its last one. */
static bl_err blank_comment(struct builder *b, size_t *at)
{
    const unsigned long first_line = b->line;
    char *s = b->j->text;
    const size_t size = b->j->size_bytes;
    const bool to_line_end = s[*at] == '/';
    size_t i = *at;

    s[i - 1] = ' ';
    s[i++] = ' ';
    for (; i < size; i++) {
        if (to_line_end && s[i] == '\n') {
            *at = i - 1;
            return BL_ERR_OK;
        }
        if (!to_line_end && s[i] == '*' && i + 1 < size && s[i + 1] == '/') {
            s[i] = ' ';
            s[i + 1] = ' ';
            *at = i + 1;
            return BL_ERR_OK;
        }
        b->line += s[i] == '\n';
        s[i] = s[i] == '\n' ? '\n' : ' ';
    }
    b->line = first_line;
    return refuse(b, "a comment without an end, expected */");
}

/* Moves *at from the quote before a string to the one behind it. */
static bl_err skip_string(struct builder *b, size_t *at)
{
    const char *s = b->j->text;
    const size_t first = *at + 1;
    size_t i = first;

    while (s[i] != '"' && s[i] != '\n') /* the text ends with a newline */
        i++;
    if (s[i] != '"')
        return refuse(b, "a string without an end, expected \" on its line");
    if (i - first > STRING_BYTES_MAX)
        return refuse(b, "a string too long, expected at most 1000 bytes");
    if (memchr(s + first, '\\', i - first) != NULL)
        return refuse(b,
                      "an escape (\\) in a string, expected the characters "
                      "themselves");
    if (i > first && !bl__name_ok((struct bl__text){ s + first, i - first }))
        return refuse(b,
                      "a string with bytes that are no text, expected UTF-8 "
                      "without control characters");
    *at = i;
    return BL_ERR_OK;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.' ||
           c == '_';
}

/* Only what JSON has, one map and nothing around it. */
static bl_err check_char(struct builder *b, char c, bool *begun, uint32_t *open)
{
    if (*open == 0 && (*begun || c != '{'))
        return refuse(b, *begun ? "text behind the closing }, expected the end"
                                : "text before the first {, expected JSON");
    *begun = true;
    if (c == '{' || c == '[')
        ++*open;
    else if (c == '}' || c == ']')
        --*open;
    else if (c != ',' && c != ':' && c != '"' && !is_word(c))
        return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                           "character %c (byte 0x%02x), expected JSON", c,
                           (unsigned)(unsigned char)c);
    return BL_ERR_OK;
}

static bl_err blank(struct builder *b)
{
    char *s = b->j->text;
    const size_t size = b->j->size_bytes;
    bool begun = false;
    uint32_t open = 0;

    b->line = 1;
    for (size_t i = 0; i < size; i++) {
        if (s[i] == '/' && (s[i + 1] == '*' || s[i + 1] == '/')) {
            i++;
            BL_TRY(blank_comment(b, &i));
        } else if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r') {
            s[i] = ' '; /* YAML is particular about tabs */
        } else if (s[i] == '\n') {
            b->line++;
        } else {
            BL_TRY(check_char(b, s[i], &begun, &open));
            if (s[i] == '"')
                BL_TRY(skip_string(b, &i));
        }
    }
    b->line--; /* the text ends with a newline */
    if (!begun || open > 0)
        return refuse(b, begun
                             ? "the file ends too early, expected another }"
                             : "nothing in it, expected an rt-app file (JSON)");
    return BL_ERR_OK;
}

/* ---- tree --------------------------------------------------------------- */

/* Where a scalar stands in the text, between its quotes; as there are no
 * escapes, that is what it means, and libfyaml has to format nothing. */
static bl_err text_of(struct builder *b, struct fy_token *token,
                      enum bl__json_kind *kind, struct bl__text *text)
{
    const struct fy_mark *from = fy_token_start_mark(token);
    const struct fy_mark *to = fy_token_end_mark(token);
    const enum fy_scalar_style style = fy_token_scalar_style(token);

    *kind = BL__JSON_ABSENT;
    *text = (struct bl__text){ b->j->text, 0 };
    if (from == NULL || to == NULL)
        return BL_ERR_OK;
    if (from->line != to->line || from->input_pos > to->input_pos ||
        to->input_pos > b->j->size_bytes)
        return refuse(b, "several words, expected a comma or a colon");
    *text = (struct bl__text){ b->j->text + from->input_pos,
                               to->input_pos - from->input_pos };
    if (style == FYSS_DOUBLE_QUOTED)
        *kind = BL__JSON_STRING;
    else if (text->size_bytes > 0)
        *kind = BL__JSON_WORD;
    return BL_ERR_OK;
}

static bool in_map(const struct builder *b)
{
    return b->depth > 0 &&
           b->j->node[b->stack[b->depth - 1].node].kind == BL__JSON_MAP;
}

/* A node in the place that the parser has come to. */
static bl_err add_node(struct builder *b, enum bl__json_kind kind,
                       struct bl__text text)
{
    struct bl__json *j = b->j;
    const uint32_t n = j->count;
    void *p = j->node;

    if (bl__reserve(&p, &j->node_capacity, (size_t)n + 1, sizeof(*j->node)) !=
        BL_ERR_OK)
        return bl_diag_set(b->diag, BL_ERR_NOMEM, b->label, 0, "out of memory");
    j->node = p;
    j->node[n] =
        (struct bl__json_node){ .kind = kind, .line = b->line, .text = text };
    j->count++;
    if (b->depth == 0)
        return BL_ERR_OK;

    uint32_t *last = &b->stack[b->depth - 1].last;

    if (in_map(b)) {
        j->node[n].key = b->stack[b->depth - 1].key;
        j->node[n].line = b->stack[b->depth - 1].key_line;
        b->stack[b->depth - 1].key.p = NULL;
    }
    if (*last == 0)
        j->node[b->stack[b->depth - 1].node].first = n;
    else
        j->node[*last].next = n;
    *last = n;
    return BL_ERR_OK;
}

static bl_err open_node(struct builder *b, enum bl__json_kind kind)
{
    if (in_map(b) && b->stack[b->depth - 1].key.p == NULL)
        return refuse(b, "a list or map as a key, expected a string");
    if (b->depth == DEPTH_MAX)
        return refuse(b, "nested too deeply, expected at most 8 levels");
    BL_TRY(add_node(b, kind, (struct bl__text){ b->j->text, 0 }));
    memset(&b->stack[b->depth], 0, sizeof(b->stack[0]));
    b->stack[b->depth++].node = b->j->count - 1;
    return BL_ERR_OK;
}

static bl_err take_scalar(struct builder *b, struct fy_token *token)
{
    struct bl__text text;
    enum bl__json_kind kind;

    BL_TRY(text_of(b, token, &kind, &text));
    if (!in_map(b) || b->stack[b->depth - 1].key.p != NULL)
        return add_node(b, kind, text);
    if (kind != BL__JSON_STRING || text.size_bytes == 0)
        return refuse(b, "a key without quotes, expected \"KEY\" : VALUE");
    b->stack[b->depth - 1].key = text;
    b->stack[b->depth - 1].key_line = b->line;
    return BL_ERR_OK;
}

static bl_err take_event(struct builder *b, const struct fy_event *e)
{
    switch (e->type) {
    case FYET_MAPPING_START:
        return open_node(b, BL__JSON_MAP);
    case FYET_SEQUENCE_START:
        return open_node(b, BL__JSON_LIST);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        BL_ASSERT(b->depth > 0);
        b->depth--;
        return BL_ERR_OK;
    case FYET_SCALAR:
        return take_scalar(b, e->scalar.value);
    case FYET_ALIAS:
        return refuse(b, "an alias, expected JSON");
    case FYET_DOCUMENT_START:
    case FYET_DOCUMENT_END:
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
        break;
    }
    return BL_ERR_OK;
}

static bl_err take_events(struct builder *b)
{
    const struct fy_diag_error *found;
    struct fy_event *e;
    void *at = NULL;

    while ((e = fy_parser_parse(b->fyp)) != NULL) {
        const struct fy_mark *mark = fy_event_start_mark(e);
        bl_err err;

        if (mark != NULL)
            b->line = (unsigned long)mark->line + 1;
        err = take_event(b, e);
        fy_parser_event_free(b->fyp, e);
        BL_TRY(err);
    }
    if (!fy_parser_get_stream_error(b->fyp))
        return BL_ERR_OK;
    found = fy_diag_errors_iterate(b->collected, &at);
    if (found != NULL && found->line > 0)
        b->line = (unsigned long)found->line;
    return bl_diag_set(b->diag, BL_ERR_PARSE, b->label, b->line,
                       "not JSON (%.200s), expected { ... }",
                       found != NULL ? found->msg : "it cannot be read");
}

static bl_err parse(struct builder *b)
{
    struct fy_diag_cfg diag_cfg;
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
                 FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
    };
    bl_err e = BL_ERR_NOMEM;

    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL; /* collected, never printed */
    diag_cfg.colorize = false;
    cfg.diag = fy_diag_create(&diag_cfg);
    if (cfg.diag == NULL)
        return e;
    fy_diag_set_collect_errors(cfg.diag, true);
    b->collected = cfg.diag;
    b->fyp = fy_parser_create(&cfg);
    if (b->fyp != NULL) {
        if (fy_parser_set_string(b->fyp, b->j->text, b->j->size_bytes) == 0)
            e = take_events(b);
        fy_parser_destroy(b->fyp);
    }
    fy_diag_destroy(cfg.diag);
    return e;
}

bl_err bl__json_read(struct bl__input *in, struct bl__json *j,
                     struct bl_diag *diag)
{
    struct builder b = { .j = j, .label = bl__input_label(in), .diag = diag };
    bl_err e;

    *j = (struct bl__json){ 0 };
    BL_TRY(slurp(in, j, diag));
    if (j->size_bytes == 0)
        return refuse(&b, "nothing in it, expected an rt-app file (JSON)");
    BL_TRY(blank(&b));
    e = parse(&b);
    if (e == BL_ERR_NOMEM)
        return bl_diag_set(diag, e, b.label, 0, "out of memory");
    BL_TRY(e);
    if (j->count == 0 || j->node[0].kind != BL__JSON_MAP)
        return refuse(&b, "no map in it, expected { \"tasks\" : ... }");
    return BL_ERR_OK;
}

void bl__json_free(struct bl__json *j)
{
    free(j->text);
    free(j->node);
    *j = (struct bl__json){ 0 };
}
