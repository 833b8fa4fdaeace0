# VMs that need no co-scheduling, under every mode.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
modes='none strict relaxed demand yield core'

runs() {
    busy=$(variant busy $examples/independent.yaml '/name: desk/d') || return 1
    for m in $modes; do
        job busy_$m "$busy" --mode $m
        job mix_$m $examples/independent.yaml --mode $m
    done
}

tables() {
    figures '.summary as $s | (.groups[0].work_ns, .groups[1].work_ns // 0,
        .groups[1].wake.p50_ns // 0, .groups[1].wake.p99_ns // 0,
        $s.idle_while_costop_ns / ($s.duration_ns * $s.pcpus) * 100)' | table '
    { v = k[1] " " k[2]; batch[v] = $2; desk[v] = $3
      p50[v] = $4; p99[v] = $5; idle[v] = $6 }
    END {
        n = split("'"$modes"'", m, " ")
        head("<mode|computing only: % of `none`|with desktops: computing, %|" \
            "desktops, %|wake-up p50, ms|p99, ms|idle for co-stop, %")
        for (i = 1; i <= n; i++) {
            b = batch["busy " m[i]] / batch["busy none"] * 100
            c = batch["mix " m[i]] / batch["mix none"] * 100
            d = desk["mix " m[i]] / desk["mix none"] * 100
            v = "mix " m[i]
            cell("`" m[i] "`"); cell(n2(b)); cell(n2(c)); cell(n2(d))
            cell(ms(p50[v])); cell(ms(p99[v])); cell(n2(idle[v])); row()
            least[m[i]] = min(b, min(c, d))
        }
        print ""
        for (i = 2; i <= n; i++)
            bar(least[m[i]] >= 98, "`" m[i] "` keeps 98 % of the throughput" \
                " of `none`", "least: " n2(least[m[i]]) " %")
        headline("`demand` " n1(least["demand"]) " % of `none`, `strict` " \
            n1(least["strict"]) " %")
    }'
}
