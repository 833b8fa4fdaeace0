/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_admit - reservations that can be kept and that cannot: by hand, and
 * against a search of all sets of cores (the max-flow min-cut condition: what
 * may only use some cores is at most what they give).
 */
#include "tests/test.h"

#include "base/prng.h"
#include "sim/host_priv.h"

#include <stdio.h>
#include <string.h>

#define PPM UINT64_C(1000000)

struct fixture {
    struct bl_arena a;
    struct bl_host_spec spec;
    struct bl_cpuset set[8];
    struct host_demand demand[8];
    uint32_t count;
    struct host_admission out;
};

static struct fixture *fixture_new(uint32_t cores, uint32_t threads,
                                   uint32_t smt_ppm)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_ok(bl_arena_init(&f->a, (size_t)1 << 24));
    bl_topo_grid(1, 1, cores, threads, &f->spec.topo);
    f->spec.costs.smt_ppm = smt_ppm;
    (void)snprintf(f->spec.mode, sizeof(f->spec.mode), "none");
    return f;
}

static void fixture_free(struct fixture *f)
{
    bl_arena_free(&f->a);
    free(f);
}

/* @vms VMs with @ppm each that may use @count pCPUs from @first on; 0: all. */
static void add(struct fixture *f, uint32_t vms, uint32_t vcpus, uint64_t ppm,
                struct bl_topo_range range)
{
    struct bl_cpuset *set = &f->set[f->count];

    *set = bl_cpuset_range(range.first, range.count);
    f->demand[f->count] = (struct host_demand){
        .ppm = ppm,
        .vm_count = vms,
        .vcpu_count = vcpus,
        .affinity = range.count > 0 ? set : NULL,
    };
    f->count++;
}

static const struct bl_topo_range everywhere = { 0, 0 };

static enum host_refusal admit(struct fixture *f)
{
    assert_ok(bl__host_admit(&f->a, &f->spec, f->demand, f->count, &f->out));
    return f->out.refusal;
}

/* Four cores less 2 %: 3.92 to reserve. */
static void test_example(void **state)
{
    struct fixture *f = fixture_new(4, 1, 1000000);

    (void)state;
    add(f, 3, 2, 1200000, everywhere);
    assert_int_equal(admit(f), HOST_ADMITTED);
    assert_int_equal(f->out.admitted_ppm, 3600000);
    assert_int_equal(f->out.capacity_ppm, 4000000);
    assert_int_equal(f->out.overhead_ppm, 80000);
    add(f, 2, 1, 320000, everywhere); /* to the last ppm */
    f->demand[1].vm_count = 1;
    assert_int_equal(admit(f), HOST_ADMITTED);
    f->demand[1].ppm++;
    assert_int_equal(admit(f), HOST_REFUSED_SUM);
    assert_int_equal(f->out.demand, 1);
    assert_int_equal(f->out.have_ppm, 320000);
    fixture_free(f);
}

static void test_each_refusal(void **state)
{
    struct fixture *f = fixture_new(4, 1, 1000000);

    (void)state;
    add(f, 1, 2, 2000001, everywhere);
    assert_int_equal(admit(f), HOST_REFUSED_VCPU);
    assert_int_equal(f->out.need_ppm, 1000001);

    f->count = 0;
    add(f, 3, 1, 500000, everywhere);
    add(f, 5, 1, 500000, everywhere); /* the fifth of these is one too many */
    assert_int_equal(admit(f), HOST_REFUSED_SUM);
    assert_int_equal(f->out.demand, 1);
    assert_int_equal(f->out.vm, 4);
    assert_int_equal(f->out.have_ppm, 420000);

    f->count = 0;
    add(f, 3, 1, 700000, (struct bl_topo_range){ 1, 2 });
    assert_int_equal(admit(f), HOST_REFUSED_AFFINITY);
    assert_int_equal(f->out.vm, 2);
    assert_int_equal(f->out.have_ppm, 560000);

    f->count = 0;
    add(f, 1, 3, 0, (struct bl_topo_range){ 1, 2 });
    assert_int_equal(admit(f), HOST_ADMITTED);
    (void)snprintf(f->spec.mode, sizeof(f->spec.mode), "strict");
    assert_int_equal(admit(f), HOST_REFUSED_GANG);
    assert_int_equal(f->out.need_ppm, 3 * PPM);
    f->demand[0].vcpu_count = 2;
    assert_int_equal(admit(f), HOST_ADMITTED);
    fixture_free(f);
}

