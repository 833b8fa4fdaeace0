/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_plan - from the knobs of a spec to the numbers that the generator
 * draws with.
 *
 * Idea       autocorr: a step takes the VM's anchor with chance h, and an
 *            anchor is renewed with chance n, so two steps in a row agree with
 *            chance r = h^2 (1 - n) and are independent otherwise: r is the
 *            autocorrelation, whatever the distribution. The choice of n is
 *            free: small for little autocorrelation, which in the data is the
 *            work of slow changes, and near 1 - r for much of it, so that a
 *            day is long enough to see r. n = min(1 - r, step / LIFE_NS +
 *            r^2 (1 - r)).
 *            mean: every level is scaled by one factor, found by bisection on
 *            the population's exact mean (limits at 100 %, rounding to whole
 *            percents, bursts and the day's swing included).
 * Cost       some milliseconds, once for each trace.
 */
#include "trace/generate_priv.h"

#include "base/units.h"

#define LIFE_NS (9000 * BL_NS_PER_S)      /* of an anchor; fitted */
#define MEM_LIFE_NS (14400 * BL_NS_PER_S) /* fitted */
#define MEM_AUTOCORR_PPM 800000u          /* fitted */
#define DAY_NS (86400 * BL_NS_PER_S)
#define PEAK_NS (DAY_NS / 2)
#define SCALE_BITS 16
#define SCALE_MAX (UINT32_C(100) << SCALE_BITS)
#define POINTS INT64_C(8) /* instants of a step */
#define PHASES 4u         /* of half a day: its swing may meet the 100 % */

#define AUTOCORR_PPM_MAX 990000u
#define BURST_PPM_MAX 65000u /* times the highest rate is still below 1 */
#define MEAN_PPM_MIN 10000u
#define MEAN_PPM_MAX 600000u
#define DIURNAL_PPM_MAX 1000000u

void bl_trace_spec_default(struct bl_trace_spec *spec)
{
    *spec = (struct bl_trace_spec){
        .vm_count = 1052,
        .step_count = 288,
        .step_ns = 300 * BL_NS_PER_S,
        .seed = 1,
        .mean_ppm = 123100,
        .diurnal_ppm = 60000,
        .autocorr_ppm = 97000,
        .burst_ppm = 14800,
    };
}

#define QUARTER 32u

/* cos(k * 90 / QUARTER degrees), 1/32768. */
static const uint16_t quarter_wave[QUARTER + 1] = {
    32768, 32729, 32610, 32413, 32138, 31786, 31357, 30853, 30274, 29622, 28899,
    28106, 27246, 26320, 25330, 24279, 23170, 22006, 20788, 19520, 18205, 16846,
    15447, 14010, 12540, 11039, 9512,  7962,  6393,  4808,  3212,  1608,  0,
};

/* cos of @turn, 1/65536 of a full turn, in 1/32768. */
static int32_t wave(uint32_t turn)
{
    const uint32_t half =
        (turn & 0x8000u) != 0 ? 0x8000u - (turn & 0x7fffu) : turn & 0x7fffu;
    const uint32_t back = half > 0x4000u ? 0x8000u - half : half;
    const uint32_t at = back * QUARTER, k = at >> 14, frac = at & 0x3fffu;
    const int32_t lo = quarter_wave[k];
    const int32_t hi = quarter_wave[k < QUARTER ? k + 1 : k];
    const int32_t v = lo + (hi - lo) * (int32_t)frac / 0x4000;

    return half > 0x4000u ? -v : v;
}

/* A sample is the mean of its step: the wave is taken at POINTS instants of it,
 * so that a step of half a day does not swing as if it were an instant. */
uint32_t bl__gen_day(uint32_t diurnal_ppm, int64_t t_ns, int64_t step_ns)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < POINTS; i++) {
        const int64_t at_ns =
            t_ns % DAY_NS + step_ns * (2 * i + 1) / (2 * POINTS);
        const int64_t since_ns = (at_ns + DAY_NS - PEAK_NS) % DAY_NS;

        sum += wave((uint32_t)(since_ns / (DAY_NS / 65536)) % 65536u);
    }
    return (uint32_t)(32768 + sum * diurnal_ppm / (POINTS * BL_PPM));
}

static uint64_t isqrt(uint64_t v)
{
    uint64_t root = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= v)
            root += bit;
    return root;
}

