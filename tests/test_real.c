/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_real - the physics profile `real`, by hand.
 *
 * Every expected figure here was worked out on paper from doc/models/host.md
 * and doc/models/migration.md and the standard host of support_world.h;
 * test_real_port has actions and measurements, test_real_storm random runs.
 * test_world_go() checks every invariant at every stop.
 */
#include "tests/support_real.h"

/* ---- the example
 * --------------------------------------------------------------- */

/* One VM of 4 GHz on a host of 8 GHz: half busy in the first step, all of it
 * in the second. 125 W and then 150 W, 300 s each; the other host idles. */
static void test_one_vm_draws_what_the_table_says(void **state)
{
    static const uint32_t cpu[] = { 500000, 1000000 };
    const struct test_vm vm = { .steps = 3, .cpu = cpu };
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    test_world_open(t, &(struct test_trace){ .vm = &vm,
                                             .vm_count = 1,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    r = test_world_finish(t);
    assert_int_equal(energy_uj(t, 0), J(300 * 125 + 300 * 150));
    assert_int_equal(energy_uj(t, 1), J(600 * 100));
    assert_int_equal(uj(inside(t)->sum.energy_pj), J(142500));
    assert_near(r->energy_kwh, 142500 / 3.6e6, 1e-15);
    assert_near(r->demand_mcycles, 2000 * 300 + 4000 * 300, 0);
    assert_near(r->served_mcycles, r->demand_mcycles, 0);
    assert_int_equal(r->steps, 2);
    assert_near(r->step[0].demand_mhz, 2000, 0);
    assert_near(r->step[1].served_mhz, 4000, 0);
    assert_near(r->step[0].power_w, 225, 0);
    /* the floor: 9/50 or 4000 of 8000 MHz at (200 - 2) W / 8000 MHz, all else
     * off at 2 W */
    assert_near(r->step[0].floor_w, 4 + 2000 * (198.0 / 8000), 1e-9);
    /* a quarter of a host has to wake for the second step: through standby at
     * 9 + 6 kJ, less 90 s of 2 W */
    assert_near(r->floor_cycle_kwh,
                (300 * (53.5 + 103) + 0.25 * (15000 - 180)) / 3.6e6, 1e-9);
    assert_int_equal(r->step[0].hosts_on, 2);
    assert_int_equal(r->step[0].hosts_active, 1);
    assert_int_equal(r->host[0].active_ns, 600 * TEST_S);
    assert_int_equal(r->host[1].active_ns, 0);
    assert_int_equal(r->host[1].on_ns, 600 * TEST_S);
    assert_true(r->slatah == 0 && r->pdm == 0 && r->unserved_ppm == 0);
    test_world_free(t);
}

/* ---- sharing
 * --------------------------------------------------------------------- */

/* Two VMs of 8 GHz want all of a host of 8 GHz; 2:1 of 8000000 kHz, and the
 * kHz that is left over goes to the lower id. */
static void test_shares_decide_on_a_full_host(void **state)
{
    struct test_world *t = test_world_new(1);
    const struct bl_result *r;

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[0].vcpu_count = 4;
    t->dc.vm_group[1].vcpu_count = 4;
    t->dc.vm_group[0].cpu.shares.value = BL_CPU_SHARES_HIGH;
    open_steady(t, 2, 1000000, 2);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 5333334);
    assert_int_equal(gets_khz(t, 1), 2666666);
    r = test_world_finish(t);
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_CONTENTION],
                     1599999); /* 2666.666 MHz * 600 s = 1599999.6 */
    assert_int_equal(r->class_[1].unserved_mcycles[BL_CAUSE_CONTENTION],
                     3200000); /* 5333.334 MHz * 600 s = 3200000.4 */
    assert_int_equal(r->class_[1].unserved_mcycles[BL_CAUSE_MIGRATION], 0);
    assert_near(r->unserved_ppm, 500000, 1e-6);
    assert_true(r->slatah == 1 && r->slatah_corrected == 1 && r->pdm == 0);
    assert_int_equal(r->worst_count, 2);
    assert_string_equal(r->worst[0].name, "vm-1");
    assert_int_equal(r->worst[0].worst_host, 0);
    assert_int_equal(r->worst[0].worst_at_ns, 0); /* the first of two */
    assert_int_equal(r->worst[0].worst_host_load_ppm, 2000000);
    assert_int_equal(energy_uj(t, 0), J(600 * 200));
    test_world_free(t);
}

