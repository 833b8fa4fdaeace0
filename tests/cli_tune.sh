#!/bin/sh
# cli_tune.sh - `ballast tune` as a user types it: what it finds and writes, what
# it refuses, that a killed or interrupted search goes on, and that the policy
# file it writes gives its figures to the digit.
set -u
bin=${BL_BIN:-build/gcc/ballast}
case $bin in /*) ;; *) bin=$PWD/$bin ;; esac
examples=$PWD/examples
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
unset NO_COLOR OMPI_COMM_WORLD_SIZE PMI_SIZE
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
same() { cmp -s "$1" "$2"; }
missing() { [ ! -e "$1" ]; }

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

# same_files A B: everything that a search writes but its database
same_files() {
    for f in front.txt front.csv points.csv front.json front.html policy.yaml; do
        check "$1 and $2 agree on $f" same "$1/$f" "$2/$f"
    done
}

cat >"$dir/small.yaml" <<'YAML'
name: small
hosts:
  groups:
    - {name: new, count: 8, cores: 4, speed: 2933MHz, memory: 16GiB,
       power: IbmX3250XeonX3470}
    - {name: old, count: 8, cores: 2, speed: 2660MHz, memory: 8GiB,
       power: HpProLiantMl110G5Xeon3075}
vms:
  groups:
    - {name: web, vcpus: 1, speed: 2GHz, memory: 512MiB}
trace:
  generate: {vms: 40, steps: 96, mean: 30%}
policy: lr-mmt-1.2
tune:
  vary:
    safety: 1.0:1.4:0.1
    select: [mmt, mu]
YAML
small=$dir/small.yaml
cd "$dir" || exit 1

# ---- a front, in every form ------------------------------------------------------
run tune "$small"
check 'a search succeeds' [ $status -eq 0 ]
check 'nothing on stderr' [ ! -s "$dir/stderr" ]
check 'every run was made' has "$dir/stdout" '^0 runs were there already, 11 were made'
check 'the baseline is there' has "$dir/stdout" 'lr-mmt-1.2 as it is'
check 'one point is picked' [ "$(grep -c '^\*.*[0-9]$\|^\*.*safety\|^\*b' "$dir/stdout")" -eq 1 ]
for f in front.txt front.csv points.csv front.json front.html policy.yaml runs.sqlite; do
    check "$f is there" [ -s "small.tune/$f" ]
done
check 'a row for each point' [ "$(wc -l <small.tune/points.csv)" -eq 12 ]
check 'the page has its chart' has small.tune/front.html 'new Dygraph'
check 'and the licence of it' has small.tune/front.html 'Permission is hereby granted'
check 'and no address to load from' lacks small.tune/front.html '<script[^>]* src\|<link\|@import'
check 'the text is the table' has small.tune/front.txt 'energy kWh unserved ppm'

run tune "$small" -j 2 --out two
check 'two at a time' [ $status -eq 0 ]
same_files small.tune two

run tune "$small"
check 'again: nothing is made' has "$dir/stdout" '^11 runs were there already, 0 were made'
same_files small.tune two
run tune "$small" --vary safety=1.0:1.6:0.1 --vary select=mmt,mu
check 'more of the same: only what is new' has "$dir/stdout" '^11 runs were there already, 4 were made'
sed 's/1.0:1.4:0.1/1.1:1.3:0.1/' "$small" >more.yaml
run tune more.yaml --out small.tune
check 'the section itself may change' has "$dir/stdout" '^7 runs were there already, 0 were made'

# ---- the policy file gives the figures to the digit --------------------------------
figure() { sed -n "s/^#   $1 *\([^ ]*\).*/\1/p" two/policy.yaml; }
run sim "$small" --policy-file two/policy.yaml --json
check 'the policy file runs' [ $status -eq 0 ]
check 'energy to the digit' has "$dir/stdout" "\"energy_kwh\": $(figure energy),"
check 'unserved to the digit' has "$dir/stdout" "\"unserved_ppm\": $(figure unserved),"
check 'migrations' has "$dir/stdout" "\"migrations\": $(figure migrations),"
run check two/policy.yaml
check 'ballast check knows it' has "$dir/stdout" 'policy.yaml: ok: a policy, lr-mmt-1.2 with overload=lr'
row=$(sed -n 's/^[0-9]*,1,//p' two/front.csv)
check 'the front has the same figure' expr "$row" : ".*,$(figure energy)," >"$dir/null"

