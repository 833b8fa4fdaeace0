/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rightsize - every rule of the policy, in worlds written down by hand.
 * Kinds of hosts and arrivals are in test_rightsize_place.c, parts and storms
 * in test_rightsize_parts.c, days in test_rightsize_days.c.
 */
#include "tests/support_rightsize.h"
#include "tests/test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define POLICY HAND_POLICY

enum { SAMPLES = BL_HISTORY_MAX };

/* ---- relief
 * ------------------------------------------------------------------- */

/* Host 0 is asked for 4400 of 4000 MHz; host 1 has room. */
static struct hand overloaded(const char *unserved)
{
    struct hand w = hand_open(3, 12, true);

    hand_set(&w, "unserved", unserved);
    hand_start(&w);
    test_table_put(w.t, 0, 0, 900);
    test_table_put(w.t, 1, 0, 1900);
    test_table_put(w.t, 2, 0, 1600);
    test_table_put(w.t, 4, 1, 500);
    hand_repeat(&w, SAMPLES);
    return w;
}

static void test_one_move_is_enough(void **state)
{
    struct hand w = overloaded("6J");

    (void)state;
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 1);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->vm, 0);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->host, 1);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->reason,
                     BL_REASON_RELIEF);
    assert_true(hand_action(&w, BL_ACTION_MIGRATE)->figure[0] == 4400);
    hand_shut(&w);
}

/* What is lost must outweigh the move. */
static void test_a_small_loss_is_borne(void **state)
{
    struct hand w = overloaded("0.1J");

    (void)state;
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 0);
    hand_shut(&w);
}

/* 430 MHz too many now and then: VM 0 alone would not be enough if it asked for
 * less than that, and the next in size goes. */
static void test_who_leaves_is_large_enough(void **state)
{
    struct hand w = overloaded("6J");

    (void)state;
    hand_ask(&w, 0, 300);
    hand_ask(&w, 1, 2000);
    hand_ask(&w, 2, 2000);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 1);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->vm, 1);
    hand_shut(&w);
}

/* Nobody has room: a sleeping host is woken, and first. */
static void test_a_host_is_woken(void **state)
{
    struct hand w = overloaded("6J");

    (void)state;
    test_table_state(w.t, 2, BL_HOST_OFF);
    test_table_put(w.t, 5, 1, 2000);
    test_table_put(w.t, 6, 1, 1400);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_HOST_ON), 1);
    assert_int_equal(w.plan.action[0].kind, BL_ACTION_HOST_ON);
    assert_int_equal(w.plan.action[0].host, 2);
    assert_int_equal(w.plan.action[0].reason, BL_REASON_WAKE);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->host, 2);
    hand_shut(&w);
}

/* Where nothing can be switched, and nothing sleeps, an empty host it is. */
static void test_an_empty_host_before_a_sleeping_one(void **state)
{
    struct hand w = hand_open(4, 12, true);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 0, 0, 1000);
    test_table_put(w.t, 1, 0, 2000);
    test_table_put(w.t, 2, 0, 2000);
    test_table_state(w.t, 1, BL_HOST_OFF);
    test_table_state(w.t, 2, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_HOST_ON), 0);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->host, 3);
    hand_shut(&w);
}

/* A VM that wants more than its host has: nothing fits it, but a larger host
 * would leave it less short. */
static void test_a_vm_larger_than_its_host(void **state)
{
    static const struct {
        uint32_t cores; /* of 3 GHz */
        uint32_t moves;
    } cases[] = { { 1, 0 }, { 2, 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = hand_open(2, 8, false);

        w.t->dc.host_group[1].core_count = cases[i].cores;
        w.t->c.host_capacity_khz[1] = UINT64_C(3000000) * cases[i].cores;
        w.t->c.host_capacity_mhz[1] = cases[i].cores * 3000;
        w.t->dc.vm_group[3].cpu.reservation = 0;
        w.t->c.cpu[3].reservation = 0;
        hand_start(&w);
        test_table_put(w.t, 3, 0, 9000);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), cases[i].moves);
        hand_shut(&w);
    }
}

