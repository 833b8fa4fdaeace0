/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/param.h"

#include <stdio.h>
#include <string.h>

void bl_params_init(struct bl_params *p, const struct bl_param *table,
                    uint32_t count)
{
    BL_ASSERT(count <= BL_PARAMS_MAX);
    *p = (struct bl_params){ .table = table, .count = count };
    for (uint32_t i = 0; i < count; i++)
        p->value[i] = table[i].def;
}

/* Appends; what does not fit is cut. */
static void text_add(char *buf, size_t size, const char *s)
{
    const size_t used = strlen(buf);

    snprintf(buf + used, size - used, "%s", s);
}

void bl_param_print(const struct bl_param *d, int64_t value, char *buf,
                    size_t size)
{
    if (d->dim == BL_DIM_CHOICE)
        snprintf(buf, size, "%s", d->choices[value]);
    else
        bl_units_print(d->dim, value, buf, size);
}

static bl_err choice_parse(const struct bl_param *d, const char *text,
                           int64_t *out)
{
    for (int64_t i = 0; d->choices[i] != NULL; i++) {
        if (strcmp(d->choices[i], text) == 0) {
            *out = i;
            return BL_ERR_OK;
        }
    }
    return BL_ERR_PARSE;
}

static void list_choices(const struct bl_param *d, char *buf, size_t size)
{
    buf[0] = '\0';
    text_add(buf, size, "one of");
    for (int64_t i = 0; d->choices[i] != NULL; i++) {
        text_add(buf, size, " ");
        text_add(buf, size, d->choices[i]);
    }
}

static bl_err value_parse(const struct bl_param *d, const char *text,
                          const char *file, unsigned long line, int64_t *out,
                          struct bl_diag *diag)
{
    char expect[160], lo[40], hi[40];
    const char *why = NULL;
    int64_t v = 0;
    bl_err e;

    if (d->dim == BL_DIM_CHOICE) {
        e = choice_parse(d, text, &v);
        list_choices(d, expect, sizeof(expect));
        why = expect;
    } else {
        e = bl_units_parse(d->dim, text, &v, &why);
    }
    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, file, line, "%s: '%.60s', expected %s",
                           d->name, text, why);
    if (v < d->min || v > d->max) {
        bl_param_print(d, d->min, lo, sizeof(lo));
        bl_param_print(d, d->max, hi, sizeof(hi));
        return bl_diag_set(diag, BL_ERR_INVAL, file, line,
                           "%s: %.60s is out of range, expected %s .. %s",
                           d->name, text, lo, hi);
    }
    *out = v;
    return BL_ERR_OK;
}

bl_err bl_params_set(struct bl_params *p, const char *name, const char *text,
                     const char *file, unsigned long line, struct bl_diag *diag)
{
    char known[256] = "";

    for (uint32_t i = 0; i < p->count; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return value_parse(&p->table[i], text, file, line, &p->value[i],
                               diag);
    for (uint32_t i = 0; i < p->count; i++) {
        text_add(known, sizeof(known), " ");
        text_add(known, sizeof(known), p->table[i].name);
    }
    return bl_diag_set(diag, BL_ERR_NOENT, file, line,
                       "unknown parameter '%.60s', expected %s%s", name,
                       p->count > 0 ? "one of" : "none", known);
}

int64_t bl_params_get(const struct bl_params *p, const char *name)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return p->value[i];
    BL_ASSERT(0 && "a parameter of the policy's own table");
    return 0;
}

void bl_params_print(const struct bl_params *p, char *buf, size_t size)
{
    char value[64];

    BL_ASSERT(size > 0);
    buf[0] = '\0';
    for (uint32_t i = 0; i < p->count; i++) {
        bl_param_print(&p->table[i], p->value[i], value, sizeof(value));
        text_add(buf, size, i > 0 ? " " : "");
        text_add(buf, size, p->table[i].name);
        text_add(buf, size, "=");
        text_add(buf, size, value);
    }
}
