/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config_power - what a scenario says about P-states, power models,
 * governors and caps, at both levels. Refusals with their words are files under
 * tests/scenarios/ (test_config reads them all).
 */
#include "tests/test.h"

#include "base/prng.h"
#include "config/scenario.h"
#include "power/cap_plan.h"
#include "power/catalog.h"

#include <stdio.h>
#include <string.h>

static struct bl_scenario scenario; /* too large for a stack */
static struct bl_diag diag;
static const struct bl_dc *const dc = &scenario.dc;
static const struct bl_host_spec *const host = &scenario.host;

static bl_err parse(const char *text)
{
    memset(&diag, 0, sizeof(diag));
    return bl_scenario_parse(text, strlen(text), "x.yaml", &scenario, &diag);
}

static void must_parse(const char *text)
{
    if (parse(text) != BL_ERR_OK)
        fail_msg("%s%s", text, diag.text);
}

/* --- the example -------------------------------------------------------- */

/* Eight of them. */
#define VMS_OF(reservation)                                                    \
    "vms:\n"                                                                   \
    "  groups:\n"                                                              \
    "    - {name: web, count: 8, vcpus: 2, speed: 1GHz, memory: 1GiB,\n"       \
    "       cpu: {reservation: " reservation "}}\n"
#define VMS VMS_OF("1GHz")

static const char cluster[] =
    "hosts:\n"
    "  groups:\n"
    "    - name: old\n"
    "      count: 3\n"
    "      cores: 2\n"
    "      speed: 2660MHz\n"
    "      memory: 4GiB\n"
    "      power: HpProLiantMl110G5Xeon3075\n"
    "    - name: new\n"
    "      count: 5\n"
    "      cores: 8\n"
    "      speed: 2GHz\n"
    "      memory: 16GiB\n"
    "      power: {static: 40W, leakage: 500mW, switching: 3W}\n"
    "      frequency:\n"
    "        pstates: [2GHz@1.0V, 1.5GHz@900mV, 1GHz@0.8V]\n"
    "        domains: per-core\n"
    "        switch: 20us\n"
    "        idle_states:\n"
    "          - {name: C1, power: 800mW, exit: 2us}\n"
    "          - {name: C6, after: 600us, exit: 130us}\n" VMS
    "governor: {name: entitled, headroom: 1.3, hold: 1s}\n"
    "power_caps:\n"
    "  - {name: room, budget: 1kW}\n"
    "  - {name: rack, hosts: new, each: 2, budget: 150W}\n";

static void test_groups_get_tables(void **state)
{
    const struct bl_power_table *t =
        bl_power_catalog_find("HpProLiantMl110G5Xeon3075");
    const struct bl_freq *f = &dc->host_group[0].freq;

    (void)state;
    must_parse(cluster);
    /* one of one speed has its table there, too */
    assert_int_equal(f->pstate_count, 1);
    assert_int_equal(f->domain_count, 1);
    assert_int_equal(f->pstate[0].khz, 2660000);
    assert_memory_equal(f->pstate[0].mw, t->mw, sizeof(t->mw));
    f = &dc->host_group[1].freq;
    assert_int_equal(f->pstate_count, 3);
    assert_int_equal(f->domain_count, 8);
    assert_int_equal(f->switch_ns, 20000);
    assert_int_equal(f->pstate[2].khz, 1000000);
    assert_int_equal(f->pstate[1].uv, 900000);
    assert_int_equal(f->pstate[0].mw[0], 40000);
    assert_int_equal(f->pstate[0].mw[10], 40000 + 8 * 3500);
    assert_int_equal(f->pstate[2].mw[10], 40000 + 8 * (400 + 960));
    assert_string_equal(dc->host_group[1].power.name, "DVFS model");
    assert_memory_equal(dc->host_group[1].power.mw, f->pstate[0].mw,
                        sizeof(f->pstate[0].mw));
    assert_int_equal(f->idle_count, 2);
    assert_string_equal(f->idle[0].name, "C1");
    assert_int_equal(f->idle[0].extra_mw, 800);
    assert_int_equal(f->idle[1].after_ns, 600000);
    assert_int_equal(f->idle[1].exit_ns, 130000);
    /* what sleep states take from the table they take from the made one */
    assert_int_equal(dc->host_group[1].standby.power_mw, 10400);
    assert_true(dc->host_group[1].off.leave.energy_uj ==
                260 * UINT64_C(68000000));
}

