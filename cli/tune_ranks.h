/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tune_ranks.h - how the processes of one `ballast tune` talk: short
 * messages between rank 0, which decides and keeps the results, and the others,
 * which run. MPI is behind two functions (cli/mpi/ballast_tune_mpi.c); a test
 * puts something else there.
 *
 *     HELLO    rank -> 0   how many runs at a time, what it is about; or an
 *                          error
 *     WORK     0 -> rank   make this run
 *     RESULT   rank -> 0   it came to this; or an error
 *     QUIT     0 -> rank   all is done
 *
 * Layer        cli (L7).
 * Ownership    messages are copied.
 * Errors       a transport that fails ends the process its own way (MPI's
 *              default): the rows written so far are kept.
 * Threads      send and poll are called by the main thread of a process only.
 * Limits       machines of one kind: a message goes over as bytes.
 */
#ifndef BL_CLI_TUNE_RANKS_H
#define BL_CLI_TUNE_RANKS_H

#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* What of a run is kept: figures as the run's report has them. */
struct bl_tune_figures {
    double energy_kwh, slav, unserved_ppm, demand_mcycles;
    uint64_t migrations, transitions;
    uint64_t state_hash;
};

enum bl_rank_message_kind {
    BL_RANK_HELLO,
    BL_RANK_WORK,
    BL_RANK_RESULT,
    BL_RANK_QUIT
};

struct bl_rank_message {
    uint32_t kind;    /* enum bl_rank_message_kind */
    uint32_t err;     /* bl_err; with text */
    uint32_t threads; /* HELLO */
    uint32_t done;    /* RESULT */
    uint32_t job, point, trace, steps;
    uint64_t hash; /* HELLO */
    struct bl_tune_figures figures;
    char text[BL_DIAG_BYTES];
};

struct bl_ranks {
    int rank, size;
    void *ctx;
    void (*send)(void *ctx, int to, const struct bl_rank_message *m);
    /* A message that has come, without waiting; false: none. */
    bool (*poll)(void *ctx, int *from, struct bl_rank_message *m);
    /* Rank 0's own, zero at the start: what each of the others can still be
     * given, and who has said HELLO. [size] */
    uint32_t *credit;
    bool *known;
};

#endif /* BL_CLI_TUNE_RANKS_H */
