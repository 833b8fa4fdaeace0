# shellcheck shell=bash
# bash completion for ballast. tools/check-docs.sh compares its options with
# those of --help; the names of policies come from the program itself, those of
# the consolidation family are spelled out.

_ballast_policies() {
    "$1" sim --policy help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9-]*\) .*/\1/p'
    printf '%s\n' {thr,iqr,mad,lr,lrr}-{mmt,mc,rs,mu} help
}

_ballast_modes() {
    "$1" sim --mode help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9-]*\) .*/\1/p'
    echo help
}

# The zones of this machine, by id and by name.
_ballast_zones() {
    "$1" power --interval 1ms 2>/dev/null | awk 'NR > 1 && /^[^ ]/ { print $1; print $2 }'
}

_ballast_governors() {
    "$1" sim --governor help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9-]*\) .*/\1/p'
    echo help
}

_ballast() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local sub=${COMP_WORDS[1]-} words=

    case $prev in
    --policy | --baseline)
        mapfile -t COMPREPLY < <(compgen -W "$(_ballast_policies "$1")" -- "$cur")
        return
        ;;
    --mode)
        mapfile -t COMPREPLY < <(compgen -W "$(_ballast_modes "$1")" -- "$cur")
        return
        ;;
    --governor)
        mapfile -t COMPREPLY < <(compgen -W "$(_ballast_governors "$1")" -- "$cur")
        return
        ;;
    --physics)
        mapfile -t COMPREPLY < <(compgen -W 'real cloudsim303 help' -- "$cur")
        return
        ;;
    --strategy)
        mapfile -t COMPREPLY < <(compgen -W 'grid random halving' -- "$cur")
        return
        ;;
    --objectives)
        mapfile -t COMPREPLY < <(compgen -W 'energy slav unserved migrations transitions' -- "$cur")
        return
        ;;
    --pick)
        mapfile -t COMPREPLY < <(compgen -W 'energy unserved knee' -- "$cur")
        return
        ;;
    --format)
        mapfile -t COMPREPLY < <(compgen -W 'columnar planetlab gcd azure bitbrains csv' -- "$cur")
        return
        ;;
    --zone)
        mapfile -t COMPREPLY < <(compgen -W "$(_ballast_zones "$1")" -- "$cur")
        return
        ;;
    --constraint)
        mapfile -t COMPREPLY < <(compgen -W 'long_term short_term peak_power' -- "$cur")
        return
        ;;
    --limit | --window | --interval | --count | --seed | --seeds | --param | \
        --vms | --steps | --step | --mean | --diurnal | --autocorr | --burst | --vary | --runs | -j) return ;;
    --trace | --csv | --out | --timeline | --policy-file | --validate)
        if [ "$sub" != power ]; then # whose --csv takes no value
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return
        fi
        ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='sim check trace compare tune power --help --version'
    else
        case $sub in
        sim)
            words='--trace --policy --policy-file --mode --governor --param --physics
                --seed --seeds --baseline --paranoid --explain --json --csv --out --timeline
                --ascii --help -j'
            ;;
        check) words='--keys --servers --help' ;;
        trace)
            words='--format --seed --vms --steps --step --mean --diurnal
                --autocorr --burst --memory --sizes --help -j'
            [ "$COMP_CWORD" -eq 2 ] && words="import info generate $words"
            ;;
        tune)
            words='--vary --strategy --runs --policy --param --physics --seed
                --trace --validate --objectives --baseline --pick --out
                --verbose --ascii --help -j'
            ;;
        compare) words='--different --ascii --help' ;;
        power)
            words='--zone --interval --count --json --csv --limit --constraint
                --window --force --help'
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -f -W "$words" -- "$cur")
}
complete -o filenames -F _ballast ballast
