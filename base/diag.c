/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

bl_err bl_diag_set(struct bl_diag *d, bl_err e, const char *file,
                   unsigned long line, const char *fmt, ...)
{
    int used = 0;
    va_list args;

    d->text[0] = '\0';
    if (file != NULL && line > 0)
        used = snprintf(d->text, sizeof(d->text), "%.200s:%lu: ", file, line);
    else if (file != NULL)
        used = snprintf(d->text, sizeof(d->text), "%.200s: ", file);
    BL_ASSERT(used >= 0 && (size_t)used < sizeof(d->text));
    va_start(args, fmt);
    vsnprintf(d->text + used, sizeof(d->text) - (size_t)used, fmt, args);
    va_end(args);
    for (char *c = d->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return e;
}
