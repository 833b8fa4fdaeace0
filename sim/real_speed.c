/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_speed - P-states: which one a host runs at, what it can do, and draws.
 *
 * Source     power/governor.h, power/cap_load.h; doc/models/host.md.
 * Idea       a governor acts in milliseconds, a load here lasts for minutes. So
 *            whenever a host's load or budget changes its governor is asked
 *            again and again, with what it would measure, until it has nothing
 *            more to change: that P-state holds for all of the stretch. Its
 *            memory starts afresh each time, so the answer is a function of
 *            load and the P-state before.
 *            Under a power budget it may have the P-state at which most gets
 *            done within it, and slower ones, down to the first at which the
 *            budget would cut into reservations.
 * Bound      by hand for each governor (test_real_speed); a settled governor
 *            would not change anything; no host draws more than its budget
 *            (bl__real_speed_check, bl__real_caps_check).
 * Deviation  the way there is ignored: milliseconds too slow or too fast, and
 *            the time that switching takes (level: host has both). A governor
 *            that never settles counts as at the fastest that it came by.
 * Cost       O(VMs of the host) once and O(answers * P-states), at most
 *            ANSWERS_MAX answers; of VMs again for each answer at which a vCPU
 *            is faster than the cores. Nothing where there are neither P-states
 *            nor caps.
 */
#include "base/units.h"
#include "sim/real_priv.h"

/* A governor has settled when it says so SAME times in a row: FIRST_NS apart,
 * then twice as long after each time, so that a change that it holds back for
 * up to a minute comes. */
enum { SAME = 4, ANSWERS_MAX = 4 * BL_PSTATES_MAX };
#define WINDOW_NS INT64_C(10000000) /* that it measures over */
#define LEAST_MHZ 0.001 /* capacity of a host that may only idle, as shown */
#define FIRST_NS INT64_C(10000000000)

#define TAKE(arena, p, n, ok)                                                  \
    ((p) = bl_arena_get((arena), (n), sizeof(*(p))), (ok) = (ok) && (p) != NULL)

/* ---- creation
 * ------------------------------------------------------------------- */

bl_err bl__real_speeds_create(struct bl_sim *sim, struct bl_arena *a,
                              struct bl_diag *diag)
{
    const struct bl_dc *dc = sim->opts.dc;
    const uint32_t hosts = sim->col.host_count;
    struct bl_real_speeds *x;
    bool ok = true;

    if (!bl_dc_has_speeds(dc))
        return BL_ERR_OK;
    x = bl_arena_get(a, 1, sizeof(*x));
    if (x != NULL) {
        TAKE(a, x->host, hosts, ok);
        TAKE(a, x->freq, dc->host_group_count, ok);
        TAKE(a, x->load, dc->host_group_count, ok);
        TAKE(a, x->curve, dc->host_group_count, ok);
    }
    if (x == NULL || !ok)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        const struct bl_host_group *group = &dc->host_group[g];

        if (group->freq.pstate_count > 0)
            x->freq[g] = group->freq;
        else
            bl_freq_single(&x->freq[g], group->core_khz, group->power.mw);
        x->freq[g].idle_count = 0; /* a fluid idles in the deepest state */
        bl_cap_load_init(&x->load[g], &x->freq[g], group->core_count);
        for (uint32_t p = 0; p < x->freq[g].pstate_count; p++) {
            struct bl_power_table t = { .name = "" };

            for (int i = 0; i < BL_POWER_POINTS; i++)
                t.mw[i] = x->freq[g].pstate[p].mw[i];
            bl_power_curve_init(&x->curve[g][p], &t);
        }
    }
    bl__real(sim)->speeds = x;
    for (uint32_t h = 0; h < hosts; h++)
        bl__real_set_ceiling(sim, h, BL_NO_CAP);
    return bl__real_caps_create(sim, a, diag);
}

