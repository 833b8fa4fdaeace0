/* SPDX-License-Identifier: Apache-2.0 */
/* The report of one host that a person reads: who the run is, what each group
 * of VMs was owed and got, where the time went, what the host did. */
#include "report/host_power_priv.h"

#include <string.h>

enum {
    LABEL_COLUMN = 13,
    NAME_WIDTH = 14,
    VM_NAME_WIDTH = 16,
    NUMBER_BYTES = 24,
    BARS_IN_A_ROW = 64
};

#define P50 500000u
#define P99 990000u
#define P999 999000u

struct text {
    FILE *f;
    const struct bl_host_result *r;
    const struct bl_style *s;
};

/* ---- numbers ------------------------------------------------------------ */

static double ratio(double part, double all)
{
    return all > 0 ? part / all : 0;
}

/* Milliseconds in at most seven columns. */
static const char *ms(int64_t ns, char *buf)
{
    const double x = (double)ns / 1e6, size = x < 0 ? -x : x;
    const int digits = size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0;

    snprintf(buf, NUMBER_BYTES, "%.*f", digits, x);
    return buf;
}

/* A quantile in ms; "-" where nothing was measured. */
static const char *quantile(const struct bl_latency *l, uint32_t ppm, char *buf)
{
    if (l->count == 0)
        return "-";
    return ms(bl_latency_quantile(l, ppm), buf);
}

static const char *error_percent(int64_t received_ns, int64_t entitled_ns,
                                 char *buf)
{
    const double x =
        ratio((double)(received_ns - entitled_ns), (double)entitled_ns) * 100;

    if (entitled_ns <= 0)
        return "-";
    if (x < 1000)
        snprintf(buf, NUMBER_BYTES, "%+.2f", x);
    else
        snprintf(buf, NUMBER_BYTES, x < 1e6 ? "%+.0f" : "%+.1e", x);
    return buf;
}

static const char *rate(double count, int64_t ns, char *buf)
{
    const double x = ratio(count * 1e9, (double)ns);

    if (x < 1e7)
        snprintf(buf, NUMBER_BYTES, "%.1f", x);
    else
        snprintf(buf, NUMBER_BYTES, "%.4g", x);
    return buf;
}

static const char *pcpus(int64_t cpu_ns, int64_t ns, char *buf)
{
    snprintf(buf, NUMBER_BYTES, "%.3f", ratio((double)cpu_ns, (double)ns));
    return buf;
}

/* ---- lines -------------------------------------------------------------- */

static void title(const struct text *t, const char *name)
{
    fprintf(t->f, "\n%s%s%s\n", bl__sgr(t->s, BL_SGR_BOLD), name,
            bl__sgr(t->s, BL_SGR_OFF));
}

/* A name in a column of its own: padded by characters, not bytes. */
static void name_column(const struct text *t, const char *name, uint32_t width)
{
    char clean[BL_TEXT_BYTES];
    uint32_t chars = 0;

    bl__name(name, width, t->s->utf8, clean, sizeof(clean));
    for (const char *c = clean; *c != '\0'; c++)
        chars += ((unsigned char)*c & 0xc0u) != 0x80u;
    fprintf(t->f, "  %s%*s", clean, (int)(width - chars), "");
}

static void number_line(const struct text *t, const char *number,
                        const char *unit, const char *what)
{
    fprintf(t->f, "%13s %-4s %s\n", number, unit, what);
}

static void fixed_line(const struct text *t, double x, int digits,
                       const char *unit, const char *what)
{
    char number[BL_TEXT_BYTES];

    snprintf(number, sizeof(number), "%.*f", digits, x);
    number_line(t, number, unit, what);
}

static void rate_line(const struct text *t, uint64_t count, const char *what)
{
    char number[NUMBER_BYTES];

    number_line(t, rate((double)count, t->r->duration_ns, number), "/s", what);
}

/* ---- who the run is ----------------------------------------------------- */

static void words_line(const struct text *t, const char *label,
                       const char *name, const char *params)
{
    char words[BL_NAME_BYTES + 258];

    fprintf(t->f, "  %-10s", label);
    snprintf(words, sizeof(words), "%s %s", name, params);
    bl__wrapped(t->f, words, LABEL_COLUMN - 1);
}

