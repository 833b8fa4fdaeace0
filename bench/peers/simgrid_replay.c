/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simgrid_replay - the static replay of `ballast sim`, on SimGrid's engine.
 *
 *     simgrid_replay SCENARIO TRACE JOURNAL PLATFORM
 *
 * Hosts, VM sizes and power come from SCENARIO, utilisation from TRACE (both
 * read by ballast's own readers, so that each program pays for them), the
 * placement from JOURNAL, the journal.csv of `ballast sim --policy static`.
 * PLATFORM is written: the hosts in SimGrid's XML, because its C interface
 * cannot create any.
 *
 * Each VM is a SimGrid VM of one core with an endless execution in it; every
 * step sets its bound to what the trace asks for. Energy is that of the
 * host_energy plugin, which knows power as a straight line only: Idle and
 * Epsilon (what a host draws as soon as anything runs) are the table's value
 * at 0 %, AllCores is the one at 100 %.
 *
 * Prints one line for each host group, kWh, then "total", then the seconds
 * that the engine ran without reading and writing files before.
 *
 * Not in the library's style in one respect: SimGrid aborts by itself on
 * errors of its own.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench/support.h"
#include "config/scenario.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/exec.h>
#include <simgrid/host.h>
#include <simgrid/plugins/energy.h>
#include <simgrid/vm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDLESS_FLOPS 1e18
/* SimGrid takes a bound of 0 for no bound at all. */
#define STILL_FLOPS 1.0
#define FLOPS_PER_KHZ 1000.0
#define J_PER_KWH 3.6e6

struct vm {
    char name[BL_NAME_BYTES];
    uint64_t size_khz;
    uint32_t slot;
    sg_vm_t vm;
};

/* SimGrid's actors have no context of their own. */
static struct {
    struct bl_scenario scenario;
    struct bl_trace *trace;
    struct vm *vm; /* by name */
    uint32_t vm_count;
} world;

/* ---- the platform -----------------------------------------------------------
 */

static void write_host(FILE *f, const struct bl_host_group *g, uint32_t number)
{
    const double idle_w = g->power.mw[0] / 1e3;
    const double full_w = g->power.mw[BL_POWER_POINTS - 1] / 1e3;

    fprintf(f,
            "<host id=\"%s-%u\" speed=\"%llukf\" core=\"%u\">"
            "<prop id=\"wattage_per_state\" value=\"%.3f:%.3f:%.3f\"/>"
            "</host>\n",
            g->name, number, (unsigned long long)g->core_khz, g->core_count,
            idle_w, idle_w, full_w);
}

static void write_platform(const char *path)
{
    const struct bl_dc *dc = &world.scenario.dc;
    FILE *f = fopen(path, "w");

    if (f == NULL)
        bench_fail("cannot write %s", path);
    fputs(
        "<?xml version=\"1.0\"?>\n"
        "<!DOCTYPE platform SYSTEM "
        "\"https://simgrid.org/simgrid.dtd\">\n"
        "<platform version=\"4.1\"><zone id=\"dc\" routing=\"None\">\n",
        f);
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        for (uint32_t i = 0; i < dc->host_group[g].host_count; i++)
            write_host(f, &dc->host_group[g], i);
    fputs("</zone></platform>\n", f);
    if (fclose(f) != 0)
        bench_fail("cannot write %s", path);
}

/* ---- VMs
 * ---------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    const struct vm *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void read_vms(const struct bl_trace_step *step)
{
    const struct bl_dc *dc = &world.scenario.dc;

    world.vm_count = step->arrived_count;
    world.vm = calloc(world.vm_count, sizeof(*world.vm));
    if (world.vm == NULL)
        bench_fail("out of memory");
    for (uint32_t i = 0; i < world.vm_count; i++) {
        const struct bl_vm_group *g =
            &dc->vm_group[bl_dc_vm_group(dc, i, world.vm_count)];
        struct vm *v = &world.vm[i];

        if (g->vcpu_count != 1)
            bench_fail("VM group %s: only one vCPU is replayed here", g->name);
        snprintf(v->name, sizeof(v->name), "%s", step->arrived[i].name);
        v->slot = step->arrived[i].slot;
        v->size_khz = g->vcpu_khz;
    }
    qsort(world.vm, world.vm_count, sizeof(*world.vm), by_name);
}

/* Starts @name on @host with an execution that outlasts the day. */
static void start_vm(const char *name, const char *host)
{
    const sg_host_t pm = sg_host_by_name(host);
    struct vm key, *v;
    sg_exec_t exec;

    snprintf(key.name, sizeof(key.name), "%s", name);
    v = bsearch(&key, world.vm, world.vm_count, sizeof(key), by_name);
    if (v == NULL || pm == NULL || v->vm != NULL)
        bench_fail("the journal places %s on %s: not this scenario and trace",
                   name, host);
    v->vm = sg_vm_create_core(pm, v->name);
    sg_vm_set_bound(v->vm, STILL_FLOPS);
    sg_vm_start(v->vm);
    exec = sg_actor_exec_init(ENDLESS_FLOPS);
    sg_exec_set_host(exec, (sg_host_t)v->vm); /* a VM is a host */
    sg_exec_start(exec);
}

/* at_s,policy,action,vm,from,to,... */
static void read_journal(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    uint32_t placed = 0;

    if (f == NULL || fgets(line, sizeof(line), f) == NULL)
        bench_fail("cannot read %s", path);
    while (fgets(line, sizeof(line), f) != NULL) {
        char action[BL_NAME_BYTES], vm[BL_NAME_BYTES], to[2 * BL_NAME_BYTES];

        if (sscanf(line, "0,%*[^,],%63[^,],%63[^,],,%127[^,],", action, vm,
                   to) != 3 ||
            strcmp(action, "place") != 0)
            bench_fail("%s: not the journal of a static day: %s", path, line);
        start_vm(vm, to);
        placed++;
    }
    fclose(f);
    if (placed != world.vm_count)
        bench_fail("%s places %u VMs of %u", path, placed, world.vm_count);
}

/* ---- the replay
 * --------------------------------------------------------------- */

static void set_bounds(const struct bl_trace_step *step)
{
    for (uint32_t i = 0; i < world.vm_count; i++) {
        const struct vm *v = &world.vm[i];
        const uint64_t khz = v->size_khz * step->cpu_ppm[v->slot] / 1000000;

        sg_vm_set_bound(v->vm,
                        khz > 0 ? (double)khz * FLOPS_PER_KHZ : STILL_FLOPS);
    }
}

static double group_kwh(const struct bl_host_group *g)
{
    double joule = 0;

    for (uint32_t i = 0; i < g->host_count; i++) {
        char name[2 * BL_NAME_BYTES];

        snprintf(name, sizeof(name), "%s-%u", g->name, i);
        joule += sg_host_get_consumed_energy(sg_host_by_name(name));
    }
    return joule / J_PER_KWH;
}

static void print_energy(void)
{
    const struct bl_dc *dc = &world.scenario.dc;
    double total = 0;

    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        const double kwh = group_kwh(&dc->host_group[g]);

        printf("%s %.6f\n", dc->host_group[g].name, kwh);
        total += kwh;
    }
    printf("total %.6f\n", total);
}

