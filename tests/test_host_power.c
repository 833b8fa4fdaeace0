/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_power - P-states, energy and idle states of one host, worked out by
 * hand to the uJ; what governors see; every invariant after every event.
 */
#include "tests/test.h"

#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

/* ---- a governor of our own ---------------------------------------------- */

/* At the n-th sample P-state at[n], the last one for ever; what was seen. */
struct script {
    uint32_t at[16], count;
    uint32_t asked;
    uint64_t entitled_khz; /* sum */
    struct bl_domain_view seen[16];
};

static uint32_t pick(void *ctx, uint32_t domain, const struct bl_domain_view *v)
{
    struct script *x = ctx;
    const uint32_t n = x->asked / (domain + 1);

    if (x->asked < 16)
        x->seen[x->asked] = *v;
    x->asked++;
    x->entitled_khz += v->entitled_khz;
    return x->at[n < x->count ? n : x->count - 1];
}

static struct test_host *scripted(uint32_t cores, struct script *x)
{
    struct test_host *t = test_host_new(cores, 1);

    test_host_freq(t);
    t->opts.pick = pick;
    t->opts.pick_ctx = x;
    return t;
}

static struct bl_host_vm_group *cpu(struct test_host *t, const char *name)
{
    return test_host_group(t, name, 1, 1, BL_GUEST_CPU);
}

static struct bl_host_vm_group *periodic(struct test_host *t, const char *name,
                                         int64_t work_ns, int64_t period_ns)
{
    struct bl_host_vm_group *g =
        test_host_group(t, name, 1, 1, BL_GUEST_PERIODIC);

    g->guest.work = test_fixed(work_ns);
    g->guest.rest = test_fixed(period_ns);
    return g;
}

/* ---- a readable example ------------------------------------------------- */

/* One that computes, on a core that is half as fast from 500 ms on: 500 ms at
 * 200 W and 500 ms at 140 W, and 750 ms of work. */
static void test_example(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    struct bl_host_result *r;

    (void)state;
    (void)cpu(t, "a");
    t->spec.governor_ns = 500 * TEST_MS;
    test_host_open(t);
    assert_int_equal(bl_host_sim_pstate(t->sim, 0), 0);
    r = test_host_finish(t);
    assert_int_equal(bl_host_sim_pstate(t->sim, 0), 1);
    assert_int_equal(r->vm[0].work_ns, 750 * TEST_MS);
    assert_int_equal(r->vm[0].received_ns, 750 * TEST_MS);
    assert_int_equal(r->vm[0].entitled_ns, 1000 * TEST_MS);
    assert_int_equal(r->power->energy_uj, 170000000);
    assert_int_equal(r->power->domain[0].stay_ns[0], 500 * TEST_MS);
    assert_int_equal(r->power->domain[0].stay_ns[1], 500 * TEST_MS);
    assert_int_equal(r->power->domain[0].switch_count, 1);
    assert_int_equal(r->power->domain[0].pstate, 1);
    assert_int_equal(r->power->domain[0].busy_ns, 1000 * TEST_MS);
    assert_int_equal(r->power->second_most_mw, 170000);
    /* 250 ms behind; all but what the last 10 or 100 ms may still be owed */
    assert_int_equal(r->vm[0].unserved_ns[BL_WINDOW_10MS], 240 * TEST_MS);
    assert_int_equal(r->vm[0].unserved_ns[BL_WINDOW_100MS], 150 * TEST_MS);
    assert_int_equal(r->vm[0].unserved_ns[BL_WINDOW_1S], 0);
    test_host_free(t);
}

/* Not modelled: nothing there. */
static void test_without(void **state)
{
    struct test_host *t = test_host_new(1, 1);

    (void)state;
    (void)cpu(t, "a");
    test_host_open(t);
    assert_null(test_host_finish(t)->power);
    assert_int_equal(bl_host_sim_pstate(t->sim, 0), 0);
    test_host_free(t);
}

/* ---- errors ------------------------------------------------------------- */

static void expect_error(struct test_host *t, bl_err e, const char *text)
{
    assert_int_equal(test_host_try(t), e);
    if (strstr(t->diag.text, text) == NULL)
        fail_msg("\"%s\" not in \"%s\"", text, t->diag.text);
    assert_null(t->sim);
    test_host_free(t);
}

