/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/model.h"

#include "base/u128.h"
#include "base/units.h"

#include <string.h>

/* A group's count, wherever it stands in its array. */
typedef uint32_t (*count_fn)(const struct bl_dc *dc, uint32_t group);

static uint32_t host_count_of(const struct bl_dc *dc, uint32_t group)
{
    return dc->host_group[group].host_count;
}

static uint32_t vm_count_of(const struct bl_dc *dc, uint32_t group)
{
    return dc->vm_group[group].vm_count;
}

uint64_t bl_transition_mw(const struct bl_transition *t)
{
    const bl_u128 energy_pj = (bl_u128)t->energy_uj * 1000000;
    const bl_u128 mw = t->time_ns > 0 ? energy_pj / (uint64_t)t->time_ns : 0;

    return mw < BL_TRANSITION_MW_MAX ? (uint64_t)mw : BL_TRANSITION_MW_MAX;
}

uint32_t bl_dc_host_count(const struct bl_dc *dc)
{
    uint32_t n = 0;

    for (uint32_t g = 0; g < dc->host_group_count; g++)
        n += dc->host_group[g].host_count;
    return n;
}

bool bl_dc_has_speeds(const struct bl_dc *dc)
{
    for (uint32_t g = 0; g < dc->host_group_count; g++)
        if (dc->host_group[g].freq.pstate_count > 1)
            return true;
    return dc->cap_count > 0;
}

uint32_t bl_dc_vm_count(const struct bl_dc *dc)
{
    uint32_t n = 0;

    for (uint32_t g = 0; g < dc->vm_group_count; g++) {
        if (dc->vm_group[g].vm_count == 0)
            return 0;
        n += dc->vm_group[g].vm_count;
    }
    return n;
}

/* The group of @id when each group has its count, one after the other. */
static uint32_t group_in_blocks(const struct bl_dc *dc, uint32_t group_count,
                                count_fn count, uint32_t id)
{
    for (uint32_t g = 0; g < group_count; g++) {
        if (id < count(dc, g))
            return g;
        id -= count(dc, g);
    }
    BL_ASSERT(false && "an id below the sum of the counts");
    return 0;
}

/* The group of @id when ids go round the groups that are not used up. Whole
 * rounds between two groups running out are skipped at once. */
static uint32_t group_in_turn(const struct bl_dc *dc, uint32_t group_count,
                              count_fn count, uint32_t id)
{
    uint32_t rounds = 0; /* complete ones so far */

    for (uint32_t pass = 0; pass < group_count; pass++) {
        uint32_t left = 0, until = UINT32_MAX;

        for (uint32_t g = 0; g < group_count; g++) {
            if (count(dc, g) <= rounds)
                continue;
            left++;
            if (count(dc, g) < until)
                until = count(dc, g);
        }
        if (left == 0)
            break;
        if (id < (uint64_t)left * (until - rounds)) {
            uint32_t nth = id % left;

            for (uint32_t g = 0; g < group_count; g++)
                if (count(dc, g) > rounds && nth-- == 0)
                    return g;
        }
        id -= left * (until - rounds);
        rounds = until;
    }
    BL_ASSERT(false && "an id below the sum of the counts");
    return 0;
}

void bl_dc_host_groups(const struct bl_dc *dc, uint8_t *group)
{
    const uint32_t n = bl_dc_host_count(dc);
    const bool turn = dc->host_order == BL_ORDER_ROUND_ROBIN;

    for (uint32_t h = 0; h < n; h++)
        group[h] = (uint8_t)(turn ? group_in_turn : group_in_blocks)(
            dc, dc->host_group_count, host_count_of, h);
}

uint32_t bl_dc_cap_racks(const struct bl_dc *dc, uint32_t cap,
                         const uint8_t *group, uint32_t *rack)
{
    const struct bl_power_cap *c = &dc->cap[cap];
    const uint32_t n = bl_dc_host_count(dc);
    uint32_t racks = 0, hosts = 0; /* of the rack that is being filled */

    for (uint32_t h = 0; h < n; h++) {
        rack[h] = UINT32_MAX;
        if (c->group != BL_CAP_ALL && c->group != group[h])
            continue;
        if (racks == 0 || hosts == c->hosts_each) {
            racks++;
            hosts = 0;
        }
        rack[h] = racks - 1;
        hosts++;
    }
    return racks;
}

