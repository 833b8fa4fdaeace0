/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_scale - whole runs against the number of hosts, with one thread and
 * with two, beside what reading the same trace costs at the very least.
 *
 * Policy static, physics real, ten VMs for each host, 288 steps; every host's
 * entitlements are found at every step. The trace is generated once for each
 * size and stored as a columnar file without a name, so that nothing is left
 * behind. Each run is a process of its own: its peak memory is its own. The
 * hash column must not depend on the number of threads.
 *
 *     bench_scale [--smoke] [--runs N] [--hosts N]
 *
 * bench/README.md says what each column is. The file lies in $TMPDIR or, when
 * that is not set, beside this program.
 */
#define _DEFAULT_SOURCE
#include "bench/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the issue asks of a million VMs on one core. */
#define BAR_VMS 1000000u
#define BAR_S 30.0
#define BAR_KIB (UINT64_C(1) << 20)
#define BAR_SPEED_UP 1.6

struct job {
    const char *path; /* of the trace */
    struct bench_world_opts world;
    uint32_t steps;
};

struct outcome {
    double seconds, cpu_s, create_s, unserved_ppm;
    uint64_t hash;
};

/* ---- what runs in a process of its own -------------------------------------
 */

static struct bl_trace *open_trace(const struct job *j)
{
    const struct bl_trace_opts opts = { .thread_count = j->world.threads };
    struct bl_diag diag = { .text = "" };
    struct bl_trace *t = NULL;

    bench_try(bl_trace_open(j->path, &opts, &t, &diag), &diag);
    return t;
}

static void write_trace(void *ctx, void *out)
{
    const struct job *j = ctx;
    const struct bl_trace_spec spec =
        bench_trace_spec(j->world.hosts, j->steps);
    struct bl_diag diag = { .text = "" };
    struct bl_trace *t = NULL;

    bench_try(bl_trace_open_generated(&spec, j->world.threads, &t, &diag),
              &diag);
    bench_try(bl_trace_write(t, j->path, NULL, NULL, &diag), &diag);
    bl_trace_close(t);
    *(struct outcome *)out = (struct outcome){ .hash = 0 };
}

static void whole_run(void *ctx, void *out)
{
    const struct job *j = ctx;
    const double start_s = bench_now_s();
    struct bench_world *w = bench_world_new(&j->world, open_trace(j));
    const double created_s = bench_now_s();

    bench_world_run(w);
    *(struct outcome *)out =
        (struct outcome){ .create_s = created_s - start_s,
                          .seconds = bench_now_s() - start_s,
                          .unserved_ppm = w->result->unserved_ppm,
                          .hash = w->result->state_hash };
    bench_world_free(w);
}

/* The physical floor: the bytes of the file, each looked at once. */
static void plain_pass(void *ctx, void *out)
{
    const struct job *j = ctx;
    const double start_s = bench_now_s();
    static uint64_t word[1u << 15];
    const int fd = open(j->path, O_RDONLY);
    uint64_t sum = 0;
    ssize_t n;

    if (fd < 0)
        bench_fail("cannot open the trace again");
    do {
        size_t got = 0;

        while ((n = read(fd, (char *)word + got, sizeof(word) - got)) > 0)
            got += (size_t)n;
        memset((char *)word + got, 0, sizeof(word) - got);
        for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
            sum += word[i];
        n = got == sizeof(word);
    } while (n > 0);
    close(fd);
    *(struct outcome *)out =
        (struct outcome){ .seconds = bench_now_s() - start_s, .hash = sum };
}

/* Decoding alone, each cell looked at once. */
static void decode(void *ctx, void *out)
{
    const struct job *j = ctx;
    const double start_s = bench_now_s();
    struct bl_trace *t = open_trace(j);
    const uint32_t slots = bl_trace_info(t)->vms_alive_max;
    struct bl_diag diag = { .text = "" };
    struct bl_trace_step step;
    uint64_t sum = 0;
    bl_err e;

    while ((e = bl_trace_next(t, &step, &diag)) == BL_ERR_OK)
        for (uint32_t v = 0; v < slots; v++)
            sum += step.cpu_ppm[v];
    bench_try(e == BL_ERR_END ? BL_ERR_OK : e, &diag);
    bl_trace_close(t);
    *(struct outcome *)out =
        (struct outcome){ .seconds = bench_now_s() - start_s, .hash = sum };
}