static void test_errors(void **state)
{
    struct test_host *t = test_host_new(1, 1);

    (void)state;
    (void)cpu(t, "a");
    test_host_freq(t);
    (void)snprintf(t->spec.governor, BL_NAME_BYTES, "none-such");
    t->spec.governor_line = 9;
    expect_error(t, BL_ERR_NOENT, "host.yaml:9: no governor none-such");

    t = test_host_new(1, 1);
    (void)cpu(t, "a");
    test_host_freq(t);
    (void)snprintf(t->spec.governor_param[0].name, BL_NAME_BYTES, "none-such");
    t->spec.governor_param_count = 1;
    expect_error(t, BL_ERR_NOENT, "none-such");
}

/* Whatever allocation fails, creation says so. */
static void test_out_of_memory(void **state)
{
    struct test_host *t = test_host_new(2, 1);
    bl_err e = BL_ERR_NOMEM;
    long n;

    (void)state;
    (void)cpu(t, "a");
    test_host_freq(t);
    t->spec.cap_mw = 110000; /* a bound on bandwidth, too */
    for (n = 0; e == BL_ERR_NOMEM; n++) {
        t->arena = (struct bl_arena){ .base = NULL };
        assert_ok(bl_arena_init(&t->arena, (size_t)1 << 30));
        t->arena.fail_after = n;
        e = bl_host_sim_create(&t->arena, &t->opts, &t->sim, &t->diag);
        if (e == BL_ERR_NOMEM)
            assert_non_null(strstr(t->diag.text, "out of memory"));
        bl_arena_free(&t->arena);
    }
    assert_ok(e);
    assert_true(n > 40);
    test_host_free(t);
}

/* ---- what a change costs ------------------------------------------------ */

/* Every 100 ms another P-state, and 2 ms in which nothing is done. */
static void test_switch(void **state)
{
    struct script x = { .at = { 1, 0 }, .count = 2 };
    struct test_host *t = scripted(2, &x);
    struct bl_host_result *r;

    (void)state;
    (void)cpu(t, "a");
    t->spec.governor_ns = 100 * TEST_MS;
    t->spec.freq.switch_ns = 2 * TEST_MS;
    t->spec.duration_ns = 300 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].work_ns, (100 + 49 + 98) * TEST_MS);
    assert_int_equal(r->vm[0].received_ns, 250 * TEST_MS);
    assert_int_equal(r->pcpu[0].overhead_ns, 4 * TEST_MS);
    assert_int_equal(r->power->domain[0].switch_count, 2);
    /* one of two cores busy: 150 and 120 W */
    assert_int_equal(r->power->energy_uj, 15000000 + 12000000 + 15000000);
    test_host_free(t);
}

/* Two vCPUs meet at a barrier when the P-state changes: the one that spins
 * stands still, too, and sees that it may go on when it goes on. */
static void test_switch_of_a_spinner(void **state)
{
    struct script x = { .at = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
                        .count = 13 };
    struct test_host *t = scripted(2, &x);
    struct bl_host_vm_group *g =
        test_host_group(t, "b", 1, 2, BL_GUEST_BARRIER);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = (struct bl_dist){ BL_DIST_UNIFORM, 1000000, 10 * TEST_MS };
    g->guest.spin_ns = BL_SPIN_FOREVER;
    t->spec.governor_ns = 15 * TEST_MS;
    t->spec.freq.switch_ns = TEST_MS;
    t->spec.duration_ns = 200 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->pcpu[0].overhead_ns, 13 * TEST_MS);
    assert_int_equal(r->pcpu[1].overhead_ns, 13 * TEST_MS);
    assert_true(r->vm[0].spin_ns > 0 && r->vm[0].units > 10);
    test_host_free(t);
}

/* ---- domains ------------------------------------------------------------ */

/* Four cores in two domains; the one of core 0 slows down. Each domain draws
 * its half of the table at its own load. */
static uint32_t first_slow(void *ctx, uint32_t domain,
                           const struct bl_domain_view *v)
{
    (void)ctx;
    (void)v;
    return domain == 0 ? 2 : 0;
}

