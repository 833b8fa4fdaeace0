/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and names in foreign files. Written by hand because they are most
 * of the time it takes to open a trace, and because strtod() follows the
 * locale and takes "0x1p3", "inf" and " 7": a trace must not.
 */
#include "trace/trace_priv.h"

#include <stdio.h>

enum { PCT_DIGITS_MAX = 5, NAME_HASH_BYTES = 9, NAME_SUFFIX_BYTES = 16 };

const char *bl__quote(struct bl__quote *q, struct bl__text t)
{
    enum { SHOWN = 24 };

    if (t.size_bytes <= SHOWN)
        snprintf(q->text, sizeof(q->text), "%.*s", (int)t.size_bytes,
                 t.size_bytes > 0 ? t.p : "");
    else
        snprintf(q->text, sizeof(q->text), "%.*s...", SHOWN, t.p);
    return q->text;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool bl__parse_u64(struct bl__text t, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (t.size_bytes == 0)
        return false;
    for (size_t i = 0; i < t.size_bytes; i++) {
        const uint64_t digit = (uint64_t)(unsigned char)t.p[i] - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
        if (v > max)
            return false;
    }
    *out = v;
    return true;
}

bool bl__parse_pct(struct bl__text t, uint64_t *ppm)
{
    static const uint64_t scale[] = { 10000, 1000, 100, 10, 1 };
    uint64_t v = 0;
    size_t i = 0;

    while (i < t.size_bytes && is_digit(t.p[i]))
        v = v * 10 + (uint64_t)(t.p[i++] - '0');
    if (i == 0 || i > PCT_DIGITS_MAX)
        return false;
    v *= scale[0];
    if (i < t.size_bytes) {
        const size_t point = i++;

        if (t.p[point] != '.' || i == t.size_bytes)
            return false;
        for (; i < t.size_bytes && is_digit(t.p[i]); i++) {
            const size_t place = i - point;

            if (place <= 4)
                v += (uint64_t)(t.p[i] - '0') * scale[place];
            else if (place == 5)
                v += t.p[i] >= '5';
        }
    }
    if (i < t.size_bytes)
        return false;
    *ppm = v;
    return true;
}

bool bl__parse_fixed(struct bl__text t, unsigned digits, uint64_t *out)
{
    struct bl__text rest = t;
    const struct bl__text whole = bl__cut(&rest, '.');
    const bool has_point = whole.size_bytes < t.size_bytes;
    uint64_t v;

    if (!bl__parse_u64(whole, UINT64_MAX, &v) ||
        (has_point && rest.size_bytes == 0) || rest.size_bytes > digits)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        const int c = i < rest.size_bytes ? rest.p[i] : '0';

        if (c < '0' || c > '9' || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(c - '0');
    }
    *out = v;
    return true;
}

struct bl__text bl__cut(struct bl__text *t, char sep)
{
    const char *end =
        t->size_bytes > 0 ? memchr(t->p, sep, t->size_bytes) : NULL;
    struct bl__text head = *t;

    if (end == NULL) {
        t->p += t->size_bytes;
        t->size_bytes = 0;
        return head;
    }
    head.size_bytes = (size_t)(end - t->p);
    t->p = end + 1;
    t->size_bytes -= head.size_bytes + 1;
    return head;
}

/* How many continuation bytes follow lead byte @c; -1: it cannot lead. */
static int utf8_tail(unsigned char c)
{
    if (c < 0x80)
        return 0;
    if (c >= 0xc2 && c <= 0xdf)
        return 1;
    if (c >= 0xe0 && c <= 0xef)
        return 2;
    return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

/* Beyond the form: no overlong codes, no surrogates, no C1 controls, nothing
 * above U+10FFFF. */
static bool utf8_second_ok(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xc2:
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

bool bl__name_ok(struct bl__text name)
{
    const unsigned char *p = (const unsigned char *)name.p;

    for (size_t i = 0; i < name.size_bytes;) {
        const int tail = utf8_tail(p[i]);

        if (p[i] < ' ' || p[i] == 0x7f || tail < 0 ||
            (size_t)tail >= name.size_bytes - i)
            return false;
        if (tail > 0 && !utf8_second_ok(p[i], p[i + 1]))
            return false;
        for (int k = 1; k <= tail; k++)
            if ((p[i + (size_t)k] & 0xc0) != 0x80)
                return false;
        i += (size_t)tail + 1;
    }
    return name.size_bytes > 0;
}

void bl__name_make(char out[BL_NAME_BYTES], struct bl__text name, uint32_t life)
{
    char suffix[NAME_SUFFIX_BYTES + NAME_HASH_BYTES] = "";
    size_t kept = name.size_bytes;
    int n = 0;

    if (life > 1)
        n = snprintf(suffix, sizeof(suffix), "#%u", life);
    if (kept + (size_t)n >= BL_NAME_BYTES) {
        const uint64_t h = XXH64(name.p, name.size_bytes, 0);
        char tail[NAME_SUFFIX_BYTES];

        memcpy(tail, suffix, sizeof(tail));
        n = snprintf(suffix, sizeof(suffix), "~%08x%s",
                     (unsigned)(h & UINT32_MAX), tail);
        kept = BL_NAME_BYTES - 1 - (size_t)n;
        while (kept > 0 && ((unsigned char)name.p[kept] & 0xc0) == 0x80)
            kept--; /* not in the middle of a character */
    }
    memcpy(out, name.p, kept);
    memcpy(out + kept, suffix, (size_t)n + 1);
}