static void test_a_measured_table_is_scaled(void **state)
{
    static const char text[] =
        "hosts:\n"
        "  groups:\n"
        "    - name: a\n"
        "      count: 2\n"
        "      cores: 2\n"
        "      speed: 2GHz\n"
        "      memory: 4GiB\n"
        "      power: [20W, 22W, 24W, 26W, 28W, 30W, 32W, 34W, 36W, 38W, 40W]\n"
        "      frequency: {pstates: [2GHz@1V, 1GHz@0.5V]}\n" VMS;
    const struct bl_freq *f = &dc->host_group[0].freq;

    (void)state;
    must_parse(text);
    assert_int_equal(f->domain_count, 1);
    assert_int_equal(f->switch_ns, 10000);
    assert_int_equal(f->idle_count, 0);
    assert_int_equal(f->pstate[0].mw[10], 40000);
    assert_int_equal(f->pstate[1].mw[10], 22500); /* an eighth of 20 W */
    assert_int_equal(f->pstate[1].mw[0], 20000);
}

static void test_governor_and_its_parameters(void **state)
{
    const struct bl_governor *g = NULL;
    struct bl_params p = { .count = 77 };

    (void)state;
    must_parse(cluster);
    assert_string_equal(scenario.governor.name, "entitled");
    assert_int_equal(scenario.governor.line, 26);
    assert_ok(bl_governor_choose(&scenario.governor, "x.yaml", &g, &p, &diag));
    assert_ptr_equal(g, bl_governor_find("entitled"));
    assert_int_equal(bl_params_get(&p, "headroom"), 1300000);
    assert_true(bl_params_get(&p, "hold") == BL_NS_PER_S);
    /* what is wrong on the command line has no line */
    scenario.governor.line = scenario.governor.param[0].line = 0;
    snprintf(scenario.governor.param[0].text, BL_NAME_BYTES, "9");
    assert_int_equal(
        bl_governor_choose(&scenario.governor, "x.yaml", &g, &p, &diag),
        BL_ERR_INVAL);
    assert_memory_equal(diag.text, "--param: headroom: ", 19);
    snprintf(scenario.governor.name, BL_NAME_BYTES, "nobody");
    assert_int_equal(
        bl_governor_choose(&scenario.governor, "x.yaml", &g, &p, &diag),
        BL_ERR_PARSE);
    assert_memory_equal(diag.text, "--governor: governor: ", 22);
    assert_ptr_equal(g, bl_governor_find("entitled"));
    assert_int_equal(bl_params_get(&p, "headroom"), 1300000);
}

static void test_caps_and_their_racks(void **state)
{
    uint32_t rack[8];
    uint8_t group[8];

    (void)state;
    must_parse(cluster);
    assert_int_equal(dc->cap_count, 2);
    assert_string_equal(dc->cap[0].name, "room");
    assert_int_equal(dc->cap[0].group, BL_CAP_ALL);
    assert_int_equal(dc->cap[0].hosts_each, 0);
    assert_true(dc->cap[0].mw == 1000000);
    assert_int_equal(dc->cap[1].group, 1);
    assert_int_equal(dc->cap[1].hosts_each, 2);
    assert_int_equal(dc->cap[1].line, 29);
    bl_dc_host_groups(dc, group);
    assert_int_equal(bl_dc_cap_racks(dc, 0, group, rack), 1);
    for (int h = 0; h < 8; h++)
        assert_int_equal(rack[h], 0);
    assert_int_equal(bl_dc_cap_racks(dc, 1, group, rack), 3);
    for (uint32_t h = 0; h < 8; h++)
        assert_int_equal(rack[h], h < 3 ? UINT32_MAX : (h - 3) / 2);
}

static void test_defaults(void **state)
{
    (void)state;
    must_parse(
        "hosts:\n"
        "  groups:\n"
        "    - {name: a, count: 2, cores: 2, speed: 2GHz, memory: 4GiB,\n"
        "       power: HpProLiantMl110G5Xeon3075}\n" VMS);
    assert_string_equal(scenario.governor.name, "performance");
    assert_int_equal(scenario.governor.line, 0);
    assert_int_equal(dc->cap_count, 0);
    assert_int_equal(dc->host_group[0].freq.pstate_count, 1);
}

/* --- level host ---------------------------------------------------------- */

