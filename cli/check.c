/* SPDX-License-Identifier: Apache-2.0 */
/* cli/check.c - ballast check: is this scenario sound? Nothing is run. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "cli/host.h"
#include "cli/tune_priv.h"
#include "config/keys.h"
#include "config/scenario.h"
#include "config/servers.h"
#include "manager/registry.h"
#include "power/catalog.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: ballast check FILE...\n"
    "       ballast check --keys | --servers[=CSV] | --help\n"
    "\n"
    "Reads scenarios, and policy files as ballast tune writes them, and says "
    "what\n"
    "is wrong with them, without running them:\n"
    "unknown and missing keys, numbers without a unit, reservations above\n"
    "limits, VMs that no host can hold, policies that do not exist, and so "
    "on.\n"
    "One line for each file:\n"
    "\n"
    "  mine.yaml: ok: 800 hosts in 2 groups, ...\n"
    "  gangs.yaml: ok: a host of 16 pCPUs, ...\n"
    "  mine.yaml:12: speed: '2.4' is not valid, expected a speed such as ...\n"
    "\n"
    "  --keys      every key of a scenario: meaning, values, default\n"
    "  --servers   the servers whose measured power can be used by name; with\n"
    "              =CSV those of a file, as the key 'servers' takes it\n"
    "  --help      this text\n"
    "\n"
    "A small scenario to start from:\n"
    "\n"
    "  hosts:\n"
    "    groups:\n"
    "      - {name: a, count: 10, cores: 4, speed: 2933MHz, memory: 16GiB,\n"
    "         power: IbmX3250XeonX3470}\n"
    "  vms:\n"
    "    groups:\n"
    "      - {name: web, count: 40, vcpus: 2, speed: 2GHz, memory: 2GiB}\n"
    "  policy: lr-mmt-1.2\n"
    "\n"
    "And one of level host:\n"
    "\n"
    "  level: host\n"
    "  host: {topology: 'pack:2 l3:1 core:8 pu:2'}\n"
    "  scheduler: {policy: fair, mode: relaxed}\n"
    "  vms:\n"
    "    groups:\n"
    "      - {name: gang, count: 4, vcpus: 4, workload: barrier}\n"
    "      - {name: hog, count: 8, workload: cpu}\n"
    "\n"
    "Exit status: 0 all sound, 1 something is wrong, 2 wrong options.\n"
    "The format is explained in ballast-scenario(5).\n";

static void print_keys(void)
{
    const char *section = NULL, *level = "";
    struct bl_scenario_key k;

    for (uint32_t i = 0; bl_scenario_key(i, &k); i++) {
        if (strcmp(level, k.level) != 0) {
            printf("%sLEVEL %s\n\n", section != NULL ? "\n\n" : "", k.level);
            level = k.level;
            section = NULL;
        }
        if (section == NULL || strcmp(section, k.section) != 0)
            printf("%s%s:\n", section != NULL ? "\n" : "",
                   k.section[0] != '\0' ? k.section : "(top of the file)");
        section = k.section;
        printf("  %-16s %s\n", k.name, k.meaning);
        printf("  %-16s   %s\n", "", k.expect);
        if (k.def == NULL)
            printf("  %-16s   required\n", "");
        else
            printf("  %-16s   default: %s\n", "", k.def);
    }
}

static void print_built_in(void)
{
    const struct bl_power_entry *e;

    printf("%-28s %6s %6s %5s\n", "name", "idle W", "full W", "best");
    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++) {
        const struct bl_server s = { .power = e->table };

        printf("%-28s %6.1f %6.1f %3u %%  %s\n", e->table.name,
               e->table.mw[0] / 1000.0,
               e->table.mw[BL_POWER_POINTS - 1] / 1000.0,
               bl_server_best_load(&s), e->about);
    }
    printf(
        "\nbest: the load at which a joule does most. More servers: the key "
        "'servers'.\n");
}

static void print_measured(const struct bl_servers *all)
{
    printf("%-58s %4s %5s %6s %6s %5s\n", "name", "year", "cores", "idle W",
           "full W", "best");
    for (uint32_t i = 0; i < all->count; i++) {
        const struct bl_server *s = &all->server[i];

        printf("%-58s %4u %5u %6.1f %6.1f %3u %%", s->power.name, s->year,
               s->core_count, s->power.mw[0] / 1000.0,
               s->power.mw[BL_POWER_POINTS - 1] / 1000.0,
               bl_server_best_load(s));
        if (s->src_line > 0)
            printf("  line:%u", s->src_line);
        printf("\n");
    }
}

/* @path: a file of servers; NULL: those that are built in. */
static int print_servers(const char *path)
{
    struct bl_diag diag = { "" };
    struct bl_servers all;
    struct bl_arena a;
    bl_err e;

    if (path == NULL) {
        print_built_in();
        return BL_EXIT_OK;
    }
    e = bl_arena_init(&a, BL_SERVERS_ARENA_BYTES);
    if (e != BL_ERR_OK)
        bl_diag_set(&diag, e, path, 0, "out of memory");
    else
        e = bl_servers_load(&a, path, &all, &diag);
    if (e == BL_ERR_OK)
        print_measured(&all);
    bl_arena_free(&a);
    return e == BL_ERR_OK ? BL_EXIT_OK : bl_cli_fail(&diag);
}

