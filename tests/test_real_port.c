/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_real_port - the physics profile `real` as a manager meets it: actions
 * that wait, that are refused, memory, and what can be measured.
 */
#include "tests/support_real.h"

/* ---- actions that wait
 * ------------------------------------------------------------------ */

/* A host whose only VM is on its way out goes to sleep when it has left. */
static void test_sleep_waits_for_the_last_vm(void **state)
{
    struct test_world *t = test_world_new(2);

    (void)state;
    open_steady(t, 1, 0, 1);
    test_world_go(t, 0);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 0),
                     BL_VERDICT_HOST_BUSY);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 0),
                     BL_VERDICT_LATER);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 0),
                     BL_VERDICT_HOST_BUSY);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 1),
                     BL_VERDICT_HOST_BUSY); /* one comes in */
    test_world_go(t, 10 * TEST_S);
    assert_int_equal(t->w->ops->observe(t->w)->host.state[0], BL_HOST_ENTERING);
    test_world_go(t, 130 * TEST_S);
    assert_int_equal(t->w->ops->observe(t->w)->host.state[0], BL_HOST_OFF);
    test_world_free(t);
}

/* Or when the VM departs on its way. */
static void test_sleep_waits_for_a_departure(void **state)
{
    const struct test_vm vm = { .steps = 1 };
    struct test_world *t = test_world_new(2);

    (void)state;
    test_world_open(t, &(struct test_trace){ .vm = &vm,
                                             .vm_count = 1,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 299 * TEST_S);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 0),
                     BL_VERDICT_LATER);
    test_world_go(t, 300 * TEST_S);
    assert_int_equal(t->w->ops->observe(t->w)->host.state[0], BL_HOST_ENTERING);
    test_world_free(t);
}

/* The same host, but wanted again before: the newer action wins, and holds
 * also when the host is empty later. */
static void test_sleep_is_called_off(void **state)
{
    static const enum bl_action_kind again[] = { BL_ACTION_MIGRATE,
                                                 BL_ACTION_PLACE,
                                                 BL_ACTION_HOST_ON };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct test_world *t = test_world_new(2);

        t->home[1] = i == 1 ? BL_NONE : 1;
        open_steady(t, 2, 0, 1);
        test_world_go(t, 0);
        (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
        assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 0),
                         BL_VERDICT_LATER);
        assert_int_equal(test_world_act(t, again[i], i == 2 ? BL_NONE : 1, 0),
                         BL_VERDICT_OK);
        test_world_go(t, 100 * TEST_S);
        if (i < 2)
            assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 1, 1),
                             BL_VERDICT_OK);
        test_world_go(t, 200 * TEST_S);
        assert_int_equal(inside(t)->host[0].vms, 0);
        assert_int_equal(t->w->ops->observe(t->w)->host.state[0], BL_HOST_ON);
        test_world_free(t);
    }
}

/* Waking while falling asleep waits; so does a VM that is placed there, and a
 * VM that is to migrate there keeps running where it is meanwhile. Standby is
 * entered until 60, left until 90; the copy takes 10 s more. */
static void test_work_waits_for_its_host(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    t->home[1] = BL_NONE;
    open_steady(t, 2, 0, 1);
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1);
    test_world_go(t, 20 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 1, 1),
                     BL_VERDICT_HOST_STATE);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_LATER);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_HOST_BUSY);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 1, 1),
                     BL_VERDICT_LATER);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1),
                     BL_VERDICT_LATER);
    assert_int_equal(inside(t)->host[1].coming, 1); /* room is kept */
    test_world_go(t, 61 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 1, 0),
                     BL_VERDICT_HOST_STATE); /* it does not run yet */
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1),
                     BL_VERDICT_HOST_BUSY);
    test_world_go(t, 100 * TEST_S - 1);
    assert_int_equal(t->event_count[BL_EVENT_HOST_CHANGED], 1);
    assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 0);
    test_world_go(t, 100 * TEST_S);
    assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 1);
    r = test_world_finish(t);
    assert_int_equal(r->host[1].active_ns, 210 * TEST_S);
    assert_int_equal(r->host[1].vms_max, 2);
    test_world_free(t);
}

