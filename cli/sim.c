/* SPDX-License-Identifier: Apache-2.0 */
/* cli/sim.c - ballast sim: what the command line asks for. */
#define _POSIX_C_SOURCE 200809L
#include "cli/sim_priv.h"
#include "manager/registry.h"
#include "report/seeds.h"

#include <getopt.h>
#include <string.h>

enum { THREADS_MAX = 256 };

static const char help[] =
    "usage: ballast sim [OPTION]... [SCENARIO.yaml]\n"
    "\n"
    "  ballast sim                                  the built-in scenario\n"
    "  ballast sim mine.yaml --policy thr-mmt-0.8   another policy\n"
    "  ballast sim --baseline static                what did the policy save?\n"
    "  ballast sim --baseline static,dvfs,lr-mmt    beside others, as a "
    "picture\n"
    "  ballast sim mine.yaml --trace day.tar.zst --physics cloudsim303\n"
    "  ballast sim --seeds 10 -j 2                  how much of it is chance?\n"
    "  ballast sim --explain host=newer-3           every decision, and why\n"
    "  ballast sim gangs.yaml --mode strict         a scenario of level: host\n"
    "\n"
    "Replays a trace in a simulated data centre and reports what the policy\n"
    "cost: energy, how far that is from the least possible, who was not "
    "served\n"
    "and why, migrations, hosts switched. A scenario of level: host runs the\n"
    "vCPUs of VMs on the pCPUs of one host instead: who received what it is\n"
    "owed, how long vCPUs waited and why. What is given here wins over the\n"
    "scenario.\n"
    "\n"
    "What is run:\n"
    "  --trace PATH       another trace: any format, file or directory\n"
    "  --policy NAME      another policy; 'help' lists them\n"
    "  --policy-file FILE one with its parameters, as ballast tune writes it\n"
    "  --mode NAME        level host: another mode of co-scheduling; 'help'\n"
    "                     lists them\n"
    "  --governor NAME    another governor of the frequency; 'help' lists "
    "them\n"
    "  --param NAME=VALUE a parameter of the policy, mode or governor; may be\n"
    "                     repeated\n"
    "  --physics NAME     another physics; 'help' lists them\n"
    "  --seed N           seed of all that is random\n"
    "  --seeds N          N runs, seeds one after the other: means and 95 %\n"
    "                     confidence intervals; at level host mean, least "
    "and\n"
    "                     most of the main figures\n"
    "  --baseline POLICY[,POLICY]...  replay it under these, too, and "
    "compare\n"
    "  -j N               N threads (1); the result does not depend on it\n"
    "  --paranoid         check every invariant at every instant\n"
    "\n"
    "What is reported:\n"
    "  --explain[=vm=NAME|host=NAME]  each decision with its reason and "
    "figures;\n"
    "                     hosts are called GROUP-N, or hN by number; at level\n"
    "                     host co-stops, steals and the like, or with vm=NAME\n"
    "                     every change of its vCPUs\n"
    "  --json[=FILE]      JSON instead of text, or besides it into FILE\n"
    "  --csv DIR          steps.csv, hosts.csv and vms.csv in a new "
    "directory;\n"
    "                     level host: vms.csv, vcpus.csv, pcpus.csv,\n"
    "                     and domains.csv with P-states\n"
    "  --out DIR          everything in a new directory: report.txt, "
    "report.json,\n"
    "                     journal.csv or timelines, and these tables\n"
    "  --timeline FILE    level host: the end of the run, vCPU by vCPU, for\n"
    "                     ui.perfetto.dev; as a picture when FILE ends in "
    ".svg\n"
    "  --ascii            no characters beyond ASCII\n"
    "  --help             this text\n"
    "\n"
    "Exit status: 0 done, 1 bad input, 2 bad options, 130 interrupted (the\n"
    "report covers what was done until then).\n";

/* ---- lists -------------------------------------------------------------- */

/* Name, default, meaning; then what it may be. */
static void print_param(const struct bl_param *p)
{
    char def[64], lo[64], hi[64];

    if (p->dim == BL_DIM_CHOICE) {
        printf("      %-15s %-8s %s\n%31s", p->name, p->choices[p->def],
               p->meaning, "one of");
        for (int64_t i = 0; p->choices[i] != NULL; i++)
            printf(" %s", p->choices[i]);
        putchar('\n');
        return;
    }
    bl_units_print(p->dim, p->def, def, sizeof(def));
    bl_units_print(p->dim, p->min, lo, sizeof(lo));
    bl_units_print(p->dim, p->max, hi, sizeof(hi));
    printf("      %-15s %-8s %s\n%29s %s to %s\n", p->name, def, p->meaning,
           "from", lo, hi);
}

