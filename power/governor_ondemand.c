/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ondemand - to the top when busy, else in proportion.
 *
 * Source     Pallipadi and Starikovskiy, "The ondemand governor: past, present,
 *            and future", Ottawa Linux Symposium 2006; the arithmetic of
 *            today's kernel, as its cpufreq documentation has it [both
 *            recalled].
 * Idea       load is the time that the busiest core was not idle. Above
 *            up_threshold: the fastest speed there is. Else the speed is
 *            min + load * (max - min), the P-state nearest to that. Work at the
 *            top is not looked at for sampling_down_factor samples.
 * Bound      exactly that formula (test_governor).
 * Deviation  load is the part of time that was busy at whatever speed, as in
 *            the kernel, so a slow P-state makes it look larger. "Nearest" is
 *            [recalled]: the kernel's documentation leaves it open, and the
 *            paper instead takes the slowest speed that keeps load below the
 *            threshold. While the top is held, the kernel measures load over
 *            the whole longer period; here the last window counts.
 * Cost       O(P-states).
 */
#include "power/governor.h"

#include "base/u128.h"

enum { UP_THRESHOLD, DOWN_FACTOR, PARAMS };

static const struct bl_param params[PARAMS] = {
    [UP_THRESHOLD] = { .name = "up_threshold",
                       .dim = BL_DIM_RATIO,
                       .min = 10000,
                       .max = 1000000,
                       .def = 950000, /* the kernel's where it sees idle time
                                         to the microsecond [recalled] */
                       .meaning = "load above which it goes to the top" },
    [DOWN_FACTOR] = { .name = "sampling_down_factor",
                      .dim = BL_DIM_COUNT,
                      .min = 1,
                      .max = 100000,
                      .def = 1,
                      .meaning = "samples from the top to the next look" },
};

struct ondemand {
    uint32_t skip; /* samples that are still not looked at */
};

_Static_assert(sizeof(struct ondemand) <= BL_GOVERNOR_STATE_BYTES,
               "state too large");

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* The allowed P-state nearest to @khz; the slower one of two as near. */
static uint32_t nearest(const struct bl_domain_view *v, uint64_t khz)
{
    uint32_t best = v->slowest;

    for (uint32_t i = v->slowest; i-- > v->fastest;)
        if (distance(v->freq->pstate[i].khz, khz) <
            distance(v->freq->pstate[best].khz, khz))
            best = i;
    return best;
}

static uint32_t ondemand_pick(void *state, const struct bl_params *p,
                              const struct bl_domain_view *v)
{
    struct ondemand *s = state;
    const struct bl_pstate *f = v->freq->pstate;
    const uint64_t min = f[v->freq->pstate_count - 1].khz;

    if (v->pstate != v->fastest)
        s->skip = 0;
    if (s->skip > 0) {
        s->skip--;
        return v->pstate;
    }
    if (v->busy_core_ppm > p->value[UP_THRESHOLD]) {
        s->skip = (uint32_t)p->value[DOWN_FACTOR] - 1;
        return v->fastest;
    }
    return nearest(v,
                   min + bl_muldiv(f[0].khz - min, v->busy_core_ppm, 1000000));
}

extern const struct bl_governor bl__governor_ondemand;
const struct bl_governor bl__governor_ondemand = {
    .name = "ondemand",
    .summary = "the top when busy, else in proportion to busy time",
    .source = "Pallipadi and Starikovskiy, OLS 2006; Linux cpufreq",
    .params = params,
    .param_count = PARAMS,
    .pick = ondemand_pick,
};
