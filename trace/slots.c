/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slots are taken: a bitmap with two marks. The lowest free slot is
 * searched from the first word that may have one, so that a million arrivals
 * cost a million steps, not their square.
 */
#include "trace/trace_priv.h"

#include <stdlib.h>

enum { WORD_BITS = 64 };

void bl__slots_free(struct bl__slots *s)
{
    free(s->word);
    *s = (struct bl__slots){ .word = NULL };
}

void bl__slots_clear(struct bl__slots *s)
{
    for (uint32_t i = 0; i < s->word_count; i++)
        s->word[i] = 0;
    s->low = 0;
    s->end = 0;
}

bl_err bl__slots_reserve(struct bl__slots *s, uint32_t slot_count)
{
    const uint32_t count = (slot_count + WORD_BITS - 1) / WORD_BITS;
    uint64_t *word;

    if (count <= s->word_count)
        return BL_ERR_OK;
    word = bl__grow(s->word, count * sizeof(word[0]));
    if (word == NULL)
        return BL_ERR_NOMEM;
    for (uint32_t i = s->word_count; i < count; i++)
        word[i] = 0;
    s->word = word;
    s->word_count = count;
    return BL_ERR_OK;
}

bl_err bl__slots_take(struct bl__slots *s, uint32_t *slot)
{
    while (s->low < s->word_count && s->word[s->low] == UINT64_MAX)
        s->low++;
    if (s->low == s->word_count)
        BL_TRY(bl__slots_reserve(s, s->word_count > 0
                                        ? 2 * s->word_count * WORD_BITS
                                        : 16 * WORD_BITS));

    const uint32_t bit = (uint32_t)__builtin_ctzll(~s->word[s->low]);
    const uint32_t found = s->low * WORD_BITS + bit;

    if (found >= BL_TRACE_VMS_MAX)
        return BL_ERR_FULL;
    s->word[s->low] |= UINT64_C(1) << bit;
    if (found >= s->end)
        s->end = found + 1;
    *slot = found;
    return BL_ERR_OK;
}

bool bl__slots_taken(const struct bl__slots *s, uint32_t slot)
{
    return slot < s->end &&
           (s->word[slot / WORD_BITS] >> (slot % WORD_BITS) & 1) != 0;
}

void bl__slots_give(struct bl__slots *s, uint32_t slot)
{
    BL_ASSERT(bl__slots_taken(s, slot));
    s->word[slot / WORD_BITS] &= ~(UINT64_C(1) << (slot % WORD_BITS));
    if (slot / WORD_BITS < s->low)
        s->low = slot / WORD_BITS;
    while (s->end > 0 && !bl__slots_taken(s, s->end - 1)) {
        if (s->word[(s->end - 1) / WORD_BITS] == 0)
            s->end = (s->end - 1) / WORD_BITS * WORD_BITS;
        else
            s->end--;
    }
}
