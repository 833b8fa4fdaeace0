/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_consolidate - the plans of the consolidation family where sleeping is an
 * action and memory is real. Its arithmetic is in test_overload, test_select
 * and test_pabfd; its figures under the published physics in test_cloudsim303.
 *
 * Order: plans worked out by hand, then random worlds in which nothing that any
 * of the family plans may be refused.
 */
#include "tests/support_script.h"

#include "manager/registry.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct planner {
    struct test_table *t;
    struct bl_overlay *ov;
    const struct bl_policy *policy;
    struct bl_params params;
    void *state;
    struct bl_plan plan;
};

static struct planner planner_new(uint32_t hosts, const char *spec)
{
    struct planner p = { .t = test_table_new(hosts, 16, BL_HISTORY_MAX) };
    struct bl_diag diag;
    const struct bl_policy_env env = { .dc = &p.t->dc,
                                       .host_count = hosts,
                                       .vm_slot_count = 16,
                                       .params = &p.params,
                                       .seed = 1 };

    assert_ok(bl_registry_find(spec, NULL, 0, &p.policy, &p.params, &diag));
    assert_ok(
        bl_overlay_create(&p.t->arena, hosts, p.t->c.resident_max, 128, &p.ov));
    assert_ok(bl_plan_create(&p.t->arena, 128, &p.plan));
    assert_ok(p.policy->create(&p.t->arena, &env, &p.state));
    return p;
}

static void step(struct planner *p)
{
    p->plan.count = 0;
    test_table_look(p->t);
    bl_overlay_reset(p->ov, &p->t->s);
    p->policy->step(p->state, &p->t->s, p->ov, &p->plan);
    p->policy->check(p->state);
    bl_overlay_check(p->ov);
    assert_int_equal(bl_overlay_mark(p->ov), 0); /* as it found it */
    assert_int_equal(p->plan.dropped_count, 0);
}

/* "migrate 3 0>2", "host-on 2": one action in words. */
static void expect_action(const struct planner *p, uint32_t i, const char *want)
{
    const struct bl_action *a;
    char got[64];

    assert_true(i < p->plan.count);
    a = &p->plan.action[i];
    if (a->kind == BL_ACTION_MIGRATE)
        snprintf(got, sizeof(got), "migrate %u %u>%u", a->vm, a->source,
                 a->host);
    else if (a->kind == BL_ACTION_PLACE)
        snprintf(got, sizeof(got), "place %u %u", a->vm, a->host);
    else
        snprintf(got, sizeof(got), "%s %u", bl_action_name(a->kind), a->host);
    assert_string_equal(got, want);
}

static void expect_plan(const struct planner *p, const char *const *want,
                        uint32_t count)
{
    assert_int_equal(p->plan.count, count);
    for (uint32_t i = 0; i < count; i++)
        expect_action(p, i, want[i]);
}

