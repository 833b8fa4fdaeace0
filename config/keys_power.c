/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/keys_power.c - the keys of P-states, of the power model and of power
 * caps; see keys.c. Both levels have the first two, under names of their own.
 */
#include "config/keys_priv.h"

#include "power/dvfs.h"

#define PSTATES "a list such as [2.6GHz@1.10V, 1.2GHz@0.80V]"

/* A change: tens of us until the new clock holds, of which cores stand still
 * for a part (Mazouz, Laurent, Pradelle, Jalby, "Evaluation of CPU frequency
 * transition latency", Computer Science - Research and Development 2014
 * [recalled]). Idle states have no default: which ones there are, and what they
 * draw, differs too much. */
static const struct bl__field frequency[] = {
    { .name = "pstates",
      .meaning = "speeds of a core, fastest first, each at its voltage",
      .expect = PSTATES,
      SUB(bl__read_pstates) },
    { .name = "domains",
      .meaning = "runs of cores that share a clock; or each core its own",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_FREQ_DOMAINS_MAX),
      .word = "per-core",
      .word_value = 0,
      .def = "1",
      AT(struct bl_freq, domain_count) },
    { .name = "switch",
      .meaning = "its cores stand still for so long when the clock changes",
      IS(BL_DIM_TIME),
      RANGE(0, BL_FREQ_SWITCH_NS_MAX),
      .def = "10us",
      AT(struct bl_freq, switch_ns) },
    { .name = "idle_states",
      .meaning = "of a core, from the shallowest to the deepest",
      .expect = "a list of idle states",
      .shown = "the deepest at once",
      SUB(bl__read_idle_states) },
};

static const struct bl__field idle_state[] = {
    { .name = "name",
      .meaning = "such as C1",
      .kind = BL__NAME,
      AT(struct bl_idle_state, name) },
    { .name = "power",
      .meaning = "of one core, above the deepest state (there: 0)",
      IS(BL_DIM_POWER),
      RANGE(0, BL_POWER_MW_MAX),
      .def = "0",
      AT(struct bl_idle_state, extra_mw) },
    { .name = "after",
      .meaning = "of idling until a core is in it (the first: 0)",
      IS(BL_DIM_TIME),
      RANGE(0, BL_IDLE_NS_MAX),
      .def = "0",
      AT(struct bl_idle_state, after_ns) },
    { .name = "exit",
      .meaning = "until it works again",
      IS(BL_DIM_TIME),
      RANGE(0, BL_IDLE_NS_MAX),
      .def = "0",
      AT(struct bl_idle_state, exit_ns) },
};

static const struct bl__field model[] = {
    { .name = "static",
      .meaning = "drawn by the host in any case",
      IS(BL_DIM_POWER),
      RANGE(0, BL_POWER_MW_MAX),
      AT(struct bl_dvfs_model, static_mw) },
    { .name = "leakage",
      .meaning = "of a core at work, at its fastest; follows the voltage",
      IS(BL_DIM_POWER),
      RANGE(0, BL_POWER_MW_MAX),
      .def = "0",
      AT(struct bl_dvfs_model, leak_mw) },
    { .name = "switching",
      .meaning = "of a core at work, at its fastest; follows V^2 f",
      IS(BL_DIM_POWER),
      RANGE(0, BL_POWER_MW_MAX),
      AT(struct bl_dvfs_model, switch_mw) },
};

static const struct bl__field governor[] = {
    { .name = "name",
      .meaning = "such as entitled (ballast sim --governor help lists them)",
      .kind = BL__STRING,
      AT(struct bl_policy_choice, name) },
};

static const struct bl__field power_cap[] = {
    { .name = "name",
      .meaning = "of the cap",
      .kind = BL__NAME,
      AT(struct bl_power_cap, name) },
    { .name = "hosts",
      .meaning = "the host group whose hosts are under it",
      .expect = "the name of a host group",
      .shown = "all hosts",
      SUB(bl__read_cap_hosts),
      AT(struct bl_power_cap, group) },
    { .name = "each",
      .meaning = "hosts of one rack, in order of their numbers",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOSTS_MAX),
      .word = "all",
      .word_value = 0,
      .def = "all",
      AT(struct bl_power_cap, hosts_each) },
    { .name = "budget",
      .meaning = "what one rack may draw",
      IS(BL_DIM_POWER),
      RANGE(1, BL_CAP_MW_MAX),
      AT(struct bl_power_cap, mw) },
};

SECTION(frequency, "hosts.groups.frequency", frequency);
SECTION(idle_state, "hosts.groups.frequency.idle_states", idle_state);
SECTION(power_model, "hosts.groups.power", model);
SECTION(host_frequency, "host.frequency", frequency);
SECTION(host_idle_state, "host.frequency.idle_states", idle_state);
SECTION(host_power_model, "host.power", model);
SECTION(governor, "governor", governor);
SECTION(host_governor, "host.governor", governor);
SECTION(power_cap, "power_caps", power_cap);
