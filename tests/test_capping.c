/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capping - racks under a cap, by hand, with a manager: who is lent what,
 * and what is refused. Hosts are those of test_real_speed: 100 .. 200 W at
 * 2 GHz, 80 .. 120 W at 1 GHz.
 */
#include "base/prng.h"
#include "manager/manager.h"
#include "power/capping.h"
#include "tests/support_real.h"
#include "tests/support_run.h"

#include <stdlib.h>
#include <string.h>

enum { INSTANTS = 16, HOSTS = 4, LINES = 400 };

/* ---- a manager, and a policy that does what a test says
 * --------------------------- */

struct show;
typedef void (*at_fn)(const struct bl_snapshot *s, struct bl_plan *plan,
                      uint32_t instant);

struct show {
    struct test_world *t;
    struct bl_params governor;
    struct bl_policy policy;
    struct bl_manager *m;
    struct bl_action line[LINES];
    enum bl_verdict verdict[LINES];
    int64_t at_ns[LINES];
    uint32_t lines, instants;
    uint64_t budget[INSTANTS][HOSTS]; /* after each control instant */
};

static struct show show;
static at_fn what_to_do;
static uint32_t steps;

static bl_err puppet_create(struct bl_arena *a, const struct bl_policy_env *env,
                            void **state)
{
    (void)env;
    *state = bl_arena_get(a, 1, 1);
    return *state != NULL ? BL_ERR_OK : BL_ERR_NOMEM;
}

static struct bl_action action(enum bl_action_kind kind, uint32_t vm,
                               uint32_t host)
{
    return (struct bl_action){ .kind = kind,
                               .reason = BL_REASON_FIRST_FIT,
                               .vm = vm,
                               .host = host,
                               .source = BL_NONE };
}

static void puppet_place(void *state, const struct bl_snapshot *s,
                         struct bl_overlay *o, uint32_t vm,
                         struct bl_plan *plan)
{
    const struct bl_action a = action(BL_ACTION_PLACE, vm, show.t->home[vm]);

    (void)state;
    (void)s;
    (void)o;
    bl_plan_add(plan, &a);
}

static void puppet_step(void *state, const struct bl_snapshot *s,
                        struct bl_overlay *o, struct bl_plan *plan)
{
    (void)state;
    (void)o;
    if (what_to_do != NULL)
        what_to_do(s, plan, ++steps);
}

static void keep(void *ctx, const struct bl_journal_entry *e)
{
    (void)ctx;
    assert_true(show.lines < LINES);
    show.line[show.lines] = *e->action;
    show.verdict[show.lines] = e->verdict;
    show.at_ns[show.lines++] = e->at_ns;
    if (e->action->kind == BL_ACTION_POWER_CAP)
        assert_int_equal(e->verdict, BL_VERDICT_OK);
    assert_string_equal(e->policy, e->action->kind == BL_ACTION_POWER_CAP
                                       ? "capping"
                                       : "puppet");
}

static void keep_budgets(void *ctx, int64_t now_ns)
{
    const struct bl_sim *sim = (const struct bl_sim *)show.t->w;

    (void)ctx;
    (void)now_ns;
    assert_true(show.instants < INSTANTS);
    for (uint32_t h = 0; h < sim->col.host_count && h < HOSTS; h++)
        show.budget[show.instants][h] = sim->col.host_power_cap_mw[h] / 1000;
    show.instants++;
}

static void show_new(uint32_t hosts, bool pstates)
{
    memset(&show, 0, sizeof(show));
    what_to_do = NULL;
    steps = 0;
    show.t = test_world_new(hosts);
    if (pstates)
        add_pstate(&show.t->dc.host_group[0]);
    show.t->opts.demand_oracle = false;
    show.policy = (struct bl_policy){ .name = "puppet",
                                      .writes = 1u << BL_ACTION_PLACE |
                                                1u << BL_ACTION_MIGRATE |
                                                1u << BL_ACTION_HOST_ON |
                                                1u << BL_ACTION_HOST_STANDBY |
                                                1u << BL_ACTION_HOST_OFF,
                                      .create = puppet_create,
                                      .place = puppet_place,
                                      .step = puppet_step };
}

static void cap(uint64_t watts, uint32_t hosts_each)
{
    struct bl_dc *dc = &show.t->dc;

    dc->cap[dc->cap_count++] =
        (struct bl_power_cap){ .name = "rack",
                               .mw = watts * 1000,
                               .group = BL_CAP_ALL,
                               .hosts_each = hosts_each };
}

