/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/trace.h - workloads as a stream of steps, whatever file they came in.
 *
 * A trace is a sequence of equal steps. Each step brings arrivals, departures
 * and, for every VM alive, its CPU and memory use in that step. VMs live in
 * slots 0 .. vms_alive_max - 1: an arrival takes the lowest free slot, a
 * departure frees it (before the arrivals of the same step). A trace whose VMs
 * all live from its first step to its last (PlanetLab) thus has slot == number
 * of its file in name order.
 *
 * Layer        trace (L2); includes base and hv only.
 * Units        cpu in ppm of the VM's own size (all vCPUs at vcpu_khz); memory
 *              in ppm of its own mem_bytes; 0 .. 1000000, never more. _ns,
 *              _khz, _bytes. A size that the source does not know is 0.
 * Ownership    bl_trace_open*() allocate, bl_trace_close() frees. The arrays
 *              of a bl_trace_step belong to the trace and are valid until the
 *              next bl_trace_next() or bl_trace_close().
 * Allocation   malloc; a columnar file or a generated trace is read as a
 *              stream: memory depends on vms_alive_max, not on the number of
 *              steps. A foreign format is converted on opening: a small one in
 *              memory, beyond 32 MiB a column in unlinked files in tmp_dir.
 * Errors       bl_err, with one line for the user in the diag: FILE:LINE: what
 *              is wrong, what was expected. Damage to a columnar file (bit
 *              flips, truncation) is found by checksums and reported.
 * Threads      one thread per bl_trace; inside, decoding uses thread_count.
 * Determinism  the same bytes (or spec and seed) give the same stream for any
 *              thread_count; content_hash identifies it.
 * Limits       BL_TRACE_VMS_MAX alive, BL_TRACE_STEPS_MAX, names of less than
 *              BL_NAME_BYTES bytes of UTF-8 without control characters (longer
 *              ones are cut and made unique); the sizes of hv/model.h;
 *              BL_TRACE_SOURCE_BYTES_MAX for what a foreign file unpacks to.
 */
#ifndef BL_TRACE_TRACE_H
#define BL_TRACE_TRACE_H

#include "base/diag.h"
#include "hv/model.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_TRACE_VMS_MAX BL_VMS_MAX
#define BL_TRACE_STEPS_MAX 10000000u
#define BL_TRACE_SOURCE_BYTES_MAX (UINT64_C(1) << 37) /* 128 GiB */

struct bl_trace; /* opaque */

/* What had to be mended in a foreign file; each format's page says when. */
struct bl_trace_repairs {
    uint64_t cpu_clamped_count; /* rows above 100 % CPU, taken as 100 % */
    uint64_t mem_clamped_count; /* rows using more memory than there is */
    uint64_t repeated_count;    /* rows dropped: timestamp of the row before */
    uint64_t crowded_count;     /* rows dropped: their step had one already */
    uint64_t gap_count;         /* silences of more than two steps */
    uint64_t held_count;        /* steps filled with the value before */
    uint64_t off_count;         /* rows of VMs that are switched off */
};

struct bl_trace_info {
    char name[BL_NAME_BYTES];   /* base name of the source, or of the spec */
    char format[BL_NAME_BYTES]; /* "columnar", "planetlab", "generated", ... */
    char origin[BL_NAME_BYTES]; /* format of the source of a columnar file */
    uint32_t step_count;
    int64_t step_ns;
    uint32_t vms_alive_max;  /* slots */
    uint64_t vm_count_total; /* arrivals over the whole trace */
    bool has_cpu;  /* false: cpu_ppm is NULL, VMs are taken as fully used */
    bool has_mem;  /* false: mem_ppm is NULL, VMs use all their memory */
    bool has_size; /* VMs carry vcpu_count, vcpu_khz and mem_bytes */
    uint64_t content_hash; /* of all steps: independent of file and codec */
    struct bl_trace_repairs repairs;
};

struct bl_trace_vm {
    const char *name; /* unique in the trace */
    uint32_t slot;
    uint32_t vcpu_count; /* 0 where unknown; so are the next two */
    uint64_t vcpu_khz;
    uint64_t mem_bytes;
};

struct bl_trace_step {
    uint32_t index;           /* 0 .. step_count - 1 */
    const uint32_t *departed; /* slots, ascending; departed before this step */
    uint32_t departed_count;
    const struct bl_trace_vm *arrived; /* in order of the source */
    uint32_t arrived_count;
    const uint32_t *cpu_ppm; /* [vms_alive_max]; 0 in empty slots; or NULL */
    const uint32_t *mem_ppm;
};

