/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize - as many hosts as the VMs will need, and no move that does not
 * pay.
 *
 * Source     ours. Named after Lin, Wierman, Andrew and Thereska, "Dynamic
 *            right-sizing for power-proportional data centers", INFOCOM 2011;
 *            doc/models/rightsize.md has the formulas.
 * Idea       at each instant: (1) forecast what each host's VMs together will
 *            ask for: a quantile of the sum of their histories, its trend, and
 *            the time of day where days repeat; (2) relieve hosts where what
 *            is lost outweighs a move, by as few moves as possible; (3) empty
 *            hosts as long as the energy saved over the horizon pays for the
 *            moves, the way to sleep and back, and the service put at risk;
 *            (4) put to sleep what is empty and beyond the reserve. Hosts are
 *            filled up to the load at which their own table is most efficient.
 * Bound      figures of doc/models/rightsize.md on real days, golden rows on a
 *            generated one, every rule by hand, storms (test_rightsize).
 * Deviation  none: there is no published form of it.
 * Cost       O(VMs * window) for sums, then O(log hosts) for each candidate;
 *            at most 200 bytes a VM (bench_policy).
 */
#include "cluster/rightsize_priv.h"

#include <string.h>

extern const struct bl_policy bl_policy_rightsize;

#define CALM_PART 0.25
#define CALM_MAX_S 86400.0 /* what one day promises of the next */

/* ---- parameters
 * --------------------------------------------------------------- */

static const char *const sleeps[] = { "off", "standby", "none", NULL };

enum {
    P_QUANTILE,
    P_HEADROOM,
    P_LATE,
    P_TARGET,
    P_WINDOW,
    P_SMOOTHING,
    P_HORIZON,
    P_UNSERVED,
    P_MOVE,
    P_MARGIN,
    P_BUDGET,
    P_UP,
    P_DOWN,
    P_FAILOVER,
    P_OVERCOMMIT,
    P_SLEEP,
};

static const struct bl_param params[] = {
    [P_QUANTILE] = { .name = "quantile",
                     .dim = BL_DIM_RATIO,
                     .min = 500000,
                     .max = 1000000,
                     .def = 950000,
                     .meaning = "of a host's demand that must fit below its "
                                "headroom" },
    [P_HEADROOM] = { .name = "headroom",
                     .dim = BL_DIM_RATIO,
                     .min = 0,
                     .max = 400000,
                     .def = 10000,
                     .meaning = "part of a host's CPU kept free of that" },
    [P_LATE] = { .name = "late",
                 .dim = BL_DIM_RATIO,
                 .min = 0,
                 .max = 400000,
                 .def = 200000,
                 .meaning = "more of it where demand is measured, not known" },
    [P_TARGET] = { .name = "target",
                   .dim = BL_DIM_RATIO,
                   .min = 0,
                   .max = 1000000,
                   .def = 0,
                   .meaning = "mean load up to which hosts are filled; 0: "
                              "where each is most efficient" },
    [P_WINDOW] = { .name = "window",
                   .dim = BL_DIM_COUNT,
                   .min = 2,
                   .max = BL_HISTORY_MAX,
                   .def = BL_HISTORY_MAX,
                   .meaning = "samples that a forecast looks at" },
    [P_SMOOTHING] = { .name = "smoothing",
                      .dim = BL_DIM_RATIO,
                      .min = 10000,
                      .max = 1000000,
                      .def = 150000,
                      .meaning = "weight of the newest sample in the level" },
    [P_HORIZON] = { .name = "horizon",
                    .dim = BL_DIM_TIME,
                    .min = INT64_C(60000000000),
                    .max = INT64_C(604800000000000),
                    .def = INT64_C(3600000000000),
                    .meaning = "time in which a change must pay" },
    [P_UNSERVED] = { .name = "unserved",
                     .dim = BL_DIM_ENERGY,
                     .min = 0,
                     .max = INT64_C(1000000000000),
                     .def = 7000000,
                     .meaning = "price of a megacycle that is not served" },
    [P_MOVE] = { .name = "move",
                 .dim = BL_DIM_TIME,
                 .min = 0,
                 .max = INT64_C(604800000000000),
                 .def = INT64_C(3300000000000),
                 .meaning = "price of a migration: what the VM's part of an "
                            "idle host draws in this time" },
    [P_MARGIN] = { .name = "margin",
                   .dim = BL_DIM_RATIO,
                   .min = 0,
                   .max = 10000000,
                   .def = 100000,
                   .meaning = "by which a gain must exceed its costs" },
    [P_BUDGET] = { .name = "budget",
                   .dim = BL_DIM_RATIO,
                   .min = 1000,
                   .max = 1000000,
                   .def = 1000000,
                   .meaning = "part of all VMs that may move at an instant; "
                              "unused moves are kept, up to one host's" },
    [P_UP] = { .name = "up",
               .dim = BL_DIM_TIME,
               .min = 0,
               .max = INT64_C(86400000000000),
               .def = INT64_C(1800000000000),
               .meaning = "a host taken into service stays for at least" },
    [P_DOWN] = { .name = "down",
                 .dim = BL_DIM_TIME,
                 .min = 0,
                 .max = INT64_C(86400000000000),
                 .def = INT64_C(600000000000),
                 .meaning = "a host out of service stays so for at least" },
    [P_FAILOVER] = { .name = "failover",
                     .dim = BL_DIM_COUNT,
                     .min = 0,
                     .max = RS_FAILOVER_MAX,
                     .def = 0,
                     .meaning = "hosts whose VMs must find room on the others "
                                "that are on" },
    [P_OVERCOMMIT] = { .name = "mem_overcommit",
                       .dim = BL_DIM_RATIO,
                       .min = 100000,
                       .max = 100000000,
                       .def = 8000000,
                       .meaning = "committed memory over a host's, at most" },
    [P_SLEEP] = { .name = "sleep",
                  .dim = BL_DIM_CHOICE,
                  .max = 2,
                  .def = RS_SLEEP_OFF,
                  .meaning = "state of an empty host, where it is an action",
                  .choices = sleeps },
};

