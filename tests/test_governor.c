/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_governor - each governor against its formula, on examples and on random
 * views; ours against every P-state there is, in time, and at its promises.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "power/dvfs.h"
#include "power/governor.h"

#include <string.h>

#define MS INT64_C(1000000)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A governor at work, with what it sees. */
struct desk {
    const struct bl_governor *g;
    struct bl_params params;
    int64_t state[BL_GOVERNOR_STATE_BYTES / sizeof(int64_t)];
    struct bl_freq freq;
    struct bl_domain_view view;
};

/* 2, 1.6, 1.2 and 0.8 GHz; four cores of a host of four; 10 ms a sample. */
static void open_desk(struct desk *d, const char *name)
{
    static const uint64_t khz[] = { 2000000, 1600000, 1200000, 800000 };
    static const uint32_t uv[] = { 1000000, 900000, 820000, 760000 };
    const struct bl_dvfs_model m = { .static_mw = 20000,
                                     .leak_mw = 500,
                                     .switch_mw = 4000 };

    memset(d, 0, sizeof(*d));
    d->g = bl_governor_find(name);
    assert_non_null(d->g);
    bl_params_init(&d->params, d->g->params, d->g->param_count);
    if (strcmp(name, "entitled") == 0)
        d->params.value[0] = 1250000; /* headroom, for the sums below */
    d->freq.pstate_count = 4;
    d->freq.domain_count = 1;
    for (int i = 0; i < 4; i++) {
        d->freq.pstate[i].khz = khz[i];
        d->freq.pstate[i].uv = uv[i];
    }
    assert_ok(bl_dvfs_apply(&d->freq, 4, &m));
    d->view = (struct bl_domain_view){ .freq = &d->freq,
                                       .core_count = 4,
                                       .host_core_count = 4,
                                       .slowest = 3,
                                       .window_ns = 10 * MS };
    bl_governor_init(d->g, d->state, &d->params, &d->freq);
}

