/* SPDX-License-Identifier: Apache-2.0 */
/* The run as one picture: power over the energy floor, hosts on, migrations. */
#include "report/report_priv.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 64, ROWS = 7, TICKS = 4, LEVELS = 8, MARGIN = 9 };

#define DAY_NS (INT64_C(86400) * BL_NS_PER_S)

struct column {
    double power_w, floor_w, hosts_on, migrations;
};

struct chart {
    FILE *f;
    const struct bl_result *r;
    const struct bl_style *s;
    struct column col[COLUMNS];
};

/* Means over the steps that share a column; with fewer steps than columns, a
 * step fills several. */
static void fill_columns(struct chart *c)
{
    const struct bl_result *r = c->r;

    for (uint64_t i = 0; i < COLUMNS; i++) {
        const uint64_t from = i * r->steps / COLUMNS;
        const uint64_t next = (i + 1) * r->steps / COLUMNS;
        const uint64_t to = next > from ? next : from + 1;
        const double n = (double)(to - from);
        struct column *col = &c->col[i];

        *col = (struct column){ .power_w = 0 };
        for (uint64_t k = from; k < to; k++) {
            col->power_w += r->step[k].power_w / n;
            col->floor_w += r->step[k].floor_w / n;
            col->hosts_on += r->step[k].hosts_on / n;
            col->migrations += r->step[k].migrations / n;
        }
    }
}

