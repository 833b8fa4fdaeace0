/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_topology - topologies of hosts: synthetic ones, those of captured
 * machines (../shared/traces/numa-hwloc, skipped where absent), and what is
 * none.
 */
#define _DEFAULT_SOURCE
#include "tests/test.h"

#include "config/topology.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DATA "../shared/traces/numa-hwloc/"
#define XML_BYTES_MAX (8u << 20)

static struct bl_topo topo;
static struct bl_topology_notes notes;
static struct bl_diag diag;

static bl_err load(const char *text)
{
    memset(&diag, 0, sizeof(diag));
    return bl_topology_load(text, NULL, &topo, &notes, &diag);
}

static void must_load(const char *text)
{
    if (load(text) != BL_ERR_OK)
        fail_msg("%s: %s", text, diag.text);
    bl_topo_check(&topo);
}

/* --- synthetic ---------------------------------------------------------- */

/* Two packages, each one LLC of four cores of two threads. */
static void test_an_example(void **state)
{
    (void)state;
    must_load("pack:2 l3:1 core:4 pu:2");
    assert_int_equal(topo.pcpu_count, 16);
    assert_int_equal(topo.core_count, 8);
    assert_int_equal(topo.llc_count, 2);
    assert_int_equal(topo.node_count, 1);
    assert_int_equal(topo.smt_max, 2);
    assert_int_equal(bl_topo_reach(&topo, 0, 1), BL_REACH_CORE);
    assert_int_equal(bl_topo_reach(&topo, 0, 2), BL_REACH_LLC);
    assert_int_equal(bl_topo_reach(&topo, 7, 8), BL_REACH_NODE);
    assert_false(notes.distances_assumed);
}

/* What bl_topo_grid() makes, hwloc makes too. */
static void test_regular_machines(void **state)
{
    static const struct {
        const char *text;
        uint32_t nodes, llcs, cores, threads;
    } rows[] = {
        { "pu:1", 1, 1, 1, 1 },
        { "16", 1, 1, 16, 1 },
        { "core:16 pu:1", 1, 1, 16, 1 },
        { "core:16 1", 1, 1, 16, 1 },
        { "pack:2 numa:1 l3:1 core:8 pu:2", 2, 1, 8, 2 },
        { "numa:2 l3:4 core:2 pu:1", 2, 4, 2, 1 },
        { "numa:4 pack:1 l3:1 l2:8 core:1 pu:2", 4, 1, 8, 2 },
        { "pack:2 [numa(memory=1GB)] l3:2(size=20MB) core:4 pu:2", 2, 2, 4, 2 },
        { "pack:2 [numa] core:2 pu:4", 2, 1, 2, 4 }, /* no cache: package */
        { "numa:3 core:2 pu:1", 3, 1, 2, 1 },        /* no package: node */
        { "numa:2 l2:3 core:2 pu:2", 2, 3, 2, 2 },   /* no L3: L2 */
        { "numa:2 l1:3 core:1 pu:2", 2, 1, 3, 2 },   /* an L1 is private */
        { "numa:64 core:2 pu:2", 64, 1, 2, 2 },      /* the most there is */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bl_topo want;

        bl_topo_grid(rows[i].nodes, rows[i].llcs, rows[i].cores,
                     rows[i].threads, &want);
        must_load(rows[i].text);
        if (memcmp(&topo, &want, sizeof(want)) != 0)
            fail_msg("%s: %u pCPUs, %u cores, %u LLCs, %u nodes", rows[i].text,
                     topo.pcpu_count, topo.core_count, topo.llc_count,
                     topo.node_count);
    }
}

/* A last-level cache that several nodes share is one for each of them. */
static void test_a_cache_over_two_nodes_is_cut(void **state)
{
    (void)state;
    must_load("l3:2 numa:2 core:3 pu:1");
    assert_int_equal(topo.node_count, 4);
    assert_int_equal(topo.llc_count, 4);
    assert_int_equal(bl_topo_reach(&topo, 2, 3), BL_REACH_HOST);
}

