/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic CSV: what to write when no other format fits. The grammar is in
 * doc/trace-format.md and ballast-trace(5); in short, a header line names the
 * columns, rows are sorted by time,
 *
 *     t_s,vm,cpu_pct,mem_pct,vcpus,mhz,mem_mib
 *
 * and a VM is alive in exactly those steps in which it has a row: that is how
 * departures are written. t_s and vm are required; the step is the difference
 * of the first two times, and every step has at least one row. Nothing is
 * repaired here: a file made for this program can be right.
 */
#include "trace/trace_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum column { T_S, VM, CPU_PCT, MEM_PCT, VCPUS, MHZ, MEM_MIB, COLUMNS };

static const char *const column_name[COLUMNS] = {
    "t_s", "vm", "cpu_pct", "mem_pct", "vcpus", "mhz", "mem_mib",
};

static const char *const column_expect[COLUMNS] = {
    "t_s, seconds such as 300 or 0.5 (at most 9 digits after the point)",
    "vm, a name of UTF-8 text without '#'",
    "cpu_pct, a number from 0 to 100",
    "mem_pct, a number from 0 to 100",
    "vcpus, 0 (unknown) to 4096",
    "mhz of one vCPU, 0 (unknown) to 10000",
    "mem_mib, 0 (unknown) to 1073741824",
};

enum { PPM_FULL = 1000000, NS_DIGITS = 9, KHZ_DIGITS = 3 };

struct vm {
    uint32_t life; /* how often it has arrived */
    uint32_t slot;
    bool alive;
    bool seen; /* in the step that is being read */
    uint32_t vcpu_count;
    uint64_t vcpu_khz, mem_bytes;
};

/* A line, read. */
struct row {
    struct bl__text vm;
    uint64_t t_ns, cpu_ppm, mem_ppm, vcpu_count, vcpu_khz, mem_bytes;
};

/* What is kept of it until its step is complete. */
struct sample {
    uint32_t vm;
    uint32_t cpu_ppm, mem_ppm;
};

/* A growing array. */
struct list {
    void *p;
    size_t count, capacity;
};

struct reader {
    struct bl__input *in;
    const struct bl_trace_opts *opts;
    struct bl__convert convert;
    struct bl_trace_info info;
    int field_of[COLUMNS]; /* -1: the file has no such column */
    int field_count;
    struct bl__names names;
    struct bl__slots slots;
    struct list vms;     /* struct vm, by number */
    struct list samples; /* struct sample, of the step being read */
    struct list slot_vm; /* uint32_t: who is in a slot */
    struct list cells[BL__COLUMNS];
    struct list departed, arrived, arrived_names;
    uint64_t t_ns;
    bool any;
};

static bl_err at_line(const struct reader *r, bl_err e, const char *what,
                      struct bl__text text, const char *expected,
                      struct bl_diag *diag)
{
    return bl_diag_set(diag, e, bl__input_label(r->in),
                       bl__input_line_number(r->in), "%s '%s', expected %s",
                       what, bl__quote(&(struct bl__quote){ "" }, text),
                       expected);
}

static bl_err no_memory(const struct reader *r, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, bl__input_label(r->in),
                       bl__input_line_number(r->in), "out of memory");
}

/* Room for @count elements in all. */
static bl_err reserve(struct reader *r, struct list *l, size_t count,
                      size_t elem_bytes, struct bl_diag *diag)
{
    size_t capacity = l->capacity > 0 ? l->capacity : 64;
    void *p;

    if (count <= l->capacity)
        return BL_ERR_OK;
    while (capacity < count)
        capacity *= 2;
    p = bl__grow(l->p, capacity * elem_bytes);
    if (p == NULL)
        return no_memory(r, diag);
    l->p = p;
    l->capacity = capacity;
    return BL_ERR_OK;
}

/* ---- header ----------------------------------------------------------- */

static struct bl__text without_bom(struct bl__text line)
{
    static const char bom[3] = { '\xef', '\xbb', '\xbf' };

    if (line.size_bytes >= 3 && memcmp(line.p, bom, 3) == 0) {
        line.p += 3;
        line.size_bytes -= 3;
    }
    return line;
}

static int column_of(struct bl__text field)
{
    for (int c = 0; c < COLUMNS; c++)
        if (field.size_bytes == strlen(column_name[c]) &&
            memcmp(field.p, column_name[c], field.size_bytes) == 0)
            return c;
    return -1;
}

