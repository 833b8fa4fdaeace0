/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_fair - what VMs receive on a whole host against what they are
 * owed. The ideal is bl_entitle() over the VMs: capacity is the pCPUs, demand
 * the vCPUs that can run. No SMT, so charged time is run time.
 *
 * Windows slide by 10 ms. Over any 1 s: 0.5 % of the ideal and two slices for
 * each vCPU. Over any 10 s: 0.5 % of the ideal; but one slice for each vCPU at
 * either end of the window where that is more (an ideal below 400 slices):
 * nothing shorter is dealt out.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include "hv/entitle.h"

#include <stdio.h>

#define NS_PER_S INT64_C(1000000000)
#define HOP_NS INT64_C(10000000)
#define HOPS_S 100u /* in a second */
#define SLICE_NS INT64_C(3000000)
#define VMS_MAX 96u
#define HOPS_MAX 2200u

struct sample {
    int64_t got_ns, want_ns; /* since the start; wanted: able to run */
};

struct host {
    struct dispatch d;
    struct bl_claim claim[VMS_MAX];
    struct sample at[HOPS_MAX][VMS_MAX];
    uint32_t hops;
};

static struct dispatch_opts flat(uint32_t nodes, uint32_t llcs, uint32_t cores)
{
    return (struct dispatch_opts){ .policy = "fair",
                                   .mode = "none",
                                   .nodes = nodes,
                                   .llcs = llcs,
                                   .cores = cores,
                                   .threads = 1,
                                   .vm_max = VMS_MAX,
                                   .vcpu_max = 4 * VMS_MAX };
}

static struct host *open_host(const struct dispatch_opts *o)
{
    struct host *h = test_calloc(1, sizeof(*h));

    dispatch_create(&h->d, o);
    return h;
}

static void close_host(struct host *h)
{
    dispatch_destroy(&h->d);
    test_free(h);
}

static void add(struct host *h, struct bl_sched_settings set, uint32_t vcpus,
                const struct dispatch_load *load)
{
    const uint32_t vm = dispatch_vm(&h->d, set.shares, set.reservation_ppm,
                                    set.limit_ppm, vcpus, load);

    h->claim[vm] =
        (struct bl_claim){ set.shares, set.reservation_ppm, set.limit_ppm,
                           vcpus * UINT64_C(1000000) };
}

static void add_plain(struct host *h, uint64_t shares, uint32_t vcpus)
{
    add(h, (struct bl_sched_settings){ shares, 0, BL_NO_LIMIT }, vcpus, NULL);
}

static struct sample sample_of(const struct dispatch *d, uint32_t vm)
{
    const uint32_t first = bl_sched_vm_first(d->sched, vm);
    struct sample x = { 0, 0 };

    for (uint32_t i = 0; i < bl_sched_vm_size(d->sched, vm); i++) {
        const struct bl_sched_account a =
            bl_sched_vcpu(d->sched, first + i, d->now_ns);

        x.got_ns += a.charged_ns;
        x.want_ns += a.state_ns[BL_VCPU_RUN] + a.state_ns[BL_VCPU_READY] +
                     a.state_ns[BL_VCPU_COSTOP];
    }
    return x;
}

/* Lets @hops pass and notes what everybody has by then. */
static void watch(struct host *h, uint32_t hops)
{
    h->hops = hops;
    for (uint32_t i = 0; i <= hops; i++) {
        for (uint32_t vm = 0; vm < h->d.vm_count; vm++)
            h->at[i][vm] = sample_of(&h->d, vm);
        if (i < hops)
            dispatch_run(&h->d, h->d.now_ns + HOP_NS, false);
    }
    bl_sched_check(h->d.sched);
    assert_int_equal(
        bl_sched_totals(h->d.sched, h->d.now_ns).idle_while_ready_ns, 0);
}

/* The ideal in ns of each VM over @span_ns. */
static void ideal(const struct host *h, int64_t span_ns, int64_t *out_ns)
{
    uint64_t ppm[VMS_MAX];
    uint32_t scratch[VMS_MAX];

    (void)bl_entitle(h->d.topo.pcpu_count * UINT64_C(1000000), h->claim,
                     h->d.vm_count, ppm, scratch);
    for (uint32_t vm = 0; vm < h->d.vm_count; vm++)
        out_ns[vm] = (int64_t)ppm[vm] * (span_ns / 1000000);
}

