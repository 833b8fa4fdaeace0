/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/keys_host.c - every key of level host, once; see keys.c.
 *
 * Sources and ranges of the defaults are in doc/models/dispatch.md; [recalled]
 * marks a figure that was not re-read at its source.
 */
#include "config/keys_priv.h"

#define FOREVER .word = "forever", .word_value = BL_SPIN_FOREVER

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define COST_NS_MAX BL_NS_PER_S

static const char *const level[] = { "cluster", "host", NULL };
static const char *const kind[] = {
#define KIND(name, text, help) text,
    BL_GUEST_MAP(KIND)
#undef KIND
        NULL
};
static const char *const distribution[] = { "fixed", "uniform", "exponential",
                                            NULL };

static const struct bl__field host_top[] = {
    { .name = "name",
      .meaning = "of the scenario, for the report",
      .kind = BL__STRING,
      .shown = "the file's name",
      AT(struct bl_scenario, name) },
    { .name = "level",
      .meaning = "cluster: hosts and a trace; host: one host in nanoseconds",
      .kind = BL__CHOICE,
      .choices = level,
      AT(struct bl_scenario, level) },
    { .name = "seed",
      .meaning = "of all randomness: what workloads draw",
      IS(BL_DIM_COUNT),
      RANGE(0, INT64_MAX),
      .def = "1",
      AT(struct bl_scenario, seed) },
    { .name = "duration",
      .meaning = "of the run, warm-up included",
      IS(BL_DIM_TIME),
      RANGE(MS, BL_HOST_NS_MAX),
      .def = "10s",
      AT(struct bl_scenario, host.duration_ns) },
    { .name = "warmup",
      .meaning = "simulated first, left out of every figure",
      IS(BL_DIM_TIME),
      RANGE(0, BL_HOST_NS_MAX),
      .def = "0s",
      AT(struct bl_scenario, host.warmup_ns) },
    /* An assumption: often against the second over which fairness is judged,
     * seldom against a slice. */
    { .name = "control",
      .meaning = "between two divisions of the host among pools",
      IS(BL_DIM_TIME),
      RANGE(MS, BL_HOST_NS_MAX),
      .def = "100ms",
      AT(struct bl_scenario, host.control_ns) },
    { .name = "timeline",
      .meaning = "how much of the end of the run a timeline shows",
      IS(BL_DIM_TIME),
      RANGE(0, BL_HOST_NS_MAX),
      .shown = "100ms, or the whole run",
      AT(struct bl_scenario, host.timeline_ns) },
    { .name = "host",
      .meaning = "the machine",
      .expect = "a map with 'topology'",
      SUB(bl__read_host),
      AT(struct bl_scenario, host) },
    { .name = "scheduler",
      .meaning = "which vCPU runs where, and until when",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_scheduler),
      AT(struct bl_scenario, host) },
    { .name = "pools",
      .meaning = "resource pools, each after its parent",
      .expect = "a list of pools",
      .shown = "none",
      SUB(bl__read_pools),
      AT(struct bl_scenario, dc.pools) },
    { .name = "vms",
      .meaning = "the virtual machines",
      .expect = "a map with 'groups'",
      .shown = "(required unless there are jobs)",
      SUB(bl__read_host_vms),
      AT(struct bl_scenario, host) },
    { .name = "jobs",
      .meaning = "gangs that arrive: a VM for each job of a log",
      .expect = "a map with 'file'",
      .shown = "none",
      SUB(bl__read_jobs),
      AT(struct bl_scenario, host) },
};

