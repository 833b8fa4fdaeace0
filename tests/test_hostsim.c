/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostsim - the host level: what guests do and what it costs, worked out
 * by hand; conservation of time and work at the end of every run, every
 * invariant after every event.
 */
#include "tests/test.h"

#include "tests/support_files.h"
#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

static struct bl_host_vm_group *add_cpu(struct test_host *t, const char *name,
                                        uint32_t vms)
{
    return test_host_group(t, name, vms, 1, BL_GUEST_CPU);
}

/* ---- a readable example ------------------------------------------------- */

/* Three computing VMs on one pCPU, in turn for 10 ms each. */
static void test_example(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_result *r;
    char name[BL_NAME_BYTES];

    (void)state;
    (void)add_cpu(t, "a", 1);
    (void)add_cpu(t, "b", 2);
    t->spec.duration_ns = 300 * TEST_MS;
    test_host_open(t);
    assert_int_equal(bl_host_sim_vms(t->sim), 3);
    assert_string_equal(bl_host_sim_vm_name(t->sim, 0), "a");
    assert_string_equal(bl_host_sim_vm_name(t->sim, 2), "b-1");
    bl_host_sim_vcpu_name(t->sim, 2, name, sizeof(name));
    assert_string_equal(name, "b-1/0");
    r = test_host_finish(t);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(r->vm[i].received_ns, 100 * TEST_MS);
        /* Of each window of 10 ms a third, to the ns. */
        assert_in_range(r->vm[i].entitled_ns, 100 * TEST_MS - 30,
                        100 * TEST_MS + 30);
        assert_int_equal(r->vm[i].state_ns[BL_VCPU_READY], 200 * TEST_MS);
        assert_int_equal(r->vm[i].work_ns, 100 * TEST_MS);
        assert_int_equal(r->vm[i].error[BL_WINDOW_10MS].window_count, 30);
        assert_int_equal(r->vm[i].error[BL_WINDOW_100MS].window_count, 3);
        assert_int_equal(r->vm[i].error[BL_WINDOW_1S].window_count, 0);
    }
    /* The unit that ends with the run may be counted or not. */
    assert_int_equal(r->vm[0].units, 100);
    assert_int_equal(r->pcpu[0].busy_ns, 300 * TEST_MS);
    assert_int_equal(r->pcpu[0].overhead_ns, 0);
    assert_string_equal(r->group[1].workload, "cpu");
    assert_int_equal(r->group[1].vm_first, 1);
    assert_int_equal(r->group[1].vm_count, 2);
    assert_false(r->partial);
    /* The first window is all one VM's: 10 ms less the third of it. */
    assert_int_equal(r->vm[0].error[BL_WINDOW_10MS].max_ns, 6666666);
    assert_int_equal(r->vm[0].error[BL_WINDOW_10MS].min_ns, -3333334);
    test_host_free(t);
}

/* ---- errors ------------------------------------------------------------- */

static void expect_error(struct test_host *t, bl_err e, const char *text)
{
    assert_int_equal(test_host_try(t), e);
    if (strstr(t->diag.text, text) == NULL)
        fail_msg("\"%s\" not in \"%s\"", text, t->diag.text);
    assert_null(t->sim);
    test_host_free(t);
}

static void test_errors(void **state)
{
    struct test_host *t;
    struct bl_host_vm_group *g;

    (void)state;
    t = test_host_new(1, 1);
    (void)add_cpu(t, "a", 1);
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "none-such");
    t->spec.policy_line = 7;
    expect_error(t, BL_ERR_NOENT, "host.yaml:7: no policy none-such");

    t = test_host_new(1, 1);
    (void)add_cpu(t, "a", 1);
    (void)snprintf(t->spec.mode, BL_NAME_BYTES, "none-such");
    expect_error(t, BL_ERR_NOENT, "no co-scheduling mode none-such");

    t = test_host_new(1, 1);
    (void)add_cpu(t, "a", 1);
    test_host_param(t, "quant", "1ms");
    expect_error(t, BL_ERR_NOENT, "quant");

    t = test_host_new(2, 1);
    add_cpu(t, "a", 3)->cpu.reservation = 900000;
    expect_error(t, BL_ERR_INVAL,
                 "VM a-2 is not admitted: the host has 160MHz left to reserve "
                 "(2GHz less 2 % overhead), 0.9GHz needed: 740MHz short");

    t = test_host_new(2, 1);
    g = test_host_group(t, "r", 1, 1, BL_GUEST_RTAPP);
    (void)snprintf(g->path, sizeof(g->path), "%s", test_path("none.json"));
    expect_error(t, BL_ERR_IO, "none.json");

    t = test_host_new(2, 1);
    g = test_host_group(t, "r", 1, 1, BL_GUEST_RTAPP);
    (void)snprintf(g->path, sizeof(g->path), "%s",
                   test_text("two.json",
                             "{\"tasks\":{\"a\":{\"run\":1},"
                             "\"b\":{\"run\":1}}}"));
    expect_error(t, BL_ERR_INVAL,
                 "2 tasks, expected at most 1: one on each vCPU of r");
}

