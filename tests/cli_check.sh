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
run 0 examples/*.yaml
lines err 0
lines out "$(find examples -name '*.yaml' | wc -l)"
has out 'examples/planetlab.yaml: ok: 800 hosts in 2 groups, 1052 VMs in 4 groups'

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
has out 'required'
run 0 --servers
has out 'HpProLiantMl110G4Xeon3040'
run 2
lines err 1
run 2 --frobnicate x.yaml
lines err 1

# The scenario that --help shows is sound.
"$BL_BIN" check --help | sed -n '/start from/,/^Exit/p' | sed '1d;$d' \
    >"$dir/help.yaml"
run 0 "$dir/help.yaml"
has out '10 hosts in 1 group, 40 VMs in 1 group'
exit $status
