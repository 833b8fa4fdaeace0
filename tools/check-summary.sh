#!/bin/sh
# check-summary.sh DIR NAME... - what became of the groups of `make check`.
# Reads what check-one.sh left in DIR. A group without a result did not build.
set -u
dir=$1
shift
passed=0 failed=0 skipped=0
echo
for name; do
    result=$(cat "$dir/$name.result" 2>/dev/null || echo NONE)
    case $result in
    PASS) passed=$((passed + 1)) ;;
    SKIP) skipped=$((skipped + 1)) ;;
    FAIL)
        failed=$((failed + 1))
        echo "FAIL: $name, log in $dir/$name.log"
        ;;
    *)
        failed=$((failed + 1))
        echo "FAIL: $name could not be built"
        ;;
    esac
    [ -f "$dir/$name.log" ] &&
        sed -n "s/^[[:space:]]*SKIP:/SKIP: $name:/p" "$dir/$name.log"
done
[ $skipped -gt 0 ] && more=", $skipped skipped" || more=
echo "$passed passed, $failed failed$more"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
