/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_sched - ns for each dispatch: what runs on a pCPU has used up its
 * slice, is accounted and queued again, and the next one is picked.
 *
 * dispatch: VMs of four vCPUs that compute, shares 500 to 8000, on 64 pCPUs of
 * four LLCs; the median of 31 batches of 10,000, against the number of vCPUs;
 * growth over four times fewer.
 *
 * churn: 1,024 vCPUs, one of which halts and one of which wakes each time;
 * events (wakes, halts, picks) in a second.
 *
 * The hash column is of the dispatcher's state: same hash, same decisions.
 *
 *     bench_sched [--smoke]
 *     bench_sched --only POLICY VCPUS DISPATCHES     for callgrind
 */
#include "bench/support.h"

#include "base/prng.h"
#include "sched/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCPUS 64u
#define VM_VCPUS 4u
#define BATCHES 31u
#define BAR_NS 150.0 /* fair, 1,024 vCPUs */
#define BAR_VCPUS 1024u

struct owner {
    struct bl_arena arena;
    struct bl_topo topo;
    struct bl_sched *sched;
    uint32_t vcpus, next;    /* pCPU to look at next */
    int64_t now_ns, *due_ns; /* [pcpu] */
    uint32_t *halted;        /* a ring of vCPUs */
    uint32_t halted_first, halted_count;
    uint64_t event_count;
};

static void pick(struct owner *o, uint32_t p)
{
    o->due_ns[p] = bl_sched_pick(o->sched, p, o->now_ns).until_ns;
    o->event_count++;
}

static void settle(struct owner *o)
{
    uint32_t p;

    while (bl_sched_kicked(o->sched, &p))
        pick(o, p);
}

static void wake(struct owner *o, uint32_t v)
{
    bl_sched_wake(o->sched, v, BL_NO_PCPU, o->now_ns);
    o->event_count++;
    settle(o);
}

static struct owner *open_owner(const char *policy, uint32_t vcpus)
{
    struct owner *o = calloc(1, sizeof(*o));
    struct bl_prng prng = bl_prng_stream(1, vcpus);
    struct bl_diag diag;

    if (o == NULL)
        bench_fail("out of memory");

    const struct bl_sched_opts so = { .topo = &o->topo,
                                      .policy = policy,
                                      .mode = "none",
                                      .vm_count_max = vcpus / VM_VCPUS,
                                      .vcpu_count_max = vcpus,
                                      .smt_ppm = (uint32_t)BL_PPM };

    bl_topo_grid(2, 2, PCPUS / 4, 1, &o->topo);
    bench_try(bl_arena_init(&o->arena, (size_t)256 << 20), NULL);
    bench_try(bl_sched_create(&o->arena, &so, &o->sched, &diag), &diag);
    o->due_ns = bl_arena_get(&o->arena, PCPUS, sizeof(*o->due_ns));
    o->halted = bl_arena_get(&o->arena, vcpus, sizeof(*o->halted));
    if (o->due_ns == NULL || o->halted == NULL)
        bench_fail("out of memory");
    bl_arena_seal(&o->arena);
    o->vcpus = vcpus;
    for (uint32_t i = 0; i < vcpus / VM_VCPUS; i++) {
        const struct bl_sched_settings set = { 500 + bl_prng_below(&prng, 7501),
                                               0, BL_NO_LIMIT };
        uint32_t vm;

        bench_try(bl_sched_vm_add(o->sched, &set, VM_VCPUS, NULL, &vm), NULL);
    }
    return o;
}

static void close_owner(struct owner *o)
{
    bl_arena_free(&o->arena);
    free(o);
}

static void wake_all(struct owner *o)
{
    for (uint32_t v = 0; v < o->vcpus; v++) {
        o->now_ns += 1000; /* so that slices end one after the other */
        wake(o, v);
    }
}

/* Slices are as long as one another, so going around is the order in time. */
static void dispatch(struct owner *o, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t p = o->next;

        o->next = p + 1 < PCPUS ? p + 1 : 0;
        if (o->due_ns[p] > o->now_ns && o->due_ns[p] < INT64_MAX)
            o->now_ns = o->due_ns[p];
        pick(o, p);
        settle(o);
    }
}

