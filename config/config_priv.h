/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/config_priv.h - for config/ only: YAML as a small tree with line
 * numbers, and the declared tables that turn such a tree into a bl_scenario.
 *
 * yaml.c     text -> tree (libfyaml's events; anchors, tags and the like are
 *            refused, depth and size are bounded)
 * read.c     one map of the tree -> one struct, by a table of fields
 * keys.c     the tables: every key of the format, once
 * groups.c   what a host group and a VM group need beyond a table
 * scenario.c the rest: sections, whole-file rules, files
 */
#ifndef BL_CONFIG_PRIV_H
#define BL_CONFIG_PRIV_H

#include "base/arena.h"
#include "base/units.h"
#include "config/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the tree (yaml.c) -------------------------------------------------- */

#define BL__NODES_MAX 20000u
#define BL__CHILDREN_MAX 256u
#define BL__DEPTH_MAX 8u
#define BL__TEXT_BYTES BL_PATH_BYTES /* of one key or value */

enum bl__node_kind { BL__TEXT, BL__LIST, BL__MAP };

struct bl__node {
    enum bl__node_kind kind;
    unsigned long line; /* of a text; else of the key that it belongs to */
    const char *key;    /* as an entry of a map; else NULL */
    const char *text;   /* BL__TEXT: UTF-8 without control characters */
    uint32_t child_count;
    const struct bl__node *first; /* of a list or map; NULL when empty */
    const struct bl__node *next;  /* in the same list or map */
};

/** bl__yaml_read - the tree of @text; the root is a map.
 * @label  stands for FILE in the diag. */
BL_NODISCARD bl_err bl__yaml_read(struct bl_arena *a, const char *text,
                                  size_t size_bytes, const char *label,
                                  const struct bl__node **root,
                                  struct bl_diag *diag);

/* The entry called @key of @map; NULL when it has none. */
const struct bl__node *bl__node_get(const struct bl__node *map,
                                    const char *key);

/* The line of @map's entry @key, or of @map when it has none. */
unsigned long bl__node_line(const struct bl__node *map, const char *key);

/* --- fields (read.c) ---------------------------------------------------- */

struct bl__reader {
    const char *file;
    struct bl_diag *diag;
    struct bl_scenario *out;
};

enum bl__field_kind {
    BL__QUANTITY, /* dim, min, max, word; an integer of `size` bytes */
    BL__CHOICE,   /* choices; its index, in `size` bytes */
    BL__STRING,   /* at most `size` - 1 bytes, not empty; may have choices */
    BL__NAME,     /* the same, and only letters, digits, '.', '_' and '-' */
    BL__SECTION,  /* read() */
};

struct bl__field {
    const char *name;
    const char *meaning;
    /* Read when the key is absent. NULL with `shown`: left as it was set up,
     * and `shown` says what that is. NULL without: the key is required. */
    const char *def;
    const char *shown;
    const char *expect; /* NULL: follows from the kind */
    enum bl__field_kind kind;
    enum bl_dim dim;
    int64_t min, max;
    const char *word; /* stands for word_value; NULL: none */
    int64_t word_value;
    const char *const *choices; /* NULL-terminated */
    size_t offset, size;        /* in the section's struct */
    /* @n is NULL when the key is absent and not required. */
    bl_err (*read)(struct bl__reader *r, const struct bl__node *n,
                   void *target);
};

struct bl__section {
    const char *name; /* "hosts.groups"; "" for the top of the file */
    const struct bl__field *field;
    uint32_t field_count;
};

/** bl__read_map - every entry of @map into @target as @s says.
 * @map  may be NULL: all defaults. */
BL_NODISCARD bl_err bl__read_map(struct bl__reader *r,
                                 const struct bl__section *s,
                                 const struct bl__node *map, void *target);

/* BL_ERR_PARSE, "SECTION.KEY: WHAT, expected EXPECT". */
bl_err bl__refuse(struct bl__reader *r, unsigned long line, const char *key,
                  const char *what, const char *expect);

/* Is @n a node of @kind (NULL is not)? Says so when not. */
BL_NODISCARD bl_err bl__expect_kind(struct bl__reader *r,
                                    const struct bl__node *n,
                                    enum bl__node_kind kind);

/* The name nearest to @text among those seen; NULL when none is near. */
struct bl__nearest {
    const char *text;
    const char *best;
    uint32_t best_distance;
};
void bl__nearest_see(struct bl__nearest *n, const char *name);

/* What a user may write for @f: "a time such as 300s (...), or from-trace". */
void bl__field_expect(const struct bl__field *f, char *buf, size_t size);

/* --- tables (keys.c) ---------------------------------------------------- */

extern const struct bl__section bl__section_top, bl__section_hosts,
    bl__section_host_group, bl__section_standby, bl__section_off,
    bl__section_vms, bl__section_vm_group, bl__section_cpu, bl__section_mem,
    bl__section_trace, bl__section_generate, bl__section_migration,
    bl__section_policy;

/* --- groups (groups.c) -------------------------------------------------- */

/* Stands for "not given" while a group is read. */
#define BL__ABSENT_U32 UINT32_MAX
#define BL__ABSENT_U64 UINT64_MAX

bl_err bl__read_hosts(struct bl__reader *r, const struct bl__node *n, void *dc);
bl_err bl__read_host_groups(struct bl__reader *r, const struct bl__node *n,
                            void *dc);
bl_err bl__read_power(struct bl__reader *r, const struct bl__node *n,
                      void *table);
bl_err bl__read_standby(struct bl__reader *r, const struct bl__node *n,
                        void *state);
bl_err bl__read_off(struct bl__reader *r, const struct bl__node *n,
                    void *state);
bl_err bl__read_vms(struct bl__reader *r, const struct bl__node *n, void *dc);
bl_err bl__read_vm_groups(struct bl__reader *r, const struct bl__node *n,
                          void *dc);
bl_err bl__read_cpu(struct bl__reader *r, const struct bl__node *n,
                    void *settings);
bl_err bl__read_mem(struct bl__reader *r, const struct bl__node *n,
                    void *settings);
bl_err bl__read_cpu_shares(struct bl__reader *r, const struct bl__node *n,
                           void *shares);
bl_err bl__read_mem_shares(struct bl__reader *r, const struct bl__node *n,
                           void *shares);

/* --- sections (scenario.c) ---------------------------------------------- */

bl_err bl__read_trace(struct bl__reader *r, const struct bl__node *n,
                      void *scenario);
bl_err bl__read_generate(struct bl__reader *r, const struct bl__node *n,
                         void *scenario);
bl_err bl__read_migration(struct bl__reader *r, const struct bl__node *n,
                          void *migration);
bl_err bl__read_policy(struct bl__reader *r, const struct bl__node *n,
                       void *choice);

/* --- rules over the whole file (rules.c) -------------------------------- */

BL_NODISCARD bl_err bl__check_rules(struct bl__reader *r,
                                    const struct bl__node *root);

/** bl__scenario_read - bl_scenario_parse() with the arena from outside, so
 * that tests can let allocations fail. */
BL_NODISCARD bl_err bl__scenario_read(struct bl_arena *a, const char *text,
                                      size_t size_bytes, const char *label,
                                      struct bl_scenario *out,
                                      struct bl_diag *diag);

#endif /* BL_CONFIG_PRIV_H */
