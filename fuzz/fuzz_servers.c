/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_servers - any bytes as a CSV file of servers: one line of why not, or
 * servers within the documented ranges that are found by their names, each
 * once, and the same the second time. */
#include "base/hash.h"
#include "config/servers.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_server(const struct bl_servers *all, uint32_t i,
                         struct bl_hash *h)
{
    const struct bl_server *s = &all->server[i];
    const uint32_t best = bl_server_best_load(s);

    BL_ASSERT(strlen(s->power.name) > 0);
    BL_ASSERT(bl_servers_find(all, s->power.name) == s);
    BL_ASSERT(s->core_count >= 1 && s->core_count <= BL_HOST_CORES_MAX);
    BL_ASSERT(s->core_khz >= 1 && s->core_khz <= BL_CORE_KHZ_MAX);
    BL_ASSERT(s->mem_bytes >= 1 && s->mem_bytes <= BL_MEM_BYTES_MAX);
    BL_ASSERT(best >= 10 && best <= 100 && best % 10 == 0);
    for (int k = 0; k < BL_POWER_POINTS; k++) {
        BL_ASSERT(s->power.mw[k] >= 1 && s->power.mw[k] <= BL_POWER_MW_MAX);
        bl_hash_u64(h, s->power.mw[k] + s->ops[k]);
    }
    bl_hash_text(h, s->power.name);
    bl_hash_text(h, s->vendor);
    bl_hash_text(h, s->model);
    bl_hash_text(h, s->cpu);
    bl_hash_u64(h, s->core_khz + s->core_count + s->src_line + s->year);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash[2] = { 0, 0 };
    bl_err e[2];

    if (size > BL_SERVERS_BYTES_MAX)
        return 0;
    for (int i = 0; i < 2; i++) {
        struct bl_servers all = { NULL, 0, 0 };
        struct bl_diag diag = { "" };
        struct bl_arena a;
        struct bl_hash h;

        BL_ASSERT(bl_arena_init(&a, BL_SERVERS_ARENA_BYTES) == BL_ERR_OK);
        e[i] = bl_servers_parse(&a, (const char *)data, size, "s.csv", &all,
                                &diag);
        bl_hash_init(&h);
        bl_hash_u64(&h, all.content_hash);
        for (uint32_t k = 0; k < all.count; k++)
            check_server(&all, k, &h);
        hash[i] = bl_hash_value(&h);
        if (e[i] == BL_ERR_OK) {
            BL_ASSERT(all.count >= 1 && all.count <= BL_SERVERS_MAX);
        } else {
            BL_ASSERT(e[i] == BL_ERR_PARSE || e[i] == BL_ERR_INVAL ||
                      e[i] == BL_ERR_FULL);
            BL_ASSERT(all.count == 0);
            BL_ASSERT(strncmp(diag.text, "s.csv:", 6) == 0);
        }
        bl_arena_free(&a);
    }
    BL_ASSERT(e[0] == e[1] && hash[0] == hash[1]);
    return 0;
}
