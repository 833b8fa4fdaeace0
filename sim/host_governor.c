/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_governor - what a governor sees of each frequency domain, and its
 * answer.
 *
 * Source     power/governor.h; DESIGN.md 5.5.
 * Idea       at each sampling instant the window behind is measured as a
 *            hypervisor could: for each core how long it was busy, for each
 *            vCPU what it was charged, and since when it has not been halted.
 *            Who halted has done all that came; who has not may have had work
 *            all the time since it woke, at full speed, or a usual burst. What
 *            came in the window is its demand, done or not. VMs are entitled to
 *            what bl_entitle(), or the pool tree, gives them of it at full
 *            speed, each vCPU to its part. What a vCPU is owed beyond what it
 *            had belongs to the domain where it ran last, what it had to those
 *            where it ran. What is entitled is averaged over 100 ms: power
 *            rises faster than speed, so an even speed draws least, and who
 *            waits for 10 ms loses nothing. What would lose, a vCPU that is not
 *            halted for long, makes itself heard by core_khz_min, the longer
 *            the more; and who often is, before. A core is always as fast as
 *            what is reserved by VMs that may run nowhere else.
 * Bound      views of small hosts by hand (test_host_power).
 * Deviation  a vCPU that has not run yet and waits is counted where its number
 *            says; what one is owed belongs to one domain, although it may have
 *            run in several. Under SMT work of a domain is what its cores did:
 *            a charge counts as much core time as the host's charges needed on
 *            average.
 * Cost       O(vCPUs + VMs log VMs + cores) a sample.
 */
#include "sim/host_power_priv.h"

#include <stdio.h>
#include <string.h>

/* The only core that VMs of @c may use, or HOST_NONE. */
static uint32_t only_core(const struct bl_topo *t, const struct host_class *c)
{
    uint32_t core = HOST_NONE;

    if (c->affinity == NULL)
        return HOST_NONE;
    for (uint32_t p = 0; p < t->pcpu_count; p++) {
        if (!bl_cpuset_has(c->affinity, p))
            continue;
        if (core != HOST_NONE && core != t->core_of[p])
            return HOST_NONE;
        core = t->core_of[p];
    }
    return core;
}

bl_err bl__host_governor_create(struct bl_arena *a, struct bl_host_sim *s,
                                struct bl_diag *diag)
{
    const struct bl_host_spec *spec = s->spec;
    struct host_power *w = s->power;
    const char *name =
        spec->governor[0] != '\0' ? spec->governor : "performance";

    w->governor = bl_governor_find(name);
    if (w->governor == NULL)
        return bl_diag_set(diag, BL_ERR_NOENT, s->opts.file,
                           spec->governor_line, "no governor %s", name);
    bl_params_init(&w->params, w->governor->params, w->governor->param_count);
    for (uint32_t i = 0; i < spec->governor_param_count; i++) {
        const struct bl_host_param *p = &spec->governor_param[i];

        BL_TRY(bl_params_set(&w->params, p->name, p->text, s->opts.file,
                             p->line, diag));
    }
    w->claim = bl_arena_get(a, s->vm_count, sizeof(*w->claim));
    w->given = bl_arena_get(a, s->vm_count, sizeof(*w->given));
    w->pin = bl_arena_get(a, s->vm_count, sizeof(*w->pin));
    if (w->claim == NULL || w->given == NULL || w->pin == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < s->vm_count; i++)
        w->pin[i] = only_core(&spec->topo, s->vm[i].class);
    for (uint32_t i = 0; i < w->domain_count; i++)
        bl_governor_init(w->governor, w->domain[i].state, &w->params, w->freq);
    w->sample_ns = spec->governor_ns;
    return BL_ERR_OK;
}

/* ---- demand ------------------------------------------------------------- */

/* What is entitled, on average over so long. */
#define MEAN_NS INT64_C(100000000)
/* So much later than at full speed a burst may end; doc/models/dispatch.md. */
#define LATE_NS INT64_C(16000000)
/* Who woke within this time may do so again. */
#define RECENT_NS INT64_C(200000000)

/* Of each vCPU of @m; rounded up. */
static uint64_t reserved_of(const struct host_vm *m)
{
    return (m->set.reservation_ppm + m->count - 1) / m->count;
}

