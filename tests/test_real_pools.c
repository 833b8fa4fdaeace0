/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_real_pools - resource pools in a replay under the physics `real`.
 *
 * Order: examples worked out on paper from doc/models/pools.md and the standard
 * host of support_world.h (8 GHz, 8 GB); arrivals that pools refuse; a random
 * cluster, where no pool may exceed its limit and every pool must have its
 * reservation where hosts can give it. test_world_go() checks every invariant
 * at every stop.
 */
#include "tests/support_real.h"

#include "base/prng.h"
#include "tests/support_run.h"

#include <stdio.h>
#include <string.h>

#define GHZ UINT64_C(1000000)
#define NONE BL_NO_LIMIT

/* Pool @index (from 1), with settings as if nothing had been said. */
static struct bl_pool_desc *add_pool(struct bl_dc *dc, uint32_t parent)
{
    struct bl_pool_desc *p = &dc->pools.pool[dc->pools.count++];

    *p = (struct bl_pool_desc){
        .parent = parent,
        .cpu = { { { true, BL_CPU_SHARES_NORMAL }, 0, NONE }, true },
        .mem = { { { true, BL_MEM_SHARES_NORMAL }, 0, NONE }, true },
    };
    snprintf(p->name, sizeof(p->name), "pool-%u", dc->pools.count);
    return p;
}

/* @n groups of one standard VM each, of which group i is in pool[i]. */
static void set_groups(struct test_world *t, uint32_t n, const uint32_t *pool)
{
    t->dc.vm_group_count = n;
    for (uint32_t g = 0; g < n; g++) {
        t->dc.vm_group[g] = t->dc.vm_group[0];
        t->dc.vm_group[g].vm_count = 1;
        t->dc.vm_group[g].pool = pool[g];
    }
}

/* ---- limits ---------------------------------------------------------------
 */

/* VMs 0 and 1 of 4 GHz on two hosts share a pool's 3 GHz, VM 2 beside VM 0 has
 * all that it wants. */
static void test_a_limit_holds_across_hosts(void **state)
{
    const uint32_t pool[] = { 1, 1, 0 };
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    set_groups(t, 3, pool);
    add_pool(&t->dc, 0)->cpu.set.limit = 3 * GHZ;
    t->home[1] = 1;
    open_steady(t, 3, 1000000, 2);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 3 * GHZ / 2);
    assert_int_equal(gets_khz(t, 1), 3 * GHZ / 2);
    assert_int_equal(gets_khz(t, 2), 4 * GHZ);
    r = test_world_finish(t);
    /* above a limit: no demand, but counted */
    assert_int_equal(r->class_[0].demand_mcycles, 600 * 1500);
    assert_int_equal(r->class_[0].over_limit_mcycles, 600 * 2500);
    assert_true(r->unserved_ppm == 0);
    test_world_free(t);
}

/* VM 0 wants 0.5 GHz in the second step: VM 1 has the rest of the 3 GHz, by
 * shares nested two deep. In the third VM 2 arrives in the same pool. */
static void test_a_limit_is_divided_anew_at_each_step(void **state)
{
    static const uint32_t cpu[] = { 1000000, 125000, 1000000, 1000000 };
    const struct test_vm vm[] = {
        { .steps = 4, .cpu = cpu },
        { .steps = 4, .cpu_ppm = 1000000 },
        { .arrive = 2, .steps = 2, .cpu_ppm = 1000000 },
    };
    const uint32_t pool[] = { 1, 2, 1 };
    struct test_world *t = test_world_new(3);

    (void)state;
    set_groups(t, 3, pool);
    add_pool(&t->dc, 0)->cpu.set.limit = 3 * GHZ;
    add_pool(&t->dc, 1)->cpu.set.shares = (struct bl_shares){ false, 4000 };
    t->home[1] = 1;
    t->home[2] = 2;
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 3,
                                             .step_count = 4,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 1); /* 2000 : 4000 */
    assert_int_equal(gets_khz(t, 0), 1 * GHZ);
    assert_int_equal(gets_khz(t, 1), 2 * GHZ);
    test_world_go(t, TEST_STEP_NS + 1);
    assert_int_equal(gets_khz(t, 0), GHZ / 2);
    assert_int_equal(gets_khz(t, 1), 5 * GHZ / 2);
    test_world_go(t, 2 * TEST_STEP_NS + 1); /* 2000 : 4000 : 2000 */
    assert_int_equal(gets_khz(t, 0), 3 * GHZ / 4);
    assert_int_equal(gets_khz(t, 1), 3 * GHZ / 2);
    assert_int_equal(gets_khz(t, 2), 3 * GHZ / 4);
    (void)test_world_finish(t);
    test_world_free(t);
}