/* ---- repeated
 * --------------------------------------------------------------- */

struct measured {
    struct outcome median;
    uint64_t peak_kib; /* the largest */
};

static struct measured measure(bench_fn fn, struct job *j, uint32_t runs)
{
    double seconds[BENCH_RUNS_MAX], create_s[BENCH_RUNS_MAX];
    double cpu_s[BENCH_RUNS_MAX];
    struct measured m = { .peak_kib = 0 };

    for (uint32_t i = 0; i < runs; i++) {
        struct outcome o;
        const struct bench_cost c = bench_fork(fn, j, &o, sizeof(o));

        if (i > 0 && o.hash != m.median.hash)
            bench_fail("two equal runs differ: %016llx %016llx",
                       (unsigned long long)m.median.hash,
                       (unsigned long long)o.hash);
        seconds[i] = o.seconds;
        create_s[i] = o.create_s;
        cpu_s[i] = c.user_s + c.system_s;
        m.median = o;
        if (c.peak_kib > m.peak_kib)
            m.peak_kib = c.peak_kib;
    }
    m.median.seconds = bench_median(seconds, runs);
    m.median.create_s = bench_median(create_s, runs);
    m.median.cpu_s = bench_median(cpu_s, runs);
    return m;
}

/* Writes the trace and takes its name away; @path then leads to it as long as
 * this process lives. Returns its size. */
static long long make_trace(struct job *j, const char *dir, char *path,
                            size_t path_bytes)
{
    struct outcome o;
    int fd;

    snprintf(path, path_bytes, "%s/bench-scale-%ld.blt", dir, (long)getpid());
    j->path = path;
    bench_fork(write_trace, j, &o, sizeof(o));
    fd = open(path, O_RDONLY);
    if (fd < 0 || unlink(path) != 0)
        bench_fail("cannot open %s", path);

    const long long bytes = (long long)lseek(fd, 0, SEEK_END);

    snprintf(path, path_bytes, "/proc/self/fd/%d", fd);
    return bytes;
}

/* ---- the table
 * -------------------------------------------------------------- */

struct options {
    bool smoke;
    uint32_t runs, hosts; /* 0: chosen by size */
    const char *dir;
};

static void print_row(const struct job *j, const struct measured *m,
                      double growth, double speed_up)
{
    const struct bench_world_opts *w = &j->world;
    const uint32_t vms = w->hosts * BENCH_VMS_PER_HOST;
    const double ns = m->median.seconds * 1e9 / vms / j->steps;

    printf("run,%s,%u,%u,%u,%u,%.4f,%.4f,%.4f,%.2f,", bench_load_name(w->load),
           w->hosts, vms, j->steps, w->threads, m->median.seconds,
           m->median.cpu_s, m->median.create_s, ns);
    if (growth > 0)
        printf("%.2f", growth);
    putchar(',');
    if (speed_up > 0)
        printf("%.2f", speed_up);
    printf(",%.1f,%.1f,%016llx\n", (double)m->peak_kib / 1024,
           m->median.unserved_ppm, (unsigned long long)m->median.hash);
    fflush(stdout);
}

static void print_floor(const char *what, const struct job *j,
                        const struct measured *m)
{
    const uint32_t vms = j->world.hosts * BENCH_VMS_PER_HOST;

    printf("%s,,%u,%u,%u,%u,%.4f,%.4f,,%.2f,,,%.1f,,%016llx\n", what,
           j->world.hosts, vms, j->steps, j->world.threads, m->median.seconds,
           m->median.cpu_s, m->median.seconds * 1e9 / vms / j->steps,
           (double)m->peak_kib / 1024, (unsigned long long)m->median.hash);
    fflush(stdout);
}

static const char *verdict(bool reached)
{
    return reached ? "reached" : "NOT REACHED";
}

