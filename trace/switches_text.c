/* SPDX-License-Identifier: Apache-2.0 */
/* trace/switches_text.c - one line of `trace-cmd report`, taken apart; the two
 * ways in which it writes an event are in doc/formats/switches.md. */
#include "trace/switches_priv.h"

enum { CPU_BYTES = 6 }; /* " [000]": at least, as trace-cmd writes it */

/* ---- text --------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct bl__text bl__report_trim(struct bl__text t)
{
    while (t.size_bytes > 0 && t.p[0] == ' ') {
        t.p++;
        t.size_bytes--;
    }
    while (t.size_bytes > 0 && t.p[t.size_bytes - 1] == ' ')
        t.size_bytes--;
    return t;
}

/* Where @c comes last in @t; false: nowhere. */
static bool find_last(struct bl__text t, char c, size_t *at)
{
    for (size_t i = t.size_bytes; i-- > 0;) {
        if (t.p[i] == c) {
            *at = i;
            return true;
        }
    }
    return false;
}

static struct bl__text part(struct bl__text t, size_t from, size_t to)
{
    return (struct bl__text){ t.p + from, to - from };
}

/* Where @s begins in @t; false: nowhere. */
static bool find(struct bl__text t, const char *s, size_t *at)
{
    const size_t n = strlen(s);

    for (size_t i = 0; i + n <= t.size_bytes; i++) {
        if (memcmp(t.p + i, s, n) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

static bool contains(struct bl__text t, const char *s)
{
    size_t at;

    return find(t, s, &at);
}

static bool starts_with(struct bl__text t, const char *s)
{
    const size_t n = strlen(s);

    return t.size_bytes >= n && memcmp(t.p, s, n) == 0;
}

/* Cuts @t behind the first @s; *before (or NULL) is what was before it. */
static bool cut_at(struct bl__text *t, const char *s, struct bl__text *before)
{
    size_t at;

    if (!find(*t, s, &at))
        return false;
    if (before != NULL)
        *before = part(*t, 0, at);
    *t = part(*t, at + strlen(s), t->size_bytes);
    return true;
}

static bool fault(struct bl__report_fault *f, const char *what,
                  struct bl__text text, const char *expected)
{
    *f = (struct bl__report_fault){ what, expected, text };
    return false;
}

/* ---- a line ------------------------------------------------------------- */

/* Where " [DIGITS] " begins, and ends. */
static bool find_cpu(struct bl__text t, size_t *from, size_t *to)
{
    for (size_t i = 0; i + 1 < t.size_bytes; i++) {
        size_t k = i + 2;

        if (t.p[i] != ' ' || t.p[i + 1] != '[')
            continue;
        while (k < t.size_bytes && is_digit(t.p[k]))
            k++;
        if (k > i + 2 && k < t.size_bytes && t.p[k] == ']') {
            *from = i;
            *to = k + 1;
            return true;
        }
    }
    return false;
}

/* "COMM-PID [CPU]" at the front of *@line, which is what follows then. *sure:
 * no other text looks like that. */
static bool take_front(struct bl__text *line, struct bl__report_line *out,
                       bool *sure)
{
    struct bl__text who;
    size_t from, to, dash;

    if (!find_cpu(*line, &from, &to) ||
        !bl__parse_u64(part(*line, from + 2, to - 1), UINT32_MAX, &out->cpu))
        return false;
    who = bl__report_trim(part(*line, 0, from));
    if (!find_last(who, '-', &dash) ||
        !bl__parse_u64(part(who, dash + 1, who.size_bytes), INT32_MAX,
                       &out->pid))
        return false;
    *line = bl__report_trim(part(*line, to, line->size_bytes));
    *sure = to - from >= CPU_BYTES;
    return true;
}

/* "FLAGS? SECONDS: EVENT: WHAT". */
static bool take_event(struct bl__text rest, struct bl__report_line *out)
{
    struct bl__text token = bl__cut(&rest, ' ');

    if (token.size_bytes > 0 && token.p[token.size_bytes - 1] != ':') {
        rest = bl__report_trim(rest); /* that was flags */
        token = bl__cut(&rest, ' ');
    }
    if (token.size_bytes == 0 || token.p[token.size_bytes - 1] != ':')
        return false;
    token.size_bytes--;
    out->time = token;
    rest = bl__report_trim(rest);
    if (!cut_at(&rest, ":", &out->event) || out->event.size_bytes == 0)
        return false;
    out->what = bl__report_trim(rest);
    return bl__parse_fixed(token, 9, &out->t_ns) && out->t_ns <= INT64_MAX;
}

enum bl__report_kind bl__report_line(struct bl__text line,
                                     struct bl__report_line *out)
{
    struct bl__text rest = line;
    bool sure = false;

    if (take_front(&rest, out, &sure) && take_event(rest, out))
        return BL__REPORT_EVENT;
    if (contains(line, "EVENTS DROPPED]") ||
        (contains(line, "[LOST ") && contains(line, "EVENTS]")))
        return BL__REPORT_LOST;
    return sure || contains(line, "sched_switch:") ||
                   contains(line, "sched_wak")
               ? BL__REPORT_BROKEN
               : BL__REPORT_TEXT;
}

/* ---- events as their format says ---------------------------------------- */

/* "COMM:PID [PRIO]", then *rest. */
static bool task(struct bl__text t, struct bl__report_task *out,
                 struct bl__text *rest, struct bl__report_fault *f)
{
    size_t open, close, colon;
    struct bl__text who;

    if (!find_last(t, '[', &open) || !find_last(t, ']', &close) || close < open)
        return fault(f, "task", t, "COMM:PID [PRIO]");
    who = bl__report_trim(part(t, 0, open));
    *rest = bl__report_trim(part(t, close + 1, t.size_bytes));
    if (!find_last(who, ':', &colon))
        return fault(f, "task", who, "COMM:PID");
    out->comm = part(who, 0, colon);
    out->pid = part(who, colon + 1, who.size_bytes);
    return true;
}

static bool plain_switch(struct bl__text what, struct bl__report_switch *out,
                         struct bl__report_fault *f)
{
    struct bl__text next = what, prev, state, behind;

    if (!cut_at(&next, " ==> ", &prev))
        return fault(f, "switch", what, "COMM:PID [PRIO] STATE ==> ...");
    if (!task(prev, &out->prev, &state, f) ||
        !task(next, &out->next, &behind, f))
        return false;
    if (state.size_bytes == 0 || is_digit(state.p[0]))
        return fault(f, "state", state, "letters such as R or S");
    if (behind.size_bytes > 0)
        return fault(f, "text behind a switch", behind, "the end of the line");
    out->still_runnable = state.p[0] == 'R';
    return true;
}

/* ---- events by field ---------------------------------------------------- */

/* "KEY_COMM=COMM KEY_PID=PID" at the front of *@t, which is what follows. */
static bool fields_task(struct bl__text *t, const char *comm, const char *pid,
                        struct bl__report_task *out)
{
    *t = bl__report_trim(*t);
    if (!starts_with(*t, comm))
        return false;
    *t = part(*t, strlen(comm), t->size_bytes);
    if (!cut_at(t, pid, &out->comm))
        return false;
    out->pid = bl__cut(t, ' ');
    return true;
}

static bool parse_hex(struct bl__text t, uint64_t *out)
{
    uint64_t v = 0;

    if (t.size_bytes < 3 || t.size_bytes > 18 || !starts_with(t, "0x"))
        return false;
    for (size_t i = 2; i < t.size_bytes; i++) {
        const char c = t.p[i];

        if (!is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        v = v << 4 | (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = v;
    return true;
}

/* Letters, or the kernel's number, of which the low byte counts. */
static bool take_state(struct bl__text t, bool *still_runnable)
{
    uint64_t v = 0;

    if (t.size_bytes > 0 && t.p[0] >= 'A' && t.p[0] <= 'Z') {
        *still_runnable = t.p[0] == 'R';
        return true;
    }
    if (!parse_hex(t, &v) && !bl__parse_u64(t, UINT64_MAX, &v))
        return false;
    *still_runnable = (v & BL__STATE_MASK) == 0;
    return true;
}

static bool fields_switch(struct bl__text what, struct bl__report_switch *out,
                          struct bl__report_fault *f)
{
    struct bl__text t = what, state;

    if (!fields_task(&t, "prev_comm=", " prev_pid=", &out->prev) ||
        !cut_at(&t, "prev_state=", NULL))
        return fault(f, "switch", what,
                     "prev_comm=COMM prev_pid=PID ... prev_state=STATE ...");
    state = bl__cut(&t, ' ');
    if (!take_state(state, &out->still_runnable))
        return fault(f, "state", state,
                     "letters such as R or S, or the kernel's number");
    t = bl__report_trim(t);
    if (starts_with(t, "==> "))
        t = part(t, 4, t.size_bytes);
    if (!fields_task(&t, "next_comm=", " next_pid=", &out->next) ||
        !starts_with(bl__report_trim(t), "next_prio="))
        return fault(f, "switch", t, "next_comm=COMM next_pid=PID next_prio=");
    return true;
}

/* ---- both --------------------------------------------------------------- */

bool bl__report_switch(struct bl__text what, struct bl__report_switch *out,
                       struct bl__report_fault *f)
{
    return starts_with(what, "prev_comm=") && contains(what, " prev_pid=")
               ? fields_switch(what, out, f)
               : plain_switch(what, out, f);
}

bool bl__report_wake(struct bl__text what, struct bl__report_task *out,
                     struct bl__report_fault *f)
{
    struct bl__text t = what, rest;

    if (starts_with(what, "comm=") && contains(what, " pid=")) {
        if (fields_task(&t, "comm=", " pid=", out) &&
            starts_with(bl__report_trim(t), "prio="))
            return true;
        return fault(f, "wake-up", what, "comm=COMM pid=PID prio=PRIO");
    }
    return task(what, out, &rest, f);
}
