/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_pool - resource pools of one host, as settings of its VMs.
 *
 * Source     DESIGN.md 5.1; doc/models/pools.md.
 * Idea       the dispatcher knows VMs only. At the start and then every control
 *            interval the pool tree is divided (bl_pool_entitle()): among what
 *            VMs demanded in the last interval, and among all VMs alive as if
 *            they wanted everything and nothing was limited. A VM's shares
 *            become the larger of the two: who is short gets what the tree
 *            gives it, who is not keeps what it could claim, for when it wakes
 *            up. Within pools with a limit each VM has a standing limit, too:
 *            a third division gives it what the first one did, and divides what
 *            is left of the pool's limit by shares. To that limit comes what
 *            the pool did not use of it before, at most one interval of it:
 *            else a VM that is idle most of the time would be slow whenever it
 *            is not, though the limit is far away.
 * Bound      VMs of pools that always have demand receive what the tree says
 *            within 1 % over 10 s. The VMs of a limited pool together receive
 *            in any T at most limit * (T + one interval), 1 ppm for each VM,
 *            and what their budgets hold and can overdraw (sched/limit.c: 10 ms
 *            of the limit, 2 ms and a slice for each vCPU), which is paid back
 *            afterwards; both test_host_shares.
 * Deviation  between two divisions shares that a VM does not use go to all VMs,
 *            not to those of its pool first; a VM of a limited pool whose limit
 *            others use up waits until the next one when it wakes up, whatever
 *            it has reserved; and which pCPUs VMs may use is not considered.
 * Cost       O(VMs + vCPUs + pools) a control interval; nothing without pools.
 */
#include "sim/host_priv.h"

#include "hv/admit.h"

struct host_pools {
    uint32_t count, *leaf_pool;        /* [vm] */
    struct bl_pool khz[BL_POOLS_MAX];  /* as described */
    struct bl_pool pool[BL_POOLS_MAX]; /* in ns of the interval */
    struct bl_claim *leaf;             /* [vm] */
    uint64_t *given;                   /* [vm] by demand */
    uint64_t *most;                    /* [vm] if all wanted, without limits */
    uint64_t *bound;                   /* [vm] standing limits */
    int64_t *demand_ns;                /* [vm] up to the last control */
    int64_t *charged_ns;               /* [vm] up to the last control */
    int64_t saved_ns[BL_POOLS_MAX];    /* of its limit; below 0: overdrawn */
    bool limited[BL_POOLS_MAX];        /* it or a parent has a limit */
    bool any_limited;
    struct bl_pool_scratch scratch;
};

/* ---- admission ---------------------------------------------------------- */

struct admission {
    const struct bl_host_sim *s;
    const char *kind, *name; /* of who asks */
    unsigned long line;
};

static bl_err refused(const struct admission *by,
                      const struct bl_admit_answer *answer,
                      struct bl_diag *diag)
{
    const struct bl_pool_set *set = &by->s->opts.pools->pools;
    char text[256];

    if (answer->pool == BL_POOL_ROOT)
        bl__host_full_text(by->s, answer->need, answer->have, text,
                           sizeof(text));
    else
        (void)bl_admit_text(answer, set->pool[answer->pool].name, BL_DIM_FREQ,
                            text, sizeof(text));
    return bl_diag_set(diag, BL_ERR_INVAL, by->s->opts.file, by->line,
                       "%s %s is not admitted: %s", by->kind, by->name, text);
}

static bl_err admit_class(struct bl_host_sim *s, struct bl_admit *admit,
                          uint32_t class_index, struct bl_diag *diag)
{
    const struct host_class *c = &s->class[class_index];
    const uint32_t pool = bl__host_pool_of(s, c);

    for (uint32_t i = 0; i < c->vm_count; i++) {
        const struct bl_admit_answer answer =
            bl_admit_ask(admit, pool, c->cpu->reservation);

        if (answer.why != BL_ADMIT_FITS) {
            char name[BL_NAME_BYTES];
            const struct admission by = { .s = s,
                                          .kind = "VM",
                                          .name = name,
                                          .line = bl__host_class_line(s, c) };

            bl__host_name_vm(s, class_index, i, name);
            return refused(&by, &answer, diag);
        }
        bl_admit_take(admit, pool, c->cpu->reservation);
    }
    return BL_ERR_OK;
}

