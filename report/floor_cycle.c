/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_cycle - a lower bound on energy with transitions, for any schedule.
 *
 * Source     weak duality again: the rule that a rise is paid for is priced.
 * Idea       let y_k be the hosts of a group that are awake in step k, and e
 * the least energy of going to sleep and waking up again. A schedule pays e
 * (y_k - y_(k-1)) at least wherever y rises. For any prices 0 <= q_k <= e that
 * is at least the sum of q_k (y_k - y_(k-1)), so that a host awake in step k
 * costs (q_k - q_(k+1)) more, and steps are apart again: each is a joint bound
 * with that much added. Price e where the cheapest placement wakes hosts, 0
 * where it lets them sleep; but a host is never paid more for being awake than
 *            idling costs it.
 * Bound      at most the optimum of the linear programme over all steps, at
 *            least the floor without transitions (tests/test_floor_cycle.c).
 * Deviation  from the best prices: they look one step ahead. Exact where a
 * cycle costs less than idling for a step. Cost       two joint bounds a step,
 * O(groups) memory.
 */
#include "report/floor_cycle.h"

#include "base/units.h"
#include "report/floor_priv.h"

#include <string.h>

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* What a cycle through @s takes beyond what a host asleep would draw. */
static double over_sleep_j(const struct bl_sleep_state *s, double asleep_w)
{
    const double time_s =
        (double)(s->enter.time_ns + s->leave.time_ns) / (double)BL_NS_PER_S;
    const double j =
        (double)(s->enter.energy_uj + s->leave.energy_uj) / 1000000;

    return j - asleep_w * time_s;
}

void bl_floor_cycle_begin(struct bl_floor_cycle *c, const struct bl_floor *f,
                          const struct bl_dc *dc)
{
    BL_ASSERT(f->group_count == dc->host_group_count);
    *c = (struct bl_floor_cycle){ .floor = f };
    for (uint32_t g = 0; g < f->group_count; g++) {
        const struct bl_host_group *x = &dc->host_group[g];
        const double asleep_w =
            least(x->standby.power_mw, x->off.power_mw) / 1000;
        const double j = least(over_sleep_j(&x->standby, asleep_w),
                               over_sleep_j(&x->off, asleep_w));

        c->cycle_j[g] = j > 0 ? j : 0;
    }
}

/* The price of a rise between the step that waits and one with @awake hosts. */
static double next_price(const struct bl_floor_cycle *c, uint32_t g,
                         double awake)
{
    const struct bl_floor *f = c->floor;
    const double idle_w = f->corner[f->group[g].first].w;

    if (awake > c->awake[g])
        return least(c->cycle_j[g], c->price_j[g] + idle_w * c->step.time_s);
    return awake < c->awake[g] ? 0 : c->price_j[g];
}

/* The step that waits, with hosts @shift_j dearer or cheaper. */
static double priced_j(const struct bl_floor_cycle *c, const double *shift_j)
{
    double shift_w[BL_HOST_GROUPS_MAX];
    bool any = false;

    for (uint32_t g = 0; g < c->floor->group_count; g++) {
        shift_w[g] = shift_j[g] / c->step.time_s;
        any |= shift_j[g] < 0 || shift_j[g] > 0;
    }
    if (!any)
        return c->step_j;
    return bl__floor_joint(c->floor, c->step.cpu_mhz, c->step.mem_mib, shift_w,
                           NULL) *
           c->step.time_s;
}

/* With no price above 0 what was is apart from what comes, and the better of
 * the two bounds counts. */
static double better_j(const struct bl_floor_cycle *c)
{
    return c->priced_j > c->plain_j ? c->priced_j : c->plain_j;
}

/* The step that waits is done: hosts will be @awake, or it was the last one. */
static void close_step(struct bl_floor_cycle *c, const double *awake)
{
    double shift_j[BL_HOST_GROUPS_MAX];
    bool free = true;

    for (uint32_t g = 0; g < c->floor->group_count; g++) {
        const double next = awake != NULL ? next_price(c, g, awake[g]) : 0;

        shift_j[g] = c->price_j[g] - next;
        c->price_j[g] = next;
        free &= next <= 0;
    }
    c->plain_j += c->step_j;
    c->priced_j += priced_j(c, shift_j);
    if (!free)
        return;
    c->sum_j += better_j(c);
    c->plain_j = c->priced_j = 0;
}

void bl_floor_cycle_step(struct bl_floor_cycle *c,
                         const struct bl_floor_step *step)
{
    const double mem_mib = c->floor->mem_count > 0 ? step->mem_mib : 0;
    double awake[BL_HOST_GROUPS_MAX];

    BL_ASSERT(step->time_s >= 0);
    if (step->time_s <= 0)
        return;
    (void)bl__floor_joint(c->floor, step->cpu_mhz, mem_mib, NULL, awake);
    if (c->waiting)
        close_step(c, awake);
    c->step = *step;
    c->step.mem_mib = mem_mib;
    c->step_j = bl_floor_watts(c->floor, step->cpu_mhz, mem_mib) * step->time_s;
    c->waiting = true;
    memcpy(c->awake, awake, sizeof(c->awake));
}

double bl_floor_cycle_joules(const struct bl_floor_cycle *c)
{
    struct bl_floor_cycle end = *c;

    if (end.waiting)
        close_step(&end, NULL);
    return end.sum_j + better_j(&end);
}
