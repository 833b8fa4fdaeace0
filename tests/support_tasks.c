/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_tasks.h"

#include "tests/support_files.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

void support_refused(support_read_fn read, const char *text, unsigned line,
                     const char *why)
{
    const char *path = test_text("bad", text);
    char where[300];
    struct bl_arena a;
    struct bl_task_set s, before;
    struct bl_diag diag;

    memset(&s, 0x5a, sizeof(s));
    before = s;
    assert_int_equal(read(path, &a, &s, &diag), BL_ERR_PARSE);
    if (line > 0)
        snprintf(where, sizeof(where), "%s:%u: ", path, line);
    else
        snprintf(where, sizeof(where), "%s: ", path);
    if (strncmp(diag.text, where, strlen(where)) != 0 ||
        strstr(diag.text, why) == NULL ||
        (strstr(diag.text, ", expected ") == NULL &&
         strstr(diag.text, "; expected ") == NULL))
        fail_msg("'%s' for %s, expected line %u: %s", diag.text, text, line,
                 why);
    assert_memory_equal(&s, &before, sizeof(s));
    assert_int_equal(a.used_bytes, 0);
    bl_arena_free(&a);
}
