/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_serve - who gets how much CPU and memory, and the account of it.
 *
 * Source     DESIGN.md 5.1 and 5.7; doc/models/host.md.
 * Idea       a host is a fluid: what migration leaves of its capacity goes to
 *            its VMs by bl_entitle(), at every trace step and after every
 *            change. Entitlement begins with a sum; when all demand fits, it
 *            ends with it too, and nothing more is computed.
 * Bound      served + unserved = demand in every account, exactly; the short
 *            cut equals bl_entitle() (test_real).
 * Deviation  none. Memory that a VM lacks is counted, it slows nothing.
 * Cost       O(VMs of the host) for a change; a step touches one cache line,
 *            its list entry and its inputs for each VM, nothing for empty
 *            hosts.
 */
#include "base/par.h"
#include "base/units.h"
#include "sim/real_priv.h"

/* Hosts with more VMs than SMALL_VMS wait for the large scratch, after the
 * threads are done. BLOCK_SLOTS: VMs that are one unit of parallel work.
 * Below THREAD_VMS a step is shorter than it takes to wake a thread. */
enum { SMALL_VMS = 128, BLOCK_SLOTS = 16384, THREAD_VMS = 32768 };

/* ---- what a VM wants, and may get ------------------------------------------
 */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A vCPU cannot run faster than the core below it. */
uint64_t bl__real_core_cap_khz(const struct bl_sim *sim, uint32_t vm,
                               uint32_t h)
{
    const uint64_t vcpus = sim->col.vm_vcpu_count[vm];
    const uint64_t size = sim->col.vm_size_khz[vm];

    if (h == BL_NONE)
        return size;
    return min_u64(size, vcpus * bl__real_group(sim, h)->core_khz);
}

static inline uint64_t raw_khz(const uint64_t *size, const uint32_t *ppm,
                               uint32_t vm)
{
    return ppm != NULL ? size[vm] * ppm[vm] / (uint64_t)BL_PPM : size[vm];
}

uint64_t bl__real_raw_khz(const struct bl_sim *sim, uint32_t vm)
{
    return raw_khz(sim->col.vm_size_khz, sim->step.cpu_ppm, vm);
}

void bl__real_set_cap(struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    struct bl_real *r = bl__real(sim);
    uint64_t limit = sim->col.cpu[sim->col.vm_group[vm]].limit;

    if (r->pools != NULL) {
        limit = r->pools->bound[BL_RESOURCE_CPU][vm].limit;
        bl__real_pools_moved(sim, vm, h);
    }
    r->vm[vm].cap_khz = min_u64(bl__real_core_cap_khz(sim, vm, h), limit);
}

/* floor(size * ppm / 1000000) without 128 bits: memory sizes reach 2^50. */
static uint64_t part_of(uint64_t size, uint32_t ppm)
{
    const uint64_t m = (uint64_t)BL_PPM;

    return size / m * ppm + size % m * ppm / m;
}

uint64_t bl__real_mem_used(const struct bl_sim *sim, uint32_t vm)
{
    const uint64_t size = sim->col.vm_mem_size_bytes[vm];
    const uint64_t used =
        sim->step.mem_ppm != NULL ? part_of(size, sim->step.mem_ppm[vm]) : size;

    return min_u64(used, sim->col.mem[sim->col.vm_group[vm]].limit);
}

/* @raw kHz are more than the VM may get, or were so before: what lies above
 * its limit is not demand but is counted. */
static uint64_t clip_want(struct bl_sim *sim, uint32_t vm, uint64_t raw)
{
    struct bl_real *r = bl__real(sim);
    const uint64_t cap = r->vm[vm].cap_khz;
    const uint64_t can =
        min_u64(raw, bl__real_core_cap_khz(sim, vm, sim->col.vm_host[vm]));

    bl__real_rare(r, vm)->over_khz = can > cap ? can - cap : 0;
    if (can > cap)
        r->vm_flags[vm] |= REAL_OVER;
    else
        r->vm_flags[vm] &= (uint8_t)~REAL_OVER;
    return min_u64(raw, cap);
}

static inline uint64_t want_of(struct bl_sim *sim, uint32_t vm, uint64_t raw)
{
    const struct bl_real *r = bl__real(sim);

    if (raw > r->vm[vm].cap_khz || (r->vm_flags[vm] & REAL_OVER))
        return clip_want(sim, vm, raw);
    return raw;
}

