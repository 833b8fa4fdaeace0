#!/bin/sh
# golden_host.sh - three small scenarios of level host, of which every start and
# every stop is known: their timelines and state hashes are those of
# tests/golden/host, byte for byte. A change that means to alter what a policy
# decides writes them anew, and the difference is part of its commit:
#
#   BL_UPDATE_GOLDEN=1 BL_BIN=build/gcc/ballast sh tests/golden_host.sh
set -u
bin=${BL_BIN:-build/gcc/ballast}
golden=tests/golden/host
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
failures=0

for scenario in "$golden"/*.yaml; do
    name=$(basename "$scenario" .yaml)
    if ! "$bin" sim "$scenario" --timeline "$work/$name.json" \
            >"$work/$name.txt" 2>"$work/stderr"; then
        echo "FAIL: $scenario does not run: $(cat "$work/stderr")"
        failures=$((failures + 1))
        continue
    fi
    sed -n 's/^state hash *//p' "$work/$name.txt" >"$work/$name.hash"
    for got in "$work/$name.json" "$work/$name.hash"; do
        want=$golden/$(basename "$got")
        if [ "${BL_UPDATE_GOLDEN:-}" = 1 ]; then
            cp "$got" "$want"
        elif ! cmp -s "$got" "$want"; then
            echo "FAIL: $want differs from what is decided now:"
            diff "$want" "$got" | head -n 6 | cut -c 1-160
            failures=$((failures + 1))
        fi
    done
done
set -- "$golden"/*.json
[ $# -eq 3 ] || {
    echo "FAIL: three timelines are expected in $golden"
    failures=$((failures + 1))
}
[ "$failures" -eq 0 ]
