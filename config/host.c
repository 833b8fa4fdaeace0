/* SPDX-License-Identifier: Apache-2.0 */
/* config/host.c - level host: what its sections need beyond a table, and what
 * cannot be although every key by itself is fine. */
#include "config/config_priv.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */

#define SMT_PPM 1250000u /* sources in keys_host.c */
#define TIMELINE_NS INT64_C(100000000)

/* --- the machine -------------------------------------------------------- */

/* Where relative files of this scenario start. */
static void folder_of(const char *file, char *dir, size_t size)
{
    const char *slash = strrchr(file, '/');

    snprintf(dir, size, "%.*s", slash != NULL ? (int)(slash - file) + 1 : 0,
             file);
}

bl_err bl__read_topology(struct bl__reader *r, const struct bl__node *n,
                         void *topo)
{
    char *text = r->out->host.topo_text;
    char dir[BL_PATH_BYTES];
    struct bl_diag why = { "" };
    bl_err e;

    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    folder_of(r->file, dir, sizeof(dir));
    e = bl_topology_load(n->text, dir, topo, &r->out->topology_notes, &why);
    if (e != BL_ERR_OK)
        return bl_diag_set(r->diag, e, r->file, n->line, "%s", why.text);
    snprintf(text, sizeof(r->out->host.topo_text), "%s", n->text);
    return BL_ERR_OK;
}

bl_err bl__read_costs(struct bl__reader *r, const struct bl__node *n,
                      void *costs)
{
    return bl__read_map(r, &bl__section_costs, n, costs);
}

/* For the tables of its P-states bl__complete_power() takes it from there. */
bl_err bl__read_host_power(struct bl__reader *r, const struct bl__node *n,
                           void *spec)
{
    struct bl_host_spec *s = spec;
    struct bl_power_table table = { .name = "" };

    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__read_power(r, n, &table));
    memcpy(s->freq.pstate[0].mw, table.mw, sizeof(table.mw));
    return BL_ERR_OK;
}

/* What is about power needs the power. */
static bl_err complete_power(struct bl__reader *r, const struct bl__node *n,
                             struct bl_host_spec *s)
{
    static const char *const key[] = { "frequency", "governor",
                                       "governor_period", "power_cap" };
    struct bl_power_table table = { .name = "" };

    for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
        if (bl__node_get(n, key[i]) != NULL && bl__node_get(n, "power") == NULL)
            return bl_diag_set(
                r->diag, BL_ERR_INVAL, r->file, bl__node_line(n, key[i]),
                "%s: without 'power', expected that as well", key[i]);
    if (bl__node_get(n, "power") == NULL)
        return BL_ERR_OK;
    memcpy(table.mw, s->freq.pstate[0].mw, sizeof(table.mw));
    return bl__complete_power(r, n,
                              &(struct bl__machine){ s->core_khz,
                                                     s->topo.core_count,
                                                     &s->freq, &table });
}

bl_err bl__read_host(struct bl__reader *r, const struct bl__node *n, void *spec)
{
    struct bl_host_spec *s = spec;
    char got[40];

    s->costs.smt_ppm = BL__ABSENT_U32;
    BL_TRY(bl__read_map(r, &bl__section_host, n, s));
    BL_TRY(complete_power(r, n, s));
    if (s->costs.smt_ppm == BL__ABSENT_U32)
        s->costs.smt_ppm = s->topo.smt_max > 1 ? SMT_PPM : (uint32_t)BL_PPM;
    if (s->costs.smt_ppm <= s->topo.smt_max * (uint64_t)BL_PPM)
        return BL_ERR_OK;
    bl_units_print(BL_DIM_RATIO, s->costs.smt_ppm, got, sizeof(got));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, bl__node_line(n, "smt"),
                       "smt: %s with %u thread%s on a core, expected at most "
                       "%u",
                       got, s->topo.smt_max, s->topo.smt_max == 1 ? "" : "s",
                       s->topo.smt_max);
}

