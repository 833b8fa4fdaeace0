/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace - opening, reading, storing traces; the columnar format.
 *
 * test_trace_damage has broken files and faults, test_trace_formats the foreign
 * formats, test_trace_data the real ones, test_trace_parts the pieces.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "base/units.h"
#include "tests/support_churn.h"
#include "tests/support_files.h"
#include "tests/trace_walk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the example ----------------------------------------------------- */

static void test_three_vms_in_three_steps(void **state)
{
    const char *path = test_text("three.csv",
                                 "t_s,vm,cpu_pct\n"
                                 "0,web,10\n"
                                 "0,db,20.5\n"
                                 "300,db,30\n"
                                 "300,batch,40\n"
                                 "600,batch,100\n"
                                 "600,db,0\n"
                                 "600,web,7\n");
    struct bl_trace *t = test_trace_file(path, 1);
    const struct bl_trace_info *info = bl_trace_info(t);
    struct bl_diag diag = { "" };
    struct bl_trace_step s;

    (void)state;
    assert_string_equal(info->name, "three");
    assert_string_equal(info->format, "csv");
    assert_int_equal(info->step_count, 3);
    assert_int_equal(info->step_ns, 300 * BL_NS_PER_S);
    assert_int_equal(info->vms_alive_max, 3);
    assert_int_equal(info->vm_count_total, 4);
    assert_true(info->has_cpu && !info->has_mem && !info->has_size);

    assert_ok(bl_trace_next(t, &s, &diag));
    assert_int_equal(s.index, 0);
    assert_int_equal(s.arrived_count, 2);
    assert_string_equal(s.arrived[0].name, "web");
    assert_int_equal(s.arrived[1].slot, 1);
    assert_int_equal(s.cpu_ppm[0], 100000);
    assert_int_equal(s.cpu_ppm[1], 205000);
    assert_int_equal(s.cpu_ppm[2], 0);
    assert_null(s.mem_ppm);

    assert_ok(bl_trace_next(t, &s, &diag)); /* web left its slot to batch */
    assert_int_equal(s.departed_count, 1);
    assert_int_equal(s.departed[0], 0);
    assert_string_equal(s.arrived[0].name, "batch");
    assert_int_equal(s.arrived[0].slot, 0);
    assert_int_equal(s.cpu_ppm[0], 400000);

    assert_ok(bl_trace_next(t, &s, &diag)); /* back under another name */
    assert_int_equal(s.departed_count, 0);
    assert_string_equal(s.arrived[0].name, "web#2");
    assert_int_equal(s.arrived[0].slot, 2);
    assert_int_equal(s.cpu_ppm[2], 70000);
    assert_int_equal(bl_trace_next(t, &s, &diag), BL_ERR_END);
    assert_int_equal(bl_trace_next(t, &s, &diag), BL_ERR_END);

    assert_ok(bl_trace_rewind(t, &diag));
    assert_ok(bl_trace_next(t, &s, &diag));
    assert_int_equal(s.index, 0);
    bl_trace_close(t);
    bl_trace_close(NULL);
}

/* --- documented errors ----------------------------------------------- */

static void test_open_refuses(void **state)
{
    const char *fifo = test_path("fifo");
    const struct {
        const char *what, *path, *format;
        bl_err want;
        const char *says;
    } rows[] = {
        { "nothing there", test_path("none"), NULL, BL_ERR_IO,
          "cannot be opened" },
        { "no such format", test_text("a", "1\n"), "swf", BL_ERR_NOENT,
          "no trace format is called 'swf'" },
        { "unknown content", test_text("b", "hello\n"), NULL, BL_ERR_PARSE,
          "in no format that is known, expected one of: columnar planetlab" },
        { "empty file", test_text("c", ""), NULL, BL_ERR_PARSE, "is empty" },
        { "empty, packed", test_packed("d.zst", "zstd", ""), NULL, BL_ERR_PARSE,
          "d.zst: " },
        { "empty folder", test_subfolder("e"), NULL, BL_ERR_PARSE,
          "holds no data" },
        { "not a file", fifo, NULL, BL_ERR_IO, "neither a file nor a folder" },
        { "not a file", fifo, "columnar", BL_ERR_IO, "is not a file" },
        { "folder", test_folder(), "columnar", BL_ERR_IO, "is not a file" },
        { "short", test_text("f", "BLTRACE1"), NULL, BL_ERR_PARSE,
          "truncated" },
        { "text", test_text("g", "0\n"), "columnar", BL_ERR_PARSE,
          "truncated" },
    };

    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct bl_trace_opts opts = { .thread_count = 1,
                                            .format = rows[i].format };
        struct bl_diag diag = { "" };
        struct bl_trace *t = NULL;

        print_message("    row: %s\n", rows[i].what);
        assert_int_equal(bl_trace_open(rows[i].path, &opts, &t, &diag),
                         rows[i].want);
        assert_null(t);
        if (strstr(diag.text, rows[i].says) == NULL)
            fail_msg("'%s' does not say '%s'", diag.text, rows[i].says);
    }
    unlink(fifo);
}