/* ---- what a P-state means
 * -------------------------------------------------------- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static const struct bl_freq *freq_of(const struct bl_sim *sim, uint32_t h)
{
    return &bl__real(sim)->speeds->freq[sim->col.host_group[h]];
}

uint64_t bl__real_core_khz(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];

    return freq_of(sim, h)->pstate[s->pstate].khz;
}

void bl__real_set_ceiling(struct bl_sim *sim, uint32_t h, uint64_t budget_mw)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    const struct bl_cap_load *load = &x->load[sim->col.host_group[h]];
    struct bl_real_speed *s = &x->host[h];

    s->ceiling_khz = 0;
    s->allowed = 0;
    for (uint32_t p = 0; p < load->pstate_count; p++) {
        s->most_khz[p] = bl_cap_load_khz(load, p, budget_mw);
        if (s->most_khz[p] > s->ceiling_khz)
            s->ceiling_khz = s->most_khz[p];
        if (load->one[p].pstate[0].mw[0] <= budget_mw)
            s->allowed |= (uint16_t)(1u << p);
    }
}

uint64_t bl__real_draw(const struct bl_sim *sim, uint32_t h, uint64_t khz)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    const uint64_t all =
        bl__real_group(sim, h)->core_count * bl__real_core_khz(sim, h);

    return bl_power_mw(&x->curve[sim->col.host_group[h]][x->host[h].pstate],
                       (uint32_t)bl_muldiv(khz, (uint64_t)BL_PPM, all));
}

void bl__real_show_capacity(struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const bool on = sim->col.host_state[h] == BL_HOST_ON;
    struct bl_columns *c = &sim->col;
    /* what a host that sleeps will be given is not known yet */
    const uint64_t khz = on ? s->ceiling_khz : c->host_capacity_khz[h];

    if (bl__real(sim)->speeds->rack_count == 0)
        return; /* it is as it was at creation, to the last bit */
    /* policies divide by it */
    c->host_capacity_mhz[h] = khz > 0 ? (double)khz / 1000 : LEAST_MHZ;
    c->host_stamp[h] = c->stamp_next++;
}

/* ---- the governor
 * ------------------------------------------------------------------ */

/* What the VMs of a host ask for, those in stop-and-copy apart. */
struct load {
    uint64_t want_khz, reserved_khz;
    uint64_t vcpu_khz, vcpu_reserved_khz; /* the most of one vCPU */
};

static uint64_t reservation_of(const struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real *r = bl__real(sim);

    return r->pools != NULL ? r->pools->bound[BL_RESOURCE_CPU][vm].reservation
                            : sim->col.cpu[sim->col.vm_group[vm]].reservation;
}

/* The larger of @most and what @khz is for each of @vcpus, rounded up. */
static uint64_t per_vcpu(uint64_t most, uint64_t khz, uint64_t vcpus)
{
    return khz > most * vcpus ? (khz + vcpus - 1) / vcpus : most;
}

static struct load load_of(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    struct load l = { .want_khz = 0 };

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next) {
        const uint32_t vm = c->resident[i].vm;
        const uint64_t vcpus = c->vm_vcpu_count[vm];
        const uint64_t reserved = reservation_of(sim, vm);

        if (c->resident[i].role == BL_ROLE_IN)
            continue;
        l.reserved_khz += reserved;
        l.vcpu_reserved_khz = per_vcpu(l.vcpu_reserved_khz, reserved, vcpus);
        if (r->vm_flags[vm] & REAL_STOPPED)
            continue;
        l.want_khz += r->vm[vm].want_khz;
        l.vcpu_khz = per_vcpu(l.vcpu_khz, r->vm[vm].want_khz, vcpus);
    }
    return l;
}

