/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_modes - what the card of each co-scheduling mode promises; then
 * every mode with every policy: invariants after each event, and nobody
 * starves.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include "sched/sched_priv.h"

#include <string.h>

#define MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define VCPUS_MAX 64u

static struct dispatch_opts host_of(const char *mode, uint32_t cores,
                                    uint32_t threads)
{
    return (struct dispatch_opts){ .policy = "fair",
                                   .mode = mode,
                                   .nodes = 1,
                                   .llcs = 1,
                                   .cores = cores,
                                   .threads = threads,
                                   .vm_max = 32,
                                   .vcpu_max = VCPUS_MAX };
}

static uint32_t add(struct dispatch *d, uint32_t vcpus)
{
    return dispatch_vm(d, 1000, 0, BL_NO_LIMIT, vcpus, NULL);
}

static uint32_t in_state(const struct dispatch *d, uint32_t vm,
                         enum bl_vcpu_state state)
{
    const uint32_t first = bl_sched_vm_first(d->sched, vm);
    uint32_t n = 0;

    for (uint32_t i = 0; i < bl_sched_vm_size(d->sched, vm); i++)
        n += bl_sched_state(d->sched, first + i) == state;
    return n;
}

/* What the sink saw of one kind. */
struct seen {
    uint64_t count[BL_SCHED_REASON_COUNT];
    struct bl_sched_event last[BL_SCHED_REASON_COUNT];
};

static void see(void *ctx, const struct bl_sched_event *e)
{
    struct seen *x = ctx;

    x->count[e->reason]++;
    x->last[e->reason] = *e;
}

/* ---- strict ------------------------------------------------------------- */

/* Those of VMs 0 and 1 that can run do so all together or not at all. */
static void gangs_are_whole(struct dispatch *d)
{
    for (uint32_t vm = 0; vm < 2; vm++) {
        const uint32_t run = in_state(d, vm, BL_VCPU_RUN);
        const uint32_t can =
            bl_sched_vm_size(d->sched, vm) - in_state(d, vm, BL_VCPU_BLOCKED);

        assert_true(run == 0 || run == can);
    }
}

static void test_two_gangs_alternate(void **state)
{
    const struct dispatch_opts o = host_of("strict", 4, 1);
    struct dispatch d;
    int64_t a, b;

    (void)state;
    dispatch_create(&d, &o);
    d.each = gangs_are_whole;
    (void)add(&d, 3);
    (void)add(&d, 3);
    (void)add(&d, 1); /* fills in */
    for (int64_t t = 1; t <= 100; t++) {
        dispatch_run(&d, t * 10 * MS + 1, true);
        assert_int_equal(
            in_state(&d, 0, BL_VCPU_RUN) + in_state(&d, 1, BL_VCPU_RUN), 3);
        assert_int_equal(in_state(&d, 2, BL_VCPU_RUN), 1);
    }
    a = dispatch_vm_ns(&d, 0);
    b = dispatch_vm_ns(&d, 1);
    assert_true(a + b == 3 * d.now_ns);
    assert_true(a > b * 95 / 100 && b > a * 95 / 100);
    dispatch_destroy(&d);
}

static void test_a_pcpu_is_filled_and_taken_back(void **state)
{
    const struct dispatch_opts o = host_of("strict", 2, 1);
    struct dispatch d;
    uint32_t p;

    (void)state;
    dispatch_create(&d, &o);
    (void)add(&d, 2);
    dispatch_run(&d, MS, true);
    (void)add(&d, 1); /* waits: the gang has both pCPUs */
    assert_int_equal(in_state(&d, 1, BL_VCPU_RUN), 0);
    p = bl_sched_pcpu(d.sched, 1);
    dispatch_halt(&d, 1);
    dispatch_settle(&d);
    assert_int_equal(bl_sched_running(d.sched, p), 2); /* filled */
    dispatch_run(&d, 2 * MS, true);
    dispatch_wake(&d, 1);
    dispatch_settle(&d);
    assert_int_equal(bl_sched_running(d.sched, p), 1); /* taken back */
    assert_int_equal(in_state(&d, 0, BL_VCPU_RUN), 2);
    bl_sched_check(d.sched);
    dispatch_destroy(&d);
}