static void count_of(char *buf, size_t size, uint32_t n, const char *what)
{
    const size_t used = strlen(buf);

    snprintf(buf + used, size - used, ", %u %s%s", n, what, n == 1 ? "" : "s");
}

static void identity(const struct text *t)
{
    const struct bl_host_result *r = t->r;
    char topo[sizeof(r->topo)], words[sizeof(r->topo) + 128];

    fprintf(t->f, "%sballast %s%s\n", bl__sgr(t->s, BL_SGR_BOLD), r->version,
            bl__sgr(t->s, BL_SGR_OFF));
    bl__identity_line(t->f, "scenario", r->scenario, r->scenario_hash, t->s);
    bl__name(r->topo, 60, t->s->utf8, topo, sizeof(topo));
    snprintf(words, sizeof(words), "%s", topo);
    count_of(words, sizeof(words), r->pcpu_count, "pCPU");
    count_of(words, sizeof(words), r->core_count, "core");
    count_of(words, sizeof(words), r->llc_count, "LLC");
    count_of(words, sizeof(words), r->node_count, "NUMA node");
    words_line(t, "host", words, "");
    words_line(t, "policy", r->policy, r->policy_params);
    words_line(t, "mode", r->mode, r->mode_params);
    if (r->power != NULL)
        words_line(t, "governor", r->power->governor,
                   r->power->governor_params);
    fprintf(t->f, "  %-10s %llu\n", "seed", (unsigned long long)r->seed);
}

static void simulated(const struct text *t)
{
    const struct bl_host_result *r = t->r;
    char length[BL_TEXT_BYTES], warmup[BL_TEXT_BYTES];

    bl__duration(r->duration_ns, length, sizeof(length));
    fprintf(t->f, "  %-10s %s: %u VM%s with %u vCPU%s, %llu events\n",
            "simulated", length, r->vm_count, r->vm_count == 1 ? "" : "s",
            r->vcpu_count, r->vcpu_count == 1 ? "" : "s",
            (unsigned long long)r->event_count);
    if (r->warmup_ns > 0) {
        bl__duration(r->warmup_ns, warmup, sizeof(warmup));
        fprintf(t->f, "%*safter %s of warm-up, which is not counted\n",
                LABEL_COLUMN, "", warmup);
    }
    if (r->admitted_ppm > 0)
        fprintf(t->f,
                "  %-10s %.3f of %u pCPU%s reserved, %.3f kept for overhead\n",
                "admitted", (double)r->admitted_ppm / 1e6, r->pcpu_count,
                r->pcpu_count == 1 ? "" : "s",
                (double)r->admission_overhead_ppm / 1e6);
    if (r->partial)
        fprintf(t->f,
                "\n%sPARTIAL: the run was interrupted; every figure "
                "covers the first %s only.%s\n",
                bl__sgr(t->s, BL_SGR_YELLOW), length,
                bl__sgr(t->s, BL_SGR_OFF));
}

/* ---- one row for each group --------------------------------------------- */

/* @vm is the group's total. */
typedef void (*group_row)(const struct text *t,
                          const struct bl_host_group_row *g,
                          const struct bl_host_vm_row *vm);

static void group_table(const struct text *t, group_row row)
{
    struct bl_host_vm_row all;

    for (uint32_t i = 0; i < t->r->group_count; i++) {
        const struct bl_host_group_row *g = &t->r->group[i];

        bl_host_total(t->r, g->vm_first, g->vm_count, &all);
        name_column(t, g->name, NAME_WIDTH);
        row(t, g, &all);
    }
}

static void owed_row(const struct text *t, const struct bl_host_group_row *g,
                     const struct bl_host_vm_row *vm)
{
    const int64_t ns = t->r->duration_ns;
    char entitled[NUMBER_BYTES], received[NUMBER_BYTES], error[NUMBER_BYTES],
        units[NUMBER_BYTES];

    fprintf(t->f, " %5u %6u %9s %9s %8s %10s %7.2f\n", g->vm_count,
            vm->vcpu_count, pcpus(vm->entitled_ns, ns, entitled),
            pcpus(vm->received_ns, ns, received),
            error_percent(vm->received_ns, vm->entitled_ns, error),
            rate((double)vm->units, ns, units),
            ratio((double)vm->spin_ns, (double)vm->state_ns[BL_VCPU_RUN]) *
                100);
}

