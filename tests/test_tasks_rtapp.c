/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tasks_rtapp - rt-app files as programs. The files of rt-app itself are
 * not part of the project; ../shared/traces is looked for.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "tests/support_files.h"
#include "tests/support_tasks.h"
#include "tests/tasks_walk.h"
#include "trace/trace_priv.h"

#include <stdio.h>
#include <unistd.h>

#define DATA "../shared/traces/rtapp-json/"
#define ARENA_BYTES ((size_t)64 << 20)

static bl_err read_file(const char *path, struct bl_arena *a,
                        struct bl_task_set *s, struct bl_diag *diag)
{
    assert_ok(bl_arena_init(a, ARENA_BYTES));
    diag->text[0] = '\0';
    return bl_tasks_read_rtapp(path, a, s, diag);
}

/* Reads @text, which is right; free the arena. */
static struct bl_task_set read_text(const char *text, struct bl_arena *a)
{
    struct bl_task_set s;
    struct bl_diag diag;

    if (read_file(test_text("a.json", text), a, &s, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    tasks_check(&s);
    return s;
}

/* In a few letters: "r10 s5 L0 ..." with times in us. */
static const char *shown(const struct bl_task *t)
{
    static const char letter[BL_OP_COUNT + 1] = "rstBLUWNQ1le";
    static char text[1000];
    size_t n = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < t->program.count; i++) {
        const struct bl_op *op = &t->program.op[i];
        const long long us = op->time.mean_ns / 1000;
        const char c = letter[op->kind];

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c",
                              i > 0 ? " " : "", c);
        if (c == 'r' || c == 's')
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%lld", us);
        if (c == 't')
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%lld%s", us,
                                  op->count == 0 ? "a" : "");
        if (c == 'L' || c == 'U' || c == 'W' || c == 'N')
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%u", op->object);
        if (c == 'l')
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%u*%u",
                                  op->target, op->count);
        assert_true(n < sizeof(text));
    }
    return text;
}

/* --- the example -------------------------------------------------------- */

static const char example[] =
    "{ /* two that wake each other */\n"
    "  \"tasks\" : {\n"
    "    \"ping\" : { \"loop\" : 3, \"delay\" : 7, \"phases\" : {\n"
    "       \"work\" : { \"loop\" : 5, \"run\" : 10, \"sleep\" : 2,\n"
    "                    \"run\" : 30, },\n"
    "       \"tell\" : { \"resume\" : \"pong\", \"suspend\", } } },\n"
    "    \"pong\" : { \"priority\" : -5, \"cpus\" : [ 0, 1 ],\n"
    "       \"suspend\" : \"pong\", \"lock\" : \"m\", \"run\" : 20,\n"
    "       \"unlock\" : \"m\", \"resume\" : \"ping\" } },\n"
    "  \"global\" : { \"duration\" : 6, \"gnuplot\" : true }\n"
    "} // the end\n";

static void test_example(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s = read_text(example, &a);
    struct tasks_walk w;

    (void)state;
    assert_string_equal(s.format, "rt-app");
    assert_int_equal(s.task_count, 2);
    assert_int_equal(s.lock_count, 1);
    assert_int_equal(s.condition_count, 2);
    assert_int_equal(s.span_ns, 6000000000);
    assert_false(s.has_barrier);
    assert_string_equal(s.task[0].name, "ping");
    assert_string_equal(shown(&s.task[0]), "s7 r10 s2 r30 l1*5 N0 W1 1 l1*3 e");
    assert_int_equal(s.task[0].work_ns, 5 * 40000);
    assert_false(s.task[0].endless);
    assert_string_equal(shown(&s.task[1]), "W0 L0 r20 U0 N1 1 l0*0 e");
    assert_true(s.task[1].endless);
    assert_int_equal(s.work_ns, 220000);
    w = tasks_walk_one(&s, &s.task[0], 1000);
    assert_true(w.ended);
    assert_int_equal(w.run_ns, 3 * 5 * 40000);
    assert_int_equal(w.kind[BL_OP_UNIT], 3);
    bl_arena_free(&a);
}

/* --- what events become -------------------------------------------------- */

#define TASK(body) "{\"tasks\":{\"t\":{\"loop\":1," body "}}}"