static void set(struct desk *d, const char *name, const char *text)
{
    struct bl_diag diag = { "" };

    if (bl_params_set(&d->params, name, text, NULL, 0, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
}

/* One sample later: picks, and what it picks is in force. */
static uint32_t sample(struct desk *d)
{
    d->view.now_ns += d->view.window_ns;
    d->view.pstate = bl_governor_pick(d->g, d->state, &d->params, &d->view);
    return d->view.pstate;
}

/* @busy of the busiest core's time, at the speed in force. */
static uint32_t sample_busy(struct desk *d, uint32_t busy_core_ppm)
{
    d->view.busy_core_ppm = d->view.busy_ppm = busy_core_ppm;
    return sample(d);
}

/* @entitled kHz on cores fast enough for all of them alike. */
static uint32_t sample_entitled(struct desk *d, uint64_t khz)
{
    d->view.usage_khz = d->view.demand_khz = d->view.entitled_khz = khz;
    d->view.core_khz_min = khz / d->view.core_count;
    return sample(d);
}

/* ---- registry ----------------------------------------------------------- */

static void test_registry(void **state)
{
    static const char *const name[] = { "entitled", "ondemand", "performance",
                                        "powersave", "schedutil" };
    const struct bl_governor *g;

    (void)state;
    for (uint32_t i = 0; i < COUNT(name); i++) {
        g = bl_governor_at(i);
        assert_non_null(g);
        assert_string_equal(g->name, name[i]);
        assert_ptr_equal(g, bl_governor_find(name[i]));
        assert_true(g->summary != NULL && g->source != NULL);
        assert_true(g->param_count <= BL_PARAMS_MAX);
        for (uint32_t k = 0; k < g->param_count; k++) {
            const struct bl_param *p = &g->params[k];

            assert_true(p->min <= p->def && p->def <= p->max);
        }
    }
    assert_null(bl_governor_at(COUNT(name)));
    assert_null(bl_governor_find("conservative"));
}

static uint32_t pick_nine(void *state, const struct bl_params *p,
                          const struct bl_domain_view *v)
{
    (void)state;
    (void)p;
    (void)v;
    return 9;
}

static void test_answers_and_views_are_checked(void **state)
{
    const struct bl_governor wrong = { .name = "x", .pick = pick_nine };
    struct desk d;

    (void)state;
    open_desk(&d, "performance");
    d.g = &wrong;
    expect_assert_failure(sample(&d));
    open_desk(&d, "performance");
    d.view.fastest = 3;
    d.view.slowest = 2;
    expect_assert_failure(sample(&d));
    open_desk(&d, "performance");
    d.view.slowest = 4;
    expect_assert_failure(sample(&d));
    open_desk(&d, "performance");
    d.view.window_ns = 0;
    expect_assert_failure(sample(&d));
    open_desk(&d, "performance");
    d.view.busy_core_ppm = 1000001;
    expect_assert_failure(sample(&d));
    open_desk(&d, "performance");
    d.view.core_count = 5;
    expect_assert_failure(sample(&d));
    d.freq.pstate_count = 0;
    expect_assert_failure(bl_governor_init(d.g, d.state, &d.params, &d.freq));
}

/* ---- what all need ------------------------------------------------------ */

static void test_the_slowest_that_has_it(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "performance");
    assert_int_equal(bl_pstate_for(&d.view, 0, 0), 3);
    assert_int_equal(bl_pstate_for(&d.view, 3200000, 0), 3);
    assert_int_equal(bl_pstate_for(&d.view, 3200001, 0), 2);
    assert_int_equal(bl_pstate_for(&d.view, 3200000, 1200001), 1);
    assert_int_equal(bl_pstate_for(&d.view, UINT64_MAX, 0), 0);
    d.view.fastest = 1;
    d.view.slowest = 2;
    assert_int_equal(bl_pstate_for(&d.view, 0, 0), 2);
    assert_int_equal(bl_pstate_for(&d.view, 8000000, 0), 1);
}

static void test_power_of_a_domain(void **state)
{
    struct desk d;
    uint64_t mw;

    (void)state;
    open_desk(&d, "performance");
    assert_int_equal(bl_domain_mw(&d.view, 0, 0), 20000);
    assert_int_equal(bl_domain_mw(&d.view, 0, 4000000), 29000);
    assert_int_equal(bl_domain_mw(&d.view, 0, 8000000), 38000);
    /* more than it has is all it has */
    assert_int_equal(bl_domain_mw(&d.view, 0, UINT64_MAX), 38000);
    mw = bl_domain_mw(&d.view, 0, 4000000);
    d.view.core_count = 1;
    assert_int_equal(bl_domain_mw(&d.view, 0, 1000000), mw / 4);
    /* a third of the way from 10 % to 20 %, rounded down */
    d.view.core_count = 4;
    d.freq.pstate[0].khz = 3;
    d.freq.pstate[0].mw[1] = 1000;
    d.freq.pstate[0].mw[2] = 1100;
    d.view.core_count = d.view.host_core_count = 10;
    assert_int_equal(bl_domain_mw(&d.view, 0, 4), 1033);
}

/* ---- the simple ones ---------------------------------------------------- */

static void test_performance_and_powersave(void **state)
{
    struct desk fast, slow;

    (void)state;
    open_desk(&fast, "performance");
    open_desk(&slow, "powersave");
    assert_int_equal(sample_busy(&fast, 0), 0);
    assert_int_equal(sample_busy(&slow, 1000000), 3);
    fast.view.fastest = 1;
    slow.view.slowest = 2;
    assert_int_equal(sample_busy(&fast, 0), 1);
    assert_int_equal(sample_busy(&slow, 1000000), 2);
}

static void test_ondemand(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "ondemand");
    assert_int_equal(sample_busy(&d, 0), 3);      /* 0.8 */
    assert_int_equal(sample_busy(&d, 500000), 2); /* 1.4: 1.2, not 1.6 */
    assert_int_equal(sample_busy(&d, 500001), 1); /* a little more */
    assert_int_equal(sample_busy(&d, 950000), 0); /* 1.94 */
    assert_int_equal(sample_busy(&d, 960000), 0);
    d.view.fastest = 1;
    assert_int_equal(sample_busy(&d, 1000000), 1);
    /* at the threshold is not above it */
    open_desk(&d, "ondemand");
    set(&d, "up_threshold", "50%");
    assert_int_equal(sample_busy(&d, 500000), 2);
    assert_int_equal(sample_busy(&d, 500001), 0);
}

