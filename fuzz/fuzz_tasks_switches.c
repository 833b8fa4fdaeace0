/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tasks_switches - any bytes as a capture; what a task did fits into the
 * time of the capture. */
#define _GNU_SOURCE
#include "fuzz/tasks_fuzz.h"

static bl_err read_tasks(const char *path, struct bl_arena *a,
                         struct bl_task_set *out, struct bl_diag *diag)
{
    const struct bl_switches_opts opts = { 1000 };

    BL_TRY(bl_tasks_read_switches(path, &opts, a, out, diag));
    for (uint32_t i = 0; i < out->task_count; i++) {
        const struct bl_task *t = &out->task[i];
        const struct tasks_walk w = tasks_walk_one(out, t, UINT64_MAX);

        BL_ASSERT(w.ended && w.run_ns == (uint64_t)t->work_ns);
        BL_ASSERT(w.run_ns + w.sleep_ns <= (uint64_t)out->span_ns);
        BL_ASSERT(i == 0 || t[-1].work_ns >= t->work_ns);
    }
    return BL_ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_tasks(data, size, read_tasks);
    return 0;
}