static const struct bl__field host[] = {
    { .name = "topology",
      .meaning = "as hwloc has it: a synthetic text, or a file of lstopo",
      .expect = "levels such as 'pack:2 l3:1 core:8 pu:2', or a file (.xml)",
      SUB(bl__read_topology),
      AT(struct bl_host_spec, topo) },
    /* What reservations and limits are compared with; shares do not see it. */
    { .name = "speed",
      .meaning = "of one core",
      IS(BL_DIM_FREQ),
      RANGE(1, BL_CORE_KHZ_MAX),
      .def = "2GHz",
      AT(struct bl_host_spec, core_khz) },
    /* 20 to 30 % more with two threads: Marr et al., "Hyper-Threading
     * Technology architecture and microarchitecture", Intel Technology Journal
     * 6(1), 2002 [recalled]; more and less is measured. */
    { .name = "smt",
      .meaning = "work of a core with all threads busy, of one alone",
      IS(BL_DIM_RATIO),
      RANGE(BL_PPM, 8 * BL_PPM),
      .shown = "1.25, or 1 without SMT",
      AT(struct bl_host_spec, costs.smt_ppm) },
    { .name = "power",
      .meaning = "drawn at 0, 10 ... 100 % CPU: a known server, a list, a map",
      .expect = "a server's name (ballast check --servers), a list of 11 "
                "powers or a map",
      .shown = "power is not modelled",
      SUB(bl__read_host_power) },
    { .name = "frequency",
      .meaning = "the P-states of its cores",
      .expect = "a map with 'pstates'",
      .shown = "one, of that speed and power",
      SUB(bl__read_frequency),
      AT(struct bl_host_spec, freq) },
    { .name = "governor",
      .meaning = "of the frequency; a name alone or a map with parameters",
      .expect = "a name or a map with 'name'",
      .shown = "performance",
      SUB(bl__read_host_governor) },
    /* what the kernel's ondemand takes on most machines [recalled] */
    { .name = "governor_period",
      .meaning = "between two samples of the governor",
      IS(BL_DIM_TIME),
      RANGE(US, BL_HOST_NS_MAX),
      .def = "10ms",
      AT(struct bl_host_spec, governor_ns) },
    { .name = "power_cap",
      .meaning = "what the host may draw",
      IS(BL_DIM_POWER),
      RANGE(1, BL_CAP_MW_MAX),
      .word = "none",
      .word_value = -1,
      .def = "none",
      AT(struct bl_host_spec, cap_mw) },
    { .name = "costs",
      .meaning = "what things take on the host",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_costs),
      AT(struct bl_host_spec, costs) },
};

#define COST(key, says, default_text, member)                                  \
    {                                                                          \
        .name = (key), .meaning = (says), IS(BL_DIM_TIME),                     \
        RANGE(0, COST_NS_MAX), .def = (default_text),                          \
        AT(struct bl_host_costs, member)                                       \
    }

static const struct bl__field costs[] = {
    COST("dispatch", "from the decision until an idle pCPU runs it", "5us",
         dispatch_ns),
    COST("switch", "from one vCPU to another on a pCPU", "2us", switch_ns),
    COST("cache_same", "to warm up where another vCPU ran in between", "5us",
         cache_ns[BL_REACH_SAME]),
    COST("cache_core", "to warm up after a move to an SMT sibling", "5us",
         cache_ns[BL_REACH_CORE]),
    COST("cache_llc", "after a move within a last-level cache", "10us",
         cache_ns[BL_REACH_LLC]),
    COST("cache_node", "after a move within a NUMA node", "50us",
         cache_ns[BL_REACH_NODE]),
    COST("cache_host", "after a move to another NUMA node", "100us",
         cache_ns[BL_REACH_HOST]),
    COST("exit", "of a VM exit and entry: IPI, halt, timer, pause", "1500ns",
         exit_ns),
    COST("ipi", "from sending an IPI to its arrival", "2us", ipi_ns),
    COST("pause", "spinning before a pause-loop exit; 0: never exits", "20us",
         pause_ns),
    { .name = "emulator",
      .meaning = "of a VM's run time, taken by its emulator's threads",
      IS(BL_DIM_RATIO),
      RANGE(0, BL_PPM),
      .def = "0%",
      AT(struct bl_host_costs, emulator_ppm) },
};

static const struct bl__field scheduler[] = {
    { .name = "policy",
      .meaning = "of dispatch; a name alone or a map with parameters",
      .expect = "a name or a map with 'name'",
      .shown = "fair",
      SUB(bl__read_sched_policy) },
    { .name = "mode",
      .meaning = "of co-scheduling; a name alone or a map with parameters",
      .expect = "a name or a map with 'name'",
      .shown = "none",
      SUB(bl__read_sched_mode) },
};

