/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace/trace_priv.h - what the files of trace/ share; nobody else includes it.
 *
 * A source of steps (columnar file, table in memory, generator) is a struct
 * whose first member is a struct bl_trace, with a const table of functions:
 *
 *     open --> (next* rewind)* --> close
 *
 * trace.c checks the order of calls once, in bl_trace_next(), for all of them.
 */
#ifndef BL_TRACE_TRACE_PRIV_H
#define BL_TRACE_TRACE_PRIV_H

#include "base/hash.h"
#include "trace/trace.h"

#include <stddef.h>

/* ---- a source of steps ------------------------------------------------ */

/* All mandatory. */
struct bl_trace_ops {
    /* Fills *out, whose arrays stay valid until the next call. Called at most
     * info.step_count times between rewinds; END is trace.c's business. */
    bl_err (*next)(struct bl_trace *t, struct bl_trace_step *out,
                   struct bl_diag *diag);
    bl_err (*rewind)(struct bl_trace *t, struct bl_diag *diag);
    /* Frees everything, @t included. */
    void (*close)(struct bl_trace *t);
};

struct bl_trace {
    const struct bl_trace_ops *ops;
    struct bl_trace_info info;
    uint32_t step_next; /* kept by trace.c, as is the next: a source leaves */
    bl_err failed;      /* both 0 */
};

/* bl_trace_open_generated() is this (generate.c). It checks @spec. */
bl_err bl__trace_generate_open(const struct bl_trace_spec *spec,
                               uint32_t thread_count, struct bl_trace **out,
                               struct bl_diag *diag);

/* ---- memory (spool.c) ------------------------------------------------- */

/* Test hook: allocations of this module still allowed; -1: no limit. */
extern long bl__trace_fail_after;

void *bl__alloc(size_t count, size_t elem_bytes); /* zeroed; NULL: no memory */
void *bl__grow(void *p, size_t size_bytes);       /* realloc */

/* A growing array of bytes that moves from memory to an unlinked file in
 * @tmp_dir when it becomes large, so that the kernel can reclaim its pages. */
struct bl__spool {
    unsigned char *base; /* moves when it grows: keep offsets, not pointers */
    size_t used_bytes, size_bytes;
    bool in_file;
    int fd;
    const char *tmp_dir;
};

void bl__spool_init(struct bl__spool *s, const char *tmp_dir);
void bl__spool_free(struct bl__spool *s);

/* Room for @size_bytes at the end; uninitialised. */
BL_NODISCARD bl_err bl__spool_take(struct bl__spool *s, size_t size_bytes,
                                   void **out, struct bl_diag *diag);

/* An unlinked file in @tmp_dir (NULL: /var/tmp, else /tmp). */
BL_NODISCARD bl_err bl__tmp_file(const char *tmp_dir, int *fd,
                                 struct bl_diag *diag);

/* ---- slots (slots.c) -------------------------------------------------- */

/* Which slots are taken; an arrival takes the lowest free one. */
struct bl__slots {
    uint64_t *word;
    uint32_t word_count;
    uint32_t low; /* no free slot in the words below this one */
    uint32_t end; /* highest taken slot + 1 */
};

void bl__slots_free(struct bl__slots *s);
void bl__slots_clear(struct bl__slots *s); /* all free; keeps the memory */
/* From here on the first @slot_count slots need no more memory. */
BL_NODISCARD bl_err bl__slots_reserve(struct bl__slots *s, uint32_t slot_count);
BL_NODISCARD bl_err bl__slots_take(struct bl__slots *s, uint32_t *slot);
void bl__slots_give(struct bl__slots *s, uint32_t slot); /* must be taken */
bool bl__slots_taken(const struct bl__slots *s, uint32_t slot);

/* ---- content hash (content.c) ----------------------------------------- */

struct bl__content {
    struct bl_hash hash;
    struct bl__slots slots;
    uint32_t step_count, vms_alive_max;
    uint64_t vm_count_total;
};

void bl__content_init(struct bl__content *c);
void bl__content_free(struct bl__content *c);

/* Feeds one step, follows its departures and arrivals, sees to it that slots
 * are what the contract says (BL_ASSERT: sources check their input first). */
BL_NODISCARD bl_err bl__content_step(struct bl__content *c,
                                     const struct bl_trace_step *s);
uint64_t bl__content_value(const struct bl__content *c,
                           const struct bl_trace_info *info);

/* ---- text (text.c) ---------------------------------------------------- */

/* A piece of text that is not NUL-terminated. */
struct bl__text {
    const char *p;
    size_t size_bytes;
};

/* The beginning of @t for a message: bl__quote(&(struct bl__quote){ "" }, t) */
struct bl__quote {
    char text[40];
};
const char *bl__quote(struct bl__quote *q, struct bl__text t);

