# KB 341557: a limit on one of sixteen VMs, and none.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
runs() {
    free=$(variant free $examples/limit.yaml 's/cpu: {limit: 200MHz}, //') ||
        return 1
    for p in fair credit2 balance; do
        job free_$p "$free" --policy $p
        job limited_$p $examples/limit.yaml --policy $p
    done
}

tables() {
    figures '.summary.duration_ns as $d | .summary.used_ratio * 100,
        (.vms[0].received_ns / $d * 100),
        ([.vms[1:][].received_ns] | (add / length, min, max) / $d * 100)' |
        table '
    { v = k[1] " " k[2]
      used[v] = $2; one[v] = $3; mean[v] = $4; least[v] = $5; most[v] = $6 }
    END {
        n = split("fair credit2 balance", p, " ")
        split("free limited", l, " ")
        head("<policy|<limit of one VM|it receives, %|the 15 others, mean %|" \
            "least|most|each gains, mean %|host used, %")
        for (i = 1; i <= n; i++)
            for (j = 1; j <= 2; j++) {
                v = l[j] " " p[i]
                cell("`" p[i] "`"); cell(j == 1 ? "none" : "10 %")
                cell(n2(one[v])); cell(n2(mean[v])); cell(n2(least[v]))
                cell(n2(most[v]))
                cell(j == 1 ? "" : n2(mean[v] - mean["free " p[i]]))
                cell(n2(used[v])); row()
            }
        v = "limited fair"
        ideal = 50 + 40 / 15
        off = max(most[v] / ideal - 1, 1 - least[v] / ideal) * 100
        print ""
        bar(used[v] >= 99.9, "the host stays fully used", n2(used[v]) " %")
        bar(off <= 0.5, "each of the others receives 50 % + 40 % / 15 =" \
            " 52.67 %, within 0.5 % of it", "worst: " n2(off) " % off")
        bar(one[v] <= 10.05, "the limited VM receives no more than its limit",
            n2(one[v]) " %")
        bar(one[v] >= 9.95, "and no less, within 0.5 % of it",
            n2((1 - one[v] / 10) * 100) " % less")
        headline("each of the others gains " n2(mean[v] - mean["free fair"]) \
            " %; host used to " n1(used[v]) " %")
    }'
}
