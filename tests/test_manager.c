/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_manager - the control loop over a world that a test scripts, with
 * policies that do whatever a test tells them, above all what they must not.
 *
 * Order: an example; the order of things; VMs that wait; what becomes of a
 * policy that misbehaves; ends and errors; lack of memory. What is refused, and
 * why, is in test_validate.
 */
#include "tests/support_script.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void on_host_1(const struct bl_snapshot *s, struct bl_overlay *o,
                      uint32_t vm, struct bl_plan *plan)
{
    (void)s;
    (void)o;
    plan_place(plan, vm, 1);
}

/* ---- the example -------------------------------------------------------- */

static void test_static_places_who_arrives(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(0, 0), ARRIVES(12, 3), DEPARTS(30, 0), ARRIVES(30, 1));
    fixture_use(f, "static");
    c = fixture_run(f);
    assert_int_equal(c->accepted[BL_ACTION_PLACE], 3);
    assert_int_equal(c->reasons[BL_REASON_FIRST_FIT], 3);
    assert_int_equal(c->unplaced, 0);
    assert_false(c->replaced);
    assert_int_equal(f->w.t->c.vm_host[3], 1); /* host 0 is too slow for it */
    assert_int_equal(f->w.t->c.vm_host[1], 0);
    assert_int_equal(f->entries, 3);
    assert_string_equal(f->journal[1].policy, "static");
    assert_int_equal(f->journal[1].at_ns, 12 * TEST_S);
    assert_int_equal(f->journal[1].action.vm, 3);
    assert_int_equal(f->journal[1].verdict, BL_VERDICT_OK);
    fixture_free(f);
}

/* ---- the order of things ------------------------------------------------ */

static void test_events_come_first_then_arrivals_then_the_step(void **state)
{
    static const struct {
        int64_t at_s;
        uint32_t what;
    } want[] = {
        { 5, LOG_EVENT_OF(BL_EVENT_VM_ARRIVED, 2) },
        { 5, LOG_PLACE + 2 },
        { 5, LOG_EVENT_OF(BL_EVENT_VM_ARRIVED, 1) },
        { 5, LOG_PLACE + 1 },
        { 10, LOG_STEP },
        { 20, LOG_EVENT_OF(BL_EVENT_VM_DEPARTED, 2) },
        { 20, LOG_EVENT_OF(BL_EVENT_VM_ARRIVED, 0) },
        { 20, LOG_PLACE + 0 },
        { 20, LOG_STEP },
        { 30, LOG_STEP },
    };
    struct fixture *f = fixture_new();

    (void)state;
    SCRIPT(f, ARRIVES(5, 2), ARRIVES(5, 1), DEPARTS(20, 2), ARRIVES(20, 0));
    f->w.end_ns = 35 * TEST_S;
    puppet.place = on_host_1;
    (void)fixture_run(f);
    assert_int_equal(puppet.log_count, COUNT(want));
    for (uint32_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(puppet.log[i], want[i].what);
        assert_int_equal(puppet.at_ns[i], want[i].at_s * TEST_S);
    }
    assert_int_equal(f->progress, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(f->progress_ns[i], (int64_t)(i + 1) * 10 * TEST_S);
    fixture_free(f);
}

/* A policy without events or steps costs no look at the world. */
static void test_nobody_looks_when_nothing_is_due(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    SCRIPT(f, ARRIVES(5, 2), DEPARTS(27, 2));
    puppet.place = on_host_1;
    f->policy.event = NULL;
    f->policy.step = NULL;
    f->policy.check = NULL;
    f->opts.paranoid = false;
    f->opts.journal = NULL;
    f->opts.progress = NULL;
    f->opts.stop = NULL;
    (void)fixture_run(f);
    assert_int_equal(f->w.observed, 1);
    assert_int_equal(f->w.checked, 0);
    fixture_free(f);
}

static void test_an_earlier_end_and_no_happenings(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    f->w.end_ns = 0;
    (void)fixture_run(f);
    assert_int_equal(puppet.log_count, 0);
    assert_int_equal(puppet.created, 1);
    fixture_free(f);
}

/* What is accepted is seen by the next action of the same plan. */
static void fill_host_0(const struct bl_snapshot *s, struct bl_overlay *o,
                        uint32_t vm, struct bl_plan *plan)
{
    (void)o;
    (void)vm;
    if (s->now_ns == 10 * TEST_S) {
        for (uint32_t v = 0; v < 8; v++) /* 1 + 2 + 2 + 4 = 9 GiB for 8 */
            plan_migrate(plan, v, 3, 0);
    }
}

static void on_host_3(const struct bl_snapshot *s, struct bl_overlay *o,
                      uint32_t vm, struct bl_plan *plan)
{
    (void)s;
    (void)o;
    plan_place(plan, vm, 3);
}

static void test_each_action_sees_those_before_it(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(0, 0), ARRIVES(0, 1), ARRIVES(0, 2), ARRIVES(0, 3),
           ARRIVES(0, 4), ARRIVES(0, 5));
    for (uint32_t g = 0; g < f->w.t->dc.vm_group_count; g++)
        f->w.t->c.cpu[g].reservation = f->w.t->c.mem[g].reservation = 0;
    puppet.place = on_host_3;
    puppet.step = fill_host_0;
    c = fixture_run(f);
    /* 0, 1, 2 fit with 5 GiB, then 3 does not, but 4 and 5 with 3 GiB do */
    assert_int_equal(c->accepted[BL_ACTION_PLACE], 6);
    assert_int_equal(c->accepted[BL_ACTION_MIGRATE], 5);
    assert_int_equal(c->refused[BL_VERDICT_NO_MEMORY], 1);
    assert_int_equal(c->refused[BL_VERDICT_NO_SUCH_VM], 2); /* 6 and 7 */
    assert_int_equal(f->journal[6 + 3].verdict, BL_VERDICT_NO_MEMORY);
    assert_int_equal(f->journal[6 + 3].action.vm, 3);
    fixture_free(f);
}

