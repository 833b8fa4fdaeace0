/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace_bitbrains - any bytes as a Bitbrains CSV file. */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes(data, size, "bitbrains");
    return 0;
}
