/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_fluid - the weights with which VMs compete, against bl_entitle():
 * once nothing changes and there were as many picks as there are VMs, weight
 * over all weights is entitlement over all entitlements, within 1/32 (1/64 for
 * each of the two sums).
 *
 * A VM at its limit competes with half as much again (fluid.c says why): that
 * is taken off before the comparison.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include "hv/entitle.h"
#include "sched/sched_priv.h"

#define VMS_MAX 40u

static struct dispatch_opts host_of(uint32_t cores, uint64_t seed)
{
    return (struct dispatch_opts){ .policy = "fair",
                                   .mode = "none",
                                   .nodes = 1,
                                   .llcs = 1,
                                   .cores = cores,
                                   .threads = 1,
                                   .vm_max = VMS_MAX,
                                   .vcpu_max = 8 * VMS_MAX,
                                   .seed = seed };
}

static uint64_t units(uint64_t ppm)
{
    return (ppm << BL__CAPACITY_SHIFT) / 1000000;
}

static struct bl_claim claim_of(const struct bl_sched *s, uint32_t vm)
{
    const struct bl__vm *m = &s->vm[vm];
    const uint64_t limit = m->set.limit_ppm;

    return (struct bl_claim){
        .shares = m->set.shares,
        .reservation = units(m->set.reservation_ppm),
        .limit = limit == BL_NO_LIMIT ? BL_NO_LIMIT : units(limit),
        .demand = m->runnable * s->vcpu_cap,
    };
}

/* In thirds, because of those at their limit. */
static uint64_t weight_of(const struct bl_sched *s, uint32_t vm)
{
    const struct bl__vm *m = &s->vm[vm];
    uint64_t sum = 0;

    for (uint32_t v = m->first; v < m->first + m->count; v++)
        if (s->vcpu[v].state != BL_VCPU_BLOCKED)
            sum += s->vcpu[v].weight;
    return m->runnable > 0 && m->at_limit && m->fluid == BL__FLUID_FIXED
               ? sum * 2
               : sum * 3;
}

static void must_match(const struct bl_sched *s)
{
    struct bl_claim claim[VMS_MAX];
    uint64_t owed[VMS_MAX], weights = 0, all = 0;
    uint32_t scratch[VMS_MAX];

    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        claim[vm] = claim_of(s, vm);
        weights += weight_of(s, vm);
    }
    (void)bl_entitle(s->capacity, claim, s->vm_count, owed, scratch);
    for (uint32_t vm = 0; vm < s->vm_count; vm++)
        all += owed[vm];
    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const double has = (double)weight_of(s, vm) / (double)weights;
        const double due = (double)owed[vm] / (double)all;

        if (has > due * 33 / 32 || has < due * 31 / 32)
            fail_msg("VM %u of %u has weight for %.6f, is owed %.6f", vm,
                     s->vm_count, has, due);
    }
}

/* As many picks as there are VMs, nothing else. */
static void settle(struct dispatch *d)
{
    const uint64_t until =
        bl_sched_totals(d->sched, d->now_ns).pick_count + d->vm_count;

    while (bl_sched_totals(d->sched, d->now_ns).pick_count < until)
        dispatch_run(d, d->now_ns + 100000, true);
}

static void add(struct dispatch *d, uint64_t shares, uint64_t reserve_ppm,
                uint64_t limit_ppm, uint32_t vcpus)
{
    (void)dispatch_vm(d, shares, reserve_ppm, limit_ppm, vcpus, NULL);
}

/* ---- the example -------------------------------------------------------- */

/* Four pCPUs: A and B have four vCPUs and 3:1 shares, C has one vCPU and more
 * shares than a pCPU is worth, D a reservation of one pCPU and hardly any
 * shares. C is cut down to one pCPU, D lifted to one; A and B divide the rest
 * 3:1. */
static void test_readjusted_weights(void **state)
{
    const struct dispatch_opts o = host_of(4, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    add(&d, 3000, 0, BL_NO_LIMIT, 4);
    add(&d, 1000, 0, BL_NO_LIMIT, 4);
    add(&d, 90000, 0, BL_NO_LIMIT, 1);
    add(&d, 10, 1000000, BL_NO_LIMIT, 2);
    settle(&d);
    must_match(d.sched);
    assert_int_equal(d.sched->vm[0].fluid, BL__FLUID_FREE);
    assert_int_equal(d.sched->vm[1].fluid, BL__FLUID_FREE);
    assert_int_equal(d.sched->vm[2].fluid, BL__FLUID_FIXED);
    assert_int_equal(d.sched->vm[2].fixed, UINT64_C(1) << BL__CAPACITY_SHIFT);
    assert_int_equal(d.sched->vm[3].fluid, BL__FLUID_FIXED);
    assert_int_equal(d.sched->vm[3].fixed, UINT64_C(1) << BL__CAPACITY_SHIFT);
    dispatch_destroy(&d);
}

/* ---- edges -------------------------------------------------------------- */

static void test_everybody_fits(void **state)
{
    const struct dispatch_opts o = host_of(8, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    add(&d, 1, 0, BL_NO_LIMIT, 1);
    add(&d, 8000, 0, BL_NO_LIMIT, 2);
    add(&d, 500, 0, 500000, 2);
    settle(&d);
    must_match(d.sched);
    dispatch_destroy(&d);
}

static void test_a_cascade_settles(void **state)
{
    const struct dispatch_opts o = host_of(16, 1);
    struct dispatch d;

    (void)state;
    dispatch_create(&d, &o);
    for (uint32_t i = 0; i < 24; i++) /* each one tips the next one over */
        add(&d, UINT64_C(1) << (i / 2 + 4), 0, BL_NO_LIMIT, 1);
    settle(&d);
    must_match(d.sched);
    dispatch_destroy(&d);
}

/* ---- random ------------------------------------------------------------- */

static void add_random(struct dispatch *d, uint32_t n)
{
    const uint64_t all_ppm = d->topo.pcpu_count * UINT64_C(1000000);
    const struct dispatch_load never_again = { 1000, INT64_C(1) << 40 };

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t size = 1 + (uint32_t)bl_prng_below(&d->prng, 8);
        const uint64_t kind = bl_prng_below(&d->prng, 6);
        uint64_t reserve = 0, limit = BL_NO_LIMIT;

        if (kind == 0)
            reserve = bl_prng_below(&d->prng, all_ppm / n);
        if (kind == 1)
            limit = 20000 + bl_prng_below(&d->prng, size * UINT64_C(1000000));
        add(d, 100 + bl_prng_below(&d->prng, 10000), reserve, limit, size);
        /* some of its vCPUs halt for good */
        for (uint32_t k = 1; k < size; k++)
            if (bl_prng_below(&d->prng, 3) == 0)
                d->load[d->vcpu_count - k] = never_again;
    }
}

static void test_random_sets_match(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        const struct dispatch_opts o = host_of(1 + i % 16, seed + i);
        struct dispatch d;

        dispatch_create(&d, &o);
        add_random(&d, 2 + (uint32_t)bl_prng_below(&d.prng, VMS_MAX - 2));
        dispatch_run(&d, 2000000000, false); /* until who halts has halted */
        settle(&d);
        must_match(d.sched);
        dispatch_destroy(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readjusted_weights),
        cmocka_unit_test(test_everybody_fits),
        cmocka_unit_test(test_a_cascade_settles),
        cmocka_unit_test(test_random_sets_match),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
