# Reservations, four times overcommitted, under every policy.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
runs() {
    for p in fair credit2 balance fifo; do
        job $p $examples/reservations.yaml --policy $p
    done
}

tables() {
    figures '.summary.duration_ns as $d | . as $r | .groups[] | .name as $g |
        [$r.vms[] | select(.group == $g)] as $v |
        $g, $v[0].reservation_ppm / 1e6,
        ([$v[].entitled_ns] | add / length / $d),
        ([$v[].received_ns] | add / length / $d),
        ([$v[].received_ns] | min / $d),
        ([$v[].error_1s.most_behind_ns] | min),
        ([$v[].error_1s.most_ahead_ns] | max)' | table '
    { for (i = 2; i <= NF; i += 7) {
        v = k[1] " " $i
        owed[v] = $(i + 1); ideal[v] = $(i + 2); got[v] = $(i + 3)
        least[v] = $(i + 4); behind[v] = $(i + 5); ahead[v] = $(i + 6) } }
    END {
        n = split("fair credit2 balance fifo", p, " ")
        split("gold silver bronze", g, " ")
        head("<policy|<VMs|reserved, pCPUs|ideal|received|least of a VM|" \
            "worst 1 s: behind, ms|ahead, ms")
        for (i = 1; i <= n; i++)
            for (j = 1; j <= 3; j++) {
                v = p[i] " " g[j]
                cell("`" p[i] "`"); cell(g[j]); cell(n2(owed[v]))
                cell(n3(ideal[v])); cell(n3(got[v])); cell(n3(least[v]))
                cell(ms(behind[v])); cell(ms(ahead[v])); row()
                if (i > 1)
                    continue
                long = max(long, (1 - least[v] / ideal[v]) * 100)
                may = ideal[v] * 5 + 6
                short = max(short, max(-behind[v], ahead[v]) / 1e6 / may)
                # 1 % of what is reserved in a second, or two slices of 3 ms.
                if (owed[v] > 0) {
                    miss = max(miss, -behind[v] / 1e6 / max(owed[v] * 10, 6))
                    worst = max(worst, -behind[v] / 1e6)
                }
            }
        print ""
        bar(miss <= 1, "`fair` never misses a reservation by more than 1 %" \
            " or two slices in any 1 s", "worst: " n0(miss * 100) " % of that")
        bar(long <= 0.5, "`fair` is within 0.5 % of the ideal over 10 s",
            "worst: " n2(long) " % less")
        bar(short <= 1, "`fair` is within 0.5 % and two slices of the ideal" \
            " over any 1 s", "worst: " n0(short * 100) " % of that")
        headline("`fair` misses at most " n1(worst) " ms of a second")
    }'
}
