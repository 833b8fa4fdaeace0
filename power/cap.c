/* SPDX-License-Identifier: Apache-2.0 */
#include "power/cap.h"

#include "base/u128.h"

#define FULL BL_POWER_POINTS /* points of a curve */
#define SEGMENT_PPM 100000u
#define PPM 1000000u
#define BUDGET_MAX (UINT64_C(1) << 56) /* more than any host can draw */

/* Ten times what the host may draw at 0, 10 .. 100 % of the time of its cores.
 * Whoever has worked may be in the shallowest idle state for the rest of the
 * time, so only a host that never works draws the 0 % of the table. */
struct worst {
    uint64_t idle;
    uint64_t at[FULL];
};

static struct worst worst_of(const struct bl_freq *f, uint32_t core_count,
                             uint32_t pstate)
{
    const uint64_t extra =
        f->idle_count > 0 ? (uint64_t)f->idle[0].extra_mw * core_count : 0;
    const struct bl_pstate *p = &f->pstate[pstate];
    struct worst w = { .idle = UINT64_C(10) * p->mw[0] };

    for (uint32_t k = 0; k < FULL; k++)
        w.at[k] = UINT64_C(10) * p->mw[k] + extra * (FULL - 1 - k);
    return w;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t peak(const struct worst *w)
{
    uint64_t most = w->idle;

    for (uint32_t k = 0; k < FULL; k++)
        most = max_u64(most, w->at[k]);
    return most;
}

/* Of @pstate and all slower ones: those stay allowed with it. */
static uint64_t peak_from(const struct bl_freq *f, uint32_t core_count,
                          uint32_t pstate)
{
    uint64_t most = 0;

    for (uint32_t i = pstate; i < f->pstate_count; i++) {
        const struct worst w = worst_of(f, core_count, i);

        most = max_u64(most, peak(&w));
    }
    return most;
}

/* Ten times the mW, times SEGMENT_PPM, that no load of 0 .. @ppm is above. */
static bl_u128 peak_until(const struct worst *w, uint32_t ppm)
{
    const uint32_t k = ppm / SEGMENT_PPM, part = ppm % SEGMENT_PPM;
    uint64_t most = w->idle;
    bl_u128 last;

    if (ppm == 0)
        return (bl_u128)w->idle * SEGMENT_PPM;
    for (uint32_t i = 0; i <= k; i++)
        most = max_u64(most, w->at[i]);
    last = (bl_u128)w->at[k] * (SEGMENT_PPM - part);
    if (part > 0)
        last += (bl_u128)w->at[k + 1] * part;
    return last > (bl_u128)most * SEGMENT_PPM ? last
                                              : (bl_u128)most * SEGMENT_PPM;
}

/* The largest load up to which all is within @budget (ten times mW), which is
 * at least idle and not all. */
static uint32_t bandwidth(const struct worst *w, uint64_t budget)
{
    uint32_t k = 0;

    if (w->at[0] > budget)
        return 0;
    while (w->at[k + 1] <= budget)
        k++;
    return k * SEGMENT_PPM + (uint32_t)bl_muldiv(budget - w->at[k], SEGMENT_PPM,
                                                 w->at[k + 1] - w->at[k]);
}

static uint64_t up_mw(bl_u128 ten_times, uint64_t parts)
{
    const bl_u128 unit = (bl_u128)10 * parts;

    return (uint64_t)((ten_times + unit - 1) / unit);
}

struct bl_cap_ceiling bl_cap_ceiling(const struct bl_freq *freq,
                                     uint32_t core_count, uint64_t budget_mw)
{
    BL_ASSERT(freq->pstate_count >= 1);

    const uint32_t last = freq->pstate_count - 1;
    const struct worst slow = worst_of(freq, core_count, last);
    const uint64_t most =
        10 * (budget_mw < BUDGET_MAX ? budget_mw : BUDGET_MAX);
    const uint64_t budget = max_u64(most, slow.idle);
    struct bl_cap_ceiling c = { .feasible = budget == most,
                                .fastest = last,
                                .bandwidth_ppm = PPM };
    uint64_t top = 0; /* of this one and the slower ones */

    for (uint32_t i = freq->pstate_count; i-- > 0;) {
        const struct worst w = worst_of(freq, core_count, i);

        top = max_u64(top, peak(&w));
        if (top > budget)
            break;
        c.fastest = i;
        c.full_mw = up_mw(top, 1);
    }
    if (peak(&slow) > budget) {
        c.bandwidth_ppm = bandwidth(&slow, budget);
        c.full_mw = up_mw(peak_until(&slow, c.bandwidth_ppm), SEGMENT_PPM);
    }
    c.khz = bl_muldiv(freq->pstate[c.fastest].khz * core_count, c.bandwidth_ppm,
                      PPM);
    return c;
}

uint64_t bl_cap_budget_for(const struct bl_freq *freq, uint32_t core_count,
                           uint64_t khz)
{
    BL_ASSERT(freq->pstate_count >= 1);

    const uint32_t last = freq->pstate_count - 1;
    const uint64_t slowest = freq->pstate[last].khz * core_count;
    uint32_t i = last;

    if (khz <= slowest) {
        const struct worst w = worst_of(freq, core_count, last);
        const bl_u128 time = (bl_u128)khz * PPM + slowest - 1;

        return up_mw(peak_until(&w, (uint32_t)(time / slowest)), SEGMENT_PPM);
    }
    while (i > 0 && freq->pstate[i].khz * core_count < khz)
        i--;
    if (freq->pstate[i].khz * core_count < khz)
        return UINT64_MAX;
    return up_mw(peak_from(freq, core_count, i), 1);
}

/* The highest point at @k of all lines between two points of @mw, rounded up.
 */
static uint32_t highest(const uint32_t *mw, uint32_t k)
{
    uint64_t most = mw[k];

    for (uint32_t a = 0; a < k; a++)
        for (uint32_t b = k + 1; b < FULL; b++) {
            const uint64_t sum =
                (uint64_t)mw[a] * (b - k) + (uint64_t)mw[b] * (k - a);

            most = max_u64(most, (sum + b - a - 1) / (b - a));
        }
    return (uint32_t)most;
}

void bl_cap_uneven(struct bl_freq *out, const struct bl_freq *freq)
{
    *out = *freq;
    for (uint32_t i = 0; i < freq->pstate_count; i++)
        for (uint32_t k = 0; k < FULL; k++)
            out->pstate[i].mw[k] = highest(freq->pstate[i].mw, k);
}

uint64_t bl_cap_sure_khz(const struct bl_freq *freq, uint32_t core_count,
                         uint64_t budget_mw)
{
    struct bl_freq uneven;

    bl_cap_uneven(&uneven, freq);
    return bl_cap_ceiling(&uneven, core_count, budget_mw).khz;
}

uint64_t bl_cap_sure_budget(const struct bl_freq *freq, uint32_t core_count,
                            uint64_t khz)
{
    struct bl_freq uneven;

    bl_cap_uneven(&uneven, freq);
    return bl_cap_budget_for(&uneven, core_count, khz);
}