/* A VM without a host takes nothing from those that run. */
static void test_who_waits_takes_nothing(void **state)
{
    const uint32_t pool[] = { 1, 1 };
    struct test_world *t = test_world_new(1);

    (void)state;
    set_groups(t, 2, pool);
    add_pool(&t->dc, 0)->cpu.set.limit = 3 * GHZ;
    t->home[1] = BL_NONE;
    open_steady(t, 2, 1000000, 2);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 3 * GHZ);
    assert_int_equal(test_world_act(t, BL_ACTION_PLACE, 1, 0), BL_VERDICT_OK);
    test_world_go(t, 2);
    assert_int_equal(gets_khz(t, 0), 3 * GHZ / 2);
    assert_int_equal(gets_khz(t, 1), 3 * GHZ / 2);
    test_world_free(t);
}

/* 1.25 GB each, of which the pool allows 1.5 GB in all. */
static void test_a_limit_of_memory(void **state)
{
    const uint32_t pool[] = { 1, 1, 0 };
    struct test_world *t = test_world_new(2);
    const struct bl_result *r;

    (void)state;
    set_groups(t, 3, pool);
    add_pool(&t->dc, 0)->mem.set.limit = 1500000000;
    t->home[1] = 1;
    open_steady(t, 3, 500000, 2);
    test_world_go(t, 1);
    assert_int_equal(inside(t)->rare[0].mem_short_bytes, 500000000);
    assert_int_equal(inside(t)->rare[1].mem_short_bytes, 500000000);
    assert_int_equal(inside(t)->rare[2].mem_short_bytes, 0);
    assert_int_equal(gets_khz(t, 0), 2 * GHZ); /* it slows nothing */
    r = test_world_finish(t);
    assert_true(r->unserved_ppm == 0);
    test_world_free(t);
}

/* ---- reservations and shares ------------------------------------------------
 */

/* Four VMs of 4 GHz on 8 GHz. Pool 1 (VMs 0 and 1, shares 2:1) has 6 GHz
 * reserved, pool 2 all the shares in the world. */
static void test_a_reservation_is_kept_and_spread_by_shares(void **state)
{
    const uint32_t pool[] = { 1, 1, 2, 2 };
    struct test_world *t = test_world_new(1);

    (void)state;
    set_groups(t, 4, pool);
    add_pool(&t->dc, 0)->cpu.set.reservation = 6 * GHZ;
    add_pool(&t->dc, 0)->cpu.set.shares =
        (struct bl_shares){ false, BL_SHARES_MAX };
    t->dc.vm_group[0].cpu.shares.value = BL_CPU_SHARES_HIGH;
    open_steady(t, 4, 1000000, 1);
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 4 * GHZ);
    assert_int_equal(gets_khz(t, 1), 2 * GHZ);
    assert_int_equal(gets_khz(t, 2), 1 * GHZ);
    assert_int_equal(gets_khz(t, 3), 1 * GHZ);
    (void)test_world_finish(t);
    test_world_free(t);
}

/* Without reservations 8 GHz go 1:1 to pool 1 with one VM and pool 2 with two;
 * when one of these idles, the other has its pool's shares alone. */
static void test_shares_belong_to_the_pool(void **state)
{
    static const uint32_t idle[] = { 1000000, 0 };
    const struct test_vm vm[] = {
        { .steps = 2, .cpu_ppm = 1000000 },
        { .steps = 2, .cpu_ppm = 1000000 },
        { .steps = 2, .cpu = idle },
    };
    const uint32_t pool[] = { 1, 2, 2 };
    struct test_world *t = test_world_new(1);

    (void)state;
    set_groups(t, 3, pool);
    for (uint32_t g = 0; g < 3; g++)
        t->dc.vm_group[g].vcpu_count = 4; /* 8 GHz each */
    (void)add_pool(&t->dc, 0);
    (void)add_pool(&t->dc, 0);
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = 3,
                                             .step_count = 2,
                                             .step_ns = TEST_STEP_NS });
    test_world_go(t, 1);
    assert_int_equal(gets_khz(t, 0), 4 * GHZ);
    assert_int_equal(gets_khz(t, 1), 2 * GHZ);
    assert_int_equal(gets_khz(t, 2), 2 * GHZ);
    test_world_go(t, TEST_STEP_NS + 1);
    assert_int_equal(gets_khz(t, 0), 4 * GHZ);
    assert_int_equal(gets_khz(t, 1), 4 * GHZ);
    (void)test_world_finish(t);
    test_world_free(t);
}

