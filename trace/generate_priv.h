/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/generate_priv.h - the generator's tables and what its files share.
 *
 * A VM's level is a quantile of the population, its kind says how its load
 * spreads around that level. doc/models/generator.md explains the model; the
 * tables are fitted to real days by tests/support_fit.c, which the test
 * compares with generate_tables.c where the data is present.
 */
#ifndef BL_TRACE_GENERATE_PRIV_H
#define BL_TRACE_GENERATE_PRIV_H

#include "base/prng.h"
#include "trace/trace.h"

#define BL__GEN_SEGMENTS 128u /* of the population, by level */
#define BL__GEN_BANDS 10u     /* of segments: one set of kinds for each */
#define BL__GEN_KINDS 4u      /* in a band, from steady to restless */
#define BL__GEN_RATES 4u      /* in a kind, from few to many bursts */
#define BL__GEN_RANKS 64u     /* of equal chance, lowest load first */
#define BL__GEN_CELLS (BL__GEN_BANDS * BL__GEN_KINDS * BL__GEN_RATES)
#define BL__GEN_CLASSES (BL__GEN_BANDS * BL__GEN_KINDS)

#define BL__GEN_LEVEL_ONE 512u    /* 1 % */
#define BL__GEN_SHAPE_ONE 4096u   /* the VM's level */
#define BL__GEN_RATE_ONE 1000u    /* the population's chance of a burst */
#define BL__GEN_HEIGHT_ONE 65536u /* all that is left up to 100 % */
#define BL__GEN_SPREAD_ONE 65536u /* the VM's level */
#define BL__GEN_DEVIATE_ONE 1024  /* one standard deviation */

#define BL__GEN_BATCH 8u /* steps made at once, while VMs are in the cache */

struct bl__gen_tables {
    /* CPU: load outside bursts, and the bursts. */
    uint16_t level[BL__GEN_SEGMENTS + 1];
    uint16_t shape[BL__GEN_CLASSES][BL__GEN_RANKS]; /* each of mean 1 */
    uint16_t rate[BL__GEN_CELLS]; /* of a class, one after the other */
    uint16_t height[BL__GEN_RANKS];
    /* Memory: level, its relative spread within a day, shape of the spread. */
    uint16_t mem_level[BL__GEN_SEGMENTS + 1];
    uint16_t mem_spread[BL__GEN_RANKS];
    int16_t mem_shape[BL__GEN_RANKS];
};

extern const struct bl__gen_tables bl__gen_tables;

/* The segment after the last one of each band. Bands are narrow at the top,
 * where a load that is steady at 90 % must not be mixed with one of 50 %. */
extern const uint8_t bl__gen_band_end[BL__GEN_BANDS];

static inline uint32_t bl__gen_band(uint32_t segment)
{
    uint32_t band = 0;

    while (bl__gen_band_end[band] <= segment)
        band++;
    return band;
}

/* Chances are compared with bits of a 64-bit draw: 20, 14 and 18 of them. */
#define BL__GEN_BURST_ONE (UINT64_C(1) << 20)
#define BL__GEN_HOLD_ONE (UINT64_C(1) << 14)
#define BL__GEN_RENEW_ONE (UINT64_C(1) << 18)

/* What generate.c draws with: the knobs, worked out. */
struct bl__gen_plan {
    uint32_t scale;                /* of every level, 1/65536 */
    uint32_t hold, mem_hold;       /* to take the anchor, of HOLD_ONE */
    uint32_t renew, mem_renew;     /* to draw a new anchor, of RENEW_ONE */
    uint32_t burst[BL__GEN_CELLS]; /* of BURST_ONE */
};

/* Checks @spec and works out the plan: BL_ERR_INVAL with a line in @diag for
 * a knob out of its range, or a mean that bursts alone exceed. */
bl_err bl__gen_plan(const struct bl_trace_spec *spec, struct bl__gen_plan *out,
                    struct bl_diag *diag);

/* What the day makes of a load in the step that begins @t_ns after midnight, in
 * 1/32768: a wave of mean 1 that peaks at 12:00. */
uint32_t bl__gen_day(uint32_t diurnal_ppm, int64_t t_ns, int64_t step_ns);

/* Draws vcpu_count, vcpu_khz and mem_bytes of @vm (generate_size.c). */
void bl__gen_size(struct bl_prng *prng, struct bl_trace_vm *vm);

#endif /* BL_TRACE_GENERATE_PRIV_H */
