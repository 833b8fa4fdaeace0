/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tasks_switches - captures as programs. The real ones are not part of the
 * project; ../shared/traces is looked for.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "tests/support_files.h"
#include "tests/support_tasks.h"
#include "tests/tasks_walk.h"
#include "trace/trace_priv.h"

#include <stdio.h>
#include <unistd.h>

#define DATA "../shared/traces/sched-traces/"
#define ARENA_BYTES ((size_t)256 << 20)
#define HEAD                                                                   \
    "t_ns,cpu,event,prev_comm,prev_tid,prev_prio,prev_state,next_comm,"        \
    "next_tid,next_prio\n"

static const struct bl_switches_opts all = { BL_TASKS_MAX };

static bl_err read_file(const char *path, const struct bl_switches_opts *opts,
                        struct bl_arena *a, struct bl_task_set *s,
                        struct bl_diag *diag)
{
    assert_ok(bl_arena_init(a, ARENA_BYTES));
    diag->text[0] = '\0';
    return bl_tasks_read_switches(path, opts, a, s, diag);
}

static struct bl_task_set read_good(const char *path,
                                    const struct bl_switches_opts *opts,
                                    struct bl_arena *a)
{
    struct bl_task_set s;
    struct bl_diag diag;

    if (read_file(path, opts, a, &s, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    tasks_check(&s);
    return s;
}

/* "r10 1 s5 e": times in ns. */
static const char *shown(const struct bl_task *t)
{
    static char text[1000];
    size_t n = 0;

    for (uint32_t i = 0; i < t->program.count; i++) {
        const struct bl_op *op = &t->program.op[i];
        const char *sep = i > 0 ? " " : "";

        if (op->kind == BL_OP_RUN || op->kind == BL_OP_SLEEP)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c%lld", sep,
                                  op->kind == BL_OP_RUN ? 'r' : 's',
                                  (long long)op->time.mean_ns);
        else
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c", sep,
                                  op->kind == BL_OP_UNIT ? '1' : 'e');
        assert_true(n < sizeof(text));
    }
    return text;
}

/* --- the example -------------------------------------------------------- */

/* Task 7 runs from the start, is preempted, goes on, sleeps and is woken
 * before a CPU takes it; task 9 comes later and runs to the end; task 8 is
 * woken, and never runs. */
static const char example[] = HEAD
    "1000,0,switch,seven,7,20,0,swapper/0,0,20\n"
    "1100,1,switch,swapper/1,0,20,0,seven,7,20\n"
    "1150,1,waking,,,,,seven,7,20\n" /* awake already: nothing */
    "1300,1,switch,seven,7,20,1,swapper/1,0,20\n"
    "1350,0,migrate,,,,,seven,7,20\n" /* not ours */
    "1400,0,waking,,,,,seven,7,20\n"
    "1410,0,wakeup,,,,,seven,7,20\n"
    "1450,0,switch,swapper/0,0,20,0,seven,7,20\n"
    "1460,1,switch,swapper/1,0,20,0,nine,9,20\n"
    "1500,0,switch,seven,7,20,2048,nine,10,20\n"
    "1600,0,wakeup,,,,,eight,8,20\n"
    "1700,0,switch,nine,10,20,64,seven,7,20\n"
    "1730,0,switch,seven,7,20,2,swapper/0,0,20\n"
    "1960,1,wakeup,,,,,eight,8,20\n";

