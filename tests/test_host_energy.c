/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_host_energy - what a host draws, worked out a second time: from its
 * journal and the P-states that were chosen, second by second of all cores.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/u128.h"
#include "tests/support_host.h"

#include <stdio.h>
#include <string.h>

enum { CORES = 8, THREADS = 2 };

/* A journal being read again. Nothing of the simulator's own sums is used. */
struct replay {
    const struct bl_host_spec *spec;
    struct bl_prng prng;
    uint32_t at[CORES * THREADS]; /* [pcpu] runs; BL_NO_VCPU */
    uint32_t pstate[CORES];       /* [domain] */
    int64_t idle_ns[CORES];       /* idle since; busy: -1 */
    int64_t now_ns;
    long double uj[CORES]; /* [domain] at its table */
    long double extra_uj;  /* of idle states, all */
    int64_t stay_ns[CORES][BL_PSTATES_MAX];
    int64_t in_idle_ns[BL_IDLE_STATES_MAX];
    int64_t busy_ns;
    uint64_t left[BL_IDLE_STATES_MAX], switches;
};

static uint32_t domain_of(const struct replay *x, uint32_t core)
{
    uint32_t d = 0;

    while (bl_freq_domain_first(&x->spec->freq, x->spec->topo.core_count,
                                d + 1) <= core)
        d++;
    return d;
}

static uint32_t state_at(const struct bl_freq *f, int64_t ns)
{
    uint32_t i = 0;

    while (i + 1 < f->idle_count && f->idle[i + 1].after_ns <= ns)
        i++;
    return i;
}

/* Watts of a table at @busy of @all cores: between its points. */
static long double table_mw(const struct bl_pstate *p, uint32_t busy,
                            uint32_t all)
{
    const long double x = 10.0L * busy / all;
    const uint32_t k = (uint32_t)x;

    return k == 10
               ? p->mw[10]
               : p->mw[k] + ((long double)p->mw[k + 1] - p->mw[k]) * (x - k);
}

/* Idle time of @core from @from to @to, cut where its state changes. */
static void idle_until(struct replay *x, uint32_t core, int64_t from,
                       int64_t to)
{
    const struct bl_freq *f = &x->spec->freq;

    while (from < to) {
        const uint32_t i = state_at(f, from - x->idle_ns[core]);
        int64_t end = to;

        if (i + 1 < f->idle_count &&
            x->idle_ns[core] + f->idle[i + 1].after_ns < to)
            end = x->idle_ns[core] + f->idle[i + 1].after_ns;
        x->in_idle_ns[i] += end - from;
        x->extra_uj += (long double)(end - from) * f->idle[i].extra_mw / 1e6L;
        from = end;
    }
}

/* Nothing changed since x->now_ns; what is before the warm-up's end does not
 * count. */
static void advance(struct replay *x, int64_t to)
{
    const struct bl_host_spec *spec = x->spec;
    const struct bl_freq *f = &spec->freq;
    const uint32_t cores = spec->topo.core_count;
    const int64_t from =
        x->now_ns > spec->warmup_ns ? x->now_ns : spec->warmup_ns;
    uint32_t busy[CORES] = { 0 };

    x->now_ns = to;
    if (from >= to)
        return;
    for (uint32_t i = 0; i < cores; i++) {
        busy[domain_of(x, i)] += x->idle_ns[i] < 0;
        if (x->idle_ns[i] < 0)
            x->busy_ns += to - from;
        else if (f->idle_count > 0)
            idle_until(x, i, from, to);
    }
    for (uint32_t d = 0; d < f->domain_count; d++) {
        const uint32_t n = bl_freq_domain_first(f, cores, d + 1) -
                           bl_freq_domain_first(f, cores, d);

        x->uj[d] += table_mw(&f->pstate[x->pstate[d]], busy[d], n) * n / cores *
                    (long double)(to - from) / 1e6L;
        x->stay_ns[d][x->pstate[d]] += to - from;
    }
}

static void seen(void *ctx, const struct bl_sched_event *e)
{
    struct replay *x = ctx;
    const struct bl_topo *t = &x->spec->topo;
    const struct bl_freq *f = &x->spec->freq;

    advance(x, e->now_ns);
    for (uint32_t p = 0; p < t->pcpu_count; p++)
        if (x->at[p] == e->vcpu)
            x->at[p] = BL_NO_VCPU;
    if (e->to == BL_VCPU_RUN)
        x->at[e->pcpu] = e->vcpu;
    for (uint32_t i = 0; i < t->core_count; i++) {
        bool busy = false;

        for (uint32_t p = t->core[i].first;
             p < (uint32_t)t->core[i].first + t->core[i].count; p++)
            busy = busy || x->at[p] != BL_NO_VCPU;
        if (busy && x->idle_ns[i] >= 0) {
            /* one for another at one instant is no idling */
            if (e->now_ns >= x->spec->warmup_ns && f->idle_count > 0 &&
                e->now_ns > x->idle_ns[i])
                x->left[state_at(f, e->now_ns - x->idle_ns[i])]++;
            x->idle_ns[i] = -1;
        } else if (!busy && x->idle_ns[i] < 0) {
            x->idle_ns[i] = e->now_ns;
        }
    }
}

static uint32_t pick(void *ctx, uint32_t domain, const struct bl_domain_view *v)
{
    struct replay *x = ctx;
    const uint32_t i = v->fastest + (uint32_t)bl_prng_below(
                                        &x->prng, v->slowest - v->fastest + 1);

    advance(x, v->now_ns);
    if (i != x->pstate[domain] && v->now_ns >= x->spec->warmup_ns)
        x->switches++;
    x->pstate[domain] = i;
    return i;
}

