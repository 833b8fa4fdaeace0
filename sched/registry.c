/* SPDX-License-Identifier: Apache-2.0 */
/* sched/registry.c - policies, modes, states and reasons by name. Which files
 * there are the Makefile knows: policies.inc and modes.inc are made of them. */
#include "sched/sched_priv.h"

#include <string.h>

#define X(name) extern const struct bl__policy bl__policy_##name;
#include "sched_policies.inc"
#undef X
#define X(name) extern const struct bl__mode bl__mode_##name;
#include "sched_modes.inc"
#undef X

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct bl__policy *const policies[] = {
#define X(name) &bl__policy_##name,
#include "sched_policies.inc"
#undef X
};

static const struct bl__mode *const modes[] = {
#define X(name) &bl__mode_##name,
#include "sched_modes.inc"
#undef X
};

const struct bl__policy *bl__policy_find(const char *name)
{
    for (size_t i = 0; i < COUNT(policies); i++)
        if (strcmp(policies[i]->info.name, name) == 0)
            return policies[i];
    return NULL;
}

const struct bl__mode *bl__mode_find(const char *name)
{
    for (size_t i = 0; i < COUNT(modes); i++)
        if (strcmp(modes[i]->info.name, name) == 0)
            return modes[i];
    return NULL;
}

const struct bl_sched_info *bl_sched_policy(uint32_t i)
{
    return i < COUNT(policies) ? &policies[i]->info : NULL;
}

const struct bl_sched_info *bl_sched_mode(uint32_t i)
{
    return i < COUNT(modes) ? &modes[i]->info : NULL;
}

const struct bl_sched_info *bl_sched_policy_find(const char *name)
{
    const struct bl__policy *p = bl__policy_find(name);

    return p != NULL ? &p->info : NULL;
}

const struct bl_sched_info *bl_sched_mode_find(const char *name)
{
    const struct bl__mode *m = bl__mode_find(name);

    return m != NULL ? &m->info : NULL;
}

bl_err bl_sched_params_check(const struct bl_sched_info *info,
                             const struct bl_params *p, const char *file,
                             unsigned long line, struct bl_diag *diag)
{
    char low[40], high[40];

    if (info->low == info->high || p->value[info->low] <= p->value[info->high])
        return BL_ERR_OK;

    const struct bl_param *l = &info->params[info->low];
    const struct bl_param *h = &info->params[info->high];

    bl_units_print(l->dim, p->value[info->low], low, sizeof(low));
    bl_units_print(h->dim, p->value[info->high], high, sizeof(high));
    return bl_diag_set(diag, BL_ERR_INVAL, file, line,
                       "%s: %s is above %s, expected at most %s", l->name, low,
                       h->name, high);
}

const char *bl_vcpu_state_name(enum bl_vcpu_state state)
{
    static const char *const name[] = {
#define BL_VCPU_STATE_NAME(id, text) text,
        BL_VCPU_STATE_MAP(BL_VCPU_STATE_NAME)
#undef BL_VCPU_STATE_NAME
    };

    BL_ASSERT(state < BL_VCPU_STATE_COUNT);
    return name[state];
}

struct reason {
    const char *text, *figure[2];
};

static const struct reason reasons[] = {
#define BL_SCHED_REASON_ROW(id, text, f0, f1) { text, { f0, f1 } },
    BL_SCHED_REASON_MAP(BL_SCHED_REASON_ROW)
#undef BL_SCHED_REASON_ROW
};

const char *bl_sched_reason_text(enum bl_sched_reason r)
{
    BL_ASSERT(r < BL_SCHED_REASON_COUNT);
    return reasons[r].text;
}

const char *bl_sched_reason_figure(enum bl_sched_reason r, uint32_t i)
{
    BL_ASSERT(r < BL_SCHED_REASON_COUNT && i < 2);
    return reasons[r].figure[i];
}
