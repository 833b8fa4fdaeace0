/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/servers.h - measured servers from a file, by name.
 *
 * The file has the columns of a table of SPECpower_ssj2008 results (the first
 * line names them, in any order; others are left alone):
 *   vendor model cpu          texts
 *   mhz cores mem_gb hw_year  of the tested machine
 *   w_idle w_10 ... w_100     W at active idle, 10 ... 100 % of its throughput
 *   ssj_ops_10 ... ssj_ops_100   operations per second there; all or none
 *   src_line                  a number that a row keeps for ever; may be absent
 * Fields may stand in quotes as in RFC 4180, but end on their line. A byte
 * order mark before the first line is passed over.
 *
 * A server's name is made of the vendor's first word, the model and the CPU:
 * lower case, words of letters, digits and dots joined by '-', each word once;
 * what stands in parentheses, clock speeds (a number and GHz) and the words
 * intel amd processor cpu server are left out, and what goes beyond
 * BL_SERVER_STEM_BYTES. The second row of the same name has -2 after it, the
 * next one -3, in the order of the file, even where rows are the same in every
 * column. "line:N" is the row whose src_line is N.
 *
 * Layer        config (L5).
 * Units        mW, kHz, bytes; operations per second.
 * Ownership    everything is in the arena.
 * Allocation   from the arena only.
 * Errors       BL_ERR_PARSE (no such table, a column that is missing or there
 *              twice, not a number), BL_ERR_INVAL (out of range), BL_ERR_FULL
 *              (more than BL_SERVERS_MAX rows), BL_ERR_IO, BL_ERR_NOMEM; *out
 *              untouched. Powers that fall with load are no error: what was
 *              measured was measured.
 * Threads      no shared state.
 * Determinism  no locale; names depend on the text alone.
 * Limits       below; a file of at most BL_SERVERS_BYTES_MAX.
 */
#ifndef BL_CONFIG_SERVERS_H
#define BL_CONFIG_SERVERS_H

#include "base/arena.h"
#include "base/diag.h"
#include "hv/model.h"

#include <stddef.h>
#include <stdint.h>

#define BL_SERVERS_MAX 4096u
#define BL_SERVERS_BYTES_MAX 2097152u
/* Enough address space for one file: its text twice, its servers. */
#define BL_SERVERS_ARENA_BYTES ((size_t)8 << 20)
#define BL_SERVER_STEM_BYTES 58 /* of a name without -2, -3 ... */

struct bl_server {
    struct bl_power_table power; /* and the name */
    const char *vendor, *model, *cpu;
    uint32_t src_line; /* 0: the file has none */
    uint32_t year, core_count;
    uint64_t core_khz, mem_bytes;
    uint64_t ops[BL_POWER_POINTS]; /* [0] is 0; all 0: not in the file */
};

struct bl_servers {
    const struct bl_server *server; /* in the order of the file */
    uint32_t count;
    uint64_t content_hash; /* of the text */
};

/** bl_servers_parse - read @text. @label stands for FILE in the diag. */
BL_NODISCARD bl_err bl_servers_parse(struct bl_arena *a, const char *text,
                                     size_t size_bytes, const char *label,
                                     struct bl_servers *out,
                                     struct bl_diag *diag);

BL_NODISCARD bl_err bl_servers_load(struct bl_arena *a, const char *path,
                                    struct bl_servers *out,
                                    struct bl_diag *diag);

/* The server called @name, which may be line:N; NULL when there is none. */
const struct bl_server *bl_servers_find(const struct bl_servers *s,
                                        const char *name);

/* The load, 10 ... 100 %, at which a joule does most; the lowest of equals. */
uint32_t bl_server_best_load(const struct bl_server *s);

#endif /* BL_CONFIG_SERVERS_H */
