/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cli.h - the program's subcommands and what they share.
 *
 * Each subcommand is one file, takes the arguments from its own name on
 * (argv[0] is "sim") and returns the exit status of the process.
 *
 * Layer        cli (L7): the only place that knows terminals, signals, clocks
 *              and the environment.
 * Errors       bad input: one line on stderr, BL_EXIT_FAILED, nothing written.
 *              bad options: one line on stderr, BL_EXIT_USAGE.
 * Threads      main thread only; bl_cli_stop is set by a signal handler.
 */
#ifndef BL_CLI_CLI_H
#define BL_CLI_CLI_H

#include "base/diag.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum bl_exit {
    BL_EXIT_OK = 0,
    BL_EXIT_FAILED = 1,       /* the input or the output, not the command */
    BL_EXIT_USAGE = 2,        /* the command line */
    BL_EXIT_INTERRUPTED = 130 /* Ctrl-C; what there was has been reported */
};

int bl_cli_sim(int argc, char **argv);
int bl_cli_check(int argc, char **argv);
int bl_cli_trace(int argc, char **argv);
int bl_cli_compare(int argc, char **argv);
int bl_cli_tune(int argc, char **argv);
int bl_cli_power(int argc, char **argv);

/* Not 0 after SIGINT or SIGTERM: finish soon, report what there is. The second
 * signal ends the process the usual way. */
extern volatile sig_atomic_t bl_cli_stop;
void bl_cli_catch_signals(void);

/* Prints @diag on stderr; returns BL_EXIT_FAILED. */
int bl_cli_fail(const struct bl_diag *diag);

/* "ballast sim: MESSAGE; see ballast sim --help" on stderr; returns
 * BL_EXIT_USAGE. */
int bl_cli_usage(const char *subcommand, const char *fmt, ...) BL_PRINTF(2, 3);

/* What getopt_long() just refused (@opt is its '?' or ':', with opterr 0 and
 * an option string that begins with ':'); returns BL_EXIT_USAGE. */
int bl_cli_bad_option(const char *subcommand, int opt, char **argv);

/* A whole number from @min to @max, the value of @option; else says so and
 * returns BL_EXIT_USAGE. */
int bl_cli_number(const char *subcommand, const char *option, const char *text,
                  int64_t min, int64_t max, int64_t *out);

/* Flushes stdout: BL_EXIT_OK, or BL_EXIT_FAILED with a line on stderr when
 * anything written to it was lost. */
int bl_cli_flush(void);

/* May @f be written in UTF-8 (by LC_ALL, LC_CTYPE, LANG)? In colour (a
 * terminal, and neither NO_COLOR nor TERM=dumb)? */
bool bl_cli_utf8(void);
bool bl_cli_colour(FILE *f);

#endif /* BL_CLI_CLI_H */
