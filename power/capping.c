/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capping - the budget of every host of a rack, from shares, reservations and
 * demand.
 *
 * Source     DESIGN.md 5.5; hv/entitle.h. Shifting budgets within a group of
 *            servers: Ranganathan et al., ISCA 2006; Wang and Chen, HPCA 2008
 *            [recalled].
 * Idea       at every instant each rack's budget is divided anew. Idle power
 *            and transitions are drawn in any case; of the rest everyone first
 *            gets what its reservations need, then shares decide about what
 *            demand needs: entitlement. Then what is left is lent by capacity,
 *            so that a host without VMs is one that can take some. A host's
 *            shares are those of its VMs, its demand is theirs as measured;
 *            both ends of a migration count. What work needs is the least power
 *            at which some P-state does it, on cores that are fast enough for
 *            each vCPU (power/cap_load.h). A host that sleeps keeps what it
 *            draws asleep and releases the rest; one that is about to change
 *            its state keeps what that takes.
 * Bound      the budgets of a rack never add up to more than its cap, and every
 *            host's covers its reservations (test_capping).
 * Deviation  shares and reservations are those of VMs, not multiplied out along
 *            resource pools, nor a pool's own. What cores draw in shallow idle
 *            states is left out, as it is by the world and where reservations
 *            are checked against caps (cap_plan.h).
 *            A host under several caps gets the least of their answers, the
 *            smallest racks first; what a larger one gave it beyond that stays
 *            unused until the next instant.
 * Cost       O(VMs + caps * hosts * P-states) for a division; backs() and
 *            prepare() O(hosts of the racks) for actions that need them, and
 *            the VMs of those where nothing is left to give.
 */
#include "power/capping.h"

#include "base/u128.h"
#include "hv/entitle.h"
#include "power/cap_load.h"

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

/* What a host asks of its caps, mW of the whole host. */
struct ask {
    bool runs;        /* on or waking; else it draws base_mw, and that is all */
    uint64_t base_mw; /* drawn idle, and kept for what it is about */
    uint64_t reserved_mw, demand_mw, most_mw; /* base included */
    uint64_t shares;
};

/* What is kept of a host for backs(), while nothing has changed there. */
struct firm {
    uint64_t stamp, min_mw; /* of the snapshot */
    uint64_t mw;            /* reservations, idle power, what it is about */
};

struct capping {
    const struct bl_dc *dc;
    uint32_t host_count;
    uint8_t *group;
    struct bl_cap_load *load;                                /* [group] */
    uint32_t order[BL_CAPS_MAX], cap_first[BL_CAPS_MAX + 1]; /* a rack */
    uint32_t *rack_of; /* [cap * host_count + host]; UINT32_MAX: none */
    uint32_t *first;   /* [rack] and one more: where in host[] */
    uint32_t *host;
    uint32_t *cap_of; /* [rack] */
    struct ask *ask;
    struct firm *firm;
    uint64_t *budget; /* [host] as divided */
    /* of one rack */
    struct bl_claim *claim;
    uint32_t *scratch;
    uint64_t *out;
};

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- creation ---------------------------------------------------------------
 */

/* The smallest racks first: their budgets bound what larger ones are for. */
static void order_caps(struct capping *c)
{
    for (uint32_t i = 0; i < c->dc->cap_count; i++) {
        uint32_t k = i;

        for (; k > 0 && c->dc->cap[c->order[k - 1]].hosts_each - 1 >
                            c->dc->cap[i].hosts_each - 1;
             k--) /* 0, all of them, is the largest */
            c->order[k] = c->order[k - 1];
        c->order[k] = i;
    }
}

/* Which hosts are a rack; the racks of one cap after those of another. */
static uint32_t number_racks(struct capping *c)
{
    const uint32_t n = c->host_count;
    uint32_t racks = 0;

    for (uint32_t i = 0; i < c->dc->cap_count; i++) {
        uint32_t *rack = c->rack_of + (size_t)i * n;

        c->cap_first[i] = racks;
        racks += bl_dc_cap_racks(c->dc, i, c->group, rack);
        for (uint32_t h = 0; h < n; h++)
            if (rack[h] != UINT32_MAX)
                rack[h] += c->cap_first[i];
    }
    c->cap_first[c->dc->cap_count] = racks;
    return racks;
}

