/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_cap - a power cap on one host: frequency first, bandwidth second.
 *
 * Source     power/cap.h; DESIGN.md 5.5.
 * Idea       the fastest P-state whose full load is within the cap is the
 *            fastest that governors may choose: with that alone the cap cannot
 *            be exceeded. Where not even the slowest is, cores may work for a
 *            part of the time only. Every 10 ms the energy that was drawn is
 *            compared with the cap's: that part is learnt (it depends on how
 *            load and idle states fall together), and what was not drawn, or
 *            too much, is made up for by the next ones. It becomes a bound on
 *            all VMs together (bl_sched_set_bandwidth()), and bl_entitle()
 *            divides it among them by what they demanded in the last 10 ms:
 *            reservations first, then shares; each VM's part is a limit of its
 *            own. What a VM does not use is another's 10 ms later.
 * Bound      over any second at most 2 % above the cap; a reservation that was
 *            admitted under it is kept within 100 ms, all but 4 % of it where
 *            everybody wakes up at random (test_host_cap).
 * Deviation  the bound on a VM is never below its reservation, wanted or not,
 *            so for 10 ms all together may want more than there is: then the
 *            bound on all, 1/16 above the sum, leaves each what is reserved. At
 *            most 5 ms of the cap are saved. A pool's reservation reaches the
 *            dispatcher as shares (host_pool.c), of what the cap leaves.
 * Cost       O(VMs log VMs + vCPUs + cores) every 10 ms, only where the cap is
 *            below the slowest P-state's full load.
 */
#include "sim/host_power_priv.h"

#include <stdio.h>

#define CONTROL_NS INT64_C(10000000)

/* ---- admission ---------------------------------------------------------- */

static bl_err refuse(const struct bl_host_sim *s, struct bl_diag *diag,
                     const char *what, uint64_t least_mw)
{
    char cap[40], least[40];

    bl_units_print(BL_DIM_POWER, (int64_t)s->spec->cap_mw, cap, 40);
    bl_units_print(BL_DIM_POWER, (int64_t)least_mw, least, 40);
    return bl_diag_set(diag, BL_ERR_INVAL, s->opts.file, 0,
                       "a power cap of %s %s, expected at least %s", cap, what,
                       least);
}

/* The most that a vCPU reserves, in kHz, rounded up. */
static uint64_t vcpu_khz(const struct bl_host_sim *s)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < s->class_count; i++) {
        const struct host_class *c = &s->class[i];
        const uint64_t khz =
            (c->cpu->reservation + c->vcpu_count - 1) / c->vcpu_count;

        most = khz > most ? khz : most;
    }
    return most;
}

static bl_err admit_vcpu(const struct bl_host_sim *s,
                         const struct bl_cap_ceiling *c, struct bl_diag *diag)
{
    const struct bl_freq *f = &s->spec->freq;
    const uint32_t cores = s->spec->topo.core_count;
    const uint64_t need = vcpu_khz(s);
    char text[200], core[40], khz[40];
    uint32_t i = c->fastest;

    if (need <= f->pstate[i].khz)
        return BL_ERR_OK;
    while (i > 0 && f->pstate[i].khz < need)
        i--;
    bl_units_print(BL_DIM_FREQ, (int64_t)f->pstate[c->fastest].khz, core, 40);
    bl_units_print(BL_DIM_FREQ, (int64_t)need, khz, 40);
    (void)snprintf(text, sizeof(text),
                   "keeps cores at %s, but a vCPU has %s reserved", core, khz);
    return refuse(s, diag, text,
                  bl_cap_budget_for(f, cores, f->pstate[i].khz * cores));
}

/* All reservations, and what pools hold, in core time: as admission counts
 * what threads do together. */