/* Nobody placed it until 100; then on a host that wakes until 130. */
static void test_waiting_is_a_cause_of_its_own(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    t->home[0] = BL_NONE;
    t->dc.host_group[0].standby.enter.time_ns = 0;
    open_steady(t, 1, 1000000, 1);
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1);
    test_world_go(t, 100 * TEST_S);
    (void)test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 0, 1),
                     BL_VERDICT_LATER);
    r = test_world_finish(t);
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_WAITING],
                     130 * 4000);
    assert_int_equal(r->class_[0].demand_mcycles, 300 * 4000);
    assert_int_equal(r->worst[0].worst_host, BL_NONE);
    assert_int_equal(r->worst[0].worst_at_ns, 0);
    assert_true(r->slatah == 0 && r->pdm == 0); /* no host let it down */
    test_world_free(t);
}

/* ---- refusals
 * ----------------------------------------------------------------------------
 */

/* Host 0: VM 0, host 1: VM 1 on its way to 0, host 2 asleep, 3 falling asleep,
 * 4 waking, 5 empty; VM 2 pending, slot 3 empty. */
static void test_refusals(void **state)
{
    static const struct {
        const char *what;
        enum bl_action_kind kind;
        uint32_t vm, host;
        enum bl_verdict want;
    } rows[] = {
        { "no host", BL_ACTION_PLACE, 2, 6, BL_VERDICT_NO_SUCH_HOST },
        { "no host", BL_ACTION_HOST_OFF, BL_NONE, 6, BL_VERDICT_NO_SUCH_HOST },
        { "no VM", BL_ACTION_PLACE, 4, 0, BL_VERDICT_NO_SUCH_VM },
        { "no VM", BL_ACTION_MIGRATE, BL_NONE, 0, BL_VERDICT_NO_SUCH_VM },
        { "empty slot", BL_ACTION_PLACE, 3, 0, BL_VERDICT_VM_STATE },
        { "placed already", BL_ACTION_PLACE, 0, 0, BL_VERDICT_VM_STATE },
        { "not placed", BL_ACTION_MIGRATE, 2, 0, BL_VERDICT_VM_STATE },
        { "migrating", BL_ACTION_MIGRATE, 1, 5, BL_VERDICT_VM_BUSY },
        { "there", BL_ACTION_MIGRATE, 0, 0, BL_VERDICT_SAME_HOST },
        { "to sleep", BL_ACTION_PLACE, 2, 2, BL_VERDICT_HOST_STATE },
        { "to sleep", BL_ACTION_MIGRATE, 0, 2, BL_VERDICT_HOST_STATE },
        { "falls asleep", BL_ACTION_MIGRATE, 0, 3, BL_VERDICT_HOST_STATE },
        { "asleep", BL_ACTION_HOST_OFF, BL_NONE, 2, BL_VERDICT_HOST_STATE },
        { "asleep", BL_ACTION_HOST_STANDBY, 0, 2, BL_VERDICT_HOST_STATE },
        { "changing", BL_ACTION_HOST_OFF, 0, 3, BL_VERDICT_HOST_BUSY },
        { "changing", BL_ACTION_HOST_OFF, 0, 4, BL_VERDICT_HOST_BUSY },
        { "waking", BL_ACTION_HOST_ON, 0, 4, BL_VERDICT_HOST_BUSY },
        { "on", BL_ACTION_HOST_ON, 0, 5, BL_VERDICT_HOST_STATE },
        { "has VMs", BL_ACTION_HOST_OFF, 0, 0, BL_VERDICT_HOST_BUSY },
        { "no action", BL_ACTION_COUNT, 0, 0, BL_VERDICT_NO_SUCH_ACTION },
    };
    static const struct test_vm vm[] = { { .steps = 3 },
                                         { .steps = 3 },
                                         { .steps = 3 },
                                         { .arrive = 1, .steps = 2 } };
    struct test_world *t = test_world_new(6);

    (void)state;
    t->home[1] = 1;
    t->home[2] = BL_NONE;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 4,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 2);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 4);
    test_world_go(t, 60 * TEST_S);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 3);
    (void)test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 4);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 1, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint64_t stamp = inside(t)->dirty_count;

        print_message("    row: %s\n", rows[i].what);
        assert_int_equal(
            test_world_act(t, rows[i].kind, rows[i].vm, rows[i].host),
            rows[i].want);
        assert_int_equal(inside(t)->dirty_count, stamp); /* nothing changed */
    }
    test_world_free(t);
}

