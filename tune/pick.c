/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/pick.h"

#include "base/units.h"
#include "hv/snapshot.h"

#include <math.h>
#include <string.h>

static const char *const words[] = { [BL_PICK_ENERGY] = "energy",
                                     [BL_PICK_UNSERVED] = "unserved",
                                     [BL_PICK_KNEE] = "knee" };

const char *bl_tune_pick_text(const struct bl_tune_pick *p)
{
    switch (p->rule) {
    case BL_PICK_ENERGY:
        return "least energy that leaves no more unserved than the baseline";
    case BL_PICK_UNSERVED:
        return "least unserved that takes no more energy than the baseline";
    case BL_PICK_KNEE:
        return "nearest to the best of every objective";
    case BL_PICK_NUMBER:
        break;
    }
    return "as asked for";
}

bl_err bl_tune_pick_parse(const char *text,
                          const struct bl_objectives *objectives,
                          const char *file, unsigned long line,
                          struct bl_tune_pick *out, struct bl_diag *diag)
{
    struct bl_tune_pick p = { .rule = BL_PICK_NUMBER };
    const char *why = NULL;
    int64_t n = 0;

    for (int i = BL_PICK_ENERGY; i <= BL_PICK_KNEE; i++) {
        if (strcmp(words[i], text) == 0) {
            p.rule = (enum bl_tune_rule)i;
            break;
        }
    }
    if (p.rule == BL_PICK_NUMBER) {
        if (bl_units_parse(BL_DIM_COUNT, text, &n, &why) != BL_ERR_OK ||
            n < 1 || n > UINT32_MAX)
            return bl_diag_set(diag, BL_ERR_PARSE, file, line,
                               "pick: '%.40s' is no rule, expected energy, "
                               "unserved, knee or a number from 1",
                               text);
        p.number = (uint32_t)n;
    }
    if ((p.rule == BL_PICK_ENERGY || p.rule == BL_PICK_UNSERVED) &&
        (!bl_objectives_has(objectives, BL_OBJECTIVE_ENERGY) ||
         !bl_objectives_has(objectives, BL_OBJECTIVE_UNSERVED)))
        return bl_diag_set(
            diag, BL_ERR_INVAL, file, line,
            "pick: '%s' weighs energy against unserved, expected "
            "both among the objectives, or knee",
            words[p.rule]);
    *out = p;
    return BL_ERR_OK;
}

/* Least @first among those with @second no worse than the baseline. */
static uint32_t least(const double (*value)[BL_OBJECTIVE_COUNT], uint32_t count,
                      enum bl_objective first, enum bl_objective second,
                      const double *baseline)
{
    uint32_t best = BL_NONE;

    for (uint32_t i = 0; i < count; i++)
        if (value[i][second] <= baseline[second] &&
            (best == BL_NONE || value[i][first] < value[best][first]))
            best = i;
    return best;
}

static uint32_t knee(const struct bl_objectives *objectives,
                     const double (*value)[BL_OBJECTIVE_COUNT], uint32_t count)
{
    double nearest = INFINITY;
    uint32_t best = 0;

    for (uint32_t i = 0; i < count; i++) {
        double sum = 0;

        for (uint32_t k = 0; k < objectives->count; k++) {
            const uint32_t o = objectives->of[k];
            double lo = value[0][o], hi = value[0][o];

            for (uint32_t j = 1; j < count; j++) {
                lo = value[j][o] < lo ? value[j][o] : lo;
                hi = value[j][o] > hi ? value[j][o] : hi;
            }

            const double at = hi > lo ? (value[i][o] - lo) / (hi - lo) : 0;

            sum += at * at;
        }
        if (sum < nearest) {
            nearest = sum;
            best = i;
        }
    }
    return best;
}

uint32_t bl_tune_pick_choose(const struct bl_tune_pick *p,
                             const struct bl_objectives *objectives,
                             const double (*value)[BL_OBJECTIVE_COUNT],
                             uint32_t count, const double *baseline)
{
    BL_ASSERT(count > 0);
    switch (p->rule) {
    case BL_PICK_ENERGY:
        return least(value, count, BL_OBJECTIVE_ENERGY, BL_OBJECTIVE_UNSERVED,
                     baseline);
    case BL_PICK_UNSERVED:
        return least(value, count, BL_OBJECTIVE_UNSERVED, BL_OBJECTIVE_ENERGY,
                     baseline);
    case BL_PICK_KNEE:
        return knee(objectives, value, count);
    case BL_PICK_NUMBER:
        break;
    }
    return p->number <= count ? p->number - 1 : BL_NONE;
}
