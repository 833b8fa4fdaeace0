/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rightsize_load - what hosts and VMs ask for.
 *
 * Source     cluster/forecast.h.
 * Idea       a host's history is the sum of its VMs' histories, sample by
 *            sample, so a quantile of it knows who peaks with whom. Where a
 *            VM has fewer samples than the window, its mean fills the rest,
 *            and a spread like that of other VMs is added for what has not
 *            been seen. A VM without samples is taken for the fleet's average
 *            one; before there is a fleet, for one that uses all of its size.
 *            Where demand is measured, hence late, the level is not below what
 *            each VM's own variance over half a day makes likely.
 * Bound      sums equal those of a second, plain version
 *            (test_rightsize_parts).
 * Cost       O(window) for each VM of a host that changed.
 */
#include "cluster/rightsize_priv.h"

#include <math.h>
#include <string.h>

/* A VM's spread in time as part of its size, before any was measured: about
 * what public traces have (PlanetLab 0.10, GCD 0.08). */
#define SPREAD_UNKNOWN 0.1
/* Memory that was in use once is given up slowly: half-life about 2 hours. */
#define PEAK_DECAY (1.0f / 32)
/* What a VM's spread was half a day ago counts half. */
#define SPREAD_GAIN (1.0f / 200)
#define MIB 1048576.0
#define ROUNDING 1e-9

bl_err bl__rs_load_create(struct bl_arena *a, struct rs *rs)
{
    rs->sum = bl_arena_get(a, (size_t)rs->host_count * rs->opts.window,
                           sizeof(*rs->sum));
    rs->mem_peak = bl_arena_get(a, rs->slot_count, sizeof(*rs->mem_peak));
    rs->peak_generation =
        bl_arena_get(a, rs->slot_count, sizeof(*rs->peak_generation));
    rs->spread2 = bl_arena_get(a, rs->slot_count, sizeof(*rs->spread2));
    rs->seen = bl_arena_get(a, 1, sizeof(*rs->seen));
    if (rs->seen == NULL || rs->spread2 == NULL || rs->sum == NULL ||
        rs->mem_peak == NULL || rs->peak_generation == NULL)
        return BL_ERR_NOMEM;
    rs->fleet.spread = SPREAD_UNKNOWN;
    bl_forecast_gains(rs->opts.smoothing, rs->gain);
    return BL_ERR_OK;
}

static double square(double x)
{
    return x * x;
}

/* A VM that has been seen @n times may still turn out to be another kind of VM;
 * where that would be noticed too late only. */
static double doubt(const struct rs *rs, uint32_t n)
{
    return rs->s->demand_is_oracle ? 0 : square(rs->fleet.util_sd) / (n + 1);
}

/* Its level as a forecast has it, before any rise. */
static double smooth(const struct rs *rs, const struct rs_view *v)
{
    double x = v->n > 0 ? v->util[v->n - 1] : 0;

    for (uint32_t i = 1; i < v->n; i++)
        x += rs->gain[i] * (v->util[v->n - 1 - i] - x);
    return x * v->size_mhz;
}

static void look_at_vm(const struct rs *rs, uint32_t vm, struct rs_view *v)
{
    const struct rs_fleet *f = &rs->fleet;
    const uint32_t window = rs->opts.window;
    double sum = 0;

    v->n = 0;
    v->util = bl_vm_history(rs->s, vm, &v->n);
    v->n = v->n < window ? v->n : window;
    v->size_mhz = rs->s->vm.size_mhz[vm];
    v->fill_mhz = v->unknown_var = 0;
    v->smooth_mhz = -1; /* when somebody wants to know */
    if (v->n == window)
        return;
    for (uint32_t i = 0; i < v->n; i++)
        sum += v->util[i];
    if (v->n > 0) {
        v->fill_mhz = sum / v->n * v->size_mhz;
        v->unknown_var =
            square(v->size_mhz) *
            (square(f->spread) * (window - v->n) / window + doubt(rs, v->n));
    } else if (f->known) {
        v->fill_mhz = f->util_mean * v->size_mhz;
        v->unknown_var =
            square(v->size_mhz) * (square(f->spread) + square(f->util_sd));
    } else {
        v->fill_mhz = v->size_mhz;
    }
}

