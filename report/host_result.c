/* SPDX-License-Identifier: Apache-2.0 */
#include "report/host_result.h"

/* ---- latencies ---------------------------------------------------------- */

enum { STEPS = 16, STEP_BITS = 4, LAST_BIT = 46 };

_Static_assert(STEPS + (LAST_BIT - STEP_BITS + 1) * STEPS == BL_LATENCY_BUCKETS,
               "a bucket for each value below 16, then 16 in each power of 2");

static uint32_t bucket_of(int64_t ns)
{
    uint32_t bit;

    if (ns < STEPS)
        return (uint32_t)ns;
    bit = 63 - (uint32_t)__builtin_clzll((unsigned long long)ns);
    if (bit > LAST_BIT)
        return BL_LATENCY_BUCKETS - 1;
    return (bit - STEP_BITS + 1) * STEPS +
           (uint32_t)(ns >> (bit - STEP_BITS)) % STEPS;
}

/* The largest value that goes into @bucket, but for the last one. */
static int64_t bound_of(uint32_t bucket)
{
    const uint32_t power = bucket / STEPS;

    if (power == 0)
        return bucket;
    return ((int64_t)(STEPS + bucket % STEPS + 1) << (power - 1)) - 1;
}

static int64_t sum_of(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

void bl_latency_add(struct bl_latency *l, int64_t ns)
{
    uint32_t *n;

    BL_ASSERT(ns >= 0);
    n = &l->bucket[bucket_of(ns)];
    if (ns > l->max_ns)
        l->max_ns = ns;
    if (*n == UINT32_MAX)
        return;
    ++*n;
    l->count++;
    l->sum_ns = sum_of(l->sum_ns, ns);
}

void bl_latency_merge(struct bl_latency *into, const struct bl_latency *l)
{
    if (l->max_ns > into->max_ns)
        into->max_ns = l->max_ns;
    into->sum_ns = sum_of(into->sum_ns, l->sum_ns);
    for (uint32_t i = 0; i < BL_LATENCY_BUCKETS; i++) {
        const uint32_t room = UINT32_MAX - into->bucket[i];
        const uint32_t n = l->bucket[i] < room ? l->bucket[i] : room;

        into->bucket[i] += n;
        into->count += n;
    }
}

int64_t bl_latency_quantile(const struct bl_latency *l, uint32_t ppm)
{
    const uint64_t whole = l->count / 1000000, rest = l->count % 1000000;
    uint64_t wanted, seen = 0;

    BL_ASSERT(ppm <= 1000000);
    if (l->count == 0)
        return 0;
    wanted = whole * ppm + (rest * ppm + 999999) / 1000000;
    if (wanted == 0)
        wanted = 1;
    for (uint32_t i = 0; i + 1 < BL_LATENCY_BUCKETS; i++) {
        seen += l->bucket[i];
        if (seen >= wanted)
            return bound_of(i) < l->max_ns ? bound_of(i) : l->max_ns;
    }
    return l->max_ns;
}

/* ---- the result --------------------------------------------------------- */

bl_err bl_host_result_create(struct bl_arena *a, uint32_t pcpu_count,
                             uint32_t group_count, uint32_t vm_count,
                             uint32_t vcpu_count, struct bl_host_result **out)
{
    struct bl_host_result *r = bl_arena_get(a, 1, sizeof(*r));

    if (r == NULL)
        return BL_ERR_NOMEM;
    r->pcpu = bl_arena_get(a, pcpu_count, sizeof(*r->pcpu));
    r->group = bl_arena_get(a, group_count, sizeof(*r->group));
    r->vm = bl_arena_get(a, vm_count, sizeof(*r->vm));
    r->vcpu = bl_arena_get(a, vcpu_count, sizeof(*r->vcpu));
    if (r->pcpu == NULL || r->group == NULL || r->vm == NULL || r->vcpu == NULL)
        return BL_ERR_NOMEM;
    r->pcpu_count = pcpu_count;
    r->group_count = group_count;
    r->vm_count = vm_count;
    r->vcpu_count = vcpu_count;
    *out = r;
    return BL_ERR_OK;
}
