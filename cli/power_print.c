/* SPDX-License-Identifier: Apache-2.0 */
/* cli/power_print.c - zones, their draw and limits: table, rows, CSV, JSON. */
#include "cli/power.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define MICRO 1e6
#define NANO 1e9
#define NUMBER_BYTES 32
#define COLUMN_MIN 10
#define US_NS 1000

/* ---- the table --------------------------------------------------------- */

/* "-" for what is not known. */
static const char *number(char *buf, bool known, int digits, double value)
{
    snprintf(buf, NUMBER_BYTES, known ? "%.*f" : "-", digits, value);
    return buf;
}

struct widths {
    int id, path, name;
};

static void widen(int *width, const char *text)
{
    const int length = (int)strlen(text);

    *width = length > *width ? length : *width;
}

static struct widths widths_of(const struct bl_powercap *p)
{
    struct widths w = { 4, 4, 10 };

    for (uint32_t i = 0; i < p->zone_count; i++) {
        widen(&w.id, p->zone[i].id);
        widen(&w.path, p->zone[i].path);
        for (uint32_t k = 0; k < p->zone[i].constraint_count; k++)
            widen(&w.name, p->zone[i].constraint[k].name);
    }
    return w;
}

static void print_constraint(FILE *f, const struct bl_powercap_zone *z,
                             const struct bl_powercap_constraint *c, int width)
{
    char limit[NUMBER_BYTES], window[NUMBER_BYTES], max[NUMBER_BYTES];

    fprintf(f, "  %-*s %10s %10s %10s%s\n", width, c->name,
            number(limit, true, 3, (double)c->limit_uw / MICRO),
            number(window, c->window_us > 0, 6, (double)c->window_us / MICRO),
            number(max, c->max_uw > 0, 3, (double)c->max_uw / MICRO),
            z->enabled ? "" : "  (off)");
}

static void print_table(const struct bl_power_out *o,
                        const struct bl_powercap *p,
                        const struct bl_powercap_meter *m)
{
    const struct widths w = widths_of(p);
    char draw[NUMBER_BYTES];

    fprintf(o->f, "%s%-*s  %-*s %10s  %-*s %10s %10s %10s%s\n",
            o->colour ? "\033[1m" : "", w.id, "zone", w.path, "name", "draw W",
            w.name, "constraint", "limit W", "window s", "max W",
            o->colour ? "\033[0m" : "");
    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_zone *z = &p->zone[i];
        const struct bl_powercap_draw *d = &m->draw[i];

        fprintf(o->f, "%-*s  %-*s %10s", w.id, z->id, w.path, z->path,
                number(draw, d->known, 2, (double)d->power_uw / MICRO));
        if (z->constraint_count == 0)
            fputs("  no limits\n", o->f);
        for (uint32_t k = 0; k < z->constraint_count; k++) {
            if (k > 0)
                fprintf(o->f, "%*s", w.id + w.path + 13, "");
            print_constraint(o->f, z, &z->constraint[k], w.name);
        }
    }
}

/* ---- a row for each sample --------------------------------------------- */

static int column_of(const struct bl_powercap_zone *z)
{
    int width = COLUMN_MIN;

    widen(&width, z->path);
    return width;
}

static void begin_rows(const struct bl_power_out *o,
                       const struct bl_powercap *p)
{
    fprintf(o->f, "%s%10s", o->colour ? "\033[1m" : "", "time s");
    for (uint32_t i = 0; i < p->zone_count; i++)
        fprintf(o->f, "  %*s", column_of(&p->zone[i]), p->zone[i].path);
    fprintf(o->f, "%s\n", o->colour ? "\033[0m" : "");
}

static void print_row(const struct bl_power_out *o, const struct bl_powercap *p,
                      const struct bl_powercap_meter *m)
{
    char draw[NUMBER_BYTES];

    fprintf(o->f, "%10.3f", (double)o->elapsed_ns / NANO);
    for (uint32_t i = 0; i < p->zone_count; i++)
        fprintf(o->f, "  %*s", column_of(&p->zone[i]),
                number(draw, m->draw[i].known, 2,
                       (double)m->draw[i].power_uw / MICRO));
    fputc('\n', o->f);
}

/* ---- CSV --------------------------------------------------------------- */

static const struct bl_powercap_constraint *
constraint_of(const struct bl_powercap_zone *z, const char *name)
{
    for (uint32_t k = 0; k < z->constraint_count; k++)
        if (strcmp(z->constraint[k].name, name) == 0)
            return &z->constraint[k];
    return NULL;
}

/* ",N", or "," for what is not known. */
static void csv_count(FILE *f, bool known, uint64_t n)
{
    if (known)
        fprintf(f, ",%" PRIu64, n);
    else
        fputc(',', f);
}