/* --- the dispatcher ----------------------------------------------------- */

/* Parameters stay text: the registry of sched/ gives them meaning. */
static uint32_t take_params(const struct bl_policy_choice *c,
                            struct bl_host_param *out)
{
    for (uint32_t i = 0; i < c->param_count; i++) {
        memcpy(out[i].name, c->param[i].name, sizeof(out[i].name));
        memcpy(out[i].text, c->param[i].text, sizeof(out[i].text));
        out[i].line = c->param[i].line;
    }
    return c->param_count;
}

bl_err bl__read_sched_policy(struct bl__reader *r, const struct bl__node *n,
                             void *spec)
{
    struct bl_host_spec *s = spec;
    struct bl_policy_choice c = { .line = 0 };

    BL_TRY(bl__read_choice(r, &bl__section_sched_policy, n, "fair", &c));
    memcpy(s->policy, c.name, sizeof(s->policy));
    s->policy_line = c.line;
    s->policy_param_count = take_params(&c, s->policy_param);
    return BL_ERR_OK;
}

bl_err bl__read_sched_mode(struct bl__reader *r, const struct bl__node *n,
                           void *spec)
{
    struct bl_host_spec *s = spec;
    struct bl_policy_choice c = { .line = 0 };

    BL_TRY(bl__read_choice(r, &bl__section_sched_mode, n, "none", &c));
    memcpy(s->mode, c.name, sizeof(s->mode));
    s->mode_line = c.line;
    s->mode_param_count = take_params(&c, s->mode_param);
    return BL_ERR_OK;
}

bl_err bl__read_host_governor(struct bl__reader *r, const struct bl__node *n,
                              void *spec)
{
    struct bl_host_spec *s = spec;
    struct bl_policy_choice c = { .line = 0 };

    BL_TRY(bl__read_any_governor(r, &bl__section_host_governor, n, &c));
    memcpy(s->governor, c.name, sizeof(s->governor));
    s->governor_line = c.line;
    s->governor_param_count = take_params(&c, s->governor_param);
    return BL_ERR_OK;
}

bl_err bl__read_scheduler(struct bl__reader *r, const struct bl__node *n,
                          void *spec)
{
    return bl__read_map(r, &bl__section_scheduler, n, spec);
}

/* --- VM groups ---------------------------------------------------------- */

bl_err bl__read_host_pool_name(struct bl__reader *r, const struct bl__node *n,
                               void *index)
{
    uint32_t one_up = 0, *out = index;

    BL_TRY(bl__read_pool_name(r, n, &one_up));
    *out = one_up > 0 ? one_up - 1 : BL_NO_POOL_INDEX;
    return BL_ERR_OK;
}

static bl_err refuse_affinity(struct bl__reader *r, const struct bl__node *n)
{
    const uint32_t last = r->out->host.topo.pcpu_count - 1;

    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "affinity: '%.*s' is not valid, expected pCPUs 0 .. %u "
                       "such as 0-7,12",
                       SHOWN, n->text, last);
}

/* The number at *@s, which is below @end; moves *@s behind it. */
static bool take_pcpu(const char **s, uint32_t end, uint32_t *out)
{
    const char *c = *s;
    uint32_t v = 0;

    for (; *c >= '0' && *c <= '9' && v < end; c++)
        v = v * 10 + (uint32_t)(*c - '0');
    if (c == *s || v >= end)
        return false;
    *s = c;
    *out = v;
    return true;
}

