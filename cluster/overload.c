/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/overload.h"

#include "cluster/numeric.h"

#include <math.h>

enum { SAMPLES_MIN_SPREAD = 12, SAMPLES_LR = 10 };

/* A host's history: the sum over its VMs, newest first. */
struct host_sums {
    uint64_t stamp;         /* of the list it was made from; 0: none */
    uint32_t length;        /* samples up to the last that is not 0 */
    uint64_t mem_bytes_max; /* of its VMs: the longest migration */
    double sum[BL_HISTORY_MAX];
};

struct bl_overload {
    struct bl_overload_opts opts;
    uint32_t depth; /* samples that the test looks at */
    const struct bl_snapshot *snap;
    const struct bl_overlay *ov;
    struct host_sums *host;
    uint8_t *length; /* of each VM's history, without its zero tail */
};

bl_err bl_overload_create(struct bl_arena *a,
                          const struct bl_overload_opts *opts,
                          struct bl_overload **out)
{
    struct bl_overload *o = bl_arena_get(a, 1, sizeof(*o));

    if (o == NULL)
        return BL_ERR_NOMEM;
    o->opts = *opts;
    o->depth = opts->test == BL_OVERLOAD_LR || opts->test == BL_OVERLOAD_LRR
                   ? SAMPLES_LR
                   : BL_HISTORY_MAX;
    if (opts->test != BL_OVERLOAD_THR) {
        o->host = bl_arena_get(a, opts->host_count, sizeof(*o->host));
        o->length = bl_arena_get(a, opts->vm_slot_count, sizeof(*o->length));
        if (o->host == NULL || o->length == NULL)
            return BL_ERR_NOMEM;
    }
    *out = o;
    return BL_ERR_OK;
}

void bl_overload_begin(struct bl_overload *o, const struct bl_snapshot *s,
                       const struct bl_overlay *ov)
{
    o->snap = s;
    o->ov = ov;
    if (o->opts.test == BL_OVERLOAD_THR)
        return;
    for (uint32_t v = 0; v < s->vm.slot_count; v++) {
        uint32_t n;
        const double *h = bl_vm_history(s, v, &n);

        while (n > 0 && h[n - 1] == 0)
            n--;
        o->length[v] = (uint8_t)n;
    }
}

/* Adds one VM: each sample times its size over the host's, in that order. */
static void add_vm(const struct bl_overload *o, struct host_sums *sums,
                   uint32_t vm, double capacity)
{
    uint32_t n = 0;
    const double *h = bl_vm_history(o->snap, vm, &n);
    const double size = o->snap->vm.size_mhz[vm];
    const uint64_t mem_bytes = o->snap->vm.mem_size_bytes[vm];

    n = n < o->depth ? n : o->depth;
    for (uint32_t i = 0; i < n; i++)
        sums->sum[i] += h[i] * size / capacity;
    if (o->length[vm] > sums->length)
        sums->length = o->length[vm];
    if (mem_bytes > sums->mem_bytes_max)
        sums->mem_bytes_max = mem_bytes;
}

static const struct host_sums *sums_of(struct bl_overload *o, uint32_t host)
{
    struct host_sums *sums = &o->host[host];
    const uint64_t stamp = bl_overlay_stamp(o->ov, host);
    const double capacity = o->snap->host.capacity_mhz_now[host];
    uint32_t n;
    const uint32_t *vm = bl_overlay_vms(o->ov, host, &n);

    if (sums->stamp == stamp)
        return sums;
    sums->stamp = stamp;
    sums->length = 0;
    sums->mem_bytes_max = 0;
    for (uint32_t i = 0; i < o->depth; i++)
        sums->sum[i] = 0;
    for (uint32_t i = 0; i < n; i++)
        add_vm(o, sums, vm[i], capacity);
    return sums;
}

static struct bl_overload_verdict above(double level, double threshold)
{
    return (struct bl_overload_verdict){ level > threshold, level, threshold };
}

/* Asked-for over capacity, with the VM in question last. */
static double load_of(const struct bl_overload *o, uint32_t host, uint32_t vm)
{
    double demand = bl_overlay_demand_mhz(o->ov, host);

    if (vm != BL_NONE)
        demand += o->snap->vm.demand_mhz[vm];
    return demand / o->snap->host.capacity_mhz_now[host];
}

/* A line through the last 10 samples, oldest first at x = 1. */
static struct bl_overload_verdict predict(const struct bl_overload *o,
                                          const struct host_sums *sums)
{
    double y[SAMPLES_LR];
    const double mb = (double)sums->mem_bytes_max / (double)BL_MIB;
    const double ahead =
        ceil(mb / o->snap->migration_mb_per_s / o->snap->interval_s);

    for (uint32_t i = 0; i < SAMPLES_LR; i++)
        y[i] = sums->sum[SAMPLES_LR - 1 - i];

    const struct bl_line line = bl_fit_line(y, SAMPLES_LR);
    const double level =
        (line.intercept + line.slope * (SAMPLES_LR + ahead)) * o->opts.safety;

    return (struct bl_overload_verdict){ level >= 1, level, 1 };
}

struct bl_overload_verdict bl_overload_host(struct bl_overload *o,
                                            uint32_t host, uint32_t vm)
{
    if (o->opts.test == BL_OVERLOAD_THR)
        return above(load_of(o, host, vm), o->opts.safety);

    const struct host_sums *sums = sums_of(o, host);
    struct host_sums with;
    const bool line =
        o->opts.test == BL_OVERLOAD_LR || o->opts.test == BL_OVERLOAD_LRR;

    if (vm != BL_NONE) {
        with = *sums;
        add_vm(o, &with, vm, o->snap->host.capacity_mhz_now[host]);
        sums = &with;
    }
    if (sums->length < (line ? SAMPLES_LR : SAMPLES_MIN_SPREAD))
        return above(load_of(o, host, vm), o->opts.fallback);
    if (line)
        return predict(o, sums);

    const double spread = o->opts.test == BL_OVERLOAD_IQR
                              ? bl_interquartile(sums->sum, sums->length)
                              : bl_median_deviation(sums->sum, sums->length);

    return above(load_of(o, host, vm), 1 - o->opts.safety * spread);
}