static void read_params(struct rs_opts *o, const struct bl_params *p)
{
    const int64_t *v = p->value;

    *o = (struct rs_opts){
        .quantile = (double)v[P_QUANTILE] / 1e6,
        .smoothing = (double)v[P_SMOOTHING] / 1e6,
        .headroom = (double)v[P_HEADROOM] / 1e6,
        .late = (double)v[P_LATE] / 1e6,
        .target = (double)v[P_TARGET] / 1e6,
        .margin = (double)v[P_MARGIN] / 1e6,
        .budget = (double)v[P_BUDGET] / 1e6,
        .overcommit = (double)v[P_OVERCOMMIT] / 1e6,
        .unserved_j = (double)v[P_UNSERVED] / 1e6,
        .move_s = (double)v[P_MOVE] / 1e9,
        .horizon_s = (double)v[P_HORIZON] / 1e9,
        .horizon_ns = v[P_HORIZON],
        .up_ns = v[P_UP],
        .down_ns = v[P_DOWN],
        .window = (uint32_t)v[P_WINDOW],
        .failover = (uint32_t)v[P_FAILOVER],
        .sleep = (enum rs_sleep)v[P_SLEEP],
    };
}

/* ---- life cycle
 * ----------------------------------------------------------------- */

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

static bl_err take_arrays(struct bl_arena *a, struct rs *rs)
{
    const uint32_t hosts = rs->host_count, slots = rs->slot_count;
    bool ok = true;

    TAKE(a, rs->host, hosts, ok);
    TAKE(a, rs->moved, slots, ok);
    TAKE(a, rs->vm, slots, ok);
    TAKE(a, rs->vm_scratch, slots, ok);
    TAKE(a, rs->order, hosts, ok);
    TAKE(a, rs->order_scratch, hosts, ok);
    TAKE(a, rs->key, hosts > slots ? hosts : slots, ok);
    TAKE(a, rs->move, slots, ok);
    return ok ? BL_ERR_OK : BL_ERR_NOMEM;
}

static bl_err rightsize_create(struct bl_arena *a,
                               const struct bl_policy_env *env, void **state)
{
    struct rs *rs = bl_arena_get(a, 1, sizeof(*rs));

    if (rs == NULL)
        return BL_ERR_NOMEM;
    read_params(&rs->opts, env->params);
    rs->dc = env->dc;
    rs->host_count = env->host_count;
    rs->slot_count = env->vm_slot_count;
    rs->season_rise = 1;
    rs->normal = bl_forecast_normal(rs->opts.quantile);
    rs->placed_last = BL_NONE;
    BL_TRY(take_arrays(a, rs));
    BL_TRY(bl__rs_load_create(a, rs));
    BL_TRY(bl__rs_tree_create(a, rs));
    bl__rs_cost_create(rs);
    bl_season_init(&rs->season);
    for (uint32_t h = 0; h < rs->host_count; h++)
        rs->host[h].changed_ns = INT64_MIN / 2; /* as it is for ever */
    rs->horizon_s = rs->opts.horizon_s;
    *state = rs;
    return BL_ERR_OK;
}

