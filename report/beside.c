/* SPDX-License-Identifier: Apache-2.0 */
/* The run beside other policies on the same input: one as two columns with
 * their differences, several as a table and a picture, the energy floor last.
 */
#include "report/report_priv.h"

#include <math.h>

enum { COLUMN = 15, NAME = 20, BAR = 54 };

static void title(FILE *f, const char *what, const struct bl_style *s)
{
    fprintf(f, "\n%s%s%s\n", bl__sgr(s, BL_SGR_BOLD), what,
            bl__sgr(s, BL_SGR_OFF));
}

/* ---- one ---------------------------------------------------------------- */

static void against_row(FILE *f, const char *label, int digits, double here,
                        double there)
{
    fprintf(f, "  %-34s %15.*f %15.*f", label, digits, here, digits, there);
    if (there > 0 && here != there)
        fprintf(f, " %+8.1f %%", (here - there) / there * 100);
    fputc('\n', f);
}

/* The sign of @unserved decides: more or less of it than there. */
static void verdict(FILE *f, double saved_kwh, double part, double unserved)
{
    if (saved_kwh >= 0)
        fprintf(f, "  Saved %.2f kWh (%.1f %%), %s\n", saved_kwh, part * 100,
                unserved > 0 ? "paid for with demand not served"
                             : "at no cost in service");
    else
        fprintf(f, "  %s %.2f kWh (%.1f %%)%s\n",
                unserved < 0 ? "Spent" : "Wasted", -saved_kwh, -part * 100,
                unserved < 0 ? " more, and less demand was not served" : "");
}

static void against(FILE *f, const struct bl_result *r,
                    const struct bl_result *base, const struct bl_style *s)
{
    char here[BL_TEXT_BYTES], there[BL_TEXT_BYTES], name[2 * BL_TEXT_BYTES];
    const double saved = base->energy_kwh - r->energy_kwh;

    bl__name(base->id.policy, 2 * NAME, false, there, sizeof(there));
    snprintf(name, sizeof(name), "Against %s, on the same input", there);
    title(f, name, s);
    bl__name(r->id.policy, COLUMN, false, here, sizeof(here));
    bl__name(base->id.policy, COLUMN, false, there, sizeof(there));
    fprintf(f, "  %-34s %15s %15s\n", "", here, there);
    against_row(f, "energy, kWh", 2, r->energy_kwh, base->energy_kwh);
    if (r->floor_kwh > 0 && base->floor_kwh > 0)
        against_row(f, "times the energy floor", 2,
                    r->energy_kwh / r->floor_kwh,
                    base->energy_kwh / base->floor_kwh);
    against_row(f, "hosts on, on average", 1, bl_result_hosts_on_mean(r),
                bl_result_hosts_on_mean(base));
    against_row(f, "migrations", 0, (double)r->migrations,
                (double)base->migrations);
    against_row(f, "demand not served, ppm", 1, r->unserved_ppm,
                base->unserved_ppm);
    against_row(f, "SLATAH, %", 2, r->slatah * 100, base->slatah * 100);
    if (base->energy_kwh <= 0)
        return;
    verdict(f, saved, saved / base->energy_kwh,
            r->unserved_ppm - base->unserved_ppm);
}

/* ---- several ------------------------------------------------------------ */

struct row {
    const struct bl_result *r; /* NULL: the floor */
    char name[BL_TEXT_BYTES];
    double kwh;
};

static void table(FILE *f, const struct row *row, uint32_t count,
                  double floor_kwh)
{
    fprintf(f, "  %-*s %9s %7s %11s %10s %8s %8s\n", NAME, "", "energy",
            "times", "not served", "migrations", "switched", "hosts on");
    fprintf(f, "  %-*s %9s %7s %11s %10s %8s %8s\n", NAME, "", "kWh", "floor",
            "ppm", "", "off", "mean");
    for (uint32_t i = 0; i < count; i++) {
        const struct bl_result *r = row[i].r;

        fprintf(f, "  %-*s %9.2f", NAME, row[i].name, row[i].kwh);
        if (floor_kwh > 0)
            fprintf(f, " %7.2f", row[i].kwh / floor_kwh);
        else
            fprintf(f, " %7s", "-");
        if (r != NULL)
            fprintf(f, " %11.1f %10llu %8llu %8.1f", r->unserved_ppm,
                    (unsigned long long)r->migrations,
                    (unsigned long long)r->host_off_count,
                    bl_result_hosts_on_mean(r));
        fputc('\n', f);
    }
}

static void bar(FILE *f, double kwh, double floor_kwh, double top_kwh,
                const struct bl_style *s)
{
    const uint32_t all = (uint32_t)floor(kwh / top_kwh * BAR + 0.5);
    uint32_t solid = (uint32_t)floor(floor_kwh / top_kwh * BAR + 0.5);

    solid = solid < all ? solid : all;
    fputs(bl__sgr(s, BL_SGR_GREEN), f);
    for (uint32_t i = 0; i < solid; i++)
        fputs(s->utf8 ? "\xe2\x96\x88" : "#", f);
    fputs(bl__sgr(s, BL_SGR_OFF), f);
    fputs(bl__sgr(s, BL_SGR_YELLOW), f);
    for (uint32_t i = solid; i < all; i++)
        fputs(s->utf8 ? "\xe2\x96\x91" : ":", f);
    fprintf(f, "%s\n", bl__sgr(s, BL_SGR_OFF));
}

static void picture(FILE *f, const struct row *row, uint32_t count,
                    double floor_kwh, const struct bl_style *s)
{
    double top = 0;

    for (uint32_t i = 0; i < count; i++)
        top = row[i].kwh > top ? row[i].kwh : top;
    if (top <= 0)
        return;
    fprintf(f, "\n  Energy (%s the floor, %s beyond it)\n",
            s->utf8 ? "\xe2\x96\x88" : "#", s->utf8 ? "\xe2\x96\x91" : ":");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(f, "  %-*s ", NAME, row[i].name);
        bar(f, row[i].kwh, floor_kwh, top, s);
    }
}

static void add_row(struct row *row, const struct bl_result *r,
                    const struct bl_style *s)
{
    row->r = r;
    row->kwh = r->energy_kwh;
    bl__name(r->id.policy, NAME, s->utf8, row->name, sizeof(row->name));
}

static void among(FILE *f, const struct bl_result *r,
                  const struct bl_baselines *base, const struct bl_style *s)
{
    struct row row[BL_BASELINES_MAX + 2];
    uint32_t count = 0;

    for (uint32_t i = 0; i < base->count; i++)
        add_row(&row[count++], base->r[i], s);
    add_row(&row[count++], r, s);
    if (r->floor_kwh > 0) {
        row[count] =
            (struct row){ .name = "energy floor", .kwh = r->floor_kwh };
        count++;
    }
    title(f, "Beside other policies, on the same input", s);
    table(f, row, count, r->floor_kwh);
    picture(f, row, count, r->floor_kwh, s);
}

void bl__beside(FILE *f, const struct bl_result *r,
                const struct bl_baselines *base, const struct bl_style *s)
{
    if (base == NULL || base->count == 0)
        return;
    BL_ASSERT(base->count <= BL_BASELINES_MAX);
    if (base->count == 1)
        against(f, r, base->r[0], s);
    else
        among(f, r, base, s);
}
