/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line means for a scenario of level host. */
#include "cli/sim_priv.h"

#include <string.h>

/* ---- policy, mode and their parameters ---------------------------------- */

/* "policy: unknown 'fare', expected one of fair fifo ..." */
static bl_err refuse_name(const char *what, const char *name,
                          const struct bl_sched_info *(*at)(uint32_t i),
                          const char *file, unsigned long line,
                          struct bl_diag *diag)
{
    char known[256] = "";
    const struct bl_sched_info *info;
    size_t n = 0;

    for (uint32_t i = 0; (info = at(i)) != NULL && n < sizeof(known); i++)
        n += (size_t)snprintf(known + n, sizeof(known) - n, " %s", info->name);
    return bl_diag_set(diag, BL_ERR_NOENT, file, line,
                       "%s: unknown '%.60s', expected one of%s", what, name,
                       known);
}

static bl_err check_params(const struct bl_sched_info *info,
                           const struct bl_host_param *param, uint32_t count,
                           const char *file, struct bl_diag *diag)
{
    struct bl_params values;
    unsigned long line = 0; /* of the last one */

    bl_params_init(&values, info->params, info->param_count);
    for (uint32_t i = 0; i < count; i++) {
        line = param[i].line;
        BL_TRY(bl_params_set(&values, param[i].name, param[i].text,
                             line > 0 ? file : "--param", line, diag));
    }
    return bl_sched_params_check(info, &values, line > 0 ? file : "--param",
                                 line, diag);
}

bl_err bl_host_scheduler_check(const struct bl_host_spec *s, const char *file,
                               struct bl_diag *diag)
{
    const struct bl_sched_info *policy = bl_sched_policy_find(s->policy);
    const struct bl_sched_info *mode = bl_sched_mode_find(s->mode);

    if (policy == NULL)
        return refuse_name("policy", s->policy, bl_sched_policy,
                           s->policy_line > 0 ? file : "--policy",
                           s->policy_line, diag);
    if (mode == NULL)
        return refuse_name("mode", s->mode, bl_sched_mode,
                           s->mode_line > 0 ? file : "--mode", s->mode_line,
                           diag);
    BL_TRY(check_params(policy, s->policy_param, s->policy_param_count, file,
                        diag));
    return check_params(mode, s->mode_param, s->mode_param_count, file, diag);
}

/* A name from the command line takes the place of the scenario's with all its
 * parameters. */
static int lay_name(const char *option, const char *name, char *to,
                    unsigned long *line, uint32_t *param_count)
{
    if (name == NULL)
        return BL_EXIT_OK;
    if (strlen(name) >= BL_NAME_BYTES)
        return bl_cli_usage("sim", "%s of %zu bytes, expected a name", option,
                            strlen(name));
    memcpy(to, name, strlen(name) + 1);
    *line = 0;
    *param_count = 0;
    return BL_EXIT_OK;
}

bool bl_cli_has_param(const struct bl_param *table, uint32_t count,
                      const char *name, size_t n)
{
    for (uint32_t i = 0; i < count; i++)
        if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
            return true;
    return false;
}

static bool has_param(const struct bl_sched_info *info, const char *name,
                      size_t n)
{
    return info != NULL &&
           bl_cli_has_param(info->params, info->param_count, name, n);
}

/* It is the mode's only where the mode has it and the policy has not, and the
 * governor's where neither has. */
static int lay_param(const char *text, struct bl_host_spec *s)
{
    const size_t n = (size_t)(strchr(text, '=') - text);
    const struct bl_governor *g = bl_governor_find(s->governor);
    struct bl_host_param *list = s->policy_param;
    uint32_t *count = &s->policy_param_count;

    const bool of_policy = has_param(bl_sched_policy_find(s->policy), text, n);

    if (!of_policy && has_param(bl_sched_mode_find(s->mode), text, n)) {
        list = s->mode_param;
        count = &s->mode_param_count;
    } else if (!of_policy && g != NULL &&
               bl_cli_has_param(g->params, g->param_count, text, n)) {
        list = s->governor_param;
        count = &s->governor_param_count;
    }
    if (*count == BL_PARAMS_MAX)
        return bl_cli_usage("sim", "more than %u parameters", BL_PARAMS_MAX);
    snprintf(list[*count].name, BL_NAME_BYTES, "%.*s", (int)n, text);
    snprintf(list[*count].text, BL_NAME_BYTES, "%s", text + n + 1);
    list[(*count)++].line = 0;
    return BL_EXIT_OK;
}