static void test_example(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s =
        read_good(test_text("a.csv", example), &all, &a);

    (void)state;
    assert_string_equal(s.format, "lttng-csv");
    assert_int_equal(s.task_count, 3);
    assert_int_equal(s.cpu_count, 2);
    assert_int_equal(s.switch_count, 8);
    assert_int_equal(s.wake_count, 5);
    assert_int_equal(s.skipped_count, 1);
    assert_int_equal(s.span_ns, 960);
    assert_string_equal(s.task[0].name, "nine-9");
    assert_string_equal(shown(&s.task[0]), "s460 r500 1 e");
    assert_string_equal(s.task[1].name, "seven-7");
    /* it ran 0 ns before; 200 until it slept, 100 asleep, 50 until preempted,
     * then 30 more */
    assert_string_equal(shown(&s.task[1]), "r200 1 s100 r80 1 e");
    assert_string_equal(s.task[2].name, "nine-10");
    assert_string_equal(shown(&s.task[2]), "s500 r200 1 e");
    assert_int_equal(s.task[1].work_ns, 280);
    assert_int_equal(s.work_ns, 980);
    bl_arena_free(&a);
}

static const char report[] =
    "cpus=2\n"
    "      a b-7     [000]  1.000001: sched_switch:  a b:7 [120] R ==> "
    "swapper/0:0 [120]\n"
    "     <idle>-0   [001]  1.000003: sched_switch:  swapper/1:0 [120] R ==> "
    "a b:7 [120]\n"
    "      a b-7     [001]  1.000004: bprint:        some: text [0]\n"
    " goes on\n"
    "      a b-7     [001] d..3 1.000008: sched_switch:  a b:7 [120] S ==> "
    "kworker/4:1H:154 [100]\n"
    "kworker/4:1H-154 [001] 1.000009: sched_switch:  kworker/4:1H:154 [100] D "
    "==> swapper/1:0 [120]\n"
    "     <idle>-0   [000]  1.000010: sched_waking:  a b:7 [120] CPU:001\n"
    "     <idle>-0   [000]  1.000012: sched_switch:  swapper/0:0 [120] R ==> "
    "a b:7 [-1]\n"
    "      a b-7     [000]  1.000020: sched_switch:  a b:7 [120] R+ ==> "
    "c:8 [120]\n";

static void test_report(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s =
        read_good(test_text("r.txt", report), &all, &a);

    (void)state;
    assert_string_equal(s.format, "trace-cmd");
    assert_int_equal(s.cpu_count, 2);
    assert_int_equal(s.switch_count, 6);
    assert_int_equal(s.wake_count, 1);
    assert_int_equal(s.skipped_count, 2);
    assert_int_equal(s.span_ns, 19000);
    assert_int_equal(s.task_count, 2);
    assert_string_equal(s.task[0].name, "a b-7");
    assert_string_equal(shown(&s.task[0]), "r5000 1 s2000 r8000 1 e");
    assert_string_equal(s.task[1].name, "kworker/4:1H-154");
    assert_string_equal(shown(&s.task[1]), "s7000 r1000 1 e");
    bl_arena_free(&a);
}

/* The same capture by field, with the version first: as text of the format and
 * as -R, which writes the state as a number. */
static const char by_field[] =
    "version = 6\n"
    "cpus=2\n"
    "      a b-7     [000]  1.000001: sched_switch:  prev_comm=a b prev_pid=7 "
    "prev_prio=120 prev_state=R ==> next_comm=swapper/0 next_pid=0 "
    "next_prio=120\n"
    "     <idle>-0   [001]  1.000003: sched_switch:  prev_comm=swapper/1 "
    "prev_pid=0 prev_prio=120 prev_state=0 next_comm=a b next_pid=7 "
    "next_prio=120\n"
    "      a b-7     [001]  1.000008: sched_switch:  prev_comm=a b prev_pid=7 "
    "prev_prio=120 prev_state=0x1 next_comm=c next_pid=8 next_prio=100\n"
    "        c-8     [001]  1.000009: sched_switch:  prev_comm=c prev_pid=8 "
    "prev_prio=100 prev_state=2 next_comm=swapper/1 next_pid=0 "
    "next_prio=120\n"
    "     <idle>-0   [000]  1.000010: sched_waking:  comm=a b pid=7 prio=120 "
    "target_cpu=001\n"
    "     <idle>-0   [000]  1.000012: sched_switch:  prev_comm=swapper/0 "
    "prev_pid=0 prev_prio=120 prev_state=R+ ==> next_comm=a b next_pid=7 "
    "next_prio=120\n"
    "      a b-7     [000]  1.000020: sched_switch:  prev_comm=a b prev_pid=7 "
    "prev_prio=120 prev_state=0x100 next_comm=d next_pid=9 next_prio=120\n";

