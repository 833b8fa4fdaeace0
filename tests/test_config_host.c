/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config_host - scenarios of level host: what is read, and what stands
 * for absent keys. Refusals with their words are files under tests/scenarios/
 * (test_config reads them all).
 */
#include "tests/test.h"

#include "config/config_priv.h"
#include "config/keys.h"
#include "config/scenario.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MS INT64_C(1000000)
#define US INT64_C(1000)

static struct bl_scenario scenario; /* too large for a stack */
static struct bl_diag diag;
static const struct bl_host_spec *const host = &scenario.host;

static const char small[] =
    "level: host\n"
    "host: {topology: 'core:4 pu:1'}\n"
    "vms:\n"
    "  groups:\n"
    "    - name: a\n"
    "      workload: cpu\n";

static bl_err parse_at(const char *text, const char *label)
{
    memset(&diag, 0, sizeof(diag));
    return bl_scenario_parse(text, strlen(text), label, &scenario, &diag);
}

static bl_err parse(const char *text)
{
    return parse_at(text, "x.yaml");
}

static bl_err parse_with(const char *more)
{
    static char text[4096];

    snprintf(text, sizeof(text), "%s%s", small, more);
    return parse(text);
}

static void must_parse(const char *text)
{
    if (parse(text) != BL_ERR_OK)
        fail_msg("%s%s", text, diag.text);
}

/* --- the example -------------------------------------------------------- */

static const char full[] =
    "name: seven two one\n"
    "level: host\n"
    "seed: 9\n"
    "duration: 20s\n"
    "warmup: 2s\n"
    "control: 50ms\n"
    "timeline: 30ms\n"
    "host:\n"
    "  topology: pack:2 [numa] l3:1 core:4 pu:2\n"
    "  speed: 2.4GHz\n"
    "  smt: 1.3\n"
    "  costs: {dispatch: 1us, switch: 3us, cache_same: 4us, cache_core: 6us,\n"
    "          cache_llc: 20us, cache_node: 60us, cache_host: 200us,\n"
    "          exit: 1us, ipi: 500ns, pause: 0, emulator: 2%}\n"
    "scheduler:\n"
    "  policy: {name: fair, slice: 3ms}\n"
    "  mode: {name: relaxed, costop: 3ms, costart: 2ms}\n"
    "vms:\n"
    "  groups:\n"
    "    - name: gang\n"
    "      count: 3\n"
    "      vcpus: 4\n"
    "      cpu: {shares: high, reservation: 1GHz, limit: 8GHz}\n"
    "      affinity: 0-3,9,12-15\n"
    "      start: 10ms\n"
    "      stagger: 5ms\n"
    "      workload: {kind: barrier, phase: 100us, imbalance: 20%,\n"
    "                 spin: forever}\n"
    "    - {name: hog, workload: cpu}\n"
    "jobs:\n"
    "  file: nasa.swf.gz\n"
    "  count: 20\n"
    "  max_vcpus: 8\n"
    "  skip: 100\n"
    "  time_scale: 0.01\n"
    "  cpu: {shares: 300}\n"
    "  workload: {phase: 2ms, imbalance: 0, spin: 0}\n";

static void test_a_scenario_becomes_a_host(void **state)
{
    (void)state;
    must_parse(full);
    assert_int_equal(scenario.level, BL_LEVEL_HOST);
    assert_string_equal(scenario.name, "seven two one");
    assert_int_equal(scenario.seed, 9);
    assert_true(host->duration_ns == 20 * BL_NS_PER_S);
    assert_true(host->warmup_ns == 2 * BL_NS_PER_S);
    assert_int_equal(host->control_ns, 50 * MS);
    assert_int_equal(host->timeline_ns, 30 * MS);
    assert_int_equal(host->topo.pcpu_count, 16);
    assert_int_equal(host->topo.node_count, 2);
    assert_string_equal(host->topo_text, "pack:2 [numa] l3:1 core:4 pu:2");
    assert_int_equal(host->core_khz, 2400000);
    assert_int_equal(host->costs.smt_ppm, 1300000);
    assert_string_equal(host->policy, "fair");
    assert_int_equal(host->policy_line, 16);
    assert_int_equal(host->policy_param_count, 1);
    assert_string_equal(host->policy_param[0].name, "slice");
    assert_string_equal(host->policy_param[0].text, "3ms");
    assert_int_equal(host->policy_param[0].line, 16);
    assert_string_equal(host->mode, "relaxed");
    assert_int_equal(host->mode_param_count, 2);
    assert_string_equal(host->mode_param[1].name, "costart");
    assert_int_equal(scenario.dc.host_group_count, 0);
}

