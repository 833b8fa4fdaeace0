/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support_table.h - a snapshot that a test writes down itself, row by
 * row, with no physics behind it: what policies and the overlay look at.
 *
 * Hosts are of two groups in turn: "slow", 2 cores of 2 GHz, 8 GiB, 100 W and
 * 10 W more for each tenth of load; "fast", 4 cores of 3 GHz, 16 GiB, 120 W and
 * a table that bends. VMs are of four groups in turn: 1, 1, 2 and 4 vCPUs of
 * 1, 2, 1 and 2.5 GHz with 1 to 4 GiB; those of the last one have half of that
 * reserved.
 *
 * The sharing rule of these hosts: VMs in list order get what they ask for
 * while it lasts.
 */
#ifndef BL_TESTS_SUPPORT_TABLE_H
#define BL_TESTS_SUPPORT_TABLE_H

#include "base/prng.h"
#include "sim/sim_priv.h"

#define TEST_GIB (UINT64_C(1) << 30)

struct test_table {
    struct bl_arena arena; /* open: tests may take more from it */
    struct bl_dc dc;
    struct bl_columns c;
    struct bl_snapshot s;
};

/* All hosts on and empty, all slots absent, a history of @samples a VM. */
struct test_table *test_table_new(uint32_t hosts, uint32_t slots,
                                  uint32_t samples);
void test_table_free(struct test_table *t);

/* Absent -> pending; with all of its size wanted, and no history. */
void test_table_arrive(struct test_table *t, uint32_t vm);
/* Pending -> placed, last on the host's list. */
void test_table_place(struct test_table *t, uint32_t vm, uint32_t host);
/* Arrive, place, and ask for @demand_mhz. */
void test_table_put(struct test_table *t, uint32_t vm, uint32_t host,
                    double demand_mhz);
/* Placed -> in flight: OUT here, IN and last on the list there. */
void test_table_migrate(struct test_table *t, uint32_t vm, uint32_t host);
/* In flight -> placed on its target, last on its list. */
void test_table_land(struct test_table *t, uint32_t vm);
/* Any state -> absent; the slot is of the next generation. */
void test_table_depart(struct test_table *t, uint32_t vm);

void test_table_state(struct test_table *t, uint32_t host,
                      enum bl_host_state state);

/* A new observation: what hosts serve, have free and use is measured again.
 * Who migrates in has a tenth of what it asks for. */
const struct bl_snapshot *test_table_look(struct test_table *t);

/* Something else happens: each VM may arrive, be placed, ask for more or less,
 * migrate, land, leave; each host may change its state; histories grow. */
void test_table_stir(struct test_table *t, struct bl_prng *prng);

#endif /* BL_TESTS_SUPPORT_TABLE_H */
