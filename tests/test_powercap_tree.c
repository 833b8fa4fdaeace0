/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_powercap_tree - kvm/powercap against a tree of plain files, mounted over
 * /sys/class/powercap in a mount namespace of this process's own. Needs root or
 * user namespaces; without either it says so and skips.
 *
 * Order: a server with two packages, then what a counter does over time, then
 * limits, then every way in which files disappoint. What a kernel does with a
 * written limit (clamp it, refuse it) is played by the wrapped setters of
 * libpowercap: a plain file takes anything.
 */
#define _GNU_SOURCE
#include "tests/test.h"

#include "base/units.h"
#include "kvm/powercap_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANGE_UJ UINT64_C(262143328850)
#define ROOT BL_POWERCAP_ROOT "/"
#define PACKAGE_0 "intel-rapl/intel-rapl:0/"
#define DRAM_0 PACKAGE_0 "intel-rapl:0:0/"
#define PACKAGE_1 "intel-rapl/intel-rapl:1/"

static struct bl_powercap zones;
static struct bl_powercap_meter meter;
static const char *cannot; /* why there is no tree */

/* ---- the kernel's side of a write ------------------------------------------
 */

static struct {
    uint64_t at_most_uw; /* clamps a limit; 0: does not */
    int limit_error, window_error;
    int limit_error_after; /* writes that still pass */
} kernel;

int __real_powercap_constraint_set_power_limit_uw(const powercap_constraint *c,
                                                  uint64_t v);
int __wrap_powercap_constraint_set_power_limit_uw(const powercap_constraint *c,
                                                  uint64_t v);
int __real_powercap_constraint_set_time_window_us(const powercap_constraint *c,
                                                  uint64_t v);
int __wrap_powercap_constraint_set_time_window_us(const powercap_constraint *c,
                                                  uint64_t v);

int __wrap_powercap_constraint_set_power_limit_uw(const powercap_constraint *c,
                                                  uint64_t v)
{
    if (kernel.limit_error != 0 && kernel.limit_error_after-- <= 0)
        return -kernel.limit_error;
    if (kernel.at_most_uw != 0 && v > kernel.at_most_uw)
        v = kernel.at_most_uw;
    return __real_powercap_constraint_set_power_limit_uw(c, v);
}

int __wrap_powercap_constraint_set_time_window_us(const powercap_constraint *c,
                                                  uint64_t v)
{
    if (kernel.window_error != 0)
        return -kernel.window_error;
    return __real_powercap_constraint_set_time_window_us(c, v);
}

/* ---- the tree
 * ---------------------------------------------------------------- */

static void put_bytes(const char *name, const void *bytes, size_t n)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), ROOT "%s", name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void put_count(const char *name, uint64_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu\n", (unsigned long long)n);
    put(name, text);
}

static void take_away(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), ROOT "%s", name);
    assert_int_equal(remove(path), 0);
}

static void folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), ROOT "%s", name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void file_in(const char *zone, const char *name, const char *text)
{
    char path[200];

    snprintf(path, sizeof(path), "%s%s", zone, name);
    put(path, text);
}

/* @constraint_count: the first ones of long_term, short_term. */
static void zone(const char *dir, const char *name, int constraint_count)
{
    static const char *const names[] = { "long_term\n", "short_term\n" };
    char file[64];

    folder(dir);
    file_in(dir, "name", name);
    file_in(dir, "enabled", "1\n");
    file_in(dir, "energy_uj", "1000000\n");
    file_in(dir, "max_energy_range_uj", "262143328850\n");
    for (int k = 0; k < constraint_count; k++) {
        snprintf(file, sizeof(file), "constraint_%d_name", k);
        file_in(dir, file, names[k]);
        snprintf(file, sizeof(file), "constraint_%d_power_limit_uw", k);
        file_in(dir, file, "125000000\n");
        snprintf(file, sizeof(file), "constraint_%d_time_window_us", k);
        file_in(dir, file, "999424\n");
        snprintf(file, sizeof(file), "constraint_%d_max_power_uw", k);
        file_in(dir, file, "200000000\n");
    }
}

