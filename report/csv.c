/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a run for other programs: comma separated, quoted as RFC 4180
 * says, lines ended as on Unix. Doubles have 12 digits, times all of theirs. */
#include "report/report_priv.h"

#include "base/units.h"

#include <string.h>

/* Quoted only where the RFC asks for it. */
void bl__csv_text(FILE *f, const char *s)
{
    if (strpbrk(s, ",\"\r\n") == NULL) {
        fputs(s, f);
        return;
    }
    fputc('"', f);
    for (; *s != '\0'; s++) {
        if (*s == '"')
            fputc('"', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

/* Exact: 300.1, never 300.10000000000002. */
static void put_seconds(FILE *f, int64_t ns)
{
    long long part = ns % BL_NS_PER_S;
    int digits = 9;

    BL_ASSERT(ns >= 0);
    fprintf(f, "%lld", (long long)(ns / BL_NS_PER_S));
    if (part == 0)
        return;
    for (; part % 10 == 0; digits--)
        part /= 10;
    fprintf(f, ".%0*lld", digits, part);
}

void bl_csv_steps(FILE *f, const struct bl_result *r)
{
    fputs(
        "step,at_s,vms,hosts_on,hosts_active,demand_mhz,served_mhz,power_w,"
        "floor_w,migrations\n",
        f);
    for (uint32_t i = 0; i < r->steps; i++) {
        const struct bl_step_result *s = &r->step[i];

        fprintf(f, "%u,", i);
        put_seconds(f, s->at_ns);
        fprintf(f, ",%u,%u,%u,%.12g,%.12g,%.12g,%.12g,%u\n", s->vms,
                s->hosts_on, s->hosts_active, s->demand_mhz, s->served_mhz,
                s->power_w, s->floor_w, s->migrations);
    }
}

void bl_csv_hosts(FILE *f, const struct bl_result *r)
{
    uint32_t number[BL_HOST_GROUPS_MAX] = { 0 };

    fputs(
        "host,name,group,energy_kwh,on_s,active_s,violated_s,on_count,"
        "off_count,migrations_in,migrations_out,vms_max\n",
        f);
    for (uint32_t i = 0; i < r->hosts; i++) {
        const struct bl_dc_host_result *h = &r->host[i];
        char name[BL_TEXT_BYTES];

        BL_ASSERT(h->group < r->group_count);
        snprintf(name, sizeof(name), "%s-%u", r->group[h->group].name,
                 number[h->group]++);
        fprintf(f, "%u,", i);
        bl__csv_text(f, name);
        fputc(',', f);
        bl__csv_text(f, r->group[h->group].name);
        fprintf(f, ",%.12g,", h->energy_kwh);
        put_seconds(f, h->on_ns);
        fputc(',', f);
        put_seconds(f, h->active_ns);
        fputc(',', f);
        put_seconds(f, h->violated_ns);
        fprintf(f, ",%u,%u,%u,%u,%u\n", h->on_count, h->off_count,
                h->migrations_in, h->migrations_out, h->vms_max);
    }
}

void bl_csv_vms_head(FILE *f, bool has_speeds)
{
    fprintf(f,
            "vm,class,alive_s,demand_mcycles,over_limit_mcycles,"
            "unserved_mcycles,unserved_contention_mcycles,"
            "unserved_migration_mcycles,unserved_waiting_mcycles,%s"
            "mem_unserved_mib_s,migrations,downtime_s,worst_host,worst_at_s,"
            "worst_host_load_ppm\n",
            has_speeds ? "unserved_frequency_mcycles," : "");
}

void bl_csv_vm(FILE *f, const struct bl_result *r,
               const struct bl_vm_result *vm)
{
    BL_ASSERT(vm->group < r->class_count);
    bl__csv_text(f, vm->name);
    fputc(',', f);
    bl__csv_text(f, r->class_[vm->group].name);
    fputc(',', f);
    put_seconds(f, vm->alive_ns);
    fprintf(f, ",%llu,%llu,%llu", (unsigned long long)vm->demand_mcycles,
            (unsigned long long)vm->over_limit_mcycles,
            (unsigned long long)bl_vm_unserved(vm));
    for (uint32_t c = 0; c < BL_CAUSE_COUNT; c++)
        if (r->has_speeds || c != BL_CAUSE_FREQUENCY)
            fprintf(f, ",%llu", (unsigned long long)vm->unserved_mcycles[c]);
    fprintf(f, ",%llu,%u,", (unsigned long long)vm->mem_unserved_mib_s,
            vm->migrations);
    put_seconds(f, vm->downtime_ns);
    if (vm->worst_host == BL_NONE) {
        fputs(",,,\n", f);
        return;
    }
    fprintf(f, ",%u,", vm->worst_host);
    put_seconds(f, vm->worst_at_ns);
    fprintf(f, ",%u\n", vm->worst_host_load_ppm);
}

void bl_csv_journal_head(FILE *f)
{
    fputs("at_s,policy,action,vm,from,to,reason,figures,verdict\n", f);
}

void bl_csv_decision(FILE *f, const struct bl_decision *d)
{
    const struct bl_action *a = d->action;
    const char *text[] = { d->policy, bl_action_name(a->kind),  d->vm, d->from,
                           d->to,     bl_reason_text(a->reason) };

    put_seconds(f, d->at_ns);
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        fputc(',', f);
        bl__csv_text(f, text[i]);
    }
    fputc(',', f);
    for (uint32_t i = 0; i < BL_FIGURES; i++) {
        const char *name = bl_reason_figure(a->reason, i);

        if (name[0] != '\0')
            fprintf(f, "%s%s=%.12g", i > 0 ? " " : "", name, a->figure[i]);
    }
    fputc(',', f);
    bl__csv_text(f, bl_verdict_text(d->verdict));
    fputs("\n", f);
}
