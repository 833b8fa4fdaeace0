/* SPDX-License-Identifier: Apache-2.0 */
/* test_host_spec - what a description of one host must keep to. */
#include "tests/test.h"

#include "hv/host.h"

#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)

static struct bl_host_spec spec; /* too large for a stack */

static void set_up(void)
{
    memset(&spec, 0, sizeof(spec));
    bl_topo_grid(1, 1, 4, 2, &spec.topo);
    spec.core_khz = 2000000;
    spec.costs.smt_ppm = 1250000;
    snprintf(spec.policy, sizeof(spec.policy), "fair");
    snprintf(spec.mode, sizeof(spec.mode), "none");
    spec.control_ns = 100 * MS;
    spec.duration_ns = 1000 * MS;
    spec.group_count = 2;
    for (uint32_t g = 0; g < 2; g++) {
        struct bl_host_vm_group *v = &spec.group[g];

        snprintf(v->name, sizeof(v->name), "g%u", g);
        v->vm_count = 3 + g;
        v->vcpu_count = 2;
        v->cpu.shares = (struct bl_shares){ false, 100 };
        v->cpu.limit = BL_NO_LIMIT;
        v->pool = BL_NO_POOL_INDEX;
    }
}

static void test_a_sound_one(void **state)
{
    (void)state;
    set_up();
    bl_host_spec_check(&spec);
    assert_int_equal(bl_host_spec_vms(&spec), 7);
    spec.group_count = 0;
    assert_int_equal(bl_host_spec_vms(&spec), 0);
    snprintf(spec.jobs.path, sizeof(spec.jobs.path), "a.swf");
    spec.jobs.count_max = spec.jobs.width_max = spec.jobs.time_ppm = 1;
    spec.jobs.cpu = (struct bl_settings){ { true, 1000 }, 0, BL_NO_LIMIT };
    spec.jobs.guest.kind = BL_GUEST_BARRIER;
    bl_host_spec_check(&spec);
}

/* Each breaks one rule of a sound one. */
#define BREAKS(change)                                                         \
    do {                                                                       \
        set_up();                                                              \
        change;                                                                \
        expect_assert_failure(bl_host_spec_check(&spec));                      \
    } while (0)

static void test_each_rule(void **state)
{
    (void)state;
    BREAKS(spec.topo.pcpu_count = 0);
    BREAKS(spec.core_khz = 0);
    BREAKS(spec.core_khz = BL_CORE_KHZ_MAX + 1);
    BREAKS(spec.costs.smt_ppm = 999999);
    BREAKS(spec.costs.smt_ppm = 2000001);
    BREAKS(spec.costs.switch_ns = -1);
    BREAKS(spec.costs.cache_ns[BL_REACH_HOST] = BL_HOST_NS_MAX + 1);
    BREAKS(spec.costs.emulator_ppm = 1000001);
    BREAKS(spec.policy_param_count = 17);
    BREAKS(memset(spec.mode, 'x', sizeof(spec.mode)));
    BREAKS(spec.control_ns = 0);
    BREAKS(spec.duration_ns = 0);
    BREAKS(spec.warmup_ns = spec.duration_ns);
    BREAKS(spec.timeline_ns = spec.duration_ns + 1);
    BREAKS(spec.group_count = 0);
    BREAKS(spec.group_count = BL_VM_GROUPS_MAX + 1);
}

static void test_each_rule_of_a_group(void **state)
{
    struct bl_host_vm_group *g = &spec.group[1];

    (void)state;
    BREAKS(g->name[0] = '\0');
    BREAKS(g->vm_count = 0);
    BREAKS(g->vm_count = BL_HOST_VMS_MAX);
    BREAKS(g->vcpu_count = 0);
    BREAKS(g->vcpu_count = BL_PCPUS_MAX + 1);
    BREAKS(g->cpu.shares.value = 0);
    BREAKS(g->cpu.reservation = BL_NO_LIMIT; g->cpu.limit = 1);
    BREAKS(g->has_affinity = true);
    BREAKS(g->has_affinity = true; bl_cpuset_add(&g->affinity, 8));
    BREAKS(g->guest.kind = BL_GUEST_COUNT);
    BREAKS(g->guest.work.mean_ns = -1);
    BREAKS(g->guest.work.spread_ppm = 1000001);
    BREAKS(g->guest.rest.mean_ns = BL_GUEST_NS_MAX + 1);
    BREAKS(g->guest.spin_ns = -1);
    BREAKS(g->start_ns = -1);
    BREAKS(g->stagger_ns = BL_HOST_NS_MAX + 1);
    BREAKS(spec.jobs.path[0] = 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sound_one),
        cmocka_unit_test(test_each_rule),
        cmocka_unit_test(test_each_rule_of_a_group),
    };

    return cmocka_run_group_tests_name("host_spec", tests, test_group_setup,
                                       NULL);
}
