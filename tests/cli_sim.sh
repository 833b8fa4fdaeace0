#!/bin/sh
# cli_sim.sh - `ballast sim` and `ballast compare` as a user types them: what is
# printed and written, what is refused, with which exit status.
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
hash_of() { tail -n 1 "$1"; }

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
price: 0.25
currency: EUR
co2: 400 g/kWh
hosts:
  order: round-robin
  groups:
    - {name: new, count: 6, cores: 4, speed: 2933MHz, memory: 16GiB,
       power: IbmX3250XeonX3470}
    - {name: old, count: 6, cores: 2, speed: 2660MHz, memory: 8GiB,
       power: HpProLiantMl110G5Xeon3075}
vms:
  groups:
    - {name: web, vcpus: 1, speed: 2GHz, memory: 1GiB}
    - {name: batch, vcpus: 1, speed: 1GHz, memory: 1GiB, cpu: {shares: low}}
trace:
  generate: {vms: 24, steps: 48}
policy: lr-mmt-1.2
YAML
small=$dir/small.yaml

# ---- a report, in every form ---------------------------------------------------
run sim "$small"
check 'a run succeeds' [ $status -eq 0 ]
check 'the version comes first' [ "$(head -n 1 "$dir/stdout")" = "$("$bin" --version)" ]
check 'the hash comes last' expr "$(hash_of "$dir/stdout")" : 'state hash  [0-9a-f]\{16\}$' >"$dir/null"
check 'the energy floor is there' has "$dir/stdout" 'energy floor'
check 'the cost is there' has "$dir/stdout" 'EUR  at 0.25 EUR per kWh'
check 'a C locale gets ASCII' lacks "$dir/stdout" '[^ -~]'
check 'nothing on stderr' [ ! -s "$dir/stderr" ]
first=$(hash_of "$dir/stdout")

run sim "$small" -j 2
check 'two threads give the same hash' [ "$(hash_of "$dir/stdout")" = "$first" ]
run sim "$small" --seed 2
check 'another seed gives another hash' [ "$(hash_of "$dir/stdout")" != "$first" ]
run sim "$small" --paranoid
check 'checking changes nothing' [ "$(hash_of "$dir/stdout")" = "$first" ]

run sim "$small" --json
for key in energy_kwh floor_kwh migrations host_off_count slav slatah \
    slatah_corrected pdm esv unserved_ppm hosts vms steps state_hash; do
    check "the JSON has $key" has "$dir/stdout" "\"$key\": "
done
run sim "$small" --json="$dir/one.json"
check 'text besides JSON in a file' [ "$(hash_of "$dir/stdout")" = "$first" ]
check 'the file has the same hash' has "$dir/one.json" "${first#state hash  }"
run sim "$small" --json=/dev/null
check 'a device is written, not replaced' [ -c /dev/null ]

run sim "$small" --baseline static
check 'a baseline is set beside' has "$dir/stdout" 'Against static'
check 'and what was saved' has "$dir/stdout" 'Saved .* kWh'
check 'and changes nothing' [ "$(hash_of "$dir/stdout")" = "$first" ]
run sim "$small" --policy npa --baseline static
check 'more energy for nothing' has "$dir/stdout" '^  Wasted [0-9.]* kWh ([0-9.]* %)$'
run sim "$small" --policy static --baseline lr-mmt-0.5
check 'more energy, better served' has "$dir/stdout" '^  Spent .* more, and less demand was not served$'
run sim "$small" --baseline static,npa --baseline dvfs --json="$dir/beside.json"
check 'several are a table' has "$dir/stdout" 'Beside other policies'
check '... with the floor' has "$dir/stdout" '^  energy floor '
check '... and a list in JSON' test \
    "$(jq -r '[.baselines[].identity.policy] | join(" ")' "$dir/beside.json")" \
    = 'static npa dvfs'
refused 2 'more than 8 baselines' sim --baseline npa,npa,npa,npa,npa,npa,npa,npa,npa

sed 's/^name: small/name: small\nwarmup: 1h/' "$small" >"$dir/warm.yaml"
run sim "$dir/warm.yaml"
check 'a warm-up is not in the time' has "$dir/stdout" 'replayed   3 h in 36 steps'
check 'it is named' has "$dir/stdout" 'after 1 h of warm-up'
run sim "$dir/warm.yaml" --json
check 'nor in the time of the JSON' has "$dir/stdout" '"simulated_s": 10800'