/* ---- refusals ---------------------------------------------------------------
 */

/* With one of the arena's allocations failing; -1: with none. */
static bl_err create(struct test_world *t, int64_t fail_after,
                     struct bl_diag *diag)
{
    struct bl_arena a;
    struct bl_sim *sim = NULL;
    bl_err e = bl_arena_init(&a, UINT64_C(1) << 32);

    t->opts.dc = &t->dc;
    t->opts.trace = t->trace;
    a.fail_after = fail_after;
    if (e == BL_ERR_OK)
        e = bl_sim_create(&a, &t->opts, &sim, diag);
    bl_arena_free(&a);
    return e;
}

static void test_every_allocation_fails_once(void **state)
{
    const struct test_vm vm = { .steps = 1 };
    struct test_world *t = test_world_new(1);
    struct bl_diag diag = { "" };
    int64_t with = 0, without = 0;

    (void)state;
    t->trace = test_trace_open(&(struct test_trace){
        .vm = &vm, .vm_count = 1, .step_count = 1, .step_ns = TEST_STEP_NS });
    while (create(t, without, &diag) == BL_ERR_NOMEM)
        without++;
    (void)add_pool(&t->dc, 0);
    while (create(t, with, &diag) == BL_ERR_NOMEM)
        with++;
    assert_ok(create(t, -1, &diag));
    assert_int_equal(with - without, 17); /* nothing where there are none */
    bl_trace_close(t->trace);
    free(t);
}

static void test_worlds_that_can_have_no_pools(void **state)
{
    static struct test_vm vm[2049];
    struct test_world *t = test_world_new(1);
    struct bl_diag diag = { "" };

    (void)state;
    (void)add_pool(&t->dc, 0);
    for (uint32_t i = 0; i < 2049; i++)
        vm[i].steps = 1;
    t->dc.host_group[0].mem_bytes = BL_MEM_BYTES_MAX;
    t->dc.vm_group[0].mem_bytes = BL_MEM_BYTES_MAX;
    for (uint32_t n = 2048; n <= 2049; n++) { /* 2 EiB, and more */
        t->trace =
            test_trace_open(&(struct test_trace){ .vm = vm,
                                                  .vm_count = n,
                                                  .step_count = 1,
                                                  .step_ns = TEST_STEP_NS });
        assert_int_equal(create(t, -1, &diag),
                         n == 2048 ? BL_ERR_OK : BL_ERR_INVAL);
        bl_trace_close(t->trace);
    }
    assert_string_equal(diag.text,
                        "pools: 2049 VMs of up to 1073741824 MiB at once, "
                        "expected at most 2 EiB in all");
    t->trace = test_trace_open(&(struct test_trace){
        .vm = vm, .vm_count = 1, .step_count = 1, .step_ns = TEST_STEP_NS });
    t->opts.physics = "cloudsim303";
    t->dc.vm_group[0].vcpu_count = 1;
    assert_int_equal(create(t, -1, &diag), BL_ERR_INVAL);
    assert_string_equal(diag.text,
                        "cloudsim303: resource pools, expected none");
    bl_trace_close(t->trace);
    free(t);
}

/* Three of five VMs that reserve 1 GHz each fit into 3 GHz that may not grow.
 * After the second step they leave, and the other two may start. */
