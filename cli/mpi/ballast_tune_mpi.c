/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ballast-tune-mpi - what `ballast tune` becomes under mpirun.
 *
 * A program of its own: with libmpi in it, every start of ballast would load
 * some thirty libraries more (doc/tune.md has the figures).
 */
#include "cli/tune_priv.h"

#include <mpi.h>
#include <stdlib.h>

enum { TAG = 1 };

static void mpi_send(void *ctx, int to, const struct bl_rank_message *m)
{
    (void)ctx;
    MPI_Send(m, (int)sizeof(*m), MPI_BYTE, to, TAG, MPI_COMM_WORLD);
}

static bool mpi_poll(void *ctx, int *from, struct bl_rank_message *m)
{
    MPI_Status status;
    int there = 0;

    (void)ctx;
    MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status);
    if (!there)
        return false;
    *from = status.MPI_SOURCE;
    MPI_Recv(m, (int)sizeof(*m), MPI_BYTE, *from, TAG, MPI_COMM_WORLD, &status);
    return true;
}

/* One rank's words are enough where all have the same to say. */
static int run(int argc, char **argv, struct bl_ranks *r)
{
    int status = BL_EXIT_FAILED;

    r->credit = calloc((size_t)r->size, sizeof(*r->credit));
    r->known = calloc((size_t)r->size, sizeof(*r->known));
    if (r->credit == NULL || r->known == NULL)
        fputs("out of memory\n", stderr);
    else if (r->rank > 0 && (freopen("/dev/null", "w", stderr) == NULL ||
                             freopen("/dev/null", "w", stdout) == NULL))
        status = BL_EXIT_FAILED;
    else
        status = bl_tune_main(argc, argv, r->size > 1 ? r : NULL);
    free(r->credit);
    free(r->known);
    return status;
}

/* mpirun of another MPI starts processes that know nothing of each other: all
 * of them would be rank 0. */
static bool started_together(int size)
{
    const char *said = getenv("OMPI_COMM_WORLD_SIZE");

    if (said == NULL)
        said = getenv("PMI_SIZE");
    return said == NULL || strtol(said, NULL, 10) == size;
}

int main(int argc, char **argv)
{
    struct bl_ranks r = { .send = mpi_send, .poll = mpi_poll };
    int level = 0, status;

    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) !=
        MPI_SUCCESS)
        return BL_EXIT_FAILED;
    MPI_Comm_rank(MPI_COMM_WORLD, &r.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r.size);
    bl_cli_catch_signals();
    if (started_together(r.size) && level >= MPI_THREAD_FUNNELED) {
        status = run(argc, argv, &r);
    } else {
        fputs(
            "ballast-tune-mpi: started by an mpirun of another MPI, expected "
            "the one that it was built with\n",
            stderr);
        status = BL_EXIT_FAILED;
    }
    MPI_Finalize();
    return status;
}
