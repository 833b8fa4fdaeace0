/* SPDX-License-Identifier: Apache-2.0 */
/* The report that a person reads: who the run is, what it cost, how far from
 * the least possible that is, who suffered and why, what was done. */
#include "report/report_priv.h"

#include "base/units.h"

#include <string.h>

enum { LABEL_COLUMN = 13, NAME_WIDTH = 20, WHY_WIDTH = 40 };

struct text {
    FILE *f;
    const struct bl_result *r;
    const struct bl_style *s;
};

static void title(const struct text *t, const char *name)
{
    fprintf(t->f, "\n%s%s%s\n", bl__sgr(t->s, BL_SGR_BOLD), name,
            bl__sgr(t->s, BL_SGR_OFF));
}

/* A number, its unit, what it is. */
static void line(const struct text *t, const char *number, const char *unit,
                 const char *what)
{
    fprintf(t->f, "%13s %-4s %s\n", number, unit, what);
}

static void quantity_line(const struct text *t, double x, const char *unit,
                          const char *what)
{
    char number[BL_TEXT_BYTES];

    bl__quantity(x, number, sizeof(number));
    line(t, number, unit, what);
}

static void count_line(const struct text *t, uint64_t n, const char *what)
{
    fprintf(t->f, "%13llu %s\n", (unsigned long long)n, what);
}

/* ---- who the run is ----------------------------------------------------- */

void bl__identity_line(FILE *f, const char *label, const char *value,
                       uint64_t hash, const struct bl_style *s)
{
    char name[BL_TEXT_BYTES];

    bl__name(value, 40, s->utf8, name, sizeof(name));
    fprintf(f, "  %-10s %s", label, name);

    /* the hash in a column of its own: pad by characters, not bytes */
    uint32_t chars = 0;

    for (const char *c = name; *c != '\0'; c++)
        chars += ((unsigned char)*c & 0xc0u) != 0x80u;
    fprintf(f, "%*s %s%016llx%s\n", (int)(42 - chars), "",
            bl__sgr(s, BL_SGR_DIM), (unsigned long long)hash,
            bl__sgr(s, BL_SGR_OFF));
}

void bl__wrapped(FILE *f, const char *words, uint32_t column)
{
    while (*words != '\0') {
        const size_t n = strcspn(words, " ");

        if (column + 1 + n > BL_REPORT_COLUMNS) {
            fprintf(f, "\n%*s", LABEL_COLUMN - 1, "");
            column = LABEL_COLUMN - 1;
        }
        fprintf(f, " %.*s", (int)n, words);
        column += 1 + (uint32_t)n;
        words += n + strspn(words + n, " ");
    }
    fputc('\n', f);
}

void bl_report_identity(FILE *f, const struct bl_identity *id,
                        const struct bl_style *style)
{
    char trace[2 * BL_NAME_BYTES + 4], words[2 * BL_TEXT_BYTES + 256];

    if (strcmp(id->trace, id->trace_format) == 0)
        snprintf(trace, sizeof(trace), "%s", id->trace);
    else
        snprintf(trace, sizeof(trace), "%s (%s)", id->trace, id->trace_format);
    fprintf(f, "%sballast %s%s\n", bl__sgr(style, BL_SGR_BOLD), id->version,
            bl__sgr(style, BL_SGR_OFF));
    bl__identity_line(f, "scenario", id->scenario, id->scenario_hash, style);
    bl__identity_line(f, "trace", trace, id->trace_hash, style);
    fprintf(f, "  %-10s", "policy");
    snprintf(words, sizeof(words), "%s %s", id->policy, id->policy_params);
    bl__wrapped(f, words, LABEL_COLUMN - 1);
    fprintf(f, "  %-10s %s, demand %s\n", "physics", id->physics,
            id->demand_oracle ? "oracle" : "observed");
    fprintf(f, "  %-10s %llu\n", "seed", (unsigned long long)id->seed);
}

