/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_real_storm - the physics profile `real` under random loads, random
 * actions and several threads. Every invariant is checked after every action
 * and every stop; the accounts close to the last kHz ns at every end.
 */
#include "base/prng.h"
#include "tests/support_real.h"

#include <stdlib.h>
#include <string.h>

enum { HOSTS = 12, VMS = 60, STEPS = 24 };

/* ---- random worlds
 * ---------------------------------------------------------------- */

struct storm {
    struct test_world *t;
    struct test_vm vm[VMS];
    uint32_t cpu[VMS][STEPS], mem[VMS][STEPS];
    struct bl_prng prng;
    struct bl_params governor;
    uint64_t accepted, later, refused, budgets;
};

static uint64_t below(struct storm *s, uint64_t n)
{
    return bl_prng_below(&s->prng, n);
}

static uint32_t random_host(struct storm *s)
{
    return (uint32_t)below(s, HOSTS);
}

/* Three kinds of VM, two of host, with every setting somewhere. */
static void random_dc(struct storm *s)
{
    struct bl_dc *dc = &s->t->dc;

    dc->host_order = below(s, 2) ? BL_ORDER_ROUND_ROBIN : BL_ORDER_BLOCKS;
    dc->vm_order = below(s, 2) ? BL_ORDER_ROUND_ROBIN : BL_ORDER_BLOCKS;
    dc->host_group_count = 2;
    dc->host_group[0].host_count = HOSTS / 2;
    dc->host_group[1] = dc->host_group[0];
    dc->host_group[1].core_khz = 1500000;
    dc->host_group[1].net_bytes_per_s = 30000000;
    dc->host_group[1].standby.enter = (struct bl_transition){ 0, 7 };
    dc->vm_group_count = 3;
    dc->vm_group[1] = dc->vm_group[0];
    dc->vm_group[2] = dc->vm_group[0];
    dc->vm_group[0].cpu.limit = 1500000 + below(s, 1000000);
    dc->vm_group[0].mem.limit = 900000000;
    dc->vm_group[1].cpu.reservation = below(s, 4000000);
    dc->vm_group[1].mem.reservation = below(s, 1250000000);
    dc->vm_group[2].vcpu_count = 3;
    dc->vm_group[2].mem_bytes = 3 * TEST_GB;
    dc->vm_group[2].cpu.shares.value = 500 + below(s, 4000);
    dc->migration.cpu_ppm_per_gbit = (uint32_t)below(s, 3000000);
    dc->migration.dirty_bytes_per_s = below(s, 250000000);
    dc->migration.rounds_max = 1 + (uint32_t)below(s, 6);
    dc->migration.parallel_max = 1 + (uint32_t)below(s, 4);
    dc->migration.downtime_ns_max = (int64_t)below(s, 1000000000);
}

/* One to four P-states, each slower and thriftier than the one before. */
static void random_pstates(struct storm *s, struct bl_host_group *g)
{
    struct bl_freq *f = &g->freq;
    uint64_t khz = g->core_khz;

    *f = (struct bl_freq){ .domain_count = 1 };
    f->pstate_count = 1 + (uint32_t)below(s, 4);
    for (uint32_t p = 0; p < f->pstate_count; p++) {
        f->pstate[p].khz = khz;
        for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
            f->pstate[p].mw[i] =
                p == 0 ? g->power.mw[i]
                       : f->pstate[p - 1].mw[i] - 5000 - 3000 * i / 2;
        khz -= 1 + below(s, khz / 2);
    }
}

/* Racks of some hosts each, with anything from what they draw idle to more than
 * they can draw. */
static void random_caps(struct storm *s)
{
    struct bl_dc *dc = &s->t->dc;

    dc->cap_count = (uint32_t)below(s, 3);
    for (uint32_t i = 0; i < dc->cap_count; i++) {
        const uint32_t each = 1 + (uint32_t)below(s, HOSTS);

        dc->cap[i] = (struct bl_power_cap){
            .name = "rack",
            .mw = each * (100000 + below(s, 130000)),
            .group = BL_CAP_ALL,
            .hosts_each = each,
        };
    }
}

