#!/bin/sh
# bootstrap.sh TARGET... [VAR=VALUE...] - install the Debian packages that
# `make TARGET` needs and that are missing, then run it. Works on a bare machine:
# needs a POSIX shell, dpkg and apt, and root or sudo only if something is missing.
#
# bootstrap.sh --packages SET...   installs the packages of these sets only
# (build check lint clang dist experiments bench peers: see tools/packages.txt).
set -eu
cd "$(dirname "$0")/.."
table=tools/packages.txt

say() { echo "bootstrap: $*"; }
die() {
    echo "bootstrap: $*" >&2
    exit 1
}

# The sets of packages that a make target (or variable) needs.
sets_of() {
    case $1 in
    *=*) case $1 in CC=clang*) echo clang ;; esac ;;
    check | cov) echo build check ;;
    lint | lint-* | format) echo build check lint ;;
    fuzz | fuzz-*) echo build clang ;;
    dist) echo build dist ;;
    distcheck) echo build check dist ;;
    bench-peers) echo build peers ;;
    experiments) echo build experiments ;;
    ci) echo build check lint clang dist ;;
    -*) die "no option $1; usage: sh tools/bootstrap.sh TARGET..." ;;
    *) echo build ;;
    esac
}

# "package|why" of every package of the sets given.
wanted() {
    for set; do
        awk -F '[ \t]*[|][ \t]*' -v set="$set" '
            /^#/ { next }
            { n = split($2, s, " ")
              for (i = 1; i <= n; i++) if (s[i] == set) print $1 "|" $3 }' $table
    done | awk '!seen[$0]++'
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Shows apt's own words only when it fails.
apt() {
    log=$(mktemp)
    # shellcheck disable=SC2086 # $root is a command or nothing
    if $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

install_missing() {
    what=$1
    shift
    missing=
    rows=$(wanted "$@")
    [ -n "$rows" ] || die "no such set: $*"
    command -v dpkg-query >/dev/null || {
        say "not a Debian system; $what needs what these packages contain:"
        echo "$rows" | sed 's/^/  /; s/|/: /'
        return 0
    }
    for package in $(echo "$rows" | cut -d '|' -f 1); do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0

    say "$what needs packages that are missing here:"
    for package in $missing; do
        echo "$rows" | awk -F '|' -v p="$package" \
            '$1 == p { printf "  %-20s %s\n", $1, $2 }'
    done
    if [ "$(id -u)" = 0 ]; then
        root=
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        root=sudo
    else
        die "neither root nor sudo here. Run this as root, then start again
(or run make alone if these are here in another form):
    apt-get update && apt-get install --no-install-recommends$missing"
    fi
    say "fetching the package lists"
    apt update || say "the lists could not be refreshed; trying with those here"
    say "installing"
    # shellcheck disable=SC2086 # one word per package
    apt install --no-install-recommends $missing ||
        die "apt-get could not install:$missing"
    say "installed"
}

[ $# -gt 0 ] || die "usage: sh tools/bootstrap.sh TARGET... (demo, check, lint, ...)"
if [ "$1" = --packages ]; then
    shift
    install_missing "the set $*" "$@"
    exit 0
fi
sets=
for target; do
    sets="$sets $(sets_of "$target")"
done
# shellcheck disable=SC2086 # one word per set
install_missing "make $*" build $sets
exec make -j"$(nproc)" "$@"