/* Racks are runs of hosts, so they are listed in their order. */
static void list_racks(struct capping *c)
{
    const uint32_t n = c->host_count, caps = c->dc->cap_count;
    uint32_t used = 0;

    for (uint32_t i = 0; i < caps; i++) {
        for (uint32_t r = c->cap_first[i]; r < c->cap_first[i + 1]; r++)
            c->cap_of[r] = i;
        for (uint32_t h = 0; h < n; h++) {
            const uint32_t rack = c->rack_of[(size_t)i * n + h];

            if (rack == UINT32_MAX)
                continue;
            c->host[used++] = h;
            c->first[rack + 1] = used;
        }
    }
}

static bool take(struct bl_arena *a, struct capping *c)
{
    const size_t n = c->host_count, many = n * c->dc->cap_count;
    uint32_t racks;
    bool ok = true;

    TAKE(a, c->group, n, ok);
    TAKE(a, c->rack_of, many, ok);
    if (!ok)
        return false;
    bl_dc_host_groups(c->dc, c->group);
    racks = number_racks(c);
    TAKE(a, c->first, (size_t)racks + 1, ok);
    TAKE(a, c->cap_of, racks, ok);
    TAKE(a, c->host, many, ok);
    TAKE(a, c->load, c->dc->host_group_count, ok);
    TAKE(a, c->ask, n, ok);
    TAKE(a, c->firm, n, ok);
    TAKE(a, c->budget, n, ok);
    TAKE(a, c->claim, n, ok);
    TAKE(a, c->scratch, n, ok);
    TAKE(a, c->out, n, ok);
    return ok;
}

static bl_err capping_create(struct bl_arena *a,
                             const struct bl_policy_env *env, void **state)
{
    struct capping *c = bl_arena_get(a, 1, sizeof(*c));

    if (c == NULL)
        return BL_ERR_NOMEM;
    c->dc = env->dc;
    c->host_count = env->host_count;
    if (!take(a, c))
        return BL_ERR_NOMEM;
    for (uint32_t g = 0; g < env->dc->host_group_count; g++) {
        const struct bl_host_group *group = &env->dc->host_group[g];

        struct bl_freq freq = group->freq;

        if (freq.pstate_count == 0)
            bl_freq_single(&freq, group->core_khz, group->power.mw);
        freq.idle_count = 0; /* see the card */
        bl_cap_load_init(&c->load[g], &freq, group->core_count);
    }
    order_caps(c);
    list_racks(c);
    *state = c;
    return BL_ERR_OK;
}

/* ---- what a host asks for
 * -------------------------------------------------------- */

static uint32_t rack_of(const struct capping *c, uint32_t cap, uint32_t host)
{
    return c->rack_of[(size_t)cap * c->host_count + host];
}

static const struct bl_cap_load *load_of(const struct capping *c, uint32_t h)
{
    return &c->load[c->group[h]];
}

static uint64_t idle_mw(const struct capping *c, uint32_t h)
{
    const struct bl_cap_load *l = load_of(c, h);

    return l->one[l->pstate_count - 1].pstate[0].mw[0];
}

static uint64_t capacity_khz(const struct capping *c, uint32_t h)
{
    const struct bl_host_group *g = &c->dc->host_group[c->group[h]];

    return g->core_count * g->core_khz;
}

/* Work, and the most of it that is one vCPU's. */
struct work {
    uint64_t khz, vcpu_khz;
};

static void add_work(struct work *w, uint64_t khz, uint64_t vcpus)
{
    w->khz += khz;
    if (khz > w->vcpu_khz * vcpus)
        w->vcpu_khz = (khz + vcpus - 1) / vcpus;
}

static uint64_t work_mw(const struct capping *c, uint32_t h,
                        const struct work *w)
{
    return max_u64(bl_cap_load_mw(load_of(c, h), w->khz, w->vcpu_khz),
                   idle_mw(c, h));
}

/* CPU that migrations at the whole speed of the network take. */
static uint64_t copy_khz(const struct capping *c, uint32_t h)
{
    const struct bl_host_group *g = &c->dc->host_group[c->group[h]];

    return bl_muldiv(g->core_khz * c->dc->migration.cpu_ppm_per_gbit,
                     g->net_bytes_per_s * 8, UINT64_C(1000000000000000));
}

static bool runs(const struct bl_snapshot *s, uint32_t h)
{
    return s->host.state[h] == BL_HOST_ON ||
           s->host.state[h] == BL_HOST_LEAVING;
}