static void random_power(struct storm *s)
{
    const uint32_t n = (uint32_t)below(s, 6);

    random_pstates(s, &s->t->dc.host_group[0]);
    random_pstates(s, &s->t->dc.host_group[1]);
    random_caps(s);
    s->t->opts.governor = bl_governor_at(n);
    if (s->t->opts.governor == NULL)
        return;
    bl_params_init(&s->governor, s->t->opts.governor->params,
                   s->t->opts.governor->param_count);
    s->t->opts.governor_params = &s->governor;
}

/* Each draw is a statement of its own: compilers may call functions in one
 * expression in any order. */
static void random_vms(struct storm *s)
{
    const uint32_t load = (uint32_t)below(s, 1000001);

    for (uint32_t i = 0; i < VMS; i++) {
        struct test_vm *vm = &s->vm[i];

        *vm = (struct test_vm){ .steps = STEPS + 1,
                                .cpu = s->cpu[i],
                                .mem = s->mem[i] };
        if (below(s, 2)) {
            vm->arrive = (uint32_t)below(s, STEPS);
            vm->steps = 1 + (uint32_t)below(s, STEPS);
        }
        for (uint32_t k = 0; k < STEPS; k++) {
            s->cpu[i][k] = (uint32_t)below(s, load + 1);
            s->mem[i][k] = (uint32_t)below(s, 1000001);
        }
    }
}

static struct storm *storm_new(uint64_t seed, uint32_t threads)
{
    struct storm *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->prng = (struct bl_prng){ seed };
    s->t = test_world_new(HOSTS);
    random_dc(s);
    if (below(s, 2))
        random_power(s);
    random_vms(s);
    for (uint32_t i = 0; i < VMS; i++)
        s->t->home[i] = below(s, 8) == 0 ? BL_NONE : (uint32_t)below(s, HOSTS);
    s->t->opts.thread_count = threads;
    s->t->opts.warmup_ns = (int64_t)below(s, 3) * 1000 * TEST_S;
    s->t->opts.interval_ns = (int64_t)below(s, 3) * 200 * TEST_S;
    s->t->opts.history_count = (uint32_t)below(s, 4);
    s->t->opts.demand_oracle = below(s, 4) == 0;
    test_world_open(s->t, &(struct test_trace){ .vm = s->vm,
                                                .vm_count = VMS,
                                                .step_count = STEPS,
                                                .step_ns = TEST_STEP_NS,
                                                .has_mem = below(s, 4) > 0 });
    return s;
}

static void storm_free(struct storm *s)
{
    test_world_free(s->t);
    free(s);
}

/* ---- oracles
 * ------------------------------------------------------------------------- */

/* Ask bl_entitle() for every host, whether there was need to or not: each VM
 * has exactly what it says. */
static void check_entitlement(const struct storm *s)
{
    const struct bl_sim *sim = (const struct bl_sim *)s->t->w;
    const struct bl_real *r = inside(s->t);
    const struct bl_columns *c = &sim->col;

    for (uint32_t h = 0; h < HOSTS; h++) {
        struct bl_claim claim[VMS];
        uint32_t vm[VMS], scratch[VMS], n = 0;
        uint64_t out[VMS], can = c->host_capacity_khz[h];
        uint64_t core_khz = UINT64_C(1) << 40;

        if (c->host_state[h] != BL_HOST_ON || r->host[h].dirty)
            continue;
        for (uint32_t i = c->host_first[h]; i != BL_NONE;
             i = c->resident[i].next) {
            const uint32_t v = c->resident[i].vm;
            const struct bl_settings *set = &c->cpu[c->vm_group[v]];

            if (c->resident[i].role == BL_ROLE_IN ||
                (r->vm_flags[v] & REAL_STOPPED))
                continue;
            if (r->speeds != NULL) {
                can = r->speeds->host[h].khz;
                core_khz = bl__real_core_khz(sim, h);
            }
            vm[n] = v;
            claim[n] =
                (struct bl_claim){ bl_cpu_shares(set, c->vm_vcpu_count[v]),
                                   set->reservation, set->limit,
                                   r->vm[v].want_khz };
            if (claim[n].demand > c->vm_vcpu_count[v] * core_khz)
                claim[n].demand = c->vm_vcpu_count[v] * core_khz;
            n++;
        }
        (void)bl_entitle(can - r->host[h].copy_khz, claim, n, out, scratch);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(gets_khz(s->t, vm[i]), out[i]);
    }
}

/* A governor that has come to rest stays at rest, and one that does not ends at
 * the same P-state again. */
