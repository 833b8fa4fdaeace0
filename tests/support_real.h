/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_real.h - looking into the accounts of the profile `real`, for
 * its own tests.
 */
#ifndef BL_TESTS_SUPPORT_REAL_H
#define BL_TESTS_SUPPORT_REAL_H

#include "sim/real_priv.h"
#include "tests/support_world.h"
#include "tests/test.h"

#define TEST_GB UINT64_C(1000000000)

#define J(x) ((uint64_t)((x)*1e6 + 0.5)) /* joules as uJ */

#define assert_near(a, b, most)                                                \
    assert_true((a) - (b) <= (most) && (b) - (a) <= (most))

static inline const struct bl_real *inside(const struct test_world *t)
{
    return bl__real((const struct bl_sim *)t->w);
}

static inline uint64_t uj(bl_u128 pj)
{
    assert_true(pj % 1000000 == 0); /* the examples come out even */
    return (uint64_t)(pj / 1000000);
}

static inline uint64_t energy_uj(const struct test_world *t, uint32_t host)
{
    return uj(inside(t)->host[host].energy_pj);
}

/* kHz that @vm is given now. */
static inline uint64_t gets_khz(const struct test_world *t, uint32_t vm)
{
    const struct bl_real *r = inside(t);
    uint64_t khz = r->vm[vm].want_khz;

    if (r->vm_flags[vm] & REAL_SHORT)
        for (int c = 0; c < BL_CAUSE_COUNT; c++)
            khz -= r->rare[vm].short_khz[c];
    return khz;
}

static inline void set_two_groups(struct test_world *t)
{
    t->dc.vm_group_count = 2;
    t->dc.vm_group[1] = t->dc.vm_group[0];
    t->dc.vm_group[0].vm_count = 1;
    t->dc.vm_group[1].vm_count = 1;
}

/* @n standard VMs that live for the whole trace at @cpu_ppm. */
static inline void open_steady(struct test_world *t, uint32_t n,
                               uint32_t cpu_ppm, uint32_t steps)
{
    static struct test_vm vm[16];

    assert_in_range(n, 1, 16);
    for (uint32_t i = 0; i < n; i++)
        vm[i] = (struct test_vm){ .steps = steps + 1, .cpu_ppm = cpu_ppm };
    test_world_open(t, &(struct test_trace){ .vm = vm,
                                             .vm_count = n,
                                             .step_count = steps,
                                             .step_ns = TEST_STEP_NS });
}

/* A second P-state: half the speed, 80 W idle and 4 W more for each tenth. */
enum { P0, P1 };

static inline void add_pstate(struct bl_host_group *g)
{
    struct bl_freq *f = &g->freq;

    *f = (struct bl_freq){ .pstate_count = 2, .domain_count = 1 };
    f->pstate[P0].khz = g->core_khz;
    f->pstate[P1].khz = g->core_khz / 2;
    for (uint32_t i = 0; i < BL_POWER_POINTS; i++) {
        f->pstate[P0].mw[i] = g->power.mw[i];
        f->pstate[P1].mw[i] = 80000 + 4000 * i;
    }
}

#endif /* BL_TESTS_SUPPORT_REAL_H */
