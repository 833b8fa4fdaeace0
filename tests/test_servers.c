/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_servers - a CSV file of measured servers: what is read, what is refused
 * and where, how names are made, and scenarios that use them.
 */
#include "tests/test.h"

#include "base/prng.h"
#include "base/units.h"
#include "config/scenario.h"
#include "config/servers.h"
#include "tests/support_files.h"

#include <stdio.h>
#include <string.h>

#define CURVES "../shared/traces/specpower/specpower_curves.csv"

#define WATTS "w_idle,w_10,w_20,w_30,w_40,w_50,w_60,w_70,w_80,w_90,w_100"
#define OPS                                                                    \
    ",ssj_ops_10,ssj_ops_20,ssj_ops_30,ssj_ops_40,ssj_ops_50,ssj_ops_60,"      \
    "ssj_ops_70,ssj_ops_80,ssj_ops_90,ssj_ops_100"
#define HEAD "src_line,vendor,model,cpu,mhz,cores,mem_gb,hw_year," WATTS
#define CURVE "50,60,66,72,79,86,93,101,110,119,130"
#define ROW "7,Made Up Inc.,Model 5,CPU 9,2400,8,64,2013," CURVE

static struct bl_arena arena;
static struct bl_diag diag;
static struct bl_servers got;

static bl_err parse(const char *text)
{
    bl_arena_free(&arena);
    assert_ok(bl_arena_init(&arena, BL_SERVERS_ARENA_BYTES));
    memset(&got, 0, sizeof(got));
    diag.text[0] = '\0';
    return bl_servers_parse(&arena, text, strlen(text), "s.csv", &got, &diag);
}

static int free_all(void **state)
{
    bl_arena_free(&arena);
    return test_folder_remove(state);
}

/* --- the example -------------------------------------------------------- */

static void test_a_file_of_two(void **state)
{
    const struct bl_server *s;

    (void)state;
    assert_ok(parse(
        HEAD ",remark\n" ROW ",x\r\n\r\n"
             "12,\"Huawei, Ltd\",\"RH \"\"2\"\" (blue, 2 GHz)\",Intel Xeon "
             "E5 2.20 GHz,2200.5,44,0.5,2016," CURVE ",\"a, b\""));
    assert_int_equal(got.count, 2);
    s = bl_servers_find(&got, "made-model-5-9");
    assert_non_null(s);
    assert_ptr_equal(s, bl_servers_find(&got, "line:7"));
    assert_string_equal(s->vendor, "Made Up Inc.");
    assert_string_equal(s->model, "Model 5");
    assert_int_equal(s->core_khz, 2400000);
    assert_int_equal(s->core_count, 8);
    assert_int_equal(s->mem_bytes, INT64_C(64) << 30);
    assert_int_equal(s->year, 2013);
    assert_int_equal(s->power.mw[0], 50000);
    assert_int_equal(s->power.mw[10], 130000);
    s = bl_servers_find(&got, "huawei-rh-2-xeon-e5");
    assert_non_null(s);
    assert_string_equal(s->vendor, "Huawei, Ltd");
    assert_string_equal(s->model, "RH \"2\" (blue, 2 GHz)");
    assert_int_equal(s->core_khz, 2200500);
    assert_int_equal(s->mem_bytes, 512 * BL_MIB);
    assert_ok(parse("\xef\xbb\xbf" HEAD "\n" ROW "\n"));
    assert_non_null(bl_servers_find(&got, "line:7"));
    assert_null(bl_servers_find(&got, "line:8"));
    assert_null(bl_servers_find(&got, "line:"));
    assert_null(bl_servers_find(&got, "line:-7"));
    assert_null(bl_servers_find(&got, ""));
}

/* --- refused ------------------------------------------------------------ */

