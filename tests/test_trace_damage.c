/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trace_damage - broken columnar files, hostile ones, and no memory.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/test.h"

#include "tests/support_churn.h"
#include "tests/support_files.h"
#include "tests/trace_walk.h"
#include "trace/columnar_priv.h"

#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

static const struct bl_trace_opts plain = { .thread_count = 1, .seed = 1 };

/* --- damage: every byte counts --------------------------------------- */

/* BL_ERR_END only if the file reads to its end. */
static bl_err read_bytes(const void *bytes, size_t n)
{
    const char *path = test_file("damaged.blt", bytes, n);
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;
    bl_err e = bl_trace_open(path, &plain, &t, &diag);

    if (e == BL_ERR_OK) {
        struct bl_trace_step s;

        e = walk(t, &diag).end;
        if (e != BL_ERR_END) /* it stays so */
            assert_int_equal(bl_trace_next(t, &s, &diag), e);
        bl_trace_close(t);
    } else {
        assert_null(t);
    }
    if (e != BL_ERR_END) {
        assert_int_equal(e, BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "damaged.blt") != NULL
                            ? diag.text
                            : strstr(diag.text, "beyond step"));
    }
    return e;
}

static void test_every_flipped_bit_is_found(void **state)
{
    const struct test_churn s = { 12, 20, true, true, true, 2 };
    struct bl_trace *t = test_churn_open(&s, 11);
    size_t n;
    unsigned char *bytes = test_slurp(test_trace_store(t, "small.blt"), &n);

    (void)state;
    bl_trace_close(t);
    assert_int_equal(read_bytes(bytes, n), BL_ERR_END);
    for (size_t i = 0; i < n; i++) {
        if (i < 8)
            continue; /* without its magic number it is no columnar file */
        bytes[i] ^= (unsigned char)(1u << (i % 8));
        if (read_bytes(bytes, n) == BL_ERR_END)
            fail_msg("bit %zu of byte %zu", i % 8, i);
        bytes[i] ^= (unsigned char)(1u << (i % 8));
    }
    for (size_t cut = 8; cut < n; cut += 1 + cut / 64)
        assert_int_equal(read_bytes(bytes, cut), BL_ERR_PARSE);
    free(bytes);
}

static void test_a_file_that_grew_is_refused(void **state)
{
    const struct test_churn s = { 3, 4, true, false, false, 1 };
    struct bl_trace *t = test_churn_open(&s, 5);
    size_t n;
    unsigned char *bytes = test_slurp(test_trace_store(t, "grew.blt"), &n);
    unsigned char *longer = malloc(n + 1);

    (void)state;
    bl_trace_close(t);
    assert_non_null(longer);
    memcpy(longer, bytes, n);
    longer[n] = 0;
    assert_int_equal(read_bytes(longer, n + 1), BL_ERR_PARSE);
    free(longer);
    free(bytes);
}

/* --- hostile: every checksum is right, what it covers is wrong ------- */

/* A file of one group with a CPU column, as its writer wants it to be. The
 * sound one: 2 steps, 2 slots, VMs a and b, which use 1 % and 2 %, then 3 %
 * and 0 %; b departs in step 1 and c takes its slot. */
struct craft {
    /* header */
    uint32_t flags, steps, alive_max, groups;
    uint64_t vms;
    int64_t step_ns;
    char name[BL_NAME_BYTES];
    /* group */
    uint32_t group_steps, slots, departed, arrived, width;
    unsigned char events[128];
    uint32_t events_bytes, events_claimed; /* claimed 0: the truth */
    unsigned char cells[64];
    uint32_t cells_bytes, frame_claimed; /* likewise */
    uint32_t extra_bytes;                /* of the payload, in no frame */
    uint64_t payload_claimed;            /* 0: the truth */
};

static const struct craft sound = {
    .flags = COL_HAS_CPU,
    .steps = 2,
    .alive_max = 2,
    .groups = 1,
    .vms = 3,
    .step_ns = 1000000000,
    .name = "crafted",
    .group_steps = 2,
    .slots = 2,
    .departed = 1,
    .arrived = 3,
    .width = 1,
    .events =
        "\0\2"
        "a\0"
        "b\0"
        "\1\1"
        "\1"
        "c",
    .events_bytes = 11,
    .cells = { 2, 4, 4, 3 }, /* +1 +2 +2 -2 */
    .cells_bytes = 4,
};