static int remove_entry(const char *path, const struct stat *s, int type,
                        struct FTW *where)
{
    (void)s;
    (void)type;
    return where->level == 0 ? 0 : remove(path);
}

static int empty(void **state)
{
    (void)state;
    if (cannot != NULL)
        return 0;
    memset(&kernel, 0, sizeof(kernel));
    return nftw(BL_POWERCAP_ROOT, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Two packages with a dram zone each. */
static int server(void **state)
{
    if (cannot != NULL)
        return 0;
    if (empty(state) != 0)
        return -1;
    folder("intel-rapl/");
    put("intel-rapl/enabled", "1\n");
    zone(PACKAGE_0, "package-0\n", 2);
    zone(DRAM_0, "dram\n", 1);
    zone(PACKAGE_1, "package-1\n", 2);
    zone(PACKAGE_1 "intel-rapl:1:0/", "dram\n", 1);
    return 0;
}

/* As Linux shows an EPYC: energy, no constraints. */
static int amd(void **state)
{
    if (cannot != NULL)
        return 0;
    if (empty(state) != 0)
        return -1;
    folder("intel-rapl/");
    put("intel-rapl/enabled", "1\n");
    zone(PACKAGE_0, "package-0\n", 0);
    file_in(PACKAGE_0, "enabled", "0\n");
    file_in(PACKAGE_0, "max_energy_range_uj", "65532610987\n");
    zone(DRAM_0, "core\n", 0);
    return 0;
}

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool ok =
        fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return ok;
}

static const char *own_namespace(void)
{
    char map[40];
    const unsigned uid = geteuid(), gid = getegid();

    if (uid == 0 && unshare(CLONE_NEWNS) == 0)
        return NULL;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return "neither root that may unshare nor user namespaces";
    snprintf(map, sizeof(map), "0 %u 1", uid);
    if (!write_file("/proc/self/uid_map", map) ||
        !write_file("/proc/self/setgroups", "deny"))
        return "no map of users";
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map) ? NULL : "no map of groups";
}

