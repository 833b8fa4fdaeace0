/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize_tree - hosts by what they could still take, and the search.
 *
 * Source     tournament tree, as in cluster/first_fit.c (Johnson et al., SIAM
 *            J. Comput. 3(4), 1974, for best fit).
 * Idea       leaves are hosts, the best kind of server first, by id within a
 *            kind. A node keeps the largest room below it for each resource, so
 *            the walk goes only where something may fit. What is found is tried
 *            exactly, until FITS fit or CANDIDATES have been tried; the host
 *            whose level grows least, and is then fullest, wins. Where all that
 *            were tried are too full, those with room for the VM's own level
 *            are tried. Who fits nowhere shares hosts of the best kinds, until
 *            they hold CROWD times what they have, then goes where there is
 *            most left.
 * Bound      what is found fits, and where a host fits one is found, against a
 *            scan of all hosts (test_rightsize_parts); but for VMs that steady
 *            a host by more than half of their own mean.
 * Cost       O(log hosts) for each candidate that is tried.
 */
#include "cluster/rightsize_priv.h"

enum { CANDIDATES = 64, FITS = 8, SPARES = 8 };

/* How much less growth of the level counts than a full host: VMs that steady
 * each other go together. */
#define GROWTH 0.8
/* VMs that fit nowhere by size, before anything is measured: those of PlanetLab
 * use a ninth of it on average, those of GCD a fifth. */
#define CROWD 8
#define NO_ROOM (-1e30)

bl_err bl__rs_tree_create(struct bl_arena *a, struct rs *rs)
{
    rs->leaf0 = 1;
    while (rs->leaf0 < rs->host_count)
        rs->leaf0 *= 2;
    rs->room = bl_arena_get(a, 2 * (size_t)rs->leaf0, sizeof(*rs->room));
    rs->host_of = bl_arena_get(a, rs->host_count, sizeof(*rs->host_of));
    return rs->room == NULL || rs->host_of == NULL ? BL_ERR_NOMEM : BL_ERR_OK;
}

static bool takes_vms(const struct rs *rs, uint32_t h)
{
    return rs->s->host.state[h] == BL_HOST_ON ||
           rs->s->host.state[h] == BL_HOST_LEAVING ||
           (rs->host[h].flags & RS_WOKEN) != 0;
}

static double mem_room(const struct rs *rs, uint32_t h)
{
    const double all = (double)rs->s->host.mem_bytes[h];
    const double used = all - (double)bl_overlay_mem_used_bytes(rs->o, h);
    const double peak = all - rs->host[h].load.mem_bytes;

    return rs->s->can & BL_CAN_ENFORCE_MEMORY && peak < used ? peak : used;
}

static double max_double(double a, double b)
{
    return a > b ? a : b;
}

/* Only hosts with VMs, and not those that this plan empties. */
static void read_leaf(struct rs *rs, uint32_t h)
{
    const struct rs_host *x = &rs->host[h];
    struct rs_room *leaf = &rs->room[rs->leaf0 + x->leaf];
    const double capacity = rs->s->host.capacity_mhz_now[h];
    const double limit = bl__rs_limit_mhz(rs, h);

    *leaf = (struct rs_room){ NO_ROOM, NO_ROOM, NO_ROOM, NO_ROOM };
    if (x->load.vms == 0 || !takes_vms(rs, h) || (x->flags & RS_EMPTIED))
        return;
    leaf->now_mhz = capacity - x->load.now_mhz;
    leaf->mean_mhz = bl__rs_target_mhz(rs, h) - x->load.mean_mhz;
    leaf->level_mhz =
        max_double(limit - x->load.level_mhz, capacity - x->load.size_mhz);
    leaf->mem_bytes = mem_room(rs, h);
}

static void join(struct rs *rs, uint32_t n)
{
    const struct rs_room *l = &rs->room[2 * (size_t)n], *r = l + 1;

    rs->room[n] = (struct rs_room){
        max_double(l->now_mhz, r->now_mhz),
        max_double(l->mean_mhz, r->mean_mhz),
        max_double(l->level_mhz, r->level_mhz),
        max_double(l->mem_bytes, r->mem_bytes),
    };
}

