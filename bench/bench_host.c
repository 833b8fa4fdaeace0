/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_host - events per second of a host simulated in nanoseconds, against
 * its size: wakes, halts, ends of slices, preemptions and moves, as the
 * dispatcher counts them, over the processor time that bl_host_sim_run() takes.
 *
 * A mixed load on a NUMA machine of nodes with 16 pCPUs, four times as many
 * vCPUs as pCPUs (16 times on 64 pCPUs and 1,024 vCPUs): a quarter computes,
 * three eighths are interactive, the rest are barrier VMs, VMs with a lock,
 * servers, periodic and idle ones. Costs at the defaults of a scenario. Each
 * run is a process of its own: its peak memory is its own.
 *
 *     bench_host [--smoke] [--runs N] [--mode NAME]
 */
#include "bench/support.h"

#include "sim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define BAR_RATE 3e6 /* events per second on one core: what the issue asks */

struct job {
    uint32_t pcpus, vcpus;
    int64_t duration_ns;
    const char *policy, *mode;
};

struct outcome {
    double run_s, create_s;
    uint64_t events, loop, hash;
};

/* ---- the load ----------------------------------------------------------- */

static struct bl_dist fixed(int64_t ns)
{
    return (struct bl_dist){ .kind = BL_DIST_FIXED, .mean_ns = ns };
}

static struct bl_dist exponential(int64_t ns)
{
    return (struct bl_dist){ .kind = BL_DIST_EXPONENTIAL, .mean_ns = ns };
}

static struct bl_host_vm_group *add(struct bl_host_spec *s, const char *name,
                                    uint32_t vcpus, uint32_t width,
                                    enum bl_guest_kind kind)
{
    struct bl_host_vm_group *g = &s->group[s->group_count++];

    (void)snprintf(g->name, sizeof(g->name), "%s", name);
    g->vm_count = vcpus / width;
    g->vcpu_count = width;
    g->cpu = (struct bl_settings){ .shares = { true, BL_CPU_SHARES_NORMAL },
                                   .limit = BL_NO_LIMIT };
    g->pool = BL_NO_POOL_INDEX;
    g->guest = (struct bl_guest){ .kind = kind, .spin_ns = 50 * US };
    return g;
}

static void mixed_load(struct bl_host_spec *s, uint32_t n)
{
    struct bl_host_vm_group *g;

    (void)add(s, "cpu", n / 4, 1, BL_GUEST_CPU);
    g = add(s, "interactive", n / 8 * 3, 1, BL_GUEST_INTERACTIVE);
    g->guest.work = exponential(200 * US);
    g->guest.rest = exponential(2 * MS);
    g = add(s, "barrier", n / 8, 4, BL_GUEST_BARRIER);
    g->guest.work = (struct bl_dist){ BL_DIST_UNIFORM, 100000, MS };
    g = add(s, "lock", n / 16, 4, BL_GUEST_LOCK);
    g->guest.work = fixed(100 * US);
    g->guest.rest = fixed(5 * US);
    g = add(s, "server", n / 16, 2, BL_GUEST_SERVER);
    g->guest.work = exponential(100 * US);
    g->guest.rest = exponential(MS);
    g->guest.queue_max = 64;
    g = add(s, "periodic", n / 16, 1, BL_GUEST_PERIODIC);
    g->guest.work = fixed(MS);
    g->guest.rest = fixed(10 * MS);
    g = add(s, "idle", n / 16, 1, BL_GUEST_IDLE);
    g->guest.work = fixed(5 * US);
    g->guest.rest = fixed(4 * MS);
}

static struct bl_host_spec *describe(const struct job *j)
{
    struct bl_host_spec *s = calloc(1, sizeof(*s));

    if (s == NULL)
        bench_fail("out of memory");
    bl_topo_grid(j->pcpus / 16, 2, 8, 1, &s->topo);
    s->core_khz = 2000000;
    s->costs = (struct bl_host_costs){
        .dispatch_ns = 5 * US,
        .switch_ns = 2 * US,
        .cache_ns = { 5 * US, 5 * US, 10 * US, 50 * US, 100 * US },
        .exit_ns = 1500,
        .ipi_ns = 2 * US,
        .pause_ns = 20 * US,
        .smt_ppm = 1000000,
    };
    (void)snprintf(s->policy, sizeof(s->policy), "%s", j->policy);
    (void)snprintf(s->mode, sizeof(s->mode), "%s", j->mode);
    s->control_ns = 1000 * MS;
    s->duration_ns = j->duration_ns;
    mixed_load(s, j->vcpus);
    return s;
}

