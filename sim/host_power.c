/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_power - the P-states of a host's frequency domains, what it draws, and
 * the idle states of its cores.
 *
 * Source     hv/pstate.h; doc/models/dispatch.md, Frequency and energy.
 * Idea       a domain draws its part of its P-state's table at the share of its
 *            cores that run something. Between two events that is constant, so
 *            energy is a sum of products, kept exactly: mW of the table times
 *            ns in 128 bits. A core that idles goes down a ladder of states by
 *            the time for which it has idled; what it draws above the deepest
 *            one is added when it ends, or when somebody asks. Another P-state
 *            settles what ran at the old speed; who runs there stands still for
 *            the time of the change, and goes on at the new speed.
 * Bound      energy of small hosts by hand to the uJ (test_host_power); time at
 *            P-states, and idle and busy time of cores, make up all time
 *            (bl__host_power_check).
 * Deviation  a core is busy or idle: costs and spinning draw what work does. A
 *            change of a P-state costs time but no energy of its own, and none
 *            on an idle core. All domains draw of one table by their number of
 *            cores; what the rest of the machine draws is in it.
 * Cost       a core that turns busy or idle O(1); a change O(pCPUs of the
 *            domain).
 */
#include "sim/host_power_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- energy ------------------------------------------------------------- */

static void settle_domain(const struct bl_host_sim *s, struct host_domain *d)
{
    const int64_t dt = s->now_ns - d->mark_ns;
    const uint32_t load =
        (uint32_t)((uint64_t)d->busy_count * (uint64_t)BL_PPM / d->core_count);

    if (dt == 0)
        return;
    d->mark_ns = s->now_ns;
    d->sum.drawn +=
        (bl_u128)dt * bl_power_mw(&s->power->curve[d->pstate], load);
    d->sum.stay_ns[d->pstate] += dt;
    d->sum.busy_ns += dt * d->busy_count;
}

/* The state of a core that has idled for @ns. */
static uint32_t idle_state(const struct bl_freq *f, int64_t ns)
{
    uint32_t i = f->idle_count - 1;

    while (i > 0 && f->idle[i].after_ns > ns)
        i--;
    return i;
}

/* Idle time up to now of @core, into the states in which it was spent. */
static void settle_idle(const struct bl_host_sim *s, uint32_t core)
{
    const struct bl_freq *f = s->power->freq;
    struct host_core *c = &s->power->core[core];
    struct host_domain *d = &s->power->domain[c->domain];
    const int64_t to = s->now_ns - c->since_ns;
    int64_t from = c->mark_ns - c->since_ns;

    c->mark_ns = s->now_ns;
    if (f->idle_count == 0 || from == to)
        return;
    for (uint32_t i = idle_state(f, from); from < to; i++) {
        const bool last = i + 1 == f->idle_count;
        const int64_t end = !last && f->idle[i + 1].after_ns < to
                                ? f->idle[i + 1].after_ns
                                : to;

        d->sum.idle_ns[i] += end - from;
        d->sum.extra += (bl_u128)(end - from) * f->idle[i].extra_mw;
        from = end;
    }
}

static void settle_busy(const struct bl_host_sim *s, struct host_core *c)
{
    c->busy_ns += s->now_ns - c->mark_ns;
    c->mark_ns = s->now_ns;
}

void bl__host_power_settle(struct bl_host_sim *s)
{
    struct host_power *w = s->power;

    for (uint32_t i = 0; i < w->domain_count; i++)
        settle_domain(s, &w->domain[i]);
    for (uint32_t i = 0; i < w->core_count; i++)
        if (s->core_busy[i] > 0)
            settle_busy(s, &w->core[i]);
        else
            settle_idle(s, i);
}

void bl__host_power_turn(struct bl_host_sim *s, uint32_t core, bool idle)
{
    const struct bl_freq *f = s->power->freq;
    struct host_core *c = &s->power->core[core];
    struct host_domain *d = &s->power->domain[c->domain];

    settle_domain(s, d);
    if (idle) {
        settle_busy(s, c);
    } else {
        settle_idle(s, core);
        if (f->idle_count > 0)
            d->sum.idle_count[idle_state(f, s->now_ns - c->since_ns)]++;
    }
    d->busy_count += idle ? UINT32_MAX : 1;
    c->since_ns = c->mark_ns = s->now_ns;
}

