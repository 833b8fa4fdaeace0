/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_caps - power caps: the budgets of hosts, and what a rack draws in all.
 *
 * Source     power/cap_load.h; doc/models/host.md.
 * Idea       every host of a rack has a budget, and they never add up to more
 *            than the rack's. While a host is on, bl_cap_load_khz() says what
 *            it may do within its budget at each P-state (real_speed.c);
 *            asleep, or on the way, it draws what it draws, so a budget below
 *            that is refused, and nobody begins a transition that his budget
 *            does not cover.
 * Bound      at every settled instant no host draws more than its budget and
 *            no rack more than its cap (bl__real_caps_check).
 * Deviation  energy that a transition of no time takes, and what is left over
 *            when a transition's energy is no whole number of mW, come at one
 *            instant and are in no budget.
 * Cost       O(caps) for a change of one host, O(caps * hosts) a trace step.
 */
#include "power/cap_divide.h"
#include "sim/real_priv.h"

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The rack of @h under cap @c; NULL: it is not under it. */
static struct bl_real_rack *rack_of(const struct bl_real_speeds *x, uint32_t c,
                                    uint32_t h)
{
    const uint32_t i = x->rack_of[c * x->host_count + h];

    return i != BL_NONE ? &x->rack[i] : NULL;
}

static bool capped(const struct bl_real_speeds *x, uint32_t h)
{
    for (uint32_t c = 0; c < x->cap_count; c++)
        if (rack_of(x, c, h) != NULL)
            return true;
    return false;
}

static uint64_t mw_of(const struct bl_sim *sim, const struct bl_real_rack *r)
{
    return sim->opts.dc->cap[r->cap].mw;
}

/* ---- what a host must be given
 * --------------------------------------------------- */

static uint64_t idle_mw(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_freq *f =
        &bl__real(sim)->speeds->freq[sim->col.host_group[h]];

    return f->pstate[f->pstate_count - 1].mw[0];
}

static uint64_t falling_asleep_mw(const struct bl_sleep_state *s)
{
    return max_u64(bl_transition_mw(&s->enter), s->power_mw);
}

static uint64_t waking_mw(const struct bl_sim *sim, uint32_t h,
                          const struct bl_sleep_state *s)
{
    return max_u64(bl_transition_mw(&s->leave), idle_mw(sim, h));
}

static const struct bl_sleep_state *sleep_state(const struct bl_sim *sim,
                                                uint32_t h, uint8_t state)
{
    const struct bl_host_group *g = bl__real_group(sim, h);

    return state == BL_HOST_OFF ? &g->off : &g->standby;
}

static uint64_t min_mw(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_host *host = &bl__real(sim)->host[h];
    const struct bl_sleep_state *s = sleep_state(sim, h, host->sleep);

    switch ((enum bl_host_state)sim->col.host_state[h]) {
    case BL_HOST_STANDBY:
    case BL_HOST_OFF:
        return s->power_mw;
    case BL_HOST_ENTERING:
        return host->wake_later
                   ? max_u64(falling_asleep_mw(s), waking_mw(sim, h, s))
                   : falling_asleep_mw(s);
    case BL_HOST_LEAVING:
        return waking_mw(sim, h, s);
    case BL_HOST_ON:
        break;
    }
    if (host->sleep_later == BL_HOST_ON)
        return idle_mw(sim, h);
    return max_u64(idle_mw(sim, h),
                   falling_asleep_mw(sleep_state(sim, h, host->sleep_later)));
}

void bl__real_set_min(struct bl_sim *sim, uint32_t h)
{
    struct bl_real_speeds *x = bl__real(sim)->speeds;
    struct bl_columns *c = &sim->col;

    if (x == NULL || x->rack_count == 0)
        return;

    const uint64_t mw = min_mw(sim, h);

    for (uint32_t i = 0; i < x->cap_count; i++) {
        struct bl_real_rack *r = rack_of(x, i, h);

        if (r != NULL)
            r->min_mw += mw - c->host_power_min_mw[h];
    }
    c->host_power_min_mw[h] = mw;
}

