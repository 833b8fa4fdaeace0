/* SPDX-License-Identifier: Apache-2.0 */
/* powercap - which zones there are, and what they draw. */
#define _POSIX_C_SOURCE 200809L
#include "kvm/powercap_priv.h"

#include <inttypes.h>
#include <powercap/powercap-sysfs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* MSRs (and what newer Xeons have instead), and the registers of the memory
 * controller hub: those show a package again, with limits of their own. */
static const char *const controls[] = { "intel-rapl", "intel-rapl-mmio" };
#define CONTROL_COUNT (sizeof(controls) / sizeof(controls[0]))

/* ---- scan ------------------------------------------------------------------
 */

static void count_fault(struct bl_powercap *p, const struct bl_diag *diag)
{
    if (p->fault_count == 0)
        p->fault = *diag;
    p->fault_count++;
}

static enum bl_powercap_kind kind_of(const char *name)
{
    static const struct {
        const char *name;
        enum bl_powercap_kind kind;
    } kinds[] = {
        { "core", BL_POWERCAP_CORE },
        { "uncore", BL_POWERCAP_UNCORE },
        { "dram", BL_POWERCAP_DRAM },
        { "psys", BL_POWERCAP_PSYS },
    };

    if (strncmp(name, "package-", 8) == 0)
        return BL_POWERCAP_PACKAGE;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].kind;
    return BL_POWERCAP_OTHER;
}

/* A value that a zone may go without: 0 when it does, or when the driver has
 * none to tell. What is there and makes no sense is a fault. */
static uint64_t optional(struct bl_powercap *p,
                         const struct bl__powercap_file *f)
{
    struct bl_diag diag;
    uint64_t v = 0;

    if (bl__powercap_read(f, &v, &diag) == BL_ERR_PARSE)
        count_fault(p, &diag);
    return v;
}

static bool read_constraint(struct bl_powercap *p,
                            const struct bl_powercap_zone *z,
                            struct bl_powercap_constraint *c)
{
    struct bl__powercap_file f =
        bl__powercap_of_constraint(z, c->id, POWERCAP_CONSTRAINT_FILE_NAME);
    struct bl_diag diag;
    bl_err e = bl__powercap_read_name(&f, c->name, &diag);

    f.constraint_file = POWERCAP_CONSTRAINT_FILE_POWER_LIMIT_UW;
    if (e == BL_ERR_OK)
        e = bl__powercap_read(&f, &c->limit_uw, &diag);
    if (e != BL_ERR_OK) {
        count_fault(p, &diag);
        return false;
    }
    f.constraint_file = POWERCAP_CONSTRAINT_FILE_TIME_WINDOW_US;
    c->window_us = optional(p, &f);
    f.constraint_file = POWERCAP_CONSTRAINT_FILE_MIN_POWER_UW;
    c->min_uw = optional(p, &f);
    f.constraint_file = POWERCAP_CONSTRAINT_FILE_MAX_POWER_UW;
    c->max_uw = optional(p, &f);
    return true;
}

static void read_constraints(struct bl_powercap *p, struct bl_powercap_zone *z)
{
    for (uint32_t k = 0; k < BL_POWERCAP_CONSTRAINTS_MAX; k++) {
        struct bl_powercap_constraint *c = &z->constraint[z->constraint_count];

        if (powercap_sysfs_constraint_exists(z->control, z->index, z->depth,
                                             k) != 0)
            continue;
        *c = (struct bl_powercap_constraint){ .id = k };
        if (read_constraint(p, z, c))
            z->constraint_count++;
    }
}

/* The control type has a switch of its own, above those of its zones. */
static bool is_enabled(struct bl_powercap *p, const struct bl_powercap_zone *z)
{
    const struct bl__powercap_file f =
        bl__powercap_of_zone(z, POWERCAP_ZONE_FILE_ENABLED);
    struct bl_diag diag;
    uint32_t all = 1;
    uint64_t one = 1;

    if (powercap_sysfs_control_type_get_enabled(z->control, &all) != 0)
        all = 1;
    if (bl__powercap_read(&f, &one, &diag) == BL_ERR_PARSE)
        count_fault(p, &diag);
    return all != 0 && one != 0;
}

/* Its id, its path and what it is. */
static bl_err name_zone(const struct bl_powercap *p, struct bl_powercap_zone *z,
                        struct bl_diag *diag)
{
    const struct bl__powercap_file f =
        bl__powercap_of_zone(z, POWERCAP_ZONE_FILE_NAME);
    char name[BL_POWERCAP_NAME_BYTES];
    char above[BL_POWERCAP_NAME_BYTES] = "";
    const char *slash = "";

    if (z->depth == 1) {
        snprintf(z->id, sizeof(z->id), "%s:%" PRIu32, z->control, z->index[0]);
    } else {
        snprintf(z->id, sizeof(z->id), "%s:%" PRIu32 ":%" PRIu32, z->control,
                 z->index[0], z->index[1]);
        memcpy(above, p->zone[z->parent].path, sizeof(above) - 1);
        slash = "/";
    }
    BL_TRY(bl__powercap_read_name(&f, name, diag));
    snprintf(z->path, sizeof(z->path), "%s%s%s", above, slash, name);
    z->kind = kind_of(name);
    return BL_ERR_OK;
}

