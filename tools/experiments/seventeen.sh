# Seventeen equal VMs on sixteen pCPUs, under every policy.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
runs() {
    for p in fair credit2 balance fifo; do
        job $p $examples/seventeen.yaml --policy $p
    done
}

tables() {
    figures '.summary as $s | ($s.duration_ns / 1e9) as $d |
        ([.vms[].received_ns] | (min, max) / $d / 1e7),
        ([.vms[].error_1s.most_behind_ns] | min),
        ([.vms[].error_1s.most_ahead_ns] | max),
        ($s.moves_core + $s.moves_llc + $s.moves_node + $s.moves_host) / $d,
        $s.switches / $d, $s.used_ratio * 100' | table '
    { least[$1] = $2; most[$1] = $3; behind[$1] = $4; ahead[$1] = $5
      moves[$1] = $6; switches[$1] = $7; used[$1] = $8 }
    END {
        ideal = 1600 / 17
        n = split("fair credit2 balance fifo", p, " ")
        head("<policy|least of a VM, %|most, %|worst 1 s: behind, ms|" \
            "ahead, ms|migrations/s|switches/s|host used, %")
        for (i = 1; i <= n; i++) {
            v = p[i]
            cell("`" v "`"); cell(n2(least[v])); cell(n2(most[v]))
            cell(ms(behind[v])); cell(ms(ahead[v])); cell(n0(moves[v]))
            cell(n0(switches[v])); cell(n2(used[v])); row()
        }
        print ""
        off = max(most["fair"] / ideal - 1, 1 - least["fair"] / ideal) * 100
        bar(off <= 0.5, "`fair` gives everybody 94.12 %, within 0.5 % of it," \
            " over 10 s", "worst: " n2(off) " % off")
        short = max(-behind["fair"], ahead["fair"]) / 1e6 / (ideal / 20 + 6)
        bar(short <= 1, "`fair` is within 0.5 % and two slices of the ideal" \
            " over any 1 s", "worst: " n0(short * 100) " % of that")
        headline("`fair`: " n2(least["fair"]) " to " n2(most["fair"]) " % each")
    }'
}
