#!/bin/sh
# check-banned.sh - no file calls a function that tools/banned.txt bans in its
# folder. Comments and strings do not count.
set -eu
# shellcheck disable=SC2016 # the program is awk's
find . -path ./build -prune -o -name '*.[ch]' -print | sed 's|^\./||' | sort |
    xargs awk '
    BEGIN {
        while ((getline line < "tools/banned.txt") > 0) {
            if (line ~ /^#/ || line ~ /^$/) continue
            split(line, col, /[ \t]*[|][ \t]*/)
            nwhere = split(col[1], where, " ")
            nnames = split(col[2], names, " ")
            for (i = 1; i <= nwhere; i++)
                for (j = 1; j <= nnames; j++)
                    why[where[i], names[j]] = col[3]
        }
    }
    FNR == 1 { folder = FILENAME; sub(/\/.*/, "", folder); comment = 0 }
    {
        code = $0
        if (comment) {
            if (!match(code, /\*\//)) next
            code = substr(code, RSTART + 2); comment = 0
        }
        gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
        gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", code)
        if (match(code, /\/\*/)) {
            code = substr(code, 1, RSTART - 1); comment = 1
        }
        while (match(code, /[A-Za-z_][A-Za-z0-9_]*\(/)) {
            name = substr(code, RSTART, RLENGTH - 1)
            code = substr(code, RSTART + RLENGTH)
            if (!((folder, name) in why)) continue
            if (why[FILENAME, name] ~ /^allowed/) continue
            print FILENAME ":" FNR ": " name "(): " why[folder, name]
            bad = 1
        }
    }
    END { exit bad }'