static void replayed(const struct text *t)
{
    const struct bl_result *r = t->r;
    char length[BL_TEXT_BYTES], step[BL_TEXT_BYTES];

    bl__duration(r->simulated_ns, length, sizeof(length));
    bl__duration(r->interval_ns, step, sizeof(step));
    fprintf(t->f, "  %-10s %s in %u steps of %s: %u VMs on %u hosts\n",
            "replayed", length, r->steps, step, r->vms, r->hosts);
    if (r->warmup_ns > 0) {
        bl__duration(r->warmup_ns, step, sizeof(step));
        fprintf(t->f, "%*safter %s of warm-up, which is not counted\n",
                LABEL_COLUMN, "", step);
    }
    if (r->partial)
        fprintf(t->f,
                "\n%sPARTIAL: the run was interrupted; every figure "
                "covers the first %s only.%s\n",
                bl__sgr(t->s, BL_SGR_YELLOW), length,
                bl__sgr(t->s, BL_SGR_OFF));
    if (r->policy_replaced)
        fprintf(t->f,
                "\n%sThe policy misbehaved too often and was replaced "
                "by 'static' during the run.%s\n",
                bl__sgr(t->s, BL_SGR_YELLOW), bl__sgr(t->s, BL_SGR_OFF));
}

/* ---- energy ------------------------------------------------------------- */

static void floors(const struct text *t)
{
    const struct bl_result *r = t->r;
    char what[2 * BL_TEXT_BYTES];

    quantity_line(t, r->floor_kwh, "kWh",
                  "energy floor: the least that could serve all of it");
    if (r->floor_kwh > 0)
        quantity_line(t, r->energy_kwh / r->floor_kwh, "x",
                      "energy over its floor");
    if (r->unserved_ppm <= 0 || r->floor_served_kwh <= 0)
        return;
    snprintf(what, sizeof(what),
             "floor of what was served (%.2f x): some was not",
             r->energy_kwh / r->floor_served_kwh);
    quantity_line(t, r->floor_served_kwh, "kWh", what);
}

/* How long its hosts ran at which speed. */
static void pstates(const struct text *t, const struct bl_group_result *g)
{
    char words[BL_PSTATES_MAX * 24 + 64];
    size_t used = 0;

    used += (size_t)snprintf(words, sizeof(words),
                             "at %.0f MHz on average:", g->mean_mhz);
    for (uint32_t p = 0; p < g->pstate_count; p++)
        used += (size_t)snprintf(words + used, sizeof(words) - used,
                                 "%s %llu MHz %.1f %%", p > 0 ? "," : "",
                                 (unsigned long long)g->pstate_khz[p] / 1000,
                                 g->pstate_share[p] * 100);
    fprintf(t->f, "%*s", LABEL_COLUMN - 1, "");
    bl__wrapped(t->f, words, LABEL_COLUMN - 1);
}

/* What was promised, and what was the worst of it. */
static void caps(const struct text *t)
{
    const struct bl_result *r = t->r;
    char name[BL_TEXT_BYTES], number[BL_TEXT_BYTES];

    if (r->cap_count == 0)
        return;
    title(t, "Power caps");
    fprintf(t->f, "  %-*s %7s %7s %14s %14s\n", NAME_WIDTH, "W of a rack",
            "racks", "hosts", "budget", "worst second");
    for (uint32_t i = 0; i < r->cap_count; i++) {
        const struct bl_cap_result *c = &r->cap[i];

        bl__name(c->name, NAME_WIDTH, false, name, sizeof(name));
        fprintf(t->f, "  %-*s %7u %7u %14.1f %14.1f\n", NAME_WIDTH, name,
                c->racks, c->hosts, c->budget_w, c->worst_w);
    }
    bl__duration((int64_t)(r->capped_s * 1e9), number, sizeof(number));
    fprintf(t->f, "  %s of hosts' time were held back by them\n", number);
}

