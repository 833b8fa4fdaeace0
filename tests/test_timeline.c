/* SPDX-License-Identifier: Apache-2.0 */
/* test_timeline - what ran where, as Chrome trace events and as SVG. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "report/timeline.h"
#include "tests/support_golden.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PCPUS = 4, VMS = 4, VCPUS = 10, STEPS = 1500, US = 1000 };

#define MS INT64_C(1000000)

/* ---- four VMs of 3, 1, 4 and 2 vCPUs ------------------------------------ */

static const uint32_t first_of[VMS + 1] = { 0, 3, 4, 8, 10 };

static struct bl_timeline_vcpu name_of(void *ctx, uint32_t vcpu)
{
    static const char *const name[VMS] = { "barrier", "web \"<1>\" & \\\x01",
                                           "b\xc3\xbcro", "batch" };
    uint32_t vm = 0;

    (void)ctx;
    while (vcpu >= first_of[vm + 1])
        vm++;
    return (struct bl_timeline_vcpu){ vm, vcpu - first_of[vm], name[vm] };
}

struct paper {
    struct bl_arena a;
    char *text;
    size_t size;
    FILE *f;
    struct bl_timeline *t;
};

static void open_paper(struct paper *p, enum bl_timeline_format format,
                       int64_t from_ns, int64_t until_ns)
{
    const struct bl_timeline_opts opts = { .format = format,
                                           .title = "a & b",
                                           .names = name_of,
                                           .pcpu_count = PCPUS,
                                           .vm_count = VMS,
                                           .vcpu_count = VCPUS,
                                           .from_ns = from_ns,
                                           .until_ns = until_ns,
                                           .f = NULL };
    struct bl_timeline_opts with = opts;

    assert_ok(bl_arena_init(&p->a, 1 << 20));
    p->f = open_memstream(&p->text, &p->size);
    assert_non_null(p->f);
    with.f = p->f;
    assert_ok(bl_timeline_open(&p->a, &with, &p->t));
    bl_arena_seal(&p->a);
}

static void close_paper(struct paper *p, int64_t now_ns)
{
    bl_timeline_close(p->t, now_ns);
    assert_int_equal(fclose(p->f), 0);
    bl_arena_free(&p->a);
}

/* ---- the example: a gang of three and a VM with a limit on four pCPUs --- */

static void put(struct paper *p, int64_t at_us, uint32_t vcpu, uint32_t pcpu,
                const int *change)
{
    const struct bl_sched_event e = { .now_ns = at_us * US,
                                      .vcpu = vcpu,
                                      .pcpu = pcpu,
                                      .from = (enum bl_vcpu_state)change[0],
                                      .to = (enum bl_vcpu_state)change[1],
                                      .reason = (enum bl_sched_reason)change[2],
                                      .figure = { at_us, change[3] } };

    bl_timeline_event(p->t, &e);
}

#define PUT(at_us, vcpu, pcpu, from, to, reason, figure)                       \
    put(p, at_us, vcpu, pcpu,                                                  \
        (const int[]){ BL_VCPU_##from, BL_VCPU_##to, BL_SCHED_##reason,        \
                       figure })

static void play_example(struct paper *p)
{
    PUT(0, 0, BL_NO_PCPU, BLOCKED, READY, WOKE, 0);
    PUT(0, 1, BL_NO_PCPU, BLOCKED, READY, WOKE, 0);
    PUT(0, 3, BL_NO_PCPU, BLOCKED, READY, WOKE, 0);
    PUT(500, 0, 0, READY, RUN, PICKED, 3000000);
    PUT(500, 1, 1, READY, RUN, PICKED, 3000000);
    PUT(600, 3, 3, READY, RUN, PICKED, 3000000);
    PUT(3500, 0, 0, RUN, READY, SLICE_END, 0);
    PUT(3500, 0, 0, READY, RUN, PICKED, 3000000); /* one bar in the SVG */
    PUT(4000, 1, 1, RUN, READY, PREEMPTED, 5);
    PUT(5250, 3, 3, RUN, LIMITED, THROTTLED, 0);
    PUT(6000, 0, 0, RUN, COSTOP, COSTOP_SKEW, 3000000);
    PUT(6000, 1, 0, READY, RUN, HANDOFF, 0);
    PUT(8000, 0, BL_NO_PCPU, COSTOP, READY, COSTART_GAP, 2000000);
    PUT(8000, 0, 1, READY, RUN, STOLEN_IDLE, 0);
    PUT(9000, 3, BL_NO_PCPU, LIMITED, READY, REFILLED, 0);
    PUT(9001, 3, 3, READY, RUN, PICKED, 3000000);
    PUT(9500, 0, 1, RUN, BLOCKED, BLOCKED, 0);
}