/* Leaves in the order of groups' ranks, by id in a group. */
static void order_leaves(struct rs *rs)
{
    uint32_t fill[BL_HOST_GROUPS_MAX], next = 0;

    for (uint32_t i = 0; i < rs->dc->host_group_count; i++) {
        struct rs_group *g = &rs->group[rs->by_rank[i]];

        g->first = g->on_at = g->asleep_at = next;
        next += g->count;
        fill[rs->by_rank[i]] = g->first;
    }
    for (uint32_t h = 0; h < rs->host_count; h++) {
        rs->host[h].leaf = fill[rs->s->host.group[h]]++;
        rs->host_of[rs->host[h].leaf] = h;
    }
}

void bl__rs_tree_build(struct rs *rs)
{
    order_leaves(rs);
    for (uint32_t i = rs->host_count; i < rs->leaf0; i++)
        rs->room[rs->leaf0 + i] =
            (struct rs_room){ NO_ROOM, NO_ROOM, NO_ROOM, NO_ROOM };
    for (uint32_t h = 0; h < rs->host_count; h++)
        read_leaf(rs, h);
    for (uint32_t n = rs->leaf0 - 1; n >= 1; n--)
        join(rs, n);
}

void bl__rs_tree_refresh(struct rs *rs, uint32_t host)
{
    struct rs_group *g = &rs->group[rs->s->host.group[host]];
    const uint32_t leaf = rs->host[host].leaf;

    read_leaf(rs, host);
    for (uint32_t n = (rs->leaf0 + leaf) / 2; n >= 1; n /= 2)
        join(rs, n);
    if (rs->host[host].load.vms == 0) { /* it may be spare again */
        g->on_at = leaf < g->on_at ? leaf : g->on_at;
        g->asleep_at = leaf < g->asleep_at ? leaf : g->asleep_at;
    }
}

/* ---- does it fit?
 * --------------------------------------------------------------- */

static bool fits_memory(const struct rs *rs, uint32_t h, uint32_t vm,
                        const struct rs_load *after)
{
    const double all = (double)rs->s->host.mem_bytes[h];
    const uint64_t used = bl_overlay_mem_used_bytes(rs->o, h);

    if (used + rs->s->vm.mem_used_bytes[vm] > rs->s->host.mem_bytes[h])
        return false;
    if (!(rs->s->can & BL_CAN_ENFORCE_MEMORY))
        return true;
    return after->mem_bytes <= all &&
           (double)after->size_bytes <= rs->opts.overcommit * all;
}

static bool fits(const struct rs *rs, uint32_t h, uint32_t vm, enum rs_fit fit,
                 struct rs_load *after)
{
    const double capacity = rs->s->host.capacity_mhz_now[h];
    const double limit = bl__rs_limit_mhz(rs, h);

    if (rs->s->host.core_mhz[h] < rs->s->vm.vcpu_mhz[vm] ||
        !bl_overlay_reservation_fits(rs->o, h, vm))
        return false;
    if (fit < RS_FIT_CROWD && bl__rs_too_full(rs, h, vm, fit != RS_FIT_NOW))
        return false;
    *after = bl__rs_load_if(rs, h, vm, BL_NONE);
    if (!fits_memory(rs, h, vm, after))
        return false;
    switch (fit) {
    case RS_FIT_FULL:
    case RS_FIT_PEAK:
        return (fit == RS_FIT_PEAK ||
                after->mean_mhz <= bl__rs_target_mhz(rs, h)) &&
               (after->size_mhz <= capacity || /* then nothing can go wrong */
                (after->now_mhz <= limit && after->level_mhz <= limit));
    case RS_FIT_NOW:
        return after->now_mhz <= limit && after->mean_mhz <= capacity;
    case RS_FIT_CROWD:
        return after->level_mhz <= CROWD * limit;
    case RS_FIT_ANY:
        break;
    }
    return true;
}

/* What a VM needs at the least for a host to be worth a closer look. */
static struct rs_room need_of(const struct rs *rs, uint32_t vm, enum rs_fit fit)
{
    const double mean = bl__rs_vm_mean(rs, vm);
    struct rs_room need = { NO_ROOM, NO_ROOM, NO_ROOM,
                            (double)rs->s->vm.mem_used_bytes[vm] };

    need.mem_bytes = rs->s->can & BL_CAN_ENFORCE_MEMORY
                         ? bl__rs_mem_peak(rs, vm)
                         : need.mem_bytes;
    if (fit == RS_FIT_ANY || fit == RS_FIT_CROWD)
        return need;
    need.now_mhz = rs->s->vm.demand_mhz[vm];
    if (fit == RS_FIT_NOW)
        return need;
    if (fit == RS_FIT_FULL)
        need.mean_mhz = mean;
    need.level_mhz = mean / 2; /* it may steady the others, but not so much */
    return need;
}

