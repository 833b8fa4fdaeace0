/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rightsize_power - which hosts of `rightsize` are on: the reserve for
 * hosts that fail, the one for VMs that arrive, least times of hosts that VMs
 * have left, and what is not worth a move where nothing can sleep.
 */
#include "tests/support_rightsize.h"
#include "tests/test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { SAMPLES = BL_HISTORY_MAX };

/* VM slots of 2 GHz and 2 GiB: four fill a host. */
static uint32_t vm_of(uint32_t i)
{
    return 4 * i + 1;
}

/* @hosts of which the first @on are on; one VM on host 0. */
static struct hand one_vm(uint32_t hosts, uint32_t on, const char *failover)
{
    struct hand w = hand_open(hosts, 16, true);

    hand_set(&w, "failover", failover);
    hand_start(&w);
    test_table_put(w.t, vm_of(0), 0, 200);
    for (uint32_t h = on; h < hosts; h++)
        test_table_state(w.t, h, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    return w;
}

/* ---- hosts that may fail
 * ------------------------------------------------------------- */

/* Room on the host that fails is of no use. */
static void test_the_reserve_is_on_others(void **state)
{
    static const struct {
        const char *failover;
        uint32_t sleep;
    } cases[] = { { "0", 3 }, { "1", 2 }, { "2", 1 }, { "3", 0 }, { "9", 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = one_vm(4, 4, cases[i].failover);

        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), cases[i].sleep);
        assert_int_equal(w.plan.count, cases[i].sleep);
        hand_shut(&w);
    }
}

/* What a large empty host offers would be lost with it: the reserve does not
 * need it, and it is not kept for its own sake. */
static void test_a_large_empty_host_may_sleep(void **state)
{
    struct hand w = hand_open(6, 8, false);

    (void)state;
    hand_set(&w, "failover", "1");
    hand_set(&w, "move", "7d");
    for (uint32_t i = 0; i < BL_POWER_POINTS;
         i++) /* odd ones are large, dear */
        w.t->dc.host_group[1].power.mw[i] = 900000;
    hand_start(&w);
    test_table_put(w.t, vm_of(0), 0, 200);
    for (uint32_t h = 3; h < 6; h++)
        test_table_state(w.t, h, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(w.plan.count, 1);
    assert_int_equal(w.plan.action[0].kind, BL_ACTION_HOST_OFF);
    assert_int_equal(w.plan.action[0].host, 1);
    hand_shut(&w);
}

static void test_a_reserve_that_is_gone_is_woken(void **state)
{
    static const struct {
        const char *failover;
        uint32_t wake;
    } cases[] = { { "0", 0 }, { "1", 1 }, { "2", 2 }, { "9", 3 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = one_vm(4, 1, cases[i].failover);

        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_ON), cases[i].wake);
        for (uint32_t k = 0; k < w.plan.count; k++) {
            assert_int_equal(w.plan.action[k].reason, BL_REASON_RESERVE);
            test_table_state(w.t, w.plan.action[k].host, BL_HOST_LEAVING);
        }
        hand_step(&w); /* on their way: enough, and not asked to sleep */
        assert_int_equal(w.plan.count, 0);
        hand_shut(&w);
    }
}

/* Where the reserve keeps the host on that is emptied, nothing is saved. */
static void test_nobody_moves_for_the_reserve(void **state)
{
    static const struct {
        const char *failover;
        uint32_t hosts, moves;
    } cases[] = { { "0", 2, 1 }, { "1", 2, 0 }, { "0", 3, 2 }, { "1", 3, 1 } };

    (void)state;
    for (uint32_t i = 0; i < COUNT(cases); i++) {
        struct hand w =
            one_vm(cases[i].hosts, cases[i].hosts, cases[i].failover);

        for (uint32_t h = 1; h < cases[i].hosts; h++)
            test_table_put(w.t, vm_of(h), h, 200);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), cases[i].moves);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), cases[i].moves);
        hand_shut(&w);
    }
}

enum { HOSTS = 8, VMS = 20, PER_HOST = 4 };

/* Every choice of one or two hosts that fail: do their VMs find room on the
 * others that are on? All VMs are alike, and memory is what ends first. */
static bool survives(const uint32_t *vms, const bool *on, uint32_t failover)
{
    for (uint32_t a = 0; a < HOSTS; a++)
        for (uint32_t b = failover == 1 ? a : 0; b < HOSTS; b++) {
            uint32_t lost = vms[a] + (a != b ? vms[b] : 0), room = 0;

            for (uint32_t h = 0; h < HOSTS; h++)
                if (h != a && h != b && on[h])
                    room += PER_HOST - vms[h];
            if (lost > room)
                return false;
            if (failover == 1)
                break;
        }
    return true;
}