static void test_the_example_is_what_was_reviewed(void **state)
{
    struct paper paper, *p = &paper;

    (void)state;
    open_paper(p, BL_TIMELINE_CHROME, 0, 12 * MS);
    play_example(p);
    close_paper(p, 10 * MS);
    support_golden("tests/golden/timeline.json", p->text);
    free(p->text);
    open_paper(p, BL_TIMELINE_SVG, 0, 12 * MS);
    play_example(p);
    close_paper(p, 10 * MS);
    support_golden("tests/golden/timeline.svg", p->text);
    free(p->text);
}

/* ---- documented errors and contract violations -------------------------- */

static void test_events_that_cannot_be_are_refused(void **state)
{
    struct paper paper, *p = &paper;

    (void)state;
    open_paper(p, BL_TIMELINE_CHROME, 0, MS);
    expect_assert_failure(PUT(1, VCPUS, 0, BLOCKED, READY, WOKE, 0));
    expect_assert_failure(PUT(1, 0, 0, READY, RUN, PICKED, 0));
    PUT(1, 0, 0, BLOCKED, READY, WOKE, 0);
    expect_assert_failure(PUT(0, 0, 0, READY, RUN, PICKED, 0));
    expect_assert_failure(PUT(2, 0, PCPUS, READY, RUN, PICKED, 0));
    close_paper(p, MS);
    free(p->text);
}

static void test_open_needs_all_of_its_memory(void **state)
{
    const long needed[] = { [BL_TIMELINE_CHROME] = 4, [BL_TIMELINE_SVG] = 5 };

    (void)state;
    for (int format = 0; format < 2; format++) {
        long fail_after = 0;

        for (bl_err e = BL_ERR_NOMEM; e != BL_ERR_OK; fail_after++) {
            char text[1 << 14] = "";
            const struct bl_timeline_opts opts = {
                .format = (enum bl_timeline_format)format,
                .title = "",
                .names = name_of,
                .pcpu_count = PCPUS,
                .vm_count = VMS,
                .vcpu_count = VCPUS,
                .until_ns = 1,
                .f = fmemopen(text, sizeof(text), "w")
            };
            struct bl_timeline *t = NULL;
            struct bl_arena a;

            assert_ok(bl_arena_init(&a, 1 << 20));
            a.fail_after = fail_after;
            e = bl_timeline_open(&a, &opts, &t);
            fclose(opts.f);
            assert_int_equal(e == BL_ERR_OK, t != NULL);
            assert_int_equal(e == BL_ERR_OK, text[0] != '\0');
            bl_arena_free(&a);
        }
        assert_int_equal(fail_after - 1, needed[format]);
    }
}

/* ---- a random run, kept beside the timeline ----------------------------- */

struct model {
    struct bl_prng prng;
    int64_t now_ns, from_ns, until_ns;
    enum bl_vcpu_state state[VCPUS];
    uint32_t pcpu[VCPUS], running[PCPUS];
    int64_t since_ns[VCPUS];
    int64_t state_ns[VCPUS][BL_VCPU_STATE_COUNT]; /* in the window */
    int64_t busy_ns[PCPUS];
    uint64_t moves, costops;
};

static int64_t inside(const struct model *m, int64_t from_ns, int64_t to_ns)
{
    const int64_t a = from_ns > m->from_ns ? from_ns : m->from_ns;
    const int64_t b = to_ns < m->until_ns ? to_ns : m->until_ns;

    return b > a ? b - a : 0;
}

static void settle(struct model *m, uint32_t v)
{
    const int64_t ns = inside(m, m->since_ns[v], m->now_ns);

    m->state_ns[v][m->state[v]] += ns;
    if (m->state[v] == BL_VCPU_RUN)
        m->busy_ns[m->pcpu[v]] += ns;
    m->since_ns[v] = m->now_ns;
}

