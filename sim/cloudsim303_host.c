/* SPDX-License-Identifier: Apache-2.0 */
/* cloudsim303: who gets how much of a host's CPU, and what the host draws. */
#include "sim/cloudsim303_priv.h"

#include <math.h>

/* QUIRK: a VM that migrates in is charged a tenth of its request. */
static double charged(const struct cs_claim *c)
{
    return c->role == BL_ROLE_IN ? CS_TARGET_PART * c->mips : c->mips;
}

static double granted(const struct cs_claim *c)
{
    if (c->role == BL_ROLE_OUT)
        return CS_SLOWED * c->mips;
    return charged(c);
}

/* QUIRK: when a host runs out, everyone on it so far gets whole MIPS only. */
static void redistribute(const struct cs_claim *claim, uint32_t n, double total,
                         double *alloc)
{
    double required = 0;

    for (uint32_t i = 0; i < n; i++)
        required += charged(&claim[i]);

    const double scale = total / required;

    for (uint32_t i = 0; i < n; i++) {
        const struct cs_claim *c = &claim[i];

        if (c->role == BL_ROLE_OUT)
            alloc[i] = floor(c->mips * scale * CS_SLOWED);
        else if (c->role == BL_ROLE_IN)
            alloc[i] = floor(c->mips * CS_TARGET_PART * scale);
        else
            alloc[i] = floor(c->mips * scale);
    }
}

/* Time-shared with over-subscription: VMs in list order. Returns what is
 * still available. */
static double share(const struct cs_claim *claim, uint32_t n, double total,
                    double *alloc)
{
    double available = total;

    for (uint32_t i = 0; i < n; i++) {
        const double need = charged(&claim[i]);

        if (available >= need) {
            alloc[i] = granted(&claim[i]);
            available -= need;
        } else {
            redistribute(claim, i + 1, total, alloc);
            available = 0;
        }
    }
    return available;
}

double bl__cs_serve(const struct bl_snapshot *s, uint32_t host,
                    const uint32_t *vm, uint32_t vm_count, double *free_mhz)
{
    struct cs_state *st = cs_state(s->serve_ctx);
    const double core = s->host.core_mhz[host];
    double served = 0;

    BL_ASSERT(vm_count <= st->claim_max);
    for (uint32_t i = 0; i < vm_count; i++) {
        const double request = s->vm.demand_mhz[vm[i]];

        st->claim[i].mips = request < core ? request : core;
        st->claim[i].role = BL_ROLE_HERE;
    }
    *free_mhz =
        share(st->claim, vm_count, s->host.capacity_mhz_now[host], st->alloc);
    for (uint32_t i = 0; i < vm_count; i++)
        served += st->alloc[i];
    return served;
}

static void read_request(const struct cs_state *st, struct cs_vm *vm)
{
    /* QUIRK: utilisation is interpolated between two samples of 300 s */
    const double u = vm->data + vm->delta * (st->now_s - st->step_s);

    vm->request = u * vm->mips;
}

/* A state entry for each VM at home here, and the host's sums. */
static void account(struct bl_sim *sim, uint32_t h)
{
    struct cs_state *st = cs_state(sim);
    struct cs_host *host = &st->host[h];
    const struct bl_columns *c = &sim->col;
    uint32_t i = 0;

    for (uint32_t r = c->host_first[h]; r != BL_NONE;
         r = c->resident[r].next, i++) {
        const enum bl_role role = c->resident[r].role;
        struct cs_vm *vm = &st->vm[c->resident[r].vm];
        double got = st->alloc[i];

        if (role != BL_ROLE_IN) {
            vm->alloc = got;
            bl__cs_vm_entry(vm, st->now_s, c->vm_migrating[c->resident[r].vm]);
            if (vm->request - got > vm->worst_short) {
                vm->worst_short = vm->request - got;
                vm->worst_host = h;
                vm->worst_s = st->now_s;
                vm->worst_load = host->load;
            }
            if (c->vm_migrating[c->resident[r].vm])
                got /= CS_SLOWED; /* QUIRK: the host pays the slow-down too */
        }
        host->util_mips += got;
        host->request += vm->request; /* QUIRK A: IN counts in full */
        host->request_fair +=
            role == BL_ROLE_IN ? CS_TARGET_PART * vm->request : vm->request;
    }
    if (i > host->vms_max)
        host->vms_max = i;
}

