/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_swf - jobs of a parallel machine's log: when each came, how long it ran
 * and on how many processors at once.
 *
 * Source     Standard Workload Format 2.2 (Feitelson, Parallel Workloads
 *            Archive): lines of 18 numbers, -1 where unknown; header comments
 *            begin with ';'. Fields used: 2 submit time, 4 run time (s), 5
 *            processors, or 8 (processors asked for) where 5 is unknown.
 * Idea       a job becomes a gang; its wait in the log is not used, because
 *            waiting is what is simulated.
 * Bound      every job line is read and counted once: kept, unknown, too wide,
 *            or outside the window (test_swf).
 * Deviation  jobs that are too wide are left out, not made narrower: a narrower
 *            job would be another one. Scaled times are rounded down, and a run
 *            is at least 1 ns.
 * Cost       linear in the file.
 */
#include "trace/tasks_priv.h"

#include "base/u128.h"

#include <stdlib.h>

#define SECOND_NS UINT64_C(1000000000)
#define PPM_FULL 1000000u
#define S_MAX UINT64_C(1000000000) /* 31 years */

enum { FIELDS = 18, SUBMIT = 2, RUN = 4, WIDTH = 5, WIDTH_ASKED = 8 };

struct line {
    struct bl__text field[FIELDS + 1]; /* from 1, as the format counts */
};

struct reader {
    struct bl__input *in;
    const struct bl_swf_opts *opts;
    struct bl_diag *diag;
    struct bl_job *job;
    size_t capacity;
    uint64_t submit_s, first_s; /* of the last line, of the first job */
    struct bl_job_set set;
};

static bl_err bad_field(const struct reader *r, int field, struct bl__text text,
                        const char *expected)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in),
                       "field %d is '%s', expected %s", field,
                       bl__quote(&(struct bl__quote){ "" }, text), expected);
}

static bl_err bad_count(const struct reader *r, int count)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in),
                       "%s18 fields, expected a line of 18 numbers",
                       count < FIELDS ? "fewer than " : "more than ");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static size_t digits_at(struct bl__text t, size_t i)
{
    const size_t first = i;

    while (i < t.size_bytes && t.p[i] >= '0' && t.p[i] <= '9')
        i++;
    return i - first;
}

/* Any number, as large as it likes: most fields are not used. CPU times may
 * have a fraction. */
static bool is_number(struct bl__text t)
{
    size_t i = t.size_bytes > 0 && t.p[0] == '-';
    size_t n = digits_at(t, i);

    i += n;
    if (n > 0 && i < t.size_bytes && t.p[i] == '.') {
        n = digits_at(t, ++i);
        i += n;
    }
    return n > 0 && i == t.size_bytes;
}

static bl_err split(const struct reader *r, struct bl__text text,
                    struct line *line)
{
    int count = 0;
    size_t i = 0;

    for (;;) {
        struct bl__text t;
        size_t first;

        while (i < text.size_bytes && is_space(text.p[i]))
            i++;
        if (i == text.size_bytes)
            break;
        first = i;
        while (i < text.size_bytes && !is_space(text.p[i]))
            i++;
        t = (struct bl__text){ text.p + first, i - first };
        if (++count > FIELDS)
            return bad_count(r, count);
        if (!is_number(t))
            return bad_field(r, count, t, "a number, or -1 (unknown)");
        line->field[count] = t;
    }
    return count == FIELDS ? BL_ERR_OK : bad_count(r, count);
}

/* A whole number of field @field; *known false: it is -1. */
static bl_err get(const struct reader *r, const struct line *line, int field,
                  uint64_t *v, bool *known)
{
    *v = 0;
    *known = !bl__text_is(line->field[field], "-1");
    if (*known && !bl__parse_u64(line->field[field], S_MAX, v))
        return bad_field(r, field, line->field[field],
                         field == SUBMIT
                             ? "a whole number up to 1000000000"
                             : "a whole number up to 1000000000, or -1 "
                               "(unknown)");
    return BL_ERR_OK;
}

static int64_t scaled_ns(const struct reader *r, uint64_t s)
{
    return (int64_t)bl_muldiv(s * SECOND_NS, r->opts->time_scale_ppm, PPM_FULL);
}

static bl_err add_job(struct reader *r, uint64_t run_s, uint64_t width)
{
    struct bl_job_set *set = &r->set;
    void *p = r->job;
    struct bl_job *job;

    if (bl__reserve(&p, &r->capacity, (size_t)set->job_count + 1,
                    sizeof(*job)) != BL_ERR_OK)
        return bl_diag_set(r->diag, BL_ERR_NOMEM, bl__input_label(r->in),
                           bl__input_line_number(r->in), "out of memory");
    r->job = p;
    if (set->job_count == 0)
        r->first_s = r->submit_s;
    job = &r->job[set->job_count++];
    job->arrive_ns = scaled_ns(r, r->submit_s - r->first_s);
    job->run_ns = scaled_ns(r, run_s);
    if (job->run_ns == 0)
        job->run_ns = 1;
    if (job->run_ns > BL_GUEST_NS_MAX)
        return bl_diag_set(r->diag, BL_ERR_FULL, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "a run of more than 11 days after scaling");
    job->width = (uint32_t)width;
    if (job->width > set->width_max)
        set->width_max = job->width;
    return BL_ERR_OK;
}

