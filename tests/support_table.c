/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_table.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (UINT64_C(1) << 28)

static const struct bl_host_group host_groups[] = {
    { .name = "slow",
      .core_count = 2,
      .core_khz = 2000000,
      .mem_bytes = 8 * TEST_GIB,
      .node_count = 1,
      .power = { "straight",
                 { 100000, 110000, 120000, 130000, 140000, 150000, 160000,
                   170000, 180000, 190000, 200000 } },
      .net_bytes_per_s = 125000000 },
    { .name = "fast",
      .core_count = 4,
      .core_khz = 3000000,
      .mem_bytes = 16 * TEST_GIB,
      .node_count = 1,
      .power = { "bent",
                 { 120000, 150000, 170000, 185000, 195000, 205000, 220000,
                   240000, 270000, 310000, 360000 } },
      .net_bytes_per_s = 125000000 },
};

static const struct {
    uint32_t vcpu_count;
    uint64_t vcpu_khz, mem_bytes;
} vm_groups[] = {
    { 1, 1000000, 1 * TEST_GIB },
    { 1, 2000000, 2 * TEST_GIB },
    { 2, 1000000, 2 * TEST_GIB },
    { 4, 2500000, 4 * TEST_GIB },
};

enum {
    HOST_GROUPS = sizeof(host_groups) / sizeof(host_groups[0]),
    VM_GROUPS = sizeof(vm_groups) / sizeof(vm_groups[0])
};

/* In list order, what is asked for while it lasts. */
static double serve(const struct bl_snapshot *s, uint32_t host,
                    const uint32_t *vm, uint32_t vm_count, double *free_mhz)
{
    double left = s->host.capacity_mhz_now[host], served = 0;

    for (uint32_t i = 0; i < vm_count; i++) {
        const double want = s->vm.demand_mhz[vm[i]];
        const double part = want < left ? want : left;

        served += part;
        left -= part;
    }
    *free_mhz = left;
    return served;
}

static void describe(struct bl_dc *dc, uint32_t hosts)
{
    const struct bl_settings cpu = { { true, BL_CPU_SHARES_NORMAL },
                                     0,
                                     BL_NO_LIMIT };
    const struct bl_settings mem = { { true, BL_MEM_SHARES_NORMAL },
                                     0,
                                     BL_NO_LIMIT };
    const uint32_t sure = VM_GROUPS - 1; /* of half of what it has */

    dc->host_order = dc->vm_order = BL_ORDER_ROUND_ROBIN;
    dc->host_group_count = hosts > 1 ? HOST_GROUPS : 1;
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        dc->host_group[g] = host_groups[g];
        dc->host_group[g].host_count =
            (hosts + dc->host_group_count - 1 - g) / dc->host_group_count;
    }
    dc->vm_group_count = VM_GROUPS;
    for (uint32_t g = 0; g < dc->vm_group_count; g++)
        dc->vm_group[g] =
            (struct bl_vm_group){ .name = "vms",
                                  .vcpu_count = vm_groups[g].vcpu_count,
                                  .vcpu_khz = vm_groups[g].vcpu_khz,
                                  .mem_bytes = vm_groups[g].mem_bytes,
                                  .cpu = cpu,
                                  .mem = mem };
    dc->vm_group[sure].cpu.reservation =
        vm_groups[sure].vcpu_count * vm_groups[sure].vcpu_khz / 2;
    dc->vm_group[sure].mem.reservation = vm_groups[sure].mem_bytes / 2;
    dc->migration =
        (struct bl_migration){ .rounds_max = 30, .parallel_max = 4 };
}

struct test_table *test_table_new(uint32_t hosts, uint32_t slots,
                                  uint32_t samples)
{
    struct test_table *t = calloc(1, sizeof(*t));

    if (t == NULL || bl_arena_init(&t->arena, ARENA_BYTES) != BL_ERR_OK)
        abort();
    describe(&t->dc, hosts);
    bl_dc_check(&t->dc);
    if (bl__columns_create(&t->arena, &t->dc, hosts, slots, samples, &t->c) !=
        BL_ERR_OK)
        abort();
    bl__columns_view(&t->c, &t->s);
    t->s.dc = &t->dc;
    t->s.serve = serve;
    t->s.can = BL_CAN_SWITCH_HOSTS | BL_CAN_ENFORCE_MEMORY;
    t->s.migration_mb_per_s = 62.5;
    t->s.interval_s = 300;
    (void)test_table_look(t);
    return t;
}

