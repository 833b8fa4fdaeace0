/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_validate - which actions reach a world: every refusal, and the nearest
 * action that is accepted. All go through a manager, which must count them,
 * tell the journal, and keep what is refused from the world.
 */
#include "tests/support_script.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The stage: VM 0 on host 0, VM 1 migrating from host 0 to 1, VM 2 pending,
 * VM 3 (10 GHz, half of it reserved) pending, VM 4 on host 3, no others. Host 2
 * is empty and in a state of the row's own. */
struct row {
    const char *what;
    enum bl_action_kind kind;
    uint32_t vm, source, host;
    enum bl_verdict want;
    enum bl_host_state state; /* of host 2; ON when not said */
    uint32_t can;             /* as real, when not said */
    uint64_t amount;          /* mW: hosts need 100 W */
};

#define NOT_SAID 0
#define CAPPED (REAL | BL_CAN_CAP_POWER)
#define REAL (BL_CAN_SWITCH_HOSTS | BL_CAN_ENFORCE_MEMORY)

#define PLACE(vm, host) BL_ACTION_PLACE, vm, BL_NONE, host
#define MOVE(vm, from, to) BL_ACTION_MIGRATE, vm, from, to
#define ON(host) BL_ACTION_HOST_ON, BL_NONE, BL_NONE, host
#define OFF(host) BL_ACTION_HOST_OFF, BL_NONE, BL_NONE, host
#define STANDBY(host) BL_ACTION_HOST_STANDBY, BL_NONE, BL_NONE, host
#define UNMANAGED(host) BL_ACTION_POWER_UNMANAGED, BL_NONE, BL_NONE, host
#define CAP(host, mw)                                                          \
    BL_ACTION_POWER_CAP, BL_NONE, BL_NONE, host, .amount = (mw)
#define CAPS .can = CAPPED
#define IN(s) .state = BL_HOST_##s
#define IS(v) .want = BL_VERDICT_##v

static const struct row rows[] = {
    { "no such kind", BL_ACTION_COUNT, 0, 0, 1, IS(NO_SUCH_ACTION) },
    { "no such host", PLACE(2, TEST_HOSTS), IS(NO_SUCH_HOST) },
    { "none for a host", MOVE(0, 0, BL_NONE), IS(NO_SUCH_HOST) },
    { "no such host to wake", ON(TEST_HOSTS), IS(NO_SUCH_HOST) },
    { "no such VM", PLACE(TEST_SLOTS, 1), IS(NO_SUCH_VM) },
    { "none for a VM", PLACE(BL_NONE, 1), IS(NO_SUCH_VM) },
    { "a VM that is not there", MOVE(9, 0, 1), IS(NO_SUCH_VM) },

    { "to a host that is on", PLACE(2, 1), IS(OK) },
    { "it is placed", PLACE(0, 1), IS(VM_STATE) },
    { "it is placed, and migrates", PLACE(1, 1), IS(VM_STATE) },
    { "it moves", MOVE(0, 0, 1), IS(OK) },
    { "it has no host yet", MOVE(2, 0, 1), IS(VM_STATE) },
    { "it is elsewhere", MOVE(0, 3, 1), IS(VM_STATE) },
    { "from nowhere", MOVE(0, BL_NONE, 1), IS(VM_STATE) },
    { "it migrates", MOVE(1, 0, 3), IS(VM_BUSY) },
    { "it migrates there", MOVE(1, 0, 1), IS(VM_BUSY) },
    { "it is there", MOVE(0, 0, 0), IS(SAME_HOST) },

    { "to one asleep", MOVE(0, 0, 2), IS(HOST_STATE), IN(STANDBY) },
    { "to one that is off", PLACE(2, 2), IS(HOST_STATE), IN(OFF) },
    { "to one falling asleep", PLACE(2, 2), IS(HOST_STATE), IN(ENTERING) },
    { "to one waking up", PLACE(2, 2), IS(OK), IN(LEAVING) },

    { "wake one that is off", ON(2), IS(OK), IN(OFF) },
    { "wake one asleep", ON(2), IS(OK), IN(STANDBY) },
    { "wake one that is on", ON(2), IS(HOST_STATE) },
    { "wake one that wakes", ON(2), IS(HOST_STATE), IN(LEAVING) },
    { "suspend an empty one", STANDBY(2), IS(OK) },
    { "switch an empty one off", OFF(2), IS(OK) },
    { "switch off with a VM on it", OFF(3), IS(HOST_BUSY) },
    { "suspend with a VM coming", STANDBY(1), IS(HOST_BUSY) },
    { "suspend one asleep", STANDBY(2), IS(HOST_STATE), IN(STANDBY) },
    { "switch off one that wakes", OFF(2), IS(HOST_STATE), IN(LEAVING) },
    { "all power, for any host", UNMANAGED(2), IS(OK), IN(STANDBY) },
    { "wake, where nothing sleeps", ON(2), IS(NO_SUCH_ACTION), IN(OFF),
      .can = BL_CAN_ENFORCE_MEMORY },
    { "suspend, where nothing sleeps", STANDBY(2), IS(NO_SUCH_ACTION),
      .can = BL_CAN_ENFORCE_MEMORY },

    { "enough power", CAP(2, 100000), IS(OK), CAPS },
    { "too little power", CAP(2, 99999), IS(NO_POWER), CAPS },
    { "power for no host", CAP(TEST_HOSTS, 100000), IS(NO_SUCH_HOST), CAPS },
    { "where there are no caps", CAP(2, 100000), IS(NO_SUCH_ACTION) },

    { "more memory than there is", PLACE(2, 0), IS(NO_MEMORY) },
    { "where memory is not real", PLACE(2, 0), IS(OK),
      .can = BL_CAN_SWITCH_HOSTS },
    { "reserved, and it fits", PLACE(3, 3), IS(OK) },
    { "more reserved than there is", PLACE(3, 2), IS(NO_RESERVATION) },
};

