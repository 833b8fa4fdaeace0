/* SPDX-License-Identifier: Apache-2.0 */
/* test_host_report - the result of one host in every form. */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "report/host_report.h"
#include "tests/support_golden.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { ARENA = 1 << 24, TEXT = 1 << 20, PCPUS = 72, VMS = 6, VCPUS = 14 };

#define MS INT64_C(1000000)

/* ---- a small result, made by hand --------------------------------------- */

static const uint32_t width_of[VMS] = { 4, 4, 1, 1, 2, 2 };

static void sample_vcpus(struct bl_host_result *r)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < VMS; v++) {
        r->vm[v].vcpu_first = n;
        r->vm[v].vcpu_count = width_of[v];
        for (uint32_t i = 0; i < width_of[v]; i++, n++) {
            struct bl_host_vcpu_row *c = &r->vcpu[n];

            c->vm = v;
            c->index = i;
            c->account.state_ns[BL_VCPU_RUN] = 6000 * MS - n;
            c->account.state_ns[BL_VCPU_READY] = 1000 * MS + n;
            c->account.state_ns[BL_VCPU_LIMITED] = v == 5 ? 500 * MS : 0;
            c->account.state_ns[BL_VCPU_COSTOP] = v < 2 ? 300 * MS : 0;
            c->account.state_ns[BL_VCPU_BLOCKED] =
                2200 * MS + (v < 2 ? 0 : 300 * MS) + (v == 5 ? 0 : 500 * MS);
            c->account.charged_ns = 6000 * MS - n;
            c->account.switch_count = 1000 + n;
            c->account.move_count[BL_REACH_LLC] = n;
            c->account.costop_count = v < 2 ? 30 : 0;
            c->skew_max_ns = v < 2 ? 4 * MS : 0;
            c->units = 100;
            c->spin_ns = v < 2 ? 60 * MS : 0;
            for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
                r->vm[v].state_ns[k] += c->account.state_ns[k];
            r->vm[v].received_ns += c->account.charged_ns;
            r->vm[v].units += c->units;
            r->vm[v].spin_ns += c->spin_ns;
        }
    }
}

static void sample_vms(struct bl_host_result *r)
{
    static const char *const name[] = {
        "barrier-0", "barrier-1", "web-0", "web-1", "a,\"b\"", "b\xc3\xbcro"
    };

    for (uint32_t v = 0; v < VMS; v++) {
        struct bl_host_vm_row *vm = &r->vm[v];

        snprintf(vm->name, sizeof(vm->name), "%s", name[v]);
        vm->group = v / 2;
        vm->alive_ns = 10000 * MS;
        vm->shares = UINT64_C(1000) * (v + 1);
        vm->reservation_ppm = v == 2 ? 250000 : 0;
        vm->limit_ppm = v == 5 ? 1500000 : BL_NO_LIMIT;
        vm->entitled_ns = vm->received_ns + (v % 2 == 0 ? 7 : -5) * MS * v;
        vm->work_ns = vm->received_ns - vm->spin_ns;
        vm->late_count = v;
        for (uint32_t w = 0; w < BL_WINDOWS; w++)
            vm->error[w] = (struct bl_host_error){ .window_count = 1000,
                                                   .max_ns = MS * v,
                                                   .min_ns = -MS * 2 * w,
                                                   .abs_sum_ns = 99 * MS * v };
        for (int64_t i = 0; i < 2000; i++) {
            bl_latency_add(&vm->wake, i * i * (v + 1));
            bl_latency_add(&vm->done, MS + i * 1000);
            if (v < 2)
                bl_latency_add(&vm->skew, i * 1500);
        }
    }
}

