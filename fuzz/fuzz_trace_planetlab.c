/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace_planetlab - any bytes, cut at form feeds, as the VM files of a
 * PlanetLab archive. */
#define _GNU_SOURCE
#include "fuzz/trace_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_members(data, size, "planetlab");
    return 0;
}
