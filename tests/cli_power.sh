#!/bin/sh
# cli_power.sh - ballast power from outside: its options anywhere, its tables and
# limits on a tree of plain files that is mounted over /sys/class/powercap, in a
# mount namespace of this script's own. BL_BIN is the program.
set -eu
status=0
fail() {
    echo "FAIL: $*"
    status=1
}

# run STATUS ARGS...: exit status; output in out and err
run() {
    want=$1
    shift
    got=0
    "$BL_BIN" power "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = "$want" ] ||
        fail "power $*: status $got, expected $want: $(cat "$dir/err")"
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

# ---- options: no zone is looked at ---------------------------------------------

# refused TEXT ARGS...: one line on standard error, nothing else
refused() {
    words=$1
    shift
    run 2 "$@"
    lines out 0
    lines err 1
    has err 'ballast power: '
    has err "$words"
}

test_options() {
    run 0 --help
    lines err 0
    has out 'usage: ballast power'
    awk 'length > 80 { exit 1 }' "$dir/out" || fail 'help is wider than 80'
    refused "unknown option '--frobnicate'" --frobnicate
    refused "unexpected 'package-0'" package-0
    refused '--interval needs a value' --interval
    refused 'expected a time such as 300s' --interval 5
    refused '1ms to 60s' --interval 2min
    refused '1ms to 60s' --interval 0
    refused 'a whole number from 1' --count 0
    refused 'a whole number from 1' --count -1
    refused 'expected one' --json --csv
    refused 'go with --limit' --force
    refused 'go with --limit' --window 1s
    refused 'go with --limit' --constraint long_term
    refused 'does not measure' --limit package-0=95W --json
    refused 'does not measure' --limit package-0=95W --zone package-0
    refused 'given twice' --limit package-0=95W --limit package-1=95W
    refused 'at least 1us' --limit package-0=95W --window 0
    for text in 95W =95W '' package-0; do
        refused 'ZONE=WATTS such as package-0=95W' --limit "$text"
    done
    for power in '' 95 -5W 1e3W 0x5fW '95 watts' 95W= 95GW nan; do
        refused 'expected a power such as 35W' --limit "package-0=$power"
    done
    refused 'smaller' --limit package-0=99999999999999999999W
    refused 'a smaller power' --limit package-0=9223372036854775W
    refused 'expected a zone' --limit "$(printf '%0200d' 7)=95W"
    esc=$(printf '\033')
    run 2 --limit "${esc}[31m"
    ! grep -q "$esc" "$dir/err" || fail 'an escape sequence came through'
}

# ---- trees ---------------------------------------------------------------------

root=/sys/class/powercap
p0=$root/intel-rapl/intel-rapl:0
p1=$root/intel-rapl/intel-rapl:1
range=262143328850

# zone FOLDER NAME CONSTRAINTS
zone() {
    mkdir -p "$1"
    echo "$2" >"$1/name"
    echo 1 >"$1/enabled"
    echo 1000000 >"$1/energy_uj"
    echo $range >"$1/max_energy_range_uj"
    i=0
    for k in $3; do
        echo "$k" >"$1/constraint_${i}_name"
        echo 125000000 >"$1/constraint_${i}_power_limit_uw"
        echo 200000000 >"$1/constraint_${i}_max_power_uw"
        echo 999424 >"$1/constraint_${i}_time_window_us"
        i=$((i + 1))
    done
}

# server CONSTRAINTS: two packages with dram, symlinks as the kernel makes them
server() {
    rm -rf "${root:?}"/*
    mkdir "$root/intel-rapl"
    echo 1 >"$root/intel-rapl/enabled"
    for s in 0 1; do
        z=intel-rapl/intel-rapl:$s
        zone "$root/$z" package-$s "$1"
        zone "$root/$z/intel-rapl:$s:0" dram "${1%% *}"
        ln -s $z "$root/intel-rapl:$s"
        ln -s $z/intel-rapl:$s:0 "$root/intel-rapl:$s:0"
    done
}

# put NUMBER FILE: at once, as a counter that is never half written
put() {
    echo "$1" >"$root/new"
    mv "$root/new" "$2"
}

# digits FILE: what the kernel would take of it
digits() {
    tr '\000' '\n' <"$1" | head -n 1
}

# ---- tables --------------------------------------------------------------------

test_table() {
    server 'long_term short_term'
    run 0 --interval 1ms
    lines err 0
    lines out 7
    sed 's/  */ /g; s/ $//' "$dir/out" >"$dir/squeezed"
    cat >"$dir/wanted" <<'EOF'
zone name draw W constraint limit W window s max W
intel-rapl:0 package-0 0.00 long_term 125.000 0.999424 200.000
 short_term 125.000 0.999424 200.000
intel-rapl:0:0 package-0/dram 0.00 long_term 125.000 0.999424 200.000
intel-rapl:1 package-1 0.00 long_term 125.000 0.999424 200.000
 short_term 125.000 0.999424 200.000
intel-rapl:1:0 package-1/dram 0.00 long_term 125.000 0.999424 200.000
EOF
    diff "$dir/wanted" "$dir/squeezed" || fail 'another table'
    awk 'NR > 1 && substr($0, length($0) - 6) != "200.000" { exit 1 }
        { at = index($0, NR == 1 ? "constraint" : $0 ~ /short/ ? "short_" : "long_")
          if (NR > 1 && at != first) exit 1
          first = at }' "$dir/out" || fail "not aligned: $(cat "$dir/out")"

    run 0 --interval 1ms --count 3 --zone package-1
    lines out 4
    has out 'package-1  package-1/dram'
    ! grep -q package-0 "$dir/out" || fail 'package-0 was not asked for'

    run 1 --zone dram
    lines out 0
    lines err 1
    has err "zone 'dram' is more than one, expected one of intel-rapl:0:0 (package-0/dram), intel-rapl:1:0 (package-1/dram)"
    run 1 --zone nothing
    has err "no zone 'nothing', expected one of intel-rapl:0 (package-0)"
}

test_machine_forms() {
    server 'long_term short_term'
    run 0 --interval 1ms --count 2 --csv
    lines out 9
    has out 'sample,elapsed_s,zone,name,enabled,energy_uj,power_uw,'
    has out ',intel-rapl:0,package-0,yes,0,0,125000000,999424,125000000,999424'
    has out ',intel-rapl:1:0,package-1/dram,yes,0,0,125000000,999424,,'
    run 0 --interval 1ms --count 2 --json
    jq -e '.format == "ballast-power-1" and (.zones | length) == 4 and
        (.samples | length) == 2 and .partial == false and
        .zones[2].constraints[1].limit_uw == 125000000 and
        .samples[1].zones[3] ==
            {"zone": "intel-rapl:1:0", "energy_uj": 0, "power_uw": 0} and
        .samples[1].elapsed_us > .samples[0].elapsed_us' "$dir/out" \
        >/dev/null || fail "other JSON: $(cat "$dir/out")"
}

# The counter advances over its wrap while the program runs: what comes out is
# what went in, however long the intervals were.
test_energy_advances() {
    server 'long_term short_term'
    put $((range - 40000000)) "$p0/energy_uj"
    rm -f "$dir/out" # its header is the sign that the counters were read
    "$BL_BIN" power --csv --interval 5ms --count 20000 >"$dir/out" &
    pid=$!
    while [ ! -s "$dir/out" ] && kill -0 $pid; do sleep 0.02; done
    put 44999999 "$p0/energy_uj"
    put 4000000 "$p1/intel-rapl:1:0/energy_uj"
    until awk -F, '/,[1-9][0-9]*,[1-9][0-9]*,125/ { n[$3] = 1 }
        END { exit !(n["intel-rapl:0"] && n["intel-rapl:1:0"]) }' "$dir/out"; do
        kill -0 $pid || break
        sleep 0.02
    done
    kill -TERM $pid || fail 'it ended by itself'
    got=0
    wait $pid || got=$?
    [ "$got" = 130 ] || fail "status $got when interrupted, expected 130"
    awk -F, 'NR > 1 { e[$3] += $6 } END { for (z in e) print z, e[z] }' \
        "$dir/out" | sort | tr '\n' ';' >"$dir/sums"
    has sums 'intel-rapl:0 85000000;intel-rapl:0:0 0;intel-rapl:1 0;intel-rapl:1:0 3000000;'
}

test_amd() {
    server ''
    run 0 --interval 1ms
    lines out 5
    [ "$(grep -c 'no limits$' "$dir/out")" = 4 ] || fail 'AMD has limits'
    run 1 --limit package-0=95W
    lines out 0
    has err 'package-0: cannot be limited: the kernel shows no constraint of intel-rapl:0 (AMD counts energy only)'
}

# ---- limits --------------------------------------------------------------------

test_limits() {
    server 'long_term short_term'
    run 0 --limit package-0=95W
    lines err 0
    has out 'package-0 (intel-rapl:0) long_term'
    has out 'limit   125W -> 95W'
    has out 'window  999424us -> 999424us'
    [ "$(digits "$p0/constraint_0_power_limit_uw")" = 95000000 ] ||
        fail 'the limit was not written'
    # again, over what the library has left in the file
    run 0 --limit intel-rapl:0=110.5W --window 2s
    has out 'limit   95W -> 110.5W'
    has out 'window  999424us -> 2s'
    run 0 --limit package-1/dram=40W
    run 0 --limit package-0=0.15kW --constraint short_term
    run 0 --interval 1ms --csv --zone package-0
    has out ',110500000,2000000,150000000,999424'

    # refused, and nothing written
    cp -r "$root/intel-rapl" "$dir/before"
    for bad in 'package-0=0W:a limit of 0 W' \
        'package-0=19.9W:below 20.000 W' \
        'package-0=201W:above the 200.000 W' \
        'package-7=95W:no zone' \
        'dram=30W:more than one'; do
        run 1 --limit "${bad%%:*}"
        lines out 0
        lines err 1
        has err "${bad#*:}"
    done
    run 1 --limit package-0=95W --window 2000s
    has err 'expected 0.001 to 1000 s'
    run 1 --limit package-0/dram=30W --constraint short_term
    has err "no constraint 'short_term', expected one of long_term"
    run 1 --limit package-0=0W --force
    diff -r "$dir/before" "$root/intel-rapl" || fail 'something was written'

    run 0 --limit package-0=201W --force
    has out 'limit   110.5W -> 201W'
    echo 0 >"$p1/enabled"
    run 0 --limit package-1=95W
    has out 'the zone is off (enabled = 0)'
    run 0 --interval 1ms
    [ "$(grep -c '(off)$' "$dir/out")" = 2 ] || fail 'no (off)'

    # A file that takes 150000000 and then says 00000180, its lowest bits in
    # hexadecimal: a kernel that makes something else of a limit.
    if grep -q '^0*33$' /proc/self/coredump_filter 2>/dev/null; then
        ln -sf /proc/self/coredump_filter "$p1/constraint_1_power_limit_uw"
        run 1 --limit package-1=150W --constraint short_term
        has out 'limit   0 -> 0'
        lines err 1
        has err 'package-1: the kernel keeps 0.000 W, not the 150.000 W asked for'
    fi

    # files that went bad since
    ln -sf /dev/full "$p0/constraint_0_time_window_us"
    run 1 --limit package-0=95W --window 1s
    has err 'constraint_0_time_window_us: holds'
    rm "$p0/constraint_0_power_limit_uw"
    run 1 --limit package-0=95W
    has err "no constraint 'long_term', expected one of short_term"
}

# ---- what disappoints ----------------------------------------------------------

test_trouble() {
    rm -rf "${root:?}"/*
    run 1
    lines out 0
    lines err 1
    has err '/sys/class/powercap: no zone of intel-rapl or intel-rapl-mmio: a VM is shown none'

    server 'long_term short_term'
    put abc "$p0/energy_uj"
    put -5 "$p1/constraint_0_power_limit_uw"
    run 1 --interval 1ms
    lines err 2
    has err "intel-rapl:1/constraint_0_power_limit_uw: holds '-5"
    has err "intel-rapl:0/energy_uj: holds 'abc"
    lines out 6
    awk '$1 == "intel-rapl:0" && $3 != "-" { exit 1 }' "$dir/out" ||
        fail 'abc was taken for a draw'
    run 1 --interval 1ms --json
    jq -e '.samples[0].zones[0].power_uw == null' "$dir/out" >/dev/null ||
        fail 'abc was taken for a draw in JSON'
    rm "$p1/energy_uj"
    run 1 --interval 1ms --zone package-1
    has err 'intel-rapl:1/energy_uj: is not there (any more)'
}

test_other_user() {
    server 'long_term short_term'
    chmod 400 "$p0/energy_uj" "$p1/energy_uj" "$p0"/*/energy_uj "$p1"/*/energy_uj
    cp "$BL_BIN" "$root/ballast"
    nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
    if ! $nobody "$root/ballast" --version >/dev/null 2>&1; then
        echo 'SKIP: no other user can be played here'
        return
    fi
    got=0
    $nobody "$root/ballast" power --interval 1ms >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = 1 ] || fail "as nobody: status $got, expected 1"
    lines err 1
    has err 'energy_uj: permission denied: since Linux 5.10 energy is for root'
    has err '(and 3 more)'
    lines out 7
    has out '125.000'
    got=0
    $nobody "$root/ballast" power --limit package-0=95W >"$dir/out" 2>"$dir/err" ||
        got=$?
    [ "$got" = 1 ] || fail "as nobody: --limit: status $got, expected 1"
    has err 'only root sets limits'
    [ "$(digits "$p0/constraint_0_power_limit_uw")" = 125000000 ] ||
        fail 'nobody set a limit'
}

# ---- the two halves of this script ---------------------------------------------

if [ "${1-}" = inside ]; then
    dir=$2
    mount -t tmpfs none "$root"
    [ -z "$(ls "$root")" ] || exit 1 # never the real ones
    test_table
    test_machine_forms
    test_energy_advances
    test_amd
    test_limits
    test_trouble
    test_other_user
    exit $status
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/cli_power.XXXXXX")
trap 'rm -rf "$dir"' EXIT
test_options

# Where there is no such folder (a container without /sys), /sys goes first.
mounts="set -e
[ -d $root ] || { mount -t tmpfs none /sys; mkdir -p $root; }
mount -t tmpfs none $root"
for enter in 'unshare -m' 'unshare -rm'; do
    $enter sh -c "$mounts" >/dev/null 2>&1 || continue
    $enter sh -c "[ -d $root ] || { mount -t tmpfs none /sys; mkdir -p $root; }
        exec sh $0 inside $dir" || status=1
    exit $status
done
echo 'SKIP: nothing may be mounted over /sys/class/powercap: neither root nor user namespaces'
exit $status