/* The only actor. Between two steps every load is constant; the plugin wants
 * to be asked before it changes. */
static void replay(int argc, char **argv)
{
    const double step_s =
        (double)bl_trace_info(world.trace)->step_ns / (double)1000000000;
    struct bl_trace_step step;
    struct bl_diag diag;
    bl_err e = bl_trace_next(world.trace, &step, &diag);

    BL_ASSERT(argc == 2);
    bench_try(e, &diag);
    read_vms(&step);
    read_journal(argv[1]);
    while (e == BL_ERR_OK) {
        if (step.index > 0 && step.arrived_count + step.departed_count > 0)
            bench_fail("VMs come or go: only a constant set is replayed here");
        set_bounds(&step);
        sg_actor_sleep_for(step_s);
        sg_host_energy_update_all();
        e = bl_trace_next(world.trace, &step, &diag);
    }
    if (e != BL_ERR_END)
        bench_try(e, &diag);
    print_energy();
}

int main(int argc, char **argv)
{
    const struct bl_trace_opts opts = { .thread_count = 1 };
    struct bl_diag diag = { .text = "" };
    char quiet[] = "--log=root.thresh:critical";
    char *sg_argv[] = { argv[0], quiet, NULL };
    int sg_argc = 2;

    if (argc != 5)
        bench_fail("usage: %s SCENARIO TRACE JOURNAL PLATFORM", argv[0]);
    bench_try(bl_scenario_load(argv[1], &world.scenario, &diag), &diag);
    bench_try(bl_trace_open(argv[2], &opts, &world.trace, &diag), &diag);
    write_platform(argv[4]);
    sg_host_energy_plugin_init();
    simgrid_init(&sg_argc, sg_argv);
    simgrid_load_platform(argv[4]);

    const char *const actor[] = { "replay", argv[3] };
    const double start_s = bench_now_s();

    sg_actor_create_("replay", sg_host_list()[0], replay, 2, actor);
    simgrid_run();
    printf("engine_s %.3f\n", bench_now_s() - start_s);
    bl_trace_close(world.trace);
    free(world.vm);
    return EXIT_SUCCESS;
}