bl_err bl__read_affinity(struct bl__reader *r, const struct bl__node *n,
                         void *group)
{
    struct bl_host_vm_group *g = group;
    const uint32_t end = r->out->host.topo.pcpu_count;
    const char *s;

    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    s = n->text;
    do {
        uint32_t first = 0, last;

        if (!take_pcpu(&s, end, &first))
            return refuse_affinity(r, n);
        last = first;
        if (*s == '-') {
            s++;
            if (!take_pcpu(&s, end, &last) || last < first)
                return refuse_affinity(r, n);
        }
        for (uint32_t p = first; p <= last; p++)
            bl_cpuset_add(&g->affinity, p);
    } while (*s++ == ',');
    if (s[-1] != '\0')
        return refuse_affinity(r, n);
    g->has_affinity = true;
    return BL_ERR_OK;
}

/* What the keys of a kind leave open: how times are drawn. */
static void complete_guest(struct bl_guest *g)
{
    switch (g->kind) {
    case BL_GUEST_INTERACTIVE:
    case BL_GUEST_SERVER:
        g->rest.kind = g->work.kind;
        g->work.spread_ppm = g->rest.spread_ppm = (uint32_t)BL_PPM;
        break;
    case BL_GUEST_BARRIER:
        g->work.kind = g->work.spread_ppm > 0 ? BL_DIST_UNIFORM : BL_DIST_FIXED;
        break;
    case BL_GUEST_LOCK:
        g->work.kind = BL_DIST_EXPONENTIAL;
        break;
    case BL_GUEST_CPU:
    case BL_GUEST_PERIODIC:
    case BL_GUEST_IDLE:
    case BL_GUEST_RTAPP:
    case BL_GUEST_SWITCHES:
    case BL_GUEST_COUNT:
        break;
    }
}

bl_err bl__read_workload(struct bl__reader *r, const struct bl__node *n,
                         void *group)
{
    struct bl_host_vm_group *g = group;
    struct bl__node kind = { .kind = BL__TEXT, .key = "kind" };
    struct bl__node only = { .kind = BL__MAP, .line = n->line };
    const struct bl__node *given = &kind, *file;

    /* `workload: KIND` is short for a map with a kind alone. */
    kind.text = n->text;
    kind.line = n->line;
    if (n->kind != BL__TEXT) {
        BL_TRY(bl__expect_kind(r, n, BL__MAP));
        given = bl__node_get(n, "kind");
    }
    if (given != NULL) {
        kind = *given;
        kind.next = NULL;
        only.first = &kind;
        only.child_count = 1;
    }
    BL_TRY(bl__read_map(r, &bl__section_kind, &only, g));
    BL_TRY(bl__read_map(r, &bl__section_guest[g->guest.kind],
                        n->kind == BL__MAP ? n : &only, g));
    complete_guest(&g->guest);
    file = n->kind == BL__MAP ? bl__node_get(n, "file") : NULL;
    g->path_line = file != NULL ? file->line : 0;
    return file != NULL ? bl__resolve_path(r, file, g->path, sizeof(g->path))
                        : BL_ERR_OK;
}

static bl_err read_group(struct bl__reader *r, const struct bl__node *n,
                         struct bl_host_vm_group *g)
{
    BL_TRY(bl__read_map(r, &bl__section_host_vm_group, n, g));
    g->line = n->line;
    return bl__check_cpu(r, n, g->vcpu_count * r->out->host.core_khz, &g->cpu);
}

static bl_err check_total(struct bl__reader *r, const struct bl__node *n,
                          const char *what, uint64_t total, uint32_t most)
{
    if (total <= most)
        return BL_ERR_OK;
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                       bl__node_line(n, "count"),
                       "count: %llu %s up to here, expected at most %u in all",
                       (unsigned long long)total, what, most);
}

/* @vms and @vcpus in all: up to the line of @n. */
static bl_err check_totals(struct bl__reader *r, const struct bl__node *n,
                           uint64_t vms, uint64_t vcpus)
{
    BL_TRY(check_total(r, n, "VMs", vms, BL_HOST_VMS_MAX));
    return check_total(r, n, "vCPUs", vcpus, BL_HOST_VCPUS_MAX);
}