/* ---- VMs that wait ------------------------------------------------------ */

/* From 30 s on there is room, for one VM at each instant. */
static uint32_t placed_at;

static void later(const struct bl_snapshot *s, struct bl_overlay *o,
                  uint32_t vm, struct bl_plan *plan)
{
    (void)o;
    if (s->now_ns < 30 * TEST_S || placed_at == s->now_ns / TEST_S)
        return;
    placed_at = (uint32_t)(s->now_ns / TEST_S);
    plan_place(plan, vm, 1);
}

static void test_waiting_vms_try_again_oldest_first(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;
    static const uint32_t want[] = { 5, 2, 1 };

    (void)state;
    SCRIPT(f, ARRIVES(1, 5), ARRIVES(12, 7), ARRIVES(12, 2), ARRIVES(15, 1),
           DEPARTS(20, 7));
    placed_at = 0;
    puppet.place = later;
    c = fixture_run(f);
    assert_int_equal(c->unplaced, 4);
    assert_int_equal(c->accepted[BL_ACTION_PLACE], 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(f->journal[i].action.vm, want[i]);
        assert_int_equal(f->journal[i].at_ns, (30 + 10 * i) * TEST_S);
    }
    fixture_free(f);
}

/* Also for a policy that has nothing to do at control instants. */
static void test_waiting_vms_are_a_reason_to_look(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    SCRIPT(f, ARRIVES(1, 5));
    placed_at = 0;
    puppet.place = later;
    f->policy.step = NULL;
    assert_int_equal(fixture_run(f)->accepted[BL_ACTION_PLACE], 1);
    assert_int_equal(f->journal[0].at_ns, 30 * TEST_S);
    fixture_free(f);
}

/* Asked about VM 1, it places VM 0, which has been waiting. */
static void the_other_one(const struct bl_snapshot *s, struct bl_overlay *o,
                          uint32_t vm, struct bl_plan *plan)
{
    (void)o;
    if (vm == 1)
        plan_place(plan, s->vm.state[0] == BL_VM_PENDING ? 0 : 1, 1);
}