static void test_by_field(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s =
        read_good(test_text("f.txt", by_field), &all, &a);

    (void)state;
    assert_string_equal(s.format, "trace-cmd");
    assert_int_equal(s.switch_count, 6);
    assert_int_equal(s.wake_count, 1);
    assert_int_equal(s.skipped_count, 0);
    assert_int_equal(s.task_count, 2);
    assert_string_equal(s.task[0].name, "a b-7");
    assert_string_equal(shown(&s.task[0]), "r5000 1 s2000 r8000 1 e");
    assert_string_equal(s.task[1].name, "c-8");
    assert_string_equal(shown(&s.task[1]), "s7000 r1000 1 e");
    bl_arena_free(&a);
}

/* Wherever an event is cut behind its CPU: no work is made of it. */
static void test_last_line_cut(void **state)
{
    static const char before[] =
        "cpus=1\n a-1 [000] 1.0: sched_switch: a:1 [9] R ==> b:2 [9]\n";
    static const char last[] =
        " b-2 [000] d..3 1.5: sched_switch: b:2 [9] S ==> a:1 [9]";
    const size_t front = strlen(" b-2 [000]");

    (void)state;
    for (size_t n = front; n < sizeof(last) - 1; n++) {
        char text[200];
        struct bl_arena a;
        struct bl_task_set s;
        struct bl_diag diag;

        snprintf(text, sizeof(text), "%s%.*s", before, (int)n, last);
        assert_int_equal(
            read_file(test_text("cut.txt", text), &all, &a, &s, &diag),
            BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "cut.txt:3: "));
        assert_non_null(strstr(diag.text, "expected "));
        bl_arena_free(&a);
    }
}

static void test_most_work_first(void **state)
{
    const struct bl_switches_opts two = { 2 };
    struct bl_arena a;
    const struct bl_task_set s = read_good(
        test_text("o.csv", HEAD "0,0,switch,swapper/0,0,20,0,a,5,20\n"
                                "10,0,switch,a,5,20,1,b,4,20\n"
                                "20,0,switch,b,4,20,1,c,3,20\n"
                                "50,0,switch,c,3,20,1,d,2,20\n"
                                "50,0,switch,d,2,20,1,e,6,20\n"
                                "51,0,switch,e,6,20,1,swapper/0,0,20\n"),
        &two, &a);

    (void)state;
    assert_int_equal(s.task_count, 2);
    assert_string_equal(s.task[0].name, "c-3");
    assert_string_equal(s.task[1].name, "b-4"); /* as much as a, lower pid */
    assert_int_equal(s.left_out_count, 2);      /* a and e; d never ran */
    assert_int_equal(s.left_out_work_ns, 11);
    assert_int_equal(s.work_ns, 40);
    bl_arena_free(&a);
}

/* Woken while it ran, by a CPU that the capture has not seen yet. */
static void test_running_when_it_began(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s =
        read_good(test_text("f.csv", HEAD "100,1,waking,,,,,a,5,20\n"
                                          "105,1,waking,,,,,b,6,20\n"
                                          "150,0,switch,a,5,20,0,b,6,20\n"),
                  &all, &a);

    (void)state;
    assert_int_equal(s.task_count, 1); /* b has just begun */
    assert_string_equal(shown(&s.task[0]), "r50 1 e");
    bl_arena_free(&a);
}

/* --- what is refused ----------------------------------------------------- */