/* The policy's own registry and table say whether it can be what was written.
 */
static bl_err check_policy(const struct bl_scenario *s, struct bl_diag *diag)
{
    const struct bl_policy_choice *c = &s->policy;
    const struct bl_policy *p = NULL;
    struct bl_params params;

    BL_TRY(bl_registry_find(c->name, s->path, c->line, &p, &params, diag));
    for (uint32_t i = 0; i < c->param_count; i++)
        BL_TRY(bl_params_set(&params, c->param[i].name, c->param[i].text,
                             s->path, c->param[i].line, diag));
    return BL_ERR_OK;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_trace(const struct bl_scenario *s)
{
    char step[40];

    if (s->trace_source == BL_TRACE_FILE) {
        printf("trace %s%s", s->trace_path,
               access(s->trace_path, R_OK) == 0 ? "" : " (not there yet)");
        return;
    }
    bl_units_print(BL_DIM_TIME, s->trace_spec.step_ns, step, sizeof(step));
    printf("generated trace of %u step%s of %s", s->trace_spec.step_count,
           plural(s->trace_spec.step_count), step);
}

static void print_host_ok(const struct bl_scenario *s)
{
    const struct bl_host_spec *h = &s->host;
    const struct bl_topo *t = &h->topo;
    const uint32_t vms = bl_host_spec_vms(h);
    uint32_t vcpus = 0;

    for (uint32_t g = 0; g < h->group_count; g++)
        vcpus += h->group[g].vm_count * h->group[g].vcpu_count;
    printf(
        "%s: ok: a host of %u pCPU%s (%u core%s, %u LLC%s, %u node%s%s), "
        "%u VM%s with %u vCPU%s in %u group%s",
        s->path, t->pcpu_count, plural(t->pcpu_count), t->core_count,
        plural(t->core_count), t->llc_count, plural(t->llc_count),
        t->node_count, plural(t->node_count),
        s->topology_notes.distances_assumed ? ", distances assumed" : "", vms,
        plural(vms), vcpus, plural(vcpus), h->group_count,
        plural(h->group_count));
    if (h->jobs.path[0] != '\0')
        printf(", jobs of %s%s", h->jobs.path,
               access(h->jobs.path, R_OK) == 0 ? "" : " (not there yet)");
    printf(", policy %s, mode %s", h->policy, h->mode);
    if (h->freq.pstate_count > 0)
        printf(", governor %s", h->governor);
    putchar('\n');
}

static bool has_pstates(const struct bl_dc *dc)
{
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        if (dc->host_group[g].freq.pstate_count > 1)
            return true;
    return false;
}

static void print_ok(const struct bl_scenario *s)
{
    const uint32_t hosts = bl_dc_host_count(&s->dc);
    uint32_t vms = bl_dc_vm_count(&s->dc);

    if (vms == 0 && s->trace_source == BL_TRACE_GENERATED)
        vms = s->trace_spec.vm_count;
    printf("%s: ok: %u host%s in %u group%s, ", s->path, hosts, plural(hosts),
           s->dc.host_group_count, plural(s->dc.host_group_count));
    if (vms > 0)
        printf("%u VM%s", vms, plural(vms));
    else
        printf("the trace's VMs");
    printf(" in %u group%s, ", s->dc.vm_group_count,
           plural(s->dc.vm_group_count));
    if (s->dc.pools.count > 0)
        printf("%u pool%s, ", s->dc.pools.count, plural(s->dc.pools.count));
    print_trace(s);
    if (s->dc.cap_count > 0)
        printf(", %u power cap%s", s->dc.cap_count, plural(s->dc.cap_count));
    printf(", policy %s", s->policy.name);
    if (has_pstates(&s->dc))
        printf(", governor %s", s->governor.name);
    printf(", physics %s\n", s->physics);
}

static bl_err check_host(const struct bl_scenario *s, struct bl_diag *diag)
{
    BL_TRY(bl_host_scheduler_check(&s->host, s->path, diag));
    return bl_host_admission_check(s, diag);
}

/* A file that `ballast tune` wrote, or one like it. */
static int check_policy_file(const char *path)
{
    struct bl_policy_choice c;
    const struct bl_policy *p = NULL;
    struct bl_params params;
    struct bl_diag diag = { "" };
    char text[BL_TUNE_PARAMS_BYTES];

    if (bl_policy_file_load(path, &c, &diag) != BL_ERR_OK ||
        bl_run_policy(NULL, &c, &p, &params, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    bl_params_print(&params, text, sizeof(text));
    printf("%s: ok: a policy, %s%s%s\n", path, c.name,
           text[0] != '\0' ? " with " : "", text);
    return BL_EXIT_OK;
}

static int check_file(const char *path)
{
    static struct bl_scenario s; /* too large for a stack */
    static struct bl_tune_plan plan;
    struct bl_diag diag = { "" };
    bl_err e;

    if (bl_policy_file_is(path))
        return check_policy_file(path);
    e = bl_scenario_load(path, &s, &diag);

    if (e == BL_ERR_OK)
        e = s.level == BL_LEVEL_HOST ? check_host(&s, &diag)
                                     : check_policy(&s, &diag);
    if (e == BL_ERR_OK && s.level == BL_LEVEL_CLUSTER && s.tune.line > 0)
        e = bl_tune_plan_check(&s, false, &plan, &diag);
    if (e != BL_ERR_OK)
        return bl_cli_fail(&diag);
    if (s.level == BL_LEVEL_HOST)
        print_host_ok(&s);
    else
        print_ok(&s);
    return BL_EXIT_OK;
}

int bl_cli_check(int argc, char **argv)
{
    static const struct option options[] = {
        { "keys", no_argument, NULL, 'k' },
        { "servers", optional_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int status = BL_EXIT_OK, flushed, opt;

    opterr = 0;
    optind = 1;
    opt = getopt_long(argc, argv, ":", options, NULL);
    if (opt != -1) {
        if (opt == 'h')
            fputs(help, stdout);
        else if (opt == 'k')
            print_keys();
        else if (opt == 's')
            status = print_servers(optarg);
        else
            return bl_cli_bad_option("check", opt, argv);
        flushed = bl_cli_flush();
        return status != BL_EXIT_OK ? status : flushed;
    }
    if (optind == argc)
        return bl_cli_usage("check", "no file given, expected at least one");
    for (int i = optind; i < argc; i++) {
        const int one = check_file(argv[i]);

        if (one != BL_EXIT_OK)
            status = one;
    }
    flushed = bl_cli_flush();
    return status != BL_EXIT_OK ? status : flushed;
}
