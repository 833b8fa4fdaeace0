/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speed - pCPUs of different and changing speed.
 *
 * Source     DESIGN.md 5.5: a reservation in kHz is a promise. Linux, too,
 *            scales what it measures of a task by the frequency of its CPU
 *            (frequency invariance) [recalled].
 * Idea       what is charged is work: run time at the speed of the pCPU, as
 *            with SMT. So virtual times, budgets and limits keep their
 *            meaning, and a slice lasts longer where it is slow. The host's
 *            capacity is the sum of present speeds, or less where all VMs
 *            together may use less, and a vCPU is owed one pCPU of the fastest
 *            at most.
 * Bound      lags keep their bounds (test_sched_lag, storms with speeds that
 *            change); shares, reservations and limits by hand at other speeds
 *            (test_sched_speed).
 * Deviation  who runs on which pCPU does not depend on its speed: a vCPU that
 *            is owed a fast one may stay on a slow one. Governors see to it
 *            that no domain is slower than what runs there needs.
 * Cost       O(1) a charge; a change O(pCPUs).
 */
#include "sched/sched_priv.h"

#define UNIT (UINT64_C(1) << BL__CAPACITY_SHIFT)

/* A thread of a core with @n, all busy, at full speed. */
static uint64_t thread_of(const struct bl_sched *s, uint32_t n)
{
    return bl_smt_rate_ppm(s->opts.smt_ppm, n, n) * UNIT / (uint64_t)BL_PPM;
}

static uint64_t at_speed(uint64_t capacity, uint32_t speed_ppm)
{
    return speed_ppm == BL_PPM ? capacity
                               : capacity * speed_ppm / (uint64_t)BL_PPM;
}

struct size {
    uint64_t host, vcpu, thread;
};

/* What all threads of the host do together, or may do, and the most of one vCPU
 * when all are busy, in 2^-20 of a core alone. Where a core is one VM's at a
 * time, cores count: whether that VM can use all threads of one nobody knows
 * before. */
static struct size size_of(const struct bl_sched *s)
{
    const struct bl_topo *t = s->topo;
    struct size z = { 0, 0, UNIT };
    uint32_t fastest = 1;

    for (uint32_t i = 0; i < t->core_count; i++) {
        const struct bl_topo_range r = t->core[i];
        const uint64_t thread = thread_of(s, r.count);

        for (uint32_t p = r.first; p < (uint32_t)r.first + r.count; p++) {
            const uint32_t speed = s->pcpu[p].speed_ppm;

            fastest = speed > fastest ? speed : fastest;
            if (!s->mode->whole_cores)
                z.host += at_speed(thread, speed);
        }
        if (s->mode->whole_cores)
            z.host += at_speed(UNIT, s->pcpu[r.first].speed_ppm);
        else
            z.thread = thread < z.thread ? thread : z.thread;
    }
    if (s->all_vms.ppm != BL_NO_LIMIT) {
        const bl_u128 most = (bl_u128)s->all_vms.ppm * UNIT / (bl_u128)BL_PPM;

        z.host = most < z.host ? (uint64_t)most : z.host;
        z.host = z.host > 0 ? z.host : 1;
    }
    z.vcpu = at_speed(z.thread, fastest);
    z.vcpu = z.vcpu > 0 ? z.vcpu : 1;
    return z;
}

void bl__speed_size_host(struct bl_sched *s)
{
    const struct size z = size_of(s);

    s->capacity = z.host;
    s->vcpu_cap = z.vcpu;
}

void bl__speed_check(const struct bl_sched *s)
{
    const struct size z = size_of(s);

    BL_ASSERT(s->capacity == z.host);
    BL_ASSERT(s->vcpu_cap == z.vcpu);
    for (uint32_t p = 0; p < s->topo->pcpu_count; p++)
        BL_ASSERT(s->pcpu[p].rate_ppm >= 1 &&
                  s->pcpu[p].rate_ppm <= s->pcpu[p].speed_ppm);
}
