/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/pabfd.h"

#include "power/curve.h"

#include <string.h>

/* What the scan needs of a host, side by side. */
struct candidate {
    double free_mhz, core_mhz;
    double base_mhz; /* utilisation that the VM would come on top of */
    double capacity_mhz;
    double before_w;
    int64_t mem_free_bytes; /* below 0: use has grown, nothing fits */
    const struct bl_power_curve *curve;
    bool excluded, usable, asleep;
    bool listed; /* not like_new(), or not at this instant */
    /* of its list, while listed, not excluded and usable: BL_NONE at its ends.
     */
    uint32_t next, prev;
    uint8_t list;
    bool in_list;
};

/* Memory is what most hosts that run VMs lack, so these are kept in lists by
 * their free memory, and a scan begins with the list of what a VM needs. */
enum { LISTS = 64 };

struct bl_pabfd {
    struct bl_pabfd_opts opts;
    struct bl_power_curve curve[BL_HOST_GROUPS_MAX];
    const struct bl_snapshot *snap;
    const struct bl_overlay *ov;
    struct bl_overload *overload;
    struct candidate *host;
    uint32_t first[LISTS]; /* hosts in no order: see beats() */
    uint64_t filled;       /* bit i: list i has hosts */
    int64_t width_bytes;   /* of one list */
    /* of each group, awake and asleep: none before it is an empty one */
    uint32_t empty[BL_HOST_GROUPS_MAX][2];
};

bl_err bl_pabfd_create(struct bl_arena *a, const struct bl_pabfd_opts *opts,
                       struct bl_pabfd **out)
{
    struct bl_pabfd *p = bl_arena_get(a, 1, sizeof(*p));

    if (p == NULL)
        return BL_ERR_NOMEM;
    p->opts = *opts;
    p->host = bl_arena_get(a, opts->host_count, sizeof(*p->host));
    if (p->host == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t g = 0; g < opts->dc->host_group_count; g++)
        bl_power_curve_init(&p->curve[g], &opts->dc->host_group[g].power);
    *out = p;
    return BL_ERR_OK;
}

/* Running, waking, or asleep where the policy may wake it. */
static bool usable(const struct bl_snapshot *s, uint32_t h)
{
    const enum bl_host_state state = s->host.state[h];

    if (state == BL_HOST_ON || state == BL_HOST_LEAVING)
        return true;
    return state != BL_HOST_ENTERING && (s->can & BL_CAN_SWITCH_HOSTS);
}

/* QUIRK (2012): the measured utilisation, whatever was put there since. */
static double base_mhz(const struct bl_pabfd *p, uint32_t h)
{
    if (!p->opts.from_measured)
        return bl_overlay_served_mhz(p->ov, h);
    return p->snap->host.util[h] == 0 ? 0 : p->snap->host.served_mhz[h];
}

static uint32_t list_of(const struct bl_pabfd *p, int64_t mem_bytes)
{
    const int64_t i = mem_bytes / p->width_bytes;

    return i < LISTS ? (uint32_t)i : LISTS - 1;
}

static void unlist(struct bl_pabfd *p, uint32_t h)
{
    struct candidate *c = &p->host[h];

    if (!c->in_list)
        return;
    c->in_list = false;
    if (c->next != BL_NONE)
        p->host[c->next].prev = c->prev;
    if (c->prev != BL_NONE)
        p->host[c->prev].next = c->next;
    else
        p->first[c->list] = c->next;
    if (p->first[c->list] == BL_NONE)
        p->filled &= ~(UINT64_C(1) << c->list);
}

/* Where its free memory belongs; nowhere when it may not be taken. */
static void list(struct bl_pabfd *p, uint32_t h)
{
    struct candidate *c = &p->host[h];

    unlist(p, h);
    c->listed = true;
    if (c->excluded || !c->usable || c->mem_free_bytes < 0)
        return;
    c->list = (uint8_t)list_of(p, c->mem_free_bytes);
    c->prev = BL_NONE;
    c->next = p->first[c->list];
    if (c->next != BL_NONE)
        p->host[c->next].prev = h;
    p->first[c->list] = h;
    p->filled |= UINT64_C(1) << c->list;
    c->in_list = true;
}

