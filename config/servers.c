/* SPDX-License-Identifier: Apache-2.0 */
/* config/servers.c - a CSV file of measured servers: records, numbers, names.
 */
#define _POSIX_C_SOURCE 200809L
#include "config/servers.h"

#include "base/hash.h"
#include "base/units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN 60 /* bytes of the file's text in a message */
#define NUMBER_CHARS 30
#define COLUMNS_MAX 128u
#define CORES_MAX BL_HOST_CORES_MAX
#define OPS_MAX INT64_C(10000000000)

/* --- columns ------------------------------------------------------------ */

enum {
    C_VENDOR,
    C_MODEL,
    C_CPU,
    C_MHZ,
    C_CORES,
    C_MEM,
    C_YEAR,
    C_IDLE, /* then w_10 ... w_100 */
    C_OPS = C_IDLE + BL_POWER_POINTS,
    C_SRC_LINE = C_OPS + BL_POWER_POINTS - 1,
    C_COUNT
};

static const char *const column_name[C_COUNT] = {
    "vendor",     "model",      "cpu",         "mhz",        "cores",
    "mem_gb",     "hw_year",    "w_idle",      "w_10",       "w_20",
    "w_30",       "w_40",       "w_50",        "w_60",       "w_70",
    "w_80",       "w_90",       "w_100",       "ssj_ops_10", "ssj_ops_20",
    "ssj_ops_30", "ssj_ops_40", "ssj_ops_50",  "ssj_ops_60", "ssj_ops_70",
    "ssj_ops_80", "ssj_ops_90", "ssj_ops_100", "src_line",
};

struct reader {
    const char *label;
    struct bl_diag *diag;
    char *at, *end; /* of a copy that fields are cut out of */
    unsigned long line;
    char *field[COLUMNS_MAX];
    uint32_t field_count;
    uint32_t column_count;    /* as the first line says */
    uint32_t column[C_COUNT]; /* 1 + index of the field; 0: not there */
};

static bl_err refuse(const struct reader *r, const char *what)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line, "%s", what);
}

/* --- records ------------------------------------------------------------ */

/* Cuts the field at r->at out in place; *last tells that its line is over. */
static bl_err take_field(struct reader *r, char **out, bool *last)
{
    const bool quoted = r->at < r->end && *r->at == '"';
    char *from = r->at + quoted, *to = r->at;
    bool open = quoted;
    char c = '\n';

    *out = to;
    for (; from < r->end; from++) {
        c = *from;
        if (c == '\r' && from + 1 < r->end && from[1] == '\n')
            continue;
        if (c == '\n' || (!open && c == ','))
            break;
        if (quoted && !open)
            return refuse(r, "text after a closing quote, expected a comma");
        if (open && c == '"') {
            open = from + 1 < r->end && from[1] == '"';
            if (!open)
                continue;
            from++;
        }
        if ((unsigned char)c < ' ' || c == 0x7f)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                               "a control character (byte 0x%02x), expected a "
                               "text file",
                               (unsigned char)c);
        if ((unsigned char)c >= 0x80)
            c = '?';
        *to++ = c;
    }
    if (open)
        return refuse(r,
                      "a quote that is open at the end of the line, "
                      "expected it to be closed");
    *last = from == r->end || c == '\n';
    r->at = from + (from < r->end);
    *to = '\0';
    return BL_ERR_OK;
}

/* The next line that is not empty into r->field; false: there is none. */
static bl_err take_record(struct reader *r, bool *got)
{
    bool last = false;

    for (;; r->at++, r->line++) {
        if (r->at + 1 < r->end && r->at[0] == '\r' && r->at[1] == '\n')
            r->at++;
        if (r->at == r->end || *r->at != '\n')
            break;
    }
    *got = r->at < r->end;
    r->field_count = 0;
    while (*got && !last) {
        if (r->field_count == COLUMNS_MAX)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                               "too many fields, expected at most %u",
                               COLUMNS_MAX);
        BL_TRY(take_field(r, &r->field[r->field_count++], &last));
    }
    return BL_ERR_OK;
}