/* ---- closing accounts -------------------------------------------------------
 */

/* One stretch of constant rates of one host. */
struct stretch {
    int64_t from_ns;
    uint64_t dt_ns;
    uint32_t host, load_ppm;
};

static struct stretch stretch_of(const struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_host *host = &bl__real(sim)->host[h];
    struct stretch s = { .from_ns = host->account_ns,
                         .dt_ns = (uint64_t)(sim->now_ns - host->account_ns),
                         .host = h };

    if (host->cold) { /* only then will somebody ask */
        const uint64_t load =
            bl_muldiv(host->demand_khz + host->copy_khz, (uint64_t)BL_PPM,
                      sim->col.host_capacity_khz[h]);

        s.load_ppm = load < UINT32_MAX ? (uint32_t)load : UINT32_MAX;
    }
    return s;
}

static void close_rare(struct bl_real *r, const struct stretch *s, uint32_t vm)
{
    struct bl_real_rare *x = bl__real_rare(r, vm);
    const bl_u128 full = ((bl_u128)x->short_khz[BL_CAUSE_CONTENTION] +
                          x->short_khz[BL_CAUSE_FREQUENCY]) *
                         s->dt_ns;

    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        x->lost[c] += (bl_u128)x->short_khz[c] * s->dt_ns;
    x->over += (bl_u128)x->over_khz * s->dt_ns;
    x->mem_short += (bl_u128)x->mem_short_bytes * s->dt_ns;
    x->broken += (bl_u128)x->broken_khz * s->dt_ns;
    if (x->ready_khz > 0 || x->still_khz > 0) {
        x->seen_more += (bl_u128)x->ready_khz * s->dt_ns;
        x->seen_more -= (bl_u128)x->still_khz * s->dt_ns;
        r->vm_flags[vm] |= REAL_SEEN;
    }
    if (full > x->worst) {
        x->worst = full;
        x->worst_at_ns = s->from_ns;
        x->worst_host = s->host;
        x->worst_load_ppm = s->load_ppm;
    }
}

static inline void close_vm(struct bl_real *r, const struct stretch *s,
                            uint32_t vm)
{
    r->vm[vm].demand += (bl_u128)r->vm[vm].want_khz * s->dt_ns;
    if (r->vm_flags[vm] & (REAL_SHORT | REAL_OVER))
        close_rare(r, s, vm);
}

static void close_host(struct bl_sim *sim, uint32_t h, uint64_t dt_ns)
{
    struct bl_real *r = bl__real(sim);
    struct bl_real_host *host = &r->host[h];
    const uint8_t state = sim->col.host_state[h];

    if (r->speeds != NULL)
        bl__real_speed_close(r, h, state == BL_HOST_ON, dt_ns);
    host->energy_pj += (bl_u128)host->power_mw * dt_ns;
    if (host->copy_khz > 0)
        host->copy_pj += (bl_u128)host->copy_mw * dt_ns;
    host->used += (bl_u128)(host->served_khz + host->copy_khz) * dt_ns;
    if (state == BL_HOST_ON) {
        host->on_ns += (int64_t)dt_ns;
    } else if (state == BL_HOST_ENTERING || state == BL_HOST_LEAVING) {
        host->trans_ns += (int64_t)dt_ns;
        host->trans_pj += (bl_u128)host->trans_mw * dt_ns;
    }
    if (host->busy)
        host->active_ns += (int64_t)dt_ns;
    if (host->violated)
        host->violated_ns += (int64_t)dt_ns;
    host->account_ns += (int64_t)dt_ns;
}

/* The interval is over: what was measured in it becomes what is seen. */
static inline void roll_vm(struct bl_real *r, uint32_t vm)
{
    struct bl_real_vm *m = &r->vm[vm];
    const uint8_t flags = r->vm_flags[vm];

    m->seen = m->demand - m->mark;
    m->mark = m->demand;
    if ((flags & (REAL_SEEN | REAL_NEW)) == 0)
        return;
    if (flags & REAL_SEEN) {
        m->seen += r->rare[vm].seen_more;
        r->rare[vm].seen_more = 0;
    }
    r->vm_flags[vm] &=
        (uint8_t) ~(REAL_SEEN | ((flags & REAL_PART) ? REAL_PART : REAL_NEW));
}