static struct bl_action told;
static uint64_t min_mw[TEST_HOSTS];

static void do_as_told(const struct bl_snapshot *s, struct bl_overlay *o,
                       uint32_t vm, struct bl_plan *plan)
{
    (void)s;
    (void)o;
    (void)vm;
    bl_plan_add(plan, &told);
}

static struct fixture *stage_new(const struct row *r)
{
    struct fixture *f = fixture_new();
    struct test_table *t = f->w.t;

    for (uint32_t vm = 0; vm <= 4; vm++)
        test_table_arrive(t, vm);
    test_table_place(t, 0, 0);
    test_table_place(t, 1, 0);
    test_table_place(t, 4, 3);
    test_table_migrate(t, 1, 1);
    t->c.vm_mem_used_bytes[0] = 4 * TEST_GIB; /* with VM 1, 6 of 8 */
    t->c.vm_mem_used_bytes[2] = 2 * TEST_GIB + 1;
    t->c.vm_mem_used_bytes[3] = 0;
    t->s.can = r->can == NOT_SAID ? REAL : r->can;
    test_table_state(t, 2, r->state);
    told = (struct bl_action){ .kind = r->kind,
                               .reason = BL_REASON_OVERLOAD,
                               .vm = r->vm,
                               .host = r->host,
                               .source = r->source,
                               .amount = r->amount };
    for (uint32_t h = 0; h < TEST_HOSTS; h++)
        min_mw[h] = 100000;
    t->s.host.power_min_mw = min_mw;
    puppet.step = do_as_told;
    f->w.end_ns = 15 * TEST_S; /* one control instant */
    return f;
}

static void expect_verdict(struct fixture *f, enum bl_verdict want)
{
    const struct bl_manager_counts *c = fixture_run(f);
    const uint64_t ok = want == BL_VERDICT_OK;
    uint64_t refused = 0, accepted = 0;

    for (uint32_t v = 0; v < BL_VERDICT_COUNT; v++)
        refused += c->refused[v];
    for (uint32_t k = 0; k < BL_ACTION_COUNT; k++)
        accepted += c->accepted[k];
    assert_int_equal(f->entries, 1); /* the journal sees all */
    assert_string_equal(bl_verdict_text(f->journal[0].verdict),
                        bl_verdict_text(want));
    assert_memory_equal(&f->journal[0].action, &told, sizeof(told));
    assert_int_equal(f->journal[0].at_ns, 10 * TEST_S);
    assert_int_equal(f->w.applied, ok); /* the world what is allowed */
    assert_int_equal(accepted, ok);
    assert_int_equal(c->reasons[BL_REASON_OVERLOAD], ok);
    assert_int_equal(refused, !ok);
    assert_int_equal(c->refused[want], !ok);
}

