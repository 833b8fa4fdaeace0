/* SPDX-License-Identifier: Apache-2.0 */
/* config/pools.c - resource pools: the list, the names that lead to it, and
 * whether what they reserve can be had. */
#include "config/config_priv.h"

#include "hv/admit.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text in a message */

/* --- names --------------------------------------------------------------- */

/* 1 + the index of the pool that @n names; 0 when there is no @n. */
static bl_err find_pool(struct bl__reader *r, const struct bl__node *n,
                        const char *key, const char *expect, uint32_t *out)
{
    const struct bl_pool_set *s = &r->out->dc.pools;
    struct bl__nearest near = { .text = n != NULL ? n->text : NULL };

    *out = 0;
    if (n == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_kind(r, n, BL__TEXT));
    for (uint32_t p = 0; p < s->count; p++) {
        if (strcmp(s->pool[p].name, n->text) == 0) {
            *out = p + 1;
            return BL_ERR_OK;
        }
        bl__nearest_see(&near, s->pool[p].name);
    }
    if (near.best != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "%s: unknown pool '%.*s', did you mean '%s'?", key,
                           SHOWN, n->text, near.best);
    return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                       "%s: unknown pool '%.*s', expected %s", key, SHOWN,
                       n->text, expect);
}

bl_err bl__read_pool_name(struct bl__reader *r, const struct bl__node *n,
                          void *one_up)
{
    return find_pool(r, n, "pool", "a name from the list 'pools'", one_up);
}

/* Only pools before this one are known yet: so there are no cycles. Why @n is
 * not among them, or NULL. The one being read is at the end of the list. */
static const char *why_not_parent(struct bl__reader *r,
                                  const struct bl__node *n)
{
    const struct bl__node *list = r->pools;
    const uint32_t at = r->out->dc.pools.count;
    uint32_t i = 0;

    if (list == NULL || n == NULL || n->kind != BL__TEXT)
        return NULL;
    for (const struct bl__node *e = list->first; e != NULL; e = e->next, i++) {
        const struct bl__node *name =
            e->kind == BL__MAP ? bl__node_get(e, "name") : NULL;

        if (name == NULL || name->kind != BL__TEXT ||
            strcmp(name->text, n->text) != 0)
            continue;
        if (i < at)
            return NULL;
        return i == at ? "is this pool itself" : "comes after this pool";
    }
    return NULL;
}

bl_err bl__read_pool_parent(struct bl__reader *r, const struct bl__node *n,
                            void *one_up)
{
    const char *why = why_not_parent(r, n);

    if (why != NULL)
        return bl_diag_set(r->diag, BL_ERR_PARSE, r->file, n->line,
                           "parent: '%.*s' %s, expected the name of a pool "
                           "before this one",
                           SHOWN, n->text, why);
    return find_pool(r, n, "parent", "the name of a pool before this one",
                     one_up);
}

/* --- the list ------------------------------------------------------------ */

bl_err bl__read_pool_cpu(struct bl__reader *r, const struct bl__node *n,
                         void *settings)
{
    return bl__read_map(r, &bl__section_pool_cpu, n, settings);
}

bl_err bl__read_pool_mem(struct bl__reader *r, const struct bl__node *n,
                         void *settings)
{
    return bl__read_map(r, &bl__section_pool_mem, n, settings);
}

bl_err bl__read_pools(struct bl__reader *r, const struct bl__node *list,
                      void *pools)
{
    struct bl_pool_set *s = pools;
    const bool host = r->out->level == BL_LEVEL_HOST;
    const struct bl__section *section =
        host ? &bl__section_host_pool : &bl__section_pool;

    if (list == NULL)
        return BL_ERR_OK;
    BL_TRY(bl__expect_entries(r, list, "pools", BL_POOLS_MAX));
    r->pools = list;
    for (const struct bl__node *n = list->first; n != NULL; n = n->next) {
        struct bl_pool_desc *p = &s->pool[s->count];

        BL_TRY(bl__read_map(r, section, n, p));
        p->line = n->line;
        if (host) /* which has no memory: defaults */
            BL_TRY(bl__read_pool_mem(r, NULL, &p->mem));
        BL_TRY(bl__expect_new_name(r, list, n, "pool"));
        BL_TRY(bl__check_limit(r, n, "cpu", BL_DIM_FREQ, &p->cpu.set));
        BL_TRY(bl__check_limit(r, n, "mem", BL_DIM_BYTES, &p->mem.set));
        s->count++;
    }
    return BL_ERR_OK;
}