bl_err bl__read_host_vm_groups(struct bl__reader *r,
                               const struct bl__node *list, void *spec)
{
    struct bl_host_spec *s = spec;
    uint64_t vms = 0, vcpus = 0;

    BL_TRY(bl__expect_entries(r, list, "groups", BL_VM_GROUPS_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_host_vm_group *g = &s->group[s->group_count++];

        BL_TRY(read_group(r, n, g));
        BL_TRY(bl__expect_new_name(r, list, n, "group"));
        vms += g->vm_count;
        vcpus += (uint64_t)g->vm_count * g->vcpu_count;
        BL_TRY(check_totals(r, n, vms, vcpus));
    }
    return BL_ERR_OK;
}

bl_err bl__read_host_vms(struct bl__reader *r, const struct bl__node *n,
                         void *spec)
{
    return n != NULL ? bl__read_map(r, &bl__section_host_vms, n, spec)
                     : BL_ERR_OK;
}

/* --- jobs --------------------------------------------------------------- */

bl_err bl__read_jobs_workload(struct bl__reader *r, const struct bl__node *n,
                              void *jobs)
{
    struct bl_host_jobs *j = jobs;

    BL_TRY(bl__read_map(r, &bl__section_jobs_workload, n, j));
    j->guest.kind = BL_GUEST_BARRIER;
    complete_guest(&j->guest);
    return BL_ERR_OK;
}

/* Jobs may be as wide as max_vcpus, and settings are those of each. */
bl_err bl__read_jobs(struct bl__reader *r, const struct bl__node *n, void *spec)
{
    struct bl_host_spec *s = spec;
    struct bl_host_jobs *j = &s->jobs;

    if (n == NULL)
        return BL_ERR_OK;
    j->width_max = s->topo.pcpu_count;
    BL_TRY(bl__read_map(r, &bl__section_jobs, n, j));
    j->path_line = bl__node_line(n, "file");
    j->line = n->line;
    BL_TRY(
        bl__resolve_path(r, bl__node_get(n, "file"), j->path, sizeof(j->path)));
    /* the narrowest job has one vCPU */
    return bl__check_job_cpu(r, n, s->core_khz, &j->cpu);
}

/* --- names --------------------------------------------------------------- */

/* Is @name one of STEM-0 .. STEM-(@count - 1), the VMs of group @stem? */
static bool names_a_vm(const char *name, const char *stem, uint64_t count)
{
    const size_t whole = strlen(stem);
    const size_t n = whole < BL_HOST_STEM_BYTES ? whole : BL_HOST_STEM_BYTES;
    const char *digit = name + n + 1;
    uint64_t v = 0;

    if (strncmp(name, stem, n) != 0 || name[n] != '-' || *digit == '\0' ||
        (*digit == '0' && digit[1] != '\0'))
        return false;
    for (; *digit >= '0' && *digit <= '9' && v < count; digit++)
        v = v * 10 + (uint64_t)(*digit - '0');
    return *digit == '\0' && v < count;
}

/* Do the VMs of two groups get the same names as their ends are cut off? */
static bool same_stem(const struct bl_host_vm_group *a,
                      const struct bl_host_vm_group *b)
{
    return a->vm_count > 1 && b->vm_count > 1 &&
           strlen(a->name) >= BL_HOST_STEM_BYTES &&
           strncmp(a->name, b->name, BL_HOST_STEM_BYTES) == 0;
}

static bl_err refuse_vm_name(struct bl__reader *r, const struct bl__node *n,
                             const char *what, unsigned long line)
{
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, bl__node_line(n, "name"),
                       "name: '%s' is %s at line %lu, expected another name",
                       bl__node_get(n, "name")->text, what, line);
}

/* The @index-th group against those before it: a name means one group or one
 * VM, wherever it is used. */
