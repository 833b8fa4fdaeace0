# A wide VM among narrow ones, under every mode.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
modes='none strict relaxed demand yield core'

runs() {
    wide=$(variant wide $examples/fragmentation.yaml \
        '/name: desk/d; /name: batch/d') || return 1
    job alone "$wide" --mode none
    for m in $modes; do
        job $m $examples/fragmentation.yaml --mode $m
    done
}

tables() {
    figures '.summary as $s | $s.duration_ns as $d | group("wide").units / $d * 1e9,
        ([.groups[] | select(.name == "desk", .name == "batch") |
            .received_ns / $d, .wake.p50_ns, .wake.p99_ns, .wake.p999_ns, .late]
            | .[0:6]),
        $s.idle_while_costop_ns / ($d * $s.pcpus) * 100,
        ([.vms[] | select(.group == "batch") | .received_ns] | min // 0) / $d' |
        table '
    { wide[$1] = $2; desk[$1] = $3; p50[$1] = $4; p99[$1] = $5; p999[$1] = $6
      late[$1] = $7; batch[$1] = $8; idle[$1] = $9; least[$1] = $10 }
    END {
        n = split("'"$modes"'", m, " ")
        head("<mode|desktops: p50, ms|p99, ms|p99 / `none`|p99.9, ms|" \
            "late periods|computing, % of ideal|least, %|wide, % of ideal|" \
            "idle for co-stop, %")
        for (i = 1; i <= n; i++) {
            v = m[i]
            # Desktops have what they ask for; the others the rest by vCPU.
            rest = 16 - desk[v]
            cell("`" v "`"); cell(ms(p50[v])); cell(ms(p99[v]))
            cell(n2(p99[v] / p99["none"])); cell(ms(p999[v])); cell(late[v])
            cell(n1(batch[v] / (rest * 30 / 42) * 100))
            cell(n1(least[v] / (rest / 42) * 100))
            cell(n1(wide[v] / (wide["alone"] * rest / 42) * 100))
            cell(n2(idle[v])); row()
        }
        print ""
        for (i = 2; i <= n; i++)
            if (m[i] == "relaxed" || m[i] == "demand")
                bar(p99[m[i]] <= 1.5 * p99["none"], "`" m[i] "` keeps the p99" \
                    " of wake-up latency within 1.5 times that of `none`",
                    n2(p99[m[i]] / p99["none"]) " times")
        for (i = 1; i <= n; i++) {
            v = m[i]
            got = batch[v] / ((16 - desk[v]) * 30 / 42) * 100
            if (v == "none" || v == "relaxed" || v == "demand")
                bar(got >= 98, "under `" v "` computing VMs receive 98 % of" \
                    " what they are owed", n1(got) " %")
        }
        print "- for comparison: `strict` has " n2(p99["strict"] / p99["none"]) \
            " times the p99 of `none`, and leaves computing VMs " \
            n1(batch["strict"] / ((16 - desk["strict"]) * 30 / 42) * 100) \
            " % of their ideal"
        headline("p99 wake-up latency of desktops: `demand` " \
            n2(p99["demand"] / p99["none"]) " times `none`, `strict` " \
            n2(p99["strict"] / p99["none"]))
    }'
}
