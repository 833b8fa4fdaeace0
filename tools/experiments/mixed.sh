# Barrier VMs beside VMs that compute and desktops, under every mode.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
modes='none strict relaxed demand yield core'

runs() {
    for phase in 0.1 1 10; do
        file=$examples/mixed.yaml
        [ $phase = 1 ] || file=$(variant $phase $examples/mixed.yaml \
            "s/phase: 1ms/phase: ${phase}ms/") || return 1
        alone=$(variant alone-$phase "$file" \
            '/name: batch/d; /name: desk/d; s/count: 4, //') || return 1
        job ${phase}_alone "$alone" --mode none
        for m in $modes; do
            job ${phase}_$m "$file" --mode $m
        done
        [ $phase != 0.1 ] || job ${phase}_fifo "$file" --policy fifo --mode none
    done
    desk=$(variant desk $examples/mixed.yaml '/name: gang/d; /name: batch/d') ||
        return 1
    job desk_alone "$desk" --mode none
}

tables() {
    figures '.summary.duration_ns as $d | .groups[] | .name, .units / $d * 1e9,
        .received_ns / $d, .wake.p99_ns' | table '
    { for (i = 2; i <= NF; i += 4) {
        v = $1 " " $i
        rate[v] = $(i + 1); got[v] = $(i + 2); p99[v] = $(i + 3) } }
    END {
        split("0.1 1 10", phase, " ")
        n = split("'"$modes"'", m, " ")
        head("<phase|<mode|gangs, % of ideal|computing: owed, pCPUs|received|%|" \
            "desktops, % of alone|wake-up p99, ms")
        for (a = 1; a <= 3; a++) for (i = 1; i <= n; i++) {
            v = phase[a] "_" m[i]
            # Desktops have what they ask for; gangs and computing VMs, with
            # equal shares, half of the rest each, and what the other leaves.
            owed = (16 - got[v " desk"]) / 2
            ideal = rate[phase[a] "_alone gang"] / 4 * owed
            b = got[v " batch"] / owed * 100
            e = rate[v " desk"] / rate["desk_alone desk"] * 100
            cell(phase[a] " ms"); cell("`" m[i] "`")
            cell(n1(rate[v " gang"] / ideal * 100)); cell(n3(owed))
            cell(n3(got[v " batch"])); cell(n1(b)); cell(n1(e))
            cell(ms(p99[v " desk"])); row()
            least[m[i]] = a == 1 ? b : min(least[m[i]], b)
            # Throughput of a desktop, of that under none.
            e = rate[v " desk"] / rate[phase[a] "_none desk"] * 100
            desk[m[i]] = a == 1 ? e : min(desk[m[i]], e)
        }
        print ""
        v = "0.1_fifo"
        ideal = rate["0.1_alone gang"] / 4 * (16 - got[v " desk"]) / 2
        print "Under policy `fifo`, mode `none`, gangs of 0.1 ms reach " \
            n1(rate[v " gang"] / ideal * 100) " % of their ideal."
        print ""
        for (i = 1; i <= n; i++)
            bar(least[m[i]] >= 98, "under `" m[i] "` computing VMs receive 98 %" \
                " of what they are owed", "least: " n1(least[m[i]]) " %")
        for (i = 2; i <= n; i++)
            bar(desk[m[i]] >= 98, "under `" m[i] "` desktops do 98 % of what" \
                " they do under `none`", "least: " n1(desk[m[i]]) " %")
        headline("computing VMs receive at least " n1(least["demand"]) \
            " % of what they are owed under `demand`, " n1(least["strict"]) \
            " % under `strict`")
    }'
}