static void test_a_gang_that_does_not_fit_is_told(void **state)
{
    struct dispatch_opts o = host_of("strict", 4, 1);
    struct seen x = { .count = { 0 } };
    struct dispatch d;

    (void)state;
    o.sink = see;
    o.sink_ctx = &x;
    dispatch_create(&d, &o);
    (void)add(&d, 3);
    (void)add(&d, 2);
    dispatch_run(&d, 35 * MS, true);
    assert_true(x.count[BL_SCHED_GANG_WAITS] > 0);
    assert_int_equal(x.last[BL_SCHED_GANG_WAITS].to, BL_VCPU_COSTOP);
    assert_true(x.count[BL_SCHED_GANG_START] >= 5);
    assert_true(x.last[BL_SCHED_GANG_START].figure[0] >= 2);
    assert_true(bl_sched_totals(d.sched, d.now_ns).idle_while_costop_ns > 0);
    dispatch_destroy(&d);
}

/* A gang whose limit is used up keeps nobody waiting. */
static void test_a_limited_gang_lets_others_run(void **state)
{
    const struct dispatch_opts o = host_of("strict", 4, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 1000, 0, 300000, 3, NULL);
    (void)add(&d, 3);
    dispatch_run(&d, 2000 * MS, true);
    assert_true(dispatch_vm_ns(&d, 0) > 500 * MS);
    assert_true(dispatch_vm_ns(&d, 1) > 5000 * MS); /* of 5400 */
    dispatch_destroy(&d);
}

/* ---- relaxed ------------------------------------------------------------ */

/* Nobody who runs is ahead by more than the threshold and one poll. */
static void skew_is_bounded(struct dispatch *d)
{
    for (uint32_t v = 0; v < d->vcpu_count; v++) {
        const struct bl_sched_account a = bl_sched_vcpu(d->sched, v, d->now_ns);

        if (bl_sched_state(d->sched, v) == BL_VCPU_RUN)
            assert_true(a.skew_ns <= 4 * MS);
    }
}

/* v1 shares its pCPU with a stranger, v0 has one alone: without help, v0 would
 * run away at half the speed of time. */
static void test_a_leader_waits(void **state)
{
    const struct bl_cpuset first = bl_cpuset_range(0, 1);
    const struct bl_cpuset second = bl_cpuset_range(1, 1);
    struct dispatch_opts o = host_of("relaxed", 2, 1);
    struct seen x = { .count = { 0 } };
    struct dispatch d;
    const struct bl_sched_event *e;

    (void)state;
    o.sink = see;
    o.sink_ctx = &x;
    dispatch_create(&d, &o);
    d.each = skew_is_bounded;
    (void)add(&d, 2);
    (void)add(&d, 1);
    bl_sched_set_affinity(d.sched, 0, &first, 0);
    bl_sched_set_affinity(d.sched, 1, &second, 0);
    bl_sched_set_affinity(d.sched, 2, &second, 0);
    dispatch_settle(&d);
    dispatch_run(&d, 1000 * MS, true);
    assert_true(x.count[BL_SCHED_COSTOP_SKEW] > 10);
    e = &x.last[BL_SCHED_COSTOP_SKEW];
    assert_int_equal(e->vcpu, 0);
    assert_int_equal(e->to, BL_VCPU_COSTOP);
    assert_true(e->figure[0] > 3 * MS && e->figure[0] <= 4 * MS);
    assert_int_equal(e->figure[1], 3 * MS);
    e = &x.last[BL_SCHED_COSTART_GAP];
    assert_int_equal(e->vcpu, 0);
    assert_int_equal(e->from, BL_VCPU_COSTOP);
    assert_true(e->figure[0] < 2 * MS);
    assert_int_equal(e->figure[1], 2 * MS);
    /* both progress at the pace of the slower one */
    assert_true(bl_sched_vcpu(d.sched, 0, d.now_ns).charged_ns -
                    bl_sched_vcpu(d.sched, 1, d.now_ns).charged_ns <=
                4 * MS);
    assert_true(bl_sched_vcpu(d.sched, 0, d.now_ns).state_ns[BL_VCPU_COSTOP] >
                300 * MS);
    dispatch_destroy(&d);
}