static void test_events(void **state)
{
    static const struct {
        const char *text, *shown;
    } table[] = {
        { TASK("\"runtime\":5"), "r5 1 e" },
        { TASK("\"run1\":5,\"run2\":6,\"sleep0\":7"), "r5 r6 s7 1 e" },
        { TASK("\"run\":0,\"sleep\":0,\"run\":1,\"yield\":\"\""), "r1 1 e" },
        { TASK("\"run\":1,\"timer\":{\"ref\":\"unique\",\"period\":9}"),
          "r1 t9 1 e" },
        { TASK("\"timer\":{\"ref\":\"x\",\"period\":9,\"mode\":\"absolute\"}"),
          "t9a 1 e" },
        { TASK("\"timer\":{\"ref\":\"x\",\"period\":0},\"run\":1"), "r1 1 e" },
        /* the timer itself makes the delay, so that it counts from its end */
        { TASK("\"delay\":4,\"run\":1,"
               "\"timer\":{\"ref\":\"unique\",\"period\":9}"),
          "t4a r1 t9 1 e" },
        { TASK("\"delay\":4,\"run\":1"), "s4 r1 1 e" },
        { TASK("\"lock\":\"m\",\"wait\":{\"ref\":\"c\",\"mutex\":\"m\"},"
               "\"unlock\":\"m\""),
          "L0 U0 W0 L0 U0 1 e" },
        { TASK("\"lock\":\"m\",\"sync\":{\"mutex\":\"m\",\"ref\":\"c\"},"
               "\"unlock\":\"m\""),
          "L0 N0 U0 W0 L0 U0 1 e" },
        { TASK("\"signal\":\"c\",\"broad\":\"d\""), "N0 N1 1 e" },
        { TASK("\"barrier\":\"b\""), "B 1 e" },
        { TASK("\"phases\":{\"a\":{\"loop\":-1,\"run\":1}}"), "r1 l0*0 1 e" },
        { TASK("\"phases\":{\"a\":{\"lock\":\"m\",\"run\":1},"
               "\"b\":{\"loop\":2,\"run\":1},\"c\":{\"unlock\":\"m\"}}"),
          "L0 r1 r1 l2*2 U0 1 e" },
        /* the pass takes time although its last phase does not */
        { "{\"tasks\":{\"t\":{\"phases\":{\"a\":{\"run\":1},\"b\":{\"resume\":"
          "\"x\"}}}}}",
          "r1 N0 1 l0*0 e" },
        { "\n {\"tasks\":{\"t\":{\"run\":1}}} // and no more", "r1 1 l0*0 e" },
        { "{\"resources\":{\"m\":{\"type\":\"mutex\"},\"s\":{\"type\":"
          "\"signal\",\"target\":\"c\"}},\"tasks\":{\"t\":{\"run\":1}},"
          "\"global\":{\"duration\":-1,\"logdir\":\"./\"}}",
          "r1 1 l0*0 e" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct bl_arena a;
        const struct bl_task_set s = read_text(table[i].text, &a);

        assert_int_equal(s.task_count, 1);
        assert_string_equal(shown(&s.task[0]), table[i].shown);
        bl_arena_free(&a);
    }
}

static void test_instances_share_a_program(void **state)
{
    struct bl_arena a;
    const struct bl_task_set s = read_text(
        "{\"tasks\":{\"a\":{\"instance\":3,\"run\":10},"
        "\"off\":{\"instance\":0,\"run\":10},"
        "\"a\":{\"run\":1}}}",
        &a);

    (void)state;
    assert_int_equal(s.task_count, 4);
    assert_string_equal(s.task[0].name, "a");
    assert_string_equal(s.task[2].name, "a#3");
    assert_string_equal(s.task[3].name, "a#4");
    assert_ptr_equal(s.task[0].program.op, s.task[2].program.op);
    assert_int_equal(s.op_count, 8);
    assert_int_equal(s.work_ns, 31000);
    bl_arena_free(&a);
}

static void test_hash_tells_apart(void **state)
{
    static const char *const text[] = {
        TASK("\"run\":5"),
        TASK("\"run\":6"),
        TASK("\"run\":5,\"sleep\":1"),
        "{\"tasks\":{\"u\":{\"loop\":1,\"run\":5}}}",
        "{\"tasks\":{\"t\":{\"loop\":2,\"run\":5}}}",
    };
    uint64_t hash[5];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct bl_arena a;
        struct bl_task_set s = read_text(text[i], &a);

        hash[i] = bl_task_set_hash(&s);
        for (size_t k = 0; k < i; k++)
            assert_true(hash[k] != hash[i]);
        bl_arena_free(&a);
        s = read_text(text[i], &a);
        assert_true(bl_task_set_hash(&s) == hash[i]);
        bl_arena_free(&a);
    }
}

