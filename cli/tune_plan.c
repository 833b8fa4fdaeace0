/* SPDX-License-Identifier: Apache-2.0 */
/* What is tried: from the words of a scenario and a command line to points. */
#include "cli/tune_priv.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Draws in a row that were there before: a small space is exhausted. */
enum { REPEATS_MAX = 1000 };

static const char *file_of(const struct bl_scenario *s, unsigned long line,
                           const char *option)
{
    return line > 0 ? s->path : option;
}

/* Where the policy, or else the first of its parameters that is wrong, stands.
 */
static unsigned long policy_line(const struct bl_scenario *s)
{
    struct bl_policy_choice part = s->policy;
    const struct bl_policy *policy = NULL;
    struct bl_params params;
    struct bl_diag diag;

    for (uint32_t i = 0; i <= s->policy.param_count; i++) {
        part.param_count = i;
        if (bl_run_policy(s, &part, &policy, &params, &diag) != BL_ERR_OK)
            return i == 0 ? s->policy.line : s->policy.param[i - 1].line;
    }
    return s->policy.line;
}

static bl_err check_space(const struct bl_scenario *s, bool needs_vary,
                          struct bl_tune_plan *p, struct bl_diag *diag)
{
    const struct bl_tune_choice *c = &s->tune;
    const struct bl_policy *policy = NULL;
    struct bl_params base;

    p->blame = policy_line(s);
    BL_TRY(bl_run_policy(s, &s->policy, &policy, &base, diag));
    bl_space_init(&p->space, &base);
    for (uint32_t i = 0; i < c->vary_count; i++) {
        const struct bl_tune_text *range = &c->vary[i].range;

        p->blame = range->line;
        BL_TRY(bl_space_vary(&p->space, c->vary[i].name, range->text,
                             file_of(s, range->line, "--vary"), range->line,
                             diag));
    }
    p->blame = c->line;
    if (c->vary_count == 0 && needs_vary)
        return bl_diag_set(diag, BL_ERR_INVAL, file_of(s, c->line, NULL),
                           c->line,
                           "nothing to vary, expected --vary "
                           "NAME=LO:HI:STEP or a section 'tune' with 'vary'");
    return BL_ERR_OK;
}

/* A range without steps has no grid; too many points help nobody. */
static bl_err check_grid(const struct bl_scenario *s, struct bl_tune_plan *p,
                         struct bl_diag *diag)
{
    const uint64_t n = bl_space_grid_count(&p->space);

    if (s->tune.strategy != BL_TUNE_GRID)
        return BL_ERR_OK;
    for (uint32_t k = 0; k < p->space.dim_count; k++) {
        const struct bl_space_dim *d = &p->space.dim[k];

        p->blame = d->line;
        if (d->kind == BL_SPACE_ANY)
            return bl_diag_set(diag, BL_ERR_INVAL,
                               file_of(s, d->line, "--vary"), d->line,
                               "%s: a range without a step, expected "
                               "LO:HI:STEP with strategy grid",
                               p->space.base.table[d->param].name);
    }
    if (n > BL_TUNE_POINTS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, file_of(s, p->blame, "--vary"),
                           p->blame,
                           "a grid of %llu points, expected at most %u; or "
                           "strategy random or halving",
                           (unsigned long long)n, BL_TUNE_POINTS_MAX);
    return BL_ERR_OK;
}

static bl_err check_baseline(const struct bl_scenario *s,
                             struct bl_tune_plan *p, struct bl_diag *diag)
{
    const struct bl_tune_text *b = &s->tune.baseline;
    const struct bl_policy *policy = NULL;
    struct bl_params params;

    p->baseline = s->policy;
    if (b->text[0] == '\0')
        return BL_ERR_OK;
    p->blame = b->line;
    if (strlen(b->text) >= sizeof(p->baseline.name))
        return bl_diag_set(diag, BL_ERR_INVAL,
                           file_of(s, b->line, "--baseline"), b->line,
                           "baseline: a text of %zu bytes, expected a policy",
                           strlen(b->text));
    p->baseline =
        (struct bl_policy_choice){ .file = file_of(s, b->line, "--baseline"),
                                   .line = b->line };
    memcpy(p->baseline.name, b->text, strlen(b->text) + 1);
    return bl_run_policy(s, &p->baseline, &policy, &params, diag);
}

