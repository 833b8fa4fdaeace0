/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timeline as one picture: SVG 1.1, no script, no style sheet.
 *
 * Idea       Lanes of pCPUs, time to the right. What one vCPU runs on one pCPU
 *            without a gap is one bar, so a bar waits until the next one on its
 *            lane is known. VMs take their colours in the order in which they
 *            appear.
 * Bound      BL_TIMELINE_SVG_RECTS_MAX bars and lines; what does not fit is
 *            left out and the picture says from when on (test_timeline).
 * Cost       O(1) per event; memory for pCPUs and VMs.
 */
#include "report/report_priv.h"
#include "report/timeline_priv.h"

#include "base/u128.h"

#include <string.h>

enum {
    WIDTH = 1000, /* pixels, as all of these */
    LEFT = 64,
    PLOT = 920,
    TOP = 40,
    AXIS = 30,
    LEGEND_ROW = 18,
    LEGEND_COLUMNS = 4,
    COLOURS = 12,
    CENTI = 100,    /* of a pixel: the unit of x */
    LEAST_BAR = 20, /* hundredths, as the next one: between bars that touch */
    HAIR = 40,
    TICKS_MAX = 10,
    NAME_WIDTH = 24
};

static const char *const colour_of[COLOURS] = {
    "#4a7ebb", "#e3933a", "#5aa469", "#9a6fb8", "#d4b83f", "#48a9a6",
    "#c97b9b", "#8a8f45", "#7f8fa9", "#b5754f", "#86bfe6", "#a8cf7a",
};
#define COSTOP_COLOUR "#c62828"
#define LIMITED_COLOUR "#303030"

struct bar {
    bool waits;
    uint32_t vcpu;
    int64_t from_ns, until_ns;
};

struct svg {
    struct bar *bar;   /* [pcpu_count] */
    uint32_t *look_of; /* [vm_count], counted from 1; 0: not seen yet */
    uint32_t look_count;
    uint32_t known[COLOURS]; /* a vCPU of each VM in the legend */
    uint32_t lane_px, line_px;
    uint32_t rect_count;
    int64_t full_ns; /* where the first one that was left out begins */
    bool full;
};

/* ---- basics ------------------------------------------------------------- */

static void put_name(FILE *f, const char *s, uint32_t width)
{
    char clean[BL_TEXT_BYTES];

    bl__name(s, width, true, clean, sizeof(clean));
    for (const char *c = clean; *c != '\0'; c++) {
        if (*c == '<')
            fputs("&lt;", f);
        else if (*c == '>')
            fputs("&gt;", f);
        else if (*c == '&')
            fputs("&amp;", f);
        else if (*c == '"')
            fputs("&quot;", f);
        else if (strncmp(c, "\xef\xbf\xbe", 3) == 0 || /* not in XML */
                 strncmp(c, "\xef\xbf\xbf", 3) == 0)
            fputc('?', f), c += 2;
        else
            fputc(*c, f);
    }
}

/* In hundredths of a pixel from the left edge. */
static uint32_t x_of(const struct bl_timeline *t, int64_t ns)
{
    return LEFT * CENTI +
           (uint32_t)bl_muldiv((uint64_t)(ns - t->from_ns),
                               (uint64_t)PLOT * CENTI,
                               (uint64_t)(t->until_ns - t->from_ns));
}

static void put_px(FILE *f, const char *key, uint32_t centi)
{
    fprintf(f, " %s=\"%u.%02u\"", key, centi / CENTI, centi % CENTI);
}

static uint32_t lane_y(const struct svg *s, uint32_t pcpu)
{
    return TOP + pcpu * s->lane_px;
}

static uint32_t lanes_end(const struct bl_timeline *t, const struct svg *s)
{
    return lane_y(s, t->pcpu_count);
}

static uint32_t legend_y(const struct bl_timeline *t, const struct svg *s)
{
    return lanes_end(t, s) + AXIS;
}

