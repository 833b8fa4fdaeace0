# Every policy on three real workloads with three fleets, and the reference
# experiment's own days. Needs ../shared/traces: nothing of it is committed.
# shellcheck shell=sh disable=SC2016,SC2046,SC2086,SC2154
data=${BL_TRACES:-../shared/traces}
fleets='2009 2016 2021'
pl_days='20110303 20110306 20110309 20110322 20110325'
gcd_days='day1 day2 day3 day4 day5'
ours=rightsize
versus='lr-mmt-1.2 lr-mmt-1.2-2012'
held_seeds='101 102'

needs() {
    for day in $pl_days; do echo $data/planetlab/$day.tar.zst; done
    for day in $gcd_days; do echo $data/google-gcd/$day.tar.zst; done
    echo $data/bitbrains-rnd/rnd-2013-8.csv.zst
    command -v zstd || echo zstd
}

# Every policy of level cluster that the program has, each combination of the
# published family with the safety that was published for its test.
policies() {
    "$ballast" sim --policy help | awk '
        /^Dispatch policies/ { exit }
        /^  [a-z]/ { name = $1; next }
        name != "" && /^ +TEST-SELECTION/ { family = 1; name = ""; next }
        name != "" { print name; name = "" }
        family && $1 == "overload" { want = "tests" }
        family && $1 == "select" { want = "rules" }
        family && $1 == "one" && want != "" {
            sub(/^ *one of /, "")
            list[want] = $0
            want = ""
        }
        END {
            if (name != "") print name
            nt = split(list["tests"], t, " "); nr = split(list["rules"], r, " ")
            for (i = 1; i <= nt; i++) for (j = 1; j <= nr; j++) {
                print t[i] "-" r[j]
                print t[i] "-" r[j] "-2012"
            }
        }' | sort
}

# Policies that place by size, once and for all, are told to promise about as
# much as it takes that all VMs find a host. promise POLICY CELL DAY
promise() {
    case $1 in
    static | dvfs | npa) ;;
    *) return ;;
    esac
    case $2:$3 in
    planetlab-*:20110322) times=6 ;;
    planetlab-*) times=4 ;;
    *) times=2 ;;
    esac
    echo "--param cpu_overcommit=$times --param mem_overcommit=2"
}

# one CELL POLICY DAY TRACE: a job.
one() {
    job $1_$2_$3 examples/power/$1.yaml --policy $2 --trace "$4" \
        $(promise $2 $1 $3)
}