/* ---- prevention
 * ----------------------------------------------------------------- */

/* Every other time 3900 of 4000 MHz are asked for, now only 1500. Where that is
 * seen an interval late, one VM leaves in time; where it is known as it comes,
 * there is no hurry. */
static void test_before_it_is_too_late(void **state)
{
    for (int oracle = 0; oracle < 2; oracle++) {
        struct hand w = hand_open(2, 12, true);

        w.t->s.demand_is_oracle = oracle == 1;
        hand_start(&w);
        test_table_put(w.t, 1, 0, 500);
        test_table_put(w.t, 2, 0, 500);
        test_table_put(w.t, 5, 0, 500);
        test_table_put(w.t, 0, 1, 100);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            for (uint32_t v = 1; v < 6; v++)
                if (v != 3 && v != 4)
                    hand_ask(&w, v, i % 2 ? 500 : 1300);
            hand_repeat(&w, 1);
        }
        hand_step(&w);
        if (oracle)
            for (uint32_t i = 0; i < w.plan.count; i++)
                assert_int_not_equal(w.plan.action[i].reason,
                                     BL_REASON_PREVENTION);
        else
            assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->reason,
                             BL_REASON_PREVENTION);
        hand_shut(&w);
    }
    (void)state;
}

/* ---- evacuation
 * --------------------------------------------------------------- */

/* Hosts 0 and 1 with a VM each, steady; host 2 is off. */
static struct hand two_little_used(void)
{
    struct hand w = hand_open(3, 12, true);

    test_table_put(w.t, 0, 0, 200);
    test_table_put(w.t, 1, 1, 300);
    test_table_state(w.t, 2, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    return w;
}

static void test_a_host_that_does_not_pay(void **state)
{
    struct hand w = two_little_used();
    const struct bl_action *a;

    (void)state;
    hand_start(&w);
    hand_step(&w);
    assert_int_equal(w.plan.count, 2);
    a = hand_action(&w, BL_ACTION_MIGRATE);
    assert_int_equal(a->reason, BL_REASON_RIGHTSIZE);
    assert_true(a->figure[0] > a->figure[1]); /* saved more than it cost */
    assert_int_equal(hand_action(&w, BL_ACTION_HOST_OFF)->host, a->source);
    assert_int_equal(hand_action(&w, BL_ACTION_HOST_OFF)->reason,
                     BL_REASON_NOT_NEEDED);
    hand_shut(&w);
}

/* By hand: saved is 100 W - 2 W, for the horizon. The way into sleep and back
 * is 12 kJ; so 60 s do not pay and 600 s do, when a move costs nothing. */
static void test_the_way_into_sleep_is_counted(void **state)
{
    static const struct {
        const char *horizon;
        uint32_t moves;
    } cases[] = { { "60s", 0 }, { "120s", 0 }, { "150s", 1 }, { "600s", 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = two_little_used();

        hand_set(&w, "horizon", cases[i].horizon);
        hand_set(&w, "move", "0s");
        hand_set(&w, "unserved", "0J");
        hand_start(&w);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), cases[i].moves);
        hand_shut(&w);
    }
}

static void test_a_move_has_its_price(void **state)
{
    struct hand w = two_little_used();

    (void)state;
    hand_set(&w, "move", "7d");
    hand_start(&w);
    hand_step(&w);
    assert_int_equal(w.plan.count, 0);
    hand_shut(&w);
}

static void test_the_margin_must_be_cleared(void **state)
{
    struct hand w = two_little_used();

    (void)state;
    hand_set(&w, "horizon", "150s");
    hand_set(&w, "move", "0s");
    hand_set(&w, "unserved", "0J");
    hand_set(&w, "margin", "30%"); /* 98 W * 150 s = 14.7 kJ < 1.3 * 12 kJ */
    hand_start(&w);
    hand_step(&w);
    assert_int_equal(w.plan.count, 0);
    hand_shut(&w);
}

