/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support_golden.h"

#include "report/report.h"
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

/* Bytes of UTF-8 that begin a character. */
static uint32_t columns(const char *line, size_t bytes)
{
    uint32_t n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)line[i] & 0xc0u) != 0x80u;
    return n;
}

void support_layout(const char *text)
{
    const char *last = "";

    for (const char *p = text; *p != '\0';) {
        const size_t n = strcspn(p, "\n");

        if (columns(p, n) > BL_REPORT_COLUMNS)
            fail_msg("too wide: %.*s", (int)n, p);
        last = p;
        p += n + (p[n] == '\n');
    }
    assert_int_equal(strncmp(last, "state hash  ", 12), 0);
    assert_int_equal(strncmp(text, "ballast ", 8), 0);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}
