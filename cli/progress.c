/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for runs that take longer than one waits without a word. */
#define _POSIX_C_SOURCE 200809L
#include "cli/observe.h"

#include <time.h>
#include <unistd.h>

#define QUIET_S 0.5

enum { BAR_COLUMNS = 40, PERCENT = 100 };

double bl_clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bl_progress_start(struct bl_progress *p)
{
    *p = (struct bl_progress){ .on = isatty(STDERR_FILENO) != 0,
                               .percent = PERCENT + 1 };
    if (p->on)
        p->start_s = bl_clock_s();
}

void bl_progress_show(struct bl_progress *p, uint32_t done, uint32_t all)
{
    const uint32_t percent =
        all > 0 ? (uint32_t)((uint64_t)done * PERCENT / all) : 0;

    if (!p->on || percent == p->percent)
        return;
    if (!p->drawn && bl_clock_s() - p->start_s < QUIET_S)
        return;
    p->drawn = true;
    p->percent = percent;
    fputs("\r[", stderr);
    for (uint32_t c = 0; c < BAR_COLUMNS; c++)
        fputc(c * PERCENT < percent * BAR_COLUMNS ? '#' : '.', stderr);
    fprintf(stderr, "] %3u %%", percent);
    fflush(stderr);
}

void bl_progress_end(struct bl_progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r%*s\r", BAR_COLUMNS + 8, "");
    p->drawn = false;
    p->on = false;
}
