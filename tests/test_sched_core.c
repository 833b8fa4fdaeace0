/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sched_core - the life of a vCPU and the accounts, which are the same
 * under every policy and mode; names and the registry.
 */
#include "tests/support_dispatch.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)
#define MIB ((size_t)1 << 20)

struct fixture {
    struct bl_arena arena;
    struct bl_topo topo;
    struct bl_sched *s;
};

static struct bl_sched_opts opts_for(const struct bl_topo *topo)
{
    return (struct bl_sched_opts){ .topo = topo,
                                   .policy = "fair",
                                   .mode = "none",
                                   .vm_count_max = 4,
                                   .vcpu_count_max = 8,
                                   .smt_ppm = 1000000 };
}

static void open_sched(struct fixture *f, uint32_t cores, uint32_t threads,
                       uint32_t smt_ppm)
{
    struct bl_sched_opts o = opts_for(&f->topo);
    struct bl_diag diag;

    o.smt_ppm = smt_ppm;
    bl_topo_grid(1, 1, cores, threads, &f->topo);
    assert_ok(bl_arena_init(&f->arena, 4 * MIB));
    assert_ok(bl_sched_create(&f->arena, &o, &f->s, &diag));
    bl_arena_seal(&f->arena);
}

static void close_sched(struct fixture *f)
{
    bl_arena_free(&f->arena);
}

static uint32_t add(struct fixture *f, uint32_t vcpus)
{
    const struct bl_sched_settings set = { 1000, 0, BL_NO_LIMIT };
    uint32_t vm;

    assert_ok(bl_sched_vm_add(f->s, &set, vcpus, NULL, &vm));
    return vm;
}

static void pick_all(struct fixture *f, int64_t now_ns)
{
    uint32_t p;

    while (bl_sched_kicked(f->s, &p))
        (void)bl_sched_pick(f->s, p, now_ns);
    bl_sched_check(f->s);
}

/* ---- the example -------------------------------------------------------- */

static void test_two_vcpus_take_turns(void **state)
{
    struct fixture f;
    struct bl_pick k;
    uint32_t p, vm;

    (void)state;
    open_sched(&f, 1, 1, 1000000);
    vm = add(&f, 2);
    assert_int_equal(bl_sched_vm_first(f.s, vm), 0);
    assert_int_equal(bl_sched_vm_size(f.s, vm), 2);
    assert_int_equal(bl_sched_vm_of(f.s, 1), vm);
    assert_false(bl_sched_kicked(f.s, &p));
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 0);
    bl_sched_wake(f.s, 1, BL_NO_PCPU, 0);
    assert_true(bl_sched_kicked(f.s, &p));
    assert_int_equal(p, 0);
    k = bl_sched_pick(f.s, p, 0);
    assert_int_equal(k.vcpu, 0);
    assert_int_equal(k.prev, BL_NO_VCPU);
    assert_int_equal(k.moved, BL_REACH_SAME);
    assert_int_equal(k.until_ns, 3 * MS);
    assert_int_equal(bl_sched_running(f.s, 0), 0);
    assert_int_equal(bl_sched_pcpu(f.s, 1), BL_NO_PCPU);
    assert_int_equal(bl_sched_state(f.s, 1), BL_VCPU_READY);
    k = bl_sched_pick(f.s, 0, k.until_ns);
    assert_int_equal(k.vcpu, 1);
    assert_int_equal(k.prev, 0);
    bl_sched_block(f.s, 0, 4 * MS); /* 1 halts */
    assert_true(bl_sched_kicked(f.s, &p));
    k = bl_sched_pick(f.s, p, 4 * MS);
    assert_int_equal(k.vcpu, 0);
    assert_int_equal(k.prev, BL_NO_VCPU);
    bl_sched_block(f.s, 0, 5 * MS);
    assert_true(bl_sched_kicked(f.s, &p));
    k = bl_sched_pick(f.s, p, 5 * MS);
    assert_int_equal(k.vcpu, BL_NO_VCPU);
    assert_true(k.until_ns == INT64_MAX);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 5 * MS).state_ns[BL_VCPU_RUN],
                     4 * MS);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 5 * MS).state_ns[BL_VCPU_READY],
                     1 * MS);
    assert_int_equal(bl_sched_vcpu(f.s, 1, 9 * MS).state_ns[BL_VCPU_BLOCKED],
                     5 * MS);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 5 * MS).switch_count, 2);
    bl_sched_check(f.s);
    close_sched(&f);
}