static void check_rest(const struct storm *s)
{
    struct bl_sim *sim = (struct bl_sim *)s->t->w;
    const struct bl_real *r = inside(s->t);

    for (uint32_t h = 0; r->speeds != NULL && h < HOSTS; h++) {
        const uint8_t pstate = r->speeds->host[h].pstate;

        if (sim->col.host_state[h] != BL_HOST_ON || r->host[h].dirty)
            continue;
        (void)bl__real_govern(sim, h);
        assert_int_equal(r->speeds->host[h].pstate, pstate);
    }
}

/* No policy may see what cannot be. */
static void check_snapshot(const struct storm *s)
{
    const struct bl_snapshot *snap = s->t->w->ops->observe(s->t->w);

    bl_snapshot_check(snap);
    for (uint32_t v = 0; v < snap->vm.slot_count; v++) {
        assert_true(snap->vm.util[v] >= 0 && snap->vm.util[v] <= 1);
        assert_true(snap->vm.demand_mhz[v] <= snap->vm.size_mhz[v]);
    }
    for (uint32_t h = 0; h < HOSTS; h++) {
        assert_true(snap->host.util[h] >= 0 && snap->host.util[h] <= 1);
        assert_near(snap->host.served_mhz[h] + snap->host.free_mhz[h],
                    snap->host.capacity_mhz_now[h], 1e-9);
    }
}

/* ---- storms
 * ----------------------------------------------------------------------------
 */

static enum bl_verdict act(struct storm *s, enum bl_action_kind kind,
                           uint32_t vm, uint32_t host)
{
    const enum bl_verdict v = test_world_act(s->t, kind, vm, host);

    s->accepted += v == BL_VERDICT_OK;
    s->later += v == BL_VERDICT_LATER;
    s->refused += !bl_verdict_accepted(v);
    return v;
}

/* Also more than there is, and less than what a host draws idle. */
static void random_budget(struct storm *s)
{
    const struct bl_action a = { .kind = BL_ACTION_POWER_CAP,
                                 .vm = BL_NONE,
                                 .host = random_host(s),
                                 .source = BL_NONE,
                                 .amount = below(s, 250001) };

    s->budgets += s->t->w->ops->apply(s->t->w, &a) == BL_VERDICT_OK;
    s->t->w->ops->check(s->t->w);
}

static void random_action(struct storm *s)
{
    enum bl_action_kind kind = (enum bl_action_kind)below(s, BL_ACTION_COUNT);
    const uint32_t vm = (uint32_t)below(s, s->t->w->vm_slot_count);

    if (below(s, 3) == 0)
        kind = BL_ACTION_MIGRATE;
    (void)act(s, kind, vm, random_host(s));
}

/* All VMs leave a host, which then goes to sleep; or the other way round. */
static void random_plan(struct storm *s)
{
    const uint32_t host = random_host(s);
    const struct bl_snapshot *snap = s->t->w->ops->observe(s->t->w);
    const bool sleep = snap->host.state[host] == BL_HOST_ON;

    if (!sleep)
        (void)act(s, BL_ACTION_HOST_ON, BL_NONE, host);
    for (uint32_t vm = 0; vm < snap->vm.slot_count; vm++)
        if (snap->vm.state[vm] == BL_VM_PENDING)
            (void)act(s, BL_ACTION_PLACE, vm, host);
        else if (sleep && snap->vm.host[vm] == host)
            (void)act(s, BL_ACTION_MIGRATE, vm, random_host(s));
        else if (!sleep && below(s, 8) == 0)
            (void)act(s, BL_ACTION_MIGRATE, vm, host);
    if (sleep && below(s, 2))
        (void)act(s, BL_ACTION_HOST_OFF, BL_NONE, host);
    else if (sleep)
        (void)act(s, BL_ACTION_HOST_STANDBY, BL_NONE, host);
}

