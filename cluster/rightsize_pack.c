/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize_pack - who leaves a host that is too full, and which host is
 * emptied because it pays.
 *
 * Source     the two halves of dynamic consolidation are Beloglazov and
 *            Buyya's (CCPE 24(13), 2012); the rules here are ours.
 * Idea       Relief: where what is not served would cost more than a move, one
 *            VM leaves, the one whose going is enough and costs least. Its new
 *            host must have room for it by forecast; failing that by what is
 *            asked for now; failing that another host is taken into service.
 *            Prevention: the same before it happens, where demand is seen an
 *            interval late, if the risk on both hosts falls by more than that
 *            costs. Evacuation: all VMs of a host or none. Saved is its power
 *            over the horizon; against it stand what its VMs add elsewhere, the
 *            moves, the way into sleep and back, and the service put at risk.
 *            The plan must be worth its costs by a margin, and is given up as
 *            soon as it cannot be.
 * Bound      no VM moves twice in a plan, none back to a host that gave in the
 *            same plan; moves within the budget (test_rightsize_parts).
 * Cost       relief O(VMs of the host) and a search for each move; evacuation
 *            the same for each host tried, FAILURES in vain at the most.
 */
#include "cluster/id_sort.h"
#include "cluster/rightsize_priv.h"

#include <string.h>

enum {
    FEW_OPENED = 30,   /* one in so many hosts has always just been needed */
    FAILURES = 64,     /* evacuations in vain before the step gives up */
    RELIEF_TRIES = 16, /* VMs of one host tried in turn for a move */
    RELIEF_MOVES = 8,  /* off one host in one step */
};

/* Who leaves: what a VM's own loss weighs beside that of all others until it
 * has gone. It runs slower on the way, and alone bears it. */
#define OWN_LOSS 0.5

/* ---- moves, and taking them back
 * ------------------------------------------------ */

/* Reads again a host whose list has changed since. */
static void reload(struct rs *rs, uint32_t host)
{
    if (rs->host[host].stamp == bl_overlay_stamp(rs->o, host))
        return;
    bl__rs_load_host(rs, host);
    bl__rs_tree_refresh(rs, host);
}

/* On the overlay and in the list of moves; loads are for the caller. */
static void note_move(struct rs *rs, const struct rs_move *m)
{
    BL_ASSERT(rs->move_count < rs->slot_count);
    rs->move[rs->move_count++] = *m;
    rs->moved[m->vm] = 1;
    rs->host[m->target].coming++;
    if (bl_host_asleep(rs->s, m->target))
        rs->host[m->target].flags |= RS_WOKEN;
    bl_overlay_take(rs->o, m->source, m->vm);
    bl_overlay_put(rs->o, m->target, m->vm);
}

static void do_move(struct rs *rs, const struct rs_move *m)
{
    note_move(rs, m);
    reload(rs, m->source);
    reload(rs, m->target);
}

/* Takes back all moves since there were @count, and @mark of the overlay. */
static void undo_moves(struct rs *rs, uint32_t count, uint32_t mark)
{
    bl_overlay_undo(rs->o, mark);
    for (uint32_t i = count; i < rs->move_count; i++) {
        const struct rs_move *m = &rs->move[i];

        rs->moved[m->vm] = 0;
        if (--rs->host[m->target].coming == 0)
            rs->host[m->target].flags &= (uint8_t)~RS_WOKEN;
    }
    for (uint32_t i = count; i < rs->move_count; i++)
        reload(rs, rs->move[i].target); /* flags are as they were */
    rs->move_count = count;
}

/* From @first on: hosts that were empty have been taken into service. */
static void note_opened(struct rs *rs, uint32_t first)
{
    for (uint32_t i = first; i < rs->move_count; i++) {
        const struct rs_host *t = &rs->host[rs->move[i].target];

        if (t->load.vms == t->coming) /* all it has */
            bl__rs_in_service(rs, rs->move[i].target);
    }
}

