/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rightsize_parts - sums and the search of the policy `rightsize` against
 * plain second versions, storms in which every plan is carried out, and memory
 * that runs out.
 */
#include "manager/validate.h"
#include "tests/support_rightsize.h"
#include "tests/test.h"

#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define POLICY HAND_POLICY

enum { SAMPLES = BL_HISTORY_MAX };

/* What a step does before it decides. */
static void look_at(struct hand *w)
{
    struct rs *rs = w->rs;

    rs->s = test_table_look(w->t);
    rs->o = w->o;
    bl_overlay_reset(w->o, rs->s);
    bl__rs_measure_fleet(rs, true);
    for (uint32_t h = 0; h < rs->host_count; h++) {
        bl__rs_load_host(rs, h);
        rs->host[h].flags = 0;
    }
    bl__rs_rank_groups(rs);
    bl__rs_tree_build(rs);
    bl__rs_tree_check(rs);
}

static void expect_plain_sums(const struct hand *w, uint32_t h)
{
    const struct rs *rs = w->rs;
    uint32_t n;
    const uint32_t *list = bl_overlay_vms(w->o, h, &n);

    assert_int_equal(rs->host[h].load.vms, n);
    for (uint32_t i = 0; i < rs->opts.window && n > 0; i++) {
        double sum = 0;

        for (uint32_t k = 0; k < n; k++) {
            const double size = rs->s->vm.size_mhz[list[k]];
            uint32_t have = 0;
            const double *y = bl_vm_history(rs->s, list[k], &have);
            double mean = 0;

            for (uint32_t j = 0; j < have && j < rs->opts.window; j++)
                mean += y[j];
            if (i < have)
                sum += y[i] * size;
            else if (have > 0)
                sum += mean / have * size;
            else
                sum += rs->fleet.known ? rs->fleet.util_mean * size : size;
        }
        assert_true(fabs(sum - rs->sum[h * rs->opts.window + i]) <
                    1e-6 * (1 + sum));
    }
}

static bool plain_fits(const struct rs *rs, uint32_t h, uint32_t vm,
                       const struct rs_load *l)
{
    const double all = (double)rs->s->host.mem_bytes[h];
    const enum bl_host_state state = rs->s->host.state[h];

    return (state == BL_HOST_ON || state == BL_HOST_LEAVING) && l->vms > 1 &&
           rs->s->host.core_mhz[h] >= rs->s->vm.vcpu_mhz[vm] &&
           bl_overlay_reservation_fits(rs->o, h, vm) &&
           bl_overlay_mem_used_bytes(rs->o, h) + rs->s->vm.mem_used_bytes[vm] <=
               rs->s->host.mem_bytes[h] &&
           l->mem_bytes <= all &&
           (double)l->size_bytes <= rs->opts.overcommit * all &&
           (l->size_mhz <= rs->s->host.capacity_mhz_now[h] ||
            (l->now_mhz <= bl__rs_limit_mhz(rs, h) &&
             l->level_mhz <= bl__rs_limit_mhz(rs, h)));
}

/* Whoever a scan finds, the tree finds: no host that fits is overlooked when
 * none is named, and what is named fits. */
static void test_the_tree_finds_what_a_scan_finds(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct hand w = hand_open(24, 60, false);
    uint32_t found = 0, none = 0;

    (void)state;
    hand_set(&w, "mem_overcommit", "150%");
    hand_start(&w);
    for (uint32_t k = 0; k < 400; k++) {
        test_table_stir(w.t, &prng);
        look_at(&w);
        for (uint32_t h = 0; h < 24; h++)
            expect_plain_sums(&w, h);
        for (uint32_t vm = 0; vm < 60; vm++) {
            struct rs_load l, after;
            uint32_t any = 0, h;

            if (w.t->c.vm_state[vm] != BL_VM_PLACED)
                continue;
            h = bl__rs_find(w.rs, vm, w.t->c.vm_host[vm], RS_FIT_PEAK, &after);
            for (uint32_t i = 0; i < 24; i++) {
                if (i == w.t->c.vm_host[vm] || w.rs->host[i].load.vms == 0)
                    continue;
                l = bl__rs_load_if(w.rs, i, vm, BL_NONE);
                any += plain_fits(w.rs, i, vm, &l);
                if (i == h)
                    assert_true(plain_fits(w.rs, i, vm, &l));
            }
            /* the tree asks for a little more than nothing of the level */
            if (h == BL_NONE)
                none += any > 0;
            found += h != BL_NONE;
        }
    }
    assert_true(found > 1000);
    assert_true(none * 100 <= found);
    hand_shut(&w);
}