static const struct {
    unsigned line;
    const char *text, *why;
} refused[] = {
    { 1, "a,b\n", "first line 'a,b'" },
    { 1, "\n", "first line ''" },
    { 0, HEAD, "no task ran" },
    { 0, HEAD "1,0,waking,,,,,a,5,20\n", "no task ran" },
    { 2, HEAD "1,0,switch,a,5,20,0,b,6\n", "expected 10 fields" },
    { 2, HEAD "1,0,switch,a,5,20,0,b,6,20,\n", "expected 10 fields" },
    { 2, HEAD "\n", "expected 10 fields" },
    { 2, HEAD "x,0,switch,a,5,20,0,b,6,20\n", "time 'x'" },
    { 2, HEAD "9223372036854775808,0,x,,,,,,,\n", "time '92" },
    { 2, HEAD "1,4096,switch,a,5,20,0,b,6,20\n", "cpu '4096'" },
    { 2, HEAD "1,0,switch,a,x,20,0,b,6,20\n", "task 'x', expected a pid" },
    { 2, HEAD "1,0,switch,a,5,20,0,b,2147483648,20\n", "expected a pid" },
    { 2, HEAD "1,0,switch,,5,20,0,b,6,20\n", "task name ''" },
    { 2, HEAD "1,0,waking,,,,,\x01,6,20\n", "task name" },
    { 2, HEAD "1,0,switch,a,5,20,S,b,6,20\n", "state 'S'" },
    { 3, HEAD "2,0,x,,,,,,,\n1,0,x,,,,,,,\n", "time '1', expected one not" },
    { 3, HEAD "2,0,x,,,,,,,\n1000000000000003,0,x,,,,,,,\n",
      "at most 11 days" },
    { 3, HEAD "1,0,switch,a,5,20,0,b,6,20\n2,0,switch,a,5,20,0,b,6,20\n",
      "task 5 on CPU 0 did not run there; expected every switch" },
    { 3, HEAD "1,0,switch,a,5,20,0,swapper,0,20\n2,0,switch,a,5,20,0,b,6,20\n",
      "task 5 on CPU 0 did not run there" },
    { 3, HEAD "1,0,switch,a,5,20,0,b,6,20\n2,0,switch,swapper,0,20,0,b,6,20\n",
      "task 0 on CPU 0 did not run there" },
    { 3, HEAD "1,0,switch,a,5,20,0,b,6,20\n2,1,switch,a,5,20,0,c,7,20\n",
      "task 5 on CPU 1 did not run;" },
    { 3, HEAD "1,0,switch,a,5,20,0,b,6,20\n2,1,switch,c,7,20,0,b,6,20\n",
      "task 6 on CPU 1 runs on another CPU already" },
    { 1, "cpus=0\n", "cpus= '0'" },
    { 1, "cpus=5000\n", "cpus= '5000'" },
    { 1, "cpus=x\n", "cpus= 'x'" },
    { 0, "cpus=6\n", "no task ran" },
    { 2, "cpus=6\n a-1 [006] 1.0: x: y\n", "a CPU of those of cpus=" },
    { 2, "cpus=6\n a-1 [000 1.0: sched_switch: x\n", "expected COMM-PID" },
    { 2, "cpus=6\n a-x [000] 1.0: sched_switch: x\n", "expected COMM-PID" },
    { 2, "cpus=6\n a-1 [000] x: sched_switch: x\n", "expected COMM-PID" },
    { 2, "cpus=6\n a-1 [000] 1.0 sched_switch: x\n", "expected COMM-PID" },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_switch: a:1 [1] R\n", "==> ..." },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_switch: a:1 R ==> b:2 [1]\n",
      "COMM:PID [PRIO]" },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_switch: a1 [1] R ==> b:2 [1]\n",
      "'a1', expected COMM:PID" },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_switch: a:1 [1] ==> b:2 [1]\n",
      "state ''" },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_switch: a:1 [1] R ==> b:2 [1] R\n",
      "text behind a switch 'R'" },
    { 2, "cpus=6\n a-9 [000] 1.0: sched_switch: a:1 [1] R ==> b:2 [1]\n",
      "the task that the line begins with" },
    { 3, "cpus=6\n a-1 [000] 1.0: x: y\n a-1 [000] 0.9: x: y\n", "time '0.9'" },
    { 2, "cpus=6\n a-1 [000] 1.0: sched_wakeup: b\n", "COMM:PID [PRIO]" },
    /* events that were lost */
    { 2, "cpus=6\nCPU:0 [EVENTS DROPPED]\n", "but events were lost" },
    { 2, "cpus=6\nCPU:0 [123 EVENTS DROPPED]\n", "but events were lost" },
    { 3, "cpus=6\n a-1 [000] 1.0: x: y\n[LOST 7 EVENTS]\n",
      "'[LOST 7 EVENTS]', expected every switch" },
    { 2, "cpus=6\nCPU:1 [LOST EVENTS]\n", "but events were lost" },
    /* cut off */
    { 2, "cpus=6\n a-1 [000] 1.5: sched_swi", "SECONDS: EVENT: ..." },
    { 2, "cpus=6\n a-1 [000] 1.5: sched_switch\n", "SECONDS: EVENT: ..." },
    { 2, "cpus=6\n a-1 [000] 1.5:", "SECONDS: EVENT: ..." },
    { 2, "cpus=6\n a-1 [000] 1.", "SECONDS: EVENT: ..." },
    { 2, "cpus=6\n a-1 [000]", "SECONDS: EVENT: ..." },
    /* by field, and its version */
    { 1, "version = 6", "cpus=N" },
    { 2, "version = 6\nversion = 6\ncpus=1\n", "first line 'version = 6'" },
    { 2, "cpus=1\n a-1 [000] 1.0: sched_waking: comm=b pid=2\n",
      "expected comm=COMM pid=PID prio=PRIO" },
    { 2, "cpus=1\n a-1 [000] 1.0: sched_waking: comm=b pid=x prio=1\n",
      "task 'x', expected a pid" },
    { 2, "cpus=1\n a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1\n",
      "expected prev_comm=COMM" },
    { 2,
      "cpus=1\n a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1 "
      "prev_state=r next_comm=b next_pid=2 next_prio=1\n",
      "state 'r'" },
    { 2,
      "cpus=1\n a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1 "
      "prev_state=0xg next_comm=b next_pid=2 next_prio=1\n",
      "state '0xg'" },
    { 2,
      "cpus=1\n a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1 "
      "prev_state=S ==> next_comm=b next_pid=2\n",
      "expected next_comm=COMM next_pid=PID next_prio=" },
    { 2,
      "cpus=1\n a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=3 "
      "prev_state=S ==> next_comm=b next_pid=2 next_prio=1\n",
      "the task that the line begins with" },
};