/* ---- costs -------------------------------------------------------------- */

static void set_costs(struct test_host *t)
{
    t->spec.costs.dispatch_ns = 5000;
    t->spec.costs.switch_ns = 2000;
    t->spec.costs.cache_ns[BL_REACH_SAME] = 7000;
    t->spec.costs.exit_ns = 1000;
}

/* The first start: 5 + 7 + 1 us. Every later one: 2 + 7 + 1 us. */
static void test_switch_costs(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "a", 2);
    set_costs(t);
    t->spec.duration_ns = 40 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->pcpu[0].busy_ns, 40 * TEST_MS);
    assert_int_equal(r->pcpu[0].overhead_ns, 43000);
    assert_int_equal(r->vm[0].work_ns, 20 * TEST_MS - 13000 - 10000);
    assert_int_equal(r->vm[1].work_ns, 20 * TEST_MS - 20000);
    assert_int_equal(r->vm[0].received_ns, 20 * TEST_MS);
    test_host_free(t);
}

/* Alone: every wake pays 5 + 1 us, the caches are cold only once. */
static void test_wake_latency(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "i", 1, 1, BL_GUEST_INTERACTIVE);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = test_fixed(2 * TEST_MS);
    g->guest.rest = test_fixed(8 * TEST_MS - 6000);
    set_costs(t);
    t->spec.warmup_ns = 50 * TEST_MS;
    t->spec.duration_ns = 150 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].wake.count, 10);
    assert_int_equal(r->vm[0].wake.max_ns, 6000);
    assert_int_equal(r->vm[0].wake.sum_ns, 60000);
    assert_int_equal(r->vm[0].done.count, 10);
    assert_int_equal(r->vm[0].done.max_ns, 2 * TEST_MS + 6000);
    assert_int_equal(r->vm[0].work_ns, 20 * TEST_MS);
    assert_int_equal(r->pcpu[0].overhead_ns, 60000);
    assert_int_equal(r->duration_ns, 100 * TEST_MS);
    test_host_free(t);
}

static void test_emulator(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "a", 1);
    t->spec.costs.emulator_ppm = 100000;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].received_ns, 1000 * TEST_MS);
    assert_int_equal(r->vm[0].work_ns, 900 * TEST_MS);
    assert_int_equal(r->vm[0].units, 900);
    test_host_free(t);
}

/* ---- SMT ---------------------------------------------------------------- */

static void test_smt_both_busy(void **state)
{
    struct test_host *t = test_host_new(1, 2);
    struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "a", 2);
    t->spec.costs.smt_ppm = 1250000;
    test_host_open(t);
    r = test_host_finish(t);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(r->vm[i].work_ns, 625 * TEST_MS);
        assert_int_equal(r->vm[i].received_ns, 625 * TEST_MS);
        assert_int_equal(r->vm[i].entitled_ns, 625 * TEST_MS);
        assert_int_equal(r->pcpu[i].busy_ns, 1000 * TEST_MS);
    }
    test_host_free(t);
}

/* 5 ms of work take 8 ms beside a busy thread, which then has 2 ms alone. */
static void test_smt_in_turns(void **state)
{
    struct test_host *t = test_host_new(1, 2);
    struct bl_host_vm_group *g;
    struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "a", 1);
    g = test_host_group(t, "p", 1, 1, BL_GUEST_PERIODIC);
    g->guest.work = test_fixed(5 * TEST_MS);
    g->guest.rest = test_fixed(10 * TEST_MS);
    t->spec.costs.smt_ppm = 1250000;
    t->spec.warmup_ns = 10 * TEST_MS; /* the first period is empty */
    t->spec.duration_ns = 1010 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].work_ns, 700 * TEST_MS);
    assert_int_equal(r->vm[1].work_ns, 500 * TEST_MS);
    assert_int_equal(r->vm[1].done.max_ns, 8 * TEST_MS);
    assert_int_equal(r->vm[1].late_count, 0);
    test_host_free(t);
}