/* The chance per step that an anchor of mean life @life_ns ends, in 1/2^18. */
static uint64_t renew_of(int64_t step_ns, int64_t life_ns)
{
    return (uint64_t)step_ns * BL__GEN_RENEW_ONE / (uint64_t)life_ns;
}

/* Chances of taking and of renewing the anchor for one autocorrelation; the
 * anchor is renewed with chance @renew, or 1 - autocorr when that is less. */
static void plan_hold(uint32_t autocorr_ppm, uint64_t renew, uint32_t *hold_out,
                      uint32_t *renew_out)
{
    const uint64_t most =
        BL__GEN_RENEW_ONE - autocorr_ppm * BL__GEN_RENEW_ONE / 1000000;
    uint64_t n = renew < most ? renew : most;

    n = n > 0 ? n : 1;

    /* hold^2, in 1/2^28, is autocorr / (1 - n). */
    const uint64_t keep = n < BL__GEN_RENEW_ONE ? BL__GEN_RENEW_ONE - n : 1;
    const uint64_t square =
        (((uint64_t)autocorr_ppm << 28) / 1000000) * BL__GEN_RENEW_ONE / keep;
    const uint64_t h = isqrt(square);

    *hold_out = (uint32_t)(h < BL__GEN_HOLD_ONE ? h : BL__GEN_HOLD_ONE);
    *renew_out = (uint32_t)n;
}

static void plan_anchors(const struct bl_trace_spec *spec,
                         struct bl__gen_plan *plan)
{
    const uint64_t r = spec->autocorr_ppm, one = 1000000;
    const uint64_t quick =
        r * r / one * (one - r) / one * BL__GEN_RENEW_ONE / one;

    plan_hold(spec->autocorr_ppm, renew_of(spec->step_ns, LIFE_NS) + quick,
              &plan->hold, &plan->renew);
    plan_hold(MEM_AUTOCORR_PPM, renew_of(spec->step_ns, MEM_LIFE_NS),
              &plan->mem_hold, &plan->mem_renew);
}

/* Mean load outside bursts of one kind at one level, in 1/65536 of a percent.
 */
static uint64_t kind_mean(const uint16_t *shape, uint64_t level,
                          const uint32_t *day)
{
    const uint64_t full = UINT64_C(100) << 16;
    uint64_t sum = 0;

    for (uint32_t r = 0; r < BL__GEN_RANKS; r++)
        for (uint32_t p = 0; p < PHASES; p++) {
            const uint64_t x = level * shape[r] * day[p] >> 27;

            sum += ((x < full ? x : full) + 0x8000) >> 16 << 16;
        }
    return sum / BL__GEN_RANKS / PHASES;
}

/* Mean of the population in ppm at @scale. */
static uint32_t mean_at(const struct bl__gen_plan *plan, const uint32_t *day,
                        uint32_t scale)
{
    const struct bl__gen_tables *t = &bl__gen_tables;
    uint64_t height = 0, total = 0;

    for (uint32_t r = 0; r < BL__GEN_RANKS; r++)
        height += t->height[r];
    height /= BL__GEN_RANKS;
    for (uint32_t s = 0; s < BL__GEN_SEGMENTS; s++) {
        const uint32_t band = bl__gen_band(s);
        /* Two levels of 1/512 %, their mean in 1/65536 %. */
        const uint64_t level =
            (uint64_t)(t->level[s] + t->level[s + 1]) * scale >> 10;

        for (uint32_t k = 0; k < BL__GEN_KINDS; k++) {
            const uint32_t class = band * BL__GEN_KINDS + k;
            const uint64_t calm = kind_mean(t->shape[class], level, day);
            uint64_t burst = 0;

            for (uint32_t r = 0; r < BL__GEN_RATES; r++)
                burst += plan->burst[class * BL__GEN_RATES + r];
            burst = burst / BL__GEN_RATES * height >> 16; /* 1/2^20 */
            total += calm + ((((UINT64_C(100) << 16) - calm) * burst) >> 20);
        }
    }
    total = total / BL__GEN_SEGMENTS / BL__GEN_KINDS;
    return (uint32_t)((total * 10000) >> 16);
}

/* The range is printed in 1/10000, rounded to the inside. */
static bl_err refuse_mean(const struct bl_trace_spec *spec, uint32_t least,
                          uint32_t most, struct bl_diag *diag)
{
    const uint32_t lo = least / 100 + 1;
    const uint32_t hi = (most < MEAN_PPM_MAX ? most : MEAN_PPM_MAX) / 100;

    return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                       "trace: mean %.7g is out of reach with burst %.7g and "
                       "diurnal %.7g, expected %.4f .. %.4f",
                       spec->mean_ppm / 1e6, spec->burst_ppm / 1e6,
                       spec->diurnal_ppm / 1e6, lo / 1e4, hi / 1e4);
}