static void energy(const struct text *t)
{
    const struct bl_result *r = t->r;
    char what[2 * BL_TEXT_BYTES], name[BL_TEXT_BYTES];

    title(t, "Energy");
    snprintf(what, sizeof(what), "used");
    if (r->simulated_ns > 0)
        snprintf(what, sizeof(what), "used, %.0f W on average",
                 r->energy_kwh * 3.6e6 / ((double)r->simulated_ns / 1e9));
    quantity_line(t, r->energy_kwh, "kWh", what);
    for (uint32_t g = 0; g < r->group_count; g++) {
        bl__name(r->group[g].name, 2 * NAME_WIDTH, t->s->utf8, name,
                 sizeof(name));
        snprintf(what, sizeof(what), "  by %u hosts of %s", r->group[g].hosts,
                 name);
        quantity_line(t, r->group[g].energy_kwh, "kWh", what);
        if (r->group[g].pstate_count > 1)
            pstates(t, &r->group[g]);
    }
    quantity_line(t, r->transition_kwh, "kWh",
                  "  in it: switching hosts on and off");
    quantity_line(t, r->migration_kwh, "kWh", "  in it: live migration");
    floors(t);
    if (r->price_per_kwh > 0) {
        snprintf(what, sizeof(what), "at %g %s per kWh", r->price_per_kwh,
                 r->currency);
        quantity_line(t, r->energy_kwh * r->price_per_kwh, r->currency, what);
    }
    if (r->co2_g_per_kwh > 0) {
        snprintf(what, sizeof(what), "of CO2 at %g g per kWh",
                 r->co2_g_per_kwh);
        quantity_line(t, r->energy_kwh * r->co2_g_per_kwh / 1000, "kg", what);
    }
}

/* ---- service ------------------------------------------------------------ */

static void percent_line(const struct text *t, double fraction, int digits,
                         const char *what)
{
    char number[BL_TEXT_BYTES];

    snprintf(number, sizeof(number), "%.*f", digits, fraction * 100);
    line(t, number, "%", what);
}

static double share(uint64_t part, uint64_t all)
{
    return all > 0 ? (double)part / (double)all : 0;
}

static void classes(const struct text *t)
{
    const struct bl_result *r = t->r;
    const int wide = r->has_speeds ? 10 : 12;
    const int name_width = r->has_speeds ? NAME_WIDTH - 5 : NAME_WIDTH;

    fprintf(t->f, "\n  %-*s %7s %*s %*s %*s", name_width,
            r->has_speeds ? "ppm of demand" : "ppm of its demand", "VMs", wide,
            r->has_speeds ? "unserved=" : "not served =", wide,
            r->has_speeds ? "host full+" : "host full +", wide,
            r->has_speeds ? "migrating+" : "migration +");
    if (r->has_speeds)
        fprintf(t->f, " %*s %*s\n", wide, "no host+", wide, "slow host");
    else
        fprintf(t->f, " %10s\n", "no host");
    for (uint32_t i = 0; i < r->class_count; i++) {
        const struct bl_class_result *c = &r->class_[i];
        char name[BL_TEXT_BYTES];
        double ppm[BL_CAUSE_COUNT], all = 0;

        for (uint32_t k = 0; k < BL_CAUSE_COUNT; k++) {
            ppm[k] = share(c->unserved_mcycles[k], c->demand_mcycles) * 1e6;
            all += ppm[k];
        }
        bl__name(c->name, (uint32_t)name_width, false, name, sizeof(name));
        fprintf(t->f, "  %-*s %7u %*.1f %*.1f %*.1f %10.1f", name_width, name,
                c->vms, wide, all, wide, ppm[BL_CAUSE_CONTENTION], wide,
                ppm[BL_CAUSE_MIGRATION], ppm[BL_CAUSE_WAITING]);
        if (r->has_speeds)
            fprintf(t->f, " %*.1f", wide, ppm[BL_CAUSE_FREQUENCY]);
        fputc('\n', t->f);
    }
}