/* Adds zone @z, whose place in the tree is set, when it makes sense.
 * @return its place in the array, or BL_POWERCAP_ZONES_MAX. */
static uint32_t add_zone(struct bl_powercap *p, struct bl_powercap_zone z)
{
    struct bl__powercap_file f;
    struct bl_diag diag;
    bl_err e = BL_ERR_OK;

    if (p->zone_count == BL_POWERCAP_ZONES_MAX)
        e = bl_diag_set(&diag, BL_ERR_FULL, BL_POWERCAP_ROOT, 0,
                        "more than %u zones, the rest is left out",
                        BL_POWERCAP_ZONES_MAX);
    else
        e = name_zone(p, &z, &diag);
    if (e != BL_ERR_OK) {
        count_fault(p, &diag);
        return BL_POWERCAP_ZONES_MAX;
    }
    z.enabled = is_enabled(p, &z);
    f = bl__powercap_of_zone(&z, POWERCAP_ZONE_FILE_MAX_ENERGY_RANGE_UJ);
    z.range_uj = optional(p, &f);
    read_constraints(p, &z);
    p->zone[p->zone_count] = z;
    return p->zone_count++;
}

/* Ids may have gaps: a package that was taken offline leaves one. */
static void scan_control(struct bl_powercap *p, const char *control)
{
    for (uint32_t i = 0; i < BL_POWERCAP_TOP_MAX; i++) {
        struct bl_powercap_zone z = { .control = control,
                                      .index = { i, 0 },
                                      .depth = 1,
                                      .parent = BL_POWERCAP_NO_PARENT };

        if (powercap_sysfs_zone_exists(control, z.index, 1) != 0)
            continue;
        z.parent = add_zone(p, z);
        z.depth = 2;
        if (z.parent == BL_POWERCAP_ZONES_MAX)
            continue;
        for (z.index[1] = 0; z.index[1] < BL_POWERCAP_SUB_MAX; z.index[1]++)
            if (powercap_sysfs_zone_exists(control, z.index, 2) == 0)
                (void)add_zone(p, z);
    }
}

static bl_err no_rapl(struct bl_diag *diag)
{
    if (access(BL_POWERCAP_ROOT, F_OK) != 0)
        return bl_diag_set(diag, BL_ERR_NOENT, BL_POWERCAP_ROOT, 0,
                           "is not there: /sys is not mounted, or the kernel "
                           "was built without CONFIG_POWERCAP; RAPL zones "
                           "were expected in it");
    if (access(BL_POWERCAP_ROOT, R_OK | X_OK) != 0)
        return bl_diag_set(diag, BL_ERR_IO, BL_POWERCAP_ROOT, 0,
                           "permission denied");
    return bl_diag_set(
        diag, BL_ERR_NOENT, BL_POWERCAP_ROOT, 0,
        "no zone of %s or %s: a VM is shown none; on real hardware load the "
        "driver with 'modprobe intel_rapl_msr' (it is that of AMD, too, since "
        "Zen)",
        controls[0], controls[1]);
}

bl_err bl_powercap_scan(struct bl_powercap *out, struct bl_diag *diag)
{
    out->zone_count = 0;
    out->fault_count = 0;
    out->fault.text[0] = '\0';
    for (size_t i = 0; i < CONTROL_COUNT; i++)
        if (powercap_sysfs_control_type_exists(controls[i]) == 0)
            scan_control(out, controls[i]);
    if (out->zone_count > 0)
        return BL_ERR_OK;
    if (out->fault_count > 0) {
        *diag = out->fault;
        return BL_ERR_PARSE;
    }
    return no_rapl(diag);
}

/* ---- find ------------------------------------------------------------------
 */

static const char *last_name(const struct bl_powercap_zone *z)
{
    const char *slash = strrchr(z->path, '/');

    return slash != NULL ? slash + 1 : z->path;
}

/* The zones as "ID (PATH), ID (PATH)", cut with "..." when they are many; all
 * of them, or those that @name fits. */
static void list_zones(const struct bl_powercap *p, const char *name, char *buf,
                       size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_zone *z = &p->zone[i];

        if (name != NULL && strcmp(name, z->path) != 0 &&
            strcmp(name, last_name(z)) != 0)
            continue;
        if (used + strlen(z->id) + strlen(z->path) + 12 > size) {
            snprintf(buf + used, size - used, ", ...");
            return;
        }
        used += (size_t)snprintf(buf + used, size - used, "%s%s (%s)",
                                 used > 0 ? ", " : "", z->id, z->path);
    }
}