static void list_sched(const struct bl_sched_info *(*at)(uint32_t i))
{
    const struct bl_sched_info *info;

    for (uint32_t i = 0; (info = at(i)) != NULL; i++) {
        printf("\n  %-12s %s\n", info->name, info->summary);
        for (uint32_t k = 0; k < info->param_count; k++)
            print_param(&info->params[k]);
    }
}

static int list_policies(void)
{
    const struct bl_policy *p;

    fputs(
        "Policies: a name as it is, or its pattern filled in. Below each its "
        "parameters\nwith their defaults; set them in the scenario or with "
        "--param NAME=VALUE.\n\nFor scenarios of level: cluster:\n",
        stdout);
    for (uint32_t i = 0; (p = bl_registry_policy(i)) != NULL; i++) {
        printf("\n  %-12s %s\n", p->name, p->summary);
        if (p->syntax != NULL && strcmp(p->syntax, p->name) != 0)
            printf("  %-12s %s\n", "", p->syntax);
        for (uint32_t k = 0; k < p->param_count; k++)
            print_param(&p->params[k]);
    }
    fputs("\nDispatch policies, for scenarios of level: host:\n", stdout);
    list_sched(bl_sched_policy);
    return bl_cli_flush();
}

static int list_modes(void)
{
    fputs(
        "Modes of co-scheduling, for scenarios of level: host. Below each its "
        "parameters\nwith their defaults; set them in the scenario or with "
        "--param NAME=VALUE.\n",
        stdout);
    list_sched(bl_sched_mode);
    return bl_cli_flush();
}

static int list_governors(void)
{
    const struct bl_governor *g;

    fputs(
        "Governors of the frequency, at both levels. Below each its "
        "parameters with\ntheir defaults; set them in the scenario or with "
        "--param NAME=VALUE.\n",
        stdout);
    for (uint32_t i = 0; (g = bl_governor_at(i)) != NULL; i++) {
        printf("\n  %-12s %s\n", g->name, g->summary);
        for (uint32_t k = 0; k < g->param_count; k++)
            print_param(&g->params[k]);
    }
    return bl_cli_flush();
}

static int list_physics(void)
{
    const char *name;

    for (uint32_t i = 0; (name = bl_sim_physics_name(i)) != NULL; i++)
        printf("  %-12s %s\n", name, bl_sim_physics_help(i));
    return bl_cli_flush();
}

/* ---- options ------------------------------------------------------------ */

enum {
    OPT_TRACE = 256,
    OPT_POLICY,
    OPT_POLICY_FILE,
    OPT_PARAM,
    OPT_MODE,
    OPT_GOVERNOR,
    OPT_PHYSICS,
    OPT_SEED,
    OPT_SEEDS,
    OPT_BASELINE,
    OPT_PARANOID,
    OPT_EXPLAIN,
    OPT_JSON,
    OPT_CSV,
    OPT_OUT,
    OPT_TIMELINE,
    OPT_ASCII,
    OPT_HELP,
};

static const struct option options[] = {
    { "trace", required_argument, NULL, OPT_TRACE },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "policy-file", required_argument, NULL, OPT_POLICY_FILE },
    { "param", required_argument, NULL, OPT_PARAM },
    { "mode", required_argument, NULL, OPT_MODE },
    { "governor", required_argument, NULL, OPT_GOVERNOR },
    { "physics", required_argument, NULL, OPT_PHYSICS },
    { "seed", required_argument, NULL, OPT_SEED },
    { "seeds", required_argument, NULL, OPT_SEEDS },
    { "baseline", required_argument, NULL, OPT_BASELINE },
    { "paranoid", no_argument, NULL, OPT_PARANOID },
    { "explain", optional_argument, NULL, OPT_EXPLAIN },
    { "json", optional_argument, NULL, OPT_JSON },
    { "csv", required_argument, NULL, OPT_CSV },
    { "out", required_argument, NULL, OPT_OUT },
    { "timeline", required_argument, NULL, OPT_TIMELINE },
    { "ascii", no_argument, NULL, OPT_ASCII },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

static bool starts(const char *text, const char *with, const char **rest)
{
    const size_t n = strlen(with);

    if (strncmp(text, with, n) != 0)
        return false;
    *rest = text + n;
    return true;
}

/* --explain, --explain=vm=NAME, and --explain vm=NAME in two words. */
static int read_explain(const char *value, int argc, char **argv,
                        struct bl_explain *e)
{
    const char *name;

