/* SPDX-License-Identifier: Apache-2.0 */
/* report/floor_priv.h - the joint bound, for report/floor*.c. */
#ifndef BL_REPORT_FLOOR_PRIV_H
#define BL_REPORT_FLOOR_PRIV_H

#include "report/floor.h"

/** bl__floor_joint - the least watts for CPU and memory together, never above
 * the exact optimum in spite of rounding.
 * @shift_w  [groups] watts more (or less) for each awake host; NULL: none
 * @awake    [groups] out: hosts awake in a cheapest placement; NULL: not asked
 */
double bl__floor_joint(const struct bl_floor *f, double cpu_mhz, double mem_mib,
                       const double *shift_w, double *awake);

#endif /* BL_REPORT_FLOOR_PRIV_H */