# ---- explaining -----------------------------------------------------------------
run sim "$small" --explain
all=$(grep -c '; accepted' "$dir/stdout")
check 'every VM was placed by a decision' [ "$(grep -c ' place ' "$dir/stdout")" -ge 24 ]
run sim "$small" --explain=host=new-0
check 'a host has fewer decisions' [ "$(grep -c '; accepted' "$dir/stdout")" -lt "$all" ]
check 'all of them about it' lacks "$dir/stdout" '^[0-9:.]*  [a-z-]* .*old-[0-9]* to old'
mv "$dir/stdout" "$dir/by-name"
run sim "$small" --explain host=h0
sed '/^This run took/d' "$dir/by-name" >"$dir/a"
sed '/^This run took/d' "$dir/stdout" >"$dir/b"
check 'h0 is new-0, in two words as well' cmp -s "$dir/a" "$dir/b"
run sim "$small" --explain
vm=$(sed -n 's/.* place \([^ ]*\) to .*/\1/p' "$dir/stdout" | head -n 1)
run sim "$small" --explain "vm=$vm"
check 'a VM by name' has "$dir/stdout" " place $vm to "
check 'and no other' [ "$(grep -c ' place ' "$dir/stdout")" -eq 1 ]
refused 1 "no VM 'nobody'" sim "$small" --explain vm=nobody
refused 1 "no host 'new-6'" sim "$small" --explain host=new-6
refused 1 "no host 'h12'" sim "$small" --explain host=h12

# ---- P-states and power caps ------------------------------------------------------
run sim examples/power-cap.yaml --explain=host=rack-0 --paranoid
check 'a budget is explained' has "$dir/stdout" \
    'power-cap rack-0: its part of a power budget (budget_w=[0-9.]* demand_w=[0-9.]* reserved_w=[0-9.]*); accepted'
check 'each rack is under its cap' \
    [ "$(awk '/^Power caps/ { on = 1 } on && $1 == "rack" { print ($5 <= $4) }' "$dir/stdout")" = 1 ]
check 'the speeds are there' has "$dir/stdout" 'MHz on average: 2600 MHz'
check 'and what they cost' has "$dir/stdout" 'no host+  slow host$'
hash=$(grep '^state hash' "$dir/stdout")
run sim examples/power-cap.yaml -j 2
check 'threads change nothing' [ "$(grep '^state hash' "$dir/stdout")" = "$hash" ]
run sim examples/power-cap.yaml --governor powersave
check 'another governor' has "$dir/stdout" 'at 1000 MHz on average'

# ---- files ------------------------------------------------------------------------
run sim "$small" --out "$dir/run/" --csv "$dir/tables"
for f in report.txt report.json steps.csv hosts.csv vms.csv journal.csv; do
    check "--out writes $f" [ -s "$dir/run/$f" ]
done
check 'the tables alone with --csv' \
    [ "$(cd "$dir/tables" && echo ./*)" = './hosts.csv ./steps.csv ./vms.csv' ]
check 'a row for each step' [ "$(wc -l <"$dir/run/steps.csv")" -eq 49 ]
check 'a row for each host' [ "$(wc -l <"$dir/run/hosts.csv")" -eq 13 ]
check 'a row for each VM' [ "$(wc -l <"$dir/run/vms.csv")" -eq 25 ]
check 'both have the same tables' cmp -s "$dir/run/vms.csv" "$dir/tables/vms.csv"
check 'the journal has every decision' \
    [ "$(wc -l <"$dir/run/journal.csv")" -gt "$all" ]
# shellcheck disable=SC2016 # $1 is awk's
check 'nothing is decided when it is too late (48 steps)' \
    awk -F, 'NR > 1 && $1 + 0 >= 14400 { exit 1 }' "$dir/run/journal.csv"
# shellcheck disable=SC2016 # $15 is awk's
check 'a host that was full had more demand than capacity' \
    awk -F, 'NR > 1 && $15 != "" && $15 < 1000000 { exit 1 }' "$dir/run/vms.csv"
refused 1 'exists already' sim "$small" --out "$dir/run"
refused 1 'cannot be created' sim "$small" --csv "$dir/no/such/place"
refused 1 'nofile' sim "$small" --out "$dir/new" --trace "$dir/nofile"
check 'nothing is left of a run that failed' missing "$dir/new"
check 'and no temporary one' [ -z "$(ls -d "$dir"/new.* 2>/dev/null)" ]

# ---- comparing ---------------------------------------------------------------------
run sim "$small" --policy static --out "$dir/static"
run compare "$dir/run" "$dir/static"
check 'two runs are compared' [ $status -eq 0 ]
check 'figure by figure' has "$dir/stdout" '^energy_kwh  *[0-9.]* '
run compare "$dir/run" "$dir/one.json"
check 'a run equals itself' lacks "$dir/stdout" 'differs'
run sim "$small" --seed 2 --out "$dir/other"
refused 1 'differ in their trace' compare "$dir/run" "$dir/other"
run compare --different "$dir/run" "$dir/other"
check 'unless one insists' [ $status -eq 0 ]
refused 1 'cannot open' compare "$dir/run" "$dir/tables"
refused 1 'not JSON' compare "$dir/run" "$small"
refused 2 'expected two' compare "$dir/run"

