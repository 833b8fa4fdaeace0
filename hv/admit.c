/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit - reservations of VMs in nested pools.
 *
 * Source     attributes of resource pools and the vectors RP-MOM / RP-KID:
 *            FIELD.md A4 (vSphere's documentation, GUID-76691829).
 * Idea       one number for each pool: what its children hold. From it follows
 *            what the pool holds of its parent: its reservation, or more when
 *            it is expandable and its children hold more. A request climbs
 *            until a pool has all of what is left of it.
 * Bound      no pool's children hold more than its limit, nor, without
 *            expansion, more than its reservation (bl_admit_check; test_admit
 *            compares with sums made anew).
 * Deviation  none.
 * Cost       O(depth).
 */
#include "hv/admit.h"

#include "base/err.h"

#include <stdio.h>

#define SUM_MAX (UINT64_C(1) << 63)

static uint32_t slot_of(uint32_t pool)
{
    return pool == BL_POOL_ROOT ? 0 : pool + 1;
}

static uint64_t above(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* What @p holds of its parent when its children hold @used. */
static uint64_t held(const struct bl_pool *p, uint64_t used)
{
    return p->expandable && used > p->reservation ? used : p->reservation;
}

static struct bl_admit_answer refuse(enum bl_admit_why why, uint32_t pool,
                                     uint64_t need, uint64_t have)
{
    return (struct bl_admit_answer){ .why = why,
                                     .pool = pool,
                                     .need = need,
                                     .have = have,
                                     .shortfall = need - have };
}

/* The one that lacks more decides; the lower pool of two equal ones. */
static void refuse_more(struct bl_admit_answer *worst,
                        const struct bl_admit_answer *no)
{
    if (no->shortfall > worst->shortfall)
        *worst = *no;
}

struct bl_admit_answer bl_admit_ask(const struct bl_admit *a, uint32_t pool,
                                    uint64_t amount)
{
    struct bl_admit_answer answer = { .why = BL_ADMIT_FITS,
                                      .pool = BL_POOL_ROOT };
    struct bl_admit_answer no;
    uint64_t need = amount;

    BL_ASSERT(pool == BL_POOL_ROOT || pool < a->pool_count);
    BL_ASSERT(amount < SUM_MAX);
    for (uint32_t p = pool; p != BL_POOL_ROOT; p = a->pool[p].parent) {
        const struct bl_pool *x = &a->pool[p];
        const uint64_t used = a->used[p + 1];
        const uint64_t have = above(x->reservation, used);

        if (need <= have)
            return answer;
        if (!x->expandable) { /* its limit leaves no less */
            no = refuse(BL_ADMIT_UNRESERVED, p, need, have);
            refuse_more(&answer, &no);
            return answer;
        }
        if (need > above(x->limit, used)) {
            no = refuse(BL_ADMIT_LIMIT, p, need, above(x->limit, used));
            refuse_more(&answer, &no);
        }
        need -= have;
    }
    if (need > above(a->capacity, a->used[0])) {
        no = refuse(BL_ADMIT_UNRESERVED, BL_POOL_ROOT, need,
                    above(a->capacity, a->used[0]));
        refuse_more(&answer, &no);
    }
    return answer;
}

/* The account of @pool and of all above it, when its children hold @more. */
static void climb(struct bl_admit *a, uint32_t pool, uint64_t amount, bool more)
{
    uint32_t p = pool;

    for (; p != BL_POOL_ROOT && amount > 0; p = a->pool[p].parent) {
        const uint64_t used = a->used[p + 1];
        const uint64_t now = more ? used + amount : used - amount;
        const uint64_t before = held(&a->pool[p], used);
        const uint64_t after = held(&a->pool[p], now);

        BL_ASSERT(more || amount <= used);
        a->used[p + 1] = now;
        amount = more ? after - before : before - after;
    }
    BL_ASSERT(more || amount <= a->used[0]);
    a->used[0] = more ? a->used[0] + amount : a->used[0] - amount;
    BL_ASSERT(a->used[0] < SUM_MAX);
}

void bl_admit_count(struct bl_admit *a, uint32_t pool, uint64_t amount)
{
    BL_ASSERT(pool == BL_POOL_ROOT || pool < a->pool_count);
    climb(a, pool, amount, true);
}

void bl_admit_take(struct bl_admit *a, uint32_t pool, uint64_t amount)
{
    BL_ASSERT(bl_admit_ask(a, pool, amount).why == BL_ADMIT_FITS);
    climb(a, pool, amount, true);
}

void bl_admit_give(struct bl_admit *a, uint32_t pool, uint64_t amount)
{
    BL_ASSERT(pool == BL_POOL_ROOT || pool < a->pool_count);
    climb(a, pool, amount, false);
}

struct bl_admit_answer bl_admit_reset(struct bl_admit *a, uint32_t *who)
{
    struct bl_admit_answer answer = { .why = BL_ADMIT_FITS,
                                      .pool = BL_POOL_ROOT };

    for (uint32_t k = 0; k <= a->pool_count; k++)
        a->used[k] = 0;
    for (uint32_t p = 0; p < a->pool_count; p++) {
        const struct bl_pool *x = &a->pool[p];

        BL_ASSERT(x->parent == BL_POOL_ROOT || x->parent < p);
        BL_ASSERT(x->reservation <= x->limit);
        if (answer.why == BL_ADMIT_FITS) {
            answer = bl_admit_ask(a, x->parent, x->reservation);
            if (who != NULL)
                *who = p;
        }
        climb(a, x->parent, x->reservation, true);
    }
    return answer;
}

struct bl_admit_answer bl_admit_resize(struct bl_admit *a, uint32_t pool,
                                       uint64_t reservation)
{
    struct bl_admit_answer answer = { .why = BL_ADMIT_FITS,
                                      .pool = BL_POOL_ROOT };

    BL_ASSERT(pool < a->pool_count);

    struct bl_pool *x = &a->pool[pool];
    struct bl_pool resized = *x;
    const uint64_t used = a->used[pool + 1];

    resized.reservation = reservation;

    const uint64_t before = held(x, used), after = held(&resized, used);

    if (reservation > x->limit)
        return refuse(BL_ADMIT_LIMIT, pool, reservation, x->limit);
    if (reservation < x->reservation && used > after)
        return refuse(BL_ADMIT_IN_USE, pool, used, after);
    if (after > before)
        answer = bl_admit_ask(a, x->parent, after - before);
    if (answer.why != BL_ADMIT_FITS)
        return answer;
    x->reservation = reservation;
    climb(a, x->parent, after > before ? after - before : before - after,
          after > before);
    return answer;
}

int bl_admit_text(const struct bl_admit_answer *answer, const char *name,
                  enum bl_dim dim, char *buf, size_t size)
{
    const bool root = answer->pool == BL_POOL_ROOT;
    const char *what = root ? "the hosts" : "resource pool";
    const char *quote = root ? "" : "'", *gap = root ? "" : " ";
    const char *shown = root ? "" : name;
    char need[40], have[40], lacks[40];

    bl_units_print(dim, (int64_t)answer->need, need, sizeof(need));
    bl_units_print(dim, (int64_t)answer->have, have, sizeof(have));
    bl_units_print(dim, (int64_t)answer->shortfall, lacks, sizeof(lacks));
    switch (answer->why) {
    case BL_ADMIT_FITS:
        return snprintf(buf, size, "it fits");
    case BL_ADMIT_UNRESERVED:
        return snprintf(buf, size,
                        "%s%s%s%s%s %s %s left to reserve, %s needed: %s short",
                        what, gap, quote, shown, quote, root ? "have" : "has",
                        have, need, lacks);
    case BL_ADMIT_LIMIT:
        return snprintf(buf, size,
                        "the limit of resource pool '%s' leaves %s to reserve, "
                        "%s needed: %s short",
                        shown, have, need, lacks);
    case BL_ADMIT_IN_USE:
        break;
    }
    return snprintf(buf, size,
                    "resource pool '%s' has %s in use, more than the %s that "
                    "it would keep: %s short",
                    shown, need, have, lacks);
}

void bl_admit_check(const struct bl_admit *a, uint64_t *sum)
{
    for (uint32_t k = 0; k <= a->pool_count; k++)
        sum[k] = 0;
    for (uint32_t p = 0; p < a->pool_count; p++) {
        const struct bl_pool *x = &a->pool[p];
        const uint64_t used = a->used[p + 1];

        BL_ASSERT(x->reservation <= x->limit);
        BL_ASSERT(used <= x->limit);
        BL_ASSERT(x->expandable || used <= x->reservation);
        sum[slot_of(x->parent)] += held(x, used);
    }
    for (uint32_t k = 0; k <= a->pool_count; k++)
        BL_ASSERT(sum[k] <= a->used[k]); /* VMs hold the rest */
}