/* The first has a limit of 1 GHz and asks for 4: 3 GHz are no demand. */
static void test_demand_above_a_limit_is_not_demand(void **state)
{
    struct test_world *t = test_world_new(1);
    const struct bl_result *r;

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[0].cpu.limit = 1000000;
    open_steady(t, 2, 1000000, 1);
    r = test_world_finish(t);
    assert_int_equal(r->class_[0].demand_mcycles, 300 * 1000);
    assert_int_equal(r->class_[0].over_limit_mcycles, 300 * 3000);
    assert_int_equal(r->class_[1].over_limit_mcycles, 0);
    assert_near(r->over_limit_mcycles, 300 * 3000, 0);
    assert_true(r->unserved_ppm == 0 && r->slatah == 0);
    test_world_free(t);
}

/* The first has 7 of 8 GHz reserved, equal shares else. */
static void test_a_reservation_is_kept(void **state)
{
    static const uint32_t busy[] = { 1000000, 250000 };
    static const uint32_t full[] = { 1000000, 1000000 };
    const struct test_vm vm[] = { { .steps = 3, .cpu = busy },
                                  { .steps = 3, .cpu = full } };
    struct test_world *t = test_world_new(1);

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[0].vcpu_count = 4;
    t->dc.vm_group[1].vcpu_count = 4;
    t->dc.vm_group[0].cpu.reservation = 7000000;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 2,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 7000000);
    assert_int_equal(gets_khz(t, 1), 1000000);
    test_world_go(t, TEST_STEP_NS); /* what it does not use is lent */
    assert_int_equal(gets_khz(t, 0), 2000000);
    assert_int_equal(gets_khz(t, 1), 6000000);
    test_world_free(t);
}

/* A vCPU of 3 GHz on cores of 2 GHz runs, and asks, at 2 GHz. */
static void test_a_vcpu_is_no_faster_than_its_core(void **state)
{
    struct test_world *t = test_world_new(1);

    (void)state;
    t->dc.vm_group[0].vcpu_khz = 3000000;
    open_steady(t, 1, 900000, 1);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 4000000); /* of 5400000 */
    assert_near(test_world_finish(t)->demand_mcycles, 300 * 4000, 0);
    test_world_free(t);
}

/* ---- migration
 * --------------------------------------------------------------------- */

/* 1.25 GB at 125 MB/s: 10 s. At half speed the VM dirties 6.25 MB/s: 62.5 MB
 * (0.5 s), then 3.125 MB, which fit in 30 ms: 25 ms of downtime. Copying takes
 * half a core at both ends: 1 of 8 GHz, 12.5 W. */