/* As config/ did with the scenario's own. */
static bl_err check_governor(const struct bl_host_spec *s, const char *file,
                             struct bl_diag *diag)
{
    struct bl_policy_choice c = { .line = s->governor_line,
                                  .param_count = s->governor_param_count };
    const struct bl_governor *g;
    struct bl_params params;

    snprintf(c.name, sizeof(c.name), "%s", s->governor);
    for (uint32_t i = 0; i < c.param_count; i++) {
        memcpy(c.param[i].name, s->governor_param[i].name, BL_NAME_BYTES);
        memcpy(c.param[i].text, s->governor_param[i].text, BL_NAME_BYTES);
        c.param[i].line = s->governor_param[i].line;
    }
    return bl_governor_choose(&c, file, &g, &params, diag);
}

static int lay_scheduler(const struct bl_sim_args *a, struct bl_scenario *s)
{
    struct bl_host_spec *h = &s->host;
    struct bl_diag diag = { "" };
    int status = lay_name("--policy", a->policy, h->policy, &h->policy_line,
                          &h->policy_param_count);

    if (status == BL_EXIT_OK)
        status = lay_name("--mode", a->mode, h->mode, &h->mode_line,
                          &h->mode_param_count);
    if (status == BL_EXIT_OK)
        status = lay_name("--governor", a->governor, h->governor,
                          &h->governor_line, &h->governor_param_count);
    for (uint32_t i = 0; i < a->param_count && status == BL_EXIT_OK; i++)
        status = lay_param(a->param[i], h);
    if (status != BL_EXIT_OK)
        return status;
    if (bl_host_scheduler_check(h, s->path, &diag) == BL_ERR_OK &&
        check_governor(h, s->path, &diag) == BL_ERR_OK)
        return BL_EXIT_OK;
    /* wrong in the scenario: bad input; on the command line: a bad option */
    return a->policy != NULL || a->mode != NULL || a->governor != NULL ||
                   a->param_count > 0
               ? bl_cli_usage("sim", "%s", diag.text)
               : bl_cli_fail(&diag);
}

/* ---- the others --------------------------------------------------------- */

static int refuse_others(const struct bl_sim_args *a)
{
    const char *option = a->trace != NULL         ? "--trace"
                         : a->policy_file != NULL ? "--policy-file"
                         : a->physics != NULL     ? "--physics"
                         : a->baseline_count > 0  ? "--baseline"
                                                  : NULL;

    if (option != NULL)
        return bl_cli_usage("sim",
                            "%s is for scenarios of level: cluster, this one "
                            "has level: host",
                            option);
    if (a->explain.host != NULL)
        return bl_cli_usage("sim",
                            "--explain host=%.60s: there is one host "
                            "at level: host, expected vm=NAME",
                            a->explain.host);
    if (a->threads > 1 && a->seeds == 0)
        return bl_cli_usage("sim",
                            "-j %u: one run at level: host is one "
                            "thread, expected it with --seeds",
                            a->threads);
    return BL_EXIT_OK;
}

int bl_host_options(const struct bl_sim_args *a, struct bl_scenario *s)
{
    const int status = refuse_others(a);

    if (status != BL_EXIT_OK)
        return status;
    if (a->governor != NULL && s->host.freq.pstate_count == 0)
        return bl_cli_usage("sim",
                            "--governor, but the scenario's host has no "
                            "'power', expected it there");
    if (a->timeline != NULL && s->host.timeline_ns == 0)
        return bl_cli_usage("sim",
                            "--timeline, but the scenario has timeline: "
                            "0, expected some time there");
    if (a->has_seed)
        s->seed = a->seed;
    return lay_scheduler(a, s);
}
