/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/report.h - a result as text, as JSON and as CSV.
 *
 * BL_FIGURE_MAP is the one list of the figures of a run: the summary object of
 * the JSON, the statistics over seeds and the comparison of two runs are made
 * from it. doc/report.md says what each one means.
 *
 * Layer        report (L3).
 * Units        in the keys; fractions are 0 .. 1.
 * Ownership    nothing is kept; FILEs are the caller's.
 * Allocation   JSON: inside the call, one row at a time. Others: none.
 * Errors       writers leave failures in the FILE (ferror), for the caller to
 *              find when it closes it; BL_ERR_NOMEM from the JSON ones.
 * Threads      no shared state.
 * Determinism  the same result gives the same bytes, apart from the "cost"
 *              object and the dim line of wall time.
 */
#ifndef BL_REPORT_REPORT_H
#define BL_REPORT_REPORT_H

#include "report/result.h"

#include <math.h>
#include <stdio.h>

/* key, kind, unit, what it is, value (r is the result). NAN: not asked for,
 * or not defined. The order is the order in which they are printed. */
#define BL_FIGURE_MAP(X)                                                       \
    X(energy_kwh, REAL, "kWh", "all energy used", r->energy_kwh)               \
    X(transition_kwh, REAL, "kWh", "of it: switching hosts on and off",        \
      r->transition_kwh)                                                       \
    X(migration_kwh, REAL, "kWh", "of it: live migration", r->migration_kwh)   \
    X(floor_kwh, REAL, "kWh", "the least that could serve all of it",          \
      r->floor_kwh)                                                            \
    X(floor_cycle_kwh, REAL, "kWh", "the same with sleeping and waking",       \
      r->floor_cycle_kwh > 0 ? r->floor_cycle_kwh : NAN)                       \
    X(floor_ratio, REAL, "", "energy over its floor",                          \
      r->floor_kwh > 0 ? r->energy_kwh / r->floor_kwh : NAN)                   \
    X(floor_served_kwh, REAL, "kWh", "the floor of what was served",           \
      r->floor_served_kwh)                                                     \
    X(energy_cost, REAL, "", "energy times price",                             \
      r->price_per_kwh > 0 ? r->energy_kwh * r->price_per_kwh : NAN)           \
    X(co2_kg, REAL, "kg", "energy times carbon intensity",                     \
      r->co2_g_per_kwh > 0 ? r->energy_kwh * r->co2_g_per_kwh / 1000 : NAN)    \
    X(migrations, WHOLE, "", "live migrations", (double)r->migrations)         \
    X(downtime_s, REAL, "s", "VMs stood still for them, in all",               \
      (double)r->downtime_ns / 1e9)                                            \
    X(host_on_count, WHOLE, "", "hosts switched on", (double)r->host_on_count) \
    X(host_off_count, WHOLE, "", "hosts switched off or to standby",           \
      (double)r->host_off_count)                                               \
    X(hosts_on_mean, REAL, "", "hosts powered, mean over time",                \
      bl_result_hosts_on_mean(r))                                              \
    X(slav, REAL, "", "slatah times pdm", r->slav)                             \
    X(slatah, REAL, "", "active host time with less served than asked for",    \
      r->slatah)                                                               \
    X(slatah_corrected, REAL, "", "the same without migration artefacts",      \
      r->slatah_corrected)                                                     \
    X(pdm, REAL, "", "demand lost to live migration", r->pdm)                  \
    X(esv, REAL, "kWh", "energy times slav", r->esv)                           \
    X(overall_sla, REAL, "", "demand not served (cloudsim303)",                \
      r->overall_sla)                                                          \
    X(average_sla, REAL, "",                                                   \
      "mean shortfall where there was one (cloudsim303)", r->average_sla)      \
    X(before_shutdown_s, REAL, "s", "mean time a host was on before",          \
      r->before_shutdown_s)                                                    \
    X(unserved_ppm, REAL, "ppm", "demand that was not served",                 \
      r->unserved_ppm)                                                         \
    X(mem_unserved_ppm, REAL, "ppm", "memory demand that was not backed",      \
      r->mem_unserved_ppm)                                                     \
    X(demand_mcycles, REAL, "Mcycles", "work asked for, within limits",        \
      r->demand_mcycles)                                                       \
    X(served_mcycles, REAL, "Mcycles", "work done", r->served_mcycles)         \
    X(over_limit_mcycles, REAL, "Mcycles", "work asked for beyond limits",     \
      r->over_limit_mcycles)                                                   \
    X(hosts, WHOLE, "", "hosts", (double)r->hosts)                             \
    X(vms, WHOLE, "", "VMs that arrived", (double)r->vms)                      \
    X(vms_ended, WHOLE, "", "VMs that ended before the run did",               \
      (double)r->vms_ended)                                                    \
    X(vms_waited, WHOLE, "", "VMs that found no host at once",                 \
      (double)r->vms_waited)                                                   \
    X(vms_refused, WHOLE, "", "VMs that found no room at all",                 \
      (double)r->vms_refused)                                                  \
    X(actions_refused, WHOLE, "", "actions that were refused",                 \
      (double)bl_result_refused(r))                                            \
    X(steps, WHOLE, "", "intervals in the time series", (double)r->steps)      \
    X(interval_s, REAL, "s", "length of an interval",                          \
      (double)r->interval_ns / 1e9)                                            \
    X(simulated_s, REAL, "s", "time replayed", (double)r->simulated_ns / 1e9)

