/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, as JSON. */
#include "report/tune_priv.h"

/* @value of a pack that failed is NULL: jansson then refuses, too. */
static json_t *values(const double *value, bool known)
{
    json_t *o = json_object();

    if (!known) {
        json_decref(o);
        return json_null();
    }
    for (uint32_t k = 0; k < BL_OBJECTIVE_COUNT; k++) {
        if (json_object_set_new(o, bl_objective_name(k),
                                bl__json_real(value[k])) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

static json_t *params(const struct bl_params *p)
{
    json_t *o = json_object();
    char text[64];

    for (uint32_t i = 0; i < p->count; i++) {
        bl_param_print(&p->table[i], p->value[i], text, sizeof(text));
        if (json_object_set_new(o, p->table[i].name, bl__json_text(text)) !=
            0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

/* "o": the reference is taken over, NULL makes the whole NULL. */
static json_t *row_object(const struct bl_tune_report *t, uint32_t row)
{
    const struct bl_tune_row *r = &t->row[row];
    char point[1024];

    bl__tune_point(t, row, point, sizeof(point));
    return json_pack(
        "{s:i, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (int)row,
        "baseline", row == 0, "chosen", row == t->chosen, "place",
        (int)r->place, "twin_of",
        r->twin == BL_NONE ? json_null() : json_integer((json_int_t)r->twin),
        "policy", bl__json_text(r->policy), "point", bl__json_text(point),
        "parameters", params(r->params), "tuned", values(r->tuned, r->complete),
        "validated", values(r->other, r->validated));
}

static json_t *rows(const struct bl_tune_report *t)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->row_count; i++) {
        if (!t->row[i].complete)
            continue;
        if (json_array_append_new(list, row_object(t, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *days(const struct bl_tune_day *day, uint32_t count)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++) {
        json_t *o = json_pack(
            "{s:o, s:o, s:I}", "name", bl__json_text(day[i].name), "hash",
            bl__json_hash(day[i].hash), "steps", (json_int_t)day[i].steps);

        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *objectives(const struct bl_tune_report *t)
{
    json_t *list = json_array();

    for (uint32_t k = 0; k < t->objectives.count; k++) {
        const char *name = bl_objective_name(t->objectives.of[k]);

        if (json_array_append_new(list, json_string(name)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *vary(const struct bl_tune_report *t)
{
    json_t *list = json_array();
    char text[1024];

    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        bl_space_dim_print(t->space, k, text, sizeof(text));
        if (json_array_append_new(list, bl__json_text(text)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *bl__tune_object(const struct bl_tune_report *t)
{
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:b, "
        "s:I, s:I, s:o}",
        "format", BL_JSON_TUNE, "version", t->version, "scenario",
        bl__json_text(t->scenario), "scenario_hash",
        bl__json_hash(t->scenario_hash), "physics", t->physics, "seed",
        (json_int_t)t->seed, "search", bl__json_text(t->strategy), "traces",
        days(t->day, t->day_count), "validation_traces",
        days(t->other_day, t->other_count), "vary", vary(t), "objectives",
        objectives(t), "pick", bl_tune_pick_text(&t->pick), "partial",
        t->partial, "runs_done", (json_int_t)t->runs_done, "runs",
        (json_int_t)t->runs_all, "points", rows(t));
}

bl_err bl_tune_json(FILE *f, const struct bl_tune_report *t)
{
    json_t *o = bl__tune_object(t);
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(17);
    bl_err e = BL_ERR_OK;

    if (o == NULL || (json_dumpf(o, f, flags) != 0 && !ferror(f)))
        e = BL_ERR_NOMEM;
    json_decref(o);
    fputc('\n', f);
    return e;
}