#define PLAN(p, ...)                                                           \
    expect_plan((p), (const char *const[]){ __VA_ARGS__ },                     \
                sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* ---- by hand: hosts 0, 2 ... have 4000 MHz, 1, 3 ... 12000 --------------- */

/* Host 0 is above 80 %: the VM with the least memory leaves, to host 1, where
 * power rises least. Host 3 has nothing and goes to sleep; host 2 does. */
static void test_relieve_an_overloaded_host(void **state)
{
    struct planner p = planner_new(4, "thr-mmt-0.8");

    (void)state;
    test_table_put(p.t, 1, 0, 1500); /* 2 GiB */
    test_table_put(p.t, 0, 0, 900);  /* 1 GiB */
    test_table_put(p.t, 5, 0, 1000); /* 2 GiB */
    test_table_put(p.t, 3, 1, 7000);
    test_table_state(p.t, 2, BL_HOST_STANDBY);
    step(&p);
    PLAN(&p, "migrate 0 0>1", "host-standby 3");
    assert_int_equal(p.plan.action[0].reason, BL_REASON_OVERLOAD);
    assert_true(p.plan.action[0].figure[0] == 3400.0 / 4000); /* level */
    assert_true(p.plan.action[0].figure[1] == 0.8);           /* threshold */
    assert_int_equal(p.plan.action[1].reason, BL_REASON_EMPTIED);
    test_table_free(p.t);
}

/* Of two little-used hosts the less used one is emptied onto the other. */
static void test_empty_the_least_used_host(void **state)
{
    struct planner p = planner_new(4, "thr-mmt-0.8");

    (void)state;
    test_table_put(p.t, 0, 1, 600);
    test_table_put(p.t, 1, 1, 300);
    test_table_put(p.t, 2, 3, 2400);
    test_table_state(p.t, 0, BL_HOST_OFF);
    test_table_state(p.t, 2, BL_HOST_ENTERING);
    step(&p);
    /* the larger VM first; and host 3 stays, for it has just been given some */
    PLAN(&p, "migrate 0 1>3", "migrate 1 1>3", "host-standby 1");
    assert_int_equal(p.plan.action[0].reason, BL_REASON_UNDERLOAD);
    assert_true(p.plan.action[0].figure[0] == 900.0 / 12000);
    assert_true(p.plan.action[2].figure[1] == 2); /* VMs moved away */
    test_table_free(p.t);
}

/* One of its VMs fits nowhere else: all stay, and nothing else has moved. */
static void test_all_or_none(void **state)
{
    struct planner p = planner_new(2, "thr-mmt-0.8");

    (void)state;
    test_table_put(p.t, 2, 1, 100);
    test_table_put(p.t, 3, 1, 200); /* 4 GiB */
    test_table_put(p.t, 1, 0, 900);
    test_table_put(p.t, 5, 0, 900);
    p.t->c.cpu[3].reservation = 0;              /* more than host 0 has */
    p.t->c.vm_mem_used_bytes[3] = 5 * TEST_GIB; /* 4 of 8 are in use there */
    step(&p);
    assert_int_equal(p.plan.count, 0);
    p.t->c.vm_mem_used_bytes[3] = 2 * TEST_GIB;
    step(&p);
    assert_int_equal(p.plan.count, 3);
    test_table_free(p.t);
}

/* What was tried in vain leaves nothing behind: no host is woken for it, and
 * the next host to be emptied finds all the room there is. */
static void test_none_is_as_if_never_tried(void **state)
{
    struct planner p = planner_new(2, "thr-mmt-0.8");

    (void)state;
    test_table_put(p.t, 0, 0, 600);
    test_table_put(p.t, 4, 0, 100);
    p.t->c.vm_mem_used_bytes[4] = 17 * TEST_GIB; /* no host has that */
    test_table_state(p.t, 1, BL_HOST_STANDBY);
    step(&p);
    assert_int_equal(p.plan.count, 0);
    test_table_free(p.t);

    p = planner_new(3, "thr-mmt-1");
    test_table_put(p.t, 0, 0, 600);
    test_table_put(p.t, 4, 0, 100);
    p.t->c.vm_mem_used_bytes[4] = 17 * TEST_GIB;
    test_table_put(p.t, 8, 2, 900);
    p.t->c.vm_mem_used_bytes[8] = 15 * TEST_GIB / 2; /* too much for VM 0 */
    test_table_put(p.t, 3, 1, 9000);
    test_table_put(p.t, 7, 1, 2000); /* 1000 MHz and 8 GiB are left */
    step(&p);
    PLAN(&p, "migrate 8 2>1", "host-standby 2");
    /* if VM 0 could go to host 2, that one would still be emptied and sleep */
    p.t->c.vm_mem_used_bytes[8] = TEST_GIB;
    step(&p);
    PLAN(&p, "migrate 8 2>1", "host-standby 2");
    test_table_free(p.t);
}

/* A host asleep is woken before the move that needs it. */
static void test_wake_before_the_move(void **state)
{
    struct planner p = planner_new(2, "thr-mmt-0.5");

    (void)state;
    test_table_put(p.t, 0, 0, 900);
    test_table_put(p.t, 1, 0, 1900);
    test_table_state(p.t, 1, BL_HOST_STANDBY);
    step(&p);
    PLAN(&p, "host-on 1", "migrate 0 0>1");
    assert_int_equal(p.plan.action[0].reason, BL_REASON_WAKE);
    assert_true(p.plan.action[0].figure[0] == 1); /* VMs coming */
    p.t->s.can &= ~BL_CAN_SWITCH_HOSTS;
    step(&p);
    assert_int_equal(p.plan.count, 0); /* nobody can wake it */
    test_table_free(p.t);
}

static void test_sleep_as_the_parameter_says(void **state)
{
    static const struct {
        const char *sleep, *want;
    } rows[] = { { "standby", "host-standby 1" },
                 { "off", "host-off 1" },
                 { "none", NULL } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct planner p = planner_new(2, "thr-mmt-0.8");
        const struct bl_policy_env env = { .dc = &p.t->dc,
                                           .host_count = 2,
                                           .vm_slot_count = 16,
                                           .params = &p.params };
        struct bl_diag diag;

        assert_ok(
            bl_params_set(&p.params, "sleep", rows[i].sleep, NULL, 0, &diag));
        assert_ok(p.policy->create(&p.t->arena, &env, &p.state));
        test_table_put(p.t, 0, 0, 900);
        test_table_put(p.t, 4, 0, 900);
        step(&p);
        if (rows[i].want != NULL)
            PLAN(&p, rows[i].want);
        else
            assert_int_equal(p.plan.count, 0);
        test_table_free(p.t);
    }
}

/* Neither a host that something migrates to, nor a VM that migrates. */
static void test_what_is_in_flight_is_left_alone(void **state)
{
    struct planner p = planner_new(2, "thr-mmt-0.8");

    (void)state;
    test_table_put(p.t, 0, 1, 900);
    test_table_put(p.t, 4, 1, 900);
    test_table_migrate(p.t, 0, 0);
    step(&p);
    PLAN(&p, "migrate 4 1>0", "host-standby 1");
    test_table_migrate(p.t, 4, 0);
    step(&p);
    assert_int_equal(p.plan.count, 0); /* that has been asked for */
    test_table_land(p.t, 0);
    test_table_land(p.t, 4);
    step(&p);
    PLAN(&p, "host-standby 1"); /* unless the world has forgotten */
    test_table_free(p.t);
}

/* A host that was just relieved onto is not emptied where a VM moves once. */
static void test_nobody_is_planned_twice(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct planner p = planner_new(9, "thr-mu-0.6");
    uint32_t moves = 0;

    (void)state;
    for (int instant = 0; instant < 400; instant++) {
        bool named[16] = { false };

        test_table_stir(p.t, &prng);
        step(&p);
        for (uint32_t i = 0; i < p.plan.count; i++) {
            const struct bl_action *a = &p.plan.action[i];

            if (a->kind != BL_ACTION_MIGRATE)
                continue;
            assert_false(named[a->vm]);
            named[a->vm] = true;
            moves++;
        }
    }
    assert_true(moves > 300);
    test_table_free(p.t);
}

static void test_place_wakes_a_host_once(void **state)
{
    struct planner p = planner_new(1, "thr-mmt-0.8");

    (void)state;
    test_table_state(p.t, 0, BL_HOST_OFF);
    test_table_arrive(p.t, 0);
    test_table_arrive(p.t, 4);
    p.t->c.vm_demand_mhz[0] = p.t->c.vm_demand_mhz[4] = 500;
    test_table_look(p.t);
    bl_overlay_reset(p.ov, &p.t->s);
    p.policy->place(p.state, &p.t->s, p.ov, 0, &p.plan);
    PLAN(&p, "host-on 0", "place 0 0");
    /* as the manager and the world do it */
    test_table_state(p.t, 0, BL_HOST_LEAVING);
    test_table_place(p.t, 0, 0);
    bl_overlay_refresh(p.ov, 0);
    p.plan.count = 0;
    p.policy->place(p.state, &p.t->s, p.ov, 4, &p.plan);
    PLAN(&p, "place 4 0");
    test_table_free(p.t);
}

/* What a step excluded is no concern of a VM that arrives after it. */
static void test_place_after_a_step(void **state)
{
    struct planner p = planner_new(1, "thr-mmt-0.8");

    (void)state;
    test_table_arrive(p.t, 0);
    test_table_look(p.t);
    bl_overlay_reset(p.ov, &p.t->s);
    p.policy->place(p.state, &p.t->s, p.ov, 0, &p.plan);
    p.policy->step(p.state, &p.t->s, p.ov, &p.plan);
    p.policy->place(p.state, &p.t->s, p.ov, 0, &p.plan);
    PLAN(&p, "place 0 0", "host-standby 0", "place 0 0"); /* none was done */
    test_table_free(p.t);
}

/* ---- random worlds under a manager -------------------------------------- */

static uint64_t accepted_of(const char *spec, struct bl_prng *prng)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;
    uint64_t accepted = 0;

    f->w.stir = prng;
    f->w.end_ns = 2005 * TEST_S;
    f->opts.progress = NULL;
    fixture_use(f, spec);
    c = fixture_run(f);
    for (uint32_t i = 0; i < f->entries; i++)
        if (!bl_verdict_accepted(f->journal[i].verdict))
            fail_msg("%s, at %lld s: %s VM %u from %u to %u: %s", spec,
                     (long long)(f->journal[i].at_ns / TEST_S),
                     bl_action_name(f->journal[i].action.kind),
                     f->journal[i].action.vm, f->journal[i].action.source,
                     f->journal[i].action.host,
                     bl_verdict_text(f->journal[i].verdict));
    assert_false(c->replaced);
    for (uint32_t k = 0; k < BL_ACTION_COUNT; k++)
        accepted += c->accepted[k];
    fixture_free(f);
    return accepted;
}

