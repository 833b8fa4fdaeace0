/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_overlay - the what-if view: put, take, undo, refresh.
 *
 * Order: an example, misuse, what is in flight, then long random sequences
 * against a model that copies whole lists where the overlay keeps a log, and
 * lack of memory.
 */
#include "tests/test.h"

#include "hv/overlay.h"
#include "tests/support_table.h"

#include <stdlib.h>
#include <string.h>

static struct bl_overlay *overlay_new(struct test_table *t, uint32_t moves)
{
    struct bl_overlay *o = NULL;

    assert_ok(bl_overlay_create(&t->arena, t->c.host_count, t->c.resident_max,
                                moves, &o));
    bl_overlay_reset(o, &t->s);
    bl_overlay_check(o);
    return o;
}

static void expect_list(const struct bl_overlay *o, uint32_t host, uint32_t n,
                        const uint32_t *want)
{
    uint32_t count;
    const uint32_t *vm = bl_overlay_vms(o, host, &count);

    assert_int_equal(count, n);
    assert_memory_equal(vm, want, n * sizeof(*want));
}

#define LIST(o, host, ...)                                                     \
    expect_list((o), (host),                                                   \
                sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t),  \
                (const uint32_t[]){ __VA_ARGS__ })

/* ---- the example -------------------------------------------------------- */

static void test_try_a_move_and_take_it_back(void **state)
{
    struct test_table *t = test_table_new(2, 3, 0);
    struct bl_overlay *o;
    uint64_t before;
    uint32_t mark;

    (void)state;
    test_table_put(t, 0, 0, 800);
    test_table_put(t, 1, 0, 1500);
    test_table_put(t, 2, 1, 600);
    test_table_look(t);
    o = overlay_new(t, 8);
    LIST(o, 0, 0, 1);
    assert_true(bl_overlay_demand_mhz(o, 0) == 2300);
    assert_true(bl_overlay_free_mhz(o, 0) == 1700);

    mark = bl_overlay_mark(o);
    before = bl_overlay_stamp(o, 0);
    bl_overlay_take(o, 0, 0);
    bl_overlay_put(o, 1, 0);
    LIST(o, 0, 1);
    LIST(o, 1, 2, 0);
    assert_true(bl_overlay_served_mhz(o, 1) == 1400);
    assert_true(bl_overlay_free_mhz(o, 0) == 2500);
    assert_true(bl_overlay_stamp(o, 0) != before);
    /* while it is on its way, both hosts need its memory */
    assert_int_equal(bl_overlay_mem_used_bytes(o, 0), 3 * TEST_GIB);
    assert_int_equal(bl_overlay_mem_used_bytes(o, 1), 3 * TEST_GIB);

    bl_overlay_undo(o, mark);
    LIST(o, 0, 0, 1);
    LIST(o, 1, 2);
    assert_true(bl_overlay_stamp(o, 0) == before);
    assert_true(bl_overlay_demand_mhz(o, 1) == 600);
    bl_overlay_check(o);
    test_table_free(t);
}

/* ---- misuse ------------------------------------------------------------- */

static void test_misuse_asserts(void **state)
{
    struct test_table *t = test_table_new(2, 4, 0);
    struct test_table *other = test_table_new(3, 4, 0);
    struct bl_overlay *o;

    (void)state;
    for (uint32_t vm = 0; vm < 4; vm++)
        test_table_put(t, vm, 0, 100);
    test_table_look(t);
    o = overlay_new(t, 2);
    expect_assert_failure(bl_overlay_put(o, 2, 0));
    expect_assert_failure(bl_overlay_put(o, 0, 4));
    expect_assert_failure(bl_overlay_take(o, 2, 0));
    expect_assert_failure(bl_overlay_refresh(o, 2));
    expect_assert_failure(bl_overlay_undo(o, 1));
    expect_assert_failure(bl_overlay_reset(o, &other->s));
    bl_overlay_put(o, 1, 0);
    expect_assert_failure(bl_overlay_refresh(o, 1)); /* undo comes first */
    bl_overlay_put(o, 1, 1);
    expect_assert_failure(bl_overlay_put(o, 1, 2)); /* more than two moves */
    bl_overlay_undo(o, 0);
    expect_assert_failure(bl_overlay_take(o, 1, 0)); /* it is not there */
    test_table_free(other);
    test_table_free(t);
}

