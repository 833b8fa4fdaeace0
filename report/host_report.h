/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/host_report.h - the result of a run at `level: host` as text, as JSON
 * and as CSV. doc/report.md says what each figure means.
 *
 * Layer        report (L3).
 * Units        text: in the heads; JSON and CSV: in the keys, _ns and counts
 *              as they are in the result.
 * Ownership    nothing is kept; FILEs are the caller's.
 * Allocation   JSON: inside the call, one row at a time. Others: none.
 * Errors       writers leave failures in the FILE (ferror); BL_ERR_NOMEM from
 *              the JSON one.
 * Threads      no shared state.
 * Determinism  the same result gives the same bytes, apart from the "cost"
 *              object and the dim line of wall time.
 * Limits       text: BL_REPORT_COLUMNS wide; a table of every VM up to
 *              BL_HOST_TABLE_VMS of them, the worst BL_HOST_WORST_VMS beyond.
 */
#ifndef BL_REPORT_HOST_REPORT_H
#define BL_REPORT_HOST_REPORT_H

#include "report/host_result.h"
#include "report/report.h"

#define BL_HOST_TABLE_VMS 20u
#define BL_HOST_WORST_VMS 10u

/* The whole report of @r, its state hash last. */
void bl_host_report_text(FILE *f, const struct bl_host_result *r,
                         const struct bl_style *style);

#define BL_JSON_HOST "ballast-host-1"
#define BL_JSON_HOST_SEEDS "ballast-host-seeds-1"

BL_NODISCARD bl_err bl_host_report_json(FILE *f,
                                        const struct bl_host_result *r);

void bl_host_report_csv_vms(FILE *f, const struct bl_host_result *r);
void bl_host_report_csv_vcpus(FILE *f, const struct bl_host_result *r);
void bl_host_report_csv_pcpus(FILE *f, const struct bl_host_result *r);
/* Only where power was modelled. */
void bl_host_report_csv_domains(FILE *f, const struct bl_host_result *r);

/* ---- figures made of others --------------------------------------------- */

/* The VMs @first .. @first + @count - 1 as if they were one; its name, shares
 * and alive_ns are left 0. */
void bl_host_total(const struct bl_host_result *r, uint32_t first,
                   uint32_t count, struct bl_host_vm_row *out);

/* Busy time of all pCPUs (overhead included), and of it overhead. */
int64_t bl_host_busy_ns(const struct bl_host_result *r);
int64_t bl_host_overhead_ns(const struct bl_host_result *r);

/* Where power was modelled: mean power; core time at a P-state; changes. */
uint64_t bl_host_mean_mw(const struct bl_host_result *r);
int64_t bl_host_stay_ns(const struct bl_host_result *r, uint32_t pstate);
uint64_t bl_host_pstate_switches(const struct bl_host_result *r);

/* Migrations of any reach. */
uint64_t bl_host_moves(const struct bl_host_result *r);

/* Time of each state in hundredths of a percent: 10,000 in all, the parts that
 * were cut off given to the states that lost most by it. 0 when there was no
 * time at all. */
void bl_host_state_shares(const int64_t *state_ns, uint32_t *share);

#endif /* BL_REPORT_HOST_REPORT_H */
