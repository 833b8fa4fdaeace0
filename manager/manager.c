/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop. One instant: what happened (event), who arrived (place), what is
 * due (step), then power budgets; every action goes through validate() and then
 * to the world.
 */
#include "manager/manager.h"

#include "manager/registry.h"
#include "manager/validate.h"
#include "power/capping.h"

#include <string.h>

struct active_policy {
    const struct bl_policy *ops;
    void *state;
};

struct bl_manager {
    struct bl_manager_opts opts;
    struct bl_world *world;
    struct active_policy policy, reference;
    struct active_policy power; /* ops NULL: no caps, or it has lost its say */
    struct bl_params reference_params;
    struct bl_overlay *overlay;
    struct bl_plan plan, power_plan;
    const struct bl_snapshot *snap;
    bool looked;    /* at this instant: snapshot and overlay are current */
    bool acted;     /* at this instant: some action was accepted */
    bool unpowered; /* of this plan, something was refused for power: what
                       builds on it is refused, too, and is no fault */
    struct bl_manager_counts counts;
    uint64_t faults, power_faults;
    int64_t due_ns;
    /* VMs that no policy has found a host for yet, by slot; and the slot's
     * generation then, to notice that it is another VM by now */
    uint32_t *waiting, *waiting_generation;
    uint32_t waiting_count;
};

enum { PLAN_EXTRA = 64 };

static bl_err create_policy(struct bl_arena *a, const struct bl_manager *m,
                            const struct bl_policy *ops,
                            const struct bl_params *params,
                            struct active_policy *out)
{
    const struct bl_policy_env env = {
        .dc = m->world->dc,
        .host_count = m->world->host_count,
        .vm_slot_count = m->world->vm_slot_count,
        .params = params,
        .seed = m->opts.seed,
    };

    out->ops = ops;
    return ops->create(a, &env, &out->state);
}

/* One area alone may write a kind of action. */
static bl_err create_power(struct bl_arena *a, struct bl_manager *m)
{
    static const struct bl_params none;
    const uint32_t writes = bl_capping_policy.writes;

    if (m->world->dc->cap_count == 0)
        return BL_ERR_OK;
    BL_ASSERT((m->opts.policy->writes & writes) == 0);
    BL_ASSERT((m->reference.ops->writes & writes) == 0);
    BL_TRY(create_policy(a, m, &bl_capping_policy, &none, &m->power));
    return bl_plan_create(a, 2 * m->world->host_count, &m->power_plan);
}

bl_err bl_manager_create(struct bl_arena *a, const struct bl_manager_opts *opts,
                         struct bl_manager **out)
{
    struct bl_manager *m = bl_arena_get(a, 1, sizeof(*m));
    const uint32_t hosts = opts->world->host_count;
    const uint32_t slots = opts->world->vm_slot_count;
    const struct bl_policy *reference = NULL;
    struct bl_diag diag;

    if (m == NULL)
        return BL_ERR_NOMEM;
    m->opts = *opts;
    m->world = opts->world;
    m->due_ns = m->world->first_due_ns;
    BL_TRY(bl_registry_find("static", NULL, 0, &reference, &m->reference_params,
                            &diag));
    BL_TRY(create_policy(a, m, opts->policy, opts->params, &m->policy));
    BL_TRY(create_policy(a, m, reference, &m->reference_params, &m->reference));
    BL_TRY(create_power(a, m));
    BL_TRY(bl_overlay_create(a, hosts, m->world->resident_max,
                             4 * slots + PLAN_EXTRA, &m->overlay));
    BL_TRY(bl_plan_create(a, 2 * hosts + 2 * slots + PLAN_EXTRA, &m->plan));
    m->waiting = bl_arena_get(a, slots, sizeof(*m->waiting));
    m->waiting_generation =
        bl_arena_get(a, slots, sizeof(*m->waiting_generation));
    if (m->waiting == NULL || m->waiting_generation == NULL)
        return BL_ERR_NOMEM;
    *out = m;
    return BL_ERR_OK;
}

const struct bl_manager_counts *bl_manager_counts(const struct bl_manager *m)
{
    return &m->counts;
}

/* ---- applying a plan
 * ------------------------------------------------------------ */

static const char *policy_name(const struct bl_manager *m)
{
    if (m->opts.spec != NULL && m->policy.ops == m->opts.policy &&
        !m->counts.replaced)
        return m->opts.spec;
    return m->policy.ops->name;
}

/* The journal's line and the counts of one action. */
static void note(struct bl_manager *m, const char *author,
                 const struct bl_action *a, enum bl_verdict v)
{
    const struct bl_journal_entry entry = {
        .at_ns = m->snap->now_ns, .policy = author, .action = a, .verdict = v
    };

    if (m->opts.journal != NULL)
        m->opts.journal(m->opts.journal_ctx, &entry);
    if (bl_verdict_accepted(v)) {
        m->acted = true;
        m->counts.accepted[a->kind]++;
        m->counts.reasons[a->reason]++;
    } else {
        m->counts.refused[v]++;
    }
}