/* ---- memory
 * --------------------------------------------------------------------------------
 */

/* VMs of 5 GB on hosts of 8 GB: 60 % used is 3 GB, so two fit. When both
 * use all of it, 2 GB are lacking, half for each, and a third is refused. */
static void test_memory_is_enforced(void **state)
{
    static const uint32_t mem[] = { 600000, 1000000 };
    const struct test_vm vm[] = { { .steps = 3, .mem = mem },
                                  { .steps = 3, .mem = mem },
                                  { .steps = 3, .mem = mem } };
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    t->dc.vm_group[0].mem_bytes = 5 * TEST_GB;
    t->home[2] = BL_NONE;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 3,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS,
                                             .has_mem = true });
    test_world_go(t, 0);
    assert_int_equal(t->w->ops->observe(t->w)->host.mem_used_bytes[0],
                     6 * TEST_GB);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 2, 0),
                     BL_VERDICT_NO_MEMORY);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 2, 1), BL_VERDICT_OK);
    test_world_go(t, TEST_STEP_NS);
    assert_int_equal(inside(t)->host[0].mem_have_bytes, 8 * TEST_GB);
    assert_int_equal(inside(t)->rare[0].mem_short_bytes, TEST_GB);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1),
                     BL_VERDICT_NO_MEMORY);
    r = test_world_finish(t);
    assert_int_equal(r->class_[0].mem_unserved_mib_s,
                     2 * (300 * TEST_GB / (1 << 20)));
    assert_near(r->mem_unserved_ppm, 1e6 * 2 * 300 / (300 * (9 + 15)), 1e-9);
    assert_true(r->unserved_ppm == 0);
    test_world_free(t);
}

/* Room for a VM on its way is taken at once, and given back if it never
 * arrives. */
static void test_memory_is_reserved_at_the_target(void **state)
{
    static const struct test_vm vm[] = { { .steps = 1, .mem_ppm = 1000000 },
                                         { .steps = 3, .mem_ppm = 1000000 } };
    struct test_world *t = test_world_new(2);

    (void)state;
    t->dc.vm_group[0].mem_bytes = 5 * TEST_GB;
    t->home[1] = BL_NONE;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 2,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS,
                                             .has_mem = true });
    test_world_go(t, 299 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1), BL_VERDICT_OK);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 1, 1),
                     BL_VERDICT_NO_MEMORY);
    test_world_go(t, 300 * TEST_S); /* VM 0 departs on its way */
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 1, 1), BL_VERDICT_OK);
    test_world_free(t);
}

/* ---- what a manager sees
 * ---------------------------------------------------------------------- */

/* Steps of 300 s, control every 600 s. VM 0 wants 1 and 3 GHz, VM 1 all of
 * its 4 GHz always: both fit, so each shows its mean. */
static void test_observed_demand_is_the_mean(void **state)
{
    static const uint32_t cpu[] = { 250000, 750000, 0 };
    const struct test_vm vm[] = { { .steps = 4, .cpu = cpu },
                                  { .steps = 4, .cpu_ppm = 1000000 } };
    struct test_world *t = test_world_new(1);
    const struct bl_snapshot *s;

    (void)state;
    t->opts.interval_ns = 2 * TEST_STEP_NS;
    t->opts.history_count = 3;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 2,
                                             .step_count = 3,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 300 * TEST_S);
    s = t->w->ops->observe(t->w);
    assert_true(s->vm.demand_mhz[0] == 4000); /* its size: nothing seen yet */
    assert_true(s->vm.util[0] == 1);
    assert_true(s->host.util[0] == 0);
    assert_true(s->host.served_mhz[0] == 8000 && s->host.free_mhz[0] == 0);
    test_world_go(t, 600 * TEST_S);
    s = t->w->ops->observe(t->w);
    assert_true(s->vm.demand_mhz[0] == 2000 && s->vm.util[0] == 0.5);
    assert_true(s->vm.demand_mhz[1] == 4000);
    assert_true(s->host.util[0] == 0.75);
    assert_true(s->host.served_mhz[0] == 6000 && s->host.free_mhz[0] == 2000);
    assert_int_equal(s->history.count[0], 1);
    assert_true(s->history.sample[s->history.offset] == 0.5);
    test_world_free(t);
}