/* A percentage such as 12, 12.5 or 5.1209999999999996, as ppm, rounded half
 * up; up to 100000 %. false: not such a number. */
bool bl__parse_pct(struct bl__text t, uint64_t *ppm);
bool bl__parse_u64(struct bl__text t, uint64_t max, uint64_t *out);
/* A decimal number times 10^@digits, exact: more digits are refused. */
bool bl__parse_fixed(struct bl__text t, unsigned digits, uint64_t *out);

/* Cuts @t at its next @sep into the piece before and the rest after. */
struct bl__text bl__cut(struct bl__text *t, char sep);

/* UTF-8, at least one byte, no control characters. */
bool bl__name_ok(struct bl__text name);

/* The trace's name of a VM: @name, from its second life on with "#2", "#3"...;
 * if that is too long, its beginning and a hash of all of it. */
void bl__name_make(char out[BL_NAME_BYTES], struct bl__text name,
                   uint32_t life);

/* ---- names (names.c) -------------------------------------------------- */

struct name;

/* Names and their numbers 0, 1, 2, ... in the order they came. */
struct bl__names {
    struct bl__spool text;
    struct name *name; /* [count] */
    uint32_t *slot;    /* hash table: number + 1, or 0 */
    uint32_t count, slot_count;
};

void bl__names_init(struct bl__names *n);
void bl__names_free(struct bl__names *n);
/* BL_ERR_NOMEM, BL_ERR_FULL. */
BL_NODISCARD bl_err bl__names_add(struct bl__names *n, struct bl__text name,
                                  uint32_t *number, bool *is_new);
/* Valid until the next bl__names_add(). */
struct bl__text bl__names_text(const struct bl__names *n, uint32_t number);

/* ---- input (input.c) -------------------------------------------------- */

#define BL__LINE_BYTES_MAX (1u << 20)
#define BL__MEMBER_BYTES_MAX (1u << 28)
#define BL__LABEL_BYTES 160

struct bl__input; /* a file, the members of an archive, the files of a folder */

enum bl__input_kind { BL__INPUT_STREAM, BL__INPUT_ARCHIVE, BL__INPUT_FOLDER };

BL_NODISCARD bl_err bl__input_open(const char *path, struct bl__input **out,
                                   struct bl_diag *diag);
/* The same; messages say that @expected (a literal: "a trace") should be there.
 */
BL_NODISCARD bl_err bl__input_open_as(const char *path, const char *expected,
                                      struct bl__input **out,
                                      struct bl_diag *diag);
/* One file of the folder that @folder was opened on, as a stream. */
BL_NODISCARD bl_err bl__input_open_in(const struct bl__input *folder,
                                      const char *name, struct bl__input **out,
                                      struct bl_diag *diag);
void bl__input_close(struct bl__input *in);
enum bl__input_kind bl__input_kind(const struct bl__input *in);
const char *bl__input_path(const struct bl__input *in);

/* What stands before ":LINE" in messages: the path and, where there are
 * several, the member. */
const char *bl__input_label(const struct bl__input *in);

/* The files of a folder, sorted in byte order. */
uint32_t bl__input_file_count(const struct bl__input *in);
const char *bl__input_file(const struct bl__input *in, uint32_t i);

/* The next member of an archive or folder, read whole: its name without
 * folders and its bytes, both valid until the next call. BL_ERR_END after the
 * last. bl__input_member_again() makes the next call return the same one. */
BL_NODISCARD bl_err bl__input_member(struct bl__input *in, const char **name,
                                     struct bl__text *body,
                                     struct bl_diag *diag);
void bl__input_member_again(struct bl__input *in);

/* The next line of a stream without its end (\n or \r\n); BL_ERR_END after
 * the last; a NUL byte or a line of more than BL__LINE_BYTES_MAX is refused. */
BL_NODISCARD bl_err bl__input_line(struct bl__input *in, struct bl__text *line,
                                   struct bl_diag *diag);
void bl__input_line_again(struct bl__input *in);
unsigned long bl__input_line_number(const struct bl__input *in);

/* ---- table (table.c): VM after VM, read back step by step ------------- */

enum { BL__CPU, BL__MEM, BL__COLUMNS };

/* One stay of a VM in the trace. */
struct bl__life {
    uint32_t arrive; /* step */
    uint32_t step_count;
    uint32_t vcpu_count;
    uint64_t vcpu_khz, mem_bytes;
};

struct bl__table;

struct bl__table_opts {
    bool has_cpu, has_mem, has_size;
    const char *tmp_dir;
};

BL_NODISCARD bl_err bl__table_create(const struct bl__table_opts *opts,
                                     struct bl__table **out,
                                     struct bl_diag *diag);
void bl__table_close(struct bl__table *t);

/* Room for @count cells, in ppm, of the life that is being read; the two
 * columns must have the same number. bl__table_shrink() gives back the last
 * @count cells of each. */