static bl_err admit_sum(const struct bl_host_sim *s, struct bl_diag *diag)
{
    const struct bl_host_spec *spec = s->spec;
    const uint64_t cores = spec->topo.core_count, all = s->capacity_ppm;
    const uint64_t less = all - s->overhead_ppm;
    const uint64_t khz =
        bl_muldiv(s->promised_ppm, spec->core_khz * cores, all);
    const uint64_t need = bl_muldiv(khz + 1, all, less);
    const uint64_t sure =
        bl_cap_sure_khz(&spec->freq, (uint32_t)cores, spec->cap_mw);
    char text[200], left[40], have[40], wants[40];

    if (s->promised_ppm == 0 || need <= sure)
        return BL_ERR_OK;
    bl_units_print(BL_DIM_FREQ, (int64_t)sure, have, 40);
    bl_units_print(BL_DIM_FREQ, (int64_t)bl_muldiv(sure, less, all), left, 40);
    bl_units_print(BL_DIM_FREQ, (int64_t)khz, wants, 40);
    (void)snprintf(text, sizeof(text),
                   "leaves %s to reserve (%s less %llu %% overhead), but "
                   "%s are reserved",
                   left, have,
                   (unsigned long long)(s->overhead_ppm * 100 / all), wants);
    return refuse(s, diag, text,
                  bl_cap_sure_budget(&spec->freq, (uint32_t)cores, need));
}

/* @demand with all cores at @pstate: the same, of slower ones. */
static bl_err admit_at(struct bl_arena *a, const struct bl_host_sim *s,
                       const struct host_demand *demand, uint32_t pstate,
                       struct host_admission *out)
{
    const struct bl_pstate *p = s->spec->freq.pstate;
    struct host_demand *d = bl_arena_get(a, s->class_count, sizeof(*d));

    if (d == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < s->class_count; i++) {
        d[i] = demand[i];
        d[i].ppm = bl_muldiv(d[i].ppm, p[0].khz, p[pstate].khz);
    }
    return bl__host_admit(a, s->spec, d, s->class_count, out);
}

/* Who may use some pCPUs only has these at the speed that the cap leaves. */
static bl_err admit_pinned(struct bl_arena *a, const struct bl_host_sim *s,
                           const struct host_demand *demand,
                           const struct bl_cap_ceiling *c, struct bl_diag *diag)
{
    const struct bl_freq *f = &s->spec->freq;
    const uint32_t cores = s->spec->topo.core_count;
    uint32_t pinned = 0, i = c->fastest;
    char name[BL_NAME_BYTES], text[384], core[40], have[40], need[40];
    struct host_admission first, out;

    for (uint32_t k = 0; k < s->class_count; k++)
        pinned += demand[k].affinity != NULL && demand[k].ppm > 0;
    if (pinned == 0)
        return BL_ERR_OK;
    BL_TRY(admit_at(a, s, demand, i, &first));
    if (first.refusal != HOST_REFUSED_AFFINITY)
        return BL_ERR_OK;
    for (out = first; i > 0 && out.refusal != HOST_ADMITTED;)
        BL_TRY(admit_at(a, s, demand, --i, &out));
    bl__host_name_vm(s, first.demand, first.vm, name);
    bl_units_print(BL_DIM_FREQ, (int64_t)f->pstate[c->fastest].khz, core, 40);
    bl_units_print(BL_DIM_FREQ,
                   (int64_t)bl_muldiv(first.have_ppm, f->pstate[c->fastest].khz,
                                      (uint64_t)BL_PPM),
                   have, 40);
    bl_units_print(BL_DIM_FREQ,
                   (int64_t)s->class[first.demand].cpu->reservation, need, 40);
    (void)snprintf(text, sizeof(text),
                   "keeps cores at %s, and the pCPUs that VM %s may use have "
                   "%s left to reserve, %s needed",
                   core, name, have, need);
    return refuse(s, diag, text,
                  bl_cap_budget_for(f, cores, f->pstate[i].khz * cores));
}

bl_err bl__host_power_admit(struct bl_arena *a, const struct bl_host_sim *s,
                            const struct host_demand *demand,
                            struct bl_diag *diag)
{
    const struct bl_freq *f = &s->spec->freq;
    const uint32_t cores = s->spec->topo.core_count;
    struct bl_cap_ceiling c;

    if (f->pstate_count == 0 || s->spec->cap_mw == BL_NO_CAP)
        return BL_ERR_OK;
    c = bl_cap_ceiling(f, cores, s->spec->cap_mw);
    if (!c.feasible)
        return refuse(s, diag, "is less than what the host draws idle",
                      bl_cap_budget_for(f, cores, 0));
    if (c.khz == 0)
        return refuse(s, diag, "leaves no time for work",
                      bl_cap_budget_for(f, cores, 1));
    BL_TRY(admit_sum(s, diag));
    BL_TRY(admit_vcpu(s, &c, diag));
    return admit_pinned(a, s, demand, &c, diag);
}