/* --- refusals ----------------------------------------------------------- */

static void test_what_is_no_topology(void **state)
{
    static const char *const parse[] = {
        "",
        " ",
        "foo",
        "pu",
        "pack:2 core:0",
        "pu:-1",
        "pack:2 core:",
        "0",
        "pack:0xffff core:0xffff pu:0xffff",
        "pack:+2",
        "pu:1x",
        "pack:2(pu:1",
        "pack:2[numa pu:2",
        "[",
        "(",
        ":",
        "pack::2",
        "[numa]",
    };
    static const char *const many[] = {
        "core:257 pu:1",
        "pack:2 core:129 1",
        "pack:1000000 core:1000 pu:2",
        "99999999999999999999999999",
        "pack:4(indexes=0,1,2,3) core:65 1",
        "numa:65536 core:65536 pu:65536",
    };
    char text[BL_TOPOLOGY_BYTES + 1];

    (void)state;
    memset(&topo, 0x5a, sizeof(topo));

    const struct bl_topo before = topo;

    for (size_t i = 0; i < COUNT(parse); i++) {
        assert_int_equal(load(parse[i]), BL_ERR_PARSE);
        assert_non_null(strstr(diag.text, "expected"));
    }
    for (size_t i = 0; i < COUNT(many); i++) {
        assert_int_equal(load(many[i]), BL_ERR_INVAL);
        assert_non_null(strstr(diag.text, "more than 256 hardware threads"));
    }
    assert_int_equal(load("numa:65 core:1 pu:1"), BL_ERR_INVAL);
    assert_non_null(strstr(
        diag.text,
        "too many NUMA nodes with hardware threads, expected at most 64"));
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(load(text), BL_ERR_PARSE);
    assert_non_null(strstr(diag.text, "a text of 256 bytes"));
    assert_memory_equal(&topo, &before, sizeof(before));
}