static void test_ondemand_stays_at_the_top(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "ondemand");
    set(&d, "sampling_down_factor", "3");
    set(&d, "up_threshold", "80%");
    assert_int_equal(sample_busy(&d, 810000), 0);
    assert_int_equal(sample_busy(&d, 0), 0);
    assert_int_equal(sample_busy(&d, 0), 0);
    assert_int_equal(sample_busy(&d, 0), 3);
    /* moved away by a cap: nothing is held */
    assert_int_equal(sample_busy(&d, 810000), 0);
    d.view.fastest = 2;
    d.view.pstate = 2;
    assert_int_equal(sample_busy(&d, 810000), 2);
    d.view.fastest = 1;
    assert_int_equal(sample_busy(&d, 0), 3);
}

static void test_schedutil(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "schedutil");
    set(&d, "rate_limit", "0");
    assert_int_equal(sample_busy(&d, 640000), 1);  /* 1.28 GHz: 1.6 */
    assert_int_equal(sample_busy(&d, 600000), 2);  /* 0.96: 1.2 exactly */
    assert_int_equal(sample_busy(&d, 1000000), 1); /* 1.2: 1.5 */
    assert_int_equal(sample_busy(&d, 1000000), 0); /* 1.6: 2 exactly */
    assert_int_equal(sample_busy(&d, 0), 3);
}

static void test_schedutil_waits(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "schedutil");
    set(&d, "rate_limit", "25ms");
    assert_int_equal(sample_busy(&d, 0), 3); /* the first one at once */
    assert_int_equal(sample_busy(&d, 1000000), 3);
    assert_int_equal(sample_busy(&d, 1000000), 3);
    assert_int_equal(sample_busy(&d, 1000000), 2); /* 30 ms later */
    /* what is not allowed any more is left without waiting */
    d.view.fastest = d.view.slowest = 1;
    assert_int_equal(sample_busy(&d, 0), 1);
}

/* ---- entitled ----------------------------------------------------------- */

static void test_entitled_serves_with_headroom(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    assert_int_equal(sample_entitled(&d, 0), 3);
    assert_int_equal(sample_entitled(&d, 2560000), 3); /* 3.2 exactly */
    assert_int_equal(sample_entitled(&d, 2564000), 2);
    assert_int_equal(sample_entitled(&d, 8000000), 0);
    /* one vCPU that needs 1 GHz: 1.25 of a core */
    sample_entitled(&d, 0);
    d.view.entitled_khz = 1000000;
    d.view.core_khz_min = 1000000;
    assert_int_equal(sample(&d), 1);
    set(&d, "headroom", "1");
    assert_int_equal(sample(&d), 2);
}

/* Where idling costs much less than running slowly, racing wins. */
static void test_entitled_races_where_that_is_cheaper(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    for (uint32_t i = 1; i < 4; i++)
        for (uint32_t k = 1; k < BL_POWER_POINTS; k++)
            d.freq.pstate[i].mw[k] = d.freq.pstate[0].mw[10];
    assert_int_equal(sample_entitled(&d, 2000000), 0);
    /* the same power everywhere: the slowest that has it */
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
            d.freq.pstate[i].mw[k] = 77;
    assert_int_equal(sample_entitled(&d, 2000000), 3);
}