static void test_a_migration_by_hand(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    open_steady(t, 1, 500000, 1);
    test_world_go(t, 100 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1), BL_VERDICT_OK);
    test_world_go(t, 110 * TEST_S);
    assert_int_equal(inside(t)->move[0].round, 2);
    test_world_go(t, 110500 * TEST_S / 1000);
    assert_int_equal(inside(t)->move[0].phase, REAL_STOP);
    assert_int_equal(gets_khz(t, 0), 0);
    test_world_go(t, 110525 * TEST_S / 1000 - 1);
    assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 0);
    test_world_go(t, 110525 * TEST_S / 1000);
    assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 1);
    assert_int_equal(gets_khz(t, 0), 2000000);
    r = test_world_finish(t);
    assert_int_equal(r->migrations, 1);
    assert_int_equal(r->downtime_ns, 25000000);
    assert_int_equal(r->class_[0].unserved_mcycles[BL_CAUSE_MIGRATION], 50);
    assert_near(r->pdm, 50.0 / (300 * 2000), 1e-18);
    assert_near(r->slatah, 0.025 / 300, 1e-18);
    assert_int_equal(uj(inside(t)->host[0].copy_pj), J(10.525 * 12.5));
    assert_int_equal(uj(inside(t)->host[1].copy_pj), J(10.525 * 12.5));
    assert_int_equal(energy_uj(t, 0),
                     J(110.5 * 125 + 0.025 * 100 + 189.475 * 100) +
                         J(10.525 * 12.5));
    assert_int_equal(energy_uj(t, 1),
                     J(110.525 * 100 + 189.475 * 125) + J(10.525 * 12.5));
    assert_int_equal(r->host[0].migrations_out, 1);
    assert_int_equal(r->host[1].migrations_in, 1);
    assert_int_equal(r->step[0].migrations, 1);
    test_world_free(t);
}

/* An idle VM dirties nothing: one round, no downtime. A VM that dirties faster
 * than the network sends is stopped after rounds_max rounds, its working set
 * of 125 MB being sent in each but the first. */
static void test_the_two_ends_of_dirtying(void **state)
{
    static const uint32_t cpu[] = { 0, 1000000 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct test_world *t = test_world_new(2);
        const struct bl_result *r;

        t->dc.migration.dirty_bytes_per_s = 1000 * TEST_GB;
        t->dc.migration.rounds_max = 5;
        open_steady(t, 1, cpu[i], 1);
        test_world_go(t, 0);
        assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1),
                         BL_VERDICT_OK);
        test_world_go(t, (i == 0 ? 10 : 10 + 4 + 1) * TEST_S - 1);
        assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 0);
        test_world_go(t, (i == 0 ? 10 : 10 + 4 + 1) * TEST_S);
        assert_int_equal(t->event_count[BL_EVENT_MIGRATION_DONE], 1);
        r = test_world_finish(t);
        assert_int_equal(r->downtime_ns, i == 0 ? 0 : TEST_S);
        test_world_free(t);
    }
}

/* Two VMs leave host 0 for hosts 1 and 2, the second one 4 s later. Alone at
 * 125 MB/s the first has sent 500 MB; the other 750 MB take 12 s at half the
 * rate, until 16 s. The second has then sent 750 MB, too; the last 500 MB go
 * at the full rate until 20 s. Both idle: no rounds, no downtime. */
static void test_two_migrations_share_a_link(void **state)
{
    struct test_world *t = test_world_new(3);

    (void)state;
    open_steady(t, 2, 0, 1);
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 4 * TEST_S);
    assert_int_equal(inside(t)->host[0].copy_khz, 1000000);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 1, 2);
    test_world_go(t, 5 * TEST_S);
    assert_int_equal(inside(t)->move[0].rate_bytes_per_s, 62500000);
    assert_int_equal(inside(t)->host[0].copy_khz, 1000000);
    assert_int_equal(inside(t)->host[1].copy_khz, 500000);
    test_world_go(t, 16 * TEST_S - 1);
    assert_int_equal(inside(t)->move_count, 2);
    test_world_go(t, 16 * TEST_S);
    assert_int_equal(inside(t)->move_count, 1);
    assert_int_equal(inside(t)->move[1].rate_bytes_per_s, 125000000);
    test_world_go(t, 20 * TEST_S - 1);
    assert_int_equal(inside(t)->move_count, 1);
    test_world_go(t, 20 * TEST_S);
    assert_int_equal(inside(t)->move_count, 0);
    assert_int_equal(inside(t)->host[0].copy_khz, 0);
    test_world_free(t);
}

