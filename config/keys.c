/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/keys.c - every key of level cluster, once (level host: keys_host.c):
 * what it means, what may be written, what holds when it is absent, and where
 * it goes. The reader, the messages, `ballast check --keys` and the test of the
 * man page all follow these tables.
 *
 * Where the default of a physical quantity comes from is said beside it;
 * [recalled] marks a figure that was not re-read at its source.
 */
#include "config/keys.h"
#include "config/keys_priv.h"

#define FROM_TRACE .word = "from-trace", .word_value = 0

#define SECOND BL_NS_PER_S
#define DAY (86400 * BL_NS_PER_S)

static const char *const level[] = { "cluster", "host", NULL };
static const char *const physics[] = { "real", "cloudsim303", NULL };
static const char *const demand[] = { "observed", "oracle", NULL };
static const char *const order[] = { "blocks", "round-robin", NULL };
static const char *const sizes[] = { "given", "from-trace", NULL };

static const struct bl__field top[] = {
    { .name = "name",
      .meaning = "of the scenario, for the report",
      .kind = BL__STRING,
      .shown = "the file's name",
      AT(struct bl_scenario, name) },
    { .name = "level",
      .meaning = "cluster: hosts and a trace; host: one host in nanoseconds",
      .kind = BL__CHOICE,
      .choices = level,
      .def = "cluster",
      AT(struct bl_scenario, level) },
    { .name = "physics",
      .meaning = "rules of the simulated world",
      .kind = BL__STRING,
      .choices = physics,
      .def = "real",
      AT(struct bl_scenario, physics) },
    { .name = "seed",
      .meaning = "of all randomness: trace generator and policy",
      IS(BL_DIM_COUNT),
      RANGE(0, INT64_MAX),
      .def = "1",
      AT(struct bl_scenario, seed) },
    { .name = "interval",
      .meaning = "between two decisions of the policy",
      IS(BL_DIM_TIME),
      RANGE(SECOND, DAY),
      FROM_TRACE,
      .def = "from-trace",
      AT(struct bl_scenario, interval_ns) },
    { .name = "duration",
      .meaning = "of the run; shorter than the trace, or from-trace",
      IS(BL_DIM_TIME),
      RANGE(SECOND, 36525 * DAY),
      FROM_TRACE,
      .def = "from-trace",
      AT(struct bl_scenario, duration_ns) },
    { .name = "warmup",
      .meaning = "simulated first, left out of every figure",
      IS(BL_DIM_TIME),
      RANGE(0, 36525 * DAY),
      .def = "0s",
      AT(struct bl_scenario, warmup_ns) },
    { .name = "demand",
      .meaning = "what policies see: estimated from use, or the truth",
      .kind = BL__CHOICE,
      .choices = demand,
      .def = "observed",
      AT(struct bl_scenario, demand_oracle) },
    { .name = "price",
      .meaning = "of a kWh; 0: no cost in the report",
      IS(BL_DIM_MONEY),
      RANGE(0, INT64_C(1000000000000)),
      .def = "0",
      AT(struct bl_scenario, price_micro_per_kwh) },
    { .name = "currency",
      .meaning = "of the price",
      .kind = BL__STRING,
      .def = "EUR",
      AT(struct bl_scenario, currency) },
    { .name = "co2",
      .meaning = "emitted for a kWh; 0: no CO2 in the report",
      IS(BL_DIM_CO2),
      RANGE(0, 100000000),
      .def = "0",
      AT(struct bl_scenario, co2_mg_per_kwh) },
    { .name = "servers",
      .meaning = "a CSV file of servers that 'power' may name, too",
      .expect = "a path, relative to the scenario, or none",
      .shown = "none",
      SUB(bl__read_servers) },
    { .name = "hosts",
      .meaning = "the machines",
      .expect = "a map with 'groups'",
      SUB(bl__read_hosts),
      AT(struct bl_scenario, dc) },
    { .name = "governor",
      .meaning = "of the hosts' frequency; a name alone or a map",
      .expect = "a name or a map with 'name'",
      .shown = "performance",
      SUB(bl__read_governor),
      AT(struct bl_scenario, governor) },
    { .name = "power_caps",
      .meaning = "what racks of hosts may draw",
      .expect = "a list of power caps",
      .shown = "none",
      SUB(bl__read_power_caps),
      AT(struct bl_scenario, dc) },
    { .name = "pools",
      .meaning = "resource pools, each after its parent",
      .expect = "a list of pools",
      .shown = "none",
      SUB(bl__read_pools),
      AT(struct bl_scenario, dc.pools) },
    { .name = "vms",
      .meaning = "the virtual machines",
      .expect = "a map with 'groups'",
      SUB(bl__read_vms),
      AT(struct bl_scenario, dc) },
    { .name = "trace",
      .meaning = "what the VMs do",
      .expect = "a map with 'file' or 'generate'",
      .shown = "a generated one",
      SUB(bl__read_trace) },
    { .name = "migration",
      .meaning = "what moving a VM costs",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_migration),
      AT(struct bl_scenario, dc.migration) },
    { .name = "policy",
      .meaning = "who decides; a name alone or a map",
      .expect = "a name or a map with 'name'",
      .shown = "static",
      SUB(bl__read_policy),
      AT(struct bl_scenario, policy) },
    { .name = "tune",
      .meaning = "what ballast tune tries; nothing to ballast sim",
      .expect = "a map",
      .shown = "nothing",
      SUB(bl__read_tune),
      AT(struct bl_scenario, tune) },
};

