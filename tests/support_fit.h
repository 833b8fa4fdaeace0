/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_fit.h - measure real days, and fit the generator's tables to
 * them. The test compares the result with trace/generate_tables.c and prints
 * new tables when asked (BL_FIT_PRINT=1): every number there comes from here.
 */
#ifndef BL_TESTS_SUPPORT_FIT_H
#define BL_TESTS_SUPPORT_FIT_H

#include "trace/generate_priv.h"

#include <stdint.h>

/* A trace in memory, one row for each VM: VMs alive from first to last step. */
struct fit_days {
    uint32_t vm_count, step_count;
    uint32_t *cpu_ppm; /* [vm * step_count + step] */
    uint32_t *mem_ppm; /* the same; zeros when the trace has no memory */
};

/* Adds all of @t to @d (zeroed at first) as more VMs; ends the test on error.
 */
void fit_load(struct bl_trace *t, struct fit_days *d);
void fit_free(struct fit_days *d);

void fit_cpu(const struct fit_days *d, struct bl__gen_tables *out);
void fit_mem(const struct fit_days *d, struct bl__gen_tables *out);

/* The C source of @t, as it stands in trace/generate_tables.c. */
void fit_print(const struct bl__gen_tables *t);

/* Share of VMs with two zeros in a row: the VMs that the standard experiment
 * deletes. In ppm. */
uint32_t fit_zero_pairs(const struct fit_days *d);

#endif /* BL_TESTS_SUPPORT_FIT_H */
