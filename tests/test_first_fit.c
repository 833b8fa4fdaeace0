/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_first_fit - the first host with room, found in a tree, against a scan of
 * all hosts in order of their ids after every step.
 */
#include "tests/test.h"

#include "cluster/first_fit.h"
#include "tests/support_table.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct test_table *t;
    struct bl_overlay *ov;
    struct bl_first_fit *f;
    struct bl_first_fit_opts opts;
};

static struct fixture fixture_new(uint32_t hosts, uint32_t slots,
                                  uint32_t cpu_ppm, uint32_t mem_ppm)
{
    struct fixture f = { .t = test_table_new(hosts, slots, 0),
                         .opts = { hosts, cpu_ppm, mem_ppm } };

    assert_ok(
        bl_overlay_create(&f.t->arena, hosts, f.t->c.resident_max, 8, &f.ov));
    assert_ok(bl_first_fit_create(&f.t->arena, &f.opts, &f.f));
    bl_overlay_reset(f.ov, &f.t->s);
    return f;
}

static void look_again(struct fixture *f)
{
    test_table_look(f->t);
    bl_overlay_reset(f->ov, &f->t->s);
}

static uint32_t find(struct fixture *f, uint32_t vm)
{
    return bl_first_fit_find(f->f, &f->t->s, f->ov, vm);
}

/* What the manager does with the answer. */
static void place(struct fixture *f, uint32_t vm, uint32_t host)
{
    test_table_place(f->t, vm, host);
    bl_overlay_refresh(f->ov, host);
}

/* ---- the example -------------------------------------------------------- */

/* Hosts of 4000 MHz and 8 GiB at even ids, of 12000 and 16 at odd ones. */
static void test_vms_fill_the_first_hosts(void **state)
{
    static const uint32_t want[] = {
        0,       /* VM 0: 1000 MHz, 1 GiB */
        0,       /* 2000, 2 */
        1,       /* 2000, 2: 1000 MHz are left on host 0 */
        1,       /* 4 cores of 2500, 4: host 0 is too slow */
        0,       /* 1000, 1 */
        2,       /* 2000, 2 */
        2,       /* 2000, 2 */
        3,       /* 4 cores of 2500, 4 */
        3,       /* 1000, 1 */
        BL_NONE, /* 2000, 2: 1000 MHz are left, on host 3 */
    };
    struct fixture f = fixture_new(4, 12, 1000000, 1000000);

    (void)state;
    for (uint32_t vm = 0; vm < COUNT(want); vm++)
        test_table_arrive(f.t, vm);
    look_again(&f);
    for (uint32_t vm = 0; vm < COUNT(want); vm++) {
        assert_int_equal(find(&f, vm), want[vm]);
        if (want[vm] != BL_NONE)
            place(&f, vm, want[vm]);
    }
    test_table_free(f.t);
}

static void test_what_is_not_taken_up_is_offered_again(void **state)
{
    struct fixture f = fixture_new(3, 8, 1000000, 1000000);

    (void)state;
    test_table_arrive(f.t, 0);
    test_table_arrive(f.t, 1);
    look_again(&f);
    assert_int_equal(find(&f, 0), 0);
    assert_int_equal(find(&f, 0), 0); /* the manager refused it, say */
    place(&f, 0, 0);
    assert_int_equal(find(&f, 1), 0);
    test_table_state(f.t, 0, BL_HOST_STANDBY);
    look_again(&f);
    assert_int_equal(find(&f, 1), 1);
    test_table_state(f.t, 0, BL_HOST_LEAVING); /* waking is not running */
    look_again(&f);
    assert_int_equal(find(&f, 1), 1);
    test_table_free(f.t);
}