static void refuses(const char *text, bl_err e, const char *message)
{
    assert_int_equal(parse(text), e);
    if (strstr(diag.text, message) == NULL)
        fail_msg("'%s' is not in '%s'", message, diag.text);
    assert_int_equal(got.count, 0);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    refuses("", BL_ERR_PARSE, "s.csv:1: nothing in it");
    refuses("\n\n", BL_ERR_PARSE, "s.csv:3: nothing in it");
    refuses("a,b\n1,2\n", BL_ERR_PARSE, "s.csv:1: no column 'vendor'");
    refuses("vendor,model,cpu,mhz,cores,mem_gb,hw_year,w_idle\n", BL_ERR_PARSE,
            "s.csv:1: no column 'w_10'");
    refuses("model," HEAD "\n", BL_ERR_PARSE, "column 'model' twice");
    refuses(HEAD ",ssj_ops_20\n", BL_ERR_PARSE, "expected all or none");
    refuses(HEAD "\n", BL_ERR_PARSE, "no server in it");
    refuses(HEAD "\n" ROW "\n\n1,2\n", BL_ERR_PARSE,
            "s.csv:4: 2 fields, expected 19");
    refuses(HEAD "\n" ROW ",1\n", BL_ERR_PARSE, "s.csv:2: 20 fields");
    refuses(HEAD "\n" ROW "\n" ROW "\n", BL_ERR_PARSE,
            "s.csv:3: src_line: 7 for the second time");
    refuses(HEAD "\n7,\"a,b\n", BL_ERR_PARSE, "s.csv:2: a quote that is open");
    refuses(HEAD "\n7,\"a\"b,c\n", BL_ERR_PARSE, "text after a closing quote");
    refuses(HEAD "\n7,a\tb\n", BL_ERR_PARSE, "control character (byte 0x09)");
    refuses("\xef\xbb\xbf", BL_ERR_PARSE, "s.csv:1: nothing in it");
    refuses(HEAD "\n7\rb\n", BL_ERR_PARSE, "control character (byte 0x0d)");
}

/* @n-th field of ROW is @value instead. */
static const char *row_with(int n, const char *value)
{
    static char text[1024];
    const char *s = ROW;
    size_t used = (size_t)snprintf(text, sizeof(text), HEAD "\n");

    for (int i = 0; *s != '\0'; i++) {
        const size_t len = strcspn(s, ",");

        used += (size_t)snprintf(
            text + used, sizeof(text) - used, "%s%.*s", i > 0 ? "," : "",
            i == n ? (int)strlen(value) : (int)len, i == n ? value : s);
        s += len + (s[len] == ',');
    }
    return text;
}

static void test_numbers(void **state)
{
    static const char *const wrong[] = { "",
                                         "nan",
                                         "NaN",
                                         "inf",
                                         "-1",
                                         "1e3",
                                         "0x10",
                                         "1 2",
                                         "1W",
                                         " ",
                                         "+5",
                                         "1.2.3",
                                         "10000000000000000000000000000000" };
    static const struct {
        int column;
        const char *value, *message;
    } range[] = {
        { 0, "0", "src_line: 0 is out of range" },
        { 4, "10001", "mhz: 10001MHz is out of range, expected 1kHz .. 10GHz" },
        { 5, "4097", "cores: 4097 is out of range, expected 1 .. 4096" },
        { 6, "0", "mem_gb: 0GiB is out of range" },
        { 7, "1889", "hw_year: 1889 is out of range" },
        { 8, "0", "w_idle: 0W is out of range, expected 1mW .. 100kW" },
        { 18, "100001", "w_100: 100001W is out of range" },
    };

    (void)state;
    for (int column = 0; column < 19; column++)
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
            if (column == 0 || column > 3)
                refuses(row_with(column, wrong[i]), BL_ERR_PARSE,
                        "is not valid, expected a number");
    for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++)
        refuses(row_with(range[i].column, range[i].value), BL_ERR_INVAL,
                range[i].message);
    assert_ok(parse(row_with(12, "20"))); /* power may fall with load */
    assert_int_equal(got.server[0].power.mw[4], 20000);
}

static void test_too_many(void **state)
{
    static char text[BL_SERVERS_MAX * 64 + 1024];
    size_t n = (size_t)snprintf(text, sizeof(text),
                                "vendor,model,cpu,mhz,"
                                "cores,mem_gb,hw_year," WATTS "\n");

    (void)state;
    for (uint32_t i = 0; i <= BL_SERVERS_MAX; i++) {
        if (i == BL_SERVERS_MAX)
            assert_ok(parse(text));
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "a,b,c,1,1,1,2000,1,1,1,1,1,1,1,1,1,1,1\n");
    }
    /* all alike: each has a name of its own nevertheless */
    assert_int_equal(got.count, BL_SERVERS_MAX);
    assert_string_equal(got.server[0].power.name, "a-b-c");
    assert_string_equal(got.server[4095].power.name, "a-b-c-4096");
    assert_null(bl_servers_find(&got, "line:0"));
    refuses(text, BL_ERR_FULL, "s.csv:4098: too many servers");
}

static void test_too_many_columns(void **state)
{
    char text[1024];

    (void)state;
    memset(text, ',', 200);
    text[200] = '\0';
    refuses(text, BL_ERR_PARSE, "too many fields, expected at most 128");
}