bl_err bl__host_pools_admit(struct bl_host_sim *s, struct bl_diag *diag)
{
    const struct bl_dc *dc = s->opts.pools;
    struct bl_pool pool[BL_POOLS_MAX];
    uint64_t used[BL_POOLS_MAX + 1] = { 0 };
    struct bl_admit admit = {
        .pool = pool,
        .capacity = bl_muldiv(s->capacity_ppm - s->overhead_ppm,
                              s->spec->core_khz, (uint64_t)BL_PPM),
        .used = used,
    };
    uint32_t who = 0;

    if (dc == NULL || dc->pools.count == 0)
        return BL_ERR_OK;
    admit.pool_count = dc->pools.count;
    bl_pools_of(&dc->pools, BL_RESOURCE_CPU, pool);

    const struct bl_admit_answer answer = bl_admit_reset(&admit, &who);

    if (answer.why != BL_ADMIT_FITS) {
        const struct admission by = { .s = s,
                                      .kind = "pool",
                                      .name = dc->pools.pool[who].name,
                                      .line = dc->pools.pool[who].line };

        return refused(&by, &answer, diag);
    }
    for (uint32_t i = 0; i < s->class_count; i++)
        BL_TRY(admit_class(s, &admit, i, diag));
    s->promised_ppm = bl_muldiv(used[0], (uint64_t)BL_PPM, s->spec->core_khz);
    return BL_ERR_OK;
}

/* ---- creation ----------------------------------------------------------- */

static bl_err take_scratch(struct bl_arena *a, uint32_t vms, uint32_t pools,
                           struct bl_pool_scratch *s)
{
    const size_t nodes = (size_t)vms + pools;

    s->claim = bl_arena_get(a, nodes, sizeof(*s->claim));
    s->got = bl_arena_get(a, nodes, sizeof(*s->got));
    s->work = bl_arena_get(a, nodes, sizeof(*s->work));
    s->child = bl_arena_get(a, nodes, sizeof(*s->child));
    s->first = bl_arena_get(a, (size_t)pools + 2, sizeof(*s->first));
    s->pool_claim = bl_arena_get(a, pools, sizeof(*s->pool_claim));
    s->pool_out = bl_arena_get(a, pools, sizeof(*s->pool_out));
    if (s->claim == NULL || s->got == NULL || s->work == NULL ||
        s->child == NULL || s->first == NULL || s->pool_claim == NULL ||
        s->pool_out == NULL)
        return BL_ERR_NOMEM;
    return BL_ERR_OK;
}

/* A limit that is no less than the host is none. */
static void find_limits(const struct bl_host_sim *s, struct host_pools *x)
{
    const uint64_t host_khz =
        bl_muldiv(s->capacity_ppm, s->spec->core_khz, (uint64_t)BL_PPM);

    for (uint32_t i = 0; i < x->count; i++) {
        struct bl_pool *p = &x->khz[i];

        if (p->limit >= host_khz)
            p->limit = BL_NO_LIMIT;
        x->limited[i] = p->limit != BL_NO_LIMIT ||
                        (p->parent != BL_POOL_ROOT && x->limited[p->parent]);
        x->any_limited = x->any_limited || x->limited[i];
    }
}

bl_err bl__host_pools_create(struct bl_arena *a, struct bl_host_sim *s)
{
    const struct bl_dc *dc = s->opts.pools;
    const uint32_t n = s->vm_count;
    struct host_pools *x;

    s->control_ns = INT64_MAX;
    if (dc == NULL || dc->pools.count == 0)
        return BL_ERR_OK;
    x = bl_arena_get(a, 1, sizeof(*x));
    if (x == NULL)
        return BL_ERR_NOMEM;
    x->count = dc->pools.count;
    x->leaf_pool = bl_arena_get(a, n, sizeof(*x->leaf_pool));
    x->leaf = bl_arena_get(a, n, sizeof(*x->leaf));
    x->given = bl_arena_get(a, n, sizeof(*x->given));
    x->most = bl_arena_get(a, n, sizeof(*x->most));
    x->bound = bl_arena_get(a, n, sizeof(*x->bound));
    x->charged_ns = bl_arena_get(a, n, sizeof(*x->charged_ns));
    x->demand_ns = bl_arena_get(a, n, sizeof(*x->demand_ns));
    if (x->leaf_pool == NULL || x->leaf == NULL || x->given == NULL ||
        x->most == NULL || x->bound == NULL || x->charged_ns == NULL ||
        x->demand_ns == NULL)
        return BL_ERR_NOMEM;
    BL_TRY(take_scratch(a, n, x->count, &x->scratch));
    bl_pools_of(&dc->pools, BL_RESOURCE_CPU, x->khz);
    for (uint32_t i = 0; i < n; i++)
        x->leaf_pool[i] = bl__host_pool_of(s, s->vm[i].class);
    find_limits(s, x);
    s->pools = x;
    s->control_ns = 0;
    return BL_ERR_OK;
}

/* ---- dividing ----------------------------------------------------------- */

