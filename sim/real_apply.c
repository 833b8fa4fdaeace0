/* SPDX-License-Identifier: Apache-2.0 */
/* real_apply - the actions: what only the world knows is checked here, before
 * anything changes. doc/models/host.md has the table of answers. */
#include "sim/real_priv.h"

/* What bl_entitle() can take: far beyond any real host. */
#define HOST_VMS_MAX (UINT32_C(1) << 24)
#define HOST_MEM_COMMITTED_MAX (UINT64_C(1) << 62)

enum bl_verdict bl__real_room(const struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    const struct bl_columns *c = &sim->col;
    const struct bl_real_host *host = &bl__real(sim)->host[h];
    const uint64_t used = c->vm_mem_used_bytes[vm];

    if (used > c->host_mem_bytes[h] ||
        c->host_mem_used_bytes[h] > c->host_mem_bytes[h] - used)
        return BL_VERDICT_NO_MEMORY;
    if (c->resident_free == BL_NONE ||
        host->vms + host->coming >= HOST_VMS_MAX ||
        c->host_mem_committed_bytes[h] >
            HOST_MEM_COMMITTED_MAX - c->vm_mem_size_bytes[vm])
        return BL_VERDICT_FULL;
    return BL_VERDICT_OK;
}

static enum bl_verdict place(struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    struct bl_real *r = bl__real(sim);
    const enum bl_verdict v = bl__real_takes_vms(sim, h);
    enum bl_verdict room;

    if (sim->col.vm_state[vm] != BL_VM_PENDING)
        return BL_VERDICT_VM_STATE;
    if (!bl_verdict_accepted(v))
        return v;
    room = bl__real_room(sim, vm, h);
    if (room != BL_VERDICT_OK)
        return room;
    bl__real_pending_remove(sim, vm);
    sim->col.vm_state[vm] = BL_VM_PLACED;
    sim->col.vm_host[vm] = h;
    bl__real_link(sim, h, vm, BL_ROLE_HERE);
    bl__real_set_cap(sim, vm, h);
    bl__real_stay_on(sim, h); /* it is wanted again */
    r->vm[vm].mark = r->vm[vm].demand;
    if (sim->now_ns > r->control_ns)
        r->vm_flags[vm] |= REAL_PART;
    bl__real_show_placed(sim, vm, h);
    return v;
}

static enum bl_verdict migrate(struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    const struct bl_columns *c = &sim->col;
    enum bl_verdict v;

    if (c->vm_state[vm] != BL_VM_PLACED)
        return BL_VERDICT_VM_STATE;
    if (c->vm_migrating[vm])
        return BL_VERDICT_VM_BUSY;
    if (c->vm_host[vm] == h)
        return BL_VERDICT_SAME_HOST;
    if (c->host_state[c->vm_host[vm]] != BL_HOST_ON)
        return BL_VERDICT_HOST_STATE; /* it does not run yet */
    v = bl__real_takes_vms(sim, h);
    if (!bl_verdict_accepted(v))
        return v;
    v = bl__real_room(sim, vm, h);
    return v == BL_VERDICT_OK ? bl__real_migrate_start(sim, vm, h) : v;
}

enum bl_verdict bl__real_apply(struct bl_sim *sim, const struct bl_action *a)
{
    const bool on_vm =
        a->kind == BL_ACTION_PLACE || a->kind == BL_ACTION_MIGRATE;

    if (a->host >= sim->col.host_count)
        return BL_VERDICT_NO_SUCH_HOST;
    if (on_vm && a->vm >= sim->col.slot_count)
        return BL_VERDICT_NO_SUCH_VM;
    switch (a->kind) {
    case BL_ACTION_PLACE:
        return place(sim, a->vm, a->host);
    case BL_ACTION_MIGRATE:
        return migrate(sim, a->vm, a->host);
    case BL_ACTION_HOST_ON:
        return bl__real_wake(sim, a->host);
    case BL_ACTION_HOST_STANDBY:
        return bl__real_sleep(sim, a->host, BL_HOST_STANDBY);
    case BL_ACTION_HOST_OFF:
        return bl__real_sleep(sim, a->host, BL_HOST_OFF);
    case BL_ACTION_POWER_UNMANAGED:
        bl__real_touch(sim, a->host);
        bl__real(sim)->host[a->host].unmanaged = true;
        return BL_VERDICT_OK;
    case BL_ACTION_POWER_CAP:
        return bl__real_set_budget(sim, a->host, a->amount);
    case BL_ACTION_COUNT:
        break;
    }
    return BL_VERDICT_NO_SUCH_ACTION;
}
