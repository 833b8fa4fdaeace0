/* SPDX-License-Identifier: Apache-2.0 */
/* The columns behind the snapshot: who is where, in which order, how big. */
#include "sim/sim_priv.h"

#include <string.h>

/* A VM is resident once, while it migrates twice, and under cloudsim303 three
 * times when a plan names it twice. */
enum { RESIDENTS_PER_VM = 3 };

/* Takes n zeroed elements into *p; remembers a failure in *ok. */
#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

static bool take_hosts(struct bl_arena *a, uint32_t n, struct bl_columns *c)
{
    bool ok = true;

    TAKE(a, c->host_group, n, ok);
    TAKE(a, c->host_state, n, ok);
    TAKE(a, c->host_util, n, ok);
    TAKE(a, c->host_served_mhz, n, ok);
    TAKE(a, c->host_free_mhz, n, ok);
    TAKE(a, c->host_capacity_mhz, n, ok);
    TAKE(a, c->host_core_mhz, n, ok);
    TAKE(a, c->host_capacity_khz, n, ok);
    TAKE(a, c->host_mem_bytes, n, ok);
    TAKE(a, c->host_mem_used_bytes, n, ok);
    TAKE(a, c->host_committed_khz, n, ok);
    TAKE(a, c->host_mem_committed_bytes, n, ok);
    TAKE(a, c->host_first, n, ok);
    TAKE(a, c->host_last, n, ok);
    TAKE(a, c->host_stamp, n, ok);
    return ok;
}

static bool take_vms(struct bl_arena *a, uint32_t n, struct bl_columns *c)
{
    bool ok = true;

    TAKE(a, c->vm_state, n, ok);
    TAKE(a, c->vm_migrating, n, ok);
    TAKE(a, c->vm_group, n, ok);
    TAKE(a, c->vm_host, n, ok);
    TAKE(a, c->vm_generation, n, ok);
    TAKE(a, c->vm_vcpu_count, n, ok);
    TAKE(a, c->vm_size_khz, n, ok);
    TAKE(a, c->vm_mem_size_bytes, n, ok);
    TAKE(a, c->vm_mem_used_bytes, n, ok);
    TAKE(a, c->vm_size_mhz, n, ok);
    TAKE(a, c->vm_vcpu_mhz, n, ok);
    TAKE(a, c->vm_demand_mhz, n, ok);
    TAKE(a, c->vm_util, n, ok);
    TAKE(a, c->vm_name, n, ok);
    TAKE(a, c->vm_arrived_ns, n, ok);
    return ok;
}

/* History is kept newest first in a window that slides down through twice its
 * depth, so that a VM's samples are always contiguous. */
static bool take_pools(struct bl_arena *a, uint32_t slots, uint32_t depth,
                       struct bl_columns *c)
{
    bool ok = true;

    c->resident_max = slots * RESIDENTS_PER_VM;
    TAKE(a, c->resident, c->resident_max, ok);
    TAKE(a, c->history_count, slots, ok);
    c->history_depth = depth;
    c->history_stride = 2 * depth;
    c->history_offset = depth;
    if (depth > 0)
        TAKE(a, c->history, (size_t)slots * c->history_stride, ok);
    return ok;
}

bl_err bl__columns_create(struct bl_arena *a, const struct bl_dc *dc,
                          uint32_t host_count, uint32_t slot_count,
                          uint32_t history_count, struct bl_columns *out)
{
    struct bl_columns *c = out;

    BL_ASSERT(history_count <= BL_HISTORY_MAX);
    *c = (struct bl_columns){ .host_count = host_count,
                              .slot_count = slot_count,
                              .stamp_next = 1 };
    if (!take_hosts(a, host_count, c) || !take_vms(a, slot_count, c) ||
        !take_pools(a, slot_count, history_count, c))
        return BL_ERR_NOMEM;
    bl_dc_host_groups(dc, c->host_group);
    for (uint32_t h = 0; h < host_count; h++) {
        const struct bl_host_group *g = &dc->host_group[c->host_group[h]];

        c->host_capacity_khz[h] = g->core_count * g->core_khz;
        c->host_core_mhz[h] = (double)g->core_khz / 1000;
        c->host_capacity_mhz[h] = g->core_count * c->host_core_mhz[h];
        c->host_free_mhz[h] = c->host_capacity_mhz[h];
        c->host_mem_bytes[h] = g->mem_bytes;
        c->host_first[h] = BL_NONE;
        c->host_last[h] = BL_NONE;
    }
    for (uint32_t v = 0; v < slot_count; v++)
        c->vm_host[v] = BL_NONE;
    for (uint32_t r = 0; r < c->resident_max; r++)
        c->resident[r].next = r + 1 < c->resident_max ? r + 1 : BL_NONE;
    for (uint32_t g = 0; g < dc->vm_group_count; g++) {
        c->cpu[g] = dc->vm_group[g].cpu;
        c->mem[g] = dc->vm_group[g].mem;
    }
    return BL_ERR_OK;
}

/* The entry after which @vm goes; BL_NONE: at the head. */
static uint32_t entry_before(const struct bl_columns *c, uint32_t host,
                             uint32_t vm, bool sorted)
{
    uint32_t before = BL_NONE;

    if (!sorted || c->host_last[host] == BL_NONE ||
        c->resident[c->host_last[host]].vm <= vm)
        return c->host_last[host];
    for (uint32_t r = c->host_first[host]; c->resident[r].vm <= vm;
         r = c->resident[r].next)
        before = r;
    return before;
}