static void test_overcommit_makes_room(void **state)
{
    struct fixture tight = fixture_new(1, 8, 1000000, 1000000);
    struct fixture half = fixture_new(1, 8, 500000, 1000000);
    struct fixture wide = fixture_new(1, 8, 1500000, 1000000);
    struct fixture memory = fixture_new(1, 8, 1000000, 250000);
    struct fixture *all[] = { &tight, &half, &wide, &memory };
    /* how many VMs of 2000 MHz and 2 GiB go on 4000 MHz and 8 GiB */
    static const uint32_t want[] = { 2, 1, 3, 1 };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct fixture *f = all[i];
        uint32_t n = 0;

        f->t->dc.vm_group[1].vcpu_khz = 2000000;
        f->t->dc.vm_group_count = 2;
        for (uint32_t vm = 1; vm < 8; vm += 2) {
            test_table_arrive(f->t, vm);
            look_again(f);
            if (find(f, vm) == 0) {
                place(f, vm, 0);
                n++;
            }
        }
        assert_int_equal(n, want[i]);
        test_table_free(f->t);
    }
}

/* A host that is full by use is passed over, not asked for again and again,
 * where its memory is overcommitted and enforced. */
static void test_overcommitted_memory_must_still_be_there(void **state)
{
    for (int enforced = 0; enforced < 2; enforced++) {
        struct fixture f = fixture_new(3, 8, 1000000, 2000000);

        if (!enforced)
            f.t->s.can = 0;
        test_table_put(f.t, 4, 0, 0);
        f.t->c.vm_mem_used_bytes[4] = 8 * TEST_GIB;
        test_table_arrive(f.t, 0); /* 1 GiB */
        look_again(&f);
        assert_int_equal(find(&f, 0), enforced ? 1 : 0);
        f.t->c.vm_mem_used_bytes[4] = 7 * TEST_GIB;
        look_again(&f);
        assert_int_equal(find(&f, 0), 0);
        test_table_free(f.t);
    }
    (void)state;
}

/* ---- against a scan ----------------------------------------------------- */

static bool room_for(uint64_t capacity, uint32_t ppm, uint64_t committed,
                     uint64_t more)
{
    return committed + more <= capacity * ppm / 1000000;
}

static uint32_t scan(const struct fixture *f, uint32_t vm)
{
    const struct bl_snapshot *s = &f->t->s;

    for (uint32_t h = 0; h < s->host.count; h++) {
        if (s->host.state[h] == BL_HOST_ON &&
            s->host.core_mhz[h] >= s->vm.vcpu_mhz[vm] &&
            room_for(s->host.capacity_khz_max[h], f->opts.cpu_ppm,
                     s->host.committed_khz[h], s->vm.size_khz[vm]) &&
            room_for(s->host.mem_bytes[h], f->opts.mem_ppm,
                     s->host.mem_committed_bytes[h],
                     s->vm.mem_size_bytes[vm]) &&
            bl_overlay_mem_used_bytes(f->ov, h) + s->vm.mem_used_bytes[vm] <=
                s->host.mem_bytes[h] &&
            bl_overlay_reservation_fits(f->ov, h, vm))
            return h;
    }
    return BL_NONE;
}

/* All that wait are asked about; most that find a host are placed there. */
static uint32_t place_pending(struct fixture *f, struct bl_prng *prng)
{
    uint32_t placed = 0;

    for (uint32_t vm = 0; vm < f->t->c.slot_count; vm++) {
        uint32_t h;

        if (f->t->c.vm_state[vm] != BL_VM_PENDING)
            continue;
        h = find(f, vm);
        assert_int_equal(h, scan(f, vm));
        if (h != BL_NONE && bl_prng_below(prng, 4) != 0) {
            place(f, vm, h);
            placed++;
        }
    }
    return placed;
}

static void test_the_tree_finds_what_a_scan_finds(void **state)
{
    static const uint32_t hosts[] = { 1, 2, 3, 5, 16, 33, 64, 100 };
    static const uint32_t ppm[] = { 1000000, 700000, 3000000 };
    struct bl_prng prng = { test_seed() };
    uint32_t placed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        for (size_t k = 0; k < COUNT(ppm); k++) {
            struct fixture f = fixture_new(hosts[i], 4 * hosts[i] + 3, ppm[k],
                                           ppm[(k + i) % COUNT(ppm)]);

            for (int instant = 0; instant < 40; instant++) {
                test_table_stir(f.t, &prng);
                bl_overlay_reset(f.ov, &f.t->s);
                placed += place_pending(&f, &prng);
            }
            test_table_free(f.t);
        }
    }
    assert_true(placed > 1000);
}

