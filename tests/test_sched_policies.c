/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_policies - what the card of each policy promises beyond fairness:
 * the waiting bound of fifo, queues without siblings under balance, credit
 * under credit2; and every policy under random loads, pinned and on SMT.
 */
#include "sched/sched_priv.h"
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include "sched/fair.h"

#include <string.h>

#define MS INT64_C(1000000)
#define VCPUS_MAX 128u

static struct dispatch_opts host_of(const char *policy, uint32_t llcs,
                                    uint32_t cores, uint64_t seed)
{
    return (struct dispatch_opts){ .policy = policy,
                                   .mode = "none",
                                   .nodes = 1,
                                   .llcs = llcs,
                                   .cores = cores,
                                   .threads = 1,
                                   .vm_max = 32,
                                   .vcpu_max = VCPUS_MAX,
                                   .seed = seed };
}

/* ---- fifo --------------------------------------------------------------- */

static void test_fifo_takes_turns(void **state)
{
    const struct dispatch_opts o = host_of("fifo", 1, 1, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    for (int i = 0; i < 3; i++)
        (void)dispatch_vm(&d, 1000 * (uint64_t)(i + 1), 0, BL_NO_LIMIT, 1,
                          NULL);
    for (int64_t turn = 0; turn < 9; turn++) {
        dispatch_run(&d, turn * 10 * MS + 1, true);
        assert_int_equal(bl_sched_running(d.sched, 0), turn % 3);
    }
    dispatch_destroy(&d);
}

/* The longest that anybody has waited in one go. */
struct waits {
    int64_t since_ns[VCPUS_MAX], longest_ns;
};

static void see_waits(void *ctx, const struct bl_sched_event *e)
{
    struct waits *w = ctx;

    if (e->from == BL_VCPU_READY &&
        e->now_ns - w->since_ns[e->vcpu] > w->longest_ns)
        w->longest_ns = e->now_ns - w->since_ns[e->vcpu];
    if (e->to == BL_VCPU_READY)
        w->since_ns[e->vcpu] = e->now_ns;
}

/* (vCPUs ahead / pCPUs + 1) quanta, with all others ahead. */
static void test_fifo_waiting_is_bounded(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t i = 0; i < 24; i++) {
        struct dispatch_opts o =
            host_of("fifo", 1 + i % 2, 1 + i % 5, seed + i);
        struct waits w = { .longest_ns = 0 };
        struct dispatch d;
        int64_t bound_ns;

        o.sink = see_waits;
        o.sink_ctx = &w;
        dispatch_create(&d, &o);
        for (uint32_t k = 0; k < 4 + i; k++) {
            const struct dispatch_load load = {
                1 + (int64_t)bl_prng_below(&d.prng, (uint64_t)(20 * MS)), 5 * MS
            };

            (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1 + k % 4,
                              k % 2 == 0 ? NULL : &load);
        }
        dispatch_run(&d, 1000 * MS, true);
        bound_ns = (d.vcpu_count - 1) / d.topo.pcpu_count + 1;
        bound_ns *= 10 * MS;
        assert_true(w.longest_ns > 0);
        assert_true(w.longest_ns <= bound_ns);
        dispatch_destroy(&d);
    }
}

/* ---- balance ------------------------------------------------------------ */

struct joins {
    struct dispatch *d;
    uint64_t count;
};

static bool shares_queue(const struct bl_sched *s, uint32_t v)
{
    const struct bl__vm *m = &s->vm[s->vcpu[v].vm];

    for (uint32_t i = m->first; i < m->first + m->count; i++)
        if (i != v && s->vcpu[i].queue == s->vcpu[v].queue &&
            (s->vcpu[i].state == BL_VCPU_READY ||
             s->vcpu[i].state == BL_VCPU_RUN))
            return true;
    return false;
}

static void see_joins(void *ctx, const struct bl_sched_event *e)
{
    struct joins *j = ctx;

    if (e->reason != BL_SCHED_WOKE || j->d->sched == NULL)
        return;
    assert_false(shares_queue(j->d->sched, e->vcpu));
    j->count++;
}