static void test_a_leader_hands_its_pcpu_on(void **state)
{
    struct dispatch_opts o = host_of("relaxed", 2, 1);
    struct seen x = { .count = { 0 } };
    struct dispatch d;
    const struct bl_sched_event *e = &x.last[BL_SCHED_HANDOFF];

    (void)state;
    o.policy = "fifo"; /* has long turns */
    o.sink = see;
    o.sink_ctx = &x;
    dispatch_create(&d, &o);
    d.each = skew_is_bounded;
    (void)add(&d, 2);
    (void)add(&d, 2);
    (void)add(&d, 1);
    dispatch_run(&d, 2000 * MS, true);
    assert_true(x.count[BL_SCHED_HANDOFF] > 0);
    assert_int_equal(e->to, BL_VCPU_RUN);
    assert_int_equal(bl_sched_vm_of(d.sched, e->vcpu),
                     bl_sched_vm_of(d.sched, (uint32_t)e->figure[1]));
    assert_true(e->figure[0] > 3 * MS);
    dispatch_destroy(&d);
}

/* ---- demand ------------------------------------------------------------- */

static uint32_t waiting_sibling(const struct dispatch *d, uint32_t vm,
                                uint32_t *runs)
{
    const uint32_t first = bl_sched_vm_first(d->sched, vm);
    uint32_t waits = BL_NO_VCPU;

    *runs = BL_NO_VCPU;
    for (uint32_t i = 0; i < bl_sched_vm_size(d->sched, vm); i++) {
        if (bl_sched_state(d->sched, first + i) == BL_VCPU_RUN)
            *runs = first + i;
        if (bl_sched_state(d->sched, first + i) == BL_VCPU_READY)
            waits = first + i;
    }
    return waits;
}

/* An interrupt to a sibling that waits starts it at once; but not one that had
 * more than its share already. */
static void test_an_ipi_is_urgent(void **state)
{
    struct dispatch_opts o = host_of("demand", 2, 1);
    struct seen x = { .count = { 0 } };
    struct dispatch d;
    uint32_t started = 0, refused = 0;

    (void)state;
    o.sink = see;
    o.sink_ctx = &x;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 3000, 0, BL_NO_LIMIT, 2, NULL);
    for (int i = 0; i < 3; i++)
        (void)add(&d, 1);
    for (int64_t t = 1; t < 400; t++) {
        uint32_t runs, waits;

        dispatch_run(&d, t * 1700000, true);
        waits = waiting_sibling(&d, 0, &runs);
        if (waits == BL_NO_VCPU || runs == BL_NO_VCPU)
            continue;
        bl_sched_hint(d.sched, BL_HINT_IPI, runs, waits, d.now_ns);
        dispatch_settle(&d);
        bl_sched_check(d.sched);
        if (bl_sched_state(d.sched, waits) != BL_VCPU_RUN) {
            refused++;
            continue;
        }
        started++;
        assert_int_equal(x.last[BL_SCHED_URGENT].vcpu, waits);
        assert_true(x.last[BL_SCHED_URGENT].figure[0] >= -MS);
        assert_int_equal(x.last[BL_SCHED_URGENT].figure[1], runs);
    }
    assert_true(started > 5);
    assert_true(refused > 5);
    assert_int_equal(bl_sched_totals(d.sched, d.now_ns).urgent_count, started);
    dispatch_destroy(&d);
}

