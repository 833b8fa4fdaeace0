/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C: a word to whoever runs, once. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

volatile sig_atomic_t bl_cli_stop;

static void on_signal(int number)
{
    (void)number;
    bl_cli_stop = 1;
}

/* The handler is gone after the first signal, the second one ends the process.
 * No SA_RESTART: a blocking read should notice. */
void bl_cli_catch_signals(void)
{
    struct sigaction sa = { .sa_handler = on_signal,
                            .sa_flags = (int)SA_RESETHAND };

    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}