static void owed(const struct text *t)
{
    title(t, "Entitled and received, in pCPUs on average over the run");
    fprintf(t->f, "  %-*s %5s %6s %9s %9s %8s %10s %7s\n", NAME_WIDTH,
            "VM group", "VMs", "vCPUs", "entitled", "received", "error %",
            "units/s", "spin %");
    group_table(t, owed_row);
    if (t->r->pinned_count > 0)
        fprintf(t->f,
                "  The ideal takes no account of pins: the error of "
                "pinned VMs says nothing.\n");
}

static void error_row(const struct text *t, const struct bl_host_group_row *g,
                      const struct bl_host_vm_row *vm)
{
    char ahead[NUMBER_BYTES], behind[NUMBER_BYTES], mean[NUMBER_BYTES];

    (void)g;
    for (uint32_t w = 0; w < BL_WINDOWS; w++) {
        const struct bl_host_error *e = &vm->error[w];
        const int64_t n = (int64_t)e->window_count;

        if (n == 0)
            fprintf(t->f, "%7s%7s%7s", "-", "-", "-");
        else
            fprintf(t->f, "%7s%7s%7s", ms(e->max_ns, ahead),
                    ms(e->min_ns, behind), ms(e->abs_sum_ns / n, mean));
    }
    fputc('\n', t->f);
}

static void errors(const struct text *t)
{
    title(t, "Received less what the ideal fluid schedule gives, in ms");
    fprintf(t->f, "  %-*s%21s%21s%21s\n  %-*s", NAME_WIDTH, "",
            "- over any 10 ms -", "- over any 100 ms -", "-- over any 1 s --",
            NAME_WIDTH, "VM group");
    for (uint32_t w = 0; w < BL_WINDOWS; w++)
        fprintf(t->f, "%7s%7s%7s", "ahead", "behind", "mean");
    fputc('\n', t->f);
    group_table(t, error_row);
}

static void state_row(const struct text *t, const struct bl_host_group_row *g,
                      const struct bl_host_vm_row *vm)
{
    static const int width[BL_VCPU_STATE_COUNT] = { 7, 7, 8, 8, 8 };
    char p50[NUMBER_BYTES], p99[NUMBER_BYTES], most[NUMBER_BYTES];
    uint32_t share[BL_VCPU_STATE_COUNT];

    (void)g;
    bl_host_state_shares(vm->state_ns, share);
    for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
        fprintf(t->f, "%*u.%02u", width[k] - 3, share[k] / 100, share[k] % 100);
    fprintf(t->f, " %8s%8s%8s\n", quantile(&vm->skew, P50, p50),
            quantile(&vm->skew, P99, p99), quantile(&vm->skew, 1000000, most));
}

static void states(const struct text *t)
{
    title(t,
          "Time of the vCPUs of living VMs in %, skew of leading ones in ms");
    fprintf(t->f, "  %-*s%7s%7s%8s%8s%8s %8s%8s%8s\n", NAME_WIDTH, "VM group",
            "run", "ready", "limited", "co-stop", "blocked", "skew p50", "p99",
            "max");
    group_table(t, state_row);
}

static void latency_row(const struct text *t, const struct bl_host_group_row *g,
                        const struct bl_host_vm_row *vm)
{
    static const uint32_t ppm[] = { P50, P99, P999 };
    const struct bl_latency *of[] = { &vm->wake, &vm->done };
    char number[NUMBER_BYTES];

    (void)g;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t k = 0; k < 3; k++)
            fprintf(t->f, "%9s", quantile(of[i], ppm[k], number));
    fprintf(t->f, "%10llu\n", (unsigned long long)vm->late_count);
}

static void latencies(const struct text *t)
{
    title(t, "Wake-up latency and response time of a unit, in ms");
    fprintf(t->f, "  %-*s%9s%9s%9s%9s%9s%9s%10s\n", NAME_WIDTH, "VM group",
            "wake p50", "p99", "p99.9", "unit p50", "p99", "p99.9", "late");
    group_table(t, latency_row);
}

/* ---- VMs ---------------------------------------------------------------- */

static int64_t off_by(const struct bl_host_vm_row *vm)
{
    const int64_t d = vm->received_ns - vm->entitled_ns;

    return d < 0 ? -d : d;
}