static uint32_t legend_rows(const struct bl_timeline *t)
{
    const uint32_t n = t->vm_count < COLOURS ? t->vm_count : COLOURS;

    return (n + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
}

/* ---- what stands still -------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, at most TICKS_MAX of them. */
static int64_t tick_step(int64_t window_ns)
{
    static const int64_t grow[] = { 1, 2, 5 };

    for (int64_t power = 1;; power *= 10)
        for (uint32_t i = 0; i < 3; i++)
            if (window_ns / (power * grow[i]) < TICKS_MAX)
                return power * grow[i];
}

static void put_axis(const struct bl_timeline *t, const struct svg *s)
{
    const int64_t step = tick_step(t->until_ns - t->from_ns);
    const uint32_t end = lanes_end(t, s);

    for (int64_t at = (t->from_ns + step - 1) / step * step; at <= t->until_ns;
         at += step) {
        fputs("<line stroke=\"#dddddd\"", t->f);
        put_px(t->f, "x1", x_of(t, at));
        put_px(t->f, "x2", x_of(t, at));
        fprintf(t->f, " y1=\"%u\" y2=\"%u\"/>\n<text text-anchor=\"middle\"",
                TOP - 2, end + 4);
        put_px(t->f, "x", x_of(t, at));
        fprintf(t->f, " y=\"%u\">%.12g</text>\n", end + 16, (double)at / 1e6);
    }
    fprintf(t->f, "<text x=\"10\" y=\"%u\">ms</text>\n", end + 16);
}

static void put_lanes(const struct bl_timeline *t, const struct svg *s)
{
    const uint32_t every = s->lane_px >= 10 ? 1 : 2;

    for (uint32_t p = 0; p < t->pcpu_count; p++) {
        fprintf(t->f,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\" "
                "stroke=\"#eeeeee\"/>\n",
                LEFT, LEFT + PLOT, lane_y(s, p + 1), lane_y(s, p + 1));
        if (p % every == 0)
            fprintf(t->f,
                    "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s%u</text>\n",
                    LEFT - 6, lane_y(s, p) + s->lane_px * 3 / 4,
                    p == 0 ? "pCPU " : "", p);
    }
}

static void put_head(const struct bl_timeline *t, const struct svg *s)
{
    const uint32_t height = legend_y(t, s) + (legend_rows(t) + 2) * LEGEND_ROW;
    const uint32_t font = s->lane_px >= 14 ? 11 : s->lane_px >= 10 ? 9 : 7;

    fprintf(t->f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%u\" viewBox=\"0 0 %d %u\" role=\"img\" "
            "font-family=\"sans-serif\" font-size=\"%u\" fill=\"#202020\">\n"
            "<title>",
            WIDTH, height, WIDTH, height, font);
    put_name(t->f, t->title, 0);
    fprintf(t->f,
            "</title>\n<rect width=\"%d\" height=\"%u\" fill=\"#ffffff\"/>\n"
            "<text x=\"%d\" y=\"22\" font-size=\"14\" font-weight=\"bold\">",
            WIDTH, height, LEFT);
    put_name(t->f, t->title, 0);
    fputs("</text>\n", t->f);
}

static bl_err svg_open(struct bl_arena *a, struct bl_timeline *t)
{
    struct svg *s = bl_arena_get(a, 1, sizeof(*s));

    if (s == NULL)
        return BL_ERR_NOMEM;
    s->bar = bl_arena_get(a, t->pcpu_count, sizeof(*s->bar));
    s->look_of = bl_arena_get(a, t->vm_count, sizeof(*s->look_of));
    if (s->bar == NULL || s->look_of == NULL)
        return BL_ERR_NOMEM;
    s->lane_px = t->pcpu_count <= 16 ? 20 : t->pcpu_count <= 64 ? 10 : 6;
    s->line_px = s->lane_px <= 6 ? 1 : s->lane_px / 5;
    t->own = s;
    put_head(t, s);
    put_axis(t, s);
    put_lanes(t, s);
    return BL_ERR_OK;
}

/* ---- bars and lines ----------------------------------------------------- */

static bool has_room(struct svg *s, int64_t from_ns)
{
    if (s->rect_count < BL_TIMELINE_SVG_RECTS_MAX) {
        s->rect_count++;
        return true;
    }
    if (!s->full || from_ns < s->full_ns)
        s->full_ns = from_ns;
    s->full = true;
    return false;
}

/* The number of the look of a VM, from 0. */
static uint32_t look(const struct bl_timeline *t, uint32_t vm, uint32_t vcpu)
{
    struct svg *s = t->own;

    BL_ASSERT(vm < t->vm_count);
    if (s->look_of[vm] == 0) {
        if (s->look_count < COLOURS)
            s->known[s->look_count] = vcpu;
        s->look_of[vm] = ++s->look_count;
    }
    return s->look_of[vm] - 1;
}

/* @return its width in hundredths of a pixel */
static uint32_t put_rect(const struct bl_timeline *t, int64_t from_ns,
                         int64_t until_ns, uint32_t y, uint32_t height)
{
    const uint32_t x = x_of(t, from_ns), end = x_of(t, until_ns);
    uint32_t width = end - x > LEAST_BAR ? end - x : LEAST_BAR;

    if (width > 5 * HAIR)
        width -= HAIR;
    fputs("<rect", t->f);
    put_px(t->f, "x", x);
    put_px(t->f, "width", width);
    fprintf(t->f, " y=\"%u\" height=\"%u\" fill=\"", y, height);
    return width;
}

static void put_bar(const struct bl_timeline *t, uint32_t pcpu)
{
    struct svg *s = t->own;
    struct bar *b = &s->bar[pcpu];
    const uint32_t bar_px = s->lane_px - s->line_px - 2;
    struct bl_timeline_vcpu who;
    uint32_t width;

    if (!b->waits)
        return;
    b->waits = false;
    if (!has_room(s, b->from_ns))
        return;
    who = t->names(t->names_ctx, b->vcpu);
    width = put_rect(t, b->from_ns, b->until_ns, lane_y(s, pcpu) + 1, bar_px);
    fprintf(t->f, "%s\"/>\n", colour_of[look(t, who.vm, b->vcpu) % COLOURS]);
    if (s->lane_px < 14 || width < 18 * CENTI)
        return;
    fputs("<text fill=\"#ffffff\" text-anchor=\"middle\"", t->f);
    put_px(t->f, "x", x_of(t, b->from_ns) + width / 2);
    fprintf(t->f, " y=\"%u\">%u</text>\n", lane_y(s, pcpu) + bar_px - 2,
            who.index);
}

static void svg_piece(struct bl_timeline *t, const struct bl_timeline_piece *p)
{
    struct svg *s = t->own;
    const struct bl_timeline_lane *l = p->lane;
    struct bar *b;

    if (l->pcpu == BL_NO_PCPU || l->state == BL_VCPU_READY)
        return;
    if (l->state != BL_VCPU_RUN) {
        if (!has_room(s, p->from_ns))
            return;
        put_rect(t, p->from_ns, p->until_ns,
                 lane_y(s, l->pcpu + 1) - s->line_px, s->line_px);
        fprintf(t->f, "%s\"/>\n",
                l->state == BL_VCPU_COSTOP ? COSTOP_COLOUR : LIMITED_COLOUR);
        return;
    }
    b = &s->bar[l->pcpu];
    if (b->waits && b->vcpu == p->vcpu && b->until_ns == p->from_ns) {
        b->until_ns = p->until_ns;
        return;
    }
    put_bar(t, l->pcpu);
    *b = (struct bar){ true, p->vcpu, p->from_ns, p->until_ns };
}

/* ---- the end ------------------------------------------------------------ */

static void legend_box(FILE *f, uint32_t column, uint32_t y, const char *colour,
                       uint32_t height)
{
    const uint32_t x = LEFT + column * (PLOT / LEGEND_COLUMNS);

    fprintf(f,
            "<rect x=\"%u\" y=\"%u\" width=\"14\" height=\"%u\" fill=\"%s\"/>\n"
            "<text x=\"%u\" y=\"%u\" font-size=\"11\">",
            x, y - height, height, colour, x + 20, y);
}

static void put_legend(const struct bl_timeline *t)
{
    const struct svg *s = t->own;
    const uint32_t shown = s->look_count < COLOURS ? s->look_count : COLOURS;
    uint32_t y = legend_y(t, s) + LEGEND_ROW / 2;

    for (uint32_t i = 0; i < shown; i++) {
        const struct bl_timeline_vcpu who = t->names(t->names_ctx, s->known[i]);

        legend_box(t->f, i % LEGEND_COLUMNS,
                   y + i / LEGEND_COLUMNS * LEGEND_ROW, colour_of[i], 10);
        put_name(t->f, who.vm_name, NAME_WIDTH);
        fputs("</text>\n", t->f);
    }
    y += legend_rows(t) * LEGEND_ROW;
    legend_box(t->f, 0, y, COSTOP_COLOUR, 4);
    fputs("co-stopped (where it ran last)</text>\n", t->f);
    legend_box(t->f, 1, y, LIMITED_COLOUR, 4);
    fputs("limit used up</text>\n", t->f);
    if (s->look_count > shown)
        fprintf(t->f,
                "<text x=\"%d\" y=\"%u\" font-size=\"11\">and %u more VMs in "
                "the same colours</text>\n",
                LEFT + PLOT / 2, y, s->look_count - shown);
}

static void svg_close(struct bl_timeline *t, int64_t end_ns)
{
    struct svg *s = t->own;

    for (uint32_t p = 0; p < t->pcpu_count; p++)
        put_bar(t, p);
    put_legend(t);
    fprintf(t->f, "<text x=\"%d\" y=\"%u\" font-size=\"11\">", LEFT,
            legend_y(t, s) + (2 * legend_rows(t) + 3) * LEGEND_ROW / 2);
    if (s->full)
        fprintf(t->f,
                "Incomplete from %.12g ms on: a picture holds %u bars. Take a "
                "shorter window.",
                (double)s->full_ns / 1e6, BL_TIMELINE_SVG_RECTS_MAX);
    else if (end_ns < t->until_ns)
        fprintf(t->f, "The run ended at %.12g ms.", (double)end_ns / 1e6);
    fputs("</text>\n</svg>\n", t->f);
}

const struct bl_timeline_writer bl__timeline_svg = {
    .open = svg_open,
    .piece = svg_piece,
    .close = svg_close,
};
