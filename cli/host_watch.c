/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on a host, shown while it happens. */
#define _POSIX_C_SOURCE 200809L
#include "cli/host_watch.h"

#include "base/units.h"

#include <errno.h>
#include <string.h>

enum { VCPU_BYTES = BL_NAME_BYTES + 16, FIGURE_BYTES = 128 };

/* ---- --explain ---------------------------------------------------------- */

/* What every vCPU does all the time is shown for one VM only. */
static bool is_routine(enum bl_sched_reason r)
{
    return r == BL_SCHED_PICKED || r == BL_SCHED_SLICE_END ||
           r == BL_SCHED_PREEMPTED || r == BL_SCHED_BLOCKED ||
           r == BL_SCHED_WOKE;
}

/* "skew_ns" and 3010000 are "skew 3.010 ms"; "from_vcpu" is a name. */
static void print_figure(const struct bl_host_watch *w, const char *name,
                         int64_t value)
{
    const size_t n = strlen(name);
    char vcpu[VCPU_BYTES];

    if (n == 0)
        return;
    if (n > 3 && strcmp(name + n - 3, "_ns") == 0) {
        printf(", %.*s %.3f ms", (int)n - 3, name, (double)value / 1e6);
    } else if (n >= 4 && strcmp(name + n - 4, "vcpu") == 0) {
        if (value < 0 || value >= bl_host_sim_vcpus(w->run->sim))
            return;
        bl_host_sim_vcpu_name(w->run->sim, (uint32_t)value, vcpu, sizeof(vcpu));
        printf(", %.*s %s", (int)n - 5, name, vcpu);
    } else if (strcmp(name, "from_pcpu") == 0) {
        printf(", from pCPU %lld", (long long)value);
    } else if (strcmp(name, "gang_size") == 0) {
        printf(", %lld vCPUs", (long long)value);
    } else {
        printf(", %s %lld", name, (long long)value);
    }
}

static void print_event(const struct bl_host_watch *w,
                        const struct bl_sched_event *e)
{
    const char *arrow = w->style->utf8 ? "\xe2\x86\x92" : "->";
    char vcpu[VCPU_BYTES], pcpu[16] = "-";

    bl_host_sim_vcpu_name(w->run->sim, e->vcpu, vcpu, sizeof(vcpu));
    if (e->pcpu != BL_NO_PCPU)
        snprintf(pcpu, sizeof(pcpu), "p%u", e->pcpu);
    printf("%12.6f s  %-14s %-4s  %7s %s %-7s  %s", (double)e->now_ns / 1e9,
           vcpu, pcpu, bl_vcpu_state_name(e->from), arrow,
           bl_vcpu_state_name(e->to), bl_sched_reason_text(e->reason));
    for (uint32_t i = 0; i < 2; i++)
        print_figure(w, bl_sched_reason_figure(e->reason, i), e->figure[i]);
    putchar('\n');
}

static bool wants(const struct bl_host_watch *w, const struct bl_sched_event *e)
{
    if (!w->explain->on)
        return false;
    if (w->explain->vm == NULL)
        return !is_routine(e->reason);
    return w->vm_of[e->vcpu] == w->vm_id;
}

/* Which VM --explain=vm=NAME means. */
static bl_err find_vm(struct bl_host_watch *w, struct bl_diag *diag)
{
    const struct bl_host_sim *sim = w->run->sim;
    const uint32_t n = bl_host_sim_vms(sim);

    if (w->explain->vm == NULL)
        return BL_ERR_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(bl_host_sim_vm_name(sim, i), w->explain->vm) != 0)
            continue;
        w->vm_id = i;
        return BL_ERR_OK;
    }
    return bl_diag_set(diag, BL_ERR_NOENT, "--explain", 0,
                       "no VM '%.60s', expected one such as %s (the last is "
                       "%s)",
                       w->explain->vm, bl_host_sim_vm_name(sim, 0),
                       bl_host_sim_vm_name(sim, n - 1));
}

/* ---- timelines ---------------------------------------------------------- */

static struct bl_timeline_vcpu name_vcpu(void *ctx, uint32_t vcpu)
{
    const struct bl_host_watch *w = ctx;
    const uint32_t vm = w->vm_of[vcpu];

    return (struct bl_timeline_vcpu){ vm, vcpu - w->first_of[vm],
                                      bl_host_sim_vm_name(w->run->sim, vm) };
}