/* Returns the state hash. */
static uint64_t run_storm(uint64_t seed, uint32_t threads, uint64_t *tally)
{
    struct storm *s = storm_new(seed, threads);
    const int64_t end_ns = STEPS * TEST_STEP_NS;
    uint64_t hash;

    test_world_go(s->t, 0);
    while (s->t->now_ns < end_ns) {
        int64_t until_ns = s->t->now_ns + (int64_t)below(s, 60 * TEST_S);

        for (uint64_t k = below(s, 6); k > 0; k--)
            random_action(s);
        for (uint64_t k = below(s, 4); k > 0; k--)
            random_budget(s);
        if (below(s, 4) == 0)
            random_plan(s);
        if (below(s, 4) == 0) /* at the same instant, or much later */
            until_ns = s->t->now_ns + (int64_t)below(s, 2) * 700 * TEST_S;
        test_world_go(s->t, until_ns);
        check_entitlement(s);
        check_rest(s);
        check_snapshot(s);
    }
    hash = test_world_finish(s->t)->state_hash;
    tally[0] += s->accepted;
    tally[1] += s->later;
    tally[2] += s->refused;
    tally[3] += s->t->result->migrations;
    tally[4] += s->budgets;
    for (uint32_t g = 0; g < s->t->result->class_count; g++)
        tally[5] +=
            s->t->result->class_[g].unserved_mcycles[BL_CAUSE_FREQUENCY] > 0;
    storm_free(s);
    return hash;
}

static void test_storms_keep_every_invariant(void **state)
{
    const uint64_t seed = test_seed();
    uint64_t tally[6] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        const uint64_t hash = run_storm(seed + i, 1, tally);

        assert_true(run_storm(seed + i, 2, tally) == hash);
    }
    print_message(
        "    %llu accepted, %llu later, %llu refused, %llu migrations, %llu "
        "budgets, %llu classes that lost by speed\n",
        (unsigned long long)tally[0], (unsigned long long)tally[1],
        (unsigned long long)tally[2], (unsigned long long)tally[3],
        (unsigned long long)tally[4], (unsigned long long)tally[5]);
    for (int i = 0; i < 6; i++)
        assert_true(tally[i] > 100); /* the storm is one */
}

/* ---- threads
 * ------------------------------------------------------------------------------
 */

/* Enough hosts for many units of work; all VMs on half of them, one host
 * with more VMs than a thread has room for; a few migrations under way. */
static uint64_t run_wide(uint32_t threads, bool power)
{
    enum { WIDE_HOSTS = 4000, WIDE_VMS = 40000 };
    struct bl_trace_spec spec;
    struct bl_trace *trace;
    struct bl_params params;
    struct bl_diag diag;
    struct test_world *t = test_world_new(WIDE_HOSTS);
    uint64_t hash;

    bl_trace_spec_default(&spec);
    spec.vm_count = WIDE_VMS;
    spec.step_count = 6;
    spec.has_mem = true;
    spec.has_size = false;
    assert_ok(bl_trace_open_generated(&spec, threads, &trace, &diag));
    t->dc.vm_group[0].mem_bytes = 30000000;
    if (power) {
        add_pstate(&t->dc.host_group[0]);
        t->dc.cap_count = 1;
        t->dc.cap[0] = (struct bl_power_cap){ .name = "rack",
                                              .mw = UINT64_C(5200000),
                                              .group = BL_CAP_ALL,
                                              .hosts_each = 40 };
        t->opts.governor = bl_governor_find("schedutil");
        bl_params_init(&params, t->opts.governor->params,
                       t->opts.governor->param_count);
        t->opts.governor_params = &params;
    }
    t->opts.thread_count = threads;
    t->opts.history_count = 2;
    for (uint32_t vm = 0; vm < WIDE_VMS; vm++)
        t->home[vm] = vm < 150 ? 7 : vm % 2000;
    test_world_open_trace(t, trace);
    for (uint32_t vm = 0; vm < WIDE_VMS; vm += 40) {
        const struct bl_action a = { .kind = BL_ACTION_MIGRATE,
                                     .vm = vm,
                                     .host = vm % WIDE_HOSTS };

        if (vm % 3200 == 0)
            test_world_go(t, vm / 32 * TEST_S);
        (void)t->w->ops->apply(t->w, &a);
    }
    hash = test_world_finish(t)->state_hash;
    assert_true(t->result->migrations > 200);
    assert_true(t->result->unserved_ppm > 0);
    test_world_free(t);
    return hash;
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    for (int power = 0; power < 2; power++) {
        const uint64_t hash = run_wide(1, power);

        assert_true(run_wide(2, power) == hash);
        assert_true(run_wide(3, power) == hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storms_keep_every_invariant),
        cmocka_unit_test(test_threads_change_nothing),
    };

    return cmocka_run_group_tests_name("real_storm", tests, test_group_setup,
                                       NULL);
}
