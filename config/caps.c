/* SPDX-License-Identifier: Apache-2.0 */
/* config/caps.c - power caps, and those that cannot be kept: refused with the
 * arithmetic of it. */
#include "config/config_priv.h"

#include "base/u128.h"
#include "power/cap.h"
#include "power/cap_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */

/* --- the list ------------------------------------------------------------ */

bl_err bl__read_cap_hosts(struct bl__reader *r, const struct bl__node *n,
                          void *group)
{
    const struct bl_dc *dc = &r->out->dc;
    struct bl__nearest near = { .text = NULL };
    uint32_t *out = group;

    *out = BL_CAP_ALL;
    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    near.text = n->text;
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        if (strcmp(dc->host_group[g].name, n->text) == 0) {
            *out = g;
            return BL_ERR_OK;
        }
        bl__nearest_see(&near, dc->host_group[g].name);
    }
    if (near.best != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "hosts: unknown host group '%.*s', did you mean "
                           "'%s'?",
                           SHOWN, n->text, near.best);
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "hosts: unknown host group '%.*s', expected a name from "
                       "hosts.groups",
                       SHOWN, n->text);
}

bl_err bl__read_power_caps(struct bl__reader *r, const struct bl__node *list,
                           void *target)
{
    struct bl_dc *dc = target;

    if (list == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_entries(r, list, "power_caps", BL_CAPS_MAX));
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_power_cap *c = &dc->cap[dc->cap_count++];

        BL_TRY(bl__read_map(r, &bl__section_power_cap, n, c));
        BL_TRY(bl__expect_new_name(r, list, n, "power cap"));
        c->line = n->line;
    }
    return BL_ERR_OK;
}

/* --- caps of racks ------------------------------------------------------- */

/* The racks of one cap, one after the other. */
struct racks {
    const struct bl_dc *dc;
    const struct bl_power_cap *cap;
    const uint8_t *group; /* of each host */
    const uint8_t *taken; /* hosts that only idle here; NULL: none */
    uint32_t host_count;
    uint32_t at; /* the host at which the next rack begins, or earlier */
    uint32_t hosts;
    uint64_t taken_mw; /* what those that are taken draw idle */
    struct bl_cap_kind kind[BL_HOST_GROUPS_MAX]; /* by host group */
};

static void begin(struct racks *k)
{
    k->at = k->hosts = 0;
    for (uint32_t g = 0; g < k->dc->host_group_count; g++) {
        const struct bl_host_group *h = &k->dc->host_group[g];

        k->kind[g] = (struct bl_cap_kind){ &h->freq, h->core_count, 0 };
    }
}

static bool is_under(const struct bl_power_cap *c, uint32_t group)
{
    return c->group == BL_CAP_ALL || c->group == group;
}

static uint64_t host_idle_mw(const struct racks *k, uint32_t group)
{
    const struct bl_cap_kind one = { k->kind[group].freq,
                                     k->kind[group].core_count, 1 };

    return bl_cap_idle_mw(&one, 1);
}

static bool next(struct racks *k)
{
    k->hosts = 0;
    k->taken_mw = 0;
    for (uint32_t g = 0; g < k->dc->host_group_count; g++)
        k->kind[g].host_count = 0;
    for (; k->at < k->host_count; k->at++) {
        const uint32_t g = k->group[k->at];

        if (!is_under(k->cap, g))
            continue;
        if (k->hosts > 0 && k->hosts == k->cap->hosts_each)
            break;
        if (k->taken != NULL && k->taken[k->at])
            k->taken_mw += host_idle_mw(k, g);
        else
            k->kind[g].host_count++;
        k->hosts++;
    }
    return k->hosts > 0;
}

static uint64_t all_khz(const struct racks *k)
{
    uint64_t sum = 0;

    for (uint32_t g = 0; g < k->dc->host_group_count; g++)
        sum += (uint64_t)k->kind[g].host_count * k->kind[g].core_count *
               k->kind[g].freq->pstate[0].khz;
    return sum;
}

static uint64_t idle_mw(const struct racks *k)
{
    return bl_cap_idle_mw(k->kind, k->dc->host_group_count);
}