static bl_err take_header(struct reader *r)
{
    bool got, some_ops = false, all_ops = true;

    BL_TRY(take_record(r, &got));
    if (!got)
        return refuse(r, "nothing in it, expected a table of servers");
    r->column_count = r->field_count;
    for (uint32_t f = 0; f < r->field_count; f++)
        for (uint32_t c = 0; c < C_COUNT; c++) {
            if (strcmp(r->field[f], column_name[c]) != 0)
                continue;
            if (r->column[c] != 0)
                return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                                   "column '%s' twice, expected it once",
                                   column_name[c]);
            r->column[c] = f + 1;
        }
    for (uint32_t c = 0; c < C_COUNT; c++) {
        const bool there = r->column[c] != 0;

        if (c >= C_OPS && c < C_SRC_LINE) {
            some_ops = some_ops || there;
            all_ops = all_ops && there;
        } else if (!there && c != C_SRC_LINE) {
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                               "no column '%s', expected a table of SPECpower "
                               "results (ballast-scenario(5) has its columns)",
                               column_name[c]);
        }
    }
    if (some_ops && !all_ops)
        return refuse(r,
                      "some of the columns ssj_ops_10 .. ssj_ops_100, "
                      "expected all or none");
    return BL_ERR_OK;
}

/* --- numbers ------------------------------------------------------------ */

struct number {
    enum bl_dim dim;
    const char *unit; /* what the column leaves unsaid */
    int64_t min, max;
};

static bl_err take_number(const struct reader *r, uint32_t column,
                          const struct number *n, int64_t *out)
{
    const char *text = r->field[r->column[column] - 1], *why = NULL;
    char with_unit[40], lo[40], hi[40];
    bl_err e = BL_ERR_PARSE;

    if (strlen(text) <= NUMBER_CHARS) {
        snprintf(with_unit, sizeof(with_unit), "%.*s%.8s", NUMBER_CHARS, text,
                 n->unit);
        e = bl_units_parse(n->dim, with_unit, out, &why);
    }
    if (e == BL_ERR_PARSE)
        return bl_diag_set(r->diag, e, r->label, r->line,
                           "%s: '%.*s' is not valid, expected a number%s%s",
                           column_name[column], SHOWN, text,
                           n->unit[0] != '\0' ? " of " : "", n->unit);
    if (e == BL_ERR_OK && *out >= n->min && *out <= n->max)
        return BL_ERR_OK;
    bl_units_print(n->dim, n->min, lo, sizeof(lo));
    bl_units_print(n->dim, n->max, hi, sizeof(hi));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->label, r->line,
                       "%s: %.*s%s is out of range, expected %s .. %s",
                       column_name[column], SHOWN, text, n->unit, lo, hi);
}

static bl_err take_size(const struct reader *r, struct bl_server *s)
{
    static const struct number mhz = { BL_DIM_FREQ, "MHz", 1,
                                       (int64_t)BL_CORE_KHZ_MAX };
    static const struct number cores = { BL_DIM_COUNT, "", 1, CORES_MAX };
    static const struct number mem = { BL_DIM_BYTES, "GiB", BL_MIB,
                                       (int64_t)BL_MEM_BYTES_MAX };
    static const struct number year = { BL_DIM_COUNT, "", 1990, 2200 };
    static const struct number line = { BL_DIM_COUNT, "", 1, UINT32_MAX };
    int64_t v = 0;

    BL_TRY(take_number(r, C_MHZ, &mhz, &v));
    s->core_khz = (uint64_t)v;
    BL_TRY(take_number(r, C_CORES, &cores, &v));
    s->core_count = (uint32_t)v;
    BL_TRY(take_number(r, C_MEM, &mem, &v));
    s->mem_bytes = (uint64_t)v;
    BL_TRY(take_number(r, C_YEAR, &year, &v));
    s->year = (uint32_t)v;
    if (r->column[C_SRC_LINE] == 0)
        return BL_ERR_OK;
    BL_TRY(take_number(r, C_SRC_LINE, &line, &v));
    s->src_line = (uint32_t)v;
    return BL_ERR_OK;
}

static bl_err take_curve(const struct reader *r, struct bl_server *s)
{
    static const struct number watt = { BL_DIM_POWER, "W", 1,
                                        (int64_t)BL_POWER_MW_MAX };
    /* Operations have no dimension of their own: money is a plain decimal. */
    static const struct number ops = { BL_DIM_MONEY, "", 1000000,
                                       OPS_MAX * 1000000 };
    int64_t v = 0;

    for (uint32_t i = 0; i < BL_POWER_POINTS; i++) {
        BL_TRY(take_number(r, C_IDLE + i, &watt, &v));
        s->power.mw[i] = (uint32_t)v;
        if (i == 0 || r->column[C_OPS] == 0)
            continue;
        BL_TRY(take_number(r, C_OPS + i - 1, &ops, &v));
        s->ops[i] = (uint64_t)(v + 500000) / 1000000;
    }
    return BL_ERR_OK;
}

