/* SPDX-License-Identifier: Apache-2.0 */
/* A result as JSON: one member of the document at a time, one row at a time,
 * so that a long series never exists as a whole in memory. */
#include "report/json_priv.h"
#include "report/report_priv.h"

#include <string.h>

enum { SERIES_DIGITS = 12, EXACT_DIGITS = 17 };

/* ---- values ------------------------------------------------------------- */

json_t *bl__json_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *bl__json_count(uint64_t n)
{
    BL_ASSERT(n <= INT64_MAX);
    return json_integer((json_int_t)n);
}

json_t *bl__json_hash(uint64_t h)
{
    char text[2 * sizeof(h) + 1];

    snprintf(text, sizeof(text), "%016llx", (unsigned long long)h);
    return json_string(text);
}

/* JSON is UTF-8; the name of a file need not be. */
json_t *bl__json_text(const char *s)
{
    char clean[BL_JSON_TEXT_BYTES];
    size_t n = 0;

    while (*s != '\0' && n + 4 < sizeof(clean)) {
        const uint32_t length = bl__utf8_length(s);

        if (length > 0)
            memcpy(clean + n, s, length);
        else
            clean[n] = '?';
        n += length > 0 ? length : 1;
        s += length > 0 ? length : 1;
    }
    clean[n] = '\0';
    return json_string(clean);
}

/* ---- the document ------------------------------------------------------- */

void bl__json_begin(struct bl_json *j, FILE *f, const char *format)
{
    *j = (struct bl_json){ .f = f };
    fprintf(f, "{\n  \"format\": \"%s\"", format);
}

bl_err bl__json_end(struct bl_json *j)
{
    fputs("\n}\n", j->f);
    return j->failed ? BL_ERR_NOMEM : BL_ERR_OK;
}

void bl__json_set(struct bl_json *j, json_t *object, const char *key,
                  json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        j->failed = true;
}

static void dump(struct bl_json *j, const json_t *value, size_t digits)
{
    const size_t flags =
        JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits);

    /* a failed write stays in the FILE; any other failure is memory */
    if (value == NULL || (json_dumpf(value, j->f, flags) != 0 && !ferror(j->f)))
        j->failed = true;
}

void bl__json_member(struct bl_json *j, const char *key, json_t *value)
{
    const char *name;
    json_t *item;
    const char *comma = "";

    fprintf(j->f, ",\n  \"%s\": ", key);
    if (!json_is_object(value)) {
        dump(j, value, EXACT_DIGITS);
        json_decref(value);
        return;
    }
    fputc('{', j->f);
    json_object_foreach(value, name, item)
    {
        fprintf(j->f, "%s\n    \"%s\": ", comma, name);
        dump(j, item, EXACT_DIGITS);
        comma = ",";
    }
    fputs("\n  }", j->f);
    json_decref(value);
}

void bl__json_open_rows(struct bl_json *j, const char *key)
{
    fprintf(j->f, ",\n  \"%s\": [", key);
    j->rows = 0;
}

static void row(struct bl_json *j, json_t *value, size_t digits)
{
    fputs(j->rows++ > 0 ? ",\n    " : "\n    ", j->f);
    dump(j, value, digits);
    json_decref(value);
}

void bl__json_row(struct bl_json *j, json_t *value)
{
    row(j, value, EXACT_DIGITS);
}

void bl__json_close_rows(struct bl_json *j)
{
    fputs(j->rows > 0 ? "\n  ]" : "]", j->f);
}

/* ---- the parts of a run ------------------------------------------------- */

json_t *bl__json_identity(struct bl_json *j, const struct bl_identity *id)
{
    json_t *o = json_object();

    bl__json_set(j, o, "version", bl__json_text(id->version));
    bl__json_set(j, o, "scenario", bl__json_text(id->scenario));
    bl__json_set(j, o, "scenario_hash", bl__json_hash(id->scenario_hash));
    bl__json_set(j, o, "trace", bl__json_text(id->trace));
    bl__json_set(j, o, "trace_format", bl__json_text(id->trace_format));
    bl__json_set(j, o, "trace_hash", bl__json_hash(id->trace_hash));
    bl__json_set(j, o, "policy", bl__json_text(id->policy));
    bl__json_set(j, o, "policy_params", bl__json_text(id->policy_params));
    bl__json_set(j, o, "physics", bl__json_text(id->physics));
    bl__json_set(j, o, "demand",
                 json_string(id->demand_oracle ? "oracle" : "observed"));
    bl__json_set(j, o, "seed", bl__json_count(id->seed));
    return o;
}

json_t *bl__json_summary(struct bl_json *j, const struct bl_result *r)
{
    double value[BL_FIGURE_COUNT];
    json_t *o = json_object();

    bl_figures(r, value);
    bl__json_set(j, o, "partial", json_boolean(r->partial));
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++) {
        const struct bl_figure_def *d = bl_figure_def(i);

        bl__json_set(j, o, d->key,
                     d->whole ? bl__json_count((uint64_t)value[i])
                              : bl__json_real(value[i]));
    }
    bl__json_set(j, o, "currency",
                 r->price_per_kwh > 0 ? bl__json_text(r->currency)
                                      : json_null());
    bl__json_set(j, o, "policy_replaced", json_boolean(r->policy_replaced));
    bl__json_set(j, o, "state_hash", bl__json_hash(r->state_hash));
    return o;
}