static const struct bl_result *show_go(const struct test_vm *vm, uint32_t vms,
                                       uint32_t step_count)
{
    static const struct bl_params none;
    struct test_world *t = show.t;
    struct bl_diag diag = { "" };
    bool stopped;

    bl_dc_check(&t->dc);
    t->opts.dc = &t->dc;
    t->trace = t->opts.trace =
        test_trace_open(&(struct test_trace){ .vm = vm,
                                              .vm_count = vms,
                                              .step_count = step_count,
                                              .step_ns = TEST_STEP_NS });
    assert_ok(bl_arena_init(&t->arena, 1 << 26));
    assert_ok(bl_sim_create(&t->arena, &t->opts, &t->sim, &diag));
    t->w = bl_sim_world(t->sim);
    assert_ok(bl_result_create(&t->arena, &t->dc, bl_dc_host_count(&t->dc),
                               step_count + 1, &t->result));
    assert_ok(
        bl_manager_create(&t->arena,
                          &(struct bl_manager_opts){ .world = t->w,
                                                     .policy = &show.policy,
                                                     .params = &none,
                                                     .journal = keep,
                                                     .progress = keep_budgets,
                                                     .paranoid = true },
                          &show.m));
    bl_arena_seal(&t->arena);
    assert_ok(bl_manager_run(show.m, &stopped, &diag));
    bl_sim_finish(t->sim, t->result);
    t->w->ops->check(t->w);
    for (uint32_t c = 0; c < t->dc.cap_count; c++)
        assert_true(t->result->cap[c].worst_w <= t->result->cap[c].budget_w);
    return t->result;
}

/* The first line of the journal that says @kind of @host from @instant on. */
static uint32_t find(enum bl_action_kind kind, uint32_t host, uint32_t instant)
{
    for (uint32_t i = 0; i < show.lines; i++)
        if (show.line[i].kind == kind && show.line[i].host == host &&
            show.at_ns[i] >= instant * TEST_STEP_NS)
            return i;
    fail_msg("no %s of host %u", bl_action_name(kind), host);
    return 0;
}

/* ---- lending
 * ------------------------------------------------------------------- */

/* 300 W for two hosts: 150 W each. Two VMs on host 0 want all 8 GHz for two
 * steps, then nothing; one interval after each change the budgets have
 * followed: all 200 W for host 0, the 20 W that are left above idling for host
 * 1; then half and half again; then the other way round. */
static void test_a_budget_is_lent_and_given_back(void **state)
{
    static const uint32_t busy[] = { 1000000, 1000000, 0, 0, 0 };
    static const uint32_t later[] = { 0, 0, 0, 1000000, 1000000 };
    const struct test_vm vm[] = { { .steps = 6, .cpu = busy },
                                  { .steps = 6, .cpu = busy },
                                  { .steps = 6, .cpu = later },
                                  { .steps = 6, .cpu = later } };
    const struct bl_result *r;

    (void)state;
    show_new(2, true);
    show.t->home[2] = show.t->home[3] = 1;
    cap(300, 0);
    r = show_go(vm, 4, 5);
    assert_int_equal(show.budget[0][0], 200);
    assert_int_equal(show.budget[0][1], 100);
    assert_int_equal(show.budget[1][0], 200);
    assert_int_equal(show.budget[2][0], 150); /* nobody wants anything */
    assert_int_equal(show.budget[2][1], 150);
    assert_int_equal(show.budget[3][0], 100); /* host 1 did, in step 3 */
    assert_int_equal(show.budget[3][1], 200);
    assert_true(r->capped_s > 0);
    assert_true(r->cap[0].worst_w <= 300);
    test_world_free(show.t);
}

/* One speed, 100 .. 200 W. 290 W: 90 W above idling, for VMs with 2:1 shares
 * that want everything. */
static void test_division_follows_shares(void **state)
{
    const struct test_vm vm[] = { { .steps = 4, .cpu_ppm = 1000000 },
                                  { .steps = 4, .cpu_ppm = 1000000 } };

    (void)state;
    show_new(2, false);
    set_two_groups(show.t);
    show.t->dc.vm_group[0].vcpu_count = 4;
    show.t->dc.vm_group[1].vcpu_count = 4;
    show.t->dc.vm_group[0].cpu.shares.value = BL_CPU_SHARES_HIGH;
    show.t->home[1] = 1;
    cap(290, 0);
    (void)show_go(vm, 2, 3);
    assert_int_equal(show.budget[1][0], 160);
    assert_int_equal(show.budget[1][1], 130);
    assert_int_equal(gets_khz(show.t, 0), 4800000); /* 60 % */
    assert_int_equal(gets_khz(show.t, 1), 2400000);
    test_world_free(show.t);
}