/* A file with @text in it; its path is static. */
static const char *file_with(const char *text)
{
    static char path[64];
    FILE *f;
    int fd;

    snprintf(path, sizeof(path), "/tmp/topology.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void test_files_that_are_none(void **state)
{
    static const struct {
        const char *text, *want;
        bl_err e;
    } rows[] = {
        { "", "expected", BL_ERR_PARSE },
        { "pack:2 core:4 pu:2\n", "expected", BL_ERR_PARSE },
        { "<?xml version=\"1.0\"?>\n<topology version=\"3.0\">\n</topology>\n",
          "has version 3.0 of hwloc's XML, expected at most 2", BL_ERR_PARSE },
        { "<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n</topology>\n",
          "cannot be loaded", BL_ERR_PARSE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = file_with(rows[i].text);

        assert_int_equal(load(path), rows[i].e);
        assert_non_null(strstr(diag.text, rows[i].want));
        unlink(path);
    }
    assert_int_equal(load("no/such.xml"), BL_ERR_IO);
    assert_non_null(strstr(diag.text, "no/such.xml cannot be opened"));
    assert_int_equal(load("/dev/null"), BL_ERR_IO);
    assert_int_equal(load("/tmp/"), BL_ERR_IO);
}

static void test_what_is_a_file(void **state)
{
    (void)state;
    assert_true(bl_topology_is_file("a.xml"));
    assert_true(bl_topology_is_file("dir/a"));
    assert_false(bl_topology_is_file(".xml"));
    assert_false(bl_topology_is_file("pack:2 pu:2"));
}

/* --- captured machines -------------------------------------------------- */

/* What machines.csv says of a file. */
struct machine {
    char file[128];
    unsigned nodes, cores, pus, l3s;
};

/* One line; a field in quotes may have commas. False: not of xml/. */
static bool read_machine(char *line, struct machine *m)
{
    char *field[16] = { line };
    unsigned n = 1;
    bool quoted = false;

    for (char *c = line; *c != '\0' && n < COUNT(field); c++) {
        if (*c == '"')
            quoted = !quoted;
        if (*c != ',' || quoted)
            continue;
        *c = '\0';
        field[n++] = c + 1;
    }
    if (n < 7 || strncmp(field[0], "xml/", 4) != 0)
        return false;
    snprintf(m->file, sizeof(m->file), "%.127s", field[0]);
    m->nodes = (unsigned)strtoul(field[3], NULL, 10);
    m->cores = (unsigned)strtoul(field[4], NULL, 10);
    m->pus = (unsigned)strtoul(field[5], NULL, 10);
    m->l3s = (unsigned)strtoul(field[6], NULL, 10);
    return true;
}

/* Where allowed pCPUs only, or caches cut at nodes, make other counts than
 * machines.csv, which counts every object of the file. */
static const struct {
    const char *file;
    uint32_t pus, cores, llcs;
} differs[] = {
    { "xml/32amd64-4s2n4c-cgroup2.xml", 6, 6, 2 },
    { "xml/irregulargroups-disallowed.xml", 16, 16, 2 },
    { "xml/linux_memorysidecaches.xml", 80, 40, 4 },
    { "xml/memorysidecaches.xml", 80, 40, 4 },
};

static void compare_counts(const struct machine *m)
{
    uint32_t pus = m->pus, cores = m->cores, llcs = m->l3s;
    bool restricted = false;

    for (size_t i = 0; i < COUNT(differs); i++) {
        if (strcmp(differs[i].file, m->file) != 0)
            continue;
        pus = differs[i].pus;
        cores = differs[i].cores;
        llcs = differs[i].llcs;
        restricted = pus != m->pus;
    }
    if (topo.pcpu_count != pus || topo.core_count != cores ||
        (llcs > 0 && topo.llc_count != llcs) ||
        (!restricted && topo.node_count + notes.nodes_left_out != m->nodes))
        fail_msg("%s: %u pCPUs, %u cores, %u LLCs, %u + %u nodes", m->file,
                 topo.pcpu_count, topo.core_count, topo.llc_count,
                 topo.node_count, notes.nodes_left_out);
}

/* hwloc 2 reads what hwloc 3 wrote of these machines once it is called 2. */
static void load_machine(const struct machine *m, bl_err want)
{
    static char text[XML_BYTES_MAX];
    char path[1024], *at;
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), DATA "%s", m->file);
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    assert_true(n < sizeof(text) - 1);
    fclose(f);
    text[n] = '\0';
    at = strstr(text, "<topology version=\"3.0\"");
    if (at != NULL) {
        assert_int_equal(load(path), BL_ERR_PARSE);
        at[strlen("<topology version=\"")] = '2';
        snprintf(path, sizeof(path), "%s", file_with(text));
    }
    if (load(path) != want)
        fail_msg("%s: %s", m->file, diag.text);
    if (at != NULL)
        unlink(path);
}

static void test_captured_machines(void **state)
{
    FILE *f = fopen(DATA "machines.csv", "r");
    char line[1024];
    struct machine m;
    uint32_t n = 0;

    (void)state;
    if (f == NULL) {
        print_message("SKIP: no " DATA "machines.csv\n");
        skip();
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        if (!read_machine(line, &m))
            continue;
        n++;
        if (m.pus > BL_PCPUS_MAX) {
            load_machine(&m, BL_ERR_INVAL);
            continue;
        }
        load_machine(&m, BL_ERR_OK);
        bl_topo_check(&topo);
        compare_counts(&m);
    }
    fclose(f);
    assert_int_equal(n, 28);
}

/* Distances are those of the firmware, between nodes with pCPUs. */
static void test_captured_distances(void **state)
{
    static const char file[] = DATA "xml/linux_96em64t-4no4pa3ca2co.xml";

    (void)state;
    if (access(file, R_OK) != 0) {
        print_message("SKIP: no %s\n", file);
        skip();
    }
    must_load(file);
    assert_false(notes.distances_assumed);
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t k = 0; k < 4; k++)
            assert_int_equal(topo.distance[i][k], i == k ? 10 : 26);
}