/* Carries the plan out at once. */
static void carry_out(struct hand *w, bool *on)
{
    for (uint32_t i = 0; i < w->plan.count; i++) {
        const struct bl_action *a = &w->plan.action[i];

        switch (a->kind) {
        case BL_ACTION_MIGRATE:
            test_table_migrate(w->t, a->vm, a->host);
            test_table_land(w->t, a->vm);
            break;
        case BL_ACTION_HOST_ON:
            test_table_state(w->t, a->host, BL_HOST_ON);
            break;
        case BL_ACTION_HOST_OFF:
            test_table_state(w->t, a->host, BL_HOST_OFF);
            break;
        case BL_ACTION_HOST_STANDBY:
        case BL_ACTION_PLACE:
        case BL_ACTION_POWER_UNMANAGED:
        case BL_ACTION_POWER_CAP:
        case BL_ACTION_COUNT:
            fail_msg("%s in a step", bl_action_name(a->kind));
        }
    }
    for (uint32_t h = 0; h < HOSTS; h++)
        on[h] = w->t->c.host_state[h] == BL_HOST_ON;
}

static void count_vms(const struct hand *w, uint32_t *vms)
{
    for (uint32_t h = 0; h < HOSTS; h++)
        vms[h] = 0;
    for (uint32_t i = 0; i < VMS; i++)
        if (w->t->c.vm_state[vm_of(i)] == BL_VM_PLACED)
            vms[w->t->c.vm_host[vm_of(i)]]++;
}

/* VMs come and go on hosts that are on. */
static void come_and_go(struct hand *w, struct bl_prng *prng, uint32_t most)
{
    uint32_t vms[HOSTS], all = 0;

    for (uint32_t n = 0; n < 4; n++) {
        const uint32_t vm = vm_of((uint32_t)bl_prng_below(prng, VMS));
        const uint32_t h = (uint32_t)bl_prng_below(prng, HOSTS);

        count_vms(w, vms);
        all = 0;
        for (uint32_t k = 0; k < HOSTS; k++)
            all += vms[k];
        if (w->t->c.vm_state[vm] != BL_VM_ABSENT)
            test_table_depart(w->t, vm);
        else if (w->t->c.host_state[h] == BL_HOST_ON && vms[h] < PER_HOST &&
                 all < most)
            test_table_put(w->t, vm, h, 100);
    }
}

static void test_every_loss_can_be_made_good(void **state)
{
    uint32_t slept = 0, woken = 0, moved = 0;

    (void)state;
    for (uint32_t failover = 1; failover <= 2; failover++) {
        struct bl_prng prng = { test_seed() + failover };
        struct hand w = hand_open(HOSTS, 4 * VMS, true);
        uint32_t vms[HOSTS];
        bool on[HOSTS];

        hand_set(&w, "failover", failover == 1 ? "1" : "2");
        hand_set(&w, "up", "0s");
        hand_set(&w, "down", "0s");
        hand_set(&w, "move", "60s");
        hand_start(&w);
        for (uint32_t k = 0; k < 300; k++) {
            come_and_go(&w, &prng,
                        k % 60 < 30 ? PER_HOST * (HOSTS - failover) : 5);
            hand_repeat(&w, 1);
            hand_step(&w);
            slept += hand_count(&w, BL_ACTION_HOST_OFF);
            woken += hand_count(&w, BL_ACTION_HOST_ON);
            moved += hand_count(&w, BL_ACTION_MIGRATE);
            carry_out(&w, on);
            count_vms(&w, vms);
            assert_true(survives(vms, on, failover));
        }
        hand_shut(&w);
    }
    assert_true(slept > 15);
    assert_true(woken > 10);
    assert_true(moved > 0);
}

/* ---- VMs that arrive
 * ----------------------------------------------------------------- */

/* Two VMs come in each interval, and need a host of their own each time. */
static void arrive_in_pairs(struct hand *w, uint32_t pairs, uint32_t warm,
                            uint32_t *waited)
{
    for (uint32_t i = 2; i < 2 * pairs + 2; i += 2) {
        for (uint32_t k = i; k < i + 2; k++) {
            const uint32_t h = hand_place(w, vm_of(k));

            *waited += hand_count(w, BL_ACTION_HOST_ON);
            test_table_state(w->t, h, BL_HOST_ON);
            test_table_place(w->t, vm_of(k), h);
            hand_ask(w, vm_of(k), 2000);
        }
        hand_repeat(w, SAMPLES);
        hand_step(w);
        assert_int_equal(hand_count(w, BL_ACTION_HOST_ON), i == 2 ? warm : 1);
        for (uint32_t a = 0; a < w->plan.count; a++) {
            assert_int_equal(w->plan.action[a].reason, BL_REASON_ARRIVALS);
            test_table_state(w->t, w->plan.action[a].host, BL_HOST_ON);
        }
    }
}

/* After the first, hosts stay awake for the next: as many as are needed while
 * another one wakes. */
static void test_a_host_for_those_who_will_come(void **state)
{
    static const struct {
        int64_t wake_s;
        uint32_t warm;
    } cases[] = { { 60, 1 }, { 600, 3 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = hand_open(10, 80, true);
        uint32_t waited = 0;

        for (uint32_t g = 0; g < 2; g++)
            w.t->dc.host_group[g].off.leave.time_ns = cases[i].wake_s * HAND_S;
        hand_set(&w, "up", "0s");
        hand_set(&w, "down", "0s");
        hand_start(&w);
        test_table_put(w.t, vm_of(0), 0, 2000);
        test_table_put(w.t, vm_of(1), 0, 2000);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), 9);
        for (uint32_t h = 1; h < 10; h++)
            test_table_state(w.t, h, BL_HOST_OFF);
        arrive_in_pairs(&w, 5, cases[i].warm, &waited);
        assert_int_equal(waited, 1);
        hand_shut(&w);
    }
}

