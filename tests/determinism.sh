#!/bin/sh
# determinism.sh - the same run, to the last bit, whoever computes it: gcc and
# clang, -O2 and -O0, with and without sanitizers, one thread and two. Builds
# the flavours that are missing; a table of state hashes; exit status 1 when any
# two differ, in their hash or anywhere in their JSON. Not part of make check,
# because it builds eight times.
#
#   sh tests/determinism.sh [BUILD]     flavours are built in BUILD (build)
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
build=${1:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Few cores and little memory for many VMs, so that shares, reservations and
# limits decide, moves take long and arrivals find hosts full; enough hosts and
# VMs for several blocks of parallel work.
cat >"$work/day.yaml" <<'END'
name: determinism
duration: 6h
warmup: 30min
hosts:
  order: round-robin
  groups:
    - {name: new, count: 100, cores: 4, speed: 2933MHz, memory: 16GiB,
       power: IbmX3250XeonX3470}
    - {name: old, count: 100, cores: 2, speed: 2660MHz, memory: 8GiB,
       power: HpProLiantMl110G5Xeon3075, network: 100Mbit/s}
vms:
  groups:
    - {name: first, vcpus: 1, speed: 2500MHz, memory: 1740MiB,
       cpu: {shares: high, reservation: 300MHz}, mem: {reservation: 500MiB}}
    - {name: second, vcpus: 1, speed: 2000MHz, memory: 1740MiB,
       cpu: {limit: 1GHz}}
    - {name: third, vcpus: 2, speed: 1000MHz, memory: 870MiB}
    - {name: last, vcpus: 1, speed: 500MHz, memory: 613MiB,
       cpu: {shares: low}}
trace:
  generate: {vms: 900, memory: yes, mean: 25%}
END
# cloudsim303 knows neither a warm-up nor a second vCPU.
sed -e '/warmup/d' -e 's/vcpus: 2/vcpus: 1/' "$work/day.yaml" >"$work/plain.yaml"
# One step is several blocks of slots here.
sed -e 's/duration: 6h/duration: 1h/' -e '/warmup/d' -e 's/vms: 900/vms: 40000/' \
    -e 's/count: 100,/count: 5000,/' "$work/day.yaml" >"$work/large.yaml"

# The VMs in nested pools, whose entitlements decide what each receives.
sed -e 's/^vms:/pools:\
  - {name: a, cpu: {shares: 2000, limit: 200GHz}}\
  - {name: b}\
  - {name: c, parent: b, cpu: {reservation: 20GHz}}\
vms:/' -e 's/{name: first, /&pool: a, /' -e 's/{name: second, /&pool: b, /' \
    -e 's/{name: third, /&pool: c, /' "$work/day.yaml" >"$work/pools.yaml"

# One host, event by event: shares, limits and gangs on cores of two threads.
cat >"$work/host.yaml" <<'END'
name: host
level: host
duration: 1s
host: {topology: "l3:2 core:4 pu:2", speed: 2GHz}
vms:
  groups:
    - {name: gang, count: 3, vcpus: 4, workload: barrier}
    - {name: lock, vcpus: 4, workload: lock}
    - {name: web, count: 4, vcpus: 2, workload: interactive}
    - {name: hog, count: 6, cpu: {shares: 500}, workload: cpu}
    - {name: most, count: 2, cpu: {limit: 300MHz}, workload: cpu}
END

# The same with P-states and idle states, and under a cap that leaves cores only a
# part of the time.
sed 's/^host: .*/host:\
  topology: "l3:2 core:4 pu:2"\
  speed: 2GHz\
  power: {static: 30W, leakage: 1500mW, switching: 6W}\
  frequency:\
    pstates: [2GHz@1.1V, 1500MHz@0.95V, 900MHz@0.8V]\
    domains: per-core\
    idle_states: [{name: C1, power: 300mW, exit: 2us}, {name: C6, after: 300us, exit: 60us}]/' \
    "$work/host.yaml" >"$work/speed.yaml"
sed 's/^  frequency:/  power_cap: 42W\
&/' "$work/speed.yaml" >"$work/cap.yaml"

# SCENARIO PHYSICS POLICY OPTIONS...; physics is - at level host
# Racks that may draw less than they could, with cores that may run slower.
cp examples/power-cap.yaml "$work/racks.yaml"

cat >"$work/cases" <<'END'
day real static --param cpu_overcommit=3 --param mem_overcommit=1.5
day real lr-mmt-1.2
day real thr-rs-0.8
day real mad-mc-2.5
day real iqr-mu-1.5
day real lr-mmt-1.2-2012 --param sleep=off
plain cloudsim303 lr-mmt-1.2
plain cloudsim303 lrr-mc-1.2
plain cloudsim303 thr-rs-0.8
plain cloudsim303 iqr-mmt-1.5-2012
plain cloudsim303 mad-mu-2.5
plain cloudsim303 npa
plain cloudsim303 dvfs
pools real lr-mmt-1.2
day real rightsize
pools real rightsize --param failover=2
plain cloudsim303 rightsize
racks real rightsize --governor entitled
racks real lr-mmt-1.2 --governor ondemand
large real static --param cpu_overcommit=2
host - fair --mode none
host - fair --mode demand
host - fair --mode relaxed
host - fair --mode strict
host - credit2 --mode core
host - balance --mode yield
host - fifo --mode none
speed - fair --governor entitled
speed - credit2 --governor ondemand
cap - fair --governor schedutil
END

# "NAME MAKE-VARIABLES" of each flavour; NAME is its directory in $build.
san=address,undefined
{
    for cc in gcc clang; do
        if ! command -v $cc >/dev/null; then
            echo "SKIP: no $cc here" >&2
            continue
        fi
        echo "$cc CC=$cc"
        echo "$cc-debug CC=$cc DEBUG=1"
        echo "$cc-address+undefined CC=$cc SAN=$san"
        echo "$cc-debug-address+undefined CC=$cc DEBUG=1 SAN=$san"
    done
} >"$work/flavours"

# run_all FLAVOUR: every case with one thread and two.
run_all() {
    number=0
    while read -r scenario physics policy options; do
        number=$((number + 1))
        for threads in 1 2; do
            how="-j $threads --physics $physics"
            [ "$physics" != - ] || how=
            # shellcheck disable=SC2086 # options are words
            "$build/$1/ballast" sim "$work/$scenario.yaml" $how --json \
                --policy "$policy" $options \
                >"$work/json" || return 1
            # what the run cost its machine is no part of its result
            sed '/^  "cost": {/,/^  }/d' "$work/json" \
                >"$work/$1.$number.$threads"
        done
    done <"$work/cases"
    "$build/$1/ballast" trace generate --vms 2000 --steps 24 --memory --sizes \
        "$work/$1.trace" >/dev/null
}

hash_of() {
    sed -n 's/.*"state_hash": *"\([0-9a-f]*\)".*/\1/p' "$1" | tail -n 1
}

# show FLAVOUR: its hashes, which the others must equal.
show() {
    number=0
    while read -r scenario physics policy options; do
        number=$((number + 1))
        printf '%-16s  %s\n' "$(hash_of "$work/$1.$number.1")" \
            "$scenario $physics $policy${options:+ $options}"
    done <"$work/cases"
    echo
}

# check FLAVOUR FILE WHAT: against the file of the first flavour.
check() {
    same=$work/$first.${2%.*}.1
    if [ -z "$(hash_of "$work/$1.$2")" ]; then
        say="no hash"
    elif [ "$(hash_of "$work/$1.$2")" != "$(hash_of "$same")" ]; then
        say="hash $(hash_of "$work/$1.$2")"
    elif ! cmp -s "$work/$1.$2" "$same"; then
        say="the same hash, but the JSON differs: $(diff "$same" "$work/$1.$2" |
            sed -n 2p)"
    else
        return 0
    fi
    printf '%-28s DIFFERS  %s: %s\n' "$1" "$3" "$say"
    wrong=$((wrong + 1))
}

