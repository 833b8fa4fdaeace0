/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace_azure - any bytes, cut at form feeds, as the four files of an
 * Azure V1 folder. */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

static void put(const char *folder, const char *name, const uint8_t *data,
                size_t size)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (data == NULL) {
        unlink(path);
        return;
    }
    f = fopen(path, "wb");
    BL_ASSERT(f != NULL && fwrite(data, 1, size, f) == size);
    fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "flav_map.txt", "v1.interval_map.txt",
                                         "v1.dev.txt", "v1.dev.c90000.txt" };
    char folder[] = P_tmpdir "/ballast-fuzz-XXXXXX";

    BL_ASSERT(mkdtemp(folder) != NULL);
    for (int i = 0; i < 4; i++) {
        const size_t n = fuzz_part(data, size);

        put(folder, names[i], data, n);
        data += n < size ? n + 1 : n;
        size -= n < size ? n + 1 : n;
    }
    fuzz_open(folder, "azure");
    for (int i = 0; i < 4; i++)
        put(folder, names[i], NULL, 0);
    rmdir(folder);
    return 0;
}
