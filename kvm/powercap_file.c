/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercap_file - files of powercap zones.
 *
 * libpowercap knows where a file is, opens it, and writes it. Its own reading
 * is not used: it takes "abc" for 0, "-5" for 18446744073709551611 and "12abc"
 * for 12 (seen with 0.6.0), so that a broken file would pass for a measurement.
 * We read the descriptor that it opened, and accept digits only.
 *
 * It writes 24 bytes: the digits, a NUL, and what was on its stack. The kernel
 * stops at the NUL, and so do we: a tree of plain files keeps the rest.
 */
#define _POSIX_C_SOURCE 200809L
#include "kvm/powercap_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void bl__powercap_file_name(const struct bl__powercap_file *f, char *buf,
                            size_t size)
{
    const struct bl_powercap_zone *z = f->zone;
    char name[64] = "";
    char sub[BL_POWERCAP_ID_BYTES + 1] = "";

    if (f->of_constraint)
        (void)powercap_constraint_file_get_name(
            f->constraint_file, f->constraint, name, sizeof(name));
    else
        (void)powercap_zone_file_get_name(f->zone_file, name, sizeof(name));
    if (z->depth == 2)
        snprintf(sub, sizeof(sub), "%s/", z->id);
    snprintf(buf, size, BL_POWERCAP_ROOT "/%s/%s:%u/%s%s", z->control,
             z->control, z->index[0], sub, name);
}

bool bl__powercap_number(const char *bytes, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < n && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
        const uint64_t digit = (uint64_t)(bytes[i] - '0');

        if (v > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (i == 0)
        return false;
    if (i < n && bytes[i] == '\n')
        i++;
    if (i < n && bytes[i] != '\0')
        return false;
    *out = v;
    return true;
}

bool bl__powercap_name(const char *bytes, size_t n,
                       char out[BL_POWERCAP_NAME_BYTES])
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";
    size_t length = 0;

    while (length < n && bytes[length] != '\0' && bytes[length] != '\n')
        length++;
    if (length == 0 || length >= BL_POWERCAP_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if (strchr(allowed, bytes[i]) == NULL)
            return false;
    memcpy(out, bytes, length);
    out[length] = '\0';
    return true;
}

/* ---- errors ----------------------------------------------------------------
 */

/* What errno @number means for file @f that was opened to @write or to read. */
static bl_err fail(const struct bl__powercap_file *f, int number, bool write,
                   struct bl_diag *diag)
{
    char name[BL__POWERCAP_FILE_BYTES];

    bl__powercap_file_name(f, name, sizeof(name));
    switch (number) {
    case ENOENT:
    case ENODEV:
    case ENOTDIR:
        return bl_diag_set(diag, BL_ERR_NOENT, name, 0,
                           "is not there (any more): the zone has no such "
                           "file, or its processor was taken offline");
    case EACCES:
    case EPERM:
        if (write)
            return bl_diag_set(diag, BL_ERR_IO, name, 0,
                               "permission denied: only root sets limits, "
                               "and nobody where the BIOS has locked them");
        if (!f->of_constraint && f->zone_file == POWERCAP_ZONE_FILE_ENERGY_UJ)
            return bl_diag_set(diag, BL_ERR_IO, name, 0,
                               "permission denied: since Linux 5.10 energy is "
                               "for root; run as root, or let a group read "
                               "it with a udev rule");
        return bl_diag_set(diag, BL_ERR_IO, name, 0, "permission denied");
    default:
        return bl_diag_set(diag, BL_ERR_IO, name, 0, "cannot be %s: %s",
                           write ? "written" : "read", strerror(number));
    }
}

static bl_err nonsense(const struct bl__powercap_file *f, const char *bytes,
                       const char *expected, struct bl_diag *diag)
{
    char name[BL__POWERCAP_FILE_BYTES];

    bl__powercap_file_name(f, name, sizeof(name));
    return bl_diag_set(diag, BL_ERR_PARSE, name, 0,
                       "holds '%.40s', expected %s", bytes, expected);
}

/* ---- reading and writing ---------------------------------------------------
 */

/* O_NONBLOCK: a file in a tree of somebody's own may be a pipe. The structs are
 * asked for: without one the library refuses to open a constraint's file, other
 * than its header says. */
static int open_file(const struct bl__powercap_file *f, int flags)
{
    const struct bl_powercap_zone *z = f->zone;
    powercap_constraint of_constraint;
    powercap_zone of_zone;

    flags |= O_CLOEXEC | O_NONBLOCK;
    if (f->of_constraint)
        return powercap_constraint_file_open(&of_constraint, f->constraint_file,
                                             z->control, z->index, z->depth,
                                             f->constraint, flags);
    return powercap_zone_file_open(&of_zone, f->zone_file, z->control, z->index,
                                   z->depth, flags);
}

/* At most @size - 1 bytes, and a NUL that does not count. */
static bl_err read_bytes(const struct bl__powercap_file *f, char *buf,
                         size_t size, size_t *count, struct bl_diag *diag)
{
    const int fd = open_file(f, O_RDONLY);
    ssize_t got;
    int number;

    if (fd < 0)
        return fail(f, errno, false, diag);
    got = pread(fd, buf, size - 1, 0);
    number = errno;
    close(fd);
    if (got < 0)
        return fail(f, number, false, diag);
    *count = (size_t)got;
    buf[got] = '\0';
    return BL_ERR_OK;
}

bl_err bl__powercap_read(const struct bl__powercap_file *f, uint64_t *out,
                         struct bl_diag *diag)
{
    char buf[BL__POWERCAP_TEXT_BYTES];
    size_t n = 0;

    BL_TRY(read_bytes(f, buf, sizeof(buf), &n, diag));
    if (!bl__powercap_number(buf, n, out))
        return nonsense(f, buf, "a whole number below 2^63", diag);
    return BL_ERR_OK;
}

bl_err bl__powercap_read_name(const struct bl__powercap_file *f,
                              char out[BL_POWERCAP_NAME_BYTES],
                              struct bl_diag *diag)
{
    char buf[BL__POWERCAP_TEXT_BYTES];
    size_t n = 0;

    BL_TRY(read_bytes(f, buf, sizeof(buf), &n, diag));
    if (!bl__powercap_name(buf, n, out))
        return nonsense(f, buf, "a name of at most 31 letters and digits",
                        diag);
    return BL_ERR_OK;
}

bl_err bl__powercap_write(const struct bl__powercap_file *f, uint64_t value,
                          struct bl_diag *diag)
{
    const bool window =
        f->constraint_file == POWERCAP_CONSTRAINT_FILE_TIME_WINDOW_US;
    const int fd = open_file(f, O_WRONLY);
    const powercap_constraint c = { .power_limit_uw = fd,
                                    .time_window_us = fd };
    int result;

    if (fd < 0)
        return fail(f, errno, true, diag);
    result = window ? powercap_constraint_set_time_window_us(&c, value)
                    : powercap_constraint_set_power_limit_uw(&c, value);
    close(fd);
    return result < 0 ? fail(f, -result, true, diag) : BL_ERR_OK;
}