static const struct bl__field hosts[] = {
    { .name = "order",
      .meaning = "of host numbers: group by group, or one of each in turn",
      .kind = BL__CHOICE,
      .choices = order,
      .def = "blocks",
      AT(struct bl_dc, host_order) },
    { .name = "groups",
      .meaning = "a list, one entry for each kind of machine",
      .expect = "a list of host groups",
      SUB(bl__read_host_groups) },
};

#define OF_SERVER "that of the server (required unless from 'servers')"

static const struct bl__field host_group[] = {
    { .name = "name",
      .meaning = "of the group",
      .kind = BL__NAME,
      AT(struct bl_host_group, name) },
    { .name = "count",
      .meaning = "hosts in the group",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOSTS_MAX),
      AT(struct bl_host_group, host_count) },
    { .name = "cores",
      .meaning = "of one host (cores, not threads)",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOST_CORES_MAX),
      .shown = OF_SERVER,
      AT(struct bl_host_group, core_count) },
    { .name = "speed",
      .meaning = "of one core",
      IS(BL_DIM_FREQ),
      RANGE(1, BL_CORE_KHZ_MAX),
      .shown = OF_SERVER,
      AT(struct bl_host_group, core_khz) },
    { .name = "memory",
      .meaning = "of one host",
      IS(BL_DIM_BYTES),
      RANGE(BL_MIB, BL_MEM_BYTES_MAX),
      .shown = OF_SERVER,
      AT(struct bl_host_group, mem_bytes) },
    { .name = "numa_nodes",
      .meaning = "cores and memory are split evenly over them",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOST_NODES_MAX),
      .def = "1",
      AT(struct bl_host_group, node_count) },
    { .name = "power",
      .meaning = "drawn at 0, 10 ... 100 % CPU: a known server, a list, a map",
      .expect = "a server's name (ballast check --servers), a list of 11 "
                "powers or a map",
      SUB(bl__read_power),
      AT(struct bl_host_group, power) },
    { .name = "frequency",
      .meaning = "the P-states of its cores",
      .expect = "a map with 'pstates'",
      .shown = "one, of that speed and power",
      SUB(bl__read_frequency),
      AT(struct bl_host_group, freq) },
    { .name = "network",
      .meaning = "bandwidth that migrations of one host share",
      IS(BL_DIM_RATE),
      RANGE(BL_NET_BYTES_PER_S_MIN, BL_NET_BYTES_PER_S_MAX),
      .def = "1Gbit/s", /* an assumption; that of the field's experiments */
      AT(struct bl_host_group, net_bytes_per_s) },
    { .name = "standby",
      .meaning = "suspended to memory",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_standby),
      AT(struct bl_host_group, standby) },
    { .name = "off",
      .meaning = "switched off",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_off),
      AT(struct bl_host_group, off) },
};

/*
 * Standby. 10.4 W asleep: the blade of Meisner, Gold, Wenisch, "PowerNap",
 * ASPLOS 2009 (450 W at full load), as Beloglazov and Buyya 2012 quote it. Its
 * 300 ms transition is what they ask of hardware, not what servers do: suspend
 * to RAM takes seconds (Isci et al., "Agile, efficient virtualization power
 * management with low-latency server power states", ISCA 2013 [recalled]), so
 * 5 s and 10 s are assumptions of that order.
 *
 * Off. Gandhi et al., "AutoScale", ACM TOCS 2012 [recalled]: setup takes 260 s
 * at about 200 W, the most their server draws; hence also full power as the
 * default for the energy of leaving. 30 s for an orderly shutdown at idle power
 * and 5 W for what stays alive (management controller, power supply) are
 * assumptions.
 */