    e->on = true;
    if (value == NULL && optind < argc &&
        (starts(argv[optind], "vm=", &name) ||
         starts(argv[optind], "host=", &name)))
        value = argv[optind++];
    if (value == NULL)
        return BL_EXIT_OK;
    if (starts(value, "vm=", &name))
        e->vm = name;
    else if (starts(value, "host=", &name))
        e->host = name;
    else
        return bl_cli_usage(
            "sim", "--explain '%.60s', expected vm=NAME or host=NAME", value);
    return BL_EXIT_OK;
}

static int read_param(char *text, struct bl_sim_args *a)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text ||
        strlen(text) >= (size_t)BL_NAME_BYTES)
        return bl_cli_usage("sim", "--param '%.60s', expected NAME=VALUE",
                            text);
    if (a->param_count == BL_PARAMS_MAX)
        return bl_cli_usage("sim", "more than %u times --param", BL_PARAMS_MAX);
    a->param[a->param_count++] = text;
    return BL_EXIT_OK;
}

static int read_numeric(int opt, struct bl_sim_args *a)
{
    int64_t n = 0;
    int status;

    if (opt == 'j') {
        status = bl_cli_number("sim", "-j", optarg, 1, THREADS_MAX, &n);
        a->threads = (uint32_t)n;
    } else if (opt == OPT_SEEDS) {
        status = bl_cli_number("sim", "--seeds", optarg, 2, BL_SEEDS_MAX, &n);
        a->seeds = (uint32_t)n;
    } else {
        status = bl_cli_number("sim", "--seed", optarg, 0, INT64_MAX, &n);
        a->seed = (uint64_t)n;
        a->has_seed = true;
    }
    return status;
}

/* NAME[,NAME]...; @text is argv's and cut at the commas. */
static int read_baselines(char *text, struct bl_sim_args *a)
{
    for (;;) {
        char *comma = strchr(text, ',');

        if (comma != NULL)
            *comma = '\0';
        if (a->baseline_count == BL_BASELINES_MAX)
            return bl_cli_usage("sim", "more than %u baselines",
                                BL_BASELINES_MAX);
        a->baseline[a->baseline_count++] = text;
        if (comma == NULL)
            return BL_EXIT_OK;
        text = comma + 1;
    }
}

static int read_option(int opt, int argc, char **argv, struct bl_sim_args *a)
{
    switch (opt) {
    case OPT_TRACE:
        a->trace = optarg;
        return BL_EXIT_OK;
    case OPT_POLICY:
        a->policy = optarg;
        return BL_EXIT_OK;
    case OPT_POLICY_FILE:
        a->policy_file = optarg;
        return BL_EXIT_OK;
    case OPT_PARAM:
        return read_param(optarg, a);
    case OPT_MODE:
        a->mode = optarg;
        return BL_EXIT_OK;
    case OPT_GOVERNOR:
        a->governor = optarg;
        return BL_EXIT_OK;
    case OPT_PHYSICS:
        a->physics = optarg;
        return BL_EXIT_OK;
    case OPT_SEED:
    case OPT_SEEDS:
    case 'j':
        return read_numeric(opt, a);
    case OPT_BASELINE:
        return read_baselines(optarg, a);
    case OPT_PARANOID:
        a->paranoid = true;
        return BL_EXIT_OK;
    case OPT_EXPLAIN:
        return read_explain(optarg, argc, argv, &a->explain);
    case OPT_JSON:
        a->json = true;
        a->json_path = optarg;
        return BL_EXIT_OK;
    case OPT_CSV:
        a->csv = optarg;
        return BL_EXIT_OK;
    case OPT_OUT:
        a->out = optarg;
        return BL_EXIT_OK;
    case OPT_TIMELINE:
        a->timeline = optarg;
        return BL_EXIT_OK;
    case OPT_ASCII:
        a->style.utf8 = false;
        return BL_EXIT_OK;
    default:
        return bl_cli_bad_option("sim", opt, argv);
    }
}

static bool is_help(const char *name)
{
    return name != NULL && strcmp(name, "help") == 0;
}

