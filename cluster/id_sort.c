/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/id_sort.h"

#include <string.h>

enum { RUN = 8 }; /* sorted by insertion before the merging starts */

struct order {
    const double *key;
    bool descending;
};

/* Must @b go before @a, which stands in front of it? */
static bool swapped(const struct order *o, uint32_t a, uint32_t b)
{
    return o->descending ? o->key[b] > o->key[a] : o->key[b] < o->key[a];
}

static void insertion(uint32_t *id, uint32_t n, const struct order *o)
{
    for (uint32_t i = 1; i < n; i++) {
        const uint32_t x = id[i];
        uint32_t k = i;

        for (; k > 0 && swapped(o, id[k - 1], x); k--)
            id[k] = id[k - 1];
        id[k] = x;
    }
}

/* Two sorted runs, one behind the other in @id, into @to. */
static void merge(const uint32_t *id, uint32_t an, uint32_t bn,
                  const struct order *o, uint32_t *to)
{
    const uint32_t *b = id + an;
    uint32_t i = 0, j = 0;

    while (i < an && j < bn)
        *to++ = swapped(o, id[i], b[j]) ? b[j++] : id[i++];
    memcpy(to, id + i, (an - i) * sizeof(*id));
    memcpy(to + (an - i), b + j, (bn - j) * sizeof(*id));
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

void bl_id_sort(uint32_t *id, uint32_t n, const double *key, bool descending,
                uint32_t *scratch)
{
    const struct order o = { key, descending };

    for (uint32_t i = 0; i < n; i += RUN)
        insertion(id + i, at_most(n - i, RUN), &o);
    for (uint32_t width = RUN; width < n; width *= 2) {
        for (uint32_t i = 0; i < n; i += 2 * width) {
            const uint32_t an = at_most(n - i, width);

            merge(id + i, an, at_most(n - i - an, width), &o, scratch + i);
        }
        memcpy(id, scratch, n * sizeof(*id));
    }
}