/* Knobs of the generator: doc/models/generator.md explains and calibrates. */
struct bl_trace_spec {
    uint32_t vm_count; /* alive from the first step to the last */
    uint32_t step_count;
    int64_t step_ns;
    uint64_t seed;
    uint32_t mean_ppm;     /* target mean CPU of the population */
    uint32_t diurnal_ppm;  /* swing of the total: (peak - mean) / mean */
    uint32_t autocorr_ppm; /* lag-1 autocorrelation of a VM's CPU */
    uint32_t burst_ppm;    /* chance per VM and step that a burst starts */
    bool has_mem;          /* also make a memory column */
    bool has_size;         /* also draw heavy-tailed VM sizes */
};

/* Calibrated to PlanetLab 20110303, 1052 VMs, 288 steps of 300 s, seed 1. */
void bl_trace_spec_default(struct bl_trace_spec *spec);

struct bl_trace_opts {
    uint32_t thread_count; /* >= 1; for decoding */
    const char *format;    /* NULL: found from the content */
    uint64_t seed;         /* draws what a format leaves open (Azure bins) */
    const char *tmp_dir;   /* for large conversions; NULL: /var/tmp */
};

/** bl_trace_open - open @path, any format: a columnar file, a PlanetLab or
 * Google-GCD directory or .tar[.zst|.gz], a Bitbrains or generic CSV (plain,
 * .zst, .gz), an Azure v1 event directory. On error *out is untouched:
 * BL_ERR_IO (cannot be read), BL_ERR_PARSE (malformed, unknown, damaged),
 * BL_ERR_FULL (a limit), BL_ERR_NOENT (no such @opts->format), BL_ERR_NOMEM. */
BL_NODISCARD bl_err bl_trace_open(const char *path,
                                  const struct bl_trace_opts *opts,
                                  struct bl_trace **out, struct bl_diag *diag);

/** bl_trace_open_generated - a trace made as it is read, never stored. */
BL_NODISCARD bl_err bl_trace_open_generated(const struct bl_trace_spec *spec,
                                            uint32_t thread_count,
                                            struct bl_trace **out,
                                            struct bl_diag *diag);

/** bl_trace_format - name and description of the @i-th known format; false
 * when there are no more. */
bool bl_trace_format(uint32_t i, const char **name, const char **text);

/* Known at once, except that content_hash of a generated trace is a hash of
 * its spec. Valid until bl_trace_close(). */
const struct bl_trace_info *bl_trace_info(const struct bl_trace *t);

/** bl_trace_next - the next step, or BL_ERR_END after the last one. After
 * another error the same error until bl_trace_rewind(). */
BL_NODISCARD bl_err bl_trace_next(struct bl_trace *t, struct bl_trace_step *out,
                                  struct bl_diag *diag);

/** bl_trace_rewind - back to before the first step. */
BL_NODISCARD bl_err bl_trace_rewind(struct bl_trace *t, struct bl_diag *diag);

void bl_trace_close(struct bl_trace *t); /* NULL is fine */

/** bl_trace_write - store @t (from its first step) as a columnar file. Written
 * beside @path and renamed at the end: on error nothing is left behind.
 * @progress  called with steps done and in all; false stops, with BL_ERR_IO;
 *            may be NULL. */
typedef bool (*bl_progress_fn)(void *ctx, uint64_t done, uint64_t total);
BL_NODISCARD bl_err bl_trace_write(struct bl_trace *t, const char *path,
                                   bl_progress_fn progress, void *ctx,
                                   struct bl_diag *diag);

/* Figures of a whole trace, for `ballast trace info` and the calibration. */
struct bl_trace_stats {
    uint64_t sample_count;
    double cpu_mean, cpu_sd, cpu_p50, cpu_p75, cpu_p90, cpu_p95,
        cpu_p99;                       /* % */
    double mem_mean, mem_p50, mem_p95; /* % */
    double cpu_lag1;     /* mean over VMs of lag-1 autocorrelation */
    double total_peak;   /* peak / mean of the sum over VMs */
    uint64_t zero_count; /* samples that are exactly 0 */
};

BL_NODISCARD bl_err bl_trace_stats(struct bl_trace *t,
                                   struct bl_trace_stats *out,
                                   struct bl_diag *diag);

#endif /* BL_TRACE_TRACE_H */