/* ---- creation ----------------------------------------------------------- */

bl_err bl__host_cap_create(struct bl_arena *a, struct bl_host_sim *s)
{
    struct host_power *w = s->power;
    struct host_cap *c = &w->cap;
    struct bl_freq uneven;

    bl_cap_uneven(&uneven, w->freq);
    c->ceiling = bl_cap_ceiling(&uneven, w->core_count, s->spec->cap_mw);
    c->rate_ppm = BL_NO_LIMIT;
    c->learnt_ppm = c->ceiling.bandwidth_ppm;
    c->next_ns = INT64_MAX;
    if (c->ceiling.bandwidth_ppm == BL_PPM)
        return BL_ERR_OK;
    c->demand_ns = bl_arena_get(a, s->vm_count, sizeof(*c->demand_ns));
    c->claim = bl_arena_get(a, s->vm_count, sizeof(*c->claim));
    c->given = bl_arena_get(a, s->vm_count, sizeof(*c->given));
    c->order = bl_arena_get(a, s->vm_count, sizeof(*c->order));
    if (c->demand_ns == NULL || c->claim == NULL || c->given == NULL ||
        c->order == NULL)
        return BL_ERR_NOMEM;
    c->next_ns = 0;
    return BL_ERR_OK;
}

uint64_t bl__host_cap_capacity_ppm(const struct bl_host_sim *s)
{
    const struct host_cap *c = &s->power->cap;
    const struct bl_freq *f = s->power->freq;
    uint64_t ppm = bl_muldiv(s->capacity_ppm, f->pstate[c->ceiling.fastest].khz,
                             f->pstate[0].khz);

    ppm = bl_muldiv(ppm, c->ceiling.bandwidth_ppm, (uint64_t)BL_PPM);
    if (c->rate_ppm != BL_NO_LIMIT)
        ppm = c->rate_ppm < s->capacity_ppm ? c->rate_ppm : s->capacity_ppm;
    return ppm;
}

/* ---- how much of the time ----------------------------------------------- */

static int64_t clamp(int64_t x, int64_t min, int64_t max)
{
    return x < min ? min : x > max ? max : x;
}

/* mW in uJ of one interval. */
static int64_t interval_uj(uint64_t mw)
{
    return (int64_t)bl_muldiv(mw, CONTROL_NS, 1000000);
}

/* An interval has passed: the part of the cores' time for the next one. */
static int64_t learn(struct bl_host_sim *s, struct host_cap *c)
{
    const uint32_t *mw = s->power->freq->pstate[c->ceiling.fastest].mw;
    const int64_t cap_uj = interval_uj(s->spec->cap_mw);
    const uint64_t all_uj = bl__host_energy_uj(s->power);
    const uint64_t throttles =
        bl_sched_totals(s->sched, s->now_ns).throttle_count;
    const int64_t left_uj = cap_uj - (int64_t)(all_uj - c->last_uj);
    int64_t full_uj = 1; /* of all cores, above idle */

    if (mw[BL_POWER_POINTS - 1] > mw[0])
        full_uj += interval_uj(mw[BL_POWER_POINTS - 1] - mw[0]);
    c->allowance_uj = c->allowance_uj + left_uj < cap_uj / 2
                          ? c->allowance_uj + left_uj
                          : cap_uj / 2;
    if (left_uj < 0 || throttles != c->throttle_count)
        c->learnt_ppm +=
            (left_uj / 4 + c->allowance_uj / 16) * BL_PPM / full_uj;
    c->learnt_ppm = clamp(c->learnt_ppm, 1000, BL_PPM);
    c->last_uj = all_uj;
    c->throttle_count = throttles;
    return clamp(c->learnt_ppm + c->allowance_uj * BL_PPM / full_uj, 1000,
                 BL_PPM);
}

/* What is charged for a core's time at full speed, of that time: more than
 * 1,000,000 where threads share cores. */