/* It gives or takes a VM by this plan. */
static bool touched(const struct rs *rs, uint32_t h)
{
    return rs->host[h].coming > 0 ||
           (rs->host[h].flags & (RS_GAVE | RS_EMPTIED)) != 0;
}

/* @h has been given a VM; if it had none before, the fleet has grown. */
static void note_needed(struct rs *rs, uint32_t h)
{
    if (rs->host[h].load.vms == 1) {
        bl__rs_in_service(rs, h);
        rs->calm_ns = rs->s->now_ns;
    }
}

/* ---- relief
 * ------------------------------------------------------------------- */

/* What relief of @h by one move would be worth: what it loses now and would
 * lose by its history, less a move. */
static bool worth_relief(const struct rs *rs, uint32_t h)
{
    const struct rs_load *l = &rs->host[h].load;
    const double excess = l->now_mhz - rs->s->host.capacity_mhz_now[h];

    return excess * rs->s->interval_s * rs->opts.unserved_j >
           rs_group_of(rs, h)->move_j * (1 + rs->opts.margin);
}

/* Candidates by cost: those whose going is enough, cheapest first, then the
 * others, largest first. */
static uint32_t relief_order(struct rs *rs, uint32_t h)
{
    const double limit = bl__rs_limit_mhz(rs, h);
    const double excess = rs->host[h].load.now_mhz - limit;
    uint32_t n, kept = 0;
    const uint32_t *list = bl_overlay_vms(rs->o, h, &n);

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vm = list[i];
        const double mhz = rs->s->vm.demand_mhz[vm];

        if (rs->s->vm.migrating[vm] || rs->moved[vm])
            continue;
        rs->vm[kept++] = vm;
        if (mhz < excess)
            rs->key[vm] = 1e18 - mhz;
        else
            rs->key[vm] = bl__rs_move_bytes(rs, vm) / 1048576.0 *
                          (excess + OWN_LOSS * mhz);
    }
    bl_id_sort(rs->vm, kept, rs->key, false, rs->vm_scratch);
    return kept;
}

static uint32_t relief_target(struct rs *rs, uint32_t vm, uint32_t source,
                              struct rs_load *after)
{
    uint32_t t = bl__rs_find(rs, vm, source, RS_FIT_FULL, after);

    if (t == BL_NONE)
        t = bl__rs_find(rs, vm, source, RS_FIT_PEAK, after);
    if (t == BL_NONE)
        t = bl__rs_find(rs, vm, source, RS_FIT_NOW, after);
    if (t == BL_NONE)
        t = bl__rs_find_empty(rs, vm, BL_NONE, RS_FIT_NOW, after);
    if (t == BL_NONE) /* too large for any: alone it is least short */
        t = bl__rs_find_largest(rs, vm,
                                rs->host[source].load.vms > 1
                                    ? 0
                                    : rs->s->host.capacity_mhz_now[source],
                                after);
    return t;
}

/* One VM leaves @h; false when none can. */
static bool relieve_by_one(struct rs *rs, uint32_t h)
{
    const uint32_t n = relief_order(rs, h);

    for (uint32_t i = 0; i < n && i < RELIEF_TRIES; i++) {
        const uint32_t vm = rs->vm[i];
        const struct rs_load before = rs->host[h].load;
        struct rs_load after;
        const uint32_t t = relief_target(rs, vm, h, &after);

        if (t == BL_NONE)
            continue;
        do_move(rs, &(struct rs_move){
                        .vm = vm,
                        .source = h,
                        .target = t,
                        .reason = BL_REASON_RELIEF,
                        .figure = { before.now_mhz, before.level_mhz,
                                    bl__rs_risk_j(rs, h, &before) } });
        note_needed(rs, t);
        return true;
    }
    return false;
}

