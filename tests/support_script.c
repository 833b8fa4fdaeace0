/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_script.h"

#include "manager/registry.h"

#include <stdio.h>
#include <string.h>

struct puppet puppet;

/* ---- the world ------------------------------------------------------------
 */

/* Whoever is without a host afterwards has arrived just now, or waits. */
static void stir(struct script *w, struct bl_wait *out)
{
    uint8_t before[TEST_SLOTS];

    memcpy(before, w->t->c.vm_state, sizeof(before));
    test_table_stir(w->t, w->stir);
    for (uint32_t vm = 0; vm < TEST_SLOTS; vm++)
        if (w->t->c.vm_state[vm] == BL_VM_PENDING && before[vm] == BL_VM_ABSENT)
            w->event[out->event_count++] =
                (struct bl_event){ .kind = BL_EVENT_VM_ARRIVED,
                                   .vm = vm,
                                   .host = BL_NONE,
                                   .at_ns = w->now_ns };
}

/* All of one instant, but no further than the first arrivals. */
static bl_err script_wait(struct bl_world *world, int64_t until_ns,
                          struct bl_wait *out, struct bl_diag *diag)
{
    struct script *w = (struct script *)world;
    bool arrived = false;

    if (w->now_ns >= w->end_ns)
        return w->fails == BL_ERR_OK
                   ? BL_ERR_END
                   : bl_diag_set(diag, w->fails, "script", 7, "broken");
    *out = (struct bl_wait){ .event = w->event };
    while (w->done < w->todo_count && w->todo[w->done].at_ns <= until_ns &&
           (!arrived || w->todo[w->done].at_ns == w->now_ns)) {
        const struct happening *h = &w->todo[w->done++];

        assert_true(out->event_count < TEST_EVENTS_MAX);
        w->now_ns = h->at_ns;
        if (h->kind == BL_EVENT_VM_ARRIVED)
            test_table_arrive(w->t, h->vm);
        else
            test_table_depart(w->t, h->vm);
        arrived = arrived || h->kind == BL_EVENT_VM_ARRIVED;
        w->event[out->event_count++] = (struct bl_event){
            .kind = h->kind, .vm = h->vm, .host = BL_NONE, .at_ns = h->at_ns
        };
    }
    if (!arrived)
        w->now_ns = until_ns < w->end_ns ? until_ns : w->end_ns;
    out->now_ns = w->now_ns;
    if (w->stir != NULL)
        stir(w, out);
    return BL_ERR_OK;
}

static const struct bl_snapshot *script_observe(struct bl_world *world)
{
    struct script *w = (struct script *)world;

    w->observed++;
    w->t->s.now_ns = w->now_ns;
    return test_table_look(w->t);
}

static enum bl_verdict script_apply(struct bl_world *world,
                                    const struct bl_action *a)
{
    struct script *w = (struct script *)world;
    struct bl_columns *c = &w->t->c;

    w->applied++;
    if (w->verdict != BL_VERDICT_OK)
        return w->verdict;
    switch (a->kind) {
    case BL_ACTION_PLACE:
        test_table_place(w->t, a->vm, a->host);
        c->host_mem_used_bytes[a->host] += c->vm_mem_used_bytes[a->vm];
        break;
    case BL_ACTION_MIGRATE:
        test_table_migrate(w->t, a->vm, a->host);
        c->host_mem_used_bytes[a->host] += c->vm_mem_used_bytes[a->vm];
        break;
    case BL_ACTION_HOST_ON:
        if (c->host_state[a->host] == BL_HOST_ON)
            return BL_VERDICT_HOST_STATE;
        test_table_state(w->t, a->host, BL_HOST_LEAVING);
        break;
    case BL_ACTION_HOST_STANDBY:
    case BL_ACTION_HOST_OFF:
        test_table_state(w->t, a->host, BL_HOST_ENTERING);
        break;
    case BL_ACTION_POWER_UNMANAGED:
    case BL_ACTION_POWER_CAP:
    case BL_ACTION_COUNT:
        break;
    }
    return BL_VERDICT_OK;
}

static void script_check(const struct bl_world *world)
{
    struct script *w = ((const struct script *)world)->t->s.serve_ctx;

    w->checked++;
    bl_snapshot_check(&w->t->s);
}

static const struct bl_world_ops script_ops = {
    .wait = script_wait,
    .observe = script_observe,
    .apply = script_apply,
    .check = script_check,
};

/* ---- the policy -----------------------------------------------------------
 */

static void note(uint32_t what, int64_t at_ns)
{
    assert_true(puppet.log_count < TEST_LOG_MAX);
    puppet.at_ns[puppet.log_count] = at_ns;
    puppet.log[puppet.log_count++] = what;
}

static bl_err puppet_create(struct bl_arena *a, const struct bl_policy_env *env,
                            void **state)
{
    uint32_t *p = bl_arena_get(a, 1, sizeof(*p));

    assert_int_equal(env->host_count, TEST_HOSTS);
    assert_int_equal(env->vm_slot_count, TEST_SLOTS);
    assert_int_equal(env->seed, 77);
    puppet.created++;
    *state = p;
    return p != NULL ? BL_ERR_OK : BL_ERR_NOMEM;
}