static bool csv_detect(const struct bl__input *in, struct bl__text head)
{
    bool has[COLUMNS] = { false };

    if (bl__input_kind(in) != BL__INPUT_STREAM)
        return false;
    head = without_bom(head);
    while (head.size_bytes > 0) {
        const int c = column_of(bl__cut(&head, ','));

        if (c >= 0)
            has[c] = true;
    }
    return has[T_S] && has[VM];
}

static bl_err read_header(struct reader *r, struct bl__text line,
                          struct bl_diag *diag)
{
    static const char *const all = "t_s,vm,cpu_pct,mem_pct,vcpus,mhz,mem_mib";
    bool more = true;

    line = without_bom(line);
    for (int c = 0; c < COLUMNS; c++)
        r->field_of[c] = -1;
    for (; more; r->field_count++) {
        const size_t before = line.size_bytes;
        const struct bl__text field = bl__cut(&line, ',');
        const int c = column_of(field);

        more = field.size_bytes < before; /* there was a comma */
        if (c < 0)
            return at_line(r, BL_ERR_PARSE, "unknown column", field, all, diag);
        if (r->field_of[c] >= 0)
            return at_line(r, BL_ERR_PARSE, "column twice:", field, "each once",
                           diag);
        r->field_of[c] = r->field_count;
    }
    if (r->field_of[T_S] < 0 || r->field_of[VM] < 0)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in), 1,
                           "no column t_s or vm, expected both of %s", all);
    r->info.has_cpu = r->field_of[CPU_PCT] >= 0;
    r->info.has_mem = r->field_of[MEM_PCT] >= 0;
    r->info.has_size = r->field_of[VCPUS] >= 0 || r->field_of[MHZ] >= 0 ||
                       r->field_of[MEM_MIB] >= 0;
    snprintf(r->info.origin, sizeof(r->info.origin), "%s", bl__format_csv.name);
    return BL_ERR_OK;
}

/* ---- rows ------------------------------------------------------------- */

static bool parse_field(int column, struct bl__text f, struct row *row)
{
    switch (column) {
    case T_S:
        return bl__parse_fixed(f, NS_DIGITS, &row->t_ns) &&
               row->t_ns <= INT64_MAX;
    case VM:
        row->vm = f;
        return bl__name_ok(f) && memchr(f.p, '#', f.size_bytes) == NULL;
    case CPU_PCT:
        return bl__parse_pct(f, &row->cpu_ppm) && row->cpu_ppm <= PPM_FULL;
    case MEM_PCT:
        return bl__parse_pct(f, &row->mem_ppm) && row->mem_ppm <= PPM_FULL;
    case VCPUS:
        return bl__parse_u64(f, BL_HOST_CORES_MAX, &row->vcpu_count);
    case MHZ:
        return bl__parse_fixed(f, KHZ_DIGITS, &row->vcpu_khz) &&
               row->vcpu_khz <= BL_CORE_KHZ_MAX;
    default:
        if (!bl__parse_u64(f, BL_MEM_BYTES_MAX >> 20, &row->mem_bytes))
            return false;
        row->mem_bytes <<= 20;
        return true;
    }
}

static bl_err parse_row(struct reader *r, struct bl__text line, struct row *row,
                        struct bl_diag *diag)
{
    struct bl__text field[COLUMNS];
    bool more = true;
    int n = 0;

    for (; more; n++) {
        const size_t before = line.size_bytes;

        if (n == r->field_count)
            break;
        field[n] = bl__cut(&line, ',');
        more = field[n].size_bytes < before;
    }
    if (more || n != r->field_count)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                           bl__input_line_number(r->in),
                           "%s than %d fields, expected %d as in the header",
                           more ? "more" : "fewer", r->field_count,
                           r->field_count);
    for (int c = 0; c < COLUMNS; c++)
        if (r->field_of[c] >= 0 && !parse_field(c, field[r->field_of[c]], row))
            return at_line(r, BL_ERR_PARSE, "unfit", field[r->field_of[c]],
                           column_expect[c], diag);
    return BL_ERR_OK;
}

/* The VM of @row, known or new; its size must not change while it lives. */
static bl_err find_vm(struct reader *r, const struct row *row, uint32_t *number,
                      struct bl_diag *diag)
{
    bool is_new;
    struct vm *vm;
    const bl_err e = bl__names_add(&r->names, row->vm, number, &is_new);

