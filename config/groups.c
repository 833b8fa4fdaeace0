/* SPDX-License-Identifier: Apache-2.0 */
/* config/groups.c - host groups and VM groups: lists of maps, and what in them
 * depends on more than one key. */
#include "config/config_priv.h"

#include "base/u128.h"
#include "power/catalog.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */
#define EXPECT_BYTES 320

#define STANDBY_MW 10400u /* sources in keys.c */
#define OFF_MW 5000u

/* --- lists of groups ---------------------------------------------------- */

bl_err bl__expect_entries(struct bl__reader *r, const struct bl__node *n,
                          const char *key, uint32_t max)
{
    BL_TRY(bl__expect_kind(r, n, BL__LIST));
    if (n->child_count >= 1 && n->child_count <= max)
        return BL_ERR_OK;
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                       "%s: %u entries, expected 1 .. %u", key, n->child_count,
                       max);
}

bl_err bl__expect_new_name(struct bl__reader *r, const struct bl__node *list,
                           const struct bl__node *entry, const char *what)
{
    const char *name = bl__node_get(entry, "name")->text;

    for (const struct bl__node *g = list->first; g != entry; g = g->next)
        if (strcmp(bl__node_get(g, "name")->text, name) == 0)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file,
                               bl__node_line(entry, "name"),
                               "name: '%s' is the %s at line %lu, expected "
                               "another name",
                               name, what, bl__node_line(g, "name"));
    return BL_ERR_OK;
}

/* --- power -------------------------------------------------------------- */

static bl_err refuse_server(struct bl__reader *r, const struct bl__node *n)
{
    struct bl__nearest near = { .text = n->text };
    const struct bl_power_entry *e;

    for (uint32_t i = 0; (e = bl_power_catalog_entry(i)) != NULL; i++)
        bl__nearest_see(&near, e->table.name);
    for (uint32_t i = 0; i < r->servers.count; i++)
        bl__nearest_see(&near, r->servers.server[i].power.name);
    if (near.best != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "power: unknown server '%.*s', did you mean '%s'?",
                           SHOWN, n->text, near.best);
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "power: unknown server '%.*s', expected one of ballast "
                       "check --servers or a list of 11 powers",
                       SHOWN, n->text);
}

static bl_err read_watts(struct bl__reader *r, const struct bl__node *n,
                         uint32_t *mw)
{
    const char *why = NULL;
    int64_t v = 0;

    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    if (bl_units_parse(BL_DIM_POWER, n->text, &v, &why) != BL_ERR_OK)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "power: '%.*s' is not valid, expected %s", SHOWN,
                           n->text, why);
    if (v > (int64_t)BL_POWER_MW_MAX)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                           "power: %.*s is out of range, expected 0 .. 100kW",
                           SHOWN, n->text);
    *mw = (uint32_t)v;
    return BL_ERR_OK;
}

static bl_err read_power_list(struct bl__reader *r, const struct bl__node *list,
                              struct bl_power_table *out)
{
    const struct bl__node *n = list->first;

    if (list->child_count != BL_POWER_POINTS)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, list->line,
                           "power: %u powers, expected 11 (at 0, 10 ... 100 %% "
                           "CPU)",
                           list->child_count);
    for (int i = 0; i < BL_POWER_POINTS; i++, n = n->next) {
        BL_TRY(read_watts(r, n, &out->mw[i]));
        if (i > 0 && out->mw[i] < out->mw[i - 1])
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                               "power: %.*s at %d %% CPU is less than at %d "
                               "%%, expected powers that do not fall",
                               SHOWN, n->text, i * 10, i * 10 - 10);
    }
    if (out->mw[BL_POWER_POINTS - 1] == 0)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, list->line,
                           "power: 0 at full load, expected more");
    snprintf(out->name, sizeof(out->name), "own table");
    return BL_ERR_OK;
}

bl_err bl__read_servers(struct bl__reader *r, const struct bl__node *n,
                        void *unused)
{
    char path[BL_PATH_BYTES];
    struct bl_diag why = { "" };
    bl_err e;

    (void)unused;
    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    if (strcmp(n->text, "none") == 0)
        return BL_ERR_OK;
    snprintf(path, sizeof(path), "%s", n->text);
    BL_TRY(bl__resolve_path(r, n, path, sizeof(path)));
    e = bl_servers_load(r->arena, path, &r->servers, &why);
    if (e == BL_ERR_OK)
        return BL_ERR_OK;
    return bl_diag_set(r->diag, e, r->file, n->line, "servers: %s", why.text);
}

static const struct bl_power_table *find_measured(const struct bl__reader *r,
                                                  const char *name)
{
    const struct bl_server *s = bl_servers_find(&r->servers, name);

    return s != NULL ? &s->power : NULL;
}