/* What a window of @ns changes of a mean that is @off from it. */
static int64_t mean_step(int64_t off, int64_t ns)
{
    return ns < MEAN_NS ? off / (MEAN_NS / ns) : off;
}

struct window {
    int64_t ns;
    int64_t charged_ns; /* of all vCPUs */
    int64_t core_ns;    /* of all cores, at full speed */
};

/* vCPU @v in this window: what it was charged, for how long it ran, and what it
 * wanted. */
struct had {
    int64_t charged_ns, run_ns, want_ns;
    int64_t awake_ns; /* what it did, and waited for, since it woke */
};

/* Work of vCPU @v that came and is not done, if it could have been at full
 * speed: all time since it woke, less what it did. But who has done less than
 * usual, twice the mean of its bursts, will do no more than that. */
static int64_t pending_of(const struct bl_host_sim *s, uint32_t v,
                          int64_t charged_ns)
{
    const struct host_pace *x = &s->power->pace[v];
    const int64_t done_ns = charged_ns - x->woken_charged_ns;
    const int64_t usual_ns = 2 * x->burst_ns - done_ns;
    int64_t ns = s->now_ns - x->woken_ns - done_ns;

    if (s->vcpu[v].act == HOST_HALT || ns < 0)
        return 0;
    if (usual_ns > 0 && usual_ns < ns)
        ns = usual_ns;
    return ns;
}

static struct had had_of(struct bl_host_sim *s, uint32_t v, int64_t ns)
{
    struct host_pace *x = &s->power->pace[v];
    const struct bl_sched_account a =
        bl_sched_vcpu_times(s->sched, v, s->now_ns);
    const int64_t pending_ns = pending_of(s, v, a.charged_ns);
    struct had h = { .charged_ns = a.charged_ns - x->charged_ns,
                     .run_ns = a.state_ns[BL_VCPU_RUN] - x->run_ns };

    const int64_t came_ns = h.charged_ns + pending_ns - x->pending_ns;

    h.want_ns = came_ns < 0 ? 0 : came_ns < ns ? came_ns : ns;
    x->pending_ns = pending_ns + h.want_ns - came_ns; /* no work is lost */
    x->want_ns = h.want_ns;
    return h;
}

/* @ns of one core at full speed, in kHz. */
static uint64_t khz_of(const struct bl_host_sim *s, int64_t ns, int64_t all_ns)
{
    return ns > 0 ? bl_muldiv((uint64_t)ns, s->spec->core_khz, (uint64_t)all_ns)
                  : 0;
}

/* How fast a core must be for @need_ns of a vCPU that was charged @h while it
 * ran: all of it, where threads do not share the core. */
static uint64_t core_khz(const struct bl_host_sim *s, const struct had *h,
                         uint32_t speed_ppm, int64_t need_ns, int64_t ns)
{
    const int64_t full_ns =
        (int64_t)bl_muldiv((uint64_t)h->run_ns, speed_ppm, (uint64_t)BL_PPM);
    uint64_t khz = khz_of(s, need_ns, ns);

    if (h->charged_ns > 0 && full_ns > h->charged_ns)
        khz = bl_muldiv(khz, (uint64_t)full_ns, (uint64_t)h->charged_ns);
    return khz < s->spec->core_khz ? khz : s->spec->core_khz;
}

/* What vCPU @v, which is entitled to @part in this window, needs of a core in
 * one: what it is entitled to on average, what is reserved of it; and for its
 * bursts: w of work, which takes w at full speed, is done LATE_NS later at
 * w / (w + LATE_NS). */
static int64_t need_ns(const struct bl_host_sim *s, uint32_t v,
                       const struct had *h, int64_t part, int64_t ns)
{
    struct host_pace *x = &s->power->pace[v];
    const struct host_vm *m = &s->vm[s->vcpu[v].vm];
    const bool awake = s->vcpu[v].act != HOST_HALT;
    const int64_t reserved_ns =
        (int64_t)bl_muldiv(reserved_of(m), (uint64_t)ns, (uint64_t)BL_PPM);
    int64_t burst_ns = x->burst_ns, most, owed = ns;

    x->mean_ns += mean_step(part - x->mean_ns, ns);
    most = x->mean_ns > reserved_ns ? x->mean_ns : reserved_ns;
    if (!awake && s->now_ns - x->woken_ns > RECENT_NS)
        return most;
    if (awake && h->awake_ns > burst_ns)
        burst_ns = h->awake_ns;
    if (h->want_ns > 0)
        owed = (int64_t)bl_muldiv((uint64_t)ns, (uint64_t)part,
                                  (uint64_t)h->want_ns);
    owed = (int64_t)bl_muldiv((uint64_t)owed, (uint64_t)burst_ns,
                              (uint64_t)(burst_ns + LATE_NS));
    return owed > most ? owed : most;
}

