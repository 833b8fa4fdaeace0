/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/host.h"

#include <string.h>

#define PARAMS_MAX 16u

uint32_t bl_host_spec_vms(const struct bl_host_spec *s)
{
    uint32_t n = 0;

    for (uint32_t g = 0; g < s->group_count; g++)
        n += s->group[g].vm_count;
    return n;
}

static void check_time(int64_t ns, int64_t min, int64_t max)
{
    BL_ASSERT(ns >= min && ns <= max);
}

static void check_text(const char *s, size_t size)
{
    BL_ASSERT(memchr(s, '\0', size) != NULL);
}

static void check_dist(const struct bl_dist *d)
{
    BL_ASSERT(d->kind == BL_DIST_FIXED || d->kind == BL_DIST_UNIFORM ||
              d->kind == BL_DIST_EXPONENTIAL);
    BL_ASSERT(d->spread_ppm <= 1000000);
    check_time(d->mean_ns, 0, BL_GUEST_NS_MAX);
}

static void check_guest(const struct bl_guest *g)
{
    BL_ASSERT(g->kind < BL_GUEST_COUNT);
    check_dist(&g->work);
    check_dist(&g->rest);
    BL_ASSERT(g->spin_ns == BL_SPIN_FOREVER ||
              (g->spin_ns >= 0 && g->spin_ns <= BL_GUEST_NS_MAX));
}

static void check_settings(const struct bl_settings *s)
{
    BL_ASSERT(s->shares.value >= 1 && s->shares.value <= BL_SHARES_MAX);
    BL_ASSERT(s->reservation <= s->limit);
}

static void check_costs(const struct bl_host_costs *c, uint32_t smt_max)
{
    check_time(c->dispatch_ns, 0, BL_HOST_NS_MAX);
    check_time(c->switch_ns, 0, BL_HOST_NS_MAX);
    for (int i = 0; i < BL_REACH_COUNT; i++)
        check_time(c->cache_ns[i], 0, BL_HOST_NS_MAX);
    check_time(c->exit_ns, 0, BL_HOST_NS_MAX);
    check_time(c->ipi_ns, 0, BL_HOST_NS_MAX);
    check_time(c->pause_ns, 0, BL_HOST_NS_MAX);
    BL_ASSERT(c->emulator_ppm <= 1000000);
    BL_ASSERT(c->smt_ppm >= 1000000 && c->smt_ppm <= smt_max * 1000000);
}

static void check_params(const struct bl_host_param *p, uint32_t count)
{
    BL_ASSERT(count <= PARAMS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        check_text(p[i].name, sizeof(p[i].name));
        check_text(p[i].text, sizeof(p[i].text));
    }
}

static void check_group(const struct bl_host_vm_group *g,
                        const struct bl_topo *topo)
{
    check_text(g->name, sizeof(g->name));
    check_text(g->path, sizeof(g->path));
    BL_ASSERT(g->name[0] != '\0');
    BL_ASSERT(g->vm_count >= 1 && g->vm_count <= BL_HOST_VMS_MAX);
    BL_ASSERT(g->vcpu_count >= 1 && g->vcpu_count <= BL_PCPUS_MAX);
    check_settings(&g->cpu);
    check_guest(&g->guest);
    check_time(g->start_ns, 0, BL_HOST_NS_MAX);
    check_time(g->stagger_ns, 0, BL_HOST_NS_MAX);
    if (!g->has_affinity)
        return;
    BL_ASSERT(bl_cpuset_count(&g->affinity) >= 1);
    for (uint32_t p = topo->pcpu_count; p < BL_PCPUS_MAX; p++)
        BL_ASSERT(!bl_cpuset_has(&g->affinity, p));
}

static void check_jobs(const struct bl_host_jobs *j)
{
    check_text(j->path, sizeof(j->path));
    if (j->path[0] == '\0')
        return;
    BL_ASSERT(j->count_max >= 1 && j->count_max <= BL_HOST_VMS_MAX);
    BL_ASSERT(j->width_max >= 1 && j->width_max <= BL_PCPUS_MAX);
    BL_ASSERT(j->time_ppm >= 1);
    check_settings(&j->cpu);
    check_guest(&j->guest);
    BL_ASSERT(j->guest.kind == BL_GUEST_BARRIER);
}

static void check_power(const struct bl_host_spec *s)
{
    bl_freq_check(&s->freq, s->topo.core_count);
    if (s->freq.pstate_count == 0)
        return;
    BL_ASSERT(s->freq.pstate[0].khz == s->core_khz);
    BL_ASSERT(s->governor_ns >= 1 && s->governor_ns <= BL_HOST_NS_MAX);
    BL_ASSERT(s->governor_param_count <= 16);
}

void bl_host_spec_check(const struct bl_host_spec *s)
{
    uint64_t vms = 0, vcpus = 0;

    bl_topo_check(&s->topo);
    check_text(s->topo_text, sizeof(s->topo_text));
    BL_ASSERT(s->core_khz >= 1 && s->core_khz <= BL_CORE_KHZ_MAX);
    check_power(s);
    check_costs(&s->costs, s->topo.smt_max);
    check_text(s->policy, sizeof(s->policy));
    check_text(s->mode, sizeof(s->mode));
    check_params(s->policy_param, s->policy_param_count);
    check_params(s->mode_param, s->mode_param_count);
    check_time(s->control_ns, 1, BL_HOST_NS_MAX);
    check_time(s->duration_ns, 1, BL_HOST_NS_MAX);
    check_time(s->warmup_ns, 0, s->duration_ns - 1);
    check_time(s->timeline_ns, 0, s->duration_ns);
    BL_ASSERT(s->group_count <= BL_VM_GROUPS_MAX);
    BL_ASSERT(s->group_count >= 1 || s->jobs.path[0] != '\0');
    for (uint32_t g = 0; g < s->group_count; g++) {
        check_group(&s->group[g], &s->topo);
        vms += s->group[g].vm_count;
        vcpus += (uint64_t)s->group[g].vm_count * s->group[g].vcpu_count;
    }
    check_jobs(&s->jobs);
    if (s->jobs.path[0] != '\0') {
        vms += s->jobs.count_max;
        vcpus += s->jobs.count_max;
    }
    BL_ASSERT(vms <= BL_HOST_VMS_MAX && vcpus <= BL_HOST_VCPUS_MAX);
}