static void sample_host(struct bl_host_result *r)
{
    static const char *const group[] = { "barrier", "web", "a \"b\", \\ c" };

    for (uint32_t g = 0; g < 3; g++) {
        snprintf(r->group[g].name, BL_NAME_BYTES, "%s", group[g]);
        r->group[g].workload = g == 0 ? "barrier" : g == 1 ? "requests" : NULL;
        r->group[g].vm_first = g * 2;
        r->group[g].vm_count = 2;
    }
    for (uint32_t p = 0; p < PCPUS; p++)
        r->pcpu[p] =
            (struct bl_host_pcpu_row){ .busy_ns = 10000 * MS / (PCPUS - 1) * p,
                                       .overhead_ns = 10 * MS * (p > 0),
                                       .switch_count = UINT64_C(100) * p,
                                       .move_in_count = p };
    r->totals = (struct bl_sched_totals){
        .pick_count = 100000,
        .switch_count = 50000,
        .preempt_count = 10000,
        .wake_count = 40000,
        .block_count = 40000,
        .steal_idle_count = 30,
        .steal_fair_count = 20,
        .move_count = { 5, 10, 20, 30, 40 },
        .costop_count = 240,
        .throttle_count = 17,
        .urgent_count = 3,
        .forgiven_count = 9,
        .forgiven_ns = 2 * MS,
        .idle_while_ready_ns = 3 * MS,
        .idle_while_costop_ns = 600 * MS,
        .idle_while_limited_ns = 1 * MS,
        .lost_to_core_ns = 5 * MS,
    };
}

static struct bl_host_result *sample(struct bl_arena *a)
{
    struct bl_host_result *r = NULL;

    assert_ok(bl_arena_init(a, ARENA));
    assert_ok(bl_host_result_create(a, PCPUS, 3, VMS, VCPUS, &r));
    sample_vcpus(r);
    sample_vms(r);
    sample_host(r);
    snprintf(r->scenario, sizeof(r->scenario), "sample");
    snprintf(r->version, sizeof(r->version), "1.2.3");
    snprintf(r->topo, sizeof(r->topo), "pack:2 core:18 pu:2");
    snprintf(r->policy, sizeof(r->policy), "fair");
    snprintf(r->policy_params, sizeof(r->policy_params),
             "slice=3ms wakeup_grain=1ms steal=near balance_every=4ms");
    snprintf(r->mode, sizeof(r->mode), "relaxed");
    snprintf(r->mode_params, sizeof(r->mode_params),
             "costop=3ms costart=2ms poll=1ms");
    r->scenario_hash = 0x0123456789abcdef;
    r->state_hash = 0x00c0ffee00c0ffee;
    r->seed = 7;
    r->core_count = 36;
    r->llc_count = r->node_count = 2;
    r->duration_ns = 10000 * MS;
    r->warmup_ns = 1000 * MS;
    r->event_count = 1234567;
    r->admitted_ppm = 500000;
    r->admission_overhead_ppm = 100000;
    return r;
}

/* Power of two domains: what a run with P-states adds. */
static void add_power(struct bl_host_result *r)
{
    static struct bl_host_domain_row row[2];
    static struct bl_host_power power;
    static struct bl_freq freq;

    freq =
        (struct bl_freq){ .pstate_count = 2,
                          .domain_count = 2,
                          .idle_count = 1,
                          .pstate = { { .khz = 3000000 }, { .khz = 1500000 } },
                          .idle = { { .name = "C1" } } };
    for (uint32_t i = 0; i < 2; i++)
        row[i] = (struct bl_host_domain_row){
            .core_first = 18 * i,
            .core_count = 18,
            .pstate = 1 - i,
            .stay_ns = { 2500 * MS, 7500 * MS },
            .busy_ns = 90000 * MS,
            .idle_ns = { 90000 * MS },
            .idle_count = { 1000 },
            .switch_count = 10 + i,
            .energy_uj = UINT64_C(600000000) + i,
        };
    power = (struct bl_host_power){ .governor = "entitled",
                                    .governor_params = "headroom=1.2",
                                    .governor_ns = 10 * MS,
                                    .cap_mw = 150000,
                                    .cap_fastest = 0,
                                    .cap_bandwidth_ppm = 1000000,
                                    .freq = &freq,
                                    .energy_uj = UINT64_C(1200000001),
                                    .idle_extra_uj = 500000,
                                    .second_most_mw = 149000,
                                    .domain_count = 2,
                                    .domain = row };
    r->power = &power;
    for (uint32_t v = 0; v < VMS; v++) {
        for (uint32_t w = 0; w < BL_WINDOWS; w++)
            r->vm[v].unserved_ns[w] = (3 - w) * MS;
        r->vm[v].promised_ns = 100 * MS;
        r->vm[v].broken_ns = MS;
    }
}

/* ---- text --------------------------------------------------------------- */

