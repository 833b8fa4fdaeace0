/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tune_range - NAME=RANGE, a line each: one line of why not, or points
 * that the policy's own table takes.
 */
#include "manager/registry.h"
#include "tune/objective.h"
#include "tune/pick.h"
#include "tune/space.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 4096 };

static void check_point(const struct bl_params *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        BL_ASSERT(p->value[i] >= p->table[i].min &&
                  p->value[i] <= p->table[i].max);
}

static void check_space(const struct bl_space *s)
{
    const uint64_t n = bl_space_grid_count(s);
    struct bl_params p;
    char text[8192];

    if (n > 0 && n < UINT64_MAX) {
        bl_space_grid(s, 0, &p);
        check_point(&p);
        bl_space_grid(s, n - 1, &p);
        check_point(&p);
    }
    for (uint64_t i = 0; i < 8; i++) {
        bl_space_draw(s, 1, i, &p);
        check_point(&p);
    }
    for (uint32_t k = 0; k < s->dim_count; k++)
        bl_space_dim_print(s, k, text, sizeof(text));
}

static void take_line(struct bl_space *s, char *line)
{
    char *equals = strchr(line, '=');
    const uint32_t dims = s->dim_count;
    struct bl_objectives objectives;
    struct bl_tune_pick pick;
    struct bl_diag diag = { "" };

    if (bl_objectives_parse(line, "x", 1, &objectives, &diag) == BL_ERR_OK &&
        bl_tune_pick_parse(line, &objectives, "x", 1, &pick, &diag) !=
            BL_ERR_OK)
        BL_ASSERT(strncmp(diag.text, "x:1: ", 5) == 0);
    if (equals == NULL)
        return;
    *equals = '\0';
    diag.text[0] = '\0';
    if (bl_space_vary(s, line, equals + 1, "x", 1, &diag) == BL_ERR_OK) {
        BL_ASSERT(s->dim_count == dims + 1);
        return;
    }
    BL_ASSERT(strncmp(diag.text, "x:1: ", 5) == 0);
    BL_ASSERT(s->dim_count == dims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bl_space space;
    const struct bl_policy *policy = NULL;
    char text[TEXT_BYTES];
    struct bl_params base;
    struct bl_diag diag;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    BL_ASSERT(bl_registry_find("consolidate", NULL, 0, &policy, &base, &diag) ==
              BL_ERR_OK);
    memset(&space, 0, sizeof(space));
    bl_space_init(&space, &base);
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        take_line(&space, line);
    }
    check_space(&space);
    return 0;
}
