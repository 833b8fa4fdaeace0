/* SPDX-License-Identifier: Apache-2.0 */
/* The front as a table, as CSV, and the chosen point as a policy file. */
#include "report/report_priv.h"
#include "report/tune_priv.h"

#include <string.h>

enum { VALUE_COLUMNS = 12, POINT_BYTES = 1024 };

void bl__tune_point(const struct bl_tune_report *t, uint32_t row, char *buf,
                    size_t size)
{
    const struct bl_tune_row *r = &t->row[row];

    if (row == 0) {
        snprintf(buf, size, "%s as it is", r->policy);
        return;
    }
    buf[0] = '\0';
    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        const uint32_t p = t->space->dim[k].param;
        const size_t used = strlen(buf);
        char value[64];

        bl_param_print(&r->params->table[p], r->params->value[p], value,
                       sizeof(value));
        snprintf(buf + used, size - used, "%s%s=%s", used > 0 ? " " : "",
                 r->params->table[p].name, value);
    }
}

/* ---- text --------------------------------------------------------------- */

static void print_days(FILE *f, const char *label,
                       const struct bl_tune_day *day, uint32_t count,
                       const struct bl_style *s)
{
    for (uint32_t i = 0; i < count; i++)
        bl__identity_line(f, i == 0 ? label : "", day[i].name, day[i].hash, s);
}

static void print_head(FILE *f, const struct bl_tune_report *t,
                       const struct bl_style *s)
{
    char words[POINT_BYTES];

    fprintf(f, "%sballast %s%s\n", bl__sgr(s, BL_SGR_BOLD), t->version,
            bl__sgr(s, BL_SGR_OFF));
    bl__identity_line(f, "scenario", t->scenario, t->scenario_hash, s);
    print_days(f, "tuned on", t->day, t->day_count, s);
    print_days(f, "validated", t->other_day, t->other_count, s);
    fprintf(f, "  %-10s %s, seed %llu\n", "physics", t->physics,
            (unsigned long long)t->seed);
    fprintf(f, "  %-10s %s, %llu run%s\n", "search", t->strategy,
            (unsigned long long)t->runs_all, t->runs_all == 1 ? "" : "s");
    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        bl_space_dim_print(t->space, k, words, sizeof(words));
        fprintf(f, "  %-10s %s\n", k == 0 ? "vary" : "", words);
    }
    if (t->partial)
        fprintf(f,
                "\n%sPARTIAL: interrupted; %llu of %llu runs are complete, and "
                "the front is that of these.%s\n",
                bl__sgr(s, BL_SGR_YELLOW), (unsigned long long)t->runs_done,
                (unsigned long long)t->runs_all, bl__sgr(s, BL_SGR_OFF));
}

static void print_values(FILE *f, const struct bl_tune_report *t,
                         const double *value, bool known)
{
    for (uint32_t k = 0; k < t->objectives.count; k++) {
        if (known)
            fprintf(f, " %*.6g", VALUE_COLUMNS - 1, value[t->objectives.of[k]]);
        else
            fprintf(f, " %*s", VALUE_COLUMNS - 1, "-");
    }
}

static void print_row(FILE *f, const struct bl_tune_report *t, uint32_t row,
                      const struct bl_style *s)
{
    const struct bl_tune_row *r = &t->row[row];
    const uint32_t columns =
        6 + VALUE_COLUMNS * t->objectives.count * (t->other_count > 0 ? 2 : 1);
    char number[16] = "", words[POINT_BYTES];
    uint32_t twins = 0;

    if (r->place > 0)
        snprintf(number, sizeof(number), "%u", r->place);
    for (uint32_t i = 0; i < t->row_count; i++)
        twins += t->row[i].twin == row;
    bl__tune_point(t, row, words, sizeof(words));
    fprintf(f, "%s%c%c%4s", row == t->chosen ? bl__sgr(s, BL_SGR_GREEN) : "",
            row == t->chosen ? '*' : ' ', row == 0 ? 'b' : ' ', number);
    print_values(f, t, r->tuned, r->complete);
    if (t->other_count > 0)
        print_values(f, t, r->other, r->validated);
    if (columns + 2 + strlen(words) <= BL_REPORT_COLUMNS)
        fprintf(f, "  %s", words);
    else
        fprintf(f, "\n        %s", words);
    if (twins > 0)
        fprintf(f, " (and %u alike)", twins);
    fprintf(f, "%s\n", row == t->chosen ? bl__sgr(s, BL_SGR_OFF) : "");
}

