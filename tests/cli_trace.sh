#!/bin/sh
# cli_trace.sh - ballast trace as its users meet it: what it prints, its exit
# status, and that a refusal is one line and leaves nothing behind.
set -eu
ballast=${BL_BIN:?the program to test}
dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-trace-XXXXXX")
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# accepts WORDS COMMAND...: exit status 0, and WORDS in what it prints
accepts() {
    words=$1
    shift
    status=0
    "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" -eq 0 ] || fail "$*: exit status $status, $(cat "$dir/err")"
    grep -qF -e "$words" "$dir/out" || fail "$*: no '$words' in: $(cat "$dir/out")"
    [ ! -s "$dir/err" ] || fail "$*: $(cat "$dir/err")"
}

# refuses STATUS WORDS COMMAND...: that status, one line with WORDS on stderr
refuses() {
    want=$1 words=$2
    shift 2
    before=$(find "$dir" | sort)
    status=0
    "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" -eq "$want" ] || fail "$*: exit status $status, expected $want"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$*: not one line: $(cat "$dir/err")"
    grep -qF -e "$words" "$dir/err" || fail "$*: no '$words' in: $(cat "$dir/err")"
    [ ! -s "$dir/out" ] || fail "$*: wrote $(cat "$dir/out")"
    [ "$before" = "$(find "$dir" | sort)" ] || fail "$*: left something behind"
}

: >"$dir/out"
: >"$dir/err"
cat >"$dir/three.csv" <<'END'
t_s,vm,cpu_pct
0,web,10
0,db,20
300,web,30
300,db,40
300,batch,50
END

accepts "ballast trace import" "$ballast" trace --help
accepts "planetlab " "$ballast" trace info --help
accepts "VMs        3 in all, at most 3 alive at once" \
    "$ballast" trace info "$dir/three.csv"
accepts "CPU %      mean 30.00" "$ballast" trace info "$dir/three.csv"
accepts "three.blt: 3 VMs, 2 steps" \
    "$ballast" trace import "$dir/three.csv" "$dir/three.blt"
accepts "columnar, from csv" "$ballast" trace info -j 2 "$dir/three.blt"

# The content is the same, wherever it is.
"$ballast" trace info "$dir/three.csv" | grep '^content' >"$dir/a"
"$ballast" trace info "$dir/three.blt" | grep '^content' >"$dir/b"
cmp -s "$dir/a" "$dir/b" || fail "content differs after import"

# Import is reproducible, and a generated trace for any number of threads.
"$ballast" trace import "$dir/three.csv" "$dir/again.blt" >"$dir/out"
cmp -s "$dir/three.blt" "$dir/again.blt" || fail "import is not reproducible"
for j in 1 2; do
    "$ballast" trace generate --vms 50 --steps 20 --step 60s --seed 7 \
        --mean 20% --memory --sizes -j $j "$dir/g$j.blt" >"$dir/out"
done
cmp -s "$dir/g1.blt" "$dir/g2.blt" || fail "generate depends on -j"
accepts "steps      20 of" "$ballast" trace info "$dir/g1.blt"
accepts "columns    CPU, memory, sizes" "$ballast" trace info "$dir/g1.blt"

# What is wrong with the input: status 1.
printf 't_s,vm,cpu_pct\n0,a,1\n0,b,x\n' >"$dir/bad.csv"
refuses 1 "bad.csv:3: unfit 'x', expected cpu_pct, a number from 0 to 100" \
    "$ballast" trace import "$dir/bad.csv" "$dir/no.blt"
refuses 1 "cannot be opened" "$ballast" trace info "$dir/none"
refuses 1 "in no format that is known" "$ballast" trace info Makefile
refuses 1 "no trace format is called 'tar'" \
    "$ballast" trace info --format tar "$dir/three.csv"
head -c 400 "$dir/three.blt" >"$dir/cut.blt"
refuses 1 "cut.blt: truncated or damaged" "$ballast" trace info "$dir/cut.blt"
refuses 1 "cannot be written" \
    "$ballast" trace import "$dir/three.csv" "$dir/no/such/folder.blt"
refuses 1 "mean" "$ballast" trace generate --mean 0.99 "$dir/no.blt"

# What is wrong with the command: status 2.
refuses 2 "expected one of info, import, generate" "$ballast" trace
refuses 2 "'frob' is not one of" "$ballast" trace frob
refuses 2 "'info' takes one PATH, 0 given" "$ballast" trace info
refuses 2 "'import' takes SOURCE and OUT, 1 given" "$ballast" trace import x
refuses 2 "'generate' takes one OUT, 2 given" "$ballast" trace generate x y
refuses 2 "--vms is not an option of 'info'" "$ballast" trace info --vms 3 x
refuses 2 "--format is not an option of 'generate'" \
    "$ballast" trace generate --format csv x
refuses 2 "--vms '0' is not valid" "$ballast" trace generate --vms 0 x
refuses 2 "--vms '1e3' is not valid" "$ballast" trace generate --vms 1e3 x
refuses 2 "--step '300' is not valid" "$ballast" trace generate --step 300 x
refuses 2 "--step '0s' is not valid" "$ballast" trace generate --step 0s x
refuses 2 "--mean '0,5' is not valid" "$ballast" trace generate --mean 0,5 x
refuses 2 "--mean '110%' is not valid" "$ballast" trace generate --mean 110% x
refuses 2 "-j '0' is not valid" "$ballast" trace info -j 0 x
refuses 2 "--seed" "$ballast" trace info --seed
refuses 2 "--frob" "$ballast" trace info --frob x

# Ctrl-C: its own status, and no half of a file. Not to the whole group, too: the
# second signal ends the process at once.
refuses 130 "interrupted after" \
    timeout --foreground --preserve-status -s INT 1 "$ballast" trace generate \
    --vms 200000 --steps 100000 "$dir/cut.blt"

exit $failed
