/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry.h"

#include <stdio.h>
#include <string.h>

/* policies.inc is made by the build: X(NAME) for each cluster/policy_NAME.c */
#define X(name) extern const struct bl_policy bl_policy_##name;
#include "policies.inc"
#undef X

static const struct bl_policy *const policies[] = {
#define X(name) &bl_policy_##name,
#include "policies.inc"
#undef X
};

enum { POLICY_COUNT = sizeof(policies) / sizeof(policies[0]) };

const struct bl_policy *bl_registry_policy(uint32_t i)
{
    return i < POLICY_COUNT ? policies[i] : NULL;
}

static bool is_named(const struct bl_policy *p, const char *spec,
                     struct bl_params *params)
{
    bl_params_init(params, p->params, p->param_count);
    if (p->matches != NULL)
        return p->matches(spec, params);
    return strcmp(p->name, spec) == 0;
}

bl_err bl_registry_find(const char *spec, const char *file, unsigned long line,
                        const struct bl_policy **out, struct bl_params *params,
                        struct bl_diag *diag)
{
    char known[320] = "";

    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        struct bl_params p;
        const size_t used = strlen(known);

        if (is_named(policies[i], spec, &p)) {
            *out = policies[i];
            *params = p;
            return BL_ERR_OK;
        }
        snprintf(known + used, sizeof(known) - used, "%s%s",
                 used > 0 ? ", " : "", policies[i]->syntax);
    }
    return bl_diag_set(diag, BL_ERR_NOENT, file, line,
                       "unknown policy '%.60s', expected one of: %s", spec,
                       known);
}
