/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize_power - which hosts sleep, which wake, which stay awake in case.
 *
 * Source     reserve as slots of a VM each: the admission control of clusters
 *            with fail-over (VMware vSphere Availability, slot policy)
 *            [recalled].
 * Idea       a host without VMs sleeps unless it is needed: whichever hosts
 *            fail, what they hold must find room on the others that are on. The
 *            worst case is the loss of those that hold and offer most together.
 *            Where that is no longer so, hosts are woken. Where VMs arrive, as
 *            many empty hosts as they are likely to need while another wakes
 *            stay on. A host that has just been taken into service stays for a
 *            while, one that has just left it, too.
 * Bound      never off below the reserve, against every choice of hosts that
 *            fail; minimum times are kept (test_rightsize_power).
 * Cost       O(hosts * reserve) for each instant, again for each kind of host.
 */
#include "cluster/rightsize_priv.h"

#include <math.h>
#include <string.h>

/* Since it was taken into service, or out of it. */
static int64_t since_change_ns(const struct rs *rs, uint32_t h)
{
    return rs->s->now_ns - rs->host[h].changed_ns;
}

void bl__rs_in_service(struct rs *rs, uint32_t h)
{
    rs->host[h].service = RS_IN;
    rs->host[h].changed_ns = rs->s->now_ns;
}

bool bl__rs_may_wake(const struct rs *rs, uint32_t h)
{
    return bl_host_asleep(rs->s, h) &&
           since_change_ns(rs, h) >= rs->opts.down_ns;
}

bool bl__rs_may_empty(const struct rs *rs, uint32_t h)
{
    return rs->s->host.state[h] == BL_HOST_ON &&
           since_change_ns(rs, h) >= rs->opts.up_ns;
}

void bl__rs_plan_wakes(struct rs *rs, struct bl_plan *plan)
{
    for (uint32_t h = 0; h < rs->host_count; h++)
        if ((rs->host[h].flags & RS_WOKEN) && rs->host[h].coming > 0 &&
            bl_host_asleep(rs->s, h))
            bl_plan_add(
                plan, &(struct bl_action){ .kind = BL_ACTION_HOST_ON,
                                           .reason = BL_REASON_WAKE,
                                           .vm = BL_NONE,
                                           .host = h,
                                           .source = BL_NONE,
                                           .figure = { rs->host[h].coming } });
}

/* ---- the reserve
 * ---------------------------------------------------------------- */

/* How many average VMs more @h could take. */
static double slots(const struct rs *rs, uint32_t h)
{
    const struct rs_load *l = &rs->host[h].load;
    const double level = l->level_mhz > l->now_mhz ? l->level_mhz : l->now_mhz;
    const double cpu = rs->s->host.capacity_mhz_now[h] - level;
    const double mem = (double)rs->s->host.mem_bytes[h] - l->mem_bytes;
    double n = 1e9;

    if (rs->fleet.level_mhz > 0)
        n = cpu / rs->fleet.level_mhz;
    if (rs->fleet.mem_bytes > 0 && mem / rs->fleet.mem_bytes < n)
        n = mem / rs->fleet.mem_bytes;
    return n > 0 ? floor(n) : 0;
}

/* How many average VMs those of @h are, if they have to go elsewhere. */
static double held(const struct rs *rs, uint32_t h)
{
    const struct rs_load *l = &rs->host[h].load;
    double n = l->vms;

    if (rs->fleet.level_mhz > 0 && l->now_mhz / rs->fleet.level_mhz > n)
        n = l->now_mhz / rs->fleet.level_mhz;
    if (rs->fleet.mem_bytes > 0 && l->mem_bytes / rs->fleet.mem_bytes > n)
        n = l->mem_bytes / rs->fleet.mem_bytes;
    return ceil(n);
}

/* It has room to offer: now or, with @coming, as soon as it is awake. */
static bool offers(const struct rs *rs, uint32_t h, bool coming)
{
    if (rs->s->host.state[h] == BL_HOST_ON)
        return true;
    return coming && (rs->s->host.state[h] == BL_HOST_LEAVING ||
                      (rs->host[h].flags & RS_WOKEN) != 0);
}

