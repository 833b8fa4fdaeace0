/* SPDX-License-Identifier: Apache-2.0 */
/* config/power.c - P-states, idle states and the power model of a host, and the
 * governor. */
#include "config/config_priv.h"

#include "power/dvfs.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */
#define PSTATE "a speed, or a speed and a voltage such as 2.6GHz@1.10V"

/* --- P-states ----------------------------------------------------------- */

static bl_err refuse_pstate(struct bl__reader *r, const struct bl__node *n,
                            const char *what, const char *expect)
{
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                       "pstates: %.*s %s, expected %s", SHOWN, n->text, what,
                       expect);
}

/* "2.6GHz@1.10V": both within their ranges. */
static bl_err read_pstate(struct bl__reader *r, const struct bl__node *n,
                          struct bl_pstate *out)
{
    const char *why = NULL, *at;
    int64_t khz = 0, uv = 0;
    char speed[40] = "";
    size_t len;

    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    at = strchr(n->text, '@');
    len = at != NULL ? (size_t)(at - n->text) : strlen(n->text);
    if (len < sizeof(speed)) /* what is longer is no speed */
        memcpy(speed, n->text, len);
    if (bl_units_parse(BL_DIM_FREQ, speed, &khz, &why) != BL_ERR_OK ||
        (at != NULL &&
         bl_units_parse(BL_DIM_VOLTAGE, at + 1, &uv, &why) != BL_ERR_OK))
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "pstates: '%.*s' is not valid, expected " PSTATE,
                           SHOWN, n->text);
    if (khz < 1 || khz > (int64_t)BL_CORE_KHZ_MAX)
        return refuse_pstate(r, n, "is out of range", "1kHz .. 10GHz");
    if (at != NULL && (uv < 1 || uv > (int64_t)BL_VOLT_UV_MAX))
        return refuse_pstate(r, n, "is out of range", "1uV .. 10V");
    out->khz = (uint64_t)khz;
    out->uv = (uint32_t)uv;
    return BL_ERR_OK;
}

bl_err bl__read_pstates(struct bl__reader *r, const struct bl__node *list,
                        void *freq)
{
    struct bl_freq *f = freq;

    BL_TRY(bl__expect_entries(r, list, "pstates", BL_PSTATES_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_pstate *p = &f->pstate[f->pstate_count++];

        BL_TRY(read_pstate(r, n, p));
        if (n == list->first)
            continue;
        if (p->khz >= p[-1].khz)
            return refuse_pstate(r, n, "is not slower than the one before",
                                 "speeds that fall");
        if ((p->uv > 0) != (p[-1].uv > 0))
            return refuse_pstate(r, n, "after one with or without a voltage",
                                 "voltages for all or for none");
        if (p->uv > p[-1].uv)
            return refuse_pstate(r, n, "has more voltage than the one before",
                                 "voltages that do not rise");
    }
    return BL_ERR_OK;
}

/* --- idle states --------------------------------------------------------- */

static bl_err refuse_idle(struct bl__reader *r, const struct bl__node *n,
                          const char *key, const char *text)
{
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, bl__node_line(n, key),
                       "%s: %s", key, text);
}

static bl_err check_idle(struct bl__reader *r, const struct bl__node *n,
                         const struct bl_idle_state *s, bool first)
{
    if (first && s->after_ns > 0)
        return refuse_idle(r, n, "after",
                           "cores are in the first idle state at once, "
                           "expected 0");
    if (!first && s->after_ns <= s[-1].after_ns)
        return refuse_idle(r, n, "after",
                           "no later than the idle state before, expected "
                           "more");
    if (!first && s->extra_mw >= s[-1].extra_mw)
        return refuse_idle(r, n, "power",
                           "no less than in the idle state before, expected "
                           "less");
    if (n->next == NULL && s->extra_mw > 0)
        return refuse_idle(r, n, "power",
                           "the deepest idle state has that of 'power' at 0 % "
                           "CPU, expected 0");
    return BL_ERR_OK;
}

bl_err bl__read_idle_states(struct bl__reader *r, const struct bl__node *list,
                            void *freq)
{
    const struct bl__section *section = r->out->level == BL_LEVEL_HOST
                                            ? &bl__section_host_idle_state
                                            : &bl__section_idle_state;
    struct bl_freq *f = freq;

    if (list == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_entries(r, list, "idle_states", BL_IDLE_STATES_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_idle_state *s = &f->idle[f->idle_count++];

        BL_TRY(bl__read_map(r, section, n, s));
        BL_TRY(bl__expect_new_name(r, list, n, "idle state"));
        BL_TRY(check_idle(r, n, s, n == list->first));
    }
    return BL_ERR_OK;
}

bl_err bl__read_frequency(struct bl__reader *r, const struct bl__node *n,
                          void *freq)
{
    if (n == NULL)
        return BL_ERR_OK;
    return bl__read_map(r,
                        r->out->level == BL_LEVEL_HOST
                            ? &bl__section_host_frequency
                            : &bl__section_frequency,
                        n, freq);
}

/* --- the tables of a host ------------------------------------------------ */

static bl_err check_frequency(struct bl__reader *r, const struct bl__node *n,
                              const struct bl__machine *m)
{
    const struct bl_freq *f = m->freq;
    char fast[40], speed[40];

    if (f->pstate[0].khz != m->core_khz) {
        bl_units_print(BL_DIM_FREQ, (int64_t)f->pstate[0].khz, fast,
                       sizeof(fast));
        bl_units_print(BL_DIM_FREQ, (int64_t)m->core_khz, speed, sizeof(speed));
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_line(n, "pstates"),
                           "pstates: the fastest is %s, expected the %s of "
                           "'speed'",
                           fast, speed);
    }
    if (f->domain_count > m->core_count ||
        f->domain_count > BL_FREQ_DOMAINS_MAX)
        return bl_diag_set(
            r->diag, BL_ERR_INVAL, r->file, bl__node_line(n, "domains"),
            "domains: %u of %u cores, expected at most %u", f->domain_count,
            m->core_count,
            m->core_count < BL_FREQ_DOMAINS_MAX ? m->core_count
                                                : BL_FREQ_DOMAINS_MAX);
    return BL_ERR_OK;
}