/* ---- documented errors -------------------------------------------------- */

static void must_refuse(const struct bl_sched_opts *o, bl_err e)
{
    struct bl_arena a;
    struct bl_sched *s = NULL;
    struct bl_diag diag;

    memset(&diag, 0, sizeof(diag));
    assert_ok(bl_arena_init(&a, 4 * MIB));
    assert_int_equal(bl_sched_create(&a, o, &s, &diag), e);
    assert_null(s);
    assert_true(strlen(diag.text) > 10);
    bl_arena_free(&a);
}

static void test_create_refuses(void **state)
{
    struct bl_topo t;
    struct bl_sched_opts o;

    (void)state;
    bl_topo_grid(1, 1, 2, 2, &t);
    o = opts_for(&t);
    o.policy = "fairest";
    must_refuse(&o, BL_ERR_NOENT);
    o = opts_for(&t);
    o.mode = "";
    must_refuse(&o, BL_ERR_NOENT);
    o = opts_for(&t);
    o.vm_count_max = 0;
    must_refuse(&o, BL_ERR_INVAL);
    o = opts_for(&t);
    o.vcpu_count_max = BL_SCHED_VCPUS_MAX + 1;
    must_refuse(&o, BL_ERR_INVAL);
    o = opts_for(&t);
    o.vm_count_max = 9; /* more than vCPUs */
    must_refuse(&o, BL_ERR_INVAL);
    o = opts_for(&t);
    o.smt_ppm = 999999;
    must_refuse(&o, BL_ERR_INVAL);
    o.smt_ppm = 2000001;
    must_refuse(&o, BL_ERR_INVAL);
}

/* Values that are fine one by one; @low <= @high is what is asked. */
static void must_go_together(bool of_mode, const char *name, const char *low,
                             const char *high)
{
    const struct bl_sched_info *info =
        of_mode ? bl_sched_mode_find(name) : bl_sched_policy_find(name);
    struct bl_params values;
    struct bl_diag diag;
    struct bl_topo t;
    struct bl_sched_opts o;
    char want[200];

    bl_topo_grid(1, 1, 2, 2, &t);
    o = opts_for(&t);
    *(of_mode ? &o.mode : &o.policy) = name;
    *(of_mode ? &o.mode_params : &o.policy_params) = &values;
    bl_params_init(&values, info->params, info->param_count);
    assert_ok(bl_sched_params_check(info, &values, NULL, 0, &diag));
    assert_ok(bl_params_set(&values, low, "1ms", NULL, 0, &diag));
    assert_ok(bl_params_set(&values, high, "1ms", NULL, 0, &diag));
    assert_ok(bl_sched_params_check(info, &values, NULL, 0, &diag));
    assert_ok(bl_params_set(&values, low, "5ms", NULL, 0, &diag));
    assert_int_equal(bl_sched_params_check(info, &values, "a", 7, &diag),
                     BL_ERR_INVAL);
    (void)snprintf(want, sizeof(want),
                   "a:7: %s: 5ms is above %s, expected at most 1ms", low, high);
    assert_string_equal(diag.text, want);
    must_refuse(&o, BL_ERR_INVAL);
}

static void test_parameters_go_together(void **state)
{
    (void)state;
    must_go_together(true, "relaxed", "costart", "costop");
    must_go_together(false, "fair", "slice_min", "slice");
    must_go_together(false, "balance", "slice_min", "slice");
}