/* @d between two nodes of one PU each, as lstopo writes it. */
static void load_with_distances(const char *d)
{
    char text[4096];
    const char *path;

    snprintf(
        text, sizeof(text),
        "<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n"
        "<object type=\"Machine\" os_index=\"0\" cpuset=\"0x3\" "
        "complete_cpuset=\"0x3\" allowed_cpuset=\"0x3\" nodeset=\"0x3\" "
        "complete_nodeset=\"0x3\" allowed_nodeset=\"0x3\" gp_index=\"1\">\n"
        "<object type=\"Package\" os_index=\"0\" cpuset=\"0x1\" "
        "complete_cpuset=\"0x1\" nodeset=\"0x1\" complete_nodeset=\"0x1\" "
        "gp_index=\"2\"><object type=\"NUMANode\" os_index=\"0\" "
        "cpuset=\"0x1\" complete_cpuset=\"0x1\" nodeset=\"0x1\" "
        "complete_nodeset=\"0x1\" gp_index=\"3\"/>"
        "<object type=\"PU\" os_index=\"0\" cpuset=\"0x1\" "
        "complete_cpuset=\"0x1\" nodeset=\"0x1\" complete_nodeset=\"0x1\" "
        "gp_index=\"4\"/></object>\n"
        "<object type=\"Package\" os_index=\"1\" cpuset=\"0x2\" "
        "complete_cpuset=\"0x2\" nodeset=\"0x2\" complete_nodeset=\"0x2\" "
        "gp_index=\"5\"><object type=\"NUMANode\" os_index=\"1\" "
        "cpuset=\"0x2\" complete_cpuset=\"0x2\" nodeset=\"0x2\" "
        "complete_nodeset=\"0x2\" gp_index=\"6\"/>"
        "<object type=\"PU\" os_index=\"1\" cpuset=\"0x2\" "
        "complete_cpuset=\"0x2\" nodeset=\"0x2\" complete_nodeset=\"0x2\" "
        "gp_index=\"7\"/></object>\n</object>\n"
        "<distances2 type=\"NUMANode\" nbobjs=\"2\" kind=\"5\" "
        "name=\"NUMALatency\" indexing=\"os\"><indexes length=\"4\">0 1 "
        "</indexes><u64values length=\"%zu\">%s</u64values></distances2>\n"
        "</topology>\n",
        strlen(d), d);
    path = file_with(text);
    must_load(path);
    unlink(path);
}

static void test_distances_that_cannot_be(void **state)
{
    static const char *const nonsense[] = { "10 10 10 10 ", "20 10 10 20 ",
                                            "10 255 255 10 ", "0 0 0 0 ",
                                            "10 20 9 10 " };

    (void)state;
    load_with_distances("10 31 17 10 ");
    assert_false(notes.distances_assumed);
    assert_int_equal(topo.node_count, 2);
    assert_int_equal(topo.distance[0][1], 31);
    assert_int_equal(topo.distance[1][0], 17);
    for (size_t i = 0; i < COUNT(nonsense); i++) {
        load_with_distances(nonsense[i]);
        assert_true(notes.distances_assumed);
        assert_int_equal(topo.distance[0][0], 10);
        assert_int_equal(topo.distance[0][1], 20);
        assert_int_equal(topo.distance[1][0], 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_example),
        cmocka_unit_test(test_regular_machines),
        cmocka_unit_test(test_a_cache_over_two_nodes_is_cut),
        cmocka_unit_test(test_what_is_no_topology),
        cmocka_unit_test(test_files_that_are_none),
        cmocka_unit_test(test_what_is_a_file),
        cmocka_unit_test(test_captured_machines),
        cmocka_unit_test(test_captured_distances),
        cmocka_unit_test(test_distances_that_cannot_be),
    };

    return cmocka_run_group_tests_name("topology", tests, test_group_setup,
                                       NULL);
}