/* The VM on host 1 has 6 GHz reserved, 175 W, and is served at once.
 * @idle: with cores that draw 20 W more in their first idle state, which is not
 * modelled here and must not count. */
static void reservations_come_first(bool idle)
{
    const struct test_vm vm[] = { { .steps = 4, .cpu_ppm = 1000000 },
                                  { .steps = 4, .cpu_ppm = 1000000 } };
    const struct bl_result *r;
    struct bl_host_group *g;
    uint32_t i;

    show_new(2, false);
    set_two_groups(show.t);
    g = &show.t->dc.host_group[0];
    if (idle) {
        bl_freq_single(&g->freq, g->core_khz, g->power.mw);
        g->freq.idle_count = 2;
        g->freq.idle[0] =
            (struct bl_idle_state){ .name = "C1", .extra_mw = 5000 };
        g->freq.idle[1] =
            (struct bl_idle_state){ .name = "C6", .after_ns = 600000 };
    }
    show.t->dc.vm_group[0].vcpu_count = 4;
    show.t->dc.vm_group[1].vcpu_count = 4;
    show.t->dc.vm_group[1].cpu.reservation = 6000000;
    show.t->home[1] = 1;
    cap(290, 0);
    r = show_go(vm, 2, 3);
    assert_int_equal(show.budget[1][1], 175); /* more than its shares */
    assert_int_equal(show.budget[1][0], 115);
    assert_int_equal(r->class_[1].unserved_mcycles[BL_CAUSE_FREQUENCY],
                     900 * 2000);
    i = find(BL_ACTION_POWER_CAP, 1, 0);
    assert_int_equal(show.at_ns[i], 0); /* with the placement */
    assert_int_equal(show.line[i].reason, BL_REASON_CAP_DIVIDED);
    assert_near(show.line[i].figure[0], 175, 1e-9);
    assert_near(show.line[i].figure[1], 200, 1e-9);
    assert_near(show.line[i].figure[2], 175, 1e-9);
    test_world_free(show.t);
}

static void test_reservations_come_first(void **state)
{
    (void)state;
    reservations_come_first(false);
    reservations_come_first(true);
}

/* The first host may draw 120 W, both of them 340 W, and both want 200 W. What
 * the first one cannot have is not kept for it. */
static void test_a_smaller_rack_bounds_a_larger_one(void **state)
{
    const struct test_vm vm[] = { { .steps = 4, .cpu_ppm = 1000000 },
                                  { .steps = 4, .cpu_ppm = 1000000 } };
    struct bl_dc *dc;

    (void)state;
    show_new(2, false);
    dc = &show.t->dc;
    dc->host_group_count = 2;
    dc->host_group[0].host_count = 1;
    dc->host_group[1] = dc->host_group[0];
    dc->vm_group[0].vcpu_count = 4;
    show.t->home[1] = 1;
    cap(340, 0);
    cap(120, 1);
    dc->cap[1].group = 0;
    (void)show_go(vm, 2, 3);
    assert_int_equal(show.budget[1][0], 120);
    assert_int_equal(show.budget[1][1], 200);
    test_world_free(show.t);
}

static void move_away(const struct bl_snapshot *s, struct bl_plan *plan,
                      uint32_t instant)
{
    struct bl_action a = action(BL_ACTION_MIGRATE, 0, 1);

    (void)s;
    a.source = 0;
    if (instant == 1)
        bl_plan_add(plan, &a);
}

/* An idle VM is copied for many minutes at 1 MB/s, which takes 0.08 cores, 2 W,
 * at both ends. */
static void test_migrations_are_work(void **state)
{
    const struct test_vm vm = { .steps = 4, .cpu = (const uint32_t[4]){ 0 } };

    (void)state;
    show_new(2, false);
    show.t->dc.host_group[0].net_bytes_per_s = 1000000;
    show.t->dc.migration.cpu_ppm_per_gbit = 10000000;
    cap(290, 0);
    what_to_do = move_away;
    (void)show_go(&vm, 1, 3);
    for (uint32_t h = 0; h < 2; h++) {
        const struct bl_action *a = &show.line[find(BL_ACTION_POWER_CAP, h, 1)];

        assert_near(a->figure[1], 102, 1e-9);
        assert_near(a->figure[2], 100, 1e-9);
        assert_int_equal(a->amount, 145000);
    }
    assert_int_equal(inside(show.t)->host[0].copy_khz, 160000);
    test_world_free(show.t);
}

/* ---- hosts that change their state
 * ----------------------------------------------------- */