/* "20 hosts idle at 93.7W are 1874W"; the one power only where it is one. */
static void print_idle(const struct racks *k, char *buf, size_t size)
{
    char all[40], one[40];
    uint32_t g = 0;

    bl_units_print(BL_DIM_POWER, (int64_t)idle_mw(k), all, sizeof(all));
    while (k->kind[g].host_count == 0)
        g++;
    if (k->kind[g].host_count < k->hosts) {
        snprintf(buf, size, "%u hosts idle are %s", k->hosts, all);
        return;
    }
    bl_units_print(BL_DIM_POWER, (int64_t)(idle_mw(k) / k->kind[g].host_count),
                   one, sizeof(one));
    snprintf(buf, size, "%u host%s idle at %s are %s", k->hosts,
             k->hosts > 1 ? "s" : "", one, all);
}

/* @least_mw is what this rack needs, more than its budget. */
static bl_err refuse_rack(struct bl__reader *r, const struct racks *k,
                          uint64_t least_mw)
{
    const uint64_t idle = idle_mw(k), budget = k->cap->mw;
    char what[100], more[40], cap[40], less[40], need[40], and[80] = "";

    print_idle(k, what, sizeof(what));
    bl_units_print(BL_DIM_POWER, (int64_t)(least_mw - idle), more,
                   sizeof(more));
    bl_units_print(BL_DIM_POWER, (int64_t)budget, cap, sizeof(cap));
    bl_units_print(BL_DIM_POWER, (int64_t)(least_mw - budget), less,
                   sizeof(less));
    bl_units_print(BL_DIM_POWER, (int64_t)least_mw, need, sizeof(need));
    if (least_mw > idle)
        snprintf(and, sizeof(and), ", reservations need %s more", more);
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, k->cap->line,
                       "power_caps: rack '%s': %s%s, the cap is %s: %s short, "
                       "expected at least %s",
                       k->cap->name, what, and, cap, less, need);
}

/* More is reserved than all racks together can do: each is asked for its part,
 * and the one that lacks most is named. */
static bl_err refuse_reserved(struct bl__reader *r, struct racks *k,
                              uint64_t reserved_khz, uint64_t most_khz)
{
    const uint32_t groups = k->dc->host_group_count;
    struct racks worst = *k;
    uint64_t need = 0;

    for (begin(k); next(k);) {
        const uint64_t all = all_khz(k);
        const uint64_t most = bl_cap_most_khz(k->kind, groups, k->cap->mw);
        const uint64_t part =
            most_khz > 0 ? bl_muldiv(reserved_khz, most, most_khz) + 1 : all;
        const uint64_t least =
            bl_cap_least_mw(k->kind, groups, part < all ? part : all);

        if (least <= need)
            continue;
        need = least;
        worst = *k;
    }
    /* rounding may hide the last mW */
    return refuse_rack(r, &worst, need > k->cap->mw ? need : k->cap->mw + 1);
}

static void take_hosts(const struct racks *k, uint8_t *taken)
{
    for (uint32_t h = 0; h < k->host_count; h++)
        if (is_under(k->cap, k->group[h]))
            taken[h] = 1;
}

/* The most that all hosts can do which are not under the cap of @of, each
 * within the first cap that it is under. */
static uint64_t elsewhere_khz(const struct racks *of, uint8_t *taken)
{
    const struct bl_dc *dc = of->dc;
    uint64_t most = 0;

    memset(taken, 0, of->host_count);
    take_hosts(of, taken);
    for (uint32_t i = 0; i < dc->cap_count; i++) {
        struct racks k = *of;

        k.cap = &dc->cap[i];
        k.taken = taken;
        for (begin(&k); next(&k);)
            if (k.taken_mw < k.cap->mw)
                most += bl_cap_most_khz(k.kind, dc->host_group_count,
                                        k.cap->mw - k.taken_mw);
        take_hosts(&k, taken);
    }
    for (uint32_t h = 0; h < of->host_count; h++) {
        const struct bl_host_group *g = &dc->host_group[of->group[h]];

        if (!taken[h])
            most += g->core_count * g->core_khz;
    }
    return most;
}

static bl_err check_idle(struct bl__reader *r, struct racks *k)
{
    for (begin(k); next(k);)
        if (idle_mw(k) > k->cap->mw)
            return refuse_rack(r, k, idle_mw(k));
    return BL_ERR_OK;
}

