/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/diag.h - what is wrong with the user's input, in the user's words.
 *
 * Every reader of outside input (scenario, trace, option) fails with one line
 *     FILE:LINE: what is wrong, what was expected
 * kept in a caller-owned bl_diag; the command line prints it and exits 1.
 *
 * Layer        base (L0).
 * Ownership    the caller owns the bl_diag (usually on its stack).
 * Allocation   none; a longer message is cut at BL_DIAG_BYTES - 1. Bytes that
 *              would garble a terminal are printed as '?'.
 * Errors       bl_diag_set() returns the code it was given, so that a reader
 *              can end with `return bl_diag_set(...)`.
 * Threads      one bl_diag per thread.
 */
#ifndef BL_BASE_DIAG_H
#define BL_BASE_DIAG_H

#include "base/err.h"

#define BL_DIAG_BYTES 512

struct bl_diag {
    char text[BL_DIAG_BYTES]; /* no newline; empty when nothing was set */
};

/** bl_diag_set - say what is wrong at @file:@line (@line 0: the whole file).
 * @file may be NULL for input that has none (a command-line option).
 * @return @e, unchanged. */
bl_err bl_diag_set(struct bl_diag *d, bl_err e, const char *file,
                   unsigned long line, const char *fmt, ...) BL_PRINTF(5, 6);

#endif /* BL_BASE_DIAG_H */
