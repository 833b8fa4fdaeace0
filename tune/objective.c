/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/objective.h"

#include <string.h>

static const struct {
    const char *name, *unit, *text;
} objectives[BL_OBJECTIVE_COUNT] = {
#define ROW(id, name, unit, text) { #name, unit, text },
    BL_OBJECTIVE_MAP(ROW)
#undef ROW
};

const char *bl_objective_name(uint32_t o)
{
    BL_ASSERT(o < BL_OBJECTIVE_COUNT);
    return objectives[o].name;
}

const char *bl_objective_unit(uint32_t o)
{
    BL_ASSERT(o < BL_OBJECTIVE_COUNT);
    return objectives[o].unit;
}

const char *bl_objective_text(uint32_t o)
{
    BL_ASSERT(o < BL_OBJECTIVE_COUNT);
    return objectives[o].text;
}

int bl_objectives_has(const struct bl_objectives *s, enum bl_objective o)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->of[i] == (uint32_t)o)
            return 1;
    return 0;
}

static uint32_t find(const char *word, size_t n)
{
    for (uint32_t o = 0; o < BL_OBJECTIVE_COUNT; o++)
        if (strlen(objectives[o].name) == n &&
            memcmp(objectives[o].name, word, n) == 0)
            return o;
    return BL_OBJECTIVE_COUNT;
}

bl_err bl_objectives_parse(const char *text, const char *file,
                           unsigned long line, struct bl_objectives *out,
                           struct bl_diag *diag)
{
    struct bl_objectives s = { .count = 0 };

    for (;;) {
        const size_t n = strcspn(text, ",");
        const uint32_t o = find(text, n);

        if (o == BL_OBJECTIVE_COUNT)
            return bl_diag_set(diag, BL_ERR_PARSE, file, line,
                               "objectives: '%.*s' is none, expected some of "
                               "energy,slav,unserved,migrations,transitions",
                               n < 60 ? (int)n : 60, text);
        if (bl_objectives_has(&s, (enum bl_objective)o))
            return bl_diag_set(diag, BL_ERR_PARSE, file, line,
                               "objectives: '%s' twice, expected each once",
                               objectives[o].name);
        s.of[s.count++] = o;
        if (text[n] == '\0')
            break;
        text += n + 1;
    }
    *out = s;
    return BL_ERR_OK;
}
