/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm/powercap.h - what a processor draws, and how much it may: RAPL.
 *
 * The kernel shows zones (a package, and in it core, uncore, dram; psys, the
 * whole platform) below /sys/class/powercap. Each has a counter of energy and
 * up to three constraints: a power limit as a mean over a time window. Files
 * are named, opened and written through libpowercap; doc/powercap.md says what
 * it leaves to us. AMD has energy and no constraints; a VM has nothing at all.
 *
 * Layer        kvm (L6).
 *
 * Units        _uj, _uw, _us as in the kernel's files; 0 where a range, a
 *              window, a least or a greatest limit is not known.
 *
 * Ownership    the caller's structs; no file stays open between calls.
 *
 * Allocation   none.
 *
 * Errors       a bl_err and one line "FILE: what is wrong, what was expected";
 *              on error nothing changed, also in the hardware, where the words
 *              do not say otherwise.
 *
 *              BL_ERR_NOENT   no RAPL, no such zone, or the zone vanished
 *
 *              BL_ERR_PARSE   a file holds something else than a number below
 *                             2^63 or a name
 *
 *              BL_ERR_INVAL   a limit or a reading outside its range
 *
 *              BL_ERR_IO      all else, permissions among it
 *
 * Threads      blocking I/O of microseconds: keep it off a decision's path. Any
 *              thread; one caller at a time for each zone that is limited.
 *
 * Determinism  none: this is the world. Zones come in the order of their ids.
 *
 * Limits       BL_POWERCAP_ZONES_MAX zones, BL_POWERCAP_TOP_MAX ids of packages
 *              and BL_POWERCAP_SUB_MAX in each, two levels as RAPL has.
 */
#ifndef BL_KVM_POWERCAP_H
#define BL_KVM_POWERCAP_H

#include "base/diag.h"
#include "kvm/energy.h"

#include <stdbool.h>
#include <stdint.h>

#define BL_POWERCAP_ROOT "/sys/class/powercap"
#define BL_POWERCAP_ZONES_MAX 128u
#define BL_POWERCAP_TOP_MAX 64u
#define BL_POWERCAP_SUB_MAX 8u
#define BL_POWERCAP_CONSTRAINTS_MAX 3u
#define BL_POWERCAP_NAME_BYTES 32
#define BL_POWERCAP_ID_BYTES 48
#define BL_POWERCAP_PATH_BYTES 64
#define BL_POWERCAP_NO_PARENT UINT32_MAX

/* Limits are kept by the hardware in steps of 1/8 W or finer [recalled]. */
#define BL_POWERCAP_STEP_UW 125000u
/* Without force: at least this part of the greatest power, in percent ... */
#define BL_POWERCAP_FLOOR_PERCENT 10u
/* ... or this where the kernel names no greatest power; and these windows. */
#define BL_POWERCAP_FLOOR_UW 1000000u
#define BL_POWERCAP_WINDOW_MIN_US 1000u
#define BL_POWERCAP_WINDOW_MAX_US 1000000000u

enum bl_powercap_kind {
    BL_POWERCAP_PACKAGE,
    BL_POWERCAP_CORE,
    BL_POWERCAP_UNCORE,
    BL_POWERCAP_DRAM,
    BL_POWERCAP_PSYS, /* the platform, packages included */
    BL_POWERCAP_OTHER,
};

struct bl_powercap_constraint {
    uint32_t id;                       /* K of constraint_K_power_limit_uw */
    char name[BL_POWERCAP_NAME_BYTES]; /* long_term, short_term, peak_power */
    uint64_t limit_uw, window_us;      /* when it was scanned */
    uint64_t min_uw, max_uw;
};

struct bl_powercap_zone {
    char id[BL_POWERCAP_ID_BYTES];     /* intel-rapl:0:1 */
    char path[BL_POWERCAP_PATH_BYTES]; /* by names: package-0/dram */
    enum bl_powercap_kind kind;
    const char *control; /* intel-rapl: a static string */
    uint32_t index[2], depth;
    uint32_t parent; /* in the array, or BL_POWERCAP_NO_PARENT */
    bool enabled;    /* are its limits kept? Energy is counted all the same */
    uint64_t range_uj;
    uint32_t constraint_count; /* 0: it cannot be limited */
    struct bl_powercap_constraint constraint[BL_POWERCAP_CONSTRAINTS_MAX];
};

