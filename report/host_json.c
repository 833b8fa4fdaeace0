/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a host's run as JSON, one row at a time. */
#include "report/host_power_priv.h"

static json_t *signed_ns(int64_t ns)
{
    return json_integer((json_int_t)ns);
}

static void put(struct bl_json *j, json_t *o, const char *key, uint64_t n)
{
    bl__json_set(j, o, key, bl__json_count(n));
}

static void put_ns(struct bl_json *j, json_t *o, const char *key, int64_t ns)
{
    bl__json_set(j, o, key, signed_ns(ns));
}

static void put_ratio(struct bl_json *j, json_t *o, const char *key,
                      int64_t part, double all)
{
    bl__json_set(j, o, key,
                 all > 0 ? json_real((double)part / all) : json_null());
}

/* ---- parts of a row ----------------------------------------------------- */

static void put_states(struct bl_json *j, json_t *o, const int64_t *state_ns)
{
    static const char *const key[BL_VCPU_STATE_COUNT] = {
        [BL_VCPU_RUN] = "run_ns",         [BL_VCPU_READY] = "ready_ns",
        [BL_VCPU_LIMITED] = "limited_ns", [BL_VCPU_COSTOP] = "costop_ns",
        [BL_VCPU_BLOCKED] = "blocked_ns",
    };

    for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
        put_ns(j, o, key[k], state_ns[k]);
}

static json_t *latency(struct bl_json *j, const struct bl_latency *l)
{
    json_t *o = json_object();

    put(j, o, "count", l->count);
    put_ns(j, o, "sum_ns", l->sum_ns);
    put_ns(j, o, "p50_ns", bl_latency_quantile(l, 500000));
    put_ns(j, o, "p90_ns", bl_latency_quantile(l, 900000));
    put_ns(j, o, "p99_ns", bl_latency_quantile(l, 990000));
    put_ns(j, o, "p999_ns", bl_latency_quantile(l, 999000));
    put_ns(j, o, "max_ns", l->max_ns);
    return o;
}

static void put_errors(struct bl_json *j, json_t *o,
                       const struct bl_host_error *error)
{
    static const char *const key[BL_WINDOWS] = {
        [BL_WINDOW_10MS] = "error_10ms",
        [BL_WINDOW_100MS] = "error_100ms",
        [BL_WINDOW_1S] = "error_1s",
    };

    for (uint32_t w = 0; w < BL_WINDOWS; w++) {
        const struct bl_host_error *e = &error[w];
        json_t *row = json_object();

        put(j, row, "windows", e->window_count);
        put_ns(j, row, "most_ahead_ns", e->max_ns);
        put_ns(j, row, "most_behind_ns", e->min_ns);
        put_ns(j, row, "abs_sum_ns", e->abs_sum_ns);
        bl__json_set(j, o, key[w], row);
    }
}

/* What a VM and the total of several have in common. */
static void put_figures(struct bl_json *j, json_t *o,
                        const struct bl_host_vm_row *vm)
{
    put(j, o, "vcpus", vm->vcpu_count);
    put_ns(j, o, "entitled_ns", vm->entitled_ns);
    put_ns(j, o, "received_ns", vm->received_ns);
    put_ratio(j, o, "received_ratio", vm->received_ns, (double)vm->entitled_ns);
    put_states(j, o, vm->state_ns);
    put_errors(j, o, vm->error);
    put(j, o, "units", vm->units);
    put(j, o, "late", vm->late_count);
    put_ns(j, o, "work_ns", vm->work_ns);
    put_ns(j, o, "spin_ns", vm->spin_ns);
    bl__json_set(j, o, "wake", latency(j, &vm->wake));
    bl__json_set(j, o, "unit", latency(j, &vm->done));
    bl__json_set(j, o, "skew", latency(j, &vm->skew));
}

/* ---- the document ------------------------------------------------------- */

