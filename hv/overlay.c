/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each host's list is a run of ids in one pool; a list that outgrows its run
 * moves to the end of the pool with twice the room. Undo gives that back, and
 * the pool starts afresh at every reset, so outstanding moves and what refresh
 * finds new bound it (pool_words()).
 */
#include "hv/overlay.h"

#include "hv/admission.h"

#include <string.h>

enum { ROOM_EXTRA = 4 };

struct ov_host {
    uint32_t at, count, room; /* the run in the pool */
    uint64_t stamp;
    double served_mhz, free_mhz, demand_mhz;
    uint64_t mem_used_bytes;
    uint64_t reserved_khz, reserved_bytes; /* of the VMs in the list */
};

/* One put or take, and all that it changed. */
struct ov_undo {
    uint32_t host, vm;
    uint32_t position; /* where it was taken; BL_NONE: it was a put */
    uint32_t pool_used;
    struct ov_host before;
};

struct bl_overlay {
    const struct bl_snapshot *snap;
    struct bl_admission admission;
    uint32_t host_count;
    struct ov_host *host;
    uint32_t *pool;
    uint32_t pool_used, pool_max;
    struct ov_undo *undo;
    uint32_t undo_count, undo_max;
    uint64_t stamp_next;
};

/* Runs hold count + ROOM_EXTRA; each doubling is paid by as many puts. */
static uint64_t pool_words(uint64_t hosts, uint64_t residents, uint64_t moves)
{
    return hosts * ROOM_EXTRA * 4 + residents * 4 + moves * 8;
}

bl_err bl_overlay_create(struct bl_arena *a, uint32_t host_count,
                         uint32_t resident_max, uint32_t move_max,
                         struct bl_overlay **out)
{
    struct bl_overlay *o = bl_arena_get(a, 1, sizeof(*o));
    const uint64_t words = pool_words(host_count, resident_max, move_max);

    if (o == NULL || words >= UINT32_MAX)
        return BL_ERR_NOMEM;
    o->host_count = host_count;
    o->host = bl_arena_get(a, host_count, sizeof(*o->host));
    o->pool_max = (uint32_t)words;
    o->pool = bl_arena_get(a, words, sizeof(*o->pool));
    o->undo_max = move_max;
    o->undo = bl_arena_get(a, move_max, sizeof(*o->undo));
    o->stamp_next = 1;
    if (o->host == NULL || o->pool == NULL || o->undo == NULL)
        return BL_ERR_NOMEM;
    *out = o;
    return BL_ERR_OK;
}

/* Count the entries that will be there once what is in flight has landed. */
static uint32_t count_staying(const struct bl_snapshot *s, uint32_t h,
                              bool *in_flight)
{
    uint32_t n = 0;

    *in_flight = false;
    for (uint32_t r = s->host.first[h]; r != BL_NONE; r = s->resident[r].next) {
        if (s->resident[r].role != BL_ROLE_HERE)
            *in_flight = true;
        if (s->resident[r].role != BL_ROLE_OUT)
            n++;
    }
    return n;
}

static void take_run(struct bl_overlay *o, struct ov_host *h, uint32_t room)
{
    BL_ASSERT(room <= o->pool_max - o->pool_used);
    h->at = o->pool_used;
    h->room = room;
    o->pool_used += room;
}

static uint64_t reservation(const struct bl_overlay *o, uint32_t vm)
{
    return o->snap->vm.cpu[o->snap->vm.group[vm]].reservation;
}

static uint64_t mem_reservation(const struct bl_overlay *o, uint32_t vm)
{
    return o->snap->vm.mem[o->snap->vm.group[vm]].reservation;
}

static void sum_list(const struct bl_overlay *o, struct ov_host *h)
{
    h->demand_mhz = 0;
    h->reserved_khz = h->reserved_bytes = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        const uint32_t vm = o->pool[h->at + i];

        h->demand_mhz += o->snap->vm.demand_mhz[vm];
        h->reserved_khz += reservation(o, vm);
        h->reserved_bytes += mem_reservation(o, vm);
    }
}