/* Everything that follows from a new snapshot. @step: an interval is over, and
 * there is something to learn from it. */
static void begin(struct rs *rs, const struct bl_snapshot *s,
                  struct bl_overlay *o, bool step)
{
    if (rs->s == NULL)
        rs->calm_ns = s->now_ns;
    rs->s = s;
    rs->o = o;
    bl__rs_measure_fleet(rs, step);
    if (step) {
        bl_season_add(&rs->season, s->now_ns, rs->fleet.demand_mhz);
        rs->season_rise =
            bl_season_rise(&rs->season, s->now_ns, rs->opts.horizon_ns);
    }
    for (uint32_t h = 0; h < rs->host_count; h++) {
        bl__rs_load_host(rs, h);
        rs->host[h].flags = 0;
        rs->host[h].coming = 0;
        if (rs->host[h].load.vms > 0 && rs->host[h].service == RS_NEVER)
            rs->host[h].service = RS_IN;
    }
    rs->sequence = s->sequence;
    bl__rs_rank_groups(rs);
    bl__rs_tree_build(rs);
}

/* ---- arrivals
 * ------------------------------------------------------------------- */

static uint32_t find_place(struct rs *rs, uint32_t vm, struct rs_load *after)
{
    uint32_t h = bl__rs_find(rs, vm, BL_NONE, RS_FIT_FULL, after);

    if (h == BL_NONE)
        h = bl__rs_find_awake(rs, vm, BL_NONE, RS_FIT_NOW, after);
    if (h == BL_NONE) /* above the best load, but it need not wait */
        h = bl__rs_find(rs, vm, BL_NONE, RS_FIT_PEAK, after);
    if (h == BL_NONE)
        h = bl__rs_find_empty(rs, vm, BL_NONE, RS_FIT_NOW, after);
    if (h == BL_NONE)
        h = bl__rs_find(rs, vm, BL_NONE, RS_FIT_NOW, after);
    if (h == BL_NONE)
        h = bl__rs_find(rs, vm, BL_NONE, RS_FIT_CROWD, after);
    if (h == BL_NONE)
        h = bl__rs_find(rs, vm, BL_NONE, RS_FIT_ANY, after);
    /* where memory is not real, CPU is set aside at the start */
    if (h != BL_NONE && !(rs->s->can & BL_CAN_ENFORCE_MEMORY) &&
        bl_overlay_free_mhz(rs->o, h) < rs->s->vm.size_mhz[vm])
        return BL_NONE;
    return h;
}

static void rightsize_place(void *state, const struct bl_snapshot *s,
                            struct bl_overlay *o, uint32_t vm,
                            struct bl_plan *plan)
{
    struct rs *rs = state;
    struct rs_load after;
    uint32_t h;

    if (rs->sequence != s->sequence) {
        begin(rs, s, o, false);
    } else if (rs->placed_last != BL_NONE) { /* it may have got its VM */
        bl__rs_load_host(rs, rs->placed_last);
        bl__rs_tree_refresh(rs, rs->placed_last);
    }
    rs->seen->vm = BL_NONE; /* it may be another one in the same slot */
    h = find_place(rs, vm, &after);
    rs->placed_last = h;
    if (h == BL_NONE)
        return;
    if (rs->host[h].load.vms == 0 && rs->stepped)
        rs->arrival_opened++;
    if (bl_host_asleep(s, h)) {
        rs->host[h].flags |= RS_WOKEN;
        bl__rs_in_service(rs, h);
        bl_plan_add(plan, &(struct bl_action){ .kind = BL_ACTION_HOST_ON,
                                               .reason = BL_REASON_WAKE,
                                               .vm = BL_NONE,
                                               .host = h,
                                               .source = BL_NONE,
                                               .figure = { 1 } });
    }
    bl_plan_add(plan, &(struct bl_action){
                          .kind = BL_ACTION_PLACE,
                          .reason = BL_REASON_FORECAST_FIT,
                          .vm = vm,
                          .host = h,
                          .source = BL_NONE,
                          .figure = { after.level_mhz, bl__rs_limit_mhz(rs, h),
                                      after.mean_mhz },
                      });
}