static uint32_t free_pcpu(struct model *m)
{
    const uint32_t first = (uint32_t)bl_prng_below(&m->prng, PCPUS);

    for (uint32_t i = 0; i < PCPUS; i++)
        if (m->running[(first + i) % PCPUS] == BL_NO_VCPU)
            return (first + i) % PCPUS;
    return BL_NO_PCPU;
}

static void change(struct model *m, struct bl_timeline *t, uint32_t v,
                   enum bl_vcpu_state to)
{
    struct bl_sched_event e = { .now_ns = m->now_ns,
                                .vcpu = v,
                                .pcpu = BL_NO_PCPU,
                                .from = m->state[v],
                                .to = to };
    const bool in = m->now_ns >= m->from_ns && m->now_ns < m->until_ns;

    e.reason =
        (enum bl_sched_reason)bl_prng_below(&m->prng, BL_SCHED_REASON_COUNT);
    e.figure[0] = (int64_t)bl_prng_next(&m->prng);
    if (to == BL_VCPU_RUN) {
        e.pcpu = free_pcpu(m);
        if (e.pcpu == BL_NO_PCPU)
            return;
    }
    settle(m, v);
    if (m->state[v] == BL_VCPU_RUN)
        m->running[m->pcpu[v]] = BL_NO_VCPU;
    if (to == BL_VCPU_RUN) {
        m->moves += in && m->pcpu[v] != BL_NO_PCPU && m->pcpu[v] != e.pcpu;
        m->pcpu[v] = e.pcpu;
        m->running[e.pcpu] = v;
    }
    m->costops += in && to == BL_VCPU_COSTOP && m->state[v] != to;
    m->state[v] = to;
    bl_timeline_event(t, &e);
}

static void play_random(struct model *m, struct paper *p,
                        enum bl_timeline_format format)
{
    for (uint32_t v = 0; v < VCPUS; v++) {
        m->state[v] = BL_VCPU_BLOCKED;
        m->pcpu[v] = BL_NO_PCPU;
    }
    for (uint32_t i = 0; i < PCPUS; i++)
        m->running[i] = BL_NO_VCPU;
    m->from_ns = (int64_t)bl_prng_below(&m->prng, 100 * MS);
    m->until_ns = m->from_ns + 1 + (int64_t)bl_prng_below(&m->prng, 700 * MS);
    open_paper(p, format, m->from_ns, m->until_ns);
    for (uint32_t i = 0; i < STEPS; i++) {
        if (bl_prng_below(&m->prng, 3) > 0)
            m->now_ns += (int64_t)bl_prng_below(&m->prng, MS);
        change(
            m, p->t, (uint32_t)bl_prng_below(&m->prng, VCPUS),
            (enum bl_vcpu_state)bl_prng_below(&m->prng, BL_VCPU_STATE_COUNT));
    }
    m->now_ns += MS;
    for (uint32_t v = 0; v < VCPUS; v++)
        settle(m, v);
    close_paper(p, m->now_ns);
}

/* ---- Chrome: read back -------------------------------------------------- */

struct span {
    long long pid, tid, from_ns, until_ns;
    const char *name;
    const json_t *args;
};

static long long ns_of(const json_t *e, const char *key)
{
    return llround(json_number_value(json_object_get(e, key)) * US);
}

static long long int_of(const json_t *e, const char *key)
{
    const json_t *v = json_object_get(e, key);

    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static int by_thread_then_time(const void *x, const void *y)
{
    const struct span *a = x, *b = y;

    if (a->tid != b->tid)
        return a->tid < b->tid ? -1 : 1;
    return (a->from_ns > b->from_ns) - (a->from_ns < b->from_ns);
}

static json_t *parsed(const char *text)
{
    json_error_t why;
    json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, &why);

    if (doc == NULL)
        fail_msg("line %d: %s", why.line, why.text);
    return doc;
}

/* The "X" events, by thread and time; the caller frees. */
static struct span *spans_of(const json_t *doc, size_t *count, uint64_t *marks)
{
    const json_t *all = json_object_get(doc, "traceEvents");
    struct span *span = calloc(json_array_size(all) + 1, sizeof(*span));
    const json_t *e;
    size_t i;

