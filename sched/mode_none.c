/* SPDX-License-Identifier: Apache-2.0 */
/*
 * none - no co-scheduling: the vCPUs of a VM are scheduled as if they were
 * strangers.
 *
 * Source     every general-purpose scheduler.
 * Idea       do nothing: the baseline of every other mode.
 * Bound      the policy's own.
 * Deviation  none.
 * Cost       none.
 */
#include "sched/sched_priv.h"

const struct bl__mode bl__mode_none = {
    .info = { .name = "none",
              .summary = "vCPUs of a VM run independently",
              .source = "the baseline" },
};