static bl_err read_all(const char *path, struct bl_arena *a,
                       struct bl_task_set *s, struct bl_diag *diag)
{
    return read_file(path, &all, a, s, diag);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        support_refused(read_all, refused[i].text, refused[i].line,
                        refused[i].why);
}

static void read_with(uint32_t task_count_max)
{
    const struct bl_switches_opts opts = { task_count_max };
    struct bl_arena a = { 0 };
    struct bl_task_set s;
    struct bl_diag diag;

    assert_int_equal(bl_tasks_read_switches("none", &opts, &a, &s, &diag),
                     BL_ERR_INVAL); /* not reached */
}

static void test_what_cannot_be_read(void **state)
{
    struct bl_arena a;
    struct bl_task_set s;
    struct bl_diag diag;

    (void)state;
    assert_int_equal(read_file(test_path("none"), &all, &a, &s, &diag),
                     BL_ERR_IO);
    bl_arena_free(&a);
    assert_int_equal(read_file(test_folder(), &all, &a, &s, &diag),
                     BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "is a folder or an archive"));
    bl_arena_free(&a);
    assert_int_equal(read_file(test_text("none", ""), &all, &a, &s, &diag),
                     BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "is empty, expected a capture (LTTng"));
    bl_arena_free(&a);
    expect_assert_failure(read_with(0));
    expect_assert_failure(read_with(BL_TASKS_MAX + 1));
}

