#!/bin/sh
# experiments.sh [--check] BALLAST [NAME...] - run the experiments of
# doc/experiments (all, or those named) and write their tables anew, and the
# figures of its index. With
# --check nothing is written: a page whose table is not what comes out now is
# shown as a diff, and the exit status is 1.
#
# An experiment is a page doc/experiments/NAME.md and tools/experiments/NAME.sh,
# which has two functions:
#   runs     one `job KEY SCENARIO [OPTION...]` for each run
#   tables   prints what stands between the two marks of the page
# and, if it takes data that is not committed:
#   needs    prints the paths; without them the page stays as it is
# They get what is defined here. Figures depend on the scenarios and the program
# alone: run it again and nothing changes. Needs jq.
#
# KEEP=DIR: results are kept there, and what is there is not run again. A result
# is found by its scenario and options, not by the program: remove those of what
# was changed (rm DIR/*_rightsize_*).
# shellcheck disable=SC2034,SC2317 # used by what is sourced
set -eu
export LC_ALL=C
unset NO_COLOR
cd "$(dirname "$0")/.."

check=
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
[ $# -gt 0 ] || {
    echo "usage: sh tools/experiments.sh [--check] BALLAST [NAME...]" >&2
    exit 2
}
case $1 in
*/*) ballast=$1 ;;
*) ballast=./$1 ;;
esac
shift
command -v jq >/dev/null || {
    echo "experiments: jq is missing: sh tools/bootstrap.sh experiments" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
examples=examples/sched
threads=${JOBS:-$(nproc)}

# ---- for the experiments ---------------------------------------------------

# job KEY SCENARIO [OPTION...]: a run; its figures are found under KEY.
job() {
    key=$1
    shift
    echo "$work/$name/$key.json $*"
}

# variant NAME SCENARIO SED-SCRIPT: a scenario changed; prints its path. A
# script that changes nothing is a mistake.
variant() {
    sed -e "$3" "$2" >"$work/$1.yaml"
    ! cmp -s "$2" "$work/$1.yaml" || {
        echo "experiments: '$3' changes nothing in $2" >&2
        return 1
    }
    echo "$work/$1.yaml"
}

# figures FILTER: for each run a line of its key and what the filter gives.
figures() {
    jq -r "
        def group(n): .groups[] | select(.name == n);
        def key: input_filename | split(\"/\") | last | rtrimstr(\".json\");
        [key, ($1)] | flatten | @tsv" "$work/$name"/*.json
}

# table PROGRAM: awk with functions for tables, reading what figures gives.
table() {
    awk -F '\t' '
        # cell() by cell(), then row(). head() has all titles of a table; a
        # column of text has < before its title.
        function cell(text) { line = line "| " text " " }
        function row() { print line "|"; line = "" }
        function head(text, i, n, h) {
            n = split(text, h, "|")
            for (i = 1; i <= n; i++) cell(substr(h[i], h[i] ~ /^</ ? 2 : 1))
            row()
            for (i = 1; i <= n; i++) cell(h[i] ~ /^</ ? "---" : "---:")
            row()
        }
        # A line of the table that must be reached, and whether it was.
        function bar(ok, what, figure) {
            print "- " (ok ? "met" : "**not met**") ": " what " (" figure ")"
        }
        # What stands in the index.
        function headline(text) { print "= " text }
        function abs(x) { return x < 0 ? -x : x }
        function max(x, y) { return x > y ? x : y }
        function min(x, y) { return x < y ? x : y }
        # Numbers, and times in ms, without a minus before zero.
        function num(form, x, text) {
            text = sprintf(form, x)
            return text ~ /^-0[.0]*$/ ? substr(text, 2) : text
        }
        function n0(x) { return num("%.0f", x) }
        function n1(x) { return num("%.1f", x) }
        function n2(x) { return num("%.2f", x) }
        function n3(x) { return num("%.3f", x) }
        function ms(ns) { return n2(abs(ns) / 1e6) }
        { split($1, k, "_") }
        '"$1"
}

# ---- one experiment ----------------------------------------------------------

readme=doc/experiments/README.md
begin='<!-- table: begin, written by make experiments -->'
end='<!-- table: end -->'

simulate() {
    mkdir "$work/$name" && runs >"$work/$name.jobs" || return 1
    # shellcheck disable=SC2016 # expanded by the shell that xargs starts
    KEEP=${KEEP:-} WORK=$work xargs -P "$threads" -L 1 sh -c '
        ballast=$1 out=$2
        shift 2
        [ -z "$KEEP" ] || {
            kept=${out##*/}
            kept=$KEEP/${kept%.json}.$({ grep -v "^#" "$1"; echo "$*"; } |
                sed "s|$WORK|WORK|g" | cksum | cut -d" " -f1).json
            cp "$kept" "$out" 2>/dev/null && exit 0
        }
        "$ballast" sim "$@" --json >"$out.tmp" && mv "$out.tmp" "$out" ||
            exit 255
        [ -z "$KEEP" ] || cp "$out" "$kept" || exit 255' \
        run "$ballast" <"$work/$name.jobs"
}

# What an experiment takes and is not there.
missing() {
    needs | while read -r path; do
        [ -e "$path" ] || {
            echo "$path"
            break
        }
    done
}

# The page with its table replaced.
renew() {
    awk -v begin="$begin" -v end="$end" -v table="$work/$name.table" '
        $0 == begin {
            print
            while ((getline line <table) > 0) print line
            inside = 1
            seen++
        }
        $0 == end { inside = 0 }
        !inside { print }
        END { if (seen != 1 || inside) exit 1 }' "$1" || {
        echo "experiments: $1: expected one table between the two marks" >&2
        return 1
    }
}

# The index with its figure replaced.
index() {
    awk -v name="$name" -v figure="$(sed -n 's/^= //p' "$work/$name.out")" '
        BEGIN { FS = OFS = " [|] " }
        index($0, "| [" name "](") == 1 {
            print $1 " | " $2 " | " figure " |"
            seen++
            next
        }
        { print }
        END { exit seen != 1 || figure == "" }' $readme || {
        echo "experiments: $readme: expected one row of $name" >&2
        return 1
    }
}

experiment() (
    name=$1
    page=doc/experiments/$name.md
    started=$(date +%s)
    needs() { :; }
    # shellcheck source=/dev/null
    . "tools/experiments/$name.sh"
    absent=$(missing)
    [ -z "$absent" ] || {
        echo "SKIP: $name: no $absent here, its page stays as it is"
        exit 0
    }
    simulate && tables >"$work/$name.out" || exit 1
    grep -v '^= ' "$work/$name.out" >"$work/$name.table"
    renew "$page" >"$work/$name.md" && index >"$work/$name.index" || exit 1
    [ -n "$check" ] || {
        cat "$work/$name.md" >"$page"
        cat "$work/$name.index" >$readme
    }
    printf '%-14s %4d runs, %3d s, %d of %d bars not met\n' "$name" \
        "$(find "$work/$name" -name '*.json' | wc -l)" \
        $(($(date +%s) - started)) \
        "$(grep -c '^- \*\*not met' "$work/$name.table")" \
        "$(grep -c -e '^- met' -e '^- \*\*not met' "$work/$name.table")"
    [ -z "$check" ] || {
        diff -u "$page" "$work/$name.md" && diff -u $readme "$work/$name.index"
    }
)

[ $# -gt 0 ] || set -- shares reservations limit seventeen barrier \
    independent mixed fragmentation lock-holder latency smt governors \
    governors-cluster power-cap power
status=0
for name; do
    experiment "$name" || status=1
done
exit $status
