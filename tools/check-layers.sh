#!/bin/sh
# check-layers.sh - every #include "a/b.h" must be allowed by tools/layers.txt,
# and a/..._priv.h is for files of a/ alone (tests, fuzz and bench are exempt).
# What the Makefile generates is included by its bare name, NAME.inc.
set -eu
find . -path ./build -prune -o -name '*.[ch]' -print | sort |
    xargs grep -Hn '^#include "' |
    awk -F: '
    BEGIN {
        while ((getline line < "tools/layers.txt") > 0) {
            if (line ~ /^#/ || line ~ /^$/) continue
            n = split(line, w, /[: ]+/); mods[w[1]] = 1; ok[w[1], w[1]] = 1
            for (i = 2; i <= n; i++) ok[w[1], w[i]] = 1
        }
    }
    {
        split($1, p, "/"); from = p[2]
        split($3, q, "\""); split(q[2], r, "/"); to = r[1]
        if (q[2] ~ /^[a-z_]+\.inc$/) next
        if (from == "tests" || from == "fuzz" || from == "bench") next
        if (!(from in mods)) { print $1 ": module not in layers.txt"; bad = 1 }
        else if (!((from, to) in ok)) {
            print $1 ":" $2 ": " from " may not include " q[2]; bad = 1 }
        else if (q[2] ~ /_priv\.h$/ && from != to) {
            print $1 ":" $2 ": private header of " to; bad = 1 }
    }
    END { exit bad }'