static void service(const struct text *t)
{
    const struct bl_result *r = t->r;
    char number[BL_TEXT_BYTES];

    title(t, "Service");
    snprintf(number, sizeof(number), "%.1f", r->unserved_ppm);
    line(t, number, "ppm", "of the demand was not served");
    if (r->mem_unserved_ppm > 0) {
        snprintf(number, sizeof(number), "%.1f", r->mem_unserved_ppm);
        line(t, number, "ppm", "of the memory demand was not backed");
    }
    percent_line(t, r->slatah, 2,
                 "SLATAH: active host time that served less than asked for");
    percent_line(t, r->slatah_corrected, 2,
                 "  corrected: without the artefacts of live migration");
    percent_line(t, r->pdm, 2, "PDM: demand lost to live migration");
    percent_line(t, r->slav, 5, "SLAV = SLATAH x PDM");
    snprintf(number, sizeof(number), "%.6f", r->esv);
    line(t, number, "", "ESV = energy x SLAV");
    if (r->demand_mcycles > 0 && r->over_limit_mcycles > 0) {
        snprintf(number, sizeof(number), "%.1f",
                 r->over_limit_mcycles / r->demand_mcycles * 1e6);
        line(t, number, "ppm", "was asked for beyond a limit (no violation)");
    }
    if (r->vms_waited > 0)
        count_line(t, r->vms_waited, "VMs found no host when they arrived");
    if (r->vms_refused > 0)
        count_line(t, r->vms_refused, "VMs found no room and were refused");
    classes(t);
}

/* With as much of where and when as the line has room for. */
static void worst_reason(const struct text *t, const struct bl_vm_result *vm,
                         char *buf, size_t size)
{
    enum bl_cause cause;
    const char *words = bl__worst_reason(vm, &cause);
    char host[2 * BL_TEXT_BYTES], name[BL_TEXT_BYTES], at[BL_TEXT_BYTES];
    char where[3 * BL_TEXT_BYTES], longer[5 * BL_TEXT_BYTES];

    snprintf(buf, size, "%s", words);
    if ((cause != BL_CAUSE_CONTENTION && cause != BL_CAUSE_FREQUENCY) ||
        vm->worst_host == BL_NONE)
        return;
    bl__host_name(t->r, vm->worst_host, host, sizeof(host));
    bl__name(host, NAME_WIDTH, false, name, sizeof(name));
    bl__clock(vm->worst_at_ns, at, sizeof(at));
    snprintf(where, sizeof(where), "%s: %s at %u %%", words, name,
             vm->worst_host_load_ppm / 10000);
    snprintf(longer, sizeof(longer), "%s, %s", where, at);
    if (strlen(longer) <= WHY_WIDTH)
        snprintf(buf, size, "%s", longer);
    else if (strlen(where) <= WHY_WIDTH)
        snprintf(buf, size, "%s", where);
}

static void worst(const struct text *t)
{
    const struct bl_result *r = t->r;
    char name[BL_TEXT_BYTES], reason[4 * BL_TEXT_BYTES];

    title(t, "Worst-served VMs");
    if (r->worst_count == 0) {
        fprintf(t->f, "  none: every VM got all it was entitled to\n");
        return;
    }
    fprintf(t->f, "  %-*s %8s %6s  %s\n", NAME_WIDTH, "most work lost",
            "Gcycles", "%", "mostly because");
    for (uint32_t i = 0; i < r->worst_count; i++) {
        const struct bl_vm_result *vm = &r->worst[i];

        bl__name(vm->name, NAME_WIDTH, false, name, sizeof(name));
        worst_reason(t, vm, reason, sizeof(reason));
        fprintf(t->f, "  %-*s %8.1f %6.2f  %s\n", NAME_WIDTH, name,
                (double)bl_vm_unserved(vm) / 1000,
                share(bl_vm_unserved(vm), vm->demand_mcycles) * 100, reason);
    }
}

