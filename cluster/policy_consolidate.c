/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consolidate - the published family of dynamic consolidation policies.
 *
 * Source     Beloglazov and Buyya, CCPE 24(13), 2012, as the program CloudSim
 *            3.0.3 does it.
 * Idea       at each instant: (1) relieve every overloaded host, VM by VM, of
 *            what the selection rule picks; (2) place these by PABFD; (3) try
 *            to empty every other host, the least used first, all of its VMs
 *            or none; (4) put emptied hosts to sleep.
 *            A name such as lr-mmt-1.2-2012 is overload test, selection rule,
 *            safety (or threshold), placement form.
 * Bound      energy, migrations and SLA figures of the program to the printed
 *            digit, under its physics (test_cloudsim303).
 * Deviation  a VM that every host would be overloaded by is started all the
 *            same where there is room; the program gives up on it. Under real
 *            physics, where sleeping is an action and memory is enforced: a
 *            sleeping target is woken first, emptied hosts are sent to sleep,
 *            only hosts that run VMs and will keep some are targets of others
 *            that are emptied (the program asks for load instead), migrating
 *            VMs and those of a waking host are left alone, and a host needs
 *            memory and reservations for what it gets. The arithmetic is the
 *            same (test_consolidate_real).
 * Cost       O(hosts + VMs * occupied hosts) for each instant.
 */
#include "cluster/id_sort.h"
#include "cluster/pabfd.h"
#include "cluster/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct bl_policy bl_policy_consolidate;

enum sleep_choice { SLEEP_STANDBY, SLEEP_OFF, SLEEP_NONE };

struct move {
    uint32_t vm, source, target;
    enum bl_reason reason;
    double figure[BL_FIGURES];
};

struct consolidate {
    struct bl_overload *overload;
    struct bl_select *select;
    struct bl_pabfd *pabfd;
    enum sleep_choice sleep;
    uint64_t placed_sequence; /* snapshot that place() has begun with */
    uint32_t placed_last;     /* host of the last placement */
    uint32_t host_count, slot_count;
    uint8_t *overloaded;
    uint8_t *no_source;              /* must not be emptied */
    uint8_t *emptied;                /* will have no VM when the plan is done */
    uint32_t *order, *order_scratch; /* hosts by utilisation */
    uint32_t *coming;                /* VMs planned onto a host */
    uint32_t *vm, *vm_scratch;
    struct bl_overload_verdict *why; /* for each VM that is to leave */
    struct move *move;
    uint32_t move_count, move_max;
};

/* ---- parameters
 * --------------------------------------------------------------- */

static const char *const tests[] = { "thr", "iqr", "mad", "lr", "lrr", NULL };
static const char *const rules[] = { "mmt", "mc", "rs", "mu", NULL };
static const char *const forms[] = { "3.0.2", "2012", NULL };
static const char *const sleeps[] = { "standby", "off", "none", NULL };

/* The safety that the published experiments use with each test. */
static const int64_t safety_default_ppm[] = { 800000, 1500000, 2500000, 1200000,
                                              1200000 };

enum { P_OVERLOAD, P_SELECT, P_SAFETY, P_PLACEMENT, P_FALLBACK, P_SLEEP };

static const struct bl_param params[] = {
    [P_OVERLOAD] = { .name = "overload",
                     .dim = BL_DIM_CHOICE,
                     .max = 4,
                     .def = BL_OVERLOAD_LR,
                     .meaning = "test for an overloaded host",
                     .choices = tests },
    [P_SELECT] = { .name = "select",
                   .dim = BL_DIM_CHOICE,
                   .max = 3,
                   .def = BL_SELECT_MMT,
                   .meaning = "which VM leaves such a host",
                   .choices = rules },
    [P_SAFETY] = { .name = "safety",
                   .dim = BL_DIM_RATIO,
                   .min = 0,
                   .max = 10000000,
                   .def = 0,
                   .meaning = "threshold of thr, s of the others; 0: published"
                              " 0.8, 1.5, 2.5, 1.2, 1.2" },
    [P_PLACEMENT] = { .name = "placement",
                      .dim = BL_DIM_CHOICE,
                      .max = 1,
                      .meaning = "form of PABFD: 3.0.2, or that of the paper",
                      .choices = forms },
    [P_FALLBACK] = { .name = "fallback",
                     .dim = BL_DIM_RATIO,
                     .min = 10000,
                     .max = 1000000,
                     .def = 700000,
                     .meaning = "threshold while there is too little history" },
    [P_SLEEP] = { .name = "sleep",
                  .dim = BL_DIM_CHOICE,
                  .max = 2,
                  .meaning = "state of an emptied host, where it is an action",
                  .choices = sleeps },
};