bool bl__real_backs_sleep(const struct bl_sim *sim, uint32_t h,
                          enum bl_host_state state)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;

    return x == NULL || x->rack_count == 0 ||
           sim->col.host_power_cap_mw[h] >=
               falling_asleep_mw(sleep_state(sim, h, (uint8_t)state));
}

bool bl__real_backs_wake(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    const uint8_t sleep = bl__real(sim)->host[h].sleep;

    return x == NULL || x->rack_count == 0 ||
           sim->col.host_power_cap_mw[h] >=
               waking_mw(sim, h, sleep_state(sim, h, sleep));
}

/* ---- budgets
 * -------------------------------------------------------------------- */

static void give(struct bl_sim *sim, uint32_t h, uint64_t mw)
{
    struct bl_real_speeds *x = bl__real(sim)->speeds;
    uint64_t *has = &sim->col.host_power_cap_mw[h];

    for (uint32_t c = 0; c < x->cap_count; c++) {
        struct bl_real_rack *r = rack_of(x, c, h);

        if (r != NULL)
            r->given_mw += mw - (*has == BL_NO_CAP ? 0 : *has);
    }
    *has = mw;
    bl__real_set_ceiling(sim, h, mw);
    bl__real_show_capacity(sim, h);
}

enum bl_verdict bl__real_set_budget(struct bl_sim *sim, uint32_t h, uint64_t mw)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    const struct bl_columns *c = &sim->col;

    if (x == NULL || !capped(x, h))
        return BL_VERDICT_NO_SUCH_ACTION;
    if (mw < c->host_power_min_mw[h])
        return BL_VERDICT_NO_POWER;
    for (uint32_t i = 0; i < x->cap_count; i++) {
        const struct bl_real_rack *r = rack_of(x, i, h);

        if (r != NULL &&
            mw > mw_of(sim, r) - (r->given_mw - c->host_power_cap_mw[h]))
            return BL_VERDICT_NO_POWER;
    }
    if (mw == c->host_power_cap_mw[h])
        return BL_VERDICT_OK;
    bl__real_touch(sim, h);
    give(sim, h, mw);
    return BL_VERDICT_OK;
}

/* ---- creation: until somebody decides, by capacity
 * ------------------------------ */

/* Room for dividing a rack, needed only once. */
struct division {
    struct bl_cap_member *member;
    uint32_t *host, *scratch;
    struct bl_claim *claim;
    uint64_t *out, *first; /* first: [host] the least of all its racks so far */
};

/* The @n hosts that have been listed are one rack of @cap. */
static bl_err divide_rack(const struct bl_sim *sim,
                          const struct bl_power_cap *cap,
                          const struct division *d, uint32_t n,
                          struct bl_diag *diag)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    uint64_t idle = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t h = d->host[i];

        d->member[i] = (struct bl_cap_member){
            .freq = &x->freq[sim->col.host_group[h]],
            .core_count = bl__real_group(sim, h)->core_count,
            .shares = sim->col.host_capacity_khz[h],
        };
        idle += idle_mw(sim, h);
    }
    if (idle > cap->mw)
        return bl_diag_set(
            diag, BL_ERR_INVAL, NULL, cap->line,
            "power cap '%s' of %.1f W, expected at least %.1f W: what its %u "
            "hosts draw idle",
            cap->name, (double)cap->mw / 1000, (double)idle / 1000, n);
    (void)bl_cap_divide(cap->mw, d->member, n, d->out, d->claim, d->scratch);
    for (uint32_t i = 0; i < n; i++)
        if (d->out[i] < d->first[d->host[i]])
            d->first[d->host[i]] = d->out[i];
    return BL_ERR_OK;
}