void test_table_free(struct test_table *t)
{
    bl_arena_free(&t->arena);
    free(t);
}

void test_table_arrive(struct test_table *t, uint32_t vm)
{
    struct bl_columns *c = &t->c;
    const uint32_t g = vm % t->dc.vm_group_count;
    const struct bl_vm_group *group = &t->dc.vm_group[g];

    BL_ASSERT(c->vm_state[vm] == BL_VM_ABSENT);
    c->vm_state[vm] = BL_VM_PENDING;
    c->vm_group[vm] = (uint8_t)g;
    c->vm_vcpu_count[vm] = group->vcpu_count;
    c->vm_size_khz[vm] = group->vcpu_count * group->vcpu_khz;
    c->vm_vcpu_mhz[vm] = (double)group->vcpu_khz / 1000;
    c->vm_size_mhz[vm] = group->vcpu_count * c->vm_vcpu_mhz[vm];
    c->vm_mem_size_bytes[vm] = group->mem_bytes;
    c->vm_mem_used_bytes[vm] = group->mem_bytes;
    c->vm_demand_mhz[vm] = c->vm_size_mhz[vm];
    c->vm_util[vm] = 1;
    c->history_count[vm] = 0;
}

void test_table_place(struct test_table *t, uint32_t vm, uint32_t host)
{
    BL_ASSERT(t->c.vm_state[vm] == BL_VM_PENDING);
    bl__columns_link(&t->c, host, vm, BL_ROLE_HERE, false);
    bl__columns_commit(&t->c, host, vm);
    t->c.vm_state[vm] = BL_VM_PLACED;
    t->c.vm_host[vm] = host;
}

static void ask_for(struct test_table *t, uint32_t vm, double mhz)
{
    t->c.vm_demand_mhz[vm] = mhz;
    t->c.vm_util[vm] = mhz / t->c.vm_size_mhz[vm];
}

void test_table_put(struct test_table *t, uint32_t vm, uint32_t host,
                    double demand_mhz)
{
    test_table_arrive(t, vm);
    test_table_place(t, vm, host);
    ask_for(t, vm, demand_mhz);
}

/* The host that @vm migrates to. */
static uint32_t target_of(struct test_table *t, uint32_t vm)
{
    uint32_t h = 0;

    while (bl__columns_find(&t->c, h, vm, BL_ROLE_IN) == NULL)
        h++;
    return h;
}

void test_table_migrate(struct test_table *t, uint32_t vm, uint32_t host)
{
    const uint32_t source = t->c.vm_host[vm];

    BL_ASSERT(source != host);
    bl__columns_find(&t->c, source, vm, BL_ROLE_HERE)->role = BL_ROLE_OUT;
    t->c.host_stamp[source] = t->c.stamp_next++;
    bl__columns_link(&t->c, host, vm, BL_ROLE_IN, false);
    bl__columns_commit(&t->c, host, vm);
    t->c.vm_migrating[vm] = 1;
    t->s.in_flight_count++;
}

void test_table_land(struct test_table *t, uint32_t vm)
{
    const uint32_t source = t->c.vm_host[vm], host = target_of(t, vm);

    bl__columns_unlink(&t->c, source, vm, BL_ROLE_OUT);
    bl__columns_release(&t->c, source, vm);
    bl__columns_unlink(&t->c, host, vm, BL_ROLE_IN);
    bl__columns_link(&t->c, host, vm, BL_ROLE_HERE, false);
    t->c.vm_host[vm] = host;
    t->c.vm_migrating[vm] = 0;
    t->s.in_flight_count--;
}

void test_table_depart(struct test_table *t, uint32_t vm)
{
    if (t->c.vm_migrating[vm])
        test_table_land(t, vm);
    if (t->c.vm_state[vm] == BL_VM_PLACED) {
        bl__columns_unlink(&t->c, t->c.vm_host[vm], vm, BL_ROLE_HERE);
        bl__columns_release(&t->c, t->c.vm_host[vm], vm);
    }
    t->c.vm_state[vm] = BL_VM_ABSENT;
    t->c.vm_host[vm] = BL_NONE;
    t->c.vm_generation[vm]++;
}