static void test_arrivals_that_a_pool_refuses_wait(void **state)
{
    const struct test_vm vm[] = {
        { .steps = 2, .cpu_ppm = 500000 }, { .steps = 2, .cpu_ppm = 500000 },
        { .steps = 2, .cpu_ppm = 500000 }, { .steps = 5, .cpu_ppm = 500000 },
        { .steps = 5, .cpu_ppm = 500000 },
    };
    struct test_world *t = test_world_new(4);
    struct bl_trace *trace = test_trace_open(&(struct test_trace){
        .vm = vm, .vm_count = 5, .step_count = 5, .step_ns = TEST_STEP_NS });
    struct test_run run = {
        .dc = &t->dc, .physics = "real", .policy = "static", .paranoid = true
    };
    struct bl_pool_desc *p = add_pool(&t->dc, 0);

    (void)state;
    p->cpu.set.reservation = 3 * GHZ;
    p->cpu.expandable = false;
    t->dc.vm_group[0].pool = 1;
    t->dc.vm_group[0].cpu.reservation = 1 * GHZ;
    assert_ok(test_run_go(&run, trace));
    assert_int_equal(run.counts.refused[BL_VERDICT_NO_POOL], 2);
    assert_int_equal(run.counts.unplaced, 2);
    assert_int_equal(run.counts.accepted[BL_ACTION_PLACE], 5);
    assert_false(run.counts.replaced); /* the policy is not to blame */
    p->cpu.expandable = true;
    assert_ok(test_run_go(&run, trace));
    assert_int_equal(run.counts.refused[BL_VERDICT_NO_POOL], 0);
    assert_int_equal(run.counts.unplaced, 0);
    bl_trace_close(trace);
    free(t);
}

/* ---- a random cluster
 * --------------------------------------------------------
 */

enum { HOSTS = 5, VMS = 24, STEPS = 40, POOLS = 5 };

struct cluster {
    struct test_world *t;
    struct bl_prng prng;
    uint32_t cpu[VMS][STEPS], mem[VMS][STEPS];
    struct test_vm vm[VMS];
    uint32_t full, kept; /* instants at which a pool's reservation was short of
                            its demand; how many of them could be kept */
};

static void draw_pools(struct cluster *c)
{
    struct bl_dc *dc = &c->t->dc;

    for (uint32_t p = 0; p < POOLS; p++) {
        struct bl_pool_desc *d =
            add_pool(dc, (uint32_t)bl_prng_below(&c->prng, p + 1));

        d->cpu.set.shares =
            (struct bl_shares){ false, 1 + bl_prng_below(&c->prng, 9000) };
        d->cpu.set.reservation = bl_prng_below(&c->prng, 4) * GHZ;
        if (bl_prng_below(&c->prng, 2))
            d->cpu.set.limit =
                d->cpu.set.reservation + bl_prng_below(&c->prng, 8 * GHZ);
        if (bl_prng_below(&c->prng, 2))
            d->mem.set.limit = bl_prng_below(&c->prng, 4 * TEST_GB);
    }
}

static void draw_vms(struct cluster *c)
{
    for (uint32_t i = 0; i < VMS; i++) {
        c->vm[i] = (struct test_vm){
            .arrive = (uint32_t)bl_prng_below(&c->prng, STEPS / 3),
            .cpu = c->cpu[i],
            .mem = c->mem[i],
        };
        c->vm[i].steps =
            1 + (uint32_t)bl_prng_below(&c->prng, STEPS - c->vm[i].arrive);
        c->t->home[i] = (uint32_t)bl_prng_below(&c->prng, HOSTS);
        for (uint32_t k = 0; k < STEPS; k++) {
            c->cpu[i][k] = (uint32_t)bl_prng_below(&c->prng, 1000001);
            c->mem[i][k] = (uint32_t)bl_prng_below(&c->prng, 1000001);
        }
    }
}

static void set_cluster(struct cluster *c)
{
    struct bl_dc *dc = &c->t->dc;

    /* two kinds of hosts, of which one is too slow for a vCPU */
    dc->host_group_count = 2;
    dc->host_group[1] = dc->host_group[0];
    dc->host_group[1].core_khz = 1500000;
    dc->host_group[1].host_count = 2;
    dc->host_group[0].host_count = HOSTS - 2;
    draw_pools(c);
    dc->vm_group_count = POOLS + 1;
    dc->vm_order = BL_ORDER_ROUND_ROBIN;
    for (uint32_t g = 0; g <= POOLS; g++) {
        dc->vm_group[g] = dc->vm_group[0];
        dc->vm_group[g].pool = g;
        dc->vm_group[g].cpu.reservation = g % 2 ? GHZ / 4 : 0;
        dc->vm_group[g].cpu.limit = g % 3 == 0 ? 3 * GHZ : NONE;
    }
    draw_vms(c);
}

