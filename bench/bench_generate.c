/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_generate - what a VM-step of a generated trace costs, and its figures.
 *
 *     bench_generate [--smoke]
 *
 * CSV on stdout: columns made, VMs, steps, threads, seconds to open, ns for
 * each VM and step to make, ns for each to measure (bl_trace_stats(), making
 * included), and a hash of the last step, which must not depend on threads.
 * The faster of two passes counts.
 */
#include "bench/support.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#define PASSES 2

struct cost {
    double open_s, next_ns, stats_ns;
    uint64_t hash;
};

static uint64_t step_hash(const struct bl_trace_step *step, uint32_t slots)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_hash_bytes(&h, step->cpu_ppm, slots * sizeof(uint32_t));
    if (step->mem_ppm != NULL)
        bl_hash_bytes(&h, step->mem_ppm, slots * sizeof(uint32_t));
    return bl_hash_value(&h);
}

static struct cost measure(const struct bl_trace_spec *spec, uint32_t threads)
{
    const double cells = (double)spec->vm_count * spec->step_count;
    struct bl_diag diag = { .text = "" };
    struct bl_trace *t = NULL;
    struct bl_trace_step step;
    struct bl_trace_stats stats;
    struct cost c = { .hash = 0 };
    double start_s = bench_now_s();

    bench_try(bl_trace_open_generated(spec, threads, &t, &diag), &diag);
    c.open_s = bench_now_s() - start_s;
    start_s = bench_now_s();
    for (uint32_t s = 0; s < spec->step_count; s++)
        bench_try(bl_trace_next(t, &step, &diag), &diag);
    c.next_ns = (bench_now_s() - start_s) * 1e9 / cells;
    c.hash = step_hash(&step, spec->vm_count);
    start_s = bench_now_s();
    bench_try(bl_trace_stats(t, &stats, &diag), &diag);
    c.stats_ns = (bench_now_s() - start_s) * 1e9 / cells;
    bl_trace_close(t);
    return c;
}

static void row(uint32_t vms, uint32_t steps, bool has_mem, uint32_t threads)
{
    struct bl_trace_spec spec;
    struct cost best = { .next_ns = 1e300, .open_s = 1e300, .stats_ns = 1e300 };

    bl_trace_spec_default(&spec);
    spec.vm_count = vms;
    spec.step_count = steps;
    spec.has_mem = has_mem;
    for (int i = 0; i < PASSES; i++) {
        const struct cost c = measure(&spec, threads);

        best.open_s = c.open_s < best.open_s ? c.open_s : best.open_s;
        best.next_ns = c.next_ns < best.next_ns ? c.next_ns : best.next_ns;
        best.stats_ns = c.stats_ns < best.stats_ns ? c.stats_ns : best.stats_ns;
        best.hash = c.hash;
    }
    printf("%s,%u,%u,%u,%.4f,%.2f,%.2f,%016llx\n", has_mem ? "cpu+mem" : "cpu",
           vms, steps, threads, best.open_s, best.next_ns, best.stats_ns,
           (unsigned long long)best.hash);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t most = smoke ? 10000 : 1000000;

    printf("columns,vms,steps,threads,open_s,next_ns,stats_ns,hash\n");
    for (uint32_t vms = 1000; vms <= most; vms *= 10)
        for (uint32_t threads = 1; threads <= 2; threads++) {
            const uint32_t steps = smoke ? 16 : vms < 1000000 ? 288 : 48;

            row(vms, steps, false, threads);
            row(vms, steps, true, threads);
        }
    return 0;
}