/* What the VMs of @h have reserved, and @vm (or BL_NONE), which would come. */
static struct work reserved(const struct bl_snapshot *s, uint32_t h,
                            uint32_t vm)
{
    struct work w = { 0, 0 };

    for (uint32_t i = s->host.first[h]; i != BL_NONE; i = s->resident[i].next) {
        const uint32_t v = s->resident[i].vm;

        add_work(&w, s->vm.cpu[s->vm.group[v]].reservation,
                 s->vm.vcpu_count[v]);
    }
    if (vm != BL_NONE)
        add_work(&w, s->vm.cpu[s->vm.group[vm]].reservation,
                 s->vm.vcpu_count[vm]);
    return w;
}

static struct work demanded(const struct capping *c,
                            const struct bl_snapshot *s, uint32_t h,
                            uint64_t *shares)
{
    struct work w = { 0, 0 };
    bool moves = false;

    *shares = 0;
    for (uint32_t i = s->host.first[h]; i != BL_NONE; i = s->resident[i].next) {
        const uint32_t v = s->resident[i].vm;
        const uint32_t vcpus = s->vm.vcpu_count[v];

        moves = moves || s->resident[i].role != BL_ROLE_HERE;
        *shares += bl_cpu_shares(&s->vm.cpu[s->vm.group[v]], vcpus);
        add_work(&w, (uint64_t)(s->vm.demand_mhz[v] * 1000 + 0.5), vcpus);
    }
    if (moves)
        w.khz += copy_khz(c, h);
    return w;
}

/* @min_mw: what it must be let draw. */
static struct ask ask_of(const struct capping *c, const struct bl_snapshot *s,
                         uint32_t h, uint64_t min_mw)
{
    const struct work all = { UINT64_MAX, UINT64_MAX };
    struct ask a = { .runs = runs(s, h), .base_mw = min_mw };
    struct work w;
    uint64_t more;

    a.reserved_mw = a.demand_mw = a.most_mw = min_mw;
    if (!a.runs)
        return a;
    a.base_mw = max_u64(min_mw, idle_mw(c, h));
    more = a.base_mw - idle_mw(c, h);
    w = reserved(s, h, BL_NONE);
    a.reserved_mw = work_mw(c, h, &w) + more;
    w = demanded(c, s, h, &a.shares);
    a.demand_mw = max_u64(work_mw(c, h, &w) + more, a.reserved_mw);
    a.most_mw = work_mw(c, h, &all) + more;
    return a;
}

/* ---- dividing
 * --------------------------------------------------------------- */

/* Above its base; at most what a smaller rack gave it. */
static struct bl_claim claim_of(const struct ask *a, uint64_t budget_mw)
{
    const uint64_t limit = min_u64(a->most_mw, budget_mw) - a->base_mw;

    return (struct bl_claim){
        .shares = a->shares > 0 ? a->shares : 1,
        .reservation = min_u64(a->reserved_mw - a->base_mw, limit),
        .limit = limit,
        .demand = a->demand_mw - a->base_mw,
    };
}

/* @lend: what nobody needs, too. */
static void divide_rack(struct capping *c, uint32_t rack, bool lend)
{
    const uint32_t *host = c->host + c->first[rack];
    const uint32_t n = c->first[rack + 1] - c->first[rack];
    const uint64_t mw = c->dc->cap[c->cap_of[rack]].mw;
    uint64_t base = 0, rest;

    for (uint32_t i = 0; i < n; i++) {
        base += c->ask[host[i]].base_mw;
        c->claim[i] = claim_of(&c->ask[host[i]], c->budget[host[i]]);
    }
    rest = mw > base ? mw - base : 0;
    if (bl_entitle(rest, c->claim, n, c->out, c->scratch) !=
            BL_ENTITLED_RESERVED &&
        lend) {
        for (uint32_t i = 0; i < n; i++) {
            c->claim[i].shares = capacity_khz(c, host[i]);
            c->claim[i].reservation = c->out[i];
            c->claim[i].demand = c->claim[i].limit;
        }
        (void)bl_entitle(rest, c->claim, n, c->out, c->scratch);
    }
    for (uint32_t i = 0; i < n; i++)
        c->budget[host[i]] =
            min_u64(c->budget[host[i]], c->ask[host[i]].base_mw + c->out[i]);
}

static void plan_budget(const struct capping *c, uint32_t h, uint64_t mw,
                        enum bl_reason reason, struct bl_plan *plan)
{
    const struct ask *a = &c->ask[h];

