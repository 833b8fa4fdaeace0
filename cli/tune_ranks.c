/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a batch, given out to the ranks of an MPI job.
 *
 * Rank 0 gives each rank one run more than it has threads, so that none waits
 * for an answer, and works itself. In every process the main thread does all
 * the talking; it sleeps between looks, as a rank that spins would take the
 * core of one that runs. Where OpenMP gives it no other thread, it does both in
 * turn.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/tune_priv.h"

#include <omp.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 200000 /* between two looks: short against a run */

static void rest(void)
{
    const struct timespec t = { .tv_nsec = LOOK_NS };

    nanosleep(&t, NULL);
}

static void text_to(char out[BL_DIAG_BYTES], const struct bl_diag *diag)
{
    memcpy(out, diag->text, BL_DIAG_BYTES);
}

/* ---- rank 0 ------------------------------------------------------------- */

static void refuse_rank(struct bl_tune_queue *q, int rank, bl_err e,
                        const char *text)
{
    if (q->err == BL_ERR_OK)
        q->err = bl_diag_set(&q->diag, e, NULL, 0, "rank %d: %s", rank, text);
}

/* Inside the critical section. */
static void hear(struct bl_ranks *r, struct bl_tune_queue *q, int from,
                 const struct bl_rank_message *m, uint32_t *outstanding)
{
    struct bl_diag diag;

    if (m->kind == BL_RANK_HELLO) {
        r->known[from] = true;
        r->credit[from] = m->threads + 1;
        if (m->err != BL_ERR_OK)
            refuse_rank(q, from, (bl_err)m->err, m->text);
        else if (m->hash != bl_tune_hash(q->t))
            refuse_rank(q, from, BL_ERR_INVAL,
                        "reads another scenario, trace or version, expected "
                        "the same files on every machine");
        return;
    }
    BL_ASSERT(m->kind == BL_RANK_RESULT && *outstanding > 0);
    (*outstanding)--;
    r->credit[from]++;
    memcpy(diag.text, m->text, BL_DIAG_BYTES);
    bl_tune_queue_end(q, m->job, (bl_err)m->err, m->done != 0, &m->figures,
                      &diag);
}

/* Work for everybody who can take some; whether there was any. */
static bool give(struct bl_ranks *r, struct bl_tune_queue *q,
                 uint32_t *outstanding)
{
    bool given = false;

    for (int to = 1; to < r->size; to++) {
        struct bl_rank_message m = { .kind = BL_RANK_WORK };
        uint32_t i = BL_NONE;

        if (r->credit[to] == 0)
            continue;
#pragma omp critical(bl_tune_queue)
        i = bl_tune_queue_take(q);
        if (i == BL_NONE)
            return given;
        m.job = i;
        m.point = q->job[i].point;
        m.trace = q->job[i].trace;
        m.steps = q->job[i].steps;
        r->credit[to]--;
        (*outstanding)++;
        r->send(r->ctx, to, &m);
        given = true;
    }
    return given;
}

static bool all_known(const struct bl_ranks *r)
{
    for (int i = 1; i < r->size; i++)
        if (!r->known[i])
            return false;
    return true;
}

/* Until nothing is left to give and everything given has come back. */
static void dispatch(struct bl_ranks *r, struct bl_tune_queue *q)
{
    uint32_t outstanding = 0;

    for (;;) {
        struct bl_rank_message m;
        bool busy = false, over;
        int from = 0;

        while (r->poll(r->ctx, &from, &m)) {
            busy = true;
#pragma omp critical(bl_tune_queue)
            hear(r, q, from, &m, &outstanding);
        }
        busy = give(r, q, &outstanding) || busy;
#pragma omp critical(bl_tune_queue)
        over = q->next == q->count || q->err != BL_ERR_OK || bl_cli_stop != 0;
        /* who has not said HELLO may be of another mind: wait for it */
        if (over && outstanding == 0 && (all_known(r) || bl_cli_stop != 0))
            return;
        if (!busy && omp_get_num_threads() == 1)
            (void)bl_tune_queue_step(q);
        else if (!busy)
            rest();
    }
}

void bl_tune_ranks_batch(struct bl_ranks *r, struct bl_tune_queue *q)
{
#pragma omp parallel num_threads((int)q->t->args->threads + 1)
    {
        if (omp_get_thread_num() == 0)
            dispatch(r, q);
        else
            bl_tune_queue_work(q);
    }
}