static size_t put_frame(unsigned char *to, size_t room,
                        const unsigned char *from, size_t n)
{
    const size_t k = ZSTD_compress(to, room, from, n, 1);

    assert_false(ZSTD_isError(k));
    return k;
}

static void put_group(unsigned char *g, const struct craft *c,
                      uint32_t events_z, uint64_t payload)
{
    col_put(g + COL_GROUP_AT_MAGIC, 4, COL_GROUP_MAGIC);
    col_put(g + COL_GROUP_AT_STEPS, 4, c->group_steps);
    col_put(g + COL_GROUP_AT_SLOTS, 4, c->slots);
    col_put(g + COL_GROUP_AT_DEPARTED, 4, c->departed);
    col_put(g + COL_GROUP_AT_ARRIVED, 4, c->arrived);
    col_put(g + COL_GROUP_AT_EVENTS, 4,
            c->events_claimed > 0 ? c->events_claimed : c->events_bytes);
    col_put(g + COL_GROUP_AT_EVENTS_Z, 4, events_z);
    g[COL_GROUP_AT_WIDTHS] = (unsigned char)c->width;
    col_put(g + COL_GROUP_AT_PAYLOAD, 8,
            c->payload_claimed > 0 ? c->payload_claimed : payload);
    col_put(g + COL_GROUP_AT_DATA_HASH, 8,
            XXH64(g + COL_GROUP_BYTES, payload, 0));
    col_put(g + COL_GROUP_AT_HASH, 8, XXH64(g, COL_GROUP_AT_HASH, 0));
}

static void put_header(unsigned char *h, const struct craft *c, size_t n)
{
    col_put(h + COL_AT_MAGIC, 8, COL_MAGIC);
    col_put(h + COL_AT_FLAGS, 4, c->flags);
    col_put(h + COL_AT_GROUPS, 4, c->groups);
    col_put(h + COL_AT_FILE_BYTES, 8, n);
    col_put(h + COL_AT_STEPS, 4, c->steps);
    col_put(h + COL_AT_ALIVE_MAX, 4, c->alive_max);
    col_put(h + COL_AT_STEP_NS, 8, (uint64_t)c->step_ns);
    col_put(h + COL_AT_VMS, 8, c->vms);
    memcpy(h + COL_AT_NAME, c->name, BL_NAME_BYTES);
    memcpy(h + COL_AT_ORIGIN, "test", 5);
    col_put(h + COL_AT_HASH, 8, XXH64(h, COL_AT_HASH, 0));
}

static bl_err read_crafted(const struct craft *c, struct bl_diag *diag)
{
    unsigned char f[4096] = { 0 };
    unsigned char *g = f + COL_HEADER_BYTES, *p = g + COL_GROUP_BYTES;
    const size_t room = sizeof(f) - (size_t)(p - f) - 4;
    const size_t events_z = put_frame(p + 4, room, c->events, c->events_bytes);
    const size_t cells_z =
        put_frame(p + 4 + events_z, room - events_z, c->cells, c->cells_bytes);
    const size_t payload = 4 + events_z + cells_z + c->extra_bytes;
    struct bl_trace *t = NULL;
    bl_err e;

    col_put(p, 4, c->frame_claimed > 0 ? c->frame_claimed : cells_z);
    put_group(g, c, (uint32_t)events_z, payload);
    put_header(f, c, COL_HEADER_BYTES + COL_GROUP_BYTES + payload);
    diag->text[0] = '\0';
    e = bl_trace_open(test_file("crafted.blt", f,
                                COL_HEADER_BYTES + COL_GROUP_BYTES + payload),
                      &plain, &t, diag);
    if (e == BL_ERR_OK)
        e = walk(t, diag).end;
    bl_trace_close(t);
    return e;
}