    bl_plan_add(plan,
                &(struct bl_action){
                    .kind = BL_ACTION_POWER_CAP,
                    .reason = reason,
                    .vm = BL_NONE,
                    .host = h,
                    .source = BL_NONE,
                    .amount = mw,
                    .figure = { (double)mw / 1000, (double)a->demand_mw / 1000,
                                (double)a->reserved_mw / 1000 } });
}

/* Those that fall first, so that at no time they add up to more. */
static void plan_changes(const struct capping *c, const struct bl_snapshot *s,
                         struct bl_plan *plan)
{
    for (int rise = 0; rise < 2; rise++)
        for (uint32_t h = 0; h < c->host_count; h++) {
            const uint64_t mw = c->budget[h], has = s->host.power_cap_mw[h];

            if (mw != has && (mw > has) == (rise == 1))
                plan_budget(c, h, mw, BL_REASON_CAP_DIVIDED, plan);
        }
}

static void capping_step(void *state, const struct bl_snapshot *s,
                         struct bl_overlay *o, struct bl_plan *plan)
{
    struct capping *c = state;

    (void)o; /* what it asks is in the snapshot */
    for (uint32_t h = 0; h < c->host_count; h++) {
        c->budget[h] = BL_NO_CAP;
        if (s->host.power_cap_mw[h] != BL_NO_CAP)
            c->ask[h] = ask_of(c, s, h, s->host.power_min_mw[h]);
    }
    for (uint32_t i = 0; i < c->dc->cap_count; i++)
        for (uint32_t r = c->cap_first[c->order[i]];
             r < c->cap_first[c->order[i] + 1]; r++)
            divide_rack(c, r, true);
    plan_changes(c, s, plan);
}

/* ---- actions of the other area
 * ---------------------------------------------------- */

static uint64_t waking_mw(const struct capping *c, uint32_t h,
                          const struct bl_sleep_state *s)
{
    return max_u64(bl_transition_mw(&s->leave), idle_mw(c, h));
}

/* What the host of @a must be let draw for it; 0: no more than now. */
static uint64_t change_mw(const struct capping *c, const struct bl_snapshot *s,
                          const struct bl_action *a)
{
    const struct bl_host_group *g = &c->dc->host_group[c->group[a->host]];
    const struct bl_sleep_state *to =
        a->kind == BL_ACTION_HOST_OFF ? &g->off : &g->standby;

    if (a->kind == BL_ACTION_HOST_STANDBY || a->kind == BL_ACTION_HOST_OFF)
        return max_u64(bl_transition_mw(&to->enter), to->power_mw);
    if (a->kind != BL_ACTION_HOST_ON)
        return 0;
    switch ((enum bl_host_state)s->host.state[a->host]) {
    case BL_HOST_STANDBY:
        return waking_mw(c, a->host, &g->standby);
    case BL_HOST_OFF:
        return waking_mw(c, a->host, &g->off);
    case BL_HOST_ENTERING: /* one of the two */
        return max_u64(waking_mw(c, a->host, &g->standby),
                       waking_mw(c, a->host, &g->off));
    case BL_HOST_ON:
    case BL_HOST_LEAVING:
        break;
    }
    return 0;
}

/* @min_mw and @vm as they would be. */
static uint64_t firm_mw(const struct capping *c, const struct bl_snapshot *s,
                        uint32_t h, uint64_t min_mw, uint32_t vm)
{
    const uint64_t idle = idle_mw(c, h);
    struct work w;

    if (!runs(s, h))
        return min_mw;
    w = reserved(s, h, vm);
    return work_mw(c, h, &w) + min_mw - min_u64(min_mw, idle);
}

static uint64_t firm_now_mw(struct capping *c, const struct bl_snapshot *s,
                            uint32_t h)
{
    struct firm *f = &c->firm[h];
    const uint64_t min = s->host.power_min_mw[h];

    if (f->stamp != s->host.stamp[h] || f->min_mw != min || f->mw == 0)
        *f = (struct firm){ .stamp = s->host.stamp[h],
                            .min_mw = min,
                            .mw = firm_mw(c, s, h, min, BL_NONE) };
    return f->mw;
}

