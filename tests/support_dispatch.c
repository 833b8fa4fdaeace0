/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_dispatch.h"

#include <stdlib.h>

/* Picks at one instant: more and they call one another in a circle. */
#define DISPATCH_PICKS_MAX 100000u
#define ARENA_BYTES ((size_t)256 << 20)

static void must(bool ok)
{
    if (!ok)
        abort();
}

void dispatch_create(struct dispatch *d, const struct dispatch_opts *o)
{
    struct bl_diag diag;
    const struct bl_sched_opts so = {
        .topo = &d->topo,
        .policy = o->policy,
        .mode = o->mode,
        .vm_count_max = o->vm_max,
        .vcpu_count_max = o->vcpu_max,
        .smt_ppm = o->smt_ppm > 0 ? o->smt_ppm : 1000000 * o->threads,
        .sink = o->sink,
        .sink_ctx = o->sink_ctx,
    };

    *d = (struct dispatch){ .prng = { o->seed } };
    bl_topo_grid(o->nodes, o->llcs, o->cores, o->threads, &d->topo);
    must(bl_arena_init(&d->arena, ARENA_BYTES) == BL_ERR_OK);
    must(bl_sched_create(&d->arena, &so, &d->sched, &diag) == BL_ERR_OK);
    must(bl_heap_create(&d->arena, d->topo.pcpu_count + o->vcpu_max + 1,
                        &d->heap) == BL_ERR_OK);
    d->load = bl_arena_get(&d->arena, o->vcpu_max, sizeof(*d->load));
    d->goal_ns = bl_arena_get(&d->arena, o->vcpu_max, sizeof(*d->goal_ns));
    must(d->load != NULL && d->goal_ns != NULL);
    bl_arena_seal(&d->arena);
}

void dispatch_destroy(struct dispatch *d)
{
    bl_arena_free(&d->arena);
}

static uint32_t own_id(const struct dispatch *d)
{
    return d->heap.id_max - 1;
}

static int64_t draw(struct dispatch *d, int64_t mean_ns)
{
    return (int64_t)bl_prng_below(&d->prng, 2 * (uint64_t)mean_ns) + 1;
}

/* What is left of the burst of @v; asked of its account, because it also stops
 * for reasons that its owner does not see. */
static int64_t left_ns(const struct dispatch *d, uint32_t v)
{
    const struct bl_sched_account a = bl_sched_vcpu(d->sched, v, d->now_ns);

    return d->goal_ns[v] - a.state_ns[BL_VCPU_RUN];
}

static void pick(struct dispatch *d, uint32_t p)
{
    const struct bl_pick k = bl_sched_pick(d->sched, p, d->now_ns);
    int64_t at_ns = k.until_ns;

    if (k.vcpu == BL_NO_VCPU) {
        bl_heap_remove(&d->heap, p);
        return;
    }
    if (d->load[k.vcpu].burst_ns > 0) {
        const int64_t left = left_ns(d, k.vcpu);
        const int64_t done = d->now_ns + (left > 0 ? left : 0);

        at_ns = done < at_ns ? done : at_ns;
    }
    bl_heap_set(&d->heap, p, at_ns);
}

void dispatch_settle(struct dispatch *d)
{
    uint32_t p, picks = 0;

    while (bl_sched_kicked(d->sched, &p)) {
        BL_ASSERT(++picks < DISPATCH_PICKS_MAX);
        pick(d, p);
    }
    bl_heap_set(&d->heap, own_id(d), bl_sched_next_ns(d->sched));
}

static void wake(struct dispatch *d, uint32_t v, uint32_t from)
{
    const bool burst = d->load[v].burst_ns > 0;

    if (burst && left_ns(d, v) <= 0)
        d->goal_ns[v] += draw(d, d->load[v].burst_ns) - left_ns(d, v);
    bl_heap_remove(&d->heap, d->topo.pcpu_count + v);
    bl_sched_wake(d->sched, v, from, d->now_ns);
}

void dispatch_wake(struct dispatch *d, uint32_t v)
{
    wake(d, v, BL_NO_PCPU);
}

void dispatch_halt(struct dispatch *d, uint32_t v)
{
    const uint32_t p = bl_sched_pcpu(d->sched, v);

    must(p != BL_NO_PCPU);
    bl_sched_block(d->sched, p, d->now_ns);
}

uint32_t dispatch_vm(struct dispatch *d, uint64_t shares, uint64_t reserve_ppm,
                     uint64_t limit_ppm, uint32_t vcpus,
                     const struct dispatch_load *load)
{
    const struct bl_sched_settings set = { shares, reserve_ppm, limit_ppm };
    uint32_t vm = 0;

    must(bl_sched_vm_add(d->sched, &set, vcpus, NULL, &vm) == BL_ERR_OK);
    d->vm_count = vm + 1;
    d->vcpu_count = bl_sched_vm_first(d->sched, vm) + vcpus;
    for (uint32_t i = 0; i < vcpus; i++) {
        const uint32_t v = bl_sched_vm_first(d->sched, vm) + i;

        d->load[v] = load != NULL ? *load : (struct dispatch_load){ 0, 0 };
        dispatch_wake(d, v);
    }
    dispatch_settle(d);
    return vm;
}

static void happen(struct dispatch *d, uint32_t id)
{
    if (id == own_id(d)) {
        bl_sched_tick(d->sched, d->now_ns);
    } else if (id >= d->topo.pcpu_count) {
        dispatch_wake(d, id - d->topo.pcpu_count);
    } else {
        const uint32_t v = bl_sched_running(d->sched, id);

        if (v != BL_NO_VCPU && d->load[v].burst_ns > 0 && left_ns(d, v) <= 0) {
            bl_sched_block(d->sched, id, d->now_ns);
            bl_heap_set(&d->heap, d->topo.pcpu_count + v,
                        d->now_ns + draw(d, d->load[v].think_ns));
        } else {
            pick(d, id);
        }
    }
    dispatch_settle(d);
}