bl_err bl__read_power(struct bl__reader *r, const struct bl__node *n,
                      void *table)
{
    const struct bl_power_table *known;

    if (n->kind == BL__LIST)
        return read_power_list(r, n, table);
    if (n->kind == BL__MAP) /* a model: bl__complete_power() reads it */
        return BL_ERR_OK;
    known = bl_power_catalog_find(n->text);
    if (known == NULL)
        known = find_measured(r, n->text);
    if (known == NULL)
        return refuse_server(r, n);
    for (int i = 1; i < BL_POWER_POINTS; i++)
        if (known->mw[i] < known->mw[i - 1])
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, n->line,
                               "power: %s draws less at %d %% CPU than at %d "
                               "%%, expected a server whose power does not "
                               "fall, or a list",
                               known->name, i * 10, i * 10 - 10);
    *(struct bl_power_table *)table = *known;
    return BL_ERR_OK;
}

/* --- sleep states ------------------------------------------------------- */

bl_err bl__read_standby(struct bl__reader *r, const struct bl__node *n,
                        void *state)
{
    return bl__read_map(r, &bl__section_standby, n, state);
}

bl_err bl__read_off(struct bl__reader *r, const struct bl__node *n, void *state)
{
    return bl__read_map(r, &bl__section_off, n, state);
}

static uint64_t energy_uj(int64_t time_ns, uint32_t mw)
{
    return bl_muldiv((uint64_t)time_ns, mw, 1000000);
}

/* What was left out of @s follows from the host's power table. */
static void complete_sleep(struct bl_sleep_state *s, uint32_t usual_mw,
                           uint32_t most_mw, const struct bl_power_table *p)
{
    if (s->power_mw == BL__ABSENT_U32)
        s->power_mw = usual_mw < most_mw / 2 ? usual_mw : most_mw / 2;
    if (s->enter.energy_uj == BL__ABSENT_U64)
        s->enter.energy_uj = energy_uj(s->enter.time_ns, p->mw[0]);
    if (s->leave.energy_uj == BL__ABSENT_U64)
        s->leave.energy_uj =
            energy_uj(s->leave.time_ns, p->mw[BL_POWER_POINTS - 1]);
}

static bl_err check_sleep(struct bl__reader *r, const struct bl__node *group,
                          const char *state, uint32_t power_mw,
                          uint32_t most_mw)
{
    const struct bl__node *n = bl__node_get(group, state);
    char got[40], most[40];

    if (power_mw <= most_mw)
        return BL_ERR_OK;
    bl_units_print(BL_DIM_POWER, power_mw, got, sizeof(got));
    bl_units_print(BL_DIM_POWER, most_mw, most, sizeof(most));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                       bl__node_line(n != NULL ? n : group, "power"),
                       "%s: power: %s is more than %s (%s), expected less",
                       state, got,
                       strcmp(state, "off") == 0 ? "standby" : "idle", most);
}

/* --- host groups -------------------------------------------------------- */

/* What a group leaves unsaid is as its server was tested. */
static bl_err complete_size(struct bl__reader *r, const struct bl__node *n,
                            struct bl_host_group *g)
{
    const struct bl__section *section = &bl__section_host_group;
    const struct bl__node *power = bl__node_get(n, "power");
    const struct bl_server *s = power->kind == BL__TEXT
                                    ? bl_servers_find(&r->servers, power->text)
                                    : NULL;
    const bool given[] = { g->core_count > 0, g->core_khz > 0,
                           g->mem_bytes > 0 };
    static const char *const key[] = { "cores", "speed", "memory" };
    char expect[EXPECT_BYTES];

    for (uint32_t i = 0, k = 0; i < 3 && s == NULL; i++) {
        if (given[i])
            continue;
        while (strcmp(section->field[k].name, key[i]) != 0)
            k++;
        bl__field_expect(&section->field[k], expect, sizeof(expect));
        return bl_diag_set(
            r->diag, BL_ERR_PARSE, r->file, n->line,
            "missing key '%s' in hosts.groups, expected %s%s", key[i], expect,
            r->servers.count > 0 ? " (or power of a server from 'servers')"
                                 : "");
    }
    if (!given[0])
        g->core_count = s->core_count;
    if (!given[1])
        g->core_khz = s->core_khz;
    if (!given[2])
        g->mem_bytes = s->mem_bytes;
    return BL_ERR_OK;
}

