/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bitbrains "rnd" (GWA-T-12) as one compact CSV, VM after VM, each in the
 * order of time:
 *
 *     vm,t_s,cores,cpu_prov_mhz,cpu_pct,mem_prov_kb,mem_used_kb
 *
 * Source     Shen, van Beek, Iosup, "Statistical characterization of
 *            business-critical workloads hosted in cloud datacenters",
 *            CCGrid 2015; the Grid Workloads Archive of the TU Delft.
 * VMs        cores and MHz as provisioned; memory is the most that was ever
 *            provisioned in one stay, because it changes while a VM runs.
 * Repairs    (counted) CPU above 100 % (turbo) is 100 %; used above
 *            provisioned memory is the provisioned; a row with the time of the
 *            row before is dropped; times are rounded to a grid of 300 s from
 *            the file's first one, and a second row in the same step is
 *            dropped; steps without a row hold the last value; a VM with 0
 *            cores is off: it departs and later arrives again as NAME#2. So
 *            does one whose cores or MHz change.
 */
#include "trace/trace_priv.h"

#include "base/units.h"

enum {
    STEP_S = 300,
    GAP_S = 2 * STEP_S,   /* a longer silence counts as a gap */
    GAP_STEPS_MAX = 8640, /* 30 days: held no longer */
    PPM_FULL = 1000000,
    FIELDS = 7,
    BIAS = BL_TRACE_STEPS_MAX, /* of steps: VMs may begin before the first */
};
#define T_S_MAX UINT64_C(100000000000) /* year 5138 */

static const char header[] =
    "vm,t_s,cores,cpu_prov_mhz,cpu_pct,mem_prov_kb,mem_used_kb";

struct row {
    struct bl__text vm;
    uint64_t t_s, cores, mhz, cpu_ppm, mem_prov_kb, mem_used_kb;
};

struct reader {
    struct bl__input *in;
    struct bl__table *t;
    struct bl__names names;
    struct bl_trace_repairs repairs;
    bool any;
    uint64_t anchor_s;   /* time of the first row: where the grid begins */
    uint32_t first, end; /* steps seen, biased: [first, end) */

    /* the VM that is being read */
    uint32_t vm;
    uint64_t t_s;
    uint32_t step, life_number;
    bool on;
    struct bl__life life;
    uint64_t mhz, mem_max_kb;
    uint32_t cpu_ppm, mem_used_kb; /* of the last step */
};

static bool bitbrains_detect(const struct bl__input *in, struct bl__text head)
{
    return bl__input_kind(in) == BL__INPUT_STREAM &&
           head.size_bytes == sizeof(header) - 1 &&
           memcmp(head.p, header, sizeof(header) - 1) == 0;
}

/* false: not FIELDS of them. */
static bool split_row(struct bl__text line, struct bl__text f[FIELDS])
{
    for (int i = 0; i < FIELDS; i++) {
        const size_t before = line.size_bytes;

        f[i] = bl__cut(&line, ',');
        if ((f[i].size_bytes < before) != (i + 1 < FIELDS))
            return false; /* a comma too many, or one too few */
    }
    return true;
}

/* The index of the first field that is wrong; FIELDS: all are fine. */
static int parse_row(const struct bl__text f[FIELDS], struct row *row)
{
    row->vm = f[0];
    if (!bl__name_ok(f[0]) || memchr(f[0].p, '#', f[0].size_bytes) != NULL)
        return 0;
    if (!bl__parse_u64(f[1], T_S_MAX, &row->t_s))
        return 1;
    if (!bl__parse_u64(f[2], BL_HOST_CORES_MAX, &row->cores))
        return 2;
    if (!bl__parse_u64(f[3], UINT32_MAX, &row->mhz) ||
        (row->cores > 0 && row->mhz * 1000 / row->cores > BL_CORE_KHZ_MAX))
        return 3;
    if (!bl__parse_pct(f[4], &row->cpu_ppm))
        return 4;
    if (!bl__parse_u64(f[5], UINT32_MAX, &row->mem_prov_kb))
        return 5;
    return bl__parse_u64(f[6], UINT32_MAX, &row->mem_used_kb) ? FIELDS : 6;
}

static bl_err read_row(const struct reader *r, struct bl__text line,
                       struct row *row, struct bl_diag *diag)
{
    static const char *const expected[FIELDS] = {
        "a VM's name without '#'",
        "t_s, whole seconds",
        "cores, 0 to 4096",
        "cpu_prov_mhz, at most 10 GHz for each core",
        "cpu_pct, a number such as 12.77",
        "mem_prov_kb, less than 4 TiB",
        "mem_used_kb, less than 4 TiB",
    };
    struct bl__text f[FIELDS];
    int wrong;

