#!/bin/sh
# check-one.sh DIR NAME COMMAND... - run one group of `make check`.
# Leaves DIR/NAME.log and DIR/NAME.result; prints one line, and the log when the
# group failed. A line "SKIP: why" in the log is a part that was skipped; exit
# status 77 of the command means that the whole group was.
set -u
dir=$1 name=$2
shift 2
mkdir -p "$dir"
log=$dir/$name.log
rm -f "$dir/$name.result"
start_ms=$(($(date +%s%N) / 1000000))
timeout --foreground "${BL_CHECK_SECONDS:-600}" "$@" >"$log" 2>&1 </dev/null
status=$?
took_ms=$(($(date +%s%N) / 1000000 - start_ms))
case $status in
0) result=PASS ;;
77) result=SKIP ;;
124)
    result=FAIL
    echo "$name: stopped after ${BL_CHECK_SECONDS:-600} s" >>"$log"
    ;;
*) result=FAIL ;;
esac
[ $result = FAIL ] && sed "s/^/    /" "$log"
skips=$(grep -c '^[[:space:]]*SKIP:' "$log")
[ "$skips" -gt 0 ] && note=", $skips skipped inside" || note=
printf '  %s  %s (%d.%02d s%s)\n' $result "$name" $((took_ms / 1000)) \
    $((took_ms % 1000 / 10)) "$note"
echo $result >"$dir/$name.result"
[ $result != FAIL ]
