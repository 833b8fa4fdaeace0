/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tests/support_churn.h"

#include "base/prng.h"
#include "base/units.h"
#include "tests/support_files.h"
#include "tests/test.h"
#include "trace/trace_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct bl_trace *test_trace_file(const char *path, uint32_t threads)
{
    const struct bl_trace_opts opts = { .thread_count = threads, .seed = 1 };
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;
    const bl_err e = bl_trace_open(path, &opts, &t, &diag);

    if (e != BL_ERR_OK)
        fail_msg("%s: %s", path, diag.text);
    assert_non_null(t);
    return t;
}

static bool keep_going(void *ctx, uint64_t done, uint64_t total)
{
    uint64_t *calls = ctx;

    (*calls)++;
    assert_int_equal(done, *calls);
    assert_true(done <= total);
    return true;
}

const char *test_trace_store(struct bl_trace *t, const char *name)
{
    const char *path = test_path(name);
    struct bl_diag diag = { "" };
    uint64_t calls = 0;

    unlink(path); /* some file systems sync what replaces a file */
    if (bl_trace_write(t, path, keep_going, &calls, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(calls, bl_trace_info(t)->step_count);
    return path;
}

static uint32_t random_cell(struct bl_prng *p, uint32_t width)
{
    const uint32_t quantum = width == 1 ? 10000 : width == 2 ? 100 : 1;
    const uint32_t v =
        (uint32_t)bl_prng_below(p, 1000000 / quantum + 1) * quantum;

    return bl_prng_below(p, 4) == 0 ? 0 : v;
}

struct bl_trace *test_churn_open(const struct test_churn *s, uint64_t seed)
{
    const uint32_t steps = s->steps > 0 ? s->steps : 1;
    const struct bl__table_opts opts = { .has_cpu = s->has_cpu,
                                         .has_mem = s->has_mem,
                                         .has_size = s->has_size };
    const struct bl__table_end end = { .step_count = steps,
                                       .step_ns = 60 * BL_NS_PER_S,
                                       .path = "random",
                                       .format = "test" };
    struct bl_prng p = { seed };
    struct bl_diag diag = { "" };
    struct bl__table *table;
    struct bl_trace *t = NULL;

    assert_ok(bl__table_create(&opts, &table, &diag));
    for (uint32_t i = 0; i < s->lives; i++) {
        const uint32_t arrive = i == 0 ? 0 : (uint32_t)bl_prng_below(&p, steps);
        const uint32_t n =
            i == 0 ? steps : 1 + (uint32_t)bl_prng_below(&p, steps - arrive);
        const struct bl__life l = {
            .arrive = arrive,
            .step_count = n,
            .vcpu_count = s->has_size ? i % 33 : 0,
            .vcpu_khz = s->has_size ? BL_CORE_KHZ_MAX - i : 0,
            .mem_bytes = s->has_size ? BL_MEM_BYTES_MAX / (i + 1) : 0,
        };
        uint32_t *cell[BL__COLUMNS];
        char name[BL_NAME_BYTES];

        snprintf(name, sizeof(name), "vm %u \xc3\xa9", i);
        assert_ok(bl__table_cells(table, n, cell, &diag));
        for (uint32_t k = 0; k < n; k++)
            for (int c = 0; c < BL__COLUMNS; c++)
                if (cell[c] != NULL)
                    cell[c][k] = random_cell(&p, s->width);
        assert_ok(bl__table_life(table, (struct bl__text){ name, strlen(name) },
                                 1, &l, &diag));
    }
    assert_ok(bl__table_finish(table, &end, &t, &diag));
    return t;
}