/* A list and a sum that no longer agree, as after a lost update. */
static void test_check_notices_a_wrong_sum(void **state)
{
    struct test_table *t = test_table_new(2, 2, 0);
    struct bl_overlay *o;

    (void)state;
    test_table_put(t, 0, 0, 100);
    test_table_look(t);
    o = overlay_new(t, 2);
    t->c.vm_demand_mhz[0] = 101;
    expect_assert_failure(bl_overlay_check(o));
    t->c.vm_demand_mhz[0] = 100;
    bl_overlay_check(o);
    t->c.vm_mem_used_bytes[0] += 1;
    expect_assert_failure(bl_overlay_check(o));
    t->c.vm_mem_used_bytes[0] -= 1;
    t->c.vm_group[0] = 3; /* one with a reservation */
    expect_assert_failure(bl_overlay_check(o));
    test_table_free(t);
}

/* ---- what is in flight -------------------------------------------------- */

static void test_a_migrating_vm_counts_on_its_target_alone(void **state)
{
    struct test_table *t = test_table_new(2, 3, 0);
    struct bl_overlay *o;

    (void)state;
    test_table_put(t, 0, 0, 800);
    test_table_put(t, 1, 0, 1000);
    test_table_put(t, 2, 1, 600);
    test_table_migrate(t, 0, 1);
    test_table_look(t);
    assert_true(t->s.host.served_mhz[0] == 1800);
    assert_true(t->s.host.served_mhz[1] == 680);
    o = overlay_new(t, 2);
    LIST(o, 0, 1);
    LIST(o, 1, 2, 0);
    /* and the world is asked what they will serve then */
    assert_true(bl_overlay_served_mhz(o, 0) == 1000);
    assert_true(bl_overlay_served_mhz(o, 1) == 1400);
    test_table_land(t, 0);
    test_table_look(t);
    bl_overlay_refresh(o, 0);
    bl_overlay_refresh(o, 1);
    LIST(o, 0, 1);
    LIST(o, 1, 2, 0);
    test_table_free(t);
}

static void test_reservations_of_all_vms_must_fit(void **state)
{
    struct test_table *t = test_table_new(1, 8, 0);
    struct bl_overlay *o;

    (void)state;
    /* VM 3 and 7 have 5 GHz and 2 GiB reserved; host 0 has 4 GHz and 8 GiB */
    for (uint32_t vm = 0; vm < 8; vm++)
        test_table_arrive(t, vm);
    test_table_look(t);
    o = overlay_new(t, 8);
    assert_true(bl_overlay_reservation_fits(o, 0, 0));
    assert_false(bl_overlay_reservation_fits(o, 0, 3));
    t->c.cpu[3].reservation = 2000000;
    assert_true(bl_overlay_reservation_fits(o, 0, 3));
    bl_overlay_put(o, 0, 3);
    assert_true(bl_overlay_reservation_fits(o, 0, 7));
    bl_overlay_undo(o, 0);
    t->c.mem[3].reservation = 4 * TEST_GIB + 1;
    bl_overlay_put(o, 0, 3);
    assert_false(bl_overlay_reservation_fits(o, 0, 7)); /* memory */
    test_table_free(t);
}

/* ---- random sequences against whole copies ------------------------------ */

enum { HOSTS = 6, SLOTS = 24, MOVES = 60, DEPTH = 8, SEEN_MAX = 4096 };

struct list {
    uint32_t vm[2 * SLOTS + MOVES], count;
    double served_mhz, free_mhz;
    uint64_t mem_used_bytes;
};

struct model {
    struct list host[HOSTS];
    uint64_t stamp[HOSTS];
};

/* Every stamp ever seen, and the list that it stands for. */
struct seen {
    uint64_t stamp;
    uint32_t host;
    struct list list;
};

struct storm {
    struct test_table *t;
    struct bl_overlay *o;
    struct bl_prng prng;
    struct model now, at_mark[DEPTH];
    uint32_t mark[DEPTH], depth;
    uint32_t moves; /* since the last reset */
    struct seen *seen;
    uint32_t seen_count;
};

static uint32_t pick(struct storm *s, uint32_t n)
{
    return (uint32_t)bl_prng_below(&s->prng, n);
}

static void ask_world(struct storm *s, uint32_t h)
{
    struct list *l = &s->now.host[h];

    l->served_mhz = s->t->s.serve(&s->t->s, h, l->vm, l->count, &l->free_mhz);
}