/* --- what is refused ----------------------------------------------------- */

struct refused {
    unsigned line;
    const char *text;
    const char *why;
};

#define T1 "{\"tasks\":{\n\"t\":{\n"
#define WAIT(ref)                                                              \
    "\"lock\":\"m\",\"wait\":{\"ref\":\"" ref                                  \
    "\",\"mutex\":\"m\"},\"unlock\":\"m\""

static const struct refused refused[] = {
    /* text */
    { 0, "{\"global\":{}}", "no tasks" },
    { 0, "{\"tasks\":{\"t\":{\"instance\":0,\"run\":1}}}", "no tasks" },
    { 0, "{}", "no tasks" },
    { 1, "\n", "nothing in it" },
    { 1, "tasks: 1\n", "text before the first {" },
    { 2, "{\"tasks\":{\"t\":{\"run\":1}}}\nx", "text behind the closing }" },
    { 3, "{\n\"a\":\n/* {", "a comment without an end" },
    { 2, "{\n\"tas", "a string without an end" },
    { 2, "{\n\"ta\\n\":1}", "an escape" },
    { 2, "{\n\"t\t\":1}", "control characters" },
    { 2, "{\n\"\xff\":1}", "UTF-8" },
    { 2, "{\n'tasks':1}", "character '" },
    { 2, "{\n&a \"tasks\":1}", "character &" },
    { 2, "{\n# comment\n}", "character #" },
    { 1, "{\"tasks\":{\n", "ends too early, expected another }" },
    { 2, "{\n\"tasks\":]}", "text behind the closing }" },
    { 2, "{\n\"tasks\":{]}", "not JSON" },
    { 2, "{\n{\"a\":1}:2}", "a list or map as a key" },
    { 2, "{\ntasks:{}}", "a key without quotes" },
    { 1, "[[[[[[[[[]]]]]]]]]", "text before" },
    { 2, "{\"tasks\":{\"t\":\n{\"cpus\":[[[[[[1]]]]]],\"run\":1}}}",
      "nested too deeply" },
    { 3, T1 "\"run\":1 0}}}", "'1 0', expected a number" },
    { 3, T1 "\"run\":1\n0}}}", "several words" },
    /* sections */
    { 2, "{\n\"task\":{}}", "unknown key 'task'" },
    { 1, "{\"tasks\":7}", "'tasks' is no map" },
    { 2, "{\"global\":{\n\"durtion\":7}}", "unknown key 'durtion' in global" },
    { 2, "{\"global\":{\n\"duration\":1.5}}", "'1.5', expected a number" },
    { 2, "{\"global\":{\n\"duration\":1000001}}", "from 0 to 1000000" },
    { 2, "{\"resources\":{\n\"m\":{\"type\":\"spin\"}}}", "has no type" },
    { 2, "{\"resources\":{\n\"m\":{}}}", "has no type" },
    { 3, "{\"resources\":{\n\"m\":{\n\"kind\":1}}}", "unknown key 'kind'" },
    { 2, "{\"resources\":{\n\"m\":1}}", "'m' is no map" },
    { 2, "{\"tasks\":{\n\"t\":1}}", "'t' is no map" },
    /* tasks and phases */
    { 3, T1 "\"exec\":5}}}", "unknown key 'exec' in a task" },
    { 3, T1 "\"runs\":5}}}", "unknown key 'runs' in a task" },
    { 3, T1 "\"cpus\",\"run\":1}}}", "'cpus' has no value" },
    { 4, T1 "\"phases\":{\"p\":{\n\"delay\":5}}}}}", "'delay' in a phase" },
    { 4, T1 "\"phases\":{\n\"p\":{\"loop\":5}}}}}", "no events in 'p'" },
    { 4, T1 "\"phases\":{\n\"p\":5}}}}", "'p' is no map" },
    { 3, T1 "\"phases\":{}}}}", "no phases in 't'" },
    { 3, T1 "\"phases\":5}}}", "'phases' is no map" },
    { 4, T1 "\"phases\":{\"p\":{\"run\":1}},\n\"run\":1}}}",
      "event 'run' beside phases" },
    { 4, T1 "\"phases\":{\"p\":{\"run\":1}},\n\"phases\":{}}}}",
      "phases again" },
    { 2, T1 "\"loop\":5}}}", "no events in 't', expected run, sleep, timer" },
    { 3, T1 "\"loop\":0,\"run\":1}}}", "'loop' is '0', expected -1" },
    { 3, T1 "\"loop\":-2,\"run\":1}}}", "'loop' is '-2'" },
    { 3, T1 "\"loop\":1000000001,\"run\":1}}}", "'loop' is '1000000001'" },
    { 3, T1 "\"instance\":-1,\"run\":1}}}", "'instance' is '-1'" },
    { 3, T1 "\"instance\":65537,\"run\":1}}}", "from 0 to 65536" },
    { 3, T1 "\"mem\":5}}}", "'mem' cannot be simulated" },
    { 3, T1 "\"iorun1\":5}}}", "'iorun1' cannot be simulated" },
    { 3, T1 "\"fork\":\"u\"}}}", "'fork' cannot be simulated" },
    /* events */
    { 3, T1 "\"run\":-1}}}", "'run' is '-1', expected a number" },
    { 3, T1 "\"run\":\"1\"}}}", "expected a number" },
    { 3, T1 "\"run\"}}}", "'run' is without a value, expected a number" },
    { 3, T1 "\"run\":[5]}}}", "'run' is a list, expected a number from 0" },
    { 3, T1 "\"run\":{}}}}", "'run' is a map, expected a number" },
    { 3, T1 "\"run\":\"5\"}}}", "'run' is a string, expected a number" },
    { 3, T1 "\"loop\":[5],\"run\":1}}}", "'loop' is a list, expected -1" },
    { 3, T1 "\"sleep\":1000000000001}}}", "from 0 to 1000000000000" },
    { 4, T1 "\"run\":1000000000000,\n\"run\":1}}}", "11 days of work" },
    { 4, T1 "\"phases\":{\n\"p\":{\"loop\":2,\"run\":600000000000}}}}}",
      "11 days of work" },
    { 5,
      T1 "\"phases\":{\n\"p\":{\"run\":600000000000},\n"
         "\"q\":{\"run\":600000000000}}}}}",
      "11 days of work" },
    { 3, T1 "\"resume\":5}}}", "'resume' has no name" },
    { 3, T1 "\"resume\"}}}", "'resume' has no name" },
    { 3, T1 "\"suspend\":5}}}", "'suspend' has no name" },
    { 3, T1 "\"barrier\":\"\"}}}", "'barrier' has no name" },
    { 3, T1 "\"timer\":5}}}", "'timer' is no map" },
    { 3, T1 "\"timer\":{\"ref\":\"x\"}}}}", "'timer' lacks period" },
    { 3, T1 "\"timer\":{\"period\":5}}}}", "'timer' lacks ref" },
    { 4, T1 "\"timer\":{\"ref\":\"x\",\n\"perod\":5}}}}",
      "unknown key 'perod'" },
    { 3, T1 "\"timer\":{\"ref\":\"x\",\"period\":5,\"mode\":\"abs\"}}}}",
      "mode 'abs'" },
    { 4,
      T1 "\"timer\":{\"ref\":\"x\",\"period\":5},\n"
         "\"timer\":{\"ref\":\"y\",\"period\":5}}}}",
      "a second timer in task 't'" },
    { 3,
      T1 "\"timer\":{\"ref\":\"x\",\"period\":5}},\"u\":{"
         "\"timer\":{\"ref\":\"x\",\"period\":5}}}}",
      "timer 'x' is shared" },
    { 3, T1 "\"instance\":2,\"timer\":{\"ref\":\"x\",\"period\":5}}}}",
      "timer 'x' is shared" },
    /* locks */
    { 3, T1 "\"unlock\":\"m\"}}}", "mutex 'm' is not held here" },
    { 4, T1 "\"lock\":\"m\",\n\"lock\":\"m\"}}}", "mutex 'm' is held here" },
    { 2, T1 "\"lock\":\"m\",\"run\":1}}}", "ends with mutex 'm' held" },
    { 4, T1 "\"phases\":{\n\"p\":{\"loop\":2,\"lock\":\"m\",\"run\":1}}}}}",
      "does not leave the mutexes" },
    { 3, T1 "\"wait\":{\"ref\":\"c\",\"mutex\":\"m\"}}}}",
      "mutex 'm' is not held here" },
    { 3, T1 "\"lock\":\"m\",\"wait\":{\"ref\":\"c\"}}}}", "lacks mutex" },
    { 3, T1 "\"sync\":{\"mutex\":\"c\"}}}}", "lacks ref" },
    { 3, T1 "\"sync\":{\"cond\":\"c\"}}}}", "unknown key 'cond'" },
    { 3, T1 "\"wait\":\"c\"}}}", "'wait' is no map" },
    /* what no program can stand for */
    { 2, T1 "\"resume\":\"x\"}}}", "a loop that takes no time" },
    { 2, T1 "\"run\":0,\"lock\":\"m\",\"unlock\":\"m\"}}}",
      "a loop that takes no time" },
    { 4,
      T1 "\"phases\":{\n\"p\":{\"loop\":2,\"resume\":\"x\"},"
         "\"q\":{\"run\":1}}}}}",
      "a loop that takes no time" },
    { 4,
      "{\"tasks\":{\"a\":{" WAIT("c") "},\n\"b\":{" WAIT(
          "c") "},\n"
               "\"s\":{\"run\":1,\n\"signal\":\"c\"}}}",
      "signal of 'c', for which 2 tasks wait" },
    { 2,
      "{\"tasks\":{\"a\":{\"instance\":3,\n\"lock\":\"m\",\"sync\":{"
      "\"ref\":\"c\",\"mutex\":\"m\"},\"unlock\":\"m\"}}}",
      "signal of 'c', for which 2 tasks wait" },
    { 2, "{\"tasks\":{\"a\":{\"barrier\":\"x\"},\n\"b\":{\"run\":1}}}",
      "task 'b' meets other barriers than 'a'" },
    { 2, "{\"tasks\":{\"a\":{\"run\":1},\n\"b\":{\"barrier\":\"x\"}}}",
      "task 'b' meets other barriers than 'a'" },
    { 2, "{\"tasks\":{\"a\":{\"barrier\":\"x\"},\n\"b\":{\"barrier\":\"y\"}}}",
      "task 'b' meets other barriers than 'a'" },
    { 2,
      "{\"tasks\":{\"a\":{\"barrier\":\"x\"},\n"
      "\"b\":{\"loop\":3,\"barrier\":\"x\"}}}",
      "task 'b' meets other barriers than 'a'" },
    { 2,
      "{\"tasks\":{\"a\":{\"phases\":{\"p\":{\"barrier\":\"x\"}}},\n"
      "\"b\":{\"phases\":{\"p\":{\"loop\":2,\"barrier\":\"x\"}}}}}",
      "task 'b' meets other barriers than 'a'" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        support_refused(read_file, refused[i].text, refused[i].line,
                        refused[i].why);
}

/* Signals that can find one waiter only, although more tasks wait; broad. */
static void test_what_can_be_told(void **state)
{
    static const char *const text[] = {
        "{\"tasks\":{\"a\":{\"lock\":\"m\",\"sync\":{\"ref\":\"c\",\"mutex\":"
        "\"m\"},\"unlock\":\"m\"},\"b\":{\"run\":1,\"signal\":\"c\"," WAIT(
            "c") "}}}",
        "{\"tasks\":{\"a\":{" WAIT("c") "},\"b\":{" WAIT(
            "c") "},\"s\":{\"run\":1,\"broad\":\"c\"}}}",
        /* and barriers that are the same, whatever else the tasks do */
        "{\"tasks\":{\"a\":{\"phases\":{\"p\":{\"barrier\":\"x\"}}},\"b\":{"
        "\"phases\":{\"q\":{\"loop\":5,\"run\":1},\"p\":{\"barrier\":\"x\"}}}"
        "}}",
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bl_arena a;

        read_text(text[i], &a);
        bl_arena_free(&a);
    }
}

/* 65 of them, one on each line from the second on. */
static size_t too_many_locks(char *text)
{
    size_t n = (size_t)snprintf(text, 200, "{\"tasks\":{\"t\":{\"run\":1");

    for (int i = 0; i < 65; i++)
        n += (size_t)snprintf(text + n, 200,
                              ",\n\"lock\":\"m%d\",\"unlock\":\"m%d\"", i, i);
    return n + (size_t)snprintf(text + n, 200, "}}}");
}

static void test_limits(void **state)
{
    char *text = malloc(BL_RTAPP_BYTES_MAX + 100u);
    struct bl_arena a;
    struct bl_task_set s;
    struct bl_diag diag;
    size_t n;

    (void)state;
    assert_non_null(text);
    n = too_many_locks(text);
    assert_int_equal(read_file(test_file("l.json", text, n), &a, &s, &diag),
                     BL_ERR_FULL);
    assert_non_null(strstr(diag.text, "l.json:66: 'm64' is one too many"));
    bl_arena_free(&a);

    memset(text, '\n', BL_RTAPP_BYTES_MAX + 1u);
    n = BL_RTAPP_BYTES_MAX + 1u;
    assert_int_equal(read_file(test_file("l.json", text, n), &a, &s, &diag),
                     BL_ERR_FULL);
    assert_non_null(strstr(diag.text, "larger than 4194304 bytes"));
    bl_arena_free(&a);

    n = (size_t)snprintf(text, 200,
                         "{\"tasks\":{\"a\":{\"instance\":65536,\"run\":1},\n"
                         "\"b\":{\"run\":1}}}");
    assert_int_equal(read_file(test_file("l.json", text, n), &a, &s, &diag),
                     BL_ERR_FULL);
    assert_non_null(strstr(diag.text, "l.json:2: too much"));
    bl_arena_free(&a);
    free(text);
}

static void test_what_cannot_be_read(void **state)
{
    struct bl_arena a;
    struct bl_task_set s;
    struct bl_diag diag;

    (void)state;
    assert_int_equal(read_file(test_path("none.json"), &a, &s, &diag),
                     BL_ERR_IO);
    bl_arena_free(&a);
    assert_int_equal(read_file(test_folder(), &a, &s, &diag), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "is a folder or an archive"));
    bl_arena_free(&a);
    assert_int_equal(read_file(test_text("e.json", ""), &a, &s, &diag),
                     BL_ERR_PARSE);
    assert_non_null(
        strstr(diag.text, "is empty, expected an rt-app file (JSON)"));
    bl_arena_free(&a);
    assert_int_equal(
        read_file(test_packed("p.zst", "zstd", example), &a, &s, &diag),
        BL_ERR_OK);
    bl_arena_free(&a);
}