static void test_vm_add_refuses(void **state)
{
    const struct bl_cpuset far = bl_cpuset_range(2, 4);
    struct bl_sched_settings set = { 1000, 0, BL_NO_LIMIT };
    struct fixture f;
    uint32_t vm = 77;

    (void)state;
    open_sched(&f, 2, 1, 1000000);
    set.shares = 0;
    assert_int_equal(bl_sched_vm_add(f.s, &set, 1, NULL, &vm), BL_ERR_INVAL);
    set.shares = BL_SHARES_MAX + 1;
    assert_int_equal(bl_sched_vm_add(f.s, &set, 1, NULL, &vm), BL_ERR_INVAL);
    set = (struct bl_sched_settings){ 1000, 500001, 500000 };
    assert_int_equal(bl_sched_vm_add(f.s, &set, 1, NULL, &vm), BL_ERR_INVAL);
    set = (struct bl_sched_settings){ 1000, 0, BL_NO_LIMIT };
    assert_int_equal(bl_sched_vm_add(f.s, &set, 0, NULL, &vm), BL_ERR_INVAL);
    assert_int_equal(
        bl_sched_vm_add(f.s, &set, BL_SCHED_VM_VCPUS_MAX + 1, NULL, &vm),
        BL_ERR_INVAL);
    assert_int_equal(bl_sched_vm_add(f.s, &set, 1, &far, &vm), BL_ERR_INVAL);
    assert_int_equal(bl_sched_vm_add(f.s, &set, 9, NULL, &vm), BL_ERR_FULL);
    assert_int_equal(vm, 77);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(add(&f, 1), i);
    assert_int_equal(bl_sched_vm_add(f.s, &set, 1, NULL, &vm), BL_ERR_FULL);
    bl_sched_check(f.s);
    close_sched(&f);
}

static void test_misuse_asserts(void **state)
{
    const struct bl_sched_settings bad = { 0, 0, BL_NO_LIMIT };
    const struct bl_cpuset none = { { 0 } };
    struct bl_hash h;
    struct fixture f;

    (void)state;
    bl_hash_init(&h);
    open_sched(&f, 1, 1, 1000000);
    (void)add(&f, 1);
    expect_assert_failure(bl_sched_wake(f.s, 1, BL_NO_PCPU, 0));
    expect_assert_failure((void)bl_sched_vm_first(f.s, 1));
    expect_assert_failure((void)bl_sched_vm_size(f.s, 1));
    expect_assert_failure((void)bl_sched_vm_of(f.s, 1));
    expect_assert_failure((void)bl_sched_state(f.s, BL_NO_VCPU));
    expect_assert_failure((void)bl_sched_pcpu(f.s, 1));
    expect_assert_failure((void)bl_sched_running(f.s, 1));
    expect_assert_failure((void)bl_sched_vcpu(f.s, BL_NO_VCPU, 0));
    expect_assert_failure((void)bl_sched_lag_ns(f.s, 1));
    expect_assert_failure((void)bl_sched_pick(f.s, 1, 0));
    expect_assert_failure(bl_sched_block(f.s, 0, 0)); /* nothing runs */
    expect_assert_failure(bl_sched_block(f.s, 1, 0));
    expect_assert_failure(bl_sched_set(f.s, 0, &bad, 0));
    expect_assert_failure(bl_sched_set(f.s, 1, &bad, 0));
    expect_assert_failure(bl_sched_set_affinity(f.s, 0, &none, 0));
    expect_assert_failure(bl_sched_set_affinity(f.s, BL_NO_VCPU, &none, 0));
    expect_assert_failure(bl_sched_hint(f.s, BL_HINT_PAUSE, 1, 0, 0));
    expect_assert_failure(bl_sched_hint(f.s, BL_HINT_IPI, 0, 1, 0));
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 10);
    expect_assert_failure(bl_sched_tick(f.s, 9));
    expect_assert_failure((void)bl_sched_vcpu(f.s, 0, 9));
    expect_assert_failure((void)bl_sched_totals(f.s, 9));
    expect_assert_failure(bl_sched_tick(f.s, BL_SCHED_NS_MAX));
    expect_assert_failure((void)bl_vcpu_state_name(BL_VCPU_STATE_COUNT));
    expect_assert_failure((void)bl_sched_reason_text(BL_SCHED_REASON_COUNT));
    expect_assert_failure((void)bl_sched_reason_figure(BL_SCHED_PICKED, 2));
    close_sched(&f);
}

/* ---- names -------------------------------------------------------------- */

