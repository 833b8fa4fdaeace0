#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Instructions for each dispatch, counted by callgrind: the same everywhere the
# same compiler is, whatever else the machine does. Two runs that differ only in
# their number of dispatches; the difference is the dispatches' alone.
# usage: tools/bench-callgrind.sh BENCH_SCHED [POLICY...]
set -eu
bench=$1
shift
command -v valgrind >/dev/null || {
    echo "no valgrind: run sh tools/bootstrap.sh --packages bench" >&2
    exit 1
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# instructions POLICY VCPUS DISPATCHES
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$bench" --only "$1" "$2" "$3" >/dev/null 2>"$out" || {
        cat "$out" >&2
        exit 1
    }
    sed -n 's/.*Collected : //p' "$out"
}

echo "policy,vcpus,instructions,growth"
[ $# -gt 0 ] || set -- fair
for policy in "$@"; do
    before=
    for vcpus in 64 1024 16384; do
        few=$(instructions "$policy" "$vcpus" 10000)
        many=$(instructions "$policy" "$vcpus" 30000)
        each=$(((many - few) / 20000))
        echo "$policy,$vcpus,$each,${before:+$(awk "BEGIN {
            printf \"%.2f\", $each / $before }")}"
        before=$each
    done
done