/* ---- barriers ----------------------------------------------------------- */

/* Two tasks meet ten times: one works 1 ms, the other 3 ms. */
static struct test_host *meet(int64_t spin_ns)
{
    static const char text[] =
        "{ \"tasks\" : {"
        "    \"a\" : { \"loop\" : 10, \"run\" : 1000, \"barrier\" : \"x\" },"
        "    \"b\" : { \"loop\" : 10, \"run\" : 3000, \"barrier\" : \"x\" }"
        "} }";
    struct test_host *t = test_host_new(2, 1);
    struct bl_host_vm_group *g = test_host_group(t, "m", 1, 3, BL_GUEST_RTAPP);

    (void)snprintf(g->path, sizeof(g->path), "%s",
                   test_text("meet.json", text));
    g->guest.spin_ns = spin_ns;
    t->spec.duration_ns = 40 * TEST_MS;
    return t;
}

/* It spins 0.5 ms, then halts until an IPI comes 2 us after the other's end;
 * which costs that one an exit of 10 us. */
static void test_barrier_halts(void **state)
{
    struct test_host *t = meet(500 * TEST_US);
    struct bl_host_result *r;

    (void)state;
    t->spec.costs.ipi_ns = 2000;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vcpu[0].spin_ns, 5 * TEST_MS);
    assert_int_equal(r->vcpu[0].account.state_ns[BL_VCPU_RUN], 15 * TEST_MS);
    assert_int_equal(r->vcpu[1].account.state_ns[BL_VCPU_RUN], 30 * TEST_MS);
    assert_int_equal(r->vcpu[1].spin_ns, 0);
    assert_int_equal(r->vcpu[2].account.state_ns[BL_VCPU_RUN], 0);
    assert_int_equal(r->vm[0].work_ns, 40 * TEST_MS);
    assert_int_equal(r->totals.wake_count, 2 + 10); /* starts and IPIs */
    assert_int_equal(r->vm[0].alive_ns, 30 * TEST_MS + 2000);
    test_host_free(t);
}

static void test_ipi_costs_an_exit(void **state)
{
    struct test_host *t = meet(0);
    struct bl_host_result *r;

    (void)state;
    t->spec.costs.ipi_ns = 2000;
    t->spec.costs.exit_ns = 10000;
    test_host_open(t);
    r = test_host_finish(t);
    /* Ten rounds of 3 ms; its start and the first nine IPIs cost 10 us each,
     * the last one is paid by nobody: it ends. */
    assert_int_equal(r->vcpu[1].account.state_ns[BL_VCPU_RUN],
                     30 * TEST_MS + 100000);
    assert_int_equal(r->vcpu[0].account.state_ns[BL_VCPU_RUN],
                     10 * TEST_MS + 110000);
    assert_int_equal(r->vm[0].spin_ns, 0);
    test_host_free(t);
}

static void test_barrier_spins(void **state)
{
    struct test_host *t = meet(BL_SPIN_FOREVER);
    struct bl_host_result *r;

    (void)state;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vcpu[0].spin_ns, 20 * TEST_MS);
    assert_int_equal(r->vcpu[0].account.state_ns[BL_VCPU_RUN], 30 * TEST_MS);
    assert_int_equal(r->vm[0].alive_ns, 30 * TEST_MS);
    assert_int_equal(r->totals.wake_count, 2);
    test_host_free(t);
}

/* 2 ms of waiting are 95 times 20 us of spinning and 1 us of an exit, and 5 us
 * more. */
static void test_pause_exits(void **state)
{
    struct test_host *t = meet(BL_SPIN_FOREVER);
    struct bl_host_result *r;

    (void)state;
    t->spec.costs.pause_ns = 20 * TEST_US;
    t->spec.costs.exit_ns = 1000;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vcpu[0].spin_ns, 19050 * TEST_US);
    assert_int_equal(r->pcpu[0].overhead_ns + r->pcpu[1].overhead_ns,
                     952 * TEST_US);
    test_host_free(t);
}