typedef const struct bl_sched_info *(*at_fn)(uint32_t i);
typedef const struct bl_sched_info *(*find_fn)(const char *name);

/* In order of names, each found by its own. */
static void check_list(at_fn at, find_fn find)
{
    for (uint32_t i = 0; at(i) != NULL; i++) {
        assert_ptr_equal(find(at(i)->name), at(i));
        assert_true(i == 0 || strcmp(at(i - 1)->name, at(i)->name) < 0);
        assert_true(strlen(at(i)->summary) > 0);
        assert_true(strlen(at(i)->source) > 0);
    }
}

/* Those that the documentation promises, and whatever else is there. */
static void test_registry(void **state)
{
    static const char *const policy[] = { "balance", "credit2", "fair",
                                          "fifo" };
    static const char *const mode[] = { "core",    "demand", "none",
                                        "relaxed", "strict", "yield" };

    (void)state;
    check_list(bl_sched_policy, bl_sched_policy_find);
    check_list(bl_sched_mode, bl_sched_mode_find);
    for (uint32_t i = 0; i < 4; i++)
        assert_non_null(bl_sched_policy_find(policy[i]));
    for (uint32_t i = 0; i < 6; i++)
        assert_non_null(bl_sched_mode_find(mode[i]));
    assert_null(bl_sched_policy_find("strict"));
    assert_null(bl_sched_mode_find("fair"));
}

static void test_states_and_reasons_have_words(void **state)
{
    (void)state;
    assert_string_equal(bl_vcpu_state_name(BL_VCPU_COSTOP), "co-stop");
    assert_string_equal(bl_vcpu_state_name(BL_VCPU_LIMITED), "limited");
    for (int i = 0; i < BL_SCHED_REASON_COUNT; i++) {
        const enum bl_sched_reason r = (enum bl_sched_reason)i;

        assert_true(strlen(bl_sched_reason_text(r)) > 0);
        assert_true(strlen(bl_sched_reason_figure(r, 0)) > 0);
        assert_non_null(bl_sched_reason_figure(r, 1));
    }
}

/* ---- idempotence, order ------------------------------------------------- */

static void test_wake_is_idempotent(void **state)
{
    struct fixture f;
    struct bl_hash a, b;

    (void)state;
    open_sched(&f, 2, 1, 1000000);
    (void)add(&f, 3);
    for (uint32_t v = 0; v < 3; v++)
        bl_sched_wake(f.s, v, BL_NO_PCPU, 0);
    pick_all(&f, 0);
    bl_hash_init(&a);
    bl_sched_hash(f.s, &a);
    for (uint32_t v = 0; v < 3; v++) /* two run, one waits */
        bl_sched_wake(f.s, v, 0, 0);
    bl_hash_init(&b);
    bl_sched_hash(f.s, &b);
    assert_true(bl_hash_value(&a) == bl_hash_value(&b));
    assert_int_equal(bl_sched_totals(f.s, 0).wake_count, 3);
    close_sched(&f);
}

static void test_kicks_come_in_order(void **state)
{
    struct fixture f;
    uint32_t p, last = 0, n = 0;

    (void)state;
    open_sched(&f, 8, 1, 1000000);
    (void)add(&f, 8);
    for (uint32_t v = 8; v-- > 0;)
        bl_sched_wake(f.s, v, BL_NO_PCPU, 0);
    while (bl_sched_kicked(f.s, &p)) {
        assert_true(n == 0 || p > last);
        last = p;
        n++;
        assert_int_not_equal(bl_sched_pick(f.s, p, 0).vcpu, BL_NO_VCPU);
    }
    assert_int_equal(n, 8);
    bl_sched_check(f.s);
    close_sched(&f);
}

/* ---- affinity ----------------------------------------------------------- */

