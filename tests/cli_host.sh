#!/bin/sh
# cli_host.sh - `ballast sim` on scenarios of level host as a user types it:
# what is printed and written, what is refused, with which exit status.
set -u
bin=${BL_BIN:-build/gcc/ballast}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
unset NO_COLOR
export LC_ALL=C

# check WHAT COMMAND...: the command must succeed.
check() {
    what=$1
    shift
    "$@" && return
    echo "FAIL: $what"
    failures=$((failures + 1))
}
has() { grep -qe "$2" "$1"; }
lacks() { ! grep -qe "$2" "$1"; }
missing() { [ ! -e "$1" ]; }
hash_of() { grep '^state hash' "$1"; }

# run ARGUMENT...: leaves $dir/stdout, $dir/stderr, $status
run() {
    "$bin" "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
    status=$?
}

# refused STATUS PATTERN ARGUMENT...: one line on stderr, nothing on stdout.
refused() {
    want=$1 pattern=$2
    shift 2
    run "$@"
    check "'$*' gives $want, not $status" [ "$status" -eq "$want" ]
    check "'$*' says one line: $(cat "$dir/stderr")" \
        [ "$(wc -l <"$dir/stderr")" -eq 1 ]
    check "'$*' says '$pattern', not: $(cat "$dir/stderr")" \
        has "$dir/stderr" "$pattern"
    check "'$*' prints nothing" [ ! -s "$dir/stdout" ]
}

cat >"$dir/small.yaml" <<'YAML'
name: small
level: host
duration: 600ms
warmup: 100ms
timeline: 20ms
host: {topology: "core:4 pu:1"}
vms:
  groups:
    - {name: gang, count: 2, vcpus: 4, workload: barrier}
    - {name: web, vcpus: 2, workload: interactive}
    - {name: hog, count: 2, cpu: {limit: 200MHz}, workload: cpu}
YAML
small=$dir/small.yaml

# ---- a report -------------------------------------------------------------
run sim "$small"
check 'a run succeeds' [ $status -eq 0 ]
check 'it says nothing on stderr' [ ! -s "$dir/stderr" ]
check 'it names the host' has "$dir/stdout" 'core:4 pu:1'
check 'it has a hash' has "$dir/stdout" '^state hash'
check 'no line of it is too wide' lacks "$dir/stdout" '.\{81\}'
hash_of "$dir/stdout" >"$dir/hash"

run sim "$small" --paranoid
hash_of "$dir/stdout" >"$dir/hash2"
check 'checking changes nothing' cmp -s "$dir/hash" "$dir/hash2"
run sim "$small" --seed 2
hash_of "$dir/stdout" >"$dir/hash2"
check 'another seed is another run' [ "$(cat "$dir/hash")" != "$(cat "$dir/hash2")" ]
run sim "$small" --policy fifo
check 'another policy' has "$dir/stdout" '^  policy  *fifo'
run sim "$small" --param slice=5ms
check 'a parameter of the policy' has "$dir/stdout" 'slice=5ms'

# ---- shares are what is received -------------------------------------------
run sim examples/sched/shares.yaml --json
check 'JSON alone on stdout' [ "$(head -c 1 "$dir/stdout")" = '{' ]
run sim examples/sched/shares.yaml
for row in 'seven *4 *7000 .* 2\.[78]' 'two *4 *2000 .* 0\.[78]' \
    'one *4 *1000 .* 0\.[34]'; do
    check "shares 7:2:1: $row" has "$dir/stdout" "$row"
done

# ---- why ------------------------------------------------------------------
run sim "$small" --explain=vm=gang-1
check '--explain=vm succeeds' [ $status -eq 0 ]
check 'it shows its vCPUs' has "$dir/stdout" ' gang-1/3 .*-> run '
check 'and no other' lacks "$dir/stdout" '^ .* s  gang-0/'
check 'it counts' has "$dir/stdout" '^[0-9]* changes of state explained'
hash_of "$dir/stdout" >"$dir/hash2"
check 'watching changes nothing' cmp -s "$dir/hash" "$dir/hash2"
run sim "$small" --explain vm=hog-0
check 'two words, and a limit' has "$dir/stdout" \
    ' hog-0/0 .*-> limited *limit used up, over '
run sim "$small" --explain
check 'without a name nothing that is routine' lacks "$dir/stdout" ' halted'
check 'but limits' has "$dir/stdout" 'limit refilled'
run sim examples/sched/barrier.yaml --explain
check 'why a vCPU was co-stopped' has "$dir/stdout" \
    ' gang-[0-9]/[0-9] .*-> co-stop .*ahead of its slowest sibling, skew .* ms'

# ---- files ----------------------------------------------------------------
run sim "$small" --out "$dir/out" --csv "$dir/csv" --json="$dir/r.json" \
    --timeline "$dir/t.svg"
check 'files succeed' [ $status -eq 0 ]
for f in report.txt report.json vms.csv vcpus.csv pcpus.csv timeline.json \
    timeline.svg; do
    check "--out has $f" [ -s "$dir/out/$f" ]