static void test_entitled_holds(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "30ms");
    assert_int_equal(sample_entitled(&d, 6400000), 0);
    assert_int_equal(sample_entitled(&d, 0), 0); /* 10 ms of less */
    assert_int_equal(sample_entitled(&d, 5120000), 0);
    assert_int_equal(sample_entitled(&d, 0), 1); /* what did all 30 ms */
    assert_int_equal(sample_entitled(&d, 0), 1);
    assert_int_equal(sample_entitled(&d, 0), 1);
    assert_int_equal(sample_entitled(&d, 0), 3);
    /* up at once, and the count starts anew */
    assert_int_equal(sample_entitled(&d, 0), 3);
    assert_int_equal(sample_entitled(&d, 6000000), 0);
    assert_int_equal(sample_entitled(&d, 0), 0);
    assert_int_equal(sample_entitled(&d, 0), 0);
    assert_int_equal(sample_entitled(&d, 6000000), 0);
    assert_int_equal(sample_entitled(&d, 0), 0);
    assert_int_equal(sample_entitled(&d, 0), 0);
    assert_int_equal(sample_entitled(&d, 0), 3);
    /* a sample longer than the hold needs no second one */
    assert_int_equal(sample_entitled(&d, 6400000), 0);
    d.view.window_ns = 300000 * MS;
    assert_int_equal(sample_entitled(&d, 0), 3);
}

static void test_entitled_obeys_a_cap_at_once(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    assert_int_equal(sample_entitled(&d, 8000000), 0);
    d.view.fastest = 2;
    assert_int_equal(sample_entitled(&d, 8000000), 2);
    d.view.fastest = 0;
    assert_int_equal(sample_entitled(&d, 8000000), 0);
}

/* The promise: 4 GHz are reserved and nobody wants them. The next moment their
 * owner does, and nobody looks for a window. */
static void test_entitled_keeps_reservations_that_sleep(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    set(&d, "claim", "0");
    d.view.reserved_khz = 4000000;
    assert_int_equal(sample_entitled(&d, 0), 2); /* 4.8 GHz, not 3.2 */
    d.view.reserved_khz = 4800000;
    assert_int_equal(sample_entitled(&d, 0), 2); /* no headroom on a promise */
    /* a change costs 0.1 ms of 10: 4.752 GHz are left of 4.8 */
    d.freq.switch_ns = MS / 10;
    assert_int_equal(sample_entitled(&d, 0), 1);
    d.view.reserved_khz = 4752000;
    assert_int_equal(sample_entitled(&d, 0), 2);
    d.view.reserved_khz = 4752001;
    assert_int_equal(sample_entitled(&d, 0), 1);
    d.freq.switch_ns = 10 * MS; /* all of the window */
    d.view.reserved_khz = 1;
    assert_int_equal(sample_entitled(&d, 0), 0);
}

/* The same 4 GHz, lent for as long as no work waits. Then 100 ms have to make
 * good one of 10: 4 / 0.9 GHz are 4.44, and 6 of the 1.6 GHz below have it. */
static void test_entitled_lends_reservations_that_sleep(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    d.view.reserved_khz = 4400000;
    assert_int_equal(sample_entitled(&d, 0), 3);
    d.view.demand_khz = 1; /* waits; what is entitled follows slowly */
    assert_int_equal(sample(&d), 1); /* 4.89: 6.4, not 4.8 */
    for (int i = 0; i < 9; i++)      /* 90 ms later */
        assert_int_equal(sample_entitled(&d, 0), 1);
    assert_int_equal(sample_entitled(&d, 0), 3);
    /* claimed where nothing had been lent: as much as is reserved */
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    d.view.reserved_khz = 4400000;
    d.view.demand_khz = 1;
    assert_int_equal(sample(&d), 2);
    /* a claim that one window and a change leave no time for: at once */
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    set(&d, "claim", "10ms");
    d.view.reserved_khz = 4400000;
    assert_int_equal(sample_entitled(&d, 0), 2);
}

/* Where nothing jumps for a second, 1.05 is enough; the first jump brings back
 * all of it. */