static void test_costs_become_a_structure(void **state)
{
    static const int64_t cache_us[] = { 4, 6, 20, 60, 200 };
    const struct bl_host_costs *c = &host->costs;

    (void)state;
    must_parse(full);
    assert_int_equal(c->dispatch_ns, 1 * US);
    assert_int_equal(c->switch_ns, 3 * US);
    for (int i = 0; i < BL_REACH_COUNT; i++)
        assert_int_equal(c->cache_ns[i], cache_us[i] * US);
    assert_int_equal(c->exit_ns, 1 * US);
    assert_int_equal(c->ipi_ns, 500);
    assert_int_equal(c->pause_ns, 0);
    assert_int_equal(c->emulator_ppm, 20000);
}

static void test_groups_become_structures(void **state)
{
    const struct bl_host_vm_group *g = host->group;
    struct bl_cpuset want = bl_cpuset_range(12, 4);

    (void)state;
    must_parse(full);
    assert_int_equal(host->group_count, 2);
    assert_int_equal(bl_host_spec_vms(host), 4);
    assert_string_equal(g->name, "gang");
    assert_int_equal(g->vm_count, 3);
    assert_int_equal(g->vcpu_count, 4);
    assert_true(g->cpu.shares.per_unit);
    assert_int_equal(g->cpu.shares.value, BL_CPU_SHARES_HIGH);
    assert_int_equal(g->cpu.reservation, 1000000);
    assert_int_equal(g->cpu.limit, 8000000);
    assert_true(g->pool == BL_NO_POOL_INDEX);
    assert_true(g->has_affinity);
    for (uint32_t p = 0; p < 4; p++)
        bl_cpuset_add(&want, p);
    bl_cpuset_add(&want, 9);
    assert_true(bl_cpuset_equal(&g->affinity, &want));
    assert_int_equal(g->start_ns, 10 * MS);
    assert_int_equal(g->stagger_ns, 5 * MS);
    assert_int_equal(g->guest.kind, BL_GUEST_BARRIER);
    assert_int_equal(g->guest.work.kind, BL_DIST_UNIFORM);
    assert_int_equal(g->guest.work.mean_ns, 100 * US);
    assert_int_equal(g->guest.work.spread_ppm, 200000);
    assert_true(g->guest.spin_ns == BL_SPIN_FOREVER);
    assert_false(g[1].has_affinity);
}

static void test_jobs_become_a_structure(void **state)
{
    const struct bl_host_jobs *j = &host->jobs;

    (void)state;
    must_parse(full);
    assert_string_equal(j->path, "nasa.swf.gz");
    assert_int_equal(j->count_max, 20);
    assert_int_equal(j->width_max, 8);
    assert_int_equal(j->skip, 100);
    assert_int_equal(j->time_ppm, 10000);
    assert_false(j->cpu.shares.per_unit);
    assert_int_equal(j->cpu.shares.value, 300);
    assert_int_equal(j->guest.kind, BL_GUEST_BARRIER);
    assert_int_equal(j->guest.work.kind, BL_DIST_FIXED);
    assert_int_equal(j->guest.work.mean_ns, 2 * MS);
    assert_int_equal(j->guest.spin_ns, 0);
}

/* --- what stands for absent keys ---------------------------------------- */

static void test_absent_keys(void **state)
{
    static const int64_t cache_us[] = { 5, 5, 10, 50, 100 };
    const struct bl_host_costs *c = &host->costs;
    const struct bl_host_vm_group *g = host->group;

    (void)state;
    must_parse(small);
    assert_string_equal(scenario.name, "x");
    assert_int_equal(scenario.seed, 1);
    assert_true(host->duration_ns == 10 * BL_NS_PER_S);
    assert_int_equal(host->warmup_ns, 0);
    assert_int_equal(host->control_ns, 100 * MS);
    assert_int_equal(host->timeline_ns, 100 * MS);
    assert_int_equal(host->core_khz, 2000000);
    assert_int_equal(c->dispatch_ns, 5 * US);
    assert_int_equal(c->switch_ns, 2 * US);
    for (int i = 0; i < BL_REACH_COUNT; i++)
        assert_int_equal(c->cache_ns[i], cache_us[i] * US);
    assert_int_equal(c->exit_ns, 1500);
    assert_int_equal(c->ipi_ns, 2 * US);
    assert_int_equal(c->pause_ns, 20 * US);
    assert_int_equal(c->emulator_ppm, 0);
    assert_int_equal(c->smt_ppm, 1000000);
    assert_string_equal(host->policy, "fair");
    assert_string_equal(host->mode, "none");
    assert_int_equal(host->policy_line + host->mode_line, 0);
    assert_int_equal(g->vm_count, 1);
    assert_int_equal(g->vcpu_count, 1);
    assert_int_equal(g->cpu.shares.value, BL_CPU_SHARES_NORMAL);
    assert_true(g->cpu.limit == BL_NO_LIMIT);
    assert_int_equal(g->guest.kind, BL_GUEST_CPU);
    assert_string_equal(host->jobs.path, "");
}