/* Whoever came first may have to move: the flow takes back what it gave. */
static void test_makes_room(void **state)
{
    struct fixture *f = fixture_new(3, 1, 1000000);

    (void)state;
    add(f, 1, 1, 900000, (struct bl_topo_range){ 0, 2 });
    add(f, 1, 1, 900000, (struct bl_topo_range){ 0, 1 });
    add(f, 1, 1, 900000, (struct bl_topo_range){ 1, 2 });
    assert_int_equal(admit(f), HOST_ADMITTED);
    fixture_free(f);
}

/* A core of two threads gives 1.25, and one of its threads no more than 1. */
static void test_threads(void **state)
{
    struct fixture *f = fixture_new(2, 2, 1250000);

    (void)state;
    add(f, 1, 2, 1225000, (struct bl_topo_range){ 0, 2 });
    assert_int_equal(admit(f), HOST_ADMITTED);
    f->demand[0].ppm++;
    assert_int_equal(admit(f), HOST_REFUSED_AFFINITY);
    f->count = 0;
    add(f, 1, 1, 980001, (struct bl_topo_range){ 1, 1 });
    assert_int_equal(admit(f), HOST_REFUSED_AFFINITY);
    fixture_free(f);
}

/* ---- against a search --------------------------------------------------- */

/* Cores are single threads here, so a set of cores is a word. */
static bool feasible(const struct fixture *f)
{
    const uint32_t cores = f->spec.topo.core_count;

    for (uint32_t set = 0; set < 1u << cores; set++) {
        uint64_t need = 0;

        for (uint32_t i = 0; i < f->count; i++) {
            const struct host_demand *d = &f->demand[i];
            const uint64_t may =
                d->affinity != NULL ? d->affinity->word[0] : (1u << cores) - 1;

            if ((may & ~(uint64_t)set) == 0)
                need += d->ppm * d->vm_count;
        }
        if (need > (uint64_t)__builtin_popcount(set) * 980000)
            return false;
    }
    return true;
}

static void test_search(void **state)
{
    struct bl_prng p = { test_seed() };
    uint32_t yes = 0, no = 0;

    (void)state;
    for (uint32_t n = 0; n < 3000; n++) {
        const uint32_t cores = 2 + (uint32_t)bl_prng_below(&p, 6);
        const uint64_t demands = 1 + bl_prng_below(&p, 8);
        struct fixture *f = fixture_new(cores, 1, 1000000);

        for (uint64_t i = 0; i < demands; i++) {
            const uint32_t first = (uint32_t)bl_prng_below(&p, cores);
            const uint32_t most = cores - first;
            const uint32_t count = 1 + (uint32_t)bl_prng_below(&p, most);
            const uint64_t ppm = bl_prng_below(&p, 2500000 / demands);
            const uint32_t vms = 1 + (uint32_t)bl_prng_below(&p, 3);
            const struct bl_topo_range r = { (uint16_t)first, (uint16_t)count };

            add(f, vms, 3, ppm, r);
        }

        const bool want = feasible(f);

        assert_int_equal(admit(f) == HOST_ADMITTED, want);
        yes += want;
        no += !want;
        fixture_free(f);
    }
    print_message("    %u admitted, %u refused\n", yes, no);
    assert_true(yes > 300 && no > 300);
}

static void test_no_memory(void **state)
{
    struct fixture *f = fixture_new(2, 1, 1000000);

    (void)state;
    add(f, 1, 1, 1, everywhere);
    f->a.fail_after = 0;
    assert_int_equal(
        bl__host_admit(&f->a, &f->spec, f->demand, f->count, &f->out),
        BL_ERR_NOMEM);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),    cmocka_unit_test(test_each_refusal),
        cmocka_unit_test(test_makes_room), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_search),     cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
