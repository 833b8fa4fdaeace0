/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pabfd - the host whose power rises least: by hand in both published
 * forms, then against a scan of all hosts by id after every step of random
 * plans.
 */
#include "tests/test.h"

#include "cluster/pabfd.h"
#include "power/curve.h"
#include "tests/support_table.h"

#include <math.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct test_table *t;
    struct bl_overlay *ov;
    struct bl_overload *overload;
    struct bl_pabfd *p;
    bool from_measured;
    bool excluded[64];
};

enum { MOVES_MAX = 200 };

static struct fixture fixture_new(uint32_t hosts, uint32_t slots,
                                  enum bl_overload_test test, double safety,
                                  bool from_measured)
{
    struct fixture f = { .t = test_table_new(hosts, slots, BL_HISTORY_MAX),
                         .from_measured = from_measured };
    const struct bl_overload_opts overload = { .test = test,
                                               .safety = safety,
                                               .fallback = 0.7,
                                               .host_count = hosts,
                                               .vm_slot_count = slots };
    const struct bl_pabfd_opts pabfd = { .dc = &f.t->dc,
                                         .host_count = hosts,
                                         .from_measured = from_measured };

    assert_true(hosts <= COUNT(f.excluded));
    assert_ok(bl_overlay_create(&f.t->arena, hosts, f.t->c.resident_max,
                                MOVES_MAX, &f.ov));
    assert_ok(bl_overload_create(&f.t->arena, &overload, &f.overload));
    assert_ok(bl_pabfd_create(&f.t->arena, &pabfd, &f.p));
    return f;
}

static void begin(struct fixture *f)
{
    bl_overlay_reset(f->ov, &f->t->s);
    bl_overload_begin(f->overload, &f->t->s, f->ov);
    bl_pabfd_begin(f->p, &f->t->s, f->ov, f->overload);
    memset(f->excluded, 0, sizeof(f->excluded));
}

static void exclude(struct fixture *f, uint32_t host)
{
    bl_pabfd_exclude(f->p, host);
    f->excluded[host] = true;
}

/* As a policy does with the answer. */
static void put(struct fixture *f, uint32_t vm, uint32_t host)
{
    bl_overlay_put(f->ov, host, vm);
    bl_pabfd_refresh(f->p, host);
}

static void expect_host(struct fixture *f, uint32_t vm, uint32_t host,
                        double rise_w)
{
    double w = -1;

    assert_int_equal(bl_pabfd_find(f->p, vm, &w), host);
    assert_true(fabs(w - rise_w) < 1e-9);
}

/* ---- by hand ------------------------------------------------------------
 * "Slow" hosts (even ids) have 4000 MHz and draw 10 W more for each tenth of
 * it; "fast" ones 12000 MHz at 120, 150, 170, 185, 195, 205, 220 ... W. */

static void test_the_host_whose_power_rises_least(void **state)
{
    struct fixture f = fixture_new(4, 8, BL_OVERLOAD_THR, 0.8, false);

    (void)state;
    test_table_put(f.t, 1, 0, 2000); /* host 0 at 50 % */
    test_table_put(f.t, 3, 1, 3600); /* host 1 at 30 % */
    test_table_arrive(f.t, 0);
    f.t->c.vm_demand_mhz[0] = 600;
    test_table_look(f.t);
    begin(&f);
    /* 15 W on host 0 and on host 2, 5 W on host 1, 15 W on host 3 */
    expect_host(&f, 0, 1, 5);
    exclude(&f, 1);
    expect_host(&f, 0, 0, 15); /* the lower id */
    exclude(&f, 0);
    expect_host(&f, 0, 2, 15);
    exclude(&f, 2);
    expect_host(&f, 0, 3, 15);
    exclude(&f, 3);
    expect_host(&f, 0, BL_NONE, 0);
    test_table_free(f.t);
}

static void test_overloaded_hosts_do_not_win(void **state)
{
    struct fixture f = fixture_new(2, 8, BL_OVERLOAD_THR, 0.31, false);

    (void)state;
    test_table_put(f.t, 3, 1, 3600); /* at 30 % */
    test_table_arrive(f.t, 0);
    f.t->c.vm_demand_mhz[0] = 120; /* 31 % is not above 31 % */
    f.t->c.host_state[0] = BL_HOST_ENTERING;
    test_table_look(f.t);
    begin(&f);
    expect_host(&f, 0, 1, 1);
    f.t->c.vm_demand_mhz[0] = 121;
    begin(&f);
    expect_host(&f, 0, BL_NONE, 0);
    test_table_free(f.t);
}

