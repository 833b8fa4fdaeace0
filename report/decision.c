/* SPDX-License-Identifier: Apache-2.0 */
/* A decision as --explain prints it: one line, the same columns every time. */
#include "report/report_priv.h"

#include "base/units.h"

enum { S_PER_HOUR = 3600, S_PER_MIN = 60 };

static void put_time(FILE *f, int64_t ns)
{
    const long long ms = ns / (BL_NS_PER_S / 1000);
    const long long s = ms / 1000;

    fprintf(f, "%02lld:%02lld:%02lld.%03lld", s / S_PER_HOUR,
            s % S_PER_HOUR / S_PER_MIN, s % S_PER_MIN, ms % 1000);
}

static void put_who(FILE *f, const struct bl_decision *d, bool utf8)
{
    char vm[BL_TEXT_BYTES], from[BL_TEXT_BYTES], to[BL_TEXT_BYTES];

    bl__name(d->vm, 0, utf8, vm, sizeof(vm));
    bl__name(d->from, 0, utf8, from, sizeof(from));
    bl__name(d->to, 0, utf8, to, sizeof(to));
    if (vm[0] != '\0')
        fprintf(f, " %s", vm);
    if (from[0] != '\0')
        fprintf(f, " from %s", from);
    if (to[0] != '\0')
        fprintf(f, "%s%s", vm[0] != '\0' ? " to " : " ", to);
}

void bl_report_decision(FILE *f, const struct bl_decision *d,
                        const struct bl_style *style)
{
    const struct bl_action *a = d->action;
    const char *separator = " (";

    put_time(f, d->at_ns);
    fprintf(f, "  %s", bl_action_name(a->kind));
    put_who(f, d, style->utf8);
    fprintf(f, ": %s", bl_reason_text(a->reason));
    for (uint32_t i = 0; i < BL_FIGURES; i++) {
        const char *name = bl_reason_figure(a->reason, i);

        if (name[0] == '\0')
            continue;
        fprintf(f, "%s%s=%.6g", separator, name, a->figure[i]);
        separator = " ";
    }
    if (separator[1] == '\0')
        fputc(')', f);
    fprintf(f, "; %s\n", bl_verdict_text(d->verdict));
}