static void test_affinity_of_a_running_vcpu(void **state)
{
    const struct bl_cpuset other = bl_cpuset_range(1, 1);
    struct fixture f;
    uint32_t p;

    (void)state;
    open_sched(&f, 2, 1, 1000000);
    (void)add(&f, 1);
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 0);
    pick_all(&f, 0);
    assert_int_equal(bl_sched_pcpu(f.s, 0), 0);
    bl_sched_set_affinity(f.s, 0, &other, 5);
    assert_true(bl_sched_kicked(f.s, &p));
    assert_int_equal(p, 0);
    assert_int_equal(bl_sched_pick(f.s, 0, 5).vcpu, BL_NO_VCPU);
    pick_all(&f, 5);
    assert_int_equal(bl_sched_pcpu(f.s, 0), 1);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 5).move_count[BL_REACH_LLC], 1);
    close_sched(&f);
}

static void test_affinity_of_one_that_halts_at_once(void **state)
{
    const struct bl_cpuset other = bl_cpuset_range(1, 1);
    const struct bl_cpuset both = bl_cpuset_range(0, 2);
    struct fixture f;

    (void)state;
    open_sched(&f, 2, 1, 1000000);
    (void)add(&f, 1);
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 0);
    pick_all(&f, 0);
    bl_sched_set_affinity(f.s, 0, &other, 5);
    bl_sched_block(f.s, 0, 5); /* before pCPU 0 picked */
    pick_all(&f, 5);
    bl_sched_set_affinity(f.s, 0, &both, 6);
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 7);
    pick_all(&f, 7);
    assert_int_equal(bl_sched_pcpu(f.s, 0), 0);
    assert_int_equal(bl_sched_pick(f.s, 0, 8).vcpu, 0);
    bl_sched_check(f.s);
    close_sched(&f);
}

static void test_affinity_of_a_waiting_vcpu(void **state)
{
    const struct bl_cpuset first = bl_cpuset_range(0, 1);
    const struct bl_cpuset both = bl_cpuset_range(0, 2);
    struct fixture f;

    (void)state;
    open_sched(&f, 2, 1, 1000000);
    (void)add(&f, 2);
    for (uint32_t v = 0; v < 2; v++) {
        bl_sched_set_affinity(f.s, v, &first, 0);
        bl_sched_wake(f.s, v, BL_NO_PCPU, 0);
    }
    pick_all(&f, 0);
    assert_int_equal(bl_sched_running(f.s, 0), 0);
    assert_int_equal(bl_sched_running(f.s, 1), BL_NO_VCPU);
    assert_int_equal(bl_sched_state(f.s, 1), BL_VCPU_READY);
    bl_sched_set_affinity(f.s, 1, &both, 5); /* now pCPU 1 will do */
    pick_all(&f, 5);
    assert_int_equal(bl_sched_running(f.s, 1), 1);
    close_sched(&f);
}

/* ---- accounts ----------------------------------------------------------- */

/* y = 1.25: of two busy threads each does 0.625 of what one alone does. */
static void test_smt_is_charged_by_rate(void **state)
{
    struct fixture f;
    struct bl_sched_account a, b;

    (void)state;
    open_sched(&f, 1, 2, 1250000);
    (void)add(&f, 1);
    (void)add(&f, 1);
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 0);
    pick_all(&f, 0);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 8 * MS / 4).charged_ns, 2 * MS);
    bl_sched_wake(f.s, 1, BL_NO_PCPU, 2 * MS); /* alone until here */
    pick_all(&f, 2 * MS);
    assert_int_equal(bl_sched_pcpu(f.s, 1), 1);
    a = bl_sched_vcpu(f.s, 0, 10 * MS);
    b = bl_sched_vcpu(f.s, 1, 10 * MS);
    assert_int_equal(a.state_ns[BL_VCPU_RUN], 10 * MS);
    assert_int_equal(a.charged_ns, 2 * MS + 8 * MS * 625 / 1000);
    assert_int_equal(b.state_ns[BL_VCPU_RUN], 8 * MS);
    assert_int_equal(b.charged_ns, 8 * MS * 625 / 1000);
    bl_sched_block(f.s, bl_sched_pcpu(f.s, 0), 10 * MS);
    pick_all(&f, 10 * MS);
    assert_int_equal(bl_sched_vcpu(f.s, 1, 11 * MS).charged_ns, 6 * MS);
    close_sched(&f);
}