static int64_t received(const struct host *h, uint32_t vm, uint32_t from,
                        uint32_t hops)
{
    return h->at[from + hops][vm].got_ns - h->at[from][vm].got_ns;
}

static int64_t off(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

struct worst {
    int64_t second_ppm, ten_ppm; /* of the ideal, everything counted */
};

static void note(int64_t *worst_ppm, int64_t error_ns, int64_t ideal_ns)
{
    const int64_t ppm = error_ns * 1000 / (ideal_ns / 1000);

    *worst_ppm = ppm > *worst_ppm ? ppm : *worst_ppm;
}

/* Both windows at every hop, from @first on. */
static void must_be_fair(const struct host *h, uint32_t first, const char *what)
{
    int64_t second_ns[VMS_MAX], ten_ns[VMS_MAX];
    struct worst w = { 0, 0 };

    ideal(h, NS_PER_S, second_ns);
    ideal(h, 10 * NS_PER_S, ten_ns);
    for (uint32_t vm = 0; vm < h->d.vm_count; vm++) {
        const int64_t vcpus = bl_sched_vm_size(h->d.sched, vm);
        const int64_t part = ten_ns[vm] / 200, grain = vcpus * SLICE_NS;
        const int64_t ten = part > 2 * grain ? part : 2 * grain;

        for (uint32_t i = first; i + HOPS_S <= h->hops; i++) {
            const int64_t e = off(received(h, vm, i, HOPS_S), second_ns[vm]);

            note(&w.second_ppm, e, second_ns[vm]);
            if (e > second_ns[vm] / 200 + 2 * vcpus * SLICE_NS)
                fail_msg("%s: VM %u is %lld ns off in the second from hop %u",
                         what, vm, (long long)e, i);
        }
        for (uint32_t i = first; i + 10 * HOPS_S <= h->hops; i++) {
            const int64_t e = off(received(h, vm, i, 10 * HOPS_S), ten_ns[vm]);

            note(&w.ten_ppm, e, ten_ns[vm]);
            if (e > ten)
                fail_msg("%s: VM %u is %lld ns off in ten s from hop %u", what,
                         vm, (long long)e, i);
        }
    }
    print_message("    %s: worst %lld ppm over 1 s, %lld ppm over 10 s\n", what,
                  (long long)w.second_ppm, (long long)w.ten_ppm);
}

/* ---- the example -------------------------------------------------------- */

/* Seventeen that compute on sixteen pCPUs: each gets 16/17 of one. */
static void test_seventeen_on_sixteen(void **state)
{
    const struct dispatch_opts o = flat(1, 1, 16);
    struct host *h = open_host(&o);

    (void)state;
    for (int i = 0; i < 17; i++)
        add_plain(h, 1000, 1);
    watch(h, 1200);
    must_be_fair(h, 0, "17 on 16");
    close_host(h);
}

/* ---- shares ------------------------------------------------------------- */

static void run_set(const char *what, const struct dispatch_opts *o,
                    const uint64_t *shares, uint32_t kinds, uint32_t times,
                    uint32_t vcpus)
{
    struct host *h = open_host(o);

    for (uint32_t i = 0; i < kinds * times; i++)
        add_plain(h, shares[i % kinds], vcpus);
    watch(h, 1200);
    must_be_fair(h, 0, what);
    close_host(h);
}

static void test_shares(void **state)
{
    static const uint64_t seven[] = { 7000, 2000, 1000 };
    static const uint64_t equal[] = { 1000 };
    static const uint64_t steep[] = { 100000, 1000, 1000, 1000, 1000 };
    const struct dispatch_opts one = flat(1, 1, 16), four = flat(2, 2, 4);

    (void)state;
    run_set("7:2:1, 48 of 1 vCPU", &one, seven, 3, 16, 1);
    run_set("7:2:1, 12 of 4 vCPUs", &one, seven, 3, 4, 4);
    run_set("7:2:1, 24 of 4 vCPUs, 4 LLCs", &four, seven, 3, 8, 4);
    run_set("33 on 16, 2 nodes, 4 LLCs", &four, equal, 1, 33, 1);
    run_set("100 times the shares", &one, steep, 5, 5, 1);
    run_set("100 times the shares, 4 LLCs", &four, steep, 5, 5, 1);
}

static void test_infeasible_weight_on_one_pcpu_each(void **state)
{
    const struct dispatch_opts o = flat(1, 1, 4);
    struct host *h = open_host(&o);

    (void)state;
    add_plain(h, 1000000, 1);
    for (int i = 0; i < 6; i++)
        add_plain(h, 1000, 1);
    watch(h, 1200);
    must_be_fair(h, 0, "1 of 1000 times the shares among 6 on 4");
    close_host(h);
}

/* ---- reservations ------------------------------------------------------- */

/* 64 vCPUs on 16 pCPUs; a few with few shares but a reservation. */
static void test_reservations_under_overcommitment(void **state)
{
    const struct dispatch_opts o = flat(2, 2, 4);
    struct host *h = open_host(&o);

    (void)state;
    for (uint32_t i = 0; i < 32; i++)
        add(h,
            (struct bl_sched_settings){ i % 4 == 0 ? 100 : 2000,
                                        i % 4 == 0 ? 1200000 : 0, BL_NO_LIMIT },
            2, NULL);
    watch(h, 1200);
    must_be_fair(h, 0, "reservations, 4 times overcommitted");
    for (uint32_t vm = 0; vm < 32; vm += 4)
        for (uint32_t i = 0; i + HOPS_S <= h->hops; i++) {
            const int64_t owed = 1200000 * (NS_PER_S / 1000000);
            const int64_t slack =
                owed / 100 > 2 * SLICE_NS ? owed / 100 : 2 * SLICE_NS;

            assert_true(received(h, vm, i, HOPS_S) >= owed - slack);
        }
    close_host(h);
}

/* ---- limits ------------------------------------------------------------- */

#define MS_MAX 3000u

static void check_limit_windows(const int64_t *got_ns, uint32_t n,
                                uint64_t limit_ppm, uint32_t vcpus)
{
    static const uint32_t length_ms[] = { 1, 2, 5, 10, 20, 37, 100, 1000 };
    const int64_t limit = (int64_t)limit_ppm; /* ns in a ms */
    const int64_t extra = 10 * limit + (int64_t)vcpus * SLICE_NS;

    for (size_t k = 0; k < sizeof(length_ms) / sizeof(length_ms[0]); k++)
        for (uint32_t i = 0; i + length_ms[k] <= n; i++)
            assert_true(got_ns[i + length_ms[k]] - got_ns[i] <=
                        length_ms[k] * limit + extra);
}

static void run_limit(uint64_t limit_ppm, uint32_t vcpus, uint32_t others)
{
    static int64_t got_ns[MS_MAX + 1];
    const struct dispatch_opts o = flat(1, 1, 4);
    struct host *h = open_host(&o);
    int64_t ten;

    add(h, (struct bl_sched_settings){ 40000, 0, limit_ppm }, vcpus, NULL);
    for (uint32_t i = 0; i < others; i++)
        add_plain(h, 500, 1);
    for (uint32_t i = 0; i <= MS_MAX; i++) {
        got_ns[i] = dispatch_vm_ns(&h->d, 0);
        dispatch_run(&h->d, h->d.now_ns + 1000000, i % 64 == 0);
    }
    check_limit_windows(got_ns, MS_MAX, limit_ppm, vcpus);
    ten = dispatch_vm_ns(&h->d, 0);
    dispatch_run(&h->d, h->d.now_ns + 10 * NS_PER_S, false);
    ten = dispatch_vm_ns(&h->d, 0) - ten;
    if (ten < (int64_t)limit_ppm * 10000 * 97 / 100)
        fail_msg("limit %llu ppm of %u vCPUs, %u others: got %lld ns in 10 s",
                 (unsigned long long)limit_ppm, vcpus, others, (long long)ten);
    close_host(h);
}

static void test_limits_hold_in_any_window(void **state)
{
    (void)state;
    for (uint32_t others = 0; others <= 6; others += 3) {
        run_limit(50000, 1, others);
        run_limit(250000, 1, others);
        run_limit(900000, 1, others);
        run_limit(100000, 4, others);
        run_limit(1000000, 2, others);
        run_limit(2500000, 3, others);
    }
}

/* KB 341557: one of sixteen equal VMs is limited; what it gives up goes to the
 * others, evenly, and no pCPU idles for it. */
static void test_limit_gives_to_the_others(void **state)
{
    const struct dispatch_opts o = flat(1, 1, 8);
    struct host *h = open_host(&o);
    struct bl_sched_settings set = { 1000, 0, 100000 };
    int64_t before = 0, after = 0;

    (void)state;
    for (int i = 0; i < 16; i++)
        add_plain(h, 1000, 1);
    watch(h, 1200);
    must_be_fair(h, 0, "16 equal on 8");
    for (uint32_t vm = 0; vm < 16; vm++)
        before += received(h, vm, 0, 1200);
    bl_sched_set(h->d.sched, 3, &set, h->d.now_ns);
    dispatch_settle(&h->d);
    h->claim[3].limit = 100000;
    watch(h, 1300);
    for (uint32_t vm = 0; vm < 16; vm++)
        after += received(h, vm, 100, 1200);
    assert_int_equal(before, after);
    assert_int_equal(before, INT64_C(96) * NS_PER_S);
    must_be_fair(h, 0, "one of them limited");
    close_host(h);
}

/* ---- work conservation -------------------------------------------------- */

static void add_sleepers(struct host *h, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct dispatch_load load = {
            100000 + (int64_t)bl_prng_below(&h->d.prng, 20000000),
            100000 + (int64_t)bl_prng_below(&h->d.prng, 20000000)
        };
        const uint32_t size = 1 + (uint32_t)bl_prng_below(&h->d.prng, 4);

        add(h,
            (struct bl_sched_settings){ 500 + bl_prng_below(&h->d.prng, 7501),
                                        0, BL_NO_LIMIT },
            size, i % 3 == 0 ? NULL : &load);
    }
}