/* One of two VMs fits nowhere: both stay. */
static void test_all_or_none(void **state)
{
    struct hand w = hand_open(2, 12, true);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 0, 0, 100);
    test_table_put(w.t, 1, 0, 2000);
    test_table_put(w.t, 2, 1, 2000);
    test_table_put(w.t, 5, 1, 1000);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(w.plan.count, 0);
    hand_shut(&w);
}

/* Peaks of 1900 MHz in turn fit below 2400 together, peaks at once do not. */
static void test_who_peaks_with_whom(void **state)
{
    for (int in_turn = 0; in_turn < 2; in_turn++) {
        struct hand w = hand_open(2, 12, true);

        hand_set(&w, "quantile", "100%");
        hand_set(&w, "headroom", "40%");
        hand_start(&w);
        test_table_put(w.t, 1, 0, 100);
        test_table_put(w.t, 5, 1, 100);
        test_table_put(w.t, 2, 0, 10); /* or nothing could go wrong */
        for (uint32_t i = 0; i < SAMPLES; i++) {
            hand_ask(&w, 1, i % 2 ? 100 : 1900);
            hand_ask(&w, 5, (i + (uint32_t)in_turn) % 2 ? 100 : 1900);
            hand_repeat(&w, 1);
        }
        hand_ask(&w, 1, 100);
        hand_ask(&w, 5, 100);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE) > 0, in_turn);
        hand_shut(&w);
    }
    (void)state;
}

/* Demand that is seen an interval late needs more room: 3500 of 4000 MHz are
 * fine when they are known, too much when they were measured. */
static void test_what_is_seen_late_needs_room(void **state)
{
    for (int oracle = 0; oracle < 2; oracle++) {
        struct hand w = hand_open(2, 12, true);

        w.t->s.demand_is_oracle = oracle == 1;
        hand_start(&w);
        test_table_put(w.t, 1, 0, 1800);
        test_table_put(w.t, 5, 1, 1700);
        test_table_put(w.t, 2, 0, 10);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), oracle);
        hand_shut(&w);
    }
    (void)state;
}

/* Calm for as long as samples last, but not for ever: what a VM did half a day
 * ago is known by its own variance. */
static void test_calm_is_not_for_ever(void **state)
{
    for (int restless = 0; restless < 2; restless++) {
        struct hand w = hand_open(2, 12, true);

        w.t->s.demand_is_oracle = false;
        hand_start(&w);
        test_table_put(w.t, 1, 0, 600);
        test_table_put(w.t, 2, 0, 10);
        test_table_put(w.t, 5, 1, 1500);
        hand_repeat(&w, SAMPLES);
        w.rs->spread2[5] = restless ? 0.25f : 0; /* of 2000 MHz half */
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE) > 0, !restless);
        hand_shut(&w);
    }
    (void)state;
}

/* At seven o'clock of the third day two hosts would fit into one, were it not
 * for eight o'clock, when twice as much has been asked for on both days. */
static void test_the_time_of_day_is_known(void **state)
{
    const int64_t hour_ns = 3600 * HAND_S;

    for (int busy = 0; busy < 2; busy++) {
        struct hand w = hand_open(2, 12, true);

        hand_start(&w);
        for (int64_t t = 0; t <= 48 * hour_ns; t += hour_ns / 12) {
            const int64_t hour = t / hour_ns % 24;

            bl_season_add(&w.rs->season, t,
                          busy && hour >= 8 && hour < 16 ? 200 : 100);
        }
        w.t->s.now_ns = 55 * hour_ns;
        test_table_put(w.t, 1, 0, 1000);
        test_table_put(w.t, 2, 0, 10);
        test_table_put(w.t, 5, 1, 1500);
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE) > 0, !busy);
        hand_shut(&w);
    }
    (void)state;
}