    if (e != BL_ERR_OK)
        return at_line(r, e, bl_err_text(e), row->vm,
                       "fewer VMs, names of at most 4096 bytes", diag);
    BL_TRY(reserve(r, &r->vms, r->names.count, sizeof(struct vm), diag));
    vm = (struct vm *)r->vms.p + *number;
    if (is_new)
        *vm = (struct vm){ .life = 0 };
    if (vm->seen)
        return at_line(r, BL_ERR_PARSE, "second row at the same t_s of",
                       row->vm, "one", diag);
    if (vm->alive &&
        (vm->vcpu_count != row->vcpu_count || vm->vcpu_khz != row->vcpu_khz ||
         vm->mem_bytes != row->mem_bytes))
        return at_line(r, BL_ERR_PARSE, "changed size of", row->vm,
                       "the same size while it lives", diag);
    vm->seen = true;
    vm->vcpu_count = (uint32_t)row->vcpu_count;
    vm->vcpu_khz = row->vcpu_khz;
    vm->mem_bytes = row->mem_bytes;
    return BL_ERR_OK;
}

static bl_err add_sample(struct reader *r, const struct row *row,
                         struct bl_diag *diag)
{
    struct sample *s;
    uint32_t vm = 0;

    BL_TRY(find_vm(r, row, &vm, diag));
    BL_TRY(reserve(r, &r->samples, r->samples.count + 1, sizeof(*s), diag));
    s = (struct sample *)r->samples.p + r->samples.count++;
    *s = (struct sample){ vm, (uint32_t)row->cpu_ppm, (uint32_t)row->mem_ppm };
    return BL_ERR_OK;
}

/* ---- a complete step -------------------------------------------------- */

/* VMs without a row have departed; slots in ascending order. */
static bl_err depart(struct reader *r, struct bl_diag *diag)
{
    struct vm *vms = r->vms.p;
    const uint32_t *slot_vm = r->slot_vm.p;
    const uint32_t end = r->slots.end;

    BL_TRY(reserve(r, &r->departed, end + 1, sizeof(uint32_t), diag));
    r->departed.count = 0;
    for (uint32_t s = 0; s < end; s++) {
        if (!bl__slots_taken(&r->slots, s) || vms[slot_vm[s]].seen)
            continue;
        vms[slot_vm[s]].alive = false;
        ((uint32_t *)r->departed.p)[r->departed.count++] = s;
        bl__slots_give(&r->slots, s);
    }
    return BL_ERR_OK;
}

static bl_err arrive(struct reader *r, uint32_t number, struct bl_diag *diag)
{
    struct vm *vm = (struct vm *)r->vms.p + number;
    char(*name)[BL_NAME_BYTES] = r->arrived_names.p;
    struct bl_trace_vm *out = r->arrived.p;
    const size_t n = r->arrived.count++;
    const bl_err e = bl__slots_take(&r->slots, &vm->slot);

    if (e != BL_ERR_OK)
        return at_line(r, e, bl_err_text(e), bl__names_text(&r->names, number),
                       "fewer VMs", diag);
    vm->alive = true;
    vm->life++;
    bl__name_make(name[n], bl__names_text(&r->names, number), vm->life);
    out[n] = (struct bl_trace_vm){ .name = name[n],
                                   .slot = vm->slot,
                                   .vcpu_count = vm->vcpu_count,
                                   .vcpu_khz = vm->vcpu_khz,
                                   .mem_bytes = vm->mem_bytes };
    BL_TRY(reserve(r, &r->slot_vm, r->slots.end, sizeof(uint32_t), diag));
    ((uint32_t *)r->slot_vm.p)[vm->slot] = number;
    return BL_ERR_OK;
}

static bl_err make_cells(struct reader *r, struct bl_diag *diag)
{
    const struct sample *s = r->samples.p;
    const struct vm *vms = r->vms.p;

    for (int c = 0; c < BL__COLUMNS; c++) {
        uint32_t *cell;

        BL_TRY(reserve(r, &r->cells[c], r->slots.end, sizeof(cell[0]), diag));
        cell = r->cells[c].p;
        memset(cell, 0, r->slots.end * sizeof(cell[0]));
        for (size_t i = 0; i < r->samples.count; i++)
            cell[vms[s[i].vm].slot] =
                c == BL__CPU ? s[i].cpu_ppm : s[i].mem_ppm;
    }
    return BL_ERR_OK;
}

