/* SPDX-License-Identifier: Apache-2.0 */
/* What a host drew, as text, JSON and CSV: only where power was modelled. */
#include "report/host_power_priv.h"

#include "base/u128.h"

#include <inttypes.h>

uint64_t bl_host_mean_mw(const struct bl_host_result *r)
{
    /* uJ / s = uW */
    return r->duration_ns > 0 ? bl_muldiv(r->power->energy_uj, 1000000,
                                          (uint64_t)r->duration_ns)
                              : 0;
}

int64_t bl_host_stay_ns(const struct bl_host_result *r, uint32_t pstate)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < r->power->domain_count; i++)
        sum += r->power->domain[i].stay_ns[pstate] *
               r->power->domain[i].core_count;
    return sum;
}

uint64_t bl_host_pstate_switches(const struct bl_host_result *r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->power->domain_count; i++)
        sum += r->power->domain[i].switch_count;
    return sum;
}

/* ---- text --------------------------------------------------------------- */

static double part(double x, double all)
{
    return all > 0 ? x / all : 0;
}

static void line(FILE *f, double x, int digits, const char *unit,
                 const char *what)
{
    char number[40];

    snprintf(number, sizeof(number), "%.*f", digits, x);
    fprintf(f, "%13s %-4s %s\n", number, unit, what);
}

static void watts(FILE *f, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    char words[80];

    line(f, (double)bl_host_mean_mw(r) / 1e3, 3, "W",
         "drawn on average by the host");
    line(f, (double)w->energy_uj / 1e6, 3, "J", "in all");
    if (w->idle_extra_uj > 0)
        line(f, (double)w->idle_extra_uj / 1e6, 3, "J",
             "  in it: cores idle, but not in the deepest state");
    if (w->cap_mw != UINT64_MAX) {
        snprintf(words, sizeof(words), "over the worst second, of %.3f allowed",
                 (double)w->cap_mw / 1e3);
        line(f, (double)w->second_most_mw / 1e3, 3, "W", words);
    } else if (w->second_most_mw > 0) {
        line(f, (double)w->second_most_mw / 1e3, 3, "W",
             "over the worst second");
    }
}

static void served(FILE *f, const struct bl_host_result *r,
                   const struct bl_host_vm_row *all)
{
    if (all->work_ns > 0)
        line(f, (double)r->power->energy_uj / ((double)all->work_ns / 1e3), 3,
             "J", "for a core's second of work at full speed");
    line(f,
         part((double)all->unserved_ns[BL_WINDOW_100MS],
              (double)all->entitled_ns) *
             100,
         3, "%", "of what VMs were entitled to not served within 100 ms");
    if (all->promised_ns > 0)
        line(f, part((double)all->broken_ns, (double)all->promised_ns) * 100, 3,
             "%", "of what was reserved and wanted, likewise");
    line(f,
         part((double)bl_host_pstate_switches(r) * 1e9, (double)r->duration_ns),
         1, "/s", "changes of a domain's P-state");
}

static void pstates(FILE *f, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    const double all = (double)r->duration_ns * r->core_count;
    char words[80];

    for (uint32_t i = 0; i < w->freq->pstate_count; i++) {
        snprintf(words, sizeof(words), "of the cores' time at %.3f GHz",
                 (double)w->freq->pstate[i].khz / 1e6);
        line(f, part((double)bl_host_stay_ns(r, i), all) * 100, 2, "%", words);
    }
    for (uint32_t i = 0; i < w->freq->idle_count; i++) {
        int64_t ns = 0;

        for (uint32_t k = 0; k < w->domain_count; k++)
            ns += w->domain[k].idle_ns[i];
        snprintf(words, sizeof(words), "of it idle in state %.16s",
                 w->freq->idle[i].name);
        line(f, part((double)ns, all) * 100, 2, "%", words);
    }
}

/* The most rows of the table of domains. */
#define ROWS 16u

static void domains(FILE *f, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    const uint32_t n = w->domain_count < ROWS ? w->domain_count : ROWS;

    if (w->domain_count == 1)
        return;
    fprintf(f, "  %6s %12s %8s %10s %12s %10s\n", "domain", "cores", "busy %",
            "mean GHz", "energy, J", "changes");
    for (uint32_t i = 0; i < n; i++) {
        const struct bl_host_domain_row *d = &w->domain[i];
        const double ns = (double)r->duration_ns;
        double khz = 0;
        char cores[24];

        for (uint32_t k = 0; k < w->freq->pstate_count; k++)
            khz += (double)w->freq->pstate[k].khz *
                   part((double)d->stay_ns[k], ns);
        snprintf(cores, sizeof(cores), "%u-%u", d->core_first,
                 d->core_first + d->core_count - 1);
        fprintf(f, "  %6u %12s %8.2f %10.3f %12.3f %10" PRIu64 "\n", i, cores,
                part((double)d->busy_ns, ns * d->core_count) * 100, khz / 1e6,
                (double)d->energy_uj / 1e6, d->switch_count);
    }
    if (n < w->domain_count)
        fprintf(f, "  ... and %u more\n", w->domain_count - n);
}

void bl__host_power_text(FILE *f, const struct bl_host_result *r)
{
    struct bl_host_vm_row all;

    bl_host_total(r, 0, r->vm_count, &all);
    watts(f, r);
    served(f, r, &all);
    pstates(f, r);
    domains(f, r);
}

/* ---- JSON --------------------------------------------------------------- */