static void print_csv(const struct bl_power_out *o, const struct bl_powercap *p,
                      const struct bl_powercap_meter *m)
{
    static const char *const names[] = { "long_term", "short_term" };

    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_zone *z = &p->zone[i];
        const struct bl_powercap_draw *d = &m->draw[i];

        fprintf(o->f, "%" PRIu64 ",%.6f,%s,%s,%s", o->sample_count,
                (double)o->elapsed_ns / NANO, z->id, z->path,
                z->enabled ? "yes" : "no");
        csv_count(o->f, d->known, d->energy_uj);
        csv_count(o->f, d->known, d->power_uw);
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            const struct bl_powercap_constraint *c = constraint_of(z, names[k]);

            csv_count(o->f, c != NULL, c != NULL ? c->limit_uw : 0);
            csv_count(o->f, c != NULL && c->window_us > 0,
                      c != NULL ? c->window_us : 0);
        }
        fputc('\n', o->f);
    }
}

/* ---- JSON -------------------------------------------------------------- */

static json_t *count_or_null(bool known, uint64_t n)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *json_constraint(const struct bl_powercap_constraint *c)
{
    return json_pack("{s:s, s:I, s:o, s:o}", "name", c->name, "limit_uw",
                     (json_int_t)c->limit_uw, "window_us",
                     count_or_null(c->window_us > 0, c->window_us), "max_uw",
                     count_or_null(c->max_uw > 0, c->max_uw));
}

static json_t *json_zone(const struct bl_powercap_zone *z)
{
    json_t *constraints = json_array();

    for (uint32_t k = 0; k < z->constraint_count; k++)
        json_array_append_new(constraints, json_constraint(&z->constraint[k]));
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "zone", z->id, "name",
                     z->path, "enabled", (int)z->enabled, "range_uj",
                     count_or_null(z->range_uj > 0, z->range_uj), "constraints",
                     constraints);
}

/* One value on a line of its own; a FILE keeps its errors. */
static void dump(FILE *f, const char *before, json_t *value)
{
    fputs(before, f);
    if (value == NULL || json_dumpf(value, f, JSON_COMPACT) != 0)
        fputs("null", f);
    json_decref(value);
}

static void begin_json(const struct bl_power_out *o,
                       const struct bl_powercap *p)
{
    fputs("{\n\"format\": \"ballast-power-1\",\n\"zones\": [", o->f);
    for (uint32_t i = 0; i < p->zone_count; i++)
        dump(o->f, i > 0 ? ",\n" : "\n", json_zone(&p->zone[i]));
    fputs("\n],\n\"samples\": [", o->f);
}

static void print_json(const struct bl_power_out *o,
                       const struct bl_powercap *p,
                       const struct bl_powercap_meter *m)
{
    json_t *zones = json_array();

    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_draw *d = &m->draw[i];

        json_array_append_new(
            zones, json_pack("{s:s, s:o, s:o}", "zone", p->zone[i].id,
                             "energy_uj", count_or_null(d->known, d->energy_uj),
                             "power_uw", count_or_null(d->known, d->power_uw)));
    }
    dump(o->f, o->sample_count > 1 ? ",\n" : "\n",
         json_pack("{s:I, s:o}", "elapsed_us",
                   (json_int_t)(o->elapsed_ns / US_NS), "zones", zones));
}

/* ---- all of them ------------------------------------------------------- */

void bl_power_begin(struct bl_power_out *o, const struct bl_powercap *p)
{
    if (o->form == BL_POWER_ROWS)
        begin_rows(o, p);
    else if (o->form == BL_POWER_CSV)
        fputs(
            "sample,elapsed_s,zone,name,enabled,energy_uj,power_uw,"
            "long_term_limit_uw,long_term_window_us,"
            "short_term_limit_uw,short_term_window_us\n",
            o->f);
    else if (o->form == BL_POWER_JSON)
        begin_json(o, p);
    fflush(o->f);
}

void bl_power_sample(struct bl_power_out *o, const struct bl_powercap *p,
                     const struct bl_powercap_meter *m, int64_t interval_ns)
{
    o->sample_count++;
    o->elapsed_ns += interval_ns;
    switch (o->form) {
    case BL_POWER_TABLE:
        print_table(o, p, m);
        break;
    case BL_POWER_ROWS:
        print_row(o, p, m);
        break;
    case BL_POWER_CSV:
        print_csv(o, p, m);
        break;
    case BL_POWER_JSON:
        print_json(o, p, m);
        break;
    }
    fflush(o->f);
}

void bl_power_end(struct bl_power_out *o, bool partial)
{
    if (o->form == BL_POWER_JSON)
        fprintf(o->f, "\n],\n\"partial\": %s\n}\n", partial ? "true" : "false");
    fflush(o->f);
}