static const struct bl__field sched_policy[] = {
    { .name = "name",
      .meaning = "such as fair (ballast sim --policy help lists them)",
      .kind = BL__STRING,
      AT(struct bl_policy_choice, name) },
};
static const struct bl__field sched_mode[] = {
    { .name = "name",
      .meaning = "such as relaxed (ballast sim --mode help lists them)",
      .kind = BL__STRING,
      AT(struct bl_policy_choice, name) },
};

/* As at level cluster, without memory. */
static const struct bl__field host_pool[] = {
    POOL_KEYS,
};

static const struct bl__field host_vms[] = {
    { .name = "groups",
      .meaning = "a list, one entry for each kind of VM",
      .expect = "a list of VM groups",
      SUB(bl__read_host_vm_groups) },
};

static const struct bl__field host_vm_group[] = {
    { .name = "name",
      .meaning = "of the group",
      .kind = BL__NAME,
      AT(struct bl_host_vm_group, name) },
    { .name = "count",
      .meaning = "VMs in the group",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOST_VMS_MAX),
      .def = "1",
      AT(struct bl_host_vm_group, vm_count) },
    { .name = "vcpus",
      .meaning = "of one VM",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_PCPUS_MAX),
      .def = "1",
      AT(struct bl_host_vm_group, vcpu_count) },
    { .name = "cpu",
      .meaning = "shares, reservation and limit of CPU",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_cpu),
      AT(struct bl_host_vm_group, cpu) },
    { .name = "pool",
      .meaning = "the resource pool that they are in",
      .expect = "a name from 'pools'",
      .shown = "none",
      SUB(bl__read_host_pool_name),
      AT(struct bl_host_vm_group, pool) },
    { .name = "affinity",
      .meaning = "pCPUs that its vCPUs may use",
      .expect = "pCPUs such as 0-7,12",
      .shown = "all",
      SUB(bl__read_affinity) },
    { .name = "start",
      .meaning = "when its first VM starts",
      IS(BL_DIM_TIME),
      RANGE(0, BL_HOST_NS_MAX),
      .def = "0s",
      AT(struct bl_host_vm_group, start_ns) },
    { .name = "stagger",
      .meaning = "each one starts so much after the one before",
      IS(BL_DIM_TIME),
      RANGE(0, BL_HOST_NS_MAX),
      .def = "0s",
      AT(struct bl_host_vm_group, stagger_ns) },
    { .name = "workload",
      .meaning = "what runs in it; a kind alone or a map",
      .expect = "a kind or a map with 'kind'",
      SUB(bl__read_workload) },
};

static const struct bl__field workload_kind[] = {
    { .name = "kind",
      .meaning = "of workload; the keys beside it depend on it",
      .kind = BL__CHOICE,
      .choices = kind,
      AT(struct bl_host_vm_group, guest.kind) },
};

/* --- the keys of each kind ---------------------------------------------- */

#define NS(key, says, default_text, type, member)                              \
    {                                                                          \
        .name = (key), .meaning = (says), IS(BL_DIM_TIME),                     \
        RANGE(US, BL_GUEST_NS_MAX), .def = (default_text), AT(type, member)    \
    }
#define GUEST_NS(key, says, default_text, member)                              \
    NS(key, says, default_text, struct bl_host_vm_group, guest.member)
#define SPIN(says, default_text, type)                                         \
    {                                                                          \
        .name = "spin", .meaning = (says), IS(BL_DIM_TIME),                    \
        RANGE(0, BL_GUEST_NS_MAX), FOREVER, .def = (default_text),             \
        AT(type, guest.spin_ns)                                                \
    }
#define KIND_FIELD                                                             \
    {                                                                          \
        .name = "kind", .meaning = "of workload", .kind = BL__CHOICE,          \
        .choices = kind, AT(struct bl_host_vm_group, guest.kind)               \
    }
#define DRAWN(says)                                                            \
    {                                                                          \
        .name = "distribution", .meaning = (says), .kind = BL__CHOICE,         \
        .choices = distribution, .def = "exponential",                         \
        AT(struct bl_host_vm_group, guest.work.kind)                           \
    }