done
for f in vms vcpus pcpus; do
    check "--csv has the same $f" cmp -s "$dir/out/$f.csv" "$dir/csv/$f.csv"
done
check '--csv has tables only' missing "$dir/csv/report.txt"
check '--timeline, a picture' cmp -s "$dir/out/timeline.svg" "$dir/t.svg"
check '--json=FILE is JSON' has "$dir/r.json" '^{'
check 'nothing is left over' [ "$(find "$dir" -name '*.tmp.*' | wc -l)" -eq 0 ]
run sim "$small" --timeline "$dir/t.json"
check '--timeline, trace events' cmp -s "$dir/out/timeline.json" "$dir/t.json"
check 'they are trace events' has "$dir/t.json" 'traceEvents'
# What cannot be written is known before anything is simulated: not after an
# hour of virtual time.
sed 's/^duration: 600ms/duration: 1h/' "$small" >"$dir/long.yaml"
for option in --timeline= --json=; do
    refused 1 'no/such.json: cannot be created' \
        sim "$dir/long.yaml" "$option$dir/no/such.json"
    refused 1 'out: cannot be opened' sim "$dir/long.yaml" "$option$dir/out"
done
refused 1 'no/such.json: cannot be created' \
    sim "$dir/long.yaml" --seeds 2 --json="$dir/no/such.json"
run sim "$small" --json=/dev/null
check 'a device may be written' [ $status -eq 0 ]
refused 1 'exists already' sim "$small" --out "$dir/out"
refused 1 'no/such: ' sim "$small" --out "$dir/no/such"

# ---- seeds ----------------------------------------------------------------
run sim "$small" --seeds 3
check '--seeds succeeds' [ $status -eq 0 ]
check 'it has the runs' has "$dir/stdout" '3 runs, seeds 1 .. 3'
check 'and a row of each group' has "$dir/stdout" '^web: wake-up p99'
cp "$dir/stdout" "$dir/seeds"
run sim "$small" --seeds 3 -j 2
check 'threads change nothing' cmp -s "$dir/seeds" "$dir/stdout"
run sim "$small" --seeds 2 --json
check '--seeds --json' has "$dir/stdout" 'ballast-host-seeds-1'
sed -e '/gang/d' -e '/web/d' "$small" >"$dir/hogs.yaml"
run sim "$dir/hogs.yaml" --seeds 2
check 'where the seed makes no difference, it says so' has "$dir/stdout" 'are the same'
sed 's/, cpu: {limit: 200MHz}//' "$dir/hogs.yaml" >"$dir/awake.yaml"
run sim "$dir/awake.yaml" --seeds 2
check 'what never woke has no latency' has "$dir/stdout" \
    '^hog: wake-up p99, us  *-  *-  *-$'
run sim "$dir/awake.yaml" --seeds 2 --json
check 'nor in JSON' has "$dir/stdout" '"mean": null'

# ---- not compared -----------------------------------------------------------
run sim "$small" --seeds 2 --json="$dir/seeds.json"
for report in "$dir/out" "$dir/r.json" "$dir/seeds.json"; do
    refused 1 'report of level host, which compare does not read, expected' \
        compare "$report" "$report"
done

# ---- what is refused --------------------------------------------------------
for option in '--trace x.csv' '--physics real' '--baseline static'; do
    # shellcheck disable=SC2086 # two words
    refused 2 'is for scenarios of level: cluster' sim "$small" $option
done
for option in '--mode none' '--timeline x.json'; do
    # shellcheck disable=SC2086 # two words
    refused 2 'is for scenarios of level: host' sim examples/contention.yaml \
        $option
done
refused 2 'expected vm=NAME' sim "$small" --explain host=h0
refused 2 'expected it with --seeds' sim "$small" -j 2
refused 2 'are for one' sim "$small" --seeds 2 --timeline "$dir/x.json"
refused 2 "policy: unknown 'fare', expected one of .*fair" \
    sim "$small" --policy fare
refused 2 "mode: unknown 'nun', expected one of .*none" sim "$small" --mode nun
refused 2 "unknown parameter 'color'" sim "$small" --param color=red
refused 2 "slice: 'long'" sim "$small" --param slice=long
refused 1 "no VM 'gang-7', expected one such as gang-0" \
    sim "$small" --explain vm=gang-7
sed 's/^timeline: 20ms/timeline: 0/' "$small" >"$dir/none.yaml"
refused 2 'has timeline: 0' sim "$dir/none.yaml" --timeline "$dir/x.json"
run sim "$dir/none.yaml" --out "$dir/out2"
check '--out without a timeline' [ -s "$dir/out2/report.txt" ]
check 'has none' missing "$dir/out2/timeline.json"
sed 's/^host:/scheduler: {policy: nobody}\nhost:/' "$small" >"$dir/nobody.yaml"
refused 1 "nobody.yaml:6: policy: unknown 'nobody'" sim "$dir/nobody.yaml"
refused 1 "nobody.yaml:6: policy: unknown 'nobody'" check "$dir/nobody.yaml"
sed 's/^host:/scheduler: {policy: {name: fair, slice: 2}}\nhost:/' "$small" \
    >"$dir/slice.yaml"