static bool node_has(const struct rs_room *n, const struct rs_room *need)
{
    return n->now_mhz >= need->now_mhz && n->mean_mhz >= need->mean_mhz &&
           n->level_mhz >= need->level_mhz && n->mem_bytes >= need->mem_bytes;
}

/* The next leaf after @leaf (BL_NONE: the first) that has what is needed. */
static uint32_t next_leaf(const struct rs *rs, uint32_t leaf,
                          const struct rs_room *need)
{
    uint32_t n = 1;

    if (leaf != BL_NONE) {
        n = rs->leaf0 + leaf;
        while (n & 1) /* up while it is a right child, then to the right */
            n /= 2;
        if (n == 0)
            return BL_NONE;
        n++;
    }
    for (;;) {
        if (node_has(&rs->room[n], need)) {
            if (n >= rs->leaf0)
                return n - rs->leaf0;
            n = 2 * n;
            continue;
        }
        while (n & 1)
            n /= 2;
        if (n == 0)
            return BL_NONE;
        n++;
    }
}

/* How much would be left: of the scarcer resource, as part of the host's. */
static double left_over(const struct rs *rs, uint32_t h,
                        const struct rs_load *after)
{
    const double limit = bl__rs_limit_mhz(rs, h);
    const double cpu = (limit - after->level_mhz) / limit;
    const double all = (double)rs->s->host.mem_bytes[h];

    if (!(rs->s->can & BL_CAN_ENFORCE_MEMORY))
        return cpu;

    const double mem = (all - after->mem_bytes) / all;

    return cpu < mem ? cpu : mem;
}

/* A search for the tightest: what is sought, and the best so far. */
struct rs_search {
    uint32_t vm, source, best;
    enum rs_fit fit;
    double least;
};

/* Tries leaves with @need from the left; the best of the first few that fit:
 * the tightest or, by what is asked for now, the roomiest. */
static void scan(const struct rs *rs, const struct rs_room *need,
                 struct rs_search *x, struct rs_load *after)
{
    const bool tight = x->fit == RS_FIT_FULL || x->fit == RS_FIT_PEAK;
    uint32_t tried = 0, fit_count = 0;

    for (uint32_t leaf = next_leaf(rs, BL_NONE, need);
         leaf != BL_NONE && tried < CANDIDATES && fit_count < FITS;
         leaf = next_leaf(rs, leaf, need)) {
        const uint32_t h = rs->host_of[leaf];
        struct rs_load l;
        double left;

        if (h == x->source)
            continue;
        tried++;
        if (!fits(rs, h, x->vm, x->fit, &l))
            continue;
        fit_count++;
        left = left_over(rs, h, &l);
        if (tight) {
            const double before = rs->host[h].load.level_mhz;
            const double grows =
                (l.level_mhz - before) / bl__rs_limit_mhz(rs, h);

            left += GROWTH * (grows - left);
        } else {
            left = -left;
        }
        if (x->best != BL_NONE && left >= x->least)
            continue;
        x->best = h;
        x->least = left;
        *after = l;
    }
}

/* The one with the most room for what may be asked for: down the tree, the
 * roomier side first, until it fits. */
static uint32_t roomiest(const struct rs *rs, const struct rs_room *need,
                         const struct rs_search *x, struct rs_load *after)
{
    uint32_t stack[2 * 32], depth = 0, tried = 0;

    stack[depth++] = 1;
    while (depth > 0 && tried < CANDIDATES) {
        const uint32_t n = stack[--depth];

        if (!node_has(&rs->room[n], need))
            continue;
        if (n < rs->leaf0) {
            const struct rs_room *below = &rs->room[2 * (size_t)n];
            const uint32_t right = below[1].level_mhz > below[0].level_mhz;

            stack[depth++] = 2 * n + 1 - right;
            stack[depth++] = 2 * n + right;
            continue;
        }

        const uint32_t h = rs->host_of[n - rs->leaf0];

        if (h == x->source)
            continue;
        tried++;
        if (fits(rs, h, x->vm, x->fit, after))
            return h;
    }
    return BL_NONE;
}

uint32_t bl__rs_find(const struct rs *rs, uint32_t vm, uint32_t source,
                     enum rs_fit fit, struct rs_load *after)
{
    struct rs_room need = need_of(rs, vm, fit);
    struct rs_search x = {
        .vm = vm, .source = source, .best = BL_NONE, .fit = fit
    };