/* ---- dividing a host
 * --------------------------------------------------------- */

static void set_short(struct bl_real *r, uint32_t vm, enum bl_cause cause,
                      uint64_t khz)
{
    if (khz > 0) {
        bl__real_rare(r, vm)->short_khz[cause] = khz;
        r->vm_flags[vm] |= REAL_SHORT;
    }
}

static void clear_short(struct bl_real *r, uint32_t vm)
{
    struct bl_real_rare *x = &r->rare[vm];

    for (int c = 0; c < BL_CAUSE_COUNT; c++)
        x->short_khz[c] = 0;
    x->mem_short_bytes = 0;
    x->ready_khz = 0;
    x->still_khz = 0;
    x->broken_khz = 0;
    r->vm_flags[vm] &= (uint8_t)~REAL_SHORT;
}

/* @vm's claim to @demand, in which its pools have a say. */
static struct bl_claim claim_of(const struct bl_real_pools *x,
                                enum bl_resource r, uint32_t vm,
                                uint64_t demand)
{
    const struct bl_real_bound *b = &x->bound[r][vm];

    return (struct bl_claim){ .shares = b->shares,
                              .reservation = b->reservation,
                              .limit = b->limit,
                              .demand = demand };
}

/* Forget the shortages of before; give all to who cannot compete: VMs in
 * stop-and-copy, and all of them on a host that is not on yet. The others are
 * listed in scratch. */
static uint32_t list_claims(struct bl_sim *sim, uint32_t h,
                            const struct bl_real_scratch *s)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    uint32_t n = 0;

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next) {
        const uint32_t vm = c->resident[i].vm;
        const struct bl_settings *set = &c->cpu[c->vm_group[vm]];
        const uint64_t want = r->vm[vm].want_khz;

        if (c->resident[i].role == BL_ROLE_IN)
            continue;
        if (r->vm_flags[vm] & REAL_SHORT)
            clear_short(r, vm);
        if (c->host_state[h] != BL_HOST_ON) {
            set_short(r, vm, BL_CAUSE_WAITING, want);
            if (want > 0)
                r->rare[vm].ready_khz = r->vm[vm].cap_khz - want;
        } else if (r->vm_flags[vm] & REAL_STOPPED) {
            set_short(r, vm, BL_CAUSE_MIGRATION, want);
            if (want > 0)
                r->rare[vm].still_khz = want;
        } else {
            s->vm[n] = vm;
            if (r->pools != NULL)
                s->claim[n++] = claim_of(r->pools, BL_RESOURCE_CPU, vm, want);
            else
                s->claim[n++] = (struct bl_claim){
                    .shares = bl_cpu_shares(set, c->vm_vcpu_count[vm]),
                    .reservation = set->reservation,
                    .limit = set->limit,
                    .demand = want,
                };
        }
    }
    return n;
}

/* Each VM in scratch claims what it wants; or (@core_khz > 0) no more than
 * cores of that speed let its vCPUs do. */
static void set_demand(const struct bl_sim *sim, uint64_t core_khz,
                       const struct bl_real_scratch *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t want = bl__real(sim)->vm[s->vm[i]].want_khz;
        const uint64_t most = sim->col.vm_vcpu_count[s->vm[i]] * core_khz;

        s->claim[i].demand = core_khz > 0 ? min_u64(want, most) : want;
    }
}

/* What each VM would lack with @would (of scratch) in the place of what it
 * got, and no cause before has had, is due to @cause. */
static void blame(struct bl_real *r, const struct bl_real_scratch *s,
                  uint32_t n, enum bl_cause cause, const uint64_t *would)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t want = r->vm[s->vm[i]].want_khz;
        uint64_t most = min_u64(want - s->got[i], want - would[i]);
        uint64_t had = 0;

        if (most == 0)
            continue;
        if (r->vm_flags[s->vm[i]] & REAL_SHORT)
            for (int c = 0; c < BL_CAUSE_COUNT; c++)
                had += r->rare[s->vm[i]].short_khz[c];
        set_short(r, s->vm[i], cause, most > had ? most - had : 0);
        r->rare[s->vm[i]].ready_khz = r->vm[s->vm[i]].cap_khz - want;
        most = min_u64(want, s->claim[i].reservation);
        r->rare[s->vm[i]].broken_khz = most > s->got[i] ? most - s->got[i] : 0;
    }
}

