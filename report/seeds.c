/* SPDX-License-Identifier: Apache-2.0 */
#include "report/seeds.h"

#include "base/hash.h"
#include "report/json_priv.h"
#include "report/report_priv.h"

/* Two-sided 95 %: published tables of Student's t, three decimals. */
double bl_student_t95(uint32_t freedom)
{
    static const double t[] = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
        2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
        2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    };
    static const struct {
        double freedom, t;
    } far[] = { { 30, 2.042 },
                { 40, 2.021 },
                { 60, 2.000 },
                { 120, 1.980 },
                { 1e300, 1.960 } };
    const uint32_t near_count = sizeof(t) / sizeof(t[0]);
    uint32_t i = 1;

    BL_ASSERT(freedom >= 1);
    if (freedom <= near_count)
        return t[freedom - 1];
    while (far[i].freedom < freedom)
        i++;

    /* t is nearly linear in 1 / freedom */
    const double a = 1 / far[i - 1].freedom, b = 1 / far[i].freedom;

    return far[i].t + (far[i - 1].t - far[i].t) * (1.0 / freedom - b) / (a - b);
}

void bl_spread_of(const double *x, uint32_t count, struct bl_spread *out)
{
    double sum = 0, squares = 0;

    BL_ASSERT(count >= 1);
    *out = (struct bl_spread){ .min = x[0], .max = x[0] };
    for (uint32_t i = 0; i < count; i++) {
        sum += x[i] - x[0]; /* from the first: equal values leave exactly 0 */
        out->min = x[i] < out->min ? x[i] : out->min;
        out->max = x[i] > out->max ? x[i] : out->max;
    }
    out->mean = x[0] + sum / count;
    for (uint32_t i = 0; i < count; i++)
        squares += (x[i] - out->mean) * (x[i] - out->mean);
    if (count == 1) {
        out->half_width = NAN;
        return;
    }
    out->sd = sqrt(squares / (count - 1));
    out->half_width = bl_student_t95(count - 1) * out->sd / sqrt(count);
}

bool bl_seeds_spread(const struct bl_seed_run *run, uint32_t count,
                     enum bl_figure figure, struct bl_spread *out)
{
    double x[BL_SEEDS_MAX] = { 0 };

    BL_ASSERT(count >= 1);
    BL_ASSERT(count <= BL_SEEDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        x[i] = run[i].value[figure];
        if (!isfinite(x[i]))
            return false;
    }
    bl_spread_of(x, count, out);
    return true;
}

bool bl_seeds_matter(const struct bl_seed_run *run, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (run[i].state_hash != run[0].state_hash)
            return true;
    return false;
}

static uint64_t hash_of_all(const struct bl_seed_run *run, uint32_t count)
{
    struct bl_hash h;

    bl_hash_init(&h);
    for (uint32_t i = 0; i < count; i++) {
        bl_hash_u64(&h, run[i].seed);
        bl_hash_u64(&h, run[i].state_hash);
    }
    return bl_hash_value(&h);
}

static void spread_row(FILE *f, const char *key, const struct bl_spread *s)
{
    fprintf(f, "%-20s %14.7g %12.4g", key, s->mean, s->sd);
    if (isfinite(s->half_width))
        fprintf(f, " %13.7g .. %11.7g", s->mean - s->half_width,
                s->mean + s->half_width);
    fputc('\n', f);
}

void bl_seeds_text(FILE *f, const struct bl_seeds *s,
                   const struct bl_style *style)
{
    const char *bold = bl__sgr(style, BL_SGR_BOLD);
    const char *off = bl__sgr(style, BL_SGR_OFF);

    BL_ASSERT(s->count >= 1);
    bl_report_identity(f, s->id, style);
    fprintf(f, "  %-10s %u, seeds %llu to %llu\n", "runs", s->count,
            (unsigned long long)s->run[0].seed,
            (unsigned long long)s->run[s->count - 1].seed);
    if (s->count < s->wanted)
        fprintf(f,
                "\n%sPARTIAL: interrupted; %u of %u runs are complete and "
                "counted.%s\n",
                bl__sgr(style, BL_SGR_YELLOW), s->count, s->wanted, off);
    fprintf(f, "\n%s%-20s %14s %12s %28s%s\n", bold, "figure", "mean", "sd",
            "95 % confidence interval", off);
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++) {
        struct bl_spread spread = { .sd = 0 };

        if (bl_seeds_spread(s->run, s->count, (enum bl_figure)i, &spread))
            spread_row(f, bl_figure_def(i)->key, &spread);
    }
    if (!bl_seeds_matter(s->run, s->count) && s->count > 1)
        fputs(
            "\nThe seed changed nothing: neither this trace nor this policy "
            "draws at random.\n",
            f);
    fprintf(f, "\n%sstate hash%s  %016llx\n", bold, off,
            (unsigned long long)hash_of_all(s->run, s->count));
}

static json_t *spread_object(struct bl_json *j, const struct bl_spread *s)
{
    json_t *o = json_object();

    bl__json_set(j, o, "mean", bl__json_real(s->mean));
    bl__json_set(j, o, "sd", bl__json_real(s->sd));
    bl__json_set(j, o, "ci95_low", bl__json_real(s->mean - s->half_width));
    bl__json_set(j, o, "ci95_high", bl__json_real(s->mean + s->half_width));
    bl__json_set(j, o, "min", bl__json_real(s->min));
    bl__json_set(j, o, "max", bl__json_real(s->max));
    return o;
}

static void put_runs(struct bl_json *j, const struct bl_seed_run *run,
                     uint32_t count)
{
    bl__json_open_rows(j, "runs");
    for (uint32_t i = 0; i < count; i++) {
        json_t *o = json_object();

        bl__json_set(j, o, "seed", bl__json_count(run[i].seed));
        for (uint32_t k = 0; k < BL_FIGURE_COUNT; k++)
            bl__json_set(j, o, bl_figure_def(k)->key,
                         bl_figure_def(k)->whole
                             ? bl__json_count((uint64_t)run[i].value[k])
                             : bl__json_real(run[i].value[k]));
        bl__json_set(j, o, "state_hash", bl__json_hash(run[i].state_hash));
        bl__json_row(j, o);
    }
    bl__json_close_rows(j);
}

bl_err bl_seeds_json(FILE *f, const struct bl_seeds *s)
{
    struct bl_json j;
    json_t *all = json_object();

    BL_ASSERT(s->count >= 1);
    bl__json_begin(&j, f, BL_JSON_SEEDS);
    bl__json_member(&j, "identity", bl__json_identity(&j, s->id));
    bl__json_member(&j, "partial", json_boolean(s->count < s->wanted));
    bl__json_member(&j, "runs_wanted", bl__json_count(s->wanted));
    put_runs(&j, s->run, s->count);
    for (uint32_t i = 0; i < BL_FIGURE_COUNT; i++) {
        struct bl_spread spread = { .sd = 0 };

        if (bl_seeds_spread(s->run, s->count, (enum bl_figure)i, &spread))
            bl__json_set(&j, all, bl_figure_def(i)->key,
                         spread_object(&j, &spread));
    }
    bl__json_member(&j, "statistics", all);
    bl__json_member(&j, "seed_matters",
                    json_boolean(bl_seeds_matter(s->run, s->count)));
    bl__json_member(&j, "state_hash",
                    bl__json_hash(hash_of_all(s->run, s->count)));
    return bl__json_end(&j);
}
