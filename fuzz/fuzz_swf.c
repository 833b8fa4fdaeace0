/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_swf - any bytes as a log of jobs: every line is counted once, jobs come
 * in order, and reading again gives the same. */
#define _GNU_SOURCE
#include "fuzz/tasks_fuzz.h"

static uint64_t check(const struct bl_job_set *set,
                      const struct bl_swf_opts *opts)
{
    struct bl_hash h;

    bl_hash_init(&h);
    BL_ASSERT(set->job_count >= 1 && set->job_count <= opts->job_count_max);
    BL_ASSERT(set->job_count + set->unknown_count + set->too_wide_count <=
              set->record_count);
    BL_ASSERT(set->width_max >= 1 && set->width_max <= opts->width_max);
    BL_ASSERT(set->job[0].arrive_ns == 0);
    for (uint32_t i = 0; i < set->job_count; i++) {
        const struct bl_job *j = &set->job[i];

        BL_ASSERT(i == 0 || j->arrive_ns >= j[-1].arrive_ns);
        BL_ASSERT(j->run_ns >= 1 && j->run_ns <= BL_GUEST_NS_MAX);
        BL_ASSERT(j->width >= 1 && j->width <= set->width_max);
        bl_hash_u64(&h, (uint64_t)j->arrive_ns);
        bl_hash_u64(&h, (uint64_t)j->run_ns);
        bl_hash_u64(&h, j->width);
    }
    return bl_hash_value(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bl_swf_opts opts = { .job_first = 1,
                                      .job_count_max = 1000,
                                      .width_max = 100000,
                                      .time_scale_ppm = 1000 };
    const int fd = fuzz_file(data, size);
    uint64_t hash[2] = { 0, 0 };
    bl_err e[2];

    for (int i = 0; i < 2; i++) {
        struct bl_job_set set;
        struct bl_diag diag = { "" };
        struct bl_arena a;
        char path[32];

        BL_ASSERT(bl_arena_init(&a, FUZZ_ARENA_BYTES) == BL_ERR_OK);
        e[i] = bl_jobs_read_swf(fuzz_path(fd, path), &opts, &a, &set, &diag);
        if (e[i] == BL_ERR_OK)
            hash[i] = check(&set, &opts);
        else
            fuzz_failed(e[i], &a, &diag);
        bl_arena_free(&a);
    }
    BL_ASSERT(e[0] == e[1] && hash[0] == hash[1]);
    close(fd);
    return 0;
}