/* ---- what must fit besides
 * ---------------------------------------------------- */

/* A vCPU is no faster than its core: VM 3, of 2.5 GHz cores, stays where it is,
 * though the slow host has room for it. */
static void test_cores_are_fast_enough(void **state)
{
    struct hand w = hand_open(2, 12, false);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 0, 0, 500);
    test_table_put(w.t, 3, 1, 100);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 1);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->vm, 0);
    hand_shut(&w);
}

/* 12 GHz hold two reservations of 5, not three. */
static void test_reservations_are_kept(void **state)
{
    struct hand w = hand_open(4, 16, false);

    (void)state;
    hand_start(&w);
    test_table_put(w.t, 3, 1, 100);
    test_table_put(w.t, 7, 1, 100);
    test_table_put(w.t, 11, 3, 100);
    test_table_state(w.t, 0, BL_HOST_OFF);
    test_table_state(w.t, 2, BL_HOST_OFF);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(w.plan.count, 0);
    hand_shut(&w);
}

static uint32_t moves_with_memory(uint64_t used_bytes, uint64_t before_bytes,
                                  bool enforced)
{
    struct hand w = two_little_used();
    uint32_t n;

    if (!enforced)
        w.t->s.can &= ~BL_CAN_ENFORCE_MEMORY;
    hand_start(&w);
    w.t->c.vm_mem_size_bytes[0] = w.t->c.vm_mem_size_bytes[1] = 8 * TEST_GIB;
    w.t->c.host_mem_committed_bytes[0] = 8 * TEST_GIB;
    w.t->c.host_mem_committed_bytes[1] = 8 * TEST_GIB;
    w.t->c.vm_mem_used_bytes[0] = w.t->c.vm_mem_used_bytes[1] = before_bytes;
    (void)test_table_look(w.t);
    w.rs->s = &w.t->s;
    bl__rs_measure_fleet(w.rs, true);
    w.t->c.vm_mem_used_bytes[0] = w.t->c.vm_mem_used_bytes[1] = used_bytes;
    hand_step(&w);
    n = hand_count(&w, BL_ACTION_MIGRATE);
    hand_shut(&w);
    return n;
}

static void test_memory_must_fit(void **state)
{
    (void)state;
    assert_int_equal(moves_with_memory(3 * TEST_GIB, 0, true), 1);
    assert_int_equal(moves_with_memory(5 * TEST_GIB, 0, true), 0);
    /* what was in use not long ago may be so again */
    assert_int_equal(moves_with_memory(1 * TEST_GIB, 5 * TEST_GIB, true), 0);
    /* where memory is not real, what was is nothing */
    assert_int_equal(moves_with_memory(0, 5 * TEST_GIB, false), 1);
}

static void test_memory_is_overcommitted_within_bounds(void **state)
{
    static const struct {
        const char *ratio;
        uint32_t moves;
    } cases[] = { { "100%", 0 }, { "115%", 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = hand_open(2, 8, true);

        hand_set(&w, "mem_overcommit", cases[i].ratio);
        hand_start(&w);
        for (uint32_t v = 0; v < 4; v++)
            if (v != 3)
                test_table_put(w.t, v, 0, 100);
        test_table_put(w.t, 5, 1, 100);
        test_table_put(w.t, 6, 1, 100); /* 5 + 4 GiB of 8 are configured */
        for (uint32_t v = 0; v < 8; v++)
            w.t->c.vm_mem_used_bytes[v] = 100;
        w.t->c.vm_mem_used_bytes[3] = 0;
        hand_repeat(&w, SAMPLES);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE) > 0, cases[i].moves);
        hand_shut(&w);
    }
}

/* ---- power
 * -------------------------------------------------------------------- */

/* The VM of the host that is emptied would find room for one host's loss only
 * while the empty one stays on. */