run tune "$small" --pick 1 --out two
check 'another point' [ $status -eq 0 ]
energy=$(figure energy)
check 'the first has the least energy' \
    [ "$(sed -n 's/^1,1,[^,]*,[^,]*,[^,]*,\([^,]*\),.*/\1/p' two/front.csv)" = "$energy" ]
run sim "$small" --policy-file two/policy.yaml --json
check 'and its figure, to the digit' has "$dir/stdout" "\"energy_kwh\": $energy,"
run sim "$small" --policy-file two/policy.yaml --param select=rs --json
check 'an option wins over the file' lacks "$dir/stdout" "\"energy_kwh\": $energy,"


# every point of a front, warm-up and a shorter run included
sed '/^policy/i duration: 6h\nwarmup: 65min\n' "$small" >part.yaml
run tune part.yaml --seed 7 --vary safety=0.87:1.5:0.19 --vary fallback=0.5,66.6667% \
    --objectives energy,unserved,migrations --pick 1 --out two.part
points=$(($(wc -l <two.part/front.csv) - 1))
check "the front has some points: $points" [ "$points" -ge 2 ]
while [ "$points" -gt 0 ]; do
    run tune part.yaml --seed 7 --vary safety=0.87:1.5:0.19 --vary fallback=0.5,66.6667% \
        --objectives energy,unserved,migrations --pick $points --out two.part
    run sim part.yaml --seed 7 --policy-file two.part/policy.yaml --json
    for f in energy:energy_kwh unserved:unserved_ppm migrations:migrations; do
        want=$(sed -n "s/^#   ${f%:*} *\([^ ]*\).*/\1/p" two.part/policy.yaml)
        check "point $points: ${f%:*} is $want" has "$dir/stdout" "\"${f#*:}\": $want,"
    done
    points=$((points - 1))
done

# a file with as many parameters as there may be: an option changes one of them
run tune "$small" --policy rightsize --vary late=0,5% --baseline rightsize --out right
check 'a policy of many parameters' [ "$(grep -c '^  ' right/policy.yaml)" -eq 17 ]
run sim "$small" --policy-file right/policy.yaml --param late=30%
check "an option takes its parameter's place: $(cat "$dir/stderr")" has "$dir/stdout" ' late=0.3 '
{
    sed '/^policy/,$d' "$small"
    cat right/policy.yaml
} >all.yaml
run tune all.yaml --vary quantile=0.9,95% --param late=30% --pick knee --out all
check "in tune, too: $(cat "$dir/stderr")" has all/policy.yaml "^  late: '0.3'"
check 'values look alike' has "$dir/stdout" 'quantile=0.9,0.95$'

printf 'policy:\n  name: lr-mmt\n  saftey: 1\n' >p.yaml
refused 1 "^p.yaml:3: unknown parameter 'saftey'" sim "$small" --policy-file p.yaml
refused 1 "^p.yaml:3: unknown parameter 'saftey'" check p.yaml
printf 'policy:\n  name: lr-mmt\npolicies: 1\n' >p.yaml
refused 1 "^p.yaml:3: unknown key 'policies', did you mean 'policy'" sim "$small" --policy-file p.yaml
printf 'policy: nobody\n' >p.yaml
refused 1 "^p.yaml:1: unknown policy 'nobody'" sim "$small" --policy-file p.yaml
printf 'name: x\n' >p.yaml
refused 1 "^p.yaml:1: unknown key 'name'" sim "$small" --policy-file p.yaml
refused 1 '^p2.yaml: cannot be opened .*expected a policy file' sim "$small" --policy-file p2.yaml
refused 2 'both name a policy' sim "$small" --policy-file p.yaml --policy static

