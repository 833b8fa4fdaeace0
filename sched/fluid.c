/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluid - the weight with which each VM competes.
 *
 * Source     Chandra, Adler, Goyal, Shenoy, "Surplus Fair Scheduling", OSDI
 *            2000 (infeasible weights are readjusted); DESIGN.md 5.1 for what a
 *            reservation and a limit mean.
 * Idea       generalised processor sharing gives VM i clamp(lambda * s_i, lo_i,
 *            hi_i), lo from its reservation, hi from its limit and from one
 *            pCPU for each runnable vCPU. A VM between its bounds is FREE and
 *            competes with its shares; one at a bound is FIXED and gets the
 *            weight with which shares alone would give it that much. Sums over
 *            both classes are kept, so lambda is one division away; which class
 *            a VM is in is asked when it changes itself, and of one more VM at
 *            each pick.
 * Bound      once nothing changes, all classes are right after as many picks as
 *            there are VMs, and each VM's weight is within 1/64 of exact
 *            (test_sched_fluid).
 * Deviation  the paper sorts the weights and readjusts all infeasible ones at
 *            every change; it has no reservations and no limits.
 * Cost       O(vCPUs of the VM) where a weight changes, else O(1).
 */
#include "sched/sched_priv.h"

#define WHOLE (UINT64_C(1) << BL__CAPACITY_SHIFT)

/* Weights this near to the right one are left alone: 1 / 64. */
#define CLOSE_SHIFT 6

void bl__fluid_init(struct bl_sched *s)
{
    s->free_weight = 0;
    s->fixed_sum = 0;
    s->fixed_weight = 0;
    s->sweep = s->sweep_left = 0;
}

static uint64_t from_ppm(uint64_t ppm)
{
    return ppm / (uint64_t)BL_PPM * WHOLE +
           ppm % (uint64_t)BL_PPM * WHOLE / (uint64_t)BL_PPM;
}

struct bounds {
    uint64_t lo, hi;
    bool limited; /* hi is the limit, not its pCPUs */
};

static struct bounds bounds_of(const struct bl_sched *s, const struct bl__vm *m)
{
    struct bounds b = { from_ppm(m->set.reservation_ppm),
                        m->runnable * s->vcpu_cap, false };

    if (m->set.limit_ppm != BL_NO_LIMIT && from_ppm(m->set.limit_ppm) < b.hi) {
        b.hi = from_ppm(m->set.limit_ppm);
        b.limited = true;
    }
    b.hi = b.hi > 0 ? b.hi : 1;
    b.lo = b.lo < b.hi ? b.lo : b.hi;
    return b;
}

static void leave(struct bl_sched *s, struct bl__vm *m)
{
    if (m->fluid == BL__FLUID_FREE)
        s->free_weight -= m->share_weight;
    if (m->fluid == BL__FLUID_FIXED) {
        s->fixed_sum -= m->fixed;
        s->fixed_weight -= m->share_weight;
    }
    m->fluid = BL__FLUID_NONE;
}

/* What is left for the free ones; never quite nothing. */
static uint64_t free_capacity(const struct bl_sched *s)
{
    const uint64_t least = s->capacity / 1024 + 1;

    return s->fixed_sum + least < s->capacity ? s->capacity - s->fixed_sum
                                              : least;
}

/* With everybody else as they are: is @m at a bound, and at which? */
static void classify(struct bl_sched *s, struct bl__vm *m)
{
    const struct bounds b = bounds_of(s, m);
    const bl_u128 share = (bl_u128)m->share_weight * free_capacity(s);
    const uint64_t weights = s->free_weight + m->share_weight;

    if (share >= (bl_u128)b.hi * weights) {
        m->fluid = BL__FLUID_FIXED;
        m->fixed = b.hi;
        m->at_limit = b.limited;
    } else if (share <= (bl_u128)b.lo * weights) {
        m->fluid = BL__FLUID_FIXED;
        m->fixed = b.lo;
        m->at_limit = false;
    } else {
        m->fluid = BL__FLUID_FREE;
        s->free_weight += m->share_weight;
        return;
    }
    s->fixed_sum += m->fixed;
    s->fixed_weight += m->share_weight;
}