/* One at a time: the second waits until the first has landed. */
static void test_a_full_link_makes_others_wait(void **state)
{
    struct test_world *t = test_world_new(3);

    (void)state;
    t->dc.migration.parallel_max = 1;
    open_steady(t, 2, 0, 1);
    test_world_go(t, 0);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 0, 1), BL_VERDICT_OK);
    test_world_go(t, 4 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_MIGRATE, 1, 2),
                     BL_VERDICT_LATER);
    test_world_go(t, 10 * TEST_S - 1);
    assert_int_equal(inside(t)->move[0].rate_bytes_per_s, 125000000);
    assert_int_equal(inside(t)->move[1].phase, REAL_WAIT);
    test_world_go(t, 10 * TEST_S);
    assert_int_equal(inside(t)->move[0].phase, REAL_NO_MOVE);
    assert_int_equal(inside(t)->move[1].phase, REAL_COPY);
    test_world_go(t, 20 * TEST_S);
    assert_int_equal(inside(t)->move_count, 0);
    test_world_free(t);
}

/* 7.5 of 8 GHz wanted, 1 GHz spent on copying: the VMs lack 0.5 GHz because
 * of the migration; when they want 9 GHz, 1 GHz of 2 is contention. */
static void test_overhead_takes_from_the_vms(void **state)
{
    struct test_world *t = test_world_new(2);
    const struct bl_real *r;
    uint64_t lost[BL_CAUSE_COUNT] = { 0 };

    (void)state;
    set_two_groups(t);
    t->dc.vm_group[0].vcpu_count = 4;
    t->dc.vm_group[1].vcpu_count = 4;
    open_steady(t, 2, 562500, 1);
    test_world_go(t, TEST_S);
    r = inside(t);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 2 * TEST_S);
    for (uint32_t vm = 0; vm < 2; vm++)
        for (int c = 0; c < BL_CAUSE_COUNT; c++)
            lost[c] += r->rare[vm].short_khz[c];
    assert_int_equal(lost[BL_CAUSE_CONTENTION], 1000000);
    assert_int_equal(lost[BL_CAUSE_MIGRATION], 1000000);
    assert_int_equal(r->host[0].served_khz, 7000000);
    assert_int_equal(r->host[0].copy_khz, 1000000);
    assert_int_equal(r->host[0].power_mw, 200000);
    test_world_free(t);
}

/* Mid-way through, the VM departs: both ends are rid of it at once. */
static void test_departure_breaks_a_migration_off(void **state)
{
    const struct test_vm vm = { .steps = 1, .cpu_ppm = 500000 };
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    test_world_open(t, &(struct test_trace){ .vm = &vm,
                                             .vm_count = 1,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 299 * TEST_S);
    (void)test_world_act(t, BL_ACTION_MIGRATE, 0, 1);
    test_world_go(t, 300 * TEST_S);
    assert_int_equal(t->event_count[BL_EVENT_VM_DEPARTED], 1);
    assert_int_equal(inside(t)->move_count, 0);
    assert_int_equal(inside(t)->heap.count, 0);
    r = test_world_finish(t);
    assert_int_equal(energy_uj(t, 0), J(299 * 125 + 137.5 + 300 * 100));
    assert_int_equal(energy_uj(t, 1), J(299 * 100 + 112.5 + 300 * 100));
    assert_int_equal(r->migrations, 1);
    assert_int_equal(r->class_[0].vms, 1);
    assert_int_equal(r->class_[0].demand_mcycles, 300 * 2000);
    test_world_free(t);
}

/* ---- power states
 * -------------------------------------------------------------------- */

/* Standby at 0: 9 kJ until 60, 10 W until 100, awake with 6 kJ until 130, then
 * idle at 100 W. Off at the same time: 18 kJ until 120, 2 W until 200, 48 kJ
 * until 440 (the end is at 600). */
static void test_sleep_and_wake_by_hand(void **state)
{
    struct test_world *t = test_world_new(3);
    const struct bl_result *r;

    (void)state;
    open_steady(t, 1, 0, 2);
    test_world_go(t, 0);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1),
                     BL_VERDICT_OK);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_OFF, BL_NONE, 2),
                     BL_VERDICT_OK);
    test_world_go(t, 30 * TEST_S);
    assert_int_equal(inside(t)->host[1].power_mw, 150000);
    test_world_go(t, 100 * TEST_S);
    assert_int_equal(t->event_count[BL_EVENT_HOST_CHANGED], 1);
    assert_int_equal(inside(t)->host[1].power_mw, 10000);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1),
                     BL_VERDICT_OK);
    test_world_go(t, 200 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 2),
                     BL_VERDICT_OK);
    r = test_world_finish(t);
    assert_int_equal(energy_uj(t, 1), J(9000 + 40 * 10 + 6000 + 470 * 100));
    assert_int_equal(energy_uj(t, 2), J(18000 + 80 * 2 + 48000 + 160 * 100));
    assert_near(r->transition_kwh, (9000 + 6000 + 66000) / 3.6e6, 1e-15);
    assert_int_equal(r->host_off_count, 2);
    assert_int_equal(r->host_on_count, 2);
    assert_int_equal(r->host[1].on_ns, 470 * TEST_S);
    assert_int_equal(r->step[0].hosts_on, 2); /* at its end */
    assert_int_equal(r->step[1].hosts_on, 3);
    test_world_free(t);
}