/* ---- power caps
 * ---------------------------------------------------------------- */

static bool caps_apply(const struct bl_manager *m)
{
    return m->power.ops != NULL && (m->snap->can & BL_CAN_CAP_POWER);
}

/* Budgets that were given stay in force, should the area lose its say. */
static void apply_budgets(struct bl_manager *m)
{
    struct bl_plan *p = &m->power_plan;
    const struct bl_policy *area = m->power.ops;

    m->power_faults += p->dropped_count;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct bl_action *a = &p->action[i];
        enum bl_verdict v = bl_validate(m->snap, m->overlay, area, a);

        if (bl_verdict_accepted(v))
            v = m->world->ops->apply(m->world, a);
        note(m, area->name, a, v);
        m->power_faults += !bl_verdict_accepted(v);
    }
    p->count = p->dropped_count = 0;
    if (m->power_faults > BL_MANAGER_FAULTS_MAX)
        m->power.ops = NULL;
}

/* Asks the world for @a, after what it needs of power budgets. */
static enum bl_verdict ask_world(struct bl_manager *m,
                                 const struct bl_action *a)
{
    if (caps_apply(m)) {
        if (!bl_capping_backs(m->power.state, m->snap, a))
            return BL_VERDICT_NO_POWER;
        bl_capping_prepare(m->power.state, m->snap, a, &m->power_plan);
        apply_budgets(m);
    }
    return m->world->ops->apply(m->world, a);
}

static void divide_power(struct bl_manager *m)
{
    m->power.ops->step(m->power.state, m->snap, m->overlay, &m->power_plan);
    apply_budgets(m);
}

/* ---- actions of the policy
 * ------------------------------------------------------ */

/* The reference policy knows no sleep: whoever sleeps would stay asleep. A host
 * that is on is asked, too: a sleep that waits for its last VM is called off.
 * The others refuse, which is nobody's fault and not noted. */
static void wake_all(struct bl_manager *m)
{
    const struct bl_host_table *h = &m->snap->host;

    if (!(m->snap->can & BL_CAN_SWITCH_HOSTS))
        return;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct bl_action on = { .kind = BL_ACTION_HOST_ON,
                                      .reason = BL_REASON_FALLBACK,
                                      .vm = BL_NONE,
                                      .host = i,
                                      .source = BL_NONE,
                                      .figure = { (double)m->faults } };
        const enum bl_verdict v = ask_world(m, &on);

        if (bl_verdict_accepted(v))
            note(m, policy_name(m), &on, v);
    }
}

/* A policy that is refused too often has lost its licence. */
static void count_fault(struct bl_manager *m)
{
    m->faults++;
    if (m->faults <= BL_MANAGER_FAULTS_MAX || m->policy.ops == m->reference.ops)
        return;
    m->policy = m->reference;
    m->counts.replaced = true;
    wake_all(m);
}

/* What the next policy of this instant must see. */
static void lay_on_overlay(struct bl_manager *m, const struct bl_action *a)
{
    if (a->kind == BL_ACTION_PLACE) {
        bl_overlay_pool_take(m->overlay, a->vm);
        bl_overlay_refresh(m->overlay, a->host);
    } else if (a->kind == BL_ACTION_MIGRATE) {
        bl_overlay_refresh(m->overlay, a->source);
        bl_overlay_refresh(m->overlay, a->host);
    }
}

static enum bl_verdict apply_action(struct bl_manager *m,
                                    const struct bl_action *a)
{
    enum bl_verdict v = bl_validate(m->snap, m->overlay, m->policy.ops, a);

    if (bl_verdict_accepted(v))
        v = ask_world(m, a);
    note(m, policy_name(m), a, v);
    if (bl_verdict_accepted(v))
        lay_on_overlay(m, a);
    else if (v == BL_VERDICT_NO_POWER)
        m->unpowered = true;
    else if (v != BL_VERDICT_NO_POOL && !m->unpowered)
        count_fault(m); /* what pools and caps can back, admission knows */
    return v;
}

/* Applies the plan in its order, up to where its policy may be replaced; true
 * when @vm (or BL_NONE) was placed. */
static bool apply_plan(struct bl_manager *m, uint32_t vm)
{
    const struct bl_policy *author = m->policy.ops;
    bool placed = false;

    m->unpowered = false;

    if (bl_overlay_mark(m->overlay) > 0) { /* moves it did not take back */
        bl_overlay_undo(m->overlay, 0);
        count_fault(m);
    }
    for (uint32_t i = 0; i < m->plan.count && m->policy.ops == author; i++) {
        const struct bl_action *a = &m->plan.action[i];
        const enum bl_verdict v = apply_action(m, a);

        if (bl_verdict_accepted(v) && a->kind == BL_ACTION_PLACE && a->vm == vm)
            placed = true;
    }
    m->counts.refused[BL_VERDICT_FULL] += m->plan.dropped_count;
    for (uint32_t i = 0; i < m->plan.dropped_count; i++)
        count_fault(m);
    m->plan.count = m->plan.dropped_count = 0;
    return placed;
}