uint32_t bl_dc_vm_group(const struct bl_dc *dc, uint32_t vm, uint32_t vm_count)
{
    const bool turn = dc->vm_order == BL_ORDER_ROUND_ROBIN;
    const uint32_t groups = dc->vm_group_count;

    BL_ASSERT(vm < vm_count);
    if (bl_dc_vm_count(dc) > 0)
        return (turn ? group_in_turn : group_in_blocks)(dc, groups, vm_count_of,
                                                        vm);
    if (turn)
        return vm % groups;
    return vm / (vm_count / groups + (vm_count % groups > 0));
}

uint64_t bl_cpu_shares(const struct bl_settings *s, uint32_t vcpu_count)
{
    const uint64_t n =
        s->shares.per_unit ? s->shares.value * vcpu_count : s->shares.value;

    return n > 0 ? n : 1;
}

uint64_t bl_mem_shares(const struct bl_settings *s, uint64_t mem_bytes)
{
    const uint64_t n =
        s->shares.per_unit
            ? bl_muldiv(s->shares.value, mem_bytes, (uint64_t)BL_MIB)
            : s->shares.value;

    return n > 0 ? n : 1;
}

/* --- every documented range --------------------------------------------- */

static void check_name(const char *name)
{
    BL_ASSERT(name[0] != '\0');
    BL_ASSERT(memchr(name, '\0', BL_NAME_BYTES) != NULL);
}

static void check_sleep(const struct bl_sleep_state *s)
{
    BL_ASSERT(s->power_mw <= BL_POWER_MW_MAX);
    BL_ASSERT(s->enter.time_ns >= 0);
    BL_ASSERT(s->enter.time_ns <= BL_TRANSITION_NS_MAX);
    BL_ASSERT(s->enter.energy_uj <= BL_TRANSITION_UJ_MAX);
    BL_ASSERT(s->leave.time_ns >= 0);
    BL_ASSERT(s->leave.time_ns <= BL_TRANSITION_NS_MAX);
    BL_ASSERT(s->leave.energy_uj <= BL_TRANSITION_UJ_MAX);
}

static void check_host_group(const struct bl_host_group *g)
{
    check_name(g->name);
    BL_ASSERT(g->host_count >= 1);
    BL_ASSERT(g->host_count <= BL_HOSTS_MAX);
    BL_ASSERT(g->core_count >= 1);
    BL_ASSERT(g->core_count <= BL_HOST_CORES_MAX);
    BL_ASSERT(g->core_khz >= 1);
    BL_ASSERT(g->core_khz <= BL_CORE_KHZ_MAX);
    BL_ASSERT(g->mem_bytes >= 1);
    BL_ASSERT(g->mem_bytes <= BL_MEM_BYTES_MAX);
    BL_ASSERT(g->node_count <= BL_HOST_NODES_MAX);
    BL_ASSERT(g->node_count >= 1 && g->core_count % g->node_count == 0);
    check_name(g->power.name);
    for (int i = 0; i < BL_POWER_POINTS; i++)
        BL_ASSERT(g->power.mw[i] <= BL_POWER_MW_MAX);
    for (int i = 1; i < BL_POWER_POINTS; i++)
        BL_ASSERT(g->power.mw[i - 1] <= g->power.mw[i]);
    bl_freq_check(&g->freq, g->core_count);
    if (g->freq.pstate_count > 0) {
        BL_ASSERT(g->freq.pstate[0].khz == g->core_khz);
        for (int i = 0; i < BL_POWER_POINTS; i++)
            BL_ASSERT(g->freq.pstate[0].mw[i] == g->power.mw[i]);
    }
    check_sleep(&g->standby);
    check_sleep(&g->off);
    BL_ASSERT(g->net_bytes_per_s >= BL_NET_BYTES_PER_S_MIN);
    BL_ASSERT(g->net_bytes_per_s <= BL_NET_BYTES_PER_S_MAX);
}

/* @size  of the VM in the settings' unit; 0 when the trace gives it. */
static void check_settings(const struct bl_settings *s, uint64_t size)
{
    BL_ASSERT(s->shares.value >= 1);
    BL_ASSERT(s->shares.value <= BL_SHARES_MAX);
    BL_ASSERT(s->reservation <= s->limit);
    BL_ASSERT(s->reservation <= size);
    BL_ASSERT(s->limit == BL_NO_LIMIT || s->limit <= size);
}