/* However much siblings talk, they get no more than their share. */
static void test_talking_gives_no_advantage(void **state)
{
    const struct dispatch_opts o = host_of("demand", 4, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    for (int i = 0; i < 4; i++)
        (void)add(&d, 3);
    for (int64_t t = 1; t < 20000; t++) {
        const uint32_t v = (uint32_t)bl_prng_below(&d.prng, 3);

        dispatch_run(&d, t * 250000, false);
        if (bl_sched_state(d.sched, v) != BL_VCPU_RUN)
            continue;
        bl_sched_hint(d.sched, t % 3 == 0 ? BL_HINT_PAUSE : BL_HINT_IPI, v,
                      (v + 1) % 3, d.now_ns);
        dispatch_settle(&d);
    }
    bl_sched_check(d.sched);
    for (uint32_t vm = 0; vm < 4; vm++) {
        const int64_t due = d.now_ns, got = dispatch_vm_ns(&d, vm);

        if (got < due * 97 / 100 || got > due * 103 / 100)
            fail_msg("VM %u got %lld of %lld ns", vm, (long long)got,
                     (long long)due);
    }
    dispatch_destroy(&d);
}

/* ---- yield -------------------------------------------------------------- */

/* Four siblings pinned to one pCPU: each exit starts the next one in turn,
 * where the spinner ran. */
static void test_a_spinner_yields_in_turn(void **state)
{
    const struct bl_cpuset one = bl_cpuset_range(1, 1);
    struct dispatch_opts o = host_of("yield", 2, 1);
    struct seen x = { .count = { 0 } };
    struct dispatch d;
    uint32_t helped[12];

    (void)state;
    o.sink = see;
    o.sink_ctx = &x;
    dispatch_create(&d, &o);
    (void)add(&d, 4);
    for (uint32_t v = 0; v < 4; v++)
        bl_sched_set_affinity(d.sched, v, &one, 0);
    dispatch_settle(&d);
    for (uint32_t i = 0; i < 12; i++) {
        uint32_t spins;

        dispatch_run(&d, d.now_ns + 50000, true);
        spins = bl_sched_running(d.sched, 1);
        bl_sched_hint(d.sched, BL_HINT_PAUSE, spins, BL_NO_VCPU, d.now_ns);
        dispatch_settle(&d);
        helped[i] = bl_sched_running(d.sched, 1);
        assert_int_not_equal(helped[i], spins);
        assert_int_equal(x.last[BL_SCHED_YIELDED_TO].vcpu, helped[i]);
        assert_int_equal(x.last[BL_SCHED_YIELDED_TO].figure[1], spins);
        assert_int_equal(x.count[BL_SCHED_YIELDED_TO], i + 1);
        for (uint32_t k = i > 3 ? i - 3 : 0; k < i; k++)
            assert_int_not_equal(helped[k], helped[i]);
    }
    dispatch_destroy(&d);
}

/* ---- core --------------------------------------------------------------- */

static void cores_are_private(struct dispatch *d)
{
    for (uint32_t p = 0; p < d->topo.pcpu_count; p += 2) {
        const uint32_t a = bl_sched_running(d->sched, p);
        const uint32_t b = bl_sched_running(d->sched, p + 1);

        if (a != BL_NO_VCPU && b != BL_NO_VCPU)
            assert_int_equal(bl_sched_vm_of(d->sched, a),
                             bl_sched_vm_of(d->sched, b));
    }
}

static void test_strangers_share_no_core(void **state)
{
    const struct dispatch_opts o = host_of("core", 1, 2);
    struct dispatch d;
    struct bl_sched_totals t;

    (void)state;
    dispatch_create(&d, &o);
    d.each = cores_are_private;
    for (int i = 0; i < 3; i++)
        (void)add(&d, 1);
    dispatch_run(&d, 900 * MS, true);
    t = bl_sched_totals(d.sched, d.now_ns);
    assert_int_equal(t.lost_to_core_ns, 900 * MS); /* one thread, always */
    assert_int_equal(t.idle_while_ready_ns, 0);
    for (uint32_t vm = 0; vm < 3; vm++) {
        assert_true(dispatch_vm_ns(&d, vm) > 290 * MS);
        assert_true(dispatch_vm_ns(&d, vm) < 310 * MS);
    }
    dispatch_destroy(&d);
}

static void test_siblings_share_a_core(void **state)
{
    const struct dispatch_opts o = host_of("core", 2, 2);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    d.each = cores_are_private;
    for (int i = 0; i < 3; i++)
        (void)add(&d, 4);
    dispatch_run(&d, 3000 * MS, true);
    assert_int_equal(bl_sched_totals(d.sched, d.now_ns).lost_to_core_ns, 0);
    for (uint32_t vm = 0; vm < 3; vm++) {
        assert_true(dispatch_vm_ns(&d, vm) > 3800 * MS);
        assert_true(dispatch_vm_ns(&d, vm) < 4200 * MS);
    }
    dispatch_destroy(&d);
}

/* ---- every mode with every policy --------------------------------------- */

static void storm(const char *policy, const char *mode, uint64_t seed)
{
    struct bl_prng r = { seed };
    struct dispatch_opts o = host_of(mode, 1 + (uint32_t)bl_prng_below(&r, 4),
                                     1 + (uint32_t)bl_prng_below(&r, 2));
    struct dispatch d;

    o.policy = policy;
    o.seed = seed;
    o.nodes = 1 + (uint32_t)bl_prng_below(&r, 2);
    o.llcs = 1 + (uint32_t)bl_prng_below(&r, 2);
    o.smt_ppm = o.threads == 2 ? 1250000 : 0;
    dispatch_create(&d, &o);
    for (uint64_t n = 2 + bl_prng_below(&r, 8); n > 0; n--) {
        const struct dispatch_load load = {
            50000 + (int64_t)bl_prng_below(&r, 5000000),
            50000 + (int64_t)bl_prng_below(&r, 10000000)
        };
        const uint32_t size = 1 + (uint32_t)bl_prng_below(&r, 4);

        (void)dispatch_vm(&d, 1 + bl_prng_below(&r, 8000), 0, BL_NO_LIMIT,
                          size < d.topo.pcpu_count ? size : d.topo.pcpu_count,
                          bl_prng_below(&r, 2) == 0 ? NULL : &load);
    }
    dispatch_storm(&d, DISPATCH_ANY, 300, MS);
    dispatch_destroy(&d);
}

static void test_storms(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++)
        for (uint32_t m = 0; bl_sched_mode(m) != NULL; m++)
            for (uint64_t i = 0; i < 20; i++)
                storm(bl_sched_policy(k)->name, bl_sched_mode(m)->name,
                      seed + i);
}

