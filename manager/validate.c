/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/validate.h"

static bool is_vm_action(enum bl_action_kind k)
{
    return k == BL_ACTION_PLACE || k == BL_ACTION_MIGRATE;
}

static enum bl_verdict check_ids(const struct bl_snapshot *s,
                                 const struct bl_policy *policy,
                                 const struct bl_action *a)
{
    if (a->kind >= BL_ACTION_COUNT || a->reason >= BL_REASON_COUNT)
        return BL_VERDICT_NO_SUCH_ACTION;
    if (!(policy->writes & 1u << a->kind))
        return BL_VERDICT_NOT_ALLOWED;
    if (a->host >= s->host.count)
        return BL_VERDICT_NO_SUCH_HOST;
    if (is_vm_action(a->kind) &&
        (a->vm >= s->vm.slot_count || s->vm.state[a->vm] == BL_VM_ABSENT))
        return BL_VERDICT_NO_SUCH_VM;
    return BL_VERDICT_OK;
}

static enum bl_verdict check_vm(const struct bl_snapshot *s,
                                const struct bl_action *a)
{
    if (a->kind == BL_ACTION_PLACE)
        return s->vm.state[a->vm] == BL_VM_PENDING ? BL_VERDICT_OK
                                                   : BL_VERDICT_VM_STATE;
    if (s->vm.state[a->vm] != BL_VM_PLACED || a->source != s->vm.host[a->vm])
        return BL_VERDICT_VM_STATE;
    if (s->vm.migrating[a->vm] && !(s->can & BL_CAN_MOVE_TWICE))
        return BL_VERDICT_VM_BUSY;
    if (s->vm.host[a->vm] == a->host)
        return BL_VERDICT_SAME_HOST;
    return BL_VERDICT_OK;
}

static enum bl_verdict check_target(const struct bl_snapshot *s,
                                    const struct bl_overlay *o,
                                    const struct bl_action *a)
{
    const enum bl_host_state state = s->host.state[a->host];

    if (state != BL_HOST_ON && state != BL_HOST_LEAVING)
        return BL_VERDICT_HOST_STATE;
    if ((s->can & BL_CAN_ENFORCE_MEMORY) &&
        bl_overlay_mem_used_bytes(o, a->host) + s->vm.mem_used_bytes[a->vm] >
            s->host.mem_bytes[a->host])
        return BL_VERDICT_NO_MEMORY;
    if (a->kind == BL_ACTION_PLACE && !bl_overlay_pool_fits(o, a->vm))
        return BL_VERDICT_NO_POOL;
    return bl_overlay_reservation_fits(o, a->host, a->vm)
               ? BL_VERDICT_OK
               : BL_VERDICT_NO_RESERVATION;
}

static enum bl_verdict check_host(const struct bl_snapshot *s,
                                  const struct bl_overlay *o,
                                  const struct bl_action *a)
{
    const enum bl_host_state state = s->host.state[a->host];
    uint32_t vms;

    if (a->kind == BL_ACTION_POWER_UNMANAGED)
        return BL_VERDICT_OK;
    if (a->kind == BL_ACTION_POWER_CAP) {
        if (!(s->can & BL_CAN_CAP_POWER))
            return BL_VERDICT_NO_SUCH_ACTION;
        return a->amount >= s->host.power_min_mw[a->host] ? BL_VERDICT_OK
                                                          : BL_VERDICT_NO_POWER;
    }
    if (!(s->can & BL_CAN_SWITCH_HOSTS))
        return BL_VERDICT_NO_SUCH_ACTION;
    if (a->kind == BL_ACTION_HOST_ON)
        return state == BL_HOST_ON || state == BL_HOST_LEAVING
                   ? BL_VERDICT_HOST_STATE
                   : BL_VERDICT_OK;
    if (state != BL_HOST_ON)
        return BL_VERDICT_HOST_STATE;
    (void)bl_overlay_vms(o, a->host, &vms);
    return vms == 0 ? BL_VERDICT_OK : BL_VERDICT_HOST_BUSY;
}

enum bl_verdict bl_validate(const struct bl_snapshot *s,
                            const struct bl_overlay *o,
                            const struct bl_policy *policy,
                            const struct bl_action *a)
{
    enum bl_verdict v = check_ids(s, policy, a);

    if (v != BL_VERDICT_OK)
        return v;
    if (!is_vm_action(a->kind))
        return check_host(s, o, a);
    v = check_vm(s, a);
    return v != BL_VERDICT_OK ? v : check_target(s, o, a);
}
