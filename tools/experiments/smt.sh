# Charged and wall time on hyper-threads, modes none and core.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
runs() {
    few=$(variant few $examples/smt.yaml \
        's/name: single, count: 8/name: single, count: 12/; /name: pair/d') ||
        return 1
    for p in fair credit2; do
        for m in none core; do
            job full_${p}_$m $examples/smt.yaml --policy $p --mode $m
            job few_${p}_$m "$few" --policy $p --mode $m
        done
    done
}

tables() {
    figures '.summary.duration_ns as $d | . as $r | .groups[] | .name as $g |
        [$r.vms[] | select(.group == $g)] as $v | $g,
        ([$v[].run_ns] | add / length / $d), ([$v[].work_ns] | add / length / $d),
        ([$v[].received_ns] | (add / length, min, max) / $d)' | table '
    { for (i = 2; i <= NF; i += 6) {
        v = $1 " " $i
        run[v] = $(i + 1); work[v] = $(i + 2); got[v] = $(i + 3)
        least[v] = $(i + 4); most[v] = $(i + 5) } }
    END {
        split("fair credit2", p, " "); split("none core", m, " ")
        split("single pair single", g, " ")
        head("<load|<policy|<mode|<VMs|ideal|charged|least of a VM|most|on a thread|" \
            "work done")
        for (l = 1; l <= 2; l++) for (j = 1; j <= 2; j++) for (i = 1; i <= 2; i++)
        for (c = 2 * l - 1; c <= 1 + l; c++) {
            v = (c < 3 ? "full_" : "few_") p[j] "_" m[i] " " g[c]
            # none: ten pCPUs worth of work for 16 VMs; 9 for 12, which keep four
            # cores with one thread busy and four with two. core: single VMs get
            # one core worth out of a core, pairs 1.25; 12 singles share eight.
            if (c < 3) ideal = i == 1 ? 10 / 16 : 1 / (8 / 8 + 8 / 8 / 1.25)
            else ideal = i == 1 ? 9 / 12 : 8 / 12
            cell(c < 3 ? "24 vCPUs" : "12 vCPUs"); cell("`" p[j] "`")
            cell("`" m[i] "`"); cell(c == 2 ? "two vCPUs" : "one vCPU")
            cell(n3(ideal)); cell(n3(got[v])); cell(n3(least[v]))
            cell(n3(most[v])); cell(n3(run[v])); cell(n3(work[v])); row()
            if (j == 1 && c < 3)
                off = max(off, max(most[v] / ideal - 1,
                    1 - least[v] / ideal) * 100)
        }
        print ""
        bar(off <= 0.5, "24 vCPUs: `fair` charges every VM the same, within 0.5 %," \
            " in both modes", "worst: " n2(off) " % off")
        headline("24 vCPUs: all VMs charged alike within " n2(off) " %")
        v = "few_fair_none single"
        off = max(most[v] / 0.75 - 1, 1 - least[v] / 0.75) * 100
        bar(off <= 0.5, "12 vCPUs: `fair` charges every VM the same, within 0.5 %",
            "worst: " n1(off) " % off")
    }'
}
