/* SPDX-License-Identifier: Apache-2.0 */
/* config/topology.c - from hwloc's tree of objects to three levels of ranges.
 * Everything is compared by hwloc object, never ordered by its address. */
#define _POSIX_C_SOURCE 200809L
#include "config/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define XML_BYTES_MAX (16 << 20)
#define XML_HEAD_BYTES 1024
#define XML_MAJOR_MAX 2
#define PATH_BYTES 4096
#define SHOWN 80 /* bytes of a user's text in a message */

#define DISTANCE_OTHER 20u /* what libnuma and Linux assume as well */
#define DISTANCE_MAX 254u  /* 255 means no path at all */

/* What a PU belongs to. */
struct pu {
    hwloc_obj_t core, cache, node;
};

struct plan {
    uint32_t count, node_count;
    struct pu pu[BL_PCPUS_MAX];
    hwloc_obj_t node[BL_HOST_NODES_MAX]; /* by our number */
};

/* ---- what the text says ------------------------------------------------- */

bool bl_topology_is_file(const char *text)
{
    const size_t n = strlen(text);

    return strchr(text, '/') != NULL ||
           (n > 4 && strcmp(text + n - 4, ".xml") == 0);
}

/* Behind the bracket that closes the one at @s; the end when none does. */
static const char *skip_nested(const char *s)
{
    int depth = 0;

    for (; *s != '\0'; s++) {
        if (*s == '(' || *s == '[')
            depth++;
        else if ((*s == ')' || *s == ']') && --depth == 0)
            return s + 1;
    }
    return s;
}

/* One level: "TYPE:COUNT" or "COUNT", maybe with attributes in parentheses; or
 * something in brackets that hangs beside the tree. False: none of these. */
static bool take_level(const char **at, uint64_t *count)
{
    const char *s = *at;
    const size_t type = strcspn(s, ": ([");
    uint64_t n = 0;

    *count = 1;
    if (*s != '[') {
        s += s[type] == ':' ? type + 1 : 0;
        if (*s < '0' || *s > '9')
            return false;
        for (; *s >= '0' && *s <= '9'; s++)
            n = n > BL_PCPUS_MAX ? n : n * 10 + (uint64_t)(*s - '0');
        *count = n;
    }
    if (*s == '(' || *s == '[')
        s = skip_nested(s);
    if (*s != ' ' && *s != '\0')
        return false;
    *at = s + strspn(s, " ");
    return true;
}

/* How many PUs @s makes, at most BL_PCPUS_MAX + 1: hwloc would make as many as
 * memory holds. False: no description, or one with numbers that hwloc reads in
 * another way (0x10). */
static bool synthetic_count(const char *s, uint64_t *all)
{
    uint64_t count = 0;

    *all = 1;
    s += strspn(s, " ");
    if (*s == '\0')
        return false;
    while (*s != '\0') {
        if (!take_level(&s, &count))
            return false;
        *all *= count;
        if (*all > BL_PCPUS_MAX)
            *all = BL_PCPUS_MAX + 1;
    }
    return true;
}

static bl_err refuse_count(struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                       "topology: more than %u hardware threads, expected 1 "
                       ".. %u",
                       BL_PCPUS_MAX, BL_PCPUS_MAX);
}

static bl_err set_synthetic(hwloc_topology_t t, const char *text,
                            struct bl_diag *diag)
{
    uint64_t count = 0;
    const bool valid = synthetic_count(text, &count);

    if (valid && count > BL_PCPUS_MAX)
        return refuse_count(diag);
    if (valid && hwloc_topology_set_synthetic(t, text) == 0)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_PARSE, NULL, 0,
                       "topology: '%.*s' is not valid, expected levels of "
                       "hwloc such as 'pack:2 l3:1 core:8 pu:2', or a file "
                       "of lstopo (.xml)",
                       SHOWN, text);
}

/* hwloc would say so itself on stderr, and then only that it is invalid. */
static bl_err check_version(const char *path, struct bl_diag *diag)
{
    static const char before[] = "<topology version=\"";
    char head[XML_HEAD_BYTES + 1] = "";
    FILE *f = fopen(path, "rb");
    size_t n;
    const char *at;

    if (f == NULL)
        return bl_diag_set(diag, BL_ERR_IO, NULL, 0,
                           "topology: %s cannot be opened (%s), expected a "
                           "file of lstopo",
                           path, strerror(errno));
    n = fread(head, 1, XML_HEAD_BYTES, f);
    fclose(f);
    head[n] = '\0';
    at = strstr(head, before);
    if (at == NULL)
        return BL_ERR_OK; /* version 1, or what hwloc refuses */
    at += strlen(before);
    if (*at >= '0' && *at <= '0' + XML_MAJOR_MAX && at[1] == '.')
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_PARSE, NULL, 0,
                       "topology: %s has version %.*s of hwloc's XML, expected "
                       "at most %d (lstopo --export-xml-flags v2)",
                       path, (int)strcspn(at, "\""), at, XML_MAJOR_MAX);
}