enum bl_figure {
#define BL_FIGURE_ENUM(key, kind, unit, text, value) BL_FIGURE_##key,
    BL_FIGURE_MAP(BL_FIGURE_ENUM)
#undef BL_FIGURE_ENUM
        BL_FIGURE_COUNT
};

struct bl_figure_def {
    const char *key, *unit, *text;
    bool whole; /* printed as an integer; exact up to 2^53 */
};

/* @i below BL_FIGURE_COUNT. */
const struct bl_figure_def *bl_figure_def(uint32_t i);

/* Fills value[BL_FIGURE_COUNT]; NAN where a figure does not apply. */
void bl_figures(const struct bl_result *r, double *value);

double bl_result_hosts_on_mean(const struct bl_result *r);
uint64_t bl_result_refused(const struct bl_result *r); /* all verdicts */

/* ---- text --------------------------------------------------------------- */

#define BL_REPORT_COLUMNS 80 /* no line is wider */

struct bl_style {
    bool utf8;   /* else ASCII only */
    bool colour; /* SGR sequences */
};

/* The same input under other policies, to set beside a run. */
#define BL_BASELINES_MAX 8u

struct bl_baselines {
    uint32_t count;
    const struct bl_result *r[BL_BASELINES_MAX];
};

/* The whole report of @r, its state hash last. @base: or NULL. */
void bl_report_text(FILE *f, const struct bl_result *r,
                    const struct bl_baselines *base,
                    const struct bl_style *style);

/* The lines that say which run this is: version .. seed. */
void bl_report_identity(FILE *f, const struct bl_identity *id,
                        const struct bl_style *style);

/* One decision, as --explain and journal.csv print it. Names that do not
 * apply are "". */
struct bl_decision {
    int64_t at_ns;
    const char *policy, *vm, *from, *to;
    const struct bl_action *action;
    enum bl_verdict verdict;
};

void bl_report_decision(FILE *f, const struct bl_decision *d,
                        const struct bl_style *style);

/* ---- JSON (doc/report.md is its schema) --------------------------------- */

#define BL_JSON_RUN "ballast-run-1"
#define BL_JSON_SEEDS "ballast-seeds-1"

BL_NODISCARD bl_err bl_report_json(FILE *f, const struct bl_result *r,
                                   const struct bl_baselines *base);

/* ---- CSV (quoted as in RFC 4180; first line: column names) -------------- */

void bl_csv_steps(FILE *f, const struct bl_result *r);

void bl_csv_hosts(FILE *f, const struct bl_result *r);

/* A file that grows during the run: its first line, then a row at a time. */
/* @has_speeds  as the result says. */
void bl_csv_vms_head(FILE *f, bool has_speeds);
void bl_csv_vm(FILE *f, const struct bl_result *r,
               const struct bl_vm_result *vm);
void bl_csv_journal_head(FILE *f);
void bl_csv_decision(FILE *f, const struct bl_decision *d);

#endif /* BL_REPORT_REPORT_H */