# ---- several seeds -------------------------------------------------------------------
run sim "$small" --seeds 4
check 'means over seeds' has "$dir/stdout" '^energy_kwh .* \.\. '
check 'the seed matters here' lacks "$dir/stdout" 'The seed changed nothing'
seeds=$(hash_of "$dir/stdout")
run sim "$small" --seeds 4 -j 2
check 'in any number of threads' [ "$(hash_of "$dir/stdout")" = "$seeds" ]
run trace generate --vms 24 --steps 12 "$dir/day.blt"
check 'a trace is made' [ $status -eq 0 ]
run sim "$small" --trace "$dir/day.blt" --policy static --seeds 3
check 'no seed matters to a file and static' \
    has "$dir/stdout" 'The seed changed nothing'
run sim "$small" --seeds 2 --json
check 'seeds as JSON' has "$dir/stdout" '"format": "ballast-seeds-1"'

# ---- what is refused -----------------------------------------------------------------
refused 2 'unknown option' sim --nonsense
refused 2 'unknown option' sim -x
refused 2 'needs a value' sim --policy
refused 2 'takes no value' sim --paranoid=yes
refused 2 "unknown policy 'best'" sim --policy best
refused 2 "sim: --baseline: unknown policy 'best'" sim --baseline best
refused 2 "unknown physics 'moon'" sim --physics moon
refused 2 "governor: unknown 'fast', expected one of .*entitled" \
    sim --governor fast
refused 2 'cloudsim303, which has none' \
    sim --governor ondemand --physics cloudsim303
refused 2 'up_threshold: .*much' \
    sim --governor ondemand --param up_threshold=much
refused 2 "unknown parameter 'hold'" sim --param hold=1ms
refused 2 'no number' sim --seed -1
refused 2 'no number' sim --seed 1e3
refused 2 'no number' sim -j 0
refused 2 'no number' sim --seeds 1
refused 2 'expected NAME=VALUE' sim --param safety
refused 2 'nosuch' sim --param nosuch=1
refused 2 'safety' sim --param safety=much
refused 2 'expected vm=NAME' sim --explain=cpu
refused 2 'for one' sim --seeds 2 --out "$dir/x"
refused 2 'standard output' sim --explain --json
refused 2 'same directory' sim --out "$dir/x" --csv "$dir/x"
refused 2 'at most one' sim "$small" "$small"
refused 2 'unknown command' simulate
refused 1 'nothing.yaml' sim "$dir/nothing.yaml"
printf 'hosts: 3\n' >"$dir/bad.yaml"
refused 1 'bad.yaml:1: ' sim "$dir/bad.yaml"
head -c 4096 /dev/zero >"$dir/zero"
refused 1 'zero' sim "$dir/zero"
refused 1 'zero' sim "$small" --trace "$dir/zero"
run
check 'no command at all is a usage error' [ $status -eq 2 ]
if [ -e /dev/full ]; then
    "$bin" sim "$small" >/dev/full 2>"$dir/stderr"
    check 'a full disk is noticed' [ $? -eq 1 ]
fi

# ---- lists and interruption -------------------------------------------------------------
for list in policy physics; do
    run sim --$list help
    check "--$list help" [ $status -eq 0 ]
done
check 'real and cloudsim303 are listed' has "$dir/stdout" cloudsim303
run sim --policy help
for p in static npa dvfs TEST-SELECTION safety; do
    check "--policy help knows $p" has "$dir/stdout" "$p"
done
for c in '' sim check trace compare; do
    # shellcheck disable=SC2086 # '' stands for no argument
    run $c --help
    check "ballast $c --help" [ $status -eq 0 ]
    check "no line of it is too wide" lacks "$dir/stdout" '.\{81\}'
done

sed -e 's/count: 6,/count: 2000,/' -e 's/vms: 24, steps: 48/vms: 20000, steps: 2000/' \
    "$small" >"$dir/long.yaml"
timeout --foreground --preserve-status -s INT 1 "$bin" sim "$dir/long.yaml" \
    --out "$dir/cut" >"$dir/stdout" 2>"$dir/stderr"
check 'an interrupted run gives 130' [ $? -eq 130 ]
check 'says that it is partial' has "$dir/stdout" '^PARTIAL'
check 'in its files, too' has "$dir/cut/report.json" '"partial": true'
check 'and has a hash' has "$dir/stdout" '^state hash'

[ $failures -eq 0 ]