/* Returns what the VMs get together. What they would lack with all of the
 * host's capacity is contention; what they lack beyond it with what it can do
 * at the speed it runs at and within its budget is frequency; and the rest is
 * migration. */
static uint64_t divide_cpu(struct bl_sim *sim, uint32_t h,
                           const struct bl_real_scratch *s)
{
    struct bl_real *r = bl__real(sim);
    const uint64_t all = sim->col.host_capacity_khz[h];
    const uint64_t copy = r->host[h].copy_khz;
    const uint64_t can = r->speeds != NULL ? r->speeds->host[h].khz : all;
    const uint64_t core_khz = can < all ? bl__real_core_khz(sim, h) : 0;
    const uint32_t n = list_claims(sim, h, s);
    uint64_t served = 0, wanted = 0;

    if (core_khz > 0)
        set_demand(sim, core_khz, s, n);
    (void)bl_entitle(can - copy, s->claim, n, s->got, s->work);
    for (uint32_t i = 0; i < n; i++) {
        served += s->got[i];
        wanted += r->vm[s->vm[i]].want_khz;
    }
    if (served == wanted)
        return served;
    if (can == all && copy == 0) {
        blame(r, s, n, BL_CAUSE_CONTENTION, s->got);
        return served;
    }
    set_demand(sim, 0, s, n);
    (void)bl_entitle(all, s->claim, n, s->alone, s->work);
    blame(r, s, n, BL_CAUSE_CONTENTION, s->alone);
    if (can < all) {
        set_demand(sim, core_khz, s, n);
        (void)bl_entitle(can, s->claim, n, s->alone, s->work);
        blame(r, s, n, BL_CAUSE_FREQUENCY, s->alone);
    }
    blame(r, s, n, BL_CAUSE_MIGRATION, s->got);
    return served;
}

/* Returns the memory that the VMs which run here get; room for those that
 * migrate in is taken from the same memory. */
static uint64_t divide_memory(struct bl_sim *sim, uint32_t h,
                              const struct bl_real_scratch *s)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    uint64_t have = 0;
    uint32_t n = 0, k = 0;

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next) {
        const uint32_t vm = c->resident[i].vm;
        const struct bl_settings *set = &c->mem[c->vm_group[vm]];

        if (r->pools != NULL)
            s->claim[n++] = claim_of(r->pools, BL_RESOURCE_MEM, vm,
                                     c->vm_mem_used_bytes[vm]);
        else
            s->claim[n++] = (struct bl_claim){
                .shares = bl_mem_shares(set, c->vm_mem_size_bytes[vm]),
                .reservation = set->reservation,
                .limit = set->limit,
                .demand = c->vm_mem_used_bytes[vm],
            };
    }
    (void)bl_entitle(c->host_mem_bytes[h], s->claim, n, s->got, s->work);
    for (uint32_t i = c->host_first[h]; i != BL_NONE;
         i = c->resident[i].next, k++) {
        const uint32_t vm = c->resident[i].vm;

        if (c->resident[i].role == BL_ROLE_IN)
            continue;
        have += s->got[k];
        if (s->got[k] == s->claim[k].demand)
            continue;
        bl__real_rare(r, vm)->mem_short_bytes = s->claim[k].demand - s->got[k];
        r->vm_flags[vm] |= REAL_SHORT;
    }
    return have;
}

/* Somebody may get less than wanted, or did so before. */
static void divide_host(struct bl_sim *sim, uint32_t h,
                        const struct bl_real_scratch *s)
{
    struct bl_real_host *host = &bl__real(sim)->host[h];
    const bool on = sim->col.host_state[h] == BL_HOST_ON;

    host->served_khz = divide_cpu(sim, h, s);
    host->mem_have_bytes = host->mem_run_bytes;
    if (!on)
        host->mem_have_bytes = 0;
    else if (sim->col.host_mem_used_bytes[h] > sim->col.host_mem_bytes[h] ||
             bl__real(sim)->pools != NULL) /* they may limit memory */
        host->mem_have_bytes = divide_memory(sim, h, s);
    host->violated = on && host->served_khz < host->demand_khz;
    host->cold = host->served_khz < host->demand_khz ||
                 (on && host->mem_have_bytes < host->mem_run_bytes);
}

/* ---- one host
 * ------------------------------------------------------------------ */