/* What does not go together, whatever the order in which it was given. */
static int check_args(const struct bl_sim_args *a)
{
    const bool one_only = a->explain.on || a->csv != NULL || a->out != NULL ||
                          a->baseline_count > 0 || a->timeline != NULL;

    if (a->seeds > 0 && one_only)
        return bl_cli_usage("sim",
                            "--seeds makes many runs; --explain, --csv, "
                            "--out, --timeline and --baseline are for one");
    if (a->seed > INT64_MAX - BL_SEEDS_MAX && a->seeds > 0)
        return bl_cli_usage("sim", "--seed %llu leaves no room for --seeds",
                            (unsigned long long)a->seed);
    if (a->explain.on && a->json && a->json_path == NULL)
        return bl_cli_usage("sim",
                            "--explain and --json both write to "
                            "standard output; use --json=FILE");
    if (a->policy != NULL && a->policy_file != NULL)
        return bl_cli_usage("sim",
                            "--policy and --policy-file both name a "
                            "policy, expected one of them");
    if (a->csv != NULL && a->out != NULL && strcmp(a->csv, a->out) == 0)
        return bl_cli_usage("sim", "--csv and --out name the same directory");
    return BL_EXIT_OK;
}

/* ---- the scenario, with the options laid on it -------------------------- */

/* It is the governor's only where the governor has it and the policy not. */
static struct bl_policy_choice *owner_of(struct bl_scenario *s,
                                         const char *name, size_t n)
{
    const struct bl_governor *g = bl_governor_find(s->governor.name);
    const struct bl_policy *policy = NULL;
    struct bl_params params;
    struct bl_diag diag;

    if (g == NULL || !bl_cli_has_param(g->params, g->param_count, name, n))
        return &s->policy;
    if (bl_run_policy(s, &s->policy, &policy, &params, &diag) == BL_ERR_OK &&
        bl_cli_has_param(params.table, params.count, name, n))
        return &s->policy;
    return &s->governor;
}

static int lay_params(const struct bl_sim_args *a, struct bl_scenario *s)
{
    for (uint32_t i = 0; i < a->param_count; i++) {
        const char *equals = strchr(a->param[i], '=');
        const size_t n = (size_t)(equals - a->param[i]);
        struct bl_policy_choice *c = owner_of(s, a->param[i], n);
        char name[BL_NAME_BYTES];

        snprintf(name, sizeof(name), "%.*s", (int)n, a->param[i]);
        if (!bl_run_param(c, name, equals + 1))
            return bl_cli_usage("sim", "more than %u parameters",
                                BL_PARAMS_MAX);
    }
    return BL_EXIT_OK;
}

/* A name from the command line takes the place of the scenario's with all its
 * parameters. */
static int lay_choice(const char *option, const char *name,
                      struct bl_policy_choice *c)
{
    if (name == NULL)
        return BL_EXIT_OK;
    if (strlen(name) >= sizeof(c->name))
        return bl_cli_usage("sim", "%s of %zu bytes, expected a name", option,
                            strlen(name));
    *c = (struct bl_policy_choice){ .line = 0 };
    snprintf(c->name, sizeof(c->name), "%s", name);
    return BL_EXIT_OK;
}

