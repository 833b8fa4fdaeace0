/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_real_speed - P-states and budgets of hosts under `real`, by hand.
 *
 * The standard host of support_world.h with a second P-state: 1 GHz, 80 W idle
 * and 4 W more for each tenth of load, 120 W in all. Expected figures were
 * worked out on paper from doc/models/host.md; test_capping has the area that
 * divides budgets, test_real_storm random runs.
 */
#include "tests/support_real.h"

#include <string.h>

static void set_governor(struct test_world *t, const char *name,
                         struct bl_params *params)
{
    t->opts.governor = bl_governor_find(name);
    assert_non_null(t->opts.governor);
    bl_params_init(params, t->opts.governor->params,
                   t->opts.governor->param_count);
    t->opts.governor_params = params;
}

static struct test_world *two_speeds(uint32_t hosts, const char *governor,
                                     struct bl_params *params)
{
    struct test_world *t = test_world_new(hosts);

    add_pstate(&t->dc.host_group[0]);
    set_governor(t, governor, params);
    return t;
}

static void cap(struct test_world *t, uint64_t watts, uint32_t hosts_each)
{
    struct bl_power_cap *c = &t->dc.cap[t->dc.cap_count++];

    *c = (struct bl_power_cap){ .name = "rack",
                                .mw = watts * 1000,
                                .group = BL_CAP_ALL,
                                .hosts_each = hosts_each };
}

static const struct bl_real_speed *speed(const struct test_world *t,
                                         uint32_t host)
{
    return &inside(t)->speeds->host[host];
}

static enum bl_verdict budget(struct test_world *t, uint32_t host,
                              uint64_t watts)
{
    const struct bl_action a = { .kind = BL_ACTION_POWER_CAP,
                                 .vm = BL_NONE,
                                 .host = host,
                                 .source = BL_NONE,
                                 .amount = watts * 1000 };
    const enum bl_verdict v = t->w->ops->apply(t->w, &a);

    t->w->ops->check(t->w);
    return v;
}

/* ---- P-states
 * ------------------------------------------------------------------ */

/* One VM of two vCPUs at 25, 50 and 100 %: 1, 2 and 4 of 8 GHz, of one core
 * 0.5, 1 and 2 GHz. Governors differ in what they make of it. */
static void test_each_governor_by_hand(void **state)
{
    static const uint32_t cpu[] = { 250000, 500000, 1000000 };
    static const struct {
        const char *name;
        uint8_t pstate[3];
        double watts[3];
        uint64_t lost; /* Mcycles of one step of 300 s */
    } row[] = {
        /* 100 W + u * 100 W of 8 GHz; 80 W + u * 40 W of 4 GHz */
        { "performance", { P0, P0, P0 }, { 112.5, 125, 150 }, 0 },
        { "powersave", { P1, P1, P1 }, { 90, 100, 100 }, UINT64_C(600000) },
        /* 1.25 * 1 GHz is more than P1 has */
        { "schedutil", { P1, P0, P0 }, { 90, 125, 150 }, 0 },
        /* half busy at P1: 1.5 GHz, as near to one as to the other; all busy
         * there is more than 95 %, and half busy at P0: it never settles */
        { "ondemand", { P1, P0, P0 }, { 90, 125, 150 }, 0 },
        /* 1.2 of what is entitled, of one core, too */
        { "entitled", { P1, P0, P0 }, { 90, 125, 150 }, 0 },
    };
    const struct test_vm vm = { .steps = 4, .cpu = cpu };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct bl_params p;
        struct test_world *t = two_speeds(1, row[i].name, &p);
        const struct bl_result *r;
        double joules = 0;

        print_message("    %s\n", row[i].name);
        test_world_open(t, &(struct test_trace){ .vm = &vm,
                                                 .vm_count = 1,
                                                 .step_count = 3,
                                                 .step_ns = TEST_STEP_NS });
        for (int k = 0; k < 3; k++) {
            test_world_go(t, k * TEST_STEP_NS + 1);
            assert_int_equal(speed(t, 0)->pstate, row[i].pstate[k]);
            joules += 300 * row[i].watts[k];
        }
        r = test_world_finish(t);
        assert_int_equal(energy_uj(t, 0), J(joules));
        assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_FREQUENCY],
                         row[i].lost);
        assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_CONTENTION], 0);
        assert_int_equal(r->group[0].pstate_count, 2);
        assert_near(r->group[0].pstate_share[P0] + r->group[0].pstate_share[P1],
                    1, 1e-12);
        assert_near(r->group[0].mean_mhz,
                    1000 + 1000 * r->group[0].pstate_share[P0], 1e-9);
        assert_true(r->has_speeds && r->cap_count == 0 && r->capped_s == 0);
        test_world_free(t);
    }
}