static void test_defaults_follow_the_host(void **state)
{
    (void)state;
    must_parse(
        "level: host\nduration: 20ms\n"
        "host: {topology: 'core:4 pu:2'}\njobs: {file: x.swf}\n");
    assert_int_equal(host->costs.smt_ppm, 1250000);
    assert_int_equal(host->timeline_ns, 20 * MS);
    assert_int_equal(host->jobs.width_max, 8);
    assert_int_equal(host->jobs.count_max, 100);
    assert_int_equal(host->jobs.time_ppm, 1000);
    assert_int_equal(host->jobs.guest.work.mean_ns, 1 * MS);
    assert_int_equal(host->group_count, 0);
}

/* --- workloads ---------------------------------------------------------- */

static void test_every_kind_of_workload(void **state)
{
    static const struct {
        const char *text;
        struct bl_guest want;
    } rows[] = {
        { "cpu", { .kind = BL_GUEST_CPU } },
        { "{kind: cpu}", { .kind = BL_GUEST_CPU } },
        { "interactive",
          { .kind = BL_GUEST_INTERACTIVE,
            .work = { BL_DIST_EXPONENTIAL, 1000000, 1 * MS },
            .rest = { BL_DIST_EXPONENTIAL, 1000000, 9 * MS } } },
        { "{kind: interactive, burst: 2ms, think: 8ms, distribution: fixed}",
          { .kind = BL_GUEST_INTERACTIVE,
            .work = { BL_DIST_FIXED, 1000000, 2 * MS },
            .rest = { BL_DIST_FIXED, 1000000, 8 * MS } } },
        { "{kind: periodic, work: 3ms, period: 20ms}",
          { .kind = BL_GUEST_PERIODIC,
            .work = { .mean_ns = 3 * MS },
            .rest = { .mean_ns = 20 * MS } } },
        { "barrier",
          { .kind = BL_GUEST_BARRIER,
            .work = { BL_DIST_UNIFORM, 100000, 1 * MS },
            .spin_ns = 50 * US } },
        { "{kind: barrier, imbalance: 0}",
          { .kind = BL_GUEST_BARRIER,
            .work = { BL_DIST_FIXED, 0, 1 * MS },
            .spin_ns = 50 * US } },
        { "lock",
          { .kind = BL_GUEST_LOCK,
            .work = { BL_DIST_EXPONENTIAL, 0, 100 * US },
            .rest = { .mean_ns = 10 * US },
            .spin_ns = BL_SPIN_FOREVER } },
        { "{kind: lock, outside: 1ms, inside: 1us, spin: 5us}",
          { .kind = BL_GUEST_LOCK,
            .work = { BL_DIST_EXPONENTIAL, 0, 1 * MS },
            .rest = { .mean_ns = 1 * US },
            .spin_ns = 5 * US } },
        { "{kind: server, service: 2ms, arrival: 5ms, queue: 7,\n"
          "   distribution: uniform}",
          { .kind = BL_GUEST_SERVER,
            .work = { BL_DIST_UNIFORM, 1000000, 2 * MS },
            .rest = { BL_DIST_UNIFORM, 1000000, 5 * MS },
            .queue_max = 7 } },
        { "idle",
          { .kind = BL_GUEST_IDLE,
            .work = { .mean_ns = 5 * US },
            .rest = { .mean_ns = 4 * MS } } },
        { "{kind: rt-app, file: a.json}", { .kind = BL_GUEST_RTAPP } },
        { "{kind: switches, file: a.csv}", { .kind = BL_GUEST_SWITCHES } },
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bl_guest *g = &host->group[0].guest;
        const struct bl_guest *w = &rows[i].want;

        snprintf(text, sizeof(text),
                 "level: host\nhost: {topology: '4'}\nvms: {groups: [{name: a, "
                 "workload: %s}]}\n",
                 rows[i].text);
        must_parse(text);
        assert_int_equal(g->kind, w->kind);
        assert_memory_equal(&g->work, &w->work, sizeof(g->work));
        assert_memory_equal(&g->rest, &w->rest, sizeof(g->rest));
        assert_true(g->spin_ns == w->spin_ns);
        assert_int_equal(g->queue_max, w->queue_max);
    }
}