/* Racks are runs of hosts. */
static bl_err divide_cap(const struct bl_sim *sim, uint32_t c,
                         const struct division *d, struct bl_diag *diag)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    const struct bl_power_cap *cap = &sim->opts.dc->cap[c];
    const struct bl_real_rack *now = NULL;
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->host_count; h++) {
        const struct bl_real_rack *r = rack_of(x, c, h);

        if (r == NULL)
            continue;
        if (r != now) {
            BL_TRY(divide_rack(sim, cap, d, n, diag));
            n = 0;
        }
        now = r;
        d->host[n++] = h;
    }
    return divide_rack(sim, cap, d, n, diag);
}

static bl_err give_all(struct bl_sim *sim, const struct division *d,
                       struct bl_diag *diag)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;

    for (uint32_t h = 0; h < x->host_count; h++)
        d->first[h] = sim->col.host_power_cap_mw[h] = BL_NO_CAP;
    for (uint32_t c = 0; c < x->cap_count; c++)
        BL_TRY(divide_cap(sim, c, d, diag));
    for (uint32_t h = 0; h < x->host_count; h++)
        if (d->first[h] != BL_NO_CAP) {
            give(sim, h, d->first[h]);
            bl__real_set_min(sim, h);
        }
    return BL_ERR_OK;
}

/* Which hosts are a rack; the racks of one cap after those of another. */
static void number_racks(struct bl_sim *sim, struct bl_real_speeds *x)
{
    for (uint32_t c = 0; c < x->cap_count; c++) {
        uint32_t *rack = x->rack_of + (size_t)c * x->host_count;
        const uint32_t n =
            bl_dc_cap_racks(sim->opts.dc, c, sim->col.host_group, rack);

        for (uint32_t h = 0; h < x->host_count; h++)
            if (rack[h] != BL_NONE)
                rack[h] += x->rack_count;
        x->rack_count += n;
    }
}

static void describe_racks(const struct bl_real_speeds *x)
{
    for (uint32_t c = 0; c < x->cap_count; c++)
        for (uint32_t h = 0; h < x->host_count; h++) {
            struct bl_real_rack *r = rack_of(x, c, h);

            if (r == NULL)
                continue;
            r->cap = c;
            r->hosts++;
        }
}

static bool take_racks(struct bl_sim *sim, struct bl_arena *a,
                       struct bl_real_speeds *x)
{
    bool ok = true;

    TAKE(a, x->rack_of, (size_t)x->cap_count * x->host_count, ok);
    if (!ok)
        return false;
    number_racks(sim, x);
    TAKE(a, x->rack, x->rack_count, ok);
    TAKE(a, x->changed, x->rack_count, ok);
    TAKE(a, x->is_changed, x->rack_count, ok);
    if (ok)
        describe_racks(x);
    return ok;
}

bl_err bl__real_caps_create(struct bl_sim *sim, struct bl_arena *a,
                            struct bl_diag *diag)
{
    struct bl_real_speeds *x = bl__real(sim)->speeds;
    const uint32_t hosts = sim->col.host_count;
    struct division d;
    bool ok;

    if (sim->opts.dc->cap_count == 0)
        return BL_ERR_OK;
    x->host_count = hosts;
    x->cap_count = sim->opts.dc->cap_count;
    ok = take_racks(sim, a, x);
    TAKE(a, sim->col.host_power_cap_mw, hosts, ok);
    TAKE(a, sim->col.host_power_min_mw, hosts, ok);
    TAKE(a, d.member, hosts, ok);
    TAKE(a, d.host, hosts, ok);
    TAKE(a, d.scratch, hosts, ok);
    TAKE(a, d.claim, hosts, ok);
    TAKE(a, d.out, hosts, ok);
    TAKE(a, d.first, hosts, ok);
    if (!ok)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    bl__columns_view(&sim->col, &sim->snap);
    sim->snap.can |= BL_CAN_CAP_POWER;
    return give_all(sim, &d, diag);
}

/* ---- what racks draw
 * -------------------------------------------------------------- */

