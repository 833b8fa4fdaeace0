/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace_formats - the foreign formats: for each one small file that is
 * right, then everything that can be wrong with it and the line that says so.
 */
#include "tests/test.h"

#include "base/units.h"
#include "tests/support_churn.h"
#include "tests/support_files.h"
#include "tests/trace_walk.h"

#include <stdio.h>

static const struct bl_trace_opts plain = { .thread_count = 1, .seed = 1 };

/* @path must be refused with @want, in one line that says @says; it has no
 * line for what is not of the file's making. */
static void refused(const char *path, const char *format, bl_err want,
                    const char *says)
{
    const struct bl_trace_opts opts = { .thread_count = 1, .format = format };
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;
    const bl_err e = bl_trace_open(path, &opts, &t, &diag);

    if (e != want)
        fail_msg("%s: %s '%s', expected %s '%s'", path, bl_err_name(e),
                 diag.text, bl_err_name(want), says);
    assert_null(t);
    if (strstr(diag.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", diag.text, says);
    assert_null(strchr(diag.text, '\n'));
}

struct row {
    const char *text, *says;
};

static void refuse_texts(const char *name, const char *format,
                         const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refused(test_text(name, row[i].text), format, BL_ERR_PARSE,
                row[i].says);
}
#define REFUSE_TEXTS(name, format, rows)                                       \
    refuse_texts(name, format, rows, sizeof(rows) / sizeof((rows)[0]))

static void next(struct bl_trace *t, struct bl_trace_step *s)
{
    struct bl_diag diag = { "" };

    if (bl_trace_next(t, s, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
}

/* --- planetlab ------------------------------------------------------- */

static const struct test_member two_vms[] = {
    { "20110303/", NULL, 0, '/' },
    { "20110303/node_b", "0\n7\n100\n", 0, 0 },
    { "20110303/node_a", "12\n99\n5", 0, 0 }, /* no newline at the end */
};

static void check_two_vms(const char *path)
{
    struct bl_trace *t = test_trace_file(path, 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace_step s;
    struct bl_diag diag = { "" };

    assert_string_equal(info->format, "planetlab");
    assert_int_equal(info->step_count, 3);
    assert_int_equal(info->step_ns, 300 * BL_NS_PER_S);
    assert_int_equal(info->vms_alive_max, 2);
    assert_true(info->has_cpu && !info->has_mem && !info->has_size);
    next(t, &s);
    assert_string_equal(s.arrived[0].name, "node_a"); /* sorted */
    assert_string_equal(s.arrived[1].name, "node_b");
    assert_int_equal(s.cpu_ppm[0], 120000);
    assert_int_equal(s.cpu_ppm[1], 0);
    next(t, &s);
    assert_int_equal(s.cpu_ppm[0], 990000);
    assert_int_equal(s.cpu_ppm[1], 70000);
    next(t, &s);
    assert_int_equal(s.cpu_ppm[0], 50000);
    assert_int_equal(s.cpu_ppm[1], 1000000);
    assert_int_equal(bl_trace_next(t, &s, &diag), BL_ERR_END);
    assert_int_equal(walk(t, &diag).content_hash, info->content_hash);
    bl_trace_close(t);
}

static void test_planetlab(void **state)
{
    (void)state;
    check_two_vms(test_tar("pl.tar", NULL, two_vms, 3));
    check_two_vms(test_tar("pl.tar.gz", "gzip", two_vms, 3));
    check_two_vms(test_tar("pl.tar.zst", "zstd", two_vms, 3));
    test_subfolder("pl");
    test_text("pl/node_b", "0\n7\n100\n");
    test_text("pl/node_a", "12\n99\n5");
    test_text("pl/.hidden", "not a VM");
    check_two_vms(test_path("pl"));
}

static void test_planetlab_refuses(void **state)
{
    static const struct row rows[] = {
        { "1\nx\n",
          "(a):2: 'x' is not a CPU percentage, expected an integer "
          "0..100" },
        { "1\n101\n", "(a):2: '101' is not" },
        { "1\n\n2\n", "(a):2: '' is not" },
        { "1\n2 \n", "(a):2: '2 ' is not" },
        { "1\n2\r\n", "(a):2: '2?' is not" },
        { "1\n-3\n", "(a):2: '-3' is not" },
        { "1\n2.5\n", "(a):2: '2.5' is not" },
        { "1\n0x1\n", "(a):2: '0x1' is not" },
        { "1\n1000\n", "(a):2: '1000' is not" },
        { "1\n99999999999999999999999999999999\n",
          "(a):2: '999999999999999999999999...' is not" },
        { "1\n1e1\n", "(a):2: '1e1' is not" },
        { "1\n5", "(b): 3 lines, expected 2 as in 'a'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct test_member m[] = { { "x/a", rows[i].text, 0, 0 },
                                         { "x/b", "1\n2\n3\n", 0, 0 } };

        refused(test_tar("bad.tar", NULL, m, 2), NULL, BL_ERR_PARSE,
                rows[i].says);
        test_subfolder("bad");
        test_text("bad/a", rows[i].text);
        test_text("bad/b", "1\n2\n3\n");
        refused(test_path("bad"), "planetlab", BL_ERR_PARSE, rows[i].says);
    }
}

static void test_members_refuse(void **state)
{
    static const struct test_member twice[] = { { "d1/a", "1\n", 0, 0 },
                                                { "d2/a", "2\n", 0, 0 } };
    static const struct test_member link[] = { { "a", "1\n", 0, 0 },
                                               { "b", "a", 0, '@' } };
    static const struct test_member nul[] = { { "a", "1\n\0\n", 4, 0 } };
    static const struct test_member name[] = { { "a\nb", "1\n", 0, 0 } };
    static const struct test_member none[] = { { "d/", NULL, 0, '/' } };
    static const struct test_member empty[] = { { "a", "1\n", 0, 0 },
                                                { "b", "", 0, 0 } };

    (void)state;
    refused(test_tar("t.tar", NULL, twice, 2), NULL, BL_ERR_PARSE,
            "two VMs are called 'a'");
    refused(test_tar("t.tar", NULL, link, 2), NULL, BL_ERR_PARSE,
            "(b): is not a plain file");
    refused(test_tar("t.tar", NULL, nul, 1), NULL, BL_ERR_PARSE, "(a):2: '");
    refused(test_tar("t.tar", NULL, name, 1), NULL, BL_ERR_PARSE,
            "its name is not UTF-8 text");
    refused(test_tar("t.tar", NULL, none, 1), NULL, BL_ERR_PARSE,
            "holds no data");
    refused(test_tar("t.tar", NULL, empty, 2), "gcd", BL_ERR_PARSE,
            "(a):1: '1'");
    refused(test_tar("t.tar", NULL, empty, 2), NULL, BL_ERR_PARSE,
            "(b): holds no line");
    refused(test_text("single", "1\n2\n"), "planetlab", BL_ERR_PARSE,
            "is a single file, expected a folder or archive");
    refused(test_text("single", "1\n2\n"), "gcd", BL_ERR_PARSE,
            "is a single file");
    test_subfolder("nest");
    test_text("nest/a", "1\n");
    test_subfolder("nest/b");
    refused(test_path("nest"), NULL, BL_ERR_PARSE, "(b): is not a plain file");
}

static void test_too_many_lines_are_refused(void **state)
{
    const size_t n = 2 * ((size_t)BL_TRACE_STEPS_MAX + 1);
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 2 == 0 ? '7' : '\n';
    test_subfolder("many");
    test_file("many/a", text, n);
    refused(test_path("many"), NULL, BL_ERR_FULL,
            "(a): more than 10000000 lines");
    free(text);
}

/* --- gcd ------------------------------------------------------------- */

static void test_gcd(void **state)
{
    static const struct test_member m[] = {
        { "vm_2_1", "6.763 5.1209999999999996\n0 0.00001\n", 0, 0 },
        { "vm_10_1", "100.00001 118.46\n101 100\n", 0, 0 },
    };
    struct bl_trace *t =
        test_trace_file(test_tar("g.tar.zst", "zstd", m, 2), 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace_step s;

    (void)state;
    assert_string_equal(info->format, "gcd");
    assert_true(info->has_cpu && info->has_mem && !info->has_size);
    assert_int_equal(info->step_ns, 300 * BL_NS_PER_S);
    assert_int_equal(info->repairs.cpu_clamped_count, 1); /* not 100.00001 */
    assert_int_equal(info->repairs.mem_clamped_count, 1);
    next(t, &s);
    assert_string_equal(s.arrived[0].name, "vm_10_1"); /* byte order */
    assert_int_equal(s.cpu_ppm[0], 1000000);
    assert_int_equal(s.mem_ppm[0], 1000000);
    assert_int_equal(s.cpu_ppm[1], 67630);
    assert_int_equal(s.mem_ppm[1], 51210);
    bl_trace_close(t);
}

static void test_gcd_refuses(void **state)
{
    static const struct row rows[] = {
        { "1 2\n3\n", "(a):2: '3' is not a CPU and a memory percentage" },
        { "1 2\n3 4 5\n", "(a):2: '3 4 5' is not" },
        { "1 2\n3  4\n", "(a):2: '3  4' is not" },
        { "1 2\n-3 4\n", "(a):2: '-3 4' is not" },
        { "1 2\n3,4\n", "(a):2: '3,4' is not" },
        { "1 2\nnan nan\n", "(a):2: 'nan nan' is not" },
        { "1 2\n1e5 2\n", "(a):2: '1e5 2' is not" },
        { "1 2\n\n", "(a):2: '' is not" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct test_member m = { "a", rows[i].text, 0, 0 };

        refused(test_tar("bad.tar", NULL, &m, 1), NULL, BL_ERR_PARSE,
                rows[i].says);
    }
}

/* --- bitbrains ------------------------------------------------------- */

#define BB "vm,t_s,cores,cpu_prov_mhz,cpu_pct,mem_prov_kb,mem_used_kb\n"

/* Each quirk of the real file once. */
static const char bitbrains[] = BB
    "1,1000,2,5200,50,1024,512\n"   /* step 0 */
    "1,1301,2,5200,150,1024,2048\n" /* both clamped, 1 s late: step 1 */
    "1,1301,2,5200,10,1024,0\n"     /* the same time: dropped */
    "1,1310,2,5200,10,1024,0\n"     /* still step 1: dropped */
    "1,2200,2,5200,20,2048,512\n"   /* a gap: steps 2 and 3 are held */
    "1,2500,0,0,0,2048,0\n"         /* off from step 5 */
    "1,2800,0,0,0,0,0\n"
    "1,3100,2,5200,1,2048,1024\n"  /* back in step 7 */
    "1,3400,4,10400,2,2048,1024\n" /* grown in step 8 */
    "0,700,1,2600,3.456,4,4\n";    /* begins a step earlier than 1 */

static void test_bitbrains(void **state)
{
    static const uint32_t want_1[] = { 500000,  1000000, 1000000,
                                       1000000, 200000,  0,
                                       0,       10000,   20000 };
    struct bl_trace *t = test_trace_file(test_text("bb.csv", bitbrains), 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    const struct bl_trace_repairs *r = &info->repairs;
    struct bl_trace_step s;
    struct bl_diag diag = { "" };

    (void)state;
    assert_string_equal(info->format, "bitbrains");
    assert_true(info->has_cpu && info->has_mem && info->has_size);
    assert_int_equal(info->step_count, 10);
    assert_int_equal(info->vm_count_total, 4);
    assert_int_equal(info->vms_alive_max, 1);
    assert_int_equal(r->cpu_clamped_count, 1);
    assert_int_equal(r->mem_clamped_count, 1);
    assert_int_equal(r->repeated_count, 1);
    assert_int_equal(r->crowded_count, 1);
    assert_int_equal(r->gap_count, 1);
    assert_int_equal(r->held_count, 2);
    assert_int_equal(r->off_count, 2);
    next(t, &s);
    assert_string_equal(s.arrived[0].name, "0");
    assert_int_equal(s.arrived[0].vcpu_khz, 2600000);
    assert_int_equal(s.arrived[0].mem_bytes, 4096);
    assert_int_equal(s.cpu_ppm[0], 34560);
    assert_int_equal(s.mem_ppm[0], 1000000);
    for (uint32_t i = 0; i < 9; i++) {
        next(t, &s);
        assert_int_equal(s.cpu_ppm[0], want_1[i]);
        assert_int_equal(s.departed_count, i == 0 || i == 5 || i == 8);
        assert_int_equal(s.arrived_count, i == 0 || i == 7 || i == 8);
        if (i == 0) { /* memory: the most of the whole stay */
            assert_int_equal(s.arrived[0].mem_bytes, 2048 * 1024);
            assert_int_equal(s.mem_ppm[0], 250000);
        }
        if (i == 3)
            assert_int_equal(s.mem_ppm[0], 500000); /* 1024 of 2048 held */
        if (i == 8) {
            assert_string_equal(s.arrived[0].name, "1#3");
            assert_int_equal(s.arrived[0].vcpu_count, 4);
            assert_int_equal(s.arrived[0].vcpu_khz, 2600000);
        }
    }
    assert_int_equal(walk(t, &diag).content_hash, info->content_hash);
    bl_trace_close(t);
    bl_trace_close(
        test_trace_file(test_packed("b.csv.zst", "zstd", bitbrains), 1));
    bl_trace_close(
        test_trace_file(test_packed("b.csv.gz", "gzip", bitbrains), 1));
}

static void test_bitbrains_refuses(void **state)
{
    static const struct row rows[] = {
        { BB, "holds no VM" },
        { BB "1,0,0,0,0,0,0\n", "holds no VM" }, /* never on */
        { BB "1\n", ":2: '1', expected seven fields" },
        { BB "\n", ":2: '', expected seven fields" },
        { BB ",0,1,1,1,1,1\n", ":2: '', expected a VM's name" },
        { BB "a#2,0,1,1,1,1,1\n", ":2: 'a#2', expected a VM's name" },
        { BB "1,x,1,1,1,1,1\n", ":2: 'x', expected t_s" },
        { BB "1,-5,1,1,1,1,1\n", ":2: '-5', expected t_s" },
        { BB "1,0,5000,1,1,1,1\n", ":2: '5000', expected cores" },
        { BB "1,0,1,10001,1,1,1\n", ":2: '10001', expected cpu_prov_mhz" },
        { BB "1,0,1,1,x,1,1\n", ":2: 'x', expected cpu_pct" },
        { BB "1,0,1,1,1,,1\n", ":2: '', expected mem_prov_kb" },
        { BB "1,0,1,1,1,4294967296,1\n", ":2: '4294967296', expected mem_p" },
        { BB "1,0,1,1,1,1\n", ":2: '1,0,1,1,1,1', expected seven fields" },
        { BB "1,0,1,1,1,1,\n", ":2: '', expected mem_used_kb" },
        { BB "1,0,1,1,1,1,1,1\n", ":2: '1,0,1,1,1,1,1,1', expected seven" },
        { BB "1,300,1,1,1,1,1\n1,0,1,1,1,1,1\n",
          ":3: time 0 after 300, expected rows in the order of time" },
        { BB "1,0,1,1,1,1,1\n2,0,1,1,1,1,1\n1,300,1,1,1,1,1\n",
          ":4: VM '1' again, expected all its rows together" },
        { BB "1,0,1,1,1,1,1\n1,3000000,1,1,1,1,1\n",
          ":3: 9999 steps without a row, expected one within 30 days" },
    };

    (void)state;
    REFUSE_TEXTS("bad.csv", NULL, rows);
    refused(test_text("bad.csv", BB "1,0,1,1,1,1,1\n2,99999999999,1,1,1,1,1\n"),
            NULL, BL_ERR_FULL, ":3: more than 10000000 steps");
    refused(test_text("bad.csv", "a,b\n"), "bitbrains", BL_ERR_PARSE,
            ":1: 'a,b', expected the header vm,t_s,cores");
    refused(test_folder(), "bitbrains", BL_ERR_PARSE, "is a folder or archive");
}

/* --- generic CSV ----------------------------------------------------- */

static void test_csv_with_all_columns(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf" /* as spreadsheets begin files */
        "vm,t_s,mem_pct,cpu_pct,mem_mib,vcpus,mhz\r\n"
        "db,0.5,50,12.34567,1024,4,2400.5\r\n"
        "db,0.75,100,0,1024,4,2400.5";
    struct bl_trace *t = test_trace_file(test_text("all.csv", text), 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace_step s;

    (void)state;
    assert_true(info->has_cpu && info->has_mem && info->has_size);
    assert_int_equal(info->step_ns, 250000000);
    assert_string_equal(info->origin, "csv");
    next(t, &s);
    assert_int_equal(s.arrived[0].vcpu_count, 4);
    assert_int_equal(s.arrived[0].vcpu_khz, 2400500);
    assert_int_equal(s.arrived[0].mem_bytes, 1024 * BL_MIB);
    assert_int_equal(s.cpu_ppm[0], 123457); /* rounded half up */
    assert_int_equal(s.mem_ppm[0], 500000);
    next(t, &s);
    assert_int_equal(s.mem_ppm[0], 1000000);
    bl_trace_close(t);
}

static void test_csv_without_figures(void **state)
{
    struct bl_trace *t = test_trace_file(
        test_text("bare.csv", "t_s,vm\n0,a\n60,a\n60,b\n120,b\n"), 1);
    struct bl_trace_step s;

    (void)state;
    next(t, &s);
    assert_null(s.cpu_ppm);
    assert_null(s.mem_ppm);
    next(t, &s);
    next(t, &s);
    assert_int_equal(s.departed_count, 1);
    assert_int_equal(s.departed[0], 0);
    bl_trace_close(t);
}

#define H "t_s,vm,cpu_pct\n"

static void test_csv_refuses(void **state)
{
    static const struct row rows[] = {
        { H, "rows for no time at all" },
        { H "0,a,1\n", "rows for one time only, expected at least two" },
        { "t_s,vm,cpu\n0,a,1\n", ":1: unknown column 'cpu', expected t_s,vm," },
        { "t_s,vm,\n0,a,\n", ":1: unknown column ''" },
        { "t_s,vm,vm\n0,a,a\n", ":1: column twice: 'vm'" },
        { H "0,a\n", ":2: fewer than 3 fields, expected 3" },
        { H "0,a,1,1\n", ":2: more than 3 fields, expected 3" },
        { H "\n", ":2: fewer than 3 fields" },
        { H "x,a,1\n", ":2: unfit 'x', expected t_s, seconds" },
        { H "1.1234567891,a,1\n", ":2: unfit '1.1234567891', expected t_s" },
        { H "99999999999,a,1\n", ":2: unfit '99999999999', expected t_s" },
        { H "-1,a,1\n", ":2: unfit '-1', expected t_s" },
        { H "0,,1\n", ":2: unfit '', expected vm, a name" },
        { H "0,a#1,1\n", ":2: unfit 'a#1', expected vm, a name" },
        { H "0,\xff,1\n", "expected vm, a name of UTF-8 text" },
        { H "0,a,101\n", ":2: unfit '101', expected cpu_pct, a number from 0" },
        { H "0,a,100.001\n", ":2: unfit '100.001', expected cpu_pct" },
        { H "0,a,\n", ":2: unfit '', expected cpu_pct" },
        { H "0,a,1\n0,a,2\n", ":3: second row at the same t_s of 'a'" },
        { H "0,a,1\n1,a,1\n0,a,1\n",
          ":4: t_s 0.000000000 after 1.000000000, expected rows in the order" },
        { H "0,a,1\n1,a,1\n3,a,1\n",
          ":4: t_s 3.000000000 after 1.000000000, expected the step" },
        { H "0,a,1\n9000000000,a,1\n",
          ":3: t_s 9000000000.000000000 after 0.000000000, expected a step" },
        { H "0,a,1\n2,a,1\n3,a,1\n", ":4: t_s 3.000000000 after 2.0" },
        { "t_s,vm,vcpus\n0,a,1\n1,a,2\n", ":3: changed size of 'a'" },
        { "t_s,vm,vcpus\n0,a,5000\n", ":2: unfit '5000', expected vcpus" },
        { "t_s,vm,mhz\n0,a,10001\n", ":2: unfit '10001', expected mhz" },
        { "t_s,vm,mem_mib\n0,a,1073741825\n",
          ":2: unfit '1073741825', expected mem_mib" },
    };

    (void)state;
    REFUSE_TEXTS("bad.csv", NULL, rows);
    refused(test_text("bad.csv", "a,b\n"), "csv", BL_ERR_PARSE,
            ":1: unknown column 'a'");
    refused(test_text("bad.csv", "vm,cpu_pct\n"), "csv", BL_ERR_PARSE,
            ":1: no column t_s or vm");
    refused(test_folder(), "csv", BL_ERR_PARSE, "is a folder or archive");
    refused(test_text("bad.csv", H "0,a,1\n1,a,1\n2,b,1\n"), "gcd",
            BL_ERR_PARSE, "is a single file");
}

/* A departed VM may change its size before it comes back. */
static void test_csv_vm_comes_back_larger(void **state)
{
    struct bl_trace *t =
        test_trace_file(test_text("back.csv",
                                  "t_s,vm,vcpus\n0,a,1\n0,b,1\n"
                                  "1,b,1\n2,a,2\n2,b,1\n"),
                        1);
    struct bl_trace_step s;

    (void)state;
    next(t, &s);
    next(t, &s);
    next(t, &s);
    assert_string_equal(s.arrived[0].name, "a#2");
    assert_int_equal(s.arrived[0].vcpu_count, 2);
    bl_trace_close(t);
}

/* --- azure ----------------------------------------------------------- */

static const char *azure(const char *flavours, const char *bins,
                         const char *dev, const char *end)
{
    const char *path = test_subfolder("azure");

    test_text("azure/flav_map.txt", flavours);
    test_text("azure/v1.interval_map.txt", bins);
    test_text("azure/v1.dev.txt", dev);
    test_text("azure/v1.dev.c1800.txt", end);
    return path;
}

#define FLAVOURS "1,0.75 a\n16,112 d\n"
#define BINS "0 0\n300 1\n600 2\n900 2\n1200 2\n1500 2\n"
#define DEV "900 a,|,d,a,|,\n1200 |,\n1500 a,|,\n"
#define END "900 U0,|,C2,U2,|,\n1200 |,\n1500 U1,|,\n"

static void test_azure(void **state)
{
    struct bl_trace *t = test_trace_file(azure(FLAVOURS, BINS, DEV, END), 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_trace_step s;

    (void)state;
    assert_string_equal(info->format, "azure");
    assert_true(!info->has_cpu && !info->has_mem && info->has_size);
    assert_int_equal(info->step_count, 3);
    assert_int_equal(info->vm_count_total, 4);
    next(t, &s);
    assert_int_equal(s.arrived_count, 3);
    assert_string_equal(s.arrived[0].name, "batch0-0");
    assert_string_equal(s.arrived[2].name, "batch1-1");
    assert_int_equal(s.arrived[0].vcpu_count, 1);
    assert_int_equal(s.arrived[0].mem_bytes, 768 * BL_MIB);
    assert_int_equal(s.arrived[0].vcpu_khz, 0);
    assert_int_equal(s.arrived[1].mem_bytes, INT64_C(112) * 1024 * BL_MIB);
    next(t, &s); /* the one of duration 0 lived for a step */
    assert_int_equal(s.departed_count, 1);
    assert_int_equal(s.departed[0], 0);
    assert_int_equal(s.arrived_count, 0);
    next(t, &s);
    assert_string_equal(s.arrived[0].name, "batch3-0");
    bl_trace_close(t);
}

enum { ROOM = 8192 };

static void append(char text[ROOM], const char *more)
{
    const size_t n = strlen(text);

    assert_true(n + strlen(more) < ROOM);
    memcpy(text + n, more, strlen(more) + 1);
}

/* The bin is known, the duration in it is drawn: from the seed alone, evenly,
 * and never beyond the right edge. */
static void test_azure_draws_durations(void **state)
{
    enum { N = 1000 };
    static char dev[ROOM], end[ROOM];
    uint64_t left[4] = { 0 }, hash[3];
    struct bl_trace_step s;
    const char *path;

    (void)state;
    append(dev, "300 ");
    append(end, "300 ");
    for (int i = 0; i < N; i++) {
        append(dev, "a,");
        append(end, "U2,");
    }
    for (int t = 600; t < 1800; t += 300) {
        char line[16];

        snprintf(line, sizeof(line), "\n%d |,", t);
        append(dev, line);
        append(end, line);
    }
    path = azure(FLAVOURS, "300 1\n600 2\n900 2\n1200 2\n1500 2\n1800 2\n", dev,
                 end);
    for (uint64_t seed = 0; seed < 3; seed++) {
        const struct bl_trace_opts opts = { .thread_count = 1,
                                            .seed = seed % 2 };
        struct bl_diag diag = { "" };
        struct bl_trace *t = NULL;

        assert_ok(bl_trace_open(path, &opts, &t, &diag));
        hash[seed] = bl_trace_info(t)->content_hash;
        for (int i = 0; seed == 0 && i < 5; i++) {
            next(t, &s);
            if (i >= 2)
                left[i - 2] = s.departed_count;
            else
                assert_int_equal(s.departed_count, 0);
        }
        bl_trace_close(t);
    }
    assert_true(hash[0] == hash[2] && hash[0] != hash[1]);
    /* 600, 900 and 1200 s depart in steps 2, 3, 4; 1500 s at the edge; 1800 s
     * would be beyond it: a quarter of 1000 each, give or take 5 sigma */
    for (int i = 0; i < 3; i++)
        assert_in_range(left[i], 250 - 70, 250 + 70);
}

static void test_azure_refuses(void **state)
{
    static const struct {
        const char *flavours, *bins, *dev, *end, *says;
    } rows[] = {
        { "1,2\n", BINS, DEV, END, "flav_map.txt:1: '1,2', expected vCPUs" },
        { "0,2 a\n", BINS, DEV, END, "flav_map.txt:1: '0,2 a'" },
        { "1,x a\n", BINS, DEV, END, "flav_map.txt:1: '1,x a'" },
        { "1,2 ab\n", BINS, DEV, END, "flav_map.txt:1: '1,2 ab'" },
        { "1,2 a\n1,3 a\n", BINS, DEV, END, "flav_map.txt:2: second flavour" },
        { "1,2 x\n", BINS, DEV, END, "v1.dev.txt:1: flavour 'a'" },
        { FLAVOURS, "x 0\n", DEV, END, "v1.interval_map.txt:1: 'x 0'" },
        { FLAVOURS, "0 1024\n", DEV, END, "v1.interval_map.txt:1: '0 1024'" },
        { FLAVOURS, "600 1\n300 1\n", DEV, END,
          "v1.interval_map.txt:2: '300 1', expected durations in rising" },
        { FLAVOURS, "0 1\n300 2\n600 1\n", DEV, END,
          "v1.interval_map.txt:3: '600 1'" },
        { FLAVOURS, BINS, "x a,|,\n", END, "v1.dev.txt:1: time 'x'" },
        { FLAVOURS, BINS, "900 a,|,\n900 a,|,\n", "900 U1,|,\n900 U1,|,\n",
          "v1.dev.txt:2: time '900', expected seconds, 300 more" },
        { FLAVOURS, BINS, "1800 a,|,\n", "1800 U1,|,\n",
          "v1.dev.txt:1: time '1800', expected a time before" },
        { FLAVOURS, BINS, DEV, "600 U1,|,\n",
          "v1.dev.c1800.txt:1: time '600', expected the same time" },
        { FLAVOURS, BINS, DEV, "900 U0,|,U2,|,U0\n",
          "v1.dev.c1800.txt:1: '|', expected a fate" },
        { FLAVOURS, BINS, DEV, "900 U0,|,\n",
          "v1.dev.c1800.txt:1: '', expected as many tokens" },
        { FLAVOURS, BINS, "900 a\n", "900 U1,U1\n",
          "v1.dev.c1800.txt:1: 'U1', expected as many tokens" },
        { FLAVOURS, BINS, DEV, "900 X0,|,C2,U2,|,\n",
          "v1.dev.c1800.txt:1: 'X0', expected U or C and a bin" },
        { FLAVOURS, BINS, DEV, "900 U9,|,C2,U2,|,\n",
          "v1.dev.c1800.txt:1: 'U9', expected U or C and a bin" },
        { FLAVOURS, BINS, "900 a,,a\n", "900 U1,U1,U1\n",
          "v1.dev.txt:1: '', expected a flavour letter" },
        { FLAVOURS, BINS, DEV, "900 U0,|,C2,U2,|,\n",
          "expected as many lines as *.dev.txt has" },
        { FLAVOURS, BINS, "900 |,\n", "900 |,\n", "v1.dev.txt: holds no VM" },
        { FLAVOURS, BINS, "900 a,\n", "900 U1,\n1200 U1,\n",
          "v1.dev.c1800.txt:2: line '1200 U1,', expected as many" },
        { "", BINS, DEV, END, "flav_map.txt: is empty" },
        { FLAVOURS, "", DEV, END, "interval_map.txt: is empty" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(azure(rows[i].flavours, rows[i].bins, rows[i].dev, rows[i].end),
                "azure", BL_ERR_PARSE, rows[i].says);
    test_subfolder("azure");
    test_text("azure/flav_map.txt", FLAVOURS);
    test_text("azure/v1.dev.txt", DEV);
    refused(test_path("azure"), NULL, BL_ERR_PARSE,
            "has no file *.interval_map.txt");
    test_text("azure/v1.interval_map.txt", BINS);
    refused(test_path("azure"), NULL, BL_ERR_PARSE,
            "has no file *.dev.c<seconds>.txt");
    refused(test_text("x", "1\n"), "azure", BL_ERR_PARSE, "is not a folder");
}

/* --- whatever is in the file: one line, no crash, nothing left ------- */

static void try_all_formats(const char *path)
{
    const char *name, *about;

    for (uint32_t i = 0; bl_trace_format(i, &name, &about); i++) {
        const struct bl_trace_opts opts = { .thread_count = 1, .format = name };
        struct bl_diag diag = { "" };
        struct bl_trace *t = NULL;
        const bl_err e = bl_trace_open(path, &opts, &t, &diag);

        assert_true(e == BL_ERR_PARSE || e == BL_ERR_FULL || e == BL_ERR_IO);
        assert_null(t);
        assert_true(strlen(diag.text) > 10);
    }
}

static void test_garbage_in_every_format(void **state)
{
    enum { BIG = 3 << 20 };
    char *big = malloc(BIG);
    const struct test_member member = { "a", big, BIG, 0 };
    static const char *const fills[] = { "\0", "x", "9", ",", "\n", "\xff" };

    (void)state;
    assert_non_null(big);
    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        memset(big, fills[i][0], BIG);
        try_all_formats(test_file("garbage", big, BIG));
        try_all_formats(test_tar("garbage.tar.zst", "zstd", &member, 1));
        test_subfolder("garbage.d");
        test_file("garbage.d/a", big, BIG);
        try_all_formats(test_path("garbage.d"));
        memcpy(big, BB, sizeof(BB) - 1);
        try_all_formats(test_file("garbage.csv", big, BIG));
        memcpy(big, H, sizeof(H) - 1);
        try_all_formats(test_file("garbage.csv", big, BIG));
    }
    free(big);
}

static void test_truncated_archives(void **state)
{
    size_t n;
    unsigned char *bytes =
        test_slurp(test_tar("whole.tar.zst", "zstd", two_vms, 3), &n);
    struct bl_diag diag = { "" };

    (void)state;
    for (size_t cut = 1; cut < n; cut++) {
        struct bl_trace *t = NULL;

        assert_int_not_equal(bl_trace_open(test_file("cut.tar.zst", bytes, cut),
                                           &plain, &t, &diag),
                             BL_ERR_OK);
        assert_null(t);
    }
    free(bytes);
}

static void test_a_long_line_is_refused(void **state)
{
    enum { N = 2 << 20 };
    char *line = malloc(N);

    (void)state;
    assert_non_null(line);
    memset(line, '1', N);
    memcpy(line, H, sizeof(H) - 1);
    refused(test_file("long.csv", line, N), NULL, BL_ERR_PARSE,
            ":2: line of more than 1048576 bytes");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planetlab),
        cmocka_unit_test(test_planetlab_refuses),
        cmocka_unit_test(test_members_refuse),
        cmocka_unit_test(test_too_many_lines_are_refused),
        cmocka_unit_test(test_gcd),
        cmocka_unit_test(test_gcd_refuses),
        cmocka_unit_test(test_bitbrains),
        cmocka_unit_test(test_bitbrains_refuses),
        cmocka_unit_test(test_csv_with_all_columns),
        cmocka_unit_test(test_csv_without_figures),
        cmocka_unit_test(test_csv_refuses),
        cmocka_unit_test(test_csv_vm_comes_back_larger),
        cmocka_unit_test(test_azure),
        cmocka_unit_test(test_azure_draws_durations),
        cmocka_unit_test(test_azure_refuses),
        cmocka_unit_test(test_garbage_in_every_format),
        cmocka_unit_test(test_truncated_archives),
        cmocka_unit_test(test_a_long_line_is_refused),
    };

    return cmocka_run_group_tests_name("trace_formats", tests, test_group_setup,
                                       test_folder_remove);
}