static void test_crafted_headers_are_refused(void **state)
{
    struct bl_diag diag;
    struct craft c = sound;

    (void)state;
#define REFUSED(change, says)                                                  \
    do {                                                                       \
        c = sound;                                                             \
        change;                                                                \
        if (read_crafted(&c, &diag) != BL_ERR_PARSE)                           \
            fail_msg("%s: accepted", #change);                                 \
        if (strstr(diag.text, says) == NULL)                                   \
            fail_msg("%s: '%s'", #change, diag.text);                          \
    } while (0)

    assert_int_equal(read_crafted(&c, &diag), BL_ERR_END);
    REFUSED(c.flags |= 8, "impossible values");
    REFUSED(c.steps = 0, "impossible values");
    REFUSED(c.steps = BL_TRACE_STEPS_MAX + 1, "impossible values");
    REFUSED(c.steps = 3, "fewer steps than its header says");
    REFUSED(c.steps = 1, "more than its header says");
    REFUSED(c.alive_max = 0, "impossible values");
    REFUSED(c.alive_max = BL_TRACE_VMS_MAX + 1, "impossible values");
    REFUSED(c.alive_max = 1, "impossible sizes");
    REFUSED(c.groups = 0, "impossible values");
    REFUSED((c.groups = 2), "more than its header says");
    REFUSED(c.vms = 1, "impossible values");
    REFUSED(c.vms = 4, "more than its header says");
    REFUSED(c.step_ns = 0, "impossible values");
    REFUSED(c.step_ns = -1, "impossible values");
    REFUSED(c.step_ns = INT64_MAX, "impossible values");
    REFUSED(c.name[0] = '\0', "impossible values");
    REFUSED(c.name[0] = '\n', "impossible values");
    REFUSED(memset(c.name, 'x', BL_NAME_BYTES), "impossible values");
    REFUSED(c.flags = COL_HAS_MEM, "unknown width");
}

static void test_crafted_groups_are_refused(void **state)
{
    struct bl_diag diag;
    struct craft c = sound;

    (void)state;
    REFUSED(c.width = 0, "unknown width");
    REFUSED(c.width = 4, "unknown width");
    REFUSED(c.width = 2, "cannot be unpacked");
    REFUSED(c.group_steps = 0, "impossible sizes");
    REFUSED(c.group_steps = COL_GROUP_STEPS_MAX + 1, "impossible sizes");
    REFUSED(c.group_steps = 3, "cannot be unpacked");
    REFUSED(c.slots = 3, "impossible sizes");
    REFUSED(c.slots = 1, "cannot be unpacked");
    REFUSED(c.slots = 0, "events that cannot be unpacked");
    REFUSED(c.payload_claimed = 3, "impossible sizes");
    REFUSED(c.payload_claimed = UINT64_MAX, "impossible sizes");
    REFUSED(c.payload_claimed = 20, "wrong checksum");
    REFUSED(c.extra_bytes = 1, "bytes that belong to no block");
    REFUSED(c.frame_claimed = 5000, "impossible sizes");
    REFUSED(c.frame_claimed = 1, "bytes that belong to no block");
    REFUSED(c.events_claimed = UINT32_MAX, "impossible sizes");
    REFUSED(c.events_claimed = 12, "cannot be unpacked");
    REFUSED(c.departed = UINT32_MAX, "more events than its steps");
    REFUSED(c.arrived = 4, "more events than its steps");
    REFUSED(c.arrived = 2, "events cut short");
    REFUSED(c.departed = 0, "events cut short");
    REFUSED(
        (c.alive_max = c.slots = 40000000, c.vms = 40000000, c.group_steps = 1),
        "impossible sizes"); /* so many cells cannot be in there */
    REFUSED(c.cells[0] = 202, "above 100 %"); /* 101 % */
    REFUSED(c.cells[0] = 1, "above 100 %");   /* -1 % */
    REFUSED(c.cells[2] = 200, "above 100 %"); /* 1 % + 100 % */
}

/* Sets the events of both steps. */
#define EVENTS(text)                                                           \
    (memcpy(c.events, text, sizeof(text)), c.events_bytes = sizeof(text) - 1)

static void test_crafted_events_are_refused(void **state)
{
    struct bl_diag diag;
    struct craft c = sound;

    (void)state;
    REFUSED(EVENTS("\0\2a\0b\0\1\1\2c\0"), "departure of no VM");
    REFUSED((EVENTS("\0\2a\0b\0\2\1\1\0c\0"), c.departed = 2),
            "departure of no VM"); /* the same one twice */
    REFUSED(EVENTS("\1\2\0a\0b\0\0\1c\0"), "departure of no VM");
    REFUSED(EVENTS("\0\2\0b\0\1\1\1c\0"), "impossible arrival");
    REFUSED(EVENTS("\0\2\1\0b\0\1\1\1c\0"), "impossible arrival");
    REFUSED(EVENTS("\0\2\xff\0b\0\1\1\1c\0"), "impossible arrival");
    REFUSED(EVENTS("\0\2a\0b\0\1\1\1c"), "impossible arrival");
    REFUSED(EVENTS("\0\3a\0b\0c\0\0\0"), "impossible arrival");
    REFUSED((EVENTS("\0\1a\0\0\2b\0c\0"), c.cells[1] = 0),
            "impossible arrival");
    REFUSED(EVENTS("\0"), "events cut short");
    REFUSED(EVENTS("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
            "events cut short");
    REFUSED(EVENTS("\0\2a\0b\0\1\1\1c\0x"), "more events");
    REFUSED((EVENTS("\0\1a\0\0\0"), c.arrived = 1, c.departed = 0),
            "a value of no VM");
    REFUSED(
        (memset(c.events + 2, 'a', 64), c.events[66] = 0, c.events_bytes = 67),
        "impossible arrival");
    /* a vCPU count of 4097; then a truncated size */
    REFUSED((c.flags |= COL_HAS_SIZE, EVENTS("\0\2a\0\x81\x20\0\0")),
            "impossible arrival");
    REFUSED((c.flags |= COL_HAS_SIZE, EVENTS("\0\2a\0\1\1")),
            "impossible arrival");
}

/* --- faults: every allocation fails once ----------------------------- */

static bl_err read_through(const char *path, const char *copy)
{
    struct bl_diag diag = { "" };
    struct bl_trace *t = NULL;
    struct bl_trace_step s;
    bl_err e = bl_trace_open(path, &plain, &t, &diag);

    if (e == BL_ERR_OK) {
        while ((e = bl_trace_next(t, &s, &diag)) == BL_ERR_OK)
            continue;
        if (e == BL_ERR_END)
            e = bl_trace_write(t, copy, NULL, NULL, &diag);
    } else {
        assert_null(t);
    }
    if (e != BL_ERR_OK)
        assert_true(diag.text[0] != '\0');
    bl_trace_close(t);
    return e;
}

static void fail_each_allocation(const char *path)
{
    char source[512], copy[512];
    bl_err e = BL_ERR_NOMEM;
    unsigned before;
    long n = 0;

    snprintf(source, sizeof(source), "%s", path);
    snprintf(copy, sizeof(copy), "%s", test_path("copy.blt"));
    unlink(copy);
    before = test_file_count();
    for (; e != BL_ERR_OK; n++) {
        assert_int_equal(test_file_count(), before);
        bl__trace_fail_after = n;
        e = read_through(source, copy);
        bl__trace_fail_after = -1;
        if (e != BL_ERR_OK)
            assert_int_equal(e, BL_ERR_NOMEM);
    }
    print_message("    %s: %ld allocations\n", source, n - 1);
    assert_true(n > 5);
}

static void test_every_allocation_may_fail(void **state)
{
    static const struct test_member members[] = {
        { "d/b", "1\n2\n", 0, 0 },
        { "d/a", "3\n100\n", 0, 0 },
    };
    const struct test_churn s = { 5, 9, true, true, true, 2 };
    struct bl_trace *t;

    (void)state;
    fail_each_allocation(test_tar("m.tar.gz", "gzip", members, 2));
    fail_each_allocation(test_text("m.csv",
                                   "t_s,vm,cpu_pct,mem_pct\n0,a,1,2\n0,b,1,3\n"
                                   "5,b,1,4\n10,a,1,5\n10,b,1,5\n"));
    fail_each_allocation(test_text(
        "bb.csv",
        "vm,t_s,cores,cpu_prov_mhz,cpu_pct,mem_prov_kb,mem_used_kb\n"
        "1,300,1,2600,10,1024,512\n1,600,0,0,0,0,0\n1,900,1,2600,1,1,1\n"));
    test_subfolder("az");
    test_text("az/flav_map.txt", "1,2 a\n");
    test_text("az/x.interval_map.txt", "0 0\n300 1\n");
    test_text("az/x.dev.txt", "0 a,|,\n300 a,|,\n");
    test_text("az/x.dev.c600.txt", "0 U1,|,\n300 C0,|,\n");
    fail_each_allocation(test_path("az"));
    t = test_churn_open(&s, 1);
    fail_each_allocation(test_trace_store(t, "columnar.blt"));
    bl_trace_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flipped_bit_is_found),
        cmocka_unit_test(test_a_file_that_grew_is_refused),
        cmocka_unit_test(test_crafted_headers_are_refused),
        cmocka_unit_test(test_crafted_groups_are_refused),
        cmocka_unit_test(test_crafted_events_are_refused),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("trace_damage", tests, test_group_setup,
                                       test_folder_remove);
}