/* What goes with the loss of @h: places for its VMs, and those it offers. */
static double at_stake(const struct rs *rs, uint32_t h, bool coming)
{
    return held(rs, h) + (offers(rs, h, coming) ? slots(rs, h) : 0);
}

/* @most: in falling order; @x takes its place among them. */
static void keep_most(double *most, uint32_t n, double x)
{
    for (uint32_t i = 0; i < n && x > 0; i++)
        if (x > most[i]) {
            const double less = most[i];

            most[i] = x;
            x = less;
        }
}

/* What goes, at the worst, with the loss of `failover` hosts. */
struct worst {
    double most[RS_FAILOVER_MAX];
};

static double worst_sum(const struct rs *rs, const struct worst *w)
{
    double sum = 0;

    for (uint32_t i = 0; i < rs->opts.failover; i++)
        sum += w->most[i];
    return sum;
}

/* Of all hosts but @without. */
static void find_worst(const struct rs *rs, uint32_t without, bool coming,
                       struct worst *w)
{
    *w = (struct worst){ { 0 } };
    if (rs->opts.failover == 0)
        return;
    for (uint32_t h = 0; h < rs->host_count; h++)
        if (h != without && !(rs->host[h].flags & RS_SLEEPS))
            keep_most(w->most, rs->opts.failover, at_stake(rs, h, coming));
}

static double have_slots(const struct rs *rs, bool coming)
{
    double sum = 0;

    for (uint32_t h = 0; h < rs->host_count; h++)
        if (offers(rs, h, coming))
            sum += slots(rs, h);
    return sum;
}

static bool switches(const struct rs *rs)
{
    return rs->s->can & BL_CAN_SWITCH_HOSTS && rs->opts.sleep != RS_SLEEP_NONE;
}

/* ---- arrivals
 * ------------------------------------------------------------------- */

void bl__rs_learn_arrivals(struct rs *rs)
{
    if (rs->arrival_count < BL_HISTORY_MAX)
        rs->arrival_count++;
    memmove(rs->arrival + 1, rs->arrival,
            (rs->arrival_count - 1) * sizeof(rs->arrival[0]));
    rs->arrival[0] = rs->arrival_opened;
    rs->arrival_opened = 0;
}

/* Empty hosts that arrivals are likely to need before another is awake. */
static uint32_t warm_count(const struct rs *rs)
{
    double lead = 0;

    if (rs->arrival_count == 0)
        return 0;
    for (uint32_t i = 0; i < rs->dc->host_group_count; i++)
        if (rs->group[i].lead > lead)
            lead = rs->group[i].lead;
    return (uint32_t)ceil(lead * bl_forecast_quantile(rs->arrival,
                                                      rs->arrival_count,
                                                      rs->opts.quantile));
}

/* Hosts that are on, or with @coming soon will be, and hold nothing. */
static uint32_t count_empty(const struct rs *rs, bool coming)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < rs->host_count; h++)
        n += rs->host[h].load.vms == 0 && rs->host[h].coming == 0 &&
             offers(rs, h, coming);
    return n;
}

/* ---- wake
 * ------------------------------------------------------------------ */

void bl__rs_plan_reserve(struct rs *rs, struct bl_plan *plan)
{
    const uint32_t warm = warm_count(rs);
    struct worst w;
    double have, needed;
    uint32_t empty;

    if (!(rs->s->can & BL_CAN_SWITCH_HOSTS) ||
        (rs->opts.failover == 0 && warm == 0))
        return;
    find_worst(rs, BL_NONE, true, &w);
    have = have_slots(rs, true);
    needed = worst_sum(rs, &w);
    empty = count_empty(rs, true);
    for (uint32_t i = 0; i < rs->host_count && (have < needed || empty < warm);
         i++) {
        const uint32_t h = rs->host_of[i]; /* the best kind first */

        if (offers(rs, h, true) || !bl__rs_may_wake(rs, h))
            continue;
        bl_plan_add(plan, &(struct bl_action){
                              .kind = BL_ACTION_HOST_ON,
                              .reason = have < needed ? BL_REASON_RESERVE
                                                      : BL_REASON_ARRIVALS,
                              .vm = BL_NONE,
                              .host = h,
                              .source = BL_NONE,
                              .figure = { have < needed ? have : empty,
                                          have < needed ? needed : warm } });
        rs->host[h].flags |= RS_WOKEN;
        bl__rs_in_service(rs, h);
        empty++;
        have += slots(rs, h);
        keep_most(w.most, rs->opts.failover, at_stake(rs, h, true));
        needed = worst_sum(rs, &w);
    }
}

