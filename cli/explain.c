/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hosts, and which decisions --explain prints. */
#include "cli/observe.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>

bl_err bl_names_create(const struct bl_dc *dc, struct bl_names *out,
                       struct bl_diag *diag)
{
    const uint32_t n = bl_dc_host_count(dc);
    uint32_t next[BL_HOST_GROUPS_MAX] = { 0 };

    *out = (struct bl_names){ .dc = dc, .host_count = n };
    out->group = calloc(n, sizeof(*out->group));
    out->number = calloc(n, sizeof(*out->number));
    if (out->group == NULL || out->number == NULL) {
        bl_names_destroy(out);
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    }
    bl_dc_host_groups(dc, out->group);
    for (uint32_t h = 0; h < n; h++)
        out->number[h] = next[out->group[h]]++;
    return BL_ERR_OK;
}

void bl_names_destroy(struct bl_names *n)
{
    free(n->group);
    free(n->number);
    *n = (struct bl_names){ .dc = NULL };
}

const char *bl_names_host(const struct bl_names *n, uint32_t host, char *buf,
                          size_t size)
{
    buf[0] = '\0';
    if (host < n->host_count)
        snprintf(buf, size, "%s-%u", n->dc->host_group[n->group[host]].name,
                 n->number[host]);
    return buf;
}

/* A whole number and nothing else; false when it is none. */
static bool whole_number(const char *text, int64_t *out)
{
    const char *why = NULL;

    return text[0] >= '0' && text[0] <= '9' &&
           bl_units_parse(BL_DIM_COUNT, text, out, &why) == BL_ERR_OK;
}

static bool find_host(const struct bl_names *n, const char *name, uint32_t *out)
{
    const char *dash = strrchr(name, '-');
    int64_t number = 0;

    if (name[0] == 'h' && whole_number(name + 1, &number) &&
        number < n->host_count) {
        *out = (uint32_t)number;
        return true;
    }
    if (dash == NULL || !whole_number(dash + 1, &number))
        return false;
    for (uint32_t h = 0; h < n->host_count; h++) {
        const char *group = n->dc->host_group[n->group[h]].name;

        if (n->number[h] == number && strlen(group) == (size_t)(dash - name) &&
            strncmp(group, name, strlen(group)) == 0) {
            *out = h;
            return true;
        }
    }
    return false;
}

bl_err bl_names_find(const struct bl_names *n, const char *name, uint32_t *out,
                     struct bl_diag *diag)
{
    char first[BL_NAME_BYTES + 12], last[BL_NAME_BYTES + 12];

    if (find_host(n, name, out))
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_NOENT, "--explain", 0,
                       "no host '%.60s', expected one such as %s or h%u (the "
                       "last is %s)",
                       name, bl_names_host(n, 0, first, sizeof(first)), 0u,
                       bl_names_host(n, n->host_count - 1, last, sizeof(last)));
}

static bl_err vm_in_trace(const char *name, struct bl_trace *trace,
                          struct bl_diag *diag)
{
    struct bl_trace_step step;
    char some[BL_NAME_BYTES] = "";
    bl_err e;

    BL_TRY(bl_trace_rewind(trace, diag));
    while ((e = bl_trace_next(trace, &step, diag)) == BL_ERR_OK) {
        for (uint32_t i = 0; i < step.arrived_count; i++) {
            if (some[0] == '\0')
                snprintf(some, sizeof(some), "%s", step.arrived[i].name);
            if (strcmp(step.arrived[i].name, name) == 0)
                return bl_trace_rewind(trace, diag);
        }
    }
    if (e != BL_ERR_END)
        return e;
    return bl_diag_set(diag, BL_ERR_NOENT, "--explain", 0,
                       "no VM '%.80s' in the trace, expected one such as "
                       "'%s'",
                       name, some);
}

bl_err bl_explain_check(struct bl_explain *e, const struct bl_names *names,
                        struct bl_trace *trace, struct bl_diag *diag)
{
    if (e->host != NULL)
        BL_TRY(bl_names_find(names, e->host, &e->host_id, diag));
    if (e->vm != NULL)
        BL_TRY(vm_in_trace(e->vm, trace, diag));
    return BL_ERR_OK;
}

bool bl_explain_wants(const struct bl_explain *e, const struct bl_action *a,
                      const char *vm_name)
{
    if (!e->on)
        return false;
    if (e->vm != NULL && strcmp(e->vm, vm_name) != 0)
        return false;
    if (e->host == NULL)
        return true;
    return a->host == e->host_id ||
           (a->kind == BL_ACTION_MIGRATE && a->source == e->host_id);
}