/* The same host and VMs, of which each has 3 GHz reserved: at half the speed it
 * gets 2 of them. What is not demanded is not missed. */
static void test_what_is_reserved_and_not_served(void **state)
{
    static const uint64_t missed[] = { UINT64_C(600000), 0 };
    static const char *const governor[] = { "powersave", "entitled" };
    static const uint32_t cpu[] = { 1000000, 250000 };

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bl_params p;
        struct test_world *t = two_speeds(1, governor[i / 2], &p);
        const struct bl_result *r;

        t->dc.vm_group[0].vcpu_count = 4;
        t->dc.vm_group[0].cpu.reservation = 3000000;
        open_steady(t, 2, cpu[i % 2], 1);
        r = test_world_finish(t);
        assert_int_equal(r->class_[0].reserved_unserved_mcycles, missed[i > 0]);
        test_world_free(t);
    }
}

/* Two VMs want 8 GHz each of a host of 8 that powersave keeps at 4: half of
 * what each wants is lost to the other one, a quarter to the speed. */
static void test_what_is_lost_to_speed(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(1, "powersave", &p);
    const struct bl_result *r;

    (void)state;
    t->dc.vm_group[0].vcpu_count = 4;
    open_steady(t, 2, 1000000, 1);
    r = test_world_finish(t);
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_CONTENTION],
                     300 * 8000);
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_FREQUENCY],
                     300 * 4000);
    assert_int_equal(energy_uj(t, 0), J(300 * 120));
    assert_int_equal(r->worst[0].worst_host, 0);
    test_world_free(t);
}

/* 1.5 GHz of each vCPU are reserved: the second P-state is too slow for that,
 * and may be claimed at any time. Who looks at load alone falls to it. */
static void test_a_reservation_keeps_the_speed_up(void **state)
{
    static const uint32_t cpu[] = { 0, 750000 };
    static const char *const name[] = { "entitled", "schedutil" };
    const struct test_vm vm = { .steps = 3, .cpu = cpu };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bl_params p;
        struct test_world *t = two_speeds(1, name[i], &p);

        t->dc.vm_group[0].cpu.reservation = 3000000;
        test_world_open(t, &(struct test_trace){ .vm = &vm,
                                                 .vm_count = 1,
                                                 .step_count = 2,
                                                 .step_ns = TEST_STEP_NS });
        test_world_go(t, 1);
        assert_int_equal(speed(t, 0)->pstate, i == 0 ? P0 : P1);
        test_world_go(t, TEST_STEP_NS + 1);
        assert_int_equal(gets_khz(t, 0), 3000000);
        test_world_free(t);
    }
}

/* A policy packs by what a host could do, whatever its governor does now; and
 * at the fastest P-state that its budget allows. */