#define WORKLOAD_FILE(says)                                                    \
    {                                                                          \
        .name = "file", .meaning = (says), .kind = BL__STRING,                 \
        AT(struct bl_host_vm_group, path)                                      \
    }

static const struct bl__field cpu_keys[] = { KIND_FIELD };

/* 1 ms of work in 10 ms: a tenth of a pCPU, as in issue-shaped comparisons of
 * latency; an assumption. */
static const struct bl__field interactive_keys[] = {
    KIND_FIELD,
    GUEST_NS("burst", "of work, in the mean", "1ms", work.mean_ns),
    GUEST_NS("think", "idle between bursts, in the mean", "9ms", rest.mean_ns),
    DRAWN("of both; uniform: from 0 to twice the mean"),
};

static const struct bl__field periodic_keys[] = {
    KIND_FIELD,
    GUEST_NS("work", "to do in every period", "1ms", work.mean_ns),
    GUEST_NS("period", "between two starts, in real time", "10ms",
             rest.mean_ns),
};

/* 50 us: about what futex-based barriers and OpenMP runtimes spin before they
 * sleep, which differs by orders of magnitude between them; an assumption. */
#define BARRIER_FIELDS(type)                                                   \
    NS("phase", "work of a vCPU in one phase, in the mean", "1ms", type,       \
       guest.work.mean_ns),                                                    \
        { .name = "imbalance",                                                 \
          .meaning = "a phase is uniform within so much of the mean",          \
          IS(BL_DIM_RATIO),                                                    \
          RANGE(0, BL_PPM),                                                    \
          .def = "10%",                                                        \
          AT(type, guest.work.spread_ppm) },                                   \
        SPIN("at the barrier before a vCPU halts", "50us", type)

static const struct bl__field barrier_keys[] = {
    KIND_FIELD, BARRIER_FIELDS(struct bl_host_vm_group)
};

static const struct bl__field lock_keys[] = {
    KIND_FIELD,
    GUEST_NS("outside", "work between sections, exponential, in the mean",
             "100us", work.mean_ns),
    GUEST_NS("inside", "work of each section, fixed", "10us", rest.mean_ns),
    SPIN("on the lock before a vCPU halts", "forever", struct bl_host_vm_group),
};

static const struct bl__field server_keys[] = {
    KIND_FIELD,
    GUEST_NS("service", "work of a request, in the mean", "1ms", work.mean_ns),
    GUEST_NS("arrival", "between two requests to the VM, in the mean", "10ms",
             rest.mean_ns),
    { .name = "queue",
      .meaning = "requests that wait at most; more are lost",
      IS(BL_DIM_COUNT),
      RANGE(1, 1000000),
      .def = "1000",
      AT(struct bl_host_vm_group, guest.queue_max) },
    DRAWN("of both; uniform: from 0 to twice the mean"),
};

/* 4 ms: CONFIG_HZ=250, the default of Linux kernels on servers; 5 us for a
 * tick's work is an assumption. */
static const struct bl__field idle_keys[] = {
    KIND_FIELD,
    GUEST_NS("tick", "period of the guest's timer", "4ms", rest.mean_ns),
    GUEST_NS("work", "of each tick", "5us", work.mean_ns),
};

static const struct bl__field rtapp_keys[] = {
    KIND_FIELD, WORKLOAD_FILE("of rt-app (JSON); relative to the scenario")
};

static const struct bl__field switches_keys[] = {
    KIND_FIELD,
    WORKLOAD_FILE("a sched_switch capture; relative to the scenario")
};

/* --- jobs --------------------------------------------------------------- */