static void one(struct bl_plan *plan, enum bl_action_kind kind, uint32_t host)
{
    const struct bl_action a = action(kind, BL_NONE, host);

    bl_plan_add(plan, &a);
}

static void sleep_then_wake(const struct bl_snapshot *s, struct bl_plan *plan,
                            uint32_t instant)
{
    (void)s;
    if (instant == 1)
        one(plan, BL_ACTION_HOST_STANDBY, 1);
    if (instant == 3)
        one(plan, BL_ACTION_HOST_ON, 1);
}

/* 350 W. Host 1 gets 150 W to fall asleep in 60 s, keeps 10 W asleep, and gets
 * 200 W before it wakes; host 0 has the rest, and loses it when it must. */
static void test_sleep_releases_and_waking_takes(void **state)
{
    const struct test_vm vm[] = { { .steps = 6, .cpu_ppm = 1000000 },
                                  { .steps = 6, .cpu_ppm = 1000000 } };
    uint32_t on, cap_line;

    (void)state;
    show_new(2, false);
    cap(350, 0);
    what_to_do = sleep_then_wake;
    (void)show_go(vm, 2, 5);
    /* half and half of what is above idling at first: 175 W */
    assert_int_equal(show.budget[0][0], 200);
    assert_int_equal(show.budget[0][1], 150);
    assert_int_equal(show.budget[1][0], 200);
    assert_int_equal(show.budget[1][1], 10);
    assert_int_equal(show.budget[2][0], 150);
    assert_int_equal(show.budget[2][1], 200);
    assert_int_equal(show.budget[3][0], 200); /* it is on, and idles */
    assert_int_equal(show.budget[3][1], 150);
    on = find(BL_ACTION_HOST_ON, 1, 3);
    assert_int_equal(show.verdict[on], BL_VERDICT_OK);
    cap_line = find(BL_ACTION_POWER_CAP, 1, 3);
    assert_true(cap_line < on); /* budget first */
    assert_int_equal(show.line[cap_line].reason, BL_REASON_CAP_CHANGE);
    assert_true(find(BL_ACTION_POWER_CAP, 0, 3) < cap_line); /* he who gives */
    test_world_free(show.t);
}

static void wake_what_cannot(const struct bl_snapshot *s, struct bl_plan *plan,
                             uint32_t instant)
{
    (void)s;
    if (instant == 1)
        one(plan, BL_ACTION_HOST_STANDBY, 1);
    if (instant >= 3)
        one(plan, BL_ACTION_HOST_ON, 1);
}

/* 330 W. Host 0 has 4 GHz reserved: 150 W, and 150 W for host 1 to fall asleep.
 * Waking takes 200 W: refused again and again, which is nobody's fault. */
static void test_a_wake_that_the_cap_cannot_back(void **state)
{
    const struct test_vm vm = { .steps = 13, .cpu_ppm = 1000000 };

    (void)state;
    show_new(2, false);
    show.t->dc.vm_group[0].cpu.reservation = 4000000;
    cap(330, 0);
    what_to_do = wake_what_cannot;
    (void)show_go(&vm, 1, 12);
    assert_int_equal(show.verdict[find(BL_ACTION_HOST_STANDBY, 1, 1)],
                     BL_VERDICT_OK);
    assert_int_equal(show.verdict[find(BL_ACTION_HOST_ON, 1, 3)],
                     BL_VERDICT_NO_POWER);
    assert_int_equal(bl_manager_counts(show.m)->refused[BL_VERDICT_NO_POWER],
                     9); /* at instants 3 .. 11 */
    assert_int_equal(gets_khz(show.t, 0), 4000000);
    test_world_free(show.t);
}

/* 240 W: 4 GHz reserved make 150 W, and the other host idles at 100 W. Who has
 * nothing reserved may come; a rack of another host has nothing to do with it.
 */
static void test_a_reservation_that_the_cap_cannot_back(void **state)
{
    const struct test_vm vm[] = { { .steps = 4, .cpu_ppm = 1000000 },
                                  { .steps = 4, .cpu_ppm = 1000000 },
                                  { .steps = 4, .cpu_ppm = 1000000 } };

    (void)state;
    for (int large = 0; large < 2; large++) {
        show_new(4, false);
        set_two_groups(show.t);
        show.t->dc.vm_group[0].vm_count = 1;
        show.t->dc.vm_group[1].vm_count = 2;
        show.t->dc.vm_group[0].cpu.reservation = 4000000;
        show.t->home[1] = 1;
        show.t->home[2] = 3;
        cap(240 + 10 * (uint64_t)large, 2);
        (void)show_go(vm, 3, 3);
        for (uint32_t i = 0; i < show.lines; i++)
            if (show.line[i].kind == BL_ACTION_PLACE)
                assert_int_equal(show.verdict[i], show.line[i].vm == 0 && !large
                                                      ? BL_VERDICT_NO_POWER
                                                      : BL_VERDICT_OK);
        assert_int_equal(bl_manager_counts(show.m)->unplaced, !large);
        if (large)
            assert_int_equal(gets_khz(show.t, 0), 4000000);
        test_world_free(show.t);
    }
}