/* Memory moves at every step only where the trace has a column for it. */
static void sum_memory(struct bl_sim *sim, uint32_t h)
{
    struct bl_columns *c = &sim->col;
    uint64_t all = 0, run = 0;

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next) {
        const uint64_t used = c->vm_mem_used_bytes[c->resident[i].vm];

        all += used;
        run += c->resident[i].role != BL_ROLE_IN ? used : 0;
    }
    c->host_mem_used_bytes[h] = all;
    bl__real(sim)->host[h].mem_run_bytes = run;
}

/* Add (or, before a change, take away) what @h contributes to the sums. */
static void publish(const struct bl_sim *sim, uint32_t h, bool add,
                    struct bl_real_rates *t)
{
    const struct bl_real_host *x = &bl__real(sim)->host[h];
    const bool on = sim->col.host_state[h] == BL_HOST_ON;
    const uint64_t run = on ? x->mem_run_bytes : 0;

    if (add) {
        t->demand_khz += x->demand_khz;
        t->served_khz += x->served_khz;
        t->power_mw += x->power_mw;
        t->mem_bytes += x->mem_run_bytes;
        t->mem_run_bytes += run;
        t->mem_have_bytes += x->mem_have_bytes;
        t->busy_count += x->busy;
    } else {
        t->demand_khz -= x->demand_khz;
        t->served_khz -= x->served_khz;
        t->power_mw -= x->power_mw;
        t->mem_bytes -= x->mem_run_bytes;
        t->mem_run_bytes -= run;
        t->mem_have_bytes -= x->mem_have_bytes;
        t->busy_count -= x->busy;
    }
}

void bl__real_touch(struct bl_sim *sim, uint32_t h)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    struct bl_real_host *host = &r->host[h];

    if (!host->dirty) {
        host->dirty = true;
        r->lit_stale |= !r->lit[h];
        r->lit[h] = 1;
        r->dirty[r->dirty_count++] = h;
        publish(sim, h, false, &r->rate);
        if (r->speeds != NULL)
            bl__real_cap_draw(r, h, false);
    }
    if (host->account_ns == sim->now_ns)
        return;

    const struct stretch s = stretch_of(sim, h);

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next)
        if (c->resident[i].role != BL_ROLE_IN)
            close_vm(r, &s, c->resident[i].vm);
    close_host(sim, h, s.dt_ns);
}

/* Closes the accounts of the VMs of @h, finds what each wants now and returns
 * the sum: all that a step does for a host whose VMs fit. */
static uint64_t step_vms(struct bl_sim *sim, uint32_t h, bool roll)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_resident *pool = sim->col.resident;
    const uint64_t *size = sim->col.vm_size_khz;
    const uint32_t *ppm = sim->step.cpu_ppm;
    const struct stretch s = stretch_of(sim, h);
    uint64_t sum = 0;

    for (uint32_t i = sim->col.host_first[h]; i != BL_NONE; i = pool[i].next) {
        const uint32_t vm = pool[i].vm;
        struct bl_real_vm *m = &r->vm[vm];

        if (pool[i].role == BL_ROLE_IN)
            continue;
        close_vm(r, &s, vm);
        if (roll)
            roll_vm(r, vm);

        const uint64_t raw = raw_khz(size, ppm, vm);

        m->want_khz = want_of(sim, vm, raw);
        sum += m->want_khz;
    }
    return sum;
}

/* How a pass or a settlement goes over hosts. */
struct round {
    struct bl_sim *sim;
    bool roll, memory;
    bool small; /* only SMALL_VMS fit in the scratch: leave larger hosts */
};

/* Brings @h to this instant. Its contribution has been taken away before. */
static void serve_host(const struct round *p, uint32_t h,
                       const struct bl_real_scratch *scratch,
                       struct bl_real_rates *rates)
{
    struct bl_sim *sim = p->sim;
    struct bl_real *r = bl__real(sim);
    struct bl_columns *c = &sim->col;
    struct bl_real_host *host = &r->host[h];
    const bool on = c->host_state[h] == BL_HOST_ON;
    const uint64_t sum = step_vms(sim, h, p->roll);
    uint64_t can = c->host_capacity_khz[h];
    bool slow = false;