/* @reserved_khz of the whole data centre: what other hosts can do of it may be
 * there. A cap that its hosts cannot reach is not to blame. */
static bl_err check_cap(struct bl__reader *r, struct racks *k,
                        uint64_t reserved_khz, uint8_t *taken)
{
    const uint32_t groups = k->dc->host_group_count;
    uint64_t most = 0, here = 0, elsewhere;

    for (begin(k); next(k);) {
        most += bl_cap_most_khz(k->kind, groups, k->cap->mw);
        here += all_khz(k);
    }
    if (reserved_khz <= most || most >= here)
        return BL_ERR_OK;
    elsewhere = elsewhere_khz(k, taken);
    if (reserved_khz <= elsewhere || reserved_khz - elsewhere <= most)
        return BL_ERR_OK;
    return refuse_reserved(r, k, reserved_khz - elsewhere, most);
}

static bl_err check_caps(struct bl__reader *r, struct racks *k,
                         uint64_t reserved_khz, uint8_t *taken)
{
    const struct bl_dc *dc = k->dc;

    for (uint32_t i = 0; i < dc->cap_count; i++) {
        k->cap = &dc->cap[i];
        BL_TRY(check_idle(r, k));
    }
    for (uint32_t i = 0; i < dc->cap_count; i++) {
        k->cap = &dc->cap[i];
        BL_TRY(check_cap(r, k, reserved_khz, taken));
    }
    return BL_ERR_OK;
}

bl_err bl__check_power_caps(struct bl__reader *r, uint64_t reserved_khz)
{
    const struct bl_dc *dc = &r->out->dc;
    struct racks k = { .dc = dc, .host_count = bl_dc_host_count(dc) };
    uint8_t *group;
    bl_err e;

    if (dc->cap_count == 0)
        return BL_ERR_OK;
    group = malloc((size_t)2 * k.host_count);
    if (group == NULL)
        return bl_diag_set(r->diag, BL_ERR_NOMEM, r->file, dc->cap[0].line,
                           "out of memory");
    bl_dc_host_groups(dc, group);
    k.group = group;
    e = check_caps(r, &k, reserved_khz, group + k.host_count);
    free(group);
    return e;
}

/* --- the cap of one host ------------------------------------------------- */

bl_err bl__check_host_cap(struct bl__reader *r, unsigned long line)
{
    const struct bl_host_spec *s = &r->out->host;
    const uint64_t all = s->freq.pstate_count > 0
                             ? s->freq.pstate[0].khz * s->topo.core_count
                             : 0;
    char idle[40], speed[40], more[40], cap[40], less[40], least[40];
    char and[120] = "";
    uint64_t khz = 0, need, first;

    if (s->cap_mw == UINT64_MAX)
        return BL_ERR_OK;
    for (uint32_t g = 0; g < s->group_count; g++)
        khz += s->group[g].vm_count * s->group[g].cpu.reservation;
    khz = khz < all ? khz : all;
    first = bl_cap_sure_budget(&s->freq, s->topo.core_count, 0);
    need = bl_cap_sure_budget(&s->freq, s->topo.core_count, khz);
    if (need <= s->cap_mw)
        return BL_ERR_OK;
    bl_units_print(BL_DIM_POWER, (int64_t)first, idle, sizeof(idle));
    bl_units_print(BL_DIM_FREQ, (int64_t)khz, speed, sizeof(speed));
    bl_units_print(BL_DIM_POWER, (int64_t)(need - first), more, sizeof(more));
    bl_units_print(BL_DIM_POWER, (int64_t)s->cap_mw, cap, sizeof(cap));
    bl_units_print(BL_DIM_POWER, (int64_t)(need - s->cap_mw), less,
                   sizeof(less));
    bl_units_print(BL_DIM_POWER, (int64_t)need, least, sizeof(least));
    if (need > first)
        snprintf(and, sizeof(and), ", reservations of %s need %s more", speed,
                 more);
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, line,
                       "power_cap: the host idle is %s%s, the cap is %s: %s "
                       "short, expected at least %s",
                       idle, and, cap, less, least);
}