# held POLICY: what nothing was tuned on. Bitbrains' fourth week, those before it
# being simulated and not counted; generated days of other seeds.
held() {
    for f in $fleets; do
        week4=$(variant week4-$f examples/power/bitbrains-$f.yaml \
            's/^warmup: .*/warmup: 21d/; s/^duration: .*/duration: 28d/
            s/steps: .*/steps: 8064/') || return 1
        job held-bitbrains-${f}_$1_week4 "$week4" --policy $1 \
            --trace "$work/narrow.blt"
        for seed in $held_seeds; do
            for w in planetlab gcd; do
                job held-$w-${f}_$1_$seed examples/power/$w-$f.yaml \
                    --policy $1 --seed $seed
            done
        done
    done
}

runs() {
    # Without the four VMs of 16 and 32 vCPUs: no host of the oldest fleet has
    # room for them.
    zstd -dcq $data/bitbrains-rnd/rnd-2013-8.csv.zst |
        awk -F, 'NR == 1 || $3 <= 8' | zstd -q >"$work/narrow.csv.zst"
    "$ballast" trace import "$work/narrow.csv.zst" "$work/narrow.blt" \
        >/dev/null || return 1
    policies >"$work/policies"
    for f in $fleets; do
        while read -r p; do
            for day in $pl_days; do
                one planetlab-$f $p $day $data/planetlab/$day.tar.zst
            done
            for day in $gcd_days; do
                one gcd-$f $p $day $data/google-gcd/$day.tar.zst
            done
            one bitbrains-$f $p week "$work/narrow.blt"
        done <"$work/policies"
    done
    for p in lr-mmt lr-mmt-2012 $(grep -x $ours "$work/policies"); do
        held $p || return 1
    done
    for p in $versus $(grep -x $ours "$work/policies"); do
        for day in $pl_days; do
            job reference_${p}_$day examples/planetlab.yaml --policy $p \
                --physics cloudsim303 --trace $data/planetlab/$day.tar.zst
        done
    done
}

tables() {
    figures '.summary | .energy_kwh, .floor_kwh, .unserved_ppm,
        .demand_mcycles, .slav, .migrations, .host_on_count + .host_off_count,
        .transition_kwh' | table '
    # A cell is a workload with a fleet: days are added up, SLAV is their mean.
    {
        c = k[1]; p = k[2]; at = c " " p
        if (!(at in kwh)) list[c] = list[c] " " p
        kwh[at] += $2; floor[at] += $3; lost[at] += $4 * $5; asked[at] += $5
        slav[at] += $6; moves[at] += $7; switches[at] += $8; runs[at]++
        transition[at] += $9
        if (c == "reference") {
            d_kwh[p, k[3]] = $2; d_floor[k[3]] = $3; d_lost[p, k[3]] = $4
            d_slav[p, k[3]] = $6; d_moves[p, k[3]] = $7
        }
    }
    function unserved(at) { return lost[at] / asked[at] }
    # Is a policy as good in both figures, and better in one? Compared as they
    # are, not as they are printed.
    function beats(a, b, c, x, y) {
        x = c " " a; y = c " " b
        return kwh[x] <= kwh[y] && unserved(x) <= unserved(y) &&
            (kwh[x] < kwh[y] || unserved(x) < unserved(y))
    }
    function on_front(p, c, i, n, all) {
        n = split(list[c], all, " ")
        for (i = 1; i <= n; i++) if (beats(all[i], p, c)) return 0
        return 1
    }
    function beaten_by(p, c, i, n, all, best) {
        n = split(list[c], all, " ")
        for (i = 1; i <= n; i++)
            if (beats(all[i], p, c) && (best == "" ||
                kwh[c " " all[i]] < kwh[c " " best])) best = all[i]
        return best
    }
    function ppm(x) { return x >= 100 ? n0(x) : x >= 1 ? n1(x) : n3(x) }
    # Policies that came out alike share a row.
    function alike(p, q, c) {
        return kwh[c " " p] == kwh[c " " q] && lost[c " " p] == lost[c " " q] &&
            moves[c " " p] == moves[c " " q]
    }
    function policy_row(p, names, c, at) {
        at = c " " p
        cell(names); cell(n2(kwh[at])); cell(ppm(unserved(at)))
        cell(sprintf("%.1e", slav[at] / runs[at])); cell(moves[at])
        cell(switches[at]); cell(n2(transition[at]))
        cell(n3(kwh[at] / floor[at])); cell(on_front(p, c) ? "yes" : "")
        row()
    }
    function shown(p, c) {
        return p == "static" || p == "dvfs" || p == "npa" || p == "lr-mmt" ||
            p == "lr-mmt-2012" || p == ours || on_front(p, c)
    }
    function cell_table(c, i, n, all, j, swap, left, names) {
        n = split(list[c], all, " ")
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && kwh[c " " all[j]] < kwh[c " " all[j - 1]]; j--) {
                swap = all[j]; all[j] = all[j - 1]; all[j - 1] = swap
            }
        print "### " title[c]
        print ""
        head("<policy|kWh|unserved, ppm|SLAV|migrations|transitions|of kWh," \
            " transitions|kWh / floor|front")
        for (i = 1; i <= n; i++) {
            if (!shown(all[i], c)) { left++; continue }
            names = names (names == "" ? "" : ", ") "`" all[i] "`"
            if (i < n && shown(all[i + 1], c) && alike(all[i], all[i + 1], c))
                continue
            policy_row(all[i], names, c)
            names = ""
        }
        print ""
        print "Not shown: " left " of " n " policies, none of them on the front."
        print ""
    }
    function held_table(w, f, nw, nf, i, j, c, at, lr, both, lost_to) {
        print "### Held out"
        print ""
        head("<workload|<fleet|`" ours "`, kWh|`lr-mmt`|`lr-mmt-2012`|`" ours \
            "`, unserved, ppm|`lr-mmt`|`lr-mmt-2012`")
        for (i = 1; i <= nw; i++) for (j = 1; j <= nf; j++) {
            c = "held-" w[i] "-" f[j]
            at = c " " ours; lr = c " lr-mmt"
            cell(held_name[w[i]]); cell(fleet[f[j]])
            cell(at in kwh ? n2(kwh[at]) : "-"); cell(n2(kwh[lr]))
            cell(n2(kwh[c " lr-mmt-2012"]))
            cell(at in kwh ? ppm(unserved(at)) : "-"); cell(ppm(unserved(lr)))
            cell(ppm(unserved(c " lr-mmt-2012"))); row()
            if (!(at in kwh)) continue
            if (kwh[at] < kwh[lr] && unserved(at) < unserved(lr)) both++
            else lost_to = lost_to "; " w[i] ", " fleet[f[j]] ": kWh " \
                n3(kwh[at] / kwh[lr]) ", unserved " \
                ratio(unserved(at), unserved(lr), "%.3f")
        }
        print ""
        if (at in kwh) {
            bar(both == 9, "`" ours "` is better than `lr-mmt` in both in all" \
                " nine that are held out", both + 0 " of 9" lost_to)
            print ""
        }
    }
    function ratio(x, y, form) { return y > 0 ? num(form, x / y) : "-" }
    # The reference experiment, day by day.
    function duel(ours, other, d, i, n, days, a, b) {
        n = split("'"$pl_days"'", days, " ")
        print "### `" ours "` over `" other "`, physics of CloudSim 3.0.3"
        print ""
        head("<day|kWh|`" other "`|ratio|SLAV, ratio|migrations|ratio|" \
            "unserved, ratio|kWh / floor|`" other "` / floor")
        for (i = 1; i <= n; i++) {
            d = days[i]
            cell(d); cell(n2(d_kwh[ours, d])); cell(n2(d_kwh[other, d]))
            cell(ratio(d_kwh[ours, d], d_kwh[other, d], "%.3f"))
            cell(ratio(d_slav[ours, d], d_slav[other, d], "%.4f"))
            cell(d_moves[ours, d])
            cell(ratio(d_moves[ours, d], d_moves[other, d], "%.3f"))
            cell(ratio(d_lost[ours, d], d_lost[other, d], "%.3f"))
            cell(n3(d_kwh[ours, d] / d_floor[d]))
            cell(n3(d_kwh[other, d] / d_floor[d])); row()
            e = max(e, d_kwh[ours, d] / d_kwh[other, d])
            s = max(s, d_slav[ours, d] / d_slav[other, d])
            m = max(m, d_moves[ours, d] / d_moves[other, d])
            u = max(u, d_lost[ours, d] / d_lost[other, d])
        }
        print ""
        worst_e = e; worst_s = s; worst_m = m; worst_u = u
        e = s = m = u = 0
    }
    function peers(d, i, n, days, p) {
        n = split("'"$pl_days"'", days, " ")
        print "### The published policies, physics of CloudSim 3.0.3"
        print ""
        head("<day|floor, kWh|`lr-mmt-1.2`, kWh|/ floor|SLAV|migrations|" \
            "unserved, ppm|`-2012`, kWh|/ floor|SLAV|migrations|unserved, ppm")
        for (i = 1; i <= n; i++) {
            d = days[i]
            cell(d); cell(n2(d_floor[d]))
            for (p = "lr-mmt-1.2";; p = "lr-mmt-1.2-2012") {
                cell(n2(d_kwh[p, d])); cell(n3(d_kwh[p, d] / d_floor[d]))
                cell(sprintf("%.2e", d_slav[p, d])); cell(d_moves[p, d])
                cell(ppm(d_lost[p, d]))
                if (p == "lr-mmt-1.2-2012") break
            }
            row()
        }
        print ""
    }
    END {
        ours = "'"$ours"'"
        nf = split("'"$fleets"'", f, " "); nw = split("planetlab gcd bitbrains", w, " ")
        name["planetlab"] = "PlanetLab, five days"; name["gcd"] = "Google, five days"
        name["bitbrains"] = "Bitbrains, a week"
        held_name["planetlab"] = "PlanetLab, generated, two days"
        held_name["gcd"] = "Google, generated, two days"
        held_name["bitbrains"] = "Bitbrains, week 4"
        fleet["2009"] = "servers of 2009"; fleet["2016"] = "of 2013 to 2016"
        fleet["2021"] = "of 2017 to 2021"
        for (i = 1; i <= nw; i++) for (j = 1; j <= nf; j++) {
            c = w[i] "-" f[j]; title[c] = name[w[i]] "; " fleet[f[j]]
            cell_table(c)
            n_front += on_front(ours, c)
            at = c " " ours; lr = c " lr-mmt"
            if (!(at in kwh)) continue
            both = kwh[at] < kwh[lr] && unserved(at) < unserved(lr)
            n_both += both
            if (!on_front(ours, c)) off = off "; " title[c] ": `" \
                beaten_by(ours, c) "` is better"
            if (!both) lost_to = lost_to "; " title[c] ": kWh " \
                n3(kwh[at] / kwh[lr]) ", unserved " \
                (unserved(lr) > 0 ? n3(unserved(at) / unserved(lr)) : "-")
            share = max(share, kwh[at] / kwh[lr])
        }
        held_table(w, f, nw, nf)
        peers()
        if (!(("reference " ours) in kwh)) {
            headline("`lr-mmt` needs up to " most_over() " times the floor")
            exit
        }
        duel(ours, "lr-mmt-1.2")
        reach("`lr-mmt-1.2`", 0.72, 0.03, 0.10, 0.30)
        duel(ours, "lr-mmt-1.2-2012")
        reach("`lr-mmt-1.2-2012`", 1, 0.10, 0.15, 0)
        bar(n_front == 9, "`" ours "` is on the front of kWh and unserved" \
            " demand in all nine", n_front " of 9" off)
        bar(n_both == 9, "`" ours "` is better than `lr-mmt` in both in all nine",
            n_both " of 9" lost_to)
        headline("`" ours "` on the front in " n_front " of 9, at most " \
            n3(share) " of the energy of `lr-mmt`")
    }
    function most_over(c, i, j, r) {
        for (i = 1; i <= nw; i++) for (j = 1; j <= nf; j++) {
            c = w[i] "-" f[j] " lr-mmt"
            r = max(r, kwh[c] / floor[c])
        }
        return n2(r)
    }
    function reach(other, e, s, m, u) {
        bar(worst_e <= e, "energy at most " e " of " other " on every day",
            "worst " n3(worst_e))
        bar(worst_s <= s, "SLAV at most " s, "worst " num("%.4f", worst_s))
        bar(worst_m <= m, "migrations at most " m, "worst " n3(worst_m))
        if (u) bar(worst_u <= u, "unserved demand at most " u, "worst " n3(worst_u))
        print ""
    }'
}