static uint64_t charge_ppm(struct bl_host_sim *s, struct host_cap *c)
{
    const uint32_t speed = s->power->domain[0].speed_ppm;
    int64_t busy_ns = 0, charged_ns = 0, core_ns;
    uint64_t ppm = (uint64_t)BL_PPM;

    for (uint32_t i = 0; i < s->power->domain_count; i++)
        busy_ns += s->power->domain[i].sum.busy_ns;
    for (uint32_t v = 0; v < s->vcpu_count; v++)
        charged_ns += bl_sched_vcpu_times(s->sched, v, s->now_ns).charged_ns;
    core_ns = (int64_t)bl_muldiv((uint64_t)(busy_ns - c->busy_ns), speed,
                                 (uint64_t)BL_PPM);
    if (core_ns > CONTROL_NS / 10 && charged_ns - c->charged_ns > core_ns)
        ppm = bl_muldiv((uint64_t)(charged_ns - c->charged_ns),
                        (uint64_t)BL_PPM, (uint64_t)core_ns);
    c->busy_ns = busy_ns;
    c->charged_ns = charged_ns;
    return ppm;
}

/* ---- dividing it -------------------------------------------------------- */

/* All that @vm could use of the next interval. */
static int64_t all_of(const struct bl_host_sim *s, uint32_t vm)
{
    const struct host_vm *m = &s->vm[vm];

    return m->end_ns == INT64_MAX && m->start_ns < s->now_ns + CONTROL_NS
               ? CONTROL_NS * m->count
               : 0;
}

static int64_t demand_of(struct bl_host_sim *s, struct host_cap *c, uint32_t vm)
{
    const int64_t now_ns = bl__host_demand_ns(s, vm);
    const int64_t all_ns = all_of(s, vm);
    const int64_t ns = s->now_ns > 0 ? now_ns - c->demand_ns[vm] : all_ns;

    c->demand_ns[vm] = now_ns;
    return ns < all_ns ? ns : all_ns;
}

/* 1/16 more. The bound on all is there for what wakes up between two controls:
 * were it as tight as the limits, it would cut off who is late; so would a
 * limit of what is reserved. */
static uint64_t with_slack(uint64_t ppm)
{
    return ppm + ppm / 16;
}

/* The limits of all VMs: what they are entitled to, and by shares what is left,
 * for who may want more soon. */
static void divide(struct bl_host_sim *s, struct host_cap *c)
{
    const uint64_t all = bl_muldiv(c->rate_ppm, CONTROL_NS, (uint64_t)BL_PPM);

    for (uint32_t i = 0; i < s->vm_count; i++) {
        c->claim[i] = bl__host_claim(&s->vm[i].control, CONTROL_NS);
        c->claim[i].demand = (uint64_t)demand_of(s, c, i);
    }
    (void)bl_entitle(all, c->claim, s->vm_count, c->given, c->order);
    for (uint32_t i = 0; i < s->vm_count; i++) {
        c->claim[i].reservation = c->given[i];
        c->claim[i].demand = (uint64_t)all_of(s, i);
    }
    (void)bl_entitle(all, c->claim, s->vm_count, c->given, c->order);
    for (uint32_t i = 0; i < s->vm_count; i++) {
        struct host_vm *m = &s->vm[i];
        const uint64_t most = m->count * (uint64_t)BL_PPM - 1;
        uint64_t ppm = bl_muldiv(c->given[i], (uint64_t)BL_PPM, CONTROL_NS);

        if (ppm < with_slack(m->control.reservation_ppm))
            ppm = with_slack(m->control.reservation_ppm);
        ppm = ppm < most ? ppm : most;
        m->cap_ppm = ppm > 0 ? ppm : 1;
        bl__host_apply(s, i);
    }
}

void bl__host_cap(struct bl_host_sim *s)
{
    struct host_cap *c = &s->power->cap;
    const uint64_t cores = s->power->core_count;
    int64_t part_ppm = c->learnt_ppm;
    uint64_t charge = (uint64_t)BL_PPM, time;

    bl__host_power_settle(s);
    if (s->now_ns > 0) {
        part_ppm = learn(s, c);
        charge = charge_ppm(s, c);
    }
    time = bl_muldiv(cores * s->power->domain[0].speed_ppm, charge,
                     (uint64_t)BL_PPM);
    c->rate_ppm = bl_muldiv(time, (uint64_t)part_ppm, (uint64_t)BL_PPM);
    c->rate_ppm = c->rate_ppm > 0 ? c->rate_ppm : 1;
    divide(s, c);
    bl_sched_set_bandwidth(s->sched, with_slack(c->rate_ppm), s->now_ns);
    c->next_ns = s->now_ns + CONTROL_NS;
}