/* What is refused without a forecast would be refused with one, too. */
static void test_a_quick_refusal_is_right(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t by_level = 0;

    (void)state;
    for (int oracle = 0; oracle < 2; oracle++) {
        struct hand w = hand_open(12, 60, false);

        w.t->s.demand_is_oracle = oracle == 1;
        hand_start(&w);
        for (uint32_t k = 0; k < 300; k++) {
            test_table_stir(w.t, &prng);
            look_at(&w);
            for (uint32_t i = 0; i < 12 * 60; i++) {
                const uint32_t h = i % 12, vm = i / 12;
                const double limit = bl__rs_limit_mhz(w.rs, h);
                struct rs_load l;

                if (w.t->c.vm_state[vm] != BL_VM_PLACED ||
                    w.t->c.vm_host[vm] == h || w.rs->host[h].load.vms == 0 ||
                    !bl__rs_too_full(w.rs, h, vm, true))
                    continue;
                l = bl__rs_load_if(w.rs, h, vm, BL_NONE);
                assert_true(l.size_mhz > w.t->c.host_capacity_mhz[h]);
                assert_true(l.now_mhz > limit || l.level_mhz > limit);
                by_level += l.now_mhz <= limit;
            }
        }
        hand_shut(&w);
    }
    assert_true(by_level > 100);
}

/* Taking away what was added leaves what was there. */
static void test_load_with_and_without(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct hand w = hand_open(6, 30, false);

    (void)state;
    hand_start(&w);
    for (uint32_t k = 0; k < 200; k++) {
        test_table_stir(w.t, &prng);
        look_at(&w);
        for (uint32_t h = 0; h < 6; h++) {
            const struct rs_load *was = &w.rs->host[h].load;
            uint32_t n;
            const uint32_t *list = bl_overlay_vms(w.o, h, &n);

            if (n < 2)
                continue;

            const struct rs_load l = bl__rs_load_if(w.rs, h, list[0], list[0]);

            assert_int_equal(l.vms, was->vms);
            assert_true(l.size_bytes == was->size_bytes);
            assert_true(fabs(l.level_mhz - was->level_mhz) < 1e-6);
            assert_true(fabs(l.now_mhz - was->now_mhz) < 1e-6);
        }
    }
    hand_shut(&w);
}

/* As the manager and a world without delays would. */
static void apply(struct hand *w, const struct bl_action *a)
{
    struct test_table *t = w->t;

    switch (a->kind) {
    case BL_ACTION_MIGRATE:
        test_table_migrate(t, a->vm, a->host);
        bl_overlay_refresh(w->o, a->source);
        bl_overlay_refresh(w->o, a->host);
        break;
    case BL_ACTION_HOST_ON:
        test_table_state(t, a->host, BL_HOST_LEAVING);
        break;
    case BL_ACTION_HOST_OFF:
    case BL_ACTION_HOST_STANDBY:
        if (t->c.host_first[a->host] == BL_NONE)
            test_table_state(t, a->host, BL_HOST_OFF);
        break;
    case BL_ACTION_PLACE:
    case BL_ACTION_POWER_UNMANAGED:
    case BL_ACTION_POWER_CAP:
    case BL_ACTION_COUNT:
        fail_msg("%s in a step", bl_action_name(a->kind));
    }
}