void bl__columns_link(struct bl_columns *c, uint32_t host, uint32_t vm,
                      enum bl_role role, bool sorted)
{
    const uint32_t r = c->resident_free;
    const uint32_t before = entry_before(c, host, vm, sorted);

    BL_ASSERT(r != BL_NONE);
    c->resident_free = c->resident[r].next;
    c->resident[r].vm = vm;
    c->resident[r].role = role;
    if (before == BL_NONE) {
        c->resident[r].next = c->host_first[host];
        c->host_first[host] = r;
    } else {
        c->resident[r].next = c->resident[before].next;
        c->resident[before].next = r;
    }
    if (c->resident[r].next == BL_NONE)
        c->host_last[host] = r;
    c->host_stamp[host] = c->stamp_next++;
}

void bl__columns_unlink(struct bl_columns *c, uint32_t host, uint32_t vm,
                        enum bl_role role)
{
    uint32_t before = BL_NONE, r = c->host_first[host];

    while (r != BL_NONE &&
           (c->resident[r].vm != vm || c->resident[r].role != role)) {
        before = r;
        r = c->resident[r].next;
    }
    BL_ASSERT(r != BL_NONE);
    if (before == BL_NONE)
        c->host_first[host] = c->resident[r].next;
    else
        c->resident[before].next = c->resident[r].next;
    if (c->host_last[host] == r)
        c->host_last[host] = before;
    c->resident[r].next = c->resident_free;
    c->resident_free = r;
    c->host_stamp[host] = c->stamp_next++;
}

struct bl_resident *bl__columns_find(struct bl_columns *c, uint32_t host,
                                     uint32_t vm, enum bl_role role)
{
    for (uint32_t r = c->host_first[host]; r != BL_NONE;
         r = c->resident[r].next)
        if (c->resident[r].vm == vm && c->resident[r].role == role)
            return &c->resident[r];
    return NULL;
}

void bl__columns_commit(struct bl_columns *c, uint32_t host, uint32_t vm)
{
    c->host_committed_khz[host] += c->vm_size_khz[vm];
    c->host_mem_committed_bytes[host] += c->vm_mem_size_bytes[vm];
}

void bl__columns_release(struct bl_columns *c, uint32_t host, uint32_t vm)
{
    BL_ASSERT(c->host_committed_khz[host] >= c->vm_size_khz[vm]);
    BL_ASSERT(c->host_mem_committed_bytes[host] >= c->vm_mem_size_bytes[vm]);
    c->host_committed_khz[host] -= c->vm_size_khz[vm];
    c->host_mem_committed_bytes[host] -= c->vm_mem_size_bytes[vm];
}

void bl__columns_push_history(struct bl_columns *c)
{
    const uint32_t depth = c->history_depth;

    if (depth == 0)
        return;
    if (c->history_offset == 0) { /* the window has slid down: start over */
        for (uint32_t v = 0; v < c->slot_count; v++) {
            double *h = c->history + (size_t)v * c->history_stride;

            memcpy(h + depth, h, depth * sizeof(*h));
        }
        c->history_offset = depth;
    }
    c->history_offset--;
    for (uint32_t v = 0; v < c->slot_count; v++) {
        if (c->vm_state[v] != BL_VM_PLACED)
            continue;
        c->history[(size_t)v * c->history_stride + c->history_offset] =
            c->vm_util[v];
        c->history_count[v] += c->history_count[v] < depth;
    }
}

void bl__columns_view(const struct bl_columns *c, struct bl_snapshot *s)
{
    s->host = (struct bl_host_table){
        .count = c->host_count,
        .group = c->host_group,
        .state = c->host_state,
        .util = c->host_util,
        .served_mhz = c->host_served_mhz,
        .free_mhz = c->host_free_mhz,
        .capacity_mhz_now = c->host_capacity_mhz,
        .core_mhz = c->host_core_mhz,
        .capacity_khz_max = c->host_capacity_khz,
        .mem_bytes = c->host_mem_bytes,
        .mem_used_bytes = c->host_mem_used_bytes,
        .committed_khz = c->host_committed_khz,
        .mem_committed_bytes = c->host_mem_committed_bytes,
        .power_cap_mw = c->host_power_cap_mw,
        .power_min_mw = c->host_power_min_mw,
        .first = c->host_first,
        .stamp = c->host_stamp,
    };
    s->vm = (struct bl_vm_table){
        .slot_count = c->slot_count,
        .state = c->vm_state,
        .migrating = c->vm_migrating,
        .host = c->vm_host,
        .generation = c->vm_generation,
        .group = c->vm_group,
        .vcpu_count = c->vm_vcpu_count,
        .size_khz = c->vm_size_khz,
        .size_mhz = c->vm_size_mhz,
        .vcpu_mhz = c->vm_vcpu_mhz,
        .demand_mhz = c->vm_demand_mhz,
        .util = c->vm_util,
        .mem_size_bytes = c->vm_mem_size_bytes,
        .mem_used_bytes = c->vm_mem_used_bytes,
        .cpu = c->cpu,
        .mem = c->mem,
    };
    s->history = (struct bl_history){
        .sample = c->history,
        .count = c->history_count,
        .stride = c->history_stride,
        .offset = c->history_offset,
        .depth = c->history_depth,
    };
    s->resident = c->resident;
    s->resident_max = c->resident_max;
}