/* A search asks about one VM many times. */
static void view_vm(const struct rs *rs, uint32_t vm, struct rs_view *v)
{
    if (rs->seen->vm != vm) {
        look_at_vm(rs, vm, rs->seen);
        rs->seen->vm = vm;
    }
    *v = *rs->seen;
}

double bl__rs_vm_mean(const struct rs *rs, uint32_t vm)
{
    struct rs_view v;
    double sum = 0;

    view_vm(rs, vm, &v);
    for (uint32_t i = 0; i < v.n; i++)
        sum += v.util[i];
    return (sum * v.size_mhz + v.fill_mhz * (rs->opts.window - v.n)) /
           rs->opts.window;
}

/* Its variance in time, of size 1; before it was measured, the fleet's. */
static double own_spread2(const struct rs *rs, uint32_t vm,
                          const struct rs_view *v)
{
    return v->n > 0 ? rs->spread2[vm] : square(rs->fleet.spread);
}

double bl__rs_vm_level(const struct rs *rs, uint32_t vm)
{
    struct rs_view v;

    view_vm(rs, vm, &v);
    return bl__rs_vm_mean(rs, vm) +
           rs->normal * sqrt(v.unknown_var +
                             square(v.size_mhz) * own_spread2(rs, vm, &v));
}

double bl__rs_mem_peak(const struct rs *rs, uint32_t vm)
{
    const double used = (double)rs->s->vm.mem_used_bytes[vm];
    const double peak = rs->mem_peak[vm] * MIB;

    if (rs->peak_generation[vm] != rs->s->vm.generation[vm] || peak < used)
        return used;
    return peak;
}

double bl__rs_move_bytes(const struct rs *rs, uint32_t vm)
{
    return rs->s->can & BL_CAN_ENFORCE_MEMORY
               ? bl__rs_mem_peak(rs, vm)
               : (double)rs->s->vm.mem_size_bytes[vm];
}

/* Adds (or, with -1, takes away) the samples of a VM to the @count newest. */
static void add_samples(const struct rs_view *v, double sign, uint32_t count,
                        double *y)
{
    const double size = sign * v->size_mhz, fill = sign * v->fill_mhz;
    const uint32_t n = v->n < count ? v->n : count;

    for (uint32_t i = 0; i < n; i++)
        y[i] += v->util[i] * size;
    for (uint32_t i = n; i < count; i++)
        y[i] += fill;
}

/* What is shown as demand; of a VM that nobody has measured, what is assumed
 * (some worlds show its whole size, some nothing). */
static double demand_now(const struct rs *rs, uint32_t vm,
                         const struct rs_view *v)
{
    return v->n > 0 ? rs->s->vm.demand_mhz[vm] : v->fill_mhz;
}

static void count_vm(const struct rs *rs, uint32_t vm, const struct rs_view *v,
                     struct rs_load *l)
{
    l->now_mhz += demand_now(rs, vm, v);
    l->unknown_var += v->unknown_var;
    l->size_mhz += v->size_mhz;
    l->spread2 += square(v->size_mhz) * own_spread2(rs, vm, v);
    l->mem_bytes += bl__rs_mem_peak(rs, vm);
    l->size_bytes += rs->s->vm.mem_size_bytes[vm];
    l->vms++;
    if (v->n > l->samples)
        l->samples = v->n;
}

/* What a sample beyond the capacity would cost. Where demand is known as it
 * comes, relief is at hand: then never more than a migration, and what is lost
 * until it is done. */
static double sample_loss_j(const struct rs *rs, const struct rs_group *g,
                            double excess_mhz)
{
    const double j_per_s = excess_mhz * rs->opts.unserved_j;
    const double kept_j = j_per_s * rs->s->interval_s;
    double moved_j;

    if (!rs->s->demand_is_oracle)
        return kept_j;
    moved_j = g->move_j + j_per_s * rs->fleet.move_bytes /
                              (rs->s->migration_mb_per_s * MIB);
    return moved_j < kept_j ? moved_j : kept_j;
}

/* The figures that follow from the sums. */
static void conclude(const struct rs *rs, uint32_t host, const double *y,
                     struct rs_load *l)
{
    const struct rs_group *g = rs_group_of(rs, host);
    const struct bl_forecast_opts opts = {
        .quantile = rs->opts.quantile,
        .gain = rs->gain,
        .lead = g->lead,
    };
    const uint32_t n = l->samples > 0 ? l->samples : 1;
    const double capacity = bl__rs_safe_mhz(rs, host);
    struct bl_forecast f;
    double loss_j = 0, floor_mhz;

