#!/bin/sh
# tune_mpi.sh - `mpirun -n 4 ballast tune` gives what threads give, to the byte;
# a killed job loses no finished run; what is wrong is said once.
set -u
bin=${BL_BIN:-build/gcc/ballast}
case $bin in /*) ;; *) bin=$PWD/$bin ;; esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
export LC_ALL=C
unset OMPI_COMM_WORLD_SIZE PMI_SIZE

check() {
    what=$1
    shift
    "$@" && return
    echo "FAIL: $what"
    failures=$((failures + 1))
}
has() { grep -qe "$2" "$1"; }

# More ranks than cores, over shared memory and loopback: what any machine has.
# Open MPI wants to be told that root is meant, and that memory of other
# processes may not be readable (containers). $limit_s ends what hangs. Under a sanitizer, leaks are not
# looked for: Open MPI unloads modules that leak, and those have no name then.
limit_s=
mpi() {
    n=$1
    shift
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
        ${limit_s:+timeout $limit_s} mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$n" \
        --mca btl self,vader --mca btl_vader_single_copy_mechanism none \
        --mca oob_tcp_if_include lo "$@" </dev/null
}

[ -x "$(dirname "$bin")/ballast-tune-mpi" ] || {
    echo 'SKIP: ballast-tune-mpi was not built (no libopenmpi-dev)'
    exit 0
}
mpi 2 true >"$dir/log" 2>&1 || {
    echo "SKIP: mpirun does not run here: $(grep -m 1 . "$dir/log")"
    exit 0
}

cat >"$dir/room.yaml" <<'YAML'
name: room
hosts:
  groups:
    - {name: new, count: 24, cores: 4, speed: 2933MHz, memory: 16GiB,
       power: IbmX3250XeonX3470}
vms:
  groups:
    - {name: web, vcpus: 1, speed: 2GHz, memory: 512MiB}
trace:
  generate: {vms: 100, mean: 30%}
policy: lr-mmt-1.2
tune:
  vary:
    safety: 0.8:1.4:0.02
    select: [mmt, mu]
YAML
cd "$dir" || exit 1
same_files() {
    for f in front.txt front.csv points.csv front.json front.html policy.yaml; do
        check "$1 and $2 agree on $f" cmp -s "$1/$f" "$2/$f"
    done
}

"$bin" tune room.yaml -j 2 --out threads >out 2>err
check "threads succeed: $(cat err)" [ $? -eq 0 ]
mpi 4 "$bin" tune room.yaml --out ranks >out 2>err
check "four ranks succeed: $(cat err)" [ $? -eq 0 ]
check 'the table is printed once' [ "$(grep -c '^b the baseline$' out)" -eq 1 ]
check 'all runs were made by them' has out '0 runs were there already, 63 were made'
same_files threads ranks

mpi 2 "$bin" tune room.yaml -j 2 --out both --strategy halving --runs 30 \
    --vary safety=0.5:2 >out 2>err
check "ranks with threads succeed: $(cat err)" [ $? -eq 0 ]
"$bin" tune room.yaml --out one --strategy halving --runs 30 \
    --vary safety=0.5:2 >out 2>err
same_files one both

# Killed: the ranks, by their own ids. They are the children of mpirun, which is
# the child of the shell that runs the function.
children() {
    for p; do
        cat "/proc/$p"/task/*/children 2>"$dir/null" || true
    done
}
range=safety=0.8:1.4:0.003
"$bin" tune room.yaml -j 2 --out fine --vary $range >out 2>err
: >log
mpi 3 "$bin" tune room.yaml --out killed --verbose --vary $range >out 2>log &
job=$!
while [ "$(grep -c '^finished' log)" -lt 10 ] && kill -0 $job 2>"$dir/null"; do
    sleep 0.01
done
# shellcheck disable=SC2046 # one word for each
victims=$(children $(children $job))
# shellcheck disable=SC2086 # one word for each
[ -z "$victims" ] || kill -9 $victims 2>"$dir/null"
wait $job
finished=$(grep -c '^finished' log)
"$bin" tune room.yaml -j 2 --out killed --vary $range >out 2>err
kept=$(sed -n 's/^\([0-9]*\) runs were there already.*/\1/p' out)
check "finished $finished, kept $kept" [ "$kept" -ge "$finished" ]
[ "$kept" -lt 202 ] || echo 'note: the job was done before it was killed'
same_files fine killed

mpi 3 "$bin" tune room.yaml --vary safty=1,2 --out no >out 2>err
check 'a wrong option gives 2' [ $? -eq 2 ]
check 'and is said once' [ "$(grep -c "unknown parameter 'safty'" err)" -eq 1 ]
mpi 3 "$bin" tune nothing.yaml >out 2>err
check 'a wrong file gives 1' [ $? -eq 1 ]
check 'said once, too' [ "$(grep -c 'nothing.yaml: cannot be opened' err)" -eq 1 ]

# Machines that do not have the same: rank 1 is given other words.
sed 's/count: 24/count: 23/' room.yaml >other.yaml
mpi 1 "$bin" tune room.yaml --out not : -n 1 "$bin" tune other.yaml --out not >out 2>err
check 'another scenario gives 1' [ $? -eq 1 ]
check "and names the rank: $(cat err)" has err '^rank 1: reads another scenario, trace or version'
mpi 1 "$bin" tune room.yaml --out not : -n 1 "$bin" tune room.yaml --trace none.blt --out not >out 2>err
check 'a trace that is not there gives 1' [ $? -eq 1 ]
check "and says whose: $(cat err)" has err '^rank 1: none.blt: '

# One that does not come as far as a search is waited for by nobody, nor does it
# wait.
limit_s=60
mpi 1 "$bin" tune room.yaml --out not : -n 1 "$bin" tune nothing.yaml --out not >out 2>err
check 'a rank without its scenario gives 1' [ $? -eq 1 ]
check "and says whose, too: $(cat err)" has err '^rank 1: nothing.yaml: cannot be opened'
mpi 1 "$bin" tune room.yaml --out not : -n 1 "$bin" tune room.yaml --outt not >out 2>err
check 'a rank with a wrong option gives 1' [ $? -eq 1 ]
check "and says which: $(cat err)" has err '^rank 1: has other options'
mpi 1 "$bin" tune nothing.yaml : -n 1 "$bin" tune room.yaml >out 2>err
check "rank 0 without its scenario gives 1: $(cat err)" [ $? -eq 1 ]
mpi 1 "$bin" tune room.yaml --outt not : -n 1 "$bin" tune room.yaml >out 2>err
check "rank 0 with a wrong option gives 2: $(cat err)" [ $? -eq 2 ]
mpi 3 "$bin" tune --help >out 2>err
check 'help is for all ranks' [ $? -eq 0 ]
check 'and printed once' [ "$(grep -c '^usage: ' out)" -eq 1 ]
limit_s=

[ $failures -eq 0 ] || {
    echo "$failures failed"
    exit 1
}