static void ask_world(const struct bl_overlay *o, uint32_t host)
{
    struct ov_host *h = &o->host[host];

    h->served_mhz =
        o->snap->serve(o->snap, host, o->pool + h->at, h->count, &h->free_mhz);
}

static void load_host(struct bl_overlay *o, uint32_t host)
{
    const struct bl_snapshot *s = o->snap;
    struct ov_host *h = &o->host[host];
    bool in_flight;
    const uint32_t n = count_staying(s, host, &in_flight);

    if (n > h->room)
        take_run(o, h, 2 * n + ROOM_EXTRA);
    h->count = 0;
    for (uint32_t r = s->host.first[host]; r != BL_NONE;
         r = s->resident[r].next)
        if (s->resident[r].role != BL_ROLE_OUT)
            o->pool[h->at + h->count++] = s->resident[r].vm;
    sum_list(o, h);
    h->mem_used_bytes = s->host.mem_used_bytes[host];
    h->served_mhz = s->host.served_mhz[host];
    h->free_mhz = s->host.free_mhz[host];
    if (in_flight)
        ask_world(o, host);
    h->stamp = o->stamp_next++;
}

void bl_overlay_reset(struct bl_overlay *o, const struct bl_snapshot *s)
{
    BL_ASSERT(s->host.count == o->host_count);
    o->snap = s;
    o->pool_used = 0;
    o->undo_count = 0;
    for (uint32_t h = 0; h < o->host_count; h++) {
        o->host[h].at = o->host[h].room = 0;
        load_host(o, h);
    }
    bl_admission_reset(&o->admission, s);
}

void bl_overlay_refresh(struct bl_overlay *o, uint32_t host)
{
    BL_ASSERT(host < o->host_count);
    BL_ASSERT(o->undo_count == 0); /* what is undone must be there still */
    load_host(o, host);
}

static struct ov_undo *remember(struct bl_overlay *o, uint32_t host,
                                uint32_t vm)
{
    const struct ov_host *h = &o->host[host];
    struct ov_undo *u = &o->undo[o->undo_count];

    BL_ASSERT(host < o->host_count);
    BL_ASSERT(o->undo_count < o->undo_max);
    o->undo_count++;
    *u = (struct ov_undo){ .host = host,
                           .vm = vm,
                           .position = BL_NONE,
                           .pool_used = o->pool_used,
                           .before = *h };
    return u;
}

void bl_overlay_put(struct bl_overlay *o, uint32_t host, uint32_t vm)
{
    struct ov_host *h = &o->host[host];

    BL_ASSERT(vm < o->snap->vm.slot_count);
    remember(o, host, vm);
    if (h->count == h->room) {
        const uint32_t old = h->at;

        take_run(o, h, 2 * h->count + ROOM_EXTRA);
        memcpy(o->pool + h->at, o->pool + old, h->count * sizeof(*o->pool));
    }
    o->pool[h->at + h->count++] = vm;
    h->demand_mhz += o->snap->vm.demand_mhz[vm];
    h->mem_used_bytes += o->snap->vm.mem_used_bytes[vm];
    h->reserved_khz += reservation(o, vm);
    h->reserved_bytes += mem_reservation(o, vm);
    h->stamp = o->stamp_next++;
    ask_world(o, host);
}

void bl_overlay_take(struct bl_overlay *o, uint32_t host, uint32_t vm)
{
    struct ov_host *h = &o->host[host];
    struct ov_undo *u = remember(o, host, vm);
    uint32_t *run = o->pool + h->at;
    uint32_t i = 0;

    while (i < h->count && run[i] != vm)
        i++;
    BL_ASSERT(i < h->count); /* it must be there */
    u->position = i;
    h->count--;
    memmove(run + i, run + i + 1, (h->count - i) * sizeof(*run));
    sum_list(o, h);
    h->stamp = o->stamp_next++;
    ask_world(o, host);
}

