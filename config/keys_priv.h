/* SPDX-License-Identifier: Apache-2.0 */
/* config/keys_priv.h - the words in which keys.c and keys_host.c declare. */
#ifndef BL_CONFIG_KEYS_PRIV_H
#define BL_CONFIG_KEYS_PRIV_H

#include "config/config_priv.h"

#define AT(type, member)                                                       \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define RANGE(lo, hi) .min = (int64_t)(lo), .max = (int64_t)(hi)
#define IS(dimension) .kind = BL__QUANTITY, .dim = (dimension)
#define SUB(reader) .kind = BL__SECTION, .read = (reader)

#define SECTION(id, text, table)                                               \
    const struct bl__section bl__section_##id = {                              \
        .name = (text),                                                        \
        .field = (table),                                                      \
        .field_count = sizeof(table) / sizeof((table)[0])                      \
    }

/* Under the same name, the other level has keys of its own. */
#define SECTION_TWIN(id, text, table, other, other_level)                      \
    const struct bl__section bl__section_##id = {                              \
        .name = (text),                                                        \
        .field = (table),                                                      \
        .field_count = sizeof(table) / sizeof((table)[0]),                     \
        .twin = &bl__section_##other,                                          \
        .twin_level = (other_level)                                            \
    }

/* What a pool has at both levels; memory it has at level cluster only. */
#define POOL_KEYS                                                              \
    { .name = "name",                                                          \
      .meaning = "of the pool",                                                \
      .kind = BL__NAME,                                                        \
      AT(struct bl_pool_desc, name) },                                         \
        { .name = "parent",                                                    \
          .meaning = "the pool that it is in",                                 \
          .expect = "the name of a pool before this one",                      \
          .shown = "none",                                                     \
          SUB(bl__read_pool_parent),                                           \
          AT(struct bl_pool_desc, parent) },                                   \
    {                                                                          \
        .name = "cpu", .meaning = "shares, reservation and limit of CPU",      \
        .expect = "a map", .shown = "its keys' defaults",                      \
        SUB(bl__read_pool_cpu), AT(struct bl_pool_desc, cpu)                   \
    }

#endif /* BL_CONFIG_KEYS_PRIV_H */