/* A spinner that has lost its pCPU does not see the barrier open. */
static void test_barrier_seen_when_running(void **state)
{
    struct test_host *t = meet(BL_SPIN_FOREVER);
    struct bl_host_result *r;

    (void)state;
    (void)add_cpu(t, "hog", 2);
    t->spec.duration_ns = 100 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    /* In turn for 10 ms each. While both run: three rounds and 2/3 of one. */
    assert_in_range(r->vm[0].state_ns[BL_VCPU_READY], (uint64_t)TEST_MS * 20,
                    (uint64_t)TEST_MS * 120);
    assert_int_equal(r->vm[0].work_ns, 40 * TEST_MS);
    assert_true(r->vm[0].spin_ns >= 20 * TEST_MS);
    test_host_free(t);
}

/* ---- locks -------------------------------------------------------------- */

static struct bl_host_result *contend(struct test_host **out, bool hogs,
                                      int64_t spin_ns)
{
    struct test_host *t = test_host_new(2, 1);
    struct bl_host_vm_group *g = test_host_group(t, "l", 1, 2, BL_GUEST_LOCK);

    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, 100 * TEST_US };
    g->guest.rest = test_fixed(20 * TEST_US);
    g->guest.spin_ns = spin_ns;
    if (hogs)
        (void)add_cpu(t, "hog", 1); /* two would take turns with it */
    test_host_open(t);
    *out = t;
    return test_host_finish(t);
}

/* Beside others a holder loses its pCPU now and then, and the waiter spins for
 * the rest of its quantum. */
static void test_lock_holder_preemption(void **state)
{
    struct test_host *alone, *crowded;
    const struct bl_host_result *a = contend(&alone, false, BL_SPIN_FOREVER);
    const struct bl_host_result *c = contend(&crowded, true, BL_SPIN_FOREVER);
    const double share_alone =
        (double)a->vm[0].spin_ns / (double)a->vm[0].received_ns;
    const double share_crowded =
        (double)c->vm[0].spin_ns / (double)c->vm[0].received_ns;

    (void)state;
    print_message("    spinning: %.1f %% alone, %.1f %% crowded\n",
                  100 * share_alone, 100 * share_crowded);
    assert_true(share_alone < 0.1);
    assert_true(share_crowded > 1.5 * share_alone);
    assert_true(a->vm[0].units > 10000);
    test_host_free(alone);
    test_host_free(crowded);
}

/* Halting instead of spinning: nothing is wasted, and nobody starves. */
static void test_lock_that_halts(void **state)
{
    struct test_host *t;
    const struct bl_host_result *r = contend(&t, true, 0);

    (void)state;
    assert_int_equal(r->vm[0].spin_ns, 0);
    assert_true(r->vcpu[0].units > 1000 && r->vcpu[1].units > 1000);
    assert_true(r->totals.block_count > 20);
    test_host_free(t);
}

/* Conditions: one waits for the other, which works 2 ms each time. */
static void test_suspend_and_resume(void **state)
{
    static const char text[] =
        "{ \"tasks\" : {"
        "    \"w\" : { \"loop\" : 5, \"suspend\" : \"c\", \"run\" : 1000 },"
        "    \"r\" : { \"loop\" : 5, \"run\" : 2000, \"resume\" : \"c\" }"
        "} }";
    struct test_host *t = test_host_new(2, 1);
    struct bl_host_vm_group *g = test_host_group(t, "c", 1, 2, BL_GUEST_RTAPP);
    struct bl_host_result *r;

    (void)state;
    (void)snprintf(g->path, sizeof(g->path), "%s",
                   test_text("resume.json", text));
    t->spec.duration_ns = 20 * TEST_MS;
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vcpu[0].account.state_ns[BL_VCPU_RUN], 5 * TEST_MS);
    assert_int_equal(r->vcpu[1].account.state_ns[BL_VCPU_RUN], 10 * TEST_MS);
    assert_int_equal(r->vm[0].alive_ns, 11 * TEST_MS);
    test_host_free(t);
}

/* ---- requests and periods ----------------------------------------------- */

static struct bl_host_result *serve(struct test_host **out, uint32_t vcpus,
                                    int64_t work_ns, uint32_t queue_max)
{
    struct test_host *t = test_host_new(2, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "s", 1, vcpus, BL_GUEST_SERVER);

    g->guest.work = test_fixed(work_ns);
    g->guest.rest = test_fixed(10 * TEST_MS);
    g->guest.queue_max = queue_max;
    test_host_open(t);
    *out = t;
    return test_host_finish(t);
}