bool bl_capping_backs(void *state, const struct bl_snapshot *s,
                      const struct bl_action *a)
{
    struct capping *c = state;
    const uint32_t h = a->host;
    const uint64_t min = s->host.power_min_mw[h];
    const bool vm =
        (a->kind == BL_ACTION_PLACE || a->kind == BL_ACTION_MIGRATE) &&
        s->vm.cpu[s->vm.group[a->vm]].reservation > 0;
    uint64_t would;

    if (s->host.power_cap_mw[h] == BL_NO_CAP ||
        (!vm && change_mw(c, s, a) <= min))
        return true;
    would = firm_mw(c, s, h, max_u64(min, change_mw(c, s, a)),
                    vm ? a->vm : BL_NONE);
    if (would <= firm_now_mw(c, s, h))
        return true;
    for (uint32_t i = 0; i < c->dc->cap_count; i++) {
        const uint32_t rack = rack_of(c, i, h);
        uint64_t sum = would;

        if (rack == UINT32_MAX)
            continue;
        for (uint32_t k = c->first[rack]; k < c->first[rack + 1]; k++)
            if (c->host[k] != h)
                sum += firm_now_mw(c, s, c->host[k]);
        if (sum > c->dc->cap[i].mw)
            return false;
    }
    return true;
}

/* Could the budget of @host grow by @more_mw with all others as they are? */
static bool has_slack(const struct capping *c, const struct bl_snapshot *s,
                      uint32_t host, uint64_t more_mw)
{
    for (uint32_t i = 0; i < c->dc->cap_count; i++) {
        const uint32_t rack = rack_of(c, i, host);
        uint64_t given = more_mw;

        if (rack == UINT32_MAX)
            continue;
        for (uint32_t k = c->first[rack]; k < c->first[rack + 1]; k++)
            given += s->host.power_cap_mw[c->host[k]];
        if (given > c->dc->cap[i].mw)
            return false;
    }
    return true;
}

static void ask_rack(struct capping *c, const struct bl_snapshot *s,
                     uint32_t rack, uint32_t host, uint64_t min_mw)
{
    for (uint32_t k = c->first[rack]; k < c->first[rack + 1]; k++) {
        const uint32_t h = c->host[k];
        const uint64_t min = s->host.power_min_mw[h];

        c->budget[h] = BL_NO_CAP;
        c->ask[h] = ask_of(c, s, h, h == host ? max_u64(min, min_mw) : min);
    }
}

/* All but @host; a host in several racks once. */
static void lower_rack(struct capping *c, const struct bl_snapshot *s,
                       uint32_t rack, uint32_t host, struct bl_plan *plan)
{
    for (uint32_t k = c->first[rack]; k < c->first[rack + 1]; k++) {
        const uint32_t h = c->host[k];

        if (h == host || c->budget[h] >= s->host.power_cap_mw[h])
            continue;
        plan_budget(c, h, c->budget[h], BL_REASON_CAP_CHANGE, plan);
        c->budget[h] = BL_NO_CAP;
    }
}

/* Nobody in the racks of @host keeps what was only lent, so that there is some
 * for the next one that changes, too. */
static void take_back(struct capping *c, const struct bl_snapshot *s,
                      uint32_t host, uint64_t min_mw, struct bl_plan *plan)
{
    uint32_t rack[BL_CAPS_MAX], racks = 0;

    for (uint32_t i = 0; i < c->dc->cap_count; i++)
        if (rack_of(c, c->order[i], host) != UINT32_MAX)
            rack[racks++] = rack_of(c, c->order[i], host);
    for (uint32_t i = 0; i < racks; i++)
        ask_rack(c, s, rack[i], host, min_mw);
    for (uint32_t i = 0; i < racks; i++)
        divide_rack(c, rack[i], false);
    for (uint32_t i = 0; i < racks; i++)
        lower_rack(c, s, rack[i], host, plan);
}

void bl_capping_prepare(void *state, const struct bl_snapshot *s,
                        const struct bl_action *a, struct bl_plan *plan)
{
    struct capping *c = state;
    const uint64_t mw = change_mw(c, s, a);
    const uint64_t has = s->host.power_cap_mw[a->host];

    if (mw <= has)
        return;
    if (has_slack(c, s, a->host, mw - has))
        c->ask[a->host] = ask_of(c, s, a->host, mw);
    else
        take_back(c, s, a->host, mw, plan);
    plan_budget(c, a->host, mw, BL_REASON_CAP_CHANGE, plan);
}

const struct bl_policy bl_capping_policy = {
    .name = "capping",
    .syntax = "capping",
    .summary = "power budgets of hosts by shares, reservations and demand",
    .source = "ballast",
    .writes = 1u << BL_ACTION_POWER_CAP,
    .create = capping_create,
    .step = capping_step,
};