static bl_err set_file(hwloc_topology_t t, const char *text, const char *dir,
                       struct bl_diag *diag)
{
    char path[PATH_BYTES];
    struct stat st;
    const int n = snprintf(path, sizeof(path), "%s%s",
                           dir != NULL && text[0] != '/' ? dir : "", text);

    if (n < 0 || (size_t)n >= sizeof(path))
        return bl_diag_set(diag, BL_ERR_PARSE, NULL, 0,
                           "topology: a path of %d bytes, expected at most %d",
                           n, PATH_BYTES - 1);
    if (stat(path, &st) != 0)
        return bl_diag_set(diag, BL_ERR_IO, NULL, 0,
                           "topology: %s cannot be opened (%s), expected a "
                           "file of lstopo",
                           path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > XML_BYTES_MAX)
        return bl_diag_set(diag, BL_ERR_IO, NULL, 0,
                           "topology: %s is no file of at most %d MiB, "
                           "expected a file of lstopo",
                           path, XML_BYTES_MAX >> 20);
    BL_TRY(check_version(path, diag));
    if (hwloc_topology_set_xml(t, path) == 0)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_PARSE, NULL, 0,
                       "topology: %s is no XML of hwloc, expected a file of "
                       "lstopo",
                       path);
}

/* ---- what a PU belongs to ----------------------------------------------- */

static hwloc_obj_t core_of(hwloc_topology_t t, hwloc_obj_t pu)
{
    const hwloc_obj_t core =
        hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_CORE, pu);

    return core != NULL ? core : pu;
}

/* An L1 never makes neighbours; memory-side caches are no CPU caches. */
static hwloc_obj_t cache_of(hwloc_topology_t t, hwloc_obj_t core,
                            hwloc_obj_t node)
{
    hwloc_obj_t cache = NULL;

    for (hwloc_obj_t o = core->parent; o != NULL; o = o->parent)
        if (hwloc_obj_type_is_dcache(o->type) && o->attr->cache.depth >= 2)
            cache = o;
    if (cache == NULL)
        cache = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_PACKAGE, core);
    return cache != NULL ? cache : node;
}

static hwloc_obj_t node_of(hwloc_topology_t t, hwloc_obj_t pu)
{
    hwloc_obj_t best = NULL, node = NULL;
    int best_size = 0;

    while ((node = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_NUMANODE, node)) !=
           NULL) {
        const int size = hwloc_bitmap_weight(node->cpuset);

        if (!hwloc_bitmap_isset(node->cpuset, pu->os_index))
            continue;
        if (best == NULL || size < best_size) {
            best = node;
            best_size = size;
        }
    }
    return best;
}

static bl_err read_pus(hwloc_topology_t t, struct plan *p, struct bl_diag *diag)
{
    const int n = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PU);

    if (n > (int)BL_PCPUS_MAX)
        return refuse_count(diag);
    if (n < 1)
        return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                           "topology: no hardware threads, expected 1 .. %u",
                           BL_PCPUS_MAX);
    p->count = (uint32_t)n;
    for (uint32_t i = 0; i < p->count; i++) {
        const hwloc_obj_t pu = hwloc_get_obj_by_type(t, HWLOC_OBJ_PU, i);

        p->pu[i].core = core_of(t, pu);
        p->pu[i].node = node_of(t, pu);
        p->pu[i].cache = cache_of(t, p->pu[i].core, p->pu[i].node);
    }
    return BL_ERR_OK;
}

/* ---- ranges ------------------------------------------------------------- */

static hwloc_obj_t level_of(const struct pu *pu, int level)
{
    return level == 0 ? pu->core : level == 1 ? pu->cache : pu->node;
}

/* What belongs together comes together, in the order of its first PU; within
 * it, the order stays. */
static void gather(struct plan *p, int level)
{
    struct pu out[BL_PCPUS_MAX];
    bool taken[BL_PCPUS_MAX] = { false };
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        if (taken[i])
            continue;
        for (uint32_t k = i; k < p->count; k++) {
            if (level_of(&p->pu[k], level) != level_of(&p->pu[i], level))
                continue;
            taken[k] = true;
            out[n++] = p->pu[k];
        }
    }
    memcpy(p->pu, out, n * sizeof(out[0]));
}

/* Puts pCPU @i into the last range of a level, or into a new one. */
static void put(struct bl_topo_range *range, uint32_t *count, uint16_t *of,
                uint32_t i, bool new_one)
{
    if (new_one)
        range[(*count)++] = (struct bl_topo_range){ (uint16_t)i, 0 };
    range[*count - 1].count++;
    of[i] = (uint16_t)(*count - 1);
}

