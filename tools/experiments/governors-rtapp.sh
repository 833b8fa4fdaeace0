# Governors of P-states on rt-app's own examples, which are not part of this tree:
# in the folder BL_RTAPP, or where the shared traces are.
# shellcheck shell=sh disable=SC2016,SC2086,SC2154
. tools/experiments/governors_table.sh

files=${BL_RTAPP:-$PWD/../shared/traces/rtapp-json}

# How tasks of several VMs happen to meet moves the work done by per cents: each
# load with VMs started so far apart, and the mean.
starts='23 29 31 37 41 43 47 53'

# vms LOAD START [COUNT VCPUS FILE]...: a scenario of VMs, each with all tasks of a file.
vms() {
    [ -r "$files/$5.json" ] || {
        echo "experiments: no rt-app files in $files: set BL_RTAPP" >&2
        return 1
    }
    name_of=$1 start=$2
    shift 2
    sed -e '/- {name: film/,$d' -e 's/^duration: .*/duration: 7s/' \
        -e 's/^warmup: .*/warmup: 500ms/' $examples/governor-rt-app.yaml
    while [ $# -gt 0 ]; do
        echo "    - {name: $name_of-$#, count: $1, vcpus: $2, stagger: ${start}ms," \
            "workload: {kind: rt-app, file: '$files/$3.json'}}"
        shift 3
    done
}

loads="browser mp3 video mixed spreading example3 dvfs"

runs() {
    for load in $loads; do
        case $load in
        browser) set -- 4 9 browser-short ;;
        mp3) set -- 4 5 mp3-short ;;
        video) set -- 4 17 video-short ;;
        mixed) set -- 3 9 browser-short 4 5 mp3-short 3 17 video-short ;;
        spreading) set -- 8 2 spreading-tasks ;;
        example3) set -- 2 12 tutorial_example3 ;;
        dvfs) set -- 4 1 cpufreq_governor_efficiency_dvfs ;;
        esac
        for start in $starts; do
            vms $load $start "$@" >"$work/$load-$start.yaml" || return 1
            for g in $governors; do
                job $load-1_${g}_$start "$work/$load-$start.yaml" --governor $g
            done
        done
    done
}

tables() {
    governors_table "$loads" 1
}
