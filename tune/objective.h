/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune/objective.h - what a run can be judged by; less is better for each.
 *
 * Layer        tune (L1).
 * Units        in bl_objective_unit().
 * Ownership    strings are static.       Allocation  none.
 * Errors       bl_objectives_parse(): BL_ERR_PARSE with a diag.
 * Threads      no shared state.
 * Determinism  the order in which they are named is the order in which they
 *              are compared and printed.
 */
#ifndef BL_TUNE_OBJECTIVE_H
#define BL_TUNE_OBJECTIVE_H

#include "base/diag.h"

#include <stdint.h>

#define BL_OBJECTIVE_MAP(X)                                                    \
    X(ENERGY, energy, "kWh", "all energy used")                                \
    X(SLAV, slav, "", "time short of CPU times demand lost to migration")      \
    X(UNSERVED, unserved, "ppm", "demand that was not served")                 \
    X(MIGRATIONS, migrations, "", "live migrations")                           \
    X(TRANSITIONS, transitions, "", "hosts switched on, off or to standby")

enum bl_objective {
#define BL_OBJECTIVE_ENUM(id, name, unit, text) BL_OBJECTIVE_##id,
    BL_OBJECTIVE_MAP(BL_OBJECTIVE_ENUM)
#undef BL_OBJECTIVE_ENUM
        BL_OBJECTIVE_COUNT
};

const char *bl_objective_name(uint32_t o);
const char *bl_objective_unit(uint32_t o);
const char *bl_objective_text(uint32_t o);

/* Some of them, each once, at least one. */
struct bl_objectives {
    uint32_t count;
    uint32_t of[BL_OBJECTIVE_COUNT]; /* enum bl_objective */
};

/** bl_objectives_parse - "energy,unserved".
 * @file, @line  where it stands, for the diag. */
BL_NODISCARD bl_err bl_objectives_parse(const char *text, const char *file,
                                        unsigned long line,
                                        struct bl_objectives *out,
                                        struct bl_diag *diag);

/* Is @o among them? */
int bl_objectives_has(const struct bl_objectives *s, enum bl_objective o);

#endif /* BL_TUNE_OBJECTIVE_H */