static void test_whoever_was_not_placed_waits(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(1, 0), ARRIVES(2, 1));
    f->w.end_ns = 15 * TEST_S;
    puppet.place = the_other_one;
    c = fixture_run(f);
    assert_int_equal(c->unplaced, 2);
    assert_int_equal(c->accepted[BL_ACTION_PLACE], 2);
    assert_int_equal(f->journal[0].action.vm, 0);
    assert_int_equal(f->journal[1].action.vm, 1);
    assert_int_equal(f->journal[1].at_ns, 10 * TEST_S);
    fixture_free(f);
}

static void nowhere(const struct bl_snapshot *s, struct bl_overlay *o,
                    uint32_t vm, struct bl_plan *plan)
{
    (void)s;
    (void)o;
    (void)vm;
    (void)plan;
}

/* A slot changes hands, while nobody finds a host, more often than there are
 * slots. Then there is room: who asks now is asked for, once. */
static void test_slots_that_change_hands_while_they_wait(void **state)
{
    static struct happening todo[2 * TEST_SLOTS * 4];
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;
    uint32_t n = 0, asked = 0;

    (void)state;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t vm = 0; vm < TEST_SLOTS && round > 0; vm++)
            todo[n++] =
                (struct happening){ round * TEST_S, BL_EVENT_VM_DEPARTED, vm };
        for (uint32_t vm = 0; vm < TEST_SLOTS; vm++)
            todo[n++] =
                (struct happening){ round * TEST_S, BL_EVENT_VM_ARRIVED, vm };
    }
    f->w.todo = todo;
    f->w.todo_count = n;
    f->w.end_ns = 15 * TEST_S;
    puppet.place = nowhere;
    c = fixture_run(f);
    assert_int_equal(c->unplaced, 4 * TEST_SLOTS);
    for (uint32_t i = 0; i < puppet.log_count; i++)
        asked += puppet.at_ns[i] == 10 * TEST_S && puppet.log[i] < LOG_EVENT;
    assert_int_equal(asked, TEST_SLOTS);
    fixture_free(f);
}

/* ---- a policy that misbehaves ------------------------------------------- */

static uint32_t wrongs; /* at each control instant */

static void do_wrong(const struct bl_snapshot *s, struct bl_overlay *o,
                     uint32_t vm, struct bl_plan *plan)
{
    (void)o;
    (void)vm;
    for (uint32_t i = 0; i < wrongs; i++)
        plan_migrate(plan, 9, 0, 1); /* there is no VM 9 */
    if (s->now_ns == 20 * TEST_S)
        plan_migrate(plan, 0, 1, 3); /* but this one is right */
}

/* Up to the limit it goes on; one more, and the rest of its plan is void. */
static void test_after_too_many_faults_static_takes_over(void **state)
{
    (void)state;
    for (uint32_t over = 0; over < 2; over++) {
        struct fixture *f = fixture_new();
        const struct bl_manager_counts *c;

        SCRIPT(f, ARRIVES(0, 0), ARRIVES(0, 4), ARRIVES(25, 1));
        f->w.end_ns = 26 * TEST_S;
        wrongs = BL_MANAGER_FAULTS_MAX / 2 + over;
        puppet.place = on_host_1;
        puppet.step = do_wrong;
        c = fixture_run(f);
        assert_int_equal(c->replaced, over == 1);
        assert_int_equal(c->refused[BL_VERDICT_NO_SUCH_VM],
                         BL_MANAGER_FAULTS_MAX + over);
        assert_int_equal(c->accepted[BL_ACTION_MIGRATE], over == 0);
        assert_int_equal(c->accepted[BL_ACTION_PLACE], 3);
        /* who arrives later is placed by the one in charge */
        assert_int_equal(f->w.t->c.vm_host[1], over == 1 ? 0 : 1);
        assert_string_equal(f->journal[f->entries - 1].policy,
                            over == 1 ? "static" : "puppet");
        assert_string_equal(f->journal[f->entries - 2].policy, "puppet");
        fixture_free(f);
    }
}