refused 1 "slice.yaml:6: slice: '2'" sim "$dir/slice.yaml"
refused 1 "slice.yaml:6: slice: '2'" check "$dir/slice.yaml"
refused 2 '^ballast.*costart: 5ms is above costop, expected at most 1ms' \
    sim "$small" --mode relaxed --param costop=1ms --param costart=5ms
refused 2 'costart: 2ms is above costop' \
    sim "$small" --mode relaxed --param costop=1ms
refused 2 'slice_min: 5ms is above slice, expected at most 1ms' \
    sim "$small" --param slice=1ms --param slice_min=5ms
sed 's/^host:/scheduler: {mode: {name: relaxed, costart: 4ms}}\nhost:/' \
    "$small" >"$dir/apart.yaml"
for command in sim check; do
    refused 1 'apart.yaml:6: costart: 4ms is above costop, expected.* 3ms' \
        $command "$dir/apart.yaml"
done
# ---- the governor -----------------------------------------------------------
run sim --governor help
for name in entitled ondemand performance powersave schedutil up_threshold; do
    check "--governor help has $name" has "$dir/stdout" "^ *$name "
done
refused 2 "host has no 'power', expected it there" \
    sim "$small" --governor entitled
sed 's/^host: {/&power: IbmX3250XeonX3470, speed: 2933MHz, /' "$small" \
    >"$dir/power.yaml"
refused 2 "governor: unknown 'entitle', did you mean 'entitled'" \
    sim "$dir/power.yaml" --governor entitle
refused 2 'hold: .*9d.* out of range' \
    sim "$dir/power.yaml" --governor entitled --param hold=9d
refused 2 "unknown parameter 'color'" \
    sim "$dir/power.yaml" --governor ondemand --param color=red
run sim "$dir/power.yaml" --governor entitled --param hold=5ms \
    --param slice=2ms
check 'a parameter finds its owner' [ $status -eq 0 ]

for file in 'vms: {groups: [{name: a, workload: {kind: rt-app, file: no.file}}]}' \
    'vms: {groups: [{name: a, workload: {kind: switches, file: no.file}}]}' \
    'jobs: {file: no.file}'; do
    printf 'level: host\nhost: {topology: "pu:1"}\n%s\n' "$file" \
        >"$dir/no-file.yaml"
    refused 1 'no-file.yaml:3: file: .*no.file: cannot be opened: .*expected a' \
        sim "$dir/no-file.yaml"
done
cat >"$dir/one.yaml" <<'YAML'
level: host
duration: 10ms
host: {topology: "pu:1"}
vms: {groups: [{name: one, workload: cpu}]}
YAML
run sim "$dir/one.yaml"
check 'one VM is no VMs' has "$dir/stdout" ': 1 VM with 1 vCPU, '
sed 's/limit: 200MHz/reservation: 2GHz/; s/count: 2, cpu/count: 5, cpu/' "$small" \
    >"$dir/much.yaml"
refused 1 'reserv' sim "$dir/much.yaml"

cat >"$dir/pools.yaml" <<'END'
level: host
duration: 2s
warmup: 1s
host: {topology: core:4 pu:1}
pools:
  - {name: gold, cpu: {shares: 3000}}
  - {name: bronze, cpu: {shares: 1000}}
vms:
  groups:
    - {name: a, count: 4, vcpus: 1, pool: gold, workload: cpu}
    - {name: b, count: 4, vcpus: 1, pool: bronze, workload: cpu}
END
run sim "$dir/pools.yaml"
check 'gold has three quarters' has "$dir/stdout" '^  a  *4  *4  *3.000  *[23]\.[09]'

# ---- lists ----------------------------------------------------------------
run sim --policy help
check 'policies of both levels' has "$dir/stdout" '^  consolidate '
check 'and of this one' has "$dir/stdout" '^  fair '
run sim --mode help
check 'modes' has "$dir/stdout" '^  none '
check 'no line is too wide' lacks "$dir/stdout" '.\{81\}'

# ---- interrupted ------------------------------------------------------------
timeout --foreground --preserve-status -s INT 1 "$bin" sim "$dir/long.yaml" \
    --out "$dir/cut" --timeline "$dir/cut.json" >"$dir/stdout" 2>"$dir/stderr"
check 'an interrupted run gives 130' [ $? -eq 130 ]
check 'says that it is partial' has "$dir/stdout" '^PARTIAL'
check 'in its files, too' has "$dir/cut/report.json" '"partial": true'
check 'and has a hash' has "$dir/stdout" '^state hash'
check 'its timeline is whole' has "$dir/cut/timeline.svg" '</svg>'
for file in "$dir/cut.json is" "$dir/cut/timeline.json and timeline.svg are"; do
    check "and as it is empty, that is said: $file" has "$dir/stderr" \
        "^timeline: the run ended at .* s, before the last 20ms .*; $file empty\$"
done
check 'a line for each' [ "$(wc -l <"$dir/stderr")" -eq 2 ]
[ $failures -eq 0 ]