static bool take_word(const char **text, const char *const *words,
                      int64_t *index)
{
    for (int64_t i = 0; words[i] != NULL; i++) {
        const size_t n = strlen(words[i]);

        if (strncmp(*text, words[i], n) == 0 &&
            ((*text)[n] == '-' || (*text)[n] == '\0')) {
            *text += n + ((*text)[n] == '-');
            *index = i;
            return true;
        }
    }
    return false;
}

/* TEST-SELECTION[-SAFETY][-2012] */
static bool consolidate_matches(const char *spec, struct bl_params *p)
{
    struct bl_diag diag;
    char number[32];
    int64_t form;

    if (strcmp(spec, "consolidate") == 0)
        return true;
    if (*spec == '\0' || spec[strlen(spec) - 1] == '-')
        return false;
    if (!take_word(&spec, tests, &p->value[P_OVERLOAD]) || *spec == '\0' ||
        !take_word(&spec, rules, &p->value[P_SELECT]))
        return false;
    p->value[P_SAFETY] = safety_default_ppm[p->value[P_OVERLOAD]];
    if (*spec != '\0' && strcmp(spec, "2012") != 0) {
        const size_t n = strcspn(spec, "-");

        if (n >= sizeof(number))
            return false;
        snprintf(number, sizeof(number), "%.*s", (int)n, spec);
        if (bl_params_set(p, "safety", number, NULL, 0, &diag) != BL_ERR_OK ||
            p->value[P_SAFETY] == 0)
            return false;
        spec += n + (spec[n] == '-');
    }
    if (*spec == '\0')
        return true;
    form = 0;
    if (!take_word(&spec, forms, &form) || *spec != '\0')
        return false;
    p->value[P_PLACEMENT] = form;
    return true;
}

/* ---- life cycle
 * ----------------------------------------------------------------- */

static bl_err take_arrays(struct bl_arena *a, struct consolidate *c)
{
    c->move_max = 2 * c->slot_count;
    c->overloaded = bl_arena_get(a, c->host_count, 1);
    c->no_source = bl_arena_get(a, c->host_count, 1);
    c->emptied = bl_arena_get(a, c->host_count, 1);
    c->order = bl_arena_get(a, c->host_count, sizeof(*c->order));
    c->order_scratch =
        bl_arena_get(a, c->host_count, sizeof(*c->order_scratch));
    c->coming = bl_arena_get(a, c->host_count, sizeof(*c->coming));
    c->vm = bl_arena_get(a, c->slot_count, sizeof(*c->vm));
    c->vm_scratch = bl_arena_get(a, c->slot_count, sizeof(*c->vm_scratch));
    c->why = bl_arena_get(a, c->slot_count, sizeof(*c->why));
    c->move = bl_arena_get(a, c->move_max, sizeof(*c->move));
    if (c->overloaded == NULL || c->no_source == NULL || c->emptied == NULL ||
        c->order == NULL || c->order_scratch == NULL || c->coming == NULL ||
        c->vm == NULL || c->vm_scratch == NULL || c->why == NULL ||
        c->move == NULL)
        return BL_ERR_NOMEM;
    return BL_ERR_OK;
}

/* As given, or what the published experiments use with that test. */
static int64_t safety_ppm(const struct bl_params *p)
{
    const int64_t given = bl_params_get(p, "safety");

    return given > 0 ? given : safety_default_ppm[bl_params_get(p, "overload")];
}

