/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace that came VM after VM, read back step by step.
 *
 * Cells are appended life by life (all steps of one stay of one VM, together)
 * and stay so: a turned copy would double the work for a small trace. Reading
 * turns a window of WINDOW_STEPS steps at a time, so that each cache line of
 * cells is touched once. Slots are given out when all lives are known, by
 * walking through arrivals and departures in the order of time.
 *
 * Memory: names and lives for every VM; cells 4 bytes each. All are spools,
 * which move to an unlinked file when they are large.
 */
#include "trace/trace_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_STEPS = 16 };

struct row {
    const char *name; /* set when all are in: the spool of names moves */
    size_t name_at;   /* in names: the full name, not NUL-terminated */
    size_t name_bytes;
    uint64_t cell_at;
    uint32_t number; /* of the bl__table_life() call */
    uint32_t life;
    uint32_t slot;
    struct bl__life l;
};

/* What departs when, sorted by step, then slot. */
struct departure {
    uint32_t step, slot, row;
};

struct bl__table {
    struct bl_trace t;
    struct bl__spool names, rows, cells[BL__COLUMNS];
    bool has[BL__COLUMNS];
    uint32_t row_count;
    uint64_t cell_count; /* of finished lives */

    /* made by bl__table_finish() */
    struct bl__spool out_names;
    struct bl_trace_vm *vm;      /* [row_count], in order of arrival */
    struct departure *departure; /* [departure_count] */
    uint32_t *departed;          /* slots of the same */
    uint32_t departure_count;
    uint32_t *window[BL__COLUMNS]; /* [WINDOW_STEPS][vms_alive_max] */
    uint32_t *active;              /* rows alive in the window */

    /* where reading is */
    uint32_t active_count, row_next; /* window: rows below are taken in */
    uint32_t arrival_next, departure_next;
};

static struct row *rows_of(struct bl__table *t)
{
    return (struct row *)(void *)t->rows.base;
}

static const uint32_t *cells_of(const struct bl__table *t, int column)
{
    return (const uint32_t *)(const void *)t->cells[column].base;
}

/* ---- filling ---------------------------------------------------------- */

bl_err bl__table_create(const struct bl__table_opts *opts,
                        struct bl__table **out, struct bl_diag *diag)
{
    struct bl__table *t = bl__alloc(1, sizeof(*t));

