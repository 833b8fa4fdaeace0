/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/config_priv.h - for config/ only: YAML as a small tree with line
 * numbers, and the declared tables that turn such a tree into a bl_scenario.
 *
 * yaml.c     text -> tree (libfyaml's events; anchors, tags and the like are
 *            refused, depth and size are bounded)
 * read.c     one map of the tree -> one struct, by a table of fields
 * keys.c     the tables: every key of the format, once
 * keys_host.c  the same of level host
 * groups.c   what a host group and a VM group need beyond a table
 * host.c     the same of level host, and its rules
 * pools.c    resource pools
 * power.c    P-states, power models and governors
 * caps.c     power caps
 * keys_power.c  their keys
 * tune.c     what `ballast tune` is to try
 * policy_file.c  a policy in a file of its own
 * servers.c  measured servers from a file
 * scenario.c the rest: sections, whole-file rules, files
 */
#ifndef BL_CONFIG_PRIV_H
#define BL_CONFIG_PRIV_H

#include "base/arena.h"
#include "base/units.h"
#include "config/scenario.h"
#include "config/servers.h"

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
    const struct bl__node *pools; /* the list, once it is being read */
    struct bl_arena *arena;       /* until the scenario is read */
    struct bl_servers servers;    /* of the file that 'servers' names */
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
    /* The same section at the other level; NULL: none, or the same keys. */
    const struct bl__section *twin;
    const char *twin_level;
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
    bl__section_pool, bl__section_pool_cpu, bl__section_pool_mem,
    bl__section_trace, bl__section_generate, bl__section_migration,
    bl__section_policy, bl__section_tune, bl__section_policy_file;

/* keys_power.c */
extern const struct bl__section bl__section_frequency, bl__section_idle_state,
    bl__section_power_model, bl__section_host_frequency,
    bl__section_host_idle_state, bl__section_host_power_model,
    bl__section_governor, bl__section_host_governor, bl__section_power_cap;

/* keys_host.c */
extern const struct bl__section bl__section_host_pool, bl__section_host_top,
    bl__section_host, bl__section_costs, bl__section_scheduler,
    bl__section_sched_policy, bl__section_sched_mode, bl__section_host_vms,
    bl__section_host_vm_group, bl__section_kind, bl__section_jobs,
    bl__section_jobs_workload;

/* The keys of a workload beyond `kind`, by enum bl_guest_kind. */
extern const struct bl__section bl__section_guest[BL_GUEST_COUNT];

/* All sections of a level in the order of the manual; ends with NULL. */
extern const struct bl__section *const bl__sections_cluster[];
extern const struct bl__section *const bl__sections_host[];

/* --- groups (groups.c) -------------------------------------------------- */

/* Stands for "not given" while a group is read. */
#define BL__ABSENT_U32 UINT32_MAX
#define BL__ABSENT_U64 UINT64_MAX

bl_err bl__read_hosts(struct bl__reader *r, const struct bl__node *n, void *dc);
bl_err bl__read_host_groups(struct bl__reader *r, const struct bl__node *n,
                            void *dc);
/* A path into r->servers. */
bl_err bl__read_servers(struct bl__reader *r, const struct bl__node *n,
                        void *unused);
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

/* @n, the value of @key, is a list of 1 .. @max entries? */
BL_NODISCARD bl_err bl__expect_entries(struct bl__reader *r,
                                       const struct bl__node *n,
                                       const char *key, uint32_t max);

/* Names are unique in a list: reports and --explain go by them. @what is
 * "group" or "pool". */
BL_NODISCARD bl_err bl__expect_new_name(struct bl__reader *r,
                                        const struct bl__node *list,
                                        const struct bl__node *entry,
                                        const char *what);

/* Do the settings under `cpu` of @group fit @size_khz (vcpus x speed)? */
BL_NODISCARD bl_err bl__check_cpu(struct bl__reader *r,
                                  const struct bl__node *group,
                                  uint64_t size_khz,
                                  const struct bl_settings *s);

