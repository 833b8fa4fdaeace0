#!/bin/sh
# run.sh BUILD - the static replay of the standard experiment in ballast and in
# SimGrid, on the same placement: time and memory of both, taken in turn, and
# their energies with the difference taken apart. Run by `make bench-peers`,
# which builds what it needs in BUILD. BL_RUNS=N: how often (9).
set -eu
export LC_ALL=C
build=$1
ballast=$build/ballast
scenario=examples/planetlab.yaml
trace=../shared/traces/planetlab/20110303.tar.zst

die() {
    echo "bench-peers: $*" >&2
    exit 1
}

for program in "$ballast" "$build/bench/peers/simgrid_replay" "$build/bench/peers/pair"; do
    [ -x "$program" ] || die "no $program: run make bench-peers"
done
work=$(mktemp -d "$build/bench-peers.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ ! -r $trace ]; then
    echo "SKIP: no $trace here, a generated day takes its place"
    trace=$work/generated
    "$ballast" trace generate "$trace" >/dev/null
fi

# The same hosts with power as a straight line from 0 to 100 %: what SimGrid's
# plugin can express. Idle and full power are those that ballast knows.
"$ballast" check --servers >"$work/servers"
awk '
    FNR == NR { idle[$1] = $2; full[$1] = $3; next }
    $1 == "power:" && ($2 in full) {
        list = ""
        for (i = 0; i <= 10; i++)
            list = list sprintf("%s%.3fW", i ? ", " : "",
                idle[$2] + (full[$2] - idle[$2]) * i / 10)
        sub($2, "[" list "]"); found++
    }
    { print }
    END { if (!found) exit 1 }' "$work/servers" $scenario >"$work/linear.yaml" ||
    die "$scenario names no server of ballast check --servers"

replay() { # SCENARIO OUT
    "$ballast" sim "$1" --trace "$trace" --policy static --physics real \
        --out "$2" >/dev/null
}
replay $scenario "$work/table"
replay "$work/linear.yaml" "$work/line"
simgrid() {
    "$build/bench/peers/simgrid_replay" $scenario "$trace" \
        "$work/table/journal.csv" "$work/platform.xml"
}
simgrid >"$work/simgrid.txt"

echo "# time and memory, medians of whole processes run in turn"
"$build/bench/peers/pair" "${BL_RUNS:-9}" \
    ballast "$ballast" sim $scenario --trace "$trace" --policy static --physics real -- \
    simgrid "$build/bench/peers/simgrid_replay" $scenario "$trace" \
    "$work/table/journal.csv" "$work/platform.xml"
awk '$1 == "engine_s" { print "simgrid-engine-alone,,," $2 "," }' "$work/simgrid.txt"

# hosts.csv: host,name,group,energy_kwh,...
energy() { # DIR GROUP (or "" for all)
    awk -F, -v g="$2" 'NR > 1 && (g == "" || $3 == g) { e += $4 }
        END { printf "%.6f", e }' "$1/hosts.csv"
}
echo
echo "# energy of the day in kWh: table = 11 points of SPECpower, line = a"
echo "# straight line from idle to full power, all that SimGrid's plugin knows"
echo "group,ballast_table,ballast_line,simgrid,table_effect_pct,engines_differ_pct"
status=0
while read -r group kwh; do
    [ "$group" != engine_s ] || continue
    [ "$group" = total ] && name='' || name=$group
    table=$(energy "$work/table" "$name")
    line=$(energy "$work/line" "$name")
    awk -v g="$group" -v t="$table" -v l="$line" -v s="$kwh" 'BEGIN {
        differ = (s - l) / l * 100
        printf "%s,%s,%s,%s,%+.4f,%+.6f\n", g, t, l, s, (l - t) / t * 100, differ
        exit !(differ > -0.1 && differ < 0.1) }' || status=1
done <"$work/simgrid.txt"
if [ $status -ne 0 ]; then
    die "with the same power line, the two differ by 0.1 % or more"
fi
cat <<END

With the same line, the two agree: ballast rounds down to whole mW and whole ppm
of load, SimGrid computes in doubles. The rest is the table, which SimGrid cannot
express: a line through its ends is off in between.
END