static void test_nothing_planned_is_ever_refused(void **state)
{
    static const char *const tests[] = { "thr", "iqr", "mad", "lr", "lrr" };
    static const char *const rules[] = { "mmt", "mc", "rs", "mu" };
    struct bl_prng prng = { test_seed() };

    (void)state;
    assert_true(accepted_of("static", &prng) > 50);
    assert_true(accepted_of("npa", &prng) > 50);
    for (size_t t = 0; t < COUNT(tests); t++) {
        for (size_t r = 0; r < COUNT(rules); r++) {
            char spec[32];

            snprintf(spec, sizeof(spec), "%s-%s", tests[t], rules[r]);
            assert_true(accepted_of(spec, &prng) > 100);
            snprintf(spec, sizeof(spec), "%s-%s-2012", tests[t], rules[r]);
            assert_true(accepted_of(spec, &prng) > 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relieve_an_overloaded_host),
        cmocka_unit_test(test_empty_the_least_used_host),
        cmocka_unit_test(test_all_or_none),
        cmocka_unit_test(test_none_is_as_if_never_tried),
        cmocka_unit_test(test_wake_before_the_move),
        cmocka_unit_test(test_sleep_as_the_parameter_says),
        cmocka_unit_test(test_what_is_in_flight_is_left_alone),
        cmocka_unit_test(test_nobody_is_planned_twice),
        cmocka_unit_test(test_place_wakes_a_host_once),
        cmocka_unit_test(test_place_after_a_step),
        cmocka_unit_test(test_nothing_planned_is_ever_refused),
    };

    return cmocka_run_group_tests_name("consolidate", tests, test_group_setup,
                                       NULL);
}