static void judge(const struct job *j, const struct measured *one,
                  double speed_up)
{
    if (j->world.hosts * BENCH_VMS_PER_HOST < BAR_VMS)
        return;
    fprintf(stderr,
            "bench_scale: %s: %.1f s (at most %.0f: %s), %.0f MiB (at most "
            "%.0f: %s), %.2fx with two threads (at least %.1f: %s)\n",
            bench_load_name(j->world.load), one->median.seconds, BAR_S,
            verdict(one->median.seconds <= BAR_S), (double)one->peak_kib / 1024,
            (double)BAR_KIB / 1024, verdict(one->peak_kib <= BAR_KIB), speed_up,
            BAR_SPEED_UP, verdict(speed_up >= BAR_SPEED_UP));
}

/* Both loads with one thread and two; @before_s: of the size before. */
static void measure_runs(struct job *j, uint32_t runs, double before_s[2][2])
{
    for (int load = BENCH_ROOMY; load <= BENCH_CROWDED; load++) {
        struct measured m[2];
        double speed_up = 0;

        j->world.load = (enum bench_load)load;
        for (int t = 0; t < 2; t++) {
            const double before = before_s[load][t];

            j->world.threads = 1 + (uint32_t)t;
            m[t] = measure(whole_run, j, runs);
            if (t == 1)
                speed_up = m[0].median.seconds / m[1].median.seconds;
            print_row(j, &m[t], before > 0 ? m[t].median.seconds / before : 0,
                      speed_up);
            before_s[load][t] = m[t].median.seconds;
        }
        if (m[0].median.hash != m[1].median.hash)
            bench_fail("the hash depends on the number of threads");
        judge(j, &m[0], speed_up);
    }
}

static void measure_size(const struct options *o, uint32_t hosts,
                         double before_s[2][2])
{
    const uint32_t runs = o->runs > 0     ? o->runs
                          : hosts > 10000 ? 3
                          : o->smoke      ? 1
                                          : 5;
    struct job j = { .world = { .hosts = hosts, .threads = 2 },
                     .steps = o->smoke ? 12 : 288 };
    char path[4096];
    const long long bytes = make_trace(&j, o->dir, path, sizeof(path));
    struct measured m;

    fprintf(stderr, "bench_scale: %u hosts, trace of %.1f MiB, %u runs each\n",
            hosts, (double)bytes / 1048576, runs);
    measure_runs(&j, runs, before_s);
    j.world.threads = 1;
    m = measure(decode, &j, runs);
    print_floor("decode", &j, &m);
    m = measure(plain_pass, &j, runs);
    print_floor("read", &j, &m);
}

/* $TMPDIR, or the folder of this program: never the one we were called in. */
static const char *work_dir(char *argv0)
{
    const char *tmp = getenv("TMPDIR");
    char *slash = strrchr(argv0, '/');

    if (tmp != NULL && tmp[0] != '\0')
        return tmp;
    if (slash == NULL)
        bench_fail("say where to write: TMPDIR=DIR %s", argv0);
    *slash = '\0';
    return argv0;
}

int main(int argc, char **argv)
{
    struct options o = { .smoke = false };
    double before_s[2][2] = { { 0, 0 }, { 0, 0 } };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0)
            o.smoke = true;
        else if (strcmp(argv[i], "--runs") == 0)
            o.runs = bench_number(argv[++i], BENCH_RUNS_MAX);
        else if (strcmp(argv[i], "--hosts") == 0)
            o.hosts = bench_number(argv[++i], 1000000);
        else
            bench_fail("no option '%s': --smoke, --runs N, --hosts N", argv[i]);
    }
    o.dir = work_dir(argv[0]);
    puts(
        "what,load,hosts,vms,steps,threads,seconds,cpu_s,create_s,ns_per_vm_"
        "step,"
        "growth,speed_up,peak_mib,unserved_ppm,hash");
    if (o.hosts > 0) {
        measure_size(&o, o.hosts, before_s);
        return EXIT_SUCCESS;
    }
    for (uint32_t h = o.smoke ? 10 : 1000; h <= (o.smoke ? 100 : 100000);
         h *= 10)
        measure_size(&o, h, before_s);
    return EXIT_SUCCESS;
}