/* Above the best load is better than to wait for a host that wakes. */
static void test_an_arrival_does_not_wait(void **state)
{
    struct hand w = hand_open(2, 8, true);

    (void)state;
    hand_set(&w, "target", "0.5");
    hand_start(&w);
    test_table_put(w.t, vm_of(0), 0, 2000);
    test_table_state(w.t, 1, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    assert_int_equal(hand_place(&w, vm_of(1)), 0);
    assert_int_equal(hand_count(&w, BL_ACTION_HOST_ON), 0);
    hand_shut(&w);
}

/* ---- least times
 * --------------------------------------------------------------------- */

/* A host is woken for a VM that leaves soon: it stays for `up`, then sleeps,
 * and is not woken again before `down`. */
static void test_least_times_where_vms_depart(void **state)
{
    struct hand w = hand_open(2, 16, true);
    uint32_t steps = 0;

    (void)state;
    hand_set(&w, "down", "20min");
    hand_start(&w);
    test_table_put(w.t, vm_of(0), 0, 2000);
    test_table_put(w.t, vm_of(1), 0, 2000);
    test_table_state(w.t, 1, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    assert_int_equal(hand_place(&w, vm_of(2)), 1);
    test_table_place(w.t, vm_of(2), 1);
    test_table_state(w.t, 1, BL_HOST_ON);
    test_table_depart(w.t, vm_of(2));
    do {
        hand_step(&w);
        steps++;
        assert_true(steps < 10);
    } while (hand_count(&w, BL_ACTION_HOST_OFF) == 0);
    assert_int_equal(steps, 6); /* 30 min of 5 each */
    hand_step(&w);              /* it did not obey: once more */
    assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), 1);
    test_table_state(w.t, 1, BL_HOST_OFF);
    for (uint32_t i = 0; i < 5; i++) {
        const uint32_t h = hand_place(&w, vm_of(3));

        assert_int_equal(h, i < 4 ? 0 : 1); /* crowded, until it may wake */
        test_table_depart(w.t, vm_of(3));
        hand_step(&w);
    }
    hand_shut(&w);
}

/* ---- nothing to gain
 * ---------------------------------------------------------------- */

/* Where hosts stay on in any case, there is nothing to move for. */
static void test_no_move_where_nothing_sleeps(void **state)
{
    struct hand w = hand_open(4, 16, true);

    (void)state;
    hand_set(&w, "sleep", "none");
    hand_start(&w);
    for (uint32_t h = 0; h < 4; h++)
        test_table_put(w.t, vm_of(h), h, 200);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(w.plan.count, 0);
    hand_shut(&w);
}

/* A host holds more VMs than may move at an instant: what is not used is saved
 * up, but no more than that. */
static void test_a_small_budget_is_saved_up(void **state)
{
    struct hand w = hand_open(2, 32, true);
    uint32_t steps = 0;

    (void)state;
    hand_set(&w, "budget", "10%");
    hand_start(&w);
    for (uint32_t i = 0; i < 4; i++) /* 1 GiB each */
        test_table_put(w.t, 4 * i, i / 2, 100);
    hand_repeat(&w, SAMPLES);
    do {
        hand_step(&w);
        steps++;
        assert_true(w.rs->move_credit <= 2);
        assert_true(steps < 10);
    } while (hand_count(&w, BL_ACTION_MIGRATE) == 0);
    assert_int_equal(steps, 5); /* 0.4 of a move at each */
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 2);
    assert_true(w.rs->move_credit < 1e-9);
    hand_shut(&w);
}

static void test_a_budget_is_not_hoarded(void **state)
{
    struct hand w = hand_open(2, 32, true);

    (void)state;
    hand_set(&w, "budget", "10%");
    hand_set(&w, "move", "7d"); /* nobody moves */
    hand_start(&w);
    for (uint32_t i = 0; i < 4; i++)
        test_table_put(w.t, 4 * i, i / 2, 100);
    for (uint32_t k = 0; k < 20; k++)
        hand_step(&w);
    assert_true(w.rs->move_credit == 2); /* a host's VMs */
    hand_shut(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reserve_is_on_others),
        cmocka_unit_test(test_a_large_empty_host_may_sleep),
        cmocka_unit_test(test_a_reserve_that_is_gone_is_woken),
        cmocka_unit_test(test_nobody_moves_for_the_reserve),
        cmocka_unit_test(test_every_loss_can_be_made_good),
        cmocka_unit_test(test_a_host_for_those_who_will_come),
        cmocka_unit_test(test_an_arrival_does_not_wait),
        cmocka_unit_test(test_least_times_where_vms_depart),
        cmocka_unit_test(test_no_move_where_nothing_sleeps),
        cmocka_unit_test(test_a_small_budget_is_saved_up),
        cmocka_unit_test(test_a_budget_is_not_hoarded),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