static void test_formats_are_listed(void **state)
{
    const char *name, *text;
    uint32_t n = 0;

    (void)state;
    while (bl_trace_format(n, &name, &text)) {
        assert_true(strlen(name) > 0 && strlen(text) > 0);
        n++;
    }
    assert_int_equal(n, 6);
}

static void test_misuse_asserts(void **state)
{
    const struct bl_trace_opts none = { .thread_count = 0 };
    struct bl_trace_spec spec;
    struct bl_diag diag;
    struct bl_trace *t;

    (void)state;
    bl_trace_spec_default(&spec);
    expect_assert_failure(assert_ok(bl_trace_open("x", &none, &t, &diag)));
    expect_assert_failure(
        assert_ok(bl_trace_open_generated(&spec, 0, &t, &diag)));
}

/* --- the columnar format --------------------------------------------- */

static void assert_same_step(const struct bl_trace_step *a,
                             const struct bl_trace_step *b,
                             const struct bl_trace_info *info)
{
    const size_t row_bytes = info->vms_alive_max * sizeof(uint32_t);

    assert_int_equal(a->index, b->index);
    assert_int_equal(a->departed_count, b->departed_count);
    assert_int_equal(a->arrived_count, b->arrived_count);
    for (uint32_t i = 0; i < a->departed_count; i++)
        assert_int_equal(a->departed[i], b->departed[i]);
    for (uint32_t i = 0; i < a->arrived_count; i++) {
        assert_string_equal(a->arrived[i].name, b->arrived[i].name);
        assert_int_equal(a->arrived[i].slot, b->arrived[i].slot);
        assert_int_equal(a->arrived[i].vcpu_count, b->arrived[i].vcpu_count);
        assert_int_equal(a->arrived[i].vcpu_khz, b->arrived[i].vcpu_khz);
        assert_int_equal(a->arrived[i].mem_bytes, b->arrived[i].mem_bytes);
    }
    if (info->has_cpu)
        assert_memory_equal(a->cpu_ppm, b->cpu_ppm, row_bytes);
    if (info->has_mem)
        assert_memory_equal(a->mem_ppm, b->mem_ppm, row_bytes);
}

/* Step by step the same, and once more after a rewind in the middle. */
static void assert_same_trace(struct bl_trace *a, struct bl_trace *b)
{
    const struct bl_trace_info *info = bl_trace_info(a);
    struct bl_diag diag = { "" };
    struct bl_trace_step x, y;

    for (int round = 0; round < 2; round++) {
        const uint32_t until =
            round == 0 ? info->step_count / 2 : info->step_count;

        assert_ok(bl_trace_rewind(a, &diag));
        assert_ok(bl_trace_rewind(b, &diag));
        for (uint32_t s = 0; s < until; s++) {
            assert_ok(bl_trace_next(a, &x, &diag));
            assert_ok(bl_trace_next(b, &y, &diag));
            assert_same_step(&x, &y, info);
        }
    }
    assert_int_equal(bl_trace_next(b, &y, &diag), BL_ERR_END);
}