static void test_domains(void **state)
{
    struct test_host *t = test_host_new(4, 1);
    struct bl_host_result *r;

    (void)state;
    test_host_freq(t);
    t->spec.freq.domain_count = 2;
    t->opts.pick = first_slow;
    test_host_pin(cpu(t, "a"), 0);
    test_host_pin(cpu(t, "b"), 3);
    t->spec.governor_ns = 100 * TEST_MS;
    t->spec.warmup_ns = 200 * TEST_MS;
    t->spec.duration_ns = 300 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].work_ns, 25 * TEST_MS);
    assert_int_equal(r->vm[1].work_ns, 100 * TEST_MS);
    assert_int_equal(r->power->domain_count, 2);
    assert_int_equal(r->power->domain[1].core_first, 2);
    assert_int_equal(r->power->domain[0].switch_count, 0);
    assert_int_equal(r->power->domain[0].energy_uj, 5400000);
    assert_int_equal(r->power->domain[1].energy_uj, 7500000);
    assert_int_equal(r->power->energy_uj, 12900000);
    test_host_free(t);
}

/* ---- idle states -------------------------------------------------------- */

static void idle_states(struct test_host *t)
{
    static const struct bl_idle_state state[] = {
        { "halt", 8000, 0, 1 * TEST_US },
        { "light", 3000, 1 * TEST_MS, 20 * TEST_US },
        { "deep", 0, 5 * TEST_MS, 200 * TEST_US },
    };

    t->spec.freq.idle_count = 3;
    memcpy(t->spec.freq.idle, state, sizeof(state));
}

/* A core that works for 1.8 ms and idles for 8 ms: 1 ms in halt, 4 in light, 3
 * in deep, from which it takes 0.2 ms to come back. */
static void test_idle_ladder(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "i", 1, 1, BL_GUEST_INTERACTIVE);
    const struct bl_host_domain_row *d;
    struct bl_host_result *r;

    (void)state;
    test_host_freq(t);
    idle_states(t);
    g->guest.work = test_fixed(1800 * TEST_US);
    g->guest.rest = test_fixed(8 * TEST_MS);
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 200 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    d = &r->power->domain[0];
    assert_int_equal(r->vm[0].wake.max_ns, 200 * TEST_US);
    assert_int_equal(r->vm[0].units, 10);
    assert_int_equal(r->pcpu[0].overhead_ns, 2 * TEST_MS);
    assert_int_equal(d->idle_ns[0], 10 * TEST_MS);
    assert_int_equal(d->idle_ns[1], 40 * TEST_MS);
    assert_int_equal(d->idle_ns[2], 30 * TEST_MS);
    assert_int_equal(d->idle_count[2], 10);
    assert_int_equal(d->idle_count[0] + d->idle_count[1], 0);
    /* 20 ms at 200 W, 80 at 100; 10 at 8 W and 40 at 3 W more */
    assert_int_equal(r->power->idle_extra_uj, 80000 + 120000);
    assert_int_equal(r->power->energy_uj, 4000000 + 8000000 + 200000);
    test_host_free(t);
}

/* Short pauses leave the shallowest state, which takes 1 us. */
static void test_shallow_exit(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "i", 1, 1, BL_GUEST_INTERACTIVE);
    struct bl_host_result *r;

    (void)state;
    test_host_freq(t);
    idle_states(t);
    g->guest.work = test_fixed(599 * TEST_US);
    g->guest.rest = test_fixed(400 * TEST_US);
    t->spec.duration_ns = 10 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].wake.max_ns, TEST_US);
    assert_int_equal(r->power->domain[0].idle_count[0], 11); /* at 0, too */
    assert_int_equal(r->power->domain[0].idle_ns[0], 4 * TEST_MS);
    test_host_free(t);
}

/* ---- promises ----------------------------------------------------------- */

/* 0.4 GHz reserved beside three greedy VMs, on a core of 0.5 GHz. */
static void test_reservation_at_half_speed(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    struct bl_host_vm_group *g = cpu(t, "r");
    struct bl_host_result *r;

    (void)state;
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    g->cpu.reservation = 400000;
    g->cpu.shares.value = 10;
    (void)test_host_group(t, "g", 3, 1, BL_GUEST_CPU);
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 2100 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_true(r->vm[0].received_ns >= 792 * TEST_MS);
    assert_int_equal(r->vm[0].promised_ns, 800 * TEST_MS);
    assert_int_equal(r->vm[0].broken_ns, 0);
    test_host_free(t);
}

