/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/admission.h"

#define SUM_MAX (UINT64_C(1) << 62)

static uint64_t add(uint64_t a, uint64_t b)
{
    return b < SUM_MAX - a ? a + b : SUM_MAX;
}

static uint32_t pool_of(const struct bl_snapshot *s, uint32_t vm)
{
    return bl_pool_index(s->dc->vm_group[s->vm.group[vm]].pool);
}

static uint64_t reserves(const struct bl_snapshot *s, enum bl_resource r,
                         uint32_t vm)
{
    const uint32_t group = s->vm.group[vm];

    return r == BL_RESOURCE_CPU ? s->vm.cpu[group].reservation
                                : s->vm.mem[group].reservation;
}

static void reset_one(struct bl_admission *x, enum bl_resource r)
{
    const struct bl_snapshot *s = x->snap;
    const uint64_t *have =
        r == BL_RESOURCE_CPU ? s->host.capacity_khz_max : s->host.mem_bytes;
    struct bl_admit *a = &x->admit[r];

    bl_pools_of(&s->dc->pools, r, x->pool[r]);
    *a = (struct bl_admit){ .pool = x->pool[r],
                            .pool_count = s->dc->pools.count,
                            .used = x->used[r] };
    for (uint32_t h = 0; h < s->host.count; h++)
        a->capacity = add(a->capacity, have[h]);
    (void)bl_admit_reset(a, NULL);
    for (uint32_t vm = 0; vm < s->vm.slot_count; vm++)
        if (s->vm.state[vm] == BL_VM_PLACED)
            bl_admit_count(a, pool_of(s, vm), reserves(s, r, vm));
}

void bl_admission_reset(struct bl_admission *x, const struct bl_snapshot *s)
{
    x->snap = s;
    if (s->dc->pools.count == 0)
        return;
    reset_one(x, BL_RESOURCE_CPU);
    reset_one(x, BL_RESOURCE_MEM);
}

static bool fits_one(const struct bl_admission *x, enum bl_resource r,
                     uint32_t vm)
{
    const struct bl_admit_answer answer = bl_admit_ask(
        &x->admit[r], pool_of(x->snap, vm), reserves(x->snap, r, vm));

    return answer.why == BL_ADMIT_FITS;
}

bool bl_admission_fits(const struct bl_admission *x, uint32_t vm)
{
    return x->snap->dc->pools.count == 0 || (fits_one(x, BL_RESOURCE_CPU, vm) &&
                                             fits_one(x, BL_RESOURCE_MEM, vm));
}

void bl_admission_take(struct bl_admission *x, uint32_t vm)
{
    if (x->snap->dc->pools.count == 0)
        return;
    for (int r = 0; r < BL_RESOURCE_COUNT; r++)
        bl_admit_count(&x->admit[r], pool_of(x->snap, vm),
                       reserves(x->snap, (enum bl_resource)r, vm));
}