    if (!split_row(line, f))
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "'%s', expected seven fields: %s",
                           bl__quote(&(struct bl__quote){ "" }, line), header);
    wrong = parse_row(f, row);
    if (wrong == FIELDS)
        return BL_ERR_OK;
    return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in), "'%s', expected %s",
                       bl__quote(&(struct bl__quote){ "" }, f[wrong]),
                       expected[wrong]);
}

/* ---- one stay of a VM ------------------------------------------------- */

/* @count steps with the same values. */
static bl_err append(struct reader *r, uint32_t count, struct bl_diag *diag)
{
    uint32_t *cell[BL__COLUMNS];

    BL_TRY(bl__table_cells(r->t, count, cell, diag));
    for (uint32_t i = 0; i < count; i++) {
        cell[BL__CPU][i] = r->cpu_ppm;
        cell[BL__MEM][i] = r->mem_used_kb; /* in ppm when the size is known */
    }
    r->life.step_count += count;
    return BL_ERR_OK;
}

/* Holds the last values up to, not including, @step. */
static bl_err hold(struct reader *r, uint32_t step, struct bl_diag *diag)
{
    const uint32_t count = step - r->step - 1;

    if (count > GAP_STEPS_MAX)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "%u steps without a row, expected one within 30 "
                           "days",
                           count);
    r->repairs.held_count += count;
    return count > 0 ? append(r, count, diag) : BL_ERR_OK;
}

static bl_err end_life(struct reader *r, struct bl_diag *diag)
{
    const uint64_t most = r->mem_max_kb;
    uint32_t *used = bl__table_last(r->t, BL__MEM, r->life.step_count);

    for (uint32_t i = 0; i < r->life.step_count; i++)
        used[i] =
            most > 0
                ? (uint32_t)((used[i] * (uint64_t)PPM_FULL + most / 2) / most)
                : 0;
    r->on = false;
    r->life.mem_bytes = most * 1024;
    if (r->life.arrive < r->first)
        r->first = r->life.arrive;
    if (r->life.arrive + r->life.step_count > r->end)
        r->end = r->life.arrive + r->life.step_count;
    return bl__table_life(r->t, bl__names_text(&r->names, r->vm),
                          r->life_number, &r->life, diag);
}

static void begin_life(struct reader *r, const struct row *row, uint32_t step)
{
    r->on = true;
    r->life_number++;
    r->mem_max_kb = 0;
    r->mhz = row->mhz;
    r->life = (struct bl__life){
        .arrive = step,
        .vcpu_count = (uint32_t)row->cores,
        .vcpu_khz = row->mhz * 1000 / row->cores,
    };
}

/* ---- rows ------------------------------------------------------------- */

static bl_err begin_vm(struct reader *r, const struct row *row,
                       struct bl_diag *diag)
{
    bool is_new;

    if (r->on)
        BL_TRY(end_life(r, diag));
    if (bl__names_add(&r->names, row->vm, &r->vm, &is_new) != BL_ERR_OK)
        return bl_diag_set(diag, BL_ERR_NOMEM, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "out of memory, or too many VMs");
    if (!is_new)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "VM '%s' again, expected all its rows together",
                           bl__quote(&(struct bl__quote){ "" }, row->vm));
    r->life_number = 0;
    return BL_ERR_OK;
}

/* The step of the grid that is nearest to @t_s, biased. */
static bl_err snap(const struct reader *r, uint64_t t_s, uint32_t *step,
                   struct bl_diag *diag)
{
    const uint64_t biased =
        t_s + (uint64_t)BIAS * STEP_S + STEP_S / 2 - r->anchor_s;

    if (t_s + (uint64_t)BIAS * STEP_S < r->anchor_s ||
        biased / STEP_S >= 2 * (uint64_t)BIAS)
        return bl_diag_set(diag, BL_ERR_FULL, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "more than %d steps from the first row", BIAS);
    *step = (uint32_t)(biased / STEP_S);
    return BL_ERR_OK;
}

/* What the row itself has wrong, whatever becomes of it. */
static void mend(struct reader *r, struct row *row)
{
    if (row->cores == 0)
        r->repairs.off_count++;
    if (row->cpu_ppm > PPM_FULL) {
        row->cpu_ppm = PPM_FULL;
        r->repairs.cpu_clamped_count++;
    }
    if (row->mem_used_kb > row->mem_prov_kb) {
        r->repairs.mem_clamped_count += row->mem_prov_kb > 0;
        row->mem_used_kb = row->mem_prov_kb;
    }
}

