/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_pools - resource pools of a whole cluster, as bounds of its VMs.
 *
 * Source     DESIGN.md 5.1; doc/models/pools.md.
 * Idea       a pool's limit and reservation hold for the cluster, hosts divide
 *            by themselves. So the tree is divided twice, over all placed VMs:
 *            once with capacity without end, which says what the limits leave
 *            each VM; once with just what all are sure of, which says how each
 *            pool's reservation is spread over its VMs. Those two, and shares
 *            multiplied out along the tree, are a VM's settings on its host.
 * Bound      at every settled instant no pool's VMs get more than its limit
 *            (bl__real_pools_check; test_real_pools).
 * Deviation  a pool's reservation is met where its VMs' hosts can; what a VM
 *            may have under a limit and its host cannot give is not offered to
 *            its siblings elsewhere.
 * Cost       O(VMs + pools) for a trace step, and for an instant at which VMs
 *            were placed or moved to where they can use more or less; nothing
 *            where there are no pools.
 */
#include "base/units.h"
#include "sim/real_priv.h"

/* With it and BL_POOL_AMOUNT_MAX sums are in bl_entitle()'s range. */
#define VMS_BYTES_MAX (UINT64_C(1) << 61)
#define ENDLESS (UINT64_MAX / 2)
#define SHARES_ALL (UINT64_C(1) << 60)

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

/* ---- creation ---------------------------------------------------------------
 */

/* The largest amount of memory that one VM can have anywhere. */
static uint64_t vm_bytes_max(const struct bl_dc *dc)
{
    uint64_t vm = 0, host = 0;

    for (uint32_t g = 0; g < dc->vm_group_count; g++) {
        const struct bl_vm_group *x = &dc->vm_group[g];
        const uint64_t bytes =
            x->size_from_trace ? BL_MEM_BYTES_MAX : x->mem_bytes;

        vm = bytes > vm ? bytes : vm;
    }
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        if (dc->host_group[g].mem_bytes > host)
            host = dc->host_group[g].mem_bytes;
    return vm < host ? vm : host;
}

bl_err bl__real_pools_create(struct bl_sim *sim, struct bl_arena *a,
                             struct bl_diag *diag)
{
    const struct bl_dc *dc = sim->opts.dc;
    const uint32_t slots = sim->col.slot_count, pools = dc->pools.count;
    struct bl_real_pools *x;
    bool ok = true;

    if (pools == 0)
        return BL_ERR_OK;
    if (vm_bytes_max(dc) > VMS_BYTES_MAX / slots)
        return bl_diag_set(
            diag, BL_ERR_INVAL, NULL, 0,
            "pools: %u VMs of up to %llu MiB at once, expected "
            "at most 2 EiB in all",
            slots, (unsigned long long)(vm_bytes_max(dc) / (uint64_t)BL_MIB));
    x = bl_arena_get(a, 1, sizeof(*x));
    if (x != NULL) {
        x->count = pools;
        TAKE(a, x->vm, slots, ok);
        TAKE(a, x->leaf, slots, ok);
        TAKE(a, x->leaf_pool, slots, ok);
        TAKE(a, x->most, slots, ok);
        TAKE(a, x->sure, slots, ok);
        TAKE(a, x->scratch.claim, (size_t)slots + pools, ok);
        TAKE(a, x->scratch.got, (size_t)slots + pools, ok);
        TAKE(a, x->scratch.work, (size_t)slots + pools, ok);
        TAKE(a, x->scratch.child, (size_t)slots + pools, ok);
        TAKE(a, x->scratch.first, (size_t)pools + 2, ok);
        TAKE(a, x->scratch.pool_claim, pools, ok);
        TAKE(a, x->scratch.pool_out, pools, ok);
        for (int r = 0; r < BL_REAL_RESOURCES; r++) {
            TAKE(a, x->bound[r], slots, ok);
            TAKE(a, x->counted[r], slots, ok);
            bl_pools_of(&dc->pools, (enum bl_resource)r, x->pool[r]);
        }
    }
    if (x == NULL || !ok)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    bl__real(sim)->pools = x;
    return BL_ERR_OK;
}

/* ---- claims of all placed VMs ----------------------------------------------
 */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Its settings as if there were no pools. */
static struct bl_real_bound own_bound(const struct bl_sim *sim,
                                      enum bl_resource r, uint32_t vm)
{
    const struct bl_columns *c = &sim->col;
    const uint32_t group = c->vm_group[vm];
    const struct bl_settings *s =
        r == BL_RESOURCE_CPU ? &c->cpu[group] : &c->mem[group];