    *count = 0;
    *marks = 0;
    json_array_foreach(all, i, e)
    {
        const char *ph = json_string_value(json_object_get(e, "ph"));
        struct span *s = &span[*count];

        *marks += ph[0] == 'i';
        if (ph[0] != 'X')
            continue;
        s->pid = int_of(e, "pid");
        s->tid = int_of(e, "tid");
        s->from_ns = ns_of(e, "ts");
        s->until_ns = s->from_ns + ns_of(e, "dur");
        s->name = json_string_value(json_object_get(e, "name"));
        s->args = json_object_get(e, "args");
        ++*count;
    }
    qsort(span, *count, sizeof(*span), by_thread_then_time);
    return span;
}

/* On no thread do two pieces overlap, and none is empty or out of the window.
 */
static void check_no_overlap(const struct span *s, size_t n,
                             const struct model *m)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(s[i].from_ns < s[i].until_ns);
        assert_true(s[i].from_ns >= m->from_ns);
        assert_true(s[i].until_ns <= m->until_ns);
        if (i > 0 && s[i - 1].tid == s[i].tid)
            assert_true(s[i - 1].until_ns <= s[i].from_ns);
    }
}

/* The same run, as the thread of its pCPU has it. */
static bool on_its_pcpu(const struct span *s, size_t n, const struct span *run)
{
    for (size_t i = 0; i < n; i++)
        if (s[i].pid == 1 && s[i].from_ns == run->from_ns &&
            s[i].until_ns == run->until_ns &&
            s[i].tid == 100000 + int_of(run->args, "pcpu") &&
            int_of(s[i].args, "vcpu") == run->tid - 200000)
            return true;
    return false;
}

static void check_times(const struct span *s, size_t n, const struct model *m)
{
    int64_t got[VCPUS][BL_VCPU_STATE_COUNT] = { 0 }, busy[PCPUS] = { 0 };
    uint64_t runs = 0, on_pcpus = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t state = 0;

        if (s[i].pid == 1) {
            busy[s[i].tid - 100000] += s[i].until_ns - s[i].from_ns;
            on_pcpus++;
            continue;
        }
        while (strcmp(s[i].name,
                      bl_vcpu_state_name((enum bl_vcpu_state)state)) != 0)
            state++;
        got[s[i].tid - 200000][state] += s[i].until_ns - s[i].from_ns;
        if (state == BL_VCPU_RUN) {
            runs++;
            assert_true(on_its_pcpu(s, n, &s[i]));
        }
    }
    assert_int_equal(runs, on_pcpus);
    assert_memory_equal(busy, m->busy_ns, sizeof(busy));
    for (uint32_t v = 0; v < VCPUS; v++) {
        int64_t all = m->state_ns[v][BL_VCPU_BLOCKED];

        for (uint32_t k = 0; k < BL_VCPU_BLOCKED; k++) {
            assert_true(got[v][k] == m->state_ns[v][k]);
            all += got[v][k];
        }
        assert_true(got[v][BL_VCPU_BLOCKED] == 0);
        assert_true(all == inside(m, 0, m->now_ns)); /* tiled */
    }
}

static void test_chrome_pieces_are_what_happened(void **state)
{
    const uint64_t seed = test_seed();
    size_t most = 0;

    (void)state;
    for (uint64_t round = 0; round < 12; round++) {
        struct model m = { .prng = bl_prng_stream(seed, round) };
        struct paper p;
        struct span *s;
        size_t n;
        uint64_t marks;
        json_t *doc;

        play_random(&m, &p, BL_TIMELINE_CHROME);
        doc = parsed(p.text);
        s = spans_of(doc, &n, &marks);
        check_no_overlap(s, n, &m);
        check_times(s, n, &m);
        assert_int_equal(marks, m.moves + m.costops);
        most = n > most ? n : most;
        free(s);
        json_decref(doc);
        free(p.text);
    }
    assert_true(most > 500); /* it was not about nothing */
}