/* The real zones, if any, are hidden from here on. */
static int make_tree(void **state)
{
    struct stat s;

    (void)test_group_setup(state);
    cannot = own_namespace();
    if (cannot == NULL && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        cannot = "/ cannot be made private";
    if (cannot == NULL && stat(BL_POWERCAP_ROOT, &s) != 0 &&
        (mount("none", "/sys", "tmpfs", 0, NULL) != 0 ||
         mkdir("/sys/class", 0755) != 0 || mkdir(BL_POWERCAP_ROOT, 0755) != 0))
        cannot = "no /sys to mount over";
    if (cannot == NULL &&
        mount("none", BL_POWERCAP_ROOT, "tmpfs", 0, "mode=0755") != 0)
        cannot = "nothing may be mounted over " BL_POWERCAP_ROOT;
    if (cannot != NULL)
        print_message("SKIP: %s\n", cannot);
    return 0;
}

/* More than is read of any file. */
#define NINES                                                                  \
    "9999999999999999999999999999999999999999999999999999999999999999999999"

#define NEEDS_TREE()                                                           \
    do {                                                                       \
        (void)state;                                                           \
        if (cannot != NULL)                                                    \
            skip();                                                            \
    } while (0)

static void scan(void)
{
    struct bl_diag diag = { "" };

    if (bl_powercap_scan(&zones, &diag) != BL_ERR_OK)
        fail_msg("%s", diag.text);
}

static void has(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("no '%s' in '%s'", words, text);
}

/* ---- a server
 * ------------------------------------------------------------------ */

static void test_two_packages_with_dram(void **state)
{
    static const char *const ids[] = { "intel-rapl:0", "intel-rapl:0:0",
                                       "intel-rapl:1", "intel-rapl:1:0" };
    static const char *const paths[] = { "package-0", "package-0/dram",
                                         "package-1", "package-1/dram" };

    NEEDS_TREE();
    scan();
    assert_int_equal(zones.zone_count, 4);
    assert_int_equal(zones.fault_count, 0);
    for (uint32_t i = 0; i < 4; i++) {
        const struct bl_powercap_zone *z = &zones.zone[i];
        const bool top = i % 2 == 0;

        assert_string_equal(z->id, ids[i]);
        assert_string_equal(z->path, paths[i]);
        assert_int_equal(z->kind, top ? BL_POWERCAP_PACKAGE : BL_POWERCAP_DRAM);
        assert_int_equal(z->parent, top ? BL_POWERCAP_NO_PARENT : i - 1);
        assert_true(z->enabled);
        assert_true(z->range_uj == RANGE_UJ);
        assert_int_equal(z->constraint_count, top ? 2 : 1);
        assert_string_equal(z->constraint[0].name, "long_term");
        assert_true(z->constraint[0].limit_uw == 125000000);
        assert_true(z->constraint[0].window_us == 999424);
        assert_true(z->constraint[0].max_uw == 200000000);
        assert_true(z->constraint[0].min_uw == 0);
    }
}

/* A package that was taken offline leaves a gap; psys comes after it; the
 * memory controller hub shows package 0 again. */
static void test_gaps_psys_and_mmio(void **state)
{
    uint32_t index = 0;
    struct bl_diag diag;

    NEEDS_TREE();
    zone("intel-rapl/intel-rapl:3/", "psys\n", 2);
    folder("intel-rapl-mmio/");
    put("intel-rapl-mmio/enabled", "0\n");
    zone("intel-rapl-mmio/intel-rapl-mmio:0/", "package-0\n", 2);
    scan();
    assert_int_equal(zones.zone_count, 6);
    assert_string_equal(zones.zone[4].id, "intel-rapl:3");
    assert_int_equal(zones.zone[4].kind, BL_POWERCAP_PSYS);
    assert_string_equal(zones.zone[5].id, "intel-rapl-mmio:0");
    assert_false(zones.zone[5].enabled); /* its control type is off */
    assert_int_equal(bl_powercap_find(&zones, "package-0", &index, &diag),
                     BL_ERR_NOENT);
    has(diag.text, "intel-rapl:0 (package-0), intel-rapl-mmio:0 (package-0)");
    assert_ok(bl_powercap_find(&zones, "psys", &index, &diag));
    assert_int_equal(index, 4);
}

static void test_amd_counts_and_does_not_limit(void **state)
{
    NEEDS_TREE();
    scan();
    assert_int_equal(zones.zone_count, 2);
    assert_int_equal(zones.fault_count, 0);
    assert_int_equal(zones.zone[0].constraint_count, 0);
    assert_int_equal(zones.zone[1].kind, BL_POWERCAP_CORE);
    assert_true(zones.zone[0].range_uj == UINT64_C(65532610987));
    bl_powercap_meter_start(&meter, &zones);
    bl_powercap_meter_read(&meter, &zones, 0);
    put_count(PACKAGE_0 "energy_uj", 1000000 + 280000000);
    bl_powercap_meter_read(&meter, &zones, BL_NS_PER_S);
    assert_true(meter.draw[0].power_uw == 280000000);
}

/* ---- time
 * ------------------------------------------------------------------------ */

static void test_draw_between_two_readings(void **state)
{
    NEEDS_TREE();
    scan();
    bl_powercap_meter_start(&meter, &zones);
    bl_powercap_meter_read(&meter, &zones, 5 * BL_NS_PER_S);
    for (uint32_t i = 0; i < zones.zone_count; i++)
        assert_false(meter.draw[i].known);
    put_count(PACKAGE_0 "energy_uj", 1000000 + 42500000);
    put_count(DRAM_0 "energy_uj", 1000000 + 3000000);
    bl_powercap_meter_read(&meter, &zones, 5 * BL_NS_PER_S + 500000000);
    assert_int_equal(meter.fault_count, 0);
    assert_true(meter.draw[0].known && meter.draw[3].known);
    assert_true(meter.draw[0].energy_uj == 42500000);
    assert_true(meter.draw[0].power_uw == 85000000);
    assert_true(meter.draw[0].elapsed_ns == 500000000);
    assert_true(meter.draw[1].power_uw == 6000000);
    assert_true(meter.draw[2].power_uw == 0);
    /* the same instant again: no time, no power, and nothing divided by it */
    bl_powercap_meter_read(&meter, &zones, 5 * BL_NS_PER_S + 500000000);
    assert_false(meter.draw[0].known);
}

static void test_a_counter_that_wraps(void **state)
{
    NEEDS_TREE();
    put_count(PACKAGE_0 "energy_uj", RANGE_UJ - 40000000);
    scan();
    bl_powercap_meter_start(&meter, &zones);
    bl_powercap_meter_read(&meter, &zones, 0);
    put_count(PACKAGE_0 "energy_uj", 45000000 - 1);
    bl_powercap_meter_read(&meter, &zones, BL_NS_PER_S);
    assert_true(meter.draw[0].power_uw == 85000000);
    assert_true(meter.counter[0].wrap_count == 1);
    assert_true(meter.counter[2].wrap_count == 0);
}

static void test_a_zone_that_vanishes_and_comes_back(void **state)
{
    NEEDS_TREE();
    scan();
    bl_powercap_meter_start(&meter, &zones);
    bl_powercap_meter_read(&meter, &zones, 0);
    take_away(PACKAGE_1 "energy_uj");
    put_count(PACKAGE_0 "energy_uj", 2000000);
    bl_powercap_meter_read(&meter, &zones, BL_NS_PER_S);
    assert_int_equal(meter.fault_count, 1);
    has(meter.fault.text, "/intel-rapl:1/energy_uj: is not there (any more)");
    assert_true(meter.draw[0].power_uw == 1000000);
    assert_false(meter.draw[2].known);
    /* back, from 0: not a wrap, and known from the second reading on */
    put_count(PACKAGE_1 "energy_uj", 0);
    bl_powercap_meter_read(&meter, &zones, 2 * BL_NS_PER_S);
    assert_int_equal(meter.fault_count, 0);
    assert_false(meter.draw[2].known);
    put_count(PACKAGE_1 "energy_uj", 7000000);
    bl_powercap_meter_read(&meter, &zones, 3 * BL_NS_PER_S);
    assert_true(meter.draw[2].power_uw == 7000000);
    assert_true(meter.counter[2].wrap_count == 0);
}

static void test_readings_beyond_the_range(void **state)
{
    NEEDS_TREE();
    take_away(PACKAGE_1 "max_energy_range_uj");
    scan();
    assert_int_equal(zones.fault_count, 0);
    assert_true(zones.zone[2].range_uj == 0);
    bl_powercap_meter_start(&meter, &zones);
    bl_powercap_meter_read(&meter, &zones, 0);
    put_count(PACKAGE_0 "energy_uj", RANGE_UJ + 1);
    bl_powercap_meter_read(&meter, &zones, BL_NS_PER_S);
    assert_int_equal(meter.fault_count, 1);
    has(meter.fault.text, "expected at most 262143328850");
    put_count(PACKAGE_0 "energy_uj", 0);
    put_count(PACKAGE_1 "energy_uj", 5);
    bl_powercap_meter_read(&meter, &zones, 2 * BL_NS_PER_S);
    assert_int_equal(meter.fault_count, 1);
    has(meter.fault.text, "intel-rapl:1: the counter went back from 1000000");
}

/* ---- limits
 * ---------------------------------------------------------------------- */

static bl_err set(uint32_t index, const struct bl_powercap_limit *l,
                  struct bl_powercap_change *change, struct bl_diag *diag)
{
    scan();
    return bl_powercap_limit_set(&zones.zone[index], l, change, diag);
}

static void test_a_limit_is_set_and_read_back(void **state)
{
    const struct bl_powercap_limit l = { .limit_uw = 95000000 };
    const struct bl_powercap_limit burst = { .constraint = "short_term",
                                             .limit_uw = 150000000,
                                             .window_us = 7808 };
    struct bl_powercap_change change = { 0 };
    struct bl_diag diag = { "" };
    char bytes[64];
    FILE *f;

    NEEDS_TREE();
    assert_ok(set(2, &l, &change, &diag));
    assert_true(change.limit_before_uw == 125000000);
    assert_true(change.limit_after_uw == 95000000);
    assert_true(change.window_before_us == 999424);
    assert_true(change.window_after_us == 999424);
    assert_ok(set(2, &burst, &change, &diag));
    assert_true(change.limit_after_uw == 150000000);
    assert_true(change.window_after_us == 7808);
    scan();
    assert_int_equal(zones.fault_count, 0);
    assert_true(zones.zone[2].constraint[0].limit_uw == 95000000);
    assert_true(zones.zone[2].constraint[0].window_us == 999424);
    assert_true(zones.zone[2].constraint[1].limit_uw == 150000000);
    assert_true(zones.zone[2].constraint[1].window_us == 7808);
    assert_true(zones.zone[0].constraint[0].limit_uw == 125000000);
    /* the library wrote more than the digits; a fixed one would pass, too */
    f = fopen(ROOT PACKAGE_1 "constraint_0_power_limit_uw", "r");
    assert_non_null(f);
    assert_true(fread(bytes, 1, sizeof(bytes), f) >= 8);
    assert_memory_equal(bytes, "95000000", 8);
    fclose(f);
}

/* As seen: 24 bytes with something off the stack at 16. */
static void test_stray_bytes_of_the_library(void **state)
{
    NEEDS_TREE();
    put_bytes(PACKAGE_0 "constraint_0_power_limit_uw",
              "95000000\0\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0", 24);
    put_bytes(PACKAGE_0 "constraint_0_time_window_us",
              "976\0\064\0\0\0\0\0\0\0\0\0\0\0\001\177\0\0\0\0\0\0", 24);
    scan();
    assert_int_equal(zones.fault_count, 0);
    assert_true(zones.zone[0].constraint[0].limit_uw == 95000000);
    assert_true(zones.zone[0].constraint[0].window_us == 976);
}

static void test_a_limit_that_the_kernel_clamps(void **state)
{
    const struct bl_powercap_limit l = { .limit_uw = 180000000 };
    struct bl_powercap_change change = { 0 };
    struct bl_diag diag = { "" };

    NEEDS_TREE();
    kernel.at_most_uw = 150000000;
    assert_ok(set(0, &l, &change, &diag));
    assert_true(change.limit_after_uw == 150000000);
    assert_false(bl_powercap_kept(l.limit_uw, change.limit_after_uw));
}

static void test_a_refused_limit_changes_nothing(void **state)
{
    static const struct {
        int error;
        const char *words;
    } rows[] = {
        { EINVAL, "constraint_0_power_limit_uw: cannot be written: Invalid" },
        { EACCES, "nobody where the BIOS has locked them" },
        { EPERM, "permission denied" },
        { ENODEV, "is not there (any more)" },
    };
    const struct bl_powercap_limit l = { .limit_uw = 95000000 };
    struct bl_powercap_change change = { .limit_after_uw = 77 };

    NEEDS_TREE();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bl_diag diag = { "" };

        kernel.limit_error = rows[i].error;
        assert_int_not_equal(set(0, &l, &change, &diag), BL_ERR_OK);
        has(diag.text, rows[i].words);
        assert_true(change.limit_after_uw == 77);
    }
    scan();
    assert_true(zones.zone[0].constraint[0].limit_uw == 125000000);
}