static void model_load(struct storm *s, uint32_t h)
{
    const struct bl_snapshot *snap = &s->t->s;
    struct list *l = &s->now.host[h];
    bool in_flight = false;

    l->count = 0;
    for (uint32_t r = snap->host.first[h]; r != BL_NONE;
         r = snap->resident[r].next) {
        if (snap->resident[r].role != BL_ROLE_HERE)
            in_flight = true;
        if (snap->resident[r].role != BL_ROLE_OUT)
            l->vm[l->count++] = snap->resident[r].vm;
    }
    l->served_mhz = snap->host.served_mhz[h];
    l->free_mhz = snap->host.free_mhz[h];
    l->mem_used_bytes = snap->host.mem_used_bytes[h];
    if (in_flight)
        ask_world(s, h);
}

/* A stamp is of one list for ever; a list that changed has another stamp. */
static void compare_stamp(struct storm *s, uint32_t h)
{
    const uint64_t stamp = bl_overlay_stamp(s->o, h);
    const struct list *l = &s->now.host[h];

    assert_true(stamp != 0);
    if (s->now.stamp[h] != 0)
        assert_true(stamp == s->now.stamp[h]);
    s->now.stamp[h] = stamp;
    for (uint32_t i = 0; i < s->seen_count; i++) {
        const struct seen *x = &s->seen[i];

        if (x->stamp != stamp)
            continue;
        assert_int_equal(x->host, h);
        assert_int_equal(x->list.count, l->count);
        assert_memory_equal(x->list.vm, l->vm, l->count * sizeof(*l->vm));
        return;
    }
    assert_true(s->seen_count < SEEN_MAX);
    s->seen[s->seen_count++] = (struct seen){ stamp, h, *l };
}

static void compare(struct storm *s)
{
    bl_overlay_check(s->o);
    for (uint32_t h = 0; h < HOSTS; h++) {
        const struct list *l = &s->now.host[h];
        double demand_mhz = 0;

        expect_list(s->o, h, l->count, l->vm);
        for (uint32_t i = 0; i < l->count; i++)
            demand_mhz += s->t->s.vm.demand_mhz[l->vm[i]];
        assert_true(bl_overlay_demand_mhz(s->o, h) == demand_mhz);
        assert_true(bl_overlay_served_mhz(s->o, h) == l->served_mhz);
        assert_true(bl_overlay_free_mhz(s->o, h) == l->free_mhz);
        assert_true(bl_overlay_mem_used_bytes(s->o, h) == l->mem_used_bytes);
        compare_stamp(s, h);
    }
}

static void storm_reset(struct storm *s)
{
    test_table_stir(s->t, &s->prng);
    bl_overlay_reset(s->o, &s->t->s);
    s->depth = s->moves = s->seen_count = 0;
    for (uint32_t h = 0; h < HOSTS; h++) {
        model_load(s, h);
        s->now.stamp[h] = 0;
    }
}

/* Any VM, also one that is absent or there already: a list is a list. */
static void storm_put(struct storm *s)
{
    const uint32_t h = pick(s, HOSTS), vm = pick(s, SLOTS);
    struct list *l = &s->now.host[h];

    bl_overlay_put(s->o, h, vm);
    l->vm[l->count++] = vm;
    l->mem_used_bytes += s->t->s.vm.mem_used_bytes[vm];
    ask_world(s, h);
    s->now.stamp[h] = 0;
    s->moves++;
}

/* Of two that are the same, the first leaves. */
static void storm_take(struct storm *s)
{
    const uint32_t h = pick(s, HOSTS);
    struct list *l = &s->now.host[h];
    uint32_t at = 0, vm;

    if (l->count == 0)
        return;
    vm = l->vm[pick(s, l->count)];
    while (l->vm[at] != vm)
        at++;
    bl_overlay_take(s->o, h, vm);
    memmove(l->vm + at, l->vm + at + 1, (--l->count - at) * sizeof(*l->vm));
    ask_world(s, h);
    s->now.stamp[h] = 0;
    s->moves++;
}

static void storm_mark(struct storm *s)
{
    if (s->depth == DEPTH)
        return;
    s->mark[s->depth] = bl_overlay_mark(s->o);
    s->at_mark[s->depth++] = s->now;
}

/* Back to any mark; the ones after it are gone with it. */
static void storm_undo(struct storm *s)
{
    if (s->depth == 0)
        return;
    s->depth = pick(s, s->depth);
    bl_overlay_undo(s->o, s->mark[s->depth]);
    s->now = s->at_mark[s->depth]; /* with its stamps */
}