/* What tells the two forms apart: two VMs placed one after the other. The later
 * form compares what the host would draw with both to what was measured with
 * none; "2012" does not see the first one at all. */
static void test_the_two_published_forms(void **state)
{
    for (int measured = 0; measured < 2; measured++) {
        struct fixture f =
            fixture_new(3, 8, BL_OVERLOAD_THR, 0.9, measured == 1);

        test_table_put(f.t, 1, 0, 400); /* host 0 at 10 % */
        test_table_arrive(f.t, 0);
        test_table_arrive(f.t, 4);
        f.t->c.vm_demand_mhz[0] = f.t->c.vm_demand_mhz[4] = 800;
        test_table_look(f.t);
        begin(&f);
        exclude(&f, 1);
        expect_host(&f, 0, 0, 20);
        put(&f, 0, 0);
        if (measured)
            expect_host(&f, 4, 0, 20);
        else
            expect_host(&f, 4, 2, 20); /* host 0 would be 40 W above before */
        test_table_free(f.t);
    }
    (void)state;
}

/* Asleep is as good as idle, where the policy can wake it. */
static void test_sleeping_hosts(void **state)
{
    static const struct {
        enum bl_host_state state;
        uint32_t can;
        bool found;
    } rows[] = {
        { BL_HOST_ON, 0, true },
        { BL_HOST_LEAVING, 0, true },
        { BL_HOST_STANDBY, 0, false },
        { BL_HOST_OFF, 0, false },
        { BL_HOST_ENTERING, 0, false },
        { BL_HOST_STANDBY, BL_CAN_SWITCH_HOSTS, true },
        { BL_HOST_OFF, BL_CAN_SWITCH_HOSTS, true },
        { BL_HOST_ENTERING, BL_CAN_SWITCH_HOSTS, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f = fixture_new(1, 8, BL_OVERLOAD_THR, 0.8, false);

        f.t->s.can = rows[i].can;
        test_table_state(f.t, 0, rows[i].state);
        test_table_arrive(f.t, 0);
        test_table_look(f.t);
        begin(&f);
        expect_host(&f, 0, rows[i].found ? 0 : BL_NONE, rows[i].found ? 25 : 0);
        test_table_free(f.t);
    }
}

/* Waking has a price that the rise does not show. */
static void test_an_awake_host_wins_over_one_asleep(void **state)
{
    struct fixture f = fixture_new(5, 8, BL_OVERLOAD_THR, 0.8, false);

    (void)state;
    f.t->s.can = BL_CAN_SWITCH_HOSTS;
    test_table_state(f.t, 0, BL_HOST_STANDBY);
    test_table_arrive(f.t, 0);
    test_table_look(f.t);
    f.t->c.host_util[0] = 0.5; /* before it fell asleep */
    begin(&f);
    exclude(&f, 1);
    exclude(&f, 3);
    expect_host(&f, 0, 2, 25); /* nor do the 50 W of before count */
    exclude(&f, 2);
    expect_host(&f, 0, 4, 25);
    exclude(&f, 4);
    expect_host(&f, 0, 0, 25);
    test_table_free(f.t);
}

/* Where use has outgrown a host, not even an idle VM fits. */
static void test_an_overfull_host_takes_nobody(void **state)
{
    struct fixture f = fixture_new(1, 8, BL_OVERLOAD_THR, 0.8, false);

    (void)state;
    test_table_put(f.t, 1, 0, 0);
    f.t->c.vm_mem_used_bytes[1] = 8 * TEST_GIB + 1;
    test_table_arrive(f.t, 0);
    f.t->c.vm_demand_mhz[0] = 0;
    f.t->c.vm_mem_used_bytes[0] = 0;
    test_table_look(f.t);
    begin(&f);
    expect_host(&f, 0, BL_NONE, 0);
    test_table_free(f.t);
}

static void test_memory_cores_and_reservations_bound(void **state)
{
    struct fixture f = fixture_new(2, 12, BL_OVERLOAD_THR, 1, false);

    (void)state;
    test_table_arrive(f.t, 3);
    f.t->c.vm_demand_mhz[3] = 2800; /* 700 for each vCPU */
    f.t->c.cpu[3].reservation = 4000000;
    test_table_look(f.t);
    begin(&f);
    exclude(&f, 1);
    expect_host(&f, 3, 0, 70);
    f.t->c.cpu[3].reservation = 4000001;
    expect_host(&f, 3, BL_NONE, 0);
    f.t->c.cpu[3].reservation = 0;
    f.t->c.vm_mem_used_bytes[3] = 8 * TEST_GIB;
    expect_host(&f, 3, 0, 70);
    f.t->c.vm_mem_used_bytes[3] = 8 * TEST_GIB + 1;
    expect_host(&f, 3, BL_NONE, 0);
    f.t->c.vm_mem_used_bytes[3] = 0;
    f.t->c.vm_vcpu_count[3] = 1; /* 2800 on one core of 2000 */
    expect_host(&f, 3, BL_NONE, 0);
    test_table_free(f.t);
}

/* A host that its VMs are leaving has none, but it draws what it draws. */
static void test_a_host_that_empties_is_not_like_an_empty_one(void **state)
{
    struct fixture f = fixture_new(6, 8, BL_OVERLOAD_THR, 0.9, false);

    (void)state;
    test_table_put(f.t, 1, 4, 2000);
    test_table_migrate(f.t, 1, 1);
    test_table_arrive(f.t, 0);
    f.t->c.vm_demand_mhz[0] = 1000;
    test_table_look(f.t);
    begin(&f);
    exclude(&f, 1);
    exclude(&f, 3);
    exclude(&f, 5);
    /* from 150 W measured to 125 W, not from 100 to 125 as on host 0 */
    expect_host(&f, 0, 4, -25);
    /* nor is its memory free: it goes when the VM has gone */
    f.t->c.vm_mem_used_bytes[0] = 8 * TEST_GIB;
    expect_host(&f, 0, 0, 25);
    test_table_free(f.t);
}

/* The same for one that does nothing any more. */
static void test_a_host_whose_idle_vm_leaves_has_less_memory(void **state)
{
    struct fixture f = fixture_new(4, 8, BL_OVERLOAD_THR, 0.9, false);

    (void)state;
    test_table_put(f.t, 3, 0, 0);
    test_table_migrate(f.t, 3, 1);
    test_table_arrive(f.t, 0);
    f.t->c.vm_mem_used_bytes[0] = 6 * TEST_GIB;
    test_table_look(f.t);
    begin(&f);
    exclude(&f, 1);
    exclude(&f, 3);
    expect_host(&f, 0, 2, 25); /* 4 GiB are left on host 0 */
    test_table_free(f.t);
}

/* ---- against a scan ----------------------------------------------------- */

static bool plain_usable(const struct fixture *f, uint32_t h)
{
    const struct bl_snapshot *s = &f->t->s;

    if (f->excluded[h] || s->host.state[h] == BL_HOST_ENTERING)
        return false;
    return s->host.state[h] == BL_HOST_ON ||
           s->host.state[h] == BL_HOST_LEAVING ||
           (s->can & BL_CAN_SWITCH_HOSTS);
}

static bool plain_room(const struct fixture *f, uint32_t h, uint32_t vm)
{
    const struct bl_snapshot *s = &f->t->s;
    const struct bl_vm_table *v = &s->vm;
    const bool reserves = v->cpu[v->group[vm]].reservation > 0 ||
                          v->mem[v->group[vm]].reservation > 0;

    return s->host.core_mhz[h] >= v->demand_mhz[vm] / v->vcpu_count[vm] &&
           bl_overlay_free_mhz(f->ov, h) >= v->demand_mhz[vm] &&
           bl_overlay_mem_used_bytes(f->ov, h) + v->mem_used_bytes[vm] <=
               s->host.mem_bytes[h] &&
           (!reserves || bl_overlay_reservation_fits(f->ov, h, vm));
}

static double power_w(const struct fixture *f, uint32_t h, double u)
{
    struct bl_power_curve c;

    bl_power_curve_init(&c, &f->t->dc.host_group[f->t->c.host_group[h]].power);
    return bl_power_watts(&c, u > 1 ? 1 : u);
}

static bool plain_asleep(const struct fixture *f, uint32_t h)
{
    const uint8_t state = f->t->s.host.state[h];

    return state == BL_HOST_STANDBY || state == BL_HOST_OFF;
}

static uint32_t scan(const struct fixture *f, uint32_t vm, double *rise_w)
{
    const struct bl_snapshot *s = &f->t->s;
    uint32_t best = BL_NONE;

    *rise_w = 0;
    for (uint32_t h = 0; h < s->host.count; h++) {
        double base = bl_overlay_served_mhz(f->ov, h), w;

        if (f->from_measured)
            base = s->host.util[h] == 0 ? 0 : s->host.served_mhz[h];
        if (!plain_usable(f, h) || !plain_room(f, h, vm))
            continue;
        if (base != 0 && bl_overload_host(f->overload, h, vm).overloaded)
            continue;
        w = power_w(f, h,
                    (base + s->vm.demand_mhz[vm]) /
                        s->host.capacity_mhz_now[h]) -
            power_w(f, h, plain_asleep(f, h) ? 0 : s->host.util[h]);
        if (best == BL_NONE || w < *rise_w ||
            (w == *rise_w && plain_asleep(f, best) && !plain_asleep(f, h))) {
            best = h;
            *rise_w = w;
        }
    }
    return best;
}

/* One instant's worth of planning: find, compare, put, take back, exclude. */
static uint32_t plan(struct fixture *f, struct bl_prng *prng)
{
    const uint32_t hosts = f->t->c.host_count, slots = f->t->c.slot_count;
    uint32_t found = 0;

    begin(f);
    for (uint32_t step = 0; step < MOVES_MAX / 2; step++) {
        const uint32_t vm = (uint32_t)bl_prng_below(prng, slots);
        const uint32_t mark = bl_overlay_mark(f->ov);
        double w = -1, want_w = -2;
        uint32_t h, want;

        if (f->t->c.vm_state[vm] == BL_VM_ABSENT)
            continue;
        want = scan(f, vm, &want_w);
        h = bl_pabfd_find(f->p, vm, &w);
        assert_int_equal(h, want);
        assert_true(w == want_w);
        found += h != BL_NONE;
        if (h != BL_NONE && bl_prng_below(prng, 4))
            put(f, vm, h);
        if (bl_prng_below(prng, 8) == 0)
            exclude(f, (uint32_t)bl_prng_below(prng, hosts));
        if (bl_prng_below(prng, 8) == 0) {
            bl_overlay_undo(f->ov, mark);
            if (h != BL_NONE)
                bl_pabfd_refresh(f->p, h);
        }
    }
    return found;
}

static void test_it_finds_what_a_scan_finds(void **state)
{
    static const struct {
        enum bl_overload_test test;
        double safety;
    } rows[] = { { BL_OVERLOAD_THR, 0.8 },
                 { BL_OVERLOAD_IQR, 1.5 },
                 { BL_OVERLOAD_MAD, 2.5 },
                 { BL_OVERLOAD_LR, 1.2 },
                 { BL_OVERLOAD_LRR, 1 } };
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        const uint32_t hosts = 3 + (uint32_t)bl_prng_below(&prng, 30);
        struct fixture f = fixture_new(hosts, 2 * hosts, rows[i / 2].test,
                                       rows[i / 2].safety, i % 2 == 1);
        uint32_t found = 0;

        for (int instant = 0; instant < 60; instant++) {
            f.t->s.can = instant % 4 ? BL_CAN_SWITCH_HOSTS : 0;
            test_table_stir(f.t, &prng);
            found += plan(&f, &prng);
        }
        assert_true(found > 500);
        test_table_free(f.t);
    }
}