/* ---- a run -------------------------------------------------------------- */

/* Every run that started ended in one of a halt, a preemption, the end of a
 * slice, a co-stop or a throttle; slices that ended with nobody else to run do
 * not count. */
static uint64_t dispatched(const struct bl_sched_totals *t)
{
    uint64_t events = t->wake_count + t->switch_count;

    for (int i = BL_REACH_CORE; i < BL_REACH_COUNT; i++)
        events += t->move_count[i];
    return events;
}

/* Of this process: other programs on the machine hardly change it. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void run(void *ctx, void *out)
{
    const struct job *j = ctx;
    struct bl_host_spec *spec = describe(j);
    const struct bl_host_sim_opts opts = { .spec = spec, .seed = 1 };
    struct bl_arena a;
    struct bl_diag diag = { .text = "" };
    struct bl_host_sim *sim = NULL;
    struct bl_host_result *r = NULL;
    const double start_s = cpu_s();

    bench_try(bl_arena_init(&a, (size_t)1 << 33), NULL);
    bench_try(bl_host_sim_create(&a, &opts, &sim, &diag), &diag);
    bench_try(bl_host_result_create(&a, j->pcpus, spec->group_count,
                                    bl_host_sim_vms(sim),
                                    bl_host_sim_vcpus(sim), &r),
              NULL);
    bl_arena_seal(&a);

    const double created_s = cpu_s();

    (void)bl_host_sim_run(sim, spec->duration_ns, NULL);

    const double ran_s = cpu_s();

    bl_host_sim_finish(sim, r);
    *(struct outcome *)out = (struct outcome){
        .create_s = created_s - start_s,
        .run_s = ran_s - created_s,
        .events = dispatched(&r->totals),
        .loop = r->event_count,
        .hash = r->state_hash,
    };
    bl_arena_free(&a);
    free(spec);
}

/* The median of @runs; returns events per second. */
static double row(const struct job *j, uint32_t runs)
{
    double rate[BENCH_RUNS_MAX], seconds[BENCH_RUNS_MAX], kib[BENCH_RUNS_MAX];
    struct outcome o = { .hash = 0 }, first = { .hash = 0 };

    for (uint32_t i = 0; i < runs; i++) {
        struct job copy = *j;
        const struct bench_cost c = bench_fork(run, &copy, &o, sizeof(o));

        first = i == 0 ? o : first;
        if (o.hash != first.hash)
            bench_fail("two runs of the same host differ");
        rate[i] = (double)o.events / o.run_s;
        seconds[i] = o.run_s;
        kib[i] = (double)c.peak_kib;
    }

    const double rate_median = bench_median(rate, runs);

    printf("%u,%u,%s,%s,%.3f,%llu,%llu,%.3f,%.0f,%.0f,%016llx\n", j->pcpus,
           j->vcpus, j->policy, j->mode, (double)j->duration_ns / 1e9,
           (unsigned long long)o.events, (unsigned long long)o.loop,
           bench_median(seconds, runs), rate_median, bench_median(kib, runs),
           (unsigned long long)o.hash);
    fflush(stdout);
    return rate_median;
}

int main(int argc, char **argv)
{
    static const uint32_t size[][2] = {
        { 16, 64 },   { 16, 256 },   { 64, 256 },
        { 64, 1024 }, { 256, 4096 }, { 256, 16384 },
    };
    const char *mode = "none", *policy = "fair";
    uint32_t runs = 5, sizes = sizeof(size) / sizeof(size[0]);
    int64_t duration_ns = 2000 * MS;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0) {
            runs = 1;
            sizes = 2;
            duration_ns = 50 * MS;
        } else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            runs = bench_number(argv[++i], BENCH_RUNS_MAX);
        } else if (strcmp(argv[i], "--mode") == 0 && i + 1 < argc) {
            mode = argv[++i];
        } else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc) {
            policy = argv[++i];
        } else {
            bench_fail(
                "bench_host [--smoke] [--runs N] [--policy NAME] "
                "[--mode NAME]");
        }
    }
    printf(
        "pcpus,vcpus,policy,mode,virtual_s,events,loop_events,seconds,"
        "events_per_s,peak_kib,hash\n");
    for (uint32_t i = 0; i < sizes; i++) {
        const struct job j = { size[i][0], size[i][1], duration_ns, policy,
                               mode };
        const double rate = row(&j, runs);

        if (runs > 1 && rate < BAR_RATE)
            fprintf(stderr, "bench_host: %.0f events per second, wanted %.0f\n",
                    rate, BAR_RATE);
    }
    return 0;
}
