/* SPDX-License-Identifier: Apache-2.0 */
#include "report/floor_priv.h"

#include "base/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENTHS = BL_POWER_POINTS - 1 };

/* Pieces of the envelope of all hosts of a group, or, for memory, all of the
 * group at once; in order of slope, W per unit of load: the order in which
 * loads are given. */
struct pieces {
    double load[BL_FLOOR_POINTS_MAX], watts[BL_FLOOR_POINTS_MAX];
    uint32_t count;
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t asleep_mw(const struct bl_host_group *g, bool sleep_draws)
{
    return sleep_draws ? least(g->standby.power_mw, g->off.power_mw) : 0;
}

/* ---- what one host can do
 * ---------------------------------------------------- */

/* A measured point of a host: x is the load in tenths of a kHz of each core. */
struct point {
    int64_t x, mw;
};

/* All points that a host of a group was measured at, in any order. */
struct points {
    struct point at[BL_FLOOR_POINTS_MAX];
    uint32_t count;
};

static int by_load(const void *a, const void *b)
{
    const struct point *p = a, *q = b;

    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->mw > q->mw) - (p->mw < q->mw);
}

static void add_table(struct points *p, uint64_t khz, const uint32_t *mw)
{
    BL_ASSERT(p->count + BL_POWER_POINTS <= BL_FLOOR_POINTS_MAX);
    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        p->at[p->count++] = (struct point){ (int64_t)(khz * i), mw[i] };
}

/* One table for each speed that the cores can have. */
static void measured(const struct bl_host_group *g, struct points *p)
{
    p->count = 0;
    if (g->freq.pstate_count == 0)
        add_table(p, g->core_khz, g->power.mw);
    for (uint32_t i = 0; i < g->freq.pstate_count; i++)
        add_table(p, g->freq.pstate[i].khz, g->freq.pstate[i].mw);
    qsort(p->at, p->count, sizeof(p->at[0]), by_load);
}

/* Leaves the lower convex envelope of points that are sorted by load: its
 * corners. Exact (loads below 2^27, powers below 2^27): a corner goes when it
 * is not below the line from the one before it to the new one. */
static void envelope(struct points *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct point c = p->at[i];

        if (n > 0 && p->at[n - 1].x == c.x)
            continue; /* the first one of a load is the lowest */
        while (n >= 2) {
            const struct point a = p->at[n - 2], b = p->at[n - 1];

            if ((b.mw - a.mw) * (c.x - a.x) < (c.mw - a.mw) * (b.x - a.x))
                break;
            n--;
        }
        p->at[n++] = c;
    }
    p->count = n;
}

static double mhz_of(const struct bl_host_group *g, int64_t x)
{
    return (double)((int64_t)g->core_count * x) / 1000 / TENTHS;
}

/* A host is awake or asleep, at no load at whichever draws less. */
static void cpu_pieces(const struct bl_host_group *g, struct points p,
                       uint32_t asleep, struct pieces *out)
{
    if (p.at[0].mw > asleep)
        p.at[0].mw = asleep;
    envelope(&p);
    out->count = p.count - 1;
    for (uint32_t k = 0; k < out->count; k++) {
        const struct point a = p.at[k], b = p.at[k + 1];

        out->load[k] = mhz_of(g, b.x - a.x) * g->host_count;
        out->watts[k] = (double)(b.mw - a.mw) / 1000 * g->host_count;
    }
}

static uint32_t awake_mw(const struct points *p)
{
    int64_t mw = p->at[0].mw;

    for (uint32_t i = 1; i < p->count; i++)
        mw = p->at[i].mw < mw ? p->at[i].mw : mw;
    return (uint32_t)mw;
}

/* The corners of a host that is awake, for the joint bound. */
static void add_group(struct bl_floor *f, const struct bl_host_group *g,
                      struct points p, uint32_t asleep, bool enforce_memory)
{
    struct bl_floor_group *to = &f->group[f->group_count];

    envelope(&p);
    *to = (struct bl_floor_group){
        .hosts = g->host_count,
        .mem_mib = enforce_memory ? (double)g->mem_bytes / BL_MIB : 0,
        .first = f->corner_count,
        .count = p.count,
    };
    for (uint32_t i = 0; i < p.count; i++) {
        struct bl_floor_corner *c = &f->corner[to->first + i];

        c->mhz = mhz_of(g, p.at[i].x);
        c->w = (double)(p.at[i].mw - asleep) / 1000;
        if (fabs(c->w) > to->size_w)
            to->size_w = fabs(c->w);
        if (i == 0)
            continue;

        const double own = (c->w - c[-1].w) / (c->mhz - c[-1].mhz);
        const double all = c->w / c->mhz;

        f->price_top = own > f->price_top ? own : f->price_top;
        f->price_top = all > f->price_top ? all : f->price_top;
    }
    f->asleep_w += (double)asleep / 1000 * g->host_count;
    f->corner_count += p.count;
    f->group_count++;
}