/* No lists yet; as wide as the largest host asks for. */
static void begin_lists(struct bl_pabfd *p)
{
    const struct bl_dc *dc = p->opts.dc;
    uint64_t most = 0;

    for (uint32_t g = 0; g < dc->host_group_count; g++)
        if (dc->host_group[g].mem_bytes > most)
            most = dc->host_group[g].mem_bytes;
    p->width_bytes = (int64_t)(most / LISTS) + 1;
    p->filled = 0;
    for (uint32_t i = 0; i < LISTS; i++)
        p->first[i] = BL_NONE;
}

static void read_host(struct bl_pabfd *p, uint32_t h)
{
    struct candidate *c = &p->host[h];

    c->asleep = bl_host_asleep(p->snap, h);
    c->free_mhz = bl_overlay_free_mhz(p->ov, h);
    c->base_mhz = base_mhz(p, h);
    c->mem_free_bytes = (int64_t)p->snap->host.mem_bytes[h] -
                        (int64_t)bl_overlay_mem_used_bytes(p->ov, h);
}

static bool has_vms(const struct bl_pabfd *p, uint32_t h)
{
    uint32_t vms;

    (void)bl_overlay_vms(p->ov, h, &vms);
    return vms > 0;
}

/* Without VMs, load and anything still in flight: as good as any other of its
 * group. A host that its VMs are leaving draws power and holds memory yet. */
static bool like_new(const struct bl_pabfd *p, uint32_t h)
{
    return !has_vms(p, h) && p->snap->host.first[h] == BL_NONE &&
           p->snap->host.util[h] == 0;
}

void bl_pabfd_begin(struct bl_pabfd *p, const struct bl_snapshot *s,
                    const struct bl_overlay *ov, struct bl_overload *overload)
{
    p->snap = s;
    p->ov = ov;
    p->overload = overload;
    begin_lists(p);
    for (uint32_t h = 0; h < p->opts.host_count; h++) {
        struct candidate *c = &p->host[h];
        double u;

        c->curve = &p->curve[s->host.group[h]];
        c->core_mhz = s->host.core_mhz[h];
        c->capacity_mhz = s->host.capacity_mhz_now[h];
        c->excluded = false;
        c->usable = usable(s, h);
        read_host(p, h);
        /* QUIRK: a sleeping host counts as idle: waking it costs nothing */
        /* what was measured of a sleeping one is from before */
        u = c->asleep ? 0 : s->host.util[h];
        c->before_w = bl_power_watts(c->curve, u > 1 ? 1 : u);
        c->listed = false;
        c->in_list = false;
        if (!like_new(p, h))
            list(p, h);
    }
    memset(p->empty, 0, sizeof(p->empty));
}

void bl_pabfd_exclude(struct bl_pabfd *p, uint32_t host)
{
    p->host[host].excluded = true;
    unlist(p, host);
}

void bl_pabfd_refresh(struct bl_pabfd *p, uint32_t host)
{
    read_host(p, host);
    if (p->host[host].listed || has_vms(p, host))
        list(p, host);
}

struct need {
    uint32_t vm;
    double mhz, vcpu_mhz;
    uint64_t mem_bytes;
    bool reserves;
    bool untested; /* take it even where it overloads */
};

struct best {
    uint32_t host;
    double rise_w;
};

static bool has_room(const struct bl_pabfd *p, uint32_t h, const struct need *n)
{
    const struct candidate *c = &p->host[h];

    return !c->excluded && c->usable && c->core_mhz >= n->vcpu_mhz &&
           c->free_mhz >= n->mhz &&
           c->mem_free_bytes >= (int64_t)n->mem_bytes &&
           (!n->reserves || bl_overlay_reservation_fits(p->ov, h, n->vm));
}