static void test_entitled_needs_less_room_when_calm(void **state)
{
    struct desk d;

    (void)state;
    open_desk(&d, "entitled");
    set(&d, "hold", "0");
    for (int i = 0; i < 100; i++)
        assert_int_equal(sample_entitled(&d, 4000000), 1); /* 5 GHz */
    assert_int_equal(sample_entitled(&d, 4000000), 2);     /* 4.2 */
    assert_int_equal(sample_entitled(&d, 4200000), 2);     /* 4.41 */
    assert_int_equal(sample_entitled(&d, 3000000), 3);     /* 3.15 */
    assert_int_equal(sample_entitled(&d, 3150000), 2);     /* 3.3075: by 5 % */
    for (int i = 0; i < 20; i++)
        assert_int_equal(sample_entitled(&d, 3800000), 2); /* jumps: 4.75 */
    assert_int_equal(sample_entitled(&d, 3990000), 1); /* not calm yet: 4.99 */
    for (int i = 0; i < 101; i++)
        sample_entitled(&d, 3800000);
    assert_int_equal(sample_entitled(&d, 3990000), 2); /* 4.19 */
    assert_int_equal(sample_entitled(&d, 3800000), 2);
    assert_int_equal(sample_entitled(&d, 4000000), 1); /* by more than 5 % */
    /* so does what is entitled in all, or of one core, alone */
    d.view.entitled_khz = 0;
    sample(&d);
    for (int i = 0; i < 101; i++)
        sample(&d);
    d.view.entitled_khz = 4000000;
    assert_int_equal(sample(&d), 1);
    for (int i = 0; i < 101; i++)
        sample_entitled(&d, 4000000);
    assert_int_equal(d.view.pstate, 2);
    d.view.core_khz_min = 1051000; /* 1.314 GHz */
    assert_int_equal(sample(&d), 1);
    /* less headroom than that stays */
    set(&d, "headroom", "1");
    for (int i = 0; i < 200; i++)
        assert_int_equal(sample_entitled(&d, 4800000), 2);
}

/* ---- random views ------------------------------------------------------- */

static void random_desk(struct desk *d, struct bl_prng *p, const char *name)
{
    struct bl_freq *f = &d->freq;
    uint64_t khz = 1000000 + bl_prng_below(p, 3000000);

    open_desk(d, name);
    f->pstate_count = (uint32_t)(1 + bl_prng_below(p, BL_PSTATES_MAX));
    f->switch_ns = (int64_t)bl_prng_below(p, 3) * MS / 10;
    for (uint32_t i = 0; i < f->pstate_count; i++) {
        uint32_t mw = (uint32_t)bl_prng_below(p, 100000);

        f->pstate[i].khz = khz;
        khz -= 1 + bl_prng_below(p, 60000);
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++) {
            f->pstate[i].mw[k] = mw;
            mw += (uint32_t)bl_prng_below(p, 20000);
        }
    }
    bl_freq_check(f, 1);
    d->view.host_core_count = (uint32_t)(1 + bl_prng_below(p, 64));
    d->view.core_count =
        (uint32_t)(1 + bl_prng_below(p, d->view.host_core_count));
    d->view.slowest = f->pstate_count - 1;
}

static void random_view(struct desk *d, struct bl_prng *p)
{
    struct bl_domain_view *v = &d->view;
    const uint64_t all = d->freq.pstate[0].khz * v->core_count;

    v->fastest = (uint32_t)bl_prng_below(p, d->freq.pstate_count);
    v->slowest = v->fastest +
                 (uint32_t)bl_prng_below(p, d->freq.pstate_count - v->fastest);
    v->busy_core_ppm = (uint32_t)bl_prng_below(p, 1000001);
    v->busy_ppm = (uint32_t)bl_prng_below(p, v->busy_core_ppm + 1);
    v->entitled_khz = bl_prng_below(p, all + 1);
    v->demand_khz = v->entitled_khz + bl_prng_below(p, all);
    v->usage_khz = bl_prng_below(p, v->entitled_khz + 1);
    v->reserved_khz = bl_prng_below(p, 3) > 0 ? 0 : bl_prng_below(p, all + 1);
    v->core_khz_min = bl_prng_below(p, 2) > 0
                          ? 0
                          : bl_prng_below(p, d->freq.pstate[0].khz + 1);
}

static double away(const struct desk *d, uint32_t i, double khz)
{
    const double x = (double)d->freq.pstate[i].khz - khz;

    return x < 0 ? -x : x;
}

/* The plain formulas; where a target falls between two kHz, the governors
 * round it down, so it may be one kHz less. */
