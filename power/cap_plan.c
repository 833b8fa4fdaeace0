/* SPDX-License-Identifier: Apache-2.0 */
#include "power/cap_plan.h"

#include "base/u128.h"

#define TENTHS (BL_POWER_POINTS - 1)

/* What one host may do for what it then draws; work in tenths of a kHz, so that
 * a tenth of a P-state is a whole number. */
struct point {
    uint64_t work, mw;
};

static uint32_t points(const struct bl_cap_kind *k)
{
    return k->freq->pstate_count * BL_POWER_POINTS;
}

/* Point @i of a host: idle and each tenth of the slowest P-state, then of the
 * others. */
static struct point point_at(const struct bl_cap_kind *k, uint32_t i)
{
    const uint32_t last = k->freq->pstate_count - 1;
    const struct bl_pstate *p = &k->freq->pstate[last - i / BL_POWER_POINTS];
    const uint32_t tenth = i % BL_POWER_POINTS;

    return (struct point){ p->khz * k->core_count * tenth, p->mw[tenth] };
}

static uint64_t rise(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

/* Is the way from @at to @a steeper than to @b? */
static bool steeper(struct point at, struct point a, struct point b)
{
    return (bl_u128)rise(at.mw, a.mw) * (b.work - at.work) >
           (bl_u128)rise(at.mw, b.mw) * (a.work - at.work);
}

/* The next corner of the hull after @at, the farthest of several on one line;
 * false: there is none. */
static bool next_corner(const struct bl_cap_kind *k, struct point at,
                        struct point *out)
{
    bool any = false;

    for (uint32_t i = 0; i < points(k); i++) {
        const struct point p = point_at(k, i);

        if (p.work > at.work && (!any || !steeper(at, p, *out))) {
            any = true;
            *out = p;
        }
    }
    return any;
}

/* An edge of the hulls of all hosts of one kind. */
struct edge {
    uint32_t kind;
    struct point to;   /* of one host */
    uint64_t work, mw; /* of all hosts of the kind */
};

struct walk {
    const struct bl_cap_kind *kind;
    uint32_t n;
    struct point at[BL_CAP_KINDS_MAX];
    uint64_t work, mw; /* of all hosts, so far */
};

static void begin(struct walk *w, const struct bl_cap_kind *kind, uint32_t n)
{
    *w = (struct walk){ .kind = kind, .n = n };
    BL_ASSERT(n <= BL_CAP_KINDS_MAX);
    w->mw = bl_cap_idle_mw(kind, n);
    for (uint32_t i = 0; i < n; i++)
        w->at[i] = point_at(&kind[i], 0);
}

/* The cheapest edge that is left; false: all hosts are at their most. */
static bool cheapest(const struct walk *w, struct edge *out)
{
    bool any = false;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct bl_cap_kind *k = &w->kind[i];
        struct edge e = { .kind = i };

        if (k->host_count == 0 || !next_corner(k, w->at[i], &e.to))
            continue;
        e.work = (e.to.work - w->at[i].work) * k->host_count;
        e.mw = rise(w->at[i].mw, e.to.mw) * k->host_count;
        if (any && (bl_u128)e.mw * out->work >= (bl_u128)out->mw * e.work)
            continue;
        any = true;
        *out = e;
    }
    return any;
}

static void take(struct walk *w, const struct edge *e)
{
    w->at[e->kind] = e->to;
    w->work += e->work;
    w->mw += e->mw;
}

uint64_t bl_cap_idle_mw(const struct bl_cap_kind *kind, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        BL_ASSERT(kind[i].freq->pstate_count >= 1);
        sum += (uint64_t)kind[i].host_count * point_at(&kind[i], 0).mw;
    }
    return sum;
}

uint64_t bl_cap_least_mw(const struct bl_cap_kind *kind, uint32_t n,
                         uint64_t khz)
{
    struct walk w;
    struct edge e;

    if (khz > UINT64_MAX / TENTHS)
        return UINT64_MAX;
    begin(&w, kind, n);
    while (w.work < khz * TENTHS) {
        if (!cheapest(&w, &e))
            return UINT64_MAX;
        if (w.work + e.work > khz * TENTHS)
            return w.mw + bl_muldiv(e.mw, khz * TENTHS - w.work, e.work);
        take(&w, &e);
    }
    return w.mw;
}

uint64_t bl_cap_most_khz(const struct bl_cap_kind *kind, uint32_t n,
                         uint64_t budget_mw)
{
    struct walk w;
    struct edge e;

    begin(&w, kind, n);
    if (w.mw > budget_mw)
        return 0;
    while (cheapest(&w, &e)) {
        const uint64_t rest = budget_mw - w.mw;

        if (e.mw > rest) {
            w.work += bl_muldiv(e.work, rest, e.mw) + 1;
            break;
        }
        take(&w, &e);
    }
    return (w.work + TENTHS - 1) / TENTHS;
}
