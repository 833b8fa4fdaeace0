# Governors of P-states on generated load, one clock for all cores and one each.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
. tools/experiments/governors_table.sh

runs() {
    for load in periodic bursty barrier rt-app; do
        own=$(variant $load $examples/governor-$load.yaml \
            "s/domains: 1/domains: per-core/
             s#file: rt-app.json#file: $PWD/$examples/rt-app.json#") || return 1
        for g in $governors; do
            job $load-1_$g $examples/governor-$load.yaml --governor $g
            job $load-8_$g "$own" --governor $g
        done
    done
}

tables() {
    governors_table "periodic bursty barrier rt-app" "1 8"
}
