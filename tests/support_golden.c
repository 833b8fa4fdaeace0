/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_golden.h"

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

void support_golden(const char *path, const char *got)
{
    const size_t size = strlen(got) + 2; /* one more than it should hold */
    char *want = calloc(1, size + 1);
    FILE *f;

    assert_non_null(want);
    if (getenv("BL_UPDATE_GOLDEN") != NULL) {
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(got, f);
        assert_int_equal(fclose(f), 0);
    }
    f = fopen(path, "r");
    if (f == NULL)
        fail_msg("%s: cannot be read", path);
    want[fread(want, 1, size, f)] = '\0';
    fclose(f);
    assert_string_equal(got, want);
    free(want);
}