/* --- damage and memory --------------------------------------------------- */

/* Cut anywhere before its last brace, it is refused. */
static void test_truncated(void **state)
{
    const size_t whole = (size_t)(strrchr(example, '}') - example) + 1;

    (void)state;
    for (size_t n = 1; n < whole; n++) {
        struct bl_arena a;
        struct bl_task_set s;
        struct bl_diag diag;

        assert_int_equal(
            read_file(test_file("cut.json", example, n), &a, &s, &diag),
            BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "cut.json"));
        bl_arena_free(&a);
    }
}

/* One byte another one: refused with a line, or a set that keeps all. */
static void test_flipped(void **state)
{
    static const char other[] = "{}[],:\"0a\x80";

    (void)state;
    for (size_t i = 0; i < sizeof(example) - 1; i++) {
        char text[sizeof(example)];
        struct bl_arena a;
        struct bl_task_set s;
        struct bl_diag diag;

        memcpy(text, example, sizeof(text));
        text[i] = other[i % (sizeof(other) - 1)];
        if (read_file(test_text("flip.json", text), &a, &s, &diag) == BL_ERR_OK)
            tasks_check(&s);
        else
            assert_non_null(strstr(diag.text, "flip.json"));
        bl_arena_free(&a);
    }
}

static void test_out_of_memory(void **state)
{
    const char *path = test_text("m.json", example);
    struct bl_arena a;
    struct bl_task_set s;
    struct bl_diag diag;
    bl_err e = BL_ERR_NOMEM;
    long n;

    (void)state;
    for (n = 0; e == BL_ERR_NOMEM; n++) {
        bl__trace_fail_after = n;
        e = read_file(path, &a, &s, &diag);
        bl__trace_fail_after = -1;
        assert_true(e == BL_ERR_OK || a.used_bytes == 0);
        assert_true(e == BL_ERR_OK || strstr(diag.text, "memory") != NULL);
        bl_arena_free(&a);
    }
    assert_ok(e);
    assert_true(n > 8);
    assert_ok(bl_arena_init(&a, ARENA_BYTES));
    a.fail_after = 0;
    assert_int_equal(bl_tasks_read_rtapp(path, &a, &s, &diag), BL_ERR_NOMEM);
    a.fail_after = 1; /* one piece is all it takes */
    assert_ok(bl_tasks_read_rtapp(path, &a, &s, &diag));
    bl_arena_free(&a);
}