static const struct bl__field jobs[] = {
    { .name = "file",
      .meaning = "a log in Standard Workload Format; relative to the scenario",
      .kind = BL__STRING,
      AT(struct bl_host_jobs, path) },
    { .name = "count",
      .meaning = "jobs to take",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_HOST_VMS_MAX),
      .def = "100",
      AT(struct bl_host_jobs, count_max) },
    { .name = "max_vcpus",
      .meaning = "wider jobs are left out",
      IS(BL_DIM_COUNT),
      RANGE(1, BL_PCPUS_MAX),
      .shown = "the pCPUs of the host",
      AT(struct bl_host_jobs, width_max) },
    { .name = "skip",
      .meaning = "job lines at the start of the log",
      IS(BL_DIM_COUNT),
      RANGE(0, 10000000),
      .def = "0",
      AT(struct bl_host_jobs, skip) },
    /* A minute of the log becomes 60 ms: jobs of hours fit into a run of
     * seconds. */
    { .name = "time_scale",
      .meaning = "of the log's arrivals and run times",
      IS(BL_DIM_RATIO),
      RANGE(1, 1000 * BL_PPM),
      .def = "0.001",
      AT(struct bl_host_jobs, time_ppm) },
    { .name = "cpu",
      .meaning = "shares, reservation and limit of each",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_cpu),
      AT(struct bl_host_jobs, cpu) },
    { .name = "workload",
      .meaning = "of each, until its run time is used: phases of a barrier",
      .expect = "a map",
      .shown = "its keys' defaults",
      SUB(bl__read_jobs_workload) },
};

static const struct bl__field jobs_workload[] = { BARRIER_FIELDS(
    struct bl_host_jobs) };

/* --- sections ----------------------------------------------------------- */

SECTION_TWIN(host_top, "", host_top, top, "cluster");
SECTION(host, "host", host);
SECTION(costs, "host.costs", costs);
SECTION(scheduler, "scheduler", scheduler);
SECTION(sched_policy, "scheduler.policy", sched_policy);
SECTION(sched_mode, "scheduler.mode", sched_mode);
SECTION_TWIN(host_pool, "pools", host_pool, pool, "cluster");
SECTION_TWIN(host_vms, "vms", host_vms, vms, "cluster");
SECTION_TWIN(host_vm_group, "vms.groups", host_vm_group, vm_group, "cluster");
SECTION(kind, "vms.groups.workload", workload_kind);
SECTION(jobs, "jobs", jobs);
SECTION(jobs_workload, "jobs.workload", jobs_workload);

#define GUEST(id, text, table)                                                 \
    [BL_GUEST_##id] = { .name = "vms.groups.workload " text,                   \
                        .field = (table),                                      \
                        .field_count = sizeof(table) / sizeof((table)[0]) }
const struct bl__section bl__section_guest[BL_GUEST_COUNT] = {
    GUEST(CPU, "cpu", cpu_keys),
    GUEST(INTERACTIVE, "interactive", interactive_keys),
    GUEST(PERIODIC, "periodic", periodic_keys),
    GUEST(BARRIER, "barrier", barrier_keys),
    GUEST(LOCK, "lock", lock_keys),
    GUEST(SERVER, "server", server_keys),
    GUEST(IDLE, "idle", idle_keys),
    GUEST(RTAPP, "rt-app", rtapp_keys),
    GUEST(SWITCHES, "switches", switches_keys),
};

const struct bl__section *const bl__sections_host[] = {
    &bl__section_host_top,
    &bl__section_host,
    &bl__section_host_power_model,
    &bl__section_host_frequency,
    &bl__section_host_idle_state,
    &bl__section_host_governor,
    &bl__section_costs,
    &bl__section_scheduler,
    &bl__section_sched_policy,
    &bl__section_sched_mode,
    &bl__section_host_pool,
    &bl__section_pool_cpu,
    &bl__section_host_vms,
    &bl__section_host_vm_group,
    &bl__section_cpu,
    &bl__section_kind,
    &bl__section_guest[BL_GUEST_INTERACTIVE],
    &bl__section_guest[BL_GUEST_PERIODIC],
    &bl__section_guest[BL_GUEST_BARRIER],
    &bl__section_guest[BL_GUEST_LOCK],
    &bl__section_guest[BL_GUEST_SERVER],
    &bl__section_guest[BL_GUEST_IDLE],
    &bl__section_guest[BL_GUEST_RTAPP],
    &bl__section_guest[BL_GUEST_SWITCHES],
    &bl__section_jobs,
    &bl__section_jobs_workload,
    NULL,
};