static char *text_of(const struct bl_host_result *r, struct bl_style style)
{
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");

    assert_non_null(f);
    bl_host_report_text(f, r, &style);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void test_text_is_what_we_want_people_to_read(void **state)
{
    struct bl_arena a;
    char *got = text_of(sample(&a), (struct bl_style){ false, false });

    (void)state;
    support_golden("tests/golden/host_report.txt", got);
    free(got);
    bl_arena_free(&a);
}

/* The lines from the title on; nothing of them without power. */
static void test_power_as_text(void **state)
{
    static const char want[] =
        "Power\n"
        "      120.000 W    drawn on average by the host\n"
        "     1200.000 J    in all\n"
        "        0.500 J      in it: cores idle, but not in the deepest state\n"
        "      149.000 W    over the worst second, of 150.000 allowed\n"
        "       14.368 J    for a core's second of work at full speed\n"
        "        0.014 %    of what VMs were entitled to not served within "
        "100 ms\n"
        "        1.000 %    of what was reserved and wanted, likewise\n"
        "          2.1 /s   changes of a domain's P-state\n"
        "        25.00 %    of the cores' time at 3.000 GHz\n"
        "        75.00 %    of the cores' time at 1.500 GHz\n"
        "        50.00 %    of it idle in state C1\n"
        "  domain        cores   busy %   mean GHz    energy, J    changes\n"
        "       0         0-17    50.00      1.875      600.000         10\n"
        "       1        18-35    50.00      1.875      600.000         11\n";
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    char *got = text_of(r, (struct bl_style){ false, false });

    (void)state;
    assert_null(strstr(got, "\nPower\n"));
    assert_null(strstr(got, "governor"));
    free(got);
    add_power(r);
    got = text_of(r, (struct bl_style){ false, false });
    assert_non_null(strstr(got, "\n  governor   entitled headroom=1.2\n"));
    if (strstr(got, want) == NULL)
        fail_msg("not in\n%s", strstr(got, "\nPower"));
    free(got);
    bl_arena_free(&a);
}

static void test_pins_are_warned_of(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    char *got = text_of(r, (struct bl_style){ false, false });

    (void)state;
    assert_null(strstr(got, "pins"));
    free(got);
    r->pinned_count = 1;
    got = text_of(r, (struct bl_style){ false, false });
    assert_non_null(strstr(got,
                           "\n  The ideal takes no account of pins: the "
                           "error of pinned VMs says nothing.\n"));
    free(got);
    bl_arena_free(&a);
}

/* As large as anything that one host can have in an hour. */
static void widen(struct bl_host_result *r)
{
    const int64_t hour_ns = 3600 * BL_NS_PER_S;

    memset(r->scenario, 'S', sizeof(r->scenario) - 1);
    memset(r->topo, 'T', sizeof(r->topo) - 1);
    memset(r->policy, 'P', sizeof(r->policy) - 1);
    r->duration_ns = hour_ns;
    r->pinned_count = 1;
    r->event_count = UINT64_C(3000000) * 3600;
    r->totals.idle_while_ready_ns = hour_ns * PCPUS;
    for (uint32_t k = 0; k < BL_REACH_COUNT; k++)
        r->totals.move_count[k] = 10000000;
    for (uint32_t g = 0; g < r->group_count; g++)
        memset(r->group[g].name, 'g', BL_NAME_BYTES - 1);
    for (uint32_t v = 0; v < r->vm_count; v++) {
        struct bl_host_vm_row *vm = &r->vm[v];

        memset(vm->name, 'v', BL_NAME_BYTES - 1);
        vm->shares = BL_SHARES_MAX;
        vm->alive_ns = hour_ns;
        vm->entitled_ns = v == 0 ? 1 : hour_ns * 10;
        vm->received_ns = hour_ns * 128;
        vm->units = UINT64_C(1000000) * 3600;
        bl_latency_add(&vm->wake, hour_ns);
        for (uint32_t w = 0; w < BL_WINDOWS; w++)
            vm->error[w] =
                (struct bl_host_error){ .window_count = 1,
                                        .max_ns = BL_NS_PER_S * 128,
                                        .min_ns = -BL_NS_PER_S * 99,
                                        .abs_sum_ns = BL_NS_PER_S * 128 };
    }
}

static void test_no_line_is_too_wide_and_the_hash_is_last(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);

    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            char *text = text_of(r, (struct bl_style){ utf8, false });

            support_layout(text);
            assert_null(strchr(text, '\033'));
            if (!utf8)
                for (const char *c = text; *c != '\0'; c++)
                    assert_true((unsigned char)*c < 0x80);
            free(text);
        }
        widen(r);
    }
    bl_arena_free(&a);
}