/* --- an oracle: CPU time is conserved ------------------------------------ */

enum { CPUS = 4, PIDS = 12, EVENTS = 3000 };

/* A capture by a scheduler without any sense; *busy_ns: CPU time of tasks, from
 * what the CPUs did. */
static size_t random_capture(uint64_t seed, char *text, uint64_t *busy_ns)
{
    struct bl_prng p = bl_prng_stream(seed, 0);
    uint32_t on[CPUS] = { 1, 2, 0, 3 }; /* pids; 1 to 3 ran before */
    bool asleep[PIDS + 1] = { false };
    uint64_t now = 0;
    size_t n = (size_t)snprintf(text, 200, "%s", HEAD);

    *busy_ns = 0;
    for (int i = 0; i < EVENTS; i++) {
        const uint32_t cpu = (uint32_t)bl_prng_below(&p, CPUS);
        const uint32_t pid = (uint32_t)bl_prng_below(&p, PIDS + 1);
        const uint64_t dt = bl_prng_below(&p, 50);
        const bool sleeps = bl_prng_below(&p, 2) != 0;
        bool runs = false;

        for (int c = 0; c < CPUS; c++) {
            *busy_ns += i > 0 && on[c] != 0 ? dt : 0;
            runs = runs || (pid != 0 && on[c] == pid);
        }
        now += dt;
        if (runs || on[cpu] == pid || asleep[pid]) {
            n += (size_t)snprintf(text + n, 100, "%llu,%u,waking,,,,,p,%u,0\n",
                                  (unsigned long long)now, cpu, pid);
            asleep[pid] = false;
            continue;
        }
        n += (size_t)snprintf(
            text + n, 100, "%llu,%u,switch,p,%u,0,%d,p,%u,0\n",
            (unsigned long long)now, cpu, on[cpu], sleeps ? 1 : 256, pid);
        asleep[on[cpu]] = sleeps && on[cpu] != 0;
        on[cpu] = pid;
    }
    return n;
}

static void test_cpu_time_is_conserved(void **state)
{
    const uint64_t seed = test_seed();
    char *text = malloc((size_t)100 * (EVENTS + 2));

    (void)state;
    assert_non_null(text);
    for (uint64_t k = 0; k < 50; k++) {
        uint64_t busy_ns, run_ns = 0;
        const size_t n = random_capture(seed + k, text, &busy_ns);
        struct bl_arena a;
        const struct bl_task_set s =
            read_good(test_file("rand.csv", text, n), &all, &a);

        for (uint32_t i = 0; i < s.task_count; i++) {
            const struct tasks_walk w = tasks_walk_one(&s, &s.task[i], 1000000);

            assert_true(w.ended);
            assert_int_equal(w.run_ns, s.task[i].work_ns);
            assert_true(w.run_ns + w.sleep_ns <= (uint64_t)s.span_ns);
            run_ns += w.run_ns;
        }
        assert_int_equal(run_ns, busy_ns);
        bl_arena_free(&a);
    }
    free(text);
}

/* --- damage and memory --------------------------------------------------- */

static void test_truncated(void **state)
{
    (void)state;
    for (size_t n = 1; n < sizeof(report) - 1; n++) {
        struct bl_arena a;
        struct bl_task_set s;
        struct bl_diag diag;

        if (read_file(test_file("cut", report, n), &all, &a, &s, &diag) ==
            BL_ERR_OK)
            tasks_check(&s); /* as many lines as there are */
        else
            assert_non_null(strstr(diag.text, "cut"));
        bl_arena_free(&a);
    }
}