    return (struct bl_real_bound){
        .shares = r == BL_RESOURCE_CPU
                      ? bl_cpu_shares(s, c->vm_vcpu_count[vm])
                      : bl_mem_shares(s, c->vm_mem_size_bytes[vm]),
        .reservation = s->reservation,
        .limit = s->limit,
    };
}

/* What @vm could use on @h in this trace step. */
static uint64_t demand_of(const struct bl_sim *sim, enum bl_resource r,
                          uint32_t vm, uint32_t h)
{
    if (r == BL_RESOURCE_MEM)
        return min_u64(bl__real_mem_used(sim, vm), sim->col.host_mem_bytes[h]);
    return min_u64(bl__real_raw_khz(sim, vm),
                   bl__real_core_cap_khz(sim, vm, h));
}

static void list_leaves(const struct bl_sim *sim, enum bl_resource r,
                        struct bl_real_pools *x)
{
    uint32_t n = 0;

    for (uint32_t vm = 0; vm < sim->col.slot_count; vm++) {
        if (sim->col.vm_state[vm] != BL_VM_PLACED)
            continue;

        const struct bl_real_bound own = own_bound(sim, r, vm);
        const uint64_t demand = demand_of(sim, r, vm, sim->col.vm_host[vm]);

        x->vm[n] = vm;
        x->leaf_pool[n] =
            bl_pool_index(sim->opts.dc->vm_group[sim->col.vm_group[vm]].pool);
        x->leaf[n++] = (struct bl_claim){ .shares = own.shares,
                                          .reservation = own.reservation,
                                          .limit = own.limit,
                                          .demand = demand };
        x->counted[r][vm] = demand;
    }
    x->leaf_count = n;
}

/* ---- shares, multiplied out
 * --------------------------------------------------
 */

/* Of who wants something, a part of what the parent has, from SHARES_ALL down;
 * at least 1. Leaves the weights of leaves in x->scratch.got. */
static void multiply_shares(struct bl_real_pools *x, enum bl_resource r)
{
    const struct bl_pool *pool = x->pool[r];
    uint64_t sum[BL_POOLS_MAX + 1] = { 0 }, has[BL_POOLS_MAX + 1];

    /* Slot 0 is the root (BL_POOL_ROOT + 1), slot p + 1 pool p; what pools
     * claim is left from the division before. */
    for (uint32_t i = 0; i < x->leaf_count; i++)
        if (x->leaf[i].limit > 0 && x->leaf[i].demand > 0)
            sum[x->leaf_pool[i] + 1] += x->leaf[i].shares;
    for (uint32_t p = x->count; p-- > 0;)
        if (x->scratch.pool_claim[p].demand > 0)
            sum[pool[p].parent + 1] += pool[p].shares;
    has[0] = SHARES_ALL;
    for (uint32_t p = 0; p < x->count; p++) {
        const uint32_t from = pool[p].parent + 1;

        has[p + 1] = x->scratch.pool_claim[p].demand > 0
                         ? bl_muldiv(has[from], pool[p].shares, sum[from])
                         : 0;
    }
    for (uint32_t i = 0; i < x->leaf_count; i++) {
        const uint32_t from = x->leaf_pool[i] + 1;
        const bool wants = x->leaf[i].limit > 0 && x->leaf[i].demand > 0;
        const uint64_t part =
            wants ? bl_muldiv(has[from], x->leaf[i].shares, sum[from]) : 0;

        x->scratch.got[i] = part > 0 ? part : 1;
    }
}

/* ---- bounds
 * ------------------------------------------------------------------
 */

/* What all children of the root are sure of. */
static uint64_t sure_in_all(const struct bl_real_pools *x, enum bl_resource r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < x->leaf_count; i++)
        if (x->leaf_pool[i] == BL_POOL_ROOT)
            sum += min_u64(x->leaf[i].reservation, x->leaf[i].demand);
    for (uint32_t p = 0; p < x->count; p++) {
        const struct bl_claim *c = &x->scratch.pool_claim[p];

        if (x->pool[r][p].parent == BL_POOL_ROOT)
            sum += min_u64(c->reservation, c->demand);
    }
    return sum;
}

static struct bl_real_bound bound_of(const struct bl_real_pools *x, uint32_t i)
{
    const struct bl_claim *c = &x->leaf[i];
    const bool held = x->most[i] < min_u64(c->limit, c->demand);
    struct bl_real_bound b = { .shares = x->scratch.got[i],
                               .reservation = c->reservation,
                               .limit = held ? x->most[i] : c->limit };

