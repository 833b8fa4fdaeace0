#!/bin/sh
# check-files.sh - what every source file has: the licence line first, fewer than
# 800 lines, no leftovers, and a header guard of its own.
set -eu
# shellcheck disable=SC2016 # the program is awk's
find . -path ./build -prune -o -name '*.[ch]' -print | sed 's|^\./||' | sort |
    xargs awk '
    function bad_line(text) { print FILENAME ":" FNR ": " text; bad = 1 }
    function end_of(name, lines) {
        if (lines >= 800) { print name ": " lines " lines, fewer than 800 expected"; bad = 1 }
    }
    FNR == 1 {
        if (last != "") end_of(last, count)
        last = FILENAME
        if ($0 != "/* SPDX-License-Identifier: Apache-2.0 */") bad_line("no SPDX line")
    }
    { count = FNR }
    /[T]ODO|[F]IXME|(^|[^X])[X]XX([^X]|$)/ { bad_line("leftover") }
    /^#ifndef BL_.*_H$/ && FILENAME ~ /\.h$/ {
        if ($2 in guard) bad_line("the guard of " guard[$2] ", too")
        guard[$2] = FILENAME
    }
    END { end_of(last, count); exit bad }'