/* A plan is carried out as it stands: nothing in it is refused, no VM moves
 * twice, nobody goes where somebody has just been relieved. */
static void carry_out(struct hand *w, uint32_t slots)
{
    uint8_t moved[64] = { 0 }, gave[64] = { 0 };

    assert_true(slots <= COUNT(moved));
    for (uint32_t i = 0; i < w->plan.count; i++) {
        const struct bl_action *a = &w->plan.action[i];

        if (a->kind == BL_ACTION_MIGRATE) {
            assert_int_equal(moved[a->vm]++, 0);
            gave[a->source] |= a->reason == BL_REASON_RIGHTSIZE;
        }
    }
    for (uint32_t i = 0; i < w->plan.count; i++) {
        const struct bl_action *a = &w->plan.action[i];

        if (a->kind == BL_ACTION_MIGRATE)
            assert_int_equal(gave[a->host], 0);
        assert_int_equal(bl_validate(&w->t->s, w->o, POLICY, a), BL_VERDICT_OK);
        apply(w, a);
    }
}

static void test_storms(void **state)
{
    struct bl_prng prng = { test_seed() };
    uint32_t kinds[BL_ACTION_COUNT] = { 0 }, reasons[BL_REASON_COUNT] = { 0 };

    (void)state;
    for (uint32_t world = 0; world < 12; world++) {
        struct hand w = hand_open(12, 40, false);

        uint32_t moves = 0;

        w.t->s.demand_is_oracle = world % 2 == 0;
        hand_set(&w, "failover", world % 3 == 0 ? "1" : "0");
        hand_set(&w, "up", "0s");
        hand_set(&w, "move", "60s");
        hand_set(&w, "budget", world % 4 == 3 ? "5%" : "100%");
        hand_start(&w);
        for (uint32_t k = 0; k < 150; k++) {
            test_table_stir(w.t, &prng);
            hand_step(&w);
            moves += hand_count(&w, BL_ACTION_MIGRATE);
            if (world % 4 == 3) /* 5 % of 40 VMs, and what a host holds */
                assert_true(moves <= 2 * (k + 1) + 40);
            for (uint32_t i = 0; i < w.plan.count; i++) {
                kinds[w.plan.action[i].kind]++;
                reasons[w.plan.action[i].reason]++;
            }
            carry_out(&w, 40);
        }
        hand_shut(&w);
    }
    assert_true(kinds[BL_ACTION_MIGRATE] > 500);
    assert_true(kinds[BL_ACTION_HOST_ON] > 20);
    assert_true(kinds[BL_ACTION_HOST_OFF] > 100);
    assert_true(reasons[BL_REASON_RELIEF] > 100);
    assert_true(reasons[BL_REASON_PREVENTION] > 20);
    assert_true(reasons[BL_REASON_RIGHTSIZE] > 100);
}

/* ---- what forecasts and deals are made of
 * --------------------------------------------- */

/* A load that rises by 20 MHz each time: a host that wakes slowly must look
 * further ahead. */
static void test_slow_hosts_look_further(void **state)
{
    static const int64_t wake_s[] = { 60, 900 };
    double level[2];

    (void)state;
    for (size_t i = 0; i < COUNT(wake_s); i++) {
        struct hand w = hand_open(1, 4, true);

        w.t->dc.host_group[0].off.leave.time_ns = wake_s[i] * HAND_S;
        hand_start(&w);
        test_table_put(w.t, 1, 0, 500);
        for (uint32_t k = 0; k < BL_HISTORY_MAX; k++) {
            hand_ask(&w, 1, 500 + 20 * k);
            hand_repeat(&w, 1);
        }
        hand_step(&w);
        level[i] = w.rs->host[0].load.level_mhz;
        hand_shut(&w);
    }
    assert_true(fabs(level[1] - level[0] - 3 * 20) < 1e-6);
}

/* A VM that has been steady twice may yet be like the others, who are not; one
 * that has been so thirty times is. */