/* static wakes nobody: what slept when it took over is woken for it. */
static void test_sleeping_hosts_are_woken_for_static(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(0, 0));
    f->w.end_ns = 15 * TEST_S;
    f->w.t->s.can |= BL_CAN_SWITCH_HOSTS;
    test_table_state(f->w.t, 2, BL_HOST_STANDBY);
    test_table_state(f->w.t, 3, BL_HOST_OFF);
    wrongs = BL_MANAGER_FAULTS_MAX + 1;
    puppet.place = on_host_1;
    puppet.step = do_wrong;
    c = fixture_run(f);
    assert_true(c->replaced);
    assert_int_equal(c->accepted[BL_ACTION_HOST_ON], 2);
    assert_int_equal(c->reasons[BL_REASON_FALLBACK], 2);
    assert_int_equal(c->refused[BL_VERDICT_HOST_STATE], 0); /* 0 and 1 are on */
    assert_int_equal(f->w.t->c.host_state[0], BL_HOST_ON);
    assert_int_equal(f->w.t->c.host_state[2], BL_HOST_LEAVING);
    assert_int_equal(f->w.t->c.host_state[3], BL_HOST_LEAVING);
    assert_int_equal(f->journal[f->entries - 1].action.host, 3);
    assert_string_equal(f->journal[f->entries - 1].policy, "static");
    fixture_free(f);
}

static void test_the_reference_policy_is_not_replaced(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;
    static struct happening todo[2 * BL_MANAGER_FAULTS_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT(todo); i++) /* comes, goes, comes again */
        todo[i] = (struct happening){ (i + 1) / 2 * (TEST_S / 4),
                                      i % 2 ? BL_EVENT_VM_DEPARTED
                                            : BL_EVENT_VM_ARRIVED,
                                      0 };
    f->w.todo = todo;
    f->w.todo_count = COUNT(todo);
    f->w.verdict = BL_VERDICT_FULL;
    fixture_use(f, "static");
    c = fixture_run(f);
    assert_true(c->refused[BL_VERDICT_FULL] >= BL_MANAGER_FAULTS_MAX);
    assert_false(c->replaced);
    fixture_free(f);
}

/* ---- power caps
 * ---------------------------------------------------------------- */

static uint64_t has_mw[TEST_HOSTS], min_mw[TEST_HOSTS];

/* Two slow and two fast hosts, 440 W idle, under a cap of 640 W. */
static struct fixture *capped_fixture(void)
{
    struct fixture *f = fixture_new();
    struct bl_dc *dc = &f->w.t->dc;

    f->policy.writes &= ~(1u << BL_ACTION_POWER_CAP);
    dc->cap_count = 1;
    dc->cap[0] = (struct bl_power_cap){ .name = "rack",
                                        .mw = 640000,
                                        .group = BL_CAP_ALL };
    for (uint32_t h = 0; h < TEST_HOSTS; h++) {
        has_mw[h] = 160000;
        min_mw[h] = 100000;
    }
    f->w.t->s.host.power_cap_mw = has_mw;
    f->w.t->s.host.power_min_mw = min_mw;
    f->w.t->s.can |= BL_CAN_CAP_POWER;
    return f;
}

/* It comes after the policy, also where that has no step of its own. */
static void test_budgets_come_after_the_policy(void **state)
{
    const struct bl_manager_counts *c;

    (void)state;
    for (int step = 0; step < 2; step++) {
        struct fixture *f = capped_fixture();

        if (step == 0)
            f->policy.step = NULL;
        f->w.end_ns = 15 * TEST_S;
        c = fixture_run(f);
        assert_true(c->accepted[BL_ACTION_POWER_CAP] > 0);
        assert_int_equal(c->accepted[BL_ACTION_POWER_CAP],
                         c->reasons[BL_REASON_CAP_DIVIDED]);
        assert_int_equal(f->entries, c->accepted[BL_ACTION_POWER_CAP]);
        assert_string_equal(f->journal[0].policy, "capping");
        assert_int_equal(f->journal[0].at_ns, 10 * TEST_S);
        fixture_free(f);
    }
}

/* A world without caps is not asked, whatever the scenario says. */
static void test_no_budgets_where_the_world_has_none(void **state)
{
    struct fixture *f = capped_fixture();

    (void)state;
    f->w.t->s.can &= ~BL_CAN_CAP_POWER;
    assert_int_equal(fixture_run(f)->accepted[BL_ACTION_POWER_CAP], 0);
    assert_int_equal(f->w.applied, 0);
    fixture_free(f);
}