static bl_err consolidate_create(struct bl_arena *a,
                                 const struct bl_policy_env *env, void **state)
{
    struct consolidate *c = bl_arena_get(a, 1, sizeof(*c));
    const struct bl_params *p = env->params;
    const struct bl_overload_opts overload = {
        .test = (enum bl_overload_test)bl_params_get(p, "overload"),
        .safety = (double)safety_ppm(p) / 1e6,
        .fallback = (double)bl_params_get(p, "fallback") / 1e6,
        .host_count = env->host_count,
        .vm_slot_count = env->vm_slot_count,
    };
    const struct bl_pabfd_opts pabfd = {
        .dc = env->dc,
        .host_count = env->host_count,
        .from_measured = bl_params_get(p, "placement") == 1,
    };

    if (c == NULL)
        return BL_ERR_NOMEM;
    c->host_count = env->host_count;
    c->slot_count = env->vm_slot_count;
    c->placed_sequence = UINT64_MAX;
    c->placed_last = BL_NONE;
    c->sleep = (enum sleep_choice)bl_params_get(p, "sleep");
    BL_TRY(take_arrays(a, c));
    BL_TRY(bl_overload_create(a, &overload, &c->overload));
    BL_TRY(bl_select_create(a, (enum bl_select_rule)bl_params_get(p, "select"),
                            env->seed, &c->select));
    BL_TRY(bl_pabfd_create(a, &pabfd, &c->pabfd));
    *state = c;
    return BL_ERR_OK;
}

static void begin(struct consolidate *c, const struct bl_snapshot *s,
                  struct bl_overlay *o)
{
    bl_overload_begin(c->overload, s, o);
    bl_pabfd_begin(c->pabfd, s, o, c->overload);
}

static void plan_wake(struct bl_plan *plan, uint32_t host, uint32_t coming)
{
    bl_plan_add(plan, &(struct bl_action){ .kind = BL_ACTION_HOST_ON,
                                           .reason = BL_REASON_WAKE,
                                           .vm = BL_NONE,
                                           .host = host,
                                           .source = BL_NONE,
                                           .figure = { coming } });
}

static void consolidate_place(void *state, const struct bl_snapshot *s,
                              struct bl_overlay *o, uint32_t vm,
                              struct bl_plan *plan)
{
    struct consolidate *c = state;
    double rise_w;

    if (c->placed_sequence != s->sequence) {
        c->placed_sequence = s->sequence;
        begin(c, s, o);
    } else if (c->placed_last != BL_NONE) {
        bl_pabfd_refresh(c->pabfd, c->placed_last);
    }

    uint32_t h = bl_pabfd_find(c->pabfd, vm, &rise_w);

    if (h == BL_NONE)
        h = bl_pabfd_find_any(c->pabfd, vm, &rise_w);
    c->placed_last = h;
    if (h == BL_NONE)
        return;
    if (bl_host_asleep(s, h))
        plan_wake(plan, h, 1);
    bl_plan_add(plan,
                &(struct bl_action){ .kind = BL_ACTION_PLACE,
                                     .reason = BL_REASON_LEAST_POWER,
                                     .vm = vm,
                                     .host = h,
                                     .source = BL_NONE,
                                     .figure = { rise_w, s->vm.demand_mhz[vm],
                                                 bl_overlay_free_mhz(o, h) } });
}

/* ---- a control instant
 * ------------------------------------------------------------ */

static void add_move(struct consolidate *c, const struct move *m)
{
    BL_ASSERT(c->move_count < c->move_max);
    c->move[c->move_count++] = *m;
    c->coming[m->target]++;
}

static void find_overloaded(struct consolidate *c, const struct bl_snapshot *s,
                            const struct bl_overlay *o)
{
    for (uint32_t h = 0; h < s->host.count; h++) {
        uint32_t vms;

        (void)bl_overlay_vms(o, h, &vms);
        c->overloaded[h] =
            vms > 0 && bl_overload_host(c->overload, h, BL_NONE).overloaded;
        c->no_source[h] = c->overloaded[h];
        c->emptied[h] = 0;
        c->coming[h] = 0;
        if (c->overloaded[h])
            bl_pabfd_exclude(c->pabfd, h);
    }
}