static void puppet_place(void *state, const struct bl_snapshot *s,
                         struct bl_overlay *o, uint32_t vm,
                         struct bl_plan *plan)
{
    assert_non_null(state);
    assert_int_equal(plan->count, 0);
    note(LOG_PLACE + vm, s->now_ns);
    if (puppet.place != NULL)
        puppet.place(s, o, vm, plan);
}

static void puppet_step(void *state, const struct bl_snapshot *s,
                        struct bl_overlay *o, struct bl_plan *plan)
{
    assert_non_null(state);
    assert_int_equal(plan->count, 0);
    note(LOG_STEP, s->now_ns);
    puppet.steps++;
    if (puppet.step != NULL)
        puppet.step(s, o, BL_NONE, plan);
}

static void puppet_event(void *state, const struct bl_snapshot *s,
                         const struct bl_event *e)
{
    assert_non_null(state);
    note(LOG_EVENT_OF(e->kind, e->vm), s->now_ns);
}

static void puppet_check(const void *state)
{
    assert_non_null(state);
    puppet.checks++;
}

static void plan_for_vm(struct bl_plan *plan, enum bl_action_kind kind,
                        uint32_t vm, uint32_t source, uint32_t host)
{
    bl_plan_add(plan, &(struct bl_action){ .kind = kind,
                                           .reason = BL_REASON_FIRST_FIT,
                                           .vm = vm,
                                           .host = host,
                                           .source = source });
}

void plan_place(struct bl_plan *plan, uint32_t vm, uint32_t host)
{
    plan_for_vm(plan, BL_ACTION_PLACE, vm, BL_NONE, host);
}

void plan_migrate(struct bl_plan *plan, uint32_t vm, uint32_t source,
                  uint32_t host)
{
    plan_for_vm(plan, BL_ACTION_MIGRATE, vm, source, host);
}

/* ---- both, under a manager ------------------------------------------------
 */

static void keep_entry(void *ctx, const struct bl_journal_entry *e)
{
    struct fixture *f = ctx;
    struct entry *to = &f->journal[f->entries++];

    assert_true(f->entries <= TEST_LOG_MAX);
    to->action = *e->action;
    to->verdict = e->verdict;
    to->at_ns = e->at_ns;
    snprintf(to->policy, sizeof(to->policy), "%s", e->policy);
}

static void keep_progress(void *ctx, int64_t now_ns)
{
    struct fixture *f = ctx;

    assert_true(f->progress < TEST_EVENTS_MAX);
    f->progress_ns[f->progress++] = now_ns;
    if (f->progress == f->stop_after)
        f->stop = 1;
}

struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    memset(&puppet, 0, sizeof(puppet));
    f->w.t = test_table_new(TEST_HOSTS, TEST_SLOTS, BL_HISTORY_MAX);
    f->w.t->s.serve_ctx = &f->w;
    f->w.end_ns = 95 * TEST_S;
    f->w.world = (struct bl_world){ .ops = &script_ops,
                                    .first_due_ns = 10 * TEST_S,
                                    .interval_ns = 10 * TEST_S,
                                    .host_count = TEST_HOSTS,
                                    .vm_slot_count = TEST_SLOTS,
                                    .resident_max = f->w.t->c.resident_max,
                                    .dc = &f->w.t->dc };
    f->policy = (struct bl_policy){ .name = "puppet",
                                    .writes = (1u << BL_ACTION_COUNT) - 1,
                                    .create = puppet_create,
                                    .place = puppet_place,
                                    .step = puppet_step,
                                    .event = puppet_event,
                                    .check = puppet_check };
    f->opts = (struct bl_manager_opts){ .world = &f->w.world,
                                        .policy = &f->policy,
                                        .params = &f->params,
                                        .seed = 77,
                                        .journal = keep_entry,
                                        .journal_ctx = f,
                                        .progress = keep_progress,
                                        .progress_ctx = f,
                                        .stop = &f->stop,
                                        .paranoid = true };
    return f;
}

void fixture_free(struct fixture *f)
{
    test_table_free(f->w.t);
    free(f);
}

void fixture_use(struct fixture *f, const char *spec)
{
    struct bl_diag diag;

    assert_ok(
        bl_registry_find(spec, NULL, 0, &f->opts.policy, &f->params, &diag));
}

const struct bl_manager_counts *fixture_run(struct fixture *f)
{
    struct bl_diag diag = { "" };
    bool stopped = true;

    assert_ok(bl_manager_create(&f->w.t->arena, &f->opts, &f->m));
    bl_arena_seal(&f->w.t->arena); /* from here on, nobody allocates */
    if (bl_manager_run(f->m, &stopped, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(stopped, f->stop_after > 0);
    return bl_manager_counts(f->m);
}