static void test_the_reserve_stays_on(void **state)
{
    static const struct {
        const char *failover;
        uint32_t sleep;
    } cases[] = { { "0", 2 }, { "1", 1 }, { "2", 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = hand_open(4, 32, true);

        hand_set(&w, "failover", cases[i].failover);
        hand_set(&w, "move", "7d"); /* nobody moves */
        hand_start(&w);
        for (uint32_t v = 0; v < 4; v++) {
            test_table_put(w.t, 1 + 4 * v, 0, 500);
            test_table_put(w.t, 2 + 4 * v, 1, 500);
        }
        hand_repeat(&w, SAMPLES);
        hand_step(&w); /* 2 GiB each: 4 fill a host */
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 0);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), cases[i].sleep);
        hand_shut(&w);
    }
}

static void test_the_choice_of_sleep(void **state)
{
    static const struct {
        const char *sleep;
        uint32_t off, standby;
    } cases[] = { { "off", 1, 0 }, { "standby", 0, 1 }, { "none", 0, 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = two_little_used();

        hand_set(&w, "sleep", cases[i].sleep);
        hand_start(&w);
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_OFF), cases[i].off);
        assert_int_equal(hand_count(&w, BL_ACTION_HOST_STANDBY),
                         cases[i].standby);
        hand_shut(&w);
    }
}

/* A host that was just needed is not emptied, nor any other, before `up`. */
static void test_the_least_time_in_service(void **state)
{
    struct hand w = overloaded("6J");
    uint32_t steps = 0;

    (void)state;
    test_table_state(w.t, 2, BL_HOST_OFF);
    test_table_put(w.t, 5, 1, 2000);
    test_table_put(w.t, 6, 1, 1400);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_action(&w, BL_ACTION_MIGRATE)->host, 2);
    test_table_state(w.t, 2, BL_HOST_ON);
    test_table_migrate(w.t, 0, 2);
    test_table_land(w.t, 0);
    for (uint32_t v = 0; v < 7; v++) /* and now all is calm */
        if (v != 3)
            hand_ask(&w, v, 100);
    hand_repeat(&w, SAMPLES);
    do {
        hand_step(&w);
        steps++;
        assert_true(steps < 10);
    } while (hand_count(&w, BL_ACTION_MIGRATE) == 0);
    assert_int_equal(steps, 6); /* 30 min of 5 each */
    hand_shut(&w);
}

/* One host in thirty that has just been needed keeps nobody from being emptied,
 * one in ten does. */
static void test_some_host_has_always_just_been_needed(void **state)
{
    static const struct {
        uint32_t hosts;
        bool empties;
    } cases[] = { { 10, false }, { 30, true } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand w = hand_open(cases[i].hosts, 4 * cases[i].hosts, true);

        hand_start(&w);
        for (uint32_t h = 0; h < cases[i].hosts; h++)
            test_table_put(w.t, 4 * h, h, 100);
        hand_repeat(&w, SAMPLES);
        w.rs->host[0].changed_ns = w.t->s.now_ns;
        hand_step(&w);
        assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE) > 0,
                         cases[i].empties);
        for (uint32_t k = 0; k < w.plan.count; k++) /* itself it stays */
            assert_int_not_equal(w.plan.action[k].source, 0);
        hand_shut(&w);
    }
}

static void test_the_least_time_out_of_service(void **state)
{
    struct hand w = two_little_used();

    (void)state;
    hand_set(&w, "down", "20min");
    hand_start(&w);
    hand_step(&w);
    {
        const uint32_t off = hand_action(&w, BL_ACTION_HOST_OFF)->host;
        const uint32_t vm = hand_action(&w, BL_ACTION_MIGRATE)->vm;
        const uint32_t to = hand_action(&w, BL_ACTION_MIGRATE)->host;

        assert_int_equal(to + off, 1);
        test_table_migrate(w.t, vm, to);
        test_table_land(w.t, vm);
        test_table_state(w.t, off, BL_HOST_OFF);
        test_table_state(w.t, 2, BL_HOST_ENTERING); /* out of the question */
        test_table_put(w.t, 5, to, 2000);
        test_table_put(w.t, 6, to, 2000);
        hand_ask(&w, 1, 2000);
        hand_ask(&w, 0, 1000);
        hand_repeat(&w, SAMPLES);
        for (uint32_t k = 0; k < 3; k++) {
            hand_step(&w);
            assert_int_equal(w.plan.count, 0);
        }
        hand_step(&w); /* 20 minutes after it was emptied */
        assert_int_equal(hand_action(&w, BL_ACTION_HOST_ON)->host, off);
    }
    hand_shut(&w);
}