static void test_an_empty_result_can_be_printed(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = NULL;
    char *text;

    (void)state;
    assert_ok(bl_arena_init(&a, ARENA));
    assert_ok(bl_host_result_create(&a, 1, 1, 1, 1, &r));
    r->vm[0].vcpu_count = 1;
    r->group[0].vm_count = 1;
    r->partial = true;
    r->wall_s = 0.5;
    text = text_of(r, (struct bl_style){ true, false });
    support_layout(text);
    assert_non_null(strstr(text, "PARTIAL"));
    free(text);
    text = text_of(r, (struct bl_style){ true, true });
    assert_non_null(strchr(text, '\033'));
    free(text);
    bl_arena_free(&a);
}

/* With many VMs only the worst have a row: those that a full sort finds. */
static void test_the_worst_vms_come_first(void **state)
{
    enum { MANY = 60 };
    struct bl_prng p = { test_seed() };
    struct bl_arena a;
    struct bl_host_result *r = NULL;

    (void)state;
    assert_ok(bl_arena_init(&a, ARENA));
    assert_ok(bl_host_result_create(&a, 1, 1, MANY, 0, &r));
    r->group[0].vm_count = MANY;
    r->duration_ns = 1000 * MS;
    for (int round = 0; round < 50; round++) {
        char *text, *at;
        bool taken[MANY] = { false };

        for (uint32_t v = 0; v < MANY; v++) {
            snprintf(r->vm[v].name, BL_NAME_BYTES, "vm-%u", v);
            r->vm[v].entitled_ns = 100 * MS;
            r->vm[v].received_ns =
                (int64_t)bl_prng_below(&p, 20) * 10 * MS; /* many ties */
        }
        text = text_of(r, (struct bl_style){ false, false });
        at = strstr(text, "furthest");
        assert_non_null(at);
        for (uint32_t k = 0; k < BL_HOST_WORST_VMS; k++) {
            uint32_t best = MANY;
            char want[32];

            for (uint32_t v = 0; v < MANY; v++)
                if (!taken[v] &&
                    (best == MANY ||
                     llabs(r->vm[v].received_ns - 100 * MS) >
                         llabs(r->vm[best].received_ns - 100 * MS)))
                    best = v;
            taken[best] = true;
            snprintf(want, sizeof(want), "\n  vm-%u ", best);
            at = strstr(at, want);
            if (at == NULL)
                fail_msg("row %u is not that of VM %u", k, best);
        }
        assert_null(strstr(at + 1, "\n  vm-")); /* no more than these */
        free(text);
    }
    bl_arena_free(&a);
}

static void test_states_are_a_hundred_percent(void **state)
{
    struct bl_prng p = { test_seed() };
    int64_t ns[BL_VCPU_STATE_COUNT] = { 0 };
    uint32_t share[BL_VCPU_STATE_COUNT];

    (void)state;
    bl_host_state_shares(ns, share);
    assert_int_equal(share[BL_VCPU_RUN], 0); /* no time at all */
    for (int round = 0; round < 10000; round++) {
        uint32_t all = 0;
        int64_t sum = 0;

        for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++) {
            const uint64_t most = UINT64_C(1) << bl_prng_below(&p, 58);

            ns[k] = (int64_t)bl_prng_below(&p, most) + (k == 0);
            sum += ns[k];
        }
        bl_host_state_shares(ns, share);
        for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++) {
            const double exact = (double)ns[k] / (double)sum * 10000;

            assert_true(share[k] < exact + 1 && share[k] > exact - 1);
            all += share[k];
        }
        assert_int_equal(all, 10000);
    }
}

/* ---- JSON --------------------------------------------------------------- */

static json_t *json_of(const struct bl_host_result *r)
{
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");
    json_error_t why;
    json_t *doc;

    assert_non_null(f);
    assert_ok(bl_host_report_json(f, r));
    assert_int_equal(fclose(f), 0);
    doc = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (doc == NULL)
        fail_msg("line %d: %s", why.line, why.text);
    free(text);
    return doc;
}

static long long at(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_integer(v))
        fail_msg("%s is no whole number", key);
    return json_integer_value(v);
}

static long long sum_at(const json_t *rows, const char *key)
{
    long long sum = 0;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        sum += at(row, key);
    }
    return sum;
}