BL_NODISCARD bl_err bl__table_cells(struct bl__table *t, uint32_t count,
                                    uint32_t *cell[BL__COLUMNS],
                                    struct bl_diag *diag);
void bl__table_shrink(struct bl__table *t, uint32_t count);
/* The last @count cells of @column. */
uint32_t *bl__table_last(struct bl__table *t, int column, uint32_t count);

/* The cells since the last call are those of life @l of VM @name. */
BL_NODISCARD bl_err bl__table_life(struct bl__table *t, struct bl__text name,
                                   uint32_t life, const struct bl__life *l,
                                   struct bl_diag *diag);

struct bl__table_end {
    bool sort_by_name;   /* else in the order of bl__table_life() */
    uint32_t step_first; /* taken off every life's arrive */
    uint32_t step_count;
    int64_t step_ns;
    struct bl_trace_repairs repairs;
    const char *path;
    const char *format;
};

/* All lives are in: makes the source. On error @t is still to be closed. */
BL_NODISCARD bl_err bl__table_finish(struct bl__table *t,
                                     const struct bl__table_end *end,
                                     struct bl_trace **out,
                                     struct bl_diag *diag);

/* ---- columnar files --------------------------------------------------- */

BL_NODISCARD bl_err bl__columnar_open(const char *path, uint32_t thread_count,
                                      struct bl_trace **out,
                                      struct bl_diag *diag);
/* The same from an open file, which now belongs to the trace. */
BL_NODISCARD bl_err bl__columnar_open_fd(int fd, const char *label,
                                         uint32_t thread_count,
                                         struct bl_trace **out,
                                         struct bl_diag *diag);

struct bl__writer;

/* @info gives name, origin, step_ns and the columns; the rest of the header
 * is computed. @fd stays the caller's. */
BL_NODISCARD bl_err bl__writer_create(int fd, const char *label,
                                      const struct bl_trace_info *info,
                                      struct bl__writer **out,
                                      struct bl_diag *diag);
BL_NODISCARD bl_err bl__writer_step(struct bl__writer *w,
                                    const struct bl_trace_step *s,
                                    struct bl_diag *diag);
BL_NODISCARD bl_err bl__writer_finish(struct bl__writer *w,
                                      const struct bl_trace_repairs *repairs,
                                      struct bl_diag *diag);
void bl__writer_close(struct bl__writer *w);

/* A conversion that comes step by step: into an unlinked columnar file, then
 * out of it (convert.c). */
struct bl__convert {
    int fd; /* -1: none */
    struct bl__writer *w;
};

BL_NODISCARD bl_err bl__convert_begin(struct bl__convert *c, const char *path,
                                      const struct bl_trace_opts *opts,
                                      struct bl_trace_info *info,
                                      struct bl_diag *diag);
/* Makes the source, or, when @e is an error, only tidies up; returns it. */
BL_NODISCARD bl_err bl__convert_end(struct bl__convert *c, bl_err e,
                                    const struct bl_trace_repairs *repairs,
                                    const struct bl_trace_opts *opts,
                                    struct bl_trace **out,
                                    struct bl_diag *diag);

/* ---- readers of foreign formats --------------------------------------- */

struct bl__format {
    const char *name;
    const char *text; /* one line for lists */
    /* Can this be it? @head is the beginning of the first member, or the first
     * line of a stream, or empty. NULL for the columnar format, which has a
     * magic number. */
    bool (*detect)(const struct bl__input *in, struct bl__text head);
    bl_err (*read)(struct bl__input *in, const struct bl_trace_opts *opts,
                   struct bl_trace **out, struct bl_diag *diag);
};

extern const struct bl__format bl__format_planetlab, bl__format_gcd,
    bl__format_bitbrains, bl__format_azure, bl__format_csv;

/* One file of one VM (members.c): what a parser gets and gives. */
struct bl__member {
    struct bl__text body;
    uint32_t *cell[BL__COLUMNS]; /* [step_max] */
    uint32_t step_max, step_count;
    struct bl_trace_repairs *repairs;
};

struct bl__members {
    const struct bl__format *format;
    bool has_mem;
    uint32_t line_bytes_min; /* with its end */
    bl_err (*parse)(const struct bl__input *in, struct bl__member *v,
                    struct bl_diag *diag);
};

BL_NODISCARD bl_err bl__members_read(struct bl__input *in,
                                     const struct bl__members *what,
                                     const struct bl_trace_opts *opts,
                                     struct bl_trace **out,
                                     struct bl_diag *diag);
/* For a parser that meets more than step_max lines. */
bl_err bl__members_full(const struct bl__input *in, struct bl_diag *diag);

/* The base name of @path without .tar, .zst and the like. */
void bl__trace_name(char out[BL_NAME_BYTES], const char *path);

#endif /* BL_TRACE_TRACE_PRIV_H */