static bl_err finish_step(struct reader *r, struct bl_diag *diag)
{
    const struct sample *s = r->samples.p;
    struct vm *vms = r->vms.p;
    struct bl_trace_step step = { .index = 0 };

    BL_TRY(depart(r, diag));
    BL_TRY(reserve(r, &r->arrived, r->samples.count, sizeof(struct bl_trace_vm),
                   diag));
    BL_TRY(
        reserve(r, &r->arrived_names, r->samples.count, BL_NAME_BYTES, diag));
    r->arrived.count = 0;
    for (size_t i = 0; i < r->samples.count; i++) {
        vms[s[i].vm].seen = false;
        if (!vms[s[i].vm].alive)
            BL_TRY(arrive(r, s[i].vm, diag));
    }
    BL_TRY(make_cells(r, diag));
    r->samples.count = 0;
    step.departed = r->departed.p;
    step.departed_count = (uint32_t)r->departed.count;
    step.arrived = r->arrived.p;
    step.arrived_count = (uint32_t)r->arrived.count;
    step.cpu_ppm = r->info.has_cpu ? r->cells[BL__CPU].p : NULL;
    step.mem_ppm = r->info.has_mem ? r->cells[BL__MEM].p : NULL;
    return bl__writer_step(r->convert.w, &step, diag);
}

/* ---- the whole file --------------------------------------------------- */

static bl_err wrong_time(const struct reader *r, const struct row *row,
                         const char *expected, struct bl_diag *diag)
{
    const uint64_t ns_per_s = 1000000000;

    return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->in),
                       bl__input_line_number(r->in),
                       "t_s %llu.%09llu after %llu.%09llu, expected %s",
                       (unsigned long long)(row->t_ns / ns_per_s),
                       (unsigned long long)(row->t_ns % ns_per_s),
                       (unsigned long long)(r->t_ns / ns_per_s),
                       (unsigned long long)(r->t_ns % ns_per_s), expected);
}

static bl_err add_row(struct reader *r, struct bl__text line,
                      struct bl_diag *diag)
{
    struct row row = { .t_ns = 0 };

    BL_TRY(parse_row(r, line, &row, diag));
    if (r->any && row.t_ns < r->t_ns)
        return wrong_time(r, &row, "rows in the order of time", diag);
    if (r->any && row.t_ns > r->t_ns) {
        const uint64_t step_ns = row.t_ns - r->t_ns;

        if (r->info.step_ns == 0) {
            r->info.step_ns = (int64_t)step_ns;
            BL_TRY(bl__convert_begin(&r->convert, bl__input_path(r->in),
                                     r->opts, &r->info, diag));
        }
        if (row.t_ns + step_ns > INT64_MAX)
            return wrong_time(r, &row, "a step that ends within 292 years",
                              diag);
        if (step_ns != (uint64_t)r->info.step_ns)
            return wrong_time(r, &row, "the step between the first two times",
                              diag);
        BL_TRY(finish_step(r, diag));
    }
    r->any = true;
    r->t_ns = row.t_ns;
    return add_sample(r, &row, diag);
}

static bl_err read_all(struct reader *r, struct bl_diag *diag)
{
    struct bl__text line;
    bl_err e = bl__input_line(r->in, &line, diag);

    if (e == BL_ERR_OK)
        BL_TRY(read_header(r, line, diag));
    while (e == BL_ERR_OK &&
           (e = bl__input_line(r->in, &line, diag)) == BL_ERR_OK)
        BL_TRY(add_row(r, line, diag));
    if (e != BL_ERR_END)
        return e;
    if (r->info.step_ns == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(r->in), 0,
                           "rows for %s, expected at least two times: their "
                           "difference is the step",
                           r->any ? "one time only" : "no time at all");
    return finish_step(r, diag);
}

static void free_reader(struct reader *r)
{
    struct list *const lists[] = {
        &r->vms,      &r->samples,  &r->slot_vm, &r->cells[0],
        &r->cells[1], &r->departed, &r->arrived, &r->arrived_names,
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        free(lists[i]->p);
    bl__names_free(&r->names);
    bl__slots_free(&r->slots);
}

static bl_err csv_read(struct bl__input *in, const struct bl_trace_opts *opts,
                       struct bl_trace **out, struct bl_diag *diag)
{
    const struct bl_trace_repairs none = { .off_count = 0 };
    struct reader r = { .in = in, .opts = opts, .convert = { .fd = -1 } };
    bl_err e;

    if (bl__input_kind(in) != BL__INPUT_STREAM)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "is a folder or archive, expected a CSV file");
    bl__names_init(&r.names);
    e = read_all(&r, diag);
    e = bl__convert_end(&r.convert, e, &none, opts, out, diag);
    free_reader(&r);
    return e;
}

const struct bl__format bl__format_csv = {
    .name = "csv",
    .text = "CSV file: t_s,vm[,cpu_pct][,mem_pct][,vcpus][,mhz][,mem_mib]",
    .detect = csv_detect,
    .read = csv_read,
};