/* The same for jobs, which differ in width: what one of one vCPU may have. */
BL_NODISCARD bl_err bl__check_job_cpu(struct bl__reader *r,
                                      const struct bl__node *jobs,
                                      uint64_t core_khz,
                                      const struct bl_settings *s);

/* --- power (power.c, caps.c) -------------------------------------------- */

bl_err bl__read_frequency(struct bl__reader *r, const struct bl__node *n,
                          void *freq);
bl_err bl__read_pstates(struct bl__reader *r, const struct bl__node *n,
                        void *freq);
bl_err bl__read_idle_states(struct bl__reader *r, const struct bl__node *n,
                            void *freq);
bl_err bl__read_governor(struct bl__reader *r, const struct bl__node *n,
                         void *choice);
bl_err bl__read_power_caps(struct bl__reader *r, const struct bl__node *n,
                           void *dc);
bl_err bl__read_cap_hosts(struct bl__reader *r, const struct bl__node *n,
                          void *group);

/* A host whose keys are read; @freq and @table are completed. */
struct bl__machine {
    uint64_t core_khz;
    uint32_t core_count;
    struct bl_freq *freq;
    struct bl_power_table *table; /* read, unless 'power' is a map */
};

/* The tables of all P-states, of a host that has 'power' and may have
 * 'frequency' among the keys of @map. */
BL_NODISCARD bl_err bl__complete_power(struct bl__reader *r,
                                       const struct bl__node *map,
                                       const struct bl__machine *m);

/* A governor that there is, with parameters that it has. */
BL_NODISCARD bl_err bl__read_any_governor(struct bl__reader *r,
                                          const struct bl__section *s,
                                          const struct bl__node *n,
                                          struct bl_policy_choice *out);

/* No cap is below what idling and @reserved_khz of all VMs need. */
BL_NODISCARD bl_err bl__check_power_caps(struct bl__reader *r,
                                         uint64_t reserved_khz);
BL_NODISCARD bl_err bl__check_host_cap(struct bl__reader *r,
                                       unsigned long line);

/* --- level host (host.c) ------------------------------------------------ */

bl_err bl__read_host(struct bl__reader *r, const struct bl__node *n,
                     void *spec);
bl_err bl__read_topology(struct bl__reader *r, const struct bl__node *n,
                         void *spec);
bl_err bl__read_host_power(struct bl__reader *r, const struct bl__node *n,
                           void *spec);
bl_err bl__read_host_governor(struct bl__reader *r, const struct bl__node *n,
                              void *spec);
bl_err bl__read_costs(struct bl__reader *r, const struct bl__node *n,
                      void *costs);
bl_err bl__read_scheduler(struct bl__reader *r, const struct bl__node *n,
                          void *spec);
bl_err bl__read_sched_policy(struct bl__reader *r, const struct bl__node *n,
                             void *spec);
bl_err bl__read_sched_mode(struct bl__reader *r, const struct bl__node *n,
                           void *spec);
bl_err bl__read_host_vms(struct bl__reader *r, const struct bl__node *n,
                         void *spec);
/* A name from 'pools' into the group's pool. */
bl_err bl__read_host_pool_name(struct bl__reader *r, const struct bl__node *n,
                               void *index);
bl_err bl__read_host_vm_groups(struct bl__reader *r, const struct bl__node *n,
                               void *spec);
bl_err bl__read_affinity(struct bl__reader *r, const struct bl__node *n,
                         void *group);
bl_err bl__read_workload(struct bl__reader *r, const struct bl__node *n,
                         void *group);
bl_err bl__read_jobs(struct bl__reader *r, const struct bl__node *n,
                     void *spec);
bl_err bl__read_jobs_workload(struct bl__reader *r, const struct bl__node *n,
                              void *jobs);

/* What cannot be although every key by itself is fine. */
BL_NODISCARD bl_err bl__check_host_rules(struct bl__reader *r,
                                         const struct bl__node *root);

