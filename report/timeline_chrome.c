/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace-event JSON of Chrome, which Perfetto reads as well.
 *
 * Source     "Trace Event Format" (public document of the Chromium project):
 *            complete events ("X"), instants ("i") and metadata ("M"); ts and
 *            dur in us, with decimals.  [recalled]
 * Idea       One object per line, written when the piece it describes ends.
 *            Readers sort by time themselves.
 * Deviation  Thread ids start above every process id and are never used twice:
 *            readers take a thread whose id is that of its process for its main
 *            one, and some know threads by their id alone.
 * Cost       O(1) per event, no memory.
 */
#include "report/report_priv.h"
#include "report/timeline_priv.h"

enum {
    PCPUS_PID = 1, /* VMs follow */
    PCPU_TID = 100000,
    VCPU_TID = 200000,
    NS_PER_US = 1000
};

_Static_assert(PCPUS_PID + BL_SCHED_VCPUS_MAX < PCPU_TID, "ids are told apart");
_Static_assert(PCPU_TID + BL_PCPUS_MAX < VCPU_TID, "ids are told apart");

struct chrome {
    bool *vm_named; /* [vm_count] */
};

static uint32_t vm_pid(uint32_t vm)
{
    return PCPUS_PID + 1 + vm;
}

/* Valid UTF-8 without control characters; so only two need escaping. */
static void put_name(FILE *f, const char *s)
{
    char clean[BL_TEXT_BYTES];

    bl__name(s, 0, true, clean, sizeof(clean));
    for (const char *c = clean; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', f);
        fputc(*c, f);
    }
}

static void put_us(FILE *f, int64_t ns)
{
    fprintf(f, "%lld.%03lld", (long long)(ns / NS_PER_US),
            (long long)(ns % NS_PER_US));
}

/* ---- who is who --------------------------------------------------------- */

/* The order in which processes and threads are shown is that of their ids. */
static void name_process(FILE *f, uint32_t pid, const char *name)
{
    fprintf(f,
            ",\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,\"args\":"
            "{\"name\":\"",
            pid);
    put_name(f, name);
    fprintf(f,
            "\"}},\n{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%u,"
            "\"args\":{\"sort_index\":%u}}",
            pid, pid);
}

static void name_thread(FILE *f, uint32_t pid, uint32_t tid, const char *kind,
                        uint32_t number)
{
    fprintf(f,
            ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%u,\"tid\":%u,"
            "\"args\":{\"name\":\"%s %u\"}},\n"
            "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%u,"
            "\"tid\":%u,\"args\":{\"sort_index\":%u}}",
            pid, tid, kind, number, pid, tid, tid);
}

static struct bl_timeline_vcpu who_is(struct bl_timeline *t, uint32_t vcpu)
{
    const struct bl_timeline_vcpu who = t->names(t->names_ctx, vcpu);
    struct chrome *c = t->own;

    BL_ASSERT(who.vm < t->vm_count);
    if (!c->vm_named[who.vm])
        name_process(t->f, vm_pid(who.vm), who.vm_name);
    c->vm_named[who.vm] = true;
    if (!t->lane[vcpu].named)
        name_thread(t->f, vm_pid(who.vm), VCPU_TID + vcpu, "vCPU", who.index);
    t->lane[vcpu].named = true;
    return who;
}

static bl_err chrome_open(struct bl_arena *a, struct bl_timeline *t)
{
    struct chrome *c = bl_arena_get(a, 1, sizeof(*c));

    if (c == NULL)
        return BL_ERR_NOMEM;
    c->vm_named = bl_arena_get(a, t->vm_count, sizeof(*c->vm_named));
    if (c->vm_named == NULL)
        return BL_ERR_NOMEM;
    t->own = c;
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"title\":\"", t->f);
    put_name(t->f, t->title);
    fputs(
        "\"},\"traceEvents\":[\n"
        "{\"ph\":\"M\",\"name\":\"process_labels\",\"pid\":1,"
        "\"args\":{\"labels\":\"what ran where\"}}",
        t->f);
    name_process(t->f, PCPUS_PID, "pCPUs");
    for (uint32_t p = 0; p < t->pcpu_count; p++)
        name_thread(t->f, PCPUS_PID, PCPU_TID + p, "pCPU", p);
    return BL_ERR_OK;
}

/* ---- events ------------------------------------------------------------- */

static void put_span(FILE *f, const struct bl_timeline_piece *p, uint32_t pid,
                     uint32_t tid)
{
    fprintf(f, ",\n{\"ph\":\"X\",\"pid\":%u,\"tid\":%u,\"ts\":", pid, tid);
    put_us(f, p->from_ns);
    fputs(",\"dur\":", f);
    put_us(f, p->until_ns - p->from_ns);
}

static void put_figures(FILE *f, enum bl_sched_reason r, const int64_t *figure)
{
    for (uint32_t i = 0; i < 2; i++) {
        const char *name = bl_sched_reason_figure(r, i);

        if (name[0] != '\0')
            fprintf(f, ",\"%s\":%lld", name, (long long)figure[i]);
    }
}

static void chrome_piece(struct bl_timeline *t,
                         const struct bl_timeline_piece *p)
{
    const struct bl_timeline_vcpu who = who_is(t, p->vcpu);
    const struct bl_timeline_lane *l = p->lane;

    put_span(t->f, p, vm_pid(who.vm), VCPU_TID + p->vcpu);
    fprintf(t->f, ",\"name\":\"%s\",\"args\":{\"why\":\"%s\"",
            bl_vcpu_state_name(l->state), bl_sched_reason_text(l->reason));
    put_figures(t->f, l->reason, l->figure);
    if (p->ended)
        fprintf(t->f, ",\"until\":\"%s\"", bl_sched_reason_text(p->end));
    if (l->state != BL_VCPU_RUN) {
        fputs("}}", t->f);
        return;
    }
    fprintf(t->f, ",\"pcpu\":%u}}", l->pcpu);
    put_span(t->f, p, PCPUS_PID, PCPU_TID + l->pcpu);
    fputs(",\"name\":\"", t->f);
    put_name(t->f, who.vm_name);
    fprintf(t->f, ".%u\",\"args\":{\"vcpu\":%u}}", who.index, p->vcpu);
}

static void chrome_mark(struct bl_timeline *t, const struct bl_timeline_mark *m)
{
    const struct bl_timeline_vcpu who = who_is(t, m->vcpu);
    const bool moved = m->from_pcpu != BL_NO_PCPU;

    fprintf(t->f, ",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":%u,\"tid\":%u,\"ts\":",
            vm_pid(who.vm), VCPU_TID + m->vcpu);
    put_us(t->f, m->now_ns);
    fprintf(t->f, ",\"name\":\"%s\",\"args\":{\"why\":\"%s\"",
            moved ? "moved" : "co-stopped", bl_sched_reason_text(m->e->reason));
    if (moved)
        fprintf(t->f, ",\"moved_from\":%u,\"moved_to\":%u", m->from_pcpu,
                m->e->pcpu);
    put_figures(t->f, m->e->reason, m->e->figure);
    fputs("}}", t->f);
}

static void chrome_close(struct bl_timeline *t, int64_t end_ns)
{
    (void)end_ns;
    fputs("\n]}\n", t->f);
}

const struct bl_timeline_writer bl__timeline_chrome = {
    .open = chrome_open,
    .piece = chrome_piece,
    .mark = chrome_mark,
    .close = chrome_close,
};
