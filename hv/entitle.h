/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/entitle.h - who gets how much: shares, reservations, limits, demand.
 *
 * Clients with shares s, reservation r, limit l and demand d under a capacity
 * C. lo = min(r, d), hi = min(l, d); entitlement e = clamp(lambda * s, lo, hi)
 * with the one lambda for which the sum of e is min(C, sum of hi). So unused
 * reservation is lent and comes back at once. When the sum of lo exceeds C (a
 * host died), e = min(lo, mu * r) with the one mu that fills C, and an alarm.
 * One function for CPU (kHz), memory (bytes), power and bandwidth.
 *
 * Layer        hv (L1).
 * Units        capacity, reservation, limit, demand and result share one unit.
 * Ownership    all arrays are the caller's.
 * Allocation   none; scratch is the caller's.
 * Errors       none: any input in range has exactly one result.
 * Threads      reentrant.
 * Determinism  exact integers; the units that rounding down leaves over go,
 *              one each, to the clients whose exact part is no whole number,
 *              lowest index first: pass them by id.
 * Limits       shares at least 1, reservation <= limit; the sums of shares, of
 *              reservations and of min(limit, demand) below 2^63; fewer than
 *              2^30 clients. Beyond is a bug: BL_ASSERT.
 * Cost         O(n) when demand fits; else O(n) expected.
 */
#ifndef BL_HV_ENTITLE_H
#define BL_HV_ENTITLE_H

#include "hv/model.h"

#include <stdbool.h>
#include <stdint.h>

struct bl_claim {
    uint64_t shares;
    uint64_t reservation;
    uint64_t limit; /* BL_NO_LIMIT: none */
    uint64_t demand;
};

enum bl_entitled {
    BL_ENTITLED_ALL,      /* everyone gets min(limit, demand) */
    BL_ENTITLED_SHARED,   /* capacity ran out: shares decided */
    BL_ENTITLED_RESERVED, /* even reservations do not fit: the alarm */
};

/** bl_entitle - divide @capacity among @n claims.
 * @out      [n] entitlements
 * @scratch  [n] words, overwritten */
enum bl_entitled bl_entitle(uint64_t capacity, const struct bl_claim *claim,
                            uint32_t n, uint64_t *out, uint32_t *scratch);

/* BL_ASSERT that @out is what the contract says: bounds, sum, one lambda for
 * all; to the unit, so that only the order of remainders escapes it. O(n). */
void bl_entitle_check(uint64_t capacity, const struct bl_claim *claim,
                      uint32_t n, const uint64_t *out);

#endif /* BL_HV_ENTITLE_H */