static const char one[] =
    "level: host\n"
    "host:\n"
    "  topology: core:4 pu:2\n"
    "  speed: 2.4GHz\n"
    "  power: IbmX3250XeonX3470\n"
    "  frequency: {pstates: [2.4GHz@1.1V, 1.2GHz@0.9V], domains: 2,\n"
    "              idle_states: [{name: C1, power: 1W},\n"
    "                            {name: C6, after: 1ms}]}\n"
    "  governor: {name: ondemand, up_threshold: 80%}\n"
    "  governor_period: 4ms\n"
    "  power_cap: 90W\n"
    "vms: {groups: [{name: a, cpu: {reservation: 2GHz}, workload: cpu}]}\n";

static void test_a_host_gets_all_of_it(void **state)
{
    (void)state;
    must_parse(one);
    assert_int_equal(host->freq.pstate_count, 2);
    assert_int_equal(host->freq.domain_count, 2);
    assert_int_equal(host->freq.pstate[0].mw[0], 41600);
    assert_int_equal(host->freq.pstate[0].mw[10], 113000);
    /* 41.6 + 71.4 * 0.5 * (0.9 / 1.1)^2 */
    assert_int_equal(host->freq.pstate[1].mw[10], 65498);
    assert_int_equal(host->freq.idle_count, 2);
    assert_string_equal(host->governor, "ondemand");
    assert_int_equal(host->governor_line, 9);
    assert_int_equal(host->governor_param_count, 1);
    assert_string_equal(host->governor_param[0].name, "up_threshold");
    assert_string_equal(host->governor_param[0].text, "80%");
    assert_int_equal(host->governor_ns, 4000000);
    assert_true(host->cap_mw == 90000);
}

static void test_a_host_without_power(void **state)
{
    (void)state;
    must_parse(
        "level: host\n"
        "host: {topology: 'core:4 pu:1'}\n"
        "vms: {groups: [{name: a, workload: cpu}]}\n");
    assert_int_equal(host->freq.pstate_count, 0);
    assert_string_equal(host->governor, "performance");
    assert_int_equal(host->governor_ns, 10000000);
    assert_true(host->cap_mw == UINT64_MAX);
}

static void test_a_host_of_one_speed(void **state)
{
    (void)state;
    must_parse(
        "level: host\n"
        "host: {topology: 'core:4 pu:1', power: IbmX3250XeonX3470}\n"
        "vms: {groups: [{name: a, workload: cpu}]}\n");
    assert_int_equal(host->freq.pstate_count, 1);
    assert_int_equal(host->freq.domain_count, 1);
    assert_int_equal(host->freq.pstate[0].khz, 2000000);
    assert_int_equal(host->freq.pstate[0].mw[0], 41600);
}

/* 56 W idle, 71 W full, but 57 W still at 30 %: cores that work or do not draw
 * a part of the way from 56 to 71, so 2 of 4 GHz need more than half of it. */
static void test_a_host_is_never_evenly_busy(void **state)
{
    (void)state;
    assert_int_equal(
        parse(
            "level: host\n"
            "host:\n"
            "  topology: 'core:2 pu:1'\n"
            "  speed: 2GHz\n"
            "  power: [56W, 56W, 56W, 57W, 58W, 59W, 61W, 70W, 70W, 70W, 71W]\n"
            "  power_cap: 60W\n"
            "vms:\n"
            "  groups:\n"
            "    - {name: a, count: 2, workload: cpu, cpu: {reservation: "
            "1GHz}}\n"),
        BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "reservations of 2GHz need 10W more"));
}

/* --- caps at their limit -------------------------------------------------- */

/* Three hosts of 8 GHz, idle 20 W, full 40 W. */
static bl_err parse_capped(unsigned budget_mw, const char *caps,
                           const char *vms)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "hosts:\n"
             "  groups:\n"
             "    - {name: a, count: 2, cores: 4, speed: 2GHz, memory: 8GiB,\n"
             "       power: {static: 20W, switching: 5W}}\n"
             "    - {name: b, count: 1, cores: 4, speed: 2GHz, memory: 8GiB,\n"
             "       power: {static: 20W, switching: 5W}}\n"
             "%spower_caps: [{name: r, %s, budget: %umW}]\n",
             vms, caps, budget_mw);
    return parse(text);
}