static void put_identity(struct bl_json *j, const struct bl_host_result *r)
{
    json_t *o = json_object();

    bl__json_set(j, o, "version", bl__json_text(r->version));
    bl__json_set(j, o, "scenario", bl__json_text(r->scenario));
    bl__json_set(j, o, "scenario_hash", bl__json_hash(r->scenario_hash));
    bl__json_set(j, o, "topology", bl__json_text(r->topo));
    bl__json_set(j, o, "policy", bl__json_text(r->policy));
    bl__json_set(j, o, "policy_params", bl__json_text(r->policy_params));
    bl__json_set(j, o, "mode", bl__json_text(r->mode));
    bl__json_set(j, o, "mode_params", bl__json_text(r->mode_params));
    put(j, o, "seed", r->seed);
    bl__json_member(j, "identity", o);
}

static void put_totals(struct bl_json *j, json_t *o,
                       const struct bl_sched_totals *k)
{
    put(j, o, "picks", k->pick_count);
    put(j, o, "switches", k->switch_count);
    put(j, o, "preemptions", k->preempt_count);
    put(j, o, "wakes", k->wake_count);
    put(j, o, "blocks", k->block_count);
    put(j, o, "steals_idle", k->steal_idle_count);
    put(j, o, "steals_fair", k->steal_fair_count);
    put(j, o, "moves_core", k->move_count[BL_REACH_CORE]);
    put(j, o, "moves_llc", k->move_count[BL_REACH_LLC]);
    put(j, o, "moves_node", k->move_count[BL_REACH_NODE]);
    put(j, o, "moves_host", k->move_count[BL_REACH_HOST]);
    put(j, o, "costops", k->costop_count);
    put(j, o, "throttles", k->throttle_count);
    put(j, o, "urgent", k->urgent_count);
    put(j, o, "forgiven", k->forgiven_count);
    put_ns(j, o, "forgiven_ns", k->forgiven_ns);
    put_ns(j, o, "idle_while_ready_ns", k->idle_while_ready_ns);
    put_ns(j, o, "idle_while_costop_ns", k->idle_while_costop_ns);
    put_ns(j, o, "idle_while_limited_ns", k->idle_while_limited_ns);
    put_ns(j, o, "lost_to_core_ns", k->lost_to_core_ns);
}

static void put_summary(struct bl_json *j, const struct bl_host_result *r)
{
    const double all = (double)r->duration_ns * r->pcpu_count;
    struct bl_host_vm_row total;
    json_t *o = json_object();

    bl_host_total(r, 0, r->vm_count, &total);
    bl__json_set(j, o, "partial", json_boolean(r->partial));
    put_ns(j, o, "duration_ns", r->duration_ns);
    put_ns(j, o, "warmup_ns", r->warmup_ns);
    put(j, o, "events", r->event_count);
    put(j, o, "pcpus", r->pcpu_count);
    put(j, o, "cores", r->core_count);
    put(j, o, "llcs", r->llc_count);
    put(j, o, "nodes", r->node_count);
    put(j, o, "vms", r->vm_count);
    put(j, o, "admitted_ppm", r->admitted_ppm);
    put(j, o, "admission_overhead_ppm", r->admission_overhead_ppm);
    put_ratio(j, o, "used_ratio", bl_host_busy_ns(r), all);
    put_ratio(j, o, "overhead_ratio", bl_host_overhead_ns(r), all);
    put_totals(j, o, &r->totals);
    put_figures(j, o, &total);
    bl__json_set(j, o, "state_hash", bl__json_hash(r->state_hash));
    bl__json_member(j, "summary", o);
}