static void test_random_formulas(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 2);
    struct desk d;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const bool is_util = round % 2 > 0;
        double want;
        uint32_t got;

        random_desk(&d, &p, is_util ? "schedutil" : "ondemand");
        random_view(&d, &p);
        d.view.pstate = (uint32_t)bl_prng_below(&p, d.freq.pstate_count);

        const double busy = d.view.busy_core_ppm / 1e6;
        const double max = (double)d.freq.pstate[0].khz;
        const double min = (double)d.freq.pstate[d.freq.pstate_count - 1].khz;

        want = 1.25 * busy * (double)d.freq.pstate[d.view.pstate].khz;
        got = sample(&d);
        if (is_util) {
            if (got > d.view.fastest)
                assert_true((double)d.freq.pstate[got].khz > want - 3);
            if (got < d.view.slowest)
                assert_true((double)d.freq.pstate[got + 1].khz < want);
            continue;
        }
        if (busy > 0.95) {
            assert_int_equal(got, d.view.fastest);
            continue;
        }
        want = min + busy * (max - min);
        for (uint32_t i = d.view.fastest; i <= d.view.slowest; i++)
            assert_true(away(&d, got, want) <= away(&d, i, want) + 2);
    }
}

/* What @i has, in a window with a change in it, of what is asked for. */
static bool has_need(const struct desk *d, uint32_t i)
{
    const struct bl_domain_view *v = &d->view;
    const double time = 1 - (double)d->freq.switch_ns / (double)v->window_ns;
    const double all = (double)d->freq.pstate[i].khz * v->core_count * time;

    return all + 3 >= 1.25 * (double)v->entitled_khz &&
           all + 1e-3 >= (double)v->reserved_khz &&
           (double)d->freq.pstate[i].khz + 3 >= 1.25 * (double)v->core_khz_min;
}

static bool surely_has_need(const struct desk *d, uint32_t i)
{
    struct desk more = *d;

    more.view.entitled_khz += 8;
    more.view.core_khz_min += 8;
    more.view.reserved_khz += 8;
    return has_need(&more, i);
}

/* Every P-state is asked: none that has the need draws less, and none as much
 * that is slower. */
static void test_entitled_is_the_least_of_all(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 3);
    struct desk d;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        bool any = false;

        random_desk(&d, &p, "entitled");
        set(&d, "hold", "0");
        set(&d, "claim", "0");
        random_view(&d, &p);

        const struct bl_domain_view *v = &d.view;
        const uint32_t got = sample(&d);
        const uint64_t mw = bl_domain_mw(v, got, v->entitled_khz);

        for (uint32_t i = v->fastest; i <= v->slowest; i++) {
            any |= has_need(&d, i);
            if (!surely_has_need(&d, i))
                continue;
            assert_true(has_need(&d, got));
            assert_true(mw <= bl_domain_mw(v, i, v->entitled_khz));
            if (i > got)
                assert_true(mw < bl_domain_mw(v, i, v->entitled_khz));
        }
        if (!any)
            assert_int_equal(got, v->fastest);
    }
}

/* Work in the next window that @i cannot do and the fastest could. */
static uint64_t lost_khz(const struct desk *d, uint32_t i, bool changed,
                         uint64_t want)
{
    const struct bl_domain_view *v = &d->view;
    const int64_t time = v->window_ns - (changed ? d->freq.switch_ns : 0);
    const uint64_t most = d->freq.pstate[0].khz * v->core_count;
    const uint64_t has = d->freq.pstate[i].khz * v->core_count *
                         (uint64_t)(time / 1000) /
                         (uint64_t)(v->window_ns / 1000);
    const uint64_t owed = want < most ? want : most;

    return owed > has ? owed - has : 0;
}

/* Days of a domain whose entitled work grows by at most a quarter at a time
 * and falls as it likes, and whose reservations are claimed in full at random:
 * nothing is lost. */
