/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of a host's run that are made of others. */
#include "report/host_report.h"

#include "base/u128.h"

static void add_error(struct bl_host_error *to, const struct bl_host_error *e)
{
    to->window_count += e->window_count;
    to->abs_sum_ns += e->abs_sum_ns;
    if (e->max_ns > to->max_ns)
        to->max_ns = e->max_ns;
    if (e->min_ns < to->min_ns)
        to->min_ns = e->min_ns;
}

void bl_host_total(const struct bl_host_result *r, uint32_t first,
                   uint32_t count, struct bl_host_vm_row *out)
{
    BL_ASSERT(first <= r->vm_count);
    BL_ASSERT(count <= r->vm_count - first);
    *out = (struct bl_host_vm_row){ .vcpu_count = 0 };
    for (uint32_t i = first; i < first + count; i++) {
        const struct bl_host_vm_row *vm = &r->vm[i];

        out->vcpu_count += vm->vcpu_count;
        out->entitled_ns += vm->entitled_ns;
        out->received_ns += vm->received_ns;
        out->units += vm->units;
        out->late_count += vm->late_count;
        out->promised_ns += vm->promised_ns;
        out->broken_ns += vm->broken_ns;
        out->work_ns += vm->work_ns;
        out->spin_ns += vm->spin_ns;
        for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
            out->state_ns[k] += vm->state_ns[k];
        for (uint32_t w = 0; w < BL_WINDOWS; w++)
            out->unserved_ns[w] += vm->unserved_ns[w];
        for (uint32_t w = 0; w < BL_WINDOWS; w++)
            add_error(&out->error[w], &vm->error[w]);
        bl_latency_merge(&out->wake, &vm->wake);
        bl_latency_merge(&out->done, &vm->done);
        bl_latency_merge(&out->skew, &vm->skew);
    }
}

int64_t bl_host_busy_ns(const struct bl_host_result *r)
{
    int64_t sum = 0;

    for (uint32_t p = 0; p < r->pcpu_count; p++)
        sum += r->pcpu[p].busy_ns;
    return sum;
}

int64_t bl_host_overhead_ns(const struct bl_host_result *r)
{
    int64_t sum = 0;

    for (uint32_t p = 0; p < r->pcpu_count; p++)
        sum += r->pcpu[p].overhead_ns;
    return sum;
}

uint64_t bl_host_moves(const struct bl_host_result *r)
{
    uint64_t sum = 0;

    for (uint32_t k = BL_REACH_CORE; k < BL_REACH_COUNT; k++)
        sum += r->totals.move_count[k];
    return sum;
}

void bl_host_state_shares(const int64_t *state_ns, uint32_t *share)
{
    const uint32_t whole = 10000;
    int64_t cut[BL_VCPU_STATE_COUNT], sum = 0;
    uint32_t given = 0;

    for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
        sum += state_ns[k];
    for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++) {
        const bl_u128 part = (bl_u128)(uint64_t)state_ns[k] * whole;
        const bl_u128 all = sum > 0 ? (uint64_t)sum : 1;

        share[k] = (uint32_t)(part / all);
        cut[k] = (int64_t)(part % all);
        given += share[k];
    }
    for (; sum > 0 && given < whole; given++) {
        uint32_t most = 0;

        for (uint32_t k = 1; k < BL_VCPU_STATE_COUNT; k++)
            if (cut[k] > cut[most])
                most = k;
        share[most]++;
        cut[most] = -1;
    }
}