static bl_err read_host_group(struct bl__reader *r, const struct bl__node *n,
                              struct bl_host_group *g)
{
    g->standby.power_mw = g->off.power_mw = BL__ABSENT_U32;
    g->standby.enter.energy_uj = g->standby.leave.energy_uj = BL__ABSENT_U64;
    g->off.enter.energy_uj = g->off.leave.energy_uj = BL__ABSENT_U64;
    BL_TRY(bl__read_map(r, &bl__section_host_group, n, g));
    BL_TRY(complete_size(r, n, g));
    if (g->core_count % g->node_count != 0)
        return bl_diag_set(
            r->diag, BL_ERR_INVAL, r->file, bl__node_line(n, "numa_nodes"),
            "numa_nodes: %u cores in %u nodes, expected a number "
            "of nodes that divides the cores",
            g->core_count, g->node_count);
    BL_TRY(bl__complete_power(r, n,
                              &(struct bl__machine){ g->core_khz, g->core_count,
                                                     &g->freq, &g->power }));
    complete_sleep(&g->standby, STANDBY_MW, g->power.mw[0], &g->power);
    complete_sleep(&g->off, OFF_MW, g->standby.power_mw, &g->power);
    BL_TRY(check_sleep(r, n, "standby", g->standby.power_mw, g->power.mw[0]));
    return check_sleep(r, n, "off", g->off.power_mw, g->standby.power_mw);
}

bl_err bl__read_host_groups(struct bl__reader *r, const struct bl__node *list,
                            void *target)
{
    struct bl_dc *dc = target;
    uint64_t hosts = 0;

    BL_TRY(bl__expect_entries(r, list, "groups", BL_HOST_GROUPS_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_host_group *g = &dc->host_group[dc->host_group_count++];

        BL_TRY(read_host_group(r, n, g));
        BL_TRY(bl__expect_new_name(r, list, n, "group"));
        hosts += g->host_count;
        if (hosts > BL_HOSTS_MAX)
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                               bl__node_line(n, "count"),
                               "count: %llu hosts up to here, expected at most "
                               "%u in all",
                               (unsigned long long)hosts, BL_HOSTS_MAX);
    }
    return BL_ERR_OK;
}

bl_err bl__read_hosts(struct bl__reader *r, const struct bl__node *n, void *dc)
{
    return bl__read_map(r, &bl__section_hosts, n, dc);
}

/* --- settings ----------------------------------------------------------- */

static bl_err read_shares(struct bl__reader *r, const struct bl__node *n,
                          const uint32_t preset[3], struct bl_shares *out)
{
    static const char *const word[] = { "high", "normal", "low" };
    static const char expect[] =
        "high, normal, low or a whole number 1 .. 1000000000";
    const char *why = NULL;
    int64_t v = 0;

    if (n == NULL) {
        *out = (struct bl_shares){ true, preset[1] };
        return BL_ERR_OK;
    }
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    for (int i = 0; i < 3; i++) {
        if (strcmp(n->text, word[i]) == 0) {
            *out = (struct bl_shares){ true, preset[i] };
            return BL_ERR_OK;
        }
    }
    if (bl_units_parse(BL_DIM_COUNT, n->text, &v, &why) != BL_ERR_OK || v < 1 ||
        v > (int64_t)BL_SHARES_MAX)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "shares: '%.*s' is not valid, expected %s", SHOWN,
                           n->text, expect);
    *out = (struct bl_shares){ false, (uint64_t)v };
    return BL_ERR_OK;
}

bl_err bl__read_cpu_shares(struct bl__reader *r, const struct bl__node *n,
                           void *shares)
{
    static const uint32_t preset[] = { BL_CPU_SHARES_HIGH, BL_CPU_SHARES_NORMAL,
                                       BL_CPU_SHARES_LOW };

    return read_shares(r, n, preset, shares);
}

bl_err bl__read_mem_shares(struct bl__reader *r, const struct bl__node *n,
                           void *shares)
{
    static const uint32_t preset[] = { BL_MEM_SHARES_HIGH, BL_MEM_SHARES_NORMAL,
                                       BL_MEM_SHARES_LOW };

    return read_shares(r, n, preset, shares);
}

bl_err bl__read_cpu(struct bl__reader *r, const struct bl__node *n,
                    void *settings)
{
    return bl__read_map(r, &bl__section_cpu, n, settings);
}

bl_err bl__read_mem(struct bl__reader *r, const struct bl__node *n,
                    void *settings)
{
    return bl__read_map(r, &bl__section_mem, n, settings);
}

/* One resource of a VM group, with the words to speak of it. */
struct resource {
    const char *key;  /* "cpu" */
    const char *size; /* "vcpus x speed" */
    enum bl_dim dim;
    uint64_t size_value; /* 0: the trace gives it */
    const char *owner;   /* "the VM" */
};

static bl_err refuse_setting(struct bl__reader *r, const struct bl__node *group,
                             const struct resource *res, const char *setting,
                             uint64_t value)
{
    const struct bl__node *n = bl__node_get(group, res->key);
    char got[40], size[40];

    bl_units_print(res->dim, (int64_t)value, got, sizeof(got));
    bl_units_print(res->dim, (int64_t)res->size_value, size, sizeof(size));
    if (res->size_value == 0)
        return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                           bl__node_line(n != NULL ? n : group, setting),
                           "%s: %s: %s with size: from-trace, expected shares "
                           "only (the sizes are not known here)",
                           res->key, setting, got);
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                       bl__node_line(n != NULL ? n : group, setting),
                       "%s: %s: %s is more than %s has, expected at most %s "
                       "(%s)",
                       res->key, setting, got, res->owner, size, res->size);
}

