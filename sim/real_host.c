/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_host - what a host draws, and its way into and out of sleep.
 *
 * Source     the host's power table (SPECpower_ssj2008 as a rule); transition
 *            times and energies from the scenario; doc/models/host.md.
 * Idea       on: table at its utilisation; asleep: one figure; in between: the
 *            transition's energy, spread evenly over its time.
 * Bound      the energy of a transition is exact, whatever its time
 *            (test_real); on -> entering -> asleep -> leaving -> on is the
 *            only cycle (bl__real_check).
 * Deviation  a transition cannot be broken off: a host that is wanted again
 *            while it falls asleep wakes as soon as it sleeps.
 * Cost       O(log hosts) for a transition, O(1) for a draw.
 */
#include "base/units.h"
#include "sim/real_priv.h"

#define PJ_PER_UJ 1000000u

static uint32_t util_ppm(uint64_t khz, uint64_t capacity_khz)
{
    return (uint32_t)(khz * (uint64_t)BL_PPM / capacity_khz);
}

/* The same where P-states say what a load draws. */
static void set_draw(const struct bl_sim *sim, uint32_t h)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const uint64_t khz = host->served_khz;

    if (host->unmanaged) { /* all that its budget lets it do */
        host->power_mw = bl__real_draw(sim, h, s->khz);
        return;
    }
    host->power_mw = bl__real_draw(sim, h, khz + host->copy_khz);
    if (host->copy_khz > 0) {
        const uint64_t mw = bl__real_draw(sim, h, khz);

        host->copy_mw = host->power_mw > mw ? host->power_mw - mw : 0;
    }
}

void bl__real_set_power(const struct bl_sim *sim, uint32_t h)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];
    const struct bl_host_group *g = bl__real_group(sim, h);
    const struct bl_power_curve *curve = &sim->curve[sim->col.host_group[h]];
    const uint64_t capacity_khz = sim->col.host_capacity_khz[h];

    host->copy_mw = 0;
    switch ((enum bl_host_state)sim->col.host_state[h]) {
    case BL_HOST_STANDBY:
        host->power_mw = g->standby.power_mw;
        return;
    case BL_HOST_OFF:
        host->power_mw = g->off.power_mw;
        return;
    case BL_HOST_ENTERING:
    case BL_HOST_LEAVING:
        host->power_mw = host->trans_mw;
        return;
    case BL_HOST_ON:
        break;
    }
    if (bl__real(sim)->speeds != NULL) {
        set_draw(sim, h);
        return;
    }
    if (host->unmanaged) {
        host->power_mw = bl_power_mw(curve, (uint32_t)BL_PPM);
        return;
    }

    const uint64_t khz = host->served_khz;

    host->power_mw =
        bl_power_mw(curve, util_ppm(khz + host->copy_khz, capacity_khz));
    if (host->copy_khz > 0) {
        const uint32_t mw = bl_power_mw(curve, util_ppm(khz, capacity_khz));

        host->copy_mw = host->power_mw > mw ? host->power_mw - mw : 0;
    }
}

static const struct bl_sleep_state *sleep_state(const struct bl_sim *sim,
                                                uint32_t h)
{
    const struct bl_host_group *g = bl__real_group(sim, h);

    return bl__real(sim)->host[h].sleep == BL_HOST_OFF ? &g->off : &g->standby;
}

static void set_state(struct bl_sim *sim, uint32_t h, enum bl_host_state state)
{
    struct bl_real *r = bl__real(sim);

    r->on_count -= sim->col.host_state[h] == BL_HOST_ON;
    r->on_count += state == BL_HOST_ON;
    sim->col.host_state[h] = (uint8_t)state;
    sim->col.host_stamp[h] = sim->col.stamp_next++;
    if (r->speeds != NULL)
        bl__real_show_capacity(sim, h);
}

static void begin(struct bl_sim *sim, uint32_t h, enum bl_host_state state,
                  const struct bl_transition *t)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];
    const bl_u128 energy_pj = (bl_u128)t->energy_uj * PJ_PER_UJ;
    const uint64_t mw = bl_transition_mw(t);

    bl__real_touch(sim, h);
    set_state(sim, h, state);
    host->trans_mw = mw;
    host->rest_pj = energy_pj - (bl_u128)mw * (uint64_t)t->time_ns;
    bl_heap_set(&r->heap, h, sim->now_ns + t->time_ns);
    r->trans_count++;
    bl__real_set_min(sim, h);
}

static void begin_sleep(struct bl_sim *sim, uint32_t h,
                        enum bl_host_state state)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];

    host->sleep = (uint8_t)state;
    host->sleep_later = BL_HOST_ON;
    host->wake_later = false;
    host->off_count++;
    r->sum.on_before_sleep_ns += (uint64_t)(sim->now_ns - host->on_since_ns);
    begin(sim, h, BL_HOST_ENTERING, &sleep_state(sim, h)->enter);
}

