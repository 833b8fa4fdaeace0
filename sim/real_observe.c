/* SPDX-License-Identifier: Apache-2.0 */
/*
 * real_observe - what a manager of real hosts could measure, and the sharing
 * rule that it may ask.
 *
 * Idea       a hypervisor counts, for each VM, the time that its vCPUs ran and
 *            the time that they were ready to run. Their sum is the demand: a
 *            VM that got all it asked for shows its usage, one that did not
 *            was runnable all the time and shows everything it could use.
 *            doc/models/host.md says which figure is from when.
 * Bound      observed = true mean demand where nothing was short (test_real).
 * Deviation  whole kHz; nothing is measured while a VM is stopped.
 */
#include "base/units.h"
#include "sim/real_priv.h"

static double min_double(double a, double b)
{
    return a < b ? a : b;
}

/* Mean kHz of @work over an interval, rounded down. */
static uint64_t mean_khz(bl_u128 work, int64_t ns)
{
    if (work <= UINT64_MAX) /* a division of 64 bits is much faster */
        return (uint64_t)work / (uint64_t)ns;
    return (uint64_t)(work / (uint64_t)ns);
}

static void show_vm(struct bl_sim *sim, uint32_t vm)
{
    const struct bl_real *r = bl__real(sim);
    struct bl_columns *c = &sim->col;
    double mhz = c->vm_size_mhz[vm];

    if (sim->snap.demand_is_oracle)
        mhz = (double)r->vm[vm].want_khz / 1000;
    else if (!(r->vm_flags[vm] & REAL_NEW))
        mhz = (double)mean_khz(r->vm[vm].seen, sim->world.interval_ns) / 1000;
    c->vm_demand_mhz[vm] = min_double(mhz, c->vm_size_mhz[vm]);
    c->vm_util[vm] = c->vm_demand_mhz[vm] / c->vm_size_mhz[vm];
}

/* The most that @vm can use on cores of @core_mhz: its own speed or theirs, and
 * its limit. */
static double own_cap_mhz(const struct bl_snapshot *s, uint32_t vm,
                          double core_mhz)
{
    const uint64_t limit = s->vm.cpu[s->vm.group[vm]].limit;
    const double cap =
        s->vm.vcpu_count[vm] * min_double(s->vm.vcpu_mhz[vm], core_mhz);

    return limit == BL_NO_LIMIT ? cap : min_double(cap, (double)limit / 1000);
}

static double vm_mhz(const struct bl_snapshot *s, uint32_t vm, double core_mhz)
{
    return min_double(s->vm.demand_mhz[vm], own_cap_mhz(s, vm, core_mhz));
}

struct list {
    const struct bl_snapshot *s;
    const uint32_t *vm;
    uint32_t count;
};

static double list_asks(const void *ctx, double core_mhz)
{
    const struct list *l = ctx;
    double sum = 0;

    for (uint32_t i = 0; i < l->count; i++)
        sum += vm_mhz(l->s, l->vm[i], core_mhz);
    return sum;
}

double bl__real_serve(const struct bl_snapshot *s, uint32_t host,
                      const uint32_t *vm, uint32_t vm_count, double *free_mhz)
{
    const struct bl_sim *sim = s->serve_ctx;
    const struct list l = { s, vm, vm_count };
    const double all = s->host.capacity_mhz_now[host];
    double sum;

    if (bl__real(sim)->speeds != NULL)
        sum = bl__real_would_serve(sim, host, list_asks, &l);
    else
        sum = list_asks(&l, s->host.core_mhz[host]);
    sum = min_double(sum, all);
    *free_mhz = all - sum;
    return sum;
}

/* Part of what @h may do now; of more, done before its budget fell, all. */
static double util_of(const struct bl_sim *sim, uint32_t h, uint64_t khz)
{
    if (bl__real(sim)->speeds == NULL)
        return (double)khz / (double)sim->col.host_capacity_khz[h];
    if (khz == 0)
        return 0;
    return min_double((double)khz / (sim->col.host_capacity_mhz[h] * 1000), 1);
}

struct residents {
    const struct bl_sim *sim;
    uint32_t host;
};

static double residents_ask(const void *ctx, double core_mhz)
{
    const struct residents *r = ctx;
    const struct bl_columns *c = &r->sim->col;
    double sum = 0;

    for (uint32_t i = c->host_first[r->host]; i != BL_NONE;
         i = c->resident[i].next)
        if (c->resident[i].role != BL_ROLE_IN)
            sum += vm_mhz(&r->sim->snap, c->resident[i].vm, core_mhz);
    return sum;
}

/* The same rule for the VMs that run here now. */
static void show_host(struct bl_sim *sim, uint32_t h)
{
    const struct bl_real_host *host = &bl__real(sim)->host[h];
    const struct residents here = { sim, h };
    struct bl_columns *c = &sim->col;
    const double all = c->host_capacity_mhz[h];
    double sum;

    for (uint32_t i = c->host_first[h]; i != BL_NONE; i = c->resident[i].next)
        if (c->resident[i].role != BL_ROLE_IN)
            show_vm(sim, c->resident[i].vm);
    if (bl__real(sim)->speeds != NULL)
        sum = bl__real_would_serve(sim, h, residents_ask, &here);
    else
        sum = residents_ask(&here, c->host_core_mhz[h]);
    c->host_served_mhz[h] = min_double(sum, all);
    c->host_free_mhz[h] = all - c->host_served_mhz[h];
    if (sim->snap.demand_is_oracle)
        c->host_util[h] = util_of(sim, h, host->served_khz + host->copy_khz);
    else
        c->host_util[h] =
            util_of(sim, h, mean_khz(host->used_seen, sim->world.interval_ns));
}

/* A VM has just been placed: its host's figures for the next one. */
void bl__real_show_placed(struct bl_sim *sim, uint32_t vm, uint32_t h)
{
    struct bl_columns *c = &sim->col;
    const double all = c->host_capacity_mhz[h];
    const double sum =
        c->host_served_mhz[h] + vm_mhz(&sim->snap, vm, c->host_core_mhz[h]);

    c->host_served_mhz[h] = min_double(sum, all);
    c->host_free_mhz[h] = all - c->host_served_mhz[h];
}

void bl__real_observe(struct bl_sim *sim)
{
    struct bl_real *r = bl__real(sim);
    const struct bl_columns *c = &sim->col;
    bool all;

    bl__real_settle(sim);
    all = r->sample_shown != r->sample_count || sim->snap.demand_is_oracle;
    for (uint32_t h = 0; h < c->host_count; h++) {
        const bool shows =
            r->lit[h] || c->host_util[h] != 0 || c->host_served_mhz[h] != 0;

        if (r->stamp_shown[h] != c->host_stamp[h] || (all && shows))
            show_host(sim, h);
        r->stamp_shown[h] = c->host_stamp[h];
    }
    for (uint32_t i = 0; i < r->pending_count; i++)
        show_vm(sim, r->pending[i]);
    r->sample_shown = r->sample_count;
    sim->snap.in_flight_count = r->move_count + r->trans_count;
}