/* Each thread that has a piece or a mark has a name, and its process has. */
static void test_chrome_threads_have_names_that_survive(void **state)
{
    struct model m = { .prng = { test_seed() } };
    struct paper p;
    const json_t *e, *args;
    bool process[VMS + 2] = { false }, thread[VCPUS] = { false };
    uint32_t pcpus = 0;
    size_t i;
    json_t *doc;

    (void)state;
    play_random(&m, &p, BL_TIMELINE_CHROME);
    doc = parsed(p.text);
    json_array_foreach(json_object_get(doc, "traceEvents"), i, e)
    {
        const char *what = json_string_value(json_object_get(e, "name"));
        const long long pid = int_of(e, "pid");

        args = json_object_get(e, "args");
        if (strcmp(what, "process_name") == 0) {
            assert_false(process[pid]); /* once */
            process[pid] = true;
            if (pid == 3)
                assert_string_equal(
                    json_string_value(json_object_get(args, "name")),
                    "web \"<1>\" & \\?");
        } else if (strcmp(what, "thread_name") == 0 && pid > 1) {
            assert_true(process[pid]);
            thread[int_of(e, "tid") - 200000] = true;
        } else if (strcmp(what, "thread_name") == 0) {
            pcpus++;
        } else if (json_object_get(e, "ts") != NULL && pid > 1) {
            assert_true(thread[int_of(e, "tid") - 200000]);
        }
    }
    assert_int_equal(pcpus, PCPUS);
    json_decref(doc);
    free(p.text);
}

/* ---- a real dispatcher -------------------------------------------------- */

static void to_timeline(void *ctx, const struct bl_sched_event *e)
{
    bl_timeline_event(*(struct bl_timeline **)ctx, e);
}

static void settle_picks(struct bl_sched *s, int64_t *until_ns, int64_t now_ns)
{
    uint32_t p;

    for (p = 0; p < PCPUS; p++)
        if (now_ns >= until_ns[p])
            until_ns[p] = bl_sched_pick(s, p, now_ns).until_ns;
    while (bl_sched_kicked(s, &p))
        until_ns[p] = bl_sched_pick(s, p, now_ns).until_ns;
}

/* Wakes and halts at random, picks when they are due. */
static int64_t drive(struct bl_sched *s, struct bl_prng *prng)
{
    int64_t until_ns[PCPUS], now_ns = 0;

    for (uint32_t p = 0; p < PCPUS; p++)
        until_ns[p] = INT64_MAX;
    for (uint32_t i = 0; i < STEPS; i++) {
        const uint32_t p = (uint32_t)bl_prng_below(prng, PCPUS);
        int64_t next_ns = now_ns + (int64_t)bl_prng_below(prng, MS);

        if (bl_sched_next_ns(s) < next_ns)
            next_ns = bl_sched_next_ns(s);
        for (uint32_t k = 0; k < PCPUS; k++)
            if (until_ns[k] < next_ns)
                next_ns = until_ns[k];
        now_ns = next_ns > now_ns ? next_ns : now_ns;
        if (now_ns >= bl_sched_next_ns(s))
            bl_sched_tick(s, now_ns);
        settle_picks(s, until_ns, now_ns);
        if (bl_prng_below(prng, 3) > 0)
            bl_sched_wake(s, (uint32_t)bl_prng_below(prng, VCPUS), BL_NO_PCPU,
                          now_ns);
        else if (bl_sched_running(s, p) != BL_NO_VCPU)
            bl_sched_block(s, p, now_ns);
        settle_picks(s, until_ns, now_ns);
    }
    return now_ns + MS;
}

/* What the timeline shows of each vCPU is what the dispatcher accounts. */
static void test_a_dispatcher_and_its_timeline_agree(void **state)
{
    struct bl_prng prng = { test_seed() };
    struct model m = { .until_ns = BL_SCHED_NS_MAX };
    struct bl_sched *s = NULL;
    struct bl_diag diag;
    struct bl_topo topo;
    struct bl_arena a;
    struct paper p;
    struct span *span;
    uint64_t marks;
    size_t n;
    json_t *doc;

    (void)state;
    bl_topo_grid(1, 2, 2, 1, &topo);
    open_paper(&p, BL_TIMELINE_CHROME, 0, m.until_ns);
    assert_ok(bl_arena_init(&a, 1 << 24));
    assert_ok(bl_sched_create(&a,
                              &(struct bl_sched_opts){
                                  .topo = &topo,
                                  .policy = "fair",
                                  .mode = "none",
                                  .vm_count_max = VMS,
                                  .vcpu_count_max = VCPUS,
                                  .smt_ppm = 1000000,
                                  .sink = to_timeline,
                                  .sink_ctx = &p.t,
                              },
                              &s, &diag));
    for (uint32_t vm = 0; vm < VMS; vm++) {
        const struct bl_sched_settings set = {
            .shares = 1000, .limit_ppm = vm == 1 ? 200000 : BL_NO_LIMIT
        };
        uint32_t id;

        assert_ok(bl_sched_vm_add(s, &set, first_of[vm + 1] - first_of[vm],
                                  NULL, &id));
    }
    m.now_ns = drive(s, &prng);
    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct bl_sched_account got = bl_sched_vcpu(s, v, m.now_ns);

        memcpy(m.state_ns[v], got.state_ns, sizeof(got.state_ns));
    }
    close_paper(&p, m.now_ns);
    doc = parsed(p.text);
    span = spans_of(doc, &n, &marks);
    for (size_t i = 0; i < n; i++)
        if (span[i].pid == 1)
            m.busy_ns[span[i].tid - 100000] +=
                span[i].until_ns - span[i].from_ns;
    check_no_overlap(span, n, &m);
    check_times(span, n, &m);
    assert_true(n > STEPS / 2);
    free(span);
    json_decref(doc);
    free(p.text);
    bl_arena_free(&a);
}