/* What `static` is a reference for: nobody is ever short of what they have. */
static void test_without_overcommit_every_size_is_backed(void **state)
{
    struct fixture f = fixture_new(9, 60, 1000000, 1000000);
    struct bl_prng prng = { test_seed() };
    uint32_t full = 0;

    (void)state;
    for (int instant = 0; instant < 300; instant++) {
        for (uint32_t vm = 0; vm < 60; vm++) {
            if (bl_prng_below(&prng, 4))
                continue;
            if (f.t->c.vm_state[vm] == BL_VM_ABSENT)
                test_table_arrive(f.t, vm);
            else if (bl_prng_below(&prng, 3) == 0)
                test_table_depart(f.t, vm);
        }
        look_again(&f);
        (void)place_pending(&f, &prng);
        for (uint32_t h = 0; h < 9; h++) {
            const struct bl_host_table *host = &f.t->s.host;

            assert_true(host->committed_khz[h] <= host->capacity_khz_max[h]);
            assert_true(host->mem_committed_bytes[h] <= host->mem_bytes[h]);
            full += host->committed_khz[h] == host->capacity_khz_max[h];
        }
    }
    assert_true(full > 0);
    test_table_free(f.t);
}

/* ---- the policy's part -------------------------------------------------- */

static void test_the_plan_says_why(void **state)
{
    struct fixture f = fixture_new(1, 8, 1000000, 1000000);
    struct bl_params params;
    const struct bl_policy_env env = {
        .dc = &f.t->dc, .host_count = 1, .vm_slot_count = 8, .params = &params
    };
    struct bl_plan plan;
    void *policy = NULL;

    (void)state;
    bl_params_init(&params, bl_first_fit_params, BL_FIRST_FIT_PARAM_COUNT);
    assert_ok(bl_plan_create(&f.t->arena, 4, &plan));
    assert_ok(bl_first_fit_policy_create(&f.t->arena, &env, &policy));
    test_table_put(f.t, 0, 0, 100);
    test_table_arrive(f.t, 1);
    test_table_arrive(f.t, 3); /* 4 cores of 2500 MHz */
    look_again(&f);
    bl_first_fit_policy_place(policy, &f.t->s, f.ov, 1, &plan);
    bl_first_fit_policy_place(policy, &f.t->s, f.ov, 3, &plan);
    assert_int_equal(plan.count, 1); /* for the other, there is no host */
    assert_int_equal(plan.action[0].kind, BL_ACTION_PLACE);
    assert_int_equal(plan.action[0].vm, 1);
    assert_int_equal(plan.action[0].host, 0);
    assert_int_equal(plan.action[0].reason, BL_REASON_FIRST_FIT);
    assert_true(plan.action[0].figure[0] == 2000); /* needs */
    assert_true(plan.action[0].figure[1] == 3000); /* is not committed */
    test_table_free(f.t);
}

static void test_create_survives_every_allocation_failure(void **state)
{
    const struct bl_first_fit_opts opts = { 5, 1000000, 1000000 };
    struct bl_first_fit *f = NULL;
    long n = 0;

    (void)state;
    for (; f == NULL; n++) {
        struct bl_arena a;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = n;
        assert_int_equal(bl_first_fit_create(&a, &opts, &f),
                         n < 3 ? BL_ERR_NOMEM : BL_ERR_OK);
        bl_arena_free(&a);
    }
    assert_int_equal(n - 1, 3); /* the module's allocation budget, pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vms_fill_the_first_hosts),
        cmocka_unit_test(test_what_is_not_taken_up_is_offered_again),
        cmocka_unit_test(test_overcommit_makes_room),
        cmocka_unit_test(test_overcommitted_memory_must_still_be_there),
        cmocka_unit_test(test_the_tree_finds_what_a_scan_finds),
        cmocka_unit_test(test_without_overcommit_every_size_is_backed),
        cmocka_unit_test(test_the_plan_says_why),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("first fit", tests, test_group_setup,
                                       NULL);
}
