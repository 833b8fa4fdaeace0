/* SPDX-License-Identifier: Apache-2.0 */
/* config/rules.c - what cannot be although every key by itself is fine. */
#include "config/config_priv.h"

#include "base/u128.h"

#include <string.h>

#define TRACE_NS_MAX (INT64_C(36525) * 86400 * BL_NS_PER_S) /* a century */

static void print(enum bl_dim dim, bl_u128 value, char *buf, size_t size)
{
    /* Sums over a whole data centre can leave what units.h prints. */
    bl_units_print(dim, value > INT64_MAX ? INT64_MAX : (int64_t)value, buf,
                   size);
}

static const struct bl__node *list_entry(const struct bl__node *root,
                                         const char *section, uint32_t index)
{
    const struct bl__node *list =
        bl__node_get(bl__node_get(root, section), "groups");
    const struct bl__node *n = list->first;

    while (index-- > 0)
        n = n->next;
    return n;
}

/* --- VMs and hosts ------------------------------------------------------ */

static bool fits_somewhere(const struct bl_dc *dc, const struct bl_vm_group *vm)
{
    for (uint32_t i = 0; i < dc->host_group_count; i++) {
        const struct bl_host_group *h = &dc->host_group[i];

        if (vm->vcpu_count <= h->core_count && vm->vcpu_khz <= h->core_khz &&
            vm->mem_bytes <= h->mem_bytes)
            return true;
    }
    return false;
}

static bl_err check_sizes(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_dc *dc = &r->out->dc;

    for (uint32_t i = 0; i < dc->vm_group_count; i++) {
        const struct bl_vm_group *vm = &dc->vm_group[i];
        char speed[40], mem[40];

        if (vm->size_from_trace || fits_somewhere(dc, vm))
            continue;
        print(BL_DIM_FREQ, vm->vcpu_khz, speed, sizeof(speed));
        print(BL_DIM_BYTES, vm->mem_bytes, mem, sizeof(mem));
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           list_entry(root, "vms", i)->line,
                           "VM group '%s': %u x %s and %s of memory is larger "
                           "than every host, expected a VM that one host has "
                           "the cores, core speed and memory for",
                           vm->name, vm->vcpu_count, speed, mem);
    }
    return BL_ERR_OK;
}

/* VMs in all, where the scenario alone says so; else 0. */
static uint32_t known_vm_count(const struct bl_scenario *s)
{
    const uint32_t own = bl_dc_vm_count(&s->dc);

    if (own > 0 || s->trace_source != BL_TRACE_GENERATED)
        return own;
    return s->trace_spec.vm_count;
}

/* How many of @vm_count VMs are in group @g; see bl_dc_vm_group(). */
static uint64_t group_size(const struct bl_dc *dc, uint32_t g,
                           uint32_t vm_count)
{
    const uint32_t groups = dc->vm_group_count;
    const uint64_t per = vm_count / groups + (vm_count % groups > 0);

    if (dc->vm_group[g].vm_count > 0)
        return dc->vm_group[g].vm_count;
    if (dc->vm_order == BL_ORDER_ROUND_ROBIN)
        return vm_count / groups + (g < vm_count % groups);
    if (per * g >= vm_count)
        return 0;
    return vm_count - per * g < per ? vm_count - per * g : per;
}

static bl_err refuse_reservations(struct bl__reader *r, unsigned long line,
                                  enum bl_dim dim, bl_u128 sum, bl_u128 have)
{
    char got[40], most[40];

    print(dim, sum, got, sizeof(got));
    print(dim, have, most, sizeof(most));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, line,
                       "%s reservations of all VMs sum to %s, expected at most "
                       "the %s that all hosts have",
                       dim == BL_DIM_FREQ ? "CPU" : "memory", got, most);
}

/* Of CPU, of all VMs, where the scenario alone says how many there are. */
static bl_u128 reserved_khz(const struct bl_scenario *s)
{
    const uint32_t n = known_vm_count(s);
    bl_u128 sum = 0;

    for (uint32_t g = 0; n > 0 && g < s->dc.vm_group_count; g++)
        sum += (bl_u128)group_size(&s->dc, g, n) *
               s->dc.vm_group[g].cpu.reservation;
    return sum;
}