static bl_err take_job(struct reader *r, const struct line *line)
{
    uint64_t submit_s = 0, run_s = 0, width = 0;
    bool known = false, run_known, width_known;

    BL_TRY(get(r, line, SUBMIT, &submit_s, &known));
    if (!known || submit_s < r->submit_s)
        return bad_field(r, SUBMIT, line->field[SUBMIT],
                         "a submit time that is known and not before the line "
                         "above");
    r->submit_s = submit_s;
    BL_TRY(get(r, line, RUN, &run_s, &run_known));
    BL_TRY(get(r, line, WIDTH, &width, &width_known));
    if (width == 0)
        BL_TRY(get(r, line, WIDTH_ASKED, &width, &width_known));
    if (r->set.record_count++ < r->opts->job_first ||
        r->set.job_count == r->opts->job_count_max)
        return BL_ERR_OK;
    if (run_s == 0 || width == 0) {
        r->set.unknown_count++;
        return BL_ERR_OK;
    }
    if (width > r->opts->width_max) {
        r->set.too_wide_count++;
        return BL_ERR_OK;
    }
    return add_job(r, run_s, width);
}

/* "; MaxProcs: 128"; other comments say nothing to us. */
static void take_comment(struct reader *r, struct bl__text text)
{
    static const char key[] = "MaxProcs:";
    uint64_t v;

    while (text.size_bytes > 0 && (is_space(*text.p) || *text.p == ';')) {
        text.p++;
        text.size_bytes--;
    }
    if (text.size_bytes < sizeof(key) - 1 ||
        memcmp(text.p, key, sizeof(key) - 1) != 0)
        return;
    text.p += sizeof(key) - 1;
    text.size_bytes -= sizeof(key) - 1;
    while (text.size_bytes > 0 && is_space(*text.p)) {
        text.p++;
        text.size_bytes--;
    }
    if (bl__parse_u64(bl__cut(&text, ' '), UINT32_MAX, &v))
        r->set.machine_width = (uint32_t)v;
}

static bl_err read_lines(struct reader *r)
{
    struct bl__text text;
    bl_err e;

    while ((e = bl__input_line(r->in, &text, r->diag)) == BL_ERR_OK) {
        struct line line = { 0 };
        size_t i = 0;

        while (i < text.size_bytes && is_space(text.p[i]))
            i++;
        if (i == text.size_bytes)
            continue;
        if (text.p[i] == ';') {
            take_comment(r, text);
            continue;
        }
        BL_TRY(split(r, text, &line));
        BL_TRY(take_job(r, &line));
    }
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

static bl_err read_all(struct reader *r, struct bl_arena *a,
                       struct bl_job_set *out)
{
    struct bl_job *job;

    BL_TRY(read_lines(r));
    if (r->set.job_count == 0)
        return bl_diag_set(r->diag, BL_ERR_PARSE, bl__input_label(r->in), 0,
                           "no job to use among %llu, expected one with run "
                           "time and processors, of at most %u",
                           (unsigned long long)r->set.record_count,
                           r->opts->width_max);
    job = bl_arena_get(a, r->set.job_count, sizeof(*job));
    if (job == NULL)
        return bl_diag_set(r->diag, BL_ERR_NOMEM, bl__input_label(r->in), 0,
                           "out of memory");
    memcpy(job, r->job, r->set.job_count * sizeof(*job));
    *out = r->set;
    out->job = job;
    return BL_ERR_OK;
}

bl_err bl_jobs_read_swf(const char *path, const struct bl_swf_opts *opts,
                        struct bl_arena *a, struct bl_job_set *out,
                        struct bl_diag *diag)
{
    struct reader r = { .opts = opts, .diag = diag };
    bl_err e;

    BL_ASSERT(opts->job_count_max >= 1);
    BL_ASSERT(opts->job_count_max <= BL_JOBS_MAX);
    BL_ASSERT(opts->width_max >= 1);
    BL_ASSERT(opts->time_scale_ppm >= 1);
    BL_ASSERT(opts->time_scale_ppm <= PPM_FULL);
    BL_TRY(bl__input_open_as(path, "a workload log (SWF)", &r.in, diag));
    if (bl__input_kind(r.in) == BL__INPUT_STREAM)
        e = read_all(&r, a, out);
    else
        e = bl_diag_set(
            diag, BL_ERR_PARSE, bl__input_label(r.in), 0,
            "is a folder or an archive, expected a workload log (SWF)");
    free(r.job);
    bl__input_close(r.in);
    return e;
}
