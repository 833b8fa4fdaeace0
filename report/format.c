/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, times and names as people read them. */
#include "report/report_priv.h"

#include "base/units.h"

#include <string.h>

enum {
    S_PER_MIN = 60,
    S_PER_HOUR = 3600,
    S_PER_DAY = 86400,
    NS_PER_MS = 1000000,
    NS_PER_US = 1000,
};

static void short_duration(int64_t ns, char *buf, size_t size)
{
    if (ns >= BL_NS_PER_S)
        snprintf(buf, size, "%.3g s", (double)ns / 1e9);
    else if (ns >= NS_PER_MS)
        snprintf(buf, size, "%.3g ms", (double)ns / NS_PER_MS);
    else if (ns >= NS_PER_US)
        snprintf(buf, size, "%.3g us", (double)ns / NS_PER_US);
    else
        snprintf(buf, size, "%lld ns", (long long)ns);
}

void bl__duration(int64_t ns, char *buf, size_t size)
{
    const struct {
        int64_t s;
        const char *name;
    } unit[] = { { S_PER_DAY, "d" },
                 { S_PER_HOUR, "h" },
                 { S_PER_MIN, "min" },
                 { 1, "s" } };
    int64_t s;
    size_t u = 0;

    BL_ASSERT(ns >= 0);
    if (ns < S_PER_MIN * BL_NS_PER_S) {
        short_duration(ns, buf, size);
        return;
    }
    s = (ns + BL_NS_PER_S / 2) / BL_NS_PER_S;
    while (u < 2 && s < unit[u].s)
        u++;

    const long long first = s / unit[u].s;
    const long long rest = s % unit[u].s / unit[u + 1].s;

    if (rest > 0)
        snprintf(buf, size, "%lld %s %lld %s", first, unit[u].name, rest,
                 unit[u + 1].name);
    else
        snprintf(buf, size, "%lld %s", first, unit[u].name);
}

void bl__clock(int64_t ns, char *buf, size_t size)
{
    const long long s = ns / BL_NS_PER_S;
    const int hour = (int)(s % S_PER_DAY / S_PER_HOUR);
    const int minute = (int)(s % S_PER_HOUR / S_PER_MIN);

    if (s >= S_PER_DAY)
        snprintf(buf, size, "%lldd %02d:%02d", s / S_PER_DAY, hour, minute);
    else
        snprintf(buf, size, "%02d:%02d", hour, minute);
}

void bl__quantity(double x, char *buf, size_t size)
{
    const double size_of_x = x < 0 ? -x : x;

    if (size_of_x >= 0.1 || x == 0)
        snprintf(buf, size, "%.2f", x);
    else
        snprintf(buf, size, "%.3g", x);
}

uint32_t bl__utf8_length(const char *s)
{
    const unsigned char *c = (const unsigned char *)s;
    uint32_t n, code, least;

    if (c[0] < 0x80)
        return c[0] != 0;
    if (c[0] >= 0xc2 && c[0] <= 0xdf)
        n = 2, code = c[0] & 0x1fu, least = 0x80;
    else if (c[0] >= 0xe0 && c[0] <= 0xef)
        n = 3, code = c[0] & 0x0fu, least = 0x800;
    else if (c[0] >= 0xf0 && c[0] <= 0xf4)
        n = 4, code = c[0] & 0x07u, least = 0x10000;
    else
        return 0;
    for (uint32_t i = 1; i < n; i++) {
        if ((c[i] & 0xc0u) != 0x80u)
            return 0;
        code = code << 6 | (c[i] & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return n;
}

/* One character of a name: what a terminal could take for a command, and what
 * is not UTF-8 (or is, where only ASCII may be written), becomes '?'. */
static uint32_t one_character(const char *s, bool utf8, const char **as,
                              uint32_t *as_bytes)
{
    const unsigned char first = (unsigned char)s[0];
    const uint32_t n = bl__utf8_length(s);
    const bool c1 = n == 2 && first == 0xc2 && (unsigned char)s[1] < 0xa0;

    *as = s;
    *as_bytes = n;
    if (n == 0 || first < ' ' || first == 0x7f || c1 || (n > 1 && !utf8)) {
        *as = "?";
        *as_bytes = 1;
    }
    return n > 0 ? n : 1;
}

void bl__name(const char *src, uint32_t width, bool utf8, char *buf,
              size_t size)
{
    const char *mark = utf8 ? "\xe2\x80\xa6" : "~";
    const char *as;
    uint32_t as_bytes, chars = 0;
    size_t used = 0, cut_at = 0; /* where the mark would go */

    while (*src != '\0') {
        src += one_character(src, utf8, &as, &as_bytes);
        if (width > 0 && chars == width) {
            used = cut_at;
            if (used + strlen(mark) < size) {
                memcpy(buf + used, mark, strlen(mark));
                used += strlen(mark);
            }
            break;
        }
        if (used + as_bytes >= size)
            break;
        if (chars + 1 == width)
            cut_at = used;
        memcpy(buf + used, as, as_bytes);
        used += as_bytes;
        chars++;
    }
    buf[used] = '\0';
}

void bl__host_name(const struct bl_result *r, uint32_t host, char *buf,
                   size_t size)
{
    uint32_t number = 0;

    BL_ASSERT(host < r->hosts);
    for (uint32_t h = 0; h < host; h++)
        number += r->host[h].group == r->host[host].group;
    snprintf(buf, size, "%s-%u", r->group[r->host[host].group].name, number);
}

const char *bl__worst_reason(const struct bl_vm_result *vm,
                             enum bl_cause *cause)
{
    *cause = (enum bl_cause)0;
    for (uint32_t c = 1; c < BL_CAUSE_COUNT; c++)
        if (vm->unserved_mcycles[c] > vm->unserved_mcycles[*cause])
            *cause = (enum bl_cause)c;
    return bl_vm_unserved(vm) > 0 ? bl_cause_text(*cause)
                                  : "it lacked memory it was entitled to";
}

const char *bl__sgr(const struct bl_style *s, enum bl_sgr code)
{
    static const char *const sequence[] = {
        [BL_SGR_OFF] = "\033[0m",     [BL_SGR_BOLD] = "\033[1m",
        [BL_SGR_DIM] = "\033[2m",     [BL_SGR_GREEN] = "\033[32m",
        [BL_SGR_YELLOW] = "\033[33m",
    };

    return s->colour ? sequence[code] : "";
}