/* Pending at first, then placed in the middle of an interval or at its end: a
 * VM shows its size (4 GHz) until it has run for a whole one, and then what it
 * did in that one. */
static void test_the_first_interval_is_a_whole_one(void **state)
{
    static const int64_t placed_s[] = { 100, 300 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct test_world *t = test_world_new(1);

        t->home[0] = BL_NONE;
        open_steady(t, 1, 250000, 3);
        test_world_go(t, placed_s[i] * TEST_S);
        (void)test_world_act(t, BL_ACTION_PLACE, 0, 0);
        test_world_go(t, 300 * TEST_S);
        assert_true(t->w->ops->observe(t->w)->vm.demand_mhz[0] == 4000);
        test_world_go(t, 600 * TEST_S);
        assert_true(t->w->ops->observe(t->w)->vm.demand_mhz[0] == 1000);
        test_world_free(t);
    }
}

/* A VM on its way is measured where it runs, and only there. */
static void test_a_migrating_vm_is_measured_once(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_snapshot *s;

    (void)state;
    open_steady(t, 1, 500000, 3);
    test_world_go(t, 595 * TEST_S);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 600 * TEST_S);
    s = t->w->ops->observe(t->w);
    assert_int_equal(s->in_flight_count, 1);
    assert_true(s->vm.demand_mhz[0] == 2000);
    assert_true(s->host.served_mhz[0] == 2000);
    assert_true(s->host.served_mhz[1] == 0);
    /* a quarter, and 1 of 8 GHz for 5 of 300 s */
    assert_near(s->host.util[0], 0.25 + 0.125 * 5 / 300, 1e-6);
    assert_near(s->host.util[1], 0.125 * 5 / 300, 1e-6);
    test_world_go(t, 620 * TEST_S); /* it has arrived */
    s = t->w->ops->observe(t->w);
    assert_int_equal(s->in_flight_count, 0);
    assert_true(s->host.served_mhz[0] == 0 && s->host.served_mhz[1] == 2000);
    test_world_free(t);
}

/* Both want 3 of 2 GHz each: each is runnable all the time, and shows what it
 * could use at most. The oracle knows better. */
static void test_ready_time_shows_as_demand(void **state)
{
    (void)state;
    for (int oracle = 0; oracle < 2; oracle++) {
        struct test_world *t = test_world_new(1);
        const struct bl_snapshot *s;

        t->opts.demand_oracle = oracle == 1;
        t->dc.host_group[0].core_count = 2;
        open_steady(t, 2, 750000, 2);
        test_world_go(t, TEST_STEP_NS);
        s = t->w->ops->observe(t->w);
        assert_true(s->demand_is_oracle == (oracle == 1));
        assert_true(s->vm.demand_mhz[0] == (oracle ? 3000 : 4000));
        assert_true(s->host.util[0] == 1);
        assert_true(s->host.free_mhz[0] == 0);
        test_world_free(t);
    }
}

/* Downtime is no ready time: a stopped VM cannot be runnable. 2 GHz, of which
 * 25 ms were missed. */
static void test_downtime_is_not_demand(void **state)
{
    struct test_world *t = test_world_new(2);

    (void)state;
    open_steady(t, 1, 500000, 2);
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, TEST_STEP_NS);
    assert_true(t->w->ops->observe(t->w)->vm.demand_mhz[0] ==
                (double)(2000000 - 167) / 1000); /* 166.67 kHz less */
    test_world_free(t);
}

/* serve() is the rule by which hosts share: own cap, limit, capacity. */
static void test_serve_is_the_sharing_rule(void **state)
{
    static const uint32_t all[] = { 0, 1 };
    struct test_world *t = test_world_new(1);
    const struct bl_snapshot *s;
    double free_mhz;

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[1].cpu.limit = 1000000;
    open_steady(t, 2, 1000000, 1);
    test_world_go(t, 0);
    s = t->w->ops->observe(t->w);
    assert_true(s->serve(s, 0, all, 2, &free_mhz) == 5000);
    assert_true(free_mhz == 3000);
    assert_true(s->serve(s, 0, all, 0, &free_mhz) == 0 && free_mhz == 8000);
    test_world_free(t);
}