    bl_forecast_series(y, n, &opts, &f);
    for (uint32_t i = 0; i < f.next_count; i++)
        if (f.next[i] > capacity)
            loss_j += sample_loss_j(rs, g, f.next[i] - capacity);
    l->mean_mhz = f.mean;
    l->loss_j = loss_j / f.next_count;
    l->level_mhz = f.level * rs->season_rise;
    if (l->unknown_var > 0)
        l->level_mhz += rs->normal * sqrt(l->unknown_var);
    if (rs->s->demand_is_oracle)
        return;
    floor_mhz = (f.mean + f.rise) * rs->season_rise +
                rs->normal * sqrt(l->spread2 > 0 ? l->spread2 : 0);
    if (l->level_mhz < floor_mhz)
        l->level_mhz = floor_mhz; /* calm so far, but not for ever */
}

void bl__rs_load_host(struct rs *rs, uint32_t host)
{
    struct rs_load *l = &rs->host[host].load;
    double *y = rs->sum + (size_t)host * rs->opts.window;
    const uint32_t *list;
    uint32_t n;

    *l = (struct rs_load){ .vms = 0 };
    rs->host[host].stamp = bl_overlay_stamp(rs->o, host);
    list = bl_overlay_vms(rs->o, host, &n);
    if (n == 0)
        return;
    for (uint32_t i = 0; i < rs->opts.window; i++)
        y[i] = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct rs_view v;

        look_at_vm(rs, list[i], &v);
        add_samples(&v, 1, rs->opts.window, y);
        count_vm(rs, list[i], &v, l);
    }
    conclude(rs, host, y, l);
}

void bl__rs_load_add(struct rs *rs, uint32_t host, uint32_t vm,
                     const struct rs_load *after)
{
    double *y = rs->sum + (size_t)host * rs->opts.window;
    struct rs_view v;

    if (rs->host[host].load.vms == 0)
        memset(y, 0, rs->opts.window * sizeof(*y));
    view_vm(rs, vm, &v);
    add_samples(&v, 1, rs->opts.window, y);
    rs->host[host].load = *after;
    rs->host[host].stamp = bl_overlay_stamp(rs->o, host);
}

/* What the level with the VM cannot be below, without a forecast; the mean of
 * as many samples is the sum of means, but for rounding. */
static double least_level(const struct rs *rs, const struct rs_load *l,
                          struct rs_view *v)
{
    double mean, var;

    if (l->samples != v->n)
        return 0;
    if (v->smooth_mhz < 0)
        v->smooth_mhz = smooth(rs, v);
    mean = (l->mean_mhz + v->smooth_mhz) * rs->season_rise * (1 - ROUNDING);
    var = l->spread2 + square(v->size_mhz) * own_spread2(rs, v->vm, v);
    if (v->n == 1) /* which is then known */
        return mean + rs->normal * sqrt(l->unknown_var + v->unknown_var) *
                          (1 - ROUNDING);
    if (rs->s->demand_is_oracle || v->n == 0)
        return 0;
    return mean + rs->normal * sqrt(var > 0 ? var : 0) * (1 - ROUNDING);
}

bool bl__rs_too_full(const struct rs *rs, uint32_t host, uint32_t vm,
                     bool by_size)
{
    const struct rs_load *l = &rs->host[host].load;
    const double limit = bl__rs_limit_mhz(rs, host);
    struct rs_view v;

    view_vm(rs, vm, &v);
    if (by_size &&
        l->size_mhz + v.size_mhz <= rs->s->host.capacity_mhz_now[host])
        return false;
    if (l->now_mhz + demand_now(rs, vm, &v) > limit)
        return true;
    return by_size && l->vms > 0 && least_level(rs, l, rs->seen) > limit;
}