/* The VMs with the largest errors, largest first; ties: the lower id. */
static uint32_t worst_vms(const struct bl_host_result *r, uint32_t *id)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < r->vm_count; v++) {
        uint32_t at = n;

        while (at > 0 && off_by(&r->vm[v]) > off_by(&r->vm[id[at - 1]]))
            at--;
        if (at == BL_HOST_WORST_VMS)
            continue;
        if (n < BL_HOST_WORST_VMS)
            n++;
        for (uint32_t i = n - 1; i > at; i--)
            id[i] = id[i - 1];
        id[at] = v;
    }
    return n;
}

static const char *of_a_pcpu(uint64_t ppm, bool none, char *buf)
{
    if (none)
        return "-";
    snprintf(buf, NUMBER_BYTES, "%.2f", (double)ppm / 1e6);
    return buf;
}

static void vm_row(const struct text *t, const struct bl_host_vm_row *vm)
{
    const int64_t ns = t->r->duration_ns;
    char reserved[NUMBER_BYTES], limit[NUMBER_BYTES], entitled[NUMBER_BYTES],
        received[NUMBER_BYTES], error[NUMBER_BYTES];

    name_column(t, vm->name, VM_NAME_WIDTH);
    fprintf(t->f, " %5u %9llu %7s %7s %9s %9s %8s\n", vm->vcpu_count,
            (unsigned long long)vm->shares,
            of_a_pcpu(vm->reservation_ppm, vm->reservation_ppm == 0, reserved),
            of_a_pcpu(vm->limit_ppm, vm->limit_ppm == BL_NO_LIMIT, limit),
            pcpus(vm->entitled_ns, ns, entitled),
            pcpus(vm->received_ns, ns, received),
            error_percent(vm->received_ns, vm->entitled_ns, error));
}

static void vms(const struct text *t)
{
    const struct bl_host_result *r = t->r;
    const bool all = r->vm_count <= BL_HOST_TABLE_VMS;
    uint32_t id[BL_HOST_WORST_VMS];

    title(t, all ? "VMs, in pCPUs on average over the run"
                 : "VMs furthest from what they were entitled to, in pCPUs "
                   "over the run");
    fprintf(t->f, "  %-*s %5s %9s %7s %7s %9s %9s %8s\n", VM_NAME_WIDTH, "VM",
            "vCPUs", "shares", "reserv.", "limit", "entitled", "received",
            "error %");
    if (all) {
        for (uint32_t v = 0; v < r->vm_count; v++)
            vm_row(t, &r->vm[v]);
        return;
    }

    const uint32_t n = worst_vms(r, id);

    for (uint32_t i = 0; i < n; i++)
        vm_row(t, &r->vm[id[i]]);
}

/* ---- the host ----------------------------------------------------------- */

static void idle_line(const struct text *t, int64_t ns, const char *what)
{
    char words[3 * BL_TEXT_BYTES], length[BL_TEXT_BYTES];
    const double all = (double)t->r->duration_ns * t->r->pcpu_count;

    if (ns <= 0)
        return;
    bl__duration(ns, length, sizeof(length));
    snprintf(words, sizeof(words), "  idle %s (%s)", what, length);
    fixed_line(t, ratio((double)ns, all) * 1e6, 1, "ppm", words);
}

static void conservation(const struct text *t)
{
    const struct bl_sched_totals *k = &t->r->totals;
    const int64_t lost = k->idle_while_ready_ns + k->idle_while_costop_ns +
                         k->idle_while_limited_ns + k->lost_to_core_ns;

    fixed_line(
        t,
        ratio((double)lost, (double)t->r->duration_ns * t->r->pcpu_count) * 1e6,
        1, "ppm", "of pCPU time idle although a vCPU had work:");
    idle_line(t, k->idle_while_ready_ns, "while one was ready");
    idle_line(t, k->idle_while_costop_ns, "while one was co-stopped");
    idle_line(t, k->idle_while_limited_ns, "while one had used up its limit");
    idle_line(t, k->lost_to_core_ns, "as the core was another VM's");
}