/* What the pools' settings are in @ns of time. */
static void pools_in_time(const struct bl_host_sim *s, struct host_pools *x,
                          int64_t ns)
{
    const uint64_t khz = s->spec->core_khz;

    for (uint32_t i = 0; i < x->count; i++) {
        struct bl_pool *p = &x->pool[i];

        *p = x->khz[i];
        p->reservation = bl_muldiv(p->reservation, (uint64_t)ns, khz);
        if (p->limit != BL_NO_LIMIT)
            p->limit = bl_muldiv(p->limit, (uint64_t)ns, khz);
    }
}

static void divide_tree(const struct bl_host_sim *s, struct host_pools *x,
                        const struct bl_claim *claim, uint64_t capacity,
                        uint64_t *out)
{
    const struct bl_pool_tree tree = { .pool = x->pool,
                                       .pool_count = x->count,
                                       .leaf = claim,
                                       .leaf_pool = x->leaf_pool,
                                       .leaf_count = s->vm_count };

    (void)bl_pool_entitle(capacity, &tree, out, &x->scratch);
}

static uint64_t capacity_of(const struct bl_host_sim *s, int64_t ns)
{
    return bl_muldiv(s->capacity_ppm, (uint64_t)ns, (uint64_t)BL_PPM);
}

void bl__host_divide(struct bl_host_sim *s, const struct bl_claim *claim,
                     int64_t ns, uint64_t *out)
{
    const uint64_t capacity = capacity_of(s, ns);
    struct host_pools *x = s->pools;

    if (x == NULL) {
        (void)bl_entitle(capacity, claim, s->vm_count, out, s->measure.scratch);
        return;
    }
    pools_in_time(s, x, ns);
    divide_tree(s, x, claim, capacity, out);
}

/* ---- control ------------------------------------------------------------ */

/* Demand since the last control: all of it, the first time. */
static uint64_t demand_of(struct bl_host_sim *s, struct host_pools *x,
                          uint32_t vm, int64_t ns)
{
    const struct host_vm *m = &s->vm[vm];
    const int64_t now_ns = bl__host_demand_ns(s, vm);
    const int64_t new_ns = now_ns - x->demand_ns[vm];

    x->demand_ns[vm] = now_ns;
    return s->now_ns == 0 ? (uint64_t)ns * m->count : (uint64_t)new_ns;
}

static bool is_alive(const struct bl_host_sim *s, uint32_t vm)
{
    const struct host_vm *m = &s->vm[vm];

    return m->end_ns == INT64_MAX &&
           m->start_ns < s->now_ns + s->spec->control_ns;
}

/* All that @vm could use. */
static uint64_t all_of(const struct bl_host_sim *s, uint32_t vm, int64_t ns)
{
    return is_alive(s, vm) ? (uint64_t)ns * s->vm[vm].count : 0;
}

/* The same of what a power cap leaves. */
static uint64_t allowed_of(const struct bl_host_sim *s, int64_t ns)
{
    return s->power == NULL ? capacity_of(s, ns)
                            : bl_muldiv(bl__host_cap_capacity_ppm(s),
                                        (uint64_t)ns, (uint64_t)BL_PPM);
}

/* Into most[]: by weight alone, a limit must not make anybody less important
 * below it. */
static void divide_weight(struct bl_host_sim *s, struct host_pools *x,
                          int64_t ns)
{
    for (uint32_t i = 0; i < s->vm_count; i++) {
        x->leaf[i] = bl__host_claim(&s->vm[i].set, ns);
        x->leaf[i].limit = BL_NO_LIMIT;
        x->leaf[i].demand = all_of(s, i, ns);
    }
    pools_in_time(s, x, ns);
    for (uint32_t i = 0; i < x->count; i++)
        x->pool[i].limit = BL_NO_LIMIT;
    divide_tree(s, x, x->leaf, allowed_of(s, ns), x->most);
}

static void divide_demand(struct bl_host_sim *s, struct host_pools *x,
                          int64_t ns)
{
    for (uint32_t i = 0; i < s->vm_count; i++) {
        x->leaf[i] = bl__host_claim(&s->vm[i].set, ns);
        x->leaf[i].demand = is_alive(s, i) ? demand_of(s, x, i, ns) : 0;
    }
    pools_in_time(s, x, ns);
    divide_tree(s, x, x->leaf, allowed_of(s, ns), x->given);
}

static int64_t charged_of(const struct bl_host_sim *s, uint32_t vm)
{
    const struct host_vm *m = &s->vm[vm];
    int64_t sum = 0;

    for (uint32_t v = m->first; v < m->first + m->count; v++)
        sum += bl_sched_vcpu(s->sched, v, s->now_ns).charged_ns;
    return sum;
}

/* What pools did not use of their limits since the last control, one interval
 * of it at most, or what budgets let them use too much. */