static bl_err use_row(struct reader *r, const struct row *row, uint32_t step,
                      struct bl_diag *diag)
{
    const bool resized =
        r->on && (row->cores != r->life.vcpu_count || row->mhz != r->mhz);

    if (r->on)
        BL_TRY(hold(r, step, diag));
    if (resized)
        BL_TRY(end_life(r, diag));
    r->step = step;
    if (row->cores == 0)
        return BL_ERR_OK;
    if (!r->on)
        begin_life(r, row, step);
    if (row->mem_prov_kb > r->mem_max_kb)
        r->mem_max_kb = row->mem_prov_kb;
    r->cpu_ppm = (uint32_t)row->cpu_ppm;
    r->mem_used_kb = (uint32_t)row->mem_used_kb;
    return append(r, 1, diag);
}

static bl_err add_row(struct reader *r, struct row *row, struct bl_diag *diag)
{
    const struct bl__text now =
        r->any ? bl__names_text(&r->names, r->vm) : (struct bl__text){ "", 0 };
    const bool same_vm = now.size_bytes == row->vm.size_bytes &&
                         memcmp(now.p, row->vm.p, now.size_bytes) == 0;
    const uint64_t before_s = r->t_s;
    uint32_t step = 0;

    mend(r, row);
    if (!r->any)
        r->anchor_s = row->t_s;
    BL_TRY(snap(r, row->t_s, &step, diag));
    if (!same_vm)
        BL_TRY(begin_vm(r, row, diag));
    r->any = true;
    r->t_s = row->t_s;
    if (!same_vm)
        return use_row(r, row, step, diag);
    if (row->t_s < before_s)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "time %llu after %llu, expected rows in the order "
                           "of time",
                           (unsigned long long)row->t_s,
                           (unsigned long long)before_s);
    if (row->t_s == before_s) {
        r->repairs.repeated_count++;
        return BL_ERR_OK;
    }
    r->repairs.gap_count += row->t_s - before_s > GAP_S;
    if (step == r->step) {
        r->repairs.crowded_count++;
        return BL_ERR_OK;
    }
    return use_row(r, row, step, diag);
}

static bl_err read_all(struct reader *r, struct bl_trace **out,
                       struct bl_diag *diag)
{
    struct bl__table_end end = {
        .step_ns = STEP_S * BL_NS_PER_S,
        .path = bl__input_path(r->in),
        .format = bl__format_bitbrains.name,
    };
    struct row row = { .vm = { "", 0 } };
    struct bl__text line;
    bl_err e = bl__input_line(r->in, &line, diag);

    if (e == BL_ERR_OK && !bitbrains_detect(r->in, line))
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in), 1,
                           "'%s', expected the header %s",
                           bl__quote(&(struct bl__quote){ "" }, line), header);
    while (e == BL_ERR_OK &&
           (e = bl__input_line(r->in, &line, diag)) == BL_ERR_OK) {
        BL_TRY(read_row(r, line, &row, diag));
        BL_TRY(add_row(r, &row, diag));
    }
    if (e != BL_ERR_END)
        return e;
    if (r->on)
        BL_TRY(end_life(r, diag));
    if (r->end > r->first && r->end - r->first > BL_TRACE_STEPS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, end.path, 0, "more than %u steps",
                           BL_TRACE_STEPS_MAX);
    end.step_first = r->first;
    end.step_count = r->end - r->first;
    end.repairs = r->repairs;
    return bl__table_finish(r->t, &end, out, diag);
}

static bl_err bitbrains_read(struct bl__input *in,
                             const struct bl_trace_opts *opts,
                             struct bl_trace **out, struct bl_diag *diag)
{
    const struct bl__table_opts table = { .has_cpu = true,
                                          .has_mem = true,
                                          .has_size = true,
                                          .tmp_dir = opts->tmp_dir };
    struct reader r = { .in = in, .first = UINT32_MAX };
    bl_err e;

    if (bl__input_kind(in) != BL__INPUT_STREAM)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "is a folder or archive, expected a CSV file");
    BL_TRY(bl__table_create(&table, &r.t, diag));
    bl__names_init(&r.names);
    e = read_all(&r, out, diag);
    bl__names_free(&r.names);
    if (e != BL_ERR_OK)
        bl__table_close(r.t);
    return e;
}

const struct bl__format bl__format_bitbrains = {
    .name = "bitbrains",
    .text = "CSV file: sizes, CPU and memory, VM after VM (GWA-T-12)",
    .detect = bitbrains_detect,
    .read = bitbrains_read,
};