refused 2 'policy-file is for scenarios of level: cluster' sim \
    "$examples/sched/shares.yaml" --policy-file two/policy.yaml

# ---- strategies -------------------------------------------------------------------
run tune "$small" --strategy random --runs 9 --vary safety=0.5:2 --out random
check 'random: the baseline and nine' has "$dir/stdout" '10 were made'
run tune "$small" --strategy random --runs 9 --vary safety=0.5:2 --seed 2 --out seed
check 'another seed' [ $status -eq 0 ]
cut -d , -f 4 random/points.csv >a
cut -d , -f 4 seed/points.csv >b
check 'draws other points' [ "$(sort a b | uniq -d | wc -l)" -le 2 ]
run tune "$small" --strategy random --runs 50 --vary select=mmt,mc,mu --out few
check 'no more points than there are' has "$dir/stdout" '4 were made'

run tune "$small" --strategy halving --runs 27 --vary safety=0.5:2 --out halving
check 'halving' [ $status -eq 0 ]
# 96 steps: 27 points on 32 of them, 9 on all; and the baseline
check 'costs 27 short runs, 9 long ones and the baseline' has "$dir/stdout" '37 were made'
check 'shows those that were run in full' [ "$(wc -l <halving/points.csv)" -eq 11 ]
run tune "$small" --strategy halving --runs 27 --vary safety=0.5:2 -j 2 --out halving2
same_files halving halving2
run tune "$small" --strategy random --runs 27 --vary safety=0.5:2 --out full
sed 1d halving/points.csv | cut -d , -f 4- | sort >a
sed 1d full/points.csv | cut -d , -f 4- | sort >b
check 'its figures are those of a full search' [ -z "$(comm -23 a b)" ]

# ---- objectives, several traces, validation ----------------------------------------
run tune "$small" --objectives energy,slav,unserved,migrations,transitions --pick knee --out five
check 'five objectives' has "$dir/stdout" 'energy kWh .*slav unserved ppm  migrations transitions'
for n in 1 2 3; do
    "$bin" trace generate "t$n.blt" --vms 40 --steps 96 --mean 30% --seed "$n" >"$dir/null" || exit 1
done
run tune "$small" --trace t1.blt --trace t2.blt --validate t3.blt --out cross
check 'days to tune on and one to validate on' [ $status -eq 0 ]
check 'are named' has "$dir/stdout" 'validated *generated'
check 'in columns of their own' has "$dir/stdout" '^ .*tuned  *validated$'
line=$(sed -n 2p cross/front.csv)
safety=$(echo "$line" | cut -d , -f 4)
select=$(echo "$line" | cut -d , -f 5)
energy() { run sim "$small" --trace "$1" --param "safety=$safety" --param "select=$select" --json &&
    sed -n 's/^    "energy_kwh": \([^,]*\),/\1/p' "$dir/stdout"; }
check 'what was validated is that trace' [ "$(echo "$line" | cut -d , -f 11)" = "$(energy t3.blt)" ]
mean=$(awk -v a="$(energy t1.blt)" -v b="$(energy t2.blt)" 'BEGIN { printf "%.9f", (a + b) / 2 }')
check 'what was tuned is the mean' \
    [ "$(echo "$line" | cut -d , -f 6 | awk '{ printf "%.9f", $1 }')" = "$mean" ]
run tune "$small" --trace t1.blt --trace t2.blt --validate t3.blt --strategy halving \
    --runs 27 --vary safety=0.5:2 --out days
check 'halving over days: 192 steps in all' has "$dir/stdout" '46 were made\|[0-9]* were made'

