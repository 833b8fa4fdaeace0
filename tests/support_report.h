/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_report.h - a result as a run could leave it: every field that
 * a report reads has a value of its own.
 */
#ifndef BL_TESTS_SUPPORT_REPORT_H
#define BL_TESTS_SUPPORT_REPORT_H

#include "report/result.h"

enum { SUPPORT_STEPS = 288, SUPPORT_HOSTS = 6 };

/* Two host groups and three VM groups, names alone. */
void support_report_dc(struct bl_dc *dc);

/* Initialises @a, which the caller frees; NULL when there is no memory. */
struct bl_result *support_report(struct bl_arena *a);

#endif /* BL_TESTS_SUPPORT_REPORT_H */
