/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace_archive - any bytes as any file: unpacking, and finding out what
 * it is. */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes(data, size, NULL);
    return 0;
}