/* Of vCPU @v, whose VM is entitled to @given of @demand. */
static void add_vcpu(struct bl_host_sim *s, uint32_t v, int64_t given,
                     int64_t demand, int64_t ns)
{
    struct host_power *w = s->power;
    struct host_pace *x = &w->pace[v];
    const struct host_vm *m = &s->vm[s->vcpu[v].vm];
    const struct bl_sched_account a =
        bl_sched_vcpu_times(s->sched, v, s->now_ns);
    const struct had h = { a.charged_ns - x->charged_ns,
                           a.state_ns[BL_VCPU_RUN] - x->run_ns, x->want_ns,
                           a.charged_ns + a.state_ns[BL_VCPU_READY] -
                               x->woken_sum_ns };
    const uint64_t reserved_ppm = reserved_of(m);
    const int64_t part =
        demand > 0 ? (int64_t)bl_muldiv((uint64_t)given, (uint64_t)h.want_ns,
                                        (uint64_t)demand)
                   : 0;
    struct host_domain *d;
    uint64_t need;

    x->charged_ns = a.charged_ns;
    x->run_ns = a.state_ns[BL_VCPU_RUN];
    if (s->vcpu[v].pcpu != BL_NO_PCPU)
        x->domain = w->core[s->spec->topo.core_of[s->vcpu[v].pcpu]].domain;
    if (x->domain == HOST_NONE && s->vcpu[v].act != HOST_HALT)
        x->domain = v % w->domain_count; /* has not run yet: somewhere */
    if (x->domain == HOST_NONE || s->vcpu[v].ended)
        return;
    d = &w->domain[x->domain];
    d->pending_ns += h.want_ns - h.charged_ns;
    d->over_ns += part - h.charged_ns;
    d->reserved_ppm += reserved_ppm;
    need = core_khz(s, &h, d->speed_ppm, need_ns(s, v, &h, part, ns), ns);
    d->need_khz = need > d->need_khz ? need : d->need_khz;
}

/* How fast a core must be for all that is reserved of it alone, by threads that
 * do more together. */
static void add_pinned(struct bl_host_sim *s)
{
    for (uint32_t i = 0; i < s->power->core_count; i++) {
        const struct host_core *c = &s->power->core[i];
        struct host_domain *d = &s->power->domain[c->domain];
        const uint64_t all = s->spec->topo.core[i].count > 1
                                 ? s->spec->costs.smt_ppm
                                 : (uint64_t)BL_PPM;
        const uint64_t khz = bl_muldiv(c->pinned_ppm, s->spec->core_khz, all);

        d->need_khz = khz > d->need_khz ? khz : d->need_khz;
    }
}

/* Demand of all VMs and what they are entitled to; into domains. */
static void measure(struct bl_host_sim *s, struct window *win)
{
    struct host_power *w = s->power;

    for (uint32_t i = 0; i < s->vm_count; i++) {
        const struct host_vm *m = &s->vm[i];

        w->claim[i] =
            bl__host_claim(&m->set, bl__host_alive_ns(s, m, w->last_ns));
        if (w->pin[i] != HOST_NONE && m->end_ns == INT64_MAX)
            w->core[w->pin[i]].pinned_ppm += m->set.reservation_ppm;
        for (uint32_t v = m->first; v < m->first + m->count; v++) {
            const struct had h = had_of(s, v, win->ns);

            w->claim[i].demand += (uint64_t)h.want_ns;
            win->charged_ns += h.charged_ns;
        }
    }
    bl__host_divide(s, w->claim, win->ns, w->given);
    for (uint32_t i = 0; i < s->vm_count; i++)
        for (uint32_t v = s->vm[i].first; v < s->vm[i].first + s->vm[i].count;
             v++)
            add_vcpu(s, v, (int64_t)w->given[i], (int64_t)w->claim[i].demand,
                     win->ns);
    add_pinned(s);
}

/* ---- views -------------------------------------------------------------- */

