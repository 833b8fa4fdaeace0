/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/report_priv.h - what the writers of report/ share: numbers, times and
 * names as people read them. Buffers are the caller's; what does not fit is
 * cut.
 */
#ifndef BL_REPORT_REPORT_PRIV_H
#define BL_REPORT_REPORT_PRIV_H

#include "report/report.h"

#include <stddef.h>

#define BL_TEXT_BYTES 96

/* "1 d 5 h", "5 h 35 min", "12.5 s", "30 ms": at most two units. */
void bl__duration(int64_t ns, char *buf, size_t size);

/* "05:35", from the second day on "1d 05:35". */
void bl__clock(int64_t ns, char *buf, size_t size);

/* "163.48", "0.0123": two decimals, or three digits that say something. */
void bl__quantity(double x, char *buf, size_t size);

/* @src as valid UTF-8 for a terminal: anything else becomes '?'. With @width,
 * cut to so many characters, the last one a mark that it was cut. */
void bl__name(const char *src, uint32_t width, bool utf8, char *buf,
              size_t size);

/* Bytes of the UTF-8 character at @s, 0 when there is none. */
uint32_t bl__utf8_length(const char *s);

/* What --explain and the report call a host: GROUP-N, its N-th from 0. */
void bl__host_name(const struct bl_result *r, uint32_t host, char *buf,
                   size_t size);

/* What cost a badly served VM most, in words. */
const char *bl__worst_reason(const struct bl_vm_result *vm,
                             enum bl_cause *cause);

/* "  LABEL VALUE", and @hash in a column of its own. */
void bl__identity_line(FILE *f, const char *label, const char *value,
                       uint64_t hash, const struct bl_style *s);

/* Words in lines of the report's width, indented as the values above them; the
 * first line is filled up to @column already. */
void bl__wrapped(FILE *f, const char *words, uint32_t column);

/* One character as high as @part of 1; only 0 is a blank. */
void bl__spark(FILE *f, bool utf8, double part);

/* A field of a CSV table, quoted where RFC 4180 asks for it. */
void bl__csv_text(FILE *f, const char *s);

/* The picture of the run: power over its floor, and hosts on. */
void bl__chart(FILE *f, const struct bl_result *r, const struct bl_style *s);

/* The run beside others on the same input, if there are any. */
void bl__beside(FILE *f, const struct bl_result *r,
                const struct bl_baselines *base, const struct bl_style *s);

/* SGR sequences, "" without colour. */
enum bl_sgr {
    BL_SGR_OFF,
    BL_SGR_BOLD,
    BL_SGR_DIM,
    BL_SGR_GREEN,
    BL_SGR_YELLOW
};
const char *bl__sgr(const struct bl_style *s, enum bl_sgr code);

#endif /* BL_REPORT_REPORT_PRIV_H */