static bl_err check_pick(const struct bl_scenario *s, struct bl_tune_plan *p,
                         struct bl_diag *diag)
{
    const struct bl_tune_text *o = &s->tune.objectives, *pick = &s->tune.pick;
    const bool weighs =
        o->text[0] == '\0' || (strstr(o->text, "energy") != NULL &&
                               strstr(o->text, "unserved") != NULL);

    p->blame = o->line;
    BL_TRY(bl_objectives_parse(o->text[0] != '\0' ? o->text : "energy,unserved",
                               file_of(s, o->line, "--objectives"), o->line,
                               &p->objectives, diag));
    p->blame = pick->line;
    return bl_tune_pick_parse(pick->text[0] != '\0' ? pick->text
                              : weighs              ? "energy"
                                                    : "knee",
                              &p->objectives, file_of(s, pick->line, "--pick"),
                              pick->line, &p->pick, diag);
}

bl_err bl_tune_plan_check(const struct bl_scenario *s, bool needs_vary,
                          struct bl_tune_plan *out, struct bl_diag *diag)
{
    out->point = NULL;
    out->point_count = 0;
    BL_TRY(check_space(s, needs_vary, out, diag));
    BL_TRY(check_grid(s, out, diag));
    BL_TRY(check_pick(s, out, diag));
    return check_baseline(s, out, diag);
}

/* ---- points ------------------------------------------------------------- */

static uint64_t hash_of(const struct bl_params *p)
{
    struct bl_hash h;

    bl_hash_init(&h);
    for (uint32_t i = 0; i < p->count; i++)
        bl_hash_u64(&h, (uint64_t)p->value[i]);
    return bl_hash_value(&h);
}

/* Was @p drawn before? A hash that has been seen is taken for the point: with
 * 10,000 of them that loses one in 10^11 searches. */
static bool seen(const uint64_t *hash, uint32_t count, uint64_t h)
{
    for (uint32_t i = 0; i < count; i++)
        if (hash[i] == h)
            return true;
    return false;
}

/* Distinct draws, as many as asked for or as there are. */
static void draw_points(const struct bl_scenario *s, struct bl_tune_plan *p,
                        uint64_t *hash)
{
    const uint32_t want = s->tune.run_count;
    uint32_t n = 0, repeats = 0;

    for (uint64_t i = 0; n < want && repeats < REPEATS_MAX; i++) {
        struct bl_params *at = &p->point[1 + n];
        uint64_t h;

        bl_space_draw(&p->space, s->seed, i, at);
        h = hash_of(at);
        if (seen(hash, n, h)) {
            repeats++;
            continue;
        }
        repeats = 0;
        hash[n++] = h;
    }
    p->point_count = 1 + n;
}

bl_err bl_tune_plan_points(const struct bl_scenario *s, struct bl_tune_plan *p,
                           struct bl_diag *diag)
{
    const bool grid = s->tune.strategy == BL_TUNE_GRID;
    const uint32_t n =
        grid ? (uint32_t)bl_space_grid_count(&p->space) : s->tune.run_count;
    const struct bl_policy *policy = NULL;
    uint64_t *hash = calloc((size_t)n + 1, sizeof(*hash));

    p->point = calloc((size_t)n + 1, sizeof(*p->point));
    if (p->point == NULL || hash == NULL) {
        free(hash);
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0,
                           "out of memory: %u points", n);
    }
    p->point_count = 1 + n;
    for (uint32_t i = 0; grid && i < n; i++)
        bl_space_grid(&p->space, i, &p->point[1 + i]);
    if (!grid)
        draw_points(s, p, hash);
    free(hash);
    return bl_run_policy(s, &p->baseline, &policy, &p->point[0], diag);
}

void bl_tune_plan_free(struct bl_tune_plan *plan)
{
    free(plan->point);
    plan->point = NULL;
}