/* Work that @h does at @pstate, migrations included. */
static uint64_t usage_khz(const struct bl_sim *sim, uint32_t h,
                          const struct load *l, uint32_t pstate)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    const uint64_t core_khz = freq_of(sim, h)->pstate[pstate].khz;
    uint64_t khz = l->want_khz;

    if (core_khz < l->vcpu_khz) {
        khz = 0;
        for (uint32_t i = c->host_first[h]; i != BL_NONE;
             i = c->resident[i].next) {
            const uint32_t vm = c->resident[i].vm;

            if (c->resident[i].role != BL_ROLE_IN &&
                !(r->vm_flags[vm] & REAL_STOPPED))
                khz += min_u64(r->vm[vm].want_khz,
                               c->vm_vcpu_count[vm] * core_khz);
        }
    }
    return min_u64(khz + r->speeds->host[h].copy_khz,
                   r->speeds->host[h].most_khz[pstate]);
}

static uint32_t ppm_of(uint64_t part, uint64_t all)
{
    return part < all ? (uint32_t)bl_muldiv(part, (uint64_t)BL_PPM, all)
                      : (uint32_t)BL_PPM;
}

static bool allows(const struct bl_real_speed *s, uint32_t pstate)
{
    return (s->allowed >> pstate & 1) != 0;
}

/* The P-state at which a host does most within its budget, of those that keep
 * its reservations; the fastest of several. */
static uint32_t fastest_for(const struct bl_sim *sim, uint32_t h,
                            const struct load *l)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const struct bl_freq *f = freq_of(sim, h);
    uint64_t most = 0;
    uint32_t best = BL_PSTATES_MAX;
    bool keeps = false;

    for (uint32_t p = 0; p < f->pstate_count; p++) {
        const uint64_t does = usage_khz(sim, h, l, p);
        const bool kept = f->pstate[p].khz >= l->vcpu_reserved_khz &&
                          s->most_khz[p] >= l->reserved_khz;

        if (!allows(s, p))
            continue;
        if (best == BL_PSTATES_MAX || kept > keeps ||
            (kept == keeps && does > most)) {
            keeps = kept;
            most = does;
            best = p;
        }
    }
    BL_ASSERT(best < BL_PSTATES_MAX); /* no budget is below all idle power */
    return best;
}

/* Does the budget of @h keep it from what is reserved at @pstate, though not
 * at @top? There it draws more for the same work. */
static bool cuts_promises(const struct bl_sim *sim, uint32_t h,
                          const struct load *l, uint32_t top, uint32_t pstate)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const uint64_t all = bl__real_group(sim, h)->core_count *
                         freq_of(sim, h)->pstate[pstate].khz;

    return s->most_khz[pstate] < all &&
           s->most_khz[pstate] < min_u64(l->reserved_khz, s->most_khz[top]);
}

/* A slower P-state may draw more idle, or for what is reserved, than a budget
 * has. */
static uint32_t slowest_from(const struct bl_sim *sim, uint32_t h,
                             const struct load *l, uint32_t top)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    uint32_t p = top;

    while (p + 1 < freq_of(sim, h)->pstate_count && allows(s, p + 1) &&
           !cuts_promises(sim, h, l, top, p + 1))
        p++;
    return p;
}

/* What a governor would measure at @pstate; it may have @fastest. */
static struct bl_domain_view view_of(const struct bl_sim *sim, uint32_t h,
                                     const struct load *l, uint32_t fastest,
                                     uint32_t pstate)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const struct bl_freq *f = freq_of(sim, h);
    const uint32_t cores = bl__real_group(sim, h)->core_count;
    const uint64_t all = sim->col.host_capacity_khz[h];
    const uint64_t usage = usage_khz(sim, h, l, pstate);
    const uint32_t busy = ppm_of(usage, cores * f->pstate[pstate].khz);
    const uint32_t vcpu = ppm_of(l->vcpu_khz, f->pstate[pstate].khz);

    return (struct bl_domain_view){
        .freq = f,
        .core_count = cores,
        .host_core_count = cores,
        .pstate = pstate,
        .fastest = fastest,
        .slowest = slowest_from(sim, h, l, fastest),
        .window_ns = WINDOW_NS,
        .busy_ppm = busy,
        .busy_core_ppm = busy > vcpu ? busy : vcpu,
        .usage_khz = usage,
        .demand_khz = l->want_khz + s->copy_khz,
        .entitled_khz = min_u64(l->want_khz + s->copy_khz, all),
        .reserved_khz = min_u64(l->reserved_khz, all),
        .core_khz_min = l->vcpu_khz > l->vcpu_reserved_khz
                            ? l->vcpu_khz
                            : l->vcpu_reserved_khz,
    };
}

