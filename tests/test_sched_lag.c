/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_lag - how far a vCPU may be behind or ahead of what its queue owes
 * it: policy fair, mode none. The owner of the pCPUs that these tests use takes
 * no time to switch, so the c of the bounds (one switch) is 0 here.
 *
 * What runs is accounted before lags are read: that decides nothing, it only
 * brings the queue's virtual time up to now.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include "sched/fair.h"

#define NS_PER_S INT64_C(1000000000)

/* ---- exact lag ---------------------------------------------------------- */

static int64_t own_slice(const struct bl_sched *s, uint32_t v)
{
    return s->node[v].slice_ns;
}

static bool is_member(const struct bl_sched *s, uint32_t v)
{
    return s->vcpu[v].state == BL_VCPU_RUN || s->vcpu[v].state == BL_VCPU_READY;
}

/* The lag of @v, a member of @q, times the weight of @q, in 2^-30 ns: exact but
 * for v_rest, which is less than one unit of virtual time. */
static bl__i128 scaled_lag(const struct bl_sched *s, const struct bl__queue *q,
                           uint32_t v)
{
    const bl__i128 mine = (int64_t)(s->node[v].v - q->mean.zero);

    return (bl__i128)s->vcpu[v].weight *
           (q->mean.sum - mine * (bl__i128)q->mean.weight);
}

static bl__i128 scaled(const struct bl__queue *q, int64_t ns)
{
    return (bl__i128)ns * (bl__i128)q->mean.weight *
           (INT64_C(1) << BL__V_SHIFT);
}

static void bring_up_to_now(const struct dispatch *d)
{
    for (uint32_t p = 0; p < d->topo.pcpu_count; p++)
        bl__account(d->sched, p);
}

/* ---- the example -------------------------------------------------------- */

/* Two that compute, one with three times the shares of the other: after every
 * four slices each is where it should be. */
static void test_three_to_one(void **state)
{
    const struct dispatch_opts o = { .policy = "fair",
                                     .mode = "none",
                                     .nodes = 1,
                                     .llcs = 1,
                                     .cores = 1,
                                     .threads = 1,
                                     .vm_max = 2,
                                     .vcpu_max = 2 };
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    (void)dispatch_vm(&d, 3000, 0, BL_NO_LIMIT, 1, NULL);
    (void)dispatch_vm(&d, 1000, 0, BL_NO_LIMIT, 1, NULL);
    dispatch_run(&d, 12000000, true);
    assert_int_equal(dispatch_vm_ns(&d, 0), 9000000);
    assert_int_equal(dispatch_vm_ns(&d, 1), 3000000);
    assert_true(bl_sched_lag_ns(d.sched, 0) == 0);
    dispatch_destroy(&d);
}

/* ---- a constant set ----------------------------------------------------- */

struct extremes {
    int64_t slice_ns; /* longest of the queue */
    uint64_t steps;
};

/* -r <= lag <= max(r, q). One ns is for rounding: the span of a slice and v are
 * whole units of virtual time, each worth far less than a ns. */
static void strict_bound(struct dispatch *d)
{
    const struct bl_sched *s = d->sched;
    const struct bl__queue *q = bl__fair_queue(s, 0);
    struct extremes *x = d->ctx;

    bring_up_to_now(d);
    for (uint32_t v = 0; v < d->vcpu_count; v++) {
        const bl__i128 lag = scaled_lag(s, q, v);
        const int64_t r = own_slice(s, v);
        const int64_t most = r > x->slice_ns ? r : x->slice_ns;

        assert_true(is_member(s, v));
        assert_true(lag >= -scaled(q, r + 1));
        assert_true(lag <= scaled(q, most + 1));
    }
    x->steps++;
}

