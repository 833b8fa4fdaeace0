/* SPDX-License-Identifier: Apache-2.0 */
/* kvm/powercap_priv.h - one file of a zone, read and written. */
#ifndef BL_KVM_POWERCAP_PRIV_H
#define BL_KVM_POWERCAP_PRIV_H

#include "kvm/powercap.h"

#include <powercap/powercap.h>
#include <stddef.h>

#define BL__POWERCAP_TEXT_BYTES 64
#define BL__POWERCAP_FILE_BYTES 160

/* The file of a zone, or of one of its constraints. */
struct bl__powercap_file {
    const struct bl_powercap_zone *zone;
    bool of_constraint;
    powercap_zone_file zone_file;
    powercap_constraint_file constraint_file;
    uint32_t constraint;
};

static inline struct bl__powercap_file
bl__powercap_of_zone(const struct bl_powercap_zone *z, powercap_zone_file file)
{
    return (struct bl__powercap_file){ .zone = z, .zone_file = file };
}

static inline struct bl__powercap_file
bl__powercap_of_constraint(const struct bl_powercap_zone *z, uint32_t id,
                           powercap_constraint_file file)
{
    return (struct bl__powercap_file){ .zone = z,
                                       .of_constraint = true,
                                       .constraint_file = file,
                                       .constraint = id };
}

/* Its full name; @size at least BL__POWERCAP_FILE_BYTES. */
void bl__powercap_file_name(const struct bl__powercap_file *f, char *buf,
                            size_t size);

/* The decimal digits before the first NUL or the end, one newline after them
 * allowed; below 2^63. False, and *out untouched, for anything else. */
bool bl__powercap_number(const char *bytes, size_t n, uint64_t *out);

/* Letters, digits and _-+. before the first NUL or newline. */
bool bl__powercap_name(const char *bytes, size_t n,
                       char out[BL_POWERCAP_NAME_BYTES]);

BL_NODISCARD bl_err bl__powercap_read(const struct bl__powercap_file *f,
                                      uint64_t *out, struct bl_diag *diag);
BL_NODISCARD bl_err bl__powercap_read_name(const struct bl__powercap_file *f,
                                           char out[BL_POWERCAP_NAME_BYTES],
                                           struct bl_diag *diag);

/* Of a constraint: its limit or its window. */
BL_NODISCARD bl_err bl__powercap_write(const struct bl__powercap_file *f,
                                       uint64_t value, struct bl_diag *diag);

#endif /* BL_KVM_POWERCAP_PRIV_H */