void bl__cs_update_host(struct bl_sim *sim, uint32_t h)
{
    struct cs_state *st = cs_state(sim);
    struct cs_host *host = &st->host[h];
    struct bl_columns *c = &sim->col;
    uint32_t n = 0;
    double served = 0;

    host->load = 0;
    for (uint32_t r = c->host_first[h]; r != BL_NONE; r = c->resident[r].next) {
        struct cs_vm *vm = &st->vm[c->resident[r].vm];

        struct cs_claim *claim = &st->claim[n++];

        BL_ASSERT(n <= st->claim_max);
        read_request(st, vm);
        claim->mips = vm->request < host->core ? vm->request : host->core;
        claim->role = c->resident[r].role;
        host->load += charged(claim) / host->total;
    }
    c->host_free_mhz[h] = share(st->claim, n, host->total, st->alloc);
    for (uint32_t i = 0; i < n; i++)
        served += st->alloc[i];
    c->host_served_mhz[h] = served;
    host->prev_mips = host->util_mips;
    host->util_mips = host->request = host->request_fair = 0;
    account(sim, h);
    c->host_util[h] = host->util_mips / host->total;
    if (c->host_util[h] > 1 && c->host_util[h] < 1.01)
        c->host_util[h] = 1; /* QUIRK: rounding above 1 is cut */
    bl__cs_host_entry(st, host, st->now_s);
}

static double clip(double u)
{
    return u > 1 ? 1 : u;
}

/* QUIRK: the mean of the power at both ends of the time span; a host that was
 * idle at its start draws nothing for all of it, one idle at its end P(0). */
static double span_energy_j(const struct bl_power_curve *curve,
                            const struct cs_host *host, double dt_s)
{
    const double a = clip(host->prev_mips / host->total);
    const double b = clip(host->util_mips / host->total);

    if (host->unmanaged)
        return bl_power_watts(curve, 1) * dt_s;
    if (a == 0)
        return 0;

    const double from = bl_power_watts(curve, a);
    const double to = bl_power_watts(curve, b);

    return (from + (to - from) / 2) * dt_s;
}

static void demand_now(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);

    st->demand_mhz = st->served_mhz = 0;
    for (uint32_t v = 0; v < sim->col.slot_count; v++) {
        if (sim->col.vm_state[v] == BL_VM_PLACED) {
            st->demand_mhz += st->vm[v].request;
            st->served_mhz += st->vm[v].alloc;
        }
    }
}

void bl__cs_update_all(struct bl_sim *sim)
{
    struct cs_state *st = cs_state(sim);
    const double dt_s = st->now_s - st->updated_s;
    const uint32_t hosts = sim->col.host_count;
    double span_j = 0;

    for (uint32_t h = 0; h < hosts; h++) {
        struct cs_host *host = &st->host[h];
        const bool empty = sim->col.host_first[h] == BL_NONE;

        /* empty, was empty, already said so: nothing can change */
        if (empty && host->util_mips == 0 && host->prev_mips == 0 &&
            host->has_entry && !host->unmanaged)
            continue;
        bl__cs_update_host(sim, h);

        const double host_j =
            span_energy_j(&sim->curve[sim->col.host_group[h]], host, dt_s);

        host->energy_j += host_j;
        span_j += host_j;
    }
    st->energy_j += span_j;
    demand_now(sim);

    const double w = bl_floor_watts(&st->floor, st->demand_mhz, 0);
    const double served_w = bl_floor_watts(&st->floor, st->served_mhz, 0);

    st->floor_j += (st->floor_w + (w - st->floor_w) / 2) * dt_s;
    st->floor_served_j +=
        (st->floor_served_w + (served_w - st->floor_served_w) / 2) * dt_s;
    st->floor_w = w;
    st->floor_served_w = served_w;
    st->updated_s = st->now_s;
}
