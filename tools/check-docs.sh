#!/bin/sh
# check-docs.sh BALLAST - every --option of `ballast --help` and of the help of
# its subcommands is in the man pages and in the shell completion, and the other
# way round. A subcommand with a man page of its own must agree with that page.
set -eu
ballast=$1
subcommands='sim check trace compare tune power'
status=0

options() { grep -o -e '--[a-z][a-z0-9-]*[a-z0-9]' | sort -u; }
man_options() { sed 's/\\-/-/g' "$@" | options; }

# same NAME HELP-OPTIONS OTHER WHERE
same() {
    for o in $2; do
        echo "$3" | grep -qxe "$o" || {
            echo "$1: $o is in --help but not in $4"
            status=1
        }
    done
    for o in $3; do
        echo "$2" | grep -qxe "$o" || {
            echo "$1: $o is in $4 but not in --help"
            status=1
        }
    done
}

all=$("$ballast" --help)
for s in $subcommands; do
    text=$("$ballast" "$s" --help)
    "$ballast" --help | grep -qw "$s" || {
        echo "ballast --help does not name '$s'"
        status=1
    }
    all="$all
$text"
    [ -f "man/ballast-$s.1" ] || continue
    same "ballast $s" "$(echo "$text" | options)" \
        "$(man_options "man/ballast-$s.1")" "man/ballast-$s.1"
done
help=$(echo "$all" | options)
[ -n "$help" ] || {
    echo "no option found in the help of $ballast"
    exit 1
}
same ballast "$help" "$(man_options man/ballast*.1)" "man/ballast*.1"
same ballast "$help" "$(options <completions/ballast.bash)" completions/ballast.bash
exit $status
