/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config - scenarios: what is read, what is refused, and in which words.
 *
 * Order: an example, what stands for absent keys, the refusals (each a file
 * under tests/scenarios/ that says itself what is expected), the examples and
 * the documents, then determinism and lack of memory. What nobody meant as a
 * scenario is in test_config_hostile.
 */
#include "tests/test.h"

#include "config/config_priv.h"
#include "config/keys.h"
#include "config/scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_BYTES (BL_SCENARIO_BYTES_MAX + 2)

static struct bl_scenario scenario; /* too large for a stack */
static struct bl_diag diag;

static const char small[] =
    "hosts:\n"
    "  groups:\n"
    "    - name: a\n"
    "      count: 2\n"
    "      cores: 4\n"
    "      speed: 2GHz\n"
    "      memory: 8GiB\n"
    "      power: HpProLiantMl110G5Xeon3075\n"
    "vms:\n"
    "  groups:\n"
    "    - name: web\n"
    "      vcpus: 2\n"
    "      speed: 1GHz\n"
    "      memory: 2GiB\n";

static bl_err parse(const char *text)
{
    memset(&diag, 0, sizeof(diag));
    return bl_scenario_parse(text, strlen(text), "x.yaml", &scenario, &diag);
}

/* `small` with more at its end. */
static bl_err parse_with(const char *more)
{
    static char text[8192];

    snprintf(text, sizeof(text), "%s%s", small, more);
    return parse(text);
}

static char *read_whole(const char *path, size_t *size)
{
    char *text = malloc(FILE_BYTES);
    FILE *f = fopen(path, "rb");

    assert_non_null(text);
    if (f == NULL)
        fail_msg("%s: cannot be opened", path);
    *size = fread(text, 1, FILE_BYTES - 1, f);
    text[*size] = '\0';
    fclose(f);
    return text;
}

/* Calls @fn with the path of every file in @folder that ends in .yaml; how
 * many there were. */
static int for_each_yaml(const char *folder, void (*fn)(const char *path))
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    char path[512];
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        const size_t len = strlen(e->d_name);

        if (len < 5 || strcmp(e->d_name + len - 5, ".yaml") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        fn(path);
        n++;
    }
    closedir(d);
    return n;
}

/* --- the example -------------------------------------------------------- */

static const char full[] =
    "name: my room\n"
    "physics: real\n"
    "seed: 7\n"
    "warmup: 1h\n"
    "interval: 10min\n"
    "duration: 12h\n"
    "price: 0.25\n"
    "currency: CHF\n"
    "co2: 400 g/kWh\n"
    "demand: oracle\n"
    "hosts:\n"
    "  order: round-robin\n"
    "  groups:\n"
    "    - name: g4\n"
    "      count: 400\n"
    "      cores: 2\n"
    "      speed: 1860MHz\n"
    "      memory: 4GiB\n"
    "      numa_nodes: 2\n"
    "      power: [86W, 89.4W, 92.6W, 96W, 99.5W, 102W, 106W, 108W, 112W,\n"
    "              114W, 117W]\n"
    "      network: 10Gbit/s\n"
    "      standby: {power: 4W, enter: 5s, enter_energy: 400J,\n"
    "                leave: 10s, leave_energy: 900J}\n"
    "      off: {power: 1W, enter: 30s, enter_energy: 3kJ, leave: 4min,\n"
    "            leave_energy: 25kJ}\n"
    "vms:\n"
    "  order: round-robin\n"
    "  groups:\n"
    "    - name: large\n"
    "      count: 12\n"
    "      vcpus: 2\n"
    "      speed: 1.8GHz\n"
    "      memory: 870MiB\n"
    "      cpu: {shares: high, reservation: 500MHz, limit: 3GHz}\n"
    "      mem: {shares: 777, reservation: 100MiB, limit: 800MiB}\n"
    "trace: {file: day.tar.zst}\n"
    "migration: {cpu_per_gbit: 20%, dirty_rate: 50MB/s, working_set: 80%,\n"
    "            downtime_max: 100ms, rounds_max: 5}\n"
    "policy:\n"
    "  name: lr-mmt-1.2\n"
    "  safety: 1.3\n";