static int by_size(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* The value at full height: the largest, unless a few (the first minutes of
 * most runs) dwarf all the others; these are then cut off. */
static double scale_of(const double *value)
{
    double sorted[COLUMNS];
    const uint32_t most_of_them = COLUMNS * 9 / 10;

    memcpy(sorted, value, sizeof(sorted));
    qsort(sorted, COLUMNS, sizeof(sorted[0]), by_size);
    if (sorted[COLUMNS - 1] > 1.5 * sorted[most_of_them] &&
        sorted[most_of_them] > 0)
        return 1.2 * sorted[most_of_them];
    return sorted[COLUMNS - 1];
}

static void power_label(double watts, char *buf, size_t size)
{
    if (watts >= 10000)
        snprintf(buf, size, "%.1f kW", watts / 1000);
    else
        snprintf(buf, size, "%.0f W", watts);
}

/* One cell of the bars: solid up to the floor, shaded from there to the power;
 * an arrow where the power does not fit into the picture. */
static const char *cell(const struct chart *c, const struct column *col,
                        double level_w, double top_w)
{
    const bool top_row = level_w > top_w * (ROWS - 1) / ROWS;

    if (top_row && col->power_w > top_w)
        return c->s->utf8 ? "\xe2\x96\xb2" : "^";
    if (col->floor_w >= level_w)
        return c->s->utf8 ? "\xe2\x96\x88" : "#";
    if (col->power_w >= level_w)
        return c->s->utf8 ? "\xe2\x96\x91" : ":";
    return " ";
}

static void bar_row(const struct chart *c, double level_w, double top_w)
{
    const char *now = bl__sgr(c->s, BL_SGR_OFF); /* the colour in force */
    uint32_t end = 0;

    for (uint32_t i = 0; i < COLUMNS; i++)
        if (cell(c, &c->col[i], level_w, top_w)[0] != ' ')
            end = i + 1;
    for (uint32_t i = 0; i < end; i++) {
        const char *want = bl__sgr(
            c->s, c->col[i].floor_w >= level_w ? BL_SGR_GREEN : BL_SGR_YELLOW);

        if (want != now)
            fputs(want, c->f);
        now = want;
        fputs(cell(c, &c->col[i], level_w, top_w), c->f);
    }
    fprintf(c->f, "%s\n", bl__sgr(c->s, BL_SGR_OFF));
}

/* A day ends at 24:00; long runs are labelled in days. */
static void tick_label(int64_t ns, int64_t end_ns, char *buf, size_t size)
{
    if (end_ns > 5 * DAY_NS)
        snprintf(buf, size, "%.1f d", (double)ns / (double)DAY_NS);
    else if (ns == DAY_NS && end_ns == DAY_NS)
        snprintf(buf, size, "24:00");
    else
        bl__clock(ns, buf, size);
}

static void time_axis(const struct chart *c)
{
    const struct bl_result *r = c->r;
    const int64_t start_ns = r->step[0].at_ns;
    const int64_t end_ns = r->step[r->steps - 1].at_ns + r->interval_ns;
    char text[BL_TEXT_BYTES];

    fprintf(c->f, "%10s %s", "0", c->s->utf8 ? "\xe2\x94\x94" : "+");
    for (uint32_t i = 0; i < COLUMNS; i++)
        fputs(c->s->utf8 ? "\xe2\x94\x80" : "-", c->f);
    fprintf(c->f, "\n%*s", MARGIN, "");
    for (uint32_t i = 0; i < TICKS; i++) {
        tick_label(start_ns + (end_ns - start_ns) / TICKS * i, end_ns, text,
                   sizeof(text));
        fprintf(c->f, "%-*s", COLUMNS / TICKS - (i + 1 == TICKS ? 1 : 0), text);
    }
    tick_label(end_ns, end_ns, text, sizeof(text));
    fprintf(c->f, "%s\n", text);
}

void bl__spark(FILE *f, bool utf8, double part)
{
    static const char *const bar[] = { " ",
                                       "\xe2\x96\x81",
                                       "\xe2\x96\x82",
                                       "\xe2\x96\x83",
                                       "\xe2\x96\x84",
                                       "\xe2\x96\x85",
                                       "\xe2\x96\x86",
                                       "\xe2\x96\x87",
                                       "\xe2\x96\x88" };
    static const char ascii[] = " .:-=+*%#";
    const double to = part < 1 ? part : 1;
    const uint32_t level =
        part > 0 ? 1 + (uint32_t)(to * (LEVELS - 1) + 0.5) : 0;

    if (utf8)
        fputs(bar[level], f);
    else
        fputc(ascii[level], f);
}

static void spark(const struct chart *c, const char *label, const double *value)
{
    const double top = scale_of(value);
    uint32_t end = 0;

    for (uint32_t i = 0; i < COLUMNS; i++)
        if (value[i] > 0)
            end = i + 1;
    fprintf(c->f, "%10s  ", label);
    for (uint32_t i = 0; i < end; i++)
        bl__spark(c->f, c->s->utf8,
                  value[i] < top ? value[i] / top : value[i] > 0);
    fputc('\n', c->f);
}

static void sparks(const struct chart *c)
{
    double hosts[COLUMNS], moves[COLUMNS];
    const struct bl_step_result *step = c->r->step;
    uint32_t most_hosts = 0, least_hosts = UINT32_MAX, most_moves = 0;

    for (uint32_t i = 0; i < COLUMNS; i++) {
        hosts[i] = c->col[i].hosts_on;
        moves[i] = c->col[i].migrations;
    }
    for (uint32_t i = 0; i < c->r->steps; i++) {
        most_hosts =
            step[i].hosts_on > most_hosts ? step[i].hosts_on : most_hosts;
        least_hosts =
            step[i].hosts_on < least_hosts ? step[i].hosts_on : least_hosts;
        most_moves =
            step[i].migrations > most_moves ? step[i].migrations : most_moves;
    }
    if (most_hosts > 0)
        spark(c, "hosts on", hosts);
    if (most_moves > 0)
        spark(c, "migrations", moves);
    if (least_hosts == most_hosts)
        fprintf(c->f, "%12s%u hosts on", "", most_hosts);
    else
        fprintf(c->f, "%12s%u to %u hosts on", "", least_hosts, most_hosts);
    if (most_moves > 0)
        fprintf(c->f, ", up to %u migrations in a step", most_moves);
    fputc('\n', c->f);
}

void bl__chart(FILE *f, const struct bl_result *r, const struct bl_style *s)
{
    struct chart c = { .f = f, .r = r, .s = s };
    double power[COLUMNS], top_w;
    char label[BL_TEXT_BYTES];

    if (r->steps == 0)
        return;
    fill_columns(&c);
    for (uint32_t i = 0; i < COLUMNS; i++)
        power[i] = c.col[i].power_w > c.col[i].floor_w ? c.col[i].power_w
                                                       : c.col[i].floor_w;
    top_w = scale_of(power);
    if (top_w <= 0)
        return;
    fprintf(f,
            "\n%sPower over time%s (%s the energy floor, %s what was used "
            "beyond it)\n",
            bl__sgr(s, BL_SGR_BOLD), bl__sgr(s, BL_SGR_OFF),
            s->utf8 ? "\xe2\x96\x88" : "#", s->utf8 ? "\xe2\x96\x91" : ":");
    power_label(top_w, label, sizeof(label));
    for (uint32_t row = 0; row < ROWS; row++) {
        fprintf(f, "%10s %s", row == 0 ? label : "",
                s->utf8 ? "\xe2\x94\x82" : "|");
        bar_row(&c, top_w * (ROWS - row - 0.5) / ROWS, top_w);
    }
    time_axis(&c);
    sparks(&c);
}