static void test_no_policy_idles_beside_work(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++) {
        for (uint32_t i = 0; i < 4; i++) {
            struct dispatch_opts o = flat(1 + i % 2, 1 + i / 2, 4);
            struct host *h;

            o.policy = bl_sched_policy(k)->name;
            o.seed = seed + i;
            h = open_host(&o);
            add_sleepers(h, 6 + 4 * i);
            watch(h, 50);
            close_host(h);
        }
    }
}

/* ---- random ------------------------------------------------------------- */

/* With sleepers the ideal moves all the time; so only those that compute are
 * compared, with one another: equal shares and size, equal time, over 10 s. And
 * nobody who computes gets less than if all sleepers computed, too. */
static void run_random(uint64_t seed)
{
    struct dispatch_opts o = flat(1 + seed % 2, 2, 4);
    struct host *h;
    int64_t floor_ns[VMS_MAX];

    o.seed = seed;
    h = open_host(&o);
    add_sleepers(h, 10 + (uint32_t)bl_prng_below(&h->d.prng, 20));
    watch(h, 1000);
    ideal(h, 10 * NS_PER_S, floor_ns);
    for (uint32_t vm = 0; vm < h->d.vm_count; vm += 3) {
        const int64_t got = received(h, vm, 0, 1000);
        const int64_t slack = floor_ns[vm] / 200;
        const int64_t vcpus = bl_sched_vm_size(h->d.sched, vm);

        if (got < floor_ns[vm] -
                      (slack > vcpus * SLICE_NS ? slack : vcpus * SLICE_NS))
            fail_msg("seed %llu: VM %u got %lld of %lld ns",
                     (unsigned long long)seed, vm, (long long)got,
                     (long long)floor_ns[vm]);
    }
    close_host(h);
}

