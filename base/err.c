/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

const char *bl_err_name(bl_err e)
{
    switch (e) {
#define BL_ERR_NAME(name, num, text)                                           \
    case BL_ERR_##name:                                                        \
        return "BL_ERR_" #name;
        BL_ERR_MAP(BL_ERR_NAME)
#undef BL_ERR_NAME
    }
    return "BL_ERR_UNKNOWN";
}

const char *bl_err_text(bl_err e)
{
    switch (e) {
#define BL_ERR_TEXT(name, num, text)                                           \
    case BL_ERR_##name:                                                        \
        return text;
        BL_ERR_MAP(BL_ERR_TEXT)
#undef BL_ERR_TEXT
    }
    return "unknown error";
}

static BL_NORETURN void bl_assert_abort(const char *expr, const char *file,
                                        int line)
{
    fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, expr);
    abort();
}

bl_assert_fn bl_assert_fail = bl_assert_abort;
