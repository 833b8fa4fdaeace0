/* SPDX-License-Identifier: Apache-2.0 */
/* cli/tune.c - ballast tune: what the command line asks for. */
#define _POSIX_C_SOURCE 200809L
#include "cli/tune_priv.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 256 };

/* Of a rank whose command line is no good. */
#define OTHER_WORDS "has other options, expected the same on every machine"

static const char help[] =
    "usage: ballast tune [OPTION]... SCENARIO.yaml\n"
    "\n"
    "  ballast tune examples/tune-power.yaml        all is said in the "
    "scenario\n"
    "  ballast tune mine.yaml --vary safety=1.0:1.6:0.1 -j 2\n"
    "  ballast tune mine.yaml --vary select=mmt,mu --vary safety=0.8:1.6 \\\n"
    "      --strategy halving --runs 200            many, most of them "
    "shortly\n"
    "  ballast tune mine.yaml --trace mon.tar.zst --trace tue.tar.zst \\\n"
    "      --validate wed.tar.zst                   does it hold on other "
    "days?\n"
    "  ballast sim mine.yaml --policy-file mine.tune/policy.yaml\n"
    "  mpirun -n 4 ballast tune mine.yaml           the same front, elsewhere\n"
    "\n"
    "Replays a trace with many combinations of a policy's parameters and "
    "keeps\n"
    "those that no other is better than in every objective: the Pareto front.\n"
    "One of them becomes policy.yaml, for ballast sim --policy-file. Each\n"
    "finished run is kept in DIR: a search that was killed goes on where it\n"
    "was. What is given here wins over the scenario's section 'tune'.\n"
    "\n"
    "What is tried:\n"
    "  --vary NAME=RANGE  a parameter and its values; may be repeated.\n"
    "                     LO:HI:STEP   from LO to HI\n"
    "                     a,b,c        these\n"
    "                     LO:HI        any between, for random and halving\n"
    "                     ballast sim --policy help lists parameters\n"
    "  --strategy NAME    grid: every combination; random: --runs of them;\n"
    "                     halving: --runs of them on a part of the trace, the\n"
    "                     best third on three times as much, and so on\n"
    "  --runs N           combinations that random and halving draw (100)\n"
    "  --policy NAME      another policy than the scenario's\n"
    "  --param NAME=VALUE a parameter that is not varied; may be repeated\n"
    "  --physics NAME     another physics; ballast sim --physics help\n"
    "  --seed N           seed of all that is random, draws included\n"
    "  --trace PATH       a trace to tune on; may be repeated: means over all\n"
    "  --validate PATH    a trace that only the front is run on; may be "
    "repeated\n"
    "\n"
    "What is looked for:\n"
    "  --objectives LIST  of energy,slav,unserved,migrations,transitions\n"
    "                     (energy,unserved); less is better\n"
    "  --baseline POLICY  to compare with (the scenario's policy as it is)\n"
    "  --pick RULE        which point becomes policy.yaml. energy: least "
    "energy\n"
    "                     with no more unserved than the baseline (default);\n"
    "                     unserved: the other way round; knee: nearest to the\n"
    "                     best of all; N: the N-th of the front\n"
    "\n"
    "How:\n"
    "  --out DIR          results; made, or gone on with (NAME.tune)\n"
    "  -j N               N runs at a time, in each rank under mpirun (1); "
    "the\n"
    "                     front does not depend on it\n"
    "  --verbose          a line on stderr as each run starts and ends\n"
    "  --ascii            no characters beyond ASCII\n"
    "  --help             this text\n"
    "\n"
    "Exit status: 0 done, 1 bad input, 2 bad options, 130 interrupted (the\n"
    "front is that of the runs that are complete, and marked as partial).\n";

/* ---- options ------------------------------------------------------------ */

enum {
    OPT_VARY = 256,
    OPT_STRATEGY,
    OPT_RUNS,
    OPT_POLICY,
    OPT_PARAM,
    OPT_PHYSICS,
    OPT_SEED,
    OPT_TRACE,
    OPT_VALIDATE,
    OPT_OBJECTIVES,
    OPT_BASELINE,
    OPT_PICK,
    OPT_OUT,
    OPT_VERBOSE,
    OPT_ASCII,
    OPT_HELP,
};