static void test_requests(void **state)
{
    struct test_host *t;
    const struct bl_host_result *r = serve(&t, 1, 4 * TEST_MS, 8);

    (void)state;
    assert_int_equal(r->vm[0].units, 99); /* one comes as the run ends */
    assert_int_equal(r->vm[0].done.max_ns, 4 * TEST_MS);
    assert_int_equal(r->vm[0].late_count, 0);
    test_host_free(t);

    /* 15 ms of work every 10 ms: two vCPUs can do it, one cannot. */
    r = serve(&t, 2, 15 * TEST_MS, 8);
    assert_int_equal(r->vm[0].done.max_ns, 15 * TEST_MS);
    assert_int_equal(r->vm[0].late_count, 0);
    test_host_free(t);

    r = serve(&t, 1, 15 * TEST_MS, 2);
    assert_int_equal(r->vm[0].units, 66); /* all the time from 10 ms on */
    /* Arrived: 100; served or in service: 67; waiting: 1, for the last one came
     * just before the place of another was free. */
    assert_int_equal(r->vm[0].late_count, 100 - 67 - 1);
    /* When there is room for one, it waits for two others at the most. */
    assert_in_range(r->vm[0].done.max_ns, (uint64_t)TEST_MS * 35,
                    (uint64_t)TEST_MS * 45);
    test_host_free(t);
}

static void test_deadlines(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_vm_group *g =
        test_host_group(t, "p", 1, 1, BL_GUEST_PERIODIC);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = test_fixed(15 * TEST_MS);
    g->guest.rest = test_fixed(10 * TEST_MS);
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].units, 66); /* it never catches up */
    assert_int_equal(r->vm[0].late_count, 66);
    assert_int_equal(r->vm[0].done.max_ns, 340 * TEST_MS);
    test_host_free(t);
}

/* 4 ms ticks of 5 us; all vCPUs begin somewhere else in the period. */
static void test_idle_ticks(void **state)
{
    struct test_host *t = test_host_new(1, 1);
    struct bl_host_vm_group *g = test_host_group(t, "i", 1, 4, BL_GUEST_IDLE);
    struct bl_host_result *r;

    (void)state;
    g->guest.work = test_fixed(5 * TEST_US);
    g->guest.rest = test_fixed(4 * TEST_MS);
    test_host_open(t);
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].work_ns, 5 * TEST_MS);
    assert_int_equal(r->vm[0].late_count, 0);
    test_host_free(t);
}

/* ---- jobs --------------------------------------------------------------- */

/* Two jobs of a log: 3 wide for 20 ms at 0, 1 wide for 5 ms at 10 ms. */
static void test_jobs(void **state)
{
    static const char text[] =
        "; MaxProcs: 4\n"
        "1 100 0 20 3 -1 -1 3 -1 -1 1 1 1 1 1 -1 -1 -1\n"
        "2 110 0 5 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n";
    struct test_host *t = test_host_new(4, 1);
    struct bl_host_result *r;

    (void)state;
    (void)snprintf(t->spec.jobs.path, sizeof(t->spec.jobs.path), "%s",
                   test_text("log.swf", text));
    t->spec.jobs.count_max = 10;
    t->spec.jobs.width_max = 4;
    t->spec.jobs.time_ppm = 1000; /* a second becomes a ms */
    t->spec.jobs.cpu =
        (struct bl_settings){ .shares = { true, 1000 }, .limit = BL_NO_LIMIT };
    t->spec.jobs.guest.kind = BL_GUEST_BARRIER;
    t->spec.jobs.guest.work = test_fixed(2 * TEST_MS);
    t->spec.duration_ns = 50 * TEST_MS;
    test_host_open(t);
    assert_int_equal(bl_host_sim_vcpus(t->sim), 4);
    assert_string_equal(bl_host_sim_vm_name(t->sim, 1), "job-1");
    r = test_host_finish(t);
    assert_int_equal(r->vm[0].work_ns, 60 * TEST_MS);
    assert_int_equal(r->vm[0].alive_ns, 20 * TEST_MS);
    assert_int_equal(r->vm[0].units, 3 * 10);
    assert_in_range(r->vm[1].work_ns, (uint64_t)TEST_MS * 5 - 3,
                    (uint64_t)TEST_MS * 5);
    assert_int_equal(r->group[0].vm_count, 2);
    assert_string_equal(r->group[0].name, "job");
    test_host_free(t);
}

/* ---- determinism -------------------------------------------------------- */

