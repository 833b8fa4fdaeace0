/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/snapshot.h"

/* Walks one host's list; adds up what it finds. */
static void check_host(const struct bl_snapshot *s, uint32_t h,
                       uint64_t *here_count)
{
    uint64_t committed_khz = 0, committed_bytes = 0;
    uint32_t length = 0;

    for (uint32_t r = s->host.first[h]; r != BL_NONE; r = s->resident[r].next) {
        const struct bl_resident *e = &s->resident[r];

        BL_ASSERT(r < s->resident_max);
        length++;
        BL_ASSERT(length <= s->resident_max); /* no loop */
        BL_ASSERT(e->vm < s->vm.slot_count);
        BL_ASSERT(s->vm.state[e->vm] == BL_VM_PLACED);
        if (e->role == BL_ROLE_IN) {
            BL_ASSERT(s->vm.migrating[e->vm] || (s->can & BL_CAN_MOVE_TWICE));
        } else {
            BL_ASSERT(s->vm.host[e->vm] == h);
            BL_ASSERT((e->role == BL_ROLE_OUT) == !!s->vm.migrating[e->vm] ||
                      (s->can & BL_CAN_MOVE_TWICE));
            (*here_count)++;
        }
        committed_khz += s->vm.size_khz[e->vm];
        committed_bytes += s->vm.mem_size_bytes[e->vm];
    }
    BL_ASSERT(s->host.committed_khz[h] == committed_khz);
    BL_ASSERT(s->host.mem_committed_bytes[h] == committed_bytes);
    BL_ASSERT(s->host.group[h] < s->dc->host_group_count);
}

void bl_snapshot_check(const struct bl_snapshot *s)
{
    uint64_t here_count = 0, placed_count = 0;

    for (uint32_t h = 0; h < s->host.count; h++)
        check_host(s, h, &here_count);
    for (uint32_t v = 0; v < s->vm.slot_count; v++) {
        BL_ASSERT(s->vm.state[v] <= BL_VM_PLACED);
        if (s->vm.state[v] == BL_VM_PLACED) {
            placed_count++;
            BL_ASSERT(s->vm.host[v] < s->host.count);
        } else {
            BL_ASSERT(!s->vm.migrating[v]);
            BL_ASSERT(s->vm.host[v] == BL_NONE);
        }
    }
    BL_ASSERT(here_count == placed_count);
}