    close_host(sim, h, (uint64_t)(sim->now_ns - host->account_ns));
    if (p->roll) {
        host->used_seen = host->used;
        host->used = 0;
        r->lit[h] = c->host_first[h] != BL_NONE || host->used_seen > 0;
        rates->dark_count += !r->lit[h];
    }
    if (p->memory)
        sum_memory(sim, h);
    host->dirty = false;
    host->demand_khz = sum;
    host->busy = on && host->vms > 0;
    if (r->speeds != NULL && on) {
        slow = bl__real_govern(sim, h);
        can = r->speeds->host[h].khz;
    }
    if (slow || sum > (on ? can - host->copy_khz : 0) || host->cold ||
        host->stopped > 0 || r->pools != NULL ||
        c->host_mem_used_bytes[h] > c->host_mem_bytes[h]) {
        host->later = p->small && host->vms + host->coming > SMALL_VMS;
        if (host->later) {
            rates->later_count++;
            return;
        }
        divide_host(sim, h, scratch);
    } else {
        host->served_khz = sum;
        host->mem_have_bytes = on ? host->mem_run_bytes : 0;
        host->violated = false;
    }
    bl__real_set_power(sim, h);
    publish(sim, h, true, rates);
}

void bl__real_settle(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct round p = { .sim = sim };

    if (r->pools != NULL && r->pools->stale)
        bl__real_pools_update(sim, false);
    if (r->dirty_count == 0)
        return;
    for (uint32_t i = 0; i < r->dirty_count; i++) /* grows on the way */
        if (r->host[r->dirty[i]].dirty_rates)
            bl__real_set_rates(sim, r->dirty[i]);
    for (uint32_t i = 0; i < r->dirty_count; i++)
        serve_host(&p, r->dirty[i], &r->scratch, &r->rate);
    for (uint32_t i = 0; i < r->dirty_count && r->speeds != NULL; i++)
        bl__real_cap_draw(r, r->dirty[i], true);
    r->dirty_count = 0;
    r->floor_stale = true;
}

/* ---- all hosts
 * ------------------------------------------------------------------ */

static void serve_block(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    const struct round *p = ctx;
    struct bl_real *r = bl__real(p->sim);
    uint32_t vm[SMALL_VMS], work[SMALL_VMS];
    struct bl_claim claim[SMALL_VMS];
    uint64_t got[SMALL_VMS], alone[SMALL_VMS];
    const struct bl_real_scratch s = { vm, work, claim, got, alone };

    r->block[block] = (struct bl_real_rates){ .demand_khz = 0 };
    for (uint32_t i = lo; i < hi; i++) {
        const uint32_t h = r->lit_list[i];

        if (!r->host[h].dirty)
            publish(p->sim, h, false, &r->block[block]);
        serve_host(p, h, &s, &r->block[block]);
    }
}

static void add_rates(struct bl_real_rates *t, const struct bl_real_rates *x)
{
    t->demand_khz += x->demand_khz;
    t->served_khz += x->served_khz;
    t->power_mw += x->power_mw;
    t->mem_bytes += x->mem_bytes;
    t->mem_run_bytes += x->mem_run_bytes;
    t->mem_have_bytes += x->mem_have_bytes;
    t->busy_count += x->busy_count;
    t->later_count += x->later_count;
    t->dark_count += x->dark_count;
}

static void memory_block(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    struct bl_sim *sim = ctx;

    (void)block;
    for (uint32_t vm = lo; vm < hi; vm++)
        if (sim->col.vm_state[vm] != BL_VM_ABSENT)
            sim->col.vm_mem_used_bytes[vm] = bl__real_mem_used(sim, vm);
}

static void close_pending(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct stretch s = { .from_ns = r->pending_ns,
                               .dt_ns = (uint64_t)(sim->now_ns - r->pending_ns),
                               .host = BL_NONE };

    if (s.dt_ns == 0)
        return;
    for (uint32_t i = 0; i < r->pending_count; i++) {
        const uint32_t vm = r->pending[i];

        bl__real_rare(r, vm)->short_khz[BL_CAUSE_WAITING] = r->vm[vm].want_khz;
        r->vm_flags[vm] |= REAL_SHORT;
        close_vm(r, &s, vm);
    }
    r->pending_ns = sim->now_ns;
}

/* What @vm wants while it has no host; all of it is lost. */
static void set_pending_want(struct bl_sim *sim, uint32_t vm)
{
    bl__real(sim)->vm[vm].want_khz =
        want_of(sim, vm, bl__real_raw_khz(sim, vm));
}