/* The P-state that the governor of @h comes to rest at under @l, when it may
 * have @top and slower ones. */
static uint32_t settled(const struct bl_sim *sim, uint32_t h,
                        const struct load *l, uint32_t top)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const struct bl_governor *g = sim->opts.governor;
    int64_t memory[BL_GOVERNOR_STATE_BYTES / sizeof(int64_t)] = { 0 };
    int64_t at_ns = sim->now_ns, apart_ns = FIRST_NS;
    uint32_t p = s->pstate, fastest = BL_PSTATES_MAX, same = 0;

    if (p < top || p > slowest_from(sim, h, l, top))
        p = top;
    bl_governor_init(g, memory, sim->opts.governor_params, freq_of(sim, h));
    for (int i = 0; i < ANSWERS_MAX && same < SAME; i++) {
        struct bl_domain_view v = view_of(sim, h, l, top, p);
        uint32_t next;

        at_ns += apart_ns;
        v.now_ns = at_ns;
        next = bl_governor_pick(g, memory, sim->opts.governor_params, &v);
        same = next == p ? same + 1 : 0;
        apart_ns = same > 0 ? 2 * apart_ns : FIRST_NS;
        if (i >= ANSWERS_MAX / 2 && next < fastest)
            fastest = next;
        p = next;
    }
    return same == SAME ? p : fastest;
}

bool bl__real_govern(struct bl_sim *sim, uint32_t h)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_speed *s = &r->speeds->host[h];
    const struct load l = load_of(sim, h);
    const uint32_t top = fastest_for(sim, h, &l);
    const uint64_t asked =
        min_u64(l.want_khz + s->copy_khz, sim->col.host_capacity_khz[h]);

    if (freq_of(sim, h)->pstate_count == 1 || sim->opts.governor == NULL ||
        r->host[h].unmanaged)
        s->pstate = (uint8_t)top;
    else
        s->pstate = (uint8_t)settled(sim, h, &l, top);
    s->khz = s->most_khz[s->pstate];
    s->held = usage_khz(sim, h, &l, top) < asked;
    r->host[h].copy_khz = min_u64(s->copy_khz, s->khz);
    return l.vcpu_khz > bl__real_core_khz(sim, h);
}

double bl__real_would_serve(const struct bl_sim *sim, uint32_t h,
                            bl_real_asks_fn asks, const void *ctx)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];
    const struct bl_freq *f = freq_of(sim, h);
    const uint64_t all = sim->col.host_capacity_khz[h];
    const bool on = sim->col.host_state[h] == BL_HOST_ON;
    double most = 0;

    for (uint32_t p = 0; p < f->pstate_count; p++) {
        /* what a host that sleeps will be given is not known yet */
        const uint64_t khz = on ? s->most_khz[p] : all;
        const double can = (double)khz / 1000;
        const double could = asks(ctx, (double)f->pstate[p].khz / 1000);
        const double does = could < can ? could : can;

        if (does > most)
            most = does;
        if (khz == all)
            break; /* of the fastest, and no budget is in its way */
    }
    return most;
}

void bl__real_speed_close(struct bl_real *r, uint32_t h, bool on,
                          uint64_t dt_ns)
{
    struct bl_real_speed *s = &r->speeds->host[h];

    if (!on)
        return;
    s->pstate_ns[s->pstate] += (int64_t)dt_ns;
    if (s->held)
        s->held_ns += (int64_t)dt_ns;
}

/* ---- figures
 * ------------------------------------------------------------------ */