#define SLEEP_FIELDS(power_shown, enter_def, leave_def)                        \
    { .name = "power",                                                         \
      .meaning = "drawn in this state",                                        \
      IS(BL_DIM_POWER),                                                        \
      RANGE(0, BL_POWER_MW_MAX),                                               \
      .shown = (power_shown),                                                  \
      AT(struct bl_sleep_state, power_mw) },                                   \
        { .name = "enter",                                                     \
          .meaning = "time to get into it",                                    \
          IS(BL_DIM_TIME),                                                     \
          RANGE(0, BL_TRANSITION_NS_MAX),                                      \
          .def = (enter_def),                                                  \
          AT(struct bl_sleep_state, enter.time_ns) },                          \
        { .name = "enter_energy",                                              \
          .meaning = "used on the way into it",                                \
          IS(BL_DIM_ENERGY),                                                   \
          RANGE(0, BL_TRANSITION_UJ_MAX),                                      \
          .shown = "'enter' at idle power",                                    \
          AT(struct bl_sleep_state, enter.energy_uj) },                        \
        { .name = "leave",                                                     \
          .meaning = "time until VMs run again",                               \
          IS(BL_DIM_TIME),                                                     \
          RANGE(0, BL_TRANSITION_NS_MAX),                                      \
          .def = (leave_def),                                                  \
          AT(struct bl_sleep_state, leave.time_ns) },                          \
        { .name = "leave_energy",                                              \
          .meaning = "used on the way out of it",                              \
          IS(BL_DIM_ENERGY),                                                   \
          RANGE(0, BL_TRANSITION_UJ_MAX),                                      \
          .shown = "'leave' at full power",                                    \
          AT(struct bl_sleep_state, leave.energy_uj) },

static const struct bl__field standby[] = { SLEEP_FIELDS(
    "10.4W, at most half of idle", "5s", "10s") };
static const struct bl__field off[] = { SLEEP_FIELDS(
    "5W, at most half of standby", "30s", "260s") };

static const struct bl__field vms[] = {
    { .name = "order",
      .meaning = "of VM numbers: group by group, or one of each in turn",
      .kind = BL__CHOICE,
      .choices = order,
      .def = "blocks",
      AT(struct bl_dc, vm_order) },
    { .name = "groups",
      .meaning = "a list, one entry for each kind of VM",
      .expect = "a list of VM groups",
      SUB(bl__read_vm_groups) },
};

#define UNLESS_FROM_TRACE "(required unless size: from-trace)"

static const struct bl__field vm_group[] = {
    { .name = "name",
      .meaning = "of the group",
      .kind = BL__NAME,
      AT(struct bl_vm_group, name) },
    { .name = "count",
      .meaning = "VMs in the group; from-trace: an equal part of the trace's",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_VMS_MAX),
      FROM_TRACE,
      .def = "from-trace",
      AT(struct bl_vm_group, vm_count) },
    { .name = "size",
      .meaning = "given: by the next three keys; or the trace has it",
      .kind = BL__CHOICE,
      .choices = sizes,
      .def = "given",
      AT(struct bl_vm_group, size_from_trace) },
    { .name = "vcpus",
      .meaning = "of one VM",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOST_CORES_MAX),
      .shown = UNLESS_FROM_TRACE,
      AT(struct bl_vm_group, vcpu_count) },
    { .name = "speed",
      .meaning = "of one vCPU: what the trace's 100 % means",
      IS(BL_DIM_FREQ),
      RANGE(1, BL_CORE_KHZ_MAX),
      .shown = UNLESS_FROM_TRACE,
      AT(struct bl_vm_group, vcpu_khz) },
    { .name = "memory",
      .meaning = "of one VM",
      IS(BL_DIM_BYTES),
      RANGE(BL_MIB, BL_MEM_BYTES_MAX),
      .shown = UNLESS_FROM_TRACE,
      AT(struct bl_vm_group, mem_bytes) },
    { .name = "cpu",
      .meaning = "shares, reservation and limit of CPU",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_cpu),
      AT(struct bl_vm_group, cpu) },
    { .name = "mem",
      .meaning = "shares, reservation and limit of memory",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_mem),
      AT(struct bl_vm_group, mem) },
    { .name = "pool",
      .meaning = "the resource pool that they are in",
      .expect = "a name from 'pools'",
      .shown = "none",
      SUB(bl__read_pool_name),
      AT(struct bl_vm_group, pool) },
};