static void test_a_refused_window_takes_the_limit_back(void **state)
{
    const struct bl_powercap_limit l = { .limit_uw = 95000000,
                                         .window_us = 2000000 };
    struct bl_powercap_change change = { .limit_after_uw = 77 };
    struct bl_diag diag = { "" };

    NEEDS_TREE();
    kernel.window_error = EINVAL;
    assert_int_equal(set(0, &l, &change, &diag), BL_ERR_IO);
    has(diag.text, "constraint_0_time_window_us: cannot be written");
    assert_null(strstr(diag.text, "taken back"));
    scan();
    assert_true(zones.zone[0].constraint[0].limit_uw == 125000000);
    assert_true(change.limit_after_uw == 77);
    /* and when even that fails, it says so */
    kernel.limit_error = EIO;
    kernel.limit_error_after = 1;
    assert_int_equal(set(0, &l, &change, &diag), BL_ERR_IO);
    has(diag.text, "could not be taken back to 125.000 W");
}

static void test_a_limit_of_what_is_not_there(void **state)
{
    const struct bl_powercap_limit l = { .limit_uw = 95000000,
                                         .window_us = 2000000 };
    struct bl_powercap_change change;
    struct bl_diag diag = { "" };

    NEEDS_TREE();
    scan();
    take_away(PACKAGE_0 "constraint_0_time_window_us");
    assert_int_equal(bl_powercap_limit_set(&zones.zone[0], &l, &change, &diag),
                     BL_ERR_NOENT);
    has(diag.text, "constraint_0_time_window_us: is not there");
    take_away(PACKAGE_0 "constraint_0_power_limit_uw");
    assert_int_equal(bl_powercap_limit_set(&zones.zone[0], &l, &change, &diag),
                     BL_ERR_NOENT);
}

