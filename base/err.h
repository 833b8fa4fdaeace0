/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/err.h - one error vocabulary and one assertion for the whole tree.
 *
 * Three classes of failure, three mechanisms; never mix them:
 *   operating error   (bad file, limit reached)   return a bl_err, nothing
 *                     has changed; the words for the user go in a bl_diag
 *   policy misbehaved (moved a dead VM)           the manager refuses the
 *                     action, counts it, falls back; never a crash
 *   own bug           (broken invariant)          BL_ASSERT, on in release
 *
 * Layer        base (L0).       Threads  all functions are pure.
 */
#ifndef BL_BASE_ERR_H
#define BL_BASE_ERR_H

#define BL_ERR_MAP(X)                                                          \
    X(OK, 0, "success")                                                        \
    X(NOMEM, 1, "out of memory")                                               \
    X(INVAL, 2, "argument outside its documented range")                       \
    X(FULL, 3, "a documented limit was reached")                               \
    X(NOENT, 4, "no such object")                                              \
    X(PARSE, 5, "malformed input")                                             \
    X(IO, 6, "input or output failed")                                         \
    X(END, 7, "no more data")                                                  \
    X(BUSY, 8, "already in use or in flight")

typedef enum bl_err {
#define BL_ERR_ENUM(name, num, text) BL_ERR_##name = (num),
    BL_ERR_MAP(BL_ERR_ENUM)
#undef BL_ERR_ENUM
} bl_err;

/* Static string, never NULL, also for values outside the enum. */
const char *bl_err_name(bl_err e);
const char *bl_err_text(bl_err e);

#define BL_NODISCARD __attribute__((warn_unused_result))
#define BL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define BL_NORETURN __attribute__((noreturn))

/* Does not return. Replaceable so that tests can assert the negative space. */
typedef void (*bl_assert_fn)(const char *expr, const char *file,
                             int line) BL_NORETURN;
extern bl_assert_fn bl_assert_fail;

#define BL_ASSERT(e) ((e) ? (void)0 : bl_assert_fail(#e, __FILE__, __LINE__))

#define BL_TRY(expr)                                                           \
    do {                                                                       \
        const bl_err bl_try_err_ = (expr);                                     \
        if (bl_try_err_ != BL_ERR_OK)                                          \
            return bl_try_err_;                                                \
    } while (0)

#endif /* BL_BASE_ERR_H */