# ---- refusals ---------------------------------------------------------------------
refused 2 'no scenario\|0 scenarios given' tune
refused 2 "unknown option '--varry'" tune "$small" --varry x
refused 2 "vary 'safety', expected NAME=RANGE" tune "$small" --vary safety
refused 2 "unknown parameter 'x'" tune "$small" --vary x=1,2 --out no
refused 2 'safety: a range without a step' tune "$small" --vary safety=1:2 --out no
refused 2 'a grid of 10000001 points, expected at most 10000' tune "$small" --vary safety=0:10:0.000001 --out no
refused 2 'objectives: .watts. is none' tune "$small" --objectives watts --out no
refused 2 'pick: .best. is no rule' tune "$small" --pick best --out no
refused 2 'weighs energy against unserved' tune "$small" --objectives slav,energy --pick energy --out no
refused 2 "unknown policy 'nobody'" tune "$small" --policy nobody --out no
refused 2 "tune: --baseline: unknown policy 'nobody'" tune "$small" --baseline nobody --out no
refused 2 "tune: --param: unknown parameter 'x'" tune "$small" --param x=1 --out no
refused 2 'tune: --param: safety: .* is out of range' tune "$small" --param safety=99 --out no
refused 2 "out '', expected a directory" tune "$small" --out ''
refused 2 'expected grid, random or halving' tune "$small" --strategy all --out no
refused 2 'runs .0. is no number from 1 to 10000' tune "$small" --runs 0 --out no
refused 2 'unknown physics' tune "$small" --physics none --out no
refused 1 'cannot be opened' tune nothing.yaml --out no
refused 1 'nothing.blt' tune "$small" --trace nothing.blt --out no
refused 1 '^t1.blt: is to be validated on, but is what is tuned on' \
    tune "$small" --trace t2.blt --trace t1.blt --validate t1.blt --out no
# known at once, not when halving comes to the second trace or to validation
"$bin" trace generate t4.blt --vms 40 --steps 48 >"$dir/null" || exit 1
refused 1 'the trace lasts 14400 s, expected at least' tune part.yaml --trace t1.blt \
    --trace t4.blt --strategy halving --runs 27 --vary safety=0.5:2 --out no
refused 1 'the trace lasts 14400 s, expected at least' tune part.yaml --trace t1.blt \
    --validate t4.blt --out no
check 'nothing is left of what was refused' missing no
run tune "$small" --pick 99
check 'a point that is not there gives 1' [ $status -eq 1 ]
check 'and is said' has "$dir/stderr" '^--pick: pick: 99, expected at most [0-9]*: the front'
check 'the front can be looked at' [ -s small.tune/front.csv ]
check 'nothing is picked' missing small/policy.yaml
check 'and the page does not say so' lacks small.tune/front.html 'policy.yaml'
sed 's/safety: 1.0:1.4:0.1/safety: 1.4:1.0:0.1/' "$small" >bad.yaml
refused 1 '^bad.yaml:16: safety: .*, expected a range from less to more' tune bad.yaml
refused 1 '^bad.yaml:16: safety: .*, expected a range from less to more' check bad.yaml
sed '/^  vary/,$d' "$small" >bad.yaml
echo '  strategy: grid' >>bad.yaml
refused 1 '^bad.yaml:14: nothing to vary' tune bad.yaml
sed '/^tune/,$d' "$small" >bad.yaml
refused 2 'nothing to vary' tune bad.yaml
refused 2 'has level: host, expected level: cluster' tune "$examples/sched/shares.yaml"
mkdir full.dir && touch full.dir/letter
refused 1 'exists already and holds no runs.sqlite' tune "$small" --out full.dir
sed 's/^name: small/name: other/' "$small" >other.yaml
refused 1 'holds runs of another scenario' tune other.yaml --out two
mkdir empty.dir
run tune "$small" --out empty.dir
check 'an empty directory will do' [ $status -eq 0 ]