/* The world changes a host, as the manager makes it do. */
static void storm_refresh(struct storm *s)
{
    const uint32_t vm = pick(s, SLOTS), h = pick(s, HOSTS);
    const struct bl_columns *c = &s->t->c;

    bl_overlay_undo(s->o, 0);
    s->depth = 0;
    if (c->vm_state[vm] == BL_VM_PENDING && c->host_state[h] == BL_HOST_ON)
        test_table_place(s->t, vm, h);
    else if (c->vm_state[vm] == BL_VM_PLACED && !c->vm_migrating[vm] &&
             c->host_state[h] == BL_HOST_ON && c->vm_host[vm] != h)
        test_table_migrate(s->t, vm, h);
    test_table_look(s->t);
    for (uint32_t k = 0; k < HOSTS; k++) {
        bl_overlay_refresh(s->o, k);
        model_load(s, k);
        s->now.stamp[k] = 0;
    }
}

static void test_random_sequences_match_whole_copies(void **state)
{
    struct storm s = { .t = test_table_new(HOSTS, SLOTS, 0),
                       .prng = { test_seed() } };

    (void)state;
    s.seen = calloc(SEEN_MAX, sizeof(*s.seen));
    assert_non_null(s.seen);
    s.o = overlay_new(s.t, MOVES);
    for (int round = 0; round < 100; round++) {
        storm_reset(&s);
        compare(&s);
        for (int step = 0; step < 100; step++) {
            const uint32_t what = pick(&s, 12);

            if (what < 4 && s.moves < MOVES)
                storm_put(&s);
            else if (what < 7 && s.moves < MOVES)
                storm_take(&s);
            else if (what < 9)
                storm_mark(&s);
            else if (what < 11)
                storm_undo(&s);
            else if (pick(&s, 8) == 0)
                storm_refresh(&s);
            compare(&s);
        }
    }
    free(s.seen);
    test_table_free(s.t);
}

/* The pool is enough for the worst that the contract allows: every move adds
 * to a list that is full. */
static void test_the_pool_holds_every_promised_move(void **state)
{
    struct bl_prng prng = { test_seed() };

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct test_table *t = test_table_new(8, 40, 0);
        const uint32_t moves = 1 + (uint32_t)bl_prng_below(&prng, 300);
        struct bl_overlay *o;

        for (int i = 0; i < round % 7; i++)
            test_table_stir(t, &prng);
        o = overlay_new(t, moves);
        for (uint32_t i = 0; i < moves; i++) {
            const uint32_t h = round % 2 ? i % 8 : (i * i / 7) % 8;

            bl_overlay_put(o, h, i % 40);
            if (round % 3 == 0) /* each list in turn as long as it can be */
                bl_overlay_undo(o, i % 30 == 0 ? 0 : bl_overlay_mark(o));
        }
        bl_overlay_check(o);
        test_table_free(t);
    }
}

/* Where a list grows, and nothing else has left any slack. */
static void test_the_pool_holds_one_list_that_grows(void **state)
{
    (void)state;
    for (uint32_t moves = 1; moves < 300; moves++) {
        struct test_table *t = test_table_new(1, 1, 0);
        struct bl_overlay *o;

        test_table_put(t, 0, 0, 1);
        test_table_look(t);
        o = overlay_new(t, moves);
        for (uint32_t i = 0; i < moves; i++)
            bl_overlay_put(o, 0, 0);
        bl_overlay_check(o);
        test_table_free(t);
    }
}

/* ---- faults ------------------------------------------------------------- */

static void test_create_survives_every_allocation_failure(void **state)
{
    long n = 0;

    (void)state;
    for (;; n++) {
        struct bl_arena a;
        struct bl_overlay *o = NULL;
        bl_err e;

        assert_ok(bl_arena_init(&a, 1 << 20));
        a.fail_after = n;
        e = bl_overlay_create(&a, 10, 30, 40, &o);
        bl_arena_free(&a);
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_null(o);
    }
    assert_int_equal(n, 4); /* the module's allocation budget, pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_try_a_move_and_take_it_back),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_check_notices_a_wrong_sum),
        cmocka_unit_test(test_a_migrating_vm_counts_on_its_target_alone),
        cmocka_unit_test(test_reservations_of_all_vms_must_fit),
        cmocka_unit_test(test_random_sequences_match_whole_copies),
        cmocka_unit_test(test_the_pool_holds_every_promised_move),
        cmocka_unit_test(test_the_pool_holds_one_list_that_grows),
        cmocka_unit_test(test_create_survives_every_allocation_failure),
    };

    return cmocka_run_group_tests_name("overlay", tests, test_group_setup,
                                       NULL);
}
