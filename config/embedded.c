/* SPDX-License-Identifier: Apache-2.0 */
/* config/embedded.c - examples/default.yaml, carried inside the program so that
 * it has something to run without any file. */
#include "config/scenario.h"

const char *bl_scenario_embedded(void)
{
    /* Written by the build: one number for each byte, and the final 0. */
    static const char text[] = {
#include "embedded_scenario.inc"
    };

    return text;
}
