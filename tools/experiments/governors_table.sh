# What the pages on governors have in common: runs with the key LOAD-DOMAINS_GOVERNOR
# or LOAD-DOMAINS_GOVERNOR_START, and a table of them; several starts are one row.
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154
governors="performance ondemand schedutil entitled powersave"

# governors_table LOADS DOMAINS
governors_table() {
    figures '.power as $p | .summary as $s |
        ($p.mean_mw / 1e3), ($p.work_uj_per_s / 1e6 * $s.work_ns / 1e9),
        ($s.work_ns / 1e9), $s.entitled_ns, $p.unserved_10ms_ns,
        $p.unserved_100ms_ns, $p.reserved_missing_ns, ($s.unit.p99_ns / 1e6),
        $s.late, ($p.pstate_changes / $s.duration_ns * 1e9),
        ([range($p.pstate_khz | length) as $i |
            [$p.domains[].pstate_ns[$i]] | add / ($p.domains | length) /
            $s.duration_ns * 100])' |
        table '
    function best(v, g) { return min(v[g "_ondemand"], v[g "_schedutil"]) }
    # Does a governor leave more unserved than ours? In 100 ms, 10 ms, or not.
    function leaves_more(v, name) {
        if (hundred[v "_" name] > hundred[v "_entitled"]) return "100 ms"
        return ten[v "_" name] > ten[v "_entitled"] ? "10 ms" : ""
    }
    # What of a rival counts: how much more it needs for the same work, %.
    function beside(v, name) {
        return (j[v "_" name] / j[v "_entitled"] - 1) * 100
    }
    function where(name) { return clocks > 1 ? name : substr(name, 1, length(name) - 2) }
    { key = k[1] "_" k[2]
      n_of[key]++; w[key] += $2; joule[key] += $3; did[key] += $4
      owed[key] += $5; t[key] += $6; u[key] += $7; missing[key] += $8
      p99[key] = max(p99[key], $9); late[key] += $10; changes[key] += $11
      for (i = 12; i <= NF; i++) stay[key, i - 11] += $i
      pstates = NF - 11 }
    END {
        for (key in n_of) {
            w[key] /= n_of[key]; changes[key] /= n_of[key]
            j[key] = joule[key] / did[key]
            did[key] /= n_of[key]; late[key] /= n_of[key]
            ten[key] = t[key] / owed[key] * 1e6
            hundred[key] = u[key] / owed[key] * 1e6
            for (i = 1; i <= pstates; i++)
                text[key] = text[key] (i > 1 ? " " : "") \
                    int(stay[key, i] / n_of[key] + 0.5)
        }
        loads = split("'"$1"'", load, " ")
        clocks = split("'"$2"'", clock, " ")
        n = split("'"$governors"'", g, " ")
        head("<load|clocks|<governor|W|J for a core s of work|work, core s|" \
            "not served in 100 ms, ppm|in 10 ms, ppm|" \
            "reserved, not served in 100 ms, ms|unit p99, ms|late|" \
            "<time at each P-state, %|changes/s|beside `entitled`, %|" \
            "<leaves more in")
        for (l = 1; l <= loads; l++)
            for (c = 1; c <= clocks; c++)
                for (i = 1; i <= n; i++) {
                    v = load[l] "-" clock[c]
                    key = v "_" g[i]
                    cell(load[l]); cell(clock[c]); cell("`" g[i] "`")
                    cell(n3(w[key])); cell(n3(j[key])); cell(n2(did[key]))
                    cell(n0(hundred[key])); cell(n0(ten[key]))
                    cell(n1(missing[key] / 1e6))
                    cell(n2(p99[key])); cell(n0(late[key])); cell(text[key])
                    cell(n1(changes[key]))
                    cell(g[i] == "entitled" ? "" : n2(beside(v, g[i])))
                    cell(leaves_more(v, g[i])); row()
                }
        print ""
        for (l = 1; l <= loads; l++)
            for (c = 1; c <= clocks; c++) {
                v = load[l] "-" clock[c]
                key = v "_entitled"
                all++
                lost += missing[key]
                if (hundred[key] > best(hundred, v)) worse++
                gain = (1 - w[key] / best(w, v)) * 100
                if (gain < 0)
                    more = more ", " where(v) " by " n2(-gain) " %, for " \
                        n2(did[key] / best(did, v) * 100 - 100) " % more work"
                if (ten[key] > best(ten, v))
                    later = later ", " where(v) " by " \
                        n0(ten[key] - best(ten, v)) " ppm"
                for (i = 2; i <= 3; i++) {
                    work = beside(v, g[i])
                    if (work >= 0) continue
                    if (leaves_more(v, g[i]) != "")
                        apart = apart ", `" g[i] "` on " where(v) " by " \
                            n2(-work) " %"
                    else
                        dear = dear ", `" g[i] "` on " where(v) " by " \
                            n2(-work) " %"
                }
                work = (1 - j[key] / best(j, v)) * 100
                least = all == 1 ? work : min(least, work)
                most = all == 1 ? work : max(most, work)
            }
        bar(worse == 0, "`entitled` leaves no more unserved for 100 ms than" \
            " either of `ondemand` and `schedutil`", all - worse " of " all)
        bar(dear == "", "and for the same work uses no more energy than who of" \
            " them leaves no more unserved, in 100 ms or 10 ms", \
            (dear != "" ? "less: " substr(dear, 3) : \
            n1(least) " to " n1(most) " % less than the better one of both") \
            (apart == "" ? "" : "; leaving more, less: " substr(apart, 3)))
        bar(more == "", "and the host draws no more than under either, whatever" \
            " is done", more == "" ? all " of " all : "more on " substr(more, 3))
        bar(later == "", "nor is more unserved for 10 ms than under either",
            later == "" ? all " of " all : "more on " substr(later, 3))
        bar(lost == 0, "no reservation is missed", n1(lost / 1e6) " ms")
        headline("`entitled` uses " n1(least) " to " n1(most) " % less energy" \
            " for the same work than the better of `ondemand` and `schedutil`")
    }'
}