static void test_sleepers_take_nothing_from_others(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 6; i++)
        run_random(seed + i);
}

static void test_random_sets_that_compute(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 8; i++) {
        struct dispatch_opts o = flat(1 + i % 2, 1 + i / 2 % 2, 4);
        struct host *h;
        char what[32];
        uint32_t n;

        o.seed = seed + i;
        h = open_host(&o);
        n = h->d.topo.pcpu_count + (uint32_t)bl_prng_below(&h->d.prng, 12);
        for (uint32_t k = 0; k < n; k++)
            add_plain(h, 500 + bl_prng_below(&h->d.prng, 7501),
                      1 + (uint32_t)bl_prng_below(&h->d.prng, 3));
        watch(h, 1100);
        (void)snprintf(what, sizeof(what), "random %u", (unsigned)i);
        must_be_fair(h, 0, what);
        close_host(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seventeen_on_sixteen),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_infeasible_weight_on_one_pcpu_each),
        cmocka_unit_test(test_reservations_under_overcommitment),
        cmocka_unit_test(test_limits_hold_in_any_window),
        cmocka_unit_test(test_limit_gives_to_the_others),
        cmocka_unit_test(test_no_policy_idles_beside_work),
        cmocka_unit_test(test_sleepers_take_nothing_from_others),
        cmocka_unit_test(test_random_sets_that_compute),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
