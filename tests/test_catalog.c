/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_catalog - the servers whose measured power can be used by name: sound,
 * found, and, where the published figures are at hand, equal to them.
 */
#include "tests/test.h"

#include "power/catalog.h"

#include <stdio.h>
#include <string.h>

#define PUBLISHED "../shared/traces/specpower/cloudsim_servers.csv"
#define CURVES "../shared/traces/specpower/specpower_curves.csv"

/* --- the example -------------------------------------------------------- */

static void test_a_server_by_name(void **state)
{
    const struct bl_power_table *t =
        bl_power_catalog_find("HpProLiantMl110G5Xeon3075");

    (void)state;
    assert_non_null(t);
    assert_int_equal(t->mw[0], 93700);
    assert_int_equal(t->mw[5], 116000);
    assert_int_equal(t->mw[10], 135000);
    assert_null(bl_power_catalog_find("hpProLiantMl110G5Xeon3075"));
    assert_null(bl_power_catalog_find(""));
}

/* --- every entry -------------------------------------------------------- */

static void test_entries_are_sound_and_unique(void **state)
{
    const struct bl_power_entry *e, *other;
    uint32_t n = 0;

    (void)state;
    for (; (e = bl_power_catalog_entry(n)) != NULL; n++) {
        assert_true(e->table.name[0] != '\0');
        assert_true(strlen(e->table.name) < BL_NAME_BYTES);
        assert_true(e->table.mw[0] > 0);
        for (int i = 1; i < BL_POWER_POINTS; i++)
            assert_true(e->table.mw[i - 1] <= e->table.mw[i]);
        assert_true(bl_power_catalog_find(e->table.name) == &e->table);
        for (uint32_t k = 0; k < n; k++) {
            other = bl_power_catalog_entry(k);
            assert_string_not_equal(e->table.name, other->table.name);
            /* oldest first: the year ends the description */
            assert_true(strcmp(other->about + strlen(other->about) - 4,
                               e->about + strlen(e->about) - 4) <= 0);
        }
    }
    assert_true(n >= 13);
    assert_null(bl_power_catalog_entry(n + 1));
}

/* --- against the published figures -------------------------------------- */

/* Reads 11 numbers after the @skip-th comma of @line into mW. */
static int read_watts(const char *line, int skip, uint32_t *mw)
{
    char *end;

    for (; skip > 0 && line != NULL; skip--) {
        /* vendors such as "Huawei Technologies Co., Ltd" stand in quotes */
        if (*line == '"')
            line = strchr(line + 1, '"');
        line = line != NULL ? strchr(line, ',') : NULL;
        line = line != NULL ? line + 1 : NULL;
    }
    for (int i = 0; line != NULL && i < BL_POWER_POINTS; i++) {
        mw[i] = (uint32_t)(strtod(line, &end) * 1000 + 0.5);
        if (end == line)
            return 0;
        line = end + 1;
    }
    return line != NULL;
}

/* How many lines of @path have exactly the figures of @t. */
static uint32_t lines_with(const char *path, int skip,
                           const struct bl_power_table *t)
{
    FILE *f = fopen(path, "r");
    uint32_t mw[BL_POWER_POINTS], n = 0;
    char line[1024];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (read_watts(line, skip, mw) && memcmp(mw, t->mw, sizeof(mw)) == 0)
            n++;
    fclose(f);
    return n;
}

static void test_figures_are_as_published(void **state)
{
    const struct bl_power_entry *e;
    FILE *f = fopen(PUBLISHED, "r");

    (void)state;
    if (f == NULL) {
        print_message("SKIP: %s is not here\n", PUBLISHED);
        skip();
        return;
    }
    fclose(f);
    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++)
        if (lines_with(PUBLISHED, 1, &e->table) == 0 &&
            lines_with(CURVES, 11, &e->table) == 0)
            fail_msg("%s differs from what was published", e->table.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_by_name),
        cmocka_unit_test(test_entries_are_sound_and_unique),
        cmocka_unit_test(test_figures_are_as_published),
    };

    return cmocka_run_group_tests_name("catalog", tests, test_group_setup,
                                       NULL);
}
