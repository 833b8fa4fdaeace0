# Shares 7:2:1 under every policy.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
runs() {
    for p in fair credit2 balance fifo; do
        job $p $examples/shares.yaml --policy $p
    done
}

tables() {
    figures '.summary.duration_ns as $d | .vms[] | .vm, .entitled_ns / $d,
        .received_ns / $d, .error_1s.most_behind_ns, .error_1s.most_ahead_ns' |
        table '
    { for (i = 2; i <= NF; i += 5) {
        v = k[1] " " $i
        ideal[v] = $(i + 1); got[v] = $(i + 2)
        behind[v] = $(i + 3); ahead[v] = $(i + 4) } }
    END {
        n = split("fair credit2 balance fifo", p, " ")
        split("seven two one", vm, " ")
        head("<policy|<VM|ideal, pCPUs|received|over 10 s, %|" \
            "worst 1 s: behind, ms|ahead, ms")
        for (i = 1; i <= n; i++)
            for (j = 1; j <= 3; j++) {
                v = p[i] " " vm[j]
                off = (got[v] / ideal[v] - 1) * 100
                cell("`" p[i] "`"); cell(vm[j])
                cell(n3(ideal[v])); cell(n3(got[v])); cell(n2(off))
                cell(ms(behind[v])); cell(ms(ahead[v])); row()
                if (i > 1)
                    continue
                long = max(long, abs(off))
                # 0.5 % of what is owed in a second, and two slices of 3 ms.
                may = ideal[v] * 5 + 6
                short = max(short, max(-behind[v], ahead[v]) / 1e6 / may)
            }
        print ""
        bar(long <= 0.5, "`fair` is within 0.5 % of the ideal over 10 s",
            "worst: " n2(long) " %")
        bar(short <= 1, "`fair` is within 0.5 % and two slices of the ideal" \
            " over any 1 s", "worst: " n0(short * 100) " % of that")
        headline("`fair` within " n2(long) " % over 10 s")
    }'
}