static void constant_set(uint64_t seed)
{
    const struct dispatch_opts o = { .policy = "fair",
                                     .mode = "none",
                                     .nodes = 1,
                                     .llcs = 1,
                                     .cores = 1,
                                     .threads = 1,
                                     .vm_max = 12,
                                     .vcpu_max = 12,
                                     .seed = seed };
    struct extremes x = { 0 };
    struct dispatch d;

    dispatch_create(&d, &o);

    const uint32_t n = 2 + (uint32_t)bl_prng_below(&d.prng, 11);

    for (uint32_t i = 0; i < n; i++) {
        const uint64_t most = bl_prng_below(&d.prng, 2) == 0 ? 100 : 10000;
        const struct bl_sched_settings set = { 1 + bl_prng_below(&d.prng, most),
                                               0, BL_NO_LIMIT };
        uint32_t vm;

        assert_ok(bl_sched_vm_add(d.sched, &set, 1, NULL, &vm));
        d.vm_count = d.vcpu_count = n;
        /* as if it had halted after bursts of that length until now */
        d.sched->vcpu[vm].burst_ns =
            (int64_t)bl_prng_below(&d.prng, 3000000) + 1;
    }
    for (uint32_t v = 0; v < n; v++)
        dispatch_wake(&d, v);
    /* weights first: a VM alone is worth one pCPU whatever its shares */
    for (uint32_t v = 0; v < n; v++)
        bl__fluid_update(d.sched, v);
    for (uint32_t v = 0; v < n; v++) {
        if (own_slice(d.sched, v) > x.slice_ns)
            x.slice_ns = own_slice(d.sched, v);
        assert_true(bl_sched_lag_ns(d.sched, v) == 0);
        assert_true(d.sched->vcpu[v].weight ==
                    d.sched->vm[v].set.shares * BL__WEIGHT_PER_SHARE);
    }
    dispatch_settle(&d);
    d.ctx = &x;
    d.each = strict_bound;
    dispatch_run(&d, NS_PER_S / 2, false);
    bl_sched_check(d.sched);
    assert_true(x.steps > 100);
    assert_int_equal(bl_sched_totals(d.sched, d.now_ns).forgiven_count, 0);
    dispatch_destroy(&d);
}

static void test_constant_sets_keep_the_bound(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 300; i++)
        constant_set(seed + i);
}

/* ---- storms ------------------------------------------------------------- */

static void loose_bound(struct dispatch *d)
{
    const struct bl_sched *s = d->sched;

    bring_up_to_now(d);
    for (uint32_t v = 0; v < d->vcpu_count; v++) {
        const struct bl__queue *q;
        int64_t most, r;

        if (!is_member(s, v))
            continue;
        q = bl__fair_queue(s, s->vcpu[v].queue);
        most = bl__eevdf_slice_max(s, q);
        r = own_slice(s, v);
        most = 2 * (r > most ? r : most);
        if (scaled_lag(s, q, v) > scaled(q, most + 1) ||
            scaled_lag(s, q, v) < -scaled(q, most + 1))
            fail_msg("lag of vCPU %u is %lld, at most %lld", v,
                     (long long)bl__eevdf_lag_ns(s, q, v), (long long)most);
    }
}

/* The mean is a mean: lags of a queue add up to nothing. */
static void sums_are_zero(const struct dispatch *d)
{
    const struct bl_sched *s = d->sched;

    for (uint32_t p = 0; p < d->topo.pcpu_count; p++) {
        const struct bl__queue *q = bl__fair_queue(s, p);
        bl__i128 sum = 0;

        for (uint32_t v = 0; v < d->vcpu_count; v++)
            if (is_member(s, v) && s->vcpu[v].queue == p)
                sum += scaled_lag(s, q, v);
        assert_true(sum == 0);
    }
}

static void each_of_storm(struct dispatch *d)
{
    loose_bound(d);
    sums_are_zero(d);
}

static void add_random_vms(struct dispatch *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct dispatch_load load = { 0, 0 };
        const uint64_t size = 1 + bl_prng_below(&d->prng, 4);

        if (bl_prng_below(&d->prng, 3) > 0)
            load = (struct dispatch_load){
                50000 + (int64_t)bl_prng_below(&d->prng, 4000000),
                50000 + (int64_t)bl_prng_below(&d->prng, 8000000)
            };
        (void)dispatch_vm(d, 1 + bl_prng_below(&d->prng, 8000), 0, BL_NO_LIMIT,
                          (uint32_t)size, &load);
    }
}

