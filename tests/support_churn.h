/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_churn.h - trace files for tests: random ones in which VMs come
 * and go, and opening and storing any. Nothing here fails.
 */
#ifndef BL_TESTS_SUPPORT_CHURN_H
#define BL_TESTS_SUPPORT_CHURN_H

#include "trace/trace.h"

/* A population in which VMs come and go, in cells that need @width bytes. */
struct test_churn {
    uint32_t lives, steps;
    bool has_cpu, has_mem, has_size;
    uint32_t width;
};

struct bl_trace *test_churn_open(const struct test_churn *s, uint64_t seed);

/* Opens a file that must be sound. */
struct bl_trace *test_trace_file(const char *path, uint32_t thread_count);

/* Stores @t in the scratch folder; returns the path. */
const char *test_trace_store(struct bl_trace *t, const char *name);

#endif /* BL_TESTS_SUPPORT_CHURN_H */