/* The VM's weight, all runnable vCPUs together. */
static uint64_t weight_of(const struct bl_sched *s, const struct bl__vm *m)
{
    bl_u128 w;

    if (m->fluid == BL__FLUID_FREE)
        return m->share_weight;
    if (s->free_weight == 0) /* all are: any scale will do, so a near one */
        w = (bl_u128)m->fixed * s->fixed_weight / s->fixed_sum;
    else
        w = (bl_u128)m->fixed * s->free_weight / free_capacity(s);
    /* The limit is kept by limit.c: with no more than the weight for it, every
     * pause that it makes would be lost. */
    w += m->at_limit ? w / 2 : 0;
    w = w < BL__WEIGHT_MAX ? w : BL__WEIGHT_MAX;
    return w > 0 ? (uint64_t)w : 1;
}

static bool close_to(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) <= b >> CLOSE_SHIFT;
}

/* Hands the VM's weight out to its vCPUs; in proportion to what the dispatcher
 * can tell apart. */
static void spread(struct bl_sched *s, struct bl__vm *m)
{
    const uint64_t each = weight_of(s, m) / m->runnable;
    const uint64_t weight = each > 0 ? each : 1;

    for (uint32_t v = m->first; v < m->first + m->count; v++) {
        struct bl__vcpu *x = &s->vcpu[v];

        if (x->weight == weight ||
            (m->fluid == BL__FLUID_FIXED && close_to(x->weight, weight)))
            continue;
        if (x->state == BL_VCPU_RUN)
            bl__account(s, x->pcpu);
        s->policy->reweight(s, v, weight);
    }
}

void bl__fluid_resize(struct bl_sched *s)
{
    s->sweep_left = s->vm_count;
    bl__fluid_sweep(s);
}

void bl__fluid_update(struct bl_sched *s, uint32_t vm)
{
    struct bl__vm *m = &s->vm[vm];

    leave(s, m);
    s->sweep_left = s->vm_count;
    m->share_weight = m->set.shares * BL__WEIGHT_PER_SHARE;
    if (m->runnable == 0)
        return;
    classify(s, m);
    spread(s, m);
}

/* Looks at one more VM; true: it has changed its class. */
static bool sweep_one(struct bl_sched *s)
{
    struct bl__vm *m = &s->vm[s->sweep];
    const enum bl__fluid_class before = m->fluid;

    s->sweep_left--;
    s->sweep = s->sweep + 1 < s->vm_count ? s->sweep + 1 : 0;
    if (before == BL__FLUID_NONE)
        return false;
    leave(s, m);
    classify(s, m);
    if (before == BL__FLUID_FIXED || m->fluid == BL__FLUID_FIXED)
        spread(s, m);
    return before != m->fluid;
}

/* Changes of class come in crowds: where one is found, others are near. */
#define CROWD_MAX 16

void bl__fluid_look(struct bl_sched *s)
{
    for (int i = 0; i < CROWD_MAX && s->sweep_left > 0 && sweep_one(s); i++)
        s->sweep_left = s->vm_count;
}

bool bl__fluid_at_cap(const struct bl_sched *s, uint32_t vm)
{
    const struct bl__vm *m = &s->vm[vm];

    return s->pinned_count == 0 && (!s->mode->holds_back || m->count == 1) &&
           m->fluid == BL__FLUID_FIXED && m->fixed >= m->runnable * s->vcpu_cap;
}

void bl__fluid_check(const struct bl_sched *s)
{
    uint64_t weights = 0, fixed = 0, fixed_weights = 0;

    for (uint32_t vm = 0; vm < s->vm_count; vm++) {
        const struct bl__vm *m = &s->vm[vm];

        BL_ASSERT((m->fluid == BL__FLUID_NONE) == (m->runnable == 0));
        if (m->fluid == BL__FLUID_FREE)
            weights += m->share_weight;
        if (m->fluid == BL__FLUID_FIXED) {
            fixed += m->fixed;
            fixed_weights += m->share_weight;
        }
    }
    BL_ASSERT(weights == s->free_weight);
    BL_ASSERT(fixed == s->fixed_sum);
    BL_ASSERT(fixed_weights == s->fixed_weight);
}