static void crowd(struct test_host *t)
{
    struct bl_host_vm_group *g;

    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fair");
    set_costs(t);
    t->spec.costs.ipi_ns = 2000;
    t->spec.costs.pause_ns = 20 * TEST_US;
    t->spec.costs.smt_ppm = 1250000;
    (void)add_cpu(t, "cpu", 3);
    g = test_host_group(t, "i", 4, 1, BL_GUEST_INTERACTIVE);
    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, TEST_MS };
    g->guest.rest = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, 3 * TEST_MS };
    g = test_host_group(t, "b", 2, 4, BL_GUEST_BARRIER);
    g->guest.work = (struct bl_dist){ BL_DIST_UNIFORM, 200000, TEST_MS };
    g->guest.spin_ns = 50 * TEST_US;
    g = test_host_group(t, "l", 1, 2, BL_GUEST_LOCK);
    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, 50 * TEST_US };
    g->guest.rest = test_fixed(10 * TEST_US);
    g->guest.spin_ns = BL_SPIN_FOREVER;
    g = test_host_group(t, "s", 1, 2, BL_GUEST_SERVER);
    g->guest.work = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, TEST_MS };
    g->guest.rest = (struct bl_dist){ BL_DIST_EXPONENTIAL, 0, TEST_MS };
    g->guest.queue_max = 16;
    t->spec.duration_ns = 200 * TEST_MS;
}

static uint64_t hash_of(uint64_t seed, int64_t step_ns)
{
    struct test_host *t = test_host_new(2, 2);
    uint64_t hash;

    crowd(t);
    t->opts.seed = seed;
    test_host_open(t);
    for (int64_t at = step_ns; at < t->spec.duration_ns; at += step_ns)
        test_host_go(t, at);
    hash = test_host_finish(t)->state_hash;
    test_host_free(t);
    return hash;
}

static void test_determinism(void **state)
{
    const uint64_t hash = hash_of(1, 200 * TEST_MS);

    (void)state;
    assert_int_equal(hash_of(1, 200 * TEST_MS), hash);
    assert_int_equal(hash_of(1, 777777), hash); /* in pieces */
    assert_int_not_equal(hash_of(2, 200 * TEST_MS), hash);
}

/* Stopped early: partial, and everything still adds up. */
static void test_stopped(void **state)
{
    struct test_host *t = test_host_new(2, 2);
    volatile sig_atomic_t stop = 1;

    (void)state;
    crowd(t);
    t->spec.warmup_ns = 20 * TEST_MS;
    test_host_open(t);
    assert_int_equal(bl_host_sim_run(t->sim, 5 * TEST_MS, &stop), 0);
    test_host_go(t, 33 * TEST_MS);
    bl_host_sim_finish(t->sim, t->r);
    assert_true(t->r->partial);
    assert_int_equal(t->r->duration_ns, 13 * TEST_MS);
    test_host_conserved(t->r);
    test_host_free(t);

    t = test_host_new(2, 2); /* before anything counts */
    crowd(t);
    t->spec.warmup_ns = 20 * TEST_MS;
    test_host_open(t);
    test_host_go(t, 10 * TEST_MS);
    bl_host_sim_finish(t->sim, t->r);
    assert_int_equal(t->r->duration_ns, 0);
    assert_int_equal(t->r->vm[0].received_ns, 0);
    test_host_conserved(t->r);
    test_host_free(t);
}

/* ---- no memory ---------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        struct test_host *t = test_host_new(2, 2);
        bl_err e;

        crowd(t);
        assert_ok(bl_arena_init(&t->arena, (size_t)1 << 30));
        t->arena.fail_after = n;
        e = test_host_try(t);
        if (e == BL_ERR_OK) {
            assert_true(n > 20);
            test_host_free(t);
            return;
        }
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_string_not_equal(t->diag.text, "");
        assert_null(t->sim);
        test_host_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_switch_costs),
        cmocka_unit_test(test_wake_latency),
        cmocka_unit_test(test_emulator),
        cmocka_unit_test(test_smt_both_busy),
        cmocka_unit_test(test_smt_in_turns),
        cmocka_unit_test(test_barrier_halts),
        cmocka_unit_test(test_ipi_costs_an_exit),
        cmocka_unit_test(test_barrier_spins),
        cmocka_unit_test(test_pause_exits),
        cmocka_unit_test(test_barrier_seen_when_running),
        cmocka_unit_test(test_lock_holder_preemption),
        cmocka_unit_test(test_lock_that_halts),
        cmocka_unit_test(test_suspend_and_resume),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_idle_ticks),
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