static void begin_wake(struct bl_sim *sim, uint32_t h)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];

    host->on_count++;
    host->wake_later = false;
    begin(sim, h, BL_HOST_LEAVING, &sleep_state(sim, h)->leave);
}

void bl__real_transition_end(struct bl_sim *sim, uint32_t h)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];

    bl__real_touch(sim, h);
    host->energy_pj += host->rest_pj;
    host->trans_pj += host->rest_pj;
    r->sum.energy_pj += host->rest_pj;
    host->rest_pj = 0;
    r->trans_count--;
    bl__sim_event(sim, BL_EVENT_HOST_CHANGED, BL_NONE, h);
    if (sim->col.host_state[h] == BL_HOST_LEAVING) {
        set_state(sim, h, BL_HOST_ON);
        bl__real_set_min(sim, h);
        host->on_since_ns = sim->now_ns;
        bl__real_start_waiting(sim, h);
        return;
    }
    BL_ASSERT(sim->col.host_state[h] == BL_HOST_ENTERING);
    set_state(sim, h, (enum bl_host_state)host->sleep);
    bl__real_set_min(sim, h);
    if (host->wake_later)
        begin_wake(sim, h);
}

/* Every VM here is on its way out, and none on its way in. */
static bool all_leave(const struct bl_sim *sim, uint32_t h)
{
    for (uint32_t i = sim->col.host_first[h]; i != BL_NONE;
         i = sim->col.resident[i].next)
        if (sim->col.resident[i].role != BL_ROLE_OUT)
            return false;
    return true;
}

enum bl_verdict bl__real_sleep(struct bl_sim *sim, uint32_t h,
                               enum bl_host_state state)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];
    const uint8_t now = sim->col.host_state[h];

    if (now == BL_HOST_ENTERING || now == BL_HOST_LEAVING)
        return BL_VERDICT_HOST_BUSY;
    if (now != BL_HOST_ON)
        return BL_VERDICT_HOST_STATE;
    if (host->sleep_later != BL_HOST_ON || !all_leave(sim, h))
        return BL_VERDICT_HOST_BUSY;
    if (!bl__real_backs_sleep(sim, h, state))
        return BL_VERDICT_NO_POWER;
    if (sim->col.host_first[h] != BL_NONE) {
        host->sleep_later = (uint8_t)state;
        bl__real_set_min(sim, h);
        return BL_VERDICT_LATER;
    }
    begin_sleep(sim, h, state);
    return BL_VERDICT_OK;
}

enum bl_verdict bl__real_wake(struct bl_sim *sim, uint32_t h)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];

    switch ((enum bl_host_state)sim->col.host_state[h]) {
    case BL_HOST_STANDBY:
    case BL_HOST_OFF:
        if (!bl__real_backs_wake(sim, h))
            return BL_VERDICT_NO_POWER;
        begin_wake(sim, h);
        return BL_VERDICT_OK;
    case BL_HOST_ENTERING:
        if (host->wake_later)
            return BL_VERDICT_HOST_BUSY;
        if (!bl__real_backs_wake(sim, h))
            return BL_VERDICT_NO_POWER;
        host->wake_later = true;
        bl__real_set_min(sim, h);
        return BL_VERDICT_LATER;
    case BL_HOST_LEAVING:
        return BL_VERDICT_HOST_BUSY;
    case BL_HOST_ON:
        break;
    }
    if (host->sleep_later == BL_HOST_ON)
        return BL_VERDICT_HOST_STATE;
    bl__real_stay_on(sim, h); /* it changed its mind in time */
    return BL_VERDICT_OK;
}

void bl__real_stay_on(struct bl_sim *sim, uint32_t h)
{
    bl__real(sim)->host[h].sleep_later = BL_HOST_ON;
    bl__real_set_min(sim, h);
}

void bl__real_left(struct bl_sim *sim, uint32_t h)
{
    const uint8_t later = bl__real(sim)->host[h].sleep_later;

    if (later != BL_HOST_ON && sim->col.host_first[h] == BL_NONE)
        begin_sleep(sim, h, (enum bl_host_state)later);
}

enum bl_verdict bl__real_takes_vms(const struct bl_sim *sim, uint32_t h)
{
    switch ((enum bl_host_state)sim->col.host_state[h]) {
    case BL_HOST_ON:
        return BL_VERDICT_OK;
    case BL_HOST_LEAVING:
        return BL_VERDICT_LATER;
    case BL_HOST_ENTERING:
        return bl__real(sim)->host[h].wake_later ? BL_VERDICT_LATER
                                                 : BL_VERDICT_HOST_STATE;
    case BL_HOST_STANDBY:
    case BL_HOST_OFF:
        break;
    }
    return BL_VERDICT_HOST_STATE;
}
