/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/plan.h"

bl_err bl_plan_create(struct bl_arena *a, uint32_t count_max,
                      struct bl_plan *out)
{
    struct bl_action *p = bl_arena_get(a, count_max, sizeof(*p));

    if (p == NULL)
        return BL_ERR_NOMEM;
    *out = (struct bl_plan){ .action = p, .count_max = count_max };
    return BL_ERR_OK;
}

const char *bl_action_name(enum bl_action_kind k)
{
    static const char *const name[] = {
#define BL_ACTION_NAME(id, text, help) text,
        BL_ACTION_MAP(BL_ACTION_NAME)
#undef BL_ACTION_NAME
    };

    BL_ASSERT(k < BL_ACTION_COUNT);
    return name[k];
}

const char *bl_action_help(enum bl_action_kind k)
{
    static const char *const help_text[] = {
#define BL_ACTION_HELP(id, text, help) help,
        BL_ACTION_MAP(BL_ACTION_HELP)
#undef BL_ACTION_HELP
    };

    BL_ASSERT(k < BL_ACTION_COUNT);
    return help_text[k];
}

static const struct {
    const char *text;
    const char *figure[BL_FIGURES];
} reasons[] = {
#define BL_REASON_ROW(id, text, f0, f1, f2) { text, { f0, f1, f2 } },
    BL_REASON_MAP(BL_REASON_ROW)
#undef BL_REASON_ROW
};

const char *bl_reason_text(enum bl_reason r)
{
    BL_ASSERT(r < BL_REASON_COUNT);
    return reasons[r].text;
}

const char *bl_reason_figure(enum bl_reason r, uint32_t i)
{
    BL_ASSERT(r < BL_REASON_COUNT);
    BL_ASSERT(i < BL_FIGURES);
    return reasons[r].figure[i];
}

const char *bl_verdict_text(enum bl_verdict v)
{
    static const char *const text_of[] = {
#define BL_VERDICT_TEXT(id, text) text,
        BL_VERDICT_MAP(BL_VERDICT_TEXT)
#undef BL_VERDICT_TEXT
    };

    BL_ASSERT(v < BL_VERDICT_COUNT);
    return text_of[v];
}