static void save(struct bl_host_sim *s, struct host_pools *x, int64_t ns)
{
    pools_in_time(s, x, ns);
    for (uint32_t i = 0; i < x->count && s->now_ns > 0; i++)
        if (x->pool[i].limit != BL_NO_LIMIT)
            x->saved_ns[i] += (int64_t)x->pool[i].limit;
    for (uint32_t i = 0; i < s->vm_count; i++) {
        const int64_t now_ns = charged_of(s, i);

        for (uint32_t p = x->leaf_pool[i]; p != BL_POOL_ROOT;
             p = x->khz[p].parent)
            if (x->pool[p].limit != BL_NO_LIMIT)
                x->saved_ns[p] -= now_ns - x->charged_ns[i];
        x->charged_ns[i] = now_ns;
    }
    for (uint32_t i = 0; i < x->count; i++)
        if (x->saved_ns[i] > 0 && (uint64_t)x->saved_ns[i] > x->pool[i].limit)
            x->saved_ns[i] = (int64_t)x->pool[i].limit;
}

/* The limit @ns for the next interval, with what was saved; what was overdrawn
 * is paid back with half of it, so that nobody stands still for long. */
static uint64_t with_saved(uint64_t ns, int64_t saved_ns)
{
    const int64_t sum_ns = (int64_t)ns + saved_ns;
    const int64_t least_ns = (int64_t)(ns / 2);

    return (uint64_t)(sum_ns > least_ns ? sum_ns : least_ns);
}

/* Into bound[]: given[] at least, and all that limits leave. The capacity does
 * not matter, it is there for whoever comes first. */
static void divide_bounds(struct bl_host_sim *s, struct host_pools *x,
                          int64_t ns)
{
    for (uint32_t i = 0; i < s->vm_count; i++) {
        x->leaf[i].reservation = x->given[i];
        x->leaf[i].demand = all_of(s, i, ns);
    }
    save(s, x, ns); /* leaves pool[] in time */
    for (uint32_t i = 0; i < x->count; i++) {
        x->pool[i].reservation = 0;
        x->pool[i].expandable = true;
        if (x->pool[i].limit != BL_NO_LIMIT)
            x->pool[i].limit = with_saved(x->pool[i].limit, x->saved_ns[i]);
    }
    divide_tree(s, x, x->leaf, (uint64_t)ns * s->vcpu_count, x->bound);
}

static uint64_t rate_ppm(uint64_t given_ns, int64_t ns)
{
    return bl_muldiv(given_ns, (uint64_t)BL_PPM, (uint64_t)ns);
}

/* @vm's settings until the next control. */
static void set_vm(struct bl_host_sim *s, struct host_pools *x, uint32_t vm,
                   int64_t ns)
{
    const struct host_vm *m = &s->vm[vm];
    const uint32_t pool = x->leaf_pool[vm];
    const uint64_t most =
        x->most[vm] > x->given[vm] ? x->most[vm] : x->given[vm];
    const uint64_t rate = rate_ppm(most, ns);
    struct bl_sched_settings set = m->set;

    set.shares = rate > 0 ? rate : 1;
    if (pool != BL_POOL_ROOT && x->limited[pool]) {
        /* all it could use were no limit: its budget would be forgotten, and
         * be full when there is a limit again */
        const uint64_t most_ppm = m->count * (uint64_t)BL_PPM - 1;
        uint64_t limit = rate_ppm(x->bound[vm], ns);

        limit = limit < most_ppm ? limit : most_ppm;
        limit = limit > 0 ? limit : 1;
        if (limit < set.limit_ppm)
            set.limit_ppm = limit;
        if (set.reservation_ppm > set.limit_ppm)
            set.reservation_ppm = set.limit_ppm;
    }
    s->vm[vm].control = set;
    bl__host_apply(s, vm);
}

void bl__host_apply(struct bl_host_sim *s, uint32_t vm)
{
    const struct host_vm *m = &s->vm[vm];
    struct bl_sched_settings set = m->control;

    if (m->cap_ppm < set.limit_ppm)
        set.limit_ppm = m->cap_ppm;
    if (set.reservation_ppm > set.limit_ppm)
        set.reservation_ppm = set.limit_ppm;
    bl_sched_set(s->sched, vm, &set, s->now_ns);
}

void bl__host_control(struct bl_host_sim *s)
{
    struct host_pools *x = s->pools;
    const int64_t ns = s->spec->control_ns;

    divide_weight(s, x, ns);
    divide_demand(s, x, ns);
    if (x->any_limited)
        divide_bounds(s, x, ns);
    for (uint32_t i = 0; i < s->vm_count; i++)
        set_vm(s, x, i, ns);
    s->control_ns += ns;
}