static void test_what_is_stored_comes_back(void **state)
{
    static const struct test_churn shapes[] = {
        { 1, 1, true, false, false, 1 },
        { 20, 40, true, true, true, 1 },
        { 200, 100, true, true, false, 2 },
        { 200, 100, true, true, true, 3 },
        { 60, 3000, true, false, false, 2 }, /* several groups */
        { 500, 50, false, true, true, 2 },
        { 500, 50, false, false, true, 2 }, /* events only */
        { 90000, 3, true, true, false, 1 }, /* several blocks */
    };
    const uint64_t seed = test_seed();

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct bl_trace *t = test_churn_open(&shapes[i], seed + i);
        const struct bl_trace_info *info = bl_trace_info(t);
        struct bl_diag diag = { "" };
        const char *path = test_trace_store(t, "random.blt");
        const struct walk w = walk(t, &diag);

        print_message("    shape %zu: %u slots\n", i, info->vms_alive_max);
        assert_int_equal(w.end, BL_ERR_END);
        assert_int_equal(w.content_hash, info->content_hash);
        for (uint32_t threads = 1; threads <= 3; threads++) {
            struct bl_trace *u = test_trace_file(path, threads);
            const struct bl_trace_info *got = bl_trace_info(u);

            assert_string_equal(got->name, "random");
            assert_string_equal(got->format, "columnar");
            assert_string_equal(got->origin, "test");
            assert_int_equal(got->step_count, info->step_count);
            assert_int_equal(got->step_ns, info->step_ns);
            assert_int_equal(got->vms_alive_max, info->vms_alive_max);
            assert_int_equal(got->vm_count_total, info->vm_count_total);
            assert_int_equal(got->content_hash, info->content_hash);
            assert_true(got->has_size == info->has_size);
            assert_same_trace(t, u);
            assert_int_equal(walk(u, &diag).content_hash, w.content_hash);
            bl_trace_close(u);
        }
        bl_trace_close(t);
    }
}

/* Cells cost as many bytes as they need: zeros next to nothing, percentages
 * about one byte, everything else more. */
static void test_width_follows_the_data(void **state)
{
    size_t size[4] = { 0 };

    (void)state;
    for (uint32_t width = 1; width <= 3; width++) {
        const struct test_churn s = { 100, 100, true, false, false, width };
        struct bl_trace *t = test_churn_open(&s, 7);

        free(test_slurp(test_trace_store(t, "width.blt"), &size[width]));
        bl_trace_close(t);
    }
    assert_true(size[1] < size[2] && size[2] < size[3]);
}

static void test_content_hash_knows_every_difference(void **state)
{
    static const char *const texts[] = {
        "t_s,vm,cpu_pct\n0,a,1\n1,a,1\n",
        "t_s,vm,cpu_pct\n0,b,1\n1,b,1\n",           /* name */
        "t_s,vm,cpu_pct\n0,a,1\n1,a,2\n",           /* cell */
        "t_s,vm,cpu_pct\n0,a,1\n2,a,1\n",           /* step */
        "t_s,vm,mem_pct\n0,a,1\n1,a,1\n",           /* column */
        "t_s,vm,cpu_pct,vcpus\n0,a,1,0\n1,a,1,0\n", /* sizes known */
        "t_s,vm,cpu_pct,vcpus\n0,a,1,2\n1,a,1,2\n", /* size */
        "t_s,vm,cpu_pct\n0,a,1\n1,a,1\n2,a,1\n",    /* length */
        "t_s,vm,cpu_pct\n0,a,1\n0,b,1\n1,a,1\n",    /* departure */
        "t_s,vm,cpu_pct\n0,a,1\n0,b,1\n1,a,1\n1,b,1\n",
        "t_s,vm,cpu_pct\n0,b,1\n0,a,1\n1,a,1\n1,b,1\n", /* order */
    };
    enum { N = sizeof(texts) / sizeof(texts[0]) };
    uint64_t hash[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        struct bl_trace *t = test_trace_file(test_text("h.csv", texts[i]), 1);

        hash[i] = bl_trace_info(t)->content_hash;
        bl_trace_close(t);
        for (size_t k = 0; k < i; k++)
            assert_true(hash[i] != hash[k]);
    }
}