static void test_json_parses_back_and_adds_up(void **state)
{
    static const char *const adds_up[] = {
        "vcpus",    "entitled_ns", "received_ns", "run_ns",
        "ready_ns", "limited_ns",  "costop_ns",   "blocked_ns",
        "units",    "late",        "work_ns",     "spin_ns"
    };
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    json_t *doc = json_of(r);
    const json_t *s = json_object_get(doc, "summary");
    const json_t *vms = json_object_get(doc, "vms");
    const json_t *vcpus = json_object_get(doc, "vcpus");
    const json_t *groups = json_object_get(doc, "groups");

    (void)state;
    assert_int_equal(json_array_size(groups), 3);
    assert_int_equal(json_array_size(vms), VMS);
    assert_int_equal(json_array_size(vcpus), VCPUS);
    assert_int_equal(json_array_size(json_object_get(doc, "pcpus")), PCPUS);
    for (size_t i = 0; i < sizeof(adds_up) / sizeof(adds_up[0]); i++) {
        assert_true(sum_at(vms, adds_up[i]) == at(s, adds_up[i]));
        assert_true(sum_at(groups, adds_up[i]) == at(s, adds_up[i]));
    }
    assert_true(sum_at(vcpus, "run_ns") == at(s, "run_ns"));
    assert_true(sum_at(vcpus, "received_ns") == at(s, "received_ns"));
    assert_true(at(json_object_get(s, "error_1s"), "most_ahead_ns") == 5 * MS);
    assert_true(at(json_object_get(s, "error_1s"), "most_behind_ns") ==
                -4 * MS);
    assert_true(at(json_object_get(s, "wake"), "count") == INT64_C(2000) * VMS);
    assert_true(at(json_object_get(s, "skew"), "max_ns") ==
                INT64_C(1999) * 1500);
    assert_true(
        json_is_null(json_object_get(json_array_get(vms, 0), "limit_ppm")));
    assert_true(at(json_array_get(vms, 5), "limit_ppm") == 1500000);
    assert_string_equal(json_string_value(json_object_get(s, "state_hash")),
                        "00c0ffee00c0ffee");
    json_decref(doc);
    bl_arena_free(&a);
}

static void test_power_as_json(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    json_t *doc = json_of(r);
    const json_t *p, *vms, *domains;

    (void)state;
    assert_null(json_object_get(doc, "power"));
    assert_null(json_object_get(json_array_get(json_object_get(doc, "vms"), 0),
                                "unserved_100ms_ns"));
    json_decref(doc);
    add_power(r);
    doc = json_of(r);
    p = json_object_get(doc, "power");
    vms = json_object_get(doc, "vms");
    domains = json_object_get(p, "domains");
    assert_true(at(p, "mean_mw") == 120000);
    assert_true(at(p, "cap_mw") == 150000);
    assert_true(at(p, "pstate_changes") == 21);
    assert_true(at(p, "unserved_100ms_ns") == sum_at(vms, "unserved_100ms_ns"));
    assert_true(at(p, "reserved_missing_ns") == VMS * MS);
    assert_int_equal(json_array_size(domains), 2);
    assert_true(at(json_array_get(domains, 1), "energy_uj") == 600000001);
    json_decref(doc);
    bl_arena_free(&a);
}

/* "key" in the section on hosts, for every key of every object. */
static void check_documented(const json_t *v, const char *page)
{
    const char *key;
    json_t *item;
    size_t i;
    char quoted[128];

    json_array_foreach(v, i, item)
    {
        check_documented(item, page);
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
    {
        snprintf(quoted, sizeof(quoted), "`%s`", key);
        if (strstr(page, quoted) == NULL)
            fail_msg("doc/report.md does not explain %s", quoted);
        check_documented(item, page);
    }
}

static void test_every_key_is_documented(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    json_t *doc;
    char *page = calloc(1, TEXT);
    FILE *f = fopen("doc/report.md", "r");
    const char *section;

    (void)state;
    assert_non_null(f);
    assert_true(fread(page, 1, TEXT - 1, f) > 0);
    fclose(f);
    section = strstr(page, "\n## One host");
    assert_non_null(section);
    add_power(r);
    doc = json_of(r);
    check_documented(doc, section);
    free(page);
    json_decref(doc);
    bl_arena_free(&a);
}

/* jansson's malloc: fails once, at the allocation with this number. */
static long until_failure;

static void *failing_malloc(size_t n)
{
    return until_failure-- == 0 ? NULL : malloc(n);
}

static void test_json_reports_every_allocation_that_fails(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);
    char *text = calloc(1, TEXT);
    json_malloc_t get;
    json_free_t put;
    bl_err e = BL_ERR_NOMEM;

    (void)state;
    r->vm_count = r->vcpu_count = r->pcpu_count = r->group_count = 1;
    r->group[0].vm_count = 1;
    add_power(r);
    json_get_alloc_funcs(&get, &put);
    json_set_alloc_funcs(failing_malloc, free);
    for (long n = 0; e != BL_ERR_OK; n++) {
        FILE *f = fmemopen(text, TEXT, "w");

        until_failure = n;
        e = bl_host_report_json(f, r);
        fclose(f);
        if (until_failure < 0) /* it was reached */
            assert_int_equal(e, BL_ERR_NOMEM);
    }
    json_set_alloc_funcs(get, put);
    free(text);
    bl_arena_free(&a);
}