static void note_change(struct bl_real_speeds *x, uint32_t rack)
{
    if (x->is_changed[rack] || x->all_changed)
        return;
    x->is_changed[rack] = 1;
    x->changed[x->changed_count++] = rack;
}

static void note_worst(struct bl_real_rack *r)
{
    if (r->draw_mw > r->worst_mw)
        r->worst_mw = r->draw_mw;
}

void bl__real_cap_draw(struct bl_real *r, uint32_t h, bool add)
{
    struct bl_real_speeds *x = r->speeds;
    const uint64_t mw = r->host[h].power_mw;

    for (uint32_t c = 0; c < x->cap_count; c++) {
        struct bl_real_rack *rack = rack_of(x, c, h);

        if (rack == NULL)
            continue;
        rack->draw_mw += add ? mw : -mw;
        note_change(x, (uint32_t)(rack - x->rack));
    }
}

void bl__real_caps_draw_all(struct bl_sim *sim)
{
    struct bl_real_speeds *x = bl__real(sim)->speeds;

    if (x->rack_count == 0)
        return;
    x->all_changed = true;
    for (uint32_t i = 0; i < x->rack_count; i++)
        x->rack[i].draw_mw = 0;
    for (uint32_t h = 0; h < x->host_count; h++)
        bl__real_cap_draw(bl__real(sim), h, true);
}

void bl__real_caps_pass_time(struct bl_real *r)
{
    struct bl_real_speeds *x = r->speeds;

    for (uint32_t i = 0; i < x->rack_count && x->all_changed; i++)
        note_worst(&x->rack[i]);
    for (uint32_t i = 0; i < x->changed_count; i++) {
        note_worst(&x->rack[x->changed[i]]);
        x->is_changed[x->changed[i]] = 0;
    }
    x->changed_count = 0;
    x->all_changed = false;
}

/* ---- check
 * ------------------------------------------------------------------------ */

static void check_rack(const struct bl_sim *sim, const struct bl_real_rack *k,
                       const struct bl_real_rack *sum)
{
    BL_ASSERT(sum->hosts == k->hosts);
    BL_ASSERT(sum->given_mw == k->given_mw);
    BL_ASSERT(sum->min_mw == k->min_mw);
    BL_ASSERT(sum->draw_mw == k->draw_mw);
    BL_ASSERT(k->given_mw <= mw_of(sim, k));
    BL_ASSERT(k->draw_mw <= mw_of(sim, k));
    BL_ASSERT(k->worst_mw <= mw_of(sim, k));
}

/* Racks are runs of hosts, so one walk adds up one after the other. */
static void check_cap(const struct bl_sim *sim, uint32_t cap)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_rack *now = NULL;
    struct bl_real_rack sum = { .cap = cap };

    for (uint32_t h = 0; h < r->speeds->host_count; h++) {
        const struct bl_real_rack *k = rack_of(r->speeds, cap, h);

        if (k == NULL)
            continue;
        if (k != now && now != NULL) {
            check_rack(sim, now, &sum);
            sum = (struct bl_real_rack){ .cap = cap };
        }
        now = k;
        sum.hosts++;
        sum.given_mw += sim->col.host_power_cap_mw[h];
        sum.min_mw += sim->col.host_power_min_mw[h];
        sum.draw_mw += r->host[h].dirty ? 0 : r->host[h].power_mw;
    }
    if (now != NULL)
        check_rack(sim, now, &sum);
}

void bl__real_caps_check(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;

    for (uint32_t h = 0; h < r->speeds->host_count; h++) {
        if (!capped(r->speeds, h))
            continue;
        BL_ASSERT(c->host_power_min_mw[h] == min_mw(sim, h));
        BL_ASSERT(c->host_power_min_mw[h] <= c->host_power_cap_mw[h]);
        if (!r->host[h].dirty)
            BL_ASSERT(r->host[h].power_mw <= c->host_power_cap_mw[h]);
    }
    for (uint32_t i = 0; i < r->speeds->cap_count; i++)
        check_cap(sim, i);
}
