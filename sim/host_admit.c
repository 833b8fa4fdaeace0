/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_admit - can all reservations be kept at once?
 *
 * Source     FIELD.md A1 (a vCPU's reservation is at most one core); McNaughton
 *            1959: shares of time fit m processors if no one exceeds a
 *            processor and all together do not exceed m; maximum flow by
 *            shortest augmenting paths (Edmonds, Karp 1972).
 * Idea       in this order, VM by VM: a vCPU's part is at most one pCPU; a gang
 *            (mode strict) has a pCPU for each vCPU; the sum is within what the
 *            host gives, less the overhead; and reservations flow from sets of
 *            pCPUs (VMs that may use the same are one source) to cores.
 * Bound      the overhead, 2 % of the capacity, is not promised to anybody: it
 *            covers switches of 20 us each ms, four times the default costs.
 *            Admits exactly when an assignment exists (test_host_admit compares
 *            with the search of all subsets of pCPUs).
 * Deviation  jobs count as if all of them were there at once.
 * Cost       O(VM groups * cores) an augmenting path; once, at the start.
 */
#include "sim/host_priv.h"

#include <string.h>

enum { SETS_MAX = BL_VM_GROUPS_MAX + 1, NODES_MAX = SETS_MAX + BL_PCPUS_MAX };

#define OVERHEAD_PPM UINT64_C(20000)

struct flow {
    const struct bl_topo *topo;
    uint32_t set_count;
    struct bl_cpuset set[SETS_MAX];
    uint64_t edge[SETS_MAX][BL_PCPUS_MAX]; /* capacity left, set to core */
    uint64_t used[SETS_MAX][BL_PCPUS_MAX]; /* can be taken back */
    uint64_t room[BL_PCPUS_MAX];           /* left of each core */
    uint32_t from[NODES_MAX], queue[NODES_MAX];
};

static uint64_t less_overhead(uint64_t ppm)
{
    return ppm - bl_muldiv(ppm, OVERHEAD_PPM, (uint64_t)BL_PPM);
}

static uint64_t core_ppm(const struct bl_host_spec *spec, uint32_t core)
{
    return spec->topo.core[core].count > 1 ? spec->costs.smt_ppm
                                           : (uint64_t)BL_PPM;
}

static uint32_t set_of(struct flow *f, const struct bl_cpuset *pcpus)
{
    const struct bl_cpuset all = bl_cpuset_range(0, f->topo->pcpu_count);
    const struct bl_cpuset *want = pcpus != NULL ? pcpus : &all;
    uint32_t i = 0;

    while (i < f->set_count && !bl_cpuset_equal(&f->set[i], want))
        i++;
    if (i < f->set_count)
        return i;
    BL_ASSERT(i < SETS_MAX);
    f->set[i] = *want;
    f->set_count++;
    for (uint32_t p = 0; p < f->topo->pcpu_count; p++)
        if (bl_cpuset_has(want, p))
            f->edge[i][f->topo->core_of[p]] += less_overhead((uint64_t)BL_PPM);
    return i;
}

/* Breadth first over sets and cores: a core with room that @set reaches, or
 * HOST_NONE; f->from tells the way back. Cores are behind the sets. */
static uint32_t find_path(struct flow *f, uint32_t set)
{
    uint32_t head = 0, tail = 0;

    memset(f->from, 0xff, sizeof(f->from));
    f->from[set] = set;
    f->queue[tail++] = set;
    while (head < tail) {
        const uint32_t at = f->queue[head++];
        const bool core = at >= SETS_MAX;
        const uint32_t count = core ? f->set_count : f->topo->core_count;

        if (core && f->room[at - SETS_MAX] > 0)
            return at;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t to = core ? i : i + SETS_MAX;
            const uint64_t left =
                core ? f->used[i][at - SETS_MAX] : f->edge[at][i];

            if (left == 0 || f->from[to] != HOST_NONE)
                continue;
            f->from[to] = at;
            f->queue[tail++] = to;
        }
    }
    return HOST_NONE;
}