/* 5 %: a budget of 0.5 ms (10 ms worth) and 2 ms of patience. */
static void test_limit_by_hand(void **state)
{
    const struct bl_sched_settings set = { 1000, 0, 50000 };
    struct fixture f;
    struct bl_pick k;
    uint32_t vm;

    (void)state;
    open_sched(&f, 1, 1, 1000000);
    assert_ok(bl_sched_vm_add(f.s, &set, 1, NULL, &vm));
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 0);
    k = bl_sched_pick(f.s, 0, 0);
    assert_int_equal(k.until_ns, 2500000);
    assert_int_equal(bl_sched_next_ns(f.s), 2 * MS);
    bl_sched_tick(f.s, 2 * MS);
    k = bl_sched_pick(f.s, 0, k.until_ns); /* 0.125 ms grew meanwhile */
    assert_int_equal(k.until_ns, 2625000);
    k = bl_sched_pick(f.s, 0, k.until_ns); /* no run is shorter than 0.1 ms */
    assert_int_equal(k.until_ns, 2725000);
    k = bl_sched_pick(f.s, 0, k.until_ns);
    assert_int_equal(k.vcpu, BL_NO_VCPU);
    assert_int_equal(bl_sched_state(f.s, 0), BL_VCPU_LIMITED);
    assert_int_equal(bl_sched_vcpu(f.s, 0, 3 * MS).throttle_count, 1);
    assert_int_equal(bl_sched_next_ns(f.s), 4 * MS);
    bl_sched_tick(f.s, 4 * MS); /* what was overdrawn is paid back first */
    pick_all(&f, 4 * MS);
    assert_int_equal(bl_sched_state(f.s, 0), BL_VCPU_LIMITED);
    bl_sched_tick(f.s, 6 * MS);
    pick_all(&f, 6 * MS);
    assert_int_equal(bl_sched_state(f.s, 0), BL_VCPU_RUN);
    bl_sched_set(f.s, 0, &(struct bl_sched_settings){ 1000, 0, BL_NO_LIMIT },
                 6 * MS);
    assert_true(bl_sched_next_ns(f.s) == INT64_MAX);
    close_sched(&f);
}

/* What grew until a limit was raised did so at the old rate: all that an idle
 * VM has then are the 2 ms of patience and 10 ns. */
static void test_raising_a_limit_gives_no_burst(void **state)
{
    struct bl_sched_settings set = { 1000, 0, 1 };
    struct fixture f;
    uint32_t vm;

    (void)state;
    open_sched(&f, 1, 1, 1000000);
    assert_ok(bl_sched_vm_add(f.s, &set, 1, NULL, &vm));
    set.limit_ppm = 500000;
    bl_sched_set(f.s, vm, &set, 1000 * MS);
    bl_sched_wake(f.s, 0, BL_NO_PCPU, 1000 * MS);
    assert_int_equal(bl_sched_pick(f.s, 0, 1000 * MS).until_ns, 1002 * MS + 10);
    close_sched(&f);
}

/* ---- random: sums of accounts ------------------------------------------- */

struct seen {
    uint64_t switches, costops, throttles;
    int64_t last_ns;
    enum bl_vcpu_state state[256];
};

static void see(void *ctx, const struct bl_sched_event *e)
{
    struct seen *x = ctx;

    assert_true(e->now_ns >= x->last_ns);
    assert_true(e->from != e->to);
    assert_int_equal(x->state[e->vcpu], e->from);
    x->state[e->vcpu] = e->to;
    x->last_ns = e->now_ns;
    x->switches += e->to == BL_VCPU_RUN;
    x->costops += e->to == BL_VCPU_COSTOP;
}