/* A host that is emptied saves its power only where the reserve lets it sleep:
 * places to spare once all that are empty already do. */
void bl__rs_measure_spare(struct rs *rs)
{
    struct worst w;

    rs->spare = 1e18;
    if (rs->opts.failover == 0 || !switches(rs))
        return;
    find_worst(rs, BL_NONE, false, &w);
    rs->spare = have_slots(rs, false) - worst_sum(rs, &w);
    for (uint32_t h = 0; h < rs->host_count; h++)
        if (rs->s->host.state[h] == BL_HOST_ON && rs->host[h].load.vms == 0 &&
            rs->host[h].coming == 0)
            rs->spare -= slots(rs, h);
}

/* As an empty host. */
double bl__rs_places(const struct rs *rs, uint32_t h)
{
    return held(rs, h) + slots(rs, h);
}

/* ---- sleep
 * -------------------------------------------------------------------- */

/* One that is on, has no VM that stays, and has not been asked to sleep yet:
 * nobody is there, or this plan sends the last ones away. */
static bool can_sleep(const struct rs *rs, uint32_t h)
{
    const struct rs_host *x = &rs->host[h];

    if (rs->s->host.state[h] != BL_HOST_ON || x->load.vms > 0 || x->coming > 0)
        return false;
    if (x->service == RS_IN && since_change_ns(rs, h) < rs->opts.up_ns)
        return false;
    return (x->flags & RS_EMPTIED) || rs->s->host.first[h] == BL_NONE;
}

/* The reserve bears it that empty @h goes. @w may count hosts that have gone,
 * which errs towards caution; who is among the worst is left out when that
 * decides. */
static bool spares(const struct rs *rs, uint32_t h, double have,
                   struct worst *w)
{
    const double after = have - slots(rs, h);
    const uint32_t n = rs->opts.failover;

    if (after >= worst_sum(rs, w))
        return true;
    if (n == 0 || at_stake(rs, h, false) < w->most[n - 1])
        return false;
    find_worst(rs, h, false, w);
    return after >= worst_sum(rs, w);
}

static void sleep_one(struct rs *rs, uint32_t h)
{
    struct rs_host *x = &rs->host[h];

    x->flags |= RS_SLEEPS;
    if (x->service == RS_NEVER)
        return; /* as it is for ever */
    x->service = RS_OUT;
    x->changed_ns = rs->s->now_ns;
}

void bl__rs_plan_sleep(struct rs *rs, struct bl_plan *plan)
{
    uint32_t kept = BL_NONE; /* kind of which no more can be spared */
    const uint32_t warm = warm_count(rs);
    uint32_t empty = count_empty(rs, false);
    struct worst w;
    double have;

    if (!switches(rs))
        return;
    find_worst(rs, BL_NONE, false, &w);
    have = have_slots(rs, false);
    /* the worst kind first */
    for (uint32_t i = rs->host_count; i-- > 0 && empty > warm;) {
        const uint32_t h = rs->host_of[i], group = rs->s->host.group[h];

        if (group == kept || !can_sleep(rs, h))
            continue;
        if (!spares(rs, h, have, &w)) {
            kept = group;
            find_worst(rs, BL_NONE, false, &w);
            continue;
        }
        have -= slots(rs, h);
        empty--;
        sleep_one(rs, h);
        bl_plan_add(
            plan, &(struct bl_action){
                      .kind = rs_group_of(rs, h)->off ? BL_ACTION_HOST_OFF
                                                      : BL_ACTION_HOST_STANDBY,
                      .reason = BL_REASON_NOT_NEEDED,
                      .vm = BL_NONE,
                      .host = h,
                      .source = BL_NONE,
                      .figure = { rs->s->host.util[h], have - worst_sum(rs, &w),
                                  worst_sum(rs, &w) } });
    }
}