/* One resource of @whose: a VM, or a pool as in struct bl_pool_settings, where
 * the same settings are a member. */
#define SETTINGS_FIELDS(type, member, dimension, size_max, shares_reader,      \
                        shares_meaning, whose)                                 \
    { .name = "shares",                                                        \
      .meaning = (shares_meaning),                                             \
      .expect = "high, normal, low or a whole number 1 .. 1000000000",         \
      .shown = "normal",                                                       \
      SUB(shares_reader),                                                      \
      AT(type, member shares) },                                               \
        { .name = "reservation",                                               \
          .meaning = "guaranteed to " whose,                                   \
          IS(dimension),                                                       \
          RANGE(0, size_max),                                                  \
          .def = "0",                                                          \
          AT(type, member reservation) },                                      \
        { .name = "limit",                                                     \
          .meaning = "never exceeded by " whose,                               \
          IS(dimension),                                                       \
          RANGE(1, size_max),                                                  \
          .word = "none",                                                      \
          .word_value = (int64_t)BL_NO_LIMIT,                                  \
          .def = "none",                                                       \
          AT(type, member limit) },
#define VM_FIELDS(dimension, size_max, shares_reader)                          \
    SETTINGS_FIELDS(                                                           \
        struct bl_settings, , dimension, size_max, shares_reader,              \
        "high, normal, low (4:2:1 per vCPU or MiB) or a number per VM",        \
        "one VM")
#define POOL_FIELDS(dimension, shares_reader)                                  \
    SETTINGS_FIELDS(                                                           \
        struct bl_pool_settings, set., dimension, BL_POOL_AMOUNT_MAX,          \
        shares_reader,                                                         \
        "as a VM of 4 vCPUs and 16GiB, or a number; compares siblings",        \
        "all of the pool"){                                                    \
        .name = "expandable",                                                  \
        .meaning = "may borrow from its parent for its VMs' reservations",     \
        IS(BL_DIM_BOOL),                                                       \
        RANGE(0, 1),                                                           \
        .def = "yes",                                                          \
        AT(struct bl_pool_settings, expandable)                                \
    },

#define VM_KHZ_MAX (BL_HOST_CORES_MAX * BL_CORE_KHZ_MAX)

static const struct bl__field cpu[] = { VM_FIELDS(BL_DIM_FREQ, VM_KHZ_MAX,
                                                  bl__read_cpu_shares) };
static const struct bl__field mem[] = { VM_FIELDS(
    BL_DIM_BYTES, BL_MEM_BYTES_MAX, bl__read_mem_shares) };
static const struct bl__field pool_cpu[] = { POOL_FIELDS(BL_DIM_FREQ,
                                                         bl__read_cpu_shares) };
static const struct bl__field pool_mem[] = { POOL_FIELDS(BL_DIM_BYTES,
                                                         bl__read_mem_shares) };

static const struct bl__field pool[] = {
    POOL_KEYS,
    { .name = "mem",
      .meaning = "shares, reservation and limit of memory",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_pool_mem),
      AT(struct bl_pool_desc, mem) },
};

static const struct bl__field trace[] = {
    { .name = "file",
      .meaning = "a trace of any known format; relative to the scenario",
      .kind = BL__STRING,
      .shown = "none",
      AT(struct bl_scenario, trace_path) },
    { .name = "generate",
      .meaning = "make one while it is read, from the seed",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_generate),
      AT(struct bl_scenario, trace_spec) },
};

/* Defaults: bl_trace_spec_default(), calibrated to a PlanetLab day. */
#define CALIBRATED "as PlanetLab 20110303"