/* At a quarter of the speed it cannot be kept, and that is said. */
static void test_broken_promise(void **state)
{
    struct script x = { .at = { 2 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    struct bl_host_result *r;

    (void)state;
    cpu(t, "r")->cpu.reservation = 400000;
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 1100 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].received_ns, 250 * TEST_MS);
    assert_int_equal(r->vm[0].promised_ns, 400 * TEST_MS);
    /* 150 ms, but for what may come within 100 ms */
    assert_int_equal(r->vm[0].broken_ns, 110 * TEST_MS);
    test_host_free(t);
}

static void test_limit_at_half_speed(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    struct bl_host_result *r;

    (void)state;
    cpu(t, "l")->cpu.limit = 200000;
    t->spec.warmup_ns = 100 * TEST_MS;
    t->spec.duration_ns = 1100 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_in_range(r->vm[0].received_ns, 199 * TEST_MS, 204 * TEST_MS);
    assert_in_range(r->vm[0].state_ns[BL_VCPU_RUN], 398 * TEST_MS,
                    408 * TEST_MS);
    test_host_free(t);
}

/* ---- what governors see ------------------------------------------------- */

static void test_view(void **state)
{
    struct script x = { .at = { 0, 1 }, .count = 2 };
    struct test_host *t = scripted(2, &x);
    struct bl_host_vm_group *g;
    const struct bl_domain_view *v = &x.seen[1];

    (void)state;
    g = periodic(t, "p", 20 * TEST_MS, 50 * TEST_MS);
    g->cpu.reservation = 300000;
    t->spec.governor_ns = 100 * TEST_MS;
    t->spec.duration_ns = 350 * TEST_MS;
    test_host_open(t);
    (void)test_host_finish(t);
    assert_int_equal(x.asked, 3);
    assert_int_equal(v[0].core_count, 2);
    assert_int_equal(v[0].host_core_count, 2);
    assert_int_equal(v[0].window_ns, 100 * TEST_MS);
    assert_int_equal(v[0].now_ns, 200 * TEST_MS);
    assert_int_equal(v[0].fastest, 0);
    assert_int_equal(v[0].slowest, 2);
    assert_int_equal(v[0].pstate, 0);
    assert_int_equal(v[0].busy_ppm, 200000);
    assert_int_equal(v[0].busy_core_ppm, 400000);
    assert_int_equal(v[0].usage_khz, 400000);
    assert_int_equal(v[0].demand_khz, 400000);
    assert_int_equal(v[0].entitled_khz, 400000);
    assert_int_equal(v[0].reserved_khz, 300000);
    assert_int_equal(v[0].core_khz_min, 400000);
    /* at half the speed busy twice as long, nothing else */
    assert_int_equal(v[1].pstate, 1);
    assert_int_equal(v[1].busy_core_ppm, 800000);
    assert_int_equal(v[1].usage_khz, 400000);
    assert_int_equal(v[1].demand_khz, 400000);
    assert_int_equal(v[1].core_khz_min, 400000);
    test_host_free(t);
}

/* One that is never halted may want all, and two on one core want two. */
static void test_view_of_the_greedy(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    const struct bl_domain_view *v = x.seen;

    (void)state;
    (void)test_host_group(t, "g", 2, 1, BL_GUEST_CPU);
    t->spec.duration_ns = 25 * TEST_MS;
    test_host_open(t);
    (void)test_host_finish(t);
    assert_int_equal(v[1].busy_core_ppm, 1000000);
    assert_int_equal(v[1].usage_khz, 500000);
    assert_int_equal(v[1].demand_khz, 2000000);
    assert_int_equal(v[1].entitled_khz, 1000000);
    /* half is theirs; of that 20 / 36, as they do not halt for 20 ms */
    assert_in_range(v[1].core_khz_min, 277777, 277778);
    test_host_free(t);
}

/* A burst, w of work, may end 16 ms later than at full speed: w / (w + 16 ms)
 * of that is fast enough. After 16 ms of it half is, after 64 ms 0.8. */