/* ---- an instant
 * ------------------------------------------------------------------ */

static void look(struct bl_manager *m)
{
    m->snap = m->world->ops->observe(m->world);
    m->looked = true;
    bl_overlay_reset(m->overlay, m->snap);
}

/* Or has it left, and its slot is empty or another VM's by now? */
static bool still_waits(const struct bl_manager *m, uint32_t i)
{
    const struct bl_vm_table *v = &m->snap->vm;

    return v->state[m->waiting[i]] == BL_VM_PENDING &&
           v->generation[m->waiting[i]] == m->waiting_generation[i];
}

static void forget_gone(struct bl_manager *m)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->waiting_count; i++) {
        if (!still_waits(m, i))
            continue;
        m->waiting[kept] = m->waiting[i];
        m->waiting_generation[kept++] = m->waiting_generation[i];
    }
    m->waiting_count = kept;
}

/* One VM for each slot can wait, so whoever is beyond that has left. */
static void wait_for_room(struct bl_manager *m, uint32_t vm)
{
    if (m->waiting_count == m->world->vm_slot_count)
        forget_gone(m);
    BL_ASSERT(m->waiting_count < m->world->vm_slot_count);
    m->counts.unplaced++;
    m->waiting_generation[m->waiting_count] = m->snap->vm.generation[vm];
    m->waiting[m->waiting_count++] = vm;
}

static bool place_one(struct bl_manager *m, uint32_t vm)
{
    m->policy.ops->place(m->policy.state, m->snap, m->overlay, vm, &m->plan);
    return apply_plan(m, vm);
}

static void place(struct bl_manager *m, uint32_t vm)
{
    if (!place_one(m, vm))
        wait_for_room(m, vm);
}

/* Those that wait try again at each control instant, oldest first; but no
 * policy is asked again for whom pools refuse. */
static void place_waiting(struct bl_manager *m)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->waiting_count; i++) {
        const uint32_t vm = m->waiting[i], gen = m->waiting_generation[i];

        if (!still_waits(m, i))
            continue;
        if (!bl_overlay_pool_fits(m->overlay, vm) || !place_one(m, vm)) {
            m->waiting[kept] = vm;
            m->waiting_generation[kept++] = gen;
        }
    }
    m->waiting_count = kept;
}

static void handle_events(struct bl_manager *m, const struct bl_wait *w)
{
    for (uint32_t i = 0; i < w->event_count; i++) {
        const struct bl_event *e = &w->event[i];
        const bool arrived = e->kind == BL_EVENT_VM_ARRIVED;

        if (!arrived && m->policy.ops->event == NULL)
            continue;
        if (!m->looked)
            look(m);
        if (m->policy.ops->event != NULL)
            m->policy.ops->event(m->policy.state, m->snap, e);
        if (arrived && m->snap->vm.state[e->vm] == BL_VM_PENDING)
            place(m, e->vm);
    }
}

static void control_instant(struct bl_manager *m)
{
    const struct active_policy *p = &m->policy;

    if (p->ops->step == NULL && m->waiting_count == 0)
        return;
    look(m);
    if (m->waiting_count > 0)
        place_waiting(m);
    if (p->ops->step == NULL)
        return;
    p->ops->step(p->state, m->snap, m->overlay, &m->plan);
    (void)apply_plan(m, BL_NONE);
}

/* After everybody else. Who arrived or moved has been placed by then. */
static void power_instant(struct bl_manager *m, bool due)
{
    if (m->power.ops == NULL || (!due && !m->acted))
        return;
    if (!m->looked)
        look(m);
    if (caps_apply(m))
        divide_power(m);
}

static void check_all(const struct bl_manager *m)
{
    m->world->ops->check(m->world);
    if (m->looked)
        bl_overlay_check(m->overlay);
    if (m->policy.ops->check != NULL)
        m->policy.ops->check(m->policy.state);
}

bl_err bl_manager_run(struct bl_manager *m, bool *stopped, struct bl_diag *diag)
{
    *stopped = false;
    for (;;) {
        struct bl_wait w;
        const bl_err e = m->world->ops->wait(m->world, m->due_ns, &w, diag);

        if (e == BL_ERR_END)
            return BL_ERR_OK;
        if (e != BL_ERR_OK)
            return e;
        m->looked = false;
        m->acted = false;
        handle_events(m, &w);
        if (w.now_ns == m->due_ns)
            control_instant(m);
        power_instant(m, w.now_ns == m->due_ns);
        if (w.now_ns == m->due_ns) {
            m->due_ns += m->world->interval_ns;
            if (m->opts.progress != NULL)
                m->opts.progress(m->opts.progress_ctx, w.now_ns);
        }
        if (m->opts.paranoid)
            check_all(m);
        if (m->opts.stop != NULL && *m->opts.stop != 0) {
            *stopped = true;
            return BL_ERR_OK;
        }
    }
}