/* ---- SVG ---------------------------------------------------------------- */

/* Tags open and close in order, text and values are escaped. */
static void check_well_formed(const char *text)
{
    uint32_t depth = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '&')
            assert_true(strspn(c + 1, "abcdefghijklmnopqrstuvwxyz") > 1 &&
                        c[1 + strspn(c + 1, "abcdefghijklmnopqrstuvwxyz")] ==
                            ';');
        if (*c != '<')
            continue;

        const char *end = strchr(c, '>');

        assert_non_null(end);
        assert_true(strcspn(c + 1, "<") > (size_t)(end - c - 1));
        if (c[1] == '/')
            assert_true(depth-- > 0);
        else if (end[-1] != '/')
            depth++;
        c = end;
    }
    assert_int_equal(depth, 0);
}

static uint32_t times(const char *text, const char *what)
{
    uint32_t n = 0;

    while ((text = strstr(text, what)) != NULL) {
        n++;
        text += strlen(what);
    }
    return n;
}

static void test_svg_is_well_formed(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t round = 0; round < 12; round++) {
        struct model m = { .prng = bl_prng_stream(seed, round) };
        struct paper p;

        play_random(&m, &p, BL_TIMELINE_SVG);
        check_well_formed(p.text);
        assert_null(strstr(p.text, "Incomplete"));
        if (m.now_ns < m.until_ns)
            assert_non_null(strstr(p.text, "The run ended at"));
        if (strstr(p.text, "web") != NULL)
            assert_non_null(strstr(p.text,
                                   ">web &quot;&lt;1&gt;&quot; &amp; "
                                   "\\?<"));
        free(p.text);
    }
}

static void test_a_full_picture_says_so(void **state)
{
    enum { RUNS = 5000 };
    struct paper paper, *p = &paper;

    (void)state;
    open_paper(p, BL_TIMELINE_SVG, 0, INT64_C(2) * RUNS * US);
    PUT(0, 0, 0, BLOCKED, READY, WOKE, 0);
    for (int64_t i = 0; i < RUNS; i++) {
        PUT(i * 2, 0, 1, READY, RUN, PICKED, 0);
        PUT(i * 2 + 1, 0, 1, RUN, READY, PREEMPTED, 0);
    }
    close_paper(p, INT64_C(2) * RUNS * US);
    check_well_formed(p->text);
    assert_int_equal(times(p->text, "<rect"), BL_TIMELINE_SVG_RECTS_MAX +
                                                  1 /* paper */ +
                                                  3 /* legend */);
    assert_non_null(strstr(p->text, "Incomplete from 8 ms on"));
    assert_true(p->size < 500000);
    free(p->text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_what_was_reviewed),
        cmocka_unit_test(test_events_that_cannot_be_are_refused),
        cmocka_unit_test(test_open_needs_all_of_its_memory),
        cmocka_unit_test(test_chrome_pieces_are_what_happened),
        cmocka_unit_test(test_chrome_threads_have_names_that_survive),
        cmocka_unit_test(test_a_dispatcher_and_its_timeline_agree),
        cmocka_unit_test(test_svg_is_well_formed),
        cmocka_unit_test(test_a_full_picture_says_so),
    };

    return cmocka_run_group_tests_name("timeline", tests, test_group_setup,
                                       NULL);
}