static void test_out_of_memory(void **state)
{
    const char *path = test_text("m.csv", example);
    struct bl_arena a;
    struct bl_task_set s;
    struct bl_diag diag;
    bl_err e = BL_ERR_NOMEM;
    long n;

    (void)state;
    for (n = 0; e == BL_ERR_NOMEM; n++) {
        bl__trace_fail_after = n;
        e = read_file(path, &all, &a, &s, &diag);
        bl__trace_fail_after = -1;
        assert_true(e == BL_ERR_OK || a.used_bytes == 0);
        assert_true(e == BL_ERR_OK || strstr(diag.text, "memory") != NULL);
        bl_arena_free(&a);
    }
    assert_ok(e);
    assert_true(n > 8);
    assert_ok(bl_arena_init(&a, ARENA_BYTES));
    a.fail_after = 0;
    assert_int_equal(bl_tasks_read_switches(path, &all, &a, &s, &diag),
                     BL_ERR_NOMEM);
    a.fail_after = 1; /* one piece is all it takes */
    assert_ok(bl_tasks_read_switches(path, &all, &a, &s, &diag));
    bl_arena_free(&a);
}

/* --- the real captures --------------------------------------------------- */

static void need(const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    print_message("SKIP: no %s\n", path);
    skip();
}

/* Work by task was added up by a separate program that follows CPUs, not
 * tasks; the rest is what the collection's README says. */
static void test_real_lttng(void **state)
{
    const char *path = DATA "lttng_many-threads_sched.csv.zst";
    const struct bl_switches_opts five = { 5 };
    struct bl_arena a;
    struct bl_task_set s;

    (void)state;
    need(path);
    s = read_good(path, &all, &a);
    assert_int_equal(s.switch_count, 28325);
    assert_int_equal(s.wake_count, 2 * 6743);
    assert_int_equal(s.cpu_count, 8);
    assert_int_equal(s.span_ns, 432614679);
    assert_int_equal(s.task_count, 8058);
    assert_int_equal(s.work_ns, 1874362401);
    assert_int_equal(8 * s.span_ns - s.work_ns, 1586555031); /* idle */
    assert_string_equal(s.task[0].name, "multithread-2673");
    assert_int_equal(s.task[0].work_ns, 128483092);
    assert_string_equal(s.task[1].name, "vlc-1382");
    assert_int_equal(s.task[1].work_ns, 6903202);
    bl_arena_free(&a);
    s = read_good(path, &five, &a);
    assert_int_equal(s.task_count, 5);
    assert_int_equal(s.left_out_count, 8053);
    assert_int_equal(s.work_ns, 148263501);
    assert_int_equal(s.work_ns + s.left_out_work_ns, 1874362401);
    bl_arena_free(&a);
}

static void test_real_report(void **state)
{
    const char *path = DATA "trappy_ftrace_sched_switch_6cpu.txt";
    struct bl_arena a;
    struct bl_task_set s;

    (void)state;
    need(path);
    s = read_good(path, &all, &a);
    assert_int_equal(s.switch_count, 755);
    assert_int_equal(s.wake_count, 0);
    assert_int_equal(s.skipped_count, 4);
    assert_int_equal(s.cpu_count, 6);
    assert_int_equal(s.task_count, 10);
    assert_int_equal(s.span_ns, 3793000);
    assert_int_equal(s.work_ns, 6081000);
    assert_string_equal(s.task[0].name, "ls-4734"); /* trace-cmd before exec */
    assert_int_equal(s.task[0].work_ns, 3494000);
    bl_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_by_field),
        cmocka_unit_test(test_last_line_cut),
        cmocka_unit_test(test_most_work_first),
        cmocka_unit_test(test_running_when_it_began),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_cpu_time_is_conserved),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_real_lttng),
        cmocka_unit_test(test_real_report),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