static bl_err fill(struct plan *p, struct bl_topo *out, struct bl_diag *diag)
{
    *out = (struct bl_topo){ .pcpu_count = p->count };
    for (uint32_t i = 0; i < p->count; i++) {
        const struct pu *a = &p->pu[i], *before = i > 0 ? a - 1 : NULL;
        const bool node = before == NULL || before->node != a->node;
        const bool llc = node || before->cache != a->cache;
        const bool core = llc || before->core != a->core;

        if (node && out->node_count == BL_HOST_NODES_MAX)
            return bl_diag_set(diag, BL_ERR_INVAL, NULL, 0,
                               "topology: too many NUMA nodes with hardware "
                               "threads, expected at most %u",
                               BL_HOST_NODES_MAX);
        if (node)
            p->node[p->node_count++] = a->node;
        put(out->node, &out->node_count, out->node_of, i, node);
        put(out->llc, &out->llc_count, out->llc_of, i, llc);
        put(out->core, &out->core_count, out->core_of, i, core);
        if (out->core[out->core_count - 1].count > out->smt_max)
            out->smt_max = out->core[out->core_count - 1].count;
    }
    return BL_ERR_OK;
}

/* ---- distances ---------------------------------------------------------- */

static void assume_distances(struct bl_topo *out)
{
    for (uint32_t i = 0; i < out->node_count; i++)
        for (uint32_t k = 0; k < out->node_count; k++)
            out->distance[i][k] = i == k ? BL_DISTANCE_LOCAL : DISTANCE_OTHER;
}

/* The matrix of @d between our nodes; false when it cannot be one. */
static bool take_distances(const struct hwloc_distances_s *d,
                           const struct plan *p, struct bl_topo *out)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        for (uint32_t k = 0; k < p->node_count; k++) {
            const int a = hwloc_distances_obj_index(
                (struct hwloc_distances_s *)(uintptr_t)d, p->node[i]);
            const int b = hwloc_distances_obj_index(
                (struct hwloc_distances_s *)(uintptr_t)d, p->node[k]);
            const hwloc_uint64_t v =
                a < 0 || b < 0
                    ? 0
                    : d->values[(unsigned)a * d->nbobjs + (unsigned)b];

            if (i == k ? v != BL_DISTANCE_LOCAL
                       : v <= BL_DISTANCE_LOCAL || v > DISTANCE_MAX)
                return false;
            out->distance[i][k] = (uint32_t)v;
        }
    return true;
}

/* Was there a matrix that could not be taken? */
static bool read_distances(hwloc_topology_t t, const struct plan *p,
                           struct bl_topo *out)
{
    struct hwloc_distances_s *d = NULL;
    unsigned n = 1;
    bool taken;

    if (p->node_count == 1 ||
        hwloc_distances_get_by_type(t, HWLOC_OBJ_NUMANODE, &n, &d,
                                    HWLOC_DISTANCES_KIND_MEANS_LATENCY,
                                    0) != 0 ||
        n == 0) {
        assume_distances(out);
        return false;
    }
    taken = take_distances(d, p, out);
    hwloc_distances_release(t, d);
    if (!taken)
        assume_distances(out);
    return !taken;
}

/* ---- the whole ---------------------------------------------------------- */

static bl_err load(hwloc_topology_t t, const char *text, const char *dir,
                   struct bl_topo *out, struct bl_topology_notes *notes,
                   struct bl_diag *diag)
{
    const bool file = bl_topology_is_file(text);
    struct plan p = { .count = 0 };
    int nodes;

    BL_TRY(file ? set_file(t, text, dir, diag) : set_synthetic(t, text, diag));
    errno = 0;
    if (hwloc_topology_load(t) != 0)
        return bl_diag_set(diag, errno == ENOMEM ? BL_ERR_NOMEM : BL_ERR_PARSE,
                           NULL, 0,
                           "topology: '%.*s' cannot be loaded (%s), expected "
                           "what hwloc describes a machine with",
                           SHOWN, text, strerror(errno));
    BL_TRY(read_pus(t, &p, diag));
    for (int level = 0; level < 3; level++)
        gather(&p, level);
    BL_TRY(fill(&p, out, diag));
    notes->distances_assumed = read_distances(t, &p, out);
    nodes = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_NUMANODE);
    notes->nodes_left_out =
        nodes > (int)p.node_count ? (uint32_t)nodes - p.node_count : 0;
    return BL_ERR_OK;
}

bl_err bl_topology_load(const char *text, const char *dir, struct bl_topo *out,
                        struct bl_topology_notes *notes, struct bl_diag *diag)
{
    struct bl_topology_notes said = { .nodes_left_out = 0 };
    struct bl_topo made;
    hwloc_topology_t t;
    bl_err e;

    if (strlen(text) >= BL_TOPOLOGY_BYTES)
        return bl_diag_set(diag, BL_ERR_PARSE, NULL, 0,
                           "topology: a text of %zu bytes, expected at most %d",
                           strlen(text), BL_TOPOLOGY_BYTES - 1);
    if (hwloc_topology_init(&t) != 0)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    e = load(t, text, dir, &made, &said, diag);
    hwloc_topology_destroy(t);
    if (e != BL_ERR_OK)
        return e;
    bl_topo_check(&made);
    *out = made;
    if (notes != NULL)
        *notes = said;
    return BL_ERR_OK;
}
