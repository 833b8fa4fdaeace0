/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share: messages, exit statuses, what a terminal can. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include "base/units.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bl_cli_fail(const struct bl_diag *diag)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", diag->text);
    return BL_EXIT_FAILED;
}

static int usage_error(const char *subcommand, const char *message)
{
    struct bl_diag line;

    /* through a diag: what would garble a terminal is taken out */
    (void)bl_diag_set(&line, BL_ERR_INVAL, NULL, 0,
                      "ballast%s%s: %.300s; see "
                      "ballast%s%s --help",
                      subcommand != NULL ? " " : "",
                      subcommand != NULL ? subcommand : "", message,
                      subcommand != NULL ? " " : "",
                      subcommand != NULL ? subcommand : "");
    fflush(stdout);
    fprintf(stderr, "%s\n", line.text);
    return BL_EXIT_USAGE;
}

int bl_cli_usage(const char *subcommand, const char *fmt, ...)
{
    char message[BL_DIAG_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    return usage_error(subcommand, message);
}

int bl_cli_number(const char *subcommand, const char *option, const char *text,
                  int64_t min, int64_t max, int64_t *out)
{
    const char *why = NULL;
    int64_t n = 0;

    if (bl_units_parse(BL_DIM_COUNT, text, &n, &why) != BL_ERR_OK || n < min ||
        n > max)
        return bl_cli_usage(subcommand,
                            "%s '%.40s' is no number from %lld to %lld", option,
                            text, (long long)min, (long long)max);
    *out = n;
    return BL_EXIT_OK;
}

int bl_cli_bad_option(const char *subcommand, int opt, char **argv)
{
    const char *given = argv[optind - 1];

    if (opt == ':')
        return bl_cli_usage(subcommand, "%s needs a value", given);
    if (optopt != 0 && strncmp(given, "--", 2) == 0)
        return bl_cli_usage(subcommand, "%s takes no value", given);
    if (optopt != 0)
        return bl_cli_usage(subcommand, "unknown option '-%c'", optopt);
    return bl_cli_usage(subcommand, "unknown option '%s'", given);
}

int bl_cli_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return BL_EXIT_OK;
    fputs("ballast: not all output could be written\n", stderr);
    return BL_EXIT_FAILED;
}

/* The first of the three that is set decides, as for any other program. */
bool bl_cli_utf8(void)
{
    static const char *const name[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        const char *v = getenv(name[i]);

        if (v != NULL && v[0] != '\0')
            return strstr(v, "UTF-8") != NULL || strstr(v, "utf8") != NULL ||
                   strstr(v, "utf-8") != NULL || strstr(v, "UTF8") != NULL;
    }
    return false;
}

bool bl_cli_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return (no == NULL || no[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0 && isatty(fileno(f));
}