/* --- names -------------------------------------------------------------- */

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    return c;
}

static bool in_word(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           c == '.';
}

/* Is the @n bytes long @word one of @list, where each ends with a '-'? */
static bool is_listed(const char *list, const char *word, size_t n)
{
    for (const char *end; (end = strchr(list, '-')) != NULL; list = end + 1)
        if ((size_t)(end - list) == n && memcmp(list, word, n) == 0)
            return true;
    return false;
}

/* The next word of *@text, in lower case without dots around it; 0: none. What
 * stands in parentheses is passed over. */
static size_t next_word(const char **text, char *word, size_t size)
{
    const char *s = *text;
    size_t n = 0;

    while (*s != '\0' && !in_word(*s)) {
        if (*s == '(' && strchr(s, ')') != NULL)
            s = strchr(s, ')');
        s++;
    }
    for (; in_word(*s); s++)
        if (n < size - 1 && (n > 0 || *s != '.'))
            word[n++] = lower(*s);
    while (n > 0 && word[n - 1] == '.')
        n--;
    word[n] = '\0';
    *text = s;
    return n;
}

/* Is what follows @text, after spaces, "GHz"? */
static bool ghz_follows(const char *text)
{
    text += strspn(text, " ");
    return lower(text[0]) == 'g' && lower(text[1]) == 'h' &&
           lower(text[2]) == 'z';
}

static bool is_speed(const char *word, const char *rest)
{
    const size_t digits = strspn(word, "0123456789.");

    return (digits > 0 && word[digits] == '\0' && ghz_follows(rest)) ||
           strcmp(word + digits, "ghz") == 0;
}

/* Adds the words of @text to @stem, at most @max of them. */
static void add_words(char *stem, const char *text, uint32_t max)
{
    static const char left_out[] = "intel-amd-processor-cpu-server-";
    char word[BL_SERVER_STEM_BYTES], seen[BL_SERVER_STEM_BYTES + 2];
    size_t n;

    while (max-- > 0 && *text != '\0') {
        const size_t used = strlen(stem);

        n = next_word(&text, word, sizeof(word));
        snprintf(seen, sizeof(seen), "%s-", stem);
        if (n == 0 || is_listed(left_out, word, n) ||
            is_listed(seen, word, n) || is_speed(word, text))
            continue;
        snprintf(stem + used, BL_SERVER_STEM_BYTES - used, "%s%s",
                 used > 0 ? "-" : "", word);
    }
}

static const struct bl_server *find(const struct bl_server *s, uint32_t count,
                                    const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(s[i].power.name, name) == 0)
            return &s[i];
    return NULL;
}

/* Names the last of @count servers. @repeats says of each how often its name
 * was wanted again. */
static void name_last(struct bl_server *s, uint32_t count, uint16_t *repeats)
{
    struct bl_server *last = &s[count - 1];
    char stem[BL_SERVER_STEM_BYTES] = "";
    const struct bl_server *first;

    add_words(stem, last->vendor, 1);
    add_words(stem, last->model, UINT32_MAX);
    add_words(stem, last->cpu, UINT32_MAX);
    if (stem[0] == '\0')
        snprintf(stem, sizeof(stem), "unnamed");
    snprintf(last->power.name, sizeof(last->power.name), "%s", stem);
    first = find(s, count - 1, stem);
    while (first != NULL && find(s, count - 1, last->power.name) != NULL)
        snprintf(last->power.name, sizeof(last->power.name), "%s-%u", stem,
                 ++repeats[first - s] + 1);
}

/* --- the whole ---------------------------------------------------------- */

static bl_err take_server(const struct reader *r, struct bl_server *s)
{
    if (r->field_count != r->column_count)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                           "%u fields, expected %u as in the first line",
                           r->field_count, r->column_count);
    *s = (struct bl_server){
        .vendor = r->field[r->column[C_VENDOR] - 1],
        .model = r->field[r->column[C_MODEL] - 1],
        .cpu = r->field[r->column[C_CPU] - 1],
    };
    BL_TRY(take_size(r, s));
    return take_curve(r, s);
}

static bl_err check_src_line(const struct reader *r, const struct bl_server *s,
                             uint32_t count)
{
    for (uint32_t i = 0; s[count].src_line != 0 && i < count; i++)
        if (s[i].src_line == s[count].src_line)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->label, r->line,
                               "src_line: %u for the second time, expected "
                               "another one",
                               s[i].src_line);
    return BL_ERR_OK;
}