    if (t == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    t->has[BL__CPU] = opts->has_cpu;
    t->has[BL__MEM] = opts->has_mem;
    t->t.info.has_cpu = opts->has_cpu;
    t->t.info.has_mem = opts->has_mem;
    t->t.info.has_size = opts->has_size;
    bl__spool_init(&t->names, opts->tmp_dir);
    bl__spool_init(&t->rows, opts->tmp_dir);
    bl__spool_init(&t->out_names, opts->tmp_dir);
    for (int c = 0; c < BL__COLUMNS; c++)
        bl__spool_init(&t->cells[c], opts->tmp_dir);
    *out = t;
    return BL_ERR_OK;
}

void bl__table_close(struct bl__table *t)
{
    if (t == NULL)
        return;
    bl__spool_free(&t->names);
    bl__spool_free(&t->rows);
    bl__spool_free(&t->out_names);
    for (int c = 0; c < BL__COLUMNS; c++) {
        bl__spool_free(&t->cells[c]);
        free(t->window[c]);
    }
    free(t->vm);
    free(t->departure);
    free(t->departed);
    free(t->active);
    free(t);
}

bl_err bl__table_cells(struct bl__table *t, uint32_t count,
                       uint32_t *cell[BL__COLUMNS], struct bl_diag *diag)
{
    for (int c = 0; c < BL__COLUMNS; c++) {
        void *p = NULL;

        if (t->has[c])
            BL_TRY(bl__spool_take(&t->cells[c], count * sizeof(uint32_t), &p,
                                  diag));
        cell[c] = p;
    }
    return BL_ERR_OK;
}

void bl__table_shrink(struct bl__table *t, uint32_t count)
{
    for (int c = 0; c < BL__COLUMNS; c++)
        if (t->has[c])
            t->cells[c].used_bytes -= count * sizeof(uint32_t);
}

uint32_t *bl__table_last(struct bl__table *t, int column, uint32_t count)
{
    struct bl__spool *s = &t->cells[column];

    BL_ASSERT(count <= s->used_bytes / sizeof(uint32_t));
    return (uint32_t *)(void *)(s->base + s->used_bytes) - count;
}

bl_err bl__table_life(struct bl__table *t, struct bl__text name, uint32_t life,
                      const struct bl__life *l, struct bl_diag *diag)
{
    const size_t name_at = t->names.used_bytes;
    void *p;

    BL_ASSERT(l->step_count > 0);
    for (int c = 0; c < BL__COLUMNS; c++)
        BL_ASSERT(!t->has[c] || t->cells[c].used_bytes / sizeof(uint32_t) ==
                                    t->cell_count + l->step_count);
    if (t->row_count == BL_TRACE_VMS_MAX)
        return bl_diag_set(diag, BL_ERR_FULL, NULL, 0, "more than %u VMs",
                           BL_TRACE_VMS_MAX);
    BL_TRY(bl__spool_take(&t->names, name.size_bytes, &p, diag));
    memcpy(p, name.p, name.size_bytes);
    BL_TRY(bl__spool_take(&t->rows, sizeof(struct row), &p, diag));
    *(struct row *)p = (struct row){
        .name_at = name_at,
        .name_bytes = name.size_bytes,
        .cell_at = t->cell_count,
        .number = t->row_count,
        .life = life,
        .l = *l,
    };
    t->row_count++;
    t->cell_count += l->step_count;
    return BL_ERR_OK;
}

/* ---- order, names, slots ---------------------------------------------- */

static int compare_arrivals(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->l.arrive != y->l.arrive)
        return x->l.arrive < y->l.arrive ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static int compare_names(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const size_t n =
        x->name_bytes < y->name_bytes ? x->name_bytes : y->name_bytes;
    const int order = memcmp(x->name, y->name, n);

    if (order != 0)
        return order;
    return (x->name_bytes > y->name_bytes) - (x->name_bytes < y->name_bytes);
}

static int compare_departures(const void *a, const void *b)
{
    const struct departure *x = a, *y = b;

    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Sources are mostly sorted already; qsort() would not notice. */
static void sort_rows(struct bl__table *t,
                      int (*compare)(const void *, const void *))
{
    struct row *r = rows_of(t);

    for (uint32_t i = 1; i < t->row_count; i++) {
        if (compare(&r[i - 1], &r[i]) > 0) {
            qsort(r, t->row_count, sizeof(r[0]), compare);
            return;
        }
    }
}

static bl_err order_rows(struct bl__table *t, const struct bl__table_end *end,
                         struct bl_diag *diag)
{
    struct row *r = rows_of(t);

    for (uint32_t i = 0; i < t->row_count; i++) {
        r[i].name = (const char *)t->names.base + r[i].name_at;
        r[i].l.arrive -= end->step_first;
    }
    if (!end->sort_by_name) {
        sort_rows(t, compare_arrivals);
        return BL_ERR_OK;
    }
    sort_rows(t, compare_names);
    for (uint32_t i = 1; i < t->row_count; i++)
        if (compare_names(&r[i - 1], &r[i]) == 0)
            return bl_diag_set(diag, BL_ERR_PARSE, end->path, 0,
                               "two VMs are called '%.*s', expected each name "
                               "once",
                               (int)r[i].name_bytes, r[i].name);
    return BL_ERR_OK;
}

/* The public names, and the public description of each arrival. */
static bl_err make_vms(struct bl__table *t, struct bl_diag *diag)
{
    const struct row *r = rows_of(t);
    const char *name;
    void *p;

    t->vm = bl__alloc(t->row_count, sizeof(t->vm[0]));
    if (t->vm == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, NULL, 0, "out of memory");
    for (uint32_t i = 0; i < t->row_count; i++) {
        char text[BL_NAME_BYTES];
        size_t size;

        bl__name_make(text, (struct bl__text){ r[i].name, r[i].name_bytes },
                      r[i].life);
        size = strlen(text) + 1;
        BL_TRY(bl__spool_take(&t->out_names, size, &p, diag));
        memcpy(p, text, size);
    }
    name = (const char *)t->out_names.base;
    for (uint32_t i = 0; i < t->row_count; i++) {
        t->vm[i] = (struct bl_trace_vm){
            .name = name,
            .vcpu_count = r[i].l.vcpu_count,
            .vcpu_khz = r[i].l.vcpu_khz,
            .mem_bytes = r[i].l.mem_bytes,
        };
        name += strlen(name) + 1;
    }
    return BL_ERR_OK;
}

/* Walks through time, giving out slots: departures before arrivals. */
static bl_err give_slots(struct bl__table *t, struct bl__slots *slots)
{
    struct row *r = rows_of(t);
    uint32_t gone = 0;

    for (uint32_t i = 0; i < t->row_count; i++) {
        while (gone < t->departure_count &&
               t->departure[gone].step <= r[i].l.arrive) {
            struct departure *d = &t->departure[gone++];

            d->slot = r[d->row].slot;
            bl__slots_give(slots, d->slot);
        }
        BL_TRY(bl__slots_take(slots, &r[i].slot));
        t->vm[i].slot = r[i].slot;
        if (slots->end > t->t.info.vms_alive_max)
            t->t.info.vms_alive_max = slots->end;
    }
    for (; gone < t->departure_count; gone++)
        t->departure[gone].slot = r[t->departure[gone].row].slot;
    return BL_ERR_OK;
}

static bl_err make_departures(struct bl__table *t)
{
    const struct row *r = rows_of(t);
    const uint32_t step_count = t->t.info.step_count;
    struct bl__slots slots = { .word = NULL };
    uint32_t n = 0;
    bl_err e;

    t->departure = bl__alloc(t->row_count, sizeof(t->departure[0]));
    t->departed = bl__alloc(t->row_count, sizeof(t->departed[0]));
    if (t->departure == NULL || t->departed == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = 0; i < t->row_count; i++) {
        const uint32_t until = r[i].l.arrive + r[i].l.step_count;

        BL_ASSERT(until <= step_count);
        if (until < step_count) /* the slot, not known yet, is 0: stable */
            t->departure[n++] = (struct departure){ .step = until, .row = i };
    }
    t->departure_count = n;
    qsort(t->departure, n, sizeof(t->departure[0]), compare_departures);
    e = give_slots(t, &slots);
    bl__slots_free(&slots);
    qsort(t->departure, n, sizeof(t->departure[0]), compare_departures);
    for (uint32_t i = 0; i < n; i++)
        t->departed[i] = t->departure[i].slot;
    return e;
}

/* ---- reading back ----------------------------------------------------- */

static bl_err table_rewind(struct bl_trace *base, struct bl_diag *diag)
{
    struct bl__table *t = (struct bl__table *)base;

    (void)diag;
    t->active_count = 0;
    t->row_next = 0;
    t->arrival_next = 0;
    t->departure_next = 0;
    return BL_ERR_OK;
}

/* Copies the part of @r that lies in steps [first, first + WINDOW_STEPS). */
static void turn(struct bl__table *t, const struct row *r, uint32_t first)
{
    const uint32_t stride = t->t.info.vms_alive_max;
    const uint32_t until = r->l.arrive + r->l.step_count;
    const uint32_t lo = r->l.arrive > first ? r->l.arrive : first;
    const uint32_t hi =
        until < first + WINDOW_STEPS ? until : first + WINDOW_STEPS;

    for (int c = 0; c < BL__COLUMNS; c++) {
        if (!t->has[c])
            continue;

        const uint32_t *cell = cells_of(t, c) + r->cell_at + (lo - r->l.arrive);
        uint32_t *to = t->window[c] + (size_t)(lo - first) * stride + r->slot;

        for (uint32_t s = lo; s < hi; s++, to += stride)
            *to = *cell++;
    }
}

static void fill_window(struct bl__table *t, uint32_t first)
{
    const struct row *r = rows_of(t);
    const size_t cells = (size_t)WINDOW_STEPS * t->t.info.vms_alive_max;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < t->active_count; i++) {
        const struct bl__life *l = &r[t->active[i]].l;

        if (l->arrive + l->step_count > first)
            t->active[kept++] = t->active[i];
    }
    t->active_count = kept;
    while (t->row_next < t->row_count &&
           r[t->row_next].l.arrive < first + WINDOW_STEPS)
        t->active[t->active_count++] = t->row_next++;
    for (int c = 0; c < BL__COLUMNS; c++)
        if (t->has[c])
            memset(t->window[c], 0, cells * sizeof(t->window[c][0]));
    for (uint32_t i = 0; i < t->active_count; i++)
        turn(t, &r[t->active[i]], first);
}

static bl_err table_next(struct bl_trace *base, struct bl_trace_step *out,
                         struct bl_diag *diag)
{
    struct bl__table *t = (struct bl__table *)base;
    const struct row *r = rows_of(t);
    const uint32_t step = base->step_next;
    const uint32_t in_window = step % WINDOW_STEPS;