static void test_balance_keeps_siblings_apart(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        struct dispatch_opts o = host_of("balance", 1 + i % 2, 4, seed + i);
        struct dispatch d;
        struct joins j = { &d, 0 };

        o.sink = see_joins;
        o.sink_ctx = &j;
        dispatch_create(&d, &o);
        for (uint32_t k = 0; k < 5 + i % 4; k++) {
            const struct dispatch_load load = { 2 * MS, 3 * MS };

            (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1 + k % 4, &load);
        }
        dispatch_storm(&d, DISPATCH_SET | DISPATCH_HALT, 300, MS);
        assert_true(j.count > 100);
        dispatch_destroy(&d);
    }
}

/* ---- credit2 ------------------------------------------------------------ */

/* A refill and what may be carried over is the most that anybody has. */
static void credit_is_bounded(struct dispatch *d)
{
    const struct bl_sched *s = d->sched;

    for (uint32_t v = 0; v < d->vcpu_count; v++) {
        if (s->vcpu[v].state != BL_VCPU_READY)
            continue;
        assert_true(s->vcpu[v].credit_ns <= 10500000);
    }
}

static void test_credit2_shares_by_weight(void **state)
{
    const struct dispatch_opts o = host_of("credit2", 1, 2, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    d.each = credit_is_bounded;
    for (int i = 0; i < 2; i++) {
        (void)dispatch_vm(&d, 3000, 0, BL_NO_LIMIT, 1, NULL);
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
        (void)dispatch_vm(&d, 2000, 0, BL_NO_LIMIT, 1, NULL);
    }
    dispatch_run(&d, 10000 * MS, true);
    for (uint32_t vm = 0; vm < 6; vm++) {
        static const int64_t part[] = { 3, 1, 2 };
        const int64_t due = part[vm % 3] * 20000 * MS / 12;
        const int64_t got = dispatch_vm_ns(&d, vm);

        assert_true(got > due * 98 / 100 && got < due * 102 / 100);
    }
    dispatch_destroy(&d);
}

/* A queue for each LLC; one of them has all the work at first. */
static void test_credit2_evens_out_queues(void **state)
{
    const struct dispatch_opts o = host_of("credit2", 2, 2, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    for (uint32_t i = 0; i < 8; i++)
        (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    dispatch_run(&d, 10000 * MS, true);
    for (uint32_t vm = 0; vm < 8; vm++) {
        const int64_t got = dispatch_vm_ns(&d, vm);

        assert_true(got > 4500 * MS && got < 5500 * MS);
    }
    dispatch_destroy(&d);
}

/* ---- all of them -------------------------------------------------------- */

static void test_idle_cores_before_threads_of_busy_ones(void **state)
{
    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++) {
        struct dispatch_opts o = host_of(bl_sched_policy(k)->name, 2, 2, 1);
        struct dispatch d;

        if (strcmp(o.policy, "balance") == 0) /* by length of queues only */
            continue;
        o.threads = 2;
        o.smt_ppm = 1250000;
        dispatch_create(&d, &o);
        for (uint32_t i = 0; i < 4; i++)
            (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
        for (uint32_t core = 0; core < 4; core++)
            assert_true(
                (bl_sched_running(d.sched, 2 * core) == BL_NO_VCPU) !=
                (bl_sched_running(d.sched, 2 * core + 1) == BL_NO_VCPU));
        dispatch_destroy(&d);
    }
}

static void test_pinned_vcpus_stay(void **state)
{
    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++) {
        const struct dispatch_opts o =
            host_of(bl_sched_policy(k)->name, 1, 4, 1);
        struct dispatch d;

        dispatch_create(&d, &o);
        for (uint32_t i = 0; i < 8; i++) {
            const struct bl_cpuset one = bl_cpuset_range(i % 2, 1);

            (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
            bl_sched_set_affinity(d.sched, i, &one, 0);
            dispatch_settle(&d);
        }
        dispatch_run(&d, 2000 * MS, true);
        assert_int_equal(bl_sched_running(d.sched, 2), BL_NO_VCPU);
        for (uint32_t i = 0; i < 8; i++) { /* 4 on each of 2 */
            const int64_t got = dispatch_vm_ns(&d, i);

            assert_true(got > 250 * MS && got < 750 * MS);
        }
        dispatch_destroy(&d);
    }
}

static void storm(const char *policy, uint64_t seed)
{
    struct bl_prng r = { seed };
    struct dispatch_opts o = host_of(policy, 1 + (uint32_t)bl_prng_below(&r, 2),
                                     1 + (uint32_t)bl_prng_below(&r, 5), seed);
    struct dispatch d;

    o.nodes = 1 + (uint32_t)bl_prng_below(&r, 2);
    o.threads = 1 + (uint32_t)bl_prng_below(&r, 2);
    o.smt_ppm = o.threads == 2 ? 1250000 : 0;
    dispatch_create(&d, &o);
    for (uint64_t n = 2 + bl_prng_below(&r, 10); n > 0; n--) {
        const struct dispatch_load load = {
            50000 + (int64_t)bl_prng_below(&r, 5000000),
            50000 + (int64_t)bl_prng_below(&r, 10000000)
        };

        (void)dispatch_vm(&d, 1 + bl_prng_below(&r, 8000), 0, BL_NO_LIMIT,
                          1 + (uint32_t)bl_prng_below(&r, 4),
                          bl_prng_below(&r, 2) == 0 ? NULL : &load);
    }
    dispatch_storm(&d, DISPATCH_ANY, 400, MS);
    assert_int_equal(bl_sched_totals(d.sched, d.now_ns).idle_while_ready_ns, 0);
    dispatch_destroy(&d);
}

static void test_storms(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++)
        for (uint64_t i = 0; i < 60; i++)
            storm(bl_sched_policy(k)->name, seed + i);
}

/* A mode may send a vCPU to a pCPU in whose queue nobody ever was. */
static void test_credit2_takes_into_an_empty_queue(void **state)
{
    const struct dispatch_opts o = { .policy = "credit2",
                                     .mode = "none",
                                     .nodes = 1,
                                     .llcs = 2,
                                     .cores = 1,
                                     .threads = 1,
                                     .vm_max = 1,
                                     .vcpu_max = 1 };
    const struct bl_cpuset second = bl_cpuset_range(1, 1);
    const struct bl_cpuset both = bl_cpuset_range(0, 2);
    const struct bl__why why = { BL_SCHED_PICKED, { 0, 0 } };
    const struct bl_sched_settings set = { 1000, 0, BL_NO_LIMIT };
    struct dispatch d;
    uint32_t vm;

    (void)state;
    dispatch_create(&d, &o);
    assert_ok(bl_sched_vm_add(d.sched, &set, 1, &second, &vm));
    d.vm_count = d.vcpu_count = 1;
    dispatch_wake(&d, 0);
    dispatch_settle(&d);
    assert_int_equal(bl_sched_pcpu(d.sched, 0), 1);
    dispatch_run(&d, 1000000, true);
    dispatch_halt(&d, 0);
    bl_sched_set_affinity(d.sched, 0, &both, d.now_ns);
    dispatch_settle(&d);
    dispatch_wake(&d, 0); /* into the queue where it ran */
    bl__force(d.sched, 0, 0, &why);
    dispatch_settle(&d);
    assert_int_equal(bl_sched_pcpu(d.sched, 0), 0);
    dispatch_run(&d, 20000000, true);
    assert_int_equal(dispatch_vm_ns(&d, 0), 20000000);
    dispatch_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credit2_takes_into_an_empty_queue),
        cmocka_unit_test(test_fifo_takes_turns),
        cmocka_unit_test(test_fifo_waiting_is_bounded),
        cmocka_unit_test(test_balance_keeps_siblings_apart),
        cmocka_unit_test(test_credit2_shares_by_weight),
        cmocka_unit_test(test_credit2_evens_out_queues),
        cmocka_unit_test(test_idle_cores_before_threads_of_busy_ones),
        cmocka_unit_test(test_pinned_vcpus_stay),
        cmocka_unit_test(test_storms),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