static void put_unserved(struct bl_json *j, const struct bl_result *r,
                         json_t *o, const uint64_t *unserved)
{
    static const char *const key[] = { "unserved_contention_mcycles",
                                       "unserved_migration_mcycles",
                                       "unserved_waiting_mcycles",
                                       "unserved_frequency_mcycles" };

    _Static_assert(sizeof(key) / sizeof(key[0]) == BL_CAUSE_COUNT,
                   "a key for each cause");
    for (uint32_t c = 0; c < BL_CAUSE_COUNT; c++)
        if (r->has_speeds || c != BL_CAUSE_FREQUENCY)
            bl__json_set(j, o, key[c], bl__json_count(unserved[c]));
}

/* Its P-states: an array of [kHz of a core, share of the time on]. */
static void put_pstates(struct bl_json *j, json_t *o,
                        const struct bl_group_result *g)
{
    json_t *list = json_array();

    for (uint32_t p = 0; p < g->pstate_count; p++)
        if (json_array_append_new(
                list, json_pack("[o,o]", bl__json_count(g->pstate_khz[p]),
                                bl__json_real(g->pstate_share[p]))) != 0)
            j->failed = true;
    bl__json_set(j, o, "mean_core_mhz", bl__json_real(g->mean_mhz));
    bl__json_set(j, o, "pstates", list);
}