static void test_serve_is_what_a_host_could_do(void **state)
{
    static const uint32_t vm[] = { 0 };
    struct bl_params p;

    (void)state;
    for (int capped = 0; capped < 2; capped++) {
        struct test_world *t = two_speeds(1, "powersave", &p);
        const struct bl_snapshot *s;
        const double all = capped ? 4000 : 8000;
        double free_mhz;

        t->opts.demand_oracle = true;
        if (capped)
            cap(t, 120, 1);
        open_steady(t, 1, 1000000, 1);
        test_world_go(t, 1);
        s = t->w->ops->observe(t->w);
        assert_true(s->host.capacity_mhz_now[0] == all);
        assert_int_equal(s->host.capacity_khz_max[0], 8000000);
        assert_true(s->host.core_mhz[0] == 2000);
        assert_near(s->serve(s, 0, vm, 1, &free_mhz), capped ? 2000 : 4000, 0);
        assert_near(free_mhz, all - (capped ? 2000 : 4000), 0);
        assert_near(s->host.util[0], 2000 / all, 1e-12);
        assert_int_equal((s->can & BL_CAN_CAP_POWER) != 0, capped);
        test_world_free(t);
    }
}

/* ---- budgets
 * ------------------------------------------------------------------- */

/* One VM of two vCPUs wants 4 GHz. 150 W: that is half of the host at 2 GHz,
 * and fits. 120 W: 1.6 GHz of the fastest P-state, but 2 GHz of the other one,
 * as fast as its cores are. 90 W: a quarter of that. 80 W: idle. */
static void test_a_capped_host_by_hand(void **state)
{
    static const struct {
        uint64_t watts, khz;
        uint8_t pstate;
    } row[] = { { 150, 4000000, P0 },
                { 120, 2000000, P1 },
                { 90, 1000000, P1 },
                { 80, 0, P1 } };
    struct bl_params p;
    struct test_world *t = two_speeds(1, "performance", &p);
    const struct bl_result *r;

    (void)state;
    cap(t, 150, 1);
    open_steady(t, 1, 1000000, 1);
    test_world_go(t, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(budget(t, 0, row[i].watts), BL_VERDICT_OK);
        test_world_go(t, 75 * TEST_S * (i + 1));
        if (i == 3)
            break; /* the run is over */
        assert_int_equal(gets_khz(t, 0), row[i].khz);
        assert_int_equal(speed(t, 0)->pstate, row[i].pstate);
    }
    assert_int_equal(budget(t, 0, 79), BL_VERDICT_NO_POWER); /* idle: 80 W */
    assert_int_equal(budget(t, 0, 151), BL_VERDICT_NO_POWER);
    r = test_world_finish(t);
    assert_int_equal(energy_uj(t, 0), J(75 * (150 + 100 + 90 + 80)));
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_FREQUENCY],
                     75 * (2000 + 3000 + 4000));
    assert_near(r->capped_s, 225, 1e-9);
    assert_int_equal(r->cap_count, 1);
    assert_int_equal(r->cap[0].racks, 1);
    assert_near(r->cap[0].budget_w, 150, 0);
    assert_near(r->cap[0].worst_w, 150, 0);
    test_world_free(t);
}

/* 140 W: 3.2 GHz of the fastest P-state, 4 GHz of the other one, which would
 * serve more; but 1.5 GHz of each vCPU of the first VM are reserved. */
static void test_a_reserved_core_under_a_cap(void **state)
{
    struct bl_params p;

    (void)state;
    for (int reserved = 0; reserved < 2; reserved++) {
        struct test_world *t = two_speeds(1, "performance", &p);

        set_two_groups(t);
        t->dc.vm_group[0].cpu.reservation = reserved ? 3000000 : 1000000;
        cap(t, 140, 1);
        open_steady(t, 2, 1000000, 1);
        test_world_go(t, 1);
        assert_int_equal(gets_khz(t, 0), reserved ? 3000000 : 2000000);
        assert_int_equal(gets_khz(t, 1), reserved ? 200000 : 2000000);
        test_world_free(t);
    }
}

/* 100 W leave 2 of 4 GHz: 1.5 are reserved, the rest goes by shares. */
static void test_a_reservation_under_a_cap(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(1, "performance", &p);

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[0].cpu.reservation = 1500000;
    cap(t, 100, 1);
    open_steady(t, 2, 1000000, 1);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 1500000);
    assert_int_equal(gets_khz(t, 1), 500000);
    test_world_free(t);
}