/* The world refuses all it says: after the hundredth time nobody asks it any
 * more, and the policy is not replaced for it. */
static void test_the_area_of_caps_can_lose_its_say(void **state)
{
    struct fixture *f = capped_fixture();
    const struct bl_manager_counts *c;

    (void)state;
    f->w.verdict = BL_VERDICT_FULL;
    f->w.end_ns = 600 * TEST_S;
    c = fixture_run(f);
    assert_in_range(c->refused[BL_VERDICT_FULL], BL_MANAGER_FAULTS_MAX + 1,
                    BL_MANAGER_FAULTS_MAX + TEST_HOSTS);
    assert_int_equal(f->entries, c->refused[BL_VERDICT_FULL]);
    assert_false(c->replaced);
    fixture_free(f);
}

/* One area alone may write a kind of action. */
static void test_two_areas_cannot_write_the_same(void **state)
{
    struct fixture *f = capped_fixture();
    bl_err e = BL_ERR_OK;

    (void)state;
    f->policy.writes |= 1u << BL_ACTION_POWER_CAP;
    expect_assert_failure(
        e = bl_manager_create(&f->w.t->arena, &f->opts, &f->m));
    assert_ok(e);
    fixture_free(f);
}

/* More than the plan can hold: what is lost is counted, as are the faults. */
static void test_a_plan_that_overflows(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(0, 0));
    f->w.end_ns = 15 * TEST_S;
    wrongs = 5000;
    puppet.place = on_host_1;
    puppet.step = do_wrong;
    c = fixture_run(f);
    assert_true(c->replaced);
    assert_int_equal(c->accepted[BL_ACTION_MIGRATE], 0);
    assert_int_equal(c->refused[BL_VERDICT_NO_SUCH_VM] +
                         c->refused[BL_VERDICT_FULL],
                     wrongs);
    fixture_free(f);
}

/* It tries things and forgets to take them back. */
static void leave_traces(const struct bl_snapshot *s, struct bl_overlay *o,
                         uint32_t vm, struct bl_plan *plan)
{
    uint32_t n;

    (void)plan;
    (void)bl_overlay_vms(o, 1, &n);
    for (uint32_t v = 0; v < TEST_SLOTS; v++)
        if (s->vm.state[v] == BL_VM_PLACED)
            n -= s->vm.host[v] == 1;
    assert_int_equal(n, 0); /* nobody else's traces */
    for (uint32_t i = 0; i < 3; i++)
        bl_overlay_put(o, 1, i);
    if (vm != BL_NONE)
        plan_place(plan, vm, 1);
}

static void test_what_is_left_on_the_overlay_is_taken_off(void **state)
{
    struct fixture *f = fixture_new();
    const struct bl_manager_counts *c;

    (void)state;
    SCRIPT(f, ARRIVES(0, 0), ARRIVES(0, 1), ARRIVES(0, 2), ARRIVES(10, 4));
    puppet.place = leave_traces;
    puppet.step = leave_traces;
    c = fixture_run(f);
    assert_int_equal(c->accepted[BL_ACTION_PLACE], 4);
    assert_false(c->replaced);
    fixture_free(f);
}

static void test_traces_on_the_overlay_are_faults(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    f->w.world.first_due_ns = f->w.world.interval_ns = TEST_S / 2;
    f->opts.progress = NULL;
    puppet.step = leave_traces;
    assert_true(fixture_run(f)->replaced);
    assert_int_equal(puppet.steps, BL_MANAGER_FAULTS_MAX + 1);
    fixture_free(f);
}

/* ---- ends --------------------------------------------------------------- */

static void test_stopped_by_a_signal(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    f->stop_after = 4;
    (void)fixture_run(f);
    assert_int_equal(f->progress, 4);
    assert_int_equal(f->w.now_ns, 40 * TEST_S);
    fixture_free(f);
}

