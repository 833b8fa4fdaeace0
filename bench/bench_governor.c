/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_governor - what governors make of one domain of four cores under
 * loads of which nothing is known in advance, sampled every 10 ms:
 *
 *     drift     each core's load walks slowly between 0 and 95 %
 *     bursts    3 %, and now and then 90 % for up to 400 ms
 *     noise     10 %, and every third window something up to 95 %
 *
 * Work that does not fit in a window waits; it is entitled to be done at once.
 * mean_w is the power of the domain, late_us the mean time that a unit of work
 * waited because its core was slow. Fluid: what a dispatcher and vCPUs do to
 * it only `level: host` knows. Same figures on every machine.
 *
 *     bench_governor [--smoke]
 */
#include "bench/support.h"

#include "base/prng.h"
#include "power/dvfs.h"
#include "power/governor.h"

#include <stdio.h>
#include <string.h>

#define CORES 4u
#define WINDOW_NS INT64_C(10000000)
#define WINDOW_US 10000
#define FULL_PPM INT64_C(1000000)

enum load { DRIFT, BURSTS, NOISE, LOADS };
static const char *const load_name[LOADS] = { "drift", "bursts", "noise" };

struct core {
    int64_t drift_ppm, burst; /* burst: windows that it still lasts */
    int64_t waiting_ppm;      /* work, of what a window has at full speed */
};

struct domain {
    struct bl_freq freq;
    struct core core[CORES];
    struct bl_prng prng;
    uint32_t pstate;
    uint64_t mw_sum, done, late; /* work in ppm; late: ppm times windows */
};

/* A server's socket as one might be: voltages are an assumption. */
static void open_domain(struct domain *d, enum load load)
{
    static const uint64_t mhz[] = { 2600, 2300, 2000, 1700, 1400, 1200 };
    static const uint32_t mv[] = { 1100, 1030, 970, 910, 860, 830 };
    const struct bl_dvfs_model m = { .static_mw = 20000,
                                     .leak_mw = 800,
                                     .switch_mw = 4000 };

    *d = (struct domain){ .prng = bl_prng_stream(7, load) };
    d->freq.pstate_count = sizeof(mhz) / sizeof(mhz[0]);
    d->freq.domain_count = 1;
    d->freq.switch_ns = 10000;
    for (uint32_t i = 0; i < d->freq.pstate_count; i++) {
        d->freq.pstate[i].khz = mhz[i] * 1000;
        d->freq.pstate[i].uv = mv[i] * 1000;
    }
    if (bl_dvfs_apply(&d->freq, CORES, &m) != BL_ERR_OK)
        bench_fail("the model's power is out of range");
    for (uint32_t i = 0; i < CORES; i++)
        d->core[i].drift_ppm = 300000;
}

static int64_t below(struct domain *d, int64_t n)
{
    return (int64_t)bl_prng_below(&d->prng, (uint64_t)n);
}

/* Work that arrives at @c in this window. */
static int64_t arrives(struct domain *d, struct core *c, enum load load)
{
    if (load == NOISE)
        return below(d, 10) < 3 ? below(d, 950000) : 100000;
    if (load == BURSTS) {
        if (c->burst > 0)
            c->burst--;
        else if (below(d, 100) == 0)
            c->burst = 1 + below(d, 40);
        return c->burst > 0 ? 900000 : 30000;
    }
    c->drift_ppm += below(d, 100001) - 50000;
    c->drift_ppm = c->drift_ppm < 0        ? 0
                   : c->drift_ppm > 950000 ? 950000
                                           : c->drift_ppm;
    return c->drift_ppm;
}

static uint64_t khz_of(const struct domain *d, int64_t ppm)
{
    return d->freq.pstate[0].khz * (uint64_t)ppm / (uint64_t)FULL_PPM;
}

/* One window; what a governor then sees of it. */
static struct bl_domain_view run_window(struct domain *d, enum load load)
{
    const struct bl_freq *f = &d->freq;
    const int64_t can = (int64_t)(f->pstate[d->pstate].khz *
                                  (uint64_t)FULL_PPM / f->pstate[0].khz);
    int64_t done = 0, want = 0, most_done = 0, most_want = 0;

    for (uint32_t i = 0; i < CORES; i++) {
        struct core *c = &d->core[i];
        const int64_t need = c->waiting_ppm + arrives(d, c, load);
        const int64_t does = need < can ? need : can;
        const int64_t wants = need < FULL_PPM ? need : FULL_PPM;

        c->waiting_ppm = need - does;
        d->late += (uint64_t)c->waiting_ppm;
        done += does;
        want += wants;
        most_done = does > most_done ? does : most_done;
        most_want = wants > most_want ? wants : most_want;
    }
    d->done += (uint64_t)done;
    return (struct bl_domain_view){
        .freq = f,
        .core_count = CORES,
        .host_core_count = CORES,
        .pstate = d->pstate,
        .slowest = f->pstate_count - 1,
        .window_ns = WINDOW_NS,
        .busy_ppm = (uint32_t)(done * FULL_PPM / can / CORES),
        .busy_core_ppm = (uint32_t)(most_done * FULL_PPM / can),
        .usage_khz = khz_of(d, done),
        .demand_khz = khz_of(d, want),
        .entitled_khz = khz_of(d, want),
        .core_khz_min = khz_of(d, most_want),
    };
}

static void run(enum load load, const char *name, const char *headroom,
                uint32_t windows)
{
    const struct bl_governor *g = bl_governor_find(name);
    int64_t state[BL_GOVERNOR_STATE_BYTES / sizeof(int64_t)];
    struct bl_params params;
    struct bl_diag diag = { "" };
    struct domain d;

    if (g == NULL)
        bench_fail("no governor %s", name);
    open_domain(&d, load);
    bl_params_init(&params, g->params, g->param_count);
    if (headroom[0] != '\0')
        bench_try(bl_params_set(&params, "headroom", headroom, NULL, 0, &diag),
                  &diag);
    bl_governor_init(g, state, &params, &d.freq);
    for (uint32_t t = 0; t < windows; t++) {
        struct bl_domain_view v = run_window(&d, load);

        v.now_ns = (t + 1) * WINDOW_NS;
        d.mw_sum += bl_domain_mw(&v, d.pstate, v.usage_khz);
        d.pstate = bl_governor_pick(g, state, &params, &v);
    }
    printf("%s,%s,%s,%.3f,%.1f\n", load_name[load], name, headroom,
           (double)d.mw_sum / windows / 1000,
           (double)d.late * WINDOW_US / (double)d.done);
}

int main(int argc, char **argv)
{
    static const char *const headroom[] = { "1", "1.1", "1.2", "1.25" };
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t windows = smoke ? 1000 : 200000;
    const struct bl_governor *g;

    if (argc > 2 || (argc == 2 && !smoke))
        bench_fail("usage: bench_governor [--smoke]");
    puts("load,governor,headroom,mean_w,late_us");
    for (int load = 0; load < LOADS; load++)
        for (uint32_t i = 0; (g = bl_governor_at(i)) != NULL; i++) {
            if (strcmp(g->name, "entitled") != 0) {
                run((enum load)load, g->name, "", windows);
                continue;
            }
            for (size_t k = 0; k < sizeof(headroom) / sizeof(headroom[0]); k++)
                run((enum load)load, g->name, headroom[k], windows);
        }
    return 0;
}