static void test_paths_are_relative_to_the_file(void **state)
{
    static const char text[] =
        "level: host\nhost: {topology: '4'}\njobs: {file: nasa.swf}\n"
        "vms: {groups: [{name: a, workload: {kind: rt-app, file: a.json}},\n"
        " {name: b, workload: {kind: switches, file: /b.csv}}]}\n";

    (void)state;
    assert_ok(parse_at(text, "dir/x.yaml"));
    assert_string_equal(host->group[0].path, "dir/a.json");
    assert_string_equal(host->group[1].path, "/b.csv");
    assert_string_equal(host->jobs.path, "dir/nasa.swf");
    assert_int_equal(parse_at("level: host\nhost: {topology: no.xml}\n"
                              "vms: {groups: [{name: a, workload: cpu}]}\n",
                              "dir/x.yaml"),
                     BL_ERR_IO);
    assert_string_equal(diag.text,
                        "dir/x.yaml:2: topology: dir/no.xml cannot be opened "
                        "(No such file or directory), expected a file of "
                        "lstopo");
}

static void test_pools_are_found_by_name(void **state)
{
    static const char text[] =
        "level: host\nhost: {topology: '4'}\n"
        "pools:\n"
        "  - {name: gold, cpu: {shares: 300}}\n"
        "  - {name: dust, parent: gold, cpu: {limit: 1GHz}}\n"
        "vms: {groups: [{name: a, pool: dust, workload: cpu},\n"
        " {name: b, pool: gold, workload: cpu}, {name: c, workload: cpu}]}\n";
    const struct bl_pool_set *pools = &scenario.dc.pools;

    (void)state;
    must_parse(text);
    assert_int_equal(pools->count, 2);
    assert_int_equal(pools->pool[0].cpu.set.shares.value, 300);
    assert_int_equal(pools->pool[1].parent, 1);
    assert_int_equal(pools->pool[1].cpu.set.limit, 1000000);
    assert_int_equal(host->group[0].pool, 1);
    assert_int_equal(host->group[1].pool, 0);
    assert_true(host->group[2].pool == BL_NO_POOL_INDEX);
}

/* --- edges -------------------------------------------------------------- */

static void test_edges_are_allowed(void **state)
{
    static const char *const more[] = {
        "      affinity: 0\n",
        "      affinity: 3\n",
        "      affinity: 0-3\n",
        "      affinity: 1,1,0-2\n",
        "      vcpus: 256\n",
        "      count: 16384\n",
        "      cpu: {reservation: 2GHz, limit: 2GHz}\n",
        "duration: 1d\ntimeline: 1d\n",
        "duration: 1ms\n",
        "warmup: 9999ms\n",
        "timeline: 0\n",
        "scheduler: {policy: x}\n",
        "scheduler: {mode: {name: x, a: 1}}\n",
        "seed: 0\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++)
        if (parse_with(more[i]) != BL_ERR_OK)
            fail_msg("%s%s", more[i], diag.text);
}

static void test_an_affinity_that_cannot_be(void **state)
{
    static const char *const bad[] = {
        "4",   "0-4", "3-1",    "-1", "0-",  ",",
        "0,",  ",0",  "0-1-2",  "a",  "0 1", "99999999999999999999",
        "0x1", "1.5", "[0, 1]",
    };
    char more[64];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(more, sizeof(more), "      affinity: %s\n", bad[i]);
        if (parse_with(more) != BL_ERR_PARSE)
            fail_msg("%s: %s", more, diag.text);
        assert_memory_equal(diag.text, "x.yaml:7: ", 10);
    }
}

static void test_totals_are_bounded(void **state)
{
    static const char rest[] =
        "    - {name: b, workload: cpu, vcpus: 256,"
        " count: 64}\n";

    (void)state;
    assert_int_equal(parse_with(rest), BL_ERR_INVAL);
    assert_string_equal(diag.text,
                        "x.yaml:7: count: 16385 vCPUs up to here, "
                        "expected at most 16384 in all");
    assert_int_equal(parse_with("      count: 16384\njobs: {file: x}\n"),
                     BL_ERR_INVAL);
    assert_string_equal(diag.text,
                        "x.yaml:8: count: 16484 VMs up to here, "
                        "expected at most 16384 in all");
}

/* --- keys --------------------------------------------------------------- */