void test_table_state(struct test_table *t, uint32_t host,
                      enum bl_host_state state)
{
    t->c.host_state[host] = (uint8_t)state;
    t->c.host_stamp[host] = t->c.stamp_next++;
}

static void measure(struct test_table *t, uint32_t h)
{
    struct bl_columns *c = &t->c;
    double left = c->host_capacity_mhz[h];

    c->host_served_mhz[h] = 0;
    c->host_mem_used_bytes[h] = 0;
    for (uint32_t r = c->host_first[h]; r != BL_NONE; r = c->resident[r].next) {
        const uint32_t vm = c->resident[r].vm;
        const double want = c->vm_demand_mhz[vm];
        double part = c->resident[r].role == BL_ROLE_IN ? want / 10 : want;

        part = part < left ? part : left;
        c->host_served_mhz[h] += part;
        left -= part;
        c->host_mem_used_bytes[h] += c->vm_mem_used_bytes[vm];
    }
    c->host_free_mhz[h] = left;
    c->host_util[h] = c->host_served_mhz[h] / c->host_capacity_mhz[h];
}

const struct bl_snapshot *test_table_look(struct test_table *t)
{
    for (uint32_t h = 0; h < t->c.host_count; h++)
        measure(t, h);
    t->s.sequence++;
    t->s.history.offset = t->c.history_offset;
    bl_snapshot_check(&t->s);
    return &t->s;
}

/* ---- random changes -------------------------------------------------------
 */

static bool takes_vms(const struct test_table *t, uint32_t h)
{
    return t->c.host_state[h] == BL_HOST_ON ||
           t->c.host_state[h] == BL_HOST_LEAVING;
}

/* Whole hundreds of MHz as often as not, so that ties come up. */
static double random_demand(const struct test_table *t, uint32_t vm,
                            struct bl_prng *prng)
{
    const double size = t->c.vm_size_mhz[vm];

    if (bl_prng_below(prng, 8) == 0)
        return 0;
    if (bl_prng_below(prng, 2))
        return (double)bl_prng_below(prng, 11) * (size / 10);
    return size * (double)bl_prng_below(prng, 1000001) / 1e6;
}

static void stir_vm(struct test_table *t, uint32_t vm, struct bl_prng *prng)
{
    const uint32_t h = (uint32_t)bl_prng_below(prng, t->c.host_count);

    switch (t->c.vm_state[vm]) {
    case BL_VM_ABSENT:
        if (bl_prng_below(prng, 4) == 0)
            test_table_arrive(t, vm);
        return;
    case BL_VM_PENDING:
        if (bl_prng_below(prng, 2) && takes_vms(t, h))
            test_table_place(t, vm, h);
        break;
    default:
        if (t->c.vm_migrating[vm]) {
            if (bl_prng_below(prng, 2))
                test_table_land(t, vm);
        } else if (bl_prng_below(prng, 8) == 0 && takes_vms(t, h) &&
                   h != t->c.vm_host[vm]) {
            test_table_migrate(t, vm, h);
        }
    }
    ask_for(t, vm, random_demand(t, vm, prng));
    if (bl_prng_below(prng, 4) == 0)
        t->c.vm_mem_used_bytes[vm] =
            bl_prng_below(prng, t->c.vm_mem_size_bytes[vm] + 1);
    if (bl_prng_below(prng, 24) == 0)
        test_table_depart(t, vm);
}

static void stir_host(struct test_table *t, uint32_t h, struct bl_prng *prng)
{
    static const enum bl_host_state states[] = {
        BL_HOST_ON,      BL_HOST_ON,  BL_HOST_ON,
        BL_HOST_STANDBY, BL_HOST_OFF, BL_HOST_ENTERING,
    };

    if (bl_prng_below(prng, 6) != 0)
        return;
    if (t->c.host_first[h] != BL_NONE)
        test_table_state(t, h, BL_HOST_ON);
    else if (bl_prng_below(prng, 5) == 0)
        test_table_state(t, h, BL_HOST_LEAVING);
    else
        test_table_state(t, h, states[bl_prng_below(prng, 6)]);
}

void test_table_stir(struct test_table *t, struct bl_prng *prng)
{
    for (uint32_t vm = 0; vm < t->c.slot_count; vm++)
        stir_vm(t, vm, prng);
    for (uint32_t h = 0; h < t->c.host_count; h++)
        stir_host(t, h, prng);
    bl__columns_push_history(&t->c);
    (void)test_table_look(t);
}