/* ---- how many
 * ----------------------------------------------------------------- */

static void test_the_budget_of_moves(void **state)
{
    struct hand w = hand_open(10, 40, true);

    (void)state;
    hand_set(&w, "budget", "20%");
    hand_start(&w);
    for (uint32_t h = 0; h < 10; h++)
        test_table_put(w.t, 4 * h, h, 100);
    hand_repeat(&w, SAMPLES);
    hand_step(&w);
    assert_int_equal(hand_count(&w, BL_ACTION_MIGRATE), 2);
    hand_shut(&w);
}

/* Once it is done nothing is left to do: no VM wanders about. */
static void test_it_comes_to_rest(void **state)
{
    struct hand w = hand_open(10, 40, true);
    uint32_t moves = 0;

    (void)state;
    hand_start(&w);
    for (uint32_t h = 0; h < 10; h++)
        test_table_put(w.t, 4 * h, h, 100 + 70 * h);
    hand_repeat(&w, SAMPLES);
    for (uint32_t k = 0; k < 20; k++) {
        hand_step(&w);
        if (k >= 2)
            assert_int_equal(w.plan.count, 0);
        for (uint32_t i = 0; i < w.plan.count; i++) {
            const struct bl_action *a = &w.plan.action[i];

            if (a->kind == BL_ACTION_MIGRATE) {
                test_table_migrate(w.t, a->vm, a->host);
                test_table_land(w.t, a->vm);
                moves++;
            } else {
                test_table_state(w.t, a->host, BL_HOST_OFF);
            }
        }
        hand_repeat(&w, 1);
    }
    assert_in_range(moves, 6, 9);
    hand_shut(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_move_is_enough),
        cmocka_unit_test(test_a_small_loss_is_borne),
        cmocka_unit_test(test_who_leaves_is_large_enough),
        cmocka_unit_test(test_a_host_is_woken),
        cmocka_unit_test(test_an_empty_host_before_a_sleeping_one),
        cmocka_unit_test(test_a_vm_larger_than_its_host),
        cmocka_unit_test(test_before_it_is_too_late),
        cmocka_unit_test(test_a_host_that_does_not_pay),
        cmocka_unit_test(test_the_way_into_sleep_is_counted),
        cmocka_unit_test(test_a_move_has_its_price),
        cmocka_unit_test(test_the_margin_must_be_cleared),
        cmocka_unit_test(test_all_or_none),
        cmocka_unit_test(test_who_peaks_with_whom),
        cmocka_unit_test(test_what_is_seen_late_needs_room),
        cmocka_unit_test(test_calm_is_not_for_ever),
        cmocka_unit_test(test_the_time_of_day_is_known),
        cmocka_unit_test(test_cores_are_fast_enough),
        cmocka_unit_test(test_reservations_are_kept),
        cmocka_unit_test(test_memory_must_fit),
        cmocka_unit_test(test_memory_is_overcommitted_within_bounds),
        cmocka_unit_test(test_the_reserve_stays_on),
        cmocka_unit_test(test_the_choice_of_sleep),
        cmocka_unit_test(test_the_least_time_in_service),
        cmocka_unit_test(test_some_host_has_always_just_been_needed),
        cmocka_unit_test(test_the_least_time_out_of_service),
        cmocka_unit_test(test_the_budget_of_moves),
        cmocka_unit_test(test_it_comes_to_rest),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