static bl_err plan_scale(const struct bl_trace_spec *spec,
                         struct bl__gen_plan *plan, struct bl_diag *diag)
{
    uint32_t day[PHASES], lo = 0, hi = SCALE_MAX;

    for (uint32_t p = 0; p < PHASES; p++) {
        const int64_t middle_ns = (2 * p + 1) * (DAY_NS / 4 / PHASES);

        day[p] =
            bl__gen_day(spec->diurnal_ppm,
                        DAY_NS + middle_ns - spec->step_ns / 2, spec->step_ns);
    }

    const uint32_t least = mean_at(plan, day, 0);
    const uint32_t most = mean_at(plan, day, SCALE_MAX);

    if (spec->mean_ppm <= least || spec->mean_ppm > most)
        return refuse_mean(spec, least, most, diag);
    while (hi - lo > 1) {
        const uint32_t mid = lo + (hi - lo) / 2;

        if (mean_at(plan, day, mid) < spec->mean_ppm)
            lo = mid;
        else
            hi = mid;
    }
    plan->scale = hi;
    return BL_ERR_OK;
}

/* A knob that is a whole number, or a ratio in ppm. */
static bl_err check_count(const char *name, uint64_t value, uint64_t min,
                          uint64_t max, struct bl_diag *diag)
{
    if (value >= min && value <= max)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                       "trace: %s %llu is out of range, expected %llu .. %llu",
                       name, (unsigned long long)value, (unsigned long long)min,
                       (unsigned long long)max);
}

static bl_err check_ratio(const char *name, uint32_t value_ppm,
                          uint32_t min_ppm, uint32_t max_ppm,
                          struct bl_diag *diag)
{
    if (value_ppm >= min_ppm && value_ppm <= max_ppm)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                       "trace: %s %.7g is out of range, expected %.7g .. %.7g",
                       name, value_ppm / 1e6, min_ppm / 1e6, max_ppm / 1e6);
}

static bl_err check_spec(const struct bl_trace_spec *s, struct bl_diag *d)
{
    BL_TRY(check_count("vms", s->vm_count, 1, BL_TRACE_VMS_MAX, d));
    BL_TRY(check_count("steps", s->step_count, 1, BL_TRACE_STEPS_MAX, d));
    if (s->step_ns < BL_NS_PER_S || s->step_ns > DAY_NS)
        return bl_diag_set(d, BL_ERR_INVAL, NULL, 0,
                           "trace: a step of %.10g s is out of range, expected "
                           "1s .. 1d",
                           (double)s->step_ns / 1e9);
    if (s->step_ns > INT64_MAX / (s->step_count + BL__GEN_BATCH))
        return bl_diag_set(d, BL_ERR_INVAL, NULL, 0,
                           "trace: %u steps of %.10g s last too long, expected "
                           "less than 292 years",
                           s->step_count, (double)s->step_ns / 1e9);
    BL_TRY(check_ratio("mean", s->mean_ppm, MEAN_PPM_MIN, MEAN_PPM_MAX, d));
    BL_TRY(check_ratio("diurnal", s->diurnal_ppm, 0, DIURNAL_PPM_MAX, d));
    BL_TRY(check_ratio("autocorr", s->autocorr_ppm, 0, AUTOCORR_PPM_MAX, d));
    return check_ratio("burst", s->burst_ppm, 0, BURST_PPM_MAX, d);
}

bl_err bl__gen_plan(const struct bl_trace_spec *spec, struct bl__gen_plan *out,
                    struct bl_diag *diag)
{
    struct bl__gen_plan plan = { 0 };

    BL_TRY(check_spec(spec, diag));
    plan_anchors(spec, &plan);
    for (uint32_t c = 0; c < BL__GEN_CELLS; c++) {
        const uint64_t rate = bl__gen_tables.rate[c];

        plan.burst[c] = (uint32_t)(spec->burst_ppm * rate * BL__GEN_BURST_ONE /
                                   (UINT64_C(1000000) * BL__GEN_RATE_ONE));
        BL_ASSERT(plan.burst[c] <= BL__GEN_BURST_ONE);
    }
    BL_TRY(plan_scale(spec, &plan, diag));
    *out = plan;
    return BL_ERR_OK;
}