# compare FLAVOUR: its line of the table, or one for each difference.
compare() {
    number=0 before=$wrong
    while read -r scenario physics policy options; do
        number=$((number + 1))
        for threads in 1 2; do
            check "$1" $number.$threads "$scenario $physics $policy -j $threads"
        done
    done <"$work/cases"
    if ! cmp -s "$work/$1.trace" "$work/$first.trace"; then
        printf '%-28s DIFFERS  generated trace\n' "$1"
        wrong=$((wrong + 1))
    fi
    [ $wrong -ne "$before" ] ||
        printf '%-28s same     %d cases, 1 and 2 threads; generated trace\n' \
            "$1" $number
}

first='' wrong=0
while read -r name variables; do
    # shellcheck disable=SC2086 # variables are words
    make --no-print-directory -j"$(nproc)" BUILD="$build" $variables \
        >"$work/log" 2>&1 </dev/null || {
        cat "$work/log"
        echo "determinism: make $variables failed"
        exit 1
    }
    run_all "$name" || {
        echo "determinism: a run of $name failed"
        exit 1
    }
    if [ -z "$first" ]; then
        first=$name
        show "$name"
    fi
    compare "$name"
done <"$work/flavours"
[ -n "$first" ] || {
    echo "determinism: no compiler"
    exit 1
}
echo "determinism: $(wc -l <"$work/flavours") flavours, $wrong differences"
[ $wrong -eq 0 ]