static uint64_t run_and_hash(const char *policy, const char *mode,
                             uint64_t seed)
{
    struct seen x = { .switches = 0 };
    struct dispatch d;
    struct bl_hash h;
    struct bl_sched_totals t;
    uint64_t switches = 0, costops = 0, throttles = 0;
    const struct dispatch_opts o = { .policy = policy,
                                     .mode = mode,
                                     .nodes = 1,
                                     .llcs = 2,
                                     .cores = 2,
                                     .threads = 2,
                                     .vm_max = 8,
                                     .vcpu_max = 32,
                                     .smt_ppm = 1300000,
                                     .seed = seed,
                                     .sink = see,
                                     .sink_ctx = &x };

    for (uint32_t v = 0; v < 256; v++)
        x.state[v] = BL_VCPU_BLOCKED;
    dispatch_create(&d, &o);
    for (uint32_t i = 0; i < 8; i++) {
        const struct dispatch_load load = { 2 * MS * (i % 3), 3 * MS };

        (void)dispatch_vm(&d, 500 + 500 * i, 0,
                          i % 4 == 3 ? 700000 : BL_NO_LIMIT, 1 + i % 4, &load);
    }
    dispatch_storm(&d, DISPATCH_ANY, 300, MS);
    t = bl_sched_totals(d.sched, d.now_ns);
    for (uint32_t v = 0; v < d.vcpu_count; v++) {
        const struct bl_sched_account a = bl_sched_vcpu(d.sched, v, d.now_ns);
        int64_t sum = 0;

        for (int k = 0; k < BL_VCPU_STATE_COUNT; k++)
            sum += a.state_ns[k];
        assert_true(sum == d.now_ns); /* all were added at 0 */
        assert_true(a.charged_ns <= a.state_ns[BL_VCPU_RUN] + 1);
        assert_true(a.charged_ns * 2 >= a.state_ns[BL_VCPU_RUN]);
        assert_int_equal(x.state[v], bl_sched_state(d.sched, v));
        switches += a.switch_count;
        costops += a.costop_count;
        throttles += a.throttle_count;
    }
    assert_true(switches == t.switch_count);
    assert_true(costops == t.costop_count && costops == x.costops);
    assert_true(throttles == t.throttle_count);
    bl_hash_init(&h);
    bl_sched_hash(d.sched, &h);
    dispatch_destroy(&d);
    return bl_hash_value(&h);
}

static void test_accounts_add_up_and_runs_repeat(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint32_t p = 0; bl_sched_policy(p) != NULL; p++)
        for (uint32_t m = 0; bl_sched_mode(m) != NULL; m++) {
            const char *policy = bl_sched_policy(p)->name;
            const char *mode = bl_sched_mode(m)->name;
            const uint64_t first = run_and_hash(policy, mode, seed);

            assert_true(run_and_hash(policy, mode, seed) == first);
            assert_false(run_and_hash(policy, mode, seed + 1) == first);
        }
}

/* ---- allocation failure ------------------------------------------------- */

static void test_create_out_of_memory(void **state)
{
    struct bl_topo t;

    (void)state;
    bl_topo_grid(2, 2, 2, 2, &t);
    for (uint32_t p = 0; bl_sched_policy(p) != NULL; p++) {
        struct bl_sched_opts o = opts_for(&t);
        bl_err e = BL_ERR_NOMEM;

        o.policy = bl_sched_policy(p)->name;
        for (long n = 0; e != BL_ERR_OK; n++) {
            struct bl_arena a;
            struct bl_sched *s = NULL;
            struct bl_diag diag;

            assert_true(n < 100);
            assert_ok(bl_arena_init(&a, 4 * MIB));
            a.fail_after = n;
            e = bl_sched_create(&a, &o, &s, &diag);
            assert_true(e == BL_ERR_OK || e == BL_ERR_NOMEM);
            assert_true((e == BL_ERR_OK) == (s != NULL));
            bl_arena_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_vcpus_take_turns),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_parameters_go_together),
        cmocka_unit_test(test_vm_add_refuses),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_states_and_reasons_have_words),
        cmocka_unit_test(test_wake_is_idempotent),
        cmocka_unit_test(test_kicks_come_in_order),
        cmocka_unit_test(test_affinity_of_a_running_vcpu),
        cmocka_unit_test(test_affinity_of_one_that_halts_at_once),
        cmocka_unit_test(test_affinity_of_a_waiting_vcpu),
        cmocka_unit_test(test_smt_is_charged_by_rate),
        cmocka_unit_test(test_limit_by_hand),
        cmocka_unit_test(test_raising_a_limit_gives_no_burst),
        cmocka_unit_test(test_accounts_add_up_and_runs_repeat),
        cmocka_unit_test(test_create_out_of_memory),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
