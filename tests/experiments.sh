#!/bin/sh
# experiments.sh - the quick pages of doc/experiments say what comes out now;
# `make experiments` writes them all anew.
# shellcheck disable=SC2016 # backquotes of the tables
set -eu
bin=${BL_BIN:-build/gcc/ballast}
command -v jq >/dev/null || {
    echo 'SKIP: no jq here, so tables cannot be repeated'
    exit 0
}
# A page whose figure was changed by hand is found.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp -R doc examples tools "$dir"
page=$dir/doc/experiments/seventeen.md
sed '/^| `fair`/s/94/95/' "$page" >"$dir/page" && cat "$dir/page" >"$page"
case $bin in
/*) ;;
*) bin=$PWD/$bin ;;
esac
if sh "$dir/tools/experiments.sh" --check "$bin" seventeen >"$dir/out" 2>&1; then
    echo 'FAIL: a stale page is not found'
    exit 1
fi
grep -q '^-| `fair` | 95' "$dir/out" || {
    echo 'FAIL: the stale line is not shown:'
    cat "$dir/out"
    exit 1
}
# Without its data an experiment is passed over, and says so.
BL_TRACES=/nowhere sh tools/experiments.sh --check "$bin" power >"$dir/out"
grep -q '^SKIP: power: no /nowhere/' "$dir/out" || {
    echo 'FAIL: power does not say what it lacks:'
    cat "$dir/out"
    exit 1
}
# What is kept is not run again: not even a program is needed.
mkdir "$dir/keep"
for program in "$bin" /bin/false; do
    KEEP=$dir/keep sh tools/experiments.sh --check "$program" seventeen \
        >"$dir/out" || {
        echo "FAIL: KEEP, with $program:"
        cat "$dir/out"
        exit 1
    }
done
sh tools/experiments.sh --check "$bin" shares reservations limit seventeen latency \
    smt governors power-cap