/* ---- files that disappoint
 * --------------------------------------------------------- */

static void test_nothing_at_all(void **state)
{
    struct bl_diag diag = { "" };

    NEEDS_TREE();
    assert_int_equal(bl_powercap_scan(&zones, &diag), BL_ERR_NOENT);
    has(diag.text, BL_POWERCAP_ROOT ": no zone of intel-rapl or");
    has(diag.text, "a VM is shown none");
    has(diag.text, "modprobe intel_rapl_msr");
    /* the control type alone, as after its driver has found nothing */
    folder("intel-rapl/");
    put("intel-rapl/enabled", "1\n");
    assert_int_equal(bl_powercap_scan(&zones, &diag), BL_ERR_NOENT);
}

static void test_garbage(void **state)
{
    static const char *const bad[] = {
        "abc\n", "-5\n", "", "\n", "12abc\n", "0x10\n", "9223372036854775808\n",
        "1 2\n", NINES,
    };

    NEEDS_TREE();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t v = 77;
        struct bl_diag diag = { "" };

        put(PACKAGE_0 "energy_uj", bad[i]);
        put(PACKAGE_0 "constraint_0_power_limit_uw", bad[i]);
        put(PACKAGE_0 "max_energy_range_uj", bad[i]);
        put(DRAM_0 "enabled", bad[i]);
        scan();
        assert_int_equal(zones.zone_count, 4);
        assert_int_equal(zones.fault_count, 3);
        has(zones.fault.text, "expected a whole number below 2^63");
        assert_true(zones.zone[0].range_uj == 0);
        assert_int_equal(zones.zone[0].constraint_count, 1);
        assert_string_equal(zones.zone[0].constraint[0].name, "short_term");
        assert_int_equal(zones.zone[0].constraint[0].id, 1);
        assert_true(zones.zone[1].enabled);
        assert_int_equal(bl_powercap_energy(&zones.zone[0], &v, &diag),
                         BL_ERR_PARSE);
        has(diag.text, "/intel-rapl:0/energy_uj: holds '");
        assert_true(v == 77);
    }
}

