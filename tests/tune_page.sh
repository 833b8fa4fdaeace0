#!/bin/sh
# tune_page.sh - the page of `ballast tune` in a browser without a network: its
# chart is drawn, and nothing is asked for.
set -u
bin=${BL_BIN:-build/gcc/ballast}
case $bin in /*) ;; *) bin=$PWD/$bin ;; esac
examples=$PWD/examples
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

browser=$(command -v chromium || command -v chromium-browser) || {
    echo 'SKIP: no chromium here'
    exit 0
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

"$bin" tune "$examples/tune-power.yaml" --out "$dir/front" >"$dir/out" || exit 1

# Every name is refused; a request for one would be in the log of the network.
browse() {
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
        --disable-dev-shm-usage --user-data-dir="$dir/profile" \
        --host-resolver-rules='MAP * ~NOTFOUND' --disable-background-networking \
        --disable-component-update --no-first-run \
        --window-size=1000,1000 --virtual-time-budget=5000 "$@" 2>"$dir/err"
}
browse --dump-dom "file://$dir/front/front.html" >"$dir/dom" || {
    echo "SKIP: chromium does not run here: $(tail -n 1 "$dir/err")"
    exit 0
}
body=$(grep -o '<body[^>]*>' "$dir/dom")
value() { echo "$body" | sed -n "s/.*data-$1=\"\([0-9]*\)\".*/\1/p"; }
points=$(value points) ink=$(value ink)
rows=$(($(wc -l <"$dir/front/points.csv") - 1))
# one more for the baseline and one for the choice, drawn over theirs
check "all $rows points are on the chart: '$points'" [ "${points:-0}" -eq $((rows + 2)) ]
check "something was drawn: '$ink' pixels" [ "${ink:-0}" -gt 500 ]
check 'dygraphs made its canvas' grep -q '<canvas' "$dir/dom"
check 'and its legend, where it hides no point' grep -q '<div id="legend"[^>]*><span' "$dir/dom"
check 'the table is there' grep -q '<tr class="chosen">' "$dir/dom"

# With this a browser loads nothing, whatever a page asks for; the chart above was
# drawn under it.
check 'nothing may be loaded' grep -qF "content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'\"" "$dir/front/front.html"
check 'no complaint that something was kept out' sh -c "! grep -q 'Content Security Policy' '$dir/err'"

[ $failures -eq 0 ] || {
    echo "$failures failed"
    exit 1
}
