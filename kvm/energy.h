/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm/energy.h - counters of energy that wrap, and the power between readings.
 *
 * A RAPL counter counts up to its range and starts again at 0. One wrap between
 * two readings is seen and undone; several look like one, and the energy of a
 * whole turn is lost with each. So the longest safe time between two readings
 * is range / greatest power (bl_energy_safe_ns()): 262 kJ at 500 W last 524 s,
 * the 65.5 kJ of AMD 131 s.
 *
 * The range is the greatest reading, the one after it is 0: a turn is range
 * + 1. Hardware counts in units (61.035 uJ on most Intel servers [recalled])
 * and the kernel rounds; a wrap may come out short by less than one unit.
 *
 * A counter that is reset (suspend to RAM, a driver loaded anew) looks like one
 * that wrapped: read again after such an event, from bl_energy_start() on.
 *
 * Layer        kvm (L6), but pure: no I/O, no clock.
 * Units        uJ, ns, uW.
 * Ownership    the caller's.      Allocation  none.
 * Errors       BL_ERR_INVAL: the reading cannot be one of this counter;
 *              BL_ERR_FULL: the total does not fit. Nothing changed.
 * Threads      one counter, one thread.
 * Determinism  exact integers.
 * Limits       range below 2^63; BL_ASSERT.
 */
#ifndef BL_KVM_ENERGY_H
#define BL_KVM_ENERGY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct bl_energy {
    uint64_t range_uj; /* the greatest reading; 0: not known */
    uint64_t last_uj;  /* the reading before */
    uint64_t total_uj; /* since the first reading */
    uint64_t wrap_count;
    bool started; /* there was a reading */
};

void bl_energy_start(struct bl_energy *c, uint64_t range_uj);

/** bl_energy_add - the counter says @reading_uj now.
 * @delta_uj  energy since the reading before; 0 at the first one.
 * A reading beyond the range is refused, and one that is smaller than the one
 * before where the range is not known. */
BL_NODISCARD bl_err bl_energy_add(struct bl_energy *c, uint64_t reading_uj,
                                  uint64_t *delta_uj);

/* Mean power of @delta_uj in @elapsed_ns > 0, rounded down; 2^63 - 1 when it
 * would be more. */
uint64_t bl_energy_power_uw(uint64_t delta_uj, uint64_t elapsed_ns);

/* Read at least this often, or a whole turn may go unseen; both above 0. At
 * most 2^63 - 1. */
uint64_t bl_energy_safe_ns(uint64_t range_uj, uint64_t power_max_uw);

#endif /* BL_KVM_ENERGY_H */