static void test_names_that_are_none(void **state)
{
    struct bl_diag diag = { "" };

    NEEDS_TREE();
    put(PACKAGE_0 "name", "\033[31mpackage\n");
    put(PACKAGE_1 "constraint_1_name", "short term\n");
    scan();
    assert_int_equal(zones.zone_count, 2); /* dram of package 0 goes with it */
    assert_int_equal(zones.fault_count, 2);
    has(zones.fault.text, "intel-rapl:0/name: holds '?[31mpackage");
    assert_string_equal(zones.zone[0].id, "intel-rapl:1");
    assert_int_equal(zones.zone[0].constraint_count, 1);
    put(PACKAGE_1 "name", "");
    assert_int_equal(bl_powercap_scan(&zones, &diag), BL_ERR_PARSE);
    has(diag.text, "intel-rapl:0/name");
}

static void test_a_pipe_and_a_folder_do_not_block(void **state)
{
    struct bl_diag diag = { "" };
    uint64_t v = 77;

    NEEDS_TREE();
    take_away(PACKAGE_0 "energy_uj");
    assert_int_equal(mkfifo(ROOT PACKAGE_0 "energy_uj", 0644), 0);
    take_away(PACKAGE_1 "energy_uj");
    folder(PACKAGE_1 "energy_uj");
    scan();
    assert_int_equal(bl_powercap_energy(&zones.zone[0], &v, &diag), BL_ERR_IO);
    has(diag.text, "energy_uj: cannot be read: ");
    assert_int_equal(bl_powercap_energy(&zones.zone[2], &v, &diag), BL_ERR_IO);
    has(diag.text, "Is a directory");
}