static bl_err check_reservations(struct bl__reader *r,
                                 const struct bl__node *root)
{
    const struct bl_dc *dc = &r->out->dc;
    const uint32_t n = known_vm_count(r->out);
    const unsigned long line = bl__node_get(root, "vms")->line;
    const bl_u128 cpu = reserved_khz(r->out);
    bl_u128 mem = 0, cpu_have = 0, mem_have = 0;

    for (uint32_t i = 0; i < dc->host_group_count; i++) {
        const struct bl_host_group *h = &dc->host_group[i];

        cpu_have += (bl_u128)h->host_count * h->core_count * h->core_khz;
        mem_have += (bl_u128)h->host_count * h->mem_bytes;
    }
    for (uint32_t g = 0; n > 0 && g < dc->vm_group_count; g++)
        mem += (bl_u128)group_size(dc, g, n) * dc->vm_group[g].mem.reservation;
    if (cpu > cpu_have)
        return refuse_reservations(r, line, BL_DIM_FREQ, cpu, cpu_have);
    if (mem > mem_have)
        return refuse_reservations(r, line, BL_DIM_BYTES, mem, mem_have);
    return BL_ERR_OK;
}

/* --- VMs and a generated trace
 * ------------------------------------------------ */

/* The line of trace.generate.KEY, or of what comes nearest to it. */
static unsigned long generate_line(const struct bl__node *root, const char *key)
{
    const struct bl__node *trace = bl__node_get(root, "trace");
    const struct bl__node *generate =
        trace != NULL ? bl__node_get(trace, "generate") : NULL;

    if (generate != NULL)
        return bl__node_line(generate, key);
    return trace != NULL ? trace->line : root->line;
}

/* The knobs that limit one another, all as the generator's default has them:
 * nothing to try out. */
static bool knobs_as_default(const struct bl_trace_spec *s)
{
    struct bl_trace_spec d;

    bl_trace_spec_default(&d);
    return s->mean_ppm == d.mean_ppm && s->diurnal_ppm == d.diurnal_ppm &&
           s->autocorr_ppm == d.autocorr_ppm && s->burst_ppm == d.burst_ppm &&
           s->step_ns == d.step_ns;
}

static bl_err check_generated(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_scenario *s = r->out;
    const uint32_t own = bl_dc_vm_count(&s->dc);
    struct bl_trace_spec one = s->trace_spec;
    struct bl_trace *t = NULL;
    struct bl_diag why;

    if (own > 0 && own != s->trace_spec.vm_count)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           generate_line(root, "vms"),
                           "vms: %u in the trace, expected the %u of the VM "
                           "groups",
                           s->trace_spec.vm_count, own);
    for (uint32_t g = 0; g < s->dc.vm_group_count; g++)
        if (s->dc.vm_group[g].size_from_trace && !s->trace_spec.has_size)
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                               generate_line(root, "sizes"),
                               "sizes: no, expected yes (VM group '%s' has "
                               "size: from-trace)",
                               s->dc.vm_group[g].name);
    /* What its knobs can do together only the generator knows: let it try with
     * the smallest trace. */
    one.vm_count = one.step_count = 1;
    if (knobs_as_default(&one))
        return BL_ERR_OK;

    const bl_err e = bl_trace_open_generated(&one, 1, &t, &why);

    bl_trace_close(t);
    if (e != BL_ERR_OK)
        return bl_diag_set(r->diag, e, r->file, generate_line(root, "mean"),
                           "%s", why.text);
    return BL_ERR_OK;
}

/* --- times
 * ---------------------------------------------------------------------- */

static bl_err refuse_time(struct bl__reader *r, unsigned long line,
                          const char *key, int64_t got_ns, const char *expect,
                          int64_t than_ns)
{
    char got[40], than[40];

    print(BL_DIM_TIME, (bl_u128)got_ns, got, sizeof(got));
    print(BL_DIM_TIME, (bl_u128)than_ns, than, sizeof(than));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, line,
                       "%s: %s, expected %s %s", key, got, expect, than);
}

