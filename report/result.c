/* SPDX-License-Identifier: Apache-2.0 */
#include "report/result.h"

#include <stdio.h>

const char *bl_cause_text(enum bl_cause c)
{
    static const char *const text[] = {
#define CAUSE_TEXT(name, words) words,
        BL_CAUSE_MAP(CAUSE_TEXT)
#undef CAUSE_TEXT
    };

    BL_ASSERT((uint32_t)c < BL_CAUSE_COUNT);
    return text[c];
}

static void name_groups(const struct bl_dc *dc, struct bl_result *r)
{
    r->group_count = dc->host_group_count;
    r->class_count = dc->vm_group_count;
    for (uint32_t g = 0; g < r->group_count; g++) {
        snprintf(r->group[g].name, BL_NAME_BYTES, "%s", dc->host_group[g].name);
        r->group[g].hosts = dc->host_group[g].host_count;
    }
    for (uint32_t g = 0; g < r->class_count; g++)
        snprintf(r->class_[g].name, BL_NAME_BYTES, "%s", dc->vm_group[g].name);
    r->cap_count = dc->cap_count;
    for (uint32_t i = 0; i < r->cap_count; i++) {
        snprintf(r->cap[i].name, BL_NAME_BYTES, "%s", dc->cap[i].name);
        r->cap[i].budget_w = (double)dc->cap[i].mw / 1000;
    }
}

bl_err bl_result_create(struct bl_arena *a, const struct bl_dc *dc,
                        uint32_t hosts, uint32_t steps, struct bl_result **out)
{
    struct bl_result *r = bl_arena_get(a, 1, sizeof(*r));

    if (r == NULL)
        return BL_ERR_NOMEM;
    r->has_speeds = bl_dc_has_speeds(dc);
    r->group = bl_arena_get(a, dc->host_group_count, sizeof(*r->group));
    r->class_ = bl_arena_get(a, dc->vm_group_count, sizeof(*r->class_));
    r->host = bl_arena_get(a, hosts, sizeof(*r->host));
    r->step = bl_arena_get(a, steps, sizeof(*r->step));
    if (r->group == NULL || r->class_ == NULL || r->host == NULL ||
        r->step == NULL)
        return BL_ERR_NOMEM;
    if (dc->cap_count > 0) {
        r->cap = bl_arena_get(a, dc->cap_count, sizeof(*r->cap));
        if (r->cap == NULL)
            return BL_ERR_NOMEM;
    }
    r->hosts = hosts;
    r->steps = steps;
    name_groups(dc, r);
    *out = r;
    return BL_ERR_OK;
}

uint64_t bl_vm_unserved(const struct bl_vm_result *vm)
{
    uint64_t sum = 0;

    for (uint32_t c = 0; c < BL_CAUSE_COUNT; c++)
        sum += vm->unserved_mcycles[c];
    return sum;
}

static void add_to_class(struct bl_class_result *c,
                         const struct bl_vm_result *vm)
{
    c->vms++;
    c->demand_mcycles += vm->demand_mcycles;
    c->over_limit_mcycles += vm->over_limit_mcycles;
    for (uint32_t i = 0; i < BL_CAUSE_COUNT; i++)
        c->unserved_mcycles[i] += vm->unserved_mcycles[i];
    c->mem_unserved_mib_s += vm->mem_unserved_mib_s;
    c->reserved_unserved_mcycles += vm->reserved_unserved_mcycles;
    c->migrations += vm->migrations;
}

/* Was @a served worse than @b? False on a tie: the earlier row stays first. */
static bool worse(const struct bl_vm_result *a, const struct bl_vm_result *b)
{
    const uint64_t lost_a = bl_vm_unserved(a), lost_b = bl_vm_unserved(b);

    if (lost_a != lost_b)
        return lost_a > lost_b;
    return a->mem_unserved_mib_s > b->mem_unserved_mib_s;
}

void bl_result_vm(struct bl_result *r, const struct bl_vm_result *vm)
{
    uint32_t at;

    BL_ASSERT(vm->group < r->class_count);
    add_to_class(&r->class_[vm->group], vm);
    if (bl_vm_unserved(vm) == 0 && vm->mem_unserved_mib_s == 0)
        return;
    if (r->worst_count < BL_WORST_MAX)
        at = r->worst_count++;
    else if (worse(vm, &r->worst[BL_WORST_MAX - 1]))
        at = BL_WORST_MAX - 1;
    else
        return;
    for (; at > 0 && worse(vm, &r->worst[at - 1]); at--)
        r->worst[at] = r->worst[at - 1];
    r->worst[at] = *vm;
}