/* 148 W: 2.506 GHz of the fastest P-state, 2.373 of the other one, though that
 * draws less than the fastest at the 3 GHz that are asked for. So it is no
 * choice where 2.5 GHz are reserved, and one where 2.2 are. */
static void test_a_governor_keeps_what_the_budget_has(void **state)
{
    static const uint32_t fast_w[] = { 100, 115, 130, 140, 200, 210,
                                       220, 230, 240, 250, 260 };
    static const uint32_t slow_w[] = { 80,  90,  100, 110, 115, 120,
                                       150, 150, 150, 150, 150 };
    struct bl_params p;

    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct test_world *t = two_speeds(1, "entitled", &p);
        struct bl_host_group *g = &t->dc.host_group[0];

        for (uint32_t i = 0; i < BL_POWER_POINTS; i++) {
            g->power.mw[i] = g->freq.pstate[P0].mw[i] = fast_w[i] * 1000;
            g->freq.pstate[P1].mw[i] = slow_w[i] * 1000;
        }
        t->dc.vm_group[0].vcpu_count = 4;
        t->dc.vm_group[0].cpu.reservation = kept ? 2500000 : 2200000;
        cap(t, 148, 1);
        open_steady(t, 1, 375000, 1);
        test_world_go(t, 1);
        assert_int_equal(speed(t, 0)->pstate, kept ? P0 : P1);
        assert_in_range(gets_khz(t, 0), kept ? 2506000 : 2373000,
                        kept ? 2507000 : 2374000);
        test_world_free(t);
    }
}

/* 105 W are a twentieth of the load of a host of one speed, 400 MHz. That its
 * cores draw 20 W more in their first idle state is not modelled here, so it
 * is not in the budget's way. */
static void test_idle_states_are_left_out(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(1, "performance", &p);
    struct bl_freq *f = &t->dc.host_group[0].freq;

    (void)state;
    f->pstate_count = 1;
    f->idle_count = 2;
    f->idle[0] = (struct bl_idle_state){ .name = "C1", .extra_mw = 5000 };
    f->idle[1] = (struct bl_idle_state){ .name = "C6", .after_ns = 600000 };
    cap(t, 105, 1);
    open_steady(t, 1, 1000000, 1);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 400000);
    test_world_free(t);
}

/* What the idle power of two hosts, 160 W, leaves of 300 W goes half and half:
 * 150 W each. The first host of a rack of three times 8 GHz and once 4 GHz has
 * twice as much as the last one. */
static void test_caps_hold_from_the_start(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(4, "performance", &p);
    const uint64_t *has;

    (void)state;
    t->dc.host_group[0].host_count = 3;
    t->dc.host_group_count = 2;
    t->dc.host_group[1] = t->dc.host_group[0];
    t->dc.host_group[1].host_count = 1;
    t->dc.host_group[1].core_count = 2;
    cap(t, 390, 0);
    open_steady(t, 1, 1000000, 1);
    has = t->w->ops->observe(t->w)->host.power_cap_mw;
    assert_int_equal(has[0], 80000 + 20000);
    assert_int_equal(has[2], 80000 + 20000);
    assert_int_equal(has[3], 80000 + 10000);
    /* what one gives up, another may have */
    assert_int_equal(budget(t, 1, 101), BL_VERDICT_NO_POWER);
    assert_int_equal(budget(t, 0, 80), BL_VERDICT_OK);
    assert_int_equal(budget(t, 1, 120), BL_VERDICT_OK);
    assert_int_equal(budget(t, 2, 101), BL_VERDICT_NO_POWER);
    test_world_free(t);
}