int64_t bl__host_power_exit_ns(const struct bl_host_sim *s, uint32_t p)
{
    const struct bl_freq *f = s->power->freq;
    const uint32_t core = s->spec->topo.core_of[p];

    if (f->idle_count == 0 || s->core_busy[core] > 0)
        return 0;
    return f->idle[idle_state(f, s->now_ns - s->power->core[core].since_ns)]
        .exit_ns;
}

/* In pJ, times the cores of the host: exactly. */
static bl_u128 energy_of(const struct host_power *w,
                         const struct host_domain *d, const struct host_sums *x)
{
    return x->drawn * d->core_count + x->extra * w->core_count;
}

static uint64_t to_uj(const struct host_power *w, bl_u128 energy)
{
    return (uint64_t)(energy / ((bl_u128)1000000 * w->core_count));
}

uint64_t bl__host_energy_uj(const struct host_power *w)
{
    bl_u128 sum = 0;

    for (uint32_t i = 0; i < w->domain_count; i++)
        sum += energy_of(w, &w->domain[i], &w->domain[i].sum);
    return to_uj(w, sum);
}

/* ---- speed -------------------------------------------------------------- */

uint32_t bl__host_power_speed(const struct bl_host_sim *s, uint32_t p)
{
    const struct host_power *w = s->power;

    return w->domain[w->core[s->spec->topo.core_of[p]].domain].speed_ppm;
}

static uint32_t speed_of(const struct bl_freq *f, uint32_t pstate)
{
    const uint64_t ppm =
        bl_muldiv(f->pstate[pstate].khz, (uint64_t)BL_PPM, f->pstate[0].khz);

    return ppm > 0 ? (uint32_t)ppm : 1;
}

/* What runs on @p stands still for the time of the change. */
static void stall(struct bl_host_sim *s, uint32_t p)
{
    const uint32_t v = s->pcpu[p].curr;

    if (v == BL_NO_VCPU)
        return;
    bl__host_settle(s, v);
    if (s->vcpu[v].act == HOST_SPIN)
        bl__host_unlist(s, v); /* it looks when it goes on */
    s->vcpu[v].owed_ns += s->power->freq->switch_ns;
}

static void go_on(struct bl_host_sim *s, uint32_t p)
{
    const uint32_t v = s->pcpu[p].curr;

    if (v == BL_NO_VCPU)
        return;
    s->vcpu[v].rate_ppm = bl__host_rate_ppm(s, p);
    bl__host_arm(s, v);
}

void bl__host_set_pstate(struct bl_host_sim *s, uint32_t domain, uint32_t index)
{
    struct host_domain *d = &s->power->domain[domain];
    const struct bl_topo_range r = d->pcpus;

    BL_ASSERT(index < s->power->freq->pstate_count);
    if (index == d->pstate)
        return;
    settle_domain(s, d);
    for (uint32_t p = r.first; p < (uint32_t)r.first + r.count; p++)
        stall(s, p);
    d->pstate = index;
    d->speed_ppm = speed_of(s->power->freq, index);
    d->sum.switch_count++;
    bl_sched_set_speed(s->sched, r, d->speed_ppm, s->now_ns);
    for (uint32_t p = r.first; p < (uint32_t)r.first + r.count; p++)
        go_on(s, p);
}

uint32_t bl_host_sim_pstate(const struct bl_host_sim *s, uint32_t domain)
{
    if (s->power == NULL)
        return 0;
    BL_ASSERT(domain < s->power->domain_count);
    return s->power->domain[domain].pstate;
}

/* ---- vCPUs -------------------------------------------------------------- */

void bl__host_power_ran(struct bl_host_sim *s, uint32_t v, int64_t dt_ns)
{
    struct host_pace *x = &s->power->pace[v];
    const uint32_t p = s->vcpu[v].pcpu;
    const uint32_t speed = bl__host_power_speed(s, p);

    x->domain = s->power->core[s->spec->topo.core_of[p]].domain;
    if (speed < BL_PPM)
        x->slow_ns +=
            bl__host_work(dt_ns, (uint32_t)BL_PPM - speed, &x->slow_rest);
}