static void print_titles(FILE *f, const struct bl_tune_report *t,
                         const struct bl_style *s)
{
    const uint32_t sets = t->other_count > 0 ? 2 : 1;
    const int wide = (int)(t->objectives.count * VALUE_COLUMNS);

    fputc('\n', f);
    if (sets == 2)
        fprintf(f, "      %*s%*s\n", wide, "tuned", wide, "validated");
    fprintf(f, "%s     #", bl__sgr(s, BL_SGR_BOLD));
    for (uint32_t i = 0; i < sets; i++) {
        for (uint32_t k = 0; k < t->objectives.count; k++) {
            const uint32_t o = t->objectives.of[k];
            const char *unit = bl_objective_unit(o);
            char title[32];

            snprintf(title, sizeof(title), "%s%s%s", bl_objective_name(o),
                     unit[0] != '\0' ? " " : "", unit);
            fprintf(f, " %*s", VALUE_COLUMNS - 1, title);
        }
    }
    fprintf(f, "%s\n", bl__sgr(s, BL_SGR_OFF));
}

void bl_tune_text(FILE *f, const struct bl_tune_report *t,
                  const struct bl_style *style)
{
    print_head(f, t, style);
    if (t->front_count == 0) {
        fputs("\nNo run is complete: there is no front.\n", f);
        return;
    }
    print_titles(f, t, style);
    for (uint32_t i = 0; i < t->front_count; i++)
        print_row(f, t, t->front[i], style);
    if (t->row[0].complete && t->row[0].place == 0)
        print_row(f, t, 0, style);
    fputs("\nb the baseline", f);
    if (t->chosen != BL_NONE)
        fprintf(f, "\n* picked: %s", bl_tune_pick_text(&t->pick));
    fputc('\n', f);
}

/* ---- CSV ---------------------------------------------------------------- */

static void csv_head(FILE *f, const struct bl_tune_report *t)
{
    fputs("place,chosen,policy", f);
    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        fputc(',', f);
        bl__csv_text(f, t->space->base.table[t->space->dim[k].param].name);
    }
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        fprintf(f, ",%s", bl_objective_name(o));
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        fprintf(f, ",validated_%s", bl_objective_name(o));
    fputc('\n', f);
}

static void csv_values(FILE *f, const double *value, bool known)
{
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++) {
        fputc(',', f);
        if (known && isfinite(value[o]))
            fprintf(f, "%.17g", value[o]);
    }
}

static void csv_row(FILE *f, const struct bl_tune_report *t, uint32_t row)
{
    const struct bl_tune_row *r = &t->row[row];
    const bool own = r->params->table == t->space->base.table;
    char value[64];

    if (r->place > 0)
        fprintf(f, "%u", r->place);
    fprintf(f, ",%u,", row == t->chosen);
    bl__csv_text(f, r->policy);
    for (uint32_t k = 0; k < t->space->dim_count; k++) {
        const uint32_t p = t->space->dim[k].param;

        fputc(',', f);
        if (!own)
            continue; /* a baseline that is another policy */
        bl_param_print(&r->params->table[p], r->params->value[p], value,
                       sizeof(value));
        bl__csv_text(f, value);
    }
    csv_values(f, r->tuned, r->complete);
    csv_values(f, r->other, r->validated);
    fputc('\n', f);
}

void bl_tune_csv_front(FILE *f, const struct bl_tune_report *t)
{
    csv_head(f, t);
    for (uint32_t i = 0; i < t->front_count; i++)
        csv_row(f, t, t->front[i]);
}

void bl_tune_csv_points(FILE *f, const struct bl_tune_report *t)
{
    csv_head(f, t);
    for (uint32_t i = 0; i < t->row_count; i++)
        if (t->row[i].complete)
            csv_row(f, t, i);
}

/* ---- the policy file ---------------------------------------------------- */

void bl_tune_policy(FILE *f, const struct bl_tune_report *t)
{
    const struct bl_tune_row *r = &t->row[t->chosen];
    char value[64];

    BL_ASSERT(t->chosen != BL_NONE);
    fprintf(f,
            "# Chosen by ballast tune %s for scenario %016llx,\n# seed %llu: "
            "%s.\n#\n#   ballast sim SCENARIO.yaml --policy-file policy.yaml\n"
            "#\n# Means over what it was tuned on:\n",
            t->version, (unsigned long long)t->scenario_hash,
            (unsigned long long)t->seed, bl_tune_pick_text(&t->pick));
    for (uint32_t i = 0; i < t->day_count; i++)
        fprintf(f, "#   trace %016llx\n", (unsigned long long)t->day[i].hash);
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        fprintf(f, "#   %-11s %.17g%s%s\n", bl_objective_name(o), r->tuned[o],
                bl_objective_unit(o)[0] != '\0' ? " " : "",
                bl_objective_unit(o));
    if (t->partial)
        fputs("# PARTIAL: the search was interrupted.\n", f);
    fprintf(f, "policy:\n  name: '%s'\n", r->policy);
    for (uint32_t p = 0; p < r->params->count; p++) {
        bl_param_print(&r->params->table[p], r->params->value[p], value,
                       sizeof(value));
        fprintf(f, "  %s: '%s'\n", r->params->table[p].name, value);
    }
}
