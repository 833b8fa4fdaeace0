/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (UINT64_C(1) << 32)

static struct bl_host_group standard_host(uint32_t hosts)
{
    struct bl_host_group g = {
        .name = "standard",
        .host_count = hosts,
        .core_count = 4,
        .core_khz = 2000000,
        .mem_bytes = UINT64_C(8000000000),
        .node_count = 1,
        .power = { .name = "straight" },
        .standby = { .power_mw = 10000,
                     .enter = { 60 * TEST_S, UINT64_C(9000000000) },
                     .leave = { 30 * TEST_S, UINT64_C(6000000000) } },
        .off = { .power_mw = 2000,
                 .enter = { 120 * TEST_S, UINT64_C(18000000000) },
                 .leave = { 240 * TEST_S, UINT64_C(48000000000) } },
        .net_bytes_per_s = 125000000,
    };

    for (uint32_t i = 0; i < BL_POWER_POINTS; i++)
        g.power.mw[i] = 100000 + 10000 * i;
    return g;
}

struct test_world *test_world_new(uint32_t hosts)
{
    struct test_world *t = calloc(1, sizeof(*t));

    if (t == NULL)
        abort();
    t->dc = (struct bl_dc){
        .host_group_count = 1,
        .host_group = { standard_host(hosts) },
        .vm_group_count = 1,
        .vm_group = { {
            .name = "standard",
            .vcpu_count = 2,
            .vcpu_khz = 2000000,
            .mem_bytes = 1250000000,
            .cpu = { { true, BL_CPU_SHARES_NORMAL }, 0, BL_NO_LIMIT },
            .mem = { { true, BL_MEM_SHARES_NORMAL }, 0, BL_NO_LIMIT },
        } },
        .migration = { .cpu_ppm_per_gbit = 500000,
                       .dirty_bytes_per_s = 12500000,
                       .working_set_ppm = 100000,
                       .downtime_ns_max = 30000000,
                       .rounds_max = 30,
                       .parallel_max = 1000 },
    };
    t->opts = (struct bl_sim_opts){ .physics = "real", .thread_count = 1 };
    return t;
}

void test_world_open_trace(struct test_world *t, struct bl_trace *trace)
{
    struct bl_diag diag = { .text = "" };

    bl_dc_check(&t->dc);
    t->trace = trace;
    t->opts.dc = &t->dc;
    t->opts.trace = trace;
    if (bl_arena_init(&t->arena, ARENA_BYTES) != BL_ERR_OK ||
        bl_sim_create(&t->arena, &t->opts, &t->sim, &diag) != BL_ERR_OK ||
        bl_result_create(&t->arena, &t->dc, bl_dc_host_count(&t->dc),
                         bl_trace_info(trace)->step_count + 1,
                         &t->result) != BL_ERR_OK) {
        fprintf(stderr, "test world: %s\n", diag.text);
        abort();
    }
    bl_arena_seal(&t->arena);
    t->w = bl_sim_world(t->sim);
}

void test_world_open(struct test_world *t, const struct test_trace *trace)
{
    test_world_open_trace(t, test_trace_open(trace));
}

static void see_event(struct test_world *t, const struct bl_event *e)
{
    struct bl_action place = { .kind = BL_ACTION_PLACE,
                               .vm = e->vm,
                               .source = BL_NONE };

    t->event_count[e->kind]++;
    if (e->kind != BL_EVENT_VM_ARRIVED || t->home[e->vm] == BL_NONE)
        return;
    place.host = t->home[e->vm];
    (void)t->w->ops->apply(t->w, &place);
}

void test_world_go(struct test_world *t, int64_t until_ns)
{
    memset(t->event_count, 0, sizeof(t->event_count));
    do {
        struct bl_wait wait;
        struct bl_diag diag = { .text = "" };
        const bl_err e = t->w->ops->wait(t->w, until_ns, &wait, &diag);

        if (e == BL_ERR_END) {
            t->now_ns = until_ns;
            return;
        }
        if (e != BL_ERR_OK) {
            fprintf(stderr, "test world: %s\n", diag.text);
            abort();
        }
        t->now_ns = wait.now_ns;
        for (uint32_t i = 0; i < wait.event_count; i++)
            see_event(t, &wait.event[i]);
        t->w->ops->check(t->w);
    } while (t->now_ns < until_ns);
}

enum bl_verdict test_world_act(struct test_world *t, enum bl_action_kind kind,
                               uint32_t vm, uint32_t host)
{
    const struct bl_action a = {
        .kind = kind, .vm = vm, .host = host, .source = BL_NONE
    };
    const enum bl_verdict v = t->w->ops->apply(t->w, &a);

    t->w->ops->check(t->w);
    return v;
}

const struct bl_result *test_world_finish(struct test_world *t)
{
    test_world_go(t, INT64_MAX);
    bl_sim_finish(t->sim, t->result);
    t->w->ops->check(t->w);
    return t->result;
}

void test_world_free(struct test_world *t)
{
    bl_trace_close(t->trace);
    bl_arena_free(&t->arena);
    free(t);
}