static void storms(unsigned what, uint32_t count)
{
    const uint64_t seed = test_seed();

    for (uint32_t i = 0; i < count; i++) {
        struct dispatch_opts o = { .policy = "fair",
                                   .mode = "none",
                                   .nodes = 1 + i % 2,
                                   .llcs = 1 + i / 2 % 2,
                                   .cores = 1 + i / 4 % 4,
                                   .threads = 1,
                                   .vm_max = 16,
                                   .vcpu_max = 64,
                                   .seed = seed + i };
        struct dispatch d;

        dispatch_create(&d, &o);
        d.each = each_of_storm;
        add_random_vms(&d, 3 + i % 13);
        dispatch_storm(&d, what, 400, 1000000);
        dispatch_destroy(&d);
    }
}

static void test_storms_keep_twice_the_bound(void **state)
{
    (void)state;
    storms(DISPATCH_ANY, 60);
}

/* Work is charged, not time: so the bounds hold at every speed, and while
 * speeds change. */
static void test_speeds_keep_the_bound(void **state)
{
    (void)state;
    storms(DISPATCH_ANY | DISPATCH_SPEED, 60);
}

static void test_bandwidths_keep_the_bound(void **state)
{
    (void)state;
    storms(DISPATCH_ANY | DISPATCH_SPEED | DISPATCH_BANDWIDTH, 30);
}

/* ---- what is forgiven --------------------------------------------------- */

static int64_t received_ns(const struct dispatch *d)
{
    int64_t sum = 0;

    for (uint32_t vm = 0; vm < d->vm_count; vm++)
        sum += dispatch_vm_ns(d, vm);
    return sum;
}

/* Sixteen pCPUs, VMs as they come: shares from 500 to 8000, half computing and
 * half interactive, some with a limit, some with a reservation. */
static void test_hardly_anything_is_forgiven(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        const struct dispatch_opts o = { .policy = "fair",
                                         .mode = "none",
                                         .nodes = 2,
                                         .llcs = 2,
                                         .cores = 4,
                                         .threads = 1,
                                         .vm_max = 32,
                                         .vcpu_max = 128,
                                         .seed = seed + i };
        struct dispatch d;
        struct bl_sched_totals t;

        dispatch_create(&d, &o);
        d.each = loose_bound;
        for (uint32_t k = 0; k < 24; k++) {
            const uint32_t size = 1u << k % 3;
            const struct dispatch_load busy = { 0, 0 };
            const struct dispatch_load quick = { 500000u << k % 4, 5000000 };

            (void)dispatch_vm(&d, 500 + bl_prng_below(&d.prng, 7501),
                              k % 6 == 1 ? 250000 * (uint64_t)size : 0,
                              k % 6 == 2 ? 500000 * (uint64_t)size
                                         : BL_NO_LIMIT,
                              size, k % 2 == 0 ? &busy : &quick);
        }
        dispatch_run(&d, 4 * NS_PER_S, false);
        bl_sched_check(d.sched);
        t = bl_sched_totals(d.sched, d.now_ns);
        print_message("    forgiven: %lld ppm of received, %llu times\n",
                      (long long)(t.forgiven_ns / (received_ns(&d) / 1000000)),
                      (unsigned long long)t.forgiven_count);
        assert_true(t.forgiven_ns * 1000 < received_ns(&d));
        dispatch_destroy(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_to_one),
        cmocka_unit_test(test_constant_sets_keep_the_bound),
        cmocka_unit_test(test_storms_keep_twice_the_bound),
        cmocka_unit_test(test_speeds_keep_the_bound),
        cmocka_unit_test(test_bandwidths_keep_the_bound),
        cmocka_unit_test(test_hardly_anything_is_forgiven),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