/* doc/trace-format.md, byte by byte: files and reports keep this number. */
static const unsigned char page_bytes[] = {
    /* step 0: none departed, one arrived */
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    /* its name: length, bytes */
    2,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    'a',
    'b',
    /* 2 vCPUs, 2.5 GHz = 2500000 kHz, 1 GiB */
    2,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xa0,
    0x25,
    0x26,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x40,
    0,
    0,
    0,
    0,
    /* cells of slot 0: 12.5 % = 125000 ppm, 1 % = 10000 ppm */
    0x48,
    0xe8,
    1,
    0,
    0x10,
    0x27,
    0,
    0,
    /* step 1: it departs, nobody is left */
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    /* c arrives, sizes unknown, 0 % and 100 % = 1000000 ppm */
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    'c',
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x40,
    0x42,
    0x0f,
    0,
    /* 2 steps of 5 s; CPU, memory, sizes */
    2,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xf2,
    0x05,
    0x2a,
    1,
    0,
    0,
    0,
    7,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
};

static void test_content_hash_is_what_the_page_says(void **state)
{
    struct bl_trace *t =
        test_trace_file(test_text("page.csv",
                                  "t_s,vm,cpu_pct,mem_pct,vcpus,mhz,mem_mib\n"
                                  "0,ab,12.5,1,2,2500,1024\n"
                                  "5,c,0,100,0,0,0\n"),
                        1);

    (void)state;
    assert_true(bl_trace_info(t)->content_hash ==
                XXH64(page_bytes, sizeof(page_bytes), 0));
    bl_trace_close(t);
}

/* --- a generated trace is a source like the others ------------------- */

static void test_generated_can_be_stored(void **state)
{
    struct bl_trace_spec spec;
    struct bl_diag diag = { "" };
    struct bl_trace *t, *u;

    (void)state;
    bl_trace_spec_default(&spec);
    spec.vm_count = 300;
    spec.step_count = 50;
    spec.has_mem = true;
    spec.has_size = true;
    assert_ok(bl_trace_open_generated(&spec, 2, &t, &diag));
    u = test_trace_file(test_trace_store(t, "generated.blt"), 2);
    assert_same_trace(t, u);
    assert_int_equal(walk(u, &diag).content_hash,
                     bl_trace_info(u)->content_hash);
    bl_trace_close(u);
    bl_trace_close(t);
}

/* --- writing fails cleanly ------------------------------------------- */

static bool stop_at_two(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)total;
    return done < 2;
}

static void test_a_failed_write_leaves_nothing(void **state)
{
    const struct test_churn s = { 5, 5, true, false, false, 1 };
    struct bl_trace *t = test_churn_open(&s, 3);
    const char *old = test_text("old.blt", "precious");
    const char *folder = test_subfolder("folder.blt");
    const unsigned before = test_file_count();
    struct bl_diag diag = { "" };
    unsigned char *text;
    size_t n;

    (void)state;
    assert_int_equal(bl_trace_write(t, old, stop_at_two, NULL, &diag),
                     BL_ERR_IO);
    assert_non_null(strstr(diag.text, "interrupted after 2 of 5 steps"));
    text = test_slurp(old, &n);
    assert_memory_equal(text, "precious", n);
    free(text);
    assert_int_equal(bl_trace_write(t, folder, NULL, NULL, &diag), BL_ERR_IO);
    assert_int_equal(
        bl_trace_write(t, test_path("no/such/x"), NULL, NULL, &diag),
        BL_ERR_IO);
    assert_non_null(strstr(diag.text, "no/such/x: cannot be written"));
    assert_int_equal(test_file_count(), before);
    assert_ok(bl_trace_write(t, old, NULL, NULL, &diag)); /* replaced */
    assert_int_equal(test_file_count(), before);
    bl_trace_close(test_trace_file(old, 1));
    bl_trace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_vms_in_three_steps),
        cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_formats_are_listed),
        cmocka_unit_test(test_misuse_asserts),
        cmocka_unit_test(test_what_is_stored_comes_back),
        cmocka_unit_test(test_width_follows_the_data),
        cmocka_unit_test(test_content_hash_knows_every_difference),
        cmocka_unit_test(test_content_hash_is_what_the_page_says),
        cmocka_unit_test(test_generated_can_be_stored),
        cmocka_unit_test(test_a_failed_write_leaves_nothing),
    };

    return cmocka_run_group_tests_name("trace", tests, test_group_setup,
                                       test_folder_remove);
}