/* --- what they reserve ---------------------------------------------------- */

/* One resource of all pools, with the words to speak of it. */
struct ledger {
    struct bl_admit admit;
    struct bl_pool pool[BL_POOLS_MAX];
    uint64_t used[BL_POOLS_MAX + 1];
    const char *key;
    enum bl_dim dim;
};

static bl_err refuse(struct bl__reader *r, unsigned long line,
                     const struct ledger *l, const char *who,
                     const struct bl_admit_answer *answer)
{
    char text[256];

    bl_admit_text(answer,
                  answer->pool == BL_POOL_ROOT
                      ? NULL
                      : r->out->dc.pools.pool[answer->pool].name,
                  l->dim, text, sizeof(text));
    return bl_diag_set(r->diag, BL_ERR_INVAL, r->file, line,
                       "%s: %s: reservation: %s", who, l->key, text);
}

static const struct bl__node *entry(const struct bl__node *list, uint32_t index)
{
    const struct bl__node *n = list->first;

    while (index-- > 0)
        n = n->next;
    return n;
}

/* The line of the reservation of @group. */
static unsigned long line_of(const struct bl__node *group, const char *key)
{
    const struct bl__node *n = bl__node_get(group, key);

    return bl__node_line(n != NULL ? n : group, "reservation");
}

/* No VM of a group would ever start when not even the first one fits. */
static bl_err check_groups(struct bl__reader *r, const struct bl__node *root,
                           const struct ledger *l, enum bl_resource resource)
{
    const struct bl_dc *dc = &r->out->dc;
    const struct bl__node *list =
        bl__node_get(bl__node_get(root, "vms"), "groups");

    for (uint32_t g = 0; g < dc->vm_group_count; g++) {
        const struct bl_vm_group *vm = &dc->vm_group[g];
        const struct bl_settings *set =
            resource == BL_RESOURCE_CPU ? &vm->cpu : &vm->mem;
        const struct bl_admit_answer answer =
            bl_admit_ask(&l->admit, bl_pool_index(vm->pool), set->reservation);
        char who[BL_NAME_BYTES + 16];

        if (answer.why == BL_ADMIT_FITS)
            continue;
        snprintf(who, sizeof(who), "VM group '%s'", vm->name);
        return refuse(r, line_of(entry(list, g), l->key), l, who, &answer);
    }
    return BL_ERR_OK;
}

static bl_err check_one(struct bl__reader *r, const struct bl__node *root,
                        enum bl_resource resource, struct ledger *l)
{
    const struct bl_dc *dc = &r->out->dc;
    struct bl_admit_answer answer;
    uint32_t who = 0;

    bl_pools_of(&dc->pools, resource, l->pool);
    l->admit = (struct bl_admit){ .pool = l->pool,
                                  .pool_count = dc->pools.count,
                                  .used = l->used };
    for (uint32_t g = 0; g < dc->host_group_count; g++) {
        const struct bl_host_group *h = &dc->host_group[g];
        const uint64_t one = resource == BL_RESOURCE_CPU
                                 ? h->core_count * h->core_khz
                                 : h->mem_bytes;
        const uint64_t room = (uint64_t)INT64_MAX - l->admit.capacity;

        l->admit.capacity +=
            one > room / h->host_count ? room : one * h->host_count;
    }
    answer = bl_admit_reset(&l->admit, &who);
    if (answer.why != BL_ADMIT_FITS) {
        char name[BL_NAME_BYTES + 16];

        snprintf(name, sizeof(name), "pool '%s'", dc->pools.pool[who].name);
        return refuse(r,
                      line_of(entry(bl__node_get(root, "pools"), who), l->key),
                      l, name, &answer);
    }
    return check_groups(r, root, l, resource);
}

bl_err bl__check_pools(struct bl__reader *r, const struct bl__node *root)
{
    struct ledger cpu = { .key = "cpu", .dim = BL_DIM_FREQ };
    struct ledger mem = { .key = "mem", .dim = BL_DIM_BYTES };

    if (r->out->dc.pools.count == 0)
        return BL_ERR_OK;
    BL_TRY(check_one(r, root, BL_RESOURCE_CPU, &cpu));
    return check_one(r, root, BL_RESOURCE_MEM, &mem);
}