/* The least of both caps: 120 W a host, and 210 W for two of them. */
static void test_a_host_under_two_caps(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "performance", &p);
    const struct bl_result *r;

    (void)state;
    cap(t, 120, 1);
    cap(t, 210, 0);
    open_steady(t, 1, 1000000, 1);
    assert_int_equal(t->w->ops->observe(t->w)->host.power_cap_mw[0], 105000);
    assert_int_equal(budget(t, 1, 80), BL_VERDICT_OK);
    assert_int_equal(budget(t, 0, 121), BL_VERDICT_NO_POWER);
    assert_int_equal(budget(t, 0, 120), BL_VERDICT_OK);
    r = test_world_finish(t);
    assert_int_equal(r->cap[0].racks, 2);
    assert_int_equal(r->cap[1].racks, 1);
    assert_int_equal(r->cap[1].hosts, 2);
    assert_near(r->cap[0].worst_w, 100, 0);
    assert_near(r->cap[1].worst_w, 180, 0);
    test_world_free(t);
}

/* 150 W to fall asleep, 200 W to wake: no transition without its budget. */
static void test_transitions_need_their_budget(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "performance", &p);
    const struct bl_host_table *h;

    (void)state;
    cap(t, 350, 0);
    open_steady(t, 1, 500000, 2);
    test_world_go(t, 0);
    h = &t->w->ops->observe(t->w)->host;
    assert_int_equal(h->power_min_mw[1], 80000);
    assert_int_equal(budget(t, 1, 149), BL_VERDICT_OK);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1),
                     BL_VERDICT_NO_POWER);
    assert_int_equal(budget(t, 1, 150), BL_VERDICT_OK);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1),
                     BL_VERDICT_OK);
    assert_int_equal(h->power_min_mw[1], 150000);
    assert_int_equal(budget(t, 1, 149), BL_VERDICT_NO_POWER);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_NO_POWER); /* it would wake at once */
    test_world_go(t, 60 * TEST_S);
    assert_int_equal(h->power_min_mw[1], 10000);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_NO_POWER);
    assert_int_equal(budget(t, 1, 200), BL_VERDICT_NO_POWER);
    assert_int_equal(budget(t, 0, 120), BL_VERDICT_OK);
    assert_int_equal(budget(t, 1, 200), BL_VERDICT_OK);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_OK);
    assert_int_equal(h->power_min_mw[1], 200000);
    test_world_go(t, 90 * TEST_S);
    assert_int_equal(h->power_min_mw[1], 80000);
    test_world_free(t);
}

/* A host that is to wake as soon as it sleeps keeps what that will take. */
static void test_a_wake_that_waits_keeps_its_budget(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "performance", &p);
    const struct bl_host_table *h;

    (void)state;
    cap(t, 400, 0);
    open_steady(t, 1, 0, 1);
    test_world_go(t, 0);
    h = &t->w->ops->observe(t->w)->host;
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1),
                     BL_VERDICT_OK);
    assert_int_equal(h->power_min_mw[1], 150000);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_LATER);
    assert_int_equal(h->power_min_mw[1], 200000);
    assert_int_equal(budget(t, 1, 199), BL_VERDICT_NO_POWER);
    test_world_go(t, 60 * TEST_S);
    assert_int_equal(h->state[1], BL_HOST_LEAVING);
    assert_int_equal(inside(t)->host[1].power_mw, 200000);
    test_world_free(t);
}

/* A sleep that waits for the last VM keeps what it will take. */
static void test_a_sleep_that_waits_keeps_its_budget(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "performance", &p);
    const struct bl_host_table *h;

    (void)state;
    cap(t, 400, 0);
    open_steady(t, 1, 0, 1);
    test_world_go(t, 0);
    h = &t->w->ops->observe(t->w)->host;
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 0),
                     BL_VERDICT_LATER);
    assert_int_equal(h->power_min_mw[0], 150000);
    assert_int_equal(budget(t, 0, 149), BL_VERDICT_NO_POWER);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 0),
                     BL_VERDICT_OK); /* called off */
    assert_int_equal(h->power_min_mw[0], 80000);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 0),
                     BL_VERDICT_LATER);
    test_world_go(t, 10 * TEST_S); /* it has left */
    assert_int_equal(h->state[0], BL_HOST_ENTERING);
    test_world_free(t);
}

/* Full power always, as far as the budget goes; migrations under a budget that
 * leaves them nothing still get through. */
