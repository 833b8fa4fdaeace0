/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front - non-dominated sorting and crowding distance.
 *
 * Source     Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist
 *            multiobjective genetic algorithm: NSGA-II", IEEE TEC 6(2), 2002:
 *            ranks, crowding distance, and the order made of both. The way of
 *            sorting is that of Zhang, Tian, Cheng, Jin, "An efficient approach
 *            to nondominated sorting", IEEE TEC 19(2), 2015 [recalled].
 * Idea       in lexicographic order nothing is dominated by what comes later,
 *            so a point's rank is final when it is met: the first rank that
 *            holds nobody who dominates it. That one exists below every rank
 *            that does, as domination is transitive.
 * Bound      ranks equal those of peeling off one front after the other, by
 *            brute force (test_front).
 * Deviation  none in what is computed; equal points share a rank.
 * Cost       O(objectives * count^2) comparisons at worst, O(count) memory.
 */
#include "tune/front.h"

#include "base/err.h"

#include <math.h>

bool bl_dominates(const double *a, const double *b, uint32_t objectives)
{
    bool better = false;

    for (uint32_t k = 0; k < objectives; k++) {
        if (a[k] > b[k])
            return false;
        better = better || a[k] < b[k];
    }
    return better;
}

/* ---- sorting indices ---------------------------------------------------- */

struct by {
    const struct bl_front *f;
    uint32_t first; /* objective compared first; objectives: none */
    const uint32_t *rank;
    const double *distance;
    int (*compare)(const struct by *by, uint32_t a, uint32_t b);
};

static int compare_doubles(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* By value from objective by->first on, equal ones by index. */
static int compare_values(const struct by *by, uint32_t a, uint32_t b)
{
    const uint32_t n = by->f->objectives;
    const double *va = by->f->value + (uint64_t)a * n;
    const double *vb = by->f->value + (uint64_t)b * n;

    for (uint32_t k = by->first; k < n; k++)
        if (va[k] < vb[k] || va[k] > vb[k])
            return compare_doubles(va[k], vb[k]);
    return a < b ? -1 : 1;
}

static int compare_best(const struct by *by, uint32_t a, uint32_t b)
{
    if (by->rank[a] != by->rank[b])
        return by->rank[a] < by->rank[b] ? -1 : 1;
    if (by->distance[a] < by->distance[b] || by->distance[a] > by->distance[b])
        return compare_doubles(by->distance[b], by->distance[a]);
    return a < b ? -1 : 1;
}

static void merge(const struct by *by, uint32_t *to, const uint32_t *from,
                  uint32_t lo, uint32_t mid, uint32_t hi)
{
    uint32_t a = lo, b = mid;

    for (uint32_t i = lo; i < hi; i++) {
        const bool left =
            b == hi || (a < mid && by->compare(by, from[a], from[b]) < 0);

        to[i] = left ? from[a++] : from[b++];
    }
}

/* Merge sort, bottom up: no recursion, no address decides. */
static void sort(const struct by *by, uint32_t *order, uint32_t count,
                 uint32_t *scratch)
{
    uint32_t *from = order, *to = scratch;

    for (uint64_t width = 1; width < count; width *= 2) {
        uint32_t *const swap = from;

        for (uint64_t lo = 0; lo < count; lo += 2 * width) {
            const uint64_t mid = lo + width < count ? lo + width : count;
            const uint64_t hi = mid + width < count ? mid + width : count;

            merge(by, to, from, (uint32_t)lo, (uint32_t)mid, (uint32_t)hi);
        }
        from = to;
        to = swap;
    }
    if (from != order)
        for (uint32_t i = 0; i < count; i++)
            order[i] = from[i];
}

/* ---- ranks -------------------------------------------------------------- */

static bool dominated_in(const struct bl_front *f, const uint32_t *rank,
                         uint32_t done, uint32_t r, uint32_t i)
{
    const uint32_t n = f->objectives;

    for (uint32_t k = done; k-- > 0;) {
        const uint32_t other = f->order[k];

        if (rank[other] == r && bl_dominates(f->value + (uint64_t)other * n,
                                             f->value + (uint64_t)i * n, n))
            return true;
    }
    return false;
}

void bl_front_rank(const struct bl_front *f, uint32_t *rank)
{
    const struct by by = { .f = f, .compare = compare_values };

    for (uint64_t i = 0; i < (uint64_t)f->count * f->objectives; i++)
        BL_ASSERT(!isnan(f->value[i]));
    for (uint32_t i = 0; i < f->count; i++)
        f->order[i] = i;
    sort(&by, f->order, f->count, f->scratch);
    for (uint32_t k = 0; k < f->count; k++) {
        const uint32_t i = f->order[k];
        uint32_t r = 0;

        while (dominated_in(f, rank, k, r, i))
            r++;
        rank[i] = r;
    }
}

/* ---- crowding ----------------------------------------------------------- */

/* What the members order[lo .. hi) of one rank, sorted by objective @k, leave
 * free around each of them. */
static void add_distance(const struct bl_front *f, uint32_t k, uint32_t lo,
                         uint32_t hi, double *distance)
{
    const uint32_t n = f->objectives;
    const double least = f->value[(uint64_t)f->order[lo] * n + k];
    const double most = f->value[(uint64_t)f->order[hi - 1] * n + k];

    distance[f->order[lo]] = INFINITY;
    distance[f->order[hi - 1]] = INFINITY;
    if (!(most > least) || isinf(most))
        return;
    for (uint32_t i = lo + 1; i + 1 < hi; i++) {
        const double before = f->value[(uint64_t)f->order[i - 1] * n + k];
        const double after = f->value[(uint64_t)f->order[i + 1] * n + k];

        distance[f->order[i]] += (after - before) / (most - least);
    }
}

static void crowd(const struct bl_front *f, uint32_t lo, uint32_t hi,
                  double *distance)
{
    for (uint32_t k = 0; k < f->objectives; k++) {
        const struct by by = { .f = f, .first = k, .compare = compare_values };

        sort(&by, f->order + lo, hi - lo, f->scratch);
        add_distance(f, k, lo, hi, distance);
    }
}

void bl_front_best(const struct bl_front *f, const uint32_t *rank,
                   double *distance)
{
    struct by by = {
        .f = f, .rank = rank, .distance = distance, .compare = compare_best
    };

    for (uint32_t i = 0; i < f->count; i++) {
        f->order[i] = i;
        distance[i] = 0;
    }
    sort(&by, f->order, f->count, f->scratch); /* by rank, then index */
    for (uint32_t lo = 0, hi; lo < f->count; lo = hi) {
        for (hi = lo + 1;
             hi < f->count && rank[f->order[hi]] == rank[f->order[lo]]; hi++)
            continue;
        crowd(f, lo, hi, distance);
    }
    sort(&by, f->order, f->count, f->scratch);
}
