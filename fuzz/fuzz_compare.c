/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_compare - any bytes as the report of a run: one line of why not, or a
 * run that can be compared with itself and printed. */
#define _POSIX_C_SOURCE 200809L
#include "report/compare.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bl_compared first, second; /* too large for a stack */

static bl_err read_bytes(const uint8_t *data, size_t size,
                         struct bl_compared *out, struct bl_diag *diag)
{
    /* fmemopen() wants a pointer it could write through, but only reads */
    FILE *f = fmemopen((void *)(uintptr_t)data, size, "r");
    bl_err e;

    if (f == NULL)
        return BL_ERR_NOMEM;
    e = bl_compare_read(f, "x.json", out, diag);
    fclose(f);
    return e;
}

/* No line is wider than it may be, none has bytes that harm a terminal. */
static void check_text(const char *text)
{
    uint32_t columns = 0;

    for (; *text != '\0'; text++) {
        columns = *text == '\n' ? 0 : columns + 1;
        BL_ASSERT(columns <= BL_REPORT_COLUMNS);
        BL_ASSERT(*text == '\n' || (*text >= ' ' && *text != 0x7f));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bl_style plain = { false, false };
    static char text[1 << 16];
    struct bl_diag diag = { "" }, again = { "" };
    FILE *f;

    if (size == 0)
        return 0; /* fmemopen() may refuse an empty buffer */

    const bl_err e = read_bytes(data, size, &first, &diag);

    BL_ASSERT(read_bytes(data, size, &second, &again) == e);
    if (e != BL_ERR_OK) {
        BL_ASSERT(e == BL_ERR_PARSE);
        BL_ASSERT(strncmp(diag.text, "x.json:", 7) == 0);
        BL_ASSERT(strcmp(diag.text, again.text) == 0);
        return 0;
    }
    BL_ASSERT(bl_compare_check(&first, &second, &diag) == BL_ERR_OK);
    memset(text, 0, sizeof(text));
    f = fmemopen(text, sizeof(text), "w");
    BL_ASSERT(f != NULL);
    bl_compare_text(f, &first, &second, &plain);
    fclose(f);
    check_text(text);
    return 0;
}
