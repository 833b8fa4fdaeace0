/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support_trace.h - a trace in memory, written down by a test. */
#ifndef BL_TESTS_SUPPORT_TRACE_H
#define BL_TESTS_SUPPORT_TRACE_H

#include "trace/trace.h"

/* One life of one VM. Slots follow from arrivals and departures, as in every
 * trace; VMs that arrive in one step do so in the order of the array. */
struct test_vm {
    uint32_t arrive, steps; /* first step; how many */
    uint32_t vcpu_count;    /* 0: the scenario's group says */
    uint64_t vcpu_khz, mem_bytes;
    uint32_t cpu_ppm, mem_ppm; /* in every step, unless the next is set */
    const uint32_t *cpu, *mem; /* [steps] ppm, or NULL */
};

struct test_trace {
    const struct test_vm *vm; /* must outlive the trace */
    uint32_t vm_count, step_count;
    int64_t step_ns;
    bool has_mem;
};

/* Never fails: a test without memory is no test. Close with bl_trace_close().
 */
struct bl_trace *test_trace_open(const struct test_trace *spec);

#endif /* BL_TESTS_SUPPORT_TRACE_H */
