/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a host's run for other programs; whole numbers only, so that
 * nothing is cut. */
#include "report/host_report.h"
#include "report/report_priv.h"

#include <inttypes.h>

static void put(FILE *f, uint64_t n)
{
    fprintf(f, ",%" PRIu64, n);
}

static void put_ns(FILE *f, int64_t ns)
{
    fprintf(f, ",%" PRId64, ns);
}

static void put_states(FILE *f, const int64_t *state_ns)
{
    for (uint32_t k = 0; k < BL_VCPU_STATE_COUNT; k++)
        put_ns(f, state_ns[k]);
}

#define STATES_HEAD "run_ns,ready_ns,limited_ns,costop_ns,blocked_ns"

static void put_latency(FILE *f, const struct bl_latency *l)
{
    put(f, l->count);
    put_ns(f, bl_latency_quantile(l, 500000));
    put_ns(f, bl_latency_quantile(l, 990000));
    put_ns(f, bl_latency_quantile(l, 999000));
    put_ns(f, l->max_ns);
}

static void put_vms_head(FILE *f, bool power)
{
    static const char *const window[] = { "10ms", "100ms", "1s" };
    static const char *const latency[] = { "wake", "unit", "skew" };

    fputs(
        "vm,group,vcpus,shares,reservation_ppm,limit_ppm,alive_ns,"
        "entitled_ns,received_ns," STATES_HEAD,
        f);
    for (uint32_t w = 0; w < BL_WINDOWS; w++)
        fprintf(f,
                ",error_%s_windows,error_%s_most_ahead_ns,"
                "error_%s_most_behind_ns,error_%s_abs_sum_ns",
                window[w], window[w], window[w], window[w]);
    fputs(",units,late,work_ns,spin_ns", f);
    for (uint32_t i = 0; i < 3; i++)
        fprintf(f, ",%s_count,%s_p50_ns,%s_p99_ns,%s_p999_ns,%s_max_ns",
                latency[i], latency[i], latency[i], latency[i], latency[i]);
    if (power)
        fputs(
            ",unserved_10ms_ns,unserved_100ms_ns,unserved_1s_ns,"
            "reserved_wanted_ns,reserved_missing_ns",
            f);
    fputc('\n', f);
}

static void put_served(FILE *f, const struct bl_host_vm_row *vm)
{
    for (uint32_t w = 0; w < BL_WINDOWS; w++)
        put_ns(f, vm->unserved_ns[w]);
    put_ns(f, vm->promised_ns);
    put_ns(f, vm->broken_ns);
}

void bl_host_report_csv_vms(FILE *f, const struct bl_host_result *r)
{
    put_vms_head(f, r->power != NULL);
    for (uint32_t v = 0; v < r->vm_count; v++) {
        const struct bl_host_vm_row *vm = &r->vm[v];

        BL_ASSERT(vm->group < r->group_count);
        bl__csv_text(f, vm->name);
        fputc(',', f);
        bl__csv_text(f, r->group[vm->group].name);
        put(f, vm->vcpu_count);
        put(f, vm->shares);
        put(f, vm->reservation_ppm);
        if (vm->limit_ppm == BL_NO_LIMIT)
            fputc(',', f);
        else
            put(f, vm->limit_ppm);
        put_ns(f, vm->alive_ns);
        put_ns(f, vm->entitled_ns);
        put_ns(f, vm->received_ns);
        put_states(f, vm->state_ns);
        for (uint32_t w = 0; w < BL_WINDOWS; w++) {
            put(f, vm->error[w].window_count);
            put_ns(f, vm->error[w].max_ns);
            put_ns(f, vm->error[w].min_ns);
            put_ns(f, vm->error[w].abs_sum_ns);
        }
        put(f, vm->units);
        put(f, vm->late_count);
        put_ns(f, vm->work_ns);
        put_ns(f, vm->spin_ns);
        put_latency(f, &vm->wake);
        put_latency(f, &vm->done);
        put_latency(f, &vm->skew);
        if (r->power != NULL)
            put_served(f, vm);
        fputc('\n', f);
    }
}

void bl_host_report_csv_vcpus(FILE *f, const struct bl_host_result *r)
{
    fputs("vm,vcpu," STATES_HEAD
          ",received_ns,switches,moves_core,moves_llc,moves_node,moves_host,"
          "costops,throttles,skew_max_ns,units,spin_ns\n",
          f);
    for (uint32_t v = 0; v < r->vcpu_count; v++) {
        const struct bl_host_vcpu_row *c = &r->vcpu[v];

        BL_ASSERT(c->vm < r->vm_count);
        bl__csv_text(f, r->vm[c->vm].name);
        put(f, c->index);
        put_states(f, c->account.state_ns);
        put_ns(f, c->account.charged_ns);
        put(f, c->account.switch_count);
        for (uint32_t k = BL_REACH_CORE; k < BL_REACH_COUNT; k++)
            put(f, c->account.move_count[k]);
        put(f, c->account.costop_count);
        put(f, c->account.throttle_count);
        put_ns(f, c->skew_max_ns);
        put(f, c->units);
        put_ns(f, c->spin_ns);
        fputc('\n', f);
    }
}

void bl_host_report_csv_pcpus(FILE *f, const struct bl_host_result *r)
{
    fputs("pcpu,busy_ns,overhead_ns,switches,moves_in\n", f);
    for (uint32_t p = 0; p < r->pcpu_count; p++) {
        fprintf(f, "%u", p);
        put_ns(f, r->pcpu[p].busy_ns);
        put_ns(f, r->pcpu[p].overhead_ns);
        put(f, r->pcpu[p].switch_count);
        put(f, r->pcpu[p].move_in_count);
        fputc('\n', f);
    }
}
