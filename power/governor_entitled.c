/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entitled - the least power at which every promise can be kept.
 *
 * Source     ours. Utilisation tells what was done at the speed in force;
 *            entitlement (hv/entitle.h) tells what is owed. Race to idle
 *            against slow down: Le Sueur and Heiser, "Slow down or sleep, that
 *            is the question", USENIX ATC 2011 [recalled].
 * Idea       needed is `headroom` times what is entitled, in all and of one
 *            core; and what is reserved. Of the P-states that have it, the one
 *            at which the domain draws least for the work entitled (its own
 *            table, idle power included, so racing to idle wins wherever it is
 *            cheaper). A P-state that is too slow is left at once; one that
 *            merely is not the best any more after that has been so for `hold`,
 *            and then for one that was fast enough all that time.
 *
 *            Room for growth is for loads that grow. Where for `calm` neither
 *            what is entitled nor what one core needs has grown by more than
 *            `calm_headroom` from one sample to the next, that much is enough;
 *            the first that does brings back all of it, a window too late.
 *
 *            The promise. A reservation may be claimed at any ns, and the next
 *            sample is up to a window away. While no work waits nobody claims
 *            more than there is, and so long its speed is lent, as entitlement
 *            lends its time. When some waits at a sample, all that is reserved
 *            is covered for the next `claim`, also in a window W that begins
 *            with a change, in which the cores stand still for `switch`:
 *            capacity * (W - switch) >= reserved * W. And as the window before
 *            may have had less, it is made good in that time: capacity * (claim
 *            - W - switch) >= reserved * claim. With a claim of W + switch or
 *            less nothing is lent, ever.
 * Bound      least power of all P-states that have the need, none faster when
 *            two draw the same (test_governor asks each of them); reserved work
 *            is done at most W + 2 switch later than at full speed, and with
 *            claim=0 in time, whenever it comes; nothing is unserved that the
 *            fastest serves while entitled work grows by at most `headroom`
 *            from one sample to the next, and by at most `calm_headroom` if it
 *            has done so for `calm` (test_governor).
 * Deviation  the table's idle power is that of the deepest idle state, which
 *            favours racing where cores wake often: idle states are not
 *            weighed. Demand that grows by more than headroom within a window
 *            waits for the next sample, as with every governor. What one vCPU
 *            has reserved of its core is in core_khz_min, and is not lent.
 * Cost       O(P-states).
 */
#include "power/governor.h"

#include "base/u128.h"

enum { HEADROOM, HOLD, CALM, CALM_HEADROOM, CLAIM, PARAMS };

static const struct bl_param params[PARAMS] = {
    [HEADROOM] = { .name = "headroom",
                   .dim = BL_DIM_RATIO,
                   .min = 1000000,
                   .max = 4000000,
                   .def = 1200000,
                   .meaning = "speed for each unit of entitled work" },
    [HOLD] = { .name = "hold",
               .dim = BL_DIM_TIME,
               .min = 0,
               .max = 60000000000,
               .def = 20000000,
               .meaning = "how long less must do before it slows down" },
    [CALM] = { .name = "calm",
               .dim = BL_DIM_TIME,
               .min = 0,
               .max = 60000000000,
               .def = 1000000000,
               .meaning = "how long nothing may jump for less headroom" },
    [CALM_HEADROOM] = { .name = "calm_headroom",
                        .dim = BL_DIM_RATIO,
                        .min = 1000000,
                        .max = 4000000,
                        .def = 1050000,
                        .meaning = "headroom then, if it is less" },
    [CLAIM] = { .name = "claim",
                .dim = BL_DIM_TIME,
                .min = 0,
                .max = 60000000000,
                .def = 100000000,
                .meaning = "in which a reservation that wakes is made good" },
};

struct entitled {
    bool holding;
    uint32_t must;    /* the slowest that was fast enough all that time */
    int64_t since_ns; /* another P-state would have been better */
    /* the sample before, and since when nothing has jumped */
    int64_t calm_ns;
    uint64_t entitled_khz, core_khz;
    int64_t claimed_ns; /* when work waited last, if it ever did: claimed */
    bool claimed, lent; /* lent: reservations have not been covered always */
};

_Static_assert(sizeof(struct entitled) <= BL_GOVERNOR_STATE_BYTES,
               "state too large");