static bl_err open_timeline(struct bl_host_watch *w,
                            enum bl_timeline_format format,
                            struct bl_diag *diag)
{
    const struct bl_scenario *s = w->run->opts.scenario;
    const struct bl_timeline_opts opts = {
        .format = format,
        .f = tmpfile(),
        .title = s->name,
        .names = name_vcpu,
        .names_ctx = w,
        .pcpu_count = s->host.topo.pcpu_count,
        .vm_count = bl_host_sim_vms(w->run->sim),
        .vcpu_count = bl_host_sim_vcpus(w->run->sim),
        .from_ns = s->host.duration_ns - s->host.timeline_ns,
        .until_ns = s->host.duration_ns,
    };

    if (opts.f == NULL)
        return bl_diag_set(diag, BL_ERR_IO, NULL, 0,
                           "no temporary file for the timeline: %s",
                           strerror(errno));
    w->file[format] = opts.f;
    if (bl_timeline_open(&w->run->arena, &opts, &w->timeline[format]) !=
        BL_ERR_OK)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    return BL_ERR_OK;
}

/* ---- from start to end -------------------------------------------------- */

/* vCPUs are numbered VM by VM; "gang-3/0" is the first of its VM. */
static bl_err number_vcpus(struct bl_host_watch *w, struct bl_diag *diag)
{
    const struct bl_host_sim *sim = w->run->sim;
    const uint32_t vms = bl_host_sim_vms(sim), n = bl_host_sim_vcpus(sim);
    struct bl_arena *a = &w->run->arena;
    char name[VCPU_BYTES];
    uint32_t vm = 0;

    w->vm_of = bl_arena_get(a, n + 1, sizeof(*w->vm_of));
    w->first_of = bl_arena_get(a, vms + 1, sizeof(*w->first_of));
    if (w->vm_of == NULL || w->first_of == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        const char *slash;

        bl_host_sim_vcpu_name(sim, i, name, sizeof(name));
        slash = strrchr(name, '/');
        BL_ASSERT(slash != NULL);
        if (strcmp(slash, "/0") == 0)
            w->first_of[vm++] = i;
        w->vm_of[i] = vm - 1;
    }
    BL_ASSERT(vm == vms);
    return BL_ERR_OK;
}

bl_err bl_host_watch_start(struct bl_host_watch *w, const bool wanted[2],
                           struct bl_diag *diag)
{
    BL_TRY(number_vcpus(w, diag));
    BL_TRY(find_vm(w, diag));
    for (int f = BL_TIMELINE_CHROME; f <= BL_TIMELINE_SVG; f++)
        if (wanted[f])
            BL_TRY(open_timeline(w, (enum bl_timeline_format)f, diag));
    return BL_ERR_OK;
}

void bl_host_watch_event(struct bl_host_watch *w,
                         const struct bl_sched_event *e)
{
    if (wants(w, e)) {
        print_event(w, e);
        w->explained++;
    }
    for (int f = BL_TIMELINE_CHROME; f <= BL_TIMELINE_SVG; f++)
        if (w->timeline[f] != NULL)
            bl_timeline_event(w->timeline[f], e);
}

void bl_host_watch_stop(struct bl_host_watch *w)
{
    for (int f = BL_TIMELINE_CHROME; f <= BL_TIMELINE_SVG; f++) {
        if (w->timeline[f] != NULL)
            bl_timeline_close(w->timeline[f], w->run->now_ns);
        w->timeline[f] = NULL;
    }
}

bl_err bl_host_watch_copy(FILE *f, const void *what)
{
    FILE *from = (FILE *)(uintptr_t)what;
    char part[65536];
    size_t n;

    if (fflush(from) != 0 || ferror(from))
        return BL_ERR_IO;
    rewind(from);
    while ((n = fread(part, 1, sizeof(part), from)) > 0)
        if (fwrite(part, 1, n, f) != n)
            return BL_ERR_IO;
    return ferror(from) ? BL_ERR_IO : BL_ERR_OK;
}

void bl_host_watch_end(struct bl_host_watch *w)
{
    for (int f = BL_TIMELINE_CHROME; f <= BL_TIMELINE_SVG; f++) {
        if (w->file[f] != NULL)
            fclose(w->file[f]);
        w->file[f] = NULL;
    }
}
