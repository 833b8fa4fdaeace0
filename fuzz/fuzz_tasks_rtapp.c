/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tasks_rtapp - any bytes as an rt-app file. */
#define _GNU_SOURCE
#include "fuzz/tasks_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_tasks(data, size, bl_tasks_read_rtapp);
    return 0;
}