struct rs_load bl__rs_load_if(const struct rs *rs, uint32_t host, uint32_t vm,
                              uint32_t without)
{
    struct rs_load l = rs->host[host].load;
    const double *sum = rs->sum + (size_t)host * rs->opts.window;
    const bool empty = l.vms == 0;
    double y[BL_HISTORY_MAX] = { 0 };
    struct rs_view v = { .n = 0 };
    uint32_t count; /* of samples that a forecast will look at */

    if (vm != BL_NONE) {
        view_vm(rs, vm, &v);
        count_vm(rs, vm, &v, &l);
    }
    count = l.samples > 0 ? l.samples : 1;
    for (uint32_t i = 0; i < count; i++)
        y[i] = empty ? 0 : sum[i];
    if (vm != BL_NONE)
        add_samples(&v, 1, count, y);
    if (without != BL_NONE) {
        view_vm(rs, without, &v);
        add_samples(&v, -1, count, y);
        l.now_mhz -= demand_now(rs, without, &v);
        l.unknown_var -= v.unknown_var;
        l.size_mhz -= v.size_mhz;
        l.spread2 -= square(v.size_mhz) * own_spread2(rs, without, &v);
        l.mem_bytes -= bl__rs_mem_peak(rs, without);
        l.size_bytes -= rs->s->vm.mem_size_bytes[without];
        l.vms--;
    }
    conclude(rs, host, y, &l);
    return l;
}

/* ---- the fleet
 * ------------------------------------------------------------------ */

static void see_memory(struct rs *rs, uint32_t vm)
{
    const float used = (float)((double)rs->s->vm.mem_used_bytes[vm] / MIB);

    if (rs->peak_generation[vm] != rs->s->vm.generation[vm] ||
        rs->mem_peak[vm] < used)
        rs->mem_peak[vm] = used;
    else
        rs->mem_peak[vm] -= (rs->mem_peak[vm] - used) * PEAK_DECAY;
    rs->peak_generation[vm] = rs->s->vm.generation[vm];
}

/* Sums over VMs that have been seen. */
struct fleet_sums {
    double util, util2, change2, change_count, level, mem, move;
    uint32_t seen, vms;
};

/* Half of the mean square of a change is the variance of what has no memory
 * (von Neumann's estimator): quick, and blind to slow drift. A VM begins as an
 * average one. */
static void learn_spread(struct rs *rs, uint32_t vm, const double *h,
                         uint32_t n)
{
    float *s2 = &rs->spread2[vm];

    if (n == 1)
        *s2 = (float)square(rs->fleet.spread);
    else
        *s2 += ((float)(square(h[0] - h[1]) / 2) - *s2) * SPREAD_GAIN;
}

static void see_vm(struct rs *rs, uint32_t vm, bool learn, struct fleet_sums *t)
{
    const double *h;
    uint32_t n;

    if (learn)
        see_memory(rs, vm);
    h = bl_vm_history(rs->s, vm, &n);
    t->vms++;
    t->mem += bl__rs_mem_peak(rs, vm);
    t->move += bl__rs_move_bytes(rs, vm);
    if (n == 0)
        return;
    t->seen++;
    t->util += h[0];
    t->util2 += h[0] * h[0];
    t->level += rs->s->vm.demand_mhz[vm];
    if (n > 1) {
        t->change2 += square(h[0] - h[1]);
        t->change_count++;
    }
    if (learn)
        learn_spread(rs, vm, h, n);
}

void bl__rs_measure_fleet(struct rs *rs, bool learn)
{
    const struct bl_snapshot *s = rs->s;
    struct rs_fleet *f = &rs->fleet;
    struct fleet_sums t = { .vms = 0 };
    double var;

    for (uint32_t v = 0; v < s->vm.slot_count; v++)
        if (s->vm.state[v] != BL_VM_ABSENT)
            see_vm(rs, v, learn, &t);
    rs->seen->vm = BL_NONE;
    for (uint32_t i = 0; i < rs->dc->host_group_count; i++)
        rs->group[i].lead = 1 + floor(rs->group[i].wake_s / s->interval_s);
    f->vms = t.vms;
    f->demand_mhz = t.level;
    if (t.vms > 0) {
        f->mem_bytes = t.mem / t.vms;
        f->move_bytes = t.move / t.vms;
    }
    if (t.seen == 0)
        return;
    f->known = true;
    f->util_mean = t.util / t.seen;
    var = t.util2 / t.seen - square(f->util_mean);
    f->util_sd = var > 0 ? sqrt(var) : 0;
    f->level_mhz = t.level / t.seen;
    if (t.change_count > 0)
        f->spread = sqrt(t.change2 / t.change_count / 2);
}