static uint64_t scaled(uint64_t khz, int64_t ppm)
{
    return bl_muldiv(khz, (uint64_t)ppm, 1000000);
}

/* What this sample needs room for, remembering it for the next one. */
static int64_t headroom_of(struct entitled *s, const struct bl_params *p,
                           const struct bl_domain_view *v)
{
    const int64_t full = p->value[HEADROOM], calm = p->value[CALM_HEADROOM];

    if (v->entitled_khz > scaled(s->entitled_khz, calm) ||
        v->core_khz_min > scaled(s->core_khz, calm))
        s->calm_ns = v->now_ns;
    s->entitled_khz = v->entitled_khz;
    s->core_khz = v->core_khz_min;
    return calm < full && v->now_ns - s->calm_ns >= p->value[CALM] ? calm
                                                                   : full;
}

/* So fast that what @khz do in @all_ns is done in @rest_ns of it. */
static uint64_t squeezed(uint64_t khz, int64_t all_ns, int64_t rest_ns)
{
    const uint64_t rest = (uint64_t)rest_ns;
    bl_u128 need;

    if (khz == 0)
        return 0;
    if (rest_ns <= 0)
        return UINT64_MAX;
    need = ((bl_u128)khz * (uint64_t)all_ns + rest - 1) / rest;
    return need > UINT64_MAX ? UINT64_MAX : (uint64_t)need;
}

/* So fast that @khz of work is done in a window that begins with a change. */
static uint64_t with_change(const struct bl_domain_view *v, uint64_t khz)
{
    return squeezed(khz, v->window_ns, v->window_ns - v->freq->switch_ns);
}

static bool waits(const struct bl_domain_view *v)
{
    return v->demand_khz > v->usage_khz;
}

/* So fast that reservations are kept, or 0: nobody claims them. */
static uint64_t reserved_need(struct entitled *s, const struct bl_params *p,
                              const struct bl_domain_view *v)
{
    const int64_t claim = p->value[CLAIM];
    const int64_t rest = claim - v->window_ns - v->freq->switch_ns;
    const uint64_t all = with_change(v, v->reserved_khz);
    uint64_t good;

    if (rest <= 0)
        return all;
    if (waits(v)) {
        s->claimed = true;
        s->claimed_ns = v->now_ns;
    }
    if (!s->claimed || v->now_ns - s->claimed_ns >= claim) {
        s->lent = true;
        return 0;
    }
    if (!s->lent)
        return all;
    good = squeezed(v->reserved_khz, claim, rest);
    return good > all ? good : all;
}

static uint32_t least_power(const struct bl_domain_view *v, uint32_t must)
{
    uint64_t least = bl_domain_mw(v, must, v->entitled_khz);
    uint32_t best = must;

    for (uint32_t i = must; i-- > v->fastest;) {
        const uint64_t mw = bl_domain_mw(v, i, v->entitled_khz);

        if (mw < least) {
            least = mw;
            best = i;
        }
    }
    return best;
}

static uint32_t entitled_pick(void *state, const struct bl_params *p,
                              const struct bl_domain_view *v)
{
    struct entitled *s = state;
    const int64_t headroom = headroom_of(s, p, v);
    const uint64_t work = scaled(v->entitled_khz, headroom);
    const uint64_t need = with_change(v, work);
    const uint64_t reserved = reserved_need(s, p, v);
    const uint32_t must = bl_pstate_for(v, need > reserved ? need : reserved,
                                        scaled(v->core_khz_min, headroom));
    const uint32_t best = least_power(v, must);

    if (v->pstate > must || v->pstate < v->fastest || best == v->pstate) {
        s->holding = false;
        return best;
    }
    /* the window that was measured is part of the time */
    if (!s->holding) {
        s->since_ns = v->now_ns - v->window_ns;
        s->must = must;
        s->holding = true;
    }
    s->must = must < s->must ? must : s->must;
    if (v->now_ns - s->since_ns < p->value[HOLD])
        return v->pstate;
    s->holding = false;
    return least_power(v, s->must < v->fastest ? v->fastest : s->must);
}

extern const struct bl_governor bl__governor_entitled;
const struct bl_governor bl__governor_entitled = {
    .name = "entitled",
    .summary = "least power that serves all entitlements and reservations",
    .source = "ballast",
    .params = params,
    .param_count = PARAMS,
    .pick = entitled_pick,
};