void bl__rs_relieve(struct rs *rs)
{
    for (uint32_t h = 0; h < rs->host_count; h++) {
        uint32_t moves = 0;

        if (rs->host[h].load.vms == 0 || rs->s->host.state[h] != BL_HOST_ON)
            continue;
        while (moves < RELIEF_MOVES && rs->move_count < rs->move_budget &&
               worth_relief(rs, h) && relieve_by_one(rs, h)) {
            rs->host[h].flags |= RS_GAVE;
            moves++;
        }
    }
}

/* ---- prevention
 * ----------------------------------------------------------------- */

/* A host with room; failing that an empty one, which has to be paid for. */
static uint32_t prevention_target(struct rs *rs, uint32_t vm, uint32_t source,
                                  struct rs_load *after, double *cost_j)
{
    uint32_t t = bl__rs_find(rs, vm, source, RS_FIT_FULL, after);

    if (t != BL_NONE)
        return t;
    t = bl__rs_find_empty(rs, vm, BL_NONE, RS_FIT_NOW, after);
    if (t != BL_NONE)
        *cost_j += rs_group_of(rs, t)->cycle_j +
                   (rs->opts.sleep == RS_SLEEP_NONE
                        ? 0
                        : bl__rs_watts(rs, t, 0) * rs->opts.horizon_s);
    return t;
}

/* One VM leaves @h for a host that bears it better, if the service that is
 * likely to be lost on both falls by more than the move costs. */
static bool prevent_by_one(struct rs *rs, uint32_t h)
{
    const uint32_t n = relief_order(rs, h);
    const double before_j = bl__rs_risk_j(rs, h, &rs->host[h].load);
    struct rs_move best = { .vm = BL_NONE };
    double most_j = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vm = rs->vm[i];
        const struct rs_load rest = bl__rs_load_if(rs, h, BL_NONE, vm);
        double cost_j = bl__rs_move_j(rs, vm, h) * (1 + rs->opts.margin);
        double gain_j = before_j - bl__rs_risk_j(rs, h, &rest) - cost_j;
        struct rs_load after;
        uint32_t t;

        if (gain_j <= most_j)
            continue;
        t = prevention_target(rs, vm, h, &after, &cost_j);
        if (t == BL_NONE)
            continue;
        gain_j = before_j - bl__rs_risk_j(rs, h, &rest) - cost_j -
                 (bl__rs_risk_j(rs, t, &after) -
                  bl__rs_risk_j(rs, t, &rs->host[t].load));
        if (gain_j <= most_j)
            continue;
        most_j = gain_j;
        best = (struct rs_move){ .vm = vm,
                                 .source = h,
                                 .target = t,
                                 .reason = BL_REASON_PREVENTION,
                                 .figure = { rs->host[h].load.level_mhz, gain_j,
                                             cost_j } };
    }
    if (best.vm == BL_NONE)
        return false;
    do_move(rs, &best);
    note_needed(rs, best.target);
    return true;
}

void bl__rs_prevent(struct rs *rs)
{
    for (uint32_t h = 0; h < rs->host_count; h++) {
        if (rs->host[h].load.vms < 2 || rs->s->host.state[h] != BL_HOST_ON ||
            touched(rs, h) || rs->move_count >= rs->move_budget ||
            bl__rs_risk_j(rs, h, &rs->host[h].load) <=
                rs_group_of(rs, h)->move_j)
            continue;
        if (prevent_by_one(rs, h))
            rs->host[h].flags |= RS_GAVE;
    }
}

/* ---- evacuation
 * --------------------------------------------------------------- */

static bool moves_freely(const struct rs *rs, uint32_t h)
{
    uint32_t n;
    const uint32_t *list = bl_overlay_vms(rs->o, h, &n);

    for (uint32_t i = 0; i < n; i++)
        if (rs->s->vm.migrating[list[i]] || rs->moved[list[i]])
            return false;
    return true;
}

/* Joules over the horizon for each joule that the moves cost. */
static double promise(const struct rs *rs, uint32_t h)
{
    const struct rs_load *l = &rs->host[h].load;
    const struct rs_group *g = rs_group_of(rs, h);
    const double saved =
        bl__rs_watts(rs, h, l->mean_mhz) - g->asleep_w -
        l->mean_mhz / g->capacity_mhz *
            (g->curve.watt[BL_POWER_POINTS - 1] - g->curve.watt[0]);

    return saved / l->vms;
}

