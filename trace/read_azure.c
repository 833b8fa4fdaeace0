/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure V1 as arrivals and departures: a folder with
 *
 *     *.dev.txt           "<t_s> tok,tok,..." for each 300 s; a token is a
 *                         flavour letter, or | at the end of a tenant's batch
 *     *.dev.c<t_s>.txt    at the same place U<bin> (lived and ended) or C<bin>
 *                         (alive at the right edge, t_s)
 *     flav_map.txt        "vcpu,GB letter"
 *     *.interval_map.txt  "<duration s> <bin>", durations in rising order
 *
 * Source     Cortez et al., "Resource Central", SOSP 2017 (AzurePublicDataset
 *            V1); Bergsma, Zeyl, Senderovich, Beck, "Generating complex,
 *            realistic cloud workloads using recurrent neural networks", SOSP
 *            2021, whose files these are.
 * VMs        batch<n>-<i>, in the order of the file; GB are GiB; the speed of
 *            a vCPU is not known (0). No CPU column: VMs are fully used.
 * Drawn      the duration of an ended VM, uniformly from its bin with the
 *            caller's seed, among those that end by the right edge; one stream
 *            of random numbers for each VM. It lives duration / 300 s steps,
 *            at least one. A censored VM lives until the end of the trace.
 */
#include "trace/trace_priv.h"

#include "base/prng.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_S = 300,
    LETTERS = 256,
    BINS_MAX = 1024,
    DURATION_S_MAX = 100 * 365 * 86400u / 2, /* 50 years */
    DURATIONS_MAX = 1 << 20,
    MEM_DIGITS = 6, /* of a GiB */
};
#define T_S_MAX UINT64_C(100000000000)

struct flavour {
    bool known;
    uint32_t vcpu_count;
    uint64_t mem_bytes;
};

/* Durations [first, first + count) are those of a bin. */
struct bin {
    uint32_t first, count;
};

struct departing {
    uint32_t slot;
    uint32_t next; /* index + 1 into departing[], 0: end of the list */
};

struct reader {
    struct bl__input *flavours_in, *durations_in, *dev, *end; /* the files */
    struct bl__convert convert;
    struct bl_trace_info info;
    uint64_t seed;
    struct flavour flavour[LETTERS];
    struct bin bin[BINS_MAX];
    uint32_t *duration_steps; /* [duration_count], rising */
    uint32_t duration_count, duration_steps_max;
    uint64_t edge_s;

    struct bl__slots slots;
    uint32_t *leaving; /* [ring]: who departs in that step: list head */
    uint32_t ring;
    struct departing *departing; /* [slots]: one node for each slot */
    uint32_t slot_capacity;

    uint64_t t_s;
    uint32_t step;
    uint64_t vm_count, batch, in_batch;
    uint32_t *departed;
    struct bl_trace_vm *arrived;
    char (*names)[BL_NAME_BYTES];
    uint32_t arrived_count, arrived_capacity, departed_capacity;
};

static bl_err refuse(const struct bl__input *in, const char *what,
                     struct bl__text text, const char *expected,
                     struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(in),
                       bl__input_line_number(in), "%s'%s', expected %s", what,
                       bl__quote(&(struct bl__quote){ "" }, text), expected);
}

static bl_err no_memory(const struct bl__input *in, struct bl_diag *diag)
{
    return bl_diag_set(diag, BL_ERR_NOMEM, bl__input_label(in), 0,
                       "out of memory");
}

/* ---- which file is which ---------------------------------------------- */

static bool ends_with(const char *name, const char *ending)
{
    const size_t n = strlen(name), k = strlen(ending);

    return n >= k && strcmp(name + n - k, ending) == 0;
}

/* ANYTHING.dev.c<t_s>.txt: the right edge. */
static bool edge_of(const char *name, uint64_t *t_s)
{
    const char *at = strstr(name, ".dev.c");
    struct bl__text rest;

    if (at == NULL || !ends_with(name, ".txt"))
        return false;
    rest = (struct bl__text){ at + 6, strlen(at + 6) - 4 };
    return bl__parse_u64(rest, T_S_MAX, t_s);
}