/* ---- CSV ---------------------------------------------------------------- */

/* Commas outside quotes. */
static uint32_t fields(const char *line, size_t n)
{
    uint32_t count = 1;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        quoted ^= line[i] == '"';
        count += line[i] == ',' && !quoted;
    }
    assert_false(quoted);
    return count;
}

static void check_table(void (*write)(FILE *f, const struct bl_host_result *r),
                        const struct bl_host_result *r, uint32_t rows,
                        const char *has)
{
    char *text = calloc(1, TEXT);
    FILE *f = fmemopen(text, TEXT, "w");
    uint32_t lines = 0;

    write(f, r);
    fclose(f);
    for (const char *p = text; *p != '\0'; lines++) {
        const size_t n = strcspn(p, "\n");

        assert_int_equal(fields(p, n), fields(text, strcspn(text, "\n")));
        assert_int_equal(p[n], '\n');
        p += n + 1;
    }
    assert_int_equal(lines, rows + 1);
    if (strstr(text, has) == NULL)
        fail_msg("no %s in\n%s", has, text);
    free(text);
}

static void test_csv_rows_match_their_heads(void **state)
{
    struct bl_arena a;
    struct bl_host_result *r = sample(&a);

    (void)state;
    check_table(bl_host_report_csv_vms, r, VMS,
                "\n\"a,\"\"b\"\"\",\"a \"\"b\"\", \\ c\",2,5000,0,,10000000000,"
                "12027999979,11999999979,11999999979,2000000021,0,0,6000000000,"
                "1000,4000000,0,396000000,");
    check_table(bl_host_report_csv_vcpus, r, VCPUS,
                "\nbarrier-0,1,5999999999,1000000001,0,300000000,2700000000,"
                "5999999999,1001,0,1,0,0,30,0,4000000,100,60000000\n");
    check_table(bl_host_report_csv_pcpus, r, PCPUS,
                "\n1,140845070,10000000,100,1\n");
    add_power(r);
    check_table(bl_host_report_csv_vms, r, VMS,
                ",skew_max_ns,unserved_10ms_ns,unserved_100ms_ns,"
                "unserved_1s_ns,reserved_wanted_ns,reserved_missing_ns\n");
    check_table(bl_host_report_csv_vms, r, VMS,
                ",3000000,2000000,1000000,100000000,1000000\n");
    check_table(bl_host_report_csv_domains, r, 2,
                "\n1,18,18,0,600000001,90000000000,11,2500000000,7500000000,"
                "90000000000,1000\n");
    bl_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_what_we_want_people_to_read),
        cmocka_unit_test(test_power_as_text),
        cmocka_unit_test(test_pins_are_warned_of),
        cmocka_unit_test(test_power_as_json),
        cmocka_unit_test(test_no_line_is_too_wide_and_the_hash_is_last),
        cmocka_unit_test(test_an_empty_result_can_be_printed),
        cmocka_unit_test(test_the_worst_vms_come_first),
        cmocka_unit_test(test_states_are_a_hundred_percent),
        cmocka_unit_test(test_json_parses_back_and_adds_up),
        cmocka_unit_test(test_every_key_is_documented),
        cmocka_unit_test(test_json_reports_every_allocation_that_fails),
        cmocka_unit_test(test_csv_rows_match_their_heads),
    };

    return cmocka_run_group_tests_name("host_report", tests, test_group_setup,
                                       NULL);
}