static double rise(const struct candidate *c, const struct need *n)
{
    const double u = (c->base_mhz + n->mhz) / c->capacity_mhz;

    return bl_power_watts(c->curve, u > 1 ? 1 : u) - c->before_w;
}

/* Of equal rises, one that need not be woken; then the lower id. */
static bool beats(const struct bl_pabfd *p, double rise_w, uint32_t host,
                  const struct best *b)
{
    if (b->host == BL_NONE || rise_w != b->rise_w)
        return b->host == BL_NONE || rise_w < b->rise_w;
    if (p->host[host].asleep != p->host[b->host].asleep)
        return !p->host[host].asleep;
    return host < b->host;
}

/* The first empty host of group @g from *@from on that is awake or asleep. */
static uint32_t next_empty(const struct bl_pabfd *p, uint32_t g, bool asleep,
                           uint32_t *from)
{
    uint32_t h = *from;

    while (h < p->opts.host_count &&
           (p->snap->host.group[h] != g || p->host[h].asleep != asleep ||
            p->host[h].listed || p->host[h].excluded || !p->host[h].usable))
        h++;
    *from = h;
    return h;
}

/* The first empty host of each group stands for all of them. */
static void scan_empty(struct bl_pabfd *p, const struct need *n, struct best *b)
{
    for (uint32_t i = 0; i < 2 * p->opts.dc->host_group_count; i++) {
        const uint32_t g = i / 2;
        const uint32_t h = next_empty(p, g, i % 2 == 1, &p->empty[g][i % 2]);

        if (h == p->opts.host_count || !has_room(p, h, n))
            continue;

        const double rise_w = rise(&p->host[h], n);

        if (beats(p, rise_w, h, b))
            *b = (struct best){ h, rise_w };
    }
}

static void try_host(struct bl_pabfd *p, uint32_t h, const struct need *n,
                     struct best *b)
{
    const struct candidate *c = &p->host[h];
    double rise_w;

    if (!has_room(p, h, n))
        return;
    rise_w = rise(c, n);
    if (!beats(p, rise_w, h, b))
        return;
    if (c->base_mhz != 0 && !n->untested &&
        bl_overload_host(p->overload, h, n->vm).overloaded)
        return;
    *b = (struct best){ h, rise_w };
}

static void scan_occupied(struct bl_pabfd *p, const struct need *n,
                          struct best *b)
{
    const uint32_t from = list_of(p, (int64_t)n->mem_bytes);

    for (uint64_t left = p->filled >> from << from; left != 0;
         left &= left - 1) {
        const uint32_t i = (uint32_t)__builtin_ctzll(left);

        for (uint32_t h = p->first[i]; h != BL_NONE; h = p->host[h].next)
            try_host(p, h, n, b);
    }
}

static uint32_t find(struct bl_pabfd *p, uint32_t vm, bool untested,
                     double *rise_w)
{
    const struct bl_vm_table *v = &p->snap->vm;
    const struct need n = {
        .vm = vm,
        .mhz = v->demand_mhz[vm],
        .vcpu_mhz = v->demand_mhz[vm] / v->vcpu_count[vm],
        .mem_bytes = v->mem_used_bytes[vm],
        .reserves = v->cpu[v->group[vm]].reservation > 0 ||
                    v->mem[v->group[vm]].reservation > 0,
        .untested = untested,
    };
    struct best b = { BL_NONE, 0 };

    scan_empty(p, &n, &b);
    scan_occupied(p, &n, &b);
    *rise_w = b.rise_w;
    return b.host;
}

uint32_t bl_pabfd_find(struct bl_pabfd *p, uint32_t vm, double *rise_w)
{
    return find(p, vm, false, rise_w);
}

uint32_t bl_pabfd_find_any(struct bl_pabfd *p, uint32_t vm, double *rise_w)
{
    return find(p, vm, true, rise_w);
}
