# Wake-up latency of a desktop beside hogs, as its shares grow.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
policies='fair credit2 balance fifo'
shares='250 500 1000 2000 4000 8000'

runs() {
    for s in $shares; do
        file=$examples/latency.yaml
        [ $s = 1000 ] || file=$(variant $s $examples/latency.yaml \
            "s/shares: 1000/shares: $s/") || return 1
        for p in $policies; do
            job ${p}_$s "$file" --policy $p
        done
    done
    alone=$(variant alone $examples/latency.yaml '/name: hog/d') || return 1
    job alone "$alone"
}

tables() {
    figures '.summary.duration_ns as $d | group("desk") | .received_ns / $d * 100,
        .wake.p50_ns, .wake.p99_ns, .unit.p50_ns, .unit.p99_ns' | table '
    { got[$1] = $2; p50[$1] = $3; p99[$1] = $4; unit50[$1] = $5; unit99[$1] = $6 }
    END {
        np = split("'"$policies"'", p, " "); n = split("'"$shares"'", s, " ")
        head("<policy|shares|owed, % of a pCPU|received, %|wake-up p50, ms|" \
            "p99, ms|response p50, ms|p99, ms")
        show("alone", "alone", "", "")
        for (j = 1; j <= np; j++) for (i = 1; i <= n; i++)
            show(p[j] "_" s[i], "`" p[j] "`", s[i],
                n1(min(s[i] * 400 / (16000 + s[i]), 100)))
        headline("p99 " ms(p99["fair_250"]) " ms with 250 shares, " \
            ms(p99["fair_2000"]) " ms with 2000")
    }
    function show(v, policy, shares, owed) {
        cell(policy); cell(shares); cell(owed); cell(n1(got[v]))
        cell(ms(p50[v])); cell(ms(p99[v])); cell(ms(unit50[v]))
        cell(ms(unit99[v])); row()
    }'
}