static void test_what_is_not_known_yet(void **state)
{
    static const uint32_t seen[] = { 2, BL_HISTORY_MAX };

    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) {
        struct hand w = hand_open(2, 8, true);
        double level;

        hand_set(&w, "move", "7d"); /* nobody moves */
        hand_start(&w);
        test_table_put(w.t, 1, 0, 500);
        for (uint32_t k = 0; k < BL_HISTORY_MAX; k++) {
            hand_ask(&w, 1, k % 2 ? 200 : 1400);
            hand_repeat(&w, 1);
        }
        test_table_put(w.t, 5, 1, 500);
        for (uint32_t k = 0; k < seen[i]; k++) {
            hand_ask(&w, 1, k % 2 ? 200 : 1400);
            hand_repeat(&w, 1);
        }
        hand_step(&w);
        level = w.rs->host[1].load.level_mhz;
        if (seen[i] == BL_HISTORY_MAX)
            assert_true(fabs(level - 500) < 1e-6);
        else /* spread 0.3 of 2000 MHz, 28 of 30 samples not seen */
            assert_true(fabs(level - 500 -
                             w.rs->normal * 600 * sqrt(28 / 30.0)) < 1e-6);
        hand_shut(&w);
    }
}

/* Both once asked for all they may ask for, at the same time: together they
 * would again be short. Emptying a host must pay for that, too. */
static void test_the_risk_on_the_target_is_paid_for(void **state)
{
    (void)state;
    for (uint32_t spike = 0; spike < 2; spike++) {
        struct hand w = hand_open(2, 8, true);

        w.t->s.demand_is_oracle = false;
        hand_set(&w, "unserved", "20J");
        hand_start(&w);
        test_table_put(w.t, 1, 0, 500);
        test_table_put(w.t, 5, 1, 500);
        for (uint32_t k = 0; k < BL_HISTORY_MAX; k++) {
            hand_ask(&w, 1, spike && k == 15 ? 2000 : 500);
            hand_ask(&w, 5, spike && k == 15 ? 2000 : 500);
            hand_repeat(&w, 1);
        }
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 1 - spike);
        hand_shut(&w);
    }
}

/* Who has been calm for a day looks that much further than `horizon`. */
static void test_calm_makes_horizons_long(void **state)
{
    struct hand w = hand_open(2, 8, true);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 1, 0, 500);
    hand_step(&w);
    assert_true(w.rs->horizon_s == 3600);
    w.t->s.now_ns += 43200 * HAND_S;
    hand_step(&w);
    assert_true(w.rs->horizon_s == 43500.0 / 4);
    w.t->s.now_ns += HAND_S * 30 * 86400;
    hand_step(&w);
    assert_true(w.rs->horizon_s == 86400);
    hand_shut(&w);
}

static void test_no_memory(void **state)
{
    struct test_table *t = test_table_new(8, 20, SAMPLES);
    struct bl_params params;
    struct bl_policy_env env = {
        .dc = &t->dc, .host_count = 8, .vm_slot_count = 20, .params = &params
    };
    bl_err e = BL_ERR_NOMEM;
    long n = 0;

    (void)state;
    bl_params_init(&params, POLICY->params, POLICY->param_count);
    for (; e != BL_ERR_OK; n++) {
        void *policy = NULL;

        t->arena.fail_after = n;
        e = POLICY->create(&t->arena, &env, &policy);
        assert_true(e == BL_ERR_OK || e == BL_ERR_NOMEM);
    }
    assert_in_range(n, 8, 30);
    t->arena.fail_after = -1;
    test_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tree_finds_what_a_scan_finds),
        cmocka_unit_test(test_a_quick_refusal_is_right),
        cmocka_unit_test(test_load_with_and_without),
        cmocka_unit_test(test_storms),
        cmocka_unit_test(test_slow_hosts_look_further),
        cmocka_unit_test(test_what_is_not_known_yet),
        cmocka_unit_test(test_the_risk_on_the_target_is_paid_for),
        cmocka_unit_test(test_calm_makes_horizons_long),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