/* ---- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    struct test_table *t = test_table_new(3, 3, 0);
    const struct bl_pabfd_opts opts = { .dc = &t->dc, .host_count = 3 };
    struct bl_pabfd *p = NULL;
    long n = 0;

    (void)state;
    for (; p == NULL; n++) {
        struct bl_arena a;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = n;
        assert_int_equal(bl_pabfd_create(&a, &opts, &p),
                         n < 2 ? BL_ERR_NOMEM : BL_ERR_OK);
        bl_arena_free(&a);
    }
    assert_int_equal(n - 1, 2); /* the module's allocation budget, pinned */
    test_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_host_whose_power_rises_least),
        cmocka_unit_test(test_overloaded_hosts_do_not_win),
        cmocka_unit_test(test_the_two_published_forms),
        cmocka_unit_test(test_sleeping_hosts),
        cmocka_unit_test(test_an_awake_host_wins_over_one_asleep),
        cmocka_unit_test(test_an_overfull_host_takes_nobody),
        cmocka_unit_test(test_memory_cores_and_reservations_bound),
        cmocka_unit_test(test_a_host_that_empties_is_not_like_an_empty_one),
        cmocka_unit_test(test_a_host_whose_idle_vm_leaves_has_less_memory),
        cmocka_unit_test(test_it_finds_what_a_scan_finds),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("pabfd", tests, test_group_setup, NULL);
}