/* ---- whole runs
 * ------------------------------------------------------------------ */

/* Policies that know nothing of caps, on days of random load: nothing that is
 * checked after each instant fails, and no cap is exceeded. */
static void test_policies_under_caps(void **state)
{
    static const char *const policies[] = { "static", "npa", "thr-mmt-0.8",
                                            "lr-mmt-1.2-2012", "iqr-rs" };
    enum { VMS = 30, STEPS = 12 };
    struct bl_prng prng = { test_seed() };
    static uint32_t cpu[VMS][STEPS + 1];
    struct test_vm vm[VMS];
    uint64_t budgets = 0, no_power = 0;

    (void)state;
    for (uint32_t round = 0; round < 25; round++) {
        struct test_world *t = test_world_new(8);
        struct test_run run = { .dc = &t->dc,
                                .physics = "real",
                                .policy = policies[round % 5],
                                .seed = 1,
                                .paranoid = true };
        struct bl_trace *trace;

        if (round % 2)
            add_pstate(&t->dc.host_group[0]);
        t->dc.vm_group[0].cpu.reservation = bl_prng_below(&prng, 3) * 500000;
        t->dc.cap_count = 1 + (uint32_t)bl_prng_below(&prng, 2);
        t->dc.cap[0] = (struct bl_power_cap){ .name = "rack",
                                              .group = BL_CAP_ALL,
                                              .hosts_each = 4 };
        t->dc.cap[0].mw = UINT64_C(4) * 100000; /* idle, and no more */
        if (bl_prng_below(&prng, 3) > 0)
            t->dc.cap[0].mw += bl_prng_below(&prng, 320000);
        t->dc.cap[1] = (struct bl_power_cap){ .name = "host",
                                              .group = BL_CAP_ALL,
                                              .hosts_each = 1 };
        t->dc.cap[1].mw = 150000 + bl_prng_below(&prng, 60000);
        for (uint32_t i = 0; i < VMS; i++) {
            for (uint32_t k = 0; k <= STEPS; k++)
                cpu[i][k] = bl_prng_below(&prng, 3) > 0
                                ? (uint32_t)bl_prng_below(&prng, 1000001)
                                : 0;
            vm[i] = (struct test_vm){ .steps = STEPS + 1, .cpu = cpu[i] };
            if (i % 3 == 0) {
                vm[i].arrive = (uint32_t)bl_prng_below(&prng, STEPS);
                vm[i].steps = 1 + (uint32_t)bl_prng_below(&prng, STEPS);
            }
        }
        trace =
            test_trace_open(&(struct test_trace){ .vm = vm,
                                                  .vm_count = VMS,
                                                  .step_count = STEPS,
                                                  .step_ns = TEST_STEP_NS });
        if (test_run_go(&run, trace) != BL_ERR_OK)
            fail_msg("%s", run.diag.text);
        budgets += run.counts.accepted[BL_ACTION_POWER_CAP];
        no_power += run.counts.refused[BL_VERDICT_NO_POWER];
        assert_false(run.counts.replaced);
        test_world_free(t);
        bl_trace_close(trace);
    }
    print_message("    %llu budgets, %llu actions without power\n",
                  (unsigned long long)budgets, (unsigned long long)no_power);
    assert_true(budgets > 100);
    assert_true(no_power > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_budget_is_lent_and_given_back),
        cmocka_unit_test(test_division_follows_shares),
        cmocka_unit_test(test_reservations_come_first),
        cmocka_unit_test(test_a_smaller_rack_bounds_a_larger_one),
        cmocka_unit_test(test_migrations_are_work),
        cmocka_unit_test(test_sleep_releases_and_waking_takes),
        cmocka_unit_test(test_a_wake_that_the_cap_cannot_back),
        cmocka_unit_test(test_a_reservation_that_the_cap_cannot_back),
        cmocka_unit_test(test_policies_under_caps),
    };

    return cmocka_run_group_tests_name("capping", tests, test_group_setup,
                                       NULL);
}
