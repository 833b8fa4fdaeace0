/* SPDX-License-Identifier: Apache-2.0 */
/* powercap_limit - limits: refused when absurd, read back once written. */
#include "kvm/powercap_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct bl_powercap_constraint *
find_constraint(const struct bl_powercap_zone *z, const char *name)
{
    const char *wanted = name != NULL ? name : "long_term";

    for (uint32_t k = 0; k < z->constraint_count; k++)
        if (strcmp(z->constraint[k].name, wanted) == 0)
            return &z->constraint[k];
    return NULL;
}

static bl_err no_constraint(const struct bl_powercap_zone *z, const char *name,
                            struct bl_diag *diag)
{
    char list[BL_POWERCAP_CONSTRAINTS_MAX * (BL_POWERCAP_NAME_BYTES + 2)] = "";
    size_t used = 0;

    if (z->constraint_count == 0)
        return bl_diag_set(diag, BL_ERR_NOENT, z->path, 0,
                           "cannot be limited: the kernel shows no constraint "
                           "of %s (AMD counts energy only)",
                           z->id);
    for (uint32_t k = 0; k < z->constraint_count; k++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                 k > 0 ? ", " : "", z->constraint[k].name);
    return bl_diag_set(diag, BL_ERR_NOENT, z->path, 0,
                       "no constraint '%.40s', expected one of %s",
                       name != NULL ? name : "long_term", list);
}

static double watts(uint64_t uw)
{
    return (double)uw / 1e6;
}

static uint64_t floor_of(const struct bl_powercap_constraint *c)
{
    if (c->min_uw > 0)
        return c->min_uw;
    if (c->max_uw > 0)
        return c->max_uw / 100 * BL_POWERCAP_FLOOR_PERCENT;
    return BL_POWERCAP_FLOOR_UW;
}

bl_err bl_powercap_limit_check(const struct bl_powercap_zone *z,
                               const struct bl_powercap_limit *l,
                               struct bl_diag *diag)
{
    const struct bl_powercap_constraint *c = find_constraint(z, l->constraint);

    if (c == NULL)
        return no_constraint(z, l->constraint, diag);
    if (l->limit_uw == 0)
        return bl_diag_set(diag, BL_ERR_INVAL, z->path, 0,
                           "a limit of 0 W, expected at least %.3f W",
                           watts(floor_of(c)));
    if (l->limit_uw > INT64_MAX || l->window_us > INT64_MAX)
        return bl_diag_set(diag, BL_ERR_INVAL, z->path, 0,
                           "a limit or a window beyond 2^63");
    if (l->force)
        return BL_ERR_OK;
    if (l->limit_uw < floor_of(c))
        return bl_diag_set(diag, BL_ERR_INVAL, z->path, 0,
                           "a limit of %.3f W is below %.3f W, where hardly "
                           "anything runs any more; force it if you mean it",
                           watts(l->limit_uw), watts(floor_of(c)));
    if (c->max_uw > 0 && l->limit_uw > c->max_uw)
        return bl_diag_set(diag, BL_ERR_INVAL, z->path, 0,
                           "a limit of %.3f W is above the %.3f W that the "
                           "kernel names as its maximum; force it if you "
                           "mean it",
                           watts(l->limit_uw), watts(c->max_uw));
    if (l->window_us != 0 && (l->window_us < BL_POWERCAP_WINDOW_MIN_US ||
                              l->window_us > BL_POWERCAP_WINDOW_MAX_US))
        return bl_diag_set(diag, BL_ERR_INVAL, z->path, 0,
                           "a window of %.6f s, expected %.3f to %.0f s; "
                           "force it if you mean it",
                           (double)l->window_us / 1e6,
                           BL_POWERCAP_WINDOW_MIN_US / 1e6,
                           BL_POWERCAP_WINDOW_MAX_US / 1e6);
    return BL_ERR_OK;
}

/* Writes the window, reads it back. */
static bl_err set_window(const struct bl__powercap_file *f, uint64_t window_us,
                         struct bl_powercap_change *out, struct bl_diag *diag)
{
    if (window_us == 0)
        return BL_ERR_OK;
    BL_TRY(bl__powercap_write(f, window_us, diag));
    return bl__powercap_read(f, &out->window_after_us, diag);
}

/* After an error: the limit as it was, and what became of that in the words. */
static void take_back(const struct bl__powercap_file *f, uint64_t limit_uw,
                      struct bl_diag *diag)
{
    const struct bl_diag first = *diag;
    struct bl_diag second;

    if (bl__powercap_write(f, limit_uw, &second) == BL_ERR_OK)
        return;
    (void)bl_diag_set(diag, BL_ERR_IO, NULL, 0,
                      "%.380s; the limit was changed, and could not be taken "
                      "back to %.3f W",
                      first.text, watts(limit_uw));
}

bl_err bl_powercap_limit_set(const struct bl_powercap_zone *z,
                             const struct bl_powercap_limit *l,
                             struct bl_powercap_change *out,
                             struct bl_diag *diag)
{
    const struct bl_powercap_constraint *c = find_constraint(z, l->constraint);
    struct bl__powercap_file limit, window;
    struct bl_powercap_change change = { 0 };
    struct bl_diag ignored;
    bl_err e;

    BL_TRY(bl_powercap_limit_check(z, l, diag));
    limit = bl__powercap_of_constraint(z, c->id,
                                       POWERCAP_CONSTRAINT_FILE_POWER_LIMIT_UW);
    window = bl__powercap_of_constraint(
        z, c->id, POWERCAP_CONSTRAINT_FILE_TIME_WINDOW_US);
    BL_TRY(bl__powercap_read(&limit, &change.limit_before_uw, diag));
    /* peak_power has none; whoever wants to set one must be able to read it */
    e = bl__powercap_read(&window, &change.window_before_us,
                          l->window_us != 0 ? diag : &ignored);
    if (e != BL_ERR_OK && l->window_us != 0)
        return e;
    change.window_after_us = change.window_before_us;
    BL_TRY(bl__powercap_write(&limit, l->limit_uw, diag));
    e = bl__powercap_read(&limit, &change.limit_after_uw, diag);
    if (e == BL_ERR_OK)
        e = set_window(&window, l->window_us, &change, diag);
    if (e != BL_ERR_OK) {
        take_back(&limit, change.limit_before_uw, diag);
        return e;
    }
    *out = change;
    return BL_ERR_OK;
}

bool bl_powercap_kept(uint64_t asked_uw, uint64_t after_uw)
{
    const uint64_t off_uw =
        asked_uw > after_uw ? asked_uw - after_uw : after_uw - asked_uw;

    return off_uw <= BL_POWERCAP_STEP_UW;
}
