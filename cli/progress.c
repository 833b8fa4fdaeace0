/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for runs that take longer than one waits without a word. */
#define _POSIX_C_SOURCE 200809L
#include "cli/observe.h"

#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define QUIET_S 0.5
#define S_PER_MIN 60.0
#define S_PER_HOUR 3600.0

/* What stands beside the bar: "[] 100 %  59 min left  ", and the last column,
 * where some terminals begin a new line. */
enum { BAR_COLUMNS = 40, BESIDE_COLUMNS = 25, PERCENT = 100 };

double bl_clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t room(void)
{
    struct winsize w;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 ||
        w.ws_col >= BAR_COLUMNS + BESIDE_COLUMNS)
        return BAR_COLUMNS;
    return w.ws_col > BESIDE_COLUMNS ? w.ws_col - BESIDE_COLUMNS : 0;
}

void bl_progress_start(struct bl_progress *p)
{
    *p = (struct bl_progress){ .on = isatty(STDERR_FILENO) != 0,
                               .percent = PERCENT + 1 };
    if (!p->on)
        return;
    p->columns = room();
    p->start_s = bl_clock_s();
}

/* From what was done since the first call: what came before it was not work. */
static void show_remaining(struct bl_progress *p, uint32_t done, uint32_t all)
{
    const double s = bl_clock_s();
    double left_s;

    if (!p->timed) {
        p->timed = true;
        p->first = done;
        p->first_s = s;
    }
    if (done <= p->first)
        return;
    left_s = (s - p->first_s) / (done - p->first) * (all - done);
    if (left_s < S_PER_MIN)
        fprintf(stderr, "  %2.0f s left    ", left_s);
    else if (left_s < S_PER_HOUR)
        fprintf(stderr, "  %2.0f min left  ", left_s / S_PER_MIN);
    else
        fprintf(stderr, "  %.1f h left  ", left_s / S_PER_HOUR);
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
    for (uint32_t c = 0; c < p->columns; c++)
        fputc(c * PERCENT < percent * p->columns ? '#' : '.', stderr);
    fprintf(stderr, "] %3u %%", percent);
    if (p->remaining)
        show_remaining(p, done, all);
    fflush(stderr);
}

void bl_progress_end(struct bl_progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r%*s\r", (int)p->columns + BESIDE_COLUMNS - 1, "");
    p->drawn = false;
    p->on = false;
}