/* --- the files of rt-app ------------------------------------------------- */

/* Tasks and work of one pass in us were added up by a separate program. */
static const struct {
    const char *name;
    uint32_t tasks;
    int64_t work_us, duration_s;
    const char *why; /* refused */
} real[] = {
    { "browser-long", 9, 283200, 600, NULL },
    { "browser-short", 9, 283200, 6, NULL },
    { "cpufreq_governor_efficiency_calibration", 1, 2000, 0, NULL },
    { "cpufreq_governor_efficiency_dvfs", 1, 900000, 0, NULL },
    { "custom-slice", 2, 40000, 2, NULL },
    { "merge_global", 0, 0, 0, ".json: no tasks" }, /* parts of a file */
    { "merge_resources", 0, 0, 0, ".json: no tasks" },
    { "merge_thread0", 0, 0, 0, ":4: unknown key 'exec'" }, /* an old grammar */
    { "merge_thread1", 0, 0, 0, ":4: unknown key 'exec'" },
    { "merge_thread2", 0, 0, 0, ":4: unknown key 'exec'" },
    { "merge_thread3", 0, 0, 0, ":4: unknown key 'exec'" },
    { "mp3-long", 5, 6750, 600, NULL },
    { "mp3-short", 5, 6750, 6, NULL },
    { "spreading-tasks", 2, 12000000, 60, NULL },
    { "template", 1, 10000, 6, NULL },
    { "tutorial_example1", 1, 20000, 2, NULL },
    { "tutorial_example2", 1, 10000, 2, NULL },
    { "tutorial_example3", 12, 3600000, 0, NULL },
    { "tutorial_example4", 2, 20000, 0, NULL },
    { "tutorial_example5", 2, 990000, 0, NULL },
    { "tutorial_example6", 0, 0, 0, ":11: event 'mem'" },
    { "tutorial_example7", 2, 9000, 5, NULL },
    { "tutorial_example8", 1, 4500, 2, NULL },
    { "tutorial_example9", 0, 0, 0, ":32: event 'fork'" },
    { "tutorial_example10", 1, 20000, 2, NULL },
    { "tutorial_example11", 1, 60000, 2, NULL },
    { "video-long", 17, 15535, 600, NULL },
    { "video-short", 17, 15535, 6, NULL },
};

static void test_real_files(void **state)
{
    (void)state;
    if (access(DATA, R_OK) != 0) {
        print_message("SKIP: no %s\n", DATA);
        skip();
    }
    for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
        struct bl_arena a;
        struct bl_task_set s;
        struct bl_diag diag;
        char path[200];
        bl_err e;

        snprintf(path, sizeof(path), DATA "%s.json", real[i].name);
        e = read_file(path, &a, &s, &diag);
        if (real[i].why != NULL) {
            assert_int_equal(e, BL_ERR_PARSE);
            assert_non_null(strstr(diag.text, real[i].why));
        } else {
            if (e != BL_ERR_OK)
                fail_msg("%s", diag.text);
            tasks_check(&s);
            assert_int_equal(s.task_count, real[i].tasks);
            assert_int_equal(s.work_ns, real[i].work_us * 1000);
            assert_int_equal(s.span_ns, real[i].duration_s * 1000000000);
        }
        bl_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_instances_share_a_program),
        cmocka_unit_test(test_hash_tells_apart),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_what_can_be_told),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_real_files),
    };

    return cmocka_run_group_tests(tests, test_group_setup, test_folder_remove);
}