static const struct bl__field generate[] = {
    { .name = "vms",
      .meaning = "alive from the first step to the last",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_TRACE_VMS_MAX),
      .shown = "the sum of the VM groups' counts, else 1052",
      AT(struct bl_trace_spec, vm_count) },
    { .name = "steps",
      .meaning = "length of the trace",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_TRACE_STEPS_MAX),
      .def = "288",
      AT(struct bl_trace_spec, step_count) },
    { .name = "step",
      .meaning = "length of one step",
      IS(BL_DIM_TIME),
      RANGE(SECOND, DAY),
      .def = "300s",
      AT(struct bl_trace_spec, step_ns) },
    { .name = "mean",
      .meaning = "mean CPU of all VMs",
      IS(BL_DIM_RATIO),
      RANGE(10000, 600000),
      .shown = CALIBRATED,
      AT(struct bl_trace_spec, mean_ppm) },
    { .name = "diurnal",
      .meaning = "swing of the total over a day: (peak - mean) / mean",
      IS(BL_DIM_RATIO),
      RANGE(0, 1000000),
      .shown = CALIBRATED,
      AT(struct bl_trace_spec, diurnal_ppm) },
    { .name = "autocorrelation",
      .meaning = "of a VM's CPU from one step to the next",
      IS(BL_DIM_RATIO),
      RANGE(0, 990000),
      .shown = CALIBRATED,
      AT(struct bl_trace_spec, autocorr_ppm) },
    { .name = "bursts",
      .meaning = "chance of a VM to start a burst in a step",
      IS(BL_DIM_RATIO),
      RANGE(0, 65000),
      .shown = CALIBRATED,
      AT(struct bl_trace_spec, burst_ppm) },
    { .name = "memory",
      .meaning = "also make a column of memory use",
      IS(BL_DIM_BOOL),
      RANGE(0, 1),
      .def = "no",
      AT(struct bl_trace_spec, has_mem) },
    { .name = "sizes",
      .meaning = "also draw heavy-tailed VM sizes",
      IS(BL_DIM_BOOL),
      RANGE(0, 1),
      .def = "no",
      AT(struct bl_trace_spec, has_size) },
};

/*
 * Migration. About 30 % of a core for each 1 Gbit/s: what vSphere reserves
 * ("vMotion architecture, performance and best practices in vSphere 5", VMware
 * 2011). 90 % of the used memory as the writable working set, and a dirty rate
 * that grows with the VM's load: the model of Hirofuchi, Lebre, Pouilloux
 * ("Adding a live migration model into SimGrid", CloudCom 2013) [recalled];
 * 40 MB/s at full load is an assumption, a third of what 1 Gbit/s carries. 300
 * ms: the default of QEMU and libvirt. 30 rounds: about what Xen allows (Clark
 * et al., NSDI 2005 [recalled]).
 */
static const struct bl__field migration[] = {
    { .name = "cpu_per_gbit",
      .meaning = "of one core, at both ends, for each Gbit/s",
      IS(BL_DIM_RATIO),
      RANGE(0, BL_MIGRATION_CPU_PPM_MAX),
      .def = "30%",
      AT(struct bl_migration, cpu_ppm_per_gbit) },
    { .name = "dirty_rate",
      .meaning = "memory that a VM writes at 100 % CPU",
      IS(BL_DIM_RATE),
      RANGE(0, BL_MIGRATION_DIRTY_MAX),
      .def = "40MB/s",
      AT(struct bl_migration, dirty_bytes_per_s) },
    { .name = "working_set",
      .meaning = "of the used memory that it keeps writing to",
      IS(BL_DIM_RATIO),
      RANGE(0, BL_PPM),
      .def = "90%",
      AT(struct bl_migration, working_set_ppm) },
    { .name = "downtime_max",
      .meaning = "stop and copy as soon as the rest fits in it",
      IS(BL_DIM_TIME),
      RANGE(0, BL_MIGRATION_DOWNTIME_NS_MAX),
      .def = "300ms",
      AT(struct bl_migration, downtime_ns_max) },
    { .name = "rounds_max",
      .meaning = "of pre-copy; then stop and copy what is left",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_MIGRATION_ROUNDS_MAX),
      .def = "30",
      AT(struct bl_migration, rounds_max) },
    /* vSphere's own limit on a 1 Gbit/s network: four for each host
     * ("Limits on simultaneous migrations", vSphere documentation) [recalled]
     */
    { .name = "parallel_max",
      .meaning = "that copy at one host at once; more wait",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_MIGRATION_PARALLEL_MAX),
      .def = "4",
      AT(struct bl_migration, parallel_max) },
};

static const struct bl__field policy[] = {
    { .name = "name",
      .meaning = "such as lr-mmt-1.2 (ballast sim --policy help lists them)",
      .kind = BL__STRING,
      AT(struct bl_policy_choice, name) },
};

static const char *const strategies[] = { "grid", "random", "halving", NULL };

