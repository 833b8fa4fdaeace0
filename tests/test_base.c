/* SPDX-License-Identifier: Apache-2.0 */
/* test_base - what everything stands on: errors, diagnostics, arena,
 * randomness, hashes, 128-bit products and the parallel loop. */
#include "tests/test.h"

#include "base/arena.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/prng.h"
#include "base/u128.h"

#include <stdio.h>
#include <string.h>

/* ---- errors and diagnostics ------------------------------------------------
 */
static void test_every_error_has_a_name_and_a_text(void **state)
{
    (void)state;
#define CHECK(name, num, text)                                                 \
    assert_string_equal(bl_err_name(BL_ERR_##name), "BL_ERR_" #name);          \
    assert_string_equal(bl_err_text(BL_ERR_##name), text);
    BL_ERR_MAP(CHECK)
#undef CHECK
    assert_string_equal(bl_err_name((bl_err)999), "BL_ERR_UNKNOWN");
    assert_true(strlen(bl_err_text((bl_err)999)) > 0);
}

static void test_diag_says_file_and_line(void **state)
{
    struct bl_diag d;

    (void)state;
    assert_int_equal(bl_diag_set(&d, BL_ERR_PARSE, "a.yaml", 12,
                                 "'%s', expected %s", "10x", "a number"),
                     BL_ERR_PARSE);
    assert_string_equal(d.text, "a.yaml:12: '10x', expected a number");
    bl_diag_set(&d, BL_ERR_IO, "a.yaml", 0, "cannot be read");
    assert_string_equal(d.text, "a.yaml: cannot be read");
    bl_diag_set(&d, BL_ERR_INVAL, NULL, 0, "-j: 0, expected 1 or more");
    assert_string_equal(d.text, "-j: 0, expected 1 or more");
    bl_diag_set(&d, BL_ERR_INVAL, NULL, 3, "no file, so no line");
    assert_string_equal(d.text, "no file, so no line");
}

static void test_diag_is_one_safe_line(void **state)
{
    char long_text[3 * BL_DIAG_BYTES], long_file[3 * BL_DIAG_BYTES];
    struct bl_diag d;

    (void)state;
    bl_diag_set(&d, BL_ERR_PARSE, "x\033[2J", 1, "a\nb\rc\td\177");
    assert_string_equal(d.text, "x?[2J:1: a?b?c?d?");

    memset(long_text, 't', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    memset(long_file, 'f', sizeof(long_file) - 1);
    long_file[sizeof(long_file) - 1] = '\0';
    bl_diag_set(&d, BL_ERR_PARSE, long_file, 7, "%s", long_text);
    assert_int_equal(strlen(d.text), BL_DIAG_BYTES - 1);
    assert_non_null(strstr(d.text, "f:7: t")); /* the line number survives */
}

/* ---- arena ------------------------------------------------------------------
 */
static void test_arena_gives_zeroed_aligned_memory(void **state)
{
    struct bl_arena a;
    unsigned char *p, *q;

    (void)state;
    assert_ok(bl_arena_init(&a, 1 << 20));
    p = bl_arena_get(&a, 3, 7);
    q = bl_arena_get(&a, 1, 1);
    assert_non_null(p);
    assert_non_null(q);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_int_equal((uintptr_t)q % 64, 0);
    assert_true(q >= p + 21);
    for (int i = 0; i < 21; i++)
        assert_int_equal(p[i], 0);
    bl_arena_seal(&a);
    memset(p, 0xff, 21); /* sealed: no more memory, but what is there lives */
    bl_arena_free(&a);
    bl_arena_free(&a); /* idempotent */
    assert_null(a.base);
}

static void test_arena_refuses_what_does_not_fit(void **state)
{
    struct bl_arena a;
    struct bl_arena huge = { 0 };

    (void)state;
    assert_int_equal(bl_arena_init(&huge, SIZE_MAX), BL_ERR_NOMEM);
    bl_arena_free(&huge);

    assert_ok(bl_arena_init(&a, 4096));
    assert_null(bl_arena_get(&a, 4097, 1));
    assert_null(bl_arena_get(&a, SIZE_MAX, 1));
    assert_null(bl_arena_get(&a, SIZE_MAX / 2, 4));
    assert_null(bl_arena_get(&a, 2, SIZE_MAX / 2));
    assert_int_equal(a.used_bytes, 0); /* a refusal takes nothing */
    assert_non_null(bl_arena_get(&a, 4096, 1));
    assert_null(bl_arena_get(&a, 1, 1));
    assert_non_null(bl_arena_get(&a, 0, 8)); /* nothing always fits */
    bl_arena_free(&a);
}

static void test_arena_asserts_on_our_own_bugs(void **state)
{
    struct bl_arena a;

    (void)state;
    assert_ok(bl_arena_init(&a, 4096));
    expect_assert_failure(bl_arena_get(&a, 1, 0));
    bl_arena_seal(&a);
    expect_assert_failure(bl_arena_get(&a, 1, 1));
    expect_assert_failure(bl_arena_seal(&a));
    bl_arena_free(&a);
}

static void test_arena_can_be_made_to_fail(void **state)
{
    struct bl_arena a;

    (void)state;
    assert_ok(bl_arena_init(&a, 4096));
    a.fail_after = 2;
    assert_non_null(bl_arena_get(&a, 1, 1));
    assert_non_null(bl_arena_get(&a, 1, 1));
    assert_null(bl_arena_get(&a, 1, 1));
    assert_null(bl_arena_get(&a, 1, 1));
    bl_arena_free(&a);
}

/* Every block is filled with its own number; none may have been overwritten. */
static void test_arena_blocks_never_overlap(void **state)
{
    enum { BLOCKS = 200 };
    unsigned char *block[BLOCKS];
    size_t size[BLOCKS];
    struct bl_prng rng = { test_seed() };
    struct bl_arena a;

    (void)state;
    assert_ok(bl_arena_init(&a, 1 << 20));
    for (int i = 0; i < BLOCKS; i++) {
        const size_t elem = 1 + bl_prng_below(&rng, 16);
        const size_t count = 1 + bl_prng_below(&rng, 40);

        size[i] = elem * count;
        block[i] = bl_arena_get(&a, count, elem);
        assert_non_null(block[i]);
        memset(block[i], i, size[i]);
    }
    for (int i = 0; i < BLOCKS; i++)
        for (size_t j = 0; j < size[i]; j++)
            assert_int_equal(block[i][j], i);
    bl_arena_free(&a);
}

/* ---- randomness
 * --------------------------------------------------------------- */
/* Vectors of the reference SplitMix64 from seed 1234567. */
static void test_prng_matches_reference(void **state)
{
    static const uint64_t want[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct bl_prng p = { 1234567 };

    (void)state;
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_true(bl_prng_next(&p) == want[i]);
}

static void test_prng_streams_are_separate(void **state)
{
    enum { STREAMS = 1000 };
    static uint64_t first[STREAMS];
    const uint64_t seed = test_seed();

    (void)state;
    for (uint64_t i = 0; i < STREAMS; i++) {
        struct bl_prng p = bl_prng_stream(seed, i);
        struct bl_prng again = bl_prng_stream(seed, i);
        struct bl_prng other_seed = bl_prng_stream(seed + 1, i);

        first[i] = bl_prng_next(&p);
        assert_true(first[i] == bl_prng_next(&again));
        assert_true(first[i] != bl_prng_next(&other_seed));
        for (uint64_t j = 0; j < i; j++)
            assert_true(first[i] != first[j]);
    }
}

/* Chi-square over 16 bins of 16000 draws from neighbouring streams: above 60
 * (15 degrees of freedom) one seed in some three million would fail. */
static void test_prng_is_uniform_across_streams(void **state)
{
    enum { BINS = 16, DRAWS = 16000 };
    const uint64_t seed = test_seed();
    uint32_t hits[BINS] = { 0 };
    int64_t spread = 0;

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        struct bl_prng p = bl_prng_stream(seed, i);
        const uint64_t v = bl_prng_below(&p, BINS);

        assert_true(v < BINS);
        hits[v]++;
    }
    for (int i = 0; i < BINS; i++) {
        const int64_t off = (int64_t)hits[i] - DRAWS / BINS;

        spread += off * off;
    }
    assert_true(spread < INT64_C(60) * DRAWS / BINS);
}

/* ---- hash
 * ----------------------------------------------------------------------- */
static uint64_t hash_of(const char *s)
{
    struct bl_hash h;

    bl_hash_init(&h);
    bl_hash_bytes(&h, s, strlen(s));
    return bl_hash_value(&h);
}

/* Vectors of the xxHash specification (XXH64, seed 0). */
static void test_hash_matches_reference(void **state)
{
    (void)state;
    assert_true(hash_of("") == UINT64_C(0xef46db3751d8e999));
    assert_true(hash_of("a") == UINT64_C(0xd24ec4f1a98c6e5b));
    assert_true(hash_of("abc") == UINT64_C(0x44bc2cf5ad770999));
}

static void test_hash_of_numbers_is_their_bytes(void **state)
{
    const unsigned char le[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
    struct bl_hash a, b;

    (void)state;
    bl_hash_init(&a);
    bl_hash_u64(&a, UINT64_C(0x0102030405060708));
    bl_hash_init(&b);
    bl_hash_bytes(&b, le, sizeof(le));
    assert_true(bl_hash_value(&a) == bl_hash_value(&b));

    bl_hash_init(&a);
    bl_hash_double(&a, 1.0);
    bl_hash_init(&b);
    bl_hash_u64(&b, UINT64_C(0x3ff0000000000000));
    assert_true(bl_hash_value(&a) == bl_hash_value(&b));

    bl_hash_init(&a);
    bl_hash_double(&a, 0.0);
    bl_hash_init(&b);
    bl_hash_double(&b, -0.0); /* equal in C, but not the same result */
    assert_true(bl_hash_value(&a) != bl_hash_value(&b));
}

static void test_hash_keeps_texts_apart(void **state)
{
    struct bl_hash a, b;

    (void)state;
    bl_hash_init(&a);
    bl_hash_text(&a, "ab");
    bl_hash_text(&a, "c");
    bl_hash_init(&b);
    bl_hash_text(&b, "a");
    bl_hash_text(&b, "bc");
    assert_true(bl_hash_value(&a) != bl_hash_value(&b));
}

/* ---- 128-bit products
 * ------------------------------------------------------------- */
static void test_muldiv_is_exact(void **state)
{
    struct bl_prng rng = { test_seed() };

    (void)state;
    assert_true(bl_muldiv(7, 3, 2) == 10); /* floor of 10.5 */
    assert_true(bl_muldiv(0, UINT64_MAX, 1) == 0);
    assert_true(bl_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    for (int i = 0; i < 10000; i++) {
        const uint64_t a = bl_prng_next(&rng) >> bl_prng_below(&rng, 64);
        const uint64_t d =
            1 + (bl_prng_next(&rng) >> bl_prng_below(&rng, 63)) / 2;
        const uint64_t small = bl_prng_below(&rng, UINT32_MAX);

        assert_true(bl_muldiv(a, d, d) == a);
        assert_true(bl_muldiv(d, a, d) == a);
        /* 32-bit factors: plain arithmetic is the oracle */
        assert_true(bl_muldiv(a >> 32, small, d) == (a >> 32) * small / d);
    }
}

static void test_muldiv_asserts_on_overflow(void **state)
{
    (void)state;
    expect_assert_failure(bl_muldiv(UINT64_MAX, 2, 1));
}

/* ---- parallel loop
 * ------------------------------------------------------------------ */
enum { PAR_N_MAX = 1000 };

struct par_record {
    uint32_t lo[PAR_N_MAX], hi[PAR_N_MAX]; /* by block */
    uint32_t calls[PAR_N_MAX];
    uint32_t touched[PAR_N_MAX]; /* by index */
};

static void par_note(void *ctx, uint32_t block, uint32_t lo, uint32_t hi)
{
    struct par_record *r = ctx;

    r->lo[block] = lo;
    r->hi[block] = hi;
    r->calls[block]++;
    for (uint32_t i = lo; i < hi; i++)
        r->touched[i]++;
}

/* The same blocks for every thread count; each index in exactly one of them. */
static void test_par_blocks_do_not_depend_on_threads(void **state)
{
    static const uint32_t sizes[] = { 0, 1, 7, 8, 9, 64, 999, 1000 };
    static const uint32_t blocks[] = { 1, 3, 8, 100, 1000, UINT32_MAX };
    static struct par_record one, many;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizeof(blocks) / sizeof(blocks[0]); j++) {
            const uint32_t n = sizes[i], count = bl_par_blocks(n, blocks[j]);

            memset(&one, 0, sizeof(one));
            bl_par_for(n, blocks[j], 1, par_note, &one);
            for (uint32_t k = 0; k < PAR_N_MAX; k++) {
                assert_int_equal(one.calls[k], k < count);
                assert_int_equal(one.touched[k], k < n);
            }
            for (uint32_t threads = 2; threads <= 5; threads++) {
                memset(&many, 0, sizeof(many));
                bl_par_for(n, blocks[j], threads, par_note, &many);
                assert_memory_equal(&one, &many, sizeof(one));
            }
        }
    }
}

static void test_par_asserts_on_zero(void **state)
{
    static struct par_record r;

    (void)state;
    expect_assert_failure(bl_par_for(10, 0, 1, par_note, &r));
    expect_assert_failure(bl_par_for(10, 1, 0, par_note, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_has_a_name_and_a_text),
        cmocka_unit_test(test_diag_says_file_and_line),
        cmocka_unit_test(test_diag_is_one_safe_line),
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(test_arena_refuses_what_does_not_fit),
        cmocka_unit_test(test_arena_asserts_on_our_own_bugs),
        cmocka_unit_test(test_arena_can_be_made_to_fail),
        cmocka_unit_test(test_arena_blocks_never_overlap),
        cmocka_unit_test(test_prng_matches_reference),
        cmocka_unit_test(test_prng_streams_are_separate),
        cmocka_unit_test(test_prng_is_uniform_across_streams),
        cmocka_unit_test(test_hash_matches_reference),
        cmocka_unit_test(test_hash_of_numbers_is_their_bytes),
        cmocka_unit_test(test_hash_keeps_texts_apart),
        cmocka_unit_test(test_muldiv_is_exact),
        cmocka_unit_test(test_muldiv_asserts_on_overflow),
        cmocka_unit_test(test_par_blocks_do_not_depend_on_threads),
        cmocka_unit_test(test_par_asserts_on_zero),
    };

    return cmocka_run_group_tests_name("base", tests, test_group_setup, NULL);
}
