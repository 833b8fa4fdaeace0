/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_size - how many cores a VM has, how fast, and how much memory.
 *
 * Source     Bitbrains "rnd" 2013-8 (GWA-T-12): counts of VMs by cores, by
 *            speed, and quantiles of provisioned memory among VMs with as many
 *            cores. Both are heavy-tailed: most VMs are small, nearly half
 *            of all memory is provisioned for one VM in ten.
 * Deviation  speed does not depend on cores; a memory size is drawn between
 *            two quantiles and cut to a whole number of 16 MiB, where people
 *            choose powers of two.
 */
#include "trace/generate_priv.h"

#include "base/prng.h"
#include "base/units.h"

#define QUANTILES 8u
#define GRAIN_MIB 16u
#define SIZE_VMS 497u /* in the table below */
#define SPEED_VMS 500u

static const struct {
    uint32_t cores, vms;
    uint32_t mem_mib[QUANTILES + 1];
} size_table[] = {
    { 1, 228, { 95, 128, 184, 476, 1022, 2048, 2378, 3975, 15700 } },
    { 2, 92, { 592, 3350, 4080, 4096, 8008, 8074, 8162, 8192, 16384 } },
    { 4, 116, { 556, 2924, 2951, 4080, 15042, 16312, 16312, 16384, 23928 } },
    { 8, 55, { 3066, 19500, 20480, 27580, 31979, 32740, 32768, 39806, 65262 } },
    { 6, 2, { 12288, 13824, 15360, 16896, 18432, 19968, 21504, 23040, 24576 } },
    { 16,
      1,
      { 98078, 98078, 98078, 98078, 98078, 98078, 98078, 98078, 98078 } },
    { 32,
      3,
      { 8612, 9155, 9698, 10241, 10784, 139021, 267259, 395496, 523734 } },
};
#define SIZES (sizeof(size_table) / sizeof(size_table[0]))

static const struct {
    uint64_t khz;
    uint32_t vms;
} speed_table[] = {
    { 2600000, 231 }, { 2926000, 220 }, { 2700000, 27 }, { 2400000, 22 }
};
#define SPEEDS (sizeof(speed_table) / sizeof(speed_table[0]))

void bl__gen_size(struct bl_prng *prng, struct bl_trace_vm *vm)
{
    uint32_t pick = (uint32_t)bl_prng_below(prng, SIZE_VMS);
    uint32_t speed = (uint32_t)bl_prng_below(prng, SPEED_VMS);
    const uint64_t r = bl_prng_next(prng);
    const uint32_t k = (uint32_t)(r % QUANTILES);
    const uint32_t frac = (uint32_t)(r >> 48);
    size_t i = 0, j = 0;

    while (pick >= size_table[i].vms)
        pick -= size_table[i++].vms;
    while (speed >= speed_table[j].vms)
        speed -= speed_table[j++].vms;
    BL_ASSERT(i < SIZES && j < SPEEDS);

    const uint64_t lo = size_table[i].mem_mib[k];
    const uint64_t hi = size_table[i].mem_mib[k + 1];
    const uint64_t mib = lo + (((hi - lo) * frac) >> 16);

    vm->vcpu_count = size_table[i].cores;
    vm->vcpu_khz = speed_table[j].khz;
    vm->mem_bytes = mib / GRAIN_MIB * GRAIN_MIB * (uint64_t)BL_MIB;
}
