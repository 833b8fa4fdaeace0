#!/bin/sh
# coverage.sh DIR SOURCE... - line coverage of each source, least covered first,
# from the counters that an instrumented run left in the build directory DIR.
set -eu
dir=$1
shift
for source; do
    gcov -r -n -o "$dir/${source%.c}.gcno" "$source" 2>/dev/null |
        awk -v want="$source" '
            /^File / { file = $2; gsub(/\047/, "", file) }
            /^Lines executed:/ && file == want {
                split($2, p, /[:%]/); print p[2], $4, want; file = "" }'
done | sort -n | awk '
    { printf "%6.1f %%  %5d lines  %s\n", $1, $2, $3
      lines += $2; covered += $1 * $2 }
    END { if (lines == 0) { print "no counters found"; exit 1 }
          printf "%6.1f %%  %5d lines  all\n", covered / lines, lines }'