/* 1 J over 3 ns and 10 J over no time: not a single pJ is lost. */
static void test_transitions_are_exact(void **state)
{
    struct test_world *t = test_world_new(2);

    (void)state;
    t->dc.host_group[0].standby.enter = (struct bl_transition){ 3, 1000000 };
    t->dc.host_group[0].standby.leave = (struct bl_transition){ 0, 10000000 };
    t->dc.host_group[0].standby.power_mw = 0;
    open_steady(t, 1, 0, 1);
    test_world_go(t, 0);
    (void)test_world_act(t, BL_ACTION_HOST_STANDBY, BL_NONE, 1);
    test_world_go(t, 100 * TEST_S);
    assert_int_equal(energy_uj(t, 1), J(1));
    (void)test_world_act(t, BL_ACTION_HOST_ON, BL_NONE, 1);
    (void)test_world_finish(t);
    assert_int_equal(energy_uj(t, 1), J(1 + 10 + 200 * 100));
    assert_int_equal(uj(inside(t)->host[1].trans_pj), J(11));
    test_world_free(t);
}

static void test_unmanaged_hosts_draw_full_power(void **state)
{
    struct test_world *t = test_world_new(2);

    (void)state;
    open_steady(t, 1, 500000, 1);
    test_world_go(t, 100 * TEST_S);
    assert_int_equal(test_world_act(t, BL_ACTION_POWER_UNMANAGED, BL_NONE, 0),
                     BL_VERDICT_OK);
    (void)test_world_finish(t);
    assert_int_equal(energy_uj(t, 0), J(100 * 125 + 200 * 200));
    assert_int_equal(energy_uj(t, 1), J(300 * 100));
    test_world_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_vm_draws_what_the_table_says),
        cmocka_unit_test(test_shares_decide_on_a_full_host),
        cmocka_unit_test(test_demand_above_a_limit_is_not_demand),
        cmocka_unit_test(test_a_reservation_is_kept),
        cmocka_unit_test(test_a_vcpu_is_no_faster_than_its_core),
        cmocka_unit_test(test_a_migration_by_hand),
        cmocka_unit_test(test_the_two_ends_of_dirtying),
        cmocka_unit_test(test_two_migrations_share_a_link),
        cmocka_unit_test(test_a_full_link_makes_others_wait),
        cmocka_unit_test(test_overhead_takes_from_the_vms),
        cmocka_unit_test(test_departure_breaks_a_migration_off),
        cmocka_unit_test(test_sleep_and_wake_by_hand),
        cmocka_unit_test(test_transitions_are_exact),
        cmocka_unit_test(test_unmanaged_hosts_draw_full_power),
    };

    return cmocka_run_group_tests_name("real", tests, test_group_setup, NULL);
}
