# Governors of P-states at level cluster: two kinds of hosts, two
# policies, Google's days and a generated one. Needs ../shared/traces.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
data=${BL_TRACES:-../shared/traces}
days='day1 day2 day3 day4 day5'
governors='performance ondemand schedutil entitled powersave'
scenario=examples/power/governors.yaml

needs() {
    for day in $days; do echo $data/google-gcd/$day.tar.zst; done
    command -v zstd || echo zstd
}

# all HOSTS LOAD SCENARIO [OPTION...]: both policies under each governor, and
# under ours where it lends no reservation.
all() {
    cell=$1 load=$2 own=$3
    shift 3
    strict=$(variant $cell-$load-strict "$own" \
        's/^governor: .*/governor: {name: entitled, claim: 0}/') || return 1
    for g in $governors; do
        job $cell-static-$load""_$g "$own" "$@" --governor $g
        job $cell-rightsize-$load""_$g "$own" "$@" --governor $g \
            --policy rightsize
    done
    job $cell-static-$load""_strict "$strict" "$@"
    job $cell-rightsize-$load""_strict "$strict" "$@" --policy rightsize
}

runs() {
    server='s/power: {static.*/power: HuaweiRh2288hV2XeonE52660v2/'
    more='s/reservation: 8GHz/reservation: 10GHz/'
    table=$(variant server $scenario "$server") || return 1
    much=$(variant model-much $scenario "$more") || return 1
    table_much=$(variant server-much $scenario "$server; $more") || return 1
    all model generated $scenario
    all table generated "$table"
    for day in $days; do
        all model $day $scenario --trace $data/google-gcd/$day.tar.zst
        all table $day "$table" --trace $data/google-gcd/$day.tar.zst
    done
    all model more "$much"
    all table more "$table_much"
}

tables() {
    figures '.summary as $s | def all(key): [.classes[] | .[key]] | add;
        $s.energy_kwh, $s.unserved_ppm,
        (all("unserved_frequency_mcycles") / $s.demand_mcycles * 1e6),
        (all("reserved_unserved_mcycles") / $s.demand_mcycles * 1e6),
        .groups[0].mean_core_mhz' |
        table '
    # Does governor @g leave more of cell @v unserved than ours?
    function leaves_more(v, g) {
        return lost[v "_" g] > lost[v "_entitled"] ||
            slow[v "_" g] > slow[v "_entitled"] ||
            owed[v "_" g] > owed[v "_entitled"]
    }
    # By how much ours needs less than the better one that leaves no more.
    function gain(v, i, least) {
        least = 0
        for (i = 2; i <= 3; i++)
            if (!leaves_more(v, g[i]) &&
                (least == 0 || kwh[v "_" g[i]] < least))
                least = kwh[v "_" g[i]]
        return least == 0 ? 100 : (1 - kwh[v "_entitled"] / least) * 100
    }
    function entry(v, text, i, less) {
        cell(text)
        for (i = 1; i <= 5; i++) cell(n2(kwh[v "_" g[i]]))
        less = gain(v)
        cell(n2(kwh[v "_strict"])); cell(n2(less)); cell(less >= 0 ? "met" : "**not met**")
        for (i = 2; i <= 4; i++) cell(n0(mhz[v "_" g[i]]))
        cell(n1(max(slow[v "_ondemand"], slow[v "_schedutil"])))
        cell(n1(slow[v "_entitled"])); cell(n0(slow[v "_powersave"]))
        cell(n1(owed[v "_entitled"])); cell(n1(owed[v "_powersave"])); row()
        return less
    }
    { kwh[$1] = $2; lost[$1] = $3; slow[$1] = $4; owed[$1] = $5; mhz[$1] = $6 }
    END {
        split("'"$governors"'", g, " ")
        hosts = split("model table", host, " ")
        policies = split("static rightsize", policy, " ")
        loads = split("'"$days"' generated more", load, " ")
        head("<hosts, policy, load|`performance`, kWh|`ondemand`|`schedutil`|" \
            "`entitled`|`powersave`|`claim=0`|less than the better one, %|<bar|" \
            "MHz: `ondemand`|`schedutil`|`entitled`|" \
            "too slow, ppm: the worse one|`entitled`|`powersave`|" \
            "reserved, ppm: `entitled`|`powersave`")
        for (h = 1; h <= hosts; h++)
            for (p = 1; p <= policies; p++)
                for (l = 1; l <= loads; l++) {
                    v = host[h] "-" policy[p] "-" load[l]
                    name = host[h] ", `" policy[p] "`, " load[l]
                    less = entry(v, name)
                    price = max(price, kwh[v "_strict"] / \
                        kwh[v "_entitled"] * 100 - 100)
                    worst = max(worst, slow[v "_entitled"])
                    broken += owed[v "_entitled"]
                    for (i = 2; i <= 3; i++) left += leaves_more(v, g[i])
                    if (load[l] == "more") {
                        if (less < 0) dear = dear ", " name " by " \
                            n2(-less) " %"
                        continue
                    }
                    cells++
                    over += less < 0
                    low = cells == 1 ? less : min(low, less)
                    high = max(high, less)
                }
        print ""
        bar(over == 0, "`entitled` uses no more energy than the better of" \
            " `ondemand` and `schedutil`", n2(low) " to " n2(high) \
            " % less, " cells - over " of " cells)
        bar(dear == "", "nor where VMs reserve much more than they use",
            dear == "" ? "4 of 4" : "more on " substr(dear, 3))
        print "- keeping reservations to the ns, `claim=0`, costs up to " \
            n2(price) " %"
        bar(worst == 0, "no demand is unserved because it is too slow",
            n1(worst) " ppm; the others leave more in " left + 0 " of " \
            2 * (cells + 4))
        bar(broken == 0, "no reservation is missed", n1(broken) " ppm")
        headline("`entitled` uses " n1(low) " to " n1(high) " % less energy" \
            " than the better of `ondemand` and `schedutil`")
    }'
}
