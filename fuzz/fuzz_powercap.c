/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_powercap - any bytes as the text of powercap's files: a number that is
 * taken is what its digits say, a name that is taken is printable, and lines as
 * readings of a counter add up to less than a turn each. */
#include "kvm/powercap_priv.h"

#include <stdio.h>
#include <string.h>

#define RANGE_UJ UINT64_C(262143328850)

static void check_number(const char *bytes, size_t n)
{
    char text[32];
    uint64_t v = 0;
    size_t zeros = 0;

    if (!bl__powercap_number(bytes, n, &v))
        return;
    BL_ASSERT(v <= INT64_MAX);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    while (zeros < n && bytes[zeros] == '0')
        zeros++;
    if (v != 0)
        BL_ASSERT(n - zeros >= strlen(text) &&
                  memcmp(bytes + zeros, text, strlen(text)) == 0);
}

static void check_name(const char *bytes, size_t n)
{
    char name[BL_POWERCAP_NAME_BYTES];

    memset(name, '#', sizeof(name));
    if (!bl__powercap_name(bytes, n, name)) {
        BL_ASSERT(name[0] == '#');
        return;
    }
    BL_ASSERT(memchr(name, '\0', sizeof(name)) != NULL);
    BL_ASSERT(strlen(name) > 0 && strlen(name) <= n);
    for (const char *c = name; *c != '\0'; c++)
        BL_ASSERT(*c > ' ' && *c < 0x7f && *c != '/' && *c != '=');
}

static void check_counter(const char *bytes, size_t n)
{
    struct bl_energy c;
    uint64_t sum = 0;

    bl_energy_start(&c, RANGE_UJ);
    for (size_t i = 0; i < n;) {
        const char *end = memchr(bytes + i, '\n', n - i);
        const size_t length = end != NULL ? (size_t)(end - bytes) - i : n - i;
        uint64_t v = 0, delta = 0;

        if (bl__powercap_number(bytes + i, length, &v)) {
            const bl_err e = bl_energy_add(&c, v, &delta);

            BL_ASSERT((e == BL_ERR_OK) == (v <= RANGE_UJ));
            BL_ASSERT(delta <= RANGE_UJ);
            sum += delta;
        }
        i += length + 1;
    }
    BL_ASSERT(c.total_uj == sum);
}

static void check_find(const char *bytes, size_t n)
{
    static struct bl_powercap p = {
        .zone_count = 3,
        .zone = { { .id = "intel-rapl:0", .path = "package-0" },
                  { .id = "intel-rapl:0:0", .path = "package-0/dram" },
                  { .id = "intel-rapl:1", .path = "package-0" } },
    };
    struct bl_diag diag = { "" };
    char text[64];
    uint32_t index = 77;

    if (n >= sizeof(text))
        return;
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (bl_powercap_find(&p, text, &index, &diag) == BL_ERR_OK)
        BL_ASSERT(index < 3 && diag.text[0] == '\0');
    else
        BL_ASSERT(index == 77 && diag.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;

    check_number(bytes, size);
    check_name(bytes, size);
    check_counter(bytes, size);
    check_find(bytes, size);
    return 0;
}
