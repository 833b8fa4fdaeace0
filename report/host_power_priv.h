/* SPDX-License-Identifier: Apache-2.0 */
/* report/host_power_priv.h - what reports of one host say of its power, where
 * it was modelled. */
#ifndef BL_REPORT_HOST_POWER_PRIV_H
#define BL_REPORT_HOST_POWER_PRIV_H

#include "report/host_report.h"
#include "report/json_priv.h"
#include "report/report_priv.h"

/* The lines below the title. */
void bl__host_power_text(FILE *f, const struct bl_host_result *r);

/* The member "power", and what a VM's row has more. */
void bl__host_power_json(struct bl_json *j, const struct bl_host_result *r);
void bl__host_power_vm_json(struct bl_json *j, json_t *o,
                            const struct bl_host_vm_row *vm);

#endif /* BL_REPORT_HOST_POWER_PRIV_H */