static void publish_pending(struct bl_real *r, uint32_t vm, uint64_t mem_bytes,
                            bool add)
{
    const uint64_t khz = r->vm[vm].want_khz;

    r->pending_khz += add ? khz : -khz;
    r->rate.demand_khz += add ? khz : -khz;
    r->pending_mem_bytes += add ? mem_bytes : -(bl_u128)mem_bytes;
    r->rate.mem_bytes += add ? mem_bytes : -(bl_u128)mem_bytes;
    r->floor_stale = true;
}

void bl__real_pending_add(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);

    close_pending(sim);
    r->pending_at[vm] = r->pending_count;
    r->pending[r->pending_count++] = vm;
    bl__real_set_cap(sim, vm, BL_NONE);
    set_pending_want(sim, vm);
    publish_pending(r, vm, sim->col.vm_mem_used_bytes[vm], true);
}

void bl__real_pending_remove(struct bl_sim *sim, uint32_t vm)
{
    struct bl_real *r = bl__real(sim);
    const uint32_t at = r->pending_at[vm];
    const uint32_t last = r->pending[r->pending_count - 1];

    BL_ASSERT(r->pending[at] == vm);
    close_pending(sim);
    publish_pending(r, vm, sim->col.vm_mem_used_bytes[vm], false);
    r->pending[at] = last;
    r->pending_at[last] = at;
    r->pending_count--;
}

static void step_pending(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    bl_u128 mem_bytes = 0;
    uint64_t khz = 0;

    close_pending(sim);
    for (uint32_t i = 0; i < r->pending_count; i++) {
        set_pending_want(sim, r->pending[i]);
        khz += r->vm[r->pending[i]].want_khz;
        mem_bytes += sim->col.vm_mem_used_bytes[r->pending[i]];
    }
    r->rate.demand_khz += khz - r->pending_khz;
    r->rate.mem_bytes += mem_bytes - r->pending_mem_bytes;
    r->pending_khz = khz;
    r->pending_mem_bytes = mem_bytes;
}

static void list_lit(struct bl_real *r, uint32_t host_count)
{
    r->lit_count = 0;
    for (uint32_t h = 0; h < host_count; h++)
        if (r->lit[h])
            r->lit_list[r->lit_count++] = h;
    r->lit_stale = false;
}

/* Hosts with too many VMs for the scratch of a thread. */
static void serve_later(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct round p = { .sim = sim };

    for (uint32_t i = 0; i < r->lit_count && r->rate.later_count > 0; i++)
        if (r->host[r->lit_list[i]].later) {
            serve_host(&p, r->lit_list[i], &r->scratch, &r->rate);
            r->rate.later_count--;
        }
}

void bl__real_pass(struct bl_sim *sim, bool roll)
{
    struct bl_real *r = bl__real(sim);
    const uint32_t threads =
        r->alive >= THREAD_VMS ? sim->opts.thread_count : 1;
    struct round p = { .sim = sim,
                       .roll = roll,
                       .memory = sim->step.mem_ppm != NULL,
                       .small = true };

    for (uint32_t i = 0; i < r->dirty_count; i++)
        if (r->host[r->dirty[i]].dirty_rates)
            bl__real_set_rates(sim, r->dirty[i]);
    if (p.memory)
        bl_par_for(sim->col.slot_count, BLOCK_SLOTS, threads, memory_block,
                   sim);
    if (r->lit_stale)
        list_lit(r, sim->col.host_count);
    bl_par_for(r->lit_count, REAL_BLOCK_HOSTS, threads, serve_block, &p);
    for (uint32_t b = 0; b < bl_par_blocks(r->lit_count, REAL_BLOCK_HOSTS); b++)
        add_rates(&r->rate, &r->block[b]);
    r->lit_stale = r->rate.dark_count > 0;
    r->rate.dark_count = 0;
    serve_later(sim);
    if (r->speeds != NULL)
        bl__real_caps_draw_all(sim);
    step_pending(sim);
    r->dirty_count = 0;
    r->floor_stale = true;
}

void bl__real_close_all(struct bl_sim *sim)
{
    close_pending(sim);
    for (uint32_t h = 0; h < sim->col.host_count; h++)
        bl__real_touch(sim, h);
    bl__real_settle(sim);
}