/* --- names -------------------------------------------------------------- */

static void test_names(void **state)
{
    static const struct {
        const char *vendor, *model, *cpu, *name;
    } made[] = {
        { "IBM Corporation", "IBM System x3400 M3", "Intel Xeon X5670",
          "ibm-system-x3400-m3-xeon-x5670" },
        { "Dell Inc.", "PowerEdge R630 (Intel Xeon E5-2699 v3 2.30 GHz)",
          "Intel Xeon E5-2699 v3 2.30 GHz",
          "dell-poweredge-r630-xeon-e5-2699-v3" },
        { "Verari", "RB1305", "Intel Xeon X5570 2.933GHz",
          "verari-rb1305-xeon-x5570" },
        { "A", "B (open", "C.", "a-b-open-c" },
        { "", "--", "()", "unnamed" },
        { "Ürs", "Größe", "AMD EPYC(TM) 7.5", "rs-gr-e-epyc-7.5" },
        /* a name that another would have got */
        { "x", "y", "z", "x-y-z" },
        { "x", "y z 2", "", "x-y-z-2" },
        { "x", "y", "z", "x-y-z-3" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "b", "c",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    };
    static char text[8192];
    size_t n = (size_t)snprintf(text, sizeof(text),
                                "vendor,model,cpu,mhz,"
                                "cores,mem_gb,hw_year," WATTS "\n");

    (void)state;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s,%s,%s,1,1,1,2000," CURVE "\n", made[i].vendor,
                              made[i].model, made[i].cpu);
    assert_ok(parse(text));
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        assert_string_equal(got.server[i].power.name, made[i].name);
}

/* --- the load of best efficiency ----------------------------------------- */

static void test_best_load(void **state)
{
    (void)state;
    assert_ok(parse(HEAD "\n" ROW "\n"));
    assert_int_equal(bl_server_best_load(&got.server[0]), 100);
    assert_ok(parse(row_with(18, "145")));
    assert_int_equal(bl_server_best_load(&got.server[0]), 90);
    /* the operations decide where the file has them */
    assert_ok(parse(HEAD OPS "\n" ROW ",1,2,3,4,5,6,7,9,9,9.6\n"));
    assert_int_equal(got.server[0].ops[10], 10);
    assert_int_equal(bl_server_best_load(&got.server[0]), 80);
}

/* --- in a scenario ------------------------------------------------------- */

static struct bl_scenario scenario; /* too large for a stack */

/* Group a has a power of @power and the keys @more. */
static bl_err read_scenario(const char *servers, const char *power,
                            const char *more)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "%s%s\nhosts: {groups: [{name: a, count: 2, power: %s%s}]}\n"
             "vms: {groups: [{name: v, count: 3, vcpus: 1, speed: 1GHz,"
             " memory: 1GiB}]}\n",
             servers[0] != '\0' ? "servers: " : "", servers, power, more);
    diag.text[0] = '\0';
    return bl_scenario_load(test_text("s.yaml", text), &scenario, &diag);
}

static void test_a_scenario_names_a_server(void **state)
{
    const struct bl_host_group *g = &scenario.dc.host_group[0];
    uint64_t hash;

    (void)state;
    test_text("s.csv", HEAD "\n" ROW "\n");
    assert_ok(read_scenario("s.csv", "made-model-5-9", ""));
    assert_int_equal(g->core_count, 8);
    assert_int_equal(g->core_khz, 2400000);
    assert_int_equal(g->mem_bytes, INT64_C(64) << 30);
    assert_int_equal(g->power.mw[5], 86000);
    assert_string_equal(g->power.name, "made-model-5-9");
    hash = scenario.content_hash;
    assert_ok(read_scenario("s.csv", "line:7", ", cores: 4, memory: 8GiB"));
    assert_int_equal(g->core_count, 4);
    assert_int_equal(g->core_khz, 2400000);
    assert_int_equal(g->mem_bytes, INT64_C(8) << 30);
    /* the built-in ones are still there, and need all keys */
    assert_ok(read_scenario("s.csv", "IbmX3250XeonX3470",
                            ", cores: 4, speed: 2933MHz, memory: 8GiB"));
    /* the same text with other servers is another scenario */
    test_text("s.csv", HEAD "\n" ROW "\n\n");
    assert_ok(read_scenario("s.csv", "made-model-5-9", ""));
    assert_true(scenario.content_hash != hash);
}

static void refuses_scenario(const char *servers, const char *power,
                             const char *more, const char *message)
{
    assert_int_not_equal(read_scenario(servers, power, more), BL_ERR_OK);
    if (strstr(diag.text, message) == NULL)
        fail_msg("'%s' is not in '%s'", message, diag.text);
}

