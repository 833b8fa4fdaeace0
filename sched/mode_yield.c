/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yield - a vCPU that spins gives its pCPU to a sibling that waits.
 *
 * Source     the directed yield of Linux/KVM on a pause-loop exit, as its
 *            documentation and van Riel's "Directed yield for pause loop
 *            exiting" (KVM Forum 2011 [recalled]) describe it.
 * Idea       whoever spins long enough to exit may be waiting for a sibling
 *            that was preempted; nobody knows for which. So the siblings that
 *            wait for a pCPU are helped in turn, one at each exit.
 * Bound      each exit starts at most one sibling, where the spinner ran; no
 *            sibling is helped again before the others that wait had their turn
 *            (test_sched_modes).
 * Deviation  KVM makes the sibling the next choice of its own queue; we let it
 *            run where the spinner ran.
 * Cost       an exit O(VM size).
 */
#include "sched/cosched.h"

static void yield_hint(struct bl_sched *s, enum bl_sched_hint hint, uint32_t v,
                       uint32_t other)
{
    (void)other;
    if (hint == BL_HINT_PAUSE)
        (void)bl__yield_to_sibling(s, v, INT64_MAX);
}

const struct bl__mode bl__mode_yield = {
    .info = { .name = "yield",
              .summary = "peer: KVM's directed yield of vCPUs that spin",
              .source = "Linux/KVM documentation; van Riel 2011" },
    .hint = yield_hint,
};
