/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/scenario.h - a run as its user wrote it down.
 *
 * Reads YAML (libfyaml) into plain structures and refuses what cannot be, with
 * FILE:LINE. man/ballast-scenario.5 is the reference of the format.
 *
 * Layer        config (L5).
 * Units        base/units.h; in memory always kHz, bytes, ns, mW, uJ, ppm.
 * Ownership    a bl_scenario is a value (large: keep it off small stacks);
 *              nothing in it is owned.
 * Allocation   inside the call only.
 * Errors       BL_ERR_PARSE (not YAML, unknown or duplicate key, bad unit),
 *              BL_ERR_INVAL (impossible value), BL_ERR_IO, BL_ERR_NOMEM, each
 *              with one diag line "FILE:LINE: what is wrong, what was
 *              expected". *out is untouched on error.
 * Threads      no shared state.
 * Determinism  no environment, no clock, no locale.
 * Limits       BL_SCENARIO_BYTES_MAX of text; hv/model.h for the rest.
 */
#ifndef BL_CONFIG_SCENARIO_H
#define BL_CONFIG_SCENARIO_H

#include "base/diag.h"
#include "config/topology.h"
#include "hv/host.h"
#include "hv/model.h"
#include "hv/param.h"
#include "power/governor.h"
#include "trace/trace.h"

#include <stdbool.h>
#include <stddef.h>

#define BL_SCENARIO_BYTES_MAX (1u << 20)
#define BL_PATH_BYTES 4096

enum bl_level {
    BL_LEVEL_CLUSTER, /* hosts and VMs under a trace, in seconds */
    BL_LEVEL_HOST,    /* one host, its pCPUs and vCPUs, in nanoseconds */
};

enum bl_trace_source { BL_TRACE_GENERATED, BL_TRACE_FILE };

/* policy: as written; the manager's registry gives it meaning. */
struct bl_policy_choice {
    /* NULL: the scenario, or --policy where line is 0; the caller's string */
    const char *file;
    char name[BL_NAME_BYTES]; /* a spec such as lr-mmt-1.2-2012 */
    unsigned long line;       /* of the name; 0: not from a file */
    uint32_t param_count;     /* explicit parameters, in order */
    struct {
        char name[BL_NAME_BYTES];
        char text[BL_NAME_BYTES];
        unsigned long line;
    } param[BL_PARAMS_MAX];
};

/* tune: what `ballast tune` is to try; as written, like the policy. "" where
 * nothing is written. */
#define BL_TUNE_TRACES_MAX 16u
#define BL_TUNE_TEXT_BYTES 256

enum bl_tune_strategy { BL_TUNE_GRID, BL_TUNE_RANDOM, BL_TUNE_HALVING };

struct bl_tune_text {
    char text[BL_TUNE_TEXT_BYTES];
    unsigned long line;
};

struct bl_tune_paths {
    uint32_t count;
    char path[BL_TUNE_TRACES_MAX][BL_PATH_BYTES]; /* resolved to the file */
};

struct bl_tune_choice {
    unsigned long line; /* 0: no such section */
    uint32_t vary_count;
    struct {
        char name[BL_NAME_BYTES];
        struct bl_tune_text range; /* a list is joined by commas */
    } vary[BL_PARAMS_MAX];
    uint32_t strategy;  /* enum bl_tune_strategy */
    uint32_t run_count; /* points of random and halving */
    struct bl_tune_text objectives, baseline, pick;
    struct bl_tune_paths traces, validate;
};

struct bl_scenario {
    char path[BL_PATH_BYTES]; /* "(embedded)" for the built-in one */
    char name[BL_NAME_BYTES];
    uint64_t content_hash; /* of the text, without its section `tune`, and of
                              the file of 'servers' */
    enum bl_level level;
    uint64_t seed;
    struct bl_host_spec host; /* level host; all zero at level cluster */
    struct bl_topology_notes topology_notes;
    /* what follows is level cluster; all zero at level host but dc.pools */
    struct bl_dc dc;
    enum bl_trace_source trace_source;
    char trace_path[BL_PATH_BYTES]; /* relative ones resolved to the file */
    struct bl_trace_spec trace_spec;
    char physics[BL_NAME_BYTES]; /* "real" or "cloudsim303" */
    bool demand_oracle;          /* demand: oracle | observed */
    struct bl_policy_choice policy;
    struct bl_policy_choice governor; /* of all hosts' frequency */
    struct bl_tune_choice tune;
    int64_t interval_ns;          /* 0: the trace's step */
    int64_t duration_ns;          /* 0: as long as the trace */
    int64_t warmup_ns;            /* simulated, not counted */
    uint64_t price_micro_per_kwh; /* 0: no cost line */
    char currency[8];
    uint64_t co2_mg_per_kwh; /* 0: no CO2 line */
};

BL_NODISCARD bl_err bl_scenario_load(const char *path, struct bl_scenario *out,
                                     struct bl_diag *diag);

/** bl_scenario_parse - the same from memory; @label stands for FILE. */
BL_NODISCARD bl_err bl_scenario_parse(const char *text, size_t size_bytes,
                                      const char *label,
                                      struct bl_scenario *out,
                                      struct bl_diag *diag);

/** bl_governor_choose - the governor that @c means, with its parameters; @out
 * and @p are untouched on error.
 * @file  where @c was read; what has line 0 is from the command line */
BL_NODISCARD bl_err bl_governor_choose(const struct bl_policy_choice *c,
                                       const char *file,
                                       const struct bl_governor **out,
                                       struct bl_params *p,
                                       struct bl_diag *diag);
/** bl_policy_file_load - a file with the key `policy` alone, such as `ballast
 * tune` writes. @path is kept as out->file. */
BL_NODISCARD bl_err bl_policy_file_load(const char *path,
                                        struct bl_policy_choice *out,
                                        struct bl_diag *diag);

/** bl_policy_file_parse - the same from memory; @label stands for FILE. */
BL_NODISCARD bl_err bl_policy_file_parse(const char *text, size_t size_bytes,
                                         const char *label,
                                         struct bl_policy_choice *out,
                                         struct bl_diag *diag);

/* Is @path a policy file rather than a scenario: YAML with `policy`, and
 * neither `hosts` nor `vms` nor `host`? */
bool bl_policy_file_is(const char *path);

/* The text of the embedded default scenario, NUL-terminated. */
const char *bl_scenario_embedded(void);

#endif /* BL_CONFIG_SCENARIO_H */