struct bl_powercap {
    uint32_t zone_count;
    uint32_t fault_count; /* files that could not be used, left out */
    struct bl_diag fault; /* the first of them */
    struct bl_powercap_zone zone[BL_POWERCAP_ZONES_MAX];
};

/** bl_powercap_scan - the zones that there are, parents first.
 * What makes no sense is left out and counted: a zone without a name, with all
 * that is in it; a constraint without a name or a limit; else the one value.
 * BL_ERR_NOENT: there is no zone at all, and why that may be. */
BL_NODISCARD bl_err bl_powercap_scan(struct bl_powercap *out,
                                     struct bl_diag *diag);

/** bl_powercap_find - @text is an id, a path, or a name that only one zone has
 * ("dram" on a machine with one package). */
BL_NODISCARD bl_err bl_powercap_find(const struct bl_powercap *p,
                                     const char *text, uint32_t *index,
                                     struct bl_diag *diag);

/* The counter of @z, as it is. */
BL_NODISCARD bl_err bl_powercap_energy(const struct bl_powercap_zone *z,
                                       uint64_t *energy_uj,
                                       struct bl_diag *diag);

/* ---- draw ---------------------------------------------------------------- */

struct bl_powercap_draw {
    bool known;         /* this reading and the one before are there */
    uint64_t energy_uj; /* between the two */
    uint64_t power_uw;  /* its mean */
    int64_t elapsed_ns;
};

struct bl_powercap_meter {
    uint32_t fault_count; /* counters without a reading, the last time */
    struct bl_diag fault; /* the first of them */
    struct bl_energy counter[BL_POWERCAP_ZONES_MAX];
    int64_t read_ns[BL_POWERCAP_ZONES_MAX];
    struct bl_powercap_draw draw[BL_POWERCAP_ZONES_MAX];
};

void bl_powercap_meter_start(struct bl_powercap_meter *m,
                             const struct bl_powercap *p);

/** bl_powercap_meter_read - read every counter of @p.
 * @now_ns  the caller's clock, that of the readings before; it never goes back.
 * A zone without a reading (vanished, no permission, nonsense) is not known,
 * and starts again at its next reading. */
void bl_powercap_meter_read(struct bl_powercap_meter *m,
                            const struct bl_powercap *p, int64_t now_ns);

/** bl_powercap_meter_check - may @interval_ns pass between two readings? Looks
 * at the zones whose range and greatest power are known. BL_ERR_INVAL. */
BL_NODISCARD bl_err bl_powercap_meter_check(const struct bl_powercap *p,
                                            uint64_t interval_ns,
                                            struct bl_diag *diag);

/* ---- limits ----------------------------------------------------------------
 */

struct bl_powercap_limit {
    const char *constraint; /* its name; NULL: long_term */
    uint64_t limit_uw;
    uint64_t window_us; /* 0: as it is */
    bool force;         /* what bl_powercap_limit_check() would refuse */
};

struct bl_powercap_change {
    uint64_t limit_before_uw, limit_after_uw;
    uint64_t window_before_us, window_after_us;
};

/** bl_powercap_limit_check - would this limit be sane? Pure; @force passes all
 * but a limit of 0 and what @z does not have. */
BL_NODISCARD bl_err bl_powercap_limit_check(const struct bl_powercap_zone *z,
                                            const struct bl_powercap_limit *l,
                                            struct bl_diag *diag);

/** bl_powercap_limit_set - check, write, and read back what the kernel made of
 * it. A second write that fails takes the first one back. A clamped limit is no
 * error: look at @out, with bl_powercap_kept(). */
BL_NODISCARD bl_err bl_powercap_limit_set(const struct bl_powercap_zone *z,
                                          const struct bl_powercap_limit *l,
                                          struct bl_powercap_change *out,
                                          struct bl_diag *diag);

/* Is @after_uw what was asked for, but for the hardware's step? */
bool bl_powercap_kept(uint64_t asked_uw, uint64_t after_uw);

#endif /* BL_KVM_POWERCAP_H */