# ---- killed at any moment: nothing that was done is done again ---------------------
cat "$small" >kill.yaml
sed -i 's/steps: 96/steps: 288/; s/vms: 40/vms: 120/; s/count: 8/count: 24/
    s/1.0:1.4:0.1/0.6:1.6:0.02/' kill.yaml
# 102 points and the baseline
run tune kill.yaml -j 2 --out undisturbed
check 'undisturbed' has "$dir/stdout" '^0 runs were there already, 103 were made'
kills=0 made=0
while [ $kills -lt 4 ]; do
    : >log
    "$bin" tune kill.yaml -j 2 --out killed --verbose >"$dir/stdout" 2>log &
    pid=$!
    while [ "$(grep -c '^finished' log)" -lt 15 ] && kill -0 $pid 2>"$dir/null"; do
        sleep 0.01
    done
    kill -9 $pid 2>"$dir/null"
    wait $pid 2>"$dir/null"
    started=$(grep -c '^started' log)
    finished=$(grep -c '^finished' log)
    check "killed with at most 2 in flight: $started started, $finished finished" \
        [ $((started - finished)) -le 2 ]
    made=$((made + finished))
    kills=$((kills + 1))
done
run tune kill.yaml -j 2 --out killed --verbose
kept=$(sed -n 's/^\([0-9]*\) runs were there already.*/\1/p' "$dir/stdout")
check "every finished run was kept: $kept of $made" [ "$kept" -ge "$made" ]
check 'at most one row a kill and thread more than was said' [ "$kept" -le $((made + 2 * kills)) ]
check 'only the rest was made' [ "$(grep -c '^started' "$dir/stderr")" -eq $((103 - kept)) ]
same_files undisturbed killed

# ---- Ctrl-C: a partial front, marked as such ---------------------------------------
: >log
"$bin" tune kill.yaml --out stopped --verbose >"$dir/stdout" 2>log &
pid=$!
while [ "$(grep -c '^finished' log)" -lt 10 ]; do sleep 0.01; done
kill -TERM $pid
wait $pid
check 'interrupted gives 130' [ $? -eq 130 ]
check 'the table says so' has "$dir/stdout" 'PARTIAL: interrupted; [0-9]* of 103 runs are complete'
check 'the page says so' has stopped/front.html 'class=partial'
check 'the JSON says so' has stopped/front.json '"partial": true'
check 'the policy says so' has stopped/policy.yaml 'PARTIAL'
run tune kill.yaml --out stopped
check 'and then to the end' [ $status -eq 0 ]
same_files undisturbed stopped

# ---- the bar fits the terminal ------------------------------------------------------
# script(1) makes the terminal, where there are any to be had (not in every
# chroot); a search that ends in half a second has no bar.
if script -qec true terminal.log >"$dir/null" 2>&1 </dev/null; then
    script -qec "stty cols 40; '$bin' tune kill.yaml --out bar" bar.log >"$dir/null" </dev/null
    tr '\r' '\n' <bar.log | grep '^\[[#.]*\] *[0-9]* %' >bars
    if [ -s bars ]; then
        check 'a bar with the time that remains' has bars ' left '
        check 'of less than 40 columns' lacks bars '^.\{40\}'
    else
        echo 'SKIP: done before there was a bar'
    fi
else
    echo 'SKIP: no script(1), or no terminal for it'
fi

# ---- a name is only a name ---------------------------------------------------------
sed 's|^name: small|name: "a</script><b>\&/.."|' "$small" >name.yaml
run tune name.yaml --vary safety=1.0,1.1
check 'its directory is here' [ -s 'a<_script><b>&_...tune/front.html' ]
check 'it is no markup' lacks 'a<_script><b>&_...tune/front.html' 'a</script>'
check 'nor in the data' has 'a<_script><b>&_...tune/front.html' 'a\\u003c/script>'

[ $failures -eq 0 ] || {
    echo "$failures failed"
    exit 1
}