static uint32_t count_lines(const char *text, size_t size)
{
    uint32_t n = 1;

    for (size_t i = 0; i < size && n <= BL_SERVERS_MAX; i++)
        n += text[i] == '\n';
    return n;
}

static bl_err no_memory(const char *label, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, label, 0, "out of memory");
}

bl_err bl_servers_parse(struct bl_arena *a, const char *text, size_t size_bytes,
                        const char *label, struct bl_servers *out,
                        struct bl_diag *diag)
{
    struct reader r = { .label = label, .diag = diag, .line = 1 };
    const uint32_t rows = count_lines(text, size_bytes);
    struct bl_server *s = bl_arena_get(a, rows, sizeof(*s));
    uint16_t *repeats = bl_arena_get(a, rows, sizeof(*repeats));
    struct bl_hash h;
    uint32_t count = 0;
    bool got;

    /* a NUL behind the last field, even if no newline ends its line */
    r.at = bl_arena_get(a, size_bytes + 1, 1);
    if (s == NULL || repeats == NULL || r.at == NULL)
        return no_memory(label, diag);
    memcpy(r.at, text, size_bytes);
    r.end = r.at + size_bytes;
    /* what spreadsheets put before UTF-8 is no part of the first name */
    if (size_bytes >= 3 && memcmp(r.at, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    BL_TRY(take_header(&r));
    for (;; count++) {
        r.line++;
        BL_TRY(take_record(&r, &got));
        if (!got)
            break;
        if (count == BL_SERVERS_MAX)
            return bl_diag_set(diag, BL_ERR_FULL, label, r.line,
                               "too many servers, expected at most %u",
                               BL_SERVERS_MAX);
        BL_TRY(take_server(&r, &s[count]));
        BL_TRY(check_src_line(&r, s, count));
        name_last(s, count + 1, repeats);
    }
    if (count == 0)
        return refuse(&r, "no server in it, expected one or more");
    bl_hash_init(&h);
    bl_hash_bytes(&h, text, size_bytes);
    *out = (struct bl_servers){ s, count, bl_hash_value(&h) };
    return BL_ERR_OK;
}

bl_err bl_servers_load(struct bl_arena *a, const char *path,
                       struct bl_servers *out, struct bl_diag *diag)
{
    struct stat st;
    size_t size;
    char *text;
    FILE *f;

    errno = 0;
    if (stat(path, &st) != 0)
        return bl_diag_set(diag, BL_ERR_IO, path, 0,
                           "cannot be opened (%s), expected a CSV file of "
                           "servers",
                           strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)BL_SERVERS_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_IO, path, 0,
                           "no file of at most %u bytes, expected a CSV file "
                           "of servers",
                           BL_SERVERS_BYTES_MAX);
    text = bl_arena_get(a, (size_t)st.st_size + 1, 1);
    if (text == NULL)
        return no_memory(path, diag);
    f = fopen(path, "rb");
    if (f == NULL)
        return bl_diag_set(diag, BL_ERR_IO, path, 0,
                           "cannot be opened (%s), expected a CSV file of "
                           "servers",
                           strerror(errno));
    size = fread(text, 1, (size_t)st.st_size, f);
    fclose(f);
    return bl_servers_parse(a, text, size, path, out, diag);
}

const struct bl_server *bl_servers_find(const struct bl_servers *s,
                                        const char *name)
{
    const char *why;
    int64_t line = 0;

    if (strncmp(name, "line:", 5) != 0)
        return find(s->server, s->count, name);
    if (bl_units_parse(BL_DIM_COUNT, name + 5, &line, &why) != BL_ERR_OK)
        return NULL;
    for (uint32_t i = 0; line > 0 && i < s->count; i++)
        if (s->server[i].src_line == line)
            return &s->server[i];
    return NULL;
}

uint32_t bl_server_best_load(const struct bl_server *s)
{
    uint32_t best = 1;

    for (uint32_t i = 2; i < BL_POWER_POINTS; i++) {
        const uint64_t here = s->ops[1] > 0 ? s->ops[i] : i;
        const uint64_t there = s->ops[1] > 0 ? s->ops[best] : best;

        /* at most 2^34 operations times 2^27 mW */
        if (here * s->power.mw[best] > there * s->power.mw[i])
            best = i;
    }
    return best * 10;
}