    if (fit == RS_FIT_ANY)
        return roomiest(rs, &need, &x, after);
    scan(rs, &need, &x, after);
    if (x.best != BL_NONE || fit == RS_FIT_NOW || fit == RS_FIT_CROWD)
        return x.best;
    /* many are nearly full: those that have room for it as if it were alone */
    need.level_mhz = bl__rs_vm_level(rs, vm);
    scan(rs, &need, &x, after);
    return x.best;
}

/* Empty hosts that are on or, with asleep, may be woken. */
struct rs_spare {
    bool asleep;
    uint32_t rank; /* of the kinds ranked before; BL_NONE: any */
    enum rs_fit fit;
};

static bool is_spare(const struct rs *rs, uint32_t h, bool asleep)
{
    const struct rs_host *x = &rs->host[h];

    if (x->load.vms > 0 || (x->flags & (RS_EMPTIED | RS_WOKEN)))
        return false;
    return asleep ? bl__rs_may_wake(rs, h) : rs->s->host.state[h] == BL_HOST_ON;
}

/* Of one kind; the hosts before the cursor have been taken. */
static uint32_t find_spare_of(struct rs *rs, struct rs_group *g, uint32_t vm,
                              const struct rs_spare *want,
                              struct rs_load *after)
{
    uint32_t *at = want->asleep ? &g->asleep_at : &g->on_at;

    while (*at < g->first + g->count &&
           !is_spare(rs, rs->host_of[*at], want->asleep))
        ++*at;
    for (uint32_t k = *at; k < g->first + g->count && k < *at + SPARES; k++) {
        const uint32_t h = rs->host_of[k];

        if (is_spare(rs, h, want->asleep) && fits(rs, h, vm, want->fit, after))
            return h;
    }
    return BL_NONE;
}

static uint32_t find_spare(struct rs *rs, uint32_t vm,
                           const struct rs_spare *want, struct rs_load *after)
{
    for (uint32_t i = 0; i < rs->dc->host_group_count && i < want->rank; i++) {
        const uint32_t h =
            find_spare_of(rs, &rs->group[rs->by_rank[i]], vm, want, after);

        if (h != BL_NONE)
            return h;
    }
    return BL_NONE;
}

uint32_t bl__rs_find_largest(struct rs *rs, uint32_t vm, double above_mhz,
                             struct rs_load *after)
{
    uint32_t best = BL_NONE;

    for (int asleep = 0; asleep < 2; asleep++) {
        const struct rs_spare want = { .asleep = asleep == 1,
                                       .fit = RS_FIT_ANY };

        for (uint32_t i = 0; i < rs->dc->host_group_count; i++) {
            struct rs_group *g = &rs->group[rs->by_rank[i]];
            struct rs_load l;
            uint32_t h;

            if (g->capacity_mhz <= above_mhz)
                continue;
            h = find_spare_of(rs, g, vm, &want, &l);
            if (h == BL_NONE)
                continue;
            above_mhz = g->capacity_mhz;
            *after = l;
            best = h;
        }
    }
    return best;
}

uint32_t bl__rs_find_awake(struct rs *rs, uint32_t vm, uint32_t rank,
                           enum rs_fit fit, struct rs_load *after)
{
    return find_spare(rs, vm, &(struct rs_spare){ .rank = rank, .fit = fit },
                      after);
}

uint32_t bl__rs_find_empty(struct rs *rs, uint32_t vm, uint32_t rank,
                           enum rs_fit fit, struct rs_load *after)
{
    const struct rs_spare asleep = { .asleep = true, .rank = rank, .fit = fit };
    const uint32_t h = bl__rs_find_awake(rs, vm, rank, fit, after);

    return h != BL_NONE ? h : find_spare(rs, vm, &asleep, after);
}

void bl__rs_tree_check(const struct rs *rs)
{
    for (uint32_t n = 1; n < rs->leaf0; n++) {
        const struct rs_room *x = &rs->room[n], *l = &rs->room[2 * (size_t)n];

        BL_ASSERT(x->now_mhz == max_double(l[0].now_mhz, l[1].now_mhz));
        BL_ASSERT(x->mean_mhz == max_double(l[0].mean_mhz, l[1].mean_mhz));
        BL_ASSERT(x->level_mhz == max_double(l[0].level_mhz, l[1].level_mhz));
        BL_ASSERT(x->mem_bytes == max_double(l[0].mem_bytes, l[1].mem_bytes));
    }
}