static const struct option options[] = {
    { "vary", required_argument, NULL, OPT_VARY },
    { "strategy", required_argument, NULL, OPT_STRATEGY },
    { "runs", required_argument, NULL, OPT_RUNS },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "param", required_argument, NULL, OPT_PARAM },
    { "physics", required_argument, NULL, OPT_PHYSICS },
    { "seed", required_argument, NULL, OPT_SEED },
    { "trace", required_argument, NULL, OPT_TRACE },
    { "validate", required_argument, NULL, OPT_VALIDATE },
    { "objectives", required_argument, NULL, OPT_OBJECTIVES },
    { "baseline", required_argument, NULL, OPT_BASELINE },
    { "pick", required_argument, NULL, OPT_PICK },
    { "out", required_argument, NULL, OPT_OUT },
    { "verbose", no_argument, NULL, OPT_VERBOSE },
    { "ascii", no_argument, NULL, OPT_ASCII },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

/* The command line as a scenario's own words: what it says of tuning, and what
 * it says of the rest. */
struct command {
    struct bl_tune_args args;
    const char *policy, *physics;
    bool has_seed, has_strategy, has_runs;
    uint64_t seed;
    struct bl_policy_choice params; /* --param */
    struct bl_tune_choice tune;
};

/* NAME=REST into two buffers. */
static int split(const char *option, const char *text, char *name, char *rest,
                 size_t rest_size)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text || equals - text >= BL_NAME_BYTES)
        return bl_cli_usage("tune", "%s '%.60s', expected NAME=%s", option,
                            text, option[2] == 'v' ? "RANGE" : "VALUE");
    if (strlen(equals + 1) >= rest_size)
        return bl_cli_usage("tune",
                            "%s of %zu bytes, expected at most %zu after '='",
                            option, strlen(equals + 1), rest_size - 1);
    snprintf(name, BL_NAME_BYTES, "%.*s", (int)(equals - text), text);
    snprintf(rest, rest_size, "%s", equals + 1);
    return BL_EXIT_OK;
}

static int read_vary(const char *text, struct bl_tune_choice *t)
{
    const uint32_t i = t->vary_count;
    int status;

    if (i == BL_PARAMS_MAX)
        return bl_cli_usage("tune", "more than %u times --vary", BL_PARAMS_MAX);
    status = split("--vary", text, t->vary[i].name, t->vary[i].range.text,
                   sizeof(t->vary[i].range.text));
    t->vary_count += status == BL_EXIT_OK;
    return status;
}

static int read_param(const char *text, struct bl_policy_choice *c)
{
    const uint32_t i = c->param_count;
    int status;

    if (i == BL_PARAMS_MAX)
        return bl_cli_usage("tune", "more than %u times --param",
                            BL_PARAMS_MAX);
    status = split("--param", text, c->param[i].name, c->param[i].text,
                   sizeof(c->param[i].text));
    c->param_count += status == BL_EXIT_OK;
    return status;
}

static int read_path(const char *option, const char *text,
                     struct bl_tune_paths *p)
{
    if (p->count == BL_TUNE_TRACES_MAX)
        return bl_cli_usage("tune", "more than %u times %s", BL_TUNE_TRACES_MAX,
                            option);
    if (text[0] == '\0' || strlen(text) >= BL_PATH_BYTES)
        return bl_cli_usage("tune", "%s of %zu bytes, expected 1 to %d", option,
                            strlen(text), BL_PATH_BYTES - 1);
    snprintf(p->path[p->count++], BL_PATH_BYTES, "%s", text);
    return BL_EXIT_OK;
}

static int read_text(const char *option, const char *text,
                     struct bl_tune_text *out)
{
    if (text[0] == '\0' || strlen(text) >= sizeof(out->text))
        return bl_cli_usage("tune", "%s of %zu bytes, expected 1 to %zu",
                            option, strlen(text), sizeof(out->text) - 1);
    snprintf(out->text, sizeof(out->text), "%s", text);
    out->line = 0;
    return BL_EXIT_OK;
}