static void test_the_least_cap_is_taken(void **state)
{
    (void)state;
    /* all: 8 GHz of 24 in all, a third of what is above idle */
    assert_ok(parse_capped(80000, "each: all", VMS));
    assert_int_equal(parse_capped(79999, "each: all", VMS), BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "reservations need 20W more"));
    /* the other host has room for all that is reserved */
    assert_ok(parse_capped(40000, "hosts: a", VMS));
    assert_int_equal(parse_capped(39999, "hosts: a", VMS), BL_ERR_INVAL);
    assert_null(strstr(diag.text, "reservations"));
    /* of 16 GHz it has room for half: 8 GHz of 16 stay, half the way up */
    assert_ok(parse_capped(60000, "hosts: a", VMS_OF("2GHz")));
    assert_int_equal(parse_capped(59999, "hosts: a", VMS_OF("2GHz")),
                     BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "reservations need 20W more"));
    /* racks of two: the small one takes all, or the large one does */
    assert_ok(parse_capped(50000, "each: 2", VMS));
    assert_int_equal(parse_capped(39999, "each: 2", VMS), BL_ERR_INVAL);
    /* 4 GHz stay for each host, of 4 W: 25 W for each */
    assert_int_equal(parse_capped(26666, "each: 1", VMS), BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "1 host idle at 20W are 20W"));
    assert_ok(parse_capped(26667, "each: 1", VMS));
}

/* kHz that @racks racks of @hosts hosts can do, each rack within @mw. */
static uint64_t capped_khz(uint64_t racks, uint64_t hosts, uint64_t mw)
{
    const uint64_t most = hosts * 8000000, spare = (mw - hosts * 20000) * 400;

    return racks * (spare < most ? spare : most);
}

/* What one cap leaves for the hosts under another is no more than that one
 * leaves them: all caps at once, for racks that share no host. */
static void test_caps_are_kept_together(void **state)
{
    static const char *const each[] = { "1", "all" };
    struct bl_prng p = bl_prng_stream(test_seed(), 1);
    char caps[200];
    int refused = 0;

    (void)state;
    /* 12 GHz: half of each of three hosts, half of what is above idle */
    assert_ok(parse_capped(30001,
                           "hosts: a, each: 1, budget: 30.001W}, "
                           "{name: s, hosts: b",
                           VMS_OF("1.5GHz")));
    assert_int_equal(parse_capped(29990,
                                  "hosts: a, each: 1, budget: 29.99W}, "
                                  "{name: s, hosts: b",
                                  VMS_OF("1.5GHz")),
                     BL_ERR_INVAL);
    assert_non_null(strstr(diag.text, "1 host idle at 20W are 20W"));
    for (int i = 0; i < 300; i++) {
        const uint32_t k = (uint32_t)bl_prng_below(&p, 2);
        const uint64_t here = (k + 1) * (20000 + bl_prng_below(&p, 25000));
        const uint64_t there = 20000 + bl_prng_below(&p, 25000);
        const uint64_t most =
            capped_khz(2 - k, k + 1, here) + capped_khz(1, 1, there);
        const bool much = bl_prng_below(&p, 2) == 1;
        const uint64_t asked = much ? 16000000 : 8000000;
        bl_err e;

        if (most + 1000 > asked && asked + 1000 > most)
            continue; /* the last mW is another test's */
        snprintf(caps, sizeof(caps),
                 "hosts: a, each: %s, budget: %umW}, {name: s, hosts: b",
                 each[k], (unsigned)here);
        e = parse_capped((unsigned)there, caps, much ? VMS_OF("2GHz") : VMS);
        assert_int_equal(e, most >= asked ? BL_ERR_OK : BL_ERR_INVAL);
        refused += e != BL_ERR_OK;
        if (e != BL_ERR_OK)
            assert_null(strstr(diag.text, " 0.001W short"));
    }
    assert_in_range(refused, 30, 270);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_get_tables),
        cmocka_unit_test(test_a_measured_table_is_scaled),
        cmocka_unit_test(test_governor_and_its_parameters),
        cmocka_unit_test(test_caps_and_their_racks),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_a_host_gets_all_of_it),
        cmocka_unit_test(test_a_host_without_power),
        cmocka_unit_test(test_a_host_of_one_speed),
        cmocka_unit_test(test_a_host_is_never_evenly_busy),
        cmocka_unit_test(test_the_least_cap_is_taken),
        cmocka_unit_test(test_caps_are_kept_together),
    };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