static void check_vm_group(const struct bl_vm_group *g)
{
    check_name(g->name);
    BL_ASSERT(g->vm_count <= BL_VMS_MAX);
    if (g->size_from_trace) {
        BL_ASSERT(g->vcpu_count == 0);
        BL_ASSERT(g->vcpu_khz == 0);
        BL_ASSERT(g->mem_bytes == 0);
    } else {
        BL_ASSERT(g->vcpu_count >= 1);
        BL_ASSERT(g->vcpu_count <= BL_HOST_CORES_MAX);
        BL_ASSERT(g->vcpu_khz >= 1);
        BL_ASSERT(g->vcpu_khz <= BL_CORE_KHZ_MAX);
        BL_ASSERT(g->mem_bytes >= 1);
        BL_ASSERT(g->mem_bytes <= BL_MEM_BYTES_MAX);
    }
    check_settings(&g->cpu, g->vcpu_count * g->vcpu_khz);
    check_settings(&g->mem, g->mem_bytes);
}

static void check_pool(const struct bl_pool_set *s, uint32_t index)
{
    const struct bl_pool_desc *p = &s->pool[index];
    const struct bl_settings *const both[] = { &p->cpu.set, &p->mem.set };

    check_name(p->name);
    BL_ASSERT(p->parent <= index);
    for (int i = 0; i < 2; i++) {
        BL_ASSERT(both[i]->shares.value >= 1);
        BL_ASSERT(both[i]->shares.value <= BL_SHARES_MAX);
        BL_ASSERT(both[i]->reservation <= BL_POOL_AMOUNT_MAX);
        BL_ASSERT(both[i]->reservation <= both[i]->limit);
    }
}

static void check_migration(const struct bl_migration *m)
{
    BL_ASSERT(m->cpu_ppm_per_gbit <= BL_MIGRATION_CPU_PPM_MAX);
    BL_ASSERT(m->dirty_bytes_per_s <= BL_MIGRATION_DIRTY_MAX);
    BL_ASSERT(m->working_set_ppm <= BL_PPM);
    BL_ASSERT(m->downtime_ns_max >= 0);
    BL_ASSERT(m->downtime_ns_max <= BL_MIGRATION_DOWNTIME_NS_MAX);
    BL_ASSERT(m->rounds_max >= 1);
    BL_ASSERT(m->rounds_max <= BL_MIGRATION_ROUNDS_MAX);
    BL_ASSERT(m->parallel_max >= 1);
    BL_ASSERT(m->parallel_max <= BL_MIGRATION_PARALLEL_MAX);
}

static void check_caps(const struct bl_dc *dc)
{
    BL_ASSERT(dc->cap_count <= BL_CAPS_MAX);
    for (uint32_t i = 0; i < dc->cap_count; i++) {
        const struct bl_power_cap *c = &dc->cap[i];

        check_name(c->name);
        BL_ASSERT(c->mw >= 1 && c->mw <= BL_CAP_MW_MAX);
        BL_ASSERT(c->group == BL_CAP_ALL || c->group < dc->host_group_count);
    }
}

void bl_dc_check(const struct bl_dc *dc)
{
    uint64_t hosts = 0, vms = 0;
    uint32_t counted = 0;

    BL_ASSERT(dc->host_group_count >= 1);
    BL_ASSERT(dc->host_group_count <= BL_HOST_GROUPS_MAX);
    BL_ASSERT(dc->vm_group_count >= 1);
    BL_ASSERT(dc->vm_group_count <= BL_VM_GROUPS_MAX);
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        check_host_group(&dc->host_group[g]);
        hosts += dc->host_group[g].host_count;
    }
    for (uint32_t g = 0; g < dc->vm_group_count; g++) {
        check_vm_group(&dc->vm_group[g]);
        BL_ASSERT(dc->vm_group[g].pool <= dc->pools.count);
        vms += dc->vm_group[g].vm_count;
        counted += dc->vm_group[g].vm_count > 0;
    }
    BL_ASSERT(hosts <= BL_HOSTS_MAX);
    BL_ASSERT(vms <= BL_VMS_MAX);
    /* Either every group has its count or the trace gives them all. */
    BL_ASSERT(counted == 0 || counted == dc->vm_group_count);
    BL_ASSERT(dc->host_order == BL_ORDER_BLOCKS ||
              dc->host_order == BL_ORDER_ROUND_ROBIN);
    BL_ASSERT(dc->vm_order == BL_ORDER_BLOCKS ||
              dc->vm_order == BL_ORDER_ROUND_ROBIN);
    BL_ASSERT(dc->pools.count <= BL_POOLS_MAX);
    for (uint32_t p = 0; p < dc->pools.count; p++)
        check_pool(&dc->pools, p);
    check_migration(&dc->migration);
    check_caps(dc);
}