/* Takes VMs off overloaded hosts until they no longer are; returns how many. */
static uint32_t relieve(struct consolidate *c, const struct bl_snapshot *s,
                        struct bl_overlay *o)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < s->host.count; h++) {
        struct bl_overload_verdict v = { .overloaded = c->overloaded[h] };

        if (s->host.state[h] != BL_HOST_ON)
            continue; /* nothing runs there yet that could move */
        if (v.overloaded)
            v = bl_overload_host(c->overload, h, BL_NONE);
        while (v.overloaded) {
            const uint32_t vm = bl_select_vm(c->select, s, o, h);

            if (vm == BL_NONE)
                break;
            c->why[vm] = v;
            c->vm[n++] = vm;
            bl_overlay_take(o, h, vm);
            v = bl_overload_host(c->overload, h, BL_NONE);
        }
    }
    return n;
}

static void place_relieved(struct consolidate *c, const struct bl_snapshot *s,
                           struct bl_overlay *o, uint32_t n)
{
    bl_id_sort(c->vm, n, s->vm.demand_mhz, true, c->vm_scratch);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vm = c->vm[i];
        double rise_w;
        const uint32_t h = bl_pabfd_find(c->pabfd, vm, &rise_w);

        if (h == BL_NONE)
            continue; /* it stays where it is */
        bl_overlay_put(o, h, vm);
        bl_pabfd_refresh(c->pabfd, h);
        /* QUIRK B: the program means to spare these hosts, but does not, so
         * that what has just come may be moved once more */
        if (!(s->can & BL_CAN_MOVE_TWICE))
            c->no_source[h] = 1;
        add_move(c, &(struct move){
                        vm,
                        s->vm.host[vm],
                        h,
                        BL_REASON_OVERLOAD,
                        { c->why[vm].level, c->why[vm].threshold, rise_w } });
    }
}

static bool receives(const struct bl_snapshot *s, uint32_t h)
{
    for (uint32_t r = s->host.first[h]; r != BL_NONE; r = s->resident[r].next)
        if (s->resident[r].role == BL_ROLE_IN)
            return true;
    return false;
}

/* The program takes a host without load for one that is switched off. Where
 * sleeping is a state, that says it: a measured load is the mean of an interval
 * in which the host may have gone to sleep, and idle VMs keep a host on. Nor is
 * a host any longer in use that all its VMs are leaving. */
static bool in_use(const struct bl_snapshot *s, const struct bl_overlay *o,
                   uint32_t h)
{
    uint32_t vms;

    if (!(s->can & BL_CAN_SWITCH_HOSTS))
        return s->host.util[h] != 0;
    (void)bl_overlay_vms(o, h, &vms);
    return s->host.state[h] == BL_HOST_ON && vms > 0;
}

/* All VMs of @h somewhere else, or none. None of them is migrating: receives()
 * has ruled out those that come, and the overlay those that go. */
static bool try_to_empty(struct consolidate *c, const struct bl_snapshot *s,
                         struct bl_overlay *o, uint32_t h)
{
    const uint32_t mark = bl_overlay_mark(o), first = c->move_count;
    uint32_t n;
    const uint32_t *list = bl_overlay_vms(o, h, &n);

    memcpy(c->vm, list, n * sizeof(*list));
    bl_id_sort(c->vm, n, s->vm.demand_mhz, true, c->vm_scratch);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vm = c->vm[i];
        double rise_w;
        const uint32_t t = bl_pabfd_find(c->pabfd, vm, &rise_w);

        if (t == BL_NONE) {
            bl_overlay_undo(o, mark);
            while (c->move_count > first) {
                const uint32_t back = c->move[--c->move_count].target;

                c->coming[back]--;
                bl_pabfd_refresh(c->pabfd, back);
            }
            return false;
        }
        bl_overlay_put(o, t, vm);
        bl_pabfd_refresh(c->pabfd, t);
        add_move(c,
                 &(struct move){ vm,
                                 s->vm.host[vm],
                                 t,
                                 BL_REASON_UNDERLOAD,
                                 { s->host.util[h], s->vm.util[vm], rise_w } });
    }
    for (uint32_t i = first; i < c->move_count; i++)
        c->no_source[c->move[i].target] = 1;
    return true;
}

static void empty_the_rest(struct consolidate *c, const struct bl_snapshot *s,
                           struct bl_overlay *o)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < s->host.count; h++) {
        if (!in_use(s, o, h))
            bl_pabfd_exclude(c->pabfd, h);
        else if (s->host.util[h] < 1 && !c->no_source[h] && !receives(s, h))
            c->order[n++] = h;
    }
    bl_id_sort(c->order, n, s->host.util, false, c->order_scratch);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t h = c->order[i];

        if (c->no_source[h])
            continue;
        c->no_source[h] = 1;
        bl_pabfd_exclude(c->pabfd, h);
        c->emptied[h] = try_to_empty(c, s, o, h);
    }
}