static uint64_t below(struct replay *x, uint64_t n)
{
    return bl_prng_below(&x->prng, n);
}

/* Any table, domains, threads and idle states; changes that take time; bursts,
 * and a warm-up that ends anywhere. */
static struct test_host *some_host(struct replay *x, uint64_t seed)
{
    static const enum bl_guest_kind kind[] = {
        BL_GUEST_CPU, BL_GUEST_INTERACTIVE, BL_GUEST_PERIODIC, BL_GUEST_BARRIER
    };
    static const char *const name[] = { "a", "b", "c", "d" };
    struct test_host *t;
    struct bl_freq *f;
    uint32_t cores;

    x->prng = (struct bl_prng){ seed };
    cores = 1 + (uint32_t)below(x, CORES);
    t = test_host_new(cores, 1 + (uint32_t)below(x, THREADS));
    test_host_freq(t);
    f = &t->spec.freq;
    t->spec.costs.smt_ppm = t->spec.topo.pcpu_count > cores ? 1300000 : 1000000;
    t->spec.costs.dispatch_ns = (int64_t)below(x, 5000);
    t->spec.costs.switch_ns = (int64_t)below(x, 5000);
    t->spec.costs.pause_ns = 20000;
    f->domain_count = 1 + (uint32_t)below(x, cores);
    f->switch_ns = (int64_t)below(x, 2) * 300000;
    for (uint32_t i = 0; i < f->pstate_count; i++)
        for (uint32_t k = 1; k < BL_POWER_POINTS; k++)
            f->pstate[i].mw[k] =
                f->pstate[i].mw[k - 1] + (uint32_t)below(x, 30000u >> i);
    f->idle_count = (uint32_t)below(x, 5);
    for (uint32_t i = 0; i < f->idle_count; i++)
        f->idle[i] = (struct bl_idle_state){
            .name = "C",
            .extra_mw = (f->idle_count - 1 - i) * 777,
            .after_ns = (int64_t)i * (1 + (int64_t)below(x, 3)) * TEST_MS / 2 +
                        (int64_t)i * i * TEST_MS,
            .exit_ns = (int64_t)i * 50 * TEST_US,
        };
    t->spec.governor_ns = (int64_t)(1 + below(x, 20)) * TEST_MS;
    t->spec.warmup_ns = (int64_t)below(x, 300000000);
    t->spec.duration_ns =
        t->spec.warmup_ns + 700000000 + (int64_t)below(x, 300000000);
    for (uint32_t i = 0; i < 4; i++) {
        struct bl_host_vm_group *g =
            test_host_group(t, name[i], 1 + (uint32_t)below(x, cores), 1,
                            kind[(i + below(x, 2)) % 4]);

        g->guest.work = test_fixed((int64_t)(1 + below(x, 9000000)));
        g->guest.rest = test_fixed((int64_t)(10000 + below(x, 40000000)));
    }
    t->opts.sink = seen;
    t->opts.sink_ctx = x;
    t->opts.pick = pick;
    t->opts.pick_ctx = x;
    return t;
}

static void near(long double want_uj, uint64_t got_uj, int64_t ns)
{
    /* a table is read to the ppm and the mW */
    const long double off = want_uj - (long double)got_uj;
    const long double most = 2 * (long double)ns / 1e6L + 1000;

    if (off > most || -off > most)
        fail_msg("%.3Lf uJ, expected %.3Lf", (long double)got_uj, want_uj);
}

static void compare(const struct replay *x, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    const struct bl_freq *f = w->freq;
    long double all_uj = x->extra_uj;
    uint64_t switches = 0;
    int64_t busy_ns = 0, in_idle_ns[BL_IDLE_STATES_MAX] = { 0 };
    uint64_t left[BL_IDLE_STATES_MAX] = { 0 };

    for (uint32_t d = 0; d < w->domain_count; d++) {
        all_uj += x->uj[d];
        busy_ns += w->domain[d].busy_ns;
        switches += w->domain[d].switch_count;
        for (uint32_t i = 0; i < f->pstate_count; i++)
            assert_int_equal(w->domain[d].stay_ns[i], x->stay_ns[d][i]);
        for (uint32_t i = 0; i < f->idle_count; i++) {
            in_idle_ns[i] += w->domain[d].idle_ns[i];
            left[i] += w->domain[d].idle_count[i];
        }
    }
    near(all_uj, w->energy_uj, r->duration_ns);
    near(x->extra_uj, w->idle_extra_uj, 0);
    assert_int_equal(busy_ns, x->busy_ns);
    assert_int_equal(switches, x->switches);
    for (uint32_t i = 0; i < f->idle_count; i++) {
        assert_int_equal(in_idle_ns[i], x->in_idle_ns[i]);
        assert_int_equal(left[i], x->left[i]);
    }
}

static void one(uint64_t seed)
{
    struct replay x = { .now_ns = 0 };
    struct test_host *t = some_host(&x, seed);
    struct bl_host_result *r;

    x.spec = &t->spec;
    for (uint32_t p = 0; p < CORES * THREADS; p++)
        x.at[p] = BL_NO_VCPU;
    test_host_open(t);
    r = test_host_finish(t);
    advance(&x, t->spec.duration_ns);
    compare(&x, r);
    test_host_free(t);
}

static void test_replay(void **state)
{
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < 40; i++)
        one(seed + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_replay) };

    return cmocka_run_group_tests(tests, test_group_setup, NULL);
}