bl_err bl_powercap_find(const struct bl_powercap *p, const char *text,
                        uint32_t *index, struct bl_diag *diag)
{
    uint32_t by_path = 0, by_name = 0, path_at = 0, name_at = 0;
    char list[300];

    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_zone *z = &p->zone[i];

        if (strcmp(text, z->id) == 0) {
            *index = i;
            return BL_ERR_OK;
        }
        if (strcmp(text, z->path) == 0 && by_path++ == 0)
            path_at = i;
        if (strcmp(text, last_name(z)) == 0 && by_name++ == 0)
            name_at = i;
    }
    if (by_path == 1 || (by_path == 0 && by_name == 1)) {
        *index = by_path == 1 ? path_at : name_at;
        return BL_ERR_OK;
    }
    if (by_path > 1 || by_name > 1) {
        list_zones(p, text, list, sizeof(list));
        return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                           "zone '%.40s' is more than one, expected one of %s",
                           text, list);
    }
    list_zones(p, NULL, list, sizeof(list));
    return bl_diag_set(diag, BL_ERR_NOENT, NULL, 0,
                       "no zone '%.40s', expected one of %s", text, list);
}

/* ---- draw ------------------------------------------------------------------
 */

bl_err bl_powercap_energy(const struct bl_powercap_zone *z, uint64_t *energy_uj,
                          struct bl_diag *diag)
{
    const struct bl__powercap_file f =
        bl__powercap_of_zone(z, POWERCAP_ZONE_FILE_ENERGY_UJ);

    return bl__powercap_read(&f, energy_uj, diag);
}

void bl_powercap_meter_start(struct bl_powercap_meter *m,
                             const struct bl_powercap *p)
{
    *m = (struct bl_powercap_meter){ .fault_count = 0 };
    for (uint32_t i = 0; i < p->zone_count; i++)
        bl_energy_start(&m->counter[i], p->zone[i].range_uj);
}

static bl_err read_counter(struct bl_powercap_meter *m,
                           const struct bl_powercap *p, uint32_t i,
                           uint64_t *delta_uj, struct bl_diag *diag)
{
    const struct bl_powercap_zone *z = &p->zone[i];
    const uint64_t last_uj = m->counter[i].last_uj;
    uint64_t reading_uj = 0;
    bl_err e;

    BL_TRY(bl_powercap_energy(z, &reading_uj, diag));
    e = bl_energy_add(&m->counter[i], reading_uj, delta_uj);
    if (e == BL_ERR_OK)
        return e;
    if (z->range_uj == 0)
        return bl_diag_set(diag, e, z->id, 0,
                           "the counter went back from %" PRIu64 " to %" PRIu64
                           " uJ, and max_energy_range_uj does not say where "
                           "it wraps",
                           last_uj, reading_uj);
    return bl_diag_set(diag, e, z->id, 0,
                       "energy_uj is %" PRIu64 ", expected at most %" PRIu64
                       " (max_energy_range_uj)",
                       reading_uj, z->range_uj);
}

void bl_powercap_meter_read(struct bl_powercap_meter *m,
                            const struct bl_powercap *p, int64_t now_ns)
{
    m->fault_count = 0;
    for (uint32_t i = 0; i < p->zone_count; i++) {
        struct bl_powercap_draw *d = &m->draw[i];
        const bool second = m->counter[i].started;
        struct bl_diag diag;
        uint64_t delta_uj = 0;

        *d = (struct bl_powercap_draw){ .known = false };
        if (read_counter(m, p, i, &delta_uj, &diag) != BL_ERR_OK) {
            if (m->fault_count++ == 0)
                m->fault = diag;
            bl_energy_start(&m->counter[i], p->zone[i].range_uj);
            continue;
        }
        if (second && now_ns > m->read_ns[i]) {
            d->known = true;
            d->energy_uj = delta_uj;
            d->elapsed_ns = now_ns - m->read_ns[i];
            d->power_uw = bl_energy_power_uw(delta_uj, (uint64_t)d->elapsed_ns);
        }
        m->read_ns[i] = now_ns;
    }
}

bl_err bl_powercap_meter_check(const struct bl_powercap *p,
                               uint64_t interval_ns, struct bl_diag *diag)
{
    for (uint32_t i = 0; i < p->zone_count; i++) {
        const struct bl_powercap_zone *z = &p->zone[i];
        uint64_t max_uw = 0, safe_ns;

        for (uint32_t k = 0; k < z->constraint_count; k++)
            if (z->constraint[k].max_uw > max_uw)
                max_uw = z->constraint[k].max_uw;
        if (max_uw == 0 || z->range_uj == 0)
            continue;
        safe_ns = bl_energy_safe_ns(z->range_uj, max_uw);
        if (interval_ns > safe_ns)
            return bl_diag_set(diag, BL_ERR_INVAL, z->id, 0,
                               "its counter may wrap twice unseen: at %.0f W "
                               "it wraps in %.3f s, expected a shorter "
                               "interval",
                               (double)max_uw / 1e6, (double)safe_ns / 1e9);
    }
    return BL_ERR_OK;
}