void bl__real_speeds_forget(struct bl_sim *sim)
{
    struct bl_real_speeds *x = bl__real(sim)->speeds;

    for (uint32_t h = 0; h < sim->col.host_count; h++) {
        x->host[h].held_ns = 0;
        for (uint32_t p = 0; p < BL_PSTATES_MAX; p++)
            x->host[h].pstate_ns[p] = 0;
    }
    for (uint32_t i = 0; i < x->rack_count; i++)
        x->rack[i].worst_mw = 0;
    x->all_changed = true;
}

void bl__real_speed_hash(const struct bl_sim *sim, uint32_t h,
                         struct bl_hash *hash)
{
    const struct bl_real_speed *s = &bl__real(sim)->speeds->host[h];

    bl_hash_u64(hash, s->pstate);
    bl_hash_u64(hash, (uint64_t)s->held_ns);
    for (uint32_t p = 0; p < freq_of(sim, h)->pstate_count; p++)
        bl_hash_u64(hash, (uint64_t)s->pstate_ns[p]);
}

static void group_result(const struct bl_sim *sim, uint32_t g,
                         struct bl_group_result *out)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    uint64_t ns[BL_PSTATES_MAX] = { 0 }, on_ns = 0;
    double mhz_ns = 0;

    for (uint32_t h = 0; h < sim->col.host_count; h++)
        for (uint32_t p = 0;
             sim->col.host_group[h] == g && p < x->freq[g].pstate_count; p++) {
            ns[p] += (uint64_t)x->host[h].pstate_ns[p];
            on_ns += (uint64_t)x->host[h].pstate_ns[p];
        }
    out->pstate_count = x->freq[g].pstate_count;
    for (uint32_t p = 0; p < out->pstate_count; p++) {
        out->pstate_khz[p] = x->freq[g].pstate[p].khz;
        mhz_ns += (double)out->pstate_khz[p] / 1000 * (double)ns[p];
        if (on_ns > 0)
            out->pstate_share[p] = (double)ns[p] / (double)on_ns;
    }
    if (on_ns > 0)
        out->mean_mhz = mhz_ns / (double)on_ns;
}

void bl__real_speeds_result(const struct bl_sim *sim, struct bl_result *out)
{
    const struct bl_real_speeds *x = bl__real(sim)->speeds;
    uint64_t held_ns = 0;

    for (uint32_t g = 0; g < out->group_count; g++)
        group_result(sim, g, &out->group[g]);
    for (uint32_t h = 0; h < sim->col.host_count; h++)
        held_ns += (uint64_t)x->host[h].held_ns;
    out->capped_s = (double)held_ns / 1e9;
    for (uint32_t i = 0; i < x->rack_count; i++) {
        const struct bl_real_rack *rack = &x->rack[i];
        struct bl_cap_result *c = &out->cap[rack->cap];
        const double worst_w = (double)rack->worst_mw / 1000;

        c->racks++;
        c->hosts += rack->hosts;
        c->worst_w = worst_w > c->worst_w ? worst_w : c->worst_w;
    }
}

/* ---- check
 * -------------------------------------------------------------------- */

void bl__real_speed_check(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real *r = bl__real(sim);
    const struct bl_real_host *host = &r->host[h];
    const struct bl_real_speed *s = &r->speeds->host[h];
    int64_t on_ns = 0;

    for (uint32_t p = 0; p < BL_PSTATES_MAX; p++)
        on_ns += s->pstate_ns[p];
    BL_ASSERT(on_ns == host->on_ns);
    BL_ASSERT(s->held_ns <= host->on_ns);
    if (host->dirty || sim->col.host_state[h] != BL_HOST_ON)
        return;
    BL_ASSERT(s->pstate < freq_of(sim, h)->pstate_count);
    BL_ASSERT(allows(s, s->pstate));
    BL_ASSERT(s->khz == s->most_khz[s->pstate]);
    BL_ASSERT(host->copy_khz == min_u64(s->copy_khz, s->khz));
    BL_ASSERT(host->served_khz + host->copy_khz <= s->khz);
}
