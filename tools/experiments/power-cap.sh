# A host under power caps: what it draws over the worst second, and who pays.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
caps="none 80W 60W 50W 46W 44W 42W 40W"

runs() {
    for cap in $caps; do
        job ${cap%W} "$(variant cap-$cap $examples/power-cap.yaml \
            "s/power_cap: 42W/power_cap: $cap /")" || return 1
    done
}

tables() {
    figures '.power as $p | .summary.duration_ns as $d |
        ($p.mean_mw / 1e3), ($p.second_most_mw / 1e3),
        ($p.pstate_khz[$p.cap_pstate] / 1e6), ($p.cap_bandwidth_ppm / 1e4),
        (["db", "batch", "build", "burst"][] as $n |
            [.groups[] | select(.name == $n)][0].received_ns / $d * 3),
        ($p.reserved_missing_ns / 1e6), ($p.reserved_wanted_ns / 1e6)' |
        table '
    { w[$1] = $2; second[$1] = $3; ghz[$1] = $4; time[$1] = $5
      for (i = 0; i < 4; i++) got[$1, i] = $(6 + i)
      missing[$1] = $10; wanted[$1] = $11 }
    END {
        n = split("'"$caps"'", cap, " ")
        split("db batch build burst", group, " ")
        head("cap, W|mean, W|worst second, W|above the cap, %|" \
            "fastest P-state, GHz|of the time at first, %|db, GHz|batch, GHz|" \
            "build, GHz|burst, GHz|reserved, not served in 100 ms, ms")
        for (i = 1; i <= n; i++) {
            key = cap[i]
            sub(/W/, "", key)
            over = key == "none" ? 0 : (second[key] / key - 1) * 100
            worst = max(worst, over)
            lost += missing[key]
            cell(key); cell(n2(w[key])); cell(n2(second[key]))
            cell(key == "none" ? "" : n2(over)); cell(n1(ghz[key]))
            cell(n1(time[key]))
            for (c = 0; c < 4; c++) cell(n2(got[key, c]))
            cell(n1(missing[key])); row()
        }
        print ""
        bar(worst <= 2, "no second is more than 2 % above the cap",
            "worst: " n2(worst) " %")
        bar(lost == 0, "no reservation is missed", n1(lost) " ms")
        bar(got[42, 1] >= 2.85 * got[42, 2] && got[42, 1] <= 3.15 * got[42, 2],
            "what is left goes 3 : 1 to batch and build at 42 W",
            n2(got[42, 1] / got[42, 2]))
        headline("worst second " n2(worst) " % above the cap; " n1(lost) \
            " ms of reservations missed")
    }'
}