static void put_groups(struct bl_json *j, const struct bl_host_result *r)
{
    struct bl_host_vm_row total;

    bl__json_open_rows(j, "groups");
    for (uint32_t i = 0; i < r->group_count; i++) {
        const struct bl_host_group_row *g = &r->group[i];
        json_t *o = json_object();

        bl_host_total(r, g->vm_first, g->vm_count, &total);
        bl__json_set(j, o, "name", bl__json_text(g->name));
        bl__json_set(j, o, "workload",
                     g->workload != NULL ? bl__json_text(g->workload)
                                         : json_null());
        put(j, o, "vms", g->vm_count);
        put_figures(j, o, &total);
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_vms(struct bl_json *j, const struct bl_host_result *r)
{
    bl__json_open_rows(j, "vms");
    for (uint32_t v = 0; v < r->vm_count; v++) {
        const struct bl_host_vm_row *vm = &r->vm[v];
        json_t *o = json_object();

        BL_ASSERT(vm->group < r->group_count);
        bl__json_set(j, o, "vm", bl__json_text(vm->name));
        bl__json_set(j, o, "group", bl__json_text(r->group[vm->group].name));
        put(j, o, "shares", vm->shares);
        put(j, o, "reservation_ppm", vm->reservation_ppm);
        bl__json_set(j, o, "limit_ppm",
                     vm->limit_ppm == BL_NO_LIMIT
                         ? json_null()
                         : bl__json_count(vm->limit_ppm));
        put_ns(j, o, "alive_ns", vm->alive_ns);
        put_figures(j, o, vm);
        if (r->power != NULL)
            bl__host_power_vm_json(j, o, vm);
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_vcpus(struct bl_json *j, const struct bl_host_result *r)
{
    bl__json_open_rows(j, "vcpus");
    for (uint32_t v = 0; v < r->vcpu_count; v++) {
        const struct bl_host_vcpu_row *c = &r->vcpu[v];
        const struct bl_sched_account *a = &c->account;
        json_t *o = json_object();

        BL_ASSERT(c->vm < r->vm_count);
        bl__json_set(j, o, "vm", bl__json_text(r->vm[c->vm].name));
        put(j, o, "vcpu", c->index);
        put_states(j, o, a->state_ns);
        put_ns(j, o, "received_ns", a->charged_ns);
        put(j, o, "switches", a->switch_count);
        put(j, o, "moves_core", a->move_count[BL_REACH_CORE]);
        put(j, o, "moves_llc", a->move_count[BL_REACH_LLC]);
        put(j, o, "moves_node", a->move_count[BL_REACH_NODE]);
        put(j, o, "moves_host", a->move_count[BL_REACH_HOST]);
        put(j, o, "costops", a->costop_count);
        put(j, o, "throttles", a->throttle_count);
        put_ns(j, o, "skew_max_ns", c->skew_max_ns);
        put(j, o, "units", c->units);
        put_ns(j, o, "spin_ns", c->spin_ns);
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_pcpus(struct bl_json *j, const struct bl_host_result *r)
{
    bl__json_open_rows(j, "pcpus");
    for (uint32_t p = 0; p < r->pcpu_count; p++) {
        json_t *o = json_object();

        put(j, o, "pcpu", p);
        put_ns(j, o, "busy_ns", r->pcpu[p].busy_ns);
        put_ns(j, o, "overhead_ns", r->pcpu[p].overhead_ns);
        put(j, o, "switches", r->pcpu[p].switch_count);
        put(j, o, "moves_in", r->pcpu[p].move_in_count);
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

static void put_cost(struct bl_json *j, const struct bl_host_result *r)
{
    json_t *o = json_object();

    bl__json_set(j, o, "wall_s", bl__json_real(r->wall_s));
    bl__json_set(j, o, "user_s", bl__json_real(r->user_s));
    put(j, o, "peak_kib", r->peak_kib);
    bl__json_member(j, "cost", o);
}

bl_err bl_host_report_json(FILE *f, const struct bl_host_result *r)
{
    struct bl_json j;

    bl__json_begin(&j, f, BL_JSON_HOST);
    put_identity(&j, r);
    put_summary(&j, r);
    if (r->power != NULL)
        bl__host_power_json(&j, r);
    put_groups(&j, r);
    put_vms(&j, r);
    put_vcpus(&j, r);
    put_pcpus(&j, r);
    put_cost(&j, r);
    return bl__json_end(&j);
}
