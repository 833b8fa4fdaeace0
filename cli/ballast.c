/* SPDX-License-Identifier: Apache-2.0 */
/* ballast - command line front end: picks the subcommand. */
#include "cli/cli.h"

#include <string.h>

static const char help[] =
    "ballast - decides which VM runs where, and replays what that would cost\n"
    "\n"
    "Try it:\n"
    "  ballast sim                          a day in a small data centre\n"
    "  ballast sim --baseline static        what its policy saved, and lost\n"
    "  ballast sim mine.yaml --policy help  all policies and their parameters\n"
    "\n"
    "Commands:\n"
    "  sim        replay a trace under a policy: energy, service, migrations\n"
    "  check      read a scenario and say what is wrong with it\n"
    "  trace      import, describe or generate traces\n"
    "  compare    put two runs side by side\n"
    "  tune       find the policy's parameters for your traces\n"
    "  power      what this machine draws, and the limits of it\n"
    "\n"
    "  ballast COMMAND --help   explains one of them\n"
    "  ballast --version        prints the version\n"
    "  ballast --help           prints this text\n"
    "\n"
    "Exit status: 0 done, 1 bad input, 2 bad options, 130 interrupted.\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } command[] = {
        { "sim", bl_cli_sim },     { "check", bl_cli_check },
        { "trace", bl_cli_trace }, { "compare", bl_cli_compare },
        { "tune", bl_cli_tune },   { "power", bl_cli_power },
    };

    if (argc < 2) {
        fputs(help, stderr);
        return BL_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++) {
        if (strcmp(argv[1], command[i].name) == 0) {
            bl_cli_catch_signals();
            return command[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return bl_cli_flush();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("ballast " BL_VERSION);
        return bl_cli_flush();
    }
    return bl_cli_usage(NULL,
                        "unknown command '%s', expected sim, check, "
                        "trace, compare, tune or power",
                        argv[1]);
}