static void test_view_of_a_burst(void **state)
{
    struct script x = { .at = { 0 }, .count = 1 };
    struct test_host *t = scripted(4, &x);
    const struct bl_domain_view *v = x.seen;

    (void)state;
    (void)periodic(t, "p", 80 * TEST_MS, 200 * TEST_MS);
    t->spec.governor_ns = 8 * TEST_MS;
    t->spec.duration_ns = 1000 * TEST_MS;
    test_host_open(t);
    test_host_go(t, 200 * TEST_MS);
    assert_int_equal(x.asked, 25);
    assert_int_equal(v[15].core_khz_min, 0);
    x.asked = 0;
    test_host_go(t, 280 * TEST_MS);
    assert_int_equal(v[0].now_ns, 208 * TEST_MS);
    assert_in_range(v[0].core_khz_min, 333333, 333334);
    assert_int_equal(v[1].core_khz_min, 500000);
    assert_int_equal(v[7].core_khz_min, 800000);
    /* on average over 100 ms: 64 ms of it so far */
    assert_in_range(v[7].entitled_khz, 450000, 550000);
    (void)test_host_finish(t);
    test_host_free(t);
}

/* What comes is demanded once, however slowly it is done: 0.4 of a core, at
 * half the speed. */
static void test_view_counts_work_once(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);

    (void)state;
    (void)periodic(t, "p", 8 * TEST_MS, 20 * TEST_MS);
    t->spec.governor_ns = 7 * TEST_MS;
    t->spec.duration_ns = 3000 * TEST_MS;
    test_host_open(t);
    test_host_go(t, 200 * TEST_MS);
    x.asked = 0;
    x.entitled_khz = 0;
    (void)test_host_finish(t);
    assert_in_range(x.entitled_khz / x.asked, 380000, 420000);
    test_host_free(t);
}

/* A limit is not to be served faster. */
static void test_view_of_a_limit(void **state)
{
    struct script x = { .at = { 1 }, .count = 1 };
    struct test_host *t = scripted(1, &x);
    const struct bl_domain_view *v = x.seen;

    (void)state;
    cpu(t, "l")->cpu.limit = 250000;
    t->spec.governor_ns = 100 * TEST_MS;
    test_host_open(t);
    (void)test_host_finish(t);
    assert_in_range(v[5].usage_khz, 230000, 270000);
    assert_true(v[5].demand_khz > 900000);
    assert_int_equal(v[5].entitled_khz, 250000);
    assert_int_equal(v[5].core_khz_min, 250000);
    test_host_free(t);
}

/* The spec's own governors. */
/* Four VMs of 0.2 on one core that come once in a while: the core is as fast as
 * all four have reserved before any of them wakes up. */
static void test_view_of_the_pinned(void **state)
{
    struct script x = { .at = { 2 }, .count = 1 };
    struct test_host *t = scripted(2, &x);
    struct bl_host_vm_group *g =
        test_host_group(t, "r", 4, 1, BL_GUEST_PERIODIC);

    (void)state;
    g->guest.work = test_fixed(100 * TEST_MS);
    g->guest.rest = test_fixed(100000 * TEST_MS);
    g->cpu.reservation = 200000;
    test_host_pin(g, 1);
    t->spec.duration_ns = 20 * TEST_MS;
    test_host_open(t);
    (void)test_host_finish(t);
    assert_int_equal(x.asked, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(x.seen[i].core_khz_min, 800000);
    test_host_free(t);
}

static void test_governors(void **state)
{
    static const struct {
        const char *name;
        uint32_t pstate;
    } by[] = { { "performance", 0 }, { "powersave", 2 }, { "schedutil", 1 } };

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct test_host *t = test_host_new(1, 1);

        test_host_freq(t);
        (void)snprintf(t->spec.governor, BL_NAME_BYTES, "%s", by[i].name);
        (void)periodic(t, "p", 2 * TEST_MS, 5 * TEST_MS);
        t->spec.duration_ns = 105 * TEST_MS;
        test_host_open(t);
        (void)test_host_finish(t);
        assert_int_equal(bl_host_sim_pstate(t->sim, 0), by[i].pstate);
        assert_string_equal(t->r->power->governor, by[i].name);
        test_host_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_without),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_switch),
        cmocka_unit_test(test_switch_of_a_spinner),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_idle_ladder),
        cmocka_unit_test(test_shallow_exit),
        cmocka_unit_test(test_reservation_at_half_speed),
        cmocka_unit_test(test_broken_promise),
        cmocka_unit_test(test_limit_at_half_speed),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_view_of_the_greedy),
        cmocka_unit_test(test_view_of_a_burst),
        cmocka_unit_test(test_view_counts_work_once),
        cmocka_unit_test(test_view_of_a_limit),
        cmocka_unit_test(test_view_of_the_pinned),
        cmocka_unit_test(test_governors),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
