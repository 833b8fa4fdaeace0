/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/sim_priv.h - the files of `ballast sim`: sim.c reads the command line,
 * sim_one.c makes one run (and its baseline), sim_seeds.c many. At level host:
 * host_options.c lays the command line on the scenario, sim_host.c makes one
 * run, host_watch.c shows it while it goes on, host_seeds.c makes many.
 */
#ifndef BL_CLI_SIM_PRIV_H
#define BL_CLI_SIM_PRIV_H

#include "cli/cli.h"
#include "cli/host.h"
#include "cli/observe.h"
#include "cli/run.h"
#include "report/report.h"

/* The command line of `ballast sim`; strings are argv's. */
struct bl_sim_args {
    const char *scenario, *trace, *policy, *policy_file, *physics, *governor;
    const char *baseline[BL_BASELINES_MAX];
    uint32_t baseline_count;
    const char *csv, *out;
    const char *mode, *timeline; /* level host */
    bool json;                   /* to stdout unless there is a path */
    const char *json_path;       /* or NULL */
    bool has_seed;
    uint64_t seed;
    uint32_t seeds; /* 0: one run */
    uint32_t threads;
    bool paranoid;
    struct bl_explain explain;
    struct bl_style style;
    uint32_t param_count;
    char *param[BL_PARAMS_MAX]; /* NAME=VALUE */
};

/* Has @table one of these @n bytes of name? */
bool bl_cli_has_param(const struct bl_param *table, uint32_t count,
                      const char *name, size_t n);

/* Both return the exit status of the process. */
int bl_sim_one(const struct bl_sim_args *args, const struct bl_scenario *s);
int bl_sim_seeds(const struct bl_sim_args *args, const struct bl_scenario *s);

/* ---- level host --------------------------------------------------------- */

/* The options laid on @s, and what makes no sense at this level refused. */
int bl_host_options(const struct bl_sim_args *args, struct bl_scenario *s);

int bl_sim_host(const struct bl_sim_args *args, const struct bl_scenario *s);
int bl_sim_host_seeds(const struct bl_sim_args *args,
                      const struct bl_scenario *s);

#endif /* BL_CLI_SIM_PRIV_H */