/* Cores that idle lightly may not draw more than when they work: what a host
 * draws would not end at full load. */
static bl_err check_idle_power(struct bl__reader *r, const struct bl__node *n,
                               const struct bl__machine *m)
{
    const struct bl_freq *f = m->freq;
    const struct bl_pstate *slow = &f->pstate[f->pstate_count - 1];
    const uint64_t work = slow->mw[BL_POWER_POINTS - 1] - slow->mw[0];
    char got[40], most[40];

    if (f->idle_count == 0 ||
        (uint64_t)f->idle[0].extra_mw * m->core_count <= work)
        return BL_ERR_OK;
    bl_units_print(BL_DIM_POWER, f->idle[0].extra_mw, got, sizeof(got));
    bl_units_print(BL_DIM_POWER, (int64_t)work, most, sizeof(most));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                       bl__node_line(n, "idle_states"),
                       "idle_states: %s of each of %u cores, expected less "
                       "than they draw at work at the slowest P-state, %s in "
                       "all",
                       got, m->core_count, most);
}

static bl_err make_tables(struct bl__reader *r, const struct bl__node *power,
                          const struct bl__machine *m)
{
    struct bl_dvfs_model model = { .static_mw = 0 };
    bl_err e;

    if (power->kind != BL__MAP) {
        e = bl_dvfs_scale(m->freq, m->table->mw);
    } else {
        BL_TRY(bl__read_map(r,
                            r->out->level == BL_LEVEL_HOST
                                ? &bl__section_host_power_model
                                : &bl__section_power_model,
                            power, &model));
        e = bl_dvfs_apply(m->freq, m->core_count, &model);
        snprintf(m->table->name, sizeof(m->table->name), "DVFS model");
    }
    if (e != BL_ERR_OK)
        return bl_diag_set(r->diag, e, r->file, power->line,
                           "power: more than 100kW at full load, expected "
                           "less");
    memcpy(m->table->mw, m->freq->pstate[0].mw, sizeof(m->table->mw));
    if (m->table->mw[BL_POWER_POINTS - 1] > 0)
        return BL_ERR_OK;
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, power->line,
                       "power: 0 at full load, expected more");
}

bl_err bl__complete_power(struct bl__reader *r, const struct bl__node *map,
                          const struct bl__machine *m)
{
    const struct bl__node *n = bl__node_get(map, "frequency");
    struct bl_freq *f = m->freq;

    if (n == NULL) {
        f->pstate_count = f->domain_count = 1;
        f->pstate[0].khz = m->core_khz;
    } else if (f->domain_count == 0) {
        f->domain_count = m->core_count;
    }
    BL_TRY(check_frequency(r, n, m));
    BL_TRY(make_tables(r, bl__node_get(map, "power"), m));
    return check_idle_power(r, n, m);
}

/* --- the governor -------------------------------------------------------- */

static bl_err refuse_governor(const char *name, const char *file,
                              unsigned long line, struct bl_diag *diag)
{
    struct bl__nearest near = { .text = name };
    const struct bl_governor *g;
    char known[256] = "";
    size_t n = 0;

    for (uint32_t i = 0; (g = bl_governor_at(i)) != NULL; i++) {
        bl__nearest_see(&near, g->name);
        if (n < sizeof(known))
            n += (size_t)snprintf(known + n, sizeof(known) - n, " %s", g->name);
    }
    if (near.best != NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, file, line,
                           "governor: unknown '%.*s', did you mean '%s'?",
                           SHOWN, name, near.best);
    return bl_diag_set(diag, BL_ERR_PARSE, file, line,
                       "governor: unknown '%.*s', expected one of%s", SHOWN,
                       name, known);
}

bl_err bl_governor_choose(const struct bl_policy_choice *c, const char *file,
                          const struct bl_governor **out, struct bl_params *p,
                          struct bl_diag *diag)
{
    const struct bl_governor *g = bl_governor_find(c->name);
    struct bl_params values;

    if (g == NULL)
        return refuse_governor(c->name, c->line > 0 ? file : "--governor",
                               c->line, diag);
    bl_params_init(&values, g->params, g->param_count);
    for (uint32_t i = 0; i < c->param_count; i++) {
        const unsigned long line = c->param[i].line;
        const bl_err e =
            bl_params_set(&values, c->param[i].name, c->param[i].text,
                          line > 0 ? file : "--param", line, diag);

        if (e != BL_ERR_OK) /* to a scenario it is an unknown key */
            return e == BL_ERR_NOENT ? BL_ERR_PARSE : e;
    }
    *out = g;
    *p = values;
    return BL_ERR_OK;
}

bl_err bl__read_any_governor(struct bl__reader *r, const struct bl__section *s,
                             const struct bl__node *n,
                             struct bl_policy_choice *out)
{
    const struct bl_governor *g;
    struct bl_params p;

    BL_TRY(bl__read_choice(r, s, n, "performance", out));
    return bl_governor_choose(out, r->file, &g, &p, r->diag);
}

bl_err bl__read_governor(struct bl__reader *r, const struct bl__node *n,
                         void *choice)
{
    return bl__read_any_governor(r, &bl__section_governor, n, choice);
}