/* Equal VMs that compute, and hints all the time: everybody runs in any second,
 * under every policy that knows who has had what. */
static void run_hungry(const char *policy, const char *mode, uint64_t seed)
{
    struct dispatch_opts o =
        host_of(mode, 2 + (uint32_t)(seed % 3), 1 + (uint32_t)(seed % 2));
    int64_t before[VCPUS_MAX];
    struct dispatch d;

    o.policy = policy;
    o.seed = seed;
    dispatch_create(&d, &o);
    for (uint32_t i = 0; i < 4 + seed % 5; i++)
        (void)add(&d, 1 + (i + (uint32_t)seed) % 2);
    for (int s = 1; s <= 3; s++) {
        for (uint32_t v = 0; v < d.vcpu_count; v++)
            before[v] = bl_sched_vcpu(d.sched, v, d.now_ns).charged_ns;
        while (d.now_ns < s * NS_PER_S) {
            dispatch_run(&d, d.now_ns + MS, d.now_ns % (64 * MS) == 0);
            dispatch_shake(&d, DISPATCH_HINT);
        }
        bl_sched_check(d.sched);
        for (uint32_t v = 0; v < d.vcpu_count; v++)
            if (bl_sched_vcpu(d.sched, v, d.now_ns).charged_ns == before[v])
                fail_msg("%s, %s, seed %llu: vCPU %u starves in second %d",
                         policy, mode, (unsigned long long)seed, v, s);
    }
    dispatch_destroy(&d);
}

static void test_nobody_starves(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++)
        for (uint32_t m = 0; bl_sched_mode(m) != NULL; m++) {
            const bool line = strcmp(bl_sched_policy(k)->name, "fifo") == 0;

            if (line && strcmp(bl_sched_mode(m)->name, "none") != 0)
                continue; /* its card says why */
            for (uint64_t i = 0; i < 6; i++)
                run_hungry(bl_sched_policy(k)->name, bl_sched_mode(m)->name,
                           seed + i);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_gangs_alternate),
        cmocka_unit_test(test_a_pcpu_is_filled_and_taken_back),
        cmocka_unit_test(test_a_gang_that_does_not_fit_is_told),
        cmocka_unit_test(test_a_limited_gang_lets_others_run),
        cmocka_unit_test(test_a_leader_waits),
        cmocka_unit_test(test_a_leader_hands_its_pcpu_on),
        cmocka_unit_test(test_an_ipi_is_urgent),
        cmocka_unit_test(test_talking_gives_no_advantage),
        cmocka_unit_test(test_a_spinner_yields_in_turn),
        cmocka_unit_test(test_strangers_share_no_core),
        cmocka_unit_test(test_siblings_share_a_core),
        cmocka_unit_test(test_storms),
        cmocka_unit_test(test_nobody_starves),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
