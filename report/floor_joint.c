/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_joint - the least power that carries CPU and memory at once.
 *
 * Source     weak duality of linear programming; the search is Kelley's cutting
 *            plane method in one dimension (J. SIAM 8(4), 1960 [recalled]).
 * Idea       let a MHz have the price p. A host of group g that is awake costs
 *            c_g(p) = min over its corners of (w - p mhz): what it draws above
 *            sleep less what its work is worth. Those with c_g < 0 are awake;
 *            if their memory is not enough, others join them, cheapest c_g per
 *            MiB first. What all that costs, and p times the demand, is L(p):
 *            for every p a lower bound, concave and piecewise linear in p, and
 *            at its top the optimum itself. Its slope at p is the demand less
 *            the work that those hosts do. Two such lines, one rising, one
 *            falling, cross at the next p; when L is as high there as they
 *            say, that is the top.
 * Bound      the result is L at the best prices found, less what rounding can
 *            have added: never above the exact optimum, whatever prices they
 *            are (tests/test_floor_lp.c: the same as GLPK's).
 * Deviation  none.
 * Cost       a round is O(groups * corners), and a sort of the groups; rounds
 *            are few (doc/models/floor.md), at most ROUNDS_MAX.
 */
#include "report/floor_priv.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

enum { ROUNDS_MAX = 100 };

/* L at one price. */
struct side {
    double price, mem_price; /* of a MHz, of a MiB; W */
    double watts;            /* L */
    double mhz;              /* what its hosts carry */
    double awake[BL_HOST_GROUPS_MAX];
};

struct query {
    const struct bl_floor *f;
    double mhz, mib;
    const double *shift_w;
    uint8_t
        order[BL_HOST_GROUPS_MAX]; /* groups by cost per MiB, as last seen */
};

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double shift_of(const struct query *q, uint32_t group)
{
    return q->shift_w != NULL ? q->shift_w[group] : 0;
}

/* What a host of @group that is awake costs at @price, and its load then. */
static double cost_of(const struct query *q, uint32_t group, double price,
                      double *mhz)
{
    const struct bl_floor_group *g = &q->f->group[group];
    const struct bl_floor_corner *c = &q->f->corner[g->first];
    double least = c[0].w - price * c[0].mhz;

    *mhz = c[0].mhz;
    for (uint32_t i = 1; i < g->count; i++) {
        const double cost = c[i].w - price * c[i].mhz;

        if (cost < least) {
            least = cost;
            *mhz = c[i].mhz;
        }
    }
    return least + shift_of(q, group);
}

/* Insertion: between two rounds hardly anything changes. */
static void sort_groups(struct query *q, const double *rate)
{
    for (uint32_t i = 1; i < q->f->group_count; i++) {
        const uint8_t g = q->order[i];
        uint32_t k = i;

        for (; k > 0; k--) {
            const uint8_t before = q->order[k - 1];

            if (rate[before] < rate[g] ||
                (rate[before] <= rate[g] && before < g))
                break;
            q->order[k] = before;
        }
        q->order[k] = g;
    }
}

/* Wakes more hosts until @left MiB have room. */
static void add_memory(struct query *q, const double *cost, const double *mhz,
                       double left, struct side *s)
{
    const uint32_t n = q->f->group_count;
    double rate[BL_HOST_GROUPS_MAX];

    for (uint32_t g = 0; g < n; g++)
        rate[g] = cost[g] / q->f->group[g].mem_mib;
    sort_groups(q, rate);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t g = q->order[i];
        const struct bl_floor_group *group = &q->f->group[g];
        const double needed = left / group->mem_mib;
        const double hosts = least(needed, group->hosts);

        if (cost[g] < 0)
            continue; /* awake already */
        s->awake[g] = hosts;
        s->watts += hosts * cost[g];
        s->mhz += hosts * mhz[g];
        s->mem_price = rate[g];
        left -= hosts * group->mem_mib;
        if (needed <= group->hosts)
            break;
    }
}

static void look_at(struct query *q, double price, struct side *s)
{
    const struct bl_floor *f = q->f;
    double cost[BL_HOST_GROUPS_MAX], mhz[BL_HOST_GROUPS_MAX];
    double left = q->mib;

    s->price = price;
    s->mem_price = 0;
    s->watts = f->asleep_w + price * q->mhz;
    s->mhz = 0;
    for (uint32_t g = 0; g < f->group_count; g++) {
        const struct bl_floor_group *group = &f->group[g];

        cost[g] = cost_of(q, g, price, &mhz[g]);
        s->awake[g] = 0;
        if (cost[g] >= 0)
            continue;
        s->awake[g] = group->hosts;
        s->watts += group->hosts * cost[g];
        s->mhz += group->hosts * mhz[g];
        left -= group->hosts * group->mem_mib;
    }
    if (left > 0)
        add_memory(q, cost, mhz, left, s);
}

/* The lower bound that the prices of @s prove, whatever was rounded: each term
 * is taken at its lowest. Doubles are off by half of DBL_EPSILON a step; a cost
 * takes fewer than eight steps from the integers that it began as. */