static int read_strategy(const char *text, struct command *c)
{
    static const char *const names[] = { "grid", "random", "halving" };

    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], text) == 0) {
            c->tune.strategy = i;
            c->has_strategy = true;
            return BL_EXIT_OK;
        }
    }
    return bl_cli_usage(
        "tune", "--strategy '%.40s', expected grid, random or halving", text);
}

static int read_numeric(int opt, struct command *c)
{
    int64_t n = 0;
    int status;

    if (opt == 'j') {
        status = bl_cli_number("tune", "-j", optarg, 1, THREADS_MAX, &n);
        c->args.threads = (uint32_t)n;
    } else if (opt == OPT_RUNS) {
        status =
            bl_cli_number("tune", "--runs", optarg, 1, BL_TUNE_POINTS_MAX, &n);
        c->tune.run_count = (uint32_t)n;
        c->has_runs = true;
    } else {
        status = bl_cli_number("tune", "--seed", optarg, 0, INT64_MAX, &n);
        c->seed = (uint64_t)n;
        c->has_seed = true;
    }
    return status;
}

static int read_option(int opt, char **argv, struct command *c)
{
    switch (opt) {
    case OPT_VARY:
        return read_vary(optarg, &c->tune);
    case OPT_STRATEGY:
        return read_strategy(optarg, c);
    case OPT_RUNS:
    case OPT_SEED:
    case 'j':
        return read_numeric(opt, c);
    case OPT_POLICY:
        c->policy = optarg;
        return BL_EXIT_OK;
    case OPT_PARAM:
        return read_param(optarg, &c->params);
    case OPT_PHYSICS:
        c->physics = optarg;
        return BL_EXIT_OK;
    case OPT_TRACE:
        return read_path("--trace", optarg, &c->tune.traces);
    case OPT_VALIDATE:
        return read_path("--validate", optarg, &c->tune.validate);
    case OPT_OBJECTIVES:
        return read_text("--objectives", optarg, &c->tune.objectives);
    case OPT_BASELINE:
        return read_text("--baseline", optarg, &c->tune.baseline);
    case OPT_PICK:
        return read_text("--pick", optarg, &c->tune.pick);
    case OPT_OUT:
        if (optarg[0] == '\0')
            return bl_cli_usage("tune", "--out '', expected a directory");
        c->args.out = optarg;
        return BL_EXIT_OK;
    case OPT_VERBOSE:
        c->args.verbose = true;
        return BL_EXIT_OK;
    case OPT_ASCII:
        c->args.style.utf8 = false;
        return BL_EXIT_OK;
    default:
        return bl_cli_bad_option("tune", opt, argv);
    }
}

/* ---- the scenario, with the options laid on it -------------------------- */

static int lay_policy(const struct command *c, struct bl_scenario *s)
{
    if (c->policy != NULL) {
        if (strlen(c->policy) >= sizeof(s->policy.name))
            return bl_cli_usage("tune",
                                "--policy of %zu bytes, expected a name",
                                strlen(c->policy));
        s->policy = (struct bl_policy_choice){ .line = 0 };
        snprintf(s->policy.name, sizeof(s->policy.name), "%s", c->policy);
    }
    for (uint32_t i = 0; i < c->params.param_count; i++)
        if (!bl_run_param(&s->policy, c->params.param[i].name,
                          c->params.param[i].text))
            return bl_cli_usage("tune", "more than %u parameters",
                                BL_PARAMS_MAX);
    return BL_EXIT_OK;
}

static int lay_physics(const struct command *c, struct bl_scenario *s)
{
    if (c->physics == NULL)
        return BL_EXIT_OK;
    if (bl_run_physics(c->physics)) {
        snprintf(s->physics, sizeof(s->physics), "%s", c->physics);
        return BL_EXIT_OK;
    }
    return bl_cli_usage("tune",
                        "unknown physics '%.60s'; ballast sim --physics help "
                        "lists them",
                        c->physics);
}

