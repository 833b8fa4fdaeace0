# Spin locks at twice the pCPUs, under every mode.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
modes='none strict relaxed demand yield core'

runs() {
    for spin in forever 50us; do
        file=$examples/lock-holder.yaml
        [ $spin = forever ] || file=$(variant $spin $examples/lock-holder.yaml \
            "s/spin: forever/spin: $spin/") || return 1
        alone=$(variant alone-$spin "$file" 's/count: 8/count: 1/') || return 1
        job ${spin}_alone "$alone" --mode none
        for m in $modes; do
            job ${spin}_$m "$file" --mode $m
        done
    done
}

tables() {
    figures '.summary as $s | $s.units / $s.duration_ns * 1e9 / $s.vms,
        $s.spin_ns / $s.run_ns * 100, $s.switches / $s.duration_ns * 1e9,
        $s.urgent / $s.duration_ns * 1e9' | table '
    { rate[$1] = $2; spin[$1] = $3; switches[$1] = $4; urgent[$1] = $5 }
    END {
        split("forever 50us", w, " ")
        n = split("alone '"$modes"'", m, " ")
        head("<spins|<mode|sections/s of a VM|% of ideal|spin, % of run time|" \
            "switches/s|urgent starts/s")
        for (j = 1; j <= 2; j++) for (i = 1; i <= n; i++) {
            v = w[j] "_" m[i]
            cell(j == 1 ? "forever" : "50 us, then halts")
            cell(i == 1 ? "alone" : "`" m[i] "`"); cell(n0(rate[v]))
            cell(i == 1 ? "" : n1(rate[v] / rate[w[j] "_alone"] * 200))
            cell(n1(spin[v])); cell(n0(switches[v])); cell(n0(urgent[v])); row()
        }
        headline("spinning takes " n1(spin["forever_none"]) " % under `none`, " \
            n1(spin["forever_yield"]) " % under `yield`")
    }'
}
