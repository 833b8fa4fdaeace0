/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim/cloudsim303_priv.h - the physics of CloudSim 3.0.3's power experiments.
 *
 * Source     CloudSim 3.0.3, examples power.planetlab, as described class by
 *            class in the project's notes on that program; Beloglazov and
 *            Buyya, CCPE 24(13), 2012, for the experiment.
 * Idea       the same doubles in the same order of operations, so that every
 *            printed digit of the program comes out. Its quirks are part of
 *            it; each is named QUIRK where it is reproduced.
 * Bound      energy, migrations, shutdowns and SLA figures equal the program's
 *            printed digits (tests/test_cloudsim303.c, on real days when the
 *            traces are there, on a generated golden everywhere).
 * Deviation  bandwidth is not checked at the initial placement: memory always
 *            runs out first there. Hosts that cannot have changed are not
 *            recomputed; their figures would be the same bits.
 * Cost       O(VMs) for each of the few update instants of a frame.
 *
 * cloudsim303.c        time line, initial placement, migrations, the port
 * cloudsim303_host.c   CPU sharing, host update, energy
 * cloudsim303_meter.c  SLA figures and the result
 *
 * One MIPS of that program is one MHz here; times are seconds as double.
 */
#ifndef BL_SIM_CLOUDSIM303_PRIV_H
#define BL_SIM_CLOUDSIM303_PRIV_H

#include "report/floor.h"
#include "sim/sim_priv.h"

#define CS_INTERVAL_S 300.0
#define CS_MIN_EVENT_S 0.1 /* the program's least time between two events */
#define CS_INTERVAL_NS (300 * BL_NS_PER_S)
#define CS_MIN_EVENT_NS (BL_NS_PER_S / 10)
/* QUIRK: a VM is slowed by 10 % while it migrates, at both ends. */
#define CS_SLOWED 0.9
#define CS_TARGET_PART 0.1

/* The last state entry of a VM; an entry at the same time replaces it. */
struct cs_vm {
    double mips;
    double data, data_next; /* samples at both ends of the trace step */
    double delta;           /* u(t) = data + delta * (t - start of step) */
    double request, alloc;
    double entry_s, entry_alloc, entry_request;
    bool entry_in_migration, has_entry;
    double sum_request, sum_alloc, sum_migration_loss; /* MHz s */
    double sum_short;     /* of (request - alloc) / request over entries */
    uint64_t short_count; /* entries with alloc < request */
    double worst_short;
    uint32_t worst_host;
    double worst_s, worst_load;
    uint32_t migrations;
};

struct cs_host {
    double total, core;           /* MIPS */
    double util_mips, prev_mips;  /* now, and before this update */
    double request, request_fair; /* QUIRK A: all, and with a tenth of IN */
    double load;                  /* asked for over capacity */
    bool touched;                 /* changed since the last full update */
    bool unmanaged;               /* policy npa: always P(1) */
    /* state entries: the last one, and what the one before said */
    double entry_s, entry_alloc, entry_request, entry_fair;
    bool entry_active, has_entry;
    bool was_active;
    double switched_on_s, active_s, violated_s, violated_fair_s;
    double energy_j;
    uint32_t off_count, on_count, migrations_in, migrations_out, vms_max;
};

/* One VM's claim on its host, and the role that decides what it pays for. */
struct cs_claim {
    double mips; /* request, at most one core */
    enum bl_role role;
};

struct cs_move {
    uint32_t vm, target;
    double end_s;
};

struct cs_state {
    struct cs_vm *vm;
    struct cs_host *host;
    struct cs_move *move; /* in flight, in order of start */
    uint32_t move_count, move_max;
    double now_s;     /* the program's clock */
    double next_s;    /* the next frame */
    int64_t next_ns;  /* the same, on the world's clock */
    double step_s;    /* start of the trace step in force */
    double updated_s; /* last full update */
    double energy_j;
    double before_shutdown_s; /* sum over shutdowns */
    uint64_t shutdowns, migrations;
    double demand_mhz, served_mhz; /* at the last full update */
    struct bl_floor floor;
    double floor_j, floor_served_j, floor_w, floor_served_w;
    struct cs_claim *claim; /* scratch for one host */
    double *alloc;
    uint32_t claim_max;
    double frame_energy_j, frame_floor_j; /* when the last frame began */
    struct bl_step_result *series;        /* one for each frame */
    uint32_t series_count, series_max;
};

static inline struct cs_state *cs_state(struct bl_sim *sim)
{
    return sim->state;
}

/* cloudsim303_host.c */
double bl__cs_serve(const struct bl_snapshot *s, uint32_t host,
                    const uint32_t *vm, uint32_t vm_count, double *free_mhz);
void bl__cs_update_host(struct bl_sim *sim, uint32_t host);
/* QUIRK: every migration end brings all hosts up to date. */
void bl__cs_update_all(struct bl_sim *sim);

/* cloudsim303_meter.c */
void bl__cs_vm_entry(struct cs_vm *vm, double now_s, bool in_migration);
void bl__cs_host_entry(struct cs_state *st, struct cs_host *host, double now_s);
/* Power and floor of the row that ends now. */
void bl__cs_close_row(struct cs_state *st);
void bl__cs_finish(struct bl_sim *sim, struct bl_result *r);

#endif /* BL_SIM_CLOUDSIM303_PRIV_H */
