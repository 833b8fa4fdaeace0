/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/space.h"

#include "base/prng.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 64 };

void bl_space_init(struct bl_space *s, const struct bl_params *base)
{
    *s = (struct bl_space){ .base = *base };
}

/* ---- reading ------------------------------------------------------------ */

/* What is being read, for its pieces' messages. */
struct reader {
    const struct bl_space *space;
    const char *name, *file;
    unsigned long line;
    struct bl_diag *diag;
};

static bl_err refuse(const struct reader *r, const char *text,
                     const char *expect)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, r->line,
                       "%.60s: '%.60s', expected %s", r->name, text, expect);
}

/* One value as the policy's own table reads it, ranges included. */
static bl_err read_value(const struct reader *r, const char *text, size_t n,
                         int64_t *out)
{
    struct bl_params p = r->space->base;
    char word[WORD_BYTES];

    if (n == 0 || n >= sizeof(word))
        return refuse(r, text, "LO:HI:STEP, LO:HI or a list such as a,b,c");
    snprintf(word, sizeof(word), "%.*s", (int)n, text);
    BL_TRY(bl_params_set(&p, r->name, word, r->file, r->line, r->diag));
    *out = bl_params_get(&p, r->name);
    return BL_ERR_OK;
}

static bl_err read_step(const struct reader *r, const char *text,
                        enum bl_dim dim, int64_t *out)
{
    const char *why = NULL;

    if (bl_units_parse(dim, text, out, &why) != BL_ERR_OK || *out <= 0)
        return refuse(r, text, "a step above 0 after the second ':'");
    return BL_ERR_OK;
}

static bl_err read_range(const struct reader *r, const char *text,
                         enum bl_dim dim, struct bl_space_dim *d)
{
    const size_t first = strcspn(text, ":");
    const char *hi = text + first + 1;
    const size_t second = strcspn(hi, ":");

    if (dim == BL_DIM_CHOICE || dim == BL_DIM_BOOL)
        return refuse(r, text, "a list such as a,b: it has no order");
    BL_TRY(read_value(r, text, first, &d->lo));
    BL_TRY(read_value(r, hi, second, &d->hi));
    if (d->lo >= d->hi)
        return refuse(r, text, "a range from less to more");
    d->kind = BL_SPACE_ANY;
    d->count = (uint64_t)(d->hi - d->lo) + 1;
    if (hi[second] == '\0')
        return BL_ERR_OK;
    BL_TRY(read_step(r, hi + second + 1, dim, &d->step));
    d->kind = BL_SPACE_STEPS;
    d->count = (uint64_t)((d->hi - d->lo) / d->step) + 1;
    return BL_ERR_OK;
}

static bl_err read_list(const struct reader *r, const char *text,
                        struct bl_space_dim *d)
{
    d->kind = BL_SPACE_LIST;
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");

        if (d->count == BL_SPACE_LIST_MAX)
            return refuse(r, text, "at most 64 values in a list");
        BL_TRY(read_value(r, at, n, &d->value[d->count]));
        for (uint64_t i = 0; i < d->count; i++)
            if (d->value[i] == d->value[d->count])
                return refuse(r, text, "each value once");
        d->count++;
        at += n;
        if (*at == '\0')
            return BL_ERR_OK;
    }
}

/* Where @name is in the table; the message is the table's own. */
static bl_err find(const struct reader *r, uint32_t *index)
{
    const struct bl_params *base = &r->space->base;
    struct bl_params p = *base;

    for (uint32_t i = 0; i < base->count; i++) {
        if (strcmp(base->table[i].name, r->name) == 0) {
            *index = i;
            return BL_ERR_OK;
        }
    }
    return bl_params_set(&p, r->name, "", r->file, r->line, r->diag);
}

bl_err bl_space_vary(struct bl_space *s, const char *name, const char *text,
                     const char *file, unsigned long line, struct bl_diag *diag)
{
    const struct reader r = { s, name, file, line, diag };
    struct bl_space_dim d = { .line = line };

    BL_TRY(find(&r, &d.param));
    for (uint32_t i = 0; i < s->dim_count; i++)
        if (s->dim[i].param == d.param)
            return refuse(&r, text, "each parameter once");
    if (strchr(text, ':') != NULL)
        BL_TRY(read_range(&r, text, s->base.table[d.param].dim, &d));
    else
        BL_TRY(read_list(&r, text, &d));
    BL_ASSERT(s->dim_count < BL_PARAMS_MAX);
    s->dim[s->dim_count++] = d;
    return BL_ERR_OK;
}

/* ---- points ------------------------------------------------------------- */

static int64_t value_of(const struct bl_space_dim *d, uint64_t i)
{
    BL_ASSERT(i < d->count);
    switch (d->kind) {
    case BL_SPACE_LIST:
        return d->value[i];
    case BL_SPACE_STEPS:
        return d->lo + (int64_t)i * d->step;
    case BL_SPACE_ANY:
        break;
    }
    return d->lo + (int64_t)i;
}

uint64_t bl_space_grid_count(const struct bl_space *s)
{
    uint64_t n = 1;

    for (uint32_t i = 0; i < s->dim_count; i++)
        if (s->dim[i].kind == BL_SPACE_ANY)
            return 0;
    for (uint32_t i = 0; i < s->dim_count; i++) {
        if (n > UINT64_MAX / s->dim[i].count)
            return UINT64_MAX;
        n *= s->dim[i].count;
    }
    return n;
}

void bl_space_grid(const struct bl_space *s, uint64_t i, struct bl_params *out)
{
    *out = s->base;
    for (uint32_t k = s->dim_count; k-- > 0;) {
        const struct bl_space_dim *d = &s->dim[k];

        out->value[d->param] = value_of(d, i % d->count);
        i /= d->count;
    }
    BL_ASSERT(i == 0);
}

void bl_space_draw(const struct bl_space *s, uint64_t seed, uint64_t i,
                   struct bl_params *out)
{
    struct bl_prng prng = bl_prng_stream(seed, i);

    *out = s->base;
    for (uint32_t k = 0; k < s->dim_count; k++) {
        const struct bl_space_dim *d = &s->dim[k];

        out->value[d->param] = value_of(d, bl_prng_below(&prng, d->count));
    }
}

/* ---- printing ----------------------------------------------------------- */

void bl_space_dim_print(const struct bl_space *s, uint32_t dim, char *buf,
                        size_t size)
{
    const struct bl_space_dim *d = &s->dim[dim];
    const struct bl_param *p = &s->base.table[d->param];
    char lo[WORD_BYTES], hi[WORD_BYTES], step[WORD_BYTES];
    size_t used;

    BL_ASSERT(dim < s->dim_count);
    if (d->kind != BL_SPACE_LIST) {
        bl_units_print(p->dim, d->lo, lo, sizeof(lo));
        bl_units_print(p->dim, d->hi, hi, sizeof(hi));
        bl_units_print(p->dim, d->step, step, sizeof(step));
        snprintf(buf, size, "%s=%s:%s%s%s", p->name, lo, hi,
                 d->kind == BL_SPACE_STEPS ? ":" : "",
                 d->kind == BL_SPACE_STEPS ? step : "");
        return;
    }
    snprintf(buf, size, "%s=", p->name);
    for (uint64_t i = 0; i < d->count; i++) {
        used = strlen(buf);
        bl_param_print(p, d->value[i], lo, sizeof(lo));
        snprintf(buf + used, size - used, "%s%s", i > 0 ? "," : "", lo);
    }
}