/* ---- warm-up, failure
 * ---------------------------------------------------------------------------
 */

/* The first 350 s do not count: a migration that began in them goes on. */
static void test_warmup_is_not_counted(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    t->opts.warmup_ns = 350 * TEST_S;
    open_steady(t, 1, 500000, 2);
    test_world_go(t, 340 * TEST_S);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    r = test_world_finish(t);
    assert_int_equal(r->steps, 1);
    assert_int_equal(r->warmup_ns, 350 * TEST_S);
    assert_true(r->floor_cycle_kwh <= 0); /* not known */
    assert_int_equal(r->simulated_ns, 250 * TEST_S);
    assert_int_equal(r->step[0].at_ns, 350 * TEST_S);
    assert_int_equal(r->migrations, 0);
    assert_int_equal(r->downtime_ns, 25000000); /* from 350.5 on */
    assert_int_equal(energy_uj(t, 0),
                     J(0.5 * 137.5 + 0.025 * 112.5 + 249.475 * 100));
    assert_near(r->demand_mcycles, 250 * 2000, 0);
    test_world_free(t);
}

/* It ends in the middle of the downtime and of an interval; a host that goes
 * to sleep at 400 s was on for less than 50 s of what counts. */
static void test_warmup_ends_anywhere(void **state)
{
    struct test_world *t = test_world_new(3);
    const struct bl_result *r;

    (void)state;
    t->opts.warmup_ns = 350510 * TEST_S / 1000;
    t->opts.interval_ns = 2 * TEST_STEP_NS;
    open_steady(t, 1, 500000, 3);
    test_world_go(t, 340 * TEST_S);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 400 * TEST_S);
    (void)test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 2);
    test_world_go(t, 600 * TEST_S);
    assert_true(t->w->ops->observe(t->w)->vm.demand_mhz[0] ==
                (double)(2000000 - 84) / 1000); /* 25 ms of 600 s missing */
    r = test_world_finish(t);
    assert_int_equal(r->downtime_ns, 15000000);
    assert_int_equal(r->host_off_count, 1);
    assert_near(r->before_shutdown_s, 49.49, 1e-9);
    test_world_free(t);
}

static void test_create_survives_every_allocation_failure(void **state)
{
    const struct test_vm vm = { .steps = 2 };
    struct test_world *t = test_world_new(2);
    long n = 0;

    (void)state;
    test_world_open(t, &(struct test_trace){ .vm = &vm,
                                             .vm_count = 1,
                                             .step_count = 1,
                                             .step_ns = TEST_STEP_NS });
    for (;; n++) {
        struct bl_arena a;
        struct bl_sim *sim = NULL;
        struct bl_diag diag = { .text = "" };
        bl_err e;

        assert_ok(bl_arena_init(&a, 1 << 26));
        a.fail_after = n;
        e = bl_sim_create(&a, &t->opts, &sim, &diag);
        bl_arena_free(&a);
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_null(sim);
        assert_true(diag.text[0] != '\0');
    }
    assert_in_range(n, 30, 100);
    test_world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sleep_waits_for_the_last_vm),
        cmocka_unit_test(test_sleep_waits_for_a_departure),
        cmocka_unit_test(test_sleep_is_called_off),
        cmocka_unit_test(test_work_waits_for_its_host),
        cmocka_unit_test(test_waiting_is_a_cause_of_its_own),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_memory_is_enforced),
        cmocka_unit_test(test_memory_is_reserved_at_the_target),
        cmocka_unit_test(test_observed_demand_is_the_mean),
        cmocka_unit_test(test_the_first_interval_is_a_whole_one),
        cmocka_unit_test(test_a_migrating_vm_is_measured_once),
        cmocka_unit_test(test_ready_time_shows_as_demand),
        cmocka_unit_test(test_downtime_is_not_demand),
        cmocka_unit_test(test_serve_is_the_sharing_rule),
        cmocka_unit_test(test_warmup_is_not_counted),
        cmocka_unit_test(test_warmup_ends_anywhere),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("real_port", tests, test_group_setup,
                                       NULL);
}