/* A reservation is not above the limit beside it; @key is "cpu" or "mem". */
BL_NODISCARD bl_err bl__check_limit(struct bl__reader *r,
                                    const struct bl__node *entry,
                                    const char *key, enum bl_dim dim,
                                    const struct bl_settings *s);

/* --- pools (pools.c) ---------------------------------------------------- */

/* A list into a struct bl_pool_set, which has to be that of r->out->dc: parents
 * and VM groups find their pools there, by name. */
bl_err bl__read_pools(struct bl__reader *r, const struct bl__node *n,
                      void *pool_set);
/* A name into a uint32_t: 1 + index; 0 when there is none. */
bl_err bl__read_pool_name(struct bl__reader *r, const struct bl__node *n,
                          void *one_up);
bl_err bl__read_pool_parent(struct bl__reader *r, const struct bl__node *n,
                            void *one_up);
bl_err bl__read_pool_cpu(struct bl__reader *r, const struct bl__node *n,
                         void *settings);
bl_err bl__read_pool_mem(struct bl__reader *r, const struct bl__node *n,
                         void *settings);
/* Can all hosts together back what pools reserve, and pools a VM of each
 * group? */
BL_NODISCARD bl_err bl__check_pools(struct bl__reader *r,
                                    const struct bl__node *root);

/* --- sections (scenario.c) ---------------------------------------------- */

bl_err bl__read_trace(struct bl__reader *r, const struct bl__node *n,
                      void *scenario);
bl_err bl__read_generate(struct bl__reader *r, const struct bl__node *n,
                         void *scenario);
bl_err bl__read_migration(struct bl__reader *r, const struct bl__node *n,
                          void *migration);
bl_err bl__read_policy(struct bl__reader *r, const struct bl__node *n,
                       void *choice);

/* tune.c: into a struct bl_tune_choice, and its parts. */
bl_err bl__read_tune(struct bl__reader *r, const struct bl__node *n,
                     void *tune);
bl_err bl__read_vary(struct bl__reader *r, const struct bl__node *n,
                     void *tune);
bl_err bl__read_tune_text(struct bl__reader *r, const struct bl__node *n,
                          void *text);
bl_err bl__read_tune_paths(struct bl__reader *r, const struct bl__node *n,
                           void *paths);

/** bl__read_choice - a name alone, or a map with 'name' and parameters.
 * @s    has the one key 'name'
 * @def  stands for the name when @n is NULL */
BL_NODISCARD bl_err bl__read_choice(struct bl__reader *r,
                                    const struct bl__section *s,
                                    const struct bl__node *n, const char *def,
                                    struct bl_policy_choice *out);

/* A relative path, written in a file, starts at the file's folder. */
BL_NODISCARD bl_err bl__resolve_path(struct bl__reader *r,
                                     const struct bl__node *n, char *out,
                                     size_t size);

/* --- rules over the whole file (rules.c) -------------------------------- */

BL_NODISCARD bl_err bl__check_rules(struct bl__reader *r,
                                    const struct bl__node *root);

/** bl__file_read - all of @path into @text, which has room for one byte more
 * than BL_SCENARIO_BYTES_MAX. @expected: "a scenario file". */
BL_NODISCARD bl_err bl__file_read(const char *path, const char *expected,
                                  char *text, size_t *size,
                                  struct bl_diag *diag);

/** bl__policy_file_read - bl_policy_file_parse() with the arena from
 * outside. */
BL_NODISCARD bl_err bl__policy_file_read(struct bl_arena *a, const char *text,
                                         size_t size, const char *label,
                                         struct bl_policy_choice *out,
                                         struct bl_diag *diag);

/** bl__scenario_read - bl_scenario_parse() with the arena from outside, so
 * that tests can let allocations fail. */
BL_NODISCARD bl_err bl__scenario_read(struct bl_arena *a, const char *text,
                                      size_t size_bytes, const char *label,
                                      struct bl_scenario *out,
                                      struct bl_diag *diag);

#endif /* BL_CONFIG_PRIV_H */