static const char *find_file(const struct bl__input *in, const char *ending)
{
    for (uint32_t i = 0; i < bl__input_file_count(in); i++)
        if (ends_with(bl__input_file(in, i), ending))
            return bl__input_file(in, i);
    return NULL;
}

static const char *find_edge(const struct bl__input *in, uint64_t *t_s)
{
    for (uint32_t i = 0; i < bl__input_file_count(in); i++)
        if (edge_of(bl__input_file(in, i), t_s))
            return bl__input_file(in, i);
    return NULL;
}

static bool azure_detect(const struct bl__input *in, struct bl__text head)
{
    (void)head;
    return bl__input_kind(in) == BL__INPUT_FOLDER &&
           find_file(in, ".dev.txt") != NULL &&
           find_file(in, "flav_map.txt") != NULL;
}

static bl_err open_file(const struct bl__input *folder, const char *name,
                        const char *what, struct bl__input **out,
                        struct bl_diag *diag)
{
    if (name == NULL)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(folder), 0,
                           "has no file %s, expected the four files of an "
                           "Azure V1 trace",
                           what);
    return bl__input_open_in(folder, name, out, diag);
}

/* ---- flavours and bins ------------------------------------------------ */

static bl_err read_flavours(struct reader *r, struct bl_diag *diag)
{
    struct bl__text line;
    bl_err e;

    while ((e = bl__input_line(r->flavours_in, &line, diag)) == BL_ERR_OK) {
        struct bl__text rest = line;
        const struct bl__text vcpus = bl__cut(&rest, ',');
        const struct bl__text gib = bl__cut(&rest, ' ');
        uint64_t n, micro_gib;

        if (!bl__parse_u64(vcpus, BL_HOST_CORES_MAX, &n) || n == 0 ||
            !bl__parse_fixed(gib, MEM_DIGITS, &micro_gib) ||
            micro_gib / 1000000 > BL_MEM_BYTES_MAX >> 30 ||
            rest.size_bytes != 1 || rest.p[0] == '|' || rest.p[0] == ',')
            return refuse(r->flavours_in, "", line,
                          "vCPUs, GB and a letter such as 2,3.5 g", diag);

        struct flavour *f = &r->flavour[(unsigned char)rest.p[0]];

        if (f->known)
            return refuse(r->flavours_in, "second flavour ", rest,
                          "each letter once", diag);
        f->known = true;
        f->vcpu_count = (uint32_t)n;
        /* 2^30 / 10^6 exactly: MEM_BYTES_MAX * 2^24 would not fit */
        f->mem_bytes = micro_gib / 15625 * (UINT64_C(1) << 24) +
                       micro_gib % 15625 * (UINT64_C(1) << 24) / 15625;
        if (f->mem_bytes > BL_MEM_BYTES_MAX)
            f->mem_bytes = BL_MEM_BYTES_MAX;
    }
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

static bl_err add_duration(struct reader *r, uint64_t duration_s, uint64_t bin,
                           struct bl__text line, struct bl_diag *diag)
{
    const uint32_t n = r->duration_count;
    struct bin *b = &r->bin[bin];
    uint32_t steps = (uint32_t)(duration_s / STEP_S);

    if (steps == 0)
        steps = 1; /* it was there, if briefly */
    if ((n & (n - 1)) == 0) {
        const size_t capacity = n > 0 ? 2 * (size_t)n : 1;
        uint32_t *p = bl__grow(r->duration_steps, capacity * sizeof(p[0]));

        if (p == NULL)
            return no_memory(r->durations_in, diag);
        r->duration_steps = p;
    }
    if (n == DURATIONS_MAX || (n > 0 && steps < r->duration_steps[n - 1]) ||
        (b->count > 0 && b->first + b->count != n))
        return refuse(r->durations_in, "", line,
                      "durations in rising order, those of a bin together",
                      diag);
    if (b->count == 0)
        b->first = n;
    b->count++;
    r->duration_steps[n] = steps;
    r->duration_steps_max = steps;
    r->duration_count++;
    return BL_ERR_OK;
}

static bl_err read_durations(struct reader *r, struct bl_diag *diag)
{
    struct bl__text line;
    bl_err e;

    while ((e = bl__input_line(r->durations_in, &line, diag)) == BL_ERR_OK) {
        struct bl__text rest = line;
        const struct bl__text duration = bl__cut(&rest, ' ');
        uint64_t duration_s, bin;

        if (!bl__parse_u64(duration, DURATION_S_MAX, &duration_s) ||
            !bl__parse_u64(rest, BINS_MAX - 1, &bin))
            return refuse(r->durations_in, "", line,
                          "a duration in seconds and a bin below 1024", diag);
        BL_TRY(add_duration(r, duration_s, bin, line, diag));
    }
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

/* Steps that an ended VM lives: from its bin, but not beyond the edge. */
static uint32_t draw_steps(const struct reader *r, const struct bin *b)
{
    const uint32_t *d = r->duration_steps + b->first;
    const uint64_t left = (r->edge_s - r->t_s) / STEP_S;
    struct bl_prng prng = bl_prng_stream(r->seed, r->vm_count);
    uint32_t fit = b->count;

    while (fit > 1 && d[fit - 1] > left)
        fit--;
    return d[bl_prng_below(&prng, fit)];
}

/* ---- arrivals and departures ------------------------------------------ */

static bl_err reserve_slot(struct reader *r, uint32_t slot,
                           struct bl_diag *diag)
{
    uint32_t capacity = r->slot_capacity > 0 ? r->slot_capacity : 1024;
    struct departing *p;

    if (slot < r->slot_capacity)
        return BL_ERR_OK;
    while (capacity <= slot)
        capacity *= 2;
    p = bl__grow(r->departing, capacity * sizeof(p[0]));
    if (p == NULL)
        return no_memory(r->dev, diag);
    r->departing = p;
    r->slot_capacity = capacity;
    return BL_ERR_OK;
}

static bl_err reserve_arrivals(struct reader *r, size_t count,
                               struct bl_diag *diag)
{
    struct bl_trace_vm *vm;
    char(*names)[BL_NAME_BYTES];

    if (count <= r->arrived_capacity)
        return BL_ERR_OK;
    vm = bl__grow(r->arrived, count * sizeof(vm[0]));
    if (vm != NULL)
        r->arrived = vm;
    names = bl__grow(r->names, count * sizeof(names[0]));
    if (names != NULL)
        r->names = names;
    if (vm == NULL || names == NULL)
        return no_memory(r->dev, diag);
    r->arrived_capacity = (uint32_t)count;
    return BL_ERR_OK;
}

static void leave_at(struct reader *r, uint32_t slot, uint32_t steps)
{
    uint32_t *head = &r->leaving[(r->step + steps) % r->ring];

    r->departing[slot] = (struct departing){ slot, *head };
    *head = slot + 1;
}

/* One VM: @token of the first file, @fate of the second. */
static bl_err arrive(struct reader *r, struct bl__text token,
                     struct bl__text fate, struct bl_diag *diag)
{
    const struct flavour *f = &r->flavour[(unsigned char)token.p[0]];
    const struct bl__text number = { fate.p + 1, fate.size_bytes - 1 };
    const uint32_t n = r->arrived_count;
    struct bl_trace_vm *vm = &r->arrived[n];
    uint64_t bin;
    bl_err e;

    if (token.size_bytes != 1 || !f->known)
        return refuse(r->dev, "flavour ", token, "a letter of flav_map.txt",
                      diag);
    if ((fate.p[0] != 'U' && fate.p[0] != 'C') ||
        !bl__parse_u64(number, BINS_MAX - 1, &bin) || r->bin[bin].count == 0)
        return refuse(r->end, "", fate, "U or C and a bin of the interval map",
                      diag);
    snprintf(r->names[n], sizeof(r->names[n]), "batch%llu-%llu",
             (unsigned long long)r->batch, (unsigned long long)r->in_batch);
    *vm = (struct bl_trace_vm){ .name = r->names[n],
                                .vcpu_count = f->vcpu_count,
                                .mem_bytes = f->mem_bytes };
    e = bl__slots_take(&r->slots, &vm->slot);
    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, bl__input_label(r->dev),
                           bl__input_line_number(r->dev),
                           "%s: too many VMs at once", bl_err_text(e));
    BL_TRY(reserve_slot(r, vm->slot, diag));
    if (fate.p[0] == 'U')
        leave_at(r, vm->slot, draw_steps(r, &r->bin[bin]));
    r->arrived_count++;
    r->in_batch++;
    r->vm_count++;
    return BL_ERR_OK;
}

static bl_err read_tokens(struct reader *r, struct bl__text dev,
                          struct bl__text end, struct bl_diag *diag)
{
    r->arrived_count = 0;
    BL_TRY(reserve_arrivals(r, dev.size_bytes / 2 + 1, diag));
    while (dev.size_bytes > 0 && end.size_bytes > 0) {
        const struct bl__text token = bl__cut(&dev, ',');
        const struct bl__text fate = bl__cut(&end, ',');
        const bool batch_ends = token.size_bytes == 1 && token.p[0] == '|';

        if (token.size_bytes == 0)
            return refuse(r->dev, "", token, "a flavour letter or |", diag);
        if (fate.size_bytes == 0 ||
            batch_ends != (fate.size_bytes == 1 && fate.p[0] == '|'))
            return refuse(r->end, "", fate,
                          "a fate for each VM and | at the same places", diag);
        if (!batch_ends) {
            BL_TRY(arrive(r, token, fate, diag));
        } else {
            r->batch++;
            r->in_batch = 0;
        }
    }
    if (dev.size_bytes > 0 || end.size_bytes > 0)
        return refuse(r->end, "", end, "as many tokens as in the other file",
                      diag);
    return BL_ERR_OK;
}

static int compare_slots(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bl_err depart(struct reader *r, uint32_t *count, struct bl_diag *diag)
{
    uint32_t *head = &r->leaving[r->step % r->ring];
    uint32_t n = 0;

    for (uint32_t i = *head; i != 0; i = r->departing[i - 1].next)
        n++;
    if (n > r->departed_capacity) {
        uint32_t *p = bl__grow(r->departed, n * sizeof(p[0]));

        if (p == NULL)
            return no_memory(r->dev, diag);
        r->departed = p;
        r->departed_capacity = n;
    }
    n = 0;
    for (uint32_t i = *head; i != 0; i = r->departing[i - 1].next)
        r->departed[n++] = i - 1;
    *head = 0;
    if (n > 0)
        qsort(r->departed, n, sizeof(r->departed[0]), compare_slots);
    for (uint32_t i = 0; i < n; i++)
        bl__slots_give(&r->slots, r->departed[i]);
    *count = n;
    return BL_ERR_OK;
}

/* Lines "<t_s> tokens" of the two files; their times must be the next step. */
static bl_err check_time(struct reader *r, struct bl__text *dev,
                         struct bl__text *end, struct bl_diag *diag)
{
    const struct bl__text t = bl__cut(dev, ' ');
    const struct bl__text t_end = bl__cut(end, ' ');
    uint64_t t_s, t_end_s;

    if (!bl__parse_u64(t, T_S_MAX, &t_s) ||
        (r->step > 0 && t_s != r->t_s + STEP_S))
        return refuse(r->dev, "time ", t,
                      "seconds, 300 more than in the line before", diag);
    if (!bl__parse_u64(t_end, T_S_MAX, &t_end_s) || t_end_s != t_s)
        return refuse(r->end, "time ", t_end, "the same time as in *.dev.txt",
                      diag);
    if (t_s >= r->edge_s)
        return refuse(r->dev, "time ", t,
                      "a time before the one in the name of *.dev.c*.txt",
                      diag);
    r->t_s = t_s;
    return BL_ERR_OK;
}

static bl_err read_step(struct reader *r, struct bl__text dev,
                        struct bl__text end, struct bl_diag *diag)
{
    struct bl_trace_step step = { .index = r->step };

    BL_TRY(check_time(r, &dev, &end, diag));
    BL_TRY(depart(r, &step.departed_count, diag));
    BL_TRY(read_tokens(r, dev, end, diag));
    step.departed = r->departed;
    step.arrived = r->arrived;
    step.arrived_count = r->arrived_count;
    BL_TRY(bl__writer_step(r->convert.w, &step, diag));
    r->step++;
    return BL_ERR_OK;
}

/* ---- the whole folder ------------------------------------------------- */

static bl_err read_events(struct reader *r, struct bl_diag *diag)
{
    struct bl__text dev, end;
    bl_err e;

    r->ring = r->duration_steps_max + 1;
    r->leaving = bl__alloc(r->ring, sizeof(r->leaving[0]));
    if (r->leaving == NULL)
        return no_memory(r->dev, diag);
    while ((e = bl__input_line(r->dev, &dev, diag)) == BL_ERR_OK) {
        e = bl__input_line(r->end, &end, diag);
        if (e == BL_ERR_END)
            return refuse(r->end, "end after ", (struct bl__text){ "", 0 },
                          "as many lines as *.dev.txt has", diag);
        if (e != BL_ERR_OK)
            return e;
        BL_TRY(read_step(r, dev, end, diag));
    }
    if (e != BL_ERR_END)
        return e;
    e = bl__input_line(r->end, &end, diag);
    if (e == BL_ERR_OK)
        return refuse(r->end, "line ", end, "as many as *.dev.txt has", diag);
    if (e == BL_ERR_END && r->vm_count == 0)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(r->dev), 0,
                           "holds no VM, expected at least one");
    return e == BL_ERR_END ? BL_ERR_OK : e;
}

static bl_err open_files(struct reader *r, const struct bl__input *in,
                         struct bl_diag *diag)
{
    BL_TRY(open_file(in, find_file(in, "flav_map.txt"), "flav_map.txt",
                     &r->flavours_in, diag));
    BL_TRY(open_file(in, find_file(in, ".interval_map.txt"),
                     "*.interval_map.txt", &r->durations_in, diag));
    BL_TRY(
        open_file(in, find_file(in, ".dev.txt"), "*.dev.txt", &r->dev, diag));
    return open_file(in, find_edge(in, &r->edge_s), "*.dev.c<seconds>.txt",
                     &r->end, diag);
}

static bl_err read_all(struct reader *r, const struct bl__input *in,
                       const struct bl_trace_opts *opts, struct bl_diag *diag)
{
    BL_TRY(open_files(r, in, diag));
    BL_TRY(read_flavours(r, diag));
    BL_TRY(read_durations(r, diag));
    r->info.has_size = true;
    r->info.step_ns = STEP_S * INT64_C(1000000000);
    snprintf(r->info.origin, sizeof(r->info.origin), "%s",
             bl__format_azure.name);
    BL_TRY(bl__convert_begin(&r->convert, bl__input_path(in), opts, &r->info,
                             diag));
    return read_events(r, diag);
}

static bl_err azure_read(struct bl__input *in, const struct bl_trace_opts *opts,
                         struct bl_trace **out, struct bl_diag *diag)
{
    const struct bl_trace_repairs none = { .off_count = 0 };
    struct reader *r;
    bl_err e;

    if (bl__input_kind(in) != BL__INPUT_FOLDER)
        return bl_diag_set(diag, BL_ERR_PARSE, bl__input_path(in), 0,
                           "is not a folder, expected one with the files of "
                           "an Azure V1 trace");
    r = bl__alloc(1, sizeof(*r));
    if (r == NULL)
        return no_memory(in, diag);
    r->seed = opts->seed;
    r->convert.fd = -1;
    e = read_all(r, in, opts, diag);
    e = bl__convert_end(&r->convert, e, &none, opts, out, diag);
    bl__input_close(r->flavours_in);
    bl__input_close(r->durations_in);
    bl__input_close(r->dev);
    bl__input_close(r->end);
    bl__slots_free(&r->slots);
    free(r->duration_steps);
    free(r->leaving);
    free(r->departing);
    free(r->departed);
    free(r->arrived);
    free(r->names);
    free(r);
    return e;
}

const struct bl__format bl__format_azure = {
    .name = "azure",
    .text = "folder: arrivals, sizes and lifetimes of Azure V1",
    .detect = azure_detect,
    .read = azure_read,
};
