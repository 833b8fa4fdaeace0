/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/select.h"

#include "base/prng.h"
#include "cluster/numeric.h"

/* mc regresses each VM on all the others, which needs as many samples as VMs:
 * with more than this many it cannot, and mmt decides. */
#define CORRELATED_MAX BL_HISTORY_MAX

struct bl_select {
    enum bl_select_rule rule;
    struct bl_prng prng;
    double *scratch;
};

bl_err bl_select_create(struct bl_arena *a, enum bl_select_rule rule,
                        uint64_t seed, struct bl_select **out)
{
    struct bl_select *c = bl_arena_get(a, 1, sizeof(*c));

    if (c == NULL)
        return BL_ERR_NOMEM;
    c->rule = rule;
    c->prng = bl_prng_stream(seed, rule);
    c->scratch = bl_arena_get(
        a, (CORRELATED_MAX + 2) * BL_HISTORY_MAX + CORRELATED_MAX + 1,
        sizeof(*c->scratch));
    if (c->scratch == NULL)
        return BL_ERR_NOMEM;
    *out = c;
    return BL_ERR_OK;
}

static uint32_t least_memory(const struct bl_snapshot *s, const uint32_t *vm,
                             uint32_t n)
{
    uint32_t best = BL_NONE;

    for (uint32_t i = 0; i < n; i++)
        if (!s->vm.migrating[vm[i]] &&
            (best == BL_NONE ||
             s->vm.mem_size_bytes[vm[i]] < s->vm.mem_size_bytes[best]))
            best = vm[i];
    return best;
}

/* Demand over size, divided anew as the published program does: equal samples
 * of VMs of different sizes differ in the last bit, and that decides ties. */
static double utilisation(const struct bl_snapshot *s, uint32_t vm)
{
    return s->vm.demand_mhz[vm] / s->vm.size_mhz[vm];
}

static uint32_t least_utilised(const struct bl_snapshot *s, const uint32_t *vm,
                               uint32_t n)
{
    uint32_t best = BL_NONE;

    for (uint32_t i = 0; i < n; i++)
        if (!s->vm.migrating[vm[i]] &&
            (best == BL_NONE || utilisation(s, vm[i]) < utilisation(s, best)))
            best = vm[i];
    return best;
}

static uint32_t any(struct bl_select *c, const struct bl_snapshot *s,
                    const uint32_t *vm, uint32_t n)
{
    uint32_t movable = 0;

    for (uint32_t i = 0; i < n; i++)
        movable += !s->vm.migrating[vm[i]];
    if (movable == 0)
        return BL_NONE;

    uint64_t k = bl_prng_below(&c->prng, movable);

    for (uint32_t i = 0; i < n; i++)
        if (!s->vm.migrating[vm[i]] && k-- == 0)
            return vm[i];
    return BL_NONE;
}

/* The largest R^2 of one VM's history on those of all the others. */
static uint32_t most_correlated(struct bl_select *c,
                                const struct bl_snapshot *s, const uint32_t *vm,
                                uint32_t n)
{
    const double *history[CORRELATED_MAX];
    const double *others[CORRELATED_MAX];
    uint32_t movable[CORRELATED_MAX];
    uint32_t count = 0, samples = BL_HISTORY_MAX, best = 0;
    double most = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t length;

        if (s->vm.migrating[vm[i]])
            continue;
        if (count == CORRELATED_MAX)
            return least_memory(s, vm, n);
        movable[count] = vm[i];
        history[count++] = bl_vm_history(s, vm[i], &length);
        samples = length < samples ? length : samples;
    }
    if (count < 2)
        return least_memory(s, vm, n);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        double r2 = 0;

        for (uint32_t j = 0; j < count; j++)
            if (j != i)
                others[k++] = history[j];
        if (!bl_r_squared(history[i], others, k, samples, c->scratch, &r2))
            return least_memory(s, vm, n);
        if (r2 > most) {
            most = r2;
            best = i;
        }
    }
    return movable[best];
}

uint32_t bl_select_vm(struct bl_select *c, const struct bl_snapshot *s,
                      const struct bl_overlay *ov, uint32_t host)
{
    uint32_t n;
    const uint32_t *vm = bl_overlay_vms(ov, host, &n);

    switch (c->rule) {
    case BL_SELECT_MMT:
        return least_memory(s, vm, n);
    case BL_SELECT_MC:
        return most_correlated(c, s, vm, n);
    case BL_SELECT_RS:
        return any(c, s, vm, n);
    case BL_SELECT_MU:
        return least_utilised(s, vm, n);
    }
    return BL_NONE;
}