static bl_err check_group_name(struct bl__reader *r,
                               const struct bl__node *list, uint32_t index)
{
    const struct bl_host_vm_group *all = r->out->host.group;
    const struct bl_host_vm_group *g = &all[index];
    const struct bl__node *node[BL_VM_GROUPS_MAX], *n = list->first;
    char what[SHOWN];

    for (uint32_t i = 0; i <= index; i++, n = n->next)
        node[i] = n;
    for (uint32_t i = 0; i < index; i++) {
        const unsigned long line = bl__node_line(node[i], "name");

        if (all[i].vm_count > 1 &&
            names_a_vm(g->name, all[i].name, all[i].vm_count))
            return refuse_vm_name(r, node[index], "a VM of the group", line);
        if (g->vm_count > 1 && names_a_vm(all[i].name, g->name, g->vm_count))
            return refuse_vm_name(r, node[i], "a VM of the group",
                                  bl__node_line(node[index], "name"));
        snprintf(what, sizeof(what), "in its first %d bytes the group",
                 BL_HOST_STEM_BYTES);
        if (same_stem(&all[i], g))
            return refuse_vm_name(r, node[index], what, line);
    }
    return BL_ERR_OK;
}

static bl_err check_names(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_host_spec *s = &r->out->host;
    const struct bl__node *vms = bl__node_get(root, "vms");
    const struct bl__node *jobs = bl__node_get(root, "jobs");
    const struct bl__node *list, *n;

    if (vms == NULL)
        return BL_ERR_OK;
    list = bl__node_get(vms, "groups");
    n = list->first;
    for (uint32_t g = 0; g < s->group_count; g++, n = n->next) {
        BL_TRY(check_group_name(r, list, g));
        if (jobs == NULL)
            continue;
        if (strcmp(s->group[g].name, BL_HOST_JOB_NAME) == 0)
            return refuse_vm_name(r, n, "the group of the jobs", jobs->line);
        if (names_a_vm(s->group[g].name, BL_HOST_JOB_NAME, s->jobs.count_max))
            return refuse_vm_name(r, n, "one of the jobs", jobs->line);
    }
    return BL_ERR_OK;
}

/* --- the whole ---------------------------------------------------------- */

static bl_err check_times(struct bl__reader *r, const struct bl__node *root)
{
    struct bl_host_spec *s = &r->out->host;
    char most[40];

    bl_units_print(BL_DIM_TIME, s->duration_ns, most, sizeof(most));
    if (s->warmup_ns >= s->duration_ns)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_line(root, "warmup"),
                           "warmup: not over before the end of the run, "
                           "expected less than the duration %s",
                           most);
    if (bl__node_get(root, "timeline") == NULL)
        s->timeline_ns =
            s->duration_ns < TIMELINE_NS ? s->duration_ns : TIMELINE_NS;
    if (s->timeline_ns > s->duration_ns)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_line(root, "timeline"),
                           "timeline: longer than the run, expected at most "
                           "the duration %s",
                           most);
    return BL_ERR_OK;
}

bl_err bl__check_host_rules(struct bl__reader *r, const struct bl__node *root)
{
    const struct bl_host_spec *s = &r->out->host;
    const struct bl__node *jobs = bl__node_get(root, "jobs");
    uint64_t vcpus = 0;

    if (s->group_count == 0 && jobs == NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, root->line,
                           "missing key 'vms', expected a map with 'groups' "
                           "(or jobs)");
    for (uint32_t g = 0; g < s->group_count; g++)
        vcpus += (uint64_t)s->group[g].vm_count * s->group[g].vcpu_count;
    if (jobs != NULL)
        BL_TRY(check_totals(r, jobs,
                            (uint64_t)bl_host_spec_vms(s) + s->jobs.count_max,
                            vcpus + s->jobs.count_max));
    BL_TRY(check_names(r, root));
    BL_TRY(bl__check_host_cap(
        r, bl__node_line(bl__node_get(root, "host"), "power_cap")));
    return check_times(r, root);
}