static uint32_t list_sources(struct rs *rs)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < rs->host_count; h++) {
        if (rs->host[h].load.vms == 0 || touched(rs, h) ||
            !bl__rs_may_empty(rs, h) || !moves_freely(rs, h))
            continue;
        rs->key[h] = promise(rs, h);
        rs->order[n++] = h;
    }
    bl_id_sort(rs->order, n, rs->key, true, rs->order_scratch);
    return n;
}

/* Sorted by need, largest first: of the resource that is scarcer. */
static uint32_t list_vms(struct rs *rs, uint32_t h)
{
    uint32_t n;
    const uint32_t *list = bl_overlay_vms(rs->o, h, &n);
    const bool mem = rs->s->can & BL_CAN_ENFORCE_MEMORY;
    const double cpu_all = rs->s->host.capacity_mhz_now[h];
    const double mem_all = (double)rs->s->host.mem_bytes[h];

    memcpy(rs->vm, list, n * sizeof(*list));
    for (uint32_t i = 0; i < n; i++) {
        const double cpu = bl__rs_vm_mean(rs, list[i]) / cpu_all;
        const double m = mem ? bl__rs_mem_peak(rs, list[i]) / mem_all : 0;

        rs->key[list[i]] = cpu > m ? cpu : m;
    }
    bl_id_sort(rs->vm, n, rs->key, true, rs->vm_scratch);
    return n;
}

/* Where a VM of @h goes: best below the best load, else where power rises more
 * or has to be switched on, and that is counted. */
static uint32_t evacuation_target(struct rs *rs, uint32_t vm, uint32_t h,
                                  struct rs_load *after)
{
    uint32_t t = bl__rs_find(rs, vm, h, RS_FIT_FULL, after);

    if (t == BL_NONE)
        t = bl__rs_find(rs, vm, h, RS_FIT_PEAK, after);
    if (t == BL_NONE) /* of a kind that does the same for less */
        t = bl__rs_find_empty(rs, vm, rs_group_of(rs, h)->rank, RS_FIT_NOW,
                              after);
    return t;
}

/* What host @t draws more, and what it costs to have it on. */
static double rise_w(const struct rs *rs, uint32_t t,
                     const struct rs_load *before, const struct rs_load *after,
                     double *cost_j)
{
    const struct rs_group *g = rs_group_of(rs, t);

    if (before->vms > 0)
        return bl__rs_watts(rs, t, after->mean_mhz) -
               bl__rs_watts(rs, t, before->mean_mhz);
    if (bl_host_asleep(rs->s, t))
        *cost_j += g->cycle_j;
    if (rs->s->can & BL_CAN_SWITCH_HOSTS)
        return bl__rs_watts(rs, t, after->mean_mhz) - g->asleep_w;
    return bl__rs_watts(rs, t, after->mean_mhz);
}

/* What emptying a host is worth, so far. */
struct deal {
    double saved_w, more_w; /* here, and elsewhere */
    double cost_j, had_j;   /* had: the risk that goes with the host */
    double left_mhz;        /* of VMs that have not found a place yet */
};

static double deal_saved_j(const struct rs *rs, const struct deal *d)
{
    return (d->saved_w - d->more_w) * rs->horizon_s + d->had_j;
}

/* Can it still pay, when the rest draws as little as anything can? */
static bool deal_pays(const struct rs *rs, const struct deal *d)
{
    const double rest_j = d->left_mhz * rs->least_w_per_mhz * rs->horizon_s;

    return deal_saved_j(rs, d) - rest_j > d->cost_j * (1 + rs->opts.margin);
}

static void open_deal(const struct rs *rs, uint32_t h, uint32_t n,
                      struct deal *d)
{
    const struct rs_load *l = &rs->host[h].load;