/* Charged time as core time. */
static int64_t core_time(const struct window *win, int64_t ns)
{
    const uint64_t size = (uint64_t)(ns < 0 ? -ns : ns);
    int64_t core_ns;

    if (win->charged_ns <= win->core_ns || win->charged_ns <= 0)
        return ns;
    core_ns = (int64_t)bl_muldiv(size, (uint64_t)win->core_ns,
                                 (uint64_t)win->charged_ns);
    return ns < 0 ? -core_ns : core_ns;
}

static struct bl_domain_view view_of(const struct bl_host_sim *s,
                                     struct host_domain *d,
                                     const struct window *win)
{
    const struct host_power *w = s->power;
    const uint64_t all_ns = (uint64_t)win->ns * d->core_count;
    int64_t busy = 0, most = 0, used, wanted, owed;

    for (uint32_t i = d->core_first; i < d->core_first + d->core_count; i++) {
        busy += w->core[i].busy_ns;
        most = w->core[i].busy_ns > most ? w->core[i].busy_ns : most;
    }
    used = (int64_t)bl_muldiv((uint64_t)busy, d->speed_ppm, (uint64_t)BL_PPM);
    wanted = used + core_time(win, d->pending_ns);
    wanted = wanted > used ? wanted : used;
    owed = used + core_time(win, d->over_ns);
    owed = owed < wanted ? owed : wanted;
    owed = owed > 0 ? owed : 0;
    d->owed_ns += w->last_ns > 0 ? mean_step(owed - d->owed_ns, win->ns) : owed;
    return (struct bl_domain_view){
        .freq = w->freq,
        .core_count = d->core_count,
        .host_core_count = w->core_count,
        .pstate = d->pstate,
        .fastest = w->cap.ceiling.fastest,
        .slowest = w->freq->pstate_count - 1,
        .now_ns = s->now_ns,
        .window_ns = win->ns,
        .busy_ppm =
            (uint32_t)bl_muldiv((uint64_t)busy, (uint64_t)BL_PPM, all_ns),
        .busy_core_ppm = (uint32_t)bl_muldiv((uint64_t)most, (uint64_t)BL_PPM,
                                             (uint64_t)win->ns),
        .usage_khz = khz_of(s, used, win->ns),
        .demand_khz = khz_of(s, wanted, win->ns),
        .entitled_khz = khz_of(s, d->owed_ns, win->ns),
        .reserved_khz =
            bl_muldiv(d->reserved_ppm, s->spec->core_khz, (uint64_t)BL_PPM),
        .core_khz_min = d->need_khz,
    };
}

static void begin_window(struct bl_host_sim *s)
{
    struct host_power *w = s->power;

    for (uint32_t i = 0; i < w->core_count; i++) {
        w->core[i].busy_ns = 0;
        w->core[i].pinned_ppm = 0;
    }
    for (uint32_t i = 0; i < w->domain_count; i++) {
        struct host_domain *d = &w->domain[i];

        d->pending_ns = d->over_ns = 0;
        d->reserved_ppm = 0;
        d->need_khz = 0;
    }
    w->last_ns = s->now_ns;
    w->sample_ns = s->now_ns + s->spec->governor_ns;
}

static uint32_t ask(struct bl_host_sim *s, uint32_t domain,
                    const struct bl_domain_view *v)
{
    struct host_power *w = s->power;
    uint32_t i;

    if (s->opts.pick == NULL)
        return bl_governor_pick(w->governor, w->domain[domain].state,
                                &w->params, v);
    i = s->opts.pick(s->opts.pick_ctx, domain, v);
    BL_ASSERT(i >= v->fastest && i <= v->slowest);
    return i;
}

void bl__host_govern(struct bl_host_sim *s)
{
    struct host_power *w = s->power;
    struct window win = { .ns = s->now_ns - w->last_ns };

    bl__host_power_settle(s);
    for (uint32_t i = 0; i < w->core_count; i++)
        win.core_ns += (int64_t)bl_muldiv(
            (uint64_t)w->core[i].busy_ns,
            w->domain[w->core[i].domain].speed_ppm, (uint64_t)BL_PPM);
    measure(s, &win);
    for (uint32_t i = 0; i < w->domain_count; i++) {
        const struct bl_domain_view v = view_of(s, &w->domain[i], &win);

        bl__host_set_pstate(s, i, ask(s, i, &v));
    }
    begin_window(s);
}