static void test_unmanaged_and_copying_hosts_keep_to_it(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "schedutil", &p);

    (void)state;
    cap(t, 300, 0);
    open_steady(t, 1, 500000, 1);
    test_world_go(t, 0);
    assert_int_equal(test_world_act(t, BL_ACTION_POWER_UNMANAGED, BL_NONE, 0),
                     BL_VERDICT_OK);
    test_world_go(t, 1);
    assert_int_equal(inside(t)->host[0].power_mw, 150000);
    assert_int_equal(budget(t, 0, 90), BL_VERDICT_OK);
    test_world_go(t, 2);
    assert_int_equal(inside(t)->host[0].power_mw, 90000);
    assert_int_equal(budget(t, 0, 80), BL_VERDICT_OK);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 3);
    assert_int_equal(inside(t)->host[0].copy_khz, 0);
    assert_int_equal(inside(t)->host[0].power_mw, 80000);
    test_world_go(t, 20 * TEST_S);
    assert_int_equal(inside(t)->move_count, 0);
    assert_int_equal(gets_khz(t, 0), 2000000);
    test_world_free(t);
}

/* ---- errors
 * -------------------------------------------------------------------- */

static void test_what_cannot_be(void **state)
{
    struct bl_params p;
    struct test_world *t = two_speeds(2, "performance", &p);
    const struct test_vm vm = { .steps = 2 };
    struct bl_diag diag = { "" };

    (void)state;
    cap(t, 159, 0);
    t->dc.cap[0].line = 7;
    t->trace = test_trace_open(&(struct test_trace){
        .vm = &vm, .vm_count = 1, .step_count = 1, .step_ns = TEST_STEP_NS });
    t->opts.dc = &t->dc;
    t->opts.trace = t->trace;
    assert_ok(bl_arena_init(&t->arena, 1 << 24));
    assert_int_equal(bl_sim_create(&t->arena, &t->opts, &t->sim, &diag),
                     BL_ERR_INVAL);
    assert_non_null(strstr(diag.text,
                           "'rack' of 159.0 W, expected at least "
                           "160.0 W: what its 2 hosts draw idle"));
    for (long fail = 0;; fail++) { /* each allocation, in turn */
        bl_err e;

        bl_arena_free(&t->arena);
        assert_ok(bl_arena_init(&t->arena, 1 << 24));
        t->dc.cap[0].mw = 160000;
        t->arena.fail_after = fail;
        e = bl_sim_create(&t->arena, &t->opts, &t->sim, &diag);
        assert_ok(bl_trace_rewind(t->trace, &diag));
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
    }
    test_world_free(t);
    t = test_world_new(2); /* no cap: no such action */
    open_steady(t, 1, 0, 1);
    assert_int_equal(budget(t, 0, 100), BL_VERDICT_NO_SUCH_ACTION);
    test_world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_governor_by_hand),
        cmocka_unit_test(test_what_is_lost_to_speed),
        cmocka_unit_test(test_what_is_reserved_and_not_served),
        cmocka_unit_test(test_a_reservation_keeps_the_speed_up),
        cmocka_unit_test(test_serve_is_what_a_host_could_do),
        cmocka_unit_test(test_a_capped_host_by_hand),
        cmocka_unit_test(test_a_reserved_core_under_a_cap),
        cmocka_unit_test(test_a_reservation_under_a_cap),
        cmocka_unit_test(test_a_governor_keeps_what_the_budget_has),
        cmocka_unit_test(test_idle_states_are_left_out),
        cmocka_unit_test(test_caps_hold_from_the_start),
        cmocka_unit_test(test_a_host_under_two_caps),
        cmocka_unit_test(test_transitions_need_their_budget),
        cmocka_unit_test(test_a_wake_that_waits_keeps_its_budget),
        cmocka_unit_test(test_a_sleep_that_waits_keeps_its_budget),
        cmocka_unit_test(test_unmanaged_and_copying_hosts_keep_to_it),
        cmocka_unit_test(test_what_cannot_be),
    };

    return cmocka_run_group_tests_name("real_speed", tests, test_group_setup,
                                       NULL);
}
