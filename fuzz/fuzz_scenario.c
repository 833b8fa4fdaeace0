/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_scenario - any bytes: one line of why not, or a scenario that keeps
 * every documented range and reads the same the second time. */
#include "base/hash.h"
#include "config/scenario.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bl_scenario first, second; /* too large for a stack */

static void hash_guest(const struct bl_guest *g, struct bl_hash *h)
{
    bl_hash_u64(h, (uint64_t)g->kind + (uint64_t)g->work.kind);
    bl_hash_u64(h, (uint64_t)g->work.mean_ns + g->work.spread_ppm);
    bl_hash_u64(h, (uint64_t)g->rest.mean_ns + g->queue_max);
    bl_hash_u64(h, (uint64_t)g->spin_ns);
}

static void hash_host(const struct bl_host_spec *s, struct bl_hash *h)
{
    bl_hash_bytes(h, &s->topo, sizeof(s->topo));
    bl_hash_bytes(h, &s->costs, sizeof(s->costs));
    bl_hash_text(h, s->policy);
    bl_hash_text(h, s->mode);
    bl_hash_u64(h, s->core_khz + s->policy_param_count);
    bl_hash_u64(h, (uint64_t)(s->duration_ns + s->warmup_ns));
    bl_hash_u64(h, (uint64_t)(s->control_ns + s->timeline_ns));
    for (uint32_t i = 0; i < s->group_count; i++) {
        bl_hash_text(h, s->group[i].name);
        bl_hash_text(h, s->group[i].path);
        bl_hash_u64(h, s->group[i].vm_count + s->group[i].vcpu_count);
        bl_hash_bytes(h, &s->group[i].affinity, sizeof(s->group[i].affinity));
        bl_hash_u64(h, (uint64_t)s->group[i].start_ns);
        hash_guest(&s->group[i].guest, h);
    }
    bl_hash_text(h, s->jobs.path);
    bl_hash_u64(h, s->jobs.count_max + s->jobs.skip);
    hash_guest(&s->jobs.guest, h);
}

static void hash_tune(const struct bl_tune_choice *t, struct bl_hash *h)
{
    bl_hash_u64(h, t->line + t->strategy + t->run_count);
    for (uint32_t i = 0; i < t->vary_count; i++) {
        bl_hash_text(h, t->vary[i].name);
        bl_hash_text(h, t->vary[i].range.text);
    }
    bl_hash_text(h, t->objectives.text);
    bl_hash_text(h, t->baseline.text);
    bl_hash_text(h, t->pick.text);
    for (uint32_t i = 0; i < t->traces.count; i++)
        bl_hash_text(h, t->traces.path[i]);
    for (uint32_t i = 0; i < t->validate.count; i++)
        bl_hash_text(h, t->validate.path[i]);
}

/* Every field that a run, or a search, depends on. */
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
    hash_host(&s->host, &h);
    hash_tune(&s->tune, &h);
    return bl_hash_value(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct bl_diag diag = { "" }, again = { "" };
    const bl_err e = bl_scenario_parse(text, size, "x.yaml", &first, &diag);

    BL_ASSERT(bl_scenario_parse(text, size, "x.yaml", &second, &again) == e);
    if (e == BL_ERR_OK) {
        if (first.level == BL_LEVEL_HOST)
            bl_host_spec_check(&first.host);
        else
            bl_dc_check(&first.dc);
        BL_ASSERT(digest(&first) == digest(&second));
        return 0;
    }
    /* a topology may name a file that is not there */
    BL_ASSERT(e == BL_ERR_PARSE || e == BL_ERR_INVAL || e == BL_ERR_IO);
    BL_ASSERT(strncmp(diag.text, "x.yaml", 6) == 0);
    BL_ASSERT(strcmp(diag.text, again.text) == 0);
    return 0;
}