uint32_t bl_overlay_mark(const struct bl_overlay *o)
{
    return o->undo_count;
}

void bl_overlay_undo(struct bl_overlay *o, uint32_t mark)
{
    BL_ASSERT(mark <= o->undo_count);
    while (o->undo_count > mark) {
        const struct ov_undo *u = &o->undo[--o->undo_count];
        struct ov_host *h = &o->host[u->host];
        uint32_t *run = o->pool + h->at;

        if (u->position == BL_NONE) {
            BL_ASSERT(run[h->count - 1] == u->vm);
        } else {
            memmove(run + u->position + 1, run + u->position,
                    (h->count - u->position) * sizeof(*run));
            run[u->position] = u->vm;
        }
        *h = u->before; /* a run that has moved is back where it was */
        o->pool_used = u->pool_used;
    }
}

double bl_overlay_served_mhz(const struct bl_overlay *o, uint32_t host)
{
    return o->host[host].served_mhz;
}

double bl_overlay_free_mhz(const struct bl_overlay *o, uint32_t host)
{
    return o->host[host].free_mhz;
}

double bl_overlay_demand_mhz(const struct bl_overlay *o, uint32_t host)
{
    return o->host[host].demand_mhz;
}

uint64_t bl_overlay_mem_used_bytes(const struct bl_overlay *o, uint32_t host)
{
    return o->host[host].mem_used_bytes;
}

bool bl_overlay_reservation_fits(const struct bl_overlay *o, uint32_t host,
                                 uint32_t vm)
{
    const struct ov_host *h = &o->host[host];
    const uint64_t khz = reservation(o, vm), bytes = mem_reservation(o, vm);

    if (khz == 0 && bytes == 0)
        return true;
    return h->reserved_khz + khz <= o->snap->host.capacity_khz_max[host] &&
           h->reserved_bytes + bytes <= o->snap->host.mem_bytes[host];
}

bool bl_overlay_pool_fits(const struct bl_overlay *o, uint32_t vm)
{
    return bl_admission_fits(&o->admission, vm);
}

void bl_overlay_pool_take(struct bl_overlay *o, uint32_t vm)
{
    bl_admission_take(&o->admission, vm);
}

const uint32_t *bl_overlay_vms(const struct bl_overlay *o, uint32_t host,
                               uint32_t *count)
{
    *count = o->host[host].count;
    return o->pool + o->host[host].at;
}

uint64_t bl_overlay_stamp(const struct bl_overlay *o, uint32_t host)
{
    return o->host[host].stamp;
}

void bl_overlay_check(const struct bl_overlay *o)
{
    BL_ASSERT(o->pool_used <= o->pool_max);
    BL_ASSERT(o->undo_count <= o->undo_max);
    for (uint32_t i = 0; i < o->host_count; i++) {
        const struct ov_host *h = &o->host[i];
        uint64_t mem_bytes = 0, reserved_khz = 0, reserved_bytes = 0;
        double demand_mhz = 0;

        BL_ASSERT(h->count <= h->room);
        BL_ASSERT(h->at + h->room <= o->pool_used);
        BL_ASSERT(h->stamp < o->stamp_next);
        for (uint32_t k = 0; k < h->count; k++) {
            const uint32_t vm = o->pool[h->at + k];

            BL_ASSERT(vm < o->snap->vm.slot_count);
            mem_bytes += o->snap->vm.mem_used_bytes[vm];
            demand_mhz += o->snap->vm.demand_mhz[vm];
            reserved_khz += reservation(o, vm);
            reserved_bytes += mem_reservation(o, vm);
        }
        BL_ASSERT(demand_mhz == h->demand_mhz);
        BL_ASSERT(reserved_khz == h->reserved_khz);
        BL_ASSERT(reserved_bytes == h->reserved_bytes);
        BL_ASSERT(mem_bytes <= h->mem_used_bytes);
    }
}