int64_t bl__host_power_slow_ns(const struct bl_host_sim *s, uint32_t v)
{
    const struct host_vcpu *x = &s->vcpu[v];
    int64_t ns = s->power->pace[v].slow_ns;

    if (x->pcpu != BL_NO_PCPU) {
        const uint32_t speed = bl__host_power_speed(s, x->pcpu);
        uint32_t rest = s->power->pace[v].slow_rest;

        if (speed < BL_PPM)
            ns += bl__host_work(s->now_ns - x->mark_ns,
                                (uint32_t)BL_PPM - speed, &rest);
    }
    return ns;
}

void bl__host_power_woken(struct bl_host_sim *s, uint32_t v)
{
    struct host_pace *x = &s->power->pace[v];

    const struct bl_sched_account a =
        bl_sched_vcpu_times(s->sched, v, s->now_ns);

    x->burst_ns += (a.charged_ns - x->woken_charged_ns - x->burst_ns) / 8;
    x->woken_ns = s->now_ns;
    x->woken_charged_ns = a.charged_ns;
    x->woken_sum_ns = a.charged_ns + a.state_ns[BL_VCPU_READY];
}

int64_t bl__host_power_woken_ns(const struct bl_host_sim *s, uint32_t v,
                                int64_t *charged_ns)
{
    *charged_ns = s->power->pace[v].woken_charged_ns;
    return s->power->pace[v].woken_ns;
}

/* ---- creation ----------------------------------------------------------- */

static void make_domain(struct bl_host_sim *s, uint32_t index)
{
    struct host_power *w = s->power;
    struct host_domain *d = &w->domain[index];
    const struct bl_topo *t = &s->spec->topo;
    const uint32_t first = bl_freq_domain_first(w->freq, w->core_count, index);
    const uint32_t end =
        bl_freq_domain_first(w->freq, w->core_count, index + 1);
    const struct bl_topo_range a = t->core[first], b = t->core[end - 1];

    d->core_first = first;
    d->core_count = end - first;
    d->pcpus = (struct bl_topo_range){ a.first, (uint16_t)(b.first + b.count -
                                                           a.first) };
    d->pstate = 0;
    d->speed_ppm = (uint32_t)BL_PPM;
    for (uint32_t i = first; i < end; i++) {
        BL_ASSERT(bl_freq_domain_of(w->freq, w->core_count, i) == index);
        w->core[i].domain = index;
    }
}