static void test_the_default_of_every_key_can_be_written(void **state)
{
    struct bl_scenario_key k;
    uint32_t n = 0;

    (void)state;
    for (uint32_t i = 0; bl_scenario_key(i, &k); i++) {
        char more[512];

        if (k.section[0] != '\0' || strcmp(k.level, "host") != 0 ||
            k.def == NULL || strncmp(k.expect, "a map", 5) == 0 ||
            strncmp(k.expect, "a list", 6) == 0 ||
            strcmp(k.name, "name") == 0 || strcmp(k.name, "level") == 0 ||
            strcmp(k.name, "timeline") == 0)
            continue;
        snprintf(more, sizeof(more), "%s: %s\n", k.name, k.def);
        if (parse_with(more) != BL_ERR_OK)
            fail_msg("%s", diag.text);
        n++;
    }
    assert_int_equal(n, 4); /* seed, duration, warmup, control */
}

/* The defaults that doc/models/dispatch.md gives a source for are these. */
static void test_the_page_has_every_cost(void **state)
{
    static char page[65536];
    FILE *f = fopen("doc/models/dispatch.md", "r");
    struct bl_scenario_key k;
    char want[160];
    uint32_t n = 0;

    (void)state;
    assert_non_null(f);
    page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
    fclose(f);
    for (uint32_t i = 0; bl_scenario_key(i, &k); i++) {
        if (strcmp(k.section, "host.costs") != 0)
            continue;
        snprintf(want, sizeof(want), "| `%s` | %s |", k.name, k.def);
        if (strstr(page, want) == NULL)
            fail_msg("no '%s' in doc/models/dispatch.md", want);
        n++;
    }
    assert_int_equal(n, 11);
}

static void test_every_example_is_sound(void **state)
{
    static const char *const file[] = { "examples/sched/shares.yaml",
                                        "examples/sched/barrier.yaml" };

    (void)state;
    for (size_t i = 0; i < COUNT(file); i++) {
        if (bl_scenario_load(file[i], &scenario, &diag) != BL_ERR_OK)
            fail_msg("%s", diag.text);
        assert_int_equal(scenario.level, BL_LEVEL_HOST);
    }
}

static void test_every_allocation_fails_once(void **state)
{
    long n = 0;

    (void)state;
    for (;; n++) {
        struct bl_arena a;
        bl_err e;

        assert_ok(bl_arena_init(&a, 8u << 20));
        a.fail_after = n;
        e = bl__scenario_read(&a, small, strlen(small), "x.yaml", &scenario,
                              &diag);
        bl_arena_free(&a);
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
    }
    assert_int_equal(n, 3); /* the structure, the nodes, their texts */
}

/* Refusals are tests/scenarios/host-name-*.yaml; these come close. */
static void test_names_that_no_vm_has(void **state)
{
    static const char *const more[] = {
        "    - {name: b, count: 2, workload: cpu}\n"
        "    - {name: b-2, workload: cpu}\n", /* its VMs are b-0 and b-1 */
        "    - {name: b, count: 2, workload: cpu}\n"
        "    - {name: b-01, workload: cpu}\n",
        "    - {name: b, count: 2, workload: cpu}\n"
        "    - {name: b-, workload: cpu}\n",
        "    - {name: b, count: 2, workload: cpu}\n"
        "    - {name: b-1x, workload: cpu}\n",
        "    - {name: b, count: 2, workload: cpu}\n"
        "    - {name: b-18446744073709551616, workload: cpu}\n",
        "    - {name: a-0, workload: cpu}\n", /* the only VM of a is a */
        "    - {name: job, workload: cpu}\n"
        "    - {name: job-0, workload: cpu}\n",
        "    - {name: job-20, workload: cpu}\n"
        "jobs: {file: x.swf, count: 20}\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++)
        if (parse_with(more[i]) != BL_ERR_OK)
            fail_msg("%s%s", more[i], diag.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_scenario_becomes_a_host),
        cmocka_unit_test(test_costs_become_a_structure),
        cmocka_unit_test(test_groups_become_structures),
        cmocka_unit_test(test_jobs_become_a_structure),
        cmocka_unit_test(test_absent_keys),
        cmocka_unit_test(test_defaults_follow_the_host),
        cmocka_unit_test(test_every_kind_of_workload),
        cmocka_unit_test(test_paths_are_relative_to_the_file),
        cmocka_unit_test(test_pools_are_found_by_name),
        cmocka_unit_test(test_edges_are_allowed),
        cmocka_unit_test(test_an_affinity_that_cannot_be),
        cmocka_unit_test(test_totals_are_bounded),
        cmocka_unit_test(test_names_that_no_vm_has),
        cmocka_unit_test(test_the_default_of_every_key_can_be_written),
        cmocka_unit_test(test_the_page_has_every_cost),
        cmocka_unit_test(test_every_example_is_sound),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("config_host", tests, test_group_setup,
                                       NULL);
}