/* ---- all hosts, sorted
 * ------------------------------------------------------- */

/* Adds @p to *@count pieces that are in order; of equal slopes the older one
 * comes first. From the back, so that no other room is needed. */
static void merge(const struct pieces *p, double *load, double *watts,
                  uint32_t *count)
{
    uint32_t n = *count, left = p->count;

    *count += left;
    while (left > 0) {
        const double slope = p->watts[left - 1] / p->load[left - 1];
        const uint32_t to = n + left - 1;

        if (n > 0 && watts[n - 1] / load[n - 1] > slope) {
            n--;
            load[to] = load[n];
            watts[to] = watts[n];
        } else {
            left--;
            load[to] = p->load[left];
            watts[to] = p->watts[left];
        }
    }
}

/* Leaves running sums. */
static void accumulate(double *load, double *watts, uint32_t n, double base_w)
{
    double load_sum = 0, watt_sum = base_w;

    for (uint32_t i = 0; i < n; i++) {
        load[i] = load_sum += load[i];
        watts[i] = watt_sum += watts[i];
    }
}

void bl_floor_build(struct bl_floor *f, const struct bl_dc *dc,
                    bool sleep_draws, bool enforce_memory)
{
    BL_ASSERT(dc->host_group_count <= BL_HOST_GROUPS_MAX);
    memset(f, 0, sizeof(*f));
    for (uint32_t i = 0; i < dc->host_group_count; i++) {
        const struct bl_host_group *g = &dc->host_group[i];
        const uint32_t asleep = asleep_mw(g, sleep_draws);
        struct pieces pieces;
        struct points p;

        measured(g, &p);

        const uint32_t awake = awake_mw(&p);
        const uint32_t low = least(asleep, awake);
        const uint32_t base = least(asleep, (uint32_t)p.at[0].mw);

        f->base_w += (double)base / 1000 * g->host_count;
        f->mem_base_w += (double)low / 1000 * g->host_count;
        cpu_pieces(g, p, asleep, &pieces);
        merge(&pieces, f->cpu_mhz, f->cpu_w, &f->cpu_count);
        add_group(f, g, p, asleep, enforce_memory);
        if (!enforce_memory)
            continue;
        pieces.count = 1;
        pieces.load[0] = (double)g->mem_bytes / BL_MIB * g->host_count;
        pieces.watts[0] = (double)(awake - low) / 1000 * g->host_count;
        merge(&pieces, f->mem_mib, f->mem_w, &f->mem_count);
    }
    accumulate(f->cpu_mhz, f->cpu_w, f->cpu_count, f->base_w);
    accumulate(f->mem_mib, f->mem_w, f->mem_count, f->mem_base_w);
}

/* The point at @load on the line through (0, base_w) and the sums. */
static double look_up(const double *load_sum, const double *watt_sum,
                      uint32_t n, double base_w, double load)
{
    uint32_t lo = 0, hi = n; /* the first sum >= load is in [lo, hi] */

    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;

        if (load_sum[mid] < load)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == n)
        return n > 0 ? watt_sum[n - 1] : base_w;

    const double from = lo > 0 ? load_sum[lo - 1] : 0;
    const double watts = lo > 0 ? watt_sum[lo - 1] : base_w;

    return watts +
           (watt_sum[lo] - watts) * ((load - from) / (load_sum[lo] - from));
}

double bl_floor_watts_apart(const struct bl_floor *f, double cpu_mhz,
                            double mem_mib)
{
    BL_ASSERT(cpu_mhz >= 0);
    BL_ASSERT(mem_mib >= 0);

    const double cpu_w =
        look_up(f->cpu_mhz, f->cpu_w, f->cpu_count, f->base_w, cpu_mhz);
    const double mem_w =
        look_up(f->mem_mib, f->mem_w, f->mem_count, f->mem_base_w, mem_mib);

    return cpu_w > mem_w ? cpu_w : mem_w;
}

double bl_floor_watts(const struct bl_floor *f, double cpu_mhz, double mem_mib)
{
    const double apart = bl_floor_watts_apart(f, cpu_mhz, mem_mib);

    if (f->mem_count == 0) /* nothing to join */
        return apart;

    const double joint = bl__floor_joint(f, cpu_mhz, mem_mib, NULL, NULL);

    return joint > apart ? joint : apart;
}