static void migrations(const struct text *t)
{
    static const char *const how_far[BL_REACH_COUNT] = {
        [BL_REACH_CORE] = "  between the threads of a core",
        [BL_REACH_LLC] = "  between the cores of an LLC",
        [BL_REACH_NODE] = "  between the LLCs of a NUMA node",
        [BL_REACH_HOST] = "  between NUMA nodes",
    };

    rate_line(t, bl_host_moves(t->r), "migrations");
    for (uint32_t k = BL_REACH_CORE; k < BL_REACH_COUNT; k++)
        if (t->r->totals.move_count[k] > 0)
            rate_line(t, t->r->totals.move_count[k], how_far[k]);
}

static void host(const struct text *t)
{
    const struct bl_host_result *r = t->r;
    const struct bl_sched_totals *k = &r->totals;
    const double all = (double)r->duration_ns * r->pcpu_count;
    char words[2 * BL_TEXT_BYTES];
    int64_t received_ns = 0;

    for (uint32_t v = 0; v < r->vm_count; v++)
        received_ns += r->vm[v].received_ns;
    title(t, "Host");
    fixed_line(t, ratio((double)bl_host_busy_ns(r), all) * 100, 2, "%",
               "of the pCPUs' time was used");
    fixed_line(t, ratio((double)bl_host_overhead_ns(r), all) * 100, 2, "%",
               "  in it: switches, VM exits, cold caches");
    rate_line(t, k->switch_count, "switches from one vCPU to another");
    rate_line(t, k->preempt_count, "  of these, preemptions");
    rate_line(t, k->wake_count, "wake-ups");
    migrations(t);
    if (k->costop_count > 0)
        rate_line(t, k->costop_count, "co-stops");
    if (k->throttle_count > 0)
        rate_line(t, k->throttle_count, "times a limit was used up");
    conservation(t);
    snprintf(words, sizeof(words),
             "of what was received: lag that was forgiven (%llu times)",
             (unsigned long long)k->forgiven_count);
    fixed_line(t, ratio((double)k->forgiven_ns, (double)received_ns) * 1e6, 1,
               "ppm", words);
}

static void bars(const struct text *t)
{
    const struct bl_host_result *r = t->r;
    const char *edge = t->s->utf8 ? "\xe2\x94\x82" : "|";
    const double ns = (double)r->duration_ns;
    double least = 1, most = 0;

    for (uint32_t p = 0; p < r->pcpu_count; p++) {
        const double used = ratio((double)r->pcpu[p].busy_ns, ns);

        least = used < least ? used : least;
        most = used > most ? used : most;
    }
    title(t, "Use of each pCPU");
    for (uint32_t p = 0; p < r->pcpu_count; p += BARS_IN_A_ROW) {
        fprintf(t->f, "%10u %s", p, edge);
        for (uint32_t i = p; i < p + BARS_IN_A_ROW && i < r->pcpu_count; i++)
            bl__spark(t->f, t->s->utf8, ratio((double)r->pcpu[i].busy_ns, ns));
        fprintf(t->f, "%s\n", edge);
    }
    fprintf(t->f, "%12sfrom %.1f to %.1f %%\n", "", least * 100, most * 100);
}

static void cost_of_run(const struct text *t)
{
    const struct bl_host_result *r = t->r;

    if (r->wall_s <= 0 && r->peak_kib == 0)
        return;
    fprintf(t->f,
            "\n%sThis run took %.2f s (%.2f s of user time) and %.1f MiB: "
            "%.2f million events/s.%s",
            bl__sgr(t->s, BL_SGR_DIM), r->wall_s, r->user_s,
            (double)r->peak_kib / 1024,
            ratio((double)r->event_count, r->wall_s) / 1e6,
            bl__sgr(t->s, BL_SGR_OFF));
}

void bl_host_report_text(FILE *f, const struct bl_host_result *r,
                         const struct bl_style *style)
{
    const struct text t = { f, r, style };

    identity(&t);
    simulated(&t);
    owed(&t);
    errors(&t);
    states(&t);
    latencies(&t);
    vms(&t);
    host(&t);
    if (r->power != NULL) {
        title(&t, "Power");
        bl__host_power_text(f, r);
    }
    bars(&t);
    cost_of_run(&t);
    fprintf(f, "\n%sstate hash%s  %016llx\n", bl__sgr(style, BL_SGR_BOLD),
            bl__sgr(style, BL_SGR_OFF), (unsigned long long)r->state_hash);
}
