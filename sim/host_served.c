/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_served - what VMs were entitled to, or had reserved and wanted, and did
 * not get in time.
 *
 * Source     arrival and service curves of network calculus (Cruz, IEEE Trans.
 *            Information Theory 37(1), 1991): late is what the service curve
 *            has not reached so long after the arrival curve did.
 * Idea       in every 10 ms the fluid ideal at full speed does some work of a
 *            VM, which joins a queue; what the VM receives leaves it, first in,
 *            first out. What is still in the queue 10 ms, 100 ms or 1 s after
 *            it joined was not served in that time, and is not waited for any
 *            more. So who is too slow for ever loses what it is too slow by.
 *            Received beyond the ideal does not count for later: the queue is
 *            never below 0.
 * Bound      0 <= not served in 1 s <= in 100 ms <= in 10 ms <= ideal; by hand
 *            (test_host_power).
 * Deviation  whole windows of 10 ms: what the ideal did in one may have come at
 *            its start.
 * Cost       O(1) a VM and window.
 */
#include "sim/host_power_priv.h"

static const uint32_t windows[BL_WINDOWS] = { 1, 10, 100 };

/* @due_ns came in the window that ends, @got_ns were received; @done: all that
 * ever came is done, whatever the estimate of it was. */
static void serve(struct host_served *q, uint32_t at, int64_t due_ns,
                  int64_t got_ns, bool done)
{
    for (uint32_t w = 0; w < BL_WINDOWS; w++) {
        const uint32_t then =
            (at + HOST_SECOND_WINDOWS - windows[w]) % HOST_SECOND_WINDOWS;
        const int64_t old_ns = q->due_ns[then]; /* so long ago */
        int64_t queue_ns = q->queue_ns[w] + due_ns - got_ns;

        queue_ns = queue_ns > 0 && !done ? queue_ns : 0;
        q->last_ns[w] += due_ns - old_ns;
        if (queue_ns > q->last_ns[w]) {
            q->late_ns[w] += queue_ns - q->last_ns[w];
            queue_ns = q->last_ns[w];
        }
        q->queue_ns[w] = queue_ns;
    }
    q->due_ns[at] = due_ns;
}

void bl__host_served_add(struct bl_host_sim *s, uint32_t vm, int64_t ideal_ns,
                         int64_t got_ns)
{
    struct host_power *w = s->power;
    const struct bl_claim *c = &s->measure.claim[vm];
    const int64_t promised_ns =
        (int64_t)(c->reservation < c->demand ? c->reservation : c->demand);

    const bool done = bl__host_all_done(s, &s->vm[vm]);

    serve(&w->ideal[vm], w->ring_at, ideal_ns, got_ns, done);
    serve(&w->promised[vm], w->ring_at, promised_ns, got_ns, done);
    w->promised_sum_ns[vm] += promised_ns;
}

void bl__host_served_fill(const struct bl_host_sim *s, uint32_t vm,
                          struct bl_host_vm_row *row)
{
    const struct host_power *w = s->power;

    for (int i = 0; i < BL_WINDOWS; i++)
        row->unserved_ns[i] = w->ideal[vm].late_ns[i];
    row->promised_ns = w->promised_sum_ns[vm];
    row->broken_ns = w->promised[vm].late_ns[BL_WINDOW_100MS];
}