static void plan_moves(const struct consolidate *c, const struct bl_snapshot *s,
                       struct bl_plan *plan)
{
    for (uint32_t h = 0; h < s->host.count; h++)
        if (c->coming[h] > 0 && bl_host_asleep(s, h))
            plan_wake(plan, h, c->coming[h]);
    for (uint32_t i = 0; i < c->move_count; i++) {
        const struct move *m = &c->move[i];

        bl_plan_add(plan,
                    &(struct bl_action){ .kind = BL_ACTION_MIGRATE,
                                         .reason = m->reason,
                                         .vm = m->vm,
                                         .host = m->target,
                                         .source = m->source,
                                         .figure = { m->figure[0], m->figure[1],
                                                     m->figure[2] } });
    }
}

static void plan_sleep(const struct consolidate *c, const struct bl_snapshot *s,
                       const struct bl_overlay *o, struct bl_plan *plan)
{
    if (!(s->can & BL_CAN_SWITCH_HOSTS) || c->sleep == SLEEP_NONE)
        return;
    for (uint32_t h = 0; h < s->host.count; h++) {
        uint32_t left;

        /* one whose VMs are leaving by an earlier plan has been asked then */
        if (s->host.state[h] != BL_HOST_ON || c->coming[h] > 0 ||
            (s->host.first[h] != BL_NONE && !c->emptied[h]))
            continue;
        (void)bl_overlay_vms(o, h, &left);
        bl_plan_add(plan,
                    &(struct bl_action){ .kind = c->sleep == SLEEP_OFF
                                                     ? BL_ACTION_HOST_OFF
                                                     : BL_ACTION_HOST_STANDBY,
                                         .reason = BL_REASON_EMPTIED,
                                         .vm = BL_NONE,
                                         .host = h,
                                         .source = BL_NONE,
                                         .figure = { s->host.util[h], left } });
    }
}

static void consolidate_step(void *state, const struct bl_snapshot *s,
                             struct bl_overlay *o, struct bl_plan *plan)
{
    struct consolidate *c = state;
    const uint32_t mark = bl_overlay_mark(o);

    c->move_count = 0;
    c->placed_sequence = UINT64_MAX; /* place() must begin anew */
    begin(c, s, o);
    find_overloaded(c, s, o);
    place_relieved(c, s, o, relieve(c, s, o));
    empty_the_rest(c, s, o);
    plan_moves(c, s, plan);
    plan_sleep(c, s, o, plan);
    bl_overlay_undo(o, mark);
}

static void consolidate_check(const void *state)
{
    const struct consolidate *c = state;

    BL_ASSERT(c->move_count <= c->move_max);
    for (uint32_t i = 0; i < c->move_count; i++) {
        BL_ASSERT(c->move[i].target < c->host_count);
        BL_ASSERT(c->move[i].vm < c->slot_count);
        BL_ASSERT(!c->overloaded[c->move[i].target]);
        BL_ASSERT(c->coming[c->move[i].target] > 0);
    }
}

const struct bl_policy bl_policy_consolidate = {
    .name = "consolidate",
    .syntax = "TEST-SELECTION[-SAFETY][-2012], e.g. lr-mmt-1.2",
    .summary = "relieve overloaded hosts, empty little-used ones",
    .source = "Beloglazov and Buyya, CCPE 2012; CloudSim 3.0.3",
    .params = params,
    .param_count = sizeof(params) / sizeof(params[0]),
    .writes = 1u << BL_ACTION_PLACE | 1u << BL_ACTION_MIGRATE |
              1u << BL_ACTION_HOST_ON | 1u << BL_ACTION_HOST_STANDBY |
              1u << BL_ACTION_HOST_OFF,
    .history_count = BL_HISTORY_MAX,
    .matches = consolidate_matches,
    .create = consolidate_create,
    .place = consolidate_place,
    .step = consolidate_step,
    .check = consolidate_check,
};