/* ---- a control instant
 * ------------------------------------------------------------ */

static void plan_moves(const struct rs *rs, struct bl_plan *plan)
{
    for (uint32_t i = 0; i < rs->move_count; i++) {
        const struct rs_move *m = &rs->move[i];

        bl_plan_add(plan,
                    &(struct bl_action){ .kind = BL_ACTION_MIGRATE,
                                         .reason = m->reason,
                                         .vm = m->vm,
                                         .host = m->target,
                                         .source = m->source,
                                         .figure = { m->figure[0], m->figure[1],
                                                     m->figure[2] } });
    }
}

/* A change lasts at least for the horizon, and as long again as there has been
 * no need of another host: who has been calm stays calm. */
static void set_horizon(struct rs *rs)
{
    const double calm_s =
        (double)(rs->s->now_ns - rs->calm_ns) / 1e9 * CALM_PART;

    rs->horizon_s = calm_s > rs->opts.horizon_s ? calm_s : rs->opts.horizon_s;
    if (rs->horizon_s > CALM_MAX_S && rs->opts.horizon_s < CALM_MAX_S)
        rs->horizon_s = CALM_MAX_S;
}

/* Moves that were not used are saved up, so that a host can be emptied although
 * it holds more VMs than may move at an instant; not more than that. */
static void set_budget(struct rs *rs)
{
    const double add = rs->fleet.vms * rs->opts.budget;
    double most = add > 1 ? add : 1;

    for (uint32_t h = 0; h < rs->host_count; h++)
        if (rs->host[h].load.vms > most)
            most = rs->host[h].load.vms;
    rs->move_credit += add;
    if (rs->move_credit > most)
        rs->move_credit = most;
    rs->move_budget = (uint32_t)rs->move_credit;
}

static void rightsize_step(void *state, const struct bl_snapshot *s,
                           struct bl_overlay *o, struct bl_plan *plan)
{
    struct rs *rs = state;
    const uint32_t mark = bl_overlay_mark(o);

    memset(rs->moved, 0, rs->slot_count);
    rs->move_count = 0;
    begin(rs, s, o, true);
    if (rs->stepped)
        bl__rs_learn_arrivals(rs);
    rs->stepped = true;
    set_horizon(rs);
    set_budget(rs);
    bl__rs_relieve(rs);
    if (!s->demand_is_oracle)
        bl__rs_prevent(rs);
    bl__rs_evacuate(rs);
    bl__rs_plan_wakes(rs, plan);
    bl__rs_plan_reserve(rs, plan);
    plan_moves(rs, plan);
    bl__rs_plan_sleep(rs, plan);
    rs->move_credit -= rs->move_count;
    bl_overlay_undo(o, mark);
    rs->sequence = UINT64_MAX; /* place() must begin anew */
    rs->placed_last = BL_NONE;
}

static void rightsize_check(const void *state)
{
    const struct rs *rs = state;

    BL_ASSERT(rs->move_count <= rs->slot_count);
    BL_ASSERT(rs->season_rise >= 1);
    bl__rs_tree_check(rs);
    for (uint32_t i = 0; i < rs->move_count; i++) {
        const struct rs_move *m = &rs->move[i];

        BL_ASSERT(m->vm < rs->slot_count);
        BL_ASSERT(m->target < rs->host_count);
        BL_ASSERT(m->source != m->target);
        BL_ASSERT(!(rs->host[m->target].flags & RS_EMPTIED));
    }
}

const struct bl_policy bl_policy_rightsize = {
    .name = "rightsize",
    .syntax = "rightsize",
    .summary = "as many hosts as forecasts need; moves that pay; ours",
    .source = "ours, after Lin et al., INFOCOM 2011",
    .params = params,
    .param_count = sizeof(params) / sizeof(params[0]),
    .writes = 1u << BL_ACTION_PLACE | 1u << BL_ACTION_MIGRATE |
              1u << BL_ACTION_HOST_ON | 1u << BL_ACTION_HOST_STANDBY |
              1u << BL_ACTION_HOST_OFF,
    .history_count = BL_HISTORY_MAX,
    .create = rightsize_create,
    .place = rightsize_place,
    .step = rightsize_step,
    .check = rightsize_check,
};