/* Since Linux 5.10 energy_uj has mode 0400; limits can be seen by all. */
static void test_energy_is_for_root(void **state)
{
    const struct bl_powercap_limit l = { .limit_uw = 95000000 };
    struct bl_powercap_change change;
    struct bl_diag diag = { "" }, limit_diag = { "" };
    uint64_t v = 77;
    bl_err e, limit_e;

    NEEDS_TREE();
    assert_int_equal(chmod(ROOT PACKAGE_0 "energy_uj", 0400), 0);
    if (seteuid(65534) != 0) {
        print_message("SKIP: there is no other user here\n");
        skip();
    }
    scan();
    e = bl_powercap_energy(&zones.zone[0], &v, &diag);
    limit_e = bl_powercap_limit_set(&zones.zone[0], &l, &change, &limit_diag);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(zones.zone_count, 4);
    assert_int_equal(zones.fault_count, 0);
    assert_int_equal(e, BL_ERR_IO);
    has(diag.text, "permission denied: since Linux 5.10 energy is for root");
    assert_int_equal(limit_e, BL_ERR_IO);
    has(limit_diag.text, "only root sets limits");
}

static void test_a_switch_that_is_off(void **state)
{
    NEEDS_TREE();
    put(PACKAGE_0 "enabled", "0\n");
    scan();
    assert_false(zones.zone[0].enabled);
    assert_true(zones.zone[2].enabled);
    put("intel-rapl/enabled", "0\n");
    scan();
    assert_false(zones.zone[2].enabled);
    take_away("intel-rapl/enabled");
    take_away(PACKAGE_0 "enabled");
    scan();
    assert_true(zones.zone[0].enabled);
}

/* The most that may be scanned, and one more. */
static void test_more_zones_than_there_is_room_for(void **state)
{
    char dir[120];

    NEEDS_TREE();
    folder("intel-rapl/");
    for (unsigned i = 0; i < 15; i++) {
        snprintf(dir, sizeof(dir), "intel-rapl/intel-rapl:%u/", i);
        zone(dir, "package-0\n", 0);
        for (unsigned k = 0; k < BL_POWERCAP_SUB_MAX; k++) {
            snprintf(dir, sizeof(dir),
                     "intel-rapl/intel-rapl:%u/intel-rapl:%u:%u/", i, i, k);
            zone(dir, "core\n", 0);
        }
    }
    scan();
    assert_int_equal(zones.zone_count, BL_POWERCAP_ZONES_MAX);
    assert_int_equal(zones.fault_count, 15 * 9 - BL_POWERCAP_ZONES_MAX);
    has(zones.fault.text, "more than 128 zones");
}

int main(void)
{
#define ON(tree, test) cmocka_unit_test_setup(test, tree)
    const struct CMUnitTest tests[] = {
        ON(server, test_two_packages_with_dram),
        ON(server, test_gaps_psys_and_mmio),
        ON(amd, test_amd_counts_and_does_not_limit),
        ON(server, test_draw_between_two_readings),
        ON(server, test_a_counter_that_wraps),
        ON(server, test_a_zone_that_vanishes_and_comes_back),
        ON(server, test_readings_beyond_the_range),
        ON(server, test_a_limit_is_set_and_read_back),
        ON(server, test_stray_bytes_of_the_library),
        ON(server, test_a_limit_that_the_kernel_clamps),
        ON(server, test_a_refused_limit_changes_nothing),
        ON(server, test_a_refused_window_takes_the_limit_back),
        ON(server, test_a_limit_of_what_is_not_there),
        ON(empty, test_nothing_at_all),
        ON(server, test_garbage),
        ON(server, test_names_that_are_none),
        ON(server, test_a_pipe_and_a_folder_do_not_block),
        ON(server, test_energy_is_for_root),
        ON(server, test_a_switch_that_is_off),
        ON(empty, test_more_zones_than_there_is_room_for),
    };

    return cmocka_run_group_tests_name("powercap_tree", tests, make_tree, NULL);
}
