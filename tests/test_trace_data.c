/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace_data - the real traces, where they are: what their publishers say
 * of them must come out. The data are not part of the project (their licences
 * differ); ../shared/traces is looked for and its absence reported.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "tests/support_churn.h"
#include "tests/support_files.h"
#include "tests/trace_walk.h"

#include <stdio.h>
#include <unistd.h>

#define DATA "../shared/traces/"

static void need(const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    print_message("SKIP: no %s\n", path);
    skip();
}

static struct bl_trace_stats stats_of(struct bl_trace *t)
{
    struct bl_trace_stats s;
    struct bl_diag diag = { "" };

    assert_ok(bl_trace_rewind(t, &diag));
    if (bl_trace_stats(t, &s, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
    return s;
}

static void assert_close(double a, double b, double most)
{
    if (!(a - b <= most && b - a <= most))
        fail_msg("%f, expected %f", a, b);
}

/* Stored and opened again, it is the same. */
static void check_stored(struct bl_trace *t)
{
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace *u = test_trace_file(test_trace_store(t, "data.blt"), 2);
    struct bl_diag diag = { "" };

    assert_true(bl_trace_info(u)->content_hash == info->content_hash);
    assert_true(walk(u, &diag).content_hash == info->content_hash);
    assert_memory_equal(&bl_trace_info(u)->repairs, &info->repairs,
                        sizeof(info->repairs));
    assert_string_equal(bl_trace_info(u)->name, info->name);
    bl_trace_close(u);
}

static void test_planetlab_days(void **state)
{
    static const struct {
        const char *day;
        double mean, sd;
        uint32_t vms, p50, p75, p90, p95, p99;
    } days[] = {
        { "20110303", 12.31, 17.09, 1052, 6, 15, 36, 50, 79 },
        { "20110306", 11.44, 16.83, 898, 5, 13, 34, 48, 79 },
        { "20110309", 10.70, 15.57, 1061, 4, 13, 31, 42, 77 },
        { "20110322", 9.26, 12.78, 1516, 5, 12, 23, 34, 65 },
        { "20110325", 10.56, 14.14, 1078, 6, 14, 27, 39, 72 },
    };

    (void)state;
    need(DATA "planetlab");
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        char path[128];
        struct bl_trace *t;
        const struct bl_trace_info *info;
        struct bl_trace_stats s;

        snprintf(path, sizeof(path), DATA "planetlab/%s.tar.zst", days[i].day);
        t = test_trace_file(path, 1);
        info = bl_trace_info(t);
        assert_string_equal(info->name, days[i].day);
        assert_string_equal(info->format, "planetlab");
        assert_int_equal(info->vms_alive_max, days[i].vms);
        assert_int_equal(info->vm_count_total, days[i].vms);
        assert_int_equal(info->step_count, 288);
        s = stats_of(t);
        assert_int_equal(s.sample_count, days[i].vms * 288);
        assert_close(s.cpu_mean, days[i].mean, 0.005);
        assert_close(s.cpu_sd, days[i].sd, 0.005);
        assert_close(s.cpu_p50, days[i].p50, 0);
        assert_close(s.cpu_p75, days[i].p75, 0);
        assert_close(s.cpu_p90, days[i].p90, 0);
        assert_close(s.cpu_p95, days[i].p95, 0);
        assert_close(s.cpu_p99, days[i].p99, 0);
        check_stored(t);
        bl_trace_close(t);
    }
}

static void test_planetlab_slots_are_in_name_order(void **state)
{
    const char *path = DATA "planetlab/20110303.tar.zst";
    struct bl_trace *t;
    struct bl_diag diag = { "" };
    struct bl_trace_step s;

    (void)state;
    need(path);
    t = test_trace_file(path, 1);
    assert_ok(bl_trace_next(t, &s, &diag));
    assert_string_equal(s.arrived[0].name,
                        "146-179_surfsnel_dsl_internl_net_colostate_557");
    assert_int_equal(s.cpu_ppm[0], 240000);
    for (uint32_t i = 1; i < s.arrived_count; i++) {
        assert_int_equal(s.arrived[i].slot, i);
        assert_true(strcmp(s.arrived[i - 1].name, s.arrived[i].name) < 0);
    }
    assert_ok(bl_trace_next(t, &s, &diag));
    assert_int_equal(s.cpu_ppm[0], 340000);
    bl_trace_close(t);
}

static void test_google_days(void **state)
{
    static const uint32_t vms[] = { 160, 148, 152, 151, 160 };
    static const uint64_t clamped[] = { 1, 290, 2, 251, 0 };
    double cpu = 0, mem = 0;
    uint64_t samples = 0;

    (void)state;
    need(DATA "google-gcd");
    for (unsigned i = 0; i < 5; i++) {
        char path[128];
        struct bl_trace *t;
        struct bl_trace_stats s;

        snprintf(path, sizeof(path), DATA "google-gcd/day%u.tar.zst", i + 1);
        t = test_trace_file(path, 1);
        assert_string_equal(bl_trace_info(t)->format, "gcd");
        assert_int_equal(bl_trace_info(t)->vms_alive_max, vms[i]);
        assert_int_equal(bl_trace_info(t)->repairs.mem_clamped_count,
                         clamped[i]);
        assert_int_equal(bl_trace_info(t)->repairs.cpu_clamped_count, 0);
        s = stats_of(t);
        assert_int_equal(s.sample_count, vms[i] * 288);
        cpu += s.cpu_mean * (double)s.sample_count;
        mem += s.mem_mean * (double)s.sample_count;
        samples += s.sample_count;
        if (i == 0)
            check_stored(t);
        bl_trace_close(t);
    }
    assert_int_equal(samples, 771 * 288);
    /* as awk has it; memory above 100 % counts as 100 % */
    assert_close(cpu / (double)samples, 21.7685, 0.0001);
    assert_close(mem / (double)samples, 19.2021, 0.0001);
}

/* Who is alive at the end, by cores. */
static void check_bitbrains_sizes(struct bl_trace *t)
{
    uint32_t with_cores[33] = { 0 };
    double mem_bytes = 0;
    struct bl_trace_vm who[512] = { { .name = NULL } };
    struct bl_diag diag = { "" };
    struct bl_trace_step s;

    assert_in_range(bl_trace_info(t)->vms_alive_max, 1, 512);
    assert_ok(bl_trace_rewind(t, &diag));
    while (bl_trace_next(t, &s, &diag) == BL_ERR_OK) {
        for (uint32_t i = 0; i < s.departed_count; i++)
            who[s.departed[i]] = (struct bl_trace_vm){ .name = NULL };
        for (uint32_t i = 0; i < s.arrived_count; i++)
            who[s.arrived[i].slot] = s.arrived[i];
    }
    for (uint32_t i = 0; i < 512; i++) {
        assert_in_range(who[i].vcpu_count, 0, 32);
        with_cores[who[i].vcpu_count]++;
        mem_bytes += (double)who[i].mem_bytes;
    }
    assert_int_equal(with_cores[1], 228);
    assert_int_equal(with_cores[2], 92);
    assert_int_equal(with_cores[4], 116);
    assert_int_equal(with_cores[6], 2);
    assert_int_equal(with_cores[8], 55);
    assert_int_equal(with_cores[16], 1);
    assert_int_equal(with_cores[32], 3);
    assert_close(mem_bytes / (1024.0 * 1024 * 1024 * 1024), 4.2, 0.1);
}

static void test_bitbrains_month(void **state)
{
    const char *path = DATA "bitbrains-rnd/rnd-2013-8.csv.zst";
    struct bl_trace *t;
    const struct bl_trace_info *info;
    struct bl_trace_stats s;

    (void)state;
    need(path);
    t = test_trace_file(path, 1);
    info = bl_trace_info(t);
    assert_string_equal(info->format, "bitbrains");
    assert_int_equal(info->step_count, 8640); /* 30 days */
    assert_true(info->has_cpu && info->has_mem && info->has_size);
    assert_int_equal(info->repairs.cpu_clamped_count, 95137);
    assert_int_equal(info->repairs.mem_clamped_count, 83);
    assert_int_equal(info->repairs.repeated_count, 15297);
    assert_int_equal(info->repairs.gap_count, 1380);
    assert_int_equal(info->repairs.off_count, 60298);
    s = stats_of(t);
    /* every row is a sample, was dropped, was off, or a sample was held; rows
     * that were off may have been dropped, too */
    assert_in_range(s.sample_count - info->repairs.held_count,
                    4337555 - 15297 - info->repairs.crowded_count - 60298,
                    4337555 - 15297 - info->repairs.crowded_count);
    assert_close(s.cpu_mean, 6.9, 0.1);
    assert_close(s.cpu_p50, 1.0, 0.1);
    assert_close(s.cpu_p95, 50, 1);
    assert_close(s.mem_mean, 9.2, 0.4); /* of the most provisioned */
    check_bitbrains_sizes(t);
    check_stored(t);
    bl_trace_close(t);
}

static int compare_counts(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void test_azure_arrivals(void **state)
{
    const char *path = DATA "azure-v1-events";
    static uint32_t count[1000];
    struct bl_trace *t;
    struct bl_diag diag = { "" };
    struct bl_trace_step s;
    uint64_t total = 0;

    (void)state;
    need(path);
    t = test_trace_file(path, 1);
    assert_string_equal(bl_trace_info(t)->format, "azure");
    assert_int_equal(bl_trace_info(t)->step_count, 1000);
    assert_int_equal(bl_trace_info(t)->vm_count_total, 259159);
    assert_true(bl_trace_info(t)->has_size && !bl_trace_info(t)->has_cpu);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_ok(bl_trace_next(t, &s, &diag));
        count[i] = s.arrived_count;
        total += s.arrived_count;
    }
    assert_int_equal(total, 259159);
    qsort(count, 1000, sizeof(count[0]), compare_counts);
    assert_int_equal(count[999], 916);
    assert_int_equal(count[499], 207);
    assert_in_range(count[949], 595, 605);
    assert_int_equal(walk(t, &diag).end, BL_ERR_END);
    check_stored(t);
    bl_trace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planetlab_days),
        cmocka_unit_test(test_planetlab_slots_are_in_name_order),
        cmocka_unit_test(test_google_days),
        cmocka_unit_test(test_bitbrains_month),
        cmocka_unit_test(test_azure_arrivals),
    };

    return cmocka_run_group_tests_name("trace_data", tests, test_group_setup,
                                       test_folder_remove);
}
