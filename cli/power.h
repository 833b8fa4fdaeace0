/* SPDX-License-Identifier: Apache-2.0 */
/* cli/power.h - ballast power: what its files share. */
#ifndef BL_CLI_POWER_H
#define BL_CLI_POWER_H

#include "kvm/powercap.h"

#include <stdbool.h>
#include <stdio.h>

enum bl_power_form {
    BL_POWER_TABLE, /* zones with limits, one sample */
    BL_POWER_ROWS,  /* a row for each sample */
    BL_POWER_CSV,
    BL_POWER_JSON,
};

/* What is printed, and how far it has come. */
struct bl_power_out {
    FILE *f;
    enum bl_power_form form;
    bool colour;
    uint64_t sample_count;
    int64_t elapsed_ns; /* since the first reading */
};

/* Before the first sample, after the first reading of the counters. */
void bl_power_begin(struct bl_power_out *o, const struct bl_powercap *p);

/* One sample: @m was read @interval_ns after the one before. */
void bl_power_sample(struct bl_power_out *o, const struct bl_powercap *p,
                     const struct bl_powercap_meter *m, int64_t interval_ns);

/* After the last one; @partial: interrupted. */
void bl_power_end(struct bl_power_out *o, bool partial);

#endif /* BL_CLI_POWER_H */