static const struct bl__field tune[] = {
    { .name = "vary",
      .meaning = "parameters of the policy and the values to try",
      .expect = "a map of NAME: LO:HI:STEP, NAME: [a, b, c] or NAME: LO:HI",
      .shown = "none",
      SUB(bl__read_vary) },
    { .name = "strategy",
      .meaning = "every combination, some at random, or many for a short time",
      .kind = BL__CHOICE,
      .choices = strategies,
      .def = "grid",
      AT(struct bl_tune_choice, strategy) },
    { .name = "runs",
      .meaning = "combinations that random and halving draw",
      IS(BL_DIM_COUNT),
      RANGE(1, 10000),
      .def = "100",
      AT(struct bl_tune_choice, run_count) },
    { .name = "objectives",
      .meaning = "what shall be little",
      .expect = "a list of energy, slav, unserved, migrations, transitions",
      .shown = "energy, unserved",
      SUB(bl__read_tune_text),
      AT(struct bl_tune_choice, objectives) },
    { .name = "baseline",
      .meaning = "the policy that the front is compared with",
      .expect = "a policy's name",
      .shown = "the scenario's policy as it is",
      SUB(bl__read_tune_text),
      AT(struct bl_tune_choice, baseline) },
    { .name = "pick",
      .meaning = "which point of the front becomes policy.yaml",
      .expect = "energy, unserved, knee or a number from 1",
      .shown = "energy, else knee",
      SUB(bl__read_tune_text),
      AT(struct bl_tune_choice, pick) },
    { .name = "traces",
      .meaning = "to tune on",
      .expect = "a path or a list of paths; relative to the scenario",
      .shown = "the scenario's trace",
      SUB(bl__read_tune_paths),
      AT(struct bl_tune_choice, traces) },
    { .name = "validate",
      .meaning = "traces that only the front is run on, to see if it holds",
      .expect = "a path or a list of paths; relative to the scenario",
      .shown = "none",
      SUB(bl__read_tune_paths),
      AT(struct bl_tune_choice, validate) },
};

static const struct bl__field policy_file[] = {
    { .name = "policy",
      .meaning = "who decides; a name alone or a map",
      .expect = "a name or a map with 'name'",
      SUB(bl__read_policy),
      .offset = 0 },
};

SECTION(tune, "tune", tune);
SECTION(policy_file, "", policy_file);
SECTION_TWIN(top, "", top, host_top, "host");
SECTION(hosts, "hosts", hosts);
SECTION(host_group, "hosts.groups", host_group);
SECTION(standby, "hosts.groups.standby", standby);
SECTION(off, "hosts.groups.off", off);
SECTION_TWIN(vms, "vms", vms, host_vms, "host");
SECTION_TWIN(vm_group, "vms.groups", vm_group, host_vm_group, "host");
SECTION(cpu, "vms.groups.cpu", cpu);
SECTION(mem, "vms.groups.mem", mem);
SECTION_TWIN(pool, "pools", pool, host_pool, "host");
SECTION(pool_cpu, "pools.cpu", pool_cpu);
SECTION(pool_mem, "pools.mem", pool_mem);
SECTION(trace, "trace", trace);
SECTION(generate, "trace.generate", generate);
SECTION(migration, "migration", migration);
SECTION(policy, "policy", policy);

const struct bl__section *const bl__sections_cluster[] = {
    &bl__section_top,
    &bl__section_hosts,
    &bl__section_host_group,
    &bl__section_power_model,
    &bl__section_frequency,
    &bl__section_idle_state,
    &bl__section_standby,
    &bl__section_off,
    &bl__section_governor,
    &bl__section_power_cap,
    &bl__section_pool,
    &bl__section_pool_cpu,
    &bl__section_pool_mem,
    &bl__section_vms,
    &bl__section_vm_group,
    &bl__section_cpu,
    &bl__section_mem,
    &bl__section_trace,
    &bl__section_generate,
    &bl__section_migration,
    &bl__section_policy,
    &bl__section_tune,
    NULL,
};

/* Takes @i down past the keys of @all, or fills in the one that it means. */
static bool find_key(const struct bl__section *const *all, const char *of_level,
                     uint32_t *i, struct bl_scenario_key *out)
{
    for (; *all != NULL; all++) {
        const struct bl__field *f = (*all)->field;

        if (*i >= (*all)->field_count) {
            *i -= (*all)->field_count;
            continue;
        }
        f += *i;
        out->level = of_level;
        out->section = (*all)->name;
        out->name = f->name;
        out->meaning = f->meaning;
        out->def = f->def != NULL ? f->def : f->shown;
        bl__field_expect(f, out->expect, sizeof(out->expect));
        return true;
    }
    return false;
}

bool bl_scenario_key(uint32_t i, struct bl_scenario_key *out)
{
    return find_key(bl__sections_cluster, "cluster", &i, out) ||
           find_key(bl__sections_host, "host", &i, out);
}