static void test_errors_of_the_world_come_through(void **state)
{
    struct fixture *f = fixture_new();
    struct bl_diag diag = { "" };
    bool stopped = true;

    (void)state;
    f->w.fails = BL_ERR_PARSE;
    assert_ok(bl_manager_create(&f->w.t->arena, &f->opts, &f->m));
    assert_int_equal(bl_manager_run(f->m, &stopped, &diag), BL_ERR_PARSE);
    assert_string_equal(diag.text, "script:7: broken");
    assert_false(stopped);
    assert_int_equal(f->progress, 9); /* all that went before */
    fixture_free(f);
}

static void break_the_table(const struct bl_snapshot *s, struct bl_overlay *o,
                            uint32_t vm, struct bl_plan *plan)
{
    struct script *w = s->serve_ctx;

    (void)o;
    (void)vm;
    (void)plan;
    if (s->now_ns == 30 * TEST_S)
        w->t->c.vm_demand_mhz[0] += 1; /* behind everybody's back */
}

__attribute__((noinline)) static void expect_broken(struct bl_manager *m)
{
    static struct bl_diag diag;
    static bool stopped;

    static bl_err e;

    expect_assert_failure(e = bl_manager_run(m, &stopped, &diag));
    assert_int_equal(e, BL_ERR_OK); /* nothing came back */
}

static void test_paranoid_checks_at_every_stop(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    SCRIPT(f, ARRIVES(5, 0), ARRIVES(12, 1));
    puppet.place = on_host_1;
    (void)fixture_run(f);
    assert_int_equal(f->w.checked, 9 + 2 + 1); /* the last one at the end */
    assert_int_equal(puppet.checks, 9 + 2 + 1);
    fixture_free(f);

    f = fixture_new();
    SCRIPT(f, ARRIVES(5, 0));
    puppet.place = on_host_1;
    puppet.step = break_the_table;
    assert_ok(bl_manager_create(&f->w.t->arena, &f->opts, &f->m));
    expect_broken(f->m);
    assert_int_equal(f->w.now_ns, 30 * TEST_S);
    fixture_free(f);
}

/* ---- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    long n = 0;

    (void)state;
    for (bool made = false; !made; n++) {
        struct fixture *f = fixture_new();
        struct bl_arena a;
        bl_err e;

        assert_ok(bl_arena_init(&a, 1 << 24));
        a.fail_after = n;
        e = bl_manager_create(&a, &f->opts, &f->m);
        made = e == BL_ERR_OK;
        assert_true(made || e == BL_ERR_NOMEM);
        assert_true(made == (f->m != NULL));
        bl_arena_free(&a);
        fixture_free(f);
    }
    /* itself, puppet 1, static 3, overlay 4, plan 1, waiting 2 */
    assert_int_equal(n - 1, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_static_places_who_arrives),
        cmocka_unit_test(test_events_come_first_then_arrivals_then_the_step),
        cmocka_unit_test(test_nobody_looks_when_nothing_is_due),
        cmocka_unit_test(test_an_earlier_end_and_no_happenings),
        cmocka_unit_test(test_each_action_sees_those_before_it),
        cmocka_unit_test(test_waiting_vms_try_again_oldest_first),
        cmocka_unit_test(test_waiting_vms_are_a_reason_to_look),
        cmocka_unit_test(test_whoever_was_not_placed_waits),
        cmocka_unit_test(test_slots_that_change_hands_while_they_wait),
        cmocka_unit_test(test_after_too_many_faults_static_takes_over),
        cmocka_unit_test(test_sleeping_hosts_are_woken_for_static),
        cmocka_unit_test(test_the_reference_policy_is_not_replaced),
        cmocka_unit_test(test_budgets_come_after_the_policy),
        cmocka_unit_test(test_no_budgets_where_the_world_has_none),
        cmocka_unit_test(test_the_area_of_caps_can_lose_its_say),
        cmocka_unit_test(test_two_areas_cannot_write_the_same),
        cmocka_unit_test(test_a_plan_that_overflows),
        cmocka_unit_test(test_what_is_left_on_the_overlay_is_taken_off),
        cmocka_unit_test(test_traces_on_the_overlay_are_faults),
        cmocka_unit_test(test_stopped_by_a_signal),
        cmocka_unit_test(test_errors_of_the_world_come_through),
        cmocka_unit_test(test_paranoid_checks_at_every_stop),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("manager", tests, test_group_setup,
                                       NULL);
}