/* Against the steps of a generated trace; a file's are known only later. */
static bl_err check_steps(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_scenario *s = r->out;
    const int64_t step_ns = s->trace_spec.step_ns;
    const bl_u128 all_ns = (bl_u128)step_ns * s->trace_spec.step_count;

    if (all_ns > TRACE_NS_MAX)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           generate_line(root, "steps"),
                           "steps: a trace of more than a century, expected "
                           "fewer or shorter steps");
    if (s->interval_ns > 0 && s->interval_ns % step_ns != 0 &&
        step_ns % s->interval_ns != 0)
        return refuse_time(
            r, bl__node_line(root, "interval"), "interval", s->interval_ns,
            "a multiple or a whole part of the trace's step", step_ns);
    if (s->duration_ns > (int64_t)all_ns)
        return refuse_time(r, bl__node_line(root, "duration"), "duration",
                           s->duration_ns, "at most the trace's length",
                           (int64_t)all_ns);
    if (s->duration_ns % step_ns != 0)
        return refuse_time(r, bl__node_line(root, "duration"), "duration",
                           s->duration_ns, "a multiple of the trace's step",
                           step_ns);
    if (s->warmup_ns % step_ns != 0)
        return refuse_time(r, bl__node_line(root, "warmup"), "warmup",
                           s->warmup_ns, "a multiple of the trace's step",
                           step_ns);
    if (s->warmup_ns >= (int64_t)all_ns)
        return refuse_time(r, bl__node_line(root, "warmup"), "warmup",
                           s->warmup_ns, "less than the trace's length",
                           (int64_t)all_ns);
    return BL_ERR_OK;
}

static bl_err check_times(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_scenario *s = r->out;

    if (s->duration_ns > 0 && s->warmup_ns >= s->duration_ns)
        return refuse_time(r, bl__node_line(root, "warmup"), "warmup",
                           s->warmup_ns, "less than the duration",
                           s->duration_ns);
    if (s->trace_source == BL_TRACE_GENERATED)
        return check_steps(r, root);
    return BL_ERR_OK;
}

/* --- physics that can do less than real ------------------------------------
 */

#define CLOUDSIM_STEP_NS (300 * BL_NS_PER_S)

/* What sim/ would refuse at the start of the run, with its line. */
/* There, a host has one speed and one table. */
static bl_err check_cloudsim_power(struct bl__reader *r,
                                   const struct bl__node *root)
{
    const struct bl__node *n = bl__node_get(root, "governor");

    if (n == NULL)
        n = bl__node_get(root, "power_caps");
    for (uint32_t g = 0; n == NULL && g < r->out->dc.host_group_count; g++)
        n = bl__node_get(list_entry(root, "hosts", g), "frequency");
    if (n == NULL)
        return BL_ERR_OK;
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                       "%s: cloudsim303 has none, expected physics: real",
                       n->key);
}

static bl_err check_cloudsim(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_scenario *s = r->out;
    static const char expect[] = "the step of cloudsim303,";

    if (s->dc.pools.count > 0)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_get(root, "pools")->line,
                           "pools: cloudsim303 has none, expected physics: "
                           "real or no pools");
    BL_TRY(check_cloudsim_power(r, root));
    if (s->warmup_ns > 0)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_line(root, "warmup"),
                           "warmup: cloudsim303 has none, expected 0s");
    if (s->interval_ns > 0 && s->interval_ns != CLOUDSIM_STEP_NS)
        return refuse_time(r, bl__node_line(root, "interval"), "interval",
                           s->interval_ns, expect, CLOUDSIM_STEP_NS);
    if (s->trace_source == BL_TRACE_GENERATED &&
        s->trace_spec.step_ns != CLOUDSIM_STEP_NS)
        return refuse_time(r, generate_line(root, "step"), "step",
                           s->trace_spec.step_ns, expect, CLOUDSIM_STEP_NS);
    for (uint32_t g = 0; g < s->dc.vm_group_count; g++)
        if (s->dc.vm_group[g].vcpu_count != 1)
            return bl_diag_set(
                r->diag, BL_ERR_INVAL, r->file,
                bl__node_line(list_entry(root, "vms", g), "vcpus"),
                "VM group '%s': cloudsim303 has VMs of one "
                "vCPU only, expected vcpus: 1",
                s->dc.vm_group[g].name);
    return BL_ERR_OK;
}

bl_err bl__check_rules(struct bl__reader *r, const struct bl__node *root)
{
    BL_TRY(check_sizes(r, root));
    if (r->out->trace_source == BL_TRACE_GENERATED)
        BL_TRY(check_generated(r, root));
    BL_TRY(check_reservations(r, root));
    BL_TRY(bl__check_pools(r, root));
    BL_TRY(bl__check_power_caps(r, (uint64_t)reserved_khz(r->out)));
    BL_TRY(check_times(r, root));
    if (strcmp(r->out->physics, "cloudsim303") == 0)
        return check_cloudsim(r, root);
    return BL_ERR_OK;
}