static void lay_tune(const struct command *c, struct bl_tune_choice *t)
{
    if (c->tune.vary_count > 0) {
        memcpy(t->vary, c->tune.vary, sizeof(t->vary));
        t->vary_count = c->tune.vary_count;
    }
    if (c->has_strategy)
        t->strategy = c->tune.strategy;
    if (c->has_runs)
        t->run_count = c->tune.run_count;
    if (c->tune.objectives.text[0] != '\0')
        t->objectives = c->tune.objectives;
    if (c->tune.baseline.text[0] != '\0')
        t->baseline = c->tune.baseline;
    if (c->tune.pick.text[0] != '\0')
        t->pick = c->tune.pick;
    if (c->tune.traces.count > 0)
        t->traces = c->tune.traces;
    if (c->tune.validate.count > 0)
        t->validate = c->tune.validate;
}

static int lay_options(const struct command *c, struct bl_scenario *s)
{
    int status;

    if (s->level == BL_LEVEL_HOST)
        return bl_cli_usage(
            "tune", "%.200s has level: host, expected level: cluster", s->path);
    if (c->has_seed) {
        s->seed = c->seed;
        s->trace_spec.seed = c->seed;
    }
    lay_tune(c, &s->tune);
    status = lay_policy(c, s);
    return status == BL_EXIT_OK ? lay_physics(c, s) : status;
}

/* ---- one process -------------------------------------------------------- */

/* Everything but the database: the same in every rank. */
static bl_err prepare(struct bl_tune *t, const struct bl_scenario *s,
                      bool *usage, struct bl_diag *diag)
{
    bl_err e = bl_tune_plan_check(s, true, &t->plan, diag);

    if (e == BL_ERR_OK)
        e = bl_tune_plan_points(s, &t->plan, diag);
    *usage = e != BL_ERR_OK && e != BL_ERR_NOMEM && t->plan.blame == 0;
    return e == BL_ERR_OK ? bl_tune_traces(t, diag) : e;
}

/* How long the front is, is known when it is there: it has been written. */
static bl_err check_picked(const struct bl_tune *t,
                           const struct bl_tune_outcome *o,
                           struct bl_diag *diag)
{
    const struct bl_tune_pick *p = &t->plan.pick;
    const unsigned long line = t->scenario->tune.pick.line;

    if (o->chosen != BL_NONE || p->rule != BL_PICK_NUMBER ||
        t->runs_done < t->runs_all)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_INVAL,
                       line > 0 ? t->scenario->path : "--pick", line,
                       "pick: %u, expected at most %u: the front has no more "
                       "points; no policy.yaml was written",
                       p->number, o->front_count);
}

static bl_err search(struct bl_tune *t, struct bl_tune_outcome *o,
                     struct bl_diag *diag)
{
    bl_err e;

    BL_TRY(bl_tune_out_open(t, diag));
    bl_progress_start(&t->progress);
    t->progress.remaining = true;
    e = bl_tune_search(t, o, diag);
    bl_progress_end(&t->progress);
    if (e == BL_ERR_OK)
        e = bl_tune_out_write(t, o, diag);
    return e == BL_ERR_OK ? check_picked(t, o, diag) : e;
}

/* Rank 0, or the only process. */
static int lead(struct bl_tune *t, const struct bl_scenario *s)
{
    struct bl_tune_outcome o = { .chosen = BL_NONE };
    struct bl_diag diag = { "" };
    bool usage = false;
    bl_err e = prepare(t, s, &usage, &diag);
    int status;

    if (e == BL_ERR_OK)
        e = search(t, &o, &diag);
    if (t->ranks != NULL)
        bl_tune_ranks_quit(t->ranks);
    if (e != BL_ERR_OK)
        status =
            usage ? bl_cli_usage("tune", "%s", diag.text) : bl_cli_fail(&diag);
    else
        status = bl_cli_flush();
    if (status == BL_EXIT_OK && t->runs_done < t->runs_all)
        status = BL_EXIT_INTERRUPTED;
    bl_tune_outcome_free(&o);
    bl_tune_db_close(t->db);
    return status;
}

