/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "bench/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void bench_fail(const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("bench: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

void bench_try(bl_err e, const struct bl_diag *diag)
{
    if (e != BL_ERR_OK)
        bench_fail("%s", diag->text[0] != '\0' ? diag->text : bl_err_text(e));
}

uint32_t bench_number(const char *text, uint32_t max)
{
    char *end = NULL;
    const unsigned long n = text == NULL ? 0 : strtoul(text, &end, 10);

    if (n == 0 || n > max || *end != '\0')
        bench_fail("'%s' is not a number from 1 to %u",
                   text == NULL ? "" : text, max);
    return (uint32_t)n;
}

double bench_now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *x, uint32_t n)
{
    BL_ASSERT(n > 0);
    qsort(x, n, sizeof(*x), by_value);
    return x[(n - 1) / 2];
}

/* ---- child processes --------------------------------------------------------
 */

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Reads to the end of @fd; always one byte more for a final zero. */
static char *read_all(int fd, size_t *size)
{
    size_t used = 0, room = 1u << 16;
    char *buf = malloc(room);

    for (;;) {
        if (buf == NULL)
            bench_fail("out of memory");

        const ssize_t n = read(fd, buf + used, room - used - 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            bench_fail("cannot read from a pipe: %s", strerror(errno));
        if (n == 0)
            break;
        used += (size_t)n;
        if (used + 1 < room)
            continue;
        room *= 2;

        char *more = realloc(buf, room);

        if (more == NULL)
            free(buf);
        buf = more;
    }
    buf[used] = '\0';
    *size = used;
    return buf;
}

static struct bench_cost wait_for(pid_t child, double start_s, const char *what)
{
    struct rusage use;
    int status;

    while (wait4(child, &status, 0, &use) < 0)
        if (errno != EINTR)
            bench_fail("cannot wait for %s: %s", what, strerror(errno));

    const struct bench_cost cost = {
        .wall_s = bench_now_s() - start_s,
        .user_s = seconds(use.ru_utime),
        .system_s = seconds(use.ru_stime),
        .peak_kib = (uint64_t)use.ru_maxrss,
    };

    if (WIFSIGNALED(status))
        bench_fail("%s ended by signal %d", what, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        bench_fail("%s failed with status %d", what, WEXITSTATUS(status));
    return cost;
}

static void make_pipe(int end[2])
{
    fflush(stdout); /* the child must not print it again */
    if (pipe(end) != 0)
        bench_fail("cannot make a pipe: %s", strerror(errno));
}

static pid_t start_child(void)
{
    const pid_t child = fork();

    if (child < 0)
        bench_fail("cannot start a process: %s", strerror(errno));
    return child;
}

struct bench_cost bench_fork(bench_fn fn, void *ctx, void *out,
                             size_t out_bytes)
{
    int end[2];

    BL_ASSERT(out_bytes <= BENCH_OUT_BYTES);
    make_pipe(end);

    const double start_s = bench_now_s();
    const pid_t child = start_child();

    if (child == 0) {
        unsigned char buf[BENCH_OUT_BYTES] = { 0 };

        close(end[0]);
        fn(ctx, buf);
        /* no more than a pipe holds: never a part of it */
        _exit(write(end[1], buf, out_bytes) == (ssize_t)out_bytes ? 0 : 1);
    }
    close(end[1]);

    size_t got;
    char *bytes = read_all(end[0], &got);
    const struct bench_cost cost = wait_for(child, start_s, "a measured part");

    close(end[0]);
    if (got != out_bytes)
        bench_fail("a measured part ended early");
    memcpy(out, bytes, out_bytes);
    free(bytes);
    return cost;
}

/* In the child: the program takes its place. */
BL_NORETURN static void become(char *const argv[], int out)
{
    const int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(out >= 0 ? out : null, STDOUT_FILENO) < 0)
        _exit(126);
    execvp(argv[0], argv);
    fprintf(stderr, "bench: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

struct bench_cost bench_exec(char *const argv[], char **out)
{
    int end[2] = { -1, -1 };

    if (out != NULL)
        make_pipe(end);

    const double start_s = bench_now_s();
    const pid_t child = start_child();

    if (child == 0)
        become(argv, end[1]);
    if (out != NULL) {
        size_t size;

        close(end[1]);
        *out = read_all(end[0], &size);
        close(end[0]);
    }
    return wait_for(child, start_s, argv[0]);
}

struct bench_cost bench_exec_median(char *const argv[], uint32_t runs)
{
    double wall_s[BENCH_RUNS_MAX], user_s[BENCH_RUNS_MAX];
    double system_s[BENCH_RUNS_MAX], peak_kib[BENCH_RUNS_MAX];

    BL_ASSERT(runs > 0 && runs <= BENCH_RUNS_MAX);
    for (uint32_t i = 0; i < runs; i++) {
        const struct bench_cost c = bench_exec(argv, NULL);

        wall_s[i] = c.wall_s;
        user_s[i] = c.user_s;
        system_s[i] = c.system_s;
        peak_kib[i] = (double)c.peak_kib;
    }
    return (struct bench_cost){
        .wall_s = bench_median(wall_s, runs),
        .user_s = bench_median(user_s, runs),
        .system_s = bench_median(system_s, runs),
        .peak_kib = (uint64_t)bench_median(peak_kib, runs),
    };
}