    (void)diag;
    if (in_window == 0)
        fill_window(t, step);
    out->departed = t->departed + t->departure_next;
    while (t->departure_next < t->departure_count &&
           t->departure[t->departure_next].step == step) {
        t->departure_next++;
        out->departed_count++;
    }
    out->arrived = t->vm + t->arrival_next;
    while (t->arrival_next < t->row_count &&
           r[t->arrival_next].l.arrive == step) {
        t->arrival_next++;
        out->arrived_count++;
    }

    const size_t at = (size_t)in_window * base->info.vms_alive_max;

    if (t->has[BL__CPU])
        out->cpu_ppm = t->window[BL__CPU] + at;
    if (t->has[BL__MEM])
        out->mem_ppm = t->window[BL__MEM] + at;
    return BL_ERR_OK;
}

static void table_close(struct bl_trace *base)
{
    bl__table_close((struct bl__table *)base);
}

static const struct bl_trace_ops table_ops = {
    .next = table_next,
    .rewind = table_rewind,
    .close = table_close,
};

static bl_err make_window(struct bl__table *t)
{
    const size_t stride = t->t.info.vms_alive_max;

    for (int c = 0; c < BL__COLUMNS; c++) {
        if (!t->has[c])
            continue;
        t->window[c] = bl__alloc(WINDOW_STEPS * stride, sizeof(uint32_t));
        if (t->window[c] == NULL)
            return BL_ERR_NOMEM;
    }
    t->active = bl__alloc(t->row_count, sizeof(t->active[0]));
    return t->active != NULL ? BL_ERR_OK : BL_ERR_NOMEM;
}

static bl_err hash_content(struct bl__table *t, struct bl_diag *diag)
{
    struct bl__content c;
    bl_err e = BL_ERR_OK;

    bl__content_init(&c);
    for (uint32_t s = 0; s < t->t.info.step_count && e == BL_ERR_OK; s++) {
        struct bl_trace_step step = { .index = s };

        t->t.step_next = s;
        e = table_next(&t->t, &step, diag);
        if (e == BL_ERR_OK)
            e = bl__content_step(&c, &step);
    }
    t->t.step_next = 0;
    BL_ASSERT(e != BL_ERR_OK || c.vms_alive_max == t->t.info.vms_alive_max);
    t->t.info.content_hash = bl__content_value(&c, &t->t.info);
    bl__content_free(&c);
    return e;
}

static bl_err make_source(struct bl__table *t, struct bl_diag *diag)
{
    BL_TRY(make_vms(t, diag));
    BL_TRY(make_departures(t));
    BL_TRY(make_window(t));
    BL_TRY(hash_content(t, diag));
    return table_rewind(&t->t, diag);
}

bl_err bl__table_finish(struct bl__table *t, const struct bl__table_end *end,
                        struct bl_trace **out, struct bl_diag *diag)
{
    struct bl_trace_info *info = &t->t.info;
    bl_err e;

    if (t->row_count == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, end->path, 0,
                           "holds no VM, expected at least one");
    t->t.ops = &table_ops;
    bl__trace_name(info->name, end->path);
    snprintf(info->format, sizeof(info->format), "%s", end->format);
    memcpy(info->origin, info->format, sizeof(info->origin));
    info->step_count = end->step_count;
    info->step_ns = end->step_ns;
    info->vm_count_total = t->row_count;
    info->repairs = end->repairs;
    BL_TRY(order_rows(t, end, diag));
    diag->text[0] = '\0';
    e = make_source(t, diag);
    if (e == BL_ERR_NOMEM && diag->text[0] == '\0')
        return bl_diag_set(diag, e, end->path, 0, "out of memory: %u VMs",
                           t->row_count);
    if (e == BL_ERR_OK)
        *out = &t->t;
    return e;
}