static double proven(const struct query *q, const struct side *s)
{
    const struct bl_floor *f = q->f;
    const double worth = s->price * q->mhz + s->mem_price * q->mib;
    double sum = f->asleep_w + worth;
    double size = sum; /* of all terms, without their signs */

    for (uint32_t g = 0; g < f->group_count; g++) {
        const struct bl_floor_group *group = &f->group[g];
        const struct bl_floor_corner *top =
            &f->corner[group->first + group->count - 1];
        const double shift = shift_of(q, g);
        const double room = s->mem_price * group->mem_mib;
        double mhz;
        const double cost = cost_of(q, g, s->price, &mhz) - room;
        const double off =
            8 * DBL_EPSILON *
            (s->price * top->mhz + group->size_w + room + fabs(shift));

        if (cost - off >= 0)
            continue;
        sum += group->hosts * (cost - off);
        size -= group->hosts * (cost - off);
    }
    return sum - (f->group_count + 16) * DBL_EPSILON * size;
}

/* A price to begin with: the one for which CPU alone would do. */
static double cpu_price(const struct bl_floor *f, double mhz)
{
    uint32_t lo = 0, hi = f->cpu_count - 1; /* the first sum >= mhz */

    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;

        if (f->cpu_mhz[mid] < mhz)
            lo = mid + 1;
        else
            hi = mid;
    }

    const double mhz_before = lo > 0 ? f->cpu_mhz[lo - 1] : 0;
    const double w_before = lo > 0 ? f->cpu_w[lo - 1] : f->base_w;

    const double span = f->cpu_mhz[lo] - mhz_before;

    return span > 0 ? (f->cpu_w[lo] - w_before) / span : f->price_top;
}

/* At this price every host is awake at full load. */
static double price_top(const struct query *q)
{
    const struct bl_floor *f = q->f;
    double top = f->price_top;

    for (uint32_t g = 0; q->shift_w != NULL && g < f->group_count; g++) {
        const struct bl_floor_group *group = &f->group[g];
        const struct bl_floor_corner *c =
            &f->corner[group->first + group->count - 1];
        const double own = (c->w + q->shift_w[g]) / c->mhz;

        top = own > top ? own : top;
    }
    return top * 2;
}

/* Narrows @lo (its hosts carry too little) and @hi (enough) to where their
 * lines cross on L; returns where L is highest. */
static const struct side *climb(struct query *q, struct side **lo,
                                struct side **hi, struct side *spare)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        const struct side *a = *lo, *b = *hi;
        const double rise = q->mhz - a->mhz, fall = b->mhz - q->mhz;
        const double price =
            a->price + (b->watts - a->watts + fall * (b->price - a->price)) /
                           (rise + fall);
        const double crossing = a->watts + rise * (price - a->price);
        struct side *old;

        if (!(price > a->price && price < b->price))
            break;
        look_at(q, price, spare);
        if (spare->watts >= crossing * (1 - 4 * DBL_EPSILON))
            return spare;
        old = spare->mhz < q->mhz ? *lo : *hi;
        if (old == *lo)
            *lo = spare;
        else
            *hi = spare;
        spare = old;
    }
    return (*lo)->watts > (*hi)->watts ? *lo : *hi;
}

/* Both sides' hosts are cheapest at the price between them; so is any mixture,
 * and this one carries just what is asked. */
static void mix(const struct query *q, const struct side *lo,
                const struct side *hi, double *awake)
{
    const double span = hi->mhz - lo->mhz;
    const double part = span > 0 ? (q->mhz - lo->mhz) / span : 1;

    for (uint32_t g = 0; g < q->f->group_count; g++)
        awake[g] = lo->awake[g] + (hi->awake[g] - lo->awake[g]) * part;
}

static struct query make_query(const struct bl_floor *f, double cpu_mhz,
                               double mem_mib, const double *shift_w)
{
    struct query q = { .f = f, .shift_w = shift_w };
    double mhz = 0, mib = 0;

    for (uint32_t g = 0; g < f->group_count; g++) {
        const struct bl_floor_group *group = &f->group[g];

        mhz += group->hosts * f->corner[group->first + group->count - 1].mhz;
        mib += group->hosts * group->mem_mib;
        q.order[g] = (uint8_t)g;
    }
    q.mhz = least(cpu_mhz, mhz);
    q.mib = least(mem_mib, mib);
    return q;
}

double bl__floor_joint(const struct bl_floor *f, double cpu_mhz, double mem_mib,
                       const double *shift_w, double *awake)
{
    struct query q = make_query(f, cpu_mhz, mem_mib, shift_w);
    struct side side[3] = { { .price = 0 } };
    struct side *lo = &side[0], *hi = &side[1], *spare = &side[2];

    if (f->group_count == 0)
        return 0;
    look_at(&q, 0, lo);
    if (lo->mhz >= q.mhz) { /* work costs nothing */
        if (awake != NULL)
            mix(&q, lo, lo, awake);
        return proven(&q, lo);
    }
    look_at(&q, cpu_price(f, q.mhz), hi);
    if (hi->mhz < q.mhz) {
        struct side *other = lo;

        lo = hi;
        hi = other;
        look_at(&q, price_top(&q), hi);
    }

    const struct side *top = climb(&q, &lo, &hi, spare);

    if (awake != NULL)
        mix(&q, lo, hi, awake);
    return proven(&q, top);
}