    *d = (struct deal){ .saved_w = bl__rs_watts(rs, h, l->mean_mhz),
                        .had_j = bl__rs_risk_j(rs, h, l),
                        .left_mhz = l->mean_mhz };
    if (rs->s->can & BL_CAN_SWITCH_HOSTS) {
        const bool sleeps = bl__rs_places(rs, h) <= rs->spare;

        d->saved_w -=
            sleeps ? rs_group_of(rs, h)->asleep_w : bl__rs_watts(rs, h, 0);
        d->cost_j += sleeps ? rs_group_of(rs, h)->cycle_j : 0;
    }
    for (uint32_t i = 0; i < n; i++)
        d->cost_j += bl__rs_move_j(rs, rs->vm[i], h);
}

/* Moves all of @h, or gives up as soon as it cannot pay. */
static bool move_all(struct rs *rs, uint32_t h, struct deal *d)
{
    const uint32_t n = list_vms(rs, h);

    open_deal(rs, h, n, d);
    if (rs->move_count + n > rs->move_budget)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vm = rs->vm[i];
        struct rs_load after, before;
        uint32_t t;

        if (!deal_pays(rs, d))
            return false;
        t = evacuation_target(rs, vm, h, &after);
        if (t == BL_NONE)
            return false;
        before = rs->host[t].load;
        d->cost_j +=
            bl__rs_risk_j(rs, t, &after) - bl__rs_risk_j(rs, t, &before);
        d->more_w += rise_w(rs, t, &before, &after, &d->cost_j);
        d->left_mhz -= bl__rs_vm_mean(rs, vm);
        note_move(rs, &(struct rs_move){ .vm = vm,
                                         .source = h,
                                         .target = t,
                                         .reason = BL_REASON_RIGHTSIZE });
        bl__rs_load_add(rs, t, vm, &after);
        bl__rs_tree_refresh(rs, t);
    }
    d->left_mhz = 0;
    return deal_pays(rs, d);
}

static bool evacuate(struct rs *rs, uint32_t h)
{
    const uint32_t first = rs->move_count, mark = bl_overlay_mark(rs->o);
    const double places = bl__rs_places(rs, h);
    struct deal d;

    if (!move_all(rs, h, &d)) {
        undo_moves(rs, first, mark);
        return false;
    }
    rs->host[h].flags |= RS_EMPTIED;
    rs->host[h].service = RS_OUT;
    rs->host[h].changed_ns = rs->s->now_ns;
    rs->spare -= places;
    note_opened(rs, first);
    reload(rs, h);
    for (uint32_t i = first; i < rs->move_count; i++) {
        rs->move[i].figure[0] = deal_saved_j(rs, &d);
        rs->move[i].figure[1] = d.cost_j;
        rs->move[i].figure[2] = rs->host[rs->move[i].target].load.level_mhz /
                                bl__rs_limit_mhz(rs, rs->move[i].target);
    }
    return true;
}

/* Hosts that have been taken into service not long ago; some always are, where
 * there are many. */
static void count_opened(struct rs *rs)
{
    rs->opened_count = rs->occupied_count = 0;
    for (uint32_t h = 0; h < rs->host_count; h++) {
        if (rs->host[h].load.vms == 0)
            continue;
        rs->occupied_count++;
        rs->opened_count +=
            rs->s->now_ns - rs->host[h].changed_ns < rs->opts.up_ns;
    }
}

void bl__rs_evacuate(struct rs *rs)
{
    const uint32_t n = list_sources(rs);
    uint32_t failures = 0;

    bl__rs_measure_spare(rs);
    count_opened(rs);
    if (rs->opened_count * FEW_OPENED > rs->occupied_count)
        return; /* they have just been needed */
    for (uint32_t i = 0; i < n && failures < FAILURES; i++) {
        const uint32_t h = rs->order[i];

        if (touched(rs, h))
            continue; /* has taken a VM since */
        failures = evacuate(rs, h) ? 0 : failures + 1;
    }
}