void dispatch_run(struct dispatch *d, int64_t until_ns, bool paranoid)
{
    while (bl_heap_next_ns(&d->heap) <= until_ns) {
        d->now_ns = bl_heap_next_ns(&d->heap);
        happen(d, bl_heap_pop(&d->heap));
        d->event_count++;
        if (paranoid)
            bl_sched_check(d->sched);
        if (d->each != NULL)
            d->each(d);
    }
    d->now_ns = until_ns;
}

/* ---- storms ------------------------------------------------------------- */

static uint64_t below(struct dispatch *d, uint64_t n)
{
    return bl_prng_below(&d->prng, n);
}

static void shake_settings(struct dispatch *d, uint32_t vm)
{
    struct bl_sched_settings set = { 1 + below(d, 8000), 0, BL_NO_LIMIT };
    const uint64_t size = bl_sched_vm_size(d->sched, vm);

    if (below(d, 3) == 0)
        set.limit_ppm = 10000 + below(d, size * 1000000);
    if (below(d, 3) == 0) /* any so small that they always fit together */
        set.reservation_ppm =
            below(d, (uint64_t)d->topo.pcpu_count * 500000 / d->vm_count);
    if (set.reservation_ppm > set.limit_ppm)
        set.reservation_ppm = set.limit_ppm;
    bl_sched_set(d->sched, vm, &set, d->now_ns);
}

static void shake_affinity(struct dispatch *d, uint32_t v)
{
    struct bl_cpuset set = { { 0 } };

    for (uint32_t p = 0; p < d->topo.pcpu_count; p++)
        if (below(d, 2) == 0)
            bl_cpuset_add(&set, p);
    bl_cpuset_add(&set, (uint32_t)below(d, d->topo.pcpu_count));
    if (below(d, 2) == 0)
        set = bl_cpuset_range(0, d->topo.pcpu_count);
    bl_sched_set_affinity(d->sched, v, &set, d->now_ns);
}

static void shake_hint(struct dispatch *d, uint32_t v)
{
    const uint32_t vm = bl_sched_vm_of(d->sched, v);
    const uint32_t other = bl_sched_vm_first(d->sched, vm) +
                           (uint32_t)below(d, bl_sched_vm_size(d->sched, vm));

    if (bl_sched_state(d->sched, v) != BL_VCPU_RUN)
        return;
    if (below(d, 2) == 0)
        bl_sched_hint(d->sched, BL_HINT_PAUSE, v, BL_NO_VCPU, d->now_ns);
    else
        bl_sched_hint(d->sched, BL_HINT_IPI, v, other, d->now_ns);
}

static void shake_speed(struct dispatch *d)
{
    const uint64_t pcpus = d->topo.pcpu_count;
    const uint16_t first = (uint16_t)below(d, pcpus);
    const struct bl_topo_range r = { first,
                                     (uint16_t)(1 + below(d, pcpus - first)) };
    const uint32_t speed =
        below(d, 3) == 0 ? 1000000 : 50000 + (uint32_t)below(d, 950001);

    bl_sched_set_speed(d->sched, r, speed, d->now_ns);
}

static void shake_bandwidth(struct dispatch *d)
{
    const uint64_t ppm =
        below(d, 3) == 0
            ? BL_NO_LIMIT
            : 50000 + below(d, d->topo.pcpu_count * UINT64_C(1000000));

    bl_sched_set_bandwidth(d->sched, ppm, d->now_ns);
}

void dispatch_shake(struct dispatch *d, unsigned what)
{
    if ((what & DISPATCH_SPEED) && below(d, 4) == 0)
        shake_speed(d);
    if ((what & DISPATCH_BANDWIDTH) && below(d, 8) == 0)
        shake_bandwidth(d);

    const uint32_t v = (uint32_t)below(d, d->vcpu_count);
    const enum bl_vcpu_state state = bl_sched_state(d->sched, v);
    const uint64_t kind = below(d, 8);

    if (kind == 0 && (what & DISPATCH_SET))
        shake_settings(d, bl_sched_vm_of(d->sched, v));
    else if (kind == 1 && (what & DISPATCH_PIN))
        shake_affinity(d, v);
    else if (kind <= 3 && (what & DISPATCH_HINT))
        shake_hint(d, v);
    else if ((what & DISPATCH_HALT) && state == BL_VCPU_RUN)
        dispatch_halt(d, v);
    else if ((what & DISPATCH_HALT) && state == BL_VCPU_BLOCKED)
        wake(d, v, (uint32_t)below(d, d->topo.pcpu_count));
    dispatch_settle(d);
}

void dispatch_storm(struct dispatch *d, unsigned what, uint32_t steps,
                    int64_t pause_ns)
{
    for (uint32_t i = 0; i < steps; i++) {
        dispatch_run(d, d->now_ns + (int64_t)below(d, (uint64_t)pause_ns),
                     true);
        dispatch_shake(d, what);
        bl_sched_check(d->sched);
        if (d->each != NULL)
            d->each(d);
    }
}

int64_t dispatch_vm_ns(const struct dispatch *d, uint32_t vm)
{
    const uint32_t first = bl_sched_vm_first(d->sched, vm);
    int64_t sum = 0;

    for (uint32_t i = 0; i < bl_sched_vm_size(d->sched, vm); i++)
        sum += bl_sched_vcpu(d->sched, first + i, d->now_ns).charged_ns;
    return sum;
}