static void test_scenarios_that_are_refused(void **state)
{
    (void)state;
    test_text("s.csv", HEAD "\n" ROW "\n");
    refuses_scenario("nowhere.csv", "x", "", "s.yaml:1: servers: ");
    refuses_scenario("nowhere.csv", "x", "", "nowhere.csv: cannot be opened");
    refuses_scenario("/dev/zero", "x", "", "no file of at most");
    refuses_scenario("[a]", "x", "", "servers: a list, expected");
    refuses_scenario("s.csv", "made-model-5-8", "",
                     "s.yaml:2: power: unknown server 'made-model-5-8', did "
                     "you mean 'made-model-5-9'?");
    refuses_scenario("s.csv", "line:9", "", "unknown server 'line:9'");
    refuses_scenario("", "made-model-5-9", "", "unknown server");
    refuses_scenario("s.csv", "IbmX3250XeonX3470", ", cores: 4, speed: 1GHz",
                     "missing key 'memory' in hosts.groups, expected a size");
    test_text("s.csv", row_with(12, "20"));
    refuses_scenario("s.csv", "line:7", "",
                     "s.yaml:2: power: made-model-5-9 draws less at 40 % CPU");
    test_text("s.csv", row_with(12, "-2"));
    refuses_scenario("s.csv", "line:7", "", "s.csv:2: w_40: '-2' is not valid");
}

/* --- memory, noise ------------------------------------------------------- */

static void test_out_of_memory(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        bl_err e;

        bl_arena_free(&arena);
        assert_ok(bl_arena_init(&arena, BL_SERVERS_ARENA_BYTES));
        arena.fail_after = n;
        e = bl_servers_parse(&arena, HEAD "\n" ROW, strlen(HEAD "\n" ROW),
                             "s.csv", &got, &diag);
        if (e == BL_ERR_OK)
            break;
        assert_int_equal(e, BL_ERR_NOMEM);
        assert_true(n < 10);
    }
}

/* Whatever single bytes are changed: an error with a line, or servers whose
 * names are theirs. */
static void test_damage(void **state)
{
    static const char alphabet[] = ",\"\n\r.0-x (\x80";
    struct bl_prng p = { test_seed() };
    char text[1024];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        snprintf(text, sizeof(text),
                 HEAD "\n" ROW "\n8,a,b,c,1,1,1,2000," CURVE "\n");
        for (uint64_t n = bl_prng_below(&p, 4); n > 0; n--)
            text[bl_prng_below(&p, strlen(text))] =
                alphabet[bl_prng_below(&p, sizeof(alphabet) - 1)];
        if (parse(text) != BL_ERR_OK) {
            assert_int_equal(strncmp(diag.text, "s.csv:", 6), 0);
            continue;
        }
        for (uint32_t i = 0; i < got.count; i++)
            assert_ptr_equal(bl_servers_find(&got, got.server[i].power.name),
                             &got.server[i]);
    }
}

/* --- the published results ------------------------------------------------ */

static void test_published_results(void **state)
{
    const struct bl_server *s;

    (void)state;
    bl_arena_free(&arena);
    assert_ok(bl_arena_init(&arena, BL_SERVERS_ARENA_BYTES));
    if (bl_servers_load(&arena, CURVES, &got, &diag) != BL_ERR_OK) {
        print_message("SKIP: %s\n", diag.text);
        skip();
        return;
    }
    assert_int_equal(got.count, 407);
    s = bl_servers_find(&got, "dell-poweredge-r730-xeon-e5-2699-v4");
    assert_non_null(s);
    assert_int_equal(s->power.mw[0], 44600);
    assert_int_equal(bl_server_best_load(s), 80);
    for (uint32_t i = 0; i < got.count; i++) {
        char line[32];

        s = &got.server[i];
        snprintf(line, sizeof(line), "line:%u", s->src_line);
        assert_ptr_equal(bl_servers_find(&got, line), s);
        assert_ptr_equal(bl_servers_find(&got, s->power.name), s);
        /* the trap: none up to 2009 is best below full load */
        if (s->year <= 2009)
            assert_int_equal(bl_server_best_load(s), 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_of_two),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_too_many_columns),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_best_load),
        cmocka_unit_test(test_a_scenario_names_a_server),
        cmocka_unit_test(test_scenarios_that_are_refused),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_published_results),
    };

    return cmocka_run_group_tests_name("servers", tests, test_group_setup,
                                       free_all);
}