/* A file that is wrong is bad input, as a scenario is. */
static int lay_policy(const struct bl_sim_args *a, struct bl_scenario *s)
{
    struct bl_diag diag = { "" };

    if (a->policy_file != NULL &&
        bl_policy_file_load(a->policy_file, &s->policy, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    return lay_choice("--policy", a->policy, &s->policy);
}

static int lay_options(const struct bl_sim_args *a, struct bl_scenario *s)
{
    int status;

    if (a->mode != NULL || a->timeline != NULL)
        return bl_cli_usage("sim",
                            "%s is for scenarios of level: host, this one has "
                            "level: cluster",
                            a->mode != NULL ? "--mode" : "--timeline");
    if (a->trace != NULL) {
        if (strlen(a->trace) >= sizeof(s->trace_path))
            return bl_cli_usage("sim",
                                "--trace of %zu bytes, expected at most "
                                "%zu",
                                strlen(a->trace), sizeof(s->trace_path) - 1);
        snprintf(s->trace_path, sizeof(s->trace_path), "%s", a->trace);
        s->trace_source = BL_TRACE_FILE;
    }
    if (a->physics != NULL) {
        if (!bl_run_physics(a->physics))
            return bl_cli_usage("sim",
                                "unknown physics '%.60s'; --physics "
                                "help lists them",
                                a->physics);
        snprintf(s->physics, sizeof(s->physics), "%s", a->physics);
    }
    if (a->has_seed) {
        s->seed = a->seed;
        s->trace_spec.seed = a->seed;
    }

    status = lay_policy(a, s);
    if (status == BL_EXIT_OK)
        status = lay_choice("--governor", a->governor, &s->governor);
    return status == BL_EXIT_OK ? lay_params(a, s) : status;
}

/* Whether there will be room for files is not known, but that their folders
 * exist and can be written is, before hours of a run. */
static int check_files(const struct bl_sim_args *a)
{
    const char *const path[] = { a->json_path, a->timeline };
    struct bl_diag diag = { "" };

    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
        if (path[i] != NULL && bl_output_check(path[i], &diag) != BL_ERR_OK)
            return bl_cli_fail(&diag);
    return BL_EXIT_OK;
}

/* A policy or parameter that is wrong in the scenario is bad input; on the
 * command line, a bad option. */
static int check_policies(const struct bl_sim_args *a,
                          const struct bl_scenario *s)
{
    struct bl_diag diag = { "" };
    const struct bl_policy *p = NULL;
    struct bl_params params;

    if (bl_run_policy(s, &s->policy, &p, &params, &diag) != BL_ERR_OK)
        return a->policy != NULL || a->param_count > 0
                   ? bl_cli_usage("sim", "%s", diag.text)
                   : bl_cli_fail(&diag);
    for (uint32_t i = 0; i < a->baseline_count; i++) {
        struct bl_policy_choice base = { .line = 0 };

        if (lay_choice("--baseline", a->baseline[i], &base) != BL_EXIT_OK)
            return BL_EXIT_USAGE;
        base.file = "--baseline";
        if (bl_run_policy(s, &base, &p, &params, &diag) != BL_ERR_OK)
            return bl_cli_usage("sim", "%s", diag.text);
    }
    return BL_EXIT_OK;
}

static int check_governor(const struct bl_sim_args *a,
                          const struct bl_scenario *s)
{
    const struct bl_governor *g;
    struct bl_params params;
    struct bl_diag diag = { "" };

    if (a->governor != NULL && strcmp(s->physics, "cloudsim303") == 0)
        return bl_cli_usage("sim",
                            "--governor with physics cloudsim303, which has "
                            "none; expected physics real");
    if (bl_governor_choose(&s->governor, s->path, &g, &params, &diag) !=
        BL_ERR_OK)
        return bl_cli_usage("sim", "%s", diag.text);
    return BL_EXIT_OK;
}

static int load_scenario(const char *path, struct bl_scenario *s)
{
    const char *text = bl_scenario_embedded();
    struct bl_diag diag = { "" };
    const bl_err e = path != NULL ? bl_scenario_load(path, s, &diag)
                                  : bl_scenario_parse(text, strlen(text),
                                                      "(embedded)", s, &diag);

    return e == BL_ERR_OK ? BL_EXIT_OK : bl_cli_fail(&diag);
}

static int run_host(const struct bl_sim_args *a, struct bl_scenario *s)
{
    int status = bl_host_options(a, s);

    if (status == BL_EXIT_OK)
        status = check_files(a);
    if (status != BL_EXIT_OK)
        return status;
    return a->seeds > 0 ? bl_sim_host_seeds(a, s) : bl_sim_host(a, s);
}

static int run(const struct bl_sim_args *a)
{
    static struct bl_scenario s; /* too large for a stack */
    int status = load_scenario(a->scenario, &s);

    if (status == BL_EXIT_OK && s.level == BL_LEVEL_HOST)
        return run_host(a, &s);
    if (status == BL_EXIT_OK)
        status = lay_options(a, &s);
    if (status == BL_EXIT_OK)
        status = check_policies(a, &s);
    if (status == BL_EXIT_OK)
        status = check_governor(a, &s);
    if (status == BL_EXIT_OK)
        status = check_files(a);
    if (status != BL_EXIT_OK)
        return status;
    return a->seeds > 0 ? bl_sim_seeds(a, &s) : bl_sim_one(a, &s);
}

int bl_cli_sim(int argc, char **argv)
{
    struct bl_sim_args a = {
        .threads = 1, .style = { bl_cli_utf8(), bl_cli_colour(stdout) }
    };
    int opt, status;

    opterr = 0;
    optind = 1;
    while ((opt = getopt_long(argc, argv, ":j:", options, NULL)) != -1) {
        if (opt == OPT_HELP) {
            fputs(help, stdout);
            return bl_cli_flush();
        }
        status = read_option(opt, argc, argv, &a);
        if (status != BL_EXIT_OK)
            return status;
    }
    if (is_help(a.policy) || is_help(a.baseline[0]))
        return list_policies();
    if (is_help(a.mode))
        return list_modes();
    if (is_help(a.governor))
        return list_governors();
    if (is_help(a.physics))
        return list_physics();
    if (argc - optind > 1)
        return bl_cli_usage("sim", "%d scenarios given, expected at most one",
                            argc - optind);
    a.scenario = optind < argc ? argv[optind] : NULL;
    status = check_args(&a);
    return status == BL_EXIT_OK ? run(&a) : status;
}
