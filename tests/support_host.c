/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_host.h"

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

struct test_host *test_host_new(uint32_t cores, uint32_t threads)
{
    struct test_host *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    bl_topo_grid(1, 1, cores, threads, &t->spec.topo);
    t->spec.core_khz = TEST_KHZ;
    t->spec.costs.smt_ppm = 1000000;
    t->spec.control_ns = 1000 * TEST_MS;
    t->spec.duration_ns = 1000 * TEST_MS;
    (void)snprintf(t->spec.policy, BL_NAME_BYTES, "fifo");
    (void)snprintf(t->spec.mode, BL_NAME_BYTES, "none");
    t->opts = (struct bl_host_sim_opts){
        .spec = &t->spec, .file = "host.yaml", .seed = 1, .paranoid = true
    };
    return t;
}

struct bl_host_vm_group *test_host_group(struct test_host *t, const char *name,
                                         uint32_t vms, uint32_t vcpus,
                                         enum bl_guest_kind kind)
{
    struct bl_host_vm_group *g = &t->spec.group[t->spec.group_count++];

    (void)snprintf(g->name, sizeof(g->name), "%s", name);
    g->vm_count = vms;
    g->vcpu_count = vcpus;
    g->cpu = (struct bl_settings){ .shares = { true, BL_CPU_SHARES_NORMAL },
                                   .limit = BL_NO_LIMIT };
    g->pool = BL_NO_POOL_INDEX;
    g->guest.kind = kind;
    return g;
}

void test_host_pin(struct bl_host_vm_group *g, uint32_t pcpu)
{
    g->has_affinity = true;
    bl_cpuset_add(&g->affinity, pcpu);
}

void test_host_freq(struct test_host *t)
{
    static const uint32_t tenth_mw[] = { 10000, 4000, 1600 };
    struct bl_freq *f = &t->spec.freq;

    f->pstate_count = 3;
    f->domain_count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        f->pstate[i].khz = TEST_KHZ >> i;
        for (uint32_t k = 0; k < BL_POWER_POINTS; k++)
            f->pstate[i].mw[k] = 100000 + k * tenth_mw[i];
    }
    (void)snprintf(t->spec.governor, BL_NAME_BYTES, "performance");
    t->spec.governor_ns = 10 * TEST_MS;
    t->spec.cap_mw = UINT64_MAX;
}

void test_host_param(struct test_host *t, const char *name, const char *text)
{
    struct bl_host_param *p = &t->spec.policy_param[t->spec.policy_param_count];

    t->spec.policy_param_count++;
    (void)snprintf(p->name, sizeof(p->name), "%s", name);
    (void)snprintf(p->text, sizeof(p->text), "%s", text);
}

struct bl_dist test_fixed(int64_t ns)
{
    return (struct bl_dist){ .kind = BL_DIST_FIXED, .mean_ns = ns };
}

bl_err test_host_try(struct test_host *t)
{
    if (t->arena.base == NULL)
        assert_ok(bl_arena_init(&t->arena, (size_t)1 << 32));
    return bl_host_sim_create(&t->arena, &t->opts, &t->sim, &t->diag);
}

void test_host_open(struct test_host *t)
{
    const bl_err e = test_host_try(t);

    if (e != BL_ERR_OK)
        fail_msg("%s", t->diag.text);
    assert_ok(bl_host_result_create(
        &t->arena, t->spec.topo.pcpu_count,
        t->spec.group_count + (t->spec.jobs.path[0] != '\0'),
        bl_host_sim_vms(t->sim), bl_host_sim_vcpus(t->sim), &t->r));
    bl_arena_seal(&t->arena);
}

void test_host_go(struct test_host *t, int64_t until_ns)
{
    assert_int_equal(bl_host_sim_run(t->sim, until_ns, NULL), until_ns);
}

struct bl_host_result *test_host_finish(struct test_host *t)
{
    test_host_go(t, t->spec.duration_ns);
    bl_host_sim_finish(t->sim, t->r);
    test_host_conserved(t->r);
    return t->r;
}

void test_host_free(struct test_host *t)
{
    bl_arena_free(&t->arena);
    free(t);
}

/* Every domain was at some P-state all the time; its energy is the host's. */
static void power_conserved(const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    uint64_t energy_uj = 0;

    for (uint32_t i = 0; i < w->domain_count; i++) {
        const struct bl_host_domain_row *d = &w->domain[i];
        int64_t stay_ns = 0, idle_ns = 0;

        for (uint32_t k = 0; k < w->freq->pstate_count; k++)
            stay_ns += d->stay_ns[k];
        for (uint32_t k = 0; k < w->freq->idle_count; k++)
            idle_ns += d->idle_ns[k];
        assert_int_equal(stay_ns, r->duration_ns);
        if (w->freq->idle_count > 0)
            assert_int_equal(idle_ns + d->busy_ns,
                             r->duration_ns * d->core_count);
        energy_uj += d->energy_uj;
    }
    assert_in_range(w->energy_uj, energy_uj, energy_uj + w->domain_count);
}

void test_host_conserved(const struct bl_host_result *r)
{
    int64_t busy_ns = 0, overhead_ns = 0, run_ns = 0, used_ns = 0;

    if (r->power != NULL)
        power_conserved(r);

    for (uint32_t p = 0; p < r->pcpu_count; p++) {
        assert_in_range(r->pcpu[p].busy_ns, 0, (uint64_t)r->duration_ns);
        assert_true(r->pcpu[p].overhead_ns <= r->pcpu[p].busy_ns);
        busy_ns += r->pcpu[p].busy_ns;
        overhead_ns += r->pcpu[p].overhead_ns;
    }
    for (uint32_t v = 0; v < r->vcpu_count; v++) {
        int64_t sum_ns = 0;

        for (int i = 0; i < BL_VCPU_STATE_COUNT; i++)
            sum_ns += r->vcpu[v].account.state_ns[i];
        assert_int_equal(sum_ns, r->vm[r->vcpu[v].vm].alive_ns);
        run_ns += r->vcpu[v].account.state_ns[BL_VCPU_RUN];
    }
    for (uint32_t i = 0; i < r->vm_count; i++)
        used_ns += r->vm[i].work_ns + r->vm[i].spin_ns;
    assert_int_equal(run_ns, busy_ns);
    assert_true(used_ns + overhead_ns <= busy_ns); /* threads are slower */
}
