/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_scenario - any bytes: one line of why not, or a scenario that keeps
 * every documented range and reads the same the second time. */
#include "base/hash.h"
#include "config/scenario.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bl_scenario first, second; /* too large for a stack */

/* Every field that a run depends on. */
static uint64_t digest(const struct bl_scenario *s)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_hash_text(&h, s->name);
    bl_hash_text(&h, s->physics);
    bl_hash_text(&h, s->trace_path);
    bl_hash_text(&h, s->policy.name);
    bl_hash_text(&h, s->currency);
    bl_hash_u64(&h, s->seed);
    bl_hash_u64(&h, (uint64_t)s->interval_ns);
    bl_hash_u64(&h, (uint64_t)s->duration_ns);
    bl_hash_u64(&h, (uint64_t)s->warmup_ns);
    for (uint32_t i = 0; i < s->dc.host_group_count; i++) {
        const struct bl_host_group *g = &s->dc.host_group[i];

        bl_hash_text(&h, g->name);
        bl_hash_u64(&h, g->host_count * g->core_khz + g->core_count);
        bl_hash_u64(&h, g->mem_bytes + g->off.leave.energy_uj);
        bl_hash_bytes(&h, g->power.mw, sizeof(g->power.mw));
    }
    for (uint32_t i = 0; i < s->dc.vm_group_count; i++) {
        const struct bl_vm_group *g = &s->dc.vm_group[i];

        bl_hash_text(&h, g->name);
        bl_hash_u64(&h, g->vcpu_count * g->vcpu_khz);
        bl_hash_u64(&h, g->cpu.shares.value + g->cpu.reservation);
        bl_hash_u64(&h, g->mem.limit);
    }
    return bl_hash_value(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct bl_diag diag = { "" }, again = { "" };
    const bl_err e = bl_scenario_parse(text, size, "x.yaml", &first, &diag);

    BL_ASSERT(bl_scenario_parse(text, size, "x.yaml", &second, &again) == e);
    if (e == BL_ERR_OK) {
        bl_dc_check(&first.dc);
        BL_ASSERT(digest(&first) == digest(&second));
        return 0;
    }
    BL_ASSERT(e == BL_ERR_PARSE || e == BL_ERR_INVAL);
    BL_ASSERT(strncmp(diag.text, "x.yaml", 6) == 0);
    BL_ASSERT(strcmp(diag.text, again.text) == 0);
    return 0;
}