static uint64_t hash_of(const struct owner *o)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_sched_hash(o->sched, &h);
    return bl_hash_value(&h);
}

static double bench_dispatch(const char *policy, uint32_t vcpus, uint32_t batch,
                             double before_ns)
{
    struct owner *o = open_owner(policy, vcpus);
    double ns[BATCHES], median;

    wake_all(o);
    dispatch(o, 2 * vcpus); /* until weights have settled */
    for (uint32_t i = 0; i < BATCHES; i++) {
        const double start_s = bench_now_s();

        dispatch(o, batch);
        ns[i] = (bench_now_s() - start_s) * 1e9 / batch;
    }
    bl_sched_check(o->sched);
    median = bench_median(ns, BATCHES);
    printf("dispatch,%s,%u,%.1f,", policy, vcpus, median);
    if (before_ns > 0)
        printf("%.2f", median / before_ns);
    printf(",,%016llx\n", (unsigned long long)hash_of(o));
    fflush(stdout);
    if (strcmp(policy, "fair") == 0 && vcpus == BAR_VCPUS)
        fprintf(stderr, "bench_sched: %.0f ns for a dispatch, at most %.0f\n",
                median, BAR_NS);
    close_owner(o);
    return median;
}

/* What runs on the next pCPU halts, and who halted first wakes. */
static void churn(struct owner *o, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t p = o->next;
        const uint32_t v = bl_sched_running(o->sched, p);

        o->next = p + 1 < PCPUS ? p + 1 : 0;
        o->now_ns += 20000;
        if (v != BL_NO_VCPU) {
            bl_sched_block(o->sched, p, o->now_ns);
            o->event_count++;
            o->halted[(o->halted_first + o->halted_count++) % o->vcpus] = v;
            settle(o);
        }
        if (o->halted_count > o->vcpus / 2) {
            const uint32_t w = o->halted[o->halted_first % o->vcpus];

            o->halted_first = (o->halted_first + 1) % o->vcpus;
            o->halted_count--;
            wake(o, w);
        }
    }
}

static void bench_churn(const char *policy, uint32_t batch)
{
    struct owner *o = open_owner(policy, BAR_VCPUS);
    double per_s[BATCHES];

    wake_all(o);
    churn(o, 2 * BAR_VCPUS);
    for (uint32_t i = 0; i < BATCHES; i++) {
        const uint64_t before = o->event_count;
        const double start_s = bench_now_s();

        churn(o, batch);
        per_s[i] =
            (double)(o->event_count - before) / (bench_now_s() - start_s);
    }
    bl_sched_check(o->sched);
    printf("churn,%s,%u,,,%.0f,%016llx\n", policy, BAR_VCPUS,
           bench_median(per_s, BATCHES), (unsigned long long)hash_of(o));
    fflush(stdout);
    close_owner(o);
}

/* Only what is asked for: a profiler counts the instructions of two counts of
 * dispatches, and the difference is theirs alone. */
static int only(const char *policy, const char *vcpus, const char *count)
{
    struct owner *o =
        open_owner(policy, bench_number(vcpus, BL_SCHED_VCPUS_MAX));

    wake_all(o);
    dispatch(o, 2 * o->vcpus);
    dispatch(o, bench_number(count, 100000000));
    printf("%016llx\n", (unsigned long long)hash_of(o));
    close_owner(o);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t most = smoke ? 256 : 16384, batch = smoke ? 100 : 10000;

    if (argc == 5 && strcmp(argv[1], "--only") == 0)
        return only(argv[2], argv[3], argv[4]);
    puts("what,policy,vcpus,ns,growth,events_per_s,hash");
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++) {
        double ns = 0;

        for (uint32_t vcpus = 64; vcpus <= most; vcpus *= 4)
            ns = bench_dispatch(bl_sched_policy(k)->name, vcpus, batch, ns);
    }
    for (uint32_t k = 0; bl_sched_policy(k) != NULL; k++)
        bench_churn(bl_sched_policy(k)->name, batch);
    return EXIT_SUCCESS;
}