static void put(struct bl_json *j, json_t *o, const char *key, uint64_t n)
{
    bl__json_set(j, o, key, bl__json_count(n));
}

static void put_ns(struct bl_json *j, json_t *o, const char *key, int64_t ns)
{
    bl__json_set(j, o, key, json_integer((json_int_t)ns));
}

static void append(struct bl_json *j, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        j->failed = true;
}

static json_t *domain_json(struct bl_json *j, const struct bl_freq *freq,
                           const struct bl_host_domain_row *d)
{
    json_t *o = json_object(), *stay = json_array(), *idle = json_array();

    put(j, o, "first_core", d->core_first);
    put(j, o, "cores", d->core_count);
    put(j, o, "pstate", d->pstate);
    put(j, o, "energy_uj", d->energy_uj);
    put_ns(j, o, "busy_ns", d->busy_ns);
    put(j, o, "pstate_changes", d->switch_count);
    for (uint32_t i = 0; i < freq->pstate_count; i++)
        append(j, stay, json_integer((json_int_t)d->stay_ns[i]));
    bl__json_set(j, o, "pstate_ns", stay);
    for (uint32_t i = 0; i < freq->idle_count; i++) {
        json_t *row = json_object();

        bl__json_set(j, row, "state", bl__json_text(freq->idle[i].name));
        put_ns(j, row, "ns", d->idle_ns[i]);
        put(j, row, "left", d->idle_count[i]);
        append(j, idle, row);
    }
    bl__json_set(j, o, "idle", idle);
    return o;
}

static void put_served(struct bl_json *j, json_t *o,
                       const struct bl_host_vm_row *vm)
{
    static const char *const key[BL_WINDOWS] = { "unserved_10ms_ns",
                                                 "unserved_100ms_ns",
                                                 "unserved_1s_ns" };

    for (uint32_t i = 0; i < BL_WINDOWS; i++)
        put_ns(j, o, key[i], vm->unserved_ns[i]);
    put_ns(j, o, "reserved_wanted_ns", vm->promised_ns);
    put_ns(j, o, "reserved_missing_ns", vm->broken_ns);
}

void bl__host_power_vm_json(struct bl_json *j, json_t *o,
                            const struct bl_host_vm_row *vm)
{
    put_served(j, o, vm);
}

void bl__host_power_json(struct bl_json *j, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;
    json_t *o = json_object(), *khz = json_array(), *rows = json_array();
    struct bl_host_vm_row all;

    bl_host_total(r, 0, r->vm_count, &all);
    bl__json_set(j, o, "governor", bl__json_text(w->governor));
    bl__json_set(j, o, "governor_params", bl__json_text(w->governor_params));
    put_ns(j, o, "governor_ns", w->governor_ns);
    bl__json_set(j, o, "cap_mw",
                 w->cap_mw == UINT64_MAX ? json_null()
                                         : bl__json_count(w->cap_mw));
    put(j, o, "cap_pstate", w->cap_fastest);
    put(j, o, "cap_bandwidth_ppm", w->cap_bandwidth_ppm);
    put(j, o, "energy_uj", w->energy_uj);
    put(j, o, "mean_mw", bl_host_mean_mw(r));
    put(j, o, "second_most_mw", w->second_most_mw);
    put(j, o, "idle_extra_uj", w->idle_extra_uj);
    bl__json_set(j, o, "work_uj_per_s",
                 all.work_ns > 0
                     ? bl__json_count(bl_muldiv(w->energy_uj, 1000000000,
                                                (uint64_t)all.work_ns))
                     : json_null());
    put(j, o, "pstate_changes", bl_host_pstate_switches(r));
    put_served(j, o, &all);
    for (uint32_t i = 0; i < w->freq->pstate_count; i++)
        append(j, khz, bl__json_count(w->freq->pstate[i].khz));
    bl__json_set(j, o, "pstate_khz", khz);
    for (uint32_t i = 0; i < w->domain_count; i++)
        append(j, rows, domain_json(j, w->freq, &w->domain[i]));
    bl__json_set(j, o, "domains", rows);
    bl__json_member(j, "power", o);
}

/* ---- CSV ---------------------------------------------------------------- */

void bl_host_report_csv_domains(FILE *f, const struct bl_host_result *r)
{
    const struct bl_host_power *w = r->power;

    fputs("domain,first_core,cores,pstate,energy_uj,busy_ns,pstate_changes", f);
    for (uint32_t i = 0; i < w->freq->pstate_count; i++)
        fprintf(f, ",pstate%u_ns", i);
    for (uint32_t i = 0; i < w->freq->idle_count; i++)
        fprintf(f, ",idle%u_ns,idle%u_left", i, i);
    fputc('\n', f);
    for (uint32_t k = 0; k < w->domain_count; k++) {
        const struct bl_host_domain_row *d = &w->domain[k];

        fprintf(f, "%u,%u,%u,%u,%" PRIu64 ",%" PRId64 ",%" PRIu64, k,
                d->core_first, d->core_count, d->pstate, d->energy_uj,
                d->busy_ns, d->switch_count);
        for (uint32_t i = 0; i < w->freq->pstate_count; i++)
            fprintf(f, ",%" PRId64, d->stay_ns[i]);
        for (uint32_t i = 0; i < w->freq->idle_count; i++)
            fprintf(f, ",%" PRId64 ",%" PRIu64, d->idle_ns[i],
                    d->idle_count[i]);
        fputc('\n', f);
    }
}
