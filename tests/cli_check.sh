#!/bin/sh
# cli_check.sh - ballast check from outside: what it prints, where, and the exit
# status. BL_BIN is the program.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/cli_check.XXXXXX")
trap 'rm -rf "$dir"' EXIT
status=0
fail() {
    echo "FAIL: $*"
    status=1
}

# run STATUS ARGS...: exit status, and output on one stream only
run() {
    want=$1
    shift
    got=0
    "$BL_BIN" check "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = "$want" ] || fail "check $*: status $got, expected $want"
}

# has STREAM TEXT: the text is in it
has() {
    grep -qF -e "$2" "$dir/$1" || fail "no '$2' in: $(cat "$dir/$1")"
}

# lines STREAM N
lines() {
    n=$(wc -l <"$dir/$1")
    [ "$n" -eq "$2" ] || fail "$n lines on $1, expected $2: $(cat "$dir/$1")"
}

# Sound ones: a line each on standard output.
run 0 examples/*.yaml examples/sched/*.yaml examples/power/*.yaml
lines err 0
lines out "$(find examples -name '*.yaml' | wc -l)"
has out 'examples/planetlab.yaml: ok: 800 hosts in 2 groups, 1052 VMs in 4 groups'

has out 'examples/sched/barrier.yaml: ok: a host of 16 pCPUs (16 cores, 2 LLCs, 1 node), 8 VMs with 32 vCPUs in 1 group, policy fair, mode relaxed'

# One that is not: a line on standard error, the others are read all the same.
run 1 examples/default.yaml tests/scenarios/tab.yaml examples/planetlab.yaml
lines out 2
lines err 1
has err 'tests/scenarios/tab.yaml:18: a tab in the indentation'
run 1 "$dir/nothing.yaml"
lines out 0
lines err 1
has err 'nothing.yaml: cannot be opened'

# The policy and its parameters are those of the program.
{
    sed '/^policy:/,$d' examples/contention.yaml
    printf 'policy:\n  name: NAME\n  KEY: VALUE\n'
} >"$dir/template"
policy() {
    sed -e "s/NAME/$1/" -e "s/KEY/$2/" -e "s/VALUE/$3/" "$dir/template" \
        >"$dir/p.yaml"
}
at=$(wc -l <"$dir/template")
policy lr-mmt-1.2 safety 1.3
run 0 "$dir/p.yaml"
has out 'policy lr-mmt-1.2'
policy nobody safety 1.3
run 1 "$dir/p.yaml"
lines err 1
has err "p.yaml:$((at - 1)): "
has err nobody
policy lr-mmt-1.2 color red
run 1 "$dir/p.yaml"
lines err 1
has err "p.yaml:$at: unknown parameter 'color', expected one of"
policy lr-mmt-1.2 safety 4s
run 1 "$dir/p.yaml"
lines err 1
has err "p.yaml:$at: safety: '4s'"

# Bytes that are no text do not reach the terminal.
printf 'a\033[31m: 1\n' >"$dir/escape.yaml"
run 1 "$dir/escape.yaml"
lines err 1
! grep -q "$(printf '\033')" "$dir/err" || fail 'an escape sequence came through'

# Help and its tables.
run 0 --help
has out 'usage: ballast check'
run 0 --keys
has out 'hosts.groups:'
has out 'LEVEL cluster'
has out 'LEVEL host'
has out 'vms.groups.workload barrier:'
has out 'required'
run 0 --servers
has out 'HpProLiantMl110G4Xeon3040'
has out 'HpeDl360Gen10Xeon8180'
run 0 --servers=fuzz/corpus/servers/two
lines out 3
has out 'made-model-5-9'
has out 'line:2'
run 1 --servers=fuzz/corpus/servers/nan
lines out 0
lines err 1
has err "fuzz/corpus/servers/nan:2: w_20: 'NaN' is not valid"
run 1 --servers=nowhere.csv
lines err 1
cp fuzz/corpus/servers/two "$dir/two.csv"
cat >"$dir/two.yaml" <<'END'
servers: two.csv
hosts: {groups: [{name: a, count: 2, power: huawei-rh-2-epyc}]}
vms: {groups: [{name: v, count: 3, vcpus: 1, speed: 1GHz, memory: 1GiB}]}
END
run 0 "$dir/two.yaml"
run 2
lines err 1
run 2 --frobnicate x.yaml
lines err 1

# The scenarios that --help shows are sound.
"$BL_BIN" check --help | sed -n '/start from/,/^And/p' | sed '1d;$d' \
    >"$dir/help.yaml"
run 0 "$dir/help.yaml"
has out '10 hosts in 1 group, 40 VMs in 1 group'
"$BL_BIN" check --help | sed -n '/^And one of/,/^Exit/p' | sed '1d;$d' \
    >"$dir/help.yaml"
run 0 "$dir/help.yaml"
has out 'a host of 32 pCPUs (16 cores, 2 LLCs, 1 node), 12 VMs with 24 vCPUs in 2 groups'

# Level host: what sim does not admit is not sound, in the same words.
# admission MODE POOLS GROUPS TEXT
admission() {
    {
        echo 'level: host'
        echo "host: {topology: 'pack:1 l3:1 core:4 pu:1', speed: 2GHz}"
        echo "scheduler: {policy: fair, mode: $1}"
        echo 'duration: 10ms'
        echo 'pools:'
        printf '  - %s\n' "{name: z}" "$2"
        echo 'vms:'
        echo '  groups:'
        printf '    - %s\n' "$3"
    } >"$dir/host.yaml"
    run 1 "$dir/host.yaml"
    has err "host.yaml:$4"
    mv "$dir/err" "$dir/said"
    "$BL_BIN" sim "$dir/host.yaml" >"$dir/out" 2>"$dir/err" &&
        fail "sim admits: $4"
    cmp -s "$dir/said" "$dir/err" ||
        fail "check: $(cat "$dir/said"), sim: $(cat "$dir/err")"
}
one='{name: v, workload: cpu}'
admission none '{name: a, cpu: {reservation: 20GHz}}' "$one" \
    "7: pool a is not admitted: the host has 7.84GHz left to reserve (8GHz less 2 % overhead), 20GHz needed: 12.16GHz short"
admission none '{name: a, parent: z, cpu: {reservation: 8GHz}}' "$one" \
    '7: pool a is not admitted: the host has 7.84GHz left'
admission none '{name: a, cpu: {reservation: 1GHz, expandable: no}}' \
    '{name: v, pool: a, count: 3, cpu: {reservation: 400MHz}, workload: cpu}' \
    "10: VM v-2 is not admitted: resource pool 'a' has 0.2GHz left to reserve, 0.4GHz needed: 0.2GHz short"
admission none '{name: a}' \
    '{name: v, count: 5, cpu: {reservation: 1.8GHz}, workload: cpu}' \
    '10: VM v-4 is not admitted: the host has 640MHz left to reserve (8GHz less 2 % overhead), 1.8GHz needed: 1.16GHz short'
admission none '{name: a}' \
    "{name: v, count: 2, affinity: '0', cpu: {reservation: 1.5GHz}, workload: cpu}" \
    '10: VM v-1 is not admitted: the pCPUs that it may use have 460MHz left to reserve, 1.5GHz needed'
admission strict '{name: a}' '{name: v, vcpus: 5, workload: cpu}' \
    '10: VM v is not admitted: mode strict runs all its 5 vCPUs at once, expected at most 4'
exit $status