    if (x->sure[i] > b.reservation)
        b.reservation = x->sure[i];
    b.reservation = min_u64(b.reservation, b.limit);
    return b;
}

static bool same(const struct bl_real_bound *a, const struct bl_real_bound *b)
{
    return a->shares == b->shares && a->reservation == b->reservation &&
           a->limit == b->limit;
}

/* Close the accounts of all hosts that @vm's bounds concern, unless a pass
 * comes that closes all. */
static void touch_hosts(struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real_move *m = &bl__real(sim)->move[vm];

    bl__real_touch(sim, sim->col.vm_host[vm]);
    if (m->phase != REAL_NO_MOVE)
        bl__real_touch(sim, m->host[REAL_TARGET]);
}

static void update_one(struct bl_sim *sim, enum bl_resource r, bool pass)
{
    struct bl_real_pools *x = bl__real(sim)->pools;
    struct bl_pool_tree tree = { .pool = x->pool[r],
                                 .pool_count = x->count,
                                 .leaf = x->leaf,
                                 .leaf_pool = x->leaf_pool };

    list_leaves(sim, r, x);
    tree.leaf_count = x->leaf_count;
    (void)bl_pool_entitle(ENDLESS, &tree, x->most, &x->scratch);
    (void)bl_pool_entitle(sure_in_all(x, r), &tree, x->sure, &x->scratch);
    multiply_shares(x, r);
    for (uint32_t i = 0; i < x->leaf_count; i++) {
        const struct bl_real_bound b = bound_of(x, i);
        struct bl_real_bound *now = &x->bound[r][x->vm[i]];

        if (same(&b, now))
            continue;
        if (!pass)
            touch_hosts(sim, x->vm[i]);
        *now = b;
        if (r == BL_RESOURCE_CPU)
            bl__real_set_cap(sim, x->vm[i], sim->col.vm_host[x->vm[i]]);
    }
}

void bl__real_pools_arrived(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real_pools *x = bl__real(sim)->pools;

    for (int r = 0; r < BL_REAL_RESOURCES; r++) {
        x->bound[r][vm] = own_bound(sim, (enum bl_resource)r, vm);
        x->counted[r][vm] = UINT64_MAX;
    }
}

void bl__real_pools_moved(struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    struct bl_real_pools *x = bl__real(sim)->pools;

    for (int r = 0; r < BL_REAL_RESOURCES && h != BL_NONE; r++)
        if (x->counted[r][vm] != demand_of(sim, (enum bl_resource)r, vm, h))
            x->stale = true;
}

void bl__real_pools_update(struct bl_sim *sim, bool pass)
{
    for (int r = 0; r < BL_REAL_RESOURCES; r++)
        update_one(sim, (enum bl_resource)r, pass);
    bl__real(sim)->pools->stale = false;
}

/* ---- check
 * -------------------------------------------------------------------
 */

void bl__real_pools_check(const struct bl_sim *sim)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_pools *x = r->pools;
    uint64_t khz[BL_POOLS_MAX + 1] = { 0 }, bytes[BL_POOLS_MAX + 1] = { 0 };

    if (x->stale || r->dirty_count > 0)
        return;
    for (uint32_t vm = 0; vm < sim->col.slot_count; vm++) {
        const uint32_t p = sim->opts.dc->vm_group[sim->col.vm_group[vm]].pool;

        if (sim->col.vm_state[vm] != BL_VM_PLACED ||
            sim->col.host_state[sim->col.vm_host[vm]] != BL_HOST_ON)
            continue;
        khz[p] += r->vm[vm].want_khz;
        bytes[p] += sim->col.vm_mem_used_bytes[vm];
        if (!(r->vm_flags[vm] & REAL_SHORT))
            continue;
        for (int c = 0; c < BL_CAUSE_COUNT; c++)
            khz[p] -= r->rare[vm].short_khz[c];
        bytes[p] -= r->rare[vm].mem_short_bytes;
    }
    for (uint32_t p = x->count; p > 0; p--) {
        const struct bl_pool_desc *d = &sim->opts.dc->pools.pool[p - 1];

        BL_ASSERT(khz[p] <= d->cpu.set.limit);
        BL_ASSERT(bytes[p] <= d->mem.set.limit);
        khz[d->parent] += khz[p];
        bytes[d->parent] += bytes[p];
    }
}