static void test_a_scenario_becomes_structures(void **state)
{
    (void)state;
    if (parse(full) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(scenario.path, "x.yaml");
    assert_string_equal(scenario.name, "my room");
    assert_string_equal(scenario.physics, "real");
    assert_int_equal(scenario.seed, 7);
    assert_true(scenario.warmup_ns == 3600 * BL_NS_PER_S);
    assert_true(scenario.interval_ns == 600 * BL_NS_PER_S);
    assert_true(scenario.duration_ns == BL_NS_PER_S * 12 * 3600);
    assert_int_equal(scenario.price_micro_per_kwh, 250000);
    assert_string_equal(scenario.currency, "CHF");
    assert_int_equal(scenario.co2_mg_per_kwh, 400000);
    assert_true(scenario.demand_oracle);
    assert_int_equal(scenario.trace_source, BL_TRACE_FILE);
    assert_string_equal(scenario.trace_path, "day.tar.zst");
    assert_int_equal(scenario.dc.migration.cpu_ppm_per_gbit, 200000);
    assert_int_equal(scenario.dc.migration.dirty_bytes_per_s, 50000000);
    assert_int_equal(scenario.dc.migration.working_set_ppm, 800000);
    assert_int_equal(scenario.dc.migration.downtime_ns_max, 100000000);
    assert_int_equal(scenario.dc.migration.rounds_max, 5);
    assert_string_equal(scenario.policy.name, "lr-mmt-1.2");
    assert_int_equal(scenario.policy.line, 41);
    assert_int_equal(scenario.policy.param_count, 1);
    assert_string_equal(scenario.policy.param[0].name, "safety");
    assert_string_equal(scenario.policy.param[0].text, "1.3");
    assert_int_equal(scenario.policy.param[0].line, 42);
}

static void test_hosts_become_structures(void **state)
{
    const struct bl_host_group *h = &scenario.dc.host_group[0];

    (void)state;
    if (parse(full) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(scenario.dc.host_group_count, 1);
    assert_int_equal(scenario.dc.host_order, BL_ORDER_ROUND_ROBIN);
    assert_string_equal(h->name, "g4");
    assert_int_equal(h->host_count, 400);
    assert_int_equal(h->core_count, 2);
    assert_int_equal(h->core_khz, 1860000);
    assert_true(h->mem_bytes == UINT64_C(4) << 30);
    assert_int_equal(h->node_count, 2);
    assert_int_equal(h->power.mw[0], 86000);
    assert_int_equal(h->power.mw[1], 89400);
    assert_int_equal(h->power.mw[10], 117000);
    assert_int_equal(h->net_bytes_per_s, 1250000000);
    assert_int_equal(h->standby.power_mw, 4000);
    assert_true(h->standby.enter.time_ns == 5 * BL_NS_PER_S);
    assert_int_equal(h->standby.enter.energy_uj, 400000000);
    assert_true(h->standby.leave.time_ns == 10 * BL_NS_PER_S);
    assert_int_equal(h->standby.leave.energy_uj, 900000000);
    assert_int_equal(h->off.power_mw, 1000);
    assert_true(h->off.leave.time_ns == 240 * BL_NS_PER_S);
    assert_true(h->off.leave.energy_uj == UINT64_C(25000000000));
}

static void test_vms_become_structures(void **state)
{
    const struct bl_vm_group *v = &scenario.dc.vm_group[0];

    (void)state;
    if (parse(full) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(scenario.dc.vm_group_count, 1);
    assert_int_equal(scenario.dc.vm_order, BL_ORDER_ROUND_ROBIN);
    assert_string_equal(v->name, "large");
    assert_int_equal(v->vm_count, 12);
    assert_false(v->size_from_trace);
    assert_int_equal(v->vcpu_count, 2);
    assert_int_equal(v->vcpu_khz, 1800000);
    assert_int_equal(v->mem_bytes, 870 * BL_MIB);
    assert_true(v->cpu.shares.per_unit);
    assert_int_equal(v->cpu.shares.value, 2000);
    assert_int_equal(v->cpu.reservation, 500000);
    assert_int_equal(v->cpu.limit, 3000000);
    assert_false(v->mem.shares.per_unit);
    assert_int_equal(v->mem.shares.value, 777);
    assert_int_equal(v->mem.reservation, 100 * BL_MIB);
    assert_int_equal(v->mem.limit, 800 * BL_MIB);
}

/* --- what stands for absent keys ---------------------------------------- */

static void test_absent_keys(void **state)
{
    const struct bl_host_group *h = &scenario.dc.host_group[0];
    const struct bl_vm_group *v = &scenario.dc.vm_group[0];
    struct bl_trace_spec spec;

    (void)state;
    assert_ok(parse(small));
    assert_string_equal(scenario.name, "x");
    assert_string_equal(scenario.physics, "real");
    assert_int_equal(scenario.seed, 1);
    assert_true(scenario.interval_ns == 0);
    assert_true(scenario.duration_ns == 0);
    assert_true(scenario.warmup_ns == 0);
    assert_false(scenario.demand_oracle);
    assert_int_equal(scenario.price_micro_per_kwh, 0);
    assert_int_equal(scenario.co2_mg_per_kwh, 0);
    assert_string_equal(scenario.policy.name, "static");
    assert_int_equal(scenario.policy.line, 0);
    assert_int_equal(scenario.dc.host_order, BL_ORDER_BLOCKS);
    assert_int_equal(scenario.dc.vm_order, BL_ORDER_BLOCKS);
    assert_int_equal(h->node_count, 1);
    assert_int_equal(h->net_bytes_per_s, 125000000);
    assert_int_equal(v->vm_count, 0);
    assert_int_equal(v->cpu.reservation, 0);
    assert_true(v->cpu.limit == BL_NO_LIMIT);
    assert_int_equal(v->cpu.shares.value, BL_CPU_SHARES_NORMAL);
    assert_true(v->mem.limit == BL_NO_LIMIT);
    assert_int_equal(v->mem.shares.value, BL_MEM_SHARES_NORMAL);
    assert_true(v->mem.shares.per_unit);
    assert_int_equal(scenario.dc.migration.cpu_ppm_per_gbit, 300000);
    assert_int_equal(scenario.dc.migration.dirty_bytes_per_s, 40000000);
    assert_int_equal(scenario.dc.migration.working_set_ppm, 900000);
    assert_int_equal(scenario.dc.migration.downtime_ns_max, 300000000);
    assert_int_equal(scenario.dc.migration.rounds_max, 30);
    assert_int_equal(scenario.trace_source, BL_TRACE_GENERATED);
    bl_trace_spec_default(&spec);
    assert_int_equal(scenario.trace_spec.vm_count, spec.vm_count);
    assert_int_equal(scenario.trace_spec.step_count, spec.step_count);
    assert_true(scenario.trace_spec.step_ns == spec.step_ns);
    assert_int_equal(scenario.trace_spec.mean_ppm, spec.mean_ppm);
    assert_int_equal(scenario.trace_spec.diurnal_ppm, spec.diurnal_ppm);
    assert_int_equal(scenario.trace_spec.autocorr_ppm, spec.autocorr_ppm);
    assert_int_equal(scenario.trace_spec.burst_ppm, spec.burst_ppm);
    assert_int_equal(scenario.trace_spec.seed, 1);
}

/* 93.7 W idle, 135 W at most: what sleeping costs when nobody says. */
static void test_sleep_defaults_follow_the_power_table(void **state)
{
    const struct bl_host_group *h = &scenario.dc.host_group[0];

    (void)state;
    assert_ok(parse(small));
    assert_int_equal(h->standby.power_mw, 10400);
    assert_int_equal(h->standby.enter.energy_uj, 5 * 93700000);
    assert_int_equal(h->standby.leave.energy_uj, 10 * 135000000);
    assert_int_equal(h->off.power_mw, 5000);
    assert_true(h->off.enter.time_ns == 30 * BL_NS_PER_S);
    assert_true(h->off.enter.energy_uj == UINT64_C(30) * 93700000);
    assert_true(h->off.leave.time_ns == 260 * BL_NS_PER_S);
    assert_true(h->off.leave.energy_uj == UINT64_C(260) * 135000000);
}

static void test_sleep_never_draws_more_than_idle(void **state)
{
    const struct bl_host_group *h = &scenario.dc.host_group[0];

    (void)state;
    assert_ok(
        parse("hosts: {groups: [{name: a, count: 1, cores: 4,"
              " speed: 2GHz, memory: 8GiB, power: [12W, 20W, 21W, 22W,"
              " 23W, 24W, 25W, 26W, 27W, 28W, 29W], off: {leave: 0}}]}\n"
              "vms: {groups: [{name: b, size: from-trace}]}\n"
              "trace: {file: t.csv}\n"));
    assert_int_equal(h->standby.power_mw, 6000);
    assert_int_equal(h->off.power_mw, 3000);
    assert_int_equal(h->off.leave.time_ns, 0);
    assert_int_equal(h->off.leave.energy_uj, 0);
}

static void test_the_trace_follows_counts_and_seed(void **state)
{
    (void)state;
    assert_ok(parse_with("      count: 9\nseed: 5\n"));
    assert_int_equal(scenario.trace_spec.vm_count, 9);
    assert_int_equal(scenario.trace_spec.seed, 5);
    assert_ok(parse_with("trace: {generate: {vms: 11, memory: yes}}\n"));
    assert_int_equal(scenario.trace_spec.vm_count, 11);
    assert_true(scenario.trace_spec.has_mem);
    assert_false(scenario.trace_spec.has_size);
}

static void test_paths_are_relative_to_the_file(void **state)
{
    static const struct {
        const char *label, *file, *want;
    } rows[] = {
        { "x.yaml", "t.csv", "t.csv" },
        { "a/b/x.yaml", "t.csv", "a/b/t.csv" },
        { "a/b/x.yaml", "../t.csv", "a/b/../t.csv" },
        { "a/b/x.yaml", "/t.csv", "/t.csv" },
        { "/x.yaml", "t.csv", "/t.csv" },
        { "(embedded)", "t.csv", "t.csv" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[sizeof(small) + 64];

        snprintf(text, sizeof(text), "%strace: {file: %s}\n", small,
                 rows[i].file);
        assert_ok(bl_scenario_parse(text, strlen(text), rows[i].label,
                                    &scenario, &diag));
        assert_string_equal(scenario.trace_path, rows[i].want);
    }
}

static void test_pools(void **state)
{
    const struct bl_pool_desc *p = scenario.dc.pools.pool;

    (void)state;
    assert_ok(
        parse_with("      pool: web\n"
                   "pools:\n"
                   "  - name: shops\n"
                   "    cpu: {shares: high, reservation: 2GHz}\n"
                   "    mem: {limit: 4GiB, expandable: no}\n"
                   "  - {name: web, parent: shops, mem: {shares: 77}}\n"));
    assert_int_equal(scenario.dc.pools.count, 2);
    assert_int_equal(scenario.dc.vm_group[0].pool, 2);
    assert_string_equal(p[0].name, "shops");
    assert_int_equal(p[0].parent, 0);
    assert_int_equal(p[0].cpu.set.shares.value, BL_CPU_SHARES_HIGH);
    assert_int_equal(p[0].cpu.set.reservation, 2000000);
    assert_true(p[0].cpu.set.limit == BL_NO_LIMIT);
    assert_true(p[0].cpu.expandable);
    assert_true(p[0].mem.set.limit == UINT64_C(4) << 30);
    assert_false(p[0].mem.expandable);
    assert_int_equal(p[1].parent, 1);
    assert_true(p[1].cpu.expandable);
    assert_int_equal(p[1].mem.set.shares.value, 77);
    assert_false(p[1].mem.set.shares.per_unit);
    assert_ok(parse(small)); /* and without */
    assert_int_equal(scenario.dc.pools.count, 0);
    assert_int_equal(scenario.dc.vm_group[0].pool, 0);
}

/* --- edges that are allowed
 * ---------------------------------------------------- */

static void test_edges_are_allowed(void **state)
{
    /* NOLINTBEGIN(bugprone-suspicious-missing-comma) */
    static const char *const more[] = {
        /* all of the VM, and all of the CPU and memory that there is */
        "      cpu: {reservation: 2GHz, limit: 2GHz}\ntrace: {generate: {vms: "
        "8}}\n",
        "      mem: {reservation: 2GiB, limit: 2GiB}\ntrace: {generate: {vms: "
        "8}}\n",
        "      cpu: {shares: 1}\n      mem: {shares: 1000000000}\n",
        "trace: {generate: {steps: 12}}\nwarmup: 55min\nduration: 1h\n",
        "interval: 100s\n", /* a whole part of the step */
        "interval: 1h\n",
        "duration: from-trace\ninterval: from-trace\n",
        "policy: {name: x}\n",
        "policy: {a: 1, name: x, b: 2}\n",
        "# a comment with a \t tab\n\t\n   \t\n\t# and more\n",
        "seed: 9223372036854775807\n",
        "name: \"Z\xc3\xbcrich\"\n",
    };
    /* NOLINTEND(bugprone-suspicious-missing-comma) */

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++)
        if (parse_with(more[i]) != BL_ERR_OK)
            fail_msg("%s%s", more[i], diag.text);
}

static void test_line_ends_and_marks_of_other_systems(void **state)
{
    char text[2 * sizeof(small) + 8] = "\xef\xbb\xbf";
    size_t n = 3;

    (void)state;
    for (const char *c = small; *c != '\0'; c++) {
        if (*c == '\n')
            text[n++] = '\r';
        text[n++] = *c;
    }
    text[n] = '\0';
    if (parse(text) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(scenario.dc.host_group[0].core_count, 4);
}

static void test_quotes(void **state)
{
    static const struct {
        const char *more, *want;
    } rows[] = {
        { "name: a  # b\n", "a" },
        { "name: a#b c\n", "a#b c" },
        { "name: \"a: # b\"\n", "a: # b" },
        { "name: 'a''b'   # c\n", "a'b" },
        { "name: ''''''''''''''''''''\n", "'''''''''" },
        { "name: '\\n'\n", "\\n" },
        { "name: ' '\n", " " },
        { "\"name\" : x\n", "x" },
        { "? name\n: x\n", "x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (parse_with(rows[i].more) != BL_ERR_OK)
            fail_msg("%s%s", rows[i].more, diag.text);
        assert_string_equal(scenario.name, rows[i].want);
    }
}

/* --- refusals: tests/scenarios/
 * -------------------------------------------------- */

/* The first line of the file: "# expect :LINE: MESSAGE". */
static void check_refusal(const char *path)
{
    static const char intro[] = "# expect ";
    size_t size;
    char *text = read_whole(path, &size), want[1024];
    struct bl_scenario *before = malloc(sizeof(*before));
    bl_err e;

    assert_non_null(before);
    assert_memory_equal(text, intro, sizeof(intro) - 1);
    text[strcspn(text, "\n")] = '\0';
    snprintf(want, sizeof(want), "%s%s", path, text + sizeof(intro) - 1);
    memset(&scenario, 0x5a, sizeof(scenario));
    memcpy(before, &scenario, sizeof(scenario));
    e = bl_scenario_load(path, &scenario, &diag);
    if (e != BL_ERR_PARSE && e != BL_ERR_INVAL)
        fail_msg("%s: %s", path, bl_err_name(e));
    assert_string_equal(diag.text, want);
    assert_memory_equal(before, &scenario, sizeof(scenario));
    free(before);
    free(text);
}

static void test_refusals_say_where_and_what(void **state)
{
    (void)state;
    assert_true(for_each_yaml("tests/scenarios", check_refusal) > 70);
}

/* Only the generator knows what its knobs can do together. */
static void test_a_generator_that_cannot_is_refused_with_a_line(void **state)
{
    (void)state;
    assert_int_equal(parse_with("trace:\n  generate:\n"
                                "    bursts: 6.5%\n    mean: 1%\n"),
                     BL_ERR_INVAL);
    assert_memory_equal(diag.text, "x.yaml:18: ", 11);
    assert_non_null(strstr(diag.text, "expected"));
}

/* --- limits ------------------------------------------------------------- */

static void test_policy_parameters_are_bounded(void **state)
{
    char more[2048] = "policy:\n  name: x\n";
    const size_t head = strlen(more);
    size_t n = head;

    (void)state;
    for (unsigned i = 0; i < BL_PARAMS_MAX; i++)
        n += (size_t)snprintf(more + n, 32, "  p%u: %u\n", i, i);
    assert_ok(parse_with(more));
    assert_int_equal(scenario.policy.param_count, BL_PARAMS_MAX);
    snprintf(more + n, 32, "  one: more\n");
    assert_int_equal(parse_with(more), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "too many parameters"));
    snprintf(more + head, 128, "  p: %064d\n", 1);
    assert_int_equal(parse_with(more), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "more than 63 bytes"));
}

/* --- examples and documents
 * --------------------------------------------------------- */

static void check_example(const char *path)
{
    if (bl_scenario_load(path, &scenario, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    bl_dc_check(&scenario.dc);
    assert_int_equal(scenario.trace_source, BL_TRACE_GENERATED);
    assert_true(scenario.policy.line > 0);
}

static void test_every_example_is_sound(void **state)
{
    (void)state;
    assert_true(for_each_yaml("examples", check_example) >= 4);
}

static void test_the_embedded_scenario_is_the_example(void **state)
{
    const char *text = bl_scenario_embedded();
    size_t size;
    char *file = read_whole("examples/default.yaml", &size);

    (void)state;
    assert_string_equal(text, file);
    assert_ok(
        bl_scenario_parse(text, strlen(text), "(embedded)", &scenario, &diag));
    assert_string_equal(scenario.path, "(embedded)");
    free(file);
}

/* The set-up of the published experiment, figure by figure. */
static void test_the_planetlab_example(void **state)
{
    static const uint32_t mips[] = { 2500, 2000, 1000, 500 };
    static const uint32_t mib[] = { 870, 1740, 1740, 613 };
    const struct bl_dc *dc = &scenario.dc;
    uint8_t group[800];

    (void)state;
    assert_ok(bl_scenario_load("examples/planetlab.yaml", &scenario, &diag));
    assert_string_equal(scenario.physics, "real");
    assert_int_equal(bl_dc_host_count(dc), 800);
    bl_dc_host_groups(dc, group);
    for (int h = 0; h < 800; h++)
        assert_int_equal(group[h], h % 2);
    assert_int_equal(dc->host_group[0].core_khz, 1860000);
    assert_int_equal(dc->host_group[1].core_khz, 2660000);
    assert_int_equal(dc->host_group[0].power.mw[0], 86000);
    assert_int_equal(dc->host_group[1].power.mw[10], 135000);
    assert_int_equal(scenario.trace_spec.vm_count, 1052);
    for (int g = 0; g < 4; g++) {
        assert_int_equal(dc->vm_group[g].vcpu_count, 1);
        assert_int_equal(dc->vm_group[g].vcpu_khz, mips[g] * 1000);
        assert_int_equal(dc->vm_group[g].mem_bytes, mib[g] * BL_MIB);
        assert_int_equal(bl_dc_vm_group(dc, (uint32_t)g * 263, 1052), g);
    }
}

/* One word makes it the experiment of the published program. */
static void test_the_planetlab_example_under_cloudsim303(void **state)
{
    size_t size;
    char *text = read_whole("examples/planetlab.yaml", &size);
    char *at = strstr(text, "\nphysics: real\n");
    char *more = malloc(size + 64);

    (void)state;
    assert_non_null(at);
    assert_non_null(more);
    *at = '\0';
    snprintf(more, size + 64, "%s\nphysics: cloudsim303\n%s", text,
             at + strlen("\nphysics: real\n"));
    if (parse(more) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(scenario.physics, "cloudsim303");
    free(more);
    free(text);
}

/* Every key is in the manual as ".B key"; its section as ".SS section". */
static void test_the_manual_has_every_key(void **state)
{
    size_t size;
    char *man = read_whole("man/ballast-scenario.5", &size), want[128];
    const char *host = strstr(man, "\n.SH KEYS OF LEVEL HOST\n");
    struct bl_scenario_key k;
    uint32_t n = 0;

    (void)state;
    assert_non_null(host);
    for (; bl_scenario_key(n, &k); n++) {
        const char *section = k.section[0] != '\0' ? k.section : "Top level";
        const char *at, *key, *end;

        snprintf(want, sizeof(want), "\n.SS %s\n", section);
        at = strstr(strcmp(k.level, "host") == 0 ? host : man, want);
        if (at == NULL) {
            fail_msg("no section %s in the manual", section);
            break;
        }
        end = strstr(at + 1, "\n.S");
        snprintf(want, sizeof(want), "\n.B %s\n", k.name);
        key = strstr(at, want);
        if (key == NULL || (end != NULL && key > end))
            fail_msg("no key %s.%s in the manual", section, k.name);
        assert_true(k.meaning[0] != '\0');
        assert_true(k.expect[0] != '\0');
    }
    assert_true(n > 130);
    free(man);
}

static void test_the_default_of_every_key_can_be_written(void **state)
{
    struct bl_scenario_key k;
    uint32_t n = 0;

    (void)state;
    for (uint32_t i = 0; bl_scenario_key(i, &k); i++) {
        char more[512];

        if (k.section[0] != '\0' || strcmp(k.level, "cluster") != 0 ||
            k.def == NULL || strncmp(k.expect, "a map", 5) == 0 ||
            strncmp(k.expect, "a list", 6) == 0 || strcmp(k.name, "name") == 0)
            continue;
        snprintf(more, sizeof(more), "%s: %s\n", k.name, k.def);
        if (parse_with(more) != BL_ERR_OK)
            fail_msg("%s", diag.text);
        n++;
    }
    assert_true(n >= 10);
}

/* --- determinism, memory
 * ------------------------------------------------------------------ */

static void test_the_content_has_a_hash(void **state)
{
    uint64_t first;

    (void)state;
    assert_ok(parse(small));
    first = scenario.content_hash;
    assert_ok(parse(small));
    assert_true(scenario.content_hash == first);
    assert_ok(parse_with("seed: 2\n"));
    assert_true(scenario.content_hash != first);
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
        assert_string_equal(diag.text, "x.yaml: out of memory");
    }
    assert_int_equal(n, 3); /* the structure, the nodes, their texts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_scenario_becomes_structures),
        cmocka_unit_test(test_hosts_become_structures),
        cmocka_unit_test(test_vms_become_structures),
        cmocka_unit_test(test_absent_keys),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_sleep_defaults_follow_the_power_table),
        cmocka_unit_test(test_sleep_never_draws_more_than_idle),
        cmocka_unit_test(test_the_trace_follows_counts_and_seed),
        cmocka_unit_test(test_paths_are_relative_to_the_file),
        cmocka_unit_test(test_edges_are_allowed),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_line_ends_and_marks_of_other_systems),
        cmocka_unit_test(test_refusals_say_where_and_what),
        cmocka_unit_test(test_a_generator_that_cannot_is_refused_with_a_line),
        cmocka_unit_test(test_policy_parameters_are_bounded),
        cmocka_unit_test(test_every_example_is_sound),
        cmocka_unit_test(test_the_embedded_scenario_is_the_example),
        cmocka_unit_test(test_the_planetlab_example),
        cmocka_unit_test(test_the_planetlab_example_under_cloudsim303),
        cmocka_unit_test(test_the_manual_has_every_key),
        cmocka_unit_test(test_the_default_of_every_key_can_be_written),
        cmocka_unit_test(test_the_content_has_a_hash),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("config", tests, test_group_setup, NULL);
}