bl_err bl__check_limit(struct bl__reader *r, const struct bl__node *entry,
                       const char *key, enum bl_dim dim,
                       const struct bl_settings *s)
{
    const struct bl__node *n = bl__node_get(entry, key);
    char lo[40], hi[40];

    if (s->reservation <= s->limit)
        return BL_ERR_OK;
    bl_units_print(dim, (int64_t)s->reservation, lo, sizeof(lo));
    bl_units_print(dim, (int64_t)s->limit, hi, sizeof(hi));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                       bl__node_line(n != NULL ? n : entry, "reservation"),
                       "%s: reservation: %s is above the limit, expected at "
                       "most %s",
                       key, lo, hi);
}

static bl_err check_settings(struct bl__reader *r, const struct bl__node *group,
                             const struct resource *res,
                             const struct bl_settings *s)
{
    if (s->limit != BL_NO_LIMIT && s->limit > res->size_value)
        return refuse_setting(r, group, res, "limit", s->limit);
    if (s->reservation > res->size_value)
        return refuse_setting(r, group, res, "reservation", s->reservation);
    return bl__check_limit(r, group, res->key, res->dim, s);
}

bl_err bl__check_cpu(struct bl__reader *r, const struct bl__node *group,
                     uint64_t size_khz, const struct bl_settings *s)
{
    const struct resource cpu = { "cpu", "vcpus x speed", BL_DIM_FREQ, size_khz,
                                  "the VM" };

    return check_settings(r, group, &cpu, s);
}

bl_err bl__check_job_cpu(struct bl__reader *r, const struct bl__node *jobs,
                         uint64_t core_khz, const struct bl_settings *s)
{
    const struct resource cpu = { "cpu", "all jobs have the same", BL_DIM_FREQ,
                                  core_khz, "a job of one vCPU" };

    return check_settings(r, jobs, &cpu, s);
}

/* --- VM groups ---------------------------------------------------------- */

/* Either the group gives the size of its VMs, all of it, or the trace does. */
static bl_err check_size(struct bl__reader *r, const struct bl__node *n,
                         const struct bl_vm_group *g)
{
    static const char *const key[] = { "vcpus", "speed", "memory" };

    for (int i = 0; i < 3; i++) {
        const bool given = bl__node_get(n, key[i]) != NULL;

        if (given && g->size_from_trace)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file,
                               bl__node_line(n, key[i]),
                               "%s: with size: from-trace, expected one or the "
                               "other",
                               key[i]);
        if (!given && !g->size_from_trace)
            return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                               "missing key '%s' in vms.groups, expected it "
                               "(or size: from-trace)",
                               key[i]);
    }
    return BL_ERR_OK;
}

static bl_err read_vm_group(struct bl__reader *r, const struct bl__node *n,
                            struct bl_vm_group *g)
{
    BL_TRY(bl__read_map(r, &bl__section_vm_group, n, g));
    BL_TRY(check_size(r, n, g));

    const struct resource mem = { "mem", "memory", BL_DIM_BYTES, g->mem_bytes,
                                  "the VM" };

    BL_TRY(bl__check_cpu(r, n, g->vcpu_count * g->vcpu_khz, &g->cpu));
    return check_settings(r, n, &mem, &g->mem);
}

bl_err bl__read_vm_groups(struct bl__reader *r, const struct bl__node *list,
                          void *target)
{
    struct bl_dc *dc = target;
    uint64_t vms = 0;

    BL_TRY(bl__expect_entries(r, list, "groups", BL_VM_GROUPS_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_vm_group *g = &dc->vm_group[dc->vm_group_count++];

        BL_TRY(read_vm_group(r, n, g));
        BL_TRY(bl__expect_new_name(r, list, n, "group"));
        if ((g->vm_count > 0) != (dc->vm_group[0].vm_count > 0))
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                               bl__node_line(n, "count"),
                               "count: some groups have one and some have it "
                               "from the trace, expected all or none");
        vms += g->vm_count;
        if (vms > BL_VMS_MAX)
            return bl_diag_set(r->diag, BL_ERR_INVAL, r->file,
                               bl__node_line(n, "count"),
                               "count: %llu VMs up to here, expected at most "
                               "%u in all",
                               (unsigned long long)vms, BL_VMS_MAX);
    }
    return BL_ERR_OK;
}

bl_err bl__read_vms(struct bl__reader *r, const struct bl__node *n, void *dc)
{
    return bl__read_map(r, &bl__section_vms, n, dc);
}
