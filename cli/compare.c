/* SPDX-License-Identifier: Apache-2.0 */
/* cli/compare.c - ballast compare: two runs side by side. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "report/compare.h"

#include <getopt.h>

static const char help[] =
    "usage: ballast compare [--different] [--ascii] A B\n"
    "\n"
    "  ballast sim --out static --policy static\n"
    "  ballast sim --out lr --policy lr-mmt-1.2\n"
    "  ballast compare static lr\n"
    "\n"
    "Prints every figure of two runs, their difference and their ratio. A and "
    "B\n"
    "are directories made by 'ballast sim --out' or files made by 'ballast "
    "sim\n"
    "--json=FILE'. Runs of different traces, physics, demand, hosts or "
    "lengths\n"
    "are refused: their difference would not be that of their policies. "
    "Reads\n"
    "reports of level cluster only, not those of level host.\n"
    "\n"
    "  --different  compare them all the same\n"
    "  --ascii      no characters beyond ASCII\n"
    "  --help       this text\n"
    "\n"
    "Exit status: 0 compared, 1 not reports, or of different input, 2 bad "
    "options.\n";

static int compare(const char *path_a, const char *path_b, bool different,
                   const struct bl_style *style)
{
    static struct bl_compared a, b;
    struct bl_diag diag = { "" };

    if (bl_compare_load(path_a, &a, &diag) != BL_ERR_OK ||
        bl_compare_load(path_b, &b, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    if (!different && bl_compare_check(&a, &b, &diag) != BL_ERR_OK)
        return bl_cli_fail(&diag);
    bl_compare_text(stdout, &a, &b, style);
    return bl_cli_flush();
}

int bl_cli_compare(int argc, char **argv)
{
    static const struct option options[] = {
        { "different", no_argument, NULL, 'd' },
        { "ascii", no_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct bl_style style = { bl_cli_utf8(), bl_cli_colour(stdout) };
    bool different = false;
    int opt;

    opterr = 0;
    optind = 1;
    while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (opt) {
        case 'd':
            different = true;
            break;
        case 'a':
            style.utf8 = false;
            break;
        case 'h':
            fputs(help, stdout);
            return bl_cli_flush();
        default:
            return bl_cli_bad_option("compare", opt, argv);
        }
    }
    if (argc - optind != 2)
        return bl_cli_usage("compare", "%d runs given, expected two",
                            argc - optind);
    return compare(argv[optind], argv[optind + 1], different, &style);
}
