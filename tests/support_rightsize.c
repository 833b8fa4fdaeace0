/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_rightsize.h"

#include "tests/test.h"

enum { PLAN_MAX = 4096 };

/* All hosts are like host 0. */
static void make_alike(struct test_table *t)
{
    const uint32_t odd = t->dc.host_group[1].host_count;

    t->dc.host_group[1] = t->dc.host_group[0];
    t->dc.host_group[1].host_count = odd;
    for (uint32_t h = 1; h < t->c.host_count; h++) {
        t->c.host_capacity_khz[h] = t->c.host_capacity_khz[0];
        t->c.host_capacity_mhz[h] = t->c.host_capacity_mhz[0];
        t->c.host_core_mhz[h] = t->c.host_core_mhz[0];
        t->c.host_mem_bytes[h] = t->c.host_mem_bytes[0];
    }
}

struct hand hand_open(uint32_t hosts, uint32_t slots, bool alike)
{
    struct hand w = { .t = test_table_new(hosts, slots, BL_HISTORY_MAX) };

    for (uint32_t g = 0; g < w.t->dc.host_group_count; g++) {
        w.t->dc.host_group[g].off = (struct bl_sleep_state){
            2000, { 30 * HAND_S, 3000000000 }, { 60 * HAND_S, 9000000000 }
        };
        w.t->dc.host_group[g].standby = w.t->dc.host_group[g].off;
    }
    if (alike)
        make_alike(w.t);
    w.t->s.demand_is_oracle = true;
    w.t->s.now_ns = 36000 * HAND_S;
    bl_params_init(&w.params, HAND_POLICY->params, HAND_POLICY->param_count);
    return w;
}

void hand_set(struct hand *w, const char *name, const char *value)
{
    struct bl_diag diag;

    assert_ok(bl_params_set(&w->params, name, value, NULL, 0, &diag));
}

void hand_start(struct hand *w)
{
    const struct bl_policy_env env = { .dc = &w->t->dc,
                                       .host_count = w->t->c.host_count,
                                       .vm_slot_count = w->t->c.slot_count,
                                       .params = &w->params,
                                       .seed = 1 };
    void *state = NULL;

    assert_ok(bl_overlay_create(&w->t->arena, w->t->c.host_count,
                                w->t->s.resident_max, 4 * w->t->c.slot_count,
                                &w->o));
    assert_ok(bl_plan_create(&w->t->arena, PLAN_MAX, &w->plan));
    assert_ok(HAND_POLICY->create(&w->t->arena, &env, &state));
    w->rs = state;
}

void hand_shut(struct hand *w)
{
    test_table_free(w->t);
}

void hand_ask(struct hand *w, uint32_t vm, double mhz)
{
    w->t->c.vm_demand_mhz[vm] = mhz;
    w->t->c.vm_util[vm] = mhz / w->t->c.vm_size_mhz[vm];
}

void hand_repeat(struct hand *w, uint32_t samples)
{
    for (uint32_t i = 0; i < samples; i++)
        bl__columns_push_history(&w->t->c);
}

void hand_step(struct hand *w)
{
    const struct bl_snapshot *s = test_table_look(w->t);

    w->t->s.now_ns += 300 * HAND_S;
    w->plan.count = w->plan.dropped_count = 0;
    bl_overlay_reset(w->o, s);
    HAND_POLICY->step(w->rs, s, w->o, &w->plan);
    HAND_POLICY->check(w->rs);
    assert_int_equal(bl_overlay_mark(w->o), 0);
    assert_int_equal(w->plan.dropped_count, 0);
}

uint32_t hand_place(struct hand *w, uint32_t vm)
{
    const struct bl_snapshot *s;

    test_table_arrive(w->t, vm);
    s = test_table_look(w->t);
    bl_overlay_reset(w->o, s);
    w->plan.count = 0;
    HAND_POLICY->place(w->rs, s, w->o, vm, &w->plan);
    if (w->plan.count == 0)
        return BL_NONE;
    assert_int_equal(w->plan.action[w->plan.count - 1].kind, BL_ACTION_PLACE);
    return w->plan.action[w->plan.count - 1].host;
}

uint32_t hand_count(const struct hand *w, enum bl_action_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->plan.count; i++)
        n += w->plan.action[i].kind == kind;
    return n;
}

const struct bl_action *hand_action(const struct hand *w,
                                    enum bl_action_kind kind)
{
    for (uint32_t i = 0; i < w->plan.count; i++)
        if (w->plan.action[i].kind == kind)
            return &w->plan.action[i];
    fail_msg("no %s in the plan", bl_action_name(kind));
    return NULL;
}