static bool runs(const struct test_world *t, uint32_t vm)
{
    const struct bl_columns *col = &((const struct bl_sim *)t->w)->col;

    return col->vm_state[vm] == BL_VM_PLACED &&
           col->host_state[col->vm_host[vm]] == BL_HOST_ON;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Can each host give what its VMs are sure of, and is nobody stopped? */
static bool hosts_can(const struct test_world *t)
{
    const struct bl_columns *col = &((const struct bl_sim *)t->w)->col;
    const struct bl_real *r = inside(t);
    uint64_t sure[HOSTS] = { 0 };

    for (uint32_t vm = 0; vm < col->slot_count; vm++) {
        if (!runs(t, vm))
            continue;
        if (r->vm_flags[vm] & REAL_STOPPED)
            return false;
        sure[col->vm_host[vm]] +=
            least(r->pools->bound[BL_RESOURCE_CPU][vm].reservation,
                  r->vm[vm].want_khz);
    }
    for (uint32_t h = 0; h < HOSTS; h++)
        if (sure[h] > col->host_capacity_khz[h] - r->host[h].copy_khz)
            return false;
    return true;
}

static void expect_pools(struct cluster *c)
{
    const struct test_world *t = c->t;
    const struct bl_columns *col = &((const struct bl_sim *)t->w)->col;
    uint64_t gets[POOLS + 1] = { 0 }, wants[POOLS + 1] = { 0 };
    const bool can = hosts_can(t);

    for (uint32_t vm = 0; vm < col->slot_count; vm++) {
        if (!runs(t, vm))
            continue;
        gets[t->dc.vm_group[col->vm_group[vm]].pool] += gets_khz(t, vm);
        wants[t->dc.vm_group[col->vm_group[vm]].pool] +=
            inside(t)->vm[vm].want_khz;
    }
    for (uint32_t p = POOLS; p > 0; p--) {
        const struct bl_pool_desc *d = &t->dc.pools.pool[p - 1];
        const uint64_t reserved = d->cpu.set.reservation;

        assert_true(gets[p] <= d->cpu.set.limit);
        c->full += reserved > 0 && reserved < wants[p];
        if (can) { /* but for one unit of rounding for each VM */
            c->kept += reserved > 0 && reserved < wants[p];
            assert_true(gets[p] + VMS >= least(reserved, wants[p]));
        }
        gets[d->parent] += gets[p];
        wants[d->parent] += wants[p];
    }
}

static void run_cluster(struct cluster *c, uint64_t seed)
{
    c->t = test_world_new(HOSTS);
    c->prng = bl_prng_stream(seed, 7);
    set_cluster(c);
    test_world_open(c->t, &(struct test_trace){ .vm = c->vm,
                                                .vm_count = VMS,
                                                .step_count = STEPS,
                                                .step_ns = TEST_STEP_NS,
                                                .has_mem = true });
    for (int64_t k = 0; k < INT64_C(4) * STEPS; k++) {
        test_world_go(c->t, k * TEST_STEP_NS / 4 + 1);
        expect_pools(c);
        if (bl_prng_below(&c->prng, 3) == 0)
            (void)test_world_act(c->t, BL_ACTION_MIGRATE,
                                 (uint32_t)bl_prng_below(&c->prng, VMS),
                                 (uint32_t)bl_prng_below(&c->prng, HOSTS));
        if (bl_prng_below(&c->prng, 8) == 0)
            (void)test_world_act(c->t, BL_ACTION_HOST_STANDBY, BL_NONE,
                                 (uint32_t)bl_prng_below(&c->prng, HOSTS));
        if (bl_prng_below(&c->prng, 4) == 0)
            (void)test_world_act(c->t, BL_ACTION_HOST_ON, BL_NONE,
                                 (uint32_t)bl_prng_below(&c->prng, HOSTS));
    }
    (void)test_world_finish(c->t);
    test_world_free(c->t);
}

static void test_pools_hold_in_random_clusters(void **state)
{
    static struct cluster c;
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 60; i++)
        run_cluster(&c, seed + i);
    print_message("    %u times more was wanted than reserved, %u checked\n",
                  c.full, c.kept);
    assert_true(c.kept > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_limit_holds_across_hosts),
        cmocka_unit_test(test_a_limit_is_divided_anew_at_each_step),
        cmocka_unit_test(test_who_waits_takes_nothing),
        cmocka_unit_test(test_a_limit_of_memory),
        cmocka_unit_test(test_a_reservation_is_kept_and_spread_by_shares),
        cmocka_unit_test(test_shares_belong_to_the_pool),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_worlds_that_can_have_no_pools),
        cmocka_unit_test(test_arrivals_that_a_pool_refuses_wait),
        cmocka_unit_test(test_pools_hold_in_random_clusters),
    };

    return cmocka_run_group_tests_name("real-pools", tests, test_group_setup,
                                       NULL);
}