static void put_caps(struct bl_json *j, const struct bl_result *r)
{
    if (r->cap_count == 0)
        return;
    bl__json_member(j, "capped_s", bl__json_real(r->capped_s));
    bl__json_open_rows(j, "power_caps");
    for (uint32_t i = 0; i < r->cap_count; i++) {
        const struct bl_cap_result *c = &r->cap[i];
        json_t *o = json_object();

        bl__json_set(j, o, "name", bl__json_text(c->name));
        bl__json_set(j, o, "racks", bl__json_count(c->racks));
        bl__json_set(j, o, "hosts", bl__json_count(c->hosts));
        bl__json_set(j, o, "budget_w", bl__json_real(c->budget_w));
        bl__json_set(j, o, "worst_w", bl__json_real(c->worst_w));
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_groups(struct bl_json *j, const struct bl_result *r)
{
    bl__json_open_rows(j, "groups");
    for (uint32_t i = 0; i < r->group_count; i++) {
        const struct bl_group_result *g = &r->group[i];
        json_t *o = json_object();

        bl__json_set(j, o, "name", bl__json_text(g->name));
        bl__json_set(j, o, "hosts", bl__json_count(g->hosts));
        bl__json_set(j, o, "energy_kwh", bl__json_real(g->energy_kwh));
        if (g->pstate_count > 1)
            put_pstates(j, o, g);
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_classes(struct bl_json *j, const struct bl_result *r)
{
    bl__json_open_rows(j, "classes");
    for (uint32_t i = 0; i < r->class_count; i++) {
        const struct bl_class_result *c = &r->class_[i];
        json_t *o = json_object();

        bl__json_set(j, o, "name", bl__json_text(c->name));
        bl__json_set(j, o, "vms", bl__json_count(c->vms));
        bl__json_set(j, o, "demand_mcycles", bl__json_count(c->demand_mcycles));
        bl__json_set(j, o, "over_limit_mcycles",
                     bl__json_count(c->over_limit_mcycles));
        put_unserved(j, r, o, c->unserved_mcycles);
        bl__json_set(j, o, "mem_unserved_mib_s",
                     bl__json_count(c->mem_unserved_mib_s));
        if (r->has_speeds)
            bl__json_set(j, o, "reserved_unserved_mcycles",
                         bl__json_count(c->reserved_unserved_mcycles));
        bl__json_set(j, o, "migrations", bl__json_count(c->migrations));
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static json_t *worst_vm(struct bl_json *j, const struct bl_result *r,
                        const struct bl_vm_result *vm)
{
    json_t *o = json_object();
    enum bl_cause cause;

    bl__json_set(j, o, "vm", bl__json_text(vm->name));
    bl__json_set(j, o, "class", bl__json_text(r->class_[vm->group].name));
    bl__json_set(j, o, "reason", json_string(bl__worst_reason(vm, &cause)));
    bl__json_set(j, o, "alive_s", bl__json_real((double)vm->alive_ns / 1e9));
    bl__json_set(j, o, "demand_mcycles", bl__json_count(vm->demand_mcycles));
    bl__json_set(j, o, "over_limit_mcycles",
                 bl__json_count(vm->over_limit_mcycles));
    put_unserved(j, r, o, vm->unserved_mcycles);
    bl__json_set(j, o, "mem_unserved_mib_s",
                 bl__json_count(vm->mem_unserved_mib_s));
    bl__json_set(j, o, "migrations", bl__json_count(vm->migrations));
    bl__json_set(j, o, "downtime_s",
                 bl__json_real((double)vm->downtime_ns / 1e9));
    if (vm->worst_host == BL_NONE)
        return o;
    bl__json_set(j, o, "worst_host", bl__json_count(vm->worst_host));
    bl__json_set(j, o, "worst_at_s",
                 bl__json_real((double)vm->worst_at_ns / 1e9));
    bl__json_set(j, o, "worst_host_load_ppm",
                 bl__json_count(vm->worst_host_load_ppm));
    return o;
}

static void put_worst(struct bl_json *j, const struct bl_result *r)
{
    bl__json_open_rows(j, "worst");
    for (uint32_t i = 0; i < r->worst_count; i++)
        bl__json_row(j, worst_vm(j, r, &r->worst[i]));
    bl__json_close_rows(j);
}

/* Actions by kind, by reason and refused, keyed by what they are called. */
static void put_actions(struct bl_json *j, const struct bl_result *r)
{
    json_t *actions = json_object(), *reasons = json_object(),
           *refusals = json_object();

    for (uint32_t i = 0; i < BL_ACTION_COUNT; i++)
        bl__json_set(j, actions, bl_action_name((enum bl_action_kind)i),
                     bl__json_count(r->actions[i]));
    for (uint32_t i = 0; i < BL_REASON_COUNT; i++)
        bl__json_set(j, reasons, bl_reason_text((enum bl_reason)i),
                     bl__json_count(r->reasons[i]));
    for (uint32_t i = 0; i < BL_VERDICT_COUNT; i++)
        if (!bl_verdict_accepted((enum bl_verdict)i))
            bl__json_set(j, refusals, bl_verdict_text((enum bl_verdict)i),
                         bl__json_count(r->refusals[i]));
    bl__json_member(j, "actions", actions);
    bl__json_member(j, "reasons", reasons);
    bl__json_member(j, "refusals", refusals);
}

static void put_series(struct bl_json *j, const struct bl_result *r)
{
    fprintf(j->f,
            ",\n  \"series_columns\": [\"at_s\", \"vms\", \"hosts_on\", "
            "\"hosts_active\", \"demand_mhz\",\n    \"served_mhz\", "
            "\"power_w\", \"floor_w\", \"migrations\"]");
    bl__json_open_rows(j, "series");
    for (uint32_t i = 0; i < r->steps; i++) {
        const struct bl_step_result *s = &r->step[i];

        row(j,
            json_pack("[f,I,I,I,o,o,o,o,I]", (double)s->at_ns / 1e9,
                      (json_int_t)s->vms, (json_int_t)s->hosts_on,
                      (json_int_t)s->hosts_active, bl__json_real(s->demand_mhz),
                      bl__json_real(s->served_mhz), bl__json_real(s->power_w),
                      bl__json_real(s->floor_w), (json_int_t)s->migrations),
            SERIES_DIGITS);
    }
    bl__json_close_rows(j);
}

static void put_cost(struct bl_json *j, const struct bl_result *r)
{
    json_t *o = json_object();

    bl__json_set(j, o, "threads", bl__json_count(r->id.thread_count));
    bl__json_set(j, o, "wall_s", bl__json_real(r->wall_s));
    bl__json_set(j, o, "user_s", bl__json_real(r->user_s));
    bl__json_set(j, o, "peak_kib", bl__json_count(r->peak_kib));
    bl__json_member(j, "cost", o);
}

/* One as it always was; several as a list. */
static void put_baselines(struct bl_json *j, const struct bl_baselines *base)
{
    if (base == NULL || base->count == 0)
        return;
    if (base->count == 1) {
        bl__json_member(j, "baseline_identity",
                        bl__json_identity(j, &base->r[0]->id));
        bl__json_member(j, "baseline", bl__json_summary(j, base->r[0]));
        return;
    }
    bl__json_open_rows(j, "baselines");
    for (uint32_t i = 0; i < base->count; i++) {
        json_t *o = json_object();

        bl__json_set(j, o, "identity", bl__json_identity(j, &base->r[i]->id));
        bl__json_set(j, o, "summary", bl__json_summary(j, base->r[i]));
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

bl_err bl_report_json(FILE *f, const struct bl_result *r,
                      const struct bl_baselines *base)
{
    struct bl_json j;

    bl__json_begin(&j, f, BL_JSON_RUN);
    bl__json_member(&j, "identity", bl__json_identity(&j, &r->id));
    bl__json_member(&j, "summary", bl__json_summary(&j, r));
    put_baselines(&j, base);
    put_groups(&j, r);
    put_caps(&j, r);
    put_classes(&j, r);
    put_worst(&j, r);
    put_actions(&j, r);
    put_series(&j, r);
    put_cost(&j, r);
    return bl__json_end(&j);
}