/* What can still go along the edge that leads to @to. */
static uint64_t *edge_to(struct flow *f, uint32_t to, uint64_t **back)
{
    const uint32_t at = f->from[to];

    if (to >= SETS_MAX) {
        *back = &f->used[at][to - SETS_MAX];
        return &f->edge[at][to - SETS_MAX];
    }
    *back = &f->edge[to][at - SETS_MAX];
    return &f->used[to][at - SETS_MAX];
}

/* Sends up to @ppm more from @set; returns how much found a way. */
static uint64_t send(struct flow *f, uint32_t set, uint64_t ppm)
{
    uint64_t sent = 0;
    uint32_t core;

    while (sent < ppm && (core = find_path(f, set)) != HOST_NONE) {
        uint64_t most = ppm - sent, *back;

        if (f->room[core - SETS_MAX] < most)
            most = f->room[core - SETS_MAX];
        for (uint32_t n = core; n != set; n = f->from[n]) {
            const uint64_t left = *edge_to(f, n, &back);

            most = left < most ? left : most;
        }
        for (uint32_t n = core; n != set; n = f->from[n]) {
            *edge_to(f, n, &back) -= most;
            *back += most;
        }
        f->room[core - SETS_MAX] -= most;
        sent += most;
    }
    return sent;
}

static void refuse(struct host_admission *out, enum host_refusal why,
                   uint32_t demand, uint64_t need, uint64_t have)
{
    out->refusal = why;
    out->demand = demand;
    out->need_ppm = need;
    out->have_ppm = have;
}

/* @d is refused at its VM out->vm when out->refusal says so. */
static void admit_one(const struct bl_host_spec *spec, struct flow *f,
                      const struct host_demand *d, uint32_t i,
                      struct host_admission *out)
{
    const uint32_t set = set_of(f, d->affinity);
    const uint32_t pcpus = bl_cpuset_count(&f->set[set]);
    const uint64_t part = (d->ppm + d->vcpu_count - 1) / d->vcpu_count;
    const uint64_t all = d->ppm * d->vm_count; /* below 2^35 * 2^14 */
    const uint64_t left = less_overhead(out->capacity_ppm) - out->admitted_ppm;

    out->vm = 0;
    if (strcmp(spec->mode, "strict") == 0 && d->vcpu_count > pcpus) {
        refuse(out, HOST_REFUSED_GANG, i,
               (uint64_t)d->vcpu_count * (uint64_t)BL_PPM,
               (uint64_t)pcpus * (uint64_t)BL_PPM);
        return;
    }
    if (part > (uint64_t)BL_PPM) {
        refuse(out, HOST_REFUSED_VCPU, i, part, (uint64_t)BL_PPM);
        return;
    }
    if (all > left) {
        out->vm = (uint32_t)(left / d->ppm);
        refuse(out, HOST_REFUSED_SUM, i, d->ppm, left % d->ppm);
        return;
    }

    const uint64_t sent = send(f, set, all);

    if (sent < all) {
        out->vm = (uint32_t)(sent / d->ppm);
        refuse(out, HOST_REFUSED_AFFINITY, i, d->ppm, sent % d->ppm);
        return;
    }
    out->admitted_ppm += all;
}

bl_err bl__host_admit(struct bl_arena *a, const struct bl_host_spec *spec,
                      const struct host_demand *demand, uint32_t count,
                      struct host_admission *out)
{
    struct flow *f = bl_arena_get(a, 1, sizeof(*f));

    if (f == NULL)
        return BL_ERR_NOMEM;
    *out = (struct host_admission){ .refusal = HOST_ADMITTED };
    f->topo = &spec->topo;
    for (uint32_t i = 0; i < spec->topo.core_count; i++) {
        out->capacity_ppm += core_ppm(spec, i);
        f->room[i] = less_overhead(core_ppm(spec, i));
    }
    out->overhead_ppm = out->capacity_ppm - less_overhead(out->capacity_ppm);
    for (uint32_t i = 0; i < count; i++) {
        admit_one(spec, f, &demand[i], i, out);
        if (out->refusal != HOST_ADMITTED)
            return BL_ERR_OK;
    }
    return BL_ERR_OK;
}