static void test_entitled_loses_nothing_in_time(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 4);
    struct desk d;

    (void)state;
    for (int round = 0; round < 200; round++) {
        uint64_t all, work;

        random_desk(&d, &p, "entitled");
        set(&d, "claim", "0");
        all = d.freq.pstate[0].khz * d.view.core_count;
        d.view.reserved_khz = bl_prng_below(&p, all / 2);
        work = bl_prng_below(&p, all);
        for (int t = 0; t < 300; t++) {
            const uint32_t before = d.view.pstate;
            const uint64_t room = all * 4 / 5 + 1;
            uint64_t next;

            d.view.entitled_khz = work;
            d.view.core_khz_min = work / d.view.core_count;
            sample(&d);
            next = bl_prng_below(&p, 8) > 0
                       ? work + bl_prng_below(&p, work / 4 + 1)
                       : bl_prng_below(&p, work + 1);
            next = next < room ? next : room;

            const bool changed = d.view.pstate != before;

            if (d.view.pstate > 0) { /* at the top nobody does better */
                assert_int_equal(lost_khz(&d, d.view.pstate, changed, next), 0);
                assert_int_equal(
                    lost_khz(&d, d.view.pstate, changed, d.view.reserved_khz),
                    0);
            }
            work = next;
        }
    }
}

/* kHz ns of work in a window of @d in which the clock has @changed. */
static uint64_t capacity(const struct desk *d, bool changed)
{
    const int64_t time = d->view.window_ns - (changed ? d->freq.switch_ns : 0);

    return d->freq.pstate[d->view.pstate].khz * d->view.core_count *
           (uint64_t)time;
}

/* Reservations that are claimed in full, or not at all, in windows at random,
 * and nothing else tells of them than work that waits: it is done a window and
 * two changes later at the latest. */
static void test_entitled_makes_good_what_it_lent(void **state)
{
    struct bl_prng p = bl_prng_stream(test_seed(), 5);
    uint32_t late = 0;
    struct desk d;

    (void)state;
    for (int round = 0; round < 300; round++) {
        const uint64_t often = 1 + bl_prng_below(&p, 40);
        uint64_t all, came = 0, done = 0;

        random_desk(&d, &p, "entitled");
        all = d.freq.pstate[0].khz * d.view.core_count;
        d.view.reserved_khz = bl_prng_below(&p, all * 9 / 10);
        sample(&d);
        for (int t = 0; t < 500; t++) {
            const uint64_t window = (uint64_t)d.view.window_ns;
            const uint32_t before = d.view.pstate;
            const uint64_t now = bl_prng_below(&p, often) == 0
                                     ? d.view.reserved_khz * window
                                     : 0;
            uint64_t could, owed = came;

            d.view.demand_khz = d.view.usage_khz + (came > done);
            sample(&d);
            could = capacity(&d, d.view.pstate != before);
            came += now;
            done = came - done < could ? came : done + could;
            d.view.usage_khz = d.view.demand_khz = 0;
            /* what had come a window and two changes before */
            if (owed > d.view.reserved_khz * 2 * (uint64_t)d.freq.switch_ns)
                owed -= d.view.reserved_khz * 2 * (uint64_t)d.freq.switch_ns;
            else
                owed = 0;
            assert_true(done >= owed);
            late += done < came;
        }
    }
    assert_true(late > 0); /* something was lent */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_answers_and_views_are_checked),
        cmocka_unit_test(test_the_slowest_that_has_it),
        cmocka_unit_test(test_power_of_a_domain),
        cmocka_unit_test(test_performance_and_powersave),
        cmocka_unit_test(test_ondemand),
        cmocka_unit_test(test_ondemand_stays_at_the_top),
        cmocka_unit_test(test_schedutil),
        cmocka_unit_test(test_schedutil_waits),
        cmocka_unit_test(test_entitled_serves_with_headroom),
        cmocka_unit_test(test_entitled_races_where_that_is_cheaper),
        cmocka_unit_test(test_entitled_holds),
        cmocka_unit_test(test_entitled_obeys_a_cap_at_once),
        cmocka_unit_test(test_entitled_keeps_reservations_that_sleep),
        cmocka_unit_test(test_entitled_lends_reservations_that_sleep),
        cmocka_unit_test(test_entitled_needs_less_room_when_calm),
        cmocka_unit_test(test_random_formulas),
        cmocka_unit_test(test_entitled_is_the_least_of_all),
        cmocka_unit_test(test_entitled_loses_nothing_in_time),
        cmocka_unit_test(test_entitled_makes_good_what_it_lent),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