static void test_every_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = stage_new(&rows[i]);

        print_message("    row: %s\n", rows[i].what);
        expect_verdict(f, rows[i].want);
        fixture_free(f);
    }
}

static void test_a_reason_must_exist(void **state)
{
    struct fixture *f = stage_new(&(struct row){ "", PLACE(2, 1), IS(OK) });

    (void)state;
    told.reason = BL_REASON_COUNT;
    assert_int_equal(fixture_run(f)->refused[BL_VERDICT_NO_SUCH_ACTION], 1);
    assert_int_equal(f->w.applied, 0);
    fixture_free(f);
}

static void test_a_kind_must_be_declared(void **state)
{
    (void)state;
    for (int kind = 0; kind < BL_ACTION_COUNT; kind++) {
        struct fixture *f = stage_new(&(struct row){ .host = 2 });

        told.kind = (enum bl_action_kind)kind;
        f->policy.writes &= ~(1u << kind);
        expect_verdict(f, BL_VERDICT_NOT_ALLOWED);
        fixture_free(f);
    }
}

/* A VM named twice, where the world allows it: the world is asked. */
static void test_moving_twice(void **state)
{
    struct fixture *f = stage_new(&(struct row){
        "", MOVE(1, 0, 3), IS(OK), .can = REAL | BL_CAN_MOVE_TWICE });

    (void)state;
    f->w.verdict = BL_VERDICT_FULL;
    assert_int_equal(fixture_run(f)->refused[BL_VERDICT_FULL], 1);
    assert_int_equal(f->w.applied, 1);
    fixture_free(f);
}

/* VM 3 reserves 5 GHz; so does one more of its pool, which is placed. */
static void test_pools_have_a_say(void **state)
{
    (void)state;
    for (uint64_t over = 0; over <= 1; over++) {
        struct fixture *f = stage_new(&(struct row){ "", PLACE(3, 3), IS(OK) });
        struct bl_dc *dc = &f->w.t->dc;
        struct bl_pool_desc *p = &dc->pools.pool[0];

        dc->pools.count = 1;
        *p = (struct bl_pool_desc){
            .name = "pool",
            .cpu = { { { true, 1 }, 10000000 - over, BL_NO_LIMIT }, false },
            .mem = { { { true, 1 }, 0, BL_NO_LIMIT }, true },
        };
        dc->vm_group[3].pool = 1;
        test_table_arrive(f->w.t, 7);
        test_table_place(f->w.t, 7, 1);
        expect_verdict(f, over ? BL_VERDICT_NO_POOL : BL_VERDICT_OK);
        assert_false(bl_manager_counts(f->m)->replaced);
        fixture_free(f);
    }
}

/* What only the world knows. */
static void test_the_world_has_the_last_word(void **state)
{
    struct fixture *f = stage_new(&(struct row){ "", PLACE(2, 1), IS(OK) });

    (void)state;
    f->w.verdict = BL_VERDICT_HOST_BUSY;
    assert_int_equal(fixture_run(f)->refused[BL_VERDICT_HOST_BUSY], 1);
    assert_int_equal(f->w.applied, 1);
    assert_int_equal(f->journal[0].verdict, BL_VERDICT_HOST_BUSY);
    fixture_free(f);
}

static void test_later_is_a_yes(void **state)
{
    struct fixture *f = stage_new(&(struct row){ "", PLACE(2, 1), IS(OK) });

    (void)state;
    f->w.verdict = BL_VERDICT_LATER;
    assert_int_equal(fixture_run(f)->accepted[BL_ACTION_PLACE], 1);
    assert_int_equal(f->journal[0].verdict, BL_VERDICT_LATER);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_refusal),
        cmocka_unit_test(test_a_reason_must_exist),
        cmocka_unit_test(test_a_kind_must_be_declared),
        cmocka_unit_test(test_moving_twice),
        cmocka_unit_test(test_pools_have_a_say),
        cmocka_unit_test(test_the_world_has_the_last_word),
        cmocka_unit_test(test_later_is_a_yes),
    };

    return cmocka_run_group_tests_name("validate", tests, test_group_setup,
                                       NULL);
}