static int follow(struct bl_tune *t, const struct bl_scenario *s)
{
    struct bl_diag diag = { "" };
    bool usage = false;
    const bl_err e = prepare(t, s, &usage, &diag);

    bl_tune_ranks_serve(t, e, &diag);
    return BL_EXIT_OK;
}

/* Before the search. Rank 0's exit status is that of all. */
static int leave(struct bl_ranks *ranks, const char *why, int status)
{
    if (ranks == NULL)
        return status;
    bl_tune_ranks_leave(ranks, why);
    return ranks->rank > 0 ? BL_EXIT_OK : status;
}

/* The exit status; *why says what was wrong where it is not that of success. */
static int load(const struct command *c, struct bl_scenario *s,
                struct bl_diag *why)
{
    int status;

    if (bl_scenario_load(c->args.scenario, s, why) != BL_ERR_OK)
        return bl_cli_fail(why);
    status = lay_options(c, s);
    if (status != BL_EXIT_OK)
        snprintf(why->text, sizeof(why->text), "%s", OTHER_WORDS);
    return status;
}

static int run(const struct command *c, struct bl_ranks *ranks)
{
    static struct bl_scenario s; /* too large for a stack */
    static struct bl_tune t;
    struct bl_diag why = { "" };
    int status = load(c, &s, &why);

    if (status != BL_EXIT_OK)
        return leave(ranks, why.text, status);
    t = (struct bl_tune){ .args = &c->args, .scenario = &s, .ranks = ranks };
    status = ranks != NULL && ranks->rank > 0 ? follow(&t, &s) : lead(&t, &s);
    bl_tune_traces_free(&t);
    bl_tune_plan_free(&t.plan);
    return status;
}

/* -1: go on; else the exit status. */
static int read_command(int argc, char **argv, struct command *c)
{
    int opt, status;

    opterr = 0;
    optind = 1;
    while ((opt = getopt_long(argc, argv, ":j:", options, NULL)) != -1) {
        if (opt == OPT_HELP) {
            fputs(help, stdout);
            return bl_cli_flush();
        }
        status = read_option(opt, argv, c);
        if (status != BL_EXIT_OK)
            return status;
    }
    if (argc - optind != 1)
        return bl_cli_usage("tune", "%d scenarios given, expected one",
                            argc - optind);
    c->args.scenario = argv[optind];
    return -1;
}

int bl_tune_main(int argc, char **argv, struct bl_ranks *ranks)
{
    static struct command c; /* paths alone are large */
    int status;

    c = (struct command){
        .args = { .threads = 1,
                  .style = { bl_cli_utf8(), bl_cli_colour(stdout) } },
    };
    status = read_command(argc, argv, &c);
    if (status < 0)
        return run(&c, ranks);
    return leave(ranks, OTHER_WORDS, status);
}

/* ---- under mpirun ------------------------------------------------------- */

/* Ranks as Open MPI, or a PMI launcher, says them; 1 without. */
static long rank_count(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = getenv(names[i]);

        if (text != NULL)
            return strtol(text, NULL, 10);
    }
    return 1;
}

/* Beside this program, as it is built, or in ../libexec/ballast, as it is
 * installed. Returns only when it is in neither. */
static void become(char **argv)
{
    static const char *const places[] = { "", "../libexec/ballast/" };
    char self[BL_PATH_BYTES], path[BL_PATH_BYTES + 64];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (n <= 0)
        return;
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return;
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, sizeof(path), "%s%sballast-tune-mpi", self, places[i]);
        execv(path, argv);
    }
}

int bl_cli_tune(int argc, char **argv)
{
    if (rank_count() > 1) {
        fflush(stdout);
        become(argv);
        return bl_cli_usage("tune",
                            "started by mpirun, but ballast-tune-mpi is not "
                            "there: this ballast was built without MPI");
    }
    return bl_tune_main(argc, argv, NULL);
}
