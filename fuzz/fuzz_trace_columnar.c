/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_trace_columnar - any bytes as a columnar file: as they are, and with
 * every checksum made right, so that what lies behind the checksums is reached.
 */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

#include "trace/columnar_priv.h"

/* Magic numbers, counts and checksums, group after group. */
static void make_right(unsigned char *f, size_t size)
{
    size_t at = COL_HEADER_BYTES;
    uint32_t group = 0;

    for (; size - at >= COL_GROUP_BYTES; group++) {
        unsigned char *g = f + at;
        const size_t left = size - at - COL_GROUP_BYTES;
        uint64_t payload = col_get(g + COL_GROUP_AT_PAYLOAD, 8);

        if (payload > left)
            payload = left;
        col_put(g + COL_GROUP_AT_MAGIC, 4, COL_GROUP_MAGIC);
        col_put(g + COL_GROUP_AT_INDEX, 4, group);
        col_put(g + COL_GROUP_AT_PAYLOAD, 8, payload);
        col_put(g + COL_GROUP_AT_DATA_HASH, 8,
                XXH64(g + COL_GROUP_BYTES, payload, 0));
        col_put(g + COL_GROUP_AT_HASH, 8, XXH64(g, COL_GROUP_AT_HASH, group));
        at += COL_GROUP_BYTES + payload;
    }
    col_put(f + COL_AT_MAGIC, 8, COL_MAGIC);
    col_put(f + COL_AT_GROUPS, 4, group);
    col_put(f + COL_AT_FILE_BYTES, 8, size);
    col_put(f + COL_AT_HASH, 8, XXH64(f, COL_AT_HASH, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *copy;

    fuzz_bytes(data, size, "columnar");
    if (size < COL_HEADER_BYTES)
        return 0;
    copy = malloc(size);
    BL_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    make_right(copy, size);
    fuzz_bytes(copy, size, "columnar");
    free(copy);
    return 0;
}
