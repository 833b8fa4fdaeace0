/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/first_fit.h"

#include "base/u128.h"

#define NO_ROOM (-1) /* not running: nothing fits, not even an empty VM */

struct node {
    int64_t free_khz, free_bytes; /* the largest below; a leaf's own */
};

struct bl_first_fit {
    struct bl_first_fit_opts opts;
    uint32_t leaf0;    /* index of the first leaf; a power of two */
    struct node *node; /* [1] is the root; children of n: 2n, 2n + 1 */
    uint64_t *stamp;   /* of the host when its leaf was read */
    uint64_t sequence; /* of the snapshot last walked through in full */
    uint32_t last;     /* host handed out last: it may have changed since */
};

bl_err bl_first_fit_create(struct bl_arena *a,
                           const struct bl_first_fit_opts *opts,
                           struct bl_first_fit **out)
{
    struct bl_first_fit *f = bl_arena_get(a, 1, sizeof(*f));
    uint32_t leaf0 = 1;

    while (leaf0 < opts->host_count)
        leaf0 *= 2;
    if (f == NULL)
        return BL_ERR_NOMEM;
    f->opts = *opts;
    f->leaf0 = leaf0;
    f->node = bl_arena_get(a, 2 * (size_t)leaf0, sizeof(*f->node));
    f->stamp = bl_arena_get(a, opts->host_count, sizeof(*f->stamp));
    f->sequence = UINT64_MAX;
    f->last = BL_NONE;
    if (f->node == NULL || f->stamp == NULL)
        return BL_ERR_NOMEM;
    for (size_t n = 0; n < 2 * (size_t)leaf0; n++)
        f->node[n] = (struct node){ NO_ROOM, NO_ROOM };
    *out = f;
    return BL_ERR_OK;
}

static int64_t room(uint64_t capacity, uint32_t ppm, uint64_t committed)
{
    const uint64_t most = bl_muldiv(capacity, ppm, 1000000);

    return committed <= most ? (int64_t)(most - committed) : NO_ROOM;
}

static void read_leaf(struct bl_first_fit *f, const struct bl_snapshot *s,
                      uint32_t h)
{
    struct node *leaf = &f->node[f->leaf0 + h];

    f->stamp[h] = s->host.stamp[h];
    *leaf = (struct node){ NO_ROOM, NO_ROOM };
    if (s->host.state[h] != BL_HOST_ON)
        return;
    leaf->free_khz = room(s->host.capacity_khz_max[h], f->opts.cpu_ppm,
                          s->host.committed_khz[h]);
    leaf->free_bytes = room(s->host.mem_bytes[h], f->opts.mem_ppm,
                            s->host.mem_committed_bytes[h]);
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void join(struct bl_first_fit *f, uint32_t n)
{
    const struct node *l = &f->node[2 * (size_t)n], *r = l + 1;

    f->node[n].free_khz = max_i64(l->free_khz, r->free_khz);
    f->node[n].free_bytes = max_i64(l->free_bytes, r->free_bytes);
}

/* Re-reads what changed: at a new instant all stamps are compared, within one
 * only the host handed out last can differ. */
static void catch_up(struct bl_first_fit *f, const struct bl_snapshot *s)
{
    if (f->sequence != s->sequence) {
        const bool first = f->sequence == UINT64_MAX;

        f->sequence = s->sequence;
        for (uint32_t h = 0; h < s->host.count; h++)
            if (first || f->stamp[h] != s->host.stamp[h])
                read_leaf(f, s, h);
        for (uint32_t n = f->leaf0 - 1; n >= 1; n--)
            join(f, n);
    } else if (f->last != BL_NONE &&
               f->stamp[f->last] != s->host.stamp[f->last]) {
        read_leaf(f, s, f->last);
        for (uint32_t n = (f->leaf0 + f->last) / 2; n >= 1; n /= 2)
            join(f, n);
    }
}

static bool node_fits(const struct node *n, int64_t khz, int64_t bytes)
{
    return n->free_khz >= khz && n->free_bytes >= bytes;
}

/* Overcommitted memory can be full before its committed sizes say so. */
static bool use_fits(const struct bl_snapshot *s, const struct bl_overlay *o,
                     uint32_t h, uint32_t vm)
{
    return !(s->can & BL_CAN_ENFORCE_MEMORY) ||
           bl_overlay_mem_used_bytes(o, h) + s->vm.mem_used_bytes[vm] <=
               s->host.mem_bytes[h];
}

uint32_t bl_first_fit_find(struct bl_first_fit *f, const struct bl_snapshot *s,
                           const struct bl_overlay *o, uint32_t vm)
{
    const int64_t khz = (int64_t)s->vm.size_khz[vm];
    const int64_t bytes = (int64_t)s->vm.mem_size_bytes[vm];
    uint32_t n = 1;

    catch_up(f, s);
    for (;;) {
        if (node_fits(&f->node[n], khz, bytes)) {
            if (n < f->leaf0) {
                n = 2 * n; /* down, left first */
                continue;
            }
            f->last = n - f->leaf0;
            if (s->host.core_mhz[f->last] >= s->vm.vcpu_mhz[vm] &&
                use_fits(s, o, f->last, vm) &&
                bl_overlay_reservation_fits(o, f->last, vm))
                return f->last;
        }
        while (n & 1) /* up while it is a right child, then to the right */
            n /= 2;
        if (n == 0)
            return BL_NONE;
        n++;
    }
}

/* ---- what first-fit policies share
 * -------------------------------------------- */

const struct bl_param bl_first_fit_params[BL_FIRST_FIT_PARAM_COUNT] = {
    { .name = "cpu_overcommit",
      .dim = BL_DIM_RATIO,
      .min = 100000,
      .max = 100000000,
      .def = 1000000,
      .meaning = "committed CPU over a host's capacity, at most" },
    { .name = "mem_overcommit",
      .dim = BL_DIM_RATIO,
      .min = 100000,
      .max = 100000000,
      .def = 1000000,
      .meaning = "committed memory over a host's memory, at most" },
};

bl_err bl_first_fit_policy_create(struct bl_arena *a,
                                  const struct bl_policy_env *env, void **state)
{
    const struct bl_first_fit_opts opts = {
        .host_count = env->host_count,
        .cpu_ppm = (uint32_t)bl_params_get(env->params, "cpu_overcommit"),
        .mem_ppm = (uint32_t)bl_params_get(env->params, "mem_overcommit"),
    };
    struct bl_first_fit *f = NULL;

    BL_TRY(bl_first_fit_create(a, &opts, &f));
    *state = f;
    return BL_ERR_OK;
}

void bl_first_fit_policy_place(void *state, const struct bl_snapshot *s,
                               struct bl_overlay *o, uint32_t vm,
                               struct bl_plan *plan)
{
    const uint32_t h = bl_first_fit_find(state, s, o, vm);

    if (h == BL_NONE)
        return;
    bl_plan_add(plan, &(struct bl_action){
                          .kind = BL_ACTION_PLACE,
                          .reason = BL_REASON_FIRST_FIT,
                          .vm = vm,
                          .host = h,
                          .source = BL_NONE,
                          .figure = { s->vm.size_mhz[vm],
                                      ((double)s->host.capacity_khz_max[h] -
                                       (double)s->host.committed_khz[h]) /
                                          1000 },
                      });
}