static bl_err make_arrays(struct bl_arena *a, struct bl_host_sim *s)
{
    struct host_power *w = s->power;
    struct bl_host_power *r = &w->result;

    w->domain = bl_arena_get(a, w->domain_count, sizeof(*w->domain));
    w->core = bl_arena_get(a, w->core_count, sizeof(*w->core));
    w->pace = bl_arena_get(a, s->vcpu_count, sizeof(*w->pace));
    r->domain = bl_arena_get(a, w->domain_count, sizeof(*r->domain));
    w->ideal = bl_arena_get(a, s->vm_count, sizeof(*w->ideal));
    w->promised = bl_arena_get(a, s->vm_count, sizeof(*w->promised));
    w->promised_sum_ns =
        bl_arena_get(a, s->vm_count, sizeof(*w->promised_sum_ns));
    if (w->domain == NULL || w->core == NULL || w->pace == NULL ||
        r->domain == NULL || w->ideal == NULL || w->promised == NULL ||
        w->promised_sum_ns == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        w->pace[v].domain = HOST_NONE;
    for (uint32_t i = 0; i < w->domain_count; i++)
        make_domain(s, i);
    for (uint32_t i = 0; i < w->freq->pstate_count; i++) {
        struct bl_power_table table = { .name = "" };

        memcpy(table.mw, w->freq->pstate[i].mw, sizeof(table.mw));
        bl_power_curve_init(&w->curve[i], &table);
    }
    return BL_ERR_OK;
}

static int64_t next_ns(const struct host_power *w)
{
    return w->sample_ns < w->cap.next_ns ? w->sample_ns : w->cap.next_ns;
}

bl_err bl__host_power_create(struct bl_arena *a, struct bl_host_sim *s,
                             struct bl_diag *diag)
{
    struct host_power *w;

    s->power_ns = INT64_MAX;
    if (s->spec->freq.pstate_count == 0)
        return BL_ERR_OK;
    s->power = w = bl_arena_get(a, 1, sizeof(*w));
    if (w == NULL)
        return BL_ERR_NOMEM;
    w->freq = &s->spec->freq;
    w->core_count = s->spec->topo.core_count;
    w->domain_count = w->freq->domain_count;
    BL_TRY(make_arrays(a, s));
    BL_TRY(bl__host_cap_create(a, s));
    BL_TRY(bl__host_governor_create(a, s, diag));
    for (uint32_t i = 0; i < w->domain_count; i++)
        bl__host_set_pstate(s, i, w->cap.ceiling.fastest);
    for (uint32_t i = 0; i < w->domain_count; i++)
        w->domain[i].sum.switch_count = 0;
    s->power_ns = next_ns(w);
    return BL_ERR_OK;
}

void bl__host_power_event(struct bl_host_sim *s)
{
    struct host_power *w = s->power;

    if (w->sample_ns == s->now_ns)
        bl__host_govern(s);
    if (w->cap.next_ns == s->now_ns)
        bl__host_cap(s);
    s->power_ns = next_ns(w);
}

/* ---- measuring ---------------------------------------------------------- */

void bl__host_power_begin(struct bl_host_sim *s)
{
    struct host_power *w = s->power;

    bl__host_power_settle(s);
    for (uint32_t i = 0; i < w->domain_count; i++)
        w->domain[i].base = w->domain[i].sum;
    w->last_uj = bl__host_energy_uj(w);
}

/* The worst of all seconds that begin with one of the windows of 10 ms. */
void bl__host_power_window(struct bl_host_sim *s)
{
    struct host_power *w = s->power;
    uint64_t all_uj, new_uj;

    bl__host_power_settle(s);
    all_uj = bl__host_energy_uj(w);
    new_uj = all_uj - w->last_uj;
    w->last_uj = all_uj;
    w->ring_sum_uj += new_uj - w->ring_uj[w->ring_at];
    w->ring_uj[w->ring_at] = new_uj;
    w->ring_at = (w->ring_at + 1) % HOST_SECOND_WINDOWS;
    w->ring_count += w->ring_count < HOST_SECOND_WINDOWS;
    if (w->ring_count == HOST_SECOND_WINDOWS && w->ring_sum_uj > w->most_uj)
        w->most_uj = w->ring_sum_uj;
}

/* What was since counting began. */
static struct host_sums counted(const struct host_domain *d)
{
    const struct host_sums *b = &d->base;
    struct host_sums x = d->sum;

    x.drawn -= b->drawn;
    x.extra -= b->extra;
    x.busy_ns -= b->busy_ns;
    x.switch_count -= b->switch_count;
    for (uint32_t i = 0; i < BL_PSTATES_MAX; i++)
        x.stay_ns[i] -= b->stay_ns[i];
    for (uint32_t i = 0; i < BL_IDLE_STATES_MAX; i++) {
        x.idle_ns[i] -= b->idle_ns[i];
        x.idle_count[i] -= b->idle_count[i];
    }
    return x;
}

static void fill_domain(const struct host_power *w, const struct host_domain *d,
                        const struct host_sums *x,
                        struct bl_host_domain_row *row)
{
    *row = (struct bl_host_domain_row){
        .core_first = d->core_first,
        .core_count = d->core_count,
        .pstate = d->pstate,
        .busy_ns = x->busy_ns,
        .switch_count = x->switch_count,
        .energy_uj = to_uj(w, energy_of(w, d, x)),
    };
    memcpy(row->stay_ns, x->stay_ns, sizeof(row->stay_ns));
    memcpy(row->idle_ns, x->idle_ns, sizeof(row->idle_ns));
    memcpy(row->idle_count, x->idle_count, sizeof(row->idle_count));
}

void bl__host_power_finish(struct bl_host_sim *s, struct bl_host_result *r)
{
    struct host_power *w = s->power;
    struct bl_host_power *out = &w->result;
    bl_u128 extra = 0, energy = 0;

    bl__host_power_settle(s);
    (void)snprintf(out->governor, sizeof(out->governor), "%s",
                   w->governor->name);
    bl_params_print(&w->params, out->governor_params,
                    sizeof(out->governor_params));
    out->governor_ns = s->spec->governor_ns;
    out->cap_mw = s->spec->cap_mw;
    out->cap_fastest = w->cap.ceiling.fastest;
    out->cap_bandwidth_ppm = w->cap.ceiling.bandwidth_ppm;
    out->freq = w->freq;
    out->second_most_mw = w->most_uj / 1000;
    out->domain_count = w->domain_count;
    for (uint32_t i = 0; i < w->domain_count; i++) {
        const struct host_domain *d = &w->domain[i];
        const struct host_sums x = counted(d);

        fill_domain(w, d, &x, &out->domain[i]);
        extra += x.extra;
        energy += energy_of(w, d, &x);
    }
    out->energy_uj = to_uj(w, energy);
    out->idle_extra_uj = (uint64_t)(extra / 1000000);
    r->power = out;
}

void bl__host_power_hash(const struct bl_host_sim *s, struct bl_hash *h)
{
    const struct host_power *w = s->power;

    for (uint32_t i = 0; i < w->domain_count; i++) {
        const struct host_domain *d = &w->domain[i];

        bl_hash_u64(h, d->pstate);
        bl_hash_u64(h, d->sum.switch_count);
        bl_hash_u64(h, (uint64_t)d->sum.drawn);
        bl_hash_u64(h, (uint64_t)(d->sum.drawn >> 64));
        bl_hash_u64(h, (uint64_t)d->sum.extra);
        bl_hash_u64(h, (uint64_t)d->sum.busy_ns);
        for (uint32_t k = 0; k < w->freq->pstate_count; k++)
            bl_hash_u64(h, (uint64_t)d->sum.stay_ns[k]);
        bl_hash_bytes(h, d->state, sizeof(d->state));
    }
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        bl_hash_u64(h, (uint64_t)w->pace[v].slow_ns);
    bl_hash_u64(h, w->cap.rate_ppm);
}

/* ---- invariants --------------------------------------------------------- */

static void check_domain(const struct bl_host_sim *s,
                         const struct host_domain *d)
{
    const struct host_power *w = s->power;
    int64_t stay_ns = 0, idle_ns = 0, open_ns = 0;
    uint32_t busy = 0;

    for (uint32_t i = 0; i < w->freq->pstate_count; i++)
        stay_ns += d->sum.stay_ns[i];
    for (uint32_t i = 0; i < w->freq->idle_count; i++)
        idle_ns += d->sum.idle_ns[i];
    for (uint32_t i = d->core_first; i < d->core_first + d->core_count; i++) {
        const struct host_core *c = &w->core[i];

        busy += s->core_busy[i] > 0;
        BL_ASSERT(c->since_ns <= c->mark_ns && c->mark_ns <= s->now_ns);
        if (s->core_busy[i] == 0)
            open_ns += d->mark_ns - c->mark_ns; /* not settled */
    }
    BL_ASSERT(busy == d->busy_count);
    BL_ASSERT(stay_ns == d->mark_ns);
    if (w->freq->idle_count > 0)
        BL_ASSERT(d->sum.busy_ns + idle_ns + open_ns ==
                  d->core_count * stay_ns);
    BL_ASSERT(d->speed_ppm == speed_of(w->freq, d->pstate));
    BL_ASSERT(d->pstate >= w->cap.ceiling.fastest);
}

void bl__host_power_check(const struct bl_host_sim *s)
{
    for (uint32_t i = 0; i < s->power->domain_count; i++)
        check_domain(s, &s->power->domain[i]);
    for (uint32_t p = 0; p < s->spec->topo.pcpu_count; p++)
        if (s->pcpu[p].curr != BL_NO_VCPU)
            BL_ASSERT(s->vcpu[s->pcpu[p].curr].rate_ppm ==
                      bl__host_rate_ppm(s, p));
}