void bl_tune_ranks_quit(struct bl_ranks *r)
{
    const struct bl_rank_message quit = { .kind = BL_RANK_QUIT };
    struct bl_rank_message m;
    int from = 0;

    while (!all_known(r)) {
        if (r->poll(r->ctx, &from, &m))
            r->known[from] = true;
        else
            rest();
    }
    for (int to = 1; to < r->size; to++)
        r->send(r->ctx, to, &quit);
}

void bl_tune_ranks_leave(struct bl_ranks *r, const char *why)
{
    struct bl_rank_message m = { .kind = BL_RANK_HELLO, .err = BL_ERR_INVAL };
    int from = 0;

    if (r->rank == 0) {
        bl_tune_ranks_quit(r);
        return;
    }
    snprintf(m.text, sizeof(m.text), "%s", why);
    r->send(r->ctx, 0, &m);
    while (m.kind != BL_RANK_QUIT)
        if (!r->poll(r->ctx, &from, &m))
            rest();
}

/* ---- the others --------------------------------------------------------- */

enum { WAITING_MAX = 512 }; /* more than threads + 1 */

/* What has come in and what is to go out; WORK becomes RESULT in place. */
struct server {
    struct bl_tune *t;
    struct bl_rank_message in[WAITING_MAX], out[WAITING_MAX];
    uint32_t in_count, out_count;
    bool quit;
};

static void make_run(struct bl_tune *t, struct bl_rank_message *m)
{
    const struct bl_tune_job job = { .point = m->point,
                                     .trace = m->trace,
                                     .steps = m->steps };
    struct bl_diag diag = { "" };
    bool done = false;

    BL_ASSERT(m->kind == BL_RANK_WORK && m->point < t->plan.point_count &&
              m->trace < t->trace_count + t->other_count);
    m->kind = BL_RANK_RESULT;
    m->err = (uint32_t)bl_tune_run(t, &job, &done, &m->figures, &diag);
    m->done = done;
    text_to(m->text, &diag);
}

/* Makes one run of those that have come; false: there was none. */
static bool work_once(struct server *s)
{
    struct bl_rank_message m;
    bool got;

#pragma omp critical(bl_tune_server)
    {
        got = s->in_count > 0;
        if (got) {
            m = s->in[0];
            memmove(s->in, s->in + 1, --s->in_count * sizeof(s->in[0]));
        }
    }
    if (!got)
        return false;
    make_run(s->t, &m);
#pragma omp critical(bl_tune_server)
    s->out[s->out_count++] = m;
    return true;
}

static void work(struct server *s)
{
    bool quit = false;

    while (!quit) {
        if (work_once(s))
            continue;
        rest();
#pragma omp critical(bl_tune_server)
        quit = s->quit;
    }
}

/* One look at both boxes; whether there was anything. */
static bool talk(struct server *s, const struct bl_ranks *r)
{
    struct bl_rank_message m;
    bool busy = false, some;
    int from = 0;

    do {
#pragma omp critical(bl_tune_server)
        {
            some = s->out_count > 0;
            if (some)
                m = s->out[--s->out_count];
        }
        if (some)
            r->send(r->ctx, 0, &m);
        busy = busy || some;
    } while (some);
    while (!s->quit && r->poll(r->ctx, &from, &m)) {
        busy = true;
#pragma omp critical(bl_tune_server)
        {
            if (m.kind == BL_RANK_QUIT) {
                s->quit = true;
            } else {
                BL_ASSERT(s->in_count < WAITING_MAX);
                s->in[s->in_count++] = m;
            }
        }
    }
    return busy;
}

/* Everything given to this rank is answered before rank 0 says QUIT. */
void bl_tune_ranks_serve(struct bl_tune *t, bl_err e,
                         const struct bl_diag *diag)
{
    static struct server s; /* too large for a stack */
    struct bl_ranks *r = t->ranks;
    struct bl_rank_message hello = { .kind = BL_RANK_HELLO,
                                     .err = (uint32_t)e,
                                     .threads = t->args->threads };

    text_to(hello.text, diag);
    if (e == BL_ERR_OK)
        hello.hash = bl_tune_hash(t);
    r->send(r->ctx, 0, &hello);
    s = (struct server){ .t = t };
#pragma omp parallel num_threads((int)t->args->threads + 1)
    {
        if (omp_get_thread_num() == 0) {
            while (!s.quit) {
                const bool busy = talk(&s, r);

                if (omp_get_num_threads() == 1)
                    (void)work_once(&s);
                else if (!busy)
                    rest();
            }
        } else {
            work(&s);
        }
    }
}