/* ---- what was done ------------------------------------------------------ */

static void fleet(const struct text *t)
{
    const struct bl_result *r = t->r;
    char what[2 * BL_TEXT_BYTES], number[BL_TEXT_BYTES];
    uint32_t most_on = 0;

    for (uint32_t i = 0; i < r->steps; i++)
        if (r->step[i].hosts_on > most_on)
            most_on = r->step[i].hosts_on;
    title(t, "Hosts and migrations");
    snprintf(number, sizeof(number), "%.1f", bl_result_hosts_on_mean(r));
    snprintf(what, sizeof(what), "hosts on, on average; at most %u of %u",
             most_on, r->hosts);
    fprintf(t->f, "%13s %s\n", number, what);
    count_line(t, r->host_on_count, "times a host was switched on");
    count_line(t, r->host_off_count, "times a host was switched off");
    snprintf(what, sizeof(what), "migrations");
    if (r->downtime_ns > 0) {
        bl__duration(r->downtime_ns, number, sizeof(number));
        snprintf(what, sizeof(what), "migrations, %s of downtime in all",
                 number);
    }
    count_line(t, r->migrations, what);
}

/* What was done by kind in one line, then why. */
static void decisions(const struct text *t)
{
    const struct bl_result *r = t->r;
    char words[512] = "";

    title(t, r->warmup_ns > 0 ? "Actions, and why (warm-up included)"
                              : "Actions, and why");
    for (uint32_t i = 0; i < BL_ACTION_COUNT; i++) {
        const size_t used = strlen(words);

        if (r->actions[i] > 0)
            snprintf(words + used, sizeof(words) - used, "%s%llu %s",
                     used > 0 ? ", " : "", (unsigned long long)r->actions[i],
                     bl_action_name((enum bl_action_kind)i));
    }
    fprintf(t->f, " ");
    bl__wrapped(t->f, words[0] != '\0' ? words : "none", 1);
    for (uint32_t i = 0; i < BL_REASON_COUNT; i++)
        if (r->reasons[i] > 0)
            count_line(t, r->reasons[i], bl_reason_text((enum bl_reason)i));
    for (uint32_t i = 0; i < BL_VERDICT_COUNT; i++) {
        char what[2 * BL_TEXT_BYTES];

        if (bl_verdict_accepted((enum bl_verdict)i) || r->refusals[i] == 0)
            continue;
        snprintf(what, sizeof(what), "refused: %s",
                 bl_verdict_text((enum bl_verdict)i));
        count_line(t, r->refusals[i], what);
    }
}

static void cost_of_run(const struct text *t)
{
    const struct bl_result *r = t->r;

    if (r->wall_s <= 0 && r->peak_kib == 0)
        return;
    fprintf(t->f,
            "\n%sThis run took %.2f s (%.2f s of user time) and %.1f MiB with "
            "%u thread%s.%s",
            bl__sgr(t->s, BL_SGR_DIM), r->wall_s, r->user_s,
            (double)r->peak_kib / 1024, r->id.thread_count,
            r->id.thread_count == 1 ? "" : "s", bl__sgr(t->s, BL_SGR_OFF));
}

void bl_report_text(FILE *f, const struct bl_result *r,
                    const struct bl_baselines *base,
                    const struct bl_style *style)
{
    const struct text t = { f, r, style };

    bl_report_identity(f, &r->id, style);
    replayed(&t);
    energy(&t);
    caps(&t);
    service(&t);
    worst(&t);
    fleet(&t);
    decisions(&t);
    bl__chart(f, r, style);
    bl__beside(f, r, base, style);
    cost_of_run(&t);
    fprintf(f, "\n%sstate hash%s  %016llx\n", bl__sgr(style, BL_SGR_BOLD),
            bl__sgr(style, BL_SGR_OFF), (unsigned long long)r->state_hash);
}
