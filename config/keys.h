/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/keys.h - the keys that a scenario may have, for help and for tests
 * of the documentation.
 *
 * Layer        config (L5).
 * Ownership    the strings are static, except for `expect`, which is a value.
 * Allocation   none.
 * Threads      read-only.
 * Determinism  in the order of the declared tables, section by section; first
 * all of level cluster, then all of level host.
 */
#ifndef BL_CONFIG_KEYS_H
#define BL_CONFIG_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct bl_scenario_key {
    const char *level;   /* "cluster" or "host": which files may have it */
    const char *section; /* "hosts.groups"; "" at the top of the file */
    const char *name;
    const char *meaning;
    const char *def;  /* NULL: the key is required */
    char expect[320]; /* "a size such as 4GiB (B kB ...)" */
};

/* Fills in the @i-th key; false past the last one. */
bool bl_scenario_key(uint32_t i, struct bl_scenario_key *out);

#endif /* BL_CONFIG_KEYS_H */
