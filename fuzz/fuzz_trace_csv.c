/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace_csv - any bytes as a generic CSV file. */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes(data, size, "csv");
    return 0;
}
